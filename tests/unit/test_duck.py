import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from foley.mix.duck import ATTACK_S, BREATH_S, RELEASE_S, ducking_curve
from foley.model import Span

DEPTH_DB = 9.0
DUCKED = 10 ** (-DEPTH_DB / 20)


def ducked(*spans: tuple[float, float], length_ms: int = 6000) -> np.ndarray:
    return ducking_curve([Span(*span) for span in spans], length_ms=length_ms, depth_db=DEPTH_DB)


def test_effects_are_down_before_the_first_word_and_stay_down_to_the_last() -> None:
    curve = ducked((2.0, 3.0))
    assert curve[: int(1000 * (2.0 - ATTACK_S))] == pytest.approx(1.0)
    assert curve[2000:3001] == pytest.approx(DUCKED)
    assert curve[int(1000 * (3.0 + RELEASE_S)) + 1 :] == pytest.approx(1.0)


def test_the_way_down_and_up_is_smooth() -> None:
    steps_db = np.abs(np.diff(20 * np.log10(ducked((2.0, 3.0)))))
    assert steps_db.max() <= np.pi / 2 * DEPTH_DB / (1000 * ATTACK_S) + 1e-3  # steepest slope of a raised cosine


def test_effects_do_not_come_up_for_a_breath() -> None:
    curve = ducked((1.0, 2.0), (1.9 + BREATH_S, 4.0))
    assert curve[1000:4001] == pytest.approx(DUCKED)
    assert ducked((1.0, 2.0), (3.0, 4.0))[2500] == pytest.approx(1.0)


def test_nobody_speaking_or_no_depth_changes_nothing() -> None:
    assert (ducked() == 1.0).all()
    assert (ducking_curve([Span(1.0, 2.0)], length_ms=3000, depth_db=0.0) == 1.0).all()


def test_speech_over_the_ends_of_the_clip_is_cut() -> None:
    assert ducked((-1.0, 10.0)) == pytest.approx(np.full(6001, DUCKED))
    assert ducked((7.0, 8.0)) == pytest.approx(np.ones(6001))


@given(st.lists(st.tuples(st.floats(-1, 7), st.floats(0, 3)), max_size=6))
@settings(max_examples=40)
def test_the_factor_stays_between_depth_and_one_whatever_is_said(spoken: list[tuple[float, float]]) -> None:
    curve = ducked(*((start, start + length) for start, length in spoken))
    assert curve.shape == (6001,)
    assert curve.min() >= DUCKED - 1e-6
    assert curve.max() <= 1.0
    for start, length in spoken:
        inside = curve[max(0, int(np.ceil(1000 * start))) : max(0, int(1000 * (start + length)))]
        assert inside == pytest.approx(np.full(inside.shape, DUCKED), abs=1e-5)
