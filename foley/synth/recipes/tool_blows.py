"""Tools and blades: hammer, anvil, axe, pickaxe, a sword drawn.

Each is two bodies that answer together: the tool, short because a hand holds it, and what it hits.

Sources: K. van den Doel, D. Pai, "The sounds of physical shapes", Presence 7, 1998 (modal synthesis with material
damping); P. Houle, J. Sethna, Phys. Rev. E 54, 1996 (heavy-tailed cracking).
"""

from __future__ import annotations

import numpy as np

from foley.synth.chain import delayed, mixed, peak_of, recorded_hit
from foley.synth.contacts import come_down, rattle, size_of, takes_of
from foley.synth.excitation import Signal, decay, length_samples, noise_burst, rough_burst
from foley.synth.finish import character, defaults_of, number
from foley.synth.landing import Landing, landed_hit
from foley.synth.materials import ANVIL, HOLLOW_WOOD, STEEL, STONE, WOOD, Material, body, struck
from foley.synth.recipe import HitRecipe, MakesHit, Mono
from foley.synth.resonators import resonant_grains, thud
from foley.synth.textures import shower, slow_random
from foley.units import RATE_HZ

LOG = Material(
    shape="block",
    loss=0.007,
    loss_exponent=-0.40,
    contact_s=0.35e-3,
    largest_hz=240.0,
    smallest_hz=600.0,
    modes=24,
    tilt_db=-4.0,
    field=2.0,
    noise=0.25,
)
"""A trunk or a billet on its block: solid, on end, hardly damped."""

SMITHY = Landing(cut_hz=60.0, treble_db=-4.0, wet=0.6, tail_db=-32.0, tail_hz=(150.0, 6000.0))
"""A stump under the anvil, bare walls around it."""

CHOPPING = Landing(treble_db=-2.0, cut_hz=170.0, wet=1.0, tail_db=-25.0, tail_hz=(300.0, 3000.0))
"""In a yard or a wood: walls and trunks all around send it back."""


def hammer_nail(rng: np.random.Generator, strength: float, /, *, variant: float | str = 0, **_: float | str) -> Mono:
    """Return a hammer on a nail: the clamped nail's short ring, the board under it, and the blow through the bench."""
    chance = character("hammer_nail", variant)
    (nail,) = takes_of(rng, body(chance, STEEL, size=0.1, ring=0.08), strength, count=1, longest_s=0.3)
    board = struck(rng, body(chance, WOOD, size=0.6), 0.8 * strength, support=0.5)
    sound = come_down(rng, mixed(nail, 0.8 * board), 0.25)
    return recorded_hit(rng, mixed(sound, rattle(rng, 0.4, (500.0, 7000.0))), strength, ring_s=0.8)


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
    """Return a hammer on an anvil: few long modes above 900 Hz, the hammer's own short ring, and its rebound.

    Args:
        rng: Source of chance.
        strength: 0 to 1.
        size: 0 to 1, or small, medium, large.
        ring: 0.05 with hot iron on it, 1 bare.
        variant: Another anvil.
    """
    chance = character("anvil", variant)
    block = body(chance, ANVIL, size=size_of(size), ring=number(ring, 0.02, 2.0, "ring"))
    (hammer,) = takes_of(rng, body(chance, STEEL, size=0.2, ring=0.1), strength, count=1, longest_s=0.3)
    sound = mixed(struck(rng, block, strength, support=0.3), 0.4 * hammer)
    return landed_hit(rng, chance, come_down(rng, sound, 0.15), strength, landing=SMITHY, ring_s=3.0)


def axe_chop(
    rng: np.random.Generator,
    strength: float,
    /,
    *,
    split: float | str = 0.5,
    variant: float | str = 0,
    **_: float | str,
) -> Mono:
    """Return an axe in wood: a deep blow through the log, the blade's dead ring, fibres that part, chips that fall.

    Args:
        rng: Source of chance.
        strength: 0 to 1.
        split: 0 it sticks in a trunk, 1 the log flies apart.
        variant: Another axe and log.
    """
    chance = character("axe_chop", variant)
    apart = number(split, 0.0, 1.0, "split")
    log = struck(rng, body(chance, LOG, size=chance.uniform(0.2, 1.0)), strength, support=0.3)
    (blade,) = takes_of(rng, body(chance, STEEL, size=0.3, ring=0.05), strength, count=1, longest_s=0.2)
    length = length_samples(0.12 + 0.25 * apart)
    fewer = np.linspace(1.0, 0.0, length) ** 2
    fibres = resonant_grains(rng, 400.0, 5000.0, quality=(1.0, 4.0), decay_s=0.006, count=16)
    tear = peak_of(shower(rng, length, fibres, rate_hz=500.0, sigma=1.2, curve=fewer) * fewer, 0.25 + 0.45 * apart)
    crack = rough_burst(rng, 0.05, centre_hz=1800.0, octaves=3.5)
    halves = _thrown(rng, chance, strength, apart=apart)
    chips = rattle(rng, 0.5 + 0.5 * apart, (400.0, 5000.0))
    sound = mixed(log, 0.15 * blade, tear, (0.15 + 0.25 * apart) * crack, chips, halves)
    return landed_hit(rng, chance, sound, strength, landing=CHOPPING, ring_s=0.9)


