"""What delivered WAV files say of themselves: where they belong, what is heard in them, who made it and how.

A file's marks follow from the clip, from what is heard in it and from the options alone: not from the day, the machine
or what else is in the plan. So the same run gives the same bytes, and an edit changes the files that hold it.
Sources: as `media.bwf`; ASWG-G006 1.1 (Sony) for the ASWG object, whose fields stand in its schema's order.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property

from foley.deliver import naming, origin
from foley.library import ucs
from foley.media import bwf
from foley.media.bwf import Broadcast, Chunks, CuePoint, Fields
from foley.model import AudioFile, Clip, LoudnessFigures, SoundEvent, Take
from foley.neural import licences
from foley.units import RATE_HZ, drops_frames, span_samples, timecode_rate, timecode_to_frames, to_samples

ORIGINATOR = "foley"
"""Without its version, which stands in the manifest: another version that makes the same sound makes the same file."""
_MIDNIGHT = 24 * 3600 * RATE_HZ

_CONTENT = {"foley": "Foley", "effects": "SFX", "backgrounds": "Ambience", "music": "Music", "dialogue": "Dialogue"}


@dataclass(frozen=True)
class Session:
    """What all files of a clip have in common."""

    clip: Clip
    creator: str = "FOLEY"
    """CreatorID of UCS."""
    date: str = ""
    """ISO 8601 day, or day and time; "" leaves it out."""

    @property
    def project(self) -> str:
        """Return the clip's name."""
        return self.clip.path.stem

    @cached_property
    def first_sample(self) -> int:
        """Return the samples from midnight to the clip's first frame."""
        return start_sample(self.clip)[0]

    @cached_property
    def frames(self) -> str:
        """Return the rate of the time code as iXML has it."""
        rate = timecode_rate(self.clip.video.frame_rate)
        return f"{rate.numerator}/{rate.denominator}"


@dataclass(frozen=True, slots=True)
class Heard:
    """What is heard in a stem, the mix, the track or the dialogue."""

    holds: naming.StemName
    audio: AudioFile
    events: tuple[SoundEvent, ...] = ()
    takes: tuple[Take, ...] = ()
    """Of these events."""
    own_sound: bool = False
    """The clip's own sound is heard in it too."""
    figures: LoudnessFigures | None = None
    """Where it was measured."""
    title: str = ""
    """What it is called in words; "" for what a stem of that name is called."""
    untouched: str = "The clip's own sound, unchanged"
    """What a person is told of its origin where no take is heard in it."""

    @property
    def source_type(self) -> origin.SourceType:
        """Return what is claimed of its origin; of the clip's own sound alone nothing is."""
        return origin.source_type(self.takes, with_own_sound=self.own_sound and bool(self.takes))

    @property
    def mark(self) -> str:
        """Return what a person is told of its origin."""
        alone = self.own_sound and not self.takes
        return self.untouched if alone else origin.sentence(self.source_type)


def start_sample(clip: Clip) -> tuple[int, str]:
    """Return the samples from midnight to a clip's first frame, and what to say where its time code cannot be read.

    A frame of time code lasts as long as a frame of the picture: at 29.97 the code 01:00:00:00 is 3603.6 s from
    midnight, as audio workstations have it.
    """
    if not clip.timecode:
        return 0, ""
    rate = timecode_rate(clip.video.frame_rate)
    try:
        return to_samples(Fraction(timecode_to_frames(clip.timecode, rate)) / rate, RATE_HZ), ""
    except ValueError as cause:
        return 0, f"the clip's time code cannot be used ({cause}): sound files begin at 00:00:00:00"


def take_chunks(session: Session, take: Take, event: SoundEvent) -> Chunks:
    """Return the chunks of a take: one sound, with a marker at each of its hits."""
    # what leads into a clip that begins at midnight was heard the day before
    first = (session.first_sample + take.first_sample) % _MIDNIGHT
    mark = origin.sentence(origin.source_type([take]))
    said = Broadcast(
        f"{event.label} [{event.id}] {mark}",
        ORIGINATOR,
        _reference(session, event.id, take.key),
        *_day_and_time(session.date),
        first_sample=first,
        history=(_coding(take.audio),),
    )
    told = (
        ("SCENE", event.id),
        ("TAKE", str(event.seed)),
        ("NOTE", event.because),
    )
    fields = (*_head(session, told, first), *_tracks(take.audio, event.label), *_take_tags(session, take, event, mark))
    return Chunks(bwf.bext(said) + bwf.ixml(fields), bwf.cues(_hits(take, event)))


