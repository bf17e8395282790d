"""Care for the disk: what a cache holds, whether it is sound, and whether there is room for what a run will write."""

from __future__ import annotations

import json
import os
import shutil
import time
import zipfile
import zlib
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np

from foley.media.atomic import unwritable
from foley.model import Clip, Destination
from foley.pipeline import codec, eviction, leases
from foley.pipeline.cache import FORMAT, RESERVE_BYTES, Cache, check_value, disk_full
from foley.pipeline.eviction import Pruned, Record
from foley.units import RATE_HZ

STEREO_BYTES_PER_S = RATE_HZ * 2 * 3
"""Of a stem, a mix or a track: two channels, 24 bit."""

ALWAYS_WRITTEN = 4
"""Three stems and the mix are as long as the picture, whatever the plan holds."""

TAKES_AT_ONCE = 3.0
"""How many mono takes sound at once, on average: the beds of a scene and what happens in it. Each lies in the cache
twice, as made and as fitted."""

REPORT_BYTES = 400_000
"""Page, plan, pictures and records, however short the clip."""

PLAYED_BYTES_PER_S = 95_000
"""Of the sound that the report's page carries itself ..."""

PLAYED_S = 180.0
"""... of up to three minutes."""

CODED_BYTES_PER_S = 192_000 // 8
"""Of the new track in the video: 192 kbit/s."""

State = Literal["sound", "broken", "orphaned", "foreign"]
"""Whole; damaged; whole, but naming another record that is gone; whole, but of a foley that keeps values otherwise."""

BAD: tuple[State, ...] = ("broken", "orphaned")
"""They would be made again anyway."""


@dataclass(frozen=True, slots=True)
class Share:
    """What the records of one stage take."""

    stage: str
    records: int
    size_bytes: int


@dataclass(frozen=True, slots=True)
class Info:
    """What a cache holds."""

    where: Path
    records: int
    size_bytes: int
    limit_bytes: int | None
    oldest_use_s: float | None
    """Time of the last use of the record that was not used for longest, in seconds since 1970."""
    stages: tuple[Share, ...]
    """Largest first."""
    unfinished_bytes: int
    """What running jobs are writing, and leftovers of killed ones."""
    other_bytes: int
    """What else lies in the folder: the queue of a service, models. Pruning never touches it."""
    jobs: int
    """Running ones that use the cache."""
    free_bytes: int
    """On its disk."""


@dataclass(frozen=True, slots=True)
class Verified:
    """What was found in a cache."""

    sound: int
    broken: tuple[Record, ...]
    """Removed."""
    orphaned: tuple[Record, ...]
    """Removed: they name records that are gone, so that they would be made again anyway."""
    spared: tuple[Record, ...]
    """They are one of both, but a running job may read what is left of them."""
    foreign: tuple[Record, ...]
    """They are whole, but this foley cannot read them; left in place."""
    leftovers: int
    """Of killed runs, swept."""
    leftover_bytes: int


@dataclass(frozen=True, slots=True)
class Estimate:
    """What a run writes, at the least and as a rule."""

    cache_least_bytes: int
    cache_bytes: int
    output_least_bytes: int
    output_bytes: int


def info(root: Path) -> Info:
    """Return what a cache holds; changes nothing in it."""
    found = list(eviction.records(root))
    unfinished_bytes = _size(root / "tmp")
    total_bytes = eviction.total_bytes(found)
    known = {record.stage for record in found} | {"tmp", leases.FOLDER}
    others = [path for path in root.iterdir() if path.name not in known] if root.is_dir() else []
    return Info(
        where=root,
        records=len(found),
        size_bytes=total_bytes,
        limit_bytes=eviction.limit_bytes(),
        oldest_use_s=min((record.used_ns for record in found), default=0) / 1e9 or None,
        stages=_shares(found),
        unfinished_bytes=unfinished_bytes,
        other_bytes=sum(_size(path) for path in others),
        jobs=leases.count(root),
        free_bytes=free_bytes(root),
    )


