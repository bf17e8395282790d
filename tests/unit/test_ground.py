"""What is proposed, checked against the picture and timed by it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from foley.contracts import Context
from foley.model import Hints, Listening, Picture, Proposal, ProposedSound, Reasoning, Region, SoundEvent, SoundPlan
from foley.plan.curves import CORNER_S
from foley.plan.ground import GroundOptions, ground
from foley.plan.instants import SAME_S, SNAP_S, instants
from foley.plan.series import period
from tests.planning import clip_of, impact, picture_of, silence, unseen

KNOCK = ProposedSound("knock", "hits", "foley", "the prompt says 'knock'", "strike")
BARK = replace(KNOCK, label="bark", cue="burst", level_db=-10.0)
STEP = replace(KNOCK, label="step", periodic=True, level_db=-20.0)
RUSTLE = ProposedSound("rustle", "span", "foley", "the prompt says 'rustle'", None)
AIR = ProposedSound("air", "bed", "backgrounds", "", None)


def plan_of(
    ctx: Context, picture: Picture, *sounds: ProposedSound, seed: int = 0, places: tuple[int, ...] = ()
) -> SoundPlan:
    """Return the plan of sounds; without `places` all shots show one place."""
    end_s = picture.shots[-1].end_s
    proposal = Proposal("rules", sounds, Reasoning("", "", "", ""), (), seed, "auto")
    looks = replace(unseen(picture), places=places or (0,) * len(picture.shots))
    return ground(clip_of(end_s), picture, looks, silence(), proposal, Hints(()), GroundOptions(), ctx)


def times(event: SoundEvent) -> list[float]:
    return [hit.time_s for hit in event.hits]


def test_hits_are_where_the_picture_shows_their_cue(ctx: Context) -> None:
    picture = picture_of(impacts=[impact(1.0), impact(2.0, "burst"), impact(3.0)])

    (knock,) = plan_of(ctx, picture, KNOCK).events

    assert times(knock) == [1.0, 3.0]
    assert knock.because == "The prompt says 'knock'; 2 strikes are seen."


def test_strong_impacts_hit_harder_and_weak_ones_are_heard(ctx: Context) -> None:
    (knock,) = plan_of(ctx, picture_of(impacts=[impact(1.0, strength=0.0), impact(2.0, strength=1.0)]), KNOCK).events

    weak, strong = (hit.strength for hit in knock.hits)
    assert 0.2 < weak < strong == 1.0


def test_a_hit_is_panned_to_where_it_is_seen(ctx: Context) -> None:
    pans = [plan_of(ctx, picture_of(impacts=[impact(1.0, x=x)]), KNOCK).events[0].pan for x in (0.0, 0.5, 1.0)]

    assert pans == [-0.6, 0.0, 0.6]


def test_only_the_shots_that_are_named_are_searched(ctx: Context) -> None:
    picture = picture_of(impacts=[impact(1.0), impact(6.0)], cuts_s=[5.0])

    (knock,) = plan_of(ctx, picture, replace(KNOCK, shots=(1,))).events

    assert times(knock) == [6.0]


def test_another_cue_is_taken_where_the_own_is_not_seen_and_says_so(ctx: Context) -> None:
    (knock,) = plan_of(ctx, picture_of(impacts=[impact(1.0, "burst")]), KNOCK).events

    assert times(knock) == [1.0]
    assert "no strike is seen, but 1 burst of motion is seen" in knock.because
    assert knock.confidence < 1.0


def test_light_is_never_taken_for_motion(ctx: Context) -> None:
    (boom,) = plan_of(ctx, picture_of(impacts=[impact(1.0)], moving_s=[(4, 5)]), replace(KNOCK, cue="flash")).events

    assert times(boom) != [1.0]
    assert "is heard where most moves" in boom.because


def test_what_is_not_seen_is_heard_once_and_is_doubtful(ctx: Context) -> None:
    (knock,) = plan_of(ctx, picture_of(), KNOCK).events

    assert times(knock) == [5.0]
    assert knock.confidence < 0.5


def test_what_repeats_and_is_not_seen_repeats_evenly_for_a_while(ctx: Context) -> None:
    (steps,) = plan_of(ctx, picture_of(3600.0), STEP).events

    assert np.ptp(np.diff(times(steps))) == pytest.approx(0, abs=2e-4)
    assert steps.duration_s < 30


@pytest.mark.parametrize("off_s", [-0.14, 0.0, 0.14])
def test_an_exact_instant_near_an_impact_is_moved_onto_it(off_s: float, ctx: Context) -> None:
    (knock,) = plan_of(ctx, picture_of(impacts=[impact(3.0)]), replace(KNOCK, start_s=3.0 + off_s, exact=True)).events

    assert times(knock) == [3.0]
    assert f"{-1000 * off_s + 0.0:+.0f} ms from the given time" in knock.because


def test_an_exact_instant_far_from_impacts_holds(ctx: Context) -> None:
    picture = picture_of(impacts=[impact(3.0)])

    (knock,) = plan_of(ctx, picture, replace(KNOCK, start_s=3.0 + SNAP_S + 0.01, exact=True)).events

    assert times(knock) == [3.16]


def test_an_impact_that_was_given_away_is_not_heard_twice(ctx: Context) -> None:
    picture = picture_of(impacts=[impact(1.0), impact(2.0), impact(3.0)])

    slam, steps = sorted(
        plan_of(ctx, picture, STEP, replace(KNOCK, label="slam", start_s=2.0)).events, key=lambda one: -len(one.label)
    )[::-1]

    assert {one.label: times(one) for one in (slam, steps)} == {"step": [1.0, 3.0], "slam": [2.0]}


def test_rivals_share_by_place_where_impacts_lie_apart(ctx: Context) -> None:
    picture = picture_of(impacts=[*(impact(t, x=0.2) for t in (1, 2, 3)), *(impact(t + 0.4, x=0.8) for t in (1, 2))])

    shares = {event.label: times(event) for event in plan_of(ctx, picture, KNOCK, replace(KNOCK, label="tap")).events}

    assert shares == {"knock": [1, 2, 3], "tap": [1.4, 2.4]}


def test_rivals_in_one_place_share_by_strength(ctx: Context) -> None:
    picture = picture_of(
        impacts=[impact(1, strength=0.9), impact(2, strength=0.2), impact(3, strength=0.8), impact(4, strength=0.1)]
    )
    quiet = replace(KNOCK, label="tap", level_db=-30.0)

    shares = {event.label: times(event) for event in plan_of(ctx, picture, quiet, KNOCK).events}

    assert shares == {"knock": [1, 3], "tap": [2, 4]}


def test_an_instant_seen_under_two_cues_is_one_sounds_only(ctx: Context) -> None:
    picture = picture_of(impacts=[impact(1.0, strength=0.4), impact(1.02, "burst", strength=0.9), impact(2.0)])

    shares = {event.label: times(event) for event in plan_of(ctx, picture, KNOCK, BARK).events}

    assert shares == {"knock": [2.0], "bark": [1.02]}


def test_gaps_of_a_regular_series_are_filled_and_doubles_dropped() -> None:
    seen = [0.5, 1.0, 1.5, 1.58, 2.0, 3.0, 3.5, 4.0]

    (found,) = instants([STEP], picture_of(impacts=[impact(t, strength=0.2 if t == 1.58 else 0.9) for t in seen]))

    assert [hit.time_s for hit in found.hits] == pytest.approx([0.5, 1, 1.5, 2, 2.5, 3, 3.5, 4], abs=0.03)


def test_an_irregular_series_stays_as_it_is_seen() -> None:
    seen = [0.543, 1.033, 2.301, 3.249]

    (found,) = instants([STEP], picture_of(impacts=[impact(t) for t in seen]))

    assert [hit.time_s for hit in found.hits] == seen
    assert period(seen) is None


def test_regular_series_come_nearer_to_their_beat() -> None:
    rng = np.random.default_rng(5)
    beat = np.arange(1.0, 31.0, 0.5)
    seen = beat + rng.normal(0, 0.02, len(beat))

    (found,) = instants([STEP], picture_of(40.0, impacts=[impact(float(t)) for t in seen]))

    error = np.array([hit.time_s for hit in found.hits]) - beat
    assert np.std(error) < 0.9 * np.std(seen - beat)


def test_hits_of_a_long_film_are_divided_at_cuts_with_long_pauses(ctx: Context) -> None:
    picture = picture_of(100.0, impacts=[impact(t) for t in (1, 2, 30, 31, 60)], cuts_s=[20.0])

    events = plan_of(ctx, picture, KNOCK).events

    assert [times(event) for event in events] == [[1, 2], [30, 31, 60]]


def test_a_span_lasts_while_something_moves(ctx: Context) -> None:
    (rustle,) = plan_of(ctx, picture_of(moving_s=[(2, 4)], x=0.9), RUSTLE).events

    assert (rustle.start_s, rustle.end_s) == (pytest.approx(2, abs=0.15), pytest.approx(4, abs=0.15))
    assert rustle.pan == pytest.approx(0.48, abs=0.01)


def test_the_curve_of_a_span_has_few_corners_and_follows_the_motion(ctx: Context) -> None:
    (rustle,) = plan_of(ctx, picture_of(20.0, moving_s=[(2, 4), (4.9, 8)]), RUSTLE).events

    levels = {point.time_s: point.level for point in rustle.curve}
    assert len(levels) <= rustle.duration_s / CORNER_S + 1
    assert np.interp([3, 6], list(levels), list(levels.values())) == pytest.approx([1, 1], abs=0.1)


def test_a_span_with_given_times_holds_them_and_is_heard_though_nothing_moves(ctx: Context) -> None:
    (rustle,) = plan_of(ctx, picture_of(moving_s=[(2, 3)]), replace(RUSTLE, start_s=1.0, end_s=6.0, exact=True)).events

    assert (rustle.start_s, rustle.end_s) == (1.0, 6.0)
    assert min(point.level for point in rustle.curve) >= 0.3


def test_a_span_without_motion_lasts_throughout_and_is_doubtful(ctx: Context) -> None:
    (rustle,) = plan_of(ctx, picture_of(), RUSTLE).events

    assert (rustle.start_s, rustle.end_s, rustle.curve) == (0.0, 10.0, ())
    assert rustle.confidence == 0.5


def test_a_bed_is_one_event_over_all_shots(ctx: Context) -> None:
    (air,) = plan_of(ctx, picture_of(cuts_s=[2, 5]), AIR).events

    assert (air.start_s, air.end_s, air.pan) == (0.0, 10.0, 0.0)


def test_a_bed_of_some_shots_has_an_event_for_each_run_of_them(ctx: Context) -> None:
    events = plan_of(ctx, picture_of(cuts_s=[2, 5, 7]), replace(AIR, shots=(0, 1, 3))).events

    assert [(event.start_s, event.end_s) for event in events] == [(0, 5), (7, 10)]


def test_a_bed_changes_with_the_place_and_sounds_the_same_when_it_comes_back(ctx: Context) -> None:
    events = plan_of(ctx, picture_of(20, cuts_s=[4, 8, 13]), AIR, places=(0, 0, 1, 0)).events

    assert [(event.start_s, event.end_s) for event in events] == [(0, 8), (8, 13), (13, 20)]
    assert events[0].seed == events[2].seed != events[1].seed
    assert events[0].parameters == events[2].parameters


def test_the_ambience_runs_on_under_what_is_seen_for_a_moment(ctx: Context) -> None:
    (air,) = plan_of(ctx, picture_of(cuts_s=[1, 4, 6]), AIR, places=(1, 0, 2, 0)).events

    assert (air.start_s, air.end_s) == (0, 10)


def test_a_bed_with_given_times_does_not_change_with_the_place(ctx: Context) -> None:
    sound = replace(AIR, exact=True, start_s=1.0, end_s=9.0)
    (air,) = plan_of(ctx, picture_of(cuts_s=[5]), sound, places=(0, 1)).events

    assert (air.start_s, air.end_s) == (1, 9)


def test_a_span_follows_what_moves_in_its_region(ctx: Context) -> None:
    picture = picture_of(moving_s=[(0, 10)])
    cells = np.zeros((len(picture.times_s), 3, 4), np.float16)
    cells[(picture.times_s >= 2) & (picture.times_s < 4), :, 0] = 1.0
    cells[picture.times_s >= 6, :, 3] = 1.0
    both = replace(picture, motion=replace(picture.motion, cells=cells))

    left, right = plan_of(
        ctx,
        both,
        replace(RUSTLE, region=Region(right=0.3)),
        replace(RUSTLE, label="other", region=Region(left=0.7)),
    ).events

    assert (left.start_s, left.end_s) == (pytest.approx(2, abs=0.2), pytest.approx(4, abs=0.2))
    assert (right.start_s, right.end_s) == (pytest.approx(6, abs=0.2), pytest.approx(10, abs=0.2))
    assert left.pan < 0 < right.pan


def test_the_usual_intensity_of_a_bed_becomes_its_curve(ctx: Context) -> None:
    (air,) = plan_of(ctx, picture_of(), replace(AIR, intensity=0.4, parameters={"gusts": 0.1})).events

    assert [(point.time_s, point.level) for point in air.curve] == [(0, 0.4), (10, 0.4)]
    assert air.parameters == {"gusts": 0.1}


def test_ids_are_numbered_by_time_and_seeds_hang_on_them(ctx: Context) -> None:
    picture = picture_of(impacts=[impact(1.0), impact(2.0, "burst")])

    first, again, other = (plan_of(ctx, picture, BARK, KNOCK, seed=seed).events for seed in (1, 1, 2))

    assert [event.id for event in first] == ["e01-knock", "e02-bark"]
    assert first == again
    assert [event.seed for event in first] != [event.seed for event in other]
    assert first[0].seed != first[1].seed


labels = st.text(max_size=12)
moments = st.none() | st.floats(-5, 30)
sounds = st.builds(
    ProposedSound,
    label=labels,
    kind=st.sampled_from(["hits", "span", "bed"]),
    bus=st.just("foley"),
    because=labels,
    cue=st.sampled_from(["strike", "burst", "flash", None]),
    start_s=moments,
    end_s=moments,
    exact=st.booleans(),
    shots=st.lists(st.integers(0, 4), max_size=3).map(tuple),
    periodic=st.booleans(),
)
impacts = st.builds(
    impact,
    st.floats(0, 12),
    st.sampled_from(["strike", "burst", "flash"]),
    strength=st.floats(0, 1),
    x=st.floats(0, 1),
)


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    proposed=st.lists(sounds, max_size=6),
    seen=st.lists(impacts, max_size=12),
    duration_s=st.sampled_from([0.04, 3.3333333, 10.0, 12.0123]),
    cuts=st.sampled_from([(), (0.5,), (0.3, 0.7)]),
)
def test_whatever_is_proposed_the_plan_lies_inside_the_clip(
    proposed: Sequence[ProposedSound], seen: Sequence, duration_s: float, cuts: Sequence[float], ctx: Context
) -> None:
    picture = picture_of(
        duration_s,
        impacts=[one for one in seen if one.time_s < duration_s],
        cuts_s=[cut * duration_s for cut in cuts],
        moving_s=[(0.2 * duration_s, 0.6 * duration_s)],
    )

    events = plan_of(ctx, picture, *proposed).events

    assert len({event.id for event in events}) == len(events)
    for event in events:
        assert 0 <= event.start_s <= event.end_s <= duration_s
        assert (event.kind == "hits") == bool(event.hits)
        assert all(event.start_s <= hit.time_s <= event.end_s for hit in event.hits)
        assert all(event.start_s <= point.time_s <= event.end_s for point in event.curve)
        assert times(event) == sorted(times(event))
        assert -1 <= event.pan <= 1
        assert 0 <= event.confidence <= 1


@settings(max_examples=100)
@given(st.lists(impacts, max_size=20), st.permutations([KNOCK, BARK, STEP, replace(KNOCK, cue="flash", label="flash")]))
def test_no_impact_is_heard_twice(seen: Sequence, order: Sequence[ProposedSound]) -> None:
    picture = picture_of(12.0, impacts=[one for one in seen if one.time_s < 12])
    seen_times = {one.time_s for one in picture.impacts}

    found = [
        (number, hit.time_s)
        for number, one in enumerate(instants([sound for sound in order if not sound.periodic], picture))
        for hit in one.hits
        if hit.time_s in seen_times
    ]

    for number, time_s in found:
        assert not any(other != number and abs(time - time_s) <= SAME_S / 2 for other, time in found)


@pytest.mark.parametrize(("doubles", "muted"), [("keep", False), ("mute", True)])
def test_what_the_clip_has_already_is_muted_only_when_asked(ctx: Context, doubles: str, muted: bool) -> None:
    times_s = [2.0, 3.1, 4.3, 5.2, 6.4, 7.1]
    picture = picture_of(30.0, impacts=[impact(time_s) for time_s in times_s])
    heard = Listening(True, -20.0, (), np.full(300, -60, np.float32), np.array(times_s) + 0.04)
    proposal = Proposal("rules", (KNOCK,), Reasoning("", "", "", ""), (), 0, "auto")
    opts = GroundOptions(doubles)  # type: ignore[arg-type]

    (event,) = ground(clip_of(30.0), picture, unseen(picture), heard, proposal, Hints(()), opts, ctx).events

    assert event.muted is muted
    assert ("own sound has it" in event.because) is muted
