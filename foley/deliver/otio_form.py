"""A timeline as OpenTimelineIO holds it, and what an editor's OTIO timeline says of our sounds.

Everything stands on whole frames (`deliver.frames`), because the programs that read OTIO work so; gain and fades are
in Resolve's dialect. Reading follows media by name: a clip of EVENT-ID.wav is that event's, whatever it is called.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from foley.deliver import labels, resolve_dialect
from foley.deliver.frames import FramedItem, FramedLane, frame_at, framed_lanes
from foley.deliver.resolve_dialect import Volume
from foley.errors import ExportError, MissingProgramError
from foley.model import AudioFile, Bus, EditedItem, Timeline, TimelineMarker
from foley.units import RATE_HZ

Otio = Any
"""An object of OpenTimelineIO, which has no types of its own."""

MEND = "pip install 'foley-pipeline[editors]'"


def missing() -> tuple[str, ...]:
    """Return what must be installed for OTIO."""
    return () if find_spec("opentimelineio") else (MEND,)


def library() -> Otio:
    """Return the package.

    Raises:
        MissingProgramError: where it is not installed.
    """
    try:
        return import_module("opentimelineio")
    except ImportError as cause:
        raise MissingProgramError("opentimelineio", MEND) from cause


@dataclass(frozen=True, slots=True)
class Built:
    """A timeline in OTIO, with the files that it names."""

    timeline: Otio
    media: tuple[Path, ...]


def events_timeline(timeline: Timeline, folder: Path) -> Built:
    """Return the picture and every event as a clip of its own, on as many tracks as that takes.

    Args:
        timeline: The clip's.
        folder: Where sound files go that must be made to fit frames.

    Raises:
        ExportError: where a gain cannot be held.
        OutputError: where a sound file cannot be written.
    """
    form = _Form(timeline)
    made, files = form.timeline(timeline.name), [timeline.video]
    for lane in framed_lanes(timeline, folder):
        files += [item.audio.path for item in lane.items]
        made.tracks.append(form.event_track(lane))
    made.tracks.markers.extend(form.marker(marker) for marker in timeline.markers)
    return Built(made, tuple(dict.fromkeys(files)))


def stems_timeline(timeline: Timeline) -> Built:
    """Return the picture and the finished stems, one track each: what opens alike in every editor."""
    form = _Form(timeline)
    made, files = form.timeline(f"{timeline.name} stems"), [timeline.video]
    for bus, stem in timeline.stems.items():
        files.append(stem.path)
        made.tracks.append(form.stem_track(bus, stem))
    return Built(made, tuple(files))


class _Form:
    """Makes the parts of one timeline."""

    def __init__(self, timeline: Timeline) -> None:
        self.otio, self.given = library(), timeline
        self.rate = float(timeline.frame_rate)

    def time(self, frames: int) -> Otio:
        return self.otio.opentime.RationalTime(frames, self.rate)

    def range(self, first: int, frames: int) -> Otio:
        return self.otio.opentime.TimeRange(self.time(first), self.time(frames))

    def timeline(self, name: str) -> Otio:
        schema, given = self.otio.schema, self.given
        made = schema.Timeline(name, global_start_time=self.time(given.start_frame))
        made.metadata["foley"] = {"schema": "foley.timeline/1", "drop_frame": given.drop_frame, "length": given.length}
        made.metadata[resolve_dialect.NAME] = {"Resolve OTIO Meta Version": "1.0"}
        picture = self.range(given.start_frame, given.frames)
        clip = schema.Clip(given.video.name, self.reference(given.video, picture), picture)
        clip.metadata["foley"] = {"picture": True}
        track = schema.Track("Picture", kind=schema.TrackKind.Video)
        track.append(clip)
        made.tracks.append(track)
        return made

    def reference(self, path: Path, available: Otio) -> Otio:
        """Return a reference to a file by its full address: OTIO has no other that all editors understand."""
        made = self.otio.schema.ExternalReference(path.absolute().as_uri(), available)
        made.name = path.name
        return made

    def track(self, name: str) -> Otio:
        schema = self.otio.schema
        made = schema.Track(name, kind=schema.TrackKind.Audio)
        made.metadata[resolve_dialect.NAME] = {"Audio Type": "Stereo", "Locked": False, "SoloOn": False}
        return made

    def stem_track(self, bus: Bus, stem: AudioFile) -> Otio:
        # a stem is a broadcast wave that bears the picture's time code
        made, whole = self.track(bus.upper()), self.range(self.given.start_frame, self.given.frames)
        made.append(self.otio.schema.Clip(stem.path.name, self.reference(stem.path, whole), whole))
        return made

    def event_track(self, lane: FramedLane) -> Otio:
        made, at = self.track(lane.name), 0
        for item in lane.items:
            if item.first_frame > at:
                made.append(self.otio.schema.Gap(source_range=self.range(0, item.first_frame - at)))
            made.append(self.clip(item))
            at = item.past_frame
        return made

    def clip(self, framed_item: FramedItem) -> Otio:
        item, schema = framed_item.item, self.otio.schema
        reference = self.reference(framed_item.audio.path, self.range(0, framed_item.audio_frames))
        made = schema.Clip(item.name, reference, self.range(framed_item.source_frame, framed_item.frames))
        made.metadata["foley"] = {
            "event": item.event_id,
            "because": item.note,
            "ucs": item.ucs,
            "first_sample": item.first_sample,
            "length": item.length,
        }
        if item.gain_db or item.fade_in or item.fade_out:
            made.effects.append(self.volume(framed_item))
        for hit in item.hits:
            frame = frame_at(hit, self.given.frame_rate) - framed_item.first_frame
            if 0 <= frame < framed_item.frames:
                at = self.range(framed_item.source_frame + frame, 0)
                made.markers.append(schema.Marker(item.name, at, schema.MarkerColor.GREEN, comment=item.note))
        return made

    def volume(self, framed_item: FramedItem) -> Otio:
        item, per_sample = framed_item.item, self.given.frame_rate / RATE_HZ
        volume = Volume(item.gain_db, float(item.fade_in * per_sample), float(item.fade_out * per_sample))
        try:
            about = resolve_dialect.effect(volume, framed_item.frames)
        except ExportError as cause:
            raise ExportError(f"event {item.event_id}: {cause.message}") from cause
        return self.otio.schema.Effect(effect_name="Resolve Effect", metadata=about)

    def marker(self, marker: TimelineMarker) -> Otio:
        first = frame_at(marker.at_sample, self.given.frame_rate)
        frames = frame_at(marker.at_sample + marker.length, self.given.frame_rate) - first
        color = self.otio.schema.MarkerColor.CYAN
        return self.otio.schema.Marker(marker.name, self.range(first, frames), color, comment=marker.note)


def to_text(built: Otio) -> str:
    """Return a timeline as the text of an .otio file."""
    return str(library().adapters.write_to_string(built, "otio_json", indent=2)) + "\n"


def from_text(text: str, path: Path) -> Otio:
    """Return the timeline that the text of an .otio file holds.

    Raises:
        ExportError: where it is none.
    """
    otio = library()
    try:
        found = otio.adapters.read_from_string(text, "otio_json")
    except (otio.exceptions.OTIOError, ValueError, TypeError) as cause:
        raise ExportError(f"{path} is no OTIO timeline: {cause}") from cause
    if isinstance(found, otio.schema.SerializableCollection):
        found = next(iter(found.find_children(descended_from_type=otio.schema.Timeline)), None)
    if not isinstance(found, otio.schema.Timeline):
        raise ExportError(f"{path} holds no timeline")
    return found


def edited_items(timeline: Otio) -> tuple[EditedItem, ...]:
    """Return the clips of WAV files on a timeline's audio tracks, timed from the first frame of the picture."""
    otio = library()
    origin_s = _picture_origin_s(timeline)
    sounding = (track for track in timeline.tracks if getattr(track, "kind", "") == otio.schema.TrackKind.Audio)
    clips = ((clip, event_id_of(_address(clip))) for track in sounding for clip in track.find_clips())
    return tuple(_edited(timeline, clip, event_id, origin_s) for clip, event_id in clips if event_id)


