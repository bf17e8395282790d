"""Sum the placements of a bus, block by block, with what rooms answer: what sounds in a block is read, nothing else."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

import numpy as np
import numpy.typing as npt

from foley.dsp.air import far_filter
from foley.dsp.rooms import ROOMS, response, under_water_filter
from foley.media import sound
from foley.mix.space import moving_sides, share_in
from foley.model import Arrangement, Bus, Placement, Room, Space
from foley.units import RATE_HZ

Block = npt.NDArray[np.float32]
"""Shape (2, samples): left and right."""

VERSION = 1
"""Raised when the same placements sum to other samples."""
BUSES: tuple[Bus, ...] = ("foley", "effects", "backgrounds")
"""Those that every clip has; `buses_of` says which an arrangement has."""
BLOCK_SAMPLES = 2 * RATE_HZ
"""Two seconds: small enough for a processor's cache, large enough that opening files costs nothing."""
CHUNK_SAMPLES = 2 * RATE_HZ
"""What filters and rooms work on: always the same chunks of the timeline, so that no block's borders can be heard or
measured; as long as the longest room answers, so that none needs more than the chunk before."""
EDGE_FADE_SAMPLES = RATE_HZ * 3 // 1000
"""3 ms where the timeline cuts a take: no click, and a hit on the first frame still hits."""
_REMEMBERED = 3
"""Chunks that are held: one is made from itself and the one before, also when a block begins a chunk earlier."""


def buses_of(arrangement: Arrangement) -> tuple[Bus, ...]:
    """Return the buses that an arrangement has: the three usual ones, and music where there is any."""
    return (*BUSES, "music") if any(item.bus == "music" for item in arrangement.placements) else BUSES


@dataclass(frozen=True, slots=True, eq=False)
class _Chunk:
    """One chunk of a bus before its rooms answer."""

    direct: Block | None
    """None where nothing sounds."""
    sent: dict[Room, Block]
    """What each room hears, shape (1, samples)."""


