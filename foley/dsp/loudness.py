"""Measure loudness as a stream: ITU-R BS.1770-4 with the gates of EBU R 128, its maxima and range, and true peak.

Sources: Recommendation ITU-R BS.1770-4 (10/2015), Annexes 1 to 3; EBU R 128 (2023), EBU Tech 3341 and EBU Tech 3342.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from foley.dsp.profiles import NOBODY_LOOKED, PROFILES, Dialogue, ProfileName, aim
from foley.dsp.true_peak import Oversampler, highest
from foley.model import LoudnessFigures, Span
from foley.units import to_db

Block = npt.NDArray[np.float32]
"""Sound in passing, shape (channels, samples)."""
Energies = npt.NDArray[np.float64]
Counted = npt.NDArray[np.bool_]

STEP_S = 0.1
"""Gating blocks of 400 ms overlap by 75 %: a new one every 100 ms."""
_STEPS_PER_BLOCK = 4
_STEPS_PER_SHORT_TERM = 30
"""3 s, EBU Tech 3341."""
_ABSOLUTE_GATE_LUFS = -70.0
_RELATIVE_GATE_LU = 10.0
_RANGE_GATE_LU = 20.0
_RANGE_SHARES = (0.10, 0.95)
"""Of the short-term values, which the loudness range spans (EBU Tech 3342)."""
_OFFSET_DB = -0.691
"""Makes a 997 Hz sine of 0 dBFS in one front channel read -3.01 LUFS."""
_SURROUND_WEIGHT = 1.41
_WEIGHTS = {
    5: (1.0, 1.0, 1.0, _SURROUND_WEIGHT, _SURROUND_WEIGHT),
    6: (1.0, 1.0, 1.0, 0.0, _SURROUND_WEIGHT, _SURROUND_WEIGHT),
    8: (1.0, 1.0, 1.0, 0.0, 1.0, 1.0, _SURROUND_WEIGHT, _SURROUND_WEIGHT),
}
"""L R C Ls Rs; L R C LFE Ls Rs; L R C LFE, then back and side: what lies past 120 degrees weighs 1 (Annex 3)."""
_INAUDIBLE = 1e-15
"""A filter's memory below this (-300 dB) is silence; kept, it would run into denormal numbers, which are slow."""


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
            channels: Five are L R C Ls Rs, six L R C LFE Ls Rs, eight L R C LFE Lb Rb Ls Rs; others count evenly.
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
        known = max(self._true_peak, self._sample_peak)
        self._see(highest(self._oversampler.add(block, over=known)))
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

    @property
    def steps(self) -> Energies:
        """Return the weighted mean square of every 100 ms so far."""
        return np.array(self._steps) / (STEP_S * self._rate_hz)

    @property
    def duration_s(self) -> float:
        """Return how much was added."""
        return self._samples / self._rate_hz

    def integrated_lufs(self) -> float | None:
        """Return the loudness of all of it; None where it is shorter than 400 ms or never reaches -70 LUFS."""
        return gated_lufs(self.steps)

    def spoken_lufs(self, speech: Sequence[Span]) -> float | None:
        """Return the loudness where somebody speaks; None where no 400 ms of it reach -70 LUFS."""
        return gated_lufs(self.steps, steps_within(speech, len(self._steps)))

    def true_peak_dbtp(self) -> float:
        """Return the highest true peak of what was added, which ends the measurement of peaks."""
        self._see(highest(self._oversampler.finish()))
        return to_db(max(self._true_peak, self._sample_peak))

    def figures(self, profile: ProfileName, dialogue: Dialogue = NOBODY_LOOKED) -> LoudnessFigures:
        """Return what was measured, judged by a profile; what is silent or too short for a loudness passes with any.

        Args:
            profile: What is asked for.
            dialogue: Where somebody speaks in it.
        """
        asked, steps = PROFILES[profile], self.steps
        aimed = aim(asked, dialogue, self.duration_s)
        integrated = gated_lufs(steps)
        spoken = self.spoken_lufs(dialogue.spans) if dialogue.by else None
        judged = spoken if aimed.measure == "dialogue" else integrated
        met = aimed.target_lufs is None or judged is None or abs(judged - aimed.target_lufs) <= aimed.tolerance_lu
        peak_dbtp = self.true_peak_dbtp()
        return LoudnessFigures(
            integrated_lufs=integrated,
            true_peak_dbtp=peak_dbtp,
            target_lufs=aimed.target_lufs,
            ceiling_dbtp=asked.ceiling_dbtp,
            passed=met and peak_dbtp <= asked.ceiling_dbtp,
            tolerance_lu=aimed.tolerance_lu,
            profile=profile,
            measure=aimed.measure,
            because=aimed.because,
            dialogue_lufs=spoken,
            dialogue_share=dialogue.share(self.duration_s) if dialogue.by else None,
            speech_by=dialogue.by,
            momentary_max_lufs=loudest_lufs(steps, _STEPS_PER_BLOCK),
            short_term_max_lufs=loudest_lufs(steps, _STEPS_PER_SHORT_TERM),
            range_lu=range_lu(steps),
        )

    @property
    def sample_peak(self) -> float:
        """Return the highest absolute sample, as a factor of full scale."""
        return self._sample_peak


