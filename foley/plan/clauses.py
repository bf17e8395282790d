"""Take a text apart into clauses: what is said, what is denied, what comes first, and how often."""

from __future__ import annotations

import itertools
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from foley.plan.spelling import Word, words_of
from foley.plan.words import MARKS, language, manner, stem, tokens

_LISTING = frozenset({",", "or", "nor", "and", "&"})
"""What may stand between the members of a list: a negation reaches over it where the list ends with "or"."""

_SENTENCE = frozenset(".;:!?\n")
_GOING_ON = frozenset({"and", "but", "then"})
"""After these, "after" and "before" begin a thought as they do at the start of a sentence."""

_TIMES = re.compile(r"x(\d{1,2})|(\d{1,2})x")
"""How cue sheets write "three times"."""

MOST_COUNTED = 99
"""Nobody counts further by ear; larger numbers are years and names."""


@dataclass(frozen=True, slots=True)
class Count:
    """How often something is said to be heard."""

    number: int
    stroke: str = ""
    """Stem of the word that is counted, as in "three knocks"; "" where the doing is ("knocks three times")."""


@dataclass(frozen=True, slots=True)
class Clause:
    """A stretch of text with one thing to say."""

    text: str
    words: tuple[str, ...]
    """As written, in lower case, without words that say nothing of a sound."""
    stems: tuple[str, ...]
    """Of the same words."""
    where: int
    """From which of the words on it says where something happens rather than what."""
    denied: bool
    """It says what is not heard."""
    silent: bool
    """It says of something that it makes no sound."""
    step: int
    """0 for what comes first, one more for what comes later."""
    doubtful: frozenset[int] = frozenset()
    """Places of words that are mended slips."""
    leans: bool = False
    """Goes on with the clause before: by a word like "and", or a preposition."""
    count: Count | None = None


@dataclass(frozen=True, slots=True)
class _Part:
    """The words between two separators, and the separators before them."""

    marks: tuple[str, ...]
    tokens: tuple[str, ...]

    @property
    def begins(self) -> bool:
        """Return whether it begins a thought."""
        return bool(set(self.marks) & _SENTENCE) or self.marks[:1] in {(word,) for word in _GOING_ON}


def clauses(text: str) -> tuple[Clause, ...]:
    """Return the clauses of a text, in its order.

    >>> [(clause.text, clause.denied, clause.step) for clause in clauses("He walks, no rain, then a door slams")]
    [('he walks', False, 0), ('no rain', True, 0), ('a door slams', False, 1)]
    >>> [(clause.text, clause.step) for clause in clauses("Before a door slams, somebody coughs")]
    [('a door slams', 1), ('somebody coughs', 0)]
    """
    parts = _split(tokens(text))
    told = zip(parts, _denials(parts), _steps(parts), _subjects(parts), strict=True)
    found = [
        _clause(part, denied=denied, step=step, subject=subject)
        for number, (part, denied, step, subject) in enumerate(told)
        if not _heads_denials(parts, number)
    ]
    return tuple(clause for clause in found if clause)


def _split(words: Sequence[str]) -> list[_Part]:
    """Return the words between separators, each with all separators before it."""
    known = language()
    # "second" counts only beside "first": "a second knock" is none too many
    separators = known.separators | (known.ordinals if "first" in words else frozenset())
    parts: list[_Part] = []
    marks, inside = ["\n"], list[str]()
    for word in [*words, "."]:
        divides = word in MARKS or word in separators or (word in known.earlier and not inside)
        if inside and (divides or _negates(word)):
            parts.append(_Part(tuple(marks), tuple(inside)))
            marks, inside = [], []
        (marks if divides else inside).append(word)
    return parts


def _clause(part: _Part, *, denied: bool, step: int, subject: bool) -> Clause | None:
    known = language()
    count = _count(part.tokens)
    spelt = [(place, word) for place, token in enumerate(part.tokens) for word in _spelt(token)]
    kept = [(place, word) for place, word in spelt if not _says_nothing(word, counted=count is not None)]
    if not kept:
        return None
    first = next((place for place, token in enumerate(part.tokens) if token in known.prepositions), len(part.tokens))
    return Clause(
        text=" ".join(part.tokens),
        words=tuple(word.written for _, word in kept),
        stems=tuple(word.stem for _, word in kept),
        where=sum(place < first for place, _ in kept),
        denied=denied,
        silent=subject or "silence" in part.tokens or any(token in known.silencers for token in part.tokens[:first]),
        step=step,
        doubtful=frozenset(number for number, (_, word) in enumerate(kept) if word.doubtful),
        leans=first == 0 or bool(set(part.marks) - MARKS),
        count=count,
    )


