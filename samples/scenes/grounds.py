"""Make the grounds and far strips that the walk passes: gravel, boards, grass, trees."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
import numpy.typing as npt

from scenes.canvas import HEIGHT_PX, WIDTH_PX, Colour, Field, Layer, noise

TILE_PX = 2048
Strip = npt.NDArray[np.float32]
"""Shape (height, TILE_PX, 4): a premultiplied picture that repeats along x."""


def gravel(
    rng: np.random.Generator, base: Colour, *, light: tuple[float, float] = (-0.5, -0.8), count: int = 15000
) -> Strip:
    """Return a tile of pebbles seen from above, lit from one side."""
    height = 640
    tile = np.ones((height, TILE_PX, 4), np.float32)
    soil = noise(rng, (height, TILE_PX), slope=1.1)
    tile[..., :3] = base * (0.35 + 0.35 * soil[..., None])
    for _ in range(count):
        x, y = rng.uniform(0, TILE_PX), rng.uniform(0, height)
        radius = float(np.clip(rng.gamma(5.0, 0.95), 1.8, 13))
        colour = base * rng.uniform(0.55, 1.35) * (1 + rng.normal(0, 0.05, 3).astype(np.float32))
        for shift in (0, -TILE_PX if x > TILE_PX / 2 else TILE_PX):
            _pebble(tile, (x + shift, y), radius, turn=rng.integers(180).item(), colour=colour, light=light)
    return tile


def _pebble(
    tile: Strip, at: tuple[float, float], radius: float, *, turn: int, colour: Colour, light: tuple[float, float]
) -> None:
    layers = ((1.08, -0.32, 0.30), (1.0, 0.0, 0.8), (0.72, 0.22, 1.12), (0.36, 0.38, 1.5))
    for size, towards, gain in layers:
        centre = (round((at[0] + light[0] * towards * radius) * 16), round((at[1] + light[1] * towards * radius) * 16))
        axes = (round(radius * size * 16), round(0.72 * radius * size * 16))
        cv2.ellipse(tile, centre, axes, turn, 0, 360, (*(colour * gain).tolist(), 1.0), -1, cv2.LINE_AA, 4)


def plane(tile: Strip, *, rows: tuple[int, int], horizon_px: float, ground_px: float, shift_px: float) -> Layer:
    """Return a flat ground in perspective, shape (rows, WIDTH_PX, 4).

    Args:
        tile: the ground from above; at `ground_px` it is shown at its own scale.
        rows: first and last + 1 row of the screen.
        horizon_px: row of the horizon.
        ground_px: row at which the walker walks.
        shift_px: how far the camera has gone, in pixels at `ground_px`.
    """
    ys = np.arange(*rows, dtype=np.float32)[:, None]
    scale = (ys - horizon_px) / (ground_px - horizon_px)
    xs = (np.arange(WIDTH_PX, dtype=np.float32)[None] - WIDTH_PX / 2) / scale + shift_px
    depth = 420 / scale * np.ones_like(xs)
    u, v = np.mod(xs, TILE_PX).astype(np.float32), np.mod(depth, tile.shape[0] - 1).astype(np.float32)
    padded = np.concatenate([tile, tile[:, :1]], 1)
    return np.asarray(cv2.remap(padded, u, v, cv2.INTER_LINEAR), dtype=np.float32)


def scrolled(strip: Strip, shift_px: float) -> Strip:
    """Return the part of a strip that a camera sees after it has gone some way."""
    whole = int(np.floor(shift_px))
    part = np.float32(shift_px - whole)
    columns = (np.arange(WIDTH_PX + 1) + whole) % TILE_PX
    seen = strip[:, columns]
    return np.asarray(seen[:, :-1] * (1 - part) + seen[:, 1:] * part, dtype=np.float32)


def _round(strip: Strip) -> Strip:
    """Return a strip whose left and right edges join: what hangs over one is put on the other."""
    extra = strip.shape[1] - TILE_PX
    head, tail = strip[:, :TILE_PX].copy(), strip[:, TILE_PX:]
    head[:, :extra] = head[:, :extra] * (1 - tail[..., 3:]) + tail
    return head


def grass(
    rng: np.random.Generator, height_px: int, colours: Sequence[Colour], *, count: int = 2600, thick: int = 2
) -> Strip:
    """Return a verge of grass blades."""
    strip = np.zeros((height_px, TILE_PX + 120, 4), np.float32)
    for k in range(count):
        x, tall = rng.uniform(20, TILE_PX + 60), height_px * rng.beta(2.5, 3.2) * (0.55 + 0.45 * k / count)
        lean = rng.normal(0.0, 0.22) * tall
        s = np.linspace(0, 1, 5)
        blade = np.stack([x + lean * s**1.8, height_px - 1 - tall * s], 1)
        colour = colours[rng.integers(len(colours)).item()] * rng.uniform(0.55, 1.25)
        cv2.polylines(
            strip, [np.round(blade * 16).astype(np.int32)], False, (*colour.tolist(), 1.0), thick, cv2.LINE_AA, 4
        )
    return _round(strip)


def trees(
    rng: np.random.Generator,
    height_px: int,
    colours: Sequence[Colour],
    *,
    count: int,
    sun: tuple[float, float] = (-0.4, -0.6),
) -> Strip:
    """Return a row of round-headed trees, lighter towards the sun."""
    strip = np.zeros((height_px, TILE_PX + 400, 4), np.float32)
    for _ in range(count):
        x, tall = rng.uniform(150, TILE_PX + 200), height_px * rng.uniform(0.5, 0.92)
        trunk = colours[0] * 0.5
        cv2.line(
            strip,
            (round(x), height_px),
            (round(x), round(height_px - 0.6 * tall)),
            (*trunk.tolist(), 1.0),
            max(3, round(0.05 * tall)),
            cv2.LINE_AA,
        )
        colour = colours[rng.integers(len(colours)).item()]
        for k in range(70):
            angle, away = rng.uniform(0, 2 * np.pi), 0.32 * tall * np.sqrt(rng.random()) * (1 - 0.35 * k / 70)
            cx, cy = (
                x + away * np.cos(angle) + sun[0] * 0.12 * tall * k / 70,
                height_px - 0.64 * tall + away * np.sin(angle) + sun[1] * 0.12 * tall * k / 70,
            )
            tone = colour * (0.45 + 0.75 * k / 70) * rng.uniform(0.9, 1.1)
            cv2.circle(
                strip,
                (round(cx), round(cy)),
                round(tall * rng.uniform(0.05, 0.11)),
                (*tone.tolist(), 1.0),
                -1,
                cv2.LINE_AA,
            )
    return _round(strip)


def hills(rng: np.random.Generator, height_px: int, colour: Colour, *, rough: float = 1.0) -> Strip:
    """Return a line of hills that fades into haze towards its foot."""
    line = noise(rng, (2, TILE_PX), slope=1.9)[0]
    top = height_px * (0.85 - 0.75 * rough * np.clip(line, 0, 1))
    ys = np.arange(height_px, dtype=np.float32)[:, None]
    cover = np.clip(ys - top[None] + 0.5, 0, 1)
    strip = np.zeros((height_px, TILE_PX, 4), np.float32)
    strip[..., :3] = colour * cover[..., None]
    strip[..., 3] = cover
    return strip


def put(layer: Layer, strip: npt.NDArray[np.float32], top_px: int) -> None:
    """Put a strip as wide as the picture over a layer, with its first row at `top_px`."""
    first, last = max(top_px, 0), min(top_px + strip.shape[0], HEIGHT_PX)
    part = strip[first - top_px : last - top_px]
    layer[first:last] *= 1 - part[..., 3:]
    layer[first:last] += part


def soft(strip: Strip, radius_px: float) -> Strip:
    """Return a strip out of focus, its ends still joining."""
    margin = int(4 * radius_px) + 1
    padded = cv2.copyMakeBorder(strip, margin, margin, 0, 0, cv2.BORDER_CONSTANT)
    padded = np.concatenate([padded[:, -margin:], padded, padded[:, :margin]], 1)
    wide = cv2.GaussianBlur(padded, (0, 0), radius_px)
    return np.asarray(wide[:, margin:-margin], dtype=np.float32)


def cast(alpha: Field, *, ground_px: float, length: float, slant: float, blur_px: float) -> Field:
    """Return the shadow that what stands on the ground casts towards the viewer.

    Args:
        alpha: coverage of what stands there.
        ground_px: row of its feet.
        length: shadow's height on the screen as a share of the thing's; below 0 it falls away from the viewer.
        slant: how far it leans, in pixels for each pixel of height.
        blur_px: softness.
    """
    # a point h above the ground lands length * h below it; warpAffine wants the way back
    way = np.array(
        [[1, -slant / length, slant / length * ground_px], [0, -1 / length, ground_px + ground_px / length]], np.float32
    )
    shadow = cv2.warpAffine(alpha, way, (WIDTH_PX, HEIGHT_PX), flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP)
    return np.asarray(cv2.GaussianBlur(shadow, (0, 0), blur_px), dtype=np.float32)
