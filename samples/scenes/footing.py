"""Tie a walker to the ground: shadows under the feet, and what the boots kick up."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from scenes.canvas import HEIGHT_PX, Colour, Layer, blank, disc, gradient, lay, patch, rgb
from scenes.walker import Gait, View, pebbles_kicked, stone

FAR_PX = 1e6  # reach of the sun: it does not fall off within a picture


def sky(stops: list[tuple[float, Colour]]) -> Layer:
    """Return a sky by height on the screen: 0 is the top row, 1 the bottom row."""
    layer = blank(rgb("000000"))
    layer[..., :3] = gradient(stops, np.linspace(0, 1, HEIGHT_PX, dtype=np.float32))[:, None]
    return layer


def darkened(layer: Layer, shadow: npt.NDArray[np.float32], depth: float, *, first_row: int) -> None:
    """Take light away from the ground, below a row, where a shadow falls."""
    layer[first_row:, :, :3] *= 1 - depth * shadow[first_row:, :, None]


def contact(layer: Layer, gait: Gait, t: float, *, view: View) -> None:
    """Darken the ground under each foot, the more the nearer the foot is: it shows when a foot is down."""
    for side in (0, 1):
        foot = gait.foot(side, t)
        x, y = view.screen(np.array([foot.ankle[0] + 0.06, 0.0]))
        near = float(np.clip(1 - (foot.ankle[1] - 0.09) / 0.16, 0.1, 1))
        lay(
            layer,
            patch(disc(x, y + 3, (0.2 + 0.05 * (1 - near)) * view.scale_px, flat=0.17), blur_px=2 + 6 * (1 - near)),
            rgb("000000"),
            alpha=0.55 * near,
        )


class Kicked:
    """Small stones and dust that fly up where boots land on gravel."""

    def __init__(self, gait: Gait, rng: np.random.Generator, colour: Colour) -> None:
        """Throw the stones once, so that every frame agrees about them."""
        self.gait, self.colour = gait, colour
        self.bursts = [pebbles_kicked(rng) for _ in gait.times_s]

    def paint(self, layer: Layer, t: float, view: View) -> None:
        """Paint what is in the air."""
        for landed, heel, burst in zip(self.gait.times_s, self.gait.heels_m, self.bursts, strict=True):
            since = t - landed
            if not 0 <= since < 0.5:
                continue
            at = view.screen(np.array([heel + 0.03, 0.01]))
            puff = patch(
                disc(at[0] - 8 * since, at[1] - 4, (0.08 + 0.3 * since) * view.scale_px, flat=0.35),
                blur_px=0.035 * view.scale_px,
            )
            lay(layer, puff, self.colour * 1.5, alpha=0.30 * (1 - since / 0.5) ** 2)
            for k, velocity in enumerate(burst):
                z = velocity[1] * since - 4.9 * since**2
                if z > 0:
                    x, y = view.screen(np.array([heel + 0.03 + velocity[0] * since, z]))
                    lay(
                        layer,
                        patch(stone(x, y, (0.006 + 0.003 * (k % 3)) * view.scale_px)),
                        self.colour * (0.5 + 0.2 * (k % 4)),
                    )
