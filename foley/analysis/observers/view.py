"""What the observers are shown of a frame: the picture as read, and a small one made once for all of them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

LOOK_PX = 192
"""Longer side that motion is measured on: half of what is read, and dense flow costs a fifth of a millisecond there."""

COARSE_PX = (32, 18)
"""Width and height of the coarsest picture."""


@dataclass(frozen=True, slots=True, eq=False)
class View:
    """One frame on its way past the observers."""

    number: int
    """Which frame of the clip, from 0."""
    time_s: float
    image: npt.NDArray[np.uint8]
    """As read: RGB, shape (height, width, 3)."""
    small: npt.NDArray[np.uint8]
    """The same at about `LOOK_PX` on the longer side."""
    grey: npt.NDArray[np.uint8]
    """Brightness of `small`, shape (height, width)."""
    coarse: npt.NDArray[np.float32]
    """The same in `COARSE_PX` cells: forgives what moves inside a shot, and shows where light comes from."""


def view(number: int, time_s: float, image: npt.NDArray[np.uint8]) -> View:
    """Return the frame with its small pictures.

    The divisor is whole, because averaging whole pixels is five times as quick as averaging parts of them.
    """
    divisor = max(1, round(max(image.shape[:2]) / LOOK_PX))
    size = (max(16, image.shape[1] // divisor), max(16, image.shape[0] // divisor))  # flow needs 16 px
    small = np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), np.uint8)
    grey = np.asarray(cv2.cvtColor(small, cv2.COLOR_RGB2GRAY), np.uint8)
    coarse = np.asarray(cv2.resize(grey, COARSE_PX, interpolation=cv2.INTER_AREA), np.float32)
    return View(number, time_s, image, small, grey, coarse)


@contextmanager
def one_thread() -> Iterator[None]:
    """Keep OpenCV to one thread: on pictures this small two cost twice the time of one and save none of it."""
    before = cv2.getNumThreads()
    cv2.setNumThreads(1)
    try:
        yield
    finally:
        cv2.setNumThreads(before)
