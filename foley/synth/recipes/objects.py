"""Small things that are handled: keys, coins, chains, cartridge cases, glasses, crockery, what is set down or dropped.

None of them makes one contact: a key ring touches itself thirty times in a jingle, a coin bounces, a cup rocks on its
foot. `variant` is another specimen of the same kind.

Sources: N. Fletcher, T. Rossing, "The Physics of Musical Instruments", 1998 (discs, bars, wine glasses); P. Cook,
"Physically informed sonic modeling (PhISM)", Comp. Music J. 21, 1997 (coins, keys, shakers); M. Rath, DAFx 2003
(bounces).
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from foley.synth.chain import delayed, mixed, peak_of, recorded_hit
from foley.synth.contacts import clatter, flurry, size_of, takes_of
from foley.synth.excitation import Signal, bounces, noise_burst
from foley.synth.finish import character, choice, defaults_of, number
from foley.synth.materials import GLASS, MATERIALS, STEEL, Body, body
from foley.synth.recipe import HitRecipe, MakesHit, Mono
from foley.synth.resonators import BAR_RATIOS, DISC_RATIOS, paired_modes_hz, thud


@dataclass(frozen=True, slots=True)
class Ground:
    """What something comes down on."""

    hardness: float
    """1 stone, 0 a pillow."""
    thud_hz: float
    thud: float
    """Peak of its own dull answer re the object's."""
    bounce: float
    """Share of the speed that it gives back to a hard thing."""


SURFACES = {
    "wood": Ground(0.93, 115.0, 0.45, 0.45),
    "stone": Ground(1.0, 150.0, 0.15, 0.6),
    "metal": Ground(0.98, 210.0, 0.35, 0.55),
    "carpet": Ground(0.55, 80.0, 0.8, 0.15),
    "earth": Ground(0.45, 75.0, 1.0, 0.08),
}
"""By the name that a `surface` parameter takes."""


def _small_metal(chance: np.random.Generator, lowest_hz: float, *, ratios: tuple[float, ...], t60_s: float) -> Body:
    """Return a small piece of metal with the modes of its shape; `t60_s` is that of its lowest."""
    plain = body(chance, STEEL, size=0.0)
    f = paired_modes_hz(chance, lowest_hz, ratios=ratios, split=(1.003, 1.03))
    f = f[f < 18_000.0]
    t60 = t60_s * (f / f[0]) ** -0.5 * np.exp(chance.normal(0.0, 0.25, len(f)))
    gains = np.exp(chance.normal(0.0, 0.4, len(f)))
    return replace(plain, modes_hz=f, t60_s=t60, gains=gains, field=0.5)


def _bunch(
    rng: np.random.Generator,
    chance: np.random.Generator,
    strength: float,
    *,
    pieces: int,
    lowest_hz: tuple[float, float],
    t60_s: float,
) -> list[Signal]:
    """Return takes of metal bars that hang together; they damp each other, so all of them ring short."""
    takes: list[Signal] = []
    for _ in range(pieces):
        hz = float(np.exp(chance.uniform(*np.log(lowest_hz))))
        piece = _small_metal(chance, hz, ratios=BAR_RATIOS[:4], t60_s=t60_s * chance.uniform(0.5, 1.6))
        takes += takes_of(rng, piece, strength, count=3, longest_s=2.0 * t60_s)
    return takes


def keys(
    rng: np.random.Generator,
    strength: float,
    /,
    *,
    count: float | str = 5,
    action: float | str = "jingle",
    variant: float | str = 0,
    **_: float | str,
) -> Mono:
    """Return a bunch of keys. A key of 55 mm has its first bending mode at 2.4 (brass) to 3.4 kHz (steel).

    Args:
        rng: Source of chance.
        strength: 0 to 1.
        count: Keys on the ring, 1 to 20.
        action: "jingle" shaken once, "drop" thrown on a table.
        variant: Another bunch.
    """
    chance = character("keys", variant)
    number_of_keys = round(number(count, 1, 20, "count"))
    contacts, mean_s = choice({"jingle": (10, 0.16), "drop": (6, 0.035)}, action, "action")
    pool = _bunch(rng, chance, strength, pieces=min(number_of_keys, 6), lowest_hz=(2000.0, 4600.0), t60_s=0.10)
    times, levels = flurry(rng, contacts + round(3.5 * number_of_keys**0.8), mean_s)
    sound = clatter(rng, pool, times, levels=levels)
    if action == "drop":
        sound = mixed(sound, 0.5 * thud(rng, chance.uniform(130.0, 200.0), 0.09, noise=0.6))
    return recorded_hit(rng, sound, strength, ring_s=1.2)


