"""Find where somebody speaks, by what no machine, bell or weather does: short voiced syllables whose pitch glides.

Pitch and voicing are those of P. Boersma, "Accurate short-term analysis of the fundamental frequency and the
harmonics-to-noise ratio of a sampled sound", IFA Proceedings 17, 1993: the autocorrelation of a windowed frame over
that of its window. A steady hum has no glide, an engine no syllables, noise and bangs no pitch, and most animals and
babies a higher one. The finder would rather miss speech than take something else for it: what it finds pushes effects
down.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from foley.model import Span

Curve = npt.NDArray[np.float64]
Mono = npt.NDArray[np.float32]

RATE_HZ = 48_000
"""Rate of the sound that is taken in."""

_THIN = 6
_PITCH_RATE_HZ = RATE_HZ // _THIN
"""8 kHz: the bandwidth of a telephone holds every voice."""

_HIGHEST_KEPT_HZ = 3400.0

_HOP_S = 0.01
_HOP = int(_PITCH_RATE_HZ * _HOP_S)
_FRAME = 4 * _HOP
"""40 ms: three periods of the lowest pitch."""

_FFT = 1024
"""Room for the frame and its longest lag without wrapping round."""

_LOWEST_HZ, _HIGHEST_HZ = 70.0, 800.0
"""Pitches that are looked for: also those of babies, dogs and cocks, which would else be taken an octave too low."""

_VOICE_HZ = 360.0
"""The highest pitch of somebody who speaks."""

_OCTAVE_COST = 0.0005
"""Taken off for each sample of lag: of two equal peaks, one an octave lower, the shorter period is the pitch."""

_VOICED = 0.7
"""Periodicity of a voiced frame: noise of the same length reaches 0.5."""

_FAINT_DB = -60.0
_UNDER_LOUDEST_DB = 25.0
"""A voiced frame lies above the first, and not further than the second under the loudest frame within a second."""

_JUMP_SEMITONES = 1.0
"""A larger step from frame to frame is a new syllable, or no voice."""

_SYLLABLE_S = (0.05, 0.65)
_GLIDE_SEMITONES = (0.3, 9.0)
"""What the pitch of a syllable covers; a machine's covers less."""

_WINDOW_S = 1.5
_STEP_S = 0.25
_SYLLABLES = 4
"""In a window: slower is not speech."""

_USUAL_GLIDE_SEMITONES = 0.65
"""Half of a window's syllables glide more than this; a motor that splutters stays under it."""

_VOICED_SHARE = (0.18, 0.92)
_SPREAD_SEMITONES = (0.3, 5.5)
_CHANGE = 0.14
"""Least standard deviation of a window's fullness: vowels and hisses take turns, a motor keeps its colour."""

_FULLNESS = 0.4
"""Share of a voice's power between 80 and 1000 Hz, where first formants lie; barks and ringing metal have less."""

_AROUND_S = 0.15
"""Unvoiced sounds before and after the outermost syllables."""
_BREATH_S = 1.0
"""Shorter pauses do not end a stretch of speech."""
_SHORTEST_S = 0.8


class _Runs(NamedTuple):
    """Stretches of frames with one unbroken pitch, all of shape (runs,)."""

    first: npt.NDArray[np.int64]
    last: npt.NDArray[np.int64]
    pitch: Curve
    """Mean, in semitones above 100 Hz."""
    glide: Curve
    """Highest minus lowest, in semitones."""
    fullness: Curve


class Thinner:
    """Keeps every so-manyth sample of sound that comes in blocks, without what would fold back; 1 ms late."""

    def __init__(self, factor: int, highest_hz: float) -> None:
        """Begin a stream.

        Args:
            factor: One sample of so many is kept.
            highest_hz: What is kept reaches up to here.
        """
        self._factor = factor
        self._taps = _low_pass(highest_hz)
        self._raw: Mono = np.zeros(len(self._taps) - 1, np.float32)
        self._skipped = 0
        """Samples to pass over before the next one that is kept."""

    def add(self, block: Mono) -> Mono:
        """Return what is kept of the next samples, one channel at 48 kHz."""
        raw = np.concatenate([self._raw, block])
        self._raw = raw[len(raw) - len(self._taps) + 1 :]
        if not len(block):
            return block
        kept = np.convolve(raw, self._taps, "valid")[self._skipped :: self._factor]
        self._skipped = (self._skipped - len(block)) % self._factor
        return np.asarray(kept, np.float32)


