"""Writes Final Cut Pro 7 XML: the picture, every event as a stereo clip with gain, fades, reasons; and the stems."""

from __future__ import annotations

from pathlib import Path

from foley.deliver import fcp7_reader, fcp7_writer, labels, outputs
from foley.deliver.frames import framed_lanes
from foley.model import EditedItem, Timeline


class FinalCut7:
    """The XML that Final Cut Pro 7 left behind; it needs no package."""

    about = "Premiere Pro, DaVinci Resolve, and whatever reads Final Cut Pro 7 XML"
    suffixes = (".xml",)

    def missing(self) -> tuple[str, ...]:
        """Return what must be installed: nothing."""
        return ()

    def export(self, timeline: Timeline, folder: Path) -> tuple[Path, ...]:
        """Write NAME.xml, and NAME stems.xml: apart, so that no editor plays both."""
        outputs.make_folder(folder)
        name = labels.file_stem(timeline.name)
        events, stems = folder / f"{name}.xml", folder / f"{name} stems.xml"
        outputs.write_text(events, fcp7_writer.events_document(timeline, framed_lanes(timeline, folder)))
        outputs.write_text(stems, fcp7_writer.stems_document(timeline))
        return events, stems

    def read(self, path: Path) -> tuple[EditedItem, ...]:
        """Return the sounds of a saved sequence."""
        return fcp7_reader.read(path)


def build() -> FinalCut7:
    """Return the exporter."""
    return FinalCut7()
