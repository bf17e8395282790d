"""Have many items done by a cluster: what needs no model as Ray tasks, models as Ray actors, Ray chooses where.

An item is begun as a task. What it gives is its result, or what it wants of models first; then it is ended as another
task. Only so many items are under way at once: where looking at videos outruns the models, no more are begun. Between
its tasks an item takes no memory: what was made of it lies in the cache under its content's key, and references travel.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import islice
from typing import Any, Generic, TypeVar

from foley.errors import FoleyError
from foley.pipeline.cluster import door
from foley.pipeline.cluster.orders import Casting, Made, Maker, Order, Wanted
from foley.pipeline.cluster.pool import MOST_ORDERS, Pool, Told

I = TypeVar("I")  # noqa: E741 - an item
R = TypeVar("R")

MOST_ACTORS = 64
"""Of one generator: past it, the one driver would be what they wait for."""


@dataclass(frozen=True, slots=True)
class ClusterOptions:
    """How the cluster is used."""

    in_flight: int = 0
    """Items under way at once; 0 for two on each core, and as many besides as models can take at once."""
    cpus: float = 1.0
    """Cores that an item's task takes; ffmpeg and numpy use more where they find them idle."""
    gpus: float = -1.0
    """GPUs that a model's actor takes: 0.5 for two actors on one; 0 for none; -1 for one where the cluster has GPUs."""
    actors: int = 0
    """Actors of each generator; 0 for as many as the GPUs hold, without GPUs one on each machine."""
    retries: int = 3
    """How often what was lost with a machine or a process is done again."""

    def __post_init__(self) -> None:
        if min(self.in_flight, self.actors, self.retries) < 0:
            raise ValueError("in_flight, actors and retries must be 0 or more")
        if not self.cpus > 0.0:
            raise ValueError(f"cpus must be more than 0, got {self.cpus}")
        if self.gpus < 0.0 and self.gpus != -1.0:
            raise ValueError(f"gpus must be 0 or more, or -1, got {self.gpus}")
        if self.gpus > 1.0 and self.gpus != int(self.gpus):
            raise ValueError(f"gpus above 1 must be whole, got {self.gpus}")


@dataclass(frozen=True, slots=True)
class Work(Generic[I, R]):
    """What is done with an item: functions that a worker can import by their names."""

    begin: Callable[[I], R | Wanted]
    """Gives the item's result, or what models are to make first."""
    end: Callable[[I, Made], R]
    """Gives the result when that is made."""
    maker: Callable[[Casting], Maker]
    """Makes what an actor holds; called on the actor's machine."""
    name: Callable[[I], str] = str
    """What an item is called where it is told that it was lost."""


def run_on_cluster(
    address: str,
    items: Iterable[I],
    work: Work[I, R],
    *,
    options: ClusterOptions | None = None,
    on_result: Callable[[I, R | FoleyError], None],
) -> None:
    """Have items done by a cluster; each is told of once, in the order in which they get done.

    Args:
        address: As `door.joined` takes it.
        items: Taken as they can be begun.
        work: What is done.
        options: How the cluster is used.
        on_result: Told each item's result, or why there is none; what it raises ends the run.

    Raises:
        MissingProgramError: where Ray is not installed.
        ServiceError: where no cluster answers.
    """
    with door.joined(address) as ray:
        _Drive(ray, work, options or ClusterOptions(), on_result).run(items)