def _low_pass(highest_hz: float) -> Mono:
    """Return a low-pass of 121 taps: Blackman-windowed sinc, unity at 0 Hz."""
    taps = np.sinc(2 * highest_hz / RATE_HZ * (np.arange(121) - 60)) * np.blackman(121)
    return np.asarray(taps / taps.sum(), np.float32)


class SpeechFinder:
    """Finds speech in sound that comes in blocks; holds four numbers for every 10 ms."""

    def __init__(self) -> None:
        """Begin a stream."""
        self._thinner = Thinner(_THIN, _HIGHEST_KEPT_HZ)
        self._thin: Mono = np.zeros(0, np.float32)
        self._window = np.hanning(_FRAME)
        self._window_lags = _lags(self._window[None, :])[0]
        self._frames: list[tuple[Curve, ...]] = []

    def add(self, block: Mono) -> None:
        """Take in the next samples, one channel at 48 kHz."""
        self._thin = np.concatenate([self._thin, self._thinner.add(block)])
        count = (len(self._thin) - _FRAME) // _HOP + 1
        if count > 0:
            frames = np.lib.stride_tricks.sliding_window_view(self._thin, _FRAME)[: count * _HOP : _HOP]
            self._frames.append(self._described(frames.astype(np.float64)))
            self._thin = self._thin[count * _HOP :]

    def spans(self) -> tuple[Span, ...]:
        """Return where somebody speaks, in order."""
        if not self._frames:
            return ()
        level_db, periodicity, semitones, fullness = (np.concatenate(part) for part in zip(*self._frames, strict=True))
        voiced = (
            (periodicity > _VOICED) & (level_db > _FAINT_DB) & (level_db > _loudest_near(level_db) - _UNDER_LOUDEST_DB)
        )
        return _spoken(_syllables(_runs(voiced, semitones, fullness)), fullness)

    def _described(self, frames: Curve) -> tuple[Curve, ...]:
        """Return level, periodicity, pitch and fullness of frames, each of shape (frames,)."""
        level_db = 10 * np.log10(np.mean(frames**2, axis=1) + 1e-12)
        windowed = (frames - frames.mean(axis=1, keepdims=True)) * self._window
        power = np.abs(np.fft.rfft(windowed, _FFT)) ** 2
        lags = np.fft.irfft(power)[:, :_FRAME]
        likeness = lags / np.maximum(lags[:, :1], 1e-12) / np.maximum(self._window_lags, 1e-3)
        first, last = int(_PITCH_RATE_HZ / _HIGHEST_HZ) - 1, int(_PITCH_RATE_HZ / _LOWEST_HZ) + 2
        part = likeness[:, first:last]
        middle = part[:, 1:-1]
        peak = (middle > part[:, :-2]) & (middle >= part[:, 2:])
        lag = np.arange(first + 1, last - 1)
        rank = np.where(peak, middle - _OCTAVE_COST * lag, -1.0)
        best = rank.argmax(axis=1)
        rows = np.arange(len(frames))
        periodicity = np.where(peak[rows, best], middle[rows, best], 0.0)
        semitones = 12 * np.log2(_PITCH_RATE_HZ / lag[best] / 100.0)
        hz = np.fft.rfftfreq(_FFT, 1 / _PITCH_RATE_HZ)
        fullness = power[:, (hz > 80) & (hz < 1000)].sum(axis=1) / np.maximum(power.sum(axis=1), 1e-12)
        return level_db, periodicity, semitones, fullness


def _lags(frames: Curve) -> Curve:
    """Return the autocorrelation of frames, 1 at lag 0."""
    lags = np.fft.irfft(np.abs(np.fft.rfft(frames, _FFT)) ** 2)[:, :_FRAME]
    return np.asarray(lags / lags[:, :1])