def event_id_of(address: str) -> str:
    """Return the event whose sound a file is, by its name; "" for what is no WAV.

    >>> event_id_of("file:///a/media/e01%20%23.wav"), event_id_of("media/e01%20a.wav"), event_id_of("clip.mp4")
    ('e01 #', 'e01 a', '')
    """
    # an address that is relative is one all the same: only a plain path stands for itself
    plain = address if "://" in address or address.startswith(("file:", "/", "\\")) else unquote(address)
    return labels.event_of(plain) if plain.lower().endswith(".wav") else ""


def _address(clip: Otio) -> str:
    return str(getattr(clip.media_reference, "target_url", None) or "")


def _picture_origin_s(timeline: Otio) -> float:
    """Return where on the timeline the picture's first frame would be shown; 0 where the picture is not known."""
    for clip in _pictures(timeline):
        if clip.metadata.get("foley", {}).get("picture"):
            at, heard = clip.transformed_time_range(clip.trimmed_range(), timeline.tracks), clip.trimmed_range()
            return float(at.start_time.to_seconds() - heard.start_time.to_seconds() + _media_start_s(clip))
    return 0.0


def _pictures(timeline: Otio) -> Iterator[Any]:
    for track in timeline.tracks:
        if getattr(track, "kind", "") == library().schema.TrackKind.Video:
            yield from track.find_clips()


