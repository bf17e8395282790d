"""Read the files of a folder: which there are, what tells their contents from one another, what is in them."""

from __future__ import annotations

import hashlib
import os
import stat
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path

from foley.library.measure import Measured, UnusableError, measure
from foley.library.store import Store

SUFFIXES = frozenset(
    {".wav", ".wave", ".bwf", ".rf64", ".w64", ".aif", ".aiff", ".aifc", ".flac", ".ogg", ".oga", ".opus", ".mp3"}
    | {".caf", ".au", ".snd"}
)
"""Of files that are looked into; all others are no recordings."""

WORKERS = 2
"""Threads that read: decoding and spectra run outside the interpreter's lock, the rest does not."""

WHOLE_BYTES = 1 << 26
"""A longer file is told from others by parts of it: 64 MB are read in a tenth of a second."""

PART_BYTES = 1 << 16
PARTS = 256


@dataclass
class Outcome:
    """What became of the files of a folder."""

    added: int = 0
    changed: int = 0
    unchanged: int = 0
    known: int = 0
    """Of those added or changed, how many had been measured before, under another name."""
    dropped: int = 0
    skipped: Counter[str] = field(default_factory=Counter)
    """By reason."""
    examples: dict[str, str] = field(default_factory=dict)
    """One file of each reason."""

    def skip(self, path: Path, reason: str) -> None:
        """Count a file that cannot be used."""
        self.skipped[reason] += 1
        self.examples.setdefault(reason, shown(path))


@dataclass(frozen=True, slots=True)
class Found:
    """One file as it lies in the folder."""

    path: Path
    size: int
    modified_ns: int


@dataclass(frozen=True, slots=True)
class Read:
    """One file, read: its content's key, and what was measured unless that is known."""

    found: Found
    key: str = ""
    measured: Measured | None = None
    reason: str = ""


def shown(path: Path | str | bytes) -> str:
    """Return a path as it can be printed, whatever bytes its name is of."""
    return os.fsencode(path).decode("utf-8", "replace")


def files_of(folder: Path, outcome: Outcome) -> Iterator[Found]:
    """Yield the files that may be recordings, in order of their names; links to folders are not followed."""
    for place, inner, names in os.walk(
        folder, onerror=lambda error: outcome.skip(folder, f"cannot be read: {error.strerror}")
    ):
        inner[:] = sorted(name for name in inner if not name.startswith("."))
        for name in sorted(names):
            path = Path(place, name)
            if name.startswith("."):
                continue
            if not _is_text(path):
                outcome.skip(path, "has a name that is not UTF-8")
                continue
            if path.suffix.casefold() not in SUFFIXES:
                outcome.skip(path, "is no recording by its name")
                continue
            try:
                said = path.stat()
            except OSError:
                outcome.skip(path, "cannot be read")
                continue
            if stat.S_ISREG(said.st_mode):
                yield Found(path, said.st_size, said.st_mtime_ns)


def _is_text(path: Path) -> bool:
    try:
        return bool(str(path).encode())
    except UnicodeEncodeError:
        return False


def read(store: Store, batch: Sequence[Found], pool: ThreadPoolExecutor) -> list[Read]:
    """Read the files of a batch: nothing of one that is as it was, and of one that was moved only what tells it."""
    seen = _seen(store, batch)
    reads = {found.path: Read(found, reason=seen.get(found, "")) for found in batch}
    fresh = list(pool.map(_keyed, [found for found in batch if found not in seen]))
    known = _known(store, [one.key for one in fresh])
    reads |= {one.found.path: one for one in fresh}
    measured = pool.map(_measured, [one for one in fresh if one.key and one.key not in known])
    reads |= {one.found.path: one for one in measured}
    return [reads[found.path] for found in batch]


def _seen(store: Store, batch: Sequence[Found]) -> dict[Found, str]:
    """Return the files that are as they were, with the reason for which one was skipped."""
    marks, paths = ",".join("?" * len(batch)), [os.fsencode(found.path) for found in batch]
    return {
        Found(Path(os.fsdecode(path)), size, modified_ns): reason
        for table, reason in (("files", "''"), ("skipped", "reason"))
        for path, size, modified_ns, reason in store.rows.execute(
            f"SELECT path, size, modified_ns, {reason} FROM {table} WHERE path IN ({marks})",  # noqa: S608 - own words
            paths,
        )
    }


def _known(store: Store, keys: Sequence[str]) -> set[str]:
    """Return those keys whose content has been measured."""
    marks = ",".join("?" * len(keys))
    return {str(row[0]) for row in store.rows.execute(f"SELECT key FROM sounds WHERE key IN ({marks})", keys)}  # noqa: S608


def _keyed(found: Found) -> Read:
    try:
        return Read(found, _key(found.path, found.size))
    except OSError as cause:
        return Read(found, reason=f"cannot be read: {cause.strerror}")


def _measured(read: Read) -> Read:
    try:
        return replace(read, measured=measure(read.found.path))
    except UnusableError as cause:
        return Read(read.found, reason=str(cause))


def _key(path: Path, size: int) -> str:
    """Return what tells a file's content from any other's: of a long file by its size and evenly spread parts."""
    digest = hashlib.blake2b(str(size).encode(), digest_size=16)
    with path.open("rb") as file:
        if size <= WHOLE_BYTES:
            while data := file.read(1 << 20):
                digest.update(data)
        else:
            for part in range(PARTS):
                file.seek(part * (size - PART_BYTES) // (PARTS - 1))
                digest.update(file.read(PART_BYTES))
    return digest.hexdigest()
