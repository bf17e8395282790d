"""Find the peaks between the samples: 4x oversampling as ITU-R BS.1770-4, Annex 2 asks, as one matrix product."""

from __future__ import annotations

import math
from functools import cache

import numpy as np
import numpy.typing as npt
from numpy.lib.stride_tricks import sliding_window_view

from foley.products import product

Block = npt.NDArray[np.float32]
"""Sound in passing, shape (channels, samples)."""
Values = npt.NDArray[np.float32]

OVERSAMPLING = 4
"""BS.1770-4, Annex 2: at least four times at 48 kHz."""
BEFORE, AFTER = 15, 16
"""Samples on either side that an interpolated value is made of: flat within 0.1 dB to 20 kHz at 48 kHz."""
STRETCH_SAMPLES = 16
"""What one row of the matrix product makes the values between: longer ones multiply more zeros."""
_KAISER_BETA = 6.0
"""About 63 dB of stop band, 0.007 dB of ripple: far below what a peak meter resolves."""


class Oversampler:
    """Gives a stream's values at four times its rate, frame by frame; it keeps what reaches over block boundaries.

    Frames come as late as the interpolation needs to look ahead; `finish` gives the last.
    """

    def __init__(self, channels: int, *, frame_samples: int = 48) -> None:
        """Begin a stream of silence before the first sample.

        Args:
            channels: Channels of the blocks to come.
            frame_samples: Samples in a frame; 48 are a millisecond at 48 kHz.
        """
        self._frame = frame_samples
        self._held = np.zeros((channels, BEFORE), np.float32)
        self._stretch = math.gcd(frame_samples, STRETCH_SAMPLES)
        self._kernel = _kernel(self._stretch)
        self._owed_samples = 0

    def add(self, block: Block, *, over: float = 0.0) -> Values:
        """Return the frames that are complete: shape (channels, frames, 4 * frame_samples), no order within a frame.

        Args:
            block: What comes next.
            over: Frames that cannot pass it are not looked at more closely: they are given as silence.
        """
        windows = self.windows(block)
        if over <= 0.0:
            return self.between(windows)
        made = np.zeros((*windows.shape[:2], OVERSAMPLING * self._frame), np.float32)
        near = reach(windows) > over
        if near.any():
            made[:, near] = self.between(windows[:, near])
        return made

    def windows(self, block: Block) -> Values:
        """Return the samples of the frames that are complete with those that surround them.

        Shape (channels, frames, `BEFORE` + frame_samples + `AFTER`); a view, not to be changed.
        """
        sound = np.concatenate([self._held, block], axis=1)
        frames = max(0, (sound.shape[1] - BEFORE - AFTER) // self._frame)
        self._owed_samples += block.shape[1] - frames * self._frame
        self._held = sound[:, frames * self._frame :].copy()
        width = BEFORE + self._frame + AFTER
        if not frames:
            return np.zeros((len(block), 0, width), np.float32)
        return sliding_window_view(sound, width, axis=1)[:, : frames * self._frame : self._frame]

    def between(self, windows: Values) -> Values:
        """Return the values of some windows, as `add` gives them."""
        made = np.empty((*windows.shape[:2], OVERSAMPLING * self._frame), np.float32)
        made[:, :, : self._frame] = windows[:, :, BEFORE : BEFORE + self._frame]
        stretches = sliding_window_view(windows, len(self._kernel), axis=2)[:, :, :: self._stretch]
        rows = np.ascontiguousarray(stretches).reshape(-1, len(self._kernel))
        made[:, :, self._frame :] = product(rows, self._kernel).reshape(made[:, :, self._frame :].shape)
        return made

    def finish(self) -> Values:
        """Return the frames that are still owed; the last is filled with silence."""
        owed = -(-self._owed_samples // self._frame)
        missing = BEFORE + owed * self._frame + AFTER - self._held.shape[1]
        return self.add(np.zeros((len(self._held), max(0, missing)), np.float32))[:, :owed]


def reach(windows: Values) -> Values:
    """Return what no value of a window can pass: its highest sample times the most that weights sum to, (frames,)."""
    return highest(windows) * _most_gain()


def highest(frames: Values) -> Values:
    """Return the highest absolute value of each frame over all channels, shape (frames,)."""
    if not frames.shape[1]:
        return np.zeros(0, np.float32)
    return np.asarray(np.abs(frames).max(axis=2).max(axis=0), np.float32)


@cache
def _kernel(stretch_samples: int) -> Values:
    """Return the matrix from a stretch with its surroundings to the values between its samples at four times the rate.

    Windowed sinc, h(t) = sinc(t) * kaiser(t); at the samples themselves it is 1 there and 0 elsewhere: they are taken
    as they are, so a true peak is never below the sample peak.
    """
    taps = np.arange(-BEFORE, AFTER + 1)
    matrix = np.zeros((BEFORE + stretch_samples + AFTER, (OVERSAMPLING - 1) * stretch_samples), np.float32)
    for phase in range(1, OVERSAMPLING):
        t = taps - phase / OVERSAMPLING
        window = np.i0(_KAISER_BETA * np.sqrt(np.clip(1.0 - (t / AFTER) ** 2, 0.0, 1.0))) / np.i0(_KAISER_BETA)
        weights = np.sinc(t) * window
        for sample in range(stretch_samples):
            column = (phase - 1) * stretch_samples + sample
            matrix[sample : sample + len(taps), column] = weights / weights.sum()
    return matrix


@cache
def _most_gain() -> np.float32:
    """Return how much higher than all samples around it a value can be, with room for rounding."""
    return np.float32(1.001 * np.abs(_kernel(1)).sum(axis=0).max())
