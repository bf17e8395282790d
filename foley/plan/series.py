"""Series of hits that repeat evenly: their period, and what sight missed or doubled put right."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

import numpy as np

from foley.model import Hit, Picture

REGULAR_SHARE, REGULAR_SPREAD = 0.6, 0.2
"""A series is regular where this share of its intervals lies within this share of the median."""

PULL = 0.3
"""How far an instant of a regular series is drawn towards the middle of its neighbours: sight errs by half a frame."""

GOES_ON = 0.75
"""A gap in a regular series is filled where at least this share of what moves at the hits beside it moves in it too: a
step that hides its foot still moves the walker, and a smith who pauses rests."""


def period(times_s: Iterable[float]) -> float | None:
    """Return the period of a series that is regular, None for any other.

    >>> period([0.0, 0.5, 1.02, 1.5, 2.5, 3.0])
    0.5
    """
    intervals = np.diff(np.fromiter(times_s, float))
    if len(intervals) < 3:
        return None
    median = float(np.median(intervals))
    regular = np.abs(intervals - median) <= REGULAR_SPREAD * median
    return round(float(np.median(intervals[regular])), 4) if np.mean(regular) >= REGULAR_SHARE else None


def regular(
    hits: Sequence[Hit], places: Sequence[float], period_s: float, *, picture: Picture
) -> tuple[list[Hit], list[float]]:
    """Return a regular series without doubled hits, with single gaps filled and each hit drawn towards its beat."""
    kept: list[tuple[Hit, float]] = []
    for hit, place in zip(hits, places, strict=True):
        interval_s = hit.time_s - kept[-1][0].time_s if kept else period_s
        if interval_s < period_s / 2:
            kept[-1] = max(kept[-1], (hit, place), key=lambda one: one[0].strength)
            continue
        if abs(interval_s - 2 * period_s) <= REGULAR_SPREAD * period_s and _goes_on(kept[-1][0], hit, picture):
            before = kept[-1][0]
            between = Hit((before.time_s + hit.time_s) / 2, (before.strength + hit.strength) / 2)
            kept.append((between, (kept[-1][1] + place) / 2))
        kept.append((hit, place))
    return _drawn([hit for hit, _ in kept], period_s), [place for _, place in kept]


def _goes_on(before: Hit, after: Hit, picture: Picture) -> bool:
    """Return whether what hits before and after a gap also moves half-way between."""
    reach_s = (after.time_s - before.time_s) / 8  # a quarter of the period
    middle_s = (before.time_s + after.time_s) / 2
    liveliest = [
        float(np.max(picture.motion.level[np.abs(picture.times_s - time_s) <= reach_s], initial=0.0))
        for time_s in (before.time_s, middle_s, after.time_s)
    ]
    return liveliest[1] >= GOES_ON * min(liveliest[0], liveliest[2])


def _drawn(hits: Sequence[Hit], period_s: float) -> list[Hit]:
    """Return hits drawn towards the middle of their neighbours, where both are one period away."""
    times = np.array([hit.time_s for hit in hits])
    drawn = times.copy()
    for place in range(1, len(times) - 1):
        around = np.diff(times[place - 1 : place + 2])
        if np.all(np.abs(around - period_s) <= REGULAR_SPREAD * period_s):
            drawn[place] += PULL * ((times[place - 1] + times[place + 1]) / 2 - times[place])
    return [replace(hit, time_s=float(time)) for hit, time in zip(hits, drawn, strict=True)]
