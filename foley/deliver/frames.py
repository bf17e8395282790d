"""Put items on whole frames without moving their sound: what editors that know no samples work with.

An item begins on the last frame at or before its first sample and ends on the first at or after its last. What is
left over on both sides is silence in its sound file, and that file begins on a frame of the timeline too: so the sound
is where it was to the sample, however an editor rounds. Where a frame is no whole number of samples (1601.6 at
29.97), the file begins on one of the frames that are, every fifth.
"""

from __future__ import annotations

import heapq
import math
from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import get_args

import numpy as np

from foley.deliver import outputs
from foley.deliver.lanes import fading
from foley.media import sound
from foley.model import AudioFile, Bus, Timeline, TimelineItem
from foley.units import RATE_HZ, timecode_rate

_NTSC = (Fraction(base) * pace for base in (24, 30, 48, 60, 120) for pace in (Fraction(1000, 1001), 1))
EDITING_RATES = tuple(sorted((*_NTSC, Fraction(25), Fraction(50), Fraction(100))))
"""What editors' timelines can run at, rising."""

SAME_RATE = Fraction(4, 10_000)
"""Rates nearer than this are the same, written otherwise (29.97 for 30000/1001); 24 and 23.976 differ by 0.001."""

MEAN_RATE = Fraction(1, 100)
"""The mean of a rate that varies may lie this far from what was meant: phones that film at 30 reach 30.02."""

LONGEST_GRID = 60
"""Frames; where whole samples come further apart, files begin on the sample nearest to a frame."""

BLOCK = 10 * RATE_HZ
"""Samples handled at once."""


@dataclass(frozen=True, slots=True)
class FramedItem:
    """An item as whole frames; in its audio the sound stands where the item has it, to the sample."""

    item: TimelineItem
    first_frame: int
    """Where on the timeline."""
    frames: int
    source_frame: int
    """Which frame of the audio is heard first."""
    audio: AudioFile
    audio_frames: int
    """Whole frames that the audio lasts."""

    @property
    def past_frame(self) -> int:
        """Return the first frame that is not its own any more."""
        return self.first_frame + self.frames


@dataclass(frozen=True, slots=True)
class FramedLane:
    """One track of a bus."""

    name: str
    """FOLEY, or FOLEY 2 for the second of its bus."""
    bus: Bus
    items: tuple[FramedItem, ...]
    """By first frame; no two share a frame."""


def editing_rate(frame_rate: Fraction, *, variable: bool) -> Fraction:
    """Return the frame rate of the timeline on which an editor puts a clip.

    The clip's own where editors know it, else a multiple of it, else (a variable rate) the next one above.

    >>> editing_rate(Fraction(2997, 100), variable=False), editing_rate(Fraction(15), variable=False)
    (Fraction(30000, 1001), Fraction(30, 1))
    >>> editing_rate(Fraction(100, 4), variable=True), editing_rate(Fraction(91, 5), variable=True)
    (Fraction(25, 1), Fraction(24000, 1001))
    """
    for times in (1,) if variable else range(1, 13):
        near = min(EDITING_RATES, key=lambda rate: abs(rate - frame_rate * times))
        if abs(near - frame_rate * times) <= (MEAN_RATE if variable else SAME_RATE) * near:
            return near
    return next((rate for rate in EDITING_RATES if rate >= frame_rate), EDITING_RATES[-1])


def frame_at(sample: int, frame_rate: Fraction) -> int:
    """Return the frame that is shown at a sample.

    >>> frame_at(1601, Fraction(30000, 1001)), frame_at(1602, Fraction(30000, 1001))
    (0, 1)
    """
    return math.floor(sample * frame_rate / RATE_HZ)


def frame_from(sample: int, frame_rate: Fraction) -> int:
    """Return the first frame that begins at a sample or after it."""
    return math.ceil(sample * frame_rate / RATE_HZ)


def sample_of(frame: int, frame_rate: Fraction) -> int:
    """Return the sample nearest to a frame's start."""
    return math.floor(frame * RATE_HZ / frame_rate + Fraction(1, 2))


