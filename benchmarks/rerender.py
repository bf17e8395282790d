"""Rendering again after one event was edited, over the first run's time after analysis; stems compared."""

from __future__ import annotations

import hashlib
import tempfile
import time
from dataclasses import replace
from pathlib import Path

import foley
from benchmarks.figures import Figure
from benchmarks.speed import PROMPT, minute_of_1080p
from foley.api import Settings
from foley.plan import events

WANTED = 0.2
ANALYSIS = {"probe", "watch", "listen", "hints"}


def hashes(folder: Path) -> dict[str, str]:
    """Return a hash of every stem."""
    return {
        path.stem: hashlib.sha256(path.read_bytes()).hexdigest() for path in sorted((folder / "stems").glob("*.wav"))
    }


def measure() -> list[Figure]:
    """Return the ratio and which stems changed."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        video = minute_of_1080p(folder / "minute.mp4")
        settings = Settings(workdir=folder / "cache")
        first = foley.run(video, prompt=PROMPT, settings=settings)
        first_s = sum(stage.seconds for stage in first.times if stage.stage not in ANALYSIS)
        whole_s = sum(stage.seconds for stage in first.times)
        before = hashes(first.folder)
        edited = next(event for event in first.plan.events if event.kind == "hits" and event.bus != "backgrounds")
        changed = tuple(replace(e, seed=e.seed + 1) if e.id == edited.id else e for e in first.plan.events)
        events.save(replace(first.plan, events=changed), first.folder / "plan.yaml")
        start = time.perf_counter()
        foley.render(first.folder / "plan.yaml", settings=settings)
        again_s = time.perf_counter() - start
        after = hashes(first.folder)
    others = [stem for stem in before if stem not in (edited.bus, "mix", "track")]
    same = all(before[stem] == after[stem] for stem in others)
    ratio, command = again_s / first_s, "python -m benchmarks rerender"
    return [
        Figure(
            "edited render over first run after analysis", f"{ratio:.2f}", f"under {WANTED}", ratio < WANTED, command
        ),
        Figure("edited render over whole first run", f"{again_s / whole_s:.2f}", "", None, command),
        Figure("first run after analysis", f"{first_s:.2f} s", "", None, command),
        Figure("edited render, whole", f"{again_s:.2f} s", "", None, command),
        Figure("other stems bit-identical", f"{', '.join(others)}: {same}", "all", same, command),
        Figure("the edited stem changed", str(before[edited.bus] != after[edited.bus]), "", None, command),
    ]
