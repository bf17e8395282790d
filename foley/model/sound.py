"""What was made: takes, where they lie, the mix. Sound that may be long stays on disk."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from foley.model.media import AudioFile
from foley.model.plan import Bus


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


@dataclass(frozen=True, slots=True)
class Arrangement:
    """All placements of a clip: the mix before it is summed. It is summed block by block, never held."""

    placements: tuple[Placement, ...]
    """By first sample."""
    length: int
    """Samples at 48 kHz: exactly the picture's duration."""


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


@dataclass(frozen=True, slots=True, eq=False)
class PreviousMaster:
    """The master of the last render into the same folder; an edited plan keeps it, so that the rest stays as it is."""

    master: Master | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Mixdown:
    """The finished sound, all files 48 kHz/24-bit stereo and as long as the picture to the sample."""

    stems: Mapping[Bus, AudioFile]
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
