"""Time limits of a video and of its stages: what takes longer is ended, with all that it started."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from foley.batch.items import CRASHED, OVERDUE, Problem
from foley.batch.processes import Answered, Begun, CrashedError, Said, Worker
from foley.pipeline.runner import StageProgress

LOOK_S = 0.25
"""How often time limits are looked at."""

START_S = 120.0
"""For a worker to be ready: on a busy machine, or from a slow disk, it loads its libraries for much longer than a stage
may take, and what it is given does not wait the less for it."""

Tell = Callable[[StageProgress], None]


@dataclass(frozen=True, slots=True)
class Limits:
    """How long a piece of work may take."""

    whole_s: float = 0.0
    """0 for no limit."""
    stage_s: float = 0.0
    """Each stage of it; 0 for no limit."""

    def __bool__(self) -> bool:
        """Return whether there is any."""
        return bool(self.whole_s or self.stage_s)


class Stopwatch:
    """Times a piece of work, and the stage that it is at."""

    def __init__(self) -> None:
        """Wait for its worker to be ready."""
        self._stage, self._allowed_s = "", START_S
        self._began_s = self._stage_began_s = time.monotonic()

    def take_in(self, message: Begun | Said) -> None:
        """Be told that it is begun, or how far it is."""
        if isinstance(message, Begun):
            self._allowed_s = 0.0
            self._began_s = self._stage_began_s = time.monotonic()
        elif message.progress.stage != self._stage:
            self._stage, self._stage_began_s = message.progress.stage, time.monotonic()

    def overdue(self, limits: Limits) -> Problem | None:
        """Return what is wrong where it takes longer than it may."""
        now_s = time.monotonic() - self._allowed_s
        if limits.whole_s and now_s - self._began_s > limits.whole_s:
            return self._problem(f"it took longer than {limits.whole_s:g} s", "--timeout")
        if limits.stage_s and now_s - self._stage_began_s > limits.stage_s:
            return self._problem(f"a stage took longer than {limits.stage_s:g} s", "--stage-timeout")
        return None

    def _problem(self, what: str, option: str) -> Problem:
        said = f"{what}, at {self._stage or 'its start'}"
        return Problem(OVERDUE, said, f"allow more with {option}", 1, again=True)


def crashed(cause: CrashedError) -> Problem:
    """Return what is wrong where a worker was lost over a piece of work."""
    hint = "perhaps the memory ran out: try fewer --jobs" if cause.killed else "foley --debug run VIDEO may say more"
    return Problem(CRASHED, str(cause), hint, 1, again=True)


_KEPT: list[Worker] = []
"""The worker of this process, kept warm between two pieces of work; none where it is at work, or was ended."""


def done_within(limits: Limits, work: Callable[[Tell], Any]) -> Any:
    """Return what a piece of work gives, done in another process; a `Problem` where that takes too long or is lost.

    Args:
        limits: How long it may take.
        work: Can be pickled; it is called with what it tells how far it is.
    """
    worker = _KEPT.pop() if _KEPT else Worker(_do)
    try:
        answer = _answer(worker, limits, work)
    except BaseException:  # an interrupt: nobody waits for it any more
        worker.end()
        raise
    if isinstance(answer, Problem):
        worker.end()
        return answer
    _KEPT.append(worker)
    return answer.answer


def _answer(worker: Worker, limits: Limits, work: Callable[[Tell], Any]) -> Answered | Problem:
    watch = Stopwatch()
    try:
        worker.give(work)
        while (problem := watch.overdue(limits)) is None:
            if not worker.talk.poll(LOOK_S):
                continue
            message = worker.message()
            if isinstance(message, Answered):
                return message
            watch.take_in(message)
    except CrashedError as cause:
        return crashed(cause)
    return problem


def _do(work: object, tell: Tell) -> object:
    assert callable(work)
    return work(tell)
