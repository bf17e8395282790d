"""What the clip's own sound has already is not made a second time: two knocks where one is seen are a fault.

Nobody tells what in the sound is what, so only agreement in time counts, and only where chance does not explain it.
When in doubt the event stays: one sound too many is turned down in a moment, one that is missing must first be noticed.
An event that the production sound has stays in the plan, muted, with the reason: a person can bring it back.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from foley.model import Listening, SoundEvent, Span

LEVEL_STEP_S = 0.1
"""Step of `Listening.level_db`."""

TOGETHER_S = 0.06
"""A hit and an attack nearer than this are one: beyond, an ear hears two (the precedence effect ends near 50 ms)."""

COMMON_LAG_S = 0.15
"""Production sound may be late or early as a whole: sound from 40 m away, a camera's delay, a recoil seen first."""

LAG_STEP_S = 0.01
"""A sixth of what counts as together: no better lag lies between two steps."""

MOST = 0.75
"""So many of the hits must have an attack; a fault of either detector in one of four hits does not undo the rest."""

CHANCE = 0.05
"""An agreement that attacks strewn at random would reach in one case of twenty proves nothing."""

AROUND_S = 5.0
"""How much sound before and after an event it is compared with."""

SPOKEN = 0.5
"""Where a voice covers more of an event than this, nobody can tell by level what else sounds."""

STANDS_OUT_DB = 10.0
"""The level during an event over that around it, where it is the event that is heard: twice as loud."""

THROUGHOUT = 0.9
"""Part of an event's time in which at least half of that must hold."""

STEADY_DB = 2.0
"""Rain, water, motors and wind stray so little from their own running level from one tenth of a second to the next;
music, voices and single noises stray more (middle half of the differences)."""

HEARD_DB = -40.0
"""A steady level under this may be a room's or a recorder's own noise."""

LEAST_STEPS = 10
"""A second: shorter, a level has no course."""

Levels = npt.NDArray[np.float32]
Times = npt.NDArray[np.float64]


def without_doubles(events: Sequence[SoundEvent], listening: Listening) -> tuple[SoundEvent, ...]:
    """Return the events, those muted that the clip's own sound has already; for mixes that keep that sound.

    *hits*: most of them coincide with clear attacks, after one common lag. *span*: the level rises with it and falls
    after it, or, where it lasts the whole clip, lies steadily above noise. *bed*: the level lies steadily above noise.
    What a person has locked, and what is muted already, stays as it is.
    """
    if not listening.has_sound:
        return tuple(events)
    return tuple(_checked(event, listening) for event in events)


def _checked(event: SoundEvent, listening: Listening) -> SoundEvent:
    if event.locked or event.muted:
        return event
    reason = _hits_reason(event, listening) if event.kind == "hits" else _level_reason(event, listening)
    if not reason:
        return event
    because = f"{event.because.rstrip('.')}; muted, as the clip's own sound has it: {reason}."
    return replace(event, muted=True, because=because)


def _hits_reason(event: SoundEvent, listening: Listening) -> str:
    """Return why hits are in the production sound; "" where they are not, or nobody can tell."""
    times = np.array([hit.time_s for hit in event.hits])
    times = times[~_inside(times, listening.speech)]
    if not len(times) or len(times) < 0.5 * len(event.hits):
        return ""
    matched, lag_s = _best_lag(times, listening.onsets_s)
    if matched < MOST * len(times) or _chance(matched, times, listening) > CHANCE:
        return ""
    late = f"{abs(1000 * lag_s):.0f} ms {'after' if lag_s > 0 else 'before'} the picture"
    return f"{matched} of {len(event.hits)} hits have an attack there, {late}"


def _inside(times_s: Times, spans: Sequence[Span]) -> npt.NDArray[np.bool_]:
    """Return for each time whether it lies in one of the spans, which are in order."""
    starts, ends = (np.array([getattr(span, end) for span in spans]) for end in ("start_s", "end_s"))
    begun = np.searchsorted(starts, times_s, side="right")
    return np.asarray(begun > np.searchsorted(ends, times_s, side="right"))


