"""What the generators `audiogen` and `musicgen` share: which model they use, and how requests become its wishes."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import ClassVar

import numpy as np

from foley.contracts import Capabilities, GeneratorSettings, SoundRequest
from foley.errors import FoleyError, MissingWeightsError
from foley.model import Audio, SoundEvent
from foley.neural import convert_audiogen, layouts, memory, musicgen, pool, runtime, weights
from foley.render.prompting import prompt_of, seed_of
from foley.units import to_samples

VERSION = "1"
"""Raise it when the same request gives another sound."""

RING_S = 1.5
"""How long a struck thing is heard out: most have died away by then."""


class MusicgenVoice:
    """Turns prompts into sound with a model of the MusicGen family."""

    name: ClassVar[str]
    default: ClassVar[str]
    """The model that is used when none is named."""
    text_encoder: ClassVar[str]
    """What a checkpoint of audiocraft needs besides its own files."""
    capabilities: Capabilities

    def __init__(self, settings: GeneratorSettings | None = None) -> None:
        self.settings = settings or GeneratorSettings()

    def identity(self) -> str:
        """Return name, version, the weights' revision, and what else decides how it sounds."""
        place = self.place()
        revision = "absent" if place is None else weights.revision(place)
        if place is not None and _is_published(place):
            revision = convert_audiogen.content_key(place)
        settings = self.settings
        return " ".join(filter(None, (f"{self.name}/{VERSION}", revision, settings.device, settings.quantise)))

    def missing(self) -> tuple[str, ...]:
        """Return what must be installed or fetched."""
        if needed := runtime.missing(*musicgen.PACKAGES):
            return needed
        try:
            place = weights.need(self.model)
        except FoleyError as error:
            return (error.hint or error.message,)
        return self._missing_beside(place)

    def suits(self, event: SoundEvent) -> bool:
        """Return whether the event says in words what is heard."""
        return bool(prompt_of(event).strip())

    def margins_s(self, event: SoundEvent) -> tuple[float, float]:
        """Return no lead-in, and what a hit rings on; what goes on ends with its cause."""
        return 0.0, RING_S if event.kind == "hits" else 0.0

    def prepare(self) -> None:
        """Load the model; a checkpoint of audiocraft is converted first, once.

        Raises:
            MissingProgramError: where a package is not installed.
            MissingWeightsError: where the weights are not here or cannot be used.
            OptionError: where the device is not there, or cannot have weights in fewer bits.
        """
        self._voice()

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
            voice = self._voice()
            sounds = voice.sounds(wishes, generator=self.name)
        return [
            Audio(np.ascontiguousarray(sound[:, : to_samples(one.duration_s, voice.rate_hz)]), voice.rate_hz)
            for one, sound in zip(requests, sounds, strict=True)
        ]

    def item_mb(self, duration_s: float) -> float:
        """Return what one sound needs beside the loaded model."""
        return self._voice().item_mb(duration_s)

    @property
    def model(self) -> str:
        """Return the name or place of the model."""
        return self.settings.model or self.default

    def place(self) -> Path | None:
        """Return where the model is; None where it is not here."""
        return weights.find(self.model)

    def _missing_beside(self, place: Path) -> tuple[str, ...]:
        """Return what a checkpoint of audiocraft still needs to be converted."""
        if not _is_published(place) or (place / convert_audiogen.TEXT_ENCODER_FOLDER).is_dir():
            return ()
        names = (self.text_encoder, self.text_encoder.rpartition("/")[2])
        return () if any(map(weights.find, names)) else (f"foley models get {self.text_encoder}",)

    @cached_property
    def _loading(self) -> tuple[Path, tuple[str, ...]]:
        """Return the folder that is loaded, converted where it must be, and what tells the loaded model from others."""
        place = weights.need(self.model)
        if place.is_file():
            raise MissingWeightsError(self.model, "a file does not say what it holds", "give its folder")
        if _is_published(place):
            place = convert_audiogen.converted(place)
        device = runtime.device(self.settings.device)
        return place, ("musicgen", str(place), weights.revision(place), device, self.settings.quantise)

    def _voice(self) -> musicgen.Voice:
        """Return the model, loaded; it may have been given up for another since it was last used."""
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
