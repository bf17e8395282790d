"""Which of the user's recordings an event is made of: the best of the index, by turns, with their likes.

What is chosen depends on the event's own words, class, kind and seed alone, never on what a window of it holds, so that
all its windows are made of the same thing.
"""

from __future__ import annotations

import sqlite3
import threading
import zlib
from collections import OrderedDict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from foley.errors import FoleyError
from foley.library import licences
from foley.library.reading import shown
from foley.library.search import Match, Query, near_equals, search, siblings
from foley.library.store import Store, damaged
from foley.model import SoundEvent

if TYPE_CHECKING:
    from foley.render.hearing import Hearing

T = TypeVar("T")

SERIES = 8
"""Recordings of one thing that are cut into hits, at most."""

LONGEST_RING_S = 8.0
AMONG_OTHERS_S = 3.0
"""How long a hit may ring: alone in its recording, and where others follow in it."""

HELD_S = 30.0
"""Of one recording so much is held in memory: 12 MB in stereo."""

PARTS = 3
"""Of a longer recording so many stretches are looked through for hits."""

TELLING = 0.6
"""Mark from which on words have found what was asked for."""

KEPT_SEARCHES, KEPT_SOUNDS = 1000, 6
"""Answers of searches, and events whose material is held."""


@dataclass(frozen=True, slots=True)
class Choice:
    """What an event is made of."""

    matches: tuple[Match, ...]
    """The recordings of one thing; one alone where it goes on."""
    goes_on: bool

    @property
    def first(self) -> Match:
        """Return the recording that was chosen, or the first of its series."""
        return self.matches[0]

    @property
    def told(self) -> str:
        """Return which recordings these are, and what they allow."""
        names = [shown(match.path.name) for match in self.matches]
        more = f" and {len(names) - 3} more" if len(names) > 3 else ""
        said = sorted({match.licence for match in self.matches})
        return f"made from recordings: {', '.join(names[:3])}{more} (licence: {', '.join(said)})"


