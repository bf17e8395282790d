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


def write(sections: dict[str, tuple[str, list[Figure]]]) -> None:
    """Write docs/measured.md.

    Args:
        sections: For each benchmark its one-line description and its figures.
    """
    today = datetime.datetime.now(tz=datetime.UTC).date().isoformat()
    lines = ["# Measured", "", f"Written by `make bench` on {today}; machine: {machine()}.", ""]
    for name, (about, figures) in sections.items():
        lines += [
            f"## {name}",
            "",
            about,
            "",
            "| figure | value | asked for | holds | command |",
            "|---|---|---|---|---|",
        ]
        for figure in figures:
            holds = {True: "yes", False: "**no**", None: ""}[figure.holds]
            lines.append(f"| {figure.what} | {figure.value} | {figure.wanted} | {holds} | `{figure.command}` |")
        lines.append("")
    MEASURED.write_text("\n".join(lines))
