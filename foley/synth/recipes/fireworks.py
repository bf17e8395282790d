"""Fireworks: the mortar, the burst in the sky, crackers on the ground, sparklers; and rockets that carry people.

Sources: F. Friedlander, Proc. R. Soc. A 186, 1946; J. Ffowcs Williams, J. Simson, V. Virchis, "'Crackle': an annoying
component of jet noise", J. Fluid Mech. 71, 1975 (rockets: sudden compressions, gradual expansions).
"""

from __future__ import annotations

import numpy as np

from foley.synth.blast import air_corner_hz, echo_course, friedlander, saturated
from foley.synth.chain import recorded_hit
from foley.synth.excitation import Signal, butterworth, decay, length_samples, low_passed
from foley.synth.finish import add_at, character, defaults_of, finished_hit, number, settled
from foley.synth.moving import (
    QUICK_FRAME_SAMPLES,
    Layer,
    at_frames,
    dying,
    frame_times_s,
    layered,
    lively,
    slow_frames,
    whistle,
)
from foley.synth.recipe import HitRecipe, Mono, TextureRecipe
from foley.synth.resonators import thud
from foley.synth.sessions import Session, loudness
from foley.synth.textures import (
    control_times_s,
    noise,
    scatter,
    shower,
    spectrum,
    stretched,
    tinted,
    unit_energy,
)
from foley.units import RATE_HZ

# --- the burst -------------------------------------------------------------------------------------------------------

BURST_DB = (-2.0, 0.0, -2.0, -6.0, -11.0, -18.0, -26.0)
BURST_T60_S = (0.35, 0.3, 0.25, 0.2, 0.16, 0.12, 0.1)
TOWN_DB = (-1.0, 0.0, -2.0, -6.0, -13.0, -24.0, -40.0)
TOWN_T60_S = (2.4, 2.2, 1.9, 1.5, 1.1, 0.7, 0.4)
BURST_RING_S = 2.8

WATCHING = Session(low_hz=110.0, low_spread=0.5, high_hz=12_000.0, high_spread=0.6, tilt_db=4.0, peak_db=6.0)
"""Fireworks are recorded with what is at hand, from a window or a field."""
OPENNESS_SPREAD, TOWN_SPREAD_DB = 0.4, 4.0
"""How far places differ: in their reverberation time (nepers), and in how much of it is heard."""


def _stars(rng: np.random.Generator) -> list[Signal]:
    """Return stars that snap in the sky: small charges of dragon's eggs, of unit energy."""
    snaps = []
    for positive_s in rng.uniform(0.0002, 0.0006, 20):
        snap = friedlander(float(positive_s), 480) + 0.3 * rng.standard_normal(480) * decay(480, 0.006)
        snaps.append(low_passed(snap, float(rng.uniform(4000.0, 11_000.0)), 1))
    return unit_energy(snaps)


def firework(
    rng: np.random.Generator,
    strength: float,
    /,
    *,
    distance_m: float | str = 120.0,
    crackle: float | str = 0.5,
    variant: float | str = 0,
    **_: float | str,
) -> Mono:
    """Return a shell that bursts in the sky: a dull bang, what the surroundings send back, stars that crackle.

    Args:
        rng: Chance.
        strength: Calibre of the shell.
        distance_m: 10 to 3000.
        crackle: 0 a salute that only bangs, 1 a willow of crackling stars.
        variant: Which town, and how it is recorded.
    """
    chance = character("watching", variant)
    distance = number(distance_m, 5.0, 3000.0, "distance_m")
    snapping = number(crackle, 0.0, 1.0, "crackle")
    length = length_samples(BURST_RING_S)
    times_s = frame_times_s(length, QUICK_FRAME_SAMPLES)
    course = 0.047 * np.minimum(1.0, times_s / 0.05)
    for late_s in rng.uniform(0.15, 1.1, 3):
        course = course + 0.057 * rng.uniform(0.3, 1.0) * echo_course(times_s, late_s)
    course *= loudness(chance, TOWN_SPREAD_DB)
    longer = float(np.exp(chance.normal(0.0, OPENNESS_SPREAD)))
    town_t60_s = [longer * t60_s for t60_s in TOWN_T60_S]
    layers = [Layer(x.shape, course * x.level) for x in dying(rng, length, TOWN_DB, town_t60_s)]
    layers += [Layer(x.shape, 0.30 * np.asarray(x.level)) for x in dying(rng, length, BURST_DB, BURST_T60_S)]
    sound = layered(rng, length, layers, QUICK_FRAME_SAMPLES) + friedlander(0.003 * rng.uniform(0.8, 1.3), length)
    add_at(sound, 0.55 * thud(rng, rng.uniform(55.0, 75.0), 0.3, drop=1.0, noise=0.3), 0)
    sound = saturated(sound, 1.8)
    if snapping > 0.0:
        t_s = np.arange(length) / RATE_HZ
        after_s = rng.uniform(0.3, 0.6)
        cloud = np.clip((t_s - after_s) / 0.25, 0, 1) * np.exp(-np.maximum(0, t_s - after_s - 0.3) / 0.4)
        cloud = np.asarray(cloud, np.float64)
        sound += 0.02 * snapping * shower(rng, length, _stars(rng), rate_hz=220.0, sigma=0.5, curve=cloud)
    heard = WATCHING.recorded(chance, sound, butterworth(air_corner_hz(30.0, distance), 1, high=False))
    return finished_hit(heard, strength, ring_s=BURST_RING_S)


