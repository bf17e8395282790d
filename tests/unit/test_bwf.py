"""Broadcast Wave files say what they should, other programs read it, and their sound stays bit for bit."""

from __future__ import annotations

import io
import json
import os
import shutil
import struct
import subprocess
from pathlib import Path

import numpy as np
import pytest
import soundfile
import wavinfo
from hypothesis import given
from hypothesis import strategies as st

from foley.errors import CannotWriteError, NotAMediaFileError
from foley.media import bwf, ffmpeg, sound
from foley.media.bwf import Broadcast, Chunks, CuePoint
from foley.model import Audio, AudioFile

ONE_O_CLOCK = 172_800_000
"""Samples at 48 kHz."""

SAID = Broadcast(
    "Steps on gravel",
    "foley",
    "FOLEY-0123456789",
    "2026-11-21",
    "09:30:00",
    first_sample=ONE_O_CLOCK + 12,
    integrated_lufs=-23.04,
    range_lu=4.5,
    true_peak_dbtp=-1.98,
    momentary_lufs=-18.0,
    history=("A=PCM,F=48000,W=24,M=stereo,T=foley",),
)
FIELDS = (
    ("IXML_VERSION", "2.10"),
    ("PROJECT", "Käse & <Brot>"),
    ("SPEED", (("TIMECODE_RATE", "30000/1001"), ("TIMECODE_FLAG", "DF"))),
)
CUES = (CuePoint(96, "second", "why"), CuePoint(0, "first"), CuePoint(500, "lässt nach", length=1000))
CHUNKS = Chunks(bwf.bext(SAID) + bwf.ixml(FIELDS), bwf.cues(CUES))


def noise(channels: int, length: int) -> np.ndarray:
    return (np.random.default_rng(4).integers(-(2**23), 2**23, (channels, length)) / 2**23).astype(np.float32)


def plain(to: Path, channels: int = 2, length: int = 4801) -> AudioFile:
    return sound.save(Audio(noise(channels, length), 48_000), to)


@pytest.fixture
def marked(tmp_path: Path) -> AudioFile:
    source = plain(tmp_path / "plain.wav")
    sound.save_with(source, tmp_path / "marked.wav", CHUNKS)
    return sound.describe(tmp_path / "marked.wav")


def test_wavinfo_reads_what_was_said(marked: AudioFile) -> None:
    read = wavinfo.WavInfoReader(str(marked.path))
    assert (read.bext.description, read.bext.originator, read.bext.version) == ("Steps on gravel", "foley", 2)
    assert (read.bext.originator_ref, read.bext.originator_date) == ("FOLEY-0123456789", "2026-11-21")
    assert read.bext.originator_time == "09:30:00"
    assert read.bext.time_reference == ONE_O_CLOCK + 12
    assert read.bext.coding_history.strip() == "A=PCM,F=48000,W=24,M=stereo,T=foley"
    loudness = (read.bext.loudness_value, read.bext.loudness_range, read.bext.max_true_peak)
    assert loudness == pytest.approx((-23.04, 4.5, -1.98))
    assert read.bext.max_shortterm_loudness == pytest.approx(0x7FFF / 100)  # not measured
    assert read.ixml.project == "Käse & <Brot>"


def test_wavinfo_reads_the_markers(marked: AudioFile) -> None:
    found = wavinfo.WavInfoReader(str(marked.path)).cues.to_dict()
    assert [found[number]["frame"] for number in (1, 2, 3)] == [0, 96, 500]
    assert [found[number]["label"] for number in (1, 2)] == ["first", "second"]
    assert found[2]["note"] == "why"
    assert found[3]["length"] == 1000


def test_ffprobe_reads_it(marked: AudioFile) -> None:
    command = ["ffprobe", "-v", "error", "-of", "json", "-show_entries", "format_tags:stream=duration_ts"]
    said = json.loads(subprocess.run([*command, marked.path], capture_output=True, check=True).stdout)
    tags = said["format"]["tags"]
    assert (tags["comment"], tags["encoded_by"], tags["date"]) == ("Steps on gravel", "foley", "2026-11-21")
    assert tags["time_reference"] == str(ONE_O_CLOCK + 12)
    assert said["streams"][0]["duration_ts"] == marked.length


@pytest.mark.skipif(shutil.which("mediainfo") is None, reason="mediainfo is not installed")
def test_mediainfo_reads_it(marked: AudioFile) -> None:
    done = subprocess.run(["mediainfo", "--Output=JSON", marked.path], capture_output=True, check=True)
    general, audio = json.loads(done.stdout)["media"]["track"][:2]
    assert general["Description"] == "Steps on gravel"
    assert float(audio["Delay"]) == pytest.approx(3600.0, abs=0.001)
    assert (audio["BitDepth"], audio["SamplingRate"]) == ("24", "48000")
    assert audio["extra"]["LoudnessValue"] == "-23.04"


