"""What one job may use: time, memory, and how long its clip may be; and how much of the disk must stay free."""

from __future__ import annotations

import mmap
import shutil
import sys
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from foley.errors import ServiceError
from foley.service.messages import Problem

RESERVE_BYTES = 512 << 20
"""Of the disk that is left free: the queue, the cache and the result of a job that runs need room too."""

LOOK_S = 0.5
"""How often a worker's memory is looked at: programs fill some hundred MB meanwhile, not what a machine has."""

CAN_SEE_MEMORY = sys.platform == "linux"
"""Only here the system tells without a package what a process and its programs hold."""


@dataclass(frozen=True, slots=True)
class Limits:
    """Of one job; None is no limit."""

    wall_s: float | None = None
    """From its begin; each attempt has the whole time."""
    memory_bytes: int | None = None
    """Of the worker and the programs that it runs, together: what is theirs alone."""
    clip_s: float | None = None

    def __post_init__(self) -> None:
        if any(limit is not None and limit <= 0 for limit in (self.wall_s, self.memory_bytes, self.clip_s)):
            raise ValueError("a limit must be more than 0")


class ClipTooLongError(ServiceError):
    """The clip is longer than a job's may be."""

    def __init__(self, name: str, *, duration_s: float, most_s: float) -> None:
        hint = "send it in parts, or start the service with a larger --max-clip-minutes"
        super().__init__(f"{name} is {duration_s / 60:.1f} minutes long, {most_s / 60:g} are allowed", hint=hint)


def refuse_unseen(limits: Limits) -> None:
    """Refuse a limit that cannot be kept here.

    Raises:
        ServiceError: saying which.
    """
    if limits.memory_bytes is not None and not CAN_SEE_MEMORY:
        raise ServiceError("--max-memory-mb needs Linux", hint="limit the memory of the whole service instead")


class Watch:
    """Sees whether a job that runs keeps within its limits."""

    def __init__(self, limits: Limits, pid: int) -> None:
        self._limits, self._pid = limits, pid
        self._began_s = self._looked_s = time.monotonic()
        self.memory_bytes = 0
        """What the worker and its programs held when they were last looked at; 0 where that cannot be seen."""

    def exceeded(self) -> Problem | None:
        """Return what is wrong; None where the job may go on."""
        now_s = time.monotonic()
        wall_s, most_bytes = self._limits.wall_s, self._limits.memory_bytes
        if wall_s is not None and now_s - self._began_s > wall_s:
            hint = "send the clip in parts, or start the service with a larger --max-job-minutes"
            return Problem("TimeLimit", f"the job took longer than {wall_s / 60:g} minutes and was ended", hint)
        if now_s - self._looked_s > LOOK_S:
            self._looked_s, self.memory_bytes = now_s, held_bytes(self._pid)
        if most_bytes is not None and self.memory_bytes > most_bytes:
            hint = "ask for less, or start the service with a larger --max-memory-mb"
            held = f"{self.memory_bytes >> 20} MB of memory, {most_bytes >> 20} are allowed"
            return Problem("MemoryLimit", f"the job used {held}, and was ended", hint)
        return None


def held_bytes(pid: int) -> int:
    """Return what a process and those that it started hold in memory and share with no file; 0 where nothing tells."""
    if not CAN_SEE_MEMORY:
        return 0
    total, left = 0, [pid]
    while left:
        process = Path("/proc") / str(left.pop())
        with suppress(OSError, ValueError, IndexError):  # it has ended meanwhile
            _, resident, shared, *_ = (process / "statm").read_text().split()
            total += (int(resident) - int(shared)) * mmap.PAGESIZE
        with suppress(OSError):
            for thread in (process / "task").iterdir():
                with suppress(OSError):
                    left += map(int, (thread / "children").read_text().split())
    return total


def lacks_room(folders: tuple[Path, ...], reserve_bytes: int) -> bool:
    """Return whether less than the reserve is free on the disk of one of the folders."""
    return any(shutil.disk_usage(folder).free < reserve_bytes for folder in folders if folder.exists())
