"""Scraping, rolling, dragging, sliding, writing: intensity is the speed.

Sources: K. van den Doel, P. Kry, D. Pai, "FoleyAutomatic: physically-based sound effects for interactive simulation
and animation", SIGGRAPH 2001 (scraping: surface noise read at the speed of contact); M. Rath, "An expressive real-time
sound model of rolling", DAFx 2003 (rolling: micro-impacts, modulated once a turn); F. Avanzini, S. Serafin,
D. Rocchesso, "Interactive simulation of rigid body interaction with friction-induced sound generation", IEEE Trans.
SAP 13, 2005 (stick and slip).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from foley.synth.excitation import Signal, high_passed, length_samples, low_passed, slips
from foley.synth.finish import character, choice, defaults_of, number, settled
from foley.synth.materials import MATERIALS, body, struck
from foley.synth.moving import Layer, at_frames, layered, slow_frames
from foley.synth.recipe import MakesTexture, Mono, TextureRecipe
from foley.synth.resonators import resonant_grains, ring_modes
from foley.synth.rotation import harmonics, on_grid, period, played, rotating, wander
from foley.synth.strokes import answer, strokes, through
from foley.synth.textures import (
    Spectrum,
    cycles,
    heavy,
    scatter,
    shower,
    slow_random,
    spectrum,
    stretched,
    tinted,
    unit_energy,
)
from foley.units import RATE_HZ


def scrape(
    rng: np.random.Generator,
    intensity: Mono,
    /,
    *,
    material: float | str = "stone",
    size: float | str = 0.5,
    grain: float | str = 0.5,
    variant: float | str = 0,
    **_: float | str,
) -> Mono:
    """Return something dragged over a surface: asperities that catch, in the object's own modes, brighter when faster.

    `size` 0 small to 1 large; `grain` 0 fine as sandpaper, 1 coarse as gravel.
    """
    extent, coarse = number(size, 0.0, 1.0, "size"), number(grain, 0.0, 1.0, "grain")
    thing = body(character(f"scrape {material}", variant), choice(MATERIALS, material, "material"), size=extent)
    count = len(intensity)
    speed = np.clip(intensity.astype(np.float64), 0.0, 1.0)
    surface = high_passed(rng.standard_normal(count), 400.0 + 1500.0 * (1.0 - coarse), 1)
    surface /= 0.97  # RMS of white noise above such a corner
    catches = np.maximum(0.0, surface - 0.8) * 2.0 + 0.25 * surface
    catches *= np.clip(1.0 + 0.35 * slow_random(rng, count, 12.0, 2), 0.1, None)
    slow = low_passed(catches, 900.0, 1)
    traced = speed * catches + (1.0 - speed) * 2.0 * slow  # a slow contact reads the surface at lower frequencies
    return settled(0.7 * through(traced, answer(thing)) + 0.4 * traced, intensity, rms=0.60)


def roll(
    rng: np.random.Generator,
    intensity: Mono,
    /,
    *,
    material: float | str = "wood",
    radius_m: float | str = 0.03,
    variant: float | str = 0,
    **_: float | str,
) -> Mono:
    """Return a ball or wheel that rolls: 700 micro-impacts a second at full speed, stronger once a turn.

    It turns v / (2 pi r) times a second, at 1 m/s for full intensity; `radius_m` 0.003 to 1.
    """
    chance = character(f"roll {material}", variant)
    radius = number(radius_m, 0.003, 1.0, "radius_m")
    thing = body(chance, choice(MATERIALS, material, "material"), size=0.6, ring=0.5)
    count = len(intensity)
    speed = np.clip(intensity.astype(np.float64), 0.0, 1.0)
    turns = cycles(speed / (2.0 * np.pi * radius))
    uneven = 1.0 + 0.5 * np.sin(2.0 * np.pi * (turns + chance.random()))
    longest = length_samples(0.12)
    knocks = unit_energy([struck(rng, thing, 0.4, hardness=0.5, noise=0.5)[:longest] for _ in range(8)])
    rumble = shower(rng, count, knocks, rate_hz=700.0, sigma=0.9, curve=speed)
    return settled(low_passed(rumble, 4500.0, 1) * uneven, intensity, rms=1.03)


# --- furniture -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Furniture:
    """What is dragged over a floor."""

    slips_hz: float
    """At full speed: its legs stick and slip."""
    legs_hz: tuple[float, float]
    """Range of the modes that a slip excites."""
    t60_s: float
    rub: float
    """RMS of the rubbing re the slips."""
    squeal: float
    """RMS of what a leg sings now and then."""


FURNITURE = {
    "chair": Furniture(95.0, (220.0, 2400.0), 0.05, 0.45, 0.35),
    "heavy": Furniture(38.0, (90.0, 1100.0), 0.09, 0.75, 0.10),
    "metal": Furniture(120.0, (350.0, 5200.0), 0.12, 0.40, 0.60),
    "crate": Furniture(30.0, (110.0, 1600.0), 0.07, 1.00, 0.0),
}
FLOOR_RUB = spectrum({50: -8, 120: 0, 350: -1, 1000: -7, 3000: -14, 8000: -26})


def drag(
    rng: np.random.Generator,
    intensity: Mono,
    /,
    *,
    kind: float | str = "chair",
    variant: float | str = 0,
    **_: float | str,
) -> Mono:
    """Return furniture dragged over a floor: a wooden chair, something heavy, a metal chair, a crate.

    Its legs judder: they stick and slip 30 to 120 times a second, the faster the quicker it is pulled, each slip of
    its own strength; a leg that slips evenly for a moment squeals.
    """
    count, build, type_ = len(intensity), character(f"drag {kind}", variant), choice(FURNITURE, kind, "kind")
    speed = np.clip(intensity.astype(np.float64), 0.0, 1.0)
    pull = on_grid(intensity) * np.clip(1.0 + 0.3 * wander(rng, count, 3.0, 3), 0.15, 1.6)
    at = slips(rng, stretched(np.where(pull > 0.01, type_.slips_hz * np.sqrt(pull), 0.0), count), 0.25)
    low, high = np.log(type_.legs_hz)
    f = np.sort(np.exp(build.uniform(low, high, 18)))
    gains = 10.0 ** (-2.0 * np.log2(f / f[0]) / 20.0)
    judders = []
    for _slip in range(12):
        uneven = gains * np.exp(rng.normal(0.0, 0.35, 18))
        phases = rng.uniform(-0.6, 0.6, 18)
        judders.append(ring_modes(f, type_.t60_s * (f / 500.0) ** -0.5, uneven, length_samples(0.12), phases=phases))
    levels = heavy(rng, len(at), 0.5) * np.sqrt(RATE_HZ / type_.slips_hz)
    sound = 0.75 * scatter(count, at, levels, grains=unit_energy(judders), which=rng.integers(0, 12, len(at)))
    rub = type_.rub * 10 ** (0.12 * slow_frames(rng, count, 9.0, 2)) * np.sqrt(at_frames(speed))
    sound += layered(rng, count, [Layer(tinted(FLOOR_RUB, build, 2.0), rub)])
    if type_.squeal > 0.0:
        sound += type_.squeal * _squeal(rng, build, intensity)
    return settled(sound, intensity, rms=float(np.sqrt(0.9 + 1.1 * type_.rub**2 + 0.4 * type_.squeal**2)))


def _squeal(rng: np.random.Generator, build: np.random.Generator, intensity: Mono) -> Signal:
    """Return a leg that sings for moments: even stick and slip locked to one of its modes."""
    count = len(intensity)
    hz = build.uniform(380.0, 900.0) * (0.85 + 0.15 * on_grid(intensity)) * (1 + 0.015 * wander(rng, count, 6.0, 3))
    sings = np.clip(1.4 * wander(rng, count, 1.6, 2) - 0.6, 0.0, 1.5)
    return played(rotating(hz, count, start=rng.random()), period(harmonics(12, 4.5), build), level=sings)


# --- what slides in a frame ------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Slider:
    """Something that slides in runners."""

    rub: Spectrum
    material: str
    size: float
    rattles_hz: float
    """Knocks a second of what is loose."""
    box: float
    """Level of the body's answer."""
    loud: float
    """RMS of all of it, measured."""


