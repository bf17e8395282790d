"""Changing the sampling rate, with soxr."""

from __future__ import annotations

import numpy as np
import soxr

from foley.model import Audio


def resample(audio: Audio, rate_hz: int) -> Audio:
    """Return the sound at another rate, in place to the sample: a linear-phase filter with its delay taken out.

    The length is `audio.length * rate_hz / audio.rate_hz`, halves upward. soxr's "HQ" keeps 20 bits and passes up to
    0.91 of the lower Nyquist frequency.

    Raises:
        ValueError: where a rate is not positive.
    """
    if rate_hz <= 0 or audio.rate_hz <= 0:
        raise ValueError(f"cannot resample from {audio.rate_hz} to {rate_hz} Hz")
    if rate_hz == audio.rate_hz:
        return audio
    length = (2 * audio.length * rate_hz + audio.rate_hz) // (2 * audio.rate_hz)
    made = np.asarray(soxr.resample(audio.samples.T, audio.rate_hz, rate_hz, quality="HQ"), dtype=np.float32).T
    exact = np.zeros((audio.channels, length), dtype=np.float32)
    kept = min(length, made.shape[1])
    exact[:, :kept] = made[:, :kept]
    return Audio(exact, rate_hz)
