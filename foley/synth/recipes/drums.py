"""Drums, cymbal, plucked string.

Source: N. Fletcher, T. Rossing, "The Physics of Musical Instruments", 1998. Where a made sound stands in for an
instrument seen in the picture it is a stand-in: pitch and hand are not the player's.
"""

from __future__ import annotations

import numpy as np

from foley.synth.chain import mixed, peak_of, recorded_hit, tilted
from foley.synth.excitation import Signal, decay, high_passed, length_samples, low_passed, noise_burst
from foley.synth.finish import character, defaults_of
from foley.synth.recipe import HitRecipe, MakesHit, Mono
from foley.synth.resonators import MEMBRANE_RATIOS, resonance, ring_modes, thud
from foley.units import RATE_HZ

SOURCE = "Fletcher & Rossing 1998"


def membrane(
    rng: np.random.Generator,
    chance: np.random.Generator,
    pitch_hz: float,
    t60_s: float,
    *,
    strength: float,
    skin: float,
) -> Signal:
    """Return a dry drum head, peak about 1: its modes, a pitch that falls, the slap of what struck it.

    Modes die as f^-0.75; a stronger blow stretches the head, so its pitch starts up to 12 % higher.

    Args:
        rng: Source of chance of this blow.
        chance: Source of chance of this drum.
        pitch_hz: Of the lowest mode.
        t60_s: Of the lowest mode.
        strength: 0 to 1.
        skin: Peak of the slap re the modes.
    """
    base = np.array(MEMBRANE_RATIOS) * np.exp(chance.normal(0.0, 0.01, len(MEMBRANE_RATIOS)))
    f = pitch_hz * np.concatenate([base, 1.012 * base[1:8]])  # partners: no head is evenly tuned
    order = np.concatenate([np.arange(len(base)), np.arange(1, 8)])
    place = rng.uniform(0.3, 0.8)
    gains = np.exp(-0.35 * order * (1.3 - 0.5 * strength)) * (np.abs(np.cos(place * order)) + 0.25)
    t60 = t60_s * (f / pitch_hz) ** -0.75 * np.exp(chance.normal(0.0, 0.15, len(f)))
    ringing = ring_modes(f, t60, gains, length_samples(1.2 * t60_s), phases=rng.uniform(0.0, 0.5, len(f)))
    push = thud(rng, pitch_hz, 1.4 * t60_s, drop=0.12 * strength, noise=0.0)
    slap = noise_burst(rng, 0.02 + 0.02 * strength, low_hz=500.0, high_hz=2500.0 + 5500.0 * strength)
    return mixed(peak_of(ringing, 0.55), 0.45 * push, skin * strength * slap)


def conga(
    rng: np.random.Generator,
    strength: float,
    /,
    *,
    pitch_hz: float | str = 190.0,
    variant: float | str = 0,
    **_: float | str,
) -> Mono:
    """Return a hand on a conga."""
    head = membrane(rng, character("conga", variant), float(pitch_hz), 0.3, strength=strength, skin=0.6)
    return recorded_hit(rng, head, strength, ring_s=0.7)


def snare(rng: np.random.Generator, strength: float, /, *, variant: float | str = 0, **_: float | str) -> Mono:
    """Return a stick on a snare drum: the head, and wires above 1.2 kHz that rattle for 160 ms."""
    head = membrane(rng, character("snare", variant), 190.0, 0.2, strength=strength, skin=0.6)
    wires = high_passed(rng.standard_normal(length_samples(0.2)), 1200.0)
    wires = peak_of(wires * decay(len(wires), 0.16), 0.8)
    return recorded_hit(rng, mixed(head, wires), strength, ring_s=0.5)


