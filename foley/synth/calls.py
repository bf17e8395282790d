"""What throats say: one utterance as data, a hit made of it, and utterances one after another.

A call is a curve of pitch, one of level and one of how far the mouth opens, over a source and two sets of formants. So
an animal is a table entry. None of them bears a close, long look: they are stand-ins in exact time.

Sources: G. Fant, "Acoustic Theory of Speech Production", 1960 (source and filter); W. Fitch, "Vocal tract length and
formant frequency dispersion correlate with body size in rhesus macaques", JASA 102, 1997 (formants fall as
throats grow longer).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from foley.products import energy
from foley.synth.chain import recorded_hit
from foley.synth.excitation import Signal, decay, length_samples, low_passed
from foley.synth.recipe import Mono
from foley.synth.textures import control_times_s, cycles, heavy, scatter, slow_random, stretched
from foley.synth.voice import Formant, Throat, buzz, mouth
from foley.units import RATE_HZ, to_samples

Knots = tuple[tuple[float, float], ...]
"""A curve through (share of the length, value), straight between them."""

EVEN: Knots = ((0.0, 1.0), (1.0, 1.0))
RISE_AND_FALL: Knots = ((0.0, 0.0), (0.08, 0.8), (0.4, 1.0), (0.75, 0.7), (1.0, 0.0))


@dataclass(frozen=True, slots=True)
class Call:
    """One utterance of a kind of animal."""

    length_s: float
    pitch_hz: float
    """Where its curve is 1."""
    shut: tuple[Formant, ...]
    """Of the closed mouth."""
    wide: tuple[Formant, ...] = ()
    """Of the open one; without them the mouth does not move."""
    pitch: Knots = EVEN
    level: Knots = RISE_AND_FALL
    opening: Knots = ((0.0, 0.0), (0.4, 1.0), (1.0, 0.0))
    """0 shut to 1 wide."""
    tilt: float = 4.0
    """Corner of the source's fall, in multiples of the pitch: 1.5 a hoot, 12 a bray."""
    breath: float = 0.1
    """RMS of the noise re the voice."""
    jitter: float = 0.01
    rough: float = 0.0
    """As `Throat.rough`."""
    tremble_hz: float = 0.0
    tremble: float = 0.0
    """Relative swing of pitch at `tremble_hz`; level swings four times as much."""


@dataclass(frozen=True, slots=True)
class Specimen:
    """One animal of its kind: factors on what a `Call` says."""

    pitch: float = 1.0
    throat: float = 1.0
    """On the formants: above 1 a shorter throat."""

    @classmethod
    def of(cls, chance: np.random.Generator, pitch: float = 1.0, throat: float = 1.0) -> Specimen:
        """Return an animal that differs from others by 7 % in pitch and 4 % in length of throat."""
        return cls(pitch * float(np.exp(chance.normal(0, 0.07))), throat * float(np.exp(chance.normal(0, 0.04))))


def curve(knots: Knots, samples: int) -> Signal:
    """Return the curve for every sample."""
    at, values = zip(*knots, strict=True)
    places = control_times_s(samples) * (RATE_HZ / max(samples, 1))
    return stretched(np.asarray(np.interp(places, at, values), np.float64), samples)


def uttered(rng: np.random.Generator, call: Call, who: Specimen, effort: float = 1.0) -> Signal:
    """Return one utterance, RMS 1 over its length: no two last equally long or take the same turn.

    Args:
        rng: Chance of this utterance.
        call: What is uttered.
        who: The animal.
        effort: 0 to 1: with less the voice is duller and a little lower.
    """
    samples = length_samples(call.length_s * float(np.exp(rng.normal(0.0, 0.10))))
    drift = np.exp(0.035 * slow_random(rng, samples, 4.0) + rng.normal(0.0, 0.03))
    pitch = call.pitch_hz * who.pitch * (0.9 + 0.1 * effort) * curve(call.pitch, samples) * drift
    level = curve(call.level, samples)
    if call.tremble_hz > 0.0:
        rate_hz = call.tremble_hz * (1 + 0.1 * slow_random(rng, samples, 3.0))
        swing = np.sin(2 * np.pi * cycles(rate_hz) + 6.3 * rng.random())
        pitch, level = pitch * (1 + call.tremble * swing), level * (1 + min(0.9, 4 * call.tremble) * swing)
    tilt_hz = call.tilt * call.pitch_hz * who.pitch * (0.4 + 0.6 * effort)
    source = buzz(rng, pitch, Throat(tilt_hz, jitter=call.jitter, rough=call.rough))
    source += call.breath * rng.standard_normal(samples)
    sound = mouth(source, call.shut, scale=who.throat)
    if call.wide:
        opening = curve(call.opening, samples)
        sound += opening * (mouth(source, call.wide, scale=who.throat) - sound)
    sound = _at_rms_1(sound * level)
    # what is rough comes in bursts, which a real throat cannot let out at full height
    return _at_rms_1(np.tanh(sound / BURST)) if call.rough > SMOOTH else sound


def _at_rms_1(sound: Signal) -> Signal:
    return np.asarray(sound / (np.sqrt(np.mean(np.square(sound))) + 1e-9), np.float64)


SMOOTH, BURST = 0.3, 2.5
"""Roughness from which a voice's bursts are bent, and the height re its RMS that they approach."""