def stem_chunks(session: Session, heard: Heard) -> Chunks:
    """Return the chunks of what is as long as the picture, with a marker at each of its events."""
    first, title = session.first_sample, heard.title or naming.stem_title(heard.holds)
    figures = heard.figures
    said = Broadcast(
        f"{session.project}: {title}. {heard.mark}",
        ORIGINATOR,
        _reference(session, heard.holds, *(take.key for take in heard.takes)),
        *_day_and_time(session.date),
        first_sample=first,
        integrated_lufs=figures.integrated_lufs if figures else None,
        range_lu=figures.range_lu if figures else None,
        true_peak_dbtp=figures.true_peak_dbtp if figures else None,
        momentary_lufs=figures.momentary_max_lufs if figures else None,
        short_term_lufs=figures.short_term_max_lufs if figures else None,
        history=(_coding(heard.audio),),
    )
    told = (("SCENE", heard.holds), ("TAKE", "1"), ("NOTE", heard.mark))
    fields = (*_head(session, told, first), *_tracks(heard.audio, title), *_stem_tags(session, heard, title))
    return Chunks(bwf.bext(said) + bwf.ixml(fields), bwf.cues(_places(heard)))


def _hits(take: Take, event: SoundEvent) -> Iterator[CuePoint]:
    """Yield the markers of a take: its hits, or where its event begins."""
    if event.kind != "hits":
        first, last = span_samples(event.start_s, event.end_s, RATE_HZ)
        begins = min(max(first - take.first_sample, 0), max(take.audio.length - 1, 0))
        ends = min(last - take.first_sample, take.audio.length)
        yield CuePoint(begins, event.label, event.because, max(0, ends - begins))
        return
    for number, hit in enumerate(event.hits, start=1):
        place = to_samples(hit.time_s, RATE_HZ) - take.first_sample
        if 0 <= place < take.audio.length:
            yield CuePoint(place, f"{event.label} {number}")


def _places(heard: Heard) -> Iterator[CuePoint]:
    """Yield a marker for each event, as long as it lasts."""
    for event in heard.events:
        first, last = span_samples(max(event.start_s, 0.0), event.end_s, RATE_HZ)
        if first < heard.audio.length:
            length = max(0, min(last, heard.audio.length) - first)
            yield CuePoint(first, event.label, f"{event.id}: {event.because}", length)


def _head(session: Session, told: Fields, first: int) -> Fields:
    """Return the iXML elements that every file has: project, scene and take, speed, time stamp."""
    drops = drops_frames(session.clip.timecode or "")
    speed = (
        ("MASTER_SPEED", session.frames),
        ("CURRENT_SPEED", session.frames),
        ("TIMECODE_RATE", session.frames),
        ("TIMECODE_FLAG", "DF" if drops else "NDF"),
        ("FILE_SAMPLE_RATE", str(RATE_HZ)),
        ("AUDIO_BIT_DEPTH", "24"),
        ("DIGITIZER_SAMPLE_RATE", str(RATE_HZ)),
        ("TIMESTAMP_SAMPLES_SINCE_MIDNIGHT_HI", str(first >> 32)),
        ("TIMESTAMP_SAMPLES_SINCE_MIDNIGHT_LO", str(first & 0xFFFFFFFF)),
        ("TIMESTAMP_SAMPLE_RATE", str(RATE_HZ)),
    )
    start = (("IXML_VERSION", "2.10"), ("PROJECT", session.project), ("TAPE", session.project))
    return (*start, *told, ("SPEED", speed))


def _tracks(audio: AudioFile, name: str) -> Fields:
    sides = {1: ("",), 2: (" L", " R")}.get(audio.channels) or tuple(f" {n}" for n in range(1, audio.channels + 1))
    tracks: Fields = [
        (
            "TRACK",
            (
                ("CHANNEL_INDEX", str(number)),
                ("INTERLEAVE_INDEX", str(number)),
                ("NAME", f"{name}{side}"),
                ("FUNCTION", side.strip() or "M"),
            ),
        )
        for number, side in enumerate(sides, start=1)
    ]
    return (("TRACK_LIST", (("TRACK_COUNT", str(len(tracks))), *tracks)),)


