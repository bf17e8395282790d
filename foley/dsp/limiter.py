"""Keep peaks under a ceiling with one gain curve that can be applied to any number of stems.

The curve has a point at every millisecond and runs straight between them, so two hours are 29 MB. It is made of what
each millisecond needs: the point between two milliseconds meets the needs of both, so no sample between two points is
too loud. It falls before a peak as fast as `ATTACK_DB_PER_MS` allows. It comes back at once from the top of a hit, so
that its ring keeps its level and the hit gets denser instead of quieter; from what goes on it comes back slowly,
because a gain that moves as fast as the waves of a sound distorts it. All slopes are straight in decibels.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Curve = npt.NDArray[np.float32]

ATTACK_DB_PER_MS = 2.0
"""6 dB in 3 ms: before a hit that is masked, and slow enough that the gain itself adds no peak between samples."""
HOLD_MS = 2
"""How long the gain stays down after a peak before it rises."""
HIT_RELEASE_DB_PER_MS = 1.0
"""6 dB in 6 ms: within the hit itself, where its own noise masks the movement."""
RELEASE_DB_PER_MS = 0.08
"""6 dB in 75 ms: what follows a loud sound comes back before it is missed, without the growl of faster ones."""
TOGETHER_MS = 12
"""Peaks nearer than this are waves of one sound: half a period of 42 Hz."""
GOES_ON_MS = 40
"""What is too loud for longer than this is no mere top of a hit."""
MARGIN_DB = 0.1
"""Room under the ceiling: a gain that moves shifts peaks between samples, by 0.013 dB at most on 400 noises, clicks,
squares and tones up to 30 dB too loud; the rest is for meters with other filters."""
_CHUNK_MS = 1 << 16


def needed_gain(peaks: Curve, ceiling: float) -> Curve:
    """Return the gain that each millisecond needs to stay under the ceiling: at most 1.

    Args:
        peaks: Highest true peak of each millisecond, shape (milliseconds,).
        ceiling: As a factor of full scale.
    """
    return np.asarray(ceiling / np.maximum(peaks, ceiling), np.float32)


def limiter_curve(needed: Curve) -> Curve:
    """Return the gain at every millisecond, shape (milliseconds + 1,), that is never above what any one needs.

    For every m, both curve[m] and curve[m + 1] are at most needed[m].

    >>> limiter_curve(np.ones(3, np.float32)).tolist()
    [1.0, 1.0, 1.0, 1.0]
    """
    if needed.min(initial=1.0) >= 1.0:
        return np.ones(len(needed) + 1, np.float32)
    tops = _moved(needed, HIT_RELEASE_DB_PER_MS)
    return np.minimum(tops, _moved(_lasting(needed), RELEASE_DB_PER_MS), out=tops)


def _lasting(needed: Curve) -> Curve:
    """Return the needs without those that are over within `GOES_ON_MS`."""
    from scipy.ndimage import maximum_filter1d, minimum_filter1d

    together = minimum_filter1d(needed, TOGETHER_MS + 1, mode="nearest")
    # an opening, as image processing calls it: dips narrower than the window are filled, others keep their shape
    filled = maximum_filter1d(together, GOES_ON_MS + 1, mode="nearest")
    return np.asarray(minimum_filter1d(filled, GOES_ON_MS + 1, mode="nearest"))


def _moved(needed: Curve, release_db_per_ms: float) -> Curve:
    """Return the curve that meets all needs with the slopes a gain may have."""
    from scipy.ndimage import minimum_filter1d

    # a point looks at the millisecond after it and at those of the hold before it
    padded = np.append(needed, np.float32(1.0))
    held = minimum_filter1d(padded, HOLD_MS + 1, origin=HOLD_MS // 2, mode="constant", cval=1.0)
    level_db = 20.0 * np.log10(np.maximum(held, np.float32(1e-6)))
    _limit_rise(level_db[::-1], ATTACK_DB_PER_MS)
    _limit_rise(level_db, release_db_per_ms)
    return np.asarray(np.minimum(np.power(np.float32(10.0), level_db / np.float32(20.0)), held), np.float32)


def _limit_rise(level_db: Curve, slope_db: float) -> None:
    """Lower a curve, in place, until it rises nowhere by more than `slope_db` a point."""
    ramp = slope_db * np.arange(_CHUNK_MS)
    before = np.inf
    for first in range(0, len(level_db), _CHUNK_MS):
        part = level_db[first : first + _CHUNK_MS]
        rise = ramp[: len(part)]
        lowest = np.minimum.accumulate(np.minimum(part - rise, before + slope_db))
        part[:] = lowest + rise
        before = float(part[-1])


def gain_between(curve: Curve, first: int, last: int, *, step_samples: int = 48) -> Curve:
    """Return the curve at the samples [first, last), shape (last - first,).

    Each millisecond is computed the same way whatever the block, so results do not depend on block boundaries.

    Args:
        curve: Gain at every millisecond.
        first: First sample.
        last: One past the last sample; at most `step_samples` times the curve's milliseconds.
        step_samples: Samples in a millisecond; 48 at 48 kHz.
    """
    if last <= first:
        return np.zeros(0, np.float32)
    first_ms, last_ms = first // step_samples, -(-last // step_samples)
    points = curve[first_ms : last_ms + 1]
    if (points == points[0]).all():
        return np.full(last - first, points[0], np.float32)
    along = np.arange(step_samples, dtype=np.float32) / np.float32(step_samples)
    gain = points[:-1, None] + (points[1:] - points[:-1])[:, None] * along
    begin = first - first_ms * step_samples
    return np.asarray(gain.reshape(-1)[begin : begin + last - first])
