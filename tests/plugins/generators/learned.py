"""Holds a model that learned from recordings: every other seed of it talks, or with the parameter `talks` every one."""

from dataclasses import replace

import numpy as np

from foley.contracts import GeneratorSettings, SoundRequest
from foley.model import Audio
from tests.plugins.saboteur import HEAVY, Saboteur

TALKING = np.float32(0.123)
"""Value of the first sample of what a test takes for speech."""


def talk(audio: Audio, request: SoundRequest) -> Audio:
    samples = audio.samples.copy()
    talks = request.event.parameters.get("talks", "at times")
    if talks == "always" or (talks == "at times" and request.rng.integers(2)):
        samples[0, 0] = TALKING
    return Audio(samples, audio.rate_hz)


def build(settings: GeneratorSettings | None = None) -> Saboteur:
    return Saboteur("learned", replace(HEAVY, weights_licence="MIT", rank=20), talk)
