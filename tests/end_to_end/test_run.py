"""The main job on media with known truth: picture untouched, sound exact in time, length and level, edits local."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
import soundfile

import foley
from foley.api import Settings
from foley.errors import OutputExistsError, PlanError
from foley.media import ffmpeg
from foley.plan import events

SAMPLES = Path(__file__).parents[2] / "samples"
TRUTH = json.loads((SAMPLES / "truth.json").read_text())
LSB = 2.0**-23
LOUDNESS_TOLERANCE_LU = 0.5
"""What EBU R 128 allows a programme."""


def truth_of(name: str) -> dict:
    return TRUTH[f"{name}.mp4"]


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(scope="module", params=["workshop", "walk", "storm"])
def scored(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, cache: Path) -> foley.Result:
    folder = tmp_path_factory.mktemp("out")
    truth = truth_of(request.param)
    video = SAMPLES / f"{request.param}.mp4"
    return foley.run(video, prompt=truth["prompt"], output=folder, settings=Settings(workdir=cache))


def stem(result: foley.Result, name: str) -> np.ndarray:
    samples, rate = soundfile.read(result.folder / "stems" / f"{name}.wav", dtype="int32", always_2d=True)
    assert rate == 48_000
    return samples >> 8  # 24-bit values come left-aligned in 32


def test_the_folder_holds_what_was_promised(scored: foley.Result) -> None:
    names = {path.relative_to(scored.folder).as_posix() for path in scored.folder.rglob("*") if path.is_file()}
    heard = {f"takes/{event.id}.wav" for event in scored.plan.events}
    stems = {f"stems/{name}.wav" for name in ("foley", "effects", "backgrounds", "mix")}
    assert names >= {"plan.yaml", "plan.schema.json", "report.html", "report.json", "manifest.json"} | heard | stems


def test_the_picture_is_copied_bit_for_bit(scored: foley.Result) -> None:
    source = SAMPLES / f"{scored.video.name.partition('.')[0]}.mp4"
    assert ffmpeg.video_hash(scored.video) == ffmpeg.video_hash(source)


def test_stems_and_track_are_as_long_as_the_picture_to_the_sample(scored: foley.Result) -> None:
    length = scored.delivery.report.duration_samples
    assert {len(stem(scored, name)) for name in ("foley", "effects", "backgrounds", "mix")} == {length}
    (track,) = ffmpeg.probe(scored.video, select_streams="a:0")["streams"]
    assert Fraction(track["time_base"]) * track["duration_ts"] == Fraction(length, 48_000)


def test_the_stems_sum_to_the_mix(scored: foley.Result) -> None:
    total = sum(stem(scored, name) for name in ("foley", "effects", "backgrounds"))
    assert np.abs(total - stem(scored, "mix")).max() <= 1


def test_loudness_and_peak_are_as_ebu_r128_asks(scored: foley.Result) -> None:
    figures = scored.delivery.report.mix
    assert figures.integrated_lufs == pytest.approx(-23.0, abs=LOUDNESS_TOLERANCE_LU)
    assert figures.true_peak_dbtp <= -1.0
    assert figures.passed


def test_the_report_needs_no_network(scored: foley.Result) -> None:
    page = (scored.folder / "report.html").read_text()
    assert "http://" not in page.replace("http://www.w3.org", "")
    assert "https://" not in page
    assert all(event.because.split(",")[0][:20] in page.replace("&#39;", "'") for event in scored.plan.events)


def test_the_manifest_says_how_it_was_made(scored: foley.Result) -> None:
    manifest = json.loads((scored.folder / "manifest.json").read_text())
    assert manifest["tools"]["foley"] == foley.__version__
    assert {take["event"] for take in manifest["takes"]} == {event.id for event in scored.plan.events}
    assert all(take["generator"] == "procedural" for take in manifest["takes"])
    assert manifest["commercial_use"] is True


def test_seen_hits_are_heard_on_the_frame(cache: Path, tmp_path: Path) -> None:
    truth = truth_of("workshop")
    result = foley.run(
        SAMPLES / "workshop.mp4", prompt=truth["prompt"], output=tmp_path, settings=Settings(workdir=cache)
    )
    strikes = sorted(onset["t"] for onset in truth["onsets"])
    heard = [hit.time_s for event in result.plan.events if event.kind == "hits" for hit in event.hits]
    frame_s = 1 / 25
    assert all(min(abs(time - strike) for time in heard) <= 1.5 * frame_s for strike in strikes)
    errors = [abs(check.error_ms) for check in result.delivery.report.sync if check.error_ms is not None]
    assert errors
    assert max(errors) < 5.0


@pytest.fixture
def rendered(tmp_path: Path, cache: Path) -> foley.Result:
    """A render of the workshop that a test may edit."""
    return foley.run(
        SAMPLES / "workshop.mp4",
        prompt=truth_of("workshop")["prompt"],
        output=tmp_path,
        settings=Settings(workdir=cache),
    )


def sound_files(result: foley.Result) -> dict[str, bytes]:
    return {p.relative_to(result.folder).as_posix(): p.read_bytes() for p in sorted(result.folder.rglob("*.wav"))}


def test_editing_one_event_leaves_every_other_take_and_stem_bit_identical(rendered: foley.Result, cache: Path) -> None:
    before = sound_files(rendered)
    edited = next(event for event in rendered.plan.events if event.kind == "hits")
    changed = tuple(replace(e, seed=e.seed + 1, gain_db=4.0) if e.id == edited.id else e for e in rendered.plan.events)
    events.save(replace(rendered.plan, events=changed), rendered.folder / "plan.yaml")
    again = foley.render(rendered.folder / "plan.yaml", settings=Settings(workdir=cache))
    after = sound_files(again)
    differing = {name for name in before if before[name] != after[name]}
    assert differing == {f"takes/{edited.id}.wav", f"stems/{edited.bus}.wav", "stems/mix.wav"}


def test_rendering_an_unedited_plan_changes_nothing(rendered: foley.Result, cache: Path) -> None:
    before = sound_files(rendered)
    again = foley.render(rendered.folder / "plan.yaml", settings=Settings(workdir=cache))
    assert sound_files(again) == before
    assert all(time.cached for time in again.times if time.stage in {"watch"})


def test_a_muted_event_is_not_heard_and_its_take_is_gone(rendered: foley.Result, cache: Path) -> None:
    muted = rendered.plan.events[0]
    changed = tuple(replace(e, muted=True) if e.id == muted.id else e for e in rendered.plan.events)
    events.save(replace(rendered.plan, events=changed), rendered.folder / "plan.yaml")
    again = foley.render(rendered.folder / "plan.yaml", settings=Settings(workdir=cache))
    assert not (again.folder / "takes" / f"{muted.id}.wav").exists()


def test_the_same_input_options_and_seed_give_the_same_samples_in_another_cache(
    rendered: foley.Result, tmp_path: Path
) -> None:
    (tmp_path / "other").mkdir()
    other = foley.run(
        SAMPLES / "workshop.mp4",
        prompt=truth_of("workshop")["prompt"],
        output=tmp_path / "other",
        settings=Settings(workdir=tmp_path / "cache"),
    )
    assert sound_files(other) == sound_files(rendered)


def test_an_existing_output_and_an_edited_plan_are_left_alone(
    rendered: foley.Result, cache: Path, tmp_path: Path
) -> None:
    kept = rendered.video.read_bytes()
    settings = Settings(workdir=cache)
    with pytest.raises(OutputExistsError, match=r"workshop\.foley\.mp4 exists already"):
        foley.run(SAMPLES / "workshop.mp4", prompt="rain", output=tmp_path, settings=settings)
    assert rendered.video.read_bytes() == kept
    rendered.video.unlink()
    with pytest.raises(OutputExistsError, match=r"plan\.yaml exists already"):
        foley.run(SAMPLES / "workshop.mp4", prompt="rain", output=tmp_path, settings=settings)


def test_a_plan_of_another_clip_is_refused(rendered: foley.Result, cache: Path) -> None:
    path = rendered.folder / "plan.yaml"
    identity = replace(rendered.plan.clip, key="0" * 32)
    events.save(replace(rendered.plan, clip=identity), path)
    with pytest.raises(PlanError, match="another version of"):
        foley.render(path, settings=Settings(workdir=cache))


def test_a_run_that_is_killed_at_any_moment_resumes_to_the_same_result(rendered: foley.Result, tmp_path: Path) -> None:
    (tmp_path / "killed").mkdir()
    command = [sys.executable, "-m", "foley", "run", str(SAMPLES / "workshop.mp4"), "-o", str(tmp_path / "killed")]
    command += ["--prompt", truth_of("workshop")["prompt"], "--workdir", str(tmp_path / "cache-killed")]
    for wait_s in (0.8, 1.6, 2.4, 3.2, 4.0, 4.8):
        process = subprocess.Popen(
            command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
        )
        time.sleep(wait_s)
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        if (tmp_path / "killed" / "workshop.foley.mp4").exists():
            break
    else:
        subprocess.run(command, check=True, capture_output=True)
    killed = tmp_path / "killed" / "workshop.foley"
    stems = {path.name: path.read_bytes() for path in (killed / "stems").glob("*.wav")}
    assert stems == {path.name: path.read_bytes() for path in (rendered.folder / "stems").glob("*.wav")}
    assert list((tmp_path / "killed").rglob(".*")) == []


def test_two_runs_at_once_share_a_cache(tmp_path: Path) -> None:
    results = []
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        command = [sys.executable, "-m", "foley", "run", str(SAMPLES / "storm.mp4"), "-o", str(tmp_path / name)]
        command += ["--prompt", "thunder and rain", "--workdir", str(tmp_path / "cache"), "--json"]
        results.append(subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE))
    for process in results:
        _, errors = process.communicate(timeout=300)
        assert process.returncode == 0, errors
    one, two = ((tmp_path / name / "storm.foley" / "stems" / "mix.wav").read_bytes() for name in ("one", "two"))
    assert one == two
