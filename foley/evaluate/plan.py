"""How well a plan says what is heard and when, against a truth: before any sound is made.

Every planned sound meets at most one true sound: the pairs are those that share the most of kind and time. A true sound
is found where its partner is of the same kind: of the same class or at least of the same category of the Universal
Category System ("METL" of "METLImpt").

Timing is measured by intersection over union of what each covers: a span or bed its stretch, a hit 50 ms to either
side. Hits that are 20 ms off so share 0.67, hits that are 50 ms off 0.33, and a hit too many costs as much as one that
is missing.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import fmean, median
from typing import Literal

import numpy as np

from foley.evaluate.sync import SyncScore, f_measure
from foley.evaluate.truth import TrueSound, Truth
from foley.model import SoundEvent, SoundPlan, Span

HIT_S = 0.05
"""What a hit covers to either side: the tightest window of the measures of sync."""

HITS_WINDOW_S = 0.1
"""How far a planned hit may lie from a true one to be the same, where hits are counted one by one."""

SAME_EVENT_S = 0.5
"""Two sounds of one kind further apart than this are two events."""

LEAST_SHARE = 0.1
"""Sounds of different kinds are taken for the same event, wrongly named, where they share at least so much time."""

Likeness = Literal["class", "category", "other"]

LIKENESS_VALUE = {"class": 4.0, "category": 2.0, "other": 0.0}
"""What a pair's kind is worth beside the time it shares, which is 1 at most: kind decides first."""

Categories = Callable[[str], frozenset[str]]
"""Gives the UCS CatIDs that a label in words may mean."""


@dataclass(frozen=True, slots=True)
class SoundMatch:
    """A true sound and the planned one that stands for it."""

    label: str
    """Of the true sound."""
    event_id: str
    event_label: str
    likeness: Likeness
    shared: float
    """Intersection over union of what both cover in time, 0 to 1."""
    hits: SyncScore | None
    """Planned hits against true ones at 100 ms; None where either has none."""


@dataclass(frozen=True, slots=True)
class PlanScore:
    """How a plan meets its truth."""

    recall: float
    """Share of the true sounds that are found."""
    precision: float
    """Share of the planned sounds that are true."""
    f_measure: float
    same_class: float
    """Of all pairs, found or wrongly named, the share whose class is the same."""
    same_category: float
    """The share whose category is the same, or better."""
    shared: float
    """Mean intersection over union of the sounds that are found: timestamp IoU; 0 where none is."""
    onsets: SyncScore
    """All planned hits against all true onsets at 100 ms, whatever they are called."""
    matches: tuple[SoundMatch, ...]
    """In the truth's order."""
    missed: tuple[str, ...]
    """Labels of the true sounds that nothing planned stands for."""
    extra: tuple[str, ...]
    """Ids of the planned sounds that stand for nothing true."""


@dataclass(frozen=True, slots=True)
class _Side:
    """A true or a planned sound as it is compared."""

    label: str
    meant: frozenset[str]
    """CatIDs that it is, or may mean."""
    cover: tuple[Span, ...]
    """What it covers in time, rising and apart."""


def compare(plan: SoundPlan, truth: Truth, categories: Categories) -> PlanScore:
    """Return how a plan meets a truth; muted events are not heard and do not count.

    Args:
        plan: The plan.
        truth: What should be heard.
        categories: Reads labels that name no CatID.
    """
    duration_s = float(plan.clip.duration_s)
    events = [event for event in plan.events if not event.muted]
    true = [_Side(s.label, _meant(s.ucs, s.label, categories), _cover(s, duration_s)) for s in truth.sounds]
    planned = [_Side(e.label, _meant(e.ucs, e.label, categories), _event_cover(e)) for e in events]
    pairs = _assigned(true, planned)
    matches = [_match(truth.sounds[row], events[column], likeness, share) for row, column, likeness, share in pairs]
    optional = [truth.sounds[row].optional for row, *_ in pairs]
    wanted = sum(not sound.optional for sound in truth.sounds)
    right = sum(m.likeness != "other" and not free for m, free in zip(matches, optional, strict=True))
    offered = len(events) - sum(m.likeness != "other" and free for m, free in zip(matches, optional, strict=True))
    rows, columns = {row for row, *_ in pairs}, {column for _, column, *_ in pairs}
    found = [match.shared for match in matches if match.likeness != "other"]
    hits_s = sorted(hit.time_s for event in events for hit in event.hits)
    return PlanScore(
        recall=right / wanted if wanted else 0.0,
        precision=right / offered if offered else 0.0,
        f_measure=2 * right / (wanted + offered) if right else 0.0,
        same_class=_share(matches, {"class"}),
        same_category=_share(matches, {"class", "category"}),
        shared=fmean(found) if found else 0.0,
        onsets=f_measure(truth.onsets_s, hits_s, window_s=HITS_WINDOW_S, neutral_s=truth.neutral_s),
        matches=tuple(matches),
        missed=tuple(s.label for row, s in enumerate(truth.sounds) if row not in rows and not s.optional),
        extra=tuple(event.id for column, event in enumerate(events) if column not in columns),
    )


