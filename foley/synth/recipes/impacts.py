"""One thing strikes another: wood, metal, glass, stone, plastic, flesh, tools.

`size` is 0 (small) to 1 (large), `ring` 0.05 (clamped) to 1 (free), `variant` another object of the same kind.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from foley.synth.chain import mixed, peak_of, recorded_hit
from foley.synth.excitation import length_samples, noise_burst, rough_burst
from foley.synth.finish import character, defaults_of
from foley.synth.materials import (
    ANVIL,
    CERAMIC,
    FLESH,
    GLASS,
    HOLLOW_WOOD,
    PLASTIC,
    SHEET,
    STEEL,
    STONE,
    WOOD,
    Material,
    body,
    struck,
)
from foley.synth.recipe import HitRecipe, MakesHit, Mono
from foley.synth.resonators import MEMBRANE_RATIOS, ring_modes, thud

MODAL_SOURCE = "modal synthesis with material damping: van den Doel & Pai 1998; Klatzky, Pai & Krotkov 2000"


@dataclass(frozen=True, slots=True)
class Blow:
    """How a plain object is struck."""

    name: str
    material: Material
    size: float
    ring: float
    ring_s: float
    """Longest sound."""
    hardness: float = 1.0
    support: float = 0.0
    """Peak of the thud of what it stands on."""


BLOWS = (
    Blow("hit_wood", WOOD, 0.5, 1.0, 0.8, support=0.4),
    Blow("hit_hollow_wood", HOLLOW_WOOD, 0.5, 1.0, 1.2, hardness=0.9, support=0.4),
    Blow("hit_metal", STEEL, 0.5, 1.0, 3.0),
    Blow("hit_sheet_metal", SHEET, 0.6, 0.8, 2.0),
    Blow("hit_glass", GLASS, 0.5, 0.5, 1.2, support=0.3),
    Blow("hit_ceramic", CERAMIC, 0.5, 1.0, 1.0, support=0.15),
    Blow("hit_stone", STONE, 0.5, 1.0, 0.5),
    Blow("hit_plastic", PLASTIC, 0.5, 1.0, 0.5, support=0.2),
)


def _blow_maker(blow: Blow) -> MakesHit:
    def make(
        rng: np.random.Generator,
        strength: float,
        /,
        *,
        size: float | str = blow.size,
        ring: float | str = blow.ring,
        variant: float | str = 0,
        **_: float | str,
    ) -> Mono:
        thing = body(character(blow.name, variant), blow.material, size=float(size), ring=float(ring))
        sound = struck(rng, thing, strength, hardness=blow.hardness, support=blow.support)
        return recorded_hit(rng, sound, strength, ring_s=blow.ring_s)

    return make


def hammer_nail(rng: np.random.Generator, strength: float, /, *, variant: float | str = 0, **_: float | str) -> Mono:
    """Return a hammer on a nail: the clamped nail's short ring, the board under it, and the blow through the bench."""
    chance = character("hammer_nail", variant)
    nail = struck(rng, body(chance, STEEL, size=0.1, ring=0.08), strength)
    board = struck(rng, body(chance, WOOD, size=0.6), 0.8 * strength, support=0.5)
    return recorded_hit(rng, mixed(nail, 0.8 * board), strength, ring_s=0.8)


def knife_chop(rng: np.random.Generator, strength: float, /, *, variant: float | str = 0, **_: float | str) -> Mono:
    """Return a knife through food onto a board: a dull board first, the blade's short ring and a crunch with it."""
    chance = character("knife_chop", variant)
    board = struck(rng, body(chance, WOOD, size=0.8), strength, hardness=0.95, support=0.7)
    blade = struck(rng, body(chance, STEEL, size=0.0, ring=0.04), 0.4 * strength)
    crunch = rough_burst(rng, 0.035, centre_hz=2400.0, octaves=2.5)
    return recorded_hit(rng, mixed(board, 0.4 * blade, 0.3 * crunch), strength, ring_s=0.7)


