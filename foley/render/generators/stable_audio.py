"""Stable Audio: sound of text by latent diffusion, 44.1 kHz stereo; Open 1.0, and 3 in its sizes Small-SFX and Medium.

`--model` is a name of the catalogue, a folder for diffusers, or Stable Audio 3 as it is published (model.safetensors,
model_config.json, t5gemma-b-b-ul2/), which is converted into the user's cache the first time.

| model | longest | steps | told what to avoid |
|---|---|---|---|
| stable-audio-3-small-sfx (default; made for effects, runs without a GPU) | 120 s | 8 | no |
| stable-audio-3-medium | 380 s | 8 | no |
| stable-audio-open-1.0 | 47.5 s, which is what it always computes | 50 | yes |

An event with the parameter `enrich`, a number above 0 and up to 1, is first made by the recipe it names, in time with
the picture, and then varied: its course stays, and the nearer to 1 the more of the rest is the model's. Try 0.4 first.

The weights' licence allows commercial use below a yearly revenue of a million US$. What the settings here sound like
with the published weights was not measured.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from foley import plugins
from foley.contracts import Capabilities, Generator, GeneratorSettings, SoundRequest
from foley.dsp.resample import resample
from foley.errors import FoleyError, GenerationError
from foley.model import Audio, SoundEvent
from foley.neural import memory, pool, runtime, stable_audio, weights
from foley.neural.stable_audio import Checkpoint
from foley.neural.stable_audio_models import Model, Wanted
from foley.render.prompting import negative_prompt_of, prompt_of, seed_of
from foley.units import to_samples

NAME = "stable_audio"
VERSION = "1"
"""Raise it when a request gives another sound for the same weights: it is part of every take's key."""

DEFAULT = "stable-audio-3-small-sfx"
"""Its name in the catalogue."""

LONGEST_S = {DEFAULT: 120.0, "stable-audio-3-medium": 380.0, "stable-audio-open-1.0": 1024 * 2048 / 44_100}
"""Of models that are not here: so that what they can is known before they are fetched."""

SIZE_MB = {DEFAULT: 3_600, "stable-audio-3-medium": 10_600, "stable-audio-open-1.0": 5_400}
"""Of all components in 32 bits, by their authors' counts: 0.57, 2.3 and 1.3 thousand million numbers, with the reader
of texts in the last, which takes 0.28 more in the others. On CUDA the transformer takes half of its part."""

SOUND_MB = 700
"""Expected use for one sound beside the weights: Open's decoder in parts, the transformer with guidance. Reckoned."""

SHORTEST_S = 1.0
"""Models were trained on whole seconds: what is shorter is cut out of one."""

RING_S = 1.5
"""How long a hit is asked for after its onset: most have died away, and the model may let them."""

ENRICH = "enrich"
"""The parameter of an event that asks for its recipe's sound, varied with this strength."""

BASE = "procedural"
"""The generator that plays recipes."""


