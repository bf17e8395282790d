"""Is a service, and says with every sound what it cost."""

from dataclasses import replace

from foley.contracts import GeneratorSettings, SoundRequest
from foley.model import Audio
from tests.plugins.saboteur import FAITHFUL, Saboteur


def billed(audio: Audio, request: SoundRequest) -> Audio:
    return replace(audio, notes=("cost 3 cents",))


def build(settings: GeneratorSettings | None = None) -> Saboteur:
    return Saboteur("far_away", replace(FAITHFUL, remote=True, rank=5), billed)
