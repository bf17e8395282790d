"""Stable Audio, loaded, and its uses: to make sounds, to vary one, to make a part of one anew, to go on with one.

Sound that is given has the model's own rate; what comes back has its own number of channels too. Of a sound of which a
part is made anew, all else stays to the sample.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from foley.errors import MissingWeightsError
from foley.model import Audio
from foley.neural import checkpoints, compiling, convert_stable_audio, layouts, runtime, same
from foley.neural import stable_audio_tools as published
from foley.neural.stable_audio_models import Given, Model, Open, Parts, Three, Wanted

PACKAGES = ("transformers", "diffusers", "safetensors")

JOIN_S = 0.02
"""Crossfade between what was given and what is made: long enough not to click, too short to hear two sounds."""

CONTEXT_S = 10.0
"""How much of a sound the model hears before it goes on with it, where it lasts that long."""

THREE_LONGEST_S = {True: 120.0, False: 380.0}
"""Of Small and of Medium, by their authors: for folders that do not say, because diffusers' own script made them."""

SMALL_WIDTH = 1024
"""Of Small's transformer; Medium's is 1536."""

PROMPT_TOKENS = 256
"""Of Stable Audio 3, all sizes."""

Samples = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A folder that a model can be loaded from, looked into without loading anything."""

    folder: Path
    pipeline: str
    """Class of diffusers that its layout is of, or will be."""
    longest_s: float

    @classmethod
    def at(cls, place: Path) -> Checkpoint:
        """Return what a folder holds: a model for diffusers, or Stable Audio 3 as it is published.

        Raises:
            MissingWeightsError: where it is neither.
        """
        layout = layouts.layout_of(place) if place.is_dir() else None
        if layout == "stable-audio-tools":
            own = published.own_settings(published.Settings.read(place))
            return cls(place, "StableAudio3Pipeline", float(own["longest_s"]))
        pipeline = str(_json(place / "model_index.json").get("_class_name"))
        if layout == "diffusers" and pipeline in _LONGEST_S:
            return cls(place, pipeline, _LONGEST_S[pipeline](place))
        reason = f"{place} holds no Stable Audio: neither its pipeline for diffusers nor {published.CONFIG}"
        raise MissingWeightsError(str(place), reason, "foley models get stable-audio-3-small-sfx")


def size_mb(checkpoint: Checkpoint) -> int:
    """Return how much memory a checkpoint's numbers take as they lie on disk."""
    folder = checkpoint.folder
    files = [folder / published.WEIGHTS, published.Settings(folder, {}).text_encoder / published.WEIGHTS]
    if layouts.layout_of(folder) == "diffusers":
        files = layouts.weights_files(folder)
    return sum(path.stat().st_size for path in files if path.is_file()) >> 20


def load(checkpoint: Checkpoint, *, name: str = "", device: str = "auto", compiled: bool = False) -> Model:
    """Return a model with every number from its checkpoint; one as it is published is converted into the cache first.

    On CUDA the transformer computes in 16 bits, as its authors run it: not bfloat16, in which Open could not tell its
    first steps from each other.

    Args:
        checkpoint: Where it is.
        name: What it is called in errors; "" for its folder.
        device: auto, cpu, cuda or mps.
        compiled: Have the transformer compiled when it is first used.

    Raises:
        MissingProgramError: where a package is not installed.
        MissingWeightsError: where the folder does not hold just what the model needs.
    """
    torch = runtime.torch()
    on = runtime.device(device)
    folder = checkpoint.folder
    if layouts.layout_of(folder) == "stable-audio-tools":
        folder = convert_stable_audio.converted(folder)
    dtype = torch.float16 if on == "cuda" else torch.float32
    loading = _loaded_open if checkpoint.pipeline == "StableAudioPipeline" else _loaded_three
    with same.quiet():
        return loading(folder, name=name or str(folder), device=on, dtype=dtype, compiled=compiled)


