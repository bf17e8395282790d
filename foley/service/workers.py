"""Worker processes: a job that crashes or is cancelled takes down its worker, never the service.

A worker stays warm and takes one order after another. It dies with whoever started it, and its programs with it.
"""

from __future__ import annotations

import logging
import sys
import threading
import time
import traceback
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from foley.errors import FoleyError, ServiceError
from foley.pipeline.children import Child
from foley.pipeline.runner import StageNews
from foley.service import leases
from foley.service.messages import Problem, Progress, Result

GRACE_S = 5.0
"""For a worker to end its programs and remove half-written files, before it is ended with force."""

START_S = 120.0
"""For a worker to start: on a busy machine with a cold disk Python alone takes half a minute."""

MOST_CRASHES = 3
"""Of workers over one job; a third time shows that it was no accident."""

TELL_S = 0.1
"""How often at most a worker says how far it is, within a stage."""

JOBS_A_WORKER = 500
"""After which another takes over: so that what a library leaks stays little."""


@dataclass(frozen=True, slots=True)
class GpuMemory:
    """What a worker has of all GPUs."""

    held_bytes: int
    peak_bytes: int
    """The most that was in use at once."""


@dataclass(frozen=True, slots=True)
class Staged:
    """A stage began or ended."""

    news: StageNews
    gpu: GpuMemory | None
    """None where no GPU is used."""


@dataclass(frozen=True, slots=True)
class Said:
    """What a package logged."""

    level: int
    logger: str
    text: str


Message = Progress | Result | Problem | Staged | Said


class CrashedError(Exception):
    """The worker ended without an answer; the text says how."""


class Worker:
    """A worker process, seen from the service."""

    def __init__(self, alive: Path, *, debug: bool = False) -> None:
        """Start it; it is ready when `ready` returns.

        Args:
            alive: The folder for its lease.
            debug: Say on standard error where an unforeseen error comes from.
        """
        self._child = Child(_work, alive, debug, grace_s=GRACE_S)
        self._talk = self._child.talk
        self._lease = ""
        self._given = 0

    def ready(self) -> str:
        """Wait until it takes orders; return the name of its lease.

        Raises:
            ServiceError: where it does not start.
        """
        if not self._lease:
            try:
                if not self._talk.poll(START_S):
                    raise EOFError
                self._lease = self._talk.recv()
            except (EOFError, OSError) as cause:
                self.end()
                raise ServiceError("no worker process could be started", hint="what it said stands above") from cause
        return self._lease

    def give(self, order: object) -> None:
        """Give it an order; it must have answered the one before.

        Raises:
            CrashedError: where it is gone.
        """
        self._given += 1
        try:
            self._talk.send(order)
        except OSError as cause:
            raise CrashedError(self._how_it_ended()) from cause

    def answer(self, patience_s: float) -> Message | None:
        """Return what it says next; None where it says nothing for so long.

        Raises:
            CrashedError: where it is gone.
        """
        try:
            if not self._talk.poll(patience_s):
                return None
            message: Message = self._talk.recv()
        except (EOFError, OSError) as cause:
            raise CrashedError(self._how_it_ended()) from cause
        return message

    @property
    def pid(self) -> int:
        """Return the number of the process."""
        return self._child.pid

    def is_alive(self) -> bool:
        """Return whether it lives."""
        return self._child.is_alive()

    def is_fit(self) -> bool:
        """Return whether it lives and has not done so much that another should take over."""
        return self.is_alive() and self._given < JOBS_A_WORKER

    def end(self) -> None:
        """End it and all that it started: asked first, then with force."""
        self._child.end()

    def _how_it_ended(self) -> str:
        return f"the worker {self._child.ending().how}"


def _work(talk: Connection, alive: Path, debug: bool) -> None:
    """Take orders until nobody gives any more."""
    lease = leases.live(alive)
    try:
        talk.send(lease.name)
        _prepare()
        teller = _Teller(talk)
        logging.getLogger().addHandler(_Forwarder(teller))
        logging.captureWarnings(capture=True)
        while True:
            _answer(talk.recv(), teller, debug=debug)
    finally:
        lease.end(remove=True)


def _prepare() -> None:
    """Load what every job needs while none is there."""
    from foley.pipeline.warm import warm_up

    warm_up(sounding=True)


def _answer(order: Any, teller: _Teller, *, debug: bool) -> None:
    """Do one order and say how it went."""
    from foley.pipeline.runner import witnessed
    from foley.service import work

    try:
        with witnessed(teller.tell_stage):
            came_of_it: Result | Problem = work.perform(order, teller.tell)
    except FoleyError as error:
        came_of_it = work.problem(error)
    except (EOFError, BrokenPipeError, ConnectionResetError):
        raise
    except Exception as fault:  # noqa: BLE001 - one job's fault is told, and the next is done
        if debug:
            traceback.print_exception(fault)
        came_of_it = work.problem(fault)
    teller.send(came_of_it)


class _Teller:
    """Tells how far an order is, no oftener than anybody looks; from the threads of stages that run beside, too."""

    def __init__(self, talk: Connection) -> None:
        self._talk, self._stage, self._told_s = talk, "", 0.0
        self._lock = threading.Lock()

    def send(self, message: Message) -> None:
        """Say something."""
        with self._lock:
            self._talk.send(message)

    def tell(self, progress: Progress) -> None:
        """Say how far the order is."""
        if progress.stage != self._stage or time.monotonic() - self._told_s > TELL_S:
            self._stage, self._told_s = progress.stage, time.monotonic()
            self.send(progress)

    def tell_stage(self, news: StageNews) -> None:
        """Say what became of a stage."""
        self.send(Staged(news, gpu_memory()))


class _Forwarder(logging.Handler):
    """Hands what packages log to the service, which knows over which job it was."""

    def __init__(self, teller: _Teller) -> None:
        super().__init__(logging.WARNING)
        self._teller = teller

    def emit(self, record: logging.LogRecord) -> None:
        """Hand it over, as far as anybody is there."""
        with suppress(OSError, ValueError, TypeError):
            self._teller.send(Said(record.levelno, record.name, record.getMessage()))


def gpu_memory() -> GpuMemory | None:
    """Return what this process has of all GPUs, where it uses one: torch is asked only where it is at work already."""
    torch: Any = sys.modules.get("torch")
    if torch is None or not getattr(torch, "cuda", None) or not torch.cuda.is_initialized():
        return None
    gpus = range(torch.cuda.device_count())
    held = sum(torch.cuda.memory_reserved(gpu) for gpu in gpus)
    return GpuMemory(held, sum(torch.cuda.max_memory_allocated(gpu) for gpu in gpus))
