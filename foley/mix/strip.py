"""Read a bus after its filters, its width and its fades, and find the curve of its compressor."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from foley.dsp.compressor import Compressor
from foley.dsp.filters import Cascade
from foley.dsp.limiter import Curve, gain_between
from foley.media import sound
from foley.mix.chain import cascade_of, chain_of
from foley.mix.fades import fade_gain, fading_spans
from foley.mix.level import MS_SAMPLES
from foley.mix.sum import CHUNK_SAMPLES, Block, BusReader, spans
from foley.model import Arrangement, AudioFile, Bus, Placement
from foley.model.sound import Chain

Memory = npt.NDArray[np.float64]

KEPT_BYTES = 96 << 20
"""Memory for chunks that are used again: a minute of all buses, so that short clips are read and filtered once."""


@dataclass(slots=True)
class Memo:
    """How much more may be kept in memory; the strips of one mastering share it."""

    left_bytes: int = KEPT_BYTES

    @classmethod
    def for_clip(cls, samples: int, buses: int) -> Memo:
        """Return room for all chunks of a clip, or for none where they are too many: memory is not to grow with it."""
        whole = 2 * 4 * samples * buses
        return cls(KEPT_BYTES if whole <= KEPT_BYTES else 0)

    def takes(self, block: Block | None) -> bool:
        """Return whether there is room for a block, and count it."""
        size = 0 if block is None else block.nbytes
        fits = size <= self.left_bytes
        self.left_bytes -= size * fits
        return fits


class Strip:
    """Reads one bus after its filters and fades, before its compressor: any stretch, the same whatever the stretch."""

    def __init__(self, arrangement: Arrangement, bus: Bus, chain: Chain, memo: Memo | None = None) -> None:
        """Find what is on the bus."""
        self._reader = BusReader(arrangement, bus)
        self.design = chain_of(chain, bus)
        """What the bus goes through."""
        self._filters = cascade_of(self.design)
        self._length = arrangement.length
        self._ends: tuple[int, Memory | None] = (-1, None)
        self._last: tuple[int, Block | None] = (-1, None)
        self._memo = memo or Memo(0)
        self._kept: dict[int, Block | None] = {}
        self._faded = [
            (item, Strip(_alone(arrangement, item), bus, chain))
            for item in arrangement.placements
            if item.bus == bus and (item.fade_in or item.fade_out)
        ]

    @property
    def silent(self) -> bool:
        """Return whether nothing is placed on the bus."""
        return self._reader.silent

    def keeps(self, first: int, last: int) -> bool:
        """Return whether a stretch costs nothing to read again."""
        return all(number in self._kept for number in range(first // CHUNK_SAMPLES, -(-last // CHUNK_SAMPLES)))

    def block(self, first: int, last: int) -> Block:
        """Return the samples [first, last) of the bus, shape (2, last - first); not to be changed."""
        number, start = first // CHUNK_SAMPLES, first // CHUNK_SAMPLES * CHUNK_SAMPLES
        if start <= first < last <= start + CHUNK_SAMPLES and (whole := self._chunk(number)) is not None:
            return whole[:, first - start : last - start]
        total = np.zeros((2, last - first), np.float32)
        for number in range(first // CHUNK_SAMPLES, -(-last // CHUNK_SAMPLES)):
            start = number * CHUNK_SAMPLES
            begin, end = max(first, start), min(last, start + CHUNK_SAMPLES)
            if (whole := self._chunk(number)) is not None:
                total[:, begin - first : end - first] = whole[:, begin - start : end - start]
        return total

    def _chunk(self, number: int) -> Block | None:
        if number in self._kept:
            return self._kept[number]
        if self._last[0] != number:
            self._last = number, self._unfaded(number)
            self._last = number, self._with_fades(number, self._last[1])
        whole = self._last[1]
        if self._memo.takes(whole):
            self._kept[number] = whole
        return whole

    def _unfaded(self, number: int) -> Block | None:
        whole = self._reader.chunk(number)
        if self._filters is not None:
            whole = self._filtered(self._filters, number, whole)
        if whole is None or self.design.width == 1.0:
            return whole
        same, other = np.float32((1 + self.design.width) / 2), np.float32((1 - self.design.width) / 2)
        return same * whole + other * whole[::-1]

    def _filtered(self, filters: Cascade, number: int, whole: Block | None) -> Block | None:
        memory = self._memory(filters, number - 1)
        self._ends = number, None
        if whole is None and memory is None:
            return None
        sounding = np.zeros((2, CHUNK_SAMPLES), np.float32) if whole is None else whole
        made, end = filters.filtered(sounding, memory)
        self._ends = number, None if whole is None else end
        made[:, max(0, self._length - number * CHUNK_SAMPLES) :] = 0.0
        return made

    def _memory(self, filters: Cascade, number: int) -> Memory | None:
        """Return what a chunk leaves to the next."""
        if self._ends[0] == number:
            return self._ends[1]
        before = self._reader.chunk(number) if number >= 0 else None
        return None if before is None else filters.filtered(before, None)[1]

    def _with_fades(self, number: int, whole: Block | None) -> Block | None:
        """Take away what fades take: of each faded event's own sound, filtered, what its fade does not let through.

        So a fade lies on what is heard of the event, tail and all, as an editor's program lays it on the same sound.
        """
        if whole is None:
            return None
        first, last = number * CHUNK_SAMPLES, min((number + 1) * CHUNK_SAMPLES, self._length)
        for item, alone in self._faded:
            for begin, end in fading_spans(item, first, last, length=self._length):
                gone = np.float32(1.0) - fade_gain(item, begin, end, length=self._length)
                lost = alone.block(begin, end) * gone
                whole = whole.copy()
                whole[:, begin - first : end - first] -= lost
        return whole


class StemSum:
    """Reads finished stems as one sound."""

    def __init__(self, stems: Collection[AudioFile], memo: Memo) -> None:
        """Take the stems; what the memo has room for is read once."""
        self.stems = stems
        self._memo = memo
        self._kept: dict[tuple[int, int], Block] = {}

    def block(self, first: int, last: int) -> Block:
        """Return the sum over [first, last), shape (2, last - first); not to be changed."""
        if (first, last) in self._kept:
            return self._kept[first, last]
        total = np.zeros((2, last - first), np.float32)
        for stem in self.stems:
            total += sound.read(stem, first, last)
        if self._memo.takes(total):
            self._kept[first, last] = total
        return total


class Compressing:
    """Goes through a strip from its start, block after block, and finds its compressor's curve on the way."""

    def __init__(self, strip: Strip) -> None:
        """Begin at the start."""
        self._strip = strip
        self._compressor = Compressor(strip.design.dynamics) if strip.design.dynamics and not strip.silent else None
        self._curve: list[Curve] = [np.ones(1, np.float32)]

    def block(self, first: int, last: int) -> Block:
        """Return the next block, compressed; all but the last in whole milliseconds."""
        block = self._strip.block(first, last)
        if self._compressor is None:
            return block
        samples = block.shape[1]
        points = self._compressor.add(np.pad(block, ((0, 0), (0, -samples % MS_SAMPLES))))
        part = np.concatenate([self._curve[-1][-1:], points])
        self._curve.append(points)
        return block if part.min() >= 1.0 else block * gain_between(part, 0, samples)

    def curve(self) -> Curve | None:
        """Return the gain at every millisecond so far; None where nothing was taken off."""
        whole = np.concatenate(self._curve)
        return whole if whole.min() < 1.0 else None


def compressor_curve(strip: Strip, length: int) -> Curve | None:
    """Return a strip's curve; None where nothing is taken off."""
    bus = Compressing(strip)
    for first, last in spans(length):
        bus.block(first, last)
    return bus.curve()


def _alone(arrangement: Arrangement, item: Placement) -> Arrangement:
    return Arrangement((replace(item, fade_in=0, fade_out=0),), arrangement.length)
