"""Fields of motion: the camera's share taken out, and where along their own path things lose or gain speed."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

Field = npt.NDArray[np.float32]

STRIDE_PX = 4
"""Every fourth vector is used: flow is computed at a quarter of the picture's size and only interpolated up."""

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

CELL_PX = 12
"""Side of the cells that change is averaged over: sixteen cells on the longer side."""

CHANGE_LEVELS = 6.0
"""Change in grey levels that compression and noise make by themselves."""


MISFIT_LEVELS = 24.0
"""Difference in grey levels between a picture and the next one moved back by the flow, beyond which the flow is wrong:
what is too fast or too small for it."""


@dataclass(frozen=True, slots=True, eq=False)
class Turns:
    """What happens to speed from each field to the next; all of shape (pairs, rows, columns), in pixels a frame."""

    loss: Field
    """Speed lost by what moves, on its own path."""
    loss_down: Field
    """The same, of what came downwards."""
    gain: Field
    """Speed gained."""


class Grid:
    """The geometry of all pictures of one clip, with what depends on it alone computed once.

    Many frames are measured at once: the fields are so small that calling numpy would cost as much as its work.
    """

    def __init__(self, height_px: int, width_px: int) -> None:
        self.length_px = max(height_px, width_px)
        self.width_px = width_px
        start = STRIDE_PX // 2
        rows, columns = np.mgrid[start:height_px:STRIDE_PX, start:width_px:STRIDE_PX].astype(np.float32)
        self._shape = rows.shape
        self._rows, self._columns = np.mgrid[0 : rows.shape[0], 0 : rows.shape[1]].astype(np.float32)
        across, down = (columns.ravel() - width_px / 2), (rows.ravel() - height_px / 2)
        self._places = np.stack([np.ones(rows.size, np.float32), across / self.length_px, down / self.length_px])
        start = CAMERA_STRIDE_PX // 2
        y, x = np.mgrid[start:height_px:CAMERA_STRIDE_PX, start:width_px:CAMERA_STRIDE_PX].astype(np.float32)
        centred = [(x.ravel() - width_px / 2) / self.length_px, (y.ravel() - height_px / 2) / self.length_px]
        self._affine = np.stack([np.ones(x.size, np.float32), *centred])
        self._cells = (max(1, width_px // CELL_PX), max(1, height_px // CELL_PX))

    def sparse(self, flow: Field) -> Field:
        """Return a copy of every `STRIDE_PX`th vector of a flow of shape (height, width, 2), as (2, rows, columns)."""
        start = STRIDE_PX // 2
        return flow[start::STRIDE_PX, start::STRIDE_PX].transpose(2, 0, 1).copy()

    def background(self, flow: Field) -> Field:
        """Return a copy of the vectors of a flow that the camera is read from, shape (2, vectors)."""
        start = CAMERA_STRIDE_PX // 2
        return flow[start::CAMERA_STRIDE_PX, start::CAMERA_STRIDE_PX].reshape(-1, 2).T.copy()

    def averaged(self, grey: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
        """Return a picture with one pixel for every vector that is used, shape (rows, columns)."""
        return np.asarray(cv2.resize(grey, self._shape[::-1], interpolation=cv2.INTER_AREA), np.uint8)

    def change(self, last: npt.NDArray[np.uint8], grey: npt.NDArray[np.uint8]) -> Field:
        """Return by how many grey levels each cell changed, beyond noise; of shape (cells down, cells across)."""
        beyond = cv2.subtract(cv2.absdiff(last, grey), CHANGE_LEVELS)  # type: ignore[call-overload]
        cells = cv2.resize(np.asarray(beyond, np.float32), self._cells, interpolation=cv2.INTER_AREA)
        return np.asarray(cells, np.float32)

    def camera(self, vectors: Field) -> Field:
        """Return the affine motion of the backgrounds, shape (fields, 3, 2), from vectors of shape (fields, 2, n).

        Least squares with Cauchy weights, reweighted until each field by itself is settled: none depends on those that
        happen to be measured with it.

        Source: P. Holland and R. Welsch, "Robust regression using iteratively reweighted least-squares", 1977.
        """
        middle = vectors.shape[2] // 2
        residual = vectors - np.partition(vectors, middle, axis=2)[:, :, middle, None]
        noise_px = np.float32(CAMERA_NOISE * self.length_px)
        model = np.zeros((len(vectors), 3, 2), np.float32)
        settled = np.zeros((len(vectors), 1, 1), bool)
        for _ in range(CAMERA_ROUNDS):
            error = np.sqrt(np.square(residual).sum(axis=1))
            median_px = np.partition(error, middle, axis=1)[:, middle]
            spread = np.maximum(noise_px, np.float32(1.48) * median_px)  # 1.48 makes the median a standard deviation
            weights = 1 / np.square(1 + np.square(error / spread[:, None]))
            weighted = self._affine * weights[:, None, :]
            better = np.linalg.solve(weighted @ self._affine.T + SOLVABLE, weighted @ vectors.transpose(0, 2, 1))
            step = np.abs(better - model).max(axis=(1, 2), keepdims=True)
            model = np.where(settled, model, better)
            settled |= step < SETTLED_PX
            if settled.all():
                break
            residual = vectors - model.transpose(0, 2, 1) @ self._affine
        return model

    def own_motion(self, sparse: Field, camera: Field) -> Field:
        """Return what moves by itself, shape (fields, 2, rows, columns), in pixels a frame: x, then y."""
        background = camera.transpose(0, 2, 1) @ self._places
        return np.asarray(sparse - background.reshape(sparse.shape), np.float32)

    def fits(self, sparse: Field, last: npt.NDArray[np.uint8], now: npt.NDArray[np.uint8]) -> Field:
        """Return 1 where the flow leads to the same brightness, 0 where it is lost, and at the edges.

        Args:
            sparse: The flows, shape (fields, 2, rows, columns).
            last: The averaged pictures that each begins at, shape (fields, rows, columns).
            now: Those that it leads to.
        """
        moved_back = self._followed(now, sparse, border=cv2.BORDER_REPLICATE)
        found = np.abs(moved_back.astype(np.int16) - last) < MISFIT_LEVELS
        found[:, [0, -1]] = found[:, :, [0, -1]] = False
        return np.asarray(found, np.float32)

    def turns(self, before: Field, after: Field, before_fits: Field, after_fits: Field) -> Turns:
        """Return where things lose and gain speed, following each from the first fields into the second.

        The change along the path is the material derivative: what flies on evenly changes nothing, though the motion
        at each place it passes begins and ends.
        """
        # what leaves the picture is at rest and lost there: it neither stops nor starts
        there = np.stack([after[:, 0], after[:, 1], after_fits], axis=-1)
        later = self._followed(there, before, border=cv2.BORDER_CONSTANT)
        later_x, later_y, goes_on = later[..., 0], later[..., 1], later[..., 2]
        before_x, before_y = before[:, 0], before[:, 1]
        speed = np.sqrt(np.square(before_x) + np.square(before_y))
        later_speed = np.sqrt(np.square(later_x) + np.square(later_y))
        shared = np.maximum(before_x * later_x + before_y * later_y, 0)
        moving_px = np.float32(MOVING * self.length_px)
        loss = np.maximum(speed - shared / (speed + 1e-6), 0) * goes_on * (speed > moving_px)
        gain = np.maximum(later_speed - shared / (later_speed + 1e-6), 0) * before_fits * (later_speed > moving_px)
        return Turns(loss, loss * np.maximum(before_y / (speed + 1e-6), 0), gain)

    def _followed(self, pictures: npt.NDArray[Any], paths: Field, *, border: int) -> npt.NDArray[Any]:
        """Return each picture as found at the ends of the paths that begin in each place."""
        x, y = self._columns + paths[:, 0] / STRIDE_PX, self._rows + paths[:, 1] / STRIDE_PX
        return np.stack(
            [
                cv2.remap(picture, to_x, to_y, cv2.INTER_LINEAR, borderMode=border)
                for picture, to_x, to_y in zip(pictures, x, y, strict=True)
            ]
        )


def centre(weights: Field) -> tuple[npt.NDArray[np.float32], ...]:
    """Return mean weight, and its centre as x and y, 0 to 1 from the left and top; the middle where nothing weighs.

    Args:
        weights: Of shape (..., rows, columns); each answer is of shape (...).
    """
    (down, y), (across, x) = _ramps(weights.shape[-2]), _ramps(weights.shape[-1])
    columns, rows = down @ weights, weights @ across
    total = columns @ across
    weighs = total > 1e-6
    least = np.maximum(total, 1e-6)
    mean = np.where(weighs, total / (len(down) * len(across)), 0)
    return mean, np.where(weighs, columns @ x / least, 0.5), np.where(weighs, rows @ y / least, 0.5)


@cache
def _ramps(count: int) -> tuple[Field, Field]:
    """Return what sums, and what finds the centre of, `count` equal parts of [0, 1], as factors of a product.

    Products cost a fifth of numpy's sums here, and these are too small for threads of their own.
    """
    return np.ones(count, np.float32), ((np.arange(count) + 0.5) / count).astype(np.float32)
