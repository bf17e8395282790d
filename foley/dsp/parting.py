"""Part speech from its background without a model, and make room tone: both go by the background's own spectrum.

What speech is over the background is taken off bin by bin: X' = X min(1, sqrt(N / |X|^2)), N being the background's
power in that bin where nobody speaks. It is spectral subtraction with the phase kept (S. F. Boll, "Suppression of
acoustic noise in speech using spectral subtraction", IEEE Trans. ASSP 27, 1979), turned round: the noise is what stays.
It works on the middle (L + R) / 2, where voices are panned; the side (L - R) / 2 is kept. It is a poor separation:
effects that sound with the speech go with it.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

Samples = npt.NDArray[np.float32]
"""Shape (2, samples)."""
Power = npt.NDArray[np.float64]
"""Mean square of each bin of a windowed frame, shape (2, bins): middle and side."""

FRAME, HOP = 2048, 512
"""43 ms at 48 kHz: harmonics of a voice are told apart, and steps of a quarter keep the gain from being heard."""

_MEDIAN_TO_MEAN = 1.0 / np.log(2.0)
"""A bin of noise has exponential power: its mean is so much above its median, which hits and clicks do not move."""

_WINDOW = np.hanning(FRAME + 1)[:FRAME]
"""Periodic: its squares at a quarter's step add to 1.5 everywhere."""
_OVERLAP = 1.5


def spectrum_of(parts: Sequence[Samples]) -> Power | None:
    """Return what a background usually holds in each bin; None where the parts are too short to say.

    Args:
        parts: Stretches of it in which nobody speaks.
    """
    frames = [_frames(part) for part in parts if part.shape[1] >= FRAME]
    if not frames:
        return None
    power = np.abs(np.concatenate(frames, axis=1)) ** 2
    return np.asarray(np.median(power, axis=1) * _MEDIAN_TO_MEAN)


def without_speech(samples: Samples, background: Power) -> Samples:
    """Return a stretch of sound with what its middle has over the background taken off; its edges stay as they are."""
    length = samples.shape[1]
    padded = np.pad(samples, ((0, 0), (FRAME, FRAME + -length % HOP)))
    bins = _frames(padded)
    power = np.abs(bins[0]) ** 2
    bins[0] *= np.minimum(1.0, np.sqrt(background[0] / np.maximum(power, 1e-20)))
    return _joined(bins, padded.shape[1])[:, FRAME : FRAME + length]


def tone(spectrum: Power, length: int, rng: np.random.Generator) -> Samples:
    """Return noise of a background's spectrum that can be repeated without a seam, shape (2, length).

    Every bin of one transform over the whole length has the spectrum's magnitude and a phase by chance: the result is
    stationary Gaussian noise, and the end goes on into the start.
    """
    size = length + length % 2
    hz = np.linspace(0.0, 1.0, size // 2 + 1)
    known = np.linspace(0.0, 1.0, spectrum.shape[1])
    # a windowed frame of white noise of power 1 has the power of its window in each bin
    density = np.stack([np.interp(hz, known, row) for row in spectrum]) / float(np.sum(_WINDOW**2))
    phases = rng.uniform(0.0, 2.0 * np.pi, density.shape)
    middle, side = np.fft.irfft(np.sqrt(density * size) * np.exp(1j * phases), size, axis=1)
    return np.stack([middle + side, middle - side])[:, :length].astype(np.float32)


def _frames(samples: Samples) -> npt.NDArray[np.complex128]:
    """Return the spectra of middle and side, shape (2, frames, bins)."""
    middle_side = np.stack([samples[0] + samples[1], samples[0] - samples[1]]) / 2
    windows = np.lib.stride_tricks.sliding_window_view(middle_side, FRAME, axis=1)[:, ::HOP]
    return np.fft.rfft(windows * _WINDOW, axis=2)


def _joined(bins: npt.NDArray[np.complex128], length: int) -> Samples:
    parts = np.fft.irfft(bins, FRAME, axis=2) * (_WINDOW / _OVERLAP)
    total = np.zeros((2, length))
    for number in range(parts.shape[1]):
        total[:, number * HOP : number * HOP + FRAME] += parts[:, number]
    return np.stack([total[0] + total[1], total[0] - total[1]]).astype(np.float32)
