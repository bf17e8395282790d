"""Jobs of `foley serve` while the service, its worker or both are killed: none lost, none done twice, same outputs."""

from __future__ import annotations

import hashlib
import os
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import psutil

from benchmarks.figures import Figure
from foley.service.client import Client

JOBS = int(os.environ.get("FOLEY_BENCH_JOBS", "100"))
KILLS = int(os.environ.get("FOLEY_BENCH_KILLS", "10"))
PROMPT = "0:00.2 a hammer strikes an anvil"
SEED = 20_261_121
"""Of the instants of the kills."""

VICTIMS = ("service", "worker", "service and worker")


class Service:
    """A service over a work folder."""

    def __init__(self, folder: Path, workdir: Path) -> None:
        command = [sys.executable, "-m", "foley", "serve", "--port", "0", "--workdir", str(workdir)]
        began_s = time.perf_counter()
        with (folder / "log").open("ab") as log:
            self.process = subprocess.Popen(
                [*command, "--root", str(folder)], stdout=subprocess.PIPE, stderr=log, text=True
            )
        assert self.process.stdout is not None
        url = self.process.stdout.readline().strip()
        self.start_s = time.perf_counter() - began_s
        self.client = Client((workdir / "service" / "token").read_text().strip(), url)

    def workers(self) -> list[psutil.Process]:
        """Return its worker processes."""
        children = psutil.Process(self.process.pid).children()
        return [child for child in children if "spawn_main" in " ".join(child.cmdline())]

    def kill(self, victim: str) -> bool:
        """Kill it, its worker, or both at once; return whether the service is gone."""
        workers = self.workers()
        if "service" in victim:
            self.process.kill()
        if "worker" in victim:
            for worker in workers:
                worker.kill()
        if "service" in victim:
            self.end(wait_only=True)
        return "service" in victim

    def end(self, *, wait_only: bool = False) -> None:
        """End it."""
        if not wait_only:
            self.process.send_signal(signal.SIGTERM)
        self.process.wait()
        assert self.process.stdout is not None
        self.process.stdout.close()


def tiny_clip(to: Path) -> Path:
    """Make half a second of picture."""
    source = ["ffmpeg", "-v", "error", "-f", "lavfi", "-i", "testsrc2=s=96x54:r=25:d=0.5"]
    subprocess.run([*source, "-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p", str(to)], check=True)
    return to


def digest(job: dict[str, object]) -> str:
    """Return a hash of what a job made: its video and its mix."""
    result = job["result"]
    assert isinstance(result, dict)
    files = (Path(result["video"]), Path(result["folder"]) / "stems" / "mix.wav")
    return hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest()


def submitted(client: Client, clip: Path) -> list[str]:
    """Queue all jobs and return their ids."""
    return [client.submit(str(clip), prompt=PROMPT, seed=seed, key=f"{seed}")["id"] for seed in range(JOBS)]


def finished(client: Client) -> dict[str, tuple[int, int]]:
    """Return the jobs that are done, each with what tells its video from one that was written again."""
    found: dict[str, tuple[int, int]] = {}
    page = client.jobs(state="done", limit=100)
    while page:
        for job in page:
            about = Path(job["result"]["video"]).stat()
            found[job["id"]] = about.st_ino, about.st_mtime_ns
        page = client.jobs(state="done", limit=100, before=page[-1]["id"])
    return found


def measure() -> list[Figure]:
    """Return what became of the jobs."""
    command = "python -m benchmarks service"
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        clip = tiny_clip(folder / "clip.mp4")
        calm = Service(folder, folder / "calm")
        ids = submitted(calm.client, clip)
        wanted = [digest(calm.client.wait(job_id)) for job_id in ids]
        took_s = [one["ended_s"] - one["started_s"] for one in map(calm.client.job, ids)]
        memory_mb = [psutil.Process(calm.process.pid), *calm.workers()]
        memory = " and ".join(f"{process.memory_info().rss / 1e6:.0f}" for process in memory_mb)
        calm.end()
        whole_s = sum(took_s)

        rng = np.random.default_rng(SEED)
        service, starts_s, twice = Service(folder, folder / "killed"), [calm.start_s], 0
        ids, seen = submitted(service.client, clip), {}
        for number in range(KILLS):
            time.sleep(float(rng.uniform(0.2, 1.8)) * whole_s / KILLS)
            seen |= {job: file for job, file in finished(service.client).items() if job not in seen}
            if service.kill(VICTIMS[number % len(VICTIMS)]):
                service = Service(folder, folder / "killed")
                starts_s.append(service.start_s)
        done = [service.client.wait(job_id) for job_id in ids]
        now = finished(service.client)
        twice = sum(now[job] != file for job, file in seen.items())
        lost = JOBS - len(now)
        same = sum(digest(job) == digest_ for job, digest_ in zip(done, wanted, strict=True))
        again = sum(job["attempts"] - 1 for job in done)
        service.end()
    return [
        Figure(f"jobs lost of {JOBS}, with {KILLS} kills", str(lost), "0", lost == 0, command),
        Figure("finished outputs written again", str(twice), "0", twice == 0, command),
        Figure("outputs bit-identical to a calm run", f"{same} of {JOBS}", "all", same == JOBS, command),
        Figure("attempts that a kill cut off", str(again), f"at most {KILLS}", again <= KILLS, command),
        Figure("a job of half a second of picture", f"{statistics.median(took_s):.2f} s", "", None, command),
        Figure(
            "from the start of the service to its address", f"{statistics.median(starts_s):.2f} s", "", None, command
        ),
        Figure("memory of service and worker", f"{memory} MB", "", None, command),
    ]
