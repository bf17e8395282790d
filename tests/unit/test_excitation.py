"""What sets things sounding."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from foley.synth.excitation import (
    bounces,
    contact_time_s,
    decay,
    ground_force,
    hertz_gain,
    hertz_pulse,
    high_passed,
    length_samples,
    low_passed,
    noise_burst,
    slips,
)
from foley.units import RATE_HZ

SECOND = RATE_HZ


def gain_db(filtered: np.ndarray, sound: np.ndarray) -> float:
    return 20.0 * float(np.log10(np.sqrt(np.mean(filtered**2)) / np.sqrt(np.mean(sound**2))))


def tone(frequency_hz: float) -> np.ndarray:
    return np.sin(2.0 * np.pi * frequency_hz * np.arange(SECOND) / RATE_HZ)


@pytest.mark.parametrize("order", [1, 2])
@pytest.mark.parametrize("corner_hz", [100.0, 1000.0, 9000.0])
def test_filters_are_three_db_down_at_their_corner(corner_hz: float, order: int) -> None:
    sound = tone(corner_hz)
    assert gain_db(low_passed(sound, corner_hz, order), sound) == pytest.approx(-3.01, abs=0.1)
    assert gain_db(high_passed(sound, corner_hz, order), sound) == pytest.approx(-3.01, abs=0.1)


@pytest.mark.parametrize(("order", "slope_db"), [(1, -6.0), (2, -12.0)])
def test_filters_fall_by_six_db_an_octave_and_order(order: int, slope_db: float) -> None:
    octave = gain_db(low_passed(tone(3200.0), 200.0, order), tone(3200.0))
    octave -= gain_db(low_passed(tone(1600.0), 200.0, order), tone(1600.0))
    assert octave == pytest.approx(slope_db, abs=0.4)


def test_a_decay_has_fallen_by_sixty_db_after_its_time() -> None:
    envelope = decay(SECOND + 1, 0.5)
    assert envelope[0] == 1.0
    assert 20.0 * np.log10(envelope[SECOND // 2]) == pytest.approx(-60.0)


@given(st.floats(0.01, 0.99), st.floats(0.0, 1.0))
def test_a_weaker_blow_touches_longer(strength: float, hardness: float) -> None:
    assert contact_time_s(1e-4, hardness, strength) >= contact_time_s(1e-4, hardness, 1.0)


def test_a_mallet_touches_longer_than_a_hammer() -> None:
    assert contact_time_s(1e-4, 0.0, 1.0) == pytest.approx(15.0 * contact_time_s(1e-4, 1.0, 1.0))


def test_a_contact_pulse_moves_no_level() -> None:
    for duration_s in (1e-5, 1e-4, 5e-3):
        pulse = hertz_pulse(duration_s)
        assert pulse.sum() == pytest.approx(1.0)
        assert (pulse > 0.0).all()


def test_a_longer_contact_excites_less_treble() -> None:
    treble_hz = np.array([4000.0, 8000.0])
    assert (hertz_gain(treble_hz, 2e-3) < 0.3 * hertz_gain(treble_hz, 5e-5)).all()
    assert hertz_gain(np.array([1.0]), 2e-3)[0] == pytest.approx(1.0, abs=0.01)


def test_a_burst_starts_at_once_and_dies_away() -> None:
    burst = noise_burst(np.random.default_rng(1), 0.05, low_hz=200.0, high_hz=8000.0)
    assert np.abs(burst).max() == pytest.approx(1.0)
    assert np.abs(burst[:48]).max() > 0.3
    assert np.abs(burst[-100:]).max() < 0.01


def test_a_hinge_slips_as_often_as_its_rate_says() -> None:
    for rate_hz in (5.0, 40.0, 110.0):
        at = slips(np.random.default_rng(2), np.full(10 * SECOND, rate_hz), 0.12)
        assert len(at) == pytest.approx(10 * rate_hz, rel=0.05, abs=2)
        assert (np.diff(at) > 0).all()


def test_a_hinge_that_stands_still_does_not_slip() -> None:
    assert len(slips(np.random.default_rng(2), np.zeros(SECOND), 0.12)) == 0


@given(st.integers(0, 100))
@settings(max_examples=20)
def test_bounces_come_ever_faster_and_softer(seed: int) -> None:
    times_s, speeds = bounces(np.random.default_rng(seed), 0.1, 0.5, 5)
    assert times_s[0] == 0.0
    assert speeds[0] == 1.0
    assert (np.diff(speeds) < 0.0).all()
    assert (np.diff(np.diff(times_s)) < 0.0).all()


def test_a_walking_foot_pushes_twice_and_a_running_one_once() -> None:
    def humps(force: np.ndarray) -> int:
        return int(np.sum((force[1:-1] > force[:-2]) & (force[1:-1] >= force[2:]) & (force[1:-1] > 0.2)))

    assert humps(ground_force(1001, 0.0)) == 2
    assert humps(ground_force(1001, 1.0)) == 1


def test_no_sound_is_shorter_than_a_sample() -> None:
    assert length_samples(0.0) == 1
    assert length_samples(0.5) == RATE_HZ // 2
