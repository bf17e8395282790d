"""How bright the picture is and where it lights up: gunfire, fireworks, lightning."""

from __future__ import annotations

from array import array
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from foley.analysis.observers.flow import centre
from foley.analysis.observers.view import View

TOGETHER = 16
"""Frames that are measured at once."""


@dataclass(frozen=True, slots=True, eq=False)
class Light:
    """Brightness at each frame; all of shape (frames,)."""

    time_s: npt.NDArray[np.float64]
    level: npt.NDArray[np.float32]
    """Mean, in grey levels of 255."""
    rise: npt.NDArray[np.float32]
    """How much brighter the whole picture is than one frame before, 0 where it is not."""
    x: npt.NDArray[np.float32]
    """Centre of what lit up: 0 left, 1 right."""
    y: npt.NDArray[np.float32]


class FlashObserver:
    """Keeps the coarse pictures of a few frames, and five numbers for every frame."""

    def __init__(self) -> None:
        self._times_s = array("d")
        self._columns = {name: array("f") for name in ("level", "rise", "x", "y")}
        self._coarse: list[npt.NDArray[np.float32]] = []

    def see(self, view: View) -> None:
        """Look at the next frame."""
        self._times_s.append(view.time_s)
        if not self._coarse:
            self._coarse.append(view.coarse)  # nothing lights up in the first frame
        self._coarse.append(view.coarse)
        if len(self._coarse) > TOGETHER:
            self._measure()

    def finish(self) -> Light:
        """Return what was seen."""
        if len(self._coarse) > 1:
            self._measure()
        arrays = {name: np.asarray(column, np.float32) for name, column in self._columns.items()}
        return Light(np.asarray(self._times_s, np.float64), **arrays)

    def _measure(self) -> None:
        """Measure all frames but the first, which was measured before."""
        coarse = np.stack(self._coarse)
        steps = np.diff(coarse, axis=0)
        _, x, y = centre(np.maximum(steps, 0))
        rise = np.maximum(steps.mean(axis=(1, 2)), 0)
        for name, values in {"level": coarse[1:].mean(axis=(1, 2)), "rise": rise, "x": x, "y": y}.items():
            self._columns[name].extend(values)
        self._coarse = self._coarse[-1:]
