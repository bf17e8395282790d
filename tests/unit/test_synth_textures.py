"""Noise, slow curves and grains against what their mathematics says."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from foley.synth.finish import CEILING, HIT_PEAK, TEXTURE_RMS, character, choice, finished_hit, limited, settled
from foley.synth.textures import (
    HEAVIEST_SIGMA,
    alive,
    cycles,
    erb_centres_hz,
    erb_spectrum,
    heavy,
    heavy_power,
    narrowband,
    noise,
    poisson,
    reverberant,
    scatter,
    shower,
    slow_gain,
    slow_random,
    spectrum,
    tinted,
    turns,
    unit_energy,
)
from foley.units import RATE_HZ

PINK = spectrum({20: 0, 20_000: -30})
"""-3 dB an octave."""

LEVEL_TOLERANCE = 0.08
"""Relative error of the RMS of some seconds of noise with slow or sparse parts: under 0.7 dB."""


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(20)


def rms(sound: np.ndarray) -> float:
    return float(np.sqrt(np.mean(np.square(sound, dtype=np.float64))))


def band_db(sound: np.ndarray, low_hz: float, high_hz: float) -> float:
    power = np.abs(np.fft.rfft(sound)) ** 2
    hz = np.fft.rfftfreq(len(sound), 1 / RATE_HZ)
    return 10 * math.log10(power[(hz >= low_hz) & (hz < high_hz)].sum())


def test_noise_has_the_rms_it_is_expected_to_have(rng: np.random.Generator) -> None:
    assert rms(noise(rng, 4 * RATE_HZ, PINK)) == pytest.approx(1.0, rel=LEVEL_TOLERANCE)


def test_noise_has_the_slope_of_its_spectrum(rng: np.random.Generator) -> None:
    sound = noise(rng, 8 * RATE_HZ, PINK)
    octaves = [band_db(sound, low, 2 * low) for low in (125, 250, 500, 1000, 2000, 4000, 8000)]
    assert np.ptp(octaves) < 1.0, "pink noise has one level per octave"


def test_noise_carries_nothing_below_hearing(rng: np.random.Generator) -> None:
    sound = noise(rng, 8 * RATE_HZ, spectrum({10: 0, 100: -60})) * np.hanning(8 * RATE_HZ)
    assert band_db(sound, 0, 15) < band_db(sound, 20, 40) - 40


def test_an_erb_spectrum_gives_its_levels_band_by_band(rng: np.random.Generator) -> None:
    centres = erb_centres_hz(30)
    sound = noise(rng, 12 * RATE_HZ, erb_spectrum([0.0] * 30))
    width = 24.7 * (1 + 0.00437 * centres)
    levels = [band_db(sound, c - w / 2, c + w / 2) for c, w in zip(centres, width, strict=True)]
    assert np.std(levels) < 0.8, "equal levels are asked for in all ERB bands"


def test_a_tinted_spectrum_differs_by_decibels_only() -> None:
    bent = tinted(PINK, character("test", 1), 2.0)
    assert bent.hz == PINK.hz
    assert bent.db != PINK.db
    assert max(abs(a - b) for a, b in zip(bent.db, PINK.db, strict=True)) < 8.0


@pytest.mark.parametrize("octaves", [1, 4])
def test_slow_curves_have_mean_nothing_and_variance_one(rng: np.random.Generator, octaves: int) -> None:
    curve = slow_random(rng, 120 * RATE_HZ, 8.0, octaves)
    assert abs(curve.mean()) < 0.15, "four standard errors of 960 corners"
    assert curve.std() == pytest.approx(1.0, rel=0.1)


def test_slow_curves_are_slow(rng: np.random.Generator) -> None:
    curve = slow_random(rng, 30 * RATE_HZ, 2.0)
    assert band_db(curve - curve.mean(), 0, 6) > band_db(curve, 20, 1000) + 20


def test_slow_gain_has_the_depth_asked_for(rng: np.random.Generator) -> None:
    gain_db = 20 * np.log10(slow_gain(rng, 60 * RATE_HZ, 1.5, rate_hz=6.0))
    assert gain_db.std() == pytest.approx(1.5, rel=0.15)


def test_what_is_alive_swells_below_3_hz_and_keeps_its_level(rng: np.random.Generator) -> None:
    still = noise(rng, 20 * RATE_HZ, PINK)
    lively = alive(rng, still, 1.5, common=0.7, rate_hz=0.8)

    def slow_swell_db(sound: np.ndarray) -> float:
        frames = sound[: len(sound) // 4800 * 4800].reshape(-1, 4800)
        return float(np.std(10 * np.log10(np.mean(frames**2, axis=1))))

    assert slow_swell_db(lively) > 1.5 * slow_swell_db(still)
    assert rms(lively) == pytest.approx(rms(still), rel=2 * LEVEL_TOLERANCE)


def test_narrow_noise_stays_near_its_pitch(rng: np.random.Generator) -> None:
    sound = narrowband(rng, np.full(5 * RATE_HZ, 1000.0), 20.0)
    assert band_db(sound, 940, 1060) > band_db(sound, 20, 900) + 20
    assert rms(sound) == pytest.approx(1.0, rel=2 * LEVEL_TOLERANCE)


def test_turns_run_at_the_pitch_given() -> None:
    assert cycles(np.full(RATE_HZ, 440.0))[-1] == pytest.approx(440.0)
    tone = np.sin(turns(np.full(RATE_HZ, 440.0)))
    assert int(np.argmax(np.abs(np.fft.rfft(tone)))) == 440


def test_as_many_events_fall_as_their_rate_says(rng: np.random.Generator) -> None:
    at = poisson(rng, 20 * RATE_HZ, 200.0, curve=np.full(20 * RATE_HZ, 0.5), before=RATE_HZ)
    assert len(at) == pytest.approx(21 * 100, rel=0.1)
    assert at.min() < 0
    assert np.all(np.diff(at) >= 0)


def test_heavy_levels_have_the_power_that_is_reckoned_with(rng: np.random.Generator) -> None:
    levels = heavy(rng, 400_000, 1.2)
    assert float(np.mean(levels**2)) == pytest.approx(heavy_power(1.2), rel=0.05)
    assert levels.max() <= math.exp(1.2 * HEAVIEST_SIGMA) + 1e-9


def test_a_shower_has_the_power_of_shot_noise(rng: np.random.Generator) -> None:
    grains = unit_energy([rng.standard_normal(200) for _ in range(20)])
    assert rms(shower(rng, 10 * RATE_HZ, grains, rate_hz=800.0, sigma=0.8)) == pytest.approx(1.0, rel=LEVEL_TOLERANCE)


def test_grains_that_began_earlier_ring_in() -> None:
    one = np.ones(100)
    heard = scatter(50, np.array([-60, 40, 500]), np.array([1.0, 2.0, 3.0]), grains=[one], which=np.zeros(3, np.int64))
    np.testing.assert_array_equal(heard, np.r_[np.ones(40), np.full(10, 2.0)])


def test_reverberation_follows_its_sound_and_dies_away(rng: np.random.Generator) -> None:
    click = np.zeros(RATE_HZ)
    click[1000] = 1.0
    heard = reverberant(rng, click, 0.4, wet=0.5)
    assert np.abs(heard[:1000]).max() < 1e-12
    assert 0 < rms(heard[20_000:21_000]) < 0.03 * rms(heard[1001:2000])


def test_a_settled_texture_has_its_level_whatever_the_stretch(rng: np.random.Generator) -> None:
    sound = noise(rng, 4 * RATE_HZ, PINK)
    loud = settled(sound, np.ones(len(sound), np.float32), rms=1.0)
    quiet = settled(sound, np.full(len(sound), 0.5, np.float32), rms=1.0)
    assert rms(loud) == pytest.approx(TEXTURE_RMS, rel=LEVEL_TOLERANCE)
    np.testing.assert_allclose(quiet, 0.5 * loud, atol=1e-6)


@given(st.floats(-50, 50))
def test_nothing_exceeds_the_ceiling_and_order_is_kept(value: float) -> None:
    bent = limited(np.array([value, value + 0.01]))
    assert np.all(np.abs(bent) <= CEILING + 1e-6)
    assert bent[1] >= bent[0] - 1e-6


@settings(max_examples=25)
@given(st.floats(0.05, 1.0))
def test_a_hit_is_as_loud_as_its_strength_and_gone_at_its_end(strength: float) -> None:
    burst = np.random.default_rng(1).standard_normal(RATE_HZ // 2) * np.exp(-np.arange(RATE_HZ // 2) / 2000)
    hit = finished_hit(burst, strength, ring_s=0.4)
    assert np.abs(hit).max() == pytest.approx(HIT_PEAK * strength**1.1, rel=1e-3)
    assert np.abs(hit[-20:]).max() < 1e-3 * np.abs(hit).max()


def test_a_specimen_is_the_same_every_time_and_another_is_not() -> None:
    assert character("dog", 3).random() == character("dog", 3).random()
    assert character("dog", 3).random() != character("dog", 4).random()
    assert character("dog", 3).random() != character("cat", 3).random()


def test_a_wrong_choice_names_the_right_ones() -> None:
    with pytest.raises(ValueError, match="surface must be one of tin, glass; got 'wool'"):
        choice({"tin": 1, "glass": 2}, "wool", "surface")
