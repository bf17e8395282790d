"""Check every take against its instants and its slot, and put right what is off: shift it, stretch it, fade its edges.

Generators that say of themselves that they are exact are believed: what is measured of them is told, not corrected, as
the onset of a slow attack (grass, snow) cannot be measured better than such a generator places it. Of the others, a lag
that all hits share is taken out by a shift, which costs no quality; a span that ends early is stretched to its slot.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Literal

import numpy as np

from foley.contracts import Context, stage
from foley.dsp.fades import Piece, Samples, edge_faded, edge_gain, overlap_added
from foley.dsp.onsets import VALLEY_S, onset_near
from foley.dsp.stretch import stretch
from foley.errors import FoleyError, OutputError
from foley.media import sound
from foley.model import Audio, AudioFile, FittedTakes, SoundEvent, SoundPlan, Take, Takes
from foley.units import RATE_HZ, to_gain, to_samples, to_seconds

VERSION = 2

PROBES = 40
"""Hits looked at in one take: enough for a median, few enough for a film of footsteps."""

REACH_S = 0.4
"""How far from its instant a hit is looked for: generators that read a prompt start up to 300 ms late."""

NOTABLE_S = 0.015
"""A lag of an exact generator that is told: what EBU R 37 lets sound be late in production."""

TOUCHING_S = 0.001
"""Beds nearer than this touch: a cut is one instant."""

QUIET_GAIN = to_gain(-60.0)
"""A take that begins or ends below it needs no fade: takes peak at -3 dBFS."""

EDGE_S = 0.001
"""What of a take's edge is looked at."""

SOUNDING_DB = -40.0
"""A sound is over where it stays this far below its usual level."""

FRAME_S = 0.01
"""Step in which it is looked for."""

STEADY_INTENSITY = 0.25
"""A curve that falls below asks for near silence there: then a gap is meant, not missing sound."""

BLOCK = 10 * RATE_HZ
"""Samples handled at once."""


@dataclass(frozen=True, slots=True)
class FitOptions:
    """What is corrected, and how edges are faded."""

    lag_ms: float = 2.0
    """A shared lag of hits beyond it is taken out."""
    tolerance: float = 0.1
    """Part of its slot by which a span may be too short or too long before it is stretched."""
    least_stretch: float = 0.5
    """Shorter than this part of itself a sound is cut instead."""
    most_stretch: float = 2.0
    """Longer than this many times itself a sound is looped instead."""
    longest_stretch_s: float = 120.0
    """Longer slots are looped or cut, never stretched: stretching holds the whole sound in memory."""
    edge_fade_s: float = 0.010
    """Fade at the edges of a span that would click."""
    bed_fade_s: float = 0.25
    """Fade of a bed where no other bed takes over."""
    loop_overlap_s: float = 0.5
    """Crossfade from one repeat to the next."""

    def __post_init__(self) -> None:
        if not self.lag_ms >= 0.0:
            raise ValueError(f"lag_ms must be 0 or more, got {self.lag_ms}")
        if not 0.0 <= self.tolerance < 1.0:
            raise ValueError(f"tolerance must lie in 0 to 1, got {self.tolerance}")
        if not 0.1 <= self.least_stretch <= 1.0 <= self.most_stretch <= 10.0:
            raise ValueError("least_stretch must lie in 0.1 to 1 and most_stretch in 1 to 10")
        if min(self.longest_stretch_s, self.edge_fade_s, self.bed_fade_s, self.loop_overlap_s) < 0.0:
            raise ValueError("longest_stretch_s, edge_fade_s, bed_fade_s and loop_overlap_s must be 0 or more")


@dataclass(frozen=True, slots=True)
class _Cut:
    """What becomes of a take's sound: the part that is used, the length it gets, its fades; all in samples."""

    first: int
    last: int
    length: int
    fade_in: int = 0
    fade_out: int = 0
    how: Literal["as it is", "stretched", "looped"] = "as it is"


