"""Paint the third place of the walk: open fields when the sun goes down."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from scenes import grounds
from scenes.canvas import (
    HEIGHT_PX,
    WIDTH_PX,
    Film,
    Layer,
    Light,
    Points,
    bloomed,
    disc,
    lay,
    limb,
    noise,
    patch,
    points,
    rect,
    rgb,
    shine,
    solid,
)
from scenes.footing import Kicked, contact, darkened, sky
from scenes.walker import CLOTHES, Gait, Person, View


class Dusk:
    """Open fields when the sun goes down; a wide shot that stands still."""

    GROUND_PX, HORIZON_PX, SCALE_PX = 464, 340, 190
    SUN = (676, 300)
    quick_samples = 3

    def __init__(self, gait: Gait) -> None:
        """Paint the fields once."""
        rng = np.random.default_rng(13)
        self.gait = gait
        self.film = Film(rng, exposure=1.0, vignette=0.55, lift=(0.016, 0.012, 0.03))
        low = Light(*self.SUN, 40, rgb("ff9a50", 3.4), 420)
        self.low = low
        self.person_painter = Person(gait, CLOTHES, [low], ambient=rgb("8a74a8", 0.34))
        self.kicked = Kicked(gait, rng, rgb("8a6458", 0.6))
        self.view = View(0.0, self.GROUND_PX, self.SCALE_PX)
        self.still = self._fields(rng)
        self.blades = [
            (rng.uniform(-40, 1000), rng.uniform(30, 92), rng.normal(0, 0.16), rng.uniform(0, 6.28)) for _ in range(150)
        ]

    def _fields(self, rng: np.random.Generator) -> Layer:
        layer = sky(
            [
                (0, rgb("3a3a72", 0.8)),
                (0.28, rgb("8a5a8c", 0.85)),
                (0.48, rgb("f08a5a", 1.15)),
                (0.6, rgb("ffc070", 1.5)),
                (1, rgb("ffc070")),
            ]
        )
        clouds = noise(rng, (HEIGHT_PX, WIDTH_PX), slope=1.6, stretch=4.0)
        streak = np.clip((clouds - 0.52) * 4, 0, 1) * np.clip(1.2 - np.linspace(0, 2.1, HEIGHT_PX)[:, None], 0, 1)
        layer[..., :3] += streak[..., None] * (rgb("ff8060", 0.55) - 0.35 * layer[..., :3])
        shine(layer, patch(disc(*self.SUN, 150), blur_px=70), rgb("ff9040"), gain=0.9)
        shine(layer, patch(disc(*self.SUN, 30), blur_px=1.2), rgb("ffe0a0"), gain=5.0)
        for height, top, colour, rough in (
            (150, 226, rgb("a8607a", 0.75), 0.7),
            (120, 258, rgb("7a4468", 0.55), 0.8),
            (80, 300, rgb("4a2c50", 0.45), 0.7),
        ):
            grounds.put(layer, grounds.hills(rng, height, colour, rough=rough)[:, 300 : 300 + WIDTH_PX], top)
        grounds.put(
            layer,
            grounds.soft(
                grounds.trees(rng, 120, [rgb("3a2038", 0.4), rgb("4a2838", 0.45)], count=22, sun=(0.3, -0.3)), 1.2
            )[:, 200 : 200 + WIDTH_PX],
            250,
        )
        self._cottage(layer)
        field = noise(rng, (HEIGHT_PX, WIDTH_PX), slope=1.2, stretch=4.0)
        depth = np.linspace(0, 1, HEIGHT_PX - 356)[:, None, None].astype(np.float32)
        layer[356:, :, :3] = (
            rgb("d08a70", 0.72) * (1 - depth) ** 2
            + rgb("b07860", 0.62) * (1 - depth) * depth * 2
            + rgb("1c1a28", 0.6) * depth
        ) * (0.5 + field[356:, :, None])
        self._path(layer, rng)
        return layer

    def _cottage(self, layer: Layer) -> None:
        solid(
            layer,
            rect(92, 300, 232, bottom=372),
            rgb("4a3444"),
            lights=[self.low],
            round_px=8,
            ambient=rgb("8a74a8", 0.2),
        )
        solid(
            layer,
            points((76, 304), (112, 248), (216, 248), (248, 304)),
            rgb("33222e"),
            lights=[self.low],
            round_px=8,
            ambient=rgb("8a74a8", 0.2),
        )
        solid(
            layer,
            rect(124, 226, 144, bottom=262),
            rgb("33222e"),
            lights=[self.low],
            round_px=4,
            ambient=rgb("8a74a8", 0.2),
        )
        for x in (112, 184):
            lay(layer, patch(rect(x, 318, x + 26, bottom=346)), rgb("ffb050", 2.2))
            lay(layer, patch(rect(x + 12, 318, x + 14, bottom=346)), rgb("33222e"))

    def _path(self, layer: Layer, rng: np.random.Generator) -> None:
        tile = grounds.gravel(rng, rgb("b08878", 0.8), light=(0.3, -0.9), count=12000)
        rows = (420, 506)
        path = grounds.plane(tile, rows=rows, horizon_px=self.HORIZON_PX, ground_px=self.GROUND_PX, shift_px=300)
        small = cv2.resize(path, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA).astype(np.float32)
        path = np.tile(small, (2, 2, 1))[: rows[1] - rows[0], :WIDTH_PX]
        ys, xs = np.mgrid[rows[0] : rows[1], 0:WIDTH_PX].astype(np.float32)
        edge = 4 * np.sin(xs / 61) + 3 * np.sin(xs / 23 + 1)
        cover = np.clip((ys - 436 - 0.5 * edge) / 5, 0, 1) * np.clip((492 + edge - ys) / 6, 0, 1)
        sheen = 1 + 1.4 * np.exp(-(((xs - self.SUN[0]) / 260) ** 2))
        layer[rows[0] : rows[1], :, :3] += cover[..., None] * (
            path[..., :3] * sheen[..., None] - layer[rows[0] : rows[1], :, :3]
        )

    def person(self, t: float) -> Layer:
        """Return the walker on a clear layer."""
        return self.person_painter.paint(t, self.view)

    def ground(self, t: float, person: Layer) -> Layer:
        """Return the fields with the walker's long shadow towards the viewer."""
        layer = self.still.copy()
        hip_x = self.view.screen(self.gait.hip(t))[0]
        slant = float(np.clip((hip_x - self.SUN[0]) / 420, -1.2, 1.2))
        darkened(
            layer,
            grounds.cast(person[..., 3], ground_px=self.GROUND_PX + 2, length=0.3, slant=slant * 0.5, blur_px=2),
            0.55,
            first_row=self.GROUND_PX - 8,
        )
        contact(layer, self.gait, t, view=self.view)
        return layer

    def front(self, layer: Layer, t: float) -> npt.NDArray[np.float32]:
        """Add the stones in the air, the glow of the sun, and tall grass that sways near the lens."""
        self.kicked.paint(layer, t, self.view)
        for x, tall, lean, phase in self.blades:
            bend = lean + 0.05 * np.sin(1.3 * t + phase + x / 160)
            s = np.linspace(0, 1, 5)
            blade: Points = np.stack([x + bend * tall * s**2, HEIGHT_PX + 20 - tall * s], 1)
            lay(layer, patch(limb(blade, np.linspace(3.4, 0.8, 5).tolist()), blur_px=1.6), rgb("140e18"), alpha=0.9)
        shine(layer, patch(disc(*self.SUN, 120), blur_px=60), rgb("ff8040"), gain=0.10)
        return bloomed(layer, threshold=0.9, gain=0.25)
