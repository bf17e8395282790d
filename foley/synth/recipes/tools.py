"""Tools: powered ones, and those that hands move."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from foley.synth.chain import delayed, mixed, peak_of, recorded_hit, tilted
from foley.synth.engines import Engine, exhaust
from foley.synth.excitation import Signal, high_passed, length_samples, low_passed, noise_burst
from foley.synth.finish import character, choice, defaults_of, number, settled
from foley.synth.materials import MATERIALS, SHEET, STEEL, body
from foley.synth.moving import Layer, at_frames, layered, lively, slow_frames
from foley.synth.parts import row, tick
from foley.synth.recipe import HitRecipe, Mono, TextureRecipe
from foley.synth.resonators import resonant_grains, ring_modes, thud
from foley.synth.rotation import harmonics, on_grid, period, played, rotating, wander
from foley.synth.strokes import answer, strokes, through
from foley.synth.textures import scatter, shower, spectrum, stretched, tinted, unit_energy
from foley.units import RATE_HZ

# --- chainsaw --------------------------------------------------------------------------------------------------------

CHAINSAW = Engine(
    1, 2900, 8500, 4200, 130, (0.28, 0.11, 0.06), 0.05, 0.22, 0.03, roughness=0.45, strokes=2, exhaust_gain=20.0
)
"""A two-stroke that fires at every turn through hardly any muffler."""

CHAIN = spectrum({100: -22, 600: -6, 1500: -2, 3500: 0, 7000: -4, 14000: -14})


def chainsaw(rng: np.random.Generator, intensity: Mono, /, *, variant: float | str = 0, **_: float | str) -> Mono:
    """Return a chainsaw: its two-stroke engine and the chain's hiss; it labours in the wood all the time.

    Intensity is the throttle: it idles near 0 and cuts at 1. Engine and chain swell together by some decibels as the
    hands lean on it and ease off: recorded saws' bands are correlated by 0.6.
    """
    build, count = character("chainsaw", variant), len(intensity)
    drive = on_grid(intensity)
    leaning = wander(rng, count, 0.7, 4)
    # the finger lets go of the throttle for a moment, again and again: a saw never runs at one speed for long
    easing = np.clip(1.5 * wander(rng, count, 1.2, 4) - 0.4, 0.0, 1.0)
    drive = drive * (1 - 0.45 * easing)
    rpm = (CHAINSAW.idle_rpm + (CHAINSAW.full_rpm - CHAINSAW.idle_rpm) * drive) * (1 - 0.08 * np.maximum(leaning, -1.0))
    sound = exhaust(rng, build, CHAINSAW, rpm=rpm, samples=count)
    bite = 0.25 * (0.3 + 0.7 * at_frames(intensity))
    sound += layered(rng, count, lively(rng, count, tinted(CHAIN, build, 1.5), 1.0, level=bite))
    # so small a machine hardly radiates bass
    sound = tilted(sound, 1.8, 700.0)
    sound *= stretched(10 ** (0.12 * leaning - 0.3 * easing), count)
    return settled(sound, np.sqrt(intensity), rms=1.08)


# --- drill -----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Drill:
    """A motor, its gears, and what its bit does to the work."""

    turns_hz: float
    """Of the motor."""
    gear: float
    """Teeth that meet, per turn of the motor."""
    whine: float
    chips: float
    """Noise of what is cut."""
    blows_hz: float = 0.0


DRILLS = {
    "power": Drill(260.0, 6.0, 0.9, 0.5),
    "hammer": Drill(280.0, 7.0, 0.7, 0.5, 46.0),
    "screwdriver": Drill(190.0, 5.0, 1.0, 0.15),
    "dentist": Drill(4200.0, 1.0, 0.9, 0.35),
}
CHIPS = spectrum({100: -14, 400: -3, 1200: 0, 3000: -3, 7000: -10, 14000: -20})


def drill(
    rng: np.random.Generator,
    intensity: Mono,
    /,
    *,
    kind: float | str = "power",
    variant: float | str = 0,
    **_: float | str,
) -> Mono:
    """Return a power, hammer or dentist's drill or a screwdriver: intensity is its speed; it sags as it bites."""
    count, build, type_ = len(intensity), character(f"drill {kind}", variant), choice(DRILLS, kind, "kind")
    bite = np.maximum(wander(rng, count, 0.9, 4), -0.5)
    hz = type_.turns_hz * build.uniform(0.92, 1.08) * (0.35 + 0.65 * on_grid(intensity)) * (1 - 0.04 * bite)
    shaft = rotating(hz, count, start=rng.random())
    rasp = harmonics(int(np.clip(15_000.0 / type_.turns_hz / type_.gear, 1, 8)), 5.0)
    sound = played(shaft, period(rasp, build), ratio=type_.gear, level=0.8 * type_.whine * 10 ** (0.08 * bite))
    sound += played(shaft, period(harmonics(5, 4.0), build), level=np.full(len(hz), 0.25 * type_.whine))
    cut = type_.chips * 10 ** (0.15 * at_frames(stretched(bite, count)))
    layers = lively(rng, count, tinted(CHIPS, build, 2.0), 1.0, level=cut * (0.3 + 0.7 * at_frames(intensity)))
    sound += layered(rng, count, layers)
    if type_.blows_hz > 0.0:
        sound += 1.2 * _blows(rng, build, intensity, rate_hz=type_.blows_hz, dull_s=0.012)
    loud = np.sqrt(0.75 * type_.whine**2 + 1.3 * type_.chips**2 + (1.4 if type_.blows_hz else 0.0))
    return settled(sound, np.sqrt(intensity), rms=float(loud))


