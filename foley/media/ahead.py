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


def ahead(items: Generator[T, None, None], *, most: int) -> Generator[T, None, None]:
    """Yield what `items` yields, which runs in a thread of its own and at most so many items ahead.

    What it raises is raised here, after the items before it. Where this is closed early, `items` is closed too.

    Args:
        items: What is run; nobody else may touch it any more.
        most: How many items may wait: what is held in memory.
    """
    waiting: queue.Queue[T | BaseException | None] = queue.Queue(most)
    unwanted = threading.Event()
    worker = threading.Thread(target=_run, args=(items, waiting, unwanted), daemon=True)
    worker.start()
    try:
        yield from _arriving(waiting)
    finally:
        unwanted.set()
        worker.join()


def _arriving(waiting: queue.Queue[T | BaseException | None]) -> Iterator[T]:
    while (item := waiting.get()) is not None:
        if isinstance(item, BaseException):
            raise item
        yield item


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
