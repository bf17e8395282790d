"""People heard as a mass: applause, murmur, a cheering crowd.

Murmur and crowd are stand-ins: who is seen to speak deserves a recording or a neural generator.

Sources: L. Peltola, C. Erkut, P. Cook, V. Valimaki, "Synthesis of hand clapping sounds", IEEE Trans. Audio Speech Lang.
Process. 15, 2007 (claps, rates); G. Peterson, H. Barney, JASA 24, 1952 (vowels).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.fft import irfft, next_fast_len, rfft

from foley.products import energy as energy_of
from foley.synth.calls import far_off
from foley.synth.excitation import Signal, decay, length_samples, low_passed
from foley.synth.finish import character, defaults_of, number, settled
from foley.synth.materials import CERAMIC, GLASS, STEEL, body, struck
from foley.synth.recipe import Mono, TextureRecipe
from foley.synth.resonators import resonance
from foley.synth.textures import heavy, noise, scatter, shower, slow_gain, slow_random, spectrum, unit_energy
from foley.synth.voice import Formant, Throat, buzz, mouth
from foley.units import RATE_HZ

# --- applause --------------------------------------------------------------------------------------------------------

CLAPS = 60
"""Different claps: hands, and how they are held."""
ROOM_S = 1.0


def clap(rng: np.random.Generator) -> Signal:
    """Return one clap, peak 1: a millisecond of contact, the hollow between the palms at 650 to 2300 Hz."""
    hollow_hz = float(np.exp(rng.uniform(np.log(650.0), np.log(2300.0))))
    count = length_samples(0.06)
    rise = np.minimum(1, np.arange(count) / (0.0006 * RATE_HZ))
    push = rng.standard_normal(count) * decay(count, rng.uniform(0.012, 0.028)) * rise
    sound = (
        0.8 * resonance(push, hollow_hz, rng.uniform(1.2, 3.0))
        + 0.25 * resonance(push, 2.6 * hollow_hz, 1.5)
        + 0.12 * push
    )
    return np.asarray(sound / np.abs(sound).max(), np.float64)


def applause(
    rng: np.random.Generator,
    intensity: Mono,
    /,
    *,
    people: float | str = 60,
    together: float | str = 0.0,
    variant: float | str = 0,
    **_: float | str,
) -> Mono:
    """Return applause: everyone claps at a pace of their own, 2.6 to 4.4 times a second, near or far.

    Args:
        rng: Chance.
        intensity: How many join in, and how hard they clap.
        people: 1 to 300.
        together: 0 each alone to 1 in one rhythm, as an audience that wants an encore.
        variant: Another audience.
    """
    hall, count = character("applause", variant), len(intensity)
    share, total = number(together, 0.0, 1.0, "together"), count + length_samples(ROOM_S)
    crowd_hz = hall.uniform(2.0, 2.5)  # who claps together claps at half the pace (Neda et al., Nature 403, 2000)
    at, levels, which = [], [], []
    power = 0.0
    for _person in range(round(number(people, 1.0, 300.0, "people"))):
        pace_hz, distance_m = hall.uniform(2.6, 4.4), 2.5 + 11 * hall.random() ** 0.7
        pace_hz += share * (crowd_hz - pace_hz)
        times = _claps_at(rng, total, pace_hz, share)
        at.append(times)
        levels.append(np.exp(rng.normal(0, 0.3, len(times))) / distance_m)
        own = int(hall.integers(CLAPS))
        which.append(np.where(rng.random(len(times)) < 0.7, own, rng.integers(0, CLAPS, len(times))))
        power += pace_hz / distance_m**2
    claps = [clap(hall) for _clap in range(CLAPS)]
    places, loudness, kinds = np.concatenate(at), np.concatenate(levels), np.concatenate(which)
    joined = np.concatenate([np.full(total - count, intensity[0] if count else 0.0), intensity])
    joins = rng.random(len(places)) < 0.15 + 0.85 * joined[np.clip(places, 0, total - 1)]
    sound = scatter(total, places[joins], loudness[joins], grains=claps, which=kinds[joins])
    energy = float(np.mean([energy_of(each) for each in claps]))
    heard = far_off(rng, sound, ROOM_S, wet=0.8)[total - count :]
    # 1.2: the squares of log-normal levels of 0.3, times 2.4: what the room adds, in which claps overlap
    return settled(heard, np.sqrt(intensity), rms=float(np.sqrt(power / RATE_HZ * energy * 1.2 * 2.4)))


def _claps_at(rng: np.random.Generator, total: int, pace_hz: float, together: float) -> npt.NDArray[np.int64]:
    """Return when one person claps; together all keep to one beat, which no one hits within 20 ms."""
    beats = int(total / RATE_HZ * pace_hz * 1.2) + 4
    gaps = np.maximum(0.5, 1 + 0.06 * (1.0 - together) * rng.standard_normal(beats)) / pace_hz
    times = np.cumsum(gaps) - rng.uniform(0, 1 / pace_hz) * (1.0 - together)
    return np.asarray((times + together * rng.normal(0.0, 0.02, beats)) * RATE_HZ, np.int64)


# --- murmur ----------------------------------------------------------------------------------------------------------

VOWELS = ((730, 1090, 2440), (270, 2290, 3010), (300, 870, 2240), (530, 1840, 2480), (640, 1190, 2390))
"""Formants of a man's ah, ee, oo, eh, uh in Hz (Peterson & Barney 1952); women's lie 16 % higher."""
COARSE = 3
"""A murmur has nothing above 6 kHz: its voices are made at a third of the rate, in which all pitches are three times
as high, and brought to the full rate together."""


@dataclass(frozen=True, slots=True)
class Talk:
    """How people talk."""

    excitement: float
    """0 calm to 1 shouting: higher, brighter, longer vowels."""
    utterances: int = 20
    """Different ones, shared by all."""
    pause_s: float = 0.5
    people: int = 14


def _utterance(rng: np.random.Generator, excitement: float) -> Signal:
    """Return a second or so of talk without words at a third of the rate, RMS 1: vowels that slide, syllables."""
    count = length_samples(rng.uniform(0.6, 1.8)) // COARSE
    man = rng.random() < 0.5
    base_hz = rng.uniform(95.0, 135.0) if man else rng.uniform(180.0, 240.0)
    falling = np.linspace(1.12, 0.9, count)
    melody = np.exp(0.12 * slow_random(rng, count, 2.5 * COARSE, 2))
    pitch = COARSE * base_hz * (1 + 0.9 * excitement) * falling * melody
    source = buzz(rng, pitch, Throat(COARSE * (900.0 + 1500.0 * excitement))) + 0.06 * rng.standard_normal(count)
    syllables_hz = COARSE * rng.uniform(3.2, 5.5) * (1 - 0.5 * excitement)
    talking = np.maximum(0.0, 0.8 * slow_random(rng, count, syllables_hz) + 0.45)
    slide = 1 / (1 + np.exp(-3 * slow_random(rng, count, syllables_hz)))
    first, second = rng.choice(len(VOWELS), 2, replace=False)
    scale = COARSE * (1.0 if man else 1.16)
    one, other = mouth(source, _vowel(first), scale=scale), mouth(source, _vowel(second), scale=scale)
    edge = np.minimum(1.0, 12.0 * np.minimum(falling - 0.9, 1.12 - falling) / 0.22)
    sound = (other + slide * (one - other)) * talking * edge
    return np.asarray(sound / (np.sqrt(np.mean(sound**2)) + 1e-6), np.float64)


def _vowel(which: int) -> tuple[Formant, ...]:
    """Return a man's vowel; its bandwidths too are those of the third of the rate once they are scaled."""
    rows = zip(VOWELS[which], (90, 110, 170), (1.0, 0.5, 0.25), strict=True)
    return tuple(Formant(hz, width, gain) for hz, width, gain in rows)


