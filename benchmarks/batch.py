"""`foley batch` over generated short videos: throughput against the ideal, overhead, memory, and random kills.

The ideal is the processor time that the same videos take one after another in one warm process, over the cores.
"""

from __future__ import annotations

import hashlib
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import psutil

from benchmarks.figures import Figure
from foley import api
from foley.model import Brief

VIDEOS = int(os.environ.get("FOLEY_BENCH_VIDEOS", "200"))
KILLS = int(os.environ.get("FOLEY_BENCH_KILLS", "30"))
EMBEDDED = 24
"""Videos whose work is measured in one process: their mean is known to 2 % then."""

FEW = 8
"""Videos of a batch that is all but start and end: what more of them take is theirs alone."""

SEED = 20_261_121
"""Of the instants of the kills."""

LEAST_THROUGHPUT = 0.85
MOST_OVERHEAD_MS = 50.0
MOST_WORKER_MB = 700

VICTIMS = ("driver", "worker", "everything")


def clip(to: Path, number: int) -> Path:
    """Make 0.6 s of moving picture that no other number gives."""
    source = f"testsrc2=s=160x90:r=25:d=0.6,hue=h={number * 1.7:.1f}"
    command = ["ffmpeg", "-v", "error", "-f", "lavfi", "-i", source, "-c:v", "libx264", "-preset", "ultrafast"]
    subprocess.run([*command, "-pix_fmt", "yuv420p", str(to)], check=True)
    return to


def clips(folder: Path) -> list[Path]:
    """Make all videos and the manifest that names them, each with a seed of its own."""
    folder.mkdir()
    made = [clip(folder / f"{number:03d}.mp4", number) for number in range(VIDEOS)]
    rows = [
        {"input": path.name, "prompt": "0:00.2 a hammer strikes an anvil; rain", "seed": number}
        for number, path in enumerate(made)
    ]
    for name, some in (("rows.jsonl", rows), ("few.jsonl", rows[:FEW])):
        (folder / name).write_text("".join(json.dumps(row) + "\n" for row in some))
    return made


def processor_s(who: int) -> float:
    """Return the processor time that this process, or those that it waited for, used so far."""
    used = resource.getrusage(who)
    return used.ru_utime + used.ru_stime


