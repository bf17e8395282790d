"""Whether a sound is music: tones that last, tuned to one scale, of which several come and go to a beat.

No single one of these says it: a hum lasts, a siren has tones, a clock has a beat, a bell rings in many pitches. Music
has all of them. So there are five measures, and a sound is music where each of them says so:

- `tonal`: the part of the time in which lasting partials carry a good part of the power. A partial is a peak of the
  spectrum well above what is around it, and it lasts where it stays at one pitch (J. O. Smith and X. Serra, "PARSHL: An
  analysis/synthesis program for non-harmonic sounds", ICMC 1987).
- `tuned`: how well lasting partials fall onto one grid of semitones, wherever it lies: |sum a exp(2 pi i 12 log2 f)| /
  sum a, a circular mean with their amplitudes a (N. I. Fisher, "Statistical Analysis of Circular Data", 1993).
- `notes`: how many pitch classes are held, harmonics of a lower partial aside (chroma: T. Fujishima, "Realtime chord
  recognition of musical sound", ICMC 1999).
- `moving`: how much the held pitch classes change from one moment to another: 1 less the cosine between them.
- `beat`: how regularly something begins, in level or as a note: the highest autocorrelation at 20 to 240 a minute
  (J. Foote and S. Uchihashi, "The beat spectrum", ICME 2001).
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt
from scipy.ndimage import uniform_filter1d

from foley.dsp.resample import resample
from foley.model import Audio

RATE_HZ = 12_000
"""Partials above 6 kHz are harmonics, and say nothing that lower ones do not."""

FFT, HOP = 4096, 600
"""0.34 s tell neighbouring semitones from 100 Hz on apart; a step is 50 ms."""

STEP_S = HOP / RATE_HZ

LOWEST_HZ, HIGHEST_HZ = 80.0, 4000.0
"""Where notes have their strongest partials."""

PROMINENT_DB = 15.0
"""A partial stands so far above the mean level around it: noise does so in one bin of 10,000."""

AROUND_HZ = 180.0
"""What is around a partial: wide against the window's 12 Hz."""

FAINT_DB = -40.0
"""Peaks this far below a moment's strongest are not counted: the window's own side lobes among them."""

LASTS_STEPS = 5
"""A partial lasts from 0.25 s on: a crotchet at 240 a minute, and three times the ring of a knock on wood."""

CARRY = 0.4
"""Part of a moment's power that makes it a moment of tones."""

QUIET_DB = -40.0
"""Moments so far below the loudest are pauses, and say nothing."""

HARMONICS = (2, 3, 4, 5, 6)
HARMONIC_CLOSENESS = 0.012
"""A fifth of a semitone: how far from a whole multiple a partial may lie and be a harmonic."""

HELD = 0.15
"""A pitch class counts from this part of the time of the one held longest."""

FLICKER_STEPS = 3
"""0.15 s: notes are held for longer."""

SMOOTH_S = 4.0
"""What changes more slowly is no beat."""

LAGS_S = (0.5, 1.0, 2.0, 3.0)
"""How far apart moments are compared: from a beat to a slow bar."""

ONSET_FFT, ONSET_HOP = 512, 120
"""43 ms and 10 ms: a beat is found to 1 %."""

BANDS = 24
"""Onset strength is summed over bands of equal ratio, so that a hi-hat counts as a bass note does."""

SLOWEST_BEAT_S, FASTEST_BEAT_S = 3.0, 0.25

SHORTEST_S = 2.0
"""Of shorter sounds nobody could say that they are music: they hold one bar at most."""

LEAST = {"tonal": 0.4, "tuned": 0.75, "notes": 3.0, "moving": 0.12, "beat": 0.2}
"""What music has at least. Found on half of some 600 recordings of effects, on two renders of every recipe and on made
music (chords, melodies, arpeggios, a band of four; alone, and under rain and fire as loud). Of the other halves 89 % of
the music is found, and 0.6 % of the recordings are taken for it: a rooster and a helicopter."""

Frames = npt.NDArray[np.float64]
"""Shape (moments, bins)."""

Marks = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Musicality:
    """How much of music is in a sound."""

    tonal: float = 0.0
    tuned: float = 0.0
    notes: int = 0
    moving: float = 0.0
    beat: float = 0.0

    @property
    def score(self) -> float:
        """Return how far the weakest of the measures reaches of what music has; from 1 on it is music."""
        return min(float(getattr(self, name)) / least for name, least in LEAST.items())


