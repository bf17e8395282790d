"""Paint the first place of the walk: a gravel path by daylight."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from scenes import grounds
from scenes.canvas import (
    HEIGHT_PX,
    WIDTH_PX,
    Film,
    Layer,
    Light,
    bloomed,
    disc,
    gradient,
    lay,
    noise,
    patch,
    rect,
    rgb,
    shine,
)
from scenes.footing import FAR_PX, Kicked, contact, darkened, sky
from scenes.walker import CLOTHES, Gait, Person, View


class Morning:
    """A gravel path by daylight; the camera goes along with the boots."""

    GROUND_PX, HORIZON_PX, SCALE_PX = 456, 150, 450
    PATH_TOP_PX = 372
    quick_samples = 3

    def __init__(self, gait: Gait) -> None:
        """Prepare the strips that pass at their own speeds."""
        rng = np.random.default_rng(11)
        self.gait = gait
        self.film = Film(rng, exposure=1.05, vignette=0.4, lift=(0.02, 0.02, 0.025))
        self.sky = sky(
            [(0, rgb("7fa9cc", 0.95)), (0.3, rgb("d6dcd6", 1.05)), (0.55, rgb("fbe2b4", 1.25)), (1, rgb("f4e6c4"))]
        )
        green = [rgb("5f7a3a"), rgb("8a8a3e"), rgb("4a6a3a")]
        self.strips = [
            (grounds.soft(grounds.hills(rng, 170, rgb("b4bfb0", 0.95), rough=0.8), 5), 130, 0.04),
            (
                grounds.soft(grounds.trees(rng, 250, [c * 0.42 + rgb("e4d2a0", 0.33) for c in green], count=15), 6),
                80,
                0.13,
            ),
            (grounds.soft(self._meadow(rng), 4), 272, 0.30),
            (
                grounds.soft(
                    grounds.grass(
                        rng, 92, [rgb("7c8c40"), rgb("62783a"), rgb("b8a860"), rgb("c8b478")], count=3600, thick=2
                    ),
                    1.3,
                ),
                292,
                0.735,
            ),
        ]
        self.tile = grounds.gravel(rng, rgb("a8947c", 0.9))
        sun = Light(-2400, -2600, 1900, rgb("ffe2b0", 1.9), FAR_PX)
        self.person_painter = Person(gait, CLOTHES, [sun], ambient=rgb("a8bcd8", 0.26))
        self.kicked = Kicked(gait, rng, rgb("b8a68c"))

    @staticmethod
    def _meadow(rng: np.random.Generator) -> grounds.Strip:
        strip = np.ones((110, grounds.TILE_PX, 4), np.float32)
        tint = noise(rng, (110, grounds.TILE_PX), slope=1.2, stretch=5.0)
        strip[..., :3] = gradient([(0.2, rgb("8c9a50", 0.9)), (0.8, rgb("d0c070"))], tint)
        return strip

    def view(self, t: float) -> View:
        """Return where the camera is: it goes with the hip, a little ahead of it."""
        hip_m = float(np.interp(t, self.gait.times_s, self.gait.heels_m)) - 0.24
        return View(WIDTH_PX * 0.47 - hip_m * self.SCALE_PX, self.GROUND_PX, self.SCALE_PX)

    def person(self, t: float) -> Layer:
        """Return the walker on a clear layer."""
        return self.person_painter.paint(t, self.view(t))

    def ground(self, t: float, person: Layer) -> Layer:
        """Return the path and what lies behind it."""
        gone = -self.view(t).left_px
        layer = self.sky.copy()
        for strip, top, speed in self.strips[:-1]:
            grounds.put(layer, grounds.scrolled(strip, gone * speed), top)
        path = grounds.plane(
            self.tile,
            rows=(self.PATH_TOP_PX, HEIGHT_PX),
            horizon_px=self.HORIZON_PX,
            ground_px=self.GROUND_PX,
            shift_px=gone,
        )
        grounds.put(layer, path * np.float32(0.95), self.PATH_TOP_PX)
        shine(layer, patch(disc(120, 120, 260), blur_px=110), rgb("ffdca0"), gain=0.35)
        shade = patch(rect(-20, 364, 980, bottom=382), blur_px=5)
        lay(layer, shade, rgb("3a4a20"), alpha=0.6)
        strip, top, speed = self.strips[-1]
        grounds.put(layer, grounds.scrolled(strip, gone * speed), top)
        darkened(
            layer,
            grounds.cast(person[..., 3], ground_px=self.GROUND_PX + 4, length=0.22, slant=0.55, blur_px=3),
            0.5,
            first_row=self.GROUND_PX - 30,
        )
        contact(layer, self.gait, t, view=self.view(t))
        return layer

    def front(self, layer: Layer, t: float) -> npt.NDArray[np.float32]:
        """Add the stones in the air and the haze of the sun."""
        self.kicked.paint(layer, t, self.view(t))
        return bloomed(layer, threshold=0.9, gain=0.12)
