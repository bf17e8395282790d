"""Bring what an editor did to sounds on a timeline back into the plan: moved, trimmed, cut out, louder, faded.

Every edit is told against the event as it was exported, so that the same timeline may be brought back again and again,
and says the same each time. What a person did is locked.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from foley.model import CurvePoint, Hit, PanPoint, SoundEvent, SoundPlan
from foley.plan.rounding import rounded
from foley.units import clock

TOUCHING_S = 0.001
"""Pieces nearer than this touch: nobody hears a gap of a millisecond."""

Corner = tuple[float, float]
"""Time and value: of a curve or a path."""


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch of an event that is heard, and by how much it was moved."""

    shift_s: float = 0.0
    from_s: float | None = None
    """Where it begins, by the event's time before the edit; None: as it did."""
    to_s: float | None = None


@dataclass(frozen=True, slots=True)
class EventEdit:
    """What was done to one event; what is None stays as the plan has it."""

    event_id: str
    pieces: tuple[Piece, ...] | None = None
    """What is heard of it, and when; nothing where it was taken out."""
    gain_db: float | None = None
    fade_in_s: float | None = None
    fade_out_s: float | None = None


def apply(
    plan: SoundPlan, edits: Sequence[EventEdit], *, before: Mapping[str, SoundEvent]
) -> tuple[SoundPlan, tuple[str, ...]]:
    """Return the edited plan, and what changed in words.

    Args:
        plan: The plan as it is now; what an edit is not about stays as it is there.
        edits: At most one for an event.
        before: The events as they were exported, by id.
    """
    by_id = {edit.event_id: edit for edit in edits}
    duration_s = float(plan.clip.duration_s)
    events, said = [], []
    for event in rounded(plan).events:
        edit = by_id.get(event.id)
        if edit is None or event.id not in before:
            events.append(event)
            continue
        made, notes = _edited(event, edit, before=before[event.id], duration_s=duration_s)
        said += [f"{event.id} ({event.label}): {note}" for note in notes]
        events.append(made)
    if not said:
        return plan, ()
    events.sort(key=lambda event: event.start_s)
    return rounded(replace(plan, events=tuple(events))), tuple(said)


def _edited(
    event: SoundEvent, edit: EventEdit, *, before: SoundEvent, duration_s: float
) -> tuple[SoundEvent, tuple[str, ...]]:
    """Return the event with its edit, and what changed; the event itself where nothing does."""
    timed, refused = (event, ()) if edit.pieces is None else _timed(before, edit.pieces, duration_s)
    made = replace(
        event,
        start_s=timed.start_s,
        end_s=timed.end_s,
        hits=timed.hits,
        curve=timed.curve,
        path=timed.path,
        muted=timed.muted,
        gain_db=event.gain_db if edit.gain_db is None else edit.gain_db,
        fade_in_s=event.fade_in_s if edit.fade_in_s is None else edit.fade_in_s,
        fade_out_s=event.fade_out_s if edit.fade_out_s is None else edit.fade_out_s,
    )
    made = _rounded_like(made, event)
    changes = (*_changes(event, made), *refused)
    return (replace(made, locked=True) if made != event else event), changes


def _rounded_like(made: SoundEvent, event: SoundEvent) -> SoundEvent:
    """Return an event with numbers as a plan's file has them; what is as it was stays so to the last digit."""
    return replace(
        made,
        start_s=_near(made.start_s, event.start_s),
        end_s=_near(made.end_s, event.end_s),
        hits=event.hits if _same_hits(made.hits, event.hits) else made.hits,
        gain_db=_near(round(made.gain_db, 2), event.gain_db),
        fade_in_s=_near(made.fade_in_s, event.fade_in_s),
        fade_out_s=_near(made.fade_out_s, event.fade_out_s),
    )


def _near(value: float, known: float) -> float:
    return known if abs(value - known) < _STEP else round(value, 4)


_STEP = 0.5e-4
"""Half of what a plan's file tells apart."""


def _same_hits(hits: Sequence[Hit], known: Sequence[Hit]) -> bool:
    return len(hits) == len(known) and all(
        abs(one.time_s - other.time_s) < 2 * _STEP for one, other in zip(hits, known, strict=True)
    )


def _timed(before: SoundEvent, pieces: Sequence[Piece], duration_s: float) -> tuple[SoundEvent, tuple[str, ...]]:
    """Return the event as exported where its pieces put it, and what of them could not be followed."""
    if not pieces:
        return replace(before, muted=True), ()
    whole = _joined(pieces)
    if before.kind == "hits":
        return _timed_hits(before, whole, duration_s)
    if len(whole) > 1:
        told = f"was cut into {len(whole)} pieces that do not touch: a {before.kind} stays whole, as it was"
        return replace(before, muted=False), (told,)
    return _timed_stretch(before, whole[0], duration_s), ()


def _joined(pieces: Sequence[Piece]) -> list[Piece]:
    """Return pieces by time, those joined that only a razor parted."""
    found: list[Piece] = []
    for piece in sorted(pieces, key=lambda one: -1.0 if one.from_s is None else one.from_s):
        last = found[-1] if found else None
        if last and _touch(last, piece) and abs(last.shift_s - piece.shift_s) < TOUCHING_S:
            found[-1] = replace(last, to_s=piece.to_s)
        else:
            found.append(piece)
    return found


