"""The steps in which a model is asked for a scene's sounds, and the shapes of its answers."""

from __future__ import annotations

from collections.abc import Sequence

from foley.model import Cue, Kind, Region, Span
from foley.plan.dialogue.shapes import Choice, Listed, Number, Record, Text, record

MOST_SOUNDS = 8
"""Of a scene: an editor would not lay more layers for a few shots either."""

MOST_HITS, MOST_SPANS = 24, 6
"""Times of one sound in a scene; where there are more, they are found in the picture."""

FARTHEST_M = 200.0
"""Thunder is further, but nobody hears the difference to a film's thunder."""

NEAREST_M = 0.2

KINDS: tuple[Kind, ...] = ("hits", "span", "bed")
SHOWS: dict[str, Cue | None] = {
    "motion stops": "strike",
    "motion starts": "burst",
    "light jumps": "flash",
    "not seen": None,
}
"""How the instants of a sound show, in words for a model."""

REPEATS = ("once", "now and then", "evenly")

PLACES: dict[str, Region | None] = {
    "left": Region(0.0, 0.0, 0.45, 1.0),
    "middle": Region(0.25, 0.0, 0.75, 1.0),
    "right": Region(0.55, 0.0, 1.0, 1.0),
    "top": Region(0.0, 0.0, 1.0, 0.5),
    "bottom": Region(0.0, 0.5, 1.0, 1.0),
    "everywhere": None,
}
"""Where in the picture; wide and overlapping: models are no surveyors."""

INTRODUCTION = """\
You are a sound editor who spots a film for Foley and sound effects. Every visible thing that would make a sound is to
be heard, and nothing else: no music, no speech. Times are seconds from the start of the clip. Judge by the frames
first; what was measured is exact in time but does not say what it is; what the user says holds.
Answer every question with one JSON object and nothing else, in English, briefly.
"""

SEEN = """\
Say for each shot what is seen: the place, who or what acts, which things touch each other and what they are made of.
Form: {"shots": [{"shot": number, "seen": "..."}]}"""

SOUNDS = f"""\
Which things would sound? Name each sound by what makes it, as "hammer on anvil", "footsteps on gravel", "rain".
kind: "hits" for sounds at instants, "span" for what lasts while something moves, "bed" for the place's background.
shots: the numbers of the shots it sounds in. shows: how its instants show in the picture. where: its place in the
picture. At most {MOST_SOUNDS}, the most important first, and one bed if the place has one.
Form: {{"sounds": [{{"because": "...", "sound": "...", "kind": "...", "shots": [numbers], "shows": "{"|".join(SHOWS)}",
"where": "{"|".join(PLACES)}", "repeats": "{"|".join(REPEATS)}"}}]}}"""

TIMES = """\
When does each sound start, hit and end? hits: the instants of contact; spans: start and end of what lasts. Leave both
empty for what lasts throughout or is not seen.
Form: {{"times": [{{"sound": number, "hits": [seconds], "spans": [{{"start_s": seconds, "end_s": seconds}}]}}]}}
The sounds: {sounds}"""

CHARACTER = """\
How does each sound here? Say the room (its size and surfaces, or open air) and for each sound its material and size,
how it sounds in a few words, and its distance from the camera in metres.
Form: {{"room": "...", "sounds": [{{"sound": number, "material": "...", "how": "...", "distance_m": metres}}]}}
The sounds: {sounds}"""

AVOID = """\
What must not be heard in this scene, though one might think of it? A few words each, none if nothing comes to mind.
Form: {"because": "...", "avoid": ["..."]}"""

CLOSER = """\
These frames show {start:.2f} s to {end:.2f} s of the clip slowed down. Which of the sounds below happen in them, and
when exactly? start_s: the frame at which the things touch, or the motion begins; end_s: when it ends, the same as
start_s for an instant. Leave out what does not happen here.
Form: {{"seen": "...", "happens": [{{"sound": number, "start_s": seconds, "end_s": seconds}}]}}
The sounds: {sounds}"""


def seen_shape(shots: Sequence[int]) -> Record:
    """Return the shape of what is seen."""
    return record(shots=Listed(record(shot=Choice(tuple(shots)), seen=Text(300)), most=len(shots), least=1))


def sounds_shape(shots: Sequence[int]) -> Record:
    """Return the shape of the sounds of these shots."""
    sound = record(
        because=Text(240),
        sound=Text(80, name=True),
        kind=Choice(KINDS),
        shots=Listed(Choice(tuple(shots)), most=len(shots), least=1),
        shows=Choice(tuple(SHOWS)),
        where=Choice(tuple(PLACES)),
        repeats=Choice(REPEATS),
    )
    return record(sounds=Listed(sound, most=MOST_SOUNDS))


def times_shape(sounds: int, span: Span) -> Record:
    """Return the shape of when so many sounds are heard."""
    time = _within(span)
    one = record(
        sound=Choice(tuple(range(sounds))),
        hits=Listed(time, most=MOST_HITS),
        spans=Listed(record(start_s=time, end_s=time), most=MOST_SPANS),
    )
    return record(times=Listed(one, most=sounds))


def character_shape(sounds: int) -> Record:
    """Return the shape of how so many sounds sound."""
    one = record(
        sound=Choice(tuple(range(sounds))),
        material=Text(80),
        how=Text(160),
        distance_m=Number(NEAREST_M, FARTHEST_M),
    )
    return record(room=Text(120), sounds=Listed(one, most=sounds))


def avoid_shape() -> Record:
    """Return the shape of what must not be heard."""
    return record(because=Text(240), avoid=Listed(Text(60), most=6))


def closer_shape(sounds: int, window: Span) -> Record:
    """Return the shape of what happens in a window."""
    time = _within(window)
    one = record(sound=Choice(tuple(range(sounds))), start_s=time, end_s=time)
    return record(seen=Text(240), happens=Listed(one, most=2 * MOST_SOUNDS))


def numbered(labels: Sequence[str]) -> str:
    """Return names with the numbers by which answers mean them."""
    return "; ".join(f"{number}: {label}" for number, label in enumerate(labels))


def _within(span: Span) -> Number:
    """Return a time in a span, whose bounds can be written with the decimals of an answer."""
    start_s = round(span.start_s, 2)
    return Number(start_s, max(start_s, round(span.end_s, 2)))
