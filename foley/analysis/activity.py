"""How loud a sound is over time, and where a dialogue track speaks: by its level alone, as nothing else is on it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np
import numpy.typing as npt

from foley.media import sound
from foley.media.sound import Block
from foley.model import AudioFile, Span
from foley.units import RATE_HZ, SILENCE_DB

Levels = npt.NDArray[np.float32]
"""RMS in dBFS for every 10 ms, shape (n,)."""

STEP_S = 0.01
STEP = int(RATE_HZ * STEP_S)
BLOCK_SAMPLES = 10 * RATE_HZ

LOUD_PERCENTILE = 95.0
UNDER_LOUD_DB = 30.0
"""Speech keeps within so much of its own loud syllables; what lies lower is breath, or what a separator left."""
FAINTEST_DB = -55.0
"""Under it nobody is understood."""
AUDIBLE_DB = -70.0
"""What lies under it does not count among a track's levels: silence would pull its loud level down."""

BREATH_S = 0.3
"""Shorter pauses do not end a stretch of speech: separators work in windows, and what they take they take there too."""
AROUND_S = 0.08
"""Added on both sides: consonants at the ends are fainter than their vowels."""
SHORTEST_S = 0.1


def levels_db(file: AudioFile) -> Levels:
    """Return the level of a file at 48 kHz, all channels together; a last step that is not full counts as such."""
    return levels_of(blocks(file))


def levels_of(parts: Iterable[Block]) -> Levels:
    """Return the level of blocks of sound; all but the last in whole steps."""
    powers = [np.zeros(0)]
    for block in parts:
        short = -block.shape[1] % STEP
        squares = np.square(np.pad(block, ((0, 0), (0, short))), dtype=np.float64)
        powers.append(squares.reshape(len(block), -1, STEP).mean(axis=(0, 2)))
    return in_db(np.concatenate(powers))


def in_db(power: npt.NDArray[np.float64]) -> Levels:
    """Return mean squares as levels."""
    return np.asarray(10.0 * np.log10(np.maximum(power, 10.0 ** (SILENCE_DB / 10.0))), np.float32)


def blocks(file: AudioFile) -> Iterator[Block]:
    """Yield a file in blocks."""
    for first in range(0, file.length, BLOCK_SAMPLES):
        yield sound.read(file, first, min(file.length, first + BLOCK_SAMPLES))


def speaking(level_db: Levels) -> tuple[Span, ...]:
    """Return where a track that holds nothing but speech sounds, in order."""
    audible = level_db[level_db > AUDIBLE_DB]
    if not len(audible):
        return ()
    threshold_db = max(FAINTEST_DB, float(np.percentile(audible, LOUD_PERCENTILE)) - UNDER_LOUD_DB)
    found = [span for span in runs(level_db > threshold_db, join_s=BREATH_S) if span.end_s - span.start_s >= SHORTEST_S]
    end_s = len(level_db) * STEP_S
    return tuple(Span(max(0.0, span.start_s - AROUND_S), min(end_s, span.end_s + AROUND_S)) for span in found)


def runs(marked: npt.NDArray[np.bool_], *, join_s: float) -> list[Span]:
    """Return the stretches of marked steps, those apart by no more than `join_s` as one."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], marked, [False]]).astype(np.int8))).reshape(-1, 2)
    joined: list[list[int]] = []
    for first, last in edges.tolist():
        if joined and (first - joined[-1][1]) * STEP_S <= join_s + 1e-9:
            joined[-1][1] = last
        else:
            joined.append([first, last])
    return [Span(first * STEP_S, last * STEP_S) for first, last in joined]


def mask(spans: Iterable[Span], steps: int) -> npt.NDArray[np.bool_]:
    """Return which steps lie in any of the spans, shape (steps,)."""
    inside = np.zeros(steps, bool)
    for span in spans:
        inside[max(0, int(np.floor(span.start_s / STEP_S))) : max(0, int(np.ceil(span.end_s / STEP_S)))] = True
    return inside
