"""Denoisers compiled: the same sums in fewer passes over memory, after some seconds of compiling.

What is compiled and what is not differ in their last bits, so whether a model is must never depend on how much work
there is, or on what was made before: an edit of one sound would change others. It follows from what was asked for and
from what can be compiled here, and it is part of each take's identity. For the same reason

- every shape is compiled for itself: code for any shape depends on which came first;
- a block is compiled whole or not at all: torch would else go on without a word where it cannot;
- inductor chooses its kernels by rules and not by timing them, where that decides in which order is summed.

Only the blocks that a denoiser repeats are compiled, once for all of them: nearly all time is spent there, and the
whole would take as many times longer to compile. torch keeps what inductor made on disk (TORCHINDUCTOR_CACHE_DIR).
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Sequence
from functools import cache, partial
from typing import Any, TypeVar

from foley.errors import CompilationError
from foley.neural import memory, runtime

T = TypeVar("T")

BACKEND = "inductor"
"""torch's own: Triton on CUDA, C++ on a processor."""

BLOCKS = frozenset({"StableAudioDiTBlock", "StableAudio3DiTBlock", "BasicTransformerBlock"})
"""Classes of diffusers that the denoisers of sound repeat. Of another denoiser the whole is compiled."""

DEVICES = ("cpu", "cuda")
"""Where it is tried: inductor for mps is a beginning, and nobody has run these models with it."""

MOST_SHAPES = 64
"""Compiled forms of one block that are kept; then all are given up. Before each call the right one is looked for, one
after the other, and beyond some dozens that takes as long as the sums of a small model."""


@cache
def refusal(device: str, backend: str = "") -> str:
    """Return why nothing can be compiled on a device; "" where something can: it was tried, in seconds.

    Args:
        device: As `runtime.device` returns it.
        backend: Of torch.compile; "" for inductor.
    """
    if device not in DEVICES:
        return f"models are not compiled on {device}"
    torch = runtime.torch()
    tried = torch.compile(_tried, **_options(backend))
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # torch's compiler warns programmers, of itself when it is imported
            tried(torch.ones(8, device=device))
    except Exception as cause:  # noqa: BLE001 - compilers and drivers fail in any way; without one all works too
        return _first_line(cause)
    return ""


def compile_blocks(denoiser: Any, *, backend: str = "") -> None:
    """Have a denoiser's blocks compiled when it is first called, and anew for each shape.

    Calls raise CompilationError where that fails.

    Args:
        denoiser: A module of torch, in its place and of the type that it computes in; changed.
        backend: Of torch.compile; "" for inductor.
    """
    options = _options(backend)
    blocks = [part for part in denoiser.modules() if type(part).__name__ in BLOCKS]
    for block in blocks:
        block.compile(**options)
    call = denoiser.forward if blocks else runtime.torch().compile(denoiser.forward, **options)
    denoiser.forward = partial(_watched, call)


def batches(items: Sequence[T], most: int, *, compiled: bool) -> Iterator[Sequence[T]]:
    """Yield items in batches of at most so many; for what is compiled, in powers of two: few shapes.

    >>> [len(batch) for batch in batches(range(7), 5, compiled=True)]
    [4, 2, 1]
    >>> [len(batch) for batch in batches(range(7), 5, compiled=False)]
    [5, 2]
    """
    first = 0
    while first < len(items):
        size = min(most, len(items) - first)
        if compiled:
            size = 1 << size.bit_length() - 1
        yield items[first : first + size]
        first += size


def _options(backend: str) -> dict[str, Any]:
    """Return how all is compiled; see the module's first words for why."""
    backend = backend or BACKEND
    own = {"options": {"deterministic": True}} if backend == "inductor" else {}
    return {"backend": backend, "dynamic": False, "fullgraph": True, "recompile_limit": MOST_SHAPES, **own}


def _tried(numbers: Any) -> Any:
    return (numbers * numbers).sum() + numbers.sin()


def _watched(call: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    """Return what a denoiser returns; when too many shapes have been compiled, all are forgotten.

    Raises:
        CompilationError: where it cannot be compiled.
    """
    dynamo, faults = _faults()
    try:
        try:
            return call(*args, **kwargs)
        except dynamo.exc.FailOnRecompileLimitHit:
            dynamo.reset()
            return call(*args, **kwargs)
    except faults as cause:
        if memory.is_lack(cause):
            raise
        raise CompilationError(_first_line(cause)) from cause


def _faults() -> tuple[Any, tuple[type[Exception], ...]]:
    """Return torch's compiler, and what it raises."""
    from torch import _dynamo as dynamo
    from torch._inductor import exc as inductor

    faults = (
        dynamo.exc.TorchDynamoException,
        dynamo.exc.FailOnRecompileLimitHit,
        inductor.OperatorIssue,
        inductor.SubgraphLoweringException,
        inductor.InvalidCxxCompiler,
        inductor.CppWrapperCodegenError,
        inductor.CppCompileError,
    )
    return dynamo, faults


def _first_line(error: BaseException) -> str:
    """Return what an error, or the one inside it, says first: compilers go on for pages."""
    cause = getattr(error, "inner_exception", error)
    return next((line.strip() for line in str(cause).splitlines() if line.strip()), type(cause).__name__)
