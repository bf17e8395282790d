"""Water and drinks indoors: poured, from a tap, flushed, fizzing."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np

from foley.synth.bubbles import LARGE, SMALL, TINY, BubbleSize, babble, unit_bubbles
from foley.synth.excitation import Signal, length_samples
from foley.synth.finish import character, choice, defaults_of, finished_hit, number, settled
from foley.synth.moving import Layer, at_frames, frame_times_s, layered, lively, whistle
from foley.synth.recipe import HitRecipe, Mono, TextureRecipe
from foley.synth.textures import (
    Spectrum,
    combed,
    control_times_s,
    erb_spectrum,
    shower,
    slow_random,
    spectrum,
    stretched,
    tinted,
    unit_energy,
)
from foley.units import RATE_HZ

SPEED_OF_SOUND_M_S = 343.0


# --- poured ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Vessel:
    """What liquid is poured into."""

    height_m: float
    radius_m: float
    bubble_mm: float
    """Of the largest bubble that the jet drags down: deep vessels take larger ones."""
    walls_db: tuple[float, ...]
    """Ten levels added to the water's noise by the walls, from 50 Hz to 10 kHz."""


VESSELS = {
    "glass": Vessel(0.13, 0.035, 4.0, (0, 0, 0, 0, 0, 0, 1, 2, 3, 2)),
    "cup": Vessel(0.09, 0.040, 3.5, (0, 0, 0, 1, 1, 0, 0, 0, -1, -2)),
    "bottle": Vessel(0.26, 0.030, 5.0, (0, 0, 1, 2, 2, 0, -2, -3, -4, -5)),
    "bucket": Vessel(0.30, 0.130, 9.0, (3, 4, 4, 3, 1, 0, -1, -2, -2, -3)),
}

POURED_DB = (-34, -24, -12, -5, -2, -1, -2, -3, -5, -7)
"""As a brook, whose bubbles it has, with the hollow of a vessel under it."""

OPEN_END = 0.6
"""Of the radius: how much longer a pipe sounds than it is (Rayleigh)."""

GLUGS_HZ = (4.5, 2.8)
"""Gulps of air a second into a full and into a nearly empty bottle."""


def pour(
    rng: np.random.Generator,
    intensity: Mono,
    /,
    *,
    vessel: float | str = "glass",
    fill_from: float | str = 0.1,
    fill_to: float | str = 0.9,
    glug: float | str = 0.0,
    variant: float | str = 0,
    **_: float | str,
) -> Mono:
    """Return liquid poured into a vessel: the jet's bubbles, and the air above, whose pitch rises as it fills.

    f = c / (4 (height - level + 0.6 radius)), the quarter-wave pipe, and three times that.

    Args:
        rng: Chance.
        intensity: How much is poured.
        vessel: glass, cup, bottle or bucket.
        fill_from: How full it is where the stretch at hand starts, 0 to 1.
        fill_to: And where it ends.
        glug: How far the stream pulses as a bottle that it comes from draws air, 0 to 1.
        variant: Which vessel.
        **_: What other recipes take.
    """
    into, count, place = choice(VESSELS, vessel, "vessel"), len(intensity), character("pour", variant)
    times_s = control_times_s(count)
    level = np.linspace(number(fill_from, 0.0, 1.0, "fill_from"), number(fill_to, 0.0, 1.0, "fill_to"), len(times_s))
    flow = np.asarray(intensity, np.float64) * _glugging(rng, level, count, number(glug, 0.0, 1.0, "glug"))
    height_m = into.height_m * place.uniform(0.85, 1.2)
    column_hz = SPEED_OF_SOUND_M_S / (4 * (height_m * (1 - level) + OPEN_END * into.radius_m))
    colour = combed(tinted(erb_spectrum(np.add(POURED_DB, into.walls_db).tolist()), place, 2.0), place, 1.5)
    loud = np.sqrt(at_frames(flow))
    bed = lively(rng, count, colour, 3.2, common=0.6, rate_hz=3.0, level=0.5 * loud)
    largest = replace(LARGE, radii_mm=(1.5, into.bubble_mm), rate_hz=180.0, gain=0.6)
    ripple = np.clip(0.5 * np.exp(0.6 * slow_random(rng, count, 6.0, 3)), 0.05, 1.0)
    water = layered(rng, count, bed) + babble(rng, ripple * (0.2 + 0.8 * flow), (TINY, SMALL, largest))
    air = whistle(rng, count, column_hz, 70.0) + 0.4 * whistle(rng, count, np.minimum(3 * column_hz, 15_000.0), 150.0)
    return settled(water + 0.42 * air * np.sqrt(flow), intensity, rms=0.95)