def _media_start_s(clip: Otio) -> float:
    available = clip.media_reference.available_range if clip.media_reference else None
    return float(available.start_time.to_seconds()) if available else 0.0


def _edited(timeline: Otio, clip: Otio, event_id: str, origin_s: float) -> EditedItem:
    heard = clip.trimmed_range()
    at = clip.transformed_time_range(heard, timeline.tracks)
    volume = _volume(clip.effects, heard.duration.value)
    frame_s = 1.0 / heard.duration.rate
    lead_s, rise_s = _transition_s(clip, before=True)
    tail_s, fall_s = _transition_s(clip, before=False)
    return EditedItem(
        event_id=event_id,
        start_s=at.start_time.to_seconds() - lead_s - origin_s,
        source_start_s=heard.start_time.to_seconds() - _media_start_s(clip) - lead_s,
        duration_s=heard.duration.to_seconds() + lead_s + tail_s,
        gain_db=volume.gain_db,
        fade_in_s=max(rise_s, volume.fade_in_frames * frame_s),
        fade_out_s=max(fall_s, volume.fade_out_frames * frame_s),
        muted=not _is_heard(clip),
    )


def _volume(effects: Iterable[Any], frames: float) -> Volume:
    found = (resolve_dialect.volume_of(effect.metadata, frames) for effect in effects)
    return next((volume for volume in found if volume is not None), Volume())


def _transition_s(clip: Otio, *, before: bool) -> tuple[float, float]:
    """Return how far a transition beside a clip reaches over the clip's edge, and how long it is."""
    track, schema = clip.parent(), library().schema
    neighbours = track.neighbors_of(clip)
    beside = neighbours[0] if before else neighbours[1]
    if not isinstance(beside, schema.Transition):
        return 0.0, 0.0
    over, inside = (beside.in_offset, beside.out_offset) if before else (beside.out_offset, beside.in_offset)
    return over.to_seconds(), over.to_seconds() + inside.to_seconds()


def _is_heard(clip: Otio) -> bool:
    while clip is not None:
        if not getattr(clip, "enabled", True):
            return False
        clip = clip.parent()
    return True
