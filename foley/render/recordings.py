"""Sound out of recordings: single hits cut at their onsets and varied, stretches played on for as long as one likes.

Nothing here is looked at over the stretch that is made: every window of an event gets what is the recording's own, so
that windows fit to one another.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from foley.dsp.fades import Samples, edge_faded, equal_power
from foley.dsp.onsets import onset_near
from foley.dsp.resample import resample
from foley.model import Audio
from foley.render.segments import best_hits
from foley.units import RATE_HZ, to_db, to_gain, to_samples, to_seconds

CHANNELS = 2

LEAD_S = 0.25
"""Before a hit's instant: a foot in snow or a whoosh is heard so long before it counts as begun."""

PEAK = 0.5
"""Of a hit of strength 1: two that meet do not clip."""

TEXTURE_GAIN = to_gain(-23.0)
"""RMS of what goes on, at intensity 1: 20 dB of room for its peaks."""

USABLE = 0.4
"""Score of a hit that can stand alone: whole, out of the noise, not cut off by the next."""

SOFT = 0.15
"""A hit softer than this part of its series' loudest is a fault of the recording, or another thing."""

PITCH_SEMITONES = 0.3
"""Hits differ by up to this: as two steps of one shoe do. More, and the thing itself seems to change."""

LONE_SEMITONES = 0.9
"""Where there are fewer than `FEW` different hits: more, as the ear would know the same one again."""

FEW = 4

TILT_DB = 2.0
"""Brightness differs by up to this."""

SOFT_TILT_DB = -12.0
"""What a hit of strength 0 loses above 2 kHz: soft contact lasts longer, so it excites less of the treble."""

LEVEL_DB = 1.0

AGAIN_S = 0.1
"""Around its onset a varied hit's onset is measured again: a change of pitch and of treble moves it."""

SEAM_S = 0.25
"""Crossfade between two stretches of a recording; long, so that no seam is an event of its own."""

SEARCH_S = 0.02
"""How far a stretch is moved so that its waves fall on those before: a period of 50 Hz."""

STEADY_DB = -9.0
"""What a texture at intensity 0 loses above 2 kHz."""


@dataclass(frozen=True, slots=True, eq=False)
class Cut:
    """One hit of a recording, ready to be played."""

    samples: Samples
    """At 48 kHz, shape (2, n); its peak is 1."""
    onset: int
    source: str
    """The recording's name."""


def loaded(path: Path, start_s: float = 0.0, end_s: float | None = None) -> Audio:
    """Return a stretch of a recording at 48 kHz in stereo: mono on both sides, of more channels the front two.

    Raises:
        FoleyError: where it cannot be read.
    """
    from foley.errors import NotAMediaFileError
    from foley.media import sound

    file = sound.describe(path)
    last = file.length if end_s is None else min(file.length, to_samples(end_s, file.rate_hz))
    try:
        samples = sound.read(file, to_samples(start_s, file.rate_hz), last)
    except RuntimeError as cause:  # libsndfile's, where the file breaks off
        raise NotAMediaFileError(path, "breaks off", hint="foley library check") from cause
    stereo = np.repeat(samples, CHANNELS, axis=0) if samples.shape[0] == 1 else samples[:CHANNELS]
    return resample(Audio(np.nan_to_num(stereo), file.rate_hz), RATE_HZ)


def cuts(audio: Audio, source: str, *, tail_s: float, most: int) -> list[Cut]:
    """Return the single hits of a recording by time, those that can stand alone; the best one, where none can."""
    found = best_hits(audio, count=most, tail_s=tail_s)
    usable = [hit for hit in found if hit.score >= USABLE] or found[:1]
    made = []
    for hit in sorted(usable, key=lambda hit: hit.first):
        peak = float(np.max(np.abs(hit.samples), initial=0.0))
        if peak > 0.0:
            made.append((peak, Cut(hit.samples / np.float32(peak), hit.onset, source)))
    loudest = max((peak for peak, _ in made), default=0.0)
    return [cut for peak, cut in made if peak >= SOFT * loudest]


def played(cut: Cut, rng: np.random.Generator, strength: float, *, alone: bool) -> tuple[Samples, int]:
    """Return a hit as it sounds this time, and the sample at which it begins to be heard.

    Args:
        cut: The hit.
        rng: Its chance.
        strength: 0 to 1: level, and treble.
        alone: There are few others: it is varied more.
    """
    from foley.synth.chain import tilted

    reach = LONE_SEMITONES if alone else PITCH_SEMITONES
    factor = 2.0 ** (rng.uniform(-reach, reach) / 12.0)
    tilt_db = rng.uniform(-TILT_DB, TILT_DB) + (1.0 - strength) * SOFT_TILT_DB
    made = resample(Audio(cut.samples, RATE_HZ), round(RATE_HZ / factor))
    varied = np.asarray(tilted(made.samples.astype(np.float64), to_gain(tilt_db)), np.float32)
    onset = round(cut.onset / factor)
    around = to_seconds(onset, RATE_HZ)
    measured_s = onset_near(Audio(varied, RATE_HZ), around, AGAIN_S)
    peak = float(np.max(np.abs(varied), initial=0.0))
    gain = PEAK * strength * to_gain(rng.uniform(-LEVEL_DB, LEVEL_DB)) / max(peak, 1e-9)
    return varied * np.float32(gain), onset if measured_s is None else to_samples(measured_s, RATE_HZ)


