"""Starts every sound 150 ms late, as generators that read a prompt do, over a little noise."""

from dataclasses import replace

import numpy as np

from foley.contracts import GeneratorSettings, SoundRequest
from foley.model import Audio
from foley.units import to_samples
from tests.plugins.saboteur import FAITHFUL, Saboteur

LATE_S = 0.150


def delay(audio: Audio, request: SoundRequest) -> Audio:
    late = to_samples(LATE_S, audio.rate_hz)
    moved = np.pad(audio.samples, ((0, 0), (late, 0)))[:, : audio.length]
    noise = 0.001 * request.rng.standard_normal(moved.shape)
    return Audio((moved + noise).astype(np.float32), audio.rate_hz)


def build(settings: GeneratorSettings | None = None) -> Saboteur:
    return Saboteur("late", replace(FAITHFUL, hit_exact=False), delay)
