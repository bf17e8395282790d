"""Cuts, dissolves and fades: found to the frame, and nothing else taken for one."""

from __future__ import annotations

import json

import cv2
import numpy as np
import pytest

from foley.analysis.probe import probe
from foley.analysis.watch import WatchOptions, watch
from foley.model import Source
from tests.moving_pictures import BACKGROUND, HEIGHT_PX, WIDTH_PX, film, flashing, regular, texture, watched, with_thing

SCENES = [texture(seed) for seed in (1, 11, 12, 13)]


def openings(picture):
    return [(shot.opening, round(shot.start_s, 3)) for shot in picture.shots]


def test_hard_cuts_are_found_to_the_frame():
    cuts_s = (0.8, 1.24, 2.6)

    def draw(time_s):
        return with_thing(SCENES[int(np.searchsorted(cuts_s, time_s + 1e-6))], 80 + 60 * time_s, 100)

    picture = watched(film(draw, regular(25, 4)))
    assert openings(picture) == [("start", 0.0), *(("cut", cut_s) for cut_s in cuts_s)]
    assert picture.shots[0].end_s == picture.shots[1].start_s


@pytest.mark.parametrize("length_s", [0.5, 1.0, 1.4])
def test_a_dissolve_is_one_fade_near_its_middle(length_s):
    def draw(time_s):
        mix = np.clip((time_s - 2) / length_s + 0.5, 0, 1)
        first, second = with_thing(SCENES[0], 100 + 30 * time_s, 100), with_thing(SCENES[1], 200, 60 + 10 * time_s)
        return ((1 - mix) * first + mix * second).astype(np.uint8)

    start, fade = watched(film(draw, regular(25, 4.4))).shots
    assert (start.opening, fade.opening) == ("start", "fade")
    assert fade.start_s == pytest.approx(2, abs=0.1 + 0.15 * length_s)


def test_a_fade_through_black_is_one_fade():
    def draw(time_s):
        light = np.clip(abs(time_s - 2) / 0.8 - 0.25, 0, 1)
        return (SCENES[0 if time_s < 2 else 1] * light).astype(np.uint8)

    picture = watched(film(draw, regular(25, 4)))
    assert [opening for opening, _ in openings(picture)] == ["start", "fade"]
    assert 1.7 < picture.shots[1].start_s < 2.6


@pytest.mark.parametrize("rate_hz", [24, 30, 60])
def test_flashes_are_no_cuts(rate_hz):
    assert len(watched(film(flashing((0.6, 1.4, 1.65, 3.0)), regular(rate_hz, 4))).shots) == 1


def test_a_white_frame_is_no_cut():
    def draw(time_s):
        return np.full_like(BACKGROUND, 250) if 1.5 <= time_s < 1.57 else BACKGROUND

    assert len(watched(film(draw, regular(25, 3))).shots) == 1


def test_a_fast_pan_is_no_cut():
    wide = texture(7, width_px=1600, cell_px=16)

    def draw(time_s):
        left_px = int(1000 * (1 - np.cos(np.pi * min(1, time_s / 2.5))) / 2)
        return np.ascontiguousarray(wide[:, left_px : left_px + WIDTH_PX])

    assert [shot.opening for shot in watched(film(draw, regular(25, 3))).shots] == ["start"]


def test_somebody_near_who_walks_through_is_no_cut():
    near = cv2.resize(SCENES[2], (WIDTH_PX // 2, HEIGHT_PX))

    def draw(time_s):
        image, left_px = BACKGROUND.copy(), int(-200 + 300 * time_s)
        first_px, last_px = max(0, left_px), min(WIDTH_PX, left_px + near.shape[1])
        if first_px < last_px:
            image[:, first_px:last_px] = near[:, first_px - left_px : last_px - left_px]
        return image

    assert len(watched(film(draw, regular(25, 3))).shots) == 1


HARD_CUTS = ("bikes", "scene_cuts", "baby_c", "conga_a", "tennis_a", "nasa")
NONE = ("anvil", "guns", "pistol", "fireworks_b", "ufo", "dog_c")


@pytest.mark.parametrize("name", HARD_CUTS + NONE)
def test_cuts_of_real_clips_are_all_found_and_no_other(name, shared, ctx):
    truth = json.loads((shared / "clips" / "clips.json").read_text())[name]
    picture = watch(probe(Source(shared / "clips" / truth["file"]), ctx), WatchOptions(), ctx)
    cuts_s = [shot.start_s for shot in picture.shots if shot.opening == "cut"]
    tolerance_s = 0.1 if name == "nasa" else 0.5 / truth["fps"]  # its truth is of another of its two video streams
    assert cuts_s == pytest.approx(truth["cuts_s"], abs=tolerance_s)
