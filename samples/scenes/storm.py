"""Animate `storm.mp4`: rain over a dark landscape, trees that bend in the gusts, lightning over a lit house."""

from __future__ import annotations

from fractions import Fraction

import cv2
import numpy as np
import numpy.typing as npt

from scenes import grounds
from scenes.canvas import (
    HEIGHT_PX,
    WIDTH_PX,
    Field,
    Film,
    Layer,
    Light,
    Points,
    blank,
    bloomed,
    disc,
    gradient,
    lay,
    limb,
    noise,
    patch,
    points,
    rect,
    rgb,
    shine,
    smooth,
    solid,
    wrapped,
)
from scenes.scene import Onset, Stretch, Truth
from scenes.tree import Tree, grown

FPS = Fraction(24)
FRAMES = 240

FLASHES = ((1.643, 700.0, 1.0), (4.236, 330.0, 0.75), (6.957, 560.0, 0.9), (8.612, 210.0, 0.6))
"""Second, where on the screen the bolt comes down, and strength."""
GUSTS = ((0.6, 2.2, 0.7), (3.1, 5.4, 1.0), (7.2, 9.4, 0.85))
"""Start, end and strength of the wind's gusts."""
FADE_S, FLICKER_S, FLICKER_DEPTH = 0.062, 0.085, 0.22
"""A flash falls to 1/e in the first, and flickers meanwhile: so little that only its onset is a jump of light."""
EXPOSURE_S = 1 / 48  # half a frame
HORIZON_PX = 352

TRUTH = Truth(
    fps=FPS,
    frames=FRAMES,
    prompt="a thunderstorm at night, heavy rain, wind in the trees, lightning strikes and thunder",
    onsets=tuple(Onset(t, "lightning flash", 0, strength) for t, _, strength in FLASHES),
    spans=tuple(Stretch(start, end, "gust of wind in trees") for start, end, _ in GUSTS),
    beds=(Stretch(0.0, 10.0, "heavy rain"), Stretch(0.0, 10.0, "wind")),
)


def wind(t: float) -> float:
    """Return how hard the wind blows, 0 to about 1; never quite still."""
    level = 0.22 + 0.05 * np.sin(2.1 * t)
    for start, end, strength in GUSTS:
        s = (t - start) / (end - start)
        if 0 < s < 1:
            level += strength * 0.75 * np.sin(np.pi * s**0.75) ** 2
    return float(level)


def flash(t: float, onset_s: float) -> float:
    """Return the light of a flash over one exposure: nothing before its onset, then at once."""
    instants = np.linspace(t - EXPOSURE_S / 2, t + EXPOSURE_S / 2, 9)
    since = np.maximum(instants - onset_s, 0)
    flicker = 1 - FLICKER_DEPTH * np.sin(np.pi * since / FLICKER_S) ** 2
    return float(np.where(instants >= onset_s, np.exp(-since / FADE_S) * flicker, 0).mean())


