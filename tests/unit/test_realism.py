"""What the realism measure hears, on sounds whose truth is known."""

from pathlib import Path

import numpy as np
import pytest

from benchmarks.realism.descriptors import EVENT_BANDS, RATE_HZ, blocks, described, onset_at
from benchmarks.realism.recordings import Recordings, one_shots, onsets_s, source_of, stretches
from benchmarks.realism.renders import EVENTS, TEXTURES, Stand, drawn, sounds
from benchmarks.realism.scores import Classifier, Space, held_out, splits, told_apart
from foley.synth.recipe import recipes


def ping(rng: np.random.Generator, frequency_hz: float, t60_s: float, *, at_s: float = 0.05) -> np.ndarray:
    """A decaying tone in a little noise."""
    time_s = np.arange(RATE_HZ) / RATE_HZ - at_s
    tone = np.where(time_s > 0.0, np.exp(-6.9 * np.maximum(time_s, 0.0) / t60_s), 0.0)
    return (tone * np.sin(2 * np.pi * frequency_hz * time_s) + 1e-3 * rng.standard_normal(RATE_HZ)).astype(np.float32)


@pytest.fixture(scope="module")
def pings() -> Recordings:
    """Two classes, low and long, high and short, of two sources each; those of a source share their pitch."""
    rng = np.random.default_rng(3)
    rows = [
        (name, f"{name}_{source}", described("event", ping(rng, pitch_hz * (1.0 + 0.1 * source), t60_s)))
        for name, pitch_hz, t60_s in (("low", 300.0, 0.5), ("high", 3000.0, 0.05))
        for source in range(4)
        for _ in range(4)
    ]
    classes, sources, numbers = zip(*rows, strict=True)
    return Recordings("event", np.array(classes), np.array(sources), np.array(numbers))


def test_every_block_of_descriptors_is_filled() -> None:
    noise = np.random.default_rng(0).standard_normal(5 * RATE_HZ).astype(np.float32)
    for kind in ("event", "texture"):
        numbers = described(kind, noise)
        assert len(numbers) == sum(blocks(kind).values())
        assert np.isfinite(numbers).all()


def test_silence_can_be_described() -> None:
    for kind in ("event", "texture"):
        assert np.isfinite(described(kind, np.zeros(2 * RATE_HZ, np.float32))).all()


def test_the_onset_is_where_the_sound_begins() -> None:
    sound = ping(np.random.default_rng(0), 1000.0, 0.2, at_s=0.3)
    assert onset_at(sound) / RATE_HZ == pytest.approx(0.3, abs=0.003)


def test_descriptors_do_not_depend_on_level_or_lead() -> None:
    sound = ping(np.random.default_rng(0), 800.0, 0.2)
    moved = 0.1 * np.concatenate([np.zeros(2205, np.float32), sound])
    levels = blocks("event")["levels"]
    assert described("event", moved)[:levels] == pytest.approx(described("event", sound)[:levels], abs=1.5)


def test_the_loudest_band_is_the_tones() -> None:
    rng = np.random.default_rng(0)
    low, high = (
        int(described("event", ping(rng, hz, 0.3))[: 7 * EVENT_BANDS].reshape(7, -1)[2].argmax())
        for hz in (200.0, 5000.0)
    )
    assert low < 6 < 15 < high


def test_a_flutter_shows_at_its_rate() -> None:
    time_s = np.arange(5 * RATE_HZ) / RATE_HZ
    noise = np.random.default_rng(0).standard_normal(len(time_s))
    sound = (noise * (1.0 + 0.9 * np.sin(2 * np.pi * 8.0 * time_s))).astype(np.float32)
    sizes = blocks("texture")
    first = sum(sizes[name] for name in ("levels", "spread", "skew", "kurtosis"))
    by_octave = described("texture", sound)[first : first + sizes["modulation"]].reshape(8, -1).mean(1)
    assert by_octave.argmax() == 3  # 6 to 12.5 Hz


