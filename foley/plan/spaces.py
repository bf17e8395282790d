"""Find in which rooms a clip plays, from what people say, what sounds there and what is seen; what nobody knows is dry.

People are believed first, then the ambiences that are found, then what an encoder sees. What contradicts itself says
nothing: a wrong room is heard at once, none is only plain.
"""

from __future__ import annotations

import itertools
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from foley.model import Hint, Hints, Looks, Picture, ProposedSound, Room, Shot, Space
from foley.plan.evidence import seen_places
from foley.plan.reasons import shots_named, source_named
from foley.plan.rooms import NamedRoom, RoomReading, rooms_of
from foley.plan.turns import turn
from foley.plan.vocabulary import vocabulary

LIKELY = 0.5
"""Confidence above which an ambience is evidence: those that planners lay under for want of any are not."""

MOSTLY = 0.5
"""A hint that lasts speaks for a shot that it covers to this part, or in which this part of it lies."""


@dataclass(slots=True)
class _Evidence:
    """What speaks for a room in each shot; shots for which several rooms are spoken for count as unknown."""

    by_shot: dict[int, dict[Room, str]] = field(default_factory=lambda: defaultdict(dict))

    def add(self, shots: Iterable[int], room: Room, because: str) -> None:
        """Note what speaks for a room; the first reason is kept."""
        for shot in shots:
            self.by_shot[shot].setdefault(room, because)

    def shared(self, looks: Looks) -> _Evidence:
        """Return the same with what is known of a shot known of all that show its place."""
        places = _Evidence()
        for shot, rooms in self.by_shot.items():
            for room, because in rooms.items():
                places.add([looks.places[shot]], room, because)
        found = _Evidence({shot: dict(rooms) for shot, rooms in self.by_shot.items() if rooms})
        for shot, place in enumerate(looks.places):
            if shot not in found.by_shot and place in places.by_shot:
                found.by_shot[shot] = places.by_shot[place]
        return found

    def certain(self) -> Mapping[int, tuple[Room, str]]:
        """Return the room of each shot for which one alone is spoken for."""
        return {shot: next(iter(rooms.items())) for shot, rooms in self.by_shot.items() if len(rooms) == 1}


def spaces(hints: Hints, picture: Picture, looks: Looks, *, sounds: Sequence[ProposedSound]) -> tuple[Space, ...]:
    """Return the stretches of which it is known how their place answers, in order.

    Args:
        hints: What people say: a timed hint speaks for its shots, another for all, or one after the other for those of
            each place.
        picture: What was seen.
        looks: Which shots show one place, and what they look like.
        sounds: What is proposed: an ambience that is named or seen tells of its place.
    """
    said = [(hint, rooms_of(hint.text)) for hint in hints.items]
    denied = frozenset(room for _, reading in said for room in reading.denied)
    within: frozenset[Room] = frozenset({"exterior"} if any(reading.from_within for _, reading in said) else ())
    levels = (
        _timed(said, picture),
        _untimed(said, picture, looks).shared(looks),
        _heard(sounds, picture, denied | within).shared(looks),
        _seen(looks, denied),
    )
    known: dict[int, tuple[Room, str]] = {}
    for level in reversed(levels):
        known |= level.certain()
    return tuple(_stretches(known, picture.shots))


def _timed(said: Sequence[tuple[Hint, RoomReading]], picture: Picture) -> _Evidence:
    found = _Evidence()
    for hint, reading in said:
        if hint.start_s is not None and reading.turns and (last := reading.turns[-1]):
            shots = _covered(hint.start_s, hint.end_s, picture.shots)
            found.add(shots, last.room, _because(hint, last))
    return found


def _covered(start_s: float, end_s: float | None, shots: Sequence[Shot]) -> Iterator[int]:
    """Yield the shots that a time speaks for."""
    for number, shot in enumerate(shots):
        if end_s is None or end_s <= start_s:
            covers = shot.start_s <= start_s < shot.end_s
        else:
            shared_s = min(end_s, shot.end_s) - max(start_s, shot.start_s)
            covers = shared_s > 0.0 and shared_s >= MOSTLY * min(end_s - start_s, shot.end_s - shot.start_s)
        if covers:
            yield number


def _untimed(said: Sequence[tuple[Hint, RoomReading]], picture: Picture, looks: Looks) -> _Evidence:
    found = _Evidence()
    for hint, reading in said:
        if hint.start_s is None:
            for named, shots in zip(reading.turns, _in_turn(len(reading.turns), picture, looks), strict=False):
                if named:
                    found.add(shots, named.room, _because(hint, named))
    return found


def _in_turn(turns: int, picture: Picture, looks: Looks) -> list[list[int]]:
    """Return the shots of each of several rooms in a row; none where no cut says when one becomes the next."""
    shots = range(len(picture.shots))
    if turns == 1:
        return [list(shots)]
    if turns == len(set(looks.places)):
        return [[shot for shot in shots if looks.places[shot] == place] for place in range(turns)]
    bounds = [turn(number, turns, picture) for number in range(turns)]
    cuts = {shot.start_s for shot in picture.shots}
    if not all(start_s in cuts for start_s, _ in bounds):
        return []
    return [[shot for shot in shots if start_s <= picture.shots[shot].start_s < end_s] for start_s, end_s in bounds]


def _heard(sounds: Sequence[ProposedSound], picture: Picture, denied: frozenset[Room]) -> _Evidence:
    """Return what ambiences tell that somebody names or sees."""
    found = _Evidence()
    for sound in sounds:
        room = _room_of(sound) if sound.kind == "bed" and sound.confidence > LIKELY else None
        if room is None or room in denied:
            continue
        start_s = sound.start_s or 0.0
        end_s = picture.shots[-1].end_s if sound.end_s is None else sound.end_s
        shots = _covered(start_s, end_s, picture.shots)
        found.add((shot for shot in shots if not sound.shots or shot in sound.shots), room, sound.because)
    return found


def _room_of(sound: ProposedSound) -> Room | None:
    """Return what the sound's class tells; None for one that stands in for something unknown."""
    if sound.placeholder:
        return None
    classes = [one for one in vocabulary().values() if one.kind == "bed" and one.recipe == sound.recipe]
    named = [one for one in classes if one.label == sound.label] or [one for one in classes if one.ucs == sound.ucs]
    rooms = {one.room for one in named}
    return rooms.pop() if len(rooms) == 1 else None


def _seen(looks: Looks, denied: frozenset[Room]) -> _Evidence:
    found = _Evidence()
    for place in seen_places(looks, frozenset()):
        if place.sound.room and place.sound.room not in denied:
            looking = "looks" if len(place.shots) == 1 else "look"
            because = f"{shots_named(place.shots)} {looking} like {place.sound.label} ({place.score:.2f})"
            found.add(place.shots, place.sound.room, because)
    return found


def _because(hint: Hint, named: NamedRoom) -> str:
    return f"{source_named(hint)} says {named.words!r}"


def _stretches(known: Mapping[int, tuple[Room, str]], shots: Sequence[Shot]) -> Iterator[Space]:
    """Yield one space for each run of shots in one room, with all that speaks for it."""
    for room, run in itertools.groupby(range(len(shots)), key=lambda shot: known[shot][0] if shot in known else None):
        numbers = list(run)
        if room is not None:
            reasons = "; ".join(dict.fromkeys(known[shot][1] for shot in numbers))
            because = reasons[:1].upper() + reasons[1:] + "."
            yield Space(shots[numbers[0]].start_s, shots[numbers[-1]].end_s, room, because)
