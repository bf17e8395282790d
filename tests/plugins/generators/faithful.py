"""Does what it is asked."""

from foley.contracts import GeneratorSettings
from tests.plugins.saboteur import Saboteur


def build(settings: GeneratorSettings | None = None) -> Saboteur:
    return Saboteur("faithful")
