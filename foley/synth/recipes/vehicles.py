"""Cars, trucks, motorcycles, boats, trains, helicopters, jets."""

from __future__ import annotations

import numpy as np

from foley.synth.chain import mixed
from foley.synth.engines import ENGINES, SPEED_OF_SOUND_M_S, exhaust
from foley.synth.excitation import Signal, length_samples, low_passed, noise_burst
from foley.synth.finish import character, choice, defaults_of, settled
from foley.synth.recipe import Mono, TextureRecipe
from foley.synth.resonators import ring_modes, thud
from foley.synth.textures import (
    alive,
    cycles,
    narrowband,
    noise,
    scatter,
    slow_gain,
    slow_random,
    spectrum,
    tinted,
    turns,
)
from foley.units import RATE_HZ

# --- on wheels and on water ------------------------------------------------------------------------------------------


def engine(
    rng: np.random.Generator,
    intensity: Mono,
    /,
    *,
    kind: float | str = "car",
    variant: float | str = 0,
    **_: float | str,
) -> Mono:
    """Return an engine whose speed follows intensity from idle to full: the level follows it, too, as its root."""
    build, type_ = character("engine", variant), choice(ENGINES, kind, "kind")
    rpm = type_.idle_rpm + (type_.full_rpm - type_.idle_rpm) * np.asarray(intensity, np.float64)
    sound = alive(rng, exhaust(rng, build, type_, rpm), 0.8, common=0.5)
    return settled(sound, np.sqrt(intensity), rms=1.25)


TYRES = spectrum({60: -14, 400: -2, 900: 0, 2000: -6, 6000: -16, 14000: -32})


def car_pass(
    rng: np.random.Generator,
    intensity: Mono,
    /,
    *,
    speed_m_s: float | str = 14.0,
    kind: float | str = "car",
    variant: float | str = 0,
    **_: float | str,
) -> Mono:
    """Return a vehicle that drives past: intensity is how near it is (1 nearest, level ~ 1/r); tyres ~ v^1.5.

    Pitch follows the approach read from the intensity (Doppler), and never exceeds that of `speed_m_s`.
    """
    build, type_ = character("car_pass", variant), choice(ENGINES, kind, "kind")
    near = np.asarray(intensity, np.float64)
    fast = float(speed_m_s)
    # nearest distance 5 m: the other lane
    distance_m = 5.0 / np.maximum(near, 0.04)
    approach = -np.gradient(distance_m) * RATE_HZ if len(near) > 1 else np.zeros(len(near))
    doppler = 1 + np.clip(approach, -fast, fast) / SPEED_OF_SOUND_M_S
    rpm = (type_.idle_rpm + 0.35 * (type_.full_rpm - type_.idle_rpm)) * build.uniform(0.85, 1.15) * doppler
    tyres = noise(rng, len(near), tinted(TYRES, build, 2.0)) * (fast / 14.0) ** 1.5
    sound = 0.8 * exhaust(rng, build, type_, rpm) + 0.9 * tyres
    # air and ground swallow the treble of what is far
    dull = low_passed(sound, 900.0, 1)
    return settled(alive(rng, dull + (sound - dull) * np.sqrt(near), 0.8), intensity, rms=1.05)


WASH = spectrum({60: -12, 200: -2, 500: 0, 1500: -4, 5000: -10, 14000: -20})


def boat(rng: np.random.Generator, intensity: Mono, /, *, variant: float | str = 0, **_: float | str) -> Mono:
    """Return a motor boat: a muffled engine and the wash, which slaps with the waves."""
    build, type_ = character("boat", variant), ENGINES["boat"]
    drive = np.asarray(intensity, np.float64)
    rpm = type_.idle_rpm + (type_.full_rpm - type_.idle_rpm) * drive
    slap = slow_gain(rng, len(drive), 3.0, rate_hz=1.5, octaves=3)
    wash = noise(rng, len(drive), tinted(WASH, build, 2.0)) * slap * (0.25 + 0.75 * drive)
    return settled(exhaust(rng, build, type_, rpm) + 0.7 * wash, np.sqrt(intensity), rms=1.30)


# --- on rails --------------------------------------------------------------------------------------------------------

ROLLING = spectrum({30: -6, 100: 0, 300: -1, 900: -4, 2500: -9, 6000: -14, 14000: -26})
RAIL_M, AXLES_M = 25.0, (0.0, 2.5, 14.0, 16.5)
"""Length of a rail, and where a carriage's axles stand: each clacks over each joint."""


def _clacks(rng: np.random.Generator, build: np.random.Generator) -> list[Signal]:
    """Return wheels over a joint: the thump of the bogie, the short ring of the rail."""
    made = []
    for _clack in range(6):
        modes_hz = np.sort(np.exp(build.uniform(np.log(350.0), np.log(3200.0), 14)))
        rail = ring_modes(modes_hz, 0.09 * (modes_hz / 500.0) ** -0.5, rng.normal(0, 1, 14), length_samples(0.15))
        strike = noise_burst(rng, 0.02, low_hz=500.0, high_hz=4000.0)
        made.append(mixed(1.0 * thud(rng, 90.0, 0.10), 0.35 * rail / np.abs(rail).max(), 0.25 * strike))
    return made


