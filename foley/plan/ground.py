"""Check what a planner proposes against the picture and time it: timing never comes from words alone."""

from __future__ import annotations

import itertools
import math
import re
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from foley.contracts import Context, stage
from foley.model import (
    Clip,
    ClipIdentity,
    CurvePoint,
    Hints,
    Hit,
    Listening,
    Looks,
    PanPoint,
    Picture,
    Proposal,
    ProposedSound,
    SoundEvent,
    SoundPlan,
    Span,
)
from foley.plan.closer import closer
from foley.plan.curves import QUIETEST, active_spans, mean_x, motion_curve
from foley.plan.instants import Instants, instants
from foley.plan.paths import hits_path, pan_of, span_path
from foley.plan.production import without_doubles
from foley.plan.rounding import STEPS_A_SECOND, rounded
from foley.plan.spaces import spaces
from foley.plan.windows import runs_of_shots

LONG_GAP_S = 10.0
"""A pause longer than this, with a cut in it, ends an event: the next one may be another thing of its kind."""

HIT_S = 0.1
"""How long the cause of a hit lasts after its instant: an event must have a length to be seen on a timeline."""

SHORTEST_STAY_S = 3.0
"""A place seen for less is an insert or part of a montage: the ambience of the place before runs on under it."""

NOTHING_MOVES = 0.5
"""Factor on the confidence of a sound that should move and does not."""


@dataclass(frozen=True, slots=True)
class _Draft:
    """One event before it has its name: when, how, where from."""

    sound: ProposedSound
    span: Span
    evidence: str
    confidence: float = 1.0
    hits: tuple[Hit, ...] = ()
    curve: tuple[CurvePoint, ...] = ()
    x: float = 0.5
    path: tuple[PanPoint, ...] = ()
    place: int | None = None
    """Of a bed: which of the looks' places it is heard in."""


@dataclass(frozen=True, slots=True)
class GroundOptions:
    """What becomes of sounds that the clip has already."""

    doubles: Literal["keep", "mute"] = "keep"
    """mute: what the clip's own sound clearly has already is muted in the plan, as where both will be heard."""

    def __post_init__(self) -> None:
        if self.doubles not in ("keep", "mute"):
            raise ValueError(f"doubles must be keep or mute, got {self.doubles!r}")


@stage(version=11)
def ground(
    clip: Clip,
    picture: Picture,
    looks: Looks,
    listening: Listening,
    proposal: Proposal,
    hints: Hints,
    opts: GroundOptions,
    ctx: Context,
) -> SoundPlan:
    """Return the plan: each proposed sound as events that lie inside the clip, timed by what the picture shows.

    Its spaces say in which room each part of the clip plays, as far as that is known.
    """
    end_s = _last_s(float(clip.duration_s))
    sounds = proposal.sounds
    drafts = [*_hits(sounds, clip, picture), *_spans(sounds, picture), *_beds(sounds, picture, looks)]
    drafts = [inside for draft in drafts if (inside := _inside(draft, end_s))]
    drafts.sort(key=lambda draft: (draft.span.start_s, draft.sound.label))
    events = tuple(_event(number, draft, proposal, ctx) for number, draft in enumerate(drafts, 1))
    if opts.doubles == "mute":
        events = without_doubles(events, listening)
    plan = SoundPlan(
        clip=ClipIdentity(clip.path.as_posix(), clip.key, clip.duration_s, clip.video.frame_rate),
        shots=picture.shots,
        hints=proposal.hints,
        reasoning=proposal.reasoning,
        events=events,
        planner=proposal.planner,
        spaces=spaces(hints, picture, looks, sounds=sounds),
    )
    return rounded(plan)


def _last_s(duration_s: float) -> float:
    """Return the last time that a plan file can write without leaving the clip."""
    return math.floor(duration_s * STEPS_A_SECOND) / STEPS_A_SECOND


