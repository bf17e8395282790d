"""Plan by rules: sounds that hints name, beds that go with them, and where nobody says anything, what motion tells."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from foley.contracts import Case, Context, PlannerSettings
from foley.model import Cue, Hint, Hints, Impact, Picture, Proposal, ProposedSound, Span
from foley.plan.curves import active_spans
from foley.plan.matching import Mention, Reading, manner_of, read
from foley.plan.reasons import counted, listed, reasoning
from foley.plan.vocabulary import SoundClass, vocabulary
from foley.units import clock

VERSION = "2"
"""Raised when the same case gives another proposal."""

GENERIC_IMPACT = "generic-impact"
GENERIC_MOVEMENT = "cloth-move"
INDOORS = "room-tone"
OUTDOORS = "field-tone"

FAR_M = 5.0
"""A sound further away than a room is long is likely to be heard outdoors."""

UNSURE = 0.3
"""Confidence in what motion alone suggests."""

PLACED = 0.5
"""Confidence in a background that nobody named."""

ONE_MOVEMENT_S = 3.0
"""The longest that a door, a drawer or a zipper moves at a time."""

MOVES = 0.02
"""Motion level below which nothing moves that could be heard."""

CUT_REACH = 0.3
"""How far from an even division of the time a cut is sought, in parts: what comes "then" likely comes in a new shot."""


def build() -> Rules:
    """Return the planner."""
    return Rules()


class Rules:
    """Needs no model: what people say of a clip is matched with the vocabulary."""

    def identity(self, settings: PlannerSettings) -> str:
        """Return name and version."""
        return f"rules/{VERSION}"

    def missing(self, settings: PlannerSettings) -> tuple[str, ...]:
        """Return nothing: all it needs comes with foley."""
        return ()

    def plan(self, case: Case, settings: PlannerSettings, ctx: Context) -> Proposal:
        """Return the sounds it would give the clip, and why."""
        picture, listening, hints = case.picture, case.listening, case.hints
        said = [_Said(hint, read(hint.text)) for hint in hints.items]
        denied = frozenset(name for one in said for name in one.reading.denied_ids)
        sounds = list(_named(said, denied, picture))
        semantic = list(_semantic(said, sounds))
        if not sounds and not any(one.silent for one in said):
            sounds = list(_by_motion(picture))
            semantic.append(_only_motion(sounds, hints))
        if beds := list(_backgrounds(said, sounds, denied)):
            semantic.append(f"Under it: {listed([bed.label for bed in beds])}.")
        avoid = sorted({text for one in said for text in one.reading.denied})
        made = tuple(_avoiding(sound, avoid) for sound in [*sounds, *beds])
        return Proposal(
            planner="rules",
            sounds=made,
            reasoning=reasoning(made, picture, listening, semantic=semantic or ["Nothing is to be heard."]),
            hints=tuple(_in_words(hint) for hint in hints.items),
            seed=hints.seed,
            generator=hints.generator,
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


def _named(said: Sequence[_Said], denied: frozenset[str], picture: Picture) -> Iterator[ProposedSound]:
    """Yield the sounds that hints name: each class once without a time, and as often as times are given."""
    untimed: set[str] = set()
    for one in said:
        mentions = [mention for mention in one.reading.mentions if mention.sound.id not in denied]
        steps = 1 + max((mention.step for mention in mentions), default=0)
        for mention in mentions:
            if one.hint.start_s is None and mention.sound.id in untimed and mention.step == 0:
                continue
            untimed |= {mention.sound.id} if one.hint.start_s is None else set()
            yield _timed(_sound(mention, one.hint), mention, one.hint, steps=steps, picture=picture)
        if not mentions and one.reading.unread and one.hint.source in ("timed prompt", "cue sheet"):
            yield _unknown(one.hint)


def _sound(mention: Mention, hint: Hint) -> ProposedSound:
    manner = manner_of(mention)
    sound = _of_class(mention.sound, f"{_source(hint)} says {' '.join(mention.words)!r}")
    return replace(
        sound,
        prompt=", ".join([sound.prompt, *mention.manners]),
        level_db=sound.level_db + manner.level_db,
        distance_m=sound.distance_m * manner.distance,
        confidence=mention.confidence,
    )


def _of_class(sound: SoundClass, because: str) -> ProposedSound:
    return ProposedSound(
        label=sound.label,
        kind=sound.kind,
        bus=sound.bus,
        because=because,
        cue=sound.cue,
        periodic=sound.periodic,
        ucs=sound.ucs,
        prompt=sound.prompt,
        avoid=sound.avoid,
        recipe=sound.recipe,
        parameters=sound.parameters,
        intensity=sound.intensity,
        level_db=sound.level_db,
        distance_m=sound.distance_m,
        confidence=sound.confidence,
        placeholder=sound.placeholder,
    )


def _timed(sound: ProposedSound, mention: Mention, hint: Hint, *, steps: int, picture: Picture) -> ProposedSound:
    """Return the sound with the times that its hint gives, or that its place in a sequence suggests."""
    if hint.start_s is not None:
        # a caption stands for as long as it takes to read: what happens once, happens where it appears
        end_s = None if mention.sound.once else hint.end_s
        return replace(sound, start_s=hint.start_s, end_s=end_s, exact=True)
    if sound.kind == "bed":
        return sound
    start_s, end_s = _part(mention.step, steps, picture)
    if mention.sound.once and sound.kind == "hits":
        strongest = _strongest(picture.impacts, sound.cue, start_s, end_s)
        return replace(sound, start_s=strongest.time_s) if strongest else sound
    if mention.sound.once:
        movement = _liveliest(picture, start_s, end_s)
        return replace(sound, start_s=movement.start_s, end_s=movement.end_s) if movement else sound
    return replace(sound, start_s=start_s, end_s=end_s) if steps > 1 else sound


def _part(step: int, steps: int, picture: Picture) -> tuple[float, float]:
    """Return when one of several things in a row happens: an even share of the time, divided at cuts that are near."""
    end_s = picture.shots[-1].end_s if picture.shots else 0.0
    share_s = end_s / steps
    bounds = [0.0]
    for number in range(1, steps):
        cut = min((shot.start_s for shot in picture.shots[1:]), key=lambda at: abs(at - number * share_s), default=-1.0)
        near = abs(cut - number * share_s) <= CUT_REACH * share_s
        bounds.append(cut if near else number * share_s)
    bounds.append(end_s)
    return bounds[step], bounds[step + 1]


def _strongest(impacts: Iterable[Impact], cue: Cue | None, start_s: float, end_s: float) -> Impact | None:
    inside = [impact for impact in impacts if impact.cue == cue and start_s <= impact.time_s <= end_s]
    return max(inside, key=lambda impact: impact.strength, default=None)


def _liveliest(picture: Picture, start_s: float, end_s: float) -> Span | None:
    """Return the longest movement of a stretch of time, no longer than a door takes; None where nothing moves."""
    spans = active_spans(picture, Span(start_s, end_s))
    longest = max(spans, key=lambda span: span.end_s - span.start_s, default=None)
    return longest and Span(longest.start_s, min(longest.end_s, longest.start_s + ONE_MOVEMENT_S))


def _unknown(hint: Hint) -> ProposedSound:
    """Return a sound for a timed hint that no class explains: what it says goes to generators that read."""
    generic = _of_class(
        vocabulary()[GENERIC_IMPACT], f"{_source(hint)} says {hint.text!r}, which no sound class explains"
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


def _by_motion(picture: Picture) -> Iterator[ProposedSound]:
    """Yield what motion alone suggests: soft impacts where something stops, a movement where something starts."""
    strikes = [impact for impact in picture.impacts if impact.cue == "strike"]
    shots = _shots_of(picture, "strike")
    if strikes and shots:
        because = f"{counted(len(strikes), 'strike is', 'strikes are')} seen; nothing says what strikes"
        yield replace(_of_class(vocabulary()[GENERIC_IMPACT], because), shots=shots, confidence=UNSURE)
    level = picture.motion.level
    if len(level) and float(np.max(level)) > MOVES:
        movement = _of_class(vocabulary()[GENERIC_MOVEMENT], "something moves; nothing says what")
        yield replace(movement, label="movement", confidence=UNSURE)


def _shots_of(picture: Picture, cue: Cue) -> tuple[int, ...]:
    """Return the shots whose motion speaks for a cue."""
    return tuple(number for number, spoken in enumerate(picture.shot_cues) if spoken == cue)


def _backgrounds(
    said: Sequence[_Said], sounds: Sequence[ProposedSound], denied: frozenset[str]
) -> Iterator[ProposedSound]:
    """Yield one bed of a place, where none is named as a sound and nobody asks for silence."""
    wanted = not any(one.silent for one in said)
    have = {mention.sound.id for one in said for mention in one.reading.mentions}
    if not wanted or any(vocabulary()[name].places for name in have - denied):
        return
    heard = {sound.recipe for sound in sounds if sound.kind == "bed"}  # a fire that is named needs no forge's fire
    places = [place for one in said for place in one.reading.places if place.id not in denied]
    fitting = [place for place in places if place.recipe not in heard]
    if fitting:
        yield replace(_of_class(fitting[0], "the text names the place"), confidence=PLACED)
        return
    for name, label in () if places else _brought(said):
        if name not in denied and vocabulary()[name].recipe not in heard:
            yield replace(_of_class(vocabulary()[name], f"natural under {label}"), confidence=PLACED)
            return
    outdoors = any(sound.distance_m > FAR_M for sound in sounds)
    name = OUTDOORS if outdoors else INDOORS
    if name not in denied:
        because = "nothing says where this is; a quiet tone keeps cuts and pauses from falling into silence"
        yield replace(_of_class(vocabulary()[name], because), confidence=UNSURE)


def _brought(said: Sequence[_Said]) -> list[tuple[str, str]]:
    """Return the beds that named sounds bring, with the sound that brings them, the most wanted first."""
    votes: Counter[str] = Counter()
    brings: dict[str, str] = {}
    for mention in (mention for one in said for mention in one.reading.mentions):
        for place, name in enumerate(mention.sound.backgrounds):
            votes[name] += mention.score / (1 + place)  # type: ignore[assignment]  # a Counter adds floats as well
            brings.setdefault(name, mention.sound.label)
    return [(name, brings[name]) for name, _ in votes.most_common()]


def _semantic(said: Sequence[_Said], sounds: Sequence[ProposedSound]) -> Iterator[str]:
    if sounds:
        named = list(dict.fromkeys(sound.label for sound in sounds))
        yield f"{_sources(said).capitalize()} {listed(named)}."
    if unread := [clause for one in said for clause in one.reading.unread]:
        yield f"No sound is given for {listed([repr(clause) for clause in unread])}."
    if denied := [text for one in said for text in one.reading.denied]:
        yield f"Not to be heard: {listed(denied)}."
    if any(one.silent for one in said):
        yield "Silence is asked for."


def _sources(said: Sequence[_Said]) -> str:
    names = list(dict.fromkeys(_kind_of_source(one.hint) for one in said if one.reading.mentions))
    return f"{listed(names)} {'names' if len(names) == 1 else 'name'}" if names else "it is said that there is"


def _only_motion(sounds: Sequence[ProposedSound], hints: Hints) -> str:
    why = "No hint says what is seen" if not hints.items else "No hint names a sound that is known"
    if not sounds:
        return f"{why}, and nothing moves that could be heard: only a quiet background is proposed."
    return (
        f"{why}: only motion is heard, as {listed([sound.label for sound in sounds])}. A prompt would make it specific."
    )


def _avoiding(sound: ProposedSound, denied: Sequence[str]) -> ProposedSound:
    return replace(sound, avoid=", ".join(dict.fromkeys([*filter(None, [sound.avoid]), *denied])))


def _kind_of_source(hint: Hint) -> str:
    names = {"prompt": "the prompt", "timed prompt": "the prompt", "subtitle": "the subtitles"}
    return names.get(hint.source, "the cue sheet")


def _source(hint: Hint) -> str:
    at = f" at {clock(hint.start_s)}" if hint.start_s is not None else ""
    return f"{_kind_of_source(hint)}{at}".replace("the subtitles", "a caption")


def _in_words(hint: Hint) -> str:
    if hint.start_s is None:
        return f"{hint.source}: {hint.text}"
    end = f"-{clock(hint.end_s)}" if hint.end_s is not None else ""
    return f"{hint.source}: {clock(hint.start_s)}{end} {hint.text}"