def chain(
    rng: np.random.Generator,
    strength: float,
    /,
    *,
    size: float | str = 0.5,
    variant: float | str = 0,
    **_: float | str,
) -> Mono:
    """Return a chain that is shaken or dropped: links that knock on each other.

    `size` 0 is a dog's lead, 1 an anchor's chain.
    """
    chance = character("chain", variant)
    large = size_of(size)
    low_hz = 5200.0 * 0.12**large
    pool = _bunch(rng, chance, strength, pieces=5, lowest_hz=(low_hz, 2.2 * low_hz), t60_s=0.07 + 0.12 * large)
    times, levels = flurry(rng, int(rng.integers(30, 50)), 0.16 + 0.08 * large, sigma=0.6)
    sound = mixed(clatter(rng, pool, times, levels=levels), 0.5 * large * thud(rng, chance.uniform(90.0, 150.0), 0.12))
    return recorded_hit(rng, sound, strength, ring_s=1.4)


COIN_ACTIONS = ("drop", "jingle", "spin")


def coins(
    rng: np.random.Generator,
    strength: float,
    /,
    *,
    count: float | str = 3,
    action: float | str = "drop",
    surface: float | str = "wood",
    variant: float | str = 0,
    **_: float | str,
) -> Mono:
    """Return coins: discs whose lowest mode lies at 3.5 to 7 kHz.

    Args:
        rng: Source of chance.
        strength: 0 to 1.
        count: 1 to 30.
        action: "drop" they bounce and fall flat, "jingle" in a hand, "spin" one turns on its rim until it lies.
        surface: What they fall on: one of `SURFACES`.
        variant: Other coins.
    """
    chance = character("coins", variant)
    choice(dict.fromkeys(COIN_ACTIONS), action, "action")
    ground = choice(SURFACES, surface, "surface")
    many = 1 if action == "spin" else round(number(count, 1, 30, "count"))
    damped = 0.35 if action == "jingle" else 1.0
    takes: list[Signal] = []
    for _coin in range(min(many, 4)):
        coin = _small_metal(chance, chance.uniform(3500.0, 7000.0), ratios=DISC_RATIOS, t60_s=0.22 * damped)
        takes += takes_of(rng, coin, strength, count=4, longest_s=0.3, hardness=ground.hardness)
    times, levels = _coin_contacts(rng, str(action), many, ground=ground)
    sound = clatter(rng, takes, times, levels=levels)
    if action != "jingle":
        sound = mixed(sound, 0.5 * ground.thud * thud(rng, 1.5 * ground.thud_hz, 0.05, noise=0.8))
    return recorded_hit(rng, sound, strength, ring_s=1.6)


def _coin_contacts(rng: np.random.Generator, action: str, many: int, *, ground: Ground) -> tuple[Signal, Signal]:
    """Return when and how hard coins touch.

    A coin that spins down touches ever faster: its rate goes with (time left)^(-1/3) (K. Easwar, F. Rouyer, N. Menon,
    "Speeding to a stop", Phys. Rev. E 66, 2002).
    """
    if action == "jingle":
        return flurry(rng, 4 + 3 * many, 0.10)
    if action == "spin":
        left = np.linspace(1.0, 0.0, 46) ** 1.5
        times = 1.2 * (1.0 - left) + rng.normal(0.0, 0.002, 46)
        return np.abs(times - times[0]), np.concatenate([[1.0], 0.25 + 0.35 * left[1:] * rng.uniform(0.5, 1.0, 45)])
    all_times, all_levels = [np.zeros(0)], [np.zeros(0)]
    for coin in range(many):
        start_s = 0.0 if coin == 0 else float(rng.gamma(1.5, 0.06 + 0.01 * many))
        when, speed = bounces(rng, rng.uniform(0.09, 0.17), ground.bounce, 5)
        settle = when[-1] + 0.03 + np.cumsum(np.linspace(0.022, 0.008, 7))  # it rattles flat, ever faster
        all_times += [start_s + when, start_s + settle]
        level = 1.0 if coin == 0 else rng.uniform(0.4, 0.85)
        all_levels += [level * speed, level * 0.12 * np.linspace(1.0, 0.3, 7)]
    return np.concatenate(all_times), np.concatenate(all_levels)


