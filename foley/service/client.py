"""A client of `foley serve`: this one file, with nothing but Python 3.9 or newer, to be imported or copied.

client = Client.here()
job = client.submit("/media/shot.mov", prompt="a door slams")
done = client.wait(job["id"], on_change=lambda now: print(now["state"], now["progress"]))
client.download(done["id"], "/media/sound")
"""

from __future__ import annotations

import json
import os
import shutil
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator
from http.client import HTTPException, HTTPResponse
from pathlib import Path
from typing import Any

Job = dict[str, Any]
"""As the service describes it: id, state, progress, result, error and more."""

URL = "http://127.0.0.1:8723"
ENDED = ("done", "failed", "cancelled")
BLOCK_BYTES = 1 << 20
TIMEOUT_S = 60.0
"""For the service to say something; a listener to events hears from it every 10 seconds."""
RETRIES = 30
"""How often a service that is being started again is asked, a second apart."""


class ServiceRefused(Exception):  # noqa: N818 - it is no fault of the program
    """The service does not do what it was asked; `kind` is its class, `hint` says what to do."""

    def __init__(self, kind: str, message: str, hint: str = "", status: int = 0) -> None:
        super().__init__(f"{message} ({hint})" if hint else message)
        self.kind, self.message, self.hint, self.status = kind, message, hint, status


class JobFailed(ServiceRefused):
    """The job failed or was cancelled."""


def token_file() -> Path:
    """Return where the service of this user keeps its token, unless it was told otherwise."""
    if cache := os.environ.get("FOLEY_CACHE"):
        return Path(cache) / "service" / "token"
    if sys.platform == "win32":
        base = Path(os.environ.get("LOCALAPPDATA", Path.home())) / "foley" / "foley" / "Cache"
    elif sys.platform == "darwin":
        base = Path.home() / "Library" / "Caches" / "foley"
    else:
        base = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "foley"
    return base / "service" / "token"


