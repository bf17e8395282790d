"""Where an event sounds: the room of its time, how much of it, and where a moving source is."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import cache

import numpy as np
import numpy.typing as npt

from foley.model import Bus, PanPoint, SoundEvent, Space
from foley.units import RATE_HZ, to_gain

Curve = npt.NDArray[np.float32]
"""A figure for every sample of a stretch, or for both sides of every sample: shape (samples,) or (2, samples)."""

DRY_BUSES: frozenset[Bus] = frozenset({"backgrounds", "music"})
"""What is recorded, made or composed with its room in it: it sends nothing unless its event names a room."""
BORDER_S = 0.05
"""Over which a sound goes from one room to the next: short against a cut's flash, long enough not to click."""
USUAL_M = 2.0
"""The distance that the rooms' levels are for."""
MOST_ROOM_DB = 12.0
"""A room's answer stays within this of its level, near as far: beyond, close sounds lose all room, far ones drown."""
SMOOTH_MS = 40
"""Corners of a path are rounded over this: the ear follows no faster turn (binaural sluggishness, D. Grantham and
F. Wightman, JASA 63(2), 1978, finds 50 ms and more)."""
_MS_SAMPLES = RATE_HZ // 1000


def spaces_of(event: SoundEvent, spaces: Sequence[Space], *, end_s: float) -> tuple[Space, ...]:
    """Return the rooms that answer an event, by start, without their reasons."""
    if event.room == "none" or (event.room == "auto" and event.bus in DRY_BUSES):
        return ()
    if event.room != "auto":
        return (Space(0.0, end_s, event.room, ""),)
    return tuple(Space(space.start_s, space.end_s, space.room, "") for space in spaces if space.room != "none")


def room_gain(distance_m: float) -> float:
    """Return how much more a room answers, against the direct sound, than at `USUAL_M`.

    In a room the answer is everywhere about as loud, and the direct sound falls as 1/r: their ratio grows as r.

    >>> [round(room_gain(metres), 2) for metres in (1.0, 2.0, 4.0, 100.0)]
    [0.5, 1.0, 2.0, 3.98]
    """
    most = to_gain(MOST_ROOM_DB)
    return min(max(distance_m / USUAL_M, 1.0 / most), most)


def share_in(space: Space, first: int, last: int, *, length: int) -> Curve | None:
    """Return how much of a sound is in a space over [first, last), 0 to 1; None where nothing is.

    The shares of spaces that touch add to 1. At the ends of the clip there is no border to cross.
    """
    half = BORDER_S / 2 * RATE_HZ
    begin, end = space.start_s * RATE_HZ, space.end_s * RATE_HZ
    if last <= begin - half or first >= end + half:
        return None
    at = np.arange(first, last)
    rising = np.ones(last - first) if begin < 1.0 else np.clip((at - begin) / (2 * half) + 0.5, 0.0, 1.0)
    falling = np.ones(last - first) if end > length - 1 else np.clip((end - at) / (2 * half) + 0.5, 0.0, 1.0)
    # a space shorter than a border never gets whole
    return np.asarray(np.maximum(rising + falling - 1.0, 0.0), np.float32)


def sides(pan: float, *, channels: int) -> tuple[float, float]:
    """Return the factors of the left and the right side for a pan of -1 to 1.

    A mono take moves under the equal-power law, left = sqrt(2) cos(a), right = sqrt(2) sin(a), a = (pan + 1) pi / 4:
    the power of both sides together is the same everywhere. The law is scaled to 1 in the middle, so that an event's
    `level_db` is what a centred take has in each channel, and a stereo take of the same level is as loud. A stereo
    take is balanced: the far side fades by the same law, the near side stays.

    >>> [round(side, 3) for side in sides(0.0, channels=1)], [round(side, 3) for side in sides(1.0, channels=1)]
    ([1.0, 1.0], [0.0, 1.414])
    >>> [round(side, 3) for side in sides(1.0, channels=2)]
    [0.0, 1.0]
    """
    angle = (min(max(pan, -1.0), 1.0) + 1.0) * math.pi / 4.0
    left, right = math.sqrt(2.0) * math.cos(angle), math.sqrt(2.0) * math.sin(angle)
    return (left, right) if channels == 1 else (min(1.0, left), min(1.0, right))


def moving_sides(path: Sequence[PanPoint], first: int, last: int, *, channels: int) -> Curve:
    """Return the factors of both sides along a path, shape (2, last - first), under the law of `sides`.

    The path is taken at every millisecond, its corners rounded; between two milliseconds the factors run straight.
    """
    first_ms, last_ms = first // _MS_SAMPLES, -(-last // _MS_SAMPLES) + 1
    half = SMOOTH_MS // 2
    at_s = np.arange(first_ms - half, last_ms + half + 1) / 1000.0
    straight = np.interp(at_s, [point.time_s for point in path], [point.pan for point in path])
    pan = np.convolve(straight, _rounding(), mode="valid")[: last_ms - first_ms + 1]
    angle = (np.clip(pan, -1.0, 1.0) + 1.0) * (math.pi / 4.0)
    factors = math.sqrt(2.0) * np.stack([np.cos(angle), np.sin(angle)])
    if channels != 1:
        factors = np.minimum(factors, 1.0)
    at = (np.arange(first, last) - first_ms * _MS_SAMPLES) / _MS_SAMPLES
    points = np.arange(factors.shape[1])
    return np.stack([np.interp(at, points, side) for side in factors]).astype(np.float32)


@cache
def _rounding() -> npt.NDArray[np.float64]:
    window = np.hanning(SMOOTH_MS + 3)[1:-1]
    return np.asarray(window / window.sum())
