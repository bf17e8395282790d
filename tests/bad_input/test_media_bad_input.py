"""Every bad input is refused by its own error, in words that say what is wrong with which file."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from foley.analysis.probe import probe
from foley.contracts import Context
from foley.errors import (
    CannotWriteError,
    DamagedVideoError,
    DiskFullError,
    EmptyVideoError,
    MissingProgramError,
    NotAMediaFileError,
    NoVideoStreamError,
)
from foley.media import ffmpeg
from foley.media.reader import read_frames
from foley.media.sound import describe
from foley.model import Source
from tests import media_maker as make
from tests.media_fixtures import MediaShelf


def expect_refusal(path: Path, ctx: Context, error: type[Exception], words: str) -> None:
    with pytest.raises(error, match=words) as caught:
        probe(Source(path), ctx)
    assert str(path) in str(caught.value)


def test_a_missing_file(tmp_path: Path, ctx: Context) -> None:
    expect_refusal(tmp_path / "none.mp4", ctx, NotAMediaFileError, "does not exist")


def test_a_folder(tmp_path: Path, ctx: Context) -> None:
    expect_refusal(tmp_path, ctx, NotAMediaFileError, "is a folder")


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="nothing is forbidden to root")
def test_a_file_that_may_not_be_read(tmp_path: Path, ctx: Context) -> None:
    film = make.moving(tmp_path / "film.mp4")
    film.chmod(0)
    expect_refusal(film, ctx, NotAMediaFileError, "permission denied")


def test_an_empty_file(tmp_path: Path, ctx: Context) -> None:
    (tmp_path / "empty.mp4").touch()
    expect_refusal(tmp_path / "empty.mp4", ctx, NotAMediaFileError, "is empty")


@pytest.mark.parametrize("name", ["film.mp4", "notes.txt", "list.srt"])
def test_text(tmp_path: Path, ctx: Context, name: str) -> None:
    (tmp_path / name).write_text("1\n00:00:00,500 --> 00:00:01,500\nThis is no film at all.\n\n" * 50)
    expect_refusal(tmp_path / name, ctx, NotAMediaFileError, "is text|no media file|neither pictures nor sound")


def test_noise(tmp_path: Path, ctx: Context) -> None:
    (tmp_path / "noise.mkv").write_bytes(bytes((i * i * 31 + 7) % 251 for i in range(20_000)))
    expect_refusal(tmp_path / "noise.mkv", ctx, NotAMediaFileError, "no media file")


def test_sound_without_a_picture(media: MediaShelf, ctx: Context) -> None:
    expect_refusal(media(make.sound_only), ctx, NoVideoStreamError, "no video stream")


def test_a_film_that_ends_before_its_index(media: MediaShelf, ctx: Context) -> None:
    expect_refusal(media(make.truncated, index_first=False), ctx, DamagedVideoError, "ends before its index")


def test_a_film_of_no_frames(tmp_path: Path, ctx: Context) -> None:
    film = tmp_path / "none.avi"
    make.ffmpeg("-f", "lavfi", "-i", "color=s=160x90:r=25:d=1", "-frames:v", "0", "-c:v", "mpeg4", film)
    expect_refusal(film, ctx, EmptyVideoError, "holds no frame")


def test_a_film_none_of_whose_pictures_can_be_decoded(tmp_path: Path, ctx: Context) -> None:
    film = make.moving(tmp_path / "film.mp4", more=("-c:v", "libx264", "-movflags", "faststart", "-pix_fmt", "yuv420p"))
    clip = probe(Source(film), ctx)
    data = bytearray(film.read_bytes())
    start = data.index(b"mdat") + 4
    data[start:] = bytes(len(data) - start)
    film.write_bytes(data)
    with (
        pytest.raises((EmptyVideoError, DamagedVideoError), match=r"film\.mp4"),
        read_frames(clip, width_px=64) as frames,
    ):
        list(frames)


def test_sound_that_is_no_sound(tmp_path: Path) -> None:
    (tmp_path / "sound.wav").write_text("no")
    with pytest.raises(NotAMediaFileError, match="no sound file"):
        describe(tmp_path / "sound.wav")
    with pytest.raises(NotAMediaFileError, match="does not exist"):
        describe(tmp_path / "none.wav")


def test_a_missing_program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, media: MediaShelf, ctx: Context) -> None:
    film = Path(shutil.copy(media(make.moving), tmp_path / "never seen.mp4"))
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(MissingProgramError, match="ffprobe is not installed") as caught:
        probe(Source(film), ctx)
    assert "install" in caught.value.hint
    with pytest.raises(MissingProgramError, match="ffmpeg is not installed"):
        ffmpeg.write("-i", film, to=tmp_path / "out.mkv")


@pytest.mark.skipif(os.name == "nt", reason="the stand-in is a shell script")
@pytest.mark.parametrize(
    ("says", "error"),
    [
        ("av_interleaved_write_frame(): No space left on device", DiskFullError),
        ("out.mkv: Permission denied", CannotWriteError),
        ("out.mkv: Read-only file system", CannotWriteError),
    ],
)
def test_what_ffmpeg_says_of_the_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, says: str, error: type[Exception]
) -> None:
    program = tmp_path / "ffmpeg"
    program.write_text(f"#!/bin/sh\necho '{says}' >&2\nexit 1\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(error, match=r"out\.mkv"):
        ffmpeg.write("-version", to=tmp_path / "out.mkv")
    assert [path.name for path in tmp_path.iterdir()] == ["ffmpeg"]


def test_a_folder_that_does_not_exist(tmp_path: Path, media: MediaShelf) -> None:
    with pytest.raises(CannotWriteError, match="does not exist"):
        ffmpeg.write("-i", media(make.moving), "-c", "copy", to=tmp_path / "none" / "out.mkv")
