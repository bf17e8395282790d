"""What tells others how the service is: whether it lives, whether it can take work, and its figures."""

from __future__ import annotations

from typing import TYPE_CHECKING

from foley.service.desk import as_json, service_of
from foley.service.messages import Health, Readiness
from foley.service.openapi import Operation
from foley.service.refusals import RefusedError
from foley.version import __version__

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

METRICS_PATH = "/metrics"


async def health(request: Request) -> Response:
    """Say that the service lives: asked in its own loop, so that no answer means that it hangs."""
    return as_json(Health("ending" if service_of(request).is_ending() else "ok", __version__))


def readiness(request: Request) -> Response:
    """Say whether the service can take work."""
    found = service_of(request).readiness()
    return as_json(found, 200 if found.ready else 503)


def metrics(request: Request) -> Response:
    """Return the figures of the service."""
    from starlette.responses import Response

    figures = service_of(request).telemetry.metrics
    if figures is None:
        raise RefusedError(404, "NotFound", "this service keeps no figures")
    text, media_type = figures.text(request.headers.get("accept", ""))
    return Response(text, headers={"content-type": media_type, "cache-control": "no-store"})


HEALTH_OPERATIONS = (
    Operation("GET", "/healthz", health, "Whether the service lives.", {200: Health}, is_open=True),
    Operation(
        *("GET", "/readyz", readiness, "Whether it can take work.", {200: Readiness, 503: Readiness}), is_open=True
    ),
    Operation(
        *("GET", METRICS_PATH, metrics, "Figures, as Prometheus reads them.", {200: "text/plain"}), problems=(404,)
    ),
)
