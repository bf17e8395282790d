from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from foley.analysis.activity import levels_db
from foley.contracts import Context
from foley.dsp.parting import spectrum_of, tone
from foley.mix.filling import dip_window, merged
from foley.mix.me import CEILING, me
from foley.model import Arrangement, AudioFile, ClipIdentity, Hit, Placement, Reasoning, SoundEvent, SoundPlan, Span
from foley.model.dub import Dip, Filling, Gaps, MusicAndEffects, Refill, Separation
from tests.arrangement_maker import hit_sound, saved
from tests.dub_maker import samples_of

RATE_HZ = 48_000
LENGTH = 6 * RATE_HZ
RNG = np.random.default_rng(6)
AMBIENCE = 10 ** (-45 / 20) * RNG.standard_normal((2, LENGTH))
DIP = Dip(2.0, 3.5, -45.0, -120.0, (Span(0.0, 1.9), Span(3.6, 6.0)))


def event(kind: str, *, start_s: float, end_s: float, hits: tuple[Hit, ...] = ()) -> SoundEvent:
    return SoundEvent(f"e-{kind}", kind, kind, "foley", start_s, end_s, "seen", hits=hits)  # type: ignore[arg-type]


def filled(
    background: np.ndarray,
    folder: Path,
    ctx: Context,
    *,
    hit_level_db: float | None = None,
    trim_db: float = 0.0,
    dips: tuple[Dip, ...] = (),
    hit_peak: float = 0.5,
) -> MusicAndEffects:
    """A background with a blow planned at 2.5 s, and dips with room tone."""
    file: AudioFile = saved(background, folder / "background.wav")
    blow = saved(hit_sound(np.random.default_rng(2), peak=hit_peak), folder / "blow.wav")
    planned = event("hits", start_s=2.5, end_s=2.6, hits=(Hit(2.5),))
    plan = SoundPlan(
        ClipIdentity("clip.mp4", "key", Fraction(6), Fraction(25)), (), (), Reasoning("", "", "", ""), (planned,)
    )
    filling = Filling("e-hits", "e-hits", "blow", "hits", None, hit_level_db, trim_db)
    arrangement = Arrangement((Placement("e-hits", "foley", blow, round(2.5 * RATE_HZ), 1.0, 1.0),), LENGTH)
    gaps = Gaps(dips, (), 0, -45.0, -20.0)
    refill = Refill(plan, (filling,), dips, bool(dips), ())
    separation = Separation(file, None, "given", (Span(2.0, 3.5),), levels_db(file))
    return me(separation, gaps, refill, arrangement, ctx)


def peak_db(samples: np.ndarray) -> float:
    mean = np.convolve(np.mean((samples / 2**23) ** 2, axis=0), np.full(480, 1 / 480), "valid")
    return float(10 * np.log10(mean.max()))


@pytest.mark.parametrize("level_db", [-30.0, -12.0])
def test_a_hit_is_brought_to_the_level_of_its_like_and_the_trim_stays_on_top(
    level_db: float, tmp_path: Path, ctx: Context
) -> None:
    plain = filled(AMBIENCE, tmp_path, ctx, hit_level_db=level_db)
    assert peak_db(samples_of(plain.fills.path)) == pytest.approx(level_db, abs=0.1)
    trimmed = filled(AMBIENCE, tmp_path, ctx, hit_level_db=level_db, trim_db=-6.0)
    assert peak_db(samples_of(trimmed.fills.path)) == pytest.approx(level_db - 6.0, abs=0.1)


def test_a_hit_that_nothing_is_known_of_stands_over_the_background(tmp_path: Path, ctx: Context) -> None:
    done = filled(AMBIENCE, tmp_path, ctx, hit_peak=0.001)
    assert peak_db(samples_of(done.fills.path)) == pytest.approx(-35.0, abs=0.5)


def test_background_and_fills_sum_to_the_effects_and_nothing_else_changes(tmp_path: Path, ctx: Context) -> None:
    done = filled(AMBIENCE, tmp_path, ctx, hit_level_db=-20.0)
    whole, fills = samples_of(done.audio.path), samples_of(done.fills.path)
    assert np.array_equal(samples_of(tmp_path / "background.wav") + fills, whole)
    (place,) = done.places
    assert not fills[:, : place.first_sample].any()
    assert not fills[:, place.last_sample :].any()
    assert place.events == ("e-hits",)
    assert place.reason == "hits makes no sound in the background at 0:02.500"


def test_room_tone_brings_a_dip_to_the_level_and_colour_of_its_surroundings(tmp_path: Path, ctx: Context) -> None:
    dark = np.cumsum(RNG.standard_normal((2, LENGTH)), axis=1)
    dark -= np.stack([np.convolve(side, np.full(2000, 1 / 2000), "same") for side in dark])
    dark *= 10 ** (-45 / 20) / dark.std()
    mute = dark.copy()
    mute[:, 2 * RATE_HZ : round(3.5 * RATE_HZ)] = 0.0
    done = filled(mute, tmp_path, ctx, dips=(DIP,), hit_level_db=-60.0)
    inside = samples_of(done.audio.path)[:, round(2.1 * RATE_HZ) : round(2.45 * RATE_HZ)] / 2**23
    assert 20 * np.log10(inside.std()) == pytest.approx(-45.0, abs=1.5)
    share = [np.mean(np.diff(part[0]) ** 2) / np.mean(part[0] ** 2) for part in (inside, dark)]
    assert 10 * np.log10(share[0] / share[1]) == pytest.approx(0.0, abs=2.0)


def test_fills_give_way_where_the_sum_would_be_too_loud(tmp_path: Path, ctx: Context) -> None:
    loud = 0.8 * np.sin(2 * np.pi * 100 * np.arange(LENGTH) / RATE_HZ) * np.ones((2, 1))
    done = filled(loud, tmp_path, ctx, hit_level_db=-3.0)
    assert np.abs(samples_of(done.audio.path)).max() / 2**23 <= CEILING + 1e-4
    assert np.abs(samples_of(done.fills.path)).max() > 0


def test_a_dip_at_an_end_of_the_picture_is_filled_up_to_it() -> None:
    window = dip_window(Dip(0.0, 6.0, -45.0, -120.0), LENGTH)
    assert (window.first, window.last) == (0, LENGTH)
    assert (window.gain(150, LENGTH - 150) == 1.0).all()  # but for 3 ms against clicks
    assert window.gain(0, 1)[0] < 0.1


def test_stretches_that_touch_are_one() -> None:
    assert merged([(5, 8), (0, 3), (3, 4), (7, 9)]) == [(0, 4), (5, 9)]


def test_room_tone_repeats_without_a_seam_and_has_the_level_it_was_learned_from() -> None:
    learned = spectrum_of([AMBIENCE.astype(np.float32)])
    assert learned is not None
    made = tone(learned, RATE_HZ, np.random.default_rng(1))
    assert made.std() == pytest.approx(AMBIENCE.std(), rel=0.03)
    seam = np.abs(made[:, 0] - made[:, -1]).max()
    assert seam < 6 * made.std()
    assert np.corrcoef(made)[0, 1] == pytest.approx(0.0, abs=0.05)  # as wide as what it was learned from
    assert spectrum_of([np.zeros((2, 100), np.float32)]) is None
