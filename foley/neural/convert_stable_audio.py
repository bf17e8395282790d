"""Stable Audio 3 as it is published, put into the layout of diffusers: all tensors or none, a part in memory at a time.

What comes out is a folder that `StableAudio3Pipeline` reads, and `foley.json` with what that layout cannot say. The
autoencoder of the Small models is the exception: its attention works in chunks, which diffusers 0.42 does not know;
`foley.neural.same` does. Names and settings, and how sure they are: `foley.neural.stable_audio_tools`.

Stable Audio Open 1.0 needs no conversion: it is published in the layout of diffusers.
"""

from __future__ import annotations

import contextlib
import json
import math
import os
import re
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from foley.errors import MissingWeightsError, OutputExistsError
from foley.neural import checkpoints, layouts, runtime, same, weights
from foley.neural import stable_audio_tools as published
from foley.neural.stable_audio_tools import CONFIG, MEND, WEIGHTS, Placed, Settings, Shapes

VERSION = 1
"""Part of where a converted model is kept: raised when the same checkpoint gives other files."""

OWN = "foley.json"
"""Beside model_index.json: what diffusers' layout cannot say."""

PART_BYTES = 512 << 20
"""Of a file of weights: what is in memory at once."""

COMPONENTS = {
    "vae": ("diffusers", "AutoencoderSAME"),
    "text_encoder": ("transformers", "T5GemmaEncoderModel"),
    "tokenizer": ("transformers", "GemmaTokenizerFast"),
    "duration_embedder": ("stable_audio_3", "StableAudio3DurationEmbedder"),
    "transformer": ("diffusers", "StableAudio3DiTModel"),
    "scheduler": ("diffusers", "FlowMatchEulerDiscreteScheduler"),
}

SCHEDULER = {"num_train_timesteps": 1, "shift": 1.0, "stochastic_sampling": True}
"""Of the distilled models: from each estimate of the sound, noise is added anew."""

_TOKENIZER_FILES = ("tokenizer.json", "tokenizer.model", "tokenizer_config.json", "special_tokens_map.json")

_TEXT_ENCODER = re.compile(r"^(?:model\.)?encoder\.")
_TEXT_DECODER = re.compile(r"^(?:model\.)?(?:decoder|lm_head)\.")
"""T5Gemma is published whole; only its encoder reads prompts."""


@dataclass(frozen=True, slots=True)
class _Source:
    """A tensor to write."""

    shape: tuple[int, ...]
    read: Callable[[], Any]


def convert(source: Path, to: Path, *, text_encoder: str = "") -> Path:
    """Write the checkpoint in `source` as a folder for diffusers, whole or not at all, and return it.

    Numbers keep their type.

    Args:
        source: A folder with model.safetensors and model_config.json.
        to: The folder to make.
        text_encoder: Name or folder of T5Gemma (google/t5gemma-b-b-ul2); "" where it lies in `source`, as published.

    Raises:
        OutputExistsError: where `to` is there already.
        MissingWeightsError: where a tensor is missing, not known or of another shape, where a setting is one that
            diffusers' classes cannot follow, and where the text encoder is not here.
    """
    if to.exists():
        raise OutputExistsError(to, hint="name another folder with -o, or remove it")
    settings = Settings.read(source)
    reader = _text_encoder(settings, text_encoder)
    to.parent.mkdir(parents=True, exist_ok=True)
    unfinished = Path(tempfile.mkdtemp(prefix=f".{to.name}-", dir=to.parent))
    try:
        with _refused(source):
            _write_components(settings, unfinished)
            _write_text_encoder(reader, unfinished, name=str(source))
        _write_settings(settings, unfinished)
        unfinished.rename(to)
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)
    return to


def converted(source: Path, *, text_encoder: str = "") -> Path:
    """Return the converted checkpoint from the user's cache; made the first time.

    Raises:
        MissingWeightsError: where it cannot be converted.
    """
    reader = _text_encoder(Settings.read(source), text_encoder)
    key = f"{weights.revision(source)[:16]}-{weights.revision(reader)[:16]}-{VERSION}"
    place = _cache_folder() / "models" / f"stable-audio-3-{key}"
    if not layouts.is_whole(place):
        with contextlib.suppress(OutputExistsError):  # another process was as quick
            convert(source, place, text_encoder=text_encoder)
    return place


def _text_encoder(settings: Settings, given: str) -> Path:
    """Return the folder of the text encoder."""
    found = weights.find(given) if given else settings.text_encoder
    if found is None or not (found / "config.json").is_file() or not (found / WEIGHTS).is_file():
        where = given or str(settings.text_encoder)
        hint = f"{MEND}; or name the folder of google/t5gemma-b-b-ul2 as the text encoder"
        raise MissingWeightsError(str(settings.folder), f"its text encoder T5Gemma is not at {where}", hint)
    return found


