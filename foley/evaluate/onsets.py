"""When sounds begin in a finished track: one detector for every system that is measured, never tuned to one of them.

It hears one channel at 44.1 kHz. A mel spectrogram (1024 samples, a step of 220, 80 bands from 60 Hz to 16 kHz) is
compressed, L = log10(1 + 20 S / reference); rises over three steps against the loudest of three neighbouring bands are
averaged over the bands, and their own running median of 0.4 s is taken off. Peaks of at least 0.08 and an eighth of the
strongest, 50 ms apart, are onsets; each is moved to the start of its attack: a fifth of the way from floor to peak of
the envelope above 150 Hz. Silence (below -60 dBFS) has none.

Reference and strongest rise are those of about a minute around: a quiet scene of a film is judged like a clip of its
own, and two hours take no more memory than two minutes.

Source: S. Boeck and G. Widmer, "Maximum filter vibrato suppression for onset detection", DAFx 2013.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import cache

import numpy as np
import numpy.typing as npt

from foley.dsp.peaks import find_peaks

RATE_HZ = 44_100

SIZE, HOP = 1024, 220
"""Of the spectrogram in samples: 23 ms, so that two bands of 100 Hz part; 5 ms, a tenth of the tightest window."""

BANDS, LOWEST_HZ, HIGHEST_HZ = 80, 60.0, 16_000.0
"""Narrow enough to tell a bar of metal from a voice, wide enough to forgive vibrato."""

LAG_HOPS = 3
"""An attack is a difference over 15 ms."""

MEDIAN_HOPS = 81
"""0.4 s: what a busy texture does all the time is taken off."""

LEAST_RISE, LEAST_SHARE = 0.08, 0.12
"""An onset rises by so much (log10, mean over bands), and by this share of the strongest."""

LEAST_GAP_HOPS = 10
"""50 ms: two sounds nearer than this are heard as one."""

SAME_ATTACK_S = 0.02
"""Two rises that lead back to one attack are one onset."""

ATTACK_REACH_S = 0.06
"""How far an attack's start may lie from the steepest rise."""

ATTACK_WINDOW_S = 0.0015
"""Of the envelope on which the attack's start is sought: as sharp as is told from the wave itself above 150 Hz."""

ATTACK_LOWEST_HZ = 150.0
"""Below it hum and rumble would move the start."""

CLIMB = 0.2
"""Part of the way from floor to peak at which an attack is said to start."""

QUIETEST = 1e-3
"""-60 dBFS: below this peak a sound counts as silence."""

SHORTEST = 4096
"""Samples; less has no spectrogram to speak of."""

PIECE_HOPS, CONTEXT_HOPS = 12_000, 200
"""About a minute is judged at a time, with a second of what lies around it: more than median and attack reach."""

BLOCK_HOPS = 2000
"""Ten seconds of spectrogram at a time: 8 MB."""

Samples = npt.NDArray[np.float32]
Times = npt.NDArray[np.float64]


def onset_times_s(blocks: Iterable[Samples]) -> Times:
    """Return when sounds begin, shape (onsets,), rising.

    Args:
        blocks: The sound in blocks of any length, each of shape (samples,), at `RATE_HZ`.
    """
    found: list[float] = []
    for first, kept, piece in _pieces(blocks):
        times_s = _onsets_of(piece) + first / RATE_HZ
        start_s, end_s = (edge / RATE_HZ for edge in kept)
        for time_s in times_s[(times_s >= start_s) & (times_s < end_s)].tolist():
            if not found or time_s - found[-1] >= SAME_ATTACK_S:
                found.append(time_s)
    return np.asarray(found, np.float64)


