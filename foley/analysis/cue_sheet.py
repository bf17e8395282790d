"""Read cue sheets: CSV with start, end and description, from any spreadsheet program."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from foley.analysis.captions import subtitle_text
from foley.errors import PlanError
from foley.model import Hint
from foley.units import parse_clock

ALIASES = {
    "start": ("start", "in", "time", "at", "begin", "from", "tc in", "timecode", "start time", "start_s"),
    "end": ("end", "out", "stop", "finish", "to", "tc out", "end time", "end_s"),
    "description": ("description", "sound", "text", "label", "cue", "name", "effect", "sfx", "notes", "note"),
}
"""What columns are called in cue sheets as people write them."""


def cue_hints(path: Path) -> list[Hint]:
    """Return the rows of a cue sheet.

    Raises:
        PlanError: where it is not CSV; listing every row that cannot be used, with line and column.
    """
    text = subtitle_text(path)
    try:
        rows = list(_rows(text))
    except csv.Error as cause:
        raise PlanError(f"{path}: is no CSV: {cause}", hint="save it as CSV from the program that made it") from cause
    columns, first = _columns(rows[0][1]) if rows else ({}, 0)
    faults: list[str] = []
    found: list[Hint] = []
    if not {"start", "description"} <= columns.keys():
        missing = " and ".join(sorted({"start", "description"} - columns.keys()))
        faults.append(f"{path}:1: has no column {missing}")
    else:
        for line, row in rows[first:]:
            _read_row(_Row(path, line, row, columns), found, faults)
    if faults:
        raise PlanError("\n".join(faults), hint="columns are start, end, description; times like 0:03.5 or 3.5")
    return found


class _Row:
    """One line of the sheet, by column."""

    def __init__(self, path: Path, line: int, cells: Sequence[str], columns: dict[str, int]) -> None:
        self.where = f"{path}:{line}"
        self.cells = cells
        self.columns = columns

    def text(self, name: str) -> str:
        """Return a cell, "" where the row is too short or the sheet has no such column."""
        column = self.columns.get(name, len(self.cells))
        return self.cells[column].strip() if column < len(self.cells) else ""

    def time_s(self, name: str) -> float | None:
        """Return a cell as a time, None where it is empty.

        Raises:
            ValueError: saying where and why it is none.
        """
        text = self.text(name)
        if not text:
            return None
        if text.count(":") > 2 or ";" in text:
            raise ValueError(f"{self.where}: {name}: {text!r} counts frames; write seconds or clock time (1:02:03.5)")
        try:
            return parse_clock(re.sub(r"\s*s(?:ec)?$", "", text))
        except ValueError:
            raise ValueError(f"{self.where}: {name}: {text!r} is not a time") from None


def _read_row(row: _Row, found: list[Hint], faults: list[str]) -> None:
    """Add the row to what was found, or what is wrong with it to the faults."""
    wrong: list[str] = []
    times: list[float | None] = []
    for name in ("start", "end"):
        try:
            times.append(row.time_s(name))
        except ValueError as fault:
            wrong.append(str(fault))
    if not wrong and times[0] is None:
        wrong.append(f"{row.where}: start: is empty")
    if not row.text("description"):
        wrong.append(f"{row.where}: description: is empty")
    if not wrong and times[0] is not None and times[1] is not None and times[1] < times[0]:
        wrong.append(f"{row.where}: end: {row.text('end')!r} lies before start {row.text('start')!r}")
    faults += wrong
    if not wrong:
        found.append(Hint(row.text("description"), times[0], times[1], "cue sheet"))


def _rows(text: str) -> Iterator[tuple[int, list[str]]]:
    """Yield the rows that hold anything, each with its line; comma, semicolon or tab, as the first line has most."""
    first = next(iter(text.splitlines()), "")
    # old spreadsheets end lines with a carriage return alone
    reader = csv.reader(io.StringIO(text, newline=None), delimiter=max(",;\t", key=first.count))
    for row in reader:
        if any(cell.strip() for cell in row):
            yield reader.line_num, row


def _columns(row: list[str]) -> tuple[dict[str, int], int]:
    """Return which column holds what, and the first row of data: after a header, else start, end, description."""
    names = [cell.strip().lower() for cell in row]
    found = {
        meaning: names.index(alias) for meaning, words in ALIASES.items() for alias in reversed(words) if alias in names
    }
    if found:
        return found, 1
    return ({"start": 0, "end": 1, "description": 2} if len(row) > 2 else {"start": 0, "description": 1}), 0
