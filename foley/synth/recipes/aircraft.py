"""Helicopters, jets, propeller aeroplanes, drones."""

from __future__ import annotations

import numpy as np

from foley.synth.engines import ENGINES, exhaust
from foley.synth.excitation import low_passed
from foley.synth.finish import character, choice, defaults_of, number, settled
from foley.synth.moving import at_frames, layered, lively, whistle
from foley.synth.recipe import Mono, TextureRecipe
from foley.synth.recorded import as_recorded
from foley.synth.rotation import PERIOD_SAMPLES, harmonics, on_grid, period, played, rotating, wander
from foley.synth.textures import combed, spectrum, tinted

# --- helicopter ------------------------------------------------------------------------------------------------------

DOWNWASH = spectrum({25: 0, 80: 0, 200: -4, 450: -12, 1000: -22, 2000: -30, 5000: -43, 14000: -62})
TURBULENCE = spectrum({30: -6, 120: 0, 250: -1, 500: -8, 1200: -16, 3000: -26, 6000: -38, 16000: -60})

BLADE_SPREAD = 0.18
"""How unlike blades are: one turn of the rotor can be heard in its thumps."""


def _rotor(build: np.random.Generator, blades: int) -> tuple[Mono, Mono]:
    """Return pressure and gust of one turn of a rotor: each blade slaps for a tenth of the time between two."""
    turn = np.arange(PERIOD_SAMPLES) / PERIOD_SAMPLES * blades
    phase = turn % 1.0 - 0.5
    strength = (1 + BLADE_SPREAD * build.standard_normal(blades))[np.asarray(turn, np.int64) % blades]
    gust = np.exp(-((phase / build.uniform(0.13, 0.20)) ** 2)) * strength
    # the blade meets the vortex of the one before: a sharp dip in the slow swell
    slap = np.exp(-((phase / 0.045) ** 2)) * (phase / 0.045) * strength
    swell = np.sin(2 * np.pi * phase * build.uniform(1.3, 2.2)) * gust
    pressure = swell + build.uniform(0.8, 1.4) * slap
    return np.asarray(pressure - pressure.mean(), np.float32), np.asarray(gust, np.float32)


UNEVEN_DB = (2.0, 5.0)
"""How uneven what is heard of the wash is, from one machine and place to another: it goes past a hull and a ground that
reflect. In recordings peaks stand 5 to 8 dB out of their surroundings."""


def helicopter(
    rng: np.random.Generator,
    intensity: Mono,
    /,
    *,
    blade_hz: float | str = 14.0,
    variant: float | str = 0,
    **_: float | str,
) -> Mono:
    """Return a helicopter: blades thump past at `blade_hz` (8 to 30), tail rotor and turbine whine above.

    Two to four blades, unlike each other; the wind between fades all of it by some decibels.
    """
    count, build = len(intensity), character("helicopter", variant)
    blades, passing_hz = int(build.integers(2, 5)), number(blade_hz, 8.0, 30.0, "blade_hz")
    hz = passing_hz / blades * (1 + 0.003 * wander(rng, count, 0.5))
    shaft = rotating(hz, count, start=rng.random())
    pressure, gust = _rotor(build, blades)
    fading = 10 ** (0.08 * wander(rng, count, 0.7, 3))
    sound = played(shaft, pressure, level=1.1 * fading)
    gusts = played(shaft, gust, level=fading)
    gusts *= 0.45
    gusts += 0.55
    uneven_db = build.uniform(*UNEVEN_DB)
    downwash, turbulence = (combed(tinted(base, build, 1.5), build, uneven_db) for base in (DOWNWASH, TURBULENCE))
    layers = lively(rng, count, downwash, 1.4, level=0.50)
    layers += lively(rng, count, turbulence, 1.8, level=0.35 * (0.5 + 0.5 * at_frames(intensity)))
    gusts *= layered(rng, count, layers)
    sound += gusts
    tail = period({order: build.uniform(0.4, 1.0) / order**0.7 for order in range(1, 7)}, build)
    shimmer = 10 ** (0.15 * wander(rng, count, 3.0, 2))
    sound += played(shaft, tail, ratio=blades * build.uniform(4.3, 5.7), level=0.11 * fading * shimmer)
    sound += 0.010 * whistle(rng, count, np.full(len(hz), build.uniform(1800.0, 5000.0)), 4.0) * intensity
    sound = as_recorded(low_passed(sound, 6000.0, 1), "helicopter", variant)
    return settled(sound, intensity, rms=0.60)


# --- jet -------------------------------------------------------------------------------------------------------------

JET_ROAR = spectrum({30: -6, 150: 0, 500: -2, 1500: -6, 4000: -11, 10000: -20})


