from __future__ import annotations

import itertools
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from foley.analysis.activity import STEP_S, levels_db, mask, runs, speaking
from foley.analysis.gaps import GapsOptions, gaps
from foley.contracts import Context
from foley.model import ClipIdentity, Hit, Reasoning, SoundEvent, SoundPlan, Span
from foley.model.dub import Gaps, Separation
from foley.plan.refill import RefillOptions, refill
from tests.arrangement_maker import hit_sound, saved

RATE_HZ = 48_000
LENGTH = 8 * RATE_HZ
SPEECH = (Span(2.0, 4.0), Span(5.5, 6.5))
EDGE_S = 0.03
"""Ends of a dip are found on steps of 10 ms, and the level needs two of them to fall."""


def ambience(level_db: float = -45.0) -> np.ndarray:
    return 10 ** (level_db / 20) * np.random.default_rng(4).standard_normal((2, LENGTH))


def with_hits(samples: np.ndarray, at_s: list[float], *, peak: float = 0.3) -> np.ndarray:
    out, blow = samples.copy(), hit_sound(np.random.default_rng(9), peak=peak)
    for at in at_s:
        first = round(at * RATE_HZ)
        out[:, first : first + blow.size] += blow[: LENGTH - first]
    return out


def plan_of(*events: SoundEvent) -> SoundPlan:
    identity = ClipIdentity("clip.mp4", "key", Fraction(8), Fraction(25))
    return SoundPlan(identity, (), (), Reasoning("", "", "", ""), events)


def blows(*at_s: float, strength: float = 1.0, **more: object) -> SoundEvent:
    hits = tuple(Hit(at, strength) for at in at_s)
    return SoundEvent("e01-blow", "blow", "hits", "foley", at_s[0], at_s[-1] + 0.1, "seen", hits=hits, **more)  # type: ignore[arg-type]


def found(samples: np.ndarray, plan: SoundPlan, folder: Path, ctx: Context, speech: tuple[Span, ...] = SPEECH) -> Gaps:
    file = saved(samples, folder / "background.wav")
    return gaps(Separation(file, None, "given", speech, levels_db(file)), plan, GapsOptions(), ctx)


def test_a_mute_is_found_from_end_to_end_also_past_the_speech(tmp_path: Path, ctx: Context) -> None:
    samples = ambience()
    samples[:, round(1.8 * RATE_HZ) : round(4.3 * RATE_HZ)] = 0.0
    (dip,) = found(samples, plan_of(), tmp_path, ctx).dips
    assert (dip.start_s, dip.end_s) == pytest.approx((1.8, 4.3), abs=EDGE_S)
    assert dip.floor_db == pytest.approx(-45.0, abs=1.0)
    assert dip.rest_db < -80.0
    assert all(span.end_s <= 1.9 or span.start_s >= 4.0 for span in dip.around)


def test_a_background_that_keeps_its_level_has_no_dip(tmp_path: Path, ctx: Context) -> None:
    breathing = ambience() * (1.0 + 0.3 * np.sin(2 * np.pi * 0.7 * np.arange(LENGTH) / RATE_HZ))
    assert found(breathing, plan_of(), tmp_path, ctx).dips == ()


def test_sparse_effects_without_ambience_are_not_taken_for_one(tmp_path: Path, ctx: Context) -> None:
    assert found(with_hits(np.zeros((2, LENGTH)), [0.5, 1.2, 4.6]), plan_of(), tmp_path, ctx).dips == ()


