"""What is measured of a sound: numbers that a trained ear would name, for one-shots and for what goes on.

Everything is taken at 22.05 kHz and up to 10 kHz, so that old recordings and lossy codecs do not decide. One-shots:
levels of 24 bands in 7 slices of time from the onset on, envelope times, tonality, grain. Textures: statistics of the
envelopes of 30 bands (J. McDermott, E. Simoncelli, "Sound texture perception via statistics of the auditory periphery",
Neuron 71, 2011): levels, spread, skewness, kurtosis, modulation, correlation between bands, and tonality.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from functools import lru_cache
from typing import Literal

import numpy as np
import numpy.typing as npt
from scipy import signal

Wave = npt.NDArray[np.float32]
Numbers = npt.NDArray[np.float64]
Kind = Literal["event", "texture"]

RATE_HZ = 22_050
HIGHEST_HZ = 10_000.0

SLICES_S = (-0.010, 0.006, 0.018, 0.040, 0.080, 0.150, 0.280, 0.550)
"""Borders of the seven slices of a one-shot, from its onset on: fine where sounds differ fast."""

EVENT_BANDS = 24
LOWEST_EVENT_HZ = 70.0
EVENT_FLOOR_DB = -55.0
"""Levels of one-shots end here, re their loudest cell: below is the recording's own noise."""

TEXTURE_BANDS = 30
TEXTURE_FLOOR_DB = -70.0
ENVELOPE_HZ = 441
"""Rate of the band envelopes of textures: flutter up to 200 Hz is seen."""

COMPRESSION = 0.3
"""Exponent of the ear's loudness, applied to envelopes (McDermott & Simoncelli)."""

MODULATION_HZ = ((0.7, 1.5), (1.5, 3), (3, 6), (6, 12.5), (12.5, 25), (25, 50), (50, 100), (100, 200))
BAND_DISTANCES = (1, 2, 3, 5, 8, 12, 17, 23)
"""Between which bands correlation is taken."""

EVENT_BLOCKS: Mapping[str, int] = {"levels": EVENT_BANDS * 7, "envelope": 9, "tonality": 10, "grain": 8}
TEXTURE_BLOCKS: Mapping[str, int] = {
    "levels": TEXTURE_BANDS,
    "spread": TEXTURE_BANDS,
    "skew": TEXTURE_BANDS,
    "kurtosis": TEXTURE_BANDS,
    "modulation": len(MODULATION_HZ) * TEXTURE_BANDS // 2,
    "correlation": sum(TEXTURE_BANDS - distance for distance in BAND_DISTANCES),
    "tonality": 10,
}


def blocks(kind: Kind) -> Mapping[str, int]:
    """Return how many numbers each block of descriptors has, in order."""
    return EVENT_BLOCKS if kind == "event" else TEXTURE_BLOCKS


def described(kind: Kind, samples: Wave) -> Numbers:
    """Return all descriptors of a sound at 22.05 kHz, shape (sum of the blocks,)."""
    return event_numbers(samples) if kind == "event" else texture_numbers(samples)


def erb(hz: npt.ArrayLike) -> Numbers:
    """Return the position on the ear's frequency scale: 21.4 log10(1 + 0.00437 f).

    Source: B. Glasberg, B. Moore, "Derivation of auditory filter shapes from notched-noise data", Hear. Res. 47, 1990.
    """
    return np.asarray(21.4 * np.log10(1.0 + 0.00437 * np.asarray(hz, np.float64)))


def erb_to_hz(position: npt.ArrayLike) -> Numbers:
    """Return the frequency at a position on the ear's scale."""
    return np.asarray((10.0 ** (np.asarray(position, np.float64) / 21.4) - 1.0) / 0.00437)


def borders_hz(low_hz: float, high_hz: float, bands: int) -> Numbers:
    """Return the corners of overlapping bands: band i lies over [i, i + 2] around i + 1."""
    return erb_to_hz(np.linspace(float(erb(low_hz)), float(erb(high_hz)), bands + 2))