def _hits(sounds: Sequence[ProposedSound], clip: Clip, picture: Picture) -> Iterator[_Draft]:
    """Yield the events of sounds at instants, one for each run without long pauses."""
    hitting = [sound for sound in sounds if sound.kind == "hits"]
    cuts = [shot.start_s for shot in picture.shots[1:]]
    seen_closer = closer(clip, hitting, picture)
    for sound, found in zip(hitting, instants(hitting, picture, seen_closer), strict=True):
        for first, last in _unbroken([hit.time_s for hit in found.hits], cuts):
            yield _hit_draft(
                sound, replace(found, hits=found.hits[first : last + 1], places=found.places[first : last + 1]), picture
            )


def _hit_draft(sound: ProposedSound, found: Instants, picture: Picture) -> _Draft:
    hits, places = found.hits, found.places
    weights = [hit.strength + 1e-6 for hit in hits]
    x = sum(place * weight for place, weight in zip(places, weights, strict=True)) / sum(weights)
    span = Span(hits[0].time_s, hits[-1].time_s + HIT_S)
    return _Draft(
        sound, span, found.evidence, found.confidence, hits=hits, x=x, path=hits_path(hits, places, picture, mean=x)
    )


def _unbroken(times: Sequence[float], cuts: Sequence[float]) -> Iterator[tuple[int, int]]:
    """Yield first and last of each run of times without a long pause that holds a cut."""
    first = 0
    for place, (before, after) in enumerate(itertools.pairwise(times)):
        if after - before > LONG_GAP_S and bisect_right(cuts, after) > bisect_right(cuts, before):
            yield first, place
            first = place + 1
    if times:
        yield first, len(times) - 1


def _spans(sounds: Sequence[ProposedSound], picture: Picture) -> Iterator[_Draft]:
    """Yield the events of sounds that last: while something moves, or when somebody says."""
    for sound in sounds:
        if sound.kind != "span":
            continue
        for window, _ in runs_of_shots(sound, picture):
            yield from _span_drafts(sound, window, picture)


def _span_drafts(sound: ProposedSound, window: Span, picture: Picture) -> Iterator[_Draft]:
    if sound.exact:
        yield _following(sound, window, picture, "the time is given", floor=QUIETEST)
        return
    moving = active_spans(picture, window, sound.region)
    if not moving:
        evidence = "nothing is seen to move, so it lasts throughout"
        yield _Draft(sound, window, evidence, NOTHING_MOVES)
    for group in _without_long_pauses(moving, [shot.start_s for shot in picture.shots[1:]]):
        whole = Span(group[0].start_s, group[-1].end_s)
        yield _following(
            sound,
            whole,
            picture,
            f"it follows what moves{' in its part of the picture' if sound.region else ''}",
            floor=0.0,
        )


def _following(sound: ProposedSound, span: Span, picture: Picture, evidence: str, *, floor: float) -> _Draft:
    curve = motion_curve(picture, span, floor=floor, region=sound.region)
    path = span_path(picture, span, sound.region)
    return _Draft(sound, span, evidence, curve=curve, x=mean_x(picture, span, sound.region), path=path)


def _without_long_pauses(spans: Sequence[Span], cuts: Sequence[float]) -> Iterator[list[Span]]:
    group: list[Span] = []
    for span in spans:
        if group and list(_unbroken([group[-1].end_s, span.start_s], cuts)) != [(0, 1)]:
            yield group
            group = []
        group.append(span)
    if group:
        yield group


def _beds(sounds: Sequence[ProposedSound], picture: Picture, looks: Looks) -> Iterator[_Draft]:
    """Yield the events of ambience: one for each stay in one place, under all cuts in it.

    Events of one place have one seed, so that it sounds the same when the film comes back to it; where places touch,
    their beds do, and rendering crossfades what touches.
    """
    for sound in sounds:
        if sound.kind != "bed":
            continue
        for window, shots in runs_of_shots(sound, picture):
            if sound.exact:
                yield _Draft(sound, window, "the time is given", curve=_even(sound, window))
                continue
            stays = list(_stays(shots, window, picture, looks=looks))
            for place, span in stays:
                evidence = "it lasts throughout" if len(stays) == 1 else f"it lasts while place {place + 1} is seen"
                yield _Draft(sound, span, evidence, curve=_even(sound, span), place=place)


