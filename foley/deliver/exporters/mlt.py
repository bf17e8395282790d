"""MLT XML for Shotcut, Kdenlive and melt: picture, items, gains and fades on whole frames."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from foley.deliver import mlt_project
from foley.deliver.labels import file_stem
from foley.deliver.one_way import OneWay
from foley.deliver.outputs import write_text
from foley.model import Timeline


@dataclass(frozen=True, slots=True)
class Mlt(OneWay):
    """Writes NAME.mlt, and sounds on frames beside it where they are needed."""

    about: str = "Shotcut, Kdenlive, melt"

    def export(self, timeline: Timeline, folder: Path) -> tuple[Path, ...]:
        """Write the project."""
        to = folder / f"{file_stem(timeline.name)}.mlt"
        write_text(to, mlt_project.project(timeline, folder))
        return (to,)


def build() -> Mlt:
    """Make the exporter."""
    return Mlt()
