"""What a file holds: sound in memory, sound on disk, the clip and its streams."""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path

import numpy as np
import numpy.typing as npt


@dataclass(frozen=True, slots=True, eq=False)
class Audio:
    """Sound in memory: for what is short; what may be long is an `AudioFile`."""

    samples: npt.NDArray[np.float32]
    """Shape (channels, samples), always two axes; full scale is [-1, 1]."""
    rate_hz: int
    notes: tuple[str, ...] = ()
    """What its maker has to say of it to a person: what it cost, for one."""

    def __post_init__(self) -> None:
        if self.samples.ndim != 2:
            raise ValueError(f"samples must have the shape (channels, samples), got {self.samples.shape}")
        if self.samples.dtype != np.float32:
            raise ValueError(f"samples must be float32, got {self.samples.dtype}")

    @property
    def channels(self) -> int:
        """Return the number of channels."""
        return int(self.samples.shape[0])

    @property
    def length(self) -> int:
        """Return the number of samples in each channel."""
        return int(self.samples.shape[1])

    @property
    def duration_s(self) -> float:
        """Return the length in seconds."""
        return self.length / self.rate_hz

    def __repr__(self) -> str:
        return f"Audio({self.channels} x {self.length} at {self.rate_hz} Hz)"


@dataclass(frozen=True, slots=True)
class AudioFile:
    """Sound on disk (WAV), read in blocks: a two-hour stem never lies in memory."""

    path: Path
    rate_hz: int
    channels: int
    length: int
    """Samples in each channel."""


@dataclass(frozen=True, slots=True)
class Source:
    """The file that a user named, as it was then."""

    path: Path
    size_bytes: int = -1
    """-1 where it is not known: the file is then looked into anew."""
    modified_ns: int = 0


@dataclass(frozen=True, slots=True)
class VideoStream:
    """The picture's stream."""

    index: int
    """Number of the stream in its file."""
    codec: str
    width_px: int
    """As shown, after rotation."""
    height_px: int
    rotation_deg: int
    """Clockwise turn that a player makes: 0, 90, 180 or 270."""
    frame_rate: Fraction
    """Average frames in a second; exact, e.g. 30000/1001."""
    time_base: Fraction
    """Seconds in one tick of the stream's timestamps."""
    variable_rate: bool
    pixel_format: str


@dataclass(frozen=True, slots=True)
class SoundTrack:
    """A sound track that the file holds already."""

    index: int
    codec: str
    rate_hz: int
    channels: int
    language: str
    """ISO 639-2, "und" where the file does not say."""
    title: str
    start_s: Fraction
    """On the clip's timeline: 0 is the first frame."""
    duration_s: float


@dataclass(frozen=True, slots=True)
class SubtitleTrack:
    """A subtitle track that the file holds."""

    index: int
    codec: str
    language: str
    title: str
    text: bool
    """False for subtitles that are pictures."""


@dataclass(frozen=True, slots=True)
class Clip:
    """The input video with what its container says of it. Time 0 is the first frame.

    Fields marked `identity: False` do not enter cache keys: a copy of the file under another name is the same clip.
    """

    path: Path = field(metadata={"identity": False})
    key: str
    """Content of the file: the same for a copy under another name."""
    container: str
    """ffmpeg's name of the format, e.g. "mov,mp4,m4a,3gp,3g2,mj2"."""
    start_s: Fraction
    """Time of the first frame by the container's own clock."""
    duration_s: Fraction
    """From the start of the first frame to the end of the last."""
    video: VideoStream
    sound: tuple[SoundTrack, ...]
    subtitles: tuple[SubtitleTrack, ...]
    chapters: int
    timecode: str | None
    """SMPTE time code of the first frame, where the file has one."""
