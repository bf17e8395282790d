"""Kitchen work: chopping, slicing, stirring, whisking; eggs, bottles and cans; pans, plates and cutlery.

Sources: K. van den Doel, D. Pai, "The sounds of physical shapes", Presence 7, 1998 (modal synthesis); N. Fletcher, T.
Rossing, "The Physics of Musical Instruments", 1998 (cups, discs; the Helmholtz resonator of a bottle's neck).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from foley.synth.chain import delayed, mixed, peak_of, recorded_hit
from foley.synth.contacts import clatter, flurry, takes_of
from foley.synth.excitation import Signal, decay, length_samples, noise_burst, rough_burst
from foley.synth.finish import character, choice, defaults_of, number
from foley.synth.materials import CERAMIC, GLASS, MATERIALS, PLASTIC, SHEET, STEEL, WOOD, Body, body, struck
from foley.synth.recipe import HitRecipe, MakesHit, Mono
from foley.synth.resonators import resonant_grains, thud
from foley.synth.textures import noise, shower, spectrum
from foley.units import RATE_HZ


@dataclass(frozen=True, slots=True)
class Food:
    """What a knife goes through."""

    low_hz: float
    high_hz: float
    cracks: float
    """A second."""
    crunch: float
    """Peak re the board."""
    wet: float
    """Peak of the soft squelch re the board."""


FOODS = {
    "crisp": Food(1200.0, 7000.0, 900.0, 0.55, 0.0),  # cabbage, celery, onion
    "hard": Food(500.0, 4500.0, 450.0, 0.75, 0.0),  # carrot, potato
    "soft": Food(300.0, 1800.0, 250.0, 0.20, 0.35),  # tomato, meat
    "bread": Food(1500.0, 8000.0, 1400.0, 0.50, 0.0),
}
BOARDS = {"wood": (WOOD, 0.9), "plastic": (PLASTIC, 0.6), "stone": (MATERIALS["stone"], 0.25)}
"""With the thud of the table under them."""


def _crunch(rng: np.random.Generator, food: Food, duration_s: float) -> Signal:
    """Return crisp food that parts: a burst of short cracks, even at first and then fewer; peak 1."""
    length = length_samples(duration_s)
    cracks = resonant_grains(rng, food.low_hz, food.high_hz, quality=(0.8, 3.0), decay_s=0.0025, count=16)
    fewer = np.linspace(1.0, 0.0, length)
    return peak_of(shower(rng, length, cracks, rate_hz=food.cracks, sigma=1.0, curve=fewer) * fewer)


def knife_chop(
    rng: np.random.Generator,
    strength: float,
    /,
    *,
    food: float | str = "crisp",
    board: float | str = "wood",
    variant: float | str = 0,
    **_: float | str,
) -> Mono:
    """Return a knife through food onto a board: the board, the blade's dead ring, the food's crunch.

    Args:
        rng: Source of chance.
        strength: 0 to 1.
        food: One of `FOODS`.
        board: One of `BOARDS`.
        variant: Another knife and board.
    """
    chance = character("knife_chop", variant)
    eaten = choice(FOODS, food, "food")
    material, table = choice(BOARDS, board, "board")
    hit = struck(rng, body(chance, material, size=0.8, ring=0.8), strength, hardness=0.95, support=table)
    blade, again = takes_of(rng, body(chance, STEEL, size=0.15, ring=0.05), strength, count=2, longest_s=0.2)
    crunch = eaten.crunch * _crunch(rng, eaten, rng.uniform(0.03, 0.07))
    squelch = eaten.wet * rough_burst(rng, 0.09, centre_hz=700.0, octaves=2.5)
    falls = delayed(0.06 * _crunch(rng, eaten, 0.12), rng.uniform(0.05, 0.11))  # the slice falls over
    heel = delayed(rng.uniform(0.05, 0.2) * again, rng.uniform(0.008, 0.025))  # tip and heel of the blade
    return recorded_hit(rng, mixed(hit, 0.35 * blade, heel, crunch, squelch, falls), strength, ring_s=0.7)


def slice_cut(
    rng: np.random.Generator,
    strength: float,
    /,
    *,
    food: float | str = "bread",
    variant: float | str = 0,
    **_: float | str,
) -> Mono:
    """Return one stroke of a knife that is drawn through: it bites, saws for a quarter of a second, taps the board.

    Args:
        rng: Source of chance.
        strength: 0 to 1.
        food: One of `FOODS`.
        variant: Another knife and board.
    """
    chance = character("slice", variant)
    eaten = choice(FOODS, food, "food")
    length = length_samples(rng.uniform(0.18, 0.32))
    teeth = 1.0 + 0.7 * np.sin(2 * np.pi * np.cumsum(np.full(length, chance.uniform(60.0, 130.0))) / RATE_HZ)
    stroke = np.sin(np.pi * np.linspace(0.15, 1.0, length)) ** 0.7
    cracks = resonant_grains(rng, eaten.low_hz, eaten.high_hz, quality=(0.7, 2.0), decay_s=0.002, count=16)
    sawed = shower(rng, length, cracks, rate_hz=2.0 * eaten.cracks, sigma=0.8) * teeth * stroke
    bite = rough_burst(rng, 0.03, centre_hz=2.0 * eaten.low_hz, octaves=3.0)
    (tap,) = takes_of(rng, body(chance, WOOD, size=0.8), strength, count=1, longest_s=0.2, hardness=0.9)
    wet = eaten.wet * rough_burst(rng, 0.2, centre_hz=600.0, octaves=2.5)
    sound = mixed(0.7 * peak_of(sawed), 0.8 * bite, wet, delayed(0.5 * tap, 0.9 * length / RATE_HZ))
    return recorded_hit(rng, sound, strength, ring_s=0.7)


def egg_crack(rng: np.random.Generator, strength: float, /, *, variant: float | str = 0, **_: float | str) -> Mono:
    """Return an egg knocked on a rim: a brittle crack, the bowl's short answer, the shell pulled apart, a wet plop."""
    chance = character("egg_crack", variant)
    shell = Food(1400.0, 6500.0, 700.0, 1.0, 0.0)
    crack = rough_burst(rng, 0.018, centre_hz=2800.0, octaves=3.0)
    (bowl,) = takes_of(rng, body(chance, CERAMIC, size=0.9, ring=0.3), strength, count=1, longest_s=0.3, hardness=0.9)
    first = 0.5 * _crunch(rng, shell, 0.05)
    apart = delayed(0.28 * _crunch(rng, shell, rng.uniform(0.12, 0.2)), rng.uniform(0.16, 0.26))
    plop = delayed(0.22 * peak_of(thud(rng, chance.uniform(240.0, 380.0), 0.06, drop=-0.35)), rng.uniform(0.34, 0.44))
    return recorded_hit(rng, mixed(crack, 0.35 * bowl, first, apart, plop), strength, ring_s=0.7)


