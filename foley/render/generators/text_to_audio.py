"""Any other pipeline of diffusers that makes sound of text: AudioLDM, Stable Audio, and what newer versions bring.

`--model` names its folder or its id on the hub; there is no model of its own. What it is, at which rate and on how
many channels it makes sound is read from the folder's configurations, without loading anything. It computes in 32 bits
throughout: which parts of a pipeline that nobody here knows bear fewer was not tried.
"""

from __future__ import annotations

import importlib.util
import inspect
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from foley.contracts import Capabilities, GeneratorSettings, SoundRequest
from foley.errors import FoleyError, MissingWeightsError
from foley.model import Audio, SoundEvent
from foley.neural import memory, pipelines, runtime, weights
from foley.neural.pipelines import STEPS, Description, Loaded, Sampler, Waves, Wish
from foley.render.model_voice import ModelVoice, wish_of

NAME = "text_to_audio"
VERSION = "2"
"""Raise it when a request gives another sound for the same weights: it is part of every take's key."""

UNKNOWN_LICENCE = "check"
"""What the weights' licence is called where the catalogue does not know the model."""

LONGEST_S = 10.0
"""Of a pipeline that is not among `KNOWN`: most models of sound effects were trained on clips of ten seconds."""

SOUND_MB = 1000
"""Expected use of the device's memory for one sound beside the weights: reckoned, not measured."""

LENGTHS = ("audio_length_in_s", "audio_end_in_s", "audio_duration_s", "audio_duration", "duration")
"""What pipelines call the length in seconds."""


@dataclass(frozen=True, slots=True)
class Family:
    """What is known of a pipeline beyond what its folder says."""

    longest_s: float
    steps: int | None = None
    """None for the pipeline's own number."""
    together: bool = False
    """Sounds of a batch do not depend on each other: texts are padded to one length whatever they are."""


KNOWN: Mapping[str, Family] = {
    "AudioLDMPipeline": Family(10.0, STEPS, together=True),  # trained on 10 s; its own 10 steps are for trying out
    "StableAudioPipeline": Family(47.0, together=True),  # 1024 frames of 2048 samples at 44.1 kHz are 47.55 s
    "StableAudio3Pipeline": Family(120.0),  # of the smaller ones; the larger make 380 s
}

REFUSED: Mapping[str, str] = {
    "AudioLDM2Pipeline": "which has a generator of its own: --generator audioldm2",
    "LongCatAudioDiTPipeline": "which speaks its prompt; it makes no sound effects",
    "MusicLDMPipeline": "which makes music, and does not work with current versions of transformers",
    "AceStepPipeline": "which makes music; it makes no sound effects",
}
"""Pipelines that load, or seem to, and are of no use here."""


class TextToAudio(ModelVoice):
    """Makes an event's sound of its prompt with the pipeline that the settings name."""

    name = NAME
    packages = pipelines.PACKAGES
    compiles = True
    sound_mb = SOUND_MB

    def __init__(self, settings: GeneratorSettings | None = None) -> None:
        super().__init__(settings)
        self.capabilities = _capabilities(self.model)

    def identity(self) -> str:
        """Return name, version, the weights' revision, and what else changes the samples."""
        return f"{NAME}/{VERSION} {self.revision()} {STEPS} steps {self.settings.device}{self.chosen()}"

    def checkpoint(self) -> tuple[Path, Description]:
        """Return where the model lies and what its folder says of it.

        Raises:
            MissingWeightsError: where none is named, it is not here, or it makes no sound effects.
            OptionError: where no model bears the name.
        """
        return _found(self.model)

    def margins_s(self, event: SoundEvent) -> tuple[float, float]:
        """Return none: what it makes has no known lead-in, and rings where it likes."""
        return 0.0, 0.0

    def generate(self, requests: Sequence[SoundRequest]) -> list[Audio]:
        """Return one sound for each request.

        Raises:
            DeviceMemoryError: where the batch does not fit.
        """
        if not requests:
            return []
        wishes = [wish_of(request) for request in requests]
        _, found = self.checkpoint()
        family = KNOWN.get(found.class_name, Family(LONGEST_S))
        with memory.translated(requests[0].event.id, NAME, runtime.device(self.settings.device)):
            held, room = self.loaded(), self._at_once()
            with held.busy:
                return pipelines.sounds(
                    wishes,
                    _sampler(held, self.settings.steps or family.steps),
                    found.rate_hz,
                    longest_s=self.capabilities.max_duration_s,
                    most=room if family.together else 1,
                    compiled=held.compiled,
                )

    def size_mb(self, device: str) -> int:
        """Return how much of a device's memory the model that is here is expected to take."""
        return pipelines.weights_mb(self.checkpoint()[0])

    def loaded(self) -> Loaded:
        """Return the model, loaded once in this process."""
        place, found = self.checkpoint()
        compiled = self.compiled

        def load(device: runtime.Device) -> Loaded:
            return _load(place, found, self.model, device=device, compiled=compiled)

        return self._held(place, load)


