"""Paint the second place of the walk: the porch of a house in the evening."""

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
    blank,
    bloomed,
    blurred,
    disc,
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
)
from scenes.footing import FAR_PX, contact, darkened
from scenes.walker import CLOTHES, Gait, Person, View


class Porch:
    """The boards before a house in evening sun; the camera stands still."""

    GROUND_PX, SCALE_PX, WALL_PX = 470, 238, 404
    quick_samples = 3

    def __init__(self, gait: Gait) -> None:
        """Paint the house once."""
        rng = np.random.default_rng(12)
        self.gait = gait
        self.film = Film(rng, exposure=1.0, vignette=0.5)
        self.sun = Light(-900, -520, 900, rgb("ffc080", 1.55), FAR_PX)
        self.ambient = rgb("8f9cc0", 0.28)
        self.person_painter = Person(gait, CLOTHES, [self.sun], ambient=self.ambient)
        self.still = self._house(rng)
        self.near = self._post()
        self.view = View(0.0, self.GROUND_PX, self.SCALE_PX)

    def _house(self, rng: np.random.Generator) -> Layer:
        layer = blank(rgb("000000"))
        wood = noise(rng, (HEIGHT_PX, WIDTH_PX), slope=1.2, stretch=9.0)
        for y in range(-10, self.WALL_PX, 27):
            board = rect(-20, y, 980, bottom=y + 27)
            solid(layer, board, rgb("8aa2a0"), lights=[self.sun], round_px=5, ambient=self.ambient)
        layer[: self.WALL_PX, :, :3] *= 0.82 + 0.36 * wood[: self.WALL_PX, :, None]
        self._window(layer)
        self._door(layer)
        layer = blurred(layer, 1.4)
        self._sunlight(layer)
        self._boards(layer, rng)
        self._pots(layer, rng)
        return layer

    def _window(self, layer: Layer) -> None:
        left, right, top, bottom = 600, 806, 66, 290
        solid(
            layer,
            rect(left - 16, top - 16, right + 16, bottom=bottom + 20),
            rgb("e8e0d0"),
            lights=[self.sun],
            round_px=6,
            ambient=self.ambient,
        )
        for column in range(2):
            for row in range(2):
                x, y = left + 106 * column, top + 115 * row
                pane = patch(rect(x, y, x + 100, bottom=y + 109))
                lay(layer, pane, rgb("ffb858", 1.0 + 0.25 * row))
        for x, lean in ((left, 34), (right, -34)):
            curtain = patch(
                smooth(
                    points(
                        (x, top + 6),
                        (x + lean * 1.5, top + 6),
                        (x + lean, top + 120),
                        (x + lean * 1.3, bottom - 6),
                        (x, bottom - 6),
                    ),
                    steps=5,
                ),
                blur_px=2,
            )
            lay(layer, curtain, rgb("d89a60", 0.8), alpha=0.85)

    def _door(self, layer: Layer) -> None:
        solid(layer, rect(150, 40, 338, bottom=404), rgb("e8e0d0"), lights=[self.sun], round_px=6, ambient=self.ambient)
        solid(layer, rect(164, 54, 324, bottom=404), rgb("2f6a5e"), lights=[self.sun], round_px=5, ambient=self.ambient)
        for x in (182, 252):
            for y, tall in ((74, 120), (216, 160)):
                solid(
                    layer,
                    rect(x, y, x + 54, bottom=y + tall),
                    rgb("245448"),
                    lights=[self.sun],
                    round_px=7,
                    ambient=self.ambient,
                )
        solid(layer, disc(310, 232, 7), rgb("d8a840", 1.2), lights=[self.sun], round_px=6, ambient=self.ambient)

    def _sunlight(self, layer: Layer) -> None:
        """Let evening sun fall on wall and boards between the posts and rails of the porch."""
        for x in range(-260, 900, 74):
            bar = patch(points((x + 60, 130), (x + 102, 150), (x + 190, 404), (x + 150, 404)), blur_px=9)
            shine(layer, bar, rgb("ff9a50"), gain=0.10)
        lay(layer, patch(points((-20, -20), (980, -20), (980, 46), (-20, 20)), blur_px=14), rgb("101420"), alpha=0.6)

    def _boards(self, layer: Layer, rng: np.random.Generator) -> None:
        vanish = np.array([480.0, 190.0])
        grain = noise(rng, (HEIGHT_PX, WIDTH_PX), slope=1.3, stretch=0.3)
        lay(layer, patch(rect(-20, self.WALL_PX, 980, bottom=560)), rgb("2a170c"))

        def at(x: float, y: float) -> Points:
            """Return the point of row y on the line from x on row 560 to the vanishing point."""
            return np.asarray(vanish + (np.array([x, 560.0]) - vanish) * (y - vanish[1]) / (560 - vanish[1]))

        for k in range(-12, 13):
            left, right = 480.0 + 92 * (k + 0.02), 480.0 + 92 * (k + 0.98)
            board = patch(np.stack([at(left, self.WALL_PX), at(right, self.WALL_PX), at(right, 560), at(left, 560)]))
            if board is None:
                continue
            tint = np.float32(0.95 * rng.uniform(0.72, 1.15)) * (0.6 + 0.8 * grain[board.box][..., None])
            lay(layer, board, rgb("a8764a") * tint)
            for y in (418, 520):
                for share in (0.12, 0.88):
                    nail = at(left + (right - left) * share, y)
                    lay(layer, patch(disc(nail[0], nail[1], 1.6, flat=0.6)), rgb("2a1a10"), alpha=0.8)
        lay(layer, patch(rect(-20, 398, 980, bottom=416), blur_px=4), rgb("140c08"), alpha=0.65)
        for x in range(-300, 1000, 150):
            glow = patch(points((x, 408), (x + 70, 408), (x + 190, 556), (x + 90, 556)), blur_px=8)
            shine(layer, glow, rgb("ff9a50"), gain=0.13)

    def _pots(self, layer: Layer, rng: np.random.Generator) -> None:
        for x, size in ((418, 1.0), (890, 1.25)):
            lay(layer, patch(disc(x + 14, 424, 34 * size, flat=0.25), blur_px=4), rgb("000000"), alpha=0.5)
            pot = points(
                (x - 22 * size, 372 - 6 * size),
                (x + 22 * size, 372 - 6 * size),
                (x + 16 * size, 424),
                (x - 16 * size, 424),
            )
            solid(layer, pot, rgb("b0603a"), lights=[self.sun], round_px=14, ambient=self.ambient)
            for _ in range(46):
                angle, tall = rng.normal(0, 0.6), size * rng.uniform(26, 78)
                tip = (x + tall * np.sin(angle), 370 - tall * np.cos(angle))
                leaf = limb(
                    points((x + 4 * angle, 370), ((x + tip[0]) / 2, (370 + tip[1]) / 2), tip), (1.5, 4.5 * size, 0.8)
                )
                solid(
                    layer,
                    leaf,
                    rgb("4f8a3c") * np.float32(rng.uniform(0.6, 1.3)),
                    lights=[self.sun],
                    round_px=4,
                    ambient=self.ambient,
                )

    @staticmethod
    def _post() -> Layer:
        layer = blank()
        lay(layer, patch(rect(-40, -20, 26, bottom=560), blur_px=7), rgb("2c2018"))
        lay(layer, patch(rect(21, -20, 28, bottom=560), blur_px=3), rgb("ff9a50", 0.35), alpha=0.7)
        return layer

    def person(self, t: float) -> Layer:
        """Return the walker on a clear layer."""
        return self.person_painter.paint(t, self.view)

    def ground(self, t: float, person: Layer) -> Layer:
        """Return the porch with the walker's shadow on boards and wall."""
        layer = self.still.copy()
        on_wall = cv2.GaussianBlur(person[..., 3], (0, 0), 6)
        way = np.array([[1, 0, 46], [0, 1, -34]], np.float32)
        wall_shadow = cv2.warpAffine(on_wall, way, (WIDTH_PX, HEIGHT_PX))
        layer[: self.WALL_PX, :, :3] *= 1 - 0.42 * wall_shadow[: self.WALL_PX, :, None]
        darkened(
            layer,
            grounds.cast(person[..., 3], ground_px=self.GROUND_PX, length=-0.16, slant=0.2, blur_px=3),
            0.4,
            first_row=self.WALL_PX,
        )
        contact(layer, self.gait, t, view=self.view)
        return layer

    def front(self, layer: Layer, t: float) -> npt.NDArray[np.float32]:
        """Add the post that stands nearer than the lens can focus."""
        layer *= 1 - self.near[..., 3:]
        layer += self.near
        return bloomed(layer, threshold=0.9, gain=0.22)
