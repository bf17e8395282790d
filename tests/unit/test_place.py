from dataclasses import replace
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from foley.contracts import Context
from foley.mix.place import MOST_AIR_M, PlaceOptions, place
from foley.mix.space import sides
from foley.mix.sum import EDGE_FADE_SAMPLES, BusReader, bus_block
from foley.model import (
    Arrangement,
    AudioFile,
    ClipIdentity,
    FittedTakes,
    Hit,
    PanPoint,
    Placement,
    Reasoning,
    SoundEvent,
    SoundPlan,
    Space,
    Take,
)
from foley.units import RATE_HZ
from tests.arrangement_maker import arranged, saved, scene

DURATION_S = Fraction(1001, 300)
"""Not a whole number of samples at any rate: 160 160 at 48 kHz exactly, where 3.3366 s would give 160 157."""


def event(name: str, **changes: object) -> SoundEvent:
    return replace(SoundEvent(name, name, "hits", "foley", 1.0, 1.2, "test", (Hit(1.0),)), **changes)


def take(
    name: str, *, first_sample: int = 48_000, channels: int = 1, length: int = 4800, nominal_db: float = -18.0
) -> Take:
    audio = AudioFile(Path(f"{name}.wav"), RATE_HZ, channels, length)
    return Take(name, name, audio, first_sample, nominal_db, "procedural", "none", True)


def planned(*events: SoundEvent) -> SoundPlan:
    identity = ClipIdentity("clip.mp4", "key", DURATION_S, Fraction(25))
    return SoundPlan(identity, (), (), Reasoning("", "", "", ""), events)


def placed(events: list[SoundEvent], takes: list[Take], ctx: Context, opts: PlaceOptions | None = None) -> Arrangement:
    return place(planned(*events), FittedTakes(tuple(takes)), opts or PlaceOptions(), ctx)


@given(st.floats(-1.5, 1.5))
def test_a_panned_mono_take_has_the_same_power_everywhere(pan: float) -> None:
    left, right = sides(pan, channels=1)
    assert left**2 + right**2 == pytest.approx(2.0)
    assert sides(-pan, channels=1) == pytest.approx((right, left))


@given(st.floats(-1.0, 1.0))
def test_a_balanced_stereo_take_only_loses_its_far_side(pan: float) -> None:
    left, right = sides(pan, channels=2)
    assert max(left, right) == pytest.approx(1.0)
    assert (left >= right) == (pan <= 0) or left == pytest.approx(right)


def test_the_length_is_the_pictures_to_the_sample(ctx: Context) -> None:
    assert placed([], [], ctx).length == 160_160


def test_backgrounds_as_quiet_as_room_tone_are_known_whatever_their_trim(ctx: Context) -> None:
    tone = event("tone", kind="bed", bus="backgrounds", hits=(), level_db=-46.0, gain_db=12.0)
    rain, hum = replace(tone, id="rain", level_db=-23.0), replace(tone, id="hum", bus="effects")

    def alone(*events: SoundEvent) -> bool:
        return placed(list(events), [take(one.id) for one in events], ctx).tone_alone

    assert alone(tone)
    assert alone(tone, replace(rain, muted=True))
    assert not alone(tone, rain)
    assert not alone(tone, hum)
    assert not alone()


def test_an_event_is_brought_to_its_level_with_the_editors_trim(ctx: Context) -> None:
    arrangement = placed([event("a", level_db=-12.0, gain_db=-3.0)], [take("a", nominal_db=-3.0)], ctx)
    (only,) = arrangement.placements
    assert (only.gain_left, only.gain_right) == pytest.approx((10 ** (-12 / 20),) * 2)
    assert (only.event_id, only.bus, only.first_sample) == ("a", "foley", 48_000)


@pytest.mark.parametrize(("distance_m", "gain"), [(30.0, 1.0), (60.0, 0.5), (15.0, 2.0), (1e9, 10 ** (-24 / 20))])
def test_a_sound_moved_away_falls_with_distance_from_where_its_level_holds(
    ctx: Context, distance_m: float, gain: float
) -> None:
    far = event("a", distance_m=distance_m, level_at_m=30.0)
    (only,) = placed([far], [take("a")], ctx).placements
    assert only.gain_left == pytest.approx(gain)


def test_muted_events_and_takes_off_the_timeline_are_not_placed(ctx: Context) -> None:
    takes = [take("muted"), take("late", first_sample=160_160), take("early", first_sample=-4800), take("in")]
    events = [event("muted", muted=True), event("late"), event("early"), event("in"), event("not made")]
    assert [item.event_id for item in placed(events, takes, ctx).placements] == ["in"]


def test_only_what_is_moved_away_loses_its_highs(ctx: Context) -> None:
    distances = {"near": 1.0, "usual": 2.0, "far": 52.0, "out of sight": 1e5}
    events = [event(name, distance_m=distance) for name, distance in distances.items()]
    made = placed(events, [take(name) for name in distances], ctx).placements
    assert {item.event_id: item.air_m for item in made} == {
        "near": 0.0,
        "usual": 0.0,
        "far": 50.0,
        "out of sight": MOST_AIR_M,
    }
    assert {item.air_m for item in placed(events, [take("far")], ctx, PlaceOptions(air=False)).placements} == {0.0}


