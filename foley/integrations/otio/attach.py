"""Attach finished stems and markers to an OTIO timeline while it is written.

It does nothing unless it is asked: `hook_function_argument_map={"foley": True}`, or a mapping with the fields of
`Asked`, or `FOLEY_OTIO=1` in the environment. Runs wherever Python's OTIO writes: otioconvert, Hiero, RV, pipelines.
"""

from __future__ import annotations

import dataclasses
import logging
import math
import os
from collections.abc import Iterator, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args
from urllib.parse import urlsplit
from urllib.request import url2pathname

from foley import api
from foley.deliver import otio_form, outputs, resolve_dialect
from foley.errors import ExportError, FoleyError, OptionError
from foley.exchange.rendered import stem_paths
from foley.model import Bus, SoundEvent, SoundPlan
from foley.plan import events

Otio = Any
"""An object of OpenTimelineIO, which has no types of its own."""

ENVIRONMENT = "FOLEY_OTIO"
KEY = "foley"
"""In the argument map of hooks, and of what is ours in metadata."""

FCP7 = "fcp_xml"
"""In metadata: what the writer of FCP7 XML takes names of tracks and comments of markers from."""

PLAN = "plan.yaml"
SILENT = "Silence"
"""What a manifest says of a stem without sound."""

BUSES = get_args(Bus)

NEAR_FRAMES = 1e-6
"""A time this near to a frame's start is in that frame: decimals are never exact."""

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Asked:
    """What is asked of the hook."""

    render: bool = False
    """Give clips their sound that have none yet; this takes as long as `foley run`."""
    prompt: str = ""
    """What is heard in them, in words."""
    markers: bool = True
    """Say on the timeline what is heard, and why."""


@dataclass(frozen=True, slots=True)
class Use:
    """A picture clip on the timeline, and the sound that lies beside its file."""

    clip: Otio
    track: int
    """Number of its video track, from 0."""
    at: Otio
    """Its range on the timeline."""
    heard: Otio
    """Its range in the media."""
    media: Otio
    """The whole range of the media: its time code and its length."""
    folder: Path
    plan: SoundPlan
    stems: Mapping[str, Path]
    """By bus."""


def attached(timeline: Otio, arguments: Mapping[str, Any]) -> Otio:
    """Return a timeline with sound, where it is asked for; what was given stays as it is.

    Args:
        timeline: What is being written.
        arguments: The argument map of a hook.

    Raises:
        OptionError: where something unknown is asked for.
    """
    asked = _asked(arguments)
    if asked is None or not isinstance(timeline, otio_form.library().schema.Timeline):
        return timeline
    if KEY in timeline.metadata:  # ours already: exported by foley, or attached before
        return timeline
    made = deepcopy(timeline)
    notes: list[str] = []
    beside = Path(str(arguments.get("_filepath", ""))).absolute().parent
    uses = list(_uses(made, asked, beside=beside, notes=notes))
    _fill_ranges(made)
    for number, of_track in enumerate(_by_track(uses)):
        for bus in dict.fromkeys(bus for use in of_track for bus in use.stems):
            made.tracks.append(_stem_track(of_track, bus, number))
    if asked.markers:
        made.tracks.markers.extend(marker for use in uses for marker in _markers(use))
    made.metadata[KEY] = {"attached": len(uses), "notes": notes}
    for note in notes:
        logger.warning("foley: %s", note)
    return made


def _asked(arguments: Mapping[str, Any]) -> Asked | None:
    """Return what is asked for; None for nothing."""
    given = arguments.get(KEY)
    if given is None:
        given = os.environ.get(ENVIRONMENT, "").lower() not in ("", "0", "false", "no")
    if not isinstance(given, Mapping):
        return Asked() if given else None
    known = [field.name for field in dataclasses.fields(Asked)]
    if unknown := sorted(set(given) - set(known)):
        raise OptionError(f"the hook does not know {', '.join(unknown)}", hint=f"it knows {', '.join(known)}")
    return Asked(**given)


def _uses(timeline: Otio, asked: Asked, *, beside: Path, notes: list[str]) -> Iterator[Use]:
    """Yield the clips on the video tracks that have sound, and note why others have none."""
    schema = otio_form.library().schema
    pictures = [track for track in timeline.tracks if track.kind == schema.TrackKind.Video]
    for number, track in enumerate(pictures):
        for clip in track:
            if isinstance(clip, schema.Clip):
                try:
                    yield _use(timeline, clip, number, asked=asked, beside=beside)
                except FoleyError as error:
                    notes.append(f"{clip.name or 'a clip'}: {error.message}")


def _use(timeline: Otio, clip: Otio, track: int, *, asked: Asked, beside: Path) -> Use:
    """Return a clip with its sound.

    Raises:
        FoleyError: where it has none.
    """
    if any(isinstance(effect, otio_form.library().schema.TimeEffect) for effect in clip.effects):
        raise ExportError("it is not played at its own speed")
    video = _file_of(clip, beside)
    folder = api.destination(video, None).folder
    if not (folder / "manifest.json").is_file():
        if not asked.render:
            raise ExportError(f"{folder} is not there: foley run {video.name}, or ask the hook to render")
        api.run(video, prompt=asked.prompt)
    plan = events.load(folder / PLAN)
    if not (stems := _stems(folder)):
        raise ExportError(f"{folder} holds no stems with sound: foley render {folder / PLAN}")
    media = _whole(clip, plan)
    clip.media_reference.available_range = media
    heard = clip.trimmed_range()
    at = clip.transformed_time_range(heard, timeline.tracks)
    return Use(clip, track, at, heard, media, folder, plan, stems)


