"""What exporters have in common whose files are not read back."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from foley.errors import ExportError
from foley.model import EditedItem


@dataclass(frozen=True, slots=True)
class OneWay:
    """An exporter that needs nothing installed and has no way back."""

    about: str
    """Who reads what it writes."""
    suffixes: tuple[str, ...] = ()

    def missing(self) -> tuple[str, ...]:
        """Return nothing: it needs no more than foley itself."""
        return ()

    def read(self, path: Path) -> tuple[EditedItem, ...]:
        """Refuse.

        Raises:
            ExportError: always.
        """
        raise ExportError(f"{path}: what this form holds cannot be read back", hint="export as otio, fcp7, aaf or rpp")
