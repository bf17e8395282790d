"""Movements of hands: strokes that follow each other, no two alike."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from foley.synth.excitation import Signal
from foley.synth.textures import control_times_s, stretched


@dataclass(frozen=True, slots=True, eq=False)
class Gestures:
    """Strokes over a stretch of sound."""

    envelope: Signal
    """0 between strokes, up to 1 in them, for every sample."""
    starts_s: Signal
    """When each of them starts; the first may have started before the stretch."""
    lengths_s: Signal
    """How long each takes, with the rest after it."""


def gestures(
    rng: np.random.Generator, samples: int, rate_hz: float, *, busy: float = 0.7, jitter: float = 0.2, late: float = 1.0
) -> Gestures:
    """Return strokes of sin^2 shape and differing strength.

    Args:
        rng: Source of chance.
        samples: Length of the stretch.
        rate_hz: Strokes a second.
        busy: Share of the time in which something moves.
        jitter: Relative spread of their lengths; their strengths spread half as much.
        late: Over 1 a stroke is fastest near its end, under 1 near its start.
    """
    times_s = control_times_s(samples)
    most = int(times_s[-1] * rate_hz / 0.3) + 3  # no gap is under 0.3 of the mean
    lengths_s = np.clip(rng.normal(1.0, jitter, most), 0.3, 2.0) / rate_hz
    starts_s = np.cumsum(lengths_s) - lengths_s - rng.random() * lengths_s[0]
    strengths = np.clip(rng.normal(0.88, 0.5 * jitter, most), 0.4, 1.0)
    which = np.searchsorted(starts_s, times_s, side="right") - 1
    place = (times_s - starts_s[which]) / (busy * lengths_s[which])
    swell = np.sin(np.pi * np.minimum(place, 1.0) ** late) ** 2 * strengths[which]
    used = starts_s < times_s[-1]
    return Gestures(stretched(swell, samples), starts_s[used], lengths_s[used])
