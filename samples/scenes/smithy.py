"""Paint the smithy that `workshop.mp4` plays in: everything that does not move."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

from scenes.canvas import (
    HEIGHT_PX,
    WIDTH_PX,
    Colour,
    Field,
    Layer,
    Light,
    blank,
    blurred,
    disc,
    falloff,
    lay,
    limb,
    lit,
    noise,
    normals,
    patch,
    points,
    rect,
    rgb,
    shine,
    smooth,
    solid,
    turned,
)

MOUTH = (60, 348, 190, 316)  # left, right, top and bottom of the forge's mouth
HEARTH_Y = 316
NOD = -0.24  # radians: he looks down at his work
NECK = (830.0, 100.0)
NOTHING: Colour = rgb("000000")

STEEL = rgb("70747c")
DARK_STEEL = rgb("4a4a50")
LEATHER = rgb("7a4a2a")
SHIRT = rgb("5d6d7e")
SKIN = rgb("d09a74")
WOOD = rgb("8a6240")

ANVIL = [
    smooth(
        points(
            (392, 352), (360, 350), (318, 352), (282, 358), (318, 374), (360, 388), (404, 394), (430, 384), (420, 360)
        )
    ),
    smooth(
        points(
            (396, 346),
            (602, 346),
            (604, 372),
            (572, 384),
            (548, 402),
            (540, 424),
            (556, 446),
            (594, 462),
            (608, 486),
            (394, 486),
            (408, 462),
            (446, 446),
            (460, 424),
            (452, 402),
            (428, 392),
            (400, 378),
        ),
        steps=5,
    ),
]
"""Horn, and body from face to foot."""


def bricks(rng: np.random.Generator) -> tuple[Field, Field]:
    """Return the height in pixels and the tint of a wall of rough bricks."""
    height: Field = np.zeros((HEIGHT_PX, WIDTH_PX), np.float32)
    tint: Field = np.full((HEIGHT_PX, WIDTH_PX), 0.55, np.float32)
    for row, y in enumerate(range(-6, HEIGHT_PX, 34)):
        x = -70.0 + 37 * (row % 2)
        while x < WIDTH_PX:
            width = rng.uniform(62, 84)
            corners = np.array([[x + 3, y + 3], [x + width - 3, y + 3], [x + width - 3, y + 31], [x + 3, y + 31]])
            brick = patch(corners + rng.uniform(-1.5, 1.5, (4, 2)), blur_px=1.2)
            if brick is not None:
                height[brick.box] += brick.mask * rng.uniform(3.0, 6.0)
                tint[brick.box] += brick.mask * (rng.uniform(0.7, 1.15) - tint[brick.box])
            x += width
    rough = noise(rng, (HEIGHT_PX, WIDTH_PX), slope=1.1)
    return cv2.GaussianBlur(height, (0, 0), 1.0) + 7 * rough, tint * (0.7 + 0.6 * rough)


def wall(rng: np.random.Generator, lights: Sequence[Light], ambient: Colour) -> Layer:
    """Paint the back wall, the forge, the window and the tools on their rail, out of focus."""
    height, tint = bricks(rng)
    ys, xs = np.mgrid[0:HEIGHT_PX, 0:WIDTH_PX].astype(np.float32)
    facing = normals(height)
    light = ambient * np.ones((HEIGHT_PX, WIDTH_PX, 1), np.float32)
    for lamp in lights:
        light = light + lamp.colour * falloff(lamp, xs, ys, normal=facing)[..., None]
    layer = blank(NOTHING)
    layer[..., :3] = light * rgb("7a5e50") * tint[..., None]
    _forge(layer, lights, ambient)
    for x, length in ((640, 74), (672, 96), (702, 60)):
        _hanging_tool(layer, (x, 78), length, lights=lights, ambient=ambient)
    solid(layer, limb(points((622, 76), (726, 76)), (3, 3)), DARK_STEEL, lights=lights, round_px=3, ambient=ambient)
    return layer


def _forge(layer: Layer, lights: Sequence[Light], ambient: Colour) -> None:
    left, right, top, bottom = MOUTH
    stone = rgb("6a5850")
    hood = points(
        (left - 34, top - 8),
        (left + 60, 40),
        (left + 80, -10),
        (right - 90, -10),
        (right - 70, 40),
        (right + 26, top - 8),
    )
    solid(layer, hood, rgb("4a3e3a"), lights=lights, round_px=30, ambient=ambient)
    mouth = patch(rect(left, top, right, bottom=bottom))
    lay(layer, mouth, rgb("1a0d08"))
    solid(
        layer, rect(left - 44, top - 14, right + 38, bottom=top + 10), stone, lights=lights, round_px=8, ambient=ambient
    )
    for x in (left - 30, right):
        solid(layer, rect(x, top + 8, x + 28, bottom=bottom), stone, lights=lights, round_px=9, ambient=ambient)
    solid(
        layer,
        rect(left - 60, bottom, right + 54, bottom=bottom + 26),
        rgb("7a685c"),
        lights=lights,
        round_px=9,
        ambient=ambient,
    )
    solid(
        layer,
        rect(left - 46, bottom + 24, right + 38, bottom=560),
        rgb("4c403a"),
        lights=lights,
        round_px=26,
        ambient=ambient,
    )


def _hanging_tool(
    layer: Layer, at: tuple[float, float], length: float, *, lights: Sequence[Light], ambient: Colour
) -> None:
    x, y = at
    solid(layer, limb(points((x, y), (x + 2, y + length)), (3, 4)), WOOD, lights=lights, round_px=4, ambient=ambient)
    head = points((x - 15, y + length), (x + 18, y + length - 3), (x + 18, y + length + 18), (x - 13, y + length + 20))
    solid(layer, head, DARK_STEEL, lights=lights, round_px=6, ambient=ambient)


def window(layer: Layer, daylight: Colour) -> None:
    """Add the window and the shaft of daylight that falls from it."""
    left, right, top, bottom = 452, 574, 46, 172
    lay(layer, patch(rect(left - 9, top - 9, right + 9, bottom=bottom + 12)), rgb("2a2220"))
    for column in range(2):
        for row in range(2):
            x, y = left + 63 * column, top + 65 * row
            lay(layer, patch(rect(x, y, x + 57, bottom=y + 59), blur_px=1), daylight * (1.15 - 0.3 * row))
    shaft = patch(points((left, top), (right, top), (right - 120, 560), (left - 330, 560)), blur_px=26)
    shine(layer, shaft, daylight, gain=0.035)


def smith(layer: Layer, lights: Sequence[Light], ambient: Colour) -> None:
    """Paint the smith's body, which the working arm is later drawn before."""
    back = smooth(
        points(
            (742, 176), (782, 140), (850, 132), (925, 150), (975, 220), (985, 560), (735, 560), (722, 420), (728, 280)
        )
    )
    solid(layer, back, SHIRT, lights=lights, round_px=60, ambient=ambient)
    apron = smooth(
        points((752, 214), (800, 206), (842, 222), (858, 330), (880, 560), (706, 560), (708, 430), (722, 300))
    )
    solid(layer, apron, LEATHER, lights=lights, round_px=34, ambient=ambient)
    solid(
        layer, limb(points((770, 214), (806, 146)), (6, 6)), rgb("4a2c18"), lights=lights, round_px=5, ambient=ambient
    )
    solid(
        layer,
        limb(points((714, 396), (790, 408), (868, 396)), (7, 7, 7)),
        rgb("3a2416"),
        lights=lights,
        round_px=6,
        ambient=ambient,
    )
    _head(layer, lights, ambient)


