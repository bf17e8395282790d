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
    return np.asarray(most * np.tanh(sound / most), np.float64)
