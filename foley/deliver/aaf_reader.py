"""Read the items of an AAF: one that foley wrote, or what an editor saved of it.

Understood: clips, cuts, trims, clip gain (constant; of a drawn one the first point), fades as dissolves against a
filler or as lengths of the clip itself, crossfades, clips switched off, nested sequences, tracks at any edit rate.
Left out: pan, plug-in effects, speed changes, clips that do not come from a sound of foley's by name.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from foley.deliver.aaf_writer import AMPLITUDE
from foley.deliver.labels import event_of
from foley.errors import ExportError
from foley.model import EditedItem
from foley.units import to_db

_BROKEN: tuple[type[Exception], ...] = (OSError, EOFError, MemoryError, struct.error)
_BROKEN += (ValueError, LookupError, AttributeError, AssertionError, RuntimeError, TypeError, ArithmeticError)
"""What pyaaf2 raises over a file that is none, or a damaged one."""

_DEPTH = 64
"""Of effects in effects and sources of sources: deeper is a circle."""


@dataclass(frozen=True, slots=True)
class _Piece:
    """One clip on a track, in the track's edit units."""

    event_id: str
    first: int
    length: int
    source_first: int
    offset_s: float = 0.0
    """How far into its file the zero of its source lies."""
    gain: float = 1.0
    fade_in: int = 0
    fade_out: int = 0
    muted: bool = False


def read(path: Path) -> tuple[EditedItem, ...]:
    """Return the items of the AAF's compositions, both sides of a sound as one, by start.

    Raises:
        ExportError: where the file cannot be read.
    """
    from aaf2.exceptions import AAFError  # type: ignore[import-untyped]

    try:
        with _opened(path) as file:
            whole = list(file.content.toplevel()) or list(file.content.compositionmobs())
            items = [item for composition in whole for item in _items(composition)]
    except (*_BROKEN, AAFError) as cause:
        raise ExportError(f"{path} cannot be read as AAF: {cause or type(cause).__name__}") from cause
    return _together(items)


@contextmanager
def _opened(path: Path) -> Iterator[Any]:
    """Give the file, and close it even where pyaaf2 fails over it half-way, which by itself leaves it open."""
    from aaf2.file import AAFFile  # type: ignore[import-untyped]

    file = AAFFile.__new__(AAFFile)
    try:
        file.__init__(str(path), "r")
        yield file
    finally:
        if (opened := getattr(file, "f", None)) is not None:
            opened.close()


def _items(composition: Any) -> Iterator[EditedItem]:
    for slot in composition.slots:
        if str(slot.media_kind).casefold() not in ("sound", "legacysound"):
            continue
        rate = float(slot.edit_rate)
        for piece in _pieces(slot.segment, 0):
            yield EditedItem(
                event_id=piece.event_id,
                start_s=piece.first / rate,
                source_start_s=piece.source_first / rate + piece.offset_s,
                duration_s=piece.length / rate,
                gain_db=to_db(piece.gain),
                fade_in_s=piece.fade_in / rate,
                fade_out_s=piece.fade_out / rate,
                muted=piece.muted,
            )


def _pieces(segment: Any, depth: int) -> list[_Piece]:
    """Return the clips in a segment; times from its start."""
    if segment is None or depth > _DEPTH:
        return []
    kind = type(segment).__name__
    if kind == "Sequence":
        return _of_sequence(segment, depth + 1)
    if kind == "SourceClip":
        return _of_clip(segment)
    if kind == "OperationGroup":
        factor = _factor(segment)
        inner = next((found for one in segment.segments if (found := _pieces(one, depth + 1))), [])
        return [replace(piece, gain=piece.gain * factor) for piece in inner]
    if kind == "Selector":
        return _of_selector(segment, depth + 1)
    if kind == "NestedScope":
        return _pieces([*segment.slots][-1], depth + 1)  # its last track is what is heard
    if kind == "EssenceGroup":
        return _pieces(next(iter(segment["Choices"].value), None), depth + 1)
    return []


