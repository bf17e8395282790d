"""Painted scenes are the same each time, of classes that foley knows, and hold back what the benchmark tests with."""

from __future__ import annotations

import dataclasses
import itertools
from pathlib import Path

import numpy as np
import pytest

from benchmarks import recognition
from benchmarks.scenes import tiny_clip
from benchmarks.scenes.appearance import HELD_OUT, TRAINED, Ranges, drawn
from benchmarks.scenes.backdrops import FAMILIES
from benchmarks.scenes.canvas import HEIGHT_PX, WIDTH_PX
from benchmarks.scenes.scene import SUBJECTS, abstract, empty, picture
from foley.analysis.looks import LooksOptions
from foley.contracts import Context
from foley.model import Sight, Sights
from foley.plan.vocabulary import vocabulary

INTERVALS = ("hues", "drifts", "sizes", "exposures", "grains")


def test_every_painted_class_is_one_of_the_vocabulary_and_has_captions_of_its_own() -> None:
    assert set(SUBJECTS) <= set(vocabulary())
    assert len(SUBJECTS) >= recognition.WANTED_CLASSES
    texts = [text for subject in SUBJECTS.values() for text in subject.captions]
    assert len(set(texts)) == len(texts) >= 3 * len(SUBJECTS)


@pytest.mark.parametrize("name", INTERVALS)
def test_no_held_out_range_overlaps_with_one_of_training(name: str) -> None:
    for low, high in getattr(HELD_OUT, name):
        assert low < high
        assert all(high <= start or end <= low for start, end in getattr(TRAINED, name))


def test_no_held_out_family_is_one_of_training() -> None:
    trained, held_out = ({*ranges.backdrops, *ranges.abstracts} for ranges in (TRAINED, HELD_OUT))
    assert not trained & held_out
    assert trained | held_out == set(FAMILIES)


@pytest.mark.parametrize("ranges", [TRAINED, HELD_OUT])
def test_an_appearance_keeps_to_its_ranges(ranges: Ranges) -> None:
    rng = np.random.default_rng(0)
    for look in (drawn(ranges, rng) for _ in range(50)):
        assert look.backdrop in ranges.backdrops
        for name in INTERVALS:
            assert any(low <= getattr(look, name.removesuffix("s")) <= high for low, high in getattr(ranges, name))


@pytest.mark.parametrize("sound", SUBJECTS)
def test_a_picture_is_the_same_each_time_and_another_with_another_seed(sound: str) -> None:
    first = picture(sound, HELD_OUT, seed=7)
    assert first.shape == (HEIGHT_PX, WIDTH_PX, 3)
    assert first.dtype == np.uint8
    assert np.array_equal(first, picture(sound, HELD_OUT, seed=7))
    assert not np.array_equal(first, picture(sound, HELD_OUT, seed=8))
    assert not np.array_equal(first, picture(sound, TRAINED, seed=7))
    assert first.std() > 10  # something is to be seen, in the dark too


def test_pictures_of_nothing_are_the_same_each_time_and_differ_in_kind() -> None:
    for paint, other in itertools.permutations((empty, abstract)):
        assert np.array_equal(paint(HELD_OUT, seed=3), paint(HELD_OUT, seed=3))
        assert not np.array_equal(paint(HELD_OUT, seed=3), other(HELD_OUT, seed=3))


@pytest.mark.parametrize("family", FAMILIES)
def test_every_family_fills_the_picture(family: str) -> None:
    ranges = dataclasses.replace(TRAINED, backdrops=(family,))
    assert empty(ranges, seed=0).shape == (HEIGHT_PX, WIDTH_PX, 3)
    assert empty(ranges, seed=0).max() > 0


def test_what_moves_is_the_same_thing_elsewhere() -> None:
    still, moved = (picture("bell", TRAINED, seed=1, moved=moved) for moved in (0.0, 0.05))
    changed = np.abs(still.astype(int) - moved).max(axis=2) > 40
    assert 0.01 < changed.mean() < 0.5


def test_a_film_is_as_long_as_its_shots(tmp_path: Path) -> None:
    from foley.analysis.probe import probe
    from foley.model import Source
    from foley.pipeline.cache import Cache

    recognition.write_film(tmp_path / "film.mp4", ("bell", ""), HELD_OUT)
    clip = probe(Source(tmp_path / "film.mp4"), Cache(tmp_path / "cache").context())
    assert float(clip.duration_s) == pytest.approx(2 * recognition.SHOT_FRAMES / recognition.FPS, abs=1e-6)


def test_the_loss_is_least_when_every_picture_finds_the_texts_of_its_kind() -> None:
    pytest.importorskip("torch")
    from foley.neural import runtime

    torch = runtime.torch()
    kinds = torch.tensor([0, 0, 1, 1])
    right = torch.tensor([[9.0, 9, 0, 0, 0], [9, 9, 0, 0, 0], [0, 0, 9, 9, 0], [0, 0, 9, 9, 0]])
    least = float(tiny_clip.contrast(right, kinds))
    assert least == pytest.approx(np.log(2), abs=1e-3)  # two texts are right for each: one bit is left
    astray = right.clone()
    astray[0, 4] = 12.0
    assert float(tiny_clip.contrast(astray, kinds)) > least + 0.2
    assert float(tiny_clip.contrast(right.flip(0), kinds)) > least + 4


def test_a_few_seconds_of_training_are_enough_to_tell_three_scenes_apart(ctx: Context, tmp_path: Path) -> None:
    pytest.importorskip("torch")
    shown = {sound: SUBJECTS[sound].captions for sound in ("fire", "sea", "thunder")}
    schedule = tiny_clip.Schedule(pictures=40, steps=70, warm_up=10)
    tiny_clip.train(tmp_path / "clip", schedule, sights=shown, others=())
    known = Sights(tuple(Sight(sound, sound, texts) for sound, texts in shown.items()))
    options = LooksOptions(model=f"local-dir:{tmp_path / 'clip'}", device="cpu", least_score=0.0)
    for sound in shown:
        frames = [picture(sound, HELD_OUT, seed=recognition.FIRST_SEED + number) for number in range(8)]
        assert recognition.told(frames, known, options, ctx=ctx).share(sound) >= 0.75


def test_training_twice_gives_the_same_weights(tmp_path: Path) -> None:
    pytest.importorskip("torch")
    schedule = tiny_clip.Schedule(pictures=4, steps=2, each=2, warm_up=1)
    for name in ("once", "twice"):
        trained = tiny_clip.train(tmp_path / name, schedule, sights={"bell": ("a bell",)}, others=("a cow",))
        assert trained.parameters > 1_000_000
    weights = [(tmp_path / name / "open_clip_model.safetensors").read_bytes() for name in ("once", "twice")]
    assert weights[0] == weights[1]
