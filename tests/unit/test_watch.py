"""One look at a clip: everything in it, from real files and drawn ones."""

from __future__ import annotations

import json

import cv2
import numpy as np
import pytest

from foley.analysis.observers.keyframes import MOST_A_SHOT
from foley.analysis.probe import probe
from foley.analysis.watch import Observers, WatchOptions, watch
from foley.media.reader import Frame
from foley.model import Source
from tests.moving_pictures import BACKGROUND, film, hammering, regular, texture, watched

SCENES = [texture(seed) for seed in (1, 11, 12, 13)]


def test_shots_touch_from_the_start_to_the_end():
    picture = watched(film(lambda time_s: SCENES[int(time_s)], regular(25, 4)))
    assert picture.shots[0].start_s == 0
    assert picture.shots[-1].end_s == pytest.approx(4.0)
    assert all(one.end_s == other.start_s for one, other in zip(picture.shots, picture.shots[1:], strict=False))
    assert len(picture.shot_cues) == len(picture.shots) == 4


def test_every_shot_has_a_few_key_frames_of_its_own():
    picture = watched(film(lambda time_s: SCENES[int(time_s * 2) % 4], regular(25, 8)))
    shots = [key.shot for key in picture.key_frames]
    assert set(shots) == set(range(len(picture.shots)))
    assert max(shots.count(shot) for shot in set(shots)) <= MOST_A_SHOT
    for key in picture.key_frames:
        shot = picture.shots[key.shot]
        assert shot.start_s <= key.time_s < shot.end_s


def test_a_long_shot_keeps_no_more_key_frames_than_a_short_one():
    observers = Observers()
    for number in range(1200):
        observers.see(Frame(number / 10, BACKGROUND))
    picture = observers.picture(120.0)
    assert 1 <= len(picture.key_frames) <= MOST_A_SHOT
    assert picture.key_frames[-1].time_s > 60


def test_the_sharpest_frame_is_kept():
    blurred = np.asarray(cv2.GaussianBlur(BACKGROUND, (0, 0), 6), np.uint8)
    picture = watched(film(lambda time_s: BACKGROUND if 0.8 < time_s < 1.1 else blurred, regular(25, 1.9)))
    assert 0.8 < picture.key_frames[0].time_s < 1.1


def test_key_frames_are_small_jpegs_in_the_right_colours():
    red = np.zeros((400, 800, 3), np.uint8)
    red[..., 0] = 200
    picture = watched([Frame(number / 25, red) for number in range(20)])
    image = cv2.imdecode(np.frombuffer(picture.key_frames[0].jpeg, np.uint8), cv2.IMREAD_COLOR_RGB)
    assert image.shape[1] == 384
    assert image[..., 0].mean() > 180
    assert image[..., 2].mean() < 20


@pytest.mark.parametrize("count", [1, 2, 5])
def test_a_clip_of_few_frames_is_watched_like_any_other(count):
    picture = watched([Frame(number / 25, BACKGROUND) for number in range(count)])
    assert len(picture.times_s) == count
    assert len(picture.shots) == len(picture.shot_cues) == 1
    assert picture.impacts == ()
    assert len(picture.key_frames) == 1


@pytest.mark.parametrize("size", [(16, 16), (18, 300), (300, 18)])
def test_tiny_and_slender_pictures_are_watched(size):
    rng = np.random.default_rng(0)
    frames = [Frame(number / 25, rng.integers(0, 255, (*size, 3)).astype(np.uint8)) for number in range(12)]
    assert len(watched(frames).times_s) == 12


def test_watching_twice_gives_the_same():
    frames = film(hammering((0.6, 1.4)), regular(25, 2))
    assert watched(frames).impacts == watched(frames).impacts


@pytest.mark.parametrize("detail_px", [0, 10_000])
def test_senseless_detail_is_refused(detail_px):
    with pytest.raises(ValueError, match="detail_px"):
        WatchOptions(detail_px=detail_px)


def test_a_real_clip_is_watched_from_its_file(shared, ctx):
    truth = json.loads((shared / "clips" / "clips.json").read_text())["nasa"]
    clip = probe(Source(shared / "clips" / truth["file"]), ctx)
    picture = watch(clip, WatchOptions(), ctx)
    assert len(picture.times_s) == round(clip.duration_s * clip.video.frame_rate)
    assert [shot.opening for shot in picture.shots] == ["start", "fade", "cut"]
    assert picture.shots[1].start_s == pytest.approx(5.52, abs=0.15)
    assert picture.shots[-1].end_s == pytest.approx(float(clip.duration_s))


def test_a_damaged_clip_is_watched_and_its_faults_are_told(shared, ctx):
    picture = watch(probe(Source(shared / "clips" / "odd" / "corrupted.mp4"), ctx), WatchOptions(), ctx)
    assert picture.faults
    assert len(picture.times_s) > 1
