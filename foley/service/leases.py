"""Files that say that a process lives: the system holds a lock on them for it and lets go when it is gone.

Unlike a process id, which is given again, or a heartbeat, which a sleeping laptop misses, this cannot be mistaken.
"""

from __future__ import annotations

import os
import secrets
import time
from contextlib import suppress
from pathlib import Path

from foley.errors import ServiceError
from foley.media.atomic import owner, unwritable
from foley.pipeline import locks

SUFFIX = ".alive"

JUST_MADE_S = 10.0
"""So young, a lease may be made but not locked yet."""


class Lease:
    """A locked file; the lock lives as long as the process, or until `end`."""

    def __init__(self, path: Path, file: int) -> None:
        self.path, self._file = path, file

    @property
    def name(self) -> str:
        """Return what others know it by."""
        return self.path.name

    def end(self, *, remove: bool = False) -> None:
        """Give the lock back.

        Args:
            remove: The file too; only where its name is never taken again, or two could hold a lock of that name.
        """
        os.close(self._file)
        if remove:
            self.path.unlink(missing_ok=True)


def take(path: Path) -> Lease | None:
    """Lock a file, made where it is not there; None where another process has it.

    Raises:
        OutputError: where the file cannot be made.
        ServiceError: where the file system has no locks.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        file = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as cause:
        raise unwritable(path, cause) from cause
    try:
        held = locks.lock(file)
    except OSError as cause:
        os.close(file)
        raise ServiceError(f"{path}: its file system has no locks: {cause.strerror}") from cause
    if not held:
        os.close(file)
        return None
    return Lease(path, file)


def live(folder: Path) -> Lease:
    """Begin a lease of this process, under a name of its own."""
    lease = take(folder / f"{owner()}-{secrets.token_hex(4)}{SUFFIX}")
    assert lease is not None  # nobody else knows the name
    return lease


def is_live(folder: Path, name: str) -> bool:
    """Return whether the process that began a lease is still there."""
    path = folder / name
    if not name or not path.is_file():
        return False
    found = take(path)
    if found is None:
        return True
    found.end(remove=True)
    return False


def sweep(folder: Path) -> None:
    """Remove the leases that killed processes left."""
    for path in folder.glob(f"*{SUFFIX}"):
        with suppress(OSError):  # gone meanwhile
            if time.time() - path.stat().st_mtime > JUST_MADE_S:
                is_live(folder, path.name)
