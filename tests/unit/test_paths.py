"""Sounds move with what makes them where it clearly goes some way, and stay where nothing is clear."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from foley.contracts import Context
from foley.model import Hints, Hit, PanPoint, Picture, Proposal, ProposedSound, Reasoning, Region, SoundEvent, Span
from foley.plan.ground import GroundOptions, ground
from foley.plan.paths import MOST_POINTS, PAN_RANGE, hits_path, pan_of, span_path
from tests.moving_pictures import BACKGROUND, WIDTH_PX, exposed, film, regular, watched, with_thing
from tests.planning import clip_of, impact, picture_of, silence, unseen

WITHIN = 0.1
"""Of the picture's width: nearer, nobody hears where a sound is."""

LENGTH_S = 4.0
STEP = ProposedSound("step", "hits", "foley", "steps are seen", "strike", periodic=True)
ROLL = ProposedSound("roll", "span", "foley", "it rolls", None)
AIR = ProposedSound("air", "bed", "backgrounds", "", None)


def shown(x_px: Callable[[float], float], y_px: Callable[[float], float] = lambda _: 108.0) -> Picture:
    """Return what is seen of a thing that moves over a still background."""
    return watched(film(exposed(lambda at: with_thing(BACKGROUND, x_px(at), y_px(at))), regular(25, LENGTH_S)))


def x_of(point: PanPoint) -> float:
    return float(point.pan / PAN_RANGE + 0.5)


def event_of(ctx: Context, picture: Picture, sound: ProposedSound) -> SoundEvent:
    proposal = Proposal("rules", (sound,), Reasoning("", "", "", ""), ())
    clip = clip_of(picture.shots[-1].end_s)
    plan = ground(clip, picture, unseen(picture), silence(), proposal, Hints(()), GroundOptions(), ctx)
    return plan.events[0]


@pytest.mark.parametrize("speed_px", [65.0, -65.0])
def test_what_crosses_the_picture_is_followed(speed_px: float) -> None:
    def x_px(at: float) -> float:
        return WIDTH_PX / 2 + speed_px * (at - LENGTH_S / 2)

    path = span_path(shown(x_px, lambda at: 108 + 12 * np.sin(9 * at)), Span(0.0, LENGTH_S))

    places = [x_of(point) for point in path]
    assert places == sorted(places, reverse=speed_px < 0)
    assert places == pytest.approx([x_px(point.time_s) / WIDTH_PX for point in path], abs=WITHIN)
    assert path[0].time_s < 0.3
    assert path[-1].time_s > LENGTH_S - 0.3


def test_what_turns_round_is_followed_both_ways() -> None:
    def x_px(at: float) -> float:
        return WIDTH_PX / 2 + 120 * math.sin(2 * math.pi * at / 8)

    path = span_path(shown(x_px), Span(0.0, LENGTH_S))

    assert [x_of(point) for point in path] == pytest.approx([x_px(one.time_s) / WIDTH_PX for one in path], abs=WITHIN)
    assert max(x_of(point) for point in path) > 0.65


@pytest.mark.parametrize(
    "x_px",
    [lambda _: 192.0, lambda at: 100 + 14 * np.sin(7 * at), lambda at: 80.0 if at % 0.8 < 0.4 else 300.0],
    ids=["still", "on the spot", "in two places in turn"],
)
def test_what_goes_nowhere_stays(x_px: Callable[[float], float]) -> None:
    picture = shown(x_px, lambda at: 108 + 20 * np.sin(8 * at))

    assert span_path(picture, Span(0.0, LENGTH_S)) == ()


def drawn(x: Sequence[float], *, cuts_s: Sequence[float] = (), spread: bool = False) -> Picture:
    """Return a picture in which all motion is at these places, one a frame; `spread`: all over it."""
    length_s = len(x) / 25
    picture = picture_of(length_s, cuts_s=cuts_s, moving_s=[(0.0, length_s)])
    cells = np.zeros((len(x), 3, 4), np.float16)
    for frame, place in enumerate(x):
        cells[frame, :, :] = 1.0 if spread else 0.0
        cells[frame, 1, min(3, int(4 * place))] = 4.0 if not spread else 1.0
    return replace(picture, motion=replace(picture.motion, x=np.array(x, np.float32), cells=cells))


def test_motion_all_over_the_picture_has_no_way() -> None:
    across = np.linspace(0.1, 0.9, 100).tolist()

    assert span_path(drawn(across), Span(0.0, 4.0)) != ()
    assert span_path(drawn(across, spread=True), Span(0.0, 4.0)) == ()


