"""`foley import`: a timeline that an editor saved, back into the plan it came from."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from foley import plugins
from foley.errors import ExportError, MissingProgramError
from foley.exchange import record
from foley.exchange.record import Given, Record
from foley.media.atomic import written_whole
from foley.model import EditedItem, SoundEvent, SoundPlan
from foley.plan import edits, events
from foley.plan.edits import EventEdit, Piece
from foley.units import RATE_HZ, to_seconds

SAME_PLACE_S = 0.0005
"""What was not moved further lies where it did: forms that count in float seconds are exact to less."""

SAME_GAIN_DB = 0.05
"""Gains nearer than this are the same: forms round them."""

INAUDIBLE_DB = -90.0
"""Below it one gain is as good as another: some forms hold no lower one."""


@dataclass(frozen=True, slots=True)
class TakenBack:
    """What an editor's timeline changed in a plan."""

    plan: Path
    changes: tuple[str, ...]
    """In words; empty where the timeline says what the plan says."""
    notes: tuple[str, ...]
    """What of the timeline could not be followed."""
    backup: Path | None
    """The plan as it was before; None where nothing was written."""


def take_back(timeline: str | Path, plan_file: str | Path | None = None, *, dry_run: bool = False) -> TakenBack:
    """Bring what an editor did to the events of a plan back into it: moved, cut, muted, louder, faded.

    The plan is edited in place, the events that changed are locked, and the plan as it was stays as `plan.yaml.bak`.
    Bringing the same timeline back again changes nothing.

    Args:
        timeline: What the editor saved.
        plan_file: The plan; the one that the timeline was exported from where None.
        dry_run: Only says what would change.

    Raises:
        ExportError: where the timeline cannot be read, or it is not known what it was exported from.
        PlanError: where the plan cannot be used.
    """
    path = Path(timeline)
    items = _reader(path).read(path)
    folder, noted = record.find(path, None if plan_file is None else Path(plan_file))
    plan_path = Path(plan_file) if plan_file is not None else Path(os.path.normpath(folder / noted.plan))
    plan, before = events.load(plan_path), events.load(folder / record.PLAN)
    _refuse_of_another_clip(path, plan)
    found = [item for item in items if item.event_id in noted.events]
    if noted.events and not found:
        raise ExportError(f"{path} holds none of the sounds that were exported", hint="is it another timeline?")
    exported = {event.id: event for event in before.events}
    told, notes = _edits(found, noted, exported)
    changed, changes = edits.apply(plan, told, before=exported)
    present = {event.id for event in plan.events}
    gone = sorted({edit.event_id for edit in told} - present)
    notes = (*notes, *(f"{name} is no longer in the plan" for name in gone), *_strangers(items, noted))
    if dry_run or not changes:
        return TakenBack(plan_path, changes, notes, None)
    backup = plan_path.with_name(f"{plan_path.name}.bak")
    with written_whole(backup) as part:
        shutil.copyfile(plan_path, part)
    events.save(changed, plan_path)
    record.save(
        replace(noted, taken_back=tuple(sorted({*noted.taken_back, *(edit.event_id for edit in told)}))), folder
    )
    return TakenBack(plan_path, changes, notes, backup)


def _reader(path: Path) -> Any:
    """Return the exporter that reads a file, by its suffix."""
    if not path.is_file():
        raise ExportError(f"{path} does not exist")
    readable: dict[str, None] = {}
    for name in plugins.names("exporter"):
        exporter = plugins.build("exporter", name)
        if path.suffix.lower() in exporter.suffixes:
            if missing := exporter.missing():
                raise MissingProgramError(f"what reading {path.suffix} needs", "; ".join(missing))
            return exporter
        readable |= dict.fromkeys(exporter.suffixes)
    raise ExportError(f"{path}: no exporter reads {path.suffix or 'it'} back", hint=f"there are: {', '.join(readable)}")


def _refuse_of_another_clip(path: Path, plan: SoundPlan) -> None:
    """Refuse a timeline that lies in another clip's export: plans of alike clips have events of the same names.

    Raises:
        ExportError: where it does.
    """
    folder = record.above(path)
    if folder is None or not (folder / record.PLAN).is_file():
        return
    clip = events.load(folder / record.PLAN).clip
    if clip.key != plan.clip.key:
        raise ExportError(
            f"{path} was exported from a plan of another clip, {Path(clip.path).name}",
            hint="name that clip's plan, or none",
        )


def _strangers(items: Sequence[EditedItem], noted: Record) -> Iterator[str]:
    strange = dict.fromkeys(item.event_id for item in items if item.event_id not in noted.events)
    for name in strange:
        yield f"{name} is none of the exported sounds: left where it is"


