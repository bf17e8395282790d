"""Hands that go to and fro: how fast a tool moves through its strokes, and how what it rubs answers.

Source: K. van den Doel, P. Kry, D. Pai, "FoleyAutomatic: physically-based sound effects for interactive simulation and
animation", SIGGRAPH 2001 (scraping: noise of the surface, at the speed of contact, in the object's modes).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from foley.synth.excitation import Signal, length_samples
from foley.synth.materials import Body
from foley.synth.recipe import Mono
from foley.synth.resonators import ring_modes
from foley.synth.rotation import on_grid, rotating, wander
from foley.synth.textures import unit_energy


@dataclass(frozen=True, slots=True, eq=False)
class Strokes:
    """Strokes, on the grid of `control_times_s`."""

    speed: Signal
    """0 at the turns to about 1."""
    forward: Signal
    """1 while it goes, 0 while it comes back."""


def strokes(rng: np.random.Generator, intensity: Mono, strokes_hz: float, *, pause: float = 0.0) -> Strokes:
    """Return strokes to and fro, `strokes_hz` pairs a second at full intensity and half as fast near 0.

    No two are alike in length, force and pace. With 0 strokes a second the intensity itself is the movement.

    Args:
        rng: Chance.
        intensity: For every sample.
        strokes_hz: Pairs of strokes a second.
        pause: Share of the strokes that are left out, between words or to look at the work.
    """
    drive, count = on_grid(intensity), len(intensity)
    if strokes_hz <= 0.0:
        return Strokes(np.ones(len(drive)), np.ones(len(drive)))
    hz = strokes_hz * (0.5 + 0.5 * drive) * (1.0 + 0.12 * wander(rng, count, 0.8 * strokes_hz, 2))
    phase = rotating(hz, count, start=rng.random()).turns
    stroke = np.asarray(2.0 * phase, np.int64)
    force = np.exp(0.18 * rng.standard_normal(int(stroke[-1]) + 2)) * (rng.random(int(stroke[-1]) + 2) >= pause)
    return Strokes(np.abs(np.sin(2.0 * np.pi * phase)) * force[stroke], np.asarray(stroke % 2 == 0, np.float64))


def answer(thing: Body) -> Signal:
    """Return how an object answers a scratch: its 16 lowest modes, damped by what rubs on it; of energy 1."""
    f = thing.modes_hz[:16]
    response = ring_modes(f, np.minimum(thing.t60_s[:16] / 3.0, 0.3), thing.gains[:16], length_samples(0.25))
    return unit_energy([response])[0]


def through(sound: Signal | Mono, response: Signal) -> Signal:
    """Return the sound through a response, as long as it was."""
    from scipy.signal import oaconvolve

    heard = oaconvolve(np.asarray(sound, np.float32), response.astype(np.float32))
    return np.asarray(heard[: len(sound)], np.float64)
