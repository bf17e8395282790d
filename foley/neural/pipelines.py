"""What pipelines of diffusers that make sound of text share: what a folder says of itself, loading, and sampling.

Each sound is made from its own seed and at a length that follows from it alone: so it is the same in any batch.
"""

from __future__ import annotations

import contextlib
import json
import logging
import math
import threading
import warnings
from collections.abc import Callable, ItemsView, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from foley.errors import MissingWeightsError
from foley.model import Audio
from foley.neural import checkpoints, compiling, layouts, runtime, weights
from foley.units import to_samples

PACKAGES = ("transformers", "diffusers", "safetensors")

HARMLESS = (r"(^|\.)position_ids$", r"(^|\.)token_type_ids$", r"\.attn\.(masked_)?bias$")
"""Keys of checkpoints that are no weights: counters and masks that older versions of the libraries saved as well."""

STEPS = 30
"""Of DPM-Solver++ 2M, where DDIM wants 200: 20 give the same quality by the account of those who brought AudioLDM 2
into diffusers (https://huggingface.co/blog/audioldm2); half as many again for safety. Not measured here."""

GRID_S = 0.64
"""Sounds are made in whole steps of it and cut: few lengths make large batches. It is a whole number of the coarsest
frames of AudioLDM's denoisers: 10 ms, halved twice by the autoencoder and three times by the denoiser, are 0.32 s."""

SHORTEST_S = 2.56
"""Shorter ones are made this long and cut: a quarter of the 10.24 s in training, 8 of the denoiser's coarsest frames;
with one or two of them nothing that was learned of time applies."""

SLACK_S = 0.01
"""By so much a vocoder's last frame may fall short of a length. More is a fault, which whoever asked will see."""

Waves = npt.NDArray[np.float32]
"""Shape (sounds, samples) or (sounds, channels, samples)."""


@dataclass(frozen=True, slots=True)
class Wish:
    """One sound to be made."""

    prompt: str
    negative: str
    """What it must not hold."""
    seed: int
    duration_s: float


Sampler = Callable[[Sequence[Wish], float], Waves]
"""Makes some wishes at one length in seconds; a length a little off is mended afterwards."""


@dataclass(frozen=True, slots=True)
class Description:
    """What a folder says of the pipeline in it, read without loading anything."""

    class_name: str
    components: dict[str, str]
    """The class of each component, by its name."""
    rate_hz: int
    channels: int


@dataclass(frozen=True, slots=True)
class Loaded:
    """A pipeline in a device's memory."""

    pipeline: Any
    device: runtime.Device
    busy: threading.Lock
    """Held while it samples: its solver counts its steps, so that two callers at once would spoil each other's."""
    compiled: bool = False
    """Its denoiser's blocks were made to be compiled."""


def described(folder: Path, *, name: str) -> Description:
    """Return what a folder says of the pipeline in it.

    Raises:
        MissingWeightsError: where it holds no pipeline of diffusers, one that brings its own code, or one that makes
            no sound.
    """
    index = _read(folder / "model_index.json")
    class_name = index.get("_class_name")
    if not class_name:
        mend = weights.mend(name)
        raise MissingWeightsError(name, f"{folder} has no model_index.json that names a pipeline", mend)
    if not isinstance(class_name, str) or any(folder.glob("*.py")):
        reason = f"{folder} brings code of its own ({class_name}), which is never run"
        raise MissingWeightsError(name, reason, "name a model that diffusers itself can load")
    components = {part: of for part, (_, of) in layouts.components(folder).items()}
    vae, vocoder = _read(folder / "vae/config.json"), _read(folder / "vocoder/config.json")
    rate_hz = vocoder.get("sampling_rate") or vae.get("sampling_rate") or vae.get("sample_rate")
    if not isinstance(rate_hz, int):
        reason = f"{folder} holds a {class_name}: neither its vocoder nor its vae says at which rate it makes sound"
        raise MissingWeightsError(name, reason, "name a model that makes sound of text")
    return Description(class_name, components, rate_hz, int(vae.get("audio_channels") or 1))


def weights_mb(folder: Path) -> int:
    """Return how large a model's numbers are on disk, in MB of 2^20 bytes."""
    return sum(path.stat().st_size for path in layouts.weights_files(folder)) >> 20