def test_a_hole_where_nobody_speaks_is_the_originals_own(tmp_path: Path, ctx: Context) -> None:
    samples = ambience()
    samples[:, : RATE_HZ // 2] = 0.0
    assert found(samples, plan_of(), tmp_path, ctx).dips == ()


def test_only_hits_without_an_attack_under_speech_are_lost(tmp_path: Path, ctx: Context) -> None:
    planned = blows(1.0, 2.5, 3.5, 5.0, 6.0)
    samples = with_hits(ambience(), [1.0, 3.55, 5.0])
    done = found(samples, plan_of(planned), tmp_path, ctx)
    (lost,) = done.lost
    assert [hit.time_s for hit in lost.hits] == [2.5, 6.0]
    assert done.kept == 1
    assert lost.level_db is not None


def test_a_rest_of_a_hit_that_a_separator_left_is_lost_too(tmp_path: Path, ctx: Context) -> None:
    samples = with_hits(with_hits(ambience(-60.0), [1.0, 4.7]), [2.5], peak=0.02)
    (lost,) = found(samples, plan_of(blows(1.0, 2.5, 4.7)), tmp_path, ctx).lost
    assert [hit.time_s for hit in lost.hits] == [2.5]


def test_what_is_heard_nowhere_was_never_in_the_mix_unless_a_person_locked_it(tmp_path: Path, ctx: Context) -> None:
    done = found(ambience(), plan_of(blows(1.0, 2.5, 4.7)), tmp_path, ctx)
    assert done.lost == ()
    assert "heard nowhere outside speech" in done.notes[0]
    (lost,) = found(ambience(), plan_of(blows(1.0, 2.5, 4.7, locked=True)), tmp_path, ctx).lost
    assert [hit.time_s for hit in lost.hits] == [2.5]


def test_a_sound_that_lasts_and_lifts_nothing_under_speech_is_lost(tmp_path: Path, ctx: Context) -> None:
    creak = SoundEvent("e01-creak", "creak", "span", "effects", 2.5, 3.5, "seen")
    (lost,) = found(ambience(), plan_of(creak), tmp_path, ctx).lost
    assert (lost.start_s, lost.end_s, lost.hits) == (2.5, 3.5, ())
    there = ambience()
    there[:, round(2.5 * RATE_HZ) : round(3.5 * RATE_HZ)] *= 3.0
    assert found(there, plan_of(creak), tmp_path, ctx).lost == ()


def test_a_silent_background_is_one_gap(tmp_path: Path, ctx: Context) -> None:
    done = found(np.zeros((2, LENGTH)), plan_of(blows(1.0)), tmp_path, ctx, speech=())
    assert [(dip.start_s, dip.end_s, dip.floor_db) for dip in done.dips] == [(0.0, 8.0, None)]
    assert [lost.event_id for lost in done.lost] == ["e01-blow"]


def test_without_speech_nothing_is_lost(tmp_path: Path, ctx: Context) -> None:
    done = found(ambience(), plan_of(blows(1.0, 2.5, 4.7)), tmp_path, ctx, speech=())
    assert (done.dips, done.lost) == ((), ())


BED = SoundEvent("e00-rain", "rain", "bed", "backgrounds", 0.0, 8.0, "The prompt says 'rain'")


@pytest.fixture
def muted(tmp_path: Path, ctx: Context) -> Gaps:
    samples = with_hits(ambience(), [1.0, 5.0])
    samples[:, round(2.0 * RATE_HZ) : round(4.0 * RATE_HZ)] = 0.0
    return found(samples, plan_of(blows(1.0, 2.5, 5.0), BED), tmp_path, ctx)


def test_full_fills_hits_ambience_and_room_tone(muted: Gaps, ctx: Context) -> None:
    made = refill(plan_of(blows(1.0, 2.5, 5.0), BED), muted, RefillOptions("full"), ctx)
    by_id = {event.id: event for event in made.plan.events}
    assert set(by_id) == {"e01-blow", "e00-rain@1"}
    assert [hit.time_s for hit in by_id["e01-blow"].hits] == [2.5]
    assert 1.5 < by_id["e00-rain@1"].start_s < 2.0 < 4.0 < by_id["e00-rain@1"].end_s < 4.5
    assert made.tone


@pytest.mark.parametrize(
    ("fill", "event", "kept"),
    [
        ("augmented", blows(1.0, 2.5, 5.0, strength=0.5), True),
        ("augmented", blows(1.0, 2.5, 5.0, strength=0.5, distance_m=12.0), False),
        ("augmented", blows(1.0, 2.5, 5.0, strength=0.9, distance_m=12.0), True),
        ("spot", blows(1.0, 2.5, 5.0, strength=0.5), False),
        ("spot", blows(1.0, 2.5, 5.0, strength=0.9), True),
        ("spot", blows(1.0, 2.5, 5.0, strength=0.9, confidence=0.3), False),
        ("spot", blows(1.0, 2.5, 5.0, strength=0.5, locked=True), True),
    ],
)
def test_other_depths_fill_less_and_say_what_they_leave(
    muted: Gaps, ctx: Context, fill: str, event: SoundEvent, kept: bool
) -> None:
    lost = replace(muted.lost[0], hits=(event.hits[1],))
    made = refill(plan_of(event, BED), replace(muted, lost=(lost,)), RefillOptions(fill), ctx)  # type: ignore[arg-type]
    assert [each.id for each in made.plan.events] == (["e01-blow"] if kept else [])
    assert made.dips == ()
    assert not made.tone
    assert any("dip" in text for text in made.left_out)
    assert any("blow" in text for text in made.left_out) != kept


@given(st.lists(st.booleans(), max_size=60), st.integers(0, 10))
@settings(max_examples=60)
def test_runs_cover_what_is_marked_and_join_only_short_pauses(marked: list[bool], join: int) -> None:
    marks = np.array(marked, bool)
    spans = runs(marks, join_s=join * STEP_S)
    covered = mask(spans, len(marks))
    assert (covered | ~marks).all()
    gaps_steps = [round((b.start_s - a.end_s) / STEP_S) for a, b in itertools.pairwise(spans)]
    assert all(gap > join for gap in gaps_steps)


def test_speech_on_a_dialogue_track_is_where_it_sounds(tmp_path: Path) -> None:
    samples = 1e-5 * np.random.default_rng(0).standard_normal((2, LENGTH))
    samples[:, RATE_HZ : 2 * RATE_HZ] += 0.1 * np.sin(2 * np.pi * 200 * np.arange(RATE_HZ) / RATE_HZ)
    (span,) = speaking(levels_db(saved(samples, tmp_path / "voice.wav")))
    assert (span.start_s, span.end_s) == pytest.approx((1.0, 2.0), abs=0.1)
    assert speaking(np.full(100, -120.0, np.float32)) == ()
