"""One generator at work: prepared once, asked in batches, and what it gives is looked at before anybody hears it.

What holds a model is asked for all events together: it works when everybody who wants something of it waits (events
that are done, or that somebody else makes, no longer count), and then makes sounds of similar length in batches as
large as fit into memory. What one request gives never depends on what else is in its batch: generators promise that.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TypeVar

import numpy as np

from foley.contracts import Capabilities, Generator, GeneratorSettings, SoundRequest, makers
from foley.errors import CompilationError, DeviceMemoryError, FoleyError, GenerationError
from foley.model import Audio, SoundEvent
from foley.render.patience import OverdueError, Patience, StoppedError
from foley.render.segments import is_clipped
from foley.units import to_gain, to_samples

T = TypeVar("T")

SILENT_GAIN = to_gain(-80.0)
"""A peak below it is no sound: under the noise of any recording."""

FULL_SCALE = 1.0 - 2.0**-14
"""Samples from here on stand at full scale, in 16 bits too."""

EMBEDDED = "procedural"
"""The generator that is always there; what it does poorly the plan marks as `placeholder`."""

SILENCE = "silence"
"""The generator whose silence is what was asked for."""

HEAVY_MB = 500
"""From here on a generator holds a model; less is what computing a window needs."""

MOST_AT_ONCE = 64
"""Sounds in one batch, and sounds of all events that wait for one generator: past it, batches no longer save time,
and 64 windows of 20 s in stereo are 450 MB."""

SIMILAR = 0.5
"""Sounds at least this part as long as the longest go into one batch: many models compute all as long as that one."""

LOADING_S = 600.0
"""The least time that a generator has for loading, which reads gigabytes, whatever a sound may take."""

FAULTS = (
    RuntimeError,
    ValueError,
    ArithmeticError,
    LookupError,
    TypeError,
    AttributeError,
    ImportError,
    OSError,
    MemoryError,
)
"""What a plugin may let through although its contract says GenerationError; torch's errors are RuntimeErrors."""

Ask = Callable[[], Sequence[SoundRequest]]
"""Gives the requests anew each time: a random stream that was drawn from once is spent."""


@dataclass(eq=False)
class _Order:
    """What one thread wants made."""

    ask: Ask
    sounds: dict[int, Audio] = field(default_factory=dict)
    """By the request's number."""
    error: FoleyError | None = None
    done: bool = False


@dataclass(eq=False)
class _Item:
    """One sound of an order."""

    order: _Order
    number: int
    request: SoundRequest

    def renew(self) -> None:
        """Get the request again: its random stream may be spent."""
        self.request = self.order.ask()[self.number]


