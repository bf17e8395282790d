"""What places are made of: rooms' air, leaves, traffic, murmur, birds far off, machines at work behind walls.

Each part is either layers of a noise, made together in one pass by `moving.layered`, or small sounds that fall in it.
Levels per ERB band: medians of recorded room tones (10), nights (15) and birdsong without the birds (25).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from foley.products import energy
from foley.synth.excitation import Signal, decay, length_samples, low_passed, noise_burst
from foley.synth.finish import character
from foley.synth.moving import Layer, frame_times_s, lively, slow_frames
from foley.synth.resonators import ring_modes, thud
from foley.synth.songs import SPECIES
from foley.synth.textures import erb_spectrum, heavy, poisson, scatter, spectrum, tinted
from foley.units import RATE_HZ

# --- air -------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Air:
    """The sound of a place where nothing happens."""

    levels_db: tuple[float, ...]
    """Ten levels from 50 Hz to 10 kHz, even on the ERB scale."""
    hum: float = 0.0
    """RMS of the mains' hum re the air's."""
    life_db: float = 0.5
    """How much its bands swell."""
    settling_hz: float = 0.0
    """Ticks and creaks a second, of wood and pipes that settle: quiet rooms have some every few seconds."""


AIR = {
    "interior": Air((0, -7, -15, -20, -31, -34, -36, -39, -41, -41), 0.30, 2.0, settling_hz=1.5),
    "kitchen": Air((0, -4, -11, -16, -22, -27, -31, -34, -37, -40), 0.45, 0.8, settling_hz=1.5),
    "office": Air((0, -4, -9, -15, -23, -28, -32, -36, -39, -40), 0.30, 2.0, settling_hz=1.0),
    "workshop": Air((0, -3, -7, -11, -16, -20, -24, -28, -32, -36), 0.30, 0.7, settling_hz=0.6),
    "basement": Air((0, -11, -21, -30, -38, -43, -46, -48, -49, -49), 0.30, 2.0, settling_hz=0.7),
    "hall": Air((0, -5, -9, -13, -18, -23, -28, -32, -37, -42)),
    "field": Air((0, -9, -13, -14, -16, -19, -22, -23, -25, -27), life_db=1.2),
    "cabin": Air((0, -2, -5, -9, -13, -18, -24, -30, -36, -42), 0.05, 0.7),
    "city": Air((0, -3, -6, -9, -12, -16, -20, -25, -31, -38), life_db=1.2),
    "forest": Air((-6, -12, -15, -16, -16, -15, -14, -14, -15, -18), life_db=1.2),
    "jungle": Air((-8, -12, -14, -14, -13, -12, -10, -9, -10, -13), life_db=1.4),
    "night": Air((0, -12, -14, -15, -16, -18, -18, -24, -24, -20), life_db=1.8),
    "plant": Air((-2, 0, -3, -6, -9, -12, -16, -20, -25, -30), 0.35, 0.8),
    "underwater": Air((0, -3, -8, -15, -23, -32, -42, -52, -60, -66), life_db=1.5),
}


def air(
    rng: np.random.Generator, place: np.random.Generator, count: int, kind: str, *, level: Signal | float = 1.0
) -> list[Layer]:
    """Return the layers of a place's air; expected RMS `level`."""
    calm = AIR[kind]
    drift = np.exp(0.06 * slow_frames(rng, count, 0.2, 2))  # 0.06 nepers are half a decibel
    colour = tinted(erb_spectrum(calm.levels_db), place, 1.5)
    return lively(rng, count, colour, calm.life_db, common=0.5, level=level * drift)


HUM = ((1, 0.4), (2, 1.0), (3, 0.25), (4, 0.5), (6, 0.3), (8, 0.12))
"""Harmonics of the mains and their levels: transformers and ballasts hum at twice the mains' frequency."""


