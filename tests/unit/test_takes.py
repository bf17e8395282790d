"""From the plan to takes: who makes a sound, that it is made once, and that what is made can be used."""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from foley.contracts import Context
from foley.dsp.onsets import onset_near
from foley.errors import GenerationError, LicenceError, UnknownPluginError
from foley.media import sound
from foley.model import ClipIdentity, CurvePoint, Hit, Reasoning, SoundEvent, SoundPlan, Take, Takes
from foley.render import generators, routing
from foley.render.making import BLOCK, PEAK_DB
from foley.render.takes import TakesOptions, takes
from foley.units import RATE_HZ, to_db, to_gain, to_samples, to_seconds
from tests.plugins import saboteur
from tests.plugins.saboteur import CLIP

SABOTEURS = Path(saboteur.__file__).parent / "generators"

SYNC_TOLERANCE_S = 0.001
"""What the architecture promises: at most 1 ms from the planned time."""

SEAM_TOLERANCE_DB = 1.0
"""A step of 1 dB in steady noise is the smallest that a listener notices."""

KNOCK = SoundEvent(
    id="e1",
    label="knock",
    kind="hits",
    bus="foley",
    start_s=1.0,
    end_s=1.5,
    because="a hand meets a door",
    hits=(Hit(1.0, 1.0), Hit(1.5, 0.5)),
    prompt="knock on wood",
    seed=7,
    generator="faithful",
)
RAIN = SoundEvent(
    id="e2",
    label="rain",
    kind="bed",
    bus="backgrounds",
    start_s=0.0,
    end_s=2.0,
    because="it rains",
    prompt="rain",
    generator="faithful",
)


@pytest.fixture(autouse=True)
def saboteurs(monkeypatch: pytest.MonkeyPatch) -> list:
    monkeypatch.setattr(generators, "__path__", [str(SABOTEURS)])
    saboteur.ASKED.clear()
    saboteur.BATCHES.clear()
    return saboteur.ASKED


def plan_of(*events: SoundEvent) -> SoundPlan:
    clip = ClipIdentity("clip.mp4", "key", Fraction(60), Fraction(25))
    return SoundPlan(clip, (), (), Reasoning("", "", "", ""), events)


def made_of(plan: SoundPlan, opts: TakesOptions, ctx: Context) -> Takes:
    return takes(plan, CLIP, opts, ctx)


def moved(event: SoundEvent, by_s: float) -> SoundEvent:
    return replace(
        event,
        start_s=event.start_s + by_s,
        end_s=event.end_s + by_s,
        hits=tuple(replace(hit, time_s=hit.time_s + by_s) for hit in event.hits),
        curve=tuple(replace(point, time_s=point.time_s + by_s) for point in event.curve),
    )


def take_of(ctx: Context, event: SoundEvent, **options: object) -> Take:
    (take,) = made_of(plan_of(event), TakesOptions(**options), ctx).items  # type: ignore[arg-type]
    return take


def onset_s(take: Take, near_s: float) -> float:
    """Return where on the clip's timeline the hit near a time sounds."""
    offset_s = to_seconds(take.first_sample, RATE_HZ)
    found = onset_near(sound.load(take.audio), near_s - offset_s, 0.2)
    assert found is not None
    return found + offset_s


