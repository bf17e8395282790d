"""Make sounds of a model's ideas: its words matched with the vocabulary, its times as where to look in the picture."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from foley.model import Impact, Picture, ProposedSound
from foley.plan.dialogue.spotting import Idea, Moment, Spotted
from foley.plan.matching import read
from foley.plan.vocabulary import SoundClass, vocabulary

GENERIC = {"hits": "generic-impact", "span": "cloth-move", "bed": "room-tone"}
"""Classes whose recipe stands in, by kind, for a sound that the vocabulary does not know."""

BELIEVED, CONFIRMED, DOUBTED = 0.6, 0.8, 0.35
"""Confidence in what a model says once, in what it sees again in denser frames, and in what it does not see again where
it believed it, but which the picture may show elsewhere."""

SURE_S, UNSURE_S = 0.3, 1.0
"""How far from a time its instant is looked for in the picture: key frames lie a second and a half apart, the frames of
a closer look a tenth."""

SAME_GROUP_S = 2.0
"""Hits further apart are looked for by themselves: what lies between them belongs to something else."""


def class_of(idea: Idea) -> SoundClass | None:
    """Return the class that an idea's words name, one of its own kind if there is one; None where none is named."""
    reading = read(idea.label)
    if idea.kind == "bed" and reading.places:
        return reading.places[0]
    named = [mention for mention in reading.mentions if idea.kind == mention.sound.kind] or list(reading.mentions)
    best = max(named, key=lambda mention: mention.score, default=None)
    return best.sound if best else None


def proposed(spotted: Spotted, picture: Picture) -> Iterator[ProposedSound]:
    """Yield the sounds of a scene's ideas, without those that were looked for again in vain and can be nowhere else."""
    for idea in spotted.ideas:
        sound = _sound(idea, spotted)
        if not idea.refuted:
            yield from _placed(sound, idea.moments, picture)
        elif _may_be_elsewhere(idea, sound, picture):  # what happens was believed by key frames, when by a guess
            yield replace(sound, confidence=min(sound.confidence, DOUBTED))


def _may_be_elsewhere(idea: Idea, sound: ProposedSound, picture: Picture) -> bool:
    """Return whether the picture shows an instant of the sound's cue in its shots where nobody looked again."""
    shots = [picture.shots[number] for number in idea.shots]
    return any(
        one.cue == sound.cue
        and any(shot.start_s <= one.time_s < shot.end_s for shot in shots)
        and not any(window.start_s <= one.time_s <= window.end_s for window in idea.looked)
        for one in picture.impacts
    )


def _sound(idea: Idea, spotted: Spotted) -> ProposedSound:
    """Return an idea as a sound that may be anywhere in its shots."""
    known = class_of(idea)
    because = f"the model hears {idea.label!r}" + (f": {idea.because}" if idea.because else "")
    sound = known.proposed(because) if known else _unknown(idea, because)
    told = [idea.how, idea.material, "" if idea.kind == "bed" else spotted.room]
    confirmed = idea.confirmed or any(moment.sure for moment in idea.moments)
    avoid = dict.fromkeys([*filter(None, [sound.avoid]), *spotted.avoid])
    return replace(
        sound,
        cue=sound.cue if known else idea.cue,
        periodic=sound.periodic or (sound.kind == "hits" and idea.periodic),
        shots=idea.shots,
        region=idea.region,
        prompt=", ".join(filter(None, [idea.label if idea.how else sound.prompt, *told])),
        avoid=", ".join(avoid),
        distance_m=sound.distance_m if idea.distance_m is None else float(idea.distance_m),
        confidence=min(sound.confidence, CONFIRMED if confirmed else BELIEVED),
    )


def _unknown(idea: Idea, because: str) -> ProposedSound:
    """Return a sound that no class explains: its words go to generators that read."""
    generic = vocabulary()[GENERIC[idea.kind]].proposed(because)
    bus = generic.bus if idea.kind == "bed" else "effects"
    return replace(generic, label=idea.label, kind=idea.kind, bus=bus, prompt=idea.label, placeholder=True)


def _placed(sound: ProposedSound, moments: Sequence[Moment], picture: Picture) -> Iterator[ProposedSound]:
    """Yield the sound once for each stretch of time in which it is to be looked for."""
    if sound.kind == "bed" or not moments:
        yield sound
        return
    if sound.kind == "hits" and sound.periodic and not all(moment.sure for moment in moments):
        yield sound  # what repeats does so all through its shots: beliefs must not cut it short
        return
    last_s = picture.shots[-1].end_s
    for group in _groups(moments):
        reach_s = SURE_S if all(moment.sure for moment in group) else UNSURE_S
        start_s, end_s = group[0].start_s, max(moment.end_s for moment in group)
        # the times say where to look; the shots are left out: at a cut they may be wrong by one
        if sound.kind == "hits" and start_s == end_s:
            yield replace(sound, start_s=_nearest(picture.impacts, sound, start_s, reach_s=reach_s), shots=())
        else:
            slack_s = SURE_S if start_s < end_s and sound.kind == "span" else reach_s
            yield replace(sound, start_s=max(0.0, start_s - slack_s), end_s=min(last_s, end_s + slack_s), shots=())


def _groups(moments: Sequence[Moment]) -> list[list[Moment]]:
    groups: list[list[Moment]] = []
    for moment in moments:
        if groups and moment.start_s - groups[-1][-1].end_s <= SAME_GROUP_S:
            groups[-1].append(moment)
        else:
            groups.append([moment])
    return groups


def _nearest(impacts: Sequence[Impact], sound: ProposedSound, time_s: float, *, reach_s: float) -> float:
    """Return the strongest instant of the sound's cue within reach of a believed time; the time itself without one."""
    near = [one for one in impacts if one.cue == sound.cue and abs(one.time_s - time_s) <= reach_s]
    best = max(near, key=lambda one: (one.strength, -abs(one.time_s - time_s)), default=None)
    return best.time_s if best else time_s
