"""Clips for batches: as little work as any, and some seconds of it."""

from __future__ import annotations

import hashlib
from pathlib import Path

from tests import media_maker

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