def _shares(found: Iterable[Record]) -> tuple[Share, ...]:
    sizes: dict[str, list[int]] = {}
    for record in found:
        sizes.setdefault(record.stage, []).append(record.size_bytes)
    shares = (Share(stage, len(each), sum(each)) for stage, each in sizes.items())
    return tuple(sorted(shares, key=lambda share: -share.size_bytes))


def _size(path: Path) -> int:
    try:
        return eviction.size_bytes(path)
    except OSError:  # changed meanwhile, or not there
        return 0


def prune(
    root: Path,
    *,
    limit_bytes: int | None = None,
    unused_s: float | None = None,
    everything: bool = False,
    dry_run: bool = False,
) -> Pruned:
    """Take records out of a cache, least recently used first, and what killed runs left; see `eviction.prune`.

    Raises:
        OutputError: where the folder cannot be changed.
    """
    if not root.is_dir():
        return Pruned((), (), 0)
    if not dry_run:
        _prepare(root)
        eviction.sweep(root, thorough=True)
    return eviction.prune(root, limit_bytes=limit_bytes, unused_s=unused_s, everything=everything, dry_run=dry_run)


def _prepare(root: Path) -> None:
    if not os.access(root, os.W_OK | os.X_OK):
        raise unwritable(root, PermissionError(13, "permission denied"))
    (root / "tmp").mkdir(exist_ok=True)


def verify(root: Path) -> Verified:
    """Read every record of a cache; remove those that are broken, and what killed runs left.

    Raises:
        OutputError: where the folder cannot be changed.
    """
    if not root.is_dir():
        return Verified(0, (), (), (), (), 0, 0)
    _prepare(root)
    leftovers, leftover_bytes = eviction.sweep(root, thorough=True)
    there = list(eviction.records(root))
    removed: dict[State, list[Record]] = defaultdict(list)
    while True:  # what is removed may have been named by what is sound
        found: dict[State, list[Record]] = defaultdict(list)
        for record in there:
            found[state_of(record.folder, root)].append(record)
        bad = [(state, record) for state in BAD for record in found[state]]
        gone = [(state, record) for state, record in bad if eviction.remove(root, record)]
        if not gone:
            break
        for state, record in gone:
            removed[state].append(record)
        there = [record for record in there if record.folder.is_dir()]
    return Verified(
        sound=len(found["sound"]),
        broken=tuple(removed["broken"]),
        orphaned=tuple(removed["orphaned"]),
        spared=tuple(record for _, record in bad if record.folder.is_dir()),
        foreign=tuple(found["foreign"]),
        leftovers=leftovers,
        leftover_bytes=leftover_bytes,
    )


def state_of(folder: Path, root: Path) -> State:
    """Return whether a record is as it was written, to its check values, and can be read."""
    try:
        record = json.loads((folder / "value.json").read_text())
        if record.get("format", FORMAT) != FORMAT:
            return "foreign"
        if not _is_whole(record, folder):
            return "broken"
        arrays: dict[str, Any] = {}
        if "arrays.npz" in record["files"]:
            with (folder / "arrays.npz").open("rb") as file, np.load(file, allow_pickle=False) as stored:
                arrays = dict(stored)  # its parts have check values of their own
    except (OSError, ValueError, KeyError, TypeError, AttributeError, zipfile.BadZipFile, zlib.error):
        return "broken"
    return _readable(record["value"], arrays, folder, root)


def _is_whole(record: Mapping[str, Any], folder: Path) -> bool:
    """Return whether value and files are what was written; records of earlier releases promise lengths alone."""
    if "check" in record and zlib.crc32(json.dumps(record["value"]).encode()) != record["check"]:
        return False
    if any((folder / name).stat().st_size != size for name, size in record["files"].items()):
        return False
    return all(check_value(folder / name) == check for name, check in record.get("checks", {}).items())


