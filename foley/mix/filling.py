"""What is laid over a background: sounds of events and room tone, each heard through windows that fade in and out."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache, partial

import numpy as np
import numpy.typing as npt

from foley.contracts import Context
from foley.dsp.fades import edge_gain
from foley.dsp.parting import spectrum_of, tone
from foley.media import sound
from foley.media.sound import Block
from foley.mix.sum import BusReader
from foley.model import Arrangement, AudioFile, Placement, SoundEvent, Span
from foley.model.dub import Dip, Filling, Refill, Separation
from foley.units import RATE_HZ, clock, to_samples

LEAD_S = 0.03
"""A hit's window opens so long before it: its fade in is over when the attack begins, whatever leads in is heard."""
LEAD_FADE_S = 0.01
RING_FADE_S = 0.08
LONGEST_RING_S = 3.0
"""A bell may ring on longer; what lies so far behind its stroke belongs to the place's ambience."""
PAST_SPEECH_S = 0.15
LEAST_RING_S = 0.35
"""A ring goes on past speech by the first at most, where the background has what rang on in the original; yet every
blow rings for the second."""
RUNG_OUT_DB = 45.0
"""So far under its own peak a ring is masked by any background."""
DIP_FADE_S = 0.04
"""Crossfade at a dip's ends: as fast as voices come and go, slow enough not to click."""
TONE_S = 20.0
"""Room tone repeats after so long; nobody remembers noise for that time."""
LEARNED_S = 8.0
"""Of a background that its room tone is made after."""
STEP = RATE_HZ // 100
EDGE_FADE_S = 0.003
"""Where the picture's ends cut a sound."""
READERS = 8
"""Of events that are kept at once: each may hold some seconds of what a room answers."""

Reads = Callable[[int, int], Block]
"""Gives the samples [first, last) of a sound on the timeline."""


@dataclass(frozen=True, slots=True)
class Window:
    """When a sound is heard, [first, last) in samples, with equal-power fades inside it."""

    first: int
    last: int
    fade_in: int
    fade_out: int

    def gain(self, first: int, last: int) -> npt.NDArray[np.float32]:
        """Return its factor at the samples [first, last), 0 outside it."""
        factor = np.zeros(max(0, last - first), np.float32)
        begin, end = max(first, self.first), min(last, self.last)
        if begin < end:
            shape = {"length": self.last - self.first, "fade_in": self.fade_in, "fade_out": self.fade_out}
            factor[begin - first : end - first] = edge_gain(begin - self.first, end - self.first, **shape)
        return factor


@dataclass(frozen=True, slots=True, eq=False)
class Layer:
    """One sound that fills."""

    filling: Filling | None
    """None for room tone."""
    reason: str
    reads: Reads
    windows: tuple[Window, ...]
    """By time, not overlapping."""
    dip: int | None = None
    """Number of the dip that it fills."""
    times_s: tuple[float, ...] = ()
    """When its hits are, for the reason."""
    gain: float = 1.0

    def reason_in(self, first: int, last: int) -> str:
        """Return why it sounds in [first, last), with the times there."""
        here = [at_s for at_s in self.times_s if first <= to_samples(at_s, RATE_HZ) < last]
        return f"{self.reason} at {', '.join(map(clock, here))}" if here else self.reason

    def block(self, first: int, last: int) -> Block | None:
        """Return what it adds to the samples [first, last); None for nothing."""
        heard = [window for window in self.windows if window.first < last and window.last > first]
        if not heard or not self.gain:
            return None
        total = np.zeros((2, last - first), np.float32)
        for window in heard:
            begin, end = max(first, window.first), min(last, window.last)
            part = self.reads(begin, end) * (window.gain(begin, end) * np.float32(self.gain))
            total[:, begin - first : end - first] += part
        return total


def layers_of(separation: Separation, refill: Refill, arrangement: Arrangement, ctx: Context) -> list[Layer]:
    """Return all layers, not yet brought to their levels."""
    background = separation.background
    events = {event.id: event for event in refill.plan.events}
    placed = {item.event_id for item in arrangement.placements}
    layers = []
    reader = _reader_of(arrangement)
    for filling in refill.fillings:
        if filling.event_id not in placed:
            continue
        reads = partial(_read, reader, filling.event_id)
        if filling.dip is not None:
            dip = refill.dips[filling.dip]
            layers.append(Layer(filling, _why(dip), reads, (dip_window(dip, background.length),), filling.dip))
        else:
            event = events[filling.event_id]
            windows = hit_windows(event, reads, background.length, speech=_lossy(separation, refill))
            times_s = tuple(hit.time_s for hit in event.hits) or (event.start_s,)
            reason = f"{event.label} makes no sound in the background"
            layers.append(Layer(filling, reason, reads, windows, times_s=times_s))
    if refill.tone:
        layers += _tones(background, refill.dips, ctx)
    return layers


def _lossy(separation: Separation, refill: Refill) -> list[Span]:
    """Return where the background may lack what rings on: under speech, and in dips."""
    return [*separation.speech, *(Span(dip.start_s, dip.end_s) for dip in refill.dips)]


