"""What answers a blow: banks of modes, dense fields of modes, combs, the dull body underneath.

Sources: K. van den Doel, D. Pai, "The sounds of physical shapes", Presence 7, 1998 (modal synthesis); N. Fletcher,
T. Rossing, "The Physics of Musical Instruments", 1998 (mode ratios).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import lru_cache

import numpy as np
import numpy.typing as npt
from scipy import fft

from foley.products import energy, product
from foley.synth.excitation import DECAY_60_DB, Signal, decay, length_samples, low_passed, white
from foley.units import RATE_HZ

BAR_RATIOS = (1.0, 2.756, 5.404, 8.933, 13.344, 18.64, 24.81)
"""Bending modes of a free bar."""

CUP_RATIOS = (1.0, 2.32, 4.25, 6.63, 9.38, 12.2)
"""Bending modes of a cup or wine glass."""

MEMBRANE_RATIOS = (
    1.0,
    1.594,
    2.136,
    2.296,
    2.653,
    2.918,
    3.156,
    3.501,
    3.6,
    3.652,
    4.06,
    4.154,
    4.61,
    4.83,
    5.13,
    5.41,
)
"""Modes of an ideal round membrane: zeros of Bessel functions."""

DISC_RATIOS = (1.0, 1.73, 2.33, 3.91, 4.11, 6.30, 6.71)
"""Bending modes of a free disc: coins, lids, cymbals."""

BELL_RATIOS = (0.5, 1.0, 1.2, 1.5, 2.0, 2.5, 2.67, 3.0, 4.0, 5.33, 6.67)
"""Of a tuned church bell, re its strike note: hum, prime, tierce, quint, nominal, and those above."""

BLOCK_SAMPLES = 256
"""Table length of the modal bank: near the square root of the usual length, where two tables are shortest together."""

_GONE = 1e-20
"""Under this a mode is silent (-400 dB); kept, it would run into denormal numbers, which are slow."""

GROUP_MODES = 16
"""Modes multiplied at once; they are sorted by length, so that few are computed far beyond their end."""


def ring_modes(
    frequencies_hz: Signal,
    t60_s: Signal,
    amplitudes: Signal,
    length: int,
    *,
    phases: Signal | None = None,
    floor_db: float = -75.0,
) -> Signal:
    """Return the sum of damped sines: a exp(-6.91 t / t60) sin(2 pi f t + phase).

    z^(256 m + k) = z^(256 m) z^k turns the powers of every mode into two short tables and their products; a group of
    modes stops where the last of them falls under `floor_db` re the strongest of all. Modes under 15 Hz or near half
    the rate are left out.
    """
    turns = np.zeros(len(frequencies_hz)) if phases is None else phases
    level_db = 20.0 * np.log10(np.abs(amplitudes) / (np.abs(amplitudes).max() + 1e-12) + 1e-12)
    t60 = np.maximum(t60_s, 0.002)
    heard = np.minimum(length, t60 * RATE_HZ * (level_db - floor_db) / 60.0).astype(np.intp)
    used = np.nonzero((frequencies_hz > 15.0) & (frequencies_hz < 0.46 * RATE_HZ) & (heard >= 8))[0]
    used = used[np.argsort(heard[used])]
    poles = -DECAY_60_DB / (t60 * RATE_HZ) + 2j * np.pi * np.asarray(frequencies_hz) / RATE_HZ
    starts = np.asarray(amplitudes) * np.exp(1j * turns)
    sound = np.zeros(length)
    for group in (used[first : first + GROUP_MODES] for first in range(0, len(used), GROUP_MODES)):
        last = int(heard[group[-1]])
        blocks = -(-last // BLOCK_SAMPLES)
        fine = _powers(poles[group])
        coarse = starts[group, None] * _powers(BLOCK_SAMPLES * poles[group], blocks)
        # the imaginary part of a complex product, as one of twice as many rows; in single precision: half the time
        rows, columns = np.concatenate([coarse.imag, coarse.real]), np.concatenate([fine.real, fine.imag])
        rows[np.abs(rows) < _GONE] = 0.0
        sound[:last] += product(rows.T.astype(np.float32), columns.astype(np.float32)).ravel()[:last]
    return sound


def _powers(poles: npt.NDArray[np.complex128], count: int = BLOCK_SAMPLES) -> npt.NDArray[np.complex128]:
    """Return exp(pole k) for k from 0 to `count` - 1, shape (modes, count): products of two tables of its root each."""
    side = math.isqrt(count - 1) + 1
    steps = np.arange(side)
    rough, smooth = np.exp(poles[:, None] * (side * steps)), np.exp(poles[:, None] * steps)
    return np.asarray((rough[:, :, None] * smooth[:, None, :]).reshape(len(poles), -1)[:, :count], np.complex128)


def ring_takes(
    frequencies_hz: Signal, t60_s: Signal, amplitudes: npt.NDArray[np.complex128], *, length: int
) -> npt.NDArray[np.float64]:
    """Return several blows on one bank of modes at the cost of little more than one, shape (takes, length).

    The damped waves are computed once, each take weighs them anew: what rattles touches many times.

    Args:
        frequencies_hz: Shape (modes,).
        t60_s: Shape (modes,).
        amplitudes: Strength and phase, shape (takes, modes).
        length: In samples.
    """
    poles = -DECAY_60_DB / (np.maximum(t60_s, 0.002) * RATE_HZ) + 2j * np.pi * np.asarray(frequencies_hz) / RATE_HZ
    fine = _powers(poles)
    coarse = _powers(BLOCK_SAMPLES * poles, -(-length // BLOCK_SAMPLES))
    waves = (coarse[:, :, None] * fine[:, None, :]).astype(np.complex64).reshape(len(poles), -1)[:, :length]
    return np.asarray(product(amplitudes.astype(np.complex64), waves).imag, np.float64)


def plate_modes_hz(rng: np.random.Generator, lowest_hz: float, count: int) -> Signal:
    """Return the modes of a plate of random shape: f ~ m^2 + (r n)^2, which is evenly dense in frequency."""
    shape = rng.uniform(1.2, 2.2)
    m, n = np.meshgrid(np.arange(1, 16), np.arange(1, 16))
    squares = np.sort((m**2 + (n * shape) ** 2).ravel().astype(np.float64))[:count]
    return np.asarray(lowest_hz * squares / squares[0] * np.exp(rng.normal(0.0, 0.015, len(squares))), np.float64)


def block_modes_hz(rng: np.random.Generator, lowest_hz: float, count: int) -> Signal:
    """Return the modes of a solid lump: their density grows with frequency."""
    ladder = (1.0 + 1.6 * np.arange(count)) ** 0.55
    return np.asarray(lowest_hz * ladder * np.exp(rng.normal(0.0, 0.05, count)), np.float64)


def paired_modes_hz(
    rng: np.random.Generator, lowest_hz: float, *, ratios: tuple[float, ...], split: tuple[float, float]
) -> Signal:
    """Return modes with a partner each: nothing is perfectly round or even, so modes come in pairs that beat.

    Args:
        rng: Source of chance.
        lowest_hz: The first mode.
        ratios: Of the modes to the first.
        split: Range of the partner's ratio to its mode.
    """
    base = np.asarray(ratios) * np.exp(rng.normal(0.0, 0.01, len(ratios)))
    partners = base * rng.uniform(split[0], split[1], len(ratios))
    return np.asarray(lowest_hz * np.sort(np.concatenate([base, partners])), np.float64)


def diffuse_field(
    rng: np.random.Generator, length: int, t60_s: Callable[[float], float], level_db: Callable[[float], float]
) -> Signal:
    """Return the dense limit of a resonator: octave bands of noise that die away as the material does; peak 1.

    It stands for hundreds of modes at a fraction of their cost.

    Args:
        rng: Source of chance.
        length: In samples.
        t60_s: Decay time at a frequency in Hz.
        level_db: Level per octave at a frequency in Hz.
    """
    rows = -(-length // BLOCK_SAMPLES)
    sound = np.zeros((rows, BLOCK_SAMPLES), np.float32)
    for centre_hz in (125.0 * 2.0 ** np.arange(8)).tolist():
        t60 = max(t60_s(centre_hz), 0.004)
        heard = min(rows, 1 + int(1.2 * t60 * RATE_HZ) // BLOCK_SAMPLES)
        gain = 10.0 ** (level_db(centre_hz) / 20.0) / math.sqrt(centre_hz)
        # exp(256 m + k) is a product: what dies away is two short tables and the noise
        fall = (gain * decay(heard, t60 / BLOCK_SAMPLES)).astype(np.float32)
        octave = _octave_noise(rng, heard * BLOCK_SAMPLES, centre_hz).reshape(heard, BLOCK_SAMPLES)
        octave = octave * decay(BLOCK_SAMPLES, t60).astype(np.float32)
        octave *= fall[:, None]
        sound[:heard] += octave
    made = sound.ravel()[:length]
    return np.asarray(made / (float(np.abs(made[: length_samples(0.03)]).max()) + 1e-12), np.float64)


STORE_SAMPLES = 1 << 18
"""Of each octave's noise, 5.5 s: a hit takes a piece that begins anywhere in it; making it anew costs twenty times as
much."""


def _octave_noise(rng: np.random.Generator, length: int, centre_hz: float) -> npt.NDArray[np.float32]:
    """Return noise from half to twice a frequency, strongest at it."""
    stored = _stored_octave(centre_hz, max(STORE_SAMPLES, 1 << (2 * length).bit_length()))
    first = int(rng.integers(len(stored) - length))
    return stored[first : first + length]


@lru_cache(maxsize=32)
def _stored_octave(centre_hz: float, size: int) -> npt.NDArray[np.float32]:
    first = math.ceil(size * centre_hz / 2.0 / RATE_HZ)
    last = min(size // 2, int(size * centre_hz * 2.0 / RATE_HZ))
    octaves = np.abs(np.log2(np.arange(first, last + 1) * (RATE_HZ / (size * centre_hz))))
    share = np.sqrt(np.maximum(1.0 - octaves, 0.0) * (size / 2.0)).astype(np.float32)
    chance = np.random.default_rng(round(centre_hz))
    bins = np.zeros(size // 2 + 1, np.complex64)
    bins[first : last + 1] = chance.standard_normal((len(share), 2), dtype=np.float32).view(np.complex64)[:, 0] * share
    return np.asarray(fft.irfft(bins, size), np.float32)


def comb(samples: Signal, delay_samples: int, feedback: float) -> Signal:
    """Return y[n] = x[n] + feedback * y[n - delay]: a pipe, a gap between walls."""
    rows = -(-len(samples) // delay_samples)
    padded = np.zeros(rows * delay_samples)
    padded[: len(samples)] = samples
    table = padded.reshape(rows, delay_samples)
    for row in range(1, rows):
        table[row] += feedback * table[row - 1]
    return padded[: len(samples)]


def resonance(samples: Signal, centre_hz: float, quality: float) -> Signal:
    """Return the sound through one resonance (a two-pole peak filter, gain 1 at its centre)."""
    from scipy import signal

    b, a = signal.iirpeak(min(centre_hz, 0.45 * RATE_HZ), quality, fs=RATE_HZ)
    return np.asarray(signal.lfilter(b, a, samples), np.float64)


HISS_T60_S, HISS_S = 0.05, 0.075
"""How fast the noise of a thud dies away, and when it is gone: 90 dB down."""


def thud(rng: np.random.Generator, pitch_hz: float, t60_s: float, *, drop: float = 0.35, noise: float = 0.15) -> Signal:
    """Return a dull blow: a low tone whose pitch falls as the contact relaxes, with noise under 900 Hz; peak about 1.

    Body, drum, floor and door frame answer so. The tone starts at its crest, as a push does, not at a zero.

    Args:
        rng: Source of chance.
        pitch_hz: After it has fallen.
        t60_s: Decay time of the tone.
        drop: How far above its pitch it starts, as a share of it.
        noise: Peak of the noise, which dies away in 50 ms.
    """
    length = length_samples(1.15 * t60_s)
    relaxing_s = 0.16 * t60_s
    # pitch (1 + drop exp(-t / relaxing)), summed up: a geometric series
    ratio = math.exp(-1.0 / (relaxing_s * RATE_HZ))
    left = decay(length, DECAY_60_DB * relaxing_s)
    cycles = np.arange(1, length + 1) * (pitch_hz / RATE_HZ)
    cycles += (pitch_hz / RATE_HZ * drop / (1.0 - ratio)) * (1.0 - ratio * left)
    cycles -= np.floor(cycles)
    # one turn in single precision: a fifth of the time, and an error of -140 dB
    tone = np.sin((2.0 * np.pi * cycles + 0.4).astype(np.float32)) * decay(length, t60_s)
    yields = min(length, length_samples(0.0015))  # 1.5 ms: flesh and boards give way before they push back
    tone[:yields] *= np.arange(yields) / (0.0015 * RATE_HZ)
    short = min(length, length_samples(HISS_S))
    hiss = low_passed(white(rng, short), 900.0) * decay(short, HISS_T60_S)
    tone[:short] += (noise / (float(np.abs(hiss).max()) + 1e-12)) * hiss
    return tone


def resonant_grains(
    rng: np.random.Generator,
    low_hz: float,
    high_hz: float,
    *,
    quality: tuple[float, float],
    decay_s: float,
    count: int = 96,
) -> list[Signal]:
    """Return small damped knocks of unit energy: what one pebble, fibre or crystal adds to a crunch.

    A damped sine with half as much noise on it: a grain is struck by its neighbours, not by a needle.

    Args:
        rng: Source of chance.
        low_hz: Lowest resonance.
        high_hz: Highest; between them they are even in log frequency.
        quality: Range of their Q: 1 a tick, 8 a little stone.
        decay_s: No grain is much shorter than 0.3 times this, none longer than 6 times.
        count: How many.
    """
    longest = length_samples(min(0.05, 6.0 * decay_s))
    grains = []
    for hz in np.exp(rng.uniform(np.log(low_hz), np.log(high_hz), count)).tolist():
        t60 = max(2.2 * rng.uniform(*quality) / hz, 0.3 * decay_s)
        length = min(longest, length_samples(GRAIN_T60S * t60))
        t_s, fall = np.arange(length) / RATE_HZ, decay(length, t60)
        grain = np.sin(2.0 * np.pi * hz * t_s + rng.uniform(0.0, 2.0 * np.pi)) * fall
        grain += 0.5 * white(rng, length) * decay(length, 0.5 * t60)
        grain *= np.minimum(1.0, t_s * hz / 0.15)
        grain -= fall * (float(grain.sum()) / float(fall.sum()))
        grains.append(np.asarray(grain / (np.sqrt(energy(grain)) + 1e-12), np.float64))
    return grains


GRAIN_T60S = 1.1
"""Of its own decay time a grain lasts: it ends 66 dB down. Hits add hundreds of them: what is silent is not kept."""
