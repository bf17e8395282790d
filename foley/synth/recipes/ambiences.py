"""Rooms and places: what is heard when nothing happens.

Levels per ERB band: medians of recorded room tones (10), nights (15) and birdsong without the birds (25).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from foley.synth.bubbles import bubbles
from foley.synth.excitation import Signal, low_passed
from foley.synth.finish import character, defaults_of, settled
from foley.synth.recipe import MakesTexture, Mono, TextureRecipe
from foley.synth.recipes.air import FOLIAGE
from foley.synth.recipes.animals import birds, crickets
from foley.synth.textures import (
    alive,
    control_times_s,
    erb_spectrum,
    noise,
    poisson,
    shower,
    slow_gain,
    spectrum,
    stretched,
    tinted,
    unit_energy,
)
from foley.units import RATE_HZ

HUM = ((1, 0.4), (2, 1.0), (3, 0.25), (4, 0.5), (6, 0.3), (8, 0.12))
"""Harmonics of the mains and their levels: transformers and ballasts hum at twice the mains' frequency."""


@dataclass(frozen=True, slots=True)
class Tone:
    """The sound of a place."""

    levels_db: tuple[float, ...]
    """Ten levels from 50 Hz to 10 kHz, even on the ERB scale."""
    hum: float = 0.0
    """RMS of the mains' hum re the air's."""
    life_db: float = 0.5
    """How much its bands swell."""


TONES = {
    "interior": Tone((0, -7, -14, -19, -25, -30, -34, -37, -40, -42), 0.10),
    "office": Tone((0, -4, -8, -13, -18, -23, -28, -33, -37, -41), 0.18),
    "basement": Tone((0, -10, -18, -25, -32, -38, -42, -45, -48, -50), 0.25),
    "hall": Tone((0, -5, -9, -13, -18, -23, -28, -32, -37, -42)),
    "field": Tone((0, -9, -13, -14, -16, -19, -22, -23, -25, -27), life_db=1.2),
    "cabin": Tone((0, -2, -5, -9, -13, -18, -24, -30, -36, -42), 0.05, 0.7),
    "city": Tone((0, -3, -6, -9, -12, -16, -20, -25, -31, -38), life_db=1.2),
    "forest": Tone((-6, -12, -15, -16, -16, -15, -14, -14, -15, -18), life_db=1.2),
    "night": Tone((0, -12, -14, -15, -16, -18, -18, -24, -24, -20), life_db=1.2),
    "underwater": Tone((0, -3, -8, -15, -23, -32, -42, -52, -60, -66), life_db=1.5),
}


def _air(rng: np.random.Generator, count: int, kind: str, variant: float | str) -> Signal:
    """Return the air of a place, expected RMS about 1."""
    tone, place = TONES[kind], character("tone_" + kind, variant)
    air = noise(rng, count, tinted(erb_spectrum(tone.levels_db), place, 1.5))
    sound = alive(rng, air, tone.life_db, common=0.5) * slow_gain(rng, count, 0.5, rate_hz=0.2, octaves=2)
    mains_hz = 50 if place.random() < 0.5 else 60
    return sound + tone.hum * _hum(place, count, mains_hz) if tone.hum > 0.0 else sound


