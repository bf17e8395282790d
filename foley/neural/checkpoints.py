"""Loading of checkpoints, safely: no code that a checkpoint brings is run, and what does not fit exactly is refused.

Numbers come from safetensors, or from pickles that hold nothing but numbers. A model whose keys are not exactly those
of its checkpoint would sound, but as noise: it is refused.
"""

from __future__ import annotations

import contextlib
import importlib
import pickle
import re
import sys
import threading
import zipfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from foley.errors import MissingWeightsError
from foley.neural import layouts, memory, runtime, weights
from foley.neural.digests import sha256

__all__ = ["checked", "opened", "read_pickled", "refuse_unlike", "sha256"]

_quiet_guard = threading.RLock()
"""How much the libraries say is one setting for all threads."""

_SHOWN = 3
"""Names of keys in a message: enough to tell what sort of checkpoint it is."""

PICKLED = "pickled state dict of plain tensors"

_FAULTS = (OSError, ValueError, LookupError, TypeError, AttributeError, RuntimeError, EOFError, ImportError)
"""What transformers and diffusers let through where a folder is not as they expect."""


def checked(cls: Any, folder: Path, *, name: str, harmless: Sequence[str] = (), **options: Any) -> Any:
    """Return a model from a folder, every one of its numbers from the checkpoint, and every number there used.

    Of a pipeline of diffusers each component is loaded so; one that is given in `options` is taken as it is.

    Args:
        cls: A class of transformers or diffusers with `from_pretrained`.
        folder: In the layout of the class.
        name: What the model is called in errors: a name that `foley models get` knows, or the path that was given.
        harmless: Patterns (regular expressions) of keys in the checkpoint that the class rightly leaves aside.
        **options: For `from_pretrained`: dtype, device_map, attn_implementation, or components of a pipeline.

    Raises:
        MissingWeightsError: where the folder does not hold just what the class needs.
    """
    if (folder / "model_index.json").is_file():
        return _checked_pipeline(cls, folder, name=name, harmless=harmless, **options)
    if cls.__module__.startswith("transformers."):
        options["ignore_mismatched_sizes"] = True  # then they are listed; diffusers names the first
    with _refused(name, folder):
        model, found = _from_pretrained(cls, folder, output_loading_info=True, **options)
    unexpected = [key for key in found["unexpected_keys"] if not any(re.search(one, key) for one in harmless)]
    mismatched = [str(one[0]) for one in found.get("mismatched_keys", ())]
    refuse_unlike(name, folder, missing=[*found["missing_keys"], *mismatched], unexpected=unexpected)
    return model.eval()


def opened(cls: Any, folder: Path, *, name: str, **options: Any) -> Any:
    """Return what holds no weights from a folder: a tokenizer, processor, scheduler or configuration.

    Raises:
        MissingWeightsError: where the folder does not hold it.
    """
    with _refused(name, folder):
        return _from_pretrained(cls, folder, **options)


def read_pickled(path: Path, *, name: str) -> dict[str, Any]:
    """Return what a file of torch holds, mapped and not read: numbers, texts and plain containers alone.

    Raises:
        MissingWeightsError: where it is none, is broken off, or holds anything that would have to be run.
    """
    torch = runtime.torch()
    try:
        # pickles from before torch 1.6 are no archives and cannot be mapped
        found = torch.load(path, weights_only=True, mmap=zipfile.is_zipfile(path), map_location="cpu")
    except pickle.UnpicklingError as cause:
        reason = f"{path} is no {PICKLED}; nothing else in it is run"
        raise MissingWeightsError(name, reason, weights.mend(name)) from cause
    except _FAULTS as cause:
        if memory.is_lack(cause):
            raise
        reason = f"{path} is broken off, or was not written by torch ({_first_sentence(cause)}); expected: a {PICKLED}"
        raise MissingWeightsError(name, reason, weights.mend(name)) from cause
    if not isinstance(found, dict):
        reason = f"{path} holds a {type(found).__name__} where a state dict was expected"
        raise MissingWeightsError(name, reason, weights.mend(name))
    return found


