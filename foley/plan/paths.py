"""Let a sound move with what makes it: the way of its source across the picture, where it clearly goes some way.

A pan that wanders is heard as a fault, one that stays is not: whatever is not clear stays where it is in the mean.
"""

from __future__ import annotations

import itertools
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from foley.model import Hit, Motion, PanPoint, Picture, Region, Span
from foley.plan.curves import ACTIVE_SHARE, STILL, Curve, mean_x, reduced, regional_level

PAN_RANGE = 1.2
"""Pan at the right edge is half of this: further out, a sound leaves the screen for who sits off the middle."""

LEAST_TRAVEL = 0.15
"""Of the width, from where it begins to where it ends or turns: what moves less stays where it is for an ear."""

STEP_S, SMOOTH_S = 0.1, 0.5
"""The way is followed in such steps, each the line through what lies about so far from it: a stride or a stroke of the
arm swings to both sides in this time, and who carries it does not."""

MOST_ASIDE, MOST_ASIDE_OF_HITS, ASIDE_SHARE = 0.06, 0.1, 0.12
"""Mean distance of what is seen from its way, in widths and in parts of the travel. In 21 real clips (45 shots) what
crosses the picture keeps to a tenth of its travel; what stays, and seems to go up to 0.5, strays by a seventh and more.
Left and right feet land on both sides of the way."""

MOST_SPREAD = 0.18
"""Standard deviation, in widths, of where in a frame motion lies, at the median: of what crosses the picture 0.10 to
0.14, of motion all over it 0.2 to 0.3."""

MOSTLY = 0.5
"""Part of a frame's motion that must lie in a region for its centre to be that of what moves there."""

LEAST_SEEN_S, LEAST_SEEN_SHARE = 0.6, 0.4
"""For so long, and in such a part of its time, what makes a lasting sound must move."""

FEWEST_HITS = 5
"""A way of hits is a bow, of three numbers: with fewer hits nearly any places would lie on one."""

BOW_POINTS = 9
"""Places at which a bow is looked at."""

TOLERANCES = (0.02, 0.03, 0.045, 0.06)
"""How far, in widths, the written way may lie beside the smoothed one: the first that needs few enough points."""

MOST_POINTS = 12
"""A way that needs more wanders."""

JUMP_S = 0.02
"""How long a pan takes from one shot's place to the next one's: at once, it would click."""

Way = tuple[Curve, Curve]
"""Times and places."""

Corners = list[tuple[float, float]]
"""Those of them that straight lines between them leave out nothing of."""


@dataclass(frozen=True, slots=True, eq=False)
class _Traces:
    """Where something moves in one shot."""

    times_s: Curve
    x: Curve
    weights: Curve


def pan_of(x: float) -> float:
    """Return the pan of a place, 0 left to 1 right.

    >>> pan_of(1.0)
    0.6
    """
    return (min(1.0, max(0.0, x)) - 0.5) * PAN_RANGE


def hits_path(hits: Sequence[Hit], places: Sequence[float], picture: Picture, *, mean: float) -> tuple[PanPoint, ...]:
    """Return the way of what hits, by where each hit was seen; empty where it does not clearly go some way.

    Args:
        hits: In order of time.
        places: Of the hits, 0 left to 1 right.
        picture: What was seen.
        mean: Where they are in shots in which they go no way.
    """
    if len(hits) < FEWEST_HITS:
        return ()
    times, x = np.array([hit.time_s for hit in hits]), np.array(places, np.float64)
    pieces = _pieces(Span(hits[0].time_s, hits[-1].time_s), picture)
    ways = []
    for piece in pieces:
        inside = (times >= piece.start_s) & (times <= piece.end_s)
        ways.append(_bow(times[inside], x[inside]))
    return _written(pieces, ways, mean)


def span_path(picture: Picture, span: Span, region: Region | None = None) -> tuple[PanPoint, ...]:
    """Return the way of what moves during a span; empty where it does not clearly go some way.

    In a region only those frames count in which most of all motion lies in it.
    """
    pieces = _pieces(span, picture)
    ways = [_way(traces) if (traces := _traces(picture, piece, region)) else None for piece in pieces]
    return _written(pieces, ways, mean_x(picture, span, region))


