"""Put every take where it is heard: when, how loud, from where."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

from foley.contracts import Context, stage
from foley.mix.space import room_gain, sides, spaces_of
from foley.model import Arrangement, FittedTakes, PanPoint, Placement, SoundEvent, SoundPlan, Take
from foley.units import RATE_HZ, to_gain, to_samples

QUIET_DB = -40.0
"""Backgrounds planned at that or lower are room tone, which fills pauses: rooms are planned at -46 to -42 dBFS,
ambiences that are heard for themselves from -38."""
MOST_AIR_M = 3000.0
"""From that far only the lowest octaves arrive; farther changes nothing that is heard."""


@dataclass(frozen=True, slots=True)
class PlaceOptions:
    """How distance and direction are heard."""

    most_db: float = 24.0
    """How far distance may lift or lower a sound: a mix keeps what it shows audible."""
    width: float = 1.0
    """How far `pan` reaches: 0 puts everything in the middle, 1 uses both sides fully."""
    rooms: bool = True
    """Whether the rooms that a plan names are heard."""
    air: bool = True
    """Whether a sound that is moved away loses its highs."""

    def __post_init__(self) -> None:
        if not 0.0 <= self.most_db <= 60.0:
            raise ValueError(f"most_db must lie in 0 to 60, got {self.most_db}")
        if not 0.0 <= self.width <= 1.0:
            raise ValueError(f"width must lie in 0 to 1, got {self.width}")


@stage(version=3)
def place(plan: SoundPlan, fitted: FittedTakes, opts: PlaceOptions, ctx: Context) -> Arrangement:
    """Give every take its gain for each side, its place on the timeline, its rooms and its fades."""
    length = to_samples(plan.clip.duration_s, RATE_HZ)
    events = {event.id: event for event in plan.events if not event.muted}
    placements = [_placed(events[take.event_id], take, plan, opts) for take in fitted.items if take.event_id in events]
    heard = (item for item in placements if item.first_sample < length and item.first_sample + item.audio.length > 0)
    faded = (_faded(item, events[item.event_id], length) for item in heard)
    placed_items = tuple(sorted(faded, key=lambda item: (item.first_sample, item.event_id)))
    tone_alone = bool(events) and all(_is_tone(event) for event in events.values())
    return Arrangement(placed_items, length, tone_alone)


def _is_tone(event: SoundEvent) -> bool:
    """Return whether an event is planned as quiet as room tone; its trim is the editor's and does not count."""
    return event.bus == "backgrounds" and event.kind == "bed" and event.level_db <= QUIET_DB


def _placed(event: SoundEvent, take: Take, plan: SoundPlan, opts: PlaceOptions) -> Placement:
    level_db = event.level_db - take.nominal_db + event.gain_db + distance_db(event, opts)
    gain = to_gain(level_db)
    left, right = (1.0, 1.0) if event.path else sides(event.pan * opts.width, channels=take.audio.channels)
    spaces = spaces_of(event, plan.spaces, end_s=float(plan.clip.duration_s)) if opts.rooms else ()
    return Placement(
        event.id,
        event.bus,
        take.audio,
        take.first_sample,
        gain * left,
        gain * right,
        trim=to_gain(event.gain_db),
        path=tuple(PanPoint(point.time_s, point.pan * opts.width) for point in event.path),
        air_m=min(max(0.0, event.distance_m - event.level_at_m), MOST_AIR_M) if opts.air else 0.0,
        spaces=spaces,
        room_gain=room_gain(event.distance_m) if spaces else 1.0,
    )


def _faded(item: Placement, event: SoundEvent, length: int) -> Placement:
    """Return a placement with its fades, cut to what is heard of it; they never overlap."""
    if not event.fade_in_s and not event.fade_out_s:
        return item
    heard = min(item.first_sample + item.audio.length, length) - max(item.first_sample, 0)
    fade_in = min(to_samples(event.fade_in_s, RATE_HZ), heard)
    return replace(item, fade_in=fade_in, fade_out=min(to_samples(event.fade_out_s, RATE_HZ), heard - fade_in))


def distance_db(event: SoundEvent, opts: PlaceOptions) -> float:
    """Return how much an event's distance changes its level: sound pressure falls as 1/r."""
    change_db = 20.0 * math.log10(event.level_at_m / event.distance_m)
    return min(max(change_db, -opts.most_db), opts.most_db)
