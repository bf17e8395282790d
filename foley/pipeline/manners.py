"""How a process of foley deals with threads and memory; set before it starts any thread."""

from __future__ import annotations

import atexit
import ctypes
import gc
import sys
from contextlib import suppress

SWITCH_S = 0.0005
"""How long a thread may keep Python to itself while another waits: one decodes, one looks, each for a millisecond a
frame; with the usual 5 ms the decoder stands still and a run takes 4 % longer."""

YOUNG_OBJECTS = 50_000
"""How many new objects Python waits for before it looks for circles of dead ones: importing makes 700, its default,
hundreds of times, and a fifth of a second goes by."""

_M_ARENA_MAX, _ARENAS = -8, 1
"""One heap for all threads (malloc.h of glibc): with one for each, as is usual, each keeps the most it ever needed,
100 MB more in a run of ten minutes of film. Nobody waits for it: what is large is asked for seldom."""


def adopt() -> None:
    """Set them for this process."""
    sys.setswitchinterval(SWITCH_S)
    gc.set_threshold(YOUNG_OBJECTS)
    atexit.register(gc.freeze)  # what is left goes with the process: to look through it all once more takes 0.1 s
    with suppress(AttributeError, OSError, TypeError):  # another system's memory is dealt with by itself
        ctypes.CDLL(None).mallopt(_M_ARENA_MAX, _ARENAS)