def _pieces(span: Span, picture: Picture) -> list[Span]:
    """Return the parts of a span that lie in one shot each: at a cut the picture's left may be another."""
    cuts = [shot.start_s for shot in picture.shots[1:]]
    inside = cuts[bisect_right(cuts, span.start_s) : bisect_left(cuts, span.end_s)]
    return [Span(start_s, end_s) for start_s, end_s in itertools.pairwise([span.start_s, *inside, span.end_s])]


def _written(pieces: Sequence[Span], ways: Sequence[Way | None], mean: float) -> tuple[PanPoint, ...]:
    """Return the way through all shots, as exactly as few points can say it."""
    if not any(ways):
        return ()
    paths = (_path(pieces, [_corners(way, tolerance) for way in ways], mean) for tolerance in TOLERANCES)
    return next((path for path in paths if len(path) <= MOST_POINTS), ())


def _path(pieces: Sequence[Span], ways: Sequence[Corners], mean: float) -> tuple[PanPoint, ...]:
    """Return the points of all shots; in one that shows no way the source stays where it is in the mean."""
    points: Corners = []
    for number, (piece, way) in enumerate(zip(pieces, ways, strict=True)):
        end_s = piece.end_s - (JUMP_S if number + 1 < len(pieces) else 0.0)
        corners = [(time_s, x) for time_s, x in way if time_s <= end_s] or [(piece.start_s, mean)]
        first, last = (piece.start_s, corners[0][1]), (max(piece.start_s, end_s), corners[-1][1])
        inner = [one for one in corners if piece.start_s + STEP_S < one[0] < end_s - STEP_S]
        points += [first, *inner, last] if len(pieces) > 1 else corners
    kept = [
        place
        for place, (_, x) in enumerate(points)
        if place in (0, len(points) - 1) or not points[place - 1][1] == x == points[place + 1][1]
    ]
    return tuple(PanPoint(time_s, pan_of(x)) for time_s, x in dict.fromkeys(points[place] for place in kept))


def _bow(times: Curve, x: Curve) -> Way | None:
    """Return times and places of the bow that hits lie on; None where they lie on none, or hardly go any way."""
    if len(times) < FEWEST_HITS:
        return None
    middle_s = float(np.mean(times))
    bow = np.polynomial.Polynomial.fit(times - middle_s, x, 2)
    corners = np.linspace(times[0], times[-1], BOW_POINTS)
    way = np.clip(bow(corners - middle_s), float(np.min(x)), float(np.max(x)))
    # three numbers were fitted: what is left strays by that much more
    aside = float(np.sqrt(np.sum((x - bow(times - middle_s)) ** 2) / (len(times) - 3)))
    return (corners, way) if _is_clear(way, aside, MOST_ASIDE_OF_HITS) else None


def _is_clear(way: Curve, aside: float, most: float) -> bool:
    travel = float(np.ptp(way))
    return travel >= LEAST_TRAVEL and aside <= min(most, ASIDE_SHARE * travel)


def _traces(picture: Picture, piece: Span, region: Region | None) -> _Traces | None:
    """Return where something moves in a part of one shot; None where that is nowhere in particular."""
    motion = picture.motion
    first, end = np.searchsorted(picture.times_s, (piece.start_s, piece.end_s))
    level = np.nan_to_num(motion.level[first:end].astype(np.float64))
    if end - first < 2:
        return None
    active = level > max(STILL, ACTIVE_SHARE * float(np.percentile(level, 95)))
    x = np.nan_to_num(motion.x[first:end].astype(np.float64), nan=0.5)
    if region is not None:
        active &= _share_inside(motion, region)[first:end] > MOSTLY
        x = np.clip(x, region.left, region.right)
    times = picture.times_s[first:end]
    fewest = max(LEAST_SEEN_S / float(np.median(np.diff(times))), LEAST_SEEN_SHARE * len(times))
    if np.count_nonzero(active) < fewest or not _is_concentrated(motion.cells, first + np.flatnonzero(active)):
        return None
    return _Traces(times[active], x[active], level[active])


