"""An editor's fades: straight in amplitude, over the first and last seconds of what is heard of a take."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from foley.model import Placement


def heard_span(item: Placement, *, length: int) -> tuple[int, int]:
    """Return [first, last) of a placement's take on a timeline of so many samples."""
    return max(0, item.first_sample), min(length, item.first_sample + item.audio.length)


def fade_gain(item: Placement, first: int, last: int, *, length: int) -> npt.NDArray[np.float32]:
    """Return the gain of a placement's fades over [first, last): from 0 where it begins, to 0 where it ends.

    With a fade out, what rings on after the take's end is not heard.
    """
    begin, end = heard_span(item, length=length)
    at = np.arange(first, last)
    gain = np.ones(last - first)
    if item.fade_in:
        gain = np.clip((at - begin) / item.fade_in, 0.0, 1.0)
    if item.fade_out:
        gain = np.minimum(gain, np.clip((end - at) / item.fade_out, 0.0, 1.0))
    return gain.astype(np.float32)


def fading_spans(item: Placement, first: int, last: int, *, length: int) -> Iterator[tuple[int, int]]:
    """Yield the parts of [first, last) in which the fades take something away."""
    begin, end = heard_span(item, length=length)
    if item.fade_in and (hi := min(last, begin + item.fade_in)) > (lo := max(first, begin)):
        yield lo, hi
    if item.fade_out and last > (lo := max(first, end - item.fade_out)):
        yield lo, last
