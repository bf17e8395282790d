"""Fill the gaps of a background at its own level; the rest of the M&E is the background, bit for bit.

Nothing is taken away: M&E = background + fills, and fills are exactly 0 outside the places that are filled. Hits are
brought to the level that the same event has where the background still holds it. Ambience in a dip makes up what is
missing there in power: half of it is what is planned, half the background's own room tone, so that the dip sounds like
its surroundings even where the plan knows them badly.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from foley.contracts import Context, stage
from foley.dsp.limiter import Curve, gain_between, limiter_curve
from foley.media import sound
from foley.media.sound import Block, WavWriter
from foley.mix.filling import Layer, layers_of, merged
from foley.mix.matching import matched
from foley.mix.sum import spans
from foley.model import Arrangement, AudioFile
from foley.model.dub import FilledPlace, Gaps, MusicAndEffects, Refill, Separation
from foley.units import RATE_HZ

VERSION = 1
"""Raised when the same gaps are filled otherwise."""

CEILING = 10.0 ** (-1.0 / 20.0)
"""Fills give way above -1 dBFS; the background's own peaks stay as they are."""
MS_SAMPLES = RATE_HZ // 1000
_SCALE = np.float32(2.0**23)
"""Steps of 24 bit in full scale."""

_Place = tuple[int, int, str, tuple[str, ...]]
"""The fields of a `FilledPlace`, as the cache keeps them."""
_Made = tuple[AudioFile, AudioFile, tuple[_Place, ...], dict[str, float]]


@stage(version=VERSION, cached=False)  # the sound is kept below
def me(separation: Separation, gaps: Gaps, refill: Refill, arrangement: Arrangement, ctx: Context) -> MusicAndEffects:
    """Return the background with its gaps filled."""
    background = separation.background

    def make(making: Context) -> _Made:
        layers, levels = matched(layers_of(separation, refill, arrangement, ctx), refill, gaps)
        stack = _Stack([layer for layer in layers if layer.gain > 0.0 and layer.windows])
        return (*_filled(background, stack, making), levels)

    key = (VERSION, background, separation.speech, refill, gaps, arrangement)
    audio, fills, places, levels = ctx.once("filled", key, make)
    notes = (*separation.notes, *gaps.notes, *refill.left_out)
    return MusicAndEffects(audio, fills, tuple(FilledPlace(*place) for place in places), levels, notes)


class _Stack:
    """All layers, of which a block asks only those that it hears."""

    def __init__(self, layers: Sequence[Layer]) -> None:
        self.layers = layers
        self._firsts = np.array([layer.windows[0].first for layer in layers], np.int64)
        self._lasts = np.array([layer.windows[-1].last for layer in layers], np.int64)

    def within(self, first: int, last: int) -> list[Layer]:
        """Return the layers that may sound in [first, last)."""
        return [self.layers[at] for at in np.flatnonzero((self._firsts < last) & (self._lasts > first)).tolist()]

    def summed(self, first: int, last: int) -> Block:
        """Return what they add to the samples [first, last) together."""
        total = np.zeros((2, last - first), np.float32)
        for layer in self.within(first, last):
            part = layer.block(first, last)
            if part is not None:
                total += part
        return total


def _filled(background: AudioFile, stack: _Stack, making: Context) -> tuple[AudioFile, AudioFile, tuple[_Place, ...]]:
    """Write the M&E and what was added; return them and the places that differ."""
    places = merged((window.first, window.last) for layer in stack.layers for window in layer.windows)
    curves = {place: curve for place in places if (curve := _giving_way(background, stack, *place)) is not None}
    to = making.scratch
    with (
        WavWriter(to / "me.wav", rate_hz=RATE_HZ, channels=2) as whole,
        WavWriter(to / "fills.wav", rate_hz=RATE_HZ, channels=2) as added,
    ):
        for first, last in spans(background.length):
            under, fill = sound.read(background, first, last), stack.summed(first, last)
            for (begin, end), curve in curves.items():
                if begin < last and end > first:
                    inside = slice(max(begin, first) - first, min(end, last) - first)
                    fill[:, inside] *= gain_between(curve, max(begin, first) - begin, min(end, last) - begin)
            # as it will be read back, so that background and fills sum to the M&E to the last bit
            filled = np.clip(np.rint((under + fill) * _SCALE), -_SCALE, _SCALE - 1) / _SCALE
            whole.append(filled)
            added.append(filled - under)
            making.progress(last / background.length, "filling")
    return whole.file, added.file, tuple(_described(first, last, stack) for first, last in places)


def _giving_way(background: AudioFile, stack: _Stack, first: int, last: int) -> Curve | None:
    """Return the factor of a place's fills at every ms, so that the M&E stays under its ceiling; None for no need."""
    needed = []
    for begin, end in spans(last - first):
        under = _peaks(sound.read(background, first + begin, first + end))
        over = _peaks(stack.summed(first + begin, first + end))
        room = np.maximum(0.0, CEILING - under) / np.maximum(over, 1e-9)
        needed.append(np.minimum(1.0, room).astype(np.float32))
    share = np.concatenate(needed)
    return None if share.min(initial=1.0) >= 1.0 else limiter_curve(share)


def _peaks(block: Block) -> Curve:
    """Return the highest sample of each millisecond."""
    loudest = np.abs(block).max(axis=0)
    return np.asarray(np.pad(loudest, (0, -len(loudest) % MS_SAMPLES)).reshape(-1, MS_SAMPLES).max(axis=1))


def _described(first: int, last: int, stack: _Stack) -> _Place:
    here = [
        layer for layer in stack.within(first, last) if any(w.first < last and w.last > first for w in layer.windows)
    ]
    events = dict.fromkeys(layer.filling.made_for for layer in here if layer.filling is not None)
    return (first, last, "; ".join(dict.fromkeys(layer.reason_in(first, last) for layer in here)), tuple(events))
