"""A batch's items on a cluster: planned and mixed by tasks, what models make made by actors, across videos.

Which machine does what changes nothing: every stage is found in the cache by the content that it follows from, and an
item that was finished is known by its note, so that after a loss nothing is made twice and nothing is missing.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from foley import api
from foley.batch.conduct import Listener, Options, Silent
from foley.batch.items import Item, Outcome, Problem
from foley.batch.limits import Limits, Tell, done_within
from foley.batch.model_maker import ModelMaker, orders_for
from foley.batch.models import takes_options
from foley.batch.notes import identified
from foley.batch.summary import Batch, Summary
from foley.batch.work import failed, known, run_item
from foley.errors import FoleyError, ServiceError
from foley.model import Clip, Listening, Looks, Picture, SoundPlan, Source
from foley.pipeline import runner
from foley.pipeline.cache import Cache
from foley.pipeline.cluster import door
from foley.pipeline.cluster.config import ClusterConfig
from foley.pipeline.cluster.drive import Work
from foley.pipeline.cluster.drive import run_on_cluster as drive
from foley.pipeline.cluster.orders import Casting, Made, Wanted
from foley.pipeline.cluster.tier import Place, TieredCache


def run(
    items: Iterable[Item],
    config: ClusterConfig,
    options: Options | None = None,
    listener: Listener | None = None,
) -> Batch:
    """Do all items on a cluster and return what became of each, as `foley.batch.run` does on one machine.

    Args:
        items: With videos and outputs under names that all machines of the cluster have.
        config: Which cluster, and how it is used.
        options: How; `jobs` is the number of items under way at once where it is given.
        listener: Told what happens meanwhile.

    Raises:
        MissingProgramError: where Ray, or what reaches the storage, is not installed.
        ServiceError: where no cluster answers, or the storage is none.
    """
    options = options or Options()
    if options.jobs:
        config = replace(config, options=replace(config.options, in_flight=options.jobs))
    return _Rounds(tuple(items), config, options, listener or Silent()).run()


class _Rounds:
    """One batch: in a round no two items ask for the same or write to the same place; what may help is tried again."""

    def __init__(self, items: tuple[Item, ...], config: ClusterConfig, options: Options, listener: Listener) -> None:
        self._items, self._config, self._options, self._listener = items, config, options, listener
        self._summary = Summary(items, options.summary, strict=options.strict)
        self._attempts: Counter[int] = Counter()
        self._by_number = {item.number: item for item in items}
        self._next: list[Item] = []

    def run(self) -> Batch:
        """Do everything."""
        with door.joined(self._config.address):
            self._listener.starts(self._items, self._options.jobs)
            self._next = list(self._items)
            try:
                with suppress(_StoppedError):
                    while self._next:
                        begun, limits = self._begun(self._round()), self._options.limits()
                        run_on_cluster(begun, self._config, on_outcome=self._told, limits=limits)
            finally:
                self._summary.write()
        return self._summary.batch()

    def _round(self) -> list[Item]:
        """Take the items of the next round."""
        chosen: list[Item] = []
        waiting: list[Item] = []
        taken: set[str] = set()
        for item in self._next:
            asked = (item.video.absolute(), repr(item.brief), repr(item.settings), item.exports)
            marks = {repr(asked), str(api.destination(item.video, item.output).folder.absolute())}
            (waiting if taken & marks else chosen).append(item)
            taken |= marks
        self._next = waiting
        return chosen

    def _begun(self, items: Iterable[Item]) -> Iterator[Item]:
        for item in items:
            self._attempts[item.number] += 1
            self._listener.began(item, self._attempts[item.number])
            yield item

    def _told(self, outcome: Outcome) -> None:
        item, attempts = self._by_number[outcome.number], self._attempts[outcome.number]
        if outcome.problem and outcome.problem.again and attempts <= self._options.retries:
            self._listener.again(item, outcome.problem)
            self._next.append(item)
            return
        outcome = replace(outcome, attempts=attempts)
        self._summary.add(outcome)
        self._listener.ended(item, outcome)
        if self._options.fail_fast and not self._summary.is_good(outcome):
            raise _StoppedError


class _StoppedError(Exception):
    """The first failure ends the batch."""


def run_on_cluster(
    items: Iterable[Item],
    config: ClusterConfig,
    *,
    on_outcome: Callable[[Outcome], None],
    limits: Limits | None = None,
) -> None:
    """Do items on a Ray cluster; each is told of when it is done, in whatever order.

    Args:
        items: With videos and outputs under names that all machines of the cluster have.
        config: Which cluster, and how it is used.
        on_outcome: Told each item's outcome.
        limits: How long each may take, and its stages; what it waits for models does not count.

    Raises:
        MissingProgramError: where Ray, or what reaches the storage, is not installed.
        ServiceError: where no cluster answers, or the storage is none.
    """
    shared, workdir = config.shared, config.workdir
    if shared:
        Place(api.default_workdir(), shared).storage()  # refused here, not once for each item
    work: Work[Item, Outcome] = Work(
        begin=partial(_within, limits, partial(_begin, shared)),
        end=partial(_within, limits, partial(_end, shared)),
        maker=partial(_maker, shared),
        name=lambda item: item.video.name,
    )

    def told(item: Item, result: Outcome | FoleyError) -> None:
        on_outcome(failed(item, Problem.of(result)) if isinstance(result, FoleyError) else result)

    ready = (replace(item, settings=_settings(item, workdir)) for item in items)
    drive(config.address, ready, work, options=config.options, on_result=told)


def _settings(item: Item, workdir: Path | None) -> api.Settings:
    """Return how an item is run elsewhere: nobody is told there how far it is."""
    return replace(item.settings, workdir=workdir or item.settings.workdir, on_progress=None)


def _within(limits: Limits | None, work: Callable[..., Any], item: Item, *made: Made) -> Any:
    """Return what comes of an item's task: in a process of its own, that is ended, where the time is limited."""
    if not limits:
        return work(item, *made, tell=None)
    answer = done_within(limits, partial(_told_of, work, item, *made))
    return failed(item, answer) if isinstance(answer, Problem) else answer


