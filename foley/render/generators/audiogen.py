"""AudioGen: sound effects from a prompt, written as codes by a language model. Source: F. Kreuk et al., 2022.

Its model is a name of the catalogue, a folder that `foley models convert` made, or a folder as audiocraft publishes it.
"""

from __future__ import annotations

from foley.contracts import Capabilities, GeneratorSettings
from foley.render.musicgen_voice import MusicgenVoice

LONGEST_S = 30.0
"""Three of the segments of 10 s that it was trained on: each hears half of the one before, and past that it drifts."""


class AudioGen(MusicgenVoice):
    """Makes any sound effect that can be put into words: 16 kHz, one channel."""

    name = "audiogen"
    default = "audiogen-medium"
    text_encoder = "google-t5/t5-large"
    capabilities = Capabilities(
        kinds=frozenset({"hits", "span", "bed"}),
        rate_hz=16_000,
        channels=1,
        max_duration_s=LONGEST_S,
        hit_exact=False,
        code_licence="Apache-2.0",
        weights_licence="CC-BY-NC-4.0",
        commercial=False,
        rank=120,
        memory_mb=6500,  # 3.7 GB language model, 1.3 GB text encoder, 0.2 GB codec, a batch of sounds
        follows_curve=False,
    )


def build(settings: GeneratorSettings | None = None) -> AudioGen:
    """Make the generator."""
    return AudioGen(settings)
