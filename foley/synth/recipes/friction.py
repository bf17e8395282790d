"""Scraping and rolling: intensity is the speed.

Sources: K. van den Doel, P. Kry, D. Pai, "FoleyAutomatic: physically-based sound effects for interactive simulation
and animation", SIGGRAPH 2001 (scraping: surface noise read at the speed of contact); M. Rath, "An expressive real-time
sound model of rolling", DAFx 2003 (rolling: micro-impacts, modulated once a turn).
"""

from __future__ import annotations

import numpy as np
from scipy import signal

from foley.synth.excitation import Signal, high_passed, length_samples, low_passed
from foley.synth.finish import character, choice, defaults_of, settled
from foley.synth.materials import MATERIALS, Body, body, struck
from foley.synth.recipe import Mono, TextureRecipe
from foley.synth.resonators import ring_modes
from foley.synth.textures import cycles, shower, slow_random, unit_energy


def _answer(thing: Body) -> Signal:
    """Return how the object answers a scratch: its 16 lowest modes, damped by what rubs on it."""
    f = thing.modes_hz[:16]
    response = ring_modes(f, np.minimum(thing.t60_s[:16] / 3.0, 0.3), thing.gains[:16], length_samples(0.25))
    return unit_energy([response])[0]


def scrape(
    rng: np.random.Generator,
    intensity: Mono,
    /,
    *,
    material: float | str = "stone",
    size: float | str = 0.5,
    grain: float | str = 0.5,
    variant: float | str = 0,
    **_: float | str,
) -> Mono:
    """Return something dragged over a surface: asperities that catch, in the object's own modes, brighter when faster.

    `grain` 0 is fine as sandpaper, 1 coarse as gravel.
    """
    thing = body(character(f"scrape {material}", variant), choice(MATERIALS, material, "material"), size=float(size))
    count = len(intensity)
    speed = np.clip(intensity.astype(np.float64), 0.0, 1.0)
    surface = high_passed(rng.standard_normal(count), 400.0 + 1500.0 * (1.0 - float(grain)), 1)
    surface /= 0.97  # RMS of white noise above such a corner
    catches = np.maximum(0.0, surface - 0.8) * 2.0 + 0.25 * surface
    catches *= np.clip(1.0 + 0.35 * slow_random(rng, count, 12.0, 2), 0.1, None)
    slow = low_passed(catches, 900.0, 1)
    traced = speed * catches + (1.0 - speed) * 2.0 * slow  # a slow contact reads the surface at lower frequencies
    ringing = signal.oaconvolve(traced, _answer(thing))[:count]
    return settled(0.7 * ringing + 0.4 * traced, intensity, rms=0.50)


def roll(
    rng: np.random.Generator,
    intensity: Mono,
    /,
    *,
    material: float | str = "wood",
    radius_m: float | str = 0.03,
    variant: float | str = 0,
    **_: float | str,
) -> Mono:
    """Return a ball or wheel that rolls: 700 micro-impacts a second at full speed, stronger once a turn.

    It turns v / (2 pi r) times a second, at 1 m/s for full intensity.
    """
    chance = character(f"roll {material}", variant)
    thing = body(chance, choice(MATERIALS, material, "material"), size=0.6, ring=0.5)
    count = len(intensity)
    speed = np.clip(intensity.astype(np.float64), 0.0, 1.0)
    turns = cycles(speed / (2.0 * np.pi * float(radius_m)))
    uneven = 1.0 + 0.5 * np.sin(2.0 * np.pi * (turns + chance.random()))
    longest = length_samples(0.12)
    knocks = unit_energy([struck(rng, thing, 0.4, hardness=0.5, noise=0.5)[:longest] for _ in range(8)])
    rumble = shower(rng, count, knocks, rate_hz=700.0, sigma=0.9, curve=speed)
    return settled(low_passed(rumble, 4500.0, 1) * uneven, intensity, rms=1.03)


RECIPES = (
    TextureRecipe("scrape", "friction", scrape, defaults_of(scrape), "van den Doel, Kry & Pai 2001"),
    TextureRecipe("roll", "friction", roll, defaults_of(roll), "Rath 2003"),
)
