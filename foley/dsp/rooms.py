"""How rooms answer a sound: short synthetic responses for both sides, made of first reflections and a dying tail.

The reflections are those of a box with a source and a listener in it (J. Allen, D. Berkley, "Image method for
efficiently simulating small-room acoustics", JASA 65(4), 1979); once they are too many to tell apart, after about the
square root of the volume in milliseconds (J.-D. Polack, "Playing billiards in the concert hall", Applied Acoustics 38,
1993), noise follows that dies away in every band in its own time (J. Moorer, "About this reverberation business",
Computer Music Journal 3(2), 1979), different on both sides. The tail takes over the energy that the reflections have
reached. The direct sound is not in it: that stays where it is, untouched.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from types import MappingProxyType

import numpy as np
import numpy.typing as npt

from foley.dsp.filters import FRAME_SAMPLES, Cascade, Fir, high_pass, minimum_phase
from foley.model import Room
from foley.units import RATE_HZ, to_samples

Block = npt.NDArray[np.float32]
"""Shape (2, samples)."""
Values = npt.NDArray[np.float64]

SOUND_M_S = 343.0
"""At 20 C."""
ANCHORS_HZ = (125.0, 1000.0, 8000.0)
"""Where a design's figures hold; between them they run straight over octaves."""
_EDGES_HZ = (0.0, 250.0, 500.0, 1000.0, 2000.0, 4000.0, 8000.0, math.inf)
"""Of the tail's bands: octaves, as rooms are measured in."""
FIRST_S = 0.005
"""What comes back sooner melts into the sound and colours it like a comb; takes hold their floor already."""
RUMBLE_HZ = 100.0
"""A room's answer is cut below, as mixers do: mirror images all have one sign and pile up near 0 Hz."""
_DIRECT_M = 2.0
"""From source to listener; the level of a design holds there."""
_EARS_M, _SOURCE_M = 1.5, 1.1
"""Their heights."""
_WALL_TAPS = 128
_MIXED_S = 0.001
"""Times the square root of the volume in cubic metres: when single reflections end."""
_GIVES_WAY = 0.7
"""Of the time in which reflections are followed: over it they fade, so that the tail takes over without a step."""
_DECAY = 3.0 * math.log(10.0)
"""Energy falls by 60 dB, a factor of 10^6, in RT60: amplitude by exp(-3 ln(10) t / RT60)."""
_SEED = 1979
_FADE_S = 0.02


@dataclass(frozen=True, slots=True)
class RoomDesign:
    """What a room is like."""

    size_m: tuple[float, float, float]
    """Length, width, height of the box."""
    rt60_s: tuple[float, float, float]
    """Time in which the tail falls by 60 dB, at 125 Hz, 1 kHz and 8 kHz."""
    level_db: float
    """Energy of the whole answer against the direct sound, two metres from the source."""
    early_s: float
    """How long single reflections are followed."""
    source: str
    ceiling: bool = True
    """Whether there is one; in the open there is neither that nor a floor that answers."""
    diffuse_s: float = 0.0
    """How far a rough surface spreads a reflection in time."""


ROOMS: Mapping[Room, RoomDesign] = MappingProxyType(
    {
        "small_interior": RoomDesign(
            size_m=(5.2, 4.1, 2.6),
            rt60_s=(0.5, 0.4, 0.32),
            level_db=-13.0,
            early_s=0.05,
            source="a furnished living room: 0.3 to 0.6 s, 0.4 s on average (listening room of IEC 60268-13)",
        ),
        "large_interior": RoomDesign(
            size_m=(31.0, 19.0, 9.0),
            rt60_s=(2.0, 1.7, 0.9),
            level_db=-12.0,
            early_s=0.12,
            source="a station hall or church of 5300 m3: Sabine's law with a mean absorption of 0.24",
        ),
        "exterior": RoomDesign(
            size_m=(46.0, 27.0, 9.0),
            rt60_s=(0.7, 0.6, 0.4),
            level_db=-24.0,
            early_s=0.2,
            source="house fronts or trees 10 to 25 m away, the sky above: no room, a faint answer after 50 ms",
            ceiling=False,
            diffuse_s=0.012,
        ),
    }
)
"""The rooms that answer. The levels are those of film mixes, 6 to 10 dB under what theory gives at two metres: the
ear forgives a dry sound sooner than a blurred one. Under water and nowhere there is no answer."""

