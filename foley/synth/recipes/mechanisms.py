"""Machines whose parts move to and fro: printers, sewing machines, robots, pumps."""

from __future__ import annotations

import numpy as np

from foley.synth.chain import mixed
from foley.synth.excitation import Signal, length_samples, noise_burst
from foley.synth.finish import character, choice, defaults_of, number, settled
from foley.synth.materials import PLASTIC, STEEL, Material, body
from foley.synth.moving import Layer, at_frames, layered, lively, slow_frames
from foley.synth.recipe import MakesTexture, Mono, TextureRecipe
from foley.synth.resonators import ring_modes, thud
from foley.synth.rotation import harmonics, on_grid, period, played, rotating, wander
from foley.synth.textures import scatter, spectrum, stretched, tinted, unit_energy
from foley.units import RATE_HZ

WHIR = spectrum({100: -10, 300: -2, 800: 0, 2500: -5, 6000: -12, 14000: -24})


def _clacks(
    rng: np.random.Generator, build: np.random.Generator, material: Material, *, size: float, count: int = 6
) -> list[Signal]:
    """Return small parts that strike each other in a machine's case, of unit energy."""
    part = body(build, material, size=size, ring=0.12)
    made = []
    for _clack in range(count):
        gains = part.gains[:16] * np.exp(rng.normal(0, 0.3, 16))
        ring = ring_modes(part.modes_hz[:16], part.t60_s[:16], gains, length_samples(0.05))
        tick = noise_burst(rng, 0.012, low_hz=600.0, high_hz=6000.0)
        made.append(mixed(ring / np.abs(ring).max(), 0.5 * tick, 0.5 * thud(rng, build.uniform(130.0, 240.0), 0.03)))
    return unit_energy(made)


# --- sewing machine --------------------------------------------------------------------------------------------------

STITCH_PARTS = ((0.0, 1.0), (0.27, 0.45), (0.52, 0.8), (0.80, 0.35))
"""In one stitch: needle bar down, hook, take-up lever, feed dog; when, and how loud."""


def sewing_machine(
    rng: np.random.Generator,
    intensity: Mono,
    /,
    *,
    stitches_hz: float | str = 12.0,
    variant: float | str = 0,
    **_: float | str,
) -> Mono:
    """Return a sewing machine: needle, hook and lever clatter in every stitch over the motor's whir.

    Up to `stitches_hz` (2 to 25) stitches a second; intensity is the treadle.
    """
    count, build = len(intensity), character("sewing_machine", variant)
    full_hz = number(stitches_hz, 2.0, 25.0, "stitches_hz")
    drive = on_grid(intensity)
    hz = full_hz * (0.25 + 0.75 * drive) * (1 + 0.02 * wander(rng, count, 2.0, 2))
    shaft = rotating(hz, count, start=rng.random())
    numbers = np.arange(np.floor(shaft.turns[0]) - 1, shaft.turns[-1] + 1)
    sound = np.zeros(count)
    for place, level in STITCH_PARTS:
        at = shaft.when(numbers + place + 0.012 * rng.standard_normal(len(numbers)))
        levels = level * np.sqrt(RATE_HZ / full_hz) * np.exp(0.12 * rng.standard_normal(len(at)))
        clacks = _clacks(rng, build, STEEL, size=build.uniform(0.2, 0.9))
        sound += scatter(count, at, levels, grains=clacks, which=rng.integers(0, len(clacks), len(at)))
    sound *= 0.7
    sound += played(
        shaft, period(harmonics(7, 4.0), build), ratio=build.uniform(8.3, 11.7), level=0.25 * np.sqrt(drive)
    )
    whir = 0.30 * (0.3 + 0.7 * at_frames(intensity))
    sound += layered(rng, count, lively(rng, count, tinted(WHIR, build, 2.0), 0.8, level=whir))
    return settled(sound, np.sqrt(intensity), rms=1.12)


# --- printer ---------------------------------------------------------------------------------------------------------

PASS_S = 0.75
"""A carriage's pass over the page; then the paper moves on."""


