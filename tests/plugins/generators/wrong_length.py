"""Gives one sample too few."""

from foley.contracts import GeneratorSettings, SoundRequest
from foley.model import Audio
from tests.plugins.saboteur import FAITHFUL, Saboteur


def shorten(audio: Audio, request: SoundRequest) -> Audio:
    return Audio(audio.samples[:, :-1], audio.rate_hz)


def build(settings: GeneratorSettings | None = None) -> Saboteur:
    return Saboteur("wrong_length", FAITHFUL, shorten)
