"""Ask a model behind an address: any service that speaks the chat completions of OpenAI, here or in a cloud."""

from __future__ import annotations

import base64
import json
import os
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from foley.errors import OptionError, PlannerError
from foley.plan.dialogue import post
from foley.plan.dialogue.shapes import Shape
from foley.plan.dialogue.talk import MORE_TIME, Message, Shown

ENDPOINT, KEY = "FOLEY_ENDPOINT", "FOLEY_API_KEY"
"""Variables of the environment; the key is read nowhere else, and written nowhere."""

MOST_TOKENS = 4096
"""Of an answer."""

TRIES = 4
BACK_OFF_S = 1.0
"""Before the second try; twice as long before each further one."""

MOST_WAIT_S = 60.0
"""A service that asks for a longer pause is given up: who runs the plan should know."""

BUSY = (408, 409, 425, 429, 500, 502, 503, 504)
"""Answers after which trying again may help."""

FORMATS = ("json_schema", "json_object", "")
"""How an answer's form can be asked for, the strictest first; not every service knows all."""


def endpoint_of(wanted: str) -> str:
    """Return the address that is wanted, or the environment's; "" where there is none."""
    return (wanted or os.environ.get(ENDPOINT, "")).strip()


def lacking(endpoint: str, model: str) -> tuple[str, ...]:
    """Return what must be set before a service can be asked, as instructions."""
    where = () if endpoint_of(endpoint) else (f"name the service's address with --endpoint or {ENDPOINT}",)
    return where + (() if model else ("name the service's model with --planner-model",))


def address(endpoint: str) -> str:
    """Return the address that questions go to.

    >>> address("http://localhost:8000/v1/")
    'http://localhost:8000/v1/chat/completions'

    Raises:
        OptionError: where it is no address of the web, or holds a password.
    """
    plain = endpoint_of(endpoint).rstrip("/")
    try:
        parts = urlsplit(plain)
        fits = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        fits = False
    if not fits:
        raise OptionError("the service's endpoint is no http address", hint="give one as http://localhost:8000/v1")
    if "@" in parts.netloc or parts.query:
        raise OptionError("the service's endpoint must hold no password or key", hint=f"put the key into {KEY}")
    return plain if plain.endswith("/chat/completions") else f"{plain}/chat/completions"


@dataclass(slots=True)
class ServiceChat:
    """A model that is asked over HTTP."""

    planner: str
    endpoint: str
    model: str
    timeout_s: float = 120.0
    _format: int = field(default=0, init=False)
    """Place in `FORMATS` of what the service accepts, found by trying."""
    _settings: dict[str, Any] = field(
        default_factory=lambda: {"temperature": 0, "seed": 0, "max_tokens": MOST_TOKENS}, init=False
    )
    """What asks for the same answer to the same question; some services refuse some of it."""

    def answer(self, messages: Sequence[Message], shape: Shape) -> str:
        """Return what the service says.

        Raises:
            OptionError: where the endpoint is no address.
            PlannerError: where no answer comes.
        """
        said = [{"role": message.role, "content": _content(message)} for message in messages]
        while True:
            body = {"model": self.model, "messages": said, **self._settings, **self._asked_form(shape)}
            reply = self._patiently(body)
            if reply.status == 200:
                return self._text(reply.body)
            if reply.status not in (400, 422) or not self._gives_way(reply):
                raise self._refused(reply)

    def _patiently(self, body: dict[str, Any]) -> post.Reply:
        """Return the first reply that is not about being busy."""
        reason = ""
        for attempt in range(TRIES):
            reply, reason = self._tried(body)
            if reply and reply.status not in BUSY:
                return reply
            asked_s = reply.retry_after_s if reply else None
            wait_s = BACK_OFF_S * 2**attempt if asked_s is None else asked_s
            if wait_s > MOST_WAIT_S:
                raise self._failed(f"{reason}; it asks to wait {wait_s:.0f} s")
            if attempt + 1 < TRIES:
                time.sleep(wait_s)
        raise self._failed(f"{reason}; given up after {TRIES} tries")

    def _tried(self, body: dict[str, Any]) -> tuple[post.Reply | None, str]:
        """Return the reply to one try, None where the service cannot be reached, and what is wrong with it."""
        url, key = address(self.endpoint), _key()
        if not (key.isascii() and key.isprintable()):
            raise self._failed(f"what {KEY} holds is no key")
        try:
            reply = post.posted(url, body, key=key, timeout_s=self.timeout_s)
        except post.TooSlowError as cause:
            raise self._failed(f"no answer from {url} within {self.timeout_s:g} s", hint=MORE_TIME) from cause
        except post.UnreachableError as cause:
            return None, f"{url} cannot be reached: {cause}"
        return reply, self._told(reply)

    def _asked_form(self, shape: Shape) -> dict[str, Any]:
        form = FORMATS[self._format]
        if form == "json_schema":
            schema = {"name": "answer", "strict": True, "schema": shape.schema()}
            return {"response_format": {"type": form, "json_schema": schema}}
        return {"response_format": {"type": form}} if form else {}

    def _gives_way(self, reply: post.Reply) -> bool:
        """Leave out what the service does not accept; return whether there was anything left to leave out."""
        told = reply.text.lower()
        named = next((name for name in self._settings if name in told), None)
        if named:
            value = self._settings.pop(named)
            if named == "max_tokens":  # its newer name
                self._settings["max_completion_tokens"] = value
            return True
        self._format += 1
        return self._format < len(FORMATS)

    def _text(self, body: bytes) -> str:
        """Return what the model says in a reply."""
        try:
            content = json.loads(body)["choices"][0]["message"]["content"]
        except (ValueError, KeyError, IndexError, TypeError, RecursionError) as cause:
            raise self._failed(f"{address(self.endpoint)} answers, but not with a chat completion") from cause
        if isinstance(content, list):  # some send parts
            content = "".join(str(part.get("text", "")) for part in content if isinstance(part, dict))
        return content if isinstance(content, str) else ""

    def _refused(self, reply: post.Reply) -> PlannerError:
        hints = {
            401: f"put a valid key into {KEY}",
            403: f"put a valid key into {KEY}",
            404: "check --endpoint and --planner-model",
        }
        return self._failed(self._told(reply), hint=hints.get(reply.status, ""))

    def _told(self, reply: post.Reply) -> str:
        text = f": {reply.text}" if reply.text else ""
        return f"{address(self.endpoint)} answers {reply.status}{text}"

    def _failed(self, reason: str, *, hint: str = "") -> PlannerError:
        """Return the error, from which the key is struck out should the service have repeated it."""
        plain = reason.replace(_key(), "***") if _key() else reason
        return PlannerError(self.planner, plain, hint=hint or "check the service, or use --planner rules")


def _key() -> str:
    return os.environ.get(KEY, "").strip()


def _content(message: Message) -> str | list[dict[str, Any]]:
    """Return a message's parts; as plain text where there are no pictures: some services take nothing else."""
    if all(isinstance(part, str) for part in message.parts):
        return "".join(part for part in message.parts if isinstance(part, str))
    return [_part(part) for part in message.parts]


def _part(part: str | Shown) -> dict[str, Any]:
    if isinstance(part, str):
        return {"type": "text", "text": part}
    coded = base64.b64encode(part.jpeg).decode("ascii")
    return {"type": "image_url", "image_url": {"url": f"data:image/jpeg;base64,{coded}"}}
