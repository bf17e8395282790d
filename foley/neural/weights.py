"""Where models' weights are: the catalogue, what is here, and the only place that fetches anything.

Weights are looked for, in this order: at a path that is given; in the folder that FOLEY_MODELS names, under the model's
name; in the cache of the Hugging Face hub. Looking never touches the network, fetching (`get`) is only done when asked.
"""

from __future__ import annotations

import contextlib
import dataclasses
import hashlib
import importlib.util
import json
import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from foley.errors import MissingProgramError, MissingWeightsError, OptionError

CATALOGUE_FILE = Path(__file__).with_name("catalogue.yaml")
FOLDER_VARIABLE = "FOLEY_MODELS"

WEIGHTS_SUFFIXES = (".safetensors", ".bin", ".pt", ".pth")
CONFIG_NAMES = ("config.json", "open_clip_config.json")
"""One of them is in every model's folder."""

_SMALL_SUFFIXES = (".json", ".txt", ".model", ".jinja")
"""Configurations, vocabularies, chat templates."""

_COMMIT_DIGITS = 40
"""Of the hexadecimal name that the hub gives a revision's folder."""

_SAMPLES, _SAMPLE_BYTES = 16, 1 << 16
"""Of a large file these parts are read to tell it from others: training changes all of a file, and a megabyte is read
in no time where gigabytes take seconds."""


@dataclass(frozen=True, slots=True)
class Weights:
    """One entry of the catalogue."""

    name: str
    purpose: str
    """What it is for: encoder, planner, text, matching ..."""
    about: str
    hub: str
    """ORGANISATION/NAME on the Hugging Face hub."""
    code_licence: str
    weights_licence: str
    """SPDX id or name; "check" where nobody has."""
    commercial: bool | None
    """Whether what it makes may be used commercially; None where nobody has checked."""
    size_mb: int | None
    """Of the download; None where nobody has checked."""
    revision: str = "main"
    """Commit, tag or branch."""


@cache
def catalogue() -> Mapping[str, Weights]:
    """Return all models that foley knows, by name."""
    import yaml

    entries: dict[str, dict[str, Any]] = yaml.safe_load(CATALOGUE_FILE.read_text(encoding="utf-8"))
    return {name: Weights(name=name, **entry) for name, entry in entries.items()}


def entry(name: str) -> Weights:
    """Return what is known of a model, given its name in the catalogue or its id on the hub.

    Raises:
        OptionError: where it is neither.
    """
    name = name.removeprefix("hf-hub:")
    for known in catalogue().values():
        if name in (known.name, known.hub):
            return known
    if name.count("/") != 1 or not all(name.split("/")):
        raise OptionError(
            f"no model is called {name!r}",
            hint=f"there are: {', '.join(sorted(catalogue()))}; or give an id of the hub, ORGANISATION/NAME",
        )
    return Weights(name, "unknown", "not in the catalogue", name, "check", "check", None, None)


def find(name: str) -> Path | None:
    """Return where the weights of a model are here, without asking the network.

    Args:
        name: A name of the catalogue, an id of the hub, or the path of a folder or file, with or without "local-dir:".

    Returns:
        A folder that holds configuration and all weights, or the file; None where they are not here or not whole.
    """
    path = _given_path(name)
    if path is not None:
        return path if path.is_file() or _is_whole(path) else None
    name = name.removeprefix("hf-hub:")
    known = next((item for item in catalogue().values() if name in (item.name, item.hub)), None)
    for folder in _own_folders(name, known):
        if _is_whole(folder):
            return folder
    hub, revision = (known.hub, known.revision) if known else (name, "main")
    return _cached(hub, revision) if hub.count("/") == 1 else None


