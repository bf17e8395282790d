"""How published models lie in their folders: which files belong to one, and whether all of them are there."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

WEIGHTS_SUFFIXES = (".safetensors", ".bin", ".pt", ".pth")

_SMALL_SUFFIXES = (".json", ".txt", ".model", ".jinja")
"""Configurations, vocabularies, chat templates."""

EXPECTED = {
    "open_clip": "open_clip_config.json and open_clip_model.safetensors or open_clip_pytorch_model.bin",
    "diffusers": "model_index.json and a folder with configuration and weights for each component that it names",
    "transformers": "config.json and model.safetensors or pytorch_model.bin, diffusion_pytorch_... in a pipeline, "
    "in one file or in parts with an index",
    "audiocraft": "state_dict.bin and compression_state_dict.bin",
    "stable-audio-tools": "model_config.json and model.safetensors",
}
"""Each layout in words. The order is that of recognition: folders that hold a model in two of them are common."""

MARKERS = ("config.json", "open_clip_config.json", "model_index.json", "model_config.json", "state_dict.bin")
"""One of them is in every model's folder."""

_PLAIN_WEIGHTS = re.compile(
    r"(diffusion_pytorch_model|model|pytorch_model)(-\d+-of-\d+)?\.(safetensors|bin)(\.index\.json)?"
)
"""Weights as they are loaded where no variant (fp16, ema) is asked for, and the indexes of their parts."""

_WITHOUT_WEIGHTS = ("Tokenizer", "TokenizerFast", "Processor", "Extractor", "Scheduler")
"""Endings of classes of components that are configuration alone."""


def layout_of(folder: Path) -> str | None:
    """Return the layout in which a folder holds a model whole; None where it holds none.

    >>> layout_of(Path("nowhere")) is None
    True
    """
    return next((layout for layout in EXPECTED if _holds(folder, layout)), None)


def is_whole(folder: Path) -> bool:
    """Return whether a folder holds a model's configuration and all parts of its weights."""
    return layout_of(folder) is not None


def components(folder: Path) -> dict[str, tuple[str, str]]:
    """Return the components that a diffusers folder names: their names, each with its library and class.

    Raises:
        ValueError: where its model_index.json is none.
    """
    named: Any = json.loads((folder / "model_index.json").read_text(encoding="utf-8"))
    if not isinstance(named, dict):
        raise ValueError("model_index.json holds no components")
    return {
        name: (value[0], value[1])
        for name, value in named.items()
        if isinstance(value, list) and len(value) == 2 and all(isinstance(part, str) for part in value)
    }


def has_weights(class_name: str) -> bool:
    """Return whether a component of a class has weights, or is configuration alone.

    >>> has_weights("T5TokenizerFast"), has_weights("T5EncoderModel")
    (False, True)
    """
    return not class_name.endswith(_WITHOUT_WEIGHTS)


def files(place: Path) -> list[Path]:
    """Return the files that make up a model in a folder, sorted: configuration, vocabularies, weights; or the file."""
    if place.is_file():
        return [place]
    folders = [place]
    if layout_of(place) == "diffusers":
        folders += [place / name for name in components(place)]
    found = [path for folder in folders if folder.is_dir() for path in folder.iterdir() if path.is_file()]
    return sorted(path for path in found if path.suffix in (*WEIGHTS_SUFFIXES, *_SMALL_SUFFIXES))


def weights_files(place: Path) -> list[Path]:
    """Return the files of a model's numbers alone."""
    return [path for path in files(place) if path.suffix in WEIGHTS_SUFFIXES]


def wanted_files(there: Sequence[str], layout: str = "") -> list[str]:
    """Return which files of a model's repository are needed: the same weights often lie there in several formats.

    Args:
        there: All files of the repository, as POSIX paths.
        layout: The one of `EXPECTED` to take; "" for the first that is there.

    >>> wanted_files(["config.json", "model.safetensors", "pytorch_model.bin", "onnx/model.onnx", "README.md"])
    ['config.json', 'model.safetensors']
    """
    own = [name for name in there if "/" not in name]
    small = [name for name in own if name.endswith(_SMALL_SUFFIXES) and not name.endswith(".index.json")]
    layout = layout or _offered(own)
    if layout == "open_clip":
        return [*small, *_one_format(own, ("open_clip_model", "open_clip_pytorch_model"))]
    if layout == "diffusers":
        return ["model_index.json", *_wanted_components(there)]
    if layout == "audiocraft":
        return [name for name in ("state_dict.bin", "compression_state_dict.bin") if name in own]
    if layout == "stable-audio-tools":
        beside = [] if "model_index.json" in own else _wanted_components(there)  # the text encoder, in a folder
        return [*(name for name in ("model_config.json", "model.safetensors") if name in own), *beside]
    return [*small, *_one_format(own, ("model", "pytorch_"))]


