"""Write finished sound while the meter reads it, until meter and target agree."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from foley.dsp.limiter import MARGIN_DB
from foley.dsp.loudness import LoudnessMeter
from foley.dsp.profiles import LoudnessProfile
from foley.media.sound import WavWriter
from foley.mix.level import Level, Survey, level
from foley.mix.sum import Block
from foley.model import AudioFile, Span
from foley.units import RATE_HZ

T = TypeVar("T")

ATTEMPTS = 3
"""How often a file is written: the second already knows what the meter read of the first."""
CLOSE_LU = 0.2
"""Under half of the smallest tolerance, EBU R 128's, so that another meter agrees that the target is met."""


@dataclass(frozen=True, slots=True)
class Figures:
    """What the meter read."""

    lufs: float | None
    peak_dbtp: float


def write_measured(
    blocks: Iterable[Block], to: Path, *, speech: Sequence[Span] | None = None
) -> tuple[AudioFile, Figures]:
    """Write blocks of shape (2, samples) as a 24-bit WAV and return what the meter read.

    Args:
        blocks: The sound.
        to: The file.
        speech: Where somebody speaks, where the loudness of that alone counts.
    """
    meter = LoudnessMeter(RATE_HZ, 2)
    with WavWriter(to, rate_hz=RATE_HZ, channels=2) as writer:
        for block in blocks:
            writer.append(block)
            meter.add(block)
    lufs = meter.integrated_lufs() if speech is None else meter.spoken_lufs(speech)
    return writer.file, Figures(lufs, meter.true_peak_dbtp())


def settled(
    found: Survey, profile: LoudnessProfile, write: Callable[[Level], tuple[T, Figures]]
) -> tuple[T, tuple[str, ...]]:
    """Level, write and measure a sum; where the meter read otherwise than expected, again with the difference known.

    Args:
        found: The sum.
        profile: What is asked for.
        write: Writes the sum at a level and returns what it wrote with what the meter read.

    Returns:
        What was written last, and what to say of its level.
    """
    offset_lu, margin_db = 0.0, MARGIN_DB
    for _ in range(ATTEMPTS):
        tried = level(found, profile, offset_lu=offset_lu, margin_db=margin_db)
        made, figures = write(tried)
        over_db = max(0.0, figures.peak_dbtp - profile.ceiling_dbtp)
        off_lu = _off_lu(tried, figures) - offset_lu
        if not over_db and (profile.target_lufs is None or abs(off_lu) <= CLOSE_LU):
            break
        offset_lu += off_lu
        margin_db += over_db
    return made, tried.notes


def _off_lu(tried: Level, figures: Figures) -> float:
    if tried.expected_lufs is None or figures.lufs is None:
        return 0.0
    return figures.lufs - tried.expected_lufs
