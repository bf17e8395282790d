"""A small index of recordings that were made here, so that what is in them is known."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import soundfile

from foley.library import indexing
from foley.library.store import Store

RATE_HZ = 48_000


def blow(rng: np.random.Generator, *, pitch_hz: float = 900.0, decay_s: float = 0.05) -> np.ndarray:
    """Return one knock that begins with its first sample, and rings for ten times its decay."""
    time_s = np.arange(int(10 * decay_s * RATE_HZ)) / RATE_HZ
    wave = np.sin(2 * np.pi * pitch_hz * time_s) + 0.5 * rng.standard_normal(time_s.size) * np.exp(-time_s / 0.004)
    return 0.5 * wave * np.exp(-time_s / decay_s)


def blows(times_s: tuple[float, ...], duration_s: float, *, seed: int = 0) -> np.ndarray:
    """Return knocks of different pitches at given times."""
    rng, total = np.random.default_rng(seed), np.zeros(int(duration_s * RATE_HZ))
    for number, time_s in enumerate(times_s):
        one = blow(rng, pitch_hz=500.0 + 90.0 * number)
        first = round(time_s * RATE_HZ)
        total[first : first + one.size] += one[: total.size - first]
    return total


def noise(duration_s: float, *, seed: int = 0, level: float = 0.1) -> np.ndarray:
    """Return what goes on evenly."""
    return level * np.random.default_rng(seed).standard_normal(int(duration_s * RATE_HZ))


def recordings(folder: Path) -> Path:
    """Write a few recordings, named as people name theirs."""
    (folder / "hits").mkdir(parents=True)
    (folder / "beds").mkdir()
    for number in range(3):
        soundfile.write(folder / "hits" / f"hammer_nail_0{number}.wav", blows((0.1, 0.9), 1.8, seed=number), RATE_HZ)
    soundfile.write(folder / "hits" / "keyboard typing.wav", blows((0.1,), 0.6, seed=9), RATE_HZ)
    soundfile.write(folder / "beds" / "clothes cloth rustle.flac", noise(4.0, seed=1), RATE_HZ)
    soundfile.write(
        folder / "beds" / "paper crumple.wav", np.stack([noise(3.0, seed=2), noise(3.0, seed=3)], 1), RATE_HZ
    )
    return folder


def make(folder: Path) -> Path:
    """Return the folder of an index of them."""
    with Store(folder / "index", create=True) as store:
        indexing.add(store, recordings(folder / "recordings"), licence="CC0-1.0")
    return folder / "index"
