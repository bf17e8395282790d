"""Rain, hail and showers: a hiss of far drops, a patter of nearer ones, single ones close by.

Band levels and modulation: medians of 57 stretches of recorded rain, which is flat per ERB band.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache, partial

import numpy as np

from foley.synth.bubbles import unit_bubbles
from foley.synth.excitation import Signal, decay, length_samples, low_passed
from foley.synth.finish import add_at, character, choice, defaults_of, number, settled
from foley.synth.moving import at_frames, layered, lively
from foley.synth.recipe import Mono, TextureRecipe
from foley.synth.recorded import as_recorded
from foley.synth.textures import Spectrum, clouds, combed, erb_spectrum, shower, tinted, unit_energy
from foley.units import RATE_HZ


@dataclass(frozen=True, slots=True)
class Surface:
    """What rain falls on: the sound of one drop, and how the patter of all colours the hiss."""

    low_hz: float
    high_hz: float
    """Range of a drop's ring."""
    ring_s: float
    """Its time to die away by 60 dB."""
    noise_share: float
    """Of the drop; the rest rings."""
    bed_db: tuple[float, ...]
    """Ten levels added to the hiss, from 50 Hz to 10 kHz, even on the ERB scale."""
    near_gain: float = 1.0
    """Of the single drops against the hiss."""


FLAT = (0,) * 10
SURFACES = {
    "ground": Surface(900, 7000, 0.0035, 0.9, FLAT),
    "leaves": Surface(700, 5000, 0.006, 0.7, (-5, -4, -2, -1, 0, 0, 0, 0, -1, -2)),
    "glass": Surface(500, 4500, 0.008, 0.5, (-6, -4, -2, -1, 0, -1, -2, -3, -5, -8), 1.4),
    "metal": Surface(400, 6000, 0.030, 0.35, (-4, -2, 0, 0, 1, 1, 0, 0, -1, -2), 1.5),
    "car": Surface(220, 2400, 0.022, 0.4, (4, 3, 1, -1, -2, -2, -1, -2, -5, -9), 1.5),
    "tent": Surface(150, 1200, 0.018, 0.5, (-3, 0, 2, 1, 0, -3, -6, -8, -11, -14), 1.6),
    "water": Surface(1200, 9000, 0.005, 0.4, (-8, -6, -4, -2, 0, 0, 1, 1, 0, 0)),
}
"""`metal` is a tin roof heard from under it in the open, `car` a lined roof heard from inside."""

RECORDED = ("ground", "leaves")
"""What rain fell on where recordings of it were measured: it is rain in the open."""

PANE = Surface(350, 2600, 0.012, 0.45, (4, 3, 2, 0, -2, -4, -7, -10, -13, -16), 1.4)
"""A window from inside: the pane dulls the hiss, drops on the glass are near."""

RAIN_DB = (-6, -5, -5, -4, -4, -4, -5, -5, -6, -7)
"""Rain is flat per ERB band: median of 57 stretches of recorded rain."""

MID_DROPS_HZ, NEAR_DROPS_HZ = 1200.0, 60.0
"""Drops a second in a downpour: those that blur into patter, and those that are heard one by one."""

PATTER_CLOUD = 6
"""Drops that fall as one grain: 200 clouds of 30 ms a second overlap so far that no pattern comes back."""

DRIZZLE_SHARE = 0.14
"""Of those in the lightest rain."""

LIFE_DB, UNEVEN_DB = (0.8, 2.8), (1.2, 2.8)
"""How far bands swell and how uneven they stand, by place: so neighbouring bands go together as in recorded rain (by
0.24), and peaks stand 3 dB out of their surroundings. No two recordings are equally lively."""

NEPER_PER_DB = math.log(10.0) / 20.0


def drops(rng: np.random.Generator, surface: Surface, count: int) -> list[Signal]:
    """Return drops on a surface, of unit energy: a tap of noise and a short ring; pitches are spread evenly."""
    made: list[Signal] = []
    for place in rng.permutation((np.arange(count) + rng.random(count)) / count).tolist():
        pitch_hz = surface.low_hz * (surface.high_hz / surface.low_hz) ** place
        t60_s = surface.ring_s * rng.uniform(0.5, 1.8)
        length = length_samples(min(0.08, 3 * t60_s + 0.002))
        t_s = np.arange(length) / RATE_HZ
        ring = np.sin(2 * np.pi * pitch_hz * t_s + rng.uniform(0, 2 * np.pi)) * decay(length, 2 * t60_s)
        tap = low_passed(rng.standard_normal(length) * decay(length, t60_s), 2.5 * pitch_hz, 1)
        made.append(((1 - surface.noise_share) * ring + surface.noise_share * tap) * np.minimum(1, t_s / 0.0002))
    return unit_energy(made)


