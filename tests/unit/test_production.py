"""What production sound has already is muted with a reason; what it only might have stays."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from foley.analysis.listen import ListenOptions, listen
from foley.analysis.probe import probe
from foley.contracts import Context
from foley.model import Hit, Kind, Listening, SoundEvent, Source, Span
from foley.plan.production import LEVEL_STEP_S, without_doubles
from tests.planning import silence

LENGTH_S = 30.0
HITS_S = (2.0, 3.1, 4.3, 5.2, 6.4, 7.1)


def hits(times_s: tuple[float, ...] = HITS_S) -> SoundEvent:
    made = tuple(Hit(time_s) for time_s in times_s)
    return SoundEvent("e01", "knock", "hits", "foley", times_s[0], times_s[-1] + 0.1, "Knocks are seen.", hits=made)


def lasting(kind: Kind, start_s: float, end_s: float) -> SoundEvent:
    return SoundEvent("e02", "rain", kind, "backgrounds", start_s, end_s, "It rains.")


def heard(
    onsets_s: tuple[float, ...] = (), *, speech: tuple[Span, ...] = (), level_db: np.ndarray | float = -60.0
) -> Listening:
    steps = round(LENGTH_S / LEVEL_STEP_S)
    return Listening(True, -30.0, speech, np.full(steps, level_db, np.float32), np.array(sorted(onsets_s)))


def level(inside_db: float, outside_db: float, start_s: float, end_s: float, *, stray_db: float = 0.4) -> np.ndarray:
    """Return levels of a noise that is louder for a while."""
    times = np.arange(round(LENGTH_S / LEVEL_STEP_S)) * LEVEL_STEP_S
    stray = stray_db * np.random.default_rng(1).standard_normal(len(times))
    return np.where((times >= start_s) & (times < end_s), inside_db, outside_db) + stray


def is_muted(event: SoundEvent, listening: Listening) -> bool:
    (checked,) = without_doubles([event], listening)
    assert replace(checked, muted=event.muted, because=event.because) == event, "only the mute and its reason change"
    return checked.muted


@pytest.mark.parametrize("late_s", [0.0, 0.04, 0.14, -0.1])
def test_hits_that_the_clip_sounds_already_are_muted_however_late_it_is(late_s: float) -> None:
    (checked,) = without_doubles([hits()], heard(tuple(time_s + late_s for time_s in HITS_S)))
    assert checked.muted
    assert checked.because.startswith("Knocks are seen; muted, as the clip's own sound has it: 6 of 6 hits")
    assert f"{abs(round(1000 * late_s))} ms" in checked.because


def test_scattered_timing_and_a_missed_hit_do_not_hide_a_double() -> None:
    scattered = [time_s + 0.05 * sign for time_s, sign in zip(HITS_S[:-1], (1, -1, 1, 0, -1), strict=True)]
    assert is_muted(hits(), heard(tuple(scattered)))


@pytest.mark.parametrize(
    "onsets_s",
    [
        (),
        HITS_S[:3],  # half of them
        tuple(time_s + 0.4 for time_s in HITS_S),  # further off than any camera's delay
        (2.5, 3.6, 4.8, 5.7, 6.8, 7.6),
    ],
)
def test_hits_without_attacks_of_their_own_stay(onsets_s: tuple[float, ...]) -> None:
    assert not is_muted(hits(), heard(onsets_s))


def test_a_busy_sound_proves_nothing() -> None:
    drumming = tuple(np.arange(0.0, 20.0, 0.14).tolist())  # every hit has an attack near it, whatever happens
    assert not is_muted(hits(), heard(drumming))


def test_a_single_hit_is_a_double_only_where_little_else_sounds() -> None:
    slam = hits((10.0,))
    assert is_muted(slam, heard((10.03,)))
    assert not is_muted(slam, heard((6.0, 8.0, 10.03, 12.0, 13.5)))


def test_where_somebody_speaks_nobody_can_tell() -> None:
    assert not is_muted(hits(), heard(HITS_S, speech=(Span(1.5, 6.0),)))


def test_what_a_person_decided_stays() -> None:
    assert not is_muted(replace(hits(), locked=True), heard(HITS_S))
    muted = replace(hits(), muted=True)
    assert without_doubles([muted], heard(HITS_S)) == (muted,)


def test_a_silent_clip_has_nothing() -> None:
    assert without_doubles([hits(), lasting("bed", 0.0, LENGTH_S)], silence()) == (
        hits(),
        lasting("bed", 0.0, LENGTH_S),
    )


def test_an_ambience_that_sounds_steadily_is_muted() -> None:
    assert is_muted(lasting("bed", 0.0, LENGTH_S), heard(level_db=level(-25.0, -25.0, 0.0, 1.0)))


@pytest.mark.parametrize(
    "levels",
    [
        level(-50.0, -50.0, 0.0, 1.0),  # a recorder's own noise
        level(-25.0, -25.0, 0.0, 1.0, stray_db=4.0),  # music, or single noises
        level(-25.0, -60.0, 0.0, 20.0),  # it stops
    ],
)
def test_an_ambience_that_may_be_something_else_stays(levels: np.ndarray) -> None:
    assert not is_muted(lasting("bed", 0.0, LENGTH_S), heard(level_db=levels))


def test_dialogue_does_not_hide_or_feign_an_ambience() -> None:
    rain = level(-25.0, -25.0, 0.0, 1.0)
    talk = np.where(np.arange(len(rain)) % 100 < 40, -10.0, rain)
    speech = tuple(Span(start_s, start_s + 4.0) for start_s in (0.0, 10.0, 20.0))
    assert is_muted(lasting("bed", 0.0, LENGTH_S), heard(speech=speech, level_db=talk))
    assert not is_muted(lasting("bed", 0.0, LENGTH_S), heard(speech=(Span(0.0, 25.0),), level_db=rain))


def test_a_sound_that_rises_with_what_is_seen_is_muted() -> None:
    car = lasting("span", 10.0, 16.0)
    assert is_muted(car, heard(level_db=level(-25.0, -45.0, 10.0, 16.0, stray_db=2.0)))
    assert not is_muted(car, heard(level_db=level(-25.0, -25.0, 10.0, 16.0)))
    assert not is_muted(car, heard(level_db=level(-25.0, -45.0, 10.0, 12.0)))


@given(st.lists(st.floats(0.0, LENGTH_S - 1), min_size=1, max_size=8), st.lists(st.floats(0.0, LENGTH_S), max_size=30))
def test_events_are_never_lost_moved_or_reordered(times_s: list[float], onsets_s: list[float]) -> None:
    events = [hits(tuple(sorted(times_s))), lasting("bed", 0.0, 20.0), lasting("span", 3.0, 9.0)]
    checked = without_doubles(events, heard(tuple(onsets_s)))
    assert [replace(event, muted=False, because="") for event in checked] == [
        replace(event, because="") for event in events
    ]


@pytest.mark.parametrize(("name", "late_s"), [("stick_bag", 0.038), ("guns", 0.065), ("chopping", 0.045)])
def test_real_production_sound_is_recognised(ctx: Context, shared: Path, name: str, late_s: float) -> None:
    clip = probe(Source(shared / "clips" / f"{name}.mp4"), ctx)
    truth = json.loads((shared / "clips" / "clips.json").read_text())[name]["onsets"]
    seen = tuple(one["t"] for one in truth if one["visible"] and not one.get("opt"))
    listening = listen(clip, ListenOptions(), ctx)
    (checked,) = without_doubles([hits(seen)], listening)
    assert checked.muted
    told_s = float(checked.because.split(" ms after")[0].split()[-1]) / 1000
    assert told_s == pytest.approx(late_s, abs=0.01)
    rng = np.random.default_rng(7)
    strewn = [tuple(np.sort(rng.uniform(0.0, float(clip.duration_s), len(seen))).tolist()) for _ in range(40)]
    assert sum(is_muted(hits(times_s), listening) for times_s in strewn) <= 2  # one in twenty


def test_a_whole_film_of_hits_is_judged_like_a_few() -> None:
    rng = np.random.default_rng(9)
    times = np.sort(rng.uniform(0.0, 7000.0, 3000))
    film = Listening(True, -30.0, (), np.full(72_000, -60.0, np.float32), times + 0.03)
    assert is_muted(hits(tuple(times.tolist())), film)
    assert not is_muted(hits(tuple(np.sort(rng.uniform(0.0, 7000.0, 3000)).tolist())), film)