def clicks(times_s: Times, length: int, rng: np.random.Generator) -> Iterator[Samples]:
    """Yield blocks of silence with a short noise at each time: what nobody can hear more clearly.

    Args:
        times_s: Where; rising.
        length: Samples in all.
        rng: The noise.
    """
    ring = rng.normal(0.0, 0.25, RATE_HZ // 20) * np.exp(-np.arange(RATE_HZ // 20) / (0.01 * RATE_HZ))
    ring = np.clip(ring, -1.0, 1.0).astype(np.float32)
    starts = np.round(np.asarray(times_s, np.float64) * RATE_HZ).astype(np.int64)
    size = BLOCK_HOPS * HOP
    for first in range(0, length, size):
        block = np.zeros(min(size, length - first), np.float32)
        low, high = np.searchsorted(starts, [first - len(ring), first + len(block)])
        for start in starts[low:high].tolist():
            begin, end = max(start, first), min(start + len(ring), first + len(block))
            block[begin - first : max(begin, end) - first] += ring[begin - start : max(begin, end) - start]
        yield block


def _pieces(blocks: Iterable[Samples]) -> Iterator[tuple[int, tuple[int, int], Samples]]:
    """Yield where each piece starts, which samples [first, last) are its own, and the piece with what lies around it.

    A last piece of less than half a minute would be judged by too little: it stays with the one before.
    """
    own, around = PIECE_HOPS * HOP, CONTEXT_HOPS * HOP
    held, first, begun = np.zeros(0, np.float32), 0, 0
    waiting: list[Samples] = []
    count = 0
    for block in blocks:
        waiting.append(np.asarray(block, np.float32))
        count += len(block)
        while count >= begun + own + own // 2 + around:
            held = np.concatenate([held, *waiting])
            waiting = []
            yield first, (begun, begun + own), held[: begun + own + around - first]
            begun += own
            held = held[begun - around - first :]
            first = begun - around
    yield first, (begun, count + 1), np.concatenate([held, *waiting])


def _onsets_of(piece: Samples) -> Times:
    """Return the onsets of a piece, in seconds from its start, rising."""
    from scipy.ndimage import median_filter

    if len(piece) < SHORTEST or float(np.abs(piece).max()) < QUIETEST:
        return np.zeros(0)
    rise = _rises(_mel_spectrum(piece))
    rise = rise - median_filter(rise, MEDIAN_HOPS)
    least = max(LEAST_RISE, LEAST_SHARE * float(rise.max()))
    places = find_peaks(rise, height=least, distance=LEAST_GAP_HOPS)
    starts_s = np.array([_attack_s(piece, place * HOP / RATE_HZ) for place in places.tolist()], np.float64)
    kept: list[int] = []
    for place in np.argsort(starts_s).tolist():
        if not kept or starts_s[place] - starts_s[kept[-1]] >= SAME_ATTACK_S:
            kept.append(place)
        elif rise[places[place]] > rise[places[kept[-1]]]:
            kept[-1] = place
    return starts_s[kept]


def _rises(spectrum: Samples) -> Times:
    """Return by how much the spectrum, shape (bands, hops), rises at each hop, mean over bands."""
    from scipy.ndimage import maximum_filter1d

    reference = max(float(np.percentile(spectrum, 99)), float(spectrum.max()) / 100, 1e-9)
    level = np.log10(1 + 20 * spectrum / reference)
    around = maximum_filter1d(level, 3, axis=0)  # a tone that glides into the next band is no onset
    rise = np.zeros(level.shape[1])
    rise[LAG_HOPS:] = np.maximum(level[:, LAG_HOPS:] - around[:, :-LAG_HOPS], 0).mean(axis=0)
    return rise


def _mel_spectrum(piece: Samples) -> Samples:
    """Return magnitudes in mel bands around every hop, shape (bands, hops)."""
    from scipy.fft import rfft

    padded = np.pad(piece, SIZE // 2)
    frames = np.lib.stride_tricks.sliding_window_view(padded, SIZE)[::HOP]
    window = np.hanning(SIZE + 1)[:-1].astype(np.float32)
    blocks = []
    for first in range(0, len(frames), BLOCK_HOPS):
        magnitudes = np.abs(rfft(frames[first : first + BLOCK_HOPS] * window, axis=1))
        blocks.append((_mel_bands() @ magnitudes.T).astype(np.float32))
    return np.concatenate(blocks, axis=1)


@cache
def _mel_bands() -> Samples:
    """Return triangles of equal area on the mel scale, shape (bands, bins).

    Source: M. Slaney, "Auditory Toolbox", Interval Research, TR 1998-010: even steps of 200/3 Hz up to 1 kHz, above it
    27 steps for a factor of 6.4.
    """
    step_hz, even_hz, factor = 200.0 / 3.0, 1000.0, np.log(6.4) / 27.0
    even_mels = even_hz / step_hz
    low, high = LOWEST_HZ / step_hz, even_mels + np.log(HIGHEST_HZ / even_hz) / factor
    mels = np.linspace(low, high, BANDS + 2)
    corners_hz = np.where(mels < even_mels, mels * step_hz, even_hz * np.exp(factor * (mels - even_mels)))
    bins_hz = np.fft.rfftfreq(SIZE, 1 / RATE_HZ)
    left, middle, right = (corners_hz[at : at + BANDS, None] for at in range(3))
    rising, falling = (bins_hz - left) / (middle - left), (right - bins_hz) / (right - middle)
    return np.asarray(np.maximum(0, np.minimum(rising, falling)) * 2 / (right - left), np.float32)


def _attack_s(piece: Samples, at_s: float) -> float:
    """Return where the attack near a rise starts, in seconds from the piece's start."""
    from scipy.signal import sosfilt

    first, last = max(0, int((at_s - ATTACK_REACH_S) * RATE_HZ)), int((at_s + ATTACK_REACH_S) * RATE_HZ)
    settling = max(0, first - 2000)  # samples in which the filter forgets how it was switched on
    wave = sosfilt(_highpass(), piece[settling:last])[first - settling :]
    if len(wave) < 100:  # the very end of the file: no room for an attack
        return at_s
    width = int(ATTACK_WINDOW_S * RATE_HZ)
    envelope = np.sqrt(np.maximum(np.convolve(np.square(wave), np.full(width, 1 / width), "same"), 0.0))
    peak = int(np.argmax(envelope))
    floor = float(np.percentile(envelope[: max(peak, 10)], 20))
    threshold = floor + CLIMB * (float(envelope[peak]) - floor)
    below = np.flatnonzero(envelope[: peak + 1] <= threshold)
    return (first + (int(below[-1]) if len(below) else 0)) / RATE_HZ


@cache
def _highpass() -> Times:
    """Return the sections of a second-order Butterworth filter, shape (sections, 6)."""
    from scipy.signal import butter

    return np.asarray(butter(2, ATTACK_LOWEST_HZ, "highpass", fs=RATE_HZ, output="sos"), np.float64)
