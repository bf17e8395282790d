"""One sound alone, and takes to choose among."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from foley import auditions
from foley.api import Settings, plan
from foley.errors import OptionError, OutputExistsError, PlanError
from foley.media import sound
from foley.plan import events
from foley.plan.alone import alone
from tests import media_maker as make
from tests.media_fixtures import MediaShelf


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(workdir=tmp_path / "cache")


def heard(path: Path) -> np.ndarray:
    return sound.load(sound.describe(path)).samples


def test_a_sound_alone_is_a_whole_file_with_its_hit_at_the_start(tmp_path: Path, settings: Settings) -> None:
    made = auditions.sound("a wooden door slams", tmp_path / "door.wav", settings=settings)
    file = sound.describe(made.files[0])
    samples = sound.load(file).samples
    assert (file.rate_hz, made.generator) == (48_000, "procedural")
    assert np.abs(samples).max() == pytest.approx(10 ** (-3 / 20), abs=0.01)
    assert np.abs(samples[:, :48_00]).max() > 0.2


def test_counted_hits_are_counted_and_steps_come_in_a_row() -> None:
    assert len(alone("three knocks on a door").events[0].hits) == 3
    assert len(alone("footsteps on gravel").events[0].hits) > 2
    assert len(alone("a wooden door slams").events[0].hits) == 1


def test_a_length_is_kept(tmp_path: Path, settings: Settings) -> None:
    made = auditions.sound("rain", tmp_path / "rain.wav", length_s=2.5, settings=settings)
    assert sound.describe(made.files[0]).length == 120_000


def test_takes_of_a_sound_differ_and_a_seed_gives_the_same_again(tmp_path: Path, settings: Settings) -> None:
    first, second = auditions.sound("a glass clinks", tmp_path / "a.wav", count=2, settings=settings).files
    again = auditions.sound("a glass clinks", tmp_path / "b.wav", seed=1, settings=settings).files[0]
    assert not np.array_equal(heard(first), heard(second))
    assert np.array_equal(heard(second), heard(again))


def test_only_the_first_sound_is_made_and_the_others_are_named(tmp_path: Path, settings: Settings) -> None:
    made = auditions.sound("a dog barks, then rain", tmp_path / "dog.wav", settings=settings)
    assert made.event.label.startswith("dog")
    assert any("rain" in note for note in made.notes)


def test_words_that_name_nothing_need_a_kind() -> None:
    with pytest.raises(PlanError, match="no known sound"):
        alone("a glorp frobs")
    event = alone("a glorp frobs", kind="span", length_s=2.0).events[0]
    assert (event.kind, event.prompt, event.end_s, event.recipe) == ("span", "a glorp frobs", 2.0, "")


def test_a_file_that_is_there_is_kept(tmp_path: Path, settings: Settings) -> None:
    (tmp_path / "door.wav").write_bytes(b"precious")
    with pytest.raises(OutputExistsError):
        auditions.sound("a door slams", tmp_path / "door.wav", settings=settings)
    assert (tmp_path / "door.wav").read_bytes() == b"precious"


@pytest.mark.parametrize("wrong", [{"count": 0}, {"count": 65}, {"length_s": 0.0}, {"length_s": float("nan")}])
def test_senseless_numbers_are_refused(tmp_path: Path, settings: Settings, wrong: dict[str, float]) -> None:
    with pytest.raises(OptionError):
        auditions.sound("rain", tmp_path / "x.wav", settings=settings, **wrong)  # type: ignore[arg-type]


@pytest.fixture
def planned(tmp_path: Path, media: MediaShelf, settings: Settings) -> Path:
    video = tmp_path / "clip.mp4"
    video.write_bytes(media(make.moving).read_bytes())
    return plan(video, prompt="0:00.5 a door slams; rain", settings=settings).path


def test_a_picked_take_is_heard_as_it_was_auditioned(planned: Path, settings: Settings) -> None:
    slam = next(event for event in events.load(planned).events if event.kind == "hits")
    audition = auditions.takes(planned, slam.id, count=3, settings=settings)
    assert [take.number for take in audition.takes] == [1, 2, 3]
    assert audition.takes[0].seed == slam.seed
    different = {heard(take.file).tobytes() for take in audition.takes}
    assert len(different) == 3
    page = audition.page.read_text()
    assert page.count("<audio") == page.count("data:image/png") == 3

    picked = auditions.pick(planned, slam.id, 2)
    assert (picked.seed, picked.generator) == (audition.takes[1].seed, "procedural")
    now = events.load(planned)
    assert next(event for event in now.events if event.id == slam.id) == picked
    again = auditions.takes(planned, slam.id, count=1, settings=settings)
    assert not (again.page.parent / "02.wav").exists()
    assert heard(again.takes[0].file).tobytes() in different


def test_generators_take_turns(planned: Path, settings: Settings) -> None:
    audition = auditions.takes(planned, "e01", count=3, generators=["procedural", "silence"], settings=settings)
    assert [take.generator for take in audition.takes] == ["procedural", "silence", "procedural"]
    assert not heard(audition.takes[1].file).any()


def test_an_event_is_known_by_how_it_begins_and_never_guessed(planned: Path, settings: Settings) -> None:
    with pytest.raises(PlanError, match="begin with 'e0'"):
        auditions.takes(planned, "e0", settings=settings)
    with pytest.raises(PlanError, match="no event 'door'"):
        auditions.takes(planned, "door", settings=settings)


def test_what_was_never_made_cannot_be_picked(planned: Path, settings: Settings) -> None:
    with pytest.raises(PlanError, match="no takes"):
        auditions.pick(planned, "e01", 1)
    auditions.takes(planned, "e01", count=2, settings=settings)
    with pytest.raises(PlanError, match="no take 3"):
        auditions.pick(planned, "e01", 3)


def test_a_plan_alone_names_no_picture() -> None:
    made = alone("rain")
    assert made.clip.key == ""
    assert made.clip.duration_s == Fraction(10)
    assert replace(made.events[0], seed=5) == alone("rain", seed=5).events[0]