def loaded(
    cls: Any, folder: Path, *, name: str, device: runtime.Device, compiled: bool = False, **options: Any
) -> Loaded:
    """Return a pipeline on its device, every component checked to the last number, ready to sample in silence.

    Args:
        cls: Its class.
        folder: In diffusers' layout.
        name: What the model is called in errors.
        device: Where it computes.
        compiled: Have its denoiser compiled when it is first used.
        **options: dtype, and components that were loaded before.

    Raises:
        MissingWeightsError: where the folder does not hold just what the class needs.
    """
    with quiet():
        pipeline = checkpoints.checked(cls, folder, name=name, harmless=HARMLESS, **options)
    pipeline.set_progress_bar_config(disable=True)
    pipeline = pipeline.to(device)
    if compiled:
        compiling.compile_blocks(pipeline.unet if hasattr(pipeline, "unet") else pipeline.transformer)
    return Loaded(pipeline, device, threading.Lock(), compiled)


def use_fast_solver(pipeline: Any) -> None:
    """Replace a DDIM solver by DPM-Solver++ 2M on the same schedule of noise; others stay.

    Source: C. Lu et al., "DPM-Solver++: Fast solver for guided sampling of diffusion probabilistic models", 2022.
    """
    import diffusers

    solver: Any = diffusers.DPMSolverMultistepScheduler
    if type(pipeline.scheduler).__name__ == "DDIMScheduler":
        pipeline.scheduler = solver.from_config(pipeline.scheduler.config)


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Keep from a person what diffusers says that is not for them.

    It logs an error for every component that is pickled, before it loads it; and it uses of torch and NumPy what they
    warn programmers of.
    """
    loader = logging.getLogger("diffusers.models.modeling_utils")
    before, loader.disabled = loader.disabled, True
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", message="__array__ implementation", category=DeprecationWarning)
            warnings.filterwarnings("ignore", message=".*weight_norm. is deprecated", category=FutureWarning)
            yield
    finally:
        loader.disabled = before


def chances(wishes: Sequence[Wish]) -> list[Any]:
    """Return a source of chance for each sound; on the CPU, where a seed gives the same numbers on every machine."""
    torch = runtime.torch()
    return [torch.Generator("cpu").manual_seed(wish.seed) for wish in wishes]


def made_s(duration_s: float, longest_s: float) -> float:
    """Return the length at which a sound is made: on the grid, not too short to be any good, at most the longest.

    >>> made_s(0.2, 10.0), made_s(2.6, 10.0), made_s(9.9, 10.0)
    (2.56, 3.2, 10.0)
    """
    steps = math.ceil(duration_s / GRID_S - 1e-9)
    return min(max(SHORTEST_S, round(steps * GRID_S, 2)), longest_s)


def sounds(
    wishes: Sequence[Wish],
    sample: Sampler,
    rate_hz: int,
    *,
    longest_s: float,
    most: int,
    compiled: bool = False,
) -> list[Audio]:
    """Return a sound for each wish, to the sample.

    Args:
        wishes: What is to be made.
        sample: Makes some of them at once.
        rate_hz: Of what it makes.
        longest_s: The longest that it makes.
        most: How many it makes at once.
        compiled: What makes them is compiled for each number that it makes at once.
    """
    made: dict[int, Audio] = {}
    for length_s, numbers in _by_length(wishes, longest_s):
        for batch in compiling.batches(numbers, most, compiled=compiled):
            with quiet():
                waves = sample([wishes[number] for number in batch], length_s)
            for number, wave in zip(batch, waves, strict=True):
                made[number] = _exact(np.atleast_2d(wave), wishes[number].duration_s, rate_hz)
    return [made[number] for number in range(len(wishes))]


def _by_length(wishes: Sequence[Wish], longest_s: float) -> ItemsView[float, list[int]]:
    """Return the wishes' numbers by the length at which they are made."""
    by_length: dict[float, list[int]] = {}
    for number, wish in enumerate(wishes):
        by_length.setdefault(made_s(wish.duration_s, longest_s), []).append(number)
    return by_length.items()


def _exact(wave: Waves, duration_s: float, rate_hz: int) -> Audio:
    """Return a sound at its length, inside full scale; where a vocoder's last frame is short, silence ends it."""
    length = to_samples(duration_s, rate_hz)
    lacking = max(0, length - wave.shape[1])
    if lacking <= to_samples(SLACK_S, rate_hz):
        wave = np.pad(wave[:, :length], ((0, 0), (0, lacking)))
    peak = float(np.max(np.abs(wave), initial=0.0))
    return Audio(np.ascontiguousarray(wave / max(peak, 1.0), np.float32), rate_hz)


def _read(path: Path) -> dict[str, Any]:
    """Return what a configuration says; nothing where there is none that can be read."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}
