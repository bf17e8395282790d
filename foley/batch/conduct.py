"""Do a batch: give items to workers, replace those that are lost, see to time limits, note what becomes of each."""

from __future__ import annotations

import importlib
import threading
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from multiprocessing.connection import wait
from pathlib import Path
from typing import Any, Protocol

from foley.batch import machine, work
from foley.batch.before import looked_over
from foley.batch.items import Batch, Item, Outcome, Problem
from foley.batch.limits import LOOK_S, Limits, Stopwatch, crashed
from foley.batch.processes import Answered, CrashedError, Said, Worker
from foley.batch.schedule import Schedule
from foley.batch.summary import Summary
from foley.batch.work import Fetched, Job, Planned
from foley.pipeline.runner import StageProgress


@dataclass(frozen=True, slots=True)
class Options:
    """How a batch is done."""

    jobs: int = 0
    """Videos at once; 0 for as many as there are cores, if the memory holds them."""
    retries: int = 1
    """How often an item is done again over which a worker was lost, or that may come out well another time."""
    timeout_s: float = 0.0
    """The longest that a video may take; 0 for no limit."""
    stage_timeout_s: float = 0.0
    """The longest that one stage of it may take; 0 for no limit."""
    fail_fast: bool = False
    """The first failure ends the batch."""
    strict: bool = False
    """What fails its quality check counts as failed."""
    summary: Path | None = None
    """Where the summary is written; its page lies beside it. None: nowhere."""

    def __post_init__(self) -> None:
        if min(self.jobs, self.retries) < 0:
            raise ValueError("jobs and retries must be 0 or more")
        if min(self.timeout_s, self.stage_timeout_s) < 0.0:
            raise ValueError("time limits must be 0 or more")

    def limits(self, job: Job | None = None) -> Limits:
        """Return how long a video may take, or a job; the sounds of several videos are one stage, as long as all."""
        if job is None or job.kind != "takes":
            return Limits(self.timeout_s, self.stage_timeout_s)
        return Limits(self.timeout_s * len(job.items))


class Listener(Protocol):
    """Told what happens."""

    def starts(self, items: Sequence[Item], jobs: int) -> None:
        """Be told what there is to do, and how much of it at once."""

    def began(self, item: Item, attempt: int) -> None:
        """Be told that an item is begun."""

    def progress(self, item: Item, now: StageProgress) -> None:
        """Be told how far an item is."""

    def again(self, item: Item, problem: Problem) -> None:
        """Be told why an item is done again."""

    def ended(self, item: Item, outcome: Outcome) -> None:
        """Be told what became of an item."""


class Silent:
    """Listens to nothing."""

    def starts(self, items: Sequence[Item], jobs: int) -> None:
        """Ignore it."""

    def began(self, item: Item, attempt: int) -> None:
        """Ignore it."""

    def progress(self, item: Item, now: StageProgress) -> None:
        """Ignore it."""

    def again(self, item: Item, problem: Problem) -> None:
        """Ignore it."""

    def ended(self, item: Item, outcome: Outcome) -> None:
        """Ignore it."""


@dataclass(eq=False)
class _Hand:
    """A worker with what it is at."""

    worker: Worker
    job: Job | None = None
    watch: Stopwatch = field(default_factory=Stopwatch)


def run(items: Iterable[Item], options: Options | None = None, listener: Listener | None = None) -> Batch:
    """Do all items and return what became of each.

    What is finished already is not done again; what asks for the very same is made once. Workers are processes of their
    own: a program that calls this from its main file must do so under `if __name__ == "__main__":`.

    Args:
        items: The rows, as `rows.read_rows` returns them.
        options: How.
        listener: Told what happens meanwhile.
    """
    conductor = _Conductor(tuple(items), options or Options(), listener or Silent())
    try:
        return conductor.run()
    finally:
        conductor.end()


