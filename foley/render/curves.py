"""How intense an event is meant to be from moment to moment, and how sound that knows nothing of it is made so."""

from __future__ import annotations

from bisect import bisect_left, bisect_right

import numpy as np
import numpy.typing as npt

from foley.model import CurvePoint, SoundEvent
from foley.units import RATE_HZ, SILENCE_DB, to_gain, to_seconds

Samples = npt.NDArray[np.float32]

FRAME_S = 0.1
"""Over which a level is taken: as for EBU R 128's shortest steps."""

SLOW_FRAMES = 9
"""A level over 0.9 s is slow: what is quicker, as strokes of a saw, is the sound's own rhythm and stays."""

FLATTENED_DB = 12.0
"""The most that a passage is raised or lowered: a pause raised further would be heard as noise."""

EVEN_DB = -20.0
"""Level that what is flattened gets, whatever it came with: windows of one event then agree."""

STEP_S = 0.005
"""Steps in which a curve is laid on: a jump in it becomes a fade too short to hear and too long to click."""


def intensity_at(event: SoundEvent, times_s: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Return the event's intensity at times on its own timeline; 1 without a curve."""
    if not event.curve:
        return np.ones_like(times_s)
    corners = np.array([(point.time_s, point.level) for point in event.curve])
    return np.asarray(np.interp(times_s, corners[:, 0], corners[:, 1]), dtype=np.float64)


def curve_within(curve: tuple[CurvePoint, ...], start_s: float, end_s: float) -> tuple[CurvePoint, ...]:
    """Return the corners inside a window and one to each side, which say how it runs up to its edges."""
    first = bisect_left(curve, start_s, key=lambda point: point.time_s)
    last = bisect_right(curve, end_s, key=lambda point: point.time_s)
    return curve[max(0, first - 1) : last + 1]


def shaped(samples: Samples, event: SoundEvent, first: int) -> Samples:
    """Return a part of an event's sound as intense as its curve says: flattened, then the curve laid on.

    Args:
        samples: At 48 kHz, shape (channels, samples).
        event: On its own timeline.
        first: Where on it the first sample lies.
    """
    step = round(STEP_S * RATE_HZ)
    steps = np.arange(0, samples.shape[1] + step, step)
    gains = intensity_at(event, to_seconds(first, RATE_HZ) + steps / RATE_HZ)
    curve = np.interp(np.arange(samples.shape[1]), steps, gains).astype(np.float32)
    return flattened(samples) * curve


def flattened(samples: Samples) -> Samples:
    """Return sound at 48 kHz without its own slow rise and fall, at the level `EVEN_DB`."""
    levels = levels_db(samples)
    if not levels.size:
        return samples
    reach = min(SLOW_FRAMES, levels.size) // 2
    power = np.pad(10.0 ** (levels / 10.0), reach, mode="edge")
    width = 2 * reach + 1
    slow = 10.0 * np.log10(np.convolve(power, np.full(width, 1.0 / width), mode="valid"))
    usual = float(np.percentile(slow, 75.0))
    gains_db = np.clip(usual - slow, -FLATTENED_DB, FLATTENED_DB) + EVEN_DB - usual
    frame = round(FRAME_S * RATE_HZ)
    middles = (np.arange(levels.size) + 0.5) * frame
    gain_db = np.interp(np.arange(samples.shape[1]), middles, gains_db)
    return samples * np.power(10.0, gain_db / 20.0).astype(np.float32)


def levels_db(samples: Samples) -> npt.NDArray[np.float64]:
    """Return the level of every whole tenth of a second."""
    frame = round(FRAME_S * RATE_HZ)
    frames = samples[:, : samples.shape[1] // frame * frame].reshape(samples.shape[0], -1, frame)
    power = np.mean(np.square(frames, dtype=np.float64), axis=(0, 2))
    return np.asarray(10.0 * np.log10(np.maximum(power, to_gain(SILENCE_DB) ** 2)), dtype=np.float64)
