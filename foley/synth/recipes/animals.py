"""Animals. Good in the background; a close, long look at one deserves a recording or a neural generator.

Figures: band levels and decays of 249 recorded barks; pitch ranges of songs and calls from field guides.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from foley.synth.excitation import Signal, high_passed, length_samples, low_passed
from foley.synth.finish import character, defaults_of, finished_hit, settled
from foley.synth.recipe import HitRecipe, Mono, TextureRecipe
from foley.synth.textures import (
    cycles,
    erb_spectrum,
    noise,
    reverberant,
    scatter,
    slow_random,
    spectrum,
    turns,
)
from foley.synth.voice import Formant, Throat, buzz, mouth
from foley.units import RATE_HZ

# --- dog -------------------------------------------------------------------------------------------------------------

SHUT = (Formant(480, 200, 1.0), Formant(950, 280, 0.5), Formant(2100, 500, 0.12), Formant(3400, 900, 0.05))
WIDE = (Formant(880, 260, 1.0), Formant(1350, 320, 0.9), Formant(2500, 600, 0.30), Formant(3900, 1100, 0.10))
BARK_RING_S = 0.42


def dog_bark(
    rng: np.random.Generator, strength: float, /, *, size: float | str = 0.5, variant: float | str = 0, **_: float | str
) -> Mono:
    """Return one bark: size 0 a lap dog (880 Hz), 1 a large one (300 Hz).

    Pitch and mouth rise and fall together over 0.1 to 0.3 s; breath is strongest at the start; large dogs are rough.
    """
    big, dog = float(np.clip(float(size), 0.0, 1.0)), character("dog_bark", variant)
    top_hz = (
        float(np.interp(big, [0.0, 1.0], [880.0, 300.0])) * dog.uniform(0.88, 1.14) * float(np.exp(rng.normal(0, 0.05)))
    )
    length_s = rng.uniform(0.12, 0.19) * (1 + 0.3 * big)
    count = length_samples(length_s + 0.1)
    t_s = np.arange(count) / RATE_HZ
    part = np.clip(t_s / length_s, 0, 1)
    pitch = top_hz * (0.6 + 0.4 * np.sin(np.pi * np.clip(0.8 * part + 0.15, 0, 1)) ** 0.5) * (1 - 0.18 * part)
    throat = Throat(2.2 * top_hz, shimmer=0.08, rough=0.05 + 0.12 * dog.random() * big)
    voice = buzz(rng, np.asarray(pitch, np.float64), throat)
    breath = high_passed(rng.standard_normal(count), 300.0, 1)
    source = voice + (dog.uniform(0.06, 0.15) + 0.12 * big + 0.4 * np.exp(-t_s / 0.012)) * breath
    scale = float(np.interp(big, [0.0, 1.0], [1.3, 0.85])) * dog.uniform(0.94, 1.06)
    opening = np.sin(np.pi * np.clip(0.25 + 0.75 * part, 0, 1)) ** 0.7
    # a deep voice's periods are long: larger heads ring through them
    ring = 1 + 1.2 * big
    sound = mouth(source, SHUT, scale=scale, ring=ring) * (1 - opening)
    sound += mouth(source, WIDE, scale=scale, ring=ring) * opening
    # 12 ms: the mouth opens with the voice, and what is seen must be heard at once
    attack = np.minimum(1, t_s / 0.012)
    release = np.where(part < 1, 1 - 0.35 * part, 0.65 * np.exp(-(t_s - length_s) / 0.02))
    sound = low_passed(sound * attack * release, 5200.0, 1)
    sound = np.tanh(1.5 * sound / np.abs(sound).max())
    return finished_hit(
        reverberant(rng, np.append(sound, np.zeros(7000)), 0.25, wet=0.10), strength, ring_s=BARK_RING_S
    )


# --- sheep, rooster --------------------------------------------------------------------------------------------------

BLEAT = (Formant(620, 160, 1.0), Formant(1350, 220, 0.8), Formant(2500, 320, 0.5), Formant(3600, 500, 0.25))
CROW = (Formant(850, 260, 1.0), Formant(1700, 320, 0.8), Formant(2600, 420, 0.4), Formant(4200, 900, 0.12))
CROW_SYLLABLES = ((0.16, 480, 620, 0.7), (0.10, 620, 600, 0.6), (0.26, 640, 830, 0.9), (0.85, 860, 560, 1.0))
"""Cock-a-doodle-doo: duration (s), pitch from and to (Hz), level."""


def sheep_bleat(
    rng: np.random.Generator, strength: float, /, *, low: float | str = 0.5, variant: float | str = 0, **_: float | str
) -> Mono:
    """Return one bleat, which trembles: `low` 0 is a lamb (330 Hz), 1 a ram (170 Hz). A weak recipe."""
    sheep = character("sheep_bleat", variant)
    length_s = rng.uniform(0.6, 1.0)
    count = length_samples(length_s)
    t_s = np.arange(count) / RATE_HZ
    tremble = np.cos(2 * np.pi * sheep.uniform(7.0, 11.0) * t_s)
    base_hz = float(np.interp(float(low), [0.0, 1.0], [330.0, 170.0])) * sheep.uniform(0.9, 1.1)
    pitch = base_hz * (1 + 0.05 * tremble) * (1 - 0.12 * t_s / length_s)
    source = buzz(rng, np.asarray(pitch, np.float64), Throat(3500.0, jitter=0.012, rough=0.2)) * (1 + 0.3 * tremble)
    source += 0.22 * rng.standard_normal(count)
    envelope = np.minimum(1, t_s / 0.015) * np.minimum(1, (length_s - t_s) / 0.15) * (1 - 0.3 * t_s / length_s)
    return finished_hit(mouth(source, BLEAT) * envelope, strength, ring_s=1.0)


def rooster(rng: np.random.Generator, strength: float, /, *, variant: float | str = 0, **_: float | str) -> Mono:
    """Return one crow of four syllables, the last long and falling. A weak recipe: recognised, not believed."""
    bird = character("rooster", variant)
    scale = float(np.exp(bird.normal(0, 0.1)))
    parts: list[Signal] = []
    for length_s, from_hz, to_hz, level in CROW_SYLLABLES:
        count = length_samples(length_s * rng.uniform(0.9, 1.1))
        part = np.linspace(0, 1, count)
        pitch = scale * (from_hz + (to_hz - from_hz) * part**1.3)
        source = buzz(rng, np.asarray(pitch, np.float64), Throat(0.0, jitter=0.003, shimmer=0.05, rough=0.06))
        source += 0.04 * rng.standard_normal(count)
        envelope = np.minimum(1, part / 0.06) * (1 - part) ** 0.6
        parts += [level * mouth(source, CROW, scale=scale) * envelope, np.zeros(length_samples(0.02))]
    return finished_hit(np.concatenate(parts), strength, ring_s=1.7)


# --- birds -----------------------------------------------------------------------------------------------------------


def _note(pitch_hz: Signal, overtone: float = 0.12) -> Signal:
    """Return one note of a syrinx: nearly a pure tone, swelling and dying softly."""
    angle = turns(pitch_hz)
    swell = np.sin(np.pi * np.linspace(0, 1, len(pitch_hz)))
    return np.asarray((np.sin(angle) + overtone * np.sin(2 * angle)) * swell, np.float64)


def _gap(low_s: float, high_s: float, rng: np.random.Generator) -> Signal:
    return np.zeros(length_samples(rng.uniform(low_s, high_s)))


def _whistle(rng: np.random.Generator, base_hz: float) -> list[Signal]:
    parts: list[Signal] = []
    for _note_number in range(rng.integers(1, 4)):
        start = base_hz * np.exp(rng.normal(0, 0.18))
        glide = np.exp(np.linspace(0, rng.normal(0, 0.25), length_samples(rng.uniform(0.12, 0.35))))
        parts += [_note(np.asarray(start * glide, np.float64)), _gap(0.04, 0.15, rng)]
    return parts


def _trill(rng: np.random.Generator, base_hz: float) -> list[Signal]:
    sweep = np.linspace(rng.uniform(1.05, 1.4), rng.uniform(0.75, 0.95), length_samples(rng.uniform(0.03, 0.07)))
    return [_note(np.asarray(base_hz * sweep, np.float64)), _gap(0.012, 0.03, rng)] * int(rng.integers(6, 16))


def _chirp(rng: np.random.Generator, base_hz: float) -> list[Signal]:
    parts: list[Signal] = []
    for _note_number in range(rng.integers(2, 6)):
        part = np.linspace(0, 1, length_samples(rng.uniform(0.05, 0.1)))
        parts += [_note(base_hz * (1.2 - 0.4 * part + 0.2 * (2 * part - 1) ** 2), 0.2), _gap(0.07, 0.2, rng)]
    return parts


def _warble(rng: np.random.Generator, base_hz: float) -> list[Signal]:
    count = length_samples(rng.uniform(0.5, 1.3))
    wander = np.exp(0.22 * np.clip(slow_random(rng, count, 11.0, 2), -2.5, 2.5))
    return [_note(base_hz * wander) * np.clip(0.6 + 0.6 * slow_random(rng, count, 9.0), 0, 1.2)]


SONGS: Mapping[str, Callable[[np.random.Generator, float], list[Signal]]] = {
    "whistle": _whistle,
    "trill": _trill,
    "chirp": _chirp,
    "warble": _warble,
}

SINGERS = (1.0, 0.75, 0.55, 0.4)
"""Levels of the birds: one near, three farther off."""
PHRASES_HZ = 0.35
"""How often each of them sings."""
WOODLAND = erb_spectrum((0, -9, -11, -11, -13, -14, -15, -17, -19, -22))
"""Median of 25 stretches of recorded birdsong, without the song."""
AFTER_S = 1.2
"""Reverberation among trees; made and thrown away before the first sample, so that earlier songs are heard to end."""


def birds(rng: np.random.Generator, intensity: Mono, /, *, variant: float | str = 0, **_: float | str) -> Mono:
    """Return songbirds: four of one place, each with its own song; more song at higher intensity."""
    grove, count = character("birds", variant), len(intensity)
    total = count + length_samples(AFTER_S)
    dense = np.concatenate([np.zeros(total - count), np.asarray(intensity, np.float64)])
    dense[: total - count] = intensity[0] if count else 0.0
    sound, power = np.zeros(total), 0.0
    for level in SINGERS:
        song = SONGS[str(grove.choice(list(SONGS)))]
        base_hz = float(np.exp(grove.uniform(np.log(2200.0), np.log(5500.0))))
        phrases = [np.concatenate(song(grove, base_hz)) for _phrase in range(4)]
        longest = max(len(phrase) for phrase in phrases)
        # a bird sings, listens, and sings again: more even than chance
        turn = np.arange(-longest * PHRASES_HZ / RATE_HZ - 1, total * PHRASES_HZ / RATE_HZ)
        at = np.asarray((turn + rng.random() + rng.uniform(-0.3, 0.3, len(turn))) / PHRASES_HZ * RATE_HZ, np.int64)
        at = at[rng.random(len(at)) < 0.3 + 0.7 * dense[np.clip(at, 0, total - 1)]]
        levels = level * rng.uniform(0.6, 1.0, len(at))
        sung = scatter(total, at, levels, grains=phrases, which=rng.integers(0, len(phrases), len(at)))
        sound += low_passed(sung, 6000.0 + 6000.0 * level, 1)
        energy = float(np.mean([np.dot(phrase, phrase) for phrase in phrases]))
        power += PHRASES_HZ / RATE_HZ * level**2 * 0.65 * energy
    heard = reverberant(rng, sound, AFTER_S, wet=0.6)[total - count :]
    # recorded birds lie in the air of their place, some 10 dB below; it also hides the gaps between songs
    level = float(np.sqrt(power))
    return settled(heard + 0.25 * level * noise(rng, count, WOODLAND), np.sqrt(intensity), rms=1.32 * level)


# --- insects ---------------------------------------------------------------------------------------------------------

NIGHT_AIR = spectrum({30: -10, 100: -8, 400: -10, 1500: -12, 6000: -14, 14000: -20})


def crickets(
    rng: np.random.Generator, intensity: Mono, /, *, count: float | str = 4, variant: float | str = 0, **_: float | str
) -> Mono:
    """Return crickets: pulses of a pure tone of 2.2 to 7.5 kHz, 32 to 55 a second, in chirps of a few or unbroken.

    Source: field crickets sing at 4 to 5 kHz, faster when it is warm (A. Dolbear, Am. Nat. 31, 1897).
    """
    meadow, samples = character("crickets", variant), len(intensity)
    sound, power = np.zeros(samples), 0.0
    for _cricket in range(max(1, int(float(count)))):
        pitch_hz = float(np.exp(meadow.uniform(np.log(2400.0), np.log(6500.0))))
        level, pulse_hz = meadow.uniform(0.2, 1.0), meadow.uniform(32.0, 55.0)
        pulse = cycles(pulse_hz * (1 + 0.01 * slow_random(rng, samples, 0.8))) + 50.0 * rng.random()
        of = int(meadow.integers(12, 22))
        sings = of if meadow.random() < 0.4 else int(meadow.integers(4, 8))
        # whole pulses only: a tone cut in the middle of one would click
        gate = (np.asarray(pulse, np.int64) % of) < sings
        shape = np.maximum(0, np.sin(np.asarray(2 * np.pi * (pulse % 1.0), np.float32)))
        strength = 1 + 0.15 * slow_random(rng, samples, 0.8)
        sound += level * np.sin(turns(np.full(samples, pitch_hz), start=rng.random())) * shape * gate * strength
        power += level**2 * 0.125 * sings / of
    air = 0.12 * float(np.sqrt(power)) * noise(rng, samples, NIGHT_AIR)
    return settled(sound + air, intensity, rms=float(np.sqrt(power)) * 1.02)


WING = Throat(1400.0, jitter=0.02, shimmer=0.15, rough=0.1)


def bees(
    rng: np.random.Generator, intensity: Mono, /, *, count: float | str = 5, variant: float | str = 0, **_: float | str
) -> Mono:
    """Return bees: wings beat 180 to 260 times a second, each bee comes and goes. One is a fly that will not leave."""
    hive, samples = character("bees", variant), len(intensity)
    many = max(1, int(float(count)))
    sound = np.zeros(samples)
    for _bee in range(many):
        beat_hz = hive.uniform(180.0, 260.0) * (1 + 0.03 * slow_random(rng, samples, 1.2, 3))
        near = np.exp(0.7 * np.clip(slow_random(rng, samples, 0.6, 2), -2.5, 1.6))
        sound += buzz(rng, beat_hz, WING) * near
    return settled(high_passed(sound, 150.0), intensity, rms=1.15 * float(np.sqrt(many)))


RECIPES = (
    HitRecipe("dog_bark", "animals", dog_bark, defaults_of(dog_bark), ring_s=BARK_RING_S, source="249 recorded barks"),
    HitRecipe("sheep_bleat", "animals", sheep_bleat, defaults_of(sheep_bleat), ring_s=1.0, source="Fant 1960"),
    HitRecipe("rooster", "animals", rooster, defaults_of(rooster), ring_s=1.7, source="Fant 1960"),
    TextureRecipe("birds", "animals", birds, defaults_of(birds), "song forms of European songbirds"),
    TextureRecipe("crickets", "animals", crickets, defaults_of(crickets), "Dolbear 1897"),
    TextureRecipe("bees", "animals", bees, defaults_of(bees), "wing beats of honey bees"),
)
