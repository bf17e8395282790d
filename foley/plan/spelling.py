"""Read words as they are really written: hyphens, words run together, and slips of the finger."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

from foley.plan.lexicon import known_stems, sounding_stems
from foley.plan.words import language, stem

SWAPPED, MISSED, CONFUSED, WRONG = 6, 7, 8, 9
"""Letters of the shortest word that is looked for behind two swapped letters, one too many or too few, a vowel for a
vowel, and any for any. Of 20,000 common words fewer than 1 in 200 is then taken for a slip of another: shorter ones
have too many neighbours."""

SHORTEST_HALF = 4
"""Letters of the shortest half of a compound: "firewood" is two words, "carpet" is not."""

_VOWELS = frozenset("aeiouy")


@dataclass(frozen=True, slots=True)
class Word:
    """One word of a text."""

    written: str
    stem: str
    doubtful: bool = False
    """The stem is a guess at what was meant."""


@cache
def words_of(token: str) -> tuple[Word, ...]:
    """Return the word that a token is, or the several that it is made of.

    >>> [word.stem for token in ("fly-by", "churchbell", "footsetps", "gravel") for word in words_of(token)]
    ['fly', 'by', 'church', 'bell', 'footstep', 'gravel']
    """
    found = stem(token)
    if found in known_stems() or token in language().irregular:
        return (Word(token, found),)
    if "-" in token:
        joined = stem(token.replace("-", ""))
        if joined in known_stems():
            return (Word(token, joined),)
        return tuple(word for part in token.split("-") for word in words_of(part))
    for first, second in _halves(token):
        return Word(first, stem(first)), Word(second, stem(second))
    meant = next(_meant(found), "")
    return (Word(token, meant, doubtful=True),) if meant else (Word(token, found),)


def _halves(token: str) -> Iterator[tuple[str, str]]:
    """Yield the ways to read a word as two that are known, the longest first one first."""
    for place in range(len(token) - SHORTEST_HALF, SHORTEST_HALF - 1, -1):
        first, second = token[:place], token[place:]
        if not first.endswith("s") and stem(first) in sounding_stems() and stem(second) in sounding_stems():
            yield first, second


def _meant(found: str) -> Iterator[str]:
    """Yield the known stems that differ from one by a slip, in order of the alphabet."""
    for known in _long_stems().get(found[:1], ()):
        if abs(len(known) - len(found)) <= 1 and is_slip(found, known):
            yield known


@cache
def _long_stems() -> dict[str, tuple[str, ...]]:
    """Return the stems that are long enough to be meant, by first letter: there fingers seldom slip."""
    by_letter: dict[str, tuple[str, ...]] = {}
    for known in sorted(known_stems()):
        if len(known) >= SWAPPED:
            by_letter[known[0]] = (*by_letter.get(known[0], ()), known)
    return by_letter


def is_slip(written: str, meant: str) -> bool:
    """Return whether one slip leads from a word to another: a letter too many, too few, wrong, or two swapped.

    The four of F. Damerau, "A technique for computer detection and correction of spelling errors", Comm. ACM 7, 1964.
    In a short word none is believed: "printer" is no slip for "painter".

    >>> is_slip("thundr", "thunder"), is_slip("helicoptor", "helicopter"), is_slip("painter", "printer")
    (True, True, False)
    """
    start = _alike(written, meant)
    rest, other = written[start:], meant[start:]
    end = _alike(rest[::-1], other[::-1])
    rest, other = rest[: len(rest) - end], other[: len(other) - end]
    swapped = len(rest) == 2 and rest == other[::-1]
    doubled = {rest, other} == {"", meant[start - 1]}  # "hamer"
    if swapped or doubled:
        return len(meant) >= SWAPPED
    if len(rest) + len(other) == 1:
        return len(meant) >= MISSED
    if len(rest) == len(other) == 1:
        return len(meant) >= (CONFUSED if {rest, other} <= _VOWELS else WRONG)
    return False


def _alike(one: str, other: str) -> int:
    """Return how many letters two words have in common from the first on."""
    return next(
        (place for place, pair in enumerate(zip(one, other, strict=False)) if pair[0] != pair[1]),
        min(len(one), len(other)),
    )
