"""What a worker does for one item; begun again after a kill, it knows a result that was finished already."""

from __future__ import annotations

import importlib
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import cache
from typing import Any, Literal

from foley import api, exchange
from foley.batch import notes, quality, thumbnails
from foley.batch.items import Item, Outcome, Problem, State
from foley.deliver import outputs
from foley.errors import FoleyError, OutputExistsError
from foley.model import Destination
from foley.pipeline.runner import StageProgress, StageTime

Told = Callable[[StageProgress], None]

Kind = Literal["run", "plan", "takes"]


@dataclass(frozen=True, slots=True)
class Job:
    """One piece of work for a worker."""

    kind: Kind
    items: tuple[Item, ...]
    """One; or all whose takes are made together."""


@dataclass(frozen=True, slots=True)
class Planned:
    """That an item's plan is made, or why not."""

    number: int
    problem: Problem | None = None


@dataclass(frozen=True, slots=True)
class Fetched:
    """What came of making the takes of several items together."""

    unmade: tuple[int, ...]
    """Numbers of the items of which a take could not be made: they see to it themselves."""


Answer = Outcome | Planned | Fetched


def do(job: object, tell: Told) -> Answer:
    """Do one job: what a worker process is started for."""
    assert isinstance(job, Job)
    if job.kind == "takes":
        return Fetched(_prefetcher().fetch(job.items, on_progress=tell).unmade)
    (item,) = job.items
    return run_item(item, on_progress=tell) if job.kind == "run" else plan_item(item, on_progress=tell)


@cache
def _prefetcher() -> Any:
    """Return who makes takes of models, one a process; loaded by name, as it may hang on torch."""
    return importlib.import_module("foley.batch.prefetch").Prefetcher()


def run_item(item: Item, *, on_progress: Told | None = None) -> Outcome:
    """Return what becomes of an item; what is finished already is not done again, and no error is raised.

    Args:
        item: What is to be done.
        on_progress: Told how far it is.
    """
    began_s = time.perf_counter()
    to = api.destination(item.video, item.output)
    try:
        item = notes.identified(item)
        state, stages = _made(item, to, on_progress)
        judged = quality.verdict(to.folder)
        picture = thumbnails.thumbnail(to.folder)
        return Outcome(
            item.number,
            state,
            str(to.video),
            str(to.folder),
            seconds=time.perf_counter() - began_s,
            stages=stages,
            quality=judged,
            thumbnail=picture,
            memory_mb=memory_mb(),
        )
    except Exception as error:  # noqa: BLE001 - one item's fault is told, and the next is done
        return failed(item, Problem.of(error), seconds=time.perf_counter() - began_s)


def known(item: Item) -> Outcome | None:
    """Return what became of an item that was finished before; None where it was not."""
    to = api.destination(item.video, item.output)
    note = notes.read(to.folder)
    if not note.get("done") or not notes.is_made(item, to):
        return None
    with suppress(FoleyError):  # what cannot be judged is done again
        judged = quality.verdict(to.folder)
        picture = thumbnails.thumbnail(to.folder)
        return Outcome(item.number, "known", str(to.video), str(to.folder), quality=judged, thumbnail=picture)
    return None


def failed(item: Item, problem: Problem, *, seconds: float = 0.0, state: State = "failed") -> Outcome:
    """Return that an item could not be done."""
    to = api.destination(item.video, item.output)
    return Outcome(
        item.number, state, str(to.video), str(to.folder), seconds=seconds, problem=problem, memory_mb=memory_mb()
    )


def plan_item(item: Item, *, on_progress: Told | None = None) -> Planned:
    """Write the plan of an item, which its run then finds in the cache."""
    settings, to = replace(item.settings, on_progress=on_progress), api.destination(item.video, item.output)
    try:
        if to.video.exists() and not settings.overwrite:
            raise OutputExistsError(to.video)
        api.plan(item.video, brief=item.brief, output=item.output, settings=settings)
    except Exception as error:  # noqa: BLE001 - the run says it again, where it belongs
        return Planned(item.number, Problem.of(error))
    return Planned(item.number)


def _made(item: Item, to: Destination, on_progress: Told | None) -> tuple[State, tuple[StageTime, ...]]:
    """Make an item, unless that was done; return which, and how long the stages took."""
    if not (made := notes.is_made(item, to)):
        if to.video.exists() and not item.settings.overwrite:
            raise OutputExistsError(to.video)
        settings = replace(item.settings, on_progress=on_progress)
        stages = _run(item, to, settings)
    elif notes.read(to.folder).get("done"):
        return "known", ()
    else:
        stages = ()
    if item.exports:
        exchange.export(to.folder / "plan.yaml", item.exports, settings=replace(item.settings, on_progress=None))
    notes.write(to.folder, {"request": item.request, "done": True})
    return ("known" if made else "done"), stages


def _run(item: Item, to: Destination, settings: api.Settings) -> tuple[StageTime, ...]:
    outputs.refuse_unwritable(to)
    earlier = notes.read(to.folder)
    notes.begin(item, to)
    try:
        return api.run(item.video, brief=item.brief, output=item.output, settings=settings).times
    except Exception:
        notes.take_back(to, earlier)
        raise


def memory_mb() -> int:
    """Return the most memory that this process ever held; 0 where the system does not say."""
    try:
        import resource
    except ImportError:  # Windows
        return 0
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return int(most / (1 << 20 if sys.platform == "darwin" else 1 << 10))
