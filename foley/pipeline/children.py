"""Child processes that work for this one: they die with it, and the programs that they started with them."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from types import FrameType

from foley.pipeline import manners

ORPHAN_S = 2.0
"""For a child to end by itself whose parent is gone."""


@dataclass(frozen=True, slots=True)
class Ending:
    """How a child ended by itself."""

    how: str
    killed: bool
    """By SIGKILL, as a system does that runs out of memory."""


class Child:
    """A child process, seen from its parent; `talk` is the parent's end of the pipe between them."""

    def __init__(self, work: Callable[..., None], *given: object, grace_s: float) -> None:
        """Start it.

        Args:
            work: A function of a module: what the child does with its end of the pipe and what is given.
            *given: What else it is called with.
            grace_s: For it to end its programs and remove half-written files, before it is ended with force.
        """
        spawn = multiprocessing.get_context("spawn")  # forked, it would share locks and sockets that threads here hold
        self.talk, other = spawn.Pipe()
        self._grace_s = grace_s
        self._process = spawn.Process(target=_live, args=(work, other, given), name="foley-worker")
        self._process.start()
        other.close()

    @property
    def pid(self) -> int:
        """Return the number of the process."""
        assert self._process.pid is not None
        return self._process.pid

    def is_alive(self) -> bool:
        """Return whether it lives."""
        return self._process.is_alive()

    def end(self) -> None:
        """End it and all that it started: asked first, then with force."""
        self._process.terminate()
        self._process.join(self._grace_s)
        if os.name == "posix" and self._process.pid is not None:
            with suppress(ProcessLookupError, PermissionError):  # its own group: also what it left behind
                os.killpg(self._process.pid, signal.SIGKILL)
        if self._process.is_alive():
            self._process.kill()
        self._process.join()
        self.talk.close()

    def ending(self) -> Ending:
        """Return how it ended, where it did without being asked."""
        self._process.join(self._grace_s)
        code = self._process.exitcode
        if code is not None and code < 0:
            with suppress(ValueError):
                name = signal.Signals(-code).name
                return Ending(f"was ended by {name}", killed=name == "SIGKILL")
        return Ending(f"ended with code {code}", killed=False)


def _live(work: Callable[..., None], talk: Connection, given: tuple[object, ...]) -> None:
    manners.adopt()
    if os.name == "posix":
        os.setsid()  # ended as one with its programs; and Ctrl-C in the terminal is its parent's business
    signal.signal(signal.SIGTERM, _leave)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_die_with_the_parent, daemon=True, name="orphan-watch").start()
    with suppress(EOFError, BrokenPipeError, ConnectionResetError):  # the parent has ended
        work(talk, *given)


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
