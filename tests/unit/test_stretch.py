"""Stretching: exact length, attacks where they belong, level kept, and a clear word where the program is missing."""

from __future__ import annotations

import shutil

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from foley.dsp.onsets import onset_near
from foley.dsp.stretch import PROGRAM, stretch
from foley.errors import FoleyError, MissingProgramError
from foley.model import Audio

RATE_HZ = 48_000

ONSET_TOLERANCE_S = 0.001
"""What the architecture allows a sound to be off in all."""

LEVEL_TOLERANCE_DB = 1.5
"""A phase vocoder loses a little of noise, whose phases it cannot keep together."""

needs_rubberband = pytest.mark.skipif(shutil.which(PROGRAM) is None, reason="rubberband is not installed")


def blows(times_s: tuple[float, ...], *, floor: float = 0.0, length_s: float = 1.0) -> Audio:
    rng = np.random.default_rng(2)
    sound = floor * rng.standard_normal(round(length_s * RATE_HZ))
    for time_s in times_s:
        first = round(time_s * RATE_HZ)
        ring_s = np.arange(sound.size - first) / RATE_HZ
        sound[first:] += 0.5 * np.sin(2 * np.pi * 440.0 * ring_s + 0.5) * np.exp(-ring_s / 0.08)
        sound[first : first + 300] += 0.2 * rng.standard_normal(min(300, sound.size - first))
    return Audio(sound[np.newaxis].astype(np.float32), RATE_HZ)


@needs_rubberband
@settings(max_examples=15)
@given(st.integers(1, 20_000), st.floats(0.5, 2.0), st.integers(1, 2))
def test_the_length_is_exact(length: int, ratio: float, channels: int) -> None:
    noise = 0.2 * np.random.default_rng(0).standard_normal((channels, length))
    target = max(1, round(length * ratio))
    made = stretch(Audio(noise.astype(np.float32), RATE_HZ), target / RATE_HZ)
    assert made.samples.shape == (channels, target)
    assert np.isfinite(made.samples).all()


@needs_rubberband
@pytest.mark.parametrize("ratio", [0.5, 0.8, 1.25, 2.0])
@pytest.mark.parametrize("times_s", [(0.0,), (0.01,), (0.35,), (0.1, 0.4, 0.7), (0.05, 0.15, 0.25, 0.9)], ids=str)
def test_every_onset_lands_on_its_stretched_place(times_s: tuple[float, ...], ratio: float) -> None:
    sound = blows(times_s, floor=0.003)
    made = stretch(sound, ratio)
    for time_s in times_s:
        before = onset_near(sound, time_s, 0.04)
        assert before is not None
        assert onset_near(made, time_s * ratio, 0.04) == pytest.approx(before * ratio, abs=ONSET_TOLERANCE_S)


@needs_rubberband
def test_an_attack_stays_as_sharp_as_it_was() -> None:
    sound = blows((0.4,))
    made = stretch(sound, 1.6)
    first = round(0.4 * RATE_HZ)
    late = round(0.4 * 1.6 * RATE_HZ)
    hold = round(0.010 * RATE_HZ)
    # its first 10 ms are the same samples, but for the one that rounding may move it by
    attack = sound.samples[0, first : first + hold]
    near = [made.samples[0, late + by : late + by + hold] for by in range(-8, 9)]
    assert max(float(np.corrcoef(attack, other)[0, 1]) for other in near) > 0.99


@needs_rubberband
@pytest.mark.parametrize("gain", [0.003, 1.0])
def test_the_level_is_kept_also_of_soft_and_full_sounds(gain: float) -> None:
    noise = np.random.default_rng(0).standard_normal((1, RATE_HZ)).astype(np.float32)
    noise *= gain / np.abs(noise).max()
    made = stretch(Audio(noise, RATE_HZ), 1.5).samples
    assert abs(20.0 * np.log10(made.std() / noise.std())) < LEVEL_TOLERANCE_DB


@needs_rubberband
def test_the_pitch_is_kept() -> None:
    tone = np.sin(2 * np.pi * 1000.0 * np.arange(RATE_HZ) / RATE_HZ)[np.newaxis].astype(np.float32)
    made = stretch(Audio(0.5 * tone, RATE_HZ), 1.5).samples[0]
    assert np.abs(np.fft.rfft(made)).argmax() / 1.5 == pytest.approx(1000.0, abs=2.0)


def test_the_same_length_gives_the_same_sound_and_silence_stays_silent() -> None:
    sound = blows((0.2,))
    assert stretch(sound, 1.0) is sound
    silent = stretch(Audio(np.zeros((2, 100), np.float32), RATE_HZ), 0.01)
    assert silent.samples.shape == (2, 480)
    assert not silent.samples.any()


@pytest.mark.parametrize(("length", "duration_s"), [(0, 1.0), (100, 0.0), (100, -1.0)])
def test_no_sound_and_no_length_are_refused(length: int, duration_s: float) -> None:
    with pytest.raises(ValueError, match="cannot make"):
        stretch(Audio(np.zeros((1, length), np.float32), RATE_HZ), duration_s)


def test_a_missing_program_is_named_with_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    with pytest.raises(MissingProgramError, match="rubberband") as caught:
        stretch(blows((0.2,)), 1.5)
    assert "install" in caught.value.hint


def test_a_program_that_fails_is_told_in_words(monkeypatch: pytest.MonkeyPatch) -> None:
    false = shutil.which("false")
    assert false is not None
    monkeypatch.setattr("pyrubberband.pyrb.__RUBBERBAND_UTIL", false)
    with pytest.raises(FoleyError, match="could not stretch"):
        stretch(blows((0.2,)), 1.5)
