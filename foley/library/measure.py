"""What a recording holds, measured block by block: hits, level, brightness, tail, and stretches that can be looped.

It is measured for choosing among recordings. Where a hit begins to the sample is measured again where it is cut.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import numpy.typing as npt

from foley.units import SILENCE_DB, to_db, to_gain

FEATURES = (
    "duration_s",
    "rate_hz",
    "channels",
    "peak_db",
    "loudness_db",
    "brightness_hz",
    "tail_s",
    "hits",
    "unrest_db",
    "loop_s",
    "floor_db",
    "has_meaning",
)
"""Columns of the features' array, in order; `has_meaning` says that an embedding follows."""

FRAME_S = 0.005
"""Step of the level that everything is read off: two periods of 400 Hz, and a fifth of what the ear calls apart."""

BLOCK_S = 4.0
"""Read at once: of eight channels at 192 kHz 25 MB."""

SPECTRUM = 2048
"""Samples of a spectrum: 23 Hz at 48 kHz."""

SILENT_DB = -80.0
"""A recording that never gets louder is silent: under the noise of any microphone."""

RISE = 2.5
"""A hit rises 8 dB out of what was before it: less is the unrest of noise."""

STRONG = 0.125
"""Hits are counted from 18 dB below the strongest on; what is fainter is handling."""

APART_S = 0.1
"""Rises nearer to one another are one hit: heel and ball of a foot."""

LOOK_BACK_S = 0.06
"""How long before a rise its ground is looked for."""

TAIL_DB = -40.0
"""Below its peak a tail has died away there."""

LEVEL_S = 0.25
"""Step in which it is judged whether a sound goes on evenly."""

LEVEL_STEPS = 4
"""Over so many of them: ticks of a clock and breaking waves go on evenly, though they come and go."""

EVEN_DB = 6.0
"""A stretch whose level stays within this of its middle can be looped: rain varies by 2 dB, a sea by 5."""

LEAST_LOOP_S = 2.0
"""Shorter loops are heard as loops, and two blows a second apart are not what goes on."""

MOST_CHANNELS = 64
MOST_ONSETS = 4096

REASONS = {
    "unreadable": "is no sound file that can be read",
    "empty": "is empty",
    "silent": "is silent",
    "numbers": "holds what is no number",
    "channels": f"has more than {MOST_CHANNELS} channels",
}


class UnusableError(Exception):
    """A recording that cannot be used; says why in a few words."""


@dataclass(frozen=True, slots=True, eq=False)
class Measured:
    """What a recording holds."""

    features: npt.NDArray[np.float32]
    """Shape (len(FEATURES),)."""
    onsets_s: npt.NDArray[np.float32]
    """About where its hits begin, shape (hits,)."""
    loops_s: npt.NDArray[np.float32]
    """Stretches that go on evenly, the longest first, shape (loops, 2)."""
    texts: Mapping[str, str] = field(default_factory=dict)
    """Its tags, as libsndfile reads them."""


