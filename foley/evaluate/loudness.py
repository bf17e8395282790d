"""Measure how loud a finished file is, against what a delivery asks for."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from foley.dsp.loudness import LoudnessMeter
from foley.dsp.profiles import NOBODY_LOOKED, PROFILES, Dialogue, ProfileName
from foley.errors import MediaError
from foley.media import ffmpeg
from foley.model import LoudnessFigures

Block = npt.NDArray[np.float32]

BLOCK_S = 2.0
SPEECH_RATE_HZ = 48_000
"""What finders of speech take in."""
_LOWEST_RATE_HZ = 8000
"""Below it the meter's filters, at up to 1.7 kHz, no longer fit; such sound is raised to `SPEECH_RATE_HZ`."""


@dataclass(frozen=True, slots=True)
class Requirement:
    """One thing that a profile asks for, and whether it is met."""

    name: str
    asked: str
    measured: float | None
    """In the unit that `asked` names; None where there is nothing to measure."""
    met: bool


def measure(
    path: Path, profile: ProfileName = "ebu-r128", *, track: int = 1, dialogue: Dialogue = NOBODY_LOOKED
) -> LoudnessFigures:
    """Return loudness and true peak of a sound track, read in blocks at its own rate and with its own channels.

    Args:
        path: Any file that ffmpeg reads.
        profile: What is asked for. Sound without a loudness, silent or shorter than 400 ms, meets no target.
        track: Which of its sound tracks, from 1.
        dialogue: Where somebody speaks in it.

    Raises:
        MediaError: where there is no such track, or it cannot be decoded.
    """
    stream = _stream(path, track)
    channels, rate_hz = int(stream["channels"]), int(stream["sample_rate"])
    rate_hz = rate_hz if rate_hz >= _LOWEST_RATE_HZ else SPEECH_RATE_HZ
    meter = LoudnessMeter(rate_hz, channels)
    for block in _decoded(path, track, rate_hz=rate_hz, channels=channels):
        meter.add(block)
    figures = meter.figures(profile, dialogue)
    return replace(figures, passed=all(requirement.met for requirement in requirements(figures, profile)))


def requirements(figures: LoudnessFigures, profile: ProfileName) -> tuple[Requirement, ...]:
    """Return what was asked of a programme, one by one.

    A profile that measures dialogue is met by nobody's programme in which nobody looked for it.
    """
    asked: list[Requirement] = []
    if PROFILES[profile].dialogue is not None and not figures.speech_by:
        asked.append(Requirement("dialogue", "to be looked for", None, met=False))
    if figures.target_lufs is not None:
        found, name = figures.judged_lufs, f"loudness of the {figures.measure}"
        met = found is not None and abs(found - figures.target_lufs) <= figures.tolerance_lu
        asked.append(Requirement(name, f"{figures.target_lufs:.1f} +/- {figures.tolerance_lu:.1f} LUFS", found, met))
    peak_dbtp = figures.true_peak_dbtp
    at_most = f"at most {figures.ceiling_dbtp:.1f} dBTP"
    return (*asked, Requirement("true peak", at_most, peak_dbtp, peak_dbtp <= figures.ceiling_dbtp))


def for_speech(path: Path, track: int = 1) -> Iterator[Block]:
    """Yield a sound track as finders of speech take it: one channel at `SPEECH_RATE_HZ`, blocks of shape (samples,).

    Raises:
        MediaError: where there is no such track, or it cannot be decoded.
    """
    _stream(path, track)
    for block in _decoded(path, track, rate_hz=SPEECH_RATE_HZ, channels=1):
        yield block[0]


def _decoded(path: Path, track: int, *, rate_hz: int, channels: int) -> Iterator[Block]:
    picked = ("-map", f"0:a:{track - 1}", "-ac", str(channels), "-ar", str(rate_hz), "-f", "f32le", "-")
    frame_bytes = 4 * channels
    for data in ffmpeg.blocks("-i", path, *picked, reading=path, block_bytes=frame_bytes * round(BLOCK_S * rate_hz)):
        whole = np.frombuffer(data[: len(data) // frame_bytes * frame_bytes], "<f4")
        yield np.ascontiguousarray(whole.reshape(-1, channels).T)


def _stream(path: Path, number: int) -> dict[str, Any]:
    """Return what ffprobe says of one of the sound tracks."""
    try:
        streams = ffmpeg.probe(path)["streams"]
    except ffmpeg.ProbeError as cause:
        raise MediaError(f"{path}: {cause}", hint="check that the file plays") from cause
    heard: list[dict[str, Any]] = [stream for stream in streams if stream.get("codec_type") == "audio"]
    if not heard:
        raise MediaError(f"{path} has no sound track", hint="give a file that has sound")
    if not 1 <= number <= len(heard):
        raise MediaError(f"{path} has no sound track {number}", hint=f"name one with --track: 1 to {len(heard)}")
    return heard[number - 1]
