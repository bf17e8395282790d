"""What editors work on: takes as items on tracks, and what came back from an editor. Positions: samples at 48 kHz."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

from foley.model.media import AudioFile
from foley.model.plan import Bus


@dataclass(frozen=True, slots=True)
class TimelineItem:
    """One event's sound on a track.

    Its audio is the event's share of its stem, as mastered, without the event's own trim and fades: with gain and
    fades applied, the items of a bus sum to its stem.
    """

    event_id: str
    name: str
    """The event's label."""
    bus: Bus
    audio: AudioFile
    """Stereo, 48 kHz/24 bit; reaches over both ends of the item by the handles."""
    source_first: int
    """Which sample of the audio is heard first: the length of the handle before the item."""
    first_sample: int
    """Where on the timeline; never negative."""
    length: int
    gain_db: float
    fade_in: int
    """Samples; straight in amplitude."""
    fade_out: int
    note: str
    """Why it is there: the planner's reason."""
    ucs: str = ""
    hits: tuple[int, ...] = ()
    """Instants of an event of kind *hits*, on the timeline."""


@dataclass(frozen=True, slots=True)
class TimelineMarker:
    """A note at an instant of the timeline."""

    at_sample: int
    length: int
    """0 for an instant."""
    name: str
    note: str


@dataclass(frozen=True, slots=True)
class Timeline:
    """A clip's finished sound as an editor opens it."""

    name: str
    video: Path
    """The clip itself."""
    width_px: int
    height_px: int
    frame_rate: Fraction
    start_frame: int
    """Time code of the first frame, counted in frames: 0 where the clip has none."""
    drop_frame: bool
    """Whether that time code is a drop-frame one."""
    frames: int
    """Whole frames that hold the picture."""
    length: int
    """Samples: exactly the picture's duration."""
    items: tuple[TimelineItem, ...]
    """By first sample; muted events have none."""
    markers: tuple[TimelineMarker, ...]
    stems: Mapping[Bus, AudioFile]
    mix: AudioFile


@dataclass(frozen=True, slots=True)
class EditedItem:
    """An item as an editor's timeline holds it now; times in seconds from the first frame of the picture."""

    event_id: str
    start_s: float
    source_start_s: float
    """Where in its sound file it begins."""
    duration_s: float
    gain_db: float
    fade_in_s: float
    fade_out_s: float
    muted: bool
