"""Worker processes that are kept warm: one that crashes, hangs or is killed takes its work down with it, nothing else.

A worker does one piece of work after another. It dies with whoever started it, and the programs that it started with
it. What it does is any function that can be imported: `do(work, tell) -> answer`.
"""

from __future__ import annotations

import gc
import multiprocessing
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from types import FrameType
from typing import Any

GRACE_S = 2.0
"""For a worker to end its programs and remove half-written files, before it is ended with force."""

ORPHAN_S = 2.0
"""For a worker to end by itself whose parent is gone."""

TELL_S = 0.1
"""How often at most a worker says how far it is, within a stage."""

THREAD_LIMITS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "OPENCV_FOR_THREADS_NUM")
"""What libraries read, when they are loaded, of how many threads they may start."""

Do = Callable[[object, Callable[[Any], None]], object]


class CrashedError(Exception):
    """A worker ended without an answer; the text says how."""

    def __init__(self, how: str, *, killed: bool) -> None:
        super().__init__(how)
        self.killed = killed
        """By SIGKILL, as a system does that runs out of memory."""


@dataclass(frozen=True, slots=True)
class Said:
    """How far a worker is."""

    progress: Any


@dataclass(frozen=True, slots=True)
class Answered:
    """What came of a piece of work."""

    answer: Any


@dataclass(frozen=True, slots=True)
class _Manners:
    """What a worker takes over from the process that starts it."""

    switch_s: float
    young_objects: int


class Worker:
    """A worker process, seen from the one that started it."""

    def __init__(self, do: Do, *, threads: int = 0) -> None:
        """Start it; it may be given work at once, and does it when it is ready.

        Args:
            do: What it does with each piece of work; a function of a module, that it imports by name.
            threads: How many threads libraries may start in it; 0 leaves that to them.
        """
        spawn = multiprocessing.get_context("spawn")  # forked, it would share locks that threads here hold
        self.talk, other = spawn.Pipe()
        manners = _Manners(sys.getswitchinterval(), gc.get_threshold()[0])
        self._process = spawn.Process(target=_work, args=(other, do, manners), name="foley-worker")
        with _limited(threads):
            self._process.start()
        other.close()

    def give(self, work: object) -> None:
        """Give it a piece of work; it must have answered the one before.

        Raises:
            CrashedError: where it is gone.
        """
        try:
            self.talk.send(work)
        except OSError as cause:
            raise self._crashed() from cause

    def message(self) -> Said | Answered:
        """Return what it says next, waiting for it.

        Raises:
            CrashedError: where it is gone.
        """
        try:
            said: Said | Answered = self.talk.recv()
        except (EOFError, OSError) as cause:
            raise self._crashed() from cause
        return said

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
        self.talk.close()

    def _crashed(self) -> CrashedError:
        self._process.join(GRACE_S)
        code = self._process.exitcode
        if code is not None and code < 0:
            with suppress(ValueError):
                name = signal.Signals(-code).name
                return CrashedError(f"its worker was ended by {name}", killed=name == "SIGKILL")
        return CrashedError(f"its worker ended with code {code}", killed=False)


@contextmanager
def _limited(threads: int) -> Iterator[None]:
    """Let the processes that are started inside start few threads; what the user has set stays."""
    unset = [name for name in THREAD_LIMITS if threads and name not in os.environ]
    os.environ.update(dict.fromkeys(unset, str(threads)))
    try:
        yield
    finally:
        for name in unset:
            del os.environ[name]


def _work(talk: Connection, do: Do, manners: _Manners) -> None:
    """Do work until nobody gives any more."""
    if os.name == "posix":
        os.setsid()  # ended as one with its programs; and Ctrl-C in the terminal is its parent's business
    signal.signal(signal.SIGTERM, _leave)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_die_with_the_parent, daemon=True, name="orphan-watch").start()
    sys.setswitchinterval(manners.switch_s)
    gc.set_threshold(manners.young_objects)
    with suppress(EOFError, BrokenPipeError, ConnectionResetError):  # the parent has ended
        _prepare()
        while True:
            work = talk.recv()
            talk.send(Answered(do(work, _Teller(talk).tell)))


def _prepare() -> None:
    """Load what all work needs while none is there."""
    from foley.pipeline.warm import warm_up

    warm_up(sounding=True)


class _Teller:
    """Tells how far a piece of work is, no oftener than anybody looks."""

    def __init__(self, talk: Connection) -> None:
        self._talk, self._stage, self._told_s = talk, "", 0.0

    def tell(self, progress: Any) -> None:
        if progress.stage != self._stage or time.monotonic() - self._told_s > TELL_S:
            self._stage, self._told_s = progress.stage, time.monotonic()
            self._talk.send(Said(progress))


def _leave(number: int, frame: FrameType | None) -> None:
    """End as Ctrl-C does: programs stopped, half-written files removed."""
    raise SystemExit(128 + number)


def _die_with_the_parent() -> None:
    """End this process and its programs when the parent is gone, however it went."""
    parent = multiprocessing.parent_process()
    assert parent is not None
    wait([parent.sentinel])
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(ORPHAN_S)
    if os.name == "posix":
        os.killpg(0, signal.SIGKILL)
    os._exit(1)
