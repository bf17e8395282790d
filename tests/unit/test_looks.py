"""What is recognised, how sure that is, what is said where nobody can look, and which shots show one place."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from foley import plugins
from foley.analysis.looks import NEUTRAL, LooksOptions, looks, scores
from foley.analysis.places import _lab, places_by_colour, places_by_embedding
from foley.analysis.probe import probe
from foley.analysis.watch import WatchOptions, watch
from foley.contracts import Context
from foley.errors import MissingProgramError, MissingWeightsError, PlanError, UnknownPluginError
from foley.model import KeyFrame, Looks, Picture, Sight, Sights, Source
from foley.neural import runtime, weights
from foley.plan.sights import read_descriptions, sights
from foley.plan.vocabulary import vocabulary
from tests.planning import picture_of
from tests.tiny_models import tiny_open_clip

ROOT = Path(__file__).parents[2]
SIDE = (216, 384)
"""Height and width of key frames, as `watch` makes them."""

CLIP_SCALE = 100.0
"""Of nearly all published models: training ends at this bound."""

FELT_SIGHTS = Sights(
    (
        Sight("fire", "fire", ("something red",)),
        Sight("forest", "forest", ("something green",)),
        Sight("sea", "sea waves", ("something blue",)),
    )
)
COLOURS = {"red": (230, 20, 20), "green": (20, 230, 20), "blue": (20, 20, 230), "grey": (128, 128, 128)}


class Painter:
    """An encoder that knows three colours: red, green and blue are directions, and so is grey, which is neutral."""

    scale = 20.0

    def __init__(self, revision: str = "1", lacks: tuple[str, ...] = ()) -> None:
        self.revision, self.lacks = revision, lacks
        self.read: list[str] = []
        self.prepared = 0

    def identity(self, model: str = "") -> str:
        return f"painter {self.revision} {model}"

    def missing(self, model: str = "") -> tuple[str, ...]:
        return self.lacks

    def prepare(self, model: str = "", device: str = "auto") -> None:
        if self.lacks:
            raise MissingWeightsError("painter", "they are not here", self.lacks[0])
        self.prepared += 1

    def pictures(self, jpegs: Sequence[bytes]) -> np.ndarray:
        means = [cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR).mean(axis=(0, 1)) for jpeg in jpegs]
        return np.array([self._direction(*mean[::-1]) for mean in means], np.float32)

    def texts(self, texts: Sequence[str]) -> np.ndarray:
        self.read += texts
        names = [next((name for name in ("red", "green", "blue") if name in text.split()), "grey") for text in texts]
        return np.array([self._direction(*COLOURS[name]) for name in names], np.float32)

    def _direction(self, red: float, green: float, blue: float) -> np.ndarray:
        lowest = min(red, green, blue)
        parts = np.array([red - lowest, green - lowest, blue - lowest, lowest])
        return parts / np.linalg.norm(parts)


@pytest.fixture
def painter(monkeypatch: pytest.MonkeyPatch) -> Painter:
    """The only encoder there is."""
    return hire(Painter(), monkeypatch)


def hire(encoder: Painter, monkeypatch: pytest.MonkeyPatch) -> Painter:
    monkeypatch.setattr(plugins, "names", lambda kind: ("painter",))
    monkeypatch.setattr(plugins, "build", lambda kind, name: encoder)
    return encoder


def pressed(image: np.ndarray) -> bytes:
    return cv2.imencode(".jpg", image[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, 80])[1].tobytes()


def shown(*shots: Sequence[np.ndarray]) -> Picture:
    """Return a picture with these key frames in its shots, each of which lasts a second."""
    picture = picture_of(float(len(shots)), cuts_s=[float(number) for number in range(1, len(shots))])
    keys = tuple(
        KeyFrame(number + place / len(images), number, pressed(image))
        for number, images in enumerate(shots)
        for place, image in enumerate(images)
    )
    return replace(picture, key_frames=keys)


def plain(colour: str) -> np.ndarray:
    return np.full((*SIDE, 3), COLOURS[colour], np.uint8)


def labels(found: Looks) -> list[list[str]]:
    return [[label.sound for label in look.labels] for look in found.items]


def test_what_is_seen_is_named_shot_by_shot_and_nothing_known_is_an_answer(painter: Painter, ctx: Context) -> None:
    picture = shown([plain("red")], [plain("grey")], [plain("blue"), plain("blue")])

    found = looks(picture, FELT_SIGHTS, LooksOptions(), ctx)

    assert labels(found) == [["fire"], [], ["sea"]]
    assert found.encoder == "painter"
    assert found.notes == ()
    assert all(np.linalg.norm(look.embedding) == pytest.approx(1, abs=1e-5) for look in found.items)


def test_labels_are_the_likeliest_first_and_no_more_than_asked(painter: Painter, ctx: Context) -> None:
    fiery_forest = np.full((*SIDE, 3), (230, 200, 20), np.uint8)
    found = looks(shown([fiery_forest]), FELT_SIGHTS, LooksOptions(), ctx)
    one = looks(shown([fiery_forest]), FELT_SIGHTS, LooksOptions(most_labels=1), ctx)
    surer = looks(shown([fiery_forest]), FELT_SIGHTS, LooksOptions(least_score=1.0), ctx)

    assert labels(found) == [["fire", "forest"]]
    assert [label.score for label in found.items[0].labels] == sorted(
        (label.score for label in found.items[0].labels), reverse=True
    )
    assert labels(one) == [["fire"]]
    assert labels(surer) == [[]]


def test_descriptions_are_read_once_and_looks_kept_until_the_weights_change(
    painter: Painter, ctx: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    picture, other = shown([plain("red")]), shown([plain("blue")])
    first = looks(picture, FELT_SIGHTS, LooksOptions(), ctx)
    read, prepared = len(painter.read), painter.prepared

    again = looks(picture, FELT_SIGHTS, LooksOptions(), ctx)
    assert labels(again) == labels(first)
    assert painter.prepared == prepared

    looks(other, FELT_SIGHTS, LooksOptions(), ctx)
    assert len(painter.read) == read > len(NEUTRAL)

    newer = hire(Painter(revision="2"), monkeypatch)
    looks(picture, FELT_SIGHTS, LooksOptions(), ctx)
    assert len(newer.read) == read


def test_where_nobody_can_look_one_line_says_what_mends_it(monkeypatch: pytest.MonkeyPatch, ctx: Context) -> None:
    hire(Painter(lacks=("foley models get painter",)), monkeypatch)

    found = looks(shown([plain("red")], [plain("blue")]), FELT_SIGHTS, LooksOptions(), ctx)

    assert labels(found) == [[], []]
    assert found.encoder == ""
    assert len(found.notes) == 1
    assert "foley models get painter" in found.notes[0]
    assert "\n" not in found.notes[0]


def test_an_encoder_that_comes_later_looks_the_next_time(monkeypatch: pytest.MonkeyPatch, ctx: Context) -> None:
    picture = shown([plain("red")])
    hire(Painter(lacks=("foley models get painter",)), monkeypatch)
    assert labels(looks(picture, FELT_SIGHTS, LooksOptions(), ctx)) == [[]]
    hire(Painter(), monkeypatch)
    assert labels(looks(picture, FELT_SIGHTS, LooksOptions(), ctx)) == [["fire"]]


def test_nobody_looks_where_none_is_asked_for_and_nothing_is_said(painter: Painter, ctx: Context) -> None:
    found = looks(shown([plain("red")]), FELT_SIGHTS, LooksOptions(encoder="none"), ctx)

    assert labels(found) == [[]]
    assert (found.encoder, found.notes, painter.prepared) == ("", (), 0)


@pytest.mark.parametrize("opts", [LooksOptions(encoder="required"), LooksOptions(encoder="open_clip")])
def test_what_is_asked_for_must_be_there(
    opts: LooksOptions, ctx: Context, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(pytest.importorskip("huggingface_hub.constants"), "HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.delenv(weights.FOLDER_VARIABLE, raising=False)
    with pytest.raises(MissingProgramError) as caught:
        looks(shown([plain("red")]), FELT_SIGHTS, opts, ctx)
    assert caught.value.hint


def test_a_model_that_is_named_must_be_there(ctx: Context, tmp_path: Path) -> None:
    with pytest.raises(MissingProgramError):
        looks(shown([plain("red")]), FELT_SIGHTS, LooksOptions(model=f"local-dir:{tmp_path / 'absent'}"), ctx)


def test_an_encoder_that_nobody_knows_lists_the_known_ones(ctx: Context) -> None:
    with pytest.raises(UnknownPluginError) as caught:
        looks(shown([plain("red")]), FELT_SIGHTS, LooksOptions(encoder="oracle"), ctx)
    assert "open_clip" in caught.value.hint


@pytest.mark.parametrize(("name", "value"), [("encoder", " "), ("least_score", 1.5), ("most_labels", -1)])
def test_options_that_make_no_sense_are_refused(name: str, value: object) -> None:
    with pytest.raises(ValueError, match=name):
        LooksOptions(**{name: value})  # type: ignore[arg-type]


def test_a_random_clip_recognises_nothing(ctx: Context, tmp_path: Path) -> None:
    if needed := runtime.missing("torchvision", "open_clip", "safetensors"):
        pytest.skip(needed[0])
    opts = LooksOptions(model=f"local-dir:{tiny_open_clip(tmp_path / 'clip')}", device="cpu")
    few = Sights(sights(ctx).items[:20])

    found = looks(shown([plain("red")], [plain("grey")]), few, opts, ctx)

    assert found.encoder == "open_clip"
    assert labels(found) == [[], []]


def unit_rows(seed: int, count: int) -> np.ndarray:
    rows = np.random.default_rng(seed).normal(size=(count, 16))
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


@given(st.integers(0, 2**32 - 1), st.integers(1, 40), st.floats(1.0, 1000.0))
def test_scores_are_probabilities_whatever_the_encoder(seed: int, classes: int, scale: float) -> None:
    likely = scores(unit_rows(seed, 3), unit_rows(seed + 1, classes), unit_rows(seed + 2, 7), scale=scale)
    assert likely.shape == (3, classes)
    assert np.isfinite(likely).all()
    assert likely.min() >= 0
    assert likely.max() <= 1


@given(st.integers(0, 2**32 - 1), st.floats(1.0, 100.0))
def test_a_likelier_class_scores_higher(seed: int, scale: float) -> None:
    shot, classes = unit_rows(seed, 1), unit_rows(seed + 1, 9)
    likely = scores(shot, classes, unit_rows(seed + 2, 7), scale=scale)[0]
    assert np.all(np.diff(likely[np.argsort((shot @ classes.T)[0])]) >= 0)


def test_one_class_as_likely_as_the_neutral_ones_is_a_coin_toss_and_one_of_many_is_not() -> None:
    shot = np.array([[1.0, 0.0, 0.0]], np.float32)
    same = np.array([[0.3, 0.954, 0.0]], np.float32)
    alone = scores(shot, same, same, scale=CLIP_SCALE)
    of_many = scores(shot, np.repeat(same, 199, axis=0), same, scale=CLIP_SCALE)

    assert alone[0, 0] == pytest.approx(0.5, abs=1e-4)
    assert of_many[0] == pytest.approx(1 / 200, abs=1e-4)


def test_every_class_that_shows_is_described_by_what_is_seen(ctx: Context) -> None:
    found = {sight.sound: sight for sight in sights(ctx).items}
    unseen = set(vocabulary()) - set(found)

    assert unseen == {"generic-impact", "heartbeat"}
    assert all(2 <= len(sight.texts) <= 4 for sight in found.values())
    # the text encoders read 77 tokens; 15 words are at most 40
    assert max(len(text.split()) for sight in found.values() for text in sight.texts) <= 15
    texts = [text for sight in found.values() for text in sight.texts]
    assert len(set(texts)) == len(texts)
    assert not set(NEUTRAL) & set(texts)


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("theremin: [a person waving at a box]", "no such class"),
        ("rain: a wet street", "must be a list"),
        ("rain: [wet, wet]", "twice"),
    ],
)
def test_descriptions_that_cannot_be_used_are_named(text: str, fault: str, tmp_path: Path) -> None:
    path = tmp_path / "sights.yaml"
    path.write_text(text)
    with pytest.raises(PlanError, match=fault):
        read_descriptions(path)


def scene(seed: int) -> np.ndarray:
    """Return a place: a few large areas of light and colour, with detail on them."""
    rng = np.random.default_rng(seed)
    coarse = rng.uniform(30, 220, (5, 6, 3)).astype(np.float32)
    areas = cv2.resize(coarse, SIDE[::-1], interpolation=cv2.INTER_CUBIC)
    return np.clip(areas + rng.normal(0, 12, (*SIDE, 1)), 0, 255).astype(np.uint8)


def with_person(image: np.ndarray, at_px: int) -> np.ndarray:
    """Return the place with somebody in dark clothes in it, half the picture high."""
    walked = image.copy()
    walked[100:, at_px : at_px + 40] = (40, 35, 60)
    return walked


def brighter(image: np.ndarray, share: float) -> np.ndarray:
    return np.clip(image.astype(np.float32) * (1 + share), 0, 255).astype(np.uint8)


@pytest.mark.parametrize("seed", range(6))
def test_a_place_that_comes_back_is_known_by_its_colours(seed: int) -> None:
    here, there = scene(2 * seed), scene(2 * seed + 1)
    picture = shown(
        [with_person(here, 20), with_person(here, 120)],
        [there, with_person(there, 200)],
        [with_person(brighter(here, 0.1), 300)],
        [brighter(there, -0.1)],
    )
    assert places_by_colour(picture) == (0, 1, 0, 1)


def test_places_that_differ_are_never_taken_for_one() -> None:
    pictures = shown(*([scene(seed)] for seed in range(40)))
    assert places_by_colour(pictures) == tuple(range(40))


def test_what_all_shots_share_does_not_make_a_place() -> None:
    here, there = scene(100), scene(101)
    there[:, 192:] = here[:, 192:] = scene(102)[:, 192:]  # a split screen
    assert places_by_colour(shown([here], [there])) == (0, 1)

    here, there = scene(100), scene(101)
    for image, rows in itertools.product((here, there), (slice(0, 40), slice(176, 216))):
        image[rows] = 0  # black bars
    assert places_by_colour(shown([here], [there], [here])) == (0, 1, 0)


def test_black_shots_are_no_place() -> None:
    black = np.zeros((*SIDE, 3), np.uint8)
    assert places_by_colour(shown([black], [black])) == (0, 1)


def test_with_an_encoder_likeness_of_embeddings_decides() -> None:
    near = np.array([[1, 0, 0], [0, 1, 0], [0.99, 0.141, 0], [0.8, 0.6, 0]], np.float32)
    assert places_by_embedding(near) == (0, 1, 0, 2)


def test_places_are_told_apart_without_an_encoder(ctx: Context) -> None:
    here, there = scene(7), scene(8)
    found = looks(shown([here], [there], [here]), FELT_SIGHTS, LooksOptions(encoder="none"), ctx)
    assert found.places == (0, 1, 0)


def seen_places(path: Path, ctx: Context) -> tuple[int, ...]:
    return places_by_colour(watch(probe(Source(path), ctx), WatchOptions(), ctx))


def test_the_three_places_of_the_sample_walk_are_three(ctx: Context) -> None:
    assert seen_places(ROOT / "samples" / "walk.mp4", ctx) == (0, 1, 2)


def test_real_shots_from_one_camera_position_are_one_place_and_a_street_in_five_views_is_not(
    shared: Path, ctx: Context
) -> None:
    assert seen_places(shared / "clips" / "guns.mp4", ctx) == (0, 0)
    assert seen_places(shared / "clips" / "bikes.mp4", ctx) == (0, 1, 2, 3, 4, 5)


def test_colours_in_cielab_are_those_of_the_standard() -> None:
    colours = np.array([[255, 255, 255], [0, 0, 0], [255, 0, 0], [0, 0, 255]], np.uint8)
    expected = [[100.0, 0.0, 0.0], [0.0, 0.0, 0.0], [53.24, 80.09, 67.20], [32.30, 79.19, -107.86]]
    assert _lab(colours) == pytest.approx(np.array(expected), abs=0.05)