CASINGS = {"pistol": (5200.0, 0.16), "rifle": (3400.0, 0.24), "shotgun": (1100.0, 0.02)}
"""Lowest mode and decay of a case: brass tubes, and a plastic hull with a brass foot."""


def shell_casing(
    rng: np.random.Generator,
    strength: float,
    /,
    *,
    calibre: float | str = "pistol",
    surface: float | str = "stone",
    variant: float | str = 0,
    **_: float | str,
) -> Mono:
    """Return a cartridge case that lands, bounces three to six times, and rolls a little.

    Args:
        rng: Source of chance.
        strength: 0 to 1.
        calibre: "pistol", "rifle" or "shotgun".
        surface: One of `SURFACES`.
        variant: Another case.
    """
    chance = character("shell_casing", variant)
    lowest_hz, t60_s = choice(CASINGS, calibre, "calibre")
    ground = choice(SURFACES, surface, "surface")
    case = _small_metal(chance, lowest_hz * chance.uniform(0.85, 1.2), ratios=BAR_RATIOS[:4], t60_s=t60_s)
    takes = takes_of(rng, case, strength, count=6, longest_s=0.3, hardness=ground.hardness)
    times, levels = bounces(rng, rng.uniform(0.12, 0.22), ground.bounce, int(rng.integers(4, 8)))
    twice = times[1:] + rng.uniform(0.006, 0.03, len(times) - 1)  # mouth and foot land one after the other
    times, levels = np.concatenate([times, twice]), np.concatenate([levels, 0.6 * levels[1:]])
    return recorded_hit(rng, clatter(rng, takes, times, levels=levels), strength, ring_s=1.2)


def glass_clink(
    rng: np.random.Generator,
    strength: float,
    /,
    *,
    size: float | str = 0.5,
    fill: float | str = 0.4,
    variant: float | str = 0,
    **_: float | str,
) -> Mono:
    """Return two glasses that touch: both ring, at different pitches, and mostly touch a second time.

    Args:
        rng: Source of chance.
        strength: 0 to 1.
        size: 0 a shot glass, 1 a large goblet, or small, medium, large.
        fill: 0 empty to 1 full: the liquid moves with the wall, which lowers and damps its modes.
        variant: Other glasses.
    """
    chance = character("glass_clink", variant)
    full = number(fill, 0.0, 1.0, "fill")
    large = 0.2 + 0.8 * size_of(size)
    sound = np.zeros(1)
    again_s = rng.uniform(0.025, 0.07)
    for share in (1.0, 0.75):
        glass = body(chance, GLASS, size=large * chance.uniform(0.8, 1.0), ring=3.5 * (1.0 - 0.7 * full))
        lowered = replace(
            glass,
            modes_hz=glass.modes_hz * (1.0 - 0.25 * full),
            # the liquid takes most from short waves in the wall
            gains=glass.gains * (glass.modes_hz / glass.modes_hz[0]) ** (-1.5 * full),
            field=0.4 * (1.0 - 0.7 * full) * glass.field,
            noise=(1.0 - 0.7 * full) * glass.noise,
        )
        first, second = takes_of(rng, lowered, strength, count=2, longest_s=1.1)
        sound = mixed(sound, share * first, delayed(share * rng.uniform(0.05, 0.35) * second, again_s))
    return recorded_hit(rng, sound, strength, ring_s=1.5)


