"""What a stage and a plugin promise: read this file and you can write one."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Generic, Literal, ParamSpec, Protocol, TypeVar, get_args, get_origin, get_type_hints

import numpy as np
import numpy.typing as npt

from foley.model import Audio, Clip, EditedItem, Hints, Kind, Listening, Looks, Picture, Proposal, SoundEvent, Timeline

T = TypeVar("T")
P = ParamSpec("P")
R = TypeVar("R")
T_co = TypeVar("T_co", covariant=True)


class Context(Protocol):
    """What a stage may know of the run it is in. `pipeline` gives it; tests take it from the `ctx` fixture."""

    @property
    def scratch(self) -> Path:
        """Folder for files that belong to the value being made; they are kept or thrown away with it."""
        ...

    def rng(self, *key: object) -> np.random.Generator:
        """Return the random stream of `key`: one per key, whatever ran before it."""
        ...

    def digest(self, *values: object) -> str:
        """Return the content key of values: of model types, numbers, texts, arrays, and tuples of such."""
        ...

    def once(self, name: str, key: tuple[object, ...], make: Callable[[Context], T]) -> T:
        """Return what `make` makes, from the cache where the same `name` and `key` were made before."""
        ...

    def progress(self, done: float, what: str = "") -> None:
        """Say how much of the stage is done, 0 to 1."""
        ...


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What a generator can do, known before anything heavy is loaded."""

    kinds: frozenset[Kind]
    """The kinds of event it can make."""
    rate_hz: int
    channels: int
    max_duration_s: float
    """Longest sound in one go; longer ones are made in overlapping windows."""
    hit_exact: bool
    """Puts every hit of an event where it belongs by itself; else it is asked for one hit at a time."""
    code_licence: str
    weights_licence: str
    """SPDX id or name; "none" where no weights are used."""
    commercial: bool
    """Whether what it makes may be used commercially."""
    rank: int
    """Order of routing: the lowest that suits an event makes it. What holds a model comes after what needs none, except
    for events that a plan marks as a `placeholder`."""
    needs_gpu: bool = False
    memory_mb: int = 0
    """Expected use when loaded."""
    follows_curve: bool = True
    """Lets a span's intensity rise and fall with its curve by itself; else the curve is laid on what it makes."""
    video: bool = False
    """Looks at the picture: requests carry the film's part that they are for."""
    remote: bool = False
    """Sends the request to a service: prompts leave this machine, and it may cost."""
    excluded_regions: tuple[str, ...] = ()
    """ISO 3166 codes, and "EU", of where the weights' licence gives no rights."""


FEWEST_STEPS, MOST_STEPS = 4, 1000
"""Of a solver: distilled models are run in four to eight; the others have learned a thousand levels of noise."""


@dataclass(frozen=True, slots=True)
class GeneratorSettings:
    """What generators that hold a model need to know; each uses what concerns it."""

    model: str = ""
    """Name, hub id, folder or file of its model, or a preset; "" for the generator's own choice."""
    device: str = "auto"
    """auto, cpu, cuda or mps."""
    quantise: Literal["", "8bit", "4bit"] = ""
    """Weights in fewer bits, where the platform supports it."""
    steps: int = 0
    """Of a diffusion model's solver; 0 for as many as the model is meant for."""
    compile: bool = False
    """Have the denoiser of a diffusion model compiled, where that can be done."""
    max_vram_mb: int = 0
    """The most memory of the device that it may use; 0 for what is free."""
    time_limit_s: float = 600.0
    """For one sound."""
    licence: Literal["any", "research", "commercial"] = "any"
    """What the sound is used for; generators whose sounds differ in their licences leave out what it forbids."""
    models: Mapping[str, str] = field(default_factory=dict)
    """Of all generators that were given one, by name: one may make its sound out of another's."""

    def __post_init__(self) -> None:
        if self.quantise not in get_args(Literal["", "8bit", "4bit"]):
            raise ValueError(f"quantise must be 8bit, 4bit or nothing, got {self.quantise!r}")
        if self.steps and not FEWEST_STEPS <= self.steps <= MOST_STEPS:
            raise ValueError(f"steps must be 0 or {FEWEST_STEPS} to {MOST_STEPS}, got {self.steps}")
        if self.max_vram_mb < 0:
            raise ValueError(f"max_vram_mb must be 0 or more, got {self.max_vram_mb}")
        if not self.time_limit_s > 0.0:
            raise ValueError(f"time_limit_s must be more than 0, got {self.time_limit_s}")

    def of(self, generator: str) -> GeneratorSettings:
        """Return what a generator is told: the same as all others, but for its model."""
        return replace(self, model=self.models.get(generator, ""))


