"""What runs where a model is: a generator loaded once, asked by many videos, whose takes go into the cache.

A take gets the key that the run of its own video gives it, so that run finds it there. Batches come about as in any run
(`render.studio`): while the generator makes one, whatever else is asked for waits and makes the next, from whichever
video it comes.
"""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

from foley.errors import FoleyError, GenerationError
from foley.model import Clip, SoundEvent, SoundPlan
from foley.pipeline.cluster.orders import Casting, Made, Order
from foley.pipeline.cluster.tier import Place, record_of
from foley.render.making import Making, Terms
from foley.render.studio import FAULTS, MOST_AT_ONCE
from foley.render.takes import TakesOptions, roster_of, terms_of


def orders_for(plan: SoundPlan, clip: Clip, options: TakesOptions, workdir: Path | None = None) -> tuple[Order, ...]:
    """Return what a plan wants of generators that hold a model; nothing where nobody could make an event.

    Args:
        plan: The plan.
        clip: Its clip.
        options: How its takes are made.
        workdir: The cache folder that they go to; each machine's own where None.
    """
    roster = roster_of(options)
    wanted: defaultdict[str, list[SoundEvent]] = defaultdict(list)
    try:
        for event in plan.events:
            if event.muted:
                continue
            first = roster.route(event).studio(0)
            if first is not None and first.heavy:
                wanted[first.name].append(event)
    except FoleyError:  # said, with its exit code, by the run of the video
        return ()
    finally:
        roster.stop()
    return tuple(Order(Casting(name, options, workdir), clip, tuple(events)) for name, events in sorted(wanted.items()))


class ModelMaker:
    """One generator, held for as long as its process lives; several threads may ask it."""

    def __init__(self, casting: Casting, place: Place) -> None:
        """Take the part; nothing heavy is loaded before a take is asked for that nobody made yet.

        Args:
            casting: Which generator.
            place: Where its takes go.

        Raises:
            UnknownPluginError: where it is not installed here.
            CannotWriteError: where the cache folder cannot be made.
            ServiceError: where the storage is none.
        """
        options = casting.options
        assert isinstance(options, TakesOptions)
        self._options = options
        self._cache = place.cache()
        self._context = self._cache.context()
        self._studio = roster_of(options).studio(casting.generator)
        self._pool = ThreadPoolExecutor(MOST_AT_ONCE, thread_name_prefix="ask")
        self._slots = threading.Semaphore(MOST_AT_ONCE)
        self._orders = 0
        self._counting = threading.Lock()
        self._terms: Terms | None = None
        """Those of the clip that came first; who listens is the same for all."""

    def ready(self) -> bool:
        """Return True: it answers."""
        return True

    def make(self, order: Order) -> Made:
        """Make the takes of an order, together with those of others that are asked for meanwhile.

        Raises:
            FoleyError: where the generator or the cache cannot be used at all.
        """
        with self._counting:
            self._orders += 1
        try:
            return self._made(order)
        finally:
            with self._counting:
                self._orders -= 1
                if not self._orders:  # what was made must not be held for as long as this process lives
                    self._cache.let_go()

    def _made(self, order: Order) -> Made:
        self._terms = self._terms or terms_of(self._options, order.clip)
        terms = replace(self._terms, clip=order.clip)
        makings = [Making(event, self._studio, terms) for event in order.events]
        distinct = {record_of(self._cache, "take", making.key): making for making in makings}
        failures = [future.result() for future in self._begun(list(distinct.values()))]
        records = tuple(record for record, failure in zip(distinct, failures, strict=True) if not failure)
        return Made(records, tuple(filter(None, failures)))

    def _begun(self, makings: Sequence[Making]) -> list[Future[str]]:
        """Begin them all, as many at once as there is room for, so that they come in the same batches."""
        rest, begun = list(makings), []
        while rest:
            self._slots.acquire()
            count = 1
            while count < len(rest) and self._slots.acquire(blocking=False):
                count += 1
            self._studio.enter(count)  # all before the first begins: it would find itself alone
            begun += [self._pool.submit(self._taken, making) for making in rest[:count]]
            rest = rest[count:]
        return begun

    def _taken(self, making: Making) -> str:
        """Make a take, in a thread of its own; return why it could not be made, "" where it was."""
        try:
            self._context.once("take", making.key, lambda ctx: making.run(ctx, batch=1))
        except (GenerationError, *FAULTS) as cause:
            return f"{self._studio.name} {self._studio.told(cause)}"
        else:
            return ""
        finally:
            self._studio.leave()
            self._slots.release()
