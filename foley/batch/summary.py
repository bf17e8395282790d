"""What became of a batch: kept while it runs, written as `batch.json` and as one page."""

from __future__ import annotations

import dataclasses
import json
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from foley.batch import work
from foley.batch.items import NONE_DONE, NOT_BEGUN, SOME_FAILED, Batch, Item, Outcome, Problem
from foley.batch.quality import Check
from foley.deliver import outputs
from foley.version import __version__

__all__ = ["NONE_DONE", "SOME_FAILED", "Batch", "Summary", "item_record", "page_of", "record"]

SCHEMA = "foley.batch/1"

WRITE_S = 2.0
"""How often at most the summary is written while the batch runs."""

WRITE_SHARE = 0.02
"""Of the time that may go into that: with thousands of items it is large."""


class Summary:
    """The outcomes of a batch while it runs."""

    def __init__(self, items: Sequence[Item], to: Path | None, *, strict: bool) -> None:
        """Begin.

        Args:
            items: All of them.
            to: The file; None for none.
            strict: Whether what fails its quality check counts as failed.
        """
        self._items, self._to, self._strict = tuple(items), to, strict
        self._outcomes: dict[int, Outcome] = {}
        self._began_s = time.monotonic()
        self._next_s = self._began_s + WRITE_S

    def add(self, outcome: Outcome) -> None:
        """Take an outcome in; the file follows within seconds."""
        self._outcomes[outcome.number] = outcome
        began_s = time.monotonic()
        if self._to is not None and began_s > self._next_s:
            outputs.write_text(self._to, json.dumps(record(self.batch())))
            took_s = time.monotonic() - began_s
            self._next_s = began_s + max(WRITE_S, took_s / WRITE_SHARE)

    def is_good(self, outcome: Outcome) -> bool:
        """Return whether an outcome counts as done."""
        return Batch((), (), 0.0, self._strict).is_good(outcome)

    def batch(self) -> Batch:
        """Return what became of the batch so far; what has no outcome yet was not begun."""
        outcomes = tuple(self._outcomes.get(item.number) or _not_begun(item) for item in self._items)
        return Batch(self._items, outcomes, time.monotonic() - self._began_s, self._strict)

    def write(self) -> None:
        """Write the summary and its page."""
        if self._to is None:
            return
        from foley.batch import page  # jinja2

        batch = self.batch()
        outputs.write_text(self._to, json.dumps(record(batch), indent=2, ensure_ascii=False) + "\n")
        outputs.write_text(page_of(self._to), page.page(batch, self._to.parent))


def page_of(summary: Path) -> Path:
    """Return where the page of a summary lies."""
    return summary.with_suffix(".html")


def record(batch: Batch) -> dict[str, Any]:
    """Return the content of `batch.json`."""
    return {
        "schema": SCHEMA,
        "foley": __version__,
        "seconds": round(batch.seconds, 3),
        "exit_code": batch.exit_code,
        "counts": batch.counts(),
        "items": [item_record(item, outcome) for item, outcome in zip(batch.items, batch.outcomes, strict=True)],
    }


def item_record(item: Item, outcome: Outcome) -> dict[str, Any]:
    """Return one item and what became of it, for programs."""
    judged = outcome.quality
    return {
        "number": item.number,
        "row": item.row,
        "input": str(item.video),
        "output": outcome.video,
        "folder": outcome.folder,
        "prompt": item.brief.prompt,
        "state": outcome.state,
        "attempts": outcome.attempts,
        "seconds": round(outcome.seconds, 3),
        "memory_mb": outcome.memory_mb,
        "same_as": outcome.same_as or None,
        "verdict": judged.verdict if judged else None,
        "checks": [_check(check) for check in judged.checks] if judged else [],
        "stages": {one.stage: round(one.seconds, 4) for one in outcome.stages},
        "error": dataclasses.asdict(outcome.problem) if outcome.problem else None,
    }


def _check(check: Check) -> dict[str, Any]:
    return dataclasses.asdict(check)


def _not_begun(item: Item) -> Outcome:
    problem = Problem(NOT_BEGUN, "the batch ended before", "the same command goes on")
    return work.failed(item, problem, state="skipped")
