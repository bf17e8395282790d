"""Find plugins by name: a module in the kind's folder, or an installed entry point."""

from __future__ import annotations

import importlib
import importlib.metadata
import pkgutil
from functools import cache
from typing import Any

from foley.errors import UnknownPluginError

KINDS = {
    "generator": "foley.render.generators",
    "planner": "foley.plan.planners",
    "encoder": "foley.analysis.encoders",
    "exporter": "foley.deliver.exporters",
}


def names(kind: str) -> tuple[str, ...]:
    """Return the names of all plugins of a kind, without importing one."""
    found = {module.name for module in pkgutil.iter_modules(importlib.import_module(KINDS[kind]).__path__)}
    found |= {entry.name for entry in _advertised(kind)}
    return tuple(sorted(found))


def build(kind: str, name: str, *given: Any) -> Any:
    """Make the plugin: its module's `build`, with what is given.

    Raises:
        UnknownPluginError: where no plugin of the kind bears the name.
    """
    for entry in _advertised(kind):
        if entry.name == name:
            return entry.load().build(*given)
    if name not in names(kind):
        raise UnknownPluginError(kind, name, names(kind))
    return importlib.import_module(f"{KINDS[kind]}.{name}").build(*given)


@cache
def _advertised(kind: str) -> tuple[importlib.metadata.EntryPoint, ...]:
    """Return what installed packages offer; asked once, because all of them are gone through."""
    return tuple(importlib.metadata.entry_points(group=f"foley.{kind}s"))
