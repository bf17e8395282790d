"""Locks on files that the system holds for a process, and lets go of when it is gone, killed or not."""

from __future__ import annotations

import errno
import os
import sys

if sys.platform == "win32":
    import msvcrt

    def _lock(file: int) -> None:
        os.lseek(file, 0, os.SEEK_SET)
        msvcrt.locking(file, msvcrt.LK_NBLCK, 1)

    def unlock(file: int) -> None:
        """Let go of an open file's lock; it must be held.

        Raises:
            OSError: where the file system refuses.
        """
        os.lseek(file, 0, os.SEEK_SET)
        msvcrt.locking(file, msvcrt.LK_UNLCK, 1)

else:
    import fcntl

    def _lock(file: int) -> None:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)

    def unlock(file: int) -> None:
        """Let go of an open file's lock; it must be held.

        Raises:
            OSError: where the file system refuses.
        """
        fcntl.flock(file, fcntl.LOCK_UN)


_TAKEN = (errno.EACCES, errno.EAGAIN, errno.EDEADLK)
"""What a lock that somebody else holds is answered with, by system."""


def lock(file: int) -> bool:
    """Return whether an open file's lock was to be had, without waiting; False where somebody else holds it.

    Raises:
        OSError: where the file system has no locks.
    """
    try:
        _lock(file)
    except OSError as cause:
        if cause.errno in _TAKEN:
            return False
        raise
    return True
