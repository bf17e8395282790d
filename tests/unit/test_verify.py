from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from foley.contracts import Context
from foley.media import sound
from foley.mix.master import MasterOptions, master
from foley.mix.place import PlaceOptions, place
from foley.mix.verify import verify
from foley.model import (
    Audio,
    AudioFile,
    ClipIdentity,
    CurvePoint,
    FittedTakes,
    Hit,
    Listening,
    Mixdown,
    PreviousMaster,
    Reasoning,
    Report,
    SoundEvent,
    SoundPlan,
    Take,
)
from foley.units import RATE_HZ
from tests.arrangement_maker import NOTHING_HEARD, clip_of, hit_sound, saved, speaking

SYNC_TOLERANCE_MS = 2.0
"""What the onset finder is good for on a blow that starts at once."""
DURATION_S = Fraction(4)
CLIP = clip_of(Path("clip.mp4"), duration_s=DURATION_S)
LATE_MS = 60.0


def knocks(*times_s: float, name: str = "knock", **changes: object) -> SoundEvent:
    hits = tuple(Hit(at_s) for at_s in times_s)
    return replace(SoundEvent(name, name, "hits", "foley", times_s[0], times_s[-1] + 0.1, "test", hits), **changes)


def knock_take(
    event: SoundEvent, folder: Path, *, late_ms: float = 0.0, lead_s: float = 0.2, notes: tuple[str, ...] = ()
) -> Take:
    """One take with a blow at each hit, beginning `lead_s` before the first."""
    rng = np.random.default_rng(9)
    first = round((event.hits[0].time_s - lead_s) * RATE_HZ)
    samples = 1e-4 * rng.standard_normal(round((event.hits[-1].time_s + 1.0) * RATE_HZ) - first)
    for hit in event.hits:
        at = round((hit.time_s + late_ms / 1000) * RATE_HZ) - first
        blow = hit_sound(rng, ring_s=0.03, length_s=0.3)
        samples[at : at + blow.size] += hit.strength * blow
    audio = saved(np.clip(samples, -0.99, 0.99), folder / f"{event.id}.wav")
    return Take(event.id, event.id, audio, first, -3.0, "procedural", "none", True, notes)


def checked(
    events: list[SoundEvent],
    takes: list[Take],
    ctx: Context,
    *,
    listening: Listening = NOTHING_HEARD,
    **changes: object,
) -> Report:
    identity = ClipIdentity("clip.mp4", "key", DURATION_S, Fraction(25))
    plan = SoundPlan(identity, (), (), Reasoning("", "", "", ""), tuple(events))
    fitted = FittedTakes(tuple(takes))
    arrangement = place(plan, fitted, PlaceOptions(), ctx)
    mixdown = master(arrangement, CLIP, NOTHING_HEARD, PreviousMaster(), MasterOptions(), ctx)
    return verify(CLIP, plan, fitted, replace(mixdown, **changes), listening, ctx)


def test_hits_on_time_measure_as_on_time_with_any_lead_in(tmp_path: Path, ctx: Context) -> None:
    steps = knocks(0.05, 0.4, 0.62, 1.5, name="steps")
    door = knocks(2.5, name="door")
    report = checked([steps, door], [knock_take(steps, tmp_path, lead_s=0.5), knock_take(door, tmp_path)], ctx)
    assert [check.planned_s for check in report.sync] == [0.05, 0.4, 0.62, 1.5, 2.5]
    for check in report.sync:
        assert check.error_ms == pytest.approx(0.0, abs=SYNC_TOLERANCE_MS)
        assert check.measured_s == pytest.approx(check.planned_s, abs=SYNC_TOLERANCE_MS / 1000)
    assert report.notes == ()


