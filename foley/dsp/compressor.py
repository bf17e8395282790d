"""A gentle compressor as a gain curve: a point at every millisecond, straight between, like the limiter's.

It listens to the power of the last 30 ms, lowers what is over the threshold by its ratio with a soft knee, and goes and
comes at a steady pace, slowly enough that the attack of a hit passes as it is. It never looks ahead.
Source of the knee: D. Giannoulis, M. Massberg, J. Reiss, "Digital Dynamic Range Compressor Design", JAES 60(6), 2012.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Block = npt.NDArray[np.float32]
"""Sound in passing, shape (channels, samples)."""
Curve = npt.NDArray[np.float32]

LISTENING_MS = 30.0
"""Time constant of the power: two waves of 66 Hz, so that the gain does not follow the waves themselves."""
ATTACK_DB_PER_MS = 0.15
"""1 dB in 7 ms: the first milliseconds of a hit, by which it is heard to be hard, keep their level."""
RELEASE_DB_PER_MS = 0.03
"""3 dB in 100 ms: back before the next step."""
_FLOOR = 1e-12
"""Of the power: -120 dB, far under every threshold, and no denormal numbers, which are slow."""
_MS_SAMPLES = 48


@dataclass(frozen=True, slots=True)
class Dynamics:
    """How a bus is compressed."""

    threshold_db: float
    """Mean power of both channels over the last 30 ms, dBFS."""
    ratio: float
    """How many decibels more go in for one more to come out."""
    knee_db: float = 6.0
    """Over how many decibels around the threshold the ratio sets in."""
    most_db: float = 4.0
    """The most that it takes away: gentle means that nobody hears it work."""


class Compressor:
    """Follows a stream and gives its gain, millisecond by millisecond."""

    def __init__(self, how: Dynamics) -> None:
        """Begin with silence before the first sample."""
        self._how = how
        self._power = np.zeros(1)
        self._falling_db = self._gain_db = 0.0

    def add(self, block: Block) -> Curve:
        """Return the gain at the end of each millisecond of the block, shape (milliseconds,); at the start it is 1.

        Args:
            block: Shape (2, samples), in whole milliseconds.
        """
        from scipy.signal import lfilter

        frames = block.reshape(2, -1, _MS_SAMPLES)
        power = np.einsum("cms,cms->m", frames, frames).astype(np.float64) / (2 * _MS_SAMPLES) + _FLOOR
        keep = math.exp(-1.0 / LISTENING_MS)
        heard, self._power = lfilter([1.0 - keep], [1.0, -keep], power, zi=self._power)
        wanted_db = -_reduction_db(10.0 * np.log10(heard), self._how)
        count = np.arange(1, len(wanted_db) + 1)
        # no faster than a slope: the highest line of the attack's, the lowest of the release's, from any point before
        fall, rise = ATTACK_DB_PER_MS * count, RELEASE_DB_PER_MS * count
        falling_db = np.maximum.accumulate(np.maximum(wanted_db + fall, self._falling_db)) - fall
        curve_db = np.minimum.accumulate(np.minimum(falling_db - rise, self._gain_db)) + rise
        if len(count):
            self._falling_db, self._gain_db = float(falling_db[-1]), float(curve_db[-1])
        return np.asarray(np.power(10.0, curve_db / 20.0), np.float32)


def _reduction_db(level_db: npt.NDArray[np.float64], how: Dynamics) -> npt.NDArray[np.float64]:
    over_db, slope = level_db - how.threshold_db, 1.0 - 1.0 / how.ratio
    inside = np.square(np.maximum(over_db + how.knee_db / 2, 0.0)) / (2 * how.knee_db)
    return np.minimum(slope * np.where(over_db < how.knee_db / 2, inside, over_db), how.most_db)
