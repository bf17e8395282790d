"""Many videos: `foley batch`."""

from __future__ import annotations

import dataclasses
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from foley.cli import console, options
from foley.model import Brief
from foley.pipeline import workflow as workflows
from foley.units import clock

if TYPE_CHECKING:
    from foley.batch import Batch, Item, Options
    from foley.batch.estimate import Estimate

SUMMARY = "batch.json"

Inputs = Annotated[
    list[str],
    typer.Argument(
        metavar="INPUT...",
        help="Videos, folders, patterns, manifests (.csv, .jsonl, .yaml), or - for a list on standard input.",
        show_default=False,
    ),
]


def batch(
    context: typer.Context,
    inputs: Inputs,
    *,
    prompt: options.Prompt = "",
    encoder: options.Encoder = None,
    planner: options.Planner = None,
    device: options.Device = None,
    seed: options.Seed = 0,
    generator: options.Generator = options.AUTO,
    model: options.Model = None,
    licence: options.Licence = None,
    region: options.Region = None,
    max_vram: options.MaxVram = None,
    candidates: options.Candidates = None,
    output: Annotated[
        Path | None,
        typer.Option("-o", "--output", metavar="FOLDER", help="Folder of all results; beside each video if not given."),
    ] = None,
    export: Annotated[
        list[str] | None, typer.Option(metavar="FORMAT", help="Write timelines too; see: foley exporters.")
    ] = None,
    overwrite: options.Overwrite = False,
    loudness: options.Loudness = None,
    replace_audio: options.ReplaceAudio = None,
    jobs: Annotated[
        int, typer.Option("-j", "--jobs", min=0, help="Videos at once; 0: one a core, as far as memory goes.")
    ] = 0,
    retry: Annotated[int, typer.Option(min=0, metavar="N", help="How often what may help is tried again.")] = 1,
    timeout: Annotated[float, typer.Option(min=0, metavar="S", help="The longest that a video may take.")] = 0,
    stage_timeout: Annotated[float, typer.Option(min=0, metavar="S", help="The longest that a stage may take.")] = 0,
    fail_fast: Annotated[bool, typer.Option("--fail-fast", help="End with the first failure.")] = False,
    strict: Annotated[
        bool, typer.Option("--strict", help="A clip that does not pass its quality check counts as failed.")
    ] = False,
    summary: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Where the summary goes; batch.json in the folder of all else.")
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what it would take: an estimate; do nothing.")
    ] = False,
    workflow: options.WorkflowName = workflows.DEFAULT,
    set_option: options.SetOption = None,
    workdir: options.Workdir = None,
    json: Annotated[bool, typer.Option("--json", help="Print what happens as JSON, a line each.")] = False,
) -> None:
    """Give many videos their sound; what is done already is not done again.

    Ends with 0 when all are done, 12 when some failed, 13 when none was done.
    """
    from foley import batch as batches
    from foley.batch.rows import Defaults

    settings = options.settings(context.params)
    workflows.load(workflow)  # refused now, not with the first video
    defaults = Defaults(Brief(prompt, seed=seed, generator=generator), settings, output, tuple(export or ()))
    items = batches.read_rows(inputs, defaults, stdin=sys.stdin)
    chosen = batches.Options(
        jobs=jobs,
        retries=retry,
        timeout_s=timeout,
        stage_timeout_s=stage_timeout,
        fail_fast=fail_fast,
        strict=strict,
        summary=summary or _summary(inputs, output),
    )
    if dry_run:
        _tell_estimate(items, jobs, as_json=json)
        return
    _finish(_done(items, chosen, as_json=json), chosen, as_json=json)


def _summary(inputs: Sequence[str], output: Path | None) -> Path:
    """Return where the summary goes: with the results, else beside the only manifest or folder, else here."""
    from foley.batch.rows import MANIFESTS

    if output is not None:
        return output / SUMMARY
    only = Path(inputs[0]) if len(inputs) == 1 else Path("-")
    if only.suffix.lower() in MANIFESTS and only.is_file():
        return only.with_name(f"{only.stem}.{SUMMARY}")
    return only / SUMMARY if only.is_dir() else Path(SUMMARY)


def _done(items: Sequence[Item], chosen: Options, *, as_json: bool) -> Batch:
    from foley import batch as batches
    from foley.cli import batch_table

    if as_json:
        return batches.run(items, chosen, batch_table.JsonLines())
    if not sys.stderr.isatty():
        return batches.run(items, chosen, batch_table.PlainLines(len(items)))
    with batch_table.live(len(items)) as table:
        return batches.run(items, chosen, table)


def _finish(done: Batch, chosen: Options, *, as_json: bool) -> None:
    from foley.batch.summary import page_of
    from foley.cli import batch_table

    assert chosen.summary is not None
    if as_json:
        batch_table.line({"event": "end", "exit_code": done.exit_code, "counts": done.counts(), **_places(chosen)})
    else:
        for item, outcome in zip(done.items, done.outcomes, strict=True):
            if outcome.problem and outcome.state == "failed":
                console.say(f"  failed: {batch_table.shown(item)}: {batch_table.short(outcome.problem.message)}")
        console.say(_told(done))
        console.say(f"  page: {page_of(chosen.summary)}")
        console.answer(str(chosen.summary))
    if done.exit_code:
        raise typer.Exit(done.exit_code)


def _places(chosen: Options) -> dict[str, str]:
    from foley.batch.summary import page_of

    assert chosen.summary is not None
    return {"summary": str(chosen.summary), "page": str(page_of(chosen.summary))}


def _told(done: Batch) -> str:
    counts = done.counts()
    before = f" ({counts['known']} before)" if counts["known"] else ""
    judged = ", ".join(f"{counts[verdict]} {verdict}" for verdict in ("pass", "warn", "fail") if counts[verdict])
    return (
        f"{done.done} of {len(done.items)} done{before} in {clock(done.seconds)[:-4]}{f'; {judged}' if judged else ''}"
    )


def _tell_estimate(items: Sequence[Item], jobs: int, *, as_json: bool) -> None:
    from foley.batch import estimate
    from foley.cli import batch_table

    found = estimate.estimated(items, jobs)
    if as_json:
        unusable = [
            {"input": str(item.video), "row": item.row, "error": problem.message} for item, problem in found.unusable
        ]
        about = {field.name: getattr(found, field.name) for field in dataclasses.fields(found)}
        batch_table.line({"event": "estimate", **about, "unusable": unusable})
        return
    for item, problem in found.unusable:
        console.say(f"  cannot be done: {batch_table.shown(item)}: {batch_table.short(problem.message)}")
    for text in _estimate_lines(found):
        console.answer(text)


def _estimate_lines(found: Estimate) -> list[str]:
    usable = found.videos - len(found.unusable)
    time = "not known: nobody measured a model" if found.wall_s is None else f"about {clock(found.wall_s)[:-4]}"
    full = "; THAT IS MORE THAN THERE IS" if found.output_mb > found.free_mb else ""
    return [
        f"{usable} of {found.videos} videos, {clock(found.film_s)[:-4]} of film (all that follows is an estimate)",
        f"time: {time}, {found.jobs} at once; work for one core: {clock(found.work_s)[:-4]}",
        f"memory: up to {found.memory_mb} MB",
        f"disk: {found.output_mb} MB of results, {found.cache_mb} MB of cache; {found.free_mb} MB are free{full}",
        f"cost: {found.cost or 'none: no service is asked'}",
        *(f"model {text}" for text in found.models),
    ]
