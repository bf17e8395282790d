"""What words say of a thing besides its name: what it is made of, how large it is, how somebody walks, how far away."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from functools import cache

from foley.plan.clauses import Clause
from foley.plan.lexicon import Needles, Phrase, needles
from foley.plan.vocabulary import SoundClass
from foley.plan.words import language

STRUCK: Phrase = ("hit",)
"""The verb of classes that are told apart by what is struck."""

BEFORE = 2
"""So many words may stand between a size and what it is said of: "a small old metal cup"."""


def described(sound: SoundClass, clause: Clause, words: frozenset[int]) -> dict[str, float | str]:
    """Return what a clause says of the parameters of a sound's recipe: running, in high heels; a small bell.

    Args:
        sound: The class that it names.
        clause: The clause.
        words: Places of the words that name it.
    """
    found: dict[str, float | str] = {}
    if sound.recipe.startswith("step_"):
        for word in clause.stems:
            found |= language().gaits.get(word, {})
    size = _size(clause, frozenset(clause.words[place] for place in words))
    return found if size is None or "size" not in sound.parameters else {**found, "size": size}


def _size(clause: Clause, names: frozenset[str]) -> float | None:
    """Return the size that is said right before one of some words."""
    said = clause.text.split()
    for place, word in enumerate(said):
        if word in language().sizes and names.intersection(said[place + 1 : place + 2 + BEFORE]):
            return language().sizes[word]
    return None


def at_distance(parameters: Mapping[str, float | str], factor: float) -> dict[str, float | str]:
    """Return a recipe's parameters so many times farther away: blasts and thunder sound otherwise from afar."""
    distance_m = parameters.get("distance_m")
    return {**parameters, "distance_m": distance_m * factor} if isinstance(distance_m, float) else dict(parameters)


def made_of(item: Needles, stems: Phrase) -> frozenset[int]:
    """Return the place of a class's material where it is said of a thing of another class: a wooden cup is hit as wood.

    Only classes count that are of nothing but a material, as their names say: "wood hit".
    """
    if not any((word, *STRUCK) in item.synonyms for (word, *_) in item.material):
        return frozenset()
    for place, (word, thing) in enumerate(itertools.pairwise(stems)):
        if (word,) in item.material and (thing,) in _things_not_of(word):
            return frozenset({place})
    return frozenset()


def is_of_another_make(item: Needles, stems: Phrase, noun: frozenset[int]) -> bool:
    """Return whether the word before a thing says that it is made of what its class is not."""
    before = stems[min(noun) - 1] if noun and min(noun) > 0 else ""
    thing = stems[min(noun) : max(noun) + 1] if noun else ()
    return bool(before) and STRUCK in item.verbs and bool(thing) and thing in _things_not_of(before)


@cache
def _things_not_of(material: str) -> frozenset[Phrase]:
    """Return what classes name that are told apart by their material, and have another than this."""
    struck = [item for item in needles().values() if STRUCK in item.verbs and item.material]
    if not any((material,) in item.material for item in struck):
        return frozenset()
    others = [item for item in struck if (material,) not in item.material]
    own = {noun for item in struck if (material,) in item.material for noun in item.nouns}
    return frozenset(noun for item in others for noun in item.nouns) - own