def _hum(place: np.random.Generator, count: int, mains_hz: int) -> Signal:
    """Return the mains' hum at RMS 1: one period, over and over."""
    angle = 2 * np.pi * np.arange(RATE_HZ // mains_hz) * mains_hz / RATE_HZ
    period = sum(level * np.sin(harmonic * angle + 2 * np.pi * place.random()) for harmonic, level in HUM)
    return np.resize(np.sqrt(2.0) / 1.1 * period, count)  # 1.1: the RMS of the six harmonics together


def _tone_maker(kind: str) -> MakesTexture:
    def make(rng: np.random.Generator, intensity: Mono, /, *, variant: float | str = 0, **_: float | str) -> Mono:
        return settled(_air(rng, len(intensity), kind, variant), intensity, rms=1.03)

    return make


# --- places ----------------------------------------------------------------------------------------------------------


def amb_forest(
    rng: np.random.Generator, intensity: Mono, /, *, song: float | str = 0.5, variant: float | str = 0, **_: float | str
) -> Mono:
    """Return a forest: air, leaves in the wind, birds some way off; `song` 0 to 1 is how much they sing."""
    count = len(intensity)
    even = np.ones(count, np.float32)
    sound = 0.7 * _air(rng, count, "forest", variant)
    sound += 0.35 * noise(rng, count, FOLIAGE) * slow_gain(rng, count, 3.0, rate_hz=0.3, octaves=3)
    if float(song) > 0.0:
        sound += 6.0 * float(song) * birds(rng, 0.5 * even, variant=variant)
    return settled(sound, intensity, rms=0.81)


def amb_night(
    rng: np.random.Generator,
    intensity: Mono,
    /,
    *,
    insects: float | str = 0.5,
    variant: float | str = 0,
    **_: float | str,
) -> Mono:
    """Return a summer's night: still air and crickets, a few near and more far off."""
    even = np.ones(len(intensity), np.float32)
    sound = _air(rng, len(intensity), "night", variant)
    if float(insects) > 0.0:
        sound += 8.0 * float(insects) * crickets(rng, even, count=5, variant=variant)
    return settled(sound, intensity, rms=1.1)


TRAFFIC = spectrum({40: -6, 120: 0, 400: -2, 900: 0, 2000: -8, 5000: -20, 14000: -40})
CARS_HZ = 0.22
"""Cars that pass a block away: one in four to five seconds."""


def amb_city(
    rng: np.random.Generator,
    intensity: Mono,
    /,
    *,
    traffic: float | str = 0.5,
    variant: float | str = 0,
    **_: float | str,
) -> Mono:
    """Return a city heard from a side street: its drone, and cars that swell and fade a block away."""
    count = len(intensity)
    t_s = control_times_s(count)
    passing = np.zeros(len(t_s))
    # 20 s: the slowest car that is still heard took as long to fade
    for at in poisson(rng, count, CARS_HZ, before=20 * RATE_HZ).tolist():
        speed_m_s, distance_m = rng.uniform(8.0, 16.0), rng.uniform(18.0, 45.0)
        range_m = np.hypot(distance_m, speed_m_s * (t_s - at / RATE_HZ - 4.0))
        passing += (18.0 / range_m) ** 2
    cars = noise(rng, count, TRAFFIC) * stretched(np.sqrt(passing), count)
    sound = _air(rng, count, "city", variant) + 1.6 * float(traffic) * cars
    return settled(sound, intensity, rms=1.13)


def amb_underwater(
    rng: np.random.Generator, intensity: Mono, /, *, air: float | str = 0.5, variant: float | str = 0, **_: float | str
) -> Mono:
    """Return the world under water: a dull pressure, and a few large bubbles; `air` 0 to 1 is how many."""
    count = len(intensity)
    sound = _air(rng, count, "underwater", variant)
    rising = unit_energy(bubbles(rng, (3.0, 20.0), 32, rise=0.3))
    sound += 0.4 * float(air) * shower(rng, count, rising, rate_hz=5.0, sigma=0.6)
    return settled(low_passed(sound, 1200.0), intensity, rms=1.05)


def _recipe(name: str, make: MakesTexture, source: str) -> TextureRecipe:
    return TextureRecipe(name, "ambience", make, defaults_of(make), source)


MEASURED = "band levels of recorded places"

RECIPES = (
    _recipe("amb_forest", amb_forest, MEASURED),
    _recipe("amb_city", amb_city, MEASURED),
    _recipe("amb_night", amb_night, MEASURED),
    _recipe("amb_underwater", amb_underwater, "low-pass of water and air; Minnaert 1933"),
    *(
        _recipe(f"tone_{kind}", _tone_maker(kind), MEASURED)
        for kind in ("interior", "office", "basement", "hall", "field", "cabin")
    ),
)
