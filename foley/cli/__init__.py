"""The command line: parse, call the API, print. Results go to standard output, words for people to standard error."""

from __future__ import annotations

import gc
import sys

SWITCH_S = 0.0005
"""How long a thread may keep Python to itself while another waits: one decodes, one looks, each for a millisecond a
frame; with the usual 5 ms the decoder stands still and a run takes 4 % longer."""

YOUNG_OBJECTS = 50_000
"""How many new objects Python waits for before it looks for circles of dead ones: importing makes 700, its default,
hundreds of times, and a fifth of a second goes by."""


def main() -> None:
    """Run the command `foley`."""
    sys.setswitchinterval(SWITCH_S)
    gc.set_threshold(YOUNG_OBJECTS)
    try:
        from foley.cli.app import start
    except KeyboardInterrupt:  # while Python was still reading the program
        sys.exit(130)
    sys.exit(start(sys.argv[1:]))
