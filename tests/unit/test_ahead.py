"""Running ahead changes when things are made, and nothing else."""

from __future__ import annotations

import threading
from collections.abc import Generator

import pytest

from foley.media.ahead import Ahead


def counting(log: list[str], last: int, fail_at: int | None = None) -> Generator[int, None, None]:
    try:
        for number in range(last):
            if number == fail_at:
                raise ValueError("broken")
            log.append(f"made {number}")
            yield number
    finally:
        log.append("closed")


def test_all_items_come_in_order() -> None:
    log: list[str] = []
    assert list(Ahead(counting(log, 100), most=3)) == list(range(100))
    assert log[-1] == "closed"


def test_an_error_comes_after_the_items_before_it() -> None:
    running = Ahead(counting([], 10, fail_at=4), most=3)
    assert [next(running) for _ in range(4)] == [0, 1, 2, 3]
    with pytest.raises(ValueError, match="broken"):
        next(running)


def test_it_runs_no_further_ahead_than_it_may() -> None:
    log: list[str] = []
    running = Ahead(counting(log, 1000), most=2)
    assert next(running) == 0
    threading.Event().wait(0.3)
    assert len(log) <= 5
    running.close()
    assert log[-1] == "closed"


def test_closing_before_anything_was_asked_for_ends_it_too() -> None:
    log: list[str] = []
    running = Ahead(counting(log, 1000), most=2)
    running.close()
    assert len(log) <= 5
    assert log[-1] == "closed"
    assert list(running) == []
