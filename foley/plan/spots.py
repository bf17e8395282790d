"""Reduce frames to what is small and in one of them alone: what dense flow loses, as it moves further than its size.

Each frame is held against its two neighbours, moved onto it by the camera's motion.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Image = npt.NDArray[np.uint8]
Matrix = npt.NDArray[np.float64]

FEATURES, FEATURE_QUALITY, FEATURE_APART = 160, 0.01, 1 / 80
"""Corners the camera is read from: how many, how clear (share of the clearest), how far apart in picture widths."""

FEWEST_FEATURES = 8
"""With fewer, the camera counts as still: six numbers are sought."""

OUTLIER_PX = 1.0
"""A corner this far off the camera's motion moves by itself."""

DIFFERENT_LEVELS = 18
"""Grey levels by which a spot must lie outside what its neighbours in time hold there: twice what coding makes."""

SMALLEST, LARGEST = 3e-5, 4e-3
"""Area of a spot as a share of the picture: a ball 40 m and 3 m away from a usual lens."""

MOST_SPOTS = 24
"""In a frame; the largest."""


@dataclass(frozen=True, slots=True)
class Spot:
    """Something small that is here in one frame alone."""

    x_px: float
    y_px: float
    breadth_px: float
    height_px: float


@dataclass(frozen=True, slots=True, eq=False)
class Moment:
    """One frame reduced to its spots."""

    time_s: float
    spots: tuple[Spot, ...]
    places_px: Matrix
    """Where the spots lie in the window's first frame, the camera's motion undone; shape (spots, 2)."""


def moments(frames: Iterable[tuple[float, Image]]) -> Iterator[Moment]:
    """Yield the spots of each frame but the first and last; three frames are held.

    Args:
        frames: Times and pictures, RGB; of one shot.
    """
    import cv2

    to_first = np.eye(3)
    window: list[tuple[float, Image]] = []
    steps: list[Matrix] = []
    for time_s, image in frames:
        grey = np.asarray(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY), np.uint8)
        if window:
            steps.append(_camera(window[-1][1], grey))
        window.append((time_s, grey))
        if len(window) == 3:
            to_first = to_first @ np.linalg.inv(steps[0])
            (_, before), (middle_s, now), (_, after) = window
            spots = _spots(before, now, after, to_now=steps[0], from_now=steps[1])
            yield Moment(middle_s, spots, _moved(spots, to_first))
            window, steps = window[1:], steps[1:]


def _camera(before: Image, after: Image) -> Matrix:
    """Return the affine motion of the background between two frames, shape (3, 3).

    Corners are chosen at full size: at half of it so few are left on a soft background that what moves decides.
    """
    import cv2

    corners = cv2.goodFeaturesToTrack(before, FEATURES, FEATURE_QUALITY, FEATURE_APART * before.shape[1])
    motion = np.eye(3)
    if corners is None or len(corners) < FEWEST_FEATURES:
        return motion
    found, seen, _ = cv2.calcOpticalFlowPyrLK(before, after, corners, None)  # type: ignore[call-overload]
    seen = seen.ravel() == 1
    if np.count_nonzero(seen) >= FEWEST_FEATURES:
        affine, _ = cv2.estimateAffine2D(corners[seen], found[seen], ransacReprojThreshold=OUTLIER_PX)
        if affine is not None:
            motion[:2] = affine
    return motion


def _spots(before: Image, now: Image, after: Image, *, to_now: Matrix, from_now: Matrix) -> tuple[Spot, ...]:
    """Return what is in this frame and in neither neighbour, the largest first."""
    import cv2

    size, area_px = now.shape[1::-1], now.size
    back = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    earlier = cv2.warpAffine(before, to_now[:2], size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    later = cv2.warpAffine(after, from_now[:2], size, flags=back, borderMode=cv2.BORDER_REPLICATE)
    differs = cv2.min(_outside(now, np.asarray(earlier, np.uint8)), _outside(now, np.asarray(later, np.uint8)))
    mask = (differs > DIFFERENT_LEVELS).astype(np.uint8)
    _, _, stats, centres = cv2.connectedComponentsWithStats(mask, connectivity=8)
    right = [place for place in range(1, len(stats)) if SMALLEST <= stats[place][4] / area_px <= LARGEST]
    right.sort(key=lambda place: -int(stats[place][4]))
    return tuple(
        Spot(float(centres[place][0]), float(centres[place][1]), float(stats[place][2]), float(stats[place][3]))
        for place in right[:MOST_SPOTS]
    )


def _outside(now: Image, other: Image) -> Image:
    """Return by how many levels a frame lies outside what another holds within one pixel: a shaky fence is no spot."""
    import cv2

    around = np.ones((3, 3), np.uint8)
    above = cv2.subtract(now, cv2.dilate(other, around))
    return np.asarray(cv2.max(above, cv2.subtract(cv2.erode(other, around), now)), np.uint8)


def _moved(spots: Sequence[Spot], matrix: Matrix) -> Matrix:
    places = np.array([(spot.x_px, spot.y_px, 1.0) for spot in spots]).reshape(-1, 3)
    return np.asarray((places @ matrix.T)[:, :2], np.float64)
