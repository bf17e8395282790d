"""Sound files that begin with the frame in which their item begins: for programs that seek within a file only roughly.

melt 7.12 that is to play a file from its fifth frame on begins 6 ms late and then catches up by playing faster (noise
played from there against the file); from its first frame on it is exact to the sample.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

from foley.deliver import frames, outputs
from foley.media import sound
from foley.model import AudioFile, TimelineItem


@dataclass(frozen=True, slots=True)
class Cut:
    """An item as whole frames of a file of its own, which it plays from the file's start."""

    item: TimelineItem
    first_frame: int
    """Where on the timeline."""
    frames: int
    audio: AudioFile
    audio_frames: int
    """Whole frames that the file lasts: past the item comes what its sound holds after it, to be drawn out."""


def cut(item: TimelineItem, frame_rate: Fraction, folder: Path) -> Cut:
    """Write an item's sound from the start of its first frame on, silent up to the item and up to its last frame's end.

    Args:
        item: The item.
        frame_rate: Of the timeline.
        folder: Where the file goes: into `media_mlt/`, under the event's id.

    Raises:
        OutputError: where it cannot be written.
    """
    first, last = item.first_sample, item.first_sample + item.length
    first_frame, past = frames.frame_at(first, frame_rate), frames.frame_from(last, frame_rate)
    begins = first - item.source_first
    end = max(past, frames.frame_at(begins + item.audio.length, frame_rate))
    origin, silent_to = frames.sample_of(first_frame, frame_rate), frames.sample_of(past, frame_rate)
    to = folder / "media_mlt" / f"{item.event_id}.wav"
    outputs.make_folder(to.parent)
    with sound.WavWriter(to, rate_hz=item.audio.rate_hz, channels=item.audio.channels) as writer:
        for early in range(origin, frames.sample_of(end, frame_rate), frames.BLOCK):
            late = min(early + frames.BLOCK, frames.sample_of(end, frame_rate))
            block = sound.read(item.audio, early - begins, late - begins)
            block[:, : max(0, first - early)] = 0.0
            block[:, max(0, last - early) : max(0, silent_to - early)] = 0.0
            writer.append(block)
    return Cut(item, first_frame, max(1, past - first_frame), writer.file, max(1, end - first_frame))