def train(
    rng: np.random.Generator,
    intensity: Mono,
    /,
    *,
    speed_m_s: float | str = 15.0,
    joints: float | str = 1.0,
    squeal: float | str = 0.25,
    variant: float | str = 0,
    **_: float | str,
) -> Mono:
    """Return a train that rolls by: the roar of the wheels, axles over rail joints, a flange that squeals."""
    count, build = len(intensity), character("train", variant)
    fast = max(float(speed_m_s), 1.0)
    roar = noise(rng, count, tinted(ROLLING, build, 1.5))
    sound = roar * np.maximum(0.3, 1 + 0.2 * slow_random(rng, count, 4.0, 2))
    starts_m = np.arange(-RAIL_M, fast * count / RATE_HZ + RAIL_M, RAIL_M) + rng.uniform(0, RAIL_M)
    starts_m = starts_m * np.exp(rng.normal(0, 0.004, len(starts_m)))
    at = np.asarray((starts_m[:, None] - AXLES_M).ravel() / fast * RATE_HZ, np.int64)
    levels = 1.5 * float(joints) * np.exp(rng.normal(0, 0.15, len(at)))
    sound += scatter(count, at, levels, grains=_clacks(rng, build), which=rng.integers(0, 6, len(at)))
    flange_hz = np.full(count, build.uniform(2200.0, 4200.0))
    rubbing = np.clip(slow_random(rng, count, 0.4), 0, 2)
    sound += float(squeal) * narrowband(rng, flange_hz, 6.0) * rubbing
    return settled(sound, intensity, rms=1.06)


# --- in the air ------------------------------------------------------------------------------------------------------

DOWNWASH = spectrum({25: 0, 80: 0, 200: -4, 500: -9, 1500: -18, 5000: -32, 14000: -50})
TURBULENCE = spectrum({30: -2, 120: 0, 400: -7, 1200: -15, 4000: -26, 10000: -42, 16000: -56})
BLADE_SLAP = spectrum({100: -12, 300: 0, 1000: -4, 3500: -16, 12000: -36})


def helicopter(
    rng: np.random.Generator,
    intensity: Mono,
    /,
    *,
    blade_hz: float | str = 14.0,
    variant: float | str = 0,
    **_: float | str,
) -> Mono:
    """Return a helicopter: blades thump past at `blade_hz` (10 to 25), tail rotor and turbine whine above.

    Blades differ by 18 %, so that one turn can be heard in four thumps; wind fades it by 1.6 dB.
    """
    count, build = len(intensity), character("helicopter", variant)
    blades = int(build.integers(2, 5))
    turn = cycles(float(blade_hz) * (1 + 0.003 * slow_random(rng, count, 0.5)))
    # each pulse fills a fifth of the time between blades
    phase = turn % 1.0 - 0.5
    strength = (1 + 0.18 * build.standard_normal(blades))[np.asarray(turn, np.int64) % blades]
    passing = np.exp(-((phase / build.uniform(0.10, 0.18)) ** 2)) * strength
    thump = np.sin(2 * np.pi * phase * build.uniform(1.3, 2.4)) * passing
    sound = thump + 0.45 * noise(rng, count, DOWNWASH) * (0.4 + 0.6 * passing)
    sound += 0.45 * noise(rng, count, TURBULENCE) * (0.75 + 0.25 * passing)
    sound += 0.06 * noise(rng, count, BLADE_SLAP) * passing * intensity
    tail_hz = float(blade_hz) * blades * build.uniform(1.3, 3.0) * (1 + 0.002 * slow_random(rng, count, 0.7))
    for harmonic in range(1, 5):
        level = build.uniform(0.03, 0.10) / harmonic**0.5
        sound += level * np.sin(turns(harmonic * tail_hz)) * (1 + 0.3 * slow_random(rng, count, 3.0))
    turbine_hz = build.uniform(1800.0, 5000.0) * (1 + 0.002 * slow_random(rng, count, 1.0))
    sound += 0.025 * np.sin(turns(turbine_hz)) * intensity
    return settled(low_passed(alive(rng, sound, 1.4), 7000.0, 1), intensity, rms=0.57)


JET_ROAR = spectrum({30: -4, 150: 0, 500: -2, 1500: -6, 4000: -11, 10000: -18})


def jet(rng: np.random.Generator, intensity: Mono, /, *, variant: float | str = 0, **_: float | str) -> Mono:
    """Return a jet engine: the roar of the mixing jet, and the whine of the fan, which climbs with intensity."""
    count, build = len(intensity), character("jet", variant)
    drive = np.asarray(intensity, np.float64)
    roar = noise(rng, count, tinted(JET_ROAR, build, 1.5)) * (1 + 0.1 * slow_random(rng, count, 6.0, 2))
    fan_hz = build.uniform(2400.0, 3600.0) * (0.55 + 0.45 * drive) * (1 + 0.001 * slow_random(rng, count, 2.0))
    whine = 0.12 * np.sin(turns(fan_hz)) + 0.05 * np.sin(turns(2 * fan_hz)) + 0.10 * narrowband(rng, fan_hz, 60.0)
    return settled(alive(rng, roar * (0.4 + 0.6 * drive), 0.9) + whine * (1 - 0.5 * drive), intensity, rms=1.02)


BALDAN = "Baldan et al. 2015; Farnell 2010"


RECIPES = (
    TextureRecipe("engine", "vehicles", engine, defaults_of(engine), BALDAN),
    TextureRecipe("car_pass", "vehicles", car_pass, defaults_of(car_pass), BALDAN),
    TextureRecipe("boat", "vehicles", boat, defaults_of(boat), BALDAN),
    TextureRecipe("train", "vehicles", train, defaults_of(train), "rail joints and axle spacing as built"),
    TextureRecipe("helicopter", "vehicles", helicopter, defaults_of(helicopter), "Farnell 2010"),
    TextureRecipe("jet", "vehicles", jet, defaults_of(jet), "Farnell 2010"),
)
