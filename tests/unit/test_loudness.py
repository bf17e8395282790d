import re
import subprocess
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.signal import butter, sosfilt

from foley.dsp.loudness import LoudnessMeter, gated_lufs, k_weighting, loudest_lufs, range_lu, steps_within
from foley.dsp.profiles import EFFECTS_ALONE, NOBODY_LOOKED, PROFILE_NAMES, PROFILES, Dialogue, aim
from foley.dsp.true_peak import Oversampler, highest
from foley.evaluate.loudness import measure
from foley.media import sound
from foley.model import Audio, Span
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
    figures, (lufs, peak_dbtp) = measure(file.path), ffmpeg_figures(file.path)
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
@settings(max_examples=25)
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


@given(seed=st.integers(0, 10_000), over=st.floats(0.0, 1.5), quiet=st.floats(0.0, 1.0))
@settings(max_examples=40)
def test_what_the_oversampler_leaves_out_is_not_over(seed: int, over: float, quiet: float) -> None:
    noise = np.random.default_rng(seed)
    samples = (noise.standard_normal((2, 9600)) * np.linspace(quiet, 1.0, 9600) * 0.5).astype(np.float32)
    samples[:, :4800] *= noise.choice([-1.0, 1.0], 4800)  # signs at random: as far between the samples as can be
    every, some = highest(Oversampler(2).add(samples)), highest(Oversampler(2).add(samples, over=over))
    left_out = some == 0.0
    assert (every[left_out] <= over).all()
    assert some[~left_out] == pytest.approx(every[~left_out], rel=1e-5)


def test_the_oversampler_looks_no_closer_than_it_needs_to() -> None:
    samples = np.zeros((1, 48_000), np.float32)
    samples[0, 24_024] = 0.9
    assert np.flatnonzero(highest(Oversampler(1).add(samples, over=0.5))).tolist() == [500]


def test_a_file_off_its_target_does_not_pass(tmp_path: Path) -> None:
    quiet = sound.save(Audio(sine(1000.0, amplitude=0.05).astype(np.float32), 48_000), tmp_path / "quiet.wav")
    assert not measure(quiet.path).passed
    assert measure(quiet.path, "off").passed
    right = sound.save(Audio(sine(1000.0, amplitude=0.0708).astype(np.float32), 48_000), tmp_path / "right.wav")
    assert measure(right.path).passed


def levels(*parts: tuple[float, float]) -> np.ndarray:
    """Steps of 100 ms at levels in LUFS, each for so many seconds."""
    return np.concatenate([np.full(round(10 * seconds), 10 ** ((lufs + 0.691) / 10)) for lufs, seconds in parts])


def test_the_maxima_are_those_of_three_seconds_and_of_400_ms() -> None:
    steps = levels((-40.0, 10.0), (-23.0, 3.0), (-40.0, 5.0), (-15.0, 0.4), (-40.0, 5.0))
    assert loudest_lufs(steps, 4) == pytest.approx(-15.0)
    spread = 10 * np.log10((0.4 * 10**-1.5 + 2.6 * 10**-4.0) / 3)  # of the 400 ms over 3 s
    assert loudest_lufs(steps, 30) == pytest.approx(max(-23.0, spread), abs=0.05)
    assert loudest_lufs(steps[:29], 30) is None
    assert loudest_lufs(levels((-71.0, 5.0)), 4) is None


@pytest.mark.parametrize(
    ("parts", "expected_lu"),
    [
        (((-20.0, 20.0), (-30.0, 20.0)), 10.0),
        (((-20.0, 20.0), (-15.0, 20.0)), 5.0),
        (((-40.0, 20.0), (-20.0, 20.0)), 20.0),
        (((-50.0, 20.0), (-35.0, 20.0), (-20.0, 20.0), (-35.0, 20.0), (-50.0, 20.0)), 15.0),
    ],
)
def test_the_range_is_what_ebu_tech_3342_expects_of_a_meter(
    parts: tuple[tuple[float, float], ...], expected_lu: float
) -> None:
    assert range_lu(levels(*parts)) == pytest.approx(expected_lu, abs=1.0)  # cases 1 to 4 and their tolerance


def test_what_is_shorter_than_three_seconds_has_no_range() -> None:
    assert range_lu(levels((-20.0, 2.9))) is None
    assert range_lu(levels((-20.0, 3.0))) == pytest.approx(0.0)


