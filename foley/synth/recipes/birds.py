"""Birds: songs and cries of many species, fowl of the farmyard, wings.

Songs are good as a background; a bird that fills the picture deserves a recording.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from foley.products import energy as energy_of
from foley.synth.beasts import formants
from foley.synth.calls import LEAD_S, Call, Says, Specimen, called_hit, far_off, joined, said, uttered
from foley.synth.excitation import Signal, length_samples, low_passed, noise_burst
from foley.synth.finish import character, choice, defaults_of, number, settled
from foley.synth.moving import Layer, layered, slow_frames
from foley.synth.recipe import HitRecipe, Mono, TextureRecipe
from foley.synth.songs import SPECIES
from foley.synth.textures import cycles, erb_spectrum, scatter, slow_random, tinted
from foley.units import RATE_HZ

# --- song ------------------------------------------------------------------------------------------------------------

FARTHER = 0.75
"""Level of each bird re the one before it."""
WOODLAND = erb_spectrum((-4, -6, -9, -11, -14, -19, -21, -20, -19, -20))
"""What is left of recorded birdsong without the song: 15 dB less at 1 kHz. Set by hand; groves differ by 6 dB."""
STILL_DB, BREEZY_DB = -14.0, 8.0
"""How loud the air of a grove is re what `air` asks for: recordings reach from hardly any to more wind than song."""
AFTER_WET = 0.6
AFTER_S = 1.2
"""Reverberation among trees; made and thrown away before the first sample, so that earlier songs are heard to end."""


def birds(
    rng: np.random.Generator,
    intensity: Mono,
    /,
    *,
    kind: float | str = "songbirds",
    air: float | str = 0.25,
    variant: float | str = 0,
    **_: float | str,
) -> Mono:
    """Return birds of one place, each with its own song; more song at higher intensity.

    Args:
        rng: Chance.
        intensity: Of every sample.
        kind: songbirds, blackbird, sparrows, tits, cuckoo, owl, pigeons, crows, gulls or woodpecker.
        air: RMS of the air of the place re the song, 0 to 1: recorded birds lie in it some 10 dB above.
        variant: Another grove.
    """
    species, bed = choice(SPECIES, kind, "kind"), number(air, 0.0, 1.0, "air")
    grove, count = character(f"birds {kind}", variant), len(intensity)
    total = count + length_samples(AFTER_S)
    dense = np.concatenate([np.full(total - count, intensity[0] if count else 0.0), intensity])
    sound, power = np.zeros(total), 0.0
    for bird in range(species.birds):
        level = FARTHER**bird
        song = species.phrases[int(grove.integers(len(species.phrases)))]
        base_hz = float(np.exp(grove.uniform(np.log(species.low_hz), np.log(species.high_hz))))
        phrases = [
            # a bird does not begin every phrase on the same note
            low_passed(song(grove, base_hz * float(np.exp(grove.normal(0.0, 0.08)))), 6000.0 + 6000.0 * level, 1)
            for _phrase in range(species.repertoire)
        ]
        at = _turns_to_sing(rng, dense, species.phrases_hz, max(len(phrase) for phrase in phrases))
        levels = level * rng.uniform(0.6, 1.0, len(at))
        sound += scatter(total, at, levels, grains=phrases, which=rng.integers(0, len(phrases), len(at)))
        energy = float(np.mean([energy_of(phrase) for phrase in phrases]))
        # 0.65 is the mean square of the levels; the answer of the trees is low-passed, so low notes get more of it
        answer = AFTER_WET**2 * 3.06 / (1.0 + (base_hz / 5000.0) ** 2)
        power += species.phrases_hz / RATE_HZ * level**2 * 0.65 * energy * (1.0 + answer)
    heard = far_off(rng, sound, AFTER_S, wet=AFTER_WET)[total - count :]
    level = float(np.sqrt(power))
    wind = 0.42 * bed * level * 10.0 ** (grove.uniform(STILL_DB, BREEZY_DB) / 20.0)
    wind *= 10.0 ** (0.1 * slow_frames(rng, count, 0.7, 6))
    heard += layered(rng, count, [Layer(tinted(WOODLAND, grove, 6.0), wind)])
    return settled(heard, np.sqrt(intensity), rms=level)


def _turns_to_sing(rng: np.random.Generator, dense: Signal, rate_hz: float, longest: int) -> np.ndarray:
    """Return when a bird begins: it sings, listens, and sings again, more even than chance."""
    total = len(dense)
    turn = np.arange(-longest * rate_hz / RATE_HZ - 1, total * rate_hz / RATE_HZ)
    at = np.asarray((turn + rng.random() + rng.uniform(-0.3, 0.3, len(turn))) / rate_hz * RATE_HZ, np.int64)
    return at[rng.random(len(at)) < 0.3 + 0.7 * dense[np.clip(at, 0, total - 1)]]


# --- wings -----------------------------------------------------------------------------------------------------------

FEATHERS = 6
"""Different strokes of a stretch."""


def wing_flaps(
    rng: np.random.Generator,
    intensity: Mono,
    /,
    *,
    beats_hz: float | str = 6.0,
    size: float | str = 0.4,
    variant: float | str = 0,
    **_: float | str,
) -> Mono:
    """Return wings: every downstroke pushes air and rustles, and with a small bird's quick beat the tips clap.

    Args:
        rng: Chance.
        intensity: Of every sample: how hard they beat.
        beats_hz: Strokes a second, 1.5 to 25: a swan 2, a pigeon 6, a sparrow 15.
        size: 0 a sparrow to 1 a swan or dragon.
        variant: Another bird.
    """
    pace_hz, large = number(beats_hz, 1.5, 25.0, "beats_hz"), number(size, 0.0, 1.0, "size")
    chance, count = character("wing_flaps", variant), len(intensity)
    strokes = [_stroke(chance, large, min(0.6 / pace_hz, 0.25)) for _stroke_number in range(FEATHERS)]
    beat = cycles(pace_hz * (1.0 + 0.08 * slow_random(rng, count, 1.5))) + rng.random()
    at = np.nonzero(np.diff(np.floor(beat), prepend=np.floor(beat[:1]) - 1.0) > 0.0)[0].astype(np.int64)
    levels = np.exp(rng.normal(0.0, 0.25, len(at)))
    sound = scatter(count, at, levels, grains=strokes, which=rng.integers(0, FEATHERS, len(at)))
    energy = float(np.mean([energy_of(stroke) for stroke in strokes]))
    return settled(sound, intensity, rms=float(np.sqrt(pace_hz / RATE_HZ * energy * 1.13)))


def _stroke(rng: np.random.Generator, size: float, length_s: float) -> Signal:
    """Return one downstroke: a puff of air, feathers, the clap of the tips."""
    count = length_samples(1.4 * length_s)
    part = np.arange(count) / RATE_HZ / length_s
    puff = low_passed(rng.standard_normal(count), 380.0 - 240.0 * size) * (3.0 + 3.0 * size)
    rustle = noise_burst(rng, 1.4 * length_s, low_hz=1800.0 - 900.0 * size, high_hz=7000.0 - 2500.0 * size)
    swell = np.clip(part / 0.25, 0.0, 1.0) * np.clip((1.4 - part) / 0.8, 0.0, 1.0) ** 1.5
    clap = noise_burst(rng, 0.018, low_hz=700.0, high_hz=4500.0)
    sound = (0.8 * puff + 0.6 * np.pad(rustle, (0, max(0, count - len(rustle))))[:count]) * swell
    at = length_samples(0.25 * length_s)
    fits = min(len(clap), count - at)
    sound[at : at + fits] += (1.0 - size) * rng.uniform(0.2, 0.7) * clap[:fits]
    return sound


# --- fowl ------------------------------------------------------------------------------------------------------------

CROWING = formants((840, 120, 0.6), (1600, 160, 1.0), (2600, 300, 0.05), (4200, 600, 0.02))
BILL = formants((900, 220, 0.6), (1500, 280, 1.0), (2600, 420, 0.7), (4100, 800, 0.3))
"""A duck's quack is all formants: its pitch is low and it is dense with overtones."""

