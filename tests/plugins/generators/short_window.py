"""Makes no more than 4 s at once, at 16 kHz, and its weights are not for commercial use.

With the parameter `uneven_db` every other window is that much louder, as generators that normalise each output are.
"""

from dataclasses import replace

import numpy as np

from foley.contracts import GeneratorSettings, SoundRequest
from foley.model import Audio
from foley.units import to_gain
from tests.plugins.saboteur import FAITHFUL, Saboteur

LONGEST_S = 4.0


def unevenly(audio: Audio, request: SoundRequest) -> Audio:
    assert request.duration_s <= LONGEST_S
    louder_db = float(request.event.parameters.get("uneven_db", 0.0)) * (round(request.start_s) % 2)
    return Audio(audio.samples * np.float32(to_gain(louder_db)), audio.rate_hz)


def build(settings: GeneratorSettings | None = None) -> Saboteur:
    restricted = replace(
        FAITHFUL,
        rate_hz=16_000,
        max_duration_s=LONGEST_S,
        weights_licence="CC-BY-NC-4.0",
        commercial=False,
        rank=60,
    )
    return Saboteur("short_window", restricted, unevenly)
