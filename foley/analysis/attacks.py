"""Where the clip's own sound has clear attacks: bangs, knocks, steps, whatever begins at an instant."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from foley.dsp.onsets import VALLEY_S, Attack, attacks
from foley.model import Audio, Span

RATE_HZ = 48_000
"""Rate of the sound that is taken in."""

_BEFORE_S = VALLEY_S + 0.1
"""Sound that is looked at again with each part: an attack's valley may lie so far before it."""

_AFTER_S = 0.2
"""Sound after each part: where an attack that begins at its end is at its peak."""

_CLEAR = 3.0
"""An attack rises 10 dB out of its valley: steady rain, motors and water stay under that all but once a minute."""

_SHARE = 0.2
"""It rises at least to 14 dB under the strongest near it: what is weaker is its echo or its noise."""

_NEAR_S = 5.0
_FAINTEST = 2e-3
"""-54 dBFS: below that lies the noise of rooms and recorders."""

_GAP_S = 0.05
"""Two attacks nearer than this are heard as one."""


class AttackFinder:
    """Finds attacks in sound that comes in blocks; holds the last block and two numbers for each attack."""

    def __init__(self) -> None:
        """Begin a stream."""
        self._waiting: npt.NDArray[np.float32] = np.zeros(0, np.float32)
        self._start = 0
        """Sample of the stream at which `_waiting` begins."""
        self._done = 0
        """Sample of the stream up to which attacks are known."""
        self._found: list[tuple[float, float]] = []
        """Time and rise."""

    def add(self, block: npt.NDArray[np.float32]) -> None:
        """Take in the next samples, one channel at 48 kHz."""
        self._waiting = np.concatenate([self._waiting, block])
        last = self._start + len(self._waiting) - int(_AFTER_S * RATE_HZ)
        if last > self._done:
            self._look(last)

    def times_s(self, *, outside: Sequence[Span] = ()) -> npt.NDArray[np.float64]:
        """Return when clear attacks begin that lie in none of the spans, rising; the stream is over."""
        if self._start + len(self._waiting) > self._done:
            self._look(self._start + len(self._waiting))
        if not self._found:
            return np.zeros(0)
        times, rises = np.array(self._found).T
        kept = rises >= np.maximum(_FAINTEST, _SHARE * _strongest_near(times, rises))
        for span in outside:
            kept &= (times < span.start_s) | (times >= span.end_s)
        return _apart(times[kept])

    def _look(self, last: int) -> None:
        """Look at what is new up to a sample. What was before the first is not known, so nothing begins there."""
        start_s = self._start / RATE_HZ
        for attack in attacks(Audio(self._waiting[None], RATE_HZ), silent_before=False):
            if self._done <= round((start_s + attack.time_s) * RATE_HZ) < last and _is_clear(attack):
                self._found.append((start_s + attack.time_s, attack.rise))
        kept = max(0, last - int(_BEFORE_S * RATE_HZ) - self._start)
        self._waiting, self._start, self._done = self._waiting[kept:], self._start + kept, last


def _is_clear(attack: Attack) -> bool:
    return attack.contrast >= _CLEAR and attack.rise >= _FAINTEST


def _strongest_near(times: npt.NDArray[np.float64], rises: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Return for each attack the strongest rise within some seconds of it."""
    first, last = np.searchsorted(times, times - _NEAR_S), np.searchsorted(times, times + _NEAR_S, side="right")
    return np.array([rises[a:b].max() for a, b in zip(first, last, strict=True)])


def _apart(times: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Return the times, of those that are heard as one the first."""
    kept: list[float] = []
    for time_s in times.tolist():
        if not kept or time_s - kept[-1] >= _GAP_S:
            kept.append(time_s)
    return np.array(kept)