def test_a_late_sound_is_measured_in_ms_and_frames_and_said_first(tmp_path: Path, ctx: Context) -> None:
    on_time, late = knocks(0.5, name="on time"), knocks(1.5, 2.5, name="late")
    takes = [knock_take(on_time, tmp_path, notes=("made again",)), knock_take(late, tmp_path, late_ms=LATE_MS)]
    report = checked([on_time, late], takes, ctx)
    for check in (check for check in report.sync if check.event_id == "late"):
        assert check.error_ms == pytest.approx(LATE_MS, abs=SYNC_TOLERANCE_MS)
        assert check.error_frames == pytest.approx(LATE_MS / 40, abs=SYNC_TOLERANCE_MS / 40)
    assert "2 of 2 onsets are more than a frame off" in report.notes[0]
    assert report.notes[1:] == ("on time (on time): made again",)


def test_a_hit_without_a_sound_is_not_measured_at_its_neighbour(tmp_path: Path, ctx: Context) -> None:
    planned = knocks(1.0, 1.09, 2.0)
    made = knock_take(replace(planned, hits=(Hit(1.0), Hit(2.0))), tmp_path)
    report = checked([planned], [made], ctx)
    assert [check.measured_s is None for check in report.sync] == [False, True, False]
    assert "no onset found at 1 of 3 times (first 0:01.090)" in report.notes[0]


def test_a_span_that_starts_clearly_is_measured_and_one_that_swells_is_not(tmp_path: Path, ctx: Context) -> None:
    noise = saved(0.2 * np.random.default_rng(0).standard_normal(RATE_HZ), tmp_path / "noise.wav")
    drill = SoundEvent("drill", "drill", "span", "effects", 1.0, 2.0, "test")
    wind = replace(drill, id="wind", curve=(CurvePoint(1.0, 0.0), CurvePoint(2.0, 1.0)))
    opening = replace(drill, id="opening", start_s=0.0)
    takes = [
        Take(e.id, e.id, noise, round(e.start_s * RATE_HZ), -14.0, "x", "none", True) for e in (drill, wind, opening)
    ]
    report = checked([drill, wind, opening], takes, ctx)
    assert [check.event_id for check in report.sync] == ["drill"]
    assert report.sync[0].error_ms == pytest.approx(0.0, abs=SYNC_TOLERANCE_MS)


def test_muted_events_are_not_missed_but_others_are(tmp_path: Path, ctx: Context) -> None:
    heard, muted, lost = knocks(1.0), knocks(2.0, name="muted", muted=True), knocks(3.0, name="lost")
    report = checked([heard, muted, lost], [knock_take(heard, tmp_path)], ctx)
    assert report.notes == ("lost (lost) has no sound",)


def test_level_and_sum_are_read_back_from_the_files(tmp_path: Path, ctx: Context) -> None:
    event = knocks(*np.arange(0.2, 3.8, 0.3).tolist())
    report = checked([event], [knock_take(event, tmp_path)], ctx)
    assert report.mix.integrated_lufs == pytest.approx(-23.0, abs=0.2)
    assert report.mix.true_peak_dbtp <= -1.0
    assert report.mix.passed
    assert report.track == report.mix
    assert report.stem_sum_lsb == 0.0
    assert report.duration_samples == 4 * RATE_HZ


def test_the_verdict_knows_the_profiles_own_tolerance(tmp_path: Path, ctx: Context) -> None:
    event = knocks(*np.arange(0.2, 3.8, 0.3).tolist())
    take = knock_take(event, tmp_path)
    near = checked([event], [take], ctx, loudness="atsc-a85")  # the mix lies at -23
    assert (near.mix.profile, near.mix.target_lufs, near.mix.tolerance_lu) == ("atsc-a85", -24.0, 2.0)
    assert near.mix.passed
    far = checked([event], [take], ctx, loudness="web")
    assert not far.mix.passed
    assert far.notes[0].startswith("the mix: -23.0 LUFS (target -14 +/- 0.5 LUFS), true peak")


