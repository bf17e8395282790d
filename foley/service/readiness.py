"""Whether the service can take work now: its queue answers, a worker is up, the disk has room, and it is not ending."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from foley.errors import FoleyError
from foley.service import limits
from foley.service.jobs import JobStore
from foley.service.messages import Readiness
from foley.service.supervisor import Supervisor

T = TypeVar("T")

WELL = "ok"


@dataclass(frozen=True, slots=True)
class Checks:
    """Looks at what readiness hangs on; what it says names no file and no job, for it is told to everybody."""

    store: JobStore
    supervisor: Supervisor
    folders: tuple[Path, ...]
    """Whose disks need room."""
    reserve_bytes: int

    def has_room(self) -> bool:
        """Return whether the disks have room."""
        return not limits.lacks_room(self.folders, self.reserve_bytes)

    def readiness(self) -> Readiness:
        """Return what is well and what is not."""
        supervisor = self.supervisor
        found = {
            "queue": WELL if self.jobs() is not None else "the queue cannot be read",
            "workers": WELL if supervisor.workers_up else f"none of {supervisor.workers} is up",
            "disk": self._disk(),
            "open": "the service is ending" if supervisor.is_draining else WELL,
        }
        return Readiness(all(state == WELL for state in found.values()), found)

    def _disk(self) -> str:
        try:
            return WELL if self.has_room() else f"less than {self.reserve_bytes >> 20} MB are free"
        except OSError:
            return "the disk cannot be asked"

    def flags(self) -> dict[str, float]:
        """Return 1 for what is well and 0 for what is not."""
        return {name: float(state == WELL) for name, state in self.readiness().checks.items()}

    def jobs(self) -> dict[str, float] | None:
        """Return how many jobs are in each state; None where the queue cannot be read."""
        return _tried(lambda: {state: float(number) for state, number in self.store.counts().items()})

    def oldest_wait_s(self, now_s: float) -> float | None:
        """Return how long the job that comes next has waited, at an instant in seconds since 1970."""
        since_s = _tried(self.store.oldest_s)
        return None if since_s is None else max(0.0, now_s - since_s)


def _tried(look: Callable[[], T]) -> T | None:
    try:
        return look()
    except FoleyError:
        return None
