"""Say why a plan is as it is, in four parts that a sound editor can check against picture and script."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

import numpy as np

from foley.model import Cue, Hint, Impact, Listening, Picture, ProposedSound, Reasoning
from foley.units import clock

CUE_WORDS: dict[Cue, tuple[str, str]] = {
    "strike": ("strike", "strikes"),
    "burst": ("burst of motion", "bursts of motion"),
    "flash": ("flash", "flashes"),
}
"""One and many."""

SIDE = 0.12
"""Off the middle by more than this share of the width, a sound is heard from a side."""

MOST_NAMED = 4
"""Of a kind of thing in a sentence; more would not be read."""


def reasoning(
    sounds: Sequence[ProposedSound], picture: Picture, listening: Listening, *, semantic: Iterable[str]
) -> Reasoning:
    """Return the four parts.

    Args:
        sounds: What is proposed.
        picture: What was seen.
        listening: What was heard.
        semantic: Sentences on what is heard and why: only the planner knows these.
    """
    return Reasoning(
        semantic=_joined(semantic),
        temporal=_joined(_temporal(sounds, picture, listening)),
        aesthetic=_joined(_aesthetic(sounds, listening)),
        spatial=_joined(_spatial(sounds, picture)),
    )


def counted(number: int, one: str, many: str) -> str:
    """Return "1 strike", "3 strikes" or "no strikes"."""
    return f"{number or 'no'} {one if number == 1 else many}"


def shots_named(numbers: Sequence[int]) -> str:
    """Return "shot 1" or "shots 1, 2 and 5"; people count from 1.

    >>> shots_named([0, 1, 4])
    'shots 1, 2 and 5'
    """
    return f"{'shot' if len(numbers) == 1 else 'shots'} {listed([str(number + 1) for number in numbers])}"


def listed(names: Sequence[str]) -> str:
    """Return "a, b and c"; of many only the first few."""
    named = list(names[:MOST_NAMED])
    if len(names) > MOST_NAMED:
        named.append(f"{len(names) - MOST_NAMED} more")
    return " and ".join(filter(None, [", ".join(named[:-1]), *named[-1:]]))


def kind_of_source(hint: Hint) -> str:
    """Return where a hint comes from, in words."""
    names = {"prompt": "the prompt", "timed prompt": "the prompt", "subtitle": "the subtitles"}
    return names.get(hint.source, "the cue sheet")


def source_named(hint: Hint) -> str:
    """Return where a hint comes from and when it stands: "the prompt at 0:03.000", "a caption at 0:05.200"."""
    at = f" at {clock(hint.start_s)}" if hint.start_s is not None else ""
    return f"{kind_of_source(hint)}{at}".replace("the subtitles", "a caption")


def _temporal(sounds: Sequence[ProposedSound], picture: Picture, listening: Listening) -> Iterable[str]:
    yield f"{counted(len(picture.shots), 'shot', 'shots')}; the picture shows {_impacts(picture.impacts)}."
    for cue in CUE_WORDS:
        hits = [sound.label for sound in sounds if sound.kind == "hits" and sound.cue == cue and sound.start_s is None]
        if hits:
            seen = _where(picture, cue)
            guess = f"No {CUE_WORDS[cue][1]} are seen for {listed(hits)}: there the times are a guess."
            yield f"{listed(hits).capitalize()} {_takes(hits)} {seen}." if seen else guess
    if given := [_when(sound) for sound in sounds if sound.exact and sound.start_s is not None]:
        yield f"Times are given for {listed(given)}."
    if placed := [_when(sound) for sound in sounds if not sound.exact and sound.start_s is not None]:
        yield f"By the order of what is said and by what is seen: {listed(placed)}."
    for sound in [sound for sound in sounds if sound.count]:
        yield f"{sound.label.capitalize()}: {counted(sound.count or 0, 'hit is', 'hits are')} asked for."
    if spans := [sound.label for sound in sounds if sound.kind == "span" and sound.start_s is None]:
        yield f"{listed(spans).capitalize()} {'follows' if len(spans) == 1 else 'follow'} the motion curve."
    if listening.speech:
        spoken_s = sum(span.end_s - span.start_s for span in listening.speech)
        yield f"Somebody speaks for {spoken_s:.1f} s, first at {clock(listening.speech[0].start_s)}."


def _when(sound: ProposedSound) -> str:
    start = clock(sound.start_s or 0.0)
    return f"{sound.label} at {start}" if sound.end_s is None else f"{sound.label} from {start} to {clock(sound.end_s)}"


def _takes(names: Sequence[str]) -> str:
    return "takes its instants from" if len(names) == 1 else "share the instants of"


def _impacts(impacts: Sequence[Impact]) -> str:
    numbers = Counter(impact.cue for impact in impacts)
    return listed([counted(numbers[cue], *words) for cue, words in CUE_WORDS.items() if numbers[cue]]) or "no impacts"


def _where(picture: Picture, cue: Cue) -> str:
    """Return how many impacts of a cue there are, in which shots, and how far apart; "" where there are none."""
    times = np.array([impact.time_s for impact in picture.impacts if impact.cue == cue])
    if not len(times):
        return ""
    shots = sorted({int(np.searchsorted([shot.end_s for shot in picture.shots], time, "right")) for time in times})
    text = f"the {counted(len(times), *CUE_WORDS[cue])} seen in {shots_named(shots)}"
    return text + (f", {np.median(np.diff(times)):.2f} s apart on median" if len(times) > 2 else "")


def _aesthetic(sounds: Sequence[ProposedSound], listening: Listening) -> Iterable[str]:
    front = [sound for sound in sounds if sound.bus != "backgrounds"]
    behind = [sound for sound in sounds if sound.bus == "backgrounds"]
    if front:
        loudest = max(front, key=lambda sound: sound.level_db)
        yield f"{loudest.label.capitalize()} leads at {loudest.level_db:.0f} dBFS: {loudest.prompt}."
    for sound in [sound for sound in front if sound.placeholder]:
        yield f"The synthesised {sound.label} is a placeholder: a recording or a generator that reads does it better."
    if behind:
        yield f"Behind it {_lies(behind)}, so that pauses do not fall into silence."
    if listening.has_sound:
        level = "" if listening.loudness_lufs is None else f" at {listening.loudness_lufs:.0f} LUFS"
        yield f"The clip has sound of its own{level}; effects give way where somebody speaks in it."


def _lies(beds: Sequence[ProposedSound]) -> str:
    named = listed([f"{bed.label} at {bed.level_db:.0f} dBFS" for bed in beds])
    return f"{'lies' if len(beds) == 1 else 'lie'} {named}"


def _spatial(sounds: Sequence[ProposedSound], picture: Picture) -> Iterable[str]:
    if impacts := picture.impacts:
        strengths = [impact.strength + 1e-6 for impact in impacts]
        x = float(np.average([impact.x for impact in impacts], weights=strengths))
        yield f"What hits lies {_side(x)} of the picture; each sound is panned to where it is seen."
    elif len(picture.motion.x):
        yield f"What moves lies {_side(float(np.mean(picture.motion.x)))} of the picture."
    if front := [f"{sound.label} {sound.distance_m:g} m" for sound in sounds if sound.bus != "backgrounds"]:
        yield f"Distances: {listed(front)}."
    if any(sound.kind == "bed" for sound in sounds):
        yield "Backgrounds are wide and not panned."


def _side(x: float) -> str:
    if abs(x - 0.5) <= SIDE:
        return "in the middle"
    return "on the left" if x < 0.5 else "on the right"


def _joined(sentences: Iterable[str]) -> str:
    return " ".join(sentences)
