"""What a model is asked, how its answers are held to their shape, and what becomes of them."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from foley import plugins
from foley.contracts import Context, Planner, PlannerSettings
from foley.errors import OptionError, PlannerError
from foley.model import Hint, Hints, KeyFrame, Look, Looks, Proposal, ProposedSound, Region, ScoredLabel, Span, Step
from foley.plan.dialogue import evidence, questions, slow_motion
from foley.plan.dialogue.conduct import conducted
from foley.plan.dialogue.grammar import follow, start, whole_items
from foley.plan.dialogue.hinted import merged, said
from foley.plan.dialogue.refining import refined
from foley.plan.dialogue.shapes import Choice, Listed, Number, Shape, Text, record
from foley.plan.dialogue.slow_motion import windows
from foley.plan.dialogue.sounds import class_of, proposed
from foley.plan.dialogue.spotting import Idea, Moment, Spotted
from foley.plan.dialogue.talk import Message, Shown, Talk, parsed
from foley.plan.propose import ProposeOptions, propose
from tests.chat_server import GOOD, Say, Script, words_of
from tests.planning import case_of, impact, picture_of, prompt

PRINTABLE = [chr(code) for code in range(32, 127)]
numbers = st.tuples(st.integers(0, 9_000_000), st.integers(0, 9_000_000)).map(
    lambda ends: Number(min(ends) / 1000, max(ends) / 1000)
)
names = st.lists(st.text("abc 1", max_size=4), min_size=1, max_size=4, unique=True).map(
    lambda some: Choice(tuple(some))
)
ordinals = st.lists(st.integers(0, 130), min_size=1, max_size=9, unique=True).map(lambda some: Choice(tuple(some)))
texts = st.one_of(st.integers(0, 9).map(Text), st.integers(1, 9).map(lambda most: Text(most, name=True)))
values: st.SearchStrategy[Shape] = st.one_of(texts, numbers, names, ordinals)


def listed(of: st.SearchStrategy[Shape]) -> st.SearchStrategy[Shape]:
    sizes = st.tuples(st.integers(0, 2), st.integers(0, 2))
    return st.builds(lambda shape, size: Listed(shape, most=sum(size), least=size[0]), of, sizes)


def recorded(of: st.SearchStrategy[Shape]) -> st.SearchStrategy[Shape]:
    return st.dictionaries(st.sampled_from(["a", "b c", 'd"']), of, min_size=1).map(lambda fields: record(**fields))


shapes = st.recursive(values, lambda of: st.one_of(listed(of), recorded(of)), max_leaves=6)


def written(shape: Shape, choose: Callable[[Sequence[str]], str], most: int = 4000) -> str:
    """Return a text that a writer makes who chooses among what the grammar accepts, and nothing else."""
    state, text = start(shape), ""
    while state is not None and len(text) < most:
        fitting = [character for character in PRINTABLE if follow(state, character) is not False]
        assert fitting, f"nothing can follow {text!r}"
        text += choose(fitting)
        after = follow(state, text[-1])
        assert after is not False
        state = after
    return text


@settings(max_examples=60)
@given(shape=shapes, seed=st.integers(0, 2**32))
def test_whatever_the_grammar_lets_be_written_has_the_shape(shape: Shape, seed: int) -> None:
    rng = np.random.default_rng(seed)
    text = written(record(it=shape), lambda fitting: fitting[rng.integers(len(fitting))])

    value = json.loads(text)

    record(it=shape).check(value, "answer")


SOUND = {"sound": "hammer", "at_s": 1.25, "shots": [0, 12]}
SHAPE = record(sounds=Listed(record(sound=Text(20), at_s=Number(0, 10), shots=Listed(Choice((0, 1, 12)), 3)), 2))


@pytest.mark.parametrize("separators", [(",", ":"), (", ", ": ")])
def test_the_grammar_accepts_json_as_models_write_it(separators: tuple[str, str]) -> None:
    assert follow(start(SHAPE), json.dumps({"sounds": [SOUND, SOUND]}, separators=separators)) is None


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"sound": 3}, "answer.sounds[0].sound must be text, not a number"),
        ({"sound": "x" * 21}, "21 characters, at most 20"),
        ({"at_s": 11}, "answer.sounds[0].at_s is 11, it must lie between 0 and 10"),
        ({"at_s": "1"}, "must be a number, not text"),
        ({"at_s": True}, "must be a number, not true or false"),
        ({"at_s": float("nan")}, "must be a number"),
        ({"at_s": None}, "must be a number, not null"),
        ({"shots": [2]}, "answer.sounds[0].shots[0] is 2, it must be one of 0, 1, 12"),
        ({"shots": [False]}, "it must be one of"),
        ({"shots": 0}, "must be a list, not a number"),
        ({"shots": [0, 0, 0, 0]}, "has 4 entries, it must have 0 to 3"),
        ({"more": 1}, "has no field 'more', only 'sound', 'at_s', 'shots'"),
    ],
)
def test_what_has_another_shape_is_refused_with_its_place(change: dict[str, Any], told: str) -> None:
    answer = {"sounds": [SOUND | change]}
    with pytest.raises(ValueError, match="answer") as caught:
        SHAPE.check(answer, "answer")
    assert told in str(caught.value)
    if "NaN" not in json.dumps(answer):
        assert follow(start(SHAPE), json.dumps(answer)) is False


@pytest.mark.parametrize("name", ["hammer on anvil", "rain (heavy), 2 drips", "Tür fällt zu"])
def test_a_name_is_plain_words(name: str) -> None:
    Text(40, name=True).check(name, "sound")


@pytest.mark.parametrize("name", ["", " ", "...", "[{", "hits]}", "3", 'a "b"', "{sound}"])
def test_what_names_nothing_is_no_name(name: str) -> None:
    with pytest.raises(ValueError, match="must name something"):
        Text(40, name=True).check(name, "sound")
    assert follow(start(Text(40, name=True)), json.dumps(name)) is False


def test_a_missing_field_is_named() -> None:
    with pytest.raises(ValueError, match=r"answer\.sounds\[0\] lacks 'at_s', 'shots'"):
        SHAPE.check({"sounds": [{"sound": "x"}]}, "answer")


def test_a_text_that_breaks_off_ends_after_its_last_whole_entry_and_nothing_is_made_up() -> None:
    whole = json.dumps({"sounds": [SOUND, SOUND]})
    second = whole.index("hammer", 30)
    assert json.loads(whole_items(whole[: second + 3], SHAPE) or "") == {"sounds": [SOUND]}
    assert whole_items(whole[: whole.index("1.25")], SHAPE) is None


WELL = json.dumps({"sounds": [SOUND]})


@pytest.mark.parametrize(
    "text",
    [
        WELL,
        f"```json\n{WELL}\n```",
        f"<think>Perhaps {{this}}? No.</think>Here it is:\n{WELL}\nI hope {{that}} helps!",
        f'First {{"sounds": "draft"}}, then {WELL}',
    ],
)
def test_an_answer_is_found_among_prose(text: str) -> None:
    assert parsed(text, SHAPE) == {"sounds": [SOUND]}


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "no JSON object"),
        ("I cannot see videos.", "no JSON object"),
        (WELL[:-4], "no JSON object|lacks"),
        ('{"sounds": {}}', "answer.sounds must be a list"),
        ("[" * 10_000, "no JSON object"),
        ('{"a":' * 10_000, "no JSON object"),
        ("x" * 300_000, "300000 characters"),
    ],
)
def test_what_holds_no_answer_says_so(text: str, told: str) -> None:
    with pytest.raises(ValueError, match=told):
        parsed(text, SHAPE)


class Scripted:
    """A chat that answers by script, in this process."""

    def __init__(self, *answers: str, script: Script | None = None) -> None:
        self.asked: list[Sequence[Message]] = []
        self._answers, self._script = list(answers), script

    def answer(self, messages: Sequence[Message], shape: Shape) -> str:
        self.asked.append(messages)
        if self._script is None:
            return self._answers.pop(0)
        content = [{"text": part} for message in messages for part in message.parts if isinstance(part, str)]
        return self._script({"messages": [{"role": "user", "content": content}]}).text


def test_a_faulty_answer_is_given_back_with_its_fault_and_every_word_is_kept() -> None:
    steps: list[Step] = []
    chat = Scripted("sorry", '{"sounds": 1}', WELL, "{}", "{}", "{}")
    talk = Talk("service", chat, steps)

    assert talk.ask("sounds", ["What sounds?"], SHAPE) == {"sounds": [SOUND]}
    assert [(step.name, step.answer) for step in steps] == [
        ("sounds", "sorry"),
        ("sounds, repair 1", '{"sounds": 1}'),
        ("sounds, repair 2", WELL),
    ]
    fault = chat.asked[2][-1].parts[0]
    assert isinstance(fault, str)
    assert "answer.sounds must be a list" in fault
    assert [message.role for message in talk.said] == ["user", "assistant"], "only the mended answer is remembered"

    with pytest.raises(PlannerError, match="step 'times' after 2 repairs: answer lacks 'sounds'"):
        talk.ask("times", ["When?"], SHAPE)


def scripted(answers: dict[str, dict[str, Any]] | None = None) -> Scripted:
    known = GOOD | (answers or {})

    def script(body: dict[str, Any]) -> Say:
        text = words_of(body["messages"][0])
        return Say(json.dumps(known[max(known, key=text.rfind)]))

    return Scripted(script=script)


NO_HINTS = Hints(())
NO_LOOKS = PlannerSettings(closer_looks=0)


def planned(chat: Scripted, ctx: Context, hints: Hints = NO_HINTS, **more: Any) -> Proposal:
    picture = picture_of(4.0, impacts=[impact(1.0), impact(2.0)], moving_s=[(0.5, 3)])
    return conducted("service", chat, case_of(picture, hints, **more), settings=NO_LOOKS, ctx=ctx)


def test_the_steps_build_on_each_other_and_are_kept_word_for_word(ctx: Context) -> None:
    chat = scripted()
    proposal = planned(chat, ctx)

    assert [step.name for step in proposal.reasoning.steps] == ["seen", "sounds", "times", "character", "avoid"]
    assert json.loads(proposal.reasoning.steps[1].answer) == GOOD['{"sounds": [{"because"']
    assert [len(messages) for messages in chat.asked] == [1, 3, 5, 7, 9]
    hammer, fire = proposal.sounds
    assert (hammer.label, hammer.recipe, hammer.ucs, hammer.exact) == ("hammer on anvil", "anvil", "TOOLHand", False)
    assert "bright and ringing" in hammer.prompt
    assert "stone smithy" in hammer.prompt
    assert hammer.distance_m == 3.0
    assert "voices" in hammer.avoid
    assert (fire.kind, fire.recipe) == ("bed", "fire")
    assert "a smith beats a glowing bar" in proposal.reasoning.semantic
    assert "stone smithy" in proposal.reasoning.spatial


def test_nothing_to_be_heard_is_an_answer(ctx: Context) -> None:
    proposal = planned(scripted({'{"sounds": [{"because"': {"sounds": []}}), ctx)
    assert [sound.kind for sound in proposal.sounds] == ["bed"]
    assert len(proposal.reasoning.steps) == 2


def test_what_the_user_names_stays_and_takes_its_place_from_the_model(ctx: Context) -> None:
    proposal = planned(scripted(), ctx, Hints((Hint("a hammer strikes an anvil", None, None, "prompt"),)))

    (hammer,) = [sound for sound in proposal.sounds if sound.recipe == "anvil"]
    assert "the prompt says" in hammer.because
    assert hammer.region == Region(0.25, 0.0, 0.75, 1.0)
    assert proposal.hints == ("prompt: a hammer strikes an anvil",)


def test_what_the_user_times_keeps_its_time(ctx: Context) -> None:
    proposal = planned(scripted(), ctx, Hints((Hint("hammer on anvil", 3.5, None, "timed prompt"),)))
    (hammer,) = [sound for sound in proposal.sounds if sound.recipe == "anvil"]
    assert (hammer.start_s, hammer.exact, hammer.region) == (3.5, True, None)


def test_what_the_user_denies_is_not_heard_whatever_the_model_says(ctx: Context) -> None:
    proposal = planned(scripted(), ctx, prompt("footsteps on gravel, no fire crackling"))
    assert {sound.recipe for sound in proposal.sounds}.isdisjoint({"fire"})
    assert all("fire crackling" in sound.avoid for sound in proposal.sounds)


def test_silence_that_the_user_asks_for_is_kept(ctx: Context) -> None:
    assert planned(scripted(), ctx, prompt("silence")).sounds == ()


def test_a_bed_that_is_only_guessed_gives_way_to_one_that_is_seen(ctx: Context) -> None:
    hints = said(case_of(picture_of(), prompt("a dog barks")), NO_LOOKS, ctx)
    (guessed,) = [sound for sound in hints.sounds if sound.kind == "bed"]
    seen = replace(guessed, label="rain", recipe="rain", ucs="RAIN", because="the model hears 'rain'")
    assert "natural under" in guessed.because
    assert [sound.label for sound in merged([seen], hints) if sound.kind == "bed"] == ["rain"]
    assert [sound.label for sound in merged([], hints) if sound.kind == "bed"] == [guessed.label]


def test_a_bed_of_several_scenes_runs_on_as_one(ctx: Context) -> None:
    hints = said(case_of(picture_of(), NO_HINTS), NO_LOOKS, ctx)
    first, second = (one for shots in ((0, 1), (4,)) for one in placed(idea("rain", kind="bed", shots=shots, cue=None)))
    assert [(sound.label, sound.shots) for sound in merged([first, second], hints)] == [("rain", (0, 1, 4))]


def idea(label: str, **more: Any) -> Idea:
    fields: dict[str, Any] = {"kind": "hits", "shots": (0,), "because": "it is seen", "cue": "strike"}
    return Idea(label, **(fields | more))


def placed(one: Idea, **more: Any) -> list[ProposedSound]:
    return list(proposed(Spotted("", (one,)), picture_of(20.0, cuts_s=[10], **more)))


@pytest.mark.parametrize(
    ("label", "kind", "name"),
    [
        ("a dog barking", "hits", "dog-bark"),
        ("forest ambience", "bed", "forest"),
        ("knife chopping on a board", "hits", "knife-chop"),
        ("xyzzy", "hits", None),
    ],
)
def test_free_words_find_their_class(label: str, kind: str, name: str | None) -> None:
    found = class_of(idea(label, kind=kind))
    assert (found and found.id) == name


def test_what_no_class_knows_still_sounds_with_its_own_words() -> None:
    (sound,) = placed(idea("xyzzy", how="a low growl", cue="burst"))
    assert (sound.label, sound.placeholder, sound.bus, sound.cue) == ("xyzzy", True, "effects", "burst")
    assert sound.prompt == "xyzzy, a low growl"
    assert sound.recipe


def test_a_believed_time_goes_to_the_strongest_instant_within_a_second() -> None:
    impacts = [impact(4.2, strength=0.6), impact(5.6, strength=0.4), impact(5.9), impact(5.1, "burst")]
    (sound,) = placed(idea("glass breaks", moments=(Moment(5.0, 5.0),)), impacts=impacts)
    assert (sound.start_s, sound.end_s, sound.exact) == (5.9, None, False)


def test_a_time_that_was_seen_again_goes_no_further_than_the_frames_lie_apart() -> None:
    impacts = [impact(5.6), impact(5.1, strength=0.4)]
    (sound,) = placed(idea("glass breaks", moments=(Moment(5.0, 5.0, True),)), impacts=impacts)
    assert sound.start_s == 5.1
    assert sound.confidence > placed(idea("glass breaks", moments=(Moment(5.0, 5.0),)))[0].confidence


def test_hits_far_apart_are_looked_for_apart_and_what_repeats_all_through_its_shots() -> None:
    moments = tuple(Moment(at_s, at_s) for at_s in (1.0, 2.0, 8.0))
    windows_s = [(sound.start_s, sound.end_s) for sound in placed(idea("wood hit", moments=moments))]
    assert windows_s == [(0.0, 3.0), (8.0, None)]
    (steady,) = placed(idea("wood hit", moments=moments, periodic=True))
    assert (steady.start_s, steady.shots) == (None, (0,))


def test_a_sound_that_lasts_is_looked_for_around_the_ends_it_was_given() -> None:
    spans = placed(idea("zipper", kind="span", moments=(Moment(1.0, 3.0), Moment(6.0, 8.0))))
    assert [(sound.kind, sound.start_s, sound.end_s) for sound in spans] == [
        ("span", pytest.approx(0.7), pytest.approx(3.3)),
        ("span", pytest.approx(5.7), pytest.approx(8.3)),
    ]


def test_times_hold_also_where_the_vocabulary_knows_the_sound_as_another_kind() -> None:
    (lasting,) = placed(idea("zipper", kind="hits", moments=(Moment(3.0, 3.0),)))
    assert (lasting.kind, lasting.start_s, lasting.end_s) == ("span", 2.0, 4.0)
    (hitting,) = placed(idea("glass breaks", kind="span", moments=(Moment(3.0, 5.0),)))
    assert (hitting.kind, hitting.start_s, hitting.end_s) == ("hits", 2.0, 6.0)


def test_what_was_looked_for_in_vain_is_left_out_unless_the_picture_may_show_it_elsewhere() -> None:
    lost = idea("glass breaks", refuted=True, looked=(Span(2.0, 3.2),))
    assert placed(lost) == []
    assert placed(lost, impacts=[impact(2.5), impact(6.0, "flash"), impact(15.0)]) == [], (
        "looked at, no strike, cut away"
    )
    (doubted,) = placed(lost, impacts=[impact(5.0)])
    assert (doubted.start_s, doubted.shots) == (None, (0,))
    assert doubted.confidence < placed(idea("glass breaks"))[0].confidence


WINDOW = Span(1.0, 2.2)


def answered(one: Idea, *seen: tuple[float, float], window: Span = WINDOW) -> Idea:
    happens = [{"sound": 0, "start_s": start_s, "end_s": end_s} for start_s, end_s in seen]
    return slow_motion._checked([one], happens, window)[0]


def test_a_closer_look_moves_adds_and_refutes_hits_but_only_in_its_window() -> None:
    believed = idea("knock", moments=(Moment(1.5, 1.5), Moment(8.0, 8.0)))
    assert answered(believed, (1.2, 1.2), (1.9, 2.0)).moments == (
        Moment(1.2, 1.2, True),
        Moment(1.9, 1.9, True),
        Moment(8.0, 8.0),
    )
    assert answered(believed).moments == (Moment(8.0, 8.0),)
    gone = answered(idea("knock", moments=(Moment(1.5, 1.5),)))
    assert gone.refuted
    assert not answered(gone, (5.1, 5.1), window=Span(5.0, 6.0)).refuted, "found in the next window"


def test_a_closer_look_does_not_narrow_what_may_be_anywhere() -> None:
    assert answered(idea("knock")) == idea("knock", looked=(WINDOW,))
    seen = answered(idea("knock"), (1.4, 1.4))
    assert (seen.moments, seen.confirmed) == ((), True)


def test_a_closer_look_moves_only_the_ends_that_it_shows() -> None:
    lasting = idea("zipper", kind="span", moments=(Moment(1.5, 5.0),))
    assert answered(lasting, (1.3, 2.2)).moments == (Moment(1.3, 5.0, True),)
    assert answered(lasting, (4.0, 4.6), window=Span(4.0, 5.2)).moments == (Moment(1.5, 4.6, True),)
    assert answered(idea("zipper", kind="span", moments=(Moment(1.1, 2.0),))).refuted


def test_every_sound_is_looked_at_again_before_any_is_twice() -> None:
    often = idea("knock", moments=tuple(Moment(at_s, at_s) for at_s in (1.0, 3.0, 5.0)))
    once = idea("bark", moments=(Moment(8.0, 8.0),))
    case = case_of(picture_of(), NO_HINTS)
    whole = Span(0.0, 10.0)
    chosen = windows([often, once, idea("rain", kind="bed")], case, span=whole, most=2)
    assert [(one.start_s, one.end_s) for one in chosen] == [pytest.approx((0.4, 1.6)), pytest.approx((7.4, 8.6))]
    assert windows([often], case, span=whole, most=0) == []
    assert [window.end_s for window in windows([idea("x", moments=(Moment(10, 10),))], case, span=whole, most=3)] == [
        10
    ]


def test_a_sound_without_times_is_looked_at_where_the_picture_shows_its_cue_best() -> None:
    impacts = [impact(2.0, strength=0.2), impact(4.0), impact(6.0, strength=0.9), impact(8.0, "flash")]
    case = case_of(picture_of(impacts=impacts), NO_HINTS)
    chosen = windows([idea("knock")], case, span=Span(0, 10), most=6)
    assert [round((one.start_s + one.end_s) / 2, 3) for one in chosen] == [4.0, 6.0]


def test_a_film_is_asked_about_scene_by_scene_and_no_scene_shows_too_many_frames() -> None:
    picture = picture_of(120.0, cuts_s=[float(cut) for cut in range(6, 120, 6)])
    frames = tuple(KeyFrame(at_s / 2, int(at_s // 12), b"") for at_s in range(240))
    parts = evidence.scenes(case_of(replace(picture, key_frames=frames), NO_HINTS))

    assert [number for part in parts for number in part.shots] == list(range(20))
    assert max(len(part.frames) for part in parts) <= evidence.MOST_FRAMES
    assert parts[0].frames[0].time_s == 0.0
    assert all(part.span.start_s <= frame.time_s < part.span.end_s for part in parts for frame in part.frames)


def test_what_is_measured_recognised_and_said_is_told_in_words() -> None:
    picture = picture_of(impacts=[impact(at_s / 10) for at_s in range(20)], cuts_s=[5], moving_s=[(1, 2)])
    label = ScoredLabel("dog-bark", "dog barking", 0.81)
    looks = Looks(tuple(Look(number, (label,) * number, np.zeros(0, np.float32)) for number in (0, 1)), (0, 1), "x")
    case = case_of(
        picture, Hints((Hint("two", 7.0, None, "cue sheet"), Hint("one", None, None, "prompt"))), looks=looks
    )
    first = evidence.in_words(case, evidence.Scene((0,), Span(0, 5), ()))

    assert "shot 0: 0.00 s to 5.00 s\n" in first
    assert "and 8 weaker" in first
    assert "something moves: 0.96-2.04 s" in first
    assert "the user says (prompt): one" in first
    assert "two" not in first
    assert "looks like dog barking (0.81)" in evidence.in_words(case, evidence.Scene((1,), Span(5, 10), ()))


def test_frames_are_told_their_time_before_each() -> None:
    assert list(evidence.shown([Shown(0.5, b"a")])) == ["t=0.50s ", Shown(0.5, b"a")]


def test_the_shapes_of_all_questions_are_told_in_their_words() -> None:
    told = {
        questions.SEEN: questions.seen_shape([0]),
        questions.SOUNDS: questions.sounds_shape([0]),
        questions.TIMES: questions.times_shape(1, Span(0, 1)),
        questions.CHARACTER: questions.character_shape(1),
        questions.AVOID: questions.avoid_shape(),
        questions.CLOSER: questions.closer_shape(1, Span(0, 1)),
    }
    for text, shape in told.items():
        assert shape.fields
        for name in json.dumps(shape.schema()["required"])[2:-2].split('", "'):
            assert f'"{name}":' in text


CHANGES = {
    "thoughts": "the rain is missing",
    "drop": [0, 1, 2],
    "change": [],
    "add": [{"because": "wet streets", "class": "rain"}, {"because": "it burns", "class": "fire"}],
    "describe": [{"sound": 0, "how": "on wet stone."}],
}


def rules_proposal(hints: Hints, ctx: Context) -> tuple[Any, Proposal]:
    case = case_of(picture_of(impacts=[impact(1.0)], moving_s=[(0, 3)]), hints)
    rules: Planner = plugins.build("planner", "rules")
    return case, rules.plan(case, NO_LOOKS, ctx)


def test_a_reader_drops_adds_and_describes_but_what_the_user_names_or_denies_holds(ctx: Context) -> None:
    case, proposal = rules_proposal(prompt("footsteps on gravel, no fire"), ctx)
    drop = {"drop": list(range(len(proposal.sounds)))}
    chat = Scripted(json.dumps(CHANGES | drop))

    made = refined("rules+text", chat, case, proposal, settings=NO_LOOKS, ctx=ctx)

    assert [sound.label for sound in made.sounds] == [proposal.sounds[0].label, "rain"]
    assert made.sounds[0].prompt == f"{proposal.sounds[0].prompt}, on wet stone"
    assert (made.planner, made.hints) == ("rules+text", proposal.hints)
    assert [step.name for step in made.reasoning.steps] == ["refine"]
    assert "the rain is missing" in made.reasoning.semantic


def test_a_reader_makes_a_guess_another_class_where_it_was(ctx: Context) -> None:
    case, proposal = rules_proposal(NO_HINTS, ctx)
    assert proposal.sounds[0].kind == "hits"
    change = {"drop": [], "add": [], "describe": [], "change": [{"sound": 0, "to": "wood-hit"}]}

    made = refined("rules+text", Scripted(json.dumps(CHANGES | change)), case, proposal, settings=NO_LOOKS, ctx=ctx)

    assert (made.sounds[0].label, made.sounds[0].shots) == ("wood hit", proposal.sounds[0].shots)
    assert made.sounds[1:] == proposal.sounds[1:]


def test_only_the_first_planner_need_not_refine(ctx: Context) -> None:
    case = case_of(picture_of(), NO_HINTS)
    given_to = (case.clip, case.picture, case.looks, case.listening, case.hints)
    with pytest.raises(OptionError, match="rules cannot go over"):
        propose(*given_to, ProposeOptions("rules+rules"), ctx)
    with pytest.raises(ValueError, match="with \\+ between"):
        ProposeOptions("rules+")


def test_a_planner_that_lacks_something_says_what(ctx: Context, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("FOLEY_ENDPOINT", raising=False)
    case = case_of(picture_of(), NO_HINTS)
    given_to = (case.clip, case.picture, case.looks, case.listening, case.hints)
    with pytest.raises(PlannerError) as caught:
        propose(*given_to, ProposeOptions("service"), ctx)
    assert "FOLEY_ENDPOINT" in caught.value.hint
    assert "--planner-model" in caught.value.hint
