"""Fades and overlap-add: no click, no dip, no growing memory."""

from __future__ import annotations

import tracemalloc
from collections.abc import Iterator

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from foley.dsp.fades import Piece, crossfaded, edge_faded, edge_gain, equal_power, looped, overlap_added
from foley.dsp.resample import resample
from foley.model import Audio

LEVEL_TOLERANCE_DB = 0.5
"""What noise strays by itself in a twentieth of a second."""


def noise(length: int, seed: int) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal((1, length)).astype(np.float32)


def levels_db(samples: np.ndarray, frame: int = 2400) -> np.ndarray:
    frames = samples[0, : samples.shape[1] // frame * frame].reshape(-1, frame)
    return 20.0 * np.log10(np.sqrt(np.mean(frames**2, axis=1)))


@given(st.integers(1, 5000))
def test_fade_in_and_fade_out_keep_the_power(length: int) -> None:
    fade = equal_power(length)
    np.testing.assert_allclose(fade**2 + fade[::-1] ** 2, 1.0, atol=1e-6)
    assert (np.diff(fade) > 0.0).all()


@given(st.integers(1, 400), st.integers(0, 100), st.integers(0, 100), st.integers(1, 150))
def test_the_gain_of_blocks_is_the_gain_of_the_whole(length: int, fade_in: int, fade_out: int, block: int) -> None:
    fades = {"fade_in": min(fade_in, length), "fade_out": min(fade_out, length)}
    whole = edge_gain(0, length, length=length, **fades)
    parts = [edge_gain(at, min(at + block, length), length=length, **fades) for at in range(0, length, block)]
    np.testing.assert_array_equal(np.concatenate(parts), whole)


def test_faded_edges_start_and_end_near_nothing_and_leave_the_middle() -> None:
    faded = edge_faded(np.ones((2, 1000), np.float32), fade_in=100, fade_out=200)
    assert max(faded[:, 0].max(), faded[:, -1].max()) < 0.01
    np.testing.assert_array_equal(faded[:, 100:800], 1.0)


def test_a_crossfade_of_unlike_sounds_has_no_dip() -> None:
    joined = crossfaded(noise(48_000, 0), noise(48_000, 1), 24_000)
    assert joined.shape == (1, 72_000)
    assert np.ptp(levels_db(joined)) < 2 * LEVEL_TOLERANCE_DB


def test_a_crossfade_longer_than_either_sound_is_refused() -> None:
    with pytest.raises(ValueError, match="overlap"):
        crossfaded(noise(10, 0), noise(100, 1), 20)


@given(st.integers(1, 50), st.integers(1, 400), st.integers(0, 60))
def test_a_loop_has_the_length_asked_for_and_begins_with_the_sound(size: int, length: int, overlap: int) -> None:
    samples = noise(size, 3)
    made = looped(samples, length, overlap)
    assert made.shape == (1, length)
    untouched = min(length, size - min(overlap, size // 2))
    np.testing.assert_array_equal(made[:, :untouched], samples[:, :untouched])


pieces = st.lists(st.tuples(st.integers(-20, 200), st.integers(0, 80)), max_size=8).map(sorted)


@given(pieces, st.integers(0, 220), st.integers(1, 64))
def test_overlap_add_is_the_sum_of_its_pieces(places: list[tuple[int, int]], length: int, block: int) -> None:
    given_pieces = [(first, noise(size, seed)) for seed, (first, size) in enumerate(places)]
    expected = np.zeros((1, length), np.float32)
    for first, piece in given_pieces:
        begin, end = min(max(first, 0), length), max(min(first + piece.shape[1], length), 0)
        if begin < end:
            expected[:, begin:end] += piece[:, begin - first : end - first]
    made = list(overlap_added(given_pieces, length, channels=1, block=block))
    assert all(0 < part.shape[1] <= block for part in made)
    np.testing.assert_allclose(np.concatenate([np.zeros((1, 0)), *made], axis=1), expected, atol=1e-6)


def test_overlap_add_refuses_pieces_out_of_order() -> None:
    with pytest.raises(ValueError, match="comes after"):
        list(overlap_added([(10, noise(5, 0)), (0, noise(5, 1))], 20, channels=1, block=8))


def test_overlap_add_holds_no_more_than_what_overlaps() -> None:
    def hourly() -> Iterator[Piece]:
        for number in range(100):
            yield number * 48_000, noise(60_000, number)

    tracemalloc.start()
    total = sum(part.shape[1] for part in overlap_added(hourly(), 100 * 48_000, channels=1, block=48_000))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert total == 100 * 48_000
    assert peak < 3_000_000  # the whole would be 19 MB


@given(st.integers(1, 4000), st.sampled_from([8_000, 16_000, 22_050, 24_000, 44_100, 48_000, 96_000]))
def test_resampling_gives_the_nearest_length(length: int, rate_hz: int) -> None:
    made = resample(Audio(noise(length, 0), rate_hz), 48_000)
    assert made.rate_hz == 48_000
    assert abs(made.length - length * 48_000 / rate_hz) <= 0.5


def test_resampling_moves_nothing() -> None:
    samples = np.zeros((1, 16_000), np.float32)
    samples[0, 4_000] = 0.5
    made = resample(Audio(samples, 16_000), 48_000)
    assert int(np.abs(made.samples[0]).argmax()) == 12_000