class Client:
    """Talks to one service."""

    def __init__(self, token: str, url: str = URL, timeout_s: float = TIMEOUT_S) -> None:
        self.url, self._token, self._timeout_s = url.rstrip("/"), token, timeout_s
        # a proxy of the environment is for other machines
        self._opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))

    @classmethod
    def here(cls, url: str = URL, token_path: str | Path = "") -> Client:
        """Return a client of the service of this user on this machine.

        Raises:
            ServiceRefused: where its token cannot be read.
        """
        path = Path(token_path) if token_path else token_file()
        try:
            return cls(path.read_text(encoding="ascii").strip(), url)
        except OSError as cause:
            raise ServiceRefused("NoToken", f"cannot read {path}", "start it: foley serve") from cause

    def submit(self, video: str = "", **asked: Any) -> Job:
        """Queue a clip by its path on the service's machine; return the job.

        Args:
            video: Its absolute path; or name an upload: `submit(upload=client.upload(path))`.
            **asked: Fields of a job: prompt, seed, generator, options, output, key ...

        Raises:
            ServiceRefused: where the service does not take it.
        """
        return self._json("POST", "/v1/jobs", {"video": video, **asked} if video else asked)

    def upload(self, path: str | Path) -> str:
        """Send a clip; return the id of the upload."""
        query = urllib.parse.urlencode({"name": Path(path).name})
        with Path(path).open("rb") as file:
            headers = {"Content-Length": str(os.fstat(file.fileno()).st_size)}
            headers["Content-Type"] = "application/octet-stream"
            with self._open("POST", "/v1/uploads?" + query, file, headers) as answer:
                return str(json.load(answer)["id"])

    def job(self, job_id: str) -> Job:
        """Return a job as it is now."""
        return self._json("GET", "/v1/jobs/" + job_id)

    def jobs(self, **query: Any) -> list[Job]:
        """Return jobs, the newest first; `state`, `before` and `limit` choose which."""
        found: list[Job] = self._json("GET", "/v1/jobs?" + urllib.parse.urlencode(query))["jobs"]
        return found

    def events(self, job_id: str) -> Iterator[Job]:
        """Yield a job each time it changes, to its end; a service that is started again meanwhile is waited for."""
        last, failures = "", 0
        while True:
            headers = {"Last-Event-ID": last} if last else {}
            try:
                with self._open("GET", f"/v1/jobs/{job_id}/events", None, headers) as stream:
                    for number, job in _events(stream):
                        last, failures = number, 0
                        yield job
                        if job["state"] in ENDED:
                            return
            except ServiceRefused as refused:
                if refused.status:
                    raise
            except (OSError, HTTPException, ValueError):  # cut off in the middle of an event
                pass
            failures += 1
            if failures > RETRIES:
                raise ServiceRefused("NoService", f"the service at {self.url} is gone", "start it: foley serve")
            time.sleep(1.0 if failures > 1 else 0.1)

    def wait(self, job_id: str, on_change: Callable[[Job], None] | None = None) -> Job:
        """Wait for the end of a job and return it.

        Raises:
            JobFailed: where it failed or was cancelled.
        """
        job = {}
        for job in self.events(job_id):
            if on_change is not None:
                on_change(job)
        if job["state"] != "done":
            error = job["error"] or {"kind": "Cancelled", "message": "the job was cancelled", "hint": ""}
            raise JobFailed(error["kind"], error["message"], error["hint"])
        return job

    def files(self, job_id: str) -> list[dict[str, Any]]:
        """Return the files that a job made: name, size_bytes, media_type."""
        found: list[dict[str, Any]] = self._json("GET", f"/v1/jobs/{job_id}/files")["files"]
        return found

    def download(self, job_id: str, folder: str | Path, names: list[str] | None = None) -> list[Path]:
        """Fetch files that a job made into a folder; return where they lie.

        Args:
            job_id: The job.
            folder: Made where it is not there; what lies there under the same names is replaced.
            names: Which; all where not given.
        """
        wanted = [file["name"] for file in self.files(job_id)] if names is None else names
        return [self._fetch(job_id, name, Path(folder)) for name in wanted]

    def cancel(self, job_id: str) -> Job:
        """End a job; it is cancelled a moment later."""
        return self._json("POST", f"/v1/jobs/{job_id}/cancel")

    def delete(self, job_id: str) -> None:
        """Forget a job that has ended, with its files."""
        self._json("DELETE", "/v1/jobs/" + job_id)

    def _fetch(self, job_id: str, name: str, folder: Path) -> Path:
        parts = name.split("/")
        if any(part in ("", ".", "..") or "\\" in part or ":" in part for part in parts):
            raise ServiceRefused("BadName", f"{name!r} is no name of a file")
        to = folder.joinpath(*parts)
        to.parent.mkdir(parents=True, exist_ok=True)
        part = to.with_name(to.name + ".part")
        address = f"/v1/jobs/{job_id}/files/{urllib.parse.quote(name)}"
        with self._open("GET", address) as answer, part.open("wb") as file:
            shutil.copyfileobj(answer, file, BLOCK_BYTES)
            whole = file.tell() == int(answer.headers["Content-Length"])
        if not whole:
            part.unlink()
            raise ServiceRefused("NoService", f"{name} was cut off on its way", "fetch it again")
        return part.replace(to)

    def _json(self, method: str, path: str, value: Any = None) -> dict[str, Any]:
        body = None if value is None else json.dumps(value).encode()
        with self._open(method, path, body, {"Content-Type": "application/json"} if body else {}) as answer:
            found: dict[str, Any] = json.load(answer)
            return found

    def _open(self, method: str, path: str, body: Any = None, headers: dict[str, str] | None = None) -> HTTPResponse:
        """Return the body of an answer, to be read.

        Raises:
            ServiceRefused: where the service says no, with its reason; `status` is 0 where it cannot be reached.
        """
        told = {"Authorization": "Bearer " + self._token, **(headers or {})}
        request = urllib.request.Request(self.url + path, body, told, method=method)  # noqa: S310 - as its user says
        try:
            answer: HTTPResponse = self._opener.open(request, timeout=self._timeout_s)
            return answer
        except urllib.error.HTTPError as refusal:
            with refusal:
                raise _refused(refusal) from None
        except OSError as cause:
            reason = getattr(cause, "reason", cause)
            raise ServiceRefused(
                "NoService", f"no answer from {self.url}: {reason}", "start it: foley serve"
            ) from cause


def _refused(refusal: urllib.error.HTTPError) -> ServiceRefused:
    try:
        said = json.load(refusal)
        return ServiceRefused(said["kind"], said["message"], said["hint"], refusal.code)
    except (ValueError, KeyError, TypeError):
        return ServiceRefused("Refused", f"the service answered {refusal.code}", "", refusal.code)


def _events(stream: HTTPResponse) -> Iterator[Any]:
    """Yield id and content of each server-sent event."""
    number = ""
    for raw in stream:
        line = raw.decode("utf-8").rstrip("\r\n")
        if line.startswith("id: "):
            number = line[4:]
        elif line.startswith("data: "):
            yield number, json.loads(line[6:])
