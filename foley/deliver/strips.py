"""The frames around an instant, with what moves and where: why something is heard just then, as a picture."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from foley.deliver import pictures
from foley.media.reader import Frame, Image, read_window
from foley.model import Clip, Cue, Picture, Region, Span
from foley.units import clock

VERSION = 1
"""Raise it when the same moment gives another picture."""

FRAMES = 5
"""In a strip: two before the instant, two after."""

STEP_S = 0.04
"""From one to the next, or one frame where those are further apart: a blow lasts two or three."""

CELL_PX = (320, 240)
"""The largest frame of a strip; five fill a card on a screen with fine pixels."""

GAP_PX = 4

ARROW_GRID_PX = 20
LONGEST_ARROW_PX = 26
"""The fastest arrow of a strip; the others in proportion."""

STILL_PX = 0.6
"""Flow between two frames under this is noise of its own."""

STILL_SHARE = 0.001
"""Where no more of the picture than this moves, nothing does."""

FAST_PERCENTILE = 99.5
"""Of all vectors: a few wild ones do not shrink the rest."""

NEAR = 0.2
"""How far from an impact's place motion counts towards its region, as a standard deviation in picture widths."""

INNER = (0.1, 0.9)
"""Share of that motion, from side to side, that the region holds; a margin is added."""

MARGIN = 0.03
LEAST_SIDE = 0.1
"""Of a region, as a share of the picture."""

SAME_S = 0.06
"""An impact nearer to a hit than this is what it was timed by."""

ACCENT, DARK, WHITE = (84, 180, 255), (16, 12, 10), (255, 255, 255)
"""Colours as BGR: the report's amber, its page, its heads."""

TEXT_SCALE, LINE_PX = 0.45, 22
"""Letters 10 px high: readable where a strip is shown at half its size."""

QUALITY = 78
"""JPEG quality: 60 to 130 KB a strip."""

Field = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Moment:
    """An instant to be looked at, and where in the picture."""

    time_s: float
    x: float | None
    """0 left, 1 right; None where no impact tells."""
    y: float | None
    cue: Cue | None


def moment(time_s: float, picture: Picture) -> Moment:
    """Return the instant with the place of the impact that it was timed by: of several the one of its shot's cue."""
    shot = next((n for n, shot in enumerate(picture.shots) if shot.start_s <= time_s < shot.end_s), -1)
    cue = picture.shot_cues[shot]
    near = [impact for impact in picture.impacts if abs(impact.time_s - time_s) <= SAME_S]
    if not near:
        return Moment(time_s, None, None, None)
    best = min(near, key=lambda impact: (impact.cue != cue, abs(impact.time_s - time_s)))
    return Moment(time_s, best.x, best.y, best.cue)


def strip(clip: Clip, at: Moment) -> bytes:
    """Return a JPEG of the frames around a moment, side by side: what moves as arrows, and its region boxed.

    Empty where no frame can be decoded there.

    Raises:
        DamagedVideoError: where the file cannot be opened.
    """
    import cv2

    frames = _frames_around(clip, at.time_s)
    if not frames:
        return b""
    greys = [np.asarray(cv2.cvtColor(frame.image, cv2.COLOR_RGB2GRAY), np.uint8) for frame in frames]
    flows = _own_flows(greys)
    changed = _brightening(greys) if at.cue == "flash" else [np.hypot(flow[..., 0], flow[..., 1]) for flow in flows]
    shown = frames[:FRAMES]
    middle = min(range(len(shown)), key=lambda number: abs(shown[number].time_s - at.time_s))
    region = region_of(changed[max(0, middle - 2) : middle + 1], at)
    fastest_px = max((float(np.percentile(speed, FAST_PERCENTILE)) for speed in changed), default=0.0)
    cells = []
    for number, frame in enumerate(shown):
        picture = cv2.cvtColor(frame.image, cv2.COLOR_RGB2BGR)
        if number < len(flows) and at.cue != "flash":
            _draw_arrows(picture, flows[number], fastest_px)
        if region:
            _draw_box(picture, region)
        _draw_text(picture, _caption(frame.time_s, at.time_s, number == middle), strong=number == middle)
        cells.append(picture)
    return pictures.encoded(_side_by_side(cells), ".jpg", quality=QUALITY)


def captioned(jpeg: bytes, lines: Sequence[str]) -> bytes:
    """Return a JPEG with lines of text over its top left corner."""
    import cv2

    picture = cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR)
    if picture is None:
        raise ValueError("not a JPEG")
    for number, line in enumerate(lines):
        _draw_text(picture, line, strong=False, line=number)
    return pictures.encoded(picture, ".jpg", quality=QUALITY)


def cell_width_px(clip: Clip) -> int:
    """Return the width at which a frame fits into a strip."""
    return max(2, min(CELL_PX[0], round(CELL_PX[1] * clip.video.width_px / clip.video.height_px)))


