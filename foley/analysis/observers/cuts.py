"""Where one shot ends and another begins: cuts, dissolves, fades through black. The only door to scenedetect.

scenedetect proposes, this module disposes: a proposal is a cut where no picture shortly after resembles any picture
shortly before, whatever their brightness. A flash, a gun's smoke or a passer-by ends that way in front of the same
scene again.
"""

from __future__ import annotations

import itertools
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import cv2
import numpy as np
import numpy.typing as npt

from foley.analysis.observers.view import View

Thumb = npt.NDArray[np.float32]

PROPOSAL_DIVISOR = 4
"""scenedetect is shown a quarter of the small picture: a cut changes large areas, and what is finer only costs."""

PROPOSAL_RATIO, PROPOSAL_LEVELS = 2.0, 8.0
"""Change beside that of the frames around it, and in grey levels, at which a cut is considered: half of scenedetect's
own values, because every proposal is checked."""

LASTING_S = 0.4
"""How long the new picture must stay different; most flashes are over by then."""

UNLIKE = 0.4
"""Share of a picture's contrast that another one of the same shot explains at least all but: correlation 0.92."""

LEAST_LEVELS = 8.0
"""Difference in grey levels that matters at all, for pictures of the night."""

UNREST = 1.5
"""A cut changes so many times more than the second most restless pair of frames near it."""

DISSOLVE_SPANS_S = (0.6, 1.2, 2.4)
"""Dissolves last from half a second to two: a window of about their length shows the mixing best."""

DISSOLVE_STEP_S = 0.1
"""How often a dissolve is looked for."""

DISSOLVE_CORRELATION, DISSOLVE_LEVELS = 0.5, 20.0
"""Pictures before and after are as unlike as two shots are: a pan's are more alike."""

DISSOLVE_RESIDUAL = 0.25
"""Share of their difference that mixing the two pictures does not explain, at most; movement leaves more."""

WASHED_OUT = 0.96
"""Contrast of the pictures between, beside what mixing would leave: mixing averages contrast away, movement never
does, so that with camera and people moving all through a dissolve this still tells it."""

WASHED_EVENLY = 0.12
"""How far the mean brightness may leave its way from one picture to the other, as a share of contrast: what flickers
or goes dark loses contrast too."""

DISSOLVE_STEP, DISSOLVE_WAY = 0.35, 1.15
"""The mix moves from one picture to the other in small steps and without going back."""

LEAD_S, LEAD_MIX = 0.2, 0.2
"""So long before a dissolve the picture is still all the first one: what fades from a flash comes back to what it was
just before."""

SHORTEST_SHOT_S = 0.2
"""Nothing shorter is a shot that sounds could belong to."""

BLACK_LEVEL = 12.0
"""Mean under which scenedetect takes a picture for faded out (its own default)."""

BLACK_CONTRAST = 4.0
"""Standard deviation of a black picture; a night scene has more."""


@dataclass(frozen=True, slots=True)
class Boundary:
    """Where a shot begins."""

    time_s: float
    kind: Literal["cut", "fade"]
    start_s: float
    """Where the change begins; a cut has no length."""
    end_s: float


@dataclass(frozen=True, slots=True, eq=False)
class _Seen:
    """A frame as cuts are judged by."""

    number: int
    time_s: float
    thumb: Thumb
    """Brightness less its mean, shape (cells,)."""
    mean: float
    """What was taken off."""
    contrast: float
    """Standard deviation of the thumb."""

    @property
    def black(self) -> bool:
        """Return whether nothing is shown."""
        return self.mean < BLACK_LEVEL and self.contrast < BLACK_CONTRAST


