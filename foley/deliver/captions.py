"""Captions of sound for those who do not hear it: [glass breaks].

The rules are those of Netflix's Timed Text Style Guide (general requirements, and English SDH): 5/6 s to 7 s each, two
frames between two, at most two lines of 42 characters, sound in brackets. Blows that follow each other closely are one
caption; ambience is said once, where it begins.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path
from textwrap import wrap
from typing import Any, Literal

from foley.deliver import frames, outputs
from foley.deliver.labels import file_stem, plain
from foley.model import Timeline, TimelineItem
from foley.units import RATE_HZ

Form = Literal["srt", "vtt", "ttml"]

SHORTEST_S = Fraction(5, 6)
LONGEST_S = 7
GAP_FRAMES = 2
LINES = 2
LINE_CHARACTERS = 42

BURST_S = 3
"""Blows of one event nearer than this are one caption: read once, they are still being heard."""

BED_S = 3
"""How long ambience is shown: it goes on, but need not be read again."""

PAUSE_S = 1
"""What pauses for less goes on."""

_MEANS_SOMETHING = re.compile(r"[<>{}\[\]\\]")
"""Characters that are markup in one form or another."""


@dataclass(frozen=True, slots=True)
class Caption:
    """What is shown from one frame to another."""

    first_frame: int
    last_frame: int
    """The first on which it is no longer shown."""
    labels: tuple[str, ...]
    """Without brackets."""

    @property
    def lines(self) -> tuple[str, ...]:
        """Return its lines: what fits on one stands on one."""
        return _lines(self.labels)


def captions(timeline: Timeline) -> tuple[Caption, ...]:
    """Return the captions of a timeline's sounds, by start."""
    shortest, gap = math.ceil(SHORTEST_S * timeline.frame_rate), GAP_FRAMES
    shown: list[Caption] = []
    for cue in sorted(_cues(timeline), key=lambda one: (one.first_frame, one.labels)):
        last = shown[-1] if shown else None
        if last is None or _follows(last, cue, shortest + gap):
            if last is not None:
                shown[-1] = replace(last, last_frame=min(last.last_frame, cue.first_frame - gap))
            shown.append(cue)
        else:
            shown[-1] = _joined(last, cue, math.floor(LONGEST_S * timeline.frame_rate))
    return tuple(shown)


def save(timeline: Timeline, folder: Path, form: Form) -> tuple[Path, ...]:
    """Write NAME.FORM and return it.

    Raises:
        OutputError: where it cannot be written.
    """
    import pysubs2

    document = pysubs2.SSAFile()
    for caption in captions(timeline):
        event: Any = pysubs2.SSAEvent(
            start=_ms(caption.first_frame, timeline.frame_rate), end=_ms(caption.last_frame, timeline.frame_rate)
        )
        event.plaintext = "\n".join(caption.lines)
        document.append(event)
    to = folder / f"{file_stem(timeline.name)}.{form}"
    text = document.to_string(form)
    outputs.write_text(to, _valid(text) if form == "ttml" else text)
    return (to,)


def _valid(ttml: str) -> str:
    """Return TTML with what pysubs2 leaves out and the standard asks for: a language, here unknown, and real ids."""
    with_ids = ttml.replace("<style id=", "<style xml:id=")
    return '<?xml version="1.0" encoding="utf-8"?>\n' + with_ids.replace("<tt ", '<tt xml:lang="" ', 1)


def _ms(frame: int, frame_rate: Fraction) -> int:
    return round(frame * 1000 / frame_rate)


def _cues(timeline: Timeline) -> Iterator[Caption]:
    """Yield a caption for every sound, each alone within its limits, inside the picture."""
    shortest = math.ceil(SHORTEST_S * timeline.frame_rate)
    longest = math.floor(LONGEST_S * timeline.frame_rate)
    for item in _told(timeline.items):
        label = _label(item)
        for begins, ends in _stretches(item) if label else ():
            first = frames.frame_at(begins, timeline.frame_rate)
            # what begins with the last frames is shown a little before
            first = max(0, min(first, timeline.frames - shortest))
            length = min(longest, max(shortest, frames.frame_from(ends, timeline.frame_rate) - first))
            if first < timeline.frames:
                yield Caption(first, min(first + length, timeline.frames), (label,))


def _told(items: Iterable[TimelineItem]) -> Iterator[TimelineItem]:
    """Yield the items that are to be read of: what goes on over a cut as another item was read where it began."""
    heard: dict[str, int] = {}
    for item in sorted(items, key=lambda one: one.first_sample):
        past, last = heard.get(item.name), item.first_sample + item.length
        if item.hits or past is None or item.first_sample > past + PAUSE_S * RATE_HZ:
            yield item
        if not item.hits:
            heard[item.name] = last if past is None else max(past, last)


def _label(item: TimelineItem) -> str:
    name = " ".join(_MEANS_SOMETHING.sub(" ", plain(item.name)).split())
    room = LINES * LINE_CHARACTERS
    return name if _fits((name,)) else next((cut for cut in _shorter(name) if _fits((cut,))), name[: room // 2 - 2])


def _shorter(name: str) -> Iterator[str]:
    """Yield a name with one word after another left out at its end."""
    words = name.split()
    return (" ".join(words[:count]) for count in range(len(words) - 1, 0, -1))


def _stretches(item: TimelineItem) -> Iterable[tuple[int, int]]:
    """Return from which sample to which an item is to be read of."""
    last = item.first_sample + item.length
    if item.bus == "backgrounds":
        return [(item.first_sample, min(last, item.first_sample + BED_S * RATE_HZ))]
    if not item.hits:
        return [(item.first_sample, last)]
    bursts = [[item.hits[0], item.hits[0]]]
    for hit in item.hits[1:]:
        if hit - bursts[-1][1] < BURST_S * RATE_HZ:
            bursts[-1][1] = hit
        else:
            bursts.append([hit, hit])
    return [(begins, ends) for begins, ends in bursts]


def _follows(last: Caption, cue: Caption, distance: int) -> bool:
    """Return whether a caption is to be shown after another: the other has been read, and says something else."""
    if cue.labels[0] in last.labels and cue.first_frame <= last.last_frame + GAP_FRAMES:
        return False
    return cue.first_frame - last.first_frame >= distance


def _joined(last: Caption, cue: Caption, longest: int) -> Caption:
    """Return two captions as one; what no longer fits on its lines is left out."""
    labels = last.labels if cue.labels[0] in last.labels else (*last.labels, *cue.labels)
    if not _fits(labels):
        return last
    return Caption(last.first_frame, min(last.first_frame + longest, max(last.last_frame, cue.last_frame)), labels)


def _fits(labels: tuple[str, ...]) -> bool:
    lines = _lines(labels)
    return len(lines) <= LINES and all(len(line) <= LINE_CHARACTERS for line in lines)


def _lines(labels: tuple[str, ...]) -> tuple[str, ...]:
    """Return labels in brackets on lines: each on its own where they are several."""
    together = " ".join(f"[{label}]" for label in labels)
    if len(together) <= LINE_CHARACTERS:
        return (together,)
    return tuple(line for label in labels for line in wrap(f"[{label}]", LINE_CHARACTERS, break_on_hyphens=False))
