"""One sound asked for in words, without a picture."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from foley.errors import PlanError
from foley.plan.alone import alone
from foley.plan.variants import all_variants
from foley.plan.vocabulary import vocabulary
from foley.synth.recipe import recipes

ASKED: Mapping[str, tuple[str, Mapping[str, float | str]]] = {
    "a hammer hits metal": ("hit_metal", {}),
    "a stone drops on stone": ("hit_stone", {}),
    "a glass is tapped": ("hit_glass", {}),
    "a small metal cup is hit": ("hit_metal", {"size": 0.2}),
    "a wooden cup is hit": ("hit_wood", {}),
    "a ceramic plate is hit": ("hit_ceramic", {}),
    "a plastic cup is hit": ("hit_plastic", {}),
    "a huge steel beam is struck": ("hit_metal", {"size": 1.0}),
    "concrete block falls": ("hit_stone", {}),
    "a rubber ball hits": ("ball_bounce", {}),
    "a door closes": ("door_close", {}),
    "a large wooden door slams shut": ("door_slam", {"size": 0.85}),
    "a lock turns": ("lock", {}),
    "a latch clicks": ("latch", {}),
    "paper crumpling": ("paper_crumple", {}),
    "dishes clatter": ("dishes", {}),
    "walking up stairs": ("step_concrete", {"stairs": "up"}),
    "a barrel rolls": ("roll", {"radius_m": 0.3}),
    "bubbles": ("bubbles", {}),
    "boiling water": ("boiling", {}),
    "a spray can": ("spray", {}),
    "wind gusts": ("wind", {"gusts": 0.8}),
    "large fire": ("fire", {"roar": 3.0}),
    "distant thunder": ("thunder", {"distance_m": 12_000.0}),
    "near thunder": ("thunder", {"distance_m": 750.0}),
    "distant gunshots": ("gunshot", {"distance_m": 40.0}),
    "a cat purrs": ("purr", {}),
    "under water": ("amb_underwater", {}),
    "plane overhead": ("jet", {}),
    "motor boat": ("boat", {}),
    "fan": ("fan", {}),
    "pump": ("pump", {}),
    "workshop": ("amb_workshop", {}),
    "station": ("amb_station", {}),
    "space ship hum": ("hum_ship", {}),
}
"""Written by what an editor would ask for and hear as right, before anything was mended."""


@pytest.mark.parametrize("words", ASKED)
def test_what_is_asked_for_alone_is_made_by_its_own_recipe(words: str) -> None:
    recipe, parameters = ASKED[words]

    (event,) = alone(words).events

    assert (event.recipe, event.parameters | parameters) == (recipe, event.parameters)


def test_a_guess_is_told() -> None:
    plan = alone("a spoon")

    assert plan.events[0].recipe == "cutlery"
    assert plan.hints == ("no sound is named; cutlery is a guess",)
    assert alone("cutlery clatters").hints == ()


def test_what_means_nothing_is_refused() -> None:
    with pytest.raises(PlanError, match="no known sound"):
        alone("a mysterious thing")


def test_words_reach_every_recipe() -> None:
    named = {sound.recipe for sound in (*vocabulary().values(), *all_variants())}

    assert set(recipes()) - named == set()
