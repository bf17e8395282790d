"""Lists of markers with reasons, for Media Composer, DaVinci Resolve and REAPER."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from foley.deliver import frames
from foley.deliver.labels import file_stem, plain, remark
from foley.deliver.one_way import OneWay
from foley.deliver.outputs import write_text
from foley.model import Timeline, TimelineMarker
from foley.units import RATE_HZ, frames_to_timecode, to_seconds


@dataclass(frozen=True, slots=True)
class MarkerLists(OneWay):
    """Writes NAME.avid.txt, NAME.resolve.edl and NAME.reaper.csv."""

    about: str = "markers for Media Composer, DaVinci Resolve and REAPER"

    def export(self, timeline: Timeline, folder: Path) -> tuple[Path, ...]:
        """Write the three lists."""
        forms: dict[str, Callable[[Timeline], str]] = {
            "avid.txt": _avid,
            "resolve.edl": _resolve,
            "reaper.csv": _reaper,
        }
        written = []
        for ending, text in forms.items():
            to = folder / f"{file_stem(timeline.name)}.{ending}"
            write_text(to, text(timeline))
            written.append(to)
        return tuple(written)


def build() -> MarkerLists:
    """Make the exporter."""
    return MarkerLists()


def _span(marker: TimelineMarker, timeline: Timeline) -> tuple[int, int]:
    """Return the first frame of a marker and how many it lasts, at least one."""
    first = frames.frame_at(marker.at_sample, timeline.frame_rate)
    past = frames.frame_from(marker.at_sample + marker.length, timeline.frame_rate)
    return first, max(1, past - first) if marker.length else 1


def _code(frame: int, timeline: Timeline) -> str:
    return frames_to_timecode(timeline.start_frame + frame, timeline.frame_rate, drop=timeline.drop_frame)


def _avid(timeline: Timeline) -> str:
    """Return lines of user, time code, track, colour, comment and length, parted by tabs."""
    lines = []
    for marker in timeline.markers:
        first, length = _span(marker, timeline)
        lines.append("\t".join(("foley", _code(first, timeline), "A1", "green", remark(marker), str(length))))
    return "\n".join([*lines, ""])


def _resolve(timeline: Timeline) -> str:
    """Return an edit decision list as Resolve reads markers from it: the note, then colour, name and length."""
    drop = "DROP FRAME" if timeline.drop_frame else "NON-DROP FRAME"
    lines = [f"TITLE: {plain(timeline.name)[:70]}", f"FCM: {drop}", ""]
    for number, marker in enumerate(timeline.markers, start=1):
        first, length = _span(marker, timeline)
        begins, ends = _code(first, timeline), _code(first + 1, timeline)
        note, name = (plain(text).replace("|", "/") for text in (marker.note, marker.name))
        lines.append(f"{number:03d}  001      V     C        {begins} {ends} {begins} {ends}")
        lines.append(f"{note} |C:ResolveColorGreen |M:{name} |D:{length}")
        lines.append("")
    return "\n".join([*lines, ""])


def _reaper(timeline: Timeline) -> str:
    """Return a table as REAPER's region and marker manager imports it; times as minutes and seconds."""
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    table.writerow(("#", "Name", "Start", "End", "Length"))
    for number, marker in enumerate(timeline.markers, start=1):
        begins, lasts = (_clock(samples) for samples in (marker.at_sample, marker.length))
        ends = _clock(marker.at_sample + marker.length)
        kind = "R" if marker.length else "M"
        table.writerow((f"{kind}{number}", remark(marker), begins, *((ends, lasts) if marker.length else ("", ""))))
    return text.getvalue()


def _clock(samples: int) -> str:
    minutes, seconds = divmod(to_seconds(samples, RATE_HZ), 60)
    return f"{int(minutes)}:{seconds:06.3f}"