def _offered(own: Sequence[str]) -> str:
    """Return the layout that the files of a repository's root are of."""
    marks = {
        "open_clip": "open_clip_config.json",
        "diffusers": "model_index.json",
        "transformers": "config.json",
        "audiocraft": "state_dict.bin",
        "stable-audio-tools": "model_config.json",
    }
    return next((layout for layout, mark in marks.items() if mark in own), "transformers")


def _one_format(own: Sequence[str], prefixes: tuple[str, str]) -> list[str]:
    """Return the weights as safetensors where there are such, else pickled ones; with the indexes of their parts."""
    for prefix, suffix in zip(prefixes, (".safetensors", ".bin"), strict=True):
        chosen = [name for name in own if name.startswith(prefix) and name.endswith((suffix, f"{suffix}.index.json"))]
        if any(name.endswith(suffix) for name in chosen):
            return chosen
    return []


def _wanted_components(there: Sequence[str]) -> list[str]:
    """Return the files of all folders one deep that hold a configuration: configuration, and weights in one format."""
    chosen: list[str] = []
    for folder in dict.fromkeys(name.partition("/")[0] for name in there if name.count("/") == 1):
        inside = [name.partition("/")[2] for name in there if name.startswith(f"{folder}/") and name.count("/") == 1]
        if not any(name.endswith("config.json") for name in inside):
            continue
        plain = [name for name in inside if _PLAIN_WEIGHTS.fullmatch(name)]
        small = [name for name in inside if name.endswith(_SMALL_SUFFIXES) and not name.endswith(".index.json")]
        safe = [name for name in plain if ".safetensors" in name]
        chosen += [f"{folder}/{name}" for name in (*small, *(safe or plain))]
    return chosen


def _holds(folder: Path, layout: str) -> bool:
    """Return whether a folder holds a model in a layout, whole."""
    if layout == "diffusers":
        return _holds_pipeline(folder)
    if layout == "audiocraft":
        return all(_is_filled(folder / name) for name in ("state_dict.bin", "compression_state_dict.bin"))
    if layout == "stable-audio-tools":
        return (folder / "model_config.json").is_file() and _is_filled(folder / "model.safetensors")
    config = "open_clip_config.json" if layout == "open_clip" else "config.json"
    return (folder / config).is_file() and _has_all_weights(folder)


def _holds_pipeline(folder: Path) -> bool:
    """Return whether all components that a folder's model_index.json names are there, each whole."""
    if not (folder / "model_index.json").is_file():
        return False
    try:
        named = components(folder)
    except (ValueError, OSError):  # broken off
        return False
    return bool(named) and all(_is_component(folder / name, of) for name, (_, of) in named.items())


def _is_component(folder: Path, class_name: str) -> bool:
    if not has_weights(class_name):
        return folder.is_dir() and any(path.suffix in _SMALL_SUFFIXES for path in folder.iterdir())
    return (folder / "config.json").is_file() and _has_all_weights(folder)


def _has_all_weights(folder: Path) -> bool:
    if indexes := list(folder.glob("*.index.json")):
        return any(_has_all_parts(index) for index in indexes)
    return any(path.suffix in WEIGHTS_SUFFIXES and _is_filled(path) for path in folder.iterdir())


def _has_all_parts(index: Path) -> bool:
    """Return whether all files that an index of a model's parts names lie beside it."""
    try:
        parts: dict[str, str] = json.loads(index.read_text(encoding="utf-8"))["weight_map"]
        return all((index.parent / name).is_file() for name in parts.values())
    except (ValueError, KeyError, AttributeError, TypeError):  # no index at all: broken off, or of another format
        return False


def _is_filled(path: Path) -> bool:
    return path.is_file() and path.stat().st_size > 0
