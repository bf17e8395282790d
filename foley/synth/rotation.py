"""What turns: how far a shaft has come, and the tones of whatever repeats with it.

Speeds change slowly, so turns are counted on the 1 ms grid of `control_times_s`; a period of any shape, however many
orders it has, is made once and read at the pace of the shaft.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.fft import irfft

from foley.synth.excitation import Signal
from foley.synth.recipe import Mono
from foley.synth.textures import CONTROL_SAMPLES, control_times_s, stretched
from foley.units import RATE_HZ

PERIOD_SAMPLES = 16_384
"""Length of a period's table: read without interpolation, order 32 of it still lies 48 dB over its own noise."""

BLOCK_SAMPLES = 340 * CONTROL_SAMPLES
"""What is read at once: it stays in the processor's cache."""


@dataclass(frozen=True, slots=True, eq=False)
class Rotation:
    """How far a shaft has turned."""

    turns: Signal
    """At the grid of `control_times_s(samples)`, rising."""
    samples: int

    def when(self, turns: Signal) -> npt.NDArray[np.int64]:
        """Return the samples at which it has turned so far; what lies outside is far outside."""
        places = np.arange(len(self.turns)) * float(CONTROL_SAMPLES)
        return np.asarray(np.interp(turns, self.turns, places, left=-1e6, right=1e9), np.int64)


def on_grid(curve: Mono | Signal) -> Signal:
    """Return a curve of one value for every sample on the grid of `control_times_s`."""
    nodes = np.arange(len(curve) // CONTROL_SAMPLES + 2) * CONTROL_SAMPLES
    return np.asarray(curve[np.minimum(nodes, len(curve) - 1)], np.float64)


def rotating(hz: Signal, samples: int, *, start: float = 0.0) -> Rotation:
    """Return the rotation of what turns at `hz`, given on the grid of `control_times_s`."""
    steps = 0.5 * (hz[1:] + hz[:-1]) * (CONTROL_SAMPLES / RATE_HZ)
    return Rotation(start + np.concatenate([[0.0], np.cumsum(steps)]), samples)


def wander(rng: np.random.Generator, samples: int, rate_hz: float, octaves: int = 1) -> Signal:
    """Return a random curve of expected mean 0 and variance 1 on the grid of `control_times_s(samples)`.

    It is what `slow_random` makes for every sample: about `rate_hz` corners a second, further octaves 3 dB weaker each.
    """
    times_s = control_times_s(samples)
    total = np.zeros(len(times_s))
    for octave in range(octaves):
        corners = times_s * (rate_hz * 2**octave) + rng.random()
        last = int(corners[-1]) + 2
        total += 0.7**octave * np.interp(corners, np.arange(last), rng.standard_normal(last))
    # straight lines between corners of variance 1 have variance 2/3 on average
    return np.asarray(total / math.sqrt(2 / 3 * sum(0.49**octave for octave in range(octaves))), np.float64)


def period(orders: Mapping[int, float], build: np.random.Generator) -> Mono:
    """Return one period with these orders at their peaks, in phases that this specimen has."""
    bins = np.zeros(PERIOD_SAMPLES // 2 + 1, np.complex128)
    for order, level in orders.items():
        bins[order] = level * np.exp(2j * np.pi * build.random())
    return np.asarray(irfft(bins, PERIOD_SAMPLES) * (PERIOD_SAMPLES / 2), np.float32)


def harmonics(count: int, fall_db: float, *, step: int = 1) -> dict[int, float]:
    """Return orders whose levels fall by `fall_db` per octave.

    >>> harmonics(2, 6.0)
    {1: 1.0, 2: 0.501}
    """
    return {step * order: round(float(10.0 ** (-fall_db * np.log2(order) / 20.0)), 3) for order in range(1, count + 1)}


def played(
    shaft: Rotation, table: Mono, *, ratio: float = 1.0, start: float = 0.0, level: Signal | None = None
) -> Signal:
    """Return a period read as the shaft turns.

    Args:
        shaft: What turns.
        table: One period.
        ratio: Periods a turn.
        start: Share of a period by which it is ahead.
        level: Factor on the grid of `control_times_s`.
    """
    sound, wave = np.empty(shaft.samples), np.asarray(table, np.float64)
    for first in range(0, shaft.samples, BLOCK_SAMPLES):
        count = min(BLOCK_SAMPLES, shaft.samples - first)
        nodes = slice(first // CONTROL_SAMPLES, (first + BLOCK_SAMPLES) // CONTROL_SAMPLES + 1)
        place = stretched(shaft.turns[nodes] * ratio + start, count)
        place -= np.floor(place)
        place *= len(wave)
        piece = sound[first : first + count]
        np.take(wave, place.astype(np.intp), out=piece, mode="clip")
        if level is not None:
            piece *= stretched(level[nodes], count)
    return sound