def add_hum(sound: Signal, place: np.random.Generator, level: float) -> None:
    """Add the mains' hum of a building to a sound itself, at an RMS: one period, over and over."""
    mains_hz = 50 if place.random() < 0.5 else 60
    angle = 2 * np.pi * np.arange(RATE_HZ // mains_hz) * mains_hz / RATE_HZ
    period = sum(level * np.sin(harmonic * angle + 2 * np.pi * place.random()) for harmonic, level in HUM)
    period = level * np.sqrt(2.0) / 1.1 * period  # 1.1: the RMS of the six harmonics together
    whole = len(sound) // len(period) * len(period)
    sound[:whole].reshape(-1, len(period))[:] += period
    sound[whole:] += period[: len(sound) - whole]


def add_settling(
    sound: Signal, rng: np.random.Generator, place: np.random.Generator, *, rate_hz: float, level: float
) -> None:
    """Add ticks of wood and pipes to a sound itself, peaks about `level`: what recorded rooms have and noise lacks."""
    count = len(sound)
    at = poisson(rng, count, rate_hz, before=length_samples(0.06))
    if not len(at):
        return
    ticks = []
    for pitch_hz in np.exp(place.uniform(np.log(500.0), np.log(5000.0), 6)).tolist():
        modes_hz = pitch_hz * np.array([1.0, 1.7, 2.6])
        tick = ring_modes(modes_hz, np.array([0.02, 0.012, 0.008]), np.array([1.0, 0.6, 0.4]), length_samples(0.05))
        ticks.append(tick + 0.3 * noise_burst(rng, 0.05, low_hz=pitch_hz, high_hz=3 * pitch_hz)[: len(tick)])
    levels = level * heavy(rng, len(at), 0.9)
    scatter(count, at, levels, grains=ticks, which=rng.integers(0, len(ticks), len(at)), onto=sound)


# --- what moves in it ------------------------------------------------------------------------------------------------

FOLIAGE = spectrum({200: -30, 1000: -14, 3000: -2, 6000: 0, 12000: -8})


def leaves(rng: np.random.Generator, count: int, level: float) -> list[Layer]:
    """Return foliage in a light wind."""
    swell = np.exp(0.35 * slow_frames(rng, count, 0.3, 3))
    return lively(rng, count, FOLIAGE, 1.0, common=0.7, rate_hz=2.0, level=level * swell)


TRAFFIC = spectrum({40: -6, 120: 0, 400: -2, 900: 0, 2000: -8, 5000: -20, 14000: -40})
NEAR_TRAFFIC = spectrum({40: -8, 120: -2, 400: -2, 900: 0, 2000: -5, 5000: -13, 14000: -28})


def traffic(
    rng: np.random.Generator, count: int, level: float, *, cars_hz: float, distance_m: tuple[float, float]
) -> list[Layer]:
    """Return vehicles that pass, the near ones brighter; a stretch begins among those that have passed before.

    Args:
        rng: Chance.
        count: Samples.
        level: RMS of one at 18 m.
        cars_hz: Cars a second.
        distance_m: Range of the distance at which they pass.
    """
    times_s = frame_times_s(count)
    far, near = np.zeros(len(times_s)), np.zeros(len(times_s))
    # 20 s: the slowest car that is still heard took as long to fade
    for at in poisson(rng, count, cars_hz, before=20 * RATE_HZ).tolist():
        speed_m_s, lane_m = rng.uniform(8.0, 16.0), rng.uniform(*distance_m)
        range_m = np.hypot(lane_m, speed_m_s * (times_s - at / RATE_HZ - 4.0))
        loud = rng.lognormal(0.0, 0.25) * (18.0 / range_m) ** 2
        far += loud
        near += loud * np.minimum(1.0, 12.0 / range_m)
    return [Layer(TRAFFIC, level * np.sqrt(far)), Layer(NEAR_TRAFFIC, 0.7 * level * np.sqrt(near))]


FORMANTS_HZ = ((320.0, 620.0), (750.0, 1300.0), (1500.0, 2300.0), (2400.0, 3300.0))
"""Where vowels have their energy."""
TALKERS = 5
"""Envelopes that still can be told apart in a murmur."""


def murmur(rng: np.random.Generator, place: np.random.Generator, count: int, level: float) -> list[Layer]:
    """Return people who talk out of earshot: vowels' bands that open four times a second, no word to be understood."""
    layers = []
    for talker in range(TALKERS):
        turn = np.clip(0.4 + 0.8 * slow_frames(rng, count, 0.35), 0.0, 1.4)
        syllables = np.exp(0.75 * slow_frames(rng, count, place.uniform(7.0, 10.0)))
        near = 0.45 * 0.85**talker * level
        for (low_hz, high_hz), share in zip(FORMANTS_HZ, (1.0, 0.55, 0.25, 0.12), strict=True):
            hz = place.uniform(low_hz, high_hz)
            vowel = spectrum({hz / 3: -30.0, hz / 1.2: 0.0, hz * 1.2: 0.0, hz * 3: -34.0})
            moving = np.exp(0.5 * slow_frames(rng, count, 5.0))
            layers.append(Layer(vowel, near * share * turn * syllables * moving))
    return layers


GROVE_T60_S = 0.9
REPERTOIRE = 3
"""Phrases of one bird in one stretch."""


def birds_far_off(
    rng: np.random.Generator, count: int, *, kinds: tuple[str, ...], busy: float, grove: str, variant: float | str
) -> Signal:
    """Return birds some way off, each with phrases of its own, dulled and smeared by the trees; peaks below 1.

    Args:
        rng: Chance.
        count: Samples.
        kinds: Of `SPECIES`, one for each bird, the nearest first.
        busy: How often they sing, re how often they do.
        grove: Which recipe's place it is.
        variant: Which of its places.
    """
    sound = np.zeros(count)
    for number, kind in enumerate(kinds):
        phrases = _repertoire(kind, number, grove, str(variant))
        longest = max(len(phrase) for phrase in phrases)
        at = poisson(rng, count, busy * SPECIES[kind].phrases_hz, before=longest)
        levels = rng.uniform(0.4, 1.0, len(at))
        sound += scatter(count, at, levels, grains=phrases, which=rng.integers(0, len(phrases), len(at)))
    return sound


@lru_cache(maxsize=8)
def _repertoire(kind: str, number: int, grove: str, variant: str) -> tuple[Signal, ...]:
    """Return the phrases of one bird, as the trees let them through.

    They are the same for every window of an event, and cost more than the rest of it: the last few birds are kept.
    """
    from scipy.signal import oaconvolve

    bird, chance = SPECIES[kind], character(f"{grove} bird {number}", variant)
    length = length_samples(GROVE_T60_S)
    trees = low_passed(chance.standard_normal(length) * decay(length, GROVE_T60_S), 4500.0, 1)
    trees *= 0.5 / math.sqrt(energy(trees))
    trees[0] += 0.6
    song = bird.phrases[int(chance.integers(len(bird.phrases)))]
    base_hz = float(np.exp(chance.uniform(np.log(bird.low_hz), np.log(bird.high_hz))))
    near = 0.75**number
    phrases = []
    for _phrase in range(REPERTOIRE):
        dry = low_passed(song(chance, base_hz), 3000.0 + 5000.0 * near, 1)
        heard = np.asarray(oaconvolve(dry, trees), np.float64)
        phrases.append(near / (np.abs(heard).max() + 1e-9) * heard)
    return tuple(phrases)


# --- machines behind walls -------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Machine:
    """A machine that works in strokes."""

    strokes_hz: tuple[float, float]
    thud_hz: float
    thud: float
    clang: float
    hiss: float
    ring_s: float = 0.35


PRESSES = (
    Machine((0.5, 0.9), 55.0, 1.0, 0.25, 0.25),
    Machine((1.4, 2.4), 120.0, 0.35, 0.35, 0.0),
    Machine((3.5, 6.0), 210.0, 0.12, 0.22, 0.06, 0.15),
)


def strokes(rng: np.random.Generator, place: np.random.Generator, count: int, machine: Machine, t60_s: float) -> Signal:
    """Return a machine at work in a large room, peaks about 1: even strokes, each a little different."""
    from scipy.signal import oaconvolve

    room = length_samples(t60_s)
    answer = low_passed(place.standard_normal(room) * decay(room, t60_s), 2500.0, 1)
    answer *= 0.4 / math.sqrt(energy(answer))
    answer[0] += 0.5
    modes_hz = np.exp(place.uniform(np.log(300.0), np.log(4200.0), 14))
    grains = []
    for _take in range(4):
        stroke = np.zeros(length_samples(machine.ring_s))
        clang = ring_modes(modes_hz, 0.25 * (modes_hz / 800.0) ** -0.5, rng.normal(0, 0.3, 14), len(stroke))
        for part, level in (
            (thud(rng, machine.thud_hz, 0.12), machine.thud),
            (clang, 0.4 * machine.clang),
            (noise_burst(rng, 0.3, low_hz=1500.0, high_hz=6000.0), machine.hiss),
        ):
            fits = min(len(part), len(stroke))
            stroke[:fits] += level * part[:fits]
        grains.append(np.asarray(oaconvolve(stroke, answer), np.float64))
    period = RATE_HZ / place.uniform(*machine.strokes_hz)
    longest = len(grains[0])
    beats = np.arange(-longest / period - 1, count / period + 1) + rng.random()
    at = np.asarray((beats + rng.normal(0.0, 0.012, len(beats))) * period, np.int64)
    levels = np.exp(rng.normal(0.0, 0.12, len(at)))
    return scatter(count, at, levels, grains=grains, which=rng.integers(0, len(grains), len(at)))
