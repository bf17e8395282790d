"""Tell a model in words what was seen and heard already, scene by scene: a film does not fit into one question."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from foley.contracts import Case
from foley.model import Cue, Impact, Span
from foley.plan.curves import active_spans
from foley.plan.dialogue.talk import Shown

MOST_SHOTS = 8
"""Of a scene: what belongs together seldom has more, and each answer stays short."""

MOST_FRAMES = 16
"""Shown of a scene: about four thousand tokens with the usual models, which small ones still follow."""

MOST_NAMED = 12
"""Of the instants of one cue: more would drown the rest; the strongest are named."""


@dataclass(frozen=True, slots=True)
class Scene:
    """Shots that follow each other, asked about together."""

    shots: tuple[int, ...]
    """Numbers in the picture."""
    span: Span
    frames: tuple[Shown, ...]


def scenes(case: Case) -> list[Scene]:
    """Return the clip in parts that fit into a question."""
    picture = case.picture
    found: list[Scene] = []
    for first in range(0, len(picture.shots), MOST_SHOTS):
        numbers = tuple(range(first, min(first + MOST_SHOTS, len(picture.shots))))
        span = Span(picture.shots[numbers[0]].start_s, picture.shots[numbers[-1]].end_s)
        frames = [Shown(frame.time_s, frame.jpeg) for frame in picture.key_frames if frame.shot in numbers]
        found.append(Scene(numbers, span, tuple(thinned(frames, MOST_FRAMES))))
    return found


def thinned(frames: Sequence[Shown], most: int) -> list[Shown]:
    """Return evenly chosen frames, first and last among them."""
    if len(frames) <= most:
        return list(frames)
    return [frames[round(place * (len(frames) - 1) / (most - 1))] for place in range(most)]


def shown(frames: Sequence[Shown]) -> Iterator[str | Shown]:
    """Yield each frame after its time: the one form that all families of vision-language models understand."""
    for frame in frames:
        yield f"t={frame.time_s:.2f}s "
        yield frame


def in_words(case: Case, scene: Scene) -> str:
    """Return what is known of a scene, one fact a line."""
    return "\n".join(f"- {fact}" for fact in _facts(case, scene))


def _facts(case: Case, scene: Scene) -> Iterator[str]:
    picture, start_s, end_s = case.picture, scene.span.start_s, scene.span.end_s
    yield f"the part from {start_s:.2f} s to {end_s:.2f} s of a clip that lasts {float(case.clip.duration_s):.2f} s"
    for number in scene.shots:
        shot = picture.shots[number]
        yield f"shot {number}: {shot.start_s:.2f} s to {shot.end_s:.2f} s" + _recognised(case, number)
    for cue, what in SEEN.items():
        inside = [one for one in picture.impacts if one.cue == cue and start_s <= one.time_s < end_s]
        if inside:
            yield f"measured, {what}: {_instants(inside)}"
    moving = active_spans(picture, scene.span)[:MOST_NAMED]
    yield f"measured, something moves: {_spans(moving)}" if moving else "measured: nothing moves clearly"
    yield from _heard(case, scene.span)
    for hint in case.hints.items:
        if hint.start_s is None or start_s <= hint.start_s < end_s:
            at = "" if hint.start_s is None else f" at {hint.start_s:.2f} s"
            yield f"the user says{at} ({hint.source}): {hint.text}"


SEEN: dict[Cue, str] = {
    "strike": "motion stops at once, as when something hits",
    "burst": "motion starts at once, as at a recoil or a bark",
    "flash": "light jumps, as at a shot or lightning",
}


def _recognised(case: Case, shot: int) -> str:
    labels = [label for look in case.looks.items if look.shot == shot for label in look.labels[:3]]
    return ", looks like " + ", ".join(f"{one.label} ({one.score:.2f})" for one in labels) if labels else ""


def _instants(impacts: Sequence[Impact]) -> str:
    strongest = sorted(impacts, key=lambda one: -one.strength)[:MOST_NAMED]
    named = ", ".join(f"{one.time_s:.2f} s" for one in sorted(strongest, key=lambda one: one.time_s))
    return named + (f" and {len(impacts) - MOST_NAMED} weaker" if len(impacts) > MOST_NAMED else "")


def _heard(case: Case, span: Span) -> Iterator[str]:
    listening = case.listening
    if not listening.has_sound:
        yield "the clip has no sound of its own"
        return
    onsets = [time for time in listening.onsets_s.tolist() if span.start_s <= time < span.end_s][:MOST_NAMED]
    if onsets:
        yield f"its own sound has attacks at {', '.join(f'{time:.2f} s' for time in onsets)}"
    spoken = [one for one in listening.speech if one.start_s < span.end_s and one.end_s > span.start_s][:MOST_NAMED]
    if spoken:
        yield f"somebody speaks: {_spans(spoken)}"


def _spans(spans: Sequence[Span]) -> str:
    return ", ".join(f"{span.start_s:.2f}-{span.end_s:.2f} s" for span in spans)