CLUCK = Call(length_s=0.09, pitch_hz=520, shut=CROWING, pitch=((0, 1.2), (1, 0.8)), tilt=6.0, breath=0.25, rough=0.2)
BAWK = Call(
    length_s=0.42,
    pitch_hz=560,
    shut=CROWING,
    pitch=((0, 0.7), (0.3, 1.3), (1, 0.95)),
    level=((0, 0.3), (0.15, 0.8), (0.5, 1), (1, 0)),
    tilt=8.0,
    breath=0.2,
    rough=0.25,
)
QUACK = Call(
    length_s=0.22,
    pitch_hz=210,
    shut=BILL,
    pitch=((0, 1.05), (0.3, 1), (1, 0.85)),
    level=((0, 0.5), (0.08, 1), (0.6, 0.7), (1, 0)),
    tilt=20.0,
    breath=0.25,
    jitter=0.03,
    rough=0.3,
)
HONK = Call(
    length_s=0.4,
    pitch_hz=420,
    shut=BILL,
    pitch=((0, 0.75), (0.3, 0.8), (0.36, 1.2), (1, 1.05)),
    level=((0, 0.4), (0.1, 0.8), (0.5, 1), (1, 0)),
    tilt=9.0,
    breath=0.15,
    rough=0.2,
)
SYLLABLES = ((0.16, 550, 0.7), (0.10, 610, 0.6), (0.26, 740, 0.9), (0.85, 800, 1.0))
"""Cock-a-doodle-doo: duration (s), pitch (Hz), level."""


