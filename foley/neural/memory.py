"""How much of a device's memory is free, what fits into it, and what happens where it does not."""

from __future__ import annotations

import contextlib
import gc
import os
import sys
import threading
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path

from foley.errors import DeviceMemoryError
from foley.neural import runtime

USABLE = 0.8
"""Part of the free memory that a batch may count on: allocators leave gaps, and others on the machine want some too."""

UNKNOWN_MB = 4096
"""Taken as free where a system tells nothing: what the smallest machines that run such models have."""

_MB = 1 << 20

_work = threading.local()
"""Of each thread: what is to be called when the pieces of work that it is at are done, the innermost last."""

MEMORY_INFO = Path("/proc/meminfo")
CONTROL_GROUP = Path("/sys/fs/cgroup")
"""Linux: what a container may use lies in memory.max, what it uses in memory.current."""


def free_mb(device: str) -> int:
    """Return how much memory a device has for new tensors, in MB of 2^20 bytes.

    What torch holds in reserve on the device counts as free: new tensors are put there first.

    Args:
        device: cpu, cuda or mps, as `runtime.device` returns it; a number may follow as in cuda:1.
    """
    kind = device.partition(":")[0]
    if kind == "cuda":
        cuda = runtime.torch().cuda
        reserve = cuda.memory_reserved(device) - cuda.memory_allocated(device)
        return int(cuda.mem_get_info(device)[0] + reserve) // _MB
    if kind == "mps":
        mps = runtime.torch().mps
        return max(0, int(mps.recommended_max_memory() - mps.current_allocated_memory())) // _MB
    return _free_host_mb()


def largest_batch(item_mb: float, device: str, *, model_mb: float = 0, max_vram_mb: int = 0) -> int:
    """Return how many items can be computed at once; at least 1: whether one fits only trying tells.

    Args:
        item_mb: Expected use of one item.
        device: Where it is computed.
        model_mb: What the model takes that is loaded already: it counts against `max_vram_mb`.
        max_vram_mb: The most of the device's memory that may be used, model included; 0 for what is free.
    """
    room_mb = USABLE * free_mb(device)
    if max_vram_mb and device != "cpu":
        room_mb = min(room_mb, max_vram_mb - model_mb)
    return max(1, int(room_mb / max(item_mb, 1e-3)))


@contextlib.contextmanager
def translated(event_id: str, generator: str, device: str) -> Iterator[None]:
    """Turn a lack of memory into an error after which less is asked for at once; the device's memory is free again.

    What is done inside counts as one piece of work: models that are held in it are not given up before it is done.

    Raises:
        DeviceMemoryError: where what is done inside runs out of memory.
    """
    pieces: list[list[Callable[[], None]]] = _work.__dict__.setdefault("pieces", [])
    pieces.append([])
    try:
        yield
    except (RuntimeError, MemoryError) as cause:
        if not is_lack(cause):
            raise
        traceback.clear_frames(cause.__traceback__)  # they hold what had been made until then
        release(device)
        raise DeviceMemoryError(event_id, generator, device) from cause
    finally:
        for call in pieces.pop():
            call()


def when_done(call: Callable[[], None]) -> bool:
    """Have something called when the piece of work that this thread is at is done; False where it is at none."""
    pieces: list[list[Callable[[], None]]] = _work.__dict__.get("pieces", [])
    if pieces:
        pieces[-1].append(call)
    return bool(pieces)


def is_lack(cause: BaseException) -> bool:
    """Return whether an error says that memory ran out: not every backend of torch has a class of its own for it."""
    if isinstance(cause, MemoryError):
        return True
    text = str(cause).lower()
    return isinstance(cause, RuntimeError) and ("out of memory" in text or "can't allocate memory" in text)


def release(device: str) -> None:
    """Give back what nobody uses any more, to the device and to other programs."""
    gc.collect()
    if "torch" not in sys.modules:
        return
    kind = device.partition(":")[0]
    if kind == "cuda":
        runtime.torch().cuda.empty_cache()
    elif kind == "mps":
        runtime.torch().mps.empty_cache()


def _free_host_mb() -> int:
    """Return what programs can still get of the machine's memory, or of the container's where that is less."""
    free = _available_by_kernel()
    if free is None:
        free = _available_by_pages()
    limits = [bytes_left for bytes_left in (free, _left_to_container()) if bytes_left is not None]
    return max(0, min(limits)) // _MB if limits else UNKNOWN_MB


def _available_by_kernel() -> int | None:
    """Return Linux' own estimate, which counts what its caches can give back."""
    try:
        lines = MEMORY_INFO.read_text(encoding="ascii").splitlines()
    except OSError:
        return None
    found = next((line.split()[1] for line in lines if line.startswith("MemAvailable:")), None)
    return int(found) * 1024 if found else None


def _available_by_pages() -> int | None:
    """Return the free pages, or half of all where a system does not say which are free, as macOS."""
    for name, part in (("SC_AVPHYS_PAGES", 1.0), ("SC_PHYS_PAGES", 0.5)):
        with contextlib.suppress(ValueError, OSError, AttributeError):  # no such figure, or no such call (Windows)
            return int(part * os.sysconf(name) * os.sysconf("SC_PAGE_SIZE"))
    return None


def _left_to_container() -> int | None:
    """Return what the control group of a container leaves; None where it sets no limit."""
    try:
        limit = (CONTROL_GROUP / "memory.max").read_text(encoding="ascii").strip()
        used = (CONTROL_GROUP / "memory.current").read_text(encoding="ascii").strip()
        return int(limit) - int(used)
    except (OSError, ValueError):  # no container, another system, or "max"
        return None
