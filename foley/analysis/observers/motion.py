"""How things move, frame by frame: speed, camera, and what stops, starts or changes at once."""

from __future__ import annotations

from array import array
from collections import defaultdict
from dataclasses import dataclass, fields

import cv2
import numpy as np
import numpy.typing as npt

from foley.analysis.observers.flow import Field, Grid, centre
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

TOGETHER = 16
"""Steps that are measured at once."""

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


@dataclass(frozen=True, slots=True, eq=False)
class _Step:
    """From one frame to the next: what is measured of it together with others."""

    seconds: float
    background: Field
    """Vectors that the camera is read from, shape (2, vectors)."""
    flow: Field
    """Shape (2, rows, columns)."""
    last: npt.NDArray[np.uint8]
    """The frame, one pixel for each vector, shape (rows, columns)."""
    now: npt.NDArray[np.uint8]
    """The next frame."""
    change: Field
    """In grey levels, shape (cells down, cells across)."""


@dataclass(frozen=True, slots=True, eq=False)
class _Stretch:
    """What is known of steps that follow each other; all of shape (steps, ...)."""

    seconds: Field
    field: Field
    """What moves by itself, (2, rows, columns) each."""
    fits: Field
    change: Field

    def since(self, first: int) -> _Stretch:
        """Return the steps from one on."""
        return _Stretch(*(getattr(self, part.name)[first:] for part in fields(self)))

    def and_then(self, later: _Stretch) -> _Stretch:
        """Return these steps and those that follow."""
        pairs = ((getattr(self, part.name), getattr(later, part.name)) for part in fields(self))
        return _Stretch(*(np.concatenate(pair) for pair in pairs))


