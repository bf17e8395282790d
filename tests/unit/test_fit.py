"""Check and retime: what is off is put right, what is right is left alone."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from foley import plugins
from foley.contracts import Context
from foley.dsp.onsets import onset_near
from foley.media import sound
from foley.model import (
    Audio,
    ClipIdentity,
    CurvePoint,
    Hit,
    Reasoning,
    SoundEvent,
    SoundPlan,
    Take,
    Takes,
)
from foley.render import generators
from foley.render.fit import FitOptions, fit
from foley.render.takes import TakesOptions, takes
from foley.units import RATE_HZ, to_samples, to_seconds
from tests.plugins import saboteur
from tests.plugins.saboteur import CLIP

SABOTEURS = Path(saboteur.__file__).parent / "generators"

SYNC_TOLERANCE_S = 0.001
"""What the architecture promises: at most 1 ms from the planned time."""

SEAM_TOLERANCE_DB = 1.0
"""A step of 1 dB in steady noise is the smallest that a listener notices."""

TIMES_S = (1.0, 1.6, 2.3, 2.9)
KNOCKS = SoundEvent(
    id="e1",
    label="knocks",
    kind="hits",
    bus="foley",
    start_s=TIMES_S[0],
    end_s=TIMES_S[-1],
    because="a hand meets a door",
    hits=tuple(Hit(time_s) for time_s in TIMES_S),
    prompt="knocks",
    generator="faithful",
)
DRILL = SoundEvent(
    id="e2",
    label="drill",
    kind="span",
    bus="effects",
    start_s=1.0,
    end_s=4.0,
    because="a drill turns",
    prompt="drill",
    generator="slow_stretchy",
)


@pytest.fixture(autouse=True)
def saboteurs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(generators, "__path__", [str(SABOTEURS)])


def plan_of(*events: SoundEvent) -> SoundPlan:
    return SoundPlan(
        ClipIdentity("clip.mp4", "key", Fraction(60), Fraction(25)), (), (), Reasoning("", "", "", ""), events
    )


def fitted(ctx: Context, *events: SoundEvent, **options: float) -> tuple[tuple[Take, ...], tuple[Take, ...]]:
    """Return the takes of events before and after."""
    made = takes(plan_of(*events), CLIP, TakesOptions(), ctx)
    return made.items, fit(plan_of(*events), made, FitOptions(**options), ctx).items


def take_with(
    ctx: Context, onsets_s: tuple[float, ...], generator: str, attack_s: float = 0.0, *, lead_s: float = 0.0
) -> Take:
    """Return a take whose sample 0 lies at 0 and that holds hits at the times given."""
    exact = plugins.build("generator", generator).capabilities.hit_exact
    samples = np.zeros((1, 4 * RATE_HZ), np.float32)
    ring_s = np.arange(to_samples(0.3, RATE_HZ)) / RATE_HZ
    blow = 0.5 * np.sin(2 * np.pi * 700.0 * ring_s + 1.0) * np.exp(-ring_s / max(0.04, attack_s))
    if attack_s:
        blow *= np.minimum(ring_s / attack_s, 1.0)
    for onset_s in onsets_s:
        first = to_samples(onset_s, RATE_HZ)
        samples[0, first : first + blow.size] += blow.astype(np.float32)
    file = sound.save(Audio(samples, RATE_HZ), ctx.scratch / f"{generator}.wav")
    return Take("e1", "key", file, 0, -6.0, generator, "none", commercial=True, exact=exact, lead_s=lead_s)


def errors_s(take: Take, times_s: tuple[float, ...] = TIMES_S) -> list[float]:
    """Return how much later than planned each hit sounds."""
    offset_s = to_seconds(take.first_sample, RATE_HZ)
    audio = sound.load(take.audio)
    found = [onset_near(audio, time_s - offset_s, 0.25) for time_s in times_s]
    return [onset + offset_s - time_s for onset, time_s in zip(found, times_s, strict=True) if onset is not None]


def levels_db(samples: np.ndarray, step_s: float) -> np.ndarray:
    frame = to_samples(step_s, RATE_HZ)
    frames = samples[: samples.size // frame * frame].reshape(-1, frame)
    return 20.0 * np.log10(np.sqrt(np.mean(frames**2, axis=1)) + 1e-9)


def on_timeline(taken: tuple[Take, ...], length_s: float) -> np.ndarray:
    total = np.zeros(to_samples(length_s, RATE_HZ))
    for take in taken:
        begin, end = max(take.first_sample, 0), min(take.first_sample + take.audio.length, total.size)
        total[begin:end] += sound.read(take.audio, begin - take.first_sample, end - take.first_sample)[0]
    return total


def test_exact_hits_pass_through_untouched(ctx: Context) -> None:
    before, after = fitted(ctx, KNOCKS)
    assert after == before


def test_a_shared_lag_is_taken_out_to_less_than_a_millisecond(ctx: Context) -> None:
    late = take_with(ctx, tuple(time_s + 0.150 for time_s in TIMES_S), "late")
    (after,) = fit(plan_of(KNOCKS), Takes((late,)), FitOptions(), ctx).items
    assert after.audio == late.audio
    assert errors_s(after) == pytest.approx([0.0] * 4, abs=SYNC_TOLERANCE_S)
    assert "150." in after.notes[0]


def test_hits_that_lag_each_differently_are_left_alone(ctx: Context) -> None:
    lags_s = (-0.120, 0.030, 0.150, -0.020)
    ragged = take_with(ctx, tuple(t + lag for t, lag in zip(TIMES_S, lags_s, strict=True)), "late")
    (after,) = fit(plan_of(KNOCKS), Takes((ragged,)), FitOptions(), ctx).items
    assert after == ragged


def test_a_soft_attack_of_an_exact_generator_is_told_and_not_moved(ctx: Context) -> None:
    soft = take_with(ctx, TIMES_S, "faithful", attack_s=0.250)
    (after,) = fit(plan_of(KNOCKS), Takes((soft,)), FitOptions(), ctx).items
    assert (after.first_sample, after.audio) == (soft.first_sample, soft.audio)
    assert "left as it was made" in after.notes[0]


def test_a_lead_in_is_no_fault_of_an_exact_generator(ctx: Context) -> None:
    leading = take_with(ctx, tuple(time_s - 0.08 for time_s in TIMES_S), "faithful", lead_s=0.1)
    (after,) = fit(plan_of(KNOCKS), Takes((leading,)), FitOptions(), ctx).items
    assert after == leading


def test_a_take_says_itself_what_its_generator_is_as_it_was_set_up(
    ctx: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The model, the licence and the device that were asked for decide what a generator is: fit knows none of them."""
    monkeypatch.setattr(saboteur.Saboteur, "margins_s", lambda self, event: (0.1, 0.3))
    made = takes(plan_of(KNOCKS, DRILL), CLIP, TakesOptions(), ctx)
    assert [(take.exact, take.lead_s, take.ring_s) for take in made.items] == [(True, 0.1, 0.3), (False, 0.1, 0.3)]

    def nobody(*_: object) -> None:
        raise AssertionError("a generator was built anew, without its settings")

    monkeypatch.setattr(plugins, "build", nobody)
    assert len(fit(plan_of(KNOCKS, DRILL), made, FitOptions(), ctx).items) == 2


