"""What one event contributes to its stem: what editors get to move, trim and fade by themselves."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from foley.mix.fades import heard_span
from foley.mix.revise import mastered_block
from foley.mix.strip import Strip
from foley.mix.sum import Block, ring_samples
from foley.model import Arrangement, Master, Placement
from foley.units import RATE_HZ

FILTERS_RING = RATE_HZ // 5
"""After 0.2 s a high-pass of 25 Hz has fallen by 190 dB."""


def event_share(arrangement: Arrangement, master: Master, event_id: str, first: int, last: int) -> Block:
    """Return an event's part of its stem over [first, last), as mastered, without its own trim and fades.

    With those applied (`fades.fade_gain`), the shares of a bus sum to its stem before that is rounded to 24 bit. Off
    the timeline lies silence.

    Args:
        arrangement: What was mastered.
        master: What was done to it.
        event_id: The event; one that is not placed is silent.
        first: First sample on the timeline.
        last: One past the last.
    """
    share = np.zeros((2, last - first), np.float32)
    begin, end = max(first, 0), min(last, arrangement.length)
    items = tuple(_bare(item) for item in arrangement.placements if item.event_id == event_id)
    if items and begin < end:
        bus = items[0].bus
        strip = Strip(Arrangement(items, arrangement.length), bus, master.chain)
        share[:, begin - first : end - first] = mastered_block(master, strip, bus, begin, end)
    return share


def event_span(arrangement: Arrangement, master: Master, event_id: str) -> tuple[int, int] | None:
    """Return [first, last) of what is heard of an event, with what rings on; None where it is not placed.

    Without a fade out it reaches past the take's end by what rings on; with one it ends with the take.
    """
    items = [item for item in arrangement.placements if item.event_id == event_id]
    if not items:
        return None
    spans = [heard_span(item, length=arrangement.length) for item in items]
    filters = FILTERS_RING if master.chain == "designed" else 0
    ends = [
        end if item.fade_out else min(arrangement.length, end + ring_samples(item) + filters)
        for item, (_, end) in zip(items, spans, strict=True)
    ]
    return min(first for first, _ in spans), max(ends)


def _bare(item: Placement) -> Placement:
    """Return a placement without the editor's trim and fades."""
    left, right = item.gain_left / item.trim, item.gain_right / item.trim
    return replace(item, gain_left=left, gain_right=right, trim=1.0, fade_in=0, fade_out=0)
