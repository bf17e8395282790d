"""Breaks its promise: what it makes depends on its place in the batch."""

from collections.abc import Sequence

import numpy as np

from foley.contracts import GeneratorSettings, SoundRequest
from foley.model import Audio
from tests.plugins.saboteur import HEAVY, Saboteur


class Dependent(Saboteur):
    def generate(self, requests: Sequence[SoundRequest]) -> list[Audio]:
        made = super().generate(requests)
        return [Audio(audio.samples * np.float32(0.9**place), audio.rate_hz) for place, audio in enumerate(made)]


def build(settings: GeneratorSettings | None = None) -> Saboteur:
    return Dependent("batch_dependent", HEAVY)
