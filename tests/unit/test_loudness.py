from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.signal import butter, sosfilt

from foley.dsp.loudness import LoudnessMeter, k_weighting
from foley.dsp.true_peak import Oversampler, highest
from foley.evaluate.loudness import measure
from foley.media import sound
from foley.model import Audio
from tests.arrangement_maker import ffmpeg_figures, hit_sound

LOUDNESS_TOLERANCE_LU = 0.1
"""What EBU Tech 3341 allows a meter; ffmpeg prints tenths."""
PEAK_TOLERANCE_DB = 0.2
"""Two meters with different interpolation filters; EBU Tech 3341 allows +0.2/-0.4."""


def metered(samples: np.ndarray, rate_hz: int, block: int = 48_000) -> LoudnessMeter:
    meter = LoudnessMeter(rate_hz, len(samples))
    for first in range(0, samples.shape[1], block):
        meter.add(samples[:, first : first + block].astype(np.float32))
    return meter


def faded(samples: np.ndarray) -> np.ndarray:
    ramp = np.minimum(1.0, np.minimum(np.arange(samples.shape[-1]), np.arange(samples.shape[-1])[::-1]) / 4800)
    return samples * ramp


def sine(
    hz: float, *, amplitude: float, rate_hz: int = 48_000, duration_s: float = 5.0, channels: int = 2
) -> np.ndarray:
    t = np.arange(int(duration_s * rate_hz)) / rate_hz
    return np.tile(amplitude * np.sin(2 * np.pi * hz * t + 0.3), (channels, 1))


def material(name: str, rate_hz: int) -> np.ndarray:
    """Noise and blows up to 18 kHz: at half the rate, what lies between samples is a matter of the meter's filter."""
    return sosfilt(butter(8, min(18_000, 0.4 * rate_hz), fs=rate_hz, output="sos"), full_band(name, rate_hz), axis=1)


