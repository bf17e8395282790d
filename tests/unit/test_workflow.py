"""Workflows are checked whole before anything runs, and say where they are wrong."""

from __future__ import annotations

from pathlib import Path

import pytest

from foley.errors import OptionError, UnknownPluginError, WorkflowError
from foley.model import (
    Brief,
    Clip,
    Delivery,
    Destination,
    Listening,
    Picture,
    PreviousMaster,
    Provenance,
    SoundPlan,
    Source,
)
from foley.model.dub import DubDelivery, DubDestination, DubJob
from foley.pipeline import stages, workflow

JOBS = {
    "postproduction": ([Destination, PreviousMaster], Delivery),
    "dubbing": ([DubJob, DubDestination], DubDelivery),
}
"""What each workflow is given besides a video, a brief and who runs it, and what it makes of that."""


@pytest.mark.parametrize("name", workflow.names())
def test_every_workflow_that_comes_with_foley_leads_from_a_video_to_a_delivery(name: str) -> None:
    flow = workflow.load(name)
    assert flow.description
    besides, delivery = JOBS[name]
    given = [Source, Brief, Provenance, *besides]
    chosen = stages.needed_for([step.stage for step in flow.steps], [delivery], given)
    stages.check(chosen, given)
    assert {stage.makes for stage in chosen} >= {Clip, Picture, Listening, SoundPlan, delivery}


def write(folder: Path, stages_text: str) -> Path:
    path = folder / "mine.yaml"
    path.write_text(f"schema: foley.workflow/1\ndescription: mine\nstages:\n{stages_text}")
    return path


@pytest.mark.parametrize(
    ("text", "line", "says", "hint"),
    [
        ("  - probe\n  - master: {loudnes: web}\n", 5, "has no option 'loudnes'", "did you mean 'loudness'"),
        ("  - master:\n      loudness: quiet\n", 5, "option loudness", ""),
        ("  - probe: {fast: true}\n", 4, "has no option 'fast'", "has no options"),
        ("  - prob\n", 4, "no stage is called 'prob'", ""),
        ("  - [probe]\n", 4, "a stage is its name", ""),
        ("  - master: loud\n", 4, "must be a mapping", ""),
    ],
)
def test_a_wrong_workflow_is_refused_with_its_line(tmp_path: Path, text: str, line: int, says: str, hint: str) -> None:
    path = write(tmp_path, text)
    with pytest.raises(OptionError) as caught:
        workflow.load(str(path))
    assert caught.value.message.startswith(f"{path}:{line}: ")
    assert says in caught.value.message
    assert hint in caught.value.hint
    assert caught.value.exit_code == 7


def test_unknown_fields_and_schemas_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text("schema: foley.workflow/9\nstages: []\n")
    with pytest.raises(WorkflowError, match=r"mine.yaml:1: schema must be 'foley.workflow/1'"):
        workflow.load(str(path))
    path.write_text("schema: foley.workflow/1\nstage: []\n")
    with pytest.raises(WorkflowError, match=r"mine.yaml:2: unknown field 'stage'"):
        workflow.load(str(path))
    path.write_text("{")
    with pytest.raises(WorkflowError, match="is not YAML"):
        workflow.load(str(path))


def test_an_unknown_name_lists_the_known_ones() -> None:
    with pytest.raises(UnknownPluginError) as caught:
        workflow.load("postprod")
    assert "postproduction" in caught.value.hint


def test_options_are_changed_only_on_the_stage_that_is_named() -> None:
    flow = workflow.load()
    changed = flow.with_options({"master": {"loudness": "web"}})
    by_name = {step.stage.name: step.options for step in changed.steps}
    assert by_name["master"].loudness == "web"
    assert by_name["deliver"] == {step.stage.name: step.options for step in flow.steps}["deliver"]
    with pytest.raises(OptionError, match="has no stage 'paint'"):
        flow.with_options({"paint": {"colour": "red"}})


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"takes": {"candidates": 99}}, "stage 'takes': candidates must be 1 to 32, got 99"),
        ({"takes": {"max_vram_mb": -1}}, "stage 'takes': max_vram_mb must be 0 or more, got -1"),
        ({"takes": {"steps": 3}}, "stage 'takes': steps must be 0 or 4 to 1000, got 3"),
        ({"propose": {"closer_looks": -1}}, "timeout_s above 0, closer_looks=-1, timeout_s=120.0"),
    ],
)
def test_an_option_out_of_its_bounds_is_told_without_all_the_others(changes: dict, told: str) -> None:
    with pytest.raises(OptionError) as refused:
        workflow.load().with_options(changes)
    assert refused.value.message.endswith(told)


def test_a_list_is_given_as_text_with_commas_on_a_command_line() -> None:
    flow = workflow.load().with_options({"takes": {"fallback": "library, procedural", "generator": "a, b"}})
    options = {step.stage.name: step.options for step in flow.steps}["takes"]
    assert options.fallback == ("library", "procedural")
    assert options.generator == "a, b"
