"""Read prompts with times in them: "0:03 door slams; from 0:05 to 0:08 footsteps on gravel"."""

from __future__ import annotations

import re
from dataclasses import replace

from foley.errors import PlanError
from foley.model import Hint
from foley.units import clock, parse_clock

_SECONDS = r"\d+(?:\.\d+)?"
_TIME = rf"(?:\d{{1,2}}(?::\d{{2}}){{1,2}}(?:[.,]\d+)?|{_SECONDS}\s*(?:seconds|second|secs|sec|s)\b)"
_DASHES = "-\u2013\u2014"
_SPAN = rf"(?:{_TIME}|{_SECONDS})\s*(?:[{_DASHES}]|\bto\b|\buntil\b|\btill\b)\s*{_TIME}"
_LEAD = r"(?:\b(?:at|from|around|about|@)\s*)?"
# "3 seconds of rain" and "a 3 s long creak" say how long, not when; after "at" a point is enough: "at 3.5"
_NO_LENGTH = r"(?!\s*(?:of|long|later|apart)\b)"
_WHEN = re.compile(
    rf"{_LEAD}(?<![\w:.])(?:(?P<span>{_SPAN})|(?P<at>{_TIME})|(?<=at )(?P<plain>\d+\.\d+)){_NO_LENGTH}", re.IGNORECASE
)
_BETWEEN = re.compile(rf"\bbetween\s+({_TIME}|{_SECONDS})\s+and\s+({_TIME})", re.IGNORECASE)
_NEXT = re.compile(rf"(?:\s*(?:,|\band\b|\bthen\b))+\s*(?={_LEAD}(?:{_SPAN}|{_TIME}){_NO_LENGTH})", re.IGNORECASE)
_SEPARATOR = re.compile(r"[;\n]+|(?<=[a-z0-9])\.\s+")
_FRAMES = re.compile(r"\b\d{1,2}:\d{2}:\d{2}[:;]\d{2}\b")
"""Time code: which instant it means only the edit's frame rate and start tell."""
_MARKS = " \t,:.[]()" + _DASHES


def prompt_hints(prompt: str) -> list[Hint]:
    """Return the parts of a prompt, timed or not, in its order; of those without a time only their order tells when.

    >>> [(hint.text, hint.start_s, hint.end_s) for hint in prompt_hints("rain; 0:03 door slams, at 5 s a dog barks")]
    [('rain', None, None), ('door slams', 3.0, None), ('a dog barks', 5.0, None)]

    Raises:
        PlanError: where a part ends before it starts, has a time but no sound, or a time counts frames.
    """
    if counted := _FRAMES.search(prompt):
        raise PlanError(f"the prompt's {counted[0]!r} counts frames; write seconds or clock time (1:02:03.5)")
    parts = _SEPARATOR.split(_NEXT.sub(";", _BETWEEN.sub(r"from \1 to \2", prompt)))
    found = [hint for part in parts if part.strip(_MARKS) for hint in _hints(part)]
    for place, hint in enumerate(found):
        # a time alone repeats the sound before it ("a bell at 3 s and at 5 s"), or shares the next ("0:01, 0:02 knock")
        text = hint.text or next((other.text for other in [*found[:place][::-1], *found[place:]] if other.text), "")
        if not text:
            raise PlanError(f"the prompt {prompt.strip()!r} says when but not what is heard")
        found[place] = replace(hint, text=text)
    return _told_together(found)


def _told_together(hints: list[Hint]) -> list[Hint]:
    """Return the hints, those without a time that follow each other as one: "then" is said of the one before."""
    told: list[Hint] = []
    for hint in hints:
        if told and told[-1].start_s is None and hint.start_s is None:
            told[-1] = replace(hint, text=f"{told[-1].text}; {hint.text}")
        else:
            told.append(hint)
    return told


def _hints(part: str) -> list[Hint]:
    """Return one part as hints; the text of one is empty where it holds a time only."""
    when = _WHEN.search(part)
    if when is None or not _says_when(part, when):
        return [Hint(_plain(part), None, None, "prompt")]
    before, after = _plain(part[: when.start()]), part[when.end() :]
    if before and after.startswith(","):
        return [_timed(before, when), Hint(_plain(after), None, None, "prompt")]
    return [_timed(f"{before} {_plain(after)}".strip(), when)]


def _timed(text: str, when: re.Match[str]) -> Hint:
    if when["span"] is None:
        return Hint(text, _seconds(when["at"] or when["plain"]), None, "timed prompt")
    start_s, end_s = (
        _seconds(time) for time in re.split(rf"\s*(?:[{_DASHES}]|\b(?:to|until|till)\b)\s*", when["span"])
    )
    if end_s < start_s:
        raise PlanError(f"the prompt's {when['span']!r} ends at {clock(end_s)}, before it starts")
    return Hint(text, start_s, end_s, "timed prompt")


def _says_when(part: str, when: re.Match[str]) -> bool:
    """Return whether a time is one: on a clock, a span, after "at", or where the part begins."""
    if when["span"] is not None or ":" in when.group():
        return True
    return not when.group()[0].isdigit() or not part[: when.start()].strip(_MARKS)


def _plain(text: str) -> str:
    return " ".join(text.split()).strip(_MARKS)


def _seconds(text: str) -> float:
    return parse_clock(re.sub(r"[a-z\s]+$", "", text, flags=re.IGNORECASE))