def _write_components(settings: Settings, target: Path) -> None:
    """Write transformer, autoencoder and duration embedder, after all names and shapes were found right."""
    from safetensors import safe_open

    with safe_open(settings.folder / WEIGHTS, framework="pt") as file:
        shapes: Shapes = {key: _shape(file, key) for key in file.keys()}  # noqa: SIM118
        configs = {
            "transformer": published.transformer_config(settings, shapes),
            "vae": published.autoencoder_config(settings),
            "duration_embedder": published.duration_config(settings, shapes),
        }
        due = {(part, name): shape for part, config in configs.items() for name, shape in _due(settings, part, config)}
        places, unknown = _places(shapes, levels=len(settings.strides))
        _hold_against(settings, due, places, shapes=shapes, unknown=unknown)
        for part, config in configs.items():
            sources = {
                place.name: _source(file, key, place, shape=due[part, place.name])
                for key, place in places.items()
                if place.component == part
            }
            if part == "duration_embedder":
                sources["freqs"] = _frequencies(config)
            _write_tensors(sources, target / part, stem="diffusion_pytorch_model")
            _write_json(target / part / "config.json", {"_class_name": COMPONENTS[part][1], **config})


def _due(settings: Settings, part: str, config: Mapping[str, Any]) -> list[tuple[str, tuple[int, ...]]]:
    """Return the names and shapes that diffusers' class has; nothing is allocated."""
    import diffusers
    from diffusers.pipelines import stable_audio_3

    with runtime.torch().device("meta"):
        if part == "vae":
            chunks = published.own_settings(settings).get("chunks")
            model = same.autoencoder(config, same.Chunks(**chunks) if chunks else None)
        else:
            name = COMPONENTS[part][1]
            model = getattr(diffusers, name, None) or getattr(stable_audio_3, name)
            model = model(**config)
    return [(name, tuple(tensor.shape)) for name, tensor in model.state_dict().items()]


def _places(shapes: Shapes, *, levels: int) -> tuple[dict[str, Placed], list[str]]:
    """Return where each tensor goes, and the names that nothing is known of."""
    places: dict[str, Placed] = {}
    unknown = []
    for key, shape in shapes.items():
        try:
            place = published.placed(key, levels)
        except KeyError:
            unknown.append(key)
            continue
        if place is not None:
            places[key] = place
        elif key.endswith("noise_scaling_factor") and 0 not in shape:
            unknown.append(key)  # with numbers in it, it would matter
    return places, unknown


def _hold_against(
    settings: Settings,
    due: Mapping[tuple[str, str], tuple[int, ...]],
    places: Mapping[str, Placed],
    *,
    shapes: Shapes,
    unknown: list[str],
) -> None:
    """Refuse tensors that are not exactly those of the model, by name and size."""
    given = {(place.component, place.name): key for key, place in places.items()}
    wanted = {place for place in due if place != ("duration_embedder", "freqs")}  # computed: never in a checkpoint
    missing = [".".join(place) for place in sorted(wanted - given.keys())]
    for place in sorted(given.keys() & wanted):
        if _without_ones(shapes[given[place]]) != _without_ones(due[place]):
            missing.append(f"{given[place]} of shape {due[place]}")
    unexpected = [*unknown, *(given[place] for place in given.keys() - wanted)]
    checkpoints.refuse_unlike(str(settings.folder), settings.folder / WEIGHTS, missing=missing, unexpected=unexpected)


def _without_ones(shape: Sequence[int]) -> tuple[int, ...]:
    """Return a shape without axes of one number: those change nothing."""
    return tuple(count for count in shape if count != 1)


def _source(file: Any, key: str, place: Placed, *, shape: tuple[int, ...]) -> _Source:
    differential = place.fused and shape[0] == 5 * shape[1]

    def read() -> Any:
        tensor = file.get_tensor(key).reshape(shape)
        return _in_diffusers_order(tensor) if differential else tensor

    return _Source(shape, read)


def _in_diffusers_order(rows: Any) -> Any:
    """Return the rows q, k, v, q2, k2 of a differential attention as q, q2, k, k2, v."""
    query, key, value, query_2, key_2 = rows.chunk(5)
    return runtime.torch().cat([query, query_2, key, key_2, value])