def printer(
    rng: np.random.Generator,
    intensity: Mono,
    /,
    *,
    kind: float | str = "inkjet",
    variant: float | str = 0,
    **_: float | str,
) -> Mono:
    """Return a printer: the carriage whirs over the page and clacks at its end, then the paper is fed.

    `kind` is inkjet, matrix (its needles buzz) or copier (a lamp that glides, rollers, no carriage).
    """
    count, build = len(intensity), character(f"printer {kind}", variant)
    needles = choice({"inkjet": 0.0, "matrix": 1.1, "copier": 0.0}, kind, "kind")
    pass_s = PASS_S * build.uniform(0.85, 1.3) * (3.0 if kind == "copier" else 1.0)
    hz = np.full(len(on_grid(intensity)), 1.0 / pass_s) * (1 + 0.03 * wander(rng, count, 1.0))
    passes = rotating(hz, count, start=rng.random())
    phase = passes.turns % 1.0
    # it speeds up, glides, brakes; the last sixth is the paper's
    glide = np.clip(np.minimum(phase / 0.08, (0.84 - phase) / 0.08), 0.0, 1.0)
    feed = np.clip(np.minimum((phase - 0.85) / 0.02, (0.985 - phase) / 0.02), 0.0, 1.0)
    steps = rotating(build.uniform(330.0, 520.0) * (0.3 + 0.7 * glide), count)
    sound = played(steps, period(harmonics(8, 4.0), build), level=0.35 * glide)
    gears = rotating(build.uniform(180.0, 280.0) * (0.6 + 0.4 * feed), count)
    sound += played(gears, period(harmonics(12, 3.0), build), level=0.5 * feed)
    levels = at_frames(stretched(0.25 + 0.75 * glide + 0.9 * feed, count))
    sound += layered(rng, count, [Layer(tinted(WHIR, build, 2.0), 0.6 * levels)])
    if needles > 0.0:
        buzz = rotating(build.uniform(900.0, 1200.0) * (1 + 0.01 * wander(rng, count, 30.0)), count)
        printed = (wander(rng, count, 14.0) > -0.3) * glide
        sound += needles * played(buzz, period(harmonics(9, 2.0), build), level=0.35 * printed)
    ends = passes.when(
        np.arange(np.floor(passes.turns[0]), passes.turns[-1] + 1)[:, None] + np.array([0.0, 0.85])
    ).ravel()
    clacks = _clacks(rng, build, PLASTIC, size=0.7)
    hits = np.sqrt(RATE_HZ * pass_s / 2.0) * 0.15 * np.exp(0.2 * rng.standard_normal(len(ends)))
    sound += scatter(count, ends, hits, grains=clacks, which=rng.integers(0, len(clacks), len(ends)))
    return settled(sound, intensity, rms=0.60 if needles == 0.0 else 0.68)


# --- robot -----------------------------------------------------------------------------------------------------------

MOVES_HZ = 1.1
"""Moves of a joint a second."""


