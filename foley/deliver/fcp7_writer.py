"""Write Final Cut Pro 7 XML (xmeml version 4), which Premiere, Resolve and many others read.

Written here and not through OpenTimelineIO, whose adapter leaves out the links that make two channels one stereo clip.
A stereo sound lies on two tracks, one for each channel, as Premiere writes it. Gain is the filter *Audio Levels*; fades
are transitions at a clip's ends (*Cross Fade (0dB)*: straight in amplitude), because readers differ on where a clip's
key frames are counted from, and not on where a transition lies. Source of the elements: Apple, "Final Cut Pro XML
Interchange Format", Elements Catalog.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from pathlib import Path
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from foley.deliver.frames import FramedItem, FramedLane, counts_at, frame_at
from foley.deliver.labels import plain
from foley.errors import ExportError
from foley.model import AudioFile, Timeline, TimelineMarker
from foley.units import RATE_HZ, frames_to_timecode, to_gain

HIGHEST_LEVEL = 3.98109
"""The most that *Audio Levels* can be: +12 dB."""

HEAD = '<?xml version="1.0" encoding="UTF-8"?>\n<!DOCTYPE xmeml>\n'

CHANNELS = (1, 2)
"""Of a stereo sound: left and right."""


def events_document(timeline: Timeline, lanes: Iterable[FramedLane]) -> str:
    """Return the document with the picture and every event as a clip of its own.

    Raises:
        ExportError: where an event has more gain than the form holds.
    """
    sequence = _Sequence(timeline, timeline.name)
    for lane in lanes:
        sequence.add_events(lane)
    for marker in timeline.markers:
        sequence.add_marker(marker)
    return sequence.text()


def stems_document(timeline: Timeline) -> str:
    """Return the document with the picture and the finished stems, one track each."""
    sequence = _Sequence(timeline, f"{timeline.name} stems")
    for bus, stem in timeline.stems.items():
        sequence.add_stem(bus.upper(), stem)
    return sequence.text()


class _Sequence:
    """One sequence, part by part."""

    def __init__(self, timeline: Timeline, name: str) -> None:
        self.given = timeline
        self.files: dict[Path, str] = {}
        self.clips = self.tracks = 0
        self.root = Element("xmeml", version="4")
        self.sequence = SubElement(self.root, "sequence", id="sequence-1")
        _said(self.sequence, "name", plain(name))
        _said(self.sequence, "duration", timeline.frames)
        self.add_rate(self.sequence)
        self.add_timecode(self.sequence, timeline.start_frame)
        media = SubElement(self.sequence, "media")
        self.add_picture(SubElement(media, "video"))
        self.audio = SubElement(media, "audio")
        _said(self.audio, "numOutputChannels", len(CHANNELS))
        _add_sound_format(SubElement(self.audio, "format"))

    def text(self) -> str:
        indent(self.root, "  ")
        return f"{HEAD}{tostring(self.root, encoding='unicode')}\n"

    def add_rate(self, to: Element) -> None:
        base, over_1001 = counts_at(self.given.frame_rate)
        rate = SubElement(to, "rate")
        _said(rate, "timebase", base)
        _said(rate, "ntsc", "TRUE" if over_1001 else "FALSE")

    def add_timecode(self, to: Element, frame: int) -> None:
        timecode = SubElement(to, "timecode")
        self.add_rate(timecode)
        drop = self.given.drop_frame and frame == self.given.start_frame
        _said(timecode, "string", frames_to_timecode(frame, self.given.frame_rate, drop=drop))
        _said(timecode, "frame", frame)
        _said(timecode, "displayformat", "DF" if drop else "NDF")

    def add_picture(self, video: Element) -> None:
        given = self.given
        self.add_picture_format(SubElement(video, "format"))
        clip = self.new_clip(SubElement(video, "track"), given.video.name, given.frames)
        for tag, frame in (("start", 0), ("end", given.frames), ("in", 0), ("out", given.frames)):
            _said(clip, tag, frame)
        file = self.file_of(clip, given.video, frames=given.frames, start_frame=given.start_frame)
        if file is not None:
            self.add_picture_format(SubElement(SubElement(file, "media"), "video"))

    def add_picture_format(self, to: Element) -> None:
        shape = SubElement(to, "samplecharacteristics")
        self.add_rate(shape)
        _said(shape, "width", self.given.width_px)
        _said(shape, "height", self.given.height_px)
        _said(shape, "anamorphic", "FALSE")
        _said(shape, "pixelaspectratio", "square")
        _said(shape, "fielddominance", "none")

    def add_events(self, lane: FramedLane) -> None:
        names = [[f"clipitem-{self.clips + 2 * i + c}" for c in CHANNELS] for i in range(len(lane.items))]
        first_track = self.tracks + 1
        for channel in CHANNELS:
            track = self.new_track(lane.name, channel)
            for index, item in enumerate(lane.items):
                self.add_event(track, item, name=names[index][channel - 1], channel=channel)
                clip = next(one for one in reversed(track) if one.tag == "clipitem")
                for other, name in enumerate(names[index]):
                    _add_link(clip, name, track=first_track + other, clip_index=index + 1)
            _end_track(track, channel)
        self.clips += len(CHANNELS) * len(lane.items)

    def add_event(self, track: Element, framed: FramedItem, *, name: str, channel: int) -> None:
        item, per_sample = framed.item, self.given.frame_rate / RATE_HZ
        rise, fall = (min(framed.frames, round(fade * per_sample)) for fade in (item.fade_in, item.fade_out))
        if rise:
            self.add_fade(track, framed.first_frame, rise, alignment="start-black")
        clip = self.new_clip(track, item.name, framed.audio_frames, name=name)
        # -1: the transition beside it says where
        _said(clip, "start", -1 if rise else framed.first_frame)
        _said(clip, "end", -1 if fall else framed.past_frame)
        _said(clip, "in", framed.source_frame)
        _said(clip, "out", framed.source_frame + framed.frames)
        self.add_sound_file(clip, framed.audio, framed.audio_frames, channel=channel)
        if item.gain_db:
            _add_level(clip, item.gain_db, item.event_id)
        for hit in item.hits:
            frame = frame_at(hit, self.given.frame_rate) - framed.first_frame
            if 0 <= frame < framed.frames:
                _add_marker(clip, item.name, item.note, span=(framed.source_frame + frame, -1))
        comments = SubElement(clip, "comments")
        _said(comments, "mastercomment1", plain(item.note))
        _said(comments, "mastercomment2", f"foley event {item.event_id}{f', UCS {item.ucs}' if item.ucs else ''}")
        if fall:
            self.add_fade(track, framed.past_frame - fall, fall, alignment="end-black")

    def add_stem(self, name: str, stem: AudioFile) -> None:
        names, first_track = [f"clipitem-{self.clips + c}" for c in CHANNELS], self.tracks + 1
        for channel in CHANNELS:
            track = self.new_track(name, channel)
            clip = self.new_clip(track, stem.path.name, self.given.frames, name=names[channel - 1])
            for tag, frame in (("start", 0), ("end", self.given.frames), ("in", 0), ("out", self.given.frames)):
                _said(clip, tag, frame)
            # a stem is a broadcast wave that bears the picture's time code
            self.add_sound_file(clip, stem, self.given.frames, channel=channel, start_frame=self.given.start_frame)
            for other, linked in enumerate(names):
                _add_link(clip, linked, track=first_track + other, clip_index=1)
            _end_track(track, channel)
        self.clips += len(CHANNELS)

    def new_track(self, name: str, channel: int) -> Element:
        self.tracks += 1
        about = {"currentExplodedTrackIndex": str(channel - 1), "totalExplodedTrackCount": str(len(CHANNELS))}
        return SubElement(self.audio, "track", {**about, "premiereTrackType": "Stereo", "MZ.TrackName": name})

    def new_clip(self, track: Element, label: str, frames: int, *, name: str = "clipitem-picture") -> Element:
        about = {"premiereChannelType": "stereo"} if name != "clipitem-picture" else {}
        clip = SubElement(track, "clipitem", {"id": name, **about})
        _said(clip, "name", plain(label))
        _said(clip, "enabled", "TRUE")
        _said(clip, "duration", frames)
        self.add_rate(clip)
        return clip

    def add_sound_file(
        self, clip: Element, audio: AudioFile, frames: int, *, channel: int, start_frame: int = 0
    ) -> None:
        file = self.file_of(clip, audio.path, frames=frames, start_frame=start_frame)
        if file is not None:
            sound = SubElement(SubElement(file, "media"), "audio")
            _add_sound_format(sound)
            _said(sound, "channelcount", audio.channels)
        source = SubElement(clip, "sourcetrack")
        _said(source, "mediatype", "audio")
        _said(source, "trackindex", min(channel, audio.channels))

    def file_of(self, clip: Element, path: Path, *, frames: int, start_frame: int) -> Element | None:
        """Name a clip's file; return it where it is named for the first time, to be described."""
        known = path in self.files
        name = self.files.setdefault(path, f"file-{len(self.files) + 1}")
        file = SubElement(clip, "file", id=name)
        if known:
            return None
        _said(file, "name", plain(path.name))
        _said(file, "pathurl", path.absolute().as_uri())
        self.add_rate(file)
        _said(file, "duration", frames)
        self.add_timecode(file, start_frame)
        return file

    def add_fade(self, track: Element, first: int, frames: int, *, alignment: str) -> None:
        fade = SubElement(track, "transitionitem")
        _said(fade, "start", first)
        _said(fade, "end", first + frames)
        _said(fade, "alignment", alignment)
        self.add_rate(fade)
        effect = SubElement(fade, "effect")
        _said(effect, "name", "Cross Fade (0dB)")
        _said(effect, "effectid", "KGAudioTransCrossFade0dB")
        _said(effect, "effecttype", "transition")
        _said(effect, "mediatype", "audio")

    def add_marker(self, marker: TimelineMarker) -> None:
        first = frame_at(marker.at_sample, self.given.frame_rate)
        past = frame_at(marker.at_sample + marker.length, self.given.frame_rate)
        _add_marker(self.sequence, marker.name, marker.note, span=(first, past if past > first else -1))