def _take_tags(session: Session, take: Take, event: SoundEvent, mark: str) -> Fields:
    """Return the ASWG object of a take, by which sound libraries find it, and foley's own fields."""
    cat_id = naming.cat_id(event)
    known = ucs.category(cat_id)
    kind = origin.source_type([take])
    aswg = _filled(
        ("contentType", _CONTENT.get(event.bus, "SFX")),
        ("project", session.project),
        ("originator", ORIGINATOR),
        ("notes", f"{event.because} {mark}.".strip()),
        ("isGenerated", "false" if kind == "composite" else "true"),
        ("originationDate", session.date[:10]),
        ("channelConfig", {1: "Mono", 2: "Stereo"}.get(take.audio.channels, "Unknown")),
        ("category", _ucs_text(known.category.upper() if known else "")),
        ("subCategory", _ucs_text(known.subcategory.upper() if known else "")),
        ("catId", cat_id),
        ("fxName", naming.fx_name(event)),
        ("library", ORIGINATOR),
        ("creatorId", _ucs_text(session.creator)),
        ("sourceId", session.project),
        ("usageRights", _rights(take)),
        ("schemaVersion", "1.1"),
    )
    own = _filled(
        ("FOLEY_EVENT", event.id),
        ("FOLEY_BUS", event.bus),
        ("FOLEY_FIRST_SAMPLE", str(take.first_sample)),
        ("FOLEY_GENERATOR", take.generator),
        ("FOLEY_MADE_BY", take.made_by),
        ("FOLEY_LICENCE", take.weights_licence),
        ("FOLEY_SEED", str(event.seed)),
        ("FOLEY_PROMPT", event.prompt),
        ("FOLEY_RECORDINGS", origin.recordings(take)),
        ("FOLEY_ORIGIN", mark),
        ("DIGITAL_SOURCE_TYPE", origin.uri(kind)),
    )
    return (("ASWG", aswg), ("USER", own))


def _stem_tags(session: Session, heard: Heard, title: str) -> Fields:
    """Return the ASWG object of a stem, and foley's own fields."""
    figures, generated = heard.figures, heard.source_type not in ("", "composite")
    aswg = _filled(
        ("contentType", _CONTENT.get(heard.holds, "Mixed")),
        ("project", session.project),
        ("originator", ORIGINATOR),
        ("notes", f"{heard.mark}."),
        ("isGenerated", "true" if generated else "false"),
        ("originationDate", session.date[:10]),
        ("channelConfig", {1: "Mono", 2: "Stereo"}.get(heard.audio.channels, "Unknown")),
        ("fxName", _ucs_text(title)),
        ("library", ORIGINATOR),
        ("creatorId", _ucs_text(session.creator)),
        ("sourceId", session.project),
        ("loudness", _number(figures.integrated_lufs if figures else None)),
        ("loudnessRange", _number(figures.range_lu if figures else None)),
        ("schemaVersion", "1.1"),
    )
    own = _filled(
        ("FOLEY_STEM", heard.holds),
        ("FOLEY_EVENTS", str(len(heard.events))),
        ("FOLEY_ORIGIN", heard.mark),
        ("DIGITAL_SOURCE_TYPE", origin.uri(heard.source_type)),
    )
    return (("ASWG", aswg), ("USER", own))


def _filled(*fields: tuple[str, str]) -> Fields:
    return tuple((tag, text) for tag, text in fields if text)


def _ucs_text(text: str) -> str:
    """Return a text without what parts the names of UCS, which its schema does not allow inside them."""
    return text.replace("_", " ").replace("-", " ").strip()


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.2f}"


def _rights(take: Take) -> str:
    """Return what the licence of the weights asks, or that of the recordings; "" where none does."""
    if recordings := origin.recordings(take):
        return f"recordings: {recordings}"
    if take.weights_licence == "none":
        return ""
    known = licences.licence(take.weights_licence)
    return f"{known.name}: {known.conditions}".rstrip(": ")


def _reference(session: Session, *content: str) -> str:
    """Return a reference that is the same for the same material, and for no other."""
    key = "\0".join((session.clip.key, *content)).encode("utf-8", "replace")
    return f"FOLEY-{hashlib.blake2b(key, digest_size=13).hexdigest()}"


def _day_and_time(date: str) -> tuple[str, str]:
    """Return the parts of a date as bext has them.

    >>> _day_and_time("2026-11-21T09:30:00"), _day_and_time("2026-11-21"), _day_and_time("")
    (('2026-11-21', '09:30:00'), ('2026-11-21', '00:00:00'), ('', ''))
    """
    return (date[:10], (date[11:19] or "00:00:00") if date else "")


def _coding(audio: AudioFile) -> str:
    """Return a line of bext's coding history (EBU R 98)."""
    mode = {1: "mono", 2: "stereo"}.get(audio.channels, f"{audio.channels} channels")
    return f"A=PCM,F={audio.rate_hz},W=24,M={mode},T=foley"


def events_on(events: Sequence[SoundEvent], takes: Sequence[Take], bus: str | None) -> tuple[SoundEvent, ...]:
    """Return the events that are heard, on one bus or on all."""
    made = {take.event_id for take in takes}
    return tuple(event for event in events if event.id in made and bus in (None, event.bus))