def onset_at(samples: Wave) -> int:
    """Return the sample at which the sound first rises to 15 dB under its loudest instant, at most 0.25 s before."""
    power = signal.convolve(samples**2, np.ones(48) / 48, "same")
    loudest = int(np.argmax(power[: int(1.2 * RATE_HZ)]))
    first = max(0, loudest - RATE_HZ // 4)
    above = np.nonzero(power[first : loudest + 1] > 0.03 * power[loudest])[0]
    return first + int(above[0]) if len(above) else loudest


LEAD = int(0.03 * RATE_HZ)
"""Samples kept before the onset of a one-shot."""


def event_numbers(samples: Wave) -> Numbers:
    """Return the descriptors of a one-shot."""
    length = int(0.75 * RATE_HZ)
    onset = onset_at(samples)
    taken = np.zeros(LEAD + length, np.float32)
    part = samples[max(0, onset - LEAD) : onset + length]
    skip = LEAD - min(onset, LEAD)
    taken[skip : skip + len(part)] = part
    taken /= np.abs(taken).max() + 1e-9
    power, at_s = _band_powers(taken)
    parts = (_slice_levels(power, at_s).ravel(), _envelope_figures(taken), _tonality(taken), _grain(power, at_s))
    return np.concatenate(parts)


def event_levels_db(samples: Wave) -> Numbers:
    """Return the levels of a one-shot by slice and band, shape (7, 24), in dB re the loudest."""
    return event_numbers(samples)[: EVENT_BLOCKS["levels"]].reshape(7, EVENT_BANDS)


@lru_cache(maxsize=2)
def _triangles(window: int) -> Numbers:
    centres = borders_hz(LOWEST_EVENT_HZ, HIGHEST_HZ, EVENT_BANDS)
    bins = np.fft.rfftfreq(window, 1 / RATE_HZ)
    weights = np.zeros((EVENT_BANDS, len(bins)))
    for band, (low, centre, high) in enumerate(zip(centres, centres[1:], centres[2:], strict=False)):
        weights[band] = np.clip(np.minimum((bins - low) / (centre - low), (high - bins) / (high - centre)), 0.0, None)
        if weights[band].sum() < 0.5:
            weights[band, np.argmin(np.abs(bins - centre))] = 1.0
    return weights


def _band_powers(taken: Wave) -> tuple[Numbers, Numbers]:
    window, hop = 512, 64
    padded = np.pad(taken, window // 2)
    frames = np.lib.stride_tricks.sliding_window_view(padded, window)[::hop] * np.hanning(window).astype(np.float32)
    spectra = np.abs(np.fft.rfft(frames, axis=1)) ** 2
    return spectra @ _triangles(window).T, (np.arange(len(spectra)) * hop - LEAD) / RATE_HZ


def _slice_levels(power: Numbers, at_s: Numbers) -> Numbers:
    rows = [power[(at_s >= a) & (at_s < b)].mean(0) for a, b in itertools.pairwise(SLICES_S)]
    levels = 10.0 * np.log10(np.array(rows) + 1e-12)
    return np.asarray(np.maximum(levels - levels.max(), EVENT_FLOOR_DB))


def _envelope_figures(taken: Wave) -> Numbers:
    """Return attack, decay to -5, -10, -20 and -30 dB (log ms), roughness, peaks, and how long it stays loud."""
    step = 22
    envelope = np.sqrt(signal.convolve(taken**2, np.hanning(65) / 32, "same") + 1e-12)[::step]
    at_s = (np.arange(len(envelope)) * step - LEAD) / RATE_HZ
    level = 20.0 * np.log10(envelope + 1e-6)
    peak = int(np.argmax(level))
    level = np.maximum(level - level[peak], -60.0)
    left = np.cumsum((envelope**2)[::-1])[::-1]
    left_db = 10.0 * np.log10(left / left[0] + 1e-9)
    decays = []
    for fall in (-5.0, -10.0, -20.0, -30.0):
        under = np.nonzero(left_db < fall)[0]
        decays.append(np.log10(max(at_s[under[0]] if len(under) else at_s[-1], 2e-3) * 1000.0))
    after = level[peak : peak + int(0.3 * RATE_HZ / step)]
    attack = np.log10(max(at_s[peak], 5e-4) * 1000.0 + 1.0)
    peaks = len(signal.find_peaks(after, prominence=3)[0]) / 10.0
    shape = (float(np.std(np.diff(after))), peaks, float(after.mean()) / 10.0, float(np.percentile(level, 90)) / 10.0)
    return np.array([attack, *decays, *shape])


def _tonality(taken: Wave) -> Numbers:
    """Return how far the strongest line stands out of five regions, early and later."""
    found = []
    bins = np.fft.rfftfreq(8192, 1 / RATE_HZ)
    for start_s, end_s in ((0.0, 0.093), (0.06, 0.246)):
        part = taken[LEAD + int(start_s * RATE_HZ) : LEAD + int(end_s * RATE_HZ)]
        spectrum = np.abs(np.fft.rfft(part * np.hanning(len(part)), 8192)) ** 2
        for low, high in ((100, 400), (400, 1000), (1000, 2500), (2500, 5000), (5000, 10_000)):
            region = spectrum[(bins >= low) & (bins < high)] + 1e-12
            found.append(np.log10(region.max() / region.mean()))
    return np.array(found)


def _grain(power: Numbers, at_s: Numbers) -> Numbers:
    heard = np.log(power[(at_s >= 0) & (at_s < 0.3)] + 1e-6 * power.max() + 1e-30)
    return np.asarray(np.abs(np.diff(heard, axis=0)).mean(0).reshape(8, 3).mean(1))


@lru_cache(maxsize=2)
def _cochlea(length: int) -> list[tuple[int, Numbers]]:
    """Return the filters on the spectrum of a sound of this length: half cosines, each with its first bin."""
    centres = np.linspace(float(erb(50.0)), float(erb(HIGHEST_HZ)), TEXTURE_BANDS + 2)
    bins = erb(np.fft.rfftfreq(length, 1 / RATE_HZ))
    filters = []
    for low, centre, high in zip(centres, centres[1:], centres[2:], strict=False):
        inside = np.nonzero((bins > low) & (bins < high))[0]
        filters.append((int(inside[0]), np.cos((bins[inside] - centre) / (high - low) * np.pi)))
    return filters


def band_envelopes(samples: Wave) -> Numbers:
    """Return the compressed envelopes of the bands at 441 Hz, shape (30, time)."""
    samples = samples[: len(samples) // 50 * 50]
    spectrum = np.fft.rfft(samples)
    steps = int(len(samples) / RATE_HZ * ENVELOPE_HZ)
    found = np.empty((TEXTURE_BANDS, steps))
    for band, (first, weights) in enumerate(_cochlea(len(samples))):
        # the band's bins, moved to 0 Hz: its complex envelope at a lower rate
        size = max(int(2 ** np.ceil(np.log2(2 * len(weights)))), 2048)
        moved = np.zeros(size, np.complex128)
        moved[: len(weights)] = spectrum[first : first + len(weights)] * weights
        envelope = (np.abs(np.fft.ifft(moved)) * (2.0 * size / len(samples))) ** COMPRESSION
        ratio = size / steps
        if ratio > 1.5:
            half = round(ratio)
            kernel = np.hanning(2 * half + 1) / half
            envelope = signal.convolve(np.pad(envelope, half, mode="edge"), kernel, "same")[half:-half]
        found[band] = np.interp(np.arange(steps) * ratio, np.arange(size), envelope)
    return found


def texture_numbers(samples: Wave) -> Numbers:
    """Return the descriptors of a sound that goes on."""
    samples = (samples / (np.sqrt(np.mean(samples**2)) + 1e-9) * 0.05).astype(np.float32)
    envelopes = band_envelopes(samples)
    mean, spread = envelopes.mean(1), envelopes.std(1)
    normal = (envelopes - mean[:, None]) / (spread[:, None] + 1e-6)
    levels = 20.0 / COMPRESSION * np.log10(mean + 1e-4)
    correlation = normal @ normal.T / normal.shape[1]
    parts = (
        np.maximum(levels - levels.max(), TEXTURE_FLOOR_DB),
        spread / (mean + 1e-4),
        (normal**3).mean(1),
        np.log(np.maximum((normal**4).mean(1), 1e-3)),
        _modulation(normal)[:, ::2].ravel(),
        np.concatenate([np.diag(correlation, distance) for distance in BAND_DISTANCES]),
        _lines(samples),
    )
    return np.concatenate(parts)


def _modulation(normal: Numbers) -> Numbers:
    length = normal.shape[1]
    power = np.abs(np.fft.rfft(normal * np.hanning(length), axis=1)) ** 2
    bins = np.fft.rfftfreq(length, 1 / ENVELOPE_HZ)
    shares = np.array([power[:, (bins >= low) & (bins < high)].sum(1) for low, high in MODULATION_HZ])
    return np.asarray(10.0 * np.log10(shares / (power[:, bins > 0.5].sum(1) + 1e-9) + 1e-4))


def _lines(samples: Wave) -> Numbers:
    """Return how far the strongest steady line stands out of ten regions, in dB over the median."""
    spectrum = (np.abs(signal.stft(samples, RATE_HZ, nperseg=4096, noverlap=2048)[2]) ** 2).mean(1)
    bins = np.fft.rfftfreq(4096, 1 / RATE_HZ)
    edges = erb_to_hz(np.linspace(float(erb(100.0)), float(erb(9000.0)), 11))
    regions = [spectrum[(bins >= low) & (bins < high)] for low, high in itertools.pairwise(edges)]
    return np.array([10.0 * np.log10((part.max() + 1e-20) / (np.median(part) + 1e-20)) for part in regions])
