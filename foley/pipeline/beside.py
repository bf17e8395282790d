"""Stages that wait for another program run beside those after them, until somebody needs what they make."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from types import TracebackType
from typing import Any, Self

from foley.media import ffmpeg


class Beside:
    """What runs beside the stages of one run; whatever ends the run ends it, with the programs that it started."""

    def __init__(self) -> None:
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="beside")
        self._programs = ffmpeg.Programs()

    def begin(self, work: Callable[[], Any]) -> Future[Any]:
        """Begin a piece of work, after those that were begun before it."""
        return self._pool.submit(self._programs.run, work)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is not None:
            self._programs.end()
        self._pool.shutdown(wait=True, cancel_futures=True)