def _blows(
    rng: np.random.Generator, build: np.random.Generator, drive: Mono, *, rate_hz: float, dull_s: float
) -> Signal:
    """Return a tool's blows on stone, RMS about 1 at full speed: steel rings shortly, stone cracks."""
    count = len(drive)
    piston = rotating(rate_hz * (0.6 + 0.4 * on_grid(drive)) * (1 + 0.01 * wander(rng, count, 2.0, 2)), count)
    numbers = np.arange(np.floor(piston.turns[0]) - 2, piston.turns[-1] + 1)
    at = piston.when(numbers + rng.random() + 0.02 * rng.standard_normal(len(numbers)))
    chisel = body(build, STEEL, size=0.8, ring=0.08)
    made = []
    for _blow in range(10):
        gains = chisel.gains[:20] * np.exp(rng.normal(0, 0.3, 20))
        ring = ring_modes(chisel.modes_hz[:20], 0.4 * chisel.t60_s[:20], gains, length_samples(0.06))
        crack = noise_burst(rng, 2.0 * dull_s, low_hz=250.0, high_hz=4500.0)
        ground = thud(rng, build.uniform(85.0, 120.0), 0.07)
        made.append(mixed(0.5 * ring / np.abs(ring).max(), 1.0 * crack, 0.9 * ground))
    levels = np.sqrt(RATE_HZ / rate_hz) * np.exp(0.2 * rng.standard_normal(len(at)))
    return scatter(count, at, levels, grains=unit_energy(made), which=rng.integers(0, 10, len(at)))


# --- grinder, welder, jackhammer -------------------------------------------------------------------------------------

SPARKS = spectrum({200: -26, 1000: -9, 2500: -2, 5000: 0, 9000: -3, 16000: -10})
DISCS = {"grinder": (185.0, 9.0, 1.0), "circular_saw": (85.0, 24.0, 0.8)}
"""Turns a second, teeth of gear or blade, noise of what is cut."""


