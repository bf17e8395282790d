from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from foley.dsp.compressor import Compressor, Dynamics
from foley.dsp.filters import Cascade, bell, high_pass, high_shelf
from foley.mix.chain import CHAINS
from foley.mix.strip import Compressing, Strip
from foley.mix.sum import BUSES, CHUNK_SAMPLES
from foley.model import Placement
from foley.units import RATE_HZ, to_db
from tests.arrangement_maker import arranged, hit_sound, saved, scene

SECTIONS = (high_pass(50.0, RATE_HZ), bell(2500.0, -2.0, RATE_HZ, q=0.7), high_shelf(8000.0, -1.0, RATE_HZ))
ROUNDING = 4e-7
"""Single precision at full scale, a few times over."""


def tone(at_hz: float, *, amplitude: float, length: int = CHUNK_SAMPLES) -> np.ndarray:
    wave = amplitude * np.sin(2 * np.pi * at_hz * np.arange(length) / RATE_HZ)
    return np.stack([wave, wave]).astype(np.float32)


def test_the_cascade_is_what_sample_by_sample_filtering_gives() -> None:
    from scipy.signal import sosfilt

    noise = np.random.default_rng(3).uniform(-1, 1, (2, 2 * CHUNK_SAMPLES)).astype(np.float32)
    noise[:, :1000] = 0.0
    cascade = Cascade(SECTIONS)
    first, memory = cascade.filtered(noise[:, :CHUNK_SAMPLES], None)
    second, _ = cascade.filtered(noise[:, CHUNK_SAMPLES:], memory)
    sections = [[b0, b1, b2, 1.0, a1, a2] for b0, b1, b2, a1, a2 in SECTIONS]
    assert np.abs(np.hstack([first, second]) - sosfilt(sections, noise.astype(float), axis=1)).max() < ROUNDING
    assert not first[:, :1000].any()


@pytest.mark.parametrize(("at_hz", "wanted_db"), [(50.0, -3.0), (2500.0, -2.0), (20_000.0, -1.0), (300.0, 0.0)])
def test_filters_do_what_they_are_called(at_hz: float, wanted_db: float) -> None:
    made, _ = Cascade(SECTIONS).filtered(tone(at_hz, amplitude=1.0), None)
    assert to_db(float(np.abs(made[:, CHUNK_SAMPLES // 2 :]).max())) == pytest.approx(wanted_db, abs=0.15)


@pytest.mark.parametrize("bus", ["foley", "effects", "backgrounds"])
def test_rumble_goes_and_what_is_heard_stays(bus: str, tmp_path: Path) -> None:
    def through(at_hz: float) -> float:
        take = saved(tone(at_hz, amplitude=0.01), tmp_path / f"{at_hz}.wav")
        strip = Strip(arranged([Placement("a", bus, take, 0, 1.0, 1.0)], CHUNK_SAMPLES), bus, "designed")
        return to_db(100.0 * float(np.abs(strip.block(CHUNK_SAMPLES // 2, CHUNK_SAMPLES)).max()))

    assert through(10.0) < -13.0
    assert all(-1.6 < through(at_hz) < 0.1 for at_hz in (120.0, 1000.0, 5000.0, 12_000.0))


def test_music_and_a_chain_that_is_off_change_no_bit(tmp_path: Path) -> None:
    song = saved(0.3 * np.random.default_rng(8).standard_normal((2, 30_000)), tmp_path / "song.wav")
    arrangement = arranged([Placement("song", "music", song, 500, 0.7, 0.6)], 40_000)
    off = Strip(arrangement, "music", "off").block(0, 40_000)
    assert np.array_equal(Strip(arrangement, "music", "designed").block(0, 40_000), off)
    assert CHAINS["music"].dynamics is None


def test_width_lifts_what_differs_and_leaves_what_mono_hears(tmp_path: Path) -> None:
    bed = saved(0.1 * np.random.default_rng(8).standard_normal((2, RATE_HZ)), tmp_path / "bed.wav")
    sums, differences = {}, {}
    for bus in ("backgrounds", "music"):
        block = Strip(arranged([Placement("bed", bus, bed, 0, 1.0, 1.0)], RATE_HZ), bus, "designed").block(0, RATE_HZ)
        sums[bus], differences[bus] = np.std(block[0] + block[1]), np.std(block[0] - block[1])
    wider = differences["backgrounds"] / sums["backgrounds"] / (differences["music"] / sums["music"])
    assert wider == pytest.approx(CHAINS["backgrounds"].width, rel=0.01)


_CUTS = st.lists(st.integers(1, 4 * RATE_HZ - 1), max_size=8, unique=True)


@settings(max_examples=10, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(cuts=_CUTS, forward=st.booleans())
def test_no_block_can_be_told_from_another(tmp_path: Path, cuts: list[int], forward: bool) -> None:
    arrangement = scene(tmp_path, duration_s=4.0)
    edges = [0, *sorted(cuts), arrangement.length]
    for bus in BUSES:
        whole = Strip(arrangement, bus, "designed").block(0, arrangement.length)
        strip = Strip(arrangement, bus, "designed")
        for first, last in list(pairwise(edges))[:: 1 if forward else -1]:
            assert np.array_equal(strip.block(first, last), whole[:, first:last])


def test_nothing_is_heard_before_a_hit_and_the_hit_stays_where_it_is(tmp_path: Path) -> None:
    take = saved(hit_sound(np.random.default_rng(1)), tmp_path / "hit.wav")
    for bus in BUSES:
        arrangement = arranged([Placement("a", bus, take, 100_000, 0.5, 0.5)], 3 * RATE_HZ)
        dry, made = (Strip(arrangement, bus, chain).block(0, 3 * RATE_HZ) for chain in ("off", "designed"))
        assert not made[:, :100_000].any()
        lag = np.correlate(made[0, 99_990:101_000], dry[0, 100_000:100_990], mode="valid").argmax() - 10
        assert abs(lag) <= 0.0002 * RATE_HZ


def test_a_compressor_takes_off_what_its_ratio_says_and_never_more_than_its_most() -> None:
    how = Dynamics(threshold_db=-20.0, ratio=2.0, most_db=4.0)
    for over_db, wanted_db in ((-10.0, 0.0), (4.0, -2.0), (30.0, -4.0)):
        amplitude = np.sqrt(2) * 10 ** ((over_db - 20.0) / 20)
        curve = Compressor(how).add(tone(1000.0, amplitude=float(amplitude)))
        assert to_db(float(curve[-1])) == pytest.approx(wanted_db, abs=0.1)


def test_a_compressor_lets_an_attack_through_and_comes_back_in_time() -> None:
    burst = tone(1000.0, amplitude=0.9)
    burst[:, :48_000] = 0.0
    burst[:, 60_000:] = 0.0
    curve = Compressor(Dynamics(threshold_db=-20.0, ratio=2.0)).add(burst)
    assert (curve[:1000] == 1.0).all()
    assert to_db(float(curve[1001])) > -1.0
    assert to_db(float(curve.min())) < -3.5
    assert curve[-1] == 1.0


def test_a_compressor_does_not_depend_on_blocks(tmp_path: Path) -> None:
    strip = Strip(scene(tmp_path, duration_s=4.0, gain=1.5), "foley", "designed")
    whole, pieces = Compressing(strip), Compressing(strip)
    whole.block(0, 4 * RATE_HZ)
    for first in range(0, 4 * RATE_HZ, 4800):
        pieces.block(first, first + 4800)
    assert whole.curve() is not None
    assert whole.curve() == pytest.approx(pieces.curve(), abs=1e-6)
    assert whole.curve().min() < 0.9
