"""What birds sing: phrases of a syrinx, which is nearly a pure tone, and of throats that croak.

Pitches, lengths and pauses of the species: C. Catchpole, P. Slater, "Bird Song: Biological Themes and Variations",
2008, and field guides. A phrase is drawn by chance each time: a bird has a repertoire, not a recording.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from foley.synth.beasts import formants
from foley.synth.calls import Call, Specimen, joined, uttered
from foley.synth.excitation import Signal, decay, length_samples, noise_burst
from foley.synth.resonators import resonance
from foley.synth.textures import slow_random, turns
from foley.units import RATE_HZ

Phrase = Callable[[np.random.Generator, float], Signal]
"""Sings one phrase around a pitch."""


def note(pitch_hz: Signal, overtone: float = 0.12) -> Signal:
    """Return one note of a syrinx: nearly a pure tone, swelling and dying softly."""
    angle = turns(pitch_hz)
    swell = np.sin(np.pi * np.linspace(0.0, 1.0, len(pitch_hz)))
    return np.asarray((np.sin(angle) + overtone * np.sin(2.0 * angle)) * swell, np.float64)


def glide(from_hz: float, to_hz: float, length_s: float, overtone: float = 0.12) -> Signal:
    """Return a note that slides evenly on the musical scale."""
    pitch = from_hz * np.exp(np.linspace(0.0, np.log(to_hz / from_hz), length_samples(length_s)))
    return note(np.asarray(pitch, np.float64), overtone)


# --- songs -----------------------------------------------------------------------------------------------------------


def whistle(rng: np.random.Generator, base_hz: float) -> Signal:
    """Return one to three long notes, sliding."""
    notes = []
    for _note in range(rng.integers(1, 4)):
        start = base_hz * float(np.exp(rng.normal(0.0, 0.18)))
        end = start * float(np.exp(rng.normal(0.0, 0.25)))
        notes.append((rng.uniform(0.04, 0.15), glide(start, end, rng.uniform(0.12, 0.35))))
    return joined(notes)


def trill(rng: np.random.Generator, base_hz: float) -> Signal:
    """Return six to fifteen equal short notes."""
    one = glide(base_hz * rng.uniform(1.05, 1.4), base_hz * rng.uniform(0.75, 0.95), rng.uniform(0.03, 0.07))
    gap_s = rng.uniform(0.012, 0.03)
    return joined([(gap_s, one * rng.uniform(0.85, 1.0)) for _note in range(rng.integers(6, 16))])


def chirp(rng: np.random.Generator, base_hz: float) -> Signal:
    """Return two to five rough sparrow's chirps."""
    notes = []
    for _note in range(rng.integers(2, 6)):
        part = np.linspace(0.0, 1.0, length_samples(rng.uniform(0.05, 0.1)))
        bent = base_hz * rng.uniform(0.93, 1.07) * (1.2 - 0.4 * part + 0.2 * (2.0 * part - 1.0) ** 2)
        notes.append((rng.uniform(0.07, 0.2), note(np.asarray(bent, np.float64), 0.2)))
    return joined(notes)


def warble(rng: np.random.Generator, base_hz: float) -> Signal:
    """Return a rambling phrase without rests."""
    count = length_samples(rng.uniform(0.5, 1.3))
    wander = np.exp(0.22 * np.clip(slow_random(rng, count, 11.0, 2), -2.5, 2.5))
    return note(base_hz * wander) * np.clip(0.6 + 0.6 * slow_random(rng, count, 9.0), 0.0, 1.2)


def fluting(rng: np.random.Generator, base_hz: float) -> Signal:
    """Return a blackbird's phrase: four to seven mellow notes, and a twitter an octave higher at the end."""
    notes = []
    for _note in range(rng.integers(4, 8)):
        start = base_hz * rng.choice([0.8, 0.9, 1.0, 1.2, 1.35])
        notes.append(
            (rng.uniform(0.0, 0.06), glide(start, start * rng.uniform(0.85, 1.2), rng.uniform(0.1, 0.28), 0.05))
        )
    return joined([*notes, (0.03, 0.35 * trill(rng, 2.3 * base_hz))])


def tsee(rng: np.random.Generator, base_hz: float) -> Signal:
    """Return a tit's two-note song, over and over: teacher, teacher."""
    low, high = base_hz * 0.82, base_hz * 1.18
    pair = [(0.05, glide(high, 0.97 * high, 0.11, 0.05)), (0.04, glide(low, 1.03 * low, 0.13, 0.1))]
    return joined(pair * int(rng.integers(2, 6)))


def cuckoo(rng: np.random.Generator, base_hz: float) -> Signal:
    """Return one cuckoo: two hollow notes, a falling third."""
    high, low = base_hz * rng.uniform(0.98, 1.02), 0.82 * base_hz
    return joined([(0.0, glide(high, 0.96 * high, 0.2, 0.04)), (0.16, 0.9 * glide(low, 0.98 * low, 0.32, 0.03))])


