"""Sees that what is queued gets done: an attendant takes a job, gives it to its worker and notes what comes of it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from foley.errors import FoleyError
from foley.service import leases
from foley.service.hands import Hand
from foley.service.jobs import Job, JobStore
from foley.service.messages import Problem, Progress, Result, State
from foley.service.telemetry import Telemetry
from foley.service.work import Order, problem
from foley.service.workers import CrashedError

NOTE_S = 0.25
"""How often at most progress is written down: oftener no eye can follow, and each is a write to the disk."""

IDLE_S = 0.5
"""How soon a job that another service put into the queue is seen."""

REST_S = 5.0
"""After a worker that could not be started, a queue that could not be written, or a disk without room."""

CANCELLED, ENDING = "cancelled", "ending"
"""Why a job is stopped."""


class Supervisor:
    """The attendants of a service."""

    def __init__(
        self,
        store: JobStore,
        order_of: Callable[[Job], Order],
        *,
        telemetry: Telemetry,
        has_room: Callable[[], bool],
        workers: int = 1,
        debug: bool = False,
    ) -> None:
        """Make ready; `start` begins.

        Args:
            store: The queue.
            order_of: Makes what a worker is told of a job.
            telemetry: Told what happens.
            has_room: Whether the disk takes what another job makes; without room none is begun, and none fails for it.
            workers: How many jobs are done at once.
            debug: Workers say where unforeseen errors come from.
        """
        self.store, self.order_of, self.telemetry = store, order_of, telemetry
        self.has_room, self.workers, self.debug = has_room, workers, debug
        self.wake = threading.Event()
        self._draining, self._ending = threading.Event(), threading.Event()
        self._up: set[int] = set()
        self._threads = [
            threading.Thread(target=self._attend, args=[number], name=f"attendant-{number}")
            for number in range(1, workers + 1)
        ]

    @property
    def is_draining(self) -> bool:
        """Return whether no new job is begun any more."""
        return self._draining.is_set()

    @property
    def is_ending(self) -> bool:
        """Return whether jobs that run are put back."""
        return self._ending.is_set()

    @property
    def workers_up(self) -> int:
        """Return how many workers take jobs, or are at one; one that is being replaced counts until that fails."""
        return len(self._up)

    def start(self) -> None:
        """Begin to work."""
        for thread in self._threads:
            thread.start()

    def drain(self, most_s: float) -> None:
        """Begin no new job, and wait for those that run, for so long at most."""
        self._draining.set()
        self.wake.set()
        until_s = time.monotonic() + most_s
        for thread in self._threads:
            thread.join(max(0.0, until_s - time.monotonic()))

    def begin_to_end(self) -> None:
        """Begin no new job; those that run go back into the queue."""
        self._draining.set()
        self._ending.set()
        self.wake.set()

    def end(self) -> None:
        """Put the jobs that run back into the queue and end the workers."""
        self.begin_to_end()
        for thread in self._threads:
            thread.join()

    def mark(self, number: int, *, up: bool) -> None:
        """Note whether a worker takes jobs."""
        (self._up.add if up else self._up.discard)(number)

    def _attend(self, number: int) -> None:
        """Do jobs, whatever becomes of one, until the service ends."""
        while not self.is_draining:
            attendant = _Attendant(self, number)
            try:
                attendant.work()
            except Exception as error:  # noqa: BLE001 - without attendants, nobody would do what is queued
                self.telemetry.log.say(f"{problem(error).message}; trying again in {REST_S:.0f} s")
                self.mark(number, up=False)
                self._draining.wait(REST_S)
            finally:
                attendant.end()
        self.mark(number, up=False)


class _Attendant:
    """Does one job after another with a worker of its own; its lease says that it looks after the job."""

    def __init__(self, boss: Supervisor, number: int) -> None:
        self.boss, self.store, self.number = boss, boss.store, number
        self._lease = leases.live(boss.store.alive)
        self._hand = Hand(number, boss.store.alive, boss.telemetry, debug=boss.debug)

    def work(self) -> None:
        """Do jobs until the service ends."""
        while not self.boss.is_draining:
            worker = self._hand.ready()
            self.boss.mark(self.number, up=True)
            if not self._has_room():
                continue
            job = self.store.claim(service=self._lease.name, worker=worker)
            if job is None:
                self.boss.wake.wait(IDLE_S)
                self.boss.wake.clear()
            else:
                self._do(job)

    def end(self) -> None:
        """End the worker; a job that it was at is everybody's again."""
        self._hand.end()
        self._lease.end(remove=True)

    def _has_room(self) -> bool:
        if self.boss.has_room():
            return True
        if self.number == 1:
            self.boss.telemetry.log.say("the disk is full; no job is begun until there is room")
        self.boss.wake.wait(REST_S)
        self.boss.wake.clear()
        return False

    def _do(self, job: Job) -> None:
        """See a job through, or note why that is not possible."""
        telemetry = self.boss.telemetry
        try:
            order = self.boss.order_of(job)
        except FoleyError as error:  # what it names is there no more
            self._note(job, problem(error))
            return
        waited_s = job.started_s - job.created_s if job.attempts == 1 and job.started_s else None
        telemetry.job_began(job.id, order, worker=self.number, attempt=job.attempts, waited_s=waited_s)
        noter = _Noter(self.store, job)
        try:
            self._note(job, self._hand.do(job.id, order, on_progress=noter.note, stop=lambda: self._why_stop(job)))
        except CrashedError as cause:
            telemetry.log.say(f"job {job.id}: {cause}")
            hint = "try a smaller clip or model, or see the service's log"
            crashed = Problem("WorkerCrashed", f"{cause}, over this job", hint)
            telemetry.job_ended(job.id, self.store.crash(job, crashed), crashed)

    def _why_stop(self, job: Job) -> str:
        if self.store.is_cancelled(job):
            return CANCELLED
        return ENDING if self.boss.is_ending else ""

    def _note(self, job: Job, outcome: Result | Problem | str) -> None:
        """Write down how a job ended, and tell it."""
        state: State = "queued"
        if isinstance(outcome, Result):
            state = "done"
            self.store.finish(job, outcome)
        elif isinstance(outcome, Problem):
            state = "failed"
            self.store.fail(job, outcome)
        elif outcome == CANCELLED:
            state = "cancelled"
            self.store.end_cancelled(job)
        else:
            self.store.release(job)
        self.boss.telemetry.job_ended(job.id, state, None if isinstance(outcome, str) else outcome)


class _Noter:
    """Writes down how far a job is, no oftener than anybody looks."""

    def __init__(self, store: JobStore, job: Job) -> None:
        self._store, self._job = store, job
        self._noted_s, self._stage = 0.0, ""

    def note(self, now: Progress) -> None:
        """Write it down."""
        if now.stage != self._stage or time.monotonic() - self._noted_s > NOTE_S:
            self._noted_s, self._stage = time.monotonic(), now.stage
            self._store.advance(self._job, now)
