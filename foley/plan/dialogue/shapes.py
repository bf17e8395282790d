"""The shape of an answer, said once: as JSON Schema for services, as grammar for local models, as check of both.

Shapes are a small part of JSON Schema on purpose: every field is needed, nothing else may be there, numbers, texts and
lists are bounded. What cannot be written wrongly needs no repair.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import Any

NAME_SIGNS = " '&,/()-"
"""What a name may hold beside letters and digits."""

_NAME = re.compile(rf"[^\W\d_][\w{re.escape(NAME_SIGNS)}.]*")


@dataclass(frozen=True, slots=True)
class Text:
    """Words."""

    most: int = 200
    """Characters."""
    name: bool = False
    """It names something: begins with a letter, and holds no signs that names do not have."""

    def schema(self) -> dict[str, Any]:
        """Return the JSON Schema; the bound is told in words: strict services know no `maxLength`."""
        return {"type": "string", "description": f"at most {self.most} characters"}

    def check(self, value: object, where: str) -> None:
        """Raise a ValueError where a value is not of this shape."""
        if not isinstance(value, str):
            raise ValueError(f"{where} must be text, not {_kind(value)}")
        if len(value) > self.most:
            raise ValueError(f"{where} has {len(value)} characters, at most {self.most} are allowed")
        if self.name and not _NAME.fullmatch(value.strip()):
            raise ValueError(f"{where} is {_shown(value)}, it must name something in plain words")


@dataclass(frozen=True, slots=True)
class Number:
    """A number that is not negative; written with at most three decimals."""

    least: float
    most: float

    def __post_init__(self) -> None:
        if not 0.0 <= self.least <= self.most:
            raise ValueError(f"a number must lie between 0 and its most, got {self.least} to {self.most}")

    def schema(self) -> dict[str, Any]:
        """Return the JSON Schema."""
        return {"type": "number", "minimum": self.least, "maximum": self.most}

    def check(self, value: object, where: str) -> None:
        """Raise a ValueError where a value is not of this shape."""
        if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
            raise ValueError(f"{where} must be a number, not {_kind(value)}")
        if not self.least <= value <= self.most:
            raise ValueError(f"{where} is {value:g}, it must lie between {self.least:g} and {self.most:g}")


@dataclass(frozen=True, slots=True)
class Choice:
    """One of some names or whole numbers."""

    options: tuple[str | int, ...]

    def __post_init__(self) -> None:
        if not self.options or len({type(option) for option in self.options}) != 1:
            raise ValueError("a choice needs options of one type")

    def schema(self) -> dict[str, Any]:
        """Return the JSON Schema."""
        return {"type": "string" if isinstance(self.options[0], str) else "integer", "enum": list(self.options)}

    def check(self, value: object, where: str) -> None:
        """Raise a ValueError where a value is not of this shape."""
        if isinstance(value, bool) or type(value) is not type(self.options[0]) or value not in self.options:
            raise ValueError(f"{where} is {_shown(value)}, it must be one of {_listed(self.options)}")


@dataclass(frozen=True, slots=True)
class Listed:
    """A list of one thing."""

    of: Shape
    most: int
    least: int = 0

    def schema(self) -> dict[str, Any]:
        """Return the JSON Schema."""
        return {"type": "array", "items": self.of.schema(), "minItems": self.least, "maxItems": self.most}

    def check(self, value: object, where: str) -> None:
        """Raise a ValueError where a value is not of this shape."""
        if not isinstance(value, list):
            raise ValueError(f"{where} must be a list, not {_kind(value)}")
        if not self.least <= len(value) <= self.most:
            raise ValueError(f"{where} has {len(value)} entries, it must have {self.least} to {self.most}")
        for number, item in enumerate(value):
            self.of.check(item, f"{where}[{number}]")


@dataclass(frozen=True, slots=True)
class Record:
    """Named fields, all of them needed, in this order: what comes first is thought of first."""

    fields: tuple[tuple[str, Shape], ...]

    def schema(self) -> dict[str, Any]:
        """Return the JSON Schema."""
        return {
            "type": "object",
            "properties": {name: shape.schema() for name, shape in self.fields},
            "required": [name for name, _ in self.fields],
            "additionalProperties": False,
        }

    def check(self, value: object, where: str) -> None:
        """Raise a ValueError where a value is not of this shape."""
        if not isinstance(value, dict):
            raise ValueError(f"{where} must be an object, not {_kind(value)}")
        names = [name for name, _ in self.fields]
        if absent := [name for name in names if name not in value]:
            raise ValueError(f"{where} lacks {_listed(absent)}")
        if more := [name for name in value if name not in names]:
            raise ValueError(f"{where} has no field {_listed(more)}, only {_listed(names)}")
        for name, shape in self.fields:
            shape.check(value[name], f"{where}.{name}")


Shape = Text | Number | Choice | Listed | Record


def record(**fields: Shape) -> Record:
    """Return the shape of an object with these fields."""
    return Record(tuple(fields.items()))


def _kind(value: object) -> str:
    kinds = {dict: "an object", list: "a list", str: "text", bool: "true or false", int: "a number", float: "a number"}
    return "null" if value is None else kinds.get(type(value), "that")


def _shown(value: object) -> str:
    return repr(value)[:60] if isinstance(value, str | int | float) else _kind(value)


def _listed(names: tuple[str | int, ...] | list[str]) -> str:
    """Return the names in words; of many only the first: a repair needs to know the kind, not all of them."""
    shown = ", ".join(repr(name) for name in names[:12])
    return shown + (f" and {len(names) - 12} more" if len(names) > 12 else "")
