"""What dubbing works on: the files given for it, what a background lost under speech, and what was made for it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import numpy.typing as npt

from foley.model.media import AudioFile, Source
from foley.model.picture import Span
from foley.model.plan import Hit, SoundPlan

Fill = Literal["full", "augmented", "spot"]
"""How deep an M&E is filled: full: all that was lost, and its room tone; augmented: what is near, and what is strong
further off, no backgrounds; spot: what somebody named, and strong visible hits."""


@dataclass(frozen=True, slots=True)
class DubFile:
    """A dialogue track in another language."""

    language: str
    """ISO 639-2/T, e.g. "deu"."""
    title: str
    """What players show, e.g. "German"."""
    name: str
    """What its user called it, e.g. "de"; unique in its job."""
    source: Source


@dataclass(frozen=True, slots=True)
class DubJob:
    """What is given beside the video."""

    background: Source | None = None
    """Its sound without dialogue."""
    dialogue: Source | None = None
    """Its dialogue alone."""
    dubs: tuple[DubFile, ...] = ()


@dataclass(frozen=True, slots=True)
class Conformed:
    """The given files as 48 kHz/24-bit stereo, to the sample as long as the picture."""

    background: AudioFile | None
    dialogue: AudioFile | None
    dubs: Mapping[str, AudioFile]
    """By `DubFile.name`."""
    speech: Mapping[str, tuple[Span, ...]]
    """Where somebody speaks in each dub."""
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Separation:
    """The clip's sound in two: dialogue, and all else."""

    background: AudioFile
    dialogue: AudioFile | None
    """None where there is none to be had."""
    by: str
    """Who parted them: "given", "difference", "none", the program's name, or "spectral subtraction (poor)"."""
    speech: tuple[Span, ...]
    """Where dialogue sounds, so that the background may have suffered there."""
    background_db: npt.NDArray[np.float32]
    """RMS level of the background for every 10 ms, dBFS, shape (n,)."""
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Dip:
    """Where the background falls under its own surroundings."""

    start_s: float
    end_s: float
    floor_db: float | None
    """RMS level of the quiet of its surroundings; None where the whole background is silent."""
    rest_db: float
    """RMS level of what is left."""
    around: tuple[Span, ...] = ()
    """Stretches of the same background without speech, nearest first: what it should sound like."""


@dataclass(frozen=True, slots=True)
class Lost:
    """A part of a planned event that the background lacks under speech."""

    event_id: str
    start_s: float
    end_s: float
    hits: tuple[Hit, ...]
    """Those that are lost; empty for a *span*, which then is lost whole."""
    level_db: float | None
    """How loud the same event is where the background has it: highest RMS of 10 ms after an onset, median over its
    hits; None where it is heard nowhere."""


@dataclass(frozen=True, slots=True)
class Gaps:
    """Where the background lost effects."""

    dips: tuple[Dip, ...]
    lost: tuple[Lost, ...]
    kept: int
    """Planned hits under speech that the background still has."""
    floor_db: float
    """RMS level of the background's quiet where nobody speaks."""
    loud_db: float
    """Of its loudest hundredth there."""
    notes: tuple[str, ...] = ()


Layer = Literal["hits", "ambience"]


@dataclass(frozen=True, slots=True)
class Filling:
    """One event of the refilled plan, and what it is to match."""

    event_id: str
    """In the refilled plan."""
    made_for: str
    """The event of the whole plan that it is a part of."""
    label: str
    layer: Layer
    dip: int | None
    """Number of the dip that it fills; None for hits."""
    level_db: float | None
    """What it is to reach, as of `Lost`; None where nothing says."""
    trim_db: float
    """The editor's, which stays on top of what is matched."""


@dataclass(frozen=True, slots=True)
class Refill:
    """What is made to fill the gaps."""

    plan: SoundPlan
    """Only the parts of events that were lost."""
    fillings: tuple[Filling, ...]
    """One for each event of the plan."""
    dips: tuple[Dip, ...]
    """That are filled."""
    tone: bool
    """Whether dips get the background's own room tone."""
    left_out: tuple[str, ...]
    """What is lost and not filled, and why, in words."""


@dataclass(frozen=True, slots=True)
class FilledPlace:
    """Where the M&E differs from the background, fades included."""

    first_sample: int
    last_sample: int
    """One past the last that differs."""
    reason: str
    events: tuple[str, ...]
    """Ids in the whole plan; empty for room tone alone."""


@dataclass(frozen=True, slots=True)
class MusicAndEffects:
    """The filled background, 48 kHz/24-bit stereo, to the sample as long as the picture."""

    audio: AudioFile
    fills: AudioFile
    """What was added: the M&E less the background, exactly."""
    places: tuple[FilledPlace, ...]
    levels: Mapping[str, float]
    """What each filling was raised by to match its surroundings, in dB, by event of the refilled plan."""
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class LanguageMix:
    """One language's dialogue over the M&E."""

    name: str
    """That of its `DubFile`."""
    audio: AudioFile
    dub_lufs: float | None
    """The dub's loudness as it was given."""
    dub_gain_db: float
    """What it was raised by, to stand over the M&E as the original did."""
    integrated_lufs: float | None
    """Of the mix."""
    true_peak_dbtp: float
    speech: tuple[Span, ...]
    """Where somebody speaks: the M&E gives way there."""
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class LanguageMixes:
    """All languages."""

    items: tuple[LanguageMix, ...]
    speech_lufs: float | None
    """The original dialogue's loudness; None where it is not known."""
    background_lufs: float | None
    ratio_lu: float
    """How far speech stands over the M&E, before ducking."""
    measured: bool
    """Whether the ratio is the original's; else a usual one."""


@dataclass(frozen=True, slots=True)
class DubDestination:
    """Where a dubbed video goes."""

    video: Path
    folder: Path


@dataclass(frozen=True, slots=True)
class DubDelivery:
    """What lies where."""

    video: Path
    folder: Path
    me: Path
    mixes: Mapping[str, Path]
    """By the names of the dubs."""
    places: tuple[FilledPlace, ...]
    ratio_lu: float
    notes: tuple[str, ...]
