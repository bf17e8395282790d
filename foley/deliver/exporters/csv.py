"""A cue sheet as a table: what is heard, when, how loud, and why."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from foley.deliver import frames
from foley.deliver.labels import file_stem, plain
from foley.deliver.one_way import OneWay
from foley.deliver.outputs import write_text
from foley.model import Timeline, TimelineItem
from foley.units import RATE_HZ, frames_to_timecode, to_seconds

COLUMNS = (
    "id",
    "timecode_in",
    "timecode_out",
    "start",
    "end",
    "first_sample",
    "last_sample",
    "track",
    "ucs",
    "description",
    "reason",
    "gain_db",
    "fade_in_s",
    "fade_out_s",
    "hits",
    "file",
)
"""`start`, `end` and `description` are those by which `foley` reads cue sheets; samples are [first, last) at 48 kHz."""


@dataclass(frozen=True, slots=True)
class CueSheet(OneWay):
    """Writes NAME.csv."""

    about: str = "spreadsheets, and people: a cue sheet"

    def export(self, timeline: Timeline, folder: Path) -> tuple[Path, ...]:
        """Write the table."""
        text = io.StringIO()
        table = csv.writer(text, lineterminator="\n")
        table.writerow(COLUMNS)
        table.writerows(_row(item, timeline) for item in timeline.items)
        to = folder / f"{file_stem(timeline.name)}.csv"
        write_text(to, text.getvalue())
        return (to,)


def build() -> CueSheet:
    """Make the exporter."""
    return CueSheet()


def _row(item: TimelineItem, timeline: Timeline) -> Iterator[str]:
    last = item.first_sample + item.length
    rate = timeline.frame_rate
    yield item.event_id
    for frame in (frames.frame_at(item.first_sample, rate), frames.frame_from(last, rate)):
        yield frames_to_timecode(timeline.start_frame + frame, rate, drop=timeline.drop_frame)
    yield from (f"{to_seconds(sample, RATE_HZ):.3f}" for sample in (item.first_sample, last))
    yield from (str(item.first_sample), str(last), item.bus)
    yield from (_cell(item.ucs), _cell(item.name), _cell(item.note))
    yield f"{item.gain_db:.2f}"
    yield from (f"{to_seconds(fade, RATE_HZ):.3f}" for fade in (item.fade_in, item.fade_out))
    yield " ".join(f"{to_seconds(hit, RATE_HZ):.4f}" for hit in item.hits)
    yield item.audio.path.name


def _cell(text: str) -> str:
    """Return a text that no spreadsheet takes for a formula."""
    kept = plain(text)
    return f"'{kept}" if kept[:1] in tuple("=+-@") else kept