@stage(version=VERSION)
def fit(plan: SoundPlan, takes: Takes, opts: FitOptions, ctx: Context) -> FittedTakes:
    """Put the takes on time; what is right already passes through as it is."""
    events = {event.id: event for event in plan.events}
    by_event = {take.event_id: take for take in takes.items}
    fitted = []
    for done, take in enumerate(takes.items, start=1):
        event = events[take.event_id]
        if event.kind == "hits":
            fitted.append(_on_its_instants(take, event, opts, ctx=ctx))
        elif event.kind == "span":
            fitted.append(_in_its_slot(take, event, opts, ctx=ctx))
        else:
            fitted.append(_between_its_neighbours(take, event, plan, takes=by_event, opts=opts, ctx=ctx))
        ctx.progress(done / len(takes.items), take.event_id)
    return FittedTakes(tuple(fitted), takes.notes, takes.weights)


def _on_its_instants(take: Take, event: SoundEvent, opts: FitOptions, *, ctx: Context) -> Take:
    """Return a take of hits without the lag that its hits share."""
    times_s = tuple(hit.time_s for hit in event.hits)
    measured = (VERSION, take.audio, take.first_sample, times_s)
    lags_s, asked = ctx.once("lags", measured, lambda _: _lags_s(take, times_s))
    if len(lags_s) * 2 < asked or not lags_s:
        return take
    lag_s = float(np.median(lags_s))
    unlike_s = float(np.percentile(np.abs(np.array(lags_s) - lag_s), 80.0))
    if take.exact:
        # what leads in, as a whoosh does, is heard before its instant on purpose
        led_in_s = take.lead_s if lag_s < 0.0 else 0.0
        if abs(lag_s) <= NOTABLE_S + led_in_s:
            return take
        told = f"sounds {_lag(lag_s)} its instants ({len(lags_s)} of {asked} measured); left as it was made"
        return replace(take, notes=(*take.notes, told))
    # unless most hits share it, taking the lag out would put some hits off that are right
    if abs(lag_s) * 1000.0 <= opts.lag_ms or unlike_s > abs(lag_s) / 2:
        return take
    told = f"sounded {_lag(lag_s)} its instants ({len(lags_s)} of {asked} measured); moved onto them"
    return replace(take, first_sample=take.first_sample - to_samples(lag_s, RATE_HZ), notes=(*take.notes, told))


def _lag(lag_s: float) -> str:
    return f"{abs(lag_s) * 1000.0:.1f} ms {'after' if lag_s > 0.0 else 'before'}"


def _lags_s(take: Take, times_s: Sequence[float]) -> tuple[list[float], int]:
    """Return how much later than planned hits sound, of those that could be measured; and how many were looked at."""
    gaps_s = [later - earlier for earlier, later in pairwise(times_s)]
    within_s = min([REACH_S, *(gap_s / 2 for gap_s in gaps_s)])
    numbers = np.unique(np.linspace(0, len(times_s) - 1, min(PROBES, len(times_s))).round().astype(int))
    # some more than is looked at, so that the measure knows that the sound does not begin there
    around = to_samples(within_s + 2 * VALLEY_S, RATE_HZ)
    lags_s = []
    for number in numbers:
        at = to_samples(times_s[number], RATE_HZ) - take.first_sample
        part = Audio(sound.read(take.audio, at - around, at + around), RATE_HZ)
        onset_s = onset_near(part, to_seconds(around, RATE_HZ), within_s)
        if onset_s is not None:
            lags_s.append(onset_s - to_seconds(around, RATE_HZ))
    return lags_s, len(numbers)


def _in_its_slot(take: Take, event: SoundEvent, opts: FitOptions, *, ctx: Context) -> Take:
    """Return a take of a span as long as its slot, with edges that do not click."""
    if not take.exact and _is_steady(event):
        refilled = _refilled(take, event, opts, ctx=ctx)
        if refilled is not None:
            return refilled
    length, edge = take.audio.length, to_samples(EDGE_S, RATE_HZ)
    fade = _edge_fade(length, opts)
    cut = _Cut(
        0,
        length,
        length,
        fade_in=0 if _is_quiet(take.audio, 0, edge) else fade,
        fade_out=0 if _is_quiet(take.audio, length - edge, length) else fade,
    )
    return _cut(take, cut, take.first_sample, opts=opts, ctx=ctx)