def test_range_and_maxima_agree_with_ffmpeg(tmp_path: Path) -> None:
    rate_hz, length_s = 16_000, 40
    swell = 10 ** (np.sin(2 * np.pi * np.arange(length_s * rate_hz) / (9.7 * rate_hz)) / 2)
    samples = 0.05 * swell * np.random.default_rng(6).standard_normal((2, length_s * rate_hz))
    file = sound.save(Audio(samples.astype(np.float32), rate_hz), tmp_path / "x.wav", subtype="FLOAT")
    command = ["ffmpeg", "-hide_banner", "-nostats", "-i", str(file.path), "-af", "ebur128=framelog=info"]
    said = subprocess.run([*command, "-f", "null", "-"], capture_output=True, text=True, check=True).stderr
    momentary, short = (max(float(v) for v in re.findall(rf"\b{name}:\s*(-?[\d.]+)", said)) for name in ("M", "S"))
    printed = re.findall(r"LRA:\s+([\d.]+) LU", said)
    figures = measure(file.path)
    assert figures.momentary_max_lufs == pytest.approx(momentary, abs=LOUDNESS_TOLERANCE_LU)
    assert figures.short_term_max_lufs == pytest.approx(short, abs=LOUDNESS_TOLERANCE_LU)
    # ffmpeg also counts the windows that are not full yet, of the first 3 s
    assert figures.range_lu == pytest.approx(float(printed[-1]), abs=0.3)


@pytest.mark.parametrize(
    ("channels", "channel", "gain_lu"),
    [(2, 1, 0.0), (5, 3, 1.5), (6, 3, None), (6, 5, 1.5), (8, 3, None), (8, 4, 0.0), (8, 6, 1.5)],
)
def test_a_channel_counts_by_its_place(channels: int, channel: int, gain_lu: float | None) -> None:
    samples = np.zeros((channels, 48_000))
    samples[channel] = sine(1000.0, amplitude=0.1, duration_s=1.0, channels=1)
    front = metered(sine(1000.0, amplitude=0.1, duration_s=1.0, channels=1), 48_000).integrated_lufs()
    found = metered(samples, 48_000).integrated_lufs()
    assert front is not None
    assert found == (None if gain_lu is None else pytest.approx(front + gain_lu, abs=0.01))


spoken_ms = st.lists(st.tuples(st.integers(0, 20_000), st.integers(0, 20_000)).map(sorted), max_size=5)


@given(spoken_ms, st.integers(0, 150))
def test_a_step_counts_only_where_all_of_it_is_spoken(pairs_ms: list[list[int]], count: int) -> None:
    counted = steps_within([Span(first / 1000, last / 1000) for first, last in pairs_ms], count)
    expected = [
        any(first <= 100 * step and 100 * (step + 1) <= last for first, last in pairs_ms) for step in range(count)
    ]
    assert counted.tolist() == expected


def test_dialogue_is_as_loud_as_where_somebody_speaks() -> None:
    steps = levels((-20.0, 4.0), (-27.0, 3.0), (-20.0, 4.0))
    assert gated_lufs(steps, steps_within([Span(4.0, 7.0)], len(steps))) == pytest.approx(-27.0)
    assert gated_lufs(steps, steps_within([Span(4.0, 4.3)], len(steps))) is None
    assert gated_lufs(steps, steps_within([Span(0.0, 11.0)], len(steps))) == gated_lufs(steps)


def test_only_where_enough_is_known_to_be_spoken_dialogue_is_what_counts() -> None:
    netflix, spans = PROFILES["netflix"], (Span(1.0, 4.0),)
    assert aim(netflix, Dialogue(spans, "somebody"), 20.0).measure == "dialogue"
    for dialogue, duration_s, because in [
        (Dialogue(spans, "somebody"), 20.1, "15 % are needed"),
        (Dialogue(spans), 20.0, "nobody looked"),
        (NOBODY_LOOKED, 20.0, "nobody looked"),
        (EFFECTS_ALONE, 20.0, "effects alone"),
        (Dialogue((), "somebody"), 0.0, "15 % are needed"),
    ]:
        found = aim(netflix, dialogue, duration_s)
        assert (found.measure, found.target_lufs, found.tolerance_lu) == ("programme", -24.0, 2.0)
        assert because in found.because
    assert all(aim(PROFILES[name], NOBODY_LOOKED, 1.0).because == "" for name in PROFILE_NAMES if name != "netflix")


def test_no_profile_asks_for_more_than_its_ceiling_and_each_says_where_it_is_from() -> None:
    for profile in PROFILES.values():
        assert profile.short_peak_dbtp <= profile.ceiling_dbtp <= -1.0
        assert len(profile.source) > 20


def test_silence_meets_no_target(tmp_path: Path) -> None:
    silent = sound.save(Audio(np.zeros((2, 48_000), np.float32), 48_000), tmp_path / "silent.wav")
    assert not measure(silent.path).passed
    assert measure(silent.path, "off").passed
    assert LoudnessMeter(48_000, 2).figures("ebu-r128").passed  # a film in which nothing sounds is no fault of the mix
