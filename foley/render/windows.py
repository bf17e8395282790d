"""One event as pieces of sound: as long as its generator can, overlapping, put together again block by block.

Everything here happens on the event's own timeline: its start is 0. So a take is the same wherever its event stands.
"""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import groupby, islice

import numpy as np
import numpy.typing as npt

from foley.contracts import SoundRequest
from foley.dsp.fades import Piece, edge_faded
from foley.dsp.onsets import first_onset_s
from foley.dsp.resample import resample
from foley.errors import GenerationError
from foley.model import Audio, CurvePoint, Hit, SoundEvent
from foley.render.studio import Studio
from foley.units import RATE_HZ, SILENCE_DB, to_gain, to_samples, to_seconds

Samples = npt.NDArray[np.float32]
Streams = Callable[[int], np.random.Generator]
"""Gives the random stream of a window, by its number."""

LATENESS_S = 0.4
"""How much longer a single hit is asked for: generators that read a prompt start up to 300 ms late."""

SHORTEST_RING_S = 0.5
"""The least that is kept of a hit after its onset where the generator does not say how long it rings."""

CUT_IN_S = 0.002
"""Fade where a single hit is cut out of its recording: ends before the attack."""

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
    batch: int
    """How many are asked for at once."""
    variations: int
    """How many different hits are made by a generator that makes one at a time."""


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
        parameters=event.parameters,
        seed=event.seed,
    )


def extent_of(event: SoundEvent, studio: Studio) -> Extent:
    """Return how long an anchored event's take is, with what its generator says of lead and ring."""
    lead_s, tail_s = studio.generator.margins_s(event)
    if event.kind == "hits" and not studio.capabilities.hit_exact:
        tail_s = max(tail_s, SHORTEST_RING_S)
    end_s = max(event.end_s, event.hits[-1].time_s if event.hits else 0.0)
    return Extent(*(to_samples(span_s, RATE_HZ) for span_s in (lead_s, end_s, tail_s)))


def pieces(
    event: SoundEvent, studio: Studio, extent: Extent, *, windowing: Windowing, streams: Streams
) -> Iterator[Piece]:
    """Yield the sound of an anchored event in pieces that add up to its take, by their place in it.

    Raises:
        GenerationError: where a piece cannot be made.
    """
    if event.kind != "hits":
        yield from _texture(event, studio, extent, windowing=windowing, streams=streams)
    elif studio.capabilities.hit_exact:
        yield from _exact_hits(event, studio, extent, windowing=windowing, streams=streams)
    else:
        yield from _single_hits(event, studio, extent, windowing=windowing, streams=streams)


