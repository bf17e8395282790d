"""Find where somebody speaks in sound that comes in blocks, with the network of silero-vad."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from foley.analysis.speech import RATE_HZ as RAW_RATE_HZ
from foley.analysis.speech import Thinner
from foley.model import Span
from foley.neural.speech_model import PAST, RATE_HZ, WINDOW, WINDOW_S, network, silence, windows_of

Array = npt.NDArray[np.float32]

_HIGHEST_KEPT_HZ = 7200.0
"""What is above folds back under 8 kHz; the filter is 24 dB down there."""

_SURE = 0.5
"""From this likelihood on somebody speaks: the network's own working point."""

_UNSURE = 0.35
"""Below this the speech is over: lower than where it begins, so that a weak syllable does not end it."""

_SHORTEST_S = 0.25
"""Shorter stretches are no words but noises like them."""

_BREATH_S = 0.5
"""Shorter pauses do not end a stretch: effects are not to rise and fall between words."""

_AROUND_S = 0.06
"""Added on both sides: the consonants at the ends are fainter than the vowels that are recognised."""


class SpokenByModel:
    """Finds speech in sound that comes in blocks; holds one number for every 32 ms."""

    def __init__(self) -> None:
        """Begin a stream; `missing` must be empty."""
        self._network = network()
        self._thinner = Thinner(RAW_RATE_HZ // RATE_HZ, _HIGHEST_KEPT_HZ)
        self._waiting: Array = np.zeros(PAST, np.float32)
        self._state = silence()
        self._likely: list[Array] = []

    def add(self, block: Array) -> None:
        """Take in the next samples, one channel at 48 kHz."""
        waiting = np.concatenate([self._waiting, self._thinner.add(block)])
        count = (len(waiting) - PAST) // WINDOW
        if count:
            likely, self._state = self._network.likelihoods(windows_of(waiting, count), self._state)
            self._likely.append(likely)
        self._waiting = waiting[count * WINDOW :]

    def likelihoods(self) -> Array:
        """Return how likely somebody speaks in each window so far, 0 to 1, shape (windows,)."""
        return np.concatenate(self._likely) if self._likely else np.zeros(0, np.float32)

    def spans(self) -> tuple[Span, ...]:
        """Return where somebody speaks, in order; a last window that is not full is left out."""
        return spans_of(self.likelihoods())


def spans_of(likely: Array) -> tuple[Span, ...]:
    """Return the stretches in which likelihoods, one for each window, rise over one bound and stay over a lower one."""
    found: list[tuple[int, int]] = []
    first: int | None = None
    for number, value in enumerate([*likely.tolist(), 0.0]):
        if first is None and value >= _SURE:
            first = number
        elif first is not None and value < _UNSURE:
            found.append((first, number))
            first = None
    spans: list[Span] = []
    for first, last in _without_breaths(found):
        if (last - first) * WINDOW_S >= _SHORTEST_S:
            end_s = min(len(likely) * WINDOW_S, last * WINDOW_S + _AROUND_S)
            spans.append(Span(max(0.0, first * WINDOW_S - _AROUND_S), end_s))
    return tuple(spans)


def _without_breaths(stretches: list[tuple[int, int]]) -> list[tuple[int, int]]:
    joined: list[tuple[int, int]] = []
    for first, last in stretches:
        if joined and (first - joined[-1][1]) * WINDOW_S < _BREATH_S:
            joined[-1] = (joined[-1][0], last)
        else:
            joined.append((first, last))
    return joined
