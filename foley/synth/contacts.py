"""What follows a blow: hardly anything is struck only once.

What was struck comes down on its support, loose parts rattle, a dropped thing bounces and settles. Recordings of struck
objects differ from single computed blows by this more than by their modes: 40 to 300 ms after the blow they still tick
and clatter, 25 to 45 dB under it.

Sources: M. Rath, "An expressive real-time sound model of rolling", DAFx 2003 (bounces); P. Cook, "Physically informed
sonic modeling (PhISM)", Comp. Music J. 21, 1997 (loose particles); figures are fitted to recordings of struck objects.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from foley.synth.chain import delayed, faded, mixed
from foley.synth.excitation import Signal, contact_time_s, decay, hertz_gain, length_samples, low_passed
from foley.synth.finish import character, number
from foley.synth.materials import Body
from foley.synth.resonators import resonant_grains, ring_takes
from foley.synth.textures import scatter, shower
from foley.units import RATE_HZ

SIZES = {"small": 0.15, "medium": 0.5, "large": 0.85}
"""Of things, in words."""


TICKING = 12
"""Loose parts and grains that one blow wakes."""


def size_of(value: float | str) -> float:
    """Return a size from its word or number.

    Raises:
        ValueError: where it is neither one of `SIZES` nor 0 to 1.
    """
    return SIZES[value] if isinstance(value, str) and value in SIZES else number(value, 0.0, 1.0, "size")


AGAIN_S = 0.5
"""How long what comes down again is heard by itself: what still rings then is the blow's own ring."""


def come_down(rng: np.random.Generator, blow: Signal, loose: float) -> Signal:
    """Return a blow and up to three weaker contacts after it.

    What was struck jumps back onto its support, or the striker onto it, 10 to 60 ms later and each time sooner; a
    gentler contact is darker.

    Args:
        rng: Source of chance.
        blow: The blow.
        loose: Level of the first of them re the blow, 0 to 1.
    """
    parts, touch = [blow], blow
    if len(blow) > length_samples(AGAIN_S):
        touch = faded(blow[: length_samples(AGAIN_S)], 0.0, 0.5 * AGAIN_S)
    at_s, gap_s, level = 0.0, rng.uniform(0.010, 0.060), loose * rng.uniform(0.2, 0.8)
    for _ in range(3):
        at_s += gap_s
        if level < 0.02:
            break
        parts.append(delayed(low_passed(level * touch, 1500.0 + 9000.0 * level, 1), at_s))
        gap_s, level = gap_s * rng.uniform(0.5, 1.1), level * rng.uniform(0.35, 0.7)
    return mixed(*parts)


def rattle(rng: np.random.Generator, loose: float, band_hz: tuple[float, float]) -> Signal:
    """Return what small loose parts and grit do after a blow: ever fewer and weaker ticks over 0.2 to 0.45 s.

    Args:
        rng: Source of chance.
        loose: 0 silent to 1, where the loudest tick reaches a quarter of the blow.
        band_hz: Where the parts ring.
    """
    length = length_samples(rng.uniform(0.20, 0.45))
    loose_parts = _ticks(band_hz)
    grains = [loose_parts[index] for index in rng.integers(0, len(loose_parts), TICKING)]
    fewer = np.linspace(1.0, 0.0, length)
    fewer *= np.sqrt(fewer)
    ticks = shower(rng, length, grains, rate_hz=rng.uniform(60.0, 250.0), sigma=1.1, curve=fewer) * fewer
    return np.asarray(ticks * (0.25 * loose / (np.abs(ticks).max() + 1e-12)), np.float64)


@lru_cache(maxsize=64)
def _ticks(band_hz: tuple[float, float]) -> list[Signal]:
    """Return ticks in a band, of which each blow wakes a few."""
    return resonant_grains(character("ticks", str(band_hz)), *band_hz, quality=(1.0, 6.0), decay_s=0.005, count=96)


def takes_of(
    rng: np.random.Generator, thing: Body, strength: float, *, count: int, longest_s: float, hardness: float = 1.0
) -> list[Signal]:
    """Return quick blows on one object, peak 1, no two on the same spot: for what is made of many contacts.

    They have its 16 lowest modes, a share of its dense field, and the tick of the contact.

    Args:
        rng: Source of chance.
        thing: What is touched.
        strength: 0 to 1.
        count: How many.
        longest_s: They are cut (and faded) there.
        hardness: Of what touches it.
    """
    f, t60 = thing.modes_hz[:16], thing.t60_s[:16]
    length = length_samples(min(longest_s, 1.15 * float(t60.max()) + 0.02))
    contact_s = contact_time_s(thing.contact_s, hardness, strength)
    gains = thing.gains[:16] * hertz_gain(f, contact_s) * np.exp(rng.normal(0.0, 0.6, (count, len(f))))
    rung = ring_takes(f, t60, gains * np.exp(1j * rng.uniform(-0.5, 0.5, gains.shape)), length=length)
    rung /= np.abs(rung).max(axis=1, keepdims=True) + 1e-12
    field = 0.15 * thing.field * decay(length, max(0.01, 0.5 * float(np.median(t60))))
    tick = (0.1 + 0.4 * strength) * thing.noise * decay(length, 0.004 + 12.0 * contact_s)
    rung += rng.standard_normal((count, length), dtype=np.float32) * (field + tick)
    fade = length // 4
    rung[:, length - fade :] *= np.linspace(1.0, 0.0, fade) ** 2
    dull = low_passed(rung, min(1.6 / contact_s, 16_000.0), 1)
    return list(dull / (np.abs(dull).max(axis=1, keepdims=True) + 1e-12))


def clatter(rng: np.random.Generator, takes: list[Signal], times_s: Signal, *, levels: Signal) -> Signal:
    """Return contacts at times (s) with levels, each one of the takes."""
    at = np.round(np.asarray(times_s) * RATE_HZ).astype(np.int64)
    length = int(at.max(initial=0)) + max(len(take) for take in takes)
    return scatter(length, at, np.asarray(levels), grains=takes, which=rng.integers(0, len(takes), len(at)))


def flurry(rng: np.random.Generator, count: int, mean_s: float, *, sigma: float = 0.5) -> tuple[Signal, Signal]:
    """Return times and levels of contacts that crowd at first and thin out; the first, at 0, is the strongest.

    Args:
        rng: Source of chance.
        count: Contacts, the first included.
        mean_s: Mean delay of the others.
        sigma: Spread of their log-normal levels.
    """
    times = np.concatenate([[0.0], np.sort(rng.gamma(1.5, mean_s / 1.5, max(0, count - 1)))])
    levels = np.exp(sigma * np.minimum(rng.standard_normal(len(times)), 2.0) - 0.45 * times / mean_s)
    levels[1:] *= 0.75 / max(1.0, float(levels[1:].max(initial=0.0)))
    levels[0] = 1.0
    return times, levels