def test_what_a_late_generator_made_is_on_time_in_the_end(ctx: Context) -> None:
    _, (after,) = fitted(ctx, replace(KNOCKS, generator="late"))
    assert errors_s(after) == pytest.approx([0.0] * 4, abs=SYNC_TOLERANCE_S)


@pytest.mark.parametrize(("share", "how"), [(0.6, "stretched"), (0.3, "looped")])
def test_a_span_that_ends_early_fills_its_slot_to_the_sample(ctx: Context, share: float, how: str) -> None:
    _, (after,) = fitted(ctx, replace(DRILL, parameters={"share": share}))
    assert after.first_sample == to_samples(1.0, RATE_HZ)
    assert after.audio.length == to_samples(3.0, RATE_HZ)
    assert how in after.notes[0]
    inner = levels_db(sound.load(after.audio).samples[0], 0.1)[1:-1]
    assert inner.min() > np.median(inner) - 3.0


def test_a_span_too_short_by_less_than_the_tolerance_is_left_alone(ctx: Context) -> None:
    event = replace(DRILL, parameters={"share": 0.95})
    (before,), (after,) = fitted(ctx, event, edge_fade_s=0.0)
    assert after == before


def test_a_gap_that_the_curve_asks_for_is_no_fault(ctx: Context) -> None:
    curve = (CurvePoint(1.0, 1.0), CurvePoint(2.0, 1.0), CurvePoint(2.1, 0.0), CurvePoint(4.0, 0.0))
    _, (after,) = fitted(ctx, replace(DRILL, parameters={"share": 1.0}, curve=curve))
    assert not after.notes


