"""The command line: parse, call the API, print. Results go to standard output, words for people to standard error."""

from __future__ import annotations

import contextlib
import ctypes
import gc
import sys

SWITCH_S = 0.0005
"""How long a thread may keep Python to itself while another waits: one decodes, one looks, each for a millisecond a
frame; with the usual 5 ms the decoder stands still and a run takes 4 % longer."""

YOUNG_OBJECTS = 50_000
"""How many new objects Python waits for before it looks for circles of dead ones: importing makes 700, its default,
hundreds of times, and a fifth of a second goes by."""


KEPT_BYTES = 32 << 20
"""Arrays up to this size come from memory that was used before. glibc else gives that of every larger array back, and
the pages of the next are taken and cleared anew: on seconds of sound that takes longer than the arithmetic."""

_TRIM_THRESHOLD, _MMAP_THRESHOLD = -1, -3
"""Parameters of mallopt(3)."""


def main() -> None:
    """Run the command `foley`."""
    sys.setswitchinterval(SWITCH_S)
    gc.set_threshold(YOUNG_OBJECTS)
    keep_freed_memory()
    try:
        from foley.cli.app import start
    except KeyboardInterrupt:  # while Python was still reading the program
        sys.exit(130)
    sys.exit(start(sys.argv[1:]))


def keep_freed_memory() -> None:
    """Tell glibc to keep what is freed for what comes next; other systems' memory is left as it is."""
    with contextlib.suppress(OSError, AttributeError, TypeError):
        mallopt = ctypes.CDLL(None).mallopt
        mallopt(_MMAP_THRESHOLD, KEPT_BYTES)
        mallopt(_TRIM_THRESHOLD, 2 * KEPT_BYTES)
