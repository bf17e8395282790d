"""Bodies: hearts, fists, palms, teeth and swallows.

Sources: A. Luisada, "The Sounds of the Normal Heart", 1972 (two sounds, 25 to 150 Hz, 0.3 s apart); Z. Vickers,
M. Bourne, "Crispness in foods", J. Food Sci. 41, 1976 (a bite is many fractures); F. Houle, J. Sethna,
"Acoustic emission from crumpling paper", Phys. Rev. E 54, 1996 (their energies follow a power law); figures of 25
recorded blows.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from foley.synth.bubbles import bubble
from foley.synth.calls import LEAD_S, called_hit
from foley.synth.chain import delayed, heard_at_once, mixed, peak_of, recorded_hit
from foley.synth.excitation import Signal, length_samples, low_passed, noise_burst, rough_burst
from foley.synth.finish import character, choice, defaults_of, number
from foley.synth.landing import YIELDING, landed_hit
from foley.synth.materials import FLESH, body, struck
from foley.synth.recipe import HitRecipe, Mono
from foley.synth.resonators import resonance, resonant_grains, thud
from foley.synth.textures import scatter, slow_gain
from foley.units import RATE_HZ

# --- heart -----------------------------------------------------------------------------------------------------------

SYSTOLE_S = 0.31
"""Between the two sounds at 60 beats a minute; it shortens with the root of the time between beats."""


def heartbeat(
    rng: np.random.Generator,
    strength: float,
    /,
    *,
    rate_bpm: float | str = 70.0,
    variant: float | str = 0,
    **_: float | str,
) -> Mono:
    """Return one beat of a heart as heard through a chest: lub at the hit, a shorter and higher dub after it.

    `rate_bpm` is 30 to 220 beats a minute.
    """
    heart = character("heartbeat", variant)
    systole_s = SYSTOLE_S * (60.0 / number(rate_bpm, 30.0, 220.0, "rate_bpm")) ** 0.5 * rng.uniform(0.98, 1.02)
    lub_hz = heart.uniform(38.0, 52.0) * (0.9 + 0.15 * strength)
    lub = mixed(
        thud(rng, lub_hz, 0.16, drop=0.5, noise=0.0), delayed(0.5 * thud(rng, 1.5 * lub_hz, 0.09, noise=0.0), 0.022)
    )
    dub = mixed(thud(rng, 1.35 * lub_hz, 0.1, drop=0.4, noise=0.0), 0.35 * thud(rng, 2.4 * lub_hz, 0.06, noise=0.0))
    valves = noise_burst(rng, 0.05, low_hz=60.0, high_hz=120.0 + 130.0 * strength)
    beat = mixed(lub + 0.0, 0.35 * valves, delayed((0.5 + 0.2 * strength) * mixed(dub, 0.3 * valves), systole_s))
    return recorded_hit(rng, heard_at_once(low_passed(beat, 350.0)), strength, ring_s=0.8, wet=0.1)


# --- blows -----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Target:
    """What a blow lands on: peaks of its layers and their pitch."""

    thump_hz: float
    thump: float
    smack: float
    crack: float
    cloth: float
    smack_hz: float
    """Centre of smack and cloth: skin over bone is bright, stuffed leather dull."""


FISTS: Mapping[str, Target] = {
    "body": Target(95.0, 0.8, 0.55, 0.15, 0.30, 1200.0),
    "face": Target(130.0, 0.5, 0.75, 0.80, 0.10, 2000.0),
    "bag": Target(75.0, 1.0, 0.40, 0.05, 0.20, 600.0),
    "glove": Target(110.0, 0.7, 0.80, 0.15, 0.15, 1000.0),
}


def punch(
    rng: np.random.Generator,
    strength: float,
    /,
    *,
    target: float | str = "body",
    variant: float | str = 0,
    **_: float | str,
) -> Mono:
    """Return a fist, knee or foot: the thump of what gives way, a smack of skin, knuckles on bone, and cloth.

    `target` is body, face, bag (a heavy one) or glove.
    """
    onto, chance = choice(FISTS, target, "target"), character("punch", variant)
    thump_hz = onto.thump_hz * chance.uniform(0.85, 1.18) * rng.uniform(0.96, 1.04)
    pushed = noise_burst(rng, 0.06, low_hz=80.0, high_hz=250.0)
    thump = peak_of(mixed(thud(rng, thump_hz, rng.uniform(0.12, 0.22), drop=0.5, noise=0.4), pushed), 1.2 * onto.thump)
    flesh = peak_of(struck(rng, body(chance, FLESH), strength, hardness=0.9), 0.3)
    smack = rough_burst(rng, chance.uniform(0.05, 0.15), centre_hz=onto.smack_hz * rng.uniform(0.8, 1.25), octaves=3.0)
    crack = rough_burst(rng, 0.022, centre_hz=rng.uniform(2600.0, 3800.0), octaves=1.8)
    rustle = rough_burst(rng, rng.uniform(0.2, 0.32), centre_hz=1.1 * onto.smack_hz, octaves=3.5)
    hard = 0.4 + 0.6 * strength
    skin = mixed(onto.smack * hard * smack, onto.crack * hard * crack, delayed(onto.cloth * rustle, 0.008))
    return landed_hit(rng, chance, mixed(thump, flesh, skin), strength, landing=YIELDING, ring_s=0.5)


def slap(
    rng: np.random.Generator,
    strength: float,
    /,
    *,
    target: float | str = "face",
    variant: float | str = 0,
    **_: float | str,
) -> Mono:
    """Return a flat hand: `target` face (bright), body (duller, on bare skin) or back (through cloth).

    Skin meets skin within a millisecond; the air between rings at 600 to 1300 Hz, and the cheek gives a dull push.
    """
    dull = choice({"face": 0.0, "body": 0.5, "back": 1.0}, target, "target")
    chance = character("slap", variant)
    hollow_hz = chance.uniform(800.0, 1300.0) * (1.0 - 0.35 * dull) * rng.uniform(0.94, 1.06)
    sting = noise_burst(rng, rng.uniform(0.03, 0.045), low_hz=700.0, high_hz=9500.0 - 6000.0 * dull)
    hollow = resonance(np.concatenate([sting, np.zeros(length_samples(0.04))]), hollow_hz, 2.0)
    push = thud(rng, chance.uniform(120.0, 170.0), 0.09 + 0.06 * dull, noise=0.5)
    cloth = dull * rough_burst(rng, 0.15, centre_hz=1200.0, octaves=3.0)
    sound = mixed(0.8 * sting, 0.7 * peak_of(hollow), (0.3 + 0.3 * dull) * push, 0.2 * cloth)
    return recorded_hit(rng, sound, strength, ring_s=0.4)


# --- eating and drinking ---------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Food:
    """How a food gives way between teeth."""

    fractures: float
    """Of one bite."""
    spread_s: float
    """How long the bite goes on breaking."""
    low_hz: float
    high_hz: float
    sigma: float
    """Spread of the fractures' levels: 1.4 a few large ones among many small."""
    wet: float
    """Peak of the juice."""


