import tracemalloc
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from foley.contracts import Context
from foley.dsp.profiles import PROFILES
from foley.media import sound
from foley.mix import sum as summing
from foley.mix.level import LIMITING_DB, level, survey
from foley.mix.master import MasterOptions, master
from foley.mix.strip import Compressing, Memo, Strip
from foley.mix.sum import BUSES, BusReader, spans
from foley.mix.verify import verify
from foley.model import (
    Arrangement,
    AudioFile,
    Clip,
    ClipIdentity,
    FittedTakes,
    Listening,
    Master,
    Mixdown,
    Placement,
    PreviousMaster,
    Reasoning,
    SoundPlan,
    SoundTrack,
)
from foley.pipeline.cache import Cache
from foley.units import RATE_HZ, to_db
from tests.arrangement_maker import (
    NOTHING_HEARD,
    arranged,
    clip_of,
    ffmpeg_figures,
    hit_sound,
    hits,
    saved,
    scene,
    silent_clip,
    speaking,
)
from tests.media_maker import ffmpeg

TARGET_LU = 0.3
"""0.2 LU that mastering allows itself, and ffmpeg's rounding to a tenth."""


def mastered(
    arrangement: Arrangement,
    ctx: Context,
    *,
    previous: PreviousMaster | None = None,
    clip: Clip | None = None,
    listening: Listening = NOTHING_HEARD,
    **options: object,
) -> Mixdown:
    opts = MasterOptions(**options)
    return master(arrangement, clip or silent_clip(arrangement), listening, previous or PreviousMaster(), opts, ctx)


def samples(file: AudioFile) -> np.ndarray:
    return sound.load(file).samples


def stem_difference_lsb(mixdown: Mixdown) -> float:
    total = np.sum([np.rint(samples(stem) * 2.0**23).astype(np.int64) for stem in mixdown.stems.values()], axis=0)
    return float(np.abs(np.rint(samples(mixdown.mix) * 2.0**23).astype(np.int64) - total).max())


@pytest.mark.parametrize("profile", ["ebu-r128", "web"])
def test_ffmpeg_agrees_that_the_mix_has_its_loudness_under_its_ceiling(
    profile: str, tmp_path: Path, ctx: Context
) -> None:
    mixdown = mastered(scene(tmp_path), ctx, loudness=profile)
    lufs, peak_dbtp = ffmpeg_figures(mixdown.mix.path)
    assert lufs == pytest.approx(PROFILES[profile].target_lufs, abs=TARGET_LU)
    assert peak_dbtp <= -1.0
    assert mixdown.notes == ()


def test_sparse_hits_get_there_through_the_limiter(tmp_path: Path, ctx: Context) -> None:
    take = saved(hit_sound(np.random.default_rng(1), ring_s=0.01), tmp_path / "tick.wav")
    mixdown = mastered(arranged(hits(take, [0.5, 2.2, 4.1, 5.3]), 6 * RATE_HZ), ctx)
    lufs, peak_dbtp = ffmpeg_figures(mixdown.mix.path)
    assert mixdown.master.limiter["foley"].min() < 0.9
    assert mixdown.notes == ()
    assert lufs == pytest.approx(-23.0, abs=TARGET_LU)
    assert peak_dbtp <= -1.0


def test_a_target_out_of_reach_is_given_up_and_said(tmp_path: Path, ctx: Context) -> None:
    take = saved(hit_sound(np.random.default_rng(1), ring_s=0.002), tmp_path / "tick.wav")
    mixdown = mastered(arranged(hits(take, [0.5, 2.2, 4.1]), 5 * RATE_HZ), ctx, loudness="web")
    assert "more than 12 dB of limiting" in mixdown.notes[0]
    assert -to_db(float(mixdown.master.limiter["foley"].min())) == pytest.approx(LIMITING_DB, abs=0.1)
    assert ffmpeg_figures(mixdown.mix.path)[1] <= -1.0


@pytest.mark.parametrize("gain", [0.5, 4.0])
def test_the_stems_sum_to_the_mix_to_the_last_bit(gain: float, tmp_path: Path, ctx: Context) -> None:
    mixdown = mastered(scene(tmp_path, gain=gain), ctx, loudness="web")
    assert stem_difference_lsb(mixdown) == 0.0
    assert all(samples(mixdown.stems[bus]).any() for bus in BUSES)


