"""Read from a text in which rooms it plays: places count where somebody is in them, not where they are only named."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import get_args

from foley.errors import PlanError
from foley.model import Room
from foley.plan.clauses import Clause, clauses
from foley.plan.words import language, manner, read_yaml, stem

ROOMS_FILE = Path(__file__).with_suffix(".yaml")

MOST_BETWEEN = 3
"""Words between "in" and its place: "in a small, dusty church"."""

ECHO = frozenset({"reverb", "reverberation", "echo", "echoes"})
"""Who wants none of it wants the sounds dry."""

_SLUGS = ((re.compile(r"\bint\.?\s*/\s*ext\b\.?", re.I), " "), (re.compile(r"\bint\b[./]", re.I), " indoors in "))
"""Scene headings of scripts: "INT. KITCHEN - DAY"; "EXT." becomes "outside", and what follows is only seen."""

_EXTERIOR_SLUG = re.compile(r"\bext\b[./]\s*", re.I)
_WITHIN = re.compile(r"\bthe (?:middle|centre|center|back|corner|edge) of (?=the\b|an?\b)", re.I)
_OUTSIDE = "outside"

_MATERIALS = frozenset({"wood"})
"""As they are written here they are what things are made of, though their stems are also those of places: woods."""


@dataclass(frozen=True, slots=True)
class NamedRoom:
    """A room, and the words that speak for it."""

    room: Room
    words: str
    is_place: bool = True
    """Says where it plays, and not only how it shall sound."""


@dataclass(frozen=True, slots=True)
class RoomReading:
    """What a text says of rooms."""

    turns: tuple[NamedRoom | None, ...] = ()
    """One after the other; None where nothing is said. Empty where the text says nothing, or contradicts itself."""
    denied: frozenset[Room] = frozenset()
    """It says that it does not play there."""
    from_within: bool = False
    """It says of something that it is outside, as who is indoors does: "rain outside"."""


@dataclass(frozen=True, slots=True)
class _Words:
    inside: frozenset[str]
    around: frozenset[str]
    entering: frozenset[str]
    furniture: frozenset[str]
    parts: frozenset[str]
    said_of_places: frozenset[str]
    from_within: frozenset[str]
    anywhere: Mapping[tuple[str, ...], Room]
    places: Mapping[tuple[str, ...], Room]
    alone: Mapping[tuple[str, ...], Room]


@dataclass(frozen=True, slots=True)
class _Found:
    room: Room
    words: str
    general: bool
    """Says no more than indoors or outdoors."""
    enters: bool
    denied: bool
    step: int = 0


@cache
def _words() -> _Words:
    """Return the words of `rooms.yaml`, by stem.

    Raises:
        PlanError: where it names no known room.
    """
    data = read_yaml(ROOMS_FILE)
    plain = ("inside", "around", "entering", "furniture", "parts", "said_of_places", "from_within")
    return _Words(
        **{name: frozenset(stem(word) for word in data[name]) for name in plain},
        anywhere=_by_phrase(data["anywhere"]),
        places=_longest_first({**_by_phrase(data["places"]), **_by_phrase({"none": data["cabins"]})}),
        alone=_by_phrase(data["places"]),
    )


def parts_of_buildings() -> frozenset[str]:
    """Return the stems of parts that are heard from outside, before which a place says nothing of where it plays."""
    return _words().parts


def _by_phrase(rooms: Mapping[str, Sequence[str]]) -> Mapping[tuple[str, ...], Room]:
    found: dict[tuple[str, ...], Room] = {}
    for room in get_args(Room):
        for phrase in rooms.get(room, ()):
            found[tuple(stem(word) for word in phrase.split())] = room
    if unknown := set(rooms) - set(get_args(Room)):
        raise PlanError(f"{ROOMS_FILE}: there is no room {sorted(unknown)[0]!r}")
    return _longest_first(found)


def _longest_first(rooms: Mapping[tuple[str, ...], Room]) -> Mapping[tuple[str, ...], Room]:
    """Return the same in the order in which they are looked for: a gas station is no station."""
    return dict(sorted(rooms.items(), key=lambda one: -len(one[0])))


def rooms_of(text: str) -> RoomReading:
    """Return what a text says of the rooms in which it plays.

    >>> [turn and (turn.room, turn.words) for turn in rooms_of("A man walks outside, then enters a church").turns]
    [('exterior', 'outside'), ('large_interior', 'enters a church')]
    >>> rooms_of("Church bells ring").turns
    ()
    """
    parts = clauses(_spelled_out(text))
    left_step = _step_left(parts)
    found = [
        _Found(one.room, one.words, one.general, one.enters, one.denied, clause.step)
        for clause in parts
        for one in _innermost(list(_in_clause(clause, leaves_later=clause.step < left_step)))
    ]
    if any(clause.denied and ECHO & set(clause.words) for clause in parts):
        return RoomReading((NamedRoom("none", "no reverberation", is_place=False),))
    return RoomReading(
        turns=_turns([one for one in found if not one.denied]),
        denied=frozenset(one.room for one in found if one.denied),
        from_within=any(
            _OUTSIDE in clause.text.split() and clause.step >= left_step and not _is_outside(clause) for clause in parts
        ),
    )


def _step_left(parts: Sequence[Clause]) -> int:
    """Return the step before which "outside" is where it plays: "steps outside, then in a hall"; 0 where none is."""
    beginning = (part.step for part in parts if not part.denied and stem(part.text.split()[0]) in _words().inside)
    return max(beginning, default=0)


def _innermost(found: Sequence[_Found]) -> Sequence[_Found]:
    """Return the rooms of a clause without the open place around the first: "in a car on the highway"."""
    told = [one for one in found if not (one.general or one.denied)]
    if not told or told[0].room == "exterior":
        return found
    return [one for one in found if one not in told or one.enters or one.room != "exterior"]


def _spelled_out(text: str) -> str:
    for pattern, meant in _SLUGS:
        text = pattern.sub(meant, text)
    return _WITHIN.sub("", _EXTERIOR_SLUG.sub("outside ", text))


def _turns(found: Sequence[_Found]) -> tuple[NamedRoom | None, ...]:
    """Return the rooms in the order of the story; none where two of them are said of one moment."""
    rooms: list[_Found] = []
    for one in sorted(found, key=lambda one: one.step):
        last = rooms[-1] if rooms else None
        if last is None or (one.room != last.room and (one.step > last.step or one.enters)):
            rooms.append(one)
        elif one.room == last.room or one.general != last.general:
            # "indoors, in a church": who says more is believed
            rooms[-1] = last if one.general else one
        else:
            return ()
    named: list[NamedRoom | None] = [NamedRoom(one.room, one.words) for one in rooms]
    entered_later = bool(rooms) and rooms[0].enters and rooms[0].step > 0
    return (None, *named) if entered_later else tuple(named)


def _in_clause(clause: Clause, *, leaves_later: bool = False) -> Iterator[_Found]:
    """Yield the rooms of one clause; of one that is denied only those that the denial is about: "not in a church"."""
    written = clause.text.split()
    stems = tuple(stem(word) for word in written)
    for first, end, room in _phrases(stems, _words().anywhere):
        yield from _said(clause, written[first:end], room, before=written[:first], general=True)
    for first, word in enumerate(stems):
        if word in _words().inside | _words().around and (place := _place(stems, first + 1)):
            end, room = place
            if written[end - 1] in _MATERIALS:
                continue
            if word in _words().inside or room == "exterior" or stems[end - 1] in _words().furniture:
                yield from _said(clause, written[first:end], room, before=written[:first], general=False)
    if not clause.denied and (alone := _alone(written, stems)):
        yield _Found(alone, clause.text, general=False, enters=False, denied=False)
    elif not clause.denied and (_is_outside(clause) or (leaves_later and _OUTSIDE in written)):
        yield _Found("exterior", _OUTSIDE, general=True, enters=False, denied=False)


def _said(
    clause: Clause, words: Sequence[str], room: Room, *, before: Sequence[str], general: bool
) -> Iterator[_Found]:
    about = bool(before) and (before[-1] in language().negations or before[-1].endswith("n't"))
    if clause.denied and not about:
        return  # "no music in the church" says little of the church
    enters = stem(words[0]) in _words().entering
    yield _Found(room, " ".join(words), general=general, enters=enters, denied=clause.denied)


def _phrases(stems: tuple[str, ...], known: Mapping[tuple[str, ...], Room]) -> Iterator[tuple[int, int, Room]]:
    for phrase, room in known.items():
        for first in range(len(stems) - len(phrase) + 1):
            if stems[first : first + len(phrase)] == phrase:
                yield first, first + len(phrase), room
                return


def _place(stems: tuple[str, ...], first: int) -> tuple[int, Room] | None:
    """Return where the name of a place ends that begins within a few words, and its room."""
    for start in range(first, min(first + MOST_BETWEEN + 1, len(stems))):
        found = _named_at(stems, start)
        while found and (further := _named_at(stems, found[0])):
            found = further  # a church hall is a hall
        if found:
            return _ended(stems, *found, opens=first == 1)
        if stems[start] == "of" or stems[start] in language().prepositions | _words().inside | _words().around:
            return None
    return None


def _named_at(stems: tuple[str, ...], start: int) -> tuple[int, Room] | None:
    for phrase, room in _words().places.items():
        if stems[start : start + len(phrase)] == phrase:
            return start + len(phrase), room
    return None


def _ended(stems: tuple[str, ...], end: int, room: Room, *, opens: bool) -> tuple[int, Room] | None:
    """Return the place where nothing follows that makes its name a part of another thing's: "at the garage door"."""
    after = stems[end] if end < len(stems) else ""
    if after in _words().furniture:
        return end + 1, room
    goes_on = language().prepositions | language().stop | _words().inside | _words().around | _words().said_of_places
    sentence = opens and after not in _words().parts and len(stems) >= end + 2
    return (end, room) if not after or after in goes_on or after.endswith("ly") or sentence else None


def _alone(written: Sequence[str], stems: tuple[str, ...]) -> Room | None:
    """Return the room of a clause that says nothing but its place: "church ambience", "kitchen"."""
    little = language().stop | language().ambient | _words().said_of_places
    kept = [
        place
        for place, word in enumerate(written)
        if not (word in little or stems[place] in little or manner(word)) or stems[place : place + 1] in _words().places
    ]
    if any(written[place] in _MATERIALS for place in kept):
        return None
    return _words().alone.get(tuple(stems[place] for place in kept)) if kept else None


def _is_outside(clause: Clause) -> bool:
    """Return whether somebody is outside; "rain outside" and "he looks outside" are said from indoors."""
    written = clause.text.split()
    stems = {stem(word) for word in written}
    if _OUTSIDE not in written or stems & _words().from_within:
        return False
    persons = {stem(word) for word in language().groups["person"]}
    return written[0] == _OUTSIDE or bool(stems & persons)