class _Conductor:
    """One batch while it is done."""

    def __init__(self, items: tuple[Item, ...], options: Options, listener: Listener) -> None:
        self.options, self.listener = options, listener
        self.items = items
        self.summary = Summary(items, options.summary, strict=options.strict)
        self.jobs = options.jobs or machine.jobs_here(len(items))
        self.hands: list[_Hand] = []
        self.model_hand: _Hand | None = None
        self.stopped = False
        self._endings: list[threading.Thread] = []

    def run(self) -> Batch:
        """Do everything."""
        self.listener.starts(self.items, self.jobs)
        self.schedule = Schedule(self._unfinished(), uses_models=_models().may_be_asked)
        while not self.stopped and (len(self.schedule) or self._at_work()):
            self._give_out()
            self._listen()
            self._see_to_limits()
        return self.summary.batch()

    def end(self) -> None:
        """End the workers and write the summary, whatever ended the batch."""
        for hand in (*self.hands, *([self.model_hand] if self.model_hand else [])):
            self._dismiss(hand)
        for ending in self._endings:
            ending.join()
        self.summary.write()

    def _unfinished(self) -> list[Item]:
        """Return what is to be done; note what is done already and what cannot be."""
        found: list[Item] = []
        for item, outcome in looked_over(self.items):
            if outcome is not None:
                self._note(item, outcome)
            else:
                found.append(item)
        return [] if self.stopped else found

    def _at_work(self) -> bool:
        return any(hand.job for hand in self.hands) or bool(self.model_hand and self.model_hand.job)

    def _give_out(self) -> None:
        """Give every worker something to do that has nothing, as long as there is something."""
        while not self.stopped:
            busy = sum(hand.job is not None for hand in self.hands)
            if busy >= self.jobs or (job := self.schedule.next(busy=busy)) is None:
                break
            self._give(next((hand for hand in self.hands if not hand.job), None) or self._hire(), job)
        job = None if self.stopped else self.schedule.next_takes()
        if job is not None:
            self.model_hand = self.model_hand or _Hand(Worker(work.do))
            self._give(self.model_hand, job)

    def _hire(self) -> _Hand:
        self.hands.append(_Hand(Worker(work.do, threads=machine.threads_each(self.jobs))))
        return self.hands[-1]

    def _give(self, hand: _Hand, job: Job) -> None:
        hand.job, hand.watch = job, Stopwatch()
        if job.kind == "run":
            self.listener.began(job.items[0], self.schedule.attempts[job.items[0].number])
        try:
            hand.worker.give(job)
        except CrashedError as cause:
            self._lost(hand, crashed(cause), alone=cause.killed)

    def _listen(self) -> None:
        """Take in what workers say, waiting for it a little."""
        working = [hand for hand in (*self.hands, self.model_hand) if hand and hand.job]
        talking = {hand.worker.talk: hand for hand in working}
        for talk in wait(list(talking), LOOK_S) if talking else ():
            hand = talking[talk]  # type: ignore[index]
            try:
                message = hand.worker.message()
            except CrashedError as cause:
                self._lost(hand, crashed(cause), alone=cause.killed)
                continue
            if isinstance(message, Answered):
                self._answered(hand, message)
                continue
            hand.watch.take_in(message)
            if isinstance(message, Said) and hand.job and hand.job.kind != "takes":
                self.listener.progress(hand.job.items[0], message.progress)

    def _answered(self, hand: _Hand, message: Answered) -> None:
        job, answer = hand.job, message.answer
        hand.job = None
        assert job is not None
        if isinstance(answer, Planned):
            self.schedule.planned(job.items[0], well=answer.problem is None)
        elif isinstance(answer, Fetched):
            self.schedule.takes_made(job.items, answer.unmade)
        else:
            self._settle(job.items[0], answer, alone=False)

    def _settle(self, item: Item, outcome: Outcome, *, alone: bool) -> None:
        """Note what became of an item, or do it again where that may help."""
        attempts = max(1, self.schedule.attempts[item.number])
        if outcome.problem and outcome.problem.again and attempts <= self.options.retries:
            self.listener.again(item, outcome.problem)
            self.schedule.again(item, alone=alone or outcome.problem.kind == "MemoryError")
            return
        outcome = replace(outcome, attempts=attempts)
        self._note(item, outcome)
        for other, same in self.schedule.ended(item, outcome):
            self._note(other, same)

    def _note(self, item: Item, outcome: Outcome) -> None:
        self.summary.add(outcome)
        self.listener.ended(item, outcome)
        if self.options.fail_fast and not self.summary.is_good(outcome):
            self.stopped = True

    def _see_to_limits(self) -> None:
        """End workers that take longer than they may."""
        for hand in (*self.hands, self.model_hand):
            if hand and hand.job and (problem := hand.watch.overdue(self.options.limits(hand.job))):
                self._lost(hand, problem, alone=False)

    def _lost(self, hand: _Hand, problem: Problem, *, alone: bool) -> None:
        """Do without a worker: another takes over what it was at."""
        job, hand.job = hand.job, None
        assert job is not None
        self._dismiss(hand)
        if hand is self.model_hand:
            self.model_hand = None
        else:
            self.hands.remove(hand)
        if job.kind == "takes":  # each then makes its own, one after another
            self.schedule.takes_made(job.items, [item.number for item in job.items])
            return
        if job.kind == "plan":
            self.schedule.plan_again()
            self.schedule.attempts[job.items[0].number] += 1
        self._settle(job.items[0], work.failed(job.items[0], problem), alone=alone)

    def _dismiss(self, hand: _Hand) -> None:
        """End a worker, without waiting for it."""
        ending = threading.Thread(target=hand.worker.end, name="dismissal")
        ending.start()
        self._endings.append(ending)


def _models() -> Any:
    """Return who says which items may go to models; loaded by name, as it asks generators, which may hang on torch."""
    return importlib.import_module("foley.batch.models").Models()
