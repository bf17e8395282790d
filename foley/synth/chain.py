"""The recording chain: what turns computed vibration into a take that could have been recorded close, in a dry room.

Dry physics is farther from recordings than recordings of other things are. A few early reflections, a microphone's tilt
and a fall in brightness with strength close most of that gap; reverberation is left to the mix.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import numpy as np
import numpy.typing as npt
from scipy import fft

from foley.products import product
from foley.synth.excitation import Section, Signal, butterworth, decay, filtered, length_samples, shelf
from foley.synth.finish import character, finished_hit
from foley.synth.recipe import Mono
from foley.units import RATE_HZ

END_DB = -66.0
"""A hit is over where it stays under this re its peak."""


def mixed(*parts: Signal) -> Signal:
    """Return the sum of sounds that start together."""
    longest = max(parts, key=len)
    total = np.array(longest, np.float64)
    for part in parts:
        if part is not longest:
            total[: len(part)] += part
    return total


def delayed(samples: Signal, delay_s: float) -> Signal:
    """Return the sound after a silence."""
    return np.concatenate([np.zeros(round(delay_s * RATE_HZ)), samples])


def peak_of(samples: Signal, peak: float = 1.0) -> Signal:
    """Return the sound scaled to a peak."""
    return samples * (peak / (max(float(samples.max()), -float(samples.min())) + 1e-12))


HEARD_SHARE, HEARD_RISE_S = 0.15, 0.0005
"""Of its peak, from where on a contact is heard; and what is kept of the rise before."""


def heard_at_once(samples: Signal) -> Signal:
    """Return a blow that bears slowly without its quiet beginning: what is heard as the contact lies at the instant."""
    level = np.abs(samples)
    first = int(np.argmax(level > HEARD_SHARE * level.max())) - length_samples(HEARD_RISE_S)
    return faded(samples[first:], 0.0002, 0.0) if first > 0 else samples


STAGE_T60_S = 0.3
"""Of the room: a Foley stage, treated so that only a hint of it stays on the take."""

TAIL_SHARE = 0.8
"""Of that hint, re the reflections; with this T60, the sounds of 16 classes come nearest to recordings (measured)."""

STAGES = 16
"""Tails that takes are made with: no two blows come from the same spot, and nobody tells sixteen spots apart."""

REFLECTIONS_LATE, REFLECTION_GAINS = np.geomspace(1.0, 13.0, 8), np.geomspace(0.5, 0.16, 8)
"""When the early reflections arrive re the first of them, and how strong they are re the sound."""

WALL_HZ = 6000.0
"""What walls send back is dull above this."""

TILT_HZ = 2000.0
"""Where a microphone's colour, and a room's, begins to show."""

MICROPHONE_LOW_HZ = 60.0
"""Where microphones close to a source are cut to spare them its thud; takes differ by 40 %."""


def in_a_room(rng: np.random.Generator, samples: Signal, wet: float) -> Signal:
    """Return the sound as near a floor in a dry room: eight reflections, 1.5 to 20 ms late, and a short dull tail.

    The nearest surface is the floor or table (1.5 ms is half a metre); everything within 20 ms fuses with the sound
    itself. Walls swallow treble. The tail fits recordings of struck things,
    which 40 to 80 ms after the blow lie 30 to 40 dB under it in all bands, where dry models are silent.

    Args:
        rng: Source of chance.
        samples: The dry sound.
        wet: Strength of the reflections, re the sound; the tail goes with it.
    """
    places = (length_samples(0.0015) * REFLECTIONS_LATE * rng.uniform(0.85, 1.18, 8)).astype(np.int64)
    gains = REFLECTION_GAINS * rng.uniform(0.6, 1.0, 8) * (2.0 * rng.integers(0, 2, 8) - 1.0)
    length = len(samples) + _tail_samples() - 1
    size = _transform_size(length)
    answer = echo_bins(places, gains, size)
    answer += _tail_bins(int(rng.integers(STAGES)), size)
    answer *= _wall_bins(size)
    answer *= fft.rfft(np.asarray(samples, np.float32), size)
    answered = fft.irfft(answer, size, overwrite_x=True)[:length]
    answered *= np.float32(wet)
    answered[: len(samples)] += samples
    return np.asarray(answered)


_BINS_A_ROW = 256
"""Near the square root of the usual number of bins, where two tables are shortest together."""


def echo_bins(places: npt.NDArray[np.int64], gains: Signal, size: int) -> npt.NDArray[np.complex64]:
    """Return the spectrum of a few echoes, g exp(-2 pi i k place / size) summed, at the bins of a real transform.

    As for modes: z^(256 m + n) is a product, so that one small product of matrices makes all bins.
    """
    bins, roots = size // 2 + 1, _roots(size)
    coarse = roots[np.outer(np.arange(0, bins, _BINS_A_ROW), places) % size] * gains.astype(np.float32)
    fine = roots[np.outer(places, np.arange(_BINS_A_ROW)) % size]
    return np.asarray(product(coarse, fine).ravel()[:bins])


@lru_cache(maxsize=16)
def _roots(size: int) -> npt.NDArray[np.complex64]:
    """Return exp(-2 pi i k / size) for every k."""
    return np.asarray(np.exp(-2j * np.pi * np.arange(size) / size), np.complex64)


@lru_cache(maxsize=16)
def _wall_bins(size: int) -> npt.NDArray[np.complex64]:
    """Return what walls do to the bins of a transform."""
    b, a = butterworth(WALL_HZ, 1, high=False)
    back = _roots(size)[: size // 2 + 1].astype(np.complex128)
    return np.asarray((b[0] + b[1] * back) / (1.0 + a[1] * back), np.complex64)


def _tail_samples() -> int:
    return length_samples(0.8 * STAGE_T60_S)  # 48 dB down, and under the end of a hit wherever it starts


def _transform_size(length: int) -> int:
    """Return the length of a transform that holds so many samples: one of few, so that what is kept is used again."""
    return next(size << power for power in range(8, 32) for size in (4, 5, 6, 7) if size << power >= length)


@lru_cache(maxsize=256)
def _tail_bins(stage: int, size: int) -> npt.NDArray[np.complex64]:
    """Return the spectrum of a stage's tail before the walls take its treble."""
    length = _tail_samples()
    tail = character("stage", stage).standard_normal(length) * decay(length, STAGE_T60_S)
    tail *= np.minimum(1.0, np.arange(length) / (0.02 * RATE_HZ))  # it builds up while the early ones arrive
    tail *= TAIL_SHARE / np.sqrt(np.sum(tail * tail))
    return np.asarray(fft.rfft(tail.astype(np.float32), size), np.complex64)


