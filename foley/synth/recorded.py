"""Makes a texture move and sound as recordings of its kind do: measured statistics, imposed on its bands.

A recipe's bands are too much alike from one take to another, and swell too little, or too much together. For some kinds
it was measured how recordings differ in that from what the recipe gives: in the levels of bands of the ear's scale, and
in how the bands' levels rise and fall, slowly and fast, alone and together. Every specimen draws its own difference.

Source of the statistics: J. McDermott, E. Simoncelli, "Sound texture perception via statistics of the auditory
periphery", Neuron 71, 2011. Of the map: the optimal transport between two Gaussians, C. Givens, R. Shortt, "A class of
Wasserstein metrics for probability distributions", Michigan Math. J. 31, 1984. The tables are measured by
`python -m benchmarks.realism.tables`; credits are in NOTICE.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from pathlib import Path

import numpy as np
import numpy.typing as npt
from scipy import fft

from foley.products import product
from foley.synth.excitation import Signal
from foley.synth.finish import character
from foley.synth.recipe import Mono
from foley.synth.textures import erb_centres_hz
from foley.units import RATE_HZ

FRAME_SAMPLES, HOP_SAMPLES = 2048, 1024
"""43 ms, twice overlapped: levels may change as fast as they are measured, bins lie 23 Hz apart."""

BANDS = 15
"""Every second band of the ear from 50 Hz to 10 kHz: finer ones would fit single recordings."""

MODULATION_HZ = (0.15, 1.5, 3.0, 6.0, 12.5, 24.0)
"""Borders of the five speeds at which levels move; slower is a sound's course, which is not touched."""

FLOOR = 1e-6
"""Of a band's mean power: what is fainter is silence, whose movement says nothing."""

MOST_DB = 12.0
"""A level is moved no farther: what would be, lies in a gap, or is a peak for which there is no room."""

FURTHEST = 2.0
"""Standard deviations from the mean specimen: past the recordings measured, maps are guesses."""

HEARD = slice(2, 470)
"""The bins that are measured, 40 Hz to 11 kHz: below is rumble, above, old recordings have nothing."""

BLOCK_FRAMES = 64
"""Transformed at once: with its bins it fits a processor's cache."""

TABLES = Path(__file__).with_suffix(".npz")

Bins = npt.NDArray[np.complex64]


@dataclass(frozen=True, slots=True, eq=False)
class Table:
    """How recordings of one kind differ from what its recipe gives: a mean and the directions in which they spread.

    A difference is `BANDS` levels in dB and, for each speed, the logarithm of a symmetric map of band levels (its upper
    triangle).
    """

    mean: Signal
    """Shape (numbers,)."""
    axes: Signal
    """One standard deviation in each direction, shape (directions, numbers)."""


@dataclass(frozen=True, slots=True, eq=False)
class Difference:
    """How one specimen differs."""

    levels_db: Signal
    """Of the bands."""
    maps: Signal
    """What is added to the movement of the bands' levels: movement @ map; shape (speeds, bands, bands)."""


@lru_cache(maxsize=1)
def tables() -> Mapping[str, Table]:
    """Return the tables that come with foley, by kind."""
    with np.load(TABLES) as stored:
        kinds = [name.removesuffix("_mean") for name in stored.files if name.endswith("_mean")]
        return {
            kind: Table(stored[f"{kind}_mean"].astype(np.float64), stored[f"{kind}_axes"].astype(np.float64))
            for kind in kinds
        }


def as_recorded(sound: Signal, kind: str, variant: float | str) -> Signal:
    """Return the texture with bands as a recording of its kind could have them; as it is where no table is.

    Its power stays: windows of one event are as equally loud as before.

    Args:
        sound: Of any length and level.
        kind: Of the table.
        variant: Which specimen: all windows of an event get the same difference.
    """
    table = tables().get(kind)
    return sound if table is None else moved(sound, drawn(table, kind, variant))


@lru_cache(maxsize=64)
def drawn(table: Table, kind: str, variant: float | str) -> Difference:
    """Return the difference of one specimen."""
    chance = character(f"recorded {kind}", variant)
    steps = np.clip(chance.standard_normal(len(table.axes)), -FURTHEST, FURTHEST)
    numbers = table.mean + (steps[:, np.newaxis] * table.axes).sum(axis=0)
    logarithms = symmetric(numbers[BANDS:])
    logs, directions = np.linalg.eigh(logarithms)
    maps = (directions * np.exp(logs)[:, np.newaxis]) @ directions.transpose(0, 2, 1)
    return Difference(numbers[:BANDS], maps - np.eye(BANDS))