def need(name: str) -> Path:
    """Return where the weights of a model are here.

    Raises:
        OptionError: where no model bears the name.
        MissingWeightsError: where they are not, saying how to get them.
    """
    if (found := find(name)) is not None:
        return found
    if (path := _given_path(name)) is not None:
        raise MissingWeightsError(name, f"{path} holds no whole weights", mend(name))
    raise MissingWeightsError(entry(name).name, "they are not here", mend(name))


def mend(name: str) -> str:
    """Return the command that makes the weights of a model be here."""
    if _given_path(name) is not None:
        return "give a folder with configuration and weights, or a name that `foley models list` knows"
    return f"foley models get {name.removeprefix('hf-hub:')}"


def get(name: str) -> Path:
    """Fetch the weights of a model into the hub's cache, and return their folder; at once where they are here.

    Raises:
        OptionError: where no model bears the name.
        MissingProgramError: where the hub's package is not installed.
        MissingWeightsError: where they cannot be fetched.
    """
    wanted = entry(name)
    if (found := find(name)) is not None:
        return found
    if importlib.util.find_spec("huggingface_hub") is None:
        raise MissingProgramError("huggingface_hub", "pip install 'foley-pipeline[models]'")
    _download(wanted)
    return need(name)


def revision(place: Path) -> str:
    """Return what tells the weights of a folder or file from others: the hub's commit, or a hash of what it holds."""
    if len(place.name) == _COMMIT_DIGITS and place.parent.name == "snapshots":
        return place.name
    total = hashlib.blake2b(digest_size=8)
    for path in sorted(place.iterdir()) if place.is_dir() else [place]:
        if path.suffix in (*WEIGHTS_SUFFIXES, *_SMALL_SUFFIXES) and path.is_file():
            total.update(path.name.encode())
            _add_samples(total, path)
    return total.hexdigest()


@contextlib.contextmanager
def offline() -> Iterator[None]:
    """Keep the hub's package, and all that load through it, off the network for a while."""
    from huggingface_hub import constants

    before = constants.HF_HUB_OFFLINE
    constants.HF_HUB_OFFLINE = True
    try:
        yield
    finally:
        constants.HF_HUB_OFFLINE = before


def wanted_files(there: Sequence[str]) -> list[str]:
    """Return which files of a model's repository are needed: the same weights often lie there in several formats.

    >>> wanted_files(["config.json", "model.safetensors", "pytorch_model.bin", "onnx/model.onnx", "README.md"])
    ['config.json', 'model.safetensors']
    """
    own = [name for name in there if "/" not in name]
    small = [name for name in own if name.endswith(_SMALL_SUFFIXES) and not name.endswith(".index.json")]
    prefixes = (
        ("open_clip_model", "open_clip_pytorch_model") if "open_clip_config.json" in own else ("model", "pytorch_")
    )
    for prefix, suffix in zip(prefixes, (".safetensors", ".bin"), strict=True):
        chosen = [name for name in own if name.startswith(prefix) and name.endswith((suffix, f"{suffix}.index.json"))]
        if any(name.endswith(suffix) for name in chosen):
            return [*small, *chosen]
    return small


def as_record(item: Weights) -> dict[str, Any]:
    """Return an entry with where it is here, as programs want it."""
    found = find(item.name)
    return {**dataclasses.asdict(item), "here": str(found) if found else None}


def _given_path(name: str) -> Path | None:
    """Return the path that a name is, or None where it is a name."""
    if name.startswith("local-dir:"):
        return Path(name.removeprefix("local-dir:")).expanduser()
    path = Path(name).expanduser()
    looks_like_one = path.is_absolute() or name.startswith((".", "~"))
    return path if looks_like_one or (name not in catalogue() and path.exists()) else None


def _own_folders(name: str, known: Weights | None) -> Iterator[Path]:
    """Yield where a model would lie in the user's own folder: under any of its names."""
    if base := os.environ.get(FOLDER_VARIABLE):
        names = [name] if known is None else [known.name, known.hub, known.hub.rpartition("/")[2]]
        yield from (Path(base).expanduser() / one for one in names)