def test_stems_that_cancel_each_other_are_not_clipped(tmp_path: Path, ctx: Context) -> None:
    loud = saved(hit_sound(np.random.default_rng(1)), tmp_path / "loud.wav")
    against = [Placement("a", "foley", loud, 4800, 3.0, 3.0), Placement("b", "effects", loud, 4800, -2.9, -2.9)]
    mixdown = mastered(arranged(against, RATE_HZ), ctx, loudness="off")
    assert np.abs(samples(mixdown.stems["foley"])).max() <= 10 ** (-1 / 20)
    assert stem_difference_lsb(mixdown) == 0.0


def test_off_leaves_levels_alone_and_keeps_the_ceiling(tmp_path: Path, ctx: Context) -> None:
    quiet, loud = scene(tmp_path, gain=0.3), scene(tmp_path, gain=3.0)
    untouched = mastered(quiet, ctx, loudness="off", chain="off")
    whole = sum(BusReader(quiet, bus).block(0, quiet.length) for bus in BUSES)
    assert np.abs(samples(untouched.mix) - whole).max() <= 2 * 2.0**-23
    assert untouched.target_lufs is None
    assert -1.3 < ffmpeg_figures(mastered(loud, ctx, loudness="off").mix.path)[1] <= -1.0


def test_every_file_is_as_long_as_the_picture_in_stereo_of_24_bit(tmp_path: Path, ctx: Context) -> None:
    arrangement = replace(scene(tmp_path, duration_s=3.0), length=160_160)
    mixdown = mastered(arrangement, ctx)
    for file in (*mixdown.stems.values(), mixdown.mix, mixdown.track):
        written = sound.describe(file.path)
        assert (written.length, written.channels, written.rate_hz) == (160_160, 2, RATE_HZ)
        assert file == written
        assert file.path.stat().st_size == pytest.approx(160_160 * 6, abs=200)


def test_a_silent_mix_stays_silent(ctx: Context) -> None:
    mixdown = mastered(Arrangement((), 96_000), ctx)
    assert not samples(mixdown.mix).any()
    assert mixdown.master.gain_db == 0.0
    assert mixdown.notes == ()


def tone_of(folder: Path, *, length_s: float = 4.0) -> Arrangement:
    """Room tone alone, at about -46 LUFS."""
    length = round(length_s * RATE_HZ)
    bed = saved(0.1 * np.random.default_rng(3).standard_normal((2, length)), folder / "tone.wav")
    return replace(arranged([Placement("tone", "backgrounds", bed, 0, 0.04, 0.04)], length), tone_alone=True)


def test_room_tone_alone_keeps_its_level_and_that_is_said(tmp_path: Path, ctx: Context) -> None:
    tone = tone_of(tmp_path)

    kept, off = mastered(tone, ctx, loudness="web"), mastered(tone, ctx, loudness="off")
    raised = mastered(replace(tone, tone_alone=False), ctx, loudness="web")

    assert kept.master.gain_db == 0.0
    assert np.array_equal(samples(kept.mix), samples(off.mix))
    assert any("room tone" in note for note in kept.notes)
    assert not off.notes
    assert ffmpeg_figures(raised.mix.path)[0] == pytest.approx(-14.0, abs=TARGET_LU)


def test_the_report_on_room_tone_alone_asks_no_loudness_of_it_but_of_a_track_that_speaks(
    tmp_path: Path, ctx: Context
) -> None:
    tone = tone_of(tmp_path)
    clip = silent_clip(tone)
    plan = SoundPlan(ClipIdentity("c.mp4", "key", clip.duration_s, Fraction(25)), (), (), Reasoning("", "", "", ""), ())

    report = verify(clip, plan, FittedTakes(()), mastered(tone, ctx), NOTHING_HEARD, ctx)

    assert (report.mix.passed, report.mix.target_lufs) == (True, None)
    assert report.mix.integrated_lufs == pytest.approx(-40.0, abs=10.0)
    assert not [note for note in report.notes if "target" in note]


def test_what_joins_room_tone_is_mastered_and_what_is_left_of_a_mix_keeps_its_gain(
    tmp_path: Path, ctx: Context
) -> None:
    tone, whole = tone_of(tmp_path), scene(tmp_path, duration_s=4.0)
    joined = replace(tone, placements=(*tone.placements, *whole.placements), tone_alone=False)

    first = mastered(tone, ctx)
    second = mastered(joined, ctx, previous=PreviousMaster(first.master))
    third = mastered(tone, ctx, previous=PreviousMaster(second.master))

    assert ffmpeg_figures(second.mix.path)[0] == pytest.approx(-23.0, abs=TARGET_LU)
    assert third.master.gain_db == second.master.gain_db != 0.0
    assert not third.notes


