"""How loud the loudest of many grains may be."""

from __future__ import annotations

import numpy as np

from foley.synth.excitation import Signal


def bent(sound: Signal, most: float) -> Signal:
    """Return the sound bent towards `most`: in what crackles a lone grain must not tower over the rest.

    Grains of log-normal level are now and then 20 times as loud as usual; ears and microphones bend such peaks too.

    >>> bent(np.array([0.1, 30.0]), 4.0).round(2).tolist()
    [0.1, 4.0]
    """
    # in single precision: a fifth of the time, and an error of -130 dB
    return np.asarray(most * np.tanh((sound / most).astype(np.float32)), np.float64)
