"""Tells of jobs, stages and workers: in lines of JSON, in figures and in spans, as far as each is asked for."""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass
from typing import Any

from foley.service.logs import Log
from foley.service.messages import Problem, Result
from foley.service.metrics import Metrics
from foley.service.traces import Traces
from foley.service.work import Order
from foley.service.workers import Said, Staged

Outcome = Result | Problem | None
"""Of an attempt; None where it was ended before it had one."""

STAGE_EVENTS = {"began": "stage_started", "made": "stage_ended", "found": "stage_ended", "failed": "stage_failed"}


@dataclass(frozen=True, slots=True)
class _Begun:
    at_s: float
    prompt: str
    trace: str | None


class Telemetry:
    """What is told of one service or watcher; attendants tell it from threads of their own."""

    def __init__(self, log: Log, *, metrics: Metrics | None = None, traces: Traces | None = None) -> None:
        self.log, self.metrics, self.traces = log, metrics, traces
        self._begun: dict[str, _Begun] = {}

    def job_queued(self, job_id: str, *, task: str, prompt: str) -> None:
        """Tell that a job waits."""
        self.log.event("job_queued", "a job waits", job=job_id, task=task, prompt=self.log.prompt(prompt))

    def job_began(
        self, job_id: str, order: Order, *, worker: int, attempt: int = 1, waited_s: float | None = None
    ) -> None:
        """Tell that a worker has been given a job."""
        task, prompt = order.task, order.ask.prompt
        about: dict[str, Any] = {"task": task, "worker": worker, "attempt": attempt}
        trace = self.traces.begin(job_id, about) if self.traces else None
        self._begun[job_id] = _Begun(time.monotonic(), prompt, trace)
        if self.metrics and waited_s is not None:
            self.metrics.wait_s.observe(waited_s)
        waited = None if waited_s is None else round(waited_s, 3)
        told = self.log.prompt(prompt)
        self.log.event("job_started", "a job begins", job=job_id, trace=trace, **about, waited_s=waited, prompt=told)

    def job_ended(self, job_id: str, state: str, outcome: Outcome = None) -> None:
        """Tell how an attempt ended.

        Args:
            job_id: The job.
            state: done, failed, cancelled; or queued, where the job goes back.
            outcome: What came of it.
        """
        begun = self._begun.pop(job_id, None)
        if begun is None:  # it never began
            begun = _Begun(time.monotonic(), "", None)
        seconds = time.monotonic() - begun.at_s
        error = outcome if isinstance(outcome, Problem) else None
        if self.metrics:
            self.metrics.job_s.labels(state).observe(seconds)
            if error and state == "failed":
                self.metrics.failures.labels(error.kind).inc()
        if self.traces:
            self.traces.end(job_id, state, error)
        self.log.event(
            "job_ended",
            f"a job is {state}",
            level=logging.ERROR if state == "failed" else logging.INFO,
            job=job_id,
            trace=begun.trace,
            state=state,
            seconds=round(seconds, 3),
            kind=error.kind if error else None,
            reason=self.log.reason(error, begun.prompt) if error else None,
        )

    def stage(self, job_id: str, worker: int, staged: Staged) -> None:
        """Tell of a stage that began or ended."""
        news, gpu = staged.news, staged.gpu
        ended = news.state != "began"
        if ended and self.metrics:
            self.metrics.stage(news)
            if gpu is not None:
                self.metrics.gpu.labels(str(worker), "held").set(gpu.held_bytes)
                self.metrics.gpu.labels(str(worker), "peak").set(gpu.peak_bytes)
        if ended and self.traces:
            self.traces.stage(job_id, news)
        begun = self._begun.get(job_id)
        self.log.event(
            STAGE_EVENTS[news.state],
            f"stage {news.stage}",
            job=job_id,
            trace=begun.trace if begun else None,
            worker=worker,
            stage=news.stage,
            seconds=round(news.seconds, 4) if ended else None,
            cached=news.state == "found" if ended else None,
        )

    def worker_began(self, worker: int, pid: int) -> None:
        """Tell that a worker takes orders."""
        self.log.event("worker_started", "a worker is ready", worker=worker, pid=pid)

    def worker_ended(self, worker: int, reason: str) -> None:
        """Tell that a worker was ended, or ended by itself, and another takes its place."""
        if self.metrics:
            self.metrics.restarts.labels(reason).inc()
            self.metrics.memory.labels(str(worker)).set(0)
        self.log.event("worker_ended", f"a worker is replaced: {reason}", worker=worker, cause=reason)

    def worker_holds(self, worker: int, memory_bytes: int) -> None:
        """Tell how much memory a worker and its programs hold."""
        if self.metrics:
            self.metrics.memory.labels(str(worker)).set(memory_bytes)

    def said(self, job_id: str, worker: int, said: Said) -> None:
        """Tell what a package logged in a worker."""
        self.log.event("said", said.text, level=said.level, job=job_id, worker=worker, by=said.logger)

    def close(self) -> None:
        """Send what was not sent yet."""
        if self.traces:
            self.traces.close()
