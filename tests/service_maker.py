"""A real `foley serve` in a process of its own, to be asked, ended and killed."""

from __future__ import annotations

import hashlib
import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Self

import psutil

from foley.service.client import Client
from tests import media_maker

PROMPT = "0:00.2 a hammer strikes an anvil"


def tiny_clip(to: Path, duration_s: float = 0.4) -> Path:
    """Make a clip that takes as little work as any."""
    return media_maker.moving(to, duration_s=duration_s, size="96x54", more=("-c:v", "libx264", "-preset", "ultrafast"))


def long_clip(to: Path) -> Path:
    """Make a clip that takes some seconds of work."""
    return media_maker.moving(to, duration_s=20, size="480x270", more=("-c:v", "libx264", "-preset", "ultrafast"))


class Gate:
    """A program that makes sounds, but none before the gate is open: a job waits in the middle as long as it shall."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True)
        self._open = folder / "open"
        media_maker.ffmpeg("-f", "lavfi", "-i", "sine=f=440:r=48000:d=1", folder / "tone.wav")
        wait = "while [ ! -e '{here}/open' ]; do sleep 0.1; done; cp '{here}/tone.wav' '{output}'"
        preset = folder / "gate.yaml"
        preset.write_text(json.dumps({"argv": ["sh", "-c", wait], "weights_licence": "CC0-1.0"}))
        self.asked = {"generator": "command", "options": {"takes": {"models": [f"command={preset}"]}}}
        """Fields of a job, or of a sidecar, whose service may use models."""

    def open(self) -> None:
        """Let the sounds be made."""
        self._open.touch()


def content(path: Path) -> str:
    """Return a hash of a file."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


class Served:
    """A service over a work folder; the same folder again is the same queue."""

    def __init__(self, workdir: Path, *options: str | Path) -> None:
        command = [sys.executable, "-m", "foley", "serve", "--port", "0", "--workdir", workdir, *options]
        log = (workdir.parent / f"{workdir.name}.log").open("ab")
        with log:
            self.process = subprocess.Popen(list(map(str, command)), stdout=subprocess.PIPE, stderr=log, text=True)
        assert self.process.stdout is not None
        self.url = self.process.stdout.readline().strip()
        assert self.url.startswith("http://"), Path(log.name).read_text()
        self.folder = workdir / "service"
        self.token = (workdir / "service" / "token").read_text().strip()
        self.client = Client(self.token, self.url)

    def workers(self) -> list[psutil.Process]:
        """Return its worker processes."""
        children = psutil.Process(self.process.pid).children()
        return [child for child in children if "spawn_main" in " ".join(child.cmdline())]

    def kill(self) -> None:
        """Kill it as the system does: at once, without a word."""
        workers = self.workers()
        self.process.kill()
        self.wait()
        psutil.wait_procs(workers, timeout=20)

    def terminate(self) -> int:
        """Ask it to end; return its exit code."""
        self.process.send_signal(signal.SIGTERM)
        return self.wait()

    def wait(self) -> int:
        """Wait for its end; return its exit code."""
        code = self.process.wait(60)
        assert self.process.stdout is not None
        self.process.stdout.close()
        return code

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        if self.process.poll() is None:
            self.terminate()
        else:
            self.wait()


def is_alive(pid: int) -> bool:
    """Return whether a process is there and no zombie."""
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def environment(**also: str) -> dict[str, str]:
    """Return the environment for a command in a test."""
    return {**os.environ, **also}