def _head(layer: Layer, lights: Sequence[Light], ambient: Colour) -> None:
    solid(
        layer, limb(points((828, 150), (812, 108)), (34, 30)), SKIN * 0.8, lights=lights, round_px=26, ambient=ambient
    )
    face = points(
        (760, 52), (771, 20), (812, 2), (852, 18), (862, 60), (846, 98), (800, 112), (768, 104), (760, 84), (748, 78)
    )
    beard = points(
        (763, 84), (780, 88), (806, 78), (838, 50), (856, 62), (846, 104), (814, 132), (778, 138), (758, 116)
    )
    cap = points((756, 36), (764, 6), (810, -16), (860, 0), (876, 50), (846, 40), (800, 30))
    dark = rgb("3a2014")
    for outline, colour, round_px in ((face, SKIN, 34), (beard, rgb("5a3420"), 24), (cap, rgb("39404a"), 26)):
        solid(layer, turned(smooth(outline), NOD, NECK), colour, lights=lights, round_px=round_px, ambient=ambient)
    solid(layer, turned(disc(832, 62, 9, flat=1.3), NOD, NECK), SKIN * 0.8, lights=lights, round_px=6, ambient=ambient)
    solid(
        layer,
        limb(turned(points((764, 45), (786, 42)), NOD, NECK), (3.2, 2.0)),
        dark,
        lights=lights,
        round_px=3,
        ambient=ambient,
    )
    lay(layer, patch(turned(disc(772, 55, 3.4), NOD, NECK)), dark * 0.3)


def anvil(layer: Layer, lights: Sequence[Light], ambient: Colour, *, rng: np.random.Generator) -> None:
    """Paint the anvil on its stump."""
    shadow = patch(disc(505, 548, 190, flat=0.16), blur_px=16)
    lay(layer, shadow, NOTHING, alpha=0.7)
    stump = patch(points((388, 482), (618, 482), (632, 570), (376, 570)))
    if stump is not None:
        rings = noise(rng, stump.mask.shape, slope=1.2, stretch=0.12)
        lay(
            layer,
            stump,
            lit(stump, WOOD * (0.5 + rings[..., None]), lights, round_px=40, ambient=ambient, relief=9 * rings),
        )
    solid(
        layer,
        points((380, 508), (626, 508), (629, 526), (377, 526)),
        DARK_STEEL,
        lights=lights,
        round_px=6,
        ambient=ambient,
    )
    solid(layer, ANVIL, STEEL * 0.5, lights=lights, round_px=15, ambient=ambient)
    face = points((393, 341), (604, 341), (607, 352), (391, 352))
    solid(layer, face, STEEL * 1.1, lights=lights, round_px=4, ambient=ambient)


def focus(layer: Layer) -> Layer:
    """Return the wall as a lens sees it that is focused on the anvil."""
    return blurred(layer, 3.0)
