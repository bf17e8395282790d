"""Every frame comes once, in order, with the container's own time, whatever decodes it."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import numpy as np
import psutil
import pytest

from foley.analysis.probe import probe
from foley.contracts import Context
from foley.media import reader
from foley.media.reader import Frame, Frames, read_frames
from foley.model import Clip, Source, Span
from tests import media_maker as make
from tests.media_fixtures import MediaShelf

EXACT_S = 1e-9
"""Times are fractions of the container's clock made floats; nothing else may be lost."""


def no_decord(clip: Clip, size: tuple[int, int]) -> Iterator[Frame]:
    raise reader.DecordGaveUpError
    yield


@pytest.fixture(params=["decord", "pyav"])
def decoder(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Both ways to the same frames."""
    if request.param == "pyav":
        monkeypatch.setattr(reader, "_by_decord", no_decord)
    return request.param


def frames_of(path: Path, ctx: Context, width_px: int = 64) -> tuple[list[Frame], Frames]:
    with read_frames(probe(Source(path), ctx), width_px=width_px) as frames:
        return list(frames), frames


@pytest.mark.parametrize("suffix", [".mp4", ".ts", ".mov"])
@pytest.mark.parametrize("rate", ["25", "30000/1001"])
def test_times_are_multiples_of_the_frame(
    media: MediaShelf, ctx: Context, suffix: str, rate: str, decoder: str
) -> None:
    frames, reading = frames_of(media(make.moving, suffix, rate=rate), ctx)
    expected = [float(i / Fraction(rate)) for i in range(len(frames))]
    tick_s = 1 / 90_000 if suffix == ".ts" else EXACT_S
    assert [frame.time_s for frame in frames] == pytest.approx(expected, abs=tick_s)
    assert len(frames) == round(2 * Fraction(rate))
    assert reading.faults == ()


def test_variable_rate_keeps_its_times(media: MediaShelf, ctx: Context, decoder: str) -> None:
    frames, _ = frames_of(media(make.variable_rate), ctx)
    expected = [0.04 * i for i in range(20)] + [0.8 + 0.1 * i for i in range(20)]
    assert [frame.time_s for frame in frames] == pytest.approx(expected, abs=EXACT_S)


def test_a_hole_in_the_times_stays_a_hole(media: MediaShelf, ctx: Context, decoder: str) -> None:
    frames, _ = frames_of(media(make.gap), ctx)
    assert frames[24].time_s == pytest.approx(0.96)
    assert frames[25].time_s == pytest.approx(2.0)
    assert len(frames) == 50


@pytest.mark.parametrize("suffix", [".mp4", ".mkv"])
def test_the_first_frame_is_at_zero_wherever_the_file_begins(
    media: MediaShelf, ctx: Context, suffix: str, decoder: str
) -> None:
    frames, _ = frames_of(media(make.late_picture, suffix), ctx)
    assert frames[0].time_s == 0.0
    assert frames[-1].time_s == pytest.approx(1.96, abs=0.001)


def test_an_edit_list_hides_what_lies_before_it(media: MediaShelf, ctx: Context, decoder: str) -> None:
    frames, _ = frames_of(media(make.cut_start), ctx)
    assert frames[0].time_s == 0.0
    assert len(frames) == pytest.approx(67, abs=1)


def test_the_flash_is_seen_when_it_is_shown(media: MediaShelf, ctx: Context, decoder: str) -> None:
    frames, _ = frames_of(media(make.flash_and_tone, at_s=(0.4, 1.0)), ctx)
    lit = [round(frame.time_s, 6) for frame in frames if frame.image.mean() > 128]
    assert lit == [0.4, 0.44, 1.0, 1.04]


@pytest.mark.parametrize(
    ("clockwise_deg", "red", "blue"), [(90, "top", "bottom"), (180, "right", "left"), (270, "bottom", "top")]
)
def test_rotated_films_come_as_shown(
    media: MediaShelf, ctx: Context, decoder: str, clockwise_deg: int, red: str, blue: str
) -> None:
    frames, _ = frames_of(media(make.rotated, clockwise_deg=clockwise_deg), ctx)
    image = frames[0].image.astype(int)
    sides = {"top": image[:8], "bottom": image[-8:], "left": image[:, :8], "right": image[:, -8:]}
    assert sides[red][..., 0].mean() > 200 > 50 > sides[red][..., 2].mean()
    assert sides[blue][..., 2].mean() > 200 > 50 > sides[blue][..., 0].mean()
    assert image.shape == ((36, 64, 3) if clockwise_deg == 180 else (114, 64, 3))


@pytest.mark.parametrize(
    ("size", "pixels", "shape"),
    [
        ("161x91", "yuv444p", (36, 64, 3)),
        ("160x90", "yuv420p10le", (36, 64, 3)),
        ("40x30", "yuv420p", (30, 40, 3)),
        ("320x18", "yuv420p", (4, 64, 3)),
    ],
)
def test_images_are_small_even_and_contiguous(
    media: MediaShelf, ctx: Context, decoder: str, size: str, pixels: str, shape: tuple[int, int, int]
) -> None:
    more = ("-c:v", "libx264", "-pix_fmt", pixels)
    frames, reading = frames_of(media(make.moving, ".mkv", size=size, duration_s=0.2, more=more), ctx)
    assert {frame.image.shape for frame in frames} == {shape}
    assert reading.size_px == (shape[1], shape[0])
    assert all(frame.image.flags.c_contiguous and frame.image.dtype == np.uint8 for frame in frames)


def test_pixels_that_are_not_square_are_squared(media: MediaShelf, ctx: Context, decoder: str) -> None:
    more = ("-c:v", "libx264", "-vf", "setsar=2/1", "-pix_fmt", "yuv420p")
    frames, _ = frames_of(media(make.moving, more=more), ctx, width_px=160)
    assert frames[0].image.shape == (46, 160, 3) or frames[0].image.shape == (44, 160, 3)


def test_both_decoders_see_the_same(media: MediaShelf, ctx: Context, monkeypatch: pytest.MonkeyPatch) -> None:
    film = media(make.moving)
    one, _ = frames_of(film, ctx)
    monkeypatch.setattr(reader, "_by_decord", no_decord)
    other, _ = frames_of(film, ctx)
    assert [frame.time_s for frame in one] == [frame.time_s for frame in other]
    apart = [np.abs(a.image.astype(int) - b.image.astype(int)).mean() for a, b in zip(one, other, strict=True)]
    assert max(apart) < 12  # they scale by different filters


def test_damage_in_the_middle_is_a_fault_and_the_rest_is_read(media: MediaShelf, ctx: Context, decoder: str) -> None:
    frames, reading = frames_of(media(make.corrupt_in_the_middle), ctx)
    times = [frame.time_s for frame in frames]
    assert times == sorted(set(times))
    assert times[0] == 0.0
    assert times[-1] == pytest.approx(3.96)
    assert 80 <= len(frames) < 100
    assert len(reading.faults) == 1
    assert "damaged near 0:0" in reading.faults[0]


def test_a_picture_that_ends_early_is_read_as_far_as_it_goes(media: MediaShelf, ctx: Context, decoder: str) -> None:
    frames, reading = frames_of(media(make.truncated), ctx)
    assert 30 <= len(frames) < 100
    assert all("ends" in fault or "damaged" in fault for fault in reading.faults)


def test_one_frame_is_a_film(media: MediaShelf, ctx: Context, decoder: str) -> None:
    frames, reading = frames_of(media(make.moving, duration_s=0.04), ctx)
    assert [frame.time_s for frame in frames] == [0.0]
    assert reading.faults == ()


def test_a_cover_is_not_taken_for_the_film(media: MediaShelf, ctx: Context, decoder: str) -> None:
    frames, _ = frames_of(media(make.with_cover), ctx)
    assert len(frames) == 25
    assert frames[0].image.shape == (36, 64, 3)


def test_decord_is_left_where_it_disagrees_with_the_packets(
    media: MediaShelf, ctx: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("decord")
    clip = probe(Source(media(make.moving)), ctx)
    assert len(list(reader._by_decord(clip, (64, 36)))) == 50
    exact = reader._packet_times_s(clip)
    for wrong in (exact[:-1], [time_s * 1.01 for time_s in exact]):
        monkeypatch.setattr(reader, "_packet_times_s", lambda clip, wrong=wrong: wrong)
        with pytest.raises(reader.DecordGaveUpError):
            next(reader._by_decord(clip, (64, 36)))


def test_where_decord_stops_pyav_goes_on_without_a_frame_twice(
    media: MediaShelf, ctx: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    film = media(make.moving, duration_s=4.0)
    whole, _ = frames_of(film, ctx)

    def stops(clip: Clip, size: tuple[int, int]) -> Iterator[Frame]:
        yield from whole[:60]
        raise reader.DecordGaveUpError

    monkeypatch.setattr(reader, "_by_decord", stops)
    frames, reading = frames_of(film, ctx)
    assert [frame.time_s for frame in frames] == [frame.time_s for frame in whole]
    assert reading.faults == ()


def test_leaving_early_ends_the_decoding(media: MediaShelf, ctx: Context, decoder: str) -> None:
    clip = probe(Source(media(make.moving)), ctx)
    with read_frames(clip, width_px=64) as frames:
        assert next(iter(frames)).time_s == 0.0
    assert list(frames) == []


def test_memory_does_not_grow_with_the_film(media: MediaShelf, ctx: Context, decoder: str) -> None:
    more = ("-c:v", "mpeg4", "-qscale:v", "20", "-g", "50")
    film = media(make.moving, size="640x360", duration_s=30.0, rate="25", more=more)
    process, seen = psutil.Process(), []
    with read_frames(probe(Source(film), ctx), width_px=640) as frames:
        for number, _ in enumerate(frames):
            if number % 125 == 124:
                seen.append(process.memory_info().rss / 2**20)
    assert len(seen) == 6
    assert seen[-1] - seen[0] < 60  # 625 frames of 0.7 MB lie between


@pytest.mark.parametrize(("start_s", "end_s"), [(0.0, 0.2), (0.5, 0.9), (1.4, 1.48), (1.9, 9.0)])
def test_a_window_holds_the_same_frames_as_the_whole(
    media: MediaShelf, ctx: Context, start_s: float, end_s: float
) -> None:
    path = media(make.moving, rate="25")
    whole, _ = frames_of(path, ctx)

    window = list(reader.read_window(probe(Source(path), ctx), Span(start_s, end_s), width_px=64))

    wanted = [frame.time_s for frame in whole if start_s <= frame.time_s < end_s]
    assert wanted
    assert [frame.time_s for frame in window] == wanted


def test_a_file_too_large_to_wait_in_memory_is_not_given_to_decord(
    media: MediaShelf, ctx: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = media(make.moving, rate="25")
    frames, _ = frames_of(path, ctx)
    monkeypatch.setattr(reader, "_LARGE_BYTES", path.stat().st_size - 1)

    with pytest.raises(reader.DecordGaveUpError):
        next(reader._by_decord(probe(Source(path), ctx), (64, 36)))

    assert [frame.time_s for frame in frames_of(path, ctx)[0]] == [frame.time_s for frame in frames]
