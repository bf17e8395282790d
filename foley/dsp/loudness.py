"""Measure loudness as a stream: ITU-R BS.1770-4 with the gates of EBU R 128, and true peak; and the targets to meet.

Sources: Recommendation ITU-R BS.1770-4 (10/2015), Annexes 1 and 2; EBU R 128 (2023) and EBU Tech 3341.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

import numpy as np
import numpy.typing as npt

from foley.dsp.true_peak import Oversampler, highest
from foley.model import LoudnessFigures
from foley.units import to_db

Block = npt.NDArray[np.float32]
"""Sound in passing, shape (channels, samples)."""
Energies = npt.NDArray[np.float64]

ProfileName = Literal["ebu-r128", "web", "off"]

TOLERANCE_LU = 0.5
"""How far from its target a programme may be (EBU R 128, 2023)."""
STEP_S = 0.1
"""Gating blocks of 400 ms overlap by 75 %: a new one every 100 ms."""
_STEPS_PER_BLOCK = 4
_ABSOLUTE_GATE_LUFS = -70.0
_RELATIVE_GATE_LU = 10.0
_OFFSET_DB = -0.691
"""Makes a 997 Hz sine of 0 dBFS in one front channel read -3.01 LUFS."""
_SURROUND_WEIGHT = 1.41
_FIVE, _FIVE_ONE = 5, 6
_INAUDIBLE = 1e-15
"""A filter's memory below this (-300 dB) is silence; kept, it would run into denormal numbers, which are slow."""


@dataclass(frozen=True, slots=True)
class LoudnessProfile:
    """What a delivery asks for."""

    target_lufs: float | None
    """Integrated loudness; None: whatever it is."""
    ceiling_dbtp: float
    short_peak_dbtp: float
    """True peak of a sound that is too short to have a loudness."""
    source: str


PROFILES: Mapping[ProfileName, LoudnessProfile] = MappingProxyType(
    {
        "ebu-r128": LoudnessProfile(
            -23.0, -1.0, -9.0, "EBU R 128 (2023); peaks of short sounds at the permitted maximum level of EBU R 68"
        ),
        "web": LoudnessProfile(
            -14.0, -1.0, -1.0, "what large video and music services play at; no standard of delivery"
        ),
        "off": LoudnessProfile(None, -1.0, -1.0, "levels as planned; the ceiling is that of EBU R 128"),
    }
)


class KWeighting:
    """The filter before the meter: a head's high shelf, then a high-pass (BS.1770-4, Annex 1, figures 2 to 5)."""

    def __init__(self, rate_hz: int, channels: int) -> None:
        """Begin a stream of silence before the first sample."""
        self._sections = k_weighting(rate_hz)
        self._state = np.zeros((len(self._sections), channels, 2))

    def add(self, block: Block) -> npt.NDArray[np.float64]:
        """Return the block weighted, shape (channels, samples)."""
        from scipy.signal import sosfilt

        self._state[np.abs(self._state) < _INAUDIBLE] = 0.0
        if not self._state.any() and not block.any():
            return np.zeros(block.shape)
        weighted, self._state = sosfilt(self._sections, block, axis=1, zi=self._state)
        return np.asarray(weighted)


class LoudnessMeter:
    """Measures sound that comes in blocks: integrated loudness, true peak, sample peak."""

    def __init__(self, rate_hz: int, channels: int) -> None:
        """Begin a measurement.

        Args:
            rate_hz: Rate of the sound, 8 kHz or more.
            channels: Five are L R C Ls Rs, six L R C LFE Ls Rs; any other number counts evenly.
        """
        self._rate_hz = rate_hz
        self._weights = channel_weights(channels)
        self._filter = KWeighting(rate_hz, channels)
        self._oversampler = Oversampler(channels)
        self._steps: list[float] = []
        self._open_energy, self._samples = 0.0, 0
        self._true_peak, self._sample_peak = 0.0, 0.0

    def add(self, block: Block) -> None:
        """Take in the next samples, shape (channels, samples)."""
        if not block.shape[1]:
            return
        self._sample_peak = max(self._sample_peak, float(np.abs(block).max()))
        self._see(highest(self._oversampler.add(block)))
        power = self._weights @ np.square(self._filter.add(block))
        self._add_steps(power)

    def _add_steps(self, power: Energies) -> None:
        first, self._samples = self._samples, self._samples + len(power)
        ends: list[int] = []
        while (end := self._step_end(len(self._steps) + len(ends))) <= self._samples:
            ends.append(end - first)
        *whole, rest = (float(part.sum()) for part in np.split(power, ends))
        for energy in whole:
            self._steps.append(self._open_energy + energy)
            self._open_energy = 0.0
        self._open_energy += rest

    def _step_end(self, step: int) -> int:
        return math.floor((step + 1) * STEP_S * self._rate_hz + 0.5)

    def _see(self, peaks: npt.NDArray[np.float32]) -> None:
        self._true_peak = max(self._true_peak, float(peaks.max(initial=0.0)))

    def integrated_lufs(self) -> float | None:
        """Return the loudness of all of it; None where it is shorter than 400 ms or never reaches -70 LUFS."""
        return gated_lufs(np.array(self._steps) / (STEP_S * self._rate_hz))

    def true_peak_dbtp(self) -> float:
        """Return the highest true peak of what was added, which ends the measurement of peaks."""
        self._see(highest(self._oversampler.finish()))
        return to_db(max(self._true_peak, self._sample_peak))

    def figures(self, *, target_lufs: float | None, ceiling_dbtp: float) -> LoudnessFigures:
        """Return what was measured, judged: within 0.5 LU of the target, where there is one, and under the ceiling."""
        lufs, peak_dbtp = self.integrated_lufs(), self.true_peak_dbtp()
        met = target_lufs is None or lufs is None or abs(lufs - target_lufs) <= TOLERANCE_LU
        return LoudnessFigures(lufs, peak_dbtp, target_lufs, ceiling_dbtp, passed=met and peak_dbtp <= ceiling_dbtp)

    @property
    def sample_peak(self) -> float:
        """Return the highest absolute sample, as a factor of full scale."""
        return self._sample_peak


