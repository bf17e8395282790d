"""Figures of the service: what is counted, and that Prometheus's own reader takes them."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest

from foley.pipeline.runner import StageNews
from foley.service import limits, workers
from foley.service.limits import Limits, Watch, held_bytes
from foley.service.logs import Log
from foley.service.messages import Ask, Problem, Result
from foley.service.metrics import Metrics
from foley.service.telemetry import Telemetry
from foley.service.work import Order, Rules
from foley.service.workers import GpuMemory, Said, Staged

parser = pytest.importorskip("prometheus_client.parser")

QUEUE = {"queued": 3.0, "running": 1.0}
RESULT = Result("", "", "", 1, None, None, ())


@pytest.fixture
def metrics() -> Metrics:
    return Metrics(jobs=lambda: QUEUE, checks=lambda: {"disk": 0.0, "queue": 1.0}, oldest_s=lambda: 42.0)


@pytest.fixture
def telemetry(metrics: Metrics) -> Telemetry:
    return Telemetry(Log(lambda text: None), metrics=metrics)


def order(tmp_path: Any, prompt: str = "rain") -> Order:
    return Order(Ask(prompt=prompt), tmp_path / "a.mp4", tmp_path / "b.mp4", tmp_path, Rules(tmp_path))


def read(metrics: Metrics) -> dict[tuple[str, tuple[tuple[str, str], ...]], float]:
    """Return all samples as Prometheus reads them."""
    text, media_type = metrics.text("")
    assert media_type.startswith("text/plain")
    families = parser.text_string_to_metric_families(text.decode())
    return {(one.name, tuple(sorted(one.labels.items()))): one.value for family in families for one in family.samples}


def sample(metrics: Metrics, name: str, **labels: str) -> float | None:
    return read(metrics).get((name, tuple(sorted(labels.items()))))


def test_stages_are_timed_where_they_were_made_and_counted_where_the_cache_keeps_them(metrics: Metrics) -> None:
    for seconds in (0.2, 0.3, 4.0):
        metrics.stage(StageNews("watch", "made", seconds, kept=True))
    metrics.stage(StageNews("watch", "found", 0.001, kept=True))
    metrics.stage(StageNews("watch", "failed", 9.0, kept=True))
    metrics.stage(StageNews("deliver", "made", 1.0, kept=False))
    assert sample(metrics, "foley_stage_seconds_count", stage="watch") == 3
    assert sample(metrics, "foley_stage_seconds_sum", stage="watch") == pytest.approx(4.5)
    assert sample(metrics, "foley_stage_seconds_bucket", stage="watch", le="0.25") == 1
    assert sample(metrics, "foley_stage_seconds_bucket", stage="watch", le="0.5") == 2
    assert sample(metrics, "foley_cache_total", stage="watch", outcome="miss") == 3
    assert sample(metrics, "foley_cache_total", stage="watch", outcome="hit") == 1
    assert sample(metrics, "foley_cache_total", stage="deliver", outcome="miss") is None


def test_the_queue_and_readiness_are_told_as_they_are_now(metrics: Metrics) -> None:
    assert sample(metrics, "foley_jobs", state="queued") == 3
    assert sample(metrics, "foley_jobs", state="failed") == 0
    assert sample(metrics, "foley_oldest_wait_seconds") == 42
    assert (sample(metrics, "foley_ready", check="disk"), sample(metrics, "foley_ready", check="queue")) == (0, 1)


def test_a_queue_that_cannot_be_read_leaves_the_other_figures() -> None:
    metrics = Metrics(jobs=lambda: None, checks=lambda: {"queue": 0.0}, oldest_s=lambda: None)
    metrics.stage(StageNews("watch", "made", 1.0, kept=True))
    assert sample(metrics, "foley_jobs", state="queued") is None
    assert sample(metrics, "foley_ready", check="queue") == 0
    assert sample(metrics, "foley_stage_seconds_count", stage="watch") == 1


def test_jobs_and_failures_are_counted_by_how_they_ended(telemetry: Telemetry, metrics: Metrics, tmp_path: Any) -> None:
    for job, state, outcome in (
        ("a", "done", RESULT),
        ("b", "failed", Problem("TimeLimit", "too long", "")),
        ("c", "queued", Problem("WorkerCrashed", "it is tried again", "")),
    ):
        telemetry.job_began(job, order(tmp_path), worker=1, waited_s=2.0)
        telemetry.job_ended(job, state, outcome)
    telemetry.worker_ended(1, "TimeLimit")
    assert sample(metrics, "foley_job_seconds_count", state="done") == 1
    assert sample(metrics, "foley_job_wait_seconds_sum") == 6
    assert sample(metrics, "foley_failures_total", kind="TimeLimit") == 1
    assert sample(metrics, "foley_failures_total", kind="WorkerCrashed") is None
    assert sample(metrics, "foley_worker_restarts_total", reason="TimeLimit") == 1


def test_memory_of_gpus_is_told_by_worker(telemetry: Telemetry, metrics: Metrics) -> None:
    telemetry.stage("a", 2, Staged(StageNews("takes", "made", 1.0, kept=False), GpuMemory(5 << 30, 6 << 30)))
    telemetry.worker_holds(2, 1 << 30)
    telemetry.said("a", 2, Said(30, "diffusers", "careful"))
    assert sample(metrics, "foley_gpu_memory_bytes", worker="2", kind="held") == 5 << 30
    assert sample(metrics, "foley_gpu_memory_bytes", worker="2", kind="peak") == 6 << 30
    assert sample(metrics, "foley_worker_memory_bytes", worker="2") == 1 << 30


class FakeCuda:
    """Two GPUs as torch tells of them; at work or not."""

    def __init__(self, *, at_work: bool) -> None:
        self._at_work = at_work

    def is_initialized(self) -> bool:
        return self._at_work

    def device_count(self) -> int:
        return 2

    def memory_reserved(self, gpu: int) -> int:
        return 100 * (gpu + 1)

    def max_memory_allocated(self, gpu: int) -> int:
        return 10 * (gpu + 1)


def test_gpus_are_asked_only_where_torch_is_at_work(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "torch", raising=False)
    assert workers.gpu_memory() is None
    torch = type(sys)("torch")
    monkeypatch.setitem(sys.modules, "torch", torch)
    torch.cuda = FakeCuda(at_work=False)  # type: ignore[attr-defined]
    assert workers.gpu_memory() is None
    torch.cuda = FakeCuda(at_work=True)  # type: ignore[attr-defined]
    assert workers.gpu_memory() == GpuMemory(300, 30)


# limits


@pytest.mark.parametrize("wrong", [{"wall_s": 0.0}, {"memory_bytes": 0}, {"clip_s": -1.0}])
def test_a_limit_of_nothing_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="more than 0"):
        Limits(**wrong)


@pytest.mark.skipif(not limits.CAN_SEE_MEMORY, reason="only Linux tells what a process and its programs hold")
def test_memory_is_that_of_a_process_and_of_what_it_started(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "LOOK_S", 0.0)
    holder = "import sys; held = bytearray(b'x' * (80 << 20)); print('held', flush=True); sys.stdin.read()"
    starter = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {holder!r}])"
    with subprocess.Popen([sys.executable, "-c", starter], stdin=-1, stdout=-1) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdout.readline()
        assert 80 << 20 < held_bytes(process.pid) < 140 << 20
        assert Watch(Limits(memory_bytes=200 << 20), process.pid).exceeded() is None
        exceeded = Watch(Limits(memory_bytes=60 << 20), process.pid).exceeded()
        process.stdin.close()
    assert exceeded is not None
    assert exceeded.kind == "MemoryLimit"
    assert "60 are allowed" in exceeded.message
    assert held_bytes(process.pid) == 0
