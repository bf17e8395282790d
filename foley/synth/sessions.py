"""Sessions: where, and with what, a sound was recorded. Takes of one session share a colour, sessions do not.

Computed takes lie in the middle of what recordings of a thing span, and much nearer to each other than recordings of
two sessions do: those differ by 5 to 10 dB in most bands, by microphone, distance, room and all that was done since.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from foley.synth.excitation import HIGHEST_HZ, Section, Signal, butterworth, filtered, shelf
from foley.units import RATE_HZ

TILT_HZ = 1000.0
"""Around which a session's sound is bright or dark: the middle of hearing, on a scale of octaves."""

PEAKS_HZ = ((150.0, 1000.0), (1000.0, 6000.0))
"""Between which a room, a case or a microphone stands out once each."""

PEAK_QUALITY = 1.0
"""An octave and a half wide: what a small room's modes, or a cardioid's presence, add up to."""


@dataclass(frozen=True, slots=True)
class Session:
    """How far the sessions in which something is recorded differ; spreads are those of a normal distribution."""

    low_hz: float
    """Where bass is cut, in the median: by the microphone, a filter against handling noise, or a small loudspeaker."""
    low_spread: float
    """Of the cut, in nepers."""
    high_hz: float
    """Where treble is lost, in the median: on the way, by a microphone's back, or on tape."""
    high_spread: float
    tilt_db: float = 4.0
    """Spread of treble re bass."""
    peak_db: float = 4.0
    """Spread of two broad peaks or dips."""

    def recorded(self, chance: np.random.Generator, sound: Signal, *way: Section) -> Signal:
        """Return the sound as one session has it.

        In a pass of its own: with more low corners, one filter of them all would be too coarse in its numbers.

        Args:
            chance: Of the session: equal chance makes an equal colour.
            sound: As it was made.
            way: What it goes through on its way to the session, in the same pass.
        """
        return filtered(sound, *way, *self._colour(chance))

    def _colour(self, chance: np.random.Generator) -> tuple[Section, ...]:
        low_hz = self.low_hz * math.exp(chance.normal(0.0, self.low_spread))
        high_hz = self.high_hz * math.exp(chance.normal(0.0, self.high_spread))
        tilt = 10.0 ** (chance.normal(0.0, self.tilt_db) / 20.0)
        peaks = [
            _peak(math.exp(chance.uniform(math.log(low), math.log(high))), chance.normal(0.0, self.peak_db))
            for low, high in PEAKS_HZ
        ]
        ends = butterworth(low_hz, 1, high=True), butterworth(min(high_hz, HIGHEST_HZ), 1, high=False)
        return (*ends, shelf(tilt, TILT_HZ), *peaks)


def loudness(chance: np.random.Generator, spread_db: float) -> float:
    """Return a random gain around 1."""
    return float(10.0 ** (chance.normal(0.0, spread_db) / 20.0))


def _peak(centre_hz: float, gain_db: float) -> Section:
    """Return a broad peak or dip; one undoes the other.

    The bilinear transform of (s^2 + s sqrt(g) / Q + 1) / (s^2 + s / (sqrt(g) Q) + 1).
    """
    turn = 2.0 * math.pi * centre_hz / RATE_HZ
    root = 10.0 ** (gain_db / 40.0)
    width = math.sin(turn) / (2.0 * PEAK_QUALITY)
    norm = 1.0 + width / root
    middle = -2.0 * math.cos(turn) / norm
    b = [(1.0 + width * root) / norm, middle, (1.0 - width * root) / norm]
    return b, [1.0, middle, (1.0 - width / root) / norm]
