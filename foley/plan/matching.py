"""Find the sounds that a text speaks of: words are evidence, rare ones more, and the longest match wins."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace

from foley.model import ProposedSound
from foley.plan.clauses import Clause, Count, clauses, without_negation
from foley.plan.described import at_distance, described, is_of_another_make, made_of
from foley.plan.lexicon import Needles, Phrase, needles, rarity, speaks_for
from foley.plan.loans import Loan, loan
from foley.plan.rooms import parts_of_buildings
from foley.plan.variants import varied
from foley.plan.vocabulary import SoundClass, vocabulary
from foley.plan.words import Manner, language, manner

NAMED = 1.5
"""Factor on words that name a sound by themselves, over those that need a partner."""

SUPPORT = 0.5
"""Factor on words that only support: materials, context, and nouns after the first."""

FOOTSTEPS = "footsteps"
"""The class of footsteps on nobody says what; those that say begin with it."""

WHERE = 0.7
"""Factor on words that say where: a glass that falls on a table sounds of glass first."""

GUESSED = 0.5
"""Factor on words that are mended slips of the finger."""

MADE_OTHERWISE = 0.4
"""Factor on a class whose things are of another material than the word before says: a metal cup is no crockery."""

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
    """0 for what comes first, one more for what comes later; what is heard together shares a step."""
    manners: tuple[str, ...] = ()
    """Words that say how it sounds: "heavy", "distant"."""
    count: int | None = None
    """How many hits the text speaks of; None where it does not say."""
    parameters: Mapping[str, float | str] = field(default_factory=dict)
    """What the words say of the recipe's parameters: running, in high heels."""
    lent: bool = False
    """Its verb stands in a neighbouring clause."""
    likeness: float | None = None
    """How much the clause means what the class means, 0 to 1, where that and no word speaks for it."""

    @property
    def quote(self) -> str:
        """Return the stretch of the clause that names it, from the first to the last word that speaks for it."""
        said = self.clause.split()
        places = [place for place, word in enumerate(said) if word in self.words]
        return " ".join(said[places[0] : places[-1] + 1] if places else self.words)

    @property
    def confidence(self) -> float:
        """Return how sure the words make it, 0.5 to 1, or how alike the meanings are."""
        sure = 0.5 + 0.5 * min(1.0, self.score / SURE) if self.likeness is None else self.likeness
        return round(min(self.sound.confidence, sure), 2)


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
    left: tuple[Clause, ...]
    """Clauses that no sound class explains."""

    @property
    def unread(self) -> tuple[str, ...]:
        """Return the clauses that no sound class explains, as text."""
        return tuple(clause.text for clause in self.left)


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
    things: frozenset[str] = frozenset()
    """What the clause before speaks of."""
    named: bool = False
    """Something in the clause is named already."""
    ambient: bool = False
    """It speaks of how a place sounds."""

    def weight(self, places: Iterable[int]) -> float:
        """Return how telling the words at some places are together."""
        return sum(self.weights[place] for place in places)

    def without(self, places: frozenset[int]) -> _Scope:
        """Return the same with some words blotted out."""
        left = tuple("" if place in places else word for place, word in enumerate(self.stems))
        return replace(self, stems=left, named=True)


@dataclass(frozen=True, slots=True)
class _Candidate:
    sound: SoundClass
    words: frozenset[int]
    """Places in the clause of all words that speak for it."""
    score: float
    around: frozenset[str] = frozenset()
    """Words of other clauses that support it, by stem."""


def read(text: str) -> Reading:
    """Return the sounds that a text speaks of, and those that it denies.

    >>> reading = read("a knife chops cabbage on a wooden board, no music")
    >>> [mention.sound.id for mention in reading.mentions], reading.denied
    (['knife-chop'], ('music',))
    """
    parts = clauses(text)
    spoken = _renumbered([clause for clause in parts if not clause.denied and not clause.silent])
    denied = [without_negation(clause) for clause in parts if clause.denied]
    around = frozenset(word for clause in spoken for word in clause.stems)
    found = [tuple(_in_clause(clause, around, loan(number, spoken))) for number, clause in enumerate(spoken)]
    places = _places(spoken)
    mentions = _without_bare_steps([mention for one in found for mention in one])
    return Reading(
        mentions=_strongest_of_each([_grounded(mention, places) for mention in mentions]),
        places=places,
        denied=tuple(filter(None, (" ".join(clause.words) for clause in denied))),
        denied_ids=frozenset(_denied_ids(denied)),
        silent=any("silence" in clause.words for clause in parts) or any(not clause.words for clause in denied),
        left=tuple(clause for clause, one in zip(spoken, found, strict=True) if not one),
    )