def make(model: Model, wanted: Sequence[Wanted], *, most: int = 8) -> list[Audio]:
    """Return a sound for each wish, as long as it says, peaks at full scale at most.

    Args:
        model: As `load` gives it.
        wanted: What is to be made; each alone decides over its sound.
        most: How many are denoised at once.

    Raises:
        ValueError: where one is longer than the model can.
    """
    for one in wanted:
        _refuse_long(model, one.duration_s)
    made: dict[int, Audio] = {}
    lengths = [model.latents_of(one.duration_s) for one in wanted]
    by_length = sorted(range(len(wanted)), key=lambda number: lengths[number])
    for _, alike in groupby(by_length, key=lambda number: lengths[number]):
        numbers = list(alike)
        for batch in compiling.batches(numbers, most, compiled=model.compiled):
            made |= zip(batch, _made(model, [wanted[number] for number in batch]), strict=True)
    return [made[number] for number in range(len(wanted))]


def vary(model: Model, sound: Audio, wanted: Wanted, *, strength: float) -> Audio:
    """Return another sound with the course of a given one: the lower the strength, the nearer to it in time and tone.

    Noise is mixed in and taken out again, as in SDEdit (C. Meng et al., arXiv 2108.01073).

    Args:
        model: As `load` gives it.
        sound: At the model's rate; its length counts, not that of `wanted`.
        wanted: What it is to sound like.
        strength: Part of noise in what the model starts from, above 0 to 1.

    Raises:
        ValueError: where the strength lies outside, or the sound is too long or of another rate.
    """
    if not 0.0 < strength <= 1.0:
        raise ValueError(f"strength must be more than 0 and at most 1, got {strength}")
    given = _tensor(model, sound)
    with runtime.torch().inference_mode():
        latents = _fitted(model.encoded(given), model.latents_of(sound.duration_s))
        denoised = model.denoised([_as_long(wanted, sound)], Given(latents, strength))
        return _audio(model, denoised, sound.length)


