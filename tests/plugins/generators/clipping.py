"""Overdrives its output."""

import numpy as np

from foley.contracts import GeneratorSettings, SoundRequest
from foley.model import Audio
from tests.plugins.saboteur import FAITHFUL, Saboteur


def overdrive(audio: Audio, request: SoundRequest) -> Audio:
    return Audio(np.clip(40.0 * audio.samples, -1.0, 1.0).astype(np.float32), audio.rate_hz)


def build(settings: GeneratorSettings | None = None) -> Saboteur:
    return Saboteur("clipping", FAITHFUL, overdrive)
