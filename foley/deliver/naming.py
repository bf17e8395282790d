"""What delivered sound files are called: plainly, as sound libraries do (UCS), or as delivery checks ask.

The plan's own ids stand in every file's iXML and in `manifest.json`, whatever the file is called. A file keeps its name
while its event keeps its id and label: muting or moving another event renames nothing.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from foley.library import ucs
from foley.model import Bus, SoundEvent

Naming = Literal["plain", "ucs", "delivery"]

StemName = str
"""A bus, or one of: mix, track, dialogue."""

FX_NAME_CHARACTERS = 25
"""UCS asks for fewer in an FXName."""
_LONGEST = 60
"""Characters of a part of a name: names of 255 bytes must do for all of them together."""

_UNKNOWN: Mapping[Bus, str] = {"foley": "FOLYMisc", "effects": "OBJMisc", "backgrounds": "AMBMisc", "music": "MUSCMisc"}
"""CatIDs of events that the plan gives none."""

_TITLES: Mapping[str, str] = {
    "mix": "Music and Effects",
    "track": "Track",
    "dialogue": "Dialogue",
}
_CODES: Mapping[str, str] = {
    "foley": "FOLEY",
    "effects": "FX",
    "backgrounds": "BG",
    "music": "MX",
    "mix": "ME",
    "track": "TRACK",
    "dialogue": "DX",
}
"""What such a stem is called in deliveries; the mix is the M&E, as no dialogue is in it."""

_FORBIDDEN = re.compile(r'[\x00-\x1f\x7f/\\:*?"<>|]')
"""What some file system does not take."""


@dataclass(frozen=True, slots=True)
class FileNames:
    """Names of all sound files of a clip, with their folders and without suffixes."""

    clip: str
    """The clip's file name without its suffix."""
    naming: Naming
    creator: str
    """CreatorID of UCS."""
    takes: Mapping[str, str]
    """By event id."""

    def stem(self, holds: StemName) -> str:
        """Return the name of a stem, the mix, the track or the dialogue."""
        if self.naming == "plain":
            return f"stems/{holds}"
        if self.naming == "delivery":
            return f"stems/{portable(self.clip)}_{_CODES.get(holds, portable(holds).upper())}_48k24b"
        cat_id = "PROD" if holds == "dialogue" else "MIX"
        return f"stems/{cat_id}_{stem_title(holds)}_{_part(self.creator)}_{_part(self.clip)}"


def file_names(events: tuple[SoundEvent, ...], *, clip: str, naming: Naming, creator: str) -> FileNames:
    """Return the names of a clip's files.

    Args:
        events: All of the plan, muted ones too.
        clip: The clip's file name without its suffix.
        naming: How.
        creator: CreatorID of UCS.
    """
    wanted = {event.id: _take_name(event, clip, naming, creator) for event in events}
    # by UCS an id is a user's data; the other names hold it already
    wanted = _told_apart(wanted, {key: _part(key) if naming == "ucs" else _mark(key) for key in wanted})
    wanted = _told_apart(wanted, {key: _mark(key) for key in wanted})
    return FileNames(clip, naming, creator, {key: f"takes/{name}" for key, name in wanted.items()})


def stem_title(holds: StemName) -> str:
    """Return what a stem is called in words.

    >>> stem_title("foley"), stem_title("mix")
    ('Foley Stem', 'Music and Effects')
    """
    return _TITLES.get(holds, f"{holds.capitalize()} Stem")


def cat_id(event: SoundEvent) -> str:
    """Return the CatID of an event; one of its bus where the plan names none that there is."""
    known = ucs.category(event.ucs)
    return known.id if known else _UNKNOWN[event.bus]


def fx_name(event: SoundEvent) -> str:
    """Return what is heard as UCS names it: capital initials, short, without the separators of its names."""
    words = _part(event.label.replace("-", " ")).split()
    name = ""
    for word in words:
        longer = f"{name} {word[:1].upper()}{word[1:]}".strip()
        if len(longer) >= FX_NAME_CHARACTERS:
            break
        name = longer
    return name or (words[0][: FX_NAME_CHARACTERS - 1] if words else "Sound")


def portable(text: str) -> str:
    """Return a text with letters, digits, points and hyphens of ASCII alone.

    >>> portable("Tür #2 (final).v3"), portable("映画")
    ('Tur-2-final-.v3', 'clip')
    """
    apart = unicodedata.normalize("NFKD", text)
    bare = "".join(letter for letter in apart if not unicodedata.combining(letter))
    plain = re.sub(r"[^A-Za-z0-9.]+", "-", bare).strip("-.")
    return plain[:_LONGEST] or "clip"


def _take_name(event: SoundEvent, clip: str, naming: Naming, creator: str) -> str:
    if naming == "plain":
        return event.id
    if naming == "delivery":
        return f"{portable(clip)}_TAKE-{portable(event.id)}_48k24b"
    return f"{cat_id(event)}_{fx_name(event)}_{_part(creator)}_{_part(clip)}"


def _part(text: str) -> str:
    """Return a text as a part of a name: an underscore parts names, and some characters no file system takes."""
    return " ".join(_FORBIDDEN.sub(" ", text.replace("_", " ")).split())[:_LONGEST] or "clip"


def _told_apart(wanted: Mapping[str, str], tags: Mapping[str, str]) -> dict[str, str]:
    """Return the names, with a tag where others are like them, whatever their capitals."""
    often = Counter(name.casefold() for name in wanted.values())
    return {key: name if often[name.casefold()] == 1 else f"{name}_{tags[key]}" for key, name in wanted.items()}


def _mark(text: str) -> str:
    return hashlib.blake2b(text.encode("utf-8", "replace"), digest_size=4).hexdigest()
