"""Have a model plan a clip: scene by scene, step by step, looked at again, and made into a proposal."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from foley.contracts import Case, Context, PlannerSettings
from foley.model import Proposal, ProposedSound, Reasoning, Step
from foley.plan.dialogue.evidence import scenes
from foley.plan.dialogue.hinted import merged, said
from foley.plan.dialogue.slow_motion import looked_again
from foley.plan.dialogue.sounds import proposed
from foley.plan.dialogue.spotting import Spotted, spotted
from foley.plan.dialogue.talk import Chat, Talk
from foley.plan.reasons import listed, reasoning

SCENES_TOLD = 4
"""In the reasoning; what was seen in all scenes stands in the steps."""

VERSION = "1"
"""Of the questions and of what is made of the answers: raised when the same answers give another proposal."""


def conducted(planner: str, chat: Chat, case: Case, *, settings: PlannerSettings, ctx: Context) -> Proposal:
    """Return what a model proposes for a clip, under what hints ask for.

    Raises:
        PlannerError: where it gives no usable answer.
    """
    steps: list[Step] = []
    found: list[Spotted] = []
    parts, looks_left = scenes(case), settings.closer_looks
    for number, scene in enumerate(parts):
        ctx.progress(number / len(parts), f"scene {number + 1} of {len(parts)}")
        talk = Talk(planner, chat, steps)
        one = spotted(case, scene, talk)
        most = -(-looks_left // (len(parts) - number))  # an even share, rounded up
        before = len(steps)
        ideas = looked_again(one.ideas, case, talk, span=scene.span, most=most) if one.ideas else []
        looks_left -= min(most, sum(", repair " not in step.name for step in steps[before:]))
        found.append(replace(one, ideas=tuple(ideas)))
    hints = said(case, settings, ctx)
    sounds = merged([sound for one in found for sound in proposed(one, case.picture)], hints)
    return Proposal(
        planner=planner,
        sounds=sounds,
        reasoning=_reasoning(sounds, found, case, steps=steps),
        hints=hints.rules.hints,
        seed=case.hints.seed,
        generator=case.hints.generator,
    )


def _reasoning(
    sounds: Sequence[ProposedSound], found: Sequence[Spotted], case: Case, *, steps: Sequence[Step]
) -> Reasoning:
    told = [sound if sound.exact or sound.end_s is None else replace(sound, start_s=None) for sound in sounds]
    made = reasoning(told, case.picture, case.listening, semantic=_semantic(sounds, found))  # a window is no time
    rooms = list(dict.fromkeys(one.room for one in found if one.room))
    how = list(dict.fromkeys(f"{idea.label}: {idea.how}" for one in found for idea in one.ideas if idea.how))
    return replace(
        made,
        aesthetic=" ".join([made.aesthetic, *([f"{'; '.join(how[:8])}."] if how else [])]),
        spatial=" ".join([made.spatial, *([f"The place: {listed(rooms)}."] if rooms else [])]),
        steps=tuple(steps),
    )


def _semantic(sounds: Sequence[ProposedSound], found: Sequence[Spotted]) -> Iterator[str]:
    yield from (one.seen for one in found[:SCENES_TOLD] if one.seen)
    if len(found) > SCENES_TOLD:
        yield f"{len(found) - SCENES_TOLD} more scenes stand in the steps."
    named = list(dict.fromkeys(sound.label for sound in sounds))
    yield f"To be heard: {listed(named)}." if named else "Nothing is to be heard."
    if refuted := [idea.label for one in found for idea in one.ideas if idea.refuted]:
        yield f"Looked for again and not seen: {listed(refuted)}."
    if avoid := list(dict.fromkeys(text for one in found for text in one.avoid)):
        yield f"Not to be heard: {listed(avoid)}."