def bolt(rng: np.random.Generator, x: float) -> list[tuple[Points, float]]:
    """Return a bolt's channels with their widths: the one that reaches the ground first, then its branches."""
    trunk = _channel(rng, np.array([x + rng.uniform(-90, 90), -12.0]), np.array([x, HORIZON_PX - 2.0]), rough=34)
    channels = [(trunk, 1.7)]
    for _ in range(6):
        k = int(rng.integers(len(trunk) // 8, len(trunk) * 3 // 4))
        reach = np.array([rng.choice([-1, 1]) * rng.uniform(30, 150), rng.uniform(40, 140)])
        channels.append((_channel(rng, trunk[k], trunk[k] + reach, rough=14), 0.7))
    return channels


def _channel(rng: np.random.Generator, start: Points, end: Points, *, rough: float) -> Points:
    """Return a jagged way by halving: each midpoint is pushed aside, less each time."""
    way = np.stack([start, end])
    while rough > 1.2:
        middle = (way[:-1] + way[1:]) / 2 + rng.normal(0, rough * 0.42, (len(way) - 1, 2)) * (1.0, 0.5)
        way = np.insert(way, np.arange(1, len(way)), middle, axis=0)
        rough *= 0.56
    return way


class Storm:
    """The night landscape, painted frame by frame."""

    def __init__(self) -> None:
        """Paint the land twice, by night and by lightning; grow trees and bolts."""
        rng = np.random.default_rng(24)
        self.film = Film(rng, exposure=1.15, vignette=0.5, lift=(0.012, 0.018, 0.034))
        self.clouds = noise(rng, (512, 1024), slope=1.65, stretch=1.6)
        self.wisps = noise(rng, (512, 1024), slope=1.5, stretch=2.0)
        land = rng.integers(2**31).item()
        self.by_night = self._land(np.random.default_rng(land), lightning=False)
        self.by_flash = self._land(np.random.default_rng(land), lightning=True)
        self.bolts = [bolt(np.random.default_rng(90 + k), x) for k, (_, x, _) in enumerate(FLASHES)]
        self.trees: list[tuple[Tree, float]] = [
            (grown(np.random.default_rng(3), root=(118, 470), tall_px=330), 1.0),
            (grown(np.random.default_rng(5), root=(888, 420), tall_px=215), 0.8),
            (grown(np.random.default_rng(8), root=(800, 398), tall_px=140), 0.7),
            (grown(np.random.default_rng(9), root=(330, 384), tall_px=105), 0.6),
        ]
        self.drops = rng.uniform(0, 1, (640, 4))
        self.splashes = rng.uniform(0, 1, (150, 3))
        ys, xs = np.mgrid[0 : HORIZON_PX + 12, 0:WIDTH_PX].astype(np.float32)
        # the clouds lie on a flat ceiling: rows near the horizon are further away
        far = 150 / (HORIZON_PX + 60 - ys)
        self.cloud_u, self.cloud_v, self.sky_x, self.sky_y = (xs - 480) * far + 480, 420 * far, xs, ys

    def _land(self, rng: np.random.Generator, *, lightning: bool) -> Layer:
        """Return hills, meadow, house and the wet road on a clear layer."""
        layer = blank()
        cold = rgb("a8c4ff", 0.55) if lightning else rgb("30507c", 0.16)
        for height, top, tone, rough in ((120, 252, 0.16, 0.9), (80, 292, 0.09, 0.7)):
            grounds.put(
                layer, grounds.hills(rng, height, cold * np.float32(tone), rough=rough)[:, 500 : 500 + WIDTH_PX], top
            )
        layer[HORIZON_PX + 4 :, :, 3] = 1.0
        field = noise(rng, (HEIGHT_PX, WIDTH_PX), slope=1.15, stretch=3.0)[HORIZON_PX + 4 :]
        depth = np.linspace(0, 1, field.shape[0])[:, None, None].astype(np.float32)
        layer[HORIZON_PX + 4 :, :, :3] = cold * rgb("b8d0a0") * (0.35 + 0.7 * field[..., None]) * (0.75 - 0.5 * depth)
        self._road(layer, cold)
        self._house(layer, lightning=lightning)
        return layer

    @staticmethod
    def _road(layer: Layer, cold: npt.NDArray[np.float32]) -> None:
        way = smooth(
            points((560, 408), (600, 410), (590, 440), (520, 480), (470, 560), (150, 560), (330, 490), (500, 440))
        )
        lay(layer, patch(way, blur_px=3), cold * 0.55)
        for x, y, r in ((410, 505, 74), (300, 530, 60), (520, 462, 40)):
            lay(layer, patch(disc(x, y, r, flat=0.16), blur_px=2), cold * 1.0)

    @staticmethod
    def _house(layer: Layer, *, lightning: bool) -> None:
        lamp = Light(700, 100, 200, rgb("a8c4ff", 1.1 if lightning else 0.0), 1e6)
        ambient = rgb("30507c", 0.32)
        solid(layer, rect(520, 322, 690, bottom=414), rgb("8a8078"), lights=[lamp], round_px=10, ambient=ambient)
        solid(
            layer,
            points((500, 328), (546, 256), (664, 256), (710, 328)),
            rgb("4a4048"),
            lights=[lamp],
            round_px=10,
            ambient=ambient,
        )
        solid(layer, rect(632, 228, 656, bottom=276), rgb("7a5a50"), lights=[lamp], round_px=5, ambient=ambient)
        Storm._windows(layer)
        solid(layer, rect(590, 352, 620, bottom=414), rgb("5a2c1c"), lights=[lamp], round_px=4, ambient=ambient)
        shine(layer, patch(disc(605, 344, 7), blur_px=4), rgb("ffb050"), gain=1.4)
        for x, y, wide in ((470, 492, 26), (430, 508, 34), (455, 474, 16)):
            shine(layer, patch(disc(x, y, wide, flat=0.13), blur_px=3), rgb("ff9030"), gain=0.30)

    @staticmethod
    def _windows(layer: Layer) -> None:
        for x in (540, 642):
            pane = patch(rect(x, 342, x + 30, bottom=374))
            lay(layer, pane, rgb("ffb04a", 3.4))
            for bar in (rect(x + 14, 342, x + 16, bottom=374), rect(x, 357, x + 30, bottom=359)):
                lay(layer, patch(bar), rgb("2a1a10"))
            shine(layer, patch(disc(x + 15, 358, 46), blur_px=22), rgb("ff9030"), gain=0.16)
            shine(
                layer,
                patch(points((x - 6, 416), (x + 34, 416), (x + 20, 470), (x - 60, 470)), blur_px=9),
                rgb("ff9030"),
                gain=0.14,
            )

    def frame(self, number: int) -> npt.NDArray[np.uint8]:
        """Return a frame, shape (height, width, 3), RGB."""
        t = float(number / FPS)
        lights = [flash(t, onset) * strength for onset, _, strength in FLASHES]
        light = sum(lights)
        layer = self._sky(t, lights)
        for channels, gain in zip(self.bolts, lights, strict=True):
            if gain > 0.05:
                self._bolt(layer, channels, gain)
        land = self.by_night + np.float32(light) * (self.by_flash - self.by_night)
        land[..., 3] = self.by_night[..., 3]
        layer *= 1 - land[..., 3:]
        layer += land
        for tree, near in reversed(self.trees):
            self._tree(layer, tree, t, near=near, light=light)
        self._rain(layer, t, light)
        return self.film.develop(bloomed(layer, threshold=0.7, gain=0.3))

    def _sky(self, t: float, lights: list[float]) -> Layer:
        layer = blank(rgb("000000"))
        thick: Field = 0.62 * wrapped(self.clouds, self.cloud_u + 34 * t, self.cloud_v + 5 * t) + 0.38 * wrapped(
            self.wisps, self.cloud_u * 1.7 + 66 * t, self.cloud_v * 1.7
        )
        night = gradient([(0.25, rgb("56789f", 0.50)), (0.5, rgb("2c4870", 0.38)), (0.75, rgb("142442", 0.26))], thick)
        glow = np.full(thick.shape, 0.0, np.float32)
        for (_, x, _), gain in zip(FLASHES, lights, strict=True):
            if gain > 0.003:
                away = np.hypot(self.sky_x - x, 1.3 * (self.sky_y - 110))
                glow += np.float32(gain) * (0.16 + 0.95 * np.exp(-((away / 260) ** 2)))
        day = gradient([(0.25, rgb("c8d4ff", 1.1)), (0.5, rgb("9aa8f0", 0.8)), (0.78, rgb("5a5cae", 0.30))], thick)
        haze = 0.5 + 0.9 * (self.sky_y / HORIZON_PX) ** 3
        layer[: HORIZON_PX + 12, :, :3] = night * haze[..., None] + day * glow[..., None]
        return layer

    @staticmethod
    def _bolt(layer: Layer, channels: list[tuple[Points, float]], gain: float) -> None:
        for way, width in channels:
            steps = limb(way, np.linspace(width, 0.45 * width, len(way)).tolist())
            shine(layer, patch(steps, blur_px=9), rgb("8090ff"), gain=1.1 * gain * width)
            shine(layer, patch(steps, blur_px=0.6), rgb("e8ecff"), gain=5.0 * min(1.0, 1.6 * gain))

    @staticmethod
    def _tree(layer: Layer, tree: Tree, t: float, *, near: float, light: float) -> None:
        wood, leaves = tree.bent(wind(t), t)
        dark = rgb("0a1420", 0.5) + rgb("30507c", 0.05) * np.float32(1.4 - near)
        lay(layer, patch(disc(*tree.root, 0.14 * tree.tall_px, flat=0.2), blur_px=5), rgb("000000"), alpha=0.6)
        lay(layer, patch(wood), dark + rgb("606a90", 0.10) * np.float32(light))
        for part, tone in ((0, 0.8), (1, 1.25)):
            colour = (dark + rgb("1c3040", 0.22)) * np.float32(tone) + rgb("7a94b8", 0.20) * np.float32(light * tone)
            lay(layer, patch(leaves[part::2]), colour, alpha=0.96)

    def _rain(self, layer: Layer, t: float, light: float) -> None:
        slant = 0.10 + 0.30 * wind(t)
        sheet = np.zeros((HEIGHT_PX, WIDTH_PX), np.uint8)
        for start, place, depth, shade in self.drops:
            speed = 760 + 900 * depth
            fallen = (start * 700 + speed * t) % 700 - 80
            long_px = 0.5 * speed / float(FPS)  # as far as a drop falls while the shutter is open
            x = (place * 1300 + 180 * t * slant) % 1300 - 250 + slant * fallen
            ends = (
                (round(16 * x), round(16 * fallen)),
                (round(16 * (x + slant * long_px)), round(16 * (fallen + long_px))),
            )
            cv2.line(sheet, *ends, int(35 + 120 * depth * shade + 30 * shade), 1, cv2.LINE_AA, 4)
        self._splash(sheet, t)
        veil = cv2.GaussianBlur(sheet, (0, 0), 0.7).astype(np.float32) / 255
        layer[..., :3] += veil[..., None] * (rgb("90b0e0", 0.20) + rgb("c0d0ff", 0.5) * np.float32(min(light, 1.0)))

    def _splash(self, sheet: npt.NDArray[np.uint8], t: float) -> None:
        for start, place, depth in self.splashes:
            turn = t / 0.24 + start * 7
            age, which = turn % 1.0, int(turn)
            x, y = (place * 5381 + which * 617.0) % WIDTH_PX, 420 + 116 * depth
            size = (2.0 + 7 * age) * (0.5 + 0.8 * depth)
            centre, axes = (round(16 * x), round(16 * y)), (round(16 * size), round(4.5 * size))
            cv2.ellipse(sheet, centre, axes, 0, 0, 360, int(110 * (1 - age)), 1, cv2.LINE_AA, 4)
