"""Takes, arrangements and clips of known truth, and ffmpeg's meter as a second opinion."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

import numpy as np

from foley.media import sound
from foley.model import (
    Arrangement,
    Audio,
    AudioFile,
    Bus,
    Clip,
    Listening,
    Placement,
    SoundTrack,
    Span,
    VideoStream,
)
from foley.units import RATE_HZ

NOTHING_HEARD = Listening(False, None, (), np.zeros(0, np.float32))


def saved(samples: np.ndarray, to: Path) -> AudioFile:
    return sound.save(Audio(np.atleast_2d(samples).astype(np.float32), RATE_HZ), to)


def hit_sound(
    rng: np.random.Generator, *, peak: float = 0.7, ring_s: float = 0.08, length_s: float = 0.6
) -> np.ndarray:
    """A blow: noise that starts at once and dies away."""
    t = np.arange(int(length_s * RATE_HZ)) / RATE_HZ
    samples = rng.standard_normal(t.size) * np.exp(-t / ring_s) * np.minimum(1.0, (length_s - t) / 0.01)
    return samples / np.abs(samples).max() * peak


def hits(take: AudioFile, at_s: Sequence[float], *, bus: Bus = "foley", gain: float = 0.5, name: str = "hit"):
    return [Placement(f"{name}{i}", bus, take, round(t * RATE_HZ), gain, gain) for i, t in enumerate(at_s)]


def arranged(placements: Sequence[Placement], length: int) -> Arrangement:
    return Arrangement(tuple(sorted(placements, key=lambda item: (item.first_sample, item.event_id))), length)


def scene(folder: Path, *, duration_s: float = 6.0, gain: float = 0.5, ring_s: float = 0.08) -> Arrangement:
    """Steps and blows over a quiet bed: all three buses sound."""
    rng = np.random.default_rng(5)
    length = round(duration_s * RATE_HZ)
    step = saved(hit_sound(rng, ring_s=ring_s), folder / "step.wav")
    blow = saved(hit_sound(rng, ring_s=ring_s), folder / "blow.wav")
    bed = saved(0.1 * rng.standard_normal((2, length + 5000)), folder / "bed.wav")
    steps = hits(step, np.arange(0.1, duration_s, 0.55).tolist(), gain=gain, name="step")
    blows = hits(blow, np.arange(0.4, duration_s, 1.3).tolist(), bus="effects", gain=gain, name="blow")
    return arranged([*steps, *blows, Placement("bed", "backgrounds", bed, -2000, 0.1, 0.1)], length)


def clip_of(path: Path, *, duration_s: Fraction, sound_tracks: tuple[SoundTrack, ...] = ()) -> Clip:
    video = VideoStream(0, "h264", 160, 90, 0, Fraction(25), Fraction(1, 12800), False, "yuv420p")
    return Clip(path, "key", "mp4", Fraction(0), duration_s, video, sound_tracks, (), 0, None)


def silent_clip(arrangement: Arrangement) -> Clip:
    return clip_of(Path("silent.mp4"), duration_s=Fraction(arrangement.length, RATE_HZ))


def speaking(*spans: tuple[float, float], loudness_lufs: float | None = -23.0) -> Listening:
    return Listening(True, loudness_lufs, tuple(Span(*span) for span in spans), np.zeros(0, np.float32))


def ffmpeg_figures(path: Path) -> tuple[float, float]:
    """Integrated loudness and true peak by ffmpeg's ebur128, to a tenth."""
    command = ["ffmpeg", "-hide_banner", "-nostats", "-nostdin", "-i", str(path)]
    command += ["-af", "ebur128=peak=true:framelog=verbose", "-f", "null", "-"]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    summary = done.stderr[done.stderr.rfind("Summary") :]
    loudness, peak = (re.search(rf"{name}:\s+(-?[\d.]+|-inf)", summary) for name in ("I", "Peak"))
    assert loudness is not None
    assert peak is not None
    return float(loudness[1]), float(peak[1])
