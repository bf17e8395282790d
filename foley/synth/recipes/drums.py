"""Drums, cymbals, plucked strings.

Where a made sound stands in for an instrument seen in the picture it is a stand-in: pitch and hand are not the
player's.

Source: N. Fletcher, T. Rossing, "The Physics of Musical Instruments", 1998.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from foley.synth.chain import mixed, peak_of, recorded_hit, tilted
from foley.synth.excitation import Signal, decay, high_passed, length_samples, low_passed, noise_burst
from foley.synth.finish import character, choice, defaults_of, number
from foley.synth.materials import HOLLOW_WOOD, body, struck
from foley.synth.recipe import HitRecipe, MakesHit, Mono
from foley.synth.resonators import MEMBRANE_RATIOS, resonance, ring_modes, thud
from foley.units import RATE_HZ

SOURCE = "Fletcher & Rossing 1998"

# --- heads -----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Drum:
    """A drum: its head and what strikes it."""

    pitch_hz: float
    t60_s: float
    """Of the lowest mode."""
    skin: float
    """Peak of the slap re the modes."""
    ratios: tuple[float, ...] = MEMBRANE_RATIOS
    wood: float = 0.0
    """Peak of the wood around it."""
    jingle: float = 0.0
    """Peak of its jingles or wires."""
    bend: float = 0.12
    """How far above its pitch a full blow starts."""
    dull_hz: float = 0.0
    """Corner of a soft beater; 0 for hand and stick."""


TABLA_RATIOS = (1.0, 2.0, 3.0, 4.0, 5.0, 6.02)
"""The black patch in the middle makes a tabla's modes harmonic (C. Raman, Proc. Indian Acad. Sci. A1, 1934)."""
KETTLE_RATIOS = (1.0, 1.504, 1.742, 2.0, 2.245, 2.494, 2.8, 2.85)
"""The air in the kettle brings a timpani's modes near 2 : 3 : 4 : 5."""

HAND_DRUMS: Mapping[str, Drum] = {
    "conga": Drum(190.0, 0.30, 0.60),
    "bongo": Drum(400.0, 0.14, 0.75),
    "djembe": Drum(90.0, 0.28, 0.85, bend=0.06),
    "tabla": Drum(280.0, 0.55, 0.45, TABLA_RATIOS, bend=0.02),
    "cajon": Drum(88.0, 0.16, 0.70, wood=0.8, jingle=0.15),
    "tambourine": Drum(430.0, 0.08, 0.40, jingle=1.0),
}
BIG_DRUMS: Mapping[str, Drum] = {
    "kick": Drum(62.0, 0.35, 0.35, bend=0.2, dull_hz=4500.0),
    "tom": Drum(120.0, 0.55, 0.45, bend=0.15),
    "floor_tom": Drum(82.0, 0.70, 0.40, bend=0.15, dull_hz=6000.0),
    "taiko": Drum(58.0, 0.90, 0.50, wood=0.35, bend=0.1, dull_hz=5000.0),
    "timpani": Drum(98.0, 1.90, 0.12, KETTLE_RATIOS, bend=0.02, dull_hz=2200.0),
    "marching": Drum(72.0, 0.55, 0.30, bend=0.15, dull_hz=3000.0),
}


def membrane(rng: np.random.Generator, chance: np.random.Generator, drum: Drum, strength: float) -> Signal:
    """Return a dry drum head, peak about 1: its modes, a pitch that falls, the slap of what struck it.

    Modes die as f^-0.75; a stronger blow stretches the head, so its pitch starts higher.

    Args:
        rng: Source of chance of this blow.
        chance: Source of chance of this drum.
        drum: What it is.
        strength: 0 to 1.
    """
    base = np.array(drum.ratios) * np.exp(chance.normal(0.0, 0.01, len(drum.ratios)))
    f = drum.pitch_hz * np.concatenate([base, 1.012 * base[1:8]])  # partners: no head is evenly tuned
    order = np.concatenate([np.arange(len(base)), np.arange(1, len(base[1:8]) + 1)])
    place = rng.uniform(0.3, 0.8)
    gains = np.exp(-0.35 * order * (1.3 - 0.5 * strength)) * (np.abs(np.cos(place * order)) + 0.25)
    t60 = drum.t60_s * (f / drum.pitch_hz) ** -0.75 * np.exp(chance.normal(0.0, 0.15, len(f)))
    length = length_samples(1.2 * drum.t60_s)
    ringing = ring_modes(f, t60, gains, length, phases=rng.uniform(0.0, 0.5, len(f)))
    push = thud(rng, drum.pitch_hz, 1.2 * drum.t60_s, drop=drum.bend * strength, noise=0.0)
    slap = noise_burst(rng, 0.02 + 0.02 * strength, low_hz=500.0, high_hz=2500.0 + 5500.0 * strength)
    return mixed(peak_of(ringing, 0.55), 0.45 * push, drum.skin * (0.3 + 0.7 * strength) * slap)


