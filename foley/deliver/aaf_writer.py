"""Write a timeline as AAF: one composition of mono tracks at 48 kHz that link to WAV files beside it.

What Pro Tools and Avid ask for decides the form: exactly one composition, no linked file with more than one channel
(pyaaf2's tracker, issue 37 and pull request 24), gain as the effect *Mono Audio Gain*, fades as *Mono Audio Dissolve*
against a filler. Classes and their identifiers: AAF Object Specification 1.1 and Edit Protocol, AMWA, 2004-2005.

Two things that pyaaf2 1.7 leaves out are put in: the `data` chunk of a linked file's summary, without which readers
cannot size it, and the lengths of sequences. What it takes from the clock and from chance comes from the content.
"""

from __future__ import annotations

import datetime
import hashlib
import itertools
import struct
import uuid
from collections.abc import Iterator
from contextlib import ExitStack
from fractions import Fraction
from pathlib import Path
from typing import Any

from foley.deliver.labels import file_stem, plain, remark
from foley.deliver.lanes import Lane, lanes, overlap
from foley.deliver.outputs import make_folder
from foley.media import sound
from foley.media.atomic import written_whole
from foley.model import AudioFile, Timeline, TimelineItem
from foley.units import RATE_HZ, to_gain
from foley.version import __version__

SIDES = ("L", "R")

AMPLITUDE = "e4962321-2267-11d3-8a4c-0050040ef7d2"
"""ParameterDef_Amplitude: the factor of a gain."""

_LEVEL = "e4962320-2267-11d3-8a4c-0050040ef7d2"
_GAIN = "9d2ea894-0968-11d3-8a38-0050040ef7d2"
_DISSOLVE = "0c3bea41-fc05-11d2-8a29-0050040ef7d2"
_PRODUCT = "6f1b5fc4-7d0e-5a3d-9d0c-2f6a4b1c8e57"
"""What foley is called in the list of programs that touched the file."""

_CONTENT = uuid.UUID("b0a7b6c2-91c8-5f0e-8a44-0c5a5d3c7e11")
"""Names that are made of content are made within this one (RFC 4122, version 5)."""

_WRITTEN_AT = datetime.datetime(2000, 1, 1)  # noqa: DTZ001 - AAF times have no zone; equal timelines make equal files
_EXACT = 1 << 20
"""Largest denominator of a gain: a millionth, while the numerator of +60 dB still fits into 32 bits."""
_BLOCK = 1 << 18
_MARKER_SLOT = 1000
"""Past every track."""


def write(timeline: Timeline, folder: Path) -> tuple[Path, ...]:
    """Write NAME.aaf, and its sounds split into mono files in NAME_aaf/; return them all, the AAF first.

    Raises:
        OutputError: where they cannot be written.
    """
    import aaf2  # type: ignore[import-untyped]

    stem = file_stem(timeline.name)
    to, media = folder / f"{stem}.aaf", folder / f"{stem}_aaf"
    make_folder(media)
    with written_whole(to) as part, aaf2.open(str(part), "w") as file:
        _freeze(file, timeline)
        writing = _Writing(file, timeline, media)
        for lane in lanes(timeline, on_frames=False):
            writing.tracks(lane)
        writing.markers()
    return to, *writing.sounds


def parts(lane: Lane, length: int) -> Iterator[tuple[str, int, TimelineItem | None]]:
    """Yield what a track is made of, in order: blanks, items, and transitions that overlap both their neighbours.

    A fade is a transition between an item and a blank.

    Args:
        lane: The track.
        length: Of the timeline in samples; the track is filled up to it.

    Yields:
        "blank", "item", "join" (a crossfade), "rise" or "fall" (fades), its length in samples, and the item.
    """
    end, faded = 0, 0
    for place, item in enumerate(lane.items):
        after = lane.items[place + 1] if place + 1 < len(lane.items) else None
        joined = overlap(lane.items[place - 1], item) if place else 0
        if joined:
            yield "join", joined, item
        else:
            blank = faded + item.first_sample - end + item.fade_in
            if blank:
                yield "blank", blank, None
            if item.fade_in:
                yield "rise", item.fade_in, item
        yield "item", item.length, item
        end, faded = item.first_sample + item.length, 0
        if item.fade_out and not (after and overlap(item, after)):
            yield "fall", item.fade_out, item
            faded = item.fade_out
    if faded or end < length:
        yield "blank", faded + max(0, length - end), None


def _freeze(file: Any, timeline: Timeline) -> None:
    """Replace what pyaaf2 takes from the clock, from chance and from the machine."""
    from aaf2.auid import AUID  # type: ignore[import-untyped]

    numbers = itertools.count()
    # traces of these names stay in the file
    file.manager.create_temp_dir = lambda: file.cfb.makedirs(f"/tmp/{next(numbers)}")  # noqa: S108 - inside the file
    author = file.header["IdentificationList"].value[0]
    author["ProductName"].value = author["CompanyName"].value = "foley"
    author["ProductVersionString"].value = __version__
    author["ProductID"].value = AUID(_PRODUCT)
    author["Platform"].value = "any"
    author["Date"].value = file.header["LastModified"].value = _WRITTEN_AT
    author["GenerationAUID"].value = uuid.uuid5(_CONTENT, timeline.name)


