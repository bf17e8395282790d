"""Small parts that meet: bolts, catches, keys, buttons, pawls."""

from __future__ import annotations

import numpy as np

from foley.synth.chain import delayed, mixed
from foley.synth.excitation import Signal, contact_time_s, hertz_gain, length_samples, noise_burst
from foley.synth.materials import STEEL, Body, body, smoothed_by_contact
from foley.synth.resonators import ring_modes

PART_MODES = 18
"""A small part is over before more could be told apart."""


def tick(
    rng: np.random.Generator, part: Body, strength: float, *, hardness: float = 1.0, rough: float = 0.35
) -> Signal:
    """Return a short contact of a small part, peak near 1: its lowest modes and the noise of the surfaces.

    A quarter of the cost of `struck`, whose dense field only larger things have.
    """
    f, t60 = part.modes_hz[:PART_MODES], part.t60_s[:PART_MODES]
    contact_s = contact_time_s(part.material.contact_s, hardness, strength)
    gains = part.gains[:PART_MODES] * hertz_gain(f, contact_s) * np.exp(rng.normal(0.0, 0.3, len(f)))
    length = length_samples(min(0.35, 1.15 * float(t60.max()) + 0.01))
    ring = ring_modes(f, t60, gains, length, phases=rng.uniform(-0.5, 0.5, len(f)))
    ring = smoothed_by_contact(ring, contact_s)
    grind = noise_burst(rng, 0.012 + 20.0 * contact_s, low_hz=500.0, high_hz=min(1.6 / contact_s, 14_000.0))
    return mixed(ring / (np.abs(ring).max() + 1e-12), rough * grind)


def clack(
    rng: np.random.Generator, chance: np.random.Generator, strength: float, *, ring: float = 0.05, size: float = 0.3
) -> Signal:
    """Return two small steel parts that meet, the first harder, the second 12 to 35 ms later."""
    bolt = tick(rng, body(chance, STEEL, size=size, ring=ring), strength)
    catch = tick(rng, body(chance, STEEL, size=0.6 * size, ring=ring), strength)
    return mixed(0.9 * bolt, delayed(0.5 * catch, rng.uniform(0.012, 0.035)))


def row(rng: np.random.Generator, parts: list[Signal], *, gaps_s: Signal, levels: Signal) -> Signal:
    """Return sounds one after the other, drawn from a few: clicks of a pawl, pins of a lock."""
    times_s = np.concatenate([[0.0], np.cumsum(gaps_s)])[: len(levels)]
    which = rng.integers(0, len(parts), len(levels))
    placed = [
        delayed(level * parts[index], time_s)
        for index, time_s, level in zip(which.tolist(), times_s.tolist(), levels.tolist(), strict=True)
    ]
    return mixed(*placed)