def loosely(text: str) -> tuple[Mention, ...]:
    """Return the likeliest sound of a text in which one word is enough, a thing or what it does: for one asked alone.

    >>> [mention.sound.id for mention in loosely("a spoon")]
    ['cutlery']
    """
    found: list[tuple[float, Mention]] = []
    for clause in clauses(text):
        scope = _Scope(clause.stems, tuple(rarity(word) for word in clause.stems), frozenset(clause.stems))
        for item in needles().values():
            things, doings = _longest(item.nouns | item.places, scope), _longest(item.verbs, scope)
            if words := things | doings:
                best = _Candidate(item.sound, words, scope.weight(things) + SUPPORT * scope.weight(doings - things))
                found.append((best.score, _mention(best, clause)))
    return (max(found, key=lambda one: one[0])[1],) if found else ()


def manner_of(mention: Mention) -> Manner:
    """Return what the words of manner do together to level and distance."""
    known = [known for word in mention.manners if (known := manner(word))]
    return Manner(sum(one.level_db for one in known), math.prod(one.distance for one in known))


def mentioned(mention: Mention, because: str) -> ProposedSound:
    """Return the sound that words name, with the manner in which they do."""
    manner = manner_of(mention)
    sound = mention.sound.proposed(because)
    return replace(
        sound,
        prompt=", ".join([sound.prompt, *mention.manners]),
        parameters=at_distance({**sound.parameters, **mention.parameters}, manner.distance),
        level_db=sound.level_db + manner.level_db,
        distance_m=sound.distance_m * manner.distance,
        count=mention.count,
        confidence=mention.confidence,
    )


def _in_clause(clause: Clause, around: frozenset[str], taken: Loan) -> Iterator[Mention]:
    """Yield the sounds of one clause, the strongest first; every word speaks for one of them only.

    Where its own words name none, a neighbour's verb is tried ("walks through snow, then over gravel"), then what the
    clause before speaks of ("a door opens, then closes").
    """
    weights = [rarity(word) for word in clause.stems]
    for place in range(len(weights)):
        weights[place] *= (WHERE if place >= clause.where else 1) * (GUESSED if place in clause.doubtful else 1)
    ambient = any(word in language().ambient for word in clause.words)
    scope = _Scope(clause.stems, tuple(weights), around, ambient=ambient)
    if own := [*_one_by_one(scope)]:
        yield from (_mention(best, clause) for best in own)
    elif lent := [*_one_by_one(replace(scope, borrowed=taken.verbs), joined=taken.joined)]:
        yield from (_mention(best, clause, lent=True) for best in lent)
    elif done := [*_one_by_one(replace(scope, things=taken.things))]:
        yield from (_mention(best, clause) for best in done)
    else:
        yield from (_mention(best, clause) for best in _alone(clause, scope))


def _mention(best: _Candidate, clause: Clause, *, lent: bool = False) -> Mention:
    sound = varied(best.sound, best.around.union(clause.stems[place] for place in best.words))
    return Mention(
        sound=sound,
        words=tuple(clause.words[place] for place in sorted(best.words)),
        clause=clause.text,
        score=best.score,
        step=clause.step,
        manners=tuple(word for word in clause.words if manner(word)),
        count=_counted(best, clause, clause.count) if clause.count and best.sound.kind == "hits" else None,
        parameters=described(sound, clause, best.words),
        lent=lent,
    )


def _counted(best: _Candidate, clause: Clause, count: Count) -> int | None:
    """Return the count where it counts the doing, or one of the words that speak for this sound."""
    own = {clause.stems[place] for place in best.words}
    return count.number if not count.stroke or count.stroke in own else None


def _one_by_one(scope: _Scope, *, joined: bool = True) -> Iterator[_Candidate]:
    """Yield the best candidate, then the best for the words that are left, until nothing is named any more."""
    while True:
        names = {name for word in scope.stems for name in speaks_for().get(word, ())}
        found = (_candidate(needles()[name], scope) for name in sorted(names) if joined or name.startswith(FOOTSTEPS))
        best = max(filter(None, found), key=lambda item: (item.score, len(item.words)), default=None)
        if best is None:
            return
        yield best
        scope = scope.without(best.words)