def test_what_hardly_moves_at_all_has_no_way() -> None:
    picture = drawn(np.linspace(0.1, 0.9, 100).tolist())
    level = picture.motion.level.copy()
    level[15:] = 0.0
    quiet = replace(picture, motion=replace(picture.motion, level=level))

    assert span_path(quiet, Span(0.0, 4.0)) == ()


def test_at_a_cut_the_place_changes_at_once_and_a_still_shot_has_the_mean() -> None:
    places = [*np.linspace(0.1, 0.9, 100), *[0.3] * 100]

    path = span_path(drawn(places, cuts_s=[4.0]), Span(0.0, 8.0))

    mean = float(np.mean(places))
    before, after = (x_of(point) for point in path if 3.9 < point.time_s < 4.1)
    assert (before, after) == pytest.approx((0.9, mean), abs=0.02)
    assert x_of(path[-1]) == pytest.approx(mean, abs=0.01)


def test_in_a_region_only_what_moves_there_counts() -> None:
    picture = drawn(np.linspace(0.05, 0.95, 100).tolist())

    path = span_path(picture, Span(0.0, 4.0), Region(0.0, 0.0, 0.5, 1.0))

    assert path
    assert all(x_of(point) <= 0.5 for point in path)
    assert path[-1].time_s < 2.3, "what moves on the right is another thing"


def hits(places: Sequence[float], every_s: float = 0.5) -> tuple[Hit, ...]:
    return tuple(Hit(1.0 + every_s * number) for number in range(len(places)))


def test_steps_across_the_picture_are_followed_though_feet_land_on_both_sides() -> None:
    places = [0.1 + 0.11 * number + (0.02 if number % 2 else -0.02) for number in range(8)]

    path = hits_path(hits(places), places, picture_of(), mean=0.5)

    assert len(path) <= 4
    assert x_of(path[0]) == pytest.approx(places[0], abs=0.05)
    assert x_of(path[-1]) == pytest.approx(places[-1], abs=0.05)


@pytest.mark.parametrize(
    "places",
    [
        [0.5] * 8,
        [0.45, 0.55] * 4,
        [0.2, 0.8] * 4,
        [0.1, 0.5, 0.9],
        [0.6, 0.51, 0.47, 0.47, 0.76],
        [0.3, 0.7, 0.35, 0.5, 0.9, 0.6, 0.8, 0.4],
    ],
)
def test_hits_in_places_that_lie_on_no_way_stay(places: Sequence[float]) -> None:
    assert hits_path(hits(places), places, picture_of(), mean=0.5) == ()


@settings(max_examples=60)
@given(
    places=st.lists(st.floats(0.0, 1.0), min_size=1, max_size=40),
    cuts=st.sets(st.floats(1.5, 9.0).map(lambda cut: round(cut, 2)), max_size=4),
)
def test_whatever_is_seen_a_way_is_short_and_in_order(places: list[float], cuts: set[float]) -> None:
    seen = hits(places, 0.2)

    path = hits_path(seen, places, picture_of(10.0, cuts_s=sorted(cuts)), mean=0.5)

    times = [point.time_s for point in path]
    assert times == sorted(times)
    assert len(path) <= MOST_POINTS
    assert all(seen[0].time_s <= time <= seen[-1].time_s for time in times)
    assert all(pan_of(min(*places, 0.5)) - 1e-9 <= point.pan <= pan_of(max(*places, 0.5)) + 1e-9 for point in path)


def test_an_event_has_its_way_and_the_mean_as_its_pan(ctx: Context) -> None:
    steps = [impact(0.5 + 0.5 * number, x=0.1 + 0.1 * number) for number in range(9)]

    event = event_of(ctx, picture_of(6.0, impacts=steps), STEP)

    assert event.pan == pytest.approx(0.0, abs=0.02)
    assert x_of(event.path[0]) == pytest.approx(0.1, abs=0.02)
    assert x_of(event.path[-1]) == pytest.approx(0.9, abs=0.02)
    assert all(event.start_s <= point.time_s <= event.end_s for point in event.path)


def test_a_span_moves_and_a_bed_does_not(ctx: Context) -> None:
    picture = drawn(np.linspace(0.1, 0.9, 100).tolist())

    assert event_of(ctx, picture, ROLL).path != ()
    assert event_of(ctx, picture, AIR).path == ()
