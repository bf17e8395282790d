"""Worker processes that are kept warm: one that crashes, hangs or is killed takes its work down with it, nothing else.

A worker does one piece of work after another. It dies with whoever started it, and the programs that it started with
it. What it does is any function that can be imported: `do(work, tell) -> answer`.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing.connection import Connection
from typing import Any

from foley.pipeline.children import Child

GRACE_S = 2.0
"""For a worker to end its programs and remove half-written files, before it is ended with force."""

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
class Begun:
    """That a piece of work is taken up: the worker is ready."""


@dataclass(frozen=True, slots=True)
class Said:
    """How far a worker is."""

    progress: Any


@dataclass(frozen=True, slots=True)
class Answered:
    """What came of a piece of work."""

    answer: Any


class Worker:
    """A worker process, seen from the one that started it."""

    def __init__(self, do: Do, *, threads: int = 0) -> None:
        """Start it; it may be given work at once, and does it when it is ready.

        Args:
            do: What it does with each piece of work; a function of a module, that it imports by name.
            threads: How many threads libraries may start in it; 0 leaves that to them.
        """
        with _limited(threads):
            self._child = Child(_work, do, grace_s=GRACE_S)
        self.talk = self._child.talk

    def give(self, work: object) -> None:
        """Give it a piece of work; it must have answered the one before.

        Raises:
            CrashedError: where it is gone.
        """
        try:
            self.talk.send(work)
        except OSError as cause:
            raise self._crashed() from cause

    def message(self) -> Begun | Said | Answered:
        """Return what it says next, waiting for it.

        Raises:
            CrashedError: where it is gone.
        """
        try:
            said: Begun | Said | Answered = self.talk.recv()
        except (EOFError, OSError) as cause:
            raise self._crashed() from cause
        return said

    def end(self) -> None:
        """End it and all that it started: asked first, then with force."""
        self._child.end()

    def _crashed(self) -> CrashedError:
        ending = self._child.ending()
        return CrashedError(f"its worker {ending.how}", killed=ending.killed)


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


def _work(talk: Connection, do: Do) -> None:
    """Do work until nobody gives any more."""
    _prepare()
    while True:
        work = talk.recv()
        talk.send(Begun())
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