def _edits(
    items: Sequence[EditedItem], noted: Record, exported: Mapping[str, SoundEvent]
) -> tuple[list[EventEdit], tuple[str, ...]]:
    """Return what was done to each event, of those to which something was, and what could not be followed."""
    by_event: dict[str, list[EditedItem]] = {name: [] for name in noted.events}
    for item in items:
        if not item.muted:
            by_event[item.event_id].append(item)
    found, notes = [], []
    for name, given in noted.events.items():
        event = exported.get(name)
        if event is None:
            continue
        heard = by_event[name]
        edit = _edit(heard, given, event, frame_s=float(1 / noted.frame_rate))
        if len({(item.gain_db, item.fade_in_s, item.fade_out_s) for item in heard}) > 1 and edit.gain_db is not None:
            notes.append(f"{name} lies there in {len(heard)} pieces of different gain: the first one's is taken")
        if name in noted.taken_back:
            found.append(_whole(edit, event))
        elif edit != EventEdit(name):
            found.append(edit)
    return found, tuple(notes)


def _whole(edit: EventEdit, event: SoundEvent) -> EventEdit:
    """Return an edit that also says what stayed, for what an earlier one may have changed."""
    return EventEdit(
        edit.event_id,
        (Piece(),) if edit.pieces is None else edit.pieces,
        event.gain_db if edit.gain_db is None else edit.gain_db,
        event.fade_in_s if edit.fade_in_s is None else edit.fade_in_s,
        event.fade_out_s if edit.fade_out_s is None else edit.fade_out_s,
    )


def _edit(items: Sequence[EditedItem], given: Given, event: SoundEvent, *, frame_s: float) -> EventEdit:
    """Return what was done to one event, from the items that are heard of it."""
    if not items:
        return EventEdit(event.id, pieces=())
    ordered = sorted(items, key=lambda item: item.source_start_s)
    pieces = tuple(_piece(item, given, event, frame_s=frame_s) for item in ordered)
    first, last = ordered[0], ordered[-1]
    return EventEdit(
        event.id,
        pieces=None if pieces == (Piece(),) else pieces,
        gain_db=None if _same_gain(first.gain_db, given.gain_db) else round(first.gain_db, 2),
        fade_in_s=_fade_s(first.fade_in_s, given.fade_in, frame_s),
        fade_out_s=_fade_s(last.fade_out_s, given.fade_out, frame_s),
    )


def _piece(item: EditedItem, given: Given, event: SoundEvent, *, frame_s: float) -> Piece:
    """Return which stretch of an event an item holds, and by how much it was moved.

    Where its sound file would begin on the timeline tells a move from a trim: a trim leaves it where it is.
    """
    begins_s = to_seconds(given.first_sample, RATE_HZ)
    ends_s = to_seconds(given.first_sample + given.length, RATE_HZ)
    shift_s = item.start_s - item.source_start_s - to_seconds(given.first_sample - given.source_first, RATE_HZ)
    shift_s = 0.0 if abs(shift_s) < SAME_PLACE_S else shift_s
    head_s = item.start_s - shift_s - begins_s
    tail_s = item.start_s + item.duration_s - shift_s - ends_s
    # forms of whole frames let an item begin up to a frame early and end up to a frame late
    from_s = None if -frame_s < head_s <= SAME_PLACE_S else begins_s + head_s
    to_s = None if -SAME_PLACE_S <= tail_s < frame_s else ends_s + tail_s
    if event.kind == "hits":
        return Piece(shift_s, from_s, to_s)
    return Piece(shift_s, _head_s(from_s, event, begins_s), _tail_s(to_s, event, ends_s))


def _head_s(at_s: float | None, event: SoundEvent, begins_s: float) -> float | None:
    """Return where an event begins now that it is heard from another instant on; None: as it did.

    A sound may lead into its event: what is cut of that alone is cut of no event, and by what its item was drawn out
    its event is drawn out.

    Args:
        at_s: Where it is heard from now; None: from where it was.
        event: The event as it was.
        begins_s: Where it was heard from.
    """
    if at_s is None or begins_s <= at_s <= event.start_s:
        return None
    return at_s if at_s > begins_s else event.start_s - (begins_s - at_s)


def _tail_s(at_s: float | None, event: SoundEvent, ends_s: float) -> float | None:
    """Return where an event ends now that it is heard up to another instant; None: as it did. See `_head_s`."""
    if at_s is None or event.end_s <= at_s <= ends_s:
        return None
    return at_s if at_s < ends_s else event.end_s + (at_s - ends_s)


def _same_gain(one_db: float, other_db: float) -> bool:
    return abs(max(one_db, INAUDIBLE_DB) - max(other_db, INAUDIBLE_DB)) < SAME_GAIN_DB


def _fade_s(now_s: float, was: int, frame_s: float) -> float | None:
    return None if abs(now_s - to_seconds(was, RATE_HZ)) < frame_s else round(now_s, 4)
