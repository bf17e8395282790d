"""Sound on disk is exact; the clip's own tracks lie where the picture has them."""

from __future__ import annotations

import errno
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
import soundfile
from hypothesis import given
from hypothesis import strategies as st

from foley.analysis.probe import probe
from foley.contracts import Context
from foley.errors import CannotWriteError, DiskFullError
from foley.media import sound
from foley.media.atomic import written_whole
from foley.model import Audio, AudioFile, Clip, Source
from foley.units import to_samples
from tests import media_maker as make
from tests.media_fixtures import MediaShelf

STEP_24 = 2.0**-23
"""One step of 24 bits."""

ONE_MS = 48
"""Samples: nearer than this an event is where it belongs."""


def noise(channels: int, length: int, seed: int = 1) -> np.ndarray:
    return np.random.default_rng(seed).uniform(-1, 1, (channels, length)).astype(np.float32)


def first_loud(samples: np.ndarray, level: float = 0.02) -> int:
    return int(np.flatnonzero(np.abs(samples).max(axis=0) > level)[0])


def track_of(clip: Clip, index: int = 0, channels: int = 2, block_s: float = 1.0) -> np.ndarray:
    blocks = sound.read_track(clip, clip.sound[index], rate_hz=48_000, channels=channels, block_s=block_s)
    return np.concatenate(list(blocks), axis=1)


def test_what_was_read_is_written_bit_for_bit(tmp_path: Path) -> None:
    once = sound.save(Audio(noise(2, 5000), 48_000), tmp_path / "a.wav")
    again = sound.save(sound.load(once), tmp_path / "b.wav")
    assert once.path.read_bytes() == again.path.read_bytes()
    assert once == AudioFile(tmp_path / "a.wav", 48_000, 2, 5000)


@given(st.lists(st.floats(-1, 1, width=32), min_size=1, max_size=50))
def test_a_sample_is_stored_as_the_nearest_step(values: list[float]) -> None:
    samples = np.array([values], np.float32)
    stored = np.frombuffer(b"".join(bytes([0]) + p for p in _triples(sound._coded(samples, "PCM_24"))), "<i4") >> 8
    exact = np.clip(samples[0].astype(np.float64) / STEP_24, -(2**23), 2**23 - 1)
    assert np.abs(stored - exact).max() <= 0.5


def _triples(data: bytes) -> list[bytes]:
    return [data[i : i + 3] for i in range(0, len(data), 3)]


def test_sums_of_steps_stay_exact(tmp_path: Path) -> None:
    stems = [np.round(noise(1, 1000, seed) * 0.3 / STEP_24) * STEP_24 for seed in (1, 2, 3)]
    mix = sound.load(sound.save(Audio(sum(stems).astype(np.float32), 48_000), tmp_path / "mix.wav"))
    read = [
        sound.load(sound.save(Audio(stem.astype(np.float32), 48_000), tmp_path / f"{i}.wav"))
        for i, stem in enumerate(stems)
    ]
    assert np.array_equal(mix.samples, sum(stem.samples.astype(np.float64) for stem in read))


@pytest.mark.parametrize(("subtype", "step"), [("PCM_16", 2.0**-15), ("PCM_24", STEP_24), ("FLOAT", 0.0)])
def test_other_programs_read_the_same_samples(tmp_path: Path, subtype: sound.Subtype, step: float) -> None:
    samples = noise(3, 777)
    sound.save(Audio(samples, 44_100), tmp_path / "a.wav", subtype=subtype)
    read, rate_hz = soundfile.read(tmp_path / "a.wav", dtype="float64")
    assert rate_hz == 44_100
    assert soundfile.info(tmp_path / "a.wav").subtype == subtype
    assert np.abs(read.T - samples).max() <= step


def test_what_passes_full_scale_is_clipped_not_wrapped(tmp_path: Path) -> None:
    loud = sound.save(Audio(np.array([[2.0, -2.0, 1.0]], np.float32), 48_000), tmp_path / "a.wav")
    assert sound.load(loud).samples.tolist() == [[1 - STEP_24, -1.0, 1 - STEP_24]]


@given(st.integers(-50, 150), st.integers(0, 80))
def test_outside_the_file_lies_silence(first: int, length: int) -> None:
    padded = np.zeros((1, 400), np.float32)
    padded[:, 100:200] = _HUNDRED.samples
    assert np.array_equal(sound.read(_hundred_file(), first, first + length), padded[:, 100 + first :][:, :length])


_HUNDRED = Audio(np.round(noise(1, 100) / STEP_24).astype(np.float32) * np.float32(STEP_24), 48_000)
_KEPT: list[AudioFile] = []


def _hundred_file() -> AudioFile:
    return _KEPT[0]


@pytest.fixture(scope="module", autouse=True)
def hundred(tmp_path_factory: pytest.TempPathFactory) -> None:
    clipped = Audio(np.clip(_HUNDRED.samples, -1, 1 - STEP_24), 48_000)
    _HUNDRED.samples[:] = clipped.samples
    _KEPT[:] = [sound.save(clipped, tmp_path_factory.mktemp("hundred") / "a.wav")]


