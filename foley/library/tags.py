"""What a recording's own metadata says: BWF `bext`, iXML with its ASWG and user blocks, ID3, INFO and Vorbis comments.

Chunks of WAV, RF64 and ID3 are read here; the rest through libsndfile. Damaged metadata is metadata that is not there.
Sources: EBU Tech 3285 (bext), EBU Tech 3306 (RF64), ixml.info 2.0, ASWG-G006 (fields of game audio), id3.org 2.4.
"""

from __future__ import annotations

import html
import re
import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from foley.library import ucs

MOST_BYTES = 1 << 20
"""No text of a recording is longer; what is, is a picture."""

MOST_CHUNKS = 1000
"""A damaged file may hold as many empty chunks as it has bytes."""

_TEXT_CHUNKS = {b"bext", b"iXML", b"id3 ", b"ID3 ", b"LIST"}
_LEAF = re.compile(r"<([\w:.-]+)(?:\s[^<>]*)?>([^<]+)</\1\s*>")

TITLE_NAMES = ("fxname", "title", "tit2", "name", "inam", "track title", "tracktitle")
WORD_NAMES = (
    *("description", "comment", "comm", "note", "notes", "keywords", "ikey", "icmt", "genre", "tcon", "ignr"),
    *("category", "subcategory", "usercategory", "library", "album", "talb", "scene", "vendorcategory", "isbj"),
)
"""Fields whose words tell what is heard, the most telling first."""
CATEGORY_NAMES = ("catid", "ucs catid", "ucs")
LICENCE_NAMES = ("licence", "license", "tcop", "copyright", "icop", "wcop", "rightsowner")

_INFO_BYTES = 4
_BEXT_DESCRIPTION_BYTES = 256
_ID3_ENCODINGS = ("latin-1", "utf-16", "utf-16-be", "utf-8")


@dataclass(frozen=True, slots=True)
class Tags:
    """What metadata says, as far as it is of use here."""

    title: str = ""
    words: str = ""
    category: str = ""
    """CatID."""
    licence: str = ""


def read(path: Path, other: Mapping[str, str]) -> Tags:
    """Return what a file says of itself.

    Args:
        path: The recording.
        other: What libsndfile read of it: title, comment, genre, license ...
    """
    fields = {name.casefold(): text for name, text in other.items() if text}
    try:
        with path.open("rb") as file:
            fields |= dict(_fields(file))
    except (OSError, struct.error, ValueError, LookupError):
        pass  # what was read so far counts
    known = ucs.category(_first(fields, CATEGORY_NAMES))
    return Tags(
        title=_first(fields, TITLE_NAMES),
        words=" ".join(fields[name] for name in WORD_NAMES if name in fields),
        category=known.id if known else "",
        licence=_first(fields, LICENCE_NAMES),
    )


def _first(fields: Mapping[str, str], names: tuple[str, ...]) -> str:
    return next((fields[name] for name in names if fields.get(name)), "")


def _fields(file: BinaryIO) -> Iterator[tuple[str, str]]:
    """Yield the fields of a file by their names in small letters."""
    head = file.read(12)
    if head[:3] == b"ID3":
        yield from _id3(head + file.read(MOST_BYTES))
    elif head[:4] in (b"RIFF", b"RF64", b"BW64") and head[8:12] == b"WAVE":
        for name, data in _chunks(file):
            if name == b"bext":
                yield "description", _text(data[:_BEXT_DESCRIPTION_BYTES])
            elif name == b"iXML":
                yield from _leaves(_text(data, "utf-8"))
            elif name == b"LIST" and data[:4] == b"INFO":
                yield from _info(data[4:])
            elif name.lower() == b"id3 ":
                yield from _id3(data)


def _chunks(file: BinaryIO) -> Iterator[tuple[bytes, bytes]]:
    """Yield the chunks of a WAV that hold text; the sound is skipped, wherever it stands."""
    long_bytes = None
    for _ in range(MOST_CHUNKS):
        head = file.read(8)
        if len(head) < 8:
            return
        name, size = struct.unpack("<4sI", head)
        after = file.tell() + size + size % 2
        if name == b"ds64":
            long_bytes = struct.unpack("<8xQ", file.read(16))[0]
        elif name == b"data" and size == 0xFFFFFFFF and long_bytes is not None:
            after = file.tell() + long_bytes + long_bytes % 2
        elif name in _TEXT_CHUNKS:
            yield name, file.read(min(size, MOST_BYTES))
        file.seek(after)


def _info(data: bytes) -> Iterator[tuple[str, str]]:
    at = 0
    while at + 8 <= len(data):
        name, size = struct.unpack_from("<4sI", data, at)
        yield name.decode("latin-1").casefold(), _text(data[at + 8 : at + 8 + size])
        at += 8 + size + size % 2


def _leaves(xml: str) -> Iterator[tuple[str, str]]:
    """Yield the elements that hold text alone, by their names without a namespace: iXML is flat there."""
    for name, text in _LEAF.findall(xml):
        plain = html.unescape(text).strip()
        if plain:
            yield name.rpartition(":")[2].casefold(), plain


def _id3(data: bytes) -> Iterator[tuple[str, str]]:
    """Yield the text frames of an ID3 tag, versions 2.3 and 2.4; those that users define by their own names."""
    version, flags = data[3], data[5]
    if data[:3] != b"ID3" or version not in (3, 4) or flags & 0x80:
        return
    end, at = min(10 + _synchsafe(data[6:10]), len(data)), 10
    while at + 10 <= end and data[at]:
        name, size = data[at : at + 4].decode("latin-1"), _id3_size(data[at + 4 : at + 8], version)
        body = data[at + 10 : min(at + 10 + size, end)]
        at += 10 + size
        if name == "TXXX":
            own, _, value = _id3_text(body).partition("\0")
            yield own.strip().casefold(), value.strip("\0 ")
        elif name == "COMM":
            yield "comm", _id3_text(body[:1] + body[4:]).rpartition("\0")[2]
        elif name.startswith("T"):
            yield name.casefold(), _id3_text(body).replace("\0", " ").strip()


def _id3_size(data: bytes, version: int) -> int:
    return _synchsafe(data) if version == 4 else int.from_bytes(data, "big")


def _synchsafe(data: bytes) -> int:
    """Return a number of which every byte carries seven bits."""
    number = 0
    for byte in data:
        number = number << 7 | byte & 0x7F
    return number


def _id3_text(body: bytes) -> str:
    encoding = _ID3_ENCODINGS[body[0]] if body and body[0] < len(_ID3_ENCODINGS) else "latin-1"
    return body[1:].decode(encoding, "replace").replace("\ufeff", "").rstrip("\0")


def _text(data: bytes, encoding: str = "utf-8") -> str:
    """Return what stands before the first zero byte."""
    return data.partition(b"\0")[0].decode(encoding, "replace").strip()
