"""`foley evaluate`: measures of finished work and of plans against what is known to be true."""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, get_args

import typer

from foley import api
from foley.cli import console, options
from foley.dsp.profiles import NOBODY_LOOKED, PROFILES, Dialogue, ProfileName
from foley.errors import NoVideoStreamError, OptionError
from foley.model import Clip, LoudnessFigures, Source
from foley.pipeline import runner, workflow
from foley.pipeline.cache import Cache

if TYPE_CHECKING:
    from foley.evaluate.loudness import Requirement
    from foley.evaluate.onsets import Samples
    from foley.evaluate.plan import PlanScore, SoundMatch
    from foley.evaluate.sync import SyncReport

NOT_PASSED = 11
"""Exit code where a file was measured and does not pass: no failure of foley, so no error's code."""

app = typer.Typer(
    name="evaluate", help="Measure how well sound or a plan meets what is known or asked for.", no_args_is_help=True
)

TruthFile = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE", help="What is true of the clip: JSON or CSV; see docs/evaluate.md.", show_default=False
    ),
]
ClipName = Annotated[
    str, typer.Option("--clip", help="Which clip of the truth file; by the file's name when not given.")
]


@app.command()
def sync(
    sound: Annotated[Path, typer.Argument(metavar="VIDEO_OR_WAV", help="What is measured.", show_default=False)],
    *,
    truth: TruthFile = None,
    against: Annotated[
        Path | None,
        typer.Option(metavar="ORIGINAL", help="A video or sound whose own onsets are the truth.", show_default=False),
    ] = None,
    clip: ClipName = "",
    track: Annotated[int, typer.Option(help="Which sound track is measured, from 1.")] = 1,
    workdir: options.Workdir = None,
    json: options.Json = False,
) -> None:
    """Measure when sounds begin, against true times, beside blind guesses."""
    from foley.evaluate import onsets
    from foley.evaluate import truth as truths
    from foley.evaluate.sync import compare

    if (truth is None) == (against is None):
        raise typer.BadParameter("give either --truth or --against", param_hint="--truth / --against")
    known = None if truth is None else truths.load(truth, clip or sound.name)
    cache = Cache(workdir or api.default_workdir())
    heard = _sound(sound, track, cache)
    if known is None:
        assert against is not None
        times_s = onsets.onset_times_s(_sound(against, 1, cache)())
        known = truths.Truth((), tuple(times_s.tolist()))
    with contextlib.closing(cache.context()) as ctx:
        report = compare(known, heard, against=against is not None, rng=ctx.rng("evaluate", "sync"))
    for doubt in _doubts(report):
        console.say(f"note: {doubt}")
    if json:
        console.answer_json(_sync_record(report))
    else:
        console.answer("\n".join(_sync_lines(sound, report)))


@app.command()
def plan(
    plan_file: Annotated[Path, typer.Argument(metavar="PLAN", help="A plan.yaml.", show_default=False)],
    *,
    truth: Annotated[Path, typer.Option(metavar="FILE", help="What is true of the clip: JSON or CSV.")],
    clip: ClipName = "",
    json: options.Json = False,
) -> None:
    """Measure which sounds a plan holds and when, against true ones."""
    from foley.evaluate import plan as plans
    from foley.evaluate import truth as truths
    from foley.plan import events

    made = events.load(plan_file)
    known = truths.load(truth, clip or Path(made.clip.path).name)
    score = plans.compare(made, known, _categories)
    if not any(sound.label or sound.ucs for sound in known.sounds):
        console.say("note: the truth names no sound, so none can be found by its kind: only the hits can be compared")
    if json:
        console.answer_json(dataclasses.asdict(score))
    else:
        console.answer("\n".join(_plan_lines(score)))


@app.command()
def loudness(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A video or sound of any length.", show_default=False)],
    *,
    profile: Annotated[str, typer.Option(help=f"What is asked for: {', '.join(options.LOUDNESS)}.")] = "ebu-r128",
    track: Annotated[int, typer.Option(help="Which sound track is measured, from 1.")] = 1,
    speech: Annotated[
        str, typer.Option(help="Who finds speech, where a profile measures dialogue: auto, silero, spectrum or off.")
    ] = "auto",
    json: options.Json = False,
) -> None:
    """Measure loudness and true peak against a delivery's profile; ends with exit code 11 where FILE does not pass."""
    from foley.evaluate import loudness as meter

    name = options.profile(profile, "--profile")
    figures = meter.measure(file, name, track=track, dialogue=_dialogue(file, name, track, speech=speech))
    found = meter.requirements(figures, name)
    if json:
        console.answer_json(
            {
                "file": str(file),
                "track": track,
                **dataclasses.asdict(figures),
                "requirements": [dataclasses.asdict(requirement) for requirement in found],
            }
        )
    else:
        console.answer("\n".join(_loudness_lines(file, figures, found, source=PROFILES[name].source)))
    if not figures.passed:
        raise typer.Exit(NOT_PASSED)


def _dialogue(file: Path, profile: ProfileName, track: int, *, speech: str) -> Dialogue:
    """Return where somebody speaks, looked for only where the profile asks for the loudness of that."""
    from foley.analysis import listen
    from foley.evaluate.loudness import for_speech

    finder = next((known for known in get_args(listen.Speech) if known == speech), None)
    if finder is None:
        raise OptionError(f"--speech has no {speech!r}", hint=f"there are: {', '.join(get_args(listen.Speech))}")
    if PROFILES[profile].dialogue is None:
        return NOBODY_LOOKED
    return Dialogue(*listen.speech_in(for_speech(file, track), finder))