def rain(
    rng: np.random.Generator,
    intensity: Mono,
    /,
    *,
    surface: float | str = "ground",
    variant: float | str = 0,
    **_: float | str,
) -> Mono:
    """Return rain: far drops are a hiss, nearer ones patter, a few are heard singly; heavier rain is denser.

    Args:
        rng: Chance.
        intensity: Drizzle to downpour.
        surface: ground, leaves, glass, metal, car, tent or water.
        variant: Which rain.
        **_: What other recipes take.
    """
    struck = choice(SURFACES, surface, "surface")
    sound, rms = _rainfall(rng, intensity, struck, character("rain", variant))
    if surface in RECORDED:
        sound = as_recorded(sound, "rain", variant)
    return settled(sound, intensity, rms=rms)


def rain_window(rng: np.random.Generator, intensity: Mono, /, *, variant: float | str = 0, **_: float | str) -> Mono:
    """Return rain heard behind a window: the hiss is dulled by the pane, drops on the glass are near."""
    sound, rms = _rainfall(rng, intensity, PANE, character("pane", variant))
    return settled(sound, intensity, rms=rms)


def _bed(place: np.random.Generator, *levels_db: Sequence[float]) -> Spectrum:
    """Return the colour of a hiss as one place has it; levels add."""
    smooth = tinted(erb_spectrum(np.sum(levels_db, axis=0).tolist()), place, 2.0)
    return combed(smooth, place, place.uniform(*UNEVEN_DB))


@lru_cache(maxsize=16)
def _falling(surface: Surface, seed: int) -> tuple[list[Signal], list[Signal]]:
    """Return the drops of one rain, and clouds of them: the same in all its windows."""
    chance = np.random.default_rng(seed)
    pool = drops(chance, surface, 64)
    if surface is SURFACES["water"]:
        pool += unit_bubbles(chance, (0.3, 2.2), 64)
    return pool, clouds(chance, pool, of=PATTER_CLOUD, spread_s=0.03, sigma=0.8)


def _rainfall(
    rng: np.random.Generator, intensity: Mono, surface: Surface, place: np.random.Generator
) -> tuple[Signal, float]:
    """Return rain as it falls in one place, and its expected RMS."""
    count = len(intensity)
    density = DRIZZLE_SHARE + (1 - DRIZZLE_SHARE) * np.asarray(intensity, np.float32)
    life_db, together = place.uniform(*LIFE_DB), place.uniform(0.3, 0.8)
    bed = _bed(place, RAIN_DB, surface.bed_db)
    # the hiss of far drops fades faster than the drops next to one's ear
    level = np.sqrt(at_frames(density))
    sound = layered(rng, count, lively(rng, count, bed, life_db, common=together, level=level))
    pool, patter = _falling(surface, int(place.integers(2**31)))
    patter_gain = 0.20 * surface.near_gain * place.uniform(0.7, 1.4)
    near_gain = 0.26 * surface.near_gain * place.uniform(0.6, 1.3)
    falling, patter_hz = partial(shower, rng, count, curve=density, onto=sound), MID_DROPS_HZ / PATTER_CLOUD
    falling(patter, rate_hz=patter_hz, sigma=0.3, level=patter_gain)
    falling(pool[:24], rate_hz=NEAR_DROPS_HZ, sigma=0.85, level=near_gain)
    # what swells by d dB is louder by exp((d nepers)^2) on average
    hiss = math.exp((life_db * NEPER_PER_DB) ** 2)
    return sound, math.hypot(hiss, patter_gain, near_gain)


# --- hail ------------------------------------------------------------------------------------------------------------

HAIL_ON = {
    "metal": Surface(450, 8500, 0.050, 0.50, (-3, -1, 0, 1, 2, 1, 0, -1, -2, -4)),
    "car": Surface(180, 1900, 0.035, 0.40, (3, 3, 2, 0, -1, -2, -3, -5, -8, -12)),
    "glass": Surface(900, 8000, 0.025, 0.50, (-6, -4, -2, 0, 1, 1, 0, -1, -3, -5)),
    "ground": Surface(500, 3200, 0.010, 0.80, (-3, -1, 0, 0, 0, 0, 0, -1, -2, -3)),
    "leaves": Surface(600, 4200, 0.008, 0.75, (-6, -4, -2, 0, 1, 1, 0, 0, -1, -2)),
}
"""Ice is hard: a stone excites what a drop leaves silent, and everything rings longer."""

STONES_HZ = (360.0, 90.0)
"""Stones a second in a heavy storm, small and large ones."""


