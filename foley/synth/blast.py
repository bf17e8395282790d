"""Blast waves: how they begin, and what the way to the listener leaves of them.

Source: F. Friedlander, "The diffraction of sound pulses", Proc. R. Soc. A 186, 1946.
"""

from __future__ import annotations

import math

import numpy as np

from foley.synth.excitation import Signal
from foley.synth.textures import slow_random
from foley.units import RATE_HZ

OVER = 24.0
"""After so many positive phases a blast has gone: -180 dB."""


def saturated(sound: Signal, drive: float) -> Signal:
    """Return what a close microphone, or an ear, makes of a bang: tanh, in 32 bits, as bangs are long."""
    return np.asarray(np.tanh(np.float32(drive) * sound.astype(np.float32)), np.float64)


def lumpy(rng: np.random.Generator, samples: int) -> Signal:
    """Return the gain of what comes in lumps: turbulent gas and its echoes are rougher than Gaussian noise.

    0.3 nepers are 2.6 dB, 250 lumps a second: measured on recorded shots, bands of which swing by a fifth more than
    noise does.
    """
    return np.exp(0.3 * slow_random(rng, samples, 250.0, 2))


def friedlander(positive_s: float, length: int) -> Signal:
    """Return the pressure of a blast wave: exp(-t/t+) (1 - t/t+), at its highest from the first sample.

    >>> friedlander(0.001, 100)[[0, 48]].round(6).tolist()
    [1.0, 0.0]
    """
    heard = min(length, round(OVER * RATE_HZ * positive_s))
    x = np.arange(heard) / (RATE_HZ * positive_s)
    wave = np.zeros(length)
    wave[:heard] = np.exp(-x) * (1 - x)
    return wave


def echo_course(times_s: Signal, late_s: float) -> Signal:
    """Return how an echo comes and goes, at most 1: hillsides and woods lie at many distances, so it has no edge.

    Args:
        times_s: After the bang.
        late_s: When the nearest part of it arrives; it is loudest a third later.
    """
    x = np.maximum(0.0, (times_s - late_s) / (0.33 * late_s))
    return np.asarray(x * np.exp(1.0 - x), np.float64)


def air_corner_hz(near_m: float, distance_m: float) -> float:
    """Return the corner of what air and ground leave of a blast: it falls with the root of the distance.

    Args:
        near_m: Where a blast is heard whole, corner 20 kHz.
        distance_m: Where it is heard.
    """
    return max(300.0, 20_000.0 / math.sqrt(max(distance_m / near_m, 1.0)))
