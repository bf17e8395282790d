"""Equaliser filters: second-order sections as a mixer knows them, and short minimum-phase responses of any curve.

All are causal and of minimum phase, so that nothing is heard before its cause.
Source of the sections: R. Bristow-Johnson, "Audio EQ Cookbook", W3C Working Group Note, 2021.
"""

from __future__ import annotations

import math
from functools import cached_property

import numpy as np
import numpy.typing as npt
from numpy.lib.stride_tricks import sliding_window_view

from foley.products import product

Block = npt.NDArray[np.float32]
"""Sound in passing, shape (channels, samples)."""
Matrix = npt.NDArray[np.float64]
Section = tuple[float, float, float, float, float]
"""b0 b1 b2 a1 a2, with a0 = 1."""

FRAME_SAMPLES = 64
"""What one row of a matrix product makes: the products grow with it, the steps from frame to frame shrink."""
BUTTERWORTH_Q = math.sqrt(0.5)
"""Of a second-order section without a hump."""
_FORGOTTEN = 1e-18
"""A memory this weak (-360 dB) changes no number in double precision."""
_SPECTRUM = 4096
"""Points of the spectrum that a minimum-phase response is made from: 16 times what is kept of it."""
_DEEPEST_DB = -90.0
"""A minimum-phase response needs a spectrum without zeros; below the floor of 16 bits nothing is missed."""
_RUN_OUT = 8
"""The last eighth of a response fades, so that cutting it off adds no ripple."""


def high_pass(corner_hz: float, rate_hz: int, *, q: float = BUTTERWORTH_Q) -> Section:
    """Return a high-pass of 12 dB an octave.

    >>> [round(value, 4) for value in high_pass(60.0, 48_000)]
    [0.9945, -1.9889, 0.9945, -1.9889, 0.989]
    """
    cosine, alpha = _angle(corner_hz, rate_hz, q)
    return _scaled((1 + cosine) / 2, -(1 + cosine), (1 + cosine) / 2, 1 + alpha, -2 * cosine, 1 - alpha)


def bell(centre_hz: float, gain_db: float, rate_hz: int, *, q: float) -> Section:
    """Return a boost or cut around a frequency; q is its centre divided by its width."""
    cosine, alpha = _angle(centre_hz, rate_hz, q)
    a = 10 ** (gain_db / 40)
    return _scaled(1 + alpha * a, -2 * cosine, 1 - alpha * a, 1 + alpha / a, -2 * cosine, 1 - alpha / a)


def high_shelf(corner_hz: float, gain_db: float, rate_hz: int, *, q: float = BUTTERWORTH_Q) -> Section:
    """Return a boost or cut of what lies above a frequency; half of it is reached there."""
    cosine, alpha = _angle(corner_hz, rate_hz, q)
    a = 10 ** (gain_db / 40)
    slope = 2 * math.sqrt(a) * alpha
    return _scaled(
        a * ((a + 1) + (a - 1) * cosine + slope),
        -2 * a * ((a - 1) + (a + 1) * cosine),
        a * ((a + 1) + (a - 1) * cosine - slope),
        (a + 1) - (a - 1) * cosine + slope,
        2 * ((a - 1) - (a + 1) * cosine),
        (a + 1) - (a - 1) * cosine - slope,
    )


def _angle(frequency_hz: float, rate_hz: int, q: float) -> tuple[float, float]:
    omega = 2 * math.pi * frequency_hz / rate_hz
    return math.cos(omega), math.sin(omega) / (2 * q)


def _scaled(b0: float, b1: float, b2: float, a0: float, a1: float, a2: float) -> Section:
    return b0 / a0, b1 / a0, b2 / a0, a1 / a0, a2 / a0