def _readable(tree: Any, arrays: Mapping[str, Any], folder: Path, root: Path) -> State:
    lost = False

    def find(name: str) -> Path:
        nonlocal lost
        base, _, rest = name.partition(":")
        path = {"own": folder, "cache": root}.get(base, Path()) / rest
        lost = lost or (base != "file" and not path.exists())
        return path

    try:
        codec.decode(tree, arrays, find)
    except (ValueError, KeyError, TypeError):
        return "foreign"
    return "orphaned" if lost else "sound"


def estimate(clip: Clip) -> Estimate:
    """Return what a run on a clip writes; the plan, which is not known yet, decides how many takes there are."""
    stereo = float(clip.duration_s) * STEREO_BYTES_PER_S
    takes = TAKES_AT_ONCE * stereo / 2
    with_speech = stereo if clip.sound else 0.0
    source = clip.path.stat().st_size if clip.path.exists() else 0
    coded = float(clip.duration_s) * CODED_BYTES_PER_S
    page = min(float(clip.duration_s), PLAYED_S) * PLAYED_BYTES_PER_S
    least, output_least = ALWAYS_WRITTEN * stereo, ALWAYS_WRITTEN * stereo + source
    return Estimate(
        cache_least_bytes=round(least),
        cache_bytes=round(least + 2 * takes + with_speech + coded + REPORT_BYTES),
        output_least_bytes=round(output_least),
        output_bytes=round(output_least + takes + coded + page + REPORT_BYTES),
    )


def refuse_full(clip: Clip, to: Destination, cache: Cache) -> None:
    """Refuse, before any work, a run whose stems, mix and video cannot fit on the disks of cache and output.

    What the cache and the output's folder hold of this clip already counts as written: a run that was cut off for want
    of room goes on once there is room for the rest.

    Raises:
        DiskFullError: where that is so.
    """
    cache.subject = clip.key
    need = estimate(clip)
    places = {cache.root: need.cache_least_bytes, _present(to.video.absolute().parent): need.output_least_bytes}
    for here in _by_disk(places):
        needed_bytes = sum(places[place] for place in here) + RESERVE_BYTES
        if free_bytes(here[0]) >= needed_bytes:
            continue
        # only now is it worth walking through what is there
        there = {cache.root: _written_of(clip, cache.root)}
        missing_bytes = sum(max(0, places[place] - there.get(place, _written_at(to))) for place in here)
        if free_bytes(here[0]) < missing_bytes + RESERVE_BYTES:
            raise disk_full(here[0], missing_bytes + RESERVE_BYTES)


def lacking_bytes(places: Mapping[Path, float]) -> float:
    """Return how much room is lacking, on all disks, for so many bytes in each of some folders."""
    return sum(
        max(0.0, sum(places[place] for place in here) + RESERVE_BYTES - free_bytes(here[0]))
        for here in _by_disk(places)
    )


def _by_disk(places: Iterable[Path]) -> list[list[Path]]:
    """Return folders, those of one disk together; they need not be there yet."""
    found: defaultdict[int, list[Path]] = defaultdict(list)
    for place in places:
        found[_present(place).stat().st_dev].append(place)
    return list(found.values())


def _written_of(clip: Clip, root: Path) -> int:
    """Return what records that were made for a clip take: those that are as long as it."""
    return sum(
        record.size_bytes
        for record in eviction.records(root)
        if record.stage in ("stem", "mix") and _subject(record.folder) == clip.key
    )


def _subject(folder: Path) -> str:
    try:
        return str(json.loads((folder / "value.json").read_text()).get("subject", ""))
    except (OSError, ValueError, AttributeError):
        return ""


def _written_at(to: Destination) -> int:
    """Return what stems of an earlier run take: equal ones are left in place."""
    return _size(to.folder / "stems")


def free_bytes(place: Path) -> int:
    """Return what is free on the disk of a folder, which need not be there yet."""
    return shutil.disk_usage(_present(place)).free


def _present(place: Path) -> Path:
    return next(folder for folder in (place, *place.absolute().parents) if folder.exists())


def days_since(moment_s: float) -> float:
    """Return how many days ago a time was."""
    return max(0.0, time.time() - moment_s) / 86_400