def aligned(first: int, last: int, frame_rate: Fraction) -> tuple[int, int]:
    """Return the shortest stretch [first, last) of samples around one that begins and ends with frames.

    >>> aligned(1, 8009, Fraction(30000, 1001))
    (0, 16016)
    """
    grid = (RATE_HZ / frame_rate).denominator
    grid = grid if grid <= LONGEST_GRID else 1
    begins = frame_at(first, frame_rate) // grid * grid
    ends = -(-frame_from(last, frame_rate) // grid) * grid
    return sample_of(begins, frame_rate), sample_of(ends, frame_rate)


def framed(item: TimelineItem, frame_rate: Fraction, folder: Path) -> FramedItem:
    """Return an item as whole frames.

    Its sound file is used as it is where it begins and ends with frames and is silent between the frames and the
    item; else another is written, which is and does.

    Args:
        item: The item.
        frame_rate: Of the timeline.
        folder: Where that file goes: into `media/`, under the event's id.

    Raises:
        OutputError: where it cannot be written.
    """
    begins = item.first_sample - item.source_first
    origin, end = aligned(begins, begins + item.audio.length, frame_rate)
    first, last = item.first_sample, item.first_sample + item.length
    first_frame, past = frame_at(first, frame_rate), frame_from(last, frame_rate)
    # all of the samples that a frame may touch whose edge lies between two
    heard = math.floor(first_frame * RATE_HZ / frame_rate), math.ceil(past * RATE_HZ / frame_rate)
    rests = ((heard[0], first), (last, heard[1]))
    fits = (origin, end) == (begins, begins + item.audio.length)
    if fits and all(_is_silent(item.audio, early - begins, late - begins) for early, late in rests):
        audio = item.audio
    else:
        audio = _padded(item, (origin, end), rests, folder / "media" / f"{item.event_id}.wav")
    return FramedItem(
        item=item,
        first_frame=first_frame,
        frames=max(1, past - first_frame),
        source_frame=first_frame - round(origin * frame_rate / RATE_HZ),
        audio=audio,
        audio_frames=round((end - origin) * frame_rate / RATE_HZ),
    )


def _is_silent(audio: AudioFile, first: int, last: int) -> bool:
    return not np.any(sound.read(audio, first, last))


def _padded(
    item: TimelineItem, span: tuple[int, int], rests: tuple[tuple[int, int], tuple[int, int]], to: Path
) -> AudioFile:
    """Write an item's sound over a stretch of the timeline, silent in `rests`."""
    begins = item.first_sample - item.source_first
    outputs.make_folder(to.parent)
    with sound.WavWriter(to, rate_hz=RATE_HZ, channels=item.audio.channels) as writer:
        for first in range(*span, BLOCK):
            last = min(first + BLOCK, span[1])
            block = sound.read(item.audio, first - begins, last - begins)
            for early, late in rests:
                block[:, max(0, early - first) : max(0, late - first)] = 0.0
            writer.append(block)
    return writer.file


def framed_lanes(timeline: Timeline, folder: Path) -> tuple[FramedLane, ...]:
    """Return the tracks of a timeline, as few as its items need; a bus without items has none.

    Args:
        timeline: The timeline.
        folder: Where sound files go that must be made to fit frames.

    Raises:
        OutputError: where one cannot be written.
    """
    found: list[FramedLane] = []
    for bus in get_args(Bus):
        items = (fading(item) for item in timeline.items if item.bus == bus and item.length > 0)
        on_frames = sorted(
            (framed(item, timeline.frame_rate, folder) for item in items), key=lambda one: one.first_frame
        )
        for number, lane in enumerate(_lanes(on_frames), start=1):
            found.append(FramedLane(bus.upper() if number == 1 else f"{bus.upper()} {number}", bus, tuple(lane)))
    return tuple(found)


def _lanes(items: Iterable[FramedItem]) -> list[list[FramedItem]]:
    """Return items as tracks on which nothing overlaps; an item takes the first that is free."""
    tracks: list[list[FramedItem]] = []
    busy: list[tuple[int, int]] = []
    """When a track is free again, and its number; the earliest first."""
    free: list[int] = []
    """Numbers of the tracks that are free, the lowest first."""
    for item in items:
        while busy and busy[0][0] <= item.first_frame:
            heapq.heappush(free, heapq.heappop(busy)[1])
        if not free:
            tracks.append([])
            free.append(len(tracks) - 1)
        number = heapq.heappop(free)
        tracks[number].append(item)
        heapq.heappush(busy, (item.past_frame, number))
    return tracks


def counts_at(frame_rate: Fraction) -> tuple[int, bool]:
    """Return how many frames a time code counts in a second, and whether the rate is that over 1.001.

    >>> counts_at(Fraction(30000, 1001)), counts_at(Fraction(25))
    ((30, True), (25, False))
    """
    rate = timecode_rate(frame_rate)
    return math.ceil(rate), rate.denominator != 1
