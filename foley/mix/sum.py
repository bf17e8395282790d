"""Sum the placements of a bus, block by block: what sounds in a block is read, nothing else."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from foley.media import sound
from foley.model import Arrangement, Bus, Placement
from foley.units import RATE_HZ

Block = npt.NDArray[np.float32]
"""Shape (2, samples): left and right."""

BUSES: tuple[Bus, ...] = ("foley", "effects", "backgrounds")
BLOCK_SAMPLES = 2 * RATE_HZ
"""Two seconds: small enough for a processor's cache, large enough that opening files costs nothing."""
EDGE_FADE_SAMPLES = RATE_HZ * 3 // 1000
"""3 ms where the timeline cuts a take: no click, and a hit on the first frame still hits."""


class BusReader:
    """Reads one bus of an arrangement, any stretch of it, with one file open at a time."""

    def __init__(self, arrangement: Arrangement, bus: Bus) -> None:
        """Find the bus's placements."""
        self._length = arrangement.length
        self._placements = [item for item in arrangement.placements if item.bus == bus]
        self._firsts = np.array([item.first_sample for item in self._placements], np.int64)
        self._lasts = self._firsts + np.array([item.audio.length for item in self._placements], np.int64)

    @property
    def silent(self) -> bool:
        """Return whether nothing is placed on the bus."""
        return not self._placements

    def block(self, first: int, last: int) -> Block:
        """Return the sum over the samples [first, last), shape (2, last - first), before mastering."""
        total = np.zeros((2, last - first), np.float32)
        for index in np.flatnonzero((self._firsts < last) & (self._lasts > first)):
            self._add(self._placements[index], first, total)
        return total

    def _add(self, item: Placement, first: int, total: Block) -> None:
        begin, end = max(first, item.first_sample), min(first + total.shape[1], item.first_sample + item.audio.length)
        taken = sound.read(item.audio, begin - item.first_sample, end - item.first_sample)
        if self._is_cut(item):
            taken *= self._edges(item, begin, end)
        gain = np.array([[item.gain_left], [item.gain_right]], np.float32)
        total[:, begin - first : end - first] += gain * taken

    def _is_cut(self, item: Placement) -> bool:
        return item.first_sample < 0 or item.first_sample + item.audio.length > self._length

    def _edges(self, item: Placement, begin: int, end: int) -> npt.NDArray[np.float32]:
        """Return the fades where the take is cut: a straight ramp from the first and to the last sample heard."""
        from_edge = np.full(end - begin, EDGE_FADE_SAMPLES)
        if item.first_sample < 0:
            from_edge = np.minimum(from_edge, np.arange(begin, end))
        if item.first_sample + item.audio.length > self._length:
            from_edge = np.minimum(from_edge, self._length - 1 - np.arange(begin, end))
        return from_edge.astype(np.float32) / np.float32(EDGE_FADE_SAMPLES)


def bus_block(arrangement: Arrangement, bus: Bus, first: int, last: int) -> Block:
    """Return one stretch of one bus; for many, keep a `BusReader`."""
    return BusReader(arrangement, bus).block(first, last)


def spans(length: int, size: int = BLOCK_SAMPLES) -> Iterator[tuple[int, int]]:
    """Yield [first, last) of blocks that cover `length` samples."""
    for first in range(0, length, size):
        yield first, min(length, first + size)
