"""The command line: parse, call the API, print. Results go to standard output, words for people to standard error."""

from __future__ import annotations

import sys

SWITCH_S = 0.0005
"""How long a thread may keep Python to itself while another waits: one decodes, one looks, each for a millisecond a
frame; with the usual 5 ms the decoder stands still and a run takes 4 % longer."""


def main() -> None:
    """Run the command `foley`."""
    sys.setswitchinterval(SWITCH_S)
    try:
        from foley.cli.app import start
    except KeyboardInterrupt:  # while Python was still reading the program
        sys.exit(130)
    sys.exit(start(sys.argv[1:]))
