"""What every operation of the HTTP API works with, and how it answers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from foley import api
from foley.errors import OutputExistsError
from foley.service import work
from foley.service.jobs import Job, JobStore
from foley.service.messages import JobRequest, Readiness
from foley.service.places import Roots
from foley.service.telemetry import Telemetry
from foley.service.uploads import Uploads
from foley.service.work import Order, Rules

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response


@dataclass(frozen=True, slots=True)
class Service:
    """What the operations work with."""

    store: JobStore
    uploads: Uploads
    folder: Path
    """Of the jobs' own folders."""
    roots: Roots
    rules: Rules
    most_queued: int
    wake: Callable[[], None]
    """Called when there is a new job."""
    is_ending: Callable[[], bool]
    readiness: Callable[[], Readiness]
    telemetry: Telemetry

    def own(self, job_id: str) -> Path:
        """Return a job's own folder."""
        return self.folder / job_id

    def order(self, job: Job) -> Order:
        """Return what a worker is told of a job; its paths were checked when it was accepted, and are again.

        Raises:
            RefusedError: where a path leads elsewhere now.
        """
        request = JobRequest(**job.request | {"exports": tuple(job.request["exports"])})  # JSON has lists
        own = self.own(job.id)
        video = self.uploads.find(request.upload) if request.upload else self.roots.existing("video", request.video)
        output = self._output(request, video, own)
        return Order(request, video, output, own, self.rules, request.task)

    def _output(self, request: JobRequest, video: Path, own: Path) -> Path:
        if not request.output:
            return api.destination(own / video.name, None).video
        to = api.destination(video, self.roots.inside("output", request.output))
        for place in (to.video, to.folder):  # either may be a link that leads out
            self.roots.inside("output", str(place))
        return to.video

    def check(self, request: JobRequest) -> None:
        """Refuse a job that cannot be done.

        Raises:
            FoleyError: saying why.
        """
        for name in ("subtitles", "cue_sheet"):
            if value := getattr(request, name):
                self.roots.existing(name, value)
        work.check(request, self.rules)
        video = self.uploads.find(request.upload) if request.upload else self.roots.existing("video", request.video)
        if request.output:
            output = self._output(request, video, self.folder)
            if output.exists() and not request.overwrite:
                raise OutputExistsError(output)


def service_of(request: Request) -> Service:
    """Return the service that is asked."""
    service: Service = request.app.state.service
    return service


def as_json(value: Any, status: int = 200) -> Response:
    """Return an answer."""
    from starlette.responses import JSONResponse

    return JSONResponse(asdict(value), status, {"cache-control": "no-store"})
