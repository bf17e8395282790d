"""People who land or fall: several heavy contacts, and the clothes around them.

Source: parts and their order as seen in falls (knee or hip, trunk, arm); grounds as in `foley.synth.loose`.
"""

from __future__ import annotations

import numpy as np

from foley.synth.chain import delayed, faded, heard_at_once, mixed, peak_of, recorded_hit
from foley.synth.excitation import Signal, length_samples, noise_burst
from foley.synth.finish import character, choice, defaults_of
from foley.synth.gait import Gait, gait_of
from foley.synth.grounds import GROUNDS
from foley.synth.loose import in_water, on_ground
from foley.synth.recipe import HitRecipe, Mono
from foley.synth.recipes.fabric import FABRICS
from foley.synth.resonators import thud
from foley.synth.steps import on_floor, swelling, weight_of
from foley.synth.surfaces import FLOORS, SHOES, Shoe
from foley.synth.textures import noise, slow_random

TRUNK = Shoe(contact_s=0.014, heel=0.7, ball=0.0, thud=1.8, grit=0.4)
"""A hip or back as what meets the floor: flesh over bone."""

SURFACES = {**FLOORS, **GROUNDS, "water": None}


def _on(
    rng: np.random.Generator, surface: str, shoe: Shoe, strength: float, *, gait: Gait, spot: np.random.Generator
) -> Signal:
    """Return a dry contact on any surface, peak 1."""
    if surface == "water":
        return peak_of(in_water(rng, strength, depth=0.4, gait=gait))
    step = on_floor if surface in FLOORS else on_ground
    return peak_of(step(rng, surface, shoe, strength, gait=gait, spot=spot))


def _flop(rng: np.random.Generator, length_s: float, peak_s: float) -> Signal:
    """Return clothes that flop, peak 1."""
    length = length_samples(length_s)
    swell = swelling(length, peak_s=peak_s, rise_s=0.5 * peak_s, fall_s=0.25 * length_s)
    folds = np.clip(0.8 + 0.5 * slow_random(rng, length, 14.0, 2), 0.1, None)
    cloth = noise(rng, length, FABRICS["cotton"].slow) + 0.6 * noise(rng, length, FABRICS["cotton"].fast)
    return peak_of(faded(cloth * swell * folds, 0.0, 0.05))


def landing(
    rng: np.random.Generator,
    strength: float,
    /,
    *,
    surface: float | str = "wood",
    shoe: float | str = "rubber",
    variant: float | str = 0,
    **_: float | str,
) -> Mono:
    """Return somebody who lands on both feet: one a little after the other, the weight of the body, clothes that flop.

    `surface` is any that people walk on, `shoe` any that they wear.
    """
    choice(SURFACES, surface, "surface")
    worn = choice(SHOES, shoe, "shoe")
    spot = character(f"{surface} underfoot", variant)
    gaits = [
        gait_of(rng, run=1.0, stairs="down", foot=side, scuff=0.0, variant=variant)
        for side in rng.permutation(["left", "right"]).tolist()
    ]
    first = _on(rng, str(surface), worn, strength, gait=gaits[0], spot=spot)
    second = _on(rng, str(surface), worn, 0.8 * strength, gait=gaits[1], spot=spot)
    weight = weight_of(rng, rng.uniform(58.0, 72.0), 0.2)
    sound = mixed(first, delayed(0.7 * second, rng.uniform(0.006, 0.03)), 0.8 * weight)
    sound = heard_at_once(sound)  # a soft sole takes up to 2 ms to bear
    return recorded_hit(rng, mixed(sound, 0.1 * _flop(rng, 0.3, 0.05)), strength, ring_s=1.6, wet=0.25)


def body_fall(
    rng: np.random.Generator,
    strength: float,
    /,
    *,
    surface: float | str = "wood",
    variant: float | str = 0,
    **_: float | str,
) -> Mono:
    """Return a body that falls: knee or hip first, the trunk 60 to 130 ms later, an arm that slaps down, cloth.

    `surface` is any that people walk on.
    """
    choice(SURFACES, surface, "surface")
    chance = character("who falls", variant)
    spot = character(f"{surface} underfoot", variant)
    gait = gait_of(rng, run=1.0, stairs="level", foot="either", scuff=0.0, variant=variant)
    hip = _on(rng, str(surface), TRUNK, 0.8 * strength, gait=gait, spot=spot)
    ribs = weight_of(rng, chance.uniform(62.0, 88.0), 0.26)
    trunk = mixed(peak_of(ribs), 0.5 * hip, 0.35 * noise_burst(rng, 0.09, low_hz=250.0, high_hz=2600.0))
    arm = mixed(0.6 * thud(rng, 130.0, 0.08, noise=0.6), 0.5 * noise_burst(rng, 0.04, low_hz=500.0, high_hz=5000.0))
    knee = thud(rng, rng.uniform(95.0, 130.0), 0.12, noise=0.8)
    trunk_s = rng.uniform(0.06, 0.13)
    sound = mixed(0.5 * hip, 0.7 * peak_of(knee), delayed(trunk, trunk_s))
    sound = mixed(sound, delayed(rng.uniform(0.2, 0.4) * arm, trunk_s + rng.uniform(0.06, 0.16)))
    return recorded_hit(rng, mixed(sound, 0.14 * _flop(rng, 0.55, trunk_s)), strength, ring_s=1.6, wet=0.25)


FALLS = "contacts of feet, hip, trunk and arm on floors and grounds"

RECIPES = (
    HitRecipe("landing", "footsteps", landing, defaults_of(landing), ring_s=1.6, source=FALLS),
    HitRecipe("body_fall", "footsteps", body_fall, defaults_of(body_fall), ring_s=1.6, source=FALLS),
)
