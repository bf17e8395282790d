"""Wait for what a generator does only so long: it works in a thread of its own, which can be given up.

A thread cannot be stopped from outside. One that is given up goes on alone; as a daemon it keeps no process alive.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future, InvalidStateError
from contextlib import suppress
from queue import SimpleQueue
from typing import Any, TypeVar

T = TypeVar("T")

_Task = tuple[Callable[[], Any], "Future[Any]"]


class OverdueError(Exception):
    """The work took longer than it may."""


class StoppedError(Exception):
    """Nobody wants the result any more."""


class Patience:
    """Has work done in threads that are kept for the next work: libraries keep caches for each thread."""

    def __init__(self, name: str) -> None:
        """Make it; no thread runs before there is work.

        Args:
            name: Of the threads.
        """
        self._name = name
        self._guard = threading.Lock()
        self._idle: list[_Worker] = []
        self._open: set[Future[Any]] = set()
        self._stopped = False

    def wait_for(self, work: Callable[[], T], limit_s: float) -> T:
        """Return what the work returns, and raise what it raises.

        Raises:
            OverdueError: where it has not ended in time.
            StoppedError: where `stop` was called.
        """
        answer: Future[T] = Future()
        with self._guard:
            if self._stopped:
                raise StoppedError
            worker = self._idle.pop() if self._idle else _Worker(self._name)
            self._open.add(answer)
        worker.do(work, answer)
        try:
            return answer.result(limit_s)
        except TimeoutError:
            if answer.done():  # the work's own
                raise
            raise OverdueError from None
        finally:
            with self._guard:
                self._open.discard(answer)
                # one that still works is given up: what it does next nobody would wait for
                keep = answer.done() and not self._stopped
                if keep:
                    self._idle.append(worker)
            if not keep:
                worker.end()

    def stop(self) -> None:
        """Wake everybody who waits, and let the threads end."""
        with self._guard:
            self._stopped = True
            idle, self._idle = self._idle, []
            waiting = list(self._open)
        for answer in waiting:
            with suppress(InvalidStateError):  # just done
                answer.set_exception(StoppedError())
        for worker in idle:
            worker.end()


class _Worker:
    """A thread that does one thing after another."""

    def __init__(self, name: str) -> None:
        self._tasks: SimpleQueue[_Task | None] = SimpleQueue()
        threading.Thread(target=self._run, daemon=True, name=name).start()

    def do(self, work: Callable[[], T], answer: Future[T]) -> None:
        self._tasks.put((work, answer))

    def end(self) -> None:
        """End the thread after what it does now."""
        self._tasks.put(None)

    def _run(self) -> None:
        while (task := self._tasks.get()) is not None:
            _do(*task)
            del task  # what the work holds would else live until the next


def _do(work: Callable[[], T], answer: Future[T]) -> None:
    try:
        result = work()
    except BaseException as cause:  # noqa: BLE001 - raised again where it is waited for
        with suppress(InvalidStateError):
            answer.set_exception(cause)
    else:
        with suppress(InvalidStateError):
            answer.set_result(result)
