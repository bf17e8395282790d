"""A worker process with somebody who stands by it: sees that a job keeps within its limits, and tells how it goes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from foley.service import limits
from foley.service.messages import Problem, Progress, Result
from foley.service.telemetry import Telemetry
from foley.service.work import Order
from foley.service.workers import CrashedError, Said, Staged, Worker

LOOK_S = 0.1
"""How soon a cancel, a limit or the end of the service is seen."""

Stop = Callable[[], str]
"""Says why a job is to be ended now; empty where it may go on."""


class Hand:
    """Does one job after another with a worker of its own, which is replaced when it is gone."""

    def __init__(self, number: int, alive: Path, telemetry: Telemetry, *, debug: bool = False) -> None:
        """Make ready.

        Args:
            number: From 1, as figures and lines call it.
            alive: The folder for the worker's lease.
            telemetry: Told what happens.
            debug: The worker says where an unforeseen error comes from.
        """
        self.number, self.telemetry = number, telemetry
        self._alive, self._debug = alive, debug
        self._worker: Worker | None = None

    def ready(self) -> str:
        """Return the lease of a worker that takes an order; it is started where there is none.

        Raises:
            ServiceError: where it does not start.
        """
        if self._worker is not None and not self._worker.is_fit():
            self.end("old" if self._worker.is_alive() else "crash")
        if self._worker is None:
            worker = Worker(self._alive, debug=self._debug)
            worker.ready()
            self._worker = worker
            self.telemetry.worker_began(self.number, worker.pid)
        return self._worker.ready()

    def do(
        self, job_id: str, order: Order, *, on_progress: Callable[[Progress], None], stop: Stop
    ) -> Result | Problem | str:
        """Return what comes of a job, or why it was stopped.

        Raises:
            CrashedError: where the worker ends over it.
        """
        worker = self._worker
        assert worker is not None, "ready() comes first"
        watch = limits.Watch(order.rules.limits, worker.pid)
        try:
            worker.give(order)
            while True:
                message = worker.answer(LOOK_S)
                if isinstance(message, Result | Problem):
                    return message
                self._pass_on(job_id, message, on_progress)
                if exceeded := watch.exceeded():
                    self.end(exceeded.kind)
                    return exceeded
                self.telemetry.worker_holds(self.number, watch.memory_bytes)
                if reason := stop():
                    self.end(reason)
                    return reason
        except CrashedError:
            self.end("crash")
            raise

    def _pass_on(self, job_id: str, message: object, on_progress: Callable[[Progress], None]) -> None:
        if isinstance(message, Progress):
            on_progress(message)
        elif isinstance(message, Staged):
            self.telemetry.stage(job_id, self.number, message)
        elif isinstance(message, Said):
            self.telemetry.said(job_id, self.number, message)

    def end(self, reason: str = "") -> None:
        """End the worker; with a reason, another will take its place."""
        if self._worker is not None:
            worker, self._worker = self._worker, None
            worker.end()
            if reason:
                self.telemetry.worker_ended(self.number, reason)
