"""Send a question to a chat service, with its key, and take the reply."""

from __future__ import annotations

from typing import Any

from foley.media import remote
from foley.media.remote import Reply, TooSlowError, UnreachableError

__all__ = ["Reply", "TooSlowError", "UnreachableError", "posted"]


def posted(url: str, body: dict[str, Any], *, key: str, timeout_s: float) -> Reply:
    """Return the reply to a JSON body, whatever its status.

    Raises:
        UnreachableError: where there is none.
        TooSlowError: where it does not come in time.
    """
    headers = {"Accept": "application/json"} | ({"Authorization": f"Bearer {key}"} if key else {})
    return remote.posted(url, body, headers=headers, timeout_s=timeout_s)
