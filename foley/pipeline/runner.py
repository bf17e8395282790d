"""Run the stages of a workflow that a result hangs on, each from the cache where it was done before."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from functools import partial
from typing import Any, Literal, TypeVar

from foley.pipeline import stages
from foley.pipeline.beside import Beside
from foley.pipeline.cache import Cache
from foley.pipeline.workflow import Step, Workflow
from foley.version import __version__

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class StageProgress:
    """How far a run is."""

    stage: str
    number: int
    """Of the stage, from 1."""
    total: int
    done: float
    """Of the stage, 0 to 1."""
    what: str = ""


@dataclass(frozen=True, slots=True)
class StageTime:
    """How long a stage took."""

    stage: str
    seconds: float
    cached: bool


@dataclass(frozen=True, slots=True)
class StageNews:
    """A stage that begins, or how it ended."""

    stage: str
    state: Literal["began", "made", "found", "failed"]
    """found: its product lay in the cache."""
    seconds: float
    """What it took; 0 where it begins."""
    kept: bool
    """Whether the cache keeps what it makes."""


Witness = Callable[[StageNews], None]

_witness: ContextVar[Witness | None] = ContextVar("witness", default=None)


@contextmanager
def witnessed(by: Witness) -> Iterator[None]:
    """Tell `by` of every stage that runs in the block, those beside too, which tell it from another thread."""
    before = _witness.set(by)
    try:
        yield
    finally:
        _witness.reset(before)


@dataclass(frozen=True, slots=True)
class Run:
    """What a run made."""

    products: dict[type, Any]
    times: tuple[StageTime, ...]

    def __getitem__(self, kind: type[T]) -> T:
        """Return the product of that type."""
        product: T = self.products[kind]
        return product


def run(
    workflow: Workflow,
    given: Sequence[Any],
    wanted: Sequence[type],
    *,
    cache: Cache,
    on_progress: Callable[[StageProgress], None] | None = None,
) -> Run:
    """Run what `wanted` hangs on; a later product of a type replaces an earlier one.

    Raises:
        WorkflowError: before anything runs, where a stage lacks an input or nothing makes what is wanted.
    """
    kinds = [type(value) for value in given]
    chosen = stages.needed_for([step.stage for step in workflow.steps], wanted, kinds)
    stages.check(chosen, kinds)
    stages.check_made(chosen, wanted, kinds)
    steps = [step for step in workflow.steps if step.stage in chosen]
    products: dict[type, Any] = {type(value): value for value in given}
    clock = _Clock()
    with Beside() as beside:
        for number, step in enumerate(steps, 1):
            inputs = [_given(products, kind, late=kind in step.stage.late) for kind in step.stage.needs]
            if step.stage.beside:
                products[step.stage.makes] = beside.begin(partial(clock.timed, step, inputs, cache, say=_unsaid))
                continue
            say = _speaker(step.stage.name, number, len(steps), on_progress)
            products[step.stage.makes] = clock.timed(step, inputs, cache, say=say)
            say(1.0, "")
        for kind in products:
            products[kind] = _given(products, kind, late=False)
    return Run(products, tuple(clock.times))


def _given(products: dict[type, Any], kind: type, *, late: bool) -> Any:
    """Return a product as a stage asks for it: there, waiting for it where it is made beside, or as what is `Later`."""
    made = products[kind]
    pending = isinstance(made, Future)
    if late and not pending:
        done: Future[Any] = Future()
        done.set_result(made)
        return done
    return made.result() if pending and not late else made


class _Clock:
    """Times the stages of one run and tells its witness."""

    def __init__(self) -> None:
        self.times: list[StageTime] = []
        self._witness = _witness.get()

    def timed(self, step: Step, inputs: Sequence[Any], cache: Cache, *, say: Callable[[float, str], None]) -> Any:
        """Return what a stage makes."""
        self._tell(step, "began", 0.0)
        start = time.perf_counter()
        try:
            made, cached = _do(step, inputs, cache, say)
        except Exception:
            self._tell(step, "failed", time.perf_counter() - start)
            raise
        seconds = time.perf_counter() - start
        self.times.append(StageTime(step.stage.name, seconds, cached))
        self._tell(step, "found" if cached else "made", seconds)
        return made

    def _tell(self, step: Step, state: Literal["began", "made", "found", "failed"], seconds: float) -> None:
        if self._witness is not None:
            self._witness(StageNews(step.stage.name, state, seconds, step.stage.cached))


def _unsaid(done: float, what: str) -> None:
    """Say nothing of what is done beside: what is said is how far the stages themselves are."""


def _do(step: Step, inputs: Sequence[Any], cache: Cache, say: Callable[[float, str], None]) -> tuple[Any, bool]:
    stage = step.stage
    options = {} if step.options is None else {"opts": step.options}
    if stage.cached:
        # another foley may do the same otherwise and have forgotten to say so in a stage's version
        key = (__version__, stage.version, _plain(step.options), *inputs)
        return cache.once(stage.name, key, lambda ctx: stage(*inputs, **options, ctx=ctx), say)
    context = cache.context(say)
    try:
        return stage(*inputs, **options, ctx=context), False
    finally:
        context.close()


def _plain(options: Any) -> str:
    """Return options as part of a key: their `repr` names every field and value."""
    return repr(options)


def _speaker(
    stage: str, number: int, total: int, on_progress: Callable[[StageProgress], None] | None
) -> Callable[[float, str], None]:
    if on_progress is None:
        return _unsaid
    on_progress(StageProgress(stage, number, total, 0.0))
    return lambda done, what: on_progress(StageProgress(stage, number, total, done, what))
