"""Paint what lies behind things, and pictures that show nothing at all."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import cv2
import numpy as np

from benchmarks.scenes.canvas import Canvas, Colour, Pixels, blank, blotches, hsv, mixed

Painter = Callable[[np.random.Generator], Pixels]


def _muted(rng: np.random.Generator) -> Colour:
    """Return a colour that things stand out from: pale or dim, of any hue."""
    return hsv(rng.random(), rng.uniform(0.0, 0.35), rng.choice((rng.uniform(0.3, 0.45), rng.uniform(0.7, 0.95))))


def _plain(rng: np.random.Generator) -> Pixels:
    return blank(_muted(rng))


def _sky(rng: np.random.Generator) -> Pixels:
    """Return a sky that pales towards the horizon, over flat ground."""
    picture = blank()
    height_px = len(picture)
    fall = np.broadcast_to(np.linspace(0, 1, height_px, dtype=np.float32)[:, None], picture.shape[:2])
    hue = rng.uniform(0.52, 0.66)
    picture = mixed(hsv(hue, rng.uniform(0.3, 0.6), rng.uniform(0.6, 0.9)), hsv(hue, 0.1, 0.95), fall)
    horizon_px = round(height_px * rng.uniform(0.65, 0.8))
    picture[horizon_px:] = hsv(rng.uniform(0.1, 0.35), rng.uniform(0.2, 0.5), rng.uniform(0.35, 0.6))
    return picture


def _hills(rng: np.random.Generator) -> Pixels:
    """Return two rows of hills under a pale sky."""
    picture = blank(hsv(rng.uniform(0.5, 0.7), 0.15, rng.uniform(0.8, 0.95)))
    height_px, width_px = picture.shape[:2]
    xs = np.arange(width_px)
    for row in range(2):
        waves = rng.uniform(0.5, 2.0) * xs / width_px + rng.random()
        edge = height_px * (0.5 + 0.18 * row + 0.07 * np.sin(2 * np.pi * waves))
        below = np.arange(height_px)[:, None] > edge[None]
        picture[below] = hsv(rng.uniform(0.2, 0.4), rng.uniform(0.2, 0.5), rng.uniform(0.6, 0.75) - 0.18 * row)
    return picture


def _courses(rng: np.random.Generator, *, high_px: float, wide_px: float, staggered: bool) -> Pixels:
    """Return a wall of courses with joints between."""
    base = _muted(rng)
    picture = blank(base)
    joint: Colour = tuple(round(0.8 * part) for part in base)  # type: ignore[assignment]
    height_px, width_px = picture.shape[:2]
    for row, y in enumerate(np.arange(rng.uniform(0, high_px), height_px, high_px)):
        cv2.line(picture, (0, int(y)), (width_px, int(y)), joint, 2)
        shift = 0.5 * wide_px * (row % 2) * staggered
        for x in np.arange(shift, width_px, wide_px):
            cv2.line(picture, (int(x), int(y)), (int(x), int(y + high_px)), joint, 2)
    return picture


def _bricks(rng: np.random.Generator) -> Pixels:
    return _courses(rng, high_px=rng.uniform(14, 22), wide_px=rng.uniform(34, 50), staggered=True)


def _planks(rng: np.random.Generator) -> Pixels:
    return _courses(rng, high_px=1e3, wide_px=rng.uniform(22, 40), staggered=False)


def _tiles(rng: np.random.Generator) -> Pixels:
    side_px = rng.uniform(28, 44)
    return _courses(rng, high_px=side_px, wide_px=side_px, staggered=False)


def _room(rng: np.random.Generator) -> Pixels:
    """Return two walls that meet in a corner, and a floor."""
    picture = blank(_muted(rng))
    height_px, width_px = picture.shape[:2]
    corner_x, floor_y = rng.uniform(0.2, 0.8), rng.uniform(0.68, 0.82)
    canvas = Canvas(picture, x=0.0, y=0.0, size=1.0)
    aspect = width_px / height_px
    canvas.box(corner_x * aspect, 0, aspect, bottom=1, colour=_muted(rng))
    floor = ((0, floor_y + 0.12), (corner_x * aspect, floor_y), (aspect, floor_y + 0.12), (aspect, 1), (0, 1))
    canvas.polygon(floor, _muted(rng))
    return picture


def _clouds(rng: np.random.Generator) -> Pixels:
    """Return something far out of focus."""
    picture = blank()
    return mixed(_muted(rng), _muted(rng), blotches(rng, picture, cells=int(rng.integers(4, 8))))


def _stripes(rng: np.random.Generator) -> Pixels:
    picture = blank()
    ys, xs = np.mgrid[: picture.shape[0], : picture.shape[1]].astype(np.float32)
    turn = rng.uniform(0, np.pi)
    phase = (xs * np.cos(turn) + ys * np.sin(turn)) / rng.uniform(10, 40)
    return mixed(_any_colour(rng), _any_colour(rng), (np.sin(phase) > 0).astype(np.float32))


def _discs(rng: np.random.Generator) -> Pixels:
    canvas = Canvas(blank(_any_colour(rng)), x=0.0, y=0.0, size=1.0)
    for _ in range(int(rng.integers(4, 14))):
        canvas.disc(rng.uniform(0, 1.33), rng.uniform(0, 1), rng.uniform(0.03, 0.25), colour=_any_colour(rng))
    return canvas.pixels


def _blotches(rng: np.random.Generator) -> Pixels:
    picture = blank()
    return mixed(_any_colour(rng), _any_colour(rng), blotches(rng, picture, cells=int(rng.integers(5, 40))))


def _noise(rng: np.random.Generator) -> Pixels:
    """Return noise of its own in every pixel and colour."""
    picture = blank()
    low, high = sorted(rng.uniform(0, 255, 2))
    return rng.uniform(low, max(high, low + 40), picture.shape).clip(0, 255).astype(np.uint8)


def _ramp(rng: np.random.Generator) -> Pixels:
    """Return one colour that turns into another, across or from a centre."""
    picture = blank()
    height_px, width_px = picture.shape[:2]
    ys, xs = np.mgrid[:height_px, :width_px].astype(np.float32) / height_px
    if rng.random() < 0.5:
        share = np.hypot(xs - rng.uniform(0.3, 1.0), ys - rng.uniform(0.2, 0.8))
    else:
        turn = rng.uniform(0, 2 * np.pi)
        share = xs * np.cos(turn) + ys * np.sin(turn)
    share = (share - share.min()) / (share.max() - share.min())
    return mixed(_any_colour(rng), _any_colour(rng), share.astype(np.float32))


def _checks(rng: np.random.Generator) -> Pixels:
    picture = blank()
    ys, xs = np.mgrid[: picture.shape[0], : picture.shape[1]]
    side_px = int(rng.integers(10, 48))
    return mixed(_any_colour(rng), _any_colour(rng), ((xs // side_px + ys // side_px) % 2).astype(np.float32))


def _any_colour(rng: np.random.Generator) -> Colour:
    return hsv(rng.random(), rng.random(), rng.random())


FAMILIES: Mapping[str, Painter] = {
    "plain": _plain,
    "sky": _sky,
    "hills": _hills,
    "bricks": _bricks,
    "planks": _planks,
    "tiles": _tiles,
    "room": _room,
    "clouds": _clouds,
    "stripes": _stripes,
    "discs": _discs,
    "blotches": _blotches,
    "noise": _noise,
    "ramp": _ramp,
    "checks": _checks,
}
"""From places to patterns."""