FOODS: Mapping[str, Food] = {
    "crisp": Food(60.0, 0.16, 1800.0, 9000.0, 1.2, 0.02),
    "apple": Food(30.0, 0.10, 900.0, 5500.0, 1.4, 0.25),
    "carrot": Food(14.0, 0.06, 700.0, 4500.0, 1.4, 0.06),
    "bread": Food(40.0, 0.20, 500.0, 3000.0, 0.9, 0.05),
    "soft": Food(8.0, 0.18, 250.0, 1200.0, 0.8, 0.7),
}


def eating(
    rng: np.random.Generator,
    strength: float,
    /,
    *,
    food: float | str = "apple",
    variant: float | str = 0,
    **_: float | str,
) -> Mono:
    """Return one bite or chew: `food` crisp, apple, carrot, bread or soft.

    The first fracture is where the teeth break through; the others follow while the jaw closes, heard through lips and
    cheeks, so that the jaw's own resonance at 160 Hz is with them.
    """
    bite, mouthful = choice(FOODS, food, "food"), character(f"eating {food}", variant)
    grains = resonant_grains(mouthful, bite.low_hz, bite.high_hz, quality=(1.0, 4.0), decay_s=0.004, count=24)
    count = 1 + rng.poisson(bite.fractures * (0.5 + 0.5 * strength))
    at = np.concatenate([[0.0], rng.gamma(1.2, bite.spread_s / 2.4, count - 1)])
    levels = np.exp(bite.sigma * np.minimum(rng.standard_normal(count), 2.0)) * np.exp(-at / bite.spread_s)
    levels[0] = 1.2 * levels.max()
    places = np.asarray(at * RATE_HZ, np.int64)
    length = length_samples(min(0.5, float(at.max()) + 0.05))
    crunch = scatter(length, places, levels, grains=grains, which=rng.integers(0, len(grains), count))
    jaw = thud(rng, mouthful.uniform(140.0, 180.0), 0.06, noise=0.6)
    juice = low_passed(rng.standard_normal(length), 1800.0) * slow_gain(rng, length, 4.0, rate_hz=60.0)
    juice *= np.sin(np.pi * np.linspace(0.0, 1.0, length)) ** 2
    sound = mixed(peak_of(crunch), 0.3 * jaw, bite.wet * peak_of(juice))
    return recorded_hit(rng, sound, strength, ring_s=0.6, wet=0.2)


