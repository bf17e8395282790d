"""`foley evaluate`: a finished clip and its plan measured against what is known, and what is said of bad input."""

from __future__ import annotations

import contextlib
import io
import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from foley.cli import app
from foley.media import sound
from foley.model import Audio
from tests import media_maker as make
from tests.media_fixtures import MediaShelf

SAMPLES = Path(__file__).parents[2] / "samples"
KNOCKS_S = (0.52, 1.2, 2.04)


@pytest.fixture(autouse=True)
def _own_cache(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> None:
    monkeypatch.setenv("FOLEY_CACHE", str(tmp_path_factory.getbasetemp() / "evaluate-cache"))


def foley(*words: str | Path) -> tuple[int, str, str]:
    """Run the command line; return its exit code, its answer and what it said."""
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        code = app.start([str(word) for word in words])
    assert "Traceback" not in err.getvalue()
    assert "should not happen" not in err.getvalue()
    return code, out.getvalue(), err.getvalue()


def knocking(to: Path, *, at_s: tuple[float, ...] = KNOCKS_S, rate_hz: int = 48_000) -> Path:
    """Make 3 s of picture with a knock at each of the times; unlike a tone's, its end cannot be taken for an onset."""
    ring_s = np.arange(rate_hz // 5) / rate_hz
    knock = 0.3 * np.random.default_rng(1).normal(0, 1, len(ring_s)) * np.exp(-ring_s / 0.02)
    samples = np.zeros((1, 3 * rate_hz), np.float32)
    for time_s in at_s:
        first = round(time_s * rate_hz)
        samples[0, first : first + len(knock)] = knock
    wav = to.with_suffix(".wav")
    sound.save(Audio(samples, rate_hz), wav)
    picture = ("-f", "lavfi", "-i", "testsrc2=s=160x90:r=25:d=3")
    make.ffmpeg(*picture, "-i", wav, "-c:v", "libx264", "-preset", "ultrafast", "-c:a", "pcm_s16le", to)
    return to


@pytest.fixture
def knocks(media: MediaShelf) -> Path:
    return media(knocking, ".mkv")


@pytest.fixture
def known(tmp_path: Path) -> Path:
    path = tmp_path / "truth.csv"
    path.write_text("time,label\n" + "".join(f"{time_s},knock\n" for time_s in KNOCKS_S))
    return path


def test_knocks_at_their_times_score_one(knocks: Path, known: Path) -> None:
    code, answer, _ = foley("evaluate", "sync", knocks, "--truth", known, "--json")
    report = json.loads(answer)
    assert code == 0
    assert [window["f_measure"] for window in report["windows"]] == [1.0, 1.0, 1.0]
    assert all(window["blind"]["random"] < 0.8 for window in report["windows"])
    assert [window["ceiling"] for window in report["windows"]] == [1.0, 1.0, 1.0]
    assert abs(report["offset_s"]) < 0.003
    assert len(report["pairs"]) == len(KNOCKS_S)


def test_the_table_says_what_the_record_says(knocks: Path, known: Path) -> None:
    code, answer, _ = foley("evaluate", "sync", knocks, "--truth", known)
    assert code == 0
    assert "3 true onsets, 3 heard, 3 of them paired" in answer
    assert "50 ms   1.000      1.000   1.000" in answer


def test_a_truth_that_cannot_be_this_clips_is_doubted(knocks: Path, tmp_path: Path) -> None:
    other = tmp_path / "other.csv"
    other.write_text("time,label\n0.52,knock\n99.5,knock\n")
    code, _, said = foley("evaluate", "sync", knocks, "--truth", other)
    assert code == 0
    assert "note: 1 of 2 true onsets lie outside the 3.000 s that are measured, as that at 99.5 s" in said

    other.write_text('{"onsets": []}')
    assert "note: the truth holds no onset that counts" in foley("evaluate", "sync", knocks, "--truth", other)[2]


def test_a_right_truth_is_not_doubted(knocks: Path, known: Path) -> None:
    assert foley("evaluate", "sync", knocks, "--truth", known)[2] == ""


def test_a_truth_without_names_says_that_kinds_cannot_be_compared(knocks: Path, tmp_path: Path) -> None:
    assert foley("plan", knocks, "--prompt", "0:00.52 a knock on a door", "-o", tmp_path / "k.mkv")[0] == 0
    times = tmp_path / "times.csv"
    times.write_text("0.52\n1.2\n")
    named = tmp_path / "named.csv"
    named.write_text("0.52,knock on a door\n1.2,\n")
    note = "note: the truth names no sound"

    assert note in foley("evaluate", "plan", tmp_path / "k.foley" / "plan.yaml", "--truth", times)[2]
    assert note not in foley("evaluate", "plan", tmp_path / "k.foley" / "plan.yaml", "--truth", named)[2]


def test_sound_that_begins_after_the_picture_is_measured_on_the_pictures_clock(
    media: MediaShelf, tmp_path: Path
) -> None:
    path = tmp_path / "truth.csv"
    path.write_text("1.0\n")
    late = media(make.late_picture, ".mkv", by_s=0.48)
    report = json.loads(foley("evaluate", "sync", late, "--truth", path, "--json")[1])
    assert report["offset_s"] == pytest.approx(0.0, abs=0.005)


def test_a_track_measured_against_itself_scores_one_and_a_shifted_one_says_by_how_much(
    knocks: Path, tmp_path: Path
) -> None:
    shifted = tmp_path / "shifted.wav"
    make.ffmpeg("-i", knocks, "-vn", "-af", "adelay=90:all=1", shifted)
    same = json.loads(foley("evaluate", "sync", knocks, "--against", knocks, "--json")[1])
    late = json.loads(foley("evaluate", "sync", shifted, "--against", knocks, "--json")[1])
    assert same["windows"][0]["f_measure"] == 1.0
    assert late["windows"][0]["f_measure"] == 0.0
    assert late["windows"][1]["f_measure"] == 1.0
    assert late["offset_s"] == pytest.approx(0.09, abs=0.003)


def test_another_track_is_measured_where_it_is_named(media: MediaShelf, known: Path) -> None:
    film = media(make.rich, ".mkv")
    assert foley("evaluate", "sync", film, "--truth", known, "--track", "2")[0] == 0
    code, _, said = foley("evaluate", "sync", film, "--truth", known, "--track", "3")
    assert code == 3
    assert "no sound track 3" in said
    assert "1 to 2" in said


def test_a_finished_sample_and_its_plan_meet_the_truth(tmp_path: Path) -> None:
    clip = Path(shutil.copy(SAMPLES / "workshop.mp4", tmp_path))
    prompt = "a blacksmith hammers a glowing iron on an anvil, sparks fly, a forge fire burns"
    assert foley("run", clip, "--prompt", prompt)[0] == 0
    truth = SAMPLES / "truth.json"
    sync = json.loads(foley("evaluate", "sync", tmp_path / "workshop.foley.mp4", "--truth", truth, "--json")[1])
    assert sync["windows"][1]["recall"] >= 0.9
    hammer = tmp_path / "workshop.foley" / "stems" / "foley.wav"  # the whole also holds a fire's crackles
    sync = json.loads(foley("evaluate", "sync", hammer, "--truth", truth, "--clip", "workshop", "--json")[1])
    assert sync["windows"][0]["f_measure"] >= 0.95
    assert sync["windows"][0]["f_measure"] > sync["windows"][0]["blind"]["metronome"] + 0.5
    plan = json.loads(
        foley("evaluate", "plan", tmp_path / "workshop.foley" / "plan.yaml", "--truth", truth, "--json")[1]
    )
    assert plan["recall"] == 1.0
    assert plan["same_class"] == 1.0
    assert plan["shared"] > 0.7
    code, answer, _ = foley("evaluate", "plan", tmp_path / "workshop.foley" / "plan.yaml", "--truth", truth)
    assert code == 0
    assert "found      hammer strikes iron on anvil" in answer


def test_what_cannot_be_measured_is_refused_in_words(
    knocks: Path, known: Path, media: MediaShelf, tmp_path: Path
) -> None:
    silent = media(make.moving)
    broken = tmp_path / "broken.json"
    broken.write_text('{"onsets": [{"t": "soon"}]}')
    (tmp_path / "notes.txt").write_text("no media")
    for words, expected, part in [
        ((knocks, "--truth", tmp_path / "none.json"), 6, "cannot be read"),
        ((knocks, "--truth", broken), 6, "onsets[0].t: is no time: 'soon'"),
        ((knocks, "--truth", SAMPLES / "truth.json"), 6, "--clip"),
        ((silent, "--truth", known), 3, "has no sound track"),
        ((tmp_path / "notes.txt", "--truth", known), 3, "notes.txt"),
        ((tmp_path / "none.mp4", "--truth", known), 3, "none.mp4"),
        ((knocks, "--against", silent), 3, "has no sound track"),
        ((knocks,), 2, "--truth"),
        ((knocks, "--truth", known, "--against", knocks), 2, "either"),
    ]:
        code, _, said = foley("evaluate", "sync", *words)
        assert (code, part in said) == (expected, True), (words, code, said)
    assert foley("evaluate", "plan", known, "--truth", known)[0] == 6
