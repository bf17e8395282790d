"""What every finished recipe goes through: level, limits, fades; and how recipes read their parameters."""

from __future__ import annotations

import inspect
import zlib
from collections.abc import Mapping, Sequence
from typing import TypeVar

import numpy as np

from foley.synth.excitation import Section, Signal, butterworth, filtered, length_samples
from foley.synth.recipe import MakesHit, MakesTexture, Mono
from foley.synth.textures import CONTROL_SAMPLES, stretched

T = TypeVar("T")

HIT_PEAK = 0.5
"""Peak of a hit of strength 1: room for two that fall together."""

TEXTURE_RMS = 0.1
"""RMS of a texture at intensity 1: 20 dB for the peaks of what crackles."""

SOFT_KNEE, CEILING = 0.6, 0.97
"""Where limiting begins, and what it never exceeds."""

DC_CORNER_HZ = 15.0
"""Below hearing; what is taken out there would only cost headroom."""

FADE_SHARE = 0.2
"""Of a hit's ring: natural decays are designed to be gone by then, the fade makes sure."""


def finished_hit(
    sound: Signal,
    strength: float,
    *,
    ring_s: float,
    lead_s: float = 0.0,
    bright_hz: float = 15_000.0,
    colour: Sequence[Section] = (),
) -> Mono:
    """Return the finished hit: softer and darker with less strength, died away `ring_s` after its contact.

    Level follows strength to the power 1.1, brightness falls in proportion (measured on struck objects: the spectral
    centroid about doubles from a strength of 0.15 to 1).

    Args:
        sound: Strength 1 at any level; its contact lies `lead_s` after its start.
        strength: 0 to 1.
        ring_s: How long it may sound after its contact.
        lead_s: How long it sounds before.
        bright_hz: Corner of the darkening at strength 1, where it is left out.
        colour: Filters that it goes through besides.
    """
    length = length_samples(lead_s + ring_s)
    sections = [*colour, butterworth(DC_CORNER_HZ, 1, high=True)]
    if strength < 1.0:
        sections.append(butterworth(max(400.0, bright_hz * strength), 1, high=False))
    heard = filtered(sound[:length], *sections)
    fade = min(len(heard), length_samples(FADE_SHARE * ring_s))
    # in single precision: a tenth of the time, and an error of -140 dB
    heard[len(heard) - fade :] *= 0.5 + 0.5 * np.cos(np.linspace(0.0, np.pi, fade, dtype=np.float32))
    peak = max(float(heard.max(initial=0.0)), -float(heard.min(initial=0.0))) + 1e-12
    return np.asarray(heard * (HIT_PEAK * max(strength, 0.0) ** 1.1 / peak), np.float32)


def settled(sound: Signal, intensity: Mono, *, rms: float) -> Mono:
    """Return the finished texture: at the level of `intensity`, free of DC, limited softly.

    Args:
        sound: What is to be settled.
        intensity: Factor for every sample.
        rms: Expected RMS of `sound` at intensity 1: known by construction or measured over minutes, never over the
            stretch at hand, so that all windows of an event are equally loud.
    """
    heard = np.asarray(sound - _lowest(sound), np.float32)
    heard *= intensity
    heard *= np.float32(TEXTURE_RMS / rms)
    return limited(heard)


def _lowest(sound: Signal) -> Signal:
    """Return what a sound has below `DC_CORNER_HZ`, 6 dB an octave: found in steps of 1 ms, a tenth of the work."""
    steps = len(sound) // CONTROL_SAMPLES
    means = sound[: steps * CONTROL_SAMPLES].reshape(steps, CONTROL_SAMPLES).mean(axis=1)
    slow = np.zeros(steps + 3)
    if steps:
        slow[1 : steps + 1] = filtered(means, butterworth(DC_CORNER_HZ * CONTROL_SAMPLES, 1, high=False))
        slow[steps + 1 :] = slow[steps]
    return stretched(0.5 * (slow[:-1] + slow[1:]), len(sound))  # a corner lies between two steps


def limited(sound: Signal | Mono) -> Mono:
    """Return the sound with what exceeds `SOFT_KNEE` bent towards `CEILING`."""
    straight = np.asarray(sound, np.float32)
    if max(straight.max(initial=0.0), -straight.min(initial=0.0)) <= SOFT_KNEE:
        return straight
    bent, room = straight.copy(), CEILING - SOFT_KNEE
    over = np.abs(bent) > SOFT_KNEE
    bent[over] = np.sign(bent[over]) * (SOFT_KNEE + room * np.tanh((np.abs(bent[over]) - SOFT_KNEE) / room))
    return bent


def add_at(sound: Signal, part: Signal, at: int) -> None:
    """Add a part to a sound, from a sample on; what does not fit is cut."""
    fits = max(0, min(len(part), len(sound) - at))
    sound[at : at + fits] += part[:fits]


def character(name: str, variant: float | str) -> np.random.Generator:
    """Return the chance that makes one specimen: this dog, this engine, this forest.

    It depends on nothing but name and variant, so that every window and every hit of one event is the same specimen.
    """
    return np.random.default_rng([zlib.crc32(name.encode()), zlib.crc32(str(variant).encode())])


def choice(table: Mapping[str, T], key: float | str, parameter: str) -> T:
    """Return the entry of a table that a parameter names.

    Raises:
        ValueError: where there is no such entry.
    """
    if key not in table:
        raise ValueError(f"{parameter} must be one of {', '.join(table)}; got {key!r}")
    return table[str(key)]


def number(value: float | str, low: float, high: float, parameter: str) -> float:
    """Return a parameter's value.

    Raises:
        ValueError: where it is no number or lies outside its range.
    """
    try:
        read = float(value)
    except ValueError:
        read = float("nan")
    if not low <= read <= high:
        raise ValueError(f"{parameter} must be a number from {low:g} to {high:g}; got {value!r}")
    return read


def defaults_of(make: MakesHit | MakesTexture) -> dict[str, float | str]:
    """Return the parameters of a recipe's function with their defaults."""
    named = inspect.signature(make).parameters.values()
    return {each.name: each.default for each in named if each.kind is inspect.Parameter.KEYWORD_ONLY}
