from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from foley.contracts import Context
from foley.mix.dub import USUAL_RATIO_LU, DubOptions, dub
from foley.model import AudioFile, Source, Span
from foley.model.dub import Conformed, DubFile, DubJob, LanguageMixes, MusicAndEffects, Separation
from tests.arrangement_maker import ffmpeg_figures, saved
from tests.dub_maker import samples_of

RATE_HZ = 48_000
LENGTH = 8 * RATE_HZ
SPEECH = (Span(2.0, 4.0),)
SAME_LU = 0.7
"""Blocks at both ends of so short a sentence are half empty, and count."""


def noise(level_db: float, *, seed: int, spans: tuple[Span, ...] = (Span(0.0, 8.0),)) -> np.ndarray:
    samples = 10 ** (level_db / 20) * np.random.default_rng(seed).standard_normal((2, LENGTH))
    inside = np.zeros(LENGTH)
    for span in spans:
        inside[round(span.start_s * RATE_HZ) : round(span.end_s * RATE_HZ)] = 1.0
    return samples * inside


def mixed(
    folder: Path,
    ctx: Context,
    *,
    dub_db: float = -40.0,
    dialogue: np.ndarray | None = None,
    options: DubOptions | None = None,
    background: np.ndarray | None = None,
) -> LanguageMixes:
    under = saved(noise(-35.0, seed=1) if background is None else background, folder / "background.wav")
    voice = saved(noise(dub_db, seed=2, spans=SPEECH), folder / "de.wav")
    spoken: AudioFile | None = None if dialogue is None else saved(dialogue, folder / "dialogue.wav")
    job = DubJob(dubs=(DubFile("deu", "German", "de", Source(folder / "de.wav")),))
    given = Conformed(None, None, {"de": voice}, {"de": SPEECH}, ())
    separation = Separation(under, spoken, "given", SPEECH, np.zeros(0, np.float32))
    return dub(job, given, separation, MusicAndEffects(under, under, (), {}), options or DubOptions(), ctx)


@pytest.mark.parametrize("dub_db", [-48.0, -25.0])
def test_a_dub_stands_over_the_effects_as_the_original_did_however_it_was_recorded(
    dub_db: float, tmp_path: Path, ctx: Context
) -> None:
    done = mixed(tmp_path, ctx, dub_db=dub_db, dialogue=noise(-20.0, seed=3, spans=(Span(5.0, 7.0),)))
    assert done.measured
    assert done.ratio_lu == pytest.approx(15.0, abs=SAME_LU)
    (mix,) = done.items
    assert mix.dub_lufs is not None
    assert mix.dub_lufs + mix.dub_gain_db == pytest.approx(done.speech_lufs, abs=1e-6)


def test_where_the_original_cannot_tell_the_balance_is_a_usual_one_and_said(tmp_path: Path, ctx: Context) -> None:
    done = mixed(tmp_path, ctx)
    assert (done.measured, done.ratio_lu) == (False, USUAL_RATIO_LU)
    (mix,) = done.items
    assert mix.dub_lufs is not None
    assert mix.dub_lufs + mix.dub_gain_db == pytest.approx((done.background_lufs or 0) + USUAL_RATIO_LU, abs=0.01)
    assert "10 LU over the M&E" in mix.notes[0]


@pytest.mark.parametrize(("profile", "target"), [("ebu-r128", -23.0), ("web", -14.0)])
def test_each_mix_meets_its_profile_by_another_meter(profile: str, target: float, tmp_path: Path, ctx: Context) -> None:
    dialogue = noise(-20.0, seed=3, spans=SPEECH)
    done = mixed(tmp_path, ctx, dialogue=dialogue, options=DubOptions(loudness=profile))  # type: ignore[arg-type]
    lufs, peak_dbtp = ffmpeg_figures(done.items[0].audio.path)
    assert lufs == pytest.approx(target, abs=0.5)
    assert peak_dbtp <= -1.0


@pytest.mark.parametrize("duck_db", [0.0, 6.0])
def test_the_effects_give_way_by_what_is_asked_under_the_dub(duck_db: float, tmp_path: Path, ctx: Context) -> None:
    options = DubOptions(loudness="off", duck_db=duck_db)
    done = mixed(tmp_path, ctx, dub_db=-35.0, dialogue=noise(-35.0, seed=3, spans=SPEECH), options=options)
    mix, under = samples_of(done.items[0].audio.path), samples_of(tmp_path / "background.wav")
    voice = samples_of(tmp_path / "de.wav") * 10 ** (done.items[0].dub_gain_db / 20)
    inside = slice(round(2.2 * RATE_HZ), round(3.8 * RATE_HZ))
    ratio = np.linalg.norm((mix - voice)[:, inside]) / np.linalg.norm(under[:, inside])
    assert 20 * np.log10(ratio) == pytest.approx(-duck_db, abs=0.05)
    outside = slice(5 * RATE_HZ, 8 * RATE_HZ)
    assert np.abs(mix[:, outside] - under[:, outside]).max() <= 1


def test_a_silent_dub_and_silent_effects_are_told_and_mixed_as_they_are(tmp_path: Path, ctx: Context) -> None:
    silent = mixed(tmp_path, ctx, dub_db=-300.0)
    assert "silent" in silent.items[0].notes[0]
    bare = mixed(tmp_path, ctx, background=np.zeros((2, LENGTH)))
    assert bare.items[0].dub_gain_db == 0.0


@pytest.mark.parametrize("wrong", [{"duck_db": -1.0}, {"loudness": "loud"}])
def test_options_that_cannot_be_are_refused(wrong: dict) -> None:
    with pytest.raises(ValueError, match="must"):
        DubOptions(**wrong)
