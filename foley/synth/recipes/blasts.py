"""Explosions, cannons, things that pop: a shock wave, what burns behind it, and what falls down again.

Sources: F. Friedlander, Proc. R. Soc. A 186, 1946 (blast wave); D. Deihl, D. Roy, J. Acoust. Soc. Am. 130, 2011 (what
the burst of a balloon radiates: an N-wave as long as sound takes through it). Band levels and decays: medians of 24
recorded explosions.
"""

from __future__ import annotations

import numpy as np

from foley.synth.blast import air_corner_hz, echo_course, friedlander, lumpy, saturated
from foley.synth.chain import recorded_hit
from foley.synth.excitation import Signal, butterworth, decay, length_samples, low_passed, noise_burst
from foley.synth.finish import add_at, character, defaults_of, finished_hit, number
from foley.synth.moving import QUICK_FRAME_SAMPLES, Layer, dying, frame_times_s, layered
from foley.synth.recipe import HitRecipe, Mono
from foley.synth.resonators import thud
from foley.synth.sessions import Session, loudness
from foley.synth.textures import control_times_s, heavy, poisson, scatter, stretched, unit_energy

# --- explosions ------------------------------------------------------------------------------------------------------

ROAR_DB = (-11.0, -7.0, -7.0, -9.0, -13.0, -20.0, -31.0)
"""What burns and rolls, in the bands of `BANG_BANDS_HZ`."""
ROAR_T60 = (1.0, 0.95, 0.85, 0.75, 0.65, 0.5, 0.35)
CRACK_DB = (-4.0, 5.0, 8.0, 6.0, -1.0, -8.0, -16.0)
"""The first tenth of a second: recorded explosions are 20 dB down at 3 kHz even then."""
CRACK_T60_S = (0.14, 0.12, 0.11, 0.10, 0.09, 0.08, 0.07)

EXPLOSION_RING_S = 4.8

BLASTING = Session(low_hz=80.0, low_spread=0.5, high_hz=11_000.0, high_spread=0.6, tilt_db=4.0, peak_db=6.0)
"""No microphone near a blast is alike another; the quietest and the most robust hear least bass."""
OPENNESS_SPREAD, ROAR_SPREAD_DB = 0.4, 4.0
"""How far blasts and places differ: in how long they roll (nepers), and in how loud that is re the first crack."""


def _roar(rng: np.random.Generator, length: int, t60_s: float, swell_s: float) -> list[Layer]:
    """Return the layers of what burns: it swells behind the blast, flutters, and its treble dies first."""
    times_s = frame_times_s(length, QUICK_FRAME_SAMPLES)
    flutter = np.interp(times_s * 11.0, np.arange(80), np.exp(0.25 * rng.standard_normal(80)))
    course = (0.35 + 0.65 * np.minimum(1.0, times_s / swell_s)) * flutter
    fading = dying(rng, length, ROAR_DB, [share * t60_s for share in ROAR_T60])
    return [Layer(layer.shape, layer.level * course) for layer in fading]


def _rubble(rng: np.random.Generator) -> list[Signal]:
    """Return stones and earth that come down, of unit energy."""
    stones = []
    for t60_s, corner_hz in zip(
        rng.uniform(0.004, 0.05, 24), np.exp(rng.uniform(np.log(300.0), np.log(4000.0), 24)), strict=True
    ):
        length = length_samples(1.2 * t60_s)
        stones.append(low_passed(rng.standard_normal(length) * decay(length, t60_s), float(corner_hz)))
    return unit_energy(stones)


def _debris(rng: np.random.Generator, length: int, big: float) -> Signal:
    """Return what falls down again, RMS about 1 where it is densest: the lightest first, pieces of all sizes."""
    times_s = control_times_s(length)
    middle_s = 0.45 + 0.55 * big
    falling = np.exp(-(((times_s - middle_s) / (0.6 * middle_s)) ** 2)) * np.minimum(1.0, times_s / 0.15)
    at = poisson(rng, length, 120.0, curve=stretched(falling, length))
    # 20: stones of unit energy at this rate and spread make an RMS of 1
    return 20.0 * scatter(length, at, heavy(rng, len(at), 0.8), grains=_rubble(rng), which=rng.integers(0, 24, len(at)))


def explosion(
    rng: np.random.Generator,
    strength: float,
    /,
    *,
    size: float | str = 0.6,
    distance_m: float | str = 30.0,
    debris: float | str = 0.5,
    variant: float | str = 0,
    **_: float | str,
) -> Mono:
    """Return an explosion: shock, a push in the bass, a roar that rolls on, debris half a second later.

    Args:
        rng: Chance.
        strength: Of the charge within its size.
        size: 0 a grenade, 0.6 a car, 1 a bomb.
        distance_m: 5 to 5000: far ones are a dull thump that rolls.
        debris: 0 to 1: how much comes down again.
        variant: Which place, and how it is recorded.
    """
    chance = character("explosion session", variant)
    big = number(size, 0.0, 1.0, "size")
    distance = number(distance_m, 1.0, 5000.0, "distance_m")
    rubble = number(debris, 0.0, 1.0, "debris")
    ring_s = 1.6 + (EXPLOSION_RING_S - 1.6) * big
    length = length_samples(ring_s)
    far = min(1.0, distance / 1500.0)
    rolls_s = (0.8 + 1.7 * big) * float(np.exp(chance.normal(0.0, OPENNESS_SPREAD)))
    rolling = loudness(chance, ROAR_SPREAD_DB)
    layers = [Layer(x.shape, rolling * x.level) for x in _roar(rng, length, rolls_s, 0.05 + 0.25 * far)]
    # on a long way through moving air the crack is smeared into the roar, its treble first;
    # a larger charge pushes longer, so less of it is treble
    darker_db = 6.0 * far + 2.0 * (big - 0.5)
    crack_db = [level - darker_db * band for band, level in enumerate(CRACK_DB)]
    layers += dying(rng, length, crack_db, CRACK_T60_S)
    gas = layered(rng, length, [Layer(x.shape, 0.20 * np.asarray(x.level)) for x in layers], QUICK_FRAME_SAMPLES)
    gas *= lumpy(rng, length)
    sound = gas + 0.35 * low_passed(friedlander(0.004 + 0.02 * big, length), 2500.0, 1)
    push = thud(rng, 38.0 + 25.0 * (1 - big), 0.5 + 0.6 * big, drop=1.4, noise=0.0)
    add_at(sound, 0.17 * (0.4 + big) * push, 0)
    sound = saturated(sound, 1.6)
    if rubble > 0.0:
        sound += 0.045 * rubble * (0.4 + 0.6 * big) * _debris(rng, length, big) / (1 + distance / 60.0)
    heard = BLASTING.recorded(chance, sound, butterworth(air_corner_hz(8.0, distance), 2, high=False))
    return finished_hit(heard, strength, ring_s=ring_s)


