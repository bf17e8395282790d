"""What is done next: runs that are ready, plans that models wait for, those that a crash took down, alone."""

from __future__ import annotations

from collections import Counter, defaultdict, deque
from collections.abc import Callable, Sequence
from dataclasses import replace

from foley.batch.items import Item, Outcome
from foley.batch.work import Job

TOGETHER = 32
"""Videos whose takes are made together: with a dozen sounds of a model each, enough to fill its batches several times
over; and so few that the first are finished soon."""


class Schedule:
    """The items of a batch that are still to be done."""

    def __init__(self, items: Sequence[Item], *, uses_models: Callable[[Item], bool]) -> None:
        """Take the items in.

        Args:
            items: In the order in which they are begun.
            uses_models: Says of an item whether its takes may be worth making together with others'.
        """
        self._runs: deque[Item] = deque()
        self._plans: deque[Item] = deque()
        self._planned: list[Item] = []
        self._alone: deque[Item] = deque()
        self._followers: defaultdict[int, list[Item]] = defaultdict(list)
        self._at_plans = self._at_takes = 0
        self.attempts: Counter[int] = Counter()
        first: dict[str, Item] = {}
        for item in items:
            same = first.setdefault(item.request, item) if item.request else item
            if same is not item:
                self._followers[same.number].append(item)
            else:
                (self._plans if uses_models(item) else self._runs).append(item)

    def __len__(self) -> int:
        """Return how many items were not begun yet, or wait for something."""
        waiting = sum(map(len, self._followers.values()))
        return len(self._runs) + len(self._plans) + len(self._planned) + len(self._alone) + waiting

    def left(self) -> list[Item]:
        """Return the items that were not begun yet, or wait for something."""
        waiting = [item for items in self._followers.values() for item in items]
        return [*self._runs, *self._plans, *self._planned, *self._alone, *waiting]

    def next(self, *, busy: int) -> Job | None:
        """Return what a worker does next; None where there is nothing now.

        Args:
            busy: How many workers are at work: what runs alone waits until none is.
        """
        if self._runs:
            return self._begun(Job("run", (self._runs.popleft(),)))
        # plans only so far ahead of the models: what waits between them is bounded
        if self._plans and self._at_plans + len(self._planned) + self._at_takes < 2 * TOGETHER:
            self._at_plans += 1
            return Job("plan", (self._plans.popleft(),))
        if self._alone and not busy and not (self._at_takes or self._at_plans):
            return self._begun(Job("run", (self._alone.popleft(),)))
        return None

    def next_takes(self) -> Job | None:
        """Return the items whose takes are made together next; None where they are not planned yet."""
        more_come = self._plans or self._at_plans
        if self._at_takes or not self._planned or (more_come and len(self._planned) < TOGETHER):
            return None
        items, self._planned = self._planned[:TOGETHER], self._planned[TOGETHER:]
        self._at_takes = len(items)
        return Job("takes", tuple(items))

    def planned(self, item: Item, *, well: bool) -> None:
        """Note that an item's plan was made; where that failed, its run says why."""
        self._at_plans -= 1
        (self._planned if well else self._runs).append(item)

    def takes_made(self, items: Sequence[Item], unmade: Sequence[int]) -> None:
        """Note that takes were made; an item that lacks some runs alone, so that no two load the same model."""
        self._at_takes = 0
        for item in items:
            (self._alone if item.number in unmade else self._runs).append(item)

    def again(self, item: Item, *, alone: bool) -> None:
        """Do an item again: alone where it may have taken too much memory."""
        (self._alone if alone else self._runs).append(item)

    def plan_again(self) -> None:
        """Note that a worker was lost over a plan."""
        self._at_plans -= 1

    def ended(self, item: Item, outcome: Outcome) -> list[tuple[Item, Outcome]]:
        """Note what became of an item; return what thereby became of others that ask for the very same."""
        others = self._followers.pop(item.number, [])
        same = [one for one in others if one.output == item.output]
        others = [one for one in others if one.output != item.output]
        if others and outcome.good:  # all that is made lies in the cache: what is left is to write it
            self._runs.extendleft(reversed(others))
        elif others:
            self._runs.appendleft(others[0])
            self._followers[others[0].number] = others[1:]
        state = "known" if outcome.good else outcome.state
        return [(one, replace(outcome, number=one.number, state=state, same_as=item.number)) for one in same]

    def _begun(self, job: Job) -> Job:
        self.attempts[job.items[0].number] += 1
        return job
