"""Have a model that only reads go over a proposal: drop, rename, add and describe its sounds; hints stay."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

from foley.contracts import Case, Context, PlannerSettings
from foley.model import Proposal, ProposedSound, Span, Step
from foley.plan.dialogue.evidence import Scene, in_words
from foley.plan.dialogue.hinted import alike, said
from foley.plan.dialogue.shapes import Choice, Listed, Record, Text, record
from foley.plan.dialogue.sounds import BELIEVED
from foley.plan.dialogue.talk import Chat, Talk
from foley.plan.reasons import listed, reasoning
from foley.plan.vocabulary import vocabulary

VERSION = "1"
"""Of the question and of what is made of its answer."""

MOST_CHANGES = 12

MOST_SHOTS_TOLD = 24
"""Shots whose evidence is told: a reader of words needs the outline, not every cut of a film."""

QUESTION = """\
You are a sound editor. Below is what is known of a clip, and a plan of its sounds that simple rules made. Go over it:
drop sounds that do not belong, change one whose class is wrong to the class that fits, add what is missing, and say how
each sounds here (material, size, room). Sounds marked "said by the user" stay as they are; you may only describe them.
Add only what the words and measurements speak for. You cannot change times: they are found in the picture.
Answer with one JSON object and nothing else, in English, briefly.
Form: {{"thoughts": "...", "drop": [sound numbers], "change": [{{"sound": number, "to": "class"}}],
"add": [{{"because": "...", "class": "class"}}], "describe": [{{"sound": number, "how": "..."}}]}}

What is known:
{known}

The plan:
{plan}

The classes:
{classes}"""


def refined(
    planner: str, chat: Chat, case: Case, proposal: Proposal, *, settings: PlannerSettings, ctx: Context
) -> Proposal:
    """Return a proposal as a model would have it, with its answer among the steps.

    Raises:
        PlannerError: where the model gives no usable answer.
    """
    hints = said(case, settings, ctx)
    named = [sound for sound in hints.sounds if sound not in hints.guessed]
    fixed = frozenset(number for number, one in enumerate(proposal.sounds) if _is_said(one, named))
    steps: list[Step] = list(proposal.reasoning.steps)
    question = QUESTION.format(
        known=in_words(case, _whole(case)),
        plan="\n".join(_plan_lines(proposal.sounds, fixed)),
        classes=", ".join(vocabulary()),
    )
    answer = Talk(planner, chat, steps).ask("refine", [question], _shape(len(proposal.sounds)))
    kept = list(_kept(proposal.sounds, answer, fixed))
    if not hints.silent:
        kept += [one for one in _added(answer, hints.avoid) if one.label not in hints.denied and not _there(one, kept)]
    made = tuple(kept)
    told = reasoning(made, case.picture, case.listening, semantic=_semantic(proposal, made, answer))
    return replace(proposal, planner=planner, sounds=made, reasoning=replace(told, steps=tuple(steps)))


def _whole(case: Case) -> Scene:
    shots = tuple(range(min(MOST_SHOTS_TOLD, len(case.picture.shots))))
    return Scene(shots, Span(0.0, float(case.clip.duration_s)), ())


def _shape(sounds: int) -> Record:
    classes = Choice(tuple(vocabulary()))
    add = Listed(record(because=Text(200), **{"class": classes}), most=MOST_CHANGES)
    if not sounds:
        return record(thoughts=Text(600), add=add)
    number = Choice(tuple(range(sounds)))
    return record(
        thoughts=Text(600),
        drop=Listed(number, most=sounds),
        change=Listed(record(sound=number, to=classes), most=min(sounds, MOST_CHANGES)),
        add=add,
        describe=Listed(record(sound=number, how=Text(160)), most=min(sounds, MOST_CHANGES)),
    )


def _plan_lines(sounds: Sequence[ProposedSound], fixed: frozenset[int]) -> Iterator[str]:
    for number, sound in enumerate(sounds):
        fields = {"sound": number, "label": sound.label, "kind": sound.kind, "prompt": sound.prompt}
        fields |= {"because": sound.because, "confidence": round(sound.confidence, 2)}
        fields |= {"start_s": round(sound.start_s, 2)} if sound.start_s is not None else {}
        yield json.dumps(fields | ({"fixed": "said by the user"} if number in fixed else {}))


def _is_said(sound: ProposedSound, named: Sequence[ProposedSound]) -> bool:
    """Return whether a hint brings a sound about, whatever a planner found out of where it is seen."""
    return any((sound.label, sound.because, sound.start_s) == (one.label, one.because, one.start_s) for one in named)


def _kept(sounds: Sequence[ProposedSound], answer: dict[str, Any], fixed: frozenset[int]) -> Iterator[ProposedSound]:
    """Yield the sounds that are not dropped, as they are changed and described."""
    dropped = set(answer.get("drop", [])) - fixed
    changes = {one["sound"]: one["to"] for one in answer.get("change", []) if one["sound"] not in fixed}
    how = {one["sound"]: one["how"].strip().rstrip(".") for one in answer.get("describe", [])}
    for number, sound in enumerate(sounds):
        if number in dropped:
            continue
        if number in changes:
            sound = _changed(sound, changes[number])
        yield replace(sound, prompt=", ".join(filter(None, [sound.prompt, how.get(number, "")])))


def _changed(sound: ProposedSound, name: str) -> ProposedSound:
    """Return a sound as another class, where and when it was; its times hold only where the kind stays."""
    made = vocabulary()[name].proposed(f"{sound.because}; read again, it is {vocabulary()[name].label}")
    made = replace(made, shots=sound.shots, region=sound.region, avoid=sound.avoid or made.avoid, confidence=BELIEVED)
    return replace(made, start_s=sound.start_s, end_s=sound.end_s) if made.kind == sound.kind else made


def _added(answer: dict[str, Any], denied: Sequence[str]) -> Iterator[ProposedSound]:
    for name, because in {one["class"]: one["because"] for one in answer["add"]}.items():
        sound = vocabulary()[name].proposed(f"added by a reader of the plan: {because.strip().rstrip('.')}")
        avoid = ", ".join(filter(None, [sound.avoid, *denied]))
        yield replace(sound, avoid=avoid, confidence=min(sound.confidence, BELIEVED))


def _there(sound: ProposedSound, sounds: Sequence[ProposedSound]) -> bool:
    return any(alike(sound, one) for one in sounds)


def _semantic(proposal: Proposal, made: Sequence[ProposedSound], answer: dict[str, Any]) -> Iterator[str]:
    yield proposal.reasoning.semantic
    if thoughts := answer["thoughts"].strip():
        yield f"Read again: {thoughts.rstrip('.')}."
    before, after = ({sound.label for sound in sounds} for sounds in (proposal.sounds, made))
    if gone := sorted(before - after):
        yield f"Left out: {listed(gone)}."
    if new := sorted(after - before):
        yield f"Put in: {listed(new)}."
