"""One generator at work: prepared once, asked in batches, and what it gives is looked at before anybody hears it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from foley.contracts import Capabilities, Generator, SoundRequest
from foley.errors import FoleyError, GenerationError
from foley.model import Audio
from foley.units import to_gain, to_samples

SILENT_GAIN = to_gain(-80.0)
"""A peak below it is no sound: under the noise of any recording."""

FULL_SCALE = 1.0 - 2.0**-14
"""Samples from here on stand at full scale, in 16 bits too."""

SILENCE = "silence"
"""The generator whose silence is what was asked for."""

HEAVY_MB = 500
"""From here on a generator holds a model; less is what computing a window needs."""

CLIPPED_RUN = 3
"""Samples in a row at full scale that meters call an over."""

CLIPPED_SHARE = 1e-3
"""A sound with more of its samples in such runs is heard to be distorted; a blow that touches full scale is not."""

FAULTS = (RuntimeError, ValueError, ArithmeticError, LookupError, TypeError, OSError, MemoryError)
"""What a plugin may let through although its contract says GenerationError; torch's errors are RuntimeErrors."""

Ask = Callable[[], Sequence[SoundRequest]]
"""Gives the requests anew each time: a random stream that was drawn from once is spent."""


@dataclass(eq=False)
class _Order:
    """What one thread wants made."""

    ask: Ask
    sounds: list[Audio] = field(default_factory=list)
    error: FoleyError | None = None
    done: bool = False


class Studio:
    """A generator with what makes it safe to be asked by several threads at once.

    A generator that holds a model is asked by one thread at a time, with everything that has come in meanwhile as one
    batch. A light one is asked by all threads at once.
    """

    def __init__(self, name: str, generator: Generator) -> None:
        self.name = name
        self.generator = generator
        self._ready: Exception | bool = False
        self._busy = threading.Lock()
        self._guard = threading.Lock()
        self._waiting: list[_Order] = []

    @property
    def capabilities(self) -> Capabilities:
        """Return what it can do."""
        return self.generator.capabilities

    @property
    def heavy(self) -> bool:
        """Return whether it holds a model, so that batches pay and two at once would not fit."""
        return self.capabilities.needs_gpu or self.capabilities.memory_mb >= HEAVY_MB

    @cached_property
    def identity(self) -> str:
        """Return what makes its sounds differ from another's."""
        return self.generator.identity()

    @cached_property
    def missing(self) -> tuple[str, ...]:
        """Return what must be installed first."""
        return self.generator.missing()

    @property
    def may_be_silent(self) -> bool:
        """Return whether silence is no fault of it."""
        return self.name == SILENCE

    def sounds(self, ask: Ask) -> list[Audio]:
        """Return one sound for each request.

        Raises:
            GenerationError: where one of them cannot be made, or is not what was asked for.
        """
        order = _Order(ask)
        if not self.heavy:
            self._run([order])
        else:
            with self._guard:
                self._waiting.append(order)
            with self._busy:
                if not order.done:  # else the thread before made it along with its own
                    with self._guard:
                        orders, self._waiting = self._waiting, []
                    self._run(orders)
        if order.error is not None:
            raise order.error
        return order.sounds

    def _run(self, orders: list[_Order], *, again: bool = True) -> None:
        """Make all orders as one batch; where that fails, each alone and once, so that none fails for another."""
        try:
            batches = [order.ask() for order in orders]
            sounds = self._generate([request for batch in batches for request in batch])
        except GenerationError as cause:
            if again and (len(orders) > 1 or cause.retryable):
                for order in orders:
                    self._run([order], again=False)
                return
            orders[0].error = cause
        else:
            for order, batch in zip(orders, batches, strict=True):
                order.sounds, sounds = sounds[: len(batch)], sounds[len(batch) :]
        for order in orders:
            order.done = True

    def _generate(self, requests: Sequence[SoundRequest]) -> list[Audio]:
        event_id = requests[0].event.id
        try:
            self._prepare()
            sounds = self.generator.generate(requests)
        except GenerationError:
            raise
        except (*FAULTS, FoleyError) as cause:
            raise GenerationError(event_id, self.name, str(cause) or type(cause).__name__) from cause
        if len(sounds) != len(requests):
            raise GenerationError(event_id, self.name, f"gave {len(sounds)} sounds for {len(requests)} requests")
        for request, audio in zip(requests, sounds, strict=True):
            fault = fault_of(audio, request, may_be_silent=self.may_be_silent)
            if fault is not None:
                raise GenerationError(request.event.id, self.name, fault)
        return sounds

    def _prepare(self) -> None:
        """Prepare the generator once; what went wrong then goes wrong again at once, not after another long try."""
        with self._guard:
            if self._ready is False:
                try:
                    self.generator.prepare()
                    self._ready = True
                except (*FAULTS, FoleyError) as cause:
                    self._ready = cause
        if isinstance(self._ready, Exception):
            raise self._ready


def fault_of(audio: Audio, request: SoundRequest, *, may_be_silent: bool = False) -> str | None:
    """Return what is wrong with a sound, in words; None where it is as asked for."""
    due = to_samples(request.duration_s, audio.rate_hz)
    if audio.channels not in (1, 2):
        return f"gave {audio.channels} channels; one or two can be used"
    if audio.length != due:
        return f"gave {audio.length} samples where {due} were due"
    if not np.isfinite(audio.samples).all():
        return "gave samples that are no numbers"
    peak = float(np.max(np.abs(audio.samples), initial=0.0))
    if peak < SILENT_GAIN and request.event.kind == "hits" and not may_be_silent:
        return "gave silence where a hit was due"
    if peak >= FULL_SCALE and _clipped_share(audio) > CLIPPED_SHARE:
        return "gave clipped sound"
    return None


def _clipped_share(audio: Audio) -> float:
    """Return which part of the samples stands at full scale in a row of three or more."""
    full = np.abs(audio.samples) >= FULL_SCALE
    runs = full[:, CLIPPED_RUN - 1 :].copy()
    for back in range(1, CLIPPED_RUN):
        runs &= full[:, CLIPPED_RUN - 1 - back : -back]
    return float(runs.mean()) if runs.size else 0.0
