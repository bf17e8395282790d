"""Master an edited plan on top of its last master: what was not edited stays as it is, bit for bit."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from foley.dsp.limiter import MARGIN_DB, Curve, gain_between, limiter_curve, needed_gain
from foley.dsp.true_peak import Oversampler, Values, highest
from foley.mix.level import MS_SAMPLES, stem_peaks
from foley.mix.sum import BUSES, Block, BusReader, spans
from foley.model import Bus, Master
from foley.units import clock, to_db, to_gain

_MARGIN_DB = MARGIN_DB / 2
"""Nearer to the ceiling than the first master went, so that what that one limited is not limited again."""
_LEAST_GAIN = to_gain(-60.0)
"""Giving way any further is not heard and would only take longer to come back."""
_WORTH_SAYING_DB = 3.0
"""From here on a bus that gives way is heard to."""


def revised(
    old: Master, readers: Mapping[Bus, BusReader], keys: Mapping[Bus, str], *, length: int, ceiling_dbtp: float
) -> tuple[Master, tuple[str, ...]]:
    """Return the master for edited buses, and what to say of it.

    The gain stays. Buses whose content stayed keep their curve. The others take the curve that all shared, and give
    way further where the sum would pass the ceiling.
    """
    changed = [bus for bus in BUSES if old.bus_keys.get(bus) != keys[bus]]
    # an edit only ever lowered a bus's own curve, so the highest is the one that all shared
    shared = np.maximum.reduce([old.limiter[bus] for bus in BUSES])
    limiter = {bus: shared if bus in changed else old.limiter[bus] for bus in BUSES}
    if not changed:
        return Master(old.gain_db, old.target_lufs, limiter, dict(keys)), ()
    before = Master(old.gain_db, old.target_lufs, limiter, dict(keys))
    extra = limiter_curve(_room(before, readers, changed, length=length, ceiling=to_gain(ceiling_dbtp - _MARGIN_DB)))
    limiter = {bus: shared * extra if bus in changed else old.limiter[bus] for bus in BUSES}
    return Master(old.gain_db, old.target_lufs, limiter, dict(keys)), _notes(changed, extra)


def _notes(changed: list[Bus], extra: Curve) -> tuple[str, ...]:
    deepest = int(extra.argmin())
    less_db = -to_db(float(extra[deepest]))
    if less_db < _WORTH_SAYING_DB:
        return ()
    return (
        f"{' and '.join(changed)} gives way by up to {less_db:.1f} dB (at {clock(deepest / 1000)}) so that the other "
        "stems stay as they are: re-master with --remaster",
    )


def mastered_block(master: Master, reader: BusReader, bus: Bus, first: int, last: int) -> Block:
    """Return a stretch of a stem as it will be heard, before it is rounded to 24 bit."""
    gain = gain_between(master.limiter[bus], first, last) * np.float32(to_gain(master.gain_db))
    return reader.block(first, last) * gain


def _room(
    master: Master, readers: Mapping[Bus, BusReader], changed: list[Bus], *, length: int, ceiling: float
) -> Curve:
    """Return for each millisecond how much of the changed buses fits under the ceiling beside the others, 0 to 1."""
    kept, edited = Oversampler(2, frame_samples=MS_SAMPLES), Oversampler(2, frame_samples=MS_SAMPLES)
    room, alone = [], []
    for first, last in spans(length):
        silence = np.zeros((2, last - first), np.float32)
        stems = {bus: mastered_block(master, readers[bus], bus, first, last) for bus in BUSES}
        beside = sum((stems[bus] for bus in BUSES if bus not in changed), start=silence)
        asking = sum((stems[bus] for bus in changed), start=silence)
        room.append(_share(kept.add(beside), edited.add(asking), ceiling))
        # an edited stem alone must not pass the ceiling either, or its file would be clipped
        alone.append(needed_gain(stem_peaks([stems[bus] for bus in changed]), ceiling))
    room.append(_share(kept.finish(), edited.finish(), ceiling))
    return np.minimum(np.concatenate(room), np.concatenate(alone))


def _share(beside: Values, asking: Values, ceiling: float) -> Curve:
    """Return for each frame the largest share s of 0 to 1 with |beside + s * asking| under the ceiling everywhere.

    |beside| is under it already, so every smaller share is under it as well: a curve may dip lower than asked.
    """
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
