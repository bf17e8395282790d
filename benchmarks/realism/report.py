"""Writes the tables of docs/realism.md; what stands around them is written by hand."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from benchmarks.realism.table import COLUMNS, Row, cells, means

PAGE = Path(__file__).parents[2] / "docs" / "realism.md"
START, END = "<!-- tables: written by `python -m benchmarks realism` -->", "<!-- end of tables -->"


def write_tables(events: Sequence[Row], textures: Sequence[Row]) -> None:
    """Replace the tables between the two marks of the page."""
    before, _, rest = PAGE.read_text().partition(START)
    _, _, after = rest.partition(END)
    tables = "\n\n".join(_table(title, rows) for title, rows in (("One-shots", events), ("Textures", textures)))
    PAGE.write_text(f"{before}{START}\n\n{tables}\n\n{END}{after}")


def _table(title: str, rows: Sequence[Row]) -> str:
    of = means(rows)
    shares = (of.ratio, of.other, of.top_1, of.top_3, of.real_top_1, of.told_apart, of.recordings_apart)
    last = ["**mean**", "", *(f"**{share:.2f}**" for share in shares), ""]
    lines = [[*COLUMNS, "told apart by"], ["---"] * (len(COLUMNS) + 1)]
    lines += [[*cells(each), _easiest(each)] for each in rows]
    return "\n".join([f"### {title}", "", *("| " + " | ".join(line) + " |" for line in [*lines, last])])


def _easiest(found: Row) -> str:
    """Return the block of descriptors by which a class is told apart best."""
    block = max(found.by_block, key=lambda name: found.by_block[name])
    value = found.by_block[block]
    return f"{block} {value:.2f}" if value == value else ""
