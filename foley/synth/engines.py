"""Combustion engines: firing pulses through pipes.

Sources: S. Baldan, H. Lachambre, S. Delle Monache, P. Boussard, "Physically informed car engine sound synthesis for
virtual and augmented environments", IEEE SIVE 2015; A. Farnell, "Designing Sound", 2010.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from foley.synth.excitation import Signal, high_passed, length_samples, low_passed
from foley.synth.resonators import comb
from foley.synth.textures import cycles, noise, scatter, slow_random, spectrum
from foley.units import RATE_HZ

SPEED_OF_SOUND_M_S = 343.0

SETTLE_S = 0.3
"""Made and thrown away before the first sample: pipes ring from the start."""


@dataclass(frozen=True, slots=True)
class Engine:
    """An engine and what it breathes through."""

    cylinders: int
    idle_rpm: float
    full_rpm: float
    muffler_hz: float
    """Corner of the exhaust line's low-pass."""
    pipes_m: tuple[float, ...]
    """Lengths of exhaust line and chambers."""
    clatter: float
    """Valves, injectors and gears re the exhaust."""
    air: float
    """Flow noise re the exhaust."""
    roughness: float = 0.5
    """How unlike cylinders and cycles are, 0 to 1."""
    strokes: int = 4
    exhaust_gain: float = 1.0
    """What brings the exhaust to RMS 1 at full speed, measured."""


ENGINES = {
    "car": Engine(4, 800, 4800, 1700, (1.1, 1.9, 0.62), 0.10, 0.60, exhaust_gain=2.7),
    "truck": Engine(6, 550, 2300, 1100, (1.6, 2.6, 0.8), 0.25, 0.70, 0.6, exhaust_gain=3.4),
    "motorcycle": Engine(2, 1100, 7500, 3200, (0.7, 1.1, 0.35), 0.10, 0.30, 0.7, exhaust_gain=3.9),
    "boat": Engine(4, 700, 3600, 900, (1.4, 2.1, 0.9), 0.08, 0.50, exhaust_gain=2.9),
    "tractor": Engine(3, 700, 2200, 1400, (1.2, 1.7, 0.5), 0.25, 0.40, 0.8, exhaust_gain=6.4),
}

INTAKE = spectrum({80: -8, 300: 0, 800: -3, 2500: -10, 8000: -20})
FLOW = spectrum({30: -8, 120: 0, 400: -3, 1200: -8, 4000: -16, 12000: -28})
VALVES = spectrum({300: -24, 1000: -4, 2000: 0, 4500: -2, 9000: -12, 16000: -26})

FEEDBACK = (0.45, -0.40, 0.35)
"""Of the pipes: open ends turn a pressure wave over, chambers do not."""


def firing_hz(rpm: float, cylinders: int, strokes: int = 4) -> float:
    """Return how often an engine fires: a four-stroke cylinder fires every second turn.

    >>> firing_hz(3000, 4)
    100.0
    """
    return rpm / 60.0 * cylinders * 2.0 / strokes


def exhaust(rng: np.random.Generator, build: np.random.Generator, engine: Engine, rpm: Signal) -> Signal:
    """Return what a running engine sounds like outside, RMS about 1 at full speed.

    Cylinders differ by a sixth in strength and 0.6 % in timing, which gives the half orders an ear knows an engine by;
    each firing differs from the last by as much.

    Args:
        rng: Chance from firing to firing.
        build: Chance that made this engine.
        engine: Its type.
        rpm: For every sample.
    """
    extra = length_samples(SETTLE_S)
    steady = np.concatenate([np.full(extra, rpm[0] if len(rpm) else 0.0), rpm])
    turning = steady * (1 + 0.006 * engine.roughness * slow_random(rng, len(steady), 6.0, 2))
    cycle = cycles(turning / 60.0 * 2.0 / engine.strokes)
    pulses = _firings(rng, build, engine, cycle)
    sound = pulses
    for length_m, feedback in zip(engine.pipes_m, FEEDBACK, strict=True):
        delay_samples = round(2 * length_m / SPEED_OF_SOUND_M_S * RATE_HZ)
        sound = low_passed(comb(sound, delay_samples, feedback), engine.muffler_hz, 1)
    sound = high_passed(sound, 25.0)
    beat = np.maximum(0, np.cos(_wrapped(cycle * engine.cylinders))) ** 2
    count = len(steady)
    breath = engine.air * noise(rng, count, FLOW) * (0.6 + 0.4 * beat) + 0.6 * noise(rng, count, INTAKE) * (0.35 + beat)
    ticks = engine.clatter * noise(rng, count, VALVES) * (0.15 + 1.2 * np.roll(beat, 30) ** 2)
    pace = steady / engine.full_rpm
    return (sound * engine.exhaust_gain + (breath + ticks) * (0.25 + 0.75 * pace))[extra:]


def _firings(rng: np.random.Generator, build: np.random.Generator, engine: Engine, cycle: Signal) -> Signal:
    """Return the pressure pulses at the exhaust valves, peak about 1."""
    gains = 1 + 0.35 * engine.roughness * build.standard_normal(engine.cylinders)
    early = 0.012 * engine.roughness * build.standard_normal(engine.cylinders)
    samples = np.arange(len(cycle), dtype=np.float64)
    numbers = np.arange(int(cycle[-1]) + 2)
    at: list[npt.NDArray[np.int64]] = []
    levels: list[Signal] = []
    for cylinder in range(engine.cylinders):
        when = numbers + cylinder / engine.cylinders + early[cylinder]
        when = when + 0.004 * engine.roughness * rng.standard_normal(len(numbers))
        at.append(np.asarray(np.interp(when, cycle, samples, left=-1e6, right=1e9), np.int64))
        levels.append(gains[cylinder] * (1 + 0.3 * engine.roughness * rng.standard_normal(len(numbers))))
    shapes = [_pulse(rng) for _ in range(16)]
    every = np.concatenate(at)
    which = rng.integers(0, len(shapes), len(every))
    return scatter(len(cycle), every, np.concatenate(levels), grains=shapes, which=which)


def _pulse(rng: np.random.Generator) -> Signal:
    """Return one blow-down: an overpressure of 2 ms, its rebound, and turbulence."""
    t_s = np.arange(length_samples(0.0045)) / RATE_HZ
    smooth = np.exp(-t_s / 0.0012) * (1 - t_s / 0.0022)
    return np.asarray(smooth + 0.12 * rng.standard_normal(len(t_s)) * np.exp(-t_s / 0.002), np.float64)


def _wrapped(turns: Signal) -> npt.NDArray[np.float32]:
    return np.asarray(2 * np.pi * (turns % 1.0), np.float32)
