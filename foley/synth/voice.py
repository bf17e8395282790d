"""Throats: a source that buzzes, and the cavities above it.

Sources: G. Fant, "Acoustic Theory of Speech Production", 1960 (source and filter); G. Peterson, H. Barney, "Control
methods used in a study of the vowels", JASA 24, 1952 (formants).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from foley.synth.excitation import HIGHEST_HZ, Signal, low_passed
from foley.synth.textures import cycles, slow_random
from foley.units import RATE_HZ


@dataclass(frozen=True, slots=True)
class Throat:
    """How a source buzzes."""

    tilt_hz: float
    """Corner above which it falls 6 dB an octave more; 0 leaves it a saw-tooth."""
    jitter: float = 0.008
    """Relative wander of pitch."""
    shimmer: float = 0.10
    """Relative wander of level."""
    rough: float = 0.0
    """Every other period differs, 0 to 1: growls and screams."""


@dataclass(frozen=True, slots=True)
class Formant:
    """One resonance of a throat and mouth."""

    hz: float
    bandwidth_hz: float
    gain: float


def buzz(rng: np.random.Generator, pitch_hz: Signal, throat: Throat) -> Signal:
    """Return the source's sound at a pitch curve, RMS about 1.

    A differentiated parabola is a saw-tooth with little aliasing (V. Valimaki, IEEE Signal Process. Lett. 12, 2005).
    """
    count = len(pitch_hz)
    pitch = pitch_hz * (1 + throat.jitter * slow_random(rng, count, 45.0, 2))
    turn = cycles(pitch) + rng.random()
    ramp = turn - np.floor(turn)
    saw = np.diff(ramp * (ramp - 1), prepend=0.0) / pitch * (RATE_HZ * np.sqrt(3.0))
    saw[0] = 0.0
    if throat.tilt_hz > 0.0:
        saw = low_passed(saw, throat.tilt_hz, 1)
    level = 1 + throat.shimmer * slow_random(rng, count, 25.0, 2)
    if throat.rough > 0.0:
        level = level + throat.rough * np.sin(np.pi * turn + 2 * slow_random(rng, count, 20.0))
        level = level + 0.5 * throat.rough * slow_random(rng, count, 200.0)
    return np.asarray(saw * level, np.float64)


def mouth(source: Signal, formants: tuple[Formant, ...], *, scale: float = 1.0, ring: float = 1.0) -> Signal:
    """Return the source through formants side by side.

    Args:
        source: What buzzes.
        formants: Of a grown throat.
        scale: Above 1 a shorter throat.
        ring: Above 1 a harder one, whose formants are narrower.
    """
    from scipy import signal

    above, below = _formant_filter(formants, scale, ring)
    return np.asarray(signal.lfilter(above, below, source), np.float64)


def _formant_filter(formants: tuple[Formant, ...], scale: float, ring: float) -> tuple[Signal, Signal]:
    """Return the coefficients of resonances side by side, brought over one denominator.

    One filter of order 8 costs a third of four of order 2: what takes time is walking through the sound.
    """
    from scipy import signal

    peaks = []
    for formant in formants:
        quality = max(0.6, ring * formant.hz / formant.bandwidth_hz)
        peaks.append(signal.iirpeak(min(formant.hz * scale, HIGHEST_HZ), quality, fs=RATE_HZ))
    above, below = np.zeros(1), np.ones(1)
    for formant, (b, a) in zip(formants, peaks, strict=True):
        above = np.convolve(above, a) + formant.gain * np.convolve(b, below)
        below = np.convolve(below, a)
    return above, below