def crow(rng: np.random.Generator, who: Specimen, effort: float) -> Signal:
    """Return one crow of four syllables, the last long and falling."""
    parts = []
    for number_of, (length_s, pitch_hz, level) in enumerate(SYLLABLES):
        turn = ((0.0, 1.05), (0.1, 1.1), (0.75, 1.08), (1.0, 0.75)) if number_of == 3 else ((0.0, 0.85), (1.0, 1.12))
        swell = ((0.0, 0.2), (0.06, 1.0), (0.6, 0.8), (1.0, 0.0))
        call = Call(
            length_s, pitch_hz, CROWING, pitch=turn, level=swell, tilt=12.0, breath=0.05, jitter=0.004, rough=0.08
        )
        parts.append((0.02, level * uttered(rng, call, who, effort)))
    return joined(parts)


def cackle(rng: np.random.Generator, who: Specimen, effort: float) -> Signal:
    """Return a hen: a few clucks, often with a drawn-out one at the end."""
    clucks = [(rng.uniform(0.08, 0.25), uttered(rng, CLUCK, who, effort)) for _cluck in range(rng.integers(2, 6))]
    return joined([*clucks, (0.1, 1.3 * uttered(rng, BAWK, who, effort))] if rng.random() < 0.6 else clucks)


def quacks(rng: np.random.Generator, who: Specimen, effort: float) -> Signal:
    """Return one to four quacks, falling."""
    calls = [uttered(rng, QUACK, who, effort) for _quack in range(rng.integers(1, 5))]
    return joined([(0.05, call * 0.85**number_of) for number_of, call in enumerate(calls)])


def gobble(rng: np.random.Generator, who: Specimen, effort: float) -> Signal:
    """Return a turkey: eight to twelve clucks in a second, falling in pitch."""
    fall = np.linspace(1.5, 0.8, int(rng.integers(8, 13)))
    clucks = [uttered(rng, CLUCK, Specimen(who.pitch * float(step), who.throat), effort) for step in fall]
    return joined([(rng.uniform(0.0, 0.012), cluck) for cluck in clucks])


FOWL: Mapping[str, Says] = {"rooster": crow, "hen": cackle, "duck": quacks, "goose": HONK, "turkey": gobble}
FOWL_S = 2.4
YARD_WET = 0.9
"""Fowl are recorded across a yard, whose walls and ground answer nearly as loud as the bird."""


def rooster(
    rng: np.random.Generator,
    strength: float,
    /,
    *,
    kind: float | str = "rooster",
    variant: float | str = 0,
    **_: float | str,
) -> Mono:
    """Return a fowl: `kind` rooster, hen, duck, goose or turkey. A stand-in: recognised, not believed."""
    what, one = choice(FOWL, kind, "kind"), Specimen.of(character(f"fowl {kind}", variant))
    return called_hit(rng, said(rng, what, one, strength), strength, ring_s=FOWL_S, wet=YARD_WET)


RECIPES = (
    HitRecipe("rooster", "animals", rooster, defaults_of(rooster), lead_s=LEAD_S, ring_s=FOWL_S, source="Fant 1960"),
    TextureRecipe("birds", "animals", birds, defaults_of(birds), "Catchpole & Slater 2008"),
    TextureRecipe("wing_flaps", "animals", wing_flaps, defaults_of(wing_flaps), "stroke rates of birds in flight"),
)
