"""`python -m benchmarks [NAME ...]`: run all benchmarks, or some, and write their sections of docs/measured.md."""

from __future__ import annotations

import importlib
import os
import pkgutil
import sys

import benchmarks
from benchmarks.figures import Figure, write

NOT_BENCHMARKS = {"__main__", "figures", "scenes"}


def main(wanted: list[str]) -> int:
    """Run what is wanted and print it; return 1 where something does not hold."""
    # an installed program has its byte code; with this set, every process that is timed would compile it anew
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    names = [info.name for info in pkgutil.iter_modules(benchmarks.__path__) if info.name not in NOT_BENCHMARKS]
    holds = True
    for name in wanted or names:
        module = importlib.import_module(f"benchmarks.{name}")
        print(f"== {name}", flush=True)
        figures: list[Figure] = module.measure()
        for figure in figures:
            mark = {True: "ok  ", False: "FAIL", None: "    "}[figure.holds]
            print(f"{mark} {figure.what}: {figure.value}  {figure.wanted}", flush=True)
        write(name, " ".join((module.__doc__ or "").split("\n\n")[0].split()), figures)
        holds &= all(figure.holds is not False for figure in figures)
    return int(not holds)


sys.exit(main(sys.argv[1:]))
