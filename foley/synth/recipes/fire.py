"""Fire and sparks: lapping, hissing, crackling.

Source: A. Farnell, "Designing Sound", 2010 (the three parts); shares and statistics measured on 47 stretches of
recorded fires: 84 Hz at 0 dB, above 400 Hz -20 to -26 dB, and above 1 kHz the crackles are the power (envelope kurtosis
10 to 18).
"""

from __future__ import annotations

import numpy as np

from foley.synth.excitation import Signal, decay, length_samples, low_passed
from foley.synth.finish import add_at, character, defaults_of, finished_hit, settled
from foley.synth.recipe import HitRecipe, Mono, TextureRecipe
from foley.synth.resonators import thud
from foley.synth.textures import (
    erb_spectrum,
    heavy,
    noise,
    poisson,
    scatter,
    shower,
    slow_random,
    spectrum,
    tinted,
    unit_energy,
)
from foley.units import RATE_HZ

FIRE_DB = (0, -7, -16, -24, -27, -30, -31, -31, -30, -31)
"""Roar and hiss of recorded fires, without their crackles."""


def crackles(
    rng: np.random.Generator, count: int, *, centre_hz: float = 3400.0, longest_s: float = 0.014
) -> list[Signal]:
    """Return pops of burning wood, of peak 1: steam breaks a cell wall at once, the splinter rings for 1 to 14 ms."""
    made = []
    for _ in range(count):
        pitch_hz = float(np.exp(rng.normal(np.log(centre_hz), 0.75)))
        t60_s = float(np.exp(rng.uniform(np.log(0.0015), np.log(longest_s))))
        length = length_samples(min(0.08, 2 * t60_s + 0.002))
        t_s = np.arange(length) / RATE_HZ
        snap = low_passed(rng.standard_normal(length), 3 * pitch_hz, 1)
        pop = (0.4 * np.sin(2 * np.pi * pitch_hz * t_s + rng.uniform(0, 2 * np.pi)) + 0.8 * snap) * decay(
            length, 2 * t60_s
        )
        made.append(pop / np.abs(pop).max())
    return made


def _clusters(rng: np.random.Generator, samples: int, rate_hz: float, activity: Signal) -> Signal:
    """Return crackles in clusters: one pop sets off up to five more within 10 ms."""
    before = length_samples(0.1)
    first = poisson(rng, samples, rate_hz, curve=activity, before=before)
    followers = rng.integers(0, 6, len(first))
    late = np.asarray(rng.exponential(0.010 * RATE_HZ, int(followers.sum())), np.int64)
    at = np.concatenate([first, np.repeat(first, followers) + late])
    return scatter(samples, at, heavy(rng, len(at), 1.15), grains=crackles(rng, 96), which=rng.integers(0, 96, len(at)))


def fire(
    rng: np.random.Generator,
    intensity: Mono,
    /,
    *,
    crackle: float | str = 1.0,
    roar: float | str = 1.0,
    variant: float | str = 0,
    **_: float | str,
) -> Mono:
    """Return a fire: a camp fire at the defaults; `crackle` 0 burns gas, `roar` 2 a house."""
    count = len(intensity)
    hearth = character("fire", variant)
    flutter = 1 + 0.22 * slow_random(rng, count, 8.0, 2) + 0.2 * slow_random(rng, count, 1.2, 2)
    sound = float(roar) * noise(rng, count, tinted(erb_spectrum(FIRE_DB), hearth, 2.0)) * np.maximum(0.2, flutter)
    activity = np.clip(0.35 + 0.5 * slow_random(rng, count, 1.3, 3), 0.03, 1) * (0.4 + 0.6 * intensity)
    loud = 0.45 * float(crackle)
    sound += loud * _clusters(rng, count, hearth.uniform(18.0, 30.0), activity)
    fine = unit_energy(crackles(rng, 64))
    sound += 0.18 * float(crackle) * shower(rng, count, fine, rate_hz=160.0, sigma=1.0, curve=activity)
    pops = [thud(rng, float(pitch_hz), 0.03, noise=1.2) for pitch_hz in rng.uniform(150, 420, 8)]
    at = poisson(rng, count, 1.2, curve=activity, before=length_samples(0.05))
    sound += (
        1.2
        * float(crackle)
        * scatter(count, at, heavy(rng, len(at), 0.4), grains=pops, which=rng.integers(0, 8, len(at)))
    )
    return settled(sound, intensity, rms=1.15)


ARC = spectrum({80: -20, 400: -8, 2000: -2, 5000: 0, 12000: -3, 18000: -8})


def sparks(rng: np.random.Generator, strength: float, /, **_: float | str) -> Mono:
    """Return an electric short: the bang of the arc, a buzz at 100 Hz that fails, molten beads that crackle."""
    count = length_samples(0.7)
    t_s = np.arange(count) / RATE_HZ
    arc = noise(rng, count, ARC)
    # an arc strikes anew in each half wave of the mains, 100 times a second
    buzz = np.exp(-((t_s * 100.0) % 1.0) * 4.0) * np.clip(0.8 + 0.3 * slow_random(rng, count, 8.0, 2), 0, 1.2)
    sound = arc * (decay(count, 0.07) + (0.03 + 0.03 * buzz) * decay(count, 0.6))
    falling = np.asarray(0.8 * np.exp(-t_s / 0.15), np.float64)
    beads = unit_energy(crackles(rng, 48, centre_hz=5200.0, longest_s=0.006))
    sound += 0.010 * shower(rng, count, beads, rate_hz=260.0, sigma=0.5, curve=falling) * np.minimum(1, t_s / 0.02)
    add_at(sound, 0.6 * thud(rng, 140.0, 0.05), 0)
    return finished_hit(sound, strength, ring_s=0.7)


FARNELL = "Farnell 2010; statistics of 47 stretches of recorded fires"

RECIPES = (
    TextureRecipe("fire", "fire", fire, defaults_of(fire), FARNELL),
    HitRecipe("sparks", "fire", sparks, defaults_of(sparks), ring_s=0.7, source="arc re-striking in each half wave"),
)
