"""Draw soft, lit shapes on float pictures: the brushes that all scenes share.

Colours are linear light, so that glows add up as light does; only `develop` turns them into what a screen shows.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

WIDTH_PX = 960
HEIGHT_PX = 540

Layer = npt.NDArray[np.float32]
"""Shape (height, width, 4): premultiplied linear red, green, blue, and coverage."""
Field = npt.NDArray[np.float32]
"""Shape (height, width): one number for each pixel."""
Points = npt.NDArray[np.float64]
"""Shape (n, 2): x to the right and y down, in pixels."""
Colour = npt.NDArray[np.float32]
"""Linear red, green, blue; 1 is paper white, more is a light source."""

_TURN = np.linspace(0, 2 * np.pi, 28, endpoint=False)
UNIT_CIRCLE: Points = np.stack([np.cos(_TURN), np.sin(_TURN)], 1)
OVERSAMPLING = 3  # nine samples a pixel: thin limbs and hammer edges stay smooth while they move
RAMP_STEPS = 1024  # of a colour ramp: finer than a screen shows
SUBPIXEL_BITS = 4  # cv2 draws in sixteenths of a (supersampled) pixel


def rgb(code: str, gain: float = 1.0) -> Colour:
    """Return the linear colour of a hex code such as "e08030", times a gain."""
    srgb = np.array([int(code[i : i + 2], 16) / 255 for i in (0, 2, 4)])
    return np.asarray(np.power(srgb, 2.2) * gain, dtype=np.float32)


def blank(colour: Colour | None = None) -> Layer:
    """Return a transparent layer, or one full of a colour."""
    layer: Layer = np.zeros((HEIGHT_PX, WIDTH_PX, 4), np.float32)
    if colour is not None:
        layer[..., :3] = colour
        layer[..., 3] = 1.0
    return layer


@dataclass(frozen=True, slots=True, eq=False)
class Patch:
    """Coverage of one shape, cut to its bounding box."""

    x: int
    y: int
    mask: Field
    """0 outside to 1 inside."""

    @property
    def box(self) -> tuple[slice, slice]:
        """Return the rows and columns that the patch covers."""
        height, width = self.mask.shape
        return slice(self.y, self.y + height), slice(self.x, self.x + width)

    def grid(self) -> tuple[Field, Field]:
        """Return x and y of each pixel of the patch."""
        height, width = self.mask.shape
        ys, xs = np.mgrid[self.y : self.y + height, self.x : self.x + width]
        return xs.astype(np.float32), ys.astype(np.float32)


@dataclass(frozen=True, slots=True)
class Light:
    """A point light in front of the picture plane."""

    x: float
    y: float
    z: float
    colour: Colour
    reach_px: float
    """Where the light has fallen to a half."""


def points(*pairs: tuple[float, float]) -> Points:
    """Return an outline from its corners."""
    return np.array(pairs, np.float64)


def rect(left: float, top: float, right: float, *, bottom: float) -> Points:
    """Return an upright rectangle."""
    return points((left, top), (right, top), (right, bottom), (left, bottom))


def smooth(corners: Points, *, closed: bool = True, steps: int = 8) -> Points:
    """Return a Catmull-Rom curve through the corners."""
    if closed:
        padded = np.concatenate([corners[-1:], corners, corners[:2]])
    else:
        padded = np.concatenate([corners[:1], corners, corners[-1:]])
    s = np.linspace(0, 1, steps, endpoint=False)[:, None]
    pieces = []
    for a, b, c, d in zip(padded, padded[1:], padded[2:], padded[3:], strict=False):
        pieces.append(0.5 * (2 * b + (c - a) * s + (2 * a - 5 * b + 4 * c - d) * s**2 + (3 * b - a - 3 * c + d) * s**3))
    return np.concatenate(pieces if closed else [*pieces, corners[-1:]])


def turned(outline: Points, angle: float, about: tuple[float, float] = (0.0, 0.0)) -> Points:
    """Return an outline turned clockwise as seen on the screen, by radians."""
    cos, sin = np.cos(angle), np.sin(angle)
    return np.asarray((outline - about) @ np.array([[cos, sin], [-sin, cos]]) + about)


def disc(x: float, y: float, radius_px: float, *, flat: float = 1.0) -> Points:
    """Return a circle, or an ellipse whose height is `flat` times its width."""
    return np.asarray(UNIT_CIRCLE * (radius_px, flat * radius_px) + (x, y))


def limb(joints: Points, radii_px: Sequence[float]) -> list[Points]:
    """Return a tapered chain of capsules as convex pieces."""
    pieces = [disc(x, y, r) for (x, y), r in zip(joints, radii_px, strict=True)]
    for i in range(len(joints) - 1):
        along = joints[i + 1] - joints[i]
        side = np.array([-along[1], along[0]]) / (np.hypot(*along) + 1e-9)
        a, b = side * radii_px[i], side * radii_px[i + 1]
        pieces.append(np.stack([joints[i] + a, joints[i + 1] + b, joints[i + 1] - b, joints[i] - a]))
    return pieces


def patch(pieces: Points | Sequence[Points], *, blur_px: float = 0.0) -> Patch | None:
    """Return the coverage of the union of outlines, or None where all of it is out of the picture."""
    outlines = [pieces] if isinstance(pieces, np.ndarray) else list(pieces)
    every = np.concatenate(outlines)
    margin = 2 + int(3 * blur_px)
    x0, y0 = np.maximum(np.floor(every.min(0)).astype(int) - margin, 0)
    x1, y1 = np.minimum(np.ceil(every.max(0)).astype(int) + margin + 1, (WIDTH_PX, HEIGHT_PX))
    if x1 - x0 < 1 or y1 - y0 < 1:
        return None
    fine = np.zeros(((y1 - y0) * OVERSAMPLING, (x1 - x0) * OVERSAMPLING), np.uint8)
    scale = OVERSAMPLING * (1 << SUBPIXEL_BITS)
    for outline in outlines:
        corners = np.round((outline - (x0, y0)) * scale).astype(np.int32)
        cv2.fillPoly(fine, [corners], 255, cv2.LINE_8, SUBPIXEL_BITS)
    share = cv2.resize(fine, (int(x1 - x0), int(y1 - y0)), interpolation=cv2.INTER_AREA)
    mask: Field = share.astype(np.float32) / np.float32(255)
    if blur_px:
        mask = cv2.GaussianBlur(mask, (0, 0), blur_px).astype(np.float32)
    return Patch(int(x0), int(y0), mask)


def lay(layer: Layer, shape: Patch | None, colour: Colour | npt.NDArray[np.float32], *, alpha: float = 1.0) -> None:
    """Paint a shape over a layer, with one colour or one for each pixel of the patch."""
    if shape is None:
        return
    mask = shape.mask[..., None] * alpha
    region = layer[shape.box]
    region *= 1 - mask
    region[..., :3] += mask * colour
    region[..., 3:] += mask


def shine(layer: Layer, shape: Patch | None, colour: Colour, *, gain: float = 1.0) -> None:
    """Add light to a layer where a shape is."""
    if shape is not None:
        layer[shape.box][..., :3] += shape.mask[..., None] * (colour * gain)


def normals(height: Field) -> tuple[Field, Field, Field]:
    """Return the unit normals of a height field in pixels."""
    dx: Field = cv2.Sobel(height, cv2.CV_32F, 1, 0, scale=0.125).astype(np.float32)
    dy: Field = cv2.Sobel(height, cv2.CV_32F, 0, 1, scale=0.125).astype(np.float32)
    length: Field = np.sqrt(dx * dx + dy * dy + 1)
    return -dx / length, -dy / length, np.float32(1) / length


def bulge(mask: Field, round_px: float) -> Field:
    """Return the height of a shape whose rim is rounded like a quarter circle of the given radius."""
    solid = cv2.copyMakeBorder((mask > 0.5).astype(np.uint8), 1, 1, 1, 1, cv2.BORDER_REPLICATE)
    depth = cv2.distanceTransform(solid, cv2.DIST_L2, 3)[1:-1, 1:-1]
    inward = 1 - np.minimum(depth / round_px, 1)
    height = round_px * np.sqrt(1 - inward * inward)
    return np.asarray(cv2.GaussianBlur(height, (0, 0), max(0.8, round_px / 6)), dtype=np.float32)


def lit(
    shape: Patch,
    albedo: Colour | npt.NDArray[np.float32],
    lights: Sequence[Light],
    *,
    round_px: float = 12.0,
    ambient: Colour | None = None,
    relief: Field | None = None,
) -> npt.NDArray[np.float32]:
    """Return the colours of a shape that bulges towards the viewer, under point lights (Lambert).

    Args:
        shape: where; its distance to the rim gives the surface its height.
        albedo: reflected share of the light, one colour or one for each pixel.
        lights: point lights.
        round_px: radius of the rim.
        ambient: light from everywhere.
        relief: more height in pixels, for texture.
    """
    height = bulge(shape.mask, round_px)
    nx, ny, nz = normals(height if relief is None else height + relief)
    xs, ys = shape.grid()
    light: npt.NDArray[np.float32] = np.zeros((*shape.mask.shape, 3), np.float32)
    if ambient is not None:
        light += ambient * (0.75 - 0.25 * ny[..., None])  # more from the sky than from the floor
    for lamp in lights:
        light += lamp.colour * falloff(lamp, xs, ys, normal=(nx, ny, nz))[..., None]
    return np.asarray(light * albedo, dtype=np.float32)


def falloff(lamp: Light, xs: Field, ys: Field, *, normal: tuple[Field, Field, Field]) -> Field:
    """Return how strongly a light falls on each point of a surface."""
    dx, dy = lamp.x - xs, lamp.y - ys
    distance = np.sqrt(dx * dx + dy * dy + lamp.z * lamp.z)
    facing = np.maximum(0, (normal[0] * dx + normal[1] * dy + normal[2] * lamp.z) / distance)
    return np.asarray(facing / (1 + (distance / lamp.reach_px) ** 2), dtype=np.float32)


def solid(
    layer: Layer,
    pieces: Points | Sequence[Points],
    albedo: Colour,
    *,
    lights: Sequence[Light],
    round_px: float = 12.0,
    ambient: Colour | None = None,
) -> None:
    """Paint a lit shape over a layer."""
    shape = patch(pieces)
    if shape is not None:
        lay(layer, shape, lit(shape, albedo, lights, round_px=round_px, ambient=ambient))


def over(below: Layer, above: Layer) -> None:
    """Put a premultiplied layer on another, in place."""
    below *= 1 - above[..., 3:]
    below += above


def blurred(layer: Layer, radius_px: float) -> Layer:
    """Return a layer out of focus."""
    return np.asarray(cv2.GaussianBlur(layer, (0, 0), radius_px, borderType=cv2.BORDER_REPLICATE), dtype=np.float32)


def noise(rng: np.random.Generator, size: tuple[int, int], *, slope: float = 1.6, stretch: float = 1.0) -> Field:
    """Return cloud-like noise from 0 to 1 that tiles: white noise filtered to 1/f^slope.

    Args:
        rng: where the chance comes from.
        size: (height, width) in pixels.
        slope: 1 is rough, 2 is soft.
        stretch: above 1 draws the noise out along x.
    """
    fy, fx = np.fft.fftfreq(size[0])[:, None] * size[0], np.fft.rfftfreq(size[1])[None] * size[1]
    frequency = np.hypot(fy, fx * stretch)
    frequency[0, 0] = np.inf
    spectrum = np.fft.rfft2(rng.standard_normal(size)) / frequency**slope
    field = np.fft.irfft2(spectrum, s=size)
    return np.asarray(np.clip(0.5 + field / (5 * field.std()), 0, 1), dtype=np.float32)


def wrapped(tile: Field, xs: Field, ys: Field) -> Field:
    """Return a tile sampled at any places, repeated without end."""
    height, width = tile.shape
    padded = cv2.copyMakeBorder(tile, 0, 1, 0, 1, cv2.BORDER_WRAP)
    return np.asarray(
        cv2.remap(
            padded, np.mod(xs, width).astype(np.float32), np.mod(ys, height).astype(np.float32), cv2.INTER_LINEAR
        ),
        dtype=np.float32,
    )


def gradient(stops: Sequence[tuple[float, Colour]], values: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """Return colours from a ramp of (value, colour) stops."""
    low, high = stops[0][0], stops[-1][0]
    fine = np.linspace(low, high, RAMP_STEPS)
    at = [value for value, _ in stops]
    ramp = np.stack([np.interp(fine, at, [c[i] for _, c in stops]) for i in range(3)], -1).astype(np.float32)
    return np.asarray(ramp[(np.clip((values - low) / (high - low), 0, 1) * (RAMP_STEPS - 1)).astype(np.int32)])


def bloomed(layer: Layer, *, threshold: float = 0.8, gain: float = 0.25) -> npt.NDArray[np.float32]:
    """Return the picture with the halo that bright things have in a lens."""
    picture = np.ascontiguousarray(layer[..., :3])
    small = cv2.resize(picture, (WIDTH_PX // 4, HEIGHT_PX // 4), interpolation=cv2.INTER_AREA)
    bright = np.minimum(np.maximum(small - threshold, 0), 6.0)
    halo = cv2.GaussianBlur(bright, (0, 0), 3) + 0.6 * cv2.GaussianBlur(bright, (0, 0), 14)
    return np.asarray(picture + gain * cv2.resize(halo, (WIDTH_PX, HEIGHT_PX)), dtype=np.float32)


class Film:
    """Turns linear light into screen pixels: vignette, tone curve, grading and grain."""

    STEPS = 4096  # fine enough that the tone curve shows no bands in the shadows
    WHITE = 6.0  # linear light that is as bright as a screen gets

    def __init__(
        self,
        rng: np.random.Generator,
        *,
        exposure: float = 1.0,
        vignette: float = 0.45,
        lift: tuple[float, float, float] = (0.010, 0.014, 0.022),
        grain: float = 1.6,
    ) -> None:
        """Prepare the curves. The grain stands still: it dithers the gradients and costs no bits."""
        ys, xs = np.mgrid[0:HEIGHT_PX, 0:WIDTH_PX].astype(np.float32)
        away = np.hypot((xs - WIDTH_PX / 2) / WIDTH_PX, (ys - HEIGHT_PX / 2) / HEIGHT_PX)
        self.shade = (exposure * (1 - vignette * np.clip(away * 1.35, 0, 1) ** 2.4))[..., None].astype(np.float32)
        linear = np.linspace(0, 1, self.STEPS) ** 2 * self.WHITE
        # Narkowicz' fit of the ACES film curve: soft shoulder, so that fire keeps its colour
        tone = linear * (2.51 * linear + 0.03) / (linear * (2.43 * linear + 0.59) + 0.14)
        self.curves = [
            (255 * np.clip(low + (1 - low) * np.clip(tone, 0, 1) ** (1 / 2.2), 0, 1)).astype(np.float32) for low in lift
        ]
        self.grain = (grain * rng.standard_normal((HEIGHT_PX, WIDTH_PX, 1))).astype(np.float32)

    def develop(self, picture: npt.NDArray[np.float32]) -> npt.NDArray[np.uint8]:
        """Return the frame, shape (height, width, 3), RGB."""
        root = np.sqrt(np.clip(picture * self.shade / self.WHITE, 0, 1))
        index = (root * (self.STEPS - 1)).astype(np.uint16)
        screen = np.stack([curve[index[..., i]] for i, curve in enumerate(self.curves)], -1)
        return np.asarray(np.clip(screen + self.grain + 0.5, 0, 255), dtype=np.uint8)
