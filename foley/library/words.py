"""Words of file names, tags and searches, brought to one form: split, without endings, compared by meaning."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

from foley import yamls
from foley.library import ucs

WORDS_FILE = Path(__file__).with_name("words.yaml")

SHORTEST = 3
"""Letters of the least part that a run-together word ("dogbark") is split into: shorter ones are found in any word."""

GENERAL = "general"
"""Subcategory of a class that is its whole category: rain, wind."""

_RUNS = re.compile(r"[^\W_]+")
_JOINTS = re.compile(r"(?<=[a-z])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])|(?<=[^\W\d])(?=\d)|(?<=\d)(?=[^\W\d])")
_VOWEL = re.compile(r"[aeiouy]")


@dataclass(frozen=True, slots=True)
class Language:
    """What is known of words, all as stems."""

    rings: Mapping[str, frozenset[str]]
    """Of each word those that may stand for it."""
    descriptors: frozenset[str]
    stop: frozenset[str]


@cache
def language() -> Language:
    """Return what `words.yaml` says."""
    read: dict[str, Any] = yamls.load(WORDS_FILE.read_text(encoding="utf-8"))
    rings: dict[str, frozenset[str]] = {}
    for ring in read["rings"]:
        stems = frozenset(stem(word) for phrase in ring for word in phrase.split())
        for one in stems:
            rings[one] = rings.get(one, frozenset()) | (stems - {one})
    described = frozenset(stem(word) for word in read["descriptors"].split())
    return Language(rings, described, frozenset(stem(word) for word in read["stop"].split()))


def stem(word: str) -> str:
    """Return a word in small letters without the endings of English verbs and nouns.

    >>> [stem(word) for word in ("Footsteps", "closing", "closed", "hitting", "glasses", "berries", "falling")]
    ['footstep', 'clos', 'clos', 'hit', 'glass', 'berry', 'fall']
    """
    word = word.casefold()
    if len(word) > 4 and word.endswith("ies"):
        return word[:-3] + "y"
    if len(word) > 4 and re.search(r"(ss|x|ch|sh)es$", word):
        word = word[:-2]
    elif len(word) > 3 and word.endswith("s") and not word.endswith(("ss", "us", "is")):
        word = word[:-1]
    for ending in ("ing", "ed"):
        base = word.removesuffix(ending)
        if base != word and len(base) >= SHORTEST and _VOWEL.search(base):
            return _undoubled(base)
    return word[:-1] if len(word) > 4 and word.endswith("e") else word


def _undoubled(base: str) -> str:
    doubled = len(base) > SHORTEST and base[-1] == base[-2] and base[-1] not in "lsfz"
    base = base[:-1] if doubled else base
    return base[:-1] if len(base) > 4 and base.endswith("e") else base


def stems(text: str) -> list[str]:
    """Return the words of a text as stems: split at punctuation, capitals and digits, without accents and numbers.

    >>> stems("Plmove__WalkGravel_03 dogbark")
    ['plmov', 'walk', 'gravel', 'dog', 'bark']
    """
    plain = "".join(one for one in unicodedata.normalize("NFKD", text) if not unicodedata.combining(one))
    found: list[str] = []
    for run in _RUNS.findall(plain):
        for word in _JOINTS.sub(" ", run).split():
            if len(word) > 1 and not word.isdigit():
                found += _parts(word.casefold())
    return found


@lru_cache(maxsize=20_000)  # file names of a library use the same words again and again
def _parts(word: str) -> tuple[str, ...]:
    """Return a word's stem, or those of the two known words that it was run together from."""
    known = _known()
    whole = stem(word)
    if whole in known:
        return (whole,)
    for at in range(SHORTEST, len(word) - SHORTEST + 1):
        first, second = stem(word[:at]), stem(word[at:])
        if first in known and second in known:
            return first, second
    return (whole,)


@cache
def _known() -> frozenset[str]:
    """Return the stems of all words that UCS and the rings know."""
    listed = (word for one in ucs.categories().values() for word in (one.category, one.subcategory, *one.words))
    names = {stem(part) for word in listed for part in _RUNS.findall(word)}
    return frozenset(names) | language().rings.keys() | language().descriptors


def alike(word: str) -> frozenset[str]:
    """Return the stems that may stand for a stem, without itself."""
    return language().rings.get(word, frozenset())


def telling(found: Iterable[str]) -> list[str]:
    """Return stems without those that say nothing."""
    return [word for word in found if word not in language().stop]


@cache
def naming(cat_id: str) -> frozenset[str]:
    """Return the stems that name a UCS class: its category, and its subcategory where no other class is called so.

    >>> sorted(naming("AEROHeli")), sorted(naming("DOORWood"))
    (['aircraft', 'helicopter'], ['door'])
    """
    found = ucs.category(cat_id)
    return frozenset(telling(stems(found.category))) | identifying(cat_id) if found else frozenset()


@cache
def identifying(cat_id: str) -> frozenset[str]:
    """Return the stems that name one UCS class and no other; empty where only two of them together do.

    >>> sorted(identifying("AEROHeli")), sorted(identifying("RAIN")), sorted(identifying("DOORWood"))
    (['helicopter'], ['rain'], [])
    """
    found = ucs.category(cat_id)
    if found is None:
        return frozenset()
    if found.subcategory == GENERAL:
        return frozenset(telling(stems(found.category)))
    own = frozenset(telling(stems(found.subcategory)))
    # "gun" of LASRGun is what all of GUNS is called
    return own if _uses()[found.subcategory] == 1 and own.isdisjoint(_category_names()) else frozenset()


@cache
def _uses() -> Counter[str]:
    """Return how many classes share each subcategory."""
    return Counter(one.subcategory for one in ucs.categories().values())


@cache
def _category_names() -> frozenset[str]:
    return frozenset(word for name in {one.category for one in ucs.categories().values()} for word in stems(name))


@cache
def things() -> frozenset[str]:
    """Return the stems that name any UCS class."""
    return frozenset().union(*(naming(cat_id) for cat_id in ucs.categories()))