class Shelf:
    """The index, opened when it is first asked, for several threads at once."""

    def __init__(self, folder: Path, policy: str) -> None:
        """Take in where it lies.

        Args:
            folder: Of the index.
            policy: What the sound is used for: any, research or commercial.
        """
        self._folder, self.policy = folder, policy
        self._busy = threading.RLock()
        self._opened: Store | None = None
        self._fault = ""
        self._heard_by: tuple[Hearing | None] | None = None
        self._searches: OrderedDict[tuple[object, ...], Any] = OrderedDict()
        self._sounds: OrderedDict[tuple[object, ...], Any] = OrderedDict()

    def version(self) -> str:
        """Return what tells the index's content from another."""
        with self._busy:
            store = self._store()
            return f"{store.version if store else 'empty'} {self.policy}"

    def lacks(self) -> tuple[str, ...]:
        """Return what must be done before anything can be found; empty where recordings are indexed."""
        with self._busy:
            store = self._store()
            if self._fault:
                return (self._fault,)
            return () if store and store.count() else ("foley library add DIR",)

    def all_commercial(self) -> bool:
        """Return whether every recording that may be chosen allows commercial use."""
        with self._busy:
            store = self._store()
            if store is None or self.policy == "commercial":
                return True
            said = store.rows.execute("SELECT DISTINCT licence FROM files").fetchall()
            return all(licences.commercial(str(row[0])) for row in said)

    def found(self, event: SoundEvent) -> list[Match]:
        """Return the recordings that fit an event, the best first; by nothing that does not change its sound."""
        named = (event.recipe, *(value for value in event.parameters.values() if isinstance(value, str)))
        query = Query(event.prompt or event.label, event.ucs, event.kind, named, self._allowed())
        key = (query.text, query.ucs, query.kind, query.extra)

        def look() -> list[Match]:
            store = self._store()
            if store is None:
                return []
            by_words = search(store, query, count=SERIES)
            if by_words and by_words[0].mark >= TELLING:
                return by_words
            # a model is only asked, and loaded, where words do not tell
            hearing = self._hearing(store)
            return search(store, query, count=SERIES, meaning=hearing.text) if hearing else by_words

        with self._busy:
            try:
                return _kept(self._searches, key, look, most=KEPT_SEARCHES)
            except sqlite3.Error as cause:
                # who was not asked for by name must not keep others from working
                self._fault = damaged(self._folder, cause).message
                return []

    def choice(self, event: SoundEvent) -> Choice | None:
        """Return what an event is made of: of near-equals the seed chooses, and of hits all of one thing are used."""
        found = self.found(event)
        if not found:
            return None
        near = near_equals(found)
        chosen = near[int(chance(event).integers(len(near)))]
        if event.kind != "hits" and chosen.features["loop_s"] > 0.0:
            return Choice((chosen,), goes_on=True)
        same = [one for one in self._siblings(chosen) if one.features["hits"] > 0.0]
        # a series may hold hundreds: which of them are used is drawn once for the event
        order = chance(event).permutation(len(same))[:SERIES].tolist()
        return Choice(tuple(same[number] for number in sorted(order)) or (chosen,), goes_on=False)

    def held(self, event: SoundEvent, choice: Choice, make: Callable[[], T]) -> T:
        """Return the material of an event, made once while it is of use."""
        key = (event.kind, event.seed, event.prompt or event.label, *(match.sound for match in choice.matches))
        with self._busy:
            return _kept(self._sounds, key, make, most=KEPT_SOUNDS)

    def _store(self) -> Store | None:
        """Return the index; None where there is none, or it cannot be used."""
        if self._opened is None and not self._fault and (self._folder / "index.sqlite").is_file():
            try:
                self._opened = Store(self._folder)
            except FoleyError as error:
                self._fault = f"{error.message}: {error.hint}"
        return self._opened

    def _hearing(self, store: Store) -> Hearing | None:
        """Return the model whose embeddings the index holds; None where it holds none, or the model is not here."""
        if not store.meaning_size:
            return None
        if self._heard_by is None:
            from foley.render.hearing import hearing_of

            self._heard_by = (hearing_of(store.meta("meaning")),)
        return self._heard_by[0]

    def _allowed(self) -> Callable[[str], bool] | None:
        return licences.commercial if self.policy == "commercial" else None

    def _siblings(self, chosen: Match) -> list[Match]:
        with self._busy:
            store = self._store()
            return siblings(store, chosen, commercial=self._allowed()) if store else []


def chance(event: SoundEvent) -> np.random.Generator:
    """Return the chance that belongs to the event as a whole: by its seed and words, which all its windows share."""
    return np.random.default_rng([event.seed, zlib.crc32((event.prompt or event.label).encode())])


def ring_s(match: Match) -> float:
    """Return how long a hit of a recording may ring."""
    longest_s = LONGEST_RING_S if match.features["hits"] <= 1.0 else AMONG_OTHERS_S
    return min(longest_s, match.features["tail_s"] + 0.1)


def looked_through(match: Match, event: SoundEvent) -> Iterator[tuple[float, float]]:
    """Yield the stretches of a recording in which hits are looked for, in seconds."""
    duration_s, part_s = match.features["duration_s"], HELD_S / PARTS
    if duration_s <= HELD_S:
        yield 0.0, duration_s
        return
    onsets_s = match.onsets_s[chance(event).permutation(len(match.onsets_s))[:PARTS]]
    for onset_s in np.sort(onsets_s).tolist():
        yield max(0.0, onset_s - 0.5), min(duration_s, onset_s + part_s)


def loop_of(match: Match, event: SoundEvent) -> tuple[float, float]:
    """Return the stretch of a recording that goes on evenly, or a part of it that is held, in seconds."""
    start_s, end_s = match.loops_s[0].tolist()
    start_s += max(0.0, end_s - start_s - HELD_S) * float(chance(event).random())
    return start_s, min(end_s, start_s + HELD_S)


def _kept(
    held: OrderedDict[tuple[object, ...], Any], key: tuple[object, ...], make: Callable[[], T], *, most: int
) -> T:
    """Return what was made before, or make it; the oldest is let go."""
    if key not in held:
        held[key] = make()
        while len(held) > most:
            held.popitem(last=False)
    made: T = held[key]
    return made
