"""Index the words of all sound classes by stem: which class a word speaks for, and how telling it is."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

from foley.plan.vocabulary import SoundClass, vocabulary
from foley.plan.words import language, stem, stems

Phrase = tuple[str, ...]

PERSON = 0.2
"""Weight of words for people: who does it says little of how it sounds."""


@dataclass(frozen=True, slots=True)
class Needles:
    """The words of one sound class, as stems; each phrase has at least one."""

    sound: SoundClass
    verbs: frozenset[Phrase]
    nouns: frozenset[Phrase]
    synonyms: frozenset[Phrase]
    alone: frozenset[Phrase]
    material: frozenset[Phrase]
    context: frozenset[Phrase]
    places: frozenset[Phrase]

    def all(self) -> frozenset[Phrase]:
        """Return every phrase that speaks for the class."""
        return self.verbs | self.nouns | self.synonyms | self.material | self.context


@cache
def needles() -> Mapping[str, Needles]:
    """Return the words of every class, by its id."""
    kinds = ("verbs", "nouns", "synonyms", "alone", "material", "context", "places")
    return {
        name: Needles(sound, *(_phrases(getattr(sound, kind)) for kind in kinds))
        for name, sound in vocabulary().items()
    }


def _phrases(texts: tuple[str, ...]) -> frozenset[Phrase]:
    return frozenset(filter(None, (stems(text) for text in texts)))


@cache
def speaks_for() -> Mapping[str, frozenset[str]]:
    """Return the classes that phrases beginning with a word can name or take part in, by that word."""
    found: dict[str, set[str]] = defaultdict(set)
    for name, item in needles().items():
        for phrase in item.synonyms | item.nouns | item.verbs | item.places | item.alone:
            found[phrase[0]].add(name)
    return {word: frozenset(names) for word, names in found.items()}


@cache
def rarity(word: str) -> float:
    """Return how telling a word is: 1 where one class uses it, towards 0 the more do.

    The inverse document frequency of K. Sparck Jones, "A statistical interpretation of term specificity", J. Doc. 28,
    1972, scaled to 1.
    """
    if word in _persons():
        return PERSON
    classes = len(vocabulary())
    return math.log(1 + classes / max(1, _uses()[word])) / math.log(1 + classes)


@cache
def verbs() -> frozenset[str]:
    """Return every word that acts a sound out."""
    return frozenset(phrase[0] for item in needles().values() for phrase in item.verbs)


@cache
def things() -> frozenset[str]:
    """Return every word that names what may sound, people apart: they do too many things."""
    return frozenset(phrase[0] for item in needles().values() for phrase in item.nouns if len(phrase) == 1) - _persons()


@cache
def sounding_stems() -> frozenset[str]:
    """Return the stems of all words that name a sound, a thing, a material or a place by themselves."""
    return frozenset(
        phrase[0] for item in needles().values() for phrase in item.all() | item.places if len(phrase) == 1
    )


@cache
def known_stems() -> frozenset[str]:
    """Return the stems of all words that mean something to somebody who plans sounds."""
    known = language()
    plain = (known.stop, known.separators, known.later, known.earlier, known.negations, known.auxiliaries)
    others = (known.fillers, known.silencers, known.ambient, known.numbers, known.manners, known.gaits)
    return frozenset(
        {word for item in needles().values() for phrase in item.all() | item.places for word in phrase}
        | {stem(word) for words in (*plain, *others) for word in words}
        | known.strokes
        | known.echoic
    )


@cache
def _uses() -> Counter[str]:
    """Return how many classes each word speaks for."""
    uses: Counter[str] = Counter()
    for item in needles().values():
        uses.update({word for phrase in item.all() for word in phrase})
    return uses


@cache
def _persons() -> frozenset[str]:
    return frozenset(stem(word) for word in language().groups["person"])