def _candidate(item: Needles, scope: _Scope) -> _Candidate | None:
    """Return what speaks for a class; None where it is neither named nor acted out."""
    named = _longest(item.synonyms | item.places if scope.ambient else item.synonyms, scope)
    if scope.named and {scope.stems[place] for place in named} <= language().echoic:
        named = frozenset()
    verb = _longest(item.verbs, scope)
    noun = _longest(item.nouns, scope, apart_from=verb)
    if verb and not noun:  # "a lock turns": what is both is the thing where another word acts
        noun = _longest(item.nouns, scope)
        verb = _longest(item.verbs, scope, apart_from=noun)
    if not noun:
        noun = made_of(item, scope.stems)
    lent = not verb and any(phrase[0] in scope.borrowed for phrase in item.verbs)
    lent_noun = not noun and any(phrase[0] in scope.things for phrase in item.nouns)
    acted = (bool(noun) and (bool(verb) or lent)) or (bool(verb) and lent_noun)
    if not named and not acted:
        return None
    words = named | (verb | noun if acted else frozenset())
    support = _support(item, scope) - words
    score = NAMED * scope.weight(named) + scope.weight(words - named) + SUPPORT * scope.weight(support)
    around = frozenset(word for (word, *_) in item.context if word in scope.around)
    score += SUPPORT * sum(rarity(word) for word in around)
    if is_of_another_make(item, scope.stems, noun):
        score *= MADE_OTHERWISE
    return _Candidate(item.sound, words | support, score, around)


def _alone(clause: Clause, scope: _Scope) -> Iterator[_Candidate]:
    """Yield the class that a clause names by saying nothing else: a caption "[waves]", "distant waves"."""
    said = [place for place, word in enumerate(clause.words) if place < clause.where and not manner(word)]
    phrase = tuple(clause.stems[place] for place in said)
    for name in sorted(speaks_for().get(phrase[0], ())) if phrase else ():
        if phrase in needles()[name].alone:
            yield _Candidate(vocabulary()[name], frozenset(said), scope.weight(said))
            return


def _support(item: Needles, scope: _Scope) -> frozenset[int]:
    """Return the places of all words that support a class: its other nouns and verbs, and its materials."""
    found: frozenset[int] = frozenset()
    for phrase in item.nouns | item.material | item.verbs:
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


def _without_bare_steps(mentions: list[Mention]) -> list[Mention]:
    """Return the mentions without footsteps on nothing to which another clause lends a ground: "footsteps, gravel"."""
    grounded = {mention.step for mention in mentions if mention.lent and mention.sound.id.startswith(FOOTSTEPS)}
    return [mention for mention in mentions if mention.sound.id != FOOTSTEPS or mention.step not in grounded]


def _strongest_of_each(mentions: list[Mention]) -> tuple[Mention, ...]:
    """Return one mention of each class and step, the strongest, where it was first named."""
    best: dict[tuple[str, int], Mention] = {}
    for mention in mentions:
        key = mention.sound.id, mention.step
        if key not in best or mention.score > best[key].score:
            best[key] = mention
    return tuple(best.values())


def _renumbered(spoken: list[Clause]) -> list[Clause]:
    """Return the clauses with their steps counted anew: what makes no sound takes none."""
    steps = sorted({clause.step for clause in spoken})
    return [replace(clause, step=steps.index(clause.step)) for clause in spoken]


def _grounded(mention: Mention, places: tuple[SoundClass, ...]) -> Mention:
    """Return footsteps on the ground of the place, where nothing is said of the ground itself."""
    ground = next((place.ground for place in places if place.ground), "")
    return replace(mention, sound=vocabulary()[ground]) if mention.sound.id == FOOTSTEPS and ground else mention


def _places(spoken: list[Clause]) -> tuple[SoundClass, ...]:
    """Return the beds whose places are named, by how tellingly."""
    scores: Counter[str] = Counter()
    for clause in spoken:
        for item in needles().values():
            named = [phrase for phrase in _found(item.places, clause) if not _names_part(phrase, clause, item.sound)]
            scores[item.sound.id] += max(map(len, named), default=0)
    return tuple(vocabulary()[name] for name, score in scores.most_common() if score)


def _names_part(phrase: Phrase, clause: Clause, bed: SoundClass) -> bool:
    """Return whether a large place is named for a part that is heard from outside: "church bells"."""
    after = max(_places_of(phrase, clause.stems)) + 1
    return bed.room == "large_interior" and not parts_of_buildings().isdisjoint(clause.stems[after : after + 1])


def _found(phrases: Iterable[Phrase], clause: Clause) -> list[Phrase]:
    return [phrase for phrase in phrases if _places_of(phrase, clause.stems)]


def _denied_ids(denied: list[Clause]) -> Iterator[str]:
    """Yield the classes that denied clauses name: there one word of a kind is enough ("no birds", "without wind")."""
    for clause in denied:
        for item in needles().values():
            if _found(item.synonyms | item.places | item.alone, clause):
                yield item.sound.id
        yield from (mention.sound.id for mention in _in_clause(clause, frozenset(), Loan()))
