"""Say when a sound that hints name is heard, as far as words tell: at its given time, or in its turn."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from foley.model import Cue, Hint, Impact, Picture, ProposedSound, Span
from foley.plan.curves import active_spans
from foley.plan.matching import Mention

ONE_MOVEMENT_S = 3.0
"""The longest that a door, a drawer or a zipper moves at a time."""

CUT_REACH = 0.45
"""How far from an even division of the time a cut is sought, in parts of a share: what comes "then" likely comes in a
new shot. Under half, so that no two turns begin at one cut."""


def timed(sound: ProposedSound, mention: Mention, hint: Hint, *, steps: int, picture: Picture) -> ProposedSound:
    """Return the sound with the times that its hint gives, or that its place in a sequence suggests."""
    once = mention.sound.once and (mention.count or 1) == 1
    if hint.start_s is not None:
        # a caption stands for as long as it takes to read: what happens once, happens where it appears
        return replace(sound, start_s=hint.start_s, end_s=None if once else hint.end_s, exact=True)
    if sound.kind == "bed":
        return sound
    start_s, end_s = turn(mention.step, steps, picture)
    if once and sound.kind == "hits":
        strongest = _strongest(picture.impacts, sound.cue, start_s, end_s)
        return replace(sound, start_s=strongest.time_s) if strongest else sound
    if once:
        movement = _liveliest(picture, start_s, end_s)
        return replace(sound, start_s=movement.start_s, end_s=movement.end_s) if movement else sound
    return replace(sound, start_s=start_s, end_s=end_s) if steps > 1 else sound


def turn(step: int, steps: int, picture: Picture) -> tuple[float, float]:
    """Return when one of several things in a row happens: an even share of the time, divided at cuts that are near."""
    end_s = picture.shots[-1].end_s if picture.shots else 0.0
    share_s = end_s / steps
    bounds = [0.0]
    for number in range(1, steps):
        cut = min((shot.start_s for shot in picture.shots[1:]), key=lambda at: abs(at - number * share_s), default=-1.0)
        near = abs(cut - number * share_s) <= CUT_REACH * share_s
        bounds.append(cut if near else number * share_s)
    bounds.append(end_s)
    return bounds[step], bounds[step + 1]


def _strongest(impacts: Iterable[Impact], cue: Cue | None, start_s: float, end_s: float) -> Impact | None:
    inside = [impact for impact in impacts if impact.cue == cue and start_s <= impact.time_s <= end_s]
    return max(inside, key=lambda impact: impact.strength, default=None)


def _liveliest(picture: Picture, start_s: float, end_s: float) -> Span | None:
    """Return the longest movement of a stretch of time, no longer than a door takes; None where nothing moves."""
    spans = active_spans(picture, Span(start_s, end_s))
    longest = max(spans, key=lambda span: span.end_s - span.start_s, default=None)
    return longest and Span(longest.start_s, min(longest.end_s, longest.start_s + ONE_MOVEMENT_S))
