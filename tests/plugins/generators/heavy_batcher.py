"""Holds a model, and says what a sound needs: 100 MB a second."""

from foley.contracts import GeneratorSettings
from tests.plugins.saboteur import HEAVY, Saboteur


class Weighed(Saboteur):
    def item_mb(self, duration_s: float) -> float:
        return 100.0 * duration_s


def build(settings: GeneratorSettings | None = None) -> Saboteur:
    return Weighed("heavy_batcher", HEAVY)