def levels_db(samples: np.ndarray, step_s: float = 0.1) -> np.ndarray:
    frame = to_samples(step_s, RATE_HZ)
    frames = samples[0, : samples.shape[1] // frame * frame].reshape(-1, frame)
    return 20.0 * np.log10(np.sqrt(np.mean(frames**2, axis=1)))


def test_a_hit_sounds_where_it_is_planned(ctx: Context) -> None:
    take = take_of(ctx, KNOCK)
    for hit in KNOCK.hits:
        assert onset_s(take, hit.time_s) == pytest.approx(hit.time_s, abs=SYNC_TOLERANCE_S)
    assert take.audio.length == to_samples(0.5 + saboteur.RING_S, RATE_HZ)


def test_hits_made_one_by_one_by_a_late_generator_sound_where_they_are_planned(ctx: Context, saboteurs: list) -> None:
    times_s = [1.0, 1.4, 1.85, 2.1, 3.0, 3.3, 3.6, 4.2]
    event = replace(KNOCK, generator="late", hits=tuple(Hit(time_s, 0.8) for time_s in times_s), end_s=4.2)
    take = take_of(ctx, event, variations=5)
    for time_s in times_s:
        assert onset_s(take, time_s) == pytest.approx(time_s, abs=SYNC_TOLERANCE_S)
    assert len(saboteurs) == 5


@pytest.mark.parametrize("by_s", [0.001, 0.0123456789, 1001 / 30000, 3600.0])
def test_moving_an_event_makes_nothing_again(ctx: Context, saboteurs: list, by_s: float) -> None:
    rain = replace(RAIN, curve=(CurvePoint(0.0, 0.2), CurvePoint(0.7, 1.0)))
    before = made_of(plan_of(KNOCK, rain), TakesOptions(), ctx)
    made = len(saboteurs)
    after = made_of(plan_of(moved(KNOCK, by_s), moved(rain, by_s)), TakesOptions(), ctx)
    assert len(saboteurs) == made
    assert [take.audio for take in after.items] == [take.audio for take in before.items]
    assert onset_s(after.items[0], 1.0 + by_s) == pytest.approx(1.0 + by_s, abs=SYNC_TOLERANCE_S)


@pytest.mark.parametrize(
    "edit",
    [
        {"gain_db": -6.0},
        {"pan": 0.5},
        {"level_db": -30.0},
        {"distance_m": 9.0},
        {"label": "bang", "because": "heard", "id": "e9"},
    ],
    ids=str,
)
def test_what_is_turned_at_in_the_mix_makes_nothing_again(ctx: Context, saboteurs: list, edit: dict) -> None:
    before = take_of(ctx, KNOCK)
    made = len(saboteurs)
    after = take_of(ctx, replace(KNOCK, **edit))
    assert len(saboteurs) == made
    assert (after.key, after.audio) == (before.key, before.audio)


def test_editing_one_event_makes_exactly_one_take_again(ctx: Context, saboteurs: list) -> None:
    others = [moved(replace(KNOCK, id=f"o{n}", seed=n), n) for n in range(3)]
    made_of(plan_of(*others, RAIN), TakesOptions(), ctx)
    saboteurs.clear()
    edited = replace(others[1], hits=(others[1].hits[0], replace(others[1].hits[1], strength=0.9)))
    made_of(plan_of(others[0], edited, others[2], RAIN), TakesOptions(), ctx)
    assert [request.event.seed for request in saboteurs] == [1]


def test_identical_requests_are_made_once(ctx: Context, saboteurs: list) -> None:
    twins = made_of(plan_of(KNOCK, moved(replace(KNOCK, id="twin"), 5.0)), TakesOptions(workers=4), ctx)
    assert len(saboteurs) == 1
    assert twins.items[0].audio == twins.items[1].audio
    assert twins.items[1].first_sample - twins.items[0].first_sample == to_samples(5.0, RATE_HZ)


def test_a_take_is_the_same_alone_and_among_others(tmp_path: Path, ctx: Context) -> None:
    from foley.pipeline.cache import Cache

    crowd = [moved(replace(RAIN, id=f"r{n}", seed=n), n) for n in range(4)]
    together = made_of(plan_of(*crowd), TakesOptions(workers=4), ctx).items[2]
    alone = take_of(Cache(tmp_path / "other").context(), crowd[2], workers=1)
    assert alone.audio.path.read_bytes() == together.audio.path.read_bytes()


def test_muted_events_have_no_take(ctx: Context) -> None:
    made = made_of(plan_of(replace(KNOCK, muted=True), RAIN), TakesOptions(), ctx)
    assert [take.event_id for take in made.items] == ["e2"]


@pytest.mark.parametrize("name", ["raises", "wrong_length", "not_a_number", "silent", "clipping"])
@pytest.mark.parametrize("event", [KNOCK, RAIN], ids=["hits", "bed"])
def test_where_a_generator_fails_the_next_steps_in_and_the_notes_say_so(
    ctx: Context, name: str, event: SoundEvent
) -> None:
    take = take_of(ctx, replace(event, generator=name), fallback=("raises", "faithful"))
    assert take.generator == "faithful"
    assert name in take.notes[0]
    assert "made by faithful" in take.notes[0]


def test_where_all_fail_the_error_names_the_event_and_every_reason(ctx: Context) -> None:
    with pytest.raises(GenerationError) as caught:
        take_of(ctx, replace(KNOCK, generator="raises"), fallback=("silent",))
    for fact in ("e1", "raises the model fell over", "silent gave silence"):
        assert fact in caught.value.message


@pytest.mark.parametrize("empty", [{"hits": ()}, {"kind": "span", "hits": (), "end_s": 1.0}], ids=["hits", "span"])
def test_an_event_that_asks_for_nothing_is_an_error_and_no_empty_file(ctx: Context, empty: dict) -> None:
    with pytest.raises(GenerationError, match="no hits or lasts no time"):
        take_of(ctx, replace(KNOCK, **empty))


def test_silence_that_was_asked_for_is_no_fault(ctx: Context, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()  # the real generators
    take = take_of(ctx, KNOCK, generator="silence")
    assert take.generator == "silence"
    assert not sound.load(take.audio).samples.any()


def test_a_name_that_is_nobodys_is_said_before_anything_is_made(ctx: Context, saboteurs: list) -> None:
    with pytest.raises(UnknownPluginError):
        made_of(plan_of(RAIN, replace(KNOCK, generator="nobody")), TakesOptions(), ctx)
    assert not saboteurs


def test_the_commercial_policy_refuses_a_named_generator_whose_weights_forbid_it(ctx: Context) -> None:
    with pytest.raises(LicenceError, match=r"short_window.*CC-BY-NC-4\.0"):
        take_of(ctx, replace(RAIN, generator="short_window"), licence="commercial")
    take = take_of(ctx, replace(RAIN, generator="short_window"), licence="commercial", fallback=("faithful",))
    assert (take.generator, take.commercial) == ("faithful", True)
    assert "CC-BY-NC-4.0" in take.notes[0]


def test_where_the_policy_refuses_everybody_it_is_said_to_be_the_licence(ctx: Context) -> None:
    with pytest.raises(LicenceError):
        take_of(ctx, RAIN, generator="short_window", fallback=("short_window",), licence="commercial")


def test_the_best_rank_makes_what_nobody_was_named_for(ctx: Context, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("foley.plugins.names", lambda kind: ("short_window", "faithful"))
    event = replace(RAIN, generator="auto")
    assert take_of(ctx, event).generator == "faithful"
    monkeypatch.setattr(routing, "EMBEDDED", "faithful")
    assert take_of(ctx, replace(event, placeholder=True)).generator == "short_window"


def test_a_long_bed_in_windows_has_no_seam(ctx: Context, saboteurs: list) -> None:
    event = replace(RAIN, end_s=30.0, generator="short_window")
    take = take_of(ctx, event, handle_s=0.0)
    samples = sound.load(take.audio).samples
    assert take.audio.length == to_samples(30.0, RATE_HZ)
    assert len(saboteurs) > 7
    # half-second levels: noise of 8 kHz then strays by less than 0.2 dB of itself
    assert np.ptp(levels_db(samples, 0.5)) < SEAM_TOLERANCE_DB
    steps = np.abs(np.diff(samples[0]))
    edges_s = [request.start_s for request in saboteurs] + [one.start_s + one.duration_s for one in saboteurs]
    at_seam = np.zeros(steps.size, dtype=bool)
    for edge_s in edges_s:
        around = to_samples(edge_s, RATE_HZ)
        at_seam[max(0, around - 48) : around + 48] = True
    assert steps[at_seam].max() < steps[~at_seam].max()


def test_windows_of_uneven_level_are_drawn_together_at_their_seams(ctx: Context) -> None:
    event = replace(RAIN, end_s=24.0, generator="short_window", parameters={"uneven_db": 5.0})
    levels = levels_db(sound.load(take_of(ctx, event, handle_s=0.0).audio).samples, 0.5)
    # 5 dB are still there from one window to the next, but over two seconds of glide and not in one step
    assert np.abs(np.diff(levels)).max() < 2.0


def test_every_take_peaks_at_the_same_level_and_its_nominal_level_follows(ctx: Context) -> None:
    loud, soft = (take_of(ctx, replace(KNOCK, hits=(Hit(1.0, strength),), end_s=1.0)) for strength in (1.0, 0.25))
    for take in (loud, soft):
        assert to_db(float(np.abs(sound.load(take.audio).samples).max())) == pytest.approx(PEAK_DB, abs=0.01)
    assert loud.nominal_db == pytest.approx(PEAK_DB, abs=0.01)
    assert soft.nominal_db == pytest.approx(PEAK_DB + 12.04, abs=0.05)


def test_the_nominal_level_of_a_texture_is_its_level_at_intensity_1(ctx: Context) -> None:
    half = replace(RAIN, end_s=10.0, curve=(CurvePoint(0.0, 0.5),))
    take = take_of(ctx, half)
    rms_db = to_db(float(sound.load(take.audio).samples.std()))
    assert take.nominal_db == pytest.approx(rms_db + 6.02, abs=0.3)


def test_a_rate_other_than_48_khz_is_converted_in_place(ctx: Context) -> None:
    take = take_of(ctx, replace(KNOCK, generator="short_window"))
    assert take.audio.rate_hz == RATE_HZ
    assert onset_s(take, 1.0) == pytest.approx(1.0, abs=SYNC_TOLERANCE_S)


def test_beds_are_made_longer_at_both_ends_by_the_handle(ctx: Context) -> None:
    take = take_of(ctx, moved(RAIN, 3.0), handle_s=0.1)
    assert take.first_sample == to_samples(2.9, RATE_HZ)
    assert take.audio.length == to_samples(2.2, RATE_HZ)


def test_a_long_take_is_never_held_in_memory(ctx: Context) -> None:
    hits = tuple(Hit(float(number), 1.0) for number in range(0, 600, 5))
    event = replace(KNOCK, start_s=0.0, end_s=595.0, hits=hits)
    tracemalloc.start()
    take = take_of(ctx, event)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    whole = take.audio.length * 4
    # some blocks of 10 s in passing, as float32 and on their way to 24 bits; the whole would be 115 MB
    assert peak < 16 * BLOCK * 4 < whole / 3


def test_a_hit_added_late_changes_nothing_that_was_made_for_earlier_windows(ctx: Context) -> None:
    hits = tuple(Hit(1.0 + 3.0 * number) for number in range(20))
    before = sound.load(take_of(ctx, replace(KNOCK, hits=hits, end_s=80.0)).audio).samples
    added = (*hits, Hit(79.0))
    after = sound.load(take_of(ctx, replace(KNOCK, hits=added, end_s=80.0)).audio).samples
    same = to_samples(77.0, RATE_HZ)
    np.testing.assert_array_equal(before[:, :same], after[:, :same])


@pytest.mark.parametrize(
    "wrong",
    [
        {"licence": "free"},
        {"window_s": 0.5},
        {"overlap_s": 6.0},
        {"handle_s": -1.0},
        {"batch": 0},
        {"variations": 0},
        {"candidates": 33},
        {"retries": -1},
        {"max_vram_mb": -1},
        {"time_limit_s": 0.0},
        {"workers": -1},
    ],
    ids=str,
)
def test_options_that_make_no_sense_are_refused(wrong: dict) -> None:
    with pytest.raises(ValueError, match=r"must|none"):
        TakesOptions(**wrong)


def test_a_batch_mate_does_not_fail_with_a_bad_event(monkeypatch: pytest.MonkeyPatch, ctx: Context) -> None:
    heavy = replace(saboteur.FAITHFUL, memory_mb=4000)

    def spoil_one(audio: object, request: object) -> object:
        if request.event.seed == 2:  # type: ignore[attr-defined]
            raise RuntimeError("out of memory")
        return audio

    make: Callable[[str, str], object] = lambda kind, name, settings: (  # noqa: E731
        saboteur.Saboteur("model", heavy, spoil_one) if name == "model" else saboteur.Saboteur(name)  # type: ignore[arg-type]
    )
    monkeypatch.setattr("foley.plugins.build", make)
    events = [moved(replace(KNOCK, id=f"h{n}", seed=n, generator="model"), n) for n in range(4)]
    made = made_of(plan_of(*events), TakesOptions(workers=4, fallback=("faithful",)), ctx).items
    assert [take.generator for take in made] == ["model", "model", "faithful", "model"]


def test_gain_for_level_is_what_the_mix_expects(ctx: Context) -> None:
    # placed at level - nominal, a hit of strength 0.5 peaks 6 dB under the event's level
    take = take_of(ctx, replace(KNOCK, hits=(Hit(1.0, 0.5),), end_s=1.0))
    placed = sound.load(take.audio).samples * to_gain(-18.0 - take.nominal_db)
    assert to_db(float(np.abs(placed).max())) == pytest.approx(-18.0 - 6.02, abs=0.05)
