"""What the service answers instead of doing what it was asked: a status, and an error as JSON."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

from foley.errors import DiskFullError, FoleyError, OutputError, OutputExistsError, ServiceError
from foley.service.work import problem

if TYPE_CHECKING:
    from starlette.responses import Response

STATUSES: tuple[tuple[type[FoleyError], int], ...] = (
    (OutputExistsError, 409),
    (DiskFullError, 507),
    (OutputError, 500),
    (ServiceError, 500),
    (FoleyError, 422),
)
"""Of errors that are not refusals, the first that fits."""


class RefusedError(ServiceError):
    """The service does not do what it was asked."""

    def __init__(self, status: int, kind: str, message: str, *, hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.status, self.kind = status, kind


def status_of(error: BaseException) -> int:
    """Return the HTTP status that tells of an error."""
    if isinstance(error, RefusedError):
        return error.status
    return next((status for kind, status in STATUSES if isinstance(error, kind)), 500)


def answer(error: BaseException) -> Response:
    """Return an error as an answer."""
    from starlette.responses import JSONResponse

    told = asdict(problem(error))
    if isinstance(error, RefusedError):
        told["kind"] = error.kind
    status, headers = status_of(error), {"cache-control": "no-store"}
    if status == 401:
        headers["www-authenticate"] = "Bearer"
    return JSONResponse(told, status, headers)
