"""Plan by rules: what hints name, what shots look like, backgrounds that go with both, and else what motion tells."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache

from foley.contracts import Case, Context, PlannerSettings
from foley.model import Hint, Proposal, ProposedSound, Room
from foley.plan import evidence, semantic
from foley.plan.clauses import clauses
from foley.plan.evidence import GENERIC_IMPACT, GENERIC_MOVEMENT, UNSURE, Seen
from foley.plan.matching import FOOTSTEPS, Mention, Reading, mentioned, read
from foley.plan.reasons import counted, kind_of_source, listed, reasoning, shots_named, source_named
from foley.plan.rooms import NamedRoom, rooms_of
from foley.plan.spaces import in_turn
from foley.plan.turns import timed
from foley.plan.vocabulary import SoundClass, vocabulary
from foley.plan.words import language, manner, stem
from foley.units import clock

VERSION = "7"
"""Raised when the same case gives another proposal."""

INDOORS = "room-tone"
OUTDOORS = "field-tone"

TONES: dict[Room, str] = {
    "none": INDOORS,
    "small_interior": INDOORS,
    "large_interior": "hall-tone",
    "exterior": OUTDOORS,
    "under_water": "underwater",
}
"""Quiet background of each room, where nothing more is known of the place."""

FAR_M = 5.0
"""A sound further away than a room is long is likely to be heard outdoors."""

BACKDROP = frozenset({"ambience", "atmosphere", "background"})
"""Kinds of all backgrounds: who denies one of these wants none but those that are named."""

PLACED = 0.5
"""Confidence in a background that nobody named."""


def build() -> Rules:
    """Return the planner."""
    return Rules()


class Rules:
    """Needs no model: what people say of a clip, and what an encoder sees in it, is matched with the vocabulary."""

    def identity(self, settings: PlannerSettings) -> str:
        """Return name and version, and those of the sentence model where one is here."""
        return "+".join(filter(None, (f"rules/{VERSION}", semantic.identity())))

    def missing(self, settings: PlannerSettings) -> tuple[str, ...]:
        """Return nothing: all it needs comes with foley."""
        return ()

    def plan(self, case: Case, settings: PlannerSettings, ctx: Context) -> Proposal:
        """Return the sounds it would give the clip, and why."""
        said = [_understood(hint, ctx) for hint in case.hints.items]
        denied = frozenset(name for one in said for name in one.reading.denied_ids)
        silent = any(one.silent for one in said)
        sounds = list(_named(said, denied, case))
        semantic_part = list(_heard(said, sounds))
        seen: list[Seen] = []
        if not sounds and not silent:
            seen = evidence.seen_sounds(case.looks, denied)
            sounds = list(_shown(case, seen, denied))
            semantic_part += _unhinted(case, seen, sounds)
        beds = [] if silent else list(_backgrounds(said, seen, sounds, denied=denied, case=case))
        if beds:
            semantic_part.append(f"Under it: {listed([bed.label for bed in beds])}.")
        avoid = sorted({text for one in said for text in one.reading.denied})
        made = tuple(_avoiding(sound, avoid) for sound in [*sounds, *beds])
        parts = semantic_part or ["Nothing is to be heard."]
        return Proposal(
            planner="rules",
            sounds=made,
            reasoning=reasoning(made, case.picture, case.listening, semantic=parts),
            hints=tuple(_in_words(hint) for hint in case.hints.items),
            seed=case.hints.seed,
            generator=case.hints.generator,
        )


@dataclass(frozen=True, slots=True)
class _Said:
    """A hint and what it was understood to say."""

    hint: Hint
    reading: Reading

    @property
    def silent(self) -> bool:
        """Return whether silence is asked for: a caption "[silence]" tells of a moment only."""
        return self.reading.silent and self.hint.start_s is None

    @property
    def left_to_others(self) -> bool:
        """Return whether its words go to generators that read: no class explains it, and somebody timed it."""
        named = self.reading.mentions or not self.reading.left
        return not named and self.hint.source in ("timed prompt", "cue sheet")


def _understood(hint: Hint, ctx: Context) -> _Said:
    """Return what a hint says: by its words, and where they are unknown, by their meaning if a model is here."""
    reading = read(hint.text)
    meant = semantic.meanings(reading.left, ctx) if reading.left else []
    explained = {mention.clause for mention in meant}
    left = tuple(clause for clause in reading.left if clause.text not in explained)
    return _Said(hint, replace(reading, mentions=(*reading.mentions, *meant), left=left))


def _named(said: Sequence[_Said], denied: frozenset[str], case: Case) -> Iterator[ProposedSound]:
    """Yield the sounds that hints name: each class once without a time, and as often as times are given."""
    untimed: set[str] = set()
    for one in said:
        mentions = [mention for mention in one.reading.mentions if mention.sound.id not in denied]
        steps = 1 + max((mention.step for mention in mentions), default=0)
        for mention in mentions:
            if one.hint.start_s is None and mention.sound.id in untimed and mention.step == 0:
                continue
            untimed |= {mention.sound.id} if one.hint.start_s is None else set()
            sounds = _on_grounds(_sound(mention, one.hint), mention, one.hint, denied=denied, case=case)
            yield from (timed(sound, mention, one.hint, steps=steps, picture=case.picture) for sound in sounds)
        if one.left_to_others:
            yield _unknown(one.hint)


def _sound(mention: Mention, hint: Hint) -> ProposedSound:
    says = "says" if mention.likeness is None else "means it by"
    often = f", {counted(mention.count, 'time', 'times')}" if mention.count else ""
    return mentioned(mention, f"{source_named(hint)} {says} {mention.quote!r}{often}")


def _on_grounds(
    sound: ProposedSound, mention: Mention, hint: Hint, *, denied: frozenset[str], case: Case
) -> list[ProposedSound]:
    """Return the sound as the picture has it: surer where it is seen, footsteps on the ground that each shot shows."""
    if mention.sound.id != FOOTSTEPS:
        return [evidence.confirmed(sound, mention.sound, case.looks)]
    seen = evidence.grounds(case.looks, denied)
    shots = case.picture.shots
    if hint.start_s is None:
        return _by_ground(sound, range(len(shots)), seen)
    then = (number for number, shot in enumerate(shots) if shot.start_s <= hint.start_s < shot.end_s)
    return [_stepping(sound, seen.get(number, FOOTSTEPS)) for number in then] or [sound]


def _by_ground(sound: ProposedSound, shots: Sequence[int], grounds: Mapping[int, str]) -> list[ProposedSound]:
    """Return footsteps in some shots as one sound for each ground that they show."""
    found: dict[str, list[int]] = defaultdict(list)
    for shot in shots:
        found[grounds.get(shot, FOOTSTEPS)].append(shot)
    if len(found) == 1:
        return [_stepping(sound, name) for name in found]
    return [replace(_stepping(sound, name), shots=tuple(on_it)) for name, on_it in found.items()]


def _stepping(sound: ProposedSound, name: str) -> ProposedSound:
    """Return footsteps as they are on a ground, by the name of its class."""
    ground, bare = vocabulary()[name], vocabulary()[FOOTSTEPS]
    if ground is bare:
        return sound
    return replace(
        sound,
        label=ground.label,
        prompt=sound.prompt.replace(bare.prompt, ground.prompt),
        recipe=ground.recipe,
        parameters={**ground.parameters, **sound.parameters},
        level_db=sound.level_db + ground.level_db - bare.level_db,
        because=f"{sound.because}; the ground is seen",
    )


def _unknown(hint: Hint) -> ProposedSound:
    """Return a sound for a timed hint that no class explains: what it says goes to generators that read."""
    generic = vocabulary()[GENERIC_IMPACT].proposed(
        f"{source_named(hint)} says {hint.text!r}, which no sound class explains"
    )
    return replace(
        generic,
        label=hint.text,
        kind="hits" if hint.end_s is None else "span",
        recipe=generic.recipe if hint.end_s is None else vocabulary()[GENERIC_MOVEMENT].recipe,
        prompt=hint.text,
        cue=None,
        start_s=hint.start_s,
        end_s=hint.end_s,
        exact=True,
        placeholder=True,
    )


def _shown(case: Case, seen: Sequence[Seen], denied: frozenset[str]) -> Iterator[ProposedSound]:
    """Yield the sounds of what is recognised, and what motion alone suggests in the other shots."""
    on_ground = evidence.grounds(case.looks, denied)
    recognised: set[int] = set()
    for one in seen:
        recognised |= set(one.shots)
        if (sound := evidence.proposed(case, one)) is None:
            continue
        yield from _by_ground(sound, sound.shots, on_ground) if one.sound.id == FOOTSTEPS else [sound]
    rest = [number for number in range(len(case.picture.shots)) if number not in recognised]
    yield from evidence.moving_sounds(case.picture, rest)


def _backgrounds(
    said: Sequence[_Said], seen: Sequence[Seen], sounds: Sequence[ProposedSound], *, denied: frozenset[str], case: Case
) -> Iterator[ProposedSound]:
    """Yield the beds of the places: one that the text names, else those that are seen, else one that is natural."""
    have = {mention.sound.id for one in said for mention in one.reading.mentions}
    if any(vocabulary()[name].places for name in have - denied) or any(_wants_no_backdrop(one) for one in said):
        return
    denied |= frozenset(name for one in said for text in one.reading.denied for name in _holding(text))
    heard = {sound.recipe for sound in sounds if sound.kind == "bed"}  # a fire that is named needs no forge's fire
    if turned := [*_in_turn(said, sounds, denied=denied, heard=heard, case=case)]:
        yield from turned
        return
    named = _room_named(said)
    places = [place for one in said for place in one.reading.places if place.id not in denied and _goes(place, named)]
    if fitting := [place for place in places if place.recipe not in heard]:
        yield evidence.confirmed(
            replace(fitting[0].proposed("the text names the place"), confidence=PLACED), fitting[0], case.looks
        )
        return
    shots = range(len(case.picture.shots))
    shown = [place for place in evidence.seen_places(case.looks, denied) if place.sound.recipe not in heard]
    yield from filter(None, (evidence.proposed(case, place) for place in shown))
    rest = tuple(number for number in shots if not any(number in place.shots for place in shown))
    if not rest:
        return
    brought = [] if places else [one for one in _brought(said, seen) if _goes(vocabulary()[one[0]], named)]
    natural = _natural(brought, sounds, denied=denied, heard=heard, room=named)
    if natural is not None:
        yield replace(natural, shots=rest if shown else ())


def _wants_no_backdrop(one: _Said) -> bool:
    """Return whether a text denies all backgrounds ("no ambience"), and not one of a kind ("no background music")."""
    words = (set(text.split()) for text in one.reading.denied)
    return any(denied <= BACKDROP | language().ambient for denied in words)


@cache
def _holding(denied: str) -> frozenset[str]:
    """Return the backgrounds in which what is denied is heard: no forge's fire where there is to be no fire."""
    told = frozenset(stem(word) for word in denied.split() if not manner(word))
    return frozenset(name for name, words in _told_of_beds().items() if told and told <= words)