def _touch(last: Piece, piece: Piece) -> bool:
    return last.to_s is None or piece.from_s is None or piece.from_s - last.to_s < TOUCHING_S


def _timed_hits(before: SoundEvent, pieces: Sequence[Piece], duration_s: float) -> tuple[SoundEvent, tuple[str, ...]]:
    """Return the event with the hits that are still heard: each moves with its piece."""
    moved = (
        replace(hit, time_s=hit.time_s + piece.shift_s) for piece in pieces for hit in before.hits if _in(hit, piece)
    )
    hits = tuple(sorted((hit for hit in moved if 0.0 <= hit.time_s <= duration_s), key=lambda hit: hit.time_s))
    if not hits:
        return replace(before, muted=True), ("none of its hits is left: muted",)
    led_in_s = before.hits[0].time_s - before.start_s
    rings_s = before.end_s - before.hits[-1].time_s
    start_s, end_s = max(0.0, hits[0].time_s - led_in_s), min(duration_s, hits[-1].time_s + rings_s)
    return _over(replace(before, hits=hits), start_s, end_s, by_s=pieces[0].shift_s), ()


def _in(hit: Hit, piece: Piece) -> bool:
    begins = piece.from_s is None or hit.time_s >= piece.from_s - TOUCHING_S
    return begins and (piece.to_s is None or hit.time_s < piece.to_s)


def _timed_stretch(before: SoundEvent, piece: Piece, duration_s: float) -> SoundEvent:
    """Return a span or bed where its only piece puts it; what would lie outside the film is cut off."""
    start_s = (before.start_s if piece.from_s is None else piece.from_s) + piece.shift_s
    end_s = (before.end_s if piece.to_s is None else piece.to_s) + piece.shift_s
    start_s, end_s = max(0.0, start_s), min(duration_s, end_s)
    if end_s - start_s < TOUCHING_S:
        return replace(before, muted=True)
    return _over(before, start_s, end_s, by_s=piece.shift_s)


def _over(event: SoundEvent, start_s: float, end_s: float, *, by_s: float) -> SoundEvent:
    """Return an event that is heard over a stretch, its curve and its path moved and cut to it."""
    curve = _cut([(point.time_s + by_s, point.level) for point in event.curve], start_s, end_s)
    path = _cut([(point.time_s + by_s, point.pan) for point in event.path], start_s, end_s)
    return replace(
        event,
        start_s=start_s,
        end_s=end_s,
        curve=tuple(CurvePoint(*corner) for corner in curve),
        path=tuple(PanPoint(*corner) for corner in path),
        muted=False,
    )


def _cut(corners: Sequence[Corner], start_s: float, end_s: float) -> Iterator[Corner]:
    """Yield the corners of a line inside a stretch, with new ones where it is cut off."""
    if not corners:
        return
    if corners[0][0] < start_s:
        yield start_s, _value_at(corners, start_s)
    yield from (corner for corner in corners if start_s <= corner[0] <= end_s)
    if corners[-1][0] > end_s:
        yield end_s, _value_at(corners, end_s)


def _value_at(corners: Sequence[Corner], time_s: float) -> float:
    for (left_s, left), (right_s, right) in pairwise(corners):
        if left_s <= time_s <= right_s and right_s > left_s:
            return left + (time_s - left_s) / (right_s - left_s) * (right - left)
    return corners[0][1] if time_s < corners[0][0] else corners[-1][1]


def _changes(old: SoundEvent, new: SoundEvent) -> Iterator[str]:
    """Yield in words what became of an event."""
    if new.muted != old.muted:
        yield "muted" if new.muted else "heard again"
    if new.muted:
        return
    yield from _time_changes(old, new)
    if new.gain_db != old.gain_db:
        yield f"gain {new.gain_db:+.2f} dB (was {old.gain_db:+.2f})"
    for edge, now_s, was_s in (("in", new.fade_in_s, old.fade_in_s), ("out", new.fade_out_s, old.fade_out_s)):
        if now_s != was_s:
            yield f"fade {edge} {now_s:.3f} s (was {was_s:.3f})"


def _time_changes(old: SoundEvent, new: SoundEvent) -> Iterator[str]:
    if len(new.hits) != len(old.hits):
        yield f"{len(new.hits)} hits (were {len(old.hits)})"
    head_s, tail_s = new.start_s - old.start_s, new.end_s - old.end_s
    if abs(head_s) < 2 * _STEP and abs(tail_s) < 2 * _STEP:
        if len(new.hits) == len(old.hits) and new.hits != old.hits:
            yield "some of its hits moved"
        return
    if abs(head_s - tail_s) < TOUCHING_S and len(new.hits) == len(old.hits):
        yield f"moved {abs(head_s):.3f} s {'later' if head_s > 0 else 'earlier'}, to {clock(new.start_s)}"
    else:
        yield f"from {clock(new.start_s)} to {clock(new.end_s)} (was {clock(old.start_s)} to {clock(old.end_s)})"
