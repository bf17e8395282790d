"""How well sound lines up with what is seen: onsets of a track, matched with the true times, beside blind guesses.

A figure without its blind baselines says little: windows of 0.1 s around twenty events cover 40 % of ten seconds, and a
metronome that never saw the picture scores accordingly.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from statistics import median

import numpy as np
import numpy.typing as npt

from foley.evaluate import onsets
from foley.evaluate.truth import Truth

WINDOWS_S = (0.05, 0.10, 0.15)
"""What is asked of frame-exact work, what an eye forgives a close-up, and what is still taken for the same event."""

NEUTRAL_S = 0.05
"""An estimate so near to a doubtful onset, and to no other, is neither right nor wrong."""

START_S = 0.06
"""A file's first moments may click without a reason in the picture: unmatched estimates there do not count."""

DRAWS = 200
"""Blind guesses averaged: their mean is then known to a hundredth or two."""

DRAWN_TIMES = 200_000
"""Times drawn in all, at most: of many onsets fewer draws give as sure a mean."""

Times = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class SyncScore:
    """How estimated times meet true ones."""

    f_measure: float
    """Harmonic mean of the two below; 0 to 1."""
    precision: float
    """Share of the estimates that are true."""
    recall: float
    """Share of the true times that were found."""
    offsets_s: tuple[float, ...]
    """Estimate less truth for each pair, by time; positive where the sound is late."""


@dataclass(frozen=True, slots=True)
class BlindScore:
    """What estimates score that never saw the picture: F-measures, the first two means over many draws."""

    random: float
    """As many, strewn evenly over the length."""
    grid: float
    """As many, evenly spaced, begun anywhere."""
    metronome: float
    """So dense that every true time is met: one estimate in every two windows, from the first frame to the last."""


@dataclass(frozen=True, slots=True)
class Window:
    """The figures at one width."""

    window_s: float
    score: SyncScore
    blind: BlindScore
    ceiling: float
    """F-measure that the same detector reads where clicks lie exactly at the true times."""


@dataclass(frozen=True, slots=True)
class SyncReport:
    """How a track lines up with its truth."""

    windows: tuple[Window, ...]
    """From the narrowest."""
    reference_s: tuple[float, ...]
    """The true times that count."""
    estimated_s: tuple[float, ...]
    """Where sounds begin in the track."""
    pairs: tuple[tuple[float, float], ...]
    """True and estimated time of each pair of the widest window, by time."""
    offset_s: float | None
    """Median of estimate less truth over the pairs: positive where the sound is late; None where nothing was paired."""
    distance_s: float | None
    """Median of its absolute value."""
    duration_s: float
    """Of the track."""

    @property
    def outside_s(self) -> tuple[float, ...]:
        """Return the true times that nothing in the track could meet."""
        widest_s = WINDOWS_S[-1]
        return tuple(s for s in self.reference_s if not -widest_s <= s <= self.duration_s + widest_s)


def compare(
    truth: Truth, sound: Callable[[], Iterable[onsets.Samples]], *, against: bool = False, rng: np.random.Generator
) -> SyncReport:
    """Return how the onsets of a track meet the truth.

    Args:
        truth: What should be heard, and when.
        sound: Gives the track in blocks, each of shape (samples,), at `onsets.RATE_HZ`.
        against: The truth is another track's onsets: the start of the file counts too.
        rng: Draws the blind guesses and the clicks' noise.
    """
    counted = _Counter()
    estimated = onsets.onset_times_s(counted.through(sound()))
    length_s = counted.samples / onsets.RATE_HZ
    reference = np.asarray(truth.onsets_s, np.float64)
    neutral = np.asarray(truth.neutral_s, np.float64)
    start_s = 0.0 if against else START_S
    heard = onsets.onset_times_s(onsets.clicks(reference, counted.samples, rng))
    windows = []
    for window_s in WINDOWS_S:
        score = f_measure(reference, estimated, window_s=window_s, neutral_s=neutral, start_s=start_s)
        blind = blind_f_measure(
            reference,
            len(estimated),
            duration_s=length_s,
            window_s=window_s,
            rng=rng,
            neutral_s=neutral,
            start_s=start_s,
        )
        ceiling = f_measure(reference, heard, window_s=window_s).f_measure
        windows.append(Window(window_s, score, blind, ceiling))
    pairs = match(reference, estimated, window_s=WINDOWS_S[-1])
    offsets = [float(estimated[column] - reference[row]) for row, column in pairs]
    return SyncReport(
        windows=tuple(windows),
        reference_s=tuple(reference.tolist()),
        estimated_s=tuple(estimated.tolist()),
        pairs=tuple(sorted((float(reference[row]), float(estimated[column])) for row, column in pairs)),
        offset_s=median(offsets) if offsets else None,
        distance_s=median(map(abs, offsets)) if offsets else None,
        duration_s=length_s,
    )


class _Counter:
    """Counts samples as they pass."""

    def __init__(self) -> None:
        self.samples = 0

    def through(self, blocks: Iterable[onsets.Samples]) -> Iterable[onsets.Samples]:
        for block in blocks:
            self.samples += len(block)
            yield block


