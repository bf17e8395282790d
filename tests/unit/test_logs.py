"""Lines of JSON: what they hold, and what they never hold."""

from __future__ import annotations

import json
import logging
import warnings
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from foley.errors import OutputError
from foley.pipeline.runner import StageNews
from foley.service import logs
from foley.service.logs import Logging
from foley.service.messages import Ask, Problem
from foley.service.telemetry import Telemetry
from foley.service.work import Order, Rules
from foley.service.workers import Said, Staged

PROMPT = "a very secret door slams"


def told(tmp_path: Path, **how: Any) -> list[dict[str, Any]]:
    """Return what is told of one job that fails, as lines."""
    file = tmp_path / "deep" / "log.jsonl"
    with logs.opened(Logging(file=file, **how), lambda text: None) as log:
        telemetry = Telemetry(log)
        telemetry.job_queued("j1", task="run", prompt=PROMPT)
        ask = Ask(prompt=PROMPT)
        order = Order(ask, tmp_path / "a.mp4", tmp_path / "b.mp4", tmp_path, Rules(tmp_path))
        telemetry.job_began("j1", order, worker=2, attempt=1, waited_s=0.5)
        telemetry.stage("j1", 2, Staged(StageNews("watch", "began", 0.0, kept=True), None))
        telemetry.stage("j1", 2, Staged(StageNews("watch", "found", 0.25, kept=True), None))
        telemetry.stage("j1", 2, Staged(StageNews("takes", "failed", 1.5, kept=False), None))
        telemetry.said("j1", 2, Said(logging.WARNING, "diffusers", "the weights\nare old"))
        telemetry.job_ended("j1", "failed", Problem("PlanError", f"cannot use {PROMPT!r}", "a hint"))
    return [json.loads(line) for line in file.read_text().splitlines()]


def test_each_line_is_one_object_with_the_job_through_all_stages(tmp_path: Path) -> None:
    lines = told(tmp_path)
    events = ["job_queued", "job_started", "stage_started", "stage_ended", "stage_failed", "said", "job_ended"]
    assert [line["event"] for line in lines] == events
    assert {line["job"] for line in lines} == {"j1"}
    assert {line.get("worker") for line in lines[1:-1]} == {2}
    assert (lines[3]["stage"], lines[3]["seconds"], lines[3]["cached"]) == ("watch", 0.25, True)
    assert (lines[4]["stage"], lines[4]["cached"]) == ("takes", False)
    assert (lines[5]["level"], lines[5]["by"], lines[5]["message"]) == ("warning", "diffusers", "the weights\nare old")
    assert (lines[6]["level"], lines[6]["state"], lines[6]["kind"]) == ("error", "failed", "PlanError")
    assert lines[6]["seconds"] >= 0
    for line in lines:
        at = datetime.fromisoformat(line["time"])
        assert abs((datetime.now(UTC) - at).total_seconds()) < 3600


def test_a_prompt_is_told_only_where_that_is_asked(tmp_path: Path) -> None:
    hidden = told(tmp_path / "hidden")
    assert PROMPT not in json.dumps(hidden)
    assert hidden[-1]["reason"] == "cannot use '[prompt]'"
    asked = told(tmp_path / "asked", with_prompts=True)
    assert asked[0]["prompt"] == asked[1]["prompt"] == PROMPT
    assert PROMPT in asked[-1]["reason"]


def test_on_standard_error_lines_stand_in_place_of_sentences(capsys: pytest.CaptureFixture[str]) -> None:
    said: list[str] = []
    with logs.opened(Logging(on_stderr=True), said.append) as log:
        log.say("the token lies in a file")
    line = json.loads(capsys.readouterr().err)
    assert (line["event"], line["message"], said) == ("said", "the token lies in a file", [])


def test_without_lines_sentences_are_told_and_nothing_else(capfd: pytest.CaptureFixture[str]) -> None:
    said: list[str] = []
    with logs.opened(Logging(), said.append) as log:
        log.say("ended")
        log.event("job_ended", "a job is failed", level=logging.ERROR, job="j1")
    assert (said, capfd.readouterr().err) == (["ended"], "")


def test_what_packages_log_and_warn_of_becomes_lines_too(tmp_path: Path) -> None:
    file = tmp_path / "log"
    with logs.opened(Logging(file=file), lambda text: None):
        try:
            raise ValueError("inside")
        except ValueError:
            logging.getLogger("some.package").exception("it went wrong")
        with warnings.catch_warnings():
            warnings.simplefilter("always")
            warnings.warn("this is old", DeprecationWarning, stacklevel=1)
    first, second = (json.loads(line) for line in file.read_text().splitlines())
    assert (first["logger"], first["level"], "ValueError: inside" in first["traceback"]) == (
        "some.package",
        "error",
        True,
    )
    assert "this is old" in second["message"]


def test_a_log_that_was_moved_away_is_begun_anew(tmp_path: Path) -> None:
    file = tmp_path / "log"
    with logs.opened(Logging(file=file), lambda text: None) as log:
        log.say("before")
        file.rename(tmp_path / "log.1")
        log.say("after")
    assert [json.loads(path.read_text())["message"] for path in (tmp_path / "log.1", file)] == ["before", "after"]


def test_a_log_that_cannot_be_written_is_refused_at_the_start(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(OutputError), logs.opened(Logging(file=tmp_path / "file" / "log"), lambda text: None):
        pass


def test_afterwards_nothing_of_it_is_left(tmp_path: Path) -> None:
    before = list(logging.getLogger().handlers), logging.getLogger(logs.NAME).level
    told(tmp_path)
    assert (list(logging.getLogger().handlers), logging.getLogger(logs.NAME).level) == before
