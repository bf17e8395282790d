"""People heard as a mass, and a baby. Placeholders: who is seen to speak deserves a recording or a neural generator.

Sources: L. Peltola, C. Erkut, P. Cook, V. Valimaki, "Synthesis of hand clapping sounds", IEEE Trans. Audio Speech Lang.
Process. 15, 2007 (claps, rates); G. Peterson, H. Barney, JASA 24, 1952 (vowels).
"""

from __future__ import annotations

import numpy as np

from foley.synth.excitation import Signal, decay, length_samples, low_passed
from foley.synth.finish import character, defaults_of, settled
from foley.synth.recipe import Mono, TextureRecipe
from foley.synth.resonators import resonance
from foley.synth.textures import (
    alive,
    heavy,
    noise,
    reverberant,
    scatter,
    slow_random,
    spectrum,
)
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
    variant: float | str = 0,
    **_: float | str,
) -> Mono:
    """Return applause: everyone claps at a pace of their own, 2.6 to 4.4 times a second, near or far.

    Intensity is how many join in, and how hard they clap.
    """
    hall, count = character("applause", variant), len(intensity)
    total = count + length_samples(ROOM_S)
    duration_s = total / RATE_HZ
    at, levels, which = [], [], []
    power = 0.0
    for _person in range(max(1, int(float(people)))):
        pace_hz, distance_m = hall.uniform(2.6, 4.4), 2.5 + 11 * hall.random() ** 0.7
        gaps = np.maximum(0.5, 1 + 0.06 * rng.standard_normal(int(duration_s * pace_hz * 1.2) + 4)) / pace_hz
        times = (np.cumsum(gaps) - rng.uniform(0, 1 / pace_hz)) * RATE_HZ
        at.append(np.asarray(times, np.int64))
        levels.append(np.exp(rng.normal(0, 0.3, len(times))) / distance_m)
        which.append(
            np.where(rng.random(len(times)) < 0.7, int(hall.integers(CLAPS)), rng.integers(0, CLAPS, len(times)))
        )
        power += pace_hz / distance_m**2
    claps = [clap(hall) for _clap in range(CLAPS)]
    places, loudness, kinds = np.concatenate(at), np.concatenate(levels), np.concatenate(which)
    joined = np.concatenate([np.full(total - count, intensity[0] if count else 0.0), intensity])
    joins = rng.random(len(places)) < 0.15 + 0.85 * joined[np.minimum(np.maximum(places, 0), total - 1)]
    sound = scatter(total, places[joins], loudness[joins], grains=claps, which=kinds[joins])
    energy = float(np.mean([np.dot(each, each) for each in claps]))
    heard = reverberant(rng, sound, ROOM_S, wet=0.8)[total - count :]
    # 1.2: the squares of log-normal levels of 0.3, times 2.4: what the room adds, in which claps overlap
    return settled(heard, np.sqrt(intensity), rms=float(np.sqrt(power / RATE_HZ * energy * 1.2 * 2.4)))


# --- murmur ----------------------------------------------------------------------------------------------------------

VOWELS = ((730, 1090, 2440), (270, 2290, 3010), (300, 870, 2240), (530, 1840, 2480), (640, 1190, 2390))
"""Formants of a man's ah, ee, oo, eh, uh in Hz (Peterson & Barney 1952); women's lie 16 % higher."""
LOOP_S = 4.0
"""Six voices of this length are shared by all speakers, each shifted in time and pitch."""


def _speaker(rng: np.random.Generator, excitement: float) -> Signal:
    """Return 4 s of somebody talking without words, RMS about 1: sliding vowels, syllables, pauses."""
    count = length_samples(LOOP_S)
    man = rng.random() < 0.5
    base_hz = rng.uniform(95.0, 135.0) if man else rng.uniform(180.0, 240.0)
    pitch = base_hz * (1 + 0.9 * excitement) * np.exp(0.14 * slow_random(rng, count, 2.5, 2))
    source = buzz(rng, pitch, Throat(900.0 + 1500.0 * excitement)) + 0.06 * rng.standard_normal(count)
    syllables_hz = rng.uniform(3.2, 5.5)
    talking = np.maximum(0, 0.8 * slow_random(rng, count, syllables_hz) + 0.35)
    phrase = np.clip(0.6 + slow_random(rng, count, 0.5), 0, 1)
    slide = 1 / (1 + np.exp(-3 * slow_random(rng, count, syllables_hz)))
    first, second = rng.choice(len(VOWELS), 2, replace=False)
    scale = 1.0 if man else 1.16
    sound = (
        (mouth(source, _vowel(first), scale=scale) * slide + mouth(source, _vowel(second), scale=scale) * (1 - slide))
        * talking
        * phrase
    )
    return np.asarray(sound / (np.sqrt(np.mean(sound**2)) + 1e-6), np.float64)


def _vowel(number: int) -> tuple[Formant, ...]:
    return tuple(
        Formant(hz, width, gain)
        for hz, width, gain in zip(VOWELS[number], (90, 110, 170), (1.0, 0.5, 0.25), strict=True)
    )