def joined(parts: Sequence[tuple[float, Signal]], overlap_s: float = 0.0) -> Signal:
    """Return sounds one after another, each with the silence before it.

    Args:
        parts: Seconds of silence and sound.
        overlap_s: How far each reaches into the next.
    """
    starts, at = [], 0
    for gap_s, part in parts:
        at += to_samples(gap_s, RATE_HZ)
        starts.append(at)
        at += max(1, len(part) - to_samples(overlap_s, RATE_HZ))
    total = np.zeros(max(start + len(part) for start, (_gap_s, part) in zip(starts, parts, strict=True)))
    for start, (_gap_s, part) in zip(starts, parts, strict=True):
        total[start : start + len(part)] += part
    return total


Says = Call | Callable[[np.random.Generator, Specimen, float], Signal]
"""What an animal says: one call, or several made into a phrase from chance, animal and effort."""


def said(rng: np.random.Generator, what: Says, who: Specimen, effort: float = 1.0) -> Signal:
    """Return a call or phrase."""
    return uttered(rng, what, who, effort) if isinstance(what, Call) else what(rng, who, effort)


# --- hits ------------------------------------------------------------------------------------------------------------

LEAD_S = 0.006
"""Throats swell: what is left of a call before its beginning, so that it does not start with a click."""
HEARD = 0.15
"""A call begins where it first reaches this share of its peak."""


def in_time(sound: Signal | Mono, lead_s: float = LEAD_S) -> Signal:
    """Return the sound so that it begins to be heard `lead_s` after its first sample."""
    at = int(np.argmax(np.abs(sound) >= HEARD * np.abs(sound).max()))
    lead = to_samples(lead_s, RATE_HZ)
    heard = np.concatenate([np.zeros(max(0, lead - at)), sound[max(0, at - lead) :]])
    heard[:lead] *= np.linspace(0.0, 1.0, lead) ** 2
    return heard


def called_hit(rng: np.random.Generator, sound: Signal, strength: float, *, ring_s: float, wet: float = 0.3) -> Mono:
    """Return a call as a finished hit that is heard `LEAD_S` after its first sample."""
    recorded = recorded_hit(rng, in_time(sound), strength, ring_s=ring_s, lead_s=LEAD_S, wet=wet)
    # what the room adds to the peak moves the instant from which the call is heard
    return np.asarray(in_time(recorded), np.float32)


# --- one after another -----------------------------------------------------------------------------------------------

SILENT = 0.02
"""Below this intensity nothing calls."""


def begins(intensity: Mono) -> list[int]:
    """Return the samples at which an intensity rises out of silence; one at the very start is no rise."""
    loud = np.asarray(intensity) > SILENT
    return (np.nonzero(loud[1:] & ~loud[:-1])[0] + 1).tolist()


def in_turn(
    rng: np.random.Generator, intensity: Mono, calls: Sequence[Signal], *, gap_s: float, spread: float = 0.35
) -> Signal:
    """Return one throat's calls, one after the other; expected RMS `turn_rms` for calls of RMS 1.

    A call begins wherever the intensity rises out of silence: what is seen to start is heard to start. Otherwise a
    stretch begins in the middle of something.

    Args:
        rng: Chance.
        intensity: Of every sample.
        calls: To choose from; no call follows itself.
        gap_s: Mean pause.
        spread: Relative spread of the pauses.
    """
    samples = len(intensity)
    at: list[int] = []
    which: list[int] = []
    rises = begins(intensity)
    first = int(-rng.random() * (len(calls[0]) + gap_s * RATE_HZ))
    for start, end in pairwise([first, *rises, samples]):
        place, last = start, -1
        while place < end:
            pick = int(rng.integers(len(calls)))
            last = (pick + 1) % len(calls) if pick == last else pick
            at.append(place)
            which.append(last)
            place += len(calls[last]) + int(gap_s * RATE_HZ * max(0.15, rng.normal(1.0, spread)))
    levels = heavy(rng, len(at), 0.15)
    return scatter(samples, np.array(at, np.int64), levels, grains=calls, which=np.array(which, np.int64))


def pressed(sound: Signal, intensity: Mono, corner_hz: float = 1200.0) -> Signal:
    """Return the sound duller where its intensity is low: who calls softly calls with less edge."""
    dull = low_passed(sound, corner_hz, 1)
    return dull + (sound - dull) * (0.35 + 0.65 * np.asarray(intensity, np.float64))


def turn_rms(calls: Sequence[Signal], gap_s: float) -> float:
    """Return the expected RMS of `in_turn`: the share of time that is called through."""
    call_s = float(np.mean([len(call) for call in calls])) / RATE_HZ
    return float(np.sqrt(call_s / (call_s + gap_s))) * 1.02


def far_off(rng: np.random.Generator, sound: Signal, t60_s: float, *, wet: float, corner_hz: float = 5000.0) -> Signal:
    """Return the sound with the answer of a large space, as `textures.reverberant`, in single precision: half the time.

    Args:
        rng: Chance.
        sound: The dry sound.
        t60_s: Reverberation time.
        wet: RMS of the answer to a steady sound of RMS 1.
        corner_hz: The answer is duller above.
    """
    from scipy.signal import oaconvolve

    length = length_samples(t60_s)
    answer = low_passed(rng.standard_normal(length) * decay(length, t60_s), corner_hz, 1)
    answer *= wet / float(np.sqrt(energy(answer)))
    dry: npt.NDArray[np.float32] = np.asarray(sound, np.float32)
    return np.asarray(sound + oaconvolve(dry, answer.astype(np.float32))[: len(sound)], np.float64)
