"""Look at the picture once: one decode feeds all observers, frame by frame."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
import numpy.typing as npt

from foley.analysis.impacts import find_impacts
from foley.contracts import Context, stage
from foley.media.reader import Frame, read_frames
from foley.model import Clip, Motion, Picture, Shot, Span

if TYPE_CHECKING:
    from foley.analysis.observers.cuts import Boundary
    from foley.analysis.observers.motion import Track

Opening = Literal["start", "cut", "fade"]

PROGRESS_STEP_FRAMES = 50
"""How often progress is told: about twice a second."""

SETTLE_EVERY_FRAMES = 25
"""How often key frames are chosen: all boundaries are gone through each time."""

FASTEST_PERCENTILE = 99.5
"""Of the speeds of all frames: what counts as the clip's fastest, so that one wild frame does not."""

STILL_SPEED = 0.01
"""Fastest speed, in lengths of the picture a second, below which a whole clip counts as still: noise is not motion."""


@dataclass(frozen=True, slots=True)
class WatchOptions:
    """How closely the picture is looked at."""

    detail_px: int = 384
    """Longer side of the pictures that are looked at. Motion is measured at half of it."""

    def __post_init__(self) -> None:
        if not 64 <= self.detail_px <= 2048:
            raise ValueError(f"detail_px must be 64 to 2048, got {self.detail_px}")


class Observers:
    """All that look at a clip. They see each frame once and keep a bounded window and a few numbers of it.

    OpenCV is only imported here, while the first frames are decoded: it takes as long as some thirty of them.
    """

    def __init__(self) -> None:
        from foley.analysis.observers.cuts import CutObserver
        from foley.analysis.observers.flashes import FlashObserver
        from foley.analysis.observers.keyframes import KeyFrameObserver
        from foley.analysis.observers.motion import MotionObserver

        self.cuts, self.key_frames = CutObserver(), KeyFrameObserver()
        self.motion, self.flashes = MotionObserver(), FlashObserver()
        self._count = 0

    def see(self, frame: Frame) -> None:
        """Look at the next frame."""
        from foley.analysis.observers.view import view

        seen = view(self._count, frame.time_s, frame.image)
        self._count += 1
        self.cuts.see(seen)
        self.motion.see(seen)
        self.flashes.see(seen)
        self.key_frames.see(seen)
        if self._count % SETTLE_EVERY_FRAMES == 0:
            self.key_frames.settle(self.cuts.boundaries(), self.cuts.settled_s)

    def picture(self, end_s: float, faults: tuple[str, ...] = ()) -> Picture:
        """Return what was seen."""
        boundaries = self.cuts.finish(end_s)
        shots = _shots(boundaries, end_s)
        track, light = self.motion.finish(), self.flashes.finish()
        blind = [Span(boundary.start_s, boundary.end_s) for boundary in boundaries]
        impacts, shot_cues = find_impacts(track, light, shots, blind=blind)
        return Picture(
            times_s=light.time_s,
            shots=shots,
            motion=_motion(track, light.time_s, blind),
            impacts=impacts,
            shot_cues=shot_cues,
            key_frames=self.key_frames.finish(boundaries),
            faults=faults,
        )


@stage(version=6)
def watch(clip: Clip, opts: WatchOptions, ctx: Context) -> Picture:
    """Find shots, motion, impacts and key frames.

    Raises:
        MediaError: where no picture can be decoded.
    """
    longer_px = max(clip.video.width_px, clip.video.height_px)
    width_px = opts.detail_px * clip.video.width_px // longer_px
    length_s = float(clip.duration_s)
    with read_frames(clip, width_px=max(2, width_px)) as frames, _eyes() as observers:
        last_s = 0.0
        for number, frame in enumerate(frames):
            observers.see(frame)
            last_s = frame.time_s
            if number % PROGRESS_STEP_FRAMES == 0:
                ctx.progress(min(1.0, last_s / length_s), "looking at the picture")
        faults = frames.faults
    return observers.picture(max(length_s, last_s), faults)


@contextmanager
def _eyes() -> Iterator[Observers]:
    """Yield the observers, who work in one thread while the others decode."""
    from foley.analysis.observers.view import one_thread

    with one_thread():
        yield Observers()


def _shots(boundaries: Sequence[Boundary], end_s: float) -> tuple[Shot, ...]:
    edges_s = [0.0, *(boundary.time_s for boundary in boundaries), end_s]
    openings: list[Opening] = ["start", *(boundary.kind for boundary in boundaries)]
    return tuple(
        Shot(start_s, stop_s, opening)
        for (start_s, stop_s), opening in zip(itertools.pairwise(edges_s), openings, strict=True)
    )


def _motion(track: Track, times_s: npt.NDArray[np.float64], blind: Sequence[Span]) -> Motion:
    """Return the motion curve at all frames: what was measured between frames of different shots is passed over."""
    sees = np.ones(len(track.time_s), bool)
    sees[0] = False  # nothing comes before the first frame
    for span in blind:
        first, last = np.searchsorted(track.time_s, [span.start_s - 1e-6, span.end_s + 1e-6])
        sees[first : max(last, first + 1)] = False
    if not sees.any():
        sees[:] = True

    def at_frames(values: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        return np.interp(times_s, track.time_s[sees], values[sees]).astype(np.float32)

    speed = at_frames(track.speed)
    fastest = max(STILL_SPEED, float(np.percentile(speed, FASTEST_PERCENTILE)))
    parts = track.cells.reshape(len(track.cells), -1).T / np.float32(fastest)
    cells = np.stack([at_frames(part) for part in parts], axis=1).astype(np.float16)
    return Motion(
        level=np.clip(speed / fastest, 0, 1),
        x=at_frames(track.x),
        y=at_frames(track.y),
        camera=at_frames(track.camera),
        cells=cells.reshape(-1, *track.cells.shape[1:]),
    )