class Studio:
    """A generator with what makes it safe to be asked by several threads at once.

    A light one is asked by all threads at once. One that holds a model makes what all threads want together: who
    asks says so before with `enter`, and afterwards with `leave`, so that nobody is waited for in vain.
    """

    def __init__(
        self, name: str, generator: Generator, settings: GeneratorSettings | None = None, *, batch: int = 8
    ) -> None:
        """Take a generator in.

        Args:
            name: Its name among the plugins.
            generator: As its module's `build` made it.
            settings: What it was built with: device, memory and time are kept to here.
            batch: How many sounds it is asked for at once, where it does not say what one of them needs.
        """
        self.name = name
        self.generator = generator
        self._settings = settings or GeneratorSettings()
        self._batch = batch
        self._most = MOST_AT_ONCE
        self._ready: Exception | bool = False
        self._preparing = threading.Lock()
        self._turn = threading.Condition()
        self._askers = 0
        self._waiting: list[_Order] = []
        self._serving = False
        self._over = ""
        self._patience = Patience(f"generator-{name}")

    @property
    def capabilities(self) -> Capabilities:
        """Return what it can do."""
        return self.generator.capabilities

    @property
    def heavy(self) -> bool:
        """Return whether it holds a model, so that batches pay and two at once would not fit."""
        return self.capabilities.needs_gpu or self.capabilities.memory_mb >= HEAVY_MB

    @property
    def exact(self) -> bool:
        """Return whether its sound is placed and shaped as it comes."""
        return self.capabilities.hit_exact and self.capabilities.follows_curve

    @property
    def learned(self) -> bool:
        """Return whether it learned from recordings, so that a sound may hold what nobody asked for."""
        return self.capabilities.weights_licence != "none"

    @cached_property
    def identity(self) -> str:
        """Return what makes its sounds differ from another's."""
        return self.generator.identity()

    def makers(self, event: SoundEvent) -> tuple[Generator, ...]:
        """Return who has a part in its sound of an event: itself, and those whose sounds it makes that one out of."""
        return makers(self.generator, event)

    def identity_for(self, event: SoundEvent) -> str:
        """Return what makes its sound of an event differ from another's."""
        return " ".join([self.identity, *(one.identity() for one in self.makers(event)[1:])])

    def terms_for(self, event: SoundEvent) -> tuple[str, bool]:
        """Return the licence of the weights that its sound of an event is bound by, and whether it allows business."""
        said = sorted((one.capabilities for one in self.makers(event)), key=lambda one: one.commercial)
        bound = [one.weights_licence for one in said if one.weights_licence != "none"]
        return (bound or ["none"])[0], all(one.commercial for one in said)

    def weights(self) -> dict[str, str]:
        """Return the SHA-256 of each file of its weights, by name; empty where it has none, or does not say where."""
        place = getattr(self.generator, "place", lambda: None)()
        if place is None:
            return {}
        from foley.neural import weights  # brings what only models need

        return dict(weights.record(place)["sha256"])

    @cached_property
    def missing(self) -> tuple[str, ...]:
        """Return what must be installed first."""
        return self.generator.missing()

    @property
    def may_be_silent(self) -> bool:
        """Return whether silence is no fault of it."""
        return self.name == SILENCE

    def told(self, cause: Exception) -> str:
        """Return what an error of this generator says, without the event and the name that it may begin with."""
        if not isinstance(cause, FoleyError):
            return str(cause) or type(cause).__name__
        if isinstance(cause, GenerationError):
            return cause.message.partition(f"{self.name}: ")[2] or cause.message
        return f"failed: {cause.message}: {cause.hint}" if cause.hint else f"failed: {cause.message}"

    def enter(self, count: int = 1) -> None:
        """Announce threads that will ask: no batch begins before each of them waits, or has left."""
        with self._turn:
            self._askers += count

    def leave(self) -> None:
        """Take a thread's announcement back: it will ask no more."""
        with self._turn:
            self._askers -= 1
            self._turn.notify_all()

    def stop(self) -> None:
        """Make nothing any more, and let everybody who waits go on with an error."""
        self._end("was stopped")
        self._patience.stop()

    def sounds(self, ask: Ask) -> list[Audio]:
        """Return one sound for each request.

        Raises:
            GenerationError: where one of them cannot be made, or is not what was asked for.
        """
        order = _Order(ask)
        if self.heavy:
            self._wait_for(order)
        else:
            self._serve([order])
        if order.error is not None:
            raise order.error
        return [order.sounds[number] for number in range(len(order.sounds))]

    def _wait_for(self, order: _Order) -> None:
        """Wait until an order is done; whoever finds that all wait has everything made that is wanted."""
        with self._turn:
            self._waiting.append(order)
            self._turn.notify_all()
        while True:
            with self._turn:
                self._turn.wait_for(lambda: order.done or self._over or self._all_wait())
                if order.done:
                    return
                if self._over:
                    order.error = self._ended(order)
                    return
                orders, self._waiting, self._serving = self._waiting, [], True
            try:
                self._serve(orders)
            finally:
                with self._turn:
                    self._serving = False
                    self._turn.notify_all()

    def _all_wait(self) -> bool:
        return not self._serving and bool(self._waiting) and len(self._waiting) >= self._askers

    def _serve(self, orders: Sequence[_Order]) -> None:
        """Make what orders want, the longest sounds first: where one does not fit, that is found at once."""
        items = [_Item(order, *numbered) for order in orders for numbered in enumerate(order.ask())]
        items.sort(key=lambda item: -item.request.duration_s)
        while items:
            longest_s = items[0].request.duration_s
            batch = [item for item in items[: self._fitting(items)] if item.request.duration_s >= SIMILAR * longest_s]
            items = items[len(batch) :]
            self._make(batch)
            # who has all of it need not wait for the others
            self._hand_out(orders, unmade={id(item.order) for item in items if item.order.error is None})
        self._hand_out(orders, unmade=set())

    def _hand_out(self, orders: Sequence[_Order], *, unmade: set[int]) -> None:
        with self._turn:
            for order in orders:
                order.done = id(order) not in unmade
            self._turn.notify_all()

    def _fitting(self, items: Sequence[_Item]) -> int:
        """Return how many of the items, the longest first, may be made at once."""
        if len(items) == 1 or not self.heavy:
            return len(items)
        needed_mb = getattr(self.generator, "item_mb", None)
        if needed_mb is None:
            return min(self._batch, self._most)
        return min(self._memory_for(needed_mb, items[0].request), self._most)

    def _memory_for(self, needed_mb: Callable[[float], float], request: SoundRequest) -> int:
        """Return how many sounds as long as a request's fit beside the loaded model."""
        from foley.neural import memory, runtime

        try:
            self._prepare(request.event.id)
            return memory.largest_batch(
                needed_mb(request.duration_s),
                runtime.device(self._settings.device),
                model_mb=self.capabilities.memory_mb,
                max_vram_mb=self._settings.max_vram_mb,
            )
        except (*FAULTS, FoleyError):  # what is wrong is said when a sound is asked for
            return self._batch

    def _make(self, items: Sequence[_Item], *, again: bool = True) -> None:
        """Make a batch; where that fails, in smaller ones, so that no sound fails for another."""
        items = [item for item in items if item.order.error is None]
        if not items:
            return
        try:
            self._keep(items, self._generate([item.request for item in items]))
        except GenerationError as cause:
            if isinstance(cause, DeviceMemoryError):
                self._most = max(1, min(self._most, len(items) // 2))
            alone = len(items) == 1 and not (again and _may_help(cause))
            if self._over or alone or isinstance(cause, CompilationError):
                for item in items:
                    item.order.error = cause
                return
            for item in items:
                item.renew()
            rest, size = list(items), max(1, len(items) // 2)
            while rest:
                # a half that does not fit either says that the other will not
                count = min(size, self._most)
                part, rest = rest[:count], rest[count:]
                self._make(part, again=again and len(items) > 1)

    def _keep(self, items: Sequence[_Item], sounds: Sequence[Audio]) -> None:
        """Give each order its sounds; one that is not as asked for is its own order's failure alone."""
        for item, audio in zip(items, sounds, strict=True):
            fault = fault_of(audio, item.request, may_be_silent=self.may_be_silent)
            if fault is None:
                item.order.sounds[item.number] = audio
            else:
                item.order.error = GenerationError(item.request.event.id, self.name, fault)

    def _generate(self, requests: Sequence[SoundRequest]) -> list[Audio]:
        event_id = requests[0].event.id
        self._prepare(event_id)
        limit_s = self._settings.time_limit_s * len(requests)
        try:
            sounds = self._in_time(lambda: self.generator.generate(requests), limit_s, event_id)
        except GenerationError:
            raise
        except MemoryError as cause:
            raise DeviceMemoryError(event_id, self.name, "cpu") from cause
        except (*FAULTS, FoleyError) as cause:
            raise GenerationError(event_id, self.name, self.told(cause)) from cause
        if len(sounds) != len(requests):
            raise GenerationError(event_id, self.name, f"gave {len(sounds)} sounds for {len(requests)} requests")
        return sounds

    def _prepare(self, event_id: str) -> None:
        """Prepare the generator once; what went wrong then goes wrong again at once, not after another long try."""
        with self._preparing:
            if self._ready is False:
                limit_s = max(LOADING_S, self._settings.time_limit_s)
                try:
                    self._in_time(self.generator.prepare, limit_s, event_id)
                    self._ready = True
                except (*FAULTS, FoleyError) as cause:
                    self._ready = cause
        if isinstance(self._ready, Exception):
            raise GenerationError(event_id, self.name, self.told(self._ready)) from self._ready

    def _in_time(self, work: Callable[[], T], limit_s: float, event_id: str) -> T:
        """Return what the generator's work returns; what comes with foley is believed to end.

        Raises:
            GenerationError: where it takes too long: it is never asked again.
        """
        if self._over:
            raise GenerationError(event_id, self.name, self._over)
        if self.name in (EMBEDDED, SILENCE):
            return work()
        try:
            return self._patience.wait_for(work, limit_s)
        except OverdueError:
            self._end(f"gave nothing within {limit_s:g} s")
            raise GenerationError(event_id, self.name, self._over) from None
        except StoppedError:
            raise GenerationError(event_id, self.name, "was stopped") from None

    def _end(self, reason: str) -> None:
        with self._turn:
            self._over = self._over or reason
            self._turn.notify_all()

    def _ended(self, order: _Order) -> GenerationError:
        asked = order.ask()
        return GenerationError(asked[0].event.id if asked else "", self.name, self._over)


def _may_help(cause: GenerationError) -> bool:
    """Return whether the same may come out well the second time; one sound that does not fit will not fit then."""
    return cause.retryable and not isinstance(cause, DeviceMemoryError)


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
    if is_clipped(audio.samples, full_scale=FULL_SCALE):
        return "gave clipped sound"
    return None