def _glugging(rng: np.random.Generator, level: Signal, count: int, glug: float) -> Signal:
    """Return the gain of a stream out of a bottle that gulps air: fast while full, slower as it empties."""
    if glug == 0.0:
        return np.ones(count)
    nodes = len(level)
    emptied = np.linspace(0.0, 1.0, nodes)
    rate_hz = GLUGS_HZ[0] + (GLUGS_HZ[1] - GLUGS_HZ[0]) * emptied
    wander = 0.12 * slow_random(rng, 48 * nodes, 3.0, 2)[::48]
    phase = 2 * np.pi * (np.cumsum(rate_hz) * 48 / RATE_HZ + wander + rng.random())
    return stretched(1.0 - 0.9 * glug * (0.5 + 0.5 * np.sin(phase)) ** 2, count)


# --- a tap -----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Basin:
    """Where a tap's water falls."""

    bed_db: tuple[float, ...]
    """Ten levels from 50 Hz to 10 kHz."""
    bubbling: float
    """RMS of the bubbles re the bed's: none on bare metal."""
    largest_mm: float
    uneven_db: float
    """How far the basin's own modes stand out."""


BASINS = {
    "sink": Basin((-16, -9, -5, -2, 0, -1, -2, -3, -5, -9), 0.35, 3.0, 3.5),
    "basin": Basin((-22, -15, -9, -4, -2, -1, -1, -2, -4, -7), 0.7, 5.0, 2.0),
    "bath": Basin((-14, -7, -2, 0, -1, -3, -5, -7, -9, -12), 0.9, 11.0, 2.0),
    "ground": Basin((-28, -22, -16, -10, -6, -3, -1, -1, -2, -4), 0.25, 2.0, 1.2),
}
"""A steel sink drums, a basin with water in it bubbles, a bath booms, a drain's grate only hisses."""


def tap(
    rng: np.random.Generator,
    intensity: Mono,
    /,
    *,
    into: float | str = "basin",
    variant: float | str = 0,
    **_: float | str,
) -> Mono:
    """Return a running tap: the jet's hiss, what it falls into, bubbles where water stands.

    Args:
        rng: Chance.
        intensity: How far it is open.
        into: sink (of steel, empty), basin (water in it), bath or ground.
        variant: Which tap.
        **_: What other recipes take.
    """
    basin, count, place = choice(BASINS, into, "into"), len(intensity), character("tap", variant)
    flow = np.asarray(intensity, np.float64)
    colour = combed(tinted(erb_spectrum(basin.bed_db), place, 2.0), place, basin.uneven_db)
    layers = lively(rng, count, colour, 2.2, common=0.5, rate_hz=2.0, level=np.sqrt(at_frames(0.2 + 0.8 * flow)))
    density = np.clip(0.5 * np.exp(0.5 * slow_random(rng, count, 5.0, 3)), 0.05, 1.0) * (0.2 + 0.8 * flow)
    deep = replace(LARGE, radii_mm=(1.2, basin.largest_mm), rate_hz=220.0, gain=0.8)
    sound = layered(rng, count, layers) + basin.bubbling * babble(rng, density, (SMALL, deep))
    return settled(sound, intensity, rms=math.hypot(1.08, 0.78 * basin.bubbling))


# --- a flush ---------------------------------------------------------------------------------------------------------

FLUSH_S = 7.0
CISTERN = spectrum({40: -6, 150: 0, 400: 0, 1200: -5, 3000: -9, 8000: -15, 16000: -24})
DRAIN = spectrum({40: 0, 120: 0, 350: -2, 900: -10, 2500: -20, 8000: -34})
REFILL = spectrum({100: -30, 500: -16, 1500: -6, 3500: 0, 7000: -2, 14000: -10})
GULPS = BubbleSize((4.0, 22.0), 60.0, 0.4, 1.0)


