"""Stages that run beside the others, and what becomes of them when a run ends early."""

from __future__ import annotations

import threading
import time
from pathlib import Path

import pytest

from foley.contracts import Context, Later, stage
from foley.errors import FoleyError
from foley.media import ffmpeg
from foley.model import Brief, Hint, Hints, Span
from foley.pipeline import runner
from foley.pipeline.cache import Cache
from foley.pipeline.workflow import Step, Workflow

REACHED = threading.Event()
BEGUN: list[Path] = []


@pytest.fixture(autouse=True)
def _begin_anew() -> None:
    REACHED.clear()
    BEGUN.clear()


@stage(version=1, cached=False, beside=True)
def waits(brief: Brief, ctx: Context) -> Hints:
    """Ends only after the stage behind it was reached."""
    assert REACHED.wait(10.0)
    return Hints((Hint(brief.prompt, None, None, "prompt"),))


@stage(version=1, cached=False, beside=True)
def fails(brief: Brief, ctx: Context) -> Hints:
    raise FoleyError("no hints today")


@stage(version=1, cached=False, beside=True)
def codes(brief: Brief, ctx: Context) -> Hints:
    """Has a program at work for a minute."""
    BEGUN.append(ctx.scratch)
    source = "anullsrc=r=48000:cl=stereo"
    ffmpeg.write("-re", "-f", "lavfi", "-t", "60", "-i", source, to=ctx.scratch / "silence.wav")
    return Hints(())


@stage(version=1, cached=False)
def measures(brief: Brief, hints: Later[Hints], ctx: Context) -> Span:
    REACHED.set()
    return Span(0.0, float(len(hints.result().items[0].text)))


@stage(version=1, cached=False)
def breaks(brief: Brief, hints: Later[Hints], ctx: Context) -> Span:
    deadline_s = time.monotonic() + 10.0
    while not BEGUN and time.monotonic() < deadline_s:
        time.sleep(0.01)
    time.sleep(0.2)
    raise KeyboardInterrupt


def flow(*stages: object) -> Workflow:
    return Workflow("test", "", tuple(Step(each, None) for each in stages))  # type: ignore[arg-type]


def test_a_stage_beside_goes_on_while_the_next_runs_and_is_waited_for(tmp_path: Path) -> None:
    done = runner.run(flow(waits, measures), [Brief("rain")], [Span], cache=Cache(tmp_path))
    assert done[Span].end_s == 4.0
    assert done[Hints].items[0].text == "rain"
    assert {each.stage for each in done.times} == {"test_beside"}


def test_what_goes_wrong_beside_is_raised_where_it_is_needed(tmp_path: Path) -> None:
    with pytest.raises(FoleyError, match="no hints today"):
        runner.run(flow(fails, measures), [Brief("rain")], [Span], cache=Cache(tmp_path))


def test_an_interrupt_ends_the_programs_that_work_beside(tmp_path: Path) -> None:
    start_s = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        runner.run(flow(codes, breaks), [Brief("rain")], [Span], cache=Cache(tmp_path))
    assert time.monotonic() - start_s < 20.0
    assert BEGUN
    assert not BEGUN[0].exists()