def _loudest_near(level_db: Curve) -> Curve:
    """Return for each frame the highest level within about a second."""
    size = 50
    padded = np.pad(level_db, (0, -len(level_db) % size), constant_values=-120.0)
    highest = np.pad(padded.reshape(-1, size).max(axis=1), 2, mode="edge")
    around = np.lib.stride_tricks.sliding_window_view(highest, 5).max(axis=1)
    return np.repeat(around, size)[: len(level_db)]


def _runs(voiced: npt.NDArray[np.bool_], semitones: Curve, fullness: Curve) -> _Runs:
    frames = np.flatnonzero(voiced)
    if not len(frames):
        nothing = np.zeros(0)
        return _Runs(frames, frames, nothing, nothing, nothing)
    pitch = semitones[frames]
    breaks = (np.diff(frames) > 1) | (np.abs(np.diff(pitch)) > _JUMP_SEMITONES)
    starts = np.concatenate([[0], np.flatnonzero(breaks) + 1])
    ends = np.concatenate([starts[1:], [len(frames)]])
    counts = ends - starts
    return _Runs(
        frames[starts],
        frames[ends - 1] + 1,
        np.add.reduceat(pitch, starts) / counts,
        np.maximum.reduceat(pitch, starts) - np.minimum.reduceat(pitch, starts),
        np.add.reduceat(fullness[frames], starts) / counts,
    )


def _some(runs: _Runs, which: slice | npt.NDArray[np.bool_]) -> _Runs:
    return _Runs(runs.first[which], runs.last[which], runs.pitch[which], runs.glide[which], runs.fullness[which])


def _syllables(runs: _Runs) -> _Runs:
    """Return the runs that are as long and as full as a syllable, and whose pitch moves as one's does."""
    length_s = (runs.last - runs.first) * _HOP_S
    kept = (length_s >= _SYLLABLE_S[0]) & (length_s <= _SYLLABLE_S[1]) & (runs.fullness >= _FULLNESS)
    kept &= runs.pitch <= 12 * np.log2(_VOICE_HZ / 100.0)
    kept &= (runs.glide >= _GLIDE_SEMITONES[0]) & (runs.glide <= _GLIDE_SEMITONES[1])
    return _some(runs, kept)


def _spoken(syllables: _Runs, fullness: Curve) -> tuple[Span, ...]:
    """Return the stretches with enough syllables, of a pitch and colour that wander as a speaker's do."""
    spans: list[Span] = []
    window, step = int(_WINDOW_S / _HOP_S), int(_STEP_S / _HOP_S)
    end = int(syllables.last.max(initial=0))
    for start in range(-step, end, step):
        inside = slice(*np.searchsorted(syllables.first, [start, start + window]))
        colours = fullness[max(0, start) : start + window]
        if float(colours.std()) < _CHANGE or not _is_speech(_some(syllables, inside), window):
            continue
        first_s = max(0.0, float(syllables.first[inside][0]) * _HOP_S - _AROUND_S)
        last_s = float(syllables.last[inside][-1]) * _HOP_S + _AROUND_S
        if spans and first_s - spans[-1].end_s < _BREATH_S:
            spans[-1] = Span(spans[-1].start_s, max(spans[-1].end_s, last_s))
        else:
            spans.append(Span(first_s, last_s))
    return tuple(span for span in spans if span.end_s - span.start_s >= _SHORTEST_S)


def _is_speech(syllables: _Runs, window: int) -> bool:
    if len(syllables.first) < _SYLLABLES:
        return False
    if float(np.median(syllables.glide)) < _USUAL_GLIDE_SEMITONES:
        return False
    share = float((syllables.last - syllables.first).sum()) / window
    spread = float(syllables.pitch.std())
    return _VOICED_SHARE[0] <= share <= _VOICED_SHARE[1] and _SPREAD_SEMITONES[0] <= spread <= _SPREAD_SEMITONES[1]
