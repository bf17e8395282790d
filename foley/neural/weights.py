"""Where models' weights are: the catalogue, what is here, and the only place that fetches anything.

Weights are looked for, in this order: at a path that is given; in the folder that FOLEY_MODELS names, under the model's
name; in the cache of the Hugging Face hub. Looking never touches the network, fetching (`get`) is only done when asked.
"""

from __future__ import annotations

import contextlib
import dataclasses
import importlib.util
import os
import sys
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from foley import yamls
from foley.errors import MissingProgramError, MissingWeightsError, OptionError
from foley.neural import digests, layouts, licences

CATALOGUE_FILE = Path(__file__).with_name("catalogue.yaml")
FOLDER_VARIABLE = "FOLEY_MODELS"

EXTERNAL = "external"
"""Purpose of models that another program plays: what is known of them here is what they allow and need."""

_COMMIT_DIGITS = 40
"""Of the hexadecimal name that the hub gives a revision's folder."""


_offline_guard = threading.Lock()
_offline_before: list[bool] = []
"""What was set before each thread that is off the network now; taken back in reverse, so the first value comes last."""


@dataclass(frozen=True, slots=True)
class Rate:
    """How fast a model makes sound."""

    realtime: float
    """Seconds of sound in one second."""
    source: str
    """Who measured it, on what."""


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
    """An id of licences.yaml; "check" where nobody has."""
    size_mb: int | None
    """Of the download; None where nobody has checked."""
    licence_checked: str | None = None
    """Month in which the model's card was read for its licence; None where nobody did."""
    revision: str = "main"
    """Commit, tag or branch."""
    layout: str = ""
    """How its files lie: one of `layouts.EXPECTED`, "other" for what only other programs read, "" for what is there."""
    generator: str = ""
    """The generator that plays it; "" for models that make no sound."""
    memory_mb: int | None = None
    """Expected when loaded, in half precision as on a GPU; None where nobody has measured or reckoned it."""
    rates: Mapping[str, Rate] = dataclasses.field(default_factory=dict)
    """How fast it makes sound, by device, where somebody has measured it."""

    @property
    def commercial(self) -> bool | None:
        """Whether what it makes may be used commercially; None where nobody has checked."""
        return licences.licence(self.weights_licence).commercial


@cache
def catalogue() -> Mapping[str, Weights]:
    """Return all models that foley knows, by name."""
    entries: dict[str, dict[str, Any]] = yamls.load(CATALOGUE_FILE.read_text(encoding="utf-8"))
    return {name: _weights(name, **entry) for name, entry in entries.items()}


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
    return Weights(name, "unknown", "not in the catalogue", name, "check", "check", None)


def find(name: str, *, published: bool = False) -> Path | None:
    """Return where the weights of a model are here, without asking the network.

    Args:
        name: A name of the catalogue, an id of the hub, or the path of a folder or file, with or without "local-dir:".
        published: As its authors publish it, where it has been converted too.

    Returns:
        A folder that holds configuration and all weights, or the file; None where they are not here or not whole.
    """
    path = _given_path(name)
    if path is not None:
        return path if path.is_file() or layouts.is_whole(path) else None
    name = name.removeprefix("hf-hub:")
    known = next((item for item in catalogue().values() if name in (item.name, item.hub)), None)
    converted = [] if known is None or published else [converted_folder(known.name)]
    for folder in (*converted, *_own_folders(name, known)):
        if layouts.is_whole(folder):
            return folder
    hub, wanted = (known.hub, known.revision) if known else (name, "main")
    return _cached(hub, wanted) if hub.count("/") == 1 else None


def need(name: str, *, published: bool = False) -> Path:
    """Return where the weights of a model are here; arguments as for `find`.

    Raises:
        OptionError: where no model bears the name.
        MissingWeightsError: where they are not, saying how to get them.
    """
    if (found := find(name, published=published)) is not None:
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
    if wanted.purpose == EXTERNAL:
        raise MissingWeightsError(name, "its own program fetches them", f"see https://huggingface.co/{wanted.hub}")
    if importlib.util.find_spec("huggingface_hub") is None:
        raise MissingProgramError("huggingface_hub", "pip install 'foley-pipeline[models]'")
    _download(wanted)
    return need(name)


def converted_folder(name: str) -> Path:
    """Return where a converted model lies when no other place is named: under FOLEY_MODELS, or the user's data."""
    from platformdirs import user_data_path

    base = os.environ.get(FOLDER_VARIABLE)
    return (Path(base).expanduser() if base else user_data_path("foley") / "models") / f"{name}-converted"


def revision(place: Path) -> str:
    """Return what tells the weights of a folder or file from others: the hub's commit, or a hash of what it holds."""
    if len(place.name) == _COMMIT_DIGITS and place.parent.name == "snapshots":
        return place.name
    folder = place if place.is_dir() else place.parent
    return digests.sampled((path.relative_to(folder).as_posix(), path) for path in layouts.files(place))


def record(place: Path) -> dict[str, Any]:
    """Return what a manifest says of the weights of a folder or file: their revision, and the SHA-256 of each file."""
    folder = place if place.is_dir() else place.parent
    hashes = {path.relative_to(folder).as_posix(): digests.sha256(path) for path in layouts.weights_files(place)}
    return {"revision": revision(place), "sha256": hashes}


@contextlib.contextmanager
def offline() -> Iterator[None]:
    """Keep the hub's package, and all that load through it, off the network for a while; in all threads."""
    from huggingface_hub import constants

    with _offline_guard:
        _offline_before.append(constants.HF_HUB_OFFLINE)
        constants.HF_HUB_OFFLINE = True
    try:
        yield
    finally:
        with _offline_guard:  # whoever leaves last puts back what the first one found
            constants.HF_HUB_OFFLINE = bool(_offline_before.pop())


def as_record(item: Weights) -> dict[str, Any]:
    """Return an entry with where it is here, as programs want it."""
    found = find(item.name)
    licence = licences.licence(item.weights_licence)
    return {
        **dataclasses.asdict(item),
        "commercial": licence.commercial,
        "conditions": licence.conditions,
        "excluded_regions": list(licence.excluded),
        "licence_url": licence.url,
        "here": str(found) if found else None,
    }


def _weights(name: str, *, rates: Mapping[str, Mapping[str, Any]] | None = None, **fields: Any) -> Weights:
    measured = {device: Rate(**rate) for device, rate in (rates or {}).items()}
    return Weights(name=name, rates=measured, **fields)


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


def _cached(hub: str, wanted: str) -> Path | None:
    """Return the folder of the hub's cache that holds a model whole."""
    if not (_hub_cache() / f"models--{hub.replace('/', '--')}").is_dir():  # importing the hub's package takes long
        return None
    if importlib.util.find_spec("huggingface_hub") is None:
        return None
    from huggingface_hub import try_to_load_from_cache
    from huggingface_hub.errors import HFValidationError

    try:
        found = [try_to_load_from_cache(hub, name, revision=wanted) for name in layouts.MARKERS]
    except HFValidationError:  # no name that the hub would give: nothing of it can be here
        return None
    folders = [Path(path).parent for path in found if isinstance(path, str)]
    return next((folder for folder in folders if layouts.is_whole(folder)), None)


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
        files = layouts.wanted_files(HfApi().list_repo_files(item.hub, revision=item.revision), item.layout)
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
