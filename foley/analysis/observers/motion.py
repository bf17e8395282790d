"""How things move, frame by frame: speed, camera, and what stops, starts or changes at once."""

from __future__ import annotations

from array import array
from collections import deque
from dataclasses import dataclass, fields

import cv2
import numpy as np
import numpy.typing as npt

from foley.analysis.observers.flow import Field, Grid, Turns, centre
from foley.analysis.observers.view import View

SHORTEST_STEP_S = 0.022
"""A frame nearer than this to the last one looked at is passed over: 48 frames a second and more are seen at half
their rate, where what moves between two frames is as large as the thresholds expect."""

REPEAT_LEVELS = 0.3
"""Mean difference in grey levels under which a frame may be the last one shown again."""

REPEAT_SHARE = 0.1
"""It is a repeat (a frame rate was converted) where its neighbours differ ten times as much: what truly rests does
not go on at once."""

LEAST_PX = 80
"""Smallest side that OpenCV's flow can go on from an earlier one at all its scales; less makes it crash."""

SUDDEN = 1.5
"""How far above its neighbours in time a cell's change must lie to begin or end at once."""

PARTS = (3, 4)
"""Rows and columns of the parts of the picture that speed is kept for: enough to tell who of several moves."""

NEIGHBOURS = 3
"""Frames that sudden change is compared with: 0.1 s at 25 to 30 fps."""


@dataclass(frozen=True, slots=True, eq=False)
class Track:
    """What motion was like at each frame looked at; all of shape (frames looked at,).

    Speeds are means over the picture, in lengths of its longer side a second; places are 0 to 1 from the left and top.
    """

    time_s: npt.NDArray[np.float64]
    speed: Field
    """Of everything that moves by itself."""
    x: Field
    y: Field
    camera: Field
    """In picture widths a second."""
    loss: Field
    """Speed that things lose here."""
    loss_x: Field
    loss_y: Field
    loss_down: Field
    """The same, of what came downwards: tells the blow from lifting the hammer again."""
    gain: Field
    """Speed that things gain here."""
    burst: Field
    """Sudden begin of change, in grey levels."""
    burst_x: Field
    burst_y: Field
    settle: Field
    """Sudden end of change, in grey levels."""
    cells: Field
    """Speed in each part of the picture, shape (frames looked at, *PARTS)."""


class MotionObserver:
    """Keeps two frames, one flow field, a few grids of change, and two dozen numbers for every frame."""

    def __init__(self) -> None:
        self._flow = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_ULTRAFAST)
        self._last_flow: Field | None = None
        self._columns = {column.name: array("f") for column in fields(Track) if column.name not in ("time_s", "cells")}
        self._times_s, self._cells = array("d"), array("f")
        self._grid: Grid | None = None
        self._last: View | None = None
        self._last_change = 0.0
        self._held: View | None = None
        self._held_change = 0.0
        self._field: Field | None = None
        self._fits: Field | None = None
        self._step_s = 0.0
        self._changes: deque[Field] = deque(maxlen=NEIGHBOURS + 1)

    def see(self, view: View) -> None:
        """Look at the next frame; it counts when the one after it has shown that it is no repeat."""
        if self._held is None:
            self._held = view
            return
        if view.time_s - self._held.time_s < SHORTEST_STEP_S:
            return
        change = cv2.norm(view.grey, self._held.grey, cv2.NORM_L1) / view.grey.size
        if self._held_change >= min(REPEAT_LEVELS, REPEAT_SHARE * min(self._last_change, change)):
            self._take(self._held)
            self._last_change = self._held_change
        self._held, self._held_change = view, change

    def finish(self) -> Track:
        """Return what was seen."""
        if self._held is not None:
            self._take(self._held)
            self._held = None
        arrays = {name: np.asarray(column, np.float32) for name, column in self._columns.items()}
        cells = np.asarray(self._cells, np.float32).reshape(-1, *PARTS)
        return Track(np.asarray(self._times_s, np.float64), **arrays, cells=cells)

    def _take(self, view: View) -> None:
        self._times_s.append(view.time_s)
        for name, column in self._columns.items():
            column.append(0.5 if name.endswith(("x", "y")) else 0.0)
        last, self._last = self._last, view
        if last is None:
            self._grid = Grid(*view.grey.shape)
            self._cells.extend([0.0] * (PARTS[0] * PARTS[1]))
            return
        assert self._grid is not None
        step_s = view.time_s - last.time_s
        flow = self._follow(last, view)
        camera = self._grid.camera(flow)
        sparse = self._grid.sparse(flow)
        field = self._grid.own_motion(sparse, camera)
        self._note_motion(field, camera, step_s)
        fits = self._grid.fits(sparse, last.grey, view.grey)
        if self._field is not None and self._fits is not None:
            self._note_turns(self._grid.turns(self._field, field * np.float32(self._step_s / step_s), self._fits, fits))
        self._field, self._fits, self._step_s = field, fits, step_s
        self._changes.append(self._grid.change(last.grey, view.grey))
        self._note_change()

    def _follow(self, last: View, view: View) -> Field:
        """Return the flow between two frames, sought from the flow before: what falls fast goes on so."""
        height, width = view.grey.shape
        below, beside = max(0, LEAST_PX - height), max(0, LEAST_PX - width)
        pair = [last.grey, view.grey]
        if below or beside:
            pair = [np.pad(grey, ((0, below), (0, beside)), mode="edge") for grey in pair]
        if self._last_flow is None:
            self._last_flow = np.zeros((*pair[0].shape, 2), np.float32)
        self._last_flow = np.asarray(self._flow.calc(pair[0], pair[1], self._last_flow.copy()), np.float32)
        return self._last_flow[:height, :width]

    def _note(self, back: int, **values: float) -> None:
        """Set numbers of the frame that lies `back` frames behind the newest."""
        for name, value in values.items():
            self._columns[name][-1 - back] = value

    def _note_motion(self, field: Field, camera: Field, step_s: float) -> None:
        assert self._grid is not None
        speeds = np.asarray(cv2.magnitude(field[0], field[1]), np.float32)
        speed, x, y = centre(speeds)
        pan = float(np.hypot(camera[0, 0], camera[0, 1]))
        per_length, per_width = 1 / (self._grid.length_px * step_s), 1 / (self._grid.width_px * step_s)
        parts = cv2.resize(speeds, PARTS[::-1], interpolation=cv2.INTER_AREA) * np.float32(per_length)
        self._cells.frombytes(parts.tobytes())
        self._note(0, speed=speed * per_length, x=x, y=y, camera=pan * per_width)

    def _note_turns(self, turns: Turns) -> None:
        assert self._grid is not None
        per_length = 1 / (self._grid.length_px * self._step_s)
        loss, gain, loss_down = (centre(turn)[0] * per_length for turn in (turns.loss, turns.gain, turns.loss_down))
        _, loss_x, loss_y = centre(np.square(turns.loss))  # where it stops most, not the middle of all that slows
        self._note(1, loss=loss, loss_x=loss_x, loss_y=loss_y, gain=gain, loss_down=loss_down)

    def _note_change(self) -> None:
        *earlier, now = self._changes
        if earlier:
            sudden = np.maximum(now - SUDDEN * np.maximum.reduce(earlier), 0)
            _, x, y = centre(np.square(sudden))
            self._note(1, burst=centre(sudden)[0], burst_x=x, burst_y=y)
        if len(self._changes) > NEIGHBOURS:
            first, *later = self._changes
            settle = float(np.maximum(first - SUDDEN * np.maximum.reduce(later), 0).mean())
            self._note(NEIGHBOURS, settle=settle)
