"""Have all events made: each by the first on its route who can, what is the same only once, models in turn.

Light generators work for several events at once, in as many threads as there are cores. Of those that hold a model
only one is at work at a time, for all its events together; the others' events wait until it has no more, so that no
model is loaded twice. An event that one fails at goes on to the next on its route.
"""

from __future__ import annotations

import os
from collections import defaultdict, deque
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from queue import SimpleQueue

from foley.contracts import Context
from foley.errors import CompilationError, FoleyError, GenerationError
from foley.model import SoundEvent, Take
from foley.render.making import Making, Terms
from foley.render.routing import Roster, Route
from foley.render.studio import FAULTS, MOST_AT_ONCE, Studio

MOST_WORKERS = 4
"""Each holds a window and what its generator needs for it, about 100 MB: past four that is felt before it is of use."""

MOST_ASKERS = 64
"""Events that wait for one model at once: as many as its largest batch."""


@dataclass(eq=False)
class _Wish:
    """An event on its way to who can make it."""

    number: int
    event: SoundEvent
    route: Route
    failures: list[str] = field(default_factory=list)
    """Why each so far could not, beginning with its name."""

    def next_studio(self) -> Studio:
        """Return who is asked next.

        Raises:
            GenerationError: where nobody is left.
        """
        studio = self.route.studio(len(self.failures))
        if studio is None:
            names = ", ".join(failure.partition(" ")[0] for failure in self.failures)
            raise GenerationError(self.event.id, names, "; ".join(self.failures))
        return studio


@dataclass(eq=False)
class _Job:
    """One take to be made, for all events that come out the same."""

    key: str
    making: Making
    wishes: list[_Wish]


_Outcome = tuple[_Job, "Take | BaseException"]


class Dispatch:
    """Makes the takes of one plan."""

    def __init__(self, roster: Roster, terms: Terms, ctx: Context, *, workers: int = 0) -> None:
        """Take the plan's terms.

        Args:
            roster: Who there is.
            terms: How takes are made.
            ctx: Keeps them.
            workers: Threads for light generators; 0 for one a core, at most four.
        """
        self._roster = roster
        self._terms = terms
        self._ctx = ctx
        self._light = ThreadPoolExecutor(workers or min(os.cpu_count() or 1, MOST_WORKERS), thread_name_prefix="take")
        self._heavy = ThreadPoolExecutor(MOST_ASKERS, thread_name_prefix="ask")
        self._jobs: dict[str, _Job] = {}
        self._failed: dict[str, str] = {}
        self._queues: defaultdict[str, deque[_Job]] = defaultdict(deque)
        self._served: Studio | None = None
        self._asking = 0
        self._outcomes: SimpleQueue[_Outcome] = SimpleQueue()

    def all_made(self, events: Sequence[SoundEvent]) -> tuple[Take, ...]:
        """Return the takes of events, in their order.

        Raises:
            LicenceError: where only the licence policy keeps an event from being made.
            CompilationError: where a model that was to be compiled cannot be: it works without, so nobody steps in.
            GenerationError: where nobody could make an event.
        """
        # all routes first: what cannot be made at all is said before hours of work
        wishes = [_Wish(number, event, self._roster.route(event)) for number, event in enumerate(events)]
        made: dict[int, Take] = {}
        try:
            for wish in wishes:
                self._pass_on(wish)
            while len(made) < len(wishes):
                self._serve()
                for wish, take in self._settled(*self._outcomes.get()):
                    made[wish.number] = take
                    self._ctx.progress(len(made) / len(wishes), wish.event.id)
        finally:
            # also where it was interrupted: nobody is waited for who waits for a model
            self._roster.stop()
            for pool in (self._light, self._heavy):
                pool.shutdown(cancel_futures=True)
        return tuple(made[number] for number in range(len(wishes)))

    def _pass_on(self, wish: _Wish) -> None:
        """Have an event made by the next on its route."""
        while True:
            studio = wish.next_studio()
            try:
                making = Making(wish.event, studio, self._terms)
                key = self._ctx.digest("take", making.key)
            except (*FAULTS, FoleyError) as cause:
                wish.failures.append(f"{studio.name} {studio.told(cause)}")
                continue
            if key not in self._failed:
                return self._submit(key, making, wish)
            wish.failures.append(f"{studio.name} {self._failed[key]}")

    def _submit(self, key: str, making: Making, wish: _Wish) -> None:
        if key in self._jobs:
            self._jobs[key].wishes.append(wish)
            return
        job = self._jobs[key] = _Job(key, making, [wish])
        if making.studio.heavy:
            self._queues[making.studio.name].append(job)
        else:
            self._light.submit(self._do, job, 1)

    def _serve(self) -> None:
        """Give the model at work what is there for it; where that is nothing more, let the next begin."""
        if not self._asking:
            waiting = [queue for queue in self._queues.values() if queue]
            self._served = max(waiting, key=len)[0].making.studio if waiting else None
        if self._served is None:
            return
        queue = self._queues[self._served.name]
        more = min(MOST_ASKERS - self._asking, len(queue))
        self._asking += more
        self._served.enter(more)  # all before the first begins: it would find itself alone
        for _ in range(more):
            self._heavy.submit(self._do, queue.popleft(), max(1, MOST_AT_ONCE // self._asking))

    def _do(self, job: _Job, batch: int) -> None:
        """Make a take, in a thread of its own, and say how it went."""
        outcome: Take | BaseException
        try:
            outcome = self._ctx.once("take", job.making.key, lambda ctx: job.making.run(ctx, batch=batch))
        except BaseException as cause:  # noqa: BLE001 - raised again by who waits for it
            outcome = cause
        finally:
            if job.making.studio.heavy:
                job.making.studio.leave()
        self._outcomes.put((job, outcome))

    def _settled(self, job: _Job, outcome: Take | BaseException) -> Iterator[tuple[_Wish, Take]]:
        """Yield the takes that a job gave; who got none from it goes on to the next."""
        del self._jobs[job.key]
        studio = job.making.studio
        self._asking -= studio.heavy
        if isinstance(outcome, Take):
            for wish in job.wishes:
                notes = (f"{failure}: made by {studio.name}" for failure in wish.failures)
                take = job.making.placed(outcome, wish.event, job.key)
                yield wish, replace(take, notes=(*wish.route.notes, *notes, *take.notes))
        elif isinstance(outcome, GenerationError) and not isinstance(outcome, CompilationError):
            self._failed[job.key] = studio.told(outcome)
            for wish in job.wishes:
                wish.failures.append(f"{studio.name} {self._failed[job.key]}")
                self._pass_on(wish)
        else:
            raise outcome