def test_a_file_past_the_limit_of_riff_is_rf64(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sound, "_RIFF_LIMIT_BYTES", 10_000)
    samples = np.round(noise(2, 3001) * 2**22).astype(np.float32) / 2**23
    file = sound.save(Audio(samples, 48_000), tmp_path / "a.wav")
    info = soundfile.info(file.path)
    assert (info.format, info.frames, info.channels) == ("RF64", 3001, 2)
    assert np.array_equal(sound.load(file).samples, samples)
    assert sound.describe(file.path) == file


def test_blocks_make_the_same_file_as_the_whole(tmp_path: Path) -> None:
    samples = noise(2, 10_000)
    whole = sound.save(Audio(samples, 48_000), tmp_path / "whole.wav")
    with sound.WavWriter(tmp_path / "blocks.wav", rate_hz=48_000, channels=2) as writer:
        for first in range(0, 10_000, 777):
            writer.append(samples[:, first : first + 777])
    assert writer.file.path.read_bytes() == whole.path.read_bytes()
    assert writer.file.length == 10_000


def test_a_writer_that_fails_leaves_the_old_file_and_nothing_else(tmp_path: Path) -> None:
    old = sound.save(Audio(noise(1, 10), 48_000), tmp_path / "a.wav").path.read_bytes()
    with pytest.raises(KeyboardInterrupt):
        _interrupted(tmp_path / "a.wav")
    assert (tmp_path / "a.wav").read_bytes() == old
    assert [path.name for path in tmp_path.iterdir()] == ["a.wav"]


def _interrupted(to: Path) -> None:
    with sound.WavWriter(to, rate_hz=48_000, channels=1) as writer:
        writer.append(noise(1, 10, seed=2))
        raise KeyboardInterrupt


def test_samples_that_are_no_numbers_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="not finite"):
        sound.save(Audio(np.array([[np.nan]], np.float32), 48_000), tmp_path / "a.wav")
    assert not list(tmp_path.iterdir())


def test_a_full_disk_and_a_missing_folder_are_told_apart(tmp_path: Path) -> None:
    with pytest.raises(DiskFullError, match="full"), written_whole(tmp_path / "a.wav"):
        raise OSError(errno.ENOSPC, "No space left on device")
    with pytest.raises(CannotWriteError, match="no such file"):
        sound.save(Audio(noise(1, 10), 48_000), tmp_path / "none" / "a.wav")


@pytest.mark.parametrize("suffix", [".mp4", ".mov", ".mkv"])
def test_a_tone_is_read_where_the_flash_is_seen(ctx: Context, media: MediaShelf, suffix: str) -> None:
    clip = probe(Source(media(make.flash_and_tone, suffix, at_s=(1.0,))), ctx)
    samples = track_of(clip)
    assert samples.shape == (2, to_samples(clip.duration_s, 48_000))
    assert abs(first_loud(samples) - 48_000) <= ONE_MS


@pytest.mark.parametrize("suffix", [".mp4", ".mkv"])
def test_sound_before_the_first_frame_is_cut_off(ctx: Context, media: MediaShelf, suffix: str) -> None:
    samples = track_of(probe(Source(media(make.late_picture, suffix)), ctx))
    assert samples.shape[1] == 96_000
    assert abs(first_loud(samples) - 48_000) <= ONE_MS


def test_a_track_that_begins_late_begins_with_silence(ctx: Context, media: MediaShelf) -> None:
    clip = probe(Source(media(make.late_sound, ".mkv")), ctx)
    samples = track_of(clip, block_s=0.3)
    assert clip.sound[0].start_s == Fraction(1, 2)
    assert abs(first_loud(samples) - 24_000) <= ONE_MS
    assert samples.shape[1] == 96_000


def test_a_mono_track_is_as_loud_on_both_sides(ctx: Context, tmp_path: Path) -> None:
    mono = 0.25 * np.sin(2 * np.pi * 440 * np.arange(48_000) / 48_000)[None].astype(np.float32)
    clip = probe(Source(make.with_sound(tmp_path / "film.mkv", mono)), ctx)
    samples = track_of(clip)
    assert np.abs(samples[0] - samples[1]).max() == 0
    assert np.abs(samples).max() == pytest.approx(0.25, abs=1e-3)


@pytest.mark.parametrize(("layout", "count"), [("3.0", 3), ("quad", 4), ("5.1(side)", 6), ("6.0", 6)])
def test_channels_of_any_layout_stay_where_they_are(ctx: Context, tmp_path: Path, layout: str, count: int) -> None:
    levels = [0.1 * (number + 1) for number in range(count)]
    tones = f"aevalsrc={'|'.join(f'{level}*sin(2*PI*440*t)' for level in levels)}:c={layout}:s=48000:d=1"
    video = tmp_path / "film.mov"
    make.ffmpeg("-f", "lavfi", "-i", "color=s=64x64:r=25:d=1", "-f", "lavfi", "-i", tones, "-c:a", "pcm_s24le", video)
    samples = track_of(probe(Source(video), ctx), channels=count)
    assert np.abs(samples).max(axis=1) == pytest.approx(levels, abs=1e-3)


def test_a_track_that_staggers_is_not_torn(ctx: Context, shared: Path) -> None:
    clip = probe(Source(shared / "clips" / "fireworks_b.mp4"), ctx)  # its packets are up to 40 ms off
    quiet = np.abs(track_of(clip)).max(axis=0) < 1e-6
    assert quiet[4800:-4800].mean() < 0.001
