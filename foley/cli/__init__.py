"""The command line: parse, call the API, print. Results go to standard output, words for people to standard error."""

from __future__ import annotations

import sys


def main() -> None:
    """Run the command `foley`."""
    from foley.cli.app import start

    sys.exit(start(sys.argv[1:]))