def _sound(path: Path, track: int, cache: Cache) -> Callable[[], Iterable[Samples]]:
    """Return what gives the file's sound: on the picture's timeline where there is a picture."""
    from foley.evaluate import tracks

    try:
        found = runner.run(workflow.load(), [Source(path)], [Clip], cache=cache)[Clip]
    except NoVideoStreamError:
        return lambda: tracks.of_file(path, track)
    return lambda: tracks.of_clip(found, track)


def _categories(label: str) -> frozenset[str]:
    """Return the CatIDs of the sounds that a label names, as prompts are read; else of the places it names."""
    from foley.plan.matching import read

    reading = read(label)
    return frozenset(m.sound.ucs for m in reading.mentions) or frozenset(place.ucs for place in reading.places[:1])


def _loudness_lines(path: Path, figures: LoudnessFigures, found: Sequence[Requirement], *, source: str) -> list[str]:
    spoken = f"{_level(figures.dialogue_lufs, 'LUFS')} ({100 * (figures.dialogue_share or 0.0):.0f} % of the programme)"
    lines = [
        f"{path.name}: {figures.profile}, {'passes' if figures.passed else 'does not pass'}",
        f"integrated      {_level(figures.integrated_lufs, 'LUFS')}",
        *([f"dialogue        {spoken}"] if figures.speech_by else []),
        f"short-term max  {_level(figures.short_term_max_lufs, 'LUFS')}",
        f"momentary max   {_level(figures.momentary_max_lufs, 'LUFS')}",
        f"range           {_level(figures.range_lu, 'LU')}",
        f"true peak       {_level(figures.true_peak_dbtp, 'dBTP')}",
    ]
    for requirement in found:
        value = "none" if requirement.measured is None else f"{requirement.measured:.2f}"
        lines.append(f"{'pass' if requirement.met else 'FAIL'}  {requirement.name} {value}, asked: {requirement.asked}")
    if figures.because:
        lines.append(f"judged by the loudness of the {figures.measure}: {figures.because}")
    return [*lines, f"source: {source}"]


def _level(value: float | None, unit: str) -> str:
    return "  none" if value is None else f"{value:6.1f} {unit}"


def _sync_lines(path: Path, report: SyncReport) -> list[str]:
    true, made = len(report.reference_s), len(report.estimated_s)
    lines = [f"{path.name}: {true} true onsets, {made} heard, {len(report.pairs)} of them paired within 150 ms"]
    lines.append("window      F1  precision  recall | blind: random    grid  metronome | ceiling")
    for window in report.windows:
        score, blind = window.score, window.blind
        found = f"{score.f_measure:5.3f}      {score.precision:5.3f}   {score.recall:5.3f}"
        guessed = f"{blind.random:5.3f}   {blind.grid:5.3f}      {blind.metronome:5.3f}"
        lines.append(f"{1000 * window.window_s:>4.0f} ms   {found} |         {guessed} |   {window.ceiling:5.3f}")
    if report.offset_s is None or report.distance_s is None:
        return [*lines, "nothing was paired: there is no offset"]
    offset, distance = 1000 * report.offset_s, 1000 * report.distance_s
    return [*lines, f"median offset {offset:+.1f} ms (positive: late), median distance {distance:.1f} ms"]


def _doubts(report: SyncReport) -> list[str]:
    """Return why the figures may mean nothing: most likely it is another clip's truth."""
    if not report.reference_s:
        return ["the truth holds no onset that counts: precision, recall and F1 say nothing"]
    if outside_s := report.outside_s:
        return [
            f"{len(outside_s)} of {len(report.reference_s)} true onsets lie outside the {report.duration_s:.3f} s that"
            f" are measured, as that at {outside_s[0]:g} s: is it the truth of this clip?"
        ]
    return []


def _sync_record(report: SyncReport) -> dict[str, Any]:
    windows = []
    for window in report.windows:
        score = dataclasses.asdict(window.score)
        score.pop("offsets_s")
        blind = dataclasses.asdict(window.blind)
        windows.append({"window_s": window.window_s, **score, "blind": blind, "ceiling": window.ceiling})
    return {**dataclasses.asdict(report), "windows": windows}


def _plan_lines(score: PlanScore) -> list[str]:
    lines = [_match_line(match) for match in score.matches]
    lines += [f"missed     {label or 'an unnamed sound'}" for label in score.missed]
    lines += [f"not true   {event_id}" for event_id in score.extra]
    hits = score.onsets
    return [
        *lines,
        f"events: recall {score.recall:.3f}, precision {score.precision:.3f}, F1 {score.f_measure:.3f}",
        f"labels: same class {score.same_class:.3f}, same category {score.same_category:.3f}",
        f"time: intersection over union {score.shared:.3f} of the sounds that are found",
        f"hits within 100 ms: recall {hits.recall:.3f}, precision {hits.precision:.3f}, F1 {hits.f_measure:.3f}",
    ]


def _match_line(match: SoundMatch) -> str:
    from foley.evaluate.plan import late_s

    what = {"class": "found", "category": "alike", "other": "misnamed"}[match.likeness]
    late = late_s(match)
    hits = "" if match.hits is None else f", hits F1 {match.hits.f_measure:.2f}"
    hits += "" if late is None else f", {1000 * late:+.0f} ms"
    label = match.label or "an unnamed sound"
    return f"{what:<11}{label} = {match.event_id} ({match.event_label}): shares {match.shared:.2f}{hits}"
