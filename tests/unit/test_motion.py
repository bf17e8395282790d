"""The motion curve: how fast, where, and what of it is the camera's."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from foley.analysis.observers import flashes, motion
from foley.analysis.observers.flashes import FlashObserver
from foley.analysis.observers.motion import MotionObserver
from foley.analysis.observers.view import view
from tests.moving_pictures import BACKGROUND, WIDTH_PX, film, regular, texture, watched, with_thing

WIDE = texture(7, width_px=1200, cell_px=16)


def panned(time_s, *, px_s):
    left_px = int(px_s * time_s)
    return np.ascontiguousarray(WIDE[:, left_px : left_px + WIDTH_PX])


def test_a_pan_is_the_cameras():
    picture = watched(film(lambda time_s: panned(time_s, px_s=75), regular(25, 3)))
    assert np.median(picture.motion.camera) == pytest.approx(75 / WIDTH_PX, rel=0.1)
    assert picture.impacts == ()


def test_what_moves_while_the_camera_pans_is_found_where_it_is():
    def draw(time_s):
        return with_thing(panned(time_s, px_s=50), 280, 60 + 40 * np.sin(4 * time_s))

    picture = watched(film(draw, regular(25, 3)))
    moving = picture.motion.level > 0.4
    assert np.median(picture.motion.x[moving]) == pytest.approx(280 / WIDTH_PX, abs=0.1)
    assert np.median(picture.motion.camera) == pytest.approx(50 / WIDTH_PX, rel=0.15)


def test_a_faster_thing_has_a_higher_level():
    def draw(time_s):
        return with_thing(BACKGROUND, 80 + (30 * time_s if time_s < 2 else 60 + 90 * (time_s - 2)), 110)

    level = watched(film(draw, regular(25, 4))).motion.level
    assert 2 < np.median(level[60:95]) / np.median(level[10:45]) < 4


def test_a_still_picture_does_not_move():
    picture = watched(film(lambda time_s: BACKGROUND, regular(25, 3)))
    assert picture.motion.level.max() < 0.3
    assert picture.motion.camera.max() < 0.02


def test_speed_is_the_same_at_any_frame_rate():
    def speed(rate_hz):
        observer = MotionObserver()
        for number, frame in enumerate(film(lambda t: with_thing(BACKGROUND, 80 + 70 * t, 110), regular(rate_hz, 2))):
            observer.see(view(number, frame.time_s, frame.image))
        return float(np.median(observer.finish().speed[5:]))

    assert speed(24) == pytest.approx(speed(60), rel=0.25)


def test_the_curve_has_a_value_for_every_frame_and_passes_over_cuts():
    def draw(time_s):
        return BACKGROUND if time_s < 1.5 else texture(21)

    picture = watched(film(draw, regular(60, 3)))
    curves = (picture.motion.level, picture.motion.x, picture.motion.y, picture.motion.camera)
    assert all(curve.shape == picture.times_s.shape and curve.dtype == np.float32 for curve in curves)
    assert all(np.isfinite(curve).all() for curve in curves)
    assert picture.motion.camera.max() < 0.05


def test_the_parts_of_the_picture_tell_who_moves():
    def draw(time_s):
        left = with_thing(BACKGROUND, 70, 60 + (30 * np.sin(9 * time_s) if time_s < 1.5 else 0))
        return with_thing(left, 290, 150 + (0 if time_s < 1.5 else 30 * np.sin(9 * time_s)))

    picture = watched(film(draw, regular(25, 3)))
    cells = picture.motion.cells.astype(float)
    early, late = cells[5:33].mean(axis=0), cells[42:70].mean(axis=0)

    assert cells.shape == (len(picture.times_s), 3, 4)
    assert early[:, :2].sum() > 5 * early[:, 2:].sum()
    assert late[:, 2:].sum() > 5 * late[:, :2].sum()


def seen(views, monkeypatch, *, together):
    monkeypatch.setattr(motion, "TOGETHER", together)
    monkeypatch.setattr(flashes, "TOGETHER", together)
    moving, light = MotionObserver(), FlashObserver()
    for each in views:
        moving.see(each)
        light.see(each)
    return {
        f"{type(found).__name__}.{column.name}": getattr(found, column.name)
        for found in (moving.finish(), light.finish())
        for column in dataclasses.fields(found)
    }


def shaken(count, *, size_px, uneven):
    """Return views of a shaking picture in which a bright thing comes and goes, some of them twice.

    Args:
        count: How many.
        size_px: Height and width.
        uneven: Frames last differently long.
    """
    height, width = size_px
    rng = np.random.default_rng(count)
    wide = texture(3, width_px=width + 24, height_px=height + 24, cell_px=6)
    views, time_s, image = [], 0.0, wide[:height, :width]
    for number in range(count):
        if number % 5 != 4:  # else it is shown again
            offset = 12 + round(10 * np.sin(number / 3))
            image = np.ascontiguousarray(wide[offset : offset + height, 12 : 12 + width])
            if number % 7 < 3:
                image[height // 4 : height // 2, width // 4 + number % 7 : width // 2 + number % 7] = 250
        views.append(view(number, time_s, image))
        time_s += 0.04 * (1 + 2 * rng.random() * uneven)
    return views


@pytest.mark.parametrize("size_px", [(16, 16), (18, 18), (16, 64), (90, 160), (192, 108)], ids=str)
@pytest.mark.parametrize("uneven", [False, True], ids=["even", "uneven"])
def test_what_is_measured_of_a_frame_does_not_depend_on_those_measured_with_it(size_px, uneven, monkeypatch):
    for count in (0, 1, 2, 3, 4, 16, 17, 18, 19, 35):
        views = shaken(count, size_px=size_px, uneven=uneven)
        one_by_one = seen(views, monkeypatch, together=1)
        for together in (2, 16, 1000):
            for name, values in seen(views, monkeypatch, together=together).items():
                assert np.isfinite(values).all(), (count, together, name)
                np.testing.assert_allclose(values, one_by_one[name], atol=1e-4, err_msg=f"{count} {together} {name}")


@pytest.mark.parametrize("turn_frame", range(14, 21))
def test_a_stop_lies_at_its_frame_also_between_batches(turn_frame):
    """A thing comes down evenly until a frame and rests from then on: the 16th step is the last of the first batch."""
    observer = MotionObserver()
    for number in range(30):
        down_px = 30 + 6 * min(number, turn_frame)
        image = with_thing(BACKGROUND, 180, down_px)
        observer.see(view(number, number / 25, image))
    track = observer.finish()

    assert len(track.time_s) == 30
    assert int(np.argmax(track.loss)) == turn_frame
    assert int(np.argmax(track.loss_down)) == turn_frame
    assert int(np.argmax(track.settle[4:])) + 4 == turn_frame
    assert track.speed[turn_frame] > 5 * track.speed[turn_frame + 2]


@pytest.mark.parametrize("start_frame", range(14, 21))
def test_a_start_lies_at_its_frame_also_between_batches(start_frame):
    observer = MotionObserver()
    for number in range(34):
        across_px = 60 + 6 * max(0, number - start_frame)
        observer.see(view(number, number / 25, with_thing(BACKGROUND, across_px, 110)))
    track = observer.finish()

    assert int(np.argmax(track.gain)) == start_frame
    assert int(np.argmax(track.burst)) == start_frame
