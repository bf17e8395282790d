"""Time codes count as SMPTE ST 12-1 has it, and a file's place is exact to the sample."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from foley.units import frames_to_timecode, timecode_rate, timecode_to_frames, to_samples

NTSC_30 = Fraction(30000, 1001)
RATES = st.sampled_from(
    [Fraction(24000, 1001), Fraction(24), Fraction(25), NTSC_30, Fraction(30), Fraction(50), Fraction(60000, 1001)]
)


def counted_on(timecode: str, base: int, dropped: int) -> str:
    """The code after one, by the rule as it is taught: from minute to minute numbers are left out, but every tenth."""
    head, frames = timecode[:8], int(timecode[9:]) + 1
    hours, minutes, seconds = (int(part) for part in head.split(":"))
    if frames == base:
        frames, seconds = 0, seconds + 1
    if seconds == 60:
        seconds, minutes = 0, minutes + 1
        frames = dropped if minutes % 10 else 0
    if minutes == 60:
        minutes, hours = 0, (hours + 1) % 24
    return f"{hours:02d}:{minutes:02d}:{seconds:02d}{timecode[8]}{frames:02d}"


@given(RATES, st.booleans(), st.integers(0, 24 * 3600 * 60 - 2))
def test_each_code_follows_from_the_one_before(rate: Fraction, drop: bool, frame: int) -> None:
    base = round(rate)
    dropped = base // 15 if drop and base % 30 == 0 else 0
    code = frames_to_timecode(frame, rate, drop=drop)
    assert frames_to_timecode(frame + 1, rate, drop=drop) == counted_on(code, base, dropped)


@given(RATES, st.booleans(), st.integers(-(10**6), 10**7))
def test_a_code_names_one_frame_of_the_day(rate: Fraction, drop: bool, frame: int) -> None:
    code = frames_to_timecode(frame, rate, drop=drop)
    found = timecode_to_frames(code, rate)
    assert frames_to_timecode(found, rate, drop=drop) == code
    assert frames_to_timecode(0, rate, drop=drop).startswith("00:00:00")
    day = timecode_to_frames(frames_to_timecode(-1, rate, drop=drop), rate) + 1
    assert found == frame % day


def test_the_whole_of_ten_minutes_counts_as_it_is_taught() -> None:
    code = "00:00:00;00"
    for frame in range(3 * 17_982):
        assert timecode_to_frames(code, NTSC_30) == frame
        code = counted_on(code, 30, 2)
    assert code == "00:30:00;00"


@pytest.mark.parametrize(
    ("timecode", "rate", "samples"),
    [
        ("01:00:00:00", Fraction(25), 172_800_000),
        ("01:00:00:00", Fraction(24), 172_800_000),
        ("01:00:00:00", Fraction(24000, 1001), 172_972_800),  # 3603.6 s: as workstations have it
        ("01:00:00:00", NTSC_30, 172_972_800),
        ("01:00:00;00", NTSC_30, 172_799_827),  # 107892 frames: 3.6 ms before the clock's hour
        ("00:00:00:01", NTSC_30, 1602),
        ("10:00:00:00", Fraction(60000, 1001), 1_729_728_000),
        ("23:59:59:24", Fraction(25), 24 * 3600 * 48_000 - 1920),
    ],
)
def test_a_time_code_is_so_many_samples_from_midnight(timecode: str, rate: Fraction, samples: int) -> None:
    assert to_samples(Fraction(timecode_to_frames(timecode, rate)) / rate, 48_000) == samples


@given(RATES, st.integers(0, 24 * 3600 * 24))
def test_a_place_in_samples_is_the_nearest_to_its_frame(rate: Fraction, frame: int) -> None:
    placed = to_samples(Fraction(frame) / rate, 48_000)
    assert abs(Fraction(placed, 48_000) - frame / rate) <= Fraction(1, 96_000)


@pytest.mark.parametrize(
    "timecode", ["", "01:00:00", "24:00:00:00", "00:60:00:00", "00:00:00:30", "00:01:00;00", "00:01:00;01", "1:2:3:4"]
)
def test_what_is_no_time_code_is_refused(timecode: str) -> None:
    with pytest.raises(ValueError, match="time code"):
        timecode_to_frames(timecode, NTSC_30)


def test_rates_are_taken_for_what_they_are_meant_to_be() -> None:
    measured = {Fraction(2997, 100): NTSC_30, Fraction(23976, 1000): Fraction(24000, 1001), Fraction(25): Fraction(25)}
    assert {rate: timecode_rate(rate) for rate in measured} == measured
