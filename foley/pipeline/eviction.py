"""Take records out of a cache that have not been used for longest, and none that a running job may need.

A record's folder bears the time of its last use, so that using one costs a touch and nothing is kept in a list. Only
`records` walks the tree, and only pruning asks for it.
"""

from __future__ import annotations

import math
import os
import re
import shutil
import time
import uuid
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

from foley.errors import OptionError
from foley.media.atomic import is_abandoned, owner
from foley.pipeline import leases

LIMIT = "FOLEY_CACHE_LIMIT"

HEADROOM = 0.9
"""A cache that has grown past its limit is brought down to this part of it, so that it is not walked for every run."""

REGROWTH = 1.05
"""Where running jobs need so much that the limit cannot be kept, it is tried again when the cache is so much larger."""

TALLY = "tally"
"""The file that says how large the cache is."""

TALLY_LASTS_S = 24 * 3600.0
"""After so long it is counted anew: runs that were killed, or heed no limit, tell nothing."""

LOST_S = 7 * 24 * 3600.0
"""What another machine was writing is a leftover when it was not touched for so long: no stage works for a week."""

BLOCK_BYTES = 4096
"""What files take on a disk comes in such pieces: a thousand small records are not as small as their sum."""

UNITS = {"": 1, "K": 10**3, "M": 10**6, "G": 10**9, "T": 10**12}
UNITS |= {"KI": 1 << 10, "MI": 1 << 20, "GI": 1 << 30, "TI": 1 << 40}
AGES_S = {"s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800}

_SIZE = re.compile(r"(\d+(?:\.\d+)?)\s*([KMGT]?I?)B?", re.IGNORECASE)
_AGE = re.compile(r"(\d+(?:\.\d+)?)\s*([smhdw])", re.IGNORECASE)
_PLACE = re.compile(r"[0-9a-f]{2}")
_KEY = re.compile(r"[0-9a-f]{32}")


@dataclass(frozen=True, slots=True)
class Record:
    """One record as it lies on the disk."""

    folder: Path
    stage: str
    """What made it: the folder above."""
    size_bytes: int
    used_ns: int
    """When it was used last."""


@dataclass(frozen=True, slots=True)
class Pruned:
    """What was taken out, or would be."""

    removed: tuple[Record, ...]
    kept: tuple[Record, ...]
    in_use: int
    """How many of those kept would have gone if no running job might need them."""


def records(root: Path) -> Iterator[Record]:
    """Yield all records of a cache, in no order; whatever else lies in its folder is passed over."""
    for stage in _folders(root):
        for place in _folders(stage):
            for folder in _folders(place) if _PLACE.fullmatch(place.name) else ():
                if _KEY.fullmatch(folder.name):
                    try:
                        yield Record(folder, stage.name, size_bytes(folder), folder.stat().st_mtime_ns)
                    except OSError:  # taken out meanwhile
                        continue


def _folders(folder: Path) -> Iterator[Path]:
    try:
        with os.scandir(folder) as entries:
            yield from [Path(entry.path) for entry in entries if entry.is_dir(follow_symlinks=False)]
    except OSError:
        return


def size_bytes(path: Path) -> int:
    """Return what a file, or a folder with all that it holds, takes on a disk."""
    if not path.is_dir():
        return _on_disk(path.stat().st_size)
    total = BLOCK_BYTES
    with os.scandir(path) as entries:
        for entry in entries:
            is_folder = entry.is_dir(follow_symlinks=False)
            total += size_bytes(Path(entry.path)) if is_folder else _on_disk(entry.stat(follow_symlinks=False).st_size)
    return total


def _on_disk(length_bytes: int) -> int:
    return -(-length_bytes // BLOCK_BYTES) * BLOCK_BYTES


def prune(
    root: Path,
    *,
    limit_bytes: float | None = None,
    unused_s: float | None = None,
    everything: bool = False,
    dry_run: bool = False,
) -> Pruned:
    """Take out what is asked for, least recently used first; a record that a running job may need stays.

    Args:
        root: The cache's folder.
        limit_bytes: What the records that stay may take together.
        unused_s: Records that were not used for so long go.
        everything: All go.
        dry_run: Takes nothing out.
    """
    found = sorted(records(root), key=lambda record: record.used_ns)
    total_bytes = sum(record.size_bytes for record in found)
    target_bytes = 0.0 if everything else math.inf if limit_bytes is None else limit_bytes
    since_ns = time.time_ns() - (math.inf if unused_s is None else unused_s * 1e9)
    removed, kept, in_use = [], [], 0
    for record in found:
        if total_bytes <= target_bytes and record.used_ns >= since_ns:
            kept.append(record)
        elif remove(root, record, dry_run=dry_run):
            removed.append(record)
            total_bytes -= record.size_bytes
        else:
            kept.append(record)
            in_use += 1
    if not dry_run:
        _write_tally(root, _Tally(total_bytes, total_bytes, int(time.time())))
    return Pruned(tuple(removed), tuple(kept), in_use)


def remove(root: Path, record: Record, *, dry_run: bool = False) -> bool:
    """Take one record out, at once and whole, and return whether that was done: not where a running job may need it.

    It is renamed away first: whoever is killed here leaves it in its place or among the leftovers, never half there.
    """
    grave = root / "tmp" / f"{owner()}-{uuid.uuid4().hex}"
    with leases.locked(root):
        needed_ns = leases.needed_since_ns(root)
        try:
            used_ns = record.folder.stat().st_mtime_ns
            if used_ns != record.used_ns or (needed_ns is not None and used_ns >= needed_ns):
                return False
            if dry_run:
                return True
            record.folder.rename(grave)
        except OSError:  # gone already, or not ours to take
            return False
        _tidy(record.folder.parent)
    shutil.rmtree(grave, ignore_errors=True)
    return True


def _tidy(folder: Path) -> None:
    """Remove the folder of a key's first digits, and of a stage, where nothing is left in them."""
    for empty in (folder, folder.parent):
        try:
            empty.rmdir()
        except OSError:
            return


def sweep(root: Path, *, thorough: bool = False) -> tuple[int, int]:
    """Throw away what killed runs left half-made and pruning half-removed; return how many leftovers, and their bytes.

    Args:
        root: The cache's folder.
        thorough: Those of other machines too, which cannot be asked whether they still work on them, once they are old.
    """
    count = swept_bytes = 0
    for folder in (root / "tmp").glob("*-*-*"):
        if is_abandoned(folder.name.rpartition("-")[0]) or (thorough and _is_lost(folder)):
            count += 1
            swept_bytes += _size_or_none(folder) if thorough else 0
            shutil.rmtree(folder, ignore_errors=True)
    return count, swept_bytes


def _is_lost(folder: Path) -> bool:
    if leases.is_near(folder.name.rpartition("-")[0]):
        return False
    try:
        newest_s = max(path.stat().st_mtime for path in (folder, *folder.rglob("*")))
    except OSError:
        return False
    return time.time() - newest_s > LOST_S


def _size_or_none(folder: Path) -> int:
    try:
        return size_bytes(folder)
    except OSError:
        return 0


def added(root: Path, folder: Path, limit_bytes: int) -> None:
    """Count a record that was made, and prune where the cache has grown past its limit."""
    with leases.locked(root):
        tally = _tally(root)
        if tally is not None:
            tally = replace(tally, total_bytes=tally.total_bytes + size_bytes(folder))
            _write_tally(root, tally)
    if tally is None:
        prune(root, limit_bytes=limit_bytes)
    elif tally.total_bytes > max(limit_bytes, tally.left_bytes * REGROWTH):
        prune(root, limit_bytes=limit_bytes * HEADROOM)


@dataclass(frozen=True, slots=True)
class _Tally:
    """How large a cache is: counted by the last walk, and what was added since by those who heed a limit."""

    total_bytes: int
    left_bytes: int
    """What the last walk counted, and left."""
    counted_s: int
    """When that was."""


def _tally(root: Path) -> _Tally | None:
    """Return how large the cache is; None where that was not counted for long."""
    try:
        tally = _Tally(*(int(word) for word in (root / TALLY).read_bytes().split()))
    except (OSError, ValueError, TypeError):
        return None
    return tally if time.time() - tally.counted_s < TALLY_LASTS_S else None


def _write_tally(root: Path, tally: _Tally) -> None:
    with suppress(OSError):  # it is counted anew then
        # of one length always: written over in one piece, never seen half
        (root / TALLY).write_bytes(b"%020d %020d %012d\n" % (tally.total_bytes, tally.left_bytes, tally.counted_s))


def limit_bytes(asked: str | None = None) -> int | None:
    """Return the largest size of a cache: as asked for, else as FOLEY_CACHE_LIMIT says; None for no limit.

    Raises:
        OptionError: where that is no size.
    """
    text = os.environ.get(LIMIT, "") if asked is None else asked
    if not text.strip():
        return None
    return _parsed(text, _SIZE, UNITS, f"{'--limit' if asked else LIMIT} takes a size such as 20GB or 500MiB")


def age_s(text: str) -> int:
    """Return the seconds of an age.

    >>> age_s("30d"), age_s("12h")
    (2592000, 43200)

    Raises:
        OptionError: where the text is no age.
    """
    ages = {unit.upper(): seconds for unit, seconds in AGES_S.items()}
    return _parsed(text, _AGE, ages, "--older-than takes an age such as 30d, 12h or 2w")


def _parsed(text: str, form: re.Pattern[str], units: dict[str, int], wanted: str) -> int:
    found = form.fullmatch(text.strip())
    if found is None or found[2].upper() not in units:
        raise OptionError(f"{wanted}, got {text!r}")
    return int(float(found[1]) * units[found[2].upper()])


def total_bytes(found: Iterable[Record]) -> int:
    """Return what records take together."""
    return sum(record.size_bytes for record in found)