def jingles(rng: np.random.Generator, chance: np.random.Generator) -> Signal:
    """Return small brass discs shaken against each other: 4 to 13 kHz, for a fifth of a second."""
    f = np.exp(chance.uniform(np.log(4000.0), np.log(13_000.0), 24))
    ring = ring_modes(f, chance.uniform(0.08, 0.25, 24), np.exp(rng.normal(0, 0.6, 24)), length_samples(0.28))
    chatter = noise_burst(rng, 0.12, low_hz=5000.0, high_hz=14_000.0)
    return mixed(0.7 * peak_of(ring), 0.6 * chatter)


def _played(rng: np.random.Generator, name: str, drum: Drum, strength: float, variant: float | str) -> Signal:
    chance = character(f"drum {name}", variant)
    sound = membrane(rng, chance, drum, strength)
    if drum.dull_hz > 0.0:
        sound = low_passed(sound, drum.dull_hz * (0.4 + 0.6 * strength), 1)
    if drum.wood > 0.0:
        sound = mixed(sound, drum.wood * struck(rng, body(chance, HOLLOW_WOOD, size=0.6), strength, hardness=0.85))
    return mixed(sound, drum.jingle * jingles(rng, chance)) if drum.jingle > 0.0 else sound


def hand_drum(
    rng: np.random.Generator,
    strength: float,
    /,
    *,
    kind: float | str = "conga",
    tune: float | str = 1.0,
    variant: float | str = 0,
    **_: float | str,
) -> Mono:
    """Return a hand on a drum: `kind` conga, bongo, djembe, tabla, cajon or tambourine; `tune` 0.5 to 2 scales it."""
    drum, factor = choice(HAND_DRUMS, kind, "kind"), number(tune, 0.5, 2.0, "tune")
    return recorded_hit(rng, _played(rng, str(kind), _tuned(drum, factor), strength, variant), strength, ring_s=0.9)


def kick(
    rng: np.random.Generator,
    strength: float,
    /,
    *,
    kind: float | str = "kick",
    tune: float | str = 1.0,
    variant: float | str = 0,
    **_: float | str,
) -> Mono:
    """Return a large drum: `kind` kick, tom, floor_tom, taiko, timpani or marching; `tune` 0.5 to 2 scales it.

    A kick drum's felt beater adds a push at 50 Hz that drops by more than half from where it starts.
    """
    drum, factor = choice(BIG_DRUMS, kind, "kind"), number(tune, 0.5, 2.0, "tune")
    sound = _played(rng, str(kind), _tuned(drum, factor), strength, variant)
    if kind == "kick":
        sound = mixed(0.5 * sound, 0.9 * thud(rng, 50.0 * factor, 0.5, drop=1.2))
    return recorded_hit(rng, sound, strength, ring_s=2.4)


def _tuned(drum: Drum, factor: float) -> Drum:
    return drum if factor == 1.0 else replace(drum, pitch_hz=drum.pitch_hz * factor)