def grinder(
    rng: np.random.Generator,
    intensity: Mono,
    /,
    *,
    kind: float | str = "grinder",
    variant: float | str = 0,
    **_: float | str,
) -> Mono:
    """Return a grinder or circular_saw: it howls free when intensity is low, and labours in sparks when high."""
    count, build = len(intensity), character(f"grinder {kind}", variant)
    turns_hz, teeth, cut = choice(DISCS, kind, "kind")
    press = np.clip(0.6 + 0.4 * wander(rng, count, 1.2, 4), 0.0, 1.6) * on_grid(intensity)
    hz = turns_hz * build.uniform(0.92, 1.08) * (1.0 - 0.10 * press) * (1 + 0.002 * wander(rng, count, 5.0))
    shaft = rotating(hz, count, start=rng.random())
    howl = 10 ** (0.06 * wander(rng, count, 3.0, 2))
    sound = played(shaft, period(harmonics(8, 3.5), build), ratio=teeth, level=0.5 * howl)
    sound += played(shaft, period(harmonics(6, 3.0), build), level=0.35 * howl)
    contact = cut * at_frames(stretched(press, count)) * 10 ** (0.08 * slow_frames(rng, count, 14.0))
    layers = [Layer(tinted(SPARKS, build, 2.0), contact), Layer(CHIPS, 0.35 + 0.3 * contact)]
    sound += layered(rng, count, layers)
    return settled(sound, np.sqrt(intensity), rms=1.0)


ARC = spectrum({80: -10, 300: -4, 1000: 0, 3000: -1, 7000: -5, 15000: -14})


def welding(rng: np.random.Generator, intensity: Mono, /, *, variant: float | str = 0, **_: float | str) -> Mono:
    """Return arc welding: the arc buzzes at twice the mains, sputters as drops fall, and breaks for moments."""
    count, build = len(intensity), character("welding", variant)
    arc = rotating(np.full(len(on_grid(intensity)), 100.0 * build.choice([1.0, 1.2])), count, start=rng.random())
    gate = np.asarray(0.25 + 1.5 * np.abs(np.sin(np.pi * np.arange(4096) / 4096)) ** 3, np.float32)
    burning = np.clip(1.0 + 0.5 * wander(rng, count, 4.0, 3), 0.05, 2.0)
    sound = played(arc, gate, level=burning)
    sound *= 0.6 * layered(rng, count, [Layer(tinted(ARC, build, 2.0), 1.0)])
    spatter = resonant_grains(rng, 900.0, 8000.0, quality=(0.8, 3.0), decay_s=0.002, count=48)
    sound += 0.5 * shower(rng, count, spatter, rate_hz=1200.0, sigma=0.7)
    return settled(sound, intensity, rms=0.86)


RELEASE = spectrum({100: -10, 300: -2, 900: 0, 2500: -2, 6000: -6, 14000: -16})


def jackhammer(
    rng: np.random.Generator,
    intensity: Mono,
    /,
    *,
    blows_hz: float | str = 21.0,
    variant: float | str = 0,
    **_: float | str,
) -> Mono:
    """Return a pneumatic hammer: `blows_hz` (8 to 35) blows of a chisel on concrete, each with its puff of air."""
    build, count = character("jackhammer", variant), len(intensity)
    rate_hz = number(blows_hz, 8.0, 35.0, "blows_hz")
    sound = _blows(rng, build, intensity, rate_hz=rate_hz, dull_s=0.022)
    air = 10 ** (0.1 * slow_frames(rng, count, 6.0, 2))
    sound += 0.45 * layered(rng, count, lively(rng, count, tinted(RELEASE, build, 1.5), 1.0, level=air))
    return settled(sound, np.sqrt(intensity), rms=1.15)


# --- by hand ---------------------------------------------------------------------------------------------------------

RASP = spectrum({150: -18, 500: -6, 1200: 0, 3000: -2, 6000: -8, 14000: -20})
HISS = spectrum({200: -26, 700: -12, 2000: -2, 4500: 0, 9000: -4, 16000: -12})


