"""Edit decision lists in the manner of CMX 3600: one for each track, because a list cannot hold what overlaps."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from foley.deliver import frames
from foley.deliver.labels import file_stem, plain
from foley.deliver.lanes import Lane, lanes
from foley.deliver.one_way import OneWay
from foley.deliver.outputs import write_text
from foley.model import Timeline
from foley.units import frames_to_timecode


@dataclass(frozen=True, slots=True)
class EditList(OneWay):
    """Writes NAME.TRACK.edl, and sounds on frames beside them where they are needed."""

    about: str = "conforming by edit decision list (CMX 3600): times and names alone"

    def export(self, timeline: Timeline, folder: Path) -> tuple[Path, ...]:
        """Write a list for each track; one that is empty for a timeline without items."""
        stem = file_stem(timeline.name)
        tracks = lanes(timeline, on_frames=True)
        if not tracks:
            write_text(folder / f"{stem}.edl", _text(timeline, iter(())))
            return (folder / f"{stem}.edl",)
        written = []
        for lane in tracks:
            to = folder / f"{stem}.{lane.name.replace(' ', '_')}.edl"
            write_text(to, _text(timeline, _cuts(lane, timeline, folder=folder)))
            written.append(to)
        return tuple(written)


def build() -> EditList:
    """Make the exporter."""
    return EditList()


def _text(timeline: Timeline, lines: Iterator[str]) -> str:
    drop = "DROP FRAME" if timeline.drop_frame else "NON-DROP FRAME"
    return "\n".join([f"TITLE: {plain(timeline.name)[:70]}", f"FCM: {drop}", "", *lines, ""])


def _cuts(lane: Lane, timeline: Timeline, *, folder: Path) -> Iterator[str]:
    """Yield three lines for every item: its times in its file and on the timeline, its file, its reason."""
    for number, item in enumerate(lane.items, start=1):
        placed = frames.framed(item, timeline.frame_rate, folder)
        source, record = placed.source_frame, timeline.start_frame + placed.first_frame
        codes = " ".join(
            frames_to_timecode(frame, timeline.frame_rate, drop=timeline.drop_frame)
            for frame in (source, source + placed.frames, record, record + placed.frames)
        )
        yield f"{number:03d}  AX       AA    C        {codes}"  # AX: no tape; AA: sound on two channels
        yield f"* FROM CLIP NAME: {placed.audio.path.name}"
        yield f"* COMMENT: {item.event_id} {plain(item.name)}: {plain(item.note)} ({item.gain_db:+.1f} dB)"