def late_s(match: SoundMatch) -> float | None:
    """Return how late a match's hits are in the median; None without hits."""
    return median(match.hits.offsets_s) if match.hits and match.hits.offsets_s else None


def _share(matches: Sequence[SoundMatch], likenesses: set[str]) -> float:
    return fmean(match.likeness in likenesses for match in matches) if matches else 0.0


def _meant(ucs: str, label: str, categories: Categories) -> frozenset[str]:
    return frozenset({ucs}) if ucs else categories(label)


def _likeness(true: _Side, planned: _Side) -> Likeness:
    if true.meant & planned.meant or true.label.strip().casefold() == planned.label.strip().casefold() != "":
        return "class"
    return "category" if {*map(category, true.meant)} & {*map(category, planned.meant)} else "other"


def category(cat_id: str) -> str:
    """Return the category of a UCS CatID: its capitals but for the one that begins the subcategory.

    >>> category("METLImpt"), category("AMBBird"), category("DOOR")
    ('METL', 'AMB', 'DOOR')
    """
    found = re.match(r"[A-Z]+(?=[A-Z0-9][a-z0-9])", cat_id)
    return found.group() if found else cat_id


def _assigned(true: Sequence[_Side], planned: Sequence[_Side]) -> list[tuple[int, int, Likeness, float]]:
    """Return the pairs (true, planned, likeness, shared time), each sound in one at most, that are worth most."""
    from scipy.optimize import linear_sum_assignment

    worth = np.zeros((len(true), len(planned)))
    known: dict[tuple[int, int], tuple[Likeness, float]] = {}
    starts_s, ends_s = (np.array([getattr(side.cover[at], name) for side in planned]) for at, name in _EDGES)
    for row, side in enumerate(true):
        apart_s = np.maximum(side.cover[0].start_s - ends_s, starts_s - side.cover[-1].end_s)
        for column in np.flatnonzero(apart_s <= SAME_EVENT_S).tolist():
            likeness, share = _likeness(side, planned[column]), shared_time(side.cover, planned[column].cover)
            if likeness != "other" or share >= LEAST_SHARE:
                known[row, column] = likeness, share
                worth[row, column] = 1.0 + LIKENESS_VALUE[likeness] + share
    chosen = zip(*(axis.tolist() for axis in linear_sum_assignment(worth, maximize=True)), strict=True)
    return [(row, column, *known[row, column]) for row, column in chosen if (row, column) in known]


_EDGES = ((0, "start_s"), (-1, "end_s"))
"""Where a cover begins and ends."""


def _match(sound: TrueSound, event: SoundEvent, likeness: Likeness, share: float) -> SoundMatch:
    hits = None
    if sound.times_s and event.hits:
        hits = f_measure(sound.times_s, [hit.time_s for hit in event.hits], window_s=HITS_WINDOW_S)
    return SoundMatch(sound.label, event.id, event.label, likeness, share, hits)


def _cover(sound: TrueSound, duration_s: float) -> tuple[Span, ...]:
    if sound.times_s:
        return _joined([Span(time_s - HIT_S, time_s + HIT_S) for time_s in sound.times_s])
    return (Span(sound.start_s, max(sound.start_s, min(sound.end_s, duration_s))),)


def _event_cover(event: SoundEvent) -> tuple[Span, ...]:
    if event.hits:
        return _joined([Span(hit.time_s - HIT_S, hit.time_s + HIT_S) for hit in event.hits])
    return (Span(event.start_s, event.end_s),)


def _joined(spans: Sequence[Span]) -> tuple[Span, ...]:
    """Return the spans, rising, with those joined that overlap."""
    joined: list[Span] = []
    for span in spans:
        if joined and span.start_s <= joined[-1].end_s:
            joined[-1] = Span(joined[-1].start_s, max(joined[-1].end_s, span.end_s))
        else:
            joined.append(span)
    return tuple(joined)


def shared_time(one: Sequence[Span], other: Sequence[Span]) -> float:
    """Return intersection over union of two sets of spans, each rising and apart; 0 where both are empty.

    >>> round(shared_time([Span(0.95, 1.05)], [Span(0.97, 1.07)]), 2)
    0.67
    """
    both_s, places = 0.0, [0, 0]
    while places[0] < len(one) and places[1] < len(other):
        first, second = one[places[0]], other[places[1]]
        both_s += max(0.0, min(first.end_s, second.end_s) - max(first.start_s, second.start_s))
        places[0 if first.end_s <= second.end_s else 1] += 1
    either_s = sum(span.end_s - span.start_s for span in (*one, *other)) - both_s
    return both_s / either_s if either_s > 0 else 0.0
