"""Know plain English words as a sound editor does: their stems, what they do to a clause, how they colour a sound."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from foley import yamls
from foley.errors import PlanError

WORDS_FILE = Path(__file__).with_name("words.yaml")

MARKS = frozenset(",;.:!?()\n/&+-\u2013\u2014")
"""What divides a text as words like "and" do."""

_VOWELS = frozenset("aeiouy")
_TOKEN = re.compile(r"[a-z0-9']+(?:-[a-z0-9]+)*|[,;.:!?()\n]| - |[\u2013\u2014/&+]")


@dataclass(frozen=True, slots=True)
class Manner:
    """What a word like "distant" does to a sound."""

    level_db: float
    distance: float
    """Factor on the usual distance."""


@dataclass(frozen=True, slots=True)
class Language:
    """The words of `words.yaml`; what each group is for is said there."""

    irregular: Mapping[str, str]
    rephrased: tuple[tuple[re.Pattern[str], str], ...]
    stop: frozenset[str]
    prepositions: frozenset[str]
    separators: frozenset[str]
    later: frozenset[str]
    earlier: frozenset[str]
    ordinals: frozenset[str]
    negations: frozenset[str]
    auxiliaries: frozenset[str]
    fillers: frozenset[str]
    silencers: frozenset[str]
    ambient: frozenset[str]
    echoic: frozenset[str]
    """By stem."""
    strokes: frozenset[str]
    """By stem."""
    numbers: Mapping[str, int]
    manners: Mapping[str, Manner]
    gaits: Mapping[str, Mapping[str, float | str]]
    """By stem."""
    sizes: Mapping[str, float]
    groups: Mapping[str, tuple[str, ...]]


def read_yaml(path: Path) -> Any:
    """Return what a data file of foley's own holds.

    Raises:
        PlanError: where it is not YAML.
    """
    import yaml

    try:
        return yamls.load(path.read_text(encoding="utf-8"))
    except yaml.YAMLError as cause:
        raise PlanError(f"{path} is not YAML: {cause}") from cause


@cache
def language() -> Language:
    """Return the words that do not name sounds themselves."""
    data = read_yaml(WORDS_FILE)
    irregular = data["irregular"]
    plain = ("stop", "prepositions", "separators", "later", "earlier", "ordinals", "negations", "auxiliaries")
    return Language(
        irregular=irregular,
        rephrased=tuple((re.compile(pattern), meant) for pattern, meant in data["rephrased"].items()),
        **{name: frozenset(data[name]) for name in (*plain, "fillers", "silencers", "ambient")},
        echoic=frozenset(_stem(word, irregular) for word in data["echoic"]),
        strokes=frozenset(_stem(word, irregular) for word in data["strokes"]),
        numbers=data["numbers"],
        manners={word: Manner(**what) for word, what in data["manners"].items()},
        gaits={_stem(word, irregular): what for word, what in data["gaits"].items()},
        sizes=data["sizes"],
        groups={name: tuple(words) for name, words in data["groups"].items()},
    )


def tokens(text: str) -> list[str]:
    """Return the words and marks of a text, in lower case, with idioms and shorthand written out.

    >>> tokens("Gunshot w/ echo, after that FS")
    ['gunshot', 'with', 'echo', ',', 'then', 'footsteps']
    """
    text = text.lower().replace("\u2019", "'")
    for pattern, meant in language().rephrased:
        text = pattern.sub(meant, text)
    return _pieces(text)


def _pieces(text: str) -> list[str]:
    return [found.strip() or found for found in _TOKEN.findall(text)]


def manner(word: str) -> Manner | None:
    """Return what a word says of how a sound is, also as an adverb; None where it says nothing.

    >>> manner("softly") == manner("soft")
    True
    """
    known = language().manners
    return known.get(word) or known.get(word.removesuffix("ly")) or known.get(word.removesuffix("er"))


@cache
def stem(word: str) -> str:
    """Return a word without its ending: enough to make the forms of one word alike, not to look well.

    >>> [stem(word) for word in ("hammers", "hammering", "chopped", "slices", "slicing", "windy", "wooden", "knives")]
    ['hammer', 'hammer', 'chop', 'slic', 'slic', 'wind', 'wooden', 'knif']
    """
    return _stem(word, language().irregular)


def _stem(word: str, irregular: Mapping[str, str]) -> str:
    word = irregular.get(word.removesuffix("'s"), word.removesuffix("'s"))
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
    return tuple(stem(word) for word in _pieces(phrase.lower()) if word not in MARKS and word not in language().stop)