class _Writing:
    """One file in the making."""

    def __init__(self, file: Any, timeline: Timeline, media: Path) -> None:
        self.file, self.timeline, self.media = file, timeline, media
        self.sounds: list[Path] = []
        self._define()
        self._masters: dict[str, list[Any]] = {}
        self._composition = self._mob("CompositionMob", plain(timeline.name) or "foley", repr(timeline))
        self._composition.usage = "Usage_TopLevel"
        self._time_code()

    def _define(self) -> None:
        """Add the two effects, their parameters and straight interpolation to the file's dictionary."""
        from aaf2.auid import AUID
        from aaf2.misc import LinearInterp  # type: ignore[import-untyped]

        make, known = self.file.create, self.file.dictionary
        number = known.lookup_typedef("Rational")
        self._amplitude = make.ParameterDef(AUID(AMPLITUDE), "ParameterDef_Amplitude", "", number)
        self._level = make.ParameterDef(AUID(_LEVEL), "ParameterDef_Level", "", number)
        self._straight = make.InterpolationDef(LinearInterp, "LinearInterp", "LinearInterp")
        self._gain = make.OperationDef(AUID(_GAIN), "Mono Audio Gain")
        self._dissolve = make.OperationDef(AUID(_DISSOLVE), "Mono Audio Dissolve")
        for definition in (self._amplitude, self._level, self._straight):
            known.register_def(definition)
        for operation, inputs, parameter in ((self._gain, 1, self._amplitude), (self._dissolve, 2, self._level)):
            operation.media_kind = "sound"
            operation["NumberInputs"].value = inputs
            operation["ParametersDefined"].extend([parameter])
            known.register_def(operation)

    def _mob(self, kind: str, name: str, content: str) -> Any:
        """Add a mob whose identifier follows from its content: equal sound keeps it, as Avid wants."""
        mob = self.file.create.from_name(kind, name)
        identifier = mob.mob_id
        identifier.material = uuid.uuid5(_CONTENT, f"{kind} {name} {content}")
        mob.mob_id = identifier
        mob["CreationTime"].value = mob["LastModified"].value = _WRITTEN_AT
        self.file.content.mobs.append(mob)
        return mob

    def _time_code(self) -> None:
        slot = self._composition.create_timeline_slot(self.timeline.frame_rate)
        slot.name = "TC"
        slot["PhysicalTrackNumber"].value = 1
        code = self.file.create.Timecode(
            fps=round(self.timeline.frame_rate), drop=self.timeline.drop_frame, length=max(1, self.timeline.frames)
        )
        code.start = self.timeline.start_frame
        slot.segment = code

    def tracks(self, lane: Lane) -> None:
        """Add a lane as two mono tracks."""
        for side, name in enumerate(SIDES):
            slot = self._composition.create_sound_slot(edit_rate=RATE_HZ)
            slot.name = f"{lane.name}.{name}"
            slot["PhysicalTrackNumber"].value = slot.slot_id - 1  # after the time code, which is no track of sound
            whole = list(parts(lane, self.timeline.length))
            # at once: pyaaf2 goes through all that is there whenever one more is appended
            slot.segment["Components"].value = [
                self._component(kind, length, item, side) for kind, length, item in whole
            ]
            slot.segment.length = sum(length if kind in ("blank", "item") else -length for kind, length, _ in whole)

    def _component(self, kind: str, length: int, item: TimelineItem | None, side: int) -> Any:
        if item is None:
            return self.file.create.Filler("sound", length)
        if kind == "item":
            return self._item(item, side)
        # where one would be cut to the other without the transition
        return self._transition(length, {"rise": 0, "fall": length, "join": length // 2}[kind])

    def _item(self, item: TimelineItem, side: int) -> Any:
        from aaf2.rational import AAFRational  # type: ignore[import-untyped]

        master = self._sides(item)[side]
        clip = master.create_source_clip(1, start=item.source_first, length=item.length)
        group = self.file.create.OperationGroup(self._gain, length=item.length, media_kind="sound")
        factor = Fraction(to_gain(item.gain_db)).limit_denominator(_EXACT)
        group.parameters.append(self.file.create.ConstantValue(self._amplitude, AAFRational(factor)))
        group.segments.append(clip)
        return group

    def _transition(self, length: int, cut: int) -> Any:
        from aaf2.rational import AAFRational

        transition = self.file.create.Transition("sound", length)
        transition["CutPoint"].value = cut
        group = self.file.create.OperationGroup(self._dissolve, length=length, media_kind="sound")
        curve = self.file.create.VaryingValue()
        curve.parameterdef = self._level
        curve["Interpolation"].value = self._straight
        for corner in ("0/1", "1/1"):
            point = self.file.create.ControlPoint()
            point["Time"].value = point["Value"].value = AAFRational(corner)
            point["ControlPointSource"].value = 2
            curve["PointList"].append(point)
        group.parameters.append(curve)
        transition["OperationGroup"].value = group
        return transition

    def _sides(self, item: TimelineItem) -> list[Any]:
        """Return the two masters of an item's sound; its mono files are written when it is first asked for."""
        if item.event_id not in self._masters:
            self._masters[item.event_id] = [
                self._linked(item, written, digest) for written, digest in _split(item, self.media)
            ]
        return self._masters[item.event_id]

    def _linked(self, item: TimelineItem, written: AudioFile, digest: str) -> Any:
        """Add a file and the master that stands for it."""
        self.sounds.append(written.path)
        source = self._mob("SourceMob", written.path.stem, digest)
        source.descriptor = self._descriptor(written)
        source.create_empty_slot(RATE_HZ, "sound").segment.length = written.length
        master = self._mob("MasterMob", written.path.stem, digest)
        slot = master.create_timeline_slot(RATE_HZ)
        slot.segment = source.create_source_clip(1, length=written.length, media_kind="sound")
        for name, text in (("Event", item.event_id), ("Name", item.name), ("Reason", item.note), ("UCS", item.ucs)):
            if plain(text):
                master.comments[name] = plain(text)
        return master

    def _descriptor(self, written: AudioFile) -> Any:
        descriptor = self.file.create.WAVEDescriptor()
        descriptor["SampleRate"].value = written.rate_hz
        descriptor["Length"].value = written.length
        descriptor["Summary"].value = bytearray(_summary(written))
        descriptor["ContainerFormat"].value = self.file.dictionary.lookup_containerdef("AAF")
        locator = self.file.create.NetworkLocator()
        locator["URLString"].value = written.path.resolve().as_uri()
        descriptor["Locator"].append(locator)
        return descriptor

    def markers(self) -> None:
        """Add the markers, on whole frames, with what they say as the comment that Avid shows."""
        if not self.timeline.markers:
            return
        make, kind = self.file.create, "DescriptiveMetadata"
        slot = make.EventMobSlot()
        slot["EditRate"].value = self.timeline.frame_rate
        slot["SlotID"].value = _MARKER_SLOT
        slot["SlotName"].value = "Markers"
        slot["PhysicalTrackNumber"].value = 1
        sequence = make.Sequence(kind)
        sequence["Components"].value = [self._marker(marker) for marker in self.timeline.markers]
        slot.segment = sequence
        self._composition.slots.append(slot)

    def _marker(self, marker: Any) -> Any:
        found = self.file.create.DescriptiveMarker()
        rate = self.timeline.frame_rate / RATE_HZ
        first = int(marker.at_sample * rate)
        found["Position"].value = first
        found["Length"].value = max(1, round(marker.length * rate))
        found["Comment"].value = remark(marker)
        found["DataDefinition"].value = self.file.dictionary.lookup_datadef("DescriptiveMetadata")
        found["DescribedSlots"].value = {min(2, len(self._composition.slots))}  # the first track, where there is one
        found["CommentMarkerAttributeList"].value = [
            self.file.create.TaggedValue(name, value)
            for name, value in (
                ("_ATN_CRM_COLOR", "Green"),
                ("_ATN_CRM_USER", "foley"),
                ("_ATN_CRM_COM", remark(marker)),
            )
        ]
        return found


def _split(item: TimelineItem, media: Path) -> list[tuple[AudioFile, str]]:
    """Write an item's sound as one mono file for each side; return them with the digest of their content."""
    audio = item.audio
    digests = [hashlib.sha256() for _ in SIDES]
    with ExitStack() as stack:
        names = [media / f"{item.event_id}.{side}.wav" for side in SIDES]
        writers = [stack.enter_context(sound.WavWriter(to, rate_hz=audio.rate_hz, channels=1)) for to in names]
        for first in range(0, audio.length, _BLOCK):
            block = sound.read(audio, first, min(first + _BLOCK, audio.length))
            for side, (digest, writer) in enumerate(zip(digests, writers, strict=True)):
                one = block[min(side, audio.channels - 1)][None]
                digest.update(one.tobytes())
                writer.append(one)
    return [(writer.file, digest.hexdigest()) for writer, digest in zip(writers, digests, strict=True)]


def _summary(written: AudioFile) -> bytes:
    """Return the header of a 24-bit mono WAV file, as far as the samples."""
    size = written.length * 3
    fmt = struct.pack("<4sIHHIIHH", b"fmt ", 16, 1, 1, written.rate_hz, written.rate_hz * 3, 3, 24)
    head = struct.pack("<4sI4s", b"RIFF", min(len(fmt) + 12 + size, 2**32 - 1), b"WAVE")
    return head + fmt + struct.pack("<4sI", b"data", min(size, 2**32 - 1))
