"""A script and its data that make a session of Blender's video sequencer, on whole frames."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from foley.deliver import blender_session, envelope, frames
from foley.deliver.labels import file_stem, plain, remark, seen_from
from foley.deliver.lanes import lanes
from foley.deliver.one_way import OneWay
from foley.deliver.outputs import write_text
from foley.model import Timeline
from foley.units import RATE_HZ, frames_to_timecode, to_gain

FIRST_CHANNEL = 2
"""Of the sequencer; the picture is on the first."""

CLOSE = 0.002
"""How near the keys of a fade keep to it, as a factor: under 0.02 dB at full level."""


@dataclass(frozen=True, slots=True)
class Blender(OneWay):
    """Writes NAME.blender.py and NAME.blender.json, and sounds on frames beside them where they are needed."""

    about: str = "Blender's video sequencer (blender -b -P NAME.blender.py)"

    def export(self, timeline: Timeline, folder: Path) -> tuple[Path, ...]:
        """Write both."""
        stem = file_stem(timeline.name)
        script, data = folder / f"{stem}.blender.py", folder / f"{stem}.blender.json"
        write_text(data, json.dumps(_session(timeline, folder), indent=1, ensure_ascii=False) + "\n")
        write_text(script, Path(blender_session.__file__).read_text(encoding="utf-8"))
        return script, data


def build() -> Blender:
    """Make the exporter."""
    return Blender()


def _session(timeline: Timeline, folder: Path) -> dict[str, Any]:
    rate = timeline.frame_rate
    whole = round(rate)
    sounds = [
        _sound(frames.framed(item, rate, folder), channel, timeline, folder=folder)
        for channel, lane in enumerate(lanes(timeline, on_frames=True), start=FIRST_CHANNEL)
        for item in lane.items
    ]
    return {
        "name": plain(timeline.name),
        "fps": whole,
        "fps_base": float(whole / rate),
        "frames": max(1, timeline.frames),
        "width_px": timeline.width_px,
        "height_px": timeline.height_px,
        "rate_hz": RATE_HZ,
        "video": seen_from(folder, timeline.video),
        "sounds": sounds,
        "markers": _markers(timeline),
    }


def _markers(timeline: Timeline) -> list[dict[str, Any]]:
    found = []
    for marker in timeline.markers:
        frame = frames.frame_at(marker.at_sample, timeline.frame_rate)
        code = frames_to_timecode(timeline.start_frame + frame, timeline.frame_rate, drop=timeline.drop_frame)
        found.append({"frame": frame, "timecode": code, "text": remark(marker)})
    return found


def _sound(item: frames.FramedItem, channel: int, timeline: Timeline, *, folder: Path) -> dict[str, Any]:
    return {
        "event": item.item.event_id,
        "name": plain(item.item.name) or item.item.event_id,
        "reason": plain(item.item.note),
        "file": seen_from(folder, item.audio.path),
        "channel": channel,
        "first_frame": item.first_frame,
        "frames": item.frames,
        "source_frame": item.source_frame,
        "keys": _keys(item, timeline),
    }


def _keys(item: frames.FramedItem, timeline: Timeline) -> list[tuple[int, float]]:
    """Return the volume at the starts of frames, where it bends; one alone where it stays."""
    starts = [frames.sample_of(item.first_frame + frame, timeline.frame_rate) for frame in range(item.frames + 1)]
    first, last = item.item.first_sample, item.item.first_sample + item.item.length
    opened = [envelope.factor(item.item, min(max(start, first), last)) for start in starts]
    gain = to_gain(item.item.gain_db)
    if len(set(opened)) == 1:
        return [(0, round(gain, 6))]
    return [(frame, round(gain * opened[frame], 6)) for frame in envelope.thinned(opened, within=CLOSE)]