@cache
def _told_of_beds() -> Mapping[str, frozenset[str]]:
    """Return the stems of what each background is said to hold, in its label and its prompt."""
    beds = {name: (sound.label, sound.prompt) for name, sound in vocabulary().items() if sound.bus == "backgrounds"}
    return {
        name: frozenset(
            word for text in texts for clause in clauses(text) if not clause.denied for word in clause.stems
        )
        for name, texts in beds.items()
    }


def _in_turn(
    said: Sequence[_Said], sounds: Sequence[ProposedSound], *, denied: frozenset[str], heard: set[str], case: Case
) -> Iterator[ProposedSound]:
    """Yield the beds of the rooms that a hint names one after the other, each in its turn."""
    untimed = ((one, rooms_of(one.hint.text)) for one in said if one.hint.start_s is None)
    one, rooms = next(((one, rooms) for one, rooms in untimed if len(rooms.turns) > 1), (None, None))
    if one is None or rooms is None:
        return
    for turned in in_turn(rooms, case.picture, case.looks):
        room = turned.named
        named = [(place.id, place.label) for place in one.reading.places if room and place.room == room.room]
        bed = _natural(named, sounds, denied=denied, heard=heard, room=room)
        if bed is not None:
            because = bed.because if room is None else f"the text says {room.words!r}"
            yield replace(bed, because=because, start_s=turned.start_s, end_s=turned.end_s, shots=turned.shots)


