"""What goes over the wire: requests are checked against these types, and the OpenAPI document is made from them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal

State = Literal["queued", "running", "done", "failed", "cancelled"]
Task = Literal["run", "plan"]

ENDED: tuple[State, ...] = ("done", "failed", "cancelled")
"""States that a job does not leave."""

MOST_CHARACTERS = 200_000
"""Of a prompt: a long film's spotting notes fit ten times."""

MOST_KEY_CHARACTERS = 200
"""Of a client's own name for a job: more than a UUID with the path of a project."""

SEEDS = 2**63
"""Whole numbers that a plan file and every generator can hold."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wishes:
    """What is asked for a clip; also the fields of a sidecar in a watched folder."""

    prompt: str = ""
    """What is heard, in words; may be timed: "0:03 door slams; rain"."""
    seed: int = 0
    """Another seed, other takes."""
    generator: str = "auto"
    """What makes the sound; auto leaves it to routing."""
    subtitles: str = ""
    """File of SDH subtitles: the sounds in their brackets are hints."""
    cue_sheet: str = ""
    """File, CSV with start, end, description."""
    loudness: str = ""
    """Profile of the mix; the workflow's where empty."""
    original: Literal["", "keep", "replace"] = ""
    """What becomes of the clip's own sound tracks; the workflow's way where empty."""
    workflow: str = ""
    """Name of a workflow; the service's own where empty."""
    overwrite: bool = False
    """Replace a result that is there already."""
    exports: tuple[str, ...] = ()
    """Forms of timelines that are written too, into `export/` beside the plan: otio, fcp7, aaf, rpp, mlt, or all."""

    def __post_init__(self) -> None:
        if not 0 <= self.seed < SEEDS:
            raise ValueError(f"seed must be 0 or more and less than 2^63, got {self.seed}")
        if len(self.prompt) > MOST_CHARACTERS:
            raise ValueError(f"prompt may have {MOST_CHARACTERS} characters, not {len(self.prompt)}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask(Wishes):
    """All that is asked for a clip."""

    options: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """Options of stages, by stage and name, as `--set STAGE.OPTION=VALUE` sets them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class JobRequest(Ask):
    """A job: one clip, by its path on this machine or by an upload, and what is asked for it."""

    __pydantic_config__: ClassVar[dict[str, Any]] = {"extra": "forbid", "strict": True}

    task: Task = "run"
    """run: finished video, stems, plan, report; plan: the plan alone."""
    video: str = ""
    """Absolute path of the clip, under a root of the service."""
    upload: str = ""
    """Id of an upload, instead of `video`; it belongs to this job from now on."""
    output: str = ""
    """Absolute path of the finished video, under a root; in the job's own folder where empty."""
    key: str = ""
    """Your own name for the job: a request that is sent again with the same key is not done again."""

    def __post_init__(self) -> None:
        super(JobRequest, self).__post_init__()  # slots make another class of it: bare super() finds the first
        if bool(self.video) == bool(self.upload):
            raise ValueError("name the clip either with video or with upload")
        if len(self.key) > MOST_KEY_CHARACTERS:
            raise ValueError(f"key may have {MOST_KEY_CHARACTERS} characters")


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a job is."""

    stage: str
    doing: str
    """What is done now, in words; the stage where nothing more is said."""
    number: int
    """Of the stage, from 1."""
    total: int
    """How many stages there are."""
    done: float
    """Of the whole, 0 to 1."""


@dataclass(frozen=True, slots=True)
class Problem:
    """What went wrong."""

    kind: str
    """Its class, e.g. NotAMediaFileError, OptionError, Unauthorised."""
    message: str
    hint: str
    """What to do next; may be empty."""


@dataclass(frozen=True, slots=True)
class Result:
    """What a job made."""

    video: str
    """Path of the finished video; empty for a plan."""
    folder: str
    """Path of the folder with plan, takes, stems and report."""
    plan: str
    """Path of the plan."""
    events: int
    """How many sounds are planned."""
    integrated_lufs: float | None
    """Of the mix; null where it is silent, very short, or only planned."""
    true_peak_dbtp: float | None
    notes: tuple[str, ...]
    """What a person should know, worst first."""


@dataclass(frozen=True, slots=True)
class JobView:
    """A job as it is now."""

    id: str
    state: State
    task: Task
    video: str
    """Path of the clip; empty where it was sent."""
    prompt: str
    key: str
    created_s: float
    """Seconds since 1970."""
    started_s: float | None
    """Of the latest attempt."""
    ended_s: float | None
    attempts: int
    """How often it was begun: more than once where the service was ended over it."""
    revision: int
    """Grows with every change."""
    progress: Progress | None
    result: Result | None
    error: Problem | None


@dataclass(frozen=True, slots=True)
class JobList:
    """Jobs, the newest first."""

    jobs: tuple[JobView, ...]
    more: bool
    """Whether older ones follow: ask with `before` and the last id."""


@dataclass(frozen=True, slots=True)
class FileView:
    """A file that a job made."""

    name: str
    """As in the address of the file, e.g. clip.foley/stems/mix.wav."""
    size_bytes: int
    media_type: str


@dataclass(frozen=True, slots=True)
class FileList:
    """All files that a job made."""

    files: tuple[FileView, ...]


@dataclass(frozen=True, slots=True)
class UploadView:
    """A clip that was sent."""

    id: str
    name: str
    size_bytes: int


@dataclass(frozen=True, slots=True)
class Health:
    """The service lives."""

    status: Literal["ok", "ending"]
    version: str
    """Of foley."""


@dataclass(frozen=True, slots=True)
class Readiness:
    """Whether the service can take work."""

    ready: bool
    checks: Mapping[str, str]
    """Of queue, workers, disk, and whether it is open: "ok", or what is wrong."""


@dataclass(frozen=True, slots=True)
class Removed:
    """What was deleted."""

    id: str