def regenerate(model: Model, sound: Audio, region_s: tuple[float, float], *, wanted: Wanted) -> Audio:
    """Return a sound with one part of it made anew, to fit what stands before and after; the rest stays to the sample.

    Args:
        model: As `load` gives it.
        sound: At the model's rate; its length counts, not that of `wanted`.
        region_s: First and last second of the part.
        wanted: What the whole is to sound like.

    Raises:
        ValueError: where the part is empty or lies outside, or the sound is too long or of another rate.
    """
    first, last = (round(time_s * sound.rate_hz) for time_s in region_s)
    if not 0 <= first < last <= sound.length:
        raise ValueError(
            f"a part from {region_s[0]} to {region_s[1]} s does not lie in {sound.duration_s:.3f} s of sound"
        )
    given = _tensor(model, sound)
    torch = runtime.torch()
    with torch.inference_mode():
        latents = _fitted(model.encoded(given), model.latents_of(sound.duration_s))
        kept = torch.ones(latents.shape[-1], device=latents.device)
        kept[first // model.hop : -(-last // model.hop)] = 0.0
        kept[-(-sound.length // model.hop) :] = 0.0  # there is no sound to keep
        denoised = model.denoised([_as_long(wanted, sound)], Given(latents, kept=kept))
        made = _audio(model, denoised, sound.length)
    before: Samples = given[0].cpu().numpy()
    return Audio(_joined(before, made.samples, (first, last), join=round(JOIN_S * model.rate_hz)), model.rate_hz)


def extend(model: Model, sound: Audio, to_s: float, *, wanted: Wanted) -> Audio:
    """Return a sound that goes on until a time, as long as that may be: what is made hears what comes before it.

    What was given stays to the sample but for its last hundredths of a second, which are faded into what is made.

    Args:
        model: As `load` gives it.
        sound: At the model's rate.
        to_s: Length of the result; no more than the sound's where nothing is to be added.
        wanted: What the whole is to sound like; its duration does not count.

    Raises:
        ValueError: where the sound is empty or of another rate.
    """
    if not sound.length:
        raise ValueError("there is no sound to go on with")
    samples: Samples = _tensor(model, sound)[0].cpu().numpy()
    length, longest = round(to_s * model.rate_hz), int(model.longest_s * model.rate_hz)
    number = 0
    while samples.shape[1] < length:
        heard = min(samples.shape[1], round(CONTEXT_S * model.rate_hz), longest // 2)
        window = np.zeros((model.channels, min(longest, heard + length - samples.shape[1])), np.float32)
        window[:, :heard] = samples[:, -heard:]
        region_s = (max(0.0, heard / model.rate_hz - JOIN_S), window.shape[1] / model.rate_hz)
        wish = replace(wanted, duration_s=0.0, seed=(wanted.seed + number) % 2**63)
        more = regenerate(model, Audio(window, model.rate_hz), region_s, wanted=wish)
        samples = np.concatenate([samples[:, :-heard], more.samples], axis=1)
        number += 1
    return Audio(samples[:, :length], model.rate_hz)


def _made(model: Model, wanted: list[Wanted]) -> list[Audio]:
    """Return sounds that need as many latents; decoded one by one, which takes the most memory."""
    with runtime.torch().inference_mode():
        latents = model.denoised(wanted)
        return [
            _audio(model, latents[number : number + 1], round(one.duration_s * model.rate_hz))
            for number, one in enumerate(wanted)
        ]


def _audio(model: Model, latents: Any, length: int) -> Audio:
    """Return latents as sound, made softer where it would go beyond full scale."""
    samples: Samples = model.decoded(latents, length)[0].float().cpu().numpy()
    return Audio(samples / max(1.0, float(np.max(np.abs(samples), initial=0.0))), model.rate_hz)


def _tensor(model: Model, sound: Audio) -> Any:
    """Return a sound as the model takes it, shape (1, channels, samples)."""
    if sound.rate_hz != model.rate_hz:
        raise ValueError(f"the sound must have {model.rate_hz} Hz, it has {sound.rate_hz}")
    if sound.channels not in (1, model.channels):
        raise ValueError(f"the sound must have 1 or {model.channels} channels, it has {sound.channels}")
    samples = np.broadcast_to(sound.samples, (model.channels, sound.length))
    return runtime.torch().from_numpy(samples.copy()).unsqueeze(0).to(model.device)


def _as_long(wanted: Wanted, sound: Audio) -> Wanted:
    return replace(wanted, duration_s=sound.duration_s)


def _fitted(latents: Any, count: int) -> Any:
    """Return as many latents as are denoised: what lies after the sound is nothing."""
    latents = latents[..., :count].float()
    return runtime.torch().nn.functional.pad(latents, (0, count - latents.shape[-1]))


def _refuse_long(model: Model, duration_s: float) -> None:
    if not 0.0 < duration_s <= model.longest_s:
        raise ValueError(f"a sound must last up to {model.longest_s:.1f} s, {duration_s:.1f} s were asked for")


def _joined(before: Samples, made: Samples, region: tuple[int, int], *, join: int) -> Samples:
    """Return `before` with `made` in a region, crossfaded inside it; not at the ends of the sound."""
    first, last = region
    length = before.shape[1]
    join = max(1, min(join, (last - first) // 2))
    share = np.ones(last - first, np.float32)
    ramp = (np.arange(join, dtype=np.float32) + 0.5) / join
    if first > 0:
        share[:join] = ramp
    if last < length:
        share[-join:] = ramp[::-1]
    result = before.copy()
    result[:, first:last] += share * (made[:, first:last] - before[:, first:last])
    return result


def _loaded_open(folder: Path, *, name: str, device: str, dtype: Any, compiled: bool) -> Model:
    """Return Stable Audio Open from a folder for diffusers."""
    from diffusers import AutoencoderOobleck, StableAudioDiTModel
    from diffusers.pipelines.stable_audio import StableAudioProjectionModel
    from transformers import AutoTokenizer, T5EncoderModel

    def part(cls: Any, component: str, of: Any = None) -> Any:
        return checkpoints.checked(cls, folder / component, name=name, dtype=of).to(device)

    single = runtime.torch().float32
    transformer = part(StableAudioDiTModel, "transformer", dtype)
    if compiled:
        compiling.compile_blocks(transformer)
    parts = Parts(
        transformer=transformer,
        vae=part(AutoencoderOobleck, "vae", single),
        text_encoder=part(T5EncoderModel, "text_encoder", single),
        tokenizer=checkpoints.opened(AutoTokenizer, folder / "tokenizer", name=name),
        conditioner=part(StableAudioProjectionModel, "projection_model", single),
        device=device,
        dtype=dtype,
        compiled=compiled,
    )
    return Open(parts, _json(folder / "scheduler" / "scheduler_config.json"))


def _loaded_three(folder: Path, *, name: str, device: str, dtype: Any, compiled: bool) -> Model:
    """Return Stable Audio 3 from a folder for diffusers."""
    from diffusers import StableAudio3DiTModel
    from diffusers.pipelines.stable_audio_3 import StableAudio3DurationEmbedder
    from transformers import AutoTokenizer, T5GemmaEncoderModel

    def part(cls: Any, component: str, of: Any = None) -> Any:
        return checkpoints.checked(cls, folder / component, name=name, dtype=of).to(device)

    if not _json(folder / "scheduler" / "scheduler_config.json").get("stochastic_sampling"):
        reason = f"{folder} holds a base model; only the distilled ones are run in eight steps"
        raise MissingWeightsError(name, reason, "foley models get stable-audio-3-small-sfx")
    own = _json(folder / convert_stable_audio.OWN)
    chunks = same.Chunks(**own["chunks"]) if own.get("chunks") else None
    vae = same.load(folder / "vae", chunks, name=name).to(device)
    single = runtime.torch().float32
    transformer = part(StableAudio3DiTModel, "transformer", dtype)
    _keep_positions_exact(transformer, device)
    if compiled:
        compiling.compile_blocks(transformer)
    parts = Parts(
        transformer=transformer,
        vae=vae,
        text_encoder=part(T5GemmaEncoderModel, "text_encoder", single),
        tokenizer=checkpoints.opened(AutoTokenizer, folder / "tokenizer", name=name),
        conditioner=part(StableAudio3DurationEmbedder, "duration_embedder", single),
        device=device,
        dtype=dtype,
        compiled=compiled,
    )
    return Three(
        parts,
        longest_s=_three_longest_s(folder),
        prompt_tokens=int(own.get("prompt_tokens", PROMPT_TOKENS)),
        chunk_latents=chunks.latents(vae.config.encoder_strides[0]) if chunks else 1,
    )


def _keep_positions_exact(transformer: Any, device: str) -> None:
    """Count positions in 32 bits again: diffusers counts in the type of the weights, and 16 bits count to 2048."""
    rotary = transformer.rotary_pos_emb
    transformer.rotary_pos_emb = type(rotary)(2 * rotary.inv_freq.shape[0]).to(device)


def _open_longest_s(folder: Path) -> float:
    """Return the length of the window that Stable Audio Open denoises."""
    vae, transformer = _json(folder / "vae" / "config.json"), _json(folder / "transformer" / "config.json")
    hop = int(np.prod(vae.get("downsampling_ratios", [2, 4, 4, 8, 8])))
    return float(transformer.get("sample_size", 1024)) * hop / float(vae.get("sampling_rate", 44_100))


def _three_longest_s(folder: Path) -> float:
    """Return the longest sound of Stable Audio 3 that a folder was trained for."""
    small = int(_json(folder / "transformer" / "config.json").get("embed_dim", 1536)) <= SMALL_WIDTH
    return float(_json(folder / convert_stable_audio.OWN).get("longest_s", THREE_LONGEST_S[small]))


def _json(path: Path) -> dict[str, Any]:
    """Return what a file of settings holds; nothing where it is not there or broken off."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


_LONGEST_S = {"StableAudioPipeline": _open_longest_s, "StableAudio3Pipeline": _three_longest_s}
"""By the classes of diffusers."""