def _murmur(
    rng: np.random.Generator, room: np.random.Generator, count: int, *, people: int, excitement: float
) -> Signal:
    """Return many people talking at once in a room, expected RMS 1."""
    voices = [_speaker(room, excitement) for _voice in range(min(people, 6))]
    total = count + length_samples(ROOM_S)
    sound, power = np.zeros(total), 0.0
    for person in range(people):
        level = room.uniform(0.3, 1.0) / (1 + 0.06 * person)
        voice = voices[person % len(voices)]
        pace = room.uniform(0.92, 1.08)
        own = np.interp(np.arange(int(len(voice) / pace)) * pace, np.arange(len(voice)), voice)
        edge = length_samples(0.05)
        own[:edge] *= np.linspace(0, 1, edge)
        own[-edge:] *= np.linspace(1, 0, edge)
        sound += level * np.resize(np.roll(own, int(rng.integers(len(own)))), total)
        power += level**2
    heard = reverberant(rng, sound, ROOM_S, wet=0.8, corner_hz=3500.0)[total - count :]
    return np.asarray(heard / np.sqrt(power * 1.64), np.float64)


def walla(
    rng: np.random.Generator,
    intensity: Mono,
    /,
    *,
    people: float | str = 14,
    variant: float | str = 0,
    **_: float | str,
) -> Mono:
    """Return the murmur of people talking, no word to be understood. A placeholder: keep it low."""
    sound = _murmur(
        rng, character("walla", variant), len(intensity), people=max(1, int(float(people))), excitement=0.25
    )
    return settled(low_passed(sound, 4500.0, 1), intensity, rms=1.45)


ROAR = spectrum({80: -26, 250: -10, 600: -2, 1100: 0, 2200: -4, 4500: -12, 10000: -24})


def crowd(rng: np.random.Generator, intensity: Mono, /, *, variant: float | str = 0, **_: float | str) -> Mono:
    """Return a crowd: excited voices over the roar of those far off, which grows with intensity. A placeholder."""
    count = len(intensity)
    near = _murmur(rng, character("crowd", variant), count, people=16, excitement=0.7)
    roar = alive(rng, noise(rng, count, ROAR) * np.maximum(0.3, 1 + 0.2 * slow_random(rng, count, 2.0, 2)), 1.2)
    drive = np.asarray(intensity, np.float64)
    return settled(near * (1 - 0.4 * drive) + roar * (0.3 + 0.7 * drive), intensity, rms=1.2)


# --- baby ------------------------------------------------------------------------------------------------------------

BABBLE = (Formant(1000, 220, 1.0), Formant(1700, 300, 0.8), Formant(3100, 450, 0.5), Formant(5000, 900, 0.2))
VOICE_SHARE_HZ = 0.65
"""Utterances a second: there are pauses for breath."""


def _utterance(rng: np.random.Generator, baby: np.random.Generator, fuss: float) -> Signal:
    """Return one coo (fuss 0) or wail (1), RMS about 1."""
    count = length_samples(rng.uniform(0.25, 0.6) + 0.5 * fuss)
    part = np.linspace(0, 1, count)
    vibrato = 1 + 0.015 * np.sin(2 * np.pi * 6.0 * part * count / RATE_HZ)
    pitch = rng.uniform(0.9, 1.1) * (300.0 + 130.0 * fuss) * (0.75 + 0.35 * np.sin(np.pi * part) ** 0.6) * vibrato
    source = buzz(rng, np.asarray(pitch, np.float64), Throat(1500.0 + 3000.0 * fuss, rough=0.15 * fuss))
    sound = mouth(source + 0.05 * rng.standard_normal(count), BABBLE, scale=baby.uniform(0.97, 1.03))
    sound = sound * np.minimum(1, part / 0.12) * np.minimum(1, (1 - part) / 0.2)
    return np.asarray(sound / np.sqrt(np.mean(sound**2)), np.float64)


def baby_voice(
    rng: np.random.Generator, intensity: Mono, /, *, fuss: float | str = 0.3, variant: float | str = 0, **_: float | str
) -> Mono:
    """Return a baby: coos at `fuss` 0, wails at 1. A placeholder, told from a real one at once."""
    count, baby = len(intensity), character("baby_voice", variant)
    calls = [_utterance(rng, baby, float(np.clip(float(fuss), 0, 1))) for _call in range(6)]
    longest = max(len(call) for call in calls)
    gaps = rng.uniform(0.7, 1.3, int((count + 2 * longest) * VOICE_SHARE_HZ / RATE_HZ * 1.5) + 2) / VOICE_SHARE_HZ
    at = np.asarray(np.cumsum(gaps) * RATE_HZ, np.int64) - longest
    levels = heavy(rng, len(at), 0.25)
    which = rng.integers(0, len(calls), len(at))
    sound = reverberant(rng, scatter(count, at, levels, grains=calls, which=which), 0.3, wet=0.2)
    share = VOICE_SHARE_HZ * float(np.mean([len(call) for call in calls])) / RATE_HZ
    return settled(sound, intensity, rms=1.07 * float(np.sqrt(share)))


RECIPES = (
    TextureRecipe("applause", "people", applause, defaults_of(applause), "Peltola et al. 2007"),
    TextureRecipe("walla", "people", walla, defaults_of(walla), "Peterson & Barney 1952"),
    TextureRecipe("crowd", "people", crowd, defaults_of(crowd), "Peterson & Barney 1952"),
    TextureRecipe("baby_voice", "people", baby_voice, defaults_of(baby_voice), "Fant 1960"),
)
