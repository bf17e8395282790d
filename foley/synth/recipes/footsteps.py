"""Footsteps, by what is walked on; what happens under the sole is in `foley.synth.steps`.

All take `shoe` (leather, rubber, heel, bare), `run` (0 walks, 1 runs), `stairs` (level, up, down), `foot` (left, right,
or either for one of them by chance), `scuff` (0 lifted clean, 1 shuffled), and `variant`, which is another walker on
another stretch of the same floor. A heavier step is a stronger one.
"""

from __future__ import annotations

import numpy as np

from foley.synth.chain import delayed, heard_at_once, mixed, recorded_hit
from foley.synth.excitation import noise_burst, shelf
from foley.synth.finish import character, choice, defaults_of, number
from foley.synth.gait import gait_of
from foley.synth.recipe import HitRecipe, MakesHit, Mono
from foley.synth.steps import in_water, on_floor, on_ground, weight_of
from foley.synth.surfaces import FLOORS, GROUNDS, SHOES
from foley.units import RATE_HZ

SOURCE = "ground reaction force and grains: Cook 2002; Fontana & Bresin 2003; Turchet 2016"


EDGE_HZ = 300.0
"""Above, a light step is up to 5 dB duller: little of the sole's edge comes to bear."""

FLESH_S = 0.015
"""How long a heel's flesh gives way before the whole weight is on the floor; recorded bare feet peak after 20 ms."""


def _maker(name: str, usual_shoe: str) -> MakesHit:
    dry = on_floor if name in FLOORS else on_ground

    def make(
        rng: np.random.Generator,
        strength: float,
        /,
        *,
        shoe: float | str = usual_shoe,
        run: float | str = 0.0,
        stairs: float | str = "level",
        foot: float | str = "either",
        scuff: float | str = 0.0,
        variant: float | str = 0,
        **_: float | str,
    ) -> Mono:
        worn = choice(SHOES, shoe, "shoe")
        gait = gait_of(rng, run=run, stairs=stairs, foot=foot, scuff=scuff, variant=variant)
        spot = character(f"{name} underfoot", variant)
        sound = dry(rng, name, worn, strength, gait=gait, spot=spot)
        edge = shelf(0.55 + 0.45 * strength, EDGE_HZ)
        heard = heard_at_once(sound)  # carpet and soft soles bear slowly
        return recorded_hit(rng, heard, strength * gait.level, ring_s=1.2, wet=0.22, colour=(edge,))

    return make


def step_water(
    rng: np.random.Generator,
    strength: float,
    /,
    *,
    depth: float | str = 0.3,
    run: float | str = 0.0,
    stairs: float | str = "level",
    foot: float | str = "either",
    scuff: float | str = 0.0,
    variant: float | str = 0,
    **_: float | str,
) -> Mono:
    """Return a step into water; `depth` 0 is a wet floor, 0.3 a puddle, 1 up to the knee."""
    gait = gait_of(rng, run=run, stairs=stairs, foot=foot, scuff=scuff, variant=variant)
    sound = in_water(rng, strength, depth=number(depth, 0.0, 1.0, "depth"), gait=gait)
    return recorded_hit(rng, sound, strength * gait.level, ring_s=1.6, wet=0.2)


def step_bare(
    rng: np.random.Generator,
    strength: float,
    /,
    *,
    floor: float | str = "tile",
    run: float | str = 0.0,
    stairs: float | str = "level",
    foot: float | str = "either",
    scuff: float | str = 0.0,
    variant: float | str = 0,
    **_: float | str,
) -> Mono:
    """Return a bare foot on a hard floor: a soft heel, and skin that slaps up to 7 kHz and sticks a little."""
    choice(FLOORS, floor, "floor")
    gait = gait_of(rng, run=run, stairs=stairs, foot=foot, scuff=scuff, variant=variant)
    spot = character(f"{floor} underfoot", variant)
    sole = on_floor(rng, str(floor), SHOES["bare"], strength, gait=gait, spot=spot)
    heel = gait.thud * weight_of(rng, rng.uniform(90.0, 120.0) * gait.pitch, 0.32)
    heel *= 0.35 + 0.65 * np.minimum(1.0, np.arange(len(heel)) / (FLESH_S * RATE_HZ))
    skin = noise_burst(rng, 0.14, low_hz=500.0, high_hz=7000.0)
    ball = mixed(0.5 * gait.ball * skin, 0.35 * heel)
    sound = mixed(0.5 * sole, 0.8 * heel, (0.1 + 0.25 * strength) * gait.heel * skin)
    sound = mixed(sound, delayed((0.2 + 0.4 * strength) * ball, gait.gap_s))
    return recorded_hit(rng, sound, strength * gait.level, ring_s=0.8, wet=0.22)


def _recipe(name: str, make: MakesHit, ring_s: float = 1.2) -> HitRecipe:
    return HitRecipe(f"step_{name}", "footsteps", make, defaults_of(make), ring_s=ring_s, source=SOURCE)


RECIPES = (
    *(_recipe(name, _maker(name, "rubber" if name == "carpet" else "leather")) for name in FLOORS),
    *(_recipe(name, _maker(name, "rubber")) for name in GROUNDS),
    _recipe("water", step_water, 1.6),
    _recipe("bare", step_bare, 0.8),
)
