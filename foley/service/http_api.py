"""What the HTTP API does: each operation of `OPERATIONS` is a route and an entry of the OpenAPI document."""

from __future__ import annotations

import asyncio
import difflib
import json
import mimetypes
import os
from collections.abc import AsyncIterator
from dataclasses import asdict, fields
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

from foley.service import retention
from foley.service.desk import Service, as_json, service_of
from foley.service.health_api import HEALTH_OPERATIONS
from foley.service.jobs import Job, QueueFullError, UploadTakenError
from foley.service.messages import (
    ENDED,
    FileList,
    FileView,
    JobList,
    JobRequest,
    JobView,
    Removed,
    State,
    UploadView,
)
from foley.service.openapi import Operation, document
from foley.service.refusals import RefusedError

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

LOOK_S = 0.2
"""How often a job that somebody listens to is looked at."""

ALIVE_S = 10.0
"""How often a listener hears something, so that either side sees when the other is gone."""

PAGE = 100
"""The most jobs in one list."""


def openapi(request: Request) -> Response:
    """Return the OpenAPI document."""
    from starlette.responses import JSONResponse

    return JSONResponse(_document())


@lru_cache(maxsize=1)
def _document() -> dict[str, Any]:
    return document(OPERATIONS)


async def submit_job(request: Request) -> Response:
    """Queue a job."""
    from starlette.concurrency import run_in_threadpool

    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
        raise RefusedError(415, "NotJson", "a job is JSON", hint="send content-type: application/json")
    body = await request.body()
    return await run_in_threadpool(_submit, service_of(request), body)


def _submit(service: Service, body: bytes) -> Response:
    asked = read_request(body)
    if not asked.key or not service.store.has_key(asked.key):  # what was accepted once may not be possible any more
        service.check(asked)
    try:
        job, new = service.store.submit(
            asdict(asked), key=asked.key, upload=asked.upload, most_queued=service.most_queued
        )
    except QueueFullError as cause:
        hint = "try again later, or start the service with a larger --max-queued"
        raise RefusedError(429, "QueueFull", f"{service.most_queued} jobs wait already", hint=hint) from cause
    except UploadTakenError as cause:
        raise RefusedError(409, "UploadTaken", "the upload belongs to another job", hint="send it again") from cause
    if new:
        service.telemetry.job_queued(job.id, task=asked.task, prompt=asked.prompt)
    service.wake()
    return as_json(view(job), 201 if new else 200)


def read_request(body: bytes) -> JobRequest:
    """Return a job as it is asked for.

    Raises:
        RefusedError: naming every field that is unknown or wrong.
    """
    from pydantic import TypeAdapter, ValidationError

    try:
        return TypeAdapter(JobRequest).validate_json(body)
    except ValidationError as cause:
        faults = cause.errors(include_url=False, include_context=False, include_input=False)
    if faults[0]["type"] == "json_invalid":
        raise RefusedError(400, "NotJson", faults[0]["msg"])
    raise RefusedError(422, "BadRequest", "; ".join(_fault(fault) for fault in faults))


def _fault(fault: Any) -> str:
    where = ".".join(str(part) for part in fault["loc"])
    if fault["type"] == "unexpected_keyword_argument":
        near = difflib.get_close_matches(where, [one.name for one in fields(JobRequest)], 1)
        return f"there is no field {where!r}" + (f", did you mean {near[0]!r}?" if near else "")
    what = fault["msg"].removeprefix("Value error, ")
    return f"{where}: {what}" if where else what


def list_jobs(request: Request) -> Response:
    """Return jobs, the newest first."""
    query = request.query_params
    state: State | None = next((one for one in get_args(State) if one == query.get("state")), None)
    if "state" in query and state is None:
        raise RefusedError(422, "BadRequest", f"state must be one of {', '.join(get_args(State))}")
    limit = query.get("limit", "50")
    if not (limit.isdecimal() and len(limit) < 4 and 1 <= int(limit) <= PAGE):
        raise RefusedError(422, "BadRequest", f"limit must be 1 to {PAGE}")
    service = service_of(request)
    before = _job(service, query["before"]).number if "before" in query else None
    found = service.store.newest(state=state, before=before, limit=int(limit) + 1)
    return as_json(JobList(tuple(view(job) for job in found[: int(limit)]), len(found) > int(limit)))


def get_job(request: Request) -> Response:
    """Return a job as it is now."""
    return as_json(view(_named(request)))


def cancel_job(request: Request) -> Response:
    """End a job that waits or runs; one that has ended stays as it is."""
    job = _named(request)
    return as_json(view(service_of(request).store.cancel(job.id) or job), 202)


def delete_job(request: Request) -> Response:
    """Forget a job that has ended, with its upload and the files in its own folder."""
    service, job = service_of(request), _named(request)
    if not retention.forget(service, job):
        raise RefusedError(409, "NotEnded", f"job {job.id} has not ended", hint="cancel it first")
    return as_json(Removed(job.id))


async def job_events(request: Request) -> Response:
    """Send the job each time it changes, as server-sent events; the stream ends with the job."""
    from starlette.concurrency import run_in_threadpool
    from starlette.responses import StreamingResponse

    job = await run_in_threadpool(_named, request)
    last = request.headers.get("last-event-id", "")
    seen = int(last) if last.isdecimal() and len(last) < 16 else -1
    headers = {"cache-control": "no-store", "x-accel-buffering": "no"}
    return StreamingResponse(
        _events(service_of(request), job.id, seen), headers=headers, media_type="text/event-stream"
    )