def _file_of(clip: Otio, beside: Path) -> Path:
    """Return the file of a clip; relative addresses are looked up beside the timeline, then where the program runs.

    Raises:
        ExportError: where it has none on this machine.
    """
    address = str(getattr(clip.media_reference, "target_url", None) or "")
    if not address:
        raise ExportError("it names no file")
    parts = urlsplit(address)
    path = Path(url2pathname(parts.path) if parts.scheme == "file" else address)
    for found in (beside / path, path):
        if found.is_file():
            return found.absolute()
    raise ExportError(f"its file {address} is not there")


def _stems(folder: Path) -> dict[str, Path]:
    """Return the stems that hold sound, by bus."""
    sounds = outputs.read_manifest(folder).get("sounds", ())
    silent = {str(one.get("holds")) for one in sounds if one.get("origin") == SILENT}
    found = stem_paths(folder)
    return {bus: found[bus] for bus in BUSES if bus in found and bus not in silent and found[bus].is_file()}


def _whole(clip: Otio, plan: SoundPlan) -> Otio:
    """Return the whole range of a clip's media; without one in the timeline, the media is counted from 0.

    Raises:
        ExportError: where what is shown cannot lie in media that is counted so.
    """
    if clip.media_reference.available_range is not None:
        return clip.media_reference.available_range
    otio = otio_form.library()
    rate = clip.source_range.duration.rate if clip.source_range else float(plan.clip.frame_rate)
    frames = math.ceil(float(plan.clip.duration_s) * rate - NEAR_FRAMES)
    whole = otio.opentime.TimeRange(otio.opentime.RationalTime(0, rate), otio.opentime.RationalTime(frames, rate))
    if clip.source_range and clip.source_range.end_time_exclusive() > whole.end_time_exclusive():
        raise ExportError("the timeline does not say at which time code its media begins (available_range)")
    return whole


def _fill_ranges(timeline: Otio) -> None:
    """Say of media whose range nobody knows that it has what is shown: writers of FCP7 XML and OTIOZ need a range."""
    for clip in timeline.find_clips():
        reference = clip.media_reference
        if isinstance(reference, otio_form.library().schema.ExternalReference) and reference.available_range is None:
            reference.available_range = clip.source_range


def _by_track(uses: Sequence[Use]) -> list[list[Use]]:
    numbers = sorted({use.track for use in uses})
    return [[use for use in uses if use.track == number] for number in numbers]


def _stem_track(uses: Sequence[Use], bus: str, number: int) -> Otio:
    """Return an audio track with a bus's stem under every clip of one video track that has it."""
    otio = otio_form.library()
    schema = otio.schema
    track = schema.Track(bus.upper() if number == 0 else f"{bus.upper()} {number + 1}", kind=schema.TrackKind.Audio)
    track.metadata[resolve_dialect.NAME] = {"Audio Type": "Stereo", "Locked": False, "SoloOn": False}
    track.metadata[FCP7] = {"@MZ.TrackName": track.name}
    at = otio.opentime.RationalTime(0, uses[0].at.start_time.rate)
    for use in uses:
        if bus not in use.stems:
            continue
        gap = use.at.start_time - at
        if gap.value > 0:
            track.append(schema.Gap(source_range=otio.opentime.TimeRange(gap - gap, gap)))
        # a stem is a broadcast wave that bears the picture's time code
        stem = use.stems[bus]
        reference = schema.ExternalReference(stem.absolute().as_uri(), use.media)
        reference.name = stem.name
        track.append(schema.Clip(f"{use.folder.stem} {bus}", reference, use.heard, metadata={KEY: {"bus": bus}}))
        at = use.at.end_time_exclusive()
    return track


def _markers(use: Use) -> Iterator[Otio]:
    """Yield a marker on the timeline for each event that is heard in what is shown, where it first is."""
    schema, opentime = otio_form.library().schema, otio_form.library().opentime
    rate, frames = use.at.start_time.rate, use.at.duration.to_frames()
    skipped_s = (use.heard.start_time - use.media.start_time).to_seconds()
    for event in use.plan.events:
        first, last = (math.floor((time_s - skipped_s) * rate + NEAR_FRAMES) for time_s in _span_s(event, skipped_s))
        if event.muted or first >= frames or last < 0:
            continue
        frame = opentime.RationalTime(max(0, first), rate)
        at = opentime.TimeRange(use.at.start_time + frame, opentime.RationalTime(0, rate))
        about = {KEY: {"event": event.id, "clip": use.folder.stem}, FCP7: {"comment": event.because}}
        yield schema.Marker(event.label, at, schema.MarkerColor.CYAN, about, event.because)


def _span_s(event: SoundEvent, from_s: float) -> tuple[float, float]:
    """Return when an event is heard; of one with hits, the first hit from an instant on."""
    if not event.hits:
        return float(event.start_s), float(event.end_s)
    hit_s = next((float(hit.time_s) for hit in event.hits if hit.time_s >= from_s), float(event.hits[-1].time_s))
    return hit_s, hit_s
