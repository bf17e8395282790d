"""Choose what fills the gaps of a background: only the lost parts of the plan's events, as deep as is asked for."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import get_args

from foley.contracts import Context, stage
from foley.model import CurvePoint, SoundEvent, SoundPlan
from foley.model.dub import Dip, Fill, Filling, Gaps, Lost, Refill
from foley.plan.rounding import rounded

STRONG = 0.7
"""Hits from this strength on tell the story."""
NEAR_M = 5.0
"""What sounds nearer is in the foreground: two steps away, as what people in the picture do."""
SURE = 0.6
"""A sound that nobody named is filled in by itself only where the planner is surer than this."""
HANDLE_S = 0.3
"""A bed is made so much longer than its dip at both ends: its own fades lie outside."""
SEED_STEP = 7919
"""From dip to dip a bed's seed differs by this prime: equal seeds would sound alike in each."""
SEEDS = 2**31

NAMED_BY = ("the prompt", "a caption", "the cue sheet", "the subtitles")
"""What an event's evidence says where a person or a file named it."""


@dataclass(frozen=True, slots=True)
class RefillOptions:
    """How deep the M&E is filled."""

    fill: Fill = "full"
    """full: all that was lost, over room tone; augmented: what is near, and what is strong further off; spot: what
    somebody named, and strong hits."""

    def __post_init__(self) -> None:
        if self.fill not in get_args(Fill):
            raise ValueError(f"fill must be one of {', '.join(get_args(Fill))}, got {self.fill!r}")


@stage(version=1, cached=False)  # it costs nothing
def refill(plan: SoundPlan, gaps: Gaps, opts: RefillOptions, ctx: Context) -> Refill:
    """Return the lost parts of events as a plan of their own, and what each is to match."""
    events = {event.id: event for event in plan.events}
    left_out: list[str] = []
    made: list[tuple[SoundEvent, Filling]] = []
    for lost in gaps.lost:
        event = events[lost.event_id]
        kept = _wanted(event, lost, opts.fill)
        if kept is None:
            left_out.append(f"{event.label} ({event.id}) is lost under speech; {opts.fill} leaves it out")
        else:
            made.append(_part_of(event, kept))
    dips = gaps.dips if opts.fill == "full" else ()
    for number, dip in enumerate(dips):
        made += _ambience(plan, dip, number, besides={lost.event_id for lost in gaps.lost})
    if gaps.dips and not dips:
        left_out.append(f"{len(gaps.dips)} dips of the background stay as they are: {opts.fill} fills no backgrounds")
    made.sort(key=lambda pair: (pair[0].start_s, pair[0].id))
    parts = rounded(replace(plan, events=tuple(event for event, _ in made)))
    return Refill(parts, tuple(filling for _, filling in made), tuple(dips), bool(dips), tuple(left_out))


def _wanted(event: SoundEvent, lost: Lost, fill: Fill) -> Lost | None:
    """Return what of a lost sound is filled at this depth; None for nothing."""
    if fill == "full" or event.locked:
        return lost
    strong = tuple(hit for hit in lost.hits if hit.strength >= STRONG)
    if fill == "augmented":
        if event.bus == "backgrounds":
            return None
        near = event.distance_m <= NEAR_M
        return lost if near else (replace(lost, hits=strong) if strong else None)
    named = any(who in event.because.lower() for who in NAMED_BY)
    if named:
        return lost
    return replace(lost, hits=strong) if strong and event.confidence >= SURE else None


def _part_of(event: SoundEvent, lost: Lost) -> tuple[SoundEvent, Filling]:
    part = event
    if lost.hits:
        tail_s = event.end_s - event.hits[-1].time_s
        part = replace(event, hits=lost.hits, start_s=lost.hits[0].time_s, end_s=lost.hits[-1].time_s + tail_s)
    part = replace(part, gain_db=0.0)
    return part, Filling(part.id, event.id, event.label, "hits", None, lost.level_db, event.gain_db)


def _ambience(plan: SoundPlan, dip: Dip, number: int, *, besides: set[str]) -> Iterator[tuple[SoundEvent, Filling]]:
    """Yield the parts of beds and lasting sounds that lie in a dip."""
    for event in plan.events:
        if event.muted or event.kind == "hits" or event.id in besides:
            continue
        start_s = max(event.start_s, dip.start_s - HANDLE_S)
        end_s = min(event.end_s, dip.end_s + HANDLE_S)
        if end_s <= max(start_s, dip.start_s) or start_s >= dip.end_s:
            continue
        part = replace(
            event,
            id=f"{event.id}@{number + 1}",
            start_s=start_s,
            end_s=end_s,
            curve=_cut(event.curve, start_s, end_s),
            seed=(event.seed + SEED_STEP * number) % SEEDS,
            gain_db=0.0,
            fade_in_s=0.0,
            fade_out_s=0.0,
        )
        yield part, Filling(part.id, event.id, event.label, "ambience", number, None, event.gain_db)


def _cut(curve: tuple[CurvePoint, ...], start_s: float, end_s: float) -> tuple[CurvePoint, ...]:
    """Return a curve between two times, with corners on them."""
    if not curve:
        return ()
    inside = [point for point in curve if start_s < point.time_s < end_s]
    return (CurvePoint(start_s, _at(curve, start_s)), *inside, CurvePoint(end_s, _at(curve, end_s)))


def _at(curve: tuple[CurvePoint, ...], time_s: float) -> float:
    """Return a curve's level at a time: before its first corner and after its last it stays."""
    before = [point for point in curve if point.time_s <= time_s]
    after = [point for point in curve if point.time_s > time_s]
    if not before or not after:
        return (before or after)[-1 if before else 0].level
    left, right = before[-1], after[0]
    return left.level + (right.level - left.level) * (time_s - left.time_s) / (right.time_s - left.time_s)
