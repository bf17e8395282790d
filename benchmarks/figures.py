"""What a benchmark answers, and how it is written down."""

from __future__ import annotations

import datetime
import os
import platform
from dataclasses import dataclass
from pathlib import Path

MEASURED = Path(__file__).parents[1] / "docs" / "measured.md"


@dataclass(frozen=True, slots=True)
class Figure:
    """One measured value."""

    what: str
    value: str
    wanted: str
    """What it must be; "" for a figure that only stands beside another."""
    holds: bool | None
    """Whether it is what it must be; None where nothing is asked."""
    command: str


def real_clips() -> Path | None:
    """Return the folder of real clips, where there is one (FOLEY_TEST_MEDIA names it)."""
    folder = Path(os.environ.get("FOLEY_TEST_MEDIA", Path(__file__).parents[2] / "shared"))
    return folder / "clips" if (folder / "clips" / "clips.json").is_file() else None


def machine() -> str:
    """Return what it was measured on."""
    names = [
        line.partition(":")[2].strip()
        for line in Path("/proc/cpuinfo").read_text().splitlines()
        if "model name" in line
    ]
    memory_gb = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    processor = names[0] if names else platform.machine()
    return f"{len(names)} x {processor}, {memory_gb:.0f} GB, Python {platform.python_version()}"


def write(name: str, about: str, figures: list[Figure]) -> None:
    """Write one benchmark's section of docs/measured.md anew; the other sections stay.

    Args:
        name: Of the benchmark.
        about: What it measures, in a sentence.
        figures: What it found.
    """
    today = datetime.datetime.now(tz=datetime.UTC).date().isoformat()
    lines = [f"## {name}", "", about, "", f"{today}, {machine()}.", ""]
    lines += ["| figure | value | asked for | holds | command |", "|---|---|---|---|---|"]
    for figure in figures:
        holds = {True: "yes", False: "**no**", None: ""}[figure.holds]
        lines.append(f"| {figure.what} | {figure.value} | {figure.wanted} | {holds} | `{figure.command}` |")
    sections = {**_sections(), name: "\n".join(lines)}
    head = "# Measured\n\nWritten by `make bench`; `python -m benchmarks NAME` measures one section anew.\n"
    MEASURED.write_text("\n".join([head, *(f"{sections[key]}\n" for key in sorted(sections))]))


def _sections() -> dict[str, str]:
    """Return the sections that are there, by name."""
    text = MEASURED.read_text() if MEASURED.exists() else ""
    parts = text.split("\n## ")[1:]
    return {part.partition("\n")[0]: f"## {part.rstrip()}" for part in parts}