@dataclass(frozen=True, slots=True)
class FilmWindow:
    """The part of a film that a sound is for."""

    path: Path
    start_s: float
    """From the film's first frame, of what is seen at the request's own time 0."""


@dataclass(frozen=True, slots=True, eq=False)
class SoundRequest:
    """One window of one event to be made into sound."""

    event: SoundEvent
    """With the hits of this window only. Its times run from its own start, which is 0, and what does not change its
    sound (id, label, gain, pan ...) is blank: so a moved or turned down event asks for the same sound again."""
    start_s: float
    """Time of the first sample to make, by the event's own times; negative for a lead-in."""
    duration_s: float
    rng: np.random.Generator
    """The only source of chance."""
    film: FilmWindow | None = None
    """What is seen meanwhile; for generators that look at the picture."""


class Generator(Protocol):
    """Makes the sound of events. Light to build; what is heavy is loaded in `prepare`.

    Its module's `build(settings: GeneratorSettings = ...)` makes it; settings choose its model and its device. One that
    holds a model may say with `item_mb(duration_s: float) -> float` what memory a sound of that length needs beside the
    loaded model: batches are cut to it, else to `takes.batch`. One that makes sounds of some events out of other
    generators' says with `made_with(event: SoundEvent) -> tuple[Generator, ...]` of whose: what they are and what their
    licences allow then counts for the sound too. One that does not suit an event may say why with
    `unfit(event: SoundEvent) -> str`. One that has weights may say with `place() -> Path | None` where they
    are: the manifest then holds the SHA-256 of their files. One that could be compiled but is not although its settings
    ask for it says why with `uncompiled() -> str`: its identity is then that of one that was never asked.
    """

    capabilities: Capabilities

    def identity(self) -> str:
        """Return name, version and weights' revision: part of the cache key of every take."""
        ...

    def missing(self) -> tuple[str, ...]:
        """Return what must be installed before it can work, as instructions; empty when ready."""
        ...

    def suits(self, event: SoundEvent) -> bool:
        """Return whether it can make this event."""
        ...

    def margins_s(self, event: SoundEvent) -> tuple[float, float]:
        """Return how much it sounds before the event's start (a lead-in) and after its end (what rings on)."""
        ...

    def prepare(self) -> None:
        """Load what is heavy; called once before the first `generate`."""
        ...

    def generate(self, requests: Sequence[SoundRequest]) -> list[Audio]:
        """Return one sound for each request, to the sample: `to_samples(duration_s, rate_hz)` long.

        Each depends on its own request alone: whatever else is in the batch, it is the same sound. Full scale is
        [-1, 1]; finite; a hit of strength 1 peaks, and a texture at intensity 1 lies, at whatever level the generator
        likes: takes are brought to their event's level afterwards.

        Raises:
            DeviceMemoryError: where the batch does not fit: it is tried again in smaller ones.
            GenerationError: where a sound cannot be made.
        """
        ...


def makers(generator: Generator, event: SoundEvent) -> tuple[Generator, ...]:
    """Return who has a part in a generator's sound of an event: itself, and those whose sounds it is made out of."""
    others: Callable[[SoundEvent], tuple[Generator, ...]] = getattr(generator, "made_with", lambda _: ())
    return (generator, *others(event))


class Encoder(Protocol):
    """Puts pictures and texts into one space, where likeness is an angle. Light to build; loaded in `prepare`.

    `model` names one of its models, by name, hub id, folder or file; "" is its own choice.
    """

    def identity(self, model: str = "") -> str:
        """Return name, version and weights' revision: part of the cache key of every look.

        Raises:
            MissingProgramError: where a package is not installed.
            MissingWeightsError: where the weights are not here.
        """
        ...

    def missing(self, model: str = "") -> tuple[str, ...]:
        """Return what must be installed or fetched before it can work, as instructions; empty when ready."""
        ...

    def prepare(self, model: str = "", device: str = "auto") -> None:
        """Load the weights from what is here, never from the network; called once before the first picture.

        Raises:
            MissingProgramError: where a package is not installed.
            MissingWeightsError: where the weights are not here or cannot be used.
        """
        ...

    def pictures(self, jpegs: Sequence[bytes]) -> npt.NDArray[np.float32]:
        """Return embeddings of length 1, shape (pictures, n)."""
        ...

    def texts(self, texts: Sequence[str]) -> npt.NDArray[np.float32]:
        """Return embeddings of length 1, shape (texts, n)."""
        ...

    @property
    def scale(self) -> float:
        """What similarities were multiplied with in training (CLIP's exponentiated logit scale); after `prepare`."""
        ...


