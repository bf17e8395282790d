"""Turn the motion curve into when a sound lasts and how strong it is: few corners that a person can edit."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from foley.model import CurvePoint, Motion, Picture, Region, Span

Curve = npt.NDArray[np.float64]

CORNER_S = 0.5
"""Least time between corners of a long sound: finer, nobody edits."""

FEWEST_STEPS = 4
"""A short sound still gets so many steps, to begin and end with what moves."""

TOLERANCE = 0.06
"""How far the curve may lie beside the motion, in parts of full intensity: half a decibel near the top."""

ACTIVE_SHARE = 0.25
"""Of the fastest motion around: above it something happens."""

STILL = 0.02
"""Motion level below which nothing moves at all."""

SMOOTH_S = 0.2
BRIDGED_S = 1.0
"""Pauses shorter than this are within one movement."""

SHORTEST_S = 0.15

QUIETEST = 0.3
"""Intensity of a sound that somebody says is heard while nothing moves."""


def active_spans(picture: Picture, window: Span, region: Region | None = None) -> list[Span]:
    """Return when something moves in a window, in order; in a region, where one is given."""
    times, level = _within(picture, window, region)
    if len(times) < 2:
        return []
    level = _smoothed(times, level)
    threshold = max(STILL, ACTIVE_SHARE * float(np.percentile(level, 95)))
    spans: list[Span] = []
    frame_s = float(np.median(np.diff(times)))
    for first, last in _runs(level > threshold):
        start_s, end_s = float(times[first]), min(window.end_s, float(times[last]) + frame_s)
        if spans and start_s - spans[-1].end_s <= BRIDGED_S:
            spans[-1] = Span(spans[-1].start_s, end_s)
        else:
            spans.append(Span(start_s, end_s))
    return [span for span in spans if span.end_s - span.start_s >= SHORTEST_S]


def motion_curve(picture: Picture, span: Span, *, floor: float, region: Region | None = None) -> tuple[CurvePoint, ...]:
    """Return the intensity of a sound that follows the motion, with few corners; empty where nothing moves.

    Args:
        picture: What was seen.
        span: When the sound lasts.
        floor: Intensity where nothing moves.
        region: Where in the picture its cause is; None for anywhere.
    """
    times, level = _within(picture, span, region)
    if len(times) < 2 or float(np.max(level)) <= STILL:
        return ()
    level = _smoothed(times, level)
    top = float(np.percentile(level, 98))
    steps = max(FEWEST_STEPS, int((span.end_s - span.start_s) / CORNER_S))
    corners = np.linspace(span.start_s, span.end_s, steps + 1)
    values = floor + (1 - floor) * np.clip(np.interp(corners, times, level) / max(top, STILL), 0, 1)
    kept = sorted(reduced(corners, values, TOLERANCE))
    return tuple(CurvePoint(float(corners[place]), float(values[place])) for place in kept)


def reduced(x: Curve, y: Curve, tolerance: float) -> set[int]:
    """Return which points of a curve are enough for straight lines between them to lie within the tolerance.

    Source: D. Douglas and T. Peucker, "Algorithms for the reduction of the number of points required to represent a
    digitized line or its caricature", Cartographica 10(2), 1973; here with the vertical distance.

    >>> sorted(reduced(np.arange(5.0), np.array([0.0, 0.5, 1.0, 1.0, 1.0]), 0.01))
    [0, 2, 4]
    """
    kept = {0, len(x) - 1}
    open_parts = [(0, len(x) - 1)]
    while open_parts:
        first, last = open_parts.pop()
        if last - first < 2:
            continue
        line = np.interp(x[first : last + 1], x[[first, last]], y[[first, last]])
        gaps = np.abs(y[first : last + 1] - line)
        worst = first + int(np.argmax(gaps))
        if gaps[worst - first] > tolerance:
            kept.add(worst)
            open_parts += [(first, worst), (worst, last)]
    return kept


def mean_x(picture: Picture, span: Span, region: Region | None = None) -> float:
    """Return where the motion of a span is centred, 0 left to 1 right; the middle where nothing moves.

    In a region it lies in it: what moves elsewhere is another thing.
    """
    inside = (picture.times_s >= span.start_s) & (picture.times_s <= span.end_s)
    weights = picture.motion.level[inside].astype(np.float64)
    if not len(weights) or float(np.sum(weights)) <= 0.0:
        return 0.5 if region is None else (region.left + region.right) / 2
    x = float(np.average(picture.motion.x[inside].astype(np.float64), weights=weights))
    return x if region is None else min(max(x, region.left), region.right)


def regional_level(motion: Motion, region: Region | None) -> Curve:
    """Return the motion level of a region: the mean of the parts of the picture, as far as they lie in it."""
    if region is None or not len(motion.cells):
        return np.nan_to_num(motion.level.astype(np.float64))
    rows, columns = motion.cells.shape[1:]
    down, across = _shares(rows, region.top, region.bottom), _shares(columns, region.left, region.right)
    weights = np.outer(down, across)
    total = float(weights.sum())
    if total <= 0.0:
        return np.nan_to_num(motion.level.astype(np.float64))
    parts = motion.cells.astype(np.float64).reshape(len(motion.cells), -1)
    return np.nan_to_num(parts @ weights.ravel() / total)


def _shares(parts: int, first: float, last: float) -> Curve:
    """Return how much of each of some equal parts of [0, 1] lies between two places."""
    edges = np.arange(parts + 1) / parts
    inside = np.minimum(edges[1:], last) - np.maximum(edges[:-1], first)
    return np.asarray(np.maximum(0.0, inside) * parts, np.float64)


def _within(picture: Picture, span: Span, region: Region | None) -> tuple[Curve, Curve]:
    inside = (picture.times_s >= span.start_s) & (picture.times_s < span.end_s)
    return picture.times_s[inside], regional_level(picture.motion, region)[inside]


def _smoothed(times: Curve, level: Curve) -> Curve:
    """Return the running mean over a fifth of a second: single frames are noise."""
    width = max(1, round(SMOOTH_S / max(1e-3, float(np.median(np.diff(times))))))
    width = min(width, len(level))
    padded = np.pad(level, (width // 2, width - 1 - width // 2), mode="edge")
    smoothed: Curve = np.convolve(padded, np.full(width, 1 / width), mode="valid")
    return smoothed


def _runs(active: npt.NDArray[np.bool_]) -> Iterator[tuple[int, int]]:
    """Yield first and last place of each stretch that is true."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], active, [False]]).astype(np.int8)))
    for first, end in zip(edges[::2], edges[1::2], strict=True):
        yield int(first), int(end) - 1
