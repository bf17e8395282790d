"""What this machine holds: how many videos at once."""

from __future__ import annotations

import importlib
import os
from typing import Any

from foley import plugins
from foley.errors import FoleyError

WORKER_MB = 700
"""The most that a run holds, however long its film: what `python -m benchmarks memory` asks of it."""

ENCODER_MB = 1500
"""More where an encoder's weights are here, which each worker loads."""

USABLE = 0.8
"""Part of the free memory that workers may fill: others on the machine want some too."""


def jobs_here(items: int) -> int:
    """Return how many videos are done at once on this machine: one a core, as far as its memory goes."""
    memory: Any = importlib.import_module("foley.neural.memory")  # by name: it may hang on torch
    each_mb = WORKER_MB + ENCODER_MB * _has_encoder()
    return max(1, min(cores(), int(USABLE * memory.free_mb("cpu") / each_mb), items))


def threads_each(jobs: int) -> int:
    """Return how many threads libraries may start in one of so many workers."""
    return max(1, cores() // jobs)


def cores() -> int:
    """Return how many cores this process may use."""
    with_limits = getattr(os, "sched_getaffinity", None)
    return len(with_limits(0)) if with_limits else os.cpu_count() or 1


def _has_encoder() -> bool:
    try:
        return any(not plugins.build("encoder", name).missing() for name in plugins.names("encoder"))
    except FoleyError:
        return False
