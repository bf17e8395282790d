"""Let an iterator run ahead in a thread: decoding goes on while somebody looks at what was decoded."""

from __future__ import annotations

import queue
import threading
from collections.abc import Generator, Iterator
from contextlib import suppress
from typing import TypeVar

T = TypeVar("T")

_LOOK_S = 0.1
"""How often a thread that waits looks whether it is still wanted."""


class Ahead(Iterator[T]):
    """Yields what `items` yields, which runs in a thread of its own from now on, at most so many items ahead.

    What `items` raises is raised here, after the items before it. Whoever does not go through it closes it.
    """

    def __init__(self, items: Generator[T, None, None], *, most: int) -> None:
        """Begin.

        Args:
            items: What is run; nobody else may touch it any more.
            most: How many items may wait: what is held in memory.
        """
        self._waiting: queue.Queue[T | BaseException | None] = queue.Queue(most)
        self._unwanted = threading.Event()
        self._ended = False
        self._worker = threading.Thread(target=_run, args=(items, self._waiting, self._unwanted), daemon=True)
        self._worker.start()

    def __next__(self) -> T:
        """Return the next item, waiting for it."""
        if self._ended:
            raise StopIteration
        item = self._waiting.get()
        if item is None or isinstance(item, BaseException):
            self._ended = True
            raise StopIteration if item is None else item
        return item

    def close(self) -> None:
        """End `items`, wherever it is."""
        self._ended = True
        self._unwanted.set()
        self._worker.join()


def _run(
    items: Generator[T, None, None], waiting: queue.Queue[T | BaseException | None], unwanted: threading.Event
) -> None:
    def put(item: T | BaseException | None) -> None:
        while not unwanted.is_set():
            with suppress(queue.Full):
                waiting.put(item, timeout=_LOOK_S)
                return

    try:
        for item in items:
            put(item)
            if unwanted.is_set():
                break
        put(None)
    except BaseException as error:  # noqa: BLE001 - whatever it is, it is raised where the items are wanted
        put(error)
    finally:
        items.close()
