"""Material of sounds that go on: shaped noise, slow random curves, scattered grains.

Everything here is steady from its first sample to its last, and calibrated by construction: a level is what the process
is expected to have, never what one stretch of it happened to have. Two windows of one sound therefore match.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt
from scipy.fft import irfft, next_fast_len

from foley.products import add_scaled, energy, product
from foley.synth.excitation import Signal, decay, length_samples, low_passed
from foley.synth.recipe import Mono
from foley.units import RATE_HZ

LOWEST_HZ = 18.0
"""Noise has nothing below: inaudible, and it would only cost headroom."""

CONTROL_SAMPLES = 48
"""Grid of slow curves, 1 ms: the fastest of them have 200 corners a second."""

BLOCK_SAMPLES, JOIN_SAMPLES = 131_072, 24_000
"""Noise is made in blocks of 2.7 s, which a cache holds: twice as fast as in one piece. They are joined over half a
second: shorter joins would blur spectra by more than 2 Hz, and bass would leak below hearing."""

HEAVIEST_SIGMA = 2.5
"""Grain levels are cut here: 1 grain in 160 would be louder, and a single one could stick out as an event."""


# --- spectra ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Spectrum:
    """Power density of a noise; only its shape counts."""

    hz: tuple[float, ...]
    """Rising."""
    db: tuple[float, ...]
    """dB per Hz; between the points it runs straight over log frequency, outside it stays."""

    def gains(self, size: int) -> Mono:
        """Return the factor for every bin of a real FFT of `size` samples, 0 below `LOWEST_HZ`; it is read-only."""
        return _gains(self, size)


@lru_cache(maxsize=32)
def _gains(shape: Spectrum, size: int) -> Mono:
    log_hz = np.log(np.maximum(np.fft.rfftfreq(size, 1 / RATE_HZ), 1.0)).astype(np.float32)
    # dB become factors on 512 points, not on every bin: exp of every bin would cost more than the FFT
    grid = np.linspace(0.0, float(log_hz[-1]), 512)
    table = (10.0 ** (np.interp(grid, np.log(shape.hz), shape.db) / 20.0)).astype(np.float32)
    place = log_hz * np.float32(511.0 / log_hz[-1])
    index = np.minimum(place.astype(np.int32), 510)
    part = place - index.astype(np.float32)
    gains = table[index] * (1 - part) + table[index + 1] * part
    gains[: math.ceil(LOWEST_HZ * size / RATE_HZ)] = 0.0
    gains.flags.writeable = False
    return np.asarray(gains, np.float32)


def spectrum(points: Mapping[float, float]) -> Spectrum:
    """Return the spectrum through points {Hz: dB per Hz}."""
    hz = tuple(sorted(points))
    return Spectrum(hz, tuple(points[f] for f in hz))


def erb_centres_hz(bands: int, low_hz: float = 50.0, high_hz: float = 10_000.0) -> Signal:
    """Return centres of bands that overlap by half and are even on the ERB-rate scale.

    Source: B. Glasberg, B. Moore, "Derivation of auditory filter shapes from notched-noise data", Hear. Res. 47, 1990.
    """
    edges = 21.4 * np.log10(1 + 0.00437 * np.array([low_hz, high_hz]))
    rate = np.linspace(edges[0], edges[1], bands + 2)[1:-1]
    return np.asarray((10 ** (rate / 21.4) - 1) / 0.00437, np.float64)


def erb_spectrum(levels_db: Sequence[float], *, bands: int = 30) -> Spectrum:
    """Return the spectrum with these levels in ERB bands from 50 Hz to 10 kHz.

    Fewer levels than bands are spread evenly and joined. Above 10 kHz the last slope goes on and steepens.
    """
    levels = np.interp(np.linspace(0, 1, bands), np.linspace(0, 1, len(levels_db)), levels_db)
    centres = erb_centres_hz(bands)
    density = levels - 10 * np.log10(24.7 * (1 + 0.00437 * centres))
    air = density[-1] + min(0.0, float(levels[-1] - levels[-4])) - 4.0
    return Spectrum((20.0, *centres.tolist(), 16_000.0, 22_000.0), (density[0] - 9, *density.tolist(), air, air - 12))


def tinted(base: Spectrum, rng: np.random.Generator, depth_db: float) -> Spectrum:
    """Return the spectrum of another specimen of the same kind: bent by a random curve of five points."""
    bend = np.interp(np.linspace(0, 1, len(base.hz)), np.linspace(0, 1, 5), rng.normal(0, depth_db, 5))
    return Spectrum(base.hz, tuple((np.array(base.db) + bend).tolist()))


def combed(base: Spectrum, rng: np.random.Generator, depth_db: float) -> Spectrum:
    """Return the spectrum as one place and one microphone colour it: uneven from sixth of an octave to sixth.

    Reflections comb what goes on. Recorded rain and surf have peaks of 3 to 4 dB over the median of their band, smooth
    noise has 2; smoothness gives it away.
    """
    hz = np.geomspace(60.0, 16_000.0, 48)
    places = np.unique(np.concatenate([np.array(base.hz), hz]))
    levels_db = np.interp(np.log(places), np.log(base.hz), base.db)
    ripple_db = np.interp(np.log(places), np.log(hz), rng.normal(0.0, depth_db, len(hz)))
    return Spectrum(tuple(places.tolist()), tuple((levels_db + ripple_db).tolist()))


# --- noise and slow curves -------------------------------------------------------------------------------------------


def noise(rng: np.random.Generator, samples: int, shape: Spectrum) -> Signal:
    """Return Gaussian noise of expected RMS 1."""
    if samples + 64 <= BLOCK_SAMPLES:
        return np.asarray(_noise_blocks(rng, 1, next_fast_len(samples + 64, real=True), shape)[0, :samples], np.float64)
    hop = BLOCK_SAMPLES - JOIN_SAMPLES
    blocks = _noise_blocks(rng, -(-samples // hop), BLOCK_SAMPLES, shape)
    # strangers are joined with equal power: the sum is as Gaussian and as loud as they are
    rise = np.sin((np.arange(JOIN_SAMPLES, dtype=np.float32) + 0.5) * (np.pi / 2 / JOIN_SAMPLES))
    turn = np.float32(np.pi / 2) * rise**2
    blocks[1:, :JOIN_SAMPLES] *= np.sin(turn)
    blocks[1:, :JOIN_SAMPLES] += np.cos(turn) * blocks[:-1, hop:]
    return np.asarray(blocks[:, :hop].ravel()[:samples], np.float64)


STORE_SAMPLES = 1 << 18


def noise_piece(rng: np.random.Generator, samples: int, shape: Spectrum) -> Signal:
    """Return what `noise` does, for hits that use the same few colours again and again: a piece of 5.5 s made once.

    Where it begins is chance, and what a hit does with it hides that two may share a stretch; making it anew took a
    third of a step's time.
    """
    if samples > STORE_SAMPLES // 4:
        return noise(rng, samples, shape)
    first = int(rng.integers(STORE_SAMPLES - samples))
    return np.asarray(_stored_noise(shape)[first : first + samples], np.float64)


@lru_cache(maxsize=64)
def _stored_noise(shape: Spectrum) -> Mono:
    return np.asarray(_noise_blocks(np.random.default_rng(STORE_SAMPLES), 1, STORE_SAMPLES, shape)[0], np.float32)


def _noise_blocks(rng: np.random.Generator, rows: int, size: int, shape: Spectrum) -> Mono:
    """Return independent stretches of noise, shape (rows, size)."""
    gains = shape.gains(size)
    drawn = gaussian_bins(rng, (rows, len(gains)))
    drawn *= gains * np.float32(size / (2.0 * math.sqrt(energy(gains))))
    return np.asarray(irfft(drawn, size, axis=1, overwrite_x=True), np.float32)


BIN_RADII = BIN_ANGLES = 64
"""Of the complex numbers that noise is drawn from: the sum of hundreds of bins is Gaussian whatever one of them is."""


def gaussian_bins(rng: np.random.Generator, shape: tuple[int, int]) -> npt.NDArray[np.complex64]:
    """Return bins of noise, complex and Gaussian, of mean square 2."""
    return np.take(_gaussian_table(), rng.integers(0, BIN_RADII * BIN_ANGLES, shape, dtype=np.uint16))


@lru_cache(maxsize=1)
def _gaussian_table() -> npt.NDArray[np.complex64]:
    """Return numbers spread as a complex Gaussian is, of mean square 2: a draw costs a fifth of a new one."""
    radii = np.sqrt(-2.0 * np.log((np.arange(BIN_RADII) + 0.5) / BIN_RADII))
    angles = 2 * np.pi * (np.arange(BIN_ANGLES) + 0.5) / BIN_ANGLES
    bins = np.outer(radii * math.sqrt(2.0 / float(np.mean(radii**2))), np.exp(1j * angles))
    return np.asarray(bins.ravel(), np.complex64)


def slow_random(rng: np.random.Generator, samples: int, rate_hz: float, octaves: int = 1) -> Signal:
    """Return a random curve of expected mean 0 and variance 1 with about `rate_hz` corners a second.

    Each further octave is twice as fast and weaker by 3 dB: close to 1/f, as most of nature's ups and downs are.
    """
    return stretched(slow_nodes(rng, samples, rate_hz, octaves), samples)


def slow_gain(rng: np.random.Generator, samples: int, depth_db: float, *, rate_hz: float, octaves: int = 1) -> Signal:
    """Return a random gain around 1; its level in dB is `slow_random` times `depth_db`."""
    return stretched(10 ** (depth_db / 20 * slow_nodes(rng, samples, rate_hz, octaves)), samples)


def slow_nodes(rng: np.random.Generator, samples: int, rate_hz: float, octaves: int = 1) -> Signal:
    """Return the corners of `slow_random`, for `stretched`."""
    places = control_times_s(samples)
    nodes = np.zeros(len(places))
    for octave in range(octaves):
        corners = places * (rate_hz * 2**octave) + rng.random()
        count = int(corners[-1]) + 2
        nodes += 0.7**octave * np.interp(corners, np.arange(count), rng.standard_normal(count))
    # straight lines between corners of variance 1 have variance 2/3 on average
    return np.asarray(nodes / math.sqrt(2 / 3 * sum(0.49**octave for octave in range(octaves))), np.float64)


def control_times_s(samples: int) -> Signal:
    """Return the times of the corners from which `stretched` makes a curve of `samples`."""
    return np.arange(samples // CONTROL_SAMPLES + 2, dtype=np.float64) * (CONTROL_SAMPLES / RATE_HZ)


def stretched(nodes: Signal, samples: int) -> Signal:
    """Return the curve that runs straight between corners 1 ms apart: slow curves are made on a coarse grid."""
    # a product of matrices: 25 times as fast as adding row by row
    ends = np.stack([nodes[:-1], nodes[1:]], axis=1)
    return np.asarray(product(ends, _RAMPS).ravel()[:samples], np.float64)


_RAMPS = np.stack([1.0 - np.arange(CONTROL_SAMPLES) / CONTROL_SAMPLES, np.arange(CONTROL_SAMPLES) / CONTROL_SAMPLES])
"""From one corner to the next: how much there is of either."""


def alive(
    rng: np.random.Generator, sound: Signal, depth_db: float, *, common: float = 0.6, rate_hz: float = 0.4
) -> Signal:
    """Return the sound with four bands (edges 250, 1200, 4500 Hz) that swell slowly, partly together.

    Stationary noise gives synthesis away: recorded rain, wind and sea have 2 to 5 dB more envelope modulation below
    3 Hz, and their bands swell together with correlations of 0.2 to 0.5 (measured on field recordings).

    Args:
        rng: Chance.
        sound: What is to live.
        depth_db: Spread of each band's level.
        common: Share of the swell that all bands have, 0 to 1.
        rate_hz: Corners a second of the slowest octave of four.
    """
    samples = len(sound)
    together = common * slow_nodes(rng, samples, rate_hz, 4)
    lively = np.zeros(samples)
    rest = sound
    for edge_hz in (250.0, 1200.0, 4500.0, None):
        band = rest if edge_hz is None else low_passed(rest, edge_hz, order=1)
        rest = rest - band
        own = math.sqrt(1 - common**2) * slow_nodes(rng, samples, 1.6 * rate_hz, 4)
        lively += band * stretched(10 ** (depth_db / 20 * (together + own)), samples)
    return lively


def reverberant(
    rng: np.random.Generator, sound: Signal, t60_s: float, *, wet: float, corner_hz: float = 5000.0
) -> Signal:
    """Return the sound with what a large space adds to it, as long as it was.

    Args:
        rng: Chance: no two places answer alike.
        sound: The dry sound.
        t60_s: Reverberation time.
        wet: RMS of the answer to a steady sound of RMS 1.
        corner_hz: The answer is duller above.
    """
    from scipy.signal import oaconvolve

    length = length_samples(t60_s)
    answer = low_passed(rng.standard_normal(length) * decay(length, t60_s), corner_hz, 1)
    answer *= wet / math.sqrt(energy(answer))
    return np.asarray(sound + oaconvolve(sound, answer)[: len(sound)], np.float64)


def narrowband(rng: np.random.Generator, hz: Signal, bandwidth_hz: float) -> Signal:
    """Return noise of expected RMS 1 in a narrow band that follows the curve `hz`."""
    angle = turns(hz)
    wander = (slow_random(rng, len(hz), 2 * bandwidth_hz) for _ in range(2))
    return np.asarray(next(wander) * np.cos(angle) + next(wander) * np.sin(angle), np.float64)


def turns(hz: Signal, *, start: float = 0.0) -> Mono:
    """Return the angle in radians of a tone that follows the curve `hz`.

    It has 32 bits: sines of those cost a tenth, and wrapped to one turn they are exact to -140 dB.
    """
    return np.asarray(2 * np.pi * ((cycles(hz) + start) % 1.0), np.float32)


def cycles(hz: Signal) -> Signal:
    """Return how many periods have passed at each sample."""
    return np.cumsum(hz, dtype=np.float64) / RATE_HZ


# --- grains ----------------------------------------------------------------------------------------------------------


def poisson(
    rng: np.random.Generator, samples: int, rate_hz: float, *, curve: Signal | Mono | None = None, before: int = 0
) -> npt.NDArray[np.int64]:
    """Return the rising positions of independent events.

    Args:
        rng: Chance.
        samples: Length of the stretch.
        rate_hz: Events a second.
        curve: Share of them that happens, 0 to 1, for every sample.
        before: Also events up to so many samples before the start, which ring into it; positions below 0.
    """
    count = rng.poisson(rate_hz * (samples + before) / RATE_HZ)
    at = np.sort(rng.integers(-before, max(samples, 1), count))
    if curve is None or not samples:
        return at
    return at[rng.random(count) < curve[np.maximum(at, 0)]]


def heavy(rng: np.random.Generator, count: int, sigma: float) -> Signal:
    """Return log-normal levels of median 1: many small grains and few large ones, as in all that crackles."""
    return np.asarray(np.exp(sigma * np.minimum(rng.standard_normal(count), HEAVIEST_SIGMA)), np.float64)


def heavy_power(sigma: float) -> float:
    """Return the expected square of `heavy`."""
    reach = HEAVIEST_SIGMA

    def below(z: float) -> float:
        return 0.5 * (1 + math.erf(z / math.sqrt(2)))

    return math.exp(2 * sigma**2) * below(reach - 2 * sigma) + math.exp(2 * sigma * reach) * (1 - below(reach))


def scatter(
    samples: int,
    at: npt.NDArray[np.int64],
    levels: Signal,
    *,
    grains: Sequence[Signal],
    which: npt.NDArray[np.int64],
    onto: Signal | None = None,
) -> Signal:
    """Return grains added at positions, to `onto` itself if given; those over an edge ring in or are cut."""
    longest = max(len(grain) for grain in grains)
    canvas = np.zeros(samples) if onto is None else onto
    whole = (at >= 0) & (at <= samples - longest)
    chosen = [grains[index] for index in which[whole].tolist()]
    add_scaled(canvas, chosen, levels[whole].tolist(), at=at[whole].tolist())
    cut = ~whole & (at > -longest) & (at < samples)
    for start, level, index in zip(at[cut].tolist(), levels[cut].tolist(), which[cut].tolist(), strict=True):
        heard = grains[index][max(0, -start) : samples - start]
        canvas[max(0, start) : max(0, start) + len(heard)] += level * heard
    return canvas


def unit_energy(grains: Sequence[Signal]) -> list[Signal]:
    """Return the grains at one energy each, so that their levels alone say how loud they are."""
    return [grain / math.sqrt(energy(grain) + 1e-12) for grain in grains]


def clouds(
    rng: np.random.Generator, grains: Sequence[Signal], *, of: int, spread_s: float, sigma: float, count: int = 64
) -> list[Signal]:
    """Return clouds of grains, each of unit energy: a dense shower of clouds costs a fraction of one of grains.

    Args:
        rng: Chance.
        grains: Of unit energy.
        of: Grains in a cloud.
        spread_s: Over which they fall; long enough for several clouds to overlap.
        sigma: Spread of their log-normal levels.
        count: Clouds: enough that none is heard to come back.
    """
    spread = length_samples(spread_s)
    each = spread + max(len(grain) for grain in grains)
    # all of them in one canvas, side by side
    at = (each * np.arange(count)[:, None] + rng.integers(0, spread, (count, of))).ravel()
    which = rng.integers(0, len(grains), len(at))
    sky = scatter(count * each, at, heavy(rng, len(at), sigma), grains=grains, which=which)
    return unit_energy(list(sky.reshape(count, each)))


def shower(
    rng: np.random.Generator,
    samples: int,
    grains: Sequence[Signal],
    *,
    rate_hz: float,
    sigma: float,
    curve: Signal | Mono | None = None,
    level: float = 1.0,
    onto: Signal | None = None,
) -> Signal:
    """Return grains of unit energy fallen at random; expected RMS `level` where `curve` is 1.

    The power of shot noise is rate times energy (Campbell's theorem), so the level needs no measuring.

    Args:
        rng: Chance.
        samples: Length of the stretch.
        grains: Of unit energy.
        rate_hz: Grains a second where `curve` is 1.
        sigma: Spread of their log-normal levels: 0.6 even, 1.4 crackling.
        curve: Share of the rate, 0 to 1, for every sample.
        level: Of all of them together.
        onto: A sound of 64 bits and as many samples, to add to it itself: it saves a pass.
    """
    at = poisson(rng, samples, rate_hz, curve=curve, before=max(len(grain) for grain in grains))
    levels = heavy(rng, len(at), sigma) * (level / math.sqrt(rate_hz / RATE_HZ * heavy_power(sigma)))
    return scatter(samples, at, levels, grains=grains, which=rng.integers(0, len(grains), len(at)), onto=onto)
