from fractions import Fraction
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from foley.dsp.air import far_filter
from foley.dsp.rooms import ROOMS, response, under_water_filter
from foley.mix.space import BORDER_S, moving_sides, share_in, sides, spaces_of
from foley.model import Hit, PanPoint, SoundEvent, Space
from foley.units import RATE_HZ

LENGTH = 4 * RATE_HZ
CLICK = np.eye(1, 2048, 512, dtype=np.float32)
"""One sample, with silence before it for the filters' memory."""
ONSET_SAMPLES = 0.0002 * RATE_HZ
"""0.2 ms: a fifth of what a placement may be off."""


def step(**changes: object) -> SoundEvent:
    fields = {"kind": "hits", "bus": "foley", "start_s": 1.0, "end_s": 1.1, "because": "", "hits": (Hit(1.0),)}
    return SoundEvent("a", "a step", **{**fields, **changes})


def spectrum_db(samples: np.ndarray, at_hz: float) -> float:
    level = np.abs(np.fft.rfft(samples, RATE_HZ))[round(at_hz)]
    return 20 * float(np.log10(level))


def decay_db(samples: np.ndarray) -> np.ndarray:
    """Schroeder's backward integral."""
    energy = np.cumsum(np.square(samples.astype(float)).sum(axis=0)[::-1])[::-1]
    return 10 * np.log10(energy / energy[0] + 1e-12)


def rt60_s(room: str) -> float:
    """From the fall from -5 dB to -35 dB, as ISO 3382 measures it (T30), in the octaves around 1 kHz."""
    answer = response(room)
    bands = np.fft.rfft(answer.astype(float), 4 * RATE_HZ)  # longer: what rings before the start must not come round
    frequency = np.fft.rfftfreq(4 * RATE_HZ, 1 / RATE_HZ)
    bands[:, (frequency < 500) | (frequency > 2000)] = 0
    fall = decay_db(np.fft.irfft(bands)[:, : answer.shape[1]])
    return (int(np.argmax(fall < -35)) - int(np.argmax(fall < -5))) / RATE_HZ * 60 / 30


@pytest.mark.parametrize("room", ROOMS)
def test_a_rooms_answer_is_as_loud_on_both_sides_as_its_design_says_and_comes_after_the_sound(room: str) -> None:
    answer = response(room)
    energy_db = 10 * np.log10(np.square(answer.astype(float)).sum(axis=1))
    assert energy_db == pytest.approx([ROOMS[room].level_db] * 2, abs=0.1)
    assert not answer[:, : round(0.003 * RATE_HZ)].any()
    assert answer.shape[1] <= 2 * RATE_HZ
    assert abs(np.corrcoef(answer)[0, 1]) < 0.7  # both sides differ: a room is wide
    assert response(room) is answer


@pytest.mark.parametrize("room", ["small_interior", "large_interior"])
def test_a_room_dies_away_in_the_time_of_its_design(room: str) -> None:
    assert rt60_s(room) == pytest.approx(ROOMS[room].rt60_s[1], rel=0.2)


def test_a_hall_blurs_more_than_a_room_or_a_street() -> None:
    def clarity_db(room: str) -> float:
        energy = np.square(response(room).astype(float)).sum(axis=0) / 2
        return float(10 * np.log10((1 + energy[:2400].sum()) / energy[2400:].sum()))

    clear = {room: clarity_db(room) for room in ROOMS}
    assert min(clear["exterior"], clear["small_interior"]) > 20.0 > clear["large_interior"] > 10.0


@given(st.floats(-1.0, 1.0), st.sampled_from([1, 2]))
def test_a_path_that_stands_still_is_the_same_pan(pan: float, channels: int) -> None:
    still = moving_sides([PanPoint(1.0, pan)], 100, 200, channels=channels)
    assert still == pytest.approx(np.repeat([[side] for side in sides(pan, channels=channels)], 100, axis=1), abs=1e-6)


