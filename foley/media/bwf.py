"""Chunks of Broadcast Wave: `bext`, iXML, cue points with labels, and the RIFF or RF64 header around them.

Only bytes are made and read here; `sound` puts them into files. Sources: EBU Tech 3285 (bext, version 2), EBU Tech 3306
(RF64), the iXML specification 2.10, and the RIFF chunks `cue ` and `LIST adtl` of Microsoft's Multimedia Programming
Interface 1.0.
"""

from __future__ import annotations

import re
import struct
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from html import escape
from typing import BinaryIO, NamedTuple

RIFF_LIMIT_BYTES = 2**32 - 1
"""The largest size that a WAV header can tell; past it the file becomes RF64."""

CUE_LIMIT = 2**32 - 1
"""A cue point's place has 32 bits: 24 hours at 48 kHz."""

_UNKNOWN = 0x7FFF
"""What stands in bext for a loudness that was not measured."""
_SEE_DS64 = 0xFFFFFFFF
_NOT_XML = re.compile(r"[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""Characters that XML 1.0 cannot hold, escaped or not."""


class NotWaveError(Exception):
    """The file is no WAV that foley can add chunks to; the text says why."""


@dataclass(frozen=True, slots=True)
class Chunks:
    """What a WAV holds beside its sound, each chunk whole."""

    head: bytes = b""
    """Before the sound: what readers of streams must find."""
    tail: bytes = b""
    """After the sound."""


@dataclass(frozen=True, slots=True)
class Broadcast:
    """What the `bext` chunk says."""

    description: str
    originator: str = ""
    reference: str = ""
    """Tells this material from any other; up to 32 characters."""
    date: str = ""
    """YYYY-MM-DD; "" where it is not said."""
    time: str = ""
    """HH:MM:SS."""
    first_sample: int = 0
    """Samples from midnight to the first one."""
    integrated_lufs: float | None = None
    range_lu: float | None = None
    true_peak_dbtp: float | None = None
    momentary_lufs: float | None = None
    """The highest."""
    short_term_lufs: float | None = None
    """The highest."""
    history: tuple[str, ...] = ()
    """How it was coded, one line for each step."""


@dataclass(frozen=True, slots=True)
class CuePoint:
    """A named place in a sound."""

    at_sample: int
    """From the file's first sample."""
    label: str
    note: str = ""
    length: int = 0
    """Samples; 0 for an instant."""


Fields = Sequence[tuple[str, "str | Fields"]]
"""XML elements in order: a tag with its text or with elements of its own."""


class DataPlace(NamedTuple):
    """Where the sound lies in a file."""

    first_byte: int
    bytes: int


_EXTENSIBLE = 0xFFFE
_SPEAKERS = {6: 0x3F, 8: 0x63F}
"""Masks of 5.1 and 7.1, which other layouts of as many channels hardly ever are; of other counts nothing is said."""
_SUBFORMAT = bytes.fromhex("000000001000800000aa00389b71")
"""What follows a tag in the GUID of its form."""


def chunk(name: bytes, data: bytes) -> bytes:
    """Return a RIFF chunk; an odd one is followed by a byte that fills it up."""
    return name + struct.pack("<I", len(data)) + data + b"\0" * (len(data) % 2)


def bext(said: Broadcast) -> bytes:
    """Return the `bext` chunk, version 2; what was not measured is marked as such, the UMID stays empty."""
    loudness = (
        said.integrated_lufs,
        said.range_lu,
        said.true_peak_dbtp,
        said.momentary_lufs,
        said.short_term_lufs,
    )
    fixed = (
        _ascii(said.description, 256)
        + _ascii(said.originator, 32)
        + _ascii(said.reference, 32)
        + _ascii(said.date, 10)
        + _ascii(said.time, 8)
        + struct.pack("<QH", said.first_sample, 2)
        + bytes(64)  # no UMID: it would have to be registered
        + struct.pack("<5h", *(_hundredths(value) for value in loudness))
        + bytes(180)
    )
    history = "".join(f"{line}\r\n" for line in said.history)
    return chunk(b"bext", fixed + _plain(history).encode("ascii") + b"\0")


def _ascii(text: str, length: int) -> bytes:
    return _plain(text).encode("ascii")[:length].ljust(length, b"\0")


def _plain(text: str) -> str:
    r"""Return a text in ASCII, letters without their accents.

    >>> _plain("Tür \u2192 auf")
    'Tur ? auf'
    """
    if text.isascii():
        return text
    apart = unicodedata.normalize("NFKD", text)
    bare = "".join(letter for letter in apart if not unicodedata.combining(letter))
    return bare.encode("ascii", "replace").decode("ascii")


def _hundredths(value: float | None) -> int:
    """Return a loudness in hundredths, as bext counts; what is out of its range was not measured."""
    if value is None or not abs(value) <= 327.66:
        return _UNKNOWN
    return round(100 * value)


def ixml(fields: Fields) -> bytes:
    """Return the iXML chunk with these elements in its root."""
    text = f'<?xml version="1.0" encoding="UTF-8"?><BWFXML>{_elements(fields)}</BWFXML>'
    return chunk(b"iXML", text.encode("utf-8"))


def _elements(fields: Fields) -> str:
    def within(inside: str | Fields) -> str:
        return escape(_NOT_XML.sub("", inside), quote=False) if isinstance(inside, str) else _elements(inside)

    return "".join(f"<{tag}>{within(inside)}</{tag}>" for tag, inside in fields)


def cues(points: Iterable[CuePoint]) -> bytes:
    """Return `cue ` and the `LIST adtl` that names its points; nothing where there are none."""
    kept = sorted((point for point in points if 0 <= point.at_sample <= CUE_LIMIT), key=lambda point: point.at_sample)
    if not kept:
        return b""
    places = [
        struct.pack("<II4sIII", number, point.at_sample, b"data", 0, 0, point.at_sample)
        for number, point in enumerate(kept, start=1)
    ]
    labels = b"".join(_labels(number, point) for number, point in enumerate(kept, start=1))
    return chunk(b"cue ", struct.pack("<I", len(kept)) + b"".join(places)) + chunk(b"LIST", b"adtl" + labels)


def _labels(number: int, point: CuePoint) -> bytes:
    said = chunk(b"labl", struct.pack("<I", number) + _ended(point.label))
    if point.note:
        said += chunk(b"note", struct.pack("<I", number) + _ended(point.note))
    if point.length > 0:
        said += chunk(b"ltxt", struct.pack("<II4sHHHH", number, min(point.length, CUE_LIMIT), b"rgn ", 0, 0, 0, 0))
    return said


def _ended(text: str) -> bytes:
    return text.replace("\0", "").encode("utf-8", "replace") + b"\0"


def header(fmt: bytes, *, frames: int, data_bytes: int, chunks: Chunks, limit_bytes: int = RIFF_LIMIT_BYTES) -> bytes:
    """Return all that stands before the sound: RIFF, or RF64 where a RIFF could not tell its size.

    Args:
        fmt: The `fmt ` chunk.
        frames: Samples in each channel.
        data_bytes: Of sound.
        chunks: What else the file holds.
        limit_bytes: The largest size that a RIFF may have.
    """
    # JUNK keeps the room of a ds64, so that a file may become RF64 when it is known to be too long
    riff_bytes = 4 + 36 + len(chunks.head) + len(fmt) + 8 + data_bytes + data_bytes % 2 + len(chunks.tail)
    if riff_bytes <= limit_bytes:
        start = struct.pack("<4sI4s4sI28x", b"RIFF", riff_bytes, b"WAVE", b"JUNK", 28)
        return start + chunks.head + fmt + struct.pack("<4sI", b"data", data_bytes)
    sizes = struct.pack("<4sIQQQI", b"ds64", 28, riff_bytes, data_bytes, frames, 0)
    start = struct.pack("<4sI4s", b"RF64", _SEE_DS64, b"WAVE") + sizes
    return start + chunks.head + fmt + struct.pack("<4sI", b"data", _SEE_DS64)


def format_chunk(*, rate_hz: int, channels: int, bits: int, is_float: bool) -> bytes:
    """Return the `fmt ` chunk of PCM or of float; for more than two channels it says which speakers they are for.

    Source: Microsoft, "Multiple Channel Audio Data and WAVE Files" (WAVEFORMATEXTENSIBLE).
    """
    tag = 3 if is_float else 1  # WAVE_FORMAT_IEEE_FLOAT, WAVE_FORMAT_PCM
    frame = channels * bits // 8
    plain = (channels, rate_hz, rate_hz * frame, frame, bits)
    if channels <= 2:
        return struct.pack("<4sIHHIIHH", b"fmt ", 16, tag, *plain)
    said = (22, bits, _SPEAKERS.get(channels, 0), tag)
    return struct.pack("<4sIHHIIHHHHIH", b"fmt ", 40, _EXTENSIBLE, *plain, *said) + _SUBFORMAT


def find_data(file: BinaryIO) -> tuple[bytes, DataPlace]:
    """Return the `fmt ` chunk of an open WAV, and where its sound lies.

    Raises:
        NotWaveError: where it is no WAV.
    """
    riff, _, form = struct.unpack("<4sI4s", file.read(12).ljust(12, b"\0"))
    if riff not in (b"RIFF", b"RF64") or form != b"WAVE":
        raise NotWaveError("it does not begin as a WAV file does")
    fmt, long_data = b"", 0
    while len(start := file.read(8)) == 8:
        name, size = struct.unpack("<4sI", start)
        if name == b"data":
            if not fmt:
                break
            return fmt, DataPlace(file.tell(), long_data if size == _SEE_DS64 and riff == b"RF64" else size)
        if name in (b"fmt ", b"ds64"):
            inside = file.read(size)
            fmt = start + inside if name == b"fmt " else fmt
            long_data = struct.unpack_from("<Q", inside, 8)[0] if name == b"ds64" else long_data
            file.seek(size % 2, 1)
        else:
            file.seek(size + size % 2, 1)
    raise NotWaveError("it holds no sound whose form is known")