def _spelt(token: str) -> tuple[Word, ...]:
    return (Word(token, token),) if token in language().stop else words_of(token)


def _says_nothing(word: Word, *, counted: bool) -> bool:
    known = language()
    return word.written in known.stop or (counted and (word.written in known.numbers or _is_times(word.written)))


def _negates(token: str) -> bool:
    return token in language().negations or token.endswith("n't")


def _denials(parts: Sequence[_Part]) -> list[bool]:
    """Return for each part whether it is denied: from its own "no", or as a member of a list that began with one."""
    denied = [any(_negates(token) for token in part.tokens) for part in parts]
    for first, is_denied in enumerate(list(denied)):
        if not is_denied:
            continue
        if _heads_denials(parts, first):
            ends = (place for place in range(first + 2, len(parts)) if set(parts[place].marks) & _SENTENCE)
            ending = next(ends, len(parts)) - 1
            denied[first + 1 : ending + 1] = [True] * (ending - first)
            continue
        last = first
        while last + 1 < len(parts) and parts[last + 1].marks and set(parts[last + 1].marks) <= _LISTING:
            last += 1
        ending = max((i for i in range(first + 1, last + 1) if {"or", "nor"} & set(parts[i].marks)), default=first)
        denied[first + 1 : ending + 1] = [True] * (ending - first)
    return denied


def _heads_denials(parts: Sequence[_Part], number: int) -> bool:
    """Return whether a part says of all that is listed behind its colon that it is not heard: "avoid: music, wind"."""
    said = parts[number].tokens
    plain = all(_negates(word) or word in language().fillers | language().stop for word in said)
    followed = number + 1 < len(parts) and parts[number + 1].marks[:1] == (":",)
    return plain and followed and any(_negates(word) for word in said)


def _subjects(parts: Sequence[_Part]) -> list[bool]:
    """Return for each part whether the next says what it does not do: "the dog | doesn't bark"."""
    found = [
        not after.marks
        and _negates(after.tokens[0])
        and (part.tokens[-1] in language().auxiliaries or after.tokens[0].endswith("n't"))
        for part, after in itertools.pairwise(parts)
    ]
    return [*found, *[False] * (len(parts) - len(found))]


def _steps(parts: Sequence[_Part]) -> list[int]:
    """Return which step of the story each part is: words like "then", "after" and "before" order them."""
    known = language()
    steps: list[int] = []
    now = 0
    waits: int | None = None
    """The step of the clause after the one that begins with "after" or "before"."""
    for part in parts:
        order = next((mark for mark in reversed(part.marks) if mark in known.later | known.earlier), "")
        opens = part.begins and order in ("before", *known.earlier)
        if waits is not None:
            now, waits = waits, None
        elif order in known.later and steps and not opens:
            now = max(steps) + 1
        if opens and part is not parts[-1]:
            waits = now if order == "before" else now + 1
            now += order == "before"
        elif order in known.earlier and steps:
            steps = [step + (step >= now) for step in steps]
            steps.append(now)
            now += 1
            continue
        steps.append(now)
    return steps


def _is_times(token: str) -> bool:
    return token in ("x", "times", "twice", "thrice") or bool(_TIMES.fullmatch(token))


def _count(words: Sequence[str]) -> Count | None:
    """Return how often a clause says that something is heard.

    Numbers that count things or people say nothing of it: "two men walk".
    """
    for place, word in enumerate(words):
        after = [token for token in words[place + 1 :] if token not in language().stop and not manner(token)]
        number = _number(word)
        if match := _TIMES.fullmatch(word):
            return _counted(int(match[1] or match[2]))
        if word == "x" and after and after[0].isdigit():
            return _counted(int(after[0]))
        if number is None:
            continue
        if word in ("twice", "thrice") or (after and after[0] in ("times", "x")) or (word == "once" and not after):
            return _counted(number)
        nearest = after[0] if after else words[place - 1]
        if word != "once" and stem(nearest) in language().strokes:
            return _counted(number, stem(nearest))
    return None


def _counted(number: int, stroke: str = "") -> Count | None:
    return Count(number, stroke) if 1 <= number <= MOST_COUNTED else None


def _number(word: str) -> int | None:
    return int(word) if word.isdecimal() and len(word) <= len(str(MOST_COUNTED)) else language().numbers.get(word)


def without_negation(clause: Clause) -> Clause:
    """Return a denied clause as what it denies."""
    kept = [place for place, word in enumerate(clause.words) if not _negates(word) and word not in language().fillers]
    return replace(
        clause,
        words=tuple(clause.words[place] for place in kept),
        stems=tuple(clause.stems[place] for place in kept),
        where=sum(place < clause.where for place in kept),
        doubtful=frozenset(number for number, place in enumerate(kept) if place in clause.doubtful),
    )
