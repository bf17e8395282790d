"""Where a curve peaks. `scipy.signal.find_peaks` answers the same, yet takes a second to be imported."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Curve = npt.NDArray[np.floating]


def find_peaks(curve: Curve, *, height: Curve | float = -np.inf, distance: int = 1) -> npt.NDArray[np.intp]:
    """Return the places of local maxima, rising; of a flat top its middle, the earlier one of two.

    Args:
        curve: Shape (length,).
        height: What a peak at least reaches, everywhere or place by place.
        distance: How many places two peaks lie apart at least: of nearer ones the higher stays.
    """
    places = _local_maxima(curve)
    places = places[curve[places] >= np.broadcast_to(height, curve.shape)[places]]
    if distance <= 1:
        return places
    kept = np.ones(len(places), bool)
    for at in np.argsort(curve[places])[::-1]:  # the highest first, so that it drives out the lower ones around it
        if kept[at]:
            first, last = np.searchsorted(places, [places[at] - distance + 1, places[at] + distance])
            kept[first:last] = False
            kept[at] = True
    return places[kept]


def _local_maxima(curve: Curve) -> npt.NDArray[np.intp]:
    """Return the places that are higher than what is around them; an end of the curve is not."""
    if len(curve) < 3:
        return np.zeros(0, np.intp)
    starts = np.flatnonzero(np.concatenate([[True], curve[1:] != curve[:-1]]))  # of runs of equal values
    values = curve[starts]
    inner = np.flatnonzero((values[1:-1] > values[:-2]) & (values[1:-1] > values[2:])) + 1
    return (starts[inner] + starts[inner + 1] - 1) // 2