def gated_lufs(steps: Energies, counted: Counted | None = None) -> float | None:
    """Return integrated loudness from the weighted mean square of every 100 ms.

    Blocks of 400 ms under -70 LUFS do not count, nor do those 10 LU under the mean of the rest.
    Source: BS.1770-4, Annex 1, equations (2) to (7).

    Args:
        steps: Shape (steps,).
        counted: Which of them count, shape (steps,); a block counts where all of its steps do. None: all.
    """
    blocks = _means(steps, _STEPS_PER_BLOCK)
    if counted is not None and len(blocks):
        blocks = blocks[np.convolve(counted, np.ones(_STEPS_PER_BLOCK, np.int64), "valid") == _STEPS_PER_BLOCK]
    blocks = _gated(blocks, _RELATIVE_GATE_LU)
    return _loudness(float(blocks.mean())) if len(blocks) else None


def loudest_lufs(steps: Energies, count: int) -> float | None:
    """Return the highest loudness of so many steps of 100 ms in a row; None where all of them lie under -70 LUFS."""
    highest_power = float(_means(steps, count).max(initial=0.0))
    return _loudness(highest_power) if highest_power > _mean_square(_ABSOLUTE_GATE_LUFS) else None


def range_lu(steps: Energies) -> float | None:
    """Return the loudness range: how far the loud 5 % lie over the quiet 10 % of the short-term loudness.

    Values under -70 LUFS do not count, nor do those 20 LU under the mean of the rest. Source: EBU Tech 3342, section 2.
    """
    powers = np.sort(_gated(_means(steps, _STEPS_PER_SHORT_TERM), _RANGE_GATE_LU))
    if not len(powers):
        return None
    low, high = (float(powers[math.floor((len(powers) - 1) * share + 0.5)]) for share in _RANGE_SHARES)
    return 10 * math.log10(high / low)


def steps_within(spans: Sequence[Span], count: int) -> Counted:
    """Return which steps of 100 ms lie wholly within spans, shape (count,).

    >>> steps_within([Span(0.1, 0.35)], 5).tolist()
    [False, True, True, False, False]
    """
    counted = np.zeros(count, np.bool_)
    for span in spans:
        # a hair of room: 0.3 / 0.1 is a little under 3
        first = math.ceil(max(0.0, span.start_s) / STEP_S - 1e-6)
        counted[first : max(first, math.floor(span.end_s / STEP_S + 1e-6))] = True
    return counted


def _means(steps: Energies, count: int) -> Energies:
    """Return the mean of every `count` steps in a row, shape (steps - count + 1,) or none."""
    return np.convolve(steps, np.full(count, 1 / count), "valid") if len(steps) >= count else np.zeros(0)


def _gated(powers: Energies, relative_lu: float) -> Energies:
    """Return what lies over -70 LUFS and not further than `relative_lu` under the mean of that."""
    powers = powers[powers > _mean_square(_ABSOLUTE_GATE_LUFS)]
    return powers[powers > powers.mean() * 10 ** (-relative_lu / 10)] if len(powers) else powers


def _loudness(mean_square: float) -> float:
    return _OFFSET_DB + 10 * math.log10(mean_square)


def _mean_square(loudness_lufs: float) -> float:
    return math.pow(10.0, (loudness_lufs - _OFFSET_DB) / 10.0)


def channel_weights(channels: int) -> npt.NDArray[np.float64]:
    """Return how much each channel counts: surrounds 1.41, low frequencies 0 (BS.1770-4, table 3)."""
    return np.array(_WEIGHTS.get(channels, (1.0,) * channels))


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
