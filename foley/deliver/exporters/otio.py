"""Writes .otio: the picture, every event as a clip with handles, gain, fades and reasons; and, apart, the stems."""

from __future__ import annotations

from pathlib import Path

from foley.deliver import labels, otio_form, outputs
from foley.errors import ExportError
from foley.model import EditedItem, Timeline


class OpenTimeline:
    """OpenTimelineIO as JSON: media stay where they are."""

    about = "DaVinci Resolve 18.5 and later, Kdenlive 25.04 and later, Flame, Premiere 26, and every OTIO pipeline"
    suffixes = (".otio",)

    def missing(self) -> tuple[str, ...]:
        """Return what must be installed."""
        return otio_form.missing()

    def export(self, timeline: Timeline, folder: Path) -> tuple[Path, ...]:
        """Write NAME.otio, and NAME stems.otio: apart, so that no editor plays both."""
        outputs.make_folder(folder)
        built = otio_form.events_timeline(timeline, folder)
        name = labels.file_stem(timeline.name)
        events, stems = folder / f"{name}.otio", folder / f"{name} stems.otio"
        outputs.write_text(events, otio_form.to_text(built.timeline))
        outputs.write_text(stems, otio_form.to_text(otio_form.stems_timeline(timeline).timeline))
        return events, stems

    def read(self, path: Path) -> tuple[EditedItem, ...]:
        """Return the sounds of a saved timeline."""
        try:
            text = path.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as cause:
            raise ExportError(f"{path} cannot be read: {cause}") from cause
        return otio_form.edited_items(otio_form.from_text(text, path))


def build() -> OpenTimeline:
    """Return the exporter."""
    return OpenTimeline()
