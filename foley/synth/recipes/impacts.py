"""One thing strikes another: ten materials, flesh, what is stuffed, a ball on strings.

`size` is 0 to 1 or small, medium, large; `ring` 0.05 (clamped) to 1 (free); `striker` one of `STRIKERS`; `variant`
another object of the same kind.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from foley.synth.chain import mixed, peak_of, recorded_hit
from foley.synth.contacts import come_down, rattle, size_of
from foley.synth.excitation import length_samples, noise_burst, rough_burst
from foley.synth.finish import character, choice, defaults_of, number
from foley.synth.landing import YIELDING, Landing, landed_hit
from foley.synth.materials import (
    CARDBOARD,
    CERAMIC,
    FLESH,
    GLASS,
    HOLLOW_WOOD,
    PANE,
    PLASTIC,
    RUBBER,
    SHEET,
    STEEL,
    STONE,
    WOOD,
    Material,
    body,
    struck,
)
from foley.synth.recipe import HitRecipe, MakesHit, Mono
from foley.synth.resonators import resonant_grains, thud
from foley.synth.textures import shower

MODAL_SOURCE = "modal synthesis with material damping: van den Doel & Pai 1998; Klatzky, Pai & Krotkov 2000"


STRIKERS = {"hammer": 1.0, "stick": 0.97, "knuckle": 0.88, "mallet": 0.7, "hand": 0.55, "felt": 0.0}
"""What strikes, and its hardness: the softer, the longer it touches and the darker it sounds."""


PLAIN = Landing()


@dataclass(frozen=True, slots=True)
class Blow:
    """How a plain object is struck."""

    name: str
    material: Material
    size: float
    ring: float
    ring_s: float
    """Longest sound."""
    striker: str = "hammer"
    sustain: float = 1.0
    """Factor on its decay times: hung and bare, a thing rings longer than its material does in use; bedded, shorter."""
    support: float = 0.0
    """Peak of the thud of what it stands on."""
    loose: float = 0.3
    """How far it comes down on what it stands on or jumps back onto what struck it, 0 to 1."""
    grit: float = 0.1
    """What rattles in it and on it, 0 to 1."""
    grit_hz: tuple[float, float] = (500.0, 5000.0)
    """Where it rings."""
    noise: float = 1.0
    """Factor on the noise of the contact."""
    landing: Landing = PLAIN


BOARDS = Landing(wet=0.5, cut_hz=110.0, tail_db=-30.0, tail_hz=(250.0, 4000.0))
"""Boards and boxes excite a room with all they have."""

METAL = Landing(cut_hz=60.0, wet=0.5, tail_db=-32.0, tail_hz=(100.0, 6000.0))
"""Rings on in the room as well."""

GLASS_HELD = Landing(cut_hz=120.0, treble_db=2.0, treble_spread_db=6.0, tail_db=-37.0)
"""In a frame or on a table: nothing answers below it."""

ROCK = Landing(
    leans=0.0, treble_db=-3.0, treble_spread_db=8.0, cut_hz=60.0, wet=0.25, tail_db=-48.0, tail_hz=(2000.0, 9000.0)
)
"""Too heavy to lean or to stir a room, only crumbs hiss; brick is bright, concrete crumbles and is dull."""

SOFT = Landing(cut_hz=60.0, tail_db=-42.0, tail_hz=(200.0, 4000.0))
"""Boxes and balls: low, and dull in any room."""

SHELLS = Landing(
    treble_db=6.0,
    treble_spread_db=8.0,
    cut_hz=130.0,
    wet=0.4,
    tail_db=-32.0,
    tail_spread_db=8.0,
    tail_hz=(400.0, 9000.0),
)
"""Plastic is thick and dull or thin and shrill, and what is in it goes on moving."""

BLOWS = (
    Blow(
        "hit_wood",
        WOOD,
        0.5,
        0.7,
        0.8,
        support=0.1,
        loose=0.35,
        grit_hz=(300.0, 9000.0),
        noise=0.75,
        landing=BOARDS,
        grit=1.0,
    ),
    Blow(
        "hit_hollow_wood",
        HOLLOW_WOOD,
        0.5,
        0.6,
        1.2,
        "stick",
        support=0.15,
        loose=0.4,
        grit=0.8,
        grit_hz=(250.0, 8000.0),
        noise=0.75,
        landing=BOARDS,
    ),
    Blow("hit_metal", STEEL, 0.5, 1.0, 2.5, sustain=1.8, loose=0.4, grit=0.3, grit_hz=(1200.0, 9000.0), landing=METAL),
    Blow(
        "hit_sheet_metal",
        SHEET,
        0.5,
        1.0,
        2.0,
        sustain=1.8,
        loose=0.4,
        grit=0.6,
        grit_hz=(600.0, 8000.0),
        landing=METAL,
    ),
    Blow(
        "hit_glass", PANE, 0.5, 1.0, 1.2, support=0.2, loose=0.4, grit=0.6, grit_hz=(500.0, 5000.0), landing=GLASS_HELD
    ),
    Blow("hit_bottle", GLASS, 0.5, 0.7, 1.2, support=0.2, loose=0.2, grit=0.2, grit_hz=(2000.0, 9000.0)),
    Blow("hit_ceramic", CERAMIC, 0.5, 1.0, 1.0, support=0.15, loose=0.2, grit=0.2, grit_hz=(1500.0, 7000.0)),
    Blow(
        "hit_stone",
        STONE,
        0.5,
        0.6,
        0.5,
        sustain=0.7,  # bedded in mortar or earth, which drains it
        loose=0.02,
        grit=0.02,
        grit_hz=(800.0, 6000.0),
        noise=1.3,  # its face crumbles under the blow
        landing=ROCK,
    ),
    Blow(
        "hit_plastic",
        PLASTIC,
        0.5,
        1.0,
        0.6,
        support=0.15,
        loose=0.2,
        grit=0.8,
        grit_hz=(700.0, 8000.0),
        landing=SHELLS,
    ),
    Blow(
        "hit_rubber", RUBBER, 0.5, 1.0, 0.5, support=0.3, loose=0.05, grit=0.05, grit_hz=(300.0, 2500.0), landing=SOFT
    ),
    Blow(
        "hit_cardboard",
        CARDBOARD,
        0.5,
        1.0,
        0.6,
        "hand",
        support=0.15,
        loose=0.3,
        grit=0.5,
        grit_hz=(300.0, 3500.0),
        landing=SOFT,
    ),
)


def _blow_maker(blow: Blow) -> MakesHit:
    def make(
        rng: np.random.Generator,
        strength: float,
        /,
        *,
        size: float | str = blow.size,
        ring: float | str = blow.ring,
        striker: float | str = blow.striker,
        variant: float | str = 0,
        **_: float | str,
    ) -> Mono:
        chance = character(blow.name, variant)
        held = number(ring, 0.02, 2.0, "ring")
        thing = body(chance, blow.material, size=size_of(size), ring=blow.sustain * held)
        hardness = choice(STRIKERS, striker, "striker")
        loose, grit = chance.uniform(0.3, 1.7, 2) * (blow.loose, blow.grit)
        sound = struck(rng, thing, strength, hardness=hardness, noise=blow.noise, support=blow.support)
        sound = mixed(come_down(rng, sound, loose), rattle(rng, grit * hardness, blow.grit_hz))
        return landed_hit(rng, chance, sound, strength, landing=blow.landing, ring_s=blow.ring_s, hardness=hardness)

    return make


def body_blow(rng: np.random.Generator, strength: float, /, *, variant: float | str = 0, **_: float | str) -> Mono:
    """Return a fist or foot on a body: the trunk's thud, flesh, a slap of skin or cloth, and the rustle after it.

    Recorded blows are as bright as their thud for 40 ms and fall by 20 dB in 0.1 to 0.25 s: clothing and the grip of
    the other hand go on moving.
    """
    chance = character("body_blow", variant)
    clothed = chance.uniform(0.3, 1.0)
    low_hz = chance.uniform(90.0, 200.0)
    trunk = mixed(
        thud(rng, low_hz, chance.uniform(0.10, 0.22), noise=0.4), noise_burst(rng, 0.06, low_hz=80.0, high_hz=250.0)
    )
    flesh = peak_of(struck(rng, body(chance, FLESH), strength, hardness=0.9), 0.5)
    slap = rough_burst(rng, chance.uniform(0.05, 0.20), centre_hz=chance.uniform(900.0, 2200.0), octaves=2.5)
    length = length_samples(rng.uniform(0.25, 0.42))
    fibres = resonant_grains(rng, 400.0, 4000.0, quality=(0.7, 2.0), decay_s=0.004, count=16)
    fewer = np.linspace(1.0, 0.0, length) ** 1.5
    rustle = peak_of(shower(rng, length, fibres, rate_hz=1500.0, sigma=0.7, curve=fewer) * fewer, 0.25 * clothed)
    cloth = mixed((0.4 + 0.4 * strength) * slap, rustle)
    sound = mixed(peak_of(trunk, 0.9), 0.7 * flesh, cloth)
    return landed_hit(rng, chance, sound, strength, landing=YIELDING, ring_s=0.5)


def soft_thump(
    rng: np.random.Generator,
    strength: float,
    /,
    *,
    softness: float | str = 0.5,
    variant: float | str = 0,
    **_: float | str,
) -> Mono:
    """Return a hand or stick on something stuffed (bag, cushion, mattress): a slap of cloth on a dull low push.

    `softness` 0 is a tight leather bag, 1 a pillow. The cloth's slap lasts 20 to 40 ms and marks the instant; what is
    under it gives way too slowly to do so.
    """
    soft = number(softness, 0.0, 1.0, "softness")
    chance = character("soft_thump", variant)
    push = thud(rng, chance.uniform(75.0, 120.0), 0.12 + 0.08 * soft, drop=0.6, noise=0.6)
    slap = noise_burst(rng, 0.03, low_hz=350.0, high_hz=3800.0 - 2200.0 * soft)
    air = noise_burst(rng, 0.12, low_hz=120.0, high_hz=900.0)
    sound = mixed(0.8 * peak_of(push), (0.9 - 0.4 * soft) * slap, 0.25 * air)
    return recorded_hit(rng, sound, strength, ring_s=0.5)


def _recipe(name: str, make: MakesHit, ring_s: float, *, source: str) -> HitRecipe:
    return HitRecipe(name, "impacts", make, defaults_of(make), ring_s=ring_s, source=source)


RECIPES = (
    *(_recipe(blow.name, _blow_maker(blow), blow.ring_s, source=MODAL_SOURCE) for blow in BLOWS),
    _recipe("body_blow", body_blow, 0.5, source="falling low tone and slap, fitted to recorded blows"),
    _recipe("soft_thump", soft_thump, 0.5, source="falling low tone under a cloth slap"),
)