def _way(traces: _Traces) -> Way | None:
    """Return times and places of the way that traces show; None where it is not clear, or hardly any."""
    grid, way = _smoothed(traces.times_s, traces.x, traces.weights)
    aside = float(np.sqrt(np.average((traces.x - np.interp(traces.times_s, grid, way)) ** 2, weights=traces.weights)))
    return (grid, way) if _is_clear(way, aside, MOST_ASIDE) else None


def _corners(way: Way | None, tolerance: float) -> Corners:
    if way is None:
        return []
    times, x = way
    return [(float(times[place]), float(x[place])) for place in sorted(reduced(times, x, tolerance))]


def _smoothed(times: Curve, x: Curve, weights: Curve) -> tuple[Curve, Curve]:
    """Return a way in even steps from first to last: at each the weighted straight line through what lies around.

    Local linear regression with a Gaussian kernel: W. Cleveland, "Robust locally weighted regression and smoothing
    scatterplots", J. Am. Stat. Assoc. 74, 1979; unlike a mean it is not drawn inwards at the ends.
    """
    steps = np.rint((times - times[0]) / STEP_S).astype(int)
    length = int(steps[-1]) + 1
    mass: Curve = np.bincount(steps, weights, length).astype(np.float64)
    moment: Curve = np.bincount(steps, weights * x, length).astype(np.float64)
    reach = np.arange(-round(3 * SMOOTH_S / STEP_S), round(3 * SMOOTH_S / STEP_S) + 1) * STEP_S
    bell = np.exp(-0.5 * (reach / SMOOTH_S) ** 2)
    # a convolution turns the kernel round: distances to what is later are positive in its first half
    s0, s1, s2 = (_convolved(mass, bell * (-reach) ** power) for power in (0, 1, 2))
    t0, t1 = (_convolved(moment, bell * (-reach) ** power) for power in (0, 1))
    spread = s0 * s2 - s1**2
    seen = s0 > 1e-9 * float(np.max(s0))
    line = seen & (spread > 1e-3 * (SMOOTH_S * np.maximum(s0, 1e-300)) ** 2)
    way = np.where(line, (s2 * t0 - s1 * t1) / np.where(line, spread, 1.0), t0 / np.where(seen, s0, 1.0))
    grid = np.minimum(times[0] + np.arange(length) * STEP_S, times[-1])
    kept = seen & np.concatenate([[True], np.diff(grid) > 0.0])
    return grid[kept], np.clip(way[kept], float(np.min(x)), float(np.max(x)))


def _convolved(signal: Curve, kernel: Curve) -> Curve:
    """Return the convolution, as long as the signal."""
    half = len(kernel) // 2
    return np.convolve(signal, kernel)[half : half + len(signal)]


def _is_concentrated(cells: npt.NDArray[np.float16], frames: npt.NDArray[np.int_]) -> bool:
    """Return whether what moves in some frames is in one place at a time, as far as the parts of the picture tell."""
    if not len(cells):
        return True
    columns = cells[frames].astype(np.float64).sum(axis=1)
    parts = columns / np.maximum(columns.sum(axis=1, keepdims=True), 1e-9)
    centres = (np.arange(parts.shape[1]) + 0.5) / parts.shape[1]
    spread = np.sqrt(np.maximum(0.0, parts @ centres**2 - (parts @ centres) ** 2))
    return float(np.median(spread)) <= MOST_SPREAD


def _share_inside(motion: Motion, region: Region) -> Curve:
    """Return how much of all motion of each frame lies in a region: its mean level times its part of the picture."""
    area = max(0.0, region.right - region.left) * max(0.0, region.bottom - region.top)
    return regional_level(motion, region) * area / np.maximum(regional_level(motion, Region()), 1e-9)
