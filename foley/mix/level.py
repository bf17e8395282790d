"""Find the gain and the limiter curve that bring a sum to its loudness under its ceiling.

The sum is gone through once; what is kept of it is two figures for each millisecond, its weighted power and its peak.
Any gain with any limiter curve can be tried on those without touching the sound again: within 0.1 LU of what the
meter then measures, because a limiter moves slowly against the weighting filter's memory.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import reduce

import numpy as np
import numpy.typing as npt

from foley.dsp.limiter import Curve, limiter_curve, needed_gain
from foley.dsp.loudness import Block, Counted, KWeighting, gated_lufs, steps_within
from foley.dsp.profiles import LoudnessProfile
from foley.dsp.true_peak import Oversampler, highest
from foley.model import Span
from foley.units import RATE_HZ, to_db, to_gain

MS_SAMPLES = RATE_HZ // 1000
_STEP_MS = 100
"""Gating blocks of BS.1770 begin every 100 ms."""

LIMITING_DB = 12.0
"""The most that the limiter may take off a peak: beyond it hits turn to mush, so the target is given up instead."""
HIGHEST_GAIN_DB = 40.0
"""A sum under -63 LUFS is meant to be nearly silent; raising it further would raise its noise."""
CLOSE_ENOUGH_LU = 0.02
_TRIES = 12
_SILENT = 2.0**-24
"""Half a step of 24 bit: below it a file holds only zeros."""


@dataclass(frozen=True, slots=True, eq=False)
class Survey:
    """A sum before its gain, millisecond by millisecond."""

    power: npt.NDArray[np.float32]
    """K-weighted mean square, both channels together, shape (milliseconds,)."""
    peaks: Curve
    """Highest true peak of the sum or sample of any stem, shape (milliseconds,)."""
    counted: Counted | None = None
    """Which steps of 100 ms are spoken, where the loudness of dialogue is what counts, shape (steps,)."""


@dataclass(frozen=True, slots=True, eq=False)
class Level:
    """What brings a sum to its loudness."""

    gain_db: float
    curve: Curve
    """Gain of the limiter at every millisecond, shape (milliseconds + 1,)."""
    expected_lufs: float | None
    notes: tuple[str, ...] = ()


def milliseconds(length: int) -> int:
    """Return how many milliseconds cover `length` samples."""
    return -(-length // MS_SAMPLES)


def survey(blocks: Iterable[Sequence[Block]], *, speech: Sequence[Span] | None = None) -> Survey:
    """Go through a sum once.

    A stem can be louder than the sum where another cancels it: its samples count as peaks, so that it is not clipped.

    Args:
        blocks: The stems of each block, each of shape (2, samples); all but the last in whole milliseconds.
        speech: Where somebody speaks, where the loudness of that alone counts.
    """
    weighting, oversampler = KWeighting(RATE_HZ, 2), Oversampler(2, frame_samples=MS_SAMPLES)
    powers, peaks, alone = [], [], []
    for stems in blocks:
        total = reduce(np.add, stems)
        left, right = np.square(weighting.add(total))
        powers.append((_by_millisecond(left + right).sum(axis=1) / MS_SAMPLES).astype(np.float32))
        peaks.append(highest(oversampler.add(total)))
        alone.append(stem_peaks(stems))
    peaks.append(highest(oversampler.finish()))
    none = np.zeros(0, np.float32)
    power = np.concatenate([none, *powers])
    counted = None if speech is None else steps_within(speech, len(power) // _STEP_MS)
    return Survey(power, np.maximum(np.concatenate(peaks), np.concatenate([none, *alone])), counted)


def stem_peaks(stems: Sequence[Block]) -> Curve:
    """Return the highest sample of any stem for each millisecond, shape (milliseconds,)."""
    loudest = reduce(np.maximum, (np.abs(side) for stem in stems for side in stem))
    return np.asarray(_by_millisecond(loudest).max(axis=1))


def _by_millisecond(values: npt.NDArray[np.floating]) -> npt.NDArray[np.floating]:
    return np.pad(values, (0, -len(values) % MS_SAMPLES)).reshape(-1, MS_SAMPLES)


def level(found: Survey, profile: LoudnessProfile, *, offset_lu: float, margin_db: float) -> Level:
    """Return gain and curve for a sum.

    Args:
        found: The sum.
        profile: What is asked for.
        offset_lu: How much louder the meter read it than was expected, where it was measured before.
        margin_db: How far under the ceiling to stay.
    """
    ceiling_db = profile.ceiling_dbtp - margin_db
    peak_db = to_db(float(found.peaks.max(initial=0.0)))
    if peak_db <= to_db(_SILENT):
        return Level(0.0, np.ones(len(found.peaks) + 1, np.float32), None)
    if profile.target_lufs is None:
        return _at(found, 0.0, ceiling_db)
    target_lufs = profile.target_lufs - offset_lu
    unlimited_lufs = expected_lufs(found, 1.0, np.ones(len(found.peaks) + 1, np.float32))
    if unlimited_lufs is None:
        gain_db = min(profile.short_peak_dbtp - margin_db - peak_db, HIGHEST_GAIN_DB)
        return _at(
            found, gain_db, ceiling_db, "too short or too quiet to have a loudness: its level is set by its peak"
        )
    return _solved(found, target_lufs, ceiling_db, lowest_db=target_lufs - unlimited_lufs, peak_db=peak_db)


def _solved(found: Survey, target_lufs: float, ceiling_db: float, *, lowest_db: float, peak_db: float) -> Level:
    """Return the level at the target, or as near to it as `LIMITING_DB` allows: a bracketed secant search."""
    highest_db = min(ceiling_db + LIMITING_DB - peak_db, HIGHEST_GAIN_DB)
    low = _at_most(found, target_lufs, ceiling_db, gain_db=min(lowest_db, highest_db))
    if _missing(low, target_lufs) <= CLOSE_ENOUGH_LU:
        return low
    high = _at(found, highest_db, ceiling_db)
    if _missing(high, target_lufs) > CLOSE_ENOUGH_LU:
        return Level(high.gain_db, high.curve, high.expected_lufs, (_short_of(high, target_lufs),))
    nearest = high
    for _ in range(_TRIES):
        if abs(_missing(nearest, target_lufs)) <= CLOSE_ENOUGH_LU:
            break
        low, high = (nearest, high) if _missing(nearest, target_lufs) > 0 else (low, nearest)
        low_error, high_error = _missing(low, target_lufs), _missing(high, target_lufs)
        share = np.clip(low_error / (low_error - high_error), 0.1, 0.9)
        nearest = _at(found, low.gain_db + share * (high.gain_db - low.gain_db), ceiling_db)
    return nearest


def _at_most(found: Survey, target_lufs: float, ceiling_db: float, *, gain_db: float) -> Level:
    """Return a level that is not over the target, at a gain or as little under it as will do.

    The gate of -70 LUFS stays where it is: a sum with long fades that is lowered loses its quietest blocks to it, and
    is left a little louder than its gain says.
    """
    tried = _at(found, gain_db, ceiling_db)
    for _ in range(_TRIES):
        missing_lu = _missing(tried, target_lufs)
        if missing_lu >= -CLOSE_ENOUGH_LU:
            break
        tried = _at(found, tried.gain_db + missing_lu, ceiling_db)
    return tried


def _at(found: Survey, gain_db: float, ceiling_db: float, *notes: str) -> Level:
    gain = to_gain(gain_db)
    curve = limiter_curve(needed_gain(found.peaks, to_gain(ceiling_db) / gain))
    return Level(float(gain_db), curve, expected_lufs(found, gain, curve), notes)


def _missing(tried: Level, target_lufs: float) -> float:
    return target_lufs - (tried.expected_lufs if tried.expected_lufs is not None else -np.inf)


def _short_of(tried: Level, target_lufs: float) -> str:
    why = (
        f"more than {HIGHEST_GAIN_DB:.0f} dB of gain"
        if tried.gain_db >= HIGHEST_GAIN_DB
        else f"more than {LIMITING_DB:.0f} dB of limiting"
    )
    return f"{_missing(tried, target_lufs):.1f} LU under {target_lufs:.1f} LUFS: it cannot be reached without {why}"


def expected_lufs(found: Survey, gain: float, curve: Curve) -> float | None:
    """Return the loudness of the sum under a gain and a curve; None where it has none."""
    middle = (curve[:-1] + curve[1:]) * np.float32(gain / 2)
    power = found.power * np.square(middle)
    steps = len(power) // _STEP_MS
    by_step = power[: steps * _STEP_MS].reshape(steps, _STEP_MS).mean(axis=1, dtype=np.float64)
    return gated_lufs(by_step, found.counted)
