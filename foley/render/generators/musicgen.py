"""MusicGen: music from a prompt, for what is seen to play: a radio, a band, a music box. Source: J. Copet et al., 2023.

Its model is musicgen-small, -medium, -large, a stereo or melody one, a folder of transformers with such a model, or one
as audiocraft publishes it (mono, text). It makes sound only where it is named: a sound effect must not turn into music.
"""

from __future__ import annotations

from dataclasses import replace

from foley.contracts import Capabilities, GeneratorSettings
from foley.model import SoundEvent
from foley.neural import musicgen
from foley.render.musicgen_voice import MusicgenVoice

LONGEST_S = 60.0
"""Two of the segments of 30 s that it was trained on, less what the second hears of the first."""


class MusicGen(MusicgenVoice):
    """Makes music: 32 kHz, one channel or two."""

    name = "musicgen"
    default = "musicgen-medium"
    text_encoder = "google-t5/t5-base"

    def __init__(self, settings: GeneratorSettings | None = None) -> None:
        super().__init__(settings)
        place = self.place()
        shape = musicgen.shape_of(place) if place is not None else None
        self.capabilities = _capabilities(shape or _usual(self.model))

    def suits(self, event: SoundEvent) -> bool:
        """Return whether the event names this generator, goes on, and says what is played."""
        return event.generator == self.name and event.kind != "hits" and super().suits(event)


def build(settings: GeneratorSettings | None = None) -> MusicGen:
    """Make the generator."""
    return MusicGen(settings)


def _usual(model: str) -> musicgen.Shape:
    """Return what a model that is not here will be, by its name."""
    kind = musicgen.MELODY if "melody" in model else "musicgen"
    return musicgen.Shape(32_000, 2 if "stereo" in model else 1, kind)


def _capabilities(shape: musicgen.Shape) -> Capabilities:
    made = Capabilities(
        kinds=frozenset({"span", "bed"}),
        rate_hz=shape.rate_hz,
        channels=shape.channels,
        max_duration_s=LONGEST_S,
        hit_exact=False,
        code_licence="Apache-2.0",
        weights_licence="CC-BY-NC-4.0",
        commercial=False,
        rank=170,
        memory_mb=5500,  # of musicgen-medium: 3 GB language model, 0.5 GB text encoder, 0.2 GB codec, a batch of sounds
        follows_curve=False,
    )
    longest_s = musicgen.SEGMENT_S if shape.kind == musicgen.MELODY else LONGEST_S
    return replace(made, max_duration_s=longest_s)
