"""What generators that turn prompts into sound with a model of their own share: which it is, and what they lack."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from pathlib import Path
from typing import ClassVar, TypeVar

from foley.contracts import Capabilities, GeneratorSettings, SoundRequest
from foley.errors import FoleyError, OptionError
from foley.model import SoundEvent
from foley.neural import compiling, memory, pool, quantise, runtime, weights
from foley.neural.pipelines import Wish
from foley.render.prompting import negative_prompt_of, prompt_of, seed_of

T = TypeVar("T")


class ModelVoice(ABC):
    """A generator with a model that is light to build, says what it lacks, and loads once."""

    name: ClassVar[str]
    default: ClassVar[str] = ""
    """The model that is used when none is named; "" where one must be."""
    packages: ClassVar[tuple[str, ...]]
    fewer_bits: ClassVar[bool] = False
    """Whether it can compute with weights of 8 or 4 bits."""
    compiles: ClassVar[bool] = False
    """Whether it has a denoiser that can be compiled."""
    sound_mb: ClassVar[float]
    """Expected use of the device's memory for one sound beside the weights."""
    capabilities: Capabilities

    def __init__(self, settings: GeneratorSettings | None = None) -> None:
        self.settings = settings or GeneratorSettings()

    @abstractmethod
    def checkpoint(self) -> object:
        """Return what is loaded, looked into without loading it.

        Raises:
            MissingWeightsError: where it is not here, or is another model.
            OptionError: where no model bears the name.
        """

    @abstractmethod
    def loaded(self) -> object:
        """Return the model, loaded once in this process.

        Raises:
            MissingWeightsError: where the weights are not here, or do not fit.
            OptionError: where the device that is wanted is not there, or cannot have weights in fewer bits.
        """

    @abstractmethod
    def size_mb(self, device: str) -> int:
        """Return how much of a device's memory the model that is here is expected to take, told by its files.

        Raises:
            MissingWeightsError: where it is not here, or is another model.
            OptionError: where no model bears the name.
        """

    @property
    def model(self) -> str:
        """Return the name or place of the model."""
        return self.settings.model or self.default

    def place(self) -> Path | None:
        """Return where the model is; None where it is not here."""
        return weights.find(self.model) if self.model else None

    def revision(self) -> str:
        """Return what tells its weights from others."""
        place = self.place()
        return weights.revision(place) if place else "not here"

    @property
    def compiled(self) -> bool:
        """Return whether its denoiser is compiled: by its settings and its device alone, never by how much is made."""
        return self.compiles and self.settings.compile and not self.uncompiled()

    def uncompiled(self) -> str:
        """Return why its denoiser is not compiled although that is wanted; "" where it is, or it has none."""
        if not (self.compiles and self.settings.compile):
            return ""
        try:
            return compiling.refusal(runtime.device(self.settings.device))
        except FoleyError as error:
            return error.message

    def chosen(self) -> str:
        """Return what of the settings changes its samples beside model and device; "" where all is as it is meant."""
        steps = f" in {self.settings.steps} steps" if self.settings.steps else ""
        return f"{steps} compiled" if self.compiled else steps

    def missing(self) -> tuple[str, ...]:
        """Return what must be installed, fetched or asked for in another way."""
        if needed := runtime.missing(*self.packages):
            return needed
        try:
            self._refuse_fewer_bits()
            self.checkpoint()
            if self.settings.device not in ("auto", "cpu"):  # those are always there: torch need not be asked
                runtime.device(self.settings.device)
        except FoleyError as error:
            return (f"{error.message}: {error.hint}" if error.hint else error.message,)
        return ()

    def suits(self, event: SoundEvent) -> bool:
        """Return whether the event says in words what is heard."""
        return bool(prompt_of(event).strip())

    def prepare(self) -> None:
        """Load the model, as `loaded` says."""
        self.loaded()

    def item_mb(self, duration_s: float) -> float:
        """Return what one sound needs beside the loaded model."""
        return self.sound_mb

    def _at_once(self) -> int:
        """Return how many sounds are computed at once beside the model."""
        device, limit_mb = runtime.device(self.settings.device), self.settings.max_vram_mb
        return memory.largest_batch(self.sound_mb, device, model_mb=self.size_mb(device), max_vram_mb=limit_mb)

    def _held(self, place: Path, load: Callable[[runtime.Device], T]) -> T:
        """Return what `load` gives for the device that is wanted, kept warm until others need its room."""
        device = runtime.device(self.settings.device)
        return pool.hold(
            (self.name, str(place), weights.revision(place), device, self.settings.quantise, self.compiled),
            lambda: load(device),
            size_mb=self.size_mb(device),
            device=device,
            max_vram_mb=self.settings.max_vram_mb,
        )

    def _refuse_fewer_bits(self) -> None:
        """Refuse before anything is made what would be refused when the model loads."""
        if not (wanted := self.settings.quantise):
            return
        if not self.fewer_bits:
            raise OptionError(f"{self.name} computes with its weights as they are", hint="leave --quantise out")
        if (refusal := quantise.refused(wanted, runtime.device(self.settings.device))) is not None:
            raise refusal


def wish_of(request: SoundRequest) -> Wish:
    """Return what a pipeline of diffusers is asked for."""
    event = request.event
    return Wish(prompt_of(event), negative_prompt_of(event), seed_of(request.rng), request.duration_s)
