"""A film to dub whose every part is known: ambience, blows, speech by espeak-ng, backgrounds that lost some of it."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import pytest
import soundfile

from tests.media_maker import ffmpeg

RATE_HZ = 48_000
SAMPLES = Path(__file__).parents[1] / "samples"
WORKSHOP = SAMPLES / "workshop.mp4"
BLOWS_S = tuple(onset["t"] for onset in json.loads((SAMPLES / "truth.json").read_text())["workshop.mp4"]["onsets"])
PROMPT = "a blacksmith hammers a glowing iron on an anvil"

SENTENCES = {
    "en-us": "Strike while the iron is hot.",
    "de": "Man muss das Eisen schmieden, solange es heiss ist.",
    "es": "Hay que golpear el hierro mientras esta caliente.",
}
SPOKEN_S = ((2.4, 4.4), (5.9, 7.5))
"""Where dialogue may sound: under it lie the blows at 2.717, 3.629, 6.118 and 7.042."""
UNDER_SPEECH_S = tuple(t for t in BLOWS_S if any(a <= t < b for a, b in SPOKEN_S))

needs_speech = pytest.mark.skipif(shutil.which("espeak-ng") is None, reason="espeak-ng is not installed")


def saved(samples: np.ndarray, to: Path, *, rate_hz: int = RATE_HZ, subtype: str = "PCM_24") -> Path:
    soundfile.write(to, np.atleast_2d(samples).T, rate_hz, subtype=subtype)
    return to


def samples_of(path: Path) -> np.ndarray:
    """All samples as 24-bit numbers, shape (channels, samples)."""
    samples, rate_hz = soundfile.read(path, dtype="int32", always_2d=True)
    assert rate_hz == RATE_HZ
    return samples.T >> 8


def said(voice: str, to: Path) -> np.ndarray:
    """One sentence at 48 kHz, shape (samples,), with its peak at 0.5."""
    raw = to.with_suffix(".raw.wav")
    subprocess.run(["espeak-ng", "-v", voice, "-s", "170", "-w", raw, SENTENCES[voice]], check=True)
    ffmpeg("-i", raw, "-ar", str(RATE_HZ), "-ac", "1", to)
    samples = soundfile.read(to, dtype="float32")[0]
    audible = np.flatnonzero(np.abs(samples) > 0.01 * np.abs(samples).max())
    samples = samples[audible[0] : audible[-1]]
    return 0.5 * samples / np.abs(samples).max()


@dataclass(frozen=True)
class Film:
    """What a film's sound is made of; all of shape (2, samples)."""

    folder: Path
    ambience: np.ndarray
    blows: np.ndarray
    speech: np.ndarray

    @cached_property
    def background(self) -> np.ndarray:
        """All but the speech, whole."""
        return self.ambience + self.blows

    @cached_property
    def muted(self) -> np.ndarray:
        """The background with nothing left of it under speech."""
        gain = np.ones(self.ambience.shape[1])
        for first_s, last_s in SPOKEN_S:
            gain[int(first_s * RATE_HZ) : int(last_s * RATE_HZ)] = 0.0
        return self.background * np.convolve(gain, np.full(480, 1 / 480), "same")

    @cached_property
    def without_blows(self) -> np.ndarray:
        """The background whose blows under speech went with the speech; its ambience is whole."""
        return self.ambience + self.muted_blows

    @property
    def muted_blows(self) -> np.ndarray:
        return blows_at([t for t in BLOWS_S if t not in UNDER_SPEECH_S], self.blows.shape[1])

    def save(self, name: str, samples: np.ndarray) -> Path:
        return saved(samples, self.folder / name)

    def video(self, name: str = "film.mp4", *, picture: Path = WORKSHOP, codec: Sequence[str] = ()) -> Path:
        """The picture with all of the sound as its own track."""
        whole = self.save(f"{name}.wav", self.background + self.speech)
        coded = codec or ("-c:a", "aac", "-b:a", "256k")
        ffmpeg(
            *("-i", picture, "-i", whole, "-map", "0:v", "-map", "1:a", "-c:v", "copy", *coded),
            *("-metadata:s:a:0", "language=eng", self.folder / name),
        )
        return self.folder / name


def blows_at(at_s: Sequence[float], length: int) -> np.ndarray:
    """Metal struck at these times: two partials and noise that die away, on both sides."""
    total = np.zeros(length + RATE_HZ)
    t = np.arange(RATE_HZ // 2) / RATE_HZ
    noise = np.random.default_rng(3).standard_normal(t.size) * np.exp(-t / 0.01)
    blow = 0.12 * np.exp(-t / 0.09) * (np.sin(2 * np.pi * 1870 * t) + np.sin(2 * np.pi * 3410 * t)) + 0.1 * noise
    for at in at_s:
        first = round(at * RATE_HZ)
        total[first : first + blow.size] += blow
    return np.stack([total[:length]] * 2)


def film(folder: Path, *, duration_s: float = 10.0) -> Film:
    """Make a film's sound: quiet ambience at -50 dBFS, blows as seen in the workshop, an English sentence twice."""
    length = round(duration_s * RATE_HZ)
    ambience = 10 ** (-50 / 20) * np.random.default_rng(1).standard_normal((2, length))
    sentence = said("en-us", folder / "en.wav")
    speech = np.zeros(length)
    for first_s, last_s in SPOKEN_S:
        first = round((first_s + 0.1) * RATE_HZ)
        part = sentence[: round((last_s - first_s - 0.2) * RATE_HZ)]
        speech[first : first + part.size] += part
    return Film(folder, ambience, blows_at(BLOWS_S, length), np.stack([speech, speech]))


def dubbed(film: Film, voice: str, *, lasts_s: float | None = None) -> Path:
    """A mono dub with a sentence at each place; its level is not the original's, as dubs' are not."""
    sentence = 0.25 * said(voice, film.folder / f"{voice}.wav")
    length = round(lasts_s * RATE_HZ) if lasts_s else film.speech.shape[1]
    samples = np.zeros(length)
    for first_s, _ in SPOKEN_S:
        first = round(first_s * RATE_HZ)
        part = sentence[: max(0, length - first)]
        samples[first : first + part.size] += part
    # each length is a file of its own: others read the whole one
    return saved(samples, film.folder / f"dub-{voice}{'' if lasts_s is None else f'-{lasts_s:g}s'}.wav")
