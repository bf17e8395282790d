"""How foley reads and writes YAML: safely, and in C where PyYAML has it, which is ten times as fast."""

from __future__ import annotations

from typing import Any

import yaml

Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
Dumper: Any = getattr(yaml, "CSafeDumper", yaml.SafeDumper)


def load(text: str) -> Any:
    """Return what a document holds, in plain types.

    Raises:
        yaml.YAMLError: where it is not YAML.
    """
    return yaml.load(text, Loader)  # noqa: S506 - both loaders are safe ones
