"""Seconds, samples, frames and decibels: converted here alone; positions are rounded, durations never."""

from __future__ import annotations

import math
from fractions import Fraction

RATE_HZ = 48_000
"""The rate of everything foley makes: what picture sound is delivered in."""

SILENCE_DB = -120.0
"""What no sound at all is called in decibels: below the floor of 20 bits."""

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
