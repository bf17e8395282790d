"""The voice of water: air bubbles.

Sources: M. Minnaert, Phil. Mag. 16, 1933; K. van den Doel, "Physically based models for liquid sounds", ACM Trans.
Applied Perception 2, 2005; C. Zheng, D. James, "Harmonic fluids", SIGGRAPH 2009.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from foley.products import energy
from foley.synth.excitation import Signal
from foley.synth.textures import clouds, shower
from foley.units import RATE_HZ

RISES_ABOVE = 0.35
"""Depth of bubbles that were drawn in with force, and rise."""


def bubble_hz(radius_m: float) -> float:
    """Return the pitch of an air bubble in water: sqrt(3 gamma p / rho) / (2 pi radius).

    gamma = 1.4, p = 101 325 Pa, rho = 998 kg/m3: fresh water at 20 C.
    Source: M. Minnaert, "On musical air-bubbles and the sounds of running water", Phil. Mag. 16, 1933.

    >>> round(bubble_hz(0.001))
    3287
    """
    return math.sqrt(3 * 1.4 * 101_325 / 998) / (2 * math.pi * radius_m)


def bubble(radius_m: float, *, depth: float = 0.5, rise: float = 0.15) -> Signal:
    """Return one bubble: a damped tone, which rises where the bubble rises to the surface; amplitude ~ r^1.5.

    Damping 0.13/r + 0.0072 r^-1.5 per second (van den Doel 2005).

    Args:
        radius_m: 0.15 mm to 30 mm.
        depth: 0 to 1; deep bubbles are louder, and rise above `RISES_ABOVE`.
        rise: Relative rise of pitch over one time constant.
    """
    damping = 0.13 / radius_m + 0.0072 * radius_m**-1.5
    t_s = np.arange(max(16, int(min(0.25, 6.9 / damping) * RATE_HZ))) / RATE_HZ
    glide = min(rise * damping, 30.0) if depth > RISES_ABOVE else 0.0
    tone = np.sin(2 * np.pi * bubble_hz(radius_m) * t_s * (1 + 0.5 * glide * t_s)) * np.exp(-damping * t_s)
    # a hollow closes in half a period: started at once, the tone would click down to the lowest bass
    closing = min(len(tone), max(2, int(0.5 * RATE_HZ / bubble_hz(radius_m))))
    tone[:closing] *= 0.5 - 0.5 * np.cos(np.linspace(0, np.pi, closing))
    # and cut off where its envelope has not gone yet, it would click as well
    tone[-16:] *= np.linspace(1, 0, 16)
    return np.asarray(tone * (radius_m / 0.003) ** 1.5 * (0.15 + depth), np.float64)


RADII_PER_OCTAVE = 16
"""Of the bubbles that are kept: three quarters of a semitone apart, as finely as such short tones are told apart."""


@lru_cache(maxsize=768)  # 30 MB at most, were all of them large
def _kept(step: int, rise: float, *, rises: bool) -> Signal:
    """Return a bubble of 1 mm times 2^(step / `RADII_PER_OCTAVE`), of unit energy, made once."""
    made = bubble(2.0 ** (step / RADII_PER_OCTAVE) / 1000.0, depth=1.0 if rises else 0.0, rise=rise)
    made /= math.sqrt(energy(made))
    made.flags.writeable = False
    return made


def unit_bubbles(
    rng: np.random.Generator, radii_mm: tuple[float, float], count: int, *, rise: float = 0.15
) -> list[Signal]:
    """Return bubbles of log-uniform radius, each of unit energy, most of them shallow; they are read-only.

    One comes from each of `count` equal parts of the range: no two pools of a size differ in colour.
    """
    low, high = (RADII_PER_OCTAVE * math.log2(radius) for radius in radii_mm)
    places = rng.permutation((np.arange(count) + rng.random(count)) / max(count, 1))
    steps = np.round(low + (high - low) * places).astype(np.int64)
    rises = rng.beta(1, 2.5, count) > RISES_ABOVE
    return [_kept(step, rise, rises=up) for step, up in zip(steps.tolist(), rises.tolist(), strict=True)]


def bubbles(rng: np.random.Generator, radii_mm: tuple[float, float], count: int, *, rise: float = 0.15) -> list[Signal]:
    """Return bubbles as `unit_bubbles` does, but as loud as they are: amplitude goes with r^1.5 and with depth."""
    low, high = np.log(radii_mm)
    radii = np.exp(rng.uniform(low, high, count)) / 1000.0
    depths = rng.beta(1, 2.5, count)
    return [bubble(r, depth=d, rise=rise) for r, d in zip(radii.tolist(), depths.tolist(), strict=True)]


# --- water that runs -------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class BubbleSize:
    """One class of bubbles in running water."""

    radii_mm: tuple[float, float]
    rate_hz: float
    """At full flow."""
    rise: float
    gain: float
    """RMS of all of them at full flow."""


TINY = BubbleSize((0.22, 0.9), 2400, 0.05, 0.55)
SMALL = BubbleSize((0.6, 2.4), 1250, 0.10, 0.75)
LARGE = BubbleSize((2.0, 12.0), 260, 0.25, 0.50)

SMALLEST_CLOUD, LARGEST_CLOUD = 4, 16
"""Bubbles in a cloud: smaller clouds cost more than they save, larger ones would be heard to come back."""

CLOUDS_HZ = 120.0
"""Clouds a second that are aimed at: with 30 ms each, three or four overlap."""


def babble(rng: np.random.Generator, density: Signal, sizes: Sequence[BubbleSize]) -> Signal:
    """Return the bubbles of running water.

    Args:
        rng: Chance.
        density: Share of the full flow, 0 to 1, for every sample; also the length of the sound.
        sizes: Which bubbles. Of the small ones, clouds fall: so dense that only their number is heard.
    """
    sound = np.zeros(len(density))
    for size in sizes:
        pool = unit_bubbles(rng, size.radii_mm, 72, rise=size.rise)
        of = min(LARGEST_CLOUD, int(size.rate_hz / CLOUDS_HZ))
        if of >= SMALLEST_CLOUD:
            pool = clouds(rng, pool, of=of, spread_s=0.03, sigma=0.6)
        grains_hz = size.rate_hz / of if of >= SMALLEST_CLOUD else size.rate_hz
        sound += size.gain * shower(rng, len(density), pool, rate_hz=grains_hz, sigma=0.4, curve=density)
    return sound
