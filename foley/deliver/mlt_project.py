"""A timeline as MLT XML, arranged as Shotcut keeps its projects; melt and Kdenlive read it too.

Everything stands on whole frames, with the rest of an item's position as silence in its sound file. Tracks are summed
as they are: *mix* transitions would else keep the level by turning all down. Source: MLT XML Annotations, and the
pages on the volume filter and the mix transition, mltframework.org.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from fractions import Fraction
from pathlib import Path
from xml.etree import ElementTree as ET

from foley.deliver import frames
from foley.deliver.cuts import Cut, cut
from foley.deliver.envelope import factor, thinned
from foley.deliver.labels import plain, remark, seen_from
from foley.deliver.lanes import Lane, lanes
from foley.model import Timeline
from foley.units import to_db

CLOSE_DB = 0.03
"""How near the corners of a fade keep to a straight line in amplitude: far less than can be heard."""

FLOOR_DB = -100.0
"""Where a fade ends: below what 16 bits hold, and a level that the volume filter still takes."""


def project(timeline: Timeline, folder: Path) -> str:
    """Return the text of a project whose media are named from the folder that it will lie in.

    Raises:
        OutputError: where an item's sound cannot be put on frames.
    """
    root = ET.Element("mlt", {"LC_NUMERIC": "C", "version": "7.0.0", "title": plain(timeline.name), "producer": "main"})
    root.append(_profile(timeline))
    length = max(1, timeline.frames)
    root.append(_producer("black", length, {"mlt_service": "color", "resource": "black", "aspect_ratio": "1"}))
    root.append(_playlist("background", {}, [_entry("black", 0, length)]))
    picture = {"mlt_service": "avformat", "resource": seen_from(folder, timeline.video), "seekable": "1"}
    root.append(_producer("picture", length, picture))
    root.append(_playlist("track1", {"shotcut:video": "1", "shotcut:name": "V1"}, [_entry("picture", 0, length)]))
    tracks = [("background", ""), ("track1", "audio")]
    for number, lane in enumerate(lanes(timeline, on_frames=True), start=2):
        root.extend(_lane(lane, f"track{number}", timeline.frame_rate, folder=folder))
        tracks.append((f"track{number}", "video"))
    root.append(_tractor(timeline, tracks, length))
    ET.indent(root)
    return '<?xml version="1.0" encoding="utf-8"?>\n' + ET.tostring(root, encoding="unicode") + "\n"


def _profile(timeline: Timeline) -> ET.Element:
    shape = Fraction(max(1, timeline.width_px), max(1, timeline.height_px))
    return ET.Element(
        "profile",
        {
            "description": "automatic",
            "width": str(timeline.width_px),
            "height": str(timeline.height_px),
            "progressive": "1",
            "sample_aspect_num": "1",
            "sample_aspect_den": "1",
            "display_aspect_num": str(shape.numerator),
            "display_aspect_den": str(shape.denominator),
            "frame_rate_num": str(timeline.frame_rate.numerator),
            "frame_rate_den": str(timeline.frame_rate.denominator),
            "colorspace": "709",
        },
    )


def _lane(lane: Lane, name: str, frame_rate: Fraction, *, folder: Path) -> Iterator[ET.Element]:
    """Yield the sounds of a track, and the track."""
    entries: list[ET.Element] = []
    end = 0
    cuts = [cut(item, frame_rate, folder) for item in lane.items]
    for number, item in enumerate(cuts):
        producer = f"{name}_{number}"
        yield _sound(producer, item, frame_rate, folder=folder)
        if item.first_frame > end:
            entries.append(ET.Element("blank", {"length": str(item.first_frame - end)}))
        entries.append(_entry(producer, 0, item.frames))
        end = item.first_frame + item.frames
    yield _playlist(name, {"shotcut:audio": "1", "shotcut:name": lane.name}, entries)


def _sound(name: str, item: Cut, frame_rate: Fraction, *, folder: Path) -> ET.Element:
    caption = f"{item.item.event_id} {plain(item.item.name)}"
    producer = _producer(
        name,
        item.audio_frames,
        {
            "mlt_service": "avformat",
            "resource": seen_from(folder, item.audio.path),
            "seekable": "1",
            "video_index": "-1",
            "shotcut:caption": caption,
            "kdenlive:clipname": caption,
            "shotcut:comment": plain(item.item.note),
        },
    )
    volume = ET.SubElement(producer, "filter", {"id": f"{name}_volume", "in": "0", "out": str(item.frames - 1)})
    gain = {"mlt_service": "volume", "shotcut:filter": "audioGain", "kdenlive_id": "volume"}
    _properties(volume, gain | {"level": _level(item, frame_rate)})
    return producer


def _level(item: Cut, frame_rate: Fraction) -> str:
    """Return the item's gain in dB, with a corner wherever its fades need one.

    The filter takes the level at a frame as what is reached at the frame's end, straight in amplitude from the one
    before it (seen in what melt 7.12 renders); between corners the level moves straight in dB.
    """
    ends = (frames.sample_of(item.first_frame + 1 + frame, frame_rate) for frame in range(item.frames))
    levels = [max(FLOOR_DB, item.item.gain_db + to_db(factor(item.item, end))) for end in _within(ends, item)]
    if len(set(levels)) == 1:
        return f"{levels[0]:.4f}"
    return ";".join(f"{frame}={levels[frame]:.4f}" for frame in thinned(levels, within=CLOSE_DB))


def _within(ends: Iterator[int], item: Cut) -> Iterator[int]:
    """Yield the ends of frames, the last cut to the item: it stays as loud as it is where no fade ends it."""
    last = item.item.first_sample + item.item.length
    return (min(end, last) for end in ends)


def _tractor(timeline: Timeline, tracks: Sequence[tuple[str, str]], length: int) -> ET.Element:
    tractor = ET.Element("tractor", {"id": "main", "in": "0", "out": str(length - 1), "title": plain(timeline.name)})
    _properties(tractor, {"shotcut": "1", "shotcut:projectAudioChannels": "2"})
    if timeline.markers:
        tractor.append(_markers(timeline))
    for name, hidden in tracks:
        ET.SubElement(tractor, "track", {"producer": name} | ({"hide": hidden} if hidden else {}))
    for number in range(1, len(tracks)):
        transition = ET.SubElement(tractor, "transition", {"id": f"mix{number}"})
        mixing = {"a_track": "0", "b_track": str(number), "mlt_service": "mix", "always_active": "1", "sum": "1"}
        _properties(transition, mixing)
    return tractor


def _markers(timeline: Timeline) -> ET.Element:
    markers = ET.Element("properties", {"name": "shotcut:markers"})
    for number, marker in enumerate(timeline.markers):
        one = ET.SubElement(markers, "properties", {"name": str(number)})
        first = frames.frame_at(marker.at_sample, timeline.frame_rate)
        last = frames.frame_at(marker.at_sample + marker.length, timeline.frame_rate)
        places = {"start": _clock(first, timeline.frame_rate), "end": _clock(last, timeline.frame_rate)}
        _properties(one, {"text": remark(marker)} | places | {"color": "#008000"})
    return markers


def _clock(frame: int, frame_rate: Fraction) -> str:
    """Return a frame's time as MLT writes it: by the clock, which is read back to the frame that it lies in."""
    ms = -(-frame * 1000 * frame_rate.denominator // frame_rate.numerator)  # rounded up: never into the frame before
    return f"{ms // 3_600_000:02d}:{ms // 60_000 % 60:02d}:{ms // 1000 % 60:02d}.{ms % 1000:03d}"


def _producer(name: str, length: int, properties: Mapping[str, str]) -> ET.Element:
    producer = ET.Element("producer", {"id": name, "in": "0", "out": str(length - 1)})
    _properties(producer, {"length": str(length), "eof": "pause"} | dict(properties))
    return producer


def _playlist(name: str, properties: Mapping[str, str], entries: Sequence[ET.Element]) -> ET.Element:
    playlist = ET.Element("playlist", {"id": name})
    _properties(playlist, properties)
    playlist.extend(entries)
    return playlist


def _entry(producer: str, first: int, length: int) -> ET.Element:
    return ET.Element("entry", {"producer": producer, "in": str(first), "out": str(first + length - 1)})


def _properties(parent: ET.Element, properties: Mapping[str, str]) -> None:
    for name, value in properties.items():
        ET.SubElement(parent, "property", {"name": name}).text = value
