"""Curves in which instants stand out as peaks: evenly sampled, levelled, with their rhythm."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from foley.dsp.peaks import find_peaks

Curve = npt.NDArray[np.float64]

SMOOTHING_S = 1 / 30
"""A frame's worth: one event seldom falls into one frame alone."""

PEAKS_PER_S = 0.8
"""The level of a curve is the mean of so many of its strongest peaks a second: events in what was tuned on come so."""

LONE_PEAK_SHARE = 1 / 3
"""Yet never less than this share of the strongest: where one thing happens, noise must not be levelled up to it."""

PEAK_DISTANCE_S = 0.2
LOCAL_MEAN_S = 0.5
"""Deviation of the bell that the mean around a peak is taken with."""

SHORTEST_PERIOD_S, LONGEST_PERIOD_S = 0.22, 1.3
"""Of what people beat with their hands, from drumming to slow hammering."""

LOUD_PERCENTILE = 97.0
"""What lies above is cut off before a rhythm is sought, so that one strong event does not hide it."""


@dataclass(frozen=True, slots=True)
class Rhythm:
    """How evenly something repeats."""

    strength: float
    """Autocorrelation at the period, at most 1."""
    period_s: float


@dataclass(frozen=True, slots=True)
class Peak:
    """A place that stands out."""

    position: float
    """In samples of the curve, finer than one."""
    height: float


def evenly(times_s: Curve, values: npt.NDArray[np.floating], step_s: float) -> Curve:
    """Return the values at even steps from the first time to the last: variable rates and dropped repeats end here."""
    count = round(float(times_s[-1] - times_s[0]) / step_s) + 1
    return np.asarray(np.interp(times_s[0] + step_s * np.arange(count), times_s, values), np.float64)


def smooth(curve: Curve, deviation_s: float, step_s: float) -> Curve:
    """Return the curve averaged with a bell."""
    from scipy.ndimage import gaussian_filter1d

    return np.asarray(gaussian_filter1d(curve, deviation_s / step_s), np.float64)


def level(curve: Curve, step_s: float) -> float:
    """Return how high the strongest peaks of a curve stand; 0 where it has none."""
    places = find_peaks(curve, distance=max(1, int(PEAK_DISTANCE_S / step_s)))
    if not len(places):
        return 0.0
    heights = np.sort(curve[places])[::-1]
    strongest = heights[: max(3, int(PEAKS_PER_S * len(curve) * step_s))]
    return max(float(strongest.mean()), LONE_PEAK_SHARE * float(heights[0]))


def peaks(curve: Curve, *, threshold: float, distance_s: float, step_s: float) -> list[Peak]:
    """Return what stands `threshold` above the mean around it, in order; each at the top of a parabola through it."""
    around = smooth(curve, LOCAL_MEAN_S, step_s)
    places = find_peaks(curve, height=around + threshold, distance=max(1, round(distance_s / step_s)))
    return [Peak(summit(curve, int(place)), float(curve[place])) for place in places]


def summit(curve: Curve, place: int) -> float:
    """Return where a curve is highest beside one of its places, at the top of a parabola through it."""
    inner = min(max(place, 2), len(curve) - 3)
    highest = inner - 1 + int(np.argmax(curve[inner - 1 : inner + 2]))
    before, top, after = curve[highest - 1 : highest + 2]
    bend = before - 2 * top + after
    return highest + (0.5 * float(before - after) / float(bend) if bend < -1e-9 else 0.0)


def rhythm(curve: Curve, step_s: float) -> Rhythm:
    """Return the period at which a curve is most like itself."""
    flat = smooth(curve, 1.2 * SMOOTHING_S, step_s)
    flat = np.minimum(flat, np.percentile(flat, LOUD_PERCENTILE))
    flat = flat - flat.mean()
    count = len(flat)
    likeness = np.correlate(flat, flat, "full")[count - 1 :]
    if likeness[0] <= 1e-12:
        return Rhythm(0.0, 0.0)
    likeness = likeness / likeness[0] / (1 - np.arange(count) / count * 0.999)  # fewer pairs at longer lags
    last = min(int(LONGEST_PERIOD_S / step_s), count // 3)
    inner = likeness[1:-1]
    tops = 1 + np.flatnonzero((inner >= likeness[:-2]) & (inner >= likeness[2:]))
    tops = tops[(tops >= int(SHORTEST_PERIOD_S / step_s)) & (tops <= last)]
    if not len(tops):
        return Rhythm(0.0, 0.0)
    best = int(tops[np.argmax(likeness[tops])])
    return Rhythm(float(likeness[best]), best * step_s)