class StableAudio:
    """Makes an event's sound of its prompt, or out of its recipe's sound and its prompt."""

    def __init__(self, settings: GeneratorSettings) -> None:
        self._settings = settings
        self._model = settings.model or DEFAULT
        self.capabilities = Capabilities(
            kinds=frozenset({"hits", "span", "bed"}),
            rate_hz=44_100,
            channels=2,
            max_duration_s=self._longest_s(),
            hit_exact=False,
            code_licence="Apache-2.0",
            weights_licence="stability-ai-community",
            commercial=True,
            rank=110,
            memory_mb=SIZE_MB.get(self._model, SIZE_MB[DEFAULT]) + SOUND_MB,
            follows_curve=False,
        )

    def identity(self) -> str:
        """Return name, version, the weights' revision, and what else changes the samples."""
        place = self.place()
        revision = weights.revision(place) if place else "not here"
        return f"{NAME}/{VERSION} {revision} {self._settings.device} {self._base().identity()}"

    def place(self) -> Path | None:
        """Return where its weights are; None where they are not here."""
        return weights.find(self._model)

    def missing(self) -> tuple[str, ...]:
        """Return what must be installed or fetched."""
        if needed := runtime.missing(*stable_audio.PACKAGES):
            return needed
        if self._settings.quantise:
            return (f"leave --quantise out: {NAME} computes with its weights as they are",)
        try:
            self._checkpoint()
        except FoleyError as error:
            return (f"{error.message}: {error.hint}",)
        return ()

    def suits(self, event: SoundEvent) -> bool:
        """Return whether the event says in words what it is, and has a recipe where one is to be enriched."""
        strength = event.parameters.get(ENRICH)
        return bool(prompt_of(event).strip()) and (strength is None or self._base().suits(_plain(event)))

    def margins_s(self, event: SoundEvent) -> tuple[float, float]:
        """Return how long a hit rings; of what is enriched, its recipe's."""
        if ENRICH in event.parameters:
            return self._base().margins_s(_plain(event))
        return 0.0, RING_S if event.kind == "hits" else 0.0

    def prepare(self) -> None:
        """Load the model.

        Raises:
            MissingWeightsError: where the weights are not here, or do not fit.
            OptionError: where the device that is wanted is not there.
        """
        self._loaded()

    def generate(self, requests: Sequence[SoundRequest]) -> list[Audio]:
        """Return one sound for each request.

        Raises:
            DeviceMemoryError: where the batch does not fit.
            GenerationError: where a sound is longer than the model can, or cannot be enriched.
        """
        made: dict[int, Audio] = {}
        if not requests:
            return []
        with memory.translated(requests[0].event.id, NAME, runtime.device(self._settings.device)):
            model = self._loaded()
            written = [number for number, request in enumerate(requests) if ENRICH not in request.event.parameters]
            made |= zip(written, self._written(model, [requests[number] for number in written]), strict=True)
            for number in set(range(len(requests))) - made.keys():
                made[number] = self._enriched(model, requests[number])
        return [_exactly(made[number], request.duration_s) for number, request in enumerate(requests)]

    def _written(self, model: Model, requests: Sequence[SoundRequest]) -> list[Audio]:
        """Return sounds made of their prompts alone."""
        wanted = [_wanted(request) for request in requests]
        for request, wish in zip(requests, wanted, strict=True):
            if wish.duration_s > model.longest_s:
                reason = f"makes {model.longest_s:.1f} s at once, {wish.duration_s:.1f} s were asked for"
                raise GenerationError(request.event.id, NAME, reason)
        limit_mb = self._settings.max_vram_mb
        most = memory.largest_batch(SOUND_MB, model.device, model_mb=self._size_mb(), max_vram_mb=limit_mb)
        return stable_audio.make(model, wanted, most=most)

    def _enriched(self, model: Model, request: SoundRequest) -> Audio:
        """Return the recipe's sound, varied; its level is brought back, as the model knows none."""
        event = request.event
        try:
            strength = float(event.parameters[ENRICH])
        except ValueError as cause:
            raise GenerationError(event.id, NAME, f"{ENRICH} must be a number, above 0 and up to 1") from cause
        wanted = _wanted(request)
        base = self._base()
        base.prepare()
        (played,) = base.generate([replace(request, event=_plain(event))])
        try:
            return stable_audio.vary(model, resample(played, model.rate_hz), wanted, strength=strength)
        except ValueError as cause:
            raise GenerationError(event.id, NAME, str(cause)) from cause

    def _base(self) -> Generator:
        base: Generator = plugins.build("generator", BASE)
        return base

    def _checkpoint(self) -> Checkpoint:
        return Checkpoint.at(weights.need(self._model))

    def _longest_s(self) -> float:
        try:
            return Checkpoint.at(self.place() or Path()).longest_s
        except FoleyError:  # not here, or not usable: `missing` says so
            return LONGEST_S.get(self._model, LONGEST_S[DEFAULT])

    def _size_mb(self) -> int:
        """Return the use of the device's memory by the weights that are here, as if all were of 32 bits."""
        return stable_audio.size_mb(self._checkpoint())

    def _loaded(self) -> Model:
        """Return the model, loaded once in this process."""
        checkpoint, device = self._checkpoint(), runtime.device(self._settings.device)
        key = (NAME, str(checkpoint.folder), weights.revision(checkpoint.folder), device)
        return pool.hold(
            key,
            lambda: stable_audio.load(checkpoint, name=self._model, device=device),
            size_mb=self._size_mb(),
            device=device,
            max_vram_mb=self._settings.max_vram_mb,
        )


def build(settings: GeneratorSettings | None = None) -> StableAudio:
    """Make the generator."""
    return StableAudio(settings or GeneratorSettings())


def _wanted(request: SoundRequest) -> Wanted:
    event = request.event
    return Wanted(
        prompt_of(event), negative_prompt_of(event), max(request.duration_s, SHORTEST_S), seed_of(request.rng)
    )


def _plain(event: SoundEvent) -> SoundEvent:
    """Return the event as its recipe's player takes it."""
    return replace(event, parameters={name: value for name, value in event.parameters.items() if name != ENRICH})


def _exactly(sound: Audio, duration_s: float) -> Audio:
    """Return the first samples of a sound that is long enough."""
    return Audio(sound.samples[:, : to_samples(duration_s, sound.rate_hz)], sound.rate_hz)