def hoot(rng: np.random.Generator, base_hz: float) -> Signal:
    """Return a tawny owl: a long hoo, a rest, and a trembling one."""
    count = length_samples(rng.uniform(0.9, 1.2))
    tremble = 1.0 + 0.025 * np.sin(2.0 * np.pi * 14.0 * np.arange(count) / RATE_HZ)
    last = note(base_hz * tremble, 0.06) * (0.7 + 8.0 * (tremble - 1.0))
    return joined(
        [
            (0.0, glide(0.97 * base_hz, base_hz, 0.55, 0.06)),
            (1.4, 0.6 * glide(0.95 * base_hz, base_hz, 0.12)),
            (0.25, last),
        ]
    )


def coo(rng: np.random.Generator, base_hz: float) -> Signal:
    """Return a wood pigeon: five hollow coos, the second the longest."""
    notes = []
    for length_s, level in ((0.22, 0.7), (0.55, 1.0), (0.4, 0.9), (0.2, 0.6), (0.3, 0.7)):
        count = length_samples(length_s * rng.uniform(0.9, 1.1))
        flutter = 1.0 + 0.012 * np.sin(2.0 * np.pi * 24.0 * np.arange(count) / RATE_HZ)
        notes.append((0.07, level * note(base_hz * rng.uniform(0.97, 1.03) * flutter, 0.15)))
    return joined(notes)


# --- throats ---------------------------------------------------------------------------------------------------------

BEAK = formants((1300, 350, 1.0), (2100, 450, 0.7), (3400, 700, 0.35), (5200, 1200, 0.15))
CAW = Call(
    length_s=0.36,
    pitch_hz=330,
    shut=BEAK,
    pitch=((0, 0.9), (0.3, 1.05), (1, 0.8)),
    level=((0, 0.3), (0.1, 1), (0.7, 0.8), (1, 0)),
    tilt=10.0,
    breath=0.5,
    jitter=0.05,
    rough=0.7,
)
MEW = Call(
    length_s=0.55,
    pitch_hz=1050,
    shut=BEAK,
    pitch=((0, 0.8), (0.25, 1.15), (1, 0.8)),
    level=((0, 0.1), (0.15, 0.9), (0.5, 1), (1, 0)),
    tilt=4.0,
    breath=0.12,
    rough=0.12,
)


def caws(rng: np.random.Generator, base_hz: float) -> Signal:
    """Return two to four caws of a crow."""
    who = Specimen(base_hz / CAW.pitch_hz)
    return joined([(rng.uniform(0.18, 0.4), uttered(rng, CAW, who)) for _caw in range(rng.integers(2, 5))])


def mews(rng: np.random.Generator, base_hz: float) -> Signal:
    """Return a gull's long call: cries that get shorter and fall."""
    count = int(rng.integers(2, 6))
    fall = np.linspace(1.08, 0.85, count)
    cries = [uttered(rng, MEW, Specimen(base_hz / MEW.pitch_hz * float(step))) for step in fall]
    return joined([(rng.uniform(0.04, 0.12), cry) for cry in cries])


def drumming(rng: np.random.Generator, base_hz: float) -> Signal:
    """Return a woodpecker: twelve to twenty knocks on a hollow branch within a second, swelling and fading."""
    knocks = int(rng.integers(12, 21))
    total = np.zeros(length_samples(knocks / 16.0 + 0.15))
    for number in range(knocks):
        tap = noise_burst(rng, 0.01, low_hz=300.0, high_hz=5000.0)
        branch = resonance(np.concatenate([tap, np.zeros(length_samples(0.05))]), base_hz, 5.0)
        hollow = (3.0 * branch + 0.4 * resonance(branch, 2.3 * base_hz, 6.0)) * decay(len(branch), 0.05)
        at = length_samples(number / rng.uniform(15.5, 16.5))
        swell = 0.5 + 0.5 * np.sin(np.pi * (number + 1) / (knocks + 1))
        total[at : at + len(hollow)] += swell * hollow[: max(0, len(total) - at)]
    return total


# --- species ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Bird:
    """A species."""

    phrases: tuple[Phrase, ...]
    """Each bird keeps to one of them."""
    low_hz: float
    high_hz: float
    phrases_hz: float
    """How often one of them sings."""
    birds: int = 4
    """One near, the others farther off."""
    repertoire: int = 3
    """Phrases of one bird in one stretch."""


SPECIES: Mapping[str, Bird] = {
    "songbirds": Bird((whistle, trill, chirp, warble, fluting, tsee), 2000.0, 5500.0, 0.35),
    "blackbird": Bird((fluting,), 1700.0, 2600.0, 0.22, 2),
    "sparrows": Bird((chirp,), 3000.0, 5000.0, 0.8, 6),
    "tits": Bird((tsee, trill), 4200.0, 6500.0, 0.4, 3),
    "cuckoo": Bird((cuckoo,), 640.0, 720.0, 0.55, 1),
    "owl": Bird((hoot,), 420.0, 760.0, 0.14, 2, 2),
    "pigeons": Bird((coo,), 400.0, 520.0, 0.25, 2, 3),
    "crows": Bird((caws,), 280.0, 420.0, 0.25, 3, 2),
    "gulls": Bird((mews,), 850.0, 1350.0, 0.3, 3, 2),
    "woodpecker": Bird((drumming,), 900.0, 1600.0, 0.2, 2),
}
