"""Lead a model through a scene: what is seen, what sounds, when, how, and what must not be heard."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from foley.contracts import Case
from foley.model import Cue, Kind, Region, Span
from foley.plan.dialogue import questions
from foley.plan.dialogue.evidence import Scene, in_words, shown
from foley.plan.dialogue.talk import Talk

USUAL_M = 2.0
"""Distance of a sound of which a model says none."""


@dataclass(frozen=True, slots=True)
class Moment:
    """When a model believes that something sounds; an instant ends where it starts."""

    start_s: float
    end_s: float
    sure: bool = False
    """It was seen again in denser frames."""


@dataclass(frozen=True, slots=True)
class Idea:
    """A sound in a model's own words."""

    label: str
    kind: Kind
    shots: tuple[int, ...]
    because: str
    cue: Cue | None
    region: Region | None = None
    periodic: bool = False
    moments: tuple[Moment, ...] = ()
    """By time; empty where it lasts throughout, or is to be found in the picture."""
    material: str = ""
    how: str = ""
    distance_m: float | None = None
    confirmed: bool = False
    """Seen in denser frames though no time was said."""
    refuted: bool = False
    """Looked for in denser frames wherever it was said to be, and not seen."""
    looked: tuple[Span, ...] = ()
    """Where it was looked for."""


@dataclass(frozen=True, slots=True)
class Spotted:
    """What came of one scene."""

    seen: str
    ideas: tuple[Idea, ...]
    room: str = ""
    avoid: tuple[str, ...] = ()


def spotted(case: Case, scene: Scene, talk: Talk) -> Spotted:
    """Return what a model hears in a scene, asked step by step; each answer is known in the next question.

    Raises:
        PlannerError: where it gives no usable answer.
    """
    opening = [f"{questions.INTRODUCTION}\nThe frames, each after its time:\n", *shown(scene.frames)]
    known = f"\nWhat is known:\n{in_words(case, scene)}\n\n{questions.SEEN}"
    seen = talk.ask("seen", [*opening, known], questions.seen_shape(scene.shots))
    answer = talk.ask("sounds", [questions.SOUNDS], questions.sounds_shape(scene.shots))
    ideas = _ideas(answer["sounds"])
    if not ideas:
        return Spotted(_in_order(seen["shots"]), ())
    named = questions.numbered([idea.label for idea in ideas])
    times = talk.ask("times", [questions.TIMES.format(sounds=named)], questions.times_shape(len(ideas), scene.span))
    ideas = _timed(ideas, times["times"])
    character = talk.ask("character", [questions.CHARACTER.format(sounds=named)], questions.character_shape(len(ideas)))
    avoid = talk.ask("avoid", [questions.AVOID], questions.avoid_shape())
    return Spotted(
        _in_order(seen["shots"]),
        tuple(_coloured(ideas, character["sounds"])),
        character["room"].strip(),
        tuple(filter(None, (text.strip() for text in avoid["avoid"]))),
    )


def _in_order(shots: Sequence[dict[str, Any]]) -> str:
    """Return what is seen, one sentence a shot."""
    told = {shot["shot"]: shot["seen"].strip().rstrip(".") for shot in shots}
    return " ".join(f"Shot {number + 1}: {told[number]}." for number in sorted(told) if told[number])


def _ideas(sounds: Sequence[dict[str, Any]]) -> list[Idea]:
    """Return the sounds, each once."""
    found: dict[tuple[str, str], Idea] = {}
    for sound in sounds:
        label = " ".join(sound["sound"].split()).strip(" .")
        idea = Idea(
            label=label,
            kind=sound["kind"],
            shots=tuple(sorted(set(sound["shots"]))),
            because=sound["because"].strip().rstrip("."),
            cue=questions.SHOWS[sound["shows"]],
            region=questions.PLACES[sound["where"]],
            periodic=sound["repeats"] == "evenly",
        )
        found.setdefault((label.lower(), idea.kind), idea)
    return list(found.values())


def _timed(ideas: Sequence[Idea], times: Sequence[dict[str, Any]]) -> list[Idea]:
    """Return the ideas with their times; a background has none, and an end before its start is none."""
    said = {one["sound"]: one for one in reversed(times)}
    timed: list[Idea] = []
    for number, idea in enumerate(ideas):
        one = said.get(number, {"hits": [], "spans": []})
        hits = [Moment(time, time) for time in sorted(set(one["hits"]))]
        spans = [Moment(span["start_s"], span["end_s"]) for span in one["spans"] if span["end_s"] > span["start_s"]]
        moments = {"hits": hits, "span": sorted(spans, key=lambda span: span.start_s), "bed": []}[idea.kind]
        timed.append(replace(idea, moments=tuple(moments)))
    return timed


def _coloured(ideas: Sequence[Idea], told: Sequence[dict[str, Any]]) -> list[Idea]:
    """Return the ideas with how they sound here."""
    said = {one["sound"]: one for one in reversed(told)}
    return [
        replace(
            idea,
            material=said[number]["material"].strip(),
            how=said[number]["how"].strip().rstrip("."),
            distance_m=said[number]["distance_m"],
        )
        if number in said
        else idea
        for number, idea in enumerate(ideas)
    ]
