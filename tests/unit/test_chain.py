"""The recording chain: room and microphone."""

import numpy as np
import pytest

from foley.synth.chain import convolved, echo_bins, in_a_room, recorded_hit
from foley.units import RATE_HZ


def click(length_s: float = 0.05) -> np.ndarray:
    sound = np.zeros(int(length_s * RATE_HZ))
    sound[0] = 1.0
    return sound


def level_db(sound: np.ndarray, start_s: float, end_s: float) -> float:
    part = sound[int(start_s * RATE_HZ) : int(end_s * RATE_HZ)]
    return 10.0 * float(np.log10(np.sum(part**2) + 1e-20))


def test_convolution_is_what_numpy_says() -> None:
    rng = np.random.default_rng(0)
    sound, response = rng.standard_normal(3000), rng.standard_normal(700)
    wanted = np.convolve(sound, response)
    assert convolved(sound, response) == pytest.approx(wanted, abs=1e-5 * np.abs(wanted).max())


def test_echoes_are_clicks_as_late_and_as_strong_as_they_are_said_to_be() -> None:
    size, places, gains = 4096, np.array([3, 700, 2050]), np.array([0.5, -0.25, 0.125])
    wanted = np.zeros(size)
    wanted[places] = gains
    assert np.fft.irfft(echo_bins(places, gains, size), size) == pytest.approx(wanted, abs=1e-6)


def test_nothing_is_heard_before_its_cause() -> None:
    late = np.concatenate([np.zeros(4800), click()])
    heard = in_a_room(np.random.default_rng(0), late, 0.35)
    assert np.abs(heard[:4800]).max() < 1e-6


def test_the_tail_is_a_hint_that_dies_away() -> None:
    heard = in_a_room(np.random.default_rng(0), click(), 0.35)
    tail_db = level_db(heard, 0.03, 0.08) - level_db(heard, 0.0, 0.03)
    assert -40.0 < tail_db < -6.0
    assert level_db(heard, 0.2, 0.25) < level_db(heard, 0.03, 0.08) - 20.0


def test_a_wetter_room_answers_louder() -> None:
    dry, wet = (in_a_room(np.random.default_rng(0), click(), share) for share in (0.1, 0.5))
    assert level_db(wet, 0.03, 0.1) == pytest.approx(level_db(dry, 0.03, 0.1) + 20.0 * np.log10(5.0), abs=0.5)


def share_db(sound: np.ndarray, frequency_hz: float) -> float:
    time_s = np.arange(len(sound)) / RATE_HZ
    return 20.0 * float(np.log10(np.abs(np.dot(sound, np.exp(-2j * np.pi * frequency_hz * time_s)))))


def test_the_microphone_takes_the_deepest_away() -> None:
    time_s = np.arange(RATE_HZ) / RATE_HZ
    sound = (np.sin(2 * np.pi * 25.0 * time_s) + np.sin(2 * np.pi * 500.0 * time_s)) * np.exp(-8.0 * time_s)
    heard = recorded_hit(np.random.default_rng(1), sound, 1.0, ring_s=1.0, wet=0.0)
    lost_db = share_db(sound, 25.0) - share_db(sound, 500.0) - share_db(heard, 25.0) + share_db(heard, 500.0)
    assert 3.0 < lost_db < 15.0


def test_the_contact_stays_where_it_is() -> None:
    lead_s = 0.02
    sound = np.concatenate([np.zeros(int(lead_s * RATE_HZ)), click()])
    heard = np.abs(recorded_hit(np.random.default_rng(2), sound, 0.6, ring_s=0.5, lead_s=lead_s))
    assert abs(int(heard.argmax()) / RATE_HZ - lead_s) < 0.001
