"""The sound that is measured: a track of a video on the picture's timeline, or a sound file by itself."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from foley.errors import MediaError
from foley.evaluate.onsets import RATE_HZ, Samples
from foley.media import ffmpeg, sound
from foley.model import Clip

BLOCK_S = 10.0


def of_clip(clip: Clip, number: int = 1) -> Iterator[Samples]:
    """Yield a video's sound track, mixed to one channel at `RATE_HZ`; its first sample is heard with the first frame.

    Args:
        clip: The video.
        number: Which of its sound tracks, from 1.

    Raises:
        MediaError: where there is no such track, or it cannot be decoded.
    """
    _refuse_missing(clip.path, number, len(clip.sound))
    for block in sound.read_track(clip, clip.sound[number - 1], rate_hz=RATE_HZ, channels=1, block_s=BLOCK_S):
        yield block[0]


def of_file(path: Path, number: int = 1) -> Iterator[Samples]:
    """Yield a sound file (anything that ffmpeg reads), mixed to one channel at `RATE_HZ`.

    Args:
        path: The file.
        number: Which of its sound tracks, from 1.

    Raises:
        MediaError: where there is no such track, or it cannot be decoded.
    """
    try:
        streams = ffmpeg.probe(path)["streams"]
    except ffmpeg.ProbeError as cause:
        raise MediaError(f"{path}: {cause}", hint="check that the file plays") from cause
    _refuse_missing(path, number, sum(stream.get("codec_type") == "audio" for stream in streams))
    picked = ("-map", f"0:a:{number - 1}", "-ac", "1", "-ar", str(RATE_HZ), "-f", "f32le", "-")
    for data in ffmpeg.blocks("-i", path, *picked, reading=path, block_bytes=4 * round(BLOCK_S * RATE_HZ)):
        yield np.frombuffer(data[: len(data) // 4 * 4], "<f4").astype(np.float32, copy=False)


def _refuse_missing(path: Path, number: int, tracks: int) -> None:
    if 1 <= number <= tracks:
        return
    if tracks == 0:
        raise MediaError(f"{path} has no sound track", hint="give a file that has sound")
    raise MediaError(f"{path} has no sound track {number}", hint=f"name one with --track: 1 to {tracks}")