CANNON_DB = (0.0, -1.0, -3.0, -6.0, -10.0, -15.0, -23.0)
CANNON_T60_S = (0.45, 0.4, 0.32, 0.26, 0.2, 0.16, 0.12)
VALLEY_DB = (-2.0, -1.0, -2.0, -6.0, -12.0, -22.0, -38.0)
CANNON_RING_S = 3.6


def cannon(
    rng: np.random.Generator,
    strength: float,
    /,
    *,
    distance_m: float | str = 20.0,
    echo: float | str = 0.5,
    **_: float | str,
) -> Mono:
    """Return a cannon: a blast that is over in a fifth of a second, and the land that rolls it back.

    Args:
        rng: Chance.
        strength: Of the charge.
        distance_m: 3 to 5000.
        echo: 0 the open sea, 1 a valley.
    """
    distance = number(distance_m, 3.0, 5000.0, "distance_m")
    valley = number(echo, 0.0, 1.0, "echo")
    length = length_samples(CANNON_RING_S)
    times_s = frame_times_s(length, QUICK_FRAME_SAMPLES)
    course = np.minimum(1.0, times_s / 0.06)
    for late_s in rng.uniform(0.3, 1.6, 3):
        course = course + rng.uniform(0.4, 1.6) * echo_course(times_s, late_s)
    level = 0.05 + 0.13 * valley * min(2.0, (distance / 20.0) ** 0.3)
    rolling = dying(rng, length, VALLEY_DB, (3.4, 3.2, 2.8, 2.3, 1.8, 1.1, 0.6))
    layers = [Layer(x.shape, level * course * x.level) for x in rolling]
    layers += [Layer(x.shape, 0.32 * np.asarray(x.level)) for x in dying(rng, length, CANNON_DB, CANNON_T60_S)]
    sound = layered(rng, length, layers, QUICK_FRAME_SAMPLES) * lumpy(rng, length)
    sound += low_passed(friedlander(0.007 * rng.uniform(0.85, 1.2), length), 5000.0, 1)
    add_at(sound, 0.9 * thud(rng, rng.uniform(44.0, 55.0), 0.4, drop=1.2, noise=0.4), 0)
    heard = low_passed(saturated(sound, 1.8), air_corner_hz(12.0, distance))
    return finished_hit(heard, strength, ring_s=CANNON_RING_S)


# --- what pops -------------------------------------------------------------------------------------------------------

SPEED_OF_SOUND_M_S = 343.0
POP_RING_S = 0.5


def balloon_pop(rng: np.random.Generator, strength: float, /, *, size: float | str = 0.5, **_: float | str) -> Mono:
    """Return something full of air that bursts: an N-wave as long as sound takes through it, and the skin's snap.

    Args:
        rng: Chance.
        strength: How tight it was.
        size: 0 a bubble of gum or a paper bag's corner, 0.5 a balloon of 28 cm, 1 a tyre.
    """
    across_m = 0.06 * (0.8 / 0.06) ** number(size, 0.0, 1.0, "size") * rng.uniform(0.9, 1.1)
    length = length_samples(POP_RING_S)
    wave = np.linspace(1.0, -0.8, max(8, length_samples(across_m / SPEED_OF_SOUND_M_S)))
    sound = np.zeros(length)
    add_at(sound, wave, 0)
    # shreds of the skin whip back faster than sound
    add_at(sound, 0.7 * noise_burst(rng, 0.006, low_hz=1500.0, high_hz=14_000.0), 0)
    add_at(sound, 0.3 * noise_burst(rng, 0.03, low_hz=500.0, high_hz=6000.0), length_samples(0.0006))
    return recorded_hit(rng, sound, strength, ring_s=POP_RING_S, wet=0.6)


RECIPES = (
    HitRecipe(
        "explosion",
        "blasts",
        explosion,
        defaults_of(explosion),
        ring_s=EXPLOSION_RING_S,
        source="Friedlander 1946; 24 recorded explosions",
    ),
    HitRecipe("cannon", "blasts", cannon, defaults_of(cannon), ring_s=CANNON_RING_S, source="Friedlander 1946"),
    HitRecipe(
        "balloon_pop", "blasts", balloon_pop, defaults_of(balloon_pop), ring_s=POP_RING_S, source="Deihl & Roy 2011"
    ),
)
