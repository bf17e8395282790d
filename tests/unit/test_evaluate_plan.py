"""Scoring a plan against true sounds: which are found, what they are called, how much of their time is shared."""

from __future__ import annotations

import json
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from foley.evaluate import truth
from foley.evaluate.plan import category, compare, late_s, shared_time
from foley.evaluate.truth import TrueSound, Truth
from foley.model import ClipIdentity, Hit, Reasoning, Shot, SoundEvent, SoundPlan, Span

SAMPLES = Path(__file__).parents[2] / "samples"


def hits(name: str, *times_s: float, ucs: str = "METLImpt") -> SoundEvent:
    return SoundEvent(
        id=name,
        label=name,
        kind="hits",
        bus="foley",
        start_s=times_s[0],
        end_s=times_s[-1],
        because="known",
        hits=tuple(map(Hit, times_s)),
        ucs=ucs,
    )


def span(name: str, start_s: float, end_s: float, *, ucs: str) -> SoundEvent:
    return SoundEvent(name, name, "span", "effects", start_s, end_s, "known", ucs=ucs)


def plan_of(*events: SoundEvent) -> SoundPlan:
    identity = ClipIdentity("clip.mp4", "key", Fraction(10), Fraction(25))
    return SoundPlan(identity, (Shot(0.0, 10.0, "start"),), (), Reasoning("", "", "", ""), events)


def truth_of(*sounds: TrueSound) -> Truth:
    return Truth(sounds, tuple(sorted(time_s for sound in sounds for time_s in sound.times_s)))


def unread(label: str) -> frozenset[str]:
    return frozenset()


def score(events, sounds, categories=unread):
    return compare(plan_of(*events), truth_of(*sounds), categories)


ANVIL = TrueSound("anvil", (1.0, 2.0, 3.0), ucs="METLImpt")
FIRE = TrueSound("fire", (), 0.0, 10.0, ucs="FIREBurn")


def test_a_plan_that_says_the_truth_scores_one():
    done = score([hits("anvil", 1.0, 2.0, 3.0), span("fire", 0.0, 10.0, ucs="FIREBurn")], [ANVIL, FIRE])
    assert (done.recall, done.precision, done.f_measure, done.same_class, done.shared) == (1, 1, 1, 1, pytest.approx(1))
    assert done.onsets.f_measure == 1.0
    assert (done.missed, done.extra) == ((), ())


def test_a_plan_of_nothing_misses_everything():
    done = score([], [ANVIL, FIRE])
    assert (done.recall, done.precision, done.f_measure, done.shared) == (0, 0, 0, 0)
    assert done.missed == ("anvil", "fire")


def test_a_truth_of_nothing_makes_every_sound_untrue():
    done = score([hits("anvil", 1.0)], [])
    assert (done.precision, done.extra) == (0, ("anvil",))


def test_muted_events_are_not_heard():
    done = score([replace(hits("anvil", 1.0, 2.0, 3.0), muted=True)], [ANVIL])
    assert (done.recall, done.extra) == (0, ())


def test_hits_that_are_late_share_less_and_say_by_how_much():
    (match,) = score([hits("anvil", 1.02, 2.02, 3.02)], [ANVIL]).matches
    assert match.shared == pytest.approx(0.08 / 0.12)
    assert late_s(match) == pytest.approx(0.02)
    assert match.hits.f_measure == 1.0


def test_a_hit_too_many_costs_as_much_as_one_that_is_missing():
    many = score([hits("anvil", 1.0, 2.0, 3.0, 4.0)], [ANVIL]).shared
    few = score([hits("anvil", 1.0, 2.0, 3.0)], [replace(ANVIL, times_s=(1.0, 2.0, 3.0, 4.0))]).shared
    assert many == pytest.approx(few) == pytest.approx(0.75)


def test_a_sound_of_the_same_category_is_found_and_not_of_the_same_class():
    done = score([hits("pan", 1.0, 2.0, 3.0, ucs="METLHit")], [ANVIL])
    assert (done.recall, done.same_class, done.same_category) == (1, 0, 1)
    assert done.matches[0].likeness == "category"


