"""Writes .otioz: an OTIO timeline with its media in one file, to be sent or kept.

A ZIP archive with `version.txt`, `content.otio` and `media/`, as OpenTimelineIO's own bundles are; written here
because that writer refuses to replace a file, and stamps the time into it.
"""

from __future__ import annotations

import shutil
import zipfile
from collections.abc import Iterable
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import quote

from foley.deliver import labels, otio_form, outputs
from foley.errors import ExportError
from foley.media.atomic import written_whole
from foley.model import EditedItem, Timeline

VERSION = "1.0.0"
"""Of the bundle's layout."""

CONTENT = "content.otio"

STAMP = (1980, 1, 1, 0, 0, 0)
"""The time that every part bears, so that equal timelines are equal files."""


class OpenTimelineBundle:
    """OpenTimelineIO with its media."""

    about = "whatever reads otio, as one file with all sounds and the picture in it"
    suffixes = (".otioz",)

    def missing(self) -> tuple[str, ...]:
        """Return what must be installed."""
        return otio_form.missing()

    def export(self, timeline: Timeline, folder: Path) -> tuple[Path, ...]:
        """Write NAME.otioz, in place of one that is there."""
        outputs.make_folder(folder)
        to = folder / f"{labels.file_stem(timeline.name)}.otioz"
        with TemporaryDirectory(prefix=".otioz-", dir=folder) as scratch:
            built = otio_form.events_timeline(timeline, Path(scratch))
            names = _names(built.media)
            inside = {path.absolute().as_uri(): quote(f"media/{name}") for path, name in names.items()}
            for clip in built.timeline.find_clips():
                clip.media_reference.target_url = inside[clip.media_reference.target_url]
            with written_whole(to) as part:
                _pack(part, otio_form.to_text(built.timeline), names)
        return (to,)

    def read(self, path: Path) -> tuple[EditedItem, ...]:
        """Return the sounds of a saved bundle."""
        try:
            with zipfile.ZipFile(path) as bundle:
                text = bundle.read(CONTENT).decode("utf-8")
        except (OSError, KeyError, ValueError, zipfile.BadZipFile) as cause:
            raise ExportError(f"{path} is no OTIO bundle: {cause}") from cause
        return otio_form.edited_items(otio_form.from_text(text, path))


def _names(files: Iterable[Path]) -> dict[Path, str]:
    """Return a name for each file that no other has."""
    names: dict[Path, str] = {}
    taken: set[str] = set()
    for path in files:
        name = path.name if path.name not in taken else f"{len(taken)}-{path.name}"
        taken.add(name)
        names[path] = name
    return names


def _pack(to: Path, content: str, names: dict[Path, str]) -> None:
    with zipfile.ZipFile(to, "w") as bundle:
        bundle.writestr(_part("version.txt", zipfile.ZIP_DEFLATED), VERSION)
        bundle.writestr(_part(CONTENT, zipfile.ZIP_DEFLATED), content)
        for path, name in names.items():
            # sound and picture are pressed already, or do not give way
            with path.open("rb") as source, bundle.open(_part(f"media/{name}"), "w", force_zip64=True) as target:
                shutil.copyfileobj(source, target, 1 << 20)


def _part(name: str, compression: int = zipfile.ZIP_STORED) -> zipfile.ZipInfo:
    part = zipfile.ZipInfo(name, STAMP)
    part.compress_type = compression
    return part


def build() -> OpenTimelineBundle:
    """Return the exporter."""
    return OpenTimelineBundle()
