"""Read what an editor's Final Cut Pro 7 XML says of our sounds: as it was written here, by Premiere, or by Resolve."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from xml.etree.ElementTree import Element, ParseError, fromstring

from foley.deliver.labels import event_of
from foley.errors import ExportError
from foley.model import EditedItem
from foley.units import to_db


def read(path: Path) -> tuple[EditedItem, ...]:
    """Return the sounds on the audio tracks of the document's first sequence.

    Raises:
        ExportError: where it is no such document.
    """
    try:
        data = path.read_bytes()
        # entities are what makes XML dangerous, and this form has none
        if b"<!ENTITY" in data:
            raise ExportError(f"{path} declares entities, which no editor writes")
        root = fromstring(data)  # noqa: S314 - see above
    except (OSError, ParseError, ValueError) as cause:
        raise ExportError(f"{path} cannot be read: {cause}") from cause
    sequence = root if root.tag == "sequence" else root.find(".//sequence")
    if root.tag not in ("xmeml", "sequence") or sequence is None:
        raise ExportError(f"{path} is no Final Cut Pro 7 XML", hint="FCPXML (.fcpxml) is another form: save as XML 1.0")
    try:
        return _Reader(root, sequence).items()
    except (ValueError, AttributeError, ZeroDivisionError) as cause:
        raise ExportError(f"{path} is damaged: {cause}") from cause


@dataclass(frozen=True, slots=True)
class _Placed:
    """A clip with the transitions beside it."""

    clip: Element
    before: Element | None
    after: Element | None


class _Reader:
    """Follows the rates and references of one document."""

    def __init__(self, root: Element, sequence: Element) -> None:
        self.sequence, self.rate = sequence, _rate(sequence) or Fraction(25)
        self.files = {
            file.get("id", ""): file for file in root.iter("file") if len(file)
        }  # named anywhere else, only its id stands there

    def items(self) -> tuple[EditedItem, ...]:
        origin = self.origin_s()
        found: dict[EditedItem, None] = {}
        for track in self.sequence.findall("./media/audio/track"):
            if track.get("currentExplodedTrackIndex", "0") == "0":
                # a channel on a track of its own, as others write stereo, is the same item again
                found |= dict.fromkeys(self.on_track(track, origin))
        return tuple(found)

    def origin_s(self) -> Fraction:
        """Return where on the timeline the picture's first frame would be shown: by its first clip of our picture."""
        for track in self.sequence.findall("./media/video/track"):
            for placed in _placed(track):
                if placed.clip.get("id") == "clipitem-picture":
                    return self.start(placed) / self.rate - _number(placed.clip, "in") / self.rate_of(placed.clip)
        return Fraction(0)

    def on_track(self, track: Element, origin_s: Fraction) -> Iterator[EditedItem]:
        heard = _is_on(track)
        for placed in _placed(track):
            event_id = self.event_of(placed.clip)
            if not event_id:
                continue
            start, end = self.start(placed), self.end(placed)
            yield EditedItem(
                event_id=event_id,
                start_s=float(start / self.rate - origin_s),
                source_start_s=float(_number(placed.clip, "in") / self.rate_of(placed.clip)),
                duration_s=float((end - start) / self.rate),
                gain_db=_gain_db(placed.clip),
                fade_in_s=float(_length(placed.before) / self.rate),
                fade_out_s=float(_length(placed.after) / self.rate),
                muted=not (heard and _is_on(placed.clip)),
            )

    def event_of(self, clip: Element) -> str:
        file = clip.find("file")
        if file is None:
            return ""
        address = self.files.get(file.get("id", ""), file).findtext("pathurl") or ""
        return event_of(address) if address.lower().endswith(".wav") else ""

    def rate_of(self, clip: Element) -> Fraction:
        return _rate(clip) or self.rate

    def start(self, placed: _Placed) -> Fraction:
        """Return the frame on which a clip begins to be heard; -1 in the file means: with its transition."""
        start = _number(placed.clip, "start")
        return _number(placed.before, "start") if start < 0 and placed.before is not None else start

    def end(self, placed: _Placed) -> Fraction:
        end = _number(placed.clip, "end")
        return _number(placed.after, "end") if end < 0 and placed.after is not None else end


def _placed(track: Element) -> Iterator[_Placed]:
    parts = [part for part in track if part.tag in ("clipitem", "transitionitem")]
    for index, part in enumerate(parts):
        if part.tag != "clipitem":
            continue
        before = parts[index - 1] if index > 0 else None
        after = parts[index + 1] if index + 1 < len(parts) else None
        yield _Placed(
            part,
            before if before is not None and before.tag == "transitionitem" and _reaches_after(before) else None,
            after if after is not None and after.tag == "transitionitem" and _reaches_before(after) else None,
        )


def _reaches_after(transition: Element) -> bool:
    return not (transition.findtext("alignment") or "").startswith("end")


def _reaches_before(transition: Element) -> bool:
    return not (transition.findtext("alignment") or "").startswith("start")


def _length(transition: Element | None) -> Fraction:
    return Fraction(0) if transition is None else _number(transition, "end") - _number(transition, "start")


def _number(element: Element | None, tag: str) -> Fraction:
    text = None if element is None else element.findtext(tag)
    if text is None:
        raise ValueError(f"a {'clip' if element is None else element.tag} has no {tag}")
    return Fraction(text.strip())


def _rate(element: Element) -> Fraction | None:
    base = element.findtext("rate/timebase")
    if base is None:
        return None
    over_1001 = (element.findtext("rate/ntsc") or "").strip().upper() == "TRUE"
    return Fraction(base.strip()) * (Fraction(1000, 1001) if over_1001 else 1)


def _is_on(element: Element) -> bool:
    return (element.findtext("enabled") or "TRUE").strip().upper() != "FALSE"


def _gain_db(clip: Element) -> float:
    """Return the gain of a clip's levels; of drawn ones the highest, as fades fall from it."""
    total_db = 0.0
    for effect in clip.findall("filter/effect"):
        if (effect.findtext("effectid") or "").lower() != "audiolevels" or not _is_on(effect):
            continue
        for parameter in effect.findall("parameter"):
            if parameter.findtext("parameterid") == "level":
                drawn = [float(key.findtext("value") or 0.0) for key in parameter.findall("keyframe")]
                total_db += to_db(max(drawn or [float(parameter.findtext("value") or 1.0)]))
    return total_db
