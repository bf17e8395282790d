"""Never comes back: it waits for a test to let it go."""

import threading
from collections.abc import Sequence

from foley.contracts import GeneratorSettings, SoundRequest
from foley.model import Audio
from tests.plugins.saboteur import HEAVY, Saboteur

LET_GO = threading.Event()


class Hanging(Saboteur):
    def generate(self, requests: Sequence[SoundRequest]) -> list[Audio]:
        LET_GO.wait(60.0)
        return []  # nobody waits for it any more: it must leave no trace in another test


def build(settings: GeneratorSettings | None = None) -> Saboteur:
    return Hanging("hangs", HEAVY)