def anvil(
    rng: np.random.Generator,
    strength: float,
    /,
    *,
    size: float | str = 0.5,
    ring: float | str = 1.0,
    variant: float | str = 0,
    **_: float | str,
) -> Mono:
    """Return a hammer on an anvil: few long modes above 900 Hz, and the hammer's own short ring."""
    chance = character("anvil", variant)
    block = body(chance, ANVIL, size=float(size), ring=float(ring))
    hammer = struck(rng, body(chance, STEEL, size=0.2, ring=0.1), strength)
    return recorded_hit(rng, mixed(struck(rng, block, strength), 0.3 * hammer), strength, ring_s=3.0)


def body_blow(rng: np.random.Generator, strength: float, /, *, variant: float | str = 0, **_: float | str) -> Mono:
    """Return a fist or foot on a body: the trunk's thud, flesh, and a slap of skin or cloth."""
    chance = character("body_blow", variant)
    trunk = peak_of(thud(rng, chance.uniform(80.0, 140.0), 0.22, noise=1.0), 0.7)
    flesh = peak_of(struck(rng, body(chance, FLESH), strength, hardness=0.9), 0.5)
    slap = rough_burst(rng, rng.uniform(0.06, 0.12), centre_hz=2600.0, octaves=4.0)
    rustle = rough_burst(rng, rng.uniform(0.25, 0.35), centre_hz=1200.0, octaves=4.0)
    cloth = mixed((0.25 + 0.45 * strength) * slap, 0.25 * rustle)
    return recorded_hit(rng, mixed(trunk, flesh, cloth), strength, ring_s=0.5)


def ball_racket(rng: np.random.Generator, strength: float, /, *, variant: float | str = 0, **_: float | str) -> Mono:
    """Return a ball on strings: a small tight membrane, the frame's knock, 4 ms of felt or rubber.

    The string bed's first mode lies at 350 to 520 Hz; the ball stays on it for 4 to 5 ms (H. Brody, "Physics of the
    tennis racket", Am. J. Phys. 47, 1979), the clack of its landing is over in the first of them.
    """
    chance = character("ball_racket", variant)
    bed_hz = chance.uniform(350.0, 520.0) * np.array(MEMBRANE_RATIOS[:10])
    t60 = 0.11 * (bed_hz / bed_hz[0]) ** -0.75
    gains = np.exp(-0.4 * np.arange(10) * (1.3 - 0.5 * strength)) * np.exp(rng.normal(0.0, 0.2, 10))
    bed = ring_modes(bed_hz, t60, gains, length_samples(0.16), phases=np.full(10, 0.6))
    frame = struck(rng, body(chance, PLASTIC, size=0.4), strength, hardness=0.9)
    clack = rough_burst(rng, 0.025, centre_hz=2000.0, octaves=3.0)
    return recorded_hit(rng, mixed(0.8 * peak_of(bed), 0.5 * frame, 0.5 * clack), strength, ring_s=0.5)


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
    soft = min(max(float(softness), 0.0), 1.0)
    chance = character("soft_thump", variant)
    push = thud(rng, chance.uniform(75.0, 120.0), 0.12 + 0.08 * soft, drop=0.6, noise=0.6)
    slap = noise_burst(rng, 0.03, low_hz=350.0, high_hz=3800.0 - 2200.0 * soft)
    air = noise_burst(rng, 0.12, low_hz=120.0, high_hz=900.0)
    sound = mixed(0.8 * peak_of(push), (0.9 - 0.4 * soft) * slap, 0.25 * air)
    return recorded_hit(rng, sound, strength, ring_s=0.5)


def _recipe(name: str, make: MakesHit, ring_s: float, source: str) -> HitRecipe:
    return HitRecipe(name, "impacts", make, defaults_of(make), ring_s=ring_s, source=source)


RECIPES = (
    *(_recipe(blow.name, _blow_maker(blow), blow.ring_s, MODAL_SOURCE) for blow in BLOWS),
    _recipe("hammer_nail", hammer_nail, 0.8, MODAL_SOURCE),
    _recipe("knife_chop", knife_chop, 0.7, MODAL_SOURCE),
    _recipe("anvil", anvil, 3.0, MODAL_SOURCE),
    _recipe("body_blow", body_blow, 0.5, "falling low tone and slap, fitted to recorded blows"),
    _recipe("ball_racket", ball_racket, 0.5, "string bed as a membrane: Brody 1979; Fletcher & Rossing 1998"),
    _recipe("soft_thump", soft_thump, 0.5, "falling low tone under a cloth slap"),
)
