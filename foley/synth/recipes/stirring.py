"""Stirring and whisking: a spoon goes round and touches the wall, wires beat through what they mix.

Intensity is how briskly one stirs: it sets the pace of the strokes as well as their force.

Sources: K. van den Doel, P. Kry, D. Pai, "FoleyAutomatic", SIGGRAPH 2001 (scraping); K. van den Doel, "Physically based
models for liquid sounds", ACM Trans. Applied Perception 2, 2005 (bubbles in what is stirred).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from foley.synth.bubbles import bubbles
from foley.synth.contacts import takes_of
from foley.synth.excitation import Signal, length_samples, low_passed
from foley.synth.finish import character, choice, defaults_of, number, settled
from foley.synth.materials import CERAMIC, GLASS, PLASTIC, STEEL, WOOD, Material, body
from foley.synth.recipe import Mono, TextureRecipe
from foley.synth.resonators import resonance
from foley.synth.textures import (
    cycles,
    heavy,
    heavy_power,
    noise,
    scatter,
    shower,
    slow_random,
    spectrum,
    tinted,
    unit_energy,
)
from foley.units import RATE_HZ


@dataclass(frozen=True, slots=True)
class Vessel:
    """What something is stirred in."""

    material: Material
    size: float
    ring: float


VESSELS = {
    "cup": Vessel(CERAMIC, 0.3, 0.6),
    "glass": Vessel(GLASS, 0.5, 0.5),
    "pot": Vessel(STEEL, 0.7, 0.12),
    "bowl": Vessel(CERAMIC, 0.9, 0.4),
    "steel bowl": Vessel(STEEL, 0.6, 0.25),
    "plastic bowl": Vessel(PLASTIC, 0.8, 0.6),
}
TOOLS = {"spoon": (STEEL, 1.0), "wooden spoon": (WOOD, 0.8)}
"""With its hardness."""

GLIDE = spectrum({300: -20, 900: -8, 2200: 0, 5000: -2, 9000: -8, 16_000: -22})
WIRES = spectrum({250: -22, 900: -8, 2500: -1, 5500: 0, 9000: -3, 14_000: -12, 20_000: -24})
SLOSH = spectrum({60: -14, 180: -3, 450: 0, 1000: -6, 2500: -16, 7000: -30})


def stir(
    rng: np.random.Generator,
    intensity: Mono,
    /,
    *,
    vessel: float | str = "cup",
    tool: float | str = "spoon",
    wet: float | str = 0.5,
    variant: float | str = 0,
    **_: float | str,
) -> Mono:
    """Return a spoon that goes round: it glides along the wall, knocks on it two or three times a turn, and sloshes.

    Args:
        rng: Source of chance.
        intensity: 0 to 1: from one turn in a second to two and a half.
        vessel: One of `VESSELS`.
        tool: One of `TOOLS`.
        wet: 0 dry (sugar, a mix) to 1 thin (tea).
        variant: Another vessel.
    """
    chance = character("stir", variant)
    kind = choice(VESSELS, vessel, "vessel")
    _material, hardness = choice(TOOLS, tool, "tool")
    thin = number(wet, 0.0, 1.0, "wet")
    brisk = np.clip(intensity.astype(np.float64), 0.0, 1.0)
    turn = _turns(rng, 1.0 + 1.5 * brisk)
    wall = body(chance, kind.material, size=kind.size, ring=kind.ring * (1.0 - 0.5 * thin))
    takes = takes_of(rng, wall, 0.5, count=8, longest_s=0.35, hardness=hardness)
    knocks = _knocks(rng, turn, brisk, takes=takes, lean=chance.uniform(0.0, 1.0))
    count = len(brisk)
    near = 0.55 + 0.45 * _swing(turn - chance.random())  # the spoon leans on one side of the wall
    glide = (
        noise(rng, count, tinted(GLIDE, chance, 2.0)) * near * (0.5 + 0.5 * np.abs(slow_random(rng, count, 25.0, 2)))
    )
    slosh = noise(rng, count, SLOSH) * (0.6 + 0.4 * _swing(turn))
    drops = unit_energy(bubbles(rng, (1.5, 6.0), 24))
    plops = shower(rng, count, drops, rate_hz=14.0, sigma=0.8, curve=brisk * near)
    sound = (
        1.1 * knocks
        + 0.3 * (glide + 1.5 * resonance(glide, float(wall.modes_hz[1]), 6.0))
        + thin * (0.25 * slosh + 0.5 * plops)
    )
    return settled(low_passed(sound, 14_000.0, 1), intensity, rms=1.05)


def _turns(rng: np.random.Generator, rate_hz: Signal) -> Signal:
    """Return how far a hand has gone round; it hurries and lingers by a tenth."""
    return cycles(rate_hz * (1.0 + 0.1 * slow_random(rng, len(rate_hz), 2.0, 2))) + float(rng.random())


def _swing(turn: Signal) -> Mono:
    """Return the cosine of turns; 32 bits cost a tenth."""
    return np.asarray(np.cos((2 * np.pi * (turn % 1.0)).astype(np.float32)), np.float32)


def _knocks(rng: np.random.Generator, turn: Signal, brisk: Signal, *, takes: list[Signal], lean: float) -> Signal:
    """Return the knocks of a spoon on the wall, unit power at full pace: near three places of the turn, not at each."""
    if not len(turn):
        return np.zeros(0)
    places = lean + np.array([0.0, 0.31, 0.68])
    rounds = np.arange(np.floor(turn[0]) - 1.0, np.ceil(turn[-1]) + 1.0)
    marks = (rounds[:, None] + places + rng.normal(0.0, 0.035, (len(rounds), 3))).ravel()
    marks = np.sort(marks[(rng.random(len(marks)) < 0.8) & (marks > turn[0]) & (marks < turn[-1])])
    at = np.searchsorted(turn, marks)
    levels = heavy(rng, len(at), 0.6) * (0.4 + 0.6 * brisk[np.minimum(at, len(brisk) - 1)])
    grains = unit_energy(takes)
    full = np.sqrt(2.5 * 3 * 0.8 / RATE_HZ * heavy_power(0.6))
    return scatter(len(turn), at, levels / full, grains=grains, which=rng.integers(0, len(grains), len(at)))


def whisk(
    rng: np.random.Generator,
    intensity: Mono,
    /,
    *,
    vessel: float | str = "steel bowl",
    thick: float | str = 0.3,
    variant: float | str = 0,
    **_: float | str,
) -> Mono:
    """Return a whisk: at each stroke its wires tick along the bowl, and what is beaten slaps.

    Args:
        rng: Source of chance.
        intensity: 0 to 1: from 2 to 5 strokes a second.
        vessel: One of `VESSELS`.
        thick: 0 eggs to 1 dough: duller, and the bowl rings less.
        variant: Another bowl.
    """
    chance = character("whisk", variant)
    kind = choice(VESSELS, vessel, "vessel")
    stiff = number(thick, 0.0, 1.0, "thick")
    brisk = np.clip(intensity.astype(np.float64), 0.0, 1.0)
    turn = _turns(rng, 2.0 + 3.0 * brisk)
    swing = _swing(turn)
    stroke, back = np.maximum(0.0, swing) ** 2, 0.4 * np.minimum(0.0, swing) ** 2  # out with force, back lightly
    force = stroke + back + 0.05
    count = len(brisk)
    wall = body(chance, kind.material, size=kind.size, ring=kind.ring * (1.0 - 0.6 * stiff))
    ticks = unit_energy(takes_of(rng, wall, 0.4, count=10, longest_s=0.06))
    wires = shower(rng, count, ticks, rate_hz=260.0, sigma=0.9, curve=brisk * np.minimum(1.0, force))
    hiss = noise(rng, count, tinted(WIRES, chance, 2.0)) * force
    slap = noise(rng, count, SLOSH) * np.roll(stroke, length_samples(0.02))
    sound = (1.0 - 0.4 * stiff) * (0.9 * wires + 0.5 * hiss) + (0.35 + 0.5 * stiff) * slap
    return settled(low_passed(sound, 15_000.0 - 9000.0 * stiff, 1), intensity, rms=0.62)


VAN_DEN_DOEL = "scraping: van den Doel, Kry & Pai 2001; bubbles: van den Doel 2005"

RECIPES = (
    TextureRecipe("stir", "kitchen", stir, defaults_of(stir), VAN_DEN_DOEL),
    TextureRecipe("whisk", "kitchen", whisk, defaults_of(whisk), VAN_DEN_DOEL),
)
