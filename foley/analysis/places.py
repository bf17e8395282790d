"""Tell which shots show the same place again, so that one ambience runs on under their cuts.

Two shots share a place only where they are clearly alike: a place told apart once too often costs a crossfade between
two ambiences of one kind, two places taken for one cost the wrong sound.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from foley.model import KeyFrame, Picture

Rows = npt.NDArray[np.float32]

ALIKE_EMBEDDING = 0.92
"""Cosine of two shots' embeddings from which they show one place: cautious, as it differs from encoder to encoder."""

GRID_COLUMNS, GRID_ROWS = 12, 8
"""Cells of a colour layout: small enough that a place differs from another, large enough that a hand-held camera does
not move things from cell to cell."""

_XYZ_OVER_WHITE = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]]) / np.array(
    [[0.9505], [1.0], [1.089]]
)
"""From linear sRGB to CIE XYZ, each over that of D65."""

CHROMA_WEIGHT = 1.4
"""Differences of colour count more than those of lightness, which change with exposure and time of day."""

ALIKE_SHARE = 0.62
"""Of the cells in each half of the picture must be alike: people move in front of the rest. In 22 real clips (41 shots)
shots of one place from much the same side share 0.69 and more, shots of different places 0.56 and less."""

ALIKE_COLOUR = 10.5
"""CIELAB difference of a cell up to which it is alike; chosen together with the share, for the widest gap there."""

FRAMES_A_SHOT = 3
"""Compared at most: first, middle and last."""

FLATTEST = 3.0
"""Spread of a layout, in CIELAB units, below which there is no place to recognise: black, white, one colour."""

LOOKS_BACK = 100
"""Shots that a shot is compared with, at most: ten minutes of a film. What is seen again later starts anew."""


def places_by_colour(picture: Picture) -> tuple[int, ...]:
    """Return the number of the place of each shot, by how light and colours lie in the picture."""
    if len(picture.shots) == 1:
        return (0,)
    layouts = [_layouts(keys) for keys in _shot_key_frames(picture)]

    def alike(one: int, others: Sequence[int]) -> int | None:
        return _nearest(layouts[one], {other: layouts[other] for other in others})

    return _numbered(len(layouts), alike)


def places_by_embedding(embeddings: Rows) -> tuple[int, ...]:
    """Return the number of the place of each shot, given what an encoder sees in them: rows of length 1."""

    def alike(one: int, others: Sequence[int]) -> int | None:
        likeness = embeddings[list(others)] @ embeddings[one]
        best = int(np.argmax(likeness))
        return others[best] if likeness[best] >= ALIKE_EMBEDDING else None

    return _numbered(len(embeddings), alike)


def _shot_key_frames(picture: Picture) -> list[list[KeyFrame]]:
    """Return the key frames of each shot."""
    found: list[list[KeyFrame]] = [[] for _ in picture.shots]
    for key in picture.key_frames:
        found[key.shot].append(key)
    return found


def _numbered(shots: int, alike: Callable[[int, Sequence[int]], int | None]) -> tuple[int, ...]:
    """Number places from 0 in order of appearance, given which earlier shot each one is most like, if any."""
    numbers: list[int] = []
    for shot in range(shots):
        others = range(max(0, shot - LOOKS_BACK), shot)
        same = alike(shot, others) if others else None
        numbers.append(max(numbers, default=-1) + 1 if same is None else numbers[same])
    return tuple(numbers)


def _layouts(keys: Sequence[KeyFrame]) -> list[Rows]:
    """Return the layouts of a few key frames spread over a shot: a camera that moves shows the place from several."""
    last = len(keys) - 1
    chosen = sorted({last * number // (FRAMES_A_SHOT - 1) for number in range(FRAMES_A_SHOT)}) if keys else []
    found = [_layout(keys[number].jpeg) for number in chosen]
    return [layout for layout in found if layout is not None]


def _layout(jpeg: bytes) -> Rows | None:
    """Return the colour layout of a picture, shape (rows, columns, 3).

    It is in CIELAB, its median lightness taken away, its colours weighted; None where there is nothing to compare.
    """
    import cv2

    # an eighth of the size still has four pixels to a cell, and is decoded in a tenth of the time
    image = cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_REDUCED_COLOR_8)
    if image is None:
        return None
    small = cv2.resize(image, (GRID_COLUMNS, GRID_ROWS), interpolation=cv2.INTER_AREA)
    layout = _lab(small[..., ::-1])
    layout[..., 0] -= np.median(layout[..., 0])
    layout[..., 1:] *= CHROMA_WEIGHT
    spread = np.abs(layout - np.median(layout, axis=(0, 1))).mean(axis=(0, 1)).sum()
    return layout if spread >= FLATTEST else None


def _lab(rgb: npt.NDArray[Any]) -> Rows:
    """Return colours of 0 to 255 as CIELAB under D65; OpenCV spends longer on its tables than these few cells take.

    Source: IEC 61966-2-1 (sRGB) and CIE 15 (the space).
    """
    coded = rgb.astype(np.float32) / 255
    linear = np.where(coded > 0.04045, ((coded + 0.055) / 1.055) ** 2.4, coded / 12.92)
    x, y, z = np.moveaxis(linear @ _XYZ_OVER_WHITE.T, -1, 0)
    fx, fy, fz = (np.where(t > 216 / 24389, np.cbrt(t), (24389 / 27 * t + 16) / 116) for t in (x, y, z))
    return np.stack([116 * fy - 16, 500 * (fx - fy), 200 * (fy - fz)], axis=-1).astype(np.float32)


def _nearest(layouts: Sequence[Rows], others: dict[int, list[Rows]]) -> int | None:
    """Return the number of the shot that shows what is most like one of the layouts, None where none is clearly so."""
    numbers = [number for number, found in others.items() for _ in found]
    if not layouts or not numbers:
        return None
    known = np.stack([layout for found in others.values() for layout in found])
    shares = np.max([_alike_share(layout, known) for layout in layouts], axis=0)
    best = int(np.argmax(shares))
    return numbers[best] if shares[best] >= ALIKE_SHARE else None


def _alike_share(one: Rows, others: Rows) -> Rows:
    """Return the share of cells in which layouts are like one, shape (others,): in the half where it is smallest.

    Half by half, because a caption, a split screen or black bars that all shots share must not make a place.
    """
    alike = ((others - one) ** 2).sum(axis=-1) <= ALIKE_COLOUR**2
    middle_row, middle_column = GRID_ROWS // 2, GRID_COLUMNS // 2
    halves = (
        alike[:, :middle_row],
        alike[:, middle_row:],
        alike[:, :, :middle_column],
        alike[:, :, middle_column:],
    )
    shares: Rows = np.min([half.mean(axis=(1, 2)) for half in halves], axis=0)
    return shares
