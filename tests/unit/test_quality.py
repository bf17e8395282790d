"""The verdict on a finished clip: every check passes, warns and fails where it should, with the figure."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from hypothesis import given
from hypothesis import strategies as st

from foley.batch import quality
from foley.batch.quality import Quality, verdict
from foley.errors import OutputError
from tests.media_fixtures import MediaShelf
from tests.media_maker import with_sound

RATE_HZ = 48_000
LENGTH_S = 2.0


def figures(**changed: object) -> dict[str, Any]:
    said = {
        "integrated_lufs": -23.0,
        "true_peak_dbtp": -4.0,
        "target_lufs": -23.0,
        "ceiling_dbtp": -1.0,
        "tolerance_lu": 0.5,
        "profile": "ebu-r128",
        "measure": "programme",
        "dialogue_lufs": None,
    }
    return {**said, **changed}


def event(**changed: object) -> dict[str, Any]:
    return {"id": "e1", "muted": False, "generator": "procedural", "notes": [], **changed}


def onset(at_s: float, error_ms: float | None) -> dict[str, Any]:
    frames = None if error_ms is None else error_ms / 40.0
    return {"planned_s": at_s, "error_ms": error_ms, "error_frames": frames}


@pytest.fixture
def finished(tmp_path: Path, media: MediaShelf) -> Any:
    """Write a folder as `foley run` leaves it and judge it; what is named is changed."""
    video = media(_quiet, suffix=".mov")

    def judge(
        *,
        mix: dict[str, Any] | None = None,
        track: dict[str, Any] | None = None,
        sync: list[dict[str, Any]] | None = None,
        events: list[dict[str, Any]] | None = None,
        notes: tuple[str, ...] = (),
        duration_s: float = LENGTH_S,
    ) -> Quality:
        report = {
            "loudness": {"mix": mix or figures(), "track": track or figures()},
            "sync": sync if sync is not None else [onset(1.0, 0.5)],
            "events": events if events is not None else [event()],
            "notes": list(notes),
            "duration_samples": round(duration_s * RATE_HZ),
        }
        held = [{"holds": "mix", "file": "mix.wav"}]
        (tmp_path / "report.json").write_text(json.dumps(report))
        (tmp_path / "manifest.json").write_text(json.dumps({"video": {"path": str(video)}, "sounds": held}))
        return verdict(tmp_path)

    return judge


def _quiet(to: Path) -> Path:
    return with_sound(to, 0.1 * np.ones((2, round(LENGTH_S * RATE_HZ)), np.float32))


def found(judged: Quality, name: str) -> quality.Check:
    return next(check for check in judged.checks if check.name == name)


def test_a_good_clip_passes_every_check(finished: Any) -> None:
    judged = finished()
    assert judged.verdict == "pass"
    assert [check.name for check in judged.checks] == [
        *("silence", "clipping", "true peak", "loudness", "sync", "drift", "leak", "missing events", "duration")
    ]
    assert judged.faults == ()


def test_a_mix_that_is_silent_though_sounds_are_planned_fails(finished: Any) -> None:
    judged = finished(mix=figures(integrated_lufs=None, true_peak_dbtp=-120.0))
    assert found(judged, "silence").verdict == "fail"


def test_a_clip_without_a_planned_sound_is_to_be_looked_at(finished: Any) -> None:
    judged = finished(mix=figures(true_peak_dbtp=-120.0), events=[event(muted=True)], sync=[])
    assert found(judged, "silence").verdict == "warn"


@pytest.mark.parametrize(("off_lu", "wanted"), [(0.0, "pass"), (0.5, "pass"), (-0.5, "pass"), (0.6, "fail")])
def test_loudness_is_judged_by_the_tolerance_of_its_profile(finished: Any, off_lu: float, wanted: str) -> None:
    assert found(finished(track=figures(integrated_lufs=-23.0 + off_lu)), "loudness").verdict == wanted


def test_loudness_of_dialogue_is_what_a_profile_for_dialogue_is_judged_by(finished: Any) -> None:
    spoken = figures(measure="dialogue", dialogue_lufs=-27.5, target_lufs=-27.0, tolerance_lu=2.0, profile="netflix")
    check = found(finished(track=spoken), "loudness")
    assert (check.verdict, check.figure) == ("pass", -27.5)


def test_a_true_peak_over_its_ceiling_fails_with_the_figure(finished: Any) -> None:
    check = found(finished(track=figures(true_peak_dbtp=-0.4)), "true peak")
    assert (check.verdict, check.figure) == ("fail", -0.4)


def test_clipping_is_counted_in_the_file_in_runs_of_three(finished: Any, tmp_path: Path) -> None:
    samples = np.zeros((RATE_HZ, 2), np.float32)
    samples[100:102] = 1.0  # two in a row: a peak that touches full scale
    samples[200:203, 0] = 1.0
    samples[300:400, 1] = -1.0
    soundfile.write(tmp_path / "mix.wav", samples, RATE_HZ, subtype="PCM_24")
    check = found(finished(track=figures(true_peak_dbtp=0.3)), "clipping")
    assert (check.verdict, check.figure) == ("fail", 2.0)


@pytest.mark.parametrize(("error_ms", "wanted"), [(39.0, "pass"), (-41.0, "warn"), (81.0, "fail")])
def test_sync_warns_past_one_frame_and_fails_past_two(finished: Any, error_ms: float, wanted: str) -> None:
    check = found(finished(sync=[onset(0.5, 0.1), onset(1.0, error_ms)]), "sync")
    assert (check.verdict, check.figure) == (wanted, error_ms)


def test_onsets_that_are_not_found_are_to_be_looked_at_where_they_are_many(finished: Any) -> None:
    few = [onset(0.1 * n, 0.1) for n in range(9)] + [onset(1.5, None)]
    many = [onset(0.5, 0.1), onset(1.0, None)]
    assert found(finished(sync=few), "sync").verdict == "pass"
    assert found(finished(sync=many), "sync").verdict == "warn"


@given(
    drift_ms=st.floats(-200, 200),
    offset_ms=st.floats(-20, 20),
    stray=st.integers(0, 19),
)
def test_drift_is_what_errors_grow_by_whatever_one_of_them_is(drift_ms: float, offset_ms: float, stray: int) -> None:
    errors = [offset_ms + drift_ms * n / 19 for n in range(20)]
    errors[stray] += 500.0
    check = quality._drift([onset(3.0 * n, error) for n, error in enumerate(errors)])
    assert check.figure is not None
    assert abs(check.figure - drift_ms) < 0.25 * abs(drift_ms) + 1.0


def test_drift_is_not_told_from_a_few_onsets(finished: Any) -> None:
    assert found(finished(sync=[onset(0.0, -30.0), onset(1.9, 30.0)]), "drift").figure is None


def test_sounds_that_leaked_are_counted_and_those_given_up_warn(finished: Any) -> None:
    again = "a sound was made again with another seed: there is music in it (3 times)"
    once = "a sound was made again with another seed: somebody speaks in it"
    assert found(finished(events=[event(notes=[again, once])]), "leak").figure == 4.0
    given_up = "audiogen gave what must not be heard, with 3 seeds: there is music in it: made by procedural"
    assert found(finished(events=[event(notes=[given_up])]), "leak").verdict == "warn"


def test_nobody_having_listened_for_speech_warns(finished: Any) -> None:
    notes = ("speech in models' takes was not listened for: foley models get clap",)
    assert found(finished(notes=notes), "leak").verdict == "warn"


def test_an_event_without_a_sound_fails_and_is_named(finished: Any) -> None:
    check = found(finished(events=[event(), event(id="e2-door", generator=None)]), "missing events")
    assert (check.verdict, check.figure) == ("fail", 1.0)
    assert "e2-door" in check.said


@pytest.mark.parametrize(("duration_s", "wanted"), [(2.0, "pass"), (2.05, "warn"), (2.5, "fail")])
def test_a_track_that_does_not_last_as_long_as_the_picture_is_seen(
    finished: Any, duration_s: float, wanted: str
) -> None:
    check = found(finished(duration_s=duration_s), "duration")
    assert check.verdict == wanted
    assert check.figure == pytest.approx(LENGTH_S - duration_s, abs=0.001)


def test_the_worst_check_is_the_verdict_and_comes_first(finished: Any) -> None:
    judged = finished(track=figures(integrated_lufs=-30.0), sync=[onset(1.0, 50.0)])
    assert judged.verdict == "fail"
    assert [check.verdict for check in judged.faults] == ["fail", "warn"]


def test_a_folder_without_a_finished_clip_is_refused(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match=r"report\.json"):
        verdict(tmp_path)


def test_a_report_of_another_form_is_refused(finished: Any, tmp_path: Path) -> None:
    finished()
    report = json.loads((tmp_path / "report.json").read_text())
    broken = copy.deepcopy(report)
    del broken["loudness"]
    (tmp_path / "report.json").write_text(json.dumps(broken))
    with pytest.raises(OutputError, match="not one of this foley"):
        verdict(tmp_path)
