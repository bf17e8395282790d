"""What the rules propose, and why."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from foley.contracts import Context, PlannerSettings
from foley.model import Hint, Hints, Listening, Look, Looks, Picture, Proposal, ProposedSound, ScoredLabel, Span
from foley.plan import semantic
from foley.plan.planners.rules import build
from foley.plan.propose import ProposeOptions, propose
from foley.plan.vocabulary import vocabulary
from tests.planning import case_of, clip_of, impact, picture_of, prompt, silence, unseen


@pytest.fixture(autouse=True)
def _without_sentence_model(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(semantic, "place", lambda: None)


def proposal(
    hints: Hints,
    picture: Picture | None = None,
    listening: Listening | None = None,
    *,
    looks: Looks | None = None,
) -> Proposal:
    case = case_of(picture or picture_of(), hints, listening=listening, looks=looks)
    return build().plan(case, PlannerSettings(), None)  # type: ignore[arg-type]  # rules ask nothing of the run


def timed(text: str, start_s: float, end_s: float | None = None, source: str = "timed prompt") -> Hints:
    return Hints((Hint(text, start_s, end_s, source),))  # type: ignore[arg-type]


def looks_of(*shots: dict[str, float], places: tuple[int, ...] = ()) -> Looks:
    """Return the looks of shots that an encoder sees as these classes, with their scores."""
    items = tuple(
        Look(number, tuple(ScoredLabel(name, name, score) for name, score in seen.items()), np.zeros(0, np.float32))
        for number, seen in enumerate(shots)
    )
    return Looks(items, places or tuple(range(len(shots))), encoder="a test")


def labels(found: Proposal) -> list[str]:
    return [sound.label for sound in found.sounds]


def front(found: Proposal) -> list[ProposedSound]:
    return [sound for sound in found.sounds if sound.bus != "backgrounds"]


def test_a_prompt_becomes_its_sound_with_the_words_that_say_so() -> None:
    (sound,) = front(proposal(prompt("a blacksmith hammers glowing iron on an anvil")))

    assert (sound.label, sound.recipe, sound.cue, sound.periodic) == ("hammer on anvil", "anvil", "strike", True)
    assert sound.because == "the prompt says 'blacksmith hammers glowing iron on an anvil'", "as it is written"
    assert sound.start_s is None


def test_a_sound_brings_the_place_that_is_natural_for_it() -> None:
    assert "forge fire" in labels(proposal(prompt("a blacksmith hammers iron on an anvil")))


def test_a_place_that_is_named_goes_before_the_natural_one() -> None:
    found = labels(proposal(prompt("a dog barks in the forest")))

    assert "forest" in found
    assert "room tone" not in found


def test_there_is_one_background_even_where_nothing_is_said_of_it() -> None:
    backgrounds = [sound for sound in proposal(prompt("a hand claps")).sounds if sound.bus == "backgrounds"]

    assert len(backgrounds) == 1
    assert backgrounds[0].level_db < -35


def test_a_place_that_is_heard_already_gets_no_second_background() -> None:
    assert labels(proposal(prompt("city traffic"))) == ["city"]


def test_a_timed_hint_holds() -> None:
    (sound,) = front(proposal(timed("footsteps on gravel", 2.0, 4.0)))

    assert (sound.start_s, sound.end_s, sound.exact) == (2.0, 4.0, True)
    assert "at 0:02.000" in sound.because


def test_what_happens_once_happens_where_its_caption_appears() -> None:
    (sound,) = front(proposal(timed("door slams", 2.0, 4.5, "subtitle")))

    assert (sound.start_s, sound.end_s, sound.exact) == (2.0, None, True)


def test_the_same_sound_may_be_timed_often() -> None:
    hints = Hints((Hint("door slams", 1.0, None, "cue sheet"), Hint("door slams", 5.0, None, "cue sheet")))

    assert [sound.start_s for sound in front(proposal(hints))] == [1.0, 5.0]


def test_what_happens_once_takes_the_strongest_impact() -> None:
    picture = picture_of(impacts=[impact(1.0, strength=0.3), impact(4.0, strength=0.9), impact(6.0, strength=0.5)])

    (slam,) = front(proposal(prompt("a door slams"), picture))

    assert (slam.start_s, slam.exact) == (4.0, False)


def test_a_movement_that_happens_once_takes_the_longest_motion() -> None:
    (creak,) = front(proposal(prompt("a door creaks"), picture_of(20.0, moving_s=[(1, 2), (8, 10), (14, 14.5)])))

    assert (creak.start_s, creak.end_s) == (pytest.approx(8, abs=0.15), pytest.approx(10, abs=0.15))


def test_a_caption_that_tells_of_silence_silences_nothing_else() -> None:
    hints = Hints((Hint("a dog barks", None, None, "prompt"), Hint("silence", 5.0, 6.0, "subtitle")))

    assert labels(proposal(hints)) == ["dog barks", "room tone"]


@pytest.mark.parametrize("text", ["no sound", "without any sound", "complete silence"])
def test_no_sound_at_all_can_be_asked_for(text: str) -> None:
    assert proposal(prompt(text), picture_of(impacts=[impact(1.0)], moving_s=[(0, 5)])).sounds == ()


def test_what_comes_then_comes_in_the_next_shot() -> None:
    first, second = front(proposal(prompt("footsteps in snow, then footsteps on gravel"), picture_of(cuts_s=[4.2])))

    assert (first.start_s, first.end_s) == (0.0, 4.2)
    assert (second.start_s, second.end_s) == (4.2, 10.0)


def test_what_is_denied_is_neither_heard_nor_generated() -> None:
    found = proposal(prompt("a dog barks, no rain and no music", "heavy rain"))

    assert "rain" not in labels(found)
    assert all("music" in sound.avoid.split(", ") and "rain" in sound.avoid.split(", ") for sound in found.sounds)
    assert found.sounds[0].avoid == "music, speech, rain"
    assert "Not to be heard: rain and music." in found.reasoning.semantic


@pytest.mark.parametrize(
    ("text", "background"),
    [
        ("a hammer strikes an anvil", "forge fire"),
        ("a hammer strikes an anvil, no fire", "room tone"),
        ("a hammer strikes an anvil, no loud fire", "room tone"),
        ("leaves rustle", "forest"),
        ("leaves rustle, no birds", "open air"),
        ("a man walks in the forest, no birds", "open air"),
        ("a door slams, no voices", "room tone"),
    ],
)
def test_a_background_that_nobody_named_holds_nothing_that_is_denied(text: str, background: str) -> None:
    beds = [sound.label for sound in proposal(prompt(text)).sounds if sound.bus == "backgrounds"]

    assert beds == [background]


@pytest.mark.parametrize("denied", ["no ambience", "no background noise", "without atmosphere"])
def test_who_wants_no_ambience_gets_only_the_backgrounds_that_are_named(denied: str) -> None:
    assert labels(proposal(prompt(f"a hammer strikes an anvil, {denied}"))) == ["hammer on anvil"]
    assert labels(proposal(prompt(f"a hammer strikes an anvil, rain, {denied}"))) == ["hammer on anvil", "rain"]


def test_who_wants_no_music_behind_it_gets_backgrounds() -> None:
    assert "room tone" in labels(proposal(prompt("a door slams, no background music")))


def test_a_quiet_crowd_does_not_cheer() -> None:
    assert labels(proposal(prompt("a quiet crowd waits"))) == ["murmur of voices"]


def test_manner_goes_into_prompt_level_and_distance() -> None:
    (near,), (far,) = front(proposal(prompt("gunshot"))), front(proposal(prompt("distant gunshot")))

    assert far.level_db < near.level_db
    assert far.distance_m > near.distance_m
    assert far.prompt.endswith("distant")


def test_silence_that_is_asked_for_is_kept() -> None:
    found = proposal(
        prompt("a man looks at a red car in silence"), picture_of(impacts=[impact(1.0)], moving_s=[(1, 3)])
    )

    assert found.sounds == ()
    assert "Silence is asked for." in found.reasoning.semantic


def test_without_a_hint_motion_is_heard_doubtfully() -> None:
    found = proposal(Hints(()), picture_of(impacts=[impact(1.0), impact(2.0)], moving_s=[(1, 3)]))

    assert labels(found) == ["soft impact", "movement", "room tone"]
    assert all(sound.confidence <= 0.3 for sound in found.sounds)
    assert "only motion is heard" in found.reasoning.semantic
    assert found.sounds[0].shots == (0,)


STRUCK = picture_of(impacts=[impact(1.0), impact(7.0)], cuts_s=[5.0], moving_s=[(0.5, 1.5), (6.5, 7.5)])
"""Two shots, in each of which something strikes."""


def test_what_is_seen_is_heard_in_the_shots_that_show_it() -> None:
    found = proposal(Hints(()), STRUCK, looks=looks_of({"knife-chop": 0.9}, {"anvil": 0.8}))

    chop, anvil = front(found)
    assert (chop.label, chop.shots, chop.confidence) == ("knife chops on a board", (0,), 0.9)
    assert (anvil.label, anvil.shots, anvil.confidence) == ("hammer on anvil", (1,), 0.8)
    assert chop.because == "shot 1 looks like knife chops on a board (0.90)"
    assert "a test recognises knife chops on a board in shot 1 (0.90)" in found.reasoning.semantic


def test_of_one_kind_only_the_likeliest_of_a_shot_is_heard() -> None:
    found = proposal(Hints(()), STRUCK, looks=looks_of({"hammer-nail": 0.7, "anvil": 0.8}, {}))

    assert labels(found)[0] == "hammer on anvil"
    assert "hammer on nail" not in labels(found)


@pytest.mark.parametrize("score", [0.49, 0.2])
def test_what_is_less_likely_than_not_is_not_heard(score: float) -> None:
    assert "hammer on anvil" not in labels(proposal(Hints(()), STRUCK, looks=looks_of({"anvil": score}, {})))


def test_what_is_seen_but_does_not_move_is_not_heard() -> None:
    found = proposal(Hints(()), picture_of(), looks=looks_of({"dog-bark": 0.9}))

    assert front(found) == []
    assert "Seen, but nothing moves as it would when heard: dog barks." in found.reasoning.semantic


def test_motion_is_heard_doubtfully_only_where_nothing_is_recognised() -> None:
    found = proposal(Hints(()), STRUCK, looks=looks_of({"anvil": 0.8}, {}))

    assert [(sound.label, sound.shots) for sound in front(found)] == [
        ("hammer on anvil", (0,)),
        ("soft impact", (1,)),
        ("movement", (1,)),
    ]


def test_what_is_denied_is_not_heard_though_it_is_seen() -> None:
    found = proposal(prompt("no hammering, no anvil"), STRUCK, looks=looks_of({"anvil": 0.9}, {"forest": 0.9}))

    assert "hammer on anvil" not in labels(found)


def test_a_hint_that_is_seen_as_well_is_surer_and_says_so() -> None:
    (said,) = front(proposal(prompt("hammering"), STRUCK))
    (both,) = front(proposal(prompt("hammering"), STRUCK, looks=looks_of({}, {"hammer-nail": 0.8})))

    assert said.confidence < both.confidence <= 1
    assert both.because.endswith("; shot 2 looks like it (0.80)")
    assert both.shots == ()


def test_with_a_hint_looks_add_no_sound_in_front() -> None:
    found = proposal(prompt("a dog barks"), STRUCK, looks=looks_of({"anvil": 0.9}, {"knife-chop": 0.9}))

    assert [sound.label for sound in front(found)] == ["dog barks"]


def test_each_place_that_is_seen_has_its_background() -> None:
    picture = picture_of(cuts_s=[3.0, 6.0])
    seen = looks_of({"forest": 0.7}, {"kitchen": 0.9}, {}, places=(0, 1, 0))

    beds = [(sound.label, sound.shots) for sound in proposal(Hints(()), picture, looks=seen).sounds]

    assert beds == [("forest", (0, 2)), ("kitchen", (1,))]


def test_shots_whose_place_is_not_seen_have_a_quiet_tone() -> None:
    found = proposal(Hints(()), STRUCK, looks=looks_of({"forest": 0.7}, {}))

    assert [(sound.label, sound.shots) for sound in found.sounds if sound.bus == "backgrounds"] == [
        ("forest", (0,)),
        ("room tone", (1,)),
    ]


def test_a_place_that_the_text_names_goes_before_one_that_is_seen() -> None:
    found = labels(proposal(prompt("a dog barks in the forest"), STRUCK, looks=looks_of({"kitchen": 0.9}, {})))

    assert "forest" in found
    assert "kitchen" not in found


def test_footsteps_are_on_the_ground_that_each_shot_shows() -> None:
    seen = looks_of({"footsteps-snow": 0.8}, {"forest": 0.7})

    steps = front(proposal(prompt("heavy footsteps"), STRUCK, looks=seen))

    assert [(step.label, step.shots, step.recipe) for step in steps] == [
        ("footsteps in snow", (0,), "step_snow"),
        ("footsteps in leaves", (1,), "step_leaves"),
    ]
    assert all(step.prompt.endswith("heavy") for step in steps)


def test_a_ground_that_the_text_names_is_not_overruled() -> None:
    (steps,) = front(proposal(prompt("footsteps on gravel"), STRUCK, looks=looks_of({"footsteps-snow": 0.9}, {})))

    assert (steps.label, steps.shots) == ("footsteps on gravel", ())


def test_timed_footsteps_take_the_ground_under_them_and_keep_their_time() -> None:
    seen = looks_of({"footsteps-snow": 0.8}, {"footsteps-gravel": 0.8})

    (steps,) = front(proposal(timed("footsteps", 6.0, 8.0), STRUCK, looks=seen))

    assert (steps.label, steps.start_s, steps.end_s, steps.exact) == ("footsteps on gravel", 6.0, 8.0, True)


def test_attacks_in_the_clips_own_sound_make_what_is_seen_surer() -> None:
    heard = Listening(True, -20.0, (), np.zeros(100, np.float32), np.array([1.02, 7.05]))
    seen = looks_of({"anvil": 0.6}, {"anvil": 0.6})

    (alone,) = front(proposal(Hints(()), STRUCK, looks=seen))
    (both,) = front(proposal(Hints(()), STRUCK, heard, looks=seen))

    assert alone.confidence < both.confidence < 1
    assert both.because.endswith("the clip's own sound has attacks there")


def test_a_label_that_the_vocabulary_does_not_know_is_left_out() -> None:
    assert "quasar" not in labels(proposal(Hints(()), STRUCK, looks=looks_of({"quasar": 0.9}, {})))


def test_a_count_is_passed_on() -> None:
    (knock,) = front(proposal(prompt("three knocks on the door")))
    (slams,) = front(proposal(prompt("a door slams twice"), STRUCK))

    assert (knock.count, slams.count) == (3, 2)
    assert knock.because == "the prompt says 'knocks on the door', 3 times"
    assert slams.start_s is None, "what happens twice is not only the strongest impact"


def test_sounds_at_the_same_time_share_their_turn() -> None:
    door, phone, dog = front(proposal(prompt("a door slams, then a phone rings while a dog barks")))

    assert (phone.start_s, phone.end_s) == (dog.start_s, dog.end_s) == (5.0, 10.0)
    assert door.start_s is None


def test_running_in_heels_is_made_so() -> None:
    (steps,) = front(proposal(prompt("she runs down wooden stairs in high heels")))

    assert (steps.parameters["run"], steps.parameters["shoe"]) == (1.0, "heel")


def test_without_hint_or_motion_there_is_only_a_quiet_tone() -> None:
    assert labels(proposal(Hints(()))) == ["room tone"]


def test_a_still_shot_has_no_movement_though_a_camera_makes_noise() -> None:
    moving = picture_of(10.0, cuts_s=[5.0], moving_s=[(0.0, 5.0)])
    noise = np.maximum(moving.motion.level, np.float32(0.08))
    noisy = replace(moving, motion=replace(moving.motion, level=noise))
    still = replace(moving, motion=replace(moving.motion, level=np.full_like(noise, 0.2)))

    assert [(sound.label, sound.shots) for sound in front(proposal(Hints(()), noisy))] == [("movement", (0,))]
    assert front(proposal(Hints(()), still)) == []


def test_a_timed_hint_that_no_class_explains_is_kept_for_generators_that_read() -> None:
    (sound,) = front(proposal(timed("a flumph wobbles", 3.0)))

    assert (sound.kind, sound.prompt, sound.start_s, sound.placeholder) == ("hits", "a flumph wobbles", 3.0, True)


def test_what_generators_that_read_are_given_is_not_called_without_a_sound() -> None:
    told = proposal(timed("a flumph wobbles", 3.0)).reasoning.semantic

    assert "The prompt names a flumph wobbles." in told
    assert "No sound is given" not in told


def test_a_caption_that_no_class_explains_is_left_out() -> None:
    assert front(proposal(timed("(that is it)", 3.0, 4.0, "subtitle"), picture_of())) == []


def test_the_reasons_name_the_evidence() -> None:
    picture = picture_of(impacts=[impact(t / 2) for t in range(2, 10)], cuts_s=[6.0])
    listening = Listening(True, -23.4, (Span(7.0, 8.5),), np.zeros(100, np.float32))

    reasons = proposal(prompt("a knife chops cabbage on a wooden board; a fnord"), picture, listening).reasoning

    assert "The prompt names knife chops on a board." in reasons.semantic
    assert "8 strikes" in reasons.temporal
    assert "seen in shot 1, 0.50 s apart on median" in reasons.temporal
    assert "Somebody speaks for 1.5 s, first at 0:07.000." in reasons.temporal
    assert "-23 LUFS" in reasons.aesthetic
    assert "in the middle of the picture" in reasons.spatial


def test_the_reasons_tell_times_that_are_given_from_those_that_follow_from_the_order() -> None:
    hits = picture_of(10.0, impacts=[impact(2.0), impact(8.0)])

    given = proposal(timed("a door slams", 8.0), hits).reasoning.temporal
    ordered = proposal(prompt("rain, then a door slams, then somebody walks"), hits).reasoning.temporal

    assert "Times are given for door slams at 0:08.000." in given
    assert "By the order" not in given
    assert "By the order of what is said and by what is seen: footsteps from 0:06.667 to 0:10.000." in ordered
    assert "Times are given" not in ordered


def test_what_strikes_unnamed_is_counted_once_where_it_is_timed() -> None:
    sounds = front(proposal(Hints(()), STRUCK))

    assert [one.because for one in sounds if one.label == "soft impact"] == ["nothing says what strikes"]


def test_what_was_not_understood_is_said() -> None:
    assert "No sound is given for 'a fnord'." in proposal(prompt("rain falls, a fnord")).reasoning.semantic


def test_seed_generator_and_hints_are_carried_on() -> None:
    hints = Hints((Hint("door slams", 1.0, 2.0, "cue sheet"),), seed=9, generator="procedural")

    found = proposal(hints)

    assert (found.seed, found.generator, found.hints) == (9, "procedural", ("cue sheet: 0:01.000-0:02.000 door slams",))


@pytest.mark.parametrize("name", vocabulary())
def test_every_class_can_be_proposed(name: str) -> None:
    sound = vocabulary()[name]
    for words in sound.synonyms[:1]:
        found = proposal(prompt(words))
        assert found.sounds, words
        assert all(one.because for one in found.sounds)


def test_the_stage_asks_the_planner_that_is_named(ctx: Context) -> None:
    picture = picture_of()

    found = propose(clip_of(), picture, unseen(picture), silence(), prompt("rain"), ProposeOptions("rules"), ctx)

    assert found.planner == "rules"


def test_no_planner_is_refused() -> None:
    with pytest.raises(ValueError, match="planner"):
        ProposeOptions(" ")
