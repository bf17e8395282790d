"""Scoring a mix against true times: matching, blind baselines, onset detection."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from foley.evaluate.sync import blind_f_measure, f_measure, match, onset_times_s
from foley.model import Audio

ONSET_TOLERANCE_S = 0.005
"""One step of the detector's spectrogram."""

times = st.lists(st.floats(0, 10), max_size=8, unique=True).map(sorted)


def clicks(times_s: list[float], *, rate_hz: int = 48_000, length_s: float = 4.0) -> Audio:
    samples = np.zeros(int(length_s * rate_hz), np.float32)
    ring = np.random.default_rng(1).normal(0, 1, rate_hz // 10) * np.exp(-np.arange(rate_hz // 10) / (0.02 * rate_hz))
    for time_s in times_s:
        first = round(time_s * rate_hz)
        samples[first : first + len(ring)] += 0.3 * ring[: len(samples) - first].astype(np.float32)
    return Audio(samples[None], rate_hz)


def test_the_truth_scores_one_and_nothing_scores_zero():
    assert f_measure([1.0, 2.0], [1.0, 2.0], window_s=0.05).f_measure == 1.0
    assert f_measure([1.0, 2.0], [], window_s=0.05).f_measure == 0.0
    assert f_measure([], [1.0], window_s=0.05).f_measure == 0.0


def test_each_time_is_paired_once():
    score = f_measure([1.0], [0.99, 1.0, 1.01], window_s=0.05)
    assert (score.precision, score.recall) == (pytest.approx(1 / 3), 1.0)
    assert score.offsets_s == (0.0,)


def test_matching_gives_up_the_nearest_where_that_makes_more_pairs():
    assert match([1.0, 1.08], [1.05, 1.12], window_s=0.06) == [(0, 0), (1, 1)]
    assert len(match([0.0, 0.1], [0.06, -0.05], window_s=0.07)) == 2


def test_offsets_are_positive_where_the_sound_is_late():
    assert f_measure([1.0, 2.0], [1.03, 2.03], window_s=0.05).offsets_s == pytest.approx((0.03, 0.03))


@settings(deadline=None)  # the first call loads scipy
@given(times, times, st.floats(0.01, 1.0))
def test_matching_is_as_large_as_the_reference_implementation_makes_it(reference, estimated, window_s):
    mir_eval = pytest.importorskip("mir_eval")
    expected = mir_eval.util.match_events(np.array(reference), np.array(estimated), window_s) if reference else []
    found = match(reference, estimated, window_s=window_s)
    assert len(found) == (len(expected) if estimated else 0)
    assert all(abs(reference[row] - estimated[column]) <= window_s for row, column in found)


@settings(deadline=None)  # the first call loads scipy
@given(times, times, st.floats(0.01, 1.0))
def test_precision_and_recall_change_places_with_their_lists(one, other, window_s):
    there, back = (f_measure(*pair, window_s=window_s) for pair in ((one, other), (other, one)))
    assert (there.precision, there.recall) == (back.recall, back.precision)


def test_blind_guesses_score_more_the_more_there_are_and_none_score_nothing():
    reference = np.arange(0.5, 10, 1.0)
    few, many, none = (
        blind_f_measure(reference, count, duration_s=10, window_s=0.1, rng=np.random.default_rng(0))
        for count in (2, 20, 0)
    )
    assert 0 < few.random < many.random < 0.5
    assert 0 < many.grid < 0.6
    assert none.random == none.grid == 0.0


def test_an_even_grid_beats_chance_on_an_even_beat_only_by_its_phase():
    reference = np.arange(0.5, 10, 1.0)
    blind = blind_f_measure(reference, 10, duration_s=10, window_s=0.1, rng=np.random.default_rng(0))
    assert blind.grid == pytest.approx(0.2, abs=0.08)  # a random phase hits a window of 0.2 s in 1 s one time in five


@pytest.mark.parametrize("rate_hz", [44_100, 48_000])
def test_clicks_are_found_where_they_are(rate_hz):
    truth = [0.4, 0.9, 1.0, 2.25, 3.5]
    assert onset_times_s(clicks(truth, rate_hz=rate_hz)) == pytest.approx(truth, abs=ONSET_TOLERANCE_S)


def test_clicks_are_found_in_noise_of_another_level():
    audio = clicks([0.5, 1.5, 2.5])
    noise = np.random.default_rng(2).normal(0, 0.003, audio.samples.shape).astype(np.float32)
    assert onset_times_s(Audio(0.2 * audio.samples + noise, 48_000)) == pytest.approx([0.5, 1.5, 2.5], abs=0.01)


@pytest.mark.parametrize("level", [0.0, 1e-4])
def test_silence_has_no_onsets(level):
    noise = np.random.default_rng(3).uniform(-level, level, (2, 48_000)).astype(np.float32)
    assert len(onset_times_s(Audio(noise, 48_000))) == 0


def test_a_gliding_tone_begins_once():
    time_s = np.arange(3 * 48_000) / 48_000
    glide = 0.3 * np.sin(2 * np.pi * (300 * time_s + 60 * time_s**2)) * (time_s > 0.5)
    assert onset_times_s(Audio(glide[None].astype(np.float32), 48_000)) == pytest.approx([0.5], abs=0.01)
