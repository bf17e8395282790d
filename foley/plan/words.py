"""Read plain English as a sound editor needs it: stems instead of endings, clauses, what is denied, how it sounds."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from foley.errors import PlanError

WORDS_FILE = Path(__file__).with_name("words.yaml")

_VOWELS = frozenset("aeiouy")
_TOKEN = re.compile(r"[a-z0-9']+(?:-[a-z0-9]+)*|[,;.:!?()\n]| - |[\u2013\u2014/&+]")
_LISTING = frozenset({",", "or", "nor", "and", "&"})
"""What may stand between the members of a list: a negation reaches over it where the list ends with "or"."""


@dataclass(frozen=True, slots=True)
class Manner:
    """What a word like "distant" does to a sound."""

    level_db: float
    distance: float
    """Factor on the usual distance."""


@dataclass(frozen=True, slots=True)
class Language:
    """The words of `words.yaml`, by stem where they are compared."""

    irregular: Mapping[str, str]
    stop: frozenset[str]
    prepositions: frozenset[str]
    separators: frozenset[str]
    later: frozenset[str]
    negations: frozenset[str]
    silencers: frozenset[str]
    manners: Mapping[str, Manner]
    groups: Mapping[str, tuple[str, ...]]


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
    """0 for what comes first, one more after every "then"."""


def read_yaml(path: Path) -> Any:
    """Return what a data file of foley's own holds.

    Raises:
        PlanError: where it is not YAML.
    """
    import yaml

    try:
        # both are safe loaders; the one in C reads the vocabulary ten times as fast
        loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
        return yaml.load(path.read_text(encoding="utf-8"), loader)  # noqa: S506
    except yaml.YAMLError as cause:
        raise PlanError(f"{path} is not YAML: {cause}") from cause


@cache
def language() -> Language:
    """Return the words that do not name sounds themselves."""
    data = read_yaml(WORDS_FILE)
    return Language(
        irregular=data["irregular"],
        stop=frozenset(data["stop"]),
        prepositions=frozenset(data["prepositions"]),
        separators=frozenset(data["separators"]),
        later=frozenset(data["later"]),
        negations=frozenset(data["negations"]),
        silencers=frozenset(data["silencers"]),
        manners={word: Manner(**what) for word, what in data["manners"].items()},
        groups={name: tuple(words) for name, words in data["groups"].items()},
    )


@cache
def stem(word: str) -> str:
    """Return a word without its ending: enough to make the forms of one word alike, not to look well.

    >>> [stem(word) for word in ("hammers", "hammering", "chopped", "slices", "slicing", "windy", "wooden", "knives")]
    ['hammer', 'hammer', 'chop', 'slic', 'slic', 'wind', 'wooden', 'knif']
    """
    word = language().irregular.get(word.removesuffix("'s"), word.removesuffix("'s"))
    for ending in (_without_plural, _without_tense, _without_last_vowel):
        word = ending(word)
    return word


def _without_plural(word: str) -> str:
    if word.endswith("ies") and len(word) > 4:
        return word[:-3] + "y"
    if word.endswith(("ses", "xes", "zes", "ches", "shes")) and len(word) > 5:
        return word[:-2]
    return word[:-1] if word.endswith("s") and len(word) > 3 and word[-2] not in "sui" else word


def _without_tense(word: str) -> str:
    for ending in ("ing", "ed"):
        rest = word.removesuffix(ending)
        if rest == word or len(rest) < 3 or not _VOWELS & set(rest) or word.endswith("eed"):
            continue
        # chopped -> chop; but falling -> fall, passing -> pass, buzzing -> buzz
        return rest[:-1] if rest[-1] == rest[-2] and rest[-1] not in "lsz" else rest
    return word


def _without_last_vowel(word: str) -> str:
    """Return the word without a last e or y after a consonant: icy and ice, muddy and mud, slice and slicing meet."""
    if len(word) > 3 and word[-1] in "ey" and word[-2] not in _VOWELS:
        word = word[:-1]
        if len(word) > 3 and word[-1] == word[-2] and word[-1] not in "lsz":
            word = word[:-1]
    return word


def stems(phrase: str) -> tuple[str, ...]:
    """Return the stems of a phrase's words, without those that say nothing of a sound.

    >>> stems("footsteps on gravel")
    ('footstep', 'gravel')
    """
    return tuple(stem(word) for word in _TOKEN.findall(phrase.lower()) if word not in language().stop)


def clauses(text: str) -> tuple[Clause, ...]:
    """Return the clauses of a text, in order.

    >>> [(clause.text, clause.denied, clause.step) for clause in clauses("He walks, no rain, then a door slams")]
    [('he walks', False, 0), ('no rain', True, 0), ('a door slams', False, 1)]
    """
    known = language()
    parts = _split(text)
    denials = _denials(parts)
    found: list[Clause] = []
    step = 0
    for (mark, tokens), denied in zip(parts, denials, strict=True):
        step += mark in known.later and bool(found)
        if clause := _clause(tokens, denied, step):
            found.append(clause)
    return tuple(found)


def _clause(tokens: list[str], denied: bool, step: int) -> Clause | None:
    known = language()
    kept = [token for token in tokens if token not in known.stop]
    first = next((place for place, token in enumerate(tokens) if token in known.prepositions), len(tokens))
    where = sum(token not in known.stop for token in tokens[:first])
    silent = any(token in known.silencers for token in tokens)
    found = tuple(stem(word) for word in kept)
    return Clause(" ".join(tokens), tuple(kept), found, where, denied, silent, step) if kept else None


def _split(text: str) -> list[tuple[str, list[str]]]:
    """Return what stands before each clause, and its words; of several separators in a row the last telling one."""
    known = language()
    # "nothing but rain" affirms; "switched off" is one word for whoever is silent
    text = re.sub(r"nothing (but|except)", "", text.lower().replace("\u2019", "'"))
    text = re.sub(r"\b(switched|turned) off\b", r"\1-off", text)
    parts: list[tuple[str, list[str]]] = []
    mark, words = "", list[str]()
    for token in [*_TOKEN.findall(text), "."]:
        divides = not token[0].isalnum() or token in known.separators
        if words and (divides or token in known.negations):
            parts.append((mark, words))
            mark, words = "", []
        if not divides:
            words.append(token)
        elif mark not in known.later:
            mark = token.strip()
    return parts


def _denials(parts: list[tuple[str, list[str]]]) -> list[bool]:
    """Return for each clause whether it is denied: from its own "no", or as a member of a list that began with one."""
    negations = language().negations
    denied = [any(word in negations for word in words) for _, words in parts]
    for first, is_denied in enumerate(denied):
        if not is_denied:
            continue
        last = first
        while last + 1 < len(parts) and parts[last + 1][0] in _LISTING:
            last += 1
        ending = max((i for i in range(first + 1, last + 1) if parts[i][0] in ("or", "nor")), default=first)
        for i in range(first + 1, ending + 1):
            denied[i] = True
    return denied
