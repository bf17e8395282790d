"""Bells: church, school, cow, gong, singing bowl, chimes; and the small ones of desks, bicycles and harness.

Sources: N. Fletcher, T. Rossing, "The Physics of Musical Instruments", 1998 (partials of bells, bars, gongs); T.
Rossing, R. Perrin, "Vibrations of bells", Applied Acoustics 20, 1987 (decay times: the hum rings five to ten times as
long as the upper partials).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from foley.synth.chain import in_a_room, mixed, peak_of
from foley.synth.contacts import size_of
from foley.synth.excitation import Signal, hertz_gain, length_samples, noise_burst
from foley.synth.finish import add_at, character, choice, defaults_of, finished_hit
from foley.synth.recipe import HitRecipe, Mono
from foley.synth.resonators import BAR_RATIOS, BELL_RATIOS, CUP_RATIOS, ring_modes, ring_takes
from foley.units import RATE_HZ, to_samples


@dataclass(frozen=True, slots=True)
class Bell:
    """One kind of bell."""

    ratios: tuple[float, ...]
    """Of its partials to its note."""
    small_hz: float
    """Note of a small one."""
    large_hz: float
    t60_s: float
    """Of the note, for a medium one."""
    slope: float
    """Decay times go with frequency to this power."""
    contact_s: float
    """Of the clapper at strength 1: iron 0.15 ms, padded wood 2 ms."""
    split: float = 0.004
    """Partials come in pairs that differ by up to this share, and so beat."""
    clap: float = 0.25
    """Peak of the clapper's own knock."""
    strokes: tuple[float, float] = (1.0, 1.0)
    """Least and most strokes that one ring makes."""
    gap_s: float = 0.1
    """Between strokes."""


GONG_RATIOS = (0.37, 0.5, 0.73, 1.0, 1.19, 1.48, 1.71, 2.02, 2.36, 2.71, 3.13, 3.55, 4.02, 4.6, 5.2, 5.9)

LARGE = {
    "church": Bell(BELL_RATIOS, 900.0, 220.0, 5.0, -1.1, 0.25e-3),
    "school": Bell(BELL_RATIOS, 1900.0, 900.0, 2.0, -0.9, 0.12e-3, strokes=(1, 2), gap_s=0.33),
    "cow": Bell((1.0, 1.37, 1.83, 2.61, 3.4, 4.3, 5.2, 6.6), 1100.0, 420.0, 0.45, -0.5, 0.2e-3, split=0.02, clap=0.5),
    "gong": Bell(GONG_RATIOS, 420.0, 140.0, 6.0, -0.7, 2.5e-3, split=0.012, clap=0.15),
    "bowl": Bell(CUP_RATIOS, 650.0, 190.0, 7.0, -1.0, 1.2e-3, split=0.006, clap=0.1),
    "chime": Bell(BAR_RATIOS[:5], 1900.0, 500.0, 4.0, -0.8, 0.3e-3, split=0.002, strokes=(1, 4), gap_s=0.22),
}
SMALL = {
    "desk": Bell((1.0, 2.32, 2.63, 4.25, 6.1), 3300.0, 2100.0, 1.6, -0.6, 0.08e-3),
    "bicycle": Bell((1.0, 2.2, 2.9, 4.1, 5.6), 3600.0, 2300.0, 0.9, -0.5, 0.07e-3, strokes=(5, 9), gap_s=0.055),
    "hand": Bell(CUP_RATIOS[:5], 2900.0, 1500.0, 1.3, -0.7, 0.1e-3, strokes=(2, 4), gap_s=0.16),
    "jingle": Bell((1.0, 1.31, 1.74, 2.2, 2.9), 6500.0, 3600.0, 0.16, -0.3, 0.05e-3, 0.03, strokes=(8, 16), gap_s=0.02),
    "triangle": Bell((1.0, 1.53, 2.1, 2.9, 3.6, 4.4, 5.6, 7.0), 2000.0, 1300.0, 3.0, -0.25, 0.06e-3, split=0.003),
    "lift": Bell((1.0, 2.0, 2.756, 4.1), 1500.0, 900.0, 1.8, -0.8, 0.5e-3, split=0.001, clap=0.08),
}
RING_S = {"bell": 6.0, "small_bell": 2.5}


