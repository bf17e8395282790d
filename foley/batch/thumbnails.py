"""A small picture of a finished clip, from the page that lies there already: nothing is decoded again."""

from __future__ import annotations

import re
from contextlib import suppress
from pathlib import Path

_FRAME = re.compile(r'<div class="strip">(.*?)</div>', re.DOTALL)
_PICTURE = re.compile(r'src="(data:image/jpeg;base64,[A-Za-z0-9+/=]+)"')

HEAD_CHARACTERS = 4_000_000
"""In which the strip of frames stands: only a poster comes before it."""


def thumbnail(folder: Path) -> str:
    """Return the fullest frame of the clip as a data URI; "" where its report shows none."""
    with suppress(OSError), (folder / "report.html").open(encoding="utf-8", errors="replace") as page:
        found = _FRAME.search(page.read(HEAD_CHARACTERS))
        pictures = _PICTURE.findall(found[1]) if found else []
        return str(max(pictures, key=len, default=""))  # the fullest: many clips begin and end in black
    return ""