def _is_whole(folder: Path) -> bool:
    """Return whether a folder holds a model's configuration and all parts of its weights."""
    if not any((folder / name).is_file() for name in CONFIG_NAMES):
        return False
    if indexes := list(folder.glob("*.index.json")):
        return any(_has_all_parts(index) for index in indexes)
    return any(path.suffix in WEIGHTS_SUFFIXES and path.stat().st_size > 0 for path in folder.iterdir())


def _has_all_parts(index: Path) -> bool:
    """Return whether all files that an index of a model's parts names lie beside it."""
    try:
        parts: dict[str, str] = json.loads(index.read_text(encoding="utf-8"))["weight_map"]
        return all((index.parent / name).is_file() for name in parts.values())
    except (ValueError, KeyError, AttributeError, TypeError):  # no index at all: broken off, or of another format
        return False


def _cached(hub: str, wanted: str) -> Path | None:
    """Return the folder of the hub's cache that holds a model whole."""
    if not (_hub_cache() / f"models--{hub.replace('/', '--')}").is_dir():  # importing the hub's package takes long
        return None
    if importlib.util.find_spec("huggingface_hub") is None:
        return None
    from huggingface_hub import try_to_load_from_cache
    from huggingface_hub.errors import HFValidationError

    try:
        found = [try_to_load_from_cache(hub, name, revision=wanted) for name in CONFIG_NAMES]
    except HFValidationError:  # no name that the hub would give: nothing of it can be here
        return None
    folders = [Path(path).parent for path in found if isinstance(path, str)]
    return next((folder for folder in folders if _is_whole(folder)), None)


def _hub_cache() -> Path:
    """Return where the hub's package keeps what it fetched, without importing it: by the variables that it reads."""
    if constants := sys.modules.get("huggingface_hub.constants"):
        return Path(constants.HF_HUB_CACHE)
    if named := os.environ.get("HF_HUB_CACHE"):
        return Path(named).expanduser()
    cache_home = os.environ.get("XDG_CACHE_HOME", "~/.cache")
    return Path(os.environ.get("HF_HOME", f"{cache_home}/huggingface")).expanduser() / "hub"


def _download(item: Weights) -> None:
    from huggingface_hub import HfApi, snapshot_download
    from huggingface_hub.errors import GatedRepoError, RepositoryNotFoundError

    try:
        files = wanted_files(HfApi().list_repo_files(item.hub, revision=item.revision))
        snapshot_download(item.hub, revision=item.revision, allow_patterns=files)
    except GatedRepoError as cause:
        page = f"https://huggingface.co/{item.hub}"
        raise MissingWeightsError(
            item.name, "its owner asks for consent", f"accept it at {page}, then: hf auth login"
        ) from cause
    except RepositoryNotFoundError as cause:
        raise MissingWeightsError(
            item.name, f"the hub has no {item.hub}", "check the name; foley models list"
        ) from cause
    except (
        Exception
    ) as cause:  # the hub's package lets errors of its HTTP library through, which is not always the same
        reason = f"{item.hub} cannot be fetched: {_first_line(cause)}"
        way = f"connect to the network and try again, or put its files into the folder {FOLDER_VARIABLE}/{item.name}"
        raise MissingWeightsError(item.name, reason, way) from cause


def _first_line(cause: Exception) -> str:
    return (str(cause).splitlines() or [type(cause).__name__])[0]


def _add_samples(total: Any, path: Path) -> None:
    """Add a file's length and evenly spread parts of it, its first and last among them, to a hash."""
    size = path.stat().st_size
    total.update(size.to_bytes(8, "big"))
    last = max(0, size - _SAMPLE_BYTES)
    with path.open("rb") as file:
        for start in sorted({last * number // (_SAMPLES - 1) for number in range(_SAMPLES)}):
            file.seek(start)
            total.update(file.read(_SAMPLE_BYTES))
