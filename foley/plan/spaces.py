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

    def shared(self, of_places: Sequence[int]) -> _Evidence:
        """Return the same with what is known of a shot known of all that show its place; each shot's is given."""
        places = _Evidence()
        for shot, rooms in self.by_shot.items():
            for room, because in rooms.items():
                places.add([of_places[shot]], room, because)
        found = _Evidence({shot: dict(rooms) for shot, rooms in self.by_shot.items() if rooms})
        for shot, place in enumerate(of_places):
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
    parts = _parts(said, picture, looks)
    told = _untimed(said, parts, picture, looks).shared([part.place for part in parts]).certain()
    by_shot = _heard(sounds, picture, denied | within).shared(looks.places).certain()
    timed, below = _timed(said, picture).certain(), {**_seen(looks, denied).certain(), **by_shot}
    known = [timed.get(part.shot) or told.get(number) or below.get(part.shot) for number, part in enumerate(parts)]
    return tuple(_stretches(known, parts))


@dataclass(frozen=True, slots=True)
class _Part:
    """A shot, or a part of one in the midst of which one room follows another."""

    shot: int
    start_s: float
    end_s: float
    place: int
    """What it shows, as parts of one place share it; a part of a shot shares its own with no other."""
    whole: bool


@dataclass(frozen=True, slots=True)
class Turn:
    """When a clip plays in one of several rooms in a row."""

    named: NamedRoom | None
    start_s: float
    end_s: float
    shots: tuple[int, ...] = ()
    """Within these alone; all where empty."""


def in_turn(reading: RoomReading, picture: Picture, looks: Looks) -> list[Turn]:
    """Return when each of the rooms that a text names has its turn.

    Where there are as many places as rooms, each place is a room; else the time is divided as it is for events.
    """
    rooms, places = reading.turns, set(looks.places)
    if len(rooms) > 1 and len(rooms) == len(places):
        end_s = picture.shots[-1].end_s
        shots = [tuple(shot for shot, place in enumerate(looks.places) if place == turned) for turned in sorted(places)]
        return [Turn(room, 0.0, end_s, of_room) for room, of_room in zip(rooms, shots, strict=True)]
    return [Turn(room, *turn(number, len(rooms), picture)) for number, room in enumerate(rooms)]


def _parts(said: Sequence[tuple[Hint, RoomReading]], picture: Picture, looks: Looks) -> list[_Part]:
    """Return the shots, parted where words put one room after another in the midst of one."""
    turns = [turned for hint, reading in said if hint.start_s is None for turned in in_turn(reading, picture, looks)]
    own_place = itertools.count(max(looks.places, default=0) + 1)
    parts: list[_Part] = []
    for number, shot in enumerate(picture.shots):
        inside = {at.start_s for at in turns if shot.start_s < at.start_s < shot.end_s}
        for start_s, end_s in itertools.pairwise(sorted({shot.start_s, shot.end_s, *inside})):
            place = next(own_place) if inside else looks.places[number]
            parts.append(_Part(number, start_s, end_s, place, not inside))
    return parts


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


def _untimed(
    said: Sequence[tuple[Hint, RoomReading]], parts: Sequence[_Part], picture: Picture, looks: Looks
) -> _Evidence:
    found = _Evidence()
    for hint, reading in said:
        turns = in_turn(reading, picture, looks) if hint.start_s is None else []
        for turned in turns:
            inside = [number for number, part in enumerate(parts) if _is_in(part, turned)]
            if turned.named:
                guessed = any(not parts[number].whole for number in inside) and len(turns) > 1
                because = _because(hint, turned.named) + ("; no cut shows when" if guessed else "")
                found.add(inside, turned.named.room, because)
    return found


def _is_in(part: _Part, turned: Turn) -> bool:
    return (not turned.shots or part.shot in turned.shots) and turned.start_s <= part.start_s < turned.end_s


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


def _stretches(known: Sequence[tuple[Room, str] | None], parts: Sequence[_Part]) -> Iterator[Space]:
    """Yield one space for each run of shots in one room, with all that speaks for it."""
    together = zip(known, parts, strict=True)
    for room, run in itertools.groupby(together, key=lambda one: one[0] and one[0][0]):
        of_room = list(run)
        if room is not None:
            reasons = "; ".join(dict.fromkeys(one[1] for one, _ in of_room if one))
            because = reasons[:1].upper() + reasons[1:] + "."
            yield Space(of_room[0][1].start_s, of_room[-1][1].end_s, room, because)
