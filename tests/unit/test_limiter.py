import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from foley.dsp.limiter import (
    ATTACK_DB_PER_MS,
    HIT_RELEASE_DB_PER_MS,
    HOLD_MS,
    MARGIN_DB,
    gain_between,
    limiter_curve,
    needed_gain,
)
from foley.dsp.true_peak import Oversampler, highest

CEILING = 10 ** (-1 / 20)
PROMISED = CEILING * 10 ** (MARGIN_DB / 20)
"""What a curve made for a ceiling keeps to: callers ask for `MARGIN_DB` less."""


def peaks_of(samples: np.ndarray) -> np.ndarray:
    oversampler = Oversampler(len(samples))
    return np.concatenate([highest(oversampler.add(samples)), highest(oversampler.finish())])


def limited(samples: np.ndarray) -> np.ndarray:
    curve = limiter_curve(needed_gain(peaks_of(samples), CEILING))
    return samples * gain_between(curve, 0, samples.shape[1])


gains = hnp.arrays(np.float32, st.integers(1, 300), elements=st.floats(2**-10, 1.0, width=32))


@given(gains)
def test_both_ends_of_every_millisecond_meet_its_need(needed: np.ndarray) -> None:
    curve = limiter_curve(needed)
    assert curve.shape == (len(needed) + 1,)
    assert (curve[:-1] <= needed).all()
    assert (curve[1:] <= needed).all()
    assert (curve > 0).all()


@given(gains)
def test_the_curve_falls_and_rises_no_faster_than_it_says(needed: np.ndarray) -> None:
    steps_db = np.diff(20 * np.log10(limiter_curve(needed).astype(np.float64)))
    assert steps_db.min(initial=0.0) >= -ATTACK_DB_PER_MS - 1e-3
    assert steps_db.max(initial=0.0) <= HIT_RELEASE_DB_PER_MS + 1e-3


@given(gains)
def test_no_curve_is_lower_than_its_deepest_need(needed: np.ndarray) -> None:
    assert limiter_curve(needed).min() == pytest.approx(min(1.0, needed.min()), rel=1e-6)


@given(
    st.sampled_from(["noise", "clicks", "square", "gusts", "tone"]), st.floats(-10.0, 30.0), st.integers(0, 2**32 - 1)
)
@settings(max_examples=120)
def test_the_true_peak_of_whatever_is_limited_stays_under_the_ceiling(kind: str, level_db: float, seed: int) -> None:
    rng = np.random.default_rng(seed)
    length = 48 * int(rng.integers(20, 300)) + int(rng.integers(48))
    gusts = 10 ** rng.uniform(-2, 1, (1, length // 48 + 1)).repeat(48, axis=1)[:, :length]
    samples = {
        "noise": lambda: rng.standard_normal((2, length)),
        "clicks": lambda: np.where(rng.random((2, length)) < 0.01, rng.standard_normal((2, length)), 0.0),
        "square": lambda: np.sign(rng.standard_normal((2, length))),
        "gusts": lambda: rng.standard_normal((2, length)) * gusts,
        "tone": lambda: np.tile(np.sin(2 * np.pi * rng.uniform(0.001, 0.45) * np.arange(length)), (2, 1)) * gusts,
    }[kind]()
    assert peaks_of(limited((samples * 10 ** (level_db / 20)).astype(np.float32))).max() <= PROMISED


@given(hnp.arrays(np.float32, st.tuples(st.just(1), st.integers(1, 2000)), elements=st.floats(-30, 30, width=32)))
@settings(max_examples=100)
def test_the_ceiling_holds_for_any_samples(samples: np.ndarray) -> None:
    assert peaks_of(limited(samples)).max() <= PROMISED


def test_what_lies_between_the_samples_is_limited_too() -> None:
    tone = (
        np.sin(np.pi / 2 * np.arange(9600) + np.pi / 4)[None].astype(np.float32) * 1.2
    )  # samples at 0.85, peaks at 1.2
    assert np.abs(tone).max() < CEILING
    out = limited(tone)
    assert np.abs(out).max() < 0.75 * CEILING
    assert peaks_of(out).max() <= PROMISED


def test_what_is_quiet_is_left_alone() -> None:
    samples = np.random.default_rng(1).uniform(-0.2, 0.2, (2, 4800)).astype(np.float32)
    assert np.array_equal(limited(samples), samples)


def test_the_top_of_a_hit_is_prepared_held_and_let_go_at_once() -> None:
    needed = np.ones(400, np.float32)
    needed[100] = 0.5
    curve = limiter_curve(needed)
    assert curve[95] == 1.0
    assert curve[98] < 1.0
    assert curve[100 : 100 + HOLD_MS + 1] == pytest.approx(0.5)
    assert curve[100 + HOLD_MS + 3] == pytest.approx(0.71, abs=0.01)  # half the way, in decibels
    assert curve[100 + HOLD_MS + 7] == 1.0


def test_what_is_too_loud_for_long_is_let_go_slowly() -> None:
    needed = np.ones(600, np.float32)
    needed[100:200] = 0.5
    curve = limiter_curve(needed)
    assert curve[250] == pytest.approx(0.71, abs=0.05)
    assert curve[-1] == 1.0


@pytest.mark.parametrize("hz", [45.0, 60.0, 110.0])
def test_a_low_tone_is_turned_down_not_bent(hz: float) -> None:
    tone = 2.0 * np.sin(2 * np.pi * hz * np.arange(48_000) / 48_000)[None].astype(np.float32)
    curve_db = 20 * np.log10(limiter_curve(needed_gain(peaks_of(tone), CEILING)))
    assert np.ptp(curve_db[100:-100]) < 1.0


def test_long_curves_do_not_depend_on_their_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    needed = np.random.default_rng(2).uniform(0.01, 1.5, 5000).astype(np.float32).clip(max=1.0)
    whole = limiter_curve(needed)
    monkeypatch.setattr("foley.dsp.limiter._CHUNK_MS", 37)
    assert limiter_curve(needed) == pytest.approx(whole, rel=1e-5)


@given(st.integers(0, 960), st.integers(0, 960))
def test_a_stretch_of_gain_is_a_stretch_of_the_whole(first: int, last: int) -> None:
    curve = np.random.default_rng(4).uniform(0.1, 1.0, 21).astype(np.float32)
    whole = gain_between(curve, 0, 960)
    assert np.array_equal(gain_between(curve, first, last), whole[first:last])
    assert whole[::48] == pytest.approx(curve[:-1])