def symmetric(triangles: Signal) -> Signal:
    """Return the matrices whose upper triangles are given one after the other, shape (matrices, bands, bands)."""
    rows, columns = np.triu_indices(BANDS)
    made = np.zeros((len(triangles) // len(rows), BANDS, BANDS))
    made[:, rows, columns] = made[:, columns, rows] = triangles.reshape(len(made), -1)
    return made


def moved(sound: Signal, by: Difference) -> Signal:
    """Return the texture with the levels of its bands moved."""
    spectra = list(_spectra(sound))
    gains = _gains(np.concatenate([_powers_of(bins) for bins in spectra]), by)
    made, first = np.zeros((len(gains) + 1, HOP_SAMPLES), np.float32), 0
    for bins in spectra:
        bins *= product(gains[first : first + len(bins)], _shares())
        pieces = fft.irfft(bins, FRAME_SAMPLES, axis=1, overwrite_x=True)
        pieces *= _window()
        made[first : first + len(pieces)] += pieces[:, :HOP_SAMPLES]
        first += len(pieces)
        made[first - len(pieces) + 1 : first + 1] += pieces[:, HOP_SAMPLES:]
    return np.asarray(made[1:].ravel()[: len(sound)], np.float64)


def band_powers(sound: Signal) -> Mono:
    """Return the power of each band in each frame, shape (frames, bands)."""
    return np.concatenate([_powers_of(bins) for bins in _spectra(sound)])


def levels_of(powers: Mono) -> Signal:
    """Return the level of each band in each frame in dB, shape (frames, bands)."""
    # the ends lie half over what is not there
    inner = powers.copy()
    inner[[0, -1]] = powers[[min(1, len(powers) - 1), max(0, len(powers) - 2)]]
    return np.asarray(10.0 * np.log10(inner + FLOOR * inner.mean(axis=0) + 1e-30), np.float64)


def speeds(frames: int) -> list[slice]:
    """Return which coefficients of a cosine transform of so many frames belong to each speed."""
    borders = np.ceil(np.array(MODULATION_HZ) * (2.0 * frames * HOP_SAMPLES / RATE_HZ)).astype(int)
    return [slice(max(1, int(low)), int(high)) for low, high in pairwise(borders)]


def _gains(powers: Mono, by: Difference) -> Mono:
    """Return the factor for each band in each frame."""
    # a cosine transform mirrors at the ends: no jump from the last frame to the first
    movement = fft.dct(levels_of(powers), axis=0, norm="ortho")
    added = np.zeros_like(movement)
    for part, change in zip(speeds(len(powers)), by.maps, strict=True):
        if len(movement[part]):
            added[part] = product(movement[part], change)
    added_db = np.clip(fft.idct(added, axis=0, norm="ortho"), -MOST_DB, MOST_DB)
    gains = 10.0 ** (added_db / 20.0)
    before = powers.mean(axis=0, dtype=np.float64) + 1e-30
    # a band that moves is as loud as before
    gains /= np.sqrt(((powers * gains**2).mean(axis=0) + 1e-30) / before)
    colour = 10.0 ** (by.levels_db / 20.0)
    colour *= np.sqrt(before.sum() / (before * colour**2).sum())
    return np.asarray(gains * colour, np.float32)


def _spectra(sound: Signal) -> Iterator[Bins]:
    """Yield the spectra of the frames, in blocks; the first frame's middle is the first sample."""
    frames = len(sound) // HOP_SAMPLES + 2
    padded = np.zeros((frames + 1) * HOP_SAMPLES, np.float32)
    padded[HOP_SAMPLES : HOP_SAMPLES + len(sound)] = sound
    all_frames = np.lib.stride_tricks.sliding_window_view(padded, FRAME_SAMPLES)[::HOP_SAMPLES]
    for first in range(0, frames, BLOCK_FRAMES):
        yield np.asarray(fft.rfft(all_frames[first : first + BLOCK_FRAMES] * _window(), axis=1), np.complex64)


def _powers_of(bins: Bins) -> Mono:
    heard = bins[:, HEARD]
    return product(np.square(heard.real) + np.square(heard.imag), _shares()[:, HEARD].T)


@lru_cache(maxsize=1)
def _window() -> Mono:
    """Return the square root of a Hann window: before and after, overlapped by half, it leaves a sound as it is."""
    return np.asarray(np.sin(np.pi * (np.arange(FRAME_SAMPLES) + 0.5) / FRAME_SAMPLES), np.float32)


@lru_cache(maxsize=1)
def _shares() -> Mono:
    """Return how much each bin belongs to each band, shape (bands, bins): of every bin it is 1 in all."""
    centres = np.log(1.0 + 0.00437 * erb_centres_hz(BANDS))  # even, as the ear's scale is
    bins = np.log(1.0 + 0.00437 * np.fft.rfftfreq(FRAME_SAMPLES, 1 / RATE_HZ))
    return np.stack([np.interp(bins, centres, row) for row in np.eye(BANDS)]).astype(np.float32)
