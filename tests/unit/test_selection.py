"""Of several takes the one that fits is chosen, by the same marks each time, and it says by what."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from foley.errors import MissingWeightsError
from foley.model import Audio, Hit, SoundEvent
from foley.render.selection import Chooser, sound_mark, times_mark

RATE_HZ = 48_000

STEPS = SoundEvent(
    id="e1",
    label="steps on wood",
    kind="hits",
    bus="foley",
    start_s=0.2,
    end_s=1.9,
    because="a foot lands",
    hits=(Hit(0.2), Hit(0.8), Hit(1.3), Hit(1.9)),
    prompt="footsteps on a wooden floor",
)
RAIN = SoundEvent("e2", "rain", "bed", "backgrounds", start_s=0.0, end_s=3.0, because="it rains")

Mono = npt.NDArray[np.float64]


def blows(*at_s: float, length_s: float = 3.0, level: float = 0.2) -> Audio:
    rng = np.random.default_rng(3)
    samples = 1e-5 * rng.standard_normal(int(length_s * RATE_HZ))
    for one_s in at_s:
        first = round(one_s * RATE_HZ)
        ring = np.exp(-np.arange(RATE_HZ // 5) / (0.02 * RATE_HZ))[: len(samples) - first]
        samples[first : first + len(ring)] += level * ring * rng.standard_normal(len(ring))
    return Audio(samples[None].astype(np.float32), RATE_HZ)


def noise(length_s: float, level: float = 0.1) -> Audio:
    samples = level * np.random.default_rng(5).standard_normal(int(length_s * RATE_HZ))
    return Audio(samples[None].astype(np.float32), RATE_HZ)


class Words:
    """Stands in for CLAP: gives what it is told, and notes what it was asked."""

    def __init__(self, *cosines: float) -> None:
        self.cosines = cosines
        self.asked: list[str] = []

    def identity(self) -> str:
        return "words/1"

    def scores(self, texts: Sequence[str], audios: Sequence[Audio]) -> npt.NDArray[np.float32]:
        assert all(audio.rate_hz == RATE_HZ for audio in audios)
        self.asked += texts
        return np.array([self.cosines[: len(audios)]] * len(texts), np.float32)


class Pictures:
    """Stands in for PE-AV."""

    def identity(self) -> str:
        return "pictures/1"

    def scores(self, frames: npt.NDArray[np.uint8], audios: Sequence[Audio]) -> npt.NDArray[np.float32]:
        return np.linspace(-4.0, 4.0, len(audios), dtype=np.float32)


class Absent(Words):
    """Stands in for a model that cannot be loaded."""

    def scores(self, texts: Sequence[str], audios: Sequence[Audio]) -> npt.NDArray[np.float32]:
        raise MissingWeightsError("clap", "they are broken off", "foley models get clap")


@pytest.fixture(autouse=True)
def no_weights(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> None:
    """Let no weights be here, whatever this machine has."""
    empty = str(tmp_path_factory.mktemp("empty"))
    monkeypatch.setenv("FOLEY_MODELS", empty)
    monkeypatch.setenv("HF_HUB_CACHE", empty)


IN_TIME, LATE = blows(0.2, 0.8, 1.3, 1.9), blows(0.5, 1.1, 1.6, 2.2)


def test_without_a_model_onsets_decide_and_it_is_said() -> None:
    choice = Chooser().choose(STEPS, [blows(0.2), blows(0.2, 0.5, 0.9, 1.3, 1.7, 2.2), IN_TIME])
    assert choice.index == 2
    assert len(choice.scores) == 3
    assert max(choice.scores) == choice.scores[2]
    assert "take 3 of 3 was chosen" in choice.notes[0]
    assert any("not judged" in note for note in choice.notes)


def test_a_common_lag_costs_nothing() -> None:
    assert times_mark(STEPS, LATE) == pytest.approx(times_mark(STEPS, IN_TIME), abs=0.02)
    assert times_mark(STEPS, IN_TIME) > 0.95


def test_a_hit_too_many_or_too_few_costs() -> None:
    exact = times_mark(STEPS, IN_TIME)
    assert times_mark(STEPS, blows(0.2, 0.8, 1.3)) < exact - 0.1
    assert times_mark(STEPS, blows(0.2, 0.8, 1.05, 1.3, 1.9)) < exact - 0.08
    assert times_mark(STEPS, blows(0.2, 0.8, 1.34, 1.9)) < exact - 0.1, "one is 40 ms off"
    assert times_mark(STEPS, Audio(np.zeros((1, RATE_HZ), np.float32), RATE_HZ)) == 0.0


def test_a_bed_with_a_gap_costs() -> None:
    whole = noise(3.0)
    holed = Audio(whole.samples * (np.arange(whole.length) % (RATE_HZ) < RATE_HZ // 2), RATE_HZ)
    assert times_mark(RAIN, whole) == 1.0
    assert times_mark(RAIN, holed) == pytest.approx(0.5, abs=0.05)
    assert Chooser().choose(RAIN, [holed, whole]).index == 1


def test_faults_of_the_sound_cost() -> None:
    clipped = Audio(np.clip(noise(1.0, 3.0).samples, -1.0, 1.0), RATE_HZ)
    assert sound_mark(RAIN, noise(1.0)) == 1.0
    assert sound_mark(RAIN, clipped) < 0.5
    assert sound_mark(RAIN, noise(1.0, 1e-3)) < 1.0
    assert sound_mark(RAIN, Audio(np.zeros((1, 100), np.float32), RATE_HZ)) == 0.0
    assert sound_mark(STEPS, blows(0.2)) == 1.0
    assert sound_mark(STEPS, blows(0.2, length_s=0.23)) < 1.0, "cut off while it rang"


def test_the_words_decide_where_the_rest_is_alike() -> None:
    words = Words(0.1, 0.5, 0.2)
    choice = Chooser(words=words).choose(STEPS, [IN_TIME] * 3)
    assert choice.index == 1
    assert words.asked == ["footsteps on a wooden floor"]
    assert not any("not judged" in note for note in choice.notes)


def test_the_picture_counts_where_it_is_given() -> None:
    chooser = Chooser(words=Words(0.3, 0.3, 0.3), picture=Pictures())
    assert chooser.choose(STEPS, [IN_TIME] * 3).index == 0
    assert chooser.choose(STEPS, [IN_TIME] * 3, np.zeros((4, 8, 8, 3), np.uint8)).index == 2


def test_of_equal_takes_the_first_is_chosen() -> None:
    assert Chooser(words=Words(0.3, 0.3, 0.3)).choose(STEPS, [IN_TIME, LATE, IN_TIME]).index in (0, 1)
    choice = Chooser(words=Words(0.3, 0.3)).choose(STEPS, [IN_TIME, IN_TIME])
    assert choice.index == 0
    assert choice.scores[0] == choice.scores[1]


def test_a_model_that_cannot_be_asked_leaves_the_others() -> None:
    choice = Chooser(words=Absent()).choose(STEPS, [blows(0.2), IN_TIME])
    assert choice.index == 1
    assert any("words not judged" in note and "broken off" in note for note in choice.notes)


def test_one_take_needs_no_choice() -> None:
    words = Words(0.3)
    choice = Chooser(words=words).choose(STEPS, [IN_TIME])
    assert (choice.index, choice.scores, choice.notes) == (0, (), ())
    assert not words.asked
    with pytest.raises(ValueError, match="e1"):
        Chooser().choose(STEPS, [])


def test_who_is_asked_is_part_of_its_identity() -> None:
    plain, asking = Chooser(), Chooser(words=Words(0.1), picture=Pictures())
    assert plain.identity() == Chooser().identity()
    assert "words/1" in asking.identity()
    assert "pictures/1" in asking.identity()


def test_takes_at_another_rate_are_judged_alike() -> None:
    slow = Audio(IN_TIME.samples[:, ::3].copy(), 16_000)
    choice = Chooser(words=Words(0.3, 0.3)).choose(STEPS, [blows(0.2), slow])
    assert choice.index == 1


@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.floats(-1.0, 1.0), min_size=2, max_size=6), st.randoms(use_true_random=False))
def test_the_order_of_takes_does_not_matter(cosines: list[float], shuffler: object) -> None:
    order = list(range(len(cosines)))
    shuffler.shuffle(order)  # type: ignore[attr-defined]
    sounds = [noise(0.3, 0.1 + 0.01 * number) for number in range(len(cosines))]
    one = Chooser(words=Words(*cosines)).choose(RAIN, sounds)
    other = Chooser(words=Words(*(cosines[at] for at in order))).choose(RAIN, [sounds[at] for at in order])
    assert [one.scores[at] for at in order] == list(other.scores)
    assert one.scores[one.index] == other.scores[other.index] == max(one.scores)
    assert all(0.0 <= score <= 1.0 for score in one.scores)
