"""Lower effects under speech, as a mixer's hand would: down before the first word, up slowly after the last."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from foley.model import Span

Curve = npt.NDArray[np.float32]

ATTACK_S = 0.12
"""How long before a word the effects begin to give way."""
RELEASE_S = 0.4
"""How long they take to come back."""
BREATH_S = 0.6
"""Pauses up to this long stay ducked: effects that come up for a breath pump."""


def ducking_curve(speech: Sequence[Span], *, length_ms: int, depth_db: float) -> Curve:
    """Return the factor for the effects at every millisecond, shape (length_ms + 1,), 1 where nobody speaks.

    The fall and the rise are raised cosines in decibels, so that neither begins nor ends with a corner.

    >>> curve = ducking_curve([Span(1.0, 2.0)], length_ms=3000, depth_db=20.0)
    >>> [round(float(curve[ms]), 2) for ms in (800, 940, 1000, 1500, 2000, 2200, 2500)]
    [1.0, 0.32, 0.1, 0.1, 0.1, 0.32, 1.0]
    """
    depth = np.zeros(length_ms + 1, np.float32)
    for span in _joined(speech):
        first = max(0, round((span.start_s - ATTACK_S) * 1000))
        last = min(length_ms, round((span.end_s + RELEASE_S) * 1000)) + 1
        if last <= first:
            continue
        at_s = np.arange(first, last) / 1000
        before, after = (span.start_s - at_s) / ATTACK_S, (at_s - span.end_s) / RELEASE_S
        away = np.clip(np.maximum(before, after), 0.0, 1.0)
        depth[first:last] = np.maximum(depth[first:last], 0.5 + 0.5 * np.cos(np.pi * away))
    return np.asarray(np.power(10.0, -depth_db / 20.0 * depth), np.float32)


def _joined(speech: Sequence[Span]) -> list[Span]:
    joined: list[Span] = []
    for span in sorted(speech, key=lambda item: item.start_s):
        if joined and span.start_s - joined[-1].end_s <= BREATH_S:
            joined[-1] = Span(joined[-1].start_s, max(joined[-1].end_s, span.end_s))
        else:
            joined.append(span)
    return joined
