"""Hashes of files: whole ones, remembered because gigabytes take seconds, and quick ones of samples."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

REMEMBERED_NAME = "weights-sha256.json"
"""In the user's cache folder, or in that of FOLEY_CACHE."""

_BLOCK_BYTES = 1 << 22

_SAMPLES, _SAMPLE_BYTES = 16, 1 << 16
"""Of a large file these parts are read to tell it from others: training changes all of a file, and a megabyte is read
in no time where gigabytes take seconds."""


def sha256(path: Path) -> str:
    """Return the SHA-256 of a whole file, as 64 hexadecimal digits; read once as long as the file is not changed."""
    whole = path.resolve()
    found = whole.stat()
    stamp = [found.st_size, found.st_mtime_ns]
    remembered = _remembered()
    match remembered.get(str(whole)):
        case [size, changed, str(known)] if [size, changed] == stamp:
            return known
    with whole.open("rb") as file:
        total = hashlib.sha256()
        while block := file.read(_BLOCK_BYTES):
            total.update(block)
    _remember(str(whole), [*stamp, total.hexdigest()])
    return total.hexdigest()


def sampled(paths: Iterable[tuple[str, Path]]) -> str:
    """Return a short hash of files by their names, lengths, and evenly spread parts of what they hold."""
    total = hashlib.blake2b(digest_size=8)
    for name, path in paths:
        total.update(name.encode())
        _add_samples(total, path)
    return total.hexdigest()


def _add_samples(total: Any, path: Path) -> None:
    """Add a file's length and evenly spread parts of it, its first and last among them, to a hash."""
    size = path.stat().st_size
    total.update(size.to_bytes(8, "big"))
    last = max(0, size - _SAMPLE_BYTES)
    with path.open("rb") as file:
        for start in sorted({last * number // (_SAMPLES - 1) for number in range(_SAMPLES)}):
            file.seek(start)
            total.update(file.read(_SAMPLE_BYTES))


def _remembered_file() -> Path:
    from platformdirs import user_cache_path

    named = os.environ.get("FOLEY_CACHE")
    return (Path(named) if named else user_cache_path("foley")) / REMEMBERED_NAME


def _remembered() -> dict[str, Any]:
    try:
        found = json.loads(_remembered_file().read_text(encoding="utf-8"))
    except (OSError, ValueError):  # not there yet, or broken off: hashes can be made again
        return {}
    return found if isinstance(found, dict) else {}


def _remember(path: str, entry: list[Any]) -> None:
    """Keep a hash for the next run; a folder that cannot be written to only costs time."""
    file = _remembered_file()
    entries = {**_remembered(), path: entry}
    unfinished = file.with_name(f"{file.name}.{os.getpid()}")
    with contextlib.suppress(OSError):
        file.parent.mkdir(parents=True, exist_ok=True)
        unfinished.write_text(json.dumps(entries), encoding="utf-8")
        unfinished.replace(file)
