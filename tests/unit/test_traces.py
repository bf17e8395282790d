"""Spans of jobs and stages: one in the other, with their times, and nothing where nobody asks."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from foley.errors import MissingProgramError, ServiceError
from foley.pipeline.runner import StageNews
from foley.service import traces
from foley.service.logs import Log
from foley.service.messages import Ask, Problem, Result
from foley.service.telemetry import Telemetry
from foley.service.work import Order, Rules
from foley.service.workers import Staged

memory = pytest.importorskip("opentelemetry.sdk.trace.export.in_memory_span_exporter")

RESULT = Result("", "", "", 1, None, None, ())


@pytest.fixture(autouse=True)
def nothing_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (*traces.ENDPOINTS, *traces.PROTOCOLS, traces.EXPORTER, "OTEL_SDK_DISABLED"):
        monkeypatch.delenv(name, raising=False)


def spans_of(tmp_path: Path, outcome: Any, state: str, *stages: StageNews) -> dict[str, Any]:
    """Return the spans of one job, by name."""
    exporter = memory.InMemorySpanExporter()
    telemetry = Telemetry(Log(lambda text: None), traces=traces.Traces(exporter))
    order = Order(Ask(prompt="a secret"), tmp_path / "a.mp4", tmp_path / "b.mp4", tmp_path, Rules(tmp_path))
    telemetry.job_began("j1", order, worker=3)
    for news in stages:
        telemetry.stage("j1", 3, Staged(news, None))
    telemetry.job_ended("j1", state, outcome)
    telemetry.close()
    return {span.name: span for span in exporter.get_finished_spans()}


def test_a_job_is_a_span_with_one_in_it_for_each_stage(tmp_path: Path) -> None:
    began_ns = time.time_ns()
    spans = spans_of(
        tmp_path,
        RESULT,
        "done",
        StageNews("watch", "began", 0.0, kept=True),
        StageNews("watch", "found", 0.25, kept=True),
        StageNews("takes", "made", 0.5, kept=False),
    )
    job, watch, takes = spans["foley.job"], spans["foley.stage.watch"], spans["foley.stage.takes"]
    assert len(spans) == 3
    assert watch.parent.span_id == takes.parent.span_id == job.context.span_id
    assert {span.context.trace_id for span in spans.values()} == {job.context.trace_id}
    assert (watch.end_time - watch.start_time) / 1e9 == pytest.approx(0.25, abs=1e-6)
    assert watch.attributes["foley.cached"] is True
    assert takes.attributes["foley.cached"] is False
    assert dict(job.attributes) == {
        "foley.job": "j1",
        "foley.task": "run",
        "foley.worker": 3,
        "foley.attempt": 1,
        "foley.state": "done",
    }
    assert began_ns <= job.start_time <= job.end_time <= time.time_ns()
    assert job.resource.attributes["service.name"] == "foley"


def test_what_failed_is_told_by_its_kind_and_not_by_its_words(tmp_path: Path) -> None:
    error = Problem("PlanError", "cannot use 'a secret'", "")
    spans = spans_of(tmp_path, error, "failed", StageNews("propose", "failed", 0.1, kept=True))
    assert spans["foley.job"].attributes["error.type"] == "PlanError"
    assert not spans["foley.job"].status.is_ok
    assert not spans["foley.stage.propose"].status.is_ok
    assert "secret" not in "".join(span.to_json() for span in spans.values())


def test_a_stage_of_a_job_that_nobody_began_is_left_out() -> None:
    exporter = memory.InMemorySpanExporter()
    told = traces.Traces(exporter)
    told.stage("nobody", StageNews("watch", "made", 1.0, kept=True))
    told.end("nobody", "done", None)
    told.close()
    assert exporter.get_finished_spans() == ()


def test_nothing_is_traced_where_the_environment_does_not_ask(monkeypatch: pytest.MonkeyPatch) -> None:
    assert traces.configured() is None
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:4318")
    monkeypatch.setenv(traces.EXPORTER, "none")
    assert traces.configured() is None
    monkeypatch.setenv(traces.EXPORTER, "console")
    monkeypatch.setenv("OTEL_SDK_DISABLED", "true")
    assert traces.configured() is None


def test_an_exporter_is_found_by_its_name_and_a_missing_one_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(traces.EXPORTER, "console")
    found = traces.configured()
    assert found is not None
    found.close()
    monkeypatch.setenv(traces.EXPORTER, "smoke-signals")
    with pytest.raises(ServiceError, match="smoke-signals"):
        traces.configured()
    monkeypatch.setenv(traces.EXPORTER, "otlp")
    monkeypatch.setattr(traces, "entry_points", lambda group: [])
    with pytest.raises(MissingProgramError, match="exporter of OTLP") as missing:
        traces.configured()
    assert "pip install" in missing.value.hint


def test_nothing_of_opentelemetry_or_prometheus_is_imported_by_the_service_before_it_is_asked() -> None:
    modules = "foley.service.server, foley.service.watch_folder, foley.cli.service"
    heavy = "opentelemetry", "prometheus_client", "starlette"
    script = f"import sys, {modules}; print([name for name in {heavy} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
