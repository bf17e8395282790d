"""Impacts: when, where, which cue, on pictures with known truth and on real clips."""

from __future__ import annotations

import dataclasses
import importlib.util
import json

import cv2
import numpy as np
import pytest

from foley.analysis.impacts import find_impacts
from foley.analysis.observers.flashes import Light
from foley.analysis.observers.motion import Track
from foley.analysis.probe import probe
from foley.analysis.watch import WatchOptions, watch
from foley.evaluate.sync import f_measure
from foley.model import Shot, Source
from tests.moving_pictures import (
    BACKGROUND,
    HEIGHT_PX,
    THING,
    WIDTH_PX,
    film,
    flashing,
    hammering,
    kicking,
    regular,
    times_of,
    watched,
    with_thing,
)

HITS_S = (0.6, 1.37, 2.02, 2.91, 3.68)
WINDOW_S = 0.06
"""A frame and a half at 25 fps."""


@pytest.mark.parametrize("rate_hz", [24, 30000 / 1001, 60000 / 1001])
def test_a_hammer_strikes_when_it_stops(rate_hz):
    picture = watched(film(hammering(HITS_S), regular(rate_hz, 4.4)))
    assert f_measure(HITS_S, times_of(picture, "strike"), window_s=WINDOW_S).f_measure >= 0.9
    assert picture.shot_cues == ("strike",)


def test_a_hammer_is_timed_by_the_frames_own_times_where_the_rate_varies():
    steps_s = np.random.default_rng(4).choice([1 / 30, 1 / 24, 1 / 20], 110)
    times_s = np.concatenate([[0], np.cumsum(steps_s)])
    picture = watched(film(hammering(HITS_S), times_s[times_s < 4.4]))
    assert f_measure(HITS_S, times_of(picture, "strike"), window_s=WINDOW_S).f_measure >= 0.9


def test_repeated_frames_are_no_stops():
    shown_s = regular(30, 4.4)
    draw = hammering(HITS_S)
    repeating = film(lambda time_s: draw(int(time_s * 24 + 1e-6) / 24), shown_s)
    unrepeated = [repeating[0]]
    for frame in repeating[1:]:
        same = int(frame.time_s * 24 + 1e-6) == int(unrepeated[-1].time_s * 24 + 1e-6)
        unrepeated.append(type(frame)(frame.time_s, unrepeated[-1].image) if same else frame)
    picture = watched(unrepeated)
    assert f_measure(HITS_S, times_of(picture, "strike"), window_s=WINDOW_S + 1 / 24).f_measure >= 0.8


def test_a_strike_lies_where_the_thing_stopped():
    picture = watched(film(hammering(HITS_S), regular(25, 4.4)))
    strikes = [impact for impact in picture.impacts if impact.cue == "strike"]
    assert np.median([impact.x for impact in strikes]) == pytest.approx(230 / 384, abs=0.05)
    assert np.median([impact.y for impact in strikes]) == pytest.approx(140 / 216, abs=0.12)


def test_a_ball_strikes_where_it_bounces():
    bounces_s = np.arange(1, 6) * 0.8

    def ball(time_s):
        phase = time_s % 0.8 / 0.8
        return with_thing(BACKGROUND, 100 + 40 * time_s, 170 - 100 * 4 * phase * (1 - phase))

    picture = watched(film(ball, regular(30, 4.4)))
    inner = [time_s for time_s in times_of(picture, "strike") if time_s > 0.4]  # it starts on the floor
    assert f_measure(bounces_s, inner, window_s=WINDOW_S).f_measure == 1.0


@pytest.mark.parametrize("rate_hz", [25, 30])
def test_a_kick_bursts_when_it_begins(rate_hz):
    starts_s = (0.9, 2.0, 3.13)
    picture = watched(film(kicking(starts_s), regular(rate_hz, 4.2)))
    assert f_measure(starts_s, times_of(picture, "burst"), window_s=WINDOW_S).f_measure == 1.0


@pytest.mark.parametrize("rate_hz", [24, 30, 60])
def test_a_flash_is_seen_in_its_frame_and_where_it_lights(rate_hz):
    flashes_s = (0.6, 1.4, 1.65, 3.0)
    picture = watched(film(flashing(flashes_s), regular(rate_hz, 4.0)))
    score = f_measure(flashes_s, times_of(picture, "flash"), window_s=1.1 / rate_hz)
    assert score.f_measure == 1.0
    assert picture.shot_cues == ("flash",)
    assert all(impact.x < 0.35 for impact in picture.impacts if impact.cue == "flash")


def test_where_nothing_happens_there_are_no_impacts_and_no_cue():
    picture = watched(film(lambda time_s: BACKGROUND, regular(25, 4)))
    assert picture.impacts == ()
    assert picture.shot_cues == (None,)


