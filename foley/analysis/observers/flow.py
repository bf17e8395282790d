"""Fields of motion: the camera's share taken out, and where along their own path things lose or gain speed."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import cv2
import numpy as np
import numpy.typing as npt

Field = npt.NDArray[np.float32]

STRIDE_PX = 2
"""Every second vector is used: flow is computed at a quarter of the picture's size and only interpolated up."""

CAMERA_STRIDE_PX = 12
"""The camera is read from one vector in 144: some 140, enough for its three numbers a direction."""

CAMERA_ROUNDS = 4
"""Of reweighting, at most; more change the model by less than a hundredth of a pixel."""

SETTLED_PX = 0.01
"""Change of the model below which it is not reweighted again: what flow cannot measure."""

SOLVABLE = np.diag(np.full(3, 1e-4, np.float32))
"""Keeps a picture without texture solvable."""

CAMERA_NOISE = 0.15 / 256
"""Scatter of vectors, in lengths of the picture, that is the flow's own and not movement."""

MOVING = 0.4 / 256
"""Movement between two frames, in lengths of the picture, that is more than noise."""

CELL_PX = 6
"""Side of the cells, on the strided grid, that change is averaged over: sixteen cells on the longer side."""

CHANGE_LEVELS = 6.0
"""Change in grey levels that compression and noise make by themselves."""


MISFIT_LEVELS = 24.0
"""Difference in grey levels between a picture and the next one moved back by the flow, beyond which the flow is wrong:
what is too fast or too small for it."""


@dataclass(frozen=True, slots=True, eq=False)
class Turns:
    """What happens to speed between two fields; all of shape (rows, columns), in pixels a frame."""

    loss: Field
    """Speed lost by what moves, on its own path."""
    loss_down: Field
    """The same, of what came downwards."""
    gain: Field
    """Speed gained."""


