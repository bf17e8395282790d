"""Draw in a thing's own coordinates on a small picture: the brushes that all painters share."""

from __future__ import annotations

import colorsys
import math
from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

WIDTH_PX, HEIGHT_PX = 128, 96
"""Size of a finished picture."""

OVERSAMPLING = 2
"""Shapes are drawn larger and shrunk: spokes and rain keep soft edges."""

SHIFT_BITS = 4
"""cv2 takes places in sixteenths of a pixel, so that what moves slowly does not jump."""

Pixels = npt.NDArray[np.uint8]
"""Shape (height, width, 3), RGB."""

Colour = tuple[int, int, int]
"""Red, green, blue, 0 to 255."""

Corner = tuple[float, float]
"""x to the right and y down, in units of the thing: most things reach from -1 to 1."""


def hsv(hue: float, saturation: float, value: float) -> Colour:
    """Return a colour by hue (0 to 1, wraps), saturation and value; both are clipped to 0 to 1."""
    red, green, blue = colorsys.hsv_to_rgb(hue % 1.0, min(max(saturation, 0.0), 1.0), min(max(value, 0.0), 1.0))
    return round(255 * red), round(255 * green), round(255 * blue)


@dataclass(slots=True)
class Canvas:
    """A picture being painted, and where the thing's own coordinates lie in it."""

    pixels: Pixels
    """Oversampled."""
    x: float = 0.5
    """Where the thing's origin lies, in picture widths from the left."""
    y: float = 0.5
    """In picture heights from the top."""
    size: float = 0.3
    """How long a unit of the thing is, in picture heights."""
    tilt: float = 0.0
    """Radians, clockwise."""
    mirrored: bool = False
    """Left and right change places."""

    def polygon(self, corners: Sequence[Corner], colour: Colour) -> None:
        """Fill an outline."""
        cv2.fillPoly(self.pixels, [self._placed(corners)], colour, cv2.LINE_AA, SHIFT_BITS)

    def box(self, left: float, top: float, right: float, *, bottom: float, colour: Colour) -> None:
        """Fill a rectangle."""
        self.polygon(((left, top), (right, top), (right, bottom), (left, bottom)), colour)

    def line(self, corners: Sequence[Corner], width: float, colour: Colour) -> None:
        """Draw a path with round ends, `width` units wide, at least a pixel."""
        thickness_px = max(1, round(width * self._unit_px))
        cv2.polylines(self.pixels, [self._placed(corners)], False, colour, thickness_px, cv2.LINE_AA, SHIFT_BITS)

    def disc(self, x: float, y: float, radius: float, *, colour: Colour, flat: float = 1.0) -> None:
        """Fill a circle, or an ellipse `flat` times as high as wide."""
        self.polygon(ring(x, y, radius, flat=flat), colour)

    def hoop(self, x: float, y: float, radius: float, *, width: float, colour: Colour) -> None:
        """Draw a circle's rim."""
        around = ring(x, y, radius)
        self.line([*around, around[0]], width, colour)

    def glow(self, x: float, y: float, radius: float, *, colour: Colour, strength: float = 1.0) -> None:
        """Add light that falls off as a bell curve with `radius` as its standard deviation."""
        ((centre_x, centre_y),) = self._placed(((x, y),)) / (1 << SHIFT_BITS)
        ys, xs = np.mgrid[: self.pixels.shape[0], : self.pixels.shape[1]]
        spread_px = max(radius * self._unit_px, 1.0)
        light = strength * np.exp(-((xs - centre_x) ** 2 + (ys - centre_y) ** 2) / (2 * spread_px**2))
        lit = self.pixels + light[..., None] * np.array(colour)
        self.pixels[:] = np.minimum(lit, 255).astype(np.uint8)

    @property
    def _unit_px(self) -> float:
        return self.size * len(self.pixels)

    def _placed(self, corners: Sequence[Corner]) -> npt.NDArray[np.int32]:
        """Return where corners lie, in sixteenths of a pixel, shape (corners, 2)."""
        height_px, width_px = self.pixels.shape[:2]
        points = np.asarray(corners, np.float64) * ((-1 if self.mirrored else 1), 1)
        cos, sin = math.cos(self.tilt), math.sin(self.tilt)
        points = points @ np.array([[cos, sin], [-sin, cos]]) * self._unit_px
        points += (self.x * width_px, self.y * height_px)
        return np.asarray(np.round(points * (1 << SHIFT_BITS)), dtype=np.int32)


def ring(x: float, y: float, radius: float, *, flat: float = 1.0, corners: int = 28) -> list[Corner]:
    """Return the corners of a circle, or of an ellipse `flat` times as high as wide."""
    turns = np.linspace(0, 2 * math.pi, corners, endpoint=False)
    return [(x + radius * math.cos(turn), y + flat * radius * math.sin(turn)) for turn in turns]


def blank(colour: Colour = (0, 0, 0)) -> Pixels:
    """Return an oversampled picture of one colour."""
    return np.full((HEIGHT_PX * OVERSAMPLING, WIDTH_PX * OVERSAMPLING, 3), colour, np.uint8)


def blotches(rng: np.random.Generator, like: Pixels, *, cells: int) -> npt.NDArray[np.float32]:
    """Return cloudy noise from 0 to 1 with about `cells` blotches across, shape (height, width)."""
    height_px, width_px = like.shape[:2]
    coarse = rng.random((max(2, cells * height_px // width_px), cells), dtype=np.float32)
    return np.clip(cv2.resize(coarse, (width_px, height_px), interpolation=cv2.INTER_CUBIC), 0, 1).astype(np.float32)


def mixed(low: Colour, high: Colour, share: npt.NDArray[np.float32]) -> Pixels:
    """Return a picture between two colours: `low` where the share is 0, `high` where it is 1."""
    lowest, highest = np.array(low, np.float32), np.array(high, np.float32)
    return (lowest + share[..., None] * (highest - lowest)).astype(np.uint8)
