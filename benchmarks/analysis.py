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


def measure() -> list[Figure]:
    """Return the ratio, round by round taken, and the shares."""
    ratios, decodes, runs = [], [], []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        video = minute_of_1080p(folder / "minute.mp4")
        for _ in range(ROUNDS):
            decode_s, _ = timed(["ffmpeg", "-v", "error", "-i", str(video), "-f", "null", "-"])
            shutil.rmtree(folder / "cache", ignore_errors=True)
            command = [
                sys.executable,
                "-m",
                "foley",
                "inspect",
                str(video),
                "--json",
                "--workdir",
                str(folder / "cache"),
            ]
            run_s, _ = timed(command)
            decodes.append(decode_s)
            runs.append(run_s)
            ratios.append(run_s / decode_s)
        clip = probe(Source(video), Cache(folder / "other").context())
        shares = {"decoding and scaling": decoded(clip), **observed(clip)}
    ratio, frames = statistics.median(ratios), round(float(clip.duration_s * clip.video.frame_rate))
    bare_ms = 1000 * statistics.median(decodes) / frames
    return [
        Figure(
            f"analysis over bare decode, median of {ROUNDS}",
            f"{ratio:.2f}",
            f"at most {WANTED}",
            ratio <= WANTED,
            COMMAND,
        ),
        Figure("bare decode by ffmpeg", f"{bare_ms:.2f} ms a frame", "", None, COMMAND),
        Figure(
            "analysis, whole process", f"{1000 * statistics.median(runs) / frames:.2f} ms a frame", "", None, COMMAND
        ),
        *(Figure(f"{part} alone", f"{ms:.2f} ms a frame", "", None, COMMAND) for part, ms in shares.items()),
    ]