def _murmur(rng: np.random.Generator, room: np.random.Generator, count: int, talk: Talk) -> Signal:
    """Return many people talking at once in a room, expected RMS 1."""
    pool = [_utterance(room, talk.excitement) for _spoken in range(talk.utterances)]
    total = -(-(count + length_samples(ROOM_S)) // COARSE)
    mean = float(np.mean([len(each) for each in pool])) + talk.pause_s * RATE_HZ / COARSE
    at, levels, which, power = [], [], [], 0.0
    for person in range(talk.people):
        level = room.uniform(0.3, 1.0) / (1 + 0.06 * person)
        times = np.cumsum(rng.uniform(0.7, 1.3, int(total / mean * 1.3) + 5) * mean) - 3 * mean * rng.uniform(0.6, 1)
        at.append(np.asarray(times, np.int64))
        levels.append(level * heavy(rng, len(times), 0.25))
        which.append((person * 5 + rng.integers(0, 5, len(times))) % talk.utterances)  # a person's own five
        power += level**2 * 1.13
    sound = scatter(
        total, np.concatenate(at), np.concatenate(levels), grains=pool, which=np.concatenate(which).astype(np.int64)
    )
    # all that the room does is three times as high and short here, as the voices are
    heard = far_off(rng, sound, ROOM_S / COARSE, wet=0.6, corner_hz=COARSE * 3500.0)
    talking = 1.0 - talk.pause_s * RATE_HZ / COARSE / mean
    heard /= np.sqrt(power * talking * (1 + 0.36 * ROOM_ANSWER))
    return _refined(heard)[-count:] if count else np.zeros(0)


ROOM_ANSWER = 2.0
"""The room's answer is low-passed: what it holds lies where voices do, so they get this much more of it."""


def _refined(coarse: Signal) -> Signal:
    """Return the sound at the full rate: its spectrum with nothing above."""
    size = next_fast_len(len(coarse), real=True)
    bins = rfft(coarse.astype(np.float32), size)
    return np.asarray(COARSE * irfft(bins, COARSE * size)[: COARSE * len(coarse)], np.float64)


def walla(
    rng: np.random.Generator,
    intensity: Mono,
    /,
    *,
    people: float | str = 14,
    variant: float | str = 0,
    **_: float | str,
) -> Mono:
    """Return the murmur of `people` (1 to 60) talking, no word to be understood. A stand-in: keep it low."""
    talk = Talk(0.2, people=round(number(people, 1.0, 60.0, "people")))
    sound = _murmur(rng, character("walla", variant), len(intensity), talk)
    return settled(low_passed(sound, 4500.0, 1), intensity, rms=0.97)


CLINKS_HZ = 0.9
"""Of the cutlery in a restaurant, for every ten guests."""


def restaurant(
    rng: np.random.Generator,
    intensity: Mono,
    /,
    *,
    people: float | str = 12,
    variant: float | str = 0,
    **_: float | str,
) -> Mono:
    """Return a restaurant of `people` (1 to 60): quiet talk, and cutlery on plates and glasses some way off."""
    guests, place, count = round(number(people, 1.0, 60.0, "people")), character("restaurant", variant), len(intensity)
    talk = low_passed(_murmur(rng, place, count, Talk(0.05, 20, people=guests)), 3800.0, 1)
    things = [body(place, material, size=0.3, ring=0.4) for material in (CERAMIC, GLASS, STEEL)]
    clinks = unit_energy([low_passed(struck(place, thing, 0.5), 6000.0, 1) for thing in things])
    rate_hz = CLINKS_HZ * guests / 10
    clatter = shower(
        rng, count, clinks, rate_hz=rate_hz, sigma=0.8, curve=0.3 + 0.7 * np.asarray(intensity, np.float64)
    )
    return settled(talk + 0.35 * clatter, intensity, rms=1.02)


ROAR = spectrum({80: -26, 250: -10, 600: -2, 1100: 0, 2200: -4, 4500: -12, 10000: -24})
CHEERS = Talk(0.75, 12, 0.3, 16)


def crowd(
    rng: np.random.Generator,
    intensity: Mono,
    /,
    *,
    size: float | str = 0.7,
    variant: float | str = 0,
    **_: float | str,
) -> Mono:
    """Return a crowd: excited voices before the roar of those far off, which takes over with intensity. A stand-in.

    `size` is 0 for a group of friends to 1 for a stadium.
    """
    large, count = number(size, 0.0, 1.0, "size"), len(intensity)
    near = _murmur(rng, character("crowd", variant), count, CHEERS)
    # thousands of voices are noise; each of them breathes, so the mass flutters
    roar = noise(rng, count, ROAR) * slow_gain(rng, count, 1.6, rate_hz=0.5, octaves=5)
    drive = np.asarray(intensity, np.float64)
    far = large * (0.4 + 0.6 * drive)
    return settled(near * np.sqrt(1 - far * far) + roar * far, intensity, rms=1.05)


RECIPES = (
    TextureRecipe("applause", "people", applause, defaults_of(applause), "Peltola et al. 2007"),
    TextureRecipe("walla", "people", walla, defaults_of(walla), "Peterson & Barney 1952"),
    TextureRecipe("restaurant", "people", restaurant, defaults_of(restaurant), "Peterson & Barney 1952"),
    TextureRecipe("crowd", "people", crowd, defaults_of(crowd), "Peterson & Barney 1952"),
)
