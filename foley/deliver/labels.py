"""Names, notes and paths as other programs hold them."""

from __future__ import annotations

import os
import re
import unicodedata
from pathlib import Path, PurePosixPath, PureWindowsPath
from urllib.parse import unquote, urlsplit

from foley.model import TimelineMarker

_CHANNEL = re.compile(r"\.(L|R|A\d+)$", re.IGNORECASE)
"""What marks one channel of a sound that lies in a file for each: ours, and Avid's."""


def plain(text: str) -> str:
    r"""Return the text on one line, without what XML and project files cannot hold.

    >>> plain("door\tslams\n\x07 \ud83d twice")
    'door slams twice'
    """
    # control characters, lone surrogates, and the two that are no characters at all
    kept = "".join(
        " " if unicodedata.category(one) in ("Cc", "Cs", "Zl", "Zp") or one in "\ufffe\uffff" else one for one in text
    )
    return " ".join(kept.split())


def remark(marker: TimelineMarker) -> str:
    """Return what a marker says, on one line: its name, and its note after a colon."""
    return ": ".join(filter(None, (plain(marker.name), plain(marker.note))))


def event_of(file: str) -> str:
    r"""Return the event whose sound a file holds, by its name: of a path of any system, or an address.

    >>> event_of("file:///C:/film/audio/e01%20room.L.wav"), event_of("..\\audio\\e02-steps.wav")
    ('e01 room', 'e02-steps')
    """
    path = unquote(urlsplit(file).path) if file.startswith("file:") else file
    name = PureWindowsPath(path).name if "\\" in path else PurePosixPath(path).name
    stem = name.rpartition(".")[0] if name.lower().endswith((".wav", ".wave", ".w64", ".flac", ".mxf")) else name
    return _CHANNEL.sub("", stem)


def file_stem(name: str) -> str:
    """Return a timeline's name as that of a file on any system.

    >>> file_stem("reel 1/2: the end?")
    'reel 1_2_ the end_'
    """
    return re.sub(r'[<>:"/\\|?*]', "_", plain(name)).strip(". ") or "foley"


def seen_from(folder: Path, path: Path) -> str:
    """Return a path as seen from a folder; whole where no way leads from one to the other."""
    try:
        return Path(os.path.relpath(path.resolve(), folder.resolve())).as_posix()
    except ValueError:  # another drive
        return path.resolve().as_posix()
