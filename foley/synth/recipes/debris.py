"""What comes apart and falls: crumbs, rubble, a house, a tree, a car.

One instant can be seen - the wall gives way, the crown strikes the ground, metal meets metal - and it is the loudest;
everything else runs out of it, ever weaker.

Sources: S. Zambon, PhD thesis, Verona 2012 (fragments use up the energy of a break); P. Houle, J. Sethna, Phys. Rev. E
54, 1996 (heavy-tailed cracks); M. Rath, DAFx 2003 (bounces). Durations and balances of the large ones are an editor's.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from foley.synth.chain import delayed, in_a_room, mixed, peak_of, recorded_hit
from foley.synth.contacts import clatter, size_of, takes_of
from foley.synth.excitation import Signal, bounces, decay, length_samples, low_passed, noise_burst, rough_burst
from foley.synth.finish import character, choice, defaults_of, finished_hit, number
from foley.synth.materials import (
    GLASS,
    HOLLOW_WOOD,
    MATERIALS,
    PLASTIC,
    SHEET,
    STONE,
    Material,
    body,
    struck,
)
from foley.synth.recipe import HitRecipe, MakesHit, Mono
from foley.synth.resonators import resonant_grains, thud
from foley.synth.textures import heavy, noise, shower, slow_random, spectrum


@dataclass(frozen=True, slots=True)
class Crumbs:
    """What crumbles."""

    low_hz: float
    high_hz: float
    quality: tuple[float, float]
    rate_hz: float
    dust: float
    """Hiss of the finest re the crumbs."""


CRUMBS = {
    "stone": Crumbs(500.0, 4500.0, (1.5, 7.0), 260.0, 0.15),
    "brick": Crumbs(400.0, 3200.0, (1.0, 4.0), 320.0, 0.25),
    "plaster": Crumbs(700.0, 5500.0, (0.8, 3.0), 500.0, 0.40),
    "earth": Crumbs(150.0, 1500.0, (0.7, 2.0), 500.0, 0.30),
    "ice": Crumbs(1800.0, 9000.0, (2.0, 9.0), 350.0, 0.10),
    "biscuit": Crumbs(1200.0, 7000.0, (0.8, 2.5), 450.0, 0.10),
}
DUST = spectrum({100: -14, 400: -4, 1200: 0, 4000: -3, 9000: -10, 18_000: -26})
RUMBLE = spectrum({22: -6, 45: 0, 90: -2, 200: -9, 500: -18, 1500: -32})


def _falling(rng: np.random.Generator, kind: Crumbs, duration_s: float, *, scale: float = 1.0) -> Signal:
    """Return crumbs that fall ever more sparsely, with the dust among them; peak 1.

    `scale` above 1 makes the pieces larger and fewer.
    """
    length = length_samples(duration_s)
    fewer = np.exp(-3.0 * np.linspace(0.0, 1.0, length)) * np.linspace(1.0, 0.0, length)
    uneven = np.clip(1.0 + 0.6 * slow_random(rng, length, 9.0, 2), 0.0, None)  # it comes down in lumps
    grains = resonant_grains(
        rng, kind.low_hz / scale, kind.high_hz / scale, quality=kind.quality, decay_s=0.007 * scale, count=24
    )
    pieces = shower(rng, length, grains, rate_hz=kind.rate_hz / scale, sigma=1.1, curve=np.minimum(1.0, fewer * uneven))
    dust = kind.dust * noise(rng, length, DUST) * fewer
    return peak_of(pieces * np.sqrt(fewer) + dust)


def crumble(
    rng: np.random.Generator,
    strength: float,
    /,
    *,
    material: float | str = "stone",
    size: float | str = 0.3,
    **_: float | str,
) -> Mono:
    """Return something that breaks up into crumbs: the break, then pieces that fall for half a second to two.

    Args:
        rng: Source of chance.
        strength: 0 to 1.
        material: One of `CRUMBS`.
        size: Of the heap: 0 a biscuit, 1 a piece of wall; or small, medium, large.
    """
    kind, large = choice(CRUMBS, material, "material"), size_of(size)
    crack = rough_burst(rng, 0.025 + 0.03 * large, centre_hz=(kind.low_hz * kind.high_hz) ** 0.5, octaves=3.5)
    falling = _falling(rng, kind, 0.5 + 1.5 * large, scale=1.0 + 0.8 * large)
    floor = large * thud(rng, rng.uniform(80.0, 130.0), 0.12, noise=0.8)
    return recorded_hit(rng, mixed(crack, 0.6 * falling, 0.6 * floor), strength, ring_s=2.0)


def _rocks(
    rng: np.random.Generator, material: Material, count: int, *, spread_s: float, sizes: tuple[float, float]
) -> Signal:
    """Return lumps that land one after the other and bounce, the first at once; peak 1."""
    takes: list[Signal] = []
    for _ in range(4):
        lump = body(rng, material, size=rng.uniform(*sizes), ring=0.8)
        takes += takes_of(rng, lump, 0.8, count=3, longest_s=0.18)
    times, levels = [np.zeros(1)], [np.ones(1)]
    for weight in heavy(rng, count - 1, 0.7).tolist():
        start_s = float(rng.gamma(1.6, spread_s / 1.6))
        when, speed = bounces(rng, rng.uniform(0.06, 0.16), rng.uniform(0.25, 0.5), 3)
        times.append(start_s + when)
        levels.append(min(0.8, 0.3 * weight) * speed * np.exp(-0.8 * start_s / spread_s))
    return peak_of(clatter(rng, takes, np.concatenate(times), levels=np.concatenate(levels)))


def rubble(
    rng: np.random.Generator,
    strength: float,
    /,
    *,
    material: float | str = "stone",
    count: float | str = 25,
    **_: float | str,
) -> Mono:
    """Return lumps that come down in a heap: debris, a small rock fall, planks.

    Args:
        rng: Source of chance.
        strength: 0 to 1.
        material: One of `materials.MATERIALS`.
        count: Lumps, 2 to 100.
    """
    lumps = round(number(count, 2, 100, "count"))
    kind = choice(MATERIALS, material, "material")
    fall = _rocks(rng, kind, lumps, spread_s=0.15 + 0.012 * lumps, sizes=(0.2, 1.0))
    ground = thud(rng, rng.uniform(70.0, 110.0), 0.16, noise=1.0)
    crumbs = _falling(rng, CRUMBS["stone"], 1.2)
    return recorded_hit(rng, mixed(fall, 0.6 * ground, 0.25 * crumbs), strength, ring_s=2.5)


def collapse(
    rng: np.random.Generator,
    strength: float,
    /,
    *,
    size: float | str = 0.6,
    **_: float | str,
) -> Mono:
    """Return a structure that gives way: the crack, masonry and timber in waves, a rumble under it, dust at the end.

    Args:
        rng: Source of chance.
        strength: 0 to 1.
        size: 0 a wall, 1 a tower; or small, medium, large.
    """
    large = size_of(size)
    length = length_samples(2.5 + 2.0 * large)
    place = np.linspace(0.0, 1.0, length)
    swell = np.minimum(1.0, place / 0.05) * (1.0 - place) ** 1.5
    rolling = np.clip(1.0 + 0.5 * slow_random(rng, length, 5.0, 2), 0.1, None)
    rumble = peak_of(noise(rng, length, RUMBLE) * swell * rolling)
    crack = peak_of(struck(rng, body(rng, HOLLOW_WOOD, size=1.0), 1.0, support=1.0))
    masonry = _rocks(rng, STONE, 30 + round(50 * large), spread_s=0.5 + 0.5 * large, sizes=(0.6, 1.0))
    timber = _rocks(rng, HOLLOW_WOOD, 12, spread_s=0.5, sizes=(0.3, 1.0))
    falling = _falling(rng, CRUMBS["brick"], 1.5 + 1.5 * large, scale=1.8)
    dust = low_passed(noise(rng, length // 2, DUST), 3000.0, 1) * np.sin(np.pi * np.linspace(0.0, 1.0, length // 2))
    early = mixed(0.9 * crack, 0.9 * noise_burst(rng, 0.25, low_hz=60.0, high_hz=2500.0))
    late = mixed(
        (0.4 + 0.3 * large) * rumble, 0.5 * masonry, 0.25 * timber, 0.45 * falling, delayed(0.08 * peak_of(dust), 0.3)
    )
    return finished_hit(mixed(in_a_room(rng, early, 0.5), late), strength, ring_s=2.5 + 2.0 * large)


TREE_LEAD_S = 1.5
"""A tree cracks and falls for this long before its crown meets the ground."""


def tree_fall(
    rng: np.random.Generator,
    strength: float,
    /,
    *,
    size: float | str = 0.6,
    **_: float | str,
) -> Mono:
    """Return a tree that falls: fibres crack ever faster, leaves rush, the trunk strikes the ground and boughs break.

    Args:
        rng: Source of chance.
        strength: 0 to 1.
        size: 0 a young birch, 1 an old spruce; or small, medium, large.
    """
    large = size_of(size)
    lead = length_samples(TREE_LEAD_S)
    ramp = np.linspace(0.0, 1.0, lead)
    fibres = resonant_grains(rng, 250.0, 3500.0, quality=(1.0, 5.0), decay_s=0.010, count=24)
    cracks = peak_of(shower(rng, lead, fibres, rate_hz=70.0, sigma=1.3, curve=0.15 + 0.85 * ramp**2) * (0.3 + ramp))
    leaves = noise(rng, lead, spectrum({500: -16, 1500: -4, 4000: 0, 8000: -3, 15_000: -14})) * ramp**3
    before = mixed(0.35 * cracks, 0.16 * peak_of(leaves))
    before[-480:] *= np.linspace(1.0, 0.3, 480)
    ground = peak_of(thud(rng, rng.uniform(75.0, 95.0) * (1.2 - 0.5 * large), 0.35 + 0.25 * large, noise=1.2))
    trunk = peak_of(struck(rng, body(rng, HOLLOW_WOOD, size=1.0), 1.0, support=0.8))
    slap = noise_burst(rng, 0.30, low_hz=200.0, high_hz=5000.0)
    length = length_samples(1.4)
    fewer = np.linspace(1.0, 0.0, length) ** 2.5
    boughs = peak_of(shower(rng, length, fibres, rate_hz=140.0, sigma=1.2, curve=fewer) * fewer**0.5)
    rustle = peak_of(noise(rng, length, DUST) * decay(length, 1.2))
    after = mixed(ground, 0.6 * trunk, 0.7 * slap, 0.45 * boughs, 0.15 * rustle)
    sound = np.concatenate([before, after])
    return recorded_hit(rng, sound, strength, ring_s=2.0, lead_s=TREE_LEAD_S, wet=0.5)


def car_crash(
    rng: np.random.Generator,
    strength: float,
    /,
    *,
    glass: float | str = 0.6,
    variant: float | str = 0,
    **_: float | str,
) -> Mono:
    """Return cars that collide: panels buckle for 0.15 s, a windscreen bursts, trim and shards fall and roll.

    Buckling is not one blow but dozens of small ones: a crash test's deceleration lasts 0.1 to 0.15 s.

    Args:
        rng: Source of chance.
        strength: 0 to 1.
        glass: 0 none breaks, 1 all does.
        variant: Another car.
    """
    chance = character("car_crash", variant)
    broken = number(glass, 0.0, 1.0, "glass")
    panels: list[Signal] = []
    for size in (1.0, 0.8, 0.5):
        panels += takes_of(rng, body(chance, SHEET, size=size, ring=0.25), 1.0, count=3, longest_s=0.5)
    times = np.concatenate([[0.0], np.sort(rng.gamma(1.3, 0.045, 40)), rng.uniform(0.2, 0.9, 6)])
    folds = 0.5 * np.exp(rng.normal(0.0, 0.5, 40) - times[1:41] / 0.15)
    levels = np.concatenate([[1.0], folds, rng.uniform(0.02, 0.12, 6)])
    buckling = peak_of(clatter(rng, panels, times, levels=levels))
    mass = peak_of(thud(rng, chance.uniform(48.0, 65.0), 0.4, drop=0.8, noise=1.0))
    burst = noise_burst(rng, 0.22, low_hz=150.0, high_hz=5000.0)
    shards = _rocks(rng, GLASS, 20 + round(40 * broken), spread_s=0.35, sizes=(0.0, 0.3))
    trim = delayed(_rocks(rng, PLASTIC, 8, spread_s=0.35, sizes=(0.2, 1.0)), 0.25)
    screen = noise(rng, length_samples(0.5), spectrum({800: -14, 2500: -3, 6000: 0, 12_000: -4, 20_000: -14}))
    screen = peak_of(screen * decay(len(screen), 0.35))
    late = delayed(mixed(0.5 * broken * screen, 0.35 * broken * shards), rng.uniform(0.012, 0.04))
    sound = mixed(0.9 * buckling, 0.8 * mass, 0.7 * burst, late, 0.15 * trim)
    return recorded_hit(rng, sound, strength, ring_s=3.0)


def _recipe(name: str, make: MakesHit, *, lead_s: float = 0.0, ring_s: float, source: str) -> HitRecipe:
    return HitRecipe(name, "debris", make, defaults_of(make), lead_s=lead_s, ring_s=ring_s, source=source)


FRAGMENTS = "fragments: Zambon 2012; heavy-tailed cracks: Houle & Sethna 1996"

RECIPES = (
    _recipe("crumble", crumble, ring_s=2.0, source=FRAGMENTS),
    _recipe("rubble", rubble, ring_s=2.5, source=FRAGMENTS),
    _recipe("collapse", collapse, ring_s=4.5, source=FRAGMENTS),
    _recipe("tree_fall", tree_fall, lead_s=TREE_LEAD_S, ring_s=2.0, source=FRAGMENTS),
    _recipe("car_crash", car_crash, ring_s=3.0, source=FRAGMENTS),
)