def test_strengths_are_shares_and_times_rise():
    picture = watched(film(hammering(HITS_S), regular(25, 4.4)))
    assert all(0 < impact.strength <= 1 for impact in picture.impacts)
    assert max(impact.strength for impact in picture.impacts if impact.cue == "strike") > 0.8
    assert [impact.time_s for impact in picture.impacts] == sorted(impact.time_s for impact in picture.impacts)


def test_a_cut_is_no_impact():
    def draw(time_s):
        return BACKGROUND if time_s < 2 else np.ascontiguousarray(BACKGROUND[::-1, ::-1])

    assert watched(film(draw, regular(25, 4))).impacts == ()


def test_impacts_of_real_clips_keep_their_f_measure(shared, ctx):
    cues = {"pistol": "burst", "fireworks_b": "flash", "stick_bag": "strike"}
    spec = importlib.util.spec_from_file_location("sync_score", shared / "clips" / "sync_score.py")
    scorer = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(scorer)
    truth = json.loads((shared / "clips" / "clips.json").read_text())
    scores = []
    for name, cue in cues.items():
        picture = watch(probe(Source(shared / "clips" / truth[name]["file"]), ctx), WatchOptions(), ctx)
        scores.append(scorer.score_times(times_of(picture, cue), truth[name], n_chance=1)["f1_50"])
    assert np.mean(scores) >= 0.9


def walking(*, period_s, size_px, x_px=190):
    """Return a drawing of a square that is set down once a period: lifted, then lowered ever faster."""
    thing = cv2.resize(THING, (size_px, size_px), interpolation=cv2.INTER_AREA)

    def draw(time_s):
        phase = time_s % period_s / period_s
        lifted = np.sin(np.pi * phase / 0.5) if phase < 0.25 else 1 - ((phase - 0.25) / 0.35) ** 2 if phase < 0.6 else 0
        place = np.array([[1, 0, x_px], [0, 1, 140 - 0.8 * size_px * lifted]], np.float32)
        cover = cv2.warpAffine(np.ones(thing.shape[:2], np.float32), place, (WIDTH_PX, HEIGHT_PX))[..., None]
        return BACKGROUND * (1 - cover) + cv2.warpAffine(thing, place, (WIDTH_PX, HEIGHT_PX)) * cover

    return draw


def test_steps_seen_from_afar_are_found_beside_steps_seen_near():
    near, far = walking(period_s=0.6, size_px=90), walking(period_s=0.6, size_px=26)

    def draw(time_s):
        shown = near(time_s) if time_s < 4 else far(time_s)[:, ::-1]  # the other side of the street
        return np.clip(shown, 0, 255).astype(np.uint8)

    picture = watched(film(draw, regular(25, 8)))
    assert len(picture.shots) == 2
    steps_s = [0.6 * number + 0.36 for number in range(14) if 0.6 * number + 0.36 < 8]
    far_s = [time_s for time_s in steps_s if time_s > 4.2]
    found = [time_s for time_s in times_of(picture, "strike") if time_s > 4.2]
    assert f_measure(far_s, found, window_s=WINDOW_S).f_measure >= 0.8


def test_a_beat_that_pauses_strikes_nothing_in_the_pause():
    hits_s = [0.6 + 0.7 * number for number in range(10) if number != 5]
    picture = watched(film(hammering(hits_s), regular(25, 7.5)))
    assert f_measure(hits_s, times_of(picture, "strike"), window_s=WINDOW_S).f_measure >= 0.9
    assert not [time_s for time_s in times_of(picture, "strike") if abs(time_s - 4.1) < 0.2]


def test_a_blow_too_fast_to_be_seen_falling_strikes_when_it_is_there():
    blows, count = np.array([21, 51, 88]), 115  # frames, too far apart for a beat
    columns = {field.name: np.zeros(count, np.float32) for field in dataclasses.fields(Track)}
    columns["time_s"] = np.arange(count) / 30
    columns["burst"][blows], columns["settle"][blows + 6] = 6.0, 1.0
    columns["gain"][blows], columns["loss"][blows + 4], columns["loss_down"][blows + 4] = (
        0.2,
        0.06,
        0.04,
    )  # springs back
    steady = np.full(count, 100, np.float32)
    light = Light(columns["time_s"], steady, 0 * steady, 0 * steady, 0 * steady)

    impacts, cues = find_impacts(Track(**columns), light, [Shot(0.0, count / 30, "start")], blind=[])

    assert cues == ("burst",)
    strikes_s = [impact.time_s for impact in impacts if impact.cue == "strike"]
    assert strikes_s == pytest.approx(blows / 30, abs=1 / 30)
