"""Stable Audio: sound of text by latent diffusion, 44.1 kHz stereo; Open 1.0, and 3 in its sizes Small-SFX and Medium.

`--model` is a name of the catalogue, a folder for diffusers, or Stable Audio 3 as it is published (model.safetensors,
model_config.json, t5gemma-b-b-ul2/), which is converted into the user's cache the first time.

| model | longest | steps | told what to avoid |
|---|---|---|---|
| stable-audio-3-small-sfx (default; made for effects, runs without a GPU) | 120 s | 8 | no |
| stable-audio-3-medium | 380 s | 8 | no |
| stable-audio-open-1.0 | 47.5 s, which is what it always computes | 50 | yes |

What is there already can be made into something else (parameters of an event, see `foley.render.reworking`): the sound
of a recipe or of the user's recordings is varied in time with the picture (`enrich`: its course stays, and the nearer
to 1 the more of the rest is the model's; try 0.4 first) or gone on with (`continue`), and parts of a sound are made
anew while the rest stays (`regenerate`).

The weights' licence allows commercial use below a yearly revenue of a million US$. What the settings here sound like
with the published weights was not measured.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import cache

from foley import plugins
from foley.contracts import Capabilities, Generator, GeneratorSettings, SoundRequest, makers
from foley.dsp.resample import resample
from foley.errors import FoleyError, GenerationError
from foley.model import Audio, SoundEvent
from foley.neural import memory, runtime, stable_audio, weights
from foley.neural.stable_audio import Checkpoint
from foley.neural.stable_audio_models import Model, Wanted
from foley.render import reworking
from foley.render.model_voice import ModelVoice
from foley.render.prompting import negative_prompt_of, prompt_of, seed_of
from foley.render.reworking import Rework
from foley.units import to_samples

NAME = "stable_audio"
VERSION = "2"
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


class StableAudio(ModelVoice):
    """Makes an event's sound of its prompt, or out of the sound of another generator and its prompt."""

    name = NAME
    default = DEFAULT
    packages = stable_audio.PACKAGES
    compiles = True
    sound_mb = SOUND_MB

    def __init__(self, settings: GeneratorSettings | None = None) -> None:
        super().__init__(settings)
        self._base = cache(lambda name: plugins.build("generator", name, self.settings.of(name)))
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
            memory_mb=SIZE_MB.get(self.model, SIZE_MB[DEFAULT]) + SOUND_MB,
            follows_curve=False,
        )

    def identity(self) -> str:
        """Return name, version, the weights' revision, and what else changes the samples."""
        return f"{NAME}/{VERSION} {self.revision()} {self.settings.device}{self.chosen()}"

    def made_with(self, event: SoundEvent) -> tuple[Generator, ...]:
        """Return who makes the sound that an event's is made out of, where there is one, and who has a part in that."""
        base = self._base_of(event)
        return makers(base, reworking.plain(event, _work(event).base)) if base else ()

    def suits(self, event: SoundEvent) -> bool:
        """Return whether the event says in words what it is, and there is a sound that it is to be made out of."""
        return super().suits(event) and not self.unfit(event)

    def unfit(self, event: SoundEvent) -> str:
        """Return why there is no sound that the event is to be made out of; "" where there is, or none is needed."""
        base = self._base_of(event)
        if base is None:
            return ""
        name = _work(event).base
        if lacks := base.missing():
            return f"is to work on the sound of {name}, which is not ready ({'; '.join(lacks)})"
        return "" if base.suits(reworking.plain(event, name)) else f"is to work on the sound of {name}, which has none"

    def margins_s(self, event: SoundEvent) -> tuple[float, float]:
        """Return how long a hit rings; of what is made out of another sound, that one's."""
        if base := self._base_of(event):
            return base.margins_s(reworking.plain(event, _work(event).base))
        return 0.0, RING_S if event.kind == "hits" else 0.0

    def generate(self, requests: Sequence[SoundRequest]) -> list[Audio]:
        """Return one sound for each request.

        Raises:
            DeviceMemoryError: where the batch does not fit.
            GenerationError: where a sound is longer than the model can, or what its parameters ask for means nothing.
        """
        if not requests:
            return []
        works = [_work(request.event) for request in requests]
        made: dict[int, Audio] = {}
        with memory.translated(requests[0].event.id, NAME, runtime.device(self.settings.device)):
            model = self.loaded()
            wishes = [_wanted(request, self.settings.steps) for request in requests]
            alone = [number for number, work in enumerate(works) if not work.needs_base]
            made |= zip(alone, self._written(model, [(requests[one], wishes[one]) for one in alone]), strict=True)
            for number, (request, work, wanted) in enumerate(zip(requests, works, wishes, strict=True)):
                if work.needs_base:
                    made[number] = self._reworked(model, request, work, wanted=wanted)
                for part in work.within(request.start_s, request.duration_s):
                    wish = replace(wanted, seed=(wanted.seed + work.again) % 2**63)
                    renewed = stable_audio.regenerate(model, made[number], part, wanted=wish)
                    made[number] = replace(renewed, notes=made[number].notes)
        return [_exactly(made[number], request.duration_s) for number, request in enumerate(requests)]

    def checkpoint(self) -> Checkpoint:
        """Return what is loaded, looked into without loading it.

        Raises:
            MissingWeightsError: where it is not here, or is another model.
        """
        return Checkpoint.at(weights.need(self.model))

    def loaded(self) -> Model:
        """Return the model, loaded once in this process."""
        checkpoint, compiled = self.checkpoint(), self.compiled

        def load(device: runtime.Device) -> Model:
            return stable_audio.load(checkpoint, name=self.model, device=device, compiled=compiled)

        return self._held(checkpoint.folder, load)

    def size_mb(self, device: str) -> int:
        """Return how much of a device's memory the model that is here is expected to take."""
        return stable_audio.size_mb(self.checkpoint())

    def _written(self, model: Model, asked: Sequence[tuple[SoundRequest, Wanted]]) -> list[Audio]:
        """Return sounds made of their prompts alone."""
        for request, wish in asked:
            if wish.duration_s > model.longest_s:
                reason = f"makes {model.longest_s:.1f} s at once, {wish.duration_s:.1f} s were asked for"
                raise GenerationError(request.event.id, NAME, reason)
        return stable_audio.make(model, [wish for _, wish in asked], most=self._at_once())

    def _reworked(self, model: Model, request: SoundRequest, work: Rework, *, wanted: Wanted) -> Audio:
        """Return a sound made out of another generator's, with what that one says of it."""
        try:
            if work.strength is not None:
                played = self._played(request, work, request.start_s, request.duration_s, rate_hz=model.rate_hz)
                made = stable_audio.vary(model, played, wanted, strength=work.strength)
            else:
                played, made = self._gone_on(model, request, work, wanted=wanted)
        except ValueError as cause:
            raise GenerationError(request.event.id, NAME, str(cause)) from cause
        return replace(made, notes=played.notes)

    def _gone_on(self, model: Model, request: SoundRequest, work: Rework, *, wanted: Wanted) -> tuple[Audio, Audio]:
        """Return what is kept of another's sound, and that with what comes after it, for one window of an event.

        A window that begins later hears the end of what is kept as if that came right before it.
        """
        kept_s = work.kept_s or 0.0
        later = request.start_s >= kept_s
        begins_s = max(0.0, kept_s - stable_audio.CONTEXT_S) if later else request.start_s
        heard_s = kept_s - begins_s if later else min(kept_s - begins_s, request.duration_s)
        before_s = heard_s if later else 0.0
        played = self._played(request, work, begins_s, heard_s, rate_hz=model.rate_hz)
        # one sample more than is due: lengths in seconds do not add up to the sample
        to_s = before_s + request.duration_s + 1 / model.rate_hz
        made = stable_audio.extend(model, played, to_s, wanted=wanted)
        return played, Audio(made.samples[:, to_samples(before_s, model.rate_hz) :], model.rate_hz)

    def _played(self, request: SoundRequest, work: Rework, start_s: float, duration_s: float, *, rate_hz: int) -> Audio:
        """Return the other generator's sound of a part of an event, at the model's rate."""
        base = self._base(work.base)
        base.prepare()
        event = reworking.plain(request.event, work.base)
        (played,) = base.generate([replace(request, event=event, start_s=start_s, duration_s=duration_s)])
        return replace(resample(played, rate_hz), notes=played.notes)

    def _base_of(self, event: SoundEvent) -> Generator | None:
        """Return who makes the sound that an event's is made out of; None where nobody does, or nobody can say."""
        try:
            work = Rework.of(event)
        except ValueError:  # told when the sound is made
            return None
        base: Generator | None = self._base(work.base) if work.needs_base else None
        return base

    def _longest_s(self) -> float:
        try:
            return self.checkpoint().longest_s
        except FoleyError:  # not here, or not usable: `missing` says so
            return LONGEST_S.get(self.model, LONGEST_S[DEFAULT])


def build(settings: GeneratorSettings | None = None) -> StableAudio:
    """Make the generator."""
    return StableAudio(settings)


def _wanted(request: SoundRequest, steps: int) -> Wanted:
    event, duration_s = request.event, max(request.duration_s, SHORTEST_S)
    return Wanted(prompt_of(event), negative_prompt_of(event), duration_s, seed_of(request.rng), steps)


def _work(event: SoundEvent) -> Rework:
    """Return what an event asks for.

    Raises:
        GenerationError: where that means nothing.
    """
    try:
        return Rework.of(event)
    except ValueError as cause:
        raise GenerationError(event.id, NAME, str(cause)) from cause


def _exactly(sound: Audio, duration_s: float) -> Audio:
    """Return the first samples of a sound that is long enough."""
    return replace(sound, samples=sound.samples[:, : to_samples(duration_s, sound.rate_hz)])