BOTTLES = ("cork", "champagne", "can", "cap", "jar")
FIZZ = spectrum({500: -18, 2000: -6, 5000: 0, 9000: -1, 15_000: -6, 20_000: -16})


def bottle_open(
    rng: np.random.Generator,
    strength: float,
    /,
    *,
    kind: float | str = "cork",
    variant: float | str = 0,
    **_: float | str,
) -> Mono:
    """Return a bottle, can or jar opened.

    A cork's pop is the neck ringing as a Helmholtz resonator, 300 to 700 Hz, rising while it clears the neck. A can's
    tab snaps, then 3 to 6 bar of gas leave through the tear.

    Args:
        rng: Source of chance.
        strength: 0 to 1.
        kind: One of `BOTTLES`.
        variant: Another bottle.
    """
    chance = character("bottle_open", variant)
    made = choice(dict(zip(BOTTLES, (_cork, _champagne, _can, _cap, _jar), strict=True)), kind, "kind")
    return recorded_hit(rng, made(rng, chance, strength), strength, ring_s=1.4)


def _cork(rng: np.random.Generator, chance: np.random.Generator, strength: float) -> Signal:
    pop = peak_of(thud(rng, chance.uniform(320.0, 600.0), 0.055 + 0.02 * strength, drop=-0.3, noise=0.3))
    puff = noise_burst(rng, 0.03, low_hz=300.0, high_hz=6000.0)
    squeak = delayed(0.03 * rough_burst(rng, 0.05, centre_hz=2500.0, octaves=1.0), 0.01)
    return mixed(pop, 0.5 * puff, squeak)


