"""Round a plan to what its file writes, so that what is read is what was made."""

from __future__ import annotations

from dataclasses import replace
from typing import TypeVar

from foley.model import CurvePoint, Hit, PanPoint, Shot, SoundEvent, SoundPlan, Space

DECIMALS = 4
"""Of times in a file: 0.1 ms, a fifth of what is asked of a placement at most."""

STEPS_A_SECOND = 10_000
"""The same as a number."""

SHARE_DECIMALS = 3
"""Of strengths, levels, pans, confidences: finer, nobody hears."""

LEVEL_DECIMALS = 2
"""Of decibels and metres."""


Part = TypeVar("Part", Shot, Space)


def rounded(plan: SoundPlan) -> SoundPlan:
    """Return the plan with every number as its file writes it."""
    return replace(
        plan,
        shots=tuple(map(_stretch, plan.shots)),
        events=tuple(map(_event, plan.events)),
        spaces=tuple(map(_stretch, plan.spaces)),
    )


def _stretch(part: Part) -> Part:
    return replace(part, start_s=_time(part.start_s), end_s=_time(part.end_s))


def _event(event: SoundEvent) -> SoundEvent:
    return replace(
        event,
        start_s=_time(event.start_s),
        end_s=_time(event.end_s),
        hits=tuple(Hit(_time(hit.time_s), _share(hit.strength)) for hit in event.hits),
        curve=tuple(CurvePoint(_time(point.time_s), _share(point.level)) for point in event.curve),
        level_db=round(event.level_db, LEVEL_DECIMALS),
        gain_db=round(event.gain_db, LEVEL_DECIMALS),
        distance_m=round(event.distance_m, LEVEL_DECIMALS),
        level_at_m=round(event.level_at_m, LEVEL_DECIMALS),
        fade_in_s=_time(event.fade_in_s),
        fade_out_s=_time(event.fade_out_s),
        pan=_share(event.pan),
        path=tuple(PanPoint(_time(point.time_s), _share(point.pan)) for point in event.path),
        confidence=_share(event.confidence),
    )


def _time(time_s: float) -> float:
    return round(time_s, DECIMALS) + 0.0  # never -0.0


def _share(value: float) -> float:
    return round(value, SHARE_DECIMALS) + 0.0
