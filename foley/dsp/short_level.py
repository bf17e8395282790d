"""How loud a blow is: its loudest hundredth of a second."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from foley.units import SILENCE_DB, to_db, to_samples

WINDOW_S = 0.01
"""The ear's own integration of an attack; the longest wave of a blow goes into it about once."""


def highest_db(samples: npt.NDArray[np.float32], rate_hz: int) -> float:
    """Return the highest RMS of 10 ms in a stretch of sound, all channels together, in dBFS.

    >>> round(highest_db(np.full((1, 1000), 0.5, np.float32), 48_000), 2)
    -6.02

    Args:
        samples: Shape (channels, samples); shorter than 10 ms it is one window.
        rate_hz: Its rate.
    """
    window = min(samples.shape[1], to_samples(WINDOW_S, rate_hz))
    if not window:
        return SILENCE_DB
    power = np.concatenate([[0.0], np.cumsum(np.mean(np.square(samples, dtype=np.float64), axis=0))])
    highest = float((power[window:] - power[:-window]).max()) / window
    return to_db(float(np.sqrt(max(0.0, highest))))
