"""Paint things that sound: a dog, walking feet, a hammer and anvil, a bell, a door."""

from __future__ import annotations

import math

import numpy as np

from benchmarks.scenes.appearance import Appearance
from benchmarks.scenes.canvas import Canvas, Colour, hsv


def dog(canvas: Canvas, look: Appearance, rng: np.random.Generator) -> None:
    """Paint a dog from the side, barking: body, legs, a head with muzzle and ear, a raised tail."""
    value = rng.uniform(0.25, 0.75)
    fur = hsv(0.07 + 0.04 * look.drift, rng.uniform(0.3, 0.7), value)
    dark = hsv(0.07 + 0.04 * look.drift, 0.5, 0.6 * value)
    leg, long = rng.uniform(0.5, 0.7), rng.uniform(0.65, 0.85)
    for x, colour in ((-long + 0.2, dark), (long - 0.25, dark), (-long + 0.05, fur), (long - 0.1, fur)):
        lean = rng.uniform(-0.08, 0.08)
        canvas.line(((x, 0.1), (x + lean, 0.1 + leg)), 0.16, colour)
    canvas.line(((-long, -0.1), (-long - 0.25, -0.45 - rng.uniform(0, 0.2))), 0.1, fur)
    canvas.line(((-long + 0.15, 0.05), (long - 0.15, 0.0)), rng.uniform(0.4, 0.52), fur)
    canvas.line(((long - 0.15, -0.05), (long + 0.1, -0.45)), 0.28, fur)
    head_x, head_y = long + 0.15, -0.52
    canvas.disc(head_x, head_y, 0.24, colour=fur)
    gape = rng.uniform(0.05, 0.14)
    canvas.line(((head_x + 0.1, head_y), (head_x + 0.4, head_y - gape)), 0.13, fur)
    canvas.line(((head_x + 0.1, head_y + 0.08), (head_x + 0.34, head_y + 0.08 + gape)), 0.09, dark)
    canvas.polygon(((head_x - 0.18, head_y - 0.15), (head_x - 0.05, head_y - 0.45), (head_x + 0.1, head_y - 0.2)), dark)
    canvas.disc(head_x + 0.42, head_y - gape, 0.06, colour=(20, 15, 15))
    canvas.disc(head_x + 0.08, head_y - 0.08, 0.04, colour=(20, 15, 15))


def feet(canvas: Canvas, look: Appearance, rng: np.random.Generator) -> None:
    """Paint a person's legs in mid-stride, from the waist down, with shoes on the ground."""
    cloth = hsv(look.hue, rng.uniform(0.3, 0.8), rng.uniform(0.3, 0.6))
    shade = hsv(look.hue, 0.6, 0.25)
    shoe = hsv(look.accent, rng.uniform(0.4, 0.9), rng.uniform(0.2, 0.5))
    canvas.tilt = 0.0
    canvas.box(-6, 0.92, 6, bottom=6, colour=hsv(look.accent, 0.15, rng.uniform(0.45, 0.7)))
    stride = rng.uniform(0.35, 0.65)
    for side, colour in ((-1.0, shade), (1.0, cloth)):
        knee = (side * stride * 0.6 + 0.12, 0.0)
        ankle = (side * stride - 0.05, 0.72 - (0.12 if side < 0 else 0.0) * rng.random())
        canvas.line(((0.0, -0.95), knee, ankle), 0.34, colour)
        heel, toe = (ankle[0] - 0.1, ankle[1] + 0.14), (ankle[0] + 0.32, ankle[1] + 0.16)
        canvas.line((heel, toe), 0.18, shoe)
        canvas.line(((heel[0] - 0.05, heel[1] + 0.1), (toe[0] + 0.06, toe[1] + 0.08)), 0.05, (235, 235, 230))
    canvas.line(((-0.05, -1.15), (0.05, -1.0)), 0.5, cloth)