def _champagne(rng: np.random.Generator, chance: np.random.Generator, strength: float) -> Signal:
    blast = noise_burst(rng, 0.05, low_hz=200.0, high_hz=9000.0)
    return mixed(_cork(rng, chance, strength), 0.7 * blast, 0.12 * _fizz(rng, 1.2, rise_s=0.05))


def _can(rng: np.random.Generator, chance: np.random.Generator, strength: float) -> Signal:
    tab, tear = takes_of(rng, body(chance, SHEET, size=0.0, ring=0.08), strength, count=2, longest_s=0.2)
    hiss = _fizz(rng, rng.uniform(0.5, 0.9), rise_s=0.002)
    return mixed(tab, 0.7 * hiss, delayed(0.5 * tear, rng.uniform(0.09, 0.16)))


def _cap(rng: np.random.Generator, chance: np.random.Generator, strength: float) -> Signal:
    crown, lands = takes_of(rng, body(chance, STEEL, size=0.0, ring=0.12), strength, count=2, longest_s=0.25)
    (neck,) = takes_of(rng, body(chance, GLASS, size=0.9, ring=0.25), strength, count=1, longest_s=0.2, hardness=0.9)
    gas = _fizz(rng, rng.uniform(0.12, 0.25), rise_s=0.002)
    return mixed(0.7 * crown, 0.5 * neck, 0.5 * gas, delayed(0.12 * lands, rng.uniform(0.3, 0.5)))


def _jar(rng: np.random.Generator, chance: np.random.Generator, strength: float) -> Signal:
    lid = peak_of(thud(rng, chance.uniform(700.0, 1100.0), 0.05, drop=-0.25, noise=0.2))
    (snap,) = takes_of(rng, body(chance, SHEET, size=0.1, ring=0.08), strength, count=1, longest_s=0.15)
    return mixed(lid, 0.6 * snap, 0.25 * noise_burst(rng, 0.06, low_hz=800.0, high_hz=7000.0))


def _fizz(rng: np.random.Generator, t60_s: float, *, rise_s: float) -> Signal:
    """Return gas that leaves and bubbles that burst: a hiss with ticks in it, ever weaker; peak 1."""
    length = length_samples(t60_s)
    ticks = resonant_grains(rng, 4000.0, 12_000.0, quality=(1.0, 3.0), decay_s=0.0015, count=12)
    hiss = noise(rng, length, FIZZ) + 0.7 * shower(rng, length, ticks, rate_hz=900.0, sigma=0.9)
    rise = np.minimum(1.0, np.arange(length) / (rise_s * RATE_HZ))
    return peak_of(hiss * decay(length, t60_s) * rise)


PANS = {"pan": (0.45, 0.30), "pot": (0.60, 0.40), "tray": (0.75, 0.35), "lid": (0.30, 0.90), "wok": (0.65, 0.55)}
"""Size and ring: a lid hangs free, a pan stands on the stove."""


def pan(
    rng: np.random.Generator,
    strength: float,
    /,
    *,
    kind: float | str = "pan",
    variant: float | str = 0,
    **_: float | str,
) -> Mono:
    """Return a pan, pot, tray, lid or wok that is set down or knocked: sheet metal, thicker than a roof's.

    It rocks on its rim; a lid does so ever faster until it lies.

    Args:
        rng: Source of chance.
        strength: 0 to 1.
        kind: One of `PANS`.
        variant: Another one.
    """
    chance = character(f"pan {kind}", variant)
    size, ring = choice(PANS, kind, "kind")
    takes = takes_of(rng, body(chance, STEEL, size=size, ring=ring), strength, count=5, longest_s=1.2)
    rocks = 14 if kind == "lid" else int(rng.integers(2, 5))
    gaps = rng.uniform(0.05, 0.10) * np.linspace(1.0, 0.25, rocks) * rng.uniform(0.8, 1.2, rocks)
    times = np.concatenate([[0.0], np.cumsum(gaps)])
    levels = np.concatenate([[1.0], rng.uniform(0.25, 0.5) * np.linspace(1.0, 0.2, rocks) * rng.uniform(0.6, 1, rocks)])
    stove = thud(rng, chance.uniform(140.0, 220.0), 0.09, noise=0.8)
    scrape = noise_burst(rng, 0.12, low_hz=1500.0, high_hz=7000.0)
    sound = mixed(clatter(rng, takes, times, levels=levels), 0.3 * stove, 0.08 * scrape)
    return recorded_hit(rng, sound, strength, ring_s=1.8)


