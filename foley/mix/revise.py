"""Master an edited plan on top of its last master: what was not edited stays as it is, bit for bit."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import reduce

import numpy as np

from foley.dsp.limiter import MARGIN_DB, Curve, gain_between, limiter_curve, needed_gain
from foley.dsp.true_peak import Oversampler, Values, highest, reach
from foley.mix.level import MS_SAMPLES, stem_peaks
from foley.mix.strip import StemSum, Strip, compressor_curve
from foley.mix.sum import Block, spans
from foley.model import Bus, Master
from foley.units import clock, to_db, to_gain

_MARGIN_DB = MARGIN_DB / 2
"""Nearer to the ceiling than the first master went, so that what that one limited is not limited again."""
_LEAST_GAIN = to_gain(-60.0)
"""Giving way any further is not heard and would only take longer to come back."""
_WORTH_SAYING_DB = 3.0
"""From here on a bus that gives way is heard to."""


def edited_buses(old: Master, keys: Mapping[Bus, str]) -> list[Bus]:
    """Return the buses whose content is another than that of the last master."""
    return [bus for bus in keys if old.bus_keys.get(bus) != keys[bus]]


def carried_over(old: Master, keys: Mapping[Bus, str]) -> Master:
    """Return the last master for the buses there are now, with the limiter curve that all shared for the edited ones.

    The gain stays, and buses whose content stayed keep their curves.
    """
    # an edit only ever lowered a bus's own curve, so the highest is the one that all shared
    shared = np.maximum.reduce(list(old.limiter.values()))
    edited = edited_buses(old, keys)
    limiter = {bus: shared if bus in edited else old.limiter[bus] for bus in keys}
    compressor = {bus: curve for bus, curve in old.compressor.items() if bus in keys and bus not in edited}
    return replace(old, limiter=limiter, bus_keys=dict(keys), compressor=compressor)


def revised(
    carried: Master, edited: Mapping[Bus, Strip], beside: StemSum, *, length: int, ceiling_dbtp: float
) -> tuple[Master, tuple[str, ...]]:
    """Return the master with the curves of the edited buses, and what to say of it.

    They are compressed anew, and give way where the sum would pass the ceiling.

    Args:
        carried: What is kept of the last master.
        edited: The buses that changed.
        beside: The stems that did not.
        length: Samples of the timeline.
        ceiling_dbtp: Of the sum.
    """
    if not edited:
        return carried, ()
    found = {bus: compressor_curve(strip, length) for bus, strip in edited.items()}
    compressed = {bus: curve for bus, curve in found.items() if curve is not None}
    before = replace(carried, compressor={**carried.compressor, **compressed})
    extra = limiter_curve(_room(before, edited, beside, length=length, ceiling=to_gain(ceiling_dbtp - _MARGIN_DB)))
    lowered = {bus: before.limiter[bus] * extra for bus in edited}
    return replace(before, limiter={**before.limiter, **lowered}), _notes(list(edited), extra)


def _notes(changed: list[Bus], extra: Curve) -> tuple[str, ...]:
    deepest = int(extra.argmin())
    less_db = -to_db(float(extra[deepest]))
    if less_db < _WORTH_SAYING_DB:
        return ()
    return (
        f"{' and '.join(changed)} gives way by up to {less_db:.1f} dB (at {clock(deepest / 1000)}) so that the other "
        "stems stay as they are: re-master with --remaster",
    )


def mastered_block(master: Master, strip: Strip, bus: Bus, first: int, last: int) -> Block:
    """Return a stretch of a stem as it will be heard, before it is rounded to 24 bit."""
    gain = gain_between(master.limiter[bus], first, last) * np.float32(to_gain(master.gain_db))
    if bus in master.compressor:
        gain *= gain_between(master.compressor[bus], first, last)
    return strip.block(first, last) * gain


def _room(master: Master, edited: Mapping[Bus, Strip], beside: StemSum, *, length: int, ceiling: float) -> Curve:
    """Return for each millisecond how much of the edited buses fits under the ceiling beside the others, 0 to 1."""
    both = Oversampler(4, frame_samples=MS_SAMPLES)  # those beside and those that ask, two channels each
    room, alone = [], []
    for first, last in spans(length):
        stems = [mastered_block(master, strip, bus, first, last) for bus, strip in edited.items()]
        windows = both.windows(np.concatenate([beside.block(first, last), reduce(np.add, stems)]))
        share = np.ones(windows.shape[1], np.float32)
        near = reach(windows[:2]) + reach(windows[2:]) > ceiling
        if near.any():
            share[near] = _share(both.between(windows[:, near]), ceiling)
        room.append(share)
        # an edited stem alone must not pass the ceiling either, or its file would be clipped
        alone.append(needed_gain(stem_peaks(stems), ceiling))
    room.append(_share(both.finish(), ceiling))
    return np.minimum(np.concatenate(room), np.concatenate(alone))


def _share(both: Values, ceiling: float) -> Curve:
    """Return for each frame the largest share s of 0 to 1 with |beside + s * asking| under the ceiling everywhere.

    |beside| is under it already, so every smaller share is under it as well: a curve may dip lower than asked.
    """
    beside, asking = both[:2], both[2:]
    total = beside + asking
    share = np.ones(total.shape[1], np.float32)
    over = highest(total) > ceiling
    if not over.any():
        return share
    b, a, t = beside[:, over], asking[:, over], total[:, over]
    passing = (np.abs(t) > ceiling) & (a != 0)
    room = np.divide(np.copysign(ceiling, t) - b, a, out=np.ones_like(a), where=passing)
    share[over] = np.clip(room.min(axis=(0, 2)), _LEAST_GAIN, 1.0)
    return share
