"""Measured statistics, imposed on textures: what is asked for is what is heard, and nothing else changes."""

import numpy as np
import pytest
from scipy.fft import dct

from foley.synth.recipe import Mono, recipes
from foley.synth.recorded import (
    BANDS,
    FRAME_SAMPLES,
    MODULATION_HZ,
    Difference,
    as_recorded,
    band_powers,
    drawn,
    levels_of,
    moved,
    speeds,
    symmetric,
    tables,
)
from foley.synth.textures import Spectrum, noise
from foley.units import RATE_HZ

WHITE = Spectrum((20.0, 20_000.0), (0.0, 0.0))
NOTHING = np.zeros((len(MODULATION_HZ) - 1, BANDS, BANDS))

TRIANGLE = BANDS * (BANDS + 1) // 2
KINDS = ("rain", "sea", "fire", "helicopter")


@pytest.fixture(scope="module")
def hiss() -> np.ndarray:
    """Ten seconds of white noise of RMS 0.1."""
    return 0.1 * noise(np.random.default_rng(4), 10 * RATE_HZ, WHITE)


def rms(sound: np.ndarray) -> float:
    return float(np.sqrt(np.mean(np.square(sound))))


def spread_db(sound: np.ndarray, speed: int) -> np.ndarray:
    """Return how far the level of each band moves at a speed, in dB."""
    powers = band_powers(sound)
    movement = dct(levels_of(powers), axis=0, norm="ortho")[speeds(len(powers))[speed]]
    return np.sqrt(np.square(movement).sum(0) / len(powers))


def test_nothing_asked_for_changes_nothing(hiss: np.ndarray) -> None:
    same = moved(hiss, Difference(np.zeros(BANDS), NOTHING))
    assert np.abs(same - hiss).max() < 1e-6


def test_bands_get_the_levels_asked_for_and_the_power_stays(hiss: np.ndarray) -> None:
    asked_db = np.where(np.arange(BANDS) < 8, 6.0, -6.0)
    made = moved(hiss, Difference(asked_db, NOTHING))
    found_db = 10.0 * np.log10(band_powers(made).mean(0) / band_powers(hiss).mean(0))
    # bands overlap: the two beside the step are between
    assert (found_db - found_db[0])[:7] == pytest.approx(np.zeros(7), abs=0.5)
    assert (found_db - found_db[0])[9:] == pytest.approx(np.full(BANDS - 9, -12.0), abs=0.7)
    assert band_powers(made).sum() == pytest.approx(band_powers(hiss).sum(), rel=0.05)


def test_levels_move_further_at_the_speed_asked_for_only(hiss: np.ndarray) -> None:
    maps = NOTHING.copy()
    maps[2] = np.eye(BANDS)  # 3 to 6 Hz, twice as far
    made = moved(hiss, Difference(np.zeros(BANDS), maps))
    grown = [float(np.mean(spread_db(made, speed) / spread_db(hiss, speed))) for speed in range(5)]
    assert grown[2] == pytest.approx(1.9, abs=0.25)  # bands overlap, and frames blur
    assert grown[0] == pytest.approx(1.0, abs=0.1)
    assert grown[4] == pytest.approx(1.0, abs=0.1)


def test_bands_can_be_made_to_move_together(hiss: np.ndarray) -> None:
    together = np.ones((BANDS, BANDS)) / np.sqrt(BANDS)
    maps = NOTHING.copy()
    maps[0] = together
    made = moved(hiss, Difference(np.zeros(BANDS), maps))

    def common(sound: np.ndarray) -> float:
        powers = band_powers(sound)
        slow = dct(levels_of(powers), axis=0, norm="ortho")[speeds(len(powers))[0]]
        return float(np.corrcoef(slow.T)[2, 12])

    assert common(made) > common(hiss) + 0.3


def test_a_band_that_moves_is_as_loud_as_before(hiss: np.ndarray) -> None:
    maps = np.stack([0.8 * np.eye(BANDS)] * 5)
    made = moved(hiss, Difference(np.zeros(BANDS), maps))
    found_db = 10.0 * np.log10(band_powers(made).mean(0) / band_powers(hiss).mean(0))
    assert np.abs(found_db).max() < 1.0


def test_silence_stays_silence() -> None:
    strong = Difference(np.linspace(-20.0, 20.0, BANDS), np.stack([np.eye(BANDS)] * 5))
    silence = np.zeros(RATE_HZ)
    assert not moved(silence, strong).any()
    half = np.concatenate([silence, noise(np.random.default_rng(1), RATE_HZ, WHITE)])
    assert not moved(half, strong)[: RATE_HZ - 2 * FRAME_SAMPLES].any()


@pytest.mark.parametrize("samples", [0, 1, 47, 1023, 1024, 1025, 2048, 70_000])
def test_a_texture_keeps_its_length_however_short(samples: int) -> None:
    sound = noise(np.random.default_rng(2), samples, WHITE)
    for kind in KINDS:
        made = as_recorded(sound, kind, 1)
        assert made.shape == (samples,)
        assert np.isfinite(made).all()


def test_no_table_leaves_the_sound_alone(hiss: np.ndarray) -> None:
    assert as_recorded(hiss, "none such", 1) is hiss


@pytest.mark.parametrize("kind", KINDS)
def test_a_table_that_ships_fits_and_its_specimens_differ(kind: str, hiss: np.ndarray) -> None:
    table = tables()[kind]
    assert table.mean.shape == (BANDS + 5 * TRIANGLE,)
    assert table.axes.shape[1:] == table.mean.shape
    first, second = as_recorded(hiss, kind, "a"), as_recorded(hiss, kind, "b")
    assert np.array_equal(first, as_recorded(hiss, kind, "a"))
    assert not np.allclose(first, second, atol=1e-3)
    assert band_powers(first).sum() == pytest.approx(band_powers(hiss).sum(), rel=0.3)


@pytest.mark.parametrize("kind", KINDS)
def test_all_windows_of_a_specimen_have_one_difference(kind: str) -> None:
    assert drawn(tables()[kind], kind, "x") is drawn(tables()[kind], kind, "x")
    one, other = (drawn(tables()[kind], kind, variant).maps for variant in ("x", "y"))
    assert np.linalg.eigvalsh(one + np.eye(BANDS)).min() > 0.0  # levels move less or more, never the other way
    assert not np.array_equal(one, other)


def test_triangles_become_symmetric_matrices() -> None:
    made = symmetric(np.arange(2.0 * TRIANGLE))
    assert made.shape == (2, BANDS, BANDS)
    assert np.array_equal(made, made.transpose(0, 2, 1))
    assert np.array_equal(made[1][np.triu_indices(BANDS)], np.arange(TRIANGLE, 2 * TRIANGLE))


def test_tables_are_small_and_hold_nothing_of_a_single_recording() -> None:
    assert set(tables()) == set(KINDS)
    # a mean and six directions of dozens of recordings
    assert all(len(table.axes) == 6 for table in tables().values())


@pytest.mark.parametrize(("surface", "table_used"), [("ground", True), ("leaves", True), ("metal", False)])
def test_only_rain_in_the_open_is_made_as_recorded(
    surface: str, table_used: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    def rain() -> Mono:
        return recipes()["rain"].make(np.random.default_rng(1), np.ones(RATE_HZ, np.float32), surface=surface)

    as_it_ships = rain()
    monkeypatch.setattr("foley.synth.recorded.tables", dict)
    assert np.array_equal(as_it_ships, rain()) != table_used