SLIDERS = {
    "drawer": Slider(
        spectrum({60: -6, 160: 0, 450: -1, 1200: -6, 3500: -14, 9000: -26}), "hollow", 0.4, 28.0, 1.0, 3.10
    ),
    "window": Slider(
        spectrum({100: -8, 300: -1, 900: 0, 2500: -4, 6000: -12, 12000: -24}), "wood", 0.7, 14.0, 0.7, 1.65
    ),
    "glass_door": Slider(
        spectrum({40: -2, 100: 0, 300: -4, 900: -9, 3000: -18, 9000: -30}), "glass", 1.0, 9.0, 0.25, 1.05
    ),
    "curtain": Slider(spectrum({200: -14, 800: -4, 2500: 0, 6000: -3, 12000: -12}), "steel", 0.05, 40.0, 0.3, 0.97),
}


def slide(
    rng: np.random.Generator,
    intensity: Mono,
    /,
    *,
    kind: float | str = "drawer",
    variant: float | str = 0,
    **_: float | str,
) -> Mono:
    """Return a drawer, window, glass_door or curtain that slides in its runners, with what rattles in it."""
    count, build, type_ = len(intensity), character(f"slide {kind}", variant), choice(SLIDERS, kind, "kind")
    thing = body(build, MATERIALS[type_.material], size=type_.size, ring=0.4)
    jerks = 10 ** (0.15 * slow_frames(rng, count, 11.0, 2)) * (0.4 + 0.6 * at_frames(intensity))
    rub = layered(rng, count, [Layer(tinted(type_.rub, build, 2.0), jerks)])
    sound = 0.7 * rub + 0.7 * type_.box * through(rub, answer(thing))
    knocks = unit_energy([struck(rng, thing, 0.3, hardness=0.7)[: length_samples(0.1)] for _ in range(6)])
    curve = np.asarray(intensity, np.float64)
    sound += 0.45 * shower(rng, count, knocks, rate_hz=type_.rattles_hz, sigma=0.7, curve=curve)
    return settled(sound, intensity, rms=type_.loud)


