"""Keep what stages make, by content: a killed run resumes, two runs may share one folder.

A record is a folder `NAME/KEY` with the value (`value.json`, `arrays.npz`) and its files. It is made under `tmp/` and
renamed when whole, so that it is there completely or not at all, whoever is killed. The folder's time of change is that
of its last use. What was used through a `Cache` stays as long as that object does: make one for each job, and keep it
while paths that came from it are read.
"""

from __future__ import annotations

import errno
import json
import os
import shutil
import threading
import uuid
import zipfile
import zlib
from collections import defaultdict
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from foley.contracts import Context
from foley.errors import CannotWriteError, DiskFullError
from foley.media.atomic import owner, unwritable
from foley.pipeline import codec, eviction, leases

T = TypeVar("T")
Progress = Callable[[float, str], None]

FORMAT = "1"
"""Raised when records are laid out anew: old ones are then simply not found."""

RESERVE_BYTES = 64_000_000
"""Nothing is begun with less left on the disk: logs, queues and other programs need some too."""

RECORD_DEPTH = 3
"""A record lies in NAME, the first two digits of its key, and the key."""

SAMPLES, SAMPLE_BYTES = 16, 1 << 16
"""Of a large file these parts make its check value: lost blocks show, and a film's stem costs no more than a knock."""

MEND_FULL = (
    "make room: foley cache prune --older-than 7d; or name another disk: --workdir, -o. The same command goes on"
)

_MISSING = object()


class Cache:
    """A folder of records."""

    def __init__(self, root: Path) -> None:
        """Open the folder, making it where it is not there.

        Raises:
            CannotWriteError: where the folder cannot be made.
            OptionError: where FOLEY_CACHE_LIMIT is no size.
        """
        self.root = root.resolve()
        self.subject = ""
        """Key of the clip that the job is about, kept with the records that it makes."""
        self._limit_bytes = eviction.limit_bytes()
        self._lease: leases.Lease | None = None
        self._used: set[str] = set()
        self._locks: dict[str, threading.Lock] = defaultdict(threading.Lock)
        try:
            (self.root / "tmp").mkdir(parents=True, exist_ok=True)
        except OSError as cause:
            raise unwritable(self.root, cause) from cause
        eviction.sweep(self.root)

    def context(self, progress: Progress | None = None) -> RunContext:
        """Return a context whose scratch folder lives until `RunContext.close`."""
        return RunContext(self, self._temporary(), progress or (lambda done, what: None))

    def digest(self, *values: object) -> str:
        """Return the content key of values."""
        return codec.digest(values, self._name_path)

    def let_go(self) -> None:
        """Need nothing any more of what was used so far: for what lives longer than a job, between two of them."""
        lease, self._lease = self._lease, None
        self._used.clear()
        if lease is not None:
            lease.end()

    def once(
        self, name: str, key: tuple[object, ...], make: Callable[[Context], T], progress: Progress
    ) -> tuple[T, bool]:
        """Return the record's value and whether it was there already; made and kept where it was not."""
        content = self.digest(FORMAT, name, key)
        folder = self.root / name / content[:2] / content
        with self._locks[f"{name}/{content}"]:
            value = self._load(folder)
            if value is not _MISSING:
                return value, True
            self._refuse_full()
            self._make(folder, make, progress)
            value = self._load(folder)
            if self._limit_bytes is not None:
                eviction.added(self.root, folder, self._limit_bytes)
        if value is _MISSING:
            raise CannotWriteError(folder, "what was just written cannot be read back")
        return value, False

    def _make(self, folder: Path, make: Callable[[Context], Any], progress: Progress) -> None:
        context = RunContext(self, self._temporary(), progress)
        try:
            value = make(context)
            self._write(value, context.scratch)
            self._commit(context.scratch, folder)
        except OSError as cause:
            if not self._is_ours(cause):
                raise
            raise unwritable(folder, cause) from cause
        finally:
            context.close()

    def _is_ours(self, cause: OSError) -> bool:
        """Return whether it was the cache that could not be written, and not something that a stage opened or asked."""
        if cause.errno in (errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EFBIG, errno.EIO):
            return True
        return isinstance(cause.filename, str | Path) and Path(cause.filename).is_relative_to(self.root)

    def _refuse_full(self) -> None:
        """Refuse to begin on a disk that is all but full; what is there already stays usable."""
        if shutil.disk_usage(self.root).free < RESERVE_BYTES:
            raise disk_full(self.root)

    def _write(self, value: object, scratch: Path) -> None:
        encoder = codec.Encoder(lambda path: self._name_path(path, scratch))
        tree = json.dumps(encoder.tree(value))
        if encoder.arrays:
            np.savez(scratch / "arrays.npz", **encoder.arrays)  # type: ignore[arg-type]
        paths = {str(path.relative_to(scratch)): path for path in scratch.rglob("*") if path.is_file()}
        about = {
            "format": FORMAT,
            "subject": self.subject,
            "check": zlib.crc32(tree.encode()),
            "checks": {name: check_value(path) for name, path in paths.items()},
            "files": {name: path.stat().st_size for name, path in paths.items()},
        }
        (scratch / "value.json").write_text(f'{json.dumps(about)[:-1]}, "value": {tree}}}')

    def _commit(self, scratch: Path, folder: Path) -> None:
        with leases.locked(self.root):
            self._hold()
            folder.parent.mkdir(parents=True, exist_ok=True)
            try:
                scratch.rename(folder)
            except OSError as cause:
                if cause.errno not in (errno.EEXIST, errno.ENOTEMPTY):
                    raise
                # what stands there is broken; another run's whole record is as good as ours
                if self._read(folder, self._find_path) is _MISSING:
                    folder.rename(self._temporary() / "broken")
                    scratch.rename(folder)
            os.utime(folder)
        self._used.add(str(folder))

    def _hold(self) -> None:
        """Begin the lease with the first use, and say later that it lives; call with the lock held."""
        if self._lease is None:
            with suppress(OSError):
                self._lease = leases.Lease(self.root)
        else:
            self._lease.beat()

    def _use(self, folder: Path) -> bool:
        """Mark a record as used now, so that it stays while this object lives; return whether it is there."""
        name = str(folder)
        if name in self._used:
            return True
        if not folder.is_dir():
            return False
        with leases.locked(self.root):
            self._hold()
            try:
                os.utime(folder)
            except FileNotFoundError:  # taken out just now
                return False
            except PermissionError:  # another user's: it can be read all the same
                return True
        self._used.add(name)
        return True

    def _load(self, folder: Path) -> Any:
        """Return the value, or `_MISSING` where it or a file that it names is not there whole; marks it as used."""
        return self._read(folder, self._find_used) if self._use(folder) else _MISSING

    def _read(self, folder: Path, finds: Callable[[str, Path], Path]) -> Any:
        try:
            record = json.loads((folder / "value.json").read_text())
            if any((folder / name).stat().st_size != size for name, size in record["files"].items()):
                return _MISSING
            arrays = {}
            if "arrays.npz" in record["files"]:
                # opened here: where it is broken, numpy would leave it open
                with (folder / "arrays.npz").open("rb") as file, np.load(file, allow_pickle=False) as stored:
                    arrays = dict(stored)
            return codec.decode(record["value"], arrays, lambda name: finds(name, folder))
        except (OSError, ValueError, KeyError, TypeError, zipfile.BadZipFile):
            return _MISSING

    def _name_path(self, path: Path, own: Path | None = None) -> str:
        if own is not None and path.is_relative_to(own):
            return f"own:{path.relative_to(own).as_posix()}"
        if path.is_relative_to(self.root):
            return f"cache:{path.relative_to(self.root).as_posix()}"
        return f"file:{path}"

    def _find_path(self, name: str, folder: Path) -> Path:
        base, _, rest = name.partition(":")
        path = {"own": folder, "cache": self.root}.get(base, Path()) / rest
        if base == "cache" and not path.exists():
            raise FileNotFoundError(path)
        return path

    def _find_used(self, name: str, folder: Path) -> Path:
        """Return the path; the record that it lies in is used too."""
        base, _, rest = name.partition(":")
        if base == "cache":
            self._use(self.root.joinpath(*Path(rest).parts[:RECORD_DEPTH]))
        return self._find_path(name, folder)

    def _temporary(self) -> Path:
        folder = self.root / "tmp" / f"{owner()}-{uuid.uuid4().hex}"
        try:
            folder.mkdir()
        except OSError as cause:
            raise unwritable(folder, cause) from cause
        return folder


