"""Single hits out of a take that holds several, or one among other things: cut at its onsets, the best first.

A generator that reads a prompt is asked for a hit and gives two, or one late, or one in the tail of another. Its sound
is good all the same, if only the hit is taken out of it whole: from just before its attack to the end of its ring.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from foley.dsp.fades import Samples, edge_faded
from foley.dsp.onsets import Attack, attacks
from foley.model import Audio
from foley.units import to_db, to_gain, to_samples

LOUD = 0.25
"""A rise from this part of the strongest on begins a hit (12 dB below it); weaker ones are rattle in another's tail."""

TOGETHER_S = 0.08
"""Rises nearer than this to a hit's first are one hit: heel and ball of a foot, both jaws of a latch."""

LEAD_S = 0.004
"""Kept before an onset for the fade-in: too short to be heard, longer than two periods of 500 Hz."""

LEAD_SHARE = 0.35
"""Kept besides, as part of the attack's length after its onset: an onset is where a fifth of the climb is done, so a
quarter of what follows lies before it; some more for attacks that begin gently."""

FADE_OUT_S = 0.02
"""Fade at the end of a hit that has rung out; short against any ring."""

CUT_FADE_S = 0.06
"""Fade at the end of a hit that the next one cuts off: as a hand that damps it."""

FRAME_S = 0.01
"""Step in which a ring is followed."""

FLOOR_FRAMES = 5
"""What was before a hit is looked at for 50 ms: longer, it would be the tail of the hit before while that was loud."""

RUNG_OUT_DB = -50.0
"""Below its peak a ring is over there: what is fainter is masked by the attack for longer than it lasts."""

OVER_FLOOR = 1.5
"""A ring is over, too, where it is less than 3.5 dB above the noise before the hit."""

WHOLE_FALL_DB = 30.0
"""A hit that fell this far before it was cut off is whole: what is missing is 3 % of its amplitude."""

CLEAR_DB = 40.0
"""A hit this far above what was before it stands alone; further makes no difference."""

SHARP_S, DULL_S = 0.005, 0.2
"""Attack of a click, and of a foot in snow: sharpness 1 and 0, and by the logarithm of the attack between them."""

FRAGMENT_S = 0.06
"""A hit with less room than this is a fragment: shorter than any body of a sound."""

FULL_SCALE = 0.999
"""Samples in a row from here on were clipped."""

CLIPPED_ROW = 3

CLIPPED_SHARE = 1e-3
"""A sound with more of its samples in such rows is heard to be distorted; a blow that touches full scale is not."""

WEIGHTS = {"room": 0.25, "whole": 0.25, "clear": 0.2, "sharp": 0.1, "strong": 0.2}
"""What makes a hit good, each from 0 to 1: room before the next hit (of `tail_s`), how far its ring fell before it was
cut off, how far it stands above what was before it, how sharp its attack is, how strong it is beside the strongest.
Room and wholeness decide whether it can be used alone, so they weigh half."""

SPOILT = 0.25
"""Factor of the score of a clipped hit, and of a fragment: used only where nothing better is there."""


@dataclass(frozen=True, slots=True, eq=False)
class SingleHit:
    """One hit, cut out of a take."""

    samples: Samples
    """Shape (channels, n), at the take's rate; faded at both ends."""
    onset: int
    """The sample at which it begins to be heard."""
    score: float
    """0 (a fragment in another's tail) to 1."""
    first: int
    """Where in the take its first sample was."""


@dataclass(frozen=True, slots=True)
class _Found:
    """One hit as it lies in a take."""

    begins_s: float
    """Where its attack begins: a little before its onset."""
    onset_s: float
    """Where it begins to be heard."""
    peak_s: float
    """Where its level is highest."""
    level: float
    """There; RMS of 10 ms."""
    floor: float
    """Level of what was before it."""
    until_s: float
    """Where it must end: where the next hit begins, or with the take."""
    followed: bool
    """Whether another hit follows."""

    @property
    def room_s(self) -> float:
        """Return how long it may sound."""
        return self.until_s - self.onset_s


def best_hits(audio: Audio, *, count: int, tail_s: float) -> list[SingleHit]:
    """Return the best single hits of a take, the best first; fewer where it has fewer, none where nothing begins in it.

    Args:
        audio: A take, of seconds rather than minutes.
        count: How many at most.
        tail_s: How long a hit may sound after its onset.
    """
    levels = _levels(audio)
    found = _found(audio, levels)
    strongest = max((hit.level for hit in found), default=0.0)
    hits = []
    for hit in found:
        ends_s = min(hit.until_s, hit.onset_s + tail_s, _rung_out_s(hit, levels))
        cut = _cut(audio, hit, ends_s)
        score = _score(hit, levels, ends_s=ends_s, tail_s=tail_s, strongest=strongest)
        spoilt = hit.room_s < FRAGMENT_S or is_clipped(cut.samples)
        hits.append(replace(cut, score=score * SPOILT if spoilt else score))
    return sorted(hits, key=lambda hit: (-hit.score, hit.first))[:count]


