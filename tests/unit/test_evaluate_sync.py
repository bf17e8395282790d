"""Scoring a track against true times: onset detection, matching, blind baselines, truth files."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from foley.errors import MediaError, PlanError
from foley.evaluate import onsets, tracks, truth
from foley.evaluate.onsets import RATE_HZ, onset_times_s
from foley.evaluate.sync import blind_f_measure, compare, f_measure, match
from foley.media import sound
from foley.model import Audio

ONSET_TOLERANCE_S = 0.002
"""The attack is sought on an envelope of 1.5 ms."""

times = st.lists(st.floats(0, 10), max_size=8, unique=True).map(sorted)


def clicks(times_s: list[float], *, length_s: float = 4.0) -> np.ndarray:
    samples = np.zeros(int(length_s * RATE_HZ), np.float32)
    ring = np.random.default_rng(1).normal(0, 1, RATE_HZ // 10) * np.exp(-np.arange(RATE_HZ // 10) / (0.02 * RATE_HZ))
    for time_s in times_s:
        first = round(time_s * RATE_HZ)
        samples[first : first + len(ring)] += 0.3 * ring[: len(samples) - first].astype(np.float32)
    return samples


# the detector


def test_clicks_are_found_where_they_are():
    true = [0.4, 0.9, 1.0, 2.25, 3.5]
    assert onset_times_s([clicks(true)]) == pytest.approx(true, abs=ONSET_TOLERANCE_S)


def test_clicks_are_found_in_noise_of_another_level():
    samples = clicks([0.5, 1.5, 2.5])
    noise = np.random.default_rng(2).normal(0, 0.003, samples.shape).astype(np.float32)
    assert onset_times_s([0.2 * samples + noise]) == pytest.approx([0.5, 1.5, 2.5], abs=0.01)


@pytest.mark.parametrize("level", [0.0, 1e-4])
def test_silence_has_no_onsets(level):
    noise = np.random.default_rng(3).uniform(-level, level, 48_000).astype(np.float32)
    assert len(onset_times_s([noise])) == 0


@pytest.mark.parametrize("blocks", [[], [np.zeros(0, np.float32)], [np.ones(100, np.float32)]])
def test_next_to_nothing_has_no_onsets(blocks):
    assert len(onset_times_s(blocks)) == 0


def test_a_gliding_tone_begins_once():
    time_s = np.arange(3 * RATE_HZ) / RATE_HZ
    glide = 0.3 * np.sin(2 * np.pi * (300 * time_s + 60 * time_s**2)) * (time_s > 0.5)
    assert onset_times_s([glide.astype(np.float32)]) == pytest.approx([0.5], abs=0.01)


def test_long_sound_is_judged_by_the_minute_and_loses_nothing_between():
    rng = np.random.default_rng(4)
    true = np.cumsum(rng.uniform(0.3, 1.2, 240))
    piece_s = onsets.PIECE_HOPS * onsets.HOP / RATE_HZ
    true = np.sort(np.append(true[np.abs(true - piece_s) > 0.2], piece_s))  # one lies on the very seam
    samples = clicks(true.tolist(), length_s=float(true[-1]) + 2)
    samples[len(samples) // 2 :] *= 0.05  # a quiet second half is judged by itself
    in_blocks = onset_times_s(np.array_split(samples, 37))
    assert in_blocks == pytest.approx(true, abs=ONSET_TOLERANCE_S)
    assert len(true) > 150


@settings(max_examples=20)
@given(st.lists(st.integers(1, 200_000), max_size=6))
def test_blocks_of_any_length_give_the_same_onsets(cuts):
    samples = clicks([0.5, 1.5, 2.5, 3.3])
    assert onset_times_s(np.split(samples, sorted(min(cut, len(samples)) for cut in cuts))).tolist() == (
        onset_times_s([samples]).tolist()
    )


def scorer(folder: Path):
    spec = importlib.util.spec_from_file_location("sync_score", folder / "sync_score.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("name", ["anvil", "chopping", "dog_c", "guns", "stick_bag", "tennis_a"])
def test_real_clips_get_the_figures_of_their_own_scorer(name, shared):
    folder = shared / "clips"
    entry = json.loads((folder / "clips.json").read_text())[name]
    expected = scorer(folder).score_audio(str(folder / entry["file"]), entry)
    known = truth.load(folder / "clips.json", name)
    report = compare(known, lambda: tracks.of_file(folder / entry["file"]), rng=np.random.default_rng(0))
    assert len(report.reference_s) == expected["n_ref"]
    assert len(report.estimated_s) == expected["n_est"]
    for window in report.windows:
        score, ms = window.score, round(1000 * window.window_s)
        figures = [score.f_measure, score.precision, score.recall]
        assert figures == pytest.approx([expected[f"{letter}_{ms}"] for letter in ("f1", "p", "r")], abs=1e-9)
        assert window.blind.random == pytest.approx(expected[f"chance_random_{ms}"], abs=0.05)
        assert window.blind.grid == pytest.approx(expected[f"chance_grid_{ms}"], abs=0.05)
    if name == "tennis_a":  # several matchings are as large: of these the nearest is taken here, any there
        assert 1000 * report.distance_s < expected["med_abs_ms"]
    else:
        assert 1000 * report.offset_s == pytest.approx(expected["med_signed_ms"], abs=0.01)
        assert 1000 * report.distance_s == pytest.approx(expected["med_abs_ms"], abs=0.01)


# matching


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


def test_doubtful_onsets_and_the_start_of_the_file_neither_reward_nor_punish():
    strict = f_measure([1.0], [0.03, 1.0, 2.02], window_s=0.05)
    mild = f_measure([1.0], [0.03, 1.0, 2.02], window_s=0.05, neutral_s=[2.0], start_s=0.06)
    assert (strict.precision, mild.precision) == (pytest.approx(1 / 3), 1.0)
    assert f_measure([1.0], [2.1], window_s=0.05, neutral_s=[2.0]).precision == 0.0


@given(times, times, st.floats(0.01, 1.0))
def test_matching_is_as_large_as_the_reference_implementation_makes_it(reference, estimated, window_s):
    mir_eval = pytest.importorskip("mir_eval")
    expected = mir_eval.util.match_events(np.array(reference), np.array(estimated), window_s) if reference else []
    found = match(reference, estimated, window_s=window_s)
    assert len(found) == (len(expected) if estimated else 0)
    assert all(abs(reference[row] - estimated[column]) <= window_s for row, column in found)
    assert len({row for row, _ in found}) == len({column for _, column in found}) == len(found)


@given(times, times, st.floats(0.01, 1.0))
def test_no_matching_as_large_is_nearer(reference, estimated, window_s):
    from scipy.optimize import linear_sum_assignment

    distance = np.abs(np.subtract.outer(reference, estimated)).reshape(len(reference), len(estimated))
    dear = np.where(distance <= window_s, distance, 1e3)
    best = sum(value for value in dear[linear_sum_assignment(dear)] if value < 1e3)
    found = match(reference, estimated, window_s=window_s)
    assert sum(distance[row, column] for row, column in found) == pytest.approx(best, abs=1e-6)


@given(times, times, st.floats(0.01, 1.0))
def test_precision_and_recall_change_places_with_their_lists(one, other, window_s):
    there, back = (f_measure(*pair, window_s=window_s) for pair in ((one, other), (other, one)))
    assert (there.precision, there.recall) == (back.recall, back.precision)


# blind guesses


def blind(reference, count, *, window_s=0.1):
    return blind_f_measure(reference, count, duration_s=10, window_s=window_s, rng=np.random.default_rng(0))


def test_blind_guesses_score_more_the_more_there_are_and_none_score_nothing():
    few, many, none = (blind(np.arange(0.5, 10, 1.0), count) for count in (2, 20, 0))
    assert 0 < few.random < many.random < 0.5
    assert 0 < many.grid < 0.6
    assert none.random == none.grid == 0.0


def test_an_even_grid_beats_chance_on_an_even_beat_only_by_its_phase():
    # a random phase hits a window of 0.2 s in 1 s one time in five
    assert blind(np.arange(0.5, 10, 1.0), 10).grid == pytest.approx(0.2, abs=0.08)


def test_a_dense_metronome_meets_every_event_and_pays_in_precision():
    reference = np.arange(0.55, 10, 1.0)
    precision = len(reference) / 50  # one in every two windows of 0.1 s
    assert blind(reference, 3).metronome == pytest.approx(2 * precision / (1 + precision))


# whole reports


def report_of(true, heard, *, length_s=4.0, against=False):
    known = truth.Truth((), tuple(true))
    return compare(known, lambda: [clicks(heard, length_s=length_s)], against=against, rng=np.random.default_rng(0))


def test_sound_that_is_late_all_through_is_told_by_the_offset():
    report = report_of([0.5, 1.4, 2.2, 3.1], [0.62, 1.52, 2.32, 3.22])
    assert report.offset_s == pytest.approx(0.12, abs=ONSET_TOLERANCE_S)
    assert [window.score.f_measure for window in report.windows] == [0.0, 0.0, 1.0]
    assert [window.ceiling for window in report.windows] == [1.0, 1.0, 1.0]
    assert len(report.pairs) == 4


def test_the_ceiling_falls_where_events_are_too_dense_to_be_told_apart():
    dense = np.arange(0.5, 3.0, 0.03).tolist()
    assert report_of(dense, dense).windows[0].ceiling < 0.8


def test_silence_scores_nothing_and_has_no_offset():
    report = report_of([1.0, 2.0], [])
    assert report.offset_s is None
    assert report.windows[1].score.f_measure == 0.0
    assert report.windows[1].blind.metronome > 0


# truth files


def written(folder: Path, name: str, text: str) -> Path:
    path = folder / name
    path.write_text(text)
    return path


def test_a_truth_of_several_clips_is_read_by_the_name_of_the_finished_file(tmp_path):
    entry = {"onsets": [{"t": 1.25, "label": "door"}, {"t": 2.0, "opt": True}, {"t": 3.0, "visible": False}, 0.5]}
    path = written(tmp_path, "truth.json", json.dumps({"Walk.mp4": entry, "other": {"onsets": [9]}}))
    for name in ("walk.mp4", "walk.foley.mkv", "Walk", "walk.wav"):
        assert truth.load(path, name).onsets_s == (0.5, 1.25)
    assert truth.load(path, "walk").neutral_s == (2.0, 3.0)
    with pytest.raises(PlanError, match="elsewhere"):
        truth.load(path, "elsewhere.mp4")


@pytest.mark.parametrize(
    "text",
    [
        "time,label\n1.25,door slams\n0:03.5,knock\n",
        "1.25,door slams\n3.5,knock\n",
        "start,end,description\n1.25,,door slams\n3.5,,knock\n",
        "1.25\n\n3.5\n",
    ],
)
def test_a_csv_gives_instants(tmp_path, text):
    assert truth.load(written(tmp_path, "truth.csv", text)).onsets_s == (1.25, 3.5)


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("t.json", "{", "is not JSON"),
        ("t.json", "[1, 2]", "must be an object"),
        ("t.json", "{}", "says nothing of any clip"),
        ("t.json", '{"onsets": 3}', "onsets: must be a list"),
        ("t.json", '{"onsets": [{"label": "x"}]}', r"onsets\[0\].t: is missing"),
        ("t.json", '{"onsets": [NaN]}', r"onsets\[0\].t: is no time"),
        ("t.json", '{"onsets": [true]}', r"onsets\[0\].t: is no time"),
        ("t.json", '{"spans": [{"start": 2, "end": 1}]}', "must lie after start"),
        ("t.json", '{"events": ["door"]}', "must be an object with label"),
        ("t.json", '{"events": [{"label": "x", "times": []}]}', "at least one time"),
        ("t.csv", "", "is empty"),
        ("t.csv", "time,label\nsoon,door\n", "t.csv:2: time: is no time"),
        ("t.csv", "start,end,label\n2,1,door\n", "must lie after start"),
    ],
)
def test_a_truth_that_cannot_be_is_refused_by_place(tmp_path, name, text, said):
    with pytest.raises(PlanError, match=said):
        truth.load(written(tmp_path, name, text))


def test_a_truth_that_is_not_there_or_not_text_is_refused(tmp_path):
    with pytest.raises(PlanError, match="cannot be read"):
        truth.load(tmp_path / "none.json")
    (tmp_path / "odd.csv").write_bytes(b"\xff\xfe\x00\x01")
    with pytest.raises(PlanError, match="not UTF-8"):
        truth.load(tmp_path / "odd.csv")


# tracks


def test_a_sound_file_is_read_at_the_detectors_rate(tmp_path):
    stereo = np.stack([clicks([0.5, 1.5])] * 2)
    path = tmp_path / "mix.wav"
    sound.save(Audio(stereo, RATE_HZ), path)
    assert onset_times_s(tracks.of_file(path)) == pytest.approx([0.5, 1.5], abs=ONSET_TOLERANCE_S)


def test_a_track_that_is_not_there_is_refused(tmp_path):
    path = tmp_path / "mix.wav"
    sound.save(Audio(np.zeros((1, 4800), np.float32), 48_000), path)
    with pytest.raises(MediaError, match="no sound track 2"):
        list(tracks.of_file(path, 2))
    with pytest.raises(MediaError, match=r"none\.wav"):
        list(tracks.of_file(tmp_path / "none.wav"))