UNDER_WATER_HZ = 700.0
"""A submerged ear hears by the bones and loses the highs: films cut them from here on, by 12 dB an octave."""
_WATER_DB_PER_OCTAVE = 12.0
_WATER_TAPS = 384


@cache
def under_water_filter() -> Fir:
    """Return the low-pass of a scene under water, of minimum phase."""
    frequency_hz = np.linspace(1.0, RATE_HZ / 2, 1025)
    order = _WATER_DB_PER_OCTAVE / (20.0 * math.log10(2.0))
    taps = minimum_phase(-10.0 * np.log10(1.0 + (frequency_hz / UNDER_WATER_HZ) ** (2.0 * order)), _WATER_TAPS)
    return Fir(taps / taps.sum())


@cache
def response(room: Room) -> Block:
    """Return a room's answer to one click, shape (2, samples), its level as `level_db` says.

    It begins when the first reflection comes: the gap between the direct sound and it is the room's pre-delay.
    """
    design = ROOMS[room]
    length = to_samples(max(design.rt60_s), RATE_HZ) // FRAME_SAMPLES * FRAME_SAMPLES
    mixed = to_samples(_MIXED_S * math.sqrt(math.prod(design.size_m)), RATE_HZ)
    early = np.zeros((2, length))
    reflections = _reflections(design)
    early[:, : reflections.shape[1]] = reflections
    whole = early + _tail(design, length, mixed=mixed, early=early)
    whole[:, : to_samples(FIRST_S, RATE_HZ)] = 0.0  # of the transforms' rounding
    fade = to_samples(_FADE_S, RATE_HZ)
    whole[:, length - fade :] *= np.linspace(1.0, 0.0, fade)
    cut, _ = Cascade((high_pass(RUMBLE_HZ, RATE_HZ),)).filtered(whole.astype(np.float32), None)
    # both sides alike, so that the room does not pull to one
    energy = np.square(cut).sum(axis=1, keepdims=True)
    return np.asarray(cut * np.sqrt(10 ** (design.level_db / 10) / energy), np.float32)


def _reflections(design: RoomDesign) -> Values:
    """Return the first reflections, each bent to the side that it comes from and dulled by its walls."""
    rng, length = np.random.default_rng(_SEED), to_samples(design.early_s, RATE_HZ)
    spread = to_samples(design.diffuse_s, RATE_HZ)
    trains: dict[int, Values] = {}
    for at, order, sides in _arrivals(design, length):
        train = trains.setdefault(order, np.zeros((2, length + spread + 1)))
        burst = rng.standard_normal((2, spread + 1)) * np.exp(-4.0 * np.arange(spread + 1) / (spread + 1))
        # a smooth wall answers with one click of its own sign, a rough one with many
        shape = burst if spread else np.ones((2, 1))
        train[:, at : at + spread + 1] += sides[:, None] * shape / np.sqrt(np.square(shape).sum(axis=1, keepdims=True))
    whole = sum(_dulled(train, design, order) for order, train in sorted(trains.items()))
    left = 1.0 - np.arange(length + spread + 1) / (length + spread + 1)
    return np.asarray(whole * np.minimum(1.0, left / _GIVES_WAY))


