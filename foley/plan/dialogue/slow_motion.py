"""Look again, slowly: short windows around what a model believes, with denser frames, to confirm, move or refute it.

Frames a second and a half apart show what happens, not when. Looking again in slow motion is what lifts the share of
events that a vision-language model finds, and how well their times fit.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import zip_longest
from typing import Any

from foley.contracts import Case
from foley.media.reader import Image, read_window
from foley.model import Span
from foley.plan.dialogue import questions
from foley.plan.dialogue.evidence import shown
from foley.plan.dialogue.spotting import Idea, Moment
from foley.plan.dialogue.talk import Shown, Talk, UnusableAnswerError
from foley.units import clock

WINDOW_S = 1.2
"""Longer than a believed time is usually wrong by, short enough for frames a tenth of a second apart."""

FRAMES = 12
WIDTH_PX = 384
"""As wide as key frames are."""

QUALITY = 80
"""JPEG quality, as of key frames."""

EDGE_S = 0.1
"""A time this near the end of a window is better looked at in another, which shows what follows."""

STRONGEST = 2
"""Of a sound at instants that has no time yet, so many of the picture's strongest are looked at."""


def looked_again(ideas: Sequence[Idea], case: Case, talk: Talk, *, span: Span, most: int) -> list[Idea]:
    """Return the ideas after another look at up to `most` windows of a stretch of time.

    Raises:
        PlannerError: where no answer comes.
        DamagedVideoError: where the clip cannot be opened.
    """
    checked = list(ideas)
    for window in windows(ideas, case, span=span, most=most):
        frames = list(_dense(case, window))
        if not frames:
            continue
        question = questions.CLOSER.format(
            start=window.start_s, end=window.end_s, sounds=questions.numbered([idea.label for idea in ideas])
        )
        look = Talk(talk.planner, talk.chat, talk.steps)  # of its own: what was believed before must not be seen again
        parts = [f"{questions.INTRODUCTION}\n", *shown(frames), question]
        name = f"closer look at {clock(window.start_s)}"
        # what a closer look would have told is missed where it tells nothing; what was believed before still stands
        with contextlib.suppress(UnusableAnswerError):
            answer = look.ask(name, parts, questions.closer_shape(len(ideas), window))
            checked = _checked(checked, answer["happens"], window)
    return checked


def windows(ideas: Sequence[Idea], case: Case, *, span: Span, most: int) -> list[Span]:
    """Return which windows to look at: every sound's first time before any sound's second, none twice."""
    chosen: list[Span] = []
    length_s = min(WINDOW_S, span.end_s - span.start_s)
    rounds = zip_longest(*(_times_s(idea, case) for idea in ideas))
    for time_s in (time for turn in rounds for time in turn if time is not None):
        start_s = min(max(span.start_s, time_s - length_s / 2), span.end_s - length_s)
        window = Span(start_s, start_s + length_s)
        inside = any(one.start_s + EDGE_S <= time_s <= one.end_s - EDGE_S for one in chosen)
        if len(chosen) < most and not inside and window not in chosen:
            chosen.append(window)
    return sorted(chosen, key=lambda window: window.start_s)


def _times_s(idea: Idea, case: Case) -> list[float]:
    """Return the times at which an idea can be checked."""
    if idea.kind == "bed":
        return []
    if idea.moments:
        return [time_s for moment in idea.moments for time_s in sorted({moment.start_s, moment.end_s})]
    shots = [case.picture.shots[number] for number in idea.shots]
    seen = [
        one
        for one in case.picture.impacts
        if one.cue == idea.cue and any(shot.start_s <= one.time_s < shot.end_s for shot in shots)
    ]
    strongest = sorted(seen, key=lambda one: (-one.strength, one.time_s))[:STRONGEST]
    return [one.time_s for one in strongest]


def _dense(case: Case, window: Span) -> Iterator[Shown]:
    """Yield the window's frames, evenly thinned to what a model can take."""
    step_s = (window.end_s - window.start_s) / FRAMES
    taken = 0
    for frame in read_window(case.clip, window, width_px=WIDTH_PX):
        due = int((frame.time_s - window.start_s) / step_s + 1e-6) + 1
        if due > taken:
            taken = due
            yield Shown(frame.time_s, _jpeg(frame.image))


def _jpeg(image: Image) -> bytes:
    import cv2

    _, coded = cv2.imencode(".jpg", cv2.cvtColor(image, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, QUALITY])
    return coded.tobytes()


def _checked(ideas: Sequence[Idea], happens: Sequence[dict[str, Any]], window: Span) -> list[Idea]:
    """Return the ideas with what was seen in a window in place of what was believed of it."""
    found: list[Idea] = []
    for number, idea in enumerate(ideas):
        own = [one for one in happens if one["sound"] == number]
        seen = [Moment(one["start_s"], max(one["start_s"], one["end_s"]), True) for one in own]
        looked = replace(idea, looked=(*idea.looked, window))
        found.append(idea if idea.kind == "bed" else _looked_at(looked, seen, window))
    return found


def _looked_at(idea: Idea, seen: Sequence[Moment], window: Span) -> Idea:
    """Return a sound with the hits that were seen in a window in place of those that were believed there."""
    if idea.kind == "span":
        return _lasting(idea, seen, window)
    hits = [Moment(moment.start_s, moment.start_s, True) for moment in seen]
    if not idea.moments and not idea.refuted:  # it may sound anywhere: what is seen here does not narrow that
        return replace(idea, confirmed=idea.confirmed or bool(hits))
    outside = [moment for moment in idea.moments if not window.start_s <= moment.start_s <= window.end_s]
    moments = tuple(sorted({*outside, *hits}, key=lambda moment: moment.start_s))
    return replace(idea, moments=moments, refuted=not moments)


def _lasting(idea: Idea, seen: Sequence[Moment], window: Span) -> Idea:
    """Return a sound that lasts with its ends moved where they were seen, without the spans that were not seen."""
    if not idea.moments and not idea.refuted:
        return replace(idea, confirmed=idea.confirmed or bool(seen))
    lasting = [one for one in seen if one.start_s < one.end_s]
    kept = [] if idea.moments else lasting
    for moment in idea.moments:
        starts = [one.start_s for one in lasting] if window.start_s <= moment.start_s <= window.end_s else []
        ends = [one.end_s for one in lasting] if window.start_s <= moment.end_s <= window.end_s else []
        wholly = window.start_s <= moment.start_s and moment.end_s <= window.end_s
        if wholly and not seen:
            continue
        start_s, end_s = min(starts, default=moment.start_s), max(ends, default=moment.end_s)
        if start_s < end_s:
            kept.append(Moment(start_s, end_s, moment.sure or bool(starts or ends)))
    return replace(idea, moments=tuple(kept), refuted=not kept)
