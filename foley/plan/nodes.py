"""Read typed data from YAML: every field keeps its line, and all faults are collected, not only the first."""

from __future__ import annotations

import dataclasses
import difflib
import math
import types
import typing
from collections.abc import Mapping
from fractions import Fraction
from functools import cache
from typing import Any, Literal, Union, get_args, get_origin

import yaml

from foley.units import parse_clock

STR_TAG, NULL_TAG, BOOL_TAG = "tag:yaml.org,2002:str", "tag:yaml.org,2002:null", "tag:yaml.org,2002:bool"
NUMBER_TAGS = frozenset({"tag:yaml.org,2002:int", "tag:yaml.org,2002:float"})
YES = frozenset({"true", "yes", "on"})

WRONG: Any = object()
"""Stands for a value that could not be read; its fault is in the list."""


@dataclasses.dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong, and where."""

    line: int
    where: str
    """Path of the field, e.g. "events[2].kind"."""
    what: str


class NodeReader:
    """Turns YAML nodes into dataclasses of known types."""

    def __init__(self) -> None:
        self.faults: list[Fault] = []
        self.lines: dict[str, int] = {}
        """Line of every field that was read."""

    def fault(self, node: yaml.Node, where: str, what: str) -> Any:
        """Note what is wrong at a node and return `WRONG`."""
        self.faults.append(Fault(node.start_mark.line + 1, where, what))
        return WRONG

    def read(self, node: yaml.Node, hint: Any, where: str) -> Any:
        """Return a node as a value of the hinted type, `WRONG` where it is none."""
        self.lines[where] = node.start_mark.line + 1
        origin = get_origin(hint)
        if dataclasses.is_dataclass(hint):
            return self.record(node, hint, where)
        if origin is tuple:
            return self._sequence(node, get_args(hint)[0], where)
        if origin is Literal:
            return self._choice(node, get_args(hint), where)
        if isinstance(origin, type) and issubclass(origin, Mapping):
            return self._mapping(node, where)
        if origin in (Union, types.UnionType):
            return self._number_or_text(node, where)
        return self._scalar(node, hint, where)

    def record(self, node: yaml.Node, kind: Any, where: str, *, ignore: frozenset[str] = frozenset()) -> Any:
        """Return a mapping as a dataclass, `WRONG` where a field is missing, unknown or wrong."""
        if not isinstance(node, yaml.MappingNode):
            return self.fault(node, where, "must be a mapping of fields")
        hints, needed = _fields_of(kind)
        values: dict[str, Any] = {}
        for key, value in self._entries(node, where):
            path = f"{where}.{key}" if where else key
            if key in hints:
                values[key] = self.read(value, hints[key], path)
            elif key not in ignore:
                self.fault(value, path, _unknown(key, [*hints, *ignore]))
        missing = [name for name in needed if name not in values]
        for name in missing:
            self.fault(node, f"{where}.{name}" if where else name, "is missing")
        return WRONG if missing or any(value is WRONG for value in values.values()) else kind(**values)

    def _entries(self, node: yaml.MappingNode, where: str) -> list[tuple[str, yaml.Node]]:
        found: dict[str, yaml.Node] = {}
        for key, value in node.value:
            name = str(key.value) if isinstance(key, yaml.ScalarNode) else "?"
            if name in found:
                self.fault(key, f"{where}.{name}" if where else name, "is there twice")
            found[name] = value
        return list(found.items())

    def _sequence(self, node: yaml.Node, hint: Any, where: str) -> Any:
        if _is_empty(node):
            return ()
        if not isinstance(node, yaml.SequenceNode):
            return self.fault(node, where, "must be a list")
        found = tuple(self.read(item, hint, f"{where}[{place}]") for place, item in enumerate(node.value))
        return WRONG if any(item is WRONG for item in found) else found

    def _mapping(self, node: yaml.Node, where: str) -> Any:
        if _is_empty(node):
            return {}
        if not isinstance(node, yaml.MappingNode):
            return self.fault(node, where, "must be a mapping of names to numbers or texts")
        found = {key: self._number_or_text(value, f"{where}.{key}") for key, value in self._entries(node, where)}
        return WRONG if any(value is WRONG for value in found.values()) else found

    def _number_or_text(self, node: yaml.Node, where: str) -> Any:
        return self._scalar(node, float if node.tag in NUMBER_TAGS else str, where)

    def _choice(self, node: yaml.Node, choices: tuple[str, ...], where: str) -> Any:
        if isinstance(node, yaml.ScalarNode) and node.value in choices:
            return node.value
        return self.fault(node, where, f"must be {', '.join(choices[:-1])} or {choices[-1]}")

    def _scalar(self, node: yaml.Node, hint: Any, where: str) -> Any:
        if not isinstance(node, yaml.ScalarNode):
            return self.fault(node, where, f"must be {_name(hint)}")
        if hint is str:
            return "" if node.tag == NULL_TAG else node.value
        if hint is bool:
            known = node.tag == BOOL_TAG
            return node.value.lower() in YES if known else self.fault(node, where, "must be true or false")
        try:
            return _number(node.value, hint, where)
        except (ValueError, ZeroDivisionError, OverflowError):
            return self.fault(node, where, f"must be {_name(hint)}, not {node.value!r}")


@cache
def _fields_of(kind: Any) -> tuple[dict[str, Any], tuple[str, ...]]:
    """Return the fields of a dataclass with their types, and those without a default."""
    needed = tuple(field.name for field in dataclasses.fields(kind) if is_needed(field))
    return typing.get_type_hints(kind), needed


def is_needed(field: dataclasses.Field[Any]) -> bool:
    """Return whether a field has no default."""
    return field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING


def _number(text: str, hint: Any, where: str) -> Any:
    """Return a scalar as a number of the hinted type; a time may be written as on a clock ("1:02:03.5")."""
    if hint is float and ":" in text and where.endswith("_s"):
        return parse_clock(text)
    number = hint(text.replace("_", "")) if hint is int else hint(text)
    if not math.isfinite(number):
        raise ValueError(text)
    return number


def _is_empty(node: yaml.Node) -> bool:
    return isinstance(node, yaml.ScalarNode) and node.tag == NULL_TAG


def _name(hint: Any) -> str:
    return {
        float: "a number",
        int: "a whole number",
        Fraction: 'a number or a fraction like "30000/1001"',
        str: "text",
    }.get(hint, "true or false")


def _unknown(key: str, known: list[str]) -> str:
    near = difflib.get_close_matches(key, known, 1)
    return "there is no such field" + (f", did you mean {near[0]}?" if near else "")
