"""Figures of the service as Prometheus reads them; the one door to prometheus_client."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from foley.pipeline.runner import StageNews
from foley.version import __version__

if TYPE_CHECKING:
    from prometheus_client.core import Metric

BUCKETS_S = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0, 900.0, 3600.0)
"""From a stage of a tiny clip to a film with models, in steps of 2 to 4: a quantile between two is as near as that."""

STATES = ("queued", "running", "done", "failed", "cancelled")

Look = Callable[[], "dict[str, float] | None"]
"""Returns figures as they are now; None where they cannot be had."""


class Metrics:
    """The figures of one service; it counts from its own start, as Prometheus expects."""

    def __init__(self, *, jobs: Look, checks: Look, oldest_s: Callable[[], float | None]) -> None:
        """Begin to count.

        Args:
            jobs: How many jobs are in each state.
            checks: What readiness hangs on, by name, 1 where all is well.
            oldest_s: How long the job that comes next has waited.
        """
        from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
        from prometheus_client.process_collector import ProcessCollector

        kept = self.registry = CollectorRegistry()
        self.stage_s = Histogram("foley_stage_seconds", "Made by a stage.", ["stage"], registry=kept, buckets=BUCKETS_S)
        self.job_s = Histogram(
            "foley_job_seconds", "From a job's begin to its end.", ["state"], registry=kept, buckets=BUCKETS_S
        )
        self.wait_s = Histogram(
            "foley_job_wait_seconds", "From a job's submission to its begin.", registry=kept, buckets=BUCKETS_S
        )
        self.cache = Counter(
            "foley_cache", "Stages whose product was found in the cache, or had to be made.", ["stage", "outcome"],
            registry=kept,
        )  # fmt: skip
        self.failures = Counter("foley_failures", "Jobs that failed, by the kind of error.", ["kind"], registry=kept)
        self.restarts = Counter(
            "foley_worker_restarts", "Workers that were replaced, by reason.", ["reason"], registry=kept
        )
        self.memory = Gauge(
            "foley_worker_memory_bytes", "Held by a worker and its programs.", ["worker"], registry=kept
        )
        self.gpu = Gauge(
            "foley_gpu_memory_bytes", "Of the GPUs, by worker: held now, and the most in use so far.",
            ["worker", "kind"], registry=kept,
        )  # fmt: skip
        info = Gauge("foley_info", "Which foley this is.", ["version"], registry=kept)
        info.labels(__version__).set(1)
        ProcessCollector(registry=kept)
        kept.register(_Now(jobs, checks, oldest_s))

    def stage(self, news: StageNews) -> None:
        """Count a stage that ended."""
        if news.state == "made":
            self.stage_s.labels(news.stage).observe(news.seconds)
        if news.kept and news.state in ("made", "found"):
            self.cache.labels(news.stage, "hit" if news.state == "found" else "miss").inc()

    def text(self, accept: str) -> tuple[bytes, str]:
        """Return all figures and their media type, in the form that is asked for."""
        from prometheus_client.exposition import choose_encoder

        encode, media_type = choose_encoder(accept)
        return encode(self.registry), media_type


class _Now:
    """Figures that are looked up when they are asked for."""

    def __init__(self, jobs: Look, checks: Look, oldest_s: Callable[[], float | None]) -> None:
        self._jobs, self._checks, self._oldest_s = jobs, checks, oldest_s

    def describe(self) -> list[Any]:
        """Return nothing: so that nothing is looked up when this is registered."""
        return []

    def collect(self) -> Iterator[Metric]:
        """Yield the figures; those that cannot be had are left out."""
        from prometheus_client.core import GaugeMetricFamily

        if (jobs := self._jobs()) is not None:
            told = GaugeMetricFamily("foley_jobs", "Jobs in the queue's file, by state.", labels=["state"])
            for state in STATES:
                told.add_metric([state], jobs.get(state, 0))
            yield told
            waited = GaugeMetricFamily("foley_oldest_wait_seconds", "How long the job that comes next has waited.")
            waited.add_metric([], self._oldest_s() or 0.0)
            yield waited
        checks = GaugeMetricFamily("foley_ready", "What readiness hangs on: 1 where all is well.", labels=["check"])
        for name, well in (self._checks() or {}).items():
            checks.add_metric([name], well)
        yield checks