def saw(
    rng: np.random.Generator,
    intensity: Mono,
    /,
    *,
    material: float | str = "wood",
    strokes_hz: float | str = 1.4,
    variant: float | str = 0,
    **_: float | str,
) -> Mono:
    """Return a hand saw in wood, steel or any other material: teeth that tear on the push and slide on the pull.

    `strokes_hz` 0 to 5; 0 where intensity itself follows the hand.
    """
    build, count = character(f"saw {material}", variant), len(intensity)
    work = body(build, choice(MATERIALS, material, "material"), size=0.4, ring=0.5)
    moves = strokes(rng, intensity, number(strokes_hz, 0.0, 5.0, "strokes_hz"))
    force = moves.speed * (0.3 + 0.7 * moves.forward)
    teeth_hz = build.uniform(140.0, 260.0) * np.maximum(moves.speed, 0.05)
    teeth = played(rotating(teeth_hz, count), period(harmonics(7, 3.0), build), level=0.45 * force)
    rough = layered(rng, count, [Layer(tinted(RASP, build, 2.0), 1.0)])
    tearing = (teeth + 0.8) * rough * stretched(force, count)
    blade = body(build, STEEL, size=0.5, ring=0.15)
    sound = 0.75 * tearing + 0.8 * through(tearing, answer(work)) + 0.5 * through(tearing, answer(blade))
    return settled(sound, intensity, rms=0.95 if strokes_hz else 1.4)


def sanding(
    rng: np.random.Generator,
    intensity: Mono,
    /,
    *,
    grain: float | str = 0.4,
    strokes_hz: float | str = 1.6,
    variant: float | str = 0,
    **_: float | str,
) -> Mono:
    """Return sandpaper, a file or a plane on wood: hissing strokes, brighter the faster they go.

    `grain` 0 fine to 1 coarse; `strokes_hz` 0 to 5, 0 where intensity itself follows the hand.
    """
    build, count = character("sanding", variant), len(intensity)
    coarse = number(grain, 0.0, 1.0, "grain")
    moves = strokes(rng, intensity, number(strokes_hz, 0.0, 5.0, "strokes_hz"))
    speed = at_frames(stretched(moves.speed * (0.75 + 0.25 * moves.forward), count))
    layers = [
        Layer(tinted(HISS, build, 2.0), (1.0 - 0.5 * coarse) * speed**1.5),
        Layer(tinted(RASP, build, 2.0), (0.35 + 0.6 * coarse) * speed),
    ]
    sound = layered(rng, count, layers)
    board = body(build, MATERIALS["wood"], size=0.7, ring=0.6)
    sound += 0.35 * through(sound, answer(board))
    grit = resonant_grains(rng, 1200.0, 7000.0, quality=(0.8, 2.5), decay_s=0.002, count=48)
    curve = np.clip(stretched(moves.speed, count), 0.0, 1.0)
    sound += 0.35 * coarse * shower(rng, count, grit, rate_hz=900.0, sigma=0.9, curve=curve)
    return settled(sound, intensity, rms=0.75 if strokes_hz else 1.1)


EARTH = {
    "soil": (350.0, 2600.0, 420.0, 0.30),
    "sand": (600.0, 3200.0, 1500.0, 0.22),
    "gravel": (500.0, 4200.0, 700.0, 0.34),
    "snow": (300.0, 1800.0, 600.0, 0.32),
}
"""Range of the grains' pitches, grains a second, and how long the blade cuts."""


def shovel(
    rng: np.random.Generator,
    strength: float,
    /,
    *,
    ground: float | str = "soil",
    variant: float | str = 0,
    **_: float | str,
) -> Mono:
    """Return a shovel that bites into soil, sand, gravel or snow: steel strikes the ground, then grates into it."""
    low_hz, high_hz, grains_hz, cut_s = choice(EARTH, ground, "ground")
    chance = character("shovel", variant)
    blade = tick(rng, body(chance, SHEET, size=0.3, ring=0.10), strength, rough=0.6)
    cut_s *= rng.uniform(0.85, 1.2)
    length = length_samples(cut_s)
    force = np.sin(np.pi * np.sqrt(np.linspace(0.0, 1.0, length))) ** 0.8
    pieces = resonant_grains(rng, low_hz, high_hz, quality=(1.5, 5.0), decay_s=0.006, count=24)
    crunch = shower(rng, length, pieces, rate_hz=2.0 * grains_hz, sigma=0.8, curve=force) * force
    grate = high_passed(rng.standard_normal(length), 900.0, 1) * force
    bite = mixed(peak_of(blade), 0.8 * thud(rng, chance.uniform(80.0, 120.0), 0.09, noise=0.6))
    sound = mixed(bite, 0.9 * peak_of(crunch), 0.12 * peak_of(grate))
    return recorded_hit(rng, sound, strength, ring_s=0.6, wet=0.25)


