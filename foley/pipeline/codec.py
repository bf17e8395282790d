"""Model values to JSON and arrays, and back: how the cache keeps them and what cache keys are made of."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Callable, Mapping
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from foley import model

Arrays = dict[str, npt.NDArray[Any]]
Tree = Any
"""What `json` can hold."""

TYPES: dict[str, Any] = {name: value for name, value in vars(model).items() if dataclasses.is_dataclass(value)}
"""Only these are ever built from a file."""

NAMES_PATH = Callable[[Path], str]
FINDS_PATH = Callable[[str], Path]


class Encoder:
    """Turns one value into a tree, putting arrays aside."""

    def __init__(self, names_path: NAMES_PATH, *, identity_only: bool = False) -> None:
        self.names_path = names_path
        self.identity_only = identity_only
        """Leaves out fields marked `identity: False`."""
        self.arrays: Arrays = {}

    def tree(self, value: object) -> Tree:
        """Return the value as what `json` can hold."""
        if value is None or isinstance(value, bool | int | float | str):
            return value
        if isinstance(value, list | tuple):
            return [self.tree(item) for item in value]
        if isinstance(value, Mapping):
            return {"$map": {str(key): self.tree(item) for key, item in value.items()}}
        if dataclasses.is_dataclass(value) and not isinstance(value, type):
            return {"$type": type(value).__name__, **self._fields(value)}
        return self._leaf(value)

    def _fields(self, value: Any) -> dict[str, Tree]:
        return {
            field.name: self.tree(getattr(value, field.name))
            for field in dataclasses.fields(value)
            if not self.identity_only or field.metadata.get("identity", True)
        }

    def _leaf(self, value: object) -> Tree:
        if isinstance(value, np.generic):
            return self.tree(value.item())
        if isinstance(value, np.ndarray):
            return {"$array": self._put(value)}
        if isinstance(value, bytes):
            return {"$bytes": self._put(np.frombuffer(value, np.uint8))}
        if isinstance(value, Fraction):
            return {"$fraction": str(value)}
        if isinstance(value, Path):
            return {"$path": self.names_path(value)}
        if isinstance(value, frozenset):
            return sorted(self.tree(item) for item in value)
        raise TypeError(f"a {type(value).__name__} cannot be kept: {value!r}")

    def _put(self, array: npt.NDArray[Any]) -> str:
        name = f"a{len(self.arrays)}"
        self.arrays[name] = array
        return name


def decode(tree: Tree, arrays: Mapping[str, npt.NDArray[Any]], finds_path: FINDS_PATH) -> Any:
    """Return the value that was encoded; lists come back as tuples."""
    if isinstance(tree, list):
        return tuple(decode(item, arrays, finds_path) for item in tree)
    if not isinstance(tree, dict):
        return tree
    if "$type" in tree:
        fields = {name: decode(item, arrays, finds_path) for name, item in tree.items() if name != "$type"}
        return TYPES[tree["$type"]](**fields)
    ((mark, content),) = tree.items()
    if mark == "$map":
        return {key: decode(item, arrays, finds_path) for key, item in content.items()}
    if mark == "$array":
        return arrays[content]
    if mark == "$bytes":
        return arrays[content].tobytes()
    return Fraction(content) if mark == "$fraction" else finds_path(content)


def digest(values: tuple[object, ...], names_path: NAMES_PATH) -> str:
    """Return the content key of values: 32 hexadecimal digits of BLAKE2b."""
    encoder = Encoder(names_path, identity_only=True)
    text = json.dumps(encoder.tree(values), sort_keys=True)
    total = hashlib.blake2b(text.encode(), digest_size=16)
    for array in encoder.arrays.values():
        total.update(f"{array.dtype}{array.shape}".encode())
        total.update(np.ascontiguousarray(array).data)
    return total.hexdigest()
