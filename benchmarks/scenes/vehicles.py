"""Paint vehicles: a car, a train, a helicopter, a bicycle."""

from __future__ import annotations

import math

import numpy as np

from benchmarks.scenes.appearance import Appearance
from benchmarks.scenes.canvas import Canvas, hsv

GLASS_HUE = 0.55
TYRE = (25, 25, 28)


def car(canvas: Canvas, look: Appearance, rng: np.random.Generator) -> None:
    """Paint a car from the side on a road."""
    canvas.tilt = 0.0
    road = hsv(0.6, 0.05, rng.uniform(0.25, 0.45))
    canvas.box(-6, 0.3, 6, bottom=6, colour=road)
    for x in np.arange(-4 + rng.random(), 4, 1.0):
        canvas.box(x, 0.72, x + 0.5, bottom=0.79, colour=(225, 225, 215))
    value = rng.uniform(0.5, 0.95)
    paint, low = hsv(look.hue, rng.uniform(0.5, 0.95), value), hsv(look.hue, 0.8, 0.6 * value)
    roof, bonnet = rng.uniform(-0.62, -0.5), rng.uniform(-0.2, -0.1)
    cabin = ((-0.8, bonnet), (-0.5, roof), (0.2, roof), (0.52, bonnet))
    canvas.polygon(cabin, paint)
    glass = hsv(GLASS_HUE, 0.2, rng.uniform(0.6, 0.9))
    canvas.polygon(((-0.66, bonnet), (-0.44, roof + 0.08), (-0.18, roof + 0.08), (-0.18, bonnet)), glass)
    canvas.polygon(((-0.1, bonnet), (-0.1, roof + 0.08), (0.16, roof + 0.08), (0.4, bonnet)), glass)
    canvas.polygon(((-1.1, bonnet), (0.7, bonnet), (1.1, bonnet + 0.12), (1.12, 0.3), (-1.12, 0.3)), paint)
    canvas.box(-1.12, 0.2, 1.12, bottom=0.32, colour=low)
    canvas.box(0.98, 0.0, 1.1, bottom=0.1, colour=(255, 250, 210))
    for x in (-0.65, 0.65):
        canvas.disc(x, 0.32, 0.24, colour=TYRE)
        canvas.disc(x, 0.32, 0.12, colour=(180, 180, 185))


def train(canvas: Canvas, look: Appearance, rng: np.random.Generator) -> None:
    """Paint wagons in a row behind an engine, on rails and sleepers."""
    canvas.tilt = 0.0
    canvas.size *= 0.8
    canvas.box(-8, 0.62, 8, bottom=8, colour=hsv(0.09, 0.2, rng.uniform(0.4, 0.6)))
    for x in np.arange(-5 + 0.3 * rng.random(), 5, 0.3):
        canvas.box(x, 0.66, x + 0.14, bottom=0.8, colour=(70, 55, 45))
    canvas.line(((-8, 0.64), (8, 0.64)), 0.06, (185, 185, 190))
    value = rng.uniform(0.45, 0.85)
    paint, band = hsv(look.hue, rng.uniform(0.4, 0.9), value), hsv(look.accent, 0.7, 0.8)
    nose, wagon = rng.uniform(1.0, 1.6), rng.uniform(1.7, 2.1)
    for number in range(4):
        right = nose - number * (wagon + 0.12)
        left = right - wagon
        slant = 0.3 if number == 0 else 0.0
        canvas.polygon(((left, -0.55), (right - slant, -0.55), (right, 0.1), (right, 0.45), (left, 0.45)), paint)
        canvas.box(left, 0.2, right, bottom=0.3, colour=band)
        for x in np.arange(left + 0.14, right - 0.35, 0.34):
            canvas.box(x, -0.38, x + 0.22, bottom=-0.08, colour=hsv(GLASS_HUE, 0.25, 0.85))
        for x in (left + 0.2, left + 0.5, right - 0.5, right - 0.2):
            canvas.disc(x, 0.5, 0.13, colour=TYRE)
    canvas.line(((-8, -0.95), (8, -0.95)), 0.03, (40, 40, 45))


def helicopter(canvas: Canvas, look: Appearance, rng: np.random.Generator) -> None:
    """Paint a helicopter in the air, its rotor a blurred blade."""
    canvas.tilt += rng.uniform(-0.1, 0.2)
    canvas.size *= 1.15
    value = rng.uniform(0.35, 0.8)
    paint, dark = hsv(look.hue, rng.uniform(0.4, 0.9), value), hsv(look.hue, 0.5, 0.5 * value)
    tail = rng.uniform(1.1, 1.35)
    canvas.polygon(((-0.2, -0.12), (-tail, -0.08), (-tail, 0.02), (-0.2, 0.2)), paint)
    canvas.polygon(((-tail - 0.08, -0.4), (-tail + 0.08, -0.4), (-tail + 0.14, 0.05), (-tail - 0.02, 0.05)), dark)
    canvas.hoop(-tail, -0.3, 0.18, width=0.04, colour=dark)
    canvas.disc(0.15, 0.08, 0.5, colour=paint, flat=0.7)
    canvas.polygon(((0.25, -0.18), (0.48, -0.15), (0.62, 0.08), (0.25, 0.1)), hsv(GLASS_HUE, 0.25, 0.9))
    for x in (-0.1, 0.35):
        canvas.line(((x, 0.36), (x, 0.56)), 0.05, dark)
    canvas.line(((-0.4, 0.57), (0.65, 0.57), (0.72, 0.5)), 0.06, dark)
    canvas.line(((0.1, -0.25), (0.1, -0.44)), 0.09, dark)
    reach, lean = rng.uniform(0.7, 1.35), rng.uniform(-0.03, 0.03)
    canvas.line(((0.1 - reach, -0.45 - lean), (0.1 + reach, -0.45 + lean)), 0.09, (45, 45, 50))


def bicycle(canvas: Canvas, look: Appearance, rng: np.random.Generator) -> None:
    """Paint a bicycle from the side: two spoked wheels, a frame, handlebar and saddle."""
    paint = hsv(look.hue, rng.uniform(0.6, 1.0), rng.uniform(0.4, 0.9))
    apart, radius = rng.uniform(0.66, 0.74), rng.uniform(0.46, 0.54)
    spin = rng.uniform(0, math.pi)
    for x in (-apart, apart):
        for turn in spin + np.arange(5) * math.pi / 5:
            dx, dy = radius * math.cos(turn), radius * math.sin(turn)
            canvas.line(((x - dx, 0.4 - dy), (x + dx, 0.4 + dy)), 0.015, (150, 150, 150))
        canvas.hoop(x, 0.4, radius, width=0.08, colour=TYRE)
    hub, crank, seat, head = (-apart, 0.4), (-0.12, 0.42), (-0.32, -0.25), (0.5, -0.2)
    canvas.line((hub, crank, head, seat, hub), 0.08, paint)
    canvas.line((crank, seat, (-0.36, -0.42)), 0.08, paint)
    canvas.line(((apart, 0.4), head, (0.44, -0.46)), 0.08, paint)
    canvas.line(((0.44, -0.46), (0.6, -0.5), (0.64, -0.4)), 0.07, TYRE)
    canvas.line(((-0.52, -0.44), (-0.22, -0.44)), 0.11, TYRE)
    canvas.disc(*crank, 0.13, colour=(60, 60, 65))
