"""The queue: jobs in a database file, so that none is lost and none is done twice, whoever is killed when.

A job is queued, running, then done, failed or cancelled. Who runs it is noted with it by two leases: of the service and
of its worker process. When neither lives any more, the job is taken up again by whoever asks next. Several services may
share one queue.
"""

from __future__ import annotations

import json
import secrets
import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from foley.deliver import outputs
from foley.errors import DiskFullError, ServiceError
from foley.service import leases
from foley.service.messages import Problem, Progress, Result, State
from foley.service.workers import MOST_CRASHES

FORMAT = 1
"""Raised when the table is laid out anew."""

PATIENCE_S = 10.0
"""How long one waits for another service that writes; each write takes milliseconds."""

TRIED_OFTEN = 3
"""A job that was begun so often without an end lets all others go first: it may be what ends the service."""

_TABLE = """
CREATE TABLE IF NOT EXISTS jobs (
  number INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT UNIQUE NOT NULL, key TEXT UNIQUE, upload TEXT UNIQUE,
  state TEXT NOT NULL, request TEXT NOT NULL, created_s REAL NOT NULL, started_s REAL, ended_s REAL,
  attempts INTEGER NOT NULL DEFAULT 0, crashes INTEGER NOT NULL DEFAULT 0, revision INTEGER NOT NULL DEFAULT 0,
  cancel INTEGER NOT NULL DEFAULT 0, service TEXT NOT NULL DEFAULT '', worker TEXT NOT NULL DEFAULT '',
  progress TEXT, result TEXT, error TEXT
);
CREATE INDEX IF NOT EXISTS by_state ON jobs (state, number);
"""


class QueueFullError(Exception):
    """As many jobs wait as may."""


class UploadTakenError(Exception):
    """The upload belongs to another job."""


@dataclass(frozen=True, slots=True)
class Job:
    """One row of the table."""

    number: int
    id: str
    key: str | None
    upload: str | None
    state: State
    request: dict[str, Any]
    """As it was checked and accepted."""
    created_s: float
    started_s: float | None
    ended_s: float | None
    attempts: int
    crashes: int
    revision: int
    cancel: bool
    """Whether it is to be ended."""
    service: str
    worker: str
    progress: Progress | None
    result: Result | None
    error: Problem | None


