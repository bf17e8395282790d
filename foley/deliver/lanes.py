"""Lay the items of a timeline on tracks: one for each bus, and another where sounds overlap that do not crossfade."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import partial
from typing import get_args

from foley.model import Bus, Timeline, TimelineItem
from foley.units import RATE_HZ


@dataclass(frozen=True, slots=True)
class Lane:
    """One track of a bus."""

    name: str
    """FOLEY, or FOLEY 2 for the second of its bus."""
    bus: Bus
    items: tuple[TimelineItem, ...]
    """By first sample; those that overlap crossfade, two at a time."""


def lanes(timeline: Timeline, *, on_frames: bool) -> tuple[Lane, ...]:
    """Return the tracks of a timeline; a bus without items has none.

    Args:
        timeline: The timeline.
        on_frames: True for editors that know no samples: items on a track do not share a frame. Else two may overlap
            where one fades out exactly as the other fades in.
    """
    fits = partial(_apart, frame_rate=timeline.frame_rate) if on_frames else _fits
    found: list[Lane] = []
    for bus in get_args(Bus):
        of_bus: list[list[TimelineItem]] = []
        for item in sorted(map(fading, timeline.items), key=lambda one: one.first_sample):
            if item.bus == bus and item.length > 0:
                room = next((lane for lane in of_bus if fits(lane[-1], item)), None)
                of_bus.append([item]) if room is None else room.append(item)
        found += [Lane(_name(bus, number), bus, tuple(lane)) for number, lane in enumerate(of_bus)]
    return tuple(found)


def fading(item: TimelineItem) -> TimelineItem:
    """Return the item with fades that do not reach over its ends or each other, as editors want them."""
    fade_in = min(item.fade_in, item.length)
    return replace(item, fade_in=fade_in, fade_out=min(item.fade_out, item.length - fade_in))


def overlap(before: TimelineItem, after: TimelineItem) -> int:
    """Return by how many samples the first of two neighbours reaches into the second; 0 where it does not."""
    return max(0, before.first_sample + before.length - after.first_sample)


def _fits(last: TimelineItem, item: TimelineItem) -> bool:
    """Return whether an item begins after another, or as a crossfade with it.

    What another crossfade does at the other end of one of them does not touch it: fades do not reach over each other.
    """
    common = overlap(last, item)
    return common == 0 or last.fade_out == item.fade_in == common


def _apart(last: TimelineItem, item: TimelineItem, *, frame_rate: Fraction) -> bool:
    past = math.ceil((last.first_sample + last.length) * frame_rate / RATE_HZ)
    return past <= math.floor(item.first_sample * frame_rate / RATE_HZ)


def _name(bus: Bus, number: int) -> str:
    return f"{bus.upper()} {number + 1}" if number else bus.upper()
