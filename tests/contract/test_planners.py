"""What every planner promises, whichever are found."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from foley import plugins
from foley.contracts import Case, Context, Planner, PlannerSettings
from foley.model import Hint, Hints, Listening, Proposal, Span
from foley.neural import runtime
from foley.plan.dialogue.local import PACKAGES
from foley.plan.ground import GroundOptions, ground
from tests import tiny_vlm
from tests.chat_server import by_schema, serving
from tests.planning import case_of, impact, picture_of

PICTURES = {
    "plain": picture_of(impacts=[impact(1.0), impact(2.0, "burst"), impact(3.0, "flash")], moving_s=[(1, 4)]),
    "cut": picture_of(60.0, impacts=[impact(float(t)) for t in range(1, 60, 7)], cuts_s=[5, 20, 21.5]),
    "still": picture_of(),
    "one frame": picture_of(0.04),
    "busy": picture_of(impacts=[impact(t / 50) for t in range(499)], moving_s=[(0, 10)]),
}
HINTS = {
    "none": Hints(()),
    "prompt": Hints((Hint("a dog barks, then footsteps on gravel in heavy rain", None, None, "prompt"),)),
    "timed": Hints((Hint("door slams", 0.01, None, "timed prompt"), Hint("xyzzy", 0.0, 0.03, "cue sheet"))),
    "caption": Hints((Hint("thunder rumbling", 0.0, 0.02, "subtitle"),)),
}
SPEECH = Listening(True, -20.0, (Span(0.0, 0.02),), np.full(1, -20, np.float32))


class Ways:
    """What planners that ask a model are told: a service that answers all its schema allows, or a tiny local model."""

    def __init__(self, endpoint: str, folder: Path) -> None:
        self._service = PlannerSettings(model="m", endpoint=endpoint, closer_looks=0)
        self._folder = folder

    def __getitem__(self, name: str) -> PlannerSettings:
        """Return the settings for a planner."""
        if name != "reasoned" or runtime.missing(*PACKAGES):
            return self._service
        if not self._folder.exists():
            tiny_vlm.smolvlm2(self._folder)
        return PlannerSettings(model=str(self._folder), device="cpu", closer_looks=0)


@pytest.fixture(scope="module")
def ways(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ways]:
    with serving(by_schema) as server:
        yield Ways(server.endpoint, tmp_path_factory.mktemp("models") / "tiny")


@pytest.fixture
def settings(name: str, ways: Ways) -> PlannerSettings:
    """Settings with which the planner of that name can work here."""
    return ways[name]


def planner(name: str, settings: PlannerSettings) -> Planner:
    """Return a planner that can work here."""
    made: Planner = plugins.build("planner", name)
    if needed := made.missing(settings):
        pytest.skip("; ".join(needed))
    return made


def planned(name: str, picture: str, hints: str, settings: PlannerSettings, ctx: Context) -> tuple[Case, Proposal]:
    case = case_of(PICTURES[picture], HINTS[hints], listening=SPEECH)
    return case, planner(name, settings).plan(case, settings, ctx)


@pytest.mark.parametrize("hints", HINTS)
@pytest.mark.parametrize("picture", PICTURES)
@pytest.mark.parametrize("name", plugins.names("planner"))
def test_what_it_proposes_becomes_a_plan_inside_the_clip(
    name: str, picture: str, hints: str, settings: PlannerSettings, ctx: Context
) -> None:
    case, proposal = planned(name, picture, hints, settings, ctx)

    plan = ground(case.clip, case.picture, case.looks, case.listening, proposal, case.hints, GroundOptions(), ctx)

    assert proposal.planner == name
    assert all(event.end_s <= float(case.clip.duration_s) and event.start_s >= 0 for event in plan.events)
    assert all(event.because and event.label for event in plan.events)


@pytest.mark.parametrize("name", plugins.names("planner"))
def test_it_gives_its_reasons_in_four_parts(name: str, settings: PlannerSettings, ctx: Context) -> None:
    _, proposal = planned(name, "plain", "prompt", settings, ctx)

    reasons = proposal.reasoning
    assert all([reasons.semantic, reasons.temporal, reasons.aesthetic, reasons.spatial])


@pytest.mark.parametrize("name", plugins.names("planner"))
def test_it_proposes_the_same_again(name: str, settings: PlannerSettings, ctx: Context) -> None:
    assert planned(name, "cut", "prompt", settings, ctx)[1] == planned(name, "cut", "prompt", settings, ctx)[1]


@pytest.mark.parametrize("name", plugins.names("planner"))
def test_it_names_only_shots_that_are_there(name: str, settings: PlannerSettings, ctx: Context) -> None:
    case, proposal = planned(name, "cut", "none", settings, ctx)

    assert {number for sound in proposal.sounds for number in sound.shots} <= set(range(len(case.picture.shots)))


@pytest.mark.parametrize("name", plugins.names("planner"))
def test_it_keeps_the_seed_and_the_generator_of_the_brief(name: str, settings: PlannerSettings, ctx: Context) -> None:
    hints = Hints((), seed=42, generator="procedural")

    proposal = planner(name, settings).plan(case_of(PICTURES["plain"], hints), settings, ctx)

    assert (proposal.seed, proposal.generator) == (42, "procedural")
