"""Paint weather, water and fire: rain, lightning, the sea, a waterfall, a fire."""

from __future__ import annotations

import math
from collections.abc import Sequence

import cv2
import numpy as np

from benchmarks.scenes.appearance import Appearance
from benchmarks.scenes.canvas import Canvas, Corner, blotches, hsv, mixed

ASPECT = 4 / 3


def rain(canvas: Canvas, look: Appearance, rng: np.random.Generator) -> None:
    """Dim what lies behind, and let streaks of rain fall into rings on wet ground."""
    _whole(canvas)
    grey = np.array(hsv(0.6 + 0.05 * look.drift, 0.15, 0.45))
    canvas.pixels[:] = (0.45 * canvas.pixels + 0.55 * grey).astype(np.uint8)
    ground = rng.uniform(0.7, 0.82)
    canvas.box(0, ground, ASPECT, bottom=1, colour=hsv(0.6, 0.12, rng.uniform(0.3, 0.42)))
    streak = hsv(0.58, 0.08, rng.uniform(0.7, 0.92))
    slant, long = rng.uniform(-0.25, 0.25), rng.uniform(0.06, 0.16)
    for _ in range(int(rng.integers(70, 170))):
        x, y = rng.uniform(-0.1, ASPECT + 0.1), rng.uniform(-0.1, 0.95)
        canvas.line(((x, y), (x + slant * long, y + long)), rng.uniform(0.004, 0.01), streak)
    for _ in range(int(rng.integers(4, 12))):
        x, y = rng.uniform(0, ASPECT), rng.uniform(ground + 0.03, 0.98)
        flat = [(x + 0.06 * math.cos(turn), y + 0.02 * math.sin(turn)) for turn in np.linspace(0, 2 * math.pi, 16)]
        canvas.line(flat, 0.006, streak)


