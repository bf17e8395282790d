"""Send a question over HTTP and take the reply, in bounded time and size; nothing is followed elsewhere."""

from __future__ import annotations

import email.utils
import http.client
import json
import time
import urllib.request
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

LARGEST_BYTES = 8 << 20
"""Of a reply: a thousand times what any answer needs."""

TOLD_CHARACTERS = 300
"""Of a refusal, for a message to a person."""


class UnreachableError(Exception):
    """No reply: the name is not known, nobody listens, or the connection broke."""


class TooSlowError(Exception):
    """No whole reply in time."""


@dataclass(frozen=True, slots=True)
class Reply:
    """What came back."""

    status: int
    body: bytes
    retry_after_s: float | None = None
    """How long the service asks to wait."""

    @property
    def text(self) -> str:
        """Return what it says of an error, on one line."""
        try:
            value = json.loads(self.body)
            error = value.get("error", value) if isinstance(value, dict) else value
            text = error.get("message", error) if isinstance(error, dict) else error
        except (ValueError, RecursionError):
            text = self.body.decode("utf-8", "replace")
        return " ".join(str(text).split())[:TOLD_CHARACTERS]


class _AnyStatus(urllib.request.HTTPErrorProcessor):
    """Takes every status as a reply; so no redirection is followed either: the key is meant for one host only."""

    def http_response(self, request: Any, response: Any) -> Any:
        """Return the response as it is."""
        return response

    https_response = http_response


def posted(url: str, body: dict[str, Any], *, key: str, timeout_s: float) -> Reply:
    """Return the reply to a JSON body, whatever its status.

    Raises:
        UnreachableError: where there is none.
        TooSlowError: where it does not come in time.
    """
    headers = {"Content-Type": "application/json", "Accept": "application/json"}
    if key:
        headers["Authorization"] = f"Bearer {key}"
    # the address was checked to be http or https
    request = urllib.request.Request(url, json.dumps(body).encode("utf-8"), headers, method="POST")  # noqa: S310
    deadline = time.monotonic() + timeout_s
    try:
        with urllib.request.build_opener(_AnyStatus).open(request, timeout=timeout_s) as response:
            retry_after_s = _retry_after_s(response.headers.get("Retry-After"))
            return Reply(response.status, _read(response, deadline), retry_after_s)
    except TimeoutError as cause:
        raise TooSlowError from cause
    except (OSError, http.client.HTTPException) as cause:
        if isinstance(getattr(cause, "reason", None), TimeoutError):
            raise TooSlowError from cause
        reason = str(getattr(cause, "reason", None) or cause) or type(cause).__name__
        raise UnreachableError(reason) from cause


def _read(response: Any, deadline: float) -> bytes:
    """Return the body; one that trickles in for ever ends at the deadline.

    Raises:
        TooSlowError: where the time is over.
        UnreachableError: where it breaks off, or is too large to be an answer.
    """
    parts: list[bytes] = []
    size = 0
    while part := response.read1(1 << 16):
        parts.append(part)
        size += len(part)
        if time.monotonic() > deadline:
            raise TooSlowError
        if size > LARGEST_BYTES:
            raise UnreachableError(f"it sends more than {LARGEST_BYTES >> 20} MB")
    if response.length:  # what was promised and did not come
        raise UnreachableError("the connection broke off")
    return b"".join(parts)


def _retry_after_s(text: str | None) -> float | None:
    """Return how long to wait, told in seconds or as a date (RFC 9110, 10.2.3).

    >>> _retry_after_s("1.5"), _retry_after_s("soon")
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