def test_the_samples_are_the_same_bit_for_bit(tmp_path: Path, marked: AudioFile) -> None:
    with_chunks, _ = soundfile.read(marked.path, dtype="int32", always_2d=True)
    without, _ = soundfile.read(tmp_path / "plain.wav", dtype="int32", always_2d=True)
    assert np.array_equal(with_chunks, without)
    assert marked == AudioFile(tmp_path / "marked.wav", 48_000, 2, 4801)


def test_the_chunks_of_a_copy_are_not_copied_again(tmp_path: Path, marked: AudioFile) -> None:
    sound.save_with(marked, tmp_path / "bare.wav", Chunks())
    assert (tmp_path / "bare.wav").read_bytes() == (tmp_path / "plain.wav").read_bytes()


@pytest.mark.parametrize(("channels", "length"), [(1, 0), (1, 1), (1, 1001), (2, 3), (6, 777)])
def test_files_of_every_size_are_whole(tmp_path: Path, channels: int, length: int) -> None:
    source = plain(tmp_path / "a.wav", channels, length)
    sound.save_with(source, tmp_path / "b.wav", CHUNKS)
    data = (tmp_path / "b.wav").read_bytes()
    assert struct.unpack_from("<I", data, 4)[0] == len(data) - 8
    assert names(data) == ["JUNK", "bext", "iXML", "fmt ", "data", "cue ", "LIST"]
    assert np.array_equal(sound.load(sound.describe(tmp_path / "b.wav")).samples, noise(channels, length))


@pytest.mark.parametrize(("channels", "layout"), [(1, None), (2, None), (3, None), (6, "5.1"), (8, "7.1")])
def test_files_of_many_channels_say_which_speakers_they_are_for(
    tmp_path: Path, channels: int, layout: str | None
) -> None:
    made = plain(tmp_path / "a.wav", channels, 480)
    (stream,) = ffmpeg.probe(made.path)["streams"]
    assert (stream["codec_name"], stream["channels"]) == ("pcm_s24le", channels)
    assert stream.get("channel_layout") == layout
    assert np.array_equal(sound.load(sound.describe(made.path)).samples, noise(channels, 480))


def names(data: bytes) -> list[str]:
    """The chunks of a file, one after the other to its last byte."""
    found, place = [], 12
    while place < len(data):
        name, size = struct.unpack_from("<4sI", data, place)
        found.append(name.decode())
        place += 8 + size + size % 2
    assert place == len(data)
    return found


def test_a_file_written_with_chunks_is_the_copy_with_chunks(tmp_path: Path) -> None:
    source = plain(tmp_path / "plain.wav", 1, 333)
    sound.save_with(source, tmp_path / "copy.wav", CHUNKS)
    with sound.WavWriter(tmp_path / "written.wav", rate_hz=48_000, channels=1, chunks=CHUNKS) as writer:
        writer.append(noise(1, 333))
    assert (tmp_path / "written.wav").read_bytes() == (tmp_path / "copy.wav").read_bytes()


def test_a_copy_that_is_there_is_left_alone(tmp_path: Path) -> None:
    source, to = plain(tmp_path / "a.wav"), tmp_path / "b.wav"
    sound.save_with(source, to, CHUNKS)
    there = to.stat().st_ino
    sound.save_with(source, to, CHUNKS)
    assert to.stat().st_ino == there


@pytest.mark.parametrize("part", ["head", "tail", "source"])
def test_a_copy_that_would_be_another_is_written_anew(tmp_path: Path, part: str) -> None:
    source, to = plain(tmp_path / "a.wav"), tmp_path / "b.wav"
    sound.save_with(source, to, CHUNKS)
    other = CHUNKS
    if part == "head":  # as long as before
        other = Chunks(CHUNKS.head.replace(b"Steps", b"Stops"), CHUNKS.tail)
    elif part == "tail":
        other = Chunks(CHUNKS.head, CHUNKS.tail.replace(b"first", b"FIRST"))
    else:
        sound.save(Audio(-noise(2, 4801), 48_000), source.path)
        os.utime(source.path, ns=(1, 1))
    sound.save_with(source, to, other)
    assert other.head in to.read_bytes()
    assert other.tail in to.read_bytes()
    assert np.array_equal(sound.load(sound.describe(to)).samples, sound.load(source).samples)