def _best_lag(hits: Times, onsets: Times) -> tuple[int, float]:
    """Return how many hits coincide with an attack of their own, at most, and by how much attacks are then late."""
    steps = round(COMMON_LAG_S / LAG_STEP_S)
    lags = sorted((step * LAG_STEP_S for step in range(-steps, steps + 1)), key=abs)
    best, best_lag_s = 0, 0.0
    for lag_s in lags:  # the smallest first, so that it wins where others do as well
        pairs = _pairs(hits + lag_s, onsets)
        if len(pairs) > best:
            best, best_lag_s = len(pairs), lag_s + float(np.median(pairs))
    return best, best_lag_s


def _pairs(hits: Times, onsets: Times) -> list[float]:
    """Return attack less hit for every pair that is together, each used once, in order of time."""
    found: list[float] = []
    place = 0
    for hit in hits.tolist():
        place += int(np.searchsorted(onsets[place:], hit - TOGETHER_S))
        if place < len(onsets) and onsets[place] <= hit + TOGETHER_S:
            found.append(float(onsets[place]) - hit)
            place += 1
    return found


def _chance(matched: int, hits: Times, listening: Listening) -> float:
    """Return how likely as many attacks, strewn at random, agree as well: a binomial tail, times the lags tried."""
    first_s, last_s = max(0.0, hits[0] - AROUND_S), min(_length_s(listening), hits[-1] + AROUND_S)
    near = np.count_nonzero((listening.onsets_s >= first_s) & (listening.onsets_s < last_s))
    covered = min(1.0, near * 2 * TOGETHER_S / max(last_s - first_s, 2 * TOGETHER_S))
    # lags nearer to each other than what counts as together try nothing new
    tries = 1 + 2 * COMMON_LAG_S / (2 * TOGETHER_S)
    return tries * _tail(matched, len(hits), covered)


def _tail(least: int, count: int, chance: float) -> float:
    """Return how likely at least so many of `count` independent trials succeed; by logarithms, for thousands."""
    if chance <= 0.0 or chance >= 1.0:
        return float(chance >= 1.0 or least == 0)
    wins = range(least, count + 1)
    ways = (math.lgamma(count + 1) - math.lgamma(k + 1) - math.lgamma(count - k + 1) for k in wins)
    logs = (way + k * math.log(chance) + (count - k) * math.log1p(-chance) for k, way in zip(wins, ways, strict=True))
    return sum(math.exp(log) for log in logs)


def _level_reason(event: SoundEvent, listening: Listening) -> str:
    """Return why a sound that lasts is in the production sound; "" where it is not, or nobody can tell."""
    first = max(0, math.floor((event.start_s - AROUND_S) / LEVEL_STEP_S))
    levels = listening.level_db[first : math.ceil((event.end_s + AROUND_S) / LEVEL_STEP_S)]
    times: Times = (np.arange(first, first + len(levels), dtype=np.float64) + 0.5) * LEVEL_STEP_S
    during = (times >= event.start_s) & (times < event.end_s)
    spoken = _inside(times, listening.speech)
    inside, around = levels[during & ~spoken], levels[~during & ~spoken]
    if len(inside) < LEAST_STEPS or len(inside) < (1 - SPOKEN) * np.count_nonzero(during):
        return ""
    if event.kind == "span" and len(around) >= LEAST_STEPS:
        return _standing_out(inside, around)
    return _steady(inside)


def _standing_out(inside: Levels, around: Levels) -> str:
    floor_db = float(np.median(around))
    over_db = float(np.median(inside)) - floor_db
    least_db = float(np.quantile(inside, 1 - THROUGHOUT)) - floor_db
    if over_db < STANDS_OUT_DB or least_db < STANDS_OUT_DB / 2:
        return ""
    return f"its level is {over_db:.0f} dB higher there than before and after"


def _steady(inside: Levels) -> str:
    level_db = float(np.median(inside))
    lower_db, upper_db = np.quantile(np.diff(inside), (0.25, 0.75))
    faintest_db = float(np.quantile(inside, 1 - THROUGHOUT))
    if faintest_db < max(HEARD_DB, level_db - STANDS_OUT_DB) or upper_db - lower_db > STEADY_DB:
        return ""
    return f"it is steady throughout, at {level_db:.0f} dBFS"


def _length_s(listening: Listening) -> float:
    return len(listening.level_db) * LEVEL_STEP_S
