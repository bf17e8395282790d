"""Leases on a cache: what was used since a running job began stays, until the job ends or its process is gone.

A lease is a file that its process holds locked: the system lets go of the lock when the process is gone, killed or not.
A process id is given to others again, and a list of what is in use would have to be kept. The file's time of change
says when the job began; its time of access is set now and then, for machines whose locks are not seen from here.
"""

from __future__ import annotations

import os
import secrets
import time
import weakref
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from foley.media.atomic import is_abandoned, owner
from foley.pipeline import locks

FOLDER = "leases"
LOCK = "lock"
"""In the folder of leases: held for the moment of marking a record as used, or of taking one away."""

PATIENCE_S = 5.0
"""The lock is held for microseconds; one that is not to be had for so long belongs to a process that was stopped."""

BEAT_S = 60.0
"""How often a lease says that it lives, at most."""

SILENT_S = 24 * 3600.0
"""After so long without a word the lease of another machine, whose lock is not seen here, counts as dead."""

CLOCK_SLACK_NS = 60 * 10**9
"""A clock that is set back by so much takes nothing from a running job."""


class Lease:
    """One job's hold on the records that it uses; it ends with `end`, with its last reference, or with its process."""

    def __init__(self, root: Path) -> None:
        """Begin a lease; the folder of leases is there.

        Raises:
            OSError: where no file can be made.
        """
        self.path = root / FOLDER / f"{owner()}-{secrets.token_hex(4)}"
        self._file = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o666)
        with suppress(OSError):  # a file system without locks: the process itself is asked after
            locks.lock(self._file)
        self._begun_ns = os.fstat(self._file).st_mtime_ns
        self._beaten_s = time.monotonic()
        self.end = weakref.finalize(self, _end, self._file, self.path, os.getpid())

    def beat(self) -> None:
        """Say that the job lives; mostly this costs nothing."""
        if time.monotonic() - self._beaten_s > BEAT_S:
            self._beaten_s = time.monotonic()
            with suppress(OSError):
                os.utime(self.path, ns=(time.time_ns(), self._begun_ns))


def _end(file: int, path: Path, process: int) -> None:
    if os.getpid() != process:  # a fork leaves the lease to its parent
        return
    with suppress(OSError):
        locks.unlock(file)  # said, and not left to closing: a fork may have the file open still
    os.close(file)
    with suppress(OSError):
        path.unlink(missing_ok=True)


@contextmanager
def locked(root: Path) -> Iterator[None]:
    """Keep others from marking and taking away records for a moment; where that cannot be had, go on without."""
    file = _open_lock(f"{root}/{FOLDER}")
    held = file is not None and _wait(file)
    try:
        yield
    finally:
        if file is not None:
            if held:
                locks.unlock(file)
            os.close(file)


def _open_lock(folder: str) -> int | None:
    """Return the open file that the lock is on; None where it cannot be opened."""
    for _ in range(2):
        try:
            return os.open(f"{folder}/{LOCK}", os.O_RDWR | os.O_CREAT, 0o666)
        except FileNotFoundError:
            with suppress(OSError):
                Path(folder).mkdir(exist_ok=True)
        except OSError:
            return None
    return None


def _wait(file: int) -> bool:
    """Return whether the lock was to be had."""
    until_s = time.monotonic() + PATIENCE_S
    try:
        while not (held := locks.lock(file)) and time.monotonic() < until_s:
            time.sleep(0.0005)
    except OSError:  # no locks here
        return False
    return held


def needed_since_ns(root: Path) -> int | None:
    """Return since when a record must have been used for a running job to need it; None where no job runs.

    Leases of processes that are gone are removed.
    """
    begun = [begun_ns for path in _leases(root) if (begun_ns := _begun_ns(path)) is not None]
    return min(begun) - CLOCK_SLACK_NS if begun else None


def count(root: Path) -> int:
    """Return how many running jobs use the cache."""
    return sum(_begun_ns(path) is not None for path in _leases(root))


def is_near(mark: str) -> bool:
    """Return whether an owner's mark is of this machine, whose processes can be asked after."""
    return mark.rpartition("-")[0] == owner().rpartition("-")[0]


def _leases(root: Path) -> list[Path]:
    try:
        return [path for path in (root / FOLDER).iterdir() if path.name != LOCK]
    except FileNotFoundError:
        return []


def _begun_ns(path: Path) -> int | None:
    """Return when the job of a lease began; None where it is over, and then the lease is removed."""
    try:
        found = path.stat()
        if _is_live(path, found.st_atime):
            return found.st_mtime_ns
        path.unlink(missing_ok=True)
    except OSError:  # ended meanwhile
        pass
    return None


def _is_live(path: Path, beaten_s: float) -> bool:
    """Return whether a lease's process is still there."""
    mark = path.name.rpartition("-")[0]
    free = _is_free(path)
    if free is False:
        return True
    if not is_near(mark):
        return time.time() - beaten_s < SILENT_S
    return free is None and not is_abandoned(mark)


def _is_free(path: Path) -> bool | None:
    """Return whether nobody holds a file's lock; None where that cannot be said."""
    try:
        file = os.open(path, os.O_RDWR)
    except PermissionError:
        return None
    try:
        if free := locks.lock(file):
            locks.unlock(file)
    except OSError:  # no locks here
        return None
    else:
        return free
    finally:
        os.close(file)
