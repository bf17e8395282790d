"""Which recordings fit an event, by its UCS class and its words, and where a model is given, by their meaning.

SQLite's full text search (BM25) brings some hundred candidates; they are then judged by what of the search they answer.
A mark of 1 says that a recording is named for all that is asked; words that say how something sounds count less than
those that say what it is, and of several words in a row the rare ones count more (their inverse document frequency).
"""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import islice
from pathlib import Path

import numpy as np
import numpy.typing as npt

from foley.library import ucs, words
from foley.library.measure import FEATURES
from foley.library.store import WORD_COLUMNS, Store
from foley.model import Kind

CANDIDATES = 400
"""Looked at closely; the best of them would have to be lower by BM25 than so many others that share a word."""

FIELD_WEIGHTS = {"name": 1.0, "tags": 0.9, "place": 0.85, "category": 0.85, "related": 0.35}
"""How well a word in each column answers a search. Synonyms of a UCS class name what may sound there, seldom all."""

ALIKE = 0.85
"""What a word that stands for another counts beside it."""

DESCRIPTOR = 0.25
"""What words like "heavy" count beside words like "door"."""

LATER_CLAUSE = 0.2
"""What is said after the first comma of a prompt says how it sounds, and where."""

EXTRA = 0.4
"""Words of a recipe or a surface: they name the thing, but were chosen for synthesis."""

LEAST_RARITY = 0.25
"""What the commonest word of a library counts beside one that few recordings have."""

ABSENT = 0.4
"""What a word counts that no recording has: it tells none from another, but the thing asked for may not be there."""

UNASKED = 0.3
"""What is lost where a recording is named for other things alone; half of it for "fire gun", where a fire is asked."""

CATEGORY_BASE, CATEGORY_SHARE = 0.7, 0.3
"""The mark of a recording of the very UCS class: this much for the class, the rest by its words."""

NEAR_BASE, NEAR_SHARE = 0.25, 0.6
"""Of one of the same category but another subcategory: a wooden door for a metal one."""

OTHER_CLASS = 0.6
"""What is left of the words' mark where the recording's class is of another category: "rain" in RAIN and in a song."""

IDENTIFIED = 0.6
"""The mark of a recording without a class whose words name the event's class and no other, as "helicopter" does."""

CLASS_NAMED = 0.35
"""Of what a recording without a class lacks to 1 so much is given to it where its words name the event's class."""

POSITIONS = (1.0, 0.85, 0.7, 0.55, 0.45)
"""What the words of a clause count, one after another: in English what it is about comes first, the place last."""

UNFIT = 0.5
"""What is left where a recording is of another kind: rain for a blow, a blow for rain."""

FULL_COSINE = 0.5
"""CLAP's cosine of a text and a sound that clearly is what it says; published models seldom give more."""

NEAR_EQUAL = 0.92
"""Marks from this part of the best on are near-equals, among which the seed chooses."""

Floats = npt.NDArray[np.float32]
MeaningOf = Callable[[str], Floats]
"""Gives the embedding of a text, of length 1, by the model that the index holds embeddings of."""


@dataclass(frozen=True, slots=True)
class Query:
    """What is looked for."""

    text: str = ""
    ucs: str = ""
    """CatID; "" where it is not known."""
    kind: Kind | None = None
    """None: whatever there is."""
    extra: tuple[str, ...] = ()
    """More words for the thing: its recipe, its surface."""
    commercial: Callable[[str], bool] | None = None
    """Says of a licence whether it allows what the sound is for; None: all do."""


@dataclass(frozen=True, slots=True, eq=False)
class Match:
    """A recording that answers a search."""

    path: Path
    mark: float
    """0 to 1."""
    title: str
    ucs: str
    licence: str
    series: str
    """What it has in common with other recordings of the very thing."""
    sound: int
    features: Mapping[str, float]
    """By `FEATURES`."""
    onsets_s: Floats
    loops_s: Floats
    """Shape (loops, 2), the longest first."""


@dataclass(frozen=True, eq=False)
class _Row:
    """A candidate as it lies in the index."""

    number: int
    path: bytes
    sound: int
    ucs: str
    series: str
    licence: str
    title: str
    columns: tuple[str, ...]
    """Stems, by `WORD_COLUMNS`."""

    @cached_property
    def stems(self) -> Mapping[str, float]:
        """Return the stems with the weight of the best column that each is in."""
        found: dict[str, float] = {}
        for name, text in zip(WORD_COLUMNS, self.columns, strict=True):
            for word in text.split():
                found[word] = max(found.get(word, 0.0), FIELD_WEIGHTS[name])
        return found


_COLUMNS = "files.id, files.path, files.sound, files.ucs, files.series, files.licence, files.title"
_WORDS = ", ".join(f"words.{name}" for name in WORD_COLUMNS)


