"""Guns, explosions, fireworks, thunder: a shock wave, and the space that answers it.

Sources: F. Friedlander, Proc. R. Soc. A 186, 1946 (blast wave); R. Maher, "Modeling and signal processing of acoustic
gunshot recordings", IEEE DSP Workshop 2006; A. Few, "Power spectrum of thunder", J. Geophys. Res. 74, 1969; H. Ribner,
D. Roy, "Acoustics of thunder", JASA 72, 1982. Decays are fitted to 28 recorded shots (20 dB in 0.5 s) and 24
explosions.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from foley.synth.excitation import Signal, decay, high_passed, length_samples, low_passed
from foley.synth.finish import add_at, choice, defaults_of, finished_hit
from foley.synth.recipe import HitRecipe, Mono
from foley.synth.resonators import thud
from foley.synth.textures import heavy, noise, scatter, shower, slow_random, spectrum, unit_energy
from foley.units import RATE_HZ


def friedlander(positive_s: float, length: int) -> Signal:
    """Return the pressure of a blast wave: exp(-t/t+) (1 - t/t+), at its highest from the first sample.

    Source: F. Friedlander, "The diffraction of sound pulses", Proc. R. Soc. A 186, 1946.

    >>> friedlander(0.001, 100)[[0, 48]].round(6).tolist()
    [1.0, 0.0]
    """
    x = np.arange(length) / (RATE_HZ * positive_s)
    return np.asarray(np.exp(-x) * (1 - x), np.float64)


def air_corner_hz(near_m: float, distance_m: float) -> float:
    """Return the corner of what air and ground leave of a blast: it falls with the root of the distance.

    Args:
        near_m: Where a blast is heard whole, corner 20 kHz.
        distance_m: Where it is heard.
    """
    return max(300.0, 20_000.0 / math.sqrt(max(distance_m / near_m, 1.0)))


BANDS_HZ = (90.0, 250.0, 700.0, 2000.0, 6000.0)
"""Centres of the bands that die away by themselves, one and a half octaves apart."""


def _dying_noise(rng: np.random.Generator, length: int, t60_s: float, *, treble_decay: float, fall_db: float) -> Signal:
    """Return noise of which treble dies first; RMS of its lowest band 1 at the start.

    Args:
        rng: Chance.
        length: In samples.
        t60_s: Of the lowest band.
        treble_decay: T60 ~ frequency to the power of minus this.
        fall_db: Fall of level per octave at the start.
    """
    sound = np.zeros(length)
    for centre_hz in BANDS_HZ:
        octaves = math.log2(centre_hz / BANDS_HZ[0])
        band_t60_s = t60_s * 2.0 ** (-treble_decay * octaves)
        heard = min(length, length_samples(1.2 * band_t60_s))
        skirt = {centre_hz / 8: -40.0, centre_hz / 1.7: 0.0, centre_hz * 1.7: -3.0, centre_hz * 8: -40.0}
        band = noise(rng, heard, spectrum(skirt)) * decay(heard, band_t60_s)
        add_at(sound, 10 ** (-fall_db * octaves / 20) * band, 0)
    return sound


def _answer(rng: np.random.Generator, t60_s: float, *, fall_db: float, rise_s: float) -> Signal:
    """Return the reverberation of a bang, peak 1: treble dies first, no echo stands out.

    It sets in over `rise_s` behind the bang: single slaps would be heard, and found by whoever looks for onsets, as
    further bangs.
    """
    length = length_samples(1.2 * t60_s)
    field = _dying_noise(rng, length, t60_s, treble_decay=0.3, fall_db=fall_db)
    field *= np.minimum(1.0, np.arange(length) / (rise_s * RATE_HZ))
    return np.asarray(field / np.abs(field).max(), np.float64)


# --- guns ------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Gun:
    """A weapon's muzzle blast."""

    positive_s: float
    """Length of the blast's overpressure."""
    jet_t60_s: float
    """How long powder gas roars."""
    body_hz: float
    """Of the push one feels."""
    body: float
    answer: float
    """Strength of what comes back, re a pistol's."""


GUNS = {
    "pistol": Gun(0.00045, 0.09, 95.0, 0.5, 1.0),
    "rifle": Gun(0.0007, 0.14, 80.0, 0.6, 1.35),
    "shotgun": Gun(0.0012, 0.18, 72.0, 0.8, 1.25),
}


@dataclass(frozen=True, slots=True)
class Space:
    """Where a shot is fired."""

    t60_s: float
    answer: float
    """Peak of the reverberation re the blast's."""
    rise_s: float


SPACES = {"outdoor": Space(1.15, 0.34, 0.03), "indoor": Space(0.55, 0.60, 0.008)}

