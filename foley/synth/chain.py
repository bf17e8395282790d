"""The recording chain: what turns computed vibration into a take that could have been recorded close, in a dry room.

Dry physics is farther from recordings than recordings of other things are. A few early reflections, a microphone's tilt
and a fall in brightness with strength close most of that gap; reverberation is left to the mix.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import numpy.typing as npt
from scipy import fft

from foley.synth.excitation import Signal, butterworth, decay, filtered, length_samples, low_passed, shelf
from foley.synth.finish import character, finished_hit
from foley.synth.recipe import Mono
from foley.units import RATE_HZ

END_DB = -66.0
"""A hit is over where it stays under this re its peak."""


def mixed(*parts: Signal) -> Signal:
    """Return the sum of sounds that start together."""
    total = np.zeros(max(len(part) for part in parts))
    for part in parts:
        total[: len(part)] += part
    return total


def delayed(samples: Signal, delay_s: float) -> Signal:
    """Return the sound after a silence."""
    return np.concatenate([np.zeros(round(delay_s * RATE_HZ)), samples])


def peak_of(samples: Signal, peak: float = 1.0) -> Signal:
    """Return the sound scaled to a peak."""
    return samples * (peak / (float(np.abs(samples).max()) + 1e-12))


STAGE_T60_S = 0.3
"""Of the room: a Foley stage, treated so that only a hint of it stays on the take."""

TAIL_SHARE = 0.8
"""Of that hint, re the reflections; with this T60, the sounds of 16 classes come nearest to recordings (measured)."""

STAGES = 16
"""Tails that takes are made with: no two blows come from the same spot, and nobody tells sixteen spots apart."""

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
    shell = low_passed(samples, WALL_HZ, 1)
    answered = np.zeros(len(samples) + _tail_samples() - 1)
    answered[: len(samples)] = samples
    places = length_samples(0.0015) * np.geomspace(1.0, 13.0, 8) * rng.uniform(0.85, 1.18, 8)
    gains = wet * np.geomspace(0.5, 0.16, 8) * rng.uniform(0.6, 1.0, 8) * rng.choice([-1.0, 1.0], 8)
    for at, gain in zip(places.astype(int).tolist(), gains.tolist(), strict=True):
        answered[at : at + len(shell)] += gain * shell
    size = _transform_size(len(answered))
    tail = fft.rfft(samples.astype(np.float32), size) * _tail_bins(int(rng.integers(STAGES)), size)
    answered += (TAIL_SHARE * wet) * fft.irfft(tail, size)[: len(answered)]
    return answered


def _tail_samples() -> int:
    return length_samples(1.1 * STAGE_T60_S)


def _transform_size(length: int) -> int:
    """Return the length of a transform that holds so many samples: one of few, so that what is kept is used again."""
    return next(size << power for power in range(8, 32) for size in (4, 5, 6, 7) if size << power >= length)


@lru_cache(maxsize=256)
def _tail_bins(stage: int, size: int) -> npt.NDArray[np.complex64]:
    """Return the spectrum of a stage's tail: noise of energy 1 before the walls took its treble."""
    length = _tail_samples()
    tail = character("stage", stage).standard_normal(length) * decay(length, STAGE_T60_S)
    tail *= np.minimum(1.0, np.arange(length) / (0.02 * RATE_HZ))  # it builds up while the early ones arrive
    tail = low_passed(tail / np.sqrt(np.sum(tail * tail)), WALL_HZ, 1)
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
        ramp = 0.5 - 0.5 * np.cos(np.pi * (np.arange(count) + 0.5) / max(count, 1))
        result[side][:count] *= ramp
    return result


def recorded_hit(
    rng: np.random.Generator,
    samples: Signal,
    strength: float,
    *,
    ring_s: float,
    lead_s: float = 0.0,
    wet: float = 0.35,
) -> Mono:
    """Return a hit as recorded: reflections, a microphone's colour (takes differ by 1.2 dB), ended where it dies away.

    Args:
        rng: Source of chance.
        samples: The dry hit at any level.
        strength: 0 to 1.
        ring_s: Longest sound after the contact.
        lead_s: Sound before the contact.
        wet: Strength of the early reflections.
    """
    tilt = 10.0 ** (rng.normal(0.0, 1.2) / 20.0)
    low_hz = MICROPHONE_LOW_HZ * np.exp(rng.normal(0.0, 0.4))
    sound = in_a_room(rng, samples, wet)
    audible = np.nonzero(np.abs(sound) > np.abs(sound).max() * 10.0 ** (END_DB / 20.0))[0]
    end = int(audible[-1]) + 1 if len(audible) else 1
    heard_s = min(ring_s, max(0.02, end / RATE_HZ - lead_s))
    microphone = shelf(tilt, TILT_HZ), butterworth(low_hz, 1, high=True)
    return finished_hit(sound, strength, ring_s=heard_s, lead_s=lead_s, colour=microphone)