def _stays(shots: Sequence[int], window: Span, picture: Picture, *, looks: Looks) -> Iterator[tuple[int, Span]]:
    """Yield each place with how long it lasts; under one that is seen for a moment only, the one before it goes on."""
    runs: list[tuple[int, float]] = []
    for place, run in itertools.groupby(shots, key=lambda number: looks.places[number]):
        numbers = list(run)
        start_s = max(window.start_s, picture.shots[numbers[0]].start_s)
        end_s = min(window.end_s, picture.shots[numbers[-1]].end_s)
        short = end_s - start_s < SHORTEST_STAY_S
        if runs and (short or runs[-1][0] == place):
            runs[-1] = (runs[-1][0], end_s)
        elif end_s > start_s:
            runs.append((place, end_s))
    if len(runs) > 1 and runs[0][1] - window.start_s < SHORTEST_STAY_S:
        runs = runs[1:]
    start_s = window.start_s
    for place, end_s in runs:
        yield place, Span(start_s, end_s)
        start_s = end_s


def _even(sound: ProposedSound, span: Span) -> tuple[CurvePoint, ...]:
    """Return the curve of a bed that is usually weaker than it can be, empty for any other."""
    level = sound.intensity
    if level >= 1.0:
        return ()
    return CurvePoint(span.start_s, level), CurvePoint(span.end_s, level)


def _inside(draft: _Draft, end_s: float) -> _Draft | None:
    """Return the draft cut to the clip; None where nothing of it lies inside."""
    span = Span(max(0.0, draft.span.start_s), min(end_s, draft.span.end_s))
    hits = tuple(replace(hit, time_s=min(max(hit.time_s, 0.0), end_s)) for hit in draft.hits)
    curve = tuple(replace(point, time_s=min(max(point.time_s, 0.0), end_s)) for point in draft.curve)
    path = tuple(replace(point, time_s=min(max(point.time_s, 0.0), end_s)) for point in draft.path)
    return replace(draft, span=span, hits=hits, curve=curve, path=path) if span.start_s <= span.end_s else None


def _event(number: int, draft: _Draft, proposal: Proposal, ctx: Context) -> SoundEvent:
    sound = draft.sound
    name = f"e{number:02d}-{_slug(sound.label)}"
    whose = (name,) if draft.place is None else ("place", sound.label, draft.place)
    return SoundEvent(
        id=name,
        label=sound.label,
        kind=sound.kind,
        bus=sound.bus,
        start_s=draft.span.start_s,
        end_s=draft.span.end_s,
        because=_sentence([sound.because, draft.evidence]),
        hits=draft.hits,
        curve=draft.curve,
        ucs=sound.ucs,
        prompt=sound.prompt,
        avoid=sound.avoid,
        recipe=sound.recipe,
        parameters=sound.parameters,
        generator=proposal.generator,
        seed=int(ctx.rng("event", proposal.seed, *whose).integers(2**31)),
        level_db=sound.level_db,
        pan=pan_of(draft.x),
        path=draft.path,
        distance_m=sound.distance_m,
        level_at_m=sound.distance_m,
        confidence=sound.confidence * draft.confidence,
        placeholder=sound.placeholder,
    )


def _slug(label: str) -> str:
    return "-".join(re.findall(r"[a-z0-9]+", label.lower())[:6]) or "sound"


def _sentence(parts: Iterable[str]) -> str:
    text = "; ".join(filter(None, parts))
    return text[:1].upper() + text[1:] + "."
