"""The frames kept to look at: the sharpest of each part of each shot, as small JPEGs."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from foley.analysis.observers.cuts import Boundary
from foley.analysis.observers.view import View
from foley.model import KeyFrame

CANDIDATE_STEP_S = 0.1
"""How often a frame is considered: half the shortest shot, so that each has one."""

PART_S = 1.5
"""A shot gives one frame for each part; parts are so long at first."""

MOST_A_SHOT = 8
"""Beyond it parts double: enough to show how a single shot goes on. Two hours of 2000 shots keep some 60 MB."""

WIDEST_PX = 384
"""What visual encoders take is smaller still."""

QUALITY = 80
"""JPEG quality: about 10 KB a frame, without blocks that an encoder could take for texture."""


@dataclass(frozen=True, slots=True, eq=False)
class _Candidate:
    time_s: float
    sharpness: float
    image: npt.NDArray[np.uint8] | bytes
    """A picture while it may still be beaten, then its JPEG."""

    def pressed(self) -> _Candidate:
        """Return the candidate with its picture as JPEG."""
        if isinstance(self.image, bytes):
            return self
        height, width = self.image.shape[:2]
        picture = cv2.cvtColor(self.image, cv2.COLOR_RGB2BGR)
        if width > WIDEST_PX:
            size = (WIDEST_PX, max(1, round(height * WIDEST_PX / width)))
            picture = cv2.resize(picture, size, interpolation=cv2.INTER_AREA)
        _, jpeg = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, QUALITY])
        return _Candidate(self.time_s, self.sharpness, jpeg.tobytes())


class KeyFrameObserver:
    """Holds candidates until the shots around them are known (under three seconds), then keeps a few JPEGs a shot."""

    def __init__(self) -> None:
        self._waiting: deque[_Candidate] = deque()
        self._next_s = 0.0
        self._shot, self._shot_start_s = 0, 0.0
        self._part_s = PART_S
        self._parts: dict[int, _Candidate] = {}
        self._done: list[KeyFrame] = []

    def see(self, view: View) -> None:
        """Look at the next frame."""
        if view.time_s >= self._next_s:
            self._next_s = view.time_s + CANDIDATE_STEP_S - 1e-6
            # contrast of the finest detail: blur of motion or focus takes that first
            sharpness = float(cv2.meanStdDev(cv2.Laplacian(view.grey, cv2.CV_16S))[1][0, 0])
            self._waiting.append(_Candidate(view.time_s, sharpness, view.image))

    def settle(self, boundaries: Sequence[Boundary], until_s: float) -> None:
        """Take in what was seen before `until_s`, up to where all boundaries are known."""
        while self._waiting and self._waiting[0].time_s < until_s:
            candidate = self._waiting.popleft()
            while self._shot < len(boundaries) and boundaries[self._shot].time_s <= candidate.time_s + 1e-6:
                self._close_shot(boundaries[self._shot].time_s)
            self._consider(candidate)

    def finish(self, boundaries: Sequence[Boundary]) -> tuple[KeyFrame, ...]:
        """Return the key frames by time."""
        self.settle(boundaries, float("inf"))
        self._close_shot(float("inf"))
        return tuple(self._done)

    def _consider(self, candidate: _Candidate) -> None:
        part = int((candidate.time_s - self._shot_start_s) / self._part_s)
        if part not in self._parts:
            self._parts = {number: kept.pressed() for number, kept in self._parts.items()}
        self._parts[part] = _sharper(self._parts.get(part), candidate)
        while max(self._parts) >= MOST_A_SHOT:
            self._part_s *= 2
            halved: dict[int, _Candidate] = {}
            for number, kept in self._parts.items():
                halved[number // 2] = _sharper(halved.get(number // 2), kept)
            self._parts = halved

    def _close_shot(self, next_start_s: float) -> None:
        for _, kept in sorted(self._parts.items()):
            jpeg = kept.pressed().image
            assert isinstance(jpeg, bytes)
            self._done.append(KeyFrame(kept.time_s, self._shot, jpeg))
        self._shot, self._shot_start_s = self._shot + 1, next_start_s
        self._part_s, self._parts = PART_S, {}


def _sharper(one: _Candidate | None, other: _Candidate) -> _Candidate:
    return other if one is None or other.sharpness > one.sharpness else one
