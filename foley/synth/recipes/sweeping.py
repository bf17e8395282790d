"""Bristles on a surface: broom, brush, toothbrush; the intensity is the speed of the strokes.

Source: K. van den Doel, P. Kry, D. Pai, "FoleyAutomatic: physically-based sound effects for interactive simulation and
animation", SIGGRAPH 2001 (surface noise read at the speed of contact).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np

from foley.synth.excitation import Signal
from foley.synth.finish import character, choice, defaults_of, number, settled
from foley.synth.gestures import gestures
from foley.synth.recipe import Mono, TextureRecipe
from foley.synth.resonators import resonant_grains
from foley.synth.textures import Spectrum, noise, shower, slow_random, spectrum


@dataclass(frozen=True, slots=True)
class Bristles:
    """A kind of brush."""

    slow: Spectrum
    fast: Spectrum
    """What comes on top with speed."""
    tick_hz: tuple[float, float]
    """Range in which single bristles and what they move answer."""
    ticks_hz: float
    """Ticks a second at full speed."""
    ticks: float
    """Level of them re the rubbing."""
    rms: float
    """Measured over minutes at intensity 1."""


BRISTLES = {
    "broom": Bristles(
        slow=spectrum({80: -20, 300: -9, 900: -2, 2200: 0, 5000: -6, 12000: -20}),
        fast=spectrum({150: -24, 800: -8, 2500: 0, 6000: -1, 12000: -9}),
        tick_hz=(900.0, 7000.0),
        ticks_hz=700.0,
        ticks=0.55,
        rms=0.659,
    ),
    "brush": Bristles(
        slow=spectrum({80: -26, 400: -10, 1500: 0, 4000: -2, 9000: -12, 16000: -24}),
        fast=spectrum({200: -28, 1200: -6, 3500: 0, 8000: -3, 14000: -12}),
        tick_hz=(1800.0, 8000.0),
        ticks_hz=900.0,
        ticks=0.35,
        rms=0.622,
    ),
    "mop": Bristles(
        slow=spectrum({60: -12, 200: 0, 600: -2, 1800: -10, 5000: -22, 12000: -36}),
        fast=spectrum({80: -16, 300: -4, 900: 0, 2500: -6, 7000: -18}),
        tick_hz=(400.0, 2500.0),
        ticks_hz=150.0,
        ticks=0.5,
        rms=0.641,
    ),
    "rake": Bristles(
        slow=spectrum({100: -24, 500: -9, 1800: -1, 4000: 0, 9000: -6, 16000: -18}),
        fast=spectrum({150: -26, 1000: -6, 3000: 0, 7000: 0, 14000: -8}),
        tick_hz=(700.0, 8000.0),
        ticks_hz=320.0,
        ticks=1.2,
        rms=0.775,
    ),
}
"""By the value of `kind`: on a rough floor, on hair or teeth, wet, through leaves."""


@cache
def _ticks(kind: str) -> list[Signal]:
    low, high = BRISTLES[kind].tick_hz
    return resonant_grains(character(f"bristles of a {kind}", 0), low, high, quality=(1.0, 3.0), decay_s=0.005)


def broom(
    rng: np.random.Generator,
    intensity: Mono,
    /,
    *,
    kind: float | str = "broom",
    rate_hz: float | str = 1.2,
    **_: float | str,
) -> Mono:
    """Return strokes of bristles: each gathers speed, hisses, and flicks off at its end.

    `kind` is broom, brush, mop or rake; `rate_hz` is how many strokes are made in a second, 0.3 to 8.
    """
    bristles = choice(BRISTLES, kind, "kind")
    count = len(intensity)
    strokes = gestures(rng, count, number(rate_hz, 0.3, 8.0, "rate_hz"), busy=0.85, jitter=0.2, late=1.5)
    speed = np.clip(intensity, 0.0, 1.0) * strokes.envelope
    rough = np.clip(1.0 + 0.3 * slow_random(rng, count, 35.0, 2), 0.1, None)
    rub = (noise(rng, count, bristles.slow) + noise(rng, count, bristles.fast) * speed) * strokes.envelope * rough
    ticks = shower(rng, count, _ticks(str(kind)), rate_hz=bristles.ticks_hz, sigma=1.1, curve=speed)
    return settled(rub + bristles.ticks * ticks, intensity, rms=bristles.rms)


RECIPES = (TextureRecipe("broom", "friction", broom, defaults_of(broom), "van den Doel, Kry & Pai 2001"),)
