from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from foley.contracts import Context
from foley.media import sound
from foley.mix.fades import fade_gain
from foley.mix.master import MasterOptions, master
from foley.mix.share import event_share, event_span
from foley.mix.strip import Strip
from foley.mix.sum import BUSES, BusReader
from foley.model import Arrangement, Bus, Mixdown, PanPoint, Placement, PreviousMaster, Space
from foley.units import RATE_HZ
from tests.arrangement_maker import NOTHING_HEARD, arranged, hit_sound, saved, silent_clip

LSB = 2.0**-23
DURATION_S = 6
LENGTH = DURATION_S * RATE_HZ
SPACES = (
    Space(0.0, 1.5, "small_interior", ""),
    Space(1.5, 3.0, "large_interior", ""),
    Space(3.0, 4.5, "exterior", ""),
    Space(4.5, 6.0, "under_water", ""),
)


def rich_scene(folder: Path) -> Arrangement:
    """Everything a placement can have: rooms of each kind, ways, paths, trims, fades, cuts at both ends."""
    rng = np.random.default_rng(5)
    hit = saved(hit_sound(rng), folder / "hit.wav")
    hum = saved(0.15 * rng.standard_normal((1, 3 * RATE_HZ)), folder / "hum.wav")
    bed = saved(0.05 * rng.standard_normal((2, LENGTH + 9000)), folder / "bed.wav")
    path = (PanPoint(1.0, -1.0), PanPoint(2.5, 0.8))
    steps = [
        Placement(f"step{number}", "foley", hit, int(at_s * RATE_HZ), 0.5, 0.4, spaces=SPACES)
        for number, at_s in enumerate((0.3, 1.45, 2.9, 4.4, 5.8))
    ]
    return arranged(
        [
            *steps,
            Placement("drone", "effects", hum, 40_000, 0.3, 0.3, spaces=SPACES, path=path, fade_in=20_000),
            Placement(
                "far", "effects", hum, 130_000, 0.2, 0.1, air_m=60.0, spaces=SPACES, room_gain=3.0, fade_out=30_000
            ),
            Placement("late", "foley", hum, 180_000, 0.1, 0.1, trim=0.5, spaces=SPACES, fade_in=9000, fade_out=50_000),
            Placement("bed", "backgrounds", bed, -4000, 1.0, 1.0, fade_in=48_000, fade_out=96_000),
        ],
        LENGTH,
    )


def mastered(arrangement: Arrangement, ctx: Context) -> Mixdown:
    return master(arrangement, silent_clip(arrangement), NOTHING_HEARD, PreviousMaster(), MasterOptions(), ctx)


def heard_share(arrangement: Arrangement, mixdown: Mixdown, item: Placement) -> np.ndarray:
    """An event as an editor's program would play its item: share, trim and fades, over the item's own span."""
    span = event_span(arrangement, mixdown.master, item.event_id)
    assert span is not None
    first, last = span
    whole = np.zeros((2, LENGTH))
    share = event_share(arrangement, mixdown.master, item.event_id, first, last).astype(float)
    whole[:, first:last] = share * item.trim * fade_gain(item, first, last, length=LENGTH)
    return whole


def test_the_shares_of_all_events_with_their_trims_and_fades_sum_to_each_stem(tmp_path: Path, ctx: Context) -> None:
    arrangement = rich_scene(tmp_path)
    mixdown = mastered(arrangement, ctx)
    total = np.zeros((2, LENGTH))
    for bus in BUSES:
        items = [item for item in arrangement.placements if item.bus == bus]
        stem = sound.load(mixdown.stems[bus]).samples.astype(float)
        shares = np.sum([heard_share(arrangement, mixdown, item) for item in items], axis=0)
        assert np.abs(stem).max() > 0.01
        # one step, and half a one that the stem itself was rounded by
        assert np.abs(shares - stem).max() <= 1.5 * LSB
        total += stem
    assert np.array_equal(total, sound.load(mixdown.mix).samples.astype(float))


def test_a_share_knows_neither_trim_nor_fades(tmp_path: Path, ctx: Context) -> None:
    arrangement = rich_scene(tmp_path)
    mixdown = mastered(arrangement, ctx)
    bare = arranged(
        [
            replace(item, gain_left=item.gain_left / item.trim, gain_right=item.gain_right / item.trim, trim=1.0)
            for item in (replace(item, fade_in=0, fade_out=0) for item in arrangement.placements)
        ],
        LENGTH,
    )
    for event_id in ("late", "far", "bed"):
        share = event_share(arrangement, mixdown.master, event_id, 100_000, 260_000)
        assert share.any()
        assert np.array_equal(share, event_share(bare, mixdown.master, event_id, 100_000, 260_000))


