"""When a sound may be heard at all: in the shots that its planner names, cut to the times it gives."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator

from foley.model import Picture, ProposedSound, Span


def windows(sound: ProposedSound, picture: Picture) -> tuple[Span, ...]:
    """Return when a sound may hit, shot by shot; both ends count, so a window may be a single instant."""
    first_s, last_s = _bounds(sound)
    shots = [picture.shots[number] for number in sound.shots if number < len(picture.shots)] or picture.shots
    cut = [Span(max(first_s, shot.start_s), min(last_s, shot.end_s)) for shot in shots]
    return tuple(span for span in cut if span.start_s <= span.end_s)


def runs_of_shots(sound: ProposedSound, picture: Picture) -> Iterator[tuple[Span, tuple[int, ...]]]:
    """Yield the stretches of shots that touch, with the numbers of the shots."""
    first_s, last_s = _bounds(sound)
    numbers = sorted({number for number in sound.shots if number < len(picture.shots)}) or range(len(picture.shots))
    for _, run in itertools.groupby(enumerate(numbers), key=lambda one: one[1] - one[0]):
        inside = tuple(number for _, number in run)
        start_s = max(picture.shots[inside[0]].start_s, first_s)
        end_s = min(picture.shots[inside[-1]].end_s, last_s)
        if start_s < end_s:
            yield Span(start_s, end_s), inside


def _bounds(sound: ProposedSound) -> tuple[float, float]:
    first_s = -math.inf if sound.start_s is None else sound.start_s
    return first_s, math.inf if sound.end_s is None else sound.end_s