def test_the_right_time_under_the_wrong_name_is_no_event_found():
    done = score([hits("dog", 1.0, 2.0, 3.0, ucs="ANMLDog")], [ANVIL])
    assert (done.recall, done.precision) == (0, 0)
    assert done.matches[0].likeness == "other"
    assert (done.missed, done.extra) == ((), ())  # it is told as misnamed


def test_the_right_name_at_another_time_is_no_event_found():
    done = score([hits("anvil", 7.0, 8.0)], [ANVIL])
    assert (done.recall, done.missed, done.extra) == (0, ("anvil",), ("anvil",))


def test_the_name_decides_before_the_time():
    one, two = TrueSound("tap", (1.0,), ucs="WATRDrip"), TrueSound("anvil", (1.1,), ucs="METLImpt")
    done = score([hits("metal", 1.0), hits("drip", 1.1, ucs="WATRDrip")], [one, two])
    assert [(match.label, match.event_id) for match in done.matches] == [("tap", "drip"), ("anvil", "metal")]


def test_an_optional_sound_is_neither_missed_nor_wrong():
    optional = replace(FIRE, optional=True)
    assert score([hits("anvil", 1.0, 2.0, 3.0)], [ANVIL, optional]).recall == 1
    done = score([hits("anvil", 1.0, 2.0, 3.0), span("fire", 0, 10, ucs="FIREBurn")], [ANVIL, optional])
    assert (done.recall, done.precision, done.f_measure) == (1, 1, 1)


def test_labels_without_a_category_are_read():
    meant = {"hammer on iron": frozenset({"METLImpt"})}
    done = score(
        [hits("anvil", 1.0)], [TrueSound("hammer on iron", (1.0,))], lambda label: meant.get(label, frozenset())
    )
    assert done.same_class == 1


def test_labels_that_are_the_same_need_no_category():
    assert score([hits("Thing", 1.0, ucs="")], [TrueSound("thing ", (1.0,))]).same_class == 1
    assert score([hits("", 1.0, ucs="")], [TrueSound("", (1.0,))]).same_class == 0


def test_sounds_that_last_to_the_end_end_with_the_clip():
    endless = TrueSound("fire", (), 5.0, ucs="FIREBurn")
    assert score([span("fire", 5.0, 10.0, ucs="FIREBurn")], [endless]).shared == pytest.approx(1)


@pytest.mark.parametrize(("cat_id", "name"), [("METLImpt", "METL"), ("AMBBird", "AMB"), ("DOORWood", "DOOR"), ("", "")])
def test_the_category_of_a_cat_id_is_its_capitals(cat_id, name):
    assert category(cat_id) == name


edges = st.lists(st.floats(0, 100), max_size=8, unique=True).map(sorted)


def spans_of(times: list[float]) -> list[Span]:
    return [Span(start, end) for start, end in zip(times[::2], times[1::2], strict=False)]


@given(edges.map(spans_of), edges.map(spans_of))
def test_shared_time_is_symmetric_and_a_share(one, other):
    assert 0 <= shared_time(one, other) <= 1 + 1e-9
    assert shared_time(one, other) == pytest.approx(shared_time(other, one))
    assert shared_time(one, one) == pytest.approx(1 if one else 0)


def test_the_samples_truth_is_one_sound_for_each_thing_in_each_shot():
    known = {name: truth.load(SAMPLES / "truth.json", f"{name}.foley.mp4") for name in ("workshop", "walk", "storm")}
    assert [len(sound.times_s) for sound in known["walk"].sounds if sound.times_s] == [7, 7, 7]
    assert len(known["workshop"].onsets_s) == 9
    assert sum(not sound.times_s for sound in known["storm"].sounds) == 5
    entries = json.loads((SAMPLES / "truth.json").read_text())
    assert all(len(known[name].onsets_s) == len(entries[f"{name}.mp4"]["onsets"]) for name in known)


def test_a_csv_holds_what_lasts_and_what_strikes(tmp_path):
    path = tmp_path / "truth.csv"
    path.write_text("start,end,description,ucs\n0:01,,anvil,METLImpt\n2,,anvil,METLImpt\n0,10,fire,FIREBurn\n")
    assert truth.load(path).sounds == (
        TrueSound("anvil", (1.0, 2.0), ucs="METLImpt"),
        TrueSound("fire", (), 0.0, 10.0, "FIREBurn"),
    )
