"""Which cluster, and how it is used: an address, or a file that says more."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from foley import yamls
from foley.errors import OptionError
from foley.pipeline.cluster.drive import ClusterOptions

SCHEMA = "foley.cluster/1"


@dataclass(frozen=True, slots=True)
class ClusterConfig:
    """Which cluster, and how it is used."""

    address: str
    """auto, local, ray://HOST:10001 or HOST:6379."""
    shared: str = ""
    """Storage that all machines reach, as s3://bucket/foley; "" where they share the cache folder."""
    workdir: Path | None = None
    """Cache folder, on each machine; its own FOLEY_CACHE or the user's cache where None."""
    options: ClusterOptions = dataclasses.field(default_factory=ClusterOptions)


def load(address_or_file: str) -> ClusterConfig:
    """Return what an address, or a file that ends with .yaml, says.

    >>> load("auto").address
    'auto'

    Raises:
        OptionError: where the file cannot be read, or says what does not exist.
    """
    path = Path(address_or_file)
    if path.suffix not in {".yaml", ".yml"}:
        return ClusterConfig(address_or_file)
    try:
        said = yamls.load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as cause:
        raise OptionError(f"cannot read the cluster's file {path}: {cause}") from cause
    if not isinstance(said, dict) or said.get("schema") != SCHEMA:
        raise OptionError(f"{path}: schema must be {SCHEMA!r}", hint="examples lie in workflows/cluster")
    return _config({name: value for name, value in said.items() if name != "schema"}, path)


def _config(said: Mapping[str, Any], path: Path) -> ClusterConfig:
    known = {field.name: field for field in dataclasses.fields(ClusterOptions)}
    own = {"address", "shared", "workdir"}
    if unknown := sorted(set(said) - set(known) - own):
        raise OptionError(
            f"{path}: unknown field {unknown[0]!r}", hint=f"there are: {', '.join(sorted(own | set(known)))}"
        )
    for name, value in said.items():
        if isinstance(value, bool) or not isinstance(value, str if name in own else int | float):
            raise OptionError(f"{path}: {name} cannot be {value!r}")
        if name in known and known[name].type == "int" and not isinstance(value, int):
            raise OptionError(f"{path}: {name} must be a whole number, got {value!r}")
    try:
        options = ClusterOptions(**{name: value for name, value in said.items() if name in known})
    except ValueError as cause:
        raise OptionError(f"{path}: {cause}") from cause
    workdir = Path(said["workdir"]) if "workdir" in said else None
    return ClusterConfig(said.get("address", "auto"), said.get("shared", ""), workdir, options)