class Grid:
    """The geometry of all pictures of one clip, with what depends on it alone computed once."""

    def __init__(self, height_px: int, width_px: int) -> None:
        self.length_px = max(height_px, width_px)
        self.width_px = width_px
        rows, columns = np.mgrid[0:height_px:STRIDE_PX, 0:width_px:STRIDE_PX].astype(np.float32)
        self._rows, self._columns = (np.ascontiguousarray(axis / STRIDE_PX) for axis in (rows, columns))
        self._shape = self._rows.shape
        across, down = (columns.ravel() - width_px / 2), (rows.ravel() - height_px / 2)
        self._places = np.stack([np.ones(rows.size, np.float32), across / self.length_px, down / self.length_px])
        start = CAMERA_STRIDE_PX // 2
        y, x = np.mgrid[start:height_px:CAMERA_STRIDE_PX, start:width_px:CAMERA_STRIDE_PX].astype(np.float32)
        centred = [(x.ravel() - width_px / 2) / self.length_px, (y.ravel() - height_px / 2) / self.length_px]
        self._affine = np.stack([np.ones(x.size, np.float32), *centred])
        self._cells = (max(1, self._shape[1] // CELL_PX), max(1, self._shape[0] // CELL_PX))

    def camera(self, flow: Field) -> Field:
        """Return the affine motion of the background, shape (3, 2): least squares with Cauchy weights, reweighted.

        Source: P. Holland and R. Welsch, "Robust regression using iteratively reweighted least-squares", 1977.
        """
        start = CAMERA_STRIDE_PX // 2
        vectors = np.ascontiguousarray(flow[start::CAMERA_STRIDE_PX, start::CAMERA_STRIDE_PX].reshape(-1, 2).T)
        middle = vectors.shape[1] // 2
        residual = vectors - np.partition(vectors, middle, axis=1)[:, middle, None]
        noise_px = CAMERA_NOISE * self.length_px
        model = np.zeros((3, 2), np.float32)
        for _ in range(CAMERA_ROUNDS):
            error = np.asarray(cv2.magnitude(residual[0], residual[1])).ravel()
            median_px = float(np.partition(error, middle)[middle])
            spread = max(noise_px, 1.48 * median_px)  # 1.48 makes the median a standard deviation
            weighted = self._affine / np.square(1 + np.square(error / spread))
            # ten times as quick as numpy's on so small a system
            _, better = cv2.solve(weighted @ self._affine.T + SOLVABLE, weighted @ vectors.T, flags=cv2.DECOMP_CHOLESKY)
            settled = cv2.norm(better, model, cv2.NORM_INF) < SETTLED_PX
            model = np.asarray(better, np.float32)
            if settled:
                break
            residual = vectors - model.T @ self._affine
        return model

    def sparse(self, flow: Field) -> Field:
        """Return every `STRIDE_PX`th vector of a flow, shape (rows, columns, 2); slices cost ten times as much."""
        return np.asarray(cv2.resize(flow, self._shape[::-1], interpolation=cv2.INTER_NEAREST), np.float32)

    def own_motion(self, sparse: Field, camera: Field) -> Field:
        """Return what moves by itself, shape (2, rows, columns), in pixels a frame: x, then y."""
        background = (camera.T @ self._places).reshape(2, *self._shape)
        for axis, part in enumerate(cv2.split(sparse)):
            cv2.subtract(part, background[axis], dst=background[axis])
        return np.asarray(background, np.float32)

    def fits(self, sparse: Field, last: npt.NDArray[np.uint8], grey: npt.NDArray[np.uint8]) -> Field:
        """Return 1 where the flow leads to the same brightness, 0 where it is lost, and at the edges."""
        first, second = (cv2.resize(each, self._shape[::-1], interpolation=cv2.INTER_AREA) for each in (last, grey))
        across, down = cv2.split(sparse)
        x, y = self._columns + across / STRIDE_PX, self._rows + down / STRIDE_PX
        moved_back = cv2.remap(second, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        found = np.asarray(cv2.absdiff(first, moved_back) < MISFIT_LEVELS, np.float32)
        found[[0, -1]] = found[:, [0, -1]] = 0
        return found

    def turns(self, before: Field, after: Field, before_fits: Field, after_fits: Field) -> Turns:
        """Return where things lose and gain speed, following each from the first field into the second.

        The change along the path is the material derivative: what flies on evenly changes nothing, though the motion
        at each place it passes begins and ends.
        """
        x, y = self._columns + before[0] / STRIDE_PX, self._rows + before[1] / STRIDE_PX
        there = cv2.merge([after[0], after[1], after_fits])
        # what leaves the picture is at rest and lost there: it neither stops nor starts
        later_x, later_y, goes_on = cv2.split(cv2.remap(there, x, y, cv2.INTER_LINEAR, borderValue=0))
        speed, later_speed = cv2.magnitude(before[0], before[1]), cv2.magnitude(later_x, later_y)
        shared = np.maximum(before[0] * later_x + before[1] * later_y, 0)
        moving_px = np.float32(MOVING * self.length_px)
        loss = np.maximum(speed - shared / (speed + 1e-6), 0) * goes_on * (speed > moving_px)
        gain = np.maximum(later_speed - shared / (later_speed + 1e-6), 0) * before_fits * (later_speed > moving_px)
        return Turns(loss, loss * np.maximum(before[1] / (speed + 1e-6), 0), gain)

    def change(self, last: npt.NDArray[np.uint8], grey: npt.NDArray[np.uint8]) -> Field:
        """Return by how many grey levels each cell changed, beyond noise; of shape (cells down, cells across)."""
        beyond = cv2.subtract(cv2.absdiff(last, grey), CHANGE_LEVELS)  # type: ignore[call-overload]
        cells = cv2.resize(np.asarray(beyond, np.float32), self._cells, interpolation=cv2.INTER_AREA)
        return np.asarray(cells, np.float32)


def centre(weights: Field) -> tuple[float, float, float]:
    """Return mean weight, and its centre as x and y, 0 to 1 from the left and top; the middle where nothing weighs."""
    (down, y), (across, x) = _ramps(weights.shape[0]), _ramps(weights.shape[1])
    columns, rows = down @ weights, weights @ across
    total = float(columns @ across)
    if total <= 1e-6:
        return 0.0, 0.5, 0.5
    return total / weights.size, float(columns @ x) / total, float(y @ rows) / total


@cache
def _ramps(count: int) -> tuple[Field, Field]:
    """Return what sums, and what finds the centre of, `count` equal parts of [0, 1], as factors of a product.

    Products cost a fifth of numpy's sums here, and these are too small for threads of their own.
    """
    return np.ones(count, np.float32), ((np.arange(count) + 0.5) / count).astype(np.float32)
