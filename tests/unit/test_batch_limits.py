"""Time limits: who keeps to them is left alone, who does not is ended with all that it started."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path

import psutil
import pytest

from foley.batch import limits
from foley.batch.items import Problem
from foley.batch.limits import START_S, Limits, Stopwatch, done_within
from foley.batch.processes import Begun, Said
from foley.pipeline.runner import StageProgress
from tests.batch_maker import be_killed, hang, many_stages, process_number

AMPLE = Limits(whole_s=60.0, stage_s=60.0)
"""For work of a second, on a machine that does much else."""


@pytest.fixture(autouse=True)
def workers_end() -> Iterator[None]:
    yield
    while limits._KEPT:
        limits._KEPT.pop().end()


@pytest.fixture
def now_s(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The time, to be set."""
    now_s = [0.0]
    monkeypatch.setattr("time.monotonic", lambda: now_s[0])
    return now_s


def at(stage: str) -> Said:
    return Said(StageProgress(stage, 1, 2, 0.0))


def test_what_a_worker_takes_to_be_ready_is_not_counted(now_s: list[float]) -> None:
    watch = Stopwatch()
    now_s[0] = START_S - 1.0
    assert watch.overdue(Limits(whole_s=5.0, stage_s=2.0)) is None
    watch.take_in(Begun())
    now_s[0] += 1.5
    assert watch.overdue(Limits(whole_s=5.0, stage_s=2.0)) is None
    now_s[0] += 1.0
    assert watch.overdue(Limits(whole_s=5.0, stage_s=2.0)) is not None


def test_one_that_is_never_ready_is_not_waited_for(now_s: list[float]) -> None:
    watch = Stopwatch()
    now_s[0] = START_S + 6.0
    assert watch.overdue(Limits(whole_s=5.0)) is not None
    assert watch.overdue(Limits()) is None


def test_each_stage_has_its_time_and_the_whole_has_its_own(now_s: list[float]) -> None:
    watch = Stopwatch()
    watch.take_in(Begun())
    for stage in ("watch", "listen", "takes"):
        watch.take_in(at(stage))
        now_s[0] += 1.5
        assert watch.overdue(Limits(stage_s=2.0)) is None
    late = watch.overdue(Limits(whole_s=4.0, stage_s=2.0))
    assert late is not None
    assert (late.kind, late.message, late.again) == ("Overdue", "it took longer than 4 s, at takes", True)
    now_s[0] += 1.0
    of_stage = watch.overdue(Limits(stage_s=2.0))
    assert of_stage is not None
    assert of_stage.message == "a stage took longer than 2 s, at takes"
    assert "--stage-timeout" in of_stage.hint


def test_who_keeps_to_its_time_gives_what_it_gives_and_its_process_is_kept() -> None:
    first = done_within(AMPLE, process_number)
    assert psutil.pid_exists(first)
    assert done_within(AMPLE, many_stages) == "done"
    assert done_within(AMPLE, process_number) == first


def test_who_hangs_is_ended_and_named_and_the_next_is_done(tmp_path: Path) -> None:
    late = done_within(Limits(stage_s=0.5), partial(hang, tmp_path / "process"))
    assert isinstance(late, Problem)
    assert (late.kind, late.message) == ("Overdue", "a stage took longer than 0.5 s, at takes")
    assert not psutil.pid_exists(int((tmp_path / "process").read_text()))
    assert done_within(AMPLE, many_stages) == "done"


def test_who_is_killed_is_named() -> None:
    lost = done_within(AMPLE, be_killed)
    assert isinstance(lost, Problem)
    assert (lost.kind, lost.again) == ("WorkerCrashed", True)
    assert "SIGKILL" in lost.message