JET = spectrum({40: -16, 150: -5, 400: -1, 1200: 0, 3000: -1, 7000: -4, 14000: -8, 20000: -12})


def _muzzle_blast(rng: np.random.Generator, gun: Gun) -> Signal:
    length = length_samples(0.25)
    sound = friedlander(gun.positive_s * rng.uniform(0.85, 1.2), length)
    sound += 0.22 * noise(rng, length, JET) * (decay(length, gun.jet_t60_s) + decay(length, 0.02))
    add_at(sound, gun.body * thud(rng, gun.body_hz, 0.09, drop=0.8), 0)
    # the ground's reflection: 2 to 6 ms is 1 to 2 m of detour
    add_at(sound, 0.5 * low_passed(sound, 5000.0, 1), length_samples(rng.uniform(0.002, 0.006)))
    return np.asarray(sound / np.abs(sound).max(), np.float64)


def gunshot(
    rng: np.random.Generator,
    strength: float,
    /,
    *,
    gun: float | str = "pistol",
    space: float | str = "outdoor",
    distance_m: float | str = 8.0,
    **_: float | str,
) -> Mono:
    """Return a shot: blast, powder gas, the ground, and most of all the space. `gun` pistol, rifle or shotgun.

    Microphones and ears saturate: tanh. Farther away the blast is duller and the space's share larger.
    """
    weapon, place = choice(GUNS, gun, "gun"), choice(SPACES, space, "space")
    distance = max(float(distance_m), 1.0)
    t60_s = place.t60_s * rng.uniform(0.9, 1.15)
    answer = _answer(rng, t60_s, fall_db=0.5, rise_s=place.rise_s)
    sound = np.zeros(length_samples(1.45))
    add_at(sound, _muzzle_blast(rng, weapon), 0)
    add_at(sound, place.answer * weapon.answer * min(2.0, (distance / 8.0) ** 0.3) * answer, 0)
    heard = np.tanh(2.2 * low_passed(sound, air_corner_hz(10.0, distance), 1))
    return finished_hit(heard, strength, ring_s=1.45)


# --- explosions ------------------------------------------------------------------------------------------------------

CRACK = spectrum({100: -14, 400: -4, 1200: 0, 5000: -4, 16000: -10})
DEBRIS = (0.002, 0.02)


def _explosion(rng: np.random.Generator, big: float, *, debris: float) -> Signal:
    """Return an explosion heard close by, peak 1, long enough to die away."""
    length = length_samples(1.6 + 3.0 * big)
    t_s = np.arange(length) / RATE_HZ
    t60_s = 1.0 + 2.2 * big
    roar = _dying_noise(rng, length, t60_s, treble_decay=0.45, fall_db=4.5)
    # what burns swells behind the blast
    swell = 0.5 + 0.5 * np.minimum(1, t_s / 0.08)
    roar *= swell * np.maximum(0.4, 1 + 0.15 * slow_random(rng, length, 9.0, 2))
    crack = noise(rng, length_samples(0.2), CRACK) * decay(length_samples(0.2), 0.14)
    sound = 1.0 * friedlander(0.004 + 0.02 * big, length) + 0.20 * roar
    add_at(sound, 0.8 * crack, 0)
    add_at(sound, 0.8 * thud(rng, 38.0 + 25.0 * (1 - big), 0.6 + 0.7 * big, drop=1.4, noise=0.0), 0)
    if debris > 0.0:
        falling = np.asarray(np.exp(-(((t_s - 0.55) / 0.35) ** 2)), np.float64)
        sound += (
            0.008 * debris * (0.3 + big) * shower(rng, length, _rubble(rng), rate_hz=150.0, sigma=0.5, curve=falling)
        )
    return np.asarray(np.tanh(1.6 * sound), np.float64)


def _rubble(rng: np.random.Generator) -> list[Signal]:
    """Return stones and earth that fall, of unit energy."""
    stones = []
    for t60_s in rng.uniform(*DEBRIS, 48):
        burst = rng.standard_normal(length_samples(2 * t60_s)) * decay(length_samples(2 * t60_s), 2 * t60_s)
        stones.append(low_passed(burst, float(np.exp(rng.uniform(np.log(300.0), np.log(4000.0)))), 1))
    return unit_energy(stones)


def explosion(
    rng: np.random.Generator,
    strength: float,
    /,
    *,
    size: float | str = 0.6,
    distance_m: float | str = 30.0,
    debris: float | str = 0.5,
    **_: float | str,
) -> Mono:
    """Return an explosion: size 0 is a grenade, 1 a bomb; debris falls half a second later."""
    big = float(np.clip(float(size), 0.0, 1.0))
    sound = low_passed(_explosion(rng, big, debris=float(debris)), air_corner_hz(20.0, float(distance_m)), 1)
    return finished_hit(sound, strength, ring_s=1.6 + 3.0 * big)