def test_a_system_that_cannot_copy_by_itself_gives_the_same_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = plain(tmp_path / "a.wav")
    sound.save_with(source, tmp_path / "fast.wav", CHUNKS)

    def refused(*_: object, **__: object) -> int:
        raise OSError(18, "Invalid cross-device link")

    monkeypatch.setattr(os, "copy_file_range", refused, raising=False)
    sound.save_with(source, tmp_path / "slow.wav", CHUNKS)
    monkeypatch.delattr(os, "copy_file_range")
    sound.save_with(source, tmp_path / "none.wav", CHUNKS)
    fast = (tmp_path / "fast.wav").read_bytes()
    assert (tmp_path / "slow.wav").read_bytes() == fast
    assert (tmp_path / "none.wav").read_bytes() == fast


def test_past_the_limit_a_copy_is_rf64(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = plain(tmp_path / "a.wav")
    monkeypatch.setattr(sound, "_RIFF_LIMIT_BYTES", source.path.stat().st_size + 10)  # the chunks are what is too much
    sound.save_with(source, tmp_path / "b.wav", CHUNKS)
    info = soundfile.info(tmp_path / "b.wav")
    assert (info.format, info.frames) == ("RF64", 4801)
    read = wavinfo.WavInfoReader(str(tmp_path / "b.wav"))
    assert (read.bext.time_reference, read.ixml.project) == (ONE_O_CLOCK + 12, "Käse & <Brot>")
    sound.save_with(sound.describe(tmp_path / "b.wav"), tmp_path / "c.wav", Chunks())
    assert (tmp_path / "c.wav").read_bytes() == source.path.read_bytes()


def test_a_film_of_ten_hours_is_read_by_others(tmp_path: Path) -> None:
    frames = 10 * 3600 * 48_000
    fmt = bwf.format_chunk(rate_hz=48_000, channels=2, bits=24, is_float=False)
    film = tmp_path / "film.wav"
    with film.open("wb") as out:  # sparse: 10 GB of silence that take no room
        out.write(bwf.header(fmt, frames=frames, data_bytes=6 * frames, chunks=CHUNKS))
        out.seek(6 * frames, os.SEEK_CUR)
        out.write(CHUNKS.tail)
    assert (soundfile.info(film).format, soundfile.info(film).frames) == ("RF64", frames)
    command = ["ffprobe", "-v", "error", "-of", "json", "-show_entries", "stream=duration:format_tags", film]
    said = json.loads(subprocess.run(command, capture_output=True, check=True).stdout)
    assert float(said["streams"][0]["duration"]) == 36_000.0
    assert said["format"]["tags"]["time_reference"] == str(ONE_O_CLOCK + 12)
    assert sound.read(sound.describe(film), frames - 10, frames).shape == (2, 10)


@given(st.text(max_size=400), st.text(max_size=60), st.floats(allow_nan=True, allow_infinity=True) | st.none())
def test_any_words_and_figures_make_whole_chunks(words: str, name: str, figure: float | None) -> None:
    said = Broadcast(words, name, name, integrated_lufs=figure, history=(words,))
    data = bwf.bext(said) + bwf.ixml((("NOTE", words), ("USER", (("A", name),)))) + bwf.cues([CuePoint(5, words, name)])
    assert names(b"RIFF0000WAVE" + data) == ["bext", "iXML", "cue ", "LIST"]
    xml = data.partition(b"iXML")[2][4:].partition(b"</BWFXML>")[0] + b"</BWFXML>"
    from xml.etree import ElementTree

    assert ElementTree.fromstring(xml).find("NOTE") is not None


def test_cues_out_of_reach_are_left_out() -> None:
    assert bwf.cues([]) == b""
    assert bwf.cues([CuePoint(-1, "before"), CuePoint(2**32, "after a day")]) == b""


@pytest.mark.parametrize("content", [b"", b"RIFF", b"RIFF0000WAVEfmt ", b"RIFF0000AVI data0000", b"\0" * 500])
def test_what_is_no_wav_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a.wav").write_bytes(content)
    with pytest.raises(bwf.NotWaveError):
        bwf.find_data(io.BytesIO(content))
    with pytest.raises(NotAMediaFileError):
        sound.save_with(AudioFile(tmp_path / "a.wav", 48_000, 1, 1), tmp_path / "b.wav", CHUNKS)
    assert not (tmp_path / "b.wav").exists()


def test_a_source_that_was_cut_off_or_is_gone_leaves_nothing_behind(tmp_path: Path) -> None:
    source = plain(tmp_path / "a.wav")
    with source.path.open("r+b") as file:
        file.truncate(1000)
    with pytest.raises(NotAMediaFileError, match="cut off"):
        sound.save_with(source, tmp_path / "b.wav", CHUNKS)
    source.path.unlink()
    with pytest.raises(NotAMediaFileError, match="does not exist"):
        sound.save_with(source, tmp_path / "b.wav", CHUNKS)
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(CannotWriteError):
        sound.save_with(plain(tmp_path / "a.wav"), tmp_path / "no" / "b.wav", CHUNKS)