def musicality(audio: Audio) -> Musicality:
    """Return how much of music is in a sound, of seconds rather than minutes; nothing where it is too short to say."""
    if audio.duration_s < SHORTEST_S or not audio.samples.any():
        return Musicality()
    middle = Audio(audio.samples.mean(axis=0, keepdims=True, dtype=np.float32), audio.rate_hz)
    samples = resample(middle, RATE_HZ).samples[0].astype(np.float64)
    partials = _partials(samples)
    if not partials.hz.size:
        return Musicality()
    held = _held(partials)
    return Musicality(
        partials.tonal,
        _tuned(partials),
        _notes(held),
        _moving(held),
        max(_onset_beat(samples), _note_beat(partials, partials.lasting)),
    )


@dataclass(frozen=True, slots=True, eq=False)
class _Partials:
    """The lasting partials of a sound, by moment and frequency."""

    moment: npt.NDArray[np.int64]
    hz: npt.NDArray[np.float64]
    amplitude: npt.NDArray[np.float64]
    moments: int
    """How many there are in the sound."""
    lasting: Marks
    tonal: float
    """Part of the moments that they carry."""


def _power(samples: npt.NDArray[np.float64], fft: int, hop: int) -> Frames:
    """Return the power spectrum around each moment."""
    padded = np.pad(samples, fft // 2)
    frames = np.lib.stride_tricks.sliding_window_view(padded, fft)[::hop]
    return np.asarray(np.square(np.abs(np.fft.rfft(frames * np.hanning(fft), axis=1))))


def _partials(samples: npt.NDArray[np.float64]) -> _Partials:
    power = _power(samples, FFT, HOP)
    bin_hz = RATE_HZ / FFT
    lowest = int(LOWEST_HZ / bin_hz)
    power = power[:, lowest : int(HIGHEST_HZ / bin_hz)]
    level_db = 10.0 * np.log10(power + 1e-12)
    lasting = _lasting(_peaks(level_db))
    moment, place = np.nonzero(lasting)
    low, mid, high = (level_db[moment, place + side] for side in (-1, 0, 1))
    # the vertex of a parabola through three points of a peak in decibels
    shift = 0.5 * (low - high) / (low - 2.0 * mid + high)
    return _Partials(
        moment=moment,
        hz=(lowest + place + shift) * bin_hz,
        amplitude=np.sqrt(power[moment, place]),
        moments=len(power),
        lasting=lasting,
        tonal=_carried(power, lasting),
    )


def _peaks(level_db: Frames) -> Marks:
    around = uniform_filter1d(level_db, round(AROUND_HZ * FFT / RATE_HZ), axis=1, mode="nearest")
    found = (level_db - around > PROMINENT_DB) & (level_db > level_db.max(axis=1, keepdims=True) + FAINT_DB)
    found[:, 1:-1] &= (level_db[:, 1:-1] > level_db[:, :-2]) & (level_db[:, 1:-1] >= level_db[:, 2:])
    found[:, [0, -1]] = False
    return np.asarray(found)


def _lasting(peaks: Marks) -> Marks:
    """Return the peaks that stay within a bin of where they are for `LASTS_STEPS` moments."""
    near = peaks.copy()
    near[:, 1:] |= peaks[:, :-1]
    near[:, :-1] |= peaks[:, 1:]
    steps = min(LASTS_STEPS, len(peaks))
    whole = np.asarray(np.lib.stride_tricks.sliding_window_view(near, steps, axis=0).all(axis=2))
    covered = np.zeros_like(peaks)
    for step in range(steps):
        covered[step : step + len(whole)] |= whole
    return peaks & covered


def _carried(power: Frames, lasting: Marks) -> float:
    """Return the part of the moments, pauses aside, whose power lies mostly in lasting partials."""
    wide = lasting.copy()
    for side in (1, 2, 3):  # the main lobe of the window is four bins wide, and a vibrato wider
        wide[:, side:] |= lasting[:, :-side]
        wide[:, :-side] |= lasting[:, side:]
    total = power.sum(axis=1)
    loud = total > np.percentile(total, 95.0) * 10.0 ** (QUIET_DB / 10.0)
    share = (power * wide).sum(axis=1) / np.maximum(total, 1e-12)
    return float(np.mean(share[loud] > CARRY)) if loud.any() else 0.0


def _tuned(partials: _Partials) -> float:
    turns = np.exp(2j * np.pi * 12.0 * np.log2(partials.hz))
    return float(np.abs(np.sum(partials.amplitude * turns)) / np.sum(partials.amplitude))


def _held(partials: _Partials) -> Frames:
    """Return which pitch classes are held at each moment, shape (moments, 12): the classes nearest to the tuning."""
    fundamental = np.ones(len(partials.hz), dtype=bool)
    bounds = np.searchsorted(partials.moment, np.arange(partials.moments + 1))
    for first, last in pairwise(bounds.tolist()):
        here = partials.hz[first:last]
        ratio = here[:, None] / here[None, :]
        for number in HARMONICS:
            fundamental[first:last] &= ~(np.abs(ratio / number - 1.0) < HARMONIC_CLOSENESS).any(axis=1)
    semitones = 12.0 * np.log2(partials.hz)
    offset = np.angle(np.sum(partials.amplitude * np.exp(2j * np.pi * semitones))) / (2.0 * np.pi)
    classes = np.round(semitones - offset).astype(np.int64) % 12
    held = np.zeros((partials.moments, 12))
    held[partials.moment[fundamental], classes[fundamental]] = 1.0
    return held


def _notes(held: Frames) -> int:
    time = held.sum(axis=0)
    return int(np.count_nonzero(time >= max(HELD * time.max(), LASTS_STEPS)))


def _moving(held: Frames) -> float:
    """Return how much more what is held differs from what is held a while later than from what is held at once after.

    0 for what stays the same, and for partials that come and go by chance; 1 for notes that are held one by one.
    """
    flicker = _difference(held, FLICKER_STEPS)
    later = (_difference(held, round(lag_s / STEP_S)) for lag_s in LAGS_S)
    return max(0.0, max(later) - flicker)


def _difference(held: Frames, steps: int) -> float:
    """Return 1 less the mean cosine between what is held at two moments."""
    one, other = held[:-steps], held[steps:]
    lengths = np.linalg.norm(one, axis=1) * np.linalg.norm(other, axis=1)
    both = lengths > 0.0
    return 1.0 - float(np.mean(np.sum(one * other, axis=1)[both] / lengths[both])) if both.any() else 0.0


def _onset_beat(samples: npt.NDArray[np.float64]) -> float:
    """Return how regularly the level rises, in whatever part of the spectrum."""
    power = _power(samples, ONSET_FFT, ONSET_HOP)
    edges = np.unique(np.geomspace(2, power.shape[1] - 1, BANDS + 1).astype(int))
    bands = np.add.reduceat(power, edges[:-1], axis=1)
    level = np.log10(bands + 1e-3 * bands.mean(axis=0))
    return _regularity(np.maximum(np.diff(level, axis=0), 0.0).sum(axis=1), ONSET_HOP / RATE_HZ)


def _note_beat(partials: _Partials, lasting: Marks) -> float:
    """Return how regularly partials begin."""
    begins = lasting[1:, 1:-1] & ~(lasting[:-1, :-2] | lasting[:-1, 1:-1] | lasting[:-1, 2:])
    return _regularity(uniform_filter1d(begins.sum(axis=1).astype(np.float64), 3), STEP_S)


def _regularity(strength: npt.NDArray[np.float64], step_s: float) -> float:
    """Return the highest autocorrelation at the distance of a beat of which three at least fit into the sound."""
    varying = strength - uniform_filter1d(strength, round(SMOOTH_S / step_s))
    total = float(np.sum(np.square(varying)))
    first, last = round(FASTEST_BEAT_S / step_s), round(min(SLOWEST_BEAT_S, len(varying) * step_s / 3.0) / step_s)
    lags = range(first, last + 1)
    if total <= 0.0 or not lags:
        return 0.0
    # the mean over what overlaps, so that a slow beat counts as a fast one does
    like = [float(np.dot(varying[:-lag], varying[lag:])) / (len(varying) - lag) for lag in lags]
    return max(0.0, max(like) * len(varying) / total)