def anvil(canvas: Canvas, look: Appearance, rng: np.random.Generator) -> None:
    """Paint a hammer over glowing iron on an anvil that stands on a block."""
    iron: Colour = hsv(0.6, 0.1, rng.uniform(0.2, 0.4))
    edge: Colour = hsv(0.6, 0.08, rng.uniform(0.45, 0.6))
    canvas.box(-0.5, 0.6, 0.5, bottom=1.4, colour=hsv(0.08 + 0.03 * look.drift, 0.55, rng.uniform(0.3, 0.5)))
    horn = rng.uniform(0.9, 1.15)
    canvas.polygon(((-horn, -0.02), (-0.45, -0.05), (-0.45, 0.22), (-0.6, 0.2)), iron)
    canvas.box(-0.5, -0.05, 0.75, bottom=0.22, colour=iron)
    canvas.polygon(((-0.3, 0.2), (0.5, 0.2), (0.28, 0.4), (0.5, 0.62), (-0.4, 0.62), (-0.15, 0.4)), iron)
    canvas.line(((-0.5, -0.05), (0.75, -0.05)), 0.05, edge)
    hot = hsv(0.06 + 0.03 * look.drift, 0.85, 1.0)
    canvas.line(((-0.35, -0.12), (rng.uniform(0.2, 0.5), -0.12)), 0.11, hot)
    raised, turn = rng.uniform(0.0, 0.5), rng.uniform(-0.3, 0.1)
    x, y = 0.05, -0.32 - raised
    canvas.line(((x, y), (x + 1.0 * math.cos(turn), y + 1.0 * math.sin(turn))), 0.11, hsv(0.09, 0.5, 0.6))
    canvas.box(x - 0.15, y - 0.24, x + 0.15, bottom=y + 0.2, colour=hsv(look.hue, 0.15, 0.5))
    canvas.glow(0.0, -0.12, 0.18, colour=hot, strength=rng.uniform(0.3, 0.7))


def bell(canvas: Canvas, look: Appearance, rng: np.random.Generator) -> None:
    """Paint a bell that swings from a yoke, its clapper below the lip."""
    hue = 0.12 + 0.03 * look.drift
    value = rng.uniform(0.5, 0.85)
    metal, dark, light = hsv(hue, 0.65, value), hsv(hue, 0.7, 0.6 * value), hsv(hue, 0.35, min(1.0, 1.3 * value))
    canvas.box(-0.9, -1.1, 0.9, bottom=-0.9, colour=hsv(look.hue, 0.5, rng.uniform(0.25, 0.45)))
    canvas.tilt += rng.uniform(-0.35, 0.35)
    lip, waist = rng.uniform(0.72, 0.88), rng.uniform(0.38, 0.46)
    canvas.line(((0, -0.95), (0, -0.75)), 0.16, dark)
    canvas.disc(0.05 - 0.1 * look.drift, 0.68, 0.15, colour=dark)
    side = [(-lip, 0.55), (-waist - 0.1, 0.2), (-waist, -0.3), (-0.28, -0.68), (-0.1, -0.78)]
    canvas.polygon([*side, *((-x, y) for x, y in reversed(side))], metal)
    canvas.line(((-lip, 0.55), (lip, 0.55)), 0.12, dark)
    canvas.line(((-waist, -0.25), (waist, -0.25)), 0.05, dark)
    canvas.line(((-0.5 * waist, -0.5), (-0.6 * waist, 0.1), (-0.6 * lip, 0.42)), 0.08, light)


def door(canvas: Canvas, look: Appearance, rng: np.random.Generator) -> None:
    """Paint a door with panels and a handle, falling shut in its frame."""
    hue, saturation = look.hue, rng.uniform(0.35, 0.75)
    value = rng.uniform(0.4, 0.75)
    wood, dark = hsv(hue, saturation, value), hsv(hue, saturation, 0.65 * value)
    frame = hsv(look.accent, 0.12, rng.uniform(0.75, 0.95))
    canvas.tilt *= 0.3  # doors hang straight
    wide, open_by = rng.uniform(0.5, 0.6), rng.uniform(0.0, 0.3)
    canvas.box(-wide - 0.14, -1.24, wide + 0.14, bottom=1.2, colour=frame)
    canvas.box(-wide, -1.1, wide, bottom=1.2, colour=(25, 22, 24))
    edge, slope = wide - open_by, 0.3 * open_by

    def leaf(left: float, top: float, right: float, *, bottom: float, colour: Colour) -> None:
        """Fill a part of the door's leaf; 0 to 1 from its hinge and its top, in perspective."""
        corners = ((left, top), (right, top), (right, bottom), (left, bottom))
        across = [-wide + share * (edge + wide) for share, _ in corners]
        canvas.polygon(
            [(x, -1.1 + 2.3 * y + slope * s * (1 - 2 * y)) for x, (s, y) in zip(across, corners, strict=True)], colour
        )

    leaf(0, 0, 1, bottom=1, colour=wood)
    rows = int(rng.integers(2, 4))
    for row in range(rows):
        top, bottom = (row + 0.15) / rows, (row + 0.85) / rows
        for left, right in ((0.12, 0.44), (0.56, 0.88)):
            leaf(left, top, right, bottom=bottom, colour=dark)
    canvas.disc(edge - 0.1, 0.1, 0.07, colour=hsv(0.13, 0.5, 0.9))
