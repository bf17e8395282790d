"""One page for a whole batch: what became of each clip, how it was judged, and the way to its own report."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any
from urllib.parse import quote

from foley.batch.items import Batch, Item, Outcome
from foley.batch.quality import Check
from foley.deliver.templates import template
from foley.units import clock

PAGE = Path(__file__).with_name("page.html.j2")

CHECKS = ("silence", "clipping", "true peak", "loudness", "sync", "drift", "leak", "missing events", "duration")
"""In the order of the columns."""

MOST_PICTURES = 3000
"""A thumbnail is 6 kB: more would make a page that no browser opens."""


def page(batch: Batch, folder: Path) -> str:
    """Return the page's HTML; it needs no network and no other file.

    Args:
        batch: What became of it.
        folder: Where the page will lie: clips are linked to as seen from there.
    """
    pairs = list(zip(batch.items, batch.outcomes, strict=True))
    rows = [
        _row(item, outcome, folder, pictured=place < MOST_PICTURES, good=batch.is_good(outcome))
        for place, (item, outcome) in enumerate(pairs)
    ]
    text = template(PAGE).render(
        rows=rows,
        columns=CHECKS,
        counts=batch.counts(),
        total=len(pairs),
        done=batch.done,
        took=clock(batch.seconds)[:-4],
        memory_mb=max((outcome.memory_mb for outcome in batch.outcomes), default=0),
        faults=_faults(batch),
    )
    return text.encode("utf-8", "replace").decode()  # names may hold what is no text


def _row(item: Item, outcome: Outcome, folder: Path, *, pictured: bool, good: bool) -> dict[str, Any]:
    judged = outcome.quality
    checks = {check.name: check for check in judged.checks} if judged else {}
    state = "fail" if not good else judged.verdict if judged else "pass"
    return {
        "number": item.number,
        "name": item.video.name,
        "where": item.row,
        "prompt": item.brief.prompt,
        "state": state,
        "said": _said(outcome, state),
        "thumbnail": outcome.thumbnail if pictured else "",
        "report": _link(Path(outcome.folder) / "report.html", folder) if outcome.good else "",
        "video": _link(Path(outcome.video), folder) if outcome.good else "",
        "cells": [_cell(checks.get(name)) for name in CHECKS],
        "problem": outcome.problem,
        "faults": judged.faults if judged else (),
        "attempts": outcome.attempts,
        "same_as": outcome.same_as,
        "seconds": outcome.seconds,
    }


def _said(outcome: Outcome, state: str) -> str:
    if outcome.state == "skipped":
        return "not begun"
    if not outcome.good:
        return "failed"
    return {"pass": "pass", "warn": "look at it", "fail": "does not pass"}[state]


def _cell(check: Check | None) -> dict[str, str]:
    if check is None:
        return {"verdict": "none", "text": "", "said": ""}
    return {"verdict": check.verdict, "text": _figure(check), "said": check.said}


def _figure(check: Check) -> str:
    """Return a check's figure as short as a column takes it."""
    if check.figure is None:
        return "-"
    if check.unit in ("events", "sounds", "runs"):
        return f"{check.figure:.0f}"
    if check.unit == "s":
        return f"{1000 * check.figure:+.0f} ms"
    return f"{check.figure:+.1f} ms" if check.unit == "ms" else f"{check.figure:.1f}"


def _link(to: Path, folder: Path) -> str:
    """Return the address of a file as seen from the page."""
    seen = Path(os.path.relpath(to.absolute(), folder.absolute())).as_posix()
    return quote(seen.encode("utf-8", "surrogateescape"))


def _faults(batch: Batch) -> list[dict[str, Any]]:
    """Return how many clips did not pass each check."""
    found = []
    for name in CHECKS:
        verdicts = [
            check.verdict
            for outcome in batch.outcomes
            if outcome.quality
            for check in outcome.quality.checks
            if check.name == name
        ]
        found.append({"name": name, "warn": verdicts.count("warn"), "fail": verdicts.count("fail")})
    return [each for each in found if each["warn"] or each["fail"]]