class _Drive(Generic[I, R]):
    """One run: begins items, and tells whoever waits for something when it is there."""

    def __init__(
        self, ray: Any, work: Work[I, R], options: ClusterOptions, on_result: Callable[[I, R | FoleyError], None]
    ) -> None:
        self._ray = ray
        self._work = work
        self._options = options
        self._on_result = on_result
        self._live = 0
        self._awaited: dict[Any, Told] = {}
        self._pools: dict[Casting, Pool] = {}
        self._actors: list[Any] = []
        self._task = ray.remote(num_cpus=options.cpus, max_retries=options.retries)(_called)

    def run(self, items: Iterable[I]) -> None:
        """Do them all."""
        waiting = iter(items)
        try:
            self._admit(waiting)
            while self._live:
                done, _ = self._ray.wait(list(self._awaited), num_returns=1)
                for reference in done:
                    self._tell(reference)
                self._admit(waiting)
        finally:
            self._leave()

    def _admit(self, waiting: Iterator[I]) -> None:
        """Begin items while there is room."""
        for item in islice(waiting, max(0, self._room() - self._live)):
            self._live += 1
            self._watch(self._task.remote(self._work.begin, item), partial(self._begun, item))

    def _room(self) -> int:
        """Return how many items may be under way; asked anew each time, as machines come and go."""
        if self._options.in_flight:
            return self._options.in_flight
        cores = self._ray.cluster_resources().get("CPU", 1.0)
        return max(1, int(2 * cores / self._options.cpus)) + MOST_ORDERS * len(self._actors)

    def _watch(self, reference: Any, tell: Told) -> None:
        self._awaited[reference] = tell

    def _tell(self, reference: Any) -> None:
        tell = self._awaited.pop(reference)
        try:
            value = self._ray.get(reference)
        except self._ray.exceptions.RayError as cause:
            tell(None, cause)
        else:
            tell(value, None)

    def _begun(self, item: I, value: R | Wanted, error: Exception | None) -> None:
        if not isinstance(value, Wanted):
            self._settle(item, value, error)
            return
        made: list[Made | Exception] = []
        for order in value.orders:
            self._pool(order.casting).ask(order, partial(self._made, item, made, len(value.orders)))

    def _made(self, item: I, made: list[Made | Exception], due: int, one: Made, error: Exception | None) -> None:
        """Take in what came of one of an item's orders; after the last, end the item."""
        made.append(one if error is None else error)
        if len(made) < due:
            return
        records = tuple(name for part in made if isinstance(part, Made) for name in part.records)
        failures = tuple(text for part in made if isinstance(part, Made) for text in part.failures)
        failures += tuple(door.told(part, "a model").message for part in made if isinstance(part, Exception))
        self._watch(self._task.remote(self._work.end, item, Made(records, failures)), partial(self._settle, item))

    def _settle(self, item: I, value: Any, error: Exception | None) -> None:
        self._live -= 1
        self._on_result(item, value if error is None else door.told(error, self._work.name(item)))

    def _pool(self, casting: Casting) -> Pool:
        if casting not in self._pools:
            actors = _actors(self._ray, self._work.maker, casting, self._options)
            self._actors += actors
            self._pools[casting] = Pool(actors, self._watch, retries=self._options.retries)
        return self._pools[casting]

    def _leave(self) -> None:
        """Give back what the run holds of the cluster: also where it was interrupted."""
        for reference in self._awaited:
            if self._live:
                self._ray.cancel(reference, force=False)
        for actor in self._actors:
            self._ray.kill(actor)


def _actors(ray: Any, maker: Callable[[Casting], Maker], casting: Casting, options: ClusterOptions) -> Sequence[Any]:
    """Return the actors of a generator, on their way."""
    total = ray.cluster_resources().get("GPU", 0.0)
    gpus = options.gpus if options.gpus >= 0.0 else float(total >= 1.0)
    fitting = int(total / gpus) if gpus else sum(node["Alive"] for node in ray.nodes())
    count = options.actors or max(1, min(fitting, MOST_ACTORS))
    # no cores: one that holds a core for ever would leave none for tasks where machines are lost
    kind = ray.remote(
        num_cpus=0,
        num_gpus=gpus,
        max_restarts=-1,
        max_task_retries=0,  # the pool asks another that answers, instead of waiting for this one
        max_concurrency=MOST_ORDERS + 1,
        scheduling_strategy="SPREAD",
    )(_ModelActor)
    return [kind.remote(maker, casting) for _ in range(count)]


def _called(function: Callable[..., Any], *given: Any) -> Any:
    """Return what a function returns: Ray takes only plain functions for tasks."""
    return function(*given)


class _ModelActor:
    """What Ray holds on a machine: the maker, made there."""

    def __init__(self, maker: Callable[[Casting], Maker], casting: Casting) -> None:
        self._maker = maker(casting)

    def ready(self) -> bool:
        return self._maker.ready()

    def make(self, order: Order) -> Made:
        return self._maker.make(order)
