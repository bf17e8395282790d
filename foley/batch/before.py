"""What is known of a batch's items before anything is done: finished before, impossible, or the same as another."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from foley import api
from foley.batch import notes, work
from foley.batch.items import Item, Outcome, Problem
from foley.errors import FoleyError

READERS = 4
"""Files that are read at once for their content keys: discs and networks answer several questions together."""


def looked_over(items: Sequence[Item]) -> Iterator[tuple[Item, Outcome | None]]:
    """Give each item, identified where that is of use, and what became of it already; None where it is to be done."""
    outputs: dict[Path, Item] = {}
    with ThreadPoolExecutor(READERS, thread_name_prefix="reader") as pool:
        for item, outcome in pool.map(_looked_at, _to_identify(items)):
            folder = api.destination(item.video, item.output).folder.absolute()
            other = outputs.setdefault(folder, item)
            if other is not item and (not item.request or other.request != item.request):
                outcome = work.failed(item, _taken(item, other))
            yield item, outcome


def _to_identify(items: Sequence[Item]) -> list[tuple[Item, bool]]:
    """Return items, and of each whether another may ask for the very same: files of other sizes differ."""
    seen: dict[tuple[object, ...], int] = {}
    keys = []
    for item in items:
        try:
            size = item.video.stat().st_size
        except OSError:
            size = -1
        keys.append((size, repr(item.brief), repr(item.settings), item.exports))
        seen[keys[-1]] = seen.get(keys[-1], 0) + 1
    return [(item, seen[key] > 1) for item, key in zip(items, keys, strict=True)]


def _looked_at(asked: tuple[Item, bool]) -> tuple[Item, Outcome | None]:
    """Return an item, identified where that is of use, and what is known to have become of it."""
    item, maybe_twice = asked
    try:
        if maybe_twice or notes.is_noted(item) or not item.video.is_file():
            item = notes.identified(item)
            return item, work.known(item)
    except FoleyError as error:
        return item, work.failed(item, Problem.of(error))
    return item, None


def _taken(item: Item, other: Item) -> Problem:
    said = f"{item.output} or its folder is the output of row {other.number} too, which asks for something else"
    return Problem("OutputExistsError", said, "name another output in one of the rows", 4)
