"""Captions of the sounds as WebVTT."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from foley.deliver import captions
from foley.deliver.one_way import OneWay
from foley.model import Timeline


@dataclass(frozen=True, slots=True)
class Captions(OneWay):
    """Writes NAME.vtt."""

    about: str = "browsers and streaming players: captions of sound (WebVTT)"

    def export(self, timeline: Timeline, folder: Path) -> tuple[Path, ...]:
        """Write the captions."""
        return captions.save(timeline, folder, "vtt")


def build() -> Captions:
    """Make the exporter."""
    return Captions()