def _said(to: Element, tag: str, text: str | int) -> None:
    SubElement(to, tag).text = str(text)


def _add_sound_format(to: Element) -> None:
    shape = SubElement(to, "samplecharacteristics")
    _said(shape, "depth", 24)
    _said(shape, "samplerate", RATE_HZ)


def _add_level(clip: Element, gain_db: float, event_id: str) -> None:
    level = to_gain(gain_db)
    if level > HIGHEST_LEVEL:
        highest_db = 20 * math.log10(HIGHEST_LEVEL)
        raise ExportError(f"event {event_id}: a gain of {gain_db:g} dB is more than FCP 7 XML's {highest_db:.0f} dB")
    effect = SubElement(SubElement(clip, "filter"), "effect")
    _said(effect, "name", "Audio Levels")
    for tag in ("effectid", "effectcategory", "effecttype"):
        _said(effect, tag, "audiolevels")
    _said(effect, "mediatype", "audio")
    parameter = SubElement(effect, "parameter", authoringApp="PremierePro")
    _said(parameter, "parameterid", "level")
    _said(parameter, "name", "Level")
    _said(parameter, "valuemin", 0)
    _said(parameter, "valuemax", str(HIGHEST_LEVEL))
    _said(parameter, "value", f"{level:.9f}")


def _add_marker(to: Element, name: str, note: str, *, span: tuple[int, int]) -> None:
    marker = SubElement(to, "marker")
    _said(marker, "comment", plain(note))
    _said(marker, "name", plain(name))
    _said(marker, "in", span[0])
    _said(marker, "out", span[1])


def _add_link(clip: Element, name: str, *, track: int, clip_index: int) -> None:
    link = SubElement(clip, "link")
    _said(link, "linkclipref", name)
    _said(link, "mediatype", "audio")
    _said(link, "trackindex", track)
    _said(link, "clipindex", clip_index)
    _said(link, "groupindex", 1)


def _end_track(track: Element, channel: int) -> None:
    _said(track, "enabled", "TRUE")
    _said(track, "locked", "FALSE")
    _said(track, "outputchannelindex", channel)
