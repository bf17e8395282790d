"""What is seen while a take sounds, for those who compare takes with the picture."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from foley.media import reader
from foley.model import Clip, Span

RATE_HZ = 5.0
"""Pictures a second: enough to tell a blow from a brush, and 30 s of them are 12 MB."""

WIDTH_PX = 224
"""What models that look at films are given."""

Pictures = npt.NDArray[np.uint8]
"""Shape (pictures, height, width, 3)."""


def seen(clip: Clip, start_s: float, end_s: float) -> Pictures | None:
    """Return the pictures of a part of a clip; None where it shows none, outside its picture.

    Raises:
        DamagedVideoError: where the file cannot be opened.
    """
    window = Span(max(0.0, start_s), min(end_s, float(clip.duration_s)))
    found: list[npt.NDArray[Any]] = []
    for frame in reader.read_window(clip, window, width_px=WIDTH_PX):
        if frame.time_s >= window.start_s + len(found) / RATE_HZ:
            found.append(frame.image)
    return np.stack(found) if found else None
