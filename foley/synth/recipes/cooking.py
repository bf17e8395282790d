"""The stove: frying, boiling, a kettle, popcorn."""

from __future__ import annotations

import math

import numpy as np

from foley.products import product
from foley.synth.bubbles import BubbleSize, babble
from foley.synth.excitation import Signal, decay, high_passed, length_samples, low_passed, rough_burst
from foley.synth.finish import add_at, character, choice, defaults_of, number, settled
from foley.synth.moving import Layer, at_frames, layered, lively, whistle
from foley.synth.recipe import Mono, TextureRecipe
from foley.synth.textures import (
    clouds,
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

# --- frying ----------------------------------------------------------------------------------------------------------

FAT_DB = (-34, -30, -27, -24, -20, -15, -9, -4, -1, -1)
"""Water that explodes to steam under a film of fat: treble, over the faint rumble of the pan."""

CRACKLES_HZ, SPATTERS_HZ = 900.0, 3.0


def sizzle(
    rng: np.random.Generator,
    intensity: Mono,
    /,
    *,
    fat: float | str = 0.5,
    variant: float | str = 0,
    **_: float | str,
) -> Mono:
    """Return food in a hot pan: a fierce hiss, a crackle of drops that burst, now and then a spatter.

    Args:
        rng: Chance.
        intensity: Heat, or how much lies in the pan.
        fat: From a dry griddle that hisses (0) to deep fat that bubbles and spits (1).
        variant: Which pan.
        **_: What other recipes take.
    """
    wet, count, pan = number(fat, 0.0, 1.0, "fat"), len(intensity), character("sizzle", variant)
    hot = 0.15 + 0.85 * np.asarray(intensity, np.float64)
    colour = combed(tinted(erb_spectrum(FAT_DB), pan, 2.5), pan, 1.5)
    level = np.sqrt(at_frames(hot))
    hiss = layered(rng, count, lively(rng, count, colour, 2.0, common=0.6, rate_hz=1.2, level=level))
    # bursts set each other off: they come in flurries
    flurry = np.clip(0.4 * np.exp(0.9 * slow_random(rng, count, 7.0, 4)), 0.02, 1.0) * hot
    crackle = clouds(rng, unit_energy(_bursts(pan, 64)), of=4, spread_s=0.02, sigma=0.8)
    crackling, bubbling = 0.55 + 0.25 * wet, 0.45 * wet
    sound = hiss + crackling * shower(rng, count, crackle, rate_hz=CRACKLES_HZ / 4, sigma=0.3, curve=flurry)
    if bubbling > 0.0:
        sound += bubbling * babble(rng, flurry, (BubbleSize((0.5, 3.2), 420.0, 0.2, 1.0),))
    spatter = unit_energy(_spatters(pan, 16))
    sound += 0.2 * shower(rng, count, spatter, rate_hz=SPATTERS_HZ, sigma=0.6, curve=hot)
    return settled(sound, intensity, rms=math.hypot(1.07, 0.72 * crackling, 0.72 * bubbling, 0.2))


def _bursts(rng: np.random.Generator, count: int) -> list[Signal]:
    """Return crackles: noise of 0.4 to 3 ms from 2 kHz up."""
    made = []
    for t60_s in np.exp(rng.uniform(np.log(0.0012), np.log(0.009), count)).tolist():
        made.append(rough_burst(rng, t60_s, centre_hz=float(np.exp(rng.normal(np.log(4500.0), 0.35))), octaves=1.6))
    return made


def _spatters(rng: np.random.Generator, count: int) -> list[Signal]:
    """Return spatters: a pop of 0.6 to 2 kHz, and droplets that hiss on the hot metal after it."""
    made = []
    for pitch_hz in rng.uniform(600.0, 2000.0, count).tolist():
        sound = np.zeros(length_samples(0.14))
        add_at(sound, rough_burst(rng, 0.014, centre_hz=pitch_hz, octaves=1.2), 0)
        hiss = high_passed(rng.standard_normal(length_samples(0.12)), 4000.0, 1) * decay(length_samples(0.12), 0.11)
        add_at(sound, 0.05 * hiss, length_samples(0.01))
        made.append(sound)
    return made


# --- boiling ---------------------------------------------------------------------------------------------------------

POT = spectrum({40: -12, 120: -3, 300: 0, 700: -3, 1500: -10, 4000: -22, 12000: -38})
STEAM = spectrum({200: -30, 1000: -12, 3000: -3, 6000: 0, 12000: -6})


def boiling(
    rng: np.random.Generator,
    intensity: Mono,
    /,
    *,
    size: float | str = 0.4,
    variant: float | str = 0,
    **_: float | str,
) -> Mono:
    """Return boiling water: bubbles that burst at the top over the rumble of those that collapse below.

    Low intensity simmers: small bubbles, and few.

    Args:
        rng: Chance.
        intensity: Simmering to rolling.
        size: A saucepan (0), a pot (0.5), a cauldron or lava (1).
        variant: Which pot.
        **_: What other recipes take.
    """
    deep, count, pot = number(size, 0.0, 1.0, "size"), len(intensity), character("boiling", variant)
    heat = np.asarray(intensity, np.float64)
    largest_mm = 5.0 * 6.0**deep * pot.uniform(0.9, 1.1)
    roll = np.clip(0.5 * np.exp(0.7 * slow_random(rng, count, 4.0, 3)), 0.05, 1.0)
    big = BubbleSize((0.3 * largest_mm, largest_mm), 130.0 - 80.0 * deep, 0.35, 1.0)
    small = BubbleSize((0.12 * largest_mm, 0.4 * largest_mm), 380.0 - 200.0 * deep, 0.2, 0.5)
    top = babble(rng, roll * (0.05 + 0.95 * heat**1.5), (big,)) + babble(rng, roll * (0.3 + 0.7 * heat), (small,))
    level = at_frames(heat)
    colour = combed(tinted(POT, pot, 2.0), pot, 2.0)
    bed = lively(rng, count, colour, 2.0, common=0.6, rate_hz=2.0, level=0.4 * level)
    bed.append(Layer(STEAM, 0.12 * level))
    return settled(top + layered(rng, count, bed), intensity, rms=0.92)


# --- a kettle --------------------------------------------------------------------------------------------------------

SINGING = spectrum({60: -10, 200: -4, 600: -2, 1300: 0, 2500: -5, 6000: -16, 16000: -34})
WHISTLE_HZ = (1900.0, 2750.0)
"""Of a whistle that begins to sound, and at full steam."""


def kettle(
    rng: np.random.Generator,
    intensity: Mono,
    /,
    *,
    whistle_share: float | str = 0.8,
    variant: float | str = 0,
    **_: float | str,
) -> Mono:
    """Return a kettle: it sings as bubbles collapse, hisses with steam, and whistles from an intensity of 0.6 on.

    Args:
        rng: Chance.
        intensity: From cold to full steam.
        whistle_share: How loud the whistle is, 0 (an electric one) to 1.
        variant: Which kettle.
        **_: What other recipes take.
    """
    shrill, count, body = number(whistle_share, 0.0, 1.0, "whistle_share"), len(intensity), character("kettle", variant)
    heat = np.asarray(intensity, np.float64)
    frames = at_frames(heat)
    sing = combed(tinted(SINGING, body, 2.0), body, 2.5)
    layers = lively(rng, count, sing, 1.5, common=0.6, rate_hz=1.5, level=0.75)
    layers.append(Layer(STEAM, 0.7 * frames**2))
    sound = layered(rng, count, layers)
    boil = BubbleSize((1.5, 9.0), 160.0, 0.3, 0.5)
    sound += babble(rng, np.clip(0.6 * np.exp(0.6 * slow_random(rng, count, 4.0, 3)), 0.05, 1.0) * heat, (boil,))
    if shrill > 0.0:
        sound += 0.8 * shrill * _whistle(rng, heat, body)
    return settled(sound, intensity, rms=math.hypot(0.78, 0.7, 0.36, 0.8 * shrill))


def _whistle(rng: np.random.Generator, heat: Signal, body: np.random.Generator) -> Signal:
    """Return the whistle: a tone and its octave, which waver in level and pitch with the steam."""
    count = len(heat)
    nodes = len(control_times_s(count))
    steam = heat[np.minimum(np.arange(nodes) * 48, max(count - 1, 0))] if count else np.zeros(nodes)
    blown = np.clip((steam - 0.6) / 0.3, 0.0, 1.0)
    waver = 0.012 * slow_random(rng, 48 * nodes, 5.0, 3)[::48]
    hz = body.uniform(0.85, 1.15) * (WHISTLE_HZ[0] + (WHISTLE_HZ[1] - WHISTLE_HZ[0]) * blown**0.6) * (1.0 + waver)
    tone = whistle(rng, count, hz, 6.0) + 0.25 * whistle(rng, count, 2.0 * hz, 12.0)
    return np.asarray(tone * stretched(blown**2, count), np.float64)


# --- popcorn ---------------------------------------------------------------------------------------------------------

POPS_HZ = 9.0
"""Kernels a second at the height of it."""

LIDS = {"closed": (1800.0, 0.8), "open": (9000.0, 0.3)}
"""Corner above which the lid holds sound back, and how hard kernels hit it or the pan."""


def popcorn(
    rng: np.random.Generator,
    intensity: Mono,
    /,
    *,
    lid: float | str = "closed",
    variant: float | str = 0,
    **_: float | str,
) -> Mono:
    """Return popcorn: single pops that come thick and die out, kernels that hit the lid, fat that hisses below.

    Args:
        rng: Chance.
        intensity: How thick they come.
        lid: closed or open.
        variant: Which pan.
        **_: What other recipes take.
    """
    corner_hz, knock = choice(LIDS, lid, "lid")
    count, pan = len(intensity), character("popcorn", variant)
    share = np.asarray(intensity, np.float64) ** 1.5
    pops = unit_energy(_kernels(pan, 32, knock=knock))
    popping = low_passed(shower(rng, count, pops, rate_hz=POPS_HZ, sigma=0.5, curve=share), corner_hz, 1)
    level = 0.16 * np.sqrt(at_frames(np.asarray(intensity, np.float64)))
    hiss = layered(rng, count, lively(rng, count, erb_spectrum(FAT_DB), 2.0, rate_hz=1.0, level=level))
    return settled(popping + low_passed(hiss, corner_hz, 1), intensity, rms=0.85)


def _kernels(pan: np.random.Generator, count: int, *, knock: float) -> list[Signal]:
    """Return pops: a burst of steam of 5 to 12 ms, a thump of 200 to 500 Hz, then the kernel against the metal.

    A pop carries most of its energy between 0.2 and 3 kHz and lasts some 20 ms.
    Source: E. Virot, A. Ponomarenko, "Popcorn: critical temperature, jump and sound", J. R. Soc. Interface 12, 2015:
    the pop is the release of vapour, not the fracture.
    """
    t_s = np.arange(length_samples(0.16)) / RATE_HZ
    modes_hz = np.exp(pan.uniform(np.log(350.0), np.log(3200.0), 8))
    rings = np.sin(2 * np.pi * modes_hz[:, None] * t_s[: length_samples(0.1)]) * decay(length_samples(0.1), 0.07)
    thump_s = t_s[: length_samples(0.04)]
    made = []
    for _ in range(count):
        sound = np.zeros(len(t_s))
        add_at(sound, rough_burst(pan, pan.uniform(0.015, 0.04), centre_hz=pan.uniform(900, 2600), octaves=2.5), 0)
        thump = np.sin(2 * np.pi * pan.uniform(200, 500) * thump_s) * decay(len(thump_s), 0.03)
        add_at(sound, pan.uniform(0.4, 0.9) * thump, 0)
        hit = knock * pan.uniform(0.1, 0.35) * product(pan.uniform(0.2, 1.0, (1, 8)), rings)[0]
        add_at(sound, hit, length_samples(pan.uniform(0.01, 0.06)))
        made.append(sound * np.minimum(1.0, t_s / 0.0003))
    return made


VAN_DEN_DOEL = "Minnaert 1933; van den Doel 2005"

RECIPES = (
    TextureRecipe("sizzle", "cooking", sizzle, defaults_of(sizzle), "bursting drops as shot noise"),
    TextureRecipe("boiling", "cooking", boiling, defaults_of(boiling), VAN_DEN_DOEL),
    TextureRecipe("kettle", "cooking", kettle, defaults_of(kettle), VAN_DEN_DOEL + "; hole tone of a whistle"),
    TextureRecipe("popcorn", "cooking", popcorn, defaults_of(popcorn), "Virot & Ponomarenko 2015"),
)