def robot(
    rng: np.random.Generator,
    intensity: Mono,
    /,
    *,
    size: float | str = 0.4,
    variant: float | str = 0,
    **_: float | str,
) -> Mono:
    """Return a robot that moves: three servos that start, whir and stop with clicks; `size` 0 a toy to 1 a giant.

    Pitch follows speed: a servo glides up as it starts and down as it stops.
    """
    count, build = len(intensity), character("robot", variant)
    large = number(size, 0.0, 1.0, "size")
    sound = np.zeros(count)
    for _joint in range(3):
        pace = rotating(
            MOVES_HZ * (1.3 - 0.6 * large) * (1 + 0.4 * wander(rng, count, 0.8, 2)), count, start=rng.random()
        )
        phase, move = pace.turns % 1.0, np.asarray(pace.turns, np.int64)
        draws = rng.random((3, int(move[-1]) + 2))
        rests = draws[0] < 0.45
        length = 0.35 + 0.55 * draws[1]
        ramp = np.clip(np.minimum(phase / 0.10, (length[move] - phase) / 0.12), 0.0, 1.0) * ~rests[move]
        target_hz = build.uniform(380.0, 900.0) * (1.0 - 0.75 * large) * (0.7 + 0.6 * draws[2])
        servo = rotating(target_hz[move] * (0.25 + 0.75 * ramp) * (1 + 0.004 * wander(rng, count, 20.0)), count)
        level = np.sqrt(ramp) * 0.55
        sound += played(servo, period(harmonics(10, 5.0), build), level=level)
        sound += played(
            servo, period({1: 1.0, 2: 0.6, 3: 0.3}, build), ratio=build.uniform(4.2, 6.8), level=0.35 * level
        )
        starts = pace.when(np.asarray(np.nonzero(~rests)[0], np.float64))
        stops = pace.when(np.nonzero(~rests)[0] + length[~rests])
        clicks = _clacks(rng, build, STEEL if large > 0.5 else PLASTIC, size=large)
        at = np.concatenate([starts, stops])
        levels = 9.0 * (1.0 + 1.5 * large) * np.exp(0.3 * rng.standard_normal(len(at)))
        sound += scatter(count, at, levels, grains=clicks, which=rng.integers(0, len(clicks), len(at)))
    whir = 0.10 * (1 + slow_frames(rng, count, 3.0) ** 2)
    sound += layered(rng, count, [Layer(tinted(WHIR, build, 2.0), whir)])
    return settled(sound, intensity, rms=0.62)


# --- pump ------------------------------------------------------------------------------------------------------------

SUCTION = spectrum({60: -8, 200: -1, 500: 0, 1500: -4, 5000: -12, 12000: -24})


def pump(
    rng: np.random.Generator,
    intensity: Mono,
    /,
    *,
    strokes_hz: float | str = 1.5,
    variant: float | str = 0,
    **_: float | str,
) -> Mono:
    """Return a pump or compressor: `strokes_hz` (0.3 to 30) strokes that suck and push, valves that clap, a motor."""
    count, build = len(intensity), character("pump", variant)
    rate_hz = number(strokes_hz, 0.3, 30.0, "strokes_hz")
    shaft = rotating(rate_hz * (0.6 + 0.4 * on_grid(intensity)) * (1 + 0.02 * wander(rng, count, 1.0, 2)), count)
    phase = 2 * np.pi * (shaft.turns + rng.random())
    push = stretched(np.maximum(0.0, np.sin(phase)) ** 0.7 + 0.6 * np.maximum(0.0, -np.sin(phase)), count)
    sound = layered(rng, count, lively(rng, count, tinted(SUCTION, build, 2.0), 1.0, level=1.0)) * push
    numbers = np.arange(np.floor(shaft.turns[0]) - 1, shaft.turns[-1] + 1)[:, None] + np.array([0.0, 0.5])
    at = shaft.when(numbers.ravel() + 0.01 * rng.standard_normal(numbers.size))
    claps = _clacks(rng, build, STEEL, size=0.8)
    levels = 0.35 * np.sqrt(RATE_HZ / rate_hz / 2.0) * np.exp(0.15 * rng.standard_normal(len(at)))
    sound += scatter(count, at, levels, grains=claps, which=rng.integers(0, len(claps), len(at)))
    motor = rotating(build.uniform(24.0, 49.0) * (1 - 0.01 * np.sin(phase)), count)
    sound += played(motor, period(harmonics(12, 3.0), build), level=np.full(len(phase), 0.20))
    return settled(sound, np.sqrt(intensity), rms=0.74)


def _recipe(name: str, make: MakesTexture, source: str) -> TextureRecipe:
    return TextureRecipe(name, "machines", make, defaults_of(make), source)


RECIPES = (
    _recipe("sewing_machine", sewing_machine, "a stitch: needle, hook, take-up, feed"),
    _recipe("printer", printer, "stepper motors: steps as tones"),
    _recipe("robot", robot, "servos: pitch follows speed"),
    _recipe("pump", pump, "Farnell 2010"),
)
