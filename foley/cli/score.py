"""The main job: `foley run`, `foley plan`, `foley render`."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Annotated, Any

import typer

from foley import api
from foley.cli import console, options
from foley.errors import OptionError
from foley.model import Brief, LoudnessFigures
from foley.pipeline import workflow as workflows
from foley.units import clock

Video = Annotated[Path, typer.Argument(help="The video to give sound.", show_default=False)]

MOST_NOTES = 16
"""That are printed; what concerns the whole clip comes first, and the report has all."""


def run(
    context: typer.Context,
    video: Video,
    prompt: options.Prompt = "",
    *,
    subtitles: options.Subtitles = None,
    cue_sheet: options.CueSheet = None,
    encoder: options.Encoder = None,
    encoder_model: options.EncoderModel = None,
    planner: options.Planner = None,
    planner_model: options.PlannerModel = None,
    endpoint: options.Endpoint = None,
    device: options.Device = None,
    seed: options.Seed = 0,
    generator: options.Generator = options.AUTO,
    model: options.Model = None,
    licence: options.Licence = None,
    region: options.Region = None,
    max_vram: options.MaxVram = None,
    quantise: options.Quantise = None,
    steps: options.Steps = None,
    compiled: options.Compile = False,
    candidates: options.Candidates = None,
    output: options.Output = None,
    overwrite: options.Overwrite = False,
    loudness: options.Loudness = None,
    replace_audio: options.ReplaceAudio = None,
    workflow: options.WorkflowName = workflows.DEFAULT,
    set_option: options.SetOption = None,
    workdir: options.Workdir = None,
    json: options.Json = False,
) -> None:
    """Give VIDEO its sound: plan, make every sound, fit, mix, check, mux."""
    brief = Brief(prompt, subtitles, cue_sheet, seed, generator)
    with console.progress() as show:
        result = api.run(video, brief=brief, output=output, settings=options.settings(context.params, show))
    if not json:
        console.say(result.plan.reasoning.semantic)
    _answer(result, as_json=json)


def plan(
    context: typer.Context,
    video: Video,
    prompt: options.Prompt = "",
    *,
    subtitles: options.Subtitles = None,
    cue_sheet: options.CueSheet = None,
    encoder: options.Encoder = None,
    encoder_model: options.EncoderModel = None,
    planner: options.Planner = None,
    planner_model: options.PlannerModel = None,
    endpoint: options.Endpoint = None,
    device: options.Device = None,
    seed: options.Seed = 0,
    generator: options.Generator = options.AUTO,
    output: options.Output = None,
    overwrite: options.Overwrite = False,
    workflow: options.WorkflowName = workflows.DEFAULT,
    set_option: options.SetOption = None,
    workdir: options.Workdir = None,
    json: options.Json = False,
) -> None:
    """Write the sound plan of VIDEO, to read and edit before rendering."""
    _refuse_plan_name(output)
    brief = Brief(prompt, subtitles, cue_sheet, seed, generator)
    with console.progress() as show:
        made = api.plan(video, brief=brief, output=output, settings=options.settings(context.params, show))
    _answer_plan(made, as_json=json)


def _answer_plan(made: api.PlanFile, *, as_json: bool) -> None:
    heard = made.plan.reasoning.semantic
    if as_json:
        facts = {"plan": str(made.path), "events": len(made.plan.events), "heard": heard, "notes": list(made.notes)}
        console.answer_json(facts)
        return
    console.say(heard)
    for event in made.plan.events:
        console.say(f"{clock(event.start_s):>10}  {event.label}: {event.because}")
    for note in made.notes:
        console.say(f"  note: {note}")
    console.answer(str(made.path))


def render(
    context: typer.Context,
    plan_file: Annotated[Path, typer.Argument(metavar="PLAN", help="A plan.yaml, edited or not.", show_default=False)],
    *,
    overwrite: options.Overwrite = False,
    generator: options.Generator = options.AUTO,
    model: options.Model = None,
    licence: options.Licence = None,
    region: options.Region = None,
    device: options.Device = None,
    max_vram: options.MaxVram = None,
    quantise: options.Quantise = None,
    steps: options.Steps = None,
    compiled: options.Compile = False,
    candidates: options.Candidates = None,
    remaster: Annotated[bool, typer.Option("--remaster", help="Set gain and limiter anew: all stems change.")] = False,
    loudness: options.Loudness = None,
    replace_audio: options.ReplaceAudio = None,
    workflow: options.WorkflowName = workflows.DEFAULT,
    set_option: options.SetOption = None,
    workdir: options.Workdir = None,
    json: options.Json = False,
) -> None:
    """Render PLAN; only what changed since the last time is made again."""
    named = [f"takes.generator={generator}"] if generator != options.AUTO else []
    params = {**context.params, "set_option": [*named, *(set_option or ())]}
    with console.progress() as show:
        result = api.render(plan_file, settings=options.settings(params, show))
    _answer(result, as_json=json)


def _refuse_plan_name(output: Path | None) -> None:
    """Refuse a name for the plan itself: takes and stems will lie beside it, so it has a folder of its own."""
    if output is not None and output.suffix.lower() in (".yaml", ".yml") and not output.is_dir():
        folder = output.with_suffix(".foley")
        raise OptionError(
            f"-o {output}: a plan lies in the folder of its video's sound, as plan.yaml",
            hint=f"name that video, or a folder: -o {output.with_suffix('.mp4')} makes {folder / 'plan.yaml'}",
        )


def _answer(result: api.Result, *, as_json: bool) -> None:
    if as_json:
        console.answer_json(_record(result))
        return
    report = result.delivery.report
    heard = [event for event in result.plan.events if not event.muted]
    console.say(f"{len(heard)} {'sound' if len(heard) == 1 else 'sounds'}, {_loudness(report.mix)}{_sync(result)}")
    for event in [event for event in result.plan.events if event.muted][:MOST_NOTES]:
        console.say(f"  muted: {event.label} ({event.id}): {event.because}")
    for note in report.notes[:MOST_NOTES]:
        console.say(f"  note: {note}")
    if len(report.notes) > MOST_NOTES:
        console.say(f"  and {len(report.notes) - MOST_NOTES} more notes in the report")
    console.say(f"  plan, stems, takes and report: {result.folder}/")
    console.answer(str(result.video))


def _loudness(figures: LoudnessFigures) -> str:
    unmeasured = "silent" if figures.silent else "too short or too quiet to measure"
    level = unmeasured if figures.integrated_lufs is None else f"{figures.integrated_lufs:.1f} LUFS"
    return f"{level}, true peak {figures.true_peak_dbtp:.1f} dBTP"


def _sync(result: api.Result) -> str:
    errors = [abs(check.error_ms) for check in result.delivery.report.sync if check.error_ms is not None]
    return f", worst sync error {max(errors):.1f} ms over {len(errors)} onsets" if errors else ""


def _record(result: api.Result) -> dict[str, Any]:
    report = result.delivery.report
    return {
        "video": str(result.video),
        "folder": str(result.folder),
        "events": len(result.plan.events),
        "muted": [event.id for event in result.plan.events if event.muted],
        "heard": result.plan.reasoning.semantic,
        "loudness": dataclasses.asdict(report.mix),
        "sync": [dataclasses.asdict(check) for check in report.sync],
        "notes": list(report.notes),
        "stages": [dataclasses.asdict(time) for time in result.times],
    }
