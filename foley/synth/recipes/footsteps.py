"""Footsteps, by what is walked on; what happens under the sole is in `foley.synth.steps` and `loose`.

All take `shoe` (leather, rubber, heel, bare), `run` (0 walks, 1 runs), `stairs` (level, up, down), `foot` (left, right,
or either for one of them by chance), `scuff` (0 lifted clean, 1 shuffled), and `variant`, which is another walker on
another stretch of the same floor. A heavier step is a stronger one.
"""

from __future__ import annotations

import numpy as np

from foley.synth.chain import delayed, heard_at_once, mixed, recorded_hit
from foley.synth.excitation import noise_burst, shelf
from foley.synth.finish import character, choice, defaults_of, number
from foley.synth.gait import Gait, gait_of
from foley.synth.grounds import GROUNDS
from foley.synth.loose import in_water, on_ground
from foley.synth.recipe import HitRecipe, MakesHit, Mono
from foley.synth.steps import blow, borne, on_floor
from foley.synth.surfaces import FLOORS, SHOES

SOURCE = "ground reaction force and grains: Cook 2002; Fontana & Bresin 2003; Turchet 2016"


EDGE_HZ = 300.0
"""Above, a light step is up to 5 dB duller: little of the sole's edge comes to bear."""

FLESH_S = 0.015
"""How long a heel's flesh gives way before the whole weight is on the floor; recorded bare feet peak after 20 ms."""


SKIN_SPREAD = 0.6
"""Of how flat skin meets the floor (log): recorded bare feet differ by 7 dB above 500 Hz and by 2 dB below 200."""

BARE_S, LOOSE_S = 0.23, 1.2
"""How long takes of bare feet last, and of loose ground at most."""

HARD_WET, LOOSE_WET = 0.18, 0.22
"""Strength of the room's reflections: recorded steps on hard floors are 35 dB down after 40 ms."""


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
        hard = name in FLOORS
        ring_s = _trimmed_s(rng, FLOORS[name].ring_s, gait) if hard else LOOSE_S
        wet = HARD_WET if hard else LOOSE_WET
        return recorded_hit(rng, heard, strength * gait.level, ring_s=ring_s, wet=wet, colour=(edge,))

    return make


def _trimmed_s(rng: np.random.Generator, ring_s: float, gait: Gait) -> float:
    """Return how long a step is kept: recorded takes are cut where it is 30 to 40 dB down; what is dragged lasts."""
    return ring_s * rng.uniform(0.85, 1.1) * (1.0 + 1.5 * gait.drag)


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
    """Return a bare foot on a hard floor: a soft heel, and skin that slaps up to 14 kHz and sticks a little."""
    choice(FLOORS, floor, "floor")
    gait = gait_of(rng, run=run, stairs=stairs, foot=foot, scuff=scuff, variant=variant)
    spot = character(f"{floor} underfoot", variant)
    sole = on_floor(rng, str(floor), SHOES["bare"], strength, gait=gait, spot=spot)
    heel = gait.thud * borne(blow(rng, rng.uniform(85.0, 115.0) * gait.pitch, 0.32), FLESH_S)
    # air bursts out from under the skin, then it sticks and lets go
    smack = noise_burst(rng, 0.025, low_hz=600.0, high_hz=14_000.0)
    skin = mixed(noise_burst(rng, 0.14, low_hz=1500.0, high_hz=14_000.0), 1.5 * smack)
    skin *= float(np.exp(rng.normal(0.0, SKIN_SPREAD)))
    slap = 0.3 * gait.ball * float(np.exp(rng.normal(0.0, SKIN_SPREAD))) * skin
    sound = mixed(0.1 * sole, 0.8 * heel, (0.1 + 0.25 * strength) * gait.heel * skin)
    sound = heard_at_once(mixed(sound, delayed((0.2 + 0.4 * strength) * mixed(slap, 0.35 * heel), gait.gap_s)))
    return recorded_hit(rng, sound, strength * gait.level, ring_s=_trimmed_s(rng, BARE_S, gait), wet=0.22)


def _recipe(name: str, make: MakesHit, ring_s: float = 1.2) -> HitRecipe:
    return HitRecipe(f"step_{name}", "footsteps", make, defaults_of(make), ring_s=ring_s, source=SOURCE)


RECIPES = (
    *(_recipe(name, _maker(name, "rubber" if name == "carpet" else "leather")) for name in FLOORS),
    *(_recipe(name, _maker(name, "rubber")) for name in GROUNDS),
    _recipe("water", step_water, 1.6),
    _recipe("bare", step_bare, 0.8),
)