def snare(
    rng: np.random.Generator,
    strength: float,
    /,
    *,
    kind: float | str = "snare",
    variant: float | str = 0,
    **_: float | str,
) -> Mono:
    """Return a stick on a snare drum: `kind` snare, or rim for stick on head and rim at once.

    Wires above 1.2 kHz rattle under the head; they rattle longer for a hard blow.
    """
    rim, chance = choice({"snare": 0.0, "rim": 1.0}, kind, "kind"), character("snare", variant)
    head = membrane(rng, chance, Drum(chance.uniform(175.0, 215.0), 0.2, 0.6), strength)
    rattle_s = rng.uniform(0.13, 0.17) * (0.7 + 0.5 * strength)
    wires = high_passed(rng.standard_normal(length_samples(1.2 * rattle_s)), chance.uniform(1000.0, 1700.0))
    wires = peak_of(wires * decay(len(wires), rattle_s), 0.8)
    hoop_hz = chance.uniform(1100.0, 1500.0) * np.array([1.0, 1.72, 2.6, 3.4])
    hoop = ring_modes(hoop_hz, np.array([0.09, 0.07, 0.05, 0.04]), np.array([1.0, 0.8, 0.6, 0.4]), length_samples(0.1))
    return recorded_hit(rng, mixed(head, wires, 0.8 * rim * peak_of(hoop)), strength, ring_s=0.5)


# --- cymbals ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Cymbal:
    """A bronze plate."""

    low_hz: float
    t60_s: float
    """At 3 kHz."""
    builds_s: float
    """How long energy takes to climb to the high modes."""
    tick: float
    """Peak of the stick."""
    bell: float = 0.0
    """Peak of single low modes re the wash."""


CYMBALS: Mapping[str, Cymbal] = {
    "crash": Cymbal(300.0, 1.8, 0.012, 0.55),
    "ride": Cymbal(350.0, 1.6, 0.020, 1.0, 0.5),
    "hihat": Cymbal(500.0, 0.09, 0.001, 0.7),
    "open_hihat": Cymbal(450.0, 0.6, 0.004, 0.6),
    "splash": Cymbal(600.0, 0.7, 0.006, 0.6),
    "gong": Cymbal(90.0, 2.6, 0.120, 0.1, 0.9),
}


def cymbal(
    rng: np.random.Generator,
    strength: float,
    /,
    *,
    kind: float | str = "crash",
    variant: float | str = 0,
    **_: float | str,
) -> Mono:
    """Return a cymbal: `kind` crash, ride, hihat (shut), open_hihat, splash or gong.

    140 modes up to 14 kHz. Energy cascades from low to high modes, so the wash builds up after the stick's tick.
    """
    plate, chance = choice(CYMBALS, kind, "kind"), character(f"cymbal {kind}", variant)
    top_hz = 14_000.0 if plate.low_hz > 100.0 else 6000.0
    f = np.sort(np.exp(chance.uniform(np.log(plate.low_hz), np.log(top_hz), 140)))
    t60 = plate.t60_s * (f / 3000.0) ** -0.4 * np.exp(chance.normal(0.0, 0.3, len(f)))
    gains = np.exp(rng.normal(0.0, 0.6, len(f))) * (f / 4000.0) ** (0.3 * strength)
    gains[:6] *= 1.0 + 6.0 * plate.bell
    length = length_samples(min(2.6, 1.3 * plate.t60_s + 0.1))
    wash = ring_modes(f, t60, gains, length, phases=rng.uniform(0.0, 2.0 * np.pi, len(f)), floor_db=-50.0)
    wash *= 1.0 - 0.7 * np.exp(-np.arange(len(wash)) / (plate.builds_s * RATE_HZ))
    tick = noise_burst(rng, 0.02, low_hz=1500.0, high_hz=11_000.0)
    blow = thud(rng, 2.0 * plate.low_hz, 0.05) if kind == "gong" else np.zeros(1)
    sound = mixed(peak_of(wash, 0.8), plate.tick * tick, 0.5 * blow)
    return recorded_hit(rng, sound, strength, ring_s=2.6, wet=0.15)


# --- strings ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Strings:
    """A plucked instrument."""

    t60_s: float
    """Of the fundamental."""
    damping: float
    """How much sooner overtones die."""
    stiff: float
    """Inharmonicity B."""
    bright: float
    """0 thumb to 1 plectrum."""
    place: tuple[float, float]
    """Where it is plucked, as a share of the string."""
    box_hz: tuple[float, ...]
    nail: float


