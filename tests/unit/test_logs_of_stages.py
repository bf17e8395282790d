"""The runner's witness: told of every stage that runs while it stands by, and of none after."""

from __future__ import annotations

from pathlib import Path

import pytest

from foley.contracts import Context, stage
from foley.errors import PlanError
from foley.model import Brief, Hint, Hints, Span
from foley.pipeline import runner
from foley.pipeline.cache import Cache
from foley.pipeline.runner import StageNews
from foley.pipeline.workflow import Step, Workflow


@stage(version=1, beside=True)
def read(brief: Brief, ctx: Context) -> Hints:
    return Hints((Hint(brief.prompt, None, None, "prompt"),))


@stage(version=1, cached=False)
def measure(hints: Hints, ctx: Context) -> Span:
    if hints.items[0].text == "nonsense":
        raise PlanError("this is nonsense")
    return Span(0.0, 1.0)


FLOW = Workflow("test", "", (Step(read, None), Step(measure, None)))


def seen_of(prompt: str, cache: Path) -> list[StageNews]:
    seen: list[StageNews] = []
    with runner.witnessed(seen.append):
        runner.run(FLOW, [Brief(prompt)], [Span], cache=Cache(cache))
    return seen


def test_a_witness_is_told_of_each_stage_those_beside_too(tmp_path: Path) -> None:
    seen = seen_of("rain", tmp_path)
    assert {one.stage for one in seen} == {"test_logs_of_stages"}
    for kept in (True, False):
        assert [one.state for one in seen if one.kept is kept] == ["began", "made"]
    assert all(one.seconds > 0 for one in seen if one.state == "made")
    again = seen_of("rain", tmp_path)
    assert {one.state for one in again} == {"began", "found", "made"}
    assert [one.kept for one in again if one.state == "made"] == [False]


def test_a_stage_that_fails_is_told_as_such(tmp_path: Path) -> None:
    seen: list[StageNews] = []
    with pytest.raises(PlanError), runner.witnessed(seen.append):
        runner.run(FLOW, [Brief("nonsense")], [Span], cache=Cache(tmp_path))
    assert seen[-1].state == "failed"


def test_who_stands_by_no_more_is_told_nothing(tmp_path: Path) -> None:
    seen: list[StageNews] = []
    with runner.witnessed(seen.append):
        pass
    runner.run(FLOW, [Brief("rain")], [Span], cache=Cache(tmp_path))
    assert seen == []