def turned(audio: Audio, rng: np.random.Generator) -> Audio:
    """Return a sound a little higher or lower, and shorter or longer with it."""
    factor = 2.0 ** (rng.uniform(-PITCH_SEMITONES, PITCH_SEMITONES) / 12.0)
    return Audio(resample(audio, round(RATE_HZ / factor)).samples, RATE_HZ)


def laid(total: Samples, samples: Samples, first: int) -> None:
    """Add a sound at a sample; what lies before the start is cut with a short fade, what lies past the end is cut."""
    if first < 0:
        samples, first = edge_faded(samples[:, -first:], fade_in=to_samples(0.002, RATE_HZ), fade_out=0), 0
    end = min(first + samples.shape[1], total.shape[1])
    if end > first:
        total[:, first:end] += samples[:, : end - first]


def played_on(audio: Audio, length: int, rng: np.random.Generator, *, from_start: bool = False) -> Samples:
    """Return a stretch of a recording for as long as asked: other parts of it follow, without a seam.

    Parts are drawn at random, never the same place twice in a row, and each is moved by up to `SEARCH_S` to where its
    waves fit best those that it takes over from. The crossfade keeps the power for the correlation that is then there:
    gains a and b are divided by sqrt(a^2 + b^2 + 2 r a b).

    Args:
        audio: What goes on evenly, at 48 kHz.
        length: Samples.
        rng: Source of chance.
        from_start: Begin where the recording begins, as what has a beginning does.
    """
    source = audio.samples
    seam = min(to_samples(SEAM_S, RATE_HZ), source.shape[1] // 4)
    out = np.zeros((source.shape[0], length), np.float32)
    at = 0 if from_start else int(rng.integers(0, max(1, source.shape[1] // 2)))
    part = source[:, at : at + length]
    out[:, : part.shape[1]] = part
    done = part.shape[1]
    while done < length:
        at = _next_place(source.shape[1], at, seam, rng)
        at = _matched(out[:, done - seam : done], source, at)
        part = source[:, at : at + length - done + seam]
        _join(out, part, done - seam, seam)
        done += part.shape[1] - seam
    return out


def _next_place(length: int, before: int, seam: int, rng: np.random.Generator) -> int:
    """Return where the next part begins: in the first half, and far from where the one before did."""
    room = max(1, length // 2 - seam)
    place = int(rng.integers(0, room))
    return place if abs(place - before) >= room // 4 else (place + room // 2) % room


def _matched(before: Samples, source: Samples, at: int) -> int:
    """Return the place near `at` whose waves resemble most those that they are laid over."""
    reach = min(to_samples(SEARCH_S, RATE_HZ), at)
    head = before.mean(axis=0, dtype=np.float64)
    near = source[:, at - reach : at + reach + head.size].mean(axis=0, dtype=np.float64)
    if near.size < head.size or not head.any():
        return at
    size = 1 << (near.size + head.size).bit_length()
    products = np.fft.irfft(np.fft.rfft(near, size) * np.conj(np.fft.rfft(head, size)), size)
    sums = np.concatenate([[0.0], np.cumsum(np.square(near))])
    powers = sums[head.size :] - sums[: -head.size]
    return at - reach + int(np.argmax(products[: powers.size] / np.sqrt(np.maximum(powers, 1e-12))))


def _join(out: Samples, part: Samples, first: int, seam: int) -> None:
    """Lay a part over the end of what is there."""
    rise, old, new = equal_power(seam), out[:, first : first + seam].copy(), part[:, :seam]
    power = float(np.sqrt(np.sum(np.square(old)) * np.sum(np.square(new))))
    alike = max(0.0, float(np.sum(old * new)) / power) if power > 0.0 else 0.0
    gain = 1.0 / np.sqrt(1.0 + 2.0 * alike * rise * rise[::-1])
    out[:, first : first + seam] = (old * rise[::-1] + new * rise) * gain
    out[:, first + seam : first + part.shape[1]] = part[:, seam:]


def as_intense(samples: Samples, intensity: npt.NDArray[np.float32]) -> Samples:
    """Return what goes on as loud and as bright as its curve says."""
    from foley.synth.chain import tilted

    if np.all(intensity >= 1.0):
        return samples
    dull = np.asarray(tilted(samples.astype(np.float64), to_gain(STEADY_DB)), np.float32)
    return (dull + (samples - dull) * intensity) * intensity


def usual_gain(audio: Audio) -> float:
    """Return the factor that brings what goes on to the level all of it has here; its own, whatever part is played."""
    level = to_db(float(np.sqrt(np.mean(np.square(audio.samples, dtype=np.float64)))) if audio.length else 0.0)
    peak = float(np.max(np.abs(audio.samples), initial=0.0))
    return min(TEXTURE_GAIN / to_gain(level), 0.98 / peak) if peak > 0.0 else 0.0


def sounding(audio: Audio, hits_db: float = -40.0) -> Audio:
    """Return a recording without the silence around it."""
    levels = np.max(np.abs(audio.samples), axis=0)
    heard = np.flatnonzero(levels > levels.max(initial=0.0) * to_gain(hits_db))
    return Audio(audio.samples[:, heard[0] : heard[-1] + 1], audio.rate_hz) if heard.size else audio


def rounds(cuts_of: Sequence[Cut], rng: np.random.Generator) -> list[Cut]:
    """Return hits in the order in which they are played, again and again: none before all others have been."""
    return [cuts_of[number] for number in rng.permutation(len(cuts_of)).tolist()]
