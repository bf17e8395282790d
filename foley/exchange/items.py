"""The sound of every event as a file that editors can work with: its share of its stem, with handles on both sides."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path

import numpy as np

from foley.deliver import outputs
from foley.deliver.frames import aligned
from foley.errors import NotAMediaFileError
from foley.exchange.record import Given
from foley.exchange.rendered import Rendered
from foley.media import sound
from foley.mix.share import event_share, event_span
from foley.mix.sum import Block
from foley.model import Arrangement, AudioFile, Placement, SoundEvent, TimelineItem
from foley.units import RATE_HZ, to_samples

INAUDIBLE = 2.0**-24
"""Half a step of 24 bit: what is below it is silence in the file."""

RING_STEP = RATE_HZ // 4
"""How far a sound is looked for at once after its take has ended; silence that lasts so long ends it."""

WRITTEN_SAMPLES = 10 * RATE_HZ
"""Samples made at once: rooms and filters look back, so that of short blocks much would be made to be thrown away."""

MS_SAMPLES = RATE_HZ // 1000
"""Curves of a master have a figure for every millisecond."""

VERSION = 1
"""Raised when the same event gives another file."""

FOLDER = "media"
"""Where in the export's folder they lie: each under its event's id, by which the way back knows it."""


@dataclass(frozen=True, slots=True)
class Items:
    """The items of a timeline, what is noted of them, and which files were written anew."""

    items: tuple[TimelineItem, ...]
    given: Mapping[str, Given]
    written: tuple[str, ...]


def place(made: Rendered, folder: Path, frame_rate: Fraction, *, handles_s: float, known: Mapping[str, Given]) -> Items:
    """Write the sounds of all events that are heard; what is there already as it would be is left alone.

    Args:
        made: The plan with its sound.
        folder: The export's.
        frame_rate: Of the timeline: files begin and end with its frames.
        handles_s: How far they reach at least over both ends of the item.
        known: What was noted of the files that are there.

    Raises:
        OutputError: where they cannot be written.
    """
    by_event = {item.event_id: item for item in made.arrangement.placements}
    outputs.make_folder(folder / FOLDER)
    items, given, written = [], {}, []
    for event in made.plan.events:
        placement, before = by_event.get(event.id), known.get(event.id)
        share = None if event.muted or placement is None else _share(made, placement, (frame_rate, handles_s), before)
        if share is None:
            continue
        note = _note(event, share)
        audio = AudioFile(folder / note.file, RATE_HZ, 2, share.end - share.origin)
        if not _is_there(before, note, audio):
            _write(made, share, audio)
            written.append(event.id)
        items.append(_item(event, note, audio))
        given[event.id] = note
    for name in known.keys() - given.keys():
        (folder / known[name].file).unlink(missing_ok=True)
    items.sort(key=lambda item: (item.first_sample, item.event_id))
    return Items(tuple(items), given, tuple(written))


@dataclass(frozen=True, slots=True)
class _Share:
    """Where on the timeline the sound of an event is heard, and what of it goes into its file."""

    alone: Arrangement
    """The event without all others."""
    key: str
    first: int
    last: int
    origin: int
    """Where its file begins; may lie before the picture."""
    end: int


def _share(made: Rendered, placement: Placement, around: tuple[Fraction, float], known: Given | None) -> _Share | None:
    """Return what is heard of a placement; None where nothing is.

    Args:
        made: What it is a part of.
        placement: The take, placed.
        around: Frame rate and length of the handles in seconds: what its file reaches over.
        known: What was noted of the file that is there: where the sound is over need not be found again.
    """
    alone = Arrangement((placement,), made.arrangement.length)
    span = event_span(alone, made.mixdown.master, placement.event_id)
    if span is None or span[1] <= span[0]:
        return None
    key = _key(made, placement, span, around)
    if known is not None and known.key == key:
        last = known.first_sample + known.length
    else:
        taken = min(span[1], placement.first_sample + placement.audio.length)
        last = _rung_out(made, alone, max(taken, span[0] + 1), span[1])
    handle = to_samples(around[1], RATE_HZ)
    return _Share(alone, key, span[0], last, *aligned(span[0] - handle, last + handle, around[0]))


def _rung_out(made: Rendered, alone: Arrangement, taken: int, longest: int) -> int:
    """Return where an event's sound is over, which rooms and filters let ring on after its take."""
    last = taken
    for first in range(taken, longest, RING_STEP):
        share = _heard(made, alone, first, min(first + RING_STEP, longest))
        sounding = np.flatnonzero(np.abs(share).max(axis=0) >= INAUDIBLE)
        if not sounding.size:
            break
        last = first + int(sounding[-1]) + 1
    return last


def _heard(made: Rendered, alone: Arrangement, first: int, last: int) -> Block:
    return event_share(alone, made.mixdown.master, alone.placements[0].event_id, first, last)


def _key(made: Rendered, placement: Placement, span: tuple[int, int], around: tuple[Fraction, float]) -> str:
    """Return the key of a file's content: the editor's own gain and fades are none of it."""
    plain = replace(
        placement,
        gain_left=_steady(placement.gain_left / placement.trim),
        gain_right=_steady(placement.gain_right / placement.trim),
        trim=1.0,
        fade_in=0,
        fade_out=0,
    )
    master, bus = made.mixdown.master, placement.bus
    ms = slice(span[0] // MS_SAMPLES, -(-span[1] // MS_SAMPLES) + 1)
    curves = [curves[bus][ms] for curves in (master.limiter, master.compressor) if bus in curves]
    return made.cache.digest(
        VERSION, plain, span, around, master.gain_db, master.chain, made.arrangement.length, curves
    )


def _steady(gain: float) -> float:
    """Return a factor without what dividing a trim out leaves in its last digits."""
    return float(f"{gain:.9g}")


def _note(event: SoundEvent, share: _Share) -> Given:
    return Given(
        file=f"{FOLDER}/{event.id}.wav",
        key=share.key,
        first_sample=share.first,
        length=share.last - share.first,
        source_first=share.first - share.origin,
        gain_db=event.gain_db,
        fade_in=share.alone.placements[0].fade_in,
        fade_out=share.alone.placements[0].fade_out,
    )


def _is_there(known: Given | None, note: Given, audio: AudioFile) -> bool:
    """Return whether the file on disk is the one that would be written."""
    if known is None or known.key != note.key or not audio.path.is_file():
        return False
    try:
        return sound.describe(audio.path) == audio
    except NotAMediaFileError:
        return False


def _write(made: Rendered, share: _Share, to: AudioFile) -> None:
    """Write an event's share of its stem, silent where the picture is not."""
    with sound.WavWriter(to.path, rate_hz=RATE_HZ, channels=2) as writer:
        for first in range(share.origin, share.end, WRITTEN_SAMPLES):
            last = min(first + WRITTEN_SAMPLES, share.end)
            block = np.zeros((2, last - first), np.float32)
            begin, stop = max(first, share.first), min(last, share.last)
            if begin < stop:
                block[:, begin - first : stop - first] = _heard(made, share.alone, begin, stop)
            writer.append(block)


def _item(event: SoundEvent, note: Given, audio: AudioFile) -> TimelineItem:
    return TimelineItem(
        event_id=event.id,
        name=event.label,
        bus=event.bus,
        audio=audio,
        source_first=note.source_first,
        first_sample=note.first_sample,
        length=note.length,
        gain_db=note.gain_db,
        fade_in=note.fade_in,
        fade_out=note.fade_out,
        note=event.because,
        ucs=event.ucs,
        hits=tuple(to_samples(hit.time_s, RATE_HZ) for hit in event.hits),
    )