def _thrown(rng: np.random.Generator, chance: np.random.Generator, strength: float, *, apart: float) -> Signal:
    """Return the halves of a log that land 0.2 to 0.45 s later; nothing where it does not split."""
    if rng.random() >= apart:
        return np.zeros(1)
    first, second = takes_of(rng, body(chance, HOLLOW_WOOD, size=0.3, ring=0.6), strength, count=2, longest_s=0.3)
    late_s = rng.uniform(0.20, 0.35)
    return mixed(delayed(0.2 * first, late_s), delayed(0.13 * second, late_s + rng.uniform(0.03, 0.12)))


def pickaxe(rng: np.random.Generator, strength: float, /, *, variant: float | str = 0, **_: float | str) -> Mono:
    """Return a steel point on rock: the rock's crack, the pick's clank on its handle, crumbs that run down."""
    chance = character("pickaxe", variant)
    rock = struck(rng, body(chance, STONE, size=0.7), strength, support=0.5)
    pick = takes_of(rng, body(chance, STEEL, size=0.45, ring=0.4), strength, count=1, longest_s=0.5)[0]
    crack = rough_burst(rng, 0.04, centre_hz=3000.0, octaves=4.0)
    length = length_samples(rng.uniform(0.35, 0.7))
    fewer = np.linspace(1.0, 0.0, length) ** 2
    crumbs = resonant_grains(rng, 700.0, 5000.0, quality=(1.5, 6.0), decay_s=0.006, count=16)
    falling = peak_of(shower(rng, length, crumbs, rate_hz=160.0, sigma=1.0, curve=fewer) * fewer**0.5, 0.16)
    return recorded_hit(rng, mixed(rock, 0.5 * pick, 0.6 * crack, falling), strength, ring_s=0.9)


def _slid(rng: np.random.Generator) -> Signal:
    """Return edge on edge: hiss of 3 to 12 kHz in uneven catches, 0.1 to 0.35 s long."""
    length = length_samples(0.10 + rng.uniform(0.15, 0.25))
    hiss = noise_burst(rng, length / RATE_HZ, low_hz=3000.0, high_hz=12_000.0)[:length] / decay(
        length, length / RATE_HZ
    )
    shape = np.sin(np.pi * np.linspace(0.0, 1.0, length)) * np.clip(
        1.0 + 0.6 * slow_random(rng, length, 60.0), 0.0, None
    )
    return peak_of(hiss * shape, 0.35)


def blade_draw(rng: np.random.Generator, strength: float, /, *, variant: float | str = 0, **_: float | str) -> Mono:
    """Return a sword drawn: steel slides out of its scabbard for a third of a second, and rings when it is free.

    It is heard at its start, when the guard leaves the scabbard's mouth.
    """
    chance = character("blade_draw", variant)
    first, freed = takes_of(rng, body(chance, STEEL, size=0.5, ring=0.5), strength, count=2, longest_s=1.0)
    slide_s = rng.uniform(0.28, 0.42)
    edge = delayed(_slid(rng), 0.01)
    lip = thud(rng, chance.uniform(180.0, 260.0), 0.05, noise=0.8)
    free = delayed(0.35 * freed, slide_s)
    return recorded_hit(rng, mixed(0.5 * first[:2400] * decay(2400, 0.04), 0.4 * lip, edge, free), strength, ring_s=1.4)


def _recipe(name: str, make: MakesHit, ring_s: float, *, source: str) -> HitRecipe:
    return HitRecipe(name, "tools", make, defaults_of(make), ring_s=ring_s, source=source)


MODAL = "modal synthesis with material damping: van den Doel & Pai 1998"

RECIPES = (
    _recipe("hammer_nail", hammer_nail, 0.8, source=MODAL),
    _recipe("anvil", anvil, 3.0, source=MODAL),
    _recipe("axe_chop", axe_chop, 0.9, source=f"{MODAL}; cracking: Houle & Sethna 1996"),
    _recipe("pickaxe", pickaxe, 0.9, source=f"{MODAL}; cracking: Houle & Sethna 1996"),
    _recipe("blade_draw", blade_draw, 1.4, source=MODAL),
)
