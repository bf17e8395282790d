"""Thunder.

Sources: A. Few, "Power spectrum of thunder", J. Geophys. Res. 74, 1969; H. Ribner, D. Roy, "Acoustics of thunder: a
quasilinear model for tortuous lightning", JASA 72, 1982.
"""

from __future__ import annotations

import numpy as np

from foley.synth.blast import friedlander, saturated
from foley.synth.excitation import Signal, high_passed, length_samples, low_passed
from foley.synth.finish import add_at, defaults_of, finished_hit, number
from foley.synth.moving import Layer, frame_times_s, layered
from foley.synth.recipe import HitRecipe, Mono
from foley.synth.textures import heavy, scatter, spectrum

THUNDER_RING_S = 8.0
TORTUOSITY = 260
"""Pieces of the lightning channel, a few metres each, that send an N-wave of their own (Ribner & Roy 1982)."""
RUMBLE = spectrum({25: -4, 60: 0, 120: -3, 250: -12, 600: -26, 2000: -48, 8000: -90})
TEARING = spectrum({100: -14, 400: -4, 1200: 0, 5000: -4, 16000: -10})


def thunder(rng: np.random.Generator, strength: float, /, *, distance_m: float | str = 700.0, **_: float | str) -> Mono:
    """Return thunder: the nearest piece of the channel cracks, the others roll after it for seconds.

    Air takes the treble on the way: within a kilometre it starts with a crack, beyond three it only rumbles.

    Args:
        rng: Chance.
        strength: Of the stroke.
        distance_m: 100 to 20000.
    """
    distance = number(distance_m, 50.0, 20_000.0, "distance_m")
    near = float(np.clip(1 - distance / 3000.0, 0.0, 1.0))
    length = length_samples(THUNDER_RING_S)
    times_s = frame_times_s(length)
    # two or three limbs of the channel are nearer than the rest: the rumble swells anew
    swell = 0.25 + np.exp(0.6 * np.interp(2.5 * times_s, np.arange(24), rng.standard_normal(24)))
    for late_s in rng.uniform(0.6, 4.0, 3):
        swell = swell + rng.uniform(0.3, 1.5) * np.exp(-(((times_s - late_s) / (0.2 + 0.25 * late_s)) ** 2))
    swell *= np.minimum(1.0, times_s / (0.02 + 0.6 * (1 - near))) * np.exp(-3.6 * times_s / THUNDER_RING_S)
    torn = near**2 * (np.exp(-times_s / 0.018) + 0.35 * np.exp(-times_s / 0.1))
    layers = [Layer(RUMBLE, 0.6 * swell), Layer(TEARING, 3.5 * torn)]
    sound = low_passed(layered(rng, length, layers), 700.0 + 15_000.0 * near**2, 1)
    sound += 0.35 * _channel(rng, length, near)
    add_at(sound, 4.0 * near**2 * high_passed(friedlander(0.004, 4800), 60.0, 1), 0)
    return finished_hit(saturated(sound, 0.3), strength, ring_s=THUNDER_RING_S)


def _channel(rng: np.random.Generator, length: int, near: float) -> Signal:
    """Return the N-waves of the channel's pieces: crowded at first, then ever fewer."""
    arrivals_s = rng.gamma(1.3, THUNDER_RING_S / 6, TORTUOSITY)
    waves = [np.linspace(1, -1, length_samples(s)) for s in rng.uniform(0.004, 0.03, 32)]
    levels = heavy(rng, TORTUOSITY, 0.6) * np.exp(-arrivals_s / (0.3 * THUNDER_RING_S))
    levels *= np.minimum(1.0, arrivals_s / (0.02 + 0.6 * (1 - near)))
    at = length_samples(1.0) * arrivals_s
    rolling = scatter(length, at.astype(np.int64), levels, grains=waves, which=rng.integers(0, 32, TORTUOSITY))
    return low_passed(rolling, 160.0 + 1400.0 * near**2, 1)


RECIPES = (
    HitRecipe(
        "thunder", "weather", thunder, defaults_of(thunder), ring_s=THUNDER_RING_S, source="Few 1969; Ribner & Roy 1982"
    ),
)