def test_fades_and_the_trim_are_kept_apart_and_fades_never_overlap(ctx: Context) -> None:
    faded = event("a", gain_db=-6.0, fade_in_s=0.08, fade_out_s=0.5)
    (only,) = placed([faded], [take("a", first_sample=-960, length=9600)], ctx).placements
    assert only.trim == pytest.approx(10 ** (-6 / 20))
    assert (only.fade_in, only.fade_out) == (3840, 9600 - 960 - 3840)


def test_a_moving_source_has_its_path_within_the_width_that_is_asked_for(ctx: Context) -> None:
    moving = event("a", pan=0.9, path=(PanPoint(1.0, -1.0), PanPoint(1.2, 1.0)))
    (only,) = placed([moving], [take("a")], ctx, PlaceOptions(width=0.5)).placements
    assert only.path == (PanPoint(1.0, -0.5), PanPoint(1.2, 0.5))
    assert only.gain_left == only.gain_right


def test_a_room_is_heard_by_what_happens_in_it_and_more_from_afar(ctx: Context) -> None:
    plan = replace(planned(event("near"), event("far", distance_m=6.0)), spaces=(HALL,))
    takes = FittedTakes((take("near"), take("far")))
    far, near = place(plan, takes, PlaceOptions(), ctx).placements
    assert [space.room for space in near.spaces] == ["large_interior"]
    assert (near.room_gain, far.room_gain) == (1.0, 3.0)
    assert all(not item.spaces for item in place(plan, takes, PlaceOptions(rooms=False), ctx).placements)


HALL = Space(0.0, 3.0, "large_interior", "a hall is seen")


def test_placements_come_by_time(ctx: Context) -> None:
    takes = [take("b", first_sample=500), take("a", first_sample=500), take("c", first_sample=-20)]
    arrangement = placed([event("a"), event("b"), event("c")], takes, ctx)
    assert [item.event_id for item in arrangement.placements] == ["c", "a", "b"]


@pytest.mark.parametrize("wrong", [{"most_db": -1.0}, {"width": 2.0}])
def test_options_that_make_no_sense_are_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(ValueError, match=next(iter(wrong))):
        PlaceOptions(**wrong)


def test_a_bus_is_the_sum_of_its_placements(tmp_path: Path) -> None:
    mono = saved(np.full(100, 0.25), tmp_path / "mono.wav")
    stereo = saved(np.array([[0.5] * 100, [-0.5] * 100]), tmp_path / "stereo.wav")
    arrangement = arranged(
        [
            Placement("a", "foley", mono, 10, 1.0, 0.5),
            Placement("b", "foley", stereo, 60, 0.5, 1.0),
            Placement("c", "effects", stereo, 0, 1.0, 1.0),
        ],
        300,
    )
    block = bus_block(arrangement, "foley", 0, 300)
    expected = np.zeros((2, 300))
    expected[:, 10:110] += np.array([[0.25], [0.125]])
    expected[:, 60:160] += np.array([[0.25], [-0.5]])
    assert np.array_equal(block, expected.astype(np.float32))
    assert not bus_block(arrangement, "backgrounds", 0, 300).any()


@given(st.lists(st.integers(1, 150_000), min_size=1, max_size=6))
@settings(max_examples=30)
def test_blocks_of_a_bus_do_not_depend_on_where_they_are_cut(
    tmp_path_factory: pytest.TempPathFactory, sizes: list[int]
) -> None:
    arrangement = _SCENES.get("one") or _SCENES.setdefault(
        "one", scene(tmp_path_factory.mktemp("scene"), duration_s=3.0)
    )
    reader = BusReader(arrangement, "backgrounds")
    cuts = [0, *np.unique(np.minimum(np.cumsum(sizes), arrangement.length)).tolist(), arrangement.length]
    pieces = [reader.block(first, last) for first, last in pairwise(cuts)]
    assert np.array_equal(np.concatenate(pieces, axis=1), reader.block(0, arrangement.length))


_SCENES: dict[str, Arrangement] = {}


def test_a_take_that_the_timeline_cuts_fades_instead_of_clicking(tmp_path: Path) -> None:
    take_file = saved(np.full(2000, 0.5), tmp_path / "long.wav")
    block = bus_block(arranged([Placement("a", "foley", take_file, -500, 1.0, 1.0)], 1000), "foley", 0, 1000)[0]
    assert block[0] == 0.0
    assert block[-1] == 0.0
    assert np.abs(np.diff(block)).max() <= 0.5 / EDGE_FADE_SAMPLES + 1e-6
    assert block[EDGE_FADE_SAMPLES : -EDGE_FADE_SAMPLES - 1] == pytest.approx(0.5)


def test_a_take_that_fits_is_not_faded(tmp_path: Path) -> None:
    take_file = saved(np.full(1000, 0.5), tmp_path / "fits.wav")
    block = bus_block(arranged([Placement("a", "foley", take_file, 0, 1.0, 1.0)], 1000), "foley", 0, 1000)
    assert (block == 0.5).all()
