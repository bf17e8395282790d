"""AAF for Pro Tools, Avid and Nuendo: items, gains, fades and markers to the sample, linked to mono WAV files."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from foley.deliver import aaf_reader, aaf_writer
from foley.model import EditedItem, Timeline


@dataclass(frozen=True, slots=True)
class Aaf:
    """Writes NAME.aaf and the folder NAME_aaf; reads such a file and what editors save of it."""

    about: str = "Pro Tools, Media Composer, Nuendo, Logic"
    suffixes: tuple[str, ...] = (".aaf",)

    def missing(self) -> tuple[str, ...]:
        """Return how to install pyaaf2, where it is not."""
        return () if find_spec("aaf2") else ('pip install "foley-pipeline[editors]"',)

    def export(self, timeline: Timeline, folder: Path) -> tuple[Path, ...]:
        """Write the file and its sounds."""
        return aaf_writer.write(timeline, folder)

    def read(self, path: Path) -> tuple[EditedItem, ...]:
        """Return the items of the compositions."""
        return aaf_reader.read(path)


def build() -> Aaf:
    """Make the exporter."""
    return Aaf()