def lightning(canvas: Canvas, look: Appearance, rng: np.random.Generator) -> None:
    """Paint a night sky with dark clouds and a forked bolt down to the land."""
    hue = 0.66 + 0.07 * look.drift
    clouds = blotches(rng, canvas.pixels, cells=int(rng.integers(4, 9)))
    canvas.pixels[:] = mixed(hsv(hue, 0.5, 0.12), hsv(hue, 0.35, rng.uniform(0.3, 0.5)), clouds)
    _whole(canvas)
    land = rng.uniform(0.78, 0.9)
    canvas.box(0, land, ASPECT, bottom=1, colour=(14, 14, 20))
    light = hsv(hue, 0.12, 1.0)
    top_x = rng.uniform(0.25, 0.75) * ASPECT
    bolt = _bolt((top_x, 0.0), (top_x + rng.uniform(-0.25, 0.25), land), rng)
    canvas.glow(*bolt[len(bolt) // 2], 0.28, colour=hsv(hue, 0.4, 0.6), strength=rng.uniform(0.4, 0.9))
    canvas.line(bolt, rng.uniform(0.014, 0.026), light)
    for _ in range(int(rng.integers(1, 4))):
        x, y = bolt[int(rng.integers(1, len(bolt) - 2))]
        end = (x + rng.choice((-1, 1)) * rng.uniform(0.15, 0.35), y + rng.uniform(0.1, 0.3))
        canvas.line(_bolt((x, y), end, rng), 0.008, light)


def _bolt(start: Corner, end: Corner, rng: np.random.Generator) -> Sequence[Corner]:
    """Return a jagged path."""
    steps = int(rng.integers(7, 12))
    shares = np.linspace(0, 1, steps)
    off = rng.normal(0, 0.045, steps) * np.minimum(1, 4 * shares * (1 - shares) + 0.1)
    return [
        (start[0] + share * (end[0] - start[0]) + aside, start[1] + share * (end[1] - start[1]))
        for share, aside in zip(shares, off, strict=True)
    ]


def sea(canvas: Canvas, look: Appearance, rng: np.random.Generator) -> None:
    """Paint the sea under a wide sky: rows of waves with foam that grow towards the viewer."""
    hue = 0.55 + 0.06 * look.drift
    height_px = len(canvas.pixels)
    fall = np.broadcast_to(np.linspace(0, 1, height_px, dtype=np.float32)[:, None], canvas.pixels.shape[:2])
    canvas.pixels[:] = mixed(hsv(hue, 0.35, rng.uniform(0.7, 0.95)), hsv(hue + 0.4, 0.12, 0.95), fall)
    _whole(canvas)
    horizon, value = rng.uniform(0.3, 0.45), rng.uniform(0.45, 0.7)
    canvas.box(0, horizon, ASPECT, bottom=1, colour=hsv(hue, 0.7, value))
    y = horizon + 0.03
    while y < 1.0:
        near = (y - horizon) / (1 - horizon)
        xs = np.linspace(-0.1, ASPECT + 0.1, 60)
        long, phase = 0.06 + 0.3 * near, rng.uniform(0, 7)
        crest = [(x, y - (0.006 + 0.035 * near) * abs(math.sin(x / long + phase))) for x in xs]
        body = hsv(hue, 0.75, value * rng.uniform(0.75, 1.15))
        canvas.polygon([*crest, (ASPECT + 0.1, 1.1), (-0.1, 1.1)], body)
        canvas.line(crest, 0.006 + 0.016 * near * rng.uniform(0.5, 1.0), (235, 242, 242))
        y += 0.035 + 0.11 * near


def waterfall(canvas: Canvas, look: Appearance, rng: np.random.Generator) -> None:
    """Paint a white curtain of water between rocks, mist where it meets its pool."""
    rock = blotches(rng, canvas.pixels, cells=int(rng.integers(8, 20)))
    hue = 0.1 + 0.06 * look.drift
    canvas.pixels[:] = mixed(hsv(hue, 0.25, 0.2), hsv(hue + 0.1, 0.3, rng.uniform(0.45, 0.6)), rock)
    _whole(canvas)
    middle, half = look.x * ASPECT, 0.18 * look.size * rng.uniform(0.8, 1.4)
    top, pool = rng.uniform(0.04, 0.2), rng.uniform(0.76, 0.86)
    if rng.random() < 0.6:
        canvas.box(0, 0, ASPECT, bottom=top, colour=hsv(0.58, 0.2, 0.85))
    water = hsv(0.55 + 0.05 * look.drift, 0.18, rng.uniform(0.75, 0.9))
    flare = rng.uniform(1.0, 1.3)
    canvas.polygon(
        ((middle - half, top), (middle + half, top), (middle + flare * half, pool), (middle - flare * half, pool)),
        water,
    )
    for _ in range(int(rng.integers(30, 60))):
        side, start = rng.uniform(-0.95, 0.95), rng.uniform(top, pool - 0.1)
        end = min(pool, start + rng.uniform(0.1, 0.5))
        shade = (250, 252, 252) if rng.random() < 0.6 else hsv(0.56, 0.3, 0.65)
        canvas.line(((middle + side * half, start), (middle + side * half * flare, end)), 0.01, shade)
    canvas.box(0, pool, ASPECT, bottom=1, colour=hsv(0.52 + 0.05 * look.drift, 0.5, rng.uniform(0.35, 0.5)))
    for aside in (-0.8, -0.3, 0.3, 0.8):
        canvas.glow(middle + aside * half, pool, 0.07, colour=(230, 235, 240), strength=0.6)


def fire(canvas: Canvas, look: Appearance, rng: np.random.Generator) -> None:
    """Paint flames over crossed logs, and their glow on what lies around."""
    canvas.pixels[:] = (canvas.pixels * rng.uniform(0.12, 0.4)).astype(np.uint8)
    canvas.tilt = 0.0
    hue = 0.05 + 0.03 * look.drift
    canvas.glow(0, 0.2, 1.1, colour=hsv(hue, 0.85, 0.6), strength=rng.uniform(0.5, 0.9))
    for lean in (-0.22, 0.22):
        canvas.line(((-0.75, 0.75 + lean), (0.75, 0.75 - lean)), 0.2, (58, 38, 26))
    for layer, (wide, high) in enumerate(((0.72, 1.5), (0.5, 1.05), (0.28, 0.6))):
        colour = hsv(hue + 0.035 * layer, 0.95 - 0.22 * layer, min(1.0, 0.85 + 0.1 * layer))
        for x in np.linspace(-wide, wide, 5) * 0.7:
            tall = high * (1 - 0.6 * abs(x) / wide) * rng.uniform(0.7, 1.1)
            canvas.polygon(_flame(x, tall, 0.36 * wide, rng), colour)
    for _ in range(int(rng.integers(4, 14))):
        canvas.disc(rng.uniform(-0.7, 0.7), rng.uniform(-1.3, 0.2), 0.025, colour=(255, 190, 90))
    soft = cv2.GaussianBlur(canvas.pixels, (0, 0), 2.0)
    canvas.pixels[:] = cv2.addWeighted(canvas.pixels, 0.6, soft, 0.5, 0)


def _flame(x: float, tall: float, wide: float, rng: np.random.Generator) -> Sequence[Corner]:
    """Return a tongue that stands on the logs and leans as it likes."""
    lean = rng.uniform(-0.25, 0.25)
    shares = np.linspace(0, 1, 8)
    half = wide * np.sin(np.pi * (0.25 + 0.75 * shares)) * (1 - 0.2 * shares)
    spine = x + lean * shares**2
    left = [(s - h, 0.7 - tall * share) for s, h, share in zip(spine, half, shares, strict=True)]
    right = [(s + h, 0.7 - tall * share) for s, h, share in zip(spine, half, shares, strict=True)]
    return [*left, *reversed(right)]


def _whole(canvas: Canvas) -> None:
    """Let the canvas' coordinates be the picture's: 0 to 4/3 across, 0 to 1 down."""
    canvas.x = canvas.y = canvas.tilt = 0.0
    canvas.size, canvas.mirrored = 1.0, False
