"""Single hits are cut out of a take whole, where they begin, and the best comes first."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
import soundfile
from hypothesis import given, settings
from hypothesis import strategies as st

from foley.dsp.onsets import first_onset_s
from foley.model import Audio
from foley.render.segments import FRAGMENT_S, SingleHit, best_hits
from foley.units import to_gain

RATE_HZ = 48_000

ONSET_TOLERANCE_S = 0.002
"""A blow whose ring is noise begins within one fine envelope."""

RECORDED_TOLERANCE_S = 0.012
"""A recorded step begins softly: where exactly is a matter of the level before it."""

Mono = npt.NDArray[np.float64]


def blow(ring_s: float, level: float, *, seed: int = 0, attack_s: float = 0.0) -> Mono:
    """Return noise that dies away by 60 dB in seven times its ring."""
    time_s = np.arange(int(7 * ring_s * RATE_HZ)) / RATE_HZ
    rise = np.minimum(1.0, time_s / attack_s) if attack_s else 1.0
    return level * rise * np.exp(-time_s / ring_s) * np.random.default_rng(seed).standard_normal(len(time_s))


def take(*blows: tuple[float, Mono], length_s: float = 4.0, noise_db: float = -70.0, channels: int = 1) -> Audio:
    """Return blows at their times over noise."""
    samples = to_gain(noise_db) * np.random.default_rng(9).standard_normal(int(length_s * RATE_HZ))
    for at_s, sound in blows:
        first = round(at_s * RATE_HZ)
        part = sound[: len(samples) - first]
        samples[first : first + len(part)] += part
    return Audio(np.tile(np.clip(samples, -1, 1), (channels, 1)).astype(np.float32), RATE_HZ)


def onsets_s(hits: list[SingleHit]) -> list[float]:
    return [(hit.first + hit.onset) / RATE_HZ for hit in hits]


@pytest.mark.parametrize("noise_db", [-70.0, -45.0])
def test_every_hit_is_found_where_it_begins(noise_db: float) -> None:
    at_s = (0.31, 1.2, 2.05, 3.1)
    found = best_hits(
        take(*((one, blow(0.03, 0.2, seed=n)) for n, one in enumerate(at_s)), noise_db=noise_db), count=9, tail_s=1.0
    )
    assert sorted(onsets_s(found)) == pytest.approx(at_s, abs=ONSET_TOLERANCE_S)


def test_a_hit_keeps_its_body_and_its_tail() -> None:
    sound = blow(0.1, 0.2)
    whole = take((0.5, sound), length_s=3.0, noise_db=-110.0)
    (hit,) = best_hits(whole, count=1, tail_s=2.0)
    kept = hit.samples[0, hit.onset :]
    lost = np.sum(np.square(whole.samples[0, hit.first + hit.samples.shape[1] :]))
    assert lost < 1e-4 * np.sum(np.square(kept)), "more than a thousandth of the tail is cut off"
    body = slice(hit.onset, hit.onset + RATE_HZ // 5)
    assert np.array_equal(hit.samples[0, body], whole.samples[0, hit.first :][body]), "the body is as it was"


def test_edges_do_not_click() -> None:
    crowded = take((0.5, blow(0.2, 0.2)), (0.9, blow(0.2, 0.2, seed=1)), (1.3, blow(0.2, 0.2, seed=2)), noise_db=-40.0)
    hits = best_hits(crowded, count=3, tail_s=1.0)
    assert len(hits) == 3
    for hit in hits:
        edges = np.abs(hit.samples[0, [0, -1]])
        assert edges.max() < to_gain(-60.0)


def test_a_hit_ends_before_the_next_begins() -> None:
    hits = best_hits(take((0.5, blow(0.3, 0.2)), (1.0, blow(0.05, 0.3, seed=1))), count=2, tail_s=2.0)
    first = min(hits, key=lambda hit: hit.first)
    assert (first.first + first.samples.shape[1]) / RATE_HZ < 1.0
    assert first.samples[0, -RATE_HZ // 100 :].std() < first.samples[0, hit_body(first)].std() / 10


def hit_body(hit: SingleHit) -> slice:
    return slice(hit.onset, hit.onset + RATE_HZ // 20)


def test_the_one_that_stands_alone_comes_first() -> None:
    crowd = [(0.3 + 0.12 * number, blow(0.1, 0.2, seed=number)) for number in range(4)]
    hits = best_hits(take(*crowd, (2.0, blow(0.1, 0.2, seed=8))), count=9, tail_s=1.0)
    assert onsets_s(hits)[0] == pytest.approx(2.0, abs=ONSET_TOLERANCE_S)
    assert [hit.score for hit in hits] == sorted((hit.score for hit in hits), reverse=True)
    assert all(0.0 <= hit.score <= 1.0 for hit in hits)


def test_a_clipped_hit_comes_after_a_clean_one() -> None:
    clipped = np.sign(blow(0.05, 1.0)) * np.minimum(np.abs(blow(0.05, 6.0)), 1.0)
    hits = best_hits(take((0.5, clipped), (2.0, blow(0.05, 0.3, seed=1))), count=2, tail_s=1.0)
    assert onsets_s(hits)[0] == pytest.approx(2.0, abs=ONSET_TOLERANCE_S)


def test_a_fragment_at_the_end_comes_last() -> None:
    end_s = 2.0
    hits = best_hits(
        take((0.5, blow(0.05, 0.2)), (end_s - FRAGMENT_S / 2, blow(0.05, 0.3, seed=1)), length_s=end_s),
        count=2,
        tail_s=1.0,
    )
    assert len(hits) == 2
    assert onsets_s(hits)[-1] == pytest.approx(end_s - FRAGMENT_S / 2, abs=ONSET_TOLERANCE_S)


def test_heel_and_ball_of_a_foot_are_one_hit() -> None:
    hits = best_hits(take((0.5, blow(0.01, 0.1)), (0.56, blow(0.02, 0.2, seed=1))), count=5, tail_s=1.0)
    assert onsets_s(hits) == pytest.approx([0.5], abs=ONSET_TOLERANCE_S)


def test_a_slow_attack_is_kept_from_its_beginning() -> None:
    (hit,) = best_hits(take((1.0, blow(0.2, 0.3, attack_s=0.15)), noise_db=-100.0), count=1, tail_s=2.0)
    assert hit.first / RATE_HZ < 1.02
    assert hit.onset > 0


def test_there_are_no_hits_in_silence_nor_in_steady_noise() -> None:
    nothing = np.zeros((1, RATE_HZ), np.float32)
    assert best_hits(Audio(nothing, RATE_HZ), count=3, tail_s=1.0) == []
    assert best_hits(Audio(nothing[:, :0], RATE_HZ), count=3, tail_s=1.0) == []
    steady = best_hits(take(length_s=3.0, noise_db=-20.0), count=9, tail_s=1.0)
    assert all(hit.first == 0 for hit in steady), "only the noise's own beginning is one"


def test_channels_stay_together() -> None:
    (hit,) = best_hits(take((0.5, blow(0.05, 0.2)), channels=2), count=1, tail_s=1.0)
    assert hit.samples.shape[0] == 2
    assert hit.samples.dtype == np.float32
    assert np.array_equal(hit.samples[0], hit.samples[1])


@settings(max_examples=25)
@given(
    gaps_s=st.lists(st.floats(0.15, 0.8), min_size=1, max_size=5),
    tail_s=st.floats(0.05, 2.0),
    count=st.integers(1, 6),
    rate_hz=st.sampled_from([16_000, 44_100, 48_000]),
)
def test_a_hit_is_a_part_of_its_take(gaps_s: list[float], tail_s: float, count: int, rate_hz: int) -> None:
    sound = take(*((at_s, blow(0.05, 0.2, seed=n)) for n, at_s in enumerate(np.cumsum(gaps_s))), length_s=5.0)
    whole = Audio(sound.samples, rate_hz)
    hits = best_hits(whole, count=count, tail_s=tail_s)
    assert 1 <= len(hits) <= count
    for hit in hits:
        length = hit.samples.shape[1]
        assert 0 <= hit.first < hit.first + hit.onset < hit.first + length <= whole.length
        assert length - hit.onset <= tail_s * rate_hz + 1
        inside = whole.samples[:, hit.first : hit.first + length]
        assert np.all(np.abs(hit.samples) <= np.abs(inside) + 1e-7), "cut and faded, nothing else"


@pytest.mark.parametrize("kind", ["step_wood", "glass_hit", "metal_hit", "stone_hit"])
def test_recorded_hits_are_found_one_by_one(shared: Path, kind: str) -> None:
    """Recordings of one blow each, one after the other with silence between, are cut into what they were."""
    blows = []
    for path in sorted((shared / "sounds" / "events" / kind).glob("*.ogg"))[:8]:
        samples, rate_hz = soundfile.read(path, dtype="float32", always_2d=True)
        one = Audio(np.ascontiguousarray(samples.mean(axis=1))[None], rate_hz)
        if rate_hz == RATE_HZ and one.duration_s < 1.2 and len(best_hits(one, count=9, tail_s=1.0)) == 1:
            blows.append(one.samples[0] / np.abs(one.samples).max() * 0.5)
    assert len(blows) >= 2, "too few recordings of one blow"
    at_s = np.arange(len(blows)) * 1.5 + 0.2
    samples = np.zeros(int((at_s[-1] + 2.0) * RATE_HZ), np.float32)
    for one_s, one in zip(at_s, blows, strict=True):
        samples[int(one_s * RATE_HZ) : int(one_s * RATE_HZ) + len(one)] += one
    due_s = [one_s + (first_onset_s(Audio(one[None], RATE_HZ)) or 0.0) for one_s, one in zip(at_s, blows, strict=True)]
    found = best_hits(Audio(samples[None], RATE_HZ), count=99, tail_s=1.2)
    assert sorted((hit.first + hit.onset) / RATE_HZ for hit in found) == pytest.approx(due_s, abs=RECORDED_TOLERANCE_S)