def gulp(rng: np.random.Generator, throat: np.random.Generator) -> Signal:
    """Return one swallow: the throat closes with a click, and air is squeezed through what goes down."""
    click = noise_burst(rng, 0.018, low_hz=250.0, high_hz=1600.0)
    length = length_samples(rng.uniform(0.10, 0.15))
    part = np.linspace(0.0, 1.0, length)
    squeeze_hz = throat.uniform(170.0, 230.0) * (1.0 + 1.3 * part**1.5) * rng.uniform(0.95, 1.05)
    squeezed = np.sin(2.0 * np.pi * np.cumsum(squeeze_hz) / RATE_HZ) * np.sin(np.pi * part**0.6) ** 1.5
    low = thud(rng, throat.uniform(85.0, 110.0), 0.11, noise=0.4)
    drops = [delayed(rng.uniform(0.1, 0.3) * _drop(rng), rng.uniform(0.03, 0.16)) for _bubble in range(4)]
    return mixed(0.7 * click, 0.6 * low, delayed(0.8 * squeezed, 0.025), *drops)


def _drop(rng: np.random.Generator) -> Signal:
    return peak_of(bubble(float(np.exp(rng.uniform(np.log(0.0025), np.log(0.006)))), rise=rng.uniform(0.05, 0.2)))


def sip(rng: np.random.Generator, throat: np.random.Generator, wet: float) -> Signal:
    """Return liquid drawn over a rim with air, which tears it 20 to 60 times a second; `wet` 1 is a slurp."""
    length = length_samples(rng.uniform(0.3, 0.45) * (1.0 + 0.6 * wet))
    lips_hz = throat.uniform(1500.0, 2400.0) * np.exp(rng.normal(0.0, 0.08))
    air = resonance(rng.standard_normal(length), lips_hz, 1.2) + 0.4 * resonance(
        rng.standard_normal(length), 2.4 * lips_hz, 1.5
    )
    tearing = slow_gain(rng, length, 3.0 + 5.0 * wet, rate_hz=45.0, octaves=2)
    swell = np.minimum(1.0, np.linspace(0.15, 6.0, length)) * np.linspace(1.0, 0.0, length) ** 0.4
    bubbling = [delayed(rng.uniform(0.1, 0.5) * wet * _drop(rng), rng.uniform(0.02, 0.4)) for _bubble in range(8)]
    return mixed(peak_of(air * tearing * swell), *bubbling)


def drinking(
    rng: np.random.Generator,
    strength: float,
    /,
    *,
    kind: float | str = "gulp",
    variant: float | str = 0,
    **_: float | str,
) -> Mono:
    """Return one mouthful: `kind` gulp, sip or slurp. A stand-in."""
    wet, throat = choice({"gulp": -1.0, "sip": 0.2, "slurp": 1.0}, kind, "kind"), character("drinking", variant)
    sound = gulp(rng, throat) if wet < 0.0 else sip(rng, throat, wet)
    return called_hit(rng, sound, strength, ring_s=0.9, wet=0.15)


RECIPES = (
    HitRecipe("heartbeat", "people", heartbeat, defaults_of(heartbeat), ring_s=0.8, source="Luisada 1972"),
    HitRecipe("punch", "people", punch, defaults_of(punch), ring_s=0.5, source="25 recorded blows"),
    HitRecipe("slap", "people", slap, defaults_of(slap), ring_s=0.4, source="Peltola et al. 2007"),
    HitRecipe("eating", "people", eating, defaults_of(eating), ring_s=0.6, source="Vickers & Bourne 1976"),
    HitRecipe("drinking", "people", drinking, defaults_of(drinking), LEAD_S, 0.9, "Minnaert 1933"),
)
