"""Moving air: wind, things swung through it, steam."""

from __future__ import annotations

import numpy as np

from foley.synth.excitation import Signal, length_samples
from foley.synth.finish import character, defaults_of, finished_hit, settled
from foley.synth.recipe import HitRecipe, Mono, TextureRecipe
from foley.synth.textures import (
    alive,
    control_times_s,
    erb_spectrum,
    narrowband,
    noise,
    slow_random,
    spectrum,
    stretched,
    tinted,
)

STROUHAL = 0.2
"""Vortices leave a cylinder at f = 0.2 u / d over four decades of Reynolds number (V. Strouhal, 1878)."""

WIND_DB = (-1, -7, -10, -11, -13, -16, -23, -27, -28, -26)
"""Median of 18 stretches of recorded wind."""
BUFFETING = spectrum({40: -16, 150: -6, 400: 0, 1200: -6, 4000: -18, 12000: -36})
FOLIAGE = spectrum({200: -30, 1000: -14, 3000: -2, 6000: 0, 12000: -8})

GALE_M_S = 18.0
"""Wind speed at intensity 1: gale force 8 begins there."""


def vortex_hz(speed_m_s: Signal, diameter_m: float) -> Signal:
    """Return the pitch of air that flows around a wire or twig.

    >>> vortex_hz(np.array([10.0]), 0.004).tolist()
    [500.0]
    """
    return STROUHAL * speed_m_s / diameter_m


def wind(
    rng: np.random.Generator,
    intensity: Mono,
    /,
    *,
    howl: float | str = 0.3,
    leaves: float | str = 0.0,
    gusts: float | str = 0.35,
    variant: float | str = 0,
    **_: float | str,
) -> Mono:
    """Return wind: a turbulent bed, buffeting that grows faster than it, twigs or wires that whistle in gusts.

    Bed ~ U^0.9, buffeting ~ U^2.2, whistles at 0.2 U / d above two thirds of full speed; `leaves` 0 to 1 adds foliage.
    """
    count = len(intensity)
    place = character("wind", variant)
    gust = np.clip(1 + 0.45 * float(gusts) * slow_random(rng, count, 0.25, 3), 0.3, 1.9)
    drive = np.asarray(intensity, np.float64)
    speed = gust * (0.35 + 0.65 * drive)
    sound = noise(rng, count, tinted(erb_spectrum(WIND_DB), place, 2.0)) * gust**0.9
    sound += 0.30 * noise(rng, count, BUFFETING) * gust * speed**1.2
    if float(howl) > 0.0:
        for _whistle in range(3):
            diameter_m = float(np.exp(place.uniform(np.log(0.0025), np.log(0.012))))
            tone = narrowband(rng, vortex_hz(GALE_M_S * speed * place.uniform(0.7, 1.2), diameter_m), 9.0)
            sound += 0.35 * float(howl) * tone * np.maximum(0, speed - 0.65) ** 1.5
    if float(leaves) > 0.0:
        rustle = 1 + 0.3 * slow_random(rng, count, 9.0, 2)
        sound += 0.8 * float(leaves) * noise(rng, count, FOLIAGE) * np.maximum(0, speed - 0.2) ** 1.5 * rustle
    return settled(alive(rng, sound, 0.8, common=0.4), intensity, rms=1.08)


STEAM = spectrum({100: -30, 1000: -10, 4000: 0, 9000: 0, 16000: -6})


def steam(rng: np.random.Generator, intensity: Mono, /, **_: float | str) -> Mono:
    """Return steam or compressed air that escapes: bright noise, trembling, brighter under more pressure."""
    tremble = 1 + 0.08 * slow_random(rng, len(intensity), 20.0, 2)
    drive = np.asarray(intensity, np.float64)
    sound = noise(rng, len(intensity), STEAM) * (0.6 + 0.4 * drive) + 0.4 * (1 - drive) * noise(
        rng, len(intensity), BREATH
    )
    return settled(sound * tremble, intensity, rms=1.0)


# --- whoosh ----------------------------------------------------------------------------------------------------------

BREATH = spectrum({60: -18, 300: 0, 800: -3, 2500: -12, 8000: -20, 16000: -32})

WHOOSH_LEAD_S = 0.16
"""From where it is first heard to where it is nearest and loudest."""
WHOOSH_RING_S = 0.26
SWING_M_S = 18.0
"""Speed of a hard swing at its fastest: a bat or sword's middle."""


def whoosh(rng: np.random.Generator, strength: float, /, *, size: float | str = 0.5, **_: float | str) -> Mono:
    """Return something swung past: loudest at its contact, its pitch follows its speed.

    A moving cylinder sounds as a dipole: level ~ u^3, centre 0.2 u / d; size 0 is a wire of 6 mm, 1 a club of 35 mm.
    Source: R. Selfridge, D. Moffat, J. Reiss, "Sound synthesis of objects swinging through air", Appl. Sci. 7, 2017.
    """
    count = length_samples(WHOOSH_LEAD_S + WHOOSH_RING_S)
    t_s = control_times_s(count) - WHOOSH_LEAD_S
    # 70 ms before, 90 ms after: recorded swings fall slower than they rise
    pace = stretched(np.exp(-((t_s / np.where(t_s < 0, 0.085, 0.11)) ** 2)), count)
    diameter_m = float(np.interp(float(size), [0.0, 1.0], [0.006, 0.035]))
    fastest = SWING_M_S * (0.4 + 0.6 * strength) * rng.uniform(0.85, 1.15)
    tone = narrowband(
        rng, np.clip(vortex_hz(fastest * (0.25 + pace), diameter_m), 60.0, 6000.0), 260.0 + 180.0 * strength
    )
    sound = (tone + 0.55 * noise(rng, count, BREATH)) * pace**2.4
    return finished_hit(sound * _level_at(sound), strength, ring_s=WHOOSH_RING_S, lead_s=WHOOSH_LEAD_S)


def _level_at(sound: Signal) -> Signal:
    """Return a gain that puts the loudest moment of noise on the contact: its envelope is noise, too."""
    swell_samples = length_samples(0.02)
    power = np.convolve(sound**2, np.ones(swell_samples) / swell_samples, "same")
    aim = power[length_samples(WHOOSH_LEAD_S)]
    return np.asarray(np.minimum(1.0, np.sqrt(aim / (power + 1e-12))), np.float64)


RECIPES = (
    TextureRecipe("wind", "air", wind, defaults_of(wind), "band levels: 18 stretches of recorded wind; Strouhal 1878"),
    TextureRecipe("steam", "air", steam, defaults_of(steam), "Farnell 2010"),
    HitRecipe(
        "whoosh",
        "air",
        whoosh,
        defaults_of(whoosh),
        lead_s=WHOOSH_LEAD_S,
        ring_s=WHOOSH_RING_S,
        source="Selfridge, Moffat & Reiss 2017",
    ),
)
