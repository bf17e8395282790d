"""Gives silence where sound is due."""

import numpy as np

from foley.contracts import GeneratorSettings, SoundRequest
from foley.model import Audio
from tests.plugins.saboteur import FAITHFUL, Saboteur


def hush(audio: Audio, request: SoundRequest) -> Audio:
    return Audio(np.zeros_like(audio.samples), audio.rate_hz)


def build(settings: GeneratorSettings | None = None) -> Saboteur:
    return Saboteur("silent", FAITHFUL, hush)