def _edge_fade(length: int, opts: FitOptions) -> int:
    return min(to_samples(opts.edge_fade_s, RATE_HZ), length // 2)


def _is_quiet(file: AudioFile, first: int, last: int) -> bool:
    return float(np.max(np.abs(sound.read(file, first, last)), initial=0.0)) <= QUIET_GAIN


def _is_steady(event: SoundEvent) -> bool:
    return all(point.level >= STEADY_INTENSITY for point in event.curve)


def _refilled(take: Take, event: SoundEvent, opts: FitOptions, *, ctx: Context) -> Take | None:
    """Return a take whose sound did not fill its slot, filling it; None where it does."""
    first, last = _sounding(take.audio)
    begins = to_samples(event.start_s, RATE_HZ) - take.first_sample
    slot = to_samples(event.end_s, RATE_HZ) - to_samples(event.start_s, RATE_HZ)
    ring = to_samples(take.ring_s, RATE_HZ)
    allowed = opts.tolerance * slot
    missing = max(0, first - begins) + max(0, begins + slot - last)
    if last <= first or (missing <= allowed and last <= begins + slot + ring + allowed):
        return None
    ratio, fade = slot / (last - first), _edge_fade(slot, opts)
    plain = _Cut(first, last, slot, fade_in=fade, fade_out=fade, how="looped")
    if ratio <= 1.0:
        plain = replace(plain, last=first + slot, how="as it is")
    place = to_samples(event.start_s, RATE_HZ)
    told = f"sounded for {to_seconds(last - first, RATE_HZ):.2f} s of {to_seconds(slot, RATE_HZ):.2f} s"
    stretches = opts.least_stretch <= ratio <= opts.most_stretch
    if stretches and slot <= to_samples(opts.longest_stretch_s, RATE_HZ):
        try:
            cut, note = replace(plain, last=last, how="stretched"), f"{told}: stretched to {ratio:.2f} of that"
            return _cut(take, cut, place, opts=opts, ctx=ctx, note=note)
        except OutputError:
            raise
        except FoleyError as cause:
            told = f"{told}; not stretched, as {cause.message}"
    note = f"{told}: {'cut off' if ratio <= 1.0 else 'looped'}"
    return _cut(take, plain, place, opts=opts, ctx=ctx, note=note)


def _sounding(file: AudioFile) -> tuple[int, int]:
    """Return where in a file its sound begins and ends, to 10 ms."""
    frame = to_samples(FRAME_S, RATE_HZ)
    powers = [np.zeros(0)]
    for first in range(0, file.length, BLOCK):
        block = sound.read(file, first, min(first + BLOCK, file.length))
        whole = block[:, : block.shape[1] // frame * frame].reshape(file.channels, -1, frame)
        powers.append(np.mean(np.square(whole, dtype=np.float64), axis=(0, 2)))
    levels = np.sqrt(np.concatenate(powers))
    usual = float(np.percentile(levels, 95.0)) if levels.size else 0.0
    loud = np.flatnonzero(levels > usual * to_gain(SOUNDING_DB))
    return (int(loud[0]) * frame, min((int(loud[-1]) + 1) * frame, file.length)) if loud.size else (0, 0)


def _between_its_neighbours(
    take: Take, event: SoundEvent, plan: SoundPlan, *, takes: Mapping[str, Take], opts: FitOptions, ctx: Context
) -> Take:
    """Return a bed's take faded in and out, or crossfaded with the beds that it touches."""
    beds = [one for one in plan.events if one.kind == "bed" and one.id != event.id and one.id in takes]
    before = [_after(takes[one.id], one) for one in beds if abs(one.end_s - event.start_s) <= TOUCHING_S]
    after = [_before(takes[one.id], one) for one in beds if abs(one.start_s - event.end_s) <= TOUCHING_S]
    # half of a crossfade lies on each side of the cut: as much as both takes have there
    half_in = max(0, min(_before(take, event), *before)) if before else 0
    half_out = max(0, min(_after(take, event), *after)) if after else 0
    first = max(0, _before(take, event) - half_in)
    last = take.audio.length - max(0, _after(take, event) - half_out)
    at_start, at_end = event.start_s <= 0.0, event.end_s >= float(plan.clip.duration_s)
    rise = _bed_fade(half_in, sudden=at_start or bool(before), opts=opts)
    fall = _bed_fade(half_out, sudden=at_end or bool(after), opts=opts)
    longest = (last - first) // 2
    cut = _Cut(first, last, last - first, fade_in=min(rise, longest), fade_out=min(fall, longest))
    return _cut(take, cut, take.first_sample + first, opts=opts, ctx=ctx)


def _bed_fade(half: int, *, sudden: bool, opts: FitOptions) -> int:
    """Return the samples of a bed's fade; sudden where the picture is, at the film's edges and at a neighbour."""
    return 2 * half or to_samples(opts.edge_fade_s if sudden else opts.bed_fade_s, RATE_HZ)


def _before(take: Take, event: SoundEvent) -> int:
    """Return how many samples a take has before its event's start."""
    return to_samples(event.start_s, RATE_HZ) - take.first_sample


def _after(take: Take, event: SoundEvent) -> int:
    """Return how many samples a take has after its event's end."""
    return take.first_sample + take.audio.length - to_samples(event.end_s, RATE_HZ)


def _cut(take: Take, cut: _Cut, first_sample: int, *, opts: FitOptions, ctx: Context, note: str = "") -> Take:
    """Return the take with its sound cut to measure; the file itself where nothing is to be done."""
    if cut == _Cut(0, take.audio.length, take.audio.length):
        return take
    key = (VERSION, take.key, cut, opts.loop_overlap_s)

    def make(child: Context) -> AudioFile:
        with sound.WavWriter(child.scratch / "fitted.wav", rate_hz=RATE_HZ, channels=take.audio.channels) as writer:
            done = 0
            for block in _blocks(take.audio, cut, opts):
                last = done + block.shape[1]
                fades = {"fade_in": cut.fade_in, "fade_out": cut.fade_out}
                writer.append(block * edge_gain(done, last, length=cut.length, **fades))
                done = last
        return writer.file

    return replace(
        take,
        key=ctx.digest("fit", key),
        audio=ctx.once("fit", key, make),
        first_sample=first_sample,
        notes=(*take.notes, note) if note else take.notes,
    )


def _blocks(file: AudioFile, cut: _Cut, opts: FitOptions) -> Iterator[Samples]:
    """Yield the sound that a cut asks for, without its fades."""
    if cut.how == "stretched":
        whole = Audio(sound.read(file, cut.first, cut.last), RATE_HZ)
        yield stretch(whole, to_seconds(cut.length, RATE_HZ)).samples
    elif cut.how == "looped":
        yield from overlap_added(_repeats(file, cut, opts), cut.length, channels=file.channels, block=BLOCK)
    else:
        for first in range(cut.first, cut.last, BLOCK):
            yield sound.read(file, first, min(first + BLOCK, cut.last))


def _repeats(file: AudioFile, cut: _Cut, opts: FitOptions) -> Iterator[Piece]:
    """Yield a part of a file again and again, every repeat crossfaded into the one before."""
    part = sound.read(file, cut.first, cut.last)
    overlap = min(to_samples(opts.loop_overlap_s, RATE_HZ), part.shape[1] // 2)
    for first in range(0, cut.length, part.shape[1] - overlap):
        yield first, edge_faded(part, fade_in=overlap if first else 0, fade_out=overlap)
