"""Files that are there whole or not at all."""

from __future__ import annotations

import errno
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from foley.errors import CannotWriteError, DiskFullError, OutputError


@contextmanager
def written_whole(to: Path) -> Iterator[Path]:
    """Give a name beside `to` to write under; it becomes `to` when the block ends well and is gone when it does not.

    The name keeps the suffix, because programs choose the format by it, and lies in the same folder, because only
    there a rename is one step.

    Raises:
        OutputError: where the folder cannot be written to or is full; other errors pass as they are.
    """
    part = to.with_name(f".{to.stem[:80]}.{secrets.token_hex(4)}.part{to.suffix}")
    try:
        yield part
        part.replace(to)
    except OSError as cause:
        raise unwritable(to, cause) from cause
    finally:
        part.unlink(missing_ok=True)


def unwritable(to: Path, cause: OSError) -> OutputError:
    """Return what a failed write to `to` is called: no room, or no way to write there."""
    if cause.errno in (errno.ENOSPC, errno.EDQUOT):
        return DiskFullError(to)
    return CannotWriteError(to, (cause.strerror or str(cause)).lower())
