"""How a blow lands, and what else answers it: things lean as they meet, stand on something, and are struck somewhere.

Computed blows meet all at once and die away in one slope. Recorded ones of every kind do neither: as often as not an
edge touches a few milliseconds before the whole weight bears; and after a fall that is steeper than a single thing's
they end in a faint tail, 30 to 40 dB under the blow, that hardly falls for a third of a second: a live room, and what
stands in it. Their days differ, too: by a microphone's place, by what the thing stands on.

Figures are fitted to recordings of struck things; those of several sources, where they agree.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from foley.synth.chain import delayed, mixed, recorded_hit
from foley.synth.excitation import (
    Signal,
    butterworth,
    contact_time_s,
    decay,
    filtered,
    length_samples,
    low_passed,
    shelf,
)
from foley.synth.finish import character
from foley.synth.recipe import Mono
from foley.units import RATE_HZ


@dataclass(frozen=True, slots=True)
class Landing:
    """How things of a kind land, and where; each of them, and each day's takes, a little differently."""

    leans: float = 0.4
    """Share of the things of which an edge touches first."""
    late_s: tuple[float, float] = (0.0015, 0.0045)
    """When the whole weight bears, after the edge: recorded up to 14 ms, but a blow so late is off."""
    edge: tuple[float, float] = (0.35, 0.9)
    """How strong its touch is, re the blow."""
    treble_db: float = 0.0
    """Of what lies above `TREBLE_HZ`."""
    treble_spread_db: float = 4.0
    """How far that differs between things and days."""
    cut_hz: float = 110.0
    """Under which what it stands on does not answer."""
    wet: float = 0.35
    """Strength of the first reflections."""
    tail_db: float | None = -38.0
    """RMS of the tail re the peak of the blow; None where there is none."""
    tail_spread_db: float = 5.0
    """How far that differs: rooms, and distances."""
    tail_hz: tuple[float, float] = (200.0, 9000.0)
    """Between which the thing excites the room."""


YIELDING = Landing(
    late_s=(0.003, 0.008),
    leans=0.75,
    edge=(0.2, 0.55),
    treble_db=-2.0,
    treble_spread_db=6.0,
    cut_hz=130.0,
    tail_db=-31.0,
    tail_hz=(1200.0, 9000.0),
)
"""Cloth and skin are touched before what is under them pushes back."""

TREBLE_HZ = 900.0
"""Where a microphone's place begins to show: half a metre aside, a thing shades what is shorter than itself."""

FURTHEST = 1.6
"""Standard deviations beyond which no day differs: variants must stay things of their kind."""

EDGE_HZ, EDGE_T60_S = 6000.0, 0.04
"""An edge's touch is light, and over before the weight comes."""

TAIL_S = (0.5, 1.1)
"""T60 of rooms in which things are struck: small and bare, or full of people's belongings."""

TAIL_RISE_S = 0.02
"""Until the echoes are too dense to be told."""


def landed_hit(
    rng: np.random.Generator,
    chance: np.random.Generator,
    sound: Signal,
    strength: float,
    *,
    landing: Landing,
    ring_s: float,
    hardness: float = 1.0,
) -> Mono:
    """Return a blow as it lands and is recorded.

    Args:
        rng: Makes this take differ from the others.
        chance: Makes this thing's takes alike: `finish.character`.
        sound: The blow itself, peak about 1.
        strength: 0 to 1.
        landing: How things of its kind land.
        ring_s: Longest sound.
        hardness: Of what struck it, as for `contact_time_s`: what a soft tip does not excite does not come back.
    """

    def differs(spread: float) -> float:
        return spread * float(np.clip(chance.standard_normal(), -FURTHEST, FURTHEST))

    treble = shelf(10.0 ** ((landing.treble_db + differs(landing.treble_spread_db)) / 20.0), TREBLE_HZ)
    cut = butterworth(landing.cut_hz * float(np.exp(differs(0.3))), 2, high=True)
    wet = landing.wet * float(np.exp(differs(0.5)))
    louder_db, tail_s = differs(landing.tail_spread_db), float(chance.uniform(*TAIL_S))
    edge = float(chance.uniform(*landing.edge)) if chance.random() < landing.leans else 0.0
    if edge > 0.0:
        sound = _edge_first(rng, sound, edge, late_s=rng.uniform(*landing.late_s))
    if landing.tail_db is not None:
        low_hz, high_hz = landing.tail_hz
        tail = _tail(rng, tail_s, low_hz, high_hz / contact_time_s(1.0, hardness, 1.0))
        sound = mixed(sound, 10.0 ** ((landing.tail_db + louder_db) / 20.0) * tail)
    return recorded_hit(rng, sound, strength, ring_s=ring_s, wet=wet, colour=(treble, cut))


def _edge_first(rng: np.random.Generator, blow: Signal, level: float, *, late_s: float) -> Signal:
    touch = low_passed(blow[: length_samples(EDGE_T60_S)], EDGE_HZ, 1)
    return mixed(level * touch * decay(len(touch), EDGE_T60_S), delayed(blow, late_s))


TAIL_LASTS_S = 0.45
"""What is longer costs a longer transform for what nobody hears under the mix's own room."""

STORE_SAMPLES = 1 << 18
"""Of a tail's noise, 5.5 s: a take's begins anywhere in it; drawing it anew costs a hundred times as much."""


def _tail(rng: np.random.Generator, t60_s: float, low_hz: float, high_hz: float) -> Signal:
    """Return what a live room keeps of a blow: noise as even over the octaves as things radiate; RMS 1 before it falls.

    It fades before half a second is over: what is left then is the mix's to make.
    """
    length = length_samples(min(0.8 * t60_s, TAIL_LASTS_S))
    first = int(rng.integers(STORE_SAMPLES - length))
    tail = _stored_tail(low_hz, high_hz)[first : first + length] * decay(length, t60_s)
    rise = length_samples(TAIL_RISE_S)
    tail[:rise] *= np.linspace(0.0, 1.0, rise)
    fade = length // 3
    tail[length - fade :] *= np.linspace(1.0, 0.0, fade)
    return tail


@lru_cache(maxsize=16)
def _stored_tail(low_hz: float, high_hz: float) -> Signal:
    """Return noise of the same level in every octave between two corners; RMS 1 if they were not."""
    noise = np.fft.rfft(character("tail", 0).standard_normal(STORE_SAMPLES))
    noise /= np.sqrt(np.maximum(np.fft.rfftfreq(STORE_SAMPLES, 1 / RATE_HZ), 100.0))
    even = np.fft.irfft(noise, STORE_SAMPLES)
    even /= np.sqrt(np.mean(even**2))
    return filtered(even, butterworth(low_hz, 1, high=True), butterworth(high_hz, 1, high=False))