class Cascade:
    """Sections in series, over sound in chunks of one size, each chunk with the memory of the one before alone.

    A frame's output is its input times a matrix plus the filter's state at its start times another; the states follow
    from each other by a scan over all frames at once. So a chunk costs two matrix products whatever the number of
    sections, five times less than going sample by sample. What lies more than a chunk back is forgotten: filters whose
    response dies away within it (2 s: all that are of use in a mix) lose nothing, and any chunk can be made without
    those before the last.
    """

    def __init__(self, sections: tuple[Section, ...]) -> None:
        """Make the matrices for the sections."""
        move, enter, out, through = _normalised(*_state_space(sections))
        powers = [np.eye(len(move))]
        for _ in range(FRAME_SAMPLES):
            powers.append(powers[-1] @ move)
        self._powers = powers
        response = np.array([through, *(out @ powers[k] @ enter for k in range(FRAME_SAMPLES - 1))])
        lag = np.arange(FRAME_SAMPLES) - np.arange(FRAME_SAMPLES)[:, None]
        direct = np.where(lag >= 0, response[np.maximum(lag, 0)], 0.0)
        entering = np.stack([powers[FRAME_SAMPLES - 1 - k] @ enter for k in range(FRAME_SAMPLES)])
        self._from_input = np.hstack([direct, entering]).astype(np.float32)
        self._from_state = np.stack([out @ powers[k] for k in range(FRAME_SAMPLES)], axis=1).astype(np.float32)

    @cached_property
    def _doublings(self) -> list[Matrix]:
        """Return how a state moves over 1, 2, 4 ... frames, until nothing is left of it."""
        moves = [self._powers[FRAME_SAMPLES].T]
        while np.abs(moves[-1]).max() > _FORGOTTEN:
            moves.append(moves[-1] @ moves[-1])
        return moves[:-1]

    @cached_property
    def _fading(self) -> Matrix:
        """Return how a state moves over 0, 1, 2 ... frames, until nothing is left of it: shape (frames, n, n)."""
        moves = [np.eye(len(self._doublings[0]))]
        while np.abs(moves[-1]).max() > _FORGOTTEN:
            moves.append(moves[-1] @ self._doublings[0])
        return np.stack(moves[:-1])

    def filtered(self, chunk: Block, memory: Matrix | None) -> tuple[Block, Matrix]:
        """Return a chunk filtered, and what the next one must remember of it.

        Args:
            chunk: Shape (channels, samples), in whole frames.
            memory: What the chunk before left; None where it was silent.
        """
        channels, samples = chunk.shape
        made = product(np.ascontiguousarray(chunk).reshape(-1, FRAME_SAMPLES), self._from_input)
        made = made.reshape(channels, samples // FRAME_SAMPLES, -1)
        states = made[:, :, FRAME_SAMPLES:].astype(np.float64)
        for exponent, move in enumerate(self._doublings):
            ahead = 1 << exponent
            if ahead < states.shape[1]:
                states[:, ahead:] += states[:, :-ahead] @ move
        end = states[:, -1].copy()
        starts = np.zeros_like(states)
        starts[:, 1:] = states[:, :-1]
        if memory is not None:
            fading = self._fading[: states.shape[1]]
            starts[:, : len(fading)] += np.einsum("cn,fnm->cfm", memory, fading)
        carried = product(starts.astype(np.float32).reshape(-1, states.shape[2]), self._from_state)
        out = made[:, :, :FRAME_SAMPLES] + carried.reshape(channels, -1, FRAME_SAMPLES)
        return out.reshape(channels, samples), end


def _state_space(sections: tuple[Section, ...]) -> tuple[Matrix, Matrix, Matrix, float]:
    """Return what one step does to the sections in transposed direct form II.

    Returns:
        How the state moves, what an input adds to it, how the output reads it, and what passes straight through.
    """
    size = 2 * len(sections)

    def step(vector: Matrix) -> Matrix:
        state, signal = vector[:-1], vector[-1]
        then = np.zeros(size + 1)
        for number, (b0, b1, b2, a1, a2) in enumerate(sections):
            first, second = state[2 * number], state[2 * number + 1]
            made = b0 * signal + first
            then[2 * number] = b1 * signal - a1 * made + second
            then[2 * number + 1] = b2 * signal - a2 * made
            signal = made
        then[-1] = signal
        return then

    columns = np.stack([step(unit) for unit in np.eye(size + 1)], axis=1)
    return columns[:-1, :-1], columns[:-1, -1], columns[-1, :-1], float(columns[-1, -1])


def _normalised(move: Matrix, enter: Matrix, out: Matrix, through: float) -> tuple[Matrix, Matrix, Matrix, float]:
    """Return the same filter with states of equal power under white noise.

    Near 0 Hz the states of the direct form nearly cancel each other, which single precision cannot bear. The power of
    the states solves W = move W move' + enter enter'.
    """
    size = len(move)
    power = np.linalg.solve(np.eye(size**2) - np.kron(move, move), np.outer(enter, enter).reshape(-1))
    root = np.linalg.cholesky(power.reshape(size, size))
    inward = np.linalg.inv(root).astype(np.float64)
    return inward @ move @ root, inward @ enter, out @ root, through


class Fir:
    """A finite response, laid on sound as one matrix product."""

    def __init__(self, taps: npt.NDArray[np.floating]) -> None:
        """Take the response, shape (taps,)."""
        self.history = len(taps) - 1
        """How many samples before the first that is asked for it needs."""
        matrix = np.zeros((self.history + FRAME_SAMPLES, FRAME_SAMPLES), np.float32)
        for sample in range(FRAME_SAMPLES):
            matrix[sample : sample + len(taps), sample] = taps[::-1]
        self._matrix = matrix

    def filtered(self, samples: Block) -> Block:
        """Return what follows the history, filtered: shape (channels, samples - history)."""
        wanted = samples.shape[1] - self.history
        frames = -(-wanted // FRAME_SAMPLES)
        padded = np.pad(samples, ((0, 0), (0, frames * FRAME_SAMPLES - wanted)))
        windows = sliding_window_view(padded, self.history + FRAME_SAMPLES, axis=1)[:, ::FRAME_SAMPLES]
        made = product(np.ascontiguousarray(windows).reshape(-1, len(self._matrix)), self._matrix)
        return np.asarray(made.reshape(len(samples), -1)[:, :wanted])


def minimum_phase(level_db: npt.NDArray[np.floating], taps: int) -> npt.NDArray[np.float64]:
    """Return the shortest causal response with a spectrum, shape (taps,).

    The logarithm of the spectrum is folded onto positive times of its cepstrum: A. Oppenheim and R. Schafer,
    "Discrete-Time Signal Processing", 3rd edition, section 13.

    Args:
        level_db: At frequencies evenly from 0 to half the rate, shape (points,).
        taps: Length of the response.
    """
    points = np.linspace(0.0, 1.0, len(level_db))
    even = np.interp(np.linspace(0.0, 1.0, _SPECTRUM // 2 + 1), points, np.maximum(level_db, _DEEPEST_DB))
    cepstrum = np.fft.irfft(even * (math.log(10.0) / 20.0))
    cepstrum[1 : _SPECTRUM // 2] *= 2.0
    cepstrum[_SPECTRUM // 2 + 1 :] = 0.0
    response = np.fft.irfft(np.exp(np.fft.rfft(cepstrum)))[:taps]
    run_out = taps // _RUN_OUT
    response[taps - run_out :] *= np.linspace(1.0, 0.0, run_out)
    return np.asarray(response)
