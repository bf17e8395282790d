"""Sound on disk: WAV, read and written in blocks, exact to the bit; and the clip's own tracks as blocks of samples.

A sample x in [-1, 1) is stored as the whole number nearest to x * 2^(bits - 1), halves to even, and read back as that
number / 2^(bits - 1): what lies on the grid of 24 bits survives any number of rounds, and stems that sum to their mix
still do after writing. There is no dither: at 24 bits the error lies near -149 dBFS, and noise would make equal takes
differ.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Literal, Self

import numpy as np
import numpy.typing as npt
import soundfile

from foley.errors import NotAMediaFileError
from foley.media import bwf, ffmpeg
from foley.media.atomic import unwritable, written_whole
from foley.media.bwf import Chunks
from foley.model import Audio, AudioFile, Clip, SoundTrack
from foley.units import to_samples

Block = npt.NDArray[np.float32]
"""Sound in passing, shape (channels, samples)."""

Subtype = Literal["PCM_16", "PCM_24", "FLOAT"]

_BYTES = {"PCM_16": 2, "PCM_24": 3, "FLOAT": 4}
_RIFF_LIMIT_BYTES = bwf.RIFF_LIMIT_BYTES
_NO_CHUNKS = Chunks()
_COPY_SAMPLES = 1 << 16
_COPY_BYTES = 1 << 22
"""Copied at once where the system cannot copy by itself."""


def describe(path: Path) -> AudioFile:
    """Return what a sound file's header says.

    Raises:
        NotAMediaFileError: where it is missing or no sound file.
    """
    with _opened(path) as file:
        return AudioFile(path, file.samplerate, file.channels, file.frames)


def read(file: AudioFile, first: int, last: int) -> Block:
    """Return the samples [first, last) of a file, shape (channels, last - first); outside the file lies silence.

    Raises:
        NotAMediaFileError: where it is missing or no sound file.
    """
    out = np.zeros((file.channels, max(0, last - first)), np.float32)
    inside_first, inside_last = max(0, first), min(last, file.length)
    if inside_first >= inside_last:
        return out
    with _opened(file.path) as source:
        source.seek(inside_first)
        found = source.read(inside_last - inside_first, dtype="float32", always_2d=True)
    out[:, inside_first - first : inside_first - first + len(found)] = found.T
    return out


def load(file: AudioFile) -> Audio:
    """Return the whole file; for sound that is known to be short."""
    return Audio(read(file, 0, file.length), file.rate_hz)


def save(audio: Audio, to: Path, *, subtype: Subtype = "PCM_24") -> AudioFile:
    """Write sound as WAV, whole or not at all.

    Raises:
        OutputError: where it cannot be written.
    """
    with WavWriter(to, rate_hz=audio.rate_hz, channels=audio.channels, subtype=subtype) as writer:
        for first in range(0, audio.length, _COPY_SAMPLES):
            writer.append(audio.samples[:, first : first + _COPY_SAMPLES])
    return writer.file


def save_with(source: AudioFile, to: Path, chunks: Chunks) -> None:
    """Write a copy of a WAV with these chunks and no others, whole or not at all; its samples stay bit for bit.

    A copy that is there already, made of the same version of the source, is left alone.

    Raises:
        NotAMediaFileError: where the source is missing or no WAV.
        OutputError: where it cannot be written.
    """
    try:
        with source.path.open("rb") as file:
            fmt, place = bwf.find_data(file)
            head = _header(fmt, source.length, place.bytes, chunks)
            tail = b"\0" * (place.bytes % 2) + chunks.tail
            version = os.fstat(file.fileno()).st_mtime_ns
            if _is_there(to, head, tail, total=len(head) + place.bytes + len(tail), version=version):
                return
            with written_whole(to) as part:
                with part.open("wb", buffering=0) as out:
                    out.write(head)
                    _copy(file, place, out)
                    out.write(tail)
                os.utime(part, ns=(version, version))  # by this the copy is known to be of this version
    except bwf.NotWaveError as cause:
        raise NotAMediaFileError(source.path, str(cause)) from cause
    except FileNotFoundError as cause:
        raise NotAMediaFileError(source.path, "does not exist") from cause


def _is_there(to: Path, head: bytes, tail: bytes, *, total: int, version: int) -> bool:
    """Return whether a file is a copy with these chunks of this version of its source."""
    try:
        with to.open("rb") as file:
            found = os.fstat(file.fileno())
            if (found.st_size, found.st_mtime_ns) != (total, version) or file.read(len(head)) != head:
                return False
            file.seek(total - len(tail))
            return file.read() == tail
    except OSError:
        return False


def _copy(file: BinaryIO, place: bwf.DataPlace, out: BinaryIO) -> None:
    """Copy the sound of one open file to where the other one is."""
    done = 0
    if hasattr(os, "copy_file_range"):  # the system copies faster than we do, where it can
        try:
            while count := os.copy_file_range(
                file.fileno(), out.fileno(), place.bytes - done, offset_src=place.first_byte + done
            ):
                done += count
        except OSError:  # between two kinds of file systems, for one
            pass
    file.seek(place.first_byte + done)
    while done < place.bytes and (block := file.read(min(_COPY_BYTES, place.bytes - done))):
        rest = memoryview(block)
        while rest:  # a disk that is getting full takes a part, and complains of the next
            rest = rest[out.write(rest) :]
        done += len(block)
    if done < place.bytes:
        raise bwf.NotWaveError("it was cut off")


class WavWriter:
    """Writes a WAV block by block; the file appears under its name when the `with` block ends well, else never.

    Past 4 GB it becomes RF64: room for the larger header is kept in a JUNK chunk from the start, as EBU Tech 3306 asks.

    Raises:
        OutputError: where it cannot be written.
    """

    def __init__(
        self, to: Path, *, rate_hz: int, channels: int, subtype: Subtype = "PCM_24", chunks: Chunks = _NO_CHUNKS
    ) -> None:
        self._to, self._rate_hz, self._channels, self._subtype = to, rate_hz, channels, subtype
        self._chunks = chunks
        self._length = 0
        self._whole = written_whole(to)

    @property
    def file(self) -> AudioFile:
        """Return what was written; good once the `with` block has ended."""
        return AudioFile(self._to, self._rate_hz, self._channels, self._length)

    def append(self, block: Block) -> None:
        """Add samples, shape (channels, samples).

        Raises:
            ValueError: where the block has another shape or holds what is no number.
        """
        if block.ndim != 2 or block.shape[0] != self._channels:
            raise ValueError(f"expected {self._channels} channels, got the shape {block.shape}")
        if not np.isfinite(block).all():
            raise ValueError(f"sound for {self._to.name} is not finite")
        self._put(_coded(block, self._subtype))
        self._length += block.shape[1]

    def __enter__(self) -> Self:
        part = self._whole.__enter__()
        try:
            self._out: BinaryIO = part.open("wb")
        except OSError as cause:
            raise unwritable(self._to, cause) from cause
        self._put(self._header())
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if kind is None:
                self._finish()
        except OSError as cause:
            kind, error, trace = type(cause), cause, cause.__traceback__
        finally:
            self._out.close()
        self._whole.__exit__(kind, error, trace)

    def _put(self, data: bytes) -> None:
        try:
            self._out.write(data)
        except OSError as cause:
            raise unwritable(self._to, cause) from cause

    def _finish(self) -> None:
        if self._data_bytes % 2:
            self._out.write(b"\0")  # RIFF chunks have an even length
        self._out.write(self._chunks.tail)
        self._out.seek(0)
        self._out.write(self._header())
        self._out.flush()

    @property
    def _data_bytes(self) -> int:
        return self._length * self._channels * _BYTES[self._subtype]

    def _header(self) -> bytes:
        fmt = bwf.format_chunk(
            rate_hz=self._rate_hz,
            channels=self._channels,
            bits=8 * _BYTES[self._subtype],
            is_float=self._subtype == "FLOAT",
        )
        return _header(fmt, self._length, self._data_bytes, self._chunks)


def _header(fmt: bytes, frames: int, data_bytes: int, chunks: Chunks) -> bytes:
    return bwf.header(fmt, frames=frames, data_bytes=data_bytes, chunks=chunks, limit_bytes=_RIFF_LIMIT_BYTES)


def _coded(block: Block, subtype: Subtype) -> bytes:
    """Return samples as they lie in the file: interleaved, little-endian, clipped at full scale."""
    if subtype == "FLOAT":
        return np.ascontiguousarray(block.T, dtype="<f4").tobytes()
    scale = np.float32(2 ** (8 * _BYTES[subtype] - 1))
    whole: Block = np.clip(np.rint(block * scale), -scale, scale - 1)
    if subtype == "PCM_16":
        return whole.T.astype("<i2").tobytes()
    # channel by channel and byte by byte: numpy copies long rows many times faster than it gathers short ones
    wide = np.empty(block.shape[::-1], "<i4")
    for channel, row in enumerate(whole):
        wide[:, channel] = row
    four = wide.view(np.uint8).reshape(-1, 4)
    three = np.empty((len(four), 3), np.uint8)
    for place in range(3):
        three[:, place] = four[:, place]
    return three.tobytes()


def _opened(path: Path) -> soundfile.SoundFile:
    try:
        return soundfile.SoundFile(path)
    except soundfile.LibsndfileError as cause:
        reason = "is no sound file that can be read" if path.is_file() else "does not exist"
        raise NotAMediaFileError(path, reason) from cause


def read_track(clip: Clip, track: SoundTrack, *, rate_hz: int, channels: int, block_s: float = 1.0) -> Iterator[Block]:
    """Yield one of the clip's own sound tracks on the clip's timeline, exactly as long as the picture.

    Sample 0 is heard with the first frame: what lies before it is cut off, a track that begins later or has gaps is
    filled with silence, and so is what is missing at its end.

    Args:
        clip: The clip.
        track: One of its tracks.
        rate_hz: Rate to convert to.
        channels: Channels to mix to.
        block_s: Length of a block; the last one may be shorter.

    Raises:
        MediaError: where the track cannot be decoded.
    """
    size = max(1, to_samples(block_s, rate_hz))
    left = to_samples(clip.duration_s, rate_hz)
    for data in ffmpeg.blocks(
        *_track_args(clip, track, rate_hz, channels=channels, length=left),
        reading=clip.path,
        block_bytes=size * channels * 4,
    ):
        whole = data[: len(data) // (4 * channels) * 4 * channels]
        block = np.frombuffer(whole, "<f4").reshape(-1, channels).T[:, :left].astype(np.float32)
        left -= block.shape[1]
        # only the last may be short: it is filled to what a block would have held
        missing = min(size - block.shape[1], left)
        left -= missing
        yield np.pad(block, ((0, 0), (0, missing)))
    for first in range(0, left, size):
        yield np.zeros((channels, min(size, left - first)), np.float32)


_USUAL_LAYOUTS = {3: "2.1", 4: "4.0", 5: "5.0", 6: "5.1", 7: "6.1", 8: "7.1"}
"""What ffmpeg takes so many channels for where it is told their number alone."""


def _track_args(clip: Clip, track: SoundTrack, rate_hz: int, *, channels: int, length: int) -> list[str | Path]:
    """Return ffmpeg's arguments for a track as raw float32 from the first frame on."""
    start = Fraction(clip.start_s)
    # ffmpeg would take 3 dB off; every player gives mono to both sides as it is
    spread = ("pan=stereo|c0=c0|c1=c0",) if (track.channels, channels) == (1, 2) else ()
    usual = _USUAL_LAYOUTS.get(channels, "") if channels == track.channels else ""
    # ffmpeg would mix another layout of as many channels into its usual one: LCR into 2.1
    kept = (f"channelmap={'|'.join(map(str, range(channels)))}:channel_layout={usual}",) if usual else ()
    placed = (
        *kept,
        # the container's own clock, counted from the first frame
        f"asetpts=PTS-round({start.numerator}/{start.denominator}/TB)",
        # async=1 fills gaps and cuts overlaps; under 50 ms they are timestamps that stagger (seen: by 44 ms)
        f"aresample={rate_hz}:async=1:min_hard_comp=0.05:first_pts=0:filter_size=64",
        f"atrim=end_sample={length}",
        *spread,
    )
    return [
        "-copyts",
        "-i",
        clip.path,
        "-map",
        f"0:{track.index}",
        "-af",
        ",".join(placed),
        "-ac",
        str(channels),
        "-f",
        "f32le",
        "-",
    ]
