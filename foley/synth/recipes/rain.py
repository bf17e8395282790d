"""Rain: a hiss of far drops, a patter of nearer ones, single ones close by.

Band levels and modulation: medians of 57 stretches of recorded rain, which is flat per ERB band.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from foley.synth.bubbles import bubbles
from foley.synth.excitation import Signal, decay, length_samples, low_passed
from foley.synth.finish import character, choice, defaults_of, settled
from foley.synth.recipe import Mono, TextureRecipe
from foley.synth.textures import Spectrum, alive, erb_spectrum, noise, shower, slow_gain, tinted, unit_energy
from foley.units import RATE_HZ


@dataclass(frozen=True, slots=True)
class Surface:
    """What rain falls on: the sound of one drop, and how the patter of all colours the hiss."""

    low_hz: float
    high_hz: float
    """Range of a drop's ring."""
    ring_s: float
    """Its time to die away by 60 dB."""
    noise_share: float
    """Of the drop; the rest rings."""
    bed_db: tuple[float, ...]
    """Ten levels added to the hiss, from 50 Hz to 10 kHz, even on the ERB scale."""
    near_gain: float = 1.0
    """Of the single drops against the hiss."""


FLAT = (0,) * 10
SURFACES = {
    "ground": Surface(900, 7000, 0.0035, 0.9, FLAT),
    "leaves": Surface(700, 5000, 0.006, 0.7, (-5, -4, -2, -1, 0, 0, 0, 0, -1, -2)),
    "glass": Surface(500, 4500, 0.008, 0.5, (-6, -4, -2, -1, 0, -1, -2, -3, -5, -8), 1.4),
    "metal": Surface(400, 6000, 0.030, 0.35, (-4, -2, 0, 0, 1, 1, 0, 0, -1, -2), 1.5),
    "tent": Surface(150, 1200, 0.018, 0.5, (-3, 0, 2, 1, 0, -3, -6, -8, -11, -14), 1.6),
    "water": Surface(1200, 9000, 0.005, 0.4, (-8, -6, -4, -2, 0, 0, 1, 1, 0, 0)),
}
PANE = Surface(350, 2600, 0.012, 0.45, (4, 3, 2, 0, -2, -4, -7, -10, -13, -16), 1.4)
"""A window from inside: the pane dulls the hiss, drops on the glass are near."""

RAIN_DB = (-6, -5, -4, -5, -5, -4, -4, -4, -5, -5)
"""Rain is flat per ERB band: median of 57 stretches of recorded rain."""

MID_DROPS_HZ, NEAR_DROPS_HZ = 1750.0, 45.0
"""Drops a second in a downpour: those that blur into patter, and those that are heard one by one."""

DRIZZLE_SHARE = 0.14
"""Of those in the lightest rain."""


def drops(rng: np.random.Generator, surface: Surface, count: int) -> list[Signal]:
    """Return drops on a surface, of unit energy: a tap of noise and a short ring."""
    made: list[Signal] = []
    for _ in range(count):
        pitch_hz = float(np.exp(rng.uniform(np.log(surface.low_hz), np.log(surface.high_hz))))
        t60_s = surface.ring_s * rng.uniform(0.5, 1.8)
        length = length_samples(min(0.08, 3 * t60_s + 0.002))
        t_s = np.arange(length) / RATE_HZ
        ring = np.sin(2 * np.pi * pitch_hz * t_s + rng.uniform(0, 2 * np.pi)) * decay(length, 2 * t60_s)
        tap = low_passed(rng.standard_normal(length) * decay(length, t60_s), 2.5 * pitch_hz, 1)
        made.append(((1 - surface.noise_share) * ring + surface.noise_share * tap) * np.minimum(1, t_s / 0.0002))
    return unit_energy(made)


def rain(
    rng: np.random.Generator,
    intensity: Mono,
    /,
    *,
    surface: float | str = "ground",
    variant: float | str = 0,
    **_: float | str,
) -> Mono:
    """Return rain: far drops are a hiss, nearer ones patter, a few are heard singly; heavier rain is denser."""
    ground = choice(SURFACES, surface, "surface")
    levels = np.array(RAIN_DB) + np.array(ground.bed_db)
    return _rainfall(rng, intensity, ground, bed=tinted(erb_spectrum(levels.tolist()), character("rain", variant), 2.0))


def rain_window(rng: np.random.Generator, intensity: Mono, /, *, variant: float | str = 0, **_: float | str) -> Mono:
    """Return rain heard behind a window: the hiss is dulled by the pane, drops on the glass are near."""
    levels = np.array(RAIN_DB) + np.array(PANE.bed_db)
    return _rainfall(rng, intensity, PANE, bed=tinted(erb_spectrum(levels.tolist()), character("pane", variant), 2.0))


def _rainfall(rng: np.random.Generator, intensity: Mono, surface: Surface, *, bed: Spectrum) -> Mono:
    count = len(intensity)
    density = DRIZZLE_SHARE + (1 - DRIZZLE_SHARE) * np.asarray(intensity, np.float64)
    hiss = alive(rng, noise(rng, count, bed) * slow_gain(rng, count, 0.8, rate_hz=0.35, octaves=2), 0.7, common=0.5)
    pool = drops(rng, surface, 64)
    if surface is SURFACES["water"]:
        pool += unit_energy(bubbles(rng, (0.3, 2.2), 64))
    patter = shower(rng, count, pool, rate_hz=MID_DROPS_HZ, sigma=0.8, curve=density)
    near = shower(rng, count, drops(rng, surface, 24), rate_hz=NEAR_DROPS_HZ, sigma=0.5, curve=density)
    drop_gain = 0.20 * surface.near_gain
    # the hiss of far drops fades faster than the drops next to one's ear
    sound = hiss * np.sqrt(density) + drop_gain * (patter + near)
    return settled(sound, intensity, rms=math.hypot(1.02, drop_gain, drop_gain))


RECIPES = (
    TextureRecipe("rain", "water", rain, defaults_of(rain), "band levels: 57 stretches of recorded rain"),
    TextureRecipe("rain_window", "water", rain_window, defaults_of(rain_window), "as rain, through a pane"),
)