async def _events(service: Service, job_id: str, seen: int) -> AsyncIterator[str]:
    from starlette.concurrency import run_in_threadpool

    quiet_s = 0.0
    while True:
        is_last = service.is_ending()  # asked first: a service that was drained ends as soon as its last job is done
        job = await run_in_threadpool(service.store.get, job_id)
        if job is None:
            return
        if job.revision > seen:
            seen, quiet_s = job.revision, 0.0
            yield f"id: {seen}\ndata: {json.dumps(asdict(view(job)))}\n\n"
        if is_last or job.state in ENDED:
            return
        if quiet_s >= ALIVE_S:
            quiet_s = 0.0
            yield ": still here\n\n"
        await asyncio.sleep(LOOK_S)
        quiet_s += LOOK_S


def list_files(request: Request) -> Response:
    """Return the files that a job made."""
    found = _files(_named(request))
    return as_json(FileList(tuple(_file_view(name, path) for name, path in sorted(found.items()))))


def get_file(request: Request) -> Response:
    """Return a file that a job made, or a range of it."""
    from starlette.responses import FileResponse

    job, name = _named(request), request.path_params["name"]
    path = _files(job).get(name)
    if path is None:
        raise RefusedError(404, "NotFound", f"job {job.id} has no file {name!r}")
    headers = {"x-content-type-options": "nosniff", "cache-control": "no-store"}
    return FileResponse(path, headers=headers, media_type=_media_type(name), filename=path.name)


def _files(job: Job) -> dict[str, Path]:
    """Return the files that a job made by their names; links are none of them."""
    if job.result is None:
        raise RefusedError(409, "NoFiles", f"job {job.id} is {job.state} and has no files")
    folder = Path(job.result.folder)
    found: dict[str, Path] = {}
    for place, _, names in os.walk(folder):
        paths = (Path(place) / name for name in names if not name.startswith("."))
        found |= {path.relative_to(folder.parent).as_posix(): path for path in paths if not path.is_symlink()}
    video = Path(job.result.video)
    if job.result.video and video.is_file():
        found[video.name] = video
    return found


def _file_view(name: str, path: Path) -> FileView:
    return FileView(name, path.stat().st_size, _media_type(name))


def _media_type(name: str) -> str:
    return mimetypes.guess_type(name)[0] or "application/octet-stream"


async def send_upload(request: Request) -> Response:
    """Take a clip: the body is the file as it is."""
    length = request.headers.get("content-length", "")
    announced = int(length) if length.isdecimal() else None
    uploads = service_of(request).uploads
    return as_json(await uploads.receive(request.query_params.get("name", ""), announced, request.stream()), 201)


def delete_upload(request: Request) -> Response:
    """Remove a clip that no job has."""
    service, upload = service_of(request), request.path_params["id"]
    service.uploads.find(upload)
    if service.store.has_upload(upload):
        raise RefusedError(409, "UploadTaken", "the upload belongs to a job", hint="delete the job")
    service.uploads.remove(upload)
    return as_json(Removed(upload))


def view(job: Job) -> JobView:
    """Return a job as clients see it."""
    request = job.request
    return JobView(
        id=job.id,
        state=job.state,
        task=request["task"],
        video=request["video"],
        prompt=request["prompt"],
        key=request["key"],
        created_s=job.created_s,
        started_s=job.started_s,
        ended_s=job.ended_s,
        attempts=job.attempts,
        revision=job.revision,
        progress=job.progress,
        result=job.result,
        error=job.error,
    )


def _named(request: Request) -> Job:
    return _job(service_of(request), request.path_params["id"])


def _job(service: Service, job_id: str) -> Job:
    job = service.store.get(job_id)
    if job is None:
        raise RefusedError(404, "NotFound", f"there is no job {job_id[:40]!r}")
    return job


JOB, JOBS = "/v1/jobs/{id}", "/v1/jobs"

OPERATIONS = (
    *HEALTH_OPERATIONS,
    Operation("GET", "/openapi.json", openapi, "This document.", {200: "application/json"}, is_open=True),
    Operation(
        *("POST", JOBS, submit_job, "Queue a job.", {201: JobView, 200: JobView}),
        body=JobRequest,
        problems=(400, 404, 408, 409, 413, 422, 429, 507),
    ),
    Operation(
        *("GET", JOBS, list_jobs, "List jobs, the newest first.", {200: JobList}),
        queries={
            "state": "Only those in it.",
            "before": "Only older than this job.",
            "limit": f"At most, 1 to {PAGE}.",
        },
        problems=(404, 422),
    ),
    Operation("GET", JOB, get_job, "A job as it is now.", {200: JobView}, problems=(404,)),
    Operation("DELETE", JOB, delete_job, "Forget a job, with its files.", {200: Removed}, problems=(404, 409)),
    Operation("POST", JOB + "/cancel", cancel_job, "End a job.", {202: JobView}, problems=(404,)),
    Operation(
        *("GET", JOB + "/events", job_events, "The job each time it changes.", {200: "text/event-stream"}),
        problems=(404,),
    ),
    Operation("GET", JOB + "/files", list_files, "What a job made.", {200: FileList}, problems=(404, 409)),
    Operation(
        *("GET", JOB + "/files/{name:path}", get_file, "A file that a job made."),
        {200: "application/octet-stream", 206: "application/octet-stream"},
        problems=(404, 409),
    ),
    Operation(
        *("POST", "/v1/uploads", send_upload, "Send a clip.", {201: UploadView}),
        body="application/octet-stream",
        queries={"name": "Of the file, with its suffix."},
        required=("name",),
        problems=(408, 413, 422, 507),
    ),
    Operation(
        *("DELETE", "/v1/uploads/{id}", delete_upload, "Remove a clip that no job has.", {200: Removed}),
        problems=(404, 409),
    ),
)
