"""Animate `walk.mp4`: a person walks on gravel, over the boards of a porch, and on gravel again at dusk."""

from __future__ import annotations

from fractions import Fraction
from typing import Protocol

import numpy as np
import numpy.typing as npt

from scenes.canvas import Film, Layer, over
from scenes.dusk import Dusk
from scenes.morning import Morning
from scenes.porch import Porch
from scenes.scene import Onset, Stretch, Truth, shutter
from scenes.walker import Gait

FPS = Fraction(30000, 1001)
FRAMES = 360
CUTS = (123, 243)

LANDINGS_S = (
    (0.412, 0.967, 1.539, 2.094, 2.672, 3.215, 3.791),
    (4.361, 4.952, 5.557, 6.141, 6.750, 7.335, 7.922),
    (8.391, 8.930, 9.482, 10.051, 10.586, 11.157, 11.703),
)
"""Heels that land in the picture, by shot; uneven as people walk, and most between two frames."""
SURFACES = ("footstep on gravel", "footstep on wooden boards", "footstep on gravel")

TRUTH = Truth(
    fps=FPS,
    frames=FRAMES,
    prompt="a person walks on a gravel path, then over a wooden porch, then on gravel again at dusk",
    onsets=tuple(Onset(t, SURFACES[shot], shot) for shot, times in enumerate(LANDINGS_S) for t in times),
    spans=(),
    beds=(
        Stretch(0.0, 4.1041, "quiet countryside by day, birds"),
        Stretch(4.1041, 8.1081, "quiet porch, evening"),
        Stretch(8.1081, 12.012, "open fields at dusk, crickets"),
    ),
    cut_frames=CUTS,
)


def gait(shot: int, *, first_m: float, step_m: float) -> Gait:
    """Return the walk of a shot; two footfalls before and three after it lie outside the picture's time."""
    inside = LANDINGS_S[shot]
    pace = (inside[-1] - inside[0]) / (len(inside) - 1)
    times = (inside[0] - 2 * pace, inside[0] - pace, *inside, *(inside[-1] + k * pace for k in (1, 2, 3)))
    return Gait(times, tuple(first_m + step_m * (k - 2) for k in range(len(times))))


class Place(Protocol):
    """Where a shot plays."""

    film: Film
    quick_samples: int

    def ground(self, t: float, person: Layer) -> Layer:
        """Return what lies behind the walker, with the walker's shadow."""
        ...

    def person(self, t: float) -> Layer:
        """Return the walker on a clear layer."""
        ...

    def front(self, layer: Layer, t: float) -> npt.NDArray[np.float32]:
        """Add what lies before the walker, and return the finished light."""
        ...


class Walk:
    """Three shots, each at its place."""

    def __init__(self) -> None:
        """Build no place yet: each is painted when its shot begins."""
        self.places: dict[int, Place] = {}

    @staticmethod
    def _place(shot: int) -> Place:
        if shot == 0:
            return Morning(gait(0, first_m=0.0, step_m=0.72))
        if shot == 1:
            return Porch(gait(1, first_m=0.40, step_m=0.555))
        return Dusk(gait(2, first_m=0.42, step_m=0.69))

    def frame(self, number: int) -> npt.NDArray[np.uint8]:
        """Return a frame, shape (height, width, 3), RGB."""
        shot = sum(number >= cut for cut in CUTS)
        if shot not in self.places:
            self.places[shot] = self._place(shot)
        place = self.places[shot]
        instants = shutter(number, FPS, place.quick_samples)
        person = sum((place.person(at) for at in instants[1:]), place.person(instants[0])) / np.float32(len(instants))
        t = float(number / FPS)
        layer = place.ground(t, person)
        over(layer, person)
        return place.film.develop(place.front(layer, t))