@dataclass(frozen=True, slots=True, eq=False)
class Case:
    """All that a planner may go by."""

    clip: Clip
    picture: Picture
    looks: Looks
    listening: Listening
    hints: Hints


@dataclass(frozen=True, slots=True)
class PlannerSettings:
    """What planners that ask a model need to know; each uses what concerns it."""

    model: str = ""
    """Name, hub id or folder of the model; "" for the planner's own choice."""
    endpoint: str = ""
    """Address of a chat service, e.g. http://localhost:8000/v1; "" for FOLEY_ENDPOINT of the environment."""
    device: str = "auto"
    """auto, cpu, cuda or mps."""
    closer_looks: int = 6
    """Windows around candidate events that are looked at again with denser frames, at most; 0 for none."""
    timeout_s: float = 120.0
    """For each answer."""


class Planner(Protocol):
    """Decides what is to be heard. Times it gives are checked against the picture afterwards."""

    def identity(self, settings: PlannerSettings) -> str:
        """Return name, version and the model's revision: part of the cache key of the proposal."""
        ...

    def missing(self, settings: PlannerSettings) -> tuple[str, ...]:
        """Return what must be installed, fetched or set before it can work, as instructions; empty when ready."""
        ...

    def plan(self, case: Case, settings: PlannerSettings, ctx: Context) -> Proposal:
        """Return the sounds it would give the clip, and why.

        Raises:
            PlannerError: where its model gives no usable answer.
        """
        ...


class Refiner(Planner, Protocol):
    """A planner that can also go over what another proposes: the second of `rules+text`."""

    def refine(self, case: Case, proposal: Proposal, settings: PlannerSettings, ctx: Context) -> Proposal:
        """Return the proposal as it would have it; what hints name stays.

        Raises:
            PlannerError: where its model gives no usable answer.
        """
        ...


class Exporter(Protocol):
    """Writes a timeline in a form that other programs read: a module in `deliver/exporters`, made by its `build()`."""

    @property
    def about(self) -> str:
        """Who reads it, in a few words."""
        ...

    @property
    def suffixes(self) -> tuple[str, ...]:
        """Endings of the files that it can read back, e.g. (".otio",); empty where there is no way back."""
        ...

    def missing(self) -> tuple[str, ...]:
        """Return what must be installed before it can work, as instructions; empty when ready."""
        ...

    def export(self, timeline: Timeline, folder: Path) -> tuple[Path, ...]:
        """Write the files into the folder and return them; media are named by paths relative to it where it can be.

        Raises:
            OutputError: where they cannot be written.
            ExportError: where the form cannot hold the timeline; says why.
        """
        ...

    def read(self, path: Path) -> tuple[EditedItem, ...]:
        """Return the items of a timeline that an editor saved, those of other media left out.

        Raises:
            ExportError: where the file cannot be read.
        """
        ...


class Later(Protocol[T_co]):
    """What a stage made that runs beside the others: there when it is asked for."""

    def result(self) -> T_co:
        """Return it, waiting for it; raise what went wrong while it was made."""
        ...


@dataclass(frozen=True)
class Stage(Generic[P, R]):
    """A stage function, with what it needs and makes read from its annotations."""

    run: Callable[P, R]
    version: int
    cached: bool
    beside: bool
    needs: tuple[type, ...]
    late: frozenset[type]
    """Of these, what it asks for as `Later`: it begins before they are there."""
    makes: type
    options: type | None

    @property
    def name(self) -> str:
        """The module the function stands in."""
        return self.run.__module__.rsplit(".", 1)[-1]

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R:
        """Run the function."""
        return self.run(*args, **kwargs)


def stage(*, version: int, cached: bool = True, beside: bool = False) -> Callable[[Callable[P, R]], Stage[P, R]]:
    """Make a function a stage; raise `version` when the same input gives another output.

    Its parameters are inputs by type (`Later[type]` for what may still be made beside it), then `opts` (a frozen
    dataclass with a default for every field) where it has options, then `ctx`. Annotations must be real at run time:
    import the types at module level.

    Args:
        version: Part of the cache key.
        cached: False for what is cheaper to do again than to keep, or is done for its effect.
        beside: True for what mostly waits for another program: it runs beside the stages after it, until one of them
            needs what it makes.
    """

    def wrap(function: Callable[P, R]) -> Stage[P, R]:
        hints = get_type_hints(function)
        makes, options, _ = hints.pop("return"), hints.pop("opts", None), hints.pop("ctx", None)
        late = {get_args(hint)[0] for hint in hints.values() if get_origin(hint) is Later}
        needs = tuple(get_args(hint)[0] if get_origin(hint) is Later else hint for hint in hints.values())
        return Stage(function, version, cached, beside, needs, frozenset(late), makes, options)

    return wrap