def test_a_source_that_crosses_the_picture_keeps_its_power_and_makes_no_step() -> None:
    across = moving_sides([PanPoint(1.0, -1.0), PanPoint(1.3, 1.0)], 0, 2 * RATE_HZ, channels=1)
    assert np.square(across).sum(axis=0) == pytest.approx(2.0, abs=1e-3)
    assert np.abs(np.diff(across)).max() < 2.0 / (0.2 * RATE_HZ)
    middle = round(1.15 * RATE_HZ)
    assert across[0, middle] == pytest.approx(across[1, middle], abs=1e-3)
    assert across[:, [0, -1]] == pytest.approx(np.sqrt(2) * np.eye(2), abs=1e-6)


@given(st.lists(st.integers(1, 2 * RATE_HZ - 1), max_size=6, unique=True))
def test_a_moving_pan_does_not_depend_on_blocks(cuts: list[int]) -> None:
    path = [PanPoint(0.2, -0.8), PanPoint(0.7, 0.9), PanPoint(1.4, 0.0)]
    edges = [0, *sorted(cuts), 2 * RATE_HZ]
    pieces = [moving_sides(path, first, last, channels=1) for first, last in pairwise(edges)]
    assert np.abs(np.hstack(pieces) - moving_sides(path, 0, 2 * RATE_HZ, channels=1)).max() < 1e-6


@given(st.lists(st.fractions(Fraction(0), Fraction(4)), min_size=1, max_size=5, unique=True))
def test_rooms_that_touch_share_a_sound_between_them(borders: list[Fraction]) -> None:
    edges = [0.0, *map(float, sorted(border for border in borders if 0 < border < 4)), 4.0]
    spaces = [Space(first, last, "exterior", "") for first, last in pairwise(edges)]
    if any(last - first < BORDER_S for first, last in pairwise(edges)):
        return  # a space shorter than a border never gets whole
    shares = (share_in(space, 0, LENGTH, length=LENGTH) for space in spaces)
    total = sum(share for share in shares if share is not None)
    assert np.abs(total - 1.0).max() < 1e-4


def test_which_room_an_event_is_in() -> None:
    plan = (Space(0.0, 2.0, "exterior", "sky"), Space(2.0, 3.0, "none", ""), Space(3.0, 4.0, "under_water", ""))
    assert [space.room for space in spaces_of(step(), plan, end_s=4.0)] == ["exterior", "under_water"]
    assert spaces_of(step(room="none"), plan, end_s=4.0) == ()
    assert spaces_of(step(bus="backgrounds"), plan, end_s=4.0) == ()
    assert spaces_of(step(bus="music"), plan, end_s=4.0) == ()
    assert spaces_of(step(bus="backgrounds", room="large_interior"), plan, end_s=4.0) == (
        Space(0.0, 4.0, "large_interior", ""),
    )


@pytest.mark.parametrize("way_m", [5.0, 50.0, 500.0])
def test_a_long_way_takes_the_highs_and_nothing_comes_before_its_time(way_m: float) -> None:
    far = far_filter(way_m)
    heard = np.concatenate([np.zeros(far.history, np.float32), far.filtered(CLICK)[0]])
    levels = [spectrum_db(heard, at_hz) for at_hz in (100, 1000, 4000, 8000)]
    assert levels[0] == pytest.approx(0.0, abs=1.0)
    assert levels == sorted(levels, reverse=True)
    assert not heard[:512].any()


def test_twenty_metres_more_move_an_onset_by_no_more_than_is_allowed() -> None:
    far = far_filter(20.0)
    heard = far.filtered(CLICK)[0]
    assert abs(int(np.abs(heard).argmax()) + far.history - 512) <= ONSET_SAMPLES
    assert spectrum_db(np.concatenate([np.zeros(far.history), heard]), 8000.0) == pytest.approx(-4.1, abs=0.5)


def test_under_water_the_highs_are_gone() -> None:
    water = under_water_filter()
    heard = water.filtered(CLICK)[0]
    assert spectrum_db(heard, 100.0) == pytest.approx(0.0, abs=0.3)
    assert spectrum_db(heard, 2800.0) < -20.0
    assert not heard[: 512 - water.history].any()
