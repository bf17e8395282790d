"""How `foley batch` shows what happens: a live table, plain lines, or JSON lines."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from foley.batch import Item, Outcome, Problem
from foley.batch.summary import item_record
from foley.cli import console
from foley.pipeline.runner import StageProgress

if TYPE_CHECKING:
    from rich.console import RenderableType

MOST_CHARACTERS = 300
"""Of what is said of one item: a message may quote a prompt."""

LATEST = 8
"""Items that the table shows of those that ended."""

COLOURS = {"pass": "green", "warn": "yellow", "fail": "red", "failed": "red", "skipped": "dim"}


def shown(item: Item) -> str:
    """Return an item's name as any terminal can print it."""
    return str(item.video).encode("utf-8", "replace").decode()


def short(text: str) -> str:
    """Return a text as one line that is not too long."""
    text = " ".join(text.encode("utf-8", "replace").decode().split())
    return text if len(text) <= MOST_CHARACTERS else f"{text[:MOST_CHARACTERS]}..."


def line(about: dict[str, Any]) -> None:
    """Print a JSON line, at once."""
    print(json.dumps(about, default=str), flush=True)


def verdict(outcome: Outcome) -> str:
    """Return in a word what became of an item."""
    if not outcome.good:
        return outcome.state
    return outcome.quality.verdict if outcome.quality else "done"


def _ending(outcome: Outcome) -> str:
    """Return what became of an item, in words."""
    if outcome.problem:
        return short(outcome.problem.message)
    faults = outcome.quality.faults if outcome.quality else ()
    parts = ["done before" if outcome.state == "known" else f"{outcome.seconds:.1f} s"]
    parts += [f"the same as {outcome.same_as}"] if outcome.same_as else []
    return "; ".join([*parts, *(f"{fault.name}: {fault.said}" for fault in faults[:2])])


class JsonLines:
    """Prints what happens for programs."""

    def starts(self, items: Sequence[Item], jobs: int) -> None:
        """Say how much there is to do."""
        line({"event": "start", "items": len(items), "jobs": jobs})

    def began(self, item: Item, attempt: int) -> None:
        """Say that an item is begun."""
        line({"event": "begin", "number": item.number, "input": str(item.video), "attempt": attempt})

    def progress(self, item: Item, now: StageProgress) -> None:
        """Say how far an item is."""
        done = round((now.number - 1 + now.done) / now.total, 3)
        line({"event": "progress", "number": item.number, "stage": now.stage, "done": done})

    def again(self, item: Item, problem: Problem) -> None:
        """Say why an item is done again."""
        line({"event": "again", "number": item.number, "error": problem.kind, "message": short(problem.message)})

    def ended(self, item: Item, outcome: Outcome) -> None:
        """Say what became of an item."""
        line({"event": "item", **item_record(item, outcome)})


class PlainLines:
    """Says what happens, a line for each item that ends: for logs."""

    def __init__(self, total: int) -> None:
        self._total, self._ended = total, 0

    def starts(self, items: Sequence[Item], jobs: int) -> None:
        """Say how much there is to do."""
        console.say(f"videos: {len(items)}{f', {jobs} at once' if jobs else ''}")

    def began(self, item: Item, attempt: int) -> None:
        """Say nothing yet."""

    def progress(self, item: Item, now: StageProgress) -> None:
        """Say nothing."""

    def again(self, item: Item, problem: Problem) -> None:
        """Say why an item is done again."""
        console.say(f"again: {shown(item)}: {short(problem.message)}")

    def ended(self, item: Item, outcome: Outcome) -> None:
        """Say what became of an item."""
        self._ended += 1
        console.say(f"[{self._ended}/{self._total}] {verdict(outcome)} {shown(item)}: {_ending(outcome)}")


class Table(PlainLines):
    """Shows on a terminal what is at work and what ended last."""

    def __init__(self, total: int) -> None:
        super().__init__(total)
        self._at: dict[int, tuple[Item, float, str, float]] = {}
        self._latest: list[tuple[Item, Outcome]] = []
        self._counts: dict[str, int] = {}
        self._began_s = time.monotonic()

    def starts(self, items: Sequence[Item], jobs: int) -> None:
        """Begin to count the time."""
        self._began_s = time.monotonic()

    def began(self, item: Item, attempt: int) -> None:
        """Show an item at work."""
        self._at[item.number] = (item, time.monotonic(), "", 0.0)

    def progress(self, item: Item, now: StageProgress) -> None:
        """Show how far an item is."""
        _, began_s, _, _ = self._at.get(item.number, (item, time.monotonic(), "", 0.0))
        doing = now.what or console.DOING.get(now.stage, now.stage)
        self._at[item.number] = (item, began_s, doing, (now.number - 1 + now.done) / now.total)

    def again(self, item: Item, problem: Problem) -> None:
        """Show no more that it is at work."""
        self._at.pop(item.number, None)

    def ended(self, item: Item, outcome: Outcome) -> None:
        """Show what became of an item."""
        self._at.pop(item.number, None)
        self._ended += 1
        self._counts[verdict(outcome)] = self._counts.get(verdict(outcome), 0) + 1
        self._latest = [*self._latest, (item, outcome)][-LATEST:]

    def __rich__(self) -> RenderableType:
        """Return what is shown now."""
        from rich.console import Group
        from rich.progress_bar import ProgressBar
        from rich.table import Table as Grid
        from rich.text import Text

        grid = Grid.grid(padding=(0, 2))
        for item, outcome in self._latest:
            said = verdict(outcome)
            grid.add_row(
                Text(said, COLOURS.get(said, "")), Text(_name(item)), Text(_ending(outcome), "dim", overflow="ellipsis")
            )
        for item, began_s, doing, done in self._at.values():
            bar = ProgressBar(total=1.0, completed=done, width=16)
            took = f"{time.monotonic() - began_s:5.1f} s  {doing}"
            grid.add_row(bar, Text(_name(item)), Text(took, overflow="ellipsis"))
        head = Grid.grid(padding=(0, 2))
        whole = ProgressBar(total=max(1, self._total), completed=self._ended, width=30)
        head.add_row(whole, Text(f"{self._ended} of {self._total}{self._rest()}"), self._counted())
        return Group(grid, head)

    def _counted(self) -> Any:
        from rich.text import Text

        parts = [(f"{count} {said}  ", COLOURS.get(said, "")) for said, count in sorted(self._counts.items())]
        return Text.assemble(*parts)

    def _rest(self) -> str:
        """Return how long the rest will take, once that can be told."""
        took_s = time.monotonic() - self._began_s
        if not self._ended or took_s < 2.0 or self._ended >= self._total:
            return ""
        rest_s = took_s / self._ended * (self._total - self._ended)
        return f", about {rest_s:.0f} s left" if rest_s < 120 else f", about {rest_s / 60:.0f} min left"


def _name(item: Item) -> str:
    name = item.video.name.encode("utf-8", "replace").decode()
    return name if len(name) <= 40 else f"{name[:24]}...{name[-13:]}"


@contextmanager
def live(total: int) -> Iterator[Table]:
    """Give a table that is shown on standard error until the block ends."""
    from rich.console import Console
    from rich.live import Live

    table = Table(total)
    with Live(table, console=Console(file=sys.stderr), refresh_per_second=8):
        yield table