def disk_full(path: Path, needed_bytes: float | None = None) -> DiskFullError:
    """Return what is said of a disk that cannot hold what is to be written."""
    error = DiskFullError(path, None if needed_bytes is None else needed_bytes / 1e6)
    error.hint = MEND_FULL
    return error


def check_value(path: Path) -> int:
    """Return a file's check value, CRC-32: of all of it, or of evenly spread parts where it is large."""
    size, total = path.stat().st_size, 0
    with path.open("rb") as file:
        if size <= SAMPLES * SAMPLE_BYTES:
            return zlib.crc32(file.read())
        for number in range(SAMPLES):
            file.seek((size - SAMPLE_BYTES) * number // (SAMPLES - 1))
            total = zlib.crc32(file.read(SAMPLE_BYTES), total)
    return total


class RunContext:
    """The `Context` that stages are given."""

    def __init__(self, cache: Cache, scratch: Path, progress: Progress) -> None:
        self._cache = cache
        self.scratch = scratch
        self._progress = progress

    def rng(self, *key: object) -> np.random.Generator:
        """Return the random stream of `key`."""
        return np.random.default_rng(int(self._cache.digest(*key), 16))

    def digest(self, *values: object) -> str:
        """Return the content key of values."""
        return self._cache.digest(*values)

    def once(self, name: str, key: tuple[object, ...], make: Callable[[Context], T]) -> T:
        """Return what `make` makes, from the cache where it was made before."""
        return self._cache.once(name, key, make, self._progress)[0]

    def progress(self, done: float, what: str = "") -> None:
        """Say how much of the stage is done."""
        self._progress(done, what)

    def close(self) -> None:
        """Throw the scratch folder away."""
        shutil.rmtree(self.scratch, ignore_errors=True)