def gated_lufs(steps: Energies) -> float | None:
    """Return integrated loudness from the weighted mean square of every 100 ms.

    Blocks of 400 ms under -70 LUFS do not count, nor do those 10 LU under the mean of the rest.
    Source: BS.1770-4, Annex 1, equations (2) to (7).
    """
    if len(steps) < _STEPS_PER_BLOCK:
        return None
    blocks = np.convolve(steps, np.full(_STEPS_PER_BLOCK, 1 / _STEPS_PER_BLOCK), "valid")
    blocks = blocks[blocks > _mean_square(_ABSOLUTE_GATE_LUFS)]
    if not len(blocks):
        return None
    gate = blocks.mean() * 10 ** (-_RELATIVE_GATE_LU / 10)
    return _OFFSET_DB + 10 * math.log10(blocks[blocks > gate].mean())


def _mean_square(loudness_lufs: float) -> float:
    return math.pow(10.0, (loudness_lufs - _OFFSET_DB) / 10.0)


def channel_weights(channels: int) -> npt.NDArray[np.float64]:
    """Return how much each channel counts: surrounds 1.41, low frequencies 0 (BS.1770-4, table 3)."""
    if channels == _FIVE:
        return np.array([1.0, 1.0, 1.0, _SURROUND_WEIGHT, _SURROUND_WEIGHT])
    if channels == _FIVE_ONE:
        return np.array([1.0, 1.0, 1.0, 0.0, _SURROUND_WEIGHT, _SURROUND_WEIGHT])
    return np.ones(channels)


def k_weighting(rate_hz: int) -> npt.NDArray[np.float64]:
    """Return the two filter sections for any rate, shape (2, 6), rows b0 b1 b2 a0 a1 a2.

    BS.1770-4 gives coefficients for 48 kHz alone (Annex 1, tables 1 and 2). They are those of two analogue filters
    under the bilinear transform: a shelf of +4 dB at 1682 Hz and a high-pass at 38.1 Hz; with the analogue figures
    found, any rate follows. Source of the figures: B. De Man, "Evaluation of implementations of the EBU R128
    loudness measurement", AES 145th Convention, 2018.

    >>> k_weighting(48_000).round(8).tolist()[0]
    [1.53512486, -2.69169619, 1.19839281, 1.0, -1.69065929, 0.73248077]
    """
    omega = math.tan(math.pi * 1681.974450955533 / rate_hz)
    quality, high = 0.7071752369554196, 10 ** (3.999843853973347 / 20)
    middle = high**0.4996667741545416
    scale = 1 + omega / quality + omega**2
    shelf = [
        (high + middle * omega / quality + omega**2) / scale,
        2 * (omega**2 - high) / scale,
        (high - middle * omega / quality + omega**2) / scale,
        1.0,
        2 * (omega**2 - 1) / scale,
        (1 - omega / quality + omega**2) / scale,
    ]
    omega, quality = math.tan(math.pi * 38.13547087602444 / rate_hz), 0.5003270373238773
    scale = 1 + omega / quality + omega**2
    high_pass = [1.0, -2.0, 1.0, 1.0, 2 * (omega**2 - 1) / scale, (1 - omega / quality + omega**2) / scale]
    return np.array([shelf, high_pass])