def kick(rng: np.random.Generator, strength: float, /, *, variant: float | str = 0, **_: float | str) -> Mono:
    """Return a felt beater on a bass drum: 62 Hz, dropping by more than half from where it starts."""
    head = membrane(rng, character("kick", variant), 62.0, 0.35, strength=strength, skin=0.35)
    push = thud(rng, 50.0, 0.5, drop=1.2)
    return recorded_hit(rng, mixed(0.5 * low_passed(head, 4500.0, 1), 0.9 * push), strength, ring_s=0.8)


def cymbal(rng: np.random.Generator, strength: float, /, *, variant: float | str = 0, **_: float | str) -> Mono:
    """Return a stick on a cymbal: 140 modes from 0.3 to 14 kHz that fill up over 12 ms, after the stick's tick.

    Energy cascades from low to high modes, so the wash builds up after the blow.
    """
    chance = character("cymbal", variant)
    f = np.sort(np.exp(chance.uniform(np.log(300.0), np.log(14_000.0), 140)))
    t60 = 1.8 * (f / 3000.0) ** -0.4 * np.exp(chance.normal(0.0, 0.3, len(f)))
    gains = np.exp(rng.normal(0.0, 0.6, len(f))) * (f / 4000.0) ** (0.3 * strength)
    wash = ring_modes(f, t60, gains, length_samples(2.0), phases=rng.uniform(0.0, 2.0 * np.pi, len(f)), floor_db=-50.0)
    wash *= 1.0 - 0.7 * np.exp(-np.arange(len(wash)) / (0.012 * RATE_HZ))
    tick = noise_burst(rng, 0.02, low_hz=1500.0, high_hz=11_000.0)
    return recorded_hit(rng, mixed(peak_of(wash, 0.8), 0.55 * tick), strength, ring_s=2.0, wet=0.15)


def pluck(rng: np.random.Generator, strength: float, /, *, pitch_hz: float | str = 110.0, **_: float | str) -> Mono:
    """Return a plucked string on a wooden body.

    f_k = k f0 sqrt(1 + B k^2) with B = 3e-4; strength of mode k ~ |sin(k pi p)| / k^(1.6 - bright) plucked at p; T60
    falls as 1 / (1 + 0.05 k^1.3). The body answers at 105, 200 and 400 Hz.
    """
    pitch = float(pitch_hz)
    k = np.arange(1, int(min(40.0, 0.45 * RATE_HZ / pitch)))
    f = k * pitch * np.sqrt(1.0 + 3e-4 * k * k)
    gains = np.abs(np.sin(np.pi * k * rng.uniform(0.15, 0.25))) / k ** (1.3 - 0.4 * strength)
    t60 = 2.0 / (1.0 + 0.05 * k**1.3)
    both = np.concatenate([f, 1.0015 * f[:8]])  # the string swings in two planes of slightly different pitch
    string = ring_modes(
        both,
        np.concatenate([t60, 1.3 * t60[:8]]),
        np.concatenate([gains, 0.4 * gains[:8]]),
        length_samples(2.2),
        phases=np.full(len(both), 0.5 * np.pi),  # it is let go from where it was pulled to, not pushed from rest
    )
    box = (
        0.5 * resonance(string, 105.0, 4.0) + 0.6 * resonance(string, 200.0, 5.0) + 0.2 * resonance(string, 400.0, 5.0)
    )
    nail = noise_burst(rng, 0.012, low_hz=400.0, high_hz=5000.0)
    sound = mixed(peak_of(tilted(string, 0.8) + box), 0.35 * nail, 0.12 * thud(rng, 105.0, 0.12))
    return recorded_hit(rng, sound, strength, ring_s=2.2, wet=0.2)


def _recipe(name: str, make: MakesHit, ring_s: float) -> HitRecipe:
    return HitRecipe(name, "music", make, defaults_of(make), ring_s=ring_s, source=SOURCE)


RECIPES = (
    _recipe("conga", conga, 0.7),
    _recipe("snare", snare, 0.5),
    _recipe("kick", kick, 0.8),
    _recipe("cymbal", cymbal, 2.0),
    _recipe("pluck", pluck, 2.2),
)