def test_off_the_timeline_and_of_unknown_events_there_is_silence(tmp_path: Path, ctx: Context) -> None:
    arrangement = rich_scene(tmp_path)
    mixdown = mastered(arrangement, ctx)
    share = event_share(arrangement, mixdown.master, "bed", -4800, LENGTH + 4800)
    assert share.shape == (2, LENGTH + 9600)
    assert not share[:, :4800].any()
    assert not share[:, -4800:].any()
    assert not event_share(arrangement, mixdown.master, "nobody", 0, 1000).any()
    assert event_span(arrangement, mixdown.master, "nobody") is None


def test_a_span_holds_what_rings_on_and_ends_with_the_take_where_it_fades_out(tmp_path: Path, ctx: Context) -> None:
    arrangement = rich_scene(tmp_path)
    mixdown = mastered(arrangement, ctx)
    spans = {item.event_id: event_span(arrangement, mixdown.master, item.event_id) for item in arrangement.placements}
    assert spans["far"] == (130_000, 130_000 + 3 * RATE_HZ)
    assert spans["bed"] == (0, LENGTH)
    first, last = spans["step0"]
    take = next(item for item in arrangement.placements if item.event_id == "step0").audio
    assert first == 14_400
    assert last > first + take.length + RATE_HZ  # a hall is among its rooms
    whole = event_share(arrangement, mixdown.master, "step0", 0, LENGTH)
    assert np.abs(whole[:, :first]).max() == 0.0
    assert np.abs(whole[:, last:]).max() <= LSB / 2


_CUTS = st.lists(st.integers(1, LENGTH - 1), max_size=5, unique=True)


@settings(max_examples=6, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(cuts=_CUTS, bus=st.sampled_from(["foley", "effects"]))
def test_rooms_ways_paths_and_fades_do_not_depend_on_blocks(tmp_path: Path, cuts: list[int], bus: Bus) -> None:
    arrangement = rich_scene(tmp_path)
    edges = [0, *sorted(cuts), LENGTH]
    whole, strip = Strip(arrangement, bus, "designed").block(0, LENGTH), Strip(arrangement, bus, "designed")
    for first, last in list(pairwise(edges))[::-1]:
        assert np.array_equal(strip.block(first, last), whole[:, first:last])


def test_a_room_leaves_the_direct_sound_as_it_is_and_answers_after_it(tmp_path: Path) -> None:
    hit = saved(hit_sound(np.random.default_rng(1), ring_s=0.01, length_s=0.2), tmp_path / "hit.wav")
    dry = Placement("a", "foley", hit, 10_000, 0.5, 0.5)
    plain = BusReader(arranged([dry], LENGTH), "foley").block(0, LENGTH)
    for room in ("small_interior", "large_interior", "exterior"):
        wet = replace(dry, spaces=(Space(0.0, DURATION_S, room, ""),))
        made = BusReader(arranged([wet], LENGTH), "foley").block(0, LENGTH)
        answer = made - plain
        # before the first reflection there is only the rounding of the transform, under the last bit of a file
        assert np.abs(answer[:, : 10_000 + 140]).max() <= LSB / 2
        assert np.abs(answer[:, 20_000:30_000]).max() > 1e-5


def test_a_sound_is_only_in_the_room_of_its_time(tmp_path: Path) -> None:
    hit = saved(hit_sound(np.random.default_rng(1), ring_s=0.01, length_s=0.2), tmp_path / "hit.wav")
    hall = (Space(2.0, 4.0, "large_interior", ""),)

    def tail(at_s: float) -> float:
        arrangement = arranged([Placement("a", "foley", hit, round(at_s * RATE_HZ), 0.5, 0.5, spaces=hall)], LENGTH)
        after = round((at_s + 0.3) * RATE_HZ)
        return float(np.abs(BusReader(arrangement, "foley").block(after, after + 4800)).max())

    assert tail(1.5) == 0.0
    assert tail(2.5) > 1e-4
    assert tail(4.5) == 0.0


def test_a_fade_is_straight_in_amplitude(tmp_path: Path) -> None:
    flat = saved(np.full(4800, 0.5), tmp_path / "flat.wav")
    item = Placement("a", "music", flat, 1000, 1.0, 1.0, fade_in=480, fade_out=960)
    block = Strip(arranged([item], 8000), "music", "designed").block(0, 8000)[0]
    assert block[1000 + 240] == pytest.approx(0.25, abs=1e-6)
    assert block[1000 + 2000] == pytest.approx(0.5, abs=1e-6)
    assert block[1000 + 4800 - 480] == pytest.approx(0.25, abs=1e-6)
    assert np.diff(block[1000:1480]) == pytest.approx(0.5 / 480, abs=1e-6)
