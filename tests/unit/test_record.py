"""What lies beside a result answers for it: who made each sound, how, and under which licence."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from foley.deliver import outputs, record
from foley.deliver.credits import credited, credits_text
from foley.deliver.finished import Finished
from foley.deliver.marking import Session
from foley.deliver.sounds import Sounds
from foley.media import sound
from foley.model import (
    Audio,
    ClipIdentity,
    FittedTakes,
    LoudnessFigures,
    Master,
    Mixdown,
    Provenance,
    Reasoning,
    Report,
    SoundEvent,
    SoundPlan,
    Take,
)
from tests.planning import clip_of, picture_of, unseen

DOOR = SoundEvent("e01-door", "door", "hits", "effects", 1.0, 1.5, "It shuts.", prompt="a heavy door", seed=11)
STEPS = SoundEvent("e02-steps", "steps", "hits", "foley", 2.0, 4.0, "Somebody walks.", prompt="gravel\nsteps", seed=22)
MUTED = SoundEvent("e03-wind", "wind", "bed", "backgrounds", 0.0, 5.0, "It moves.", muted=True)
PROVENANCE = Provenance(
    {"foley": "9.9.9", "python": "3.11"}, "test", {"deliver": {"title": "Foley", "c2pa_key": "/home/me/secret.pem"}}
)


@pytest.fixture
def done(tmp_path: Path) -> Finished:
    audio = sound.save(Audio(np.zeros((2, 480), np.float32), 48_000), tmp_path / "mix.wav")
    takes = (
        Take("e01-door", "k1", audio, 0, -3.0, "library", "none", True,
             ("made from recordings: door.wav (licence: CC-BY-4.0)",), "library/4"),
        Take("e02-steps", "k2", audio, 0, -3.0, "audiogen", "CC-BY-NC-4.0", False, (), "audiogen/2 medium@abc"),
    )  # fmt: skip
    clip, picture = clip_of(5.0), picture_of(5.0)
    identity = ClipIdentity("clip.mp4", clip.key, clip.duration_s, clip.video.frame_rate)
    plan = SoundPlan(identity, picture.shots, (), Reasoning("", "", "", ""), (DOOR, STEPS, MUTED))
    figures = LoudnessFigures(-23.0, -3.0, -23.0, -1.0, True)
    stems = {"foley": audio, "effects": audio, "backgrounds": audio, "music": audio}
    mixdown = Mixdown(stems, audio, audio, False, False, -23.0, -1.0, Master(0.0, -23.0, {}, {}))
    report = Report((), figures, figures, 0.0, 480, ())
    return Finished(clip, picture, unseen(picture), plan, FittedTakes(takes), mixdown, report)


def test_credits_name_generator_model_licence_seed_prompt_and_recordings(done: Finished) -> None:
    text = credits_text(credited(done), version="9.9.9")
    assert "foley 9.9.9" in text
    assert "audiogen/2 medium@abc" in text
    assert "Attribution-NonCommercial 4.0" in text
    assert "commercial use: not allowed" in text
    assert "seed 22: AI-generated sound" in text
    assert "prompt: gravel steps" in text
    assert "recordings: door.wav (licence: CC-BY-4.0)" in text
    assert "wind" not in text  # nobody hears it
    assert "compositeSynthetic" in text


def test_the_manifest_answers_for_each_take(done: Finished) -> None:
    written = record.manifest(done, PROVENANCE, [])
    door, steps = written["takes"]
    assert (steps["seed"], steps["prompt"], steps["commercial_use"]) == (22, "gravel\nsteps", False)
    assert steps["digital_source_type"].endswith("/trainedAlgorithmicMedia")
    assert door["recordings"] == "door.wav (licence: CC-BY-4.0)"
    assert door["digital_source_type"].endswith("/composite")
    assert written["digital_source_type"].endswith("/compositeSynthetic")


def test_the_manifest_keeps_a_user_s_secrets_to_itself(done: Finished) -> None:
    assert record.manifest(done, PROVENANCE, [])["options"] == {"deliver": {"title": "Foley"}}


def test_the_manifest_lists_the_files_whatever_they_are_called(done: Finished, tmp_path: Path) -> None:
    for how in ("plain", "ucs", "delivery"):
        files = Sounds(done, Session(done.clip), how).place(tmp_path / how)  # type: ignore[arg-type]
        listed = {entry["file"]: entry for entry in record.manifest(done, PROVENANCE, files)["sounds"]}
        there = {path.relative_to(tmp_path / how).as_posix() for path in (tmp_path / how).rglob("*.wav")}
        assert set(listed) == there
        assert {entry["event"] for entry in listed.values() if entry["holds"] == "take"} == {"e01-door", "e02-steps"}
        held = {entry["holds"] for entry in listed.values()}
        assert held == {"take", "foley", "effects", "backgrounds", "music", "mix"}


def test_a_stem_s_origin_is_that_of_its_own_takes(done: Finished) -> None:
    by_stem = {heard.holds: heard for heard in Sounds(done, Session(done.clip)).heard()}
    assert by_stem["foley"].source_type == "trainedAlgorithmicMedia"
    assert by_stem["effects"].source_type == "composite"
    assert by_stem["backgrounds"].source_type == ""
    assert by_stem["backgrounds"].mark == "Silence"
    assert by_stem["mix"].source_type == "compositeSynthetic"
    assert by_stem["mix"].events == (DOOR, STEPS)


def test_a_master_is_read_back_as_it_was(tmp_path: Path) -> None:
    curve = np.linspace(1.0, 0.5, 11).astype(np.float32)
    kept = Master(-3.5, -23.0, {"foley": curve, "music": curve}, {"foley": "a"}, "designed", {"foley": curve * 0.5})
    outputs.save_master(kept, tmp_path)
    read = outputs.load_master(tmp_path)
    assert read is not None
    assert (read.gain_db, read.target_lufs, read.chain, read.bus_keys) == (-3.5, -23.0, "designed", {"foley": "a"})
    assert {bus: read.limiter[bus].tolist() for bus in read.limiter} == {
        "foley": curve.tolist(),
        "music": curve.tolist(),
    }
    assert np.array_equal(read.compressor["foley"], curve * 0.5)


def test_what_an_earlier_result_wrote_goes_with_the_folders_that_it_leaves_empty(tmp_path: Path) -> None:
    stale, kept, foreign = (tmp_path / name for name in ("tool/output/a.mp3", "takes/b.wav", "mine/c.txt"))
    for file in (stale, kept, foreign):
        file.parent.mkdir(parents=True)
        file.write_text("x")
    outputs.write_text(
        tmp_path / outputs.MANIFEST, json.dumps({"files": {"tool/output/a.mp3": "1", "takes/b.wav": "2"}})
    )

    outputs.clear_stale(tmp_path, {"takes/b.wav": "2"})

    assert sorted(path.name for path in tmp_path.iterdir()) == sorted([outputs.MANIFEST, "takes", "mine"])
    assert kept.exists()
    assert foreign.exists()
