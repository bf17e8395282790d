"""Fades, crossfades and overlap-add: joining sounds so that neither a click nor a dip is heard.

All crossfades here are of equal power: the gains are sine and cosine, so that sin^2 + cos^2 = 1 and two sounds that
know nothing of each other keep their common level all the way through.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator

import numpy as np
import numpy.typing as npt

Samples = npt.NDArray[np.float32]
"""Shape (channels, samples)."""

Piece = tuple[int, Samples]
"""Where its first sample lies in the whole, and the samples."""


def equal_power(length: int) -> npt.NDArray[np.float32]:
    """Return the gain of a fade-in, shape (length,): sin(pi/2 (i + 1/2) / length); read backwards it is the fade-out.

    The half keeps the curve symmetric: the squares of a fade and of its mirror image add to 1 at every sample.

    >>> fade = equal_power(480)
    >>> bool(np.allclose(fade**2 + fade[::-1] ** 2, 1.0))
    True
    """
    return np.sin(0.5 * math.pi * (np.arange(length) + 0.5) / max(length, 1)).astype(np.float32)


def edge_gain(first: int, last: int, *, length: int, fade_in: int, fade_out: int) -> npt.NDArray[np.float32]:
    """Return the gain of samples [first, last) of a sound that fades in at its start and out at its end.

    Args:
        first: First sample of the block.
        last: First sample after the block.
        length: Samples of the whole sound.
        fade_in: Samples of the fade at the start; 0 for none.
        fade_out: Samples of the fade at the end; 0 for none.
    """
    gain = np.ones(last - first, dtype=np.float32)
    if first < fade_in:
        rise = equal_power(fade_in)[first:last]
        gain[: rise.size] = rise
    fall_at = length - fade_out
    if last > fall_at:
        begin = max(first, fall_at)
        gain[begin - first :] *= equal_power(fade_out)[::-1][begin - fall_at : last - fall_at]
    return gain


def edge_faded(samples: Samples, *, fade_in: int, fade_out: int) -> Samples:
    """Return the sound with equal-power fades at its edges, each at most as long as the sound."""
    length = samples.shape[1]
    fades = {"fade_in": min(fade_in, length), "fade_out": min(fade_out, length)}
    return samples * edge_gain(0, length, length=length, **fades)


def crossfaded(before: Samples, after: Samples, overlap: int) -> Samples:
    """Return two sounds as one, the last `overlap` samples of one over the first of the other."""
    if not 0 <= overlap <= min(before.shape[1], after.shape[1]):
        raise ValueError(f"cannot overlap {before.shape[1]} and {after.shape[1]} samples by {overlap}")
    kept = before.shape[1] - overlap
    rise = equal_power(overlap)
    seam = before[:, kept:] * rise[::-1] + after[:, :overlap] * rise
    return np.concatenate([before[:, :kept], seam, after[:, overlap:]], axis=1)


def looped(samples: Samples, length: int, overlap: int) -> Samples:
    """Return `length` samples of a sound repeated, every repeat crossfaded into the one before."""
    overlap = min(overlap, samples.shape[1] // 2)
    whole = samples
    while whole.shape[1] < length:
        whole = crossfaded(whole, samples, overlap)
    return whole[:, :length]


def overlap_added(pieces: Iterable[Piece], length: int, *, channels: int, block: int) -> Iterator[Samples]:
    """Yield the sum of pieces as blocks of at most `block` samples: `length` in all, whatever the pieces leave empty.

    Only what overlaps is held: memory does not grow with `length`. What lies outside [0, length) is left out.

    Args:
        pieces: By their first samples, rising.
        length: Samples of the whole.
        channels: Of the whole; every piece has as many.
        block: Largest number of samples to yield at once.
    """
    done = 0
    open_sum = np.zeros((channels, 0), dtype=np.float32)
    for first, piece in pieces:
        begin = min(max(first, 0), length)
        if begin < done:
            raise ValueError(f"a piece at {first} comes after one at {done}")
        yield from _blocks(open_sum, begin - done, block)
        open_sum = _sum(open_sum[:, begin - done :], piece[:, begin - first : max(length - first, 0)])
        done = begin
    yield from _blocks(open_sum, length - done, block)


def _sum(one: Samples, other: Samples) -> Samples:
    longer, shorter = (one, other) if one.shape[1] >= other.shape[1] else (other, one)
    total = longer.copy()
    total[:, : shorter.shape[1]] += shorter
    return total


def _blocks(samples: Samples, length: int, block: int) -> Iterator[Samples]:
    """Yield the first `length` samples, with silence after the end."""
    for first in range(0, length, block):
        last = min(first + block, length)
        part = samples[:, first:last]
        yield np.pad(part, ((0, 0), (0, last - first - part.shape[1])))
