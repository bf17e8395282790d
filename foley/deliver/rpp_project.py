"""A timeline as a REAPER project: a track for each bus, the stems muted below, markers with reasons."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from pathlib import Path

from foley.deliver.labels import plain, remark, seen_from
from foley.deliver.lanes import Lane, lanes
from foley.deliver.rpp_text import quoted
from foley.model import AudioFile, Timeline, TimelineItem
from foley.units import RATE_HZ, to_gain

_CONTENT = uuid.UUID("a4d1c7de-30b2-5a3c-8c3e-51c0c6f1a9b4")
"""Identifiers that are made of content are made within this one: equal timelines make equal files."""

_LINEAR = 0
"""Shape of a fade: straight in amplitude."""

_ALWAYS_MIX = 1
"""What lies over each other on a track is heard together."""


def project(timeline: Timeline, folder: Path) -> str:
    """Return the text of a project whose media are named from the folder that it will lie in."""
    lines = [
        '<REAPER_PROJECT 0.1 "7.0" 0',
        f"  ITEMMIX {_ALWAYS_MIX}",
        f"  PROJOFFS {_seconds_of_frames(timeline)} 0 0",
        f"  SAMPLERATE {RATE_HZ} 1 0",
        f"  TIMEMODE 1 5 -1 {_frame_rate(timeline)} 0 -1",
        *_markers(timeline),
        *_picture(timeline, folder),
    ]
    for lane in lanes(timeline, on_frames=False):
        lines += _track(lane.name, _items(lane, folder))
    for bus, stem in timeline.stems.items():
        lines += _track(f"{bus.upper()} stem", _whole(f"{bus} stem", stem, folder), muted=True)
    return "\n".join([*lines, ">", ""])


def _seconds_of_frames(timeline: Timeline) -> str:
    """Return the time at which the project's ruler begins: by the clock that counts its frames."""
    return f"{float(timeline.start_frame / timeline.frame_rate):.14f}"


def _frame_rate(timeline: Timeline) -> str:
    """Return the ruler's rate as REAPER writes it: whole frames, and 1 or 2 for 29.97 without or with dropped numbers.

    Rates over 1.001 are said by a whole rate and a mark; 24 with 2 is 23.976.
    """
    whole = round(timeline.frame_rate)
    if timeline.frame_rate == whole:
        return f"{whole} 0"
    return f"{whole} {1 if timeline.drop_frame else 2}"


def _markers(timeline: Timeline) -> Iterator[str]:
    for number, marker in enumerate(timeline.markers, start=1):
        text, at = quoted(remark(marker)), marker.at_sample
        yield f"  MARKER {number} {_s(at)} {text} {1 if marker.length else 0}"
        if marker.length:
            yield f'  MARKER {number} {_s(at + marker.length)} "" 1'


def _picture(timeline: Timeline, folder: Path) -> list[str]:
    """Return the track with the clip; its own sound is turned down: a muted track would not show the picture."""
    source = ["      <SOURCE VIDEO", f"        FILE {quoted(seen_from(folder, timeline.video))}", "      >"]
    item = [
        "    <ITEM",
        f"      POSITION {_s(0)}",
        f"      LENGTH {_s(timeline.length)}",
        "      LOOP 0",
        f"      IGUID {_guid('picture', timeline.name)}",
        f"      NAME {quoted(plain(timeline.video.name))}",
        "      VOLPAN 1 0 1 -1",
        "      SOFFS 0",
        "      PLAYRATE 1 1 0 -1 0 0.0025",
        *source,
        "    >",
    ]
    return _track("PICTURE (its own sound is turned down)", item, volume=0)


def _track(name: str, items: list[str], *, muted: bool = False, volume: int = 1) -> list[str]:
    identifier = _guid("track", name)
    return [
        f"  <TRACK {identifier}",
        f"    NAME {quoted(name)}",
        f"    VOLPAN {volume} 0 -1 -1 1",
        f"    MUTESOLO {int(muted)} 0 0",
        "    NCHAN 2",
        f"    TRACKID {identifier}",
        *items,
        "  >",
    ]


def _items(lane: Lane, folder: Path) -> list[str]:
    return [line for item in lane.items for line in _item(item, folder)]


def _item(item: TimelineItem, folder: Path) -> list[str]:
    note = [f"{item.event_id}: {plain(item.name)}", plain(item.note), plain(item.ucs)]
    return [
        "    <ITEM",
        f"      POSITION {_s(item.first_sample)}",
        f"      LENGTH {_s(item.length)}",
        "      LOOP 0",
        f"      FADEIN {_LINEAR} {_s(item.fade_in)} 0 {_LINEAR} 0 0 0",
        f"      FADEOUT {_LINEAR} {_s(item.fade_out)} 0 {_LINEAR} 0 0 0",
        "      MUTE 0 0",
        f"      IGUID {_guid('item', item.event_id)}",
        f"      NAME {quoted(plain(item.name) or item.event_id)}",
        f"      VOLPAN {to_gain(item.gain_db):.10f} 0 1 -1",
        f"      SOFFS {_s(item.source_first)}",
        "      PLAYRATE 1 1 0 -1 0 0.0025",
        f"      GUID {_guid('take', item.event_id)}",
        "      <NOTES",
        *(f"        |{line}" for line in note if line),
        "      >",
        *_wave(item.audio, folder),
        "    >",
    ]


def _whole(name: str, audio: AudioFile, folder: Path) -> list[str]:
    return [
        "    <ITEM",
        f"      POSITION {_s(0)}",
        f"      LENGTH {_s(audio.length)}",
        "      LOOP 0",
        f"      IGUID {_guid('stem', name)}",
        f"      NAME {quoted(name)}",
        "      VOLPAN 1 0 1 -1",
        "      SOFFS 0",
        *_wave(audio, folder),
        "    >",
    ]


def _wave(audio: AudioFile, folder: Path) -> list[str]:
    return ["      <SOURCE WAVE", f"        FILE {quoted(seen_from(folder, audio.path))}", "      >"]


def _s(samples: int) -> str:
    """Return samples as seconds, finely enough that rounding finds the sample again after days."""
    return f"{samples / RATE_HZ:.14f}"


def _guid(*content: str) -> str:
    return f"{{{str(uuid.uuid5(_CONTENT, ' '.join(content))).upper()}}}"
