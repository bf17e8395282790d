"""Looks at the film, as far as one can see."""

from dataclasses import replace

from foley.contracts import GeneratorSettings
from tests.plugins.saboteur import FAITHFUL, Saboteur


def build(settings: GeneratorSettings | None = None) -> Saboteur:
    return Saboteur("watcher", replace(FAITHFUL, video=True, rank=10))
