"""Files that are there whole or not at all."""

from __future__ import annotations

import errno
import os
import re
import secrets
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path

from foley.errors import CannotWriteError, DiskFullError, OutputError

_WHOLE_MACHINE = 0xEFFFFFFC
"""The inode of the process numbers of a whole machine (PROC_PID_INIT_INO of Linux)."""

_PART = re.compile(r"\..*\.(?P<owner>[^.]+-\d+)-[0-9a-f]{8}\.part(\.[^.]*)?", re.DOTALL)
"""The names that files have while they are written."""


@contextmanager
def written_whole(to: Path) -> Iterator[Path]:
    """Give a name beside `to` to write under; it becomes `to` when the block ends well and is gone when it does not.

    The name keeps the suffix, because programs choose the format by it, and lies in the same folder, because only
    there a rename is one step.

    Raises:
        OutputError: where the folder cannot be written to or is full; other errors pass as they are.
    """
    part = to.with_name(f".{to.stem[:40]}.{owner()}-{secrets.token_hex(4)}.part{to.suffix}")
    try:
        yield part
        part.replace(to)
    except OSError as cause:
        raise unwritable(to, cause) from cause
    finally:
        part.unlink(missing_ok=True)


def owner() -> str:
    """Return what marks a file or folder as being written by this process: the machine and the process."""
    return f"{_machine()}-{os.getpid()}"


@cache
def _machine() -> str:
    """Return what tells machines apart, and containers that bear one name but count their processes by themselves."""
    name = socket.gethostname().partition(".")[0][:40]
    with suppress(OSError):  # elsewhere than on Linux there are no such containers
        counted_in = Path("/proc/self/ns/pid").stat().st_ino
        if counted_in != _WHOLE_MACHINE:
            return f"{name}~{counted_in}"
    return name


def is_abandoned(mark: str) -> bool:
    """Return whether what bears the mark is left from a process of this machine that is no more; of others, unknown."""
    machine, _, process = mark.rpartition("-")
    if machine != _machine() or not process.isdecimal():
        return False
    with suppress(PermissionError):  # it lives, but is somebody else's
        try:
            os.kill(int(process), 0)
        except ProcessLookupError:
            return True
    return False


def sweep(folder: Path) -> None:
    """Remove the files in a folder that a process of this machine was killed over while writing them."""
    with suppress(OSError):  # a folder that is not there, or not ours to clear, is left alone
        for path in folder.iterdir():
            named = _PART.fullmatch(path.name)
            if named and is_abandoned(named["owner"]):
                path.unlink(missing_ok=True)


def unwritable(to: Path, cause: OSError) -> OutputError:
    """Return what a failed write to `to` is called: no room, or no way to write there."""
    if cause.errno in (errno.ENOSPC, errno.EDQUOT):
        return DiskFullError(to)
    return CannotWriteError(to, (cause.strerror or str(cause)).lower())
