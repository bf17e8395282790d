"""One event as pieces of sound: as long as its generator can, overlapping, put together again block by block.

Everything here happens on the event's own timeline: its start is 0. So a take is the same wherever its event stands.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import groupby

import numpy as np

from foley.dsp.fades import Piece, Samples, edge_faded
from foley.model import CurvePoint, Hit, SoundEvent
from foley.render import reworking, strikes
from foley.render.asking import Asking, Window
from foley.render.curves import curve_within, levels_db, shaped
from foley.render.studio import Studio
from foley.units import RATE_HZ, to_samples, to_seconds

CUT_OUT_S = 0.010
"""Fade at the end of what rings: of a sound that has died away already, so that it need not be long."""

MATCHED_DB = 6.0
"""The most that a window's level is drawn towards the one before: further apart, they are different sounds."""

STEADY_DB = 3.0
"""A sound whose level varies less from one tenth of a second to the next is steady, and its level can be compared."""


@dataclass(frozen=True, slots=True)
class Extent:
    """How long a take is, in samples at 48 kHz."""

    lead: int
    """Before the event's start."""
    body: int
    """From the event's start to its end."""
    tail: int
    """After the event's end."""

    @property
    def length(self) -> int:
        """Return the samples of the whole take."""
        return self.lead + self.body + self.tail


@dataclass(frozen=True, slots=True)
class Windowing:
    """How an event is divided."""

    longest: int
    """Samples of a window at most."""
    overlap: int
    """Samples that neighbours have in common."""
    variations: int
    """How many takes of hits are made by a generator that puts none where it belongs."""


def anchored(event: SoundEvent, handle_s: float) -> SoundEvent:
    """Return the event with its start at 0 and without all that does not change how it sounds.

    Times lie on the grid of samples, so that they are the same wherever the event stands. What an editor turns at
    (gain, pan, distance) and what is for people (reason, bus, label where there is a prompt) is set to nothing: no
    generator can let it change the sound, and changing it makes nothing again.

    Args:
        event: As planned.
        handle_s: How much longer it is made at both ends.
    """
    origin_s = event.start_s - handle_s

    def moved(time_s: float) -> float:
        return to_seconds(to_samples(time_s - origin_s, RATE_HZ), RATE_HZ)

    plain = SoundEvent(
        # generators may take the id for the identity of what sounds: it is the seed that makes one dog another
        id=f"seed-{event.seed}",
        label="",
        kind=event.kind,
        bus="effects",
        start_s=0.0,
        end_s=moved(event.end_s + handle_s),
        because="",
    )
    return replace(
        plain,
        hits=tuple(Hit(moved(hit.time_s), hit.strength) for hit in event.hits),
        curve=tuple(CurvePoint(moved(point.time_s), point.level) for point in event.curve),
        ucs=event.ucs,
        prompt=event.prompt or event.label,
        avoid=event.avoid,
        recipe=event.recipe,
        parameters=reworking.later(event.parameters, handle_s),
        seed=event.seed,
    )


def extent_of(event: SoundEvent, studio: Studio) -> Extent:
    """Return how long an anchored event's take is, with what its generator says of lead and ring."""
    lead_s, tail_s = studio.generator.margins_s(event)
    if event.kind == "hits" and not studio.capabilities.hit_exact:
        lead_s, tail_s = max(lead_s, strikes.LEAD_S), max(tail_s, strikes.RING_S)
    end_s = max(event.end_s, event.hits[-1].time_s if event.hits else 0.0)
    return Extent(*(to_samples(span_s, RATE_HZ) for span_s in (lead_s, end_s, tail_s)))


def pieces(event: SoundEvent, asking: Asking, extent: Extent, *, windowing: Windowing) -> Iterator[Piece]:
    """Yield the sound of an anchored event in pieces that add up to its take, by their place in it.

    Raises:
        GenerationError: where a piece cannot be made.
    """
    if event.kind != "hits":
        return _texture(event, asking, extent, windowing=windowing)
    if asking.studio.capabilities.hit_exact:
        return _exact_hits(event, asking, extent, longest=windowing.longest)
    plain = {"longest": windowing.longest, "variations": windowing.variations}
    return strikes.placed(event, asking, lead=extent.lead, **plain)