def match(
    reference_s: Sequence[float] | Times, estimated_s: Sequence[float] | Times, *, window_s: float
) -> list[tuple[int, int]]:
    """Return the pairs (place in reference, place in estimate), each used once: as many as can be, then as near.

    As many as in C. Raffel et al., "mir_eval: A transparent implementation of common MIR metrics", ISMIR 2014, which of
    several equally large matchings takes any; here it is the one with the smallest distances.
    """
    from scipy.sparse import csr_array
    from scipy.sparse.csgraph import min_weight_full_bipartite_matching

    reference, estimated = np.asarray(reference_s, np.float64), np.asarray(estimated_s, np.float64)
    if not len(reference) or not len(estimated):
        return []
    order = np.argsort(estimated, kind="stable")
    first = np.searchsorted(estimated[order], reference - window_s, side="left")
    last = np.searchsorted(estimated[order], reference + window_s, side="right")
    rows = np.repeat(np.arange(len(reference)), last - first)
    columns = order[np.concatenate([np.arange(low, high) for low, high in zip(first, last, strict=True)])]
    distance_s = np.abs(reference[rows] - estimated[columns])
    # each true time may stay alone, which is dearer than any set of pairs; weights of 0 would be no edges
    alone = np.arange(len(reference))
    dear = (2 + len(reference)) * max(window_s, 1e-3)
    weights = np.concatenate([distance_s + 1e-6, np.full(len(reference), dear)])
    places = (np.concatenate([rows, alone]), np.concatenate([columns, len(estimated) + alone]))
    graph = csr_array((weights, places), shape=(len(reference), len(estimated) + len(reference)))
    paired = zip(*min_weight_full_bipartite_matching(graph), strict=True)
    return [(int(row), int(column)) for row, column in paired if column < len(estimated)]


def f_measure(
    reference_s: Sequence[float] | Times,
    estimated_s: Sequence[float] | Times,
    *,
    window_s: float,
    neutral_s: Sequence[float] | Times = (),
    start_s: float = 0.0,
) -> SyncScore:
    """Return how the estimates meet the reference, each time paired once, at most `window_s` apart.

    Args:
        reference_s: The true times.
        estimated_s: Where sounds begin.
        window_s: Largest distance of a pair.
        neutral_s: Doubtful times: estimates within `NEUTRAL_S` of them that are in no pair do not count.
        start_s: Nor do those before this time.
    """
    reference, estimated = np.asarray(reference_s, np.float64), np.asarray(estimated_s, np.float64)
    pairs = match(reference, estimated, window_s=window_s)
    paired = np.zeros(len(estimated), bool)
    paired[[column for _, column in pairs]] = True
    counted = int((paired | _counts(estimated, neutral_s, start_s)).sum())
    offsets = sorted((float(reference[row]), float(estimated[column] - reference[row])) for row, column in pairs)
    return _score(len(pairs), len(reference), counted, tuple(offset for _, offset in offsets))


def blind_f_measure(
    reference_s: Sequence[float] | Times,
    count: int,
    *,
    duration_s: float,
    window_s: float,
    rng: np.random.Generator,
    neutral_s: Sequence[float] | Times = (),
    start_s: float = 0.0,
) -> BlindScore:
    """Return what estimates score that know nothing but how many they are and how long the clip is."""

    def f_of(guess: Times) -> float:
        paired = _paired_in_order(reference, guess, window_s)
        counted = int((paired | _counts(guess, neutral_s, start_s)).sum())
        return _score(int(paired.sum()), len(reference), counted, ()).f_measure

    reference = np.sort(np.asarray(reference_s, np.float64))
    metronome = f_of(np.arange(window_s, duration_s, 2 * window_s))
    if count == 0 or duration_s <= 0:
        return BlindScore(0.0, 0.0, metronome)
    draws = max(1, min(DRAWS, DRAWN_TIMES // count))
    strewn = [f_of(np.sort(rng.uniform(0, duration_s, count))) for _ in range(draws)]
    even = [f_of((np.arange(count) + rng.uniform()) * duration_s / count) for _ in range(draws)]
    return BlindScore(float(np.mean(strewn)), float(np.mean(even)), metronome)


def _paired_in_order(reference: Times, guess: Times, window_s: float) -> npt.NDArray[np.bool_]:
    """Return which guesses are in a pair: of rising times, each with the first that fits is as many as any matching."""
    paired = np.zeros(len(guess), np.bool_)
    times, place = guess.tolist(), 0
    for time_s in reference.tolist():
        while place < len(times) and times[place] < time_s - window_s:
            place += 1
        if place < len(times) and times[place] <= time_s + window_s:
            paired[place] = True
            place += 1
    return paired


def _counts(estimated: Times, neutral_s: Sequence[float] | Times, start_s: float) -> npt.NDArray[np.bool_]:
    """Return which estimates count though they are in no pair."""
    counts = estimated >= start_s
    neutral = np.sort(np.asarray(neutral_s, np.float64))
    if len(neutral) and len(estimated):
        after = np.searchsorted(neutral, estimated)
        nearest_s = np.minimum(
            np.abs(neutral[np.minimum(after, len(neutral) - 1)] - estimated),
            np.abs(neutral[np.maximum(after - 1, 0)] - estimated),
        )
        counts &= nearest_s > NEUTRAL_S
    return np.asarray(counts, np.bool_)


def _score(pairs: int, true: int, estimated: int, offsets_s: tuple[float, ...]) -> SyncScore:
    precision = pairs / estimated if estimated else 0.0
    recall = pairs / true if true else 0.0
    f = 2 * precision * recall / (precision + recall) if pairs else 0.0
    return SyncScore(f, precision, recall, offsets_s)