def set_down(
    rng: np.random.Generator,
    strength: float,
    /,
    *,
    material: float | str = "ceramic",
    size: float | str = 0.5,
    surface: float | str = "wood",
    variant: float | str = 0,
    **_: float | str,
) -> Mono:
    """Return something put on a table: its foot touches at one edge, then flat; the table answers.

    A hand still holds it, so it rings for a third of its time.

    Args:
        rng: Source of chance.
        strength: 0 to 1.
        material: One of `materials.MATERIALS`.
        size: 0 to 1, or small, medium, large.
        surface: One of `SURFACES`.
        variant: Another thing.
    """
    chance = character(f"set_down {material}", variant)
    ground = choice(SURFACES, surface, "surface")
    thing = body(chance, choice(MATERIALS, material, "material"), size=size_of(size), ring=0.3)
    takes = takes_of(rng, thing, strength, count=4, longest_s=0.4, hardness=ground.hardness)
    rocks = int(rng.integers(1, 4))
    times = np.concatenate([[0.0], np.cumsum(rng.uniform(0.015, 0.055) * 0.7 ** np.arange(rocks))])
    levels = np.concatenate([[1.0], rng.uniform(0.25, 0.7) * 0.6 ** np.arange(rocks)])
    table = thud(rng, ground.thud_hz * chance.uniform(0.85, 1.2), 0.11, noise=0.8)
    slip = noise_burst(rng, 0.09, low_hz=900.0, high_hz=5000.0)
    sound = mixed(clatter(rng, takes, times, levels=levels), ground.thud * peak_of(table), 0.08 * slip)
    return recorded_hit(rng, sound, strength, ring_s=0.8)


def drop(
    rng: np.random.Generator,
    strength: float,
    /,
    *,
    material: float | str = "wood",
    size: float | str = 0.5,
    surface: float | str = "wood",
    bounce: float | str = 0.5,
    variant: float | str = 0,
    **_: float | str,
) -> Mono:
    """Return something that falls on the ground, bounces and comes to rest.

    Args:
        rng: Source of chance.
        strength: 0 to 1.
        material: One of `materials.MATERIALS`.
        size: 0 to 1, or small, medium, large.
        surface: One of `SURFACES`.
        bounce: 0 it stays where it falls, 1 it jumps like a ball.
        variant: Another thing.
    """
    chance = character(f"drop {material}", variant)
    ground = choice(SURFACES, surface, "surface")
    large = size_of(size)
    thing = body(chance, choice(MATERIALS, material, "material"), size=large, ring=0.7)
    takes = takes_of(rng, thing, strength, count=6, longest_s=0.6, hardness=ground.hardness)
    again = number(bounce, 0.0, 1.0, "bounce") * (0.35 + 0.65 * ground.bounce)
    # a corner first, then the other one: what is not a ball bounces unevenly and tumbles
    times, levels = bounces(rng, rng.uniform(0.10, 0.24) * (0.3 + again), 0.15 + 0.7 * again, 2 + round(6 * again))
    tumble = times[:2] + rng.uniform(0.012, 0.05, min(2, len(times)))
    sound = clatter(rng, takes, np.concatenate([times, tumble]), levels=np.concatenate([levels, 0.4 * levels[:2]]))
    floor = peak_of(thud(rng, ground.thud_hz * (1.25 - 0.5 * large), 0.10 + 0.08 * large, noise=0.6))
    weight = ground.thud * (0.4 + 1.2 * large)
    landings = [delayed(weight * level * floor, time_s) for time_s, level in zip(times[:3], levels[:3], strict=False)]
    return recorded_hit(rng, mixed(sound, *landings), strength, ring_s=1.6)


def _recipe(make: MakesHit, name: str, ring_s: float, *, source: str) -> HitRecipe:
    return HitRecipe(name, "objects", make, defaults_of(make), ring_s=ring_s, source=source)


RECIPES = (
    _recipe(keys, "keys", 1.2, source="metal bars that touch at random: Cook 1997; Fletcher & Rossing 1998"),
    _recipe(chain, "chain", 1.4, source="metal bars that touch at random: Cook 1997; Fletcher & Rossing 1998"),
    _recipe(coins, "coins", 1.6, source="free discs: Fletcher & Rossing 1998; spinning down: Easwar et al. 2002"),
    _recipe(shell_casing, "shell_casing", 1.2, source="free bars and bounces: Fletcher & Rossing 1998; Rath 2003"),
    _recipe(glass_clink, "glass_clink", 1.5, source="wine glasses: Fletcher & Rossing 1998"),
    _recipe(set_down, "set_down", 0.8, source="modal synthesis: van den Doel & Pai 1998; contacts timed as recorded"),
    _recipe(drop, "drop", 1.6, source="modal synthesis: van den Doel & Pai 1998; bounces: Rath 2003"),
)