def _of_sequence(sequence: Any, depth: int) -> list[_Piece]:
    found: list[_Piece] = []
    at, fade, faded = 0, 0, False
    for component in sequence.components:
        length = int(component.length or 0)
        if type(component).__name__ == "Transition":
            at, fade = at - length, length
            if faded:
                found[-1] = replace(found[-1], fade_out=length)
            continue
        inner = [replace(piece, first=piece.first + at) for piece in _pieces(component, depth)]
        if inner and fade:
            inner[0] = replace(inner[0], fade_in=fade)
        found += inner
        at, fade, faded = at + length, 0, bool(inner)
    return found


def _of_clip(clip: Any) -> list[_Piece]:
    event_id, offset_s = _source(clip)
    if not event_id:
        return []
    fades = [int(clip.getvalue(name, 0) or 0) for name in ("FadeInLength", "FadeOutLength")]
    return [_Piece(event_id, 0, int(clip.length), int(clip.start), offset_s, fade_in=fades[0], fade_out=fades[1])]


def _of_selector(selector: Any, depth: int) -> list[_Piece]:
    """Return what a selector plays; Avid keeps a clip that is switched off as its alternate."""
    off = any(
        attribute.name == "_DISABLE_CLIP_FLAG" and attribute.value
        for attribute in selector.getvalue("ComponentAttributeList", None) or ()
    )
    chosen = _pieces(selector.getvalue("Selected", None), depth)
    if chosen:
        return [replace(piece, muted=piece.muted or off) for piece in chosen]
    others = selector.getvalue("Alternates", None) or ()
    hidden = next((found for other in others if (found := _pieces(other, depth))), [])
    return [replace(piece, muted=True) for piece in hidden]


def _factor(group: Any) -> float:
    """Return the gain of an effect; 1 for one that sets none."""
    for parameter in group.getvalue("Parameters", None) or ():
        if str(parameter.auid) == AMPLITUDE:
            points = parameter.getvalue("PointList", None)
            return float(points[0].value if points else parameter.value)
    return 1.0


def _source(clip: Any) -> tuple[str, float]:
    """Return the event that a clip plays, and how far into its file, in seconds, the clip's own zero lies.

    A clip plays a master, which plays a file; editors put further sources between and behind them.
    """
    event_id, file, offset_s, mob = "", "", 0.0, clip.mob
    for _ in range(_DEPTH):
        if mob is None:
            break
        event_id, file = event_id or _noted(mob), file or _located(mob)
        plays = next(((slot, one) for slot in mob.slots if (one := _clip_in(slot.segment)) is not None), None)
        if plays is None:
            break
        slot, inner = plays
        offset_s += inner.start / float(slot.edit_rate)
        mob = inner.mob
    return event_id or event_of(file or (clip.mob.name if clip.mob else "") or ""), offset_s


def _clip_in(segment: Any) -> Any:
    """Return the first clip of a source's track."""
    kind = type(segment).__name__
    if kind == "SourceClip":
        return segment
    parts = segment.components if kind == "Sequence" else [*segment["Choices"].value] if kind == "EssenceGroup" else ()
    return next((part for part in parts if type(part).__name__ == "SourceClip"), None)


def _noted(mob: Any) -> str:
    """Return the event that foley noted on a mob; editors carry such notes along as columns of a bin."""
    comments = mob.getvalue("UserComments", None) or ()
    return next((str(comment.value) for comment in comments if comment.name == "Event"), "")


def _located(mob: Any) -> str:
    """Return the address of the file that a mob stands for."""
    if "EssenceDescription" not in mob:
        return ""
    locators = mob.descriptor.getvalue("Locator", None) or ()
    return next((str(one["URLString"].value) for one in locators if "URLString" in one), "")


def _together(items: Iterable[EditedItem]) -> tuple[EditedItem, ...]:
    """Return one item for the sides of a sound: heard where one is, as loud as the louder."""
    found: dict[tuple[str, float, float, float], EditedItem] = {}
    for item in items:
        key = (item.event_id, item.start_s, item.source_start_s, item.duration_s)
        other = found.get(key, item)
        louder = item if item.gain_db > other.gain_db else other
        found[key] = replace(louder, muted=item.muted and other.muted)
    return tuple(sorted(found.values(), key=lambda item: (item.start_s, item.event_id)))
