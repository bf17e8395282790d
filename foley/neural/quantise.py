"""Weights in fewer bits: less memory, and often less time, for a little less exactness."""

from __future__ import annotations

import importlib
import importlib.util
from typing import Any

from foley.errors import OptionError

BITS = {"": 16, "8bit": 8, "4bit": 4}
"""What `GeneratorSettings.quantise` asks for; "" leaves the weights as they are."""

_GROUP = 128
"""Weights that share one scale, at 4 bits: what the kernels of CUDA devices are made for."""


def quantised(model: Any, wanted: str, device: str) -> Any:
    """Return a model with the weights of its linear layers in fewer bits; the model itself where nothing is wanted.

    Args:
        model: On its device, in the type of number it computes with.
        wanted: "8bit", "4bit" or "".
        device: cpu, cuda or mps.

    Raises:
        OptionError: where the package or the platform does not support it.
    """
    if not wanted:
        return model
    if (refusal := refused(wanted, device)) is not None:
        raise refusal
    torchao: Any = importlib.import_module("torchao.quantization")
    config = torchao.Int4WeightOnlyConfig(group_size=_GROUP) if wanted == "4bit" else torchao.Int8WeightOnlyConfig()
    try:
        torchao.quantize_(model, config)
    except ImportError as cause:  # the kernels of a platform come in packages of their own
        hint = "install what torchao asks for, or leave quantise out"
        raise OptionError(f"{wanted} weights cannot be made here: torchao says: {cause}", hint=hint) from cause
    return model


def refused(wanted: str, device: str) -> OptionError | None:
    """Return why weights cannot be put into fewer bits on a device; None where they can, or nothing is wanted."""
    if wanted not in BITS:
        return OptionError(f"no quantisation is called {wanted!r}", hint="there are: 8bit, 4bit")
    if wanted and device == "mps":
        return OptionError(f"{wanted} weights are not supported on mps", hint="leave quantise out, or use --device cpu")
    if wanted == "4bit" and device != "cuda":
        return OptionError(f"4bit weights are not supported on {device}", hint="use 8bit, or a CUDA device")
    if wanted and importlib.util.find_spec("torchao") is None:
        return OptionError(
            f"{wanted} weights need the package torchao", hint="pip install torchao, or leave quantise out"
        )
    return None
