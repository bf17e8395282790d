"""The picture is copied bit for bit, the new sound lies where it belongs, the rest comes along."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from foley.analysis.probe import probe
from foley.contracts import Context
from foley.errors import MuxError
from foley.media import sound
from foley.media.ffmpeg import video_hash
from foley.media.writer import GENERATED_MARK, coded_track, coding_for, mux
from foley.model import Audio, AudioFile, Clip, Source
from foley.units import to_samples
from tests import media_maker as make
from tests.media_fixtures import MediaShelf

ONE_MS = 48
"""Samples at 48 kHz."""


def clicks(clip: Clip, to: Path) -> tuple[AudioFile, list[int]]:
    """Write a track as long as the clip with a short noise at the start, in the middle and near the end."""
    length = to_samples(clip.duration_s, 48_000)
    samples = np.zeros((2, length), np.float32)
    places = [480, length // 2, length - 4800]
    for place in places:
        samples[:, place : place + 600] = click()
    return sound.save(Audio(samples, 48_000), to), places


def click() -> np.ndarray:
    return (np.random.default_rng(3).standard_normal(600) * np.hanning(600) * 0.3).astype(np.float32)


def off_by(samples: np.ndarray, place: int) -> int:
    """Return how many samples the noise is heard late at a place."""
    first = max(0, place - 400)
    likeness = np.correlate(samples[0, first : place + 1000], click(), "valid")
    return int(likeness.argmax()) + first - place


def muxed(path: Path, to: Path, ctx: Context, *, replace: bool = False) -> tuple[Clip, Clip, list[int]]:
    """Mux clicks into a clip; return the clip, the result, and how late each click is heard in it, in samples."""
    clip = probe(Source(path), ctx)
    track, places = clicks(clip, to.with_suffix(".track.wav"))
    coding = coding_for(to)
    coded = track.path if coding is None else coded_track(track, coding, ctx.scratch)
    mux(clip, coded, to, title="Foley effects", language="eng", replace=replace)
    made = probe(Source(to), ctx)
    heard = np.concatenate(list(sound.read_track(made, made.sound[0], rate_hz=48_000, channels=2)), axis=1)
    return clip, made, [off_by(heard, place) for place in places]


def streams(path: Path) -> dict[str, Any]:
    asked = ["ffprobe", "-v", "error", "-show_format", "-show_streams", "-show_chapters", "-of", "json", str(path)]
    return json.loads(subprocess.run(asked, capture_output=True, check=True).stdout)


@pytest.mark.parametrize(
    ("source", "target"),
    [(".mp4", ".mp4"), (".mp4", ".mkv"), (".mov", ".mov"), (".mkv", ".mp4")],
)
@pytest.mark.parametrize("maker", [make.late_picture, make.flash_and_tone])
def test_sound_is_heard_on_time_and_the_picture_is_untouched(
    media: MediaShelf, ctx: Context, tmp_path: Path, maker: Any, source: str, target: str
) -> None:
    clip, made, late = muxed(media(maker, source), tmp_path / f"out{target}", ctx)
    assert max(map(abs, late)) <= ONE_MS
    assert video_hash(made.path) == video_hash(clip.path)
    same = source == target
    assert abs(made.duration_s - clip.duration_s) <= (0.001 if same else 1 / clip.video.frame_rate)


def test_transport_streams_and_edit_lists_are_on_time(media: MediaShelf, ctx: Context, tmp_path: Path) -> None:
    _, _, late = muxed(media(make.moving, ".ts"), tmp_path / "out.ts", ctx)
    assert max(map(abs, late)) <= ONE_MS
    clip, made, late = muxed(media(make.cut_start), tmp_path / "out.mp4", ctx)
    assert max(map(abs, late)) <= ONE_MS
    assert made.duration_s == clip.duration_s
    assert video_hash(made.path) == video_hash(clip.path)


def test_webm_is_on_time(media: MediaShelf, ctx: Context, tmp_path: Path) -> None:
    film = media(make.moving, ".webm", more=("-c:v", "libvpx", "-deadline", "realtime"))
    clip, made, late = muxed(film, tmp_path / "out.webm", ctx)
    assert max(map(abs, late)) <= ONE_MS
    assert video_hash(made.path) == video_hash(clip.path)


@pytest.mark.parametrize("duration_s", [1.0, 1.04, 2.002])
def test_aac_in_mp4_is_as_long_as_the_track_to_the_sample(
    media: MediaShelf, ctx: Context, tmp_path: Path, duration_s: float
) -> None:
    film = media(make.moving, duration_s=duration_s)
    clip, made, _ = muxed(film, tmp_path / "out.mp4", ctx)
    stream = next(s for s in streams(made.path)["streams"] if s["codec_type"] == "audio")
    assert stream["codec_name"] == "aac"
    assert stream["start_pts"] == 0
    assert stream["duration_ts"] == to_samples(clip.duration_s, 48_000)


@pytest.mark.parametrize("suffix", [".mov", ".mkv"])
def test_lossless_tracks_are_bit_identical(media: MediaShelf, ctx: Context, tmp_path: Path, suffix: str) -> None:
    clip = probe(Source(media(make.moving)), ctx)
    samples = np.random.default_rng(1).uniform(-0.9, 0.9, (2, to_samples(clip.duration_s, 48_000))).astype(np.float32)
    track = sound.save(Audio(samples, 48_000), tmp_path / "track.wav")
    mux(clip, track.path, tmp_path / f"out{suffix}", title="t", language="und", replace=False)
    made = probe(Source(tmp_path / f"out{suffix}"), ctx)
    heard = np.concatenate(list(sound.read_track(made, made.sound[0], rate_hz=48_000, channels=2)), axis=1)
    assert np.array_equal(heard, sound.load(track).samples)


@pytest.mark.parametrize("suffix", [".mp4", ".mov", ".mkv"])
def test_everything_else_comes_along(media: MediaShelf, ctx: Context, tmp_path: Path, suffix: str) -> None:
    clip, made, _ = muxed(media(make.rich, suffix), tmp_path / f"out{suffix}", ctx)
    tracks = made.sound
    assert (tracks[0].title, tracks[0].language) == ("Foley effects", "eng")
    assert len(tracks) == 3
    assert len(made.subtitles) == 2
    assert made.chapters == 2
    assert made.timecode == clip.timecode
    found = streams(made.path)
    defaults = [s["disposition"]["default"] for s in found["streams"] if s["codec_type"] == "audio"]
    assert defaults == [1, 0, 0]
    tags = {key.lower(): value for key, value in found["format"]["tags"].items()}
    assert tags["comment"] == f"Shot on a Tuesday; {GENERATED_MARK}"
    assert tags["title"] == "A film"


def test_original_sound_is_left_out_where_it_is_replaced(media: MediaShelf, ctx: Context, tmp_path: Path) -> None:
    _, made, _ = muxed(media(make.rich, ".mp4"), tmp_path / "out.mp4", ctx, replace=True)
    assert [track.title for track in made.sound] == ["Foley effects"]


def test_text_subtitles_are_turned_into_what_the_container_knows(
    media: MediaShelf, ctx: Context, tmp_path: Path
) -> None:
    _, made, _ = muxed(media(make.rich, ".mkv"), tmp_path / "out.mp4", ctx)
    assert [subtitle.codec for subtitle in made.subtitles] == ["mov_text", "mov_text"]


def test_a_cover_stays_a_cover(media: MediaShelf, ctx: Context, tmp_path: Path) -> None:
    clip, made, _ = muxed(media(make.with_cover), tmp_path / "out.mp4", ctx)
    covers = [s["disposition"]["attached_pic"] for s in streams(made.path)["streams"] if s["codec_type"] == "video"]
    assert sorted(covers) == [0, 1]
    assert sorted(video_hash(made.path).split("=")[1::1]) == sorted(video_hash(clip.path).split("=")[1::1])


def test_the_mark_is_not_written_twice(media: MediaShelf, ctx: Context, tmp_path: Path) -> None:
    muxed(media(make.moving), tmp_path / "once.mp4", ctx)
    _, made, _ = muxed(tmp_path / "once.mp4", tmp_path / "twice.mp4", ctx)
    assert streams(made.path)["format"]["tags"]["comment"] == GENERATED_MARK


@pytest.mark.parametrize(
    ("name", "words"),
    [("out.webm", "VP8"), ("out.gif", "no container"), ("out.avi", "no times"), ("out.xyz", "no container")],
)
def test_a_container_that_cannot_hold_it_is_refused_and_one_that_can_is_named(
    media: MediaShelf, ctx: Context, tmp_path: Path, name: str, words: str
) -> None:
    clip = probe(Source(media(make.moving)), ctx)
    track, _ = clicks(clip, tmp_path / "track.wav")
    (tmp_path / name).write_bytes(b"precious")
    with pytest.raises(MuxError, match=words) as caught:
        mux(clip, track.path, tmp_path / name, title="t", language="und", replace=False)
    assert ".mp4" in caught.value.hint
    assert ".mkv" in caught.value.hint
    assert (tmp_path / name).read_bytes() == b"precious"
    assert {path.name for path in tmp_path.iterdir()} - {"cache"} == {name, "track.wav"}


def test_strange_file_names_are_only_names(media: MediaShelf, ctx: Context, tmp_path: Path) -> None:
    strange = tmp_path / "-y 'a' \"b\" $(c) %03d:d.mp4"
    strange.write_bytes(media(make.moving).read_bytes())
    _, made, _ = muxed(strange, tmp_path / "-out %d : \u00fc.mp4", ctx)
    assert len(made.sound) == 1