def convolved(samples: Signal, response: Signal) -> Signal:
    """Return a sound as answered by a response; in single precision, whose error of -130 dB is under any noise."""
    length = len(samples) + len(response) - 1
    size = fft.next_fast_len(length, real=True)
    both = fft.rfft(samples.astype(np.float32), size) * fft.rfft(response.astype(np.float32), size)
    return np.asarray(fft.irfft(both, size)[:length], np.float64)


def tilted(samples: Signal, gain: float, corner_hz: float = TILT_HZ) -> Signal:
    """Return the sound with everything above a corner scaled."""
    return filtered(samples, shelf(gain, corner_hz))


def faded(samples: Signal, fade_in_s: float, fade_out_s: float) -> Signal:
    """Return the sound with raised-cosine fades at its ends; each at most half of it."""
    result = samples.copy()
    for duration_s, side in ((fade_in_s, slice(None)), (fade_out_s, slice(None, None, -1))):
        count = min(len(result) // 2, length_samples(duration_s)) if duration_s > 0.0 else 0
        result[side][:count] *= _rise(count)
    return result


@lru_cache(maxsize=32)
def _rise(count: int) -> Signal:
    """Return half a period of a raised cosine, from 0 to 1."""
    return 0.5 - 0.5 * np.cos(np.pi * (np.arange(count) + 0.5) / max(count, 1))


def recorded_hit(
    rng: np.random.Generator,
    samples: Signal,
    strength: float,
    *,
    ring_s: float,
    lead_s: float = 0.0,
    wet: float = 0.35,
    colour: Sequence[Section] = (),
) -> Mono:
    """Return a hit as recorded: reflections, a microphone's colour (takes differ by 1.2 dB), ended where it dies away.

    Args:
        rng: Source of chance.
        samples: The dry hit at any level.
        strength: 0 to 1.
        ring_s: Longest sound after the contact.
        lead_s: Sound before the contact.
        wet: Strength of the early reflections.
        colour: Filters that it goes through besides, in the same pass.
    """
    tilt = 10.0 ** (rng.normal(0.0, 1.2) / 20.0)
    low_hz = MICROPHONE_LOW_HZ * np.exp(rng.normal(0.0, 0.4))
    sound = in_a_room(rng, samples, wet)
    level = np.abs(sound)
    audible = level > level.max() * 10.0 ** (END_DB / 20.0)
    end = len(audible) - int(audible[::-1].argmax()) if audible.any() else 1
    heard_s = min(ring_s, max(0.02, end / RATE_HZ - lead_s))
    microphone = shelf(tilt, TILT_HZ), butterworth(low_hz, 1, high=True)
    return finished_hit(sound, strength, ring_s=heard_s, lead_s=lead_s, colour=(*colour, *microphone))
