"""Lines of JSON, one object each, of what the service and its jobs do; no token, and no prompt unless that is asked."""

from __future__ import annotations

import json
import logging
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from logging.handlers import WatchedFileHandler
from pathlib import Path
from typing import Any

from foley.media.atomic import unwritable
from foley.service.messages import Problem

Say = Callable[[str], None]

NAME = "foley.service"

HIDDEN = "[prompt]"
SHORTEST_HIDDEN = 4
"""Characters of a prompt that is looked for: what is shorter stands in other words too."""


@dataclass(frozen=True, slots=True)
class Logging:
    """Where lines of JSON go; nowhere, as it is made."""

    on_stderr: bool = False
    """In place of the sentences for people."""
    file: Path | None = None
    """Appended to; opened anew when it is moved away, as logrotate does."""
    with_prompts: bool = False


class JsonLine(logging.Formatter):
    """Formats a record as one line of JSON."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line, without its end."""
        at = datetime.fromtimestamp(record.created, UTC)
        told: dict[str, Any] = {
            "time": at.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "level": record.levelname.lower(),
            "event": getattr(record, "event", "said"),
            "logger": record.name,
            "message": record.getMessage(),
        }
        told |= getattr(record, "about", {})
        if record.exc_info:
            told["traceback"] = self.formatException(record.exc_info)
        return json.dumps(told, ensure_ascii=False, default=str)


class Log:
    """What is told of the service: to people in sentences, to programs in lines."""

    def __init__(self, say: Say, *, with_prompts: bool = False) -> None:
        self._say, self._with_prompts = say, with_prompts
        self._logger = logging.getLogger(NAME)

    def say(self, text: str) -> None:
        """Tell what people should know."""
        self._say(text)

    def event(self, event: str, text: str, *, level: int = logging.INFO, **about: Any) -> None:
        """Tell programs what happened; what is None is left out."""
        known = {name: value for name, value in about.items() if value is not None}
        self._logger.log(level, "%s", text, extra={"event": event, "about": known})

    def prompt(self, text: str) -> str | None:
        """Return a prompt where it may be told."""
        return text if self._with_prompts else None

    def reason(self, problem: Problem, prompt: str) -> str:
        """Return why a job failed, without the prompt where that may not be told."""
        if self._with_prompts or len(prompt) < SHORTEST_HIDDEN:
            return problem.message
        return problem.message.replace(prompt, HIDDEN)


@contextmanager
def opened(how: Logging, say: Say) -> Iterator[Log]:
    """Give the log; all that this process logs goes where it goes while the block lasts.

    Raises:
        OutputError: where the file cannot be written to.
    """
    handlers = [*_handlers(how)]
    root, own = logging.getLogger(), logging.getLogger(NAME)
    level = own.level
    for handler in handlers:
        handler.setFormatter(JsonLine())
        root.addHandler(handler)
    own.setLevel(logging.INFO if handlers else logging.CRITICAL)  # nobody listens: no line is put together
    logging.captureWarnings(bool(handlers))
    try:
        yield Log(_telling(say, how, own, heard=bool(handlers)), with_prompts=how.with_prompts)
    finally:
        logging.captureWarnings(capture=False)
        own.setLevel(level)
        for handler in handlers:
            root.removeHandler(handler)
            handler.close()


def _handlers(how: Logging) -> Iterator[logging.Handler]:
    if how.on_stderr:
        yield logging.StreamHandler(sys.stderr)
    if how.file is not None:
        try:
            how.file.parent.mkdir(parents=True, exist_ok=True)
            yield WatchedFileHandler(how.file, encoding="utf-8")
        except OSError as cause:
            raise unwritable(how.file, cause) from cause


def _telling(say: Say, how: Logging, own: logging.Logger, *, heard: bool) -> Say:
    def tell(text: str) -> None:
        if heard:
            own.info("%s", text)
        if not how.on_stderr:
            say(text)

    return tell
