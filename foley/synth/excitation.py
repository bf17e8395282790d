"""What sets things sounding: contact pulses, bursts of noise, stick and slip, bounces, the force of a foot.

Everything is at 48 kHz, mono, float64 while it is being computed; recipes hand out float32.
"""

from __future__ import annotations

import math
from functools import cache
from typing import Literal

import numpy as np
import numpy.typing as npt

from foley.units import RATE_HZ, to_samples

Signal = npt.NDArray[np.float64]
"""One channel at 48 kHz, or one value for each of several modes."""

DECAY_60_DB = math.log(1000.0)
"""Neper in 60 dB: exp(-DECAY_60_DB * t / t60) is the envelope of what dies away in t60."""

HIGHEST_HZ = 0.45 * RATE_HZ
"""No filter corner lies above this: bilinear filters go wrong next to half the rate."""


_DECAY_BLOCK = 256


def length_samples(duration_s: float) -> int:
    """Return how many samples a sound of this duration has, at least one."""
    return max(1, to_samples(duration_s, RATE_HZ))


def decay(length: int, t60_s: float) -> Signal:
    """Return an envelope that starts at 1 and falls by 60 dB in `t60_s`."""
    rate = -DECAY_60_DB / (t60_s * RATE_HZ)
    if length <= _DECAY_BLOCK:
        return np.asarray(np.exp(np.arange(length) * rate), np.float64)
    # exp(256 m + k) is a product: two short tables cost a third of as many exponentials as there are samples
    blocks = np.exp(np.arange(-(-length // _DECAY_BLOCK)) * (_DECAY_BLOCK * rate))
    fine = np.exp(np.arange(_DECAY_BLOCK) * rate)
    return np.asarray(np.multiply.outer(blocks, fine).ravel()[:length], np.float64)


def low_passed(samples: Signal, corner_hz: float, order: Literal[1, 2] = 2) -> Signal:
    """Return the sound below a corner (Butterworth, causal: nothing is heard before its cause)."""
    return filtered(samples, butterworth(corner_hz, order, high=False))


def high_passed(samples: Signal, corner_hz: float, order: Literal[1, 2] = 2) -> Signal:
    """Return the sound above a corner (Butterworth, causal)."""
    return filtered(samples, butterworth(corner_hz, order, high=True))


Section = tuple[list[float], list[float]]
"""Numerator and denominator of a filter, in powers of 1/z."""


def filtered(samples: Signal, *sections: Section) -> Signal:
    """Return the sound through filters one after another, in one pass: going through a sound is what takes time."""
    from scipy import signal

    b, a = sections[0]
    for more_b, more_a in sections[1:]:
        b, a = _product(b, more_b), _product(a, more_a)
    return np.asarray(signal.lfilter(b, a, samples), np.float64)


def _product(first: list[float], second: list[float]) -> list[float]:
    result = [0.0] * (len(first) + len(second) - 1)
    for i, x in enumerate(first):
        for j, y in enumerate(second):
            result[i + j] += x * y
    return result


def butterworth(corner_hz: float, order: Literal[1, 2], *, high: bool) -> Section:
    """Return a filter with its coefficients written out: a general design takes longer than filtering a short sound.

    Bilinear transform of 1/(s + 1) and 1/(s^2 + sqrt(2) s + 1) with k = tan(pi f / rate).
    """
    k = math.tan(math.pi * min(corner_hz, HIGHEST_HZ) / RATE_HZ)
    if order == 1:
        norm = 1.0 + k
        b = [1.0 / norm, -1.0 / norm] if high else [k / norm, k / norm]
        return b, [1.0, (k - 1.0) / norm]
    norm = 1.0 + math.sqrt(2.0) * k + k * k
    scale = (1.0 if high else k * k) / norm
    b = [scale, -2.0 * scale if high else 2.0 * scale, scale]
    return b, [1.0, 2.0 * (k * k - 1.0) / norm, (1.0 - math.sqrt(2.0) * k + k * k) / norm]


def shelf(gain: float, corner_hz: float) -> Section:
    """Return a first-order shelf that scales what lies above a corner: exact at a gain of 1."""
    b, a = butterworth(corner_hz, 1, high=False)
    return [gain * x + (1.0 - gain) * y for x, y in zip(a, b, strict=True)], a


def contact_time_s(hard_contact_s: float, hardness: float, strength: float) -> float:
    """Return how long two bodies touch: soft tips and slow blows touch longer, and so sound darker.

    Hertz contact gives tau ~ (m^2 / (R E^2 v))^(1/5). The exponent used is -0.35 in place of -0.2 because a weaker blow
    also brings less of the tip to bear: measured on struck metal and stone, the spectral centroid doubles from a
    strength of 0.15 to 1, which -0.2 does not give.

    Source: K. Hunt, F. Crossley, "Coefficient of restitution interpreted as damping in vibroimpact", J. Appl. Mech. 42,
    1975; K. van den Doel, D. Pai, "The sounds of physical shapes", Presence 7, 1998.

    Args:
        hard_contact_s: For a hard tip at strength 1.
        hardness: 1 a hammer, 0 a soft mallet, which touches 15 times as long.
        strength: 0 to 1.

    >>> round(contact_time_s(1e-4, 1.0, 1.0), 6), contact_time_s(1e-4, 0.5, 0.2) > contact_time_s(1e-4, 1.0, 0.2)
    (0.0001, True)
    """
    softness = 1.0 - hardness
    return hard_contact_s * (1.0 + 14.0 * softness * softness) * float(max(strength, 0.05) ** -0.35)


def hertz_pulse(duration_s: float) -> Signal:
    """Return the force of one contact: a half sine to the power 3/2, of area 1.

    The power is Hertz's F = k x^1.5 with x near a half sine. At least 3 samples long.
    """
    length = max(3, int(duration_s * RATE_HZ))
    pulse = np.sin(np.pi * np.arange(1, length + 1) / (length + 1)) ** 1.5
    return np.asarray(pulse / pulse.sum(), np.float64)


def hertz_gain(frequency_hz: Signal, duration_s: float) -> Signal:
    """Return how strongly a contact excites each frequency: the spectrum of a half sine, 1 at 0 Hz.

    The notches of the ideal pulse are filled to a tenth: no real contact is exactly symmetrical.
    """
    x = 2.0 * np.asarray(frequency_hz, np.float64) * duration_s
    gap = 1.0 - x * x
    ideal = np.abs(np.cos(np.pi * x / 2.0) / np.where(np.abs(gap) < 1e-3, 1e-3, gap))
    return np.asarray(0.9 * np.minimum(ideal, 1.0) + 0.1 / (1.0 + x * x), np.float64)


STORE_SAMPLES = 1 << 18
"""Of white noise, 5.5 s: a hit takes a piece that begins anywhere in it; drawing it anew costs ten times as much."""


def white(rng: np.random.Generator, length: int) -> Signal:
    """Return white Gaussian noise of RMS 1 for what dies away; it is read-only."""
    if length > STORE_SAMPLES // 4:
        return rng.standard_normal(length)
    first = int(rng.integers(STORE_SAMPLES - length))
    return _stored_white()[first : first + length]


@cache
def _stored_white() -> Signal:
    stored = np.random.default_rng(STORE_SAMPLES).standard_normal(STORE_SAMPLES)
    stored.flags.writeable = False
    return stored


def noise_burst(rng: np.random.Generator, t60_s: float, *, low_hz: float, high_hz: float) -> Signal:
    """Return noise between two corners (6 dB an octave) that starts at once, dies away in `t60_s`, and peaks at 1.

    This is the crackle of micro-collisions while rough surfaces meet: without it modal sounds are 20 to 40 dB too dark
    above 2 kHz in their first 20 ms.
    """
    length = length_samples(t60_s)
    burst = white(rng, length) * decay(length, t60_s)
    burst = filtered(burst, butterworth(high_hz, 1, high=False), butterworth(low_hz, 1, high=True))
    return np.asarray(burst / (np.abs(burst).max() + 1e-12), np.float64)


def rough_burst(rng: np.random.Generator, t60_s: float, *, centre_hz: float, octaves: float) -> Signal:
    """Return a burst like `noise_burst` whose band is given by its centre and width."""
    half = 2.0 ** (octaves / 2.0)
    return noise_burst(rng, t60_s, low_hz=centre_hz / half, high_hz=centre_hz * half)


def slips(rng: np.random.Generator, rate_hz: Signal, jitter: float) -> npt.NDArray[np.intp]:
    """Return the samples at which a stuck joint slips, about `rate_hz` times a second (0: it stays stuck).

    Between two slips the phase runs at the rate times a random factor: friction is never periodic.

    Args:
        rng: Source of chance.
        rate_hz: Shape (samples,).
        jitter: Relative spread of the gaps.
    """
    phase = np.cumsum(rate_hz) / RATE_HZ
    gaps = np.maximum(0.2, rng.normal(1.0, jitter, 2 * int(phase[-1]) + 8))
    marks = rng.random() + np.cumsum(gaps)
    return np.unique(np.searchsorted(phase, marks[marks < phase[-1]]))


def bounces(rng: np.random.Generator, first_gap_s: float, restitution: float, most: int) -> tuple[Signal, Signal]:
    """Return when a dropped thing touches down (s, from 0) and how hard (from 1).

    Each bounce keeps `restitution` of the speed, so gaps and blows shrink by the same factor: v' = e v, gap = 2 v / g.
    The factor wavers by 15 %: what falls is not a ball.
    """
    keep = np.clip(restitution * (1.0 + rng.normal(0.0, 0.15, most)), 0.05, 0.9)
    speed = np.concatenate([[1.0], np.cumprod(keep)[:-1]])
    times = np.concatenate([[0.0], np.cumsum(first_gap_s * speed)[:-1]])
    return times, speed


def ground_force(length: int, run: float, push: float = 0.85) -> Signal:
    """Return the force under one foot over its stance, peak about 1: heel and toe humps, or one hump when running.

    Humps at 22 % and 72 % of the stance, the second weaker: the vertical ground reaction force of a healthy gait.

    Source: P. Cook, "Modeling Bill's gait", AES 22nd Int. Conf., 2002; A. Farnell, "Designing Sound", 2010.

    Args:
        length: Stance in samples.
        run: 0 walking to 1 running.
        push: Height of the toe's hump re the heel's.
    """
    t = np.linspace(0.0, 1.0, length)
    walking = np.exp(-(((t - 0.22) / 0.13) ** 2)) + push * np.exp(-(((t - 0.72) / 0.14) ** 2))
    running = np.sin(np.pi * t) ** 1.2
    return np.asarray((1.0 - run) * walking + run * running, np.float64)
