"""What an editor did on a timeline, in the plan: every edit is told against what was exported."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from foley.model import ClipIdentity, CurvePoint, Hit, PanPoint, Reasoning, SoundEvent, SoundPlan
from foley.plan import edits
from foley.plan.edits import EventEdit, Piece

KNOCKS = SoundEvent(
    "e01-knocks", "knocks", "hits", "foley", 1.0, 2.1, "seen", hits=(Hit(1.0), Hit(1.5, 0.6), Hit(2.0)),
    path=(PanPoint(1.0, -0.5), PanPoint(2.0, 0.5)),
)  # fmt: skip
RAIN = SoundEvent(
    "e02-rain", "rain", "bed", "backgrounds", 0.0, 10.0, "heard",
    curve=(CurvePoint(0.0, 0.0), CurvePoint(10.0, 1.0)),
)  # fmt: skip
PLAN = SoundPlan(
    ClipIdentity("clip.mp4", "key", Fraction(10), Fraction(25)), (), (), Reasoning("", "", "", ""), (RAIN, KNOCKS)
)
BEFORE = {event.id: event for event in PLAN.events}


def edited(*told: EventEdit) -> tuple[dict[str, SoundEvent], tuple[str, ...]]:
    plan, changes = edits.apply(PLAN, told, before=BEFORE)
    return {event.id: event for event in plan.events}, changes


def test_a_move_takes_hits_and_path_along() -> None:
    events, changes = edited(EventEdit("e01-knocks", (Piece(0.25),)))
    moved = events["e01-knocks"]
    assert [hit.time_s for hit in moved.hits] == [1.25, 1.75, 2.25]
    assert [point.time_s for point in moved.path] == [1.25, 2.25]
    assert (moved.start_s, moved.end_s) == (1.25, 2.35)
    assert moved.locked
    assert changes == ("e01-knocks (knocks): moved 0.250 s later, to 0:01.250",)


def test_what_was_not_edited_stays_as_it_is_and_unlocked() -> None:
    events, _ = edited(EventEdit("e01-knocks", gain_db=-3.0))
    assert events["e02-rain"] == RAIN
    assert events["e01-knocks"] == replace(KNOCKS, gain_db=-3.0, locked=True)


def test_a_trim_drops_the_hits_outside() -> None:
    events, changes = edited(EventEdit("e01-knocks", (Piece(0.0, from_s=1.2),)))
    assert [hit.time_s for hit in events["e01-knocks"].hits] == [1.5, 2.0]
    assert events["e01-knocks"].hits[0].strength == 0.6
    assert "2 hits (were 3)" in changes[0]


def test_a_hit_that_was_cut_out_and_moved_alone_moves_alone() -> None:
    pieces = (Piece(0.0, None, 1.4), Piece(0.08, 1.4, 1.9), Piece(0.0, 1.9, None))
    events, changes = edited(EventEdit("e01-knocks", pieces))
    assert [hit.time_s for hit in events["e01-knocks"].hits] == [1.0, 1.58, 2.0]
    assert "moved" in changes[0]


def test_a_trim_cuts_a_beds_curve_where_it_is() -> None:
    events, _ = edited(EventEdit("e02-rain", (Piece(0.0, 2.0, 6.0),)))
    rain = events["e02-rain"]
    assert (rain.start_s, rain.end_s) == (2.0, 6.0)
    assert rain.curve == (CurvePoint(2.0, 0.2), CurvePoint(6.0, 0.6))


def test_a_bed_that_is_moved_out_of_the_film_is_cut_at_its_edge() -> None:
    events, _ = edited(EventEdit("e02-rain", (Piece(4.0),)))
    rain = events["e02-rain"]
    assert (rain.start_s, rain.end_s) == (4.0, 10.0)
    assert rain.curve[-1] == CurvePoint(10.0, 0.6)


def test_a_bed_that_only_a_razor_parted_is_whole() -> None:
    _, changes = edited(EventEdit("e02-rain", (Piece(0.0, None, 4.0), Piece(0.0, 4.0, None))))
    assert changes == ()


def test_a_bed_in_pieces_stays_whole_and_it_is_said() -> None:
    events, changes = edited(EventEdit("e02-rain", (Piece(0.0, None, 4.0), Piece(1.0, 6.0, None))))
    assert events["e02-rain"] == RAIN
    assert "2 pieces" in changes[0]


def test_what_was_taken_out_is_muted_and_keeps_its_times() -> None:
    events, changes = edited(EventEdit("e01-knocks", ()))
    assert events["e01-knocks"] == replace(KNOCKS, muted=True, locked=True)
    assert changes == ("e01-knocks (knocks): muted",)


def test_hits_that_were_all_moved_out_of_the_film_are_muted() -> None:
    events, changes = edited(EventEdit("e01-knocks", (Piece(20.0),)))
    assert events["e01-knocks"].muted
    assert any("none of its hits" in change for change in changes)


def test_gain_and_fades_are_taken_over() -> None:
    events, changes = edited(EventEdit("e02-rain", gain_db=-4.5, fade_in_s=0.5, fade_out_s=1.0))
    rain = events["e02-rain"]
    assert (rain.gain_db, rain.fade_in_s, rain.fade_out_s) == (-4.5, 0.5, 1.0)
    assert len(changes) == 3


def test_an_edit_of_an_event_that_is_gone_changes_nothing() -> None:
    assert edited(EventEdit("e09", ()))[1] == ()


times = st.floats(-30.0, 30.0, allow_nan=False).map(lambda value: round(value, 3))
edges = st.none() | st.floats(-1.0, 12.0, allow_nan=False).map(lambda value: round(value, 3))


@given(
    pieces=st.lists(st.builds(Piece, times, edges, edges), max_size=4).map(tuple),
    name=st.sampled_from(["e01-knocks", "e02-rain"]),
)
def test_whatever_was_done_gives_a_plan_that_holds(pieces: tuple[Piece, ...], name: str) -> None:
    from foley.plan.events import _faults_of_events

    plan, _ = edits.apply(PLAN, [EventEdit(name, pieces)], before=BEFORE)
    assert list(_faults_of_events(plan)) == []


@given(pieces=st.lists(st.builds(Piece, times, edges, edges), max_size=3).map(tuple))
def test_the_same_edit_told_again_changes_nothing(pieces: tuple[Piece, ...]) -> None:
    told = [EventEdit("e01-knocks", pieces, -2.0)]
    once, _ = edits.apply(PLAN, told, before=BEFORE)
    again, changes = edits.apply(once, told, before=BEFORE)
    assert again == once
    assert [change for change in changes if "none of its hits" not in change] == []


@pytest.mark.parametrize("name", ["e01-knocks", "e02-rain"])
def test_an_edit_that_says_what_was_resets_what_an_earlier_one_did(name: str) -> None:
    told = EventEdit(name, (Piece(0.5),), -6.0)
    moved, _ = edits.apply(PLAN, [told], before=BEFORE)
    back, changes = edits.apply(moved, [EventEdit(name, (Piece(),), 0.0)], before=BEFORE)
    assert changes
    assert {event.id: replace(event, locked=False) for event in back.events}[name] == BEFORE[name]
