"""Trains and trams."""

from __future__ import annotations

import numpy as np

from foley.synth.chain import mixed
from foley.synth.excitation import Signal, length_samples, noise_burst
from foley.synth.finish import character, choice, defaults_of, number, settled
from foley.synth.moving import at_frames, layered, lively, whistle
from foley.synth.recipe import Mono, TextureRecipe
from foley.synth.resonators import ring_modes, thud
from foley.synth.rotation import harmonics, on_grid, period, played, rotating, wander
from foley.synth.textures import scatter, spectrum, stretched, tinted
from foley.units import RATE_HZ

ROLLING = spectrum({30: -12, 100: -3, 300: 0, 900: -1, 2500: -6, 6000: -9, 14000: -20})
CORRUGATION = spectrum({150: -24, 400: -6, 700: 0, 1100: -4, 2500: -16, 8000: -32})
"""Waves of some centimetres that wheels wear into rails: trams roar with them."""

RAIL_M, AXLES_M = 25.0, (0.0, 2.5, 14.0, 16.5)
"""Length of a rail, and where a carriage's axles stand: each clacks over each joint."""

CHUFFS_A_TURN, DRIVER_M = 4, 5.0
"""A two-cylinder steam engine exhausts four times a turn; circumference of its driving wheels."""

STEAM = spectrum({60: -10, 150: -1, 300: 0, 700: -4, 2000: -10, 6000: -20, 14000: -32})


def _clacks(rng: np.random.Generator, build: np.random.Generator) -> list[Signal]:
    """Return wheels over a joint: the thump of the bogie, the short ring of the rail."""
    made = []
    for _clack in range(6):
        modes_hz = np.sort(np.exp(build.uniform(np.log(350.0), np.log(3200.0), 14)))
        rail = ring_modes(modes_hz, 0.09 * (modes_hz / 500.0) ** -0.5, rng.normal(0, 1, 14), length_samples(0.15))
        strike = noise_burst(rng, 0.02, low_hz=500.0, high_hz=4000.0)
        made.append(mixed(1.0 * thud(rng, 90.0, 0.10), 0.35 * rail / np.abs(rail).max(), 0.25 * strike))
    return made


def _joints(rng: np.random.Generator, build: np.random.Generator, count: int, *, fast: float) -> Signal:
    """Return all axles over all joints of a stretch."""
    starts_m = np.arange(-RAIL_M, fast * count / RATE_HZ + RAIL_M, RAIL_M) + rng.uniform(0, RAIL_M)
    starts_m = starts_m * np.exp(rng.normal(0, 0.004, len(starts_m)))
    at = np.asarray((starts_m[:, None] - AXLES_M).ravel() / fast * RATE_HZ, np.int64)
    levels = np.exp(rng.normal(0, 0.15, len(at)))
    return scatter(count, at, levels, grains=_clacks(rng, build), which=rng.integers(0, 6, len(at)))


def _chuffs(rng: np.random.Generator, build: np.random.Generator, count: int, *, fast: float) -> Signal:
    """Return a steam engine's exhaust beats: four a turn, one of them always stronger."""
    beat_s = DRIVER_M / fast / CHUFFS_A_TURN
    beats = np.arange(int(count / RATE_HZ / beat_s) + 3) - 2 + rng.random()
    at = np.asarray((beats + rng.normal(0, 0.02, len(beats))) * beat_s * RATE_HZ, np.int64)
    uneven = np.exp(build.normal(0, 0.2, CHUFFS_A_TURN))[np.arange(len(at)) % CHUFFS_A_TURN]
    puffs = [noise_burst(rng, min(0.35, 1.6 * beat_s), low_hz=90.0, high_hz=1400.0) for _ in range(6)]
    return scatter(count, at, uneven, grains=puffs, which=rng.integers(0, 6, len(at)))


