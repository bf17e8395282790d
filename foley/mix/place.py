"""Put every take where it is heard: when, how loud, from where."""

from __future__ import annotations

import math
from dataclasses import dataclass

from foley.contracts import Context, stage
from foley.model import Arrangement, FittedTakes, Placement, SoundEvent, SoundPlan, Take
from foley.units import RATE_HZ, to_gain, to_samples


@dataclass(frozen=True, slots=True)
class PlaceOptions:
    """How distance and direction are heard."""

    most_db: float = 24.0
    """How far distance may lift or lower a sound: a mix keeps what it shows audible."""
    width: float = 1.0
    """How far `pan` reaches: 0 puts everything in the middle, 1 uses both sides fully."""

    def __post_init__(self) -> None:
        if not 0.0 <= self.most_db <= 60.0:
            raise ValueError(f"most_db must lie in 0 to 60, got {self.most_db}")
        if not 0.0 <= self.width <= 1.0:
            raise ValueError(f"width must lie in 0 to 1, got {self.width}")


@stage(version=1)
def place(plan: SoundPlan, fitted: FittedTakes, opts: PlaceOptions, ctx: Context) -> Arrangement:
    """Give every take its gain for each side and its place on the timeline."""
    length = to_samples(plan.clip.duration_s, RATE_HZ)
    events = {event.id: event for event in plan.events if not event.muted}
    placements = [_placed(events[take.event_id], take, opts) for take in fitted.items if take.event_id in events]
    heard = (item for item in placements if item.first_sample < length and item.first_sample + item.audio.length > 0)
    return Arrangement(tuple(sorted(heard, key=lambda item: (item.first_sample, item.event_id))), length)


def _placed(event: SoundEvent, take: Take, opts: PlaceOptions) -> Placement:
    level_db = event.level_db - take.nominal_db + event.gain_db + distance_db(event, opts)
    gain = to_gain(level_db)
    left, right = sides(event.pan * opts.width, channels=take.audio.channels)
    return Placement(event.id, event.bus, take.audio, take.first_sample, gain * left, gain * right)


def distance_db(event: SoundEvent, opts: PlaceOptions) -> float:
    """Return how much an event's distance changes its level: sound pressure falls as 1/r."""
    change_db = 20.0 * math.log10(event.level_at_m / event.distance_m)
    return min(max(change_db, -opts.most_db), opts.most_db)


def sides(pan: float, *, channels: int) -> tuple[float, float]:
    """Return the factors of the left and the right side for a pan of -1 to 1.

    A mono take moves under the equal-power law, left = sqrt(2) cos(a), right = sqrt(2) sin(a), a = (pan + 1) pi / 4:
    the power of both sides together is the same everywhere. The law is scaled to 1 in the middle, so that an event's
    `level_db` is what a centred take has in each channel, and a stereo take of the same level is as loud. A stereo
    take is balanced: the far side fades by the same law, the near side stays.

    >>> [round(side, 3) for side in sides(0.0, channels=1)], [round(side, 3) for side in sides(1.0, channels=1)]
    ([1.0, 1.0], [0.0, 1.414])
    >>> [round(side, 3) for side in sides(1.0, channels=2)]
    [0.0, 1.0]
    """
    angle = (min(max(pan, -1.0), 1.0) + 1.0) * math.pi / 4.0
    left, right = math.sqrt(2.0) * math.cos(angle), math.sqrt(2.0) * math.sin(angle)
    return (left, right) if channels == 1 else (min(1.0, left), min(1.0, right))
