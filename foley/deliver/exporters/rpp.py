"""A REAPER project: items, gains, fades, notes and markers to the sample, the stems muted below."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from foley.deliver import rpp_project, rpp_reader
from foley.deliver.labels import file_stem
from foley.deliver.outputs import write_text
from foley.model import EditedItem, Timeline


@dataclass(frozen=True, slots=True)
class Reaper:
    """Writes NAME.rpp; reads what REAPER saves of it."""

    about: str = "REAPER"
    suffixes: tuple[str, ...] = (".rpp",)

    def missing(self) -> tuple[str, ...]:
        """Return nothing: it needs no more than foley itself."""
        return ()

    def export(self, timeline: Timeline, folder: Path) -> tuple[Path, ...]:
        """Write the project."""
        to = folder / f"{file_stem(timeline.name)}.rpp"
        write_text(to, rpp_project.project(timeline, folder))
        return (to,)

    def read(self, path: Path) -> tuple[EditedItem, ...]:
        """Return the items that play sound files."""
        return rpp_reader.read(path)


def build() -> Reaper:
    """Make the exporter."""
    return Reaper()
