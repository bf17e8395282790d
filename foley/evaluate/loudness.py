"""Measure how loud a finished file is, against what a delivery asks for."""

from __future__ import annotations

from pathlib import Path

from foley.dsp.loudness import PROFILES, LoudnessMeter, ProfileName
from foley.media import sound
from foley.model import AudioFile, LoudnessFigures

BLOCK_S = 2.0


def measure(file: Path | AudioFile, profile: ProfileName = "ebu-r128") -> LoudnessFigures:
    """Return loudness and true peak of a sound file, read in blocks, of any rate from 8 kHz and any channels.

    Raises:
        NotAMediaFileError: where it is missing or no sound file.
    """
    audio = sound.describe(file) if isinstance(file, Path) else file
    meter, asked = LoudnessMeter(audio.rate_hz, audio.channels), PROFILES[profile]
    size = round(BLOCK_S * audio.rate_hz)
    for first in range(0, audio.length, size):
        meter.add(sound.read(audio, first, min(first + size, audio.length)))
    return meter.figures(target_lufs=asked.target_lufs, ceiling_dbtp=asked.ceiling_dbtp)