# --- the way up ------------------------------------------------------------------------------------------------------

FIZZ = spectrum({200: -24, 800: -8, 2500: 0, 6000: -2, 14000: -12})
MORTAR_DB = (0.0, 0.0, -3.0, -8.0, -14.0, -20.0, -28.0)
MORTAR_T60_S = (0.2, 0.16, 0.13, 0.10, 0.08, 0.06, 0.05)
CLIMB_RING_S = 2.2


def firework_launch(
    rng: np.random.Generator,
    strength: float,
    /,
    *,
    shriek: float | str = 0.5,
    mortar: float | str = 0.5,
    **_: float | str,
) -> Mono:
    """Return a firework that goes up: the thump of its mortar, then the fizz or shriek of its climb.

    Args:
        rng: Chance.
        strength: Calibre.
        shriek: 0 a fizz, 1 a whistling rocket, whose pitch sinks as its charge burns a hole for itself.
        mortar: 0 a rocket from a bottle, 1 a display shell.
    """
    shrill, calibre = number(shriek, 0.0, 1.0, "shriek"), number(mortar, 0.0, 1.0, "mortar")
    length = length_samples(CLIMB_RING_S)
    burst = dying(rng, length, MORTAR_DB, MORTAR_T60_S)
    sound = layered(rng, length, [Layer(x.shape, 0.35 * np.asarray(x.level)) for x in burst], QUICK_FRAME_SAMPLES)
    add_at(sound, thud(rng, 95.0 - 35.0 * calibre, 0.16, drop=0.8, noise=0.4), 0)
    sound *= 0.3 + 0.7 * calibre
    add_at(sound, 0.25 * noise(rng, 960, FIZZ) * decay(960, 0.04), 0)
    times_s = control_times_s(length)
    burns_s = rng.uniform(1.0, 1.7)
    # it is off the ground within 50 ms and ever farther away
    climb = np.minimum(1.0, times_s / 0.05) / (1 + (times_s / 0.55) ** 2)
    climb *= np.clip((burns_s - times_s) / 0.12, 0.0, 1.0)
    spit = np.exp(0.35 * np.interp(times_s * 45.0, np.arange(110), rng.standard_normal(110)))
    sound += (0.30 - 0.15 * shrill) * noise(rng, length, FIZZ) * stretched(climb * spit, length)
    if shrill > 0.0:
        pitch_hz = rng.uniform(2600.0, 3600.0) * np.exp(-0.35 * times_s) * (1 + 0.012 * np.sin(9.0 * times_s))
        loud = stretched(climb * (0.7 + 0.3 * spit), length)
        sound += (
            0.5
            * shrill
            * loud
            * (whistle(rng, length, pitch_hz, 25.0) + 0.3 * whistle(rng, length, 2 * pitch_hz, 50.0))
        )
    return finished_hit(sound, strength, ring_s=CLIMB_RING_S)


# --- on the ground ---------------------------------------------------------------------------------------------------

CRACKERS_RING_S = 3.0


