"""Rendering again after one event was edited, over the first run's time after analysis; stems compared."""

from __future__ import annotations

import hashlib
import tempfile
import time
from dataclasses import replace
from pathlib import Path

import foley
from benchmarks.figures import Figure
from benchmarks.speed import WITH_TENNIS, minute_of_1080p
from foley.api import Settings
from foley.plan import events

WANTED = 0.2
PROMPT = (
    "0:00-0:10 a man fires a rifle, wind blows in the grass, his jacket rustles, shells fall on stones, birds sing; "
    "0:10-0:20 a man plays tennis, footsteps on concrete, wind in the trees, birds sing, cars pass far away; "
    "0:20-0:30 a waterfall, water drips on rocks, a stream flows, birds sing, leaves rustle; "
    "0:30-0:40 a train passes, wheels squeal, wind, footsteps on gravel, a bell rings; "
    "0:40-0:50 heavy rain on the windscreen of a car, wipers squeak, the engine runs, thunder rumbles, wind; "
    "0:50-1:00 sheep bleat, footsteps on grass, wind, birds sing, a bell rings"
)
"""A minute as it is spotted for a film: some 30 events in layers."""
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
        video = minute_of_1080p(folder / "minute.mp4", WITH_TENNIS)
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
        Figure("events of the plan", str(len(first.plan.events)), "", None, command),
        Figure(
            "edited render over first run after analysis", f"{ratio:.2f}", f"under {WANTED}", ratio < WANTED, command
        ),
        Figure("edited render over whole first run", f"{again_s / whole_s:.2f}", "", None, command),
        Figure("first run after analysis", f"{first_s:.2f} s", "", None, command),
        Figure("edited render, whole", f"{again_s:.2f} s", "", None, command),
        Figure("other stems bit-identical", f"{', '.join(others)}: {same}", "all", same, command),
        Figure("the edited stem changed", str(before[edited.bus] != after[edited.bus]), "", None, command),
    ]