def ratchet(rng: np.random.Generator, strength: float, /, *, variant: float | str = 0, **_: float | str) -> Mono:
    """Return one swing of a ratchet: the pawl falls over 5 to 9 teeth, 20 to 40 a second, fastest in its middle."""
    chance = character("ratchet", variant)
    pawl = body(chance, STEEL, size=0.15, ring=0.08)
    teeth = int(rng.integers(5, 10))
    swing = np.sin(np.pi * (np.arange(teeth) + 0.7) / (teeth + 0.4))
    gaps_s = 0.028 / np.maximum(swing, 0.4) * np.exp(0.05 * rng.standard_normal(teeth))
    levels = (0.8 + 0.2 * swing) * np.exp(0.1 * rng.standard_normal(teeth))
    levels[0] = 1.0
    clicks = [tick(rng, pawl, strength, rough=0.5) for _ in range(3)]
    sound = mixed(row(rng, clicks, gaps_s=gaps_s, levels=levels), 0.2 * thud(rng, chance.uniform(250.0, 400.0), 0.03))
    return recorded_hit(rng, sound, strength, ring_s=0.8)


SNIP_LEAD_S = 0.10
"""The blades slide on each other before they meet."""


def scissors(rng: np.random.Generator, strength: float, /, *, variant: float | str = 0, **_: float | str) -> Mono:
    """Return one snip: two blades slide, brighter as their crossing runs to the tips, and meet with a thin click."""
    chance = character("scissors", variant)
    length = length_samples(SNIP_LEAD_S)
    rise = np.linspace(0.0, 1.0, length)
    grains = np.repeat(np.exp(0.5 * rng.standard_normal(length // 96 + 1)), 96)[:length]
    rub = high_passed(rng.standard_normal(length) * grains, 2500.0, 1)
    dull = low_passed(rub, 5000.0, 1)
    slide = (dull + (rub - dull) * rise) * rise**0.7 * np.minimum(1.0, 12.0 * (1.0 - rise) + 0.25)
    blade = body(chance, STEEL, size=0.25, ring=0.12)
    click = mixed(tick(rng, blade, strength, rough=0.6), delayed(0.35 * tick(rng, blade, 0.6 * strength), 0.011))
    sound = mixed(0.22 * peak_of(slide), delayed(click, SNIP_LEAD_S))
    return recorded_hit(rng, sound, strength, ring_s=0.35, lead_s=SNIP_LEAD_S)


HAND = "van den Doel, Kry & Pai 2001"

RECIPES = (
    TextureRecipe("chainsaw", "tools", chainsaw, defaults_of(chainsaw), "Baldan et al. 2015"),
    TextureRecipe("drill", "tools", drill, defaults_of(drill), "universal motor and gears; Baldan et al. 2015"),
    TextureRecipe("grinder", "tools", grinder, defaults_of(grinder), "universal motor and gears; Baldan et al. 2015"),
    TextureRecipe("welding", "tools", welding, defaults_of(welding), "an arc lights twice a mains period"),
    TextureRecipe(
        "jackhammer", "tools", jackhammer, defaults_of(jackhammer), "pavement breakers: 1000 to 1600 blows a minute"
    ),
    TextureRecipe("saw", "tools", saw, defaults_of(saw), HAND),
    TextureRecipe("sanding", "tools", sanding, defaults_of(sanding), HAND),
    HitRecipe(
        "shovel", "tools", shovel, defaults_of(shovel), ring_s=0.6, source="grains under a force curve: Cook 1997"
    ),
    HitRecipe("ratchet", "tools", ratchet, defaults_of(ratchet), ring_s=0.8, source="a pawl over 24 to 72 teeth"),
    HitRecipe(
        "scissors",
        "tools",
        scissors,
        defaults_of(scissors),
        lead_s=SNIP_LEAD_S,
        ring_s=0.35,
        source="blades that cross",
    ),
)