def _room_named(said: Sequence[_Said]) -> NamedRoom | None:
    """Return the room in which hints without a time say that all of it plays; None where they name none or several."""
    turns = [turn for one in said if one.hint.start_s is None for turn in rooms_of(one.hint.text).turns]
    same = {turn.room if turn else None for turn in turns}
    first = turns[0] if len(same) == 1 else None
    return first if first and first.is_place else None


def _goes(bed: SoundClass, room: NamedRoom | None) -> bool:
    """Return whether a bed can be heard in a room."""
    return room is None or bed.room in (None, room.room)


def _natural(
    brought: Sequence[tuple[str, str]],
    sounds: Sequence[ProposedSound],
    *,
    denied: frozenset[str],
    heard: set[str],
    room: NamedRoom | None,
) -> ProposedSound | None:
    """Return the bed that the sounds bring with them, else a quiet tone of the room, or of how far away they are."""
    for name, label in brought:
        if name not in denied and vocabulary()[name].recipe not in heard:
            return replace(vocabulary()[name].proposed(f"natural under {label}"), confidence=PLACED)
    outdoors = any(sound.distance_m > FAR_M for sound in sounds)
    # where a forest is natural and its birds are denied, it is still out of doors
    denied_room = next((vocabulary()[name].room for name, _ in brought if name in denied), None)
    likely: Room = denied_room or ("exterior" if outdoors else "small_interior")
    name = TONES[room.room if room else likely]
    if name in denied:
        return None
    if room:
        return replace(vocabulary()[name].proposed(f"the text says {room.words!r}"), confidence=PLACED)
    because = "nothing says where this is; a quiet tone keeps cuts and pauses from falling into silence"
    return replace(vocabulary()[name].proposed(because), confidence=UNSURE)


