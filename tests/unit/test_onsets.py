"""Where a sound begins: sharp or soft, loud or in noise, alone or in a row."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from foley.dsp.onsets import attacks, first_onset_s, onset_near
from foley.model import Audio

RATE_HZ = 48_000

SHARP_TOLERANCE_S = 0.001
"""A sharp attack is found to a millisecond: what the architecture allows in all."""


def blow(at_s: float, hz: float = 500.0, *, length_s: float = 2.0, decay_s: float = 0.08) -> np.ndarray:
    sound = np.zeros(round(length_s * RATE_HZ))
    first = round(at_s * RATE_HZ)
    ring_s = np.arange(sound.size - first) / RATE_HZ
    sound[first:] = 0.5 * np.sin(2 * np.pi * hz * ring_s + 0.5) * np.exp(-ring_s / decay_s)
    return sound


def noise(level: float, length_s: float = 2.0) -> np.ndarray:
    return level * np.random.default_rng(1).standard_normal(round(length_s * RATE_HZ))


def audio(samples: np.ndarray) -> Audio:
    return Audio(np.atleast_2d(samples).astype(np.float32), RATE_HZ)


@settings(max_examples=40)
@given(st.floats(0.0, 1.5), st.floats(150.0, 8000.0), st.sampled_from([0.0, 0.001, 0.01]))
def test_a_sharp_attack_is_found_to_a_millisecond(at_s: float, hz: float, floor: float) -> None:
    sound = audio(blow(at_s, hz) + noise(floor))
    if floor == 0.0 or at_s > 0.02:  # noise that starts with the file is an onset too
        assert first_onset_s(sound, share=0.5) == pytest.approx(at_s, abs=SHARP_TOLERANCE_S)
    assert onset_near(sound, at_s + 0.03, 0.1) == pytest.approx(at_s, abs=SHARP_TOLERANCE_S)


@pytest.mark.parametrize("at_s", [0.0, 0.0001])
@pytest.mark.parametrize("hz", [225.0, 270.0, 315.0])
def test_a_low_sound_that_starts_with_the_file_starts_there(at_s: float, hz: float) -> None:
    assert first_onset_s(audio(blow(at_s, hz)), share=0.5) == pytest.approx(at_s, abs=SHARP_TOLERANCE_S)


def test_gain_and_channels_change_nothing() -> None:
    mono = blow(0.4) + noise(0.001)
    loud, soft = audio(mono), audio(0.01 * mono)
    stereo = audio(np.stack([mono, mono]))
    assert first_onset_s(loud) == first_onset_s(soft) == first_onset_s(stereo)


@pytest.mark.parametrize("attack_s", [0.02, 0.05, 0.1, 0.2])
def test_of_a_soft_attack_the_start_is_found_and_not_the_peak(attack_s: float) -> None:
    times_s = np.arange(2 * RATE_HZ) / RATE_HZ
    swell = np.interp(times_s, [0.0, 0.5, 0.5 + attack_s, 1.0], [0.0, 0.0, 1.0, 0.0])
    found = first_onset_s(audio(noise(0.2) * swell))
    assert found is not None
    # it is said when a fifth is climbed, give or take what noise does
    assert 0.0 < found - 0.5 < 0.3 * attack_s + 0.002


def test_in_a_row_of_blows_each_is_found_at_its_own_place() -> None:
    times_s = [0.3 + 0.12 * number for number in range(8)]
    sound = audio(sum((blow(time_s) for time_s in times_s), np.zeros(2 * RATE_HZ)))
    for time_s in times_s:
        assert onset_near(sound, time_s + 0.01, 0.05) == pytest.approx(time_s, abs=SHARP_TOLERANCE_S)


def test_a_scuff_before_the_blow_is_not_its_onset() -> None:
    assert first_onset_s(audio(0.1 * blow(0.3) + blow(0.6))) == pytest.approx(0.6, abs=SHARP_TOLERANCE_S)


def test_silence_and_the_middle_of_steady_noise_have_no_onset() -> None:
    assert first_onset_s(audio(np.zeros(RATE_HZ))) is None
    assert onset_near(audio(noise(0.2)), 1.0, 0.2) is None


def test_the_ring_of_the_blow_before_is_no_onset() -> None:
    assert onset_near(audio(blow(0.3, decay_s=0.5)), 0.8, 0.2) is None


def test_attacks_come_by_time_with_their_contrast() -> None:
    found = attacks(audio(blow(0.3) + 0.3 * blow(1.2)))
    assert [attack.time_s for attack in found] == pytest.approx([0.3, 1.2], abs=SHARP_TOLERANCE_S)
    assert found[0].rise > 2 * found[1].rise
    assert all(attack.contrast > 10.0 for attack in found)


@pytest.mark.parametrize("samples", [np.zeros((1, 0)), np.zeros((2, 5)), np.ones((1, 3))])
def test_sounds_too_short_to_have_a_level_are_met(samples: np.ndarray) -> None:
    assert first_onset_s(audio(samples)) in (None, 0.0)
    assert onset_near(audio(samples), 1.0, 0.2) is None
