"""What a batch is made of: an item is one video with what is asked for it, an outcome is what became of it."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from foley.api import Settings
from foley.batch.quality import Quality
from foley.errors import FoleyError, GenerationError
from foley.model import Brief
from foley.pipeline.runner import StageTime

State = Literal["done", "known", "failed", "skipped"]
"""known: it was done before; skipped: the batch ended before it was begun."""

GOOD: tuple[State, ...] = ("done", "known")

SOME_FAILED = 12
"""Exit code where some items were done and some were not."""

NONE_DONE = 13
"""Exit code where nothing was done."""

UNFORESEEN = "Unforeseen"
CRASHED = "WorkerCrashed"
OVERDUE = "Overdue"
NOT_BEGUN = "NotBegun"


@dataclass(frozen=True, slots=True)
class Item:
    """One video and what is asked for it: all that a worker on this machine or another needs."""

    number: int
    """In the batch, from 1."""
    video: Path
    output: Path
    """The finished video, named to the end."""
    brief: Brief = field(default_factory=Brief)
    settings: Settings = field(default_factory=Settings)
    exports: tuple[str, ...] = ()
    """Forms of timelines that are written too."""
    row: str = ""
    """Where it was named, for people: "night.csv:3"."""
    request: str = ""
    """Content key of the video and of all that is asked for it; "" where it is not known yet."""


@dataclass(frozen=True, slots=True)
class Problem:
    """What went wrong with an item."""

    kind: str
    """The class of the error, e.g. NotAMediaFileError; or Unforeseen, WorkerCrashed, Overdue, NotBegun."""
    message: str
    hint: str = ""
    exit_code: int = 1
    again: bool = False
    """Whether the same may come out well another time."""

    @classmethod
    def of(cls, error: BaseException) -> Problem:
        """Return an error as it is told to people."""
        if isinstance(error, FoleyError):
            again = isinstance(error, GenerationError) and error.retryable
            return cls(type(error).__name__, error.message, error.hint, error.exit_code, again)
        if isinstance(error, MemoryError):
            return cls("MemoryError", "there was not enough memory", "use fewer --jobs", 1, again=True)
        what = f"this should not happen: {type(error).__name__}: {error}"
        return cls(UNFORESEEN, what, "please report it with the output of: foley --debug run VIDEO", 1)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of an item."""

    number: int
    state: State
    video: str
    """The finished video."""
    folder: str
    """With plan, takes, stems and report."""
    seconds: float = 0.0
    """That the last attempt took."""
    stages: tuple[StageTime, ...] = ()
    quality: Quality | None = None
    problem: Problem | None = None
    thumbnail: str = ""
    """A small picture as a data URI."""
    memory_mb: int = 0
    """The most that the process which did it ever held."""
    attempts: int = 1
    same_as: int = 0
    """Number of the item that asks for the same and was done first; 0 where there is none."""

    @property
    def good(self) -> bool:
        """Return whether the finished video is there."""
        return self.state in GOOD


@dataclass(frozen=True, slots=True)
class Batch:
    """What became of a batch."""

    items: tuple[Item, ...]
    outcomes: tuple[Outcome, ...]
    """In the order of the items."""
    seconds: float
    strict: bool = False
    """Whether what fails its quality check counts as failed."""

    def is_good(self, outcome: Outcome) -> bool:
        """Return whether an outcome counts as done."""
        failed = outcome.quality is not None and outcome.quality.verdict == "fail"
        return outcome.good and not (self.strict and failed)

    @property
    def done(self) -> int:
        """Return how many items are done."""
        return sum(map(self.is_good, self.outcomes))

    @property
    def exit_code(self) -> int:
        """Return what a command that did the batch ends with: 0 all done, 12 some failed, 13 none done."""
        if self.done == len(self.outcomes):
            return 0
        return SOME_FAILED if self.done else NONE_DONE

    def counts(self) -> dict[str, int]:
        """Return how many items there are of each state, and of each verdict."""
        states = Counter(outcome.state for outcome in self.outcomes)
        verdicts = Counter(outcome.quality.verdict for outcome in self.outcomes if outcome.quality)
        return {
            **{state: states[state] for state in ("done", "known", "failed", "skipped")},
            **{verdict: verdicts[verdict] for verdict in ("pass", "warn", "fail")},
        }