def embedded_s(videos: list[Path], folder: Path) -> float:
    """Return the mean processor time of a video in one process that is warm."""
    settings = api.Settings(workdir=folder / "cache-embedded")
    count = min(EMBEDDED, max(2, len(videos) // 2))
    both = (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    began_s = 0.0
    for number, video in enumerate([videos[-1], *videos[:count]]):
        if number == 1:  # the first also pays for what is imported
            began_s = sum(map(processor_s, both))
        to = folder / "embedded" / f"{number}.mp4"
        to.parent.mkdir(exist_ok=True)
        prompt = "0:00.2 a hammer strikes an anvil; rain"
        api.run(video, brief=Brief(prompt, seed=1000 + number), output=to, settings=settings)
    return (sum(map(processor_s, both)) - began_s) / count


def command(folder: Path, out: str, rows: str = "rows.jsonl") -> list[str]:
    """Return the batch's command line."""
    foley = [sys.executable, "-m", "foley", "batch", str(folder / "in" / rows), "--json"]
    return [*foley, "-o", str(folder / out), "--workdir", str(folder / f"cache-{out}")]


def timed(folder: Path, out: str, rows: str = "rows.jsonl") -> tuple[float, float, float, int]:
    """Return a batch's seconds, those from the first video's end to the last's, its processor time, and its memory."""
    began_s, used_s = time.perf_counter(), processor_s(resource.RUSAGE_CHILDREN)
    ends: list[float] = []
    memory_mb = 0
    with subprocess.Popen(command(folder, out, rows), stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        for line in process.stdout:
            said = json.loads(line)
            if said["event"] == "item":
                ends.append(time.perf_counter())
                memory_mb = max(memory_mb, said["memory_mb"])
    assert process.returncode == 0
    took_s = time.perf_counter() - began_s
    return took_s, ends[-1] - ends[0], processor_s(resource.RUSAGE_CHILDREN) - used_s, memory_mb


def digests(folder: Path) -> dict[str, str]:
    """Return a hash of every mix, by its clip."""
    mixes = folder.glob("*.foley/stems/mix.wav")
    return {path.parts[-3]: hashlib.sha256(path.read_bytes()).hexdigest() for path in mixes}


def kill(process: subprocess.Popen[bytes], victim: str) -> None:
    """Kill a batch's driver, one of its workers, or all of it at once."""
    driver = psutil.Process(process.pid)
    workers = [child for child in driver.children() if "spawn_main" in " ".join(child.cmdline())]
    doomed = {"driver": [driver], "worker": workers[:1], "everything": [driver, *driver.children(recursive=True)]}
    for one in doomed[victim]:
        one.kill()


def killed(folder: Path, whole_s: float) -> tuple[int, int]:
    """Return how often a batch was begun until it came through all kills, and how many videos were written twice."""
    rng = np.random.default_rng(SEED)
    first: dict[str, int] = {}
    starts, twice, kills = 0, 0, 0
    while True:
        starts += 1
        process = subprocess.Popen(command(folder, "killed"), stdout=subprocess.DEVNULL)
        while kills < KILLS and process.poll() is None:
            time.sleep(float(rng.uniform(0.5, 3.0)) + 0.2 * whole_s / (KILLS + 1))
            if process.poll() is None:
                kill(process, VICTIMS[kills % len(VICTIMS)])
                kills += 1
                time.sleep(0.2)
        code = process.wait()
        now = {path.name: path.stat().st_mtime_ns for path in (folder / "killed").glob("*.foley.mp4")}
        twice += sum(now[name] != stamp for name, stamp in first.items())
        first |= now
        if code == 0:
            return starts, twice


def measure() -> list[Figure]:
    """Return how the batch compares with its work."""
    command_line = "python -m benchmarks batch"
    cores = len(os.sched_getaffinity(0))
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        videos = clips(folder / "in")
        each_s = embedded_s(videos, folder)
        few_used_s = timed(folder, "few", "few.jsonl")[2]
        took_s, steady_s, used_s, memory_mb = timed(folder, "calm")
        ideal_s = each_s * VIDEOS / cores
        steady = each_s * (VIDEOS - 1) / cores / steady_s
        over_ms = 1000 * ((used_s - few_used_s) / (VIDEOS - FEW) - each_s)
        wanted = digests(folder / "calm")
        starts, twice = killed(folder, took_s)
        same = sum(wanted[one] == digest for one, digest in digests(folder / "killed").items())
    return [
        Figure(
            f"throughput of {VIDEOS} videos over the ideal, from the first that ends to the last",
            f"{steady:.2f}",
            f"at least {LEAST_THROUGHPUT}",
            steady >= LEAST_THROUGHPUT,
            command_line,
        ),
        Figure("the same with start and end", f"{ideal_s / took_s:.2f} ({took_s:.1f} s)", "", None, command_line),
        Figure("work of a video, on one core", f"{1000 * each_s:.0f} ms", "", None, command_line),
        Figure(
            "overhead of a video beyond it, on one core",
            f"{over_ms:.0f} ms",
            f"under {MOST_OVERHEAD_MS:.0f} ms",
            over_ms < MOST_OVERHEAD_MS,
            command_line,
        ),
        Figure(
            "peak memory of a worker",
            f"{memory_mb} MB",
            f"under {MOST_WORKER_MB} MB",
            memory_mb < MOST_WORKER_MB,
            command_line,
        ),
        Figure(
            f"mixes bit-identical after {KILLS} kills of driver, worker or everything",
            f"{same} of {VIDEOS}, begun {starts} times",
            "all",
            same == VIDEOS,
            command_line,
        ),
        Figure("finished videos written again", str(twice), "0", twice == 0, command_line),
    ]
