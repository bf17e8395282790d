"""All that is known of a finished clip, for those who write about it."""

from __future__ import annotations

from dataclasses import dataclass

from foley.model import Clip, FittedTakes, Looks, Mixdown, Picture, Report, SoundPlan


@dataclass(frozen=True, slots=True)
class Finished:
    """A clip that was looked at, planned, made, mixed and measured."""

    clip: Clip
    picture: Picture
    looks: Looks
    plan: SoundPlan
    takes: FittedTakes
    mixdown: Mixdown
    report: Report
