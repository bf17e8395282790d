"""The JSON Schema of plan files, made from the model's own types: editors complete and check with it."""

from __future__ import annotations

import ast
import dataclasses
import inspect
import itertools
import typing
from collections.abc import Mapping
from fractions import Fraction
from functools import cache
from typing import Any, Literal, get_args, get_origin

from foley.model import PLAN_SCHEMA, SoundPlan
from foley.plan.nodes import is_needed

DIALECT = "https://json-schema.org/draft/2020-12/schema"

CLOCK_PATTERN = r"^(\d+:)?\d+:\d+(\.\d+)?$"
"""A time as on a clock: 0:03.25 or 1:02:03.5."""

SCALARS: dict[Any, dict[str, Any]] = {
    str: {"type": "string"},
    bool: {"type": "boolean"},
    int: {"type": "integer"},
    float: {"type": "number"},
    Fraction: {"type": ["string", "number"], "description": 'Exact; a fraction as text, e.g. "30000/1001".'},
}


@cache
def json_schema() -> dict[str, Any]:
    """Return the schema, with the docstrings of the fields as descriptions."""
    definitions: dict[str, Any] = {}
    plan = _record(SoundPlan, definitions)
    plan["properties"] = {"schema": {"const": PLAN_SCHEMA, "description": "Format of this file."}, **plan["properties"]}
    plan["required"] = ["schema", *plan["required"]]
    return {"$schema": DIALECT, "title": PLAN_SCHEMA, **plan, "$defs": definitions}


def _record(kind: Any, definitions: dict[str, Any]) -> dict[str, Any]:
    hints = typing.get_type_hints(kind)
    told = _descriptions(kind)
    properties: dict[str, Any] = {}
    for field in dataclasses.fields(kind):
        schema = _schema(hints[field.name], definitions, is_time=field.name.endswith("_s"))
        if field.name in told:
            schema = {**schema, "description": told[field.name]}
        if isinstance(field.default, str | int | float):
            schema = {**schema, "default": field.default}
        properties[field.name] = schema
    return {
        "type": "object",
        "description": inspect.getdoc(kind) or "",
        "properties": properties,
        "required": [field.name for field in dataclasses.fields(kind) if is_needed(field)],
        "additionalProperties": False,
    }


def _schema(hint: Any, definitions: dict[str, Any], *, is_time: bool = False) -> dict[str, Any]:
    origin = get_origin(hint)
    if dataclasses.is_dataclass(hint):
        name = str(getattr(hint, "__name__", hint))
        if name not in definitions:
            definitions[name] = {}  # there before it is made, should a type hold itself
            definitions[name] = _record(hint, definitions)
        return {"$ref": f"#/$defs/{name}"}
    if origin is tuple:
        return {"type": "array", "items": _schema(get_args(hint)[0], definitions)}
    if origin is Literal:
        return {"enum": list(get_args(hint))}
    if isinstance(origin, type) and issubclass(origin, Mapping):
        return {"type": "object", "additionalProperties": {"type": ["number", "string"]}}
    if hint is float and is_time:
        return {"anyOf": [{"type": "number", "minimum": 0}, {"type": "string", "pattern": CLOCK_PATTERN}]}
    return dict(SCALARS[hint])


def _descriptions(kind: Any) -> dict[str, str]:
    """Return the text under each field; without the source at hand, as in a frozen program, there is none."""
    try:
        tree = ast.parse(inspect.getsource(kind)).body[0]
    except (OSError, TypeError):
        return {}
    body = tree.body if isinstance(tree, ast.ClassDef) else []
    return {
        field.target.id: " ".join(text.value.value.split())
        for field, text in itertools.pairwise(body)
        if isinstance(field, ast.AnnAssign)
        and isinstance(field.target, ast.Name)
        and isinstance(text, ast.Expr)
        and isinstance(text.value, ast.Constant)
        and isinstance(text.value.value, str)
    }