class CutObserver:
    """Keeps thumbnails of two and a half seconds."""

    def __init__(self) -> None:
        from scenedetect import AdaptiveDetector, FrameTimecode, ThresholdDetector

        self._adaptive = AdaptiveDetector(
            adaptive_threshold=PROPOSAL_RATIO, min_content_val=PROPOSAL_LEVELS, min_scene_len=1
        )
        self._zero = FrameTimecode(0, fps=25.0)  # counts frames alone: times are the frames' own
        self._threshold = ThresholdDetector(threshold=BLACK_LEVEL, min_scene_len=1)
        self._window: deque[_Seen] = deque()
        self._proposals: list[int] = []
        self._dark: list[_Seen] = []
        self._next_dissolve_s = 0.0
        self._cuts: list[Boundary] = []
        self._fades: list[tuple[float, Boundary]] = []

    def see(self, view: View) -> None:
        """Look at the next frame."""
        thumb = view.coarse.ravel()
        (mean,), (contrast,) = (each[0].tolist() for each in cv2.meanStdDev(thumb))
        seen = _Seen(view.number, view.time_s, thumb - np.float32(mean), mean, contrast)
        self._window.append(seen)
        while seen.time_s - self._window[0].time_s > DISSOLVE_SPANS_S[-1] + LEAD_S + DISSOLVE_STEP_S:
            self._window.popleft()
        height, width = view.small.shape[:2]
        size = (max(1, width // PROPOSAL_DIVISOR), max(1, height // PROPOSAL_DIVISOR))
        picture = cv2.cvtColor(cv2.resize(view.small, size, interpolation=cv2.INTER_AREA), cv2.COLOR_RGB2BGR)
        now = self._zero + view.number
        self._proposals += [proposal.frame_num for proposal in self._adaptive.process_frame(now, picture)]
        self._judge(seen.time_s - LASTING_S)
        self._watch_black(seen, bool(self._threshold.process_frame(now, thumb)))
        if seen.time_s >= self._next_dissolve_s:
            self._next_dissolve_s = seen.time_s + DISSOLVE_STEP_S
            self._seek_dissolve()

    @property
    def settled_s(self) -> float:
        """Return up to when boundaries are final."""
        return self._window[-1].time_s - DISSOLVE_SPANS_S[-1] - DISSOLVE_STEP_S if self._window else 0.0

    def boundaries(self, end_s: float = float("inf")) -> tuple[Boundary, ...]:
        """Return what was found so far, in order, without the clip's start; what is not settled may still change.

        Args:
            end_s: End of the clip: the last shot has its length too.
        """
        found = sorted([*self._cuts, *(fade for _, fade in self._fades)], key=lambda boundary: boundary.time_s)
        kept: list[Boundary] = []
        for boundary in found:
            before_s = kept[-1].time_s if kept else 0.0
            if min(boundary.time_s - before_s, end_s - boundary.time_s) >= SHORTEST_SHOT_S - 1e-6:
                kept.append(boundary)
        return tuple(kept)

    def finish(self, end_s: float) -> tuple[Boundary, ...]:
        """Return where shots begin, in order, without the first."""
        self._judge(float("inf"))
        return self.boundaries(end_s)

    def _judge(self, until_s: float) -> None:
        """Decide on the proposals whose aftermath has been seen."""
        waiting = []
        for number in self._proposals:
            place = number - self._window[0].number
            if place < 1 or place >= len(self._window):
                continue
            if self._window[place].time_s > until_s:
                waiting.append(number)
            elif _is_cut(list(self._window), place):
                time_s = self._window[place].time_s
                self._cuts.append(Boundary(time_s, "cut", time_s, time_s))
        self._proposals = waiting

    def _watch_black(self, seen: _Seen, faded_in: bool) -> None:
        if seen.mean < BLACK_LEVEL:
            self._dark = [*self._dark[:1], min([*self._dark[1:], seen], key=lambda dark: dark.contrast)]
        elif self._dark:
            first, darkest = self._dark[0], self._dark[-1]
            if faded_in and first.number > 0 and darkest.black:
                self._fades.append((0.0, Boundary(seen.time_s, "fade", first.time_s, seen.time_s)))
            self._dark = []

    def _seek_dissolve(self) -> None:
        """Look whether the window's last stretch mixes its ends; of all that overlap, the purest mix stays."""
        frames = list(self._window)
        for span_s in DISSOLVE_SPANS_S:
            first = next(place for place, seen in enumerate(frames) if frames[-1].time_s - seen.time_s <= span_s + 1e-6)
            stretch = frames[first:]
            if stretch[-1].time_s - stretch[0].time_s < 0.8 * span_s or self._cut_within(stretch):
                continue
            lead = [seen for seen in frames[:first] if stretch[0].time_s - seen.time_s <= LEAD_S]
            found = _mixing(stretch, lead)
            if found is None:
                continue
            residual, fade = found
            rivals = [rival for rival in self._fades if rival[1].end_s > fade.start_s]
            if all(residual < rival[0] for rival in rivals):
                self._fades = [*(rival for rival in self._fades if rival not in rivals), found]

    def _cut_within(self, stretch: Sequence[_Seen]) -> bool:
        start_s, numbers = stretch[0].time_s, range(stretch[0].number, stretch[-1].number + 1)
        cut_late = bool(self._cuts) and self._cuts[-1].time_s > start_s
        return cut_late or any(number in numbers for number in self._proposals)


def _unlikeness(one: _Seen, other: _Seen) -> tuple[float, float]:
    """Return what of either picture the other does not explain: in grey levels, and as a share of the contrast.

    The residual of a linear fit, so that neither light nor exposure counts; nothing explains by its negative.
    """
    contrast = max(one.contrast, other.contrast)
    product = len(one.thumb) * one.contrast * other.contrast
    correlation = max(0.0, float(one.thumb @ other.thumb) / product) if product > 1e-3 else 0.0
    share = float(np.sqrt(max(0.0, 1.0 - correlation**2)))
    return contrast * share, share


def _is_cut(frames: Sequence[_Seen], place: int) -> bool:
    """Return whether the picture is lastingly another from `place` on."""
    at_s = frames[place].time_s
    before = [seen for seen in frames[:place] if at_s - seen.time_s <= LASTING_S + 1e-6]
    after = [seen for seen in frames[place:] if seen.time_s - at_s <= LASTING_S + 1e-6]
    across = [_unlikeness(one, other) for one, other in itertools.product(before, after)]
    levels, share = min(levels for levels, _ in across), min(share for _, share in across)
    if levels < LEAST_LEVELS or share < UNLIKE:
        return False
    pairs = [*itertools.pairwise(before), *itertools.pairwise(after)]
    unrest = sorted(_unlikeness(one, other)[0] for one, other in pairs)
    return len(unrest) < 2 or levels > UNREST * unrest[-2]


def _mixing(stretch: Sequence[_Seen], lead: Sequence[_Seen]) -> tuple[float, Boundary] | None:
    """Return how impurely a stretch mixes its first picture into its last, and the fade; None where it does not.

    Each picture between is taken as (1 - m) first + m last, by least squares.
    """
    first, last = stretch[0], stretch[-1]
    if first.black or last.black:
        return None  # half of a fade through black, which is one
    levels, share = _unlikeness(first, last)
    if levels < DISSOLVE_LEVELS or share**2 < 1 - DISSOLVE_CORRELATION**2:
        return None
    way = last.thumb - first.thumb
    moved = np.stack([seen.thumb for seen in stretch]) - first.thumb
    mix = moved @ way / float(way @ way)
    if any(float((seen.thumb - first.thumb) @ way) > LEAD_MIX * float(way @ way) for seen in lead):
        return None
    steps = np.abs(np.diff(mix))
    between = np.flatnonzero((mix > 0.1) & (mix < 0.9))
    if steps.max() > DISSOLVE_STEP or steps.sum() > DISSOLVE_WAY or len(between) < 3:
        return None
    residual = np.sqrt(np.maximum(np.square(moved).sum(axis=1) / float(way @ way) - mix**2, 0))
    impurity = float(np.median(residual[between]))
    if impurity > DISSOLVE_RESIDUAL and not _washed_out(stretch, mix, between):
        return None
    start_s, end_s = stretch[between[0]].time_s, stretch[between[-1]].time_s
    margin_s = (end_s - start_s) / 8  # from a tenth of the way to nine tenths it is eight tenths
    start_s, end_s = max(first.time_s, start_s - margin_s), min(last.time_s, end_s + margin_s)
    return impurity, Boundary((start_s + end_s) / 2, "fade", start_s, end_s)


def _washed_out(stretch: Sequence[_Seen], mix: npt.NDArray[np.floating], between: npt.NDArray[np.intp]) -> bool:
    """Return whether the pictures between lost the contrast that mixing takes, and nothing but it."""
    first, last, share = stretch[0], stretch[-1], mix[between]
    common = float(first.thumb @ last.thumb) / len(first.thumb)
    power = (
        np.square((1 - share) * first.contrast) + np.square(share * last.contrast) + 2 * share * (1 - share) * common
    )
    contrast = np.array([stretch[place].contrast for place in between])
    mean = np.array([stretch[place].mean for place in between])
    strayed = np.abs(mean - (1 - share) * first.mean - share * last.mean).max() / max(first.contrast, last.contrast)
    left = float(np.median(contrast / np.sqrt(np.maximum(power, 1e-3))))
    return left < WASHED_OUT and bool(strayed < WASHED_EVENLY)
