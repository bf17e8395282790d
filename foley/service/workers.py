"""Worker processes: a job that crashes or is cancelled takes down its worker, never the service.

A worker stays warm and takes one order after another. It dies with whoever started it, and its programs with it.
"""

from __future__ import annotations

import gc
import logging
import multiprocessing
import os
import signal
import sys
import threading
import time
import traceback
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from pathlib import Path
from types import FrameType
from typing import Any

from foley.errors import FoleyError, ServiceError
from foley.pipeline.runner import StageNews
from foley.service import leases
from foley.service.messages import Problem, Progress, Result

GRACE_S = 5.0
"""For a worker to end its programs and remove half-written files, before it is ended with force."""

START_S = 120.0
"""For a worker to start: on a busy machine with a cold disk Python alone takes half a minute."""

ORPHAN_S = 2.0
"""For a worker to end by itself whose service is gone."""

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


@dataclass(frozen=True, slots=True)
class Manners:
    """What a worker takes over from the process that starts it."""

    switch_s: float
    young_objects: int
    debug: bool


class Worker:
    """A worker process, seen from the service."""

    def __init__(self, alive: Path, *, debug: bool = False) -> None:
        """Start it; it is ready when `ready` returns.

        Args:
            alive: The folder for its lease.
            debug: Say on standard error where an unforeseen error comes from.
        """
        spawn = multiprocessing.get_context("spawn")  # forked, it would share threads' locks and the server's sockets
        self._talk, other = spawn.Pipe()
        manners = Manners(sys.getswitchinterval(), gc.get_threshold()[0], debug)
        self._process = spawn.Process(target=_work, args=(other, alive, manners), name="foley-worker")
        self._process.start()
        other.close()
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
        assert self._process.pid is not None
        return self._process.pid

    def is_alive(self) -> bool:
        """Return whether it lives."""
        return self._process.is_alive()

    def is_fit(self) -> bool:
        """Return whether it lives and has not done so much that another should take over."""
        return self.is_alive() and self._given < JOBS_A_WORKER

    def end(self) -> None:
        """End it and all that it started: asked first, then with force."""
        self._process.terminate()
        self._process.join(GRACE_S)
        if os.name == "posix" and self._process.pid is not None:
            with suppress(ProcessLookupError, PermissionError):  # its own group: also what it left behind
                os.killpg(self._process.pid, signal.SIGKILL)
        if self._process.is_alive():
            self._process.kill()
        self._process.join()
        self._talk.close()

    def _how_it_ended(self) -> str:
        self._process.join(GRACE_S)
        code = self._process.exitcode
        if code is not None and code < 0:
            with suppress(ValueError):
                return f"the worker was ended by {signal.Signals(-code).name}"
        return f"the worker ended with code {code}"


def _work(talk: Connection, alive: Path, manners: Manners) -> None:
    """Take orders until nobody gives any more."""
    if os.name == "posix":
        os.setsid()  # ended as one with its programs; and Ctrl-C in the service's terminal is not meant for it
    signal.signal(signal.SIGTERM, _leave)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_die_with_the_service, daemon=True, name="orphan-watch").start()
    sys.setswitchinterval(manners.switch_s)
    gc.set_threshold(manners.young_objects)
    lease = leases.live(alive)
    try:
        talk.send(lease.name)
        _prepare()
        teller = _Teller(talk)
        logging.getLogger().addHandler(_Forwarder(teller))
        logging.captureWarnings(capture=True)
        while True:
            _answer(talk.recv(), teller, manners)
    except (EOFError, BrokenPipeError, ConnectionResetError):  # the service has ended
        return
    finally:
        lease.end(remove=True)


def _prepare() -> None:
    """Load what every job needs while none is there."""
    from foley.pipeline.warm import warm_up

    warm_up(sounding=True)


def _answer(order: Any, teller: _Teller, manners: Manners) -> None:
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
        if manners.debug:
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


def _leave(number: int, frame: FrameType | None) -> None:
    """End as Ctrl-C does: programs stopped, half-written files removed."""
    raise SystemExit(128 + number)


def _die_with_the_service() -> None:
    """End this process and its programs when the service is gone, however it went."""
    parent = multiprocessing.parent_process()
    assert parent is not None
    wait([parent.sentinel])
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(ORPHAN_S)
    if os.name == "posix":
        os.killpg(0, signal.SIGKILL)
    os._exit(1)