def toilet_flush(rng: np.random.Generator, strength: float, /, **_: float | str) -> Mono:
    """Return a toilet's flush: the lever, the rush of the cistern, the gulping drain, the hiss that fills it again."""
    count = length_samples(FLUSH_S)
    times_s = frame_times_s(count)
    rush_s, drain_s = rng.uniform(2.2, 3.2), rng.uniform(2.6, 3.4)
    rush = np.minimum(1.0, times_s / 0.15) / (1.0 + np.exp((times_s - rush_s) / 0.25))
    drain = np.exp(-(((times_s - drain_s) / 0.8) ** 2))
    refill = 0.12 * np.minimum(1.0, times_s / 0.8) * np.minimum(1.0, np.maximum(0.0, (FLUSH_S - times_s) / 2.0))
    layers = [
        *lively(rng, count, CISTERN, 2.5, common=0.6, rate_hz=2.0, level=rush),
        Layer(DRAIN, 0.9 * drain),
        Layer(REFILL, refill),
    ]
    sound = layered(rng, count, layers)
    wet = stretched(np.interp(control_times_s(count), times_s, np.clip(0.5 * rush + drain, 0.0, 1.0)), count)
    sound += 0.8 * babble(rng, wet, (replace(SMALL, rate_hz=400.0, gain=0.3), GULPS))
    clack = rng.standard_normal(length_samples(0.03)) * np.exp(-np.arange(length_samples(0.03)) / 240.0)
    sound[: len(clack)] += 0.8 * clack
    return finished_hit(sound, strength, ring_s=FLUSH_S)


# --- fizz ------------------------------------------------------------------------------------------------------------

FOAM_DB = (-40, -38, -34, -28, -21, -14, -8, -4, -1, 0)


def fizz(rng: np.random.Generator, intensity: Mono, /, *, variant: float | str = 0, **_: float | str) -> Mono:
    """Return a fizzing drink: bubbles of a tenth of a millimetre that burst, thousands a second, near the ear."""
    count, place = len(intensity), character("fizz", variant)
    strong = 0.1 + 0.9 * np.asarray(intensity, np.float64)
    hiss = _hiss(rng, count, combed(tinted(erb_spectrum(FOAM_DB), place, 2.0), place, 1.2), strong)
    pops = unit_energy(_pops(place, 64))
    sound = hiss + 0.8 * shower(rng, count, pops, rate_hz=900.0, sigma=0.6, curve=strong)
    ringing = unit_bubbles(rng, (0.25, 0.8), 48)
    sound += 0.25 * shower(rng, count, ringing, rate_hz=120.0, sigma=0.6, curve=strong)
    return settled(sound, intensity, rms=math.hypot(0.7, 0.8, 0.25))


def _hiss(rng: np.random.Generator, count: int, colour: Spectrum, strong: Signal) -> Signal:
    level = 0.7 * np.sqrt(at_frames(strong))
    return layered(rng, count, lively(rng, count, colour, 1.5, common=0.5, rate_hz=1.0, level=level))


def _pops(rng: np.random.Generator, count: int) -> list[Signal]:
    """Return the bursts of films: a period or two between 3 and 10 kHz, gone in half a millisecond."""
    t_s = np.arange(length_samples(0.0012)) / RATE_HZ
    pitches = np.exp(rng.uniform(np.log(3000.0), np.log(10_000.0), count))
    return [np.sin(2 * np.pi * hz * t_s + rng.uniform(0, 2)) * np.exp(-t_s * hz / 2.5) for hz in pitches.tolist()]


PIPE = "Minnaert 1933; van den Doel 2005; quarter-wave pipe with Rayleigh's end correction"

RECIPES = (
    TextureRecipe("pour", "water", pour, defaults_of(pour), PIPE),
    TextureRecipe("tap", "water", tap, defaults_of(tap), "Minnaert 1933; van den Doel 2005"),
    TextureRecipe("fizz", "water", fizz, defaults_of(fizz), "film bursts after van den Doel 2005"),
    HitRecipe(
        "toilet_flush", "water", toilet_flush, defaults_of(toilet_flush), ring_s=FLUSH_S, source="van den Doel 2005"
    ),
)