def bell(
    rng: np.random.Generator,
    strength: float,
    /,
    *,
    kind: float | str = "church",
    size: float | str = 0.5,
    variant: float | str = 0,
    **_: float | str,
) -> Mono:
    """Return one stroke of a large bell.

    Args:
        rng: Source of chance.
        strength: 0 to 1.
        kind: One of `LARGE`.
        size: 0 to 1, or small, medium, large.
        variant: Another bell.
    """
    return _rung(
        rng, strength, choice(LARGE, kind, "kind"), size=size_of(size), who=f"bell {kind} {variant}", name="bell"
    )


def small_bell(
    rng: np.random.Generator,
    strength: float,
    /,
    *,
    kind: float | str = "desk",
    size: float | str = 0.5,
    variant: float | str = 0,
    **_: float | str,
) -> Mono:
    """Return one ring of a small bell: one stroke, or as many as its clapper makes.

    Args:
        rng: Source of chance.
        strength: 0 to 1.
        kind: One of `SMALL`.
        size: 0 to 1, or small, medium, large.
        variant: Another bell.
    """
    return _rung(
        rng, strength, choice(SMALL, kind, "kind"), size=size_of(size), who=f"small {kind} {variant}", name="small_bell"
    )


def _rung(rng: np.random.Generator, strength: float, kind: Bell, *, size: float, who: str, name: str) -> Mono:
    chance = character("bell", who)
    note_hz = kind.small_hz * (kind.large_hz / kind.small_hz) ** size * float(np.exp(chance.normal(0.0, 0.06)))
    base = note_hz * np.array(kind.ratios) * np.exp(chance.normal(0.0, 0.006, len(kind.ratios)))
    f = np.concatenate([base, base * (1.0 + kind.split * chance.uniform(0.3, 1.0, len(base)))])
    t60 = kind.t60_s * (0.6 + 0.8 * size) * (f / note_hz) ** kind.slope * np.exp(chance.normal(0.0, 0.2, len(f)))
    contact_s = kind.contact_s * max(strength, 0.05) ** -0.35
    gains = np.exp(chance.normal(0.0, 0.4, len(f))) * hertz_gain(f, contact_s) * np.repeat([1.0, 0.55], len(base))
    count = int(rng.integers(int(kind.strokes[0]), int(kind.strokes[1]) + 1))
    sound = _strokes(
        rng, f, np.minimum(t60, RING_S[name]), gains=gains, count=count, gap_s=kind.gap_s, ring_s=RING_S[name]
    )
    knock = kind.clap * noise_burst(rng, 0.02 + 15.0 * contact_s, low_hz=500.0, high_hz=min(15_000.0, 1.5 / contact_s))
    # a room on all of a ring of seconds would cost more than the bell, and be lost in it: the knock alone has one
    return finished_hit(mixed(peak_of(sound), in_a_room(rng, knock, 0.3)), strength, ring_s=RING_S[name])


def _strokes(
    rng: np.random.Generator, f: Signal, t60: Signal, *, gains: Signal, count: int, gap_s: float, ring_s: float
) -> Signal:
    """Return strokes of a clapper, the first strongest; each finds the modes where the last left them, and adds."""
    length = length_samples(min(ring_s, 1.1 * float(t60.max()) + 0.05))
    if count == 1:
        weights = gains * np.exp(rng.normal(0.0, 0.3, len(f)))
        return ring_modes(f, t60, weights, length, phases=rng.uniform(-0.6, 0.6, len(f)))
    phases = np.exp(1j * rng.uniform(-0.2, 0.2, (1, len(f))))
    takes = gains * np.exp(rng.normal(0.0, 0.3, (min(count, 4), len(f))))
    rung = ring_takes(f, t60, takes * phases, length=length)
    sound = np.zeros(length)
    at_s = 0.0
    for stroke in range(count):
        level = 1.0 if stroke == 0 else rng.uniform(0.4, 0.75) * (1.0 - 0.5 * stroke / count)
        add_at(sound, level * rung[stroke % len(rung)], to_samples(at_s, RATE_HZ))
        at_s += gap_s * rng.uniform(0.75, 1.3)
    return sound


ROSSING = "bell partials: Fletcher & Rossing 1998; decay: Rossing & Perrin 1987"

RECIPES = (
    HitRecipe("bell", "bells", bell, defaults_of(bell), ring_s=RING_S["bell"], source=ROSSING),
    HitRecipe("small_bell", "bells", small_bell, defaults_of(small_bell), ring_s=RING_S["small_bell"], source=ROSSING),
)
