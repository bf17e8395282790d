"""Hooves of horses, by what they fall on.

A hoof is a hollow capsule of horn: on a hard floor it clops, with the click of an iron shoe on top; on soft ground
the weight of the animal is what is heard.

Sources: the floor and ground under it as in `foley.synth.steps`; capsule fitted to the pitch of coconut shells, which
stage and radio have used for hooves because it is the same, 400 to 2500 Hz.
"""

from __future__ import annotations

import numpy as np

from foley.synth.chain import mixed, peak_of, recorded_hit
from foley.synth.excitation import Signal, hertz_gain, length_samples
from foley.synth.finish import character, choice, defaults_of, number
from foley.synth.gait import Gait
from foley.synth.grounds import GROUNDS
from foley.synth.loose import in_water, on_ground
from foley.synth.materials import STEEL, body, struck
from foley.synth.recipe import HitRecipe, Mono
from foley.synth.resonators import ring_modes
from foley.synth.steps import on_floor, weight_of
from foley.synth.surfaces import FLOORS, Shoe

HORN = Shoe(contact_s=0.0009, heel=1.0, ball=0.8, thud=1.6, grit=1.3)
IRON = Shoe(contact_s=0.00035, heel=1.1, ball=1.0, thud=1.5, grit=1.6)

SHOES = {"iron": IRON, "none": HORN}

CAPSULE_RATIOS = (1.0, 1.62, 2.35, 3.3, 4.6)
"""Modes of a short cone that is open at its wide end."""


def _clop(rng: np.random.Generator, strength: float, contact_s: float, chance: np.random.Generator) -> Signal:
    """Return the capsule of one hoof, peak 1: four of them, a third of an octave apart at most."""
    lowest_hz = chance.uniform(430.0, 620.0) * float(rng.choice([0.9, 0.97, 1.04, 1.12])) * rng.uniform(0.98, 1.02)
    f = lowest_hz * np.array(CAPSULE_RATIOS) * np.exp(rng.normal(0.0, 0.015, len(CAPSULE_RATIOS)))
    gains = np.array([1.0, 0.8, 0.55, 0.4, 0.25]) * hertz_gain(f, contact_s * max(strength, 0.05) ** -0.3)
    t60 = 0.055 * (f / 500.0) ** -0.6
    phases = rng.uniform(0.2, 1.2, len(f))
    return peak_of(
        ring_modes(f, t60, gains * np.exp(rng.normal(0.0, 0.2, len(f))), length_samples(0.09), phases=phases)
    )


def hoof(
    rng: np.random.Generator,
    strength: float,
    /,
    *,
    surface: float | str = "stone",
    shoe: float | str = "iron",
    size: float | str = 0.6,
    variant: float | str = 0,
    **_: float | str,
) -> Mono:
    """Return one hoof that falls on a surface.

    `surface` is any that people walk on; `shoe` is iron or none; `size` 0 is a pony or goat, 1 a shire horse.
    """
    worn, large = choice(SHOES, shoe, "shoe"), number(size, 0.0, 1.0, "size")
    choice({**FLOORS, **GROUNDS, "water": None}, surface, "surface")
    chance = character("horse", variant)
    spot = character(f"{surface} underfoot", variant)
    gait = Gait(
        level=1.0,
        gap_s=rng.uniform(0.008, 0.022),  # the toe comes down almost with the heel
        heel=1.0,
        ball=rng.uniform(1.0, 2.5),
        thud=0.7 + 0.4 * large,
        softness=1.0,
        pace=0.75,
        drag=0.05,
        pitch=0.8,
    )
    weight = weight_of(rng, 95.0 * 0.6**large * rng.uniform(0.95, 1.05), 0.14 + 0.08 * large)
    if surface == "water":
        splash = in_water(rng, strength, depth=0.35, gait=gait)
        return recorded_hit(rng, mixed(splash, 0.25 * weight), strength, ring_s=1.6, wet=0.2)
    if surface in GROUNDS:
        ground = on_ground(rng, str(surface), worn, strength, gait=gait, spot=spot)
        clop = _clop(rng, strength, 2.0 * worn.contact_s, chance)
        return recorded_hit(rng, mixed(0.55 * ground, 0.9 * weight, 0.12 * clop), strength, ring_s=1.2, wet=0.2)
    floor = on_floor(rng, str(surface), worn, strength, gait=gait, spot=spot)
    clop = 1.25 ** (0.6 - large) * _clop(rng, strength, worn.contact_s, chance)
    hard = mixed(0.45 * peak_of(floor), clop, (0.15 + 0.2 * large) * weight)
    if shoe == "iron":
        hard = mixed(hard, 0.3 * peak_of(struck(rng, body(chance, STEEL, size=0.4, ring=0.07), strength)))
    return recorded_hit(rng, hard, strength, ring_s=0.9, wet=0.3)


RECIPES = (
    HitRecipe("hoof", "footsteps", hoof, defaults_of(hoof), ring_s=1.6, source="hollow capsule on ground and floor"),
)