def refuse_unlike(name: str, place: Path, *, missing: Sequence[str], unexpected: Sequence[str]) -> None:
    """Refuse a checkpoint whose keys are not those of the model.

    Args:
        name: What the model is called.
        place: Its folder or file.
        missing: Keys that the model has and the checkpoint has not, or of another shape.
        unexpected: Keys that the checkpoint has and the model has not.

    Raises:
        MissingWeightsError: where there are any.
    """
    faults = [f"{_counted(keys)} {what}" for keys, what in ((missing, "missing"), (unexpected, "not known")) if keys]
    if faults:
        files = ", ".join(path.name for path in layouts.weights_files(place)[:_SHOWN])
        where = f"{place} ({files})" if place.is_dir() and files else str(place)
        raise MissingWeightsError(name, f"{where} holds another model: {'; '.join(faults)}", weights.mend(name))


def _checked_pipeline(cls: Any, folder: Path, *, name: str, harmless: Sequence[str], **options: Any) -> Any:
    """Return a pipeline whose components were all loaded by `checked`: by itself it checks none of them."""
    dtype = options.pop("dtype", None)
    with _refused(name, folder):
        named = layouts.components(folder)
    for component, (library, class_name) in named.items():
        if component in options or not layouts.has_weights(class_name):
            continue
        with _refused(name, folder):
            component_class = getattr(_library(library), class_name)
        options[component] = checked(component_class, folder / component, name=name, harmless=harmless, dtype=dtype)
    with _refused(name, folder):
        return _from_pretrained(cls, folder, **options)


def _library(name: str) -> Any:
    """Return the module that a component's class is in; only transformers and diffusers' own are taken.

    Raises:
        ValueError: where it is another.
    """
    if name in ("transformers", "diffusers"):
        return importlib.import_module(name)
    if not name.isidentifier():
        raise ValueError(f"model_index.json names the library {name!r}; only transformers and diffusers are used")
    try:
        return importlib.import_module(f"diffusers.pipelines.{name}")
    except ModuleNotFoundError as cause:
        raise ValueError(f"model_index.json names {name!r}, which diffusers does not have") from cause


def _from_pretrained(cls: Any, folder: Path, **options: Any) -> Any:
    """Call `from_pretrained` without the network, without code from the folder, and without its talk."""
    given = {key: value for key, value in options.items() if value is not None}
    if cls.__module__.startswith("transformers.models.auto"):
        given["trust_remote_code"] = False  # None would ask at the terminal
    with _quiet_guard, weights.offline(), contextlib.ExitStack() as silence:
        for library in {"transformers", "diffusers"} & sys.modules.keys():
            silence.enter_context(quiet(library))
        return cls.from_pretrained(str(folder), local_files_only=True, **given)


@contextlib.contextmanager
def quiet(library: str) -> Iterator[None]:
    """Keep what transformers or diffusers say to themselves (bars, remarks): what is wrong comes as one error."""
    logging: Any = importlib.import_module(f"{library}.utils.logging")
    level, bars = logging.get_verbosity(), logging.is_progress_bar_enabled()
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    try:
        yield
    finally:
        logging.set_verbosity(level)
        if bars:
            logging.enable_progress_bar()


@contextlib.contextmanager
def _refused(name: str, folder: Path) -> Iterator[None]:
    """Translate what the libraries raise where a folder is not as they expect; a lack of memory is no fault of it."""
    from safetensors import SafetensorError

    try:
        yield
    except MissingWeightsError:
        raise
    except (*_FAULTS, SafetensorError, pickle.UnpicklingError) as cause:
        if memory.is_lack(cause):
            raise
        layout = "diffusers" if (folder / "model_index.json").is_file() else "transformers"
        reason = f"{folder}: {_first_sentence(cause)}; expected: {layouts.EXPECTED[layout]}"
        raise MissingWeightsError(name, reason, weights.mend(name)) from cause


def _counted(keys: Sequence[str]) -> str:
    shown = ", ".join(sorted(keys)[:_SHOWN])
    return f"{len(keys)} ({shown}{', ...' if len(keys) > _SHOWN else ''})"


def _first_sentence(cause: BaseException) -> str:
    """Return what is wrong; what follows is advice, in the libraries' words, often to switch the checks off."""
    lines = [line.strip() for line in str(cause).splitlines() if line.strip()]
    return re.split(r"\.\s", lines[0])[0].rstrip(".") if lines else type(cause).__name__
