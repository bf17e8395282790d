"""What answers a blow."""

import numpy as np
import pytest

from foley.synth.excitation import decay
from foley.synth.resonators import (
    CUP_RATIOS,
    comb,
    diffuse_field,
    paired_modes_hz,
    plate_modes_hz,
    resonance,
    resonant_grains,
    ring_modes,
    thud,
)
from foley.units import RATE_HZ


def strongest_hz(sound: np.ndarray) -> float:
    spectrum = np.abs(np.fft.rfft(sound * np.hanning(len(sound))))
    return float(np.argmax(spectrum)) * RATE_HZ / len(sound)


def test_modes_are_the_damped_sines_they_are_defined_as() -> None:
    f, t60, gains = np.array([440.0, 1234.5, 6000.0]), np.array([1.5, 0.4, 0.2]), np.array([1.0, 0.5, -0.3])
    phases = np.array([0.0, 0.4, -0.2])
    length = RATE_HZ // 2
    t_s = np.arange(length) / RATE_HZ
    rows = zip(gains, t60, f, phases, strict=True)
    truth = sum(a * decay(length, t) * np.sin(2 * np.pi * hz * t_s + turn) for a, t, hz, turn in rows)
    assert ring_modes(f, t60, gains, length, phases=phases) == pytest.approx(truth, abs=5e-4)


def test_modes_beyond_hearing_and_the_rate_are_left_out() -> None:
    sound = ring_modes(np.array([5.0, 23_900.0]), np.array([1.0, 1.0]), np.array([1.0, 1.0]), 1000)
    assert not sound.any()


def test_a_bank_may_have_many_modes_of_any_length() -> None:
    rng = np.random.default_rng(3)
    f = rng.uniform(100.0, 10_000.0, 70)
    one_by_one = sum(ring_modes(f[k : k + 1], np.array([0.3]), np.array([1.0]), 9000) for k in range(70))
    assert ring_modes(f, np.full(70, 0.3), np.ones(70), 9000) == pytest.approx(one_by_one, abs=0.02)


def test_a_plate_has_as_many_modes_in_each_stretch_of_frequency() -> None:
    f = plate_modes_hz(np.random.default_rng(4), 100.0, 80)
    low, high = np.histogram(f, bins=2, range=(f[0], f[-1] * 0.8))[0]
    assert high == pytest.approx(low, rel=0.4)


def test_partners_of_a_cup_lie_within_a_percent() -> None:
    f = paired_modes_hz(np.random.default_rng(4), 1000.0, ratios=CUP_RATIOS, split=(1.002, 1.01))
    assert len(f) == 2 * len(CUP_RATIOS)
    assert (np.diff(f)[::2] / f[::2] < 0.011).all()


def test_a_dense_field_dies_away_as_its_material_does() -> None:
    field = diffuse_field(np.random.default_rng(5), RATE_HZ, lambda hz: 0.4, lambda hz: 0.0)
    early, late = (np.sqrt(np.mean(field[a : a + 2400] ** 2)) for a in (2400, 12_000))
    assert 20.0 * np.log10(late / early) == pytest.approx(-60.0 * 0.2 / 0.4, abs=4.0)


def test_a_comb_repeats_its_input() -> None:
    sound = comb(np.eye(1, 100)[0], 30, 0.5)
    assert np.nonzero(sound)[0].tolist() == [0, 30, 60, 90]
    assert sound[90] == pytest.approx(0.125)


def test_a_resonance_passes_its_centre() -> None:
    rng = np.random.default_rng(6)
    assert strongest_hz(resonance(rng.standard_normal(RATE_HZ), 1500.0, 30.0)) == pytest.approx(1500.0, rel=0.03)


def test_a_thud_is_low_and_starts_within_two_milliseconds() -> None:
    sound = thud(np.random.default_rng(7), 90.0, 0.15)
    assert strongest_hz(np.pad(sound, (0, RATE_HZ - len(sound)))) == pytest.approx(90.0, rel=0.3)
    assert np.abs(sound[:96]).max() > 0.3


def test_grains_have_unit_energy_and_no_offset() -> None:
    for grain in resonant_grains(np.random.default_rng(8), 300.0, 3000.0, quality=(1.0, 5.0), decay_s=0.006, count=20):
        assert np.dot(grain, grain) == pytest.approx(1.0)
        assert abs(grain.mean()) < 1e-3
