"""Peak memory of a whole `foley run` on 10 s, 2 min and 10 min of one 720p picture, its child programs included.

Sounds are made in windows of 20 s, two at a time, and files are read in blocks of 10 s: a film of 10 s fills neither,
so that whether memory grows with length shows between 2 min and 10 min.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import psutil

from benchmarks.figures import Figure

WANTED_MB = 700
FLAT = 1.15
"""How much more the long film may take: buffers that grow with chance, not with length."""
LOOK_S = 0.05
SAMPLE = Path(__file__).parents[1] / "samples" / "workshop.mp4"


def looped(duration_s: int, to: Path) -> Path:
    """Make a 720p film of that length out of a sample."""
    coding = ["-c:v", "libx264", "-preset", "ultrafast", "-crf", "26", "-vf", "scale=1280:720", "-r", "25"]
    command = ["ffmpeg", "-v", "error", "-y", "-stream_loop", "-1", "-i", str(SAMPLE), "-t", str(duration_s), *coding]
    subprocess.run([*command, str(to)], check=True)
    return to


def peak_mb(command: list[str], env: dict[str, str]) -> float:
    """Return the largest sum of resident memory over the process and its children, looked at every 50 ms."""
    process = psutil.Popen(command, env=env, stdout=subprocess.DEVNULL)
    peak = 0
    while process.poll() is None:
        total = 0
        try:
            for one in (process, *process.children(recursive=True)):
                total += one.memory_info().rss
        except psutil.NoSuchProcess:
            continue
        peak = max(peak, total)
        time.sleep(LOOK_S)
    if process.returncode:
        raise RuntimeError(f"{command} ended with {process.returncode}")
    return peak / 2**20


def measure() -> list[Figure]:
    """Return the peaks and their ratios."""
    peaks = {}
    with tempfile.TemporaryDirectory() as folder:
        env = {**os.environ, "FOLEY_CACHE": str(Path(folder) / "cache")}
        for name, duration_s in (("10 s", 10), ("2 min", 120), ("10 min", 600)):
            video = looped(duration_s, Path(folder) / f"film{duration_s}.mp4")
            prompt = "a blacksmith hammers iron on an anvil, a fire burns"
            peaks[name] = peak_mb([sys.executable, "-m", "foley", "run", str(video), "--prompt", prompt], env)
    command = "python -m benchmarks memory"
    figures = [
        Figure(f"peak memory, {name}", f"{peak:.0f} MB", f"under {WANTED_MB} MB", peak < WANTED_MB, command)
        for name, peak in peaks.items()
    ]
    grown, filled = peaks["10 min"] / peaks["2 min"], peaks["10 min"] / peaks["10 s"]
    return [
        *figures,
        Figure("10 min over 2 min", f"{grown:.2f}", f"flat: at most {FLAT}", grown <= FLAT, command),
        Figure("10 min over 10 s", f"{filled:.2f}", "", None, command),
    ]