def _told_of(work: Callable[..., Any], *given: Any) -> Any:
    *rest, tell = given
    return work(*rest, tell=tell)


def _begin(shared: str, item: Item, *, tell: Tell | None) -> Outcome | Wanted:
    """Plan an item; where it needs no model, do it."""
    try:
        if (before := known(identified(item))) is not None:
            return before
        clip, plan = _planned(item, _place(item.settings.workdir, shared).cache(), tell)
        orders = orders_for(plan, clip, takes_options(item), item.settings.workdir)
    except ServiceError as error:  # the storage: without it every machine would load the models
        return failed(item, Problem.of(error))
    except FoleyError:  # its run says it
        orders = ()
    return Wanted(orders) if orders else run_item(item, on_progress=tell)


def _end(shared: str, item: Item, made: Made, *, tell: Tell | None) -> Outcome:
    """Do an item whose models' takes are made; what another machine made is fetched first."""
    cache = _place(item.settings.workdir, shared).cache()
    if isinstance(cache, TieredCache):
        try:
            _planned(item, cache, tell)
            for record in made.records:
                cache.fetch(record)
        except FoleyError as error:
            return failed(item, Problem.of(error))
    return run_item(item, on_progress=tell)


def _maker(shared: str, casting: Casting) -> ModelMaker:
    return ModelMaker(casting, _place(casting.workdir, shared))


def _place(workdir: Path | None, shared: str) -> Place:
    """Return where records are kept on the machine that asks."""
    return Place(workdir or api.default_workdir(), shared)


def _planned(item: Item, cache: Cache, tell: Tell | None) -> tuple[Clip, SoundPlan]:
    """Return what is known of a clip and its plan, as `api.run` makes them: it finds both in the cache.

    Raises:
        FoleyError: where the clip cannot be used or planned.
    """
    flow = api.flow_of(item.settings)
    run = partial(runner.run, flow, cache=cache, on_progress=tell)
    clip = run([_source(item.video)], [Clip])[Clip]
    seen = run([clip], [Picture, Looks, Listening])
    given = (clip, seen[Picture], seen[Looks], seen[Listening], item.brief)
    return clip, run(given, [SoundPlan])[SoundPlan]


def _source(video: Path) -> Source:
    try:
        found = video.stat()
    except OSError:  # the probe says what is wrong with it
        return Source(video)
    return Source(video.absolute(), found.st_size, found.st_mtime_ns)
