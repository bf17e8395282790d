"""Noise and tones that move: spectra whose parts swell on their own, whistles that glide.

Everything is decided on a coarse grid of frames and then made in one pass: a bed of six layers costs little more than
one.

Source: frames of random spectra, overlapped (X. Serra, J. Smith, "Spectral modeling synthesis", Computer Music J. 14,
1990).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise

import numpy as np
from scipy.fft import irfft

from foley.products import product
from foley.synth.excitation import DECAY_60_DB, Signal
from foley.synth.recipe import Mono
from foley.synth.textures import CONTROL_SAMPLES, Spectrum, control_times_s, gaussian_bins, spectrum, stretched
from foley.units import RATE_HZ

FRAME_SAMPLES = 2048
"""Length of a frame, 43 ms: levels may change up to 20 times a second, bins lie 23 Hz apart."""

BLOCK_SAMPLES = 1 << 16
"""What is made at once: with its bins it fits a processor's cache."""

QUICK_FRAME_SAMPLES = 512
"""For bangs: 11 ms, bins 94 Hz apart."""

SWELL_EDGES_HZ = (250.0, 1200.0, 4500.0)
"""Between the bands of `lively`: recorded weather swells as four bands that go partly together."""


@dataclass(frozen=True, slots=True, eq=False)
class Layer:
    """One part of a noise: its colour, and how loud it is when."""

    shape: Spectrum
    level: Signal | float = 1.0
    """RMS for each frame, or throughout."""
    band_hz: tuple[float, float] = (0.0, math.inf)
    """What of the colour is heard; the level is that of the whole."""


def frames_in(samples: int, frame_samples: int = FRAME_SAMPLES) -> int:
    """Return how many frames a noise of so many samples is made of."""
    return samples // (frame_samples // 2) + 2


def frame_times_s(samples: int, frame_samples: int = FRAME_SAMPLES) -> Signal:
    """Return the middles of the frames: where a layer's levels hold; between them they run smoothly."""
    return np.arange(frames_in(samples, frame_samples), dtype=np.float64) * (frame_samples / 2 / RATE_HZ)


