"""Which impacts are whose, how far they are believed, and what is made of gaps in what repeats."""

from __future__ import annotations

from dataclasses import replace

import pytest

from foley.model import ProposedSound, Region, Span
from foley.plan.closer import Closer
from foley.plan.instants import OTHER_PLACE, instants
from tests.planning import impact, picture_of

STEP = ProposedSound("step", "hits", "foley", "the prompt says 'step'", "strike", periodic=True)
SEEN_S = [0.5, 1.0, 1.5, 2.0, 3.0, 3.5, 4.0]


@pytest.mark.parametrize(("moving_s", "missing_s"), [([(0.0, 2.2), (2.8, 4.5)], []), ([(0.0, 4.5)], [2.5])])
def test_a_gap_is_filled_where_as_much_moves_in_it_and_not_where_all_pauses(
    moving_s: list[tuple[float, float]], missing_s: list[float]
) -> None:
    (found,) = instants([STEP], picture_of(impacts=[impact(t) for t in SEEN_S], moving_s=moving_s))

    assert [hit.time_s for hit in found.hits] == pytest.approx(sorted(SEEN_S + missing_s), abs=0.02)


KNOCK = replace(STEP, label="knock", periodic=False)
LEFT, RIGHT = Region(right=0.4), Region(left=0.6)


def test_a_sound_takes_what_hits_in_its_region() -> None:
    picture = picture_of(impacts=[impact(1.0, x=0.2), impact(2.0, x=0.8), impact(3.0, x=0.1)])

    left, right = instants([replace(KNOCK, region=LEFT), replace(KNOCK, region=RIGHT)], picture)

    assert [hit.time_s for hit in left.hits] == [1.0, 3.0]
    assert [hit.time_s for hit in right.hits] == [2.0]


def test_who_is_expected_just_there_goes_before_who_may_be_anywhere() -> None:
    picture = picture_of(impacts=[impact(1.0, x=0.2), impact(2.0, x=0.8)])

    anywhere, right = instants([KNOCK, replace(KNOCK, region=RIGHT)], picture)

    assert [hit.time_s for hit in anywhere.hits] == [1.0]
    assert [hit.time_s for hit in right.hits] == [2.0]


def test_what_hits_elsewhere_than_expected_is_taken_and_doubted() -> None:
    (found,) = instants([replace(KNOCK, region=RIGHT)], picture_of(impacts=[impact(1.0, x=0.1)]))

    assert [hit.time_s for hit in found.hits] == [1.0]
    assert found.confidence == pytest.approx(OTHER_PLACE)
    assert "elsewhere" in found.evidence


def test_the_clearer_the_impacts_the_surer_the_sound() -> None:
    faint, clear = (
        instants([KNOCK], picture_of(impacts=[impact(1.0, strength=strength)]))[0] for strength in (0.1, 0.9)
    )

    assert faint.confidence < clear.confidence <= 1.0


def test_a_closer_look_counts_where_it_looked_and_the_first_elsewhere() -> None:
    racket = replace(KNOCK, cue="burst", ucs="SPRTCourt")
    picture = picture_of(impacts=[impact(1.0, "burst"), impact(7.0, "burst")])
    closer = Closer((Span(0.0, 4.0),), (impact(2.5, "burst"),))

    found, other = instants([racket, replace(KNOCK, cue="burst")], picture, closer)

    assert [hit.time_s for hit in found.hits] == [2.5, 7.0]
    assert "closer look" in found.evidence
    assert [hit.time_s for hit in other.hits] == [1.0]


def test_a_closer_look_that_shows_nothing_changes_nothing() -> None:
    racket = replace(KNOCK, cue="burst", ucs="SPRTCourt")
    picture = picture_of(impacts=[impact(1.0, "burst")])

    (found,) = instants([racket], picture, Closer((Span(0.0, 10.0),)))

    assert [hit.time_s for hit in found.hits] == [1.0]


def test_of_more_impacts_than_are_named_the_strongest_are_taken() -> None:
    strengths = {1.0: 0.4, 2.0: 0.9, 3.0: 0.5, 4.0: 1.0, 5.0: 0.8}
    picture = picture_of(impacts=[impact(time_s, strength=strength) for time_s, strength in strengths.items()])

    (found,) = instants([replace(KNOCK, count=3)], picture)

    assert [hit.time_s for hit in found.hits] == [2.0, 4.0, 5.0]
    assert len(found.places) == 3
    assert "3 strongest" in found.evidence


def test_fewer_impacts_than_are_named_stay_as_they_are() -> None:
    (found,) = instants([replace(KNOCK, count=3)], picture_of(impacts=[impact(1.0), impact(2.0)]))

    assert [hit.time_s for hit in found.hits] == [1.0, 2.0]
