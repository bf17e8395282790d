"""What the generators `audiogen` and `musicgen` share: which model they use, and how requests become its wishes."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import ClassVar

import numpy as np

from foley.contracts import SoundRequest
from foley.errors import MissingWeightsError
from foley.model import Audio, SoundEvent
from foley.neural import convert_audiogen, layouts, memory, musicgen, pool, runtime, weights
from foley.render.model_voice import ModelVoice
from foley.render.prompting import prompt_of, seed_of
from foley.units import to_samples

VERSION = "1"
"""Raise it when the same request gives another sound."""

RING_S = 1.5
"""How long a struck thing is heard out: most have died away by then."""


class MusicgenVoice(ModelVoice):
    """Turns prompts into sound with a model of the MusicGen family."""

    text_encoder: ClassVar[str]
    """What a checkpoint of audiocraft needs besides its own files."""
    packages = musicgen.PACKAGES
    fewer_bits = True

    def identity(self) -> str:
        """Return name, version, the weights' revision, and what else decides how it sounds."""
        place = self.place()
        published = place is not None and _is_published(place)
        revision = convert_audiogen.content_key(place) if place and published else self.revision()
        settings = self.settings
        return " ".join(filter(None, (f"{self.name}/{VERSION}", revision, settings.device, settings.quantise)))

    def missing(self) -> tuple[str, ...]:
        """Return what must be installed or fetched; of a checkpoint of audiocraft, its text encoder too."""
        return super().missing() or self._missing_beside(self.checkpoint())

    def checkpoint(self) -> Path:
        """Return where the model is.

        Raises:
            MissingWeightsError: where it is not here, or is another model.
            OptionError: where no model bears the name.
        """
        place = weights.need(self.model)
        if place.is_file():
            raise MissingWeightsError(self.model, "a file does not say what it holds", "give its folder")
        if not _is_published(place):
            musicgen.refuse_others(place, name=self.model, usual=self.default)
        return place

    def size_mb(self, device: str) -> int:
        """Return how much of a device's memory the model that is here is expected to take."""
        place = self.checkpoint()
        beside = self._text_encoder(place) if _is_published(place) else None
        return musicgen.size_mb(place, device) + (musicgen.size_mb(beside, device) if beside else 0)

    def margins_s(self, event: SoundEvent) -> tuple[float, float]:
        """Return no lead-in, and what a hit rings on; what goes on ends with its cause."""
        return 0.0, RING_S if event.kind == "hits" else 0.0

    def generate(self, requests: Sequence[SoundRequest]) -> list[Audio]:
        """Return one sound for each request.

        Raises:
            DeviceMemoryError: where they do not fit into the device's memory at once.
        """
        if not requests:
            return []
        wishes = [
            musicgen.Wish(prompt_of(one.event), one.duration_s, seed_of(one.rng), one.event.id) for one in requests
        ]
        # one piece of work: a model that is at it is not given up for another
        with memory.translated(requests[0].event.id, self.name, runtime.device(self.settings.device)):
            voice = self.loaded()
            sounds = voice.sounds(wishes, generator=self.name)
        return [
            Audio(np.ascontiguousarray(sound[:, : to_samples(one.duration_s, voice.rate_hz)]), voice.rate_hz)
            for one, sound in zip(requests, sounds, strict=True)
        ]

    def item_mb(self, duration_s: float) -> float:
        """Return what one sound needs beside the loaded model."""
        return self.loaded().item_mb(duration_s)

    def _missing_beside(self, place: Path) -> tuple[str, ...]:
        """Return what a checkpoint of audiocraft still needs to be converted."""
        if not _is_published(place) or self._text_encoder(place):
            return ()
        return (f"foley models get {self.text_encoder}",)

    def _text_encoder(self, place: Path) -> Path | None:
        """Return where the text encoder of a checkpoint of audiocraft is."""
        beside = str((place / convert_audiogen.TEXT_ENCODER_FOLDER).absolute())
        names = (beside, self.text_encoder, self.text_encoder.rpartition("/")[2])
        return next(filter(None, map(weights.find, names)), None)

    @cached_property
    def _loading(self) -> tuple[Path, tuple[str, ...]]:
        """Return the folder that is loaded, converted where it must be, and what tells the loaded model from others."""
        place = self.checkpoint()
        if _is_published(place):
            place = convert_audiogen.converted(place)
        device = runtime.device(self.settings.device)
        return place, ("musicgen", str(place), weights.revision(place), device, self.settings.quantise)

    def loaded(self) -> musicgen.Voice:
        """Return the model; a checkpoint of audiocraft is converted first, once.

        It may have been given up for another since it was last used.
        """
        place, key = self._loading
        device, quantise = runtime.device(self.settings.device), self.settings.quantise
        return pool.hold(
            key,
            lambda: musicgen.load(place, name=self.model, device=device, quantise=quantise),
            size_mb=musicgen.size_mb(place, device),
            device=device,
            max_vram_mb=self.settings.max_vram_mb,
        )


def _is_published(place: Path) -> bool:
    """Return whether a folder is as audiocraft publishes its checkpoints."""
    return layouts.layout_of(place) == "audiocraft"
