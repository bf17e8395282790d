"""Clears up: jobs that ended long ago, folders of jobs that were deleted, uploads that were forgotten."""

from __future__ import annotations

import shutil
import threading
import time

from foley.deliver import outputs
from foley.errors import FoleyError
from foley.service.desk import Service
from foley.service.jobs import Job

EVERY_S = 600.0
DAY_S = 86_400.0


class Janitor:
    """Clears up at the start and from then on, in a thread of its own."""

    def __init__(self, service: Service, keep_days: float | None) -> None:
        """Make ready; `start` begins.

        Args:
            service: Whose files.
            keep_days: How long a job that has ended is kept, with what lies in its own folder; None keeps all.
        """
        self._service, self._keep_days = service, keep_days
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._work, name="janitor", daemon=True)

    def start(self) -> None:
        """Clear up now and go on with it."""
        clear_up(self._service, self._keep_days)
        self._thread.start()

    def end(self) -> None:
        """Clear up no more."""
        self._ending.set()
        self._thread.join()

    def _work(self) -> None:
        while not self._ending.wait(EVERY_S):
            try:
                clear_up(self._service, self._keep_days)
            except (OSError, FoleyError) as error:
                self._service.telemetry.log.say(f"old jobs were not cleared up: {error}")


def clear_up(service: Service, keep_days: float | None) -> None:
    """Remove what is kept long enough, and what belongs to no job any more."""
    outputs.make_folder(service.folder)
    if keep_days is not None:
        for job in service.store.ended_before(time.time() - keep_days * DAY_S):
            forget(service, job)
    for folder in service.folder.iterdir():
        if service.store.get(folder.name) is None:
            shutil.rmtree(folder, ignore_errors=True)
    for upload in service.uploads.forgotten():
        if not service.store.has_upload(upload):
            service.uploads.remove(upload)


def forget(service: Service, job: Job) -> bool:
    """Remove a job that has ended, with its upload and its own folder; False where it has not ended."""
    if not service.store.delete(job.id):
        return False
    shutil.rmtree(service.own(job.id), ignore_errors=True)
    if job.upload:
        service.uploads.remove(job.upload)
    return True
