"""What a container says of a clip is read exactly."""

from __future__ import annotations

import shutil
from fractions import Fraction
from pathlib import Path

import pytest

from foley.analysis.probe import content_key, probe
from foley.contracts import Context
from foley.model import Clip, Source
from tests import media_maker as make
from tests.media_fixtures import MediaShelf

MILLISECOND = Fraction(1, 1000)
"""One tick of Matroska's clock: it cannot say a time better than half of this."""


@pytest.fixture
def probed(ctx: Context):
    def read(path: Path) -> Clip:
        return probe(Source(path), ctx)

    return read


@pytest.mark.parametrize("rate", ["25", "30000/1001", "24000/1001", "50", "12"])
def test_rate_and_duration_are_exact_fractions(probed, media: MediaShelf, rate: str) -> None:
    clip = probed(media(make.moving, rate=rate, duration_s=2.002))
    assert clip.video.frame_rate == Fraction(rate)
    assert (clip.duration_s * Fraction(rate)).denominator == 1
    assert abs(clip.duration_s - Fraction(2002, 1000)) <= 1 / Fraction(rate)
    assert not clip.video.variable_rate


@pytest.mark.parametrize("suffix", [".mp4", ".mov", ".mkv", ".avi", ".ts", ".webm"])
def test_duration_is_the_same_in_every_container(probed, media: MediaShelf, suffix: str) -> None:
    more = ("-c:v", "libvpx", "-deadline", "realtime") if suffix == ".webm" else ("-c:v", "mpeg4")
    clip = probed(media(make.moving, suffix, duration_s=2.0, more=more))
    assert abs(clip.duration_s - 2) <= MILLISECOND


def test_a_longer_sound_track_does_not_count(probed, media: MediaShelf) -> None:
    assert probed(media(make.longer_sound)).duration_s == 1
    assert abs(probed(media(make.longer_sound, ".mkv")).duration_s - 1) <= MILLISECOND


def test_variable_rate_is_seen(probed, media: MediaShelf) -> None:
    clip = probed(media(make.variable_rate))
    assert clip.video.variable_rate
    assert clip.duration_s >= Fraction(27, 10)


@pytest.mark.parametrize("suffix", [".mp4", ".mkv"])
def test_a_picture_that_begins_late_starts_late_and_its_sound_before_it(probed, media: MediaShelf, suffix: str) -> None:
    clip = probed(media(make.late_picture, suffix))
    assert float(clip.sound[0].start_s) == pytest.approx(-0.48, abs=0.03)  # AAC begins with its lead-in of 21 ms
    assert float(clip.duration_s) == pytest.approx(2.0, abs=0.001)


def test_an_edit_list_decides_which_frame_is_first(probed, media: MediaShelf) -> None:
    clip = probed(media(make.cut_start))
    assert clip.start_s >= 0
    assert float(clip.duration_s) == pytest.approx(2.68, abs=0.04)


@pytest.mark.parametrize("clockwise_deg", [90, 180, 270])
def test_size_is_as_shown_after_rotation(probed, media: MediaShelf, clockwise_deg: int) -> None:
    video = probed(media(make.rotated, clockwise_deg=clockwise_deg)).video
    assert video.rotation_deg == clockwise_deg
    assert (video.width_px, video.height_px) == ((160, 90) if clockwise_deg == 180 else (90, 160))


def test_pixels_that_are_not_square_are_shown_wide(probed, media: MediaShelf) -> None:
    more = ("-c:v", "libx264", "-vf", "setsar=2/1", "-pix_fmt", "yuv420p")
    video = probed(media(make.moving, more=more)).video
    assert (video.width_px, video.height_px) == (320, 90)


@pytest.mark.parametrize("suffix", [".mkv", ".mov"])
def test_tracks_subtitles_chapters_and_time_code_are_read(probed, media: MediaShelf, suffix: str) -> None:
    clip = probed(media(make.rich, suffix))
    assert len(clip.sound) == len(clip.subtitles) == 2
    assert clip.sound[0].language == "eng"
    assert (clip.subtitles[0].language, clip.subtitles[0].text) == ("eng", True)
    assert clip.chapters == 2
    assert clip.timecode == ("01:02:03:04" if suffix == ".mov" else None)


def test_a_cover_is_not_the_film(probed, media: MediaShelf) -> None:
    clip = probed(media(make.with_cover))
    assert (clip.video.width_px, clip.video.height_px) == (160, 90)
    assert clip.duration_s == 1


def test_one_frame_lasts_one_frame(probed, media: MediaShelf) -> None:
    assert probed(media(make.moving, duration_s=0.04)).duration_s == Fraction(1, 25)


def test_a_copy_under_another_name_has_the_same_key(probed, media: MediaShelf, tmp_path: Path) -> None:
    film = media(make.moving)
    copy = tmp_path / "- a name: with %03d.mp4"
    shutil.copy(film, copy)
    assert probed(copy).key == probed(film).key


def test_the_key_of_a_large_file_sees_size_ends_and_samples(tmp_path: Path) -> None:
    size = 24 << 20
    large = tmp_path / "large"
    large.write_bytes(bytes(size))
    keys = {content_key(large)}
    for place in (0, 5 << 20, size - 1):
        data = bytearray(size)
        data[place] = 1
        large.write_bytes(data)
        keys.add(content_key(large))
    large.write_bytes(bytes(size + 1))
    keys.add(content_key(large))
    assert len(keys) == 4  # the byte at 5 MiB lies between two samples, or in one: see the next test


def test_real_clips_match_what_is_known_of_them(probed, shared: Path) -> None:
    nasa = probed(shared / "clips" / "nasa.mp4")
    assert nasa.video.frame_rate == Fraction(30000, 1001)
    assert nasa.duration_s == 390 * Fraction(1001, 30000)
    assert [track.codec for track in nasa.sound] == ["aac", "aac"]
    assert probed(shared / "clips" / "odd" / "h264-png.mp4").video.codec == "h264"