def test_takes_of_a_session_are_one_source() -> None:
    assert source_of(Path("cdda__plmove__walk_barefoot_10.ogg")) == source_of(Path("cdda__plmove__walk_barefoot_2.ogg"))
    assert source_of(Path("mt__fire_fire.1.ogg")) == "mt__fire_fire"
    assert source_of(Path("esc10__1-30226-A.ogg")) != source_of(Path("esc10__1-30344-A.ogg"))


def test_several_hits_of_a_file_are_found_and_cut_apart() -> None:
    rng = np.random.default_rng(0)
    file = np.concatenate([ping(rng, 900.0, 0.2, at_s=0.1), ping(rng, 900.0, 0.2, at_s=0.1)])
    assert onsets_s(file) == pytest.approx([0.1, 1.1], abs=0.02)
    assert [len(part) > 0.5 * RATE_HZ for part in one_shots(file, onsets_s(file))] == [True, True]


def test_a_short_texture_is_repeated_and_a_long_one_cut() -> None:
    noise = np.random.default_rng(0).standard_normal(12 * RATE_HZ).astype(np.float32)
    assert [len(part) / RATE_HZ for part in stretches(noise)] == [5.0, 5.0]
    assert min(len(part) for part in stretches(noise[: RATE_HZ // 2])) >= 2 * RATE_HZ


def test_no_source_is_both_known_and_judged(pings: Recordings) -> None:
    for known, judged in splits(pings, "low"):
        assert not (known & judged).any()
        assert not set(pings.sources[known]) & set(pings.sources[judged])
        assert (pings.classes[judged] == "low").all()


def test_the_right_sound_is_near_and_the_wrong_one_far(pings: Recordings) -> None:
    space, rng = Space(pings), np.random.default_rng(8)
    right = space.placed(np.array([described("event", ping(rng, 330.0, 0.5)) for _ in range(4)]))
    wrong = space.placed(np.array([described("event", ping(rng, 3300.0, 0.05)) for _ in range(4)]))
    near, far = held_out(space, "low", right), held_out(space, "low", wrong)
    assert near.ours < 1.3 < near.others
    assert far.ours > 2.0 * near.ours
    assert near.across_sources


def test_the_classifier_knows_a_class_from_another_source(pings: Recordings) -> None:
    space, rng = Space(pings), np.random.default_rng(8)
    asked = space.placed(
        np.array([described("event", ping(rng, hz, t60)) for hz, t60 in ((280.0, 0.5), (2700.0, 0.05))])
    )
    assert Classifier(space.places, pings.classes).ranked(asked)[:, 0].tolist() == ["low", "high"]


def test_what_is_alike_is_not_told_apart_and_what_differs_is() -> None:
    rng = np.random.default_rng(1)
    numbers, half = rng.standard_normal((60, 20)), np.arange(60) < 30
    assert 0.3 < told_apart(numbers, half) < 0.7
    assert told_apart(numbers + 2.0 * half[:, None], half) > 0.95


def test_too_few_to_judge_give_no_value() -> None:
    assert np.isnan(told_apart(np.zeros((8, 3)), np.arange(8) < 3))


def test_recipes_that_stand_for_classes_exist_and_take_their_parameters() -> None:
    for stand in [stand for stands in (*EVENTS.values(), *TEXTURES.values()) for stand in stands]:
        assert stand.recipe in recipes()
        assert set(stand.values) <= set(recipes()[stand.recipe].parameters), stand


def test_parameters_are_drawn_within_their_spread() -> None:
    stand = Stand("hit_wood", {"size": (0.2, 0.4)})
    values = [drawn(np.random.default_rng(n), recipes()["hit_wood"], stand.values) for n in range(5)]
    assert all(0.2 <= float(value["size"]) <= 0.4 for value in values)
    assert len({value["variant"] for value in values}) == 5


def test_renders_repeat_and_differ_from_each_other() -> None:
    first, again = (sounds("event", "drip", EVENTS["drip"], 2) for _ in range(2))
    assert np.array_equal(first[0], again[0])
    assert len(first[0]) != len(first[1]) or not np.array_equal(first[0], first[1])
