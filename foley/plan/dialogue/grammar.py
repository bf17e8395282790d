"""Hold a text to a shape while it is being written, character by character: what is accepted so far can be ended.

The grammar of a shape is a pushdown automaton that never needs to look ahead: its state is a linked stack of what is
still to come, never changed, so that any earlier state can be gone back to. Text is printable ASCII, so that no token
can hold half a character. A blank may stand after a colon or comma, where models are used to write one.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

from foley.plan.dialogue.shapes import NAME_SIGNS, Choice, Listed, Number, Record, Shape, Text

DECIMALS = 3
"""Of a number: a millisecond is finer than any model sees."""


@dataclass(frozen=True, slots=True)
class _Literal:
    text: str


@dataclass(frozen=True, slots=True)
class _Blank:
    pass


@dataclass(frozen=True, slots=True)
class _InText:
    left: int
    name: bool
    begun: bool = False


@dataclass(frozen=True, slots=True)
class _InChoice:
    rests: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _InNumber:
    shape: Number
    text: str


@dataclass(frozen=True, slots=True)
class _InList:
    shape: Listed
    items: int


_Part = Shape | _Literal | _Blank | _InText | _InChoice | _InNumber | _InList

State = tuple[_Part, "State"] | None
"""What is still to come, the next first; None where the text is whole."""

Moved = State | Literal[False]
"""The state after a character; False where it does not fit."""

_END = object()
"""Answer of a part that it ended before the character, which belongs to the next."""


def start(shape: Shape) -> State:
    """Return the state before the first character."""
    return (shape, None)


def follow(state: State, text: str) -> Moved:
    """Return the state after more characters, False where they do not fit."""
    for character in text:
        moved = _step(state, character)
        if moved is False:
            return False
        state = moved
    return state


def whole_items(text: str, shape: Shape) -> str | None:
    """Return a text that broke off, ended after the last entry of a list that is whole; None where there is none.

    Nothing is made up: only brackets are added, so that what a model did not say is not said for it.
    """
    states: list[State] = [start(shape)]
    for character in text:
        moved = _step(states[-1], character)
        assert moved is not False, "the text was held to the shape"
        states.append(moved)
    for end in range(len(text), 0, -1):
        closing = _closing(states[end])
        if closing is not None and text[end - 1] in '}]"':
            return text[:end] + closing
    return None


def _closing(state: State) -> str | None:
    """Return the brackets that end a text here, None where it needs more than brackets."""
    closing = ""
    while state is not None:
        part, state = state
        if isinstance(part, _InList) and part.items >= part.shape.least:
            closing += "]"
        elif isinstance(part, _Literal) and not part.text.strip("}"):
            closing += part.text
        elif not isinstance(part, _Blank):
            return None
    return closing


def _step(state: State, character: str) -> Moved:
    while state is not None:
        part, rest = state
        moved = _moved(part, rest, character)
        if moved is not _END:
            return moved  # type: ignore[return-value]
        state = rest
    return False


def _moved(part: _Part, rest: State, character: str) -> object:
    """Return the state after a character, False where it does not fit, `_END` where the part ended before it."""
    match part:
        case Text() | Choice() | Number():
            return _begun(part, rest, character)
        case Record() | Listed() | _InList():
            return _in_group(part, rest, character)
        case _Literal(text):
            return _after_literal(text, rest, character)
        case _Blank():
            return rest if character == " " else _END
        case _InText():
            return _in_text(part, rest, character)
        case _InChoice(rests):
            return _in_choice(rests, rest, character)
        case _InNumber(shape, text):
            return _in_number(shape, text, rest, character=character)


def _begun(part: Text | Choice | Number, rest: State, character: str) -> object:
    """Return the state after the first character of a value."""
    match part:
        case Text(most, name):
            return (_InText(most, name), rest) if character == '"' else False
        case Choice():
            return _in_choice(_options(part), rest, character)
        case Number():
            return _in_number(part, "", rest, character=character)


def _in_group(part: Record | Listed | _InList, rest: State, character: str) -> object:
    """Return the state after a character of an object or a list."""
    match part:
        case Record():
            return _after_literal(_opened(part)[0].text, _stacked(part, rest), character)
        case Listed():
            return (_InList(part, 0), rest) if character == "[" else False
        case _InList(shape, items):
            return _in_list(shape, items, rest, character=character)


def _after_literal(text: str, rest: State, character: str) -> Moved:
    if character != text[0]:
        return False
    return (_Literal(text[1:]), rest) if len(text) > 1 else rest


def _in_text(part: _InText, rest: State, character: str) -> Moved:
    if character == '"':
        return rest if part.begun or not part.name else False
    fits = part.left > 0 and " " <= character <= "~" and character != "\\"
    if part.name:
        fits = fits and (character.isalpha() or (part.begun and (character.isdigit() or character in NAME_SIGNS)))
    return (_InText(part.left - 1, part.name, True), rest) if fits else False


@lru_cache(maxsize=64)
def _options(shape: Choice) -> tuple[str, ...]:
    return tuple(json.dumps(option) for option in shape.options)


def _in_choice(rests: Sequence[str], rest: State, character: str) -> object:
    fitting = tuple(text[1:] for text in rests if text[:1] == character)
    if fitting:
        return rest if fitting == ("",) else (_InChoice(fitting), rest)
    return _END if "" in rests else False


def _in_number(shape: Number, text: str, rest: State, *, character: str) -> object:
    longer = text + character
    if character in "0123456789." and _may_become(longer, shape):
        return (_InNumber(shape, longer), rest)
    ended = text[-1:].isdigit() and shape.least <= float(text)
    return _END if ended else False


def _may_become(text: str, shape: Number) -> bool:
    """Return whether a text begins a number that JSON allows and that lies within its bounds."""
    whole, point, decimals = text.partition(".")
    if not whole.isdigit() or (len(whole) > 1 and whole[0] == "0") or len(decimals) > DECIMALS or "." in decimals:
        return False
    if float(text) > shape.most:
        return False
    if not point:
        # more digits or a point may follow: enough room above is left unless the number must grow past its most
        return _largest(whole, shape) >= shape.least
    return float(text + "9" * (DECIMALS - len(decimals))) >= shape.least


def _largest(whole: str, shape: Number) -> float:
    """Return the largest allowed number that begins with these digits."""
    more = 0
    while whole != "0" and float(whole + "0" * (more + 1)) <= shape.most:
        more += 1
    return min(float(f"{whole}{'9' * more}.{'9' * DECIMALS}"), shape.most)


def _in_list(shape: Listed, items: int, rest: State, *, character: str) -> object:
    if character == "]":
        return rest if items >= shape.least else False
    if items >= shape.most:
        return False
    more: State = (_InList(shape, items + 1), rest)
    if items == 0:
        return _step((shape.of, more), character)
    return (_Blank(), (shape.of, more)) if character == "," else False


def _opened(shape: Record) -> list[_Literal]:
    """Return what stands before each field's value, and at the end."""
    names = [f"{json.dumps(name)}:" for name, _ in shape.fields]
    return [_Literal("{" + names[0]), *(_Literal(name) for name in names[1:]), _Literal("}")]


def _stacked(shape: Record, rest: State) -> State:
    """Return what follows the opening of an object."""
    before = _opened(shape)
    state: State = (before[-1], rest)
    for number in range(len(shape.fields) - 1, -1, -1):
        state = (_Blank(), (shape.fields[number][1], state))
        if number:
            state = (_Literal(","), (_Blank(), (before[number], state)))
    return state
