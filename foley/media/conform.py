"""Sound files that people give, brought to the picture: 48 kHz, 24 bit, stereo, to the sample as long as it.

What is 48 kHz and at most 24 bit already passes bit for bit. Sample 0 is heard with the first frame.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from foley.errors import MediaError, NotAMediaFileError
from foley.media import ffmpeg, sound
from foley.media.sound import Block
from foley.model import AudioFile
from foley.units import RATE_HZ

BLOCK_SAMPLES = 10 * RATE_HZ
"""4 MB of stereo at once."""

_STEREO = 2


@dataclass(frozen=True, slots=True)
class Given:
    """What a sound file's container says of it."""

    rate_hz: int
    channels: int
    codec: str


def look_at(path: Path) -> Given:
    """Return what is in a file's first sound track.

    Raises:
        MediaError: where it has none, or cannot be read.
    """
    if not path.is_file():
        raise NotAMediaFileError(path, "does not exist", hint="give a sound file that ffmpeg can read")
    try:
        streams = ffmpeg.probe(path)["streams"]
    except ffmpeg.ProbeError as cause:
        raise NotAMediaFileError(path, str(cause), hint="give a sound file that ffmpeg can read") from cause
    tracks = [stream for stream in streams if stream.get("codec_type") == "audio"]
    if not tracks or not int(tracks[0].get("channels") or 0):
        raise MediaError(f"{path} has no sound", hint="give a file that holds sound, such as a WAV")
    return Given(int(tracks[0]["sample_rate"]), int(tracks[0]["channels"]), str(tracks[0].get("codec_name")))


def stereo_blocks(path: Path, given: Given) -> Iterator[Block]:
    """Yield a file's first sound track at 48 kHz, shape (2, samples); mono is given to both sides as it is.

    Raises:
        MediaError: where it cannot be decoded.
    """
    # a longer filter than the usual one, as for the clip's own tracks: flat to 20 kHz
    chain = [f"aresample={RATE_HZ}:filter_size=64"] if given.rate_hz != RATE_HZ else []
    chain += ["pan=stereo|c0=c0|c1=c0"] if given.channels == 1 else []
    filters = ("-af", ",".join(chain)) if chain else ()
    wanted = ("-map", "0:a:0", *filters, "-ac", str(_STEREO), "-f", "f32le", "-")
    for data in ffmpeg.blocks("-i", path, *wanted, reading=path, block_bytes=4 * _STEREO * BLOCK_SAMPLES):
        whole = data[: len(data) // (4 * _STEREO) * 4 * _STEREO]
        yield np.frombuffer(whole, "<f4").reshape(-1, _STEREO).T.astype(np.float32)


def conformed(path: Path, length: int, to: Path, *, fade_samples: int = 0) -> tuple[AudioFile, int]:
    """Write a file's sound as a 24-bit WAV of `length` samples; return it, and how long the sound was by itself.

    What is missing at its end is silence; what is too much is cut off.

    Args:
        path: The file.
        length: Samples at 48 kHz.
        to: The WAV.
        fade_samples: Where it is cut off, how long before the end it fades out, straight in amplitude.

    Raises:
        MediaError: where the file cannot be used.
        OutputError: where the WAV cannot be written.
    """
    done, tail = 0, []
    steady = max(0, length - fade_samples)
    with sound.WavWriter(to, rate_hz=RATE_HZ, channels=_STEREO) as writer:
        for block in stereo_blocks(path, look_at(path)):
            writer.append(block[:, : max(0, steady - done)])
            # whether the end fades is known when all has come
            tail.append(block[:, max(0, steady - done) : max(0, length - done)])
            done += block.shape[1]
        end = np.concatenate(tail, axis=1) if tail else np.zeros((_STEREO, 0), np.float32)
        if done > length:
            end = end * np.linspace(1.0, 0.0, end.shape[1], dtype=np.float32)
        writer.append(end)
        for first in range(done, length, BLOCK_SAMPLES):
            writer.append(np.zeros((_STEREO, min(BLOCK_SAMPLES, length - first)), np.float32))
    return writer.file, done
