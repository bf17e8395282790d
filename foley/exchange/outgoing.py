"""`foley export`: a rendered plan as a timeline, in every form that is asked for."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

from foley import plugins
from foley.api import Settings
from foley.deliver import outputs
from foley.deliver.frames import editing_rate, frame_from
from foley.errors import ExportError, MissingProgramError, OptionError, UnknownPluginError
from foley.exchange import items, record
from foley.exchange.items import Items
from foley.exchange.record import Record
from foley.exchange.rendered import Rendered, rendered, stem_paths
from foley.model import AudioFile, Clip, SoundEvent, Timeline, TimelineMarker
from foley.plan import events
from foley.units import RATE_HZ, drops_frames, span_samples, timecode_rate, timecode_to_frames, to_samples

ALL = "all"
"""Every form for which nothing is missing."""

FOLDER = "export"
"""In a plan's folder."""

LONGEST_HANDLES_S = 60.0
"""Longer ones would be files of silence."""


@dataclass(frozen=True, slots=True)
class Exported:
    """What was written."""

    folder: Path
    files: Mapping[str, tuple[Path, ...]]
    """By format."""
    written: tuple[str, ...]
    """Ids of the events whose sound was written anew; that of the others is as it was."""
    items: int
    """Events that are heard."""
    notes: tuple[str, ...]


def export(
    plan_file: str | Path,
    formats: Sequence[str],
    *,
    output: Path | None = None,
    handles_s: float = 1.0,
    settings: Settings | None = None,
) -> Exported:
    """Write a plan's sound as timelines for editors; what is not rendered yet is rendered first.

    Args:
        plan_file: The plan.
        formats: Names of exporters, or "all".
        output: The folder; `export` beside the plan where None.
        handles_s: How far sounds reach over both ends of their items at least.
        settings: How to render.

    Raises:
        UnknownPluginError: where no exporter bears a name.
        MissingProgramError: where what one needs is not installed.
        FoleyError: each kind of failure its own class, see `foley.errors`.
    """
    if not 0.0 <= handles_s <= LONGEST_HANDLES_S:
        raise OptionError(f"handles must last 0 to {LONGEST_HANDLES_S:g} s, got {handles_s:g}")
    exporters = _exporters(formats)
    path = Path(plan_file)
    made = rendered(path, settings or Settings())
    folder = output or path.parent / FOLDER
    known = record.load(folder)
    rate = editing_rate(made.clip.video.frame_rate, variable=made.clip.video.variable_rate)
    placed = items.place(made, folder, rate, handles_s=handles_s, known=known.events if known else {})
    timeline, notes = _timeline(made, placed, path, rate)
    files, failed = _written(exporters, timeline, folder, all_of_them=ALL in formats)
    plan = Path(os.path.relpath(path.resolve(), folder.resolve())).as_posix()
    events.save(made.plan, folder / record.PLAN)
    named = {name: tuple(file.relative_to(folder).as_posix() for file in of) for name, of in files.items()}
    record.save(Record(plan, rate, placed.given, (), {**(known.files if known else {}), **named}), folder)
    return Exported(folder, files, placed.written, len(placed.items), (*notes, *failed))


def _exporters(formats: Sequence[str]) -> dict[str, Any]:
    """Return the exporters that are asked for, by name."""
    known = plugins.names("exporter")
    for name in formats:
        if name != ALL and name not in known:
            raise UnknownPluginError("exporter", name, (*known, ALL))
    if not formats:
        raise OptionError("no form is named", hint=f"--to {','.join(known)}, or --to {ALL}")
    wanted = known if ALL in formats else tuple(dict.fromkeys(formats))
    found = {name: plugins.build("exporter", name) for name in wanted}
    for name in formats:
        if name != ALL and (missing := found[name].missing()):
            raise MissingProgramError(f"what the form {name} needs", "; ".join(missing))
    return {name: exporter for name, exporter in found.items() if not exporter.missing()}


def _written(
    exporters: Mapping[str, Any], timeline: Timeline, folder: Path, *, all_of_them: bool
) -> tuple[dict[str, tuple[Path, ...]], tuple[str, ...]]:
    """Write every form; where all were asked for, say which cannot hold the timeline, else raise."""
    files, failed = {}, []
    for name, exporter in exporters.items():
        outputs.make_folder(folder / name)
        try:
            files[name] = tuple(exporter.export(timeline, folder / name))
        except ExportError as cause:
            if not all_of_them:
                raise
            failed.append(f"{name}: {cause.message}")
    return files, tuple(failed)


def _timeline(made: Rendered, placed: Items, path: Path, rate: Fraction) -> tuple[Timeline, tuple[str, ...]]:
    clip, length = made.clip, made.arrangement.length
    start_frame, drop_frame, notes = _start(clip, rate)
    stems = stem_paths(path.parent)
    timeline = Timeline(
        name=clip.path.stem,
        video=clip.path,
        width_px=clip.video.width_px,
        height_px=clip.video.height_px,
        frame_rate=rate,
        start_frame=start_frame,
        drop_frame=drop_frame,
        frames=max(1, frame_from(length, rate)),
        length=length,
        items=placed.items,
        markers=tuple(_markers(made)),
        stems={bus: AudioFile(stems[bus].resolve(), RATE_HZ, 2, length) for bus in made.mixdown.stems},
        mix=AudioFile(stems["mix"].resolve(), RATE_HZ, 2, length),
    )
    if rate != clip.video.frame_rate:
        own = "varies" if clip.video.variable_rate else f"is {float(clip.video.frame_rate):.7g}"
        # as many digits as tell 29.97 from 30000/1001
        notes += (f"the clip's frame rate {own}: the timeline runs at {float(rate):.7g}",)
    return timeline, notes


def _start(clip: Clip, rate: Fraction) -> tuple[int, bool, tuple[str, ...]]:
    """Return the time code of the first frame in frames, whether it is a drop-frame one, and what to say of it."""
    if not clip.timecode:
        return 0, False, ()
    own = timecode_rate(clip.video.frame_rate)
    try:
        frame = timecode_to_frames(clip.timecode, own)
    except ValueError as cause:
        return 0, False, (f"the clip's time code cannot be used ({cause}): the timeline begins at 00:00:00:00",)
    if own == rate:
        return frame, drops_frames(clip.timecode), ()
    # another rate counts other frames: the same instant
    return round(frame * rate / own), False, ()


def _markers(made: Rendered) -> Iterator[TimelineMarker]:
    """Yield what the planner thought of the whole, and why each event is there."""
    thought = made.plan.reasoning
    parts = (thought.semantic, thought.temporal, thought.aesthetic, thought.spatial)
    if any(parts):
        yield TimelineMarker(0, 0, f"foley: {made.plan.planner}", " ".join(filter(None, parts)))
    for event in sorted(made.plan.events, key=lambda one: one.start_s):
        if not event.muted:
            yield _marker(event, made.arrangement.length)


def _marker(event: SoundEvent, length: int) -> TimelineMarker:
    first, last = span_samples(event.start_s, event.end_s, RATE_HZ)
    if event.hits:
        first = last = to_samples(event.hits[0].time_s, RATE_HZ)
    first = min(first, max(0, length - 1))
    return TimelineMarker(first, max(0, min(last, length) - first), event.label, event.because)
