"""Speech and music in a take are heard where they do not belong, and what an event is itself is none of them."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
import soundfile

from foley.dsp.music import Musicality, musicality
from foley.model import Audio, SoundEvent
from foley.neural import speech_model
from foley.render import leaks as gate
from foley.render.itself import is_musical, is_vocal
from foley.render.leaks import deaf_to, leaks, speech_s
from foley.render.prompting import negative_prompt_of
from tests import media_maker as make

RATE_HZ = 48_000

RAIN = SoundEvent("e1", "rain on leaves", "bed", "backgrounds", 0.0, 8.0, "it rains", ucs="RAINVege")

Mono = npt.NDArray[np.float64]

needs_network = pytest.mark.skipif(bool(deaf_to()), reason="; ".join(deaf_to()))
needs_voice = pytest.mark.skipif(not make.can_speak(), reason="this ffmpeg has no speech synthesiser")

MAJOR, MINOR = (0, 2, 4, 5, 7, 9, 11), (0, 2, 3, 5, 7, 8, 10)

FALSE_ALARMS = 0.01
"""Of real effects at most so many may be taken for music: each costs one more take."""


def note(hz: float, seconds: float, *, soft: bool) -> Mono:
    """Return a note of eight harmonics: struck and dying away, or swelling and held."""
    time_s = np.arange(int(seconds * RATE_HZ)) / RATE_HZ
    wave = sum(np.sin(2 * np.pi * hz * number * time_s + number) / number**1.3 for number in range(1, 9))
    envelope = np.minimum(1.0, time_s / (0.15 if soft else 0.003)) * np.minimum(1.0, (seconds - time_s) / 0.05)
    return np.asarray(wave * envelope * (1.0 if soft else np.exp(-2.0 * time_s)))


def drums(length: int, beat_s: float, rng: np.random.Generator) -> Mono:
    """Return a kick and a snare in turn, with a hi-hat on every quaver."""
    samples = np.zeros(length)
    for number, at_s in enumerate(np.arange(0, length / RATE_HZ - 0.3, beat_s / 2)):
        time_s = np.arange(int(0.25 * RATE_HZ)) / RATE_HZ
        hit = 0.15 * rng.standard_normal(len(time_s)) * np.exp(-60 * time_s)
        if number % 4 == 0:
            hit += 1.2 * np.sin(2 * np.pi * (50 * time_s - np.exp(-30 * time_s))) * np.exp(-14 * time_s)
        if number % 4 == 2:
            hit += 0.5 * rng.standard_normal(len(time_s)) * np.exp(-20 * time_s)
        first = int(at_s * RATE_HZ)
        samples[first : first + len(time_s)] += hit
    return samples


def song(seed: int, style: str, seconds: float = 8.0) -> Mono:
    """Return made music in any key and tuning, at 70 to 160 a minute."""
    rng = np.random.default_rng(seed)
    samples = np.zeros(int(seconds * RATE_HZ))
    root_hz, scale = 110 * 2 ** rng.uniform(0, 1), (MAJOR, MINOR)[rng.integers(2)]
    beat_s = 60 / rng.uniform(70, 160)

    def play(at_s: float, degree: int, length_s: float, gain: float, *, soft: bool = False, octave: int = 1) -> None:
        hz = root_hz * 2 ** (octave + scale[degree % 7] / 12 + degree // 7)
        first = int(at_s * RATE_HZ)
        one = gain * note(hz, min(length_s, seconds - at_s), soft=soft)
        samples[first : first + len(one)] += one[: len(samples) - first]

    bar_s = beat_s * (2 if style == "pad" else 4)
    if style == "melody":
        degree = 7
        for at_s in np.arange(0, seconds - 0.1, beat_s):
            degree = int(np.clip(degree + rng.integers(-2, 3), 0, 14))
            play(at_s, degree, 1.1 * beat_s, 0.3)
        return samples
    for number, at_s in enumerate(np.arange(0, seconds - 0.3, bar_s)):
        chord = (0, 3, 4, 5)[number % 4]
        for degree in (0, 2, 4):
            play(at_s, chord + degree, bar_s, 0.15, soft=style == "pad")
        for beat in range(4) if style == "band" else ():
            if at_s + beat * beat_s < seconds - 0.1:
                play(at_s + beat * beat_s, chord, 0.9 * beat_s, 0.3, octave=0)
    return samples + 0.4 * drums(len(samples), beat_s, rng) if style == "band" else samples


def as_audio(samples: Mono) -> Audio:
    return Audio((0.5 * samples / np.abs(samples).max())[None].astype(np.float32), RATE_HZ)


def rain(seed: int, seconds: float = 8.0) -> Mono:
    rng = np.random.default_rng(seed)
    drops = (rng.random(int(seconds * RATE_HZ)) < 0.002) * rng.standard_normal(int(seconds * RATE_HZ))
    return 0.05 * rng.standard_normal(int(seconds * RATE_HZ)) + drops


@pytest.mark.parametrize("style", ["band", "melody", "pad"])
def test_music_in_rain_is_heard(style: str) -> None:
    """Six pieces of each kind, alone and with rain as loud as they; at most one is missed."""
    found = 0
    for seed in range(100, 106):
        piece, noise = song(seed, style), rain(seed)
        noise *= np.sqrt(np.mean(piece**2) / np.mean(noise**2)) * (seed % 2)
        found += (leaks(RAIN, as_audio(piece + noise), speech_allowed=True) or "").startswith("holds music")
    assert found >= 5


NO_MUSIC = (
    "noise",
    "rain",
    "hum",
    "siren",
    "clock",
    "one bell again and again",
    "drums alone",
    "train horn",
    "gliding whine",
)


@pytest.mark.parametrize("kind", NO_MUSIC)
def test_what_has_only_a_part_of_music_is_none(kind: str) -> None:
    rng = np.random.default_rng(4)
    time_s = np.arange(8 * RATE_HZ) / RATE_HZ
    clock = (np.sin(2 * np.pi * 2 * time_s) > 0.999) * rng.standard_normal(len(time_s))
    bell = np.zeros(len(time_s))
    for at_s in np.arange(0.0, 7.5, 0.75):
        ring_s = time_s[: len(time_s) - int(at_s * RATE_HZ)]
        partials = [440 * ratio for ratio in (1.0, 2.0, 2.4, 3.0, 4.0, 5.33)]
        bell[int(at_s * RATE_HZ) :] += sum(np.sin(2 * np.pi * hz * ring_s) for hz in partials) * np.exp(-3 * ring_s)
    horn = sum(np.sin(2 * np.pi * hz * n * time_s) / n for hz in (311, 370, 415, 494, 622) for n in range(1, 6))
    made = {
        "noise": rng.standard_normal(len(time_s)),
        "rain": rain(1),
        "hum": sum(np.sin(2 * np.pi * 50 * n * time_s) / n for n in range(1, 12)),
        "siren": np.sin(2 * np.pi * 700 * time_s + 300 * np.sin(2 * np.pi * 0.5 * time_s)),
        "clock": clock,
        "one bell again and again": bell,
        "drums alone": drums(len(time_s), 0.5, rng),
        "train horn": horn * (time_s > 1.0) * (time_s < 6.0),
        "gliding whine": sum(np.sin(2 * np.pi * n * (200 * time_s + 20 * time_s**2)) / n for n in range(1, 8)),
    }
    found = musicality(as_audio(made[kind] + 1e-3 * rng.standard_normal(len(time_s))))
    assert found.score < 1.0, found


def test_short_and_silent_sounds_are_no_music() -> None:
    assert musicality(as_audio(song(100, "band", seconds=1.5))) == Musicality()
    assert musicality(Audio(np.zeros((1, 4 * RATE_HZ), np.float32), RATE_HZ)) == Musicality()
    assert leaks(RAIN, Audio(np.zeros((1, 0), np.float32), RATE_HZ)) is None


def test_music_is_music_at_any_level_and_rate_and_in_stereo() -> None:
    piece = as_audio(song(101, "band"))
    quiet = Audio(np.repeat(piece.samples * np.float32(0.01), 2, axis=0), RATE_HZ)
    slow = Audio(piece.samples[:, ::3].copy(), 16_000)
    for other in (piece, quiet, slow):
        assert musicality(other).score >= 1.0


def spoken(path: Path, words: str) -> Mono:
    voice = f"flite=voice=kal:text='{words}',aresample={RATE_HZ}"
    subprocess.run(["ffmpeg", "-v", "error", "-f", "lavfi", "-i", voice, "-y", path], check=True)
    samples, _ = soundfile.read(path)
    return np.asarray(samples)


@needs_network
@needs_voice
@pytest.mark.parametrize("over_noise_db", [20.0, 0.0])
def test_speech_in_rain_is_heard(tmp_path: Path, over_noise_db: float) -> None:
    voice = spoken(tmp_path / "voice.wav", "Nobody was there, but the window stood open.")
    noise = rain(3, seconds=len(voice) / RATE_HZ + 4.0)
    noise *= np.sqrt(np.mean(voice**2) / np.mean(noise**2)) * 10 ** (-over_noise_db / 20)
    noise[2 * RATE_HZ : 2 * RATE_HZ + len(voice)] += voice
    take = as_audio(noise)
    assert (leaks(RAIN, take) or "").startswith("holds speech")
    assert leaks(RAIN, take, speech_allowed=True) is None
    assert leaks(replace(RAIN, ucs="CRWDWalla"), take) is None
    assert leaks(RAIN, as_audio(rain(3))) is None


class Opinion:
    """Stands in for CLAP: hears the prompt so well, and the leak so well."""

    def __init__(self, prompt: float, leak: float) -> None:
        self.pair = (prompt, leak)

    def scores(self, texts: Sequence[str], audios: Sequence[Audio]) -> npt.NDArray[np.float32]:
        assert texts[0] == "rain on leaves"
        return np.array(self.pair, np.float32)[:, None]


def test_a_second_opinion_overrules_what_is_not_sure(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gate, "deaf_to", tuple)
    monkeypatch.setattr(gate, "speech_s", lambda _: 0.5)
    take = as_audio(rain(2))
    assert leaks(RAIN, take) == "holds speech (0.5 s)"
    assert leaks(RAIN, take, scorer=Opinion(0.5, 0.1)) is None
    assert leaks(RAIN, take, scorer=Opinion(0.3, 0.28)) is not None
    monkeypatch.setattr(gate, "speech_s", lambda _: 3.0)
    assert leaks(RAIN, take, scorer=Opinion(0.5, 0.1)) is not None, "so much speech is sure"


@pytest.mark.parametrize(
    ("event", "vocal", "musical"),
    [
        (replace(RAIN), False, False),
        (replace(RAIN, ucs="", label="a man walks on gravel"), False, False),
        (replace(RAIN, ucs="", label="", prompt="murmur of voices in a restaurant"), True, False),
        (replace(RAIN, ucs="", label="", prompt="rain, no voices and without music"), False, False),
        (replace(RAIN, ucs="CRWDCheer"), True, False),
        (replace(RAIN, ucs="BELLLrg"), False, True),
        (replace(RAIN, ucs="MUSCPerc", label="conga"), False, True),
        (replace(RAIN, ucs="COMCell", label="phone rings"), True, True),
        (replace(RAIN, ucs="COMType", label="typewriter"), False, False),
        (replace(RAIN, ucs="AMBAmus", label="fairground", avoid="music"), True, False),
        (replace(RAIN, ucs="FOLYProp", label="guitar is put down"), False, True),
        (replace(RAIN, ucs="BELLLrg", label="church bell", avoid="music, speech"), False, True),
    ],
)
def test_what_an_event_is_itself_is_no_leak(event: SoundEvent, vocal: bool, musical: bool) -> None:
    assert (is_vocal(event), is_musical(event)) == (vocal, musical)


@pytest.mark.parametrize(
    ("event", "told"),
    [
        (RAIN, "speech, music"),
        (replace(RAIN, avoid="music, speech"), "speech, music"),
        (replace(RAIN, ucs="CRWDWalla", avoid="music, intelligible words"), "music, intelligible words"),
        (replace(RAIN, ucs="BELLLrg"), "speech"),
        (replace(RAIN, ucs="COMRadio", avoid=""), ""),
        (replace(RAIN, ucs="AMBAmus", avoid="music"), "music"),
    ],
)
def test_a_model_is_told_to_leave_out_what_an_event_is_not_itself_once(event: SoundEvent, told: str) -> None:
    assert negative_prompt_of(event) == told


@pytest.mark.parametrize("kind", ["rain", "fire", "clock", "dog"])
def test_recorded_effects_hold_no_music(shared: Path, kind: str) -> None:
    paths = sorted((shared / "sounds" / "textures" / kind).glob("*.ogg"))[::3]
    taken = [path.name for path in paths if musicality(read(path)).score >= 1.0]
    assert len(paths) >= 10
    assert len(taken) <= FALSE_ALARMS * len(paths), taken


@needs_network
@pytest.mark.parametrize("kind", ["rain", "fire", "dog", "baby"])
def test_recorded_effects_hold_no_speech(shared: Path, kind: str) -> None:
    paths = sorted((shared / "sounds" / "textures" / kind).glob("*.ogg"))[::6]
    assert len(paths) >= 5
    assert [path.name for path in paths if speech_s(read(path)) >= 0.4] == []


@needs_network
def test_a_narrator_is_heard_in_a_real_film(shared: Path, tmp_path: Path) -> None:
    wav = tmp_path / "nasa.wav"
    subprocess.run(["ffmpeg", "-v", "error", "-i", shared / "clips" / "nasa.mp4", "-vn", "-y", wav], check=True)
    assert (leaks(replace(RAIN, label="machine hall", ucs="AMBInd"), read(wav)) or "").startswith("holds speech")


def read(path: Path) -> Audio:
    samples, rate_hz = soundfile.read(path, dtype="float32", always_2d=True)
    return Audio(np.ascontiguousarray(samples.T), rate_hz)


def test_without_the_network_it_is_said_that_speech_is_not_heard(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(speech_model, "missing", lambda: ("pip install it",))
    assert deaf_to() == ("pip install it",)
    assert leaks(RAIN, as_audio(rain(2))) is None
