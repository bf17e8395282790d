"""Clips for batches: as little work as any, and some seconds of it."""

from __future__ import annotations

import hashlib
import os
import signal
import time
from collections.abc import Callable
from pathlib import Path

from foley.pipeline.runner import StageProgress
from tests import media_maker

Tell = Callable[[StageProgress], None]

_QUICK = ("-c:v", "libx264", "-preset", "ultrafast")


def tiny_clip(to: Path) -> Path:
    """Make a clip that takes as little work as any."""
    return media_maker.moving(to, duration_s=0.4, size="96x54", more=_QUICK)


def long_clip(to: Path) -> Path:
    """Make a clip that takes some seconds of work."""
    return media_maker.moving(to, duration_s=8, size="320x180", more=_QUICK)


def content(path: Path) -> str:
    """Return a hash of a file."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def process_number(tell: Tell) -> int:
    """Return which process does the work."""
    return os.getpid()


def many_stages(tell: Tell) -> str:
    """Work for a second, in ten stages."""
    for number in range(10):
        tell(StageProgress(f"stage {number}", number, 10, 0.0))
        time.sleep(0.1)
    return "done"


def hang(noted: Path, tell: Tell) -> None:
    """Hang in a stage for ever, having noted which process does."""
    tell(StageProgress("takes", 1, 1, 0.0))
    noted.write_text(str(os.getpid()))
    time.sleep(3600)


def be_killed(tell: Tell) -> None:
    """End as a process does that the system kills."""
    os.kill(os.getpid(), signal.SIGKILL)
