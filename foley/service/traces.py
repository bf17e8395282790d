"""Spans of jobs and their stages for OpenTelemetry, where that is set up; the one door to opentelemetry."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from importlib.metadata import EntryPoint, entry_points
from typing import Any

from foley.errors import MissingProgramError, ServiceError
from foley.pipeline.runner import StageNews
from foley.service.messages import Problem
from foley.version import __version__

ENDPOINTS = ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")
EXPORTER = "OTEL_TRACES_EXPORTER"
PROTOCOLS = ("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL")
"""Names that OpenTelemetry's specification gives, see "Environment Variable Specification"."""

BY_PROTOCOL = {"http/protobuf": "otlp_proto_http", "grpc": "otlp_proto_grpc"}
"""What exporters of OTLP are called as entry points, see opentelemetry-python."""

PACKAGES = "pip install opentelemetry-sdk opentelemetry-exporter-otlp-proto-http"

NS_A_S = 1e9


class Traces:
    """Sends a span for each job, with one in it for each stage."""

    def __init__(self, exporter: Any) -> None:
        """Begin.

        Args:
            exporter: A `SpanExporter` of OpenTelemetry.
        """
        from opentelemetry.sdk.resources import Resource
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor

        name = os.environ.get("OTEL_SERVICE_NAME", "foley")
        self._provider = TracerProvider(
            resource=Resource.create({"service.name": name, "service.version": __version__})
        )
        self._provider.add_span_processor(BatchSpanProcessor(exporter))
        self._tracer = self._provider.get_tracer("foley", __version__)
        self._jobs: dict[str, Any] = {}

    def begin(self, job_id: str, about: Mapping[str, str | int | float]) -> str:
        """Begin the span of a job; return the trace's id."""
        from opentelemetry.trace import SpanKind, format_trace_id

        told = {f"foley.{name}": value for name, value in about.items()}
        span = self._tracer.start_span("foley.job", kind=SpanKind.CONSUMER, attributes=told | {"foley.job": job_id})
        self._jobs[job_id] = span
        return format_trace_id(span.get_span_context().trace_id)

    def stage(self, job_id: str, news: StageNews) -> None:
        """Send the span of a stage that has just ended."""
        from opentelemetry.trace import Status, StatusCode, set_span_in_context

        job = self._jobs.get(job_id)
        if job is None:
            return
        end_ns = time.time_ns()
        span = self._tracer.start_span(
            f"foley.stage.{news.stage}",
            set_span_in_context(job),
            attributes={"foley.job": job_id, "foley.stage": news.stage, "foley.cached": news.state == "found"},
            start_time=end_ns - int(news.seconds * NS_A_S),
        )
        if news.state == "failed":
            span.set_status(Status(StatusCode.ERROR))
        span.end(end_ns)

    def end(self, job_id: str, state: str, problem: Problem | None) -> None:
        """End the span of a job; an error is told by its kind, for its text may hold what is nobody else's."""
        from opentelemetry.trace import Status, StatusCode

        span = self._jobs.pop(job_id, None)
        if span is None:
            return
        span.set_attribute("foley.state", state)
        if problem is not None:
            span.set_attribute("error.type", problem.kind)
            span.set_status(Status(StatusCode.ERROR, problem.kind))
        span.end()

    def close(self) -> None:
        """Send what was not sent yet."""
        self._provider.shutdown()


def configured() -> Traces | None:
    """Return traces as the environment asks for them, by OpenTelemetry's own variables; None where it does not.

    Raises:
        MissingProgramError: where a package for that is not installed.
        ServiceError: where there is no such exporter.
    """
    asked = os.environ.get(EXPORTER, "")
    disabled = os.environ.get("OTEL_SDK_DISABLED", "").lower() == "true"
    if disabled or asked == "none" or not (asked or any(os.environ.get(name) for name in ENDPOINTS)):
        return None
    try:
        return Traces(_exporter(asked or "otlp").load()())
    except ImportError as cause:  # missed now, not with the first job
        raise MissingProgramError(cause.name or "opentelemetry-sdk", PACKAGES) from cause


def _exporter(asked: str) -> EntryPoint:
    found = {one.name: one for one in entry_points(group="opentelemetry_traces_exporter")}
    if asked == "otlp":
        protocol = next((value for name in PROTOCOLS if (value := os.environ.get(name))), "")
        wanted = [BY_PROTOCOL[protocol]] if protocol in BY_PROTOCOL else [*BY_PROTOCOL.values()]
        name = next((name for name in wanted if name in found), "")
        if not name:
            raise MissingProgramError(f"an exporter of OTLP ({' or '.join(wanted)})", PACKAGES)
        return found[name]
    if asked not in found:
        raise ServiceError(f"{EXPORTER}={asked}: there is no such exporter", hint=f"there are: {', '.join(found)}")
    return found[asked]