class MotionObserver:
    """Keeps two frames, the flow fields and grids of change of a few, and two dozen numbers for every frame."""

    def __init__(self) -> None:
        self._flow = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_ULTRAFAST)
        self._last_flow: Field | None = None
        self._times_s = array("d")
        self._grid: Grid | None = None
        self._last: View | None = None
        self._last_small: npt.NDArray[np.uint8] | None = None
        self._last_change = 0.0
        self._held: View | None = None
        self._held_change = 0.0
        self._steps: list[_Step] = []
        self._known: _Stretch | None = None
        self._numbers: defaultdict[str, array[float]] = defaultdict(lambda: array("f"))

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
        self._measure()
        names = [column.name for column in fields(Track) if column.name != "time_s"]
        return Track(np.asarray(self._times_s, np.float64), **{name: self._column(name) for name in names})

    def _column(self, name: str) -> Field:
        """Return one number of all frames: of the first and the last few there may be none."""
        parts = PARTS if name == "cells" else ()
        values = np.asarray(self._numbers[name], np.float32).reshape(-1, *parts)
        column = np.full((len(self._times_s), *parts), 0.5 if name.endswith(("x", "y")) else 0.0, np.float32)
        column[1 : 1 + len(values)] = values
        return column

    def _take(self, view: View) -> None:
        self._times_s.append(view.time_s)
        if self._grid is None:
            self._grid = Grid(*view.grey.shape)
        last, self._last = self._last, view
        last_small, self._last_small = self._last_small, self._grid.averaged(view.grey)
        if last is None or last_small is None:
            return
        flow, grid = self._follow(last, view), self._grid
        change = grid.change(last.grey, view.grey)
        seconds = view.time_s - last.time_s
        background = grid.background(flow)
        self._steps.append(_Step(seconds, background, grid.sparse(flow), last_small, self._last_small, change))
        if len(self._steps) == TOGETHER:
            self._measure()

    def _follow(self, last: View, view: View) -> Field:
        """Return the flow between two frames, sought from the flow before: what falls fast goes on so."""
        height, width = view.grey.shape
        below, beside = max(0, LEAST_PX - height), max(0, LEAST_PX - width)
        pair = [last.grey, view.grey]
        if below or beside:
            pair = [np.pad(grey, ((0, below), (0, beside)), mode="edge") for grey in pair]
        if self._last_flow is None:
            self._last_flow = np.zeros((*pair[0].shape, 2), np.float32)
        self._last_flow = np.asarray(self._flow.calc(pair[0], pair[1], self._last_flow), np.float32)
        return self._last_flow[:height, :width]

    def _measure(self) -> None:
        """Measure the steps that were taken, and how each goes on from those before it."""
        if not self._steps:
            return
        assert self._grid is not None
        steps, self._steps = self._steps, []
        flow = np.stack([step.flow for step in steps])
        camera = self._grid.camera(np.stack([step.background for step in steps]))
        last, now = (np.stack(pictures) for pictures in zip(*((step.last, step.now) for step in steps), strict=True))
        new = _Stretch(
            seconds=np.array([step.seconds for step in steps], np.float32),
            field=self._grid.own_motion(flow, camera),
            fits=self._grid.fits(flow, last, now),
            change=np.stack([step.change for step in steps]),
        )
        self._note_motion(new, camera)
        known = new if self._known is None else self._known.and_then(new)
        first = len(known.seconds) - len(steps)
        self._note_turns(known.since(max(0, first - 1)))
        self._note_change(known.change, first)
        self._known = known.since(-NEIGHBOURS)

    def _note(self, **values: npt.NDArray[np.floating]) -> None:
        """Add to the numbers of the frames."""
        for name, numbers in values.items():
            self._numbers[name].frombytes(np.asarray(numbers, np.float32).tobytes())

    def _note_motion(self, steps: _Stretch, camera: Field) -> None:
        assert self._grid is not None
        speeds = np.sqrt(np.square(steps.field).sum(axis=1))
        speed, x, y = centre(speeds)
        pan = np.hypot(camera[:, 0, 0], camera[:, 0, 1])
        per_length, per_width = (1 / (px * steps.seconds) for px in (self._grid.length_px, self._grid.width_px))
        parts = np.stack([cv2.resize(each, PARTS[::-1], interpolation=cv2.INTER_AREA) for each in speeds])
        cells = parts * per_length[:, None, None]
        self._note(speed=speed * per_length, x=x, y=y, camera=pan * per_width, cells=cells)

    def _note_turns(self, steps: _Stretch) -> None:
        """Note where things lose and gain speed from each step to the next, at the frame between them."""
        if len(steps.seconds) < 2:
            return
        assert self._grid is not None
        same_time = (steps.seconds[:-1] / steps.seconds[1:])[:, None, None, None]
        turns = self._grid.turns(steps.field[:-1], steps.field[1:] * same_time, steps.fits[:-1], steps.fits[1:])
        per_length = 1 / (self._grid.length_px * steps.seconds[:-1])
        loss, gain, loss_down = (centre(turn)[0] * per_length for turn in (turns.loss, turns.gain, turns.loss_down))
        _, loss_x, loss_y = centre(np.square(turns.loss))  # where it stops most, not the middle of all that slows
        self._note(loss=loss, loss_x=loss_x, loss_y=loss_y, gain=gain, loss_down=loss_down)

    def _note_change(self, change: Field, first: int) -> None:
        """Note what begins and ends at once in the steps from `first` on, beside a few steps before and after."""
        now = np.arange(max(first, 1), len(change))
        before = np.maximum.reduce([change[np.maximum(now - back, 0)] for back in range(1, NEIGHBOURS + 1)])
        sudden = np.maximum(change[now] - SUDDEN * before, 0)
        _, x, y = centre(np.square(sudden))
        self._note(burst=centre(sudden)[0], burst_x=x, burst_y=y)
        then = np.arange(max(first - NEIGHBOURS, 0), len(change) - NEIGHBOURS)
        if len(then):
            after = np.maximum.reduce([change[then + ahead] for ahead in range(1, NEIGHBOURS + 1)])
            self._note(settle=np.maximum(change[then] - SUDDEN * after, 0).mean(axis=(1, 2)))
