"""Time of a whole `foley run` (report included, nothing cached) over a bare decode of the same minute of 1080p."""

from __future__ import annotations

import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from benchmarks.figures import Figure, real_clips

ROUNDS = 3
WANTED, AIM = 2.0, 1.3
REAL = ("guns", "chopping", "waterfall", "train", "rain_windscreen", "sheep")
PROMPT = (
    "0:00-0:10 a man fires a rifle; 0:10-0:20 a knife chops cabbage; 0:20-0:30 a waterfall; 0:30-0:40 a train passes; "
    "0:40-0:50 heavy rain on the windscreen of a car; 0:50-1:00 sheep bleat"
)
"""What is seen in the six parts of the minute, as somebody who knows the film would say it."""
WITH_TENNIS = tuple("tennis_a" if name == "chopping" else name for name in REAL)
TENNIS_PROMPT = PROMPT.replace("a knife chops cabbage", "a man plays tennis")
"""Balls are looked for a second time, larger, so a ball game costs more."""
SAMPLES = Path(__file__).parents[1] / "samples"


def minute_of_1080p(to: Path, names: Sequence[str] = REAL) -> Path:
    """Make 60 s of 1080p at 30 fps from real clips where they are here, else from the samples."""
    clips = real_clips()
    sources = [clips / f"{name}.mp4" for name in names] if clips else sorted(SAMPLES.glob("*[!y].mp4")) * 2
    inputs = [part for source in sources for part in ("-i", str(source))]
    parts = "".join(
        f"[{n}:v:0]fps=30,scale=1920:1080:flags=bicubic,setsar=1,trim=duration=10,tpad=stop_mode=clone:stop_duration=10,"
        f"trim=duration=10,setpts=PTS-STARTPTS[v{n}];"
        for n in range(len(sources))
    )
    joined = "".join(f"[v{n}]" for n in range(len(sources)))
    graph = f"{parts}{joined}concat=n={len(sources)}:v=1:a=0[v]"
    coding = ["-c:v", "libx264", "-preset", "veryfast", "-crf", "20"]
    command = ["ffmpeg", "-v", "error", "-y", *inputs, "-filter_complex", graph, "-map", "[v]", "-t", "60", *coding]
    subprocess.run([*command, str(to)], check=True)
    return to


def timed(command: list[str], env: dict[str, str] | None = None) -> tuple[float, str]:
    start = time.perf_counter()
    done = subprocess.run(command, check=True, capture_output=True, text=True, env=env)
    return time.perf_counter() - start, done.stdout


def measure() -> list[Figure]:
    """Return the ratio, round by round taken, what the stages took, and the ratio with a ball game."""
    with tempfile.TemporaryDirectory() as folder:
        video = minute_of_1080p(Path(folder) / "minute.mp4")
        rounds = [_round(video, PROMPT) for _ in range(ROUNDS)]
        ball_game = _round(minute_of_1080p(Path(folder) / "tennis.mp4", WITH_TENNIS), TENNIS_PROMPT)
    decodes, runs, stages = zip(*rounds, strict=True)
    ratio = statistics.median(run_s / decode_s for decode_s, run_s, _ in rounds)
    command = "python -m benchmarks speed"
    took = ", ".join(f"{name} {seconds:.2f}" for name, seconds in stages[-1].items())
    asked = f"at most {WANTED} (aim {AIM})"
    return [
        Figure("run over bare decode, median of 3", f"{ratio:.2f}", asked, ratio <= WANTED, command),
        Figure("bare decode", f"{statistics.median(decodes):.1f} s", "", None, command),
        Figure("whole run", f"{statistics.median(runs):.1f} s", "", None, command),
        Figure("stages of the last round, seconds", took, "", None, command),
        Figure("with ten seconds of tennis, looked at twice", f"{ball_game[1] / ball_game[0]:.2f}", "", None, command),
    ]


def _round(video: Path, prompt: str) -> tuple[float, float, dict[str, float]]:
    """Return how long a bare decode took, a whole run, and its stages."""
    decode_s, _ = timed(["ffmpeg", "-v", "error", "-i", str(video), "-f", "null", "-"])
    shutil.rmtree(video.parent / "cache", ignore_errors=True)
    env = {**os.environ, "FOLEY_CACHE": str(video.parent / "cache")}
    command = [sys.executable, "-m", "foley", "run", str(video), "--prompt", prompt, "--overwrite", "--json"]
    run_s, answer = timed(command, env)
    return decode_s, run_s, {stage["stage"]: stage["seconds"] for stage in json.loads(answer)["stages"]}
