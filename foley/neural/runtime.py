"""The only door to torch: loaded when asked for, mended where it must be, on the best device there is."""

from __future__ import annotations

import importlib.util
import sys
from types import ModuleType
from typing import Any, Literal

from foley.errors import MissingProgramError, OptionError

DEVICES = ("auto", "cpu", "cuda", "mps")
Device = Literal["cpu", "cuda", "mps"]

INSTALL = "make models (or: pip install torch==2.13.0, then pip install 'foley-pipeline[models]')"

_kept: list[Any] = []
"""The schemas that the mend declares go away with their library."""


def torch() -> Any:
    """Return the package, mended so that open_clip, timm and transformers can be imported after it.

    Raises:
        MissingProgramError: where it is not installed.
    """
    if importlib.util.find_spec("torch") is None:
        raise MissingProgramError("torch", INSTALL)
    import torch as package

    _mend_torchvision(package)
    return package


def missing(*packages: str) -> tuple[str, ...]:
    """Return how to install what is not there of some packages; empty where all are."""
    absent = [name for name in ("torch", *packages) if importlib.util.find_spec(name) is None]
    return (f"install {', '.join(absent)}: {INSTALL}",) if absent else ()


def device(wanted: str = "auto") -> Device:
    """Return where to compute: what is wanted, or the best there is.

    Raises:
        OptionError: where what is wanted is not there.
    """
    if wanted not in DEVICES:
        raise OptionError(f"no device is called {wanted!r}", hint=f"there are: {', '.join(DEVICES)}")
    package = torch()
    there: dict[Device, bool] = {
        "cuda": package.cuda.is_available(),
        "mps": package.backends.mps.is_available(),
        "cpu": True,
    }
    if wanted == "auto":
        return next(name for name, here in there.items() if here)
    chosen = next(name for name in there if name == wanted)
    if not there[chosen]:
        raise OptionError(f"this machine has no {wanted} device", hint="use --device auto")
    return chosen


def dtype(on: Device) -> Any:
    """Return the type of number to compute with: half the memory where the device is fast with it."""
    package = torch()
    halves = on == "cuda" and package.cuda.is_bf16_supported()
    return package.bfloat16 if halves else package.float32


def _mend_torchvision(package: ModuleType) -> None:
    """Let torchvision be imported where its compiled operators cannot load: its wheels are linked against CUDA.

    It fails on two operators whose schemas it expects; declared, all that is written in Python works. Nothing is done
    where it loads by itself.
    """
    if "torchvision" in sys.modules or importlib.util.find_spec("torchvision") is None:
        return
    try:
        importlib.import_module("torchvision")
        return
    except RuntimeError as cause:
        if "torchvision::nms does not exist" not in str(cause):
            raise
    for name in [name for name in sys.modules if name.split(".")[0] == "torchvision"]:
        del sys.modules[name]
    library = package.library.Library("torchvision", "DEF")
    for operator in ("nms", "qnms"):
        library.define(f"{operator}(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
    _kept.append(library)
    importlib.import_module("torchvision")