def _brought(said: Sequence[_Said], seen: Sequence[Seen]) -> list[tuple[str, str]]:
    """Return the beds that named and seen sounds bring, with the sound that brings them, the most wanted first."""
    votes: Counter[str] = Counter()
    brings: dict[str, str] = {}
    wanting = [(mention.sound, mention.score) for one in said for mention in one.reading.mentions]
    for sound, weight in [*wanting, *((one.sound, one.score) for one in seen)]:
        for place, name in enumerate(sound.backgrounds):
            votes[name] += weight / (1 + place)  # type: ignore[assignment]  # a Counter adds floats as well
            brings.setdefault(name, sound.label)
    return [(name, brings[name]) for name, _ in votes.most_common()]


def _heard(said: Sequence[_Said], sounds: Sequence[ProposedSound]) -> Iterator[str]:
    """Yield what the hints say, in sentences."""
    if sounds:
        named = list(dict.fromkeys(sound.label for sound in sounds))
        yield f"{_sources(said).capitalize()} {listed(named)}."
    if meant := [mention for one in said for mention in one.reading.mentions if mention.likeness is not None]:
        yield f"By meaning alone: {listed([f'{one.clause!r} as {one.sound.label}' for one in meant])}."
    if unread := [clause for one in said if not one.left_to_others for clause in one.reading.unread]:
        yield f"No sound is given for {listed([repr(clause) for clause in unread])}."
    if denied := [text for one in said for text in one.reading.denied]:
        yield f"Not to be heard: {listed(denied)}."
    if any(one.silent for one in said):
        yield "Silence is asked for."


def _unhinted(case: Case, seen: Sequence[Seen], sounds: Sequence[ProposedSound]) -> Iterator[str]:
    """Yield what is recognised where no hint names a sound, in sentences."""
    why = "No hint names a sound that is known" if case.hints.items else "No hint says what is seen"
    if not seen:
        yield _only_motion(sounds, why)
        return
    yield f"{why}: {case.looks.encoder or 'an encoder'} recognises {listed([_shown_in(one) for one in seen])}."
    made = {sound.label for sound in sounds}
    if still := [one.sound.label for one in seen if not any(label.startswith(one.sound.label) for label in made)]:
        yield f"Seen, but nothing moves as it would when heard: {listed(still)}."


def _shown_in(one: Seen) -> str:
    return f"{one.sound.label} in {shots_named(one.shots)} ({one.score:.2f})"


def _sources(said: Sequence[_Said]) -> str:
    names = list(dict.fromkeys(kind_of_source(one.hint) for one in said if one.reading.mentions or one.left_to_others))
    return f"{listed(names)} {'names' if len(names) == 1 else 'name'}"


def _only_motion(sounds: Sequence[ProposedSound], why: str) -> str:
    if not sounds:
        return f"{why}, and nothing moves that could be heard: only a quiet background is proposed."
    return (
        f"{why}: only motion is heard, as {listed([sound.label for sound in sounds])}. A prompt would make it specific."
    )


def _avoiding(sound: ProposedSound, denied: Sequence[str]) -> ProposedSound:
    usual = sound.avoid.split(", ") if sound.avoid else []
    return replace(sound, avoid=", ".join(dict.fromkeys([*usual, *denied])))


def _in_words(hint: Hint) -> str:
    if hint.start_s is None:
        return f"{hint.source}: {hint.text}"
    end = f"-{clock(hint.end_s)}" if hint.end_s is not None else ""
    return f"{hint.source}: {clock(hint.start_s)}{end} {hint.text}"