def test_which_of_netflixs_measures_was_used_is_said(tmp_path: Path, ctx: Context) -> None:
    event = knocks(1.0, 2.0)
    alone = checked([event], [knock_take(event, tmp_path)], ctx, loudness="netflix")
    assert (alone.mix.measure, alone.mix.dialogue_lufs) == ("programme", None)
    assert "effects alone, no dialogue" in alone.notes[-1]
    tone = 0.05 * np.sin(np.arange(4 * RATE_HZ) / 8)
    track = sound.save(Audio(np.tile(tone, (2, 1)).astype(np.float32), RATE_HZ), tmp_path / "track.wav")
    heard = replace(speaking((1.0, 3.0)), speech_by="somebody")
    spoken = checked([event], [knock_take(event, tmp_path)], ctx, listening=heard, loudness="netflix", track=track)
    assert (spoken.track.measure, spoken.track.target_lufs) == ("dialogue", -27.0)
    assert (spoken.track.dialogue_share, spoken.track.speech_by) == (0.5, "somebody")
    assert spoken.track.judged_lufs == spoken.track.dialogue_lufs
    assert spoken.mix.measure == "programme"
    assert not any("effects alone" in note for note in spoken.notes)


def test_a_mix_that_is_not_its_stems_is_the_first_thing_said(tmp_path: Path, ctx: Context) -> None:
    event = knocks(1.0, 2.0)
    other = sound.save(Audio(np.full((2, 4 * RATE_HZ), 2.0**-20, np.float32), RATE_HZ), tmp_path / "other.wav")
    report = checked([event], [knock_take(event, tmp_path, late_ms=LATE_MS)], ctx, mix=other)
    assert report.stem_sum_lsb > 8
    assert report.notes[0].startswith("the stems do not sum to the mix")
    assert any("onsets are more than a frame off" in note for note in report.notes[1:])


def test_a_track_of_another_length_and_level_is_said(tmp_path: Path, ctx: Context) -> None:
    event = knocks(1.0, 2.0)
    short = sound.save(Audio(np.full((2, 3 * RATE_HZ), 0.999, np.float32), RATE_HZ), tmp_path / "short.wav")
    report = checked([event], [knock_take(event, tmp_path)], ctx, track=short)
    assert report.notes[0] == "the track is 144000 samples long, the picture 192000"
    assert report.notes[1].startswith("the track: ")
    assert not report.track.passed
    assert report.mix.passed


def test_placeholders_and_the_mixs_own_notes_come_last(tmp_path: Path, ctx: Context) -> None:
    bark = knocks(1.0, name="bark", placeholder=True)
    report = checked([bark], [knock_take(bark, tmp_path)], ctx, notes=("mix: quiet",))
    assert report.notes[0] == "mix: quiet"
    assert "placeholder" in report.notes[1]


def test_a_silent_clip_is_measured_without_a_fault(ctx: Context) -> None:
    report = checked([], [], ctx)
    assert report.mix.integrated_lufs is None
    assert report.mix.passed
    assert report.notes == ()


def test_only_the_stretch_around_a_hit_is_read(tmp_path: Path, ctx: Context, monkeypatch: pytest.MonkeyPatch) -> None:
    event = knocks(0.5, 3.0)
    take = knock_take(event, tmp_path)
    asked: list[int] = []
    read = sound.read

    def spy(file: AudioFile, first: int, last: int) -> np.ndarray:
        asked.extend([last - first] if file == take.audio else [])
        return read(file, first, last)

    identity = ClipIdentity("clip.mp4", "key", DURATION_S, Fraction(25))
    plan = SoundPlan(identity, (), (), Reasoning("", "", "", ""), (event,))
    fitted = FittedTakes((take,))
    mixdown: Mixdown = master(
        place(plan, fitted, PlaceOptions(), ctx), CLIP, NOTHING_HEARD, PreviousMaster(), MasterOptions(), ctx
    )
    monkeypatch.setattr("foley.media.sound.read", spy)
    verify(CLIP, plan, fitted, mixdown, NOTHING_HEARD, ctx)
    assert len(asked) == 2
    assert max(asked) < RATE_HZ