def jet(rng: np.random.Generator, intensity: Mono, /, *, variant: float | str = 0, **_: float | str) -> Mono:
    """Return a jet engine: the roar of the mixing jet, and the whine of the fan, which climbs with intensity."""
    count, build = len(intensity), character("jet", variant)
    thrust = at_frames(intensity)
    roar = layered(
        rng, count, lively(rng, count, tinted(JET_ROAR, build, 1.5), 1.3, rate_hz=1.0, level=0.4 + 0.6 * thrust)
    )
    drive = on_grid(intensity)
    fan_hz = build.uniform(2400.0, 3600.0) * (0.55 + 0.45 * drive) * (1 + 0.001 * wander(rng, count, 2.0))
    # each turn of the fan hums with the blades' differences: the buzz-saw of a jet that takes off
    spool = rotating(fan_hz / 22.0, count, start=rng.random())
    saw = {22: 0.12, 44: 0.05, **{order: build.uniform(0.0, 0.02) for order in range(1, 22)}}
    roar += played(spool, period(saw, build), level=1.0 - 0.5 * drive)
    roar += 0.10 * whistle(rng, count, fan_hz, 60.0)
    return settled(roar, intensity, rms=1.02)


# --- propellers ------------------------------------------------------------------------------------------------------

PROP_WASH = spectrum({40: -10, 120: -2, 300: 0, 900: -5, 2500: -13, 7000: -25, 16000: -42})


def propeller(
    rng: np.random.Generator,
    intensity: Mono,
    /,
    *,
    engines: float | str = 1.0,
    variant: float | str = 0,
    **_: float | str,
) -> Mono:
    """Return a propeller aeroplane: blades at 60 to 90 Hz with all their harmonics over the engine's bark.

    Two `engines` (1 or 2) never turn quite alike: they beat once in a second or two.
    """
    count, build = len(intensity), character("propeller", variant)
    type_ = ENGINES["aircraft"]
    rpm = type_.idle_rpm + (type_.full_rpm - type_.idle_rpm) * (0.35 + 0.65 * on_grid(intensity))
    sound = exhaust(rng, build, type_, rpm=rpm, samples=count)
    sound *= 0.4
    blades = int(build.integers(2, 4))
    blade = period({blades * order: float(level) for order, level in harmonics(14, 4.5).items()}, build)
    for number_ in range(round(number(engines, 1.0, 2.0, "engines"))):
        hz = rpm / 60.0 * (1.0 + 0.008 * number_) * (1 + 0.002 * wander(rng, count, 0.6, 3))
        swell = 10 ** (0.10 * wander(rng, count, 1.2, 3))
        sound += played(rotating(hz, count, start=rng.random()), blade, level=0.5 * swell)
    layers = lively(rng, count, tinted(PROP_WASH, build, 1.5), 1.5, level=0.45 * (0.3 + 0.7 * at_frames(intensity)))
    sound += layered(rng, count, layers)
    return settled(sound, intensity, rms=0.92)


ROTOR_WASH = spectrum({100: -16, 400: -4, 1200: 0, 3000: -2, 7000: -8, 15000: -18})

DRONES = {"small": (2, 330.0, 0.30), "large": (2, 165.0, 0.40)}
"""Blades, turns a second of a rotor that hovers, and RMS of the air re one rotor: a toy, a film crew's."""


def drone(
    rng: np.random.Generator,
    intensity: Mono,
    /,
    *,
    kind: float | str = "large",
    variant: float | str = 0,
    **_: float | str,
) -> Mono:
    """Return a quadcopter, small or large: four rotors that are trimmed against each other all the time.

    Each holds its own speed to some per cent, so their blades beat and slide through each other: the swarm of wasps.
    """
    count, build = len(intensity), character("drone", variant)
    blades, hover_hz, air = choice(DRONES, kind, "kind")
    thrust = 0.75 + 0.25 * on_grid(intensity)
    shape = {blades * order: float(level) for order, level in harmonics(20, 4.0).items()}
    shape |= {1: 0.15, 7: 0.12, 14: 0.2, 21: 0.08}  # unbalance, and the motor's poles
    balance = wander(rng, count, 1.0, 4)
    sound = air * layered(rng, count, lively(rng, count, tinted(ROTOR_WASH, build, 1.5), 1.2, level=1.6))
    for side in (1.0, 1.0, -1.0, -1.0):
        trim = build.normal(0.0, 0.015) + 0.02 * side * balance + 0.012 * wander(rng, count, 3.0, 3)
        rotor = rotating(hover_hz * thrust * (1.0 + trim), count, start=rng.random())
        sound += played(rotor, period(shape, build), level=0.5 * 10 ** (0.06 * wander(rng, count, 4.0, 2)))
    return settled(sound, intensity, rms=1.0)


FARNELL = "Farnell 2010"

RECIPES = (
    TextureRecipe("helicopter", "vehicles", helicopter, defaults_of(helicopter), "Farnell 2010; blade slap"),
    TextureRecipe("jet", "vehicles", jet, defaults_of(jet), FARNELL),
    TextureRecipe("propeller", "vehicles", propeller, defaults_of(propeller), FARNELL),
    TextureRecipe("drone", "vehicles", drone, defaults_of(drone), "four rotors, each at its own trim"),
)
