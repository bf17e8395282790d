"""The track over speech, where a profile asks for the loudness of dialogue."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from foley.dsp.profiles import PROFILES
from foley.media import sound
from foley.mix.track import track_over_speech
from foley.model import Audio, AudioFile, Clip, Listening, SoundTrack
from foley.units import RATE_HZ
from tests.arrangement_maker import clip_of, ffmpeg_figures, saved, speaking
from tests.media_maker import ffmpeg

LANDED_LU = 0.3
"""0.2 LU that mastering allows itself, and ffmpeg's rounding to a tenth."""
LENGTH_S = 8


@pytest.fixture
def spoken_clip(tmp_path: Path) -> Clip:
    """Eight seconds with a tone for a voice from 2 s to 5 s."""
    voice = f"aevalsrc='0.07*sin(2*PI*300*t)*between(t,2,5)':s=48000:d={LENGTH_S}"
    to = tmp_path / "spoken.mkv"
    picture = f"color=black:s=160x90:r=25:d={LENGTH_S}"
    ffmpeg("-f", "lavfi", "-i", picture, "-f", "lavfi", "-i", voice, "-c:a", "pcm_s24le", to)
    track = SoundTrack(1, "pcm_s24le", RATE_HZ, 1, "und", "", Fraction(0), float(LENGTH_S))
    return clip_of(to, duration_s=Fraction(LENGTH_S), sound_tracks=(track,))


@pytest.fixture
def effects(tmp_path: Path) -> AudioFile:
    noise = np.random.default_rng(0).standard_normal((2, LENGTH_S * RATE_HZ))
    return saved(0.05 * noise * np.linspace(0.2, 1.0, LENGTH_S * RATE_HZ), tmp_path / "effects.wav")


def tracked(effects: AudioFile, clip: Clip, listening: Listening, to: Path) -> AudioFile:
    return track_over_speech(effects, clip, listening, profile=PROFILES["netflix"], duck_db=9.0, to=to)[0]


def stretch(file: AudioFile, first_s: float, last_s: float, to: Path) -> tuple[float, float]:
    """Loudness and true peak of a part of a file, by ffmpeg."""
    samples = sound.read(file, round(first_s * RATE_HZ), round(last_s * RATE_HZ))
    return ffmpeg_figures(sound.save(Audio(samples, RATE_HZ), to).path)


def test_the_dialogue_is_brought_to_its_target_by_ffmpegs_meter(
    effects: AudioFile, spoken_clip: Clip, tmp_path: Path
) -> None:
    heard = replace(speaking((2.0, 5.0)), speech_by="somebody")
    track = tracked(effects, spoken_clip, heard, tmp_path / "track.wav")
    assert stretch(track, 2.0, 5.0, tmp_path / "part.wav")[0] == pytest.approx(-27.0, abs=LANDED_LU)
    assert ffmpeg_figures(track.path)[1] <= -2.0


@pytest.mark.parametrize(
    "listening",
    [speaking((2.0, 5.0)), replace(speaking((2.0, 3.0)), speech_by="somebody")],
    ids=["nobody looked", "an eighth is speech"],
)
def test_else_the_programme_is(listening: Listening, effects: AudioFile, spoken_clip: Clip, tmp_path: Path) -> None:
    track = tracked(effects, spoken_clip, listening, tmp_path / "track.wav")
    assert ffmpeg_figures(track.path)[0] == pytest.approx(-24.0, abs=LANDED_LU)