@dataclass
class _Sums:
    """What is gathered while a recording goes by."""

    rate_hz: int
    powers: list[npt.NDArray[np.float32]] = field(default_factory=list)
    spectrum: npt.NDArray[np.float64] = field(default_factory=lambda: np.zeros(SPECTRUM // 2 + 1))
    peak: float = 0.0
    length: int = 0

    def add(self, block: npt.NDArray[np.float32]) -> None:
        """Take in a block, shape (samples, channels); all but the last are a whole number of frames."""
        if not np.isfinite(block).all():
            raise UnusableError(REASONS["numbers"])
        self.length += len(block)
        self.peak = max(self.peak, float(np.max(np.abs(block), initial=0.0)))
        power = np.mean(np.square(block), axis=1)
        frame = max(1, round(FRAME_S * self.rate_hz))
        padded = np.pad(power, (0, -len(power) % frame))
        self.powers.append(padded.reshape(-1, frame).mean(axis=1))
        mono = block.mean(axis=1)
        mono = np.pad(mono, (0, -len(mono) % SPECTRUM)).reshape(-1, SPECTRUM) * np.hanning(SPECTRUM)
        self.spectrum += np.square(np.abs(np.fft.rfft(mono))).sum(axis=0)


def measure(path: Path) -> Measured:
    """Return what a recording holds; of any length, in constant memory but for 200 numbers a second.

    Raises:
        UnusableError: where it cannot be read, or holds no sound.
    """
    import soundfile  # here: to search an index nothing is read

    try:
        with soundfile.SoundFile(path) as file:
            if file.channels > MOST_CHANNELS:
                raise UnusableError(REASONS["channels"])
            texts = {name: str(text) for name, text in file.copy_metadata().items()}
            sums, channels = _Sums(file.samplerate), file.channels
            for block in _blocks(file):
                sums.add(block)
    except (soundfile.SoundFileError, RuntimeError, OSError, ValueError, TypeError, MemoryError) as cause:
        raise UnusableError(REASONS["unreadable"]) from cause
    if not sums.length:
        raise UnusableError(REASONS["empty"])
    if to_db(sums.peak) < SILENT_DB:
        raise UnusableError(REASONS["silent"])
    return _measured(sums, channels, texts)


def _blocks(file: object) -> Iterator[npt.NDArray[np.float32]]:
    rate_hz: int = file.samplerate  # type: ignore[attr-defined]
    size = max(1, round(FRAME_S * rate_hz)) * round(BLOCK_S / FRAME_S)
    while len(block := file.read(size, dtype="float32", always_2d=True)):  # type: ignore[attr-defined]
        yield block


def _measured(sums: _Sums, channels: int, texts: Mapping[str, str]) -> Measured:
    levels = np.sqrt(np.concatenate(sums.powers).astype(np.float64))
    loud = levels[levels > to_gain(TAIL_DB) * float(np.percentile(levels, 95.0))]
    onsets_s, loops_s = _onsets_s(levels), _loops_s(levels, sums.length / sums.rate_hz)
    bins_hz = np.arange(sums.spectrum.size) * sums.rate_hz / SPECTRUM
    # by amplitude: by power a low rumble would decide alone
    weights = np.sqrt(sums.spectrum)
    loudness = float(np.sqrt(np.mean(np.square(loud)))) if loud.size else 0.0
    unrest_db = float(np.std(20.0 * np.log10(np.maximum(loud, to_gain(SILENCE_DB))))) if loud.size else 0.0
    features = {
        "duration_s": sums.length / sums.rate_hz,
        "rate_hz": sums.rate_hz,
        "channels": channels,
        "peak_db": to_db(sums.peak),
        "loudness_db": to_db(loudness),
        "brightness_hz": float(np.sum(bins_hz * weights) / max(float(np.sum(weights)), 1e-12)),
        "tail_s": _tail_s(levels),
        "hits": len(onsets_s),
        "unrest_db": unrest_db,
        "loop_s": float(np.diff(loops_s[0])[0]) if len(loops_s) else 0.0,
        "floor_db": to_db(float(np.percentile(levels, 5.0))),
        "has_meaning": 0.0,
    }
    row = np.array([features[name] for name in FEATURES], np.float32)
    return Measured(row, onsets_s, loops_s, texts)


def _tail_s(levels: npt.NDArray[np.float64]) -> float:
    """Return how long after its loudest moment a sound is heard."""
    loudest = int(np.argmax(levels))
    heard = np.flatnonzero(levels[loudest:] > levels[loudest] * to_gain(TAIL_DB))
    return float((heard[-1] + 1) * FRAME_S)


def _onsets_s(levels: npt.NDArray[np.float64]) -> npt.NDArray[np.float32]:
    """Return about where hits begin: the level leaves what was before it, and becomes strong beside the strongest."""
    back, apart = round(LOOK_BACK_S / FRAME_S), round(APART_S / FRAME_S)
    padded = np.concatenate([np.zeros(back), levels])
    ground = np.lib.stride_tricks.sliding_window_view(padded, back)[: levels.size].min(axis=1)
    rises = (levels > RISE * ground) & (levels > STRONG * levels.max())
    found: list[int] = []
    for at in np.flatnonzero(rises).tolist():
        # what still rises out of the same ground is the same hit
        if not found or at - found[-1] >= apart:
            found.append(at)
    return np.array(found[:MOST_ONSETS], np.float32) * np.float32(FRAME_S)


def _loops_s(levels: npt.NDArray[np.float64], duration_s: float) -> npt.NDArray[np.float32]:
    """Return the stretches in which the level stays even, the longest first."""
    step = round(LEVEL_S / FRAME_S)
    whole = levels[: levels.size // step * step].reshape(-1, step)
    if not whole.size:
        return np.zeros((0, 2), np.float32)
    power = np.pad(np.mean(np.square(whole), axis=1), (LEVEL_STEPS // 2, LEVEL_STEPS - 1 - LEVEL_STEPS // 2), "edge")
    power = np.convolve(power, np.full(LEVEL_STEPS, 1.0 / LEVEL_STEPS), "valid")
    steps_db = 10.0 * np.log10(np.maximum(power, to_gain(SILENCE_DB) ** 2))
    middle_db = float(np.median(steps_db[steps_db >= steps_db.max() - 20.0]))
    even = np.concatenate([[False], np.abs(steps_db - middle_db) <= EVEN_DB, [False]])
    edges = np.flatnonzero(np.diff(even.astype(np.int8)))
    spans_s = np.minimum(edges.reshape(-1, 2) * LEVEL_S, duration_s)
    long = spans_s[spans_s[:, 1] - spans_s[:, 0] >= LEAST_LOOP_S]
    by_length = np.argsort(long[:, 0] - long[:, 1], kind="stable")
    return np.asarray(long[by_length], np.float32)
