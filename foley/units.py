"""Seconds, samples, frames and decibels: converted here alone; positions are rounded, durations never."""

from __future__ import annotations

import math
import re
from fractions import Fraction

RATE_HZ = 48_000
"""The rate of everything foley makes: what picture sound is delivered in."""

SILENCE_DB = -120.0
"""What no sound at all is called in decibels: below the floor of 20 bits."""

_TIMECODE = re.compile(r"(\d{1,2}):(\d{2}):(\d{2})[:;.](\d{2,3})")

Seconds = float | Fraction
"""A time; `Fraction` where it comes from a container's clock and must stay exact."""


def to_samples(position_s: Seconds, rate_hz: int) -> int:
    """Return the sample nearest to a position, halves upward.

    >>> to_samples(0.5, 48_000), to_samples(Fraction(1001, 30000), 48_000)
    (24000, 1602)
    """
    return (
        math.floor(position_s * rate_hz + Fraction(1, 2))
        if isinstance(position_s, Fraction)
        else math.floor(position_s * rate_hz + 0.5)
    )


def span_samples(start_s: Seconds, end_s: Seconds, rate_hz: int) -> tuple[int, int]:
    """Return [first, last) in samples: spans that touch in seconds touch in samples."""
    return to_samples(start_s, rate_hz), to_samples(end_s, rate_hz)


def to_seconds(position_samples: int, rate_hz: int) -> float:
    """Return the time of a sample."""
    return position_samples / rate_hz


def to_frames(position_s: Seconds, frame_rate: Fraction) -> float:
    """Return a position or difference in frames, not rounded."""
    return float(position_s * frame_rate)


def to_gain(level_db: float) -> float:
    """Return the factor of a level.

    >>> round(to_gain(-6.0206), 4)
    0.5
    """
    return math.pow(10.0, level_db / 20.0)


def to_db(gain: float) -> float:
    """Return the level of a factor; nothing is `SILENCE_DB`.

    >>> to_db(0.0), to_db(10.0)
    (-120.0, 20.0)
    """
    return max(SILENCE_DB, 20.0 * math.log10(gain)) if gain > 0.0 else SILENCE_DB


def clock(position_s: Seconds) -> str:
    """Return a position as people write it.

    >>> clock(3.25), clock(3725.0)
    ('0:03.250', '1:02:05.000')
    """
    total_ms = round(float(position_s) * 1000)
    hours, rest = divmod(total_ms, 3_600_000)
    minutes, ms = divmod(rest, 60_000)
    head = f"{hours}:{minutes:02d}" if hours else f"{minutes}"
    return f"{head}:{ms // 1000:02d}.{ms % 1000:03d}"


def parse_clock(text: str) -> float:
    """Return the seconds of '3', '3.25', '0:03.25' or '1:02:05'; a comma may stand for the point.

    >>> parse_clock("1:02:05.5")
    3725.5

    Raises:
        ValueError: where the text is no such time.
    """
    seconds = 0.0
    for part in text.strip().replace(",", ".").split(":"):
        seconds = seconds * 60 + float(part)
    if not math.isfinite(seconds) or seconds < 0:
        raise ValueError(f"not a time: {text!r}")
    return seconds


def timecode_rate(frame_rate: Fraction) -> Fraction:
    """Return the rate at which a time code counts frames: the nearest whole rate, or that over 1.001.

    >>> timecode_rate(Fraction(30000, 1001)), timecode_rate(Fraction(25)), timecode_rate(Fraction(23976, 1000))
    (Fraction(30000, 1001), Fraction(25, 1), Fraction(24000, 1001))
    """
    base = max(1, math.floor(frame_rate + Fraction(1, 2)))
    return min(Fraction(base), Fraction(base * 1000, 1001), key=lambda rate: abs(rate - frame_rate))


def drops_frames(timecode: str) -> bool:
    """Return whether a time code is a drop-frame one: it has a semicolon, or a point, before its frames.

    >>> drops_frames("01:00:00;02"), drops_frames("01:00:00:02")
    (True, False)
    """
    return any(mark in timecode for mark in ";.")


def timecode_to_frames(timecode: str, frame_rate: Fraction) -> int:
    """Return the number of a frame since midnight from its SMPTE time code.

    Drop-frame codes leave out the numbers of two frames (four at 59.94) each minute but every tenth, so that they
    follow the clock: 17982 frames at 29.97 make ten minutes. Source: SMPTE ST 12-1.

    >>> timecode_to_frames("01:00:00;00", Fraction(30000, 1001)), timecode_to_frames("00:01:00:00", Fraction(24))
    (107892, 1440)

    Raises:
        ValueError: where the text is no time code at this rate.
    """
    found = _TIMECODE.fullmatch(timecode.strip())
    if found is None:
        raise ValueError(f"not a time code: {timecode!r}")
    hours, minutes, seconds, frames = (int(part) for part in found.groups())
    base, dropped = _base_and_dropped(frame_rate, drops=drops_frames(timecode))
    if hours > 23 or minutes > 59 or seconds > 59 or frames >= base:
        raise ValueError(f"not a time code at {base} frames a second: {timecode!r}")
    if seconds == 0 and minutes % 10 and frames < dropped:
        raise ValueError(f"drop-frame time code has no {timecode!r}")
    whole_minutes = 60 * hours + minutes
    return (60 * whole_minutes + seconds) * base + frames - dropped * (whole_minutes - whole_minutes // 10)


def frames_to_timecode(frame: int, frame_rate: Fraction, *, drop: bool = False) -> str:
    """Return the SMPTE time code of a frame counted from midnight; it begins anew after 24 hours.

    >>> frames_to_timecode(1800, Fraction(30000, 1001), drop=True), frames_to_timecode(-1, Fraction(25))
    ('00:01:00;02', '23:59:59:24')
    """
    base, dropped = _base_and_dropped(frame_rate, drops=drop)
    in_ten_minutes = 600 * base - 9 * dropped
    tens, rest = divmod(frame % (144 * in_ten_minutes), in_ten_minutes)
    # the first minute of ten is whole; each of the others is shorter by the numbers that it leaves out
    short_minutes = max(0, rest - 60 * base) // (60 * base - dropped) + (rest >= 60 * base)
    number = 600 * base * tens + rest + dropped * short_minutes
    seconds, frames = divmod(number, base)
    mark = ";" if dropped else ":"
    return f"{seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}{mark}{frames:02d}"


def _base_and_dropped(frame_rate: Fraction, *, drops: bool) -> tuple[int, int]:
    """Return how many frames a time code counts in a second, and how many numbers it leaves out in a minute."""
    base = max(1, math.floor(frame_rate + Fraction(1, 2)))
    # only rates near 30 and its multiples have drop-frame codes
    return base, base // 15 if drops and base % 30 == 0 else 0
