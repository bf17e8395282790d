"""How bright the picture is and where it lights up: gunfire, fireworks, lightning."""

from __future__ import annotations

from array import array
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from foley.analysis.observers.flow import centre
from foley.analysis.observers.view import View

COARSE_PX = (32, 18)
"""Light fills space: a few hundred cells show where it comes from."""


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
    """Keeps one coarse picture, and five numbers for every frame."""

    def __init__(self) -> None:
        self._times_s = array("d")
        self._columns = {name: array("f") for name in ("level", "rise", "x", "y")}
        self._last: npt.NDArray[np.float32] | None = None

    def see(self, view: View) -> None:
        """Look at the next frame."""
        coarse = np.asarray(cv2.resize(view.grey, COARSE_PX, interpolation=cv2.INTER_AREA), np.float32)
        level, rise, x, y = float(coarse.mean()), 0.0, 0.5, 0.5
        if self._last is not None:
            step = coarse - self._last
            rise = max(0.0, float(step.mean()))
            _, x, y = centre(np.maximum(step, 0))
        self._last = coarse
        self._times_s.append(view.time_s)
        for column, value in zip(self._columns.values(), (level, rise, x, y), strict=True):
            column.append(value)

    def finish(self) -> Light:
        """Return what was seen."""
        arrays = {name: np.asarray(column, np.float32) for name, column in self._columns.items()}
        return Light(np.asarray(self._times_s, np.float64), **arrays)
