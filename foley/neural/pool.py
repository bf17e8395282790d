"""Models that are loaded: once per process, kept warm, the least recently used given up when the next would not fit.

A model is asked for with `hold` each time it is used. Who keeps it beyond that keeps its memory too, even after it was
given up here.
"""

from __future__ import annotations

import contextlib
import threading
import time
import traceback
from collections import Counter, OrderedDict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, TypeVar, cast

from foley.errors import OptionError
from foley.neural import memory

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class _Held:
    model: Any
    size_mb: int
    device: str


LONGEST_WAIT_S = 120.0
"""For a model that is at work elsewhere to be given up: a batch of sounds rarely takes longer on a GPU. Then loading is
tried as it is."""

_held: OrderedDict[tuple[object, ...], _Held] = OrderedDict()
"""By key, the least recently used first."""

_at_work: Counter[tuple[tuple[object, ...], int]] = Counter()
"""How often each model is in use, by key and thread: it would keep its memory if it were given up."""

_queueing: set[int] = set()
"""Threads that wait to load: nobody may wait for what they have at work."""

_table = threading.Condition()
"""Held while these are looked at, never for long; told when a model is no longer at work."""

_loading = threading.RLock()
"""Held while a model loads: two at once would each take the room that the other counted on. A model may hold others
that it is made of."""


def hold(key: tuple[object, ...], load: Callable[[], T], *, size_mb: int, device: str, max_vram_mb: int = 0) -> T:
    """Return the model of a key, loaded once; others are given up where there is no room for it.

    Args:
        key: What tells it from every other: class, place and revision, device, type of number, quantisation.
        load: Loads it; called again once, with all others given up, where memory runs out.
        size_mb: Its expected use of the device's memory.
        device: Where it is put: cpu, cuda or mps.
        max_vram_mb: The most that all models on the device may take; 0 for what is free. Not for cpu.

    Raises:
        OptionError: where `max_vram_mb` is too little for this model alone.
    """
    if (found := _found(key)) is not None:
        return cast(T, found.model)
    with _turn_to_load():
        if (found := _found(key)) is not None:  # another thread loaded it meanwhile
            return cast(T, found.model)
        if max_vram_mb and device != "cpu" and size_mb > max_vram_mb:
            raise OptionError(
                f"{key[0]} needs about {size_mb} MB on {device}, where {max_vram_mb} MB are allowed",
                hint="raise --max-vram, use --device cpu, or name a smaller model",
            )
        evict_for(size_mb, device, max_vram_mb)
        model = _loaded(load, device)
        with _table:
            _held[key] = _Held(model, size_mb, device)
            _put_to_work(key)
        return model


def evict_for(needed_mb: int, device: str, max_vram_mb: int = 0) -> None:
    """Give up models on a device, the least recently used first, until what is needed fits, or none is left.

    Those at work, as `memory.translated` surrounds it, are waited for.
    """
    until_s = time.monotonic() + LONGEST_WAIT_S
    while not _has_room(needed_mb, device, max_vram_mb):
        if not _gave_one_up(device, until_s):
            return
        memory.release(device)


def held() -> dict[tuple[object, ...], int]:
    """Return what is loaded, the least recently used first, with its expected use in MB."""
    with _table:
        return {key: one.size_mb for key, one in _held.items()}


def clear(device: str | None = None) -> None:
    """Give up all models, or all on a device."""
    with _table:
        gone = [key for key, one in _held.items() if device in (None, one.device)]
        devices = {_held.pop(key).device for key in gone}
    for one in devices:
        memory.release(one)


def _found(key: tuple[object, ...]) -> _Held | None:
    with _table:
        if key not in _held:
            return None
        _held.move_to_end(key)
        _put_to_work(key)
        return _held[key]


def _put_to_work(key: tuple[object, ...]) -> None:
    """Note that a model is at work until this thread's piece of work is done."""
    use = key, threading.get_ident()

    def done() -> None:
        with _table:
            _at_work[use] -= 1
            if not _at_work[use]:
                del _at_work[use]
            _table.notify_all()

    if memory.when_done(done):
        _at_work[use] += 1


@contextlib.contextmanager
def _turn_to_load() -> Iterator[None]:
    """Wait for this thread's turn to load."""
    me = threading.get_ident()
    with _table:
        _queueing.add(me)
        _table.notify_all()
    with _loading:
        with _table:
            _queueing.discard(me)
        yield


def _gave_one_up(device: str, until_s: float) -> bool:
    """Give up the model on a device that was used least recently; False where there is none that may be."""
    me = threading.get_ident()
    with _table:
        while True:
            here = [key for key, one in _held.items() if one.device == device]
            busy = {key for key, _ in _at_work}
            if idle := next((key for key in here if key not in busy), None):
                del _held[idle]
                return True
            awaited = [key for key, thread in _at_work if key in here and thread not in (me, *_queueing)]
            if not awaited or not _table.wait(until_s - time.monotonic()):
                return False


def _has_room(needed_mb: int, device: str, max_vram_mb: int) -> bool:
    if max_vram_mb and device != "cpu":
        with _table:
            taken_mb = sum(one.size_mb for one in _held.values() if one.device == device)
        if taken_mb + needed_mb > max_vram_mb:
            return False
    return memory.free_mb(device) >= needed_mb


def _loaded(load: Callable[[], T], device: str) -> T:
    """Return what is loaded; where memory runs out, tried again with nothing else loaded: sizes are estimates."""
    try:
        return load()
    except (RuntimeError, MemoryError) as cause:
        with _table:
            others = any(one.device == device for one in _held.values())
        if not others or not memory.is_lack(cause):
            raise
        traceback.clear_frames(cause.__traceback__)  # they hold what had been loaded until then
    clear(device)
    return load()
