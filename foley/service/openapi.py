"""The OpenAPI document, made from the types that check the requests and from the list of operations."""

from __future__ import annotations

import ast
import inspect
import itertools
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from foley.service import messages
from foley.service.messages import Problem
from foley.version import __version__

SCHEMAS = "#/components/schemas/"

PROBLEMS = {
    400: "The request is no JSON.",
    401: "The token is missing or wrong.",
    403: "The path, host or origin is refused.",
    404: "There is no such thing.",
    408: "The request did not come in time.",
    409: "It is not in a state for that.",
    413: "The request is too long.",
    422: "A field is unknown or wrong.",
    429: "Too many jobs wait.",
    507: "The disk is full.",
}
"""What errors mean, by status."""


@dataclass(frozen=True, slots=True)
class Operation:
    """One thing that the service does: it makes a route and an entry of the document."""

    method: str
    path: str
    handler: Callable[..., Any]
    summary: str
    answers: Mapping[int, type | str]
    """By status: a type of message, or the media type of what is no JSON."""
    body: type | str | None = None
    """A type of message, or the media type of what is no JSON."""
    queries: Mapping[str, str] = field(default_factory=dict)
    """What they mean, by name."""
    required: tuple[str, ...] = ()
    """Of the queries."""
    problems: tuple[int, ...] = ()
    is_open: bool = False
    """No token is needed."""

    @property
    def name(self) -> str:
        """Return the operation's id."""
        return self.handler.__name__


def document(operations: tuple[Operation, ...]) -> dict[str, Any]:
    """Return the document."""
    paths: dict[str, dict[str, Any]] = {}
    for operation in operations:
        path = operation.path.replace(":path}", "}")
        paths.setdefault(path, {})[operation.method.lower()] = _operation(operation)
    return {
        "openapi": "3.1.0",
        "info": {"title": "foley", "version": __version__, "summary": "Gives a video its sound effects."},
        "security": [{"token": []}],
        "paths": paths,
        "components": {
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
            "schemas": _schemas(operations),
        },
    }


def _operation(operation: Operation) -> dict[str, Any]:
    entry: dict[str, Any] = {"operationId": operation.name, "summary": operation.summary}
    if operation.is_open:
        entry["security"] = []
    if parameters := _parameters(operation):
        entry["parameters"] = parameters
    if operation.body is not None:
        entry["requestBody"] = {"required": True, "content": _content(operation.body)}
    answers = {
        str(status): {"description": _about(kind), "content": _content(kind)}
        for status, kind in operation.answers.items()
    }
    problems = sorted({*operation.problems, *(() if operation.is_open else (401, 403))})
    wrong = {str(status): {"description": PROBLEMS[status], "content": _content(Problem)} for status in problems}
    entry["responses"] = {**answers, **wrong}
    return entry


def _parameters(operation: Operation) -> list[dict[str, Any]]:
    text = {"type": "string"}
    inside = [
        {"name": name, "in": "path", "required": True, "schema": text}
        for name in re.findall(r"{(\w+)(?::path)?}", operation.path)
    ]
    asked = [
        {"name": name, "in": "query", "required": name in operation.required, "description": about, "schema": text}
        for name, about in operation.queries.items()
    ]
    return [*inside, *asked]


def _content(kind: type | str) -> dict[str, Any]:
    if isinstance(kind, str):
        return {kind: {}}
    return {"application/json": {"schema": {"$ref": f"{SCHEMAS}{kind.__name__}"}}}


def _about(kind: type | str) -> str:
    return kind if isinstance(kind, str) else (inspect.getdoc(kind) or "").partition("\n")[0]


def _schemas(operations: tuple[Operation, ...]) -> dict[str, Any]:
    from pydantic import TypeAdapter

    bodies = {one.body for one in operations if isinstance(one.body, type)}
    answers = {kind for one in operations for kind in one.answers.values() if isinstance(kind, type)}
    asked: list[Any] = [(kind.__name__, "validation", TypeAdapter(kind)) for kind in bodies]
    told: list[Any] = [(kind.__name__, "serialization", TypeAdapter(kind)) for kind in {*answers, Problem}]
    _, found = TypeAdapter.json_schemas([*asked, *told], ref_template=SCHEMAS + "{model}")
    schemas: dict[str, Any] = found["$defs"]
    for name, schema in schemas.items():
        _describe(schema, _descriptions(getattr(messages, name)))
    return dict(sorted(schemas.items()))


def _describe(schema: dict[str, Any], told: Mapping[str, str]) -> None:
    """Put what stands under each field into its schema, and what says nothing out of it."""
    schema.pop("title", None)
    for name, about in schema.get("properties", {}).items():
        about.pop("title", None)
        if name in told:
            about["description"] = told[name]


def _descriptions(kind: type) -> dict[str, str]:
    """Return the text under each field of a dataclass and those that it is made from."""
    found: dict[str, str] = {}
    for base in kind.__mro__[-2::-1]:
        try:
            tree = ast.parse(inspect.getsource(base)).body[0]
        except (OSError, TypeError):  # no source at hand, as in a frozen program
            continue
        assert isinstance(tree, ast.ClassDef)
        for entry, text in itertools.pairwise(tree.body):
            if isinstance(entry, ast.AnnAssign) and isinstance(entry.target, ast.Name) and isinstance(text, ast.Expr):
                found[entry.target.id] = " ".join(str(ast.literal_eval(text.value)).split())
    return found
