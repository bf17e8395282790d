"""Fire: lapping, hissing, crackling; small flames, and how they are lit.

Source: A. Farnell, "Designing Sound", 2010 (the three parts); shares and statistics measured on 47 stretches of
recorded fires: 84 Hz at 0 dB, above 400 Hz -20 to -26 dB, and above 1 kHz the crackles are the power (envelope kurtosis
10 to 18).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from foley.synth.chain import recorded_hit
from foley.synth.excitation import Signal, decay, length_samples, low_passed, noise_burst
from foley.synth.finish import add_at, character, choice, defaults_of, number, settled
from foley.synth.moving import Layer, at_frames, layered, lively, slow_frames
from foley.synth.recipe import HitRecipe, Mono, TextureRecipe
from foley.synth.recorded import as_recorded
from foley.synth.resonators import thud
from foley.synth.textures import (
    control_times_s,
    erb_spectrum,
    heavy,
    noise,
    poisson,
    scatter,
    shower,
    slow_random,
    spectrum,
    stretched,
    tinted,
    unit_energy,
)
from foley.units import RATE_HZ

FIRE_DB = (0, -10, -22, -26, -28, -28, -28, -28, -27, -26)
"""Roar and hiss of recorded fires, without their crackles."""
DRAUGHT = spectrum({30: 0, 80: 0, 200: -5, 600: -14, 2000: -24, 8000: -40})
"""What a large fire sucks in."""


def crackles(
    rng: np.random.Generator, count: int, *, centre_hz: float = 3400.0, longest_s: float = 0.014
) -> list[Signal]:
    """Return pops of burning wood, of peak 1: steam breaks a cell wall at once, the splinter rings for 1 to 14 ms."""
    made = []
    for _ in range(count):
        pitch_hz = float(np.exp(rng.normal(np.log(centre_hz), 0.75)))
        t60_s = float(np.exp(rng.uniform(np.log(0.0015), np.log(longest_s))))
        length = length_samples(min(0.08, 2 * t60_s + 0.002))
        t_s = np.arange(length) / RATE_HZ
        snap = low_passed(rng.standard_normal(length), 3 * pitch_hz, 1)
        pop = (0.4 * np.sin(2 * np.pi * pitch_hz * t_s + rng.uniform(0, 2 * np.pi)) + 0.8 * snap) * decay(
            length, 2 * t60_s
        )
        made.append(pop / np.abs(pop).max())
    return made


def _clusters(rng: np.random.Generator, samples: int, rate_hz: float, *, activity: Signal, centre_hz: float) -> Signal:
    """Return crackles in clusters: one pop sets off up to five more within 10 ms."""
    before = length_samples(0.1)
    first = poisson(rng, samples, rate_hz, curve=activity, before=before)
    followers = rng.integers(0, 6, len(first))
    late = np.asarray(rng.exponential(0.010 * RATE_HZ, int(followers.sum())), np.int64)
    at = np.concatenate([first, np.repeat(first, followers) + late])
    grains = crackles(rng, 96, centre_hz=centre_hz)
    return scatter(samples, at, heavy(rng, len(at), 1.15), grains=grains, which=rng.integers(0, 96, len(at)))


def fire(
    rng: np.random.Generator,
    intensity: Mono,
    /,
    *,
    crackle: float | str = 1.0,
    roar: float | str = 1.0,
    variant: float | str = 0,
    **_: float | str,
) -> Mono:
    """Return a fire: a camp fire at the defaults.

    Args:
        rng: Chance.
        intensity: How high it burns.
        crackle: 0 burns gas or coke, 1 dry wood, 2 resinous twigs.
        roar: 0.3 embers, 1 a camp fire, 2 a bonfire, 4 a house or forest.
        variant: Which fire.
    """
    wood, large = number(crackle, 0.0, 2.0, "crackle"), number(roar, 0.0, 4.0, "roar")
    count, hearth = len(intensity), character("fire", variant)
    flutter = 1 + 0.28 * slow_frames(rng, count, 8.0, 2) + 0.26 * slow_frames(rng, count, 1.2, 2)
    layers = [Layer(tinted(erb_spectrum(FIRE_DB), hearth, 2.0), min(large, 1.5) * np.maximum(0.2, flutter))]
    if large > 1.0:
        layers += lively(rng, count, DRAUGHT, 2.0, common=0.7, rate_hz=1.5, level=0.5 * (large - 1.0))
    sound = layered(rng, count, layers)
    if wood > 0.0:
        sound += wood * _crackling(rng, hearth, intensity)
    if wood >= 0.5 and large <= 2.0:  # recorded were camp fires
        sound = as_recorded(sound, "fire", variant)
    # embers sound softer than a house, but both are a texture's level: only the balance changes
    return settled(sound, intensity, rms=1.15 * max(0.6, large**0.55))


def _crackling(rng: np.random.Generator, hearth: np.random.Generator, intensity: Mono) -> Signal:
    """Return what burning wood adds: clusters of snaps, fine ones between them, now and then a log that pops.

    Fires differ in it more than in their roar: beech snaps seldom and low, spruce often and high.
    """
    count = len(intensity)
    centre_hz = 3600.0 * float(np.exp(0.3 * hearth.standard_normal()))
    loud = float(np.exp(0.3 * hearth.standard_normal()))
    activity = np.clip(0.35 + 0.5 * slow_random(rng, count, 1.3, 3), 0.03, 1) * (0.4 + 0.6 * intensity)
    clusters = _clusters(rng, count, hearth.uniform(10.0, 32.0), activity=activity, centre_hz=centre_hz)
    fine = unit_energy(crackles(rng, 64, centre_hz=1.3 * centre_hz))
    sound = 0.95 * loud * clusters + 0.28 * loud * shower(rng, count, fine, rate_hz=90.0, sigma=1.2, curve=activity)
    pops = [thud(rng, float(pitch_hz), 0.03, noise=1.2) for pitch_hz in rng.uniform(220, 480, 8)]
    at = poisson(rng, count, hearth.uniform(0.6, 3.0), curve=activity, before=length_samples(0.05))
    return sound + 1.2 * scatter(count, at, heavy(rng, len(at), 0.6), grains=pops, which=rng.integers(0, 8, len(at)))


LAPPING = spectrum({30: -3, 90: 0, 250: -9, 800: -20, 3000: -30, 10000: -44})
GAS_JET = spectrum({150: -16, 500: -4, 1500: 0, 4000: -4, 12000: -16})


def flame(
    rng: np.random.Generator,
    intensity: Mono,
    /,
    *,
    gas: float | str = 0.0,
    variant: float | str = 0,
    **_: float | str,
) -> Mono:
    """Return a small flame close by: it flutters, and now and then its wick spits.

    Args:
        rng: Chance.
        intensity: Its height; draughts are the curve's matter.
        gas: 0 a candle or match, 0.5 a lighter or hob, 1 a blow torch.
        variant: Which flame.
    """
    jet, count = number(gas, 0.0, 1.0, "gas"), len(intensity)
    wick = character("flame", variant)
    # a candle of ordinary size flickers ten times a second or so (buoyant vortices)
    flicker = np.exp((0.7 - 0.55 * jet) * slow_frames(rng, count, wick.uniform(9.0, 12.0), 2))
    drive = 0.5 + 0.5 * at_frames(intensity)
    layers = [
        Layer(LAPPING, (1 - 0.8 * jet) * flicker * drive),
        Layer(tinted(GAS_JET, wick, 2.0), (0.04 + 0.96 * jet) * drive * (0.9 + 0.1 * flicker)),
    ]
    sound = layered(rng, count, layers)
    if jet < 0.5:
        spits = unit_energy(crackles(rng, 32, centre_hz=4500.0, longest_s=0.005))
        sound += 0.05 * shower(rng, count, spits, rate_hz=3.0, sigma=1.0)
    return settled(sound, intensity, rms=1.02 + 0.35 * (1 - jet))


# --- lighting it -----------------------------------------------------------------------------------------------------

FLARE = spectrum({100: -8, 300: 0, 900: -3, 3000: -7, 9000: -14, 18000: -24})


@dataclass(frozen=True, slots=True)
class Lighting:
    """How something is set alight."""

    rub_s: float
    """How long head or wheel rubs."""
    rub_hz: tuple[float, float]
    grains_hz: float
    """Slips a second while it rubs."""
    flare_s: float
    """When the flame stands, re the contact."""
    flare: float
    """Level of its burst re the rub."""
    burns_s: float
    """T60 of the burst."""
    thump: float = 0.0
    """Of gas that catches at once."""
    fizz: float = 0.0
    """Crackle of a burning head."""


LIGHTINGS = {
    "match": Lighting(0.16, (2200.0, 9500.0), 900.0, 0.10, 1.0, 0.9, fizz=1.0),
    "lighter": Lighting(0.055, (3000.0, 11_000.0), 420.0, 0.065, 0.35, 0.35, thump=0.15),
    "gas": Lighting(0.012, (2500.0, 9000.0), 300.0, 0.05, 1.0, 0.8, thump=1.0),
}
LIGHTING_RING_S = 1.2


def match_strike(
    rng: np.random.Generator,
    strength: float,
    /,
    *,
    kind: float | str = "match",
    variant: float | str = 0,
    **_: float | str,
) -> Mono:
    """Return something set alight: the rub, the flare behind it, the flame that settles.

    Args:
        rng: Chance.
        strength: How briskly.
        kind: match, lighter, gas (a hob or torch that catches with a thump).
        variant: Which match.
    """
    way, length = choice(LIGHTINGS, kind, "kind"), length_samples(LIGHTING_RING_S)
    sound = np.zeros(length)
    add_at(sound, _rub(rng, way), 0)
    add_at(sound, 0.6 * noise_burst(rng, 0.008, low_hz=way.rub_hz[0], high_hz=way.rub_hz[1]), 0)
    times_s = control_times_s(length) - way.flare_s * rng.uniform(0.85, 1.2)
    burst = np.clip(times_s / 0.05, 0.0, 1.0) * np.exp(-6.9 * np.maximum(times_s, 0.0) / way.burns_s)
    burst *= np.exp(0.3 * np.interp(times_s + 1.0, np.arange(0, 3, 0.04), rng.standard_normal(75)))
    sound += 0.30 * way.flare * noise(rng, length, FLARE) * stretched(burst, length)
    if way.fizz > 0.0:
        sparkle = unit_energy(crackles(rng, 32, centre_hz=5500.0, longest_s=0.004))
        sound += (
            0.25
            * way.fizz
            * 0.15
            * shower(rng, length, sparkle, rate_hz=350.0, sigma=0.9, curve=stretched(np.minimum(burst, 1.0), length))
        )
    if way.thump > 0.0:
        whoomp = thud(rng, rng.uniform(75.0, 110.0), 0.14, drop=0.5, noise=0.5)
        add_at(sound, way.thump * whoomp * np.minimum(1, np.arange(len(whoomp)) / 720), length_samples(way.flare_s))
    return recorded_hit(rng, sound, strength, ring_s=LIGHTING_RING_S)


def _rub(rng: np.random.Generator, way: Lighting) -> Signal:
    """Return a head or flint on a rough strip: many small slips, faster towards the end."""
    length = length_samples(way.rub_s * rng.uniform(0.85, 1.2))
    hiss = noise_burst(rng, 3.0 * way.rub_s, low_hz=way.rub_hz[0], high_hz=way.rub_hz[1])[:length]
    slip = np.exp(0.8 * slow_random(rng, len(hiss), way.grains_hz))
    pressure = np.minimum(1.0, (len(hiss) - np.arange(len(hiss))) / (0.3 * len(hiss)))
    return np.asarray(0.7 * hiss * slip * pressure, np.float64)


FARNELL = "Farnell 2010; statistics of 47 stretches of recorded fires"

RECIPES = (
    TextureRecipe("fire", "fire", fire, defaults_of(fire), FARNELL),
    TextureRecipe("flame", "fire", flame, defaults_of(flame), "Farnell 2010; flicker of buoyant flames"),
    HitRecipe(
        "match_strike", "fire", match_strike, defaults_of(match_strike), ring_s=LIGHTING_RING_S, source="Farnell 2010"
    ),
)
