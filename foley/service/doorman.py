"""Who is let in: the right host, origin and token, in time, with no more than is taken.

A page in a browser can reach a service on this machine: by a form or script of another origin, or by a name of its own
that it points here (DNS rebinding). So the host must be one that this service goes by, an origin must be allowed, and
nothing is done without the token, which no browser sends by itself.
"""

from __future__ import annotations

import asyncio
import hmac
import time
import traceback
from collections.abc import Awaitable, Callable, MutableMapping
from dataclasses import dataclass
from typing import Any

from foley.service.refusals import RefusedError, answer

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[MutableMapping[str, Any], Receive, Send], Awaitable[None]]

OPEN_PATHS = ("/healthz", "/readyz", "/openapi.json")
"""That tell nothing of anybody's work."""

UPLOAD_PATH = "/v1/uploads"

MOST_BODY_BYTES = 2 << 20
"""Of a request that is no upload: the longest prompt in the widest characters fits."""

BODY_S = 20.0
"""For a body to come, besides the time that its length takes."""

SLOWEST_BYTES_S = 16_384.0
"""A body that comes slower is not waited for; 100 times less than the slowest disk or network share."""

SEND_S = 60.0
"""For a client to take the next piece of an answer."""

METHODS = "GET, POST, DELETE"
HEADERS = "authorization, content-type, last-event-id, range"


@dataclass(frozen=True, slots=True)
class Door:
    """Whom to let in."""

    token: str
    hosts: frozenset[str]
    """Names and addresses, without port, in lower case, that the service goes by."""
    origins: frozenset[str] = frozenset()
    """From which a browser's pages may call."""
    open_paths: tuple[str, ...] = OPEN_PATHS
    """For which no token is needed."""
    debug: bool = False
    """Say on standard error where unforeseen errors come from."""


class Doorman:
    """Stands before the application."""

    def __init__(self, app: App, door: Door, say: Callable[[str], None]) -> None:
        self.app, self.door, self.say = app, door, say

    async def __call__(self, scope: MutableMapping[str, Any], receive: Receive, send: Send) -> None:
        """Let a request in, or answer it here."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        visit = _Visit(scope, receive, send, self.door)
        try:
            self._check(visit)
            if visit.is_preflight:
                await visit.permit()
            else:
                await self.app(scope, visit.receive, visit.send)
        except RefusedError as error:
            await visit.refuse(error)
        except asyncio.CancelledError:
            raise
        except Exception as fault:  # noqa: BLE001 - the last door: nobody is sent a traceback
            if not visit.is_gone:
                if self.door.debug:
                    traceback.print_exception(fault)
                self.say(f"{scope['method']} {scope['path']}: {type(fault).__name__}: {fault}")
                await visit.refuse(fault)

    def _check(self, visit: _Visit) -> None:
        """Refuse who may not come in.

        Raises:
            RefusedError: saying why.
        """
        host = _name_of(visit.header(b"host"))
        if host not in self.door.hosts:
            hint = "add --allow-host NAME when the service is reached by another name"
            raise RefusedError(421, "WrongHost", f"this service is not called {host!r}", hint=hint)
        origin = visit.header(b"origin")
        if origin and origin not in self.door.origins:
            hint = f"start the service with --allow-origin {origin}"
            raise RefusedError(403, "OriginRefused", f"pages of {origin} may not call this service", hint=hint)
        if visit.is_preflight or visit.path in self.door.open_paths:
            return
        scheme, _, given = visit.header(b"authorization").partition(" ")
        if scheme.lower() != "bearer" or not hmac.compare_digest(given.strip().encode(), self.door.token.encode()):
            hint = "send the header: Authorization: Bearer TOKEN; the service says at its start where the token lies"
            raise RefusedError(401, "Unauthorised", "the token is missing or wrong", hint=hint)
        if visit.path != UPLOAD_PATH and visit.announced_bytes > MOST_BODY_BYTES:
            raise _too_large()


class _Visit:
    """One request: what came of it, what was answered, and how long either took."""

    def __init__(self, scope: MutableMapping[str, Any], receive: Receive, send: Send, door: Door) -> None:
        self._scope, self._receive, self._send, self._door = scope, receive, send, door
        self._headers: dict[bytes, bytes] = dict(scope["headers"])
        self.path: str = scope["path"]
        self.is_preflight = (
            scope["method"] == "OPTIONS"
            and b"origin" in self._headers
            and b"access-control-request-method" in self._headers
        )
        self.is_gone = False
        """Whether the client has hung up, or was hung up on."""
        self._since_s = time.monotonic()
        self._received_bytes, self._whole, self._answered = 0, False, False

    def header(self, name: bytes) -> str:
        """Return a header; empty where it is not there."""
        return self._headers.get(name, b"").decode("latin-1")

    @property
    def announced_bytes(self) -> int:
        """Return how long the body is said to be."""
        length = self.header(b"content-length")
        return int(length) if length.isdecimal() else 0

    async def receive(self) -> Message:
        """Return what comes next, in time.

        Raises:
            RefusedError: where the body is too long or too slow.
        """
        if self._whole:  # what comes now is that the client hangs up; that may take as long as the answer
            return await self._receive()
        left_s = self._since_s + BODY_S + self._received_bytes / SLOWEST_BYTES_S - time.monotonic()
        try:
            message = await asyncio.wait_for(self._receive(), max(0.0, left_s))
        except TimeoutError as cause:
            raise RefusedError(408, "TooSlow", "the request did not come in time", hint="send it again") from cause
        self.is_gone |= message["type"] == "http.disconnect"
        self._whole = not message.get("more_body", False)
        self._received_bytes += len(message.get("body", b""))
        if self._received_bytes > MOST_BODY_BYTES and self.path != UPLOAD_PATH:
            raise _too_large()
        return message

    async def send(self, message: Message) -> None:
        """Send what comes next; hang up on who does not take it in time."""
        if message["type"] == "http.response.start":
            self._answered = True
            message["headers"] = [*message.get("headers", ()), *self._more_headers()]
        try:
            await asyncio.wait_for(self._send(message), SEND_S)
        except TimeoutError as cause:
            self.is_gone = True
            raise ConnectionAbortedError("the client takes nothing") from cause

    async def permit(self) -> None:
        """Tell a browser that its page may call."""
        from starlette.responses import Response

        allowed = {"access-control-allow-methods": METHODS, "access-control-allow-headers": HEADERS}
        await Response(status_code=204, headers=allowed)(self._scope, self._receive, self.send)

    async def refuse(self, error: BaseException) -> None:
        """Answer with an error; where an answer has begun already, the server hangs up."""
        if not self._answered:
            await answer(error)(self._scope, self._receive, self.send)

    def _more_headers(self) -> list[tuple[bytes, bytes]]:
        origin, more = self.header(b"origin"), []
        if origin in self._door.origins:
            more += [(b"access-control-allow-origin", origin.encode("latin-1")), (b"vary", b"origin")]
        if self._scope["method"] == "POST" and not self._whole:  # nobody will read what is still on its way
            more.append((b"connection", b"close"))
        return more


def _too_large() -> RefusedError:
    hint = "clips are sent to /v1/uploads"
    return RefusedError(413, "TooLarge", f"a request may have {MOST_BODY_BYTES >> 20} MB", hint=hint)


def _name_of(host: str) -> str:
    """Return a host without its port.

    >>> _name_of("LocalHost:8723"), _name_of("[::1]:8723")
    ('localhost', '::1')
    """
    if host.startswith("["):
        return host[1:].partition("]")[0].lower()
    return host.partition(":")[0].lower()