def firecrackers(rng: np.random.Generator, strength: float, /, *, count: float | str = 12, **_: float | str) -> Mono:
    """Return fire crackers on one fuse, each a bang of its own.

    Args:
        rng: Chance.
        strength: Their size.
        count: 1 to 60.
    """
    many = round(number(count, 1.0, 60.0, "count"))
    gaps_s = rng.gamma(1.4, 0.07, many - 1) * min(1.0, 2.4 / (0.1 * many))
    times_s = np.concatenate([[0.0], np.cumsum(gaps_s)])
    sound = np.zeros(length_samples(CRACKERS_RING_S))
    bangs = []
    for positive_s in rng.uniform(0.00025, 0.0005, min(many, 10)):
        bang = friedlander(float(positive_s), length_samples(0.2))
        bang += 0.22 * rng.standard_normal(len(bang)) * (decay(len(bang), 0.02) + 0.15 * decay(len(bang), 0.12))
        bangs.append(np.asarray(np.tanh(1.8 * bang), np.float64))
    levels = np.exp(0.3 * rng.standard_normal(many))
    levels[0] = 1.0
    which = rng.integers(0, len(bangs), many)
    at = (times_s * RATE_HZ).astype(np.int64)
    sound += scatter(len(sound), at, levels, grains=bangs, which=which)
    return recorded_hit(rng, sound, strength, ring_s=CRACKERS_RING_S, wet=0.5)


def sparkler(rng: np.random.Generator, intensity: Mono, /, *, variant: float | str = 0, **_: float | str) -> Mono:
    """Return a sparkler or fuse: burning metal that hisses and snaps."""
    count, stick = len(intensity), character("sparkler", variant)
    hiss = 1 + 0.2 * slow_frames(rng, count, 14.0, 2)
    sound = 0.5 * layered(rng, count, [Layer(tinted(FIZZ, stick, 2.0), np.maximum(0.2, hiss))])
    snaps = _stars(rng)
    activity = np.asarray(0.35 + 0.65 * intensity, np.float64)
    sound += 0.55 * shower(rng, count, snaps, rate_hz=stick.uniform(160.0, 260.0), sigma=1.0, curve=activity)
    return settled(sound, intensity, rms=0.75)


# --- rockets ---------------------------------------------------------------------------------------------------------

THRUST = spectrum({25: -2, 60: 0, 150: -2, 400: -7, 1200: -14, 4000: -24, 12000: -40})


def rocket(
    rng: np.random.Generator,
    intensity: Mono,
    /,
    *,
    distance_m: float | str = 300.0,
    variant: float | str = 0,
    **_: float | str,
) -> Mono:
    """Return a rocket's engine: a roar whose waves steepen on their way until they crackle.

    Args:
        rng: Chance.
        intensity: Thrust.
        distance_m: 20 to 10000: far ones are a rumble that comes and goes.
        variant: Which rocket.
    """
    distance = number(distance_m, 20.0, 10_000.0, "distance_m")
    count, build = len(intensity), character("rocket", variant)
    far = float(np.clip(np.log10(distance / 20.0) / np.log10(500.0), 0.0, 1.0))
    thrust = 0.5 + 0.5 * at_frames(intensity)
    roar = lively(rng, count, tinted(THRUST, build, 1.5), 0.8 + 1.5 * far, common=0.7, rate_hz=1.0, level=thrust)
    sound = layered(rng, count, roar)
    shocks = unit_energy([_shock(s) for s in build.uniform(0.0015, 0.008, 24)])
    drive = np.asarray(np.square(intensity), np.float64)
    sound += 0.55 * (1.2 - far) * shower(rng, count, shocks, rate_hz=420.0, sigma=0.9, curve=drive)
    return settled(low_passed(sound, air_corner_hz(60.0, distance), 1), intensity, rms=1.05 - 0.1 * far)


def _shock(length_s: float) -> Signal:
    """Return a sudden compression and a gradual expansion, without net pressure."""
    wave = np.exp(-4.0 * np.linspace(0.0, 1.0, length_samples(length_s)))
    return np.asarray(wave - wave.mean(), np.float64)


RECIPES = (
    HitRecipe("firework", "blasts", firework, defaults_of(firework), ring_s=BURST_RING_S, source="Friedlander 1946"),
    HitRecipe(
        "firework_launch",
        "blasts",
        firework_launch,
        defaults_of(firework_launch),
        ring_s=CLIMB_RING_S,
        source="mortar, charge and climb",
    ),
    HitRecipe(
        "firecrackers",
        "blasts",
        firecrackers,
        defaults_of(firecrackers),
        ring_s=CRACKERS_RING_S,
        source="Friedlander 1946",
    ),
    TextureRecipe("sparkler", "fire", sparkler, defaults_of(sparkler), "burning metal that snaps"),
    TextureRecipe("rocket", "blasts", rocket, defaults_of(rocket), "Ffowcs Williams, Simson & Virchis 1975"),
)
