"""Keep what people say above what a model believes: their sounds stay, what they deny is not heard."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from foley import plugins
from foley.contracts import Case, Context, Planner, PlannerSettings
from foley.model import Hints, Proposal, ProposedSound
from foley.plan.matching import Reading, read
from foley.plan.vocabulary import vocabulary

RULES = "rules"
"""The planner that reads hints, asked by name: planners do not know each other."""


@dataclass(frozen=True, slots=True)
class Said:
    """What hints ask for."""

    rules: Proposal
    """What is planned without a model."""
    sounds: tuple[ProposedSound, ...]
    """Those of its sounds that hints bring about."""
    guessed: tuple[ProposedSound, ...]
    """Those among them that no hint names: backgrounds that usually go with what is named."""
    denied: frozenset[str]
    """Labels of the sound classes that are denied."""
    avoid: tuple[str, ...]
    """What is denied, in the hints' own words."""
    silent: bool
    """Nothing is to be heard beyond what hints name."""


def reader(settings: PlannerSettings) -> str:
    """Return who reads the hints: part of the identity of all planners that keep them."""
    rules: Planner = plugins.build("planner", RULES)
    return rules.identity(settings)


def said(case: Case, settings: PlannerSettings, ctx: Context) -> Said:
    """Return what the hints ask for: what the rules propose with them and do not propose without."""
    rules: Planner = plugins.build("planner", RULES)
    proposal = rules.plan(case, settings, ctx)
    alone = rules.plan(replace(case, hints=Hints(())), settings, ctx).sounds if case.hints.items else proposal.sounds
    readings = [(hint, read(hint.text)) for hint in case.hints.items]
    sounds = tuple(sound for sound in proposal.sounds if not any(_same(sound, other) for other in alone))
    named = {mention.sound.label for _, reading in readings for mention in reading.mentions}
    return Said(
        rules=proposal,
        sounds=sounds,
        guessed=tuple(sound for sound in sounds if sound.kind == "bed" and sound.label not in named),
        denied=frozenset(label for _, reading in readings for label in _denied(reading)),
        avoid=tuple(sorted({text for _, reading in readings for text in reading.denied})),
        silent=any(reading.silent and hint.start_s is None for hint, reading in readings),
    )


def merged(sounds: Sequence[ProposedSound], hints: Said) -> tuple[ProposedSound, ...]:
    """Return the hints' sounds, told from a model's where they are, then the model's own that nobody denies.

    A background that the rules add to what hints name gives way to one that the model has seen.
    """
    own = [] if hints.silent else [sound for sound in sounds if sound.label not in hints.denied]
    named = [sound for sound in hints.sounds if sound not in hints.guessed or not _has_bed(own)]
    kept = [_placed(sound, [one for one in own if alike(one, sound)]) for sound in named]
    fresh = [one for one in own if not any(alike(one, sound) for sound in named)]
    made = [*kept, *_joined(fresh)]
    if not _has_bed(made) and not hints.silent:
        made += [sound for sound in hints.rules.sounds if sound.kind == "bed" and sound not in made]
    return tuple(_avoiding(sound, hints.avoid) for sound in made)


def alike(one: ProposedSound, other: ProposedSound) -> bool:
    """Return whether two sounds are of one class."""
    return one.kind == other.kind and (
        one.label == other.label or bool(one.recipe and one.ucs and _way(one) == _way(other))
    )


def _way(sound: ProposedSound) -> tuple[str, str, tuple[tuple[str, float | str], ...]]:
    return sound.ucs, sound.recipe, tuple(sorted(sound.parameters.items()))


def _same(one: ProposedSound, other: ProposedSound) -> bool:
    """Return whether a sound is there without hints as well; what they avoid makes it no other."""
    return replace(one, avoid="") == replace(other, avoid="")


def _denied(reading: Reading) -> list[str]:
    return [vocabulary()[name].label for name in reading.denied_ids]


def _has_bed(sounds: Sequence[ProposedSound]) -> bool:
    return any(sound.kind == "bed" for sound in sounds)


def _placed(sound: ProposedSound, seen: Sequence[ProposedSound]) -> ProposedSound:
    """Return a hint's sound where a model has seen it, as far as the hint leaves that open."""
    if not seen or sound.start_s is not None or sound.shots:
        return sound
    shots = sorted({number for one in seen for number in one.shots}) if all(one.shots for one in seen) else ()
    regions = {one.region for one in seen}
    return replace(sound, shots=tuple(shots), region=regions.pop() if len(regions) == 1 else sound.region)


def _joined(sounds: Sequence[ProposedSound]) -> list[ProposedSound]:
    """Return the sounds with backgrounds of one class, spotted in several scenes, as one that runs on."""
    joined: list[ProposedSound] = []
    for sound in sounds:
        place = next((number for number, one in enumerate(joined) if sound.kind == "bed" and alike(one, sound)), None)
        if place is None:
            joined.append(sound)
        else:
            shots = tuple(sorted({*joined[place].shots, *sound.shots}))
            joined[place] = replace(joined[place], shots=shots)
    return joined


def _avoiding(sound: ProposedSound, denied: Sequence[str]) -> ProposedSound:
    return replace(sound, avoid=", ".join(dict.fromkeys([*sound.avoid.split(", "), *denied])).strip(", "))