def test_a_mix_too_short_for_a_loudness_is_set_by_its_peak(tmp_path: Path, ctx: Context) -> None:
    take = saved(hit_sound(np.random.default_rng(1), length_s=0.3), tmp_path / "short.wav")
    mixdown = mastered(arranged(hits(take, [0.02]), RATE_HZ * 3 // 10), ctx)
    assert to_db(float(np.abs(samples(mixdown.mix)).max())) == pytest.approx(-9.0, abs=1.0)
    assert "too short" in mixdown.notes[0]


def test_the_size_of_blocks_does_not_matter(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    arrangement = scene(tmp_path, duration_s=4.0)
    whole = mastered(arrangement, Cache(tmp_path / "one").context(), loudness="web")
    monkeypatch.setattr(summing, "BLOCK_SAMPLES", 4800)
    monkeypatch.setattr(summing.spans, "__defaults__", (4800,))
    pieces = mastered(arrangement, Cache(tmp_path / "two").context(), loudness="web")
    assert np.abs(samples(whole.mix) - samples(pieces.mix)).max() <= 8 * 2.0**-23  # the search for the gain rounds


def test_an_edit_of_one_bus_leaves_the_other_stems_byte_for_byte(tmp_path: Path) -> None:
    before = scene(tmp_path, gain=0.5, ring_s=0.02)
    first = mastered(before, Cache(tmp_path / "first").context(), loudness="web")
    edited = arranged(
        [replace(item, gain_left=0.9, gain_right=0.9) if item.bus == "effects" else item for item in before.placements],
        before.length,
    )
    previous = PreviousMaster(first.master)
    second = mastered(edited, Cache(tmp_path / "second").context(), loudness="web", previous=previous)
    for bus in ("foley", "backgrounds"):
        assert first.stems[bus].path.read_bytes() == second.stems[bus].path.read_bytes()
    assert first.stems["effects"].path.read_bytes() != second.stems["effects"].path.read_bytes()
    assert second.master.gain_db == first.master.gain_db
    assert ffmpeg_figures(second.mix.path)[1] <= -1.0
    assert stem_difference_lsb(second) == 0.0


def test_stems_that_an_edit_leaves_alone_are_not_written_again(tmp_path: Path, ctx: Context) -> None:
    before = scene(tmp_path, duration_s=3.0)
    first = mastered(before, ctx)
    louder = [
        replace(item, gain_left=item.gain_left * 1.1) if item.bus == "foley" else item for item in before.placements
    ]
    second = mastered(arranged(louder, before.length), ctx, previous=PreviousMaster(first.master))
    assert second.stems["effects"] == first.stems["effects"]
    assert second.stems["foley"] != first.stems["foley"]


def test_an_edit_that_is_taken_back_gives_the_first_stems_again(tmp_path: Path, ctx: Context) -> None:
    before = scene(tmp_path, duration_s=3.0, ring_s=0.02)
    first = mastered(before, ctx, loudness="web")
    louder = [
        replace(item, gain_left=3.0, gain_right=3.0) if item.bus == "effects" else item for item in before.placements
    ]
    second = mastered(arranged(louder, before.length), ctx, loudness="web", previous=PreviousMaster(first.master))
    third = mastered(before, ctx, loudness="web", previous=PreviousMaster(second.master))
    assert second.master.limiter["effects"].min() < first.master.limiter["effects"].min()
    assert third.stems == first.stems


def test_a_master_for_another_chain_is_not_used(tmp_path: Path, ctx: Context) -> None:
    arrangement = scene(tmp_path, duration_s=3.0)
    first = mastered(arrangement, ctx, chain="off")
    assert first.master.chain == "off"
    assert mastered(arrangement, ctx, previous=PreviousMaster(first.master)).master.chain == "designed"


def test_a_master_of_a_release_without_chains_is_kept_where_none_is_asked_for(tmp_path: Path, ctx: Context) -> None:
    arrangement = scene(tmp_path, duration_s=3.0)
    first = mastered(arrangement, ctx, chain="off").master
    old = Master(first.gain_db + 1.0, first.target_lufs, first.limiter, dict.fromkeys(BUSES, "as it was"))
    second = mastered(arrangement, ctx, previous=PreviousMaster(old), chain="off")
    assert second.master.gain_db == first.gain_db + 1.0


def test_music_is_a_stem_where_a_plan_has_it_and_leaves_the_others_alone(tmp_path: Path, ctx: Context) -> None:
    before = scene(tmp_path, duration_s=3.0)
    song = saved(0.05 * np.random.default_rng(8).standard_normal((2, 3 * RATE_HZ)), tmp_path / "song.wav")
    with_music = arranged([*before.placements, Placement("song", "music", song, 0, 1.0, 1.0)], before.length)
    first = mastered(before, ctx)
    second = mastered(with_music, ctx, previous=PreviousMaster(first.master))
    third = mastered(before, ctx, previous=PreviousMaster(second.master))
    assert set(first.stems) == set(BUSES)
    assert set(second.stems) == {*BUSES, "music"}
    assert {bus: second.stems[bus] for bus in BUSES} == first.stems == third.stems
    assert stem_difference_lsb(second) == 0.0
    assert samples(second.stems["music"]).any()


def test_the_compressor_of_a_bus_that_was_not_edited_is_kept(tmp_path: Path, ctx: Context) -> None:
    before = scene(tmp_path, duration_s=3.0, gain=1.4)
    first = mastered(before, ctx)
    louder = [
        replace(item, gain_left=2.0, gain_right=2.0) if item.bus == "effects" else item for item in before.placements
    ]
    second = mastered(arranged(louder, before.length), ctx, previous=PreviousMaster(first.master))
    assert first.master.compressor["foley"].min() < 0.95
    assert second.master.compressor["foley"] is first.master.compressor["foley"]
    assert second.master.compressor["effects"].min() < first.master.compressor["effects"].min()


def test_what_is_kept_in_memory_changes_no_bit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    arrangement = scene(tmp_path, duration_s=5.0)
    kept = mastered(arrangement, Cache(tmp_path / "one").context())
    monkeypatch.setattr(Memo, "takes", lambda memo, block: False)
    read = mastered(arrangement, Cache(tmp_path / "two").context())
    assert kept.mix.path.read_bytes() == read.mix.path.read_bytes()


def test_names_of_events_do_not_sound(tmp_path: Path, ctx: Context) -> None:
    before = scene(tmp_path, duration_s=3.0)
    renamed = replace(
        before, placements=tuple(replace(item, event_id=f"x-{item.event_id}") for item in before.placements)
    )
    first, second = mastered(before, ctx), mastered(renamed, ctx)
    assert first.stems == second.stems


def test_loudness_that_an_edit_changed_is_said_not_mended(tmp_path: Path, ctx: Context) -> None:
    before = scene(tmp_path, duration_s=4.0)
    first = mastered(before, ctx)
    half = [
        replace(item, gain_left=0.05, gain_right=0.05) if item.bus != "backgrounds" else item
        for item in before.placements
    ]
    edited = arranged(half, before.length)
    second = mastered(edited, ctx, previous=PreviousMaster(first.master))
    assert second.master.gain_db == first.master.gain_db
    assert any("--remaster" in note and "LUFS" in note for note in second.notes)
    anew = mastered(edited, ctx, previous=PreviousMaster(first.master), remaster=True)
    assert ffmpeg_figures(anew.mix.path)[0] == pytest.approx(-23.0, abs=TARGET_LU)


def test_a_master_for_another_length_is_not_used(tmp_path: Path, ctx: Context) -> None:
    first = mastered(scene(tmp_path, duration_s=3.0), ctx)
    longer = scene(tmp_path, duration_s=4.0, gain=0.1)
    assert mastered(longer, ctx, previous=PreviousMaster(first.master)).master.gain_db != first.master.gain_db


@pytest.fixture
def spoken_clip(tmp_path: Path) -> Clip:
    """Four seconds with a tone for a voice from 1 s to 3 s, at -26 dBFS."""
    voice = "aevalsrc='0.07*sin(2*PI*300*t)*between(t,1,3)':s=48000:d=4"
    to = tmp_path / "spoken.mkv"
    ffmpeg("-f", "lavfi", "-i", "color=black:s=160x90:r=25:d=4", "-f", "lavfi", "-i", voice, "-c:a", "pcm_s24le", to)
    track = SoundTrack(1, "pcm_s24le", RATE_HZ, 1, "und", "", Fraction(0), 4.0)
    return clip_of(to, duration_s=Fraction(4), sound_tracks=(track,))


def level_at(file: AudioFile, first_s: float, last_s: float, *, above_hz: float) -> float:
    """RMS in dB of what lies above a frequency: the bed of noise without the voice."""
    block = sound.read(file, round(first_s * RATE_HZ), round(last_s * RATE_HZ))[0]
    spectrum = np.fft.rfft(block * np.hanning(block.size))
    spectrum[: int(above_hz * block.size / RATE_HZ)] = 0
    return to_db(float(np.sqrt(np.mean(np.fft.irfft(spectrum) ** 2))))


def test_where_somebody_speaks_the_track_carries_the_voice_and_ducks_the_effects(
    tmp_path: Path, ctx: Context, spoken_clip: Clip
) -> None:
    bed = saved(0.1 * np.random.default_rng(0).standard_normal((2, 4 * RATE_HZ)), tmp_path / "noise.wav")
    arrangement = arranged([Placement("bed", "backgrounds", bed, 0, 0.5, 0.5)], 4 * RATE_HZ)
    mixdown = mastered(arrangement, ctx, clip=spoken_clip, listening=speaking((1.0, 3.0)), duck_db=9.0)
    under = level_at(mixdown.track, 1.2, 2.8, above_hz=2000) - level_at(mixdown.track, 0.1, 0.8, above_hz=2000)
    assert mixdown.has_original
    assert not mixdown.replaces_original
    assert under == pytest.approx(-9.0, abs=0.5)
    in_the_mix = level_at(mixdown.mix, 1.2, 2.8, above_hz=2000) - level_at(mixdown.mix, 0.1, 0.8, above_hz=2000)
    assert in_the_mix == pytest.approx(0.0, abs=0.5)  # stems and mix never duck
    assert level_at(mixdown.track, 1.2, 2.8, above_hz=100) > level_at(mixdown.track, 1.2, 2.8, above_hz=2000) + 3
    lufs, peak_dbtp = ffmpeg_figures(mixdown.track.path)
    assert lufs == pytest.approx(-23.0, abs=TARGET_LU)
    assert peak_dbtp <= -1.0
    assert mixdown.track.length == mixdown.mix.length


def test_without_speech_or_when_replaced_the_track_is_the_mix(tmp_path: Path, ctx: Context, spoken_clip: Clip) -> None:
    arrangement = scene(tmp_path, duration_s=4.0)
    unspoken = mastered(arrangement, ctx, clip=spoken_clip, listening=speaking())
    assert unspoken.track == unspoken.mix
    assert (unspoken.has_original, unspoken.replaces_original) == (False, False)
    replaced = mastered(arrangement, ctx, clip=spoken_clip, listening=speaking((1.0, 3.0)), original="replace")
    assert replaced.track == replaced.mix
    assert (replaced.has_original, replaced.replaces_original) == (False, True)


def test_memory_does_not_grow_with_the_film(tmp_path: Path) -> None:
    take = saved(hit_sound(np.random.default_rng(1)), tmp_path / "take.wav")

    def peak_mb(minutes: int) -> float:
        arrangement = arranged(hits(take, np.arange(1, minutes * 60, 60.0).tolist()), minutes * 60 * RATE_HZ)
        memo = Memo(10 << 20)
        strips = [Strip(arrangement, bus, "designed", memo) for bus in BUSES]
        tracemalloc.start()
        buses = [Compressing(strip) for strip in strips]
        found = survey([bus.block(*span) for bus in buses] for span in spans(arrangement.length))
        level(found, PROFILES["web"], offset_lu=0.0, margin_db=0.1)
        peak = tracemalloc.get_traced_memory()[1] / 1e6
        tracemalloc.stop()
        return peak

    peak_mb(1)  # what is imported and cached on the way counts once
    # a half-hour has 1.8 million milliseconds, of which some ten arrays of four bytes are held; its sound is 690 MB
    assert peak_mb(30) < peak_mb(1) + 100


@pytest.mark.parametrize(
    "wrong",
    [{"loudness": "loud"}, {"original": "drop"}, {"duck_db": -1.0}, {"chain": "loud"}],
    ids=lambda wrong: next(iter(wrong)),
)
def test_options_that_make_no_sense_are_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=next(iter(wrong))):
        MasterOptions(**wrong)
