"""The command line: parse, call the API, print. Results go to standard output, words for people to standard error."""

from __future__ import annotations

import sys

from foley.pipeline import manners


def main() -> None:
    """Run the command `foley`."""
    manners.adopt()
    try:
        from foley.cli.app import start
    except KeyboardInterrupt:  # while Python was still reading the program
        sys.exit(130)
    sys.exit(start(sys.argv[1:]))
