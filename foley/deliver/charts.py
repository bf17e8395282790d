"""Stretches of the motion curve with what happens on it, as coordinates for pictures 1000 wide and 100 high."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from foley.model import Cue, Impact, Picture, SoundEvent, Span
from foley.units import clock

WIDTH, HEIGHT = 1000, 100

POINTS = 900
"""Of a curve: about one a pixel."""

AROUND_S = 1.0
"""What is shown before and after an event, or around its strongest hit."""

STILL = 0.02
"""A curve that stays under this share of the clip's fastest is drawn flat, not blown up."""


@dataclass(frozen=True, slots=True)
class Mark:
    """A line from the ground up."""

    x: float
    height: float
    time_s: float
    cue: Cue | None = None
    """Of an impact; None for a hit of the plan."""


@dataclass(frozen=True, slots=True)
class Chart:
    """One stretch of the motion curve."""

    span: Span
    area: str
    """SVG path of the area under the motion curve."""
    peak: float
    """Highest motion in it, as a share of the clip's fastest."""
    impacts: tuple[Mark, ...]
    hits: tuple[Mark, ...]
    during: tuple[float, float] | None
    """From where to where the event lasts; None for *hits*."""
    intensity: str
    """SVG path of the planned intensity; "" where it is even."""

    @property
    def ticks(self) -> tuple[str, str, str]:
        """Return the times at the left, in the middle and at the right."""
        middle_s = (self.span.start_s + self.span.end_s) / 2
        return clock(self.span.start_s), clock(middle_s), clock(self.span.end_s)


def whole(picture: Picture, total_s: float) -> Chart:
    """Return the chart of a whole clip, as high as its motion is."""
    span = Span(0.0, total_s)
    level = picture.motion.level
    peak = float(level.max(initial=0.0))
    return Chart(span, _area(picture.times_s, level, span), peak, _impact_marks(picture, span), (), None, "")


def of_event(event: SoundEvent, picture: Picture, total_s: float) -> Chart:
    """Return the chart of the time around an event of kind *span*, or around the strongest hit."""
    about_s = (strongest_hit_s(event),) * 2 if event.kind == "hits" else (event.start_s, event.end_s)
    span = Span(max(0.0, about_s[0] - AROUND_S), min(total_s, about_s[1] + AROUND_S))
    first, last = np.searchsorted(picture.times_s, (span.start_s, span.end_s))
    level = picture.motion.level[max(0, first - 1) : last + 1]
    times = picture.times_s[max(0, first - 1) : last + 1]
    peak = float(level.max(initial=0.0))
    hits = tuple(
        Mark(_x(hit.time_s, span), HEIGHT * max(0.25, hit.strength), hit.time_s)
        for hit in event.hits
        if span.start_s <= hit.time_s <= span.end_s
    )
    return Chart(
        span,
        _area(times, level / max(peak, STILL), span),
        peak,
        _impact_marks(picture, span),
        hits,
        None if event.kind == "hits" else (_x(event.start_s, span), _x(event.end_s, span)),
        _line([(point.time_s, point.level) for point in event.curve], span),
    )


def strongest_hit_s(event: SoundEvent) -> float:
    """Return when the strongest hit of an event is, of equals the first; its start where it has none."""
    return max(event.hits, key=lambda hit: hit.strength).time_s if event.hits else event.start_s


def telling_impacts(picture: Picture, span: Span) -> Iterator[Impact]:
    """Yield the impacts within a span that are of the cue that their shot speaks for, by time."""
    times = [impact.time_s for impact in picture.impacts]
    for shot, cue in zip(picture.shots, picture.shot_cues, strict=True):
        first = bisect_left(times, max(shot.start_s, span.start_s))
        last = bisect_left(times, min(shot.end_s, span.end_s))
        yield from (impact for impact in picture.impacts[first:last] if impact.cue == cue)


def _impact_marks(picture: Picture, span: Span) -> tuple[Mark, ...]:
    found = telling_impacts(picture, span)
    return tuple(Mark(_x(one.time_s, span), HEIGHT * one.strength, one.time_s, one.cue) for one in found)


def _x(time_s: float, span: Span) -> float:
    share = (time_s - span.start_s) / max(span.end_s - span.start_s, 1e-6)
    return WIDTH * min(1.0, max(0.0, share))


def _area(times_s: npt.NDArray[np.float64], level: npt.NDArray[np.float32], span: Span) -> str:
    """Return the area under a curve: of many points that share a pixel the highest."""
    parts = np.array_split(np.arange(len(level)), min(POINTS, max(1, len(level))))
    points = [(float(times_s[part[0]]), float(level[part].max())) for part in parts if len(part)]
    line = _line(points, span).removeprefix("M")
    return f"M0 {HEIGHT} L{line} L{WIDTH} {HEIGHT} Z" if line else ""


def _line(points: list[tuple[float, float]], span: Span) -> str:
    drawn = [f"{_x(time_s, span):.1f} {HEIGHT * (1 - min(1.0, max(0.0, level))):.1f}" for time_s, level in points]
    return f"M{' L'.join(drawn)}" if drawn else ""