def region_of(changes: Sequence[Field], at: Moment) -> Region | None:
    """Return where what changes lies: the middle four fifths of it across and down, near the moment's place.

    Args:
        changes: For each frame how much each pixel moves or brightens, all of one shape.
        at: Its place, where it has one, says which of several things is meant.
    """
    if not changes:
        return None
    weight = np.sum(np.square(changes), axis=0, dtype=np.float64)  # squared: what is fast, not what is large
    if at.x is not None and at.y is not None:
        rows, columns = (np.arange(size) + 0.5 for size in weight.shape)
        down = (rows / weight.shape[0] - at.y) * weight.shape[0] / weight.shape[1]
        across = columns / weight.shape[1] - at.x
        weight *= np.exp(-(down[:, None] ** 2 + across[None] ** 2) / (2 * NEAR**2))
    if weight.sum() <= STILL_SHARE * STILL_PX**2 * weight.size:
        return None
    left, right = _extent(weight.sum(axis=0))
    top, bottom = _extent(weight.sum(axis=1))
    return Region(left, top, right, bottom)


def _extent(weights: npt.NDArray[np.float64]) -> tuple[float, float]:
    """Return from where to where the inner part of a distribution reaches, with a margin, at least `LEAST_SIDE`."""
    total = np.cumsum(weights) / weights.sum()
    low, high = (float(np.searchsorted(total, share)) / len(weights) for share in INNER)
    middle, half = (low + high) / 2, max((high - low) / 2 + MARGIN, LEAST_SIDE / 2)
    return max(0.0, middle - half), min(1.0, middle + half)


def _frames_around(clip: Clip, time_s: float) -> list[Frame]:
    """Return the frames of a strip and one more, which the last one's flow leads to; fewer at the clip's ends."""
    step_s = max(STEP_S, 1 / float(clip.video.frame_rate))
    first_s = max(0.0, time_s - (FRAMES // 2 + 0.5) * step_s)
    window = Span(first_s, first_s + (FRAMES + 1) * step_s + 1e-3)
    chosen: list[Frame] = []
    for frame in read_window(clip, window, width_px=cell_width_px(clip)):
        if not chosen or frame.time_s - chosen[-1].time_s > step_s - 0.5 / float(clip.video.frame_rate):
            chosen.append(frame)
    return chosen[: FRAMES + 1]


def _own_flows(greys: Sequence[Image]) -> list[Field]:
    """Return how each frame's pixels move up to the next one, in pixels, less the median: the camera's share."""
    import cv2

    follower = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_FAST)
    flows = []
    for first, second in itertools.pairwise(greys):
        flow = np.asarray(follower.calc(first, second, None), np.float32)  # type: ignore[call-overload]
        own: Field = flow - np.median(flow.reshape(-1, 2)[::16], axis=0).astype(np.float32)
        own[np.hypot(own[..., 0], own[..., 1]) < STILL_PX] = 0.0
        flows.append(own)
    return flows


def _brightening(greys: Sequence[Image]) -> list[Field]:
    return [np.maximum(second.astype(np.float32) - first, 0.0) for first, second in itertools.pairwise(greys)]


def _draw_arrows(picture: Any, flow: Field, fastest_px: float) -> None:
    import cv2

    if fastest_px <= STILL_PX:
        return
    scale = LONGEST_ARROW_PX / fastest_px
    half = ARROW_GRID_PX // 2
    for y in range(half, flow.shape[0], ARROW_GRID_PX):
        for x in range(half, flow.shape[1], ARROW_GRID_PX):
            across, down = (float(part) for part in flow[y - half : y + half, x - half : x + half].mean(axis=(0, 1)))
            if math.hypot(across, down) * scale < 3.0:  # shorter, it is a dot
                continue
            longest = min(1.0, LONGEST_ARROW_PX / (math.hypot(across, down) * scale))
            tip = (round(x + across * scale * longest), round(y + down * scale * longest))
            for colour, thickness in ((DARK, 3), (ACCENT, 1)):
                cv2.arrowedLine(picture, (x, y), tip, colour, thickness, cv2.LINE_AA, tipLength=0.35)


def _draw_box(picture: Any, region: Region) -> None:
    import cv2

    height, width = picture.shape[:2]
    corner = (round(region.left * (width - 1)), round(region.top * (height - 1)))
    other = (round(region.right * (width - 1)), round(region.bottom * (height - 1)))
    cv2.rectangle(picture, corner, other, DARK, 4)
    cv2.rectangle(picture, corner, other, WHITE, 2)


def _draw_text(picture: Any, text: str, *, strong: bool, line: int = 0) -> None:
    import cv2

    top = line * LINE_PX
    (width, _), _ = cv2.getTextSize(text, cv2.FONT_HERSHEY_SIMPLEX, TEXT_SCALE, 1)
    cv2.rectangle(picture, (0, top), (width + 12, top + LINE_PX), ACCENT if strong else DARK, cv2.FILLED)
    at, colour = (6, top + LINE_PX - 7), DARK if strong else WHITE
    cv2.putText(picture, text, at, cv2.FONT_HERSHEY_SIMPLEX, TEXT_SCALE, colour, 1, cv2.LINE_AA)


def _caption(time_s: float, hit_s: float, is_nearest: bool) -> str:
    if is_nearest:
        return clock(time_s)
    return f"{1000 * (time_s - hit_s):+.0f} ms"


def _side_by_side(cells: Sequence[Any]) -> Any:
    gap = np.full((cells[0].shape[0], GAP_PX, 3), 128, np.uint8)
    parts = [part for cell in cells for part in (cell, gap)][:-1]
    return np.hstack(parts)
