"""Ask a service over HTTP: in bounded time and size, patiently where it is busy; nothing is followed elsewhere."""

from __future__ import annotations

import email.utils
import http.client
import json
import threading
import time
import urllib.request
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from types import TracebackType
from typing import Any
from urllib.parse import urlsplit

LARGEST_BYTES = 8 << 20
"""Of a reply: a thousand times what an answer in words needs, half a minute of stereo as whole numbers."""

TOLD_CHARACTERS = 300
"""Of a refusal, for a message to a person."""

BUSY = (408, 409, 425, 429, 500, 502, 503, 504)
"""Answers after which trying again may help."""


class RemoteError(Exception):
    """No reply that can be used; the text says why."""


class UnreachableError(RemoteError):
    """No reply: the name is not known, nobody listens, or the connection broke."""


class TooSlowError(RemoteError):
    """No whole reply in time."""


class BusyError(RemoteError):
    """The service has asked for patience once too often, or for too much of it."""


@dataclass(frozen=True, slots=True)
class Reply:
    """What came back."""

    status: int
    body: bytes
    retry_after_s: float | None = None
    """How long the service asks to wait."""
    headers: Mapping[str, str] = field(default_factory=dict)
    """By name in small letters."""

    @property
    def text(self) -> str:
        """Return what it says of an error, on one line."""
        try:
            text = _complaint(json.loads(self.body))
        except (ValueError, RecursionError):
            text = self.body.decode("utf-8", "replace")
        return " ".join(str(text).split())[:TOLD_CHARACTERS]


@dataclass(frozen=True, slots=True)
class Patience:
    """How long a service that is busy is asked again."""

    tries: int = 4
    back_off_s: float = 1.0
    """Before the second try; twice as long before each further one, unless the service says how long."""
    most_wait_s: float = 60.0
    """A service that asks for a longer pause is given up: who waits for the result should know."""
    time_limit_s: float = 600.0
    """For all tries together."""


class _AnyStatus(urllib.request.HTTPErrorProcessor):
    """Takes every status as a reply; so no redirection is followed either: the key is meant for one host only."""

    def http_response(self, request: Any, response: Any) -> Any:
        """Return the response as it is."""
        return response

    https_response = http_response


class Gate:
    """Lets only so many threads through at once, and none sooner than a while after the one before."""

    def __init__(self, at_once: int, apart_s: float) -> None:
        self._places = threading.BoundedSemaphore(at_once)
        self._apart_s = apart_s
        self._lock = threading.Lock()
        self._next_s = 0.0

    def __enter__(self) -> None:
        self._places.acquire()
        with self._lock:
            now_s = time.monotonic()
            wait_s = max(0.0, self._next_s - now_s)
            self._next_s = now_s + wait_s + self._apart_s
        time.sleep(wait_s)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._places.release()


def web_address(text: str) -> str:
    """Return an address of the web without the slash at its end.

    >>> web_address(" http://localhost:8000/v1/ ")
    'http://localhost:8000/v1'

    Raises:
        ValueError: where it is none, or holds a password or a query; the text says which, and never repeats it.
    """
    plain = text.strip().rstrip("/")
    try:
        parts = urlsplit(plain)
        fits = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        fits = False
    if not fits:
        raise ValueError("is no http address")
    if "@" in parts.netloc or parts.query:
        raise ValueError("must hold no password or key")
    return plain


