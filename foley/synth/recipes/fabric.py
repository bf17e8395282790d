"""Cloth and paper: both follow the intensity, which is how fast they move or tear.

Sources: P. Houle, J. Sethna, "Acoustic emission from crumpling paper", Phys. Rev. E 54, 1996; A. Farnell, "Designing
Sound", 2010. Cloth's spectrum: eight recorded movements.
"""

from __future__ import annotations

from functools import cache

import numpy as np

from foley.synth.excitation import Signal
from foley.synth.finish import character, defaults_of, settled
from foley.synth.recipe import Mono, TextureRecipe
from foley.synth.resonators import resonant_grains
from foley.synth.textures import noise, shower, slow_random, spectrum

SILK = spectrum({60: -14, 200: -4, 450: 0, 900: -6, 2500: -12, 6000: -14, 14000: -24})
CANVAS = spectrum({60: -10, 200: 0, 450: 0, 900: -9, 2500: -21, 6000: -25, 14000: -33})
"""Light and heavy cloth rub."""

TEAR = spectrum({100: -30, 500: -14, 1500: -5, 4000: 0, 8000: -1, 14000: -8, 20000: -18})
"""The hiss of a tear that runs evenly."""


@cache
def _ticks(low_hz: float, high_hz: float, decay_s: float) -> list[Signal]:
    return resonant_grains(character("fibres", low_hz), low_hz, high_hz, quality=(1.0, 3.0), decay_s=decay_s)


def cloth_move(rng: np.random.Generator, intensity: Mono, /, *, weight: float | str = 0.5, **_: float | str) -> Mono:
    """Return clothes on somebody who moves: rubbing that comes in folds, with sparse ticks of seams and creases.

    `weight` 0 is silk, 1 canvas. Faster is brighter: treble grows with the square of the speed.
    """
    heavy_share = min(max(float(weight), 0.0), 1.0)
    count = len(intensity)
    speed = np.clip(intensity.astype(np.float64), 0.0, 1.0)
    folds = np.clip(0.75 + 0.45 * slow_random(rng, count, 5.0, 2), 0.1, None)
    rub = noise(rng, count, CANVAS) * heavy_share**0.5 + noise(rng, count, SILK) * (1.0 - heavy_share) ** 0.5 * speed
    ticks = shower(rng, count, _ticks(500.0, 5000.0, 0.004), rate_hz=120.0, sigma=0.7, curve=speed)
    return settled((rub * folds + 0.2 * ticks), intensity, rms=0.86)


def paper_tear(rng: np.random.Generator, intensity: Mono, /, **_: float | str) -> Mono:
    """Return paper that tears: fibres break one by one, 2600 a second at full speed, over a hiss."""
    count = len(intensity)
    speed = np.clip(intensity.astype(np.float64), 0.0, 1.0)
    catches = np.clip(0.85 + 0.3 * slow_random(rng, count, 8.0, 2), 0.2, 1.5)
    fibres = shower(
        rng,
        count,
        _ticks(1200.0, 9000.0, 0.003),
        rate_hz=2600.0,
        sigma=0.8,
        curve=np.clip(speed * catches, 0.0, 1.0),
    )
    hiss = noise(rng, count, TEAR) * catches
    return settled(0.8 * fibres + 0.6 * hiss, intensity, rms=0.95)


def paper_crumple(rng: np.random.Generator, intensity: Mono, /, **_: float | str) -> Mono:
    """Return paper that is crumpled, or a bag that rustles: 400 snaps a second at full speed, few of them loud."""
    count = len(intensity)
    speed = np.clip(intensity.astype(np.float64), 0.0, 1.0)
    bursts = np.clip(0.6 + 0.5 * slow_random(rng, count, 9.0, 3), 0.05, 1.0)
    snaps = shower(rng, count, _ticks(700.0, 5000.0, 0.010), rate_hz=400.0, sigma=0.9, curve=speed * bursts)
    rustle = noise(rng, count, TEAR) * bursts
    return settled(0.65 * snaps + 0.62 * rustle, intensity, rms=0.72)


RECIPES = (
    TextureRecipe("cloth_move", "fabric", cloth_move, defaults_of(cloth_move), "fitted to recorded cloth"),
    TextureRecipe("paper_tear", "fabric", paper_tear, defaults_of(paper_tear), "fibre breaks: Houle & Sethna 1996"),
    TextureRecipe("paper_crumple", "fabric", paper_crumple, defaults_of(paper_crumple), "Houle & Sethna 1996"),
)