def intensity_at(event: SoundEvent, times_s: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Return the event's intensity at times on its own timeline; 1 without a curve."""
    if not event.curve:
        return np.ones_like(times_s)
    corners = np.array([(point.time_s, point.level) for point in event.curve])
    return np.asarray(np.interp(times_s, corners[:, 0], corners[:, 1]), dtype=np.float64)


def _texture(
    event: SoundEvent, studio: Studio, extent: Extent, *, windowing: Windowing, streams: Streams
) -> Iterator[Piece]:
    """Yield overlapping windows of a span or bed, faded so that they add up to an even level."""
    overlap = min(windowing.overlap, windowing.longest // 4)
    count = max(1, math.ceil((extent.length - overlap) / (windowing.longest - overlap)))
    hop = math.ceil((extent.length - overlap) / count) if count > 1 else extent.length
    firsts = [number * hop for number in range(count)]
    lasts = [min(first + hop + overlap, extent.length) for first in firsts] if count > 1 else [extent.length]

    def request(number: int) -> SoundRequest:
        start_s = to_seconds(firsts[number] - extent.lead, RATE_HZ)
        duration_s = to_seconds(lasts[number] - firsts[number], RATE_HZ)
        within = replace(event, curve=_curve_within(event.curve, start_s, start_s + duration_s))
        return SoundRequest(within, start_s, duration_s, streams(number))

    before: Samples | None = None
    for number, made in enumerate(_made(studio, request, range(count), batch=windowing.batch)):
        sound = made if before is None else _matched(made, before, overlap)
        before = sound[:, -overlap:]
        fades = {"fade_in": overlap if number else 0, "fade_out": overlap if number < count - 1 else 0}
        yield firsts[number], edge_faded(sound, **fades)


def _exact_hits(
    event: SoundEvent, studio: Studio, extent: Extent, *, windowing: Windowing, streams: Streams
) -> Iterator[Piece]:
    """Yield windows of hits, each with its whole ring: tails and leads overlap."""
    groups = _hit_groups(event.hits, max(windowing.longest - extent.lead - extent.tail, 1))

    def request(number: int) -> SoundRequest:
        hits = groups[number]
        within = replace(event, hits=hits, start_s=hits[0].time_s, end_s=hits[-1].time_s)
        sounding = to_samples(hits[-1].time_s - hits[0].time_s, RATE_HZ) + extent.lead + extent.tail
        start_s = hits[0].time_s - to_seconds(extent.lead, RATE_HZ)
        duration_s = to_seconds(min(sounding, windowing.longest), RATE_HZ)
        return SoundRequest(within, start_s, duration_s, streams(number))

    for hits, sound in zip(groups.values(), _made(studio, request, groups, batch=windowing.batch), strict=True):
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


def _single_hits(
    event: SoundEvent, studio: Studio, extent: Extent, *, windowing: Windowing, streams: Streams
) -> Iterator[Piece]:
    """Yield hits that were made one by one: each onset is found and put on its instant, each level set by strength."""
    count = min(len(event.hits), windowing.variations)
    duration_s = min(
        to_seconds(extent.lead + extent.tail, RATE_HZ) + LATENESS_S, to_seconds(windowing.longest, RATE_HZ)
    )

    def request(number: int) -> SoundRequest:
        alone = replace(event, hits=(Hit(0.0, event.hits[number].strength),), end_s=to_seconds(extent.tail, RATE_HZ))
        return SoundRequest(alone, -to_seconds(extent.lead, RATE_HZ), duration_s, streams(number))

    # where there is no lead a little before the onset is kept all the same: it is said when a fifth is climbed
    kept = max(extent.lead, 2 * to_samples(CUT_IN_S, RATE_HZ))
    made = _made(studio, request, range(count), batch=windowing.batch)
    cut = [_cut_out(sound, kept, extent.tail, reason=(event.id, studio.name)) for sound in made]
    for number, hit in enumerate(event.hits):
        first = extent.lead + to_samples(hit.time_s, RATE_HZ) - kept
        yield first, cut[number % count] * np.float32(hit.strength)


def _cut_out(sound: Samples, kept: int, tail: int, *, reason: tuple[str, str]) -> Samples:
    """Return a hit out of its recording: `kept` samples before its onset and `tail` after it, with its peak at 1."""
    onset_s = first_onset_s(Audio(sound, RATE_HZ))
    if onset_s is None:
        raise GenerationError(*reason, "gave a sound without an onset where a hit was due")
    onset = to_samples(onset_s, RATE_HZ)
    hit = sound[:, max(0, onset - kept) : onset + tail]
    fades = {"fade_in": to_samples(CUT_IN_S, RATE_HZ) * (onset > kept), "fade_out": to_samples(CUT_OUT_S, RATE_HZ)}
    faded = edge_faded(hit / np.max(np.abs(hit)), **fades)
    return np.pad(faded, ((0, 0), (max(0, kept - onset), 0)))


def _made(
    studio: Studio, request: Callable[[int], SoundRequest], numbers: Iterable[int], *, batch: int
) -> Iterator[Samples]:
    """Yield the sounds of requests at 48 kHz, `batch` asked for at once, all with as many channels as the first."""
    numbers = iter(numbers)
    channels: int | None = None
    while group := list(islice(numbers, batch)):

        def ask(group: list[int] = group) -> list[SoundRequest]:
            return [request(number) for number in group]

        for asked, sound in zip(ask(), studio.sounds(ask), strict=True):
            channels = channels or sound.channels
            if sound.channels != channels:
                reason = f"gave {sound.channels} channels after {channels}"
                raise GenerationError(asked.event.id, studio.name, reason)
            yield _exactly(resample(sound, RATE_HZ).samples, to_samples(asked.duration_s, RATE_HZ))


def _exactly(samples: Samples, length: int) -> Samples:
    """Return exactly `length` samples: a rate other than 48 kHz can be one off."""
    return np.pad(samples[:, :length], ((0, 0), (0, max(0, length - samples.shape[1]))))


def _curve_within(curve: tuple[CurvePoint, ...], start_s: float, end_s: float) -> tuple[CurvePoint, ...]:
    """Return the corners inside a window and one to each side, which say how it runs up to its edges."""
    first = bisect_left(curve, start_s, key=lambda point: point.time_s)
    last = bisect_right(curve, end_s, key=lambda point: point.time_s)
    return curve[max(0, first - 1) : last + 1]


def _matched(sound: Samples, before: Samples, overlap: int) -> Samples:
    """Return a window drawn to the level of the one before it where both sound; it glides back to its own.

    Only of steady sound: that two windows of birdsong differ in a second says nothing.
    """
    ours, theirs = _levels_db(sound[:, :overlap]), _levels_db(before)
    if not ours.size or max(float(ours.std()), float(theirs.std())) > STEADY_DB:
        return sound
    step_db = float(np.clip(theirs.mean() - ours.mean(), -MATCHED_DB, MATCHED_DB))
    # by its end it is back at its own level, so that what the windows add up to cannot drift
    glide_db = np.interp(np.arange(sound.shape[1]), [overlap, sound.shape[1] - overlap], [step_db, 0.0])
    return sound * np.power(10.0, glide_db / 20.0).astype(np.float32)


def _levels_db(samples: Samples) -> npt.NDArray[np.float64]:
    """Return the level of every whole tenth of a second."""
    frame = RATE_HZ // 10
    frames = samples[:, : samples.shape[1] // frame * frame].reshape(samples.shape[0], -1, frame)
    power = np.mean(np.square(frames, dtype=np.float64), axis=(0, 2))
    return np.asarray(10.0 * np.log10(np.maximum(power, to_gain(SILENCE_DB) ** 2)), dtype=np.float64)
