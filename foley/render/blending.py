"""One sound out of two: the transient of one, the body of another, which is first given the first one's colour."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from foley.dsp.fades import Samples, equal_power
from foley.model import Audio
from foley.units import to_gain, to_samples

TRANSIENT_S = 0.025
"""How long after an onset a sound is told by its transient: most contacts are over sooner, and the ear fuses it."""

TURN_S = 0.030
"""Over which it then turns to the other's body."""

BEFORE_S = 0.012
"""How long before an onset the body gives way: the attack itself is of one sound alone."""

BANDS = 24
"""Of the envelope, evenly on a scale of logarithms: about a third of an octave, as wide as the ear's own."""

LOWEST_HZ = 40.0

MOST_DB = 18.0
"""The most that a band is raised or lowered: what is not there cannot be raised."""

SPECTRUM = 4096
"""Samples of a spectrum: 12 Hz at 48 kHz, four in the lowest band."""

Floats = npt.NDArray[np.float64]


def blended(transient: Audio, body: Audio, onsets_s: Sequence[float], *, share: float) -> Audio:
    """Return the transients of one sound with a body mixed of both, as long as the first.

    The body's gain is sin(pi/2 share), its counterpart's cosine: two sounds that know nothing of each other keep their
    common power. Around each onset the first sounds alone. Without onsets it is a plain mixture.

    Args:
        transient: Whose onsets, colour and level the result has.
        body: At the same rate, begins at the same time.
        onsets_s: Where the first begins to be heard.
        share: Of the other in the body, 0 to 1.

    Raises:
        ValueError: where the rates differ, or the share is none.
    """
    if transient.rate_hz != body.rate_hz:
        raise ValueError(f"cannot blend sound of {transient.rate_hz} Hz with one of {body.rate_hz} Hz")
    if not 0.0 <= share <= 1.0:
        raise ValueError(f"share must lie in 0 to 1, got {share}")
    other = _as_loud(envelope_matched(body, transient), transient)
    if share == 0.0 or not other.samples.any():
        return transient
    gain = share * _giving_way(onsets_s, transient.length, transient.rate_hz)
    mixed = transient.samples * np.cos(0.5 * math.pi * gain) + _fitted(other, transient) * np.sin(0.5 * math.pi * gain)
    return Audio(mixed.astype(np.float32), transient.rate_hz, transient.notes)


def envelope_matched(sound: Audio, like: Audio, *, amount: float = 1.0) -> Audio:
    """Return a sound with the spectral envelope of another: louder and duller bands trade places, pitches stay.

    Each band's gain is the ratio of the two mean powers there, taken where each of them sounds, less the ratio of their
    levels: the colour is matched, not the loudness. The filter has no phase: nothing is moved in time.

    Args:
        sound: What is to be coloured.
        like: Whose colour it gets.
        amount: 0 leaves it as it is, 1 is all of it.
    """
    if not sound.samples.any() or not like.samples.any():
        return sound
    edges_hz = np.geomspace(LOWEST_HZ, min(sound.rate_hz, like.rate_hz) / 2.0, BANDS + 1)
    ours_db, theirs_db = _bands_db(sound, edges_hz), _bands_db(like, edges_hz)
    difference_db = amount * np.clip(theirs_db - ours_db, -MOST_DB, MOST_DB)
    middles_hz = np.sqrt(edges_hz[1:] * edges_hz[:-1])
    size = 1 << (sound.length + SPECTRUM - 1).bit_length()
    bins_hz = np.fft.rfftfreq(size, 1.0 / sound.rate_hz)
    gains = np.power(10.0, np.interp(np.log(bins_hz + 1.0), np.log(middles_hz), difference_db) / 20.0)
    coloured = np.fft.irfft(np.fft.rfft(sound.samples, size) * gains, size)[:, : sound.length]
    return Audio(coloured.astype(np.float32), sound.rate_hz, sound.notes)


def _bands_db(sound: Audio, edges_hz: Floats) -> Floats:
    """Return the level of each band beside that of all together, from the frames that sound."""
    mono = sound.samples.mean(axis=0, dtype=np.float64)
    frames = np.pad(mono, (0, -len(mono) % SPECTRUM)).reshape(-1, SPECTRUM)
    powers = np.square(np.abs(np.fft.rfft(frames * np.hanning(SPECTRUM))))
    loudest = powers.sum(axis=1)
    spectrum = powers[loudest >= loudest.max() * to_gain(-40.0) ** 2].mean(axis=0)
    bins_hz = np.fft.rfftfreq(SPECTRUM, 1.0 / sound.rate_hz)
    places = np.searchsorted(bins_hz, edges_hz)
    sums = np.concatenate([[0.0], np.cumsum(spectrum)])
    bands = np.array([sums[max(last, first + 1)] - sums[first] for first, last in pairwise(places.tolist())])
    return np.asarray(10.0 * np.log10(np.maximum(bands, 1e-12 * bands.max()) / bands.sum()))


def _as_loud(sound: Audio, like: Audio) -> Audio:
    """Return a sound at the RMS level of another."""
    ours, theirs = (float(np.sqrt(np.mean(np.square(one.samples, dtype=np.float64)))) for one in (sound, like))
    return Audio(sound.samples * np.float32(theirs / ours), sound.rate_hz) if ours > 0.0 else sound


def _fitted(sound: Audio, like: Audio) -> Samples:
    """Return samples with the length and the channels of another sound."""
    samples = sound.samples[:, : like.length]
    samples = np.pad(samples, ((0, 0), (0, like.length - samples.shape[1])))
    if samples.shape[0] == like.channels:
        return samples
    mono: Samples = samples.mean(axis=0, keepdims=True)
    return np.repeat(mono, like.channels, axis=0)


def _giving_way(onsets_s: Sequence[float], length: int, rate_hz: int) -> Samples:
    """Return 1 where the body may sound and 0 around onsets, with turns between, shape (length,)."""
    gain = np.ones(length, np.float32)
    turn = to_samples(TURN_S, rate_hz)
    hold = to_samples(BEFORE_S, rate_hz) + to_samples(TRANSIENT_S, rate_hz)
    dip = np.concatenate([equal_power(turn)[::-1], np.zeros(hold, np.float32), equal_power(turn)])
    for onset_s in onsets_s:
        first = to_samples(onset_s - BEFORE_S, rate_hz) - turn
        start, end = max(first, 0), min(first + dip.size, length)
        if start < end:
            gain[start:end] = np.minimum(gain[start:end], dip[start - first : end - first])
    return gain
