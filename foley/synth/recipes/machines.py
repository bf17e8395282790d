"""Machines that hum, tick and buzz."""

from __future__ import annotations

import numpy as np

from foley.synth.excitation import Signal, high_passed, length_samples, low_passed
from foley.synth.finish import add_at, character, defaults_of, settled
from foley.synth.recipe import Mono, TextureRecipe
from foley.synth.resonators import comb, ring_modes
from foley.synth.textures import (
    alive,
    cycles,
    erb_spectrum,
    narrowband,
    noise,
    reverberant,
    scatter,
    slow_gain,
    slow_random,
    spectrum,
    tinted,
    turns,
)
from foley.units import RATE_HZ

SPEED_OF_SOUND_M_S = 343.0

# --- electric motor --------------------------------------------------------------------------------------------------

FAN = spectrum({60: -6, 250: 0, 900: -3, 3000: -10, 9000: -20})
BRUSHES = spectrum({200: -20, 2000: -4, 5000: 0, 12000: -10})


def motor(
    rng: np.random.Generator,
    intensity: Mono,
    /,
    *,
    rpm: float | str = 3000.0,
    harsh: float | str = 0.4,
    air: float | str = 0.5,
    variant: float | str = 0,
    **_: float | str,
) -> Mono:
    """Return an electric motor: tones of rotor, coils and gear, hissing brushes, the fan. It reaches `rpm` at 1.

    It turns at 0.4 of that near 0. Harmonics fall evenly in dB, the more slowly the harsher (Baldan et al. 2015).
    """
    count, build = len(intensity), character("motor", variant)
    drive = np.asarray(intensity, np.float64)
    turning_hz = float(rpm) / 60.0 * (0.4 + 0.6 * drive) * (1 + 0.004 * slow_random(rng, count, 3.0, 2))
    turn = cycles(turning_hz)
    coils, gear = int(build.integers(6, 11)), build.uniform(2.6, 4.4)
    sound = np.zeros(count)
    for base, level in ((1.0, 0.5), (coils, 0.7), (coils * gear, 0.3), (2.0 * coils, 0.3)):
        for harmonic in range(1, 5):
            part = level * np.exp(-(1.2 - float(harsh)) * (harmonic - 1)) * build.uniform(0.6, 1.3)
            if part > 0.05 and base * harmonic * float(rpm) / 60.0 < 16_000.0:
                sound += part * np.sin(_angle(base * harmonic * turn + build.random()))
    fan = float(air) * noise(rng, count, tinted(FAN, build, 2.0)) * (0.3 + 0.7 * drive)
    brushes = 0.25 * float(harsh) * noise(rng, count, BRUSHES) * (0.6 + 0.4 * np.cos(_angle(coils * turn)))
    return settled(0.8 * sound + fan + brushes, np.sqrt(intensity), rms=0.765)


def _angle(turn: Signal) -> Mono:
    return np.asarray(2 * np.pi * (turn % 1.0), np.float32)


# --- chainsaw --------------------------------------------------------------------------------------------------------

IDLE_RPM, CUTTING_RPM = 2900.0, 8500.0
CHAIN = spectrum({100: -22, 600: -6, 1500: -2, 3500: 0, 7000: -4, 14000: -14})
SETTLE_S = 0.1


def chainsaw(rng: np.random.Generator, intensity: Mono, /, *, variant: float | str = 0, **_: float | str) -> Mono:
    """Return a chainsaw: a two-stroke that fires at every turn through hardly any muffler, and the chain's hiss.

    Intensity is the throttle: it idles near 0, cuts at 1, and labours a little all the time.
    """
    build, extra = character("chainsaw", variant), length_samples(SETTLE_S)
    first = intensity[0] if len(intensity) else 0.0
    drive = np.concatenate([np.full(extra, first), np.asarray(intensity, np.float64)])
    labour = 1 + 0.05 * slow_random(rng, len(drive), 0.8, 3)
    turn = cycles((IDLE_RPM + (CUTTING_RPM - IDLE_RPM) * drive) * labour / 60.0)
    number, within = np.asarray(turn, np.int64), turn % 1.0
    strength = (1 + 0.22 * rng.standard_normal(int(number[-1]) + 2))[number]
    shot = strength * np.exp(-within * build.uniform(12.0, 18.0)) * (1 - 6.0 * within)
    shot += 0.25 * strength * np.exp(-within * 12.0) * rng.standard_normal(len(drive))
    for length_m, feedback in ((0.28, 0.5), (0.11, 0.35)):
        shot = comb(shot, round(2 * length_m / SPEED_OF_SOUND_M_S * RATE_HZ), feedback)
    # the small muffler's resonances; what lies lower than the slowest idle is no engine sound
    buzz = low_passed(high_passed(np.tanh(1.6 * shot), 220.0), 4500.0, 1)
    chain = 0.12 * noise(rng, len(drive), CHAIN) * (0.3 + 0.7 * drive)
    sound = (buzz + chain)[extra:]
    return settled(alive(rng, sound, 0.8), np.sqrt(intensity), rms=0.19)