def _reader_of(arrangement: Arrangement) -> Callable[[str], BusReader]:
    """Return what gives the reader of one event's sound as it is placed."""
    by_event: dict[str, list[Placement]] = defaultdict(list)
    for item in arrangement.placements:
        by_event[item.event_id].append(item)

    @lru_cache(READERS)
    def reader(event_id: str) -> BusReader:
        own = tuple(by_event[event_id])
        return BusReader(replace(arrangement, placements=own), own[0].bus)

    return reader


def _read(reader: Callable[[str], BusReader], event_id: str, first: int, last: int) -> Block:
    return reader(event_id).block(first, last)


def hit_windows(event: SoundEvent, reads: Reads, length: int, *, speech: Sequence[Span]) -> tuple[Window, ...]:
    """Return the windows of an event that is no ambience: each hit until it has rung out, or the whole."""
    causes = [(hit.time_s, hit.time_s) for hit in event.hits] or [(event.start_s, event.end_s)]
    nexts = [start_s for start_s, _ in causes[1:]] + [math.inf]
    spans = []
    for (start_s, cause_s), next_s in zip(causes, nexts, strict=True):
        spoken_s = max((span.end_s for span in speech if span.start_s <= cause_s < span.end_s), default=cause_s)
        most_s = max(min(spoken_s + PAST_SPEECH_S, cause_s + LONGEST_RING_S, next_s), cause_s + LEAST_RING_S)
        cause = to_samples(cause_s, RATE_HZ)
        ringing = reads(min(cause, length), min(length, to_samples(most_s, RATE_HZ)))
        last = cause + _rung_out(ringing) + to_samples(RING_FADE_S, RATE_HZ)
        spans.append((max(0, to_samples(start_s - LEAD_S, RATE_HZ)), min(length, last)))
    fades = to_samples(LEAD_FADE_S, RATE_HZ), to_samples(RING_FADE_S, RATE_HZ)
    return tuple(_window(first, last, *fades) for first, last in merged(spans) if last > first)


def dip_window(dip: Dip, length: int) -> Window:
    """Return the window over a dip; its fades lie across the dip's ends, or short inside the picture's."""
    half, edge = to_samples(DIP_FADE_S / 2, RATE_HZ), to_samples(EDGE_FADE_S, RATE_HZ)
    first, last = to_samples(dip.start_s, RATE_HZ) - half, to_samples(dip.end_s, RATE_HZ) + half
    opens, closes = 2 * half if first > 0 else edge, 2 * half if last < length else edge
    return _window(max(0, first), min(length, last), opens, closes)


def _window(first: int, last: int, fade_in: int, fade_out: int) -> Window:
    half = (last - first) // 2
    return Window(first, last, min(fade_in, half), min(fade_out, half))


def merged(spans: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    """Return stretches in order, those that touch or overlap as one."""
    out: list[tuple[int, int]] = []
    for first, last in sorted(spans):
        if out and first <= out[-1][1]:
            out[-1] = (out[-1][0], max(out[-1][1], last))
        else:
            out.append((first, last))
    return out


def _rung_out(ringing: Block) -> int:
    """Return after how many samples a sound lies for good under its own peak by `RUNG_OUT_DB`."""
    power = np.square(ringing[:, : ringing.shape[1] // STEP * STEP], dtype=np.float64).mean(axis=0)
    steps = power.reshape(-1, STEP).mean(axis=1)
    loud = np.flatnonzero(steps > steps.max(initial=0.0) * 10.0 ** (-RUNG_OUT_DB / 10.0))
    return STEP * (int(loud[-1]) + 1) if len(loud) else 0


def _why(dip: Dip) -> str:
    if dip.floor_db is None:
        return "the background is silent"
    return f"the background falls {dip.floor_db - dip.rest_db:.0f} dB under its surroundings"


def _tones(background: AudioFile, dips: Sequence[Dip], ctx: Context) -> list[Layer]:
    """Return the room tone of every dip; a few are held at once, as each is made anew the same."""
    learned = [spectrum_of([sound.read(background, *span) for span in _to_learn_from(dip)]) for dip in dips]
    windows = [dip_window(dip, background.length) for dip in dips]

    @lru_cache(2)
    def noise(number: int) -> Block:
        spectrum, window = learned[number], windows[number]
        assert spectrum is not None
        length = min(window.last - window.first, to_samples(TONE_S, RATE_HZ))
        return tone(spectrum, length + length % 2, ctx.rng("room tone", number, dips[number].start_s))

    def reads(number: int, first: int, last: int) -> Block:
        whole = noise(number)
        return whole[:, np.arange(first - windows[number].first, last - windows[number].first) % whole.shape[1]]

    return [
        Layer(None, _why(dip), partial(reads, number), (windows[number],), number)
        for number, dip in enumerate(dips)
        if dip.floor_db is not None and learned[number] is not None
    ]


def _to_learn_from(dip: Dip) -> list[tuple[int, int]]:
    """Return the stretches nearest to a dip, in samples, no more than are needed."""
    left, taken = to_samples(LEARNED_S, RATE_HZ), []
    for span in dip.around:
        first, last = to_samples(span.start_s, RATE_HZ), to_samples(span.end_s, RATE_HZ)
        near_end = span.end_s <= dip.start_s
        size = min(left, last - first)
        taken.append((last - size, last) if near_end else (first, first + size))
        left -= size
        if left <= 0:
            break
    return taken
