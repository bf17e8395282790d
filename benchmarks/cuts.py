"""Whether cuts are found to the frame on real clips, and nothing else is taken for one: flashes, smoke, fast motion.

Dissolves and fades are counted apart: one is found where a fade begins a shot while it lasts.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.figures import Figure, real_clips
from foley.analysis.probe import probe
from foley.analysis.watch import WatchOptions, watch
from foley.evaluate.sync import match
from foley.model import Source
from foley.pipeline.cache import Cache

WANTED_F1 = 0.95
SLACK_S = 0.001
"""Truth is written to the millisecond."""
SHOWN_CUTS_S = {"nasa": [8.008]}
"""Its truth is of the first of two video streams, at 25 fps; players and foley show the other, where the new picture
is frame 240 at 29.97 fps."""
DAMAGED = ("paper_rip",)
"""Blocks of other pictures stand in it for seconds: neither flashes nor fast motion, and counted apart."""
SOFT_SLACK_S = 0.2
"""How far outside a dissolve its middle may be put: where one begins nobody can say to the frame."""
COMMAND = "python -m benchmarks cuts"


@dataclass(frozen=True, slots=True)
class Count:
    """What was found in one clip."""

    true: int
    found: int
    right: int
    soft_true: int
    soft_found: int
    soft_right: int


def counted(folder: Path, truth: Mapping[str, Any], scratch: Path) -> Count:
    """Return what is found in a clip beside what is there."""
    ctx = Cache(scratch).context()
    clip = probe(Source(folder / truth["file"]), ctx)
    shots = watch(clip, WatchOptions(), ctx).shots
    cuts = [shot.start_s for shot in shots if shot.opening == "cut"]
    fades = [shot.start_s for shot in shots if shot.opening == "fade"]
    true = SHOWN_CUTS_S.get(Path(truth["file"]).stem, truth["cuts_s"])
    soft = truth.get("soft_cuts_s", [])
    soft_right = sum(
        any(start_s - SOFT_SLACK_S <= fade_s <= end_s + SOFT_SLACK_S for fade_s in fades) for start_s, end_s in soft
    )
    right = len(match(true, cuts, window_s=1 / float(clip.video.frame_rate) + SLACK_S))
    return Count(len(true), len(cuts), right, len(soft), len(fades), soft_right)


def f1(right: int, true: int, found: int) -> float:
    """Return the harmonic mean of precision and recall."""
    return 2 * right / (true + found) if true + found else 1.0


def measure() -> list[Figure]:
    """Return F1 over the clips that have cuts, and what is taken for a cut in the others."""
    folder = real_clips()
    if folder is None:
        return [Figure("F1 of cuts", "the real clips are not here", "", None, COMMAND)]
    truths = json.loads((folder / "clips.json").read_text(encoding="utf-8"))
    dev = {name: truth for name, truth in truths.items() if truth["split"] == "dev"}
    with tempfile.TemporaryDirectory() as scratch:
        counts = {name: counted(folder, truth, Path(scratch)) for name, truth in dev.items()}
    return figures(counts)


def figures(counts: Mapping[str, Count]) -> list[Figure]:
    """Return the sums over the clips as figures."""
    cut = {name: count for name, count in counts.items() if count.true}
    false = {name: count.found for name, count in counts.items() if not count.true and count.found}
    right, true, found = (sum(getattr(count, field) for count in cut.values()) for field in ("right", "true", "found"))
    value = f1(right, true, found)
    missed = [name for name, count in cut.items() if count.right < count.true or count.right < count.found]
    soft = [sum(getattr(c, field) for c in counts.values()) for field in ("soft_right", "soft_true", "soft_found")]
    apart = {name: false.pop(name, 0) for name in DAMAGED if name in counts}
    uncut = len(counts) - len(cut) - len(apart)
    return [
        Figure(
            f"F1 of hard cuts within one frame, {len(cut)} clips",
            f"{value:.3f} ({right} of {true}, {found} found{'; not all: ' + ', '.join(missed) if missed else ''})",
            f"at least {WANTED_F1}",
            value >= WANTED_F1,
            COMMAND,
        ),
        Figure(
            f"false cuts in {uncut} clips without cuts, with flashes, smoke and fast motion among them",
            f"{sum(false.values())}{' in ' + ', '.join(false) if false else ''}",
            "none",
            not false,
            COMMAND,
        ),
        Figure(
            f"false cuts where the picture is damaged: {', '.join(apart)}", str(sum(apart.values())), "", None, COMMAND
        ),
        Figure("dissolves and fades", f"{soft[0]} of {soft[1]} found, {soft[2] - soft[0]} false", "", None, COMMAND),
    ]