def search(store: Store, query: Query, *, count: int = 20, meaning: MeaningOf | None = None) -> list[Match]:
    """Return the recordings that fit best, the best first.

    Args:
        store: The index.
        query: What is looked for.
        count: How many at most.
        meaning: Where given, and where the index holds embeddings, recordings are found by meaning too.
    """
    terms = _terms(query)
    features = store.features()
    rows = _candidates(store, query, terms)
    meant = _meant(store, query, features, meaning)
    known = {row.sound for row in rows.values()}
    rows |= _rows(store, "files.sound IN ({marks})", [sound for sound in meant if sound not in known])
    rarity = _rarity(store, terms)
    marks = {
        row.number: _mark(row, query, terms, rarity=rarity, features=features, cosine=meant.get(row.sound))
        for row in rows.values()
        if query.commercial is None or query.commercial(row.licence)
    }
    best = sorted((number for number in marks if marks[number] > 0.0), key=lambda n: (-marks[n], rows[n].path))
    # copies of one content say nothing new
    contents: dict[int, int] = {}
    for number in best:
        contents.setdefault(rows[number].sound, number)
    return [_match(store, rows[number], marks[number], features) for number in islice(contents.values(), count)]


def siblings(store: Store, match: Match, *, commercial: Callable[[str], bool] | None = None) -> list[Match]:
    """Return all recordings of the series that one belongs to, itself among them, by their names."""
    features = store.features()
    rows = _rows(store, "files.series IN ({marks})", [match.series])
    contents = {row.sound: row for row in sorted(rows.values(), key=lambda row: row.path, reverse=True)}
    allowed = [row for row in contents.values() if commercial is None or commercial(row.licence)]
    return [_match(store, row, match.mark, features) for row in sorted(allowed, key=lambda row: row.path)]


def near_equals(matches: Sequence[Match]) -> list[Match]:
    """Return those that fit about as well as the best."""
    return [one for one in matches if one.mark >= NEAR_EQUAL * matches[0].mark]


def _terms(query: Query) -> dict[str, float]:
    """Return the stems that are looked for, with their weights."""
    described = words.language().descriptors
    terms: dict[str, float] = {}

    def add(text: str, weight: float) -> None:
        telling = words.telling(words.stems(text))
        things = [word for word in telling if word not in described]
        for word in telling:
            place = POSITIONS[min(things.index(word), len(POSITIONS) - 1)] if word in things else DESCRIPTOR
            terms[word] = max(terms.get(word, 0.0), weight * place)

    first, *later = query.text.replace(";", ",").replace(".", ",").split(",")
    add(first, 1.0)
    for clause in later:
        add(clause, LATER_CLAUSE)
    for word in query.extra:
        add(word, EXTRA if terms else 1.0)
    return terms


def _candidates(store: Store, query: Query, terms: Iterable[str]) -> dict[int, _Row]:
    """Return the recordings that share a word, or the class, by their numbers."""
    wanted = {*terms, *words.naming(query.ucs)}
    wanted |= {other for word in wanted for other in words.alike(word)}
    rows: dict[int, _Row] = {}
    if wanted:
        text = " OR ".join(f'"{word}"' for word in sorted(wanted))
        found = store.rows.execute(
            "SELECT rowid FROM words WHERE words MATCH ? ORDER BY bm25(words, 4.0, 3.0, 2.5, 2.5, 1.0) LIMIT ?",
            (text, CANDIDATES),
        )
        rows = _rows(store, "files.id IN ({marks})", [row[0] for row in found])
    if query.ucs:
        found = store.rows.execute("SELECT id FROM files WHERE ucs = ? LIMIT ?", (query.ucs, CANDIDATES))
        rows |= _rows(store, "files.id IN ({marks})", [row[0] for row in found])
    return rows


def _rows(store: Store, where: str, values: Sequence[object]) -> dict[int, _Row]:
    """Return candidates by their numbers.

    Args:
        store: The index.
        where: A condition, with {marks} for the values.
        values: Of it.
    """
    condition = where.format(marks=",".join("?" * len(values)))
    found = store.rows.execute(
        f"SELECT {_COLUMNS}, {_WORDS} FROM files JOIN words ON words.rowid = files.id WHERE {condition}",  # noqa: S608
        tuple(values),
    )
    rows = {}
    for number, path, sound, cat_id, series, licence, title, *columns in found:
        rows[number] = _Row(number, path, sound, cat_id, series, licence, title, tuple(columns))
    return rows


def _rarity(store: Store, terms: Iterable[str]) -> dict[str, float]:
    """Return how much each stem tells, at most 1: the logarithm of how few recordings have it."""
    count = max(store.count(), 1)
    full = math.log(1.0 + count)
    rarity = {}
    for word in terms:
        same = (word, *words.alike(word))
        marks = ",".join("?" * len(same))
        docs = store.rows.execute(f"SELECT max(doc) FROM terms WHERE term IN ({marks})", same).fetchone()[0] or 0  # noqa: S608
        rarity[word] = max(LEAST_RARITY, math.log((1.0 + count) / (1.0 + docs)) / full) if docs else ABSENT
    return rarity