def _arrivals(design: RoomDesign, length: int) -> Iterator[tuple[int, int, Values]]:
    """Yield of every mirror image of the source when it is heard, how many walls it has met, and its two sides."""
    size = np.array(design.size_m)
    listener = np.array([0.5 * size[0], 0.36 * size[1], _EARS_M])
    source = listener + np.array([0.0, _DIRECT_M, _SOURCE_M - _EARS_M])
    farthest_m = design.early_s * SOUND_M_S + _DIRECT_M
    reach = np.ceil(farthest_m / size).astype(int) * (1, 1, design.ceiling)
    for steps in itertools.product(*(range(-most, most + 1) for most in reach)):
        order = sum(map(abs, steps))
        away = np.multiply(steps, size) + np.where(np.mod(steps, 2) == 0, source, size - source) - listener
        way_m = float(np.linalg.norm(away))
        at = to_samples((way_m - _DIRECT_M) / SOUND_M_S, RATE_HZ)
        if order and FIRST_S * RATE_HZ <= at < length:
            angle = (1.0 + float(away[0]) / way_m) * math.pi / 4
            yield at, order, math.sqrt(2.0) * _DIRECT_M / way_m * np.array([math.cos(angle), math.sin(angle)])


def _dulled(train: Values, design: RoomDesign, order: int) -> Values:
    """Return what so many walls leave of sounds."""
    from scipy.fft import irfft, next_fast_len, rfft

    wall = minimum_phase(order * _over_octaves(np.linspace(0.0, RATE_HZ / 2, 513), _wall_db(design)), _WALL_TAPS)
    size = next_fast_len(train.shape[1] + _WALL_TAPS, real=True)
    return np.asarray(irfft(rfft(train, size) * rfft(wall, size), size)[:, : train.shape[1]])


def _wall_db(design: RoomDesign) -> tuple[float, ...]:
    """Return what one reflection leaves at `ANCHORS_HZ`: sound meets a wall every 4 V / S metres on average.

    So many reflections a second, each with its loss, make 60 dB in RT60 (W. C. Sabine, C. F. Eyring).
    """
    length, width, height = design.size_m
    way_m = 2.0 * length * width * height / (length * width + width * height + height * length)
    return tuple(-60.0 / rt60_s * way_m / SOUND_M_S for rt60_s in design.rt60_s)


def _over_octaves(frequency_hz: Values, figures: Sequence[float]) -> Values:
    return np.asarray(np.interp(np.log2(np.maximum(frequency_hz, 1.0)), np.log2(ANCHORS_HZ), figures))


def _tail(design: RoomDesign, length: int, *, mixed: int, early: Values) -> Values:
    """Return noise that rises where the reflections become too many, and dies away from the level that they had."""
    from scipy.fft import irfft, rfft, rfftfreq

    t = np.arange(length) / RATE_HZ
    noise = rfft(np.random.default_rng(_SEED + 1).standard_normal((2, length)))
    frequency_hz = rfftfreq(length, 1 / RATE_HZ)
    noise *= 10 ** (_over_octaves(frequency_hz, _wall_db(design)) / 20)
    shape = np.zeros((2, length))
    for low_hz, high_hz in itertools.pairwise(_EDGES_HZ):
        middle_hz = math.sqrt(max(low_hz, 62.5) * min(high_hz, RATE_HZ / 2))
        rt60_s = float(_over_octaves(np.array(middle_hz), design.rt60_s))
        inside = (frequency_hz >= low_hz) & (frequency_hz < high_hz)
        shape += irfft(np.where(inside, noise, 0.0), length) * np.exp(-_DECAY * t / rt60_s)
    # single reflections and tail have the same energy over the time in which one turns into the other
    first = to_samples(FIRST_S, RATE_HZ)
    turning = slice(first, max(2 * mixed, 2 * first))
    level = math.sqrt(float(np.square(early[:, turning]).sum()) / float(np.square(shape[:, turning]).sum()))
    begin = max(mixed / 2, first)
    rise = np.clip((t * RATE_HZ - begin) / (mixed / 2), 0.0, 1.0)
    return np.asarray(level * shape * np.sin(rise * math.pi / 2))