def dishes(
    rng: np.random.Generator,
    strength: float,
    /,
    *,
    count: float | str = 4,
    material: float | str = "ceramic",
    variant: float | str = 0,
    **_: float | str,
) -> Mono:
    """Return plates, cups or glasses that knock together while they are stacked or cleared.

    Args:
        rng: Source of chance.
        strength: 0 to 1.
        count: Pieces, 2 to 12.
        material: One of `materials.MATERIALS`.
        variant: Another set.
    """
    chance = character(f"dishes {material}", variant)
    pieces = round(number(count, 2, 12, "count"))
    kind = choice(MATERIALS, material, "material")
    takes: list[Signal] = []
    for _piece in range(min(pieces, 5)):
        piece = body(chance, kind, size=chance.uniform(0.1, 0.9), ring=chance.uniform(0.25, 0.7))
        takes += takes_of(rng, piece, strength, count=2, longest_s=0.5)
    times, levels = flurry(rng, 2 + round(1.6 * pieces), 0.14, sigma=0.6)
    table = thud(rng, chance.uniform(110.0, 170.0), 0.10, noise=0.7)
    return recorded_hit(rng, mixed(clatter(rng, takes, times, levels=levels), 0.2 * table), strength, ring_s=1.2)


AGAINST = {
    "plate": (CERAMIC, 0.8, 0.5),
    "cup": (CERAMIC, 0.2, 0.8),
    "glass": (GLASS, 0.4, 0.8),
    "table": (WOOD, 0.7, 0.8),
}
"""What cutlery touches: material, size, ring; a table's hardly rings."""


def cutlery(
    rng: np.random.Generator,
    strength: float,
    /,
    *,
    against: float | str = "plate",
    count: float | str = 1,
    variant: float | str = 0,
    **_: float | str,
) -> Mono:
    """Return knife, fork or spoon on what one eats from; several pieces clatter.

    A fork of 19 cm bends at 250 Hz and up; a hand damps all but its tines, which ring at 2 to 9 kHz.

    Args:
        rng: Source of chance.
        strength: 0 to 1.
        against: What they touch: one of `AGAINST`.
        count: Pieces that move, 1 to 20.
        variant: Another table.
    """
    chance = character(f"cutlery {against}", variant)
    material, size, ring = choice(AGAINST, against, "against")
    pieces = round(number(count, 1, 20, "count"))
    rest = takes_of(rng, body(chance, material, size=size, ring=ring), strength, count=3, longest_s=0.5)
    takes: list[Signal] = []
    for index in range(min(pieces, 4)):
        piece: Body = body(chance, STEEL, size=0.0, ring=0.12 if pieces == 1 else 0.35)
        made = takes_of(rng, piece, strength, count=3, longest_s=0.35)
        takes += [mixed(0.8 * rest[k], 0.6 * take) if index == 0 else take for k, take in enumerate(made)]
    times, levels = flurry(rng, 1 + int(rng.integers(0, 3)) + 3 * (pieces - 1), 0.05 + 0.01 * pieces, sigma=0.6)
    slide = noise_burst(rng, 0.06, low_hz=2500.0, high_hz=9000.0)
    return recorded_hit(rng, mixed(clatter(rng, takes, times, levels=levels), 0.06 * slide), strength, ring_s=1.0)


def _recipe(make: MakesHit, name: str, ring_s: float, *, source: str) -> HitRecipe:
    return HitRecipe(name, "kitchen", make, defaults_of(make), ring_s=ring_s, source=source)


MODAL = "modal synthesis: van den Doel & Pai 1998; contacts timed as recorded"

RECIPES = (
    _recipe(knife_chop, "knife_chop", 0.7, source=MODAL),
    _recipe(slice_cut, "slice", 0.7, source="bursts of short cracks under a drawn blade"),
    _recipe(egg_crack, "egg_crack", 0.7, source="bursts of short cracks; a drop's falling tone"),
    _recipe(bottle_open, "bottle_open", 1.4, source="Helmholtz resonance of the neck: Fletcher & Rossing 1998"),
    _recipe(pan, "pan", 1.8, source=MODAL),
    _recipe(dishes, "dishes", 1.2, source=MODAL),
    _recipe(cutlery, "cutlery", 1.0, source=MODAL),
)
