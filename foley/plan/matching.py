"""Find the sounds that a text speaks of: words are evidence, rare ones more, and the longest match wins."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cache

from foley.plan.vocabulary import SoundClass, vocabulary
from foley.plan.words import Clause, Manner, clauses, language, stem, stems

Phrase = tuple[str, ...]

NAMED = 1.5
"""Factor on words that name a sound by themselves, over those that need a partner."""

SUPPORT = 0.5
"""Factor on words that only support: materials, context, and nouns after the first."""

FOOTSTEPS = "footsteps"
"""The class of footsteps on nobody says what."""

WHERE = 0.8
"""Factor on words that say where: a glass that falls on a table sounds of glass first."""

PERSON = 0.2
"""Weight of words for people: who does it says little of how it sounds."""

SURE = 2.0
"""Evidence at which a match is as sure as words can make it: two rare words."""


@dataclass(frozen=True, slots=True)
class Mention:
    """A sound that a text speaks of."""

    sound: SoundClass
    words: tuple[str, ...]
    """The words that speak for it, as written, in order."""
    clause: str
    """The clause they stand in."""
    score: float
    step: int
    """0 for what comes first, one more after every "then"."""
    manners: tuple[str, ...] = ()
    """Words that say how it sounds: "heavy", "distant"."""

    @property
    def confidence(self) -> float:
        """Return how sure the words make it, 0.5 to 1."""
        return round(min(self.sound.confidence, 0.5 + 0.5 * min(1.0, self.score / SURE)), 2)


@dataclass(frozen=True, slots=True)
class Reading:
    """What a text says of sound."""

    mentions: tuple[Mention, ...]
    """In the order of the text."""
    places: tuple[SoundClass, ...]
    """Beds of the places that it names, the likeliest first."""
    denied: tuple[str, ...]
    """What it says is not heard, in its own words."""
    denied_ids: frozenset[str]
    """The sound classes that this means."""
    silent: bool
    """It says that nothing is heard."""
    unread: tuple[str, ...]
    """Clauses that no sound class explains."""


@dataclass(frozen=True, slots=True)
class _Needles:
    """The words of one sound class, as stems."""

    sound: SoundClass
    verbs: frozenset[Phrase]
    nouns: frozenset[Phrase]
    synonyms: frozenset[Phrase]
    material: frozenset[Phrase]
    context: frozenset[Phrase]
    places: frozenset[Phrase]

    def all(self) -> frozenset[Phrase]:
        """Return every phrase that speaks for the class."""
        return self.verbs | self.nouns | self.synonyms | self.material | self.context


@dataclass(frozen=True, slots=True)
class _Scope:
    """The words among which a sound is looked for."""

    stems: Phrase
    weights: tuple[float, ...]
    """How telling each word is."""
    around: frozenset[str]
    """All words of the text."""
    borrowed: frozenset[str] = frozenset()
    """Verbs of a neighbouring clause."""

    def weight(self, places: Iterable[int]) -> float:
        """Return how telling the words at some places are together."""
        return sum(self.weights[place] for place in places)

    def without(self, places: frozenset[int]) -> _Scope:
        """Return the same with some words blotted out."""
        return replace(self, stems=tuple("" if place in places else word for place, word in enumerate(self.stems)))


@dataclass(frozen=True, slots=True)
class _Candidate:
    sound: SoundClass
    words: frozenset[int]
    """Places in the clause of all words that speak for it."""
    score: float


def read(text: str) -> Reading:
    """Return the sounds that a text speaks of, and those that it denies.

    >>> reading = read("a knife chops cabbage on a wooden board, no music")
    >>> [mention.sound.id for mention in reading.mentions], reading.denied
    (['knife-chop'], ('music',))
    """
    parts = clauses(text)
    spoken = [clause for clause in parts if not clause.denied and not clause.silent]
    around = frozenset(word for clause in spoken for word in clause.stems)
    mentions: list[Mention] = []
    unread: list[str] = []
    for number, clause in enumerate(spoken):
        found = list(_in_clause(clause, around, _borrowed(number, spoken)))
        mentions += found
        if not found:
            unread.append(clause.text)
    denied = [clause for clause in parts if clause.denied]
    places = _places(spoken)
    return Reading(
        mentions=_strongest_of_each([_grounded(mention, places) for mention in mentions]),
        places=places,
        denied=tuple(filter(None, map(_denied_text, denied))),
        denied_ids=frozenset(_denied_ids(denied)),
        silent=any("silence" in clause.words or (clause.denied and not _denied_text(clause)) for clause in parts),
        unread=tuple(unread),
    )


def _in_clause(clause: Clause, around: frozenset[str], borrowed: frozenset[str]) -> Iterator[Mention]:
    """Yield the sounds of one clause, the strongest first; every word speaks for one of them only.

    Where its own words name none, a neighbour's verb is tried ("walks through snow, then over gravel").
    """
    weights = (_rarity(word) * (WHERE if place >= clause.where else 1) for place, word in enumerate(clause.stems))
    scope = _Scope(clause.stems, tuple(weights), around)
    found = list(_one_by_one(scope))
    for best in found or _one_by_one(replace(scope, borrowed=borrowed)):
        yield Mention(
            sound=best.sound,
            words=tuple(clause.words[place] for place in sorted(best.words)),
            clause=clause.text,
            score=best.score,
            step=clause.step,
            manners=tuple(word for word in clause.words if word in language().manners),
        )


def _one_by_one(scope: _Scope) -> Iterator[_Candidate]:
    """Yield the best candidate, then the best for the words that are left, until nothing is named any more."""
    while True:
        names = {name for word in scope.stems for name in _speaks_for().get(word, ())}
        found = (_candidate(_needles()[name], scope) for name in sorted(names))
        best = max(filter(None, found), key=lambda item: (item.score, len(item.words)), default=None)
        if best is None:
            return
        yield best
        scope = scope.without(best.words)


def _candidate(needles: _Needles, scope: _Scope) -> _Candidate | None:
    """Return what speaks for a class; None where it is neither named nor acted out."""
    named = _longest(needles.synonyms, scope)
    verb = _longest(needles.verbs, scope)
    noun = _longest(needles.nouns, scope, apart_from=verb)
    lent = not verb and any(phrase[0] in scope.borrowed for phrase in needles.verbs)
    acted = bool(noun) and (bool(verb) or lent)
    if not named and not acted:
        return None
    words = named | (verb | noun if acted else frozenset())
    support = _support(needles, scope) - words
    score = NAMED * scope.weight(named) + scope.weight(words - named) + SUPPORT * scope.weight(support)
    score += SUPPORT * sum(_rarity(word) for (word, *_) in needles.context if word in scope.around)
    return _Candidate(needles.sound, words | support, score)


def _support(needles: _Needles, scope: _Scope) -> frozenset[int]:
    """Return the places of all words that support a class: its other nouns and verbs, and its materials."""
    found: frozenset[int] = frozenset()
    for phrase in needles.nouns | needles.material | needles.verbs:
        found |= _places_of(phrase, scope.stems)
    return found


def _longest(phrases: Iterable[Phrase], scope: _Scope, apart_from: frozenset[int] = frozenset()) -> frozenset[int]:
    """Return the places of the phrase with the most, and the most telling, words."""
    found = (_places_of(phrase, scope.stems) for phrase in phrases)
    return max(
        (places for places in found if places and not places & apart_from),
        key=lambda places: (len(places), scope.weight(places), -min(places)),
        default=frozenset(),
    )


def _places_of(phrase: Phrase, text: Phrase) -> frozenset[int]:
    """Return where a phrase stands in a text for the first time, word by word."""
    if phrase[0] not in text:  # most are not: this is asked for every phrase of a class
        return frozenset()
    for first in range(len(text) - len(phrase) + 1):
        if text[first : first + len(phrase)] == phrase:
            return frozenset(range(first, first + len(phrase)))
    return frozenset()


def _rarity(word: str) -> float:
    """Return how telling a word is: 1 where one class uses it, towards 0 the more do (inverse document frequency)."""
    if word in _persons():
        return PERSON
    classes = len(vocabulary())
    return math.log(1 + classes / max(1, _uses()[word])) / math.log(1 + classes)


def _borrowed(number: int, spoken: list[Clause]) -> frozenset[str]:
    """Return the verbs of the nearest clause before that has any, else of the nearest after."""
    for clause in [*reversed(spoken[:number]), *spoken[number + 1 :]]:
        if verbs := frozenset(clause.stems) & _verbs():
            return verbs
    return frozenset()


def _strongest_of_each(mentions: list[Mention]) -> tuple[Mention, ...]:
    """Return one mention of each class and step, the strongest, where it was first named."""
    best: dict[tuple[str, int], Mention] = {}
    for mention in mentions:
        key = mention.sound.id, mention.step
        if key not in best or mention.score > best[key].score:
            best[key] = mention
    return tuple(best.values())


def _grounded(mention: Mention, places: tuple[SoundClass, ...]) -> Mention:
    """Return footsteps on the ground of the place, where nothing is said of the ground itself."""
    ground = next((place.ground for place in places if place.ground), "")
    return replace(mention, sound=vocabulary()[ground]) if mention.sound.id == FOOTSTEPS and ground else mention


def _places(spoken: list[Clause]) -> tuple[SoundClass, ...]:
    """Return the beds whose places are named, by how tellingly."""
    scores: Counter[str] = Counter()
    for clause in spoken:
        for needles in _needles().values():
            scores[needles.sound.id] += max((len(phrase) for phrase in _found(needles.places, clause)), default=0)
    return tuple(vocabulary()[name] for name, score in scores.most_common() if score)


def _found(phrases: Iterable[Phrase], clause: Clause) -> list[Phrase]:
    return [phrase for phrase in phrases if _places_of(phrase, clause.stems)]


def _denied_text(clause: Clause) -> str:
    """Return what is denied; "" for "no sound", where no word says more."""
    return " ".join(word for word in clause.words if word not in language().negations)


def _denied_ids(denied: list[Clause]) -> Iterator[str]:
    """Yield the classes that denied clauses name: there one word of a kind is enough ("no birds", "without wind")."""
    for clause in denied:
        for needles in _needles().values():
            if _found(needles.synonyms | needles.places, clause):
                yield needles.sound.id
        yield from (mention.sound.id for mention in _in_clause(clause, frozenset(), frozenset()))


@cache
def _needles() -> Mapping[str, _Needles]:
    return {
        name: _Needles(
            sound,
            *(
                frozenset(filter(None, (stems(phrase) for phrase in phrases)))
                for phrases in (
                    sound.verbs,
                    sound.nouns,
                    sound.synonyms,
                    sound.material,
                    sound.context,
                    sound.places,
                )
            ),
        )
        for name, sound in vocabulary().items()
    }


@cache
def _speaks_for() -> Mapping[str, frozenset[str]]:
    """Return the classes of each word that can name one or take part in it."""
    found: dict[str, set[str]] = defaultdict(set)
    for name, needles in _needles().items():
        for phrase in needles.synonyms | needles.nouns | needles.verbs:
            found[phrase[0]].add(name)
    return {word: frozenset(names) for word, names in found.items()}


@cache
def _uses() -> Counter[str]:
    """Return how many classes each word speaks for."""
    uses: Counter[str] = Counter()
    for needles in _needles().values():
        uses.update({word for phrase in needles.all() for word in phrase})
    return uses


@cache
def _persons() -> frozenset[str]:
    return frozenset(stem(word) for word in language().groups["person"])


@cache
def _verbs() -> frozenset[str]:
    return frozenset(phrase[0] for needles in _needles().values() for phrase in needles.verbs)


def manner_of(mention: Mention) -> Manner:
    """Return what the words of manner do together to level and distance."""
    known = [language().manners[word] for word in mention.manners]
    return Manner(sum(manner.level_db for manner in known), math.prod(manner.distance for manner in known))
