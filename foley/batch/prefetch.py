"""Make the takes of several videos that go to models together, before each video is finished by itself.

A model that is asked for the sounds of one short clip is asked for three or four; asked for those of thirty clips at
once it fills its batches with sounds of like length, and is loaded once. The takes are kept under the keys under which
each video's own run looks for them, and a sound never depends on what else is in its batch: so the result is the same,
bit for bit, as of each video alone. What fails here is left to the video's own run, which knows who steps in.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from functools import partial
from types import TracebackType
from typing import Self

from foley import api
from foley.batch.items import Item
from foley.batch.models import takes_options
from foley.errors import FoleyError
from foley.pipeline.cache import Cache, RunContext
from foley.pipeline.runner import StageProgress
from foley.plan import events
from foley.render.dispatch import MOST_ASKERS
from foley.render.making import Making, Terms
from foley.render.routing import Roster
from foley.render.studio import FAULTS, MOST_AT_ONCE, Studio
from foley.render.takes import roster_of, terms_of


@dataclass(frozen=True, slots=True)
class Prefetched:
    """What came of it."""

    takes: int
    """How many takes of models the items need; what is the same counts once."""
    unmade: tuple[int, ...]
    """Numbers of the items of which one could not be made."""


@dataclass(eq=False)
class _Wanted:
    """One take, and the items that need it."""

    making: Making
    ctx: RunContext
    numbers: set[int] = field(default_factory=set)
    made: bool = False


class Prefetcher:
    """Keeps generators ready from one call to the next; one a process."""

    def __init__(self) -> None:
        self._rosters: dict[str, Roster] = {}
        self._terms: dict[str, Terms] = {}

    def fetch(self, items: Sequence[Item], *, on_progress: Callable[[StageProgress], None] | None = None) -> Prefetched:
        """Make the takes of the items' plans that go to models; the plans must have been written.

        Memory is bounded: at most as many sounds are held as a model is ever asked for at once.
        """
        contexts: dict[str, RunContext] = {}
        wanted: dict[tuple[int, str], _Wanted] = {}
        unmade: set[int] = set()
        try:
            for item in items:
                try:
                    self._collect(item, wanted, contexts)
                except (*FAULTS, FoleyError):
                    unmade.add(item.number)
            by_studio: dict[int, list[_Wanted]] = {}
            for (studio, _), each in wanted.items():
                by_studio.setdefault(studio, []).append(each)
            done = _Counter(len(wanted), on_progress)
            for of_one in by_studio.values():  # one model after another: two may not fit
                _make_all(of_one, done)
        except BaseException:
            self.end()  # nobody is waited for who waits for a model
            raise
        finally:
            for ctx in contexts.values():
                ctx.close()
        for each in wanted.values():
            unmade |= set() if each.made else each.numbers
        return Prefetched(len(wanted), tuple(sorted(unmade)))

    def end(self) -> None:
        """Let all generators end."""
        for roster in self._rosters.values():
            roster.stop()

    def _collect(self, item: Item, wanted: dict[tuple[int, str], _Wanted], contexts: dict[str, RunContext]) -> None:
        """Add the takes that an item's plan asks of models."""
        opts = takes_options(item)
        if repr(opts) not in self._rosters:
            self._rosters[repr(opts)] = roster_of(opts)
        roster = self._rosters[repr(opts)]
        plan = events.load(api.destination(item.video, item.output).folder / "plan.yaml")
        clip = api.look_into(item.video, item.settings)
        workdir = item.settings.workdir or api.default_workdir()
        if str(workdir) not in contexts:
            contexts[str(workdir)] = Cache(workdir).context()
        ctx = contexts[str(workdir)]
        # who listens is the same for all: a model that listens is loaded once
        terms = replace(self._terms.setdefault(repr(opts), terms_of(opts, clip)), clip=clip)
        for event in plan.events:
            if event.muted:
                continue
            studio = roster.route(event).studio(0)
            if studio is not None and studio.heavy:
                making = Making(event, studio, terms)
                key = (id(studio), f"{workdir} {ctx.digest('take', making.key)}")
                wanted.setdefault(key, _Wanted(making, ctx)).numbers.add(item.number)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.end()


def prefetch(items: Sequence[Item], *, on_progress: Callable[[StageProgress], None] | None = None) -> Prefetched:
    """Make the takes of the items' plans that go to models, once; see `Prefetcher`."""
    with Prefetcher() as prefetcher:
        return prefetcher.fetch(items, on_progress=on_progress)


class _Counter:
    """Says how many takes are done."""

    def __init__(self, total: int, on_progress: Callable[[StageProgress], None] | None) -> None:
        self._total, self._done, self._on_progress = total, 0, on_progress
        self._guard = threading.Lock()

    def add(self) -> None:
        with self._guard:
            self._done += 1
            if self._on_progress is not None:
                self._on_progress(StageProgress("takes", 1, 1, self._done / self._total))


def _make_all(wanted: Sequence[_Wanted], done: _Counter) -> None:
    """Have one model make takes: the longest first, so that sounds of like length are asked for together."""
    (studio,) = {each.making.studio for each in wanted}
    left = deque(sorted(wanted, key=lambda each: -each.making.extent.length))
    askers = min(MOST_ASKERS, len(left))
    with ThreadPoolExecutor(askers, thread_name_prefix="ask") as pool:
        studio.enter(askers)  # all before the first begins: no batch is made before each of them waits
        try:
            for asking in [pool.submit(_ask, studio, left, askers, done) for _ in range(askers)]:
                asking.result()
        except BaseException:
            studio.stop()
            raise


def _ask(studio: Studio, left: deque[_Wanted], askers: int, done: _Counter) -> None:
    """Ask for one take after another; between two it still counts as one who will ask, so that batches stay large."""
    try:
        for each in _popped(left):
            try:
                batch = max(1, MOST_AT_ONCE // askers)
                each.ctx.once("take", each.making.key, partial(_run, each.making, batch=batch))
                each.made = True
            except (*FAULTS, FoleyError):  # the item's own run meets it again, and says it
                pass
            done.add()
    finally:
        studio.leave()


def _run(making: Making, ctx: object, *, batch: int) -> object:
    return making.run(ctx, batch=batch)  # type: ignore[arg-type]


def _popped(left: deque[_Wanted]) -> Iterator[_Wanted]:
    while True:
        try:
            yield left.popleft()
        except IndexError:
            return
