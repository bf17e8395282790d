"""What people see while a command works: progress on standard error, and only on a terminal."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from foley.pipeline.runner import StageProgress

DOING = {
    "probe": "reading the container",
    "watch": "watching the picture",
    "listen": "listening to the clip's own sound",
    "hints": "reading hints",
    "propose": "planning",
    "ground": "timing the plan to the picture",
    "takes": "making sounds",
    "fit": "fitting sounds to the frame",
    "place": "placing sounds",
    "master": "mixing",
    "verify": "checking",
    "deliver": "writing the result",
    "conform": "reading the given sound",
    "separate": "parting dialogue from background",
    "gaps": "finding what was lost",
    "me": "filling the M&E",
    "dub": "mixing languages",
    "languages": "writing the result",
}
"""What each stage does, for people."""


@contextmanager
def progress() -> Iterator[Callable[[StageProgress], None] | None]:
    """Give a function that shows how far a run is; None where nobody watches."""
    if not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (TextColumn("{task.description}"), BarColumn(bar_width=30), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("", total=1.0)

        def show(now: StageProgress) -> None:
            doing = now.what or DOING.get(now.stage, now.stage)
            bar.update(task, completed=(now.number - 1 + now.done) / now.total, description=f"{doing:<36}")

        yield show


def say(text: str) -> None:
    """Tell a person something."""
    print(text, file=sys.stderr)


def answer(text: str) -> None:
    """Print the command's result."""
    print(text)


def answer_json(value: Any) -> None:
    """Print the command's result for programs."""
    print(json.dumps(value, indent=2, ensure_ascii=False))
