"""What was seen and heard in a clip, and what people said of it. Times are seconds from the first frame."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import numpy as np
import numpy.typing as npt

Cue = Literal["strike", "burst", "flash"]
"""How a sounding instant shows: motion that stops (hammer), motion that starts (recoil, bark), light that jumps."""


@dataclass(frozen=True, slots=True)
class Span:
    """Half-open stretch of time."""

    start_s: float
    end_s: float


@dataclass(frozen=True, slots=True)
class Region:
    """Part of the picture, as shares of its width and height from the left and top."""

    left: float = 0.0
    top: float = 0.0
    right: float = 1.0
    bottom: float = 1.0


@dataclass(frozen=True, slots=True)
class Shot:
    """Frames between two cuts."""

    start_s: float
    end_s: float
    opening: Literal["start", "cut", "fade"]
    """How the shot begins."""


@dataclass(frozen=True, slots=True)
class Impact:
    """An instant at which something visibly hits, lands, fires or shuts."""

    time_s: float
    """Finer than a frame."""
    strength: float
    """0 to 1, where 1 is the strongest of its cue near it."""
    x: float
    """Place in the picture: 0 left, 1 right."""
    y: float
    """0 top, 1 bottom."""
    cue: Cue


@dataclass(frozen=True, slots=True, eq=False)
class Motion:
    """The motion curve: how much moves, frame by frame, camera motion removed. All of shape (frames,), float32."""

    level: npt.NDArray[np.float32]
    """0 to 1: mean speed of what moves by itself, 1 is the clip's fastest (99.5th percentile)."""
    x: npt.NDArray[np.float32]
    """Where the motion is centred: 0 left, 1 right."""
    y: npt.NDArray[np.float32]
    """0 top, 1 bottom."""
    camera: npt.NDArray[np.float32]
    """Camera speed in picture widths a second."""
    cells: npt.NDArray[np.float16] = field(default_factory=lambda: np.zeros((0, 3, 4), np.float16))
    """The level of each part of the picture, 3 rows of 4, on the scale of `level`; shape (frames, 3, 4), or empty."""


@dataclass(frozen=True, slots=True)
class KeyFrame:
    """A frame kept to look at: for the report's strip and for visual encoders."""

    time_s: float
    shot: int
    """Which of the picture's shots it stands for."""
    jpeg: bytes
    """The picture, rotated as shown, at most 384 px wide."""


@dataclass(frozen=True, slots=True, eq=False)
class Picture:
    """What one look at all frames gives."""

    times_s: npt.NDArray[np.float64]
    """When each frame is shown, shape (frames,), rising, the first is 0."""
    shots: tuple[Shot, ...]
    """Touching, in order, from 0 to the clip's end."""
    motion: Motion
    impacts: tuple[Impact, ...]
    """By time; of all three cues, so one instant may be there under two: who plans knows which cue counts."""
    shot_cues: tuple[Cue | None, ...]
    """For each shot, the cue that its motion speaks for when nobody says what is done; None where nothing does."""
    key_frames: tuple[KeyFrame, ...]
    """By time; at least one a shot."""
    faults: tuple[str, ...]
    """What was wrong with the picture and how it was met, in words for a person."""


@dataclass(frozen=True, slots=True)
class Sight:
    """What a class of sounds looks like when it is made: what a visual encoder compares pictures with."""

    sound: str
    """Name of the class in the vocabulary."""
    label: str
    texts: tuple[str, ...]
    """Descriptions of the picture, at least one; averaged."""


@dataclass(frozen=True, slots=True)
class Sights:
    """Everything that can be recognised by sight."""

    items: tuple[Sight, ...]


@dataclass(frozen=True, slots=True)
class ScoredLabel:
    """A class that a shot looks like."""

    sound: str
    """Name of the class in the vocabulary."""
    label: str
    score: float
    """0 to 1, calibrated: 0.5 is as likely as not."""


@dataclass(frozen=True, slots=True, eq=False)
class Look:
    """What an encoder sees in one shot."""

    shot: int
    labels: tuple[ScoredLabel, ...]
    """The likeliest first; empty where nothing known is seen, or nobody looked."""
    embedding: npt.NDArray[np.float32]
    """Mean of the shot's key frames, of length 1, shape (n,); empty where nobody looked."""


@dataclass(frozen=True, slots=True, eq=False)
class Looks:
    """What is recognised in each shot, and which shots show the same place."""

    items: tuple[Look, ...]
    """One for each shot, in order."""
    places: tuple[int, ...]
    """For each shot the number of its place, from 0 in order of appearance; shots of one place share it."""
    encoder: str = ""
    """Who looked; "" where nobody could."""
    notes: tuple[str, ...] = ()
    """What a person should know, such as how to get the weights that are missing."""


@dataclass(frozen=True, slots=True, eq=False)
class Listening:
    """What the clip's own sound holds; all of its tracks together."""

    has_sound: bool
    """False where there is no track, or only silence."""
    loudness_lufs: float | None
    """Integrated, ITU-R BS.1770; None without sound."""
    speech: tuple[Span, ...]
    """Where somebody speaks, in order."""
    level_db: npt.NDArray[np.float32]
    """RMS level in dBFS for every 100 ms from the first frame on, shape (n,); empty without sound."""
    onsets_s: npt.NDArray[np.float64] = field(default_factory=lambda: np.zeros(0))
    """Where the clip's own sound has clear attacks outside speech, rising."""
    speech_by: str = ""
    """Who looked for speech; "" where nobody did."""


@dataclass(frozen=True, slots=True)
class Brief:
    """What the user asks for, before anything is known of the clip."""

    prompt: str = ""
    """What is heard, in plain words; may hold timed parts ("0:03 door slams; 0:05-0:08 footsteps")."""
    subtitles: Path | None = None
    """SDH subtitles or captions to read for sounds in brackets; where None, those beside and in the clip are."""
    cue_sheet: Path | None = None
    """CSV with columns start, end and description."""
    seed: int = 0
    generator: str = "auto"
    """What makes the sound of all events; "auto" leaves it to routing."""


@dataclass(frozen=True, slots=True)
class Hint:
    """One thing that a person or a file says is heard."""

    text: str
    start_s: float | None
    """None where no time is said."""
    end_s: float | None
    """None for an instant, or where no end is said."""
    source: Literal["prompt", "timed prompt", "subtitle", "cue sheet"]


@dataclass(frozen=True, slots=True)
class Hints:
    """All hints, timed ones in order of time."""

    items: tuple[Hint, ...]
    seed: int = 0
    """The brief's, carried on to the plan."""
    generator: str = "auto"
    """The brief's, carried on to the plan."""
