"""What was made: takes, where they lie, the mix. Sound that may be long stays on disk."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
import numpy.typing as npt

from foley.model.media import AudioFile
from foley.model.plan import Bus, PanPoint, Space

Chain = Literal["designed", "off"]
"""designed: every bus runs through the filters and the compressor of its kind; off: as it was placed."""


@dataclass(frozen=True, slots=True)
class Take:
    """The sound made for one event by one generator with one seed."""

    event_id: str
    key: str
    """Content of the request that made it: equal keys, equal samples."""
    audio: AudioFile
    """24-bit WAV at 48 kHz, one or two channels."""
    first_sample: int
    """Where on the clip's timeline its sample 0 lies; negative for a lead-in before the first frame."""
    nominal_db: float
    """Level of the take that its event's `level_db` is about: peak of a hit of strength 1, else RMS at intensity 1."""
    generator: str
    weights_licence: str
    commercial: bool
    """Whether the weights' licence allows commercial use."""
    notes: tuple[str, ...] = ()
    """What a person should know: a fallback, a stretch, a sound that was moved."""
    made_by: str = ""
    """Who made it, exactly: name and version of the generator, revision of its weights, what else decides its sound."""
    exact: bool = False
    """Its generator puts every hit where it belongs by itself."""
    lead_s: float = 0.0
    """What its generator lets be heard before the event's start, on purpose."""
    ring_s: float = 0.0
    """What its generator lets ring after the event's end."""


@dataclass(frozen=True, slots=True)
class Takes:
    """A take for every event that is heard, in the plan's order, as generated."""

    items: tuple[Take, ...]
    notes: tuple[str, ...] = ()
    """What a person should know of all of them: licences, for one."""
    weights: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    """SHA-256 of the files that each generator's weights were read from, by `Take.made_by` and name."""


@dataclass(frozen=True, slots=True)
class FittedTakes:
    """The takes on time: stretched to their slots, onsets moved onto their instants."""

    items: tuple[Take, ...]
    notes: tuple[str, ...] = ()
    """Those of the takes as generated."""
    weights: Mapping[str, Mapping[str, str]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Placement:
    """One take on the timeline, ready to be added to its bus."""

    event_id: str
    bus: Bus
    audio: AudioFile
    first_sample: int
    """On the clip's timeline; what lies before 0 or past the end is cut off, with a short fade."""
    gain_left: float
    """Factor for the left side; a stereo take's own channels keep their sides."""
    gain_right: float
    trim: float = 1.0
    """Factor of the editor's trim, which is part of both gains."""
    fade_in: int = 0
    """Samples, from where it is first heard; straight in amplitude."""
    fade_out: int = 0
    """Samples, to where the take or the timeline ends; nothing rings on after it."""
    path: tuple[PanPoint, ...] = ()
    """By time, on the clip's timeline: where a moving source is; the gains then hold the level alone."""
    air_m: float = 0.0
    """How much farther it sounds than where its level holds: what that much air takes, it has lost."""
    spaces: tuple[Space, ...] = ()
    """By start, not overlapping: the rooms that answer it."""
    room_gain: float = 1.0
    """Factor of the rooms' answer, beside the rooms' own level: more from afar."""


@dataclass(frozen=True, slots=True)
class Arrangement:
    """All placements of a clip: the mix before it is summed. It is summed block by block, never held."""

    placements: tuple[Placement, ...]
    """By first sample."""
    length: int
    """Samples at 48 kHz: exactly the picture's duration."""
    tone_alone: bool = False
    """Nothing is heard but backgrounds as quiet as room tone, which no loudness target is meant for."""


@dataclass(frozen=True, slots=True, eq=False)
class Master:
    """What was done to the sum: one gain, and one limiter curve for all stems so that they sum to the mix."""

    gain_db: float
    target_lufs: float | None
    """What it was made to reach; another target needs another master."""
    limiter: Mapping[Bus, npt.NDArray[np.float32]]
    """Gain at every millisecond, straight between, shape (milliseconds + 1,); the same for all stems, except where a
    later edit had to give way alone so that the other stems stay bit-identical."""
    bus_keys: Mapping[Bus, str]
    """Content of each bus it was made for: equal keys, equal samples."""
    chain: Chain = "off"
    """What the buses went through; what was kept by a release without chains went through none."""
    compressor: Mapping[Bus, npt.NDArray[np.float32]] = field(default_factory=dict)
    """Gain of each bus that was compressed, as the limiter's."""


@dataclass(frozen=True, slots=True, eq=False)
class PreviousMaster:
    """The master of the last render into the same folder; an edited plan keeps it, so that the rest stays as it is."""

    master: Master | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Mixdown:
    """The finished sound, all files 48 kHz/24-bit stereo and as long as the picture to the sample."""

    stems: Mapping[Bus, AudioFile]
    """The three usual ones always, music where the plan has it."""
    mix: AudioFile
    """The sum of the stems, sample by sample."""
    track: AudioFile
    """What goes into the video: the mix; where the clip's own sound speaks, over that sound and ducked under it."""
    has_original: bool
    """Whether the track carries the clip's own sound too."""
    replaces_original: bool
    """Whether the clip's own sound tracks are to be left out of the video."""
    target_lufs: float | None
    ceiling_dbtp: float
    master: Master
    notes: tuple[str, ...] = ()
    loudness: str = ""
    """Name of the profile that the target and the ceiling are of."""