def hail(
    rng: np.random.Generator,
    intensity: Mono,
    /,
    *,
    surface: float | str = "metal",
    size: float | str = 0.4,
    variant: float | str = 0,
    **_: float | str,
) -> Mono:
    """Return hail: hard single knocks that bounce, over the rattle of those farther off.

    Args:
        rng: Chance.
        intensity: How dense it falls.
        surface: metal, car, glass, ground or leaves.
        size: Grains of sleet (0) to stones of 3 cm (1): fewer, lower, heavier.
        variant: Which storm.
        **_: What other recipes take.
    """
    base, large = choice(HAIL_ON, surface, "surface"), number(size, 0.0, 1.0, "size")
    lower = 2.0 ** (0.5 - 1.2 * large)
    struck = replace(base, low_hz=base.low_hz * lower, high_hz=base.high_hz * lower, ring_s=base.ring_s / lower)
    count, place = len(intensity), character("hail", variant)
    density = 0.1 + 0.9 * np.asarray(intensity, np.float64)
    rate_hz = STONES_HZ[0] + (STONES_HZ[1] - STONES_HZ[0]) * large
    stones = [_bounced(place, stone) for stone in drops(place, struck, 64)]
    rattle = clouds(rng, drops(place, struck, 48), of=12, spread_s=0.06, sigma=0.7)
    level = np.sqrt(at_frames(density))
    hiss = 0.45 - 0.2 * large
    sound = layered(rng, count, lively(rng, count, _bed(place, RAIN_DB, base.bed_db), 2.0, level=hiss * level))
    sound += 0.55 * shower(rng, count, rattle, rate_hz=rate_hz / 4, sigma=0.4, curve=density)
    sound += 0.75 * shower(rng, count, unit_energy(stones), rate_hz=rate_hz / 4, sigma=0.9, curve=density)
    return settled(sound, intensity, rms=math.hypot(1.07 * hiss, 0.55, 0.75))


def _bounced(rng: np.random.Generator, stone: Signal) -> Signal:
    """Return a stone that falls, and once or twice again 30 to 110 ms later with a third of its force."""
    sound = np.zeros(length_samples(0.2))
    at_s, force = 0.0, 1.0
    for _ in range(int(rng.integers(1, 4))):
        add_at(sound, force * stone, length_samples(at_s) - 1)
        at_s += rng.uniform(0.03, 0.11) * force**0.5
        force *= rng.uniform(0.2, 0.45)
    return sound


# --- a shower --------------------------------------------------------------------------------------------------------

SHOWER_DB = (-22, -17, -12, -8, -5, -3, -2, -1, -1, -3)
"""A spray has no far field: only what jets of 1 mm and a wet floor give, which is treble."""

SHOWER_ON = {
    "tiles": (Surface(900, 6500, 0.004, 0.85, (2, 2, 1, 0, 0, 0, 0, 0, -1, -2)), (0.5, 3.5), 0.30),
    "curtain": (Surface(180, 1500, 0.012, 0.7, (4, 6, 5, 3, 1, 0, -2, -3, -4, -5)), (0.5, 3.5), 0.22),
    "ground": (Surface(1200, 8000, 0.003, 0.95, (-4, -3, -2, -1, 0, 0, 1, 1, 1, 1)), (0.3, 1.5), 0.06),
}
"""One drop, the bubbles where the water gathers (radii in mm), and their share: a sprinkler's lawn has next to none."""


def shower_bath(
    rng: np.random.Generator,
    intensity: Mono,
    /,
    *,
    surface: float | str = "tiles",
    variant: float | str = 0,
    **_: float | str,
) -> Mono:
    """Return a shower or a sprinkler: a spray's hiss that swells as someone moves in it, and water that gathers.

    Args:
        rng: Chance.
        intensity: How far it is turned on.
        surface: tiles, curtain (a hollow drumming) or ground (a garden hose, a sprinkler).
        variant: Which shower.
        **_: What other recipes take.
    """
    struck, radii_mm, gathering = choice(SHOWER_ON, surface, "surface")
    count, place = len(intensity), character("shower", variant)
    density = 0.2 + 0.8 * np.asarray(intensity, np.float64)
    bed = _bed(place, SHOWER_DB, struck.bed_db)
    level = np.sqrt(at_frames(density))
    sound = layered(rng, count, lively(rng, count, bed, 2.0, common=0.7, rate_hz=0.8, level=level))
    patter = clouds(rng, drops(place, struck, 64), of=6, spread_s=0.03, sigma=0.8)
    sound += 0.35 * shower(rng, count, patter, rate_hz=260.0, sigma=0.4, curve=density)
    puddle = clouds(rng, unit_bubbles(rng, radii_mm, 64, rise=0.2), of=3, spread_s=0.04, sigma=0.6)
    sound += gathering * shower(rng, count, puddle, rate_hz=120.0, sigma=0.5, curve=density)
    return settled(sound, intensity, rms=math.hypot(1.1, 0.35, gathering))


RECIPES = (
    TextureRecipe("rain", "water", rain, defaults_of(rain), "band levels: 57 stretches of recorded rain"),
    TextureRecipe("rain_window", "water", rain_window, defaults_of(rain_window), "as rain, through a pane"),
    TextureRecipe("hail", "water", hail, defaults_of(hail), "as rain; drops are hard, ring and bounce"),
    TextureRecipe("shower", "water", shower_bath, defaults_of(shower_bath), "as rain, without its far field"),
)