def _levels(audio: Audio) -> npt.NDArray[np.float64]:
    """Return the RMS level of every frame, shape (frames,); a last frame that is not full is left out."""
    frame = max(1, round(FRAME_S * audio.rate_hz))
    whole = audio.samples[:, : audio.length // frame * frame].reshape(audio.channels, -1, frame)
    return np.asarray(np.sqrt(np.mean(np.square(whole, dtype=np.float64), axis=(0, 2))))


def blows(audio: Audio) -> list[list[Attack]]:
    """Return the clear rises of a take by time, those that belong to one blow together."""
    rises = attacks(audio)
    strongest = max((rise.rise for rise in rises), default=0.0)
    found: list[list[Attack]] = []
    for rise in (rise for rise in rises if rise.rise >= LOUD * strongest):
        if found and rise.time_s - found[-1][0].time_s < TOGETHER_S:
            found[-1].append(rise)
        else:
            found.append([rise])
    return found


def _found(audio: Audio, levels: npt.NDArray[np.float64]) -> list[_Found]:
    """Return the hits of a take, by time."""
    groups = blows(audio)
    nexts: list[list[Attack] | None] = [*groups[1:], None]
    return [
        _as_one(group, after, levels, whole_s=audio.duration_s) for group, after in zip(groups, nexts, strict=False)
    ]


def _begins_s(rise: Attack) -> float:
    return max(0.0, rise.time_s - LEAD_S - LEAD_SHARE * (rise.peak_s - rise.time_s))


def _as_one(
    group: Sequence[Attack], following: Sequence[Attack] | None, levels: npt.NDArray[np.float64], *, whole_s: float
) -> _Found:
    """Return rises that belong together as one hit: it begins with the first, and is as strong as the strongest."""
    first, highest = group[0], max(group, key=lambda rise: rise.rise)
    begins_s = _begins_s(first)
    floor = _floor(levels, begins_s)
    return _Found(
        begins_s=begins_s,
        onset_s=first.time_s,
        peak_s=highest.peak_s,
        level=highest.rise + floor,
        floor=floor,
        until_s=max(_begins_s(following[0]), first.time_s) if following else whole_s,
        followed=following is not None,
    )


def _floor(levels: npt.NDArray[np.float64], begins_s: float) -> float:
    """Return the level just before a time; nothing at the start of a take."""
    last = int(begins_s / FRAME_S)
    before = levels[max(0, last - FLOOR_FRAMES) : last]
    return float(np.median(before)) if before.size else 0.0


def _rung_out_s(hit: _Found, levels: npt.NDArray[np.float64]) -> float:
    """Return where a hit is over: after its last frame that stands out of the floor and is heard beside its peak."""
    first, last = int(hit.onset_s / FRAME_S), round(hit.until_s / FRAME_S)
    threshold = max(OVER_FLOOR * hit.floor, hit.level * to_gain(RUNG_OUT_DB))
    sounding = np.flatnonzero(levels[first:last] > threshold)
    return (first + int(sounding[-1]) + 1) * FRAME_S if sounding.size else hit.until_s


def _cut(audio: Audio, hit: _Found, ends_s: float) -> SingleHit:
    """Return a hit with its lead and its tail, faded at both ends, not yet judged."""
    onset, first = to_samples(hit.onset_s, audio.rate_hz), to_samples(hit.begins_s, audio.rate_hz)
    last = max(min(to_samples(ends_s, audio.rate_hz), audio.length), onset + 1)
    fade_s = CUT_FADE_S if hit.followed and ends_s >= hit.until_s else FADE_OUT_S
    samples = edge_faded(
        audio.samples[:, first:last],
        fade_in=min(onset - first, to_samples(LEAD_S, audio.rate_hz)),
        fade_out=min(to_samples(fade_s, audio.rate_hz), (last - onset) // 2),
    )
    return SingleHit(samples, onset - first, 0.0, first)


def _score(hit: _Found, levels: npt.NDArray[np.float64], *, ends_s: float, tail_s: float, strongest: float) -> float:
    """Return how good a hit is by `WEIGHTS`, 0 to 1."""
    end = min(max(1, round(ends_s / FRAME_S)), levels.size)
    left = float(levels[end - 1]) if levels.size else 0.0
    fell_db = to_db(hit.level) - to_db(left)
    attack_s = max(hit.peak_s - hit.onset_s, SHARP_S)
    # what has rung out has all the room that it needs
    room = 1.0 if ends_s < hit.until_s else hit.room_s / max(tail_s, FRAME_S)
    marks = {
        "room": room,
        "whole": fell_db / WHOLE_FALL_DB,
        "clear": (to_db(hit.level) - to_db(hit.floor)) / CLEAR_DB,
        "sharp": 1.0 - math.log(attack_s / SHARP_S) / math.log(DULL_S / SHARP_S),
        "strong": hit.level / strongest,
    }
    return sum(WEIGHTS[name] * min(max(mark, 0.0), 1.0) for name, mark in marks.items())


def is_clipped(samples: Samples, *, full_scale: float = FULL_SCALE) -> bool:
    """Return whether so many samples stand at full scale, three in a row as meters count an over, that it is heard."""
    full = np.abs(samples) >= full_scale
    row = full[:, CLIPPED_ROW - 1 :].copy()
    for back in range(1, CLIPPED_ROW):
        row &= full[:, CLIPPED_ROW - 1 - back : -back]
    return bool(row.size and row.mean() > CLIPPED_SHARE)
