"""Cannot make anything; does not even say so in foley's words."""

from foley.contracts import GeneratorSettings, SoundRequest
from foley.model import Audio
from tests.plugins.saboteur import FAITHFUL, Saboteur


def fail(audio: Audio, request: SoundRequest) -> Audio:
    raise RuntimeError("the model fell over")


def build(settings: GeneratorSettings | None = None) -> Saboteur:
    return Saboteur("raises", FAITHFUL, fail)