def posted(
    url: str, body: dict[str, Any], *, headers: Mapping[str, str], timeout_s: float, largest_bytes: int = LARGEST_BYTES
) -> Reply:
    """Return the reply to a JSON body, whatever its status.

    Args:
        url: Checked to be http or https.
        body: What is sent.
        headers: Sent with it, besides the type of the content.
        timeout_s: For the whole reply.
        largest_bytes: A longer reply is none.

    Raises:
        UnreachableError: where there is none.
        TooSlowError: where it does not come in time.
    """
    headers = {"Content-Type": "application/json", **headers}
    # the address was checked to be http or https
    request = urllib.request.Request(url, json.dumps(body).encode("utf-8"), headers, method="POST")  # noqa: S310
    deadline_s = time.monotonic() + timeout_s
    too_slow = f"gives no answer within {timeout_s:.3g} s"
    try:
        with urllib.request.build_opener(_AnyStatus).open(request, timeout=timeout_s) as response:
            told = {name.lower(): value for name, value in response.headers.items()}
            content = _read(response, deadline_s, largest_bytes)
            return Reply(response.status, content, retry_after_s(told.get("retry-after")), told)
    except TimeoutError as cause:
        raise TooSlowError(too_slow) from cause
    except (OSError, http.client.HTTPException) as cause:
        if isinstance(getattr(cause, "reason", None), TimeoutError):
            raise TooSlowError(too_slow) from cause
        reason = str(getattr(cause, "reason", None) or cause) or type(cause).__name__
        raise UnreachableError(reason) from cause


def patiently(ask: Callable[[float], Reply], patience: Patience) -> Reply:
    """Return the first reply that is not about being busy.

    Args:
        ask: Tries once, in the seconds that it is given.
        patience: How often and how long.

    Raises:
        BusyError: where there is none after all tries, or the service asks for too long a pause.
        TooSlowError: where a try takes too long; it is not repeated, for it may have been paid for.
    """
    deadline_s = time.monotonic() + patience.time_limit_s
    reason = ""
    for attempt in range(patience.tries):
        reply, reason = _tried(ask, deadline_s - time.monotonic())
        if reply is not None and reply.status not in BUSY:
            return reply
        asked_s = reply.retry_after_s if reply else None
        wait_s = patience.back_off_s * 2**attempt if asked_s is None else asked_s
        if attempt + 1 == patience.tries:
            break
        if wait_s > min(patience.most_wait_s, deadline_s - time.monotonic()):
            raise BusyError(f"{reason}; the next try would be {wait_s:.3g} s away")
        time.sleep(wait_s)
    raise BusyError(f"{reason}; given up after {patience.tries} tries")


def retry_after_s(text: str | None) -> float | None:
    """Return how long to wait, told in seconds or as a date (RFC 9110, 10.2.3).

    >>> retry_after_s("1.5"), retry_after_s("soon")
    (1.5, None)
    """
    if not text:
        return None
    try:
        return max(0.0, float(text))
    except ValueError:
        pass
    try:
        until = email.utils.parsedate_to_datetime(text)
    except ValueError:
        return None
    return max(0.0, (until.astimezone(UTC) - datetime.now(UTC)).total_seconds())


def _tried(ask: Callable[[float], Reply], left_s: float) -> tuple[Reply | None, str]:
    """Return the reply to one try, None where the service cannot be reached, and what is wrong with it."""
    try:
        reply = ask(max(left_s, 0.001))  # 0 would mean not to wait at all
    except UnreachableError as cause:
        return None, f"cannot be reached: {cause}"
    return reply, f"answers {reply.status}" + (f": {reply.text}" if reply.text else "")


def _complaint(value: Any) -> Any:
    """Return what a service's JSON says of an error: OpenAI's kind calls it error, FastAPI's detail."""
    for name in ("error", "detail"):
        value = value.get(name, value) if isinstance(value, dict) else value
    if isinstance(value, list):  # of faults in the request, the first tells enough
        value = value[0] if value else ""
    if isinstance(value, dict):
        return value.get("message") or value.get("msg") or value
    return value


def _read(response: Any, deadline_s: float, largest_bytes: int) -> bytes:
    """Return the body; one that trickles in for ever ends at the deadline.

    Raises:
        TimeoutError: where the time is over.
        UnreachableError: where it breaks off, or is too large to be an answer.
    """
    parts: list[bytes] = []
    size = 0
    while part := response.read1(1 << 16):
        parts.append(part)
        size += len(part)
        if time.monotonic() > deadline_s:
            raise TimeoutError
        if size > largest_bytes:
            raise UnreachableError(f"it sends more than {largest_bytes >> 20} MB")
    if response.length:  # what was promised and did not come
        raise UnreachableError("the connection broke off")
    return b"".join(parts)
