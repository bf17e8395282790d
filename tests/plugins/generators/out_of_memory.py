"""Has no room for more than two sounds at once; with the parameter `room` for so many, 0 for none at all."""

from collections.abc import Sequence
from dataclasses import replace

from foley.contracts import GeneratorSettings, SoundRequest
from foley.errors import DeviceMemoryError
from foley.model import Audio
from tests.plugins.saboteur import BATCHES, HEAVY, Saboteur


class Cramped(Saboteur):
    def generate(self, requests: Sequence[SoundRequest]) -> list[Audio]:
        room = min(int(request.event.parameters.get("room", 2)) for request in requests)
        if len(requests) > room:
            BATCHES.append([request.duration_s for request in requests])
            raise DeviceMemoryError(requests[0].event.id, self.name, "cpu")
        return super().generate(requests)


def build(settings: GeneratorSettings | None = None) -> Saboteur:
    return Cramped("out_of_memory", replace(HEAVY, rank=55))