def full_band(name: str, rate_hz: int) -> np.ndarray:
    rng = np.random.default_rng(3)
    length = 8 * rate_hz
    if name == "noise":
        return faded(0.1 * rng.standard_normal((2, length)))
    if name == "mono":
        return faded(0.1 * rng.standard_normal((1, length)))
    if name == "5.1":
        return faded(0.1 * rng.standard_normal((6, length)))
    samples = np.zeros((2, length))
    for at in range(rate_hz // 4, length - rate_hz, rate_hz // 2):
        blow = hit_sound(rng)
        samples[:, at : at + blow.size] += blow
    if name == "hits with pauses":  # the gates have something to leave out
        samples[:, 3 * rate_hz : 6 * rate_hz] *= 0.002
    return samples


@pytest.mark.parametrize("name", ["noise", "mono", "5.1", "hits", "hits with pauses"])
@pytest.mark.parametrize("rate_hz", [48_000, 44_100])
def test_the_meter_agrees_with_ffmpeg(name: str, rate_hz: int, tmp_path: Path) -> None:
    file = sound.save(Audio(material(name, rate_hz).astype(np.float32), rate_hz), tmp_path / "x.wav", subtype="FLOAT")
    figures, (lufs, peak_dbtp) = measure(file), ffmpeg_figures(file.path)
    assert figures.integrated_lufs == pytest.approx(lufs, abs=LOUDNESS_TOLERANCE_LU)
    assert figures.true_peak_dbtp == pytest.approx(peak_dbtp, abs=PEAK_TOLERANCE_DB)


@pytest.mark.parametrize("rate_hz", [16_000, 32_000, 44_100, 48_000, 96_000])
def test_a_stereo_sine_of_minus_23_dbfs_reads_minus_23_lufs_at_any_rate(rate_hz: int) -> None:
    meter = metered(sine(1000.0, amplitude=10 ** (-23 / 20), rate_hz=rate_hz), rate_hz)
    assert meter.integrated_lufs() == pytest.approx(-23.0, abs=LOUDNESS_TOLERANCE_LU)  # EBU Tech 3341, case 1


def test_the_weighting_at_48_khz_is_the_one_that_the_standard_prints() -> None:
    printed = [
        [1.53512485958697, -2.69169618940638, 1.19839281085285, 1.0, -1.69065929318241, 0.73248077421585],
        [1.0, -2.0, 1.0, 1.0, -1.99004745483398, 0.99007225036621],
    ]
    assert k_weighting(48_000) == pytest.approx(np.array(printed), abs=1e-8)


@pytest.mark.parametrize("hz", [997.0, 8000.0, 12_000.0, 17_000.0, 19_900.0])
def test_the_true_peak_of_a_sine_is_its_amplitude(hz: float) -> None:
    meter = metered(faded(sine(hz, amplitude=0.9)), 48_000)
    # 4x oversampling can miss the top by cos(pi f / 4 fs), which a tone that drifts against the rate does not
    assert meter.true_peak_dbtp() == pytest.approx(20 * np.log10(0.9), abs=0.06)


def test_a_quarter_rate_tone_hides_3_db_between_its_samples() -> None:
    tone = faded(0.9 * np.sin(np.pi / 2 * np.arange(48_000) + np.pi / 4))[None]
    meter = metered(tone, 48_000)
    assert 20 * np.log10(meter.sample_peak) == pytest.approx(-3.93, abs=0.01)
    assert meter.true_peak_dbtp() == pytest.approx(-0.92, abs=0.05)


@given(st.lists(st.integers(1, 30_000), min_size=1, max_size=8), st.integers(0, 2**32 - 1))
@settings(max_examples=25, deadline=None)
def test_blocks_do_not_matter(sizes: list[int], seed: int) -> None:
    samples = np.random.default_rng(seed).standard_normal((2, 60_000)).astype(np.float32) * 0.2
    whole = metered(samples, 48_000, block=60_000)
    meter = LoudnessMeter(48_000, 2)
    cuts = np.unique(np.minimum(np.cumsum(sizes), 60_000))
    for block in np.split(samples, cuts, axis=1):
        meter.add(block)
    assert meter.integrated_lufs() == pytest.approx(whole.integrated_lufs(), abs=1e-4)
    assert meter.true_peak_dbtp() == pytest.approx(whole.true_peak_dbtp(), abs=1e-4)


def test_what_is_too_short_or_silent_has_no_loudness() -> None:
    assert metered(sine(1000.0, amplitude=0.5, duration_s=0.39), 48_000).integrated_lufs() is None
    assert metered(sine(1000.0, amplitude=0.5, duration_s=0.41), 48_000).integrated_lufs() is not None
    silence = metered(np.zeros((2, 96_000)), 48_000)
    assert silence.integrated_lufs() is None
    assert silence.true_peak_dbtp() == -120.0
    assert LoudnessMeter(48_000, 2).integrated_lufs() is None


@pytest.mark.parametrize("length", [1, 31, 47, 48, 49, 100, 4801])
def test_the_oversampler_gives_every_millisecond_once(length: int) -> None:
    samples = np.random.default_rng(length).standard_normal((1, length)).astype(np.float32)
    oversampler = Oversampler(1)
    peaks = np.concatenate([highest(oversampler.add(samples)), highest(oversampler.finish())])
    padded = np.pad(np.abs(samples[0]), (0, -length % 48)).reshape(-1, 48).max(axis=1)
    assert len(peaks) == -(-length // 48)
    assert (peaks >= padded * (1 - 1e-6)).all()


def test_a_file_off_its_target_does_not_pass(tmp_path: Path) -> None:
    quiet = sound.save(Audio(sine(1000.0, amplitude=0.05).astype(np.float32), 48_000), tmp_path / "quiet.wav")
    assert not measure(quiet.path).passed
    assert measure(quiet.path, "off").passed
    right = sound.save(Audio(sine(1000.0, amplitude=0.0708).astype(np.float32), 48_000), tmp_path / "right.wav")
    assert measure(right).passed