def at_frames(curve: Mono | Signal, frame_samples: int = FRAME_SAMPLES) -> Signal:
    """Return a curve of one value for every sample at the middles of the frames."""
    if not len(curve):
        return np.zeros(frames_in(0, frame_samples))
    at = np.arange(frames_in(len(curve), frame_samples)) * (frame_samples // 2)
    return np.asarray(curve[np.minimum(at, len(curve) - 1)], np.float64)


def layered(
    rng: np.random.Generator, samples: int, layers: Sequence[Layer], frame_samples: int = FRAME_SAMPLES
) -> Signal:
    """Return Gaussian noise of several layers at once: their powers add, each is as loud as its level says.

    Frames of random spectra under the square root of a Hann window, overlapped by half: neighbours are independent and
    the windows' squares sum to 1, so the power is even. The first frame's middle is the first sample: where levels
    start high, the noise starts at once.
    """
    frames, half = frames_in(samples, frame_samples), frame_samples // 2
    powers = np.empty((len(layers), frames), np.float32)
    for row, layer in zip(powers, layers, strict=True):
        row[:] = np.square(layer.level)
    colours = np.stack([_power_bins(layer.shape, frame_samples, layer.band_hz) for layer in layers])
    window = np.sin(np.pi * (np.arange(frame_samples, dtype=np.float32) + 0.5) / frame_samples)
    made = np.empty((frames - 1, half))
    block = max(1, BLOCK_SAMPLES // frame_samples)
    last_half = np.zeros(half, np.float32)
    for first in range(0, frames, block):
        gains = np.sqrt(product(powers[:, first : first + block].T, colours))
        bins = gaussian_bins(rng, gains.shape)
        bins *= gains
        pieces = irfft(bins, frame_samples, axis=1, overwrite_x=True)
        pieces *= window
        if first:
            made[first - 1] = last_half + pieces[0, :half]
        np.add(pieces[:-1, half:], pieces[1:, :half], out=made[first : first + len(pieces) - 1])
        last_half = pieces[-1, half:]
    return made.ravel()[:samples]


@lru_cache(maxsize=256)
def _power_bins(shape: Spectrum, frame_samples: int, band_hz: tuple[float, float]) -> Mono:
    """Return the power for every bin of a frame in a band; over all bands it makes a noise of RMS 1."""
    gains = np.asarray(shape.gains(frame_samples), np.float64)
    power = gains * gains
    hz = np.fft.rfftfreq(frame_samples, 1 / RATE_HZ)
    power *= ((hz >= band_hz[0]) & (hz < band_hz[1])) * (frame_samples**2 / (4.0 * power.sum()))
    return np.asarray(power, np.float32)


def lively(
    rng: np.random.Generator,
    samples: int,
    shape: Spectrum,
    depth_db: float,
    *,
    common: float = 0.5,
    rate_hz: float = 0.4,
    level: Signal | float = 1.0,
) -> list[Layer]:
    """Return the layers of a noise whose bands swell slowly, partly together: as `alive` does, made with the noise.

    Args:
        rng: Chance.
        samples: Length of the noise.
        shape: Its colour; its expected RMS is `level` as long as `depth_db` is small.
        depth_db: Spread of each band's level.
        common: Share of the swell that all bands have, 0 to 1.
        rate_hz: Corners a second of the slowest octave of six: recorded weather flutters up to some 12 Hz.
        level: Of the whole, for each frame or throughout.
    """
    together = slow_frames(rng, samples, rate_hz, 6)
    layers = []
    for band_hz in pairwise((0.0, *SWELL_EDGES_HZ, math.inf)):
        own = slow_frames(rng, samples, 1.6 * rate_hz, 6)
        swell = 10.0 ** (depth_db / 20.0 * (common * together + math.sqrt(1.0 - common**2) * own))
        layers.append(Layer(shape, np.asarray(level * swell, np.float64), band_hz))
    return layers


def slow_frames(rng: np.random.Generator, samples: int, rate_hz: float, octaves: int = 1) -> Signal:
    """Return a random curve of expected mean 0 and variance 1 at the frames, as `slow_random` makes for samples."""
    times_s = frame_times_s(samples)
    total = np.zeros(len(times_s))
    for octave in range(octaves):
        corners = times_s * (rate_hz * 2**octave) + rng.random()
        last = int(corners[-1]) + 2
        total += 0.7**octave * np.interp(corners, np.arange(last), rng.standard_normal(last))
    # straight lines between corners of variance 1 have variance 2/3 on average
    return total / math.sqrt(2 / 3 * sum(0.49**octave for octave in range(octaves)))


# --- what dies away --------------------------------------------------------------------------------------------------

BANG_BANDS_HZ = (60.0, 150.0, 400.0, 1000.0, 2500.0, 6000.0, 14_000.0)
"""Centres of the bands that die away by themselves."""


def dying(rng: np.random.Generator, samples: int, levels_db: Sequence[float], t60_s: Sequence[float]) -> list[Layer]:
    """Return the layers of a noise each band of which dies away in its own time; for `QUICK_FRAME_SAMPLES`.

    Args:
        rng: Chance: bands of one place differ by 1.5 dB and an eighth of their time.
        samples: Length of the noise.
        levels_db: RMS of each of `BANG_BANDS_HZ` at the start.
        t60_s: Of each of them.
    """
    times_s = frame_times_s(samples, QUICK_FRAME_SAMPLES)
    layers = []
    for centre_hz, level_db, t60 in zip(BANG_BANDS_HZ, levels_db, t60_s, strict=True):
        fall = np.exp(-DECAY_60_DB * times_s / (t60 * rng.uniform(0.88, 1.13)))
        layers.append(Layer(_bang_band(centre_hz), 10 ** ((level_db + rng.normal(0.0, 1.5)) / 20) * fall))
    return layers


@lru_cache(maxsize=32)
def _bang_band(centre_hz: float) -> Spectrum:
    """Return a band 1.3 octaves wide."""
    return spectrum({centre_hz / 6: -50.0, centre_hz / 1.58: 0.0, centre_hz * 1.58: -2.0, centre_hz * 6: -50.0})


# --- whistles --------------------------------------------------------------------------------------------------------


def whistle(rng: np.random.Generator, samples: int, hz: Signal, bandwidth_hz: float) -> Signal:
    """Return noise of expected RMS 1 in a narrow band that follows a curve: a tone with a wandering level and phase.

    As `narrowband`, at a fifth of its cost: level and phase wander on the grid of `control_times_s`.

    Args:
        rng: Chance.
        samples: Length of the sound.
        hz: The curve on the grid of `control_times_s(samples)`.
        bandwidth_hz: At most 200: the grid has 1 ms.
    """
    places = control_times_s(samples) * (2.0 * bandwidth_hz)
    count = int(places[-1]) + 2
    corners = np.arange(count)
    real, imaginary = (np.interp(places, corners, rng.standard_normal(count)) for _ in range(2))
    level = np.hypot(real, imaginary) * math.sqrt(3 / 2)  # straight lines lose a third of the power
    phase = np.unwrap(np.arctan2(imaginary, real)) / (2 * np.pi)
    passed = np.concatenate([[0.0], np.cumsum(hz[:-1] * (CONTROL_SAMPLES / RATE_HZ))])
    turn = stretched(passed + phase, samples)
    turn -= np.floor(turn)  # as % 1.0, ten times as fast
    return np.asarray(np.cos(2 * np.pi * turn.astype(np.float32)) * stretched(level, samples), np.float64)