def _mark(
    row: _Row,
    query: Query,
    terms: Mapping[str, float],
    *,
    rarity: Mapping[str, float],
    features: Floats,
    cosine: float | None,
) -> float:
    """Return how well a recording answers a search, 0 to 1."""
    asked = sum(weight * rarity[word] for word, weight in terms.items())
    given = sum(weight * rarity[word] * _answer(row.stems, word) for word, weight in terms.items())
    said = given / asked if asked else 0.0
    mark = _with_class(row, query, terms, said) * (1.0 - UNASKED * _unasked(row, query, terms))
    if cosine is not None:
        meant = min(max(cosine / FULL_COSINE, 0.0), 1.0)
        mark = max(mark, 0.5 * (mark + meant))
    return mark * _fitness(query.kind, features[row.sound - 1])


def _answer(stems: Mapping[str, float], word: str) -> float:
    """Return how well a recording's words answer one that is asked for."""
    others = max((stems.get(other, 0.0) for other in words.alike(word)), default=0.0)
    return max(stems.get(word, 0.0), ALIKE * others)


def _unasked(row: _Row, query: Query, terms: Mapping[str, float]) -> float:
    """Return the share of the things that a recording is named for that nobody asked for."""
    wanted = terms.keys() | words.naming(query.ucs)
    own = [word for word in row.stems if word in words.things() and row.stems[word] > FIELD_WEIGHTS["related"]]
    asked = sum(word in wanted or not wanted.isdisjoint(words.alike(word)) for word in own)
    return 1.0 - asked / len(own) if own else 0.0


def _with_class(row: _Row, query: Query, terms: Mapping[str, float], said: float) -> float:
    """Return the mark of a recording's words, judged by its UCS class."""
    if not query.ucs:
        return said
    if not row.ucs:
        own = words.identifying(query.ucs)
        # the event must say so itself: of a dog that growls, a dog that barks is no recording
        if own and all(terms.get(word, 0.0) > EXTRA for word in own) and all(_answer(row.stems, word) for word in own):
            return IDENTIFIED + (1.0 - IDENTIFIED) * said
        named = max((_answer(row.stems, word) for word in words.naming(query.ucs)), default=0.0)
        return said + CLASS_NAMED * (1.0 - said) * named
    if row.ucs == query.ucs:
        return CATEGORY_BASE + CATEGORY_SHARE * said
    ours, theirs = ucs.category(query.ucs), ucs.category(row.ucs)
    if ours and theirs and ours.category == theirs.category:
        return max(said * CATEGORY_BASE, NEAR_BASE + NEAR_SHARE * said)
    return OTHER_CLASS * said


def _fitness(kind: Kind | None, features: Floats) -> float:
    """Return what the kind of an event leaves of a mark: hits are cut at onsets, the rest is played on."""
    goes_on = float(features[FEATURES.index("loop_s")]) > 0.0
    struck = float(features[FEATURES.index("hits")]) > 0.0
    if kind == "hits":
        # what goes on evenly has no blow that stands alone
        steady = float(features[FEATURES.index("loop_s")]) > 0.8 * float(features[FEATURES.index("duration_s")])
        return UNFIT if steady or not struck else 1.0
    if kind == "bed":
        return 1.0 if goes_on else 0.0
    return 1.0 if kind is None or goes_on else UNFIT


def _meant(store: Store, query: Query, features: Floats, meaning: MeaningOf | None) -> dict[int, float]:
    """Return the cosines of the sounds nearest in meaning, by their ids."""
    if meaning is None or not store.meaning_size or not query.text or not len(features):
        return {}
    text = meaning(query.text)
    # block by block: of 100,000 sounds the embeddings are 200 MB, which need not be in memory at once
    cosines = np.concatenate(
        [
            np.where(part[:, FEATURES.index("has_meaning")] > 0.0, part[:, len(FEATURES) :] @ text, -1.0)
            for part in (features[first : first + 4096] for first in range(0, len(features), 4096))
        ]
    )
    nearest = np.argsort(-cosines, kind="stable")[: CANDIDATES // 4]
    return {int(row) + 1: float(cosines[row]) for row in nearest if cosines[row] > 0.0}


def _match(store: Store, row: _Row, mark: float, features: Floats) -> Match:
    onsets, loops = store.rows.execute("SELECT onsets, loops FROM sounds WHERE id = ?", (row.sound,)).fetchone()
    return Match(
        path=Path(os.fsdecode(row.path)),
        mark=mark,
        title=row.title,
        ucs=row.ucs,
        licence=row.licence,
        series=row.series,
        sound=row.sound,
        features={name: float(value) for name, value in zip(FEATURES, features[row.sound - 1], strict=False)},
        onsets_s=np.frombuffer(onsets, "<f4"),
        loops_s=np.frombuffer(loops, "<f4").reshape(-1, 2),
    )
