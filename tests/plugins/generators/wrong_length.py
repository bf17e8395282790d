"""Gives one sample too few."""

from foley.contracts import SoundRequest
from foley.model import Audio
from tests.plugins.saboteur import FAITHFUL, Saboteur


def shorten(audio: Audio, request: SoundRequest) -> Audio:
    return Audio(audio.samples[:, :-1], audio.rate_hz)


def build() -> Saboteur:
    return Saboteur("wrong_length", FAITHFUL, shorten)