def firework(
    rng: np.random.Generator,
    strength: float,
    /,
    *,
    distance_m: float | str = 120.0,
    crackle: float | str = 0.5,
    **_: float | str,
) -> Mono:
    """Return a shell that bursts in the sky: a dull bang, the echo of the surroundings, `crackle` of falling stars."""
    length = length_samples(2.6)
    t_s = np.arange(length) / RATE_HZ
    bang = friedlander(0.003, length)
    add_at(bang, 0.45 * noise(rng, length_samples(0.3), CRACK) * decay(length_samples(0.3), 0.16), 0)
    add_at(bang, 0.9 * thud(rng, 62.0, 0.35, drop=1.0, noise=0.3), 0)
    sound = np.asarray(np.tanh(1.8 * bang), np.float64)
    add_at(sound, 0.30 * _answer(rng, 1.9, fall_db=2.0, rise_s=0.05), 0)
    if float(crackle) > 0.0:
        snap = [friedlander(0.0004, 480) + 0.3 * rng.standard_normal(480) * decay(480, 0.006) for _ in range(16)]
        cloud = np.asarray(np.clip((t_s - 0.35) / 0.3, 0, 1) * np.exp(-np.maximum(0, t_s - 0.6) / 0.35), np.float64)
        stars = shower(rng, length, unit_energy(snap), rate_hz=260.0, sigma=0.4, curve=cloud)
        sound += 0.013 * float(crackle) * low_passed(stars, 6000.0, 1)
    return finished_hit(low_passed(sound, air_corner_hz(30.0, float(distance_m)), 1), strength, ring_s=2.6)


# --- thunder ---------------------------------------------------------------------------------------------------------

THUNDER_RING_S = 7.0
TORTUOSITY = 260
"""Pieces of the lightning channel, a few metres each, that send an N-wave of their own (Ribner & Roy 1982)."""
RUMBLE = spectrum({25: -4, 60: 0, 120: -3, 250: -12, 600: -26, 2000: -48, 8000: -90})


def thunder(rng: np.random.Generator, strength: float, /, *, distance_m: float | str = 700.0, **_: float | str) -> Mono:
    """Return thunder: the nearest piece of the channel cracks, the others roll after it for seconds.

    Air takes the treble on the way: within a kilometre it starts with a crack, beyond three it only rumbles.
    """
    length = length_samples(THUNDER_RING_S)
    t_s = np.arange(length) / RATE_HZ
    near = float(np.clip(1 - float(distance_m) / 3000.0, 0.0, 1.0))
    arrivals_s = rng.gamma(1.3, THUNDER_RING_S / 6, TORTUOSITY)
    waves = [np.linspace(1, -1, length_samples(s)) for s in rng.uniform(0.004, 0.03, 32)]
    levels = heavy(rng, TORTUOSITY, 0.6) * np.exp(-arrivals_s / (0.3 * THUNDER_RING_S))
    at = np.minimum(np.asarray(arrivals_s * RATE_HZ, np.int64), length - 1)
    rolling = scatter(length, at, levels, grains=waves, which=rng.integers(0, len(waves), TORTUOSITY))
    rolling = low_passed(rolling, 160.0 + 1400.0 * near**2, 1)
    swell = np.maximum(0.15, 1 + 0.5 * slow_random(rng, length, 2.5, 3)) * np.minimum(
        1, t_s / (0.02 + 0.5 * (1 - near))
    )
    sound = 0.35 * rolling + 0.9 * noise(rng, length, RUMBLE) * swell * np.exp(-3.6 * t_s / THUNDER_RING_S)
    torn = length_samples(0.9)
    crack = noise(rng, torn, CRACK) * (decay(torn, 0.12) + 0.4 * decay(torn, 0.7))
    add_at(sound, 5.0 * near**2 * low_passed(crack, 600.0 + 9000.0 * near**2, 1), 0)
    add_at(sound, 4.0 * near**2 * high_passed(friedlander(0.004, 4800), 60.0, 1), 0)
    return finished_hit(np.asarray(np.tanh(0.3 * sound), np.float64), strength, ring_s=THUNDER_RING_S)


RECIPES = (
    HitRecipe("gunshot", "blasts", gunshot, defaults_of(gunshot), ring_s=1.45, source="Friedlander 1946; Maher 2006"),
    HitRecipe("explosion", "blasts", explosion, defaults_of(explosion), ring_s=4.6, source="Friedlander 1946"),
    HitRecipe("firework", "blasts", firework, defaults_of(firework), ring_s=2.6, source="Friedlander 1946"),
    HitRecipe(
        "thunder", "blasts", thunder, defaults_of(thunder), ring_s=THUNDER_RING_S, source="Few 1969; Ribner & Roy 1982"
    ),
)
