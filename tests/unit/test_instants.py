"""Gaps in what repeats: filled where the picture goes on, left where it pauses."""

from __future__ import annotations

import pytest

from foley.model import ProposedSound
from foley.plan.instants import instants
from tests.planning import impact, picture_of

STEP = ProposedSound("step", "hits", "foley", "the prompt says 'step'", "strike", periodic=True)
SEEN_S = [0.5, 1.0, 1.5, 2.0, 3.0, 3.5, 4.0]


@pytest.mark.parametrize(("moving_s", "missing_s"), [([(0.0, 2.2), (2.8, 4.5)], []), ([(0.0, 4.5)], [2.5])])
def test_a_gap_is_filled_where_as_much_moves_in_it_and_not_where_all_pauses(
    moving_s: list[tuple[float, float]], missing_s: list[float]
) -> None:
    (found,) = instants([STEP], picture_of(impacts=[impact(t) for t in SEEN_S], moving_s=moving_s))

    assert [hit.time_s for hit in found.hits] == pytest.approx(sorted(SEEN_S + missing_s), abs=0.02)
