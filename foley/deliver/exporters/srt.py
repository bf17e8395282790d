"""Captions of the sounds as SubRip."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from foley.deliver import captions
from foley.deliver.one_way import OneWay
from foley.model import Timeline


@dataclass(frozen=True, slots=True)
class Captions(OneWay):
    """Writes NAME.srt."""

    about: str = "players, editors, YouTube: captions of sound (SubRip)"

    def export(self, timeline: Timeline, folder: Path) -> tuple[Path, ...]:
        """Write the captions."""
        return captions.save(timeline, folder, "srt")


def build() -> Captions:
    """Make the exporter."""
    return Captions()
