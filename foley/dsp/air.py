"""What a long way through the air and past what stands there takes from a sound: its highs."""

from __future__ import annotations

import math
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from foley.dsp.filters import Fir, minimum_phase
from foley.units import RATE_HZ

Values = npt.NDArray[np.float64]

TEMPERATURE_K = 293.15
HUMIDITY = 50.0
"""Per cent: a mild day."""
TAPS = 128
"""2.7 ms: a curve that falls as smoothly as this one needs no more."""

_BANDS_HZ = (63.0, 125.0, 250.0, 500.0, 1000.0, 2000.0, 4000.0, 8000.0)
_FOLIAGE_DB_PER_M = (0.02, 0.03, 0.04, 0.05, 0.06, 0.08, 0.09, 0.12)
"""ISO 9613-2:1996, Annex A, table A.1: through foliage, for 20 to 200 m."""
_FOLIAGE_M = 200.0
"""The standard counts no more than this."""


def air_db_per_m(frequency_hz: Values) -> Values:
    """Return what the air itself absorbs at 20 C, 50 % humidity and normal pressure.

    Oxygen and nitrogen relax at f_O and f_N: ISO 9613-1:1993, equations (3) to (5) and (B.1) to (B.3).

    >>> [round(1000 * float(air_db_per_m(np.array(f))), 1) for f in (1000.0, 4000.0, 8000.0)]
    [4.7, 29.7, 105.3]
    """
    t = TEMPERATURE_K
    vapour = HUMIDITY * 10 ** (4.6151 - 6.8346 * (273.16 / t) ** 1.261)
    oxygen_hz = 24 + 4.04e4 * vapour * (0.02 + vapour) / (0.391 + vapour)
    nitrogen_hz = 9 + 280 * vapour  # the factors of temperature are 1 at 20 C
    square = np.square(frequency_hz)
    relaxing = 0.01275 * math.exp(-2239.1 / t) / (oxygen_hz + square / oxygen_hz)
    relaxing = relaxing + 0.1068 * math.exp(-3352.0 / t) / (nitrogen_hz + square / nitrogen_hz)
    return np.asarray(8.686 * square * (1.84e-11 + relaxing))


def obstacle_db(frequency_hz: Values, way_m: float) -> Values:
    """Return what stands in the way takes more from a frequency than from the lowest octave.

    The figures are those of foliage, which lie between an open field and a wall. The lowest octave's own loss is left
    out: level is what `distance_m` decides.
    """
    per_m = np.interp(np.log2(np.maximum(frequency_hz, 1.0)), np.log2(_BANDS_HZ), _FOLIAGE_DB_PER_M)
    return np.asarray((per_m - _FOLIAGE_DB_PER_M[0]) * min(way_m, _FOLIAGE_M))


@lru_cache(maxsize=64)
def far_filter(way_m: float) -> Fir:
    """Return the low-pass of a way of so many metres: level 1 at the lowest frequencies, of minimum phase."""
    frequency_hz = np.linspace(0.0, RATE_HZ / 2, 1025)
    loss_db = air_db_per_m(frequency_hz) * way_m + obstacle_db(frequency_hz, way_m)
    taps = minimum_phase(-loss_db, TAPS)
    return Fir(taps / taps.sum())
