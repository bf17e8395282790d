"""`python -m benchmarks [NAME ...]`: run all benchmarks, or some, and write docs/measured.md when all were run."""

from __future__ import annotations

import importlib
import pkgutil
import sys

import benchmarks
from benchmarks.figures import Figure, write

NOT_BENCHMARKS = {"__main__", "figures"}


def main(wanted: list[str]) -> int:
    """Run what is wanted and print it; return 1 where something does not hold."""
    names = [info.name for info in pkgutil.iter_modules(benchmarks.__path__) if info.name not in NOT_BENCHMARKS]
    sections: dict[str, tuple[str, list[Figure]]] = {}
    for name in wanted or names:
        module = importlib.import_module(f"benchmarks.{name}")
        print(f"== {name}", flush=True)
        figures = module.measure()
        for figure in figures:
            mark = {True: "ok  ", False: "FAIL", None: "    "}[figure.holds]
            print(f"{mark} {figure.what}: {figure.value}  {figure.wanted}", flush=True)
        sections[name] = (" ".join((module.__doc__ or "").split()), figures)
    if not wanted:
        write(sections)
    return int(any(figure.holds is False for _, figures in sections.values() for figure in figures))


sys.exit(main(sys.argv[1:]))
