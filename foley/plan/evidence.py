"""Weigh what is seen: what shots look like, the places they show, and what moves where nothing is recognised."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

import numpy as np

from foley.contracts import Case
from foley.model import Cue, Looks, Picture, ProposedSound, ScoredLabel
from foley.plan.reasons import shots_named
from foley.plan.vocabulary import SoundClass, vocabulary

SEEN = 0.5
"""Score from which a class counts as seen: scores are calibrated, so it is there more likely than not."""

UNSURE = 0.3
"""Confidence in what motion alone suggests."""

MOVES = 0.02
"""Motion level below which nothing moves that could be heard."""

CLEARLY, CLEAR_PERCENTILE, FASTEST = 0.15, 95, 0.95
"""Level that the liveliest twentieth of a shot reaches where something moves though nothing says what: beside a shot of
slow motion, a camera's noise in a still one makes 0.08. A clip's fastest motion has level 1, unless all of it is still:
its noise stays well under that."""

HEARD_S = 0.1
"""How far an attack in the clip's own sound may lie from what is seen to be taken for its sound: more, and picture and
sound are seen to part (ITU-R BT.1359)."""

HEARD_SHARE = 0.5
"""Of the impacts that must coincide with attacks."""

HEARD = 0.5
"""How much such attacks speak for a sound: something is struck there, though it may be another thing."""

GENERIC_IMPACT = "generic-impact"
GENERIC_MOVEMENT = "cloth-move"
FOOTSTEPS = "footsteps"
"""The class of footsteps on nobody says what; those that say begin with it."""


@dataclass(frozen=True, slots=True)
class Seen:
    """A class of sounds that some shots look like."""

    sound: SoundClass
    shots: tuple[int, ...]
    score: float
    """Of the shot that looks most like it."""


def seen_sounds(looks: Looks, denied: frozenset[str]) -> list[Seen]:
    """Return the classes that shots look like, backgrounds apart: of each kind the likeliest of each shot."""
    best: dict[tuple[int, str], ScoredLabel] = {}
    for look in looks.items:
        for label in _certain(look.labels, denied):
            sound = vocabulary()[label.sound]
            if not _is_place(sound):
                kind = FOOTSTEPS if sound.id.startswith(FOOTSTEPS) else sound.kind
                best.setdefault((look.shot, kind), label)
    return _gathered((shot, label) for (shot, _), label in best.items())


def seen_places(looks: Looks, denied: frozenset[str]) -> list[Seen]:
    """Return the background of each place of which a shot shows what it is; of one class once, with all its shots."""
    chosen: list[tuple[int, ScoredLabel]] = []
    for place in sorted(set(looks.places)):
        shots = [look for look in looks.items if looks.places[look.shot] == place]
        votes: dict[str, float] = defaultdict(float)
        labels: dict[str, ScoredLabel] = {}
        for label in (label for look in shots for label in _certain(look.labels, denied)):
            if _is_place(vocabulary()[label.sound]):
                votes[label.sound] += label.score
                labels[label.sound] = max(labels.get(label.sound, label), label, key=lambda one: one.score)
        if votes:
            winner = labels[max(sorted(votes), key=lambda name: votes[name])]
            chosen += [(look.shot, winner) for look in shots]
    return _gathered(chosen)


def grounds(looks: Looks, denied: frozenset[str]) -> Mapping[int, str]:
    """Return for each shot that shows a ground the class of footsteps on it."""
    found: dict[int, str] = {}
    for place in seen_places(looks, denied):
        if ground := place.sound.ground:
            found |= dict.fromkeys(place.shots, ground)
    for look in looks.items:
        walked = (one for one in _certain(look.labels, denied) if one.sound.startswith(f"{FOOTSTEPS}-"))
        if label := next(walked, None):
            found[look.shot] = label.sound
    return found


def proposed(case: Case, seen: Seen) -> ProposedSound | None:
    """Return the sound of what is seen, in the shots where something moves as it would; None where nothing does."""
    sound = seen.sound
    shots = tuple(number for number in seen.shots if _sounds(sound, case.picture, number))
    if not shots:
        return None
    because, confidence = f"{_likeness(shots)} {sound.label} ({seen.score:.2f})", seen.score
    if _is_heard(sound, case, shots):
        because += "; the clip's own sound has attacks there"
        confidence = either(confidence, HEARD)
    return replace(sound.proposed(because), shots=shots, confidence=min(sound.confidence, confidence))


def confirmed(proposal: ProposedSound, sound: SoundClass, looks: Looks) -> ProposedSound:
    """Return a sound that somebody names, surer where a shot looks like it as well."""
    found = [(label.score, look.shot) for look in looks.items for label in look.labels if label.sound == sound.id]
    score, shot = max(found, default=(0.0, 0))
    if score < SEEN:
        return proposal
    because = f"{proposal.because}; {_likeness([shot])} it ({score:.2f})"
    return replace(proposal, because=because, confidence=min(sound.confidence, either(proposal.confidence, score)))


def either(first: float, second: float) -> float:
    """Return how likely something is that two independent pieces of evidence speak for: 1 - (1 - a)(1 - b).

    The noisy or of J. Pearl, "Probabilistic Reasoning in Intelligent Systems", 1988.

    >>> either(0.5, 0.5)
    0.75
    """
    return 1.0 - (1.0 - first) * (1.0 - second)


def moving_sounds(picture: Picture, shots: Iterable[int]) -> Iterator[ProposedSound]:
    """Yield what motion alone suggests in some shots: soft impacts where something stops, and a movement."""
    wanted = tuple(shots)
    struck = tuple(number for number in wanted if picture.shot_cues[number] == "strike")
    if struck and any(_impacts(picture, number, "strike") for number in wanted):
        impact = vocabulary()[GENERIC_IMPACT].proposed("nothing says what strikes")
        yield replace(impact, shots=struck, confidence=UNSURE)
    still = float(np.max(picture.motion.level, initial=0.0)) < FASTEST
    moving = () if still else tuple(number for number in wanted if _clearly_moves(picture, number))
    if moving:
        movement = vocabulary()[GENERIC_MOVEMENT].proposed("something moves; nothing says what")
        shots = () if len(moving) == len(picture.shots) else moving
        yield replace(movement, label="movement", shots=shots, confidence=UNSURE)


def _certain(labels: Iterable[ScoredLabel], denied: frozenset[str]) -> Iterator[ScoredLabel]:
    """Yield the labels that count, the likeliest first; none that another vocabulary knows."""
    for label in sorted(labels, key=lambda one: (-one.score, one.sound)):
        if label.score >= SEEN and label.sound not in denied and label.sound in vocabulary():
            yield label


def _gathered(found: Iterable[tuple[int, ScoredLabel]]) -> list[Seen]:
    """Return one entry for each class, with its shots, the first seen first."""
    shots: dict[str, list[int]] = defaultdict(list)
    scores: dict[str, float] = defaultdict(float)
    for shot, label in sorted(found, key=lambda one: one[0]):
        shots[label.sound].append(shot)
        scores[label.sound] = max(scores[label.sound], label.score)
    return [Seen(vocabulary()[name], tuple(numbers), scores[name]) for name, numbers in shots.items()]


def _is_place(sound: SoundClass) -> bool:
    return sound.kind == "bed" and sound.bus == "backgrounds"


def _likeness(shots: Iterable[int]) -> str:
    numbers = list(shots)
    return f"{shots_named(numbers)} {'looks' if len(numbers) == 1 else 'look'} like"


def _sounds(sound: SoundClass, picture: Picture, shot: int) -> bool:
    """Return whether a shot moves as it does when it sounds: a dog that lies still does not bark."""
    if sound.kind == "bed":
        return True
    return (
        _moves(picture, shot) if sound.kind == "span" or sound.cue is None else _impacts(picture, shot, sound.cue) > 0
    )


def _moves(picture: Picture, shot: int) -> bool:
    level = picture.motion.level[_within(picture.times_s, picture, shot)]
    return bool(len(level)) and float(np.max(level)) > MOVES


def _clearly_moves(picture: Picture, shot: int) -> bool:
    level = picture.motion.level[_within(picture.times_s, picture, shot)]
    return bool(len(level)) and float(np.percentile(level, CLEAR_PERCENTILE)) > CLEARLY


def _impacts(picture: Picture, shot: int, cue: Cue) -> int:
    times = np.array([impact.time_s for impact in picture.impacts if impact.cue == cue])
    return int(np.count_nonzero(_within(times, picture, shot)))


def _within(times_s: np.ndarray, picture: Picture, shot: int) -> np.ndarray:
    bounds = picture.shots[shot]
    return (times_s >= bounds.start_s) & (times_s < bounds.end_s)


def _is_heard(sound: SoundClass, case: Case, shots: Iterable[int]) -> bool:
    """Return whether the clip's own sound has attacks where the impacts of a sound are seen."""
    inside = [case.picture.shots[number] for number in shots]
    times = [
        impact.time_s
        for impact in case.picture.impacts
        if impact.cue == sound.cue and any(shot.start_s <= impact.time_s < shot.end_s for shot in inside)
    ]
    onsets = case.listening.onsets_s
    if sound.kind != "hits" or not times or not len(onsets):
        return False
    near = sum(float(np.min(np.abs(onsets - time))) <= HEARD_S for time in times)
    return near >= HEARD_SHARE * len(times)
