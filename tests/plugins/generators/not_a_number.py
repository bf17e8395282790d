"""Lets one sample be no number, as half-precision models do."""

import numpy as np

from foley.contracts import GeneratorSettings, SoundRequest
from foley.model import Audio
from tests.plugins.saboteur import FAITHFUL, Saboteur


def poison(audio: Audio, request: SoundRequest) -> Audio:
    samples = audio.samples.copy()
    samples[0, audio.length // 2] = np.nan
    return Audio(samples, audio.rate_hz)


def build(settings: GeneratorSettings | None = None) -> Saboteur:
    return Saboteur("not_a_number", FAITHFUL, poison)
