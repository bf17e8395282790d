"""Ask a model for an answer of a shape, have it repaired where it has another, and keep every word."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

from foley.errors import PlannerError
from foley.model import Step
from foley.plan.dialogue.shapes import Shape

REPAIRS = 2
"""How often a faulty answer is given back: a model that does not mend it by then does not understand it."""

MORE_TIME = "give it longer, as --set propose.timeout_s=300"

LONGEST_ANSWER = 200_000
"""Characters; what is longer is no answer to any of the questions."""


class UnusableAnswerError(PlannerError):
    """A model answers, but not what it was asked."""


@dataclass(frozen=True, slots=True)
class Shown:
    """A frame that a model is shown."""

    time_s: float
    jpeg: bytes


@dataclass(frozen=True, slots=True)
class Message:
    """What one side says."""

    role: Literal["user", "assistant"]
    """Instructions are part of the first question: not every model's template has a place for them."""
    parts: tuple[str | Shown, ...]


class Chat(Protocol):
    """A model that can be asked, wherever it runs."""

    def answer(self, messages: Sequence[Message], shape: Shape) -> str:
        """Return what it says, as it came; held to the shape where it can be.

        Raises:
            PlannerError: where no answer comes.
        """
        ...


@dataclass(slots=True)
class Talk:
    """One conversation; what was asked and answered before is known in each further question."""

    planner: str
    """Who is blamed where no answer can be used."""
    chat: Chat
    steps: list[Step]
    """Where every answer is kept, word for word; talks of one plan share it."""
    said: list[Message] = field(default_factory=list)

    def ask(self, name: str, parts: Sequence[str | Shown], shape: Shape) -> dict[str, Any]:
        """Return the answer to a question, of the shape; of faulty answers only the mended one is remembered.

        Raises:
            UnusableAnswerError: where none has the shape after two repairs.
            PlannerError: where no answer comes.
        """
        asked = [*self.said, Message("user", tuple(parts))]
        trial, fault = list(asked), ""
        for repair in range(REPAIRS + 1):
            text = self.chat.answer(trial, shape)
            self.steps.append(Step(f"{name}, repair {repair}" if repair else name, text))
            try:
                found = parsed(text, shape)
            except ValueError as cause:
                fault = str(cause)
                trial = [*asked, Message("assistant", (text or "(nothing)",)), Message("user", (_repair(fault),))]
                continue
            self.said = [*asked, Message("assistant", (json.dumps(found),))]
            return found
        reason = f"no usable answer to the step {name!r} after {REPAIRS} repairs: {fault}"
        hint = "try a larger model, or use --planner rules, which asks nobody"
        raise UnusableAnswerError(self.planner, reason, hint=hint)


def parsed(text: str, shape: Shape) -> dict[str, Any]:
    """Return the last JSON object in a text that has the shape: thoughts and pleasantries around it are passed over.

    Raises:
        ValueError: where there is none, saying what is wrong with the one that is meant.
    """
    if len(text) > LONGEST_ANSWER:
        raise ValueError(f"the answer has {len(text)} characters; answer briefly, with one JSON object")
    fault = "the answer holds no JSON object that can be read"
    found: list[dict[str, Any]] = []
    size = 0
    for value, length in _objects(text):
        try:
            shape.check(value, "answer")
        except ValueError as cause:
            if length > size:  # the largest is the one that is meant
                fault, size = str(cause), length
            continue
        found.append(value)
    if not found:
        raise ValueError(fault)
    return found[-1]


def _objects(text: str) -> Iterator[tuple[dict[str, Any], int]]:
    """Yield the JSON objects that stand in a text, outermost only, with their length."""
    decoder = json.JSONDecoder()
    place = text.find("{")
    while place >= 0:
        try:
            value, end = decoder.raw_decode(text, place)
        except ValueError:  # prose in braces
            end = place + 1
        except RecursionError:  # nested without end: so is what stands inside
            return
        else:
            yield value, end - place
        place = text.find("{", end)


def _repair(fault: str) -> str:
    return (
        f"That answer cannot be used: {fault}. Answer the same question again, with one JSON object and nothing else."
    )