# --- writing ---------------------------------------------------------------------------------------------------------

PENS = {
    "pencil": (spectrum({200: -22, 700: -10, 1800: -3, 4000: 0, 8000: -5, 14000: -16}), 1100.0, 0.25),
    "pen": (spectrum({150: -16, 500: -6, 1500: 0, 3500: -2, 7000: -9, 14000: -22}), 500.0, 0.25),
    "chalk": (spectrum({200: -14, 600: -4, 1600: 0, 3500: -1, 7000: -8, 14000: -20}), 1800.0, 0.30),
    "marker": (spectrum({150: -18, 500: -8, 1200: 0, 2500: -3, 6000: -14, 14000: -28}), 200.0, 0.10),
}
"""Colour of the hiss, fibres or crumbs a second, and their share."""

LETTERS_HZ = 3.4
"""Down and up strokes a second of a fluent hand, as pairs."""


def write(
    rng: np.random.Generator,
    intensity: Mono,
    /,
    *,
    kind: float | str = "pencil",
    variant: float | str = 0,
    **_: float | str,
) -> Mono:
    """Return a pencil, pen, chalk or marker that writes: quick uneven strokes, words, the table's answer."""
    count, build = len(intensity), character(f"write {kind}", variant)
    shape, crumbs_hz, share = choice(PENS, kind, "kind")
    moves = strokes(rng, intensity, LETTERS_HZ * build.uniform(0.85, 1.2), pause=0.10)
    words = 0.15 + 0.85 / (1.0 + np.exp(-10.0 * (wander(rng, count, 2.2) + 0.8)))
    speed = stretched(moves.speed * (0.6 + 0.4 * moves.forward) * words, count)
    sound = layered(rng, count, [Layer(tinted(shape, build, 2.0), 1.0)]) * speed
    fibres = resonant_grains(rng, 900.0, 7000.0, quality=(0.8, 2.5), decay_s=0.002, count=48)
    sound += share * shower(rng, count, fibres, rate_hz=crumbs_hz, sigma=0.6, curve=np.clip(speed, 0.0, 1.0))
    table = body(build, MATERIALS["hollow" if kind != "chalk" else "stone"], size=0.3, ring=0.6)
    sound += 0.22 * through(sound, answer(table))
    return settled(sound, intensity, rms=0.50 + 0.25 * share)


def _recipe(name: str, make: MakesTexture, source: str) -> TextureRecipe:
    return TextureRecipe(name, "friction", make, defaults_of(make), source)


DOEL = "van den Doel, Kry & Pai 2001"

RECIPES = (
    _recipe("scrape", scrape, DOEL),
    _recipe("roll", roll, "Rath 2003"),
    _recipe("drag", drag, "stick and slip: Avanzini et al. 2005"),
    _recipe("slide", slide, DOEL),
    _recipe("write", write, DOEL),
)
