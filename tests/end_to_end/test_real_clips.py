"""Real clips end well: what foley says of its result is measured anew, with ffmpeg and soundfile."""

from __future__ import annotations

import json
import re
import subprocess
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
import soundfile

import foley
from foley.api import Settings
from foley.media import ffmpeg
from tests.real_media import REAL_MEDIA

RATE_HZ = 48_000
TARGET_LUFS = -23.0
LOUDNESS_TOLERANCE_LU = 0.5
"""What EBU R 128 allows a programme."""
CEILING_DBTP = -1.0
METER_DB = 0.1
"""ffmpeg prints tenths."""
LENGTH_TOLERANCE_S = 0.002
"""ffprobe prints the duration of a picture in microseconds, but sums up packets that Matroska rounds to 1 ms."""

CUT_S = 0.005
"""A click at a cut is within so much of it."""
AROUND_S = 0.25
CLICK_RATIO = 3.0
"""A step at a cut this many times the largest one near it, on a sound that goes on, is a click and no hit."""
AUDIBLE_STEP = 2e-3
"""-54 dBFS: a step under this is hidden by the sound around it."""

CLIPS = REAL_MEDIA / "clips"
TRUTH = json.loads((CLIPS / "clips.json").read_text()) if (CLIPS / "clips.json").is_file() else {}
ODD = ("corrupted.mp4", "h264-png.mp4", "h264_10bits.mp4", "mov_text.mp4", "unordered.mov")
"""Files that broke other programs; only the first is damaged."""


def ends_well(source: Path, prompt: str, tmp_path: Path) -> foley.Result:
    """Run a clip and hold the result to what holds for every clip."""
    result = foley.run(source, prompt=prompt, output=tmp_path / "out", settings=Settings(workdir=tmp_path / "cache"))
    assert ffmpeg.video_hash(result.video) == ffmpeg.video_hash(source)
    length = check_stems(result, source)
    check_level(result.folder / "stems" / "mix.wav", length)
    check_track(result.video, length)
    assert {path.name for path in (tmp_path / "out").iterdir()} == {result.video.name, result.folder.name}
    assert not list(result.folder.rglob(".*"))
    assert list((tmp_path / "cache" / "tmp").iterdir()) == []
    return result


def check_stems(result: foley.Result, source: Path) -> int:
    """Return the length of all stems in samples: the picture's."""
    mix = samples(result.folder / "stems" / "mix.wav")
    stems = [samples(result.folder / "stems" / f"{bus}.wav") for bus in ("foley", "effects", "backgrounds")]
    assert {len(stem) for stem in stems} == {len(mix)}
    assert np.abs(sum(stems) - mix).max() <= 2**-23
    assert abs(len(mix) / RATE_HZ - picture_s(source)) <= LENGTH_TOLERANCE_S
    assert len(mix) == result.delivery.report.duration_samples
    return len(mix)


def check_level(mix: Path, length: int) -> None:
    loudness, peak = ebur128(mix)
    sound = samples(mix)
    assert np.isfinite(sound).all()
    assert peak <= CEILING_DBTP + METER_DB
    if length >= 0.4 * RATE_HZ and np.abs(sound).max() > 0:  # a gating block, without which there is no loudness
        assert loudness == pytest.approx(TARGET_LUFS, abs=LOUDNESS_TOLERANCE_LU + METER_DB)


def check_track(video: Path, length: int) -> None:
    (track,) = ffmpeg.probe(video, select_streams="a:0")["streams"]
    assert track["disposition"]["default"] == 1
    assert round(float(track["duration"]) * RATE_HZ) == length


def samples(path: Path) -> np.ndarray:
    """Return a WAV's samples, shape (samples, channels), as they lie in the file."""
    found, rate_hz = soundfile.read(path, dtype="float64", always_2d=True)
    assert rate_hz == RATE_HZ
    return found


def picture_s(path: Path) -> float:
    """Return how long the film's picture is shown, by its packets: from the first frame to the end of the last."""
    streams = ffmpeg.probe(path, select_streams="v")["streams"]
    films = [stream for stream in streams if not stream["disposition"]["attached_pic"]]
    film = max(films, key=lambda stream: stream["width"] * stream["height"])
    packets = ffmpeg.probe(path, select_streams=str(film["index"]), show_entries="packet=pts_time,duration_time,flags")
    shown = [(float(p["pts_time"]), p.get("duration_time")) for p in packets["packets"] if "D" not in p["flags"]]
    last_s, lasts_s = max(shown, key=lambda packet: packet[0])
    return last_s + float(lasts_s or 1 / Fraction(film["avg_frame_rate"])) - min(shown)[0]


def ebur128(path: Path) -> tuple[float, float]:
    """Return integrated loudness in LUFS and true peak in dBTP by ffmpeg's meter."""
    command = ["ffmpeg", "-hide_banner", "-nostdin", "-i", str(path), "-af", "ebur128=peak=true", "-f", "null", "-"]
    said = subprocess.run(command, capture_output=True, text=True, check=True).stderr.rpartition("Summary:")[2]
    figures = [re.search(rf"{name}:\s+(-?[\d.]+|-inf)", said) for name in ("I", "Peak")]
    assert all(figures), said
    return tuple(float(figure[1]) for figure in figures)


def clicks_s(mix: np.ndarray, cuts_s: list[float], hits_s: list[float]) -> list[float]:
    """Return the cuts at which the sound steps as it does nowhere around them, where no hit is meant to be."""
    steps = np.abs(np.diff(mix, n=2, axis=0)).max(axis=1)  # the second difference: a step stands out of a steep wave
    found = []
    for cut_s in cuts_s:
        if any(abs(hit - cut_s) < 2 * CUT_S for hit in hits_s):
            continue
        near, far = (
            slice(max(0, round((cut_s - w) * RATE_HZ)), round((cut_s + w) * RATE_HZ)) for w in (CUT_S, AROUND_S)
        )
        inside = steps[near].max()
        around = np.concatenate([steps[far.start : near.start], steps[near.stop : far.stop]]).max()
        if inside > max(AUDIBLE_STEP, CLICK_RATIO * around):
            found.append(cut_s)
    return found


def test_the_click_finder_finds_a_click_and_no_more() -> None:
    rng = np.random.default_rng(7)
    noise = 0.05 * rng.standard_normal((2 * RATE_HZ, 2))
    assert clicks_s(noise, [0.5, 1.0], []) == []
    noise[RATE_HZ] += 0.9
    assert clicks_s(noise, [0.5, 1.0], []) == [1.0]
    assert clicks_s(noise, [1.0], [1.001]) == []


@pytest.mark.parametrize("name", sorted(TRUTH) or ["none"])
def test_a_real_clip_ends_well(name: str, shared: Path, tmp_path: Path) -> None:
    truth = TRUTH[name]
    result = ends_well(shared / "clips" / truth["file"], truth["prompt"], tmp_path)
    assert any(not event.muted for event in result.plan.events)
    hits_s = [hit.time_s for event in result.plan.events for hit in event.hits]
    starts_s = [event.start_s for event in result.plan.events if event.kind == "span"]
    assert clicks_s(samples(result.folder / "stems" / "mix.wav"), truth["cuts_s"], hits_s + starts_s) == []


@pytest.mark.parametrize("name", ODD)
def test_an_odd_clip_ends_well(name: str, shared: Path, tmp_path: Path) -> None:
    result = ends_well(shared / "clips" / "odd" / name, "wind and a distant dog", tmp_path)
    damage = [note for note in result.delivery.report.notes if "the picture is damaged near" in note]
    assert len(damage) == (name == "corrupted.mp4")