def test_a_sound_longer_than_its_slot_is_cut_or_squeezed_into_it(ctx: Context) -> None:
    (long,) = takes(plan_of(replace(DRILL, end_s=5.0, parameters={"share": 1.0})), CLIP, TakesOptions(), ctx).items
    for end_s, how in ((3.5, "stretched"), (2.0, "cut off")):
        event = replace(DRILL, end_s=end_s)
        (after,) = fit(plan_of(event), Takes((long,)), FitOptions(), ctx).items
        assert after.audio.length == to_samples(end_s - 1.0, RATE_HZ)
        assert how in after.notes[0]


def test_without_rubberband_a_span_is_looped_and_the_notes_say_why(
    ctx: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", "")
    _, (after,) = fitted(ctx, DRILL)
    assert after.audio.length == to_samples(3.0, RATE_HZ)
    assert "rubberband is not installed: looped" in after.notes[0]


def test_edges_that_would_click_are_faded_and_nothing_else_is_touched(ctx: Context) -> None:
    (before,), (after,) = fitted(ctx, replace(DRILL, generator="faithful"))
    old, new = sound.load(before.audio).samples[0], sound.load(after.audio).samples[0]
    fade = to_samples(0.010, RATE_HZ)
    assert max(abs(new[0]), abs(new[-1])) < 0.01
    np.testing.assert_array_equal(new[fade:-fade], old[fade:-fade])


def test_touching_beds_are_crossfaded_without_a_dip(ctx: Context) -> None:
    first = replace(DRILL, kind="bed", generator="faithful", start_s=0.0, end_s=5.0)
    second = replace(first, id="e3", start_s=5.0, end_s=10.0, seed=1)
    _, after = fitted(ctx, first, second)
    assert after[0].first_sample + after[0].audio.length > after[1].first_sample
    around = on_timeline(after, 10.0)[to_samples(4.0, RATE_HZ) : to_samples(6.0, RATE_HZ)]
    # the two takes peak alike, which sets their levels apart by what their strongest sample is by chance
    assert np.ptp(levels_db(around, 0.05)) < SEAM_TOLERANCE_DB


def test_a_bed_alone_lasts_exactly_its_slot_and_fades_in_and_out(ctx: Context) -> None:
    bed = replace(DRILL, kind="bed", generator="faithful")
    _, (after,) = fitted(ctx, bed, bed_fade_s=0.5)
    assert after.first_sample == to_samples(1.0, RATE_HZ)
    assert after.audio.length == to_samples(3.0, RATE_HZ)
    levels = levels_db(sound.load(after.audio).samples[0], 0.1)
    assert levels[0] < levels[2] - 3.0 < levels[5]
    assert levels[-1] < levels[-3] - 3.0 < levels[-6]


def test_moving_an_event_fits_nothing_again(ctx: Context) -> None:
    _, (before,) = fitted(ctx, DRILL)
    _, (after,) = fitted(ctx, replace(DRILL, start_s=1.001, end_s=4.001))
    assert after.audio == before.audio
    assert after.first_sample - before.first_sample == to_samples(0.001, RATE_HZ)


@pytest.mark.parametrize(
    "wrong",
    [{"lag_ms": -1.0}, {"tolerance": 1.0}, {"least_stretch": 2.0}, {"bed_fade_s": -0.1}],
    ids=str,
)
def test_options_that_make_no_sense_are_refused(wrong: dict) -> None:
    with pytest.raises(ValueError, match="must"):
        FitOptions(**wrong)