def build(settings: GeneratorSettings | None = None) -> TextToAudio:
    """Make the generator."""
    return TextToAudio(settings)


def _capabilities(model: str) -> Capabilities:
    """Return what the folder of a model and the catalogue say of it; of none, the least."""
    try:
        place, found = _found(model)
    except FoleyError:  # told by `missing`
        place, found = None, Description("", {}, rate_hz=16_000, channels=1)
    licence, commercial = _licence(model)
    return Capabilities(
        kinds=frozenset({"hits", "span", "bed"}),
        rate_hz=found.rate_hz,
        channels=found.channels,
        max_duration_s=KNOWN.get(found.class_name, Family(LONGEST_S)).longest_s,
        hit_exact=False,
        code_licence="Apache-2.0",
        weights_licence=licence,
        commercial=commercial,
        rank=150,
        memory_mb=SOUND_MB + (pipelines.weights_mb(place) if place else 0),
        follows_curve=False,
    )


def _found(model: str) -> tuple[Path, Description]:
    """Return where a model lies and what its folder says of it.

    Raises:
        MissingWeightsError: where none is named, it is not here, or it makes no sound effects.
        OptionError: where no model bears the name.
    """
    if not model:
        raise MissingWeightsError(NAME, "no model is named", "name one: --model FOLDER")
    # what a folder holds says more to whoever named the wrong one than which of its parts are missing
    given = Path(model).expanduser()
    place = given if given.is_dir() else weights.need(model)
    found = pipelines.described(place, name=model)
    if reason := REFUSED.get(found.class_name):
        raise MissingWeightsError(model, f"{place} holds a {found.class_name}, {reason}", "name another with --model")
    weights.need(str(place))
    if found.components.get("scheduler", "").startswith("CosineDPM") and importlib.util.find_spec("torchsde") is None:
        reason = f"{place} has a solver that needs the package torchsde, which is not installed"
        raise MissingWeightsError(model, reason, "pip install torchsde, or use --generator stable_audio")
    return place, found


def _licence(model: str) -> tuple[str, bool]:
    """Return a model's licence by its name, id or folder, and whether it allows business: no, where it is not known."""
    names = {model, Path(model).name} - {""}
    for known in weights.catalogue().values():
        if names & {known.name, known.hub, known.hub.rpartition("/")[2]}:
            return known.weights_licence, bool(known.commercial)
    return UNKNOWN_LICENCE, False


def _load(place: Path, found: Description, name: str, *, device: runtime.Device, compiled: bool) -> Loaded:
    torch = runtime.torch()
    cls = _pipeline_class(place, found.class_name, name)
    held = pipelines.loaded(cls, place, name=name, device=device, compiled=compiled, dtype=torch.float32)
    if KNOWN.get(found.class_name, Family(LONGEST_S)).steps:
        pipelines.use_fast_solver(held.pipeline)
    return held


def _pipeline_class(place: Path, class_name: str, name: str) -> Any:
    """Return the class of a pipeline that diffusers itself has, that says how long it sounds and takes a seed.

    The class is judged by what it takes. diffusers' own list of such pipelines leaves some out, and looking at it
    imports everything that diffusers has.

    Raises:
        MissingWeightsError: where it is no such pipeline.
    """
    import diffusers

    cls: Any = getattr(diffusers, class_name, None)
    known = isinstance(cls, type) and issubclass(cls, diffusers.DiffusionPipeline)
    taken = set(inspect.signature(cls.__call__).parameters) if known else set()
    if not {"prompt", "generator"} <= taken or not taken & set(LENGTHS):
        reason = f"{place} holds a {class_name}, which is no pipeline that makes sound of text, a length and a seed"
        raise MissingWeightsError(name, reason, f"there are: {', '.join(KNOWN)}; or install a newer diffusers")
    return cls


def _sampler(held: Loaded, count: int | None) -> Sampler:
    """Return what makes some wishes at one length, in so many steps; None for the pipeline's own number."""
    torch = runtime.torch()
    taken = inspect.signature(type(held.pipeline).__call__).parameters
    length = next(name for name in LENGTHS if name in taken)
    guided = "negative_prompt" in taken and taken["guidance_scale"].default > 1.0
    steps = {"num_inference_steps": count} if count else {}

    def sample(wishes: Sequence[Wish], length_s: float) -> Waves:
        options: dict[str, Any] = {length: length_s, **steps}
        if guided:
            options["negative_prompt"] = [wish.negative for wish in wishes]
        with torch.inference_mode():
            made: Waves = held.pipeline(
                prompt=[wish.prompt for wish in wishes],
                generator=pipelines.chances(wishes),
                output_type="np",
                **options,
            ).audios
        return made

    return sample