class BusReader:
    """Reads one bus of an arrangement, any stretch of it, with one file open at a time. Fades are not in it."""

    def __init__(self, arrangement: Arrangement, bus: Bus) -> None:
        """Find the bus's placements."""
        self._length = arrangement.length
        self._placements = [item for item in arrangement.placements if item.bus == bus]
        self._firsts = np.array([item.first_sample for item in self._placements], np.int64)
        self._lasts = np.array([_end(item) for item in self._placements], np.int64)
        self._plain = not any(item.path or item.air_m or item.spaces for item in self._placements)
        self._chunks: dict[int, _Chunk] = {}

    @property
    def silent(self) -> bool:
        """Return whether nothing is placed on the bus."""
        return not self._placements

    def block(self, first: int, last: int) -> Block:
        """Return the sum over the samples [first, last), shape (2, last - first), before mastering."""
        if self._plain:
            return self._direct(first, last)
        total = np.zeros((2, last - first), np.float32)
        for number in range(first // CHUNK_SAMPLES, -(-last // CHUNK_SAMPLES)):
            start = number * CHUNK_SAMPLES
            begin, end = max(first, start), min(last, start + CHUNK_SAMPLES)
            if (whole := self.chunk(number)) is not None:
                total[:, begin - first : end - first] = whole[:, begin - start : end - start]
        return total

    def chunk(self, number: int) -> Block | None:
        """Return chunk `number` of the timeline, shape (2, CHUNK_SAMPLES), silent past its end; None where all is."""
        first, last = number * CHUNK_SAMPLES, (number + 1) * CHUNK_SAMPLES
        if self._plain:
            return self._direct(first, last) if self._sounding(first, last).size else None
        now = self._remembered(number)
        before = self._remembered(number - 1) if number else _Chunk(None, {})
        answers = [_answer(room, before.sent.get(room), now.sent.get(room)) for room in {**before.sent, **now.sent}]
        if not answers:
            return now.direct
        total = np.zeros((2, CHUNK_SAMPLES), np.float32) if now.direct is None else now.direct.copy()
        for answer in answers:
            total += answer
        total[:, max(0, self._length - first) :] = 0.0
        return total

    def _remembered(self, number: int) -> _Chunk:
        if number not in self._chunks:
            for old in sorted(self._chunks)[: 1 - _REMEMBERED]:
                del self._chunks[old]
            self._chunks[number] = self._made(number)
        return self._chunks[number]

    def _made(self, number: int) -> _Chunk:
        first, last = number * CHUNK_SAMPLES, (number + 1) * CHUNK_SAMPLES
        direct: Block | None = None
        sent: dict[Room, Block] = {}
        for index in self._sounding(first, last):
            item = self._placements[index]
            begin, placed = self._placed(item, first, last)
            direct = np.zeros((2, CHUNK_SAMPLES), np.float32) if direct is None else direct
            within = slice(begin - first, begin - first + placed.shape[1])
            direct[:, within] += placed
            middle = np.float32(item.room_gain / 2) * (placed[:1] + placed[1:])
            for space, share in self._shares(item, begin, begin + placed.shape[1]):
                if space.room != "under_water":
                    sent.setdefault(space.room, np.zeros((1, CHUNK_SAMPLES), np.float32))[:, within] += share * middle
        return _Chunk(direct, sent)

    def _sounding(self, first: int, last: int) -> npt.NDArray[np.intp]:
        return np.flatnonzero((self._firsts < min(last, self._length)) & (self._lasts > first))

    def _shares(self, item: Placement, first: int, last: int) -> Iterator[tuple[Space, npt.NDArray[np.float32]]]:
        for space in item.spaces:
            share = share_in(space, first, last, length=self._length)
            if share is not None:
                yield space, share

    def _direct(self, first: int, last: int) -> Block:
        total = np.zeros((2, last - first), np.float32)
        for index in self._sounding(first, last):
            begin, placed = self._placed(self._placements[index], first, last)
            total[:, begin - first : begin - first + placed.shape[1]] += placed
        return total

    def _placed(self, item: Placement, first: int, last: int) -> tuple[int, Block]:
        """Return where in [first, last) a placement begins, and its sound there on both sides."""
        begin, end = max(first, item.first_sample, 0), min(last, _end(item), self._length)
        reach = _reach(item)
        taken = self._taken(item, begin - reach, end)
        if item.air_m:
            taken = far_filter(item.air_m).filtered(taken)
        taken = self._through_water(item, taken, begin, end)
        if item.path:
            channels = item.audio.channels
            return begin, item.gain_left * moving_sides(item.path, begin, end, channels=channels) * taken
        return begin, np.array([[item.gain_left], [item.gain_right]], np.float32) * taken

    def _taken(self, item: Placement, first: int, last: int) -> Block:
        taken = sound.read(item.audio, first - item.first_sample, last - item.first_sample)
        if item.first_sample < 0 or item.first_sample + item.audio.length > self._length:
            taken *= self._edges(item, first, last)
        return taken

    def _through_water(self, item: Placement, taken: Block, first: int, last: int) -> Block:
        """Return a take as it is heard where its place is under water, and without what the filter needs before it."""
        if not any(space.room == "under_water" for space in item.spaces):
            return taken
        water = under_water_filter()
        dulled, clear = None, taken[:, water.history :]
        total = clear.copy()
        for space, share in self._shares(item, first, last):
            if space.room == "under_water":
                dulled = water.filtered(taken) if dulled is None else dulled
                total += share * (dulled - clear)
        return total

    def _edges(self, item: Placement, begin: int, end: int) -> npt.NDArray[np.float32]:
        """Return the fades where the take is cut: a straight ramp from the first and to the last sample heard."""
        from_edge = np.full(end - begin, EDGE_FADE_SAMPLES)
        if item.first_sample < 0:
            from_edge = np.minimum(from_edge, np.arange(begin, end))
        if item.first_sample + item.audio.length > self._length:
            from_edge = np.minimum(from_edge, self._length - 1 - np.arange(begin, end))
        return np.asarray(np.maximum(from_edge, 0).astype(np.float32) / np.float32(EDGE_FADE_SAMPLES))


def bus_block(arrangement: Arrangement, bus: Bus, first: int, last: int) -> Block:
    """Return one stretch of one bus; for many, keep a `BusReader`."""
    return BusReader(arrangement, bus).block(first, last)


def spans(length: int, size: int = BLOCK_SAMPLES) -> Iterator[tuple[int, int]]:
    """Yield [first, last) of blocks that cover `length` samples."""
    for first in range(0, length, size):
        yield first, min(length, first + size)


def _end(item: Placement) -> int:
    """Return where a placement's own sound ends, with what its filters let ring."""
    return item.first_sample + item.audio.length + _reach(item)


def _reach(item: Placement) -> int:
    """Return how many samples before a sample its filters look at."""
    under_water = any(space.room == "under_water" for space in item.spaces)
    return (far_filter(item.air_m).history if item.air_m else 0) + (under_water_filter().history if under_water else 0)


def ring_samples(item: Placement) -> int:
    """Return how long a placement rings on after its take has ended, in its filters and in its rooms."""
    rooms = [_spectrum(space.room)[1] for space in item.spaces if space.room in ROOMS]
    return _reach(item) + max(rooms, default=0)


def _answer(room: Room, before: Block | None, now: Block | None) -> Block:
    """Return what a room answers during one chunk: its own sound and the chunk's before, laid on its response."""
    from scipy.fft import irfft, rfft

    size, length, spectrum = _spectrum(room)
    heard = np.zeros((1, length - 1 + CHUNK_SAMPLES), np.float32)
    if before is not None:
        heard[:, : length - 1] = before[:, CHUNK_SAMPLES - (length - 1) :]
    if now is not None:
        heard[:, length - 1 :] = now
    answer = irfft(rfft(heard, size) * spectrum, size)[:, length - 1 : length - 1 + CHUNK_SAMPLES]
    if before is None:  # a transform's rounding lies before the sound too
        answer[:, : int((heard[0, length - 1 :] != 0.0).argmax())] = 0.0
    return np.asarray(answer)


@cache
def _spectrum(room: Room) -> tuple[int, int, npt.NDArray[np.complex64]]:
    """Return the size of the transform, the length of a room's response, and its spectrum, shape (2, frequencies)."""
    from scipy.fft import next_fast_len, rfft

    answer = response(room)
    size = next_fast_len(CHUNK_SAMPLES + answer.shape[1] - 1, real=True)
    return size, answer.shape[1], np.asarray(rfft(answer, size))
