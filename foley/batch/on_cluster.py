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

from foley import api
from foley.batch.conduct import Listener, Options, Silent
from foley.batch.estimate import takes_options
from foley.batch.items import Item, Outcome, Problem
from foley.batch.model_maker import ModelMaker, orders_for
from foley.batch.notes import identified
from foley.batch.summary import Batch, Summary
from foley.batch.work import failed, known, run_item
from foley.errors import FoleyError, OptionError, ServiceError
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
        OptionError: where a time limit is asked for: Ray keeps to none.
        MissingProgramError: where Ray, or what reaches the storage, is not installed.
        ServiceError: where no cluster answers, or the storage is none.
    """
    options = options or Options()
    if options.timeout_s or options.stage_timeout_s:
        raise OptionError(
            "time limits are not kept to on a cluster",
            hint="limit each sound of a model instead: --set takes.time_limit_s=60",
        )
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
                        run_on_cluster(self._begun(self._round()), self._config, on_outcome=self._told)
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


def run_on_cluster(items: Iterable[Item], config: ClusterConfig, *, on_outcome: Callable[[Outcome], None]) -> None:
    """Do items on a Ray cluster; each is told of when it is done, in whatever order.

    Args:
        items: With videos and outputs under names that all machines of the cluster have.
        config: Which cluster, and how it is used.
        on_outcome: Told each item's outcome.

    Raises:
        MissingProgramError: where Ray, or what reaches the storage, is not installed.
        ServiceError: where no cluster answers, or the storage is none.
    """
    shared, workdir = config.shared, config.workdir
    if shared:
        Place(api.default_workdir(), shared).storage()  # refused here, not once for each item
    work: Work[Item, Outcome] = Work(
        begin=partial(_begin, shared),
        end=partial(_end, shared),
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


def _begin(shared: str, item: Item) -> Outcome | Wanted:
    """Plan an item; where it needs no model, do it."""
    try:
        if (before := known(identified(item))) is not None:
            return before
        clip, plan = _planned(item, _place(item.settings.workdir, shared).cache())
        orders = orders_for(plan, clip, takes_options(item), item.settings.workdir)
    except ServiceError as error:  # the storage: without it every machine would load the models
        return failed(item, Problem.of(error))
    except FoleyError:  # its run says it
        orders = ()
    return Wanted(orders) if orders else run_item(item)


def _end(shared: str, item: Item, made: Made) -> Outcome:
    """Do an item whose models' takes are made; what another machine made is fetched first."""
    cache = _place(item.settings.workdir, shared).cache()
    if isinstance(cache, TieredCache):
        try:
            _planned(item, cache)
            for record in made.records:
                cache.fetch(record)
        except FoleyError as error:
            return failed(item, Problem.of(error))
    return run_item(item)


def _maker(shared: str, casting: Casting) -> ModelMaker:
    return ModelMaker(casting, _place(casting.workdir, shared))


def _place(workdir: Path | None, shared: str) -> Place:
    """Return where records are kept on the machine that asks."""
    return Place(workdir or api.default_workdir(), shared)


def _planned(item: Item, cache: Cache) -> tuple[Clip, SoundPlan]:
    """Return what is known of a clip and its plan, as `api.run` makes them: it finds both in the cache.

    Raises:
        FoleyError: where the clip cannot be used or planned.
    """
    flow = api.flow_of(item.settings)
    clip = runner.run(flow, [_source(item.video)], [Clip], cache=cache)[Clip]
    seen = runner.run(flow, [clip], [Picture, Looks, Listening], cache=cache)
    given = (clip, seen[Picture], seen[Looks], seen[Listening], item.brief)
    return clip, runner.run(flow, given, [SoundPlan], cache=cache)[SoundPlan]


def _source(video: Path) -> Source:
    try:
        found = video.stat()
    except OSError:  # the probe says what is wrong with it
        return Source(video)
    return Source(video.absolute(), found.st_size, found.st_mtime_ns)