STRINGS: Mapping[str, Strings] = {
    "guitar": Strings(2.0, 0.05, 3e-4, 0.3, (0.15, 0.25), (105.0, 200.0, 400.0), 0.35),
    "bass": Strings(2.4, 0.09, 2e-4, 0.1, (0.2, 0.3), (60.0, 120.0, 250.0), 0.15),
    "harp": Strings(2.4, 0.12, 1e-4, 0.15, (0.3, 0.45), (180.0, 360.0, 700.0), 0.12),
    "banjo": Strings(0.7, 0.03, 4e-4, 0.8, (0.08, 0.14), (280.0, 520.0, 900.0), 0.5),
    "ukulele": Strings(0.8, 0.07, 2e-4, 0.3, (0.2, 0.35), (220.0, 420.0, 760.0), 0.25),
    "violin": Strings(0.35, 0.06, 2e-4, 0.2, (0.2, 0.35), (280.0, 460.0, 800.0), 0.15),
}


def pluck(
    rng: np.random.Generator,
    strength: float,
    /,
    *,
    kind: float | str = "guitar",
    pitch_hz: float | str = 110.0,
    strings: float | str = 1,
    variant: float | str = 0,
    **_: float | str,
) -> Mono:
    """Return a plucked string on its body, or with `strings` 2 to 6 a strummed major chord.

    f_k = k f0 sqrt(1 + B k^2); strength of mode k ~ |sin(k pi p)| / k^(1.6 - bright) plucked at p; T60 falls as
    1 / (1 + damping k^1.3).

    Args:
        rng: Chance.
        strength: 0 to 1.
        kind: guitar, bass, harp, banjo, ukulele or violin.
        pitch_hz: Of the lowest string, 25 to 2000.
        strings: 1 to 6.
        variant: Another instrument.
    """
    one, pitch = choice(STRINGS, kind, "kind"), number(pitch_hz, 25.0, 2000.0, "pitch_hz")
    count = round(number(strings, 1.0, 6.0, "strings"))
    own = character(f"pluck {kind}", variant)
    total = np.zeros(length_samples(min(2.4, 1.15 * one.t60_s) + 0.15))
    for which, step in enumerate(CHORD[:count]):
        note = _string(rng, one, pitch * step * float(np.exp(own.normal(0.0, 0.001))), strength, shared=count)
        at = round(which * rng.uniform(0.012, 0.022) * RATE_HZ)
        total[at : at + len(note)] += note[: len(total) - at]
    box = [0.5 * resonance(total, hz * own.uniform(0.95, 1.05), 4.5) for hz in one.box_hz]
    nail = noise_burst(rng, 0.012, low_hz=400.0, high_hz=3000.0 + 4000.0 * one.bright)
    push = 0.12 * thud(rng, one.box_hz[0], 0.12)
    sound = mixed(peak_of(tilted(total, 0.8) + sum(box)), one.nail * nail, push)
    return recorded_hit(rng, sound, strength, ring_s=2.4, wet=0.2)


CHORD = (1.0, 1.5, 2.0, 2.52, 3.0, 4.0)
"""Ratios of an open major chord, as on a guitar."""


def _string(rng: np.random.Generator, one: Strings, pitch_hz: float, strength: float, *, shared: int) -> Signal:
    """Return one string, let go from where it was pulled to; fewer overtones where several share the work."""
    k = np.arange(1, int(max(3.0, min(40.0 / shared**0.5, 0.45 * RATE_HZ / pitch_hz))))
    f = k * pitch_hz * np.sqrt(1.0 + one.stiff * k * k)
    gains = np.abs(np.sin(np.pi * k * rng.uniform(*one.place))) / k ** (1.6 - one.bright - 0.4 * strength)
    t60 = one.t60_s / (1.0 + one.damping * k**1.3)
    both = np.concatenate([f, 1.0015 * f[:8]])  # the string swings in two planes of slightly different pitch
    return ring_modes(
        both,
        np.concatenate([t60, 1.3 * t60[:8]]),
        np.concatenate([gains, 0.4 * gains[:8]]),
        length_samples(min(2.4, 1.15 * one.t60_s)),
        phases=np.full(len(both), 0.5 * np.pi),
    )


def _recipe(name: str, make: MakesHit, ring_s: float) -> HitRecipe:
    return HitRecipe(name, "music", make, defaults_of(make), ring_s=ring_s, source=SOURCE)


RECIPES = (
    _recipe("hand_drum", hand_drum, 0.9),
    _recipe("snare", snare, 0.5),
    _recipe("kick", kick, 2.4),
    _recipe("cymbal", cymbal, 2.6),
    _recipe("pluck", pluck, 2.4),
)
