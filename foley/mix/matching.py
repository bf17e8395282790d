"""How loud each fill is, so that it sounds like the background around it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from foley.dsp.short_level import highest_db
from foley.mix.filling import Layer
from foley.model import SoundEvent
from foley.model.dub import Gaps, Refill
from foley.units import RATE_HZ, SILENCE_DB, to_db, to_gain, to_samples

AFTER_S = 0.06
"""After its instant a blow is loudest."""
MEASURED_S = 20.0
"""Of ambience that is measured: its level hardly moves."""
OVER_FLOOR_DB = (10.0, 20.0)
"""Where nothing says how loud a sound is, it stands so far over the background's quiet at least, and at most, unless
the background itself is louder now and then."""
MOST_GAIN_DB = 40.0


def matched(layers: Sequence[Layer], refill: Refill, gaps: Gaps) -> tuple[list[Layer], dict[str, float]]:
    """Return the layers at their levels, and what each event was raised by in dB."""
    events = {event.id: event for event in refill.plan.events}
    gains_db = _hits_db(layers, events, gaps)
    for number in range(len(refill.dips)):
        gains_db |= _ambience_db(layers, refill, number)
    out, told = [], {}
    for place, layer in enumerate(layers):
        gain_db = gains_db.get(place, 0.0)
        if layer.filling is not None:
            told[layer.filling.event_id] = round(gain_db, 2)
            gain_db += layer.filling.trim_db
        out.append(replace(layer, gain=to_gain(gain_db) if gain_db > SILENCE_DB else 0.0))
    return out, told


def _hits_db(layers: Sequence[Layer], events: Mapping[str, SoundEvent], gaps: Gaps) -> dict[int, float]:
    """Return the gain of each layer of hits, by its place in the list."""
    if gaps.floor_db <= SILENCE_DB:  # there is no background to match: sounds stay as planned
        return {}
    own: dict[int, float] = {}
    for place, layer in enumerate(layers):
        if layer.filling is not None and layer.filling.layer == "hits":
            own[place] = _own_db(layer, events[layer.filling.event_id])
    known = {
        place: level_db - own[place]
        for place in own
        if (filling := layers[place].filling) is not None and (level_db := filling.level_db) is not None
    }
    usual_db = float(np.median(list(known.values()))) if known else 0.0
    lowest_db = gaps.floor_db + OVER_FLOOR_DB[0]
    highest_db = max(gaps.loud_db, gaps.floor_db + OVER_FLOOR_DB[1])
    guessed = {place: min(max(own_db + usual_db, lowest_db), highest_db) - own_db for place, own_db in own.items()}
    return {place: min(gain_db, MOST_GAIN_DB) for place, gain_db in (guessed | known).items()}


def _own_db(layer: Layer, event: SoundEvent) -> float:
    """Return how loud a layer's blows are before it is matched."""
    if not event.hits:
        first, last = to_samples(event.start_s, RATE_HZ), to_samples(event.end_s, RATE_HZ)
        return highest_db(layer.reads(first, min(last, first + to_samples(MEASURED_S, RATE_HZ))), RATE_HZ)
    levels = []
    for hit in event.hits:
        first = to_samples(hit.time_s, RATE_HZ) - to_samples(0.005, RATE_HZ)
        levels.append(highest_db(layer.reads(first, first + to_samples(AFTER_S, RATE_HZ)), RATE_HZ))
    return float(np.median(levels))


def _ambience_db(layers: Sequence[Layer], refill: Refill, number: int) -> dict[int, float]:
    """Return the gains of what fills one dip: what is planned and room tone share what is missing there."""
    dip = refill.dips[number]
    here = [place for place, layer in enumerate(layers) if layer.dip == number]
    if dip.floor_db is None or not here:
        return {}
    (window,) = layers[here[0]].windows
    first, last = window.first, min(window.last, window.first + to_samples(MEASURED_S, RATE_HZ))
    groups = [[place for place in here if (layers[place].filling is None) is is_tone] for is_tone in (True, False)]
    powers = [_power([layers[place] for place in group], first, last) for group in groups]
    missing = max(0.0, 10.0 ** (dip.floor_db / 10.0) - 10.0 ** (dip.rest_db / 10.0))
    share = missing / max(1, sum(power > 0.0 for power in powers))
    gains: dict[int, float] = {}
    for group, power in zip(groups, powers, strict=True):
        gain_db = to_db(float(np.sqrt(share / power))) if power > 0.0 else SILENCE_DB
        gains |= dict.fromkeys(group, min(gain_db, MOST_GAIN_DB))
    return gains


def _power(layers: Sequence[Layer], first: int, last: int) -> float:
    if not layers:
        return 0.0
    total = sum((layer.reads(first, last) for layer in layers), start=np.zeros((2, last - first), np.float32))
    return float(np.mean(np.square(total, dtype=np.float64)))
