"""Rooms: what people say, what sounds there, what is seen; and nothing where nobody knows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest

from foley.contracts import Context, PlannerSettings
from foley.model import Hint, Hints, Look, Looks, Picture, ProposedSound, ScoredLabel, Space
from foley.plan import semantic
from foley.plan.ground import GroundOptions, ground
from foley.plan.planners.rules import build
from foley.plan.rooms import rooms_of
from foley.plan.spaces import spaces
from foley.plan.vocabulary import vocabulary
from tests.planning import case_of, clip_of, picture_of, prompt, silence, unseen

TWO_SHOTS = picture_of(10.0, cuts_s=[5.0])
FOREST, RAIN, KITCHEN = (vocabulary()[name].proposed("it is heard") for name in ("forest", "rain", "kitchen"))


@pytest.fixture(autouse=True)
def _without_sentence_model(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(semantic, "place", lambda: None)


def found(
    hints: Hints,
    picture: Picture = TWO_SHOTS,
    looks: Looks | None = None,
    *,
    sounds: Sequence[ProposedSound] = (),
) -> tuple[Space, ...]:
    return spaces(hints, picture, looks or unseen(picture), sounds=sounds)


def rooms(stretches: Sequence[Space]) -> list[tuple[float, float, str]]:
    return [(space.start_s, space.end_s, space.room) for space in stretches]


def looks_of(*shots: dict[str, float]) -> Looks:
    """Return the looks of shots, each a place of its own, that an encoder sees as these classes."""
    items = tuple(
        Look(number, tuple(ScoredLabel(name, name, score) for name, score in seen.items()), np.zeros(0, np.float32))
        for number, seen in enumerate(shots)
    )
    return Looks(items, tuple(range(len(shots))), encoder="a test")


def timed(text: str, start_s: float, end_s: float | None = None) -> Hint:
    return Hint(text, start_s, end_s, "timed prompt")


def turns(text: str) -> list[str | None]:
    return [turn.room if turn else None for turn in rooms_of(text).turns]


@pytest.mark.parametrize(
    ("text", "room"),
    [
        ("a man washes his hands in a bathroom", "small_interior"),
        ("footsteps on the kitchen floor", "small_interior"),
        ("typing at the office", "small_interior"),
        ("a chef in a restaurant kitchen", "small_interior"),
        ("somebody sings in the cathedral", "large_interior"),
        ("in a small, empty church", "large_interior"),
        ("In the church people sing", "large_interior"),
        ("an empty train station", "large_interior"),
        ("church ambience", "large_interior"),
        ("he swims in the swimming hall", "large_interior"),
        ("a man walks outside", "exterior"),
        ("Outside, a dog barks", "exterior"),
        ("children play in the middle of the street", "exterior"),
        ("a car stops at the gas station", "exterior"),
        ("she walks along the river", "exterior"),
        ("walks through deep snow", "exterior"),
        ("a quiet forest", "exterior"),
        ("somebody walks through the woods", "exterior"),
        ("a diver swims under water", "under_water"),
        ("underwater ambience", "under_water"),
        ("foley recorded in a studio", "none"),
        ("footsteps, no reverb", "none"),
        ("INT. KITCHEN - DAY", "small_interior"),
        ("EXT. CHURCH - NIGHT", "exterior"),
        ("INT. CHURCH", "large_interior"),
        ("indoors, in a large church", "large_interior"),
        ("birds sing outside, she sits in the office", "small_interior"),
        ("he drives in a car", "none"),
        ("INT. CAR - NIGHT", "none"),
        ("people whisper in a car on the highway", "none"),
        ("a man walks into a church in the village", "large_interior"),
        ("a tent in the forest", "exterior"),
    ],
)
def test_who_is_said_to_be_in_a_place_is_in_its_room(text: str, room: str) -> None:
    assert turns(text) == [room]


@pytest.mark.parametrize(
    "text",
    [
        "church bells ring",
        "in the church tower bells ring",
        "he knocks on the garage door",
        "she stands in front of the church",
        "he leaves the church",
        "house music plays",
        "rain outside the window",
        "he looks outside",
        "a dog barks",
        "footsteps on gravel",
        "a car",
        "rain on a tent",
        "not in a church",
        "no music in the church",
        "children play in the park and in the gym",
        "a man walks on wood",
        "footsteps, wood",
        "INT./EXT. CAR - DAY",
        "",
    ],
)
def test_a_place_that_is_only_named_says_nothing(text: str) -> None:
    assert turns(text) == []


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("A man walks outside, then enters a church", ["exterior", "large_interior"]),
        ("a man walks in the rain and enters a church", ["exterior", "large_interior"]),
        ("before he enters the church, he walks on the street", ["exterior", "large_interior"]),
        ("a car arrives, then she enters the church", [None, "large_interior"]),
        ("a hammer in a workshop, then a forest, then the bathroom", ["small_interior", "exterior", "small_interior"]),
        ("outside, then in a hall", ["exterior", "large_interior"]),
        ("footsteps outside, then in a hall", ["exterior", "large_interior"]),
        ("rain outside, then a man coughs in the kitchen", ["small_interior"]),
        ("he drives in a car, then walks in a hall", ["none", "large_interior"]),
        ("he walks in the park, then sits down on the lawn", ["exterior"]),
    ],
)
def test_rooms_come_in_the_order_of_the_story(text: str, expected: list[str | None]) -> None:
    assert turns(text) == expected


def test_what_is_said_without_a_time_holds_for_all_shots_and_says_who_says_so() -> None:
    (space,) = found(prompt("footsteps in the cathedral"))

    assert space == Space(0.0, 10.0, "large_interior", "The prompt says 'in the cathedral'.")


def test_a_timed_hint_speaks_for_its_shots_alone() -> None:
    picture = picture_of(15.0, cuts_s=[5.0, 10.0])
    alike = replace(unseen(picture), places=(0, 0, 0))

    stretches = found(Hints((timed("a man walks in a church", 6.0, 9.0),)), picture, alike)

    assert rooms(stretches) == [(5.0, 10.0, "large_interior")]
    assert stretches[0].because == "The prompt at 0:06.000 says 'in a church'."


def test_a_caption_that_hangs_over_a_cut_does_not_speak_for_the_next_shot() -> None:
    assert rooms(found(Hints((timed("in a church", 3.0, 5.4),)))) == [(0.0, 5.0, "large_interior")]


def test_a_timed_hint_goes_before_one_without_a_time() -> None:
    hints = Hints((*prompt("a man in the forest").items, timed("in the kitchen", 6.0)))

    assert rooms(found(hints)) == [(0.0, 5.0, "exterior"), (5.0, 10.0, "small_interior")]


def test_one_room_after_the_other_changes_at_a_cut_and_without_one_as_events_do() -> None:
    story = prompt("a man walks outside, then enters a church")

    at_a_cut = found(story, picture_of(10.0, cuts_s=[3.0]))
    without = found(story, picture_of(12.0))

    assert rooms(at_a_cut) == [(0.0, 3.0, "exterior"), (3.0, 10.0, "large_interior")]
    assert rooms(without) == [(0.0, 6.0, "exterior"), (6.0, 12.0, "large_interior")]
    assert [space.because for space in without] == [
        "The prompt says 'outside'; no cut shows when.",
        "The prompt says 'enters a church'; no cut shows when.",
    ]
    assert "no cut" not in at_a_cut[0].because


def test_a_room_that_comes_later_says_nothing_of_the_time_before() -> None:
    story = prompt("a car arrives, then she enters a church")

    assert rooms(found(story, picture_of(10.0))) == [(5.0, 10.0, "large_interior")]


def test_a_time_goes_before_a_turn_within_its_shot() -> None:
    hints = Hints((*prompt("outside, then in a hall").items, timed("in the kitchen", 1.0, 9.0)))

    assert rooms(found(hints, picture_of(10.0))) == [(0.0, 10.0, "small_interior")]


def test_places_that_are_as_many_as_the_rooms_take_them_in_turn() -> None:
    picture = picture_of(12.0, cuts_s=[2.0, 4.0])
    looks = replace(unseen(picture), places=(0, 1, 0))

    stretches = found(prompt("a man walks outside, then enters a church"), picture, looks)

    assert rooms(stretches) == [(0.0, 2.0, "exterior"), (2.0, 4.0, "large_interior"), (4.0, 12.0, "exterior")]


def test_what_sounds_there_tells_of_the_place_and_of_all_shots_of_it() -> None:
    picture = picture_of(15.0, cuts_s=[5.0, 10.0])
    looks = replace(unseen(picture), places=(0, 1, 0))

    stretches = found(Hints(()), picture, looks, sounds=[replace(FOREST, shots=(0,))])

    assert rooms(stretches) == [(0.0, 5.0, "exterior"), (10.0, 15.0, "exterior")]
    assert stretches[0].because == "It is heard."


def test_an_ambience_that_is_only_laid_under_tells_nothing() -> None:
    assert found(Hints(()), sounds=[replace(KITCHEN, confidence=0.5)]) == ()
    assert found(Hints(()), sounds=[replace(KITCHEN, placeholder=True)]) == ()
    assert found(Hints(()), sounds=[vocabulary()["car-interior"].proposed("")]) == ()


def test_what_contradicts_itself_tells_nothing() -> None:
    assert found(Hints(()), sounds=[FOREST, KITCHEN]) == ()
    assert rooms(found(Hints(()), sounds=[FOREST, RAIN])) == [(0.0, 10.0, "exterior")]


def test_who_hears_the_rain_outside_is_not_outside() -> None:
    assert found(prompt("a man types, rain outside"), sounds=[RAIN]) == ()


def test_words_go_before_sounds_and_sounds_before_looks() -> None:
    seen = looks_of({"office": 0.9}, {"office": 0.9})

    assert rooms(found(Hints(()), looks=seen)) == [(0.0, 10.0, "small_interior")]
    assert rooms(found(Hints(()), looks=seen, sounds=[FOREST])) == [(0.0, 10.0, "exterior")]
    assert rooms(found(prompt("in a church"), looks=seen, sounds=[FOREST])) == [(0.0, 10.0, "large_interior")]


def test_what_is_seen_says_where_and_how_surely() -> None:
    stretches = found(Hints(()), looks=looks_of({"forest": 0.8}, {"dog-bark": 0.9}))

    assert stretches == (Space(0.0, 5.0, "exterior", "Shot 1 looks like forest (0.80)."),)


def test_a_place_that_is_denied_is_not_believed_to_be_seen() -> None:
    looks = looks_of({"forest": 0.8}, {"kitchen": 0.8})

    assert rooms(found(prompt("not in a forest"), looks=looks)) == [(5.0, 10.0, "small_interior")]


@pytest.mark.parametrize(
    ("text", "room"),
    [
        ("forest ambience, a bird sings", "exterior"),
        ("rain", "exterior"),
        ("sea waves crash", "exterior"),
        ("rain against the window", "small_interior"),
        ("office ambience", "small_interior"),
        ("station ambience", "large_interior"),
        ("a hammer hits an anvil", None),
        ("somebody walks", None),
        ("a gun is fired", None),
    ],
)
def test_the_plan_of_a_prompt_has_the_room_that_it_tells_of(text: str, room: str | None, ctx: Context) -> None:
    picture = picture_of(10.0)
    hints, looks = prompt(text), unseen(picture)
    proposal = build().plan(case_of(picture, hints), PlannerSettings(), ctx)

    plan = ground(clip_of(10.0), picture, looks, silence(), proposal, hints, GroundOptions(), ctx)

    assert rooms(plan.spaces) == ([(0.0, 10.0, room)] if room else [])
    assert {event.room for event in plan.events} == {"auto"}


def test_rooms_of_the_vocabulary_are_of_beds() -> None:
    assert {sound.kind for sound in vocabulary().values() if sound.room} == {"bed"}


@pytest.mark.parametrize(
    ("text", "bed"),
    [
        ("a man walks outside", "open air"),
        ("he stands outside the church", "open air"),
        ("a hammer hits an anvil outdoors", "open air"),
        ("a hammer hits an anvil", "forge fire"),
        ("somebody swims under water", "under water"),
        ("he walks in the forest", "forest"),
        ("a man coughs in a bathroom", "room tone"),
        ("Church bells ring", "open air"),
        ("people whisper in a car on the highway", "room tone"),
        ("footsteps in the forest, no reverb", "forest"),
        ("bells ring in the church", "hall"),
    ],
)
def test_the_background_goes_with_the_room(text: str, bed: str, ctx: Context) -> None:
    proposal = build().plan(case_of(picture_of(10.0), prompt(text)), PlannerSettings(), ctx)

    assert [sound.label for sound in proposal.sounds if sound.kind == "bed"] == [bed]


def test_rooms_in_turn_have_their_backgrounds_in_turn(ctx: Context) -> None:
    case = case_of(picture_of(10.0), prompt("a man walks outside, then enters a church"))

    beds = [sound for sound in build().plan(case, PlannerSettings(), ctx).sounds if sound.kind == "bed"]

    assert [(bed.label, bed.start_s, bed.end_s) for bed in beds] == [("open air", 0.0, 5.0), ("hall", 5.0, 10.0)]


def test_places_in_turn_have_their_backgrounds_in_their_shots(ctx: Context) -> None:
    picture = picture_of(12.0, cuts_s=[2.0, 4.0])
    case = replace(
        case_of(picture, prompt("outside, then in a kitchen")), looks=replace(unseen(picture), places=(0, 1, 0))
    )

    beds = [sound for sound in build().plan(case, PlannerSettings(), ctx).sounds if sound.kind == "bed"]

    assert [(bed.label, bed.shots) for bed in beds] == [("open air", (0, 2)), ("kitchen", (1,))]