# --- clock -----------------------------------------------------------------------------------------------------------


def _ticks(rng: np.random.Generator, build: np.random.Generator, brightness: float) -> list[Signal]:
    """Return ticks of one clock: three small impacts within 28 ms in a case of ten modes; peak 1."""
    case_hz = np.sort(np.exp(build.uniform(np.log(500.0), np.log(7000.0), 10)))
    t60_s = build.uniform(0.04, 0.07) * (case_hz / 2000.0) ** -0.5
    gaps = [0, *np.sort(build.integers(length_samples(0.003), length_samples(0.028), 2)).tolist()]
    made = []
    for _tick in range(3):
        sound = np.zeros(length_samples(0.14))
        for gap, level in zip(gaps, (1.0, 0.55, 0.3), strict=True):
            gains = np.exp(build.normal(0, 0.3, 10)) * (case_hz / 2000.0) ** (0.25 * brightness)
            ring = ring_modes(case_hz, t60_s, gains, length_samples(0.1), phases=rng.uniform(-1, 1, 10))
            tap = length_samples(0.003)
            ring[:tap] += 0.3 * np.abs(ring).max() * rng.standard_normal(tap) * np.linspace(1, 0, tap)
            add_at(sound, level * ring, gap)
        made.append(sound / np.abs(sound).max())
    return made


def clock(
    rng: np.random.Generator,
    intensity: Mono,
    /,
    *,
    beats_hz: float | str = 2.0,
    variant: float | str = 0,
    **_: float | str,
) -> Mono:
    """Return a clock that ticks and tocks `beats_hz` times a second: 1 a pendulum clock, 5 a watch."""
    count = len(intensity)
    period = RATE_HZ / float(beats_hz)
    at = np.arange(-1, int(count / period) + 1) * period + rng.uniform(0.2, 1.0) * period
    at += rng.normal(0, 0.002 * period, len(at))
    ticks = _ticks(rng, character("clock", variant), 1.0) + _ticks(rng, character("clock", variant), -1.0)
    # every other beat the pallet falls from the other side: the tock is duller and softer
    which = rng.integers(0, 3, len(at)) + 3 * (np.arange(len(at)) % 2)
    levels = rng.uniform(0.9, 1.05, len(at)) * np.where(which < 3, 1.0, 0.75)
    sound = scatter(count, np.asarray(at, np.int64), levels, grains=ticks, which=which)
    # it stands in a room: without one a clock is all peaks, and too soft for any level
    return settled(reverberant(rng, sound, 0.45, wet=0.9), intensity, rms=0.066)


# --- ship ------------------------------------------------------------------------------------------------------------

HULL_DB = (0, -2, -7, -13, -19, -25, -31, -37, -43, -49)
DRONES_HZ = (36.0, 54.2, 72.0, 108.3, 144.1, 216.5)
"""Root and fifth over three octaves, mistuned by parts of a hertz so that they beat once in some seconds."""


def hum_ship(rng: np.random.Generator, intensity: Mono, /, *, variant: float | str = 0, **_: float | str) -> Mono:
    """Return the deep hum of a spaceship: beating drones, a breathing resonance, air; nearer is brighter."""
    count, build = len(intensity), character("hum_ship", variant)
    drive = np.asarray(intensity, np.float64)
    tuning = build.uniform(0.85, 1.2)
    sound = 0.55 * noise(rng, count, tinted(erb_spectrum(HULL_DB), build, 2.0))
    drift = 1 + 0.001 * slow_random(rng, count, 0.3)
    for number, drone_hz in enumerate(DRONES_HZ):
        level = (1.0, 0.55, 0.8, 0.4, 0.35, 0.2)[number] * (0.5 + 0.5 * drive) ** (number / 2)
        for side in (-1.0, 1.0):
            pitch_hz = tuning * (drone_hz + side * build.uniform(0.05, 0.25)) * drift
            sound += 0.5 * level * np.sin(turns(pitch_hz, start=rng.random()))
    # a throbbing resonance, once in two to four seconds: what makes it alive and large
    throb = 0.6 + 0.4 * np.sin(turns(np.full(count, build.uniform(0.25, 0.5)), start=rng.random()))
    resonance_hz = tuning * 290.0 * (1 + 0.12 * slow_random(rng, count, 0.15, 2))
    sound += 0.35 * narrowband(rng, resonance_hz, 8.0) * throb * drive
    sound *= slow_gain(rng, count, 0.8, rate_hz=0.3, octaves=2)
    return settled(sound, intensity, rms=0.86)


RECIPES = (
    TextureRecipe("motor", "machines", motor, defaults_of(motor), "Baldan et al. 2015"),
    TextureRecipe("chainsaw", "machines", chainsaw, defaults_of(chainsaw), "Baldan et al. 2015"),
    TextureRecipe("clock", "machines", clock, defaults_of(clock), "escapement: Farnell 2010"),
    TextureRecipe("hum_ship", "machines", hum_ship, defaults_of(hum_ship), "beating drones"),
)
