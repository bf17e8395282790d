"""Read the items of a REAPER project that foley wrote and an editor saved.

Understood: position, length, offset, item and take volume, fades and crossfades, mute of items and tracks, the chosen
take, a picture that was moved. Left out: envelopes, effects, takes that are not chosen. Refused: a changed play rate.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import get_args

from foley.deliver.labels import event_of
from foley.deliver.rpp_text import Block, parse
from foley.errors import ExportError
from foley.model import Bus, EditedItem
from foley.units import to_db

Line = Block | list[str]


def read(path: Path) -> tuple[EditedItem, ...]:
    """Return the items of a project that play sound files, by start; times from where its picture begins.

    Raises:
        ExportError: where the file cannot be read, or an item plays at another speed.
    """
    try:
        project = parse(path.read_text(encoding="utf-8", errors="replace"))
        items = [(block, track) for track in project.blocks("TRACK") for block in track.blocks("ITEM")]
        origin = next((begins for block, _ in items if (begins := _picture_begins(block)) is not None), 0.0)
        found = [_item(block, track, origin) for block, track in items if _plays_an_event(block)]
    except (OSError, ValueError) as cause:
        raise ExportError(f"{path} cannot be read as a REAPER project: {cause}") from cause
    return tuple(sorted(found, key=lambda item: (item.start_s, item.event_id)))


def _picture_begins(block: Block) -> float | None:
    """Return when the first frame of the picture is seen; None for items of sound."""
    if not _source(block, "VIDEO"):
        return None
    return _number(block.line("POSITION"), 0, 0.0) - _number(block.line("SOFFS"), 0, 0.0)


def _plays_an_event(block: Block) -> bool:
    """Return whether an item plays a sound file, and not a whole stem."""
    file = _source(block, "WAVE")
    return bool(file) and event_of(file) not in get_args(Bus)


def _item(block: Block, track: Block, origin: float) -> EditedItem:
    take = _chosen(block)
    name = event_of(_source(block, "WAVE"))
    if not math.isclose(_number(take.line("PLAYRATE"), 0, 1.0), 1.0):
        raise ExportError(f"the item {name} plays at another speed", hint="put its play rate back to 1 in REAPER")
    gain = _number(block.line("VOLPAN"), 0, 1.0) * abs(_take_volume(take))
    return EditedItem(
        event_id=name,
        start_s=_number(block.line("POSITION"), 0, 0.0) - origin,
        source_start_s=_number(take.line("SOFFS"), 0, 0.0),
        duration_s=_number(block.line("LENGTH"), 0, 0.0),
        gain_db=to_db(gain),
        fade_in_s=_fade(block.line("FADEIN")),
        fade_out_s=_fade(block.line("FADEOUT")),
        muted=any(_number(line, 0, 0.0) != 0.0 for line in (block.line("MUTE"), track.line("MUTESOLO"))),
    )


def _take_volume(take: Block) -> float:
    """Return a take's own factor; negative where its polarity is turned."""
    own = take.line("TAKEVOLPAN")
    return _number(own, 1, 1.0) if own else _number(take.line("VOLPAN"), 2, 1.0)


def _fade(words: Sequence[str]) -> float:
    """Return a fade in seconds: the crossfade that REAPER made of an overlap, else what was drawn."""
    automatic = _number(words, 2, 0.0)
    return automatic if automatic > 0.0 else max(0.0, _number(words, 1, 0.0))


def _source(block: Block, kind: str) -> str:
    """Return the file that an item's chosen take plays; empty where it is of another kind."""
    for source in _chosen(block).blocks("SOURCE"):
        inner = source
        while len(inner.words) > 1 and inner.words[1] == "SECTION":  # a part of a file, or one played backwards
            inner = next(inner.blocks("SOURCE"), Block([]))
        if len(inner.words) > 1 and inner.words[1] == kind:
            return next(iter(inner.line("FILE")), "")
    return ""


def _chosen(block: Block) -> Block:
    """Return the lines of the take that is played: the first stands in the item itself, each other after a `TAKE`."""
    takes: list[list[Line]] = [[]]
    chosen = 0
    for line in block.inside:
        if isinstance(line, list) and line[:1] == ["TAKE"]:
            takes.append([])
            chosen = len(takes) - 1 if "SEL" in line else chosen
        takes[-1].append(line)
    return Block(block.words, takes[chosen])


def _number(words: Sequence[str], place: int, otherwise: float) -> float:
    if place >= len(words):
        return otherwise
    value = float(words[place])
    if not math.isfinite(value):
        raise ValueError(f"{words[place]} is no number that an item can have")
    return value
