"""Tables of measured statistics: the mathematics they rest on, and that they do what they say."""

import numpy as np
import pytest

from benchmarks.realism.descriptors import RATE_HZ
from benchmarks.realism.tables import DIRECTIONS, Statistics, of_matrix, statistics, table, transport, using
from foley.synth import recorded
from foley.synth.recorded import BANDS, drawn, moved
from foley.synth.textures import Spectrum, noise
from foley.units import RATE_HZ as SYNTH_HZ

WHITE, DULL = Spectrum((20.0, 20_000.0), (0.0, 0.0)), Spectrum((20.0, 200.0, 20_000.0), (0.0, 0.0, -30.0))

ARRIVES = 0.7
"""What may be left of a difference in movement: bands overlap and frames blur, so not all that is asked for arrives."""


def wave(seed: int, shape: Spectrum, swell: float = 0.0) -> np.ndarray:
    """Return 5 s of noise at 48 kHz; all of it swells at 4 Hz by a share."""
    time_s = np.arange(5 * SYNTH_HZ) / SYNTH_HZ
    return noise(np.random.default_rng(seed), len(time_s), shape) * (1.0 + swell * np.sin(8 * np.pi * time_s))


def heard(sound: np.ndarray) -> Statistics:
    import soxr

    return statistics(soxr.resample(sound, SYNTH_HZ, RATE_HZ).astype(np.float32))


def covariance(seed: int) -> np.ndarray:
    rows = np.random.default_rng(seed).standard_normal((40, BANDS))
    return rows.T @ rows / 40


def test_a_map_makes_one_covariance_another() -> None:
    start, goal = covariance(1), covariance(2)
    turned = transport(start, goal)
    assert turned @ start @ turned == pytest.approx(goal, abs=1e-8)
    assert turned == pytest.approx(turned.T)
    assert transport(start, start) == pytest.approx(np.eye(BANDS), abs=1e-8)


def test_a_function_of_a_matrix_is_undone_by_its_inverse() -> None:
    assert of_matrix(np.exp, of_matrix(np.log, covariance(3))) == pytest.approx(covariance(3))


def test_a_table_of_recordings_brings_our_sound_to_them() -> None:
    real = [heard(wave(seed, DULL, 0.6)) for seed in range(8)]
    plain = [heard(wave(seed, WHITE)) for seed in range(20, 28)]
    found = table(real, plain)
    made = heard(moved(wave(50, WHITE), drawn(found, "test", 1)))

    def far(some: Statistics) -> tuple[float, float]:
        levels = np.mean([each.levels_db for each in real], 0)
        swell = np.mean([each.covariances[2] for each in real], 0)
        return float(np.abs(some.levels_db - levels).mean()), float(np.linalg.norm(some.covariances[2] - swell))

    assert far(made)[0] < 0.25 * far(plain[0])[0]
    assert far(made)[1] < ARRIVES * far(plain[0])[1]


def test_a_table_of_movement_alone_leaves_levels() -> None:
    real, plain = ([heard(wave(seed, shape)) for seed in range(4)] for shape in (DULL, WHITE))
    found = table(real, plain, levels_too=False)
    assert not found.mean[:BANDS].any()
    assert np.abs(found.axes[:, :BANDS]).max() < 1e-9


def test_a_table_holds_fewer_directions_than_recordings() -> None:
    many, few = ([heard(wave(seed, DULL)) for seed in range(count)] for count in (9, 3))
    assert len(table(many, many).axes) == DIRECTIONS
    assert len(table(few, few).axes) == 2


def test_other_tables_are_used_for_a_while() -> None:
    shipped = recorded.tables()
    with using({}):
        assert not recorded.tables()
    assert recorded.tables() is shipped
