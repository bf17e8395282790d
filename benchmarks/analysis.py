"""Time of the analysis (`foley inspect`) over a bare decode of the same minute of 1080p, and observers' shares.

The observers' shares are taken by themselves, on frames decoded beforehand, in milliseconds a frame. In a run decoding
goes on beside them, on other cores where there are any.
"""

from __future__ import annotations

import itertools
import shutil
import statistics
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from benchmarks.figures import Figure
from benchmarks.speed import minute_of_1080p, timed
from foley.analysis.observers.cuts import CutObserver
from foley.analysis.observers.flashes import FlashObserver
from foley.analysis.observers.keyframes import KeyFrameObserver
from foley.analysis.observers.motion import MotionObserver
from foley.analysis.observers.view import one_thread, view
from foley.analysis.probe import probe
from foley.analysis.watch import SETTLE_EVERY_FRAMES, WatchOptions
from foley.media.reader import read_frames
from foley.model import Clip, Source
from foley.pipeline.cache import Cache

ROUNDS = 3
WANTED = 1.3
CHUNK_FRAMES = 300
"""Held at once: 75 MB of small pictures."""
COMMAND = "python -m benchmarks analysis"


def observed(clip: Clip) -> dict[str, float]:
    """Return what each part of watching takes, in milliseconds a frame."""
    seconds: Counter[str] = Counter()
    count = 0
    cuts, key_frames = CutObserver(), KeyFrameObserver()
    observers = {"cuts": cuts, "motion": MotionObserver(), "flashes": FlashObserver(), "key frames": key_frames}
    with one_thread(), read_frames(clip, width_px=WatchOptions().detail_px) as frames:
        while chunk := list(itertools.islice(frames, CHUNK_FRAMES)):
            with _adding(seconds, "shrinking"):
                views = [view(count + place, frame.time_s, frame.image) for place, frame in enumerate(chunk)]
            for name, observer in observers.items():
                with _adding(seconds, name):
                    for each in views:
                        observer.see(each)
            count += len(chunk)
            with _adding(seconds, "key frames"):
                for _ in range(len(chunk) // SETTLE_EVERY_FRAMES):
                    key_frames.settle(cuts.boundaries(), cuts.settled_s)
    return {name: 1000 * taken_s / count for name, taken_s in seconds.items()}


@contextmanager
def _adding(seconds: Counter[str], name: str) -> Iterator[None]:
    """Add what the block takes to a part's time."""
    start = time.perf_counter()
    yield
    seconds[name] += time.perf_counter() - start


def decoded(clip: Clip) -> float:
    """Return what reading the frames takes that the observers are shown, in milliseconds a frame."""
    start, count = time.perf_counter(), 0
    with read_frames(clip, width_px=WatchOptions().detail_px) as frames:
        for _ in frames:
            count += 1
    return 1000 * (time.perf_counter() - start) / count


class Round(NamedTuple):
    """Seconds that each took, one after another."""

    decode: float
    analysis: float
    start: float


def one_round(video: Path, workdir: Path) -> Round:
    """Return what a bare decode, the analysis and starting foley take."""
    foley = [sys.executable, "-m", "foley"]
    shutil.rmtree(workdir, ignore_errors=True)
    decode_s, _ = timed(["ffmpeg", "-v", "error", "-i", str(video), "-f", "null", "-"])
    run_s, _ = timed([*foley, "inspect", str(video), "--json", "--workdir", str(workdir)])
    start_s, _ = timed([*foley, "--version"])
    return Round(decode_s, run_s, start_s)


def measure() -> list[Figure]:
    """Return the ratio, round by round taken, and the shares."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        video = minute_of_1080p(folder / "minute.mp4")
        rounds = [one_round(video, folder / "cache") for _ in range(ROUNDS)]
        clip = probe(Source(video), Cache(folder / "other").context())
        shares = {"decoding and scaling alone": decoded(clip)}
        shares |= {f"{part} alone": ms for part, ms in observed(clip).items()}
    ratio, frames = statistics.median(each.analysis / each.decode for each in rounds), _frames(clip)

    def of_all(part: str) -> float:
        return 1000 * statistics.median(getattr(each, part) for each in rounds) / frames

    parts = {
        "bare decode by ffmpeg": of_all("decode"),
        "analysis, whole process": of_all("analysis"),
        "of which Python and foley start": of_all("start"),
        **shares,
    }
    held = Figure(
        f"analysis over bare decode, median of {ROUNDS}", f"{ratio:.2f}", f"at most {WANTED}", ratio <= WANTED, COMMAND
    )
    return [held, *(Figure(part, f"{ms:.2f} ms a frame", "", None, COMMAND) for part, ms in parts.items())]


def _frames(clip: Clip) -> int:
    return round(float(clip.duration_s * clip.video.frame_rate))
