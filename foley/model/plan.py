"""What is to be heard: the plan that people edit and everything after it follows from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Literal

from foley.model.picture import Cue, Region, Shot

PLAN_SCHEMA = "foley.plan/1"

Kind = Literal["hits", "span", "bed"]
"""hits: at instants; span: while something lasts; bed: ambience under shots."""

Bus = Literal["foley", "effects", "backgrounds", "music"]
"""Where an event is summed: performed sound, hard effects, ambience; music where a plan asks for it."""


Room = Literal["none", "small_interior", "large_interior", "exterior", "under_water"]
"""How the place answers a sound; none: dry, as the take is."""

EventRoom = Literal["auto", "none", "small_interior", "large_interior", "exterior", "under_water"]
"""A room of an event's own; auto: the plan's space at that time."""


@dataclass(frozen=True, slots=True)
class Hit:
    """One instant of an event of kind *hits*."""

    time_s: float
    strength: float = 1.0
    """0 (barely) to 1 (as hard as it gets)."""


@dataclass(frozen=True, slots=True)
class CurvePoint:
    """One corner of an intensity curve; between corners it runs straight."""

    time_s: float
    level: float
    """0 to 1."""


@dataclass(frozen=True, slots=True)
class PanPoint:
    """Where a moving source is at one instant; between points it moves straight."""

    time_s: float
    pan: float
    """-1 left to 1 right."""


@dataclass(frozen=True, slots=True)
class Space:
    """A stretch of the clip that plays in one room."""

    start_s: float
    end_s: float
    room: Room
    because: str
    """The evidence, in one sentence."""


@dataclass(frozen=True, slots=True)
class SoundEvent:
    """One sound with a reason."""

    id: str
    """Unique in its plan, stable over edits, e.g. "e03-hammer-anvil"."""
    label: str
    """What is heard, in a few words."""
    kind: Kind
    bus: Bus
    start_s: float
    """Start on the clip's timeline; the first hit of *hits*."""
    end_s: float
    """Where the sound's cause ends; what rings on may last longer."""
    because: str
    """The evidence, in one sentence."""
    hits: tuple[Hit, ...] = ()
    """By time, inside [start_s, end_s]; only for *hits*."""
    curve: tuple[CurvePoint, ...] = ()
    """Intensity over time of a *span* or *bed*; empty means an even 1."""
    ucs: str = ""
    """CatID of the Universal Category System 8.2.1, e.g. "METLImpt"."""
    prompt: str = ""
    """For generators that read: how it sounds."""
    avoid: str = ""
    """For generators that read: what must not be heard."""
    recipe: str = ""
    """For the procedural generator: the name of its recipe; "" where it has none."""
    parameters: Mapping[str, float | str] = field(default_factory=dict)
    """For the procedural generator: the recipe's parameters."""
    generator: str = "auto"
    """What makes the sound; "auto" leaves it to routing."""
    seed: int = 0
    level_db: float = -18.0
    """Usual level of such a sound, dBFS before mastering: peak of a hit of strength 1, else RMS at intensity 1."""
    gain_db: float = 0.0
    """An editor's trim on top."""
    fade_in_s: float = 0.0
    """An editor's fade over the take's first seconds, straight in amplitude."""
    fade_out_s: float = 0.0
    """An editor's fade over the take's last seconds."""
    pan: float = 0.0
    """-1 left to 1 right; where a `path` is given, it moves instead."""
    path: tuple[PanPoint, ...] = ()
    """By time: where a moving source is; before the first and after the last point it stays there."""
    room: EventRoom = "auto"
    """Where it sounds."""
    distance_m: float = 2.0
    """How far away it sounds: twice as far is 6 dB quieter."""
    level_at_m: float = 2.0
    """The distance at which `level_db` holds."""
    confidence: float = 1.0
    """0 to 1: how sure the planner is that this is heard, there."""
    placeholder: bool = False
    """The procedural sound is honestly poor here: any other generator is preferred."""
    locked: bool = False
    """A person has decided: planners leave it as it is."""
    muted: bool = False
    """Stays in the plan, is not heard."""

    @property
    def duration_s(self) -> float:
        """Return how long the sound's cause lasts."""
        return self.end_s - self.start_s


@dataclass(frozen=True, slots=True)
class Step:
    """One question that a planner put to a model, and its answer as it came."""

    name: str
    """E.g. "seen", "sounds", "times", "closer look at 0:02.1"."""
    answer: str


@dataclass(frozen=True, slots=True)
class Reasoning:
    """Why the plan is as it is, in four parts, each a few sentences."""

    semantic: str
    """What is heard."""
    temporal: str
    """When."""
    aesthetic: str
    """How it should sound."""
    spatial: str
    """From where."""
    steps: tuple[Step, ...] = ()
    """What a model answered on the way, word for word; empty for planners that ask nobody."""


@dataclass(frozen=True, slots=True)
class ClipIdentity:
    """Which clip a plan belongs to."""

    path: str = field(metadata={"identity": False})
    """Relative to the plan's folder where it can be, as a POSIX path."""
    key: str
    duration_s: Fraction
    frame_rate: Fraction


@dataclass(frozen=True, slots=True)
class SoundPlan:
    """What is to be heard in a clip, and why."""

    clip: ClipIdentity
    shots: tuple[Shot, ...]
    hints: tuple[str, ...]
    """The hints that were used, in words."""
    reasoning: Reasoning
    events: tuple[SoundEvent, ...]
    """By start."""
    planner: str = "rules"
    spaces: tuple[Space, ...] = ()
    """By start, not overlapping; between them sounds stay dry."""


@dataclass(frozen=True, slots=True)
class ProposedSound:
    """One sound that a planner proposes, before its times are checked against the picture."""

    label: str
    kind: Kind
    bus: Bus
    because: str
    cue: Cue | None
    """How its instants show; None where they do not show."""
    start_s: float | None = None
    """Where the planner believes it begins; None: to be found in the picture."""
    end_s: float | None = None
    exact: bool = False
    """The times come from a person or a timed file: they hold, only an instant near one is moved onto it."""
    shots: tuple[int, ...] = ()
    """Numbers of the shots it may sound in; empty: all."""
    region: Region | None = None
    """Where in the picture it happens; None: anywhere."""
    periodic: bool = False
    """Repeats evenly (hammering, walking): its instants are regularised by their own period."""
    count: int | None = None
    """How many hits somebody says there are ("three knocks"); None: as many as are seen."""
    ucs: str = ""
    prompt: str = ""
    avoid: str = ""
    recipe: str = ""
    parameters: Mapping[str, float | str] = field(default_factory=dict)
    level_db: float = -18.0
    intensity: float = 1.0
    """How strong a *bed* usually is, 0 to 1: an idling engine is weak."""
    distance_m: float = 2.0
    confidence: float = 1.0
    placeholder: bool = False


@dataclass(frozen=True, slots=True)
class Proposal:
    """What a planner answers: sounds and its reasons, not yet checked."""

    planner: str
    sounds: tuple[ProposedSound, ...]
    reasoning: Reasoning
    hints: tuple[str, ...]
    seed: int = 0
    generator: str = "auto"