def _frequencies(config: Mapping[str, Any]) -> _Source:
    """Return the duration embedder's frequencies, which it keeps as a tensor: evenly spaced on a logarithmic scale."""
    torch = runtime.torch()
    low, high = math.log(config["min_freq"]), math.log(config["max_freq"])
    values = torch.exp(torch.linspace(0.0, 1.0, config["fourier_dim"] // 2) * (high - low) + low)
    return _Source(tuple(values.shape), lambda: values)


def _write_text_encoder(source: Path, target: Path, *, name: str) -> None:
    """Write T5Gemma's encoder without its decoder, and its tokenizer."""
    from safetensors import safe_open
    from transformers import T5GemmaConfig, T5GemmaEncoderModel

    described: dict[str, Any] = json.loads((source / "config.json").read_text(encoding="utf-8"))
    config = {**described, "is_encoder_decoder": False, "architectures": ["T5GemmaEncoderModel"]}
    with runtime.torch().device("meta"):
        empty = T5GemmaEncoderModel(T5GemmaConfig.from_dict(config))
    due = {key: tuple(tensor.shape) for key, tensor in empty.state_dict().items()}
    with safe_open(source / WEIGHTS, framework="pt") as file:
        keys = {
            _TEXT_ENCODER.sub("encoder.", key): key
            for key in file.keys()  # noqa: SIM118
            if not _TEXT_DECODER.match(key)
        }
        missing = [key for key, shape in due.items() if key not in keys or _shape(file, keys[key]) != shape]
        checkpoints.refuse_unlike(name, source, missing=missing, unexpected=[keys[key] for key in keys.keys() - due])
        sources = {
            key: _source(file, keys[key], Placed("text_encoder", key), shape=shape) for key, shape in due.items()
        }
        _write_tensors(sources, target / "text_encoder", stem="model")
    _write_json(target / "text_encoder" / "config.json", config)
    (target / "tokenizer").mkdir()
    for path in (source / one for one in _TOKENIZER_FILES):
        if path.is_file():
            shutil.copyfile(path, target / "tokenizer" / path.name)


def _shape(file: Any, key: str) -> tuple[int, ...]:
    return tuple(file.get_slice(key).get_shape())


def _write_tensors(sources: Mapping[str, _Source], folder: Path, *, stem: str) -> None:
    """Write tensors in parts, each in memory alone, with the index that diffusers and transformers read."""
    from safetensors.torch import save_file

    folder.mkdir()
    parts = list(_parts(sources))
    index: dict[str, str] = {}
    total = 0
    for number, names in enumerate(parts, start=1):
        file = f"{stem}-{number:05d}-of-{len(parts):05d}.safetensors" if len(parts) > 1 else f"{stem}.safetensors"
        tensors = {name: sources[name].read().contiguous() for name in names}
        save_file(tensors, folder / file, {"format": "pt"})
        index |= dict.fromkeys(names, file)
        total += sum(tensor.numel() * tensor.element_size() for tensor in tensors.values())
    if len(parts) > 1:
        content = {"metadata": {"total_size": total}, "weight_map": index}
        _write_json(folder / f"{stem}.safetensors.index.json", content)


def _parts(sources: Mapping[str, _Source]) -> Iterator[list[str]]:
    """Yield names of tensors that together make up one file; sizes are taken as if all were of 32 bits."""
    part: list[str] = []
    filled = 0
    for name, source in sources.items():
        size = 4 * math.prod(source.shape)
        if part and filled + size > PART_BYTES:
            yield part
            part, filled = [], 0
        part.append(name)
        filled += size
    yield part


def _write_settings(settings: Settings, target: Path) -> None:
    """Write what holds no tensors: the scheduler, the pipeline's index, and foley's own page."""
    (target / "scheduler").mkdir()
    _write_json(
        target / "scheduler" / "scheduler_config.json", {"_class_name": COMPONENTS["scheduler"][1], **SCHEDULER}
    )
    index = {name: list(where) for name, where in COMPONENTS.items()}
    _write_json(target / "model_index.json", {"_class_name": "StableAudio3Pipeline", **index})
    _write_json(target / OWN, {**published.own_settings(settings), "made_from": str(settings.folder)})


def _write_json(path: Path, content: Mapping[str, Any]) -> None:
    path.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")


@contextlib.contextmanager
def _refused(source: Path) -> Iterator[None]:
    """Translate what the libraries raise where files are broken off or settings make no model."""
    from safetensors import SafetensorError

    try:
        yield
    except MissingWeightsError:
        raise
    except (SafetensorError, ValueError, TypeError, KeyError, RuntimeError) as cause:
        reason = (str(cause).splitlines() or [type(cause).__name__])[0]
        raise MissingWeightsError(str(source), f"{source} ({CONFIG}, {WEIGHTS}): {reason}", MEND) from cause


def _cache_folder() -> Path:
    from platformdirs import user_cache_path

    named = os.environ.get("FOLEY_CACHE")
    return Path(named) if named else user_cache_path("foley")