class JobStore:
    """The table of jobs in a folder."""

    def __init__(self, folder: Path) -> None:
        """Open it, making it where it is not there.

        Raises:
            ServiceError: where the file is no queue of this version.
            OutputError: where the folder cannot be written to.
        """
        self.path = folder / "jobs.sqlite"
        self.alive = folder / "alive"
        self._lock = threading.RLock()
        outputs.make_folder(self.alive)
        leases.sweep(self.alive)
        with self._translated():
            self._base = sqlite3.connect(self.path, PATIENCE_S, isolation_level=None, check_same_thread=False)
            self._base.row_factory = sqlite3.Row
            self._base.execute("PRAGMA journal_mode=WAL")
            self._lay_out()

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._base.close()

    def submit(
        self, request: dict[str, Any], *, key: str | None = None, upload: str | None = None, most_queued: int = 1000
    ) -> tuple[Job, bool]:
        """Queue a job; return it, and whether it is new: the same key again is the same job.

        Raises:
            QueueFullError: where as many as `most_queued` wait.
            UploadTakenError: where another job has the upload.
        """
        with self._writing(durable=True):
            if key and (present := self._one("key = ?", key)):
                return present, False
            if self.counts().get("queued", 0) >= most_queued:
                raise QueueFullError
            if upload and self._one("upload = ?", upload):
                raise UploadTakenError
            job_id = secrets.token_hex(8)
            self._base.execute(
                "INSERT INTO jobs (id, key, upload, state, request, created_s) VALUES (?, ?, ?, 'queued', ?, ?)",
                (job_id, key or None, upload or None, json.dumps(request), time.time()),
            )
            return self._known(job_id), True

    def get(self, job_id: str) -> Job | None:
        """Return a job."""
        with self._lock, self._translated():
            return self._one("id = ?", job_id)

    def newest(self, *, state: State | None = None, before: int | None = None, limit: int = 50) -> list[Job]:
        """Return jobs, the newest first.

        Args:
            state: Only those in it.
            before: Only those with a lower number.
            limit: The most.
        """
        with self._lock, self._translated():
            rows = self._base.execute(
                "SELECT * FROM jobs WHERE (?1 IS NULL OR state = ?1) AND (?2 IS NULL OR number < ?2)"
                " ORDER BY number DESC LIMIT ?3",
                (state, before, limit),
            )
            return [_job(row) for row in rows]

    def counts(self) -> dict[str, int]:
        """Return how many jobs are in each state."""
        with self._lock, self._translated():
            return dict(self._base.execute("SELECT state, count(*) FROM jobs GROUP BY state").fetchall())

    def oldest_s(self) -> float | None:
        """Return since when the job that comes next has waited, in seconds since 1970; None where none waits."""
        with self._lock, self._translated():
            (since_s,) = self._base.execute("SELECT min(created_s) FROM jobs WHERE state = 'queued'").fetchone()
            return None if since_s is None else float(since_s)

    def ended_before(self, at_s: float) -> list[Job]:
        """Return jobs that had ended at an instant, in seconds since 1970."""
        with self._lock, self._translated():
            return [_job(row) for row in self._base.execute("SELECT * FROM jobs WHERE ended_s < ?", (at_s,))]

    def has_upload(self, upload: str) -> bool:
        """Return whether a job has the upload."""
        with self._lock, self._translated():
            return self._one("upload = ?", upload) is not None

    def has_key(self, key: str) -> bool:
        """Return whether a job of a client's own name is there."""
        with self._lock, self._translated():
            return self._one("key = ?", key) is not None

    def claim(self, *, service: str, worker: str) -> Job | None:
        """Begin the next job, after putting back those whose service and worker are gone; None where none waits.

        Args:
            service: Lease of the service.
            worker: Lease of the worker that will do it.
        """
        self._put_back_abandoned()
        with self._writing():
            row = self._base.execute(
                "SELECT id FROM jobs WHERE state = 'queued' ORDER BY attempts >= ?, number LIMIT 1", (TRIED_OFTEN,)
            ).fetchone()
            if row is None:
                return None
            self._base.execute(
                "UPDATE jobs SET state = 'running', attempts = attempts + 1, started_s = ?, service = ?, worker = ?,"
                " progress = NULL, revision = revision + 1 WHERE id = ?",
                (time.time(), service, worker, row["id"]),
            )
            return self._known(row["id"])

    def advance(self, job: Job, progress: Progress) -> None:
        """Note how far a job is."""
        self._change(job, "progress = ?", json.dumps(asdict(progress)))

    def is_cancelled(self, job: Job) -> bool:
        """Return whether a running job is to be ended."""
        with self._lock, self._translated():
            row = self._base.execute("SELECT cancel FROM jobs WHERE id = ?", (job.id,)).fetchone()
            return row is None or bool(row["cancel"])

    def finish(self, job: Job, result: Result) -> None:
        """Note that a job is done."""
        self._end(job, "done", result=result)

    def fail(self, job: Job, error: Problem) -> None:
        """Note that a job cannot be done."""
        self._end(job, "failed", error=error)

    def end_cancelled(self, job: Job) -> None:
        """Note that a job was ended as asked."""
        self._end(job, "cancelled")

    def release(self, job: Job) -> None:
        """Put a job back that is not to be finished now; the attempt does not count."""
        self._change(job, f"{_BACK}, attempts = attempts - 1", durable=True)

    def crash(self, job: Job, error: Problem) -> State:
        """Put a job back whose worker died over it; fail it where that is no accident any more; return its state."""
        if job.crashes + 1 >= MOST_CRASHES:
            self.fail(job, error)
            return "failed"
        self._change(job, f"{_BACK}, crashes = crashes + 1", durable=True)
        return "queued"

    def cancel(self, job_id: str) -> Job | None:
        """Cancel a job that waits, ask for the end of one that runs; leave one that has ended."""
        with self._writing(durable=True):
            self._base.execute(
                "UPDATE jobs SET state = 'cancelled', ended_s = ?, revision = revision + 1"
                " WHERE id = ? AND state = 'queued'",
                (time.time(), job_id),
            )
            self._base.execute("UPDATE jobs SET cancel = 1 WHERE id = ? AND state = 'running'", (job_id,))
            return self._one("id = ?", job_id)

    def delete(self, job_id: str) -> bool:
        """Forget a job that has ended; False where it has not."""
        with self._writing(durable=True):
            gone = self._base.execute(
                "DELETE FROM jobs WHERE id = ? AND state IN ('done', 'failed', 'cancelled')", (job_id,)
            )
            return gone.rowcount == 1

    def _put_back_abandoned(self) -> None:
        with self._lock, self._translated():
            running = [_job(row) for row in self._base.execute("SELECT * FROM jobs WHERE state = 'running'")]
        for job in running:
            if leases.is_live(self.alive, job.service) or leases.is_live(self.alive, job.worker):
                continue
            if job.cancel:
                self.end_cancelled(job)
            else:
                self._change(job, _BACK, durable=True)

    def _end(self, job: Job, state: State, *, result: Result | None = None, error: Problem | None = None) -> None:
        self._change(
            job,
            "state = ?, ended_s = ?, result = ?, error = ?, service = '', worker = ''",
            state,
            time.time(),
            json.dumps(asdict(result)) if result else None,
            json.dumps(asdict(error)) if error else None,
            durable=True,
        )

    def _change(self, job: Job, what: str, *values: object, durable: bool = False) -> None:
        """Change a running job, unless another has taken it over."""
        with self._writing(durable=durable):
            self._base.execute(
                f"UPDATE jobs SET {what}, revision = revision + 1"  # noqa: S608 - `what` is written above
                " WHERE id = ? AND state = 'running' AND worker = ?",
                (*values, job.id, job.worker),
            )

    def _one(self, where: str, value: str) -> Job | None:
        row = self._base.execute(f"SELECT * FROM jobs WHERE {where}", (value,)).fetchone()  # noqa: S608 - as above
        return _job(row) if row is not None else None

    def _known(self, job_id: str) -> Job:
        job = self._one("id = ?", job_id)
        assert job is not None
        return job

    @contextmanager
    def _writing(self, *, durable: bool = False) -> Iterator[None]:
        """Do all writes of the block or none; a durable one survives the loss of power, all survive every kill."""
        with self._lock, self._translated():
            self._base.execute(f"PRAGMA synchronous={'FULL' if durable else 'NORMAL'}")
            self._base.execute("BEGIN IMMEDIATE")
            try:
                yield
                self._base.execute("COMMIT")
            except BaseException:
                with suppress(sqlite3.Error):  # a full disk has rolled it back already
                    self._base.execute("ROLLBACK")
                raise

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as cause:
            if getattr(cause, "sqlite_errorcode", None) == sqlite3.SQLITE_FULL:
                raise DiskFullError(self.path) from cause
            hint = "move it away to begin a new queue; finished files stay where they are"
            raise ServiceError(f"the queue {self.path} cannot be used: {cause}", hint=hint) from cause

    def _lay_out(self) -> None:
        (version,) = self._base.execute("PRAGMA user_version").fetchone()
        if version not in (0, FORMAT):
            raise ServiceError(
                f"the queue {self.path} was made by another version of foley", hint="use that, or move it"
            )
        self._base.executescript(f"{_TABLE} PRAGMA user_version = {FORMAT};")


_BACK = "state = 'queued', service = '', worker = '', progress = NULL"


def _job(row: sqlite3.Row) -> Job:
    values = dict(row)
    for name, kind in (("progress", Progress), ("result", Result), ("error", Problem)):
        values[name] = kind(**json.loads(values[name])) if values[name] else None
    if found := values["result"]:
        values["result"] = replace(found, notes=tuple(found.notes))
    return Job(**values | {"request": json.loads(values["request"]), "cancel": bool(values["cancel"])})