def _texture(event: SoundEvent, asking: Asking, extent: Extent, *, windowing: Windowing) -> Iterator[Piece]:
    """Yield overlapping windows of a span or bed, faded so that they add up to an even level."""
    overlap = min(windowing.overlap, windowing.longest // 4)
    count = max(1, math.ceil((extent.length - overlap) / (windowing.longest - overlap)))
    hop = math.ceil((extent.length - overlap) / count) if count > 1 else extent.length
    firsts = [number * hop for number in range(count)]
    lasts = [min(first + hop + overlap, extent.length) for first in firsts] if count > 1 else [extent.length]

    def window(number: int) -> Window:
        start_s = to_seconds(firsts[number] - extent.lead, RATE_HZ)
        duration_s = to_seconds(lasts[number] - firsts[number], RATE_HZ)
        within = replace(event, curve=curve_within(event.curve, start_s, start_s + duration_s))
        return Window(within, start_s, duration_s)

    lays_on = bool(event.curve) and not asking.studio.capabilities.follows_curve
    before: Samples | None = None
    for number, made in enumerate(asking.made(window, range(count))):
        if lays_on:
            sound = shaped(made, event, firsts[number] - extent.lead)
        else:
            sound = made if before is None else _matched(made, before, overlap)
        before = sound[:, -overlap:]
        fades = {"fade_in": overlap if number else 0, "fade_out": overlap if number < count - 1 else 0}
        yield firsts[number], edge_faded(sound, **fades)


def _exact_hits(event: SoundEvent, asking: Asking, extent: Extent, *, longest: int) -> Iterator[Piece]:
    """Yield windows of hits, each with its whole ring: tails and leads overlap."""
    groups = _hit_groups(event.hits, max(longest - extent.lead - extent.tail, 1))

    def window(number: int) -> Window:
        hits = groups[number]
        within = replace(event, hits=hits, start_s=hits[0].time_s, end_s=hits[-1].time_s)
        sounding = to_samples(hits[-1].time_s - hits[0].time_s, RATE_HZ) + extent.lead + extent.tail
        start_s = hits[0].time_s - to_seconds(extent.lead, RATE_HZ)
        return Window(within, start_s, to_seconds(min(sounding, longest), RATE_HZ))

    for hits, sound in zip(groups.values(), asking.made(window, groups), strict=True):
        first = to_samples(hits[0].time_s, RATE_HZ)
        yield first, edge_faded(sound, fade_in=0, fade_out=to_samples(CUT_OUT_S, RATE_HZ))


def _hit_groups(hits: tuple[Hit, ...], longest: int) -> dict[int, tuple[Hit, ...]]:
    """Return hits by the window they fall in, which does not depend on what other hits there are.

    So a hit that is added or taken out changes no other window's chance.
    """
    return {
        number: tuple(group)
        for number, group in groupby(hits, key=lambda hit: to_samples(hit.time_s, RATE_HZ) // longest)
    }


def _matched(sound: Samples, before: Samples, overlap: int) -> Samples:
    """Return a window drawn to the level of the one before it where both sound; it glides back to its own.

    Only of steady sound: that two windows of birdsong differ in a second says nothing.
    """
    ours, theirs = levels_db(sound[:, :overlap]), levels_db(before)
    if not ours.size or max(float(ours.std()), float(theirs.std())) > STEADY_DB:
        return sound
    step_db = float(np.clip(theirs.mean() - ours.mean(), -MATCHED_DB, MATCHED_DB))
    # by its end it is back at its own level, so that what the windows add up to cannot drift
    glide_db = np.interp(np.arange(sound.shape[1]), [overlap, sound.shape[1] - overlap], [step_db, 0.0])
    return sound * np.power(10.0, glide_db / 20.0).astype(np.float32)
