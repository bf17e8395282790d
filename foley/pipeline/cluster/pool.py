"""The actors of one generator: Ray places them and begins lost ones anew; work goes to those that answer.

An actor whose machine is gone may wait for ever for a GPU that is no more. What it was doing is asked of the others,
and it gets work again when it answers again. What was lost with an actor may have been what ended it: it is asked again
alone, so that no other video fails for it.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from foley.pipeline.cluster import door

MOST_ORDERS = 8
"""Orders that one actor has at once: videos whose sounds come into the same batches. What they wait for lies in the
driver, where it takes no room."""

Told = Callable[[Any, Exception | None], None]
"""Is told what a piece of work gave, or why it gave nothing."""

Watch = Callable[[Any, Told], None]
"""Has a `Told` told, when what a Ray reference stands for is there."""


@dataclass(eq=False)
class _Call:
    """One order on its way."""

    order: Any
    tell: Told
    losses: int = 0

    @property
    def weight(self) -> int:
        """Return how much of an actor it takes."""
        return MOST_ORDERS if self.losses else 1


class Pool:
    """Asks whichever actor has least to do."""

    def __init__(self, actors: Sequence[Any], watch: Watch, *, retries: int) -> None:
        """Wait for the actors to answer; orders are taken at once.

        Args:
            actors: With `ready` and `make`.
            watch: The driver's.
            retries: How often what was lost with an actor is asked again.
        """
        self._watch = watch
        self._retries = retries
        self._waiting: deque[_Call] = deque()
        self._busy: dict[Any, int] = {}
        """How much of each is taken, of those that answer."""
        self._asked = 0
        """Actors that have not answered yet."""
        self._gone: Exception | None = None
        """Why there is no actor any more."""
        for actor in actors:
            self._call_on(actor)

    def ask(self, order: Any, tell: Told) -> None:
        """Have an order made."""
        self._waiting.append(_Call(order, tell))
        self._send()
        self._give_up()

    def _call_on(self, actor: Any) -> None:
        """Send nothing to an actor before it says that it is there."""
        self._busy.pop(actor, None)
        self._asked += 1
        self._watch(actor.ready.remote(), partial(self._answered, actor))

    def _answered(self, actor: Any, ready: Any, error: Exception | None) -> None:
        self._asked -= 1
        if error is None:
            self._busy[actor] = 0
            self._send()
        elif not self._busy and not self._asked:  # this was the last
            self._gone = error
            self._give_up()

    def _give_up(self) -> None:
        """Let nobody wait where no actor is left that may answer."""
        while self._gone is not None and self._waiting:
            self._waiting.popleft().tell(None, self._gone)

    def _send(self) -> None:
        while self._waiting and self._busy:
            actor = min(self._busy, key=lambda one: self._busy[one])
            call = self._waiting[0]
            if self._busy[actor] + call.weight > MOST_ORDERS:
                return
            self._waiting.popleft()
            self._busy[actor] += call.weight
            self._watch(actor.make.remote(call.order), partial(self._made, actor, call))

    def _made(self, actor: Any, call: _Call, made: Any, error: Exception | None) -> None:
        if error is None or not door.lost(error):
            if actor in self._busy:
                self._busy[actor] = max(0, self._busy[actor] - call.weight)
            call.tell(made, error)
        else:
            if actor in self._busy:
                self._call_on(actor)
            call.losses += 1
            if call.losses <= self._retries:
                self._waiting.append(call)
            else:
                call.tell(None, error)
        self._send()
        self._give_up()