TRACTION = {"wagons": 0.0, "electric": 0.25, "steam": 0.0}
"""Level of the traction motor's whine, by kind of train."""


def train(
    rng: np.random.Generator,
    intensity: Mono,
    /,
    *,
    speed_m_s: float | str = 15.0,
    joints: float | str = 1.0,
    squeal: float | str = 0.25,
    kind: float | str = "wagons",
    variant: float | str = 0,
    **_: float | str,
) -> Mono:
    """Return a train that rolls by: the roar of the wheels, axles over rail joints, a flange that squeals.

    `kind` is wagons, electric (a motor whines) or steam (it chuffs); `speed_m_s` 1 to 100; `joints` and `squeal` are
    factors, 0 to 5: modern rails are welded and have none.
    """
    count, build = len(intensity), character("train", variant)
    whine = choice(TRACTION, kind, "kind")
    fast = number(speed_m_s, 1.0, 100.0, "speed_m_s")
    swell = 0.5 + 0.5 * at_frames(intensity)
    sound = layered(rng, count, lively(rng, count, tinted(ROLLING, build, 1.5), 1.6, rate_hz=1.5, level=swell))
    sound += 1.5 * number(joints, 0.0, 5.0, "joints") * _joints(rng, build, count, fast=fast)
    shrill = number(squeal, 0.0, 5.0, "squeal")
    if shrill > 0.0:
        sound += shrill * _flange(rng, build, count)
    if whine > 0.0:
        sound += _motor(rng, build, intensity, fast=fast, level=whine)
    if kind == "steam":
        sound += 2.0 * _chuffs(rng, build, count, fast=min(fast, 25.0))
    return settled(sound, intensity, rms=1.02 if kind != "steam" else 1.25)


def _flange(rng: np.random.Generator, build: np.random.Generator, count: int) -> Signal:
    """Return a wheel that squeals where its flange rubs, now and then."""
    hz = build.uniform(2200.0, 4200.0) * (1 + 0.002 * wander(rng, count, 3.0))
    rubbing = stretched(np.clip(wander(rng, count, 0.4), 0, 2), count)
    return whistle(rng, count, hz, 6.0) * rubbing


def _motor(
    rng: np.random.Generator, build: np.random.Generator, intensity: Mono, *, fast: float, level: float
) -> Signal:
    """Return traction motor and gears: they climb with speed, which intensity shows."""
    count = len(intensity)
    hz = build.uniform(22.0, 30.0) * fast * (0.55 + 0.45 * on_grid(intensity)) * (1 + 0.002 * wander(rng, count, 3.0))
    tones = period(harmonics(6, 7.0), build)
    return played(rotating(hz, count, start=rng.random()), tones, level=level * 10 ** (0.1 * wander(rng, count, 2.0)))


def tram(rng: np.random.Generator, intensity: Mono, /, *, variant: float | str = 0, **_: float | str) -> Mono:
    """Return a tram: roaring corrugated rails, a motor whose whine climbs with intensity, wheels that sing in bends."""
    count, build = len(intensity), character("tram", variant)
    drive = 0.3 + 0.7 * at_frames(intensity)
    layers = lively(rng, count, tinted(ROLLING, build, 1.5), 1.4, level=0.75 * drive)
    layers += lively(rng, count, tinted(CORRUGATION, build, 2.0), 2.0, rate_hz=1.5, level=0.6 * drive)
    sound = layered(rng, count, layers)
    sound += _motor(rng, build, intensity, fast=10.0, level=0.25)
    sound += 0.12 * _flange(rng, build, count)
    sound += 0.5 * _joints(rng, build, count, fast=8.0)
    return settled(sound, intensity, rms=1.0)


RECIPES = (
    TextureRecipe("train", "vehicles", train, defaults_of(train), "rail joints and axle spacing as built"),
    TextureRecipe("tram", "vehicles", tram, defaults_of(tram), "rail corrugation roars at 300 to 1000 Hz"),
)
