"""Products that give the same bits on any number of processors: a sound may not depend on who else is at work."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

_ALONE, _ALONE_COMPLEX = 1 << 18, 1 << 16
"""Multiplications up to which OpenBLAS, numpy's engine, keeps to one thread (65,536 times its multithreading threshold,
4); beyond, it cuts the work by the processors it finds, and sums round otherwise. Threads save nothing here besides."""

_ALONE_SUM = 8192
"""Values up to which it keeps to one thread where it adds a multiple: the limit is 10,000."""


def product(rows: npt.NDArray[Any], matrix: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Return rows @ matrix of two matrices, a part at a time."""
    if len(rows) == 1:  # a single row is another routine's, which takes to threads sooner
        return product(np.repeat(rows, 2, axis=0), matrix)[:1]
    kind = np.result_type(rows, matrix)
    most = _ALONE_COMPLEX if kind.kind == "c" else _ALONE
    made = np.empty((len(rows), matrix.shape[1]), kind)
    wide = max(2, most // (3 * max(1, len(matrix))))
    for left in range(0, matrix.shape[1], wide):
        part = matrix[:, left : left + wide]
        for first, last in _stretches(len(rows), max(2, most // part.size - 1)):
            np.matmul(rows[first:last], part, out=made[first:last, left : left + wide])
    return made


def _stretches(count: int, step: int) -> Iterator[tuple[int, int]]:
    """Yield [first, last) of stretches that cover `count`, the last one longer by one rather than one alone."""
    first = 0
    while first < count:
        last = first + step if first + step + 1 < count else count
        yield first, last
        first = last


def add_scaled(
    total: npt.NDArray[np.float64],
    parts: Sequence[npt.NDArray[Any]],
    factors: Sequence[float],
    *,
    at: Sequence[int],
) -> None:
    """Add short parts to a sum in place, each times its factor from a position on, all of it inside the sum.

    One call for each part where numpy needs three: a fifth of the time for grains of some hundred values.
    """
    from scipy.linalg.blas import daxpy

    for part, factor, start in zip(parts, factors, at, strict=True):
        count = len(part)
        if count <= _ALONE_SUM:
            daxpy(part, total, count, factor, 0, 1, start)
        else:
            total[start : start + count] += factor * part


def energy(samples: npt.NDArray[Any]) -> float:
    """Return the sum of squares."""
    return float(np.sum(np.square(samples)))
