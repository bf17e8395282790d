"""Grow trees that bend in the wind."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from scenes.canvas import Points, limb, points, smooth

LEVELS = 5
LEAVES_A_TWIG = 7


@dataclass(frozen=True, slots=True)
class Branch:
    """A straight piece of wood; those further out come later in the tree's list."""

    parent: int
    angle: float
    """From straight up, radians to the right, with no wind."""
    length_px: float
    radius_px: float
    level: int
    phase: float
    """So that branches do not sway in step."""


@dataclass(frozen=True, slots=True, eq=False)
class Tree:
    """A tree by its branches and the leaves at its twigs."""

    root: tuple[float, float]
    tall_px: float
    branches: tuple[Branch, ...]
    leaves: Points
    """Shape (leaves, 4): place across and along from the twig's end, size, own angle."""
    twigs: tuple[int, ...]

    def bent(self, wind: float, t: float) -> tuple[list[Points], list[Points]]:
        """Return outlines of wood and leaves; the thinner the wood, the further it gives way."""
        ends: list[Points] = []
        bends: list[float] = []
        wood: list[Points] = [self._foot()]
        for branch in self.branches:
            start = ends[branch.parent] if branch.parent >= 0 else np.array(self.root)
            carried = bends[branch.parent] if branch.parent >= 0 else 0.0
            sway = 0.35 * np.sin((2.2 + 0.7 * branch.level) * t + branch.phase)
            bend = carried + wind * (0.05 + 0.055 * branch.level) * (1 + sway)
            angle = branch.angle + bend
            end = start + branch.length_px * np.array([np.sin(angle), -np.cos(angle)])
            ends.append(end)
            bends.append(bend)
            wood += limb(np.stack([start, end]), (branch.radius_px, branch.radius_px * 0.72))
        return wood, self._leaves(ends, bends, wind, t=t)

    def _foot(self) -> Points:
        x, y = self.root
        r = self.branches[0].radius_px
        return smooth(
            points(
                (x - 2.4 * r, y + r),
                (x - r, y - r),
                (x - 0.9 * r, y - 3 * r),
                (x + 0.9 * r, y - 3 * r),
                (x + r, y - r),
                (x + 2.4 * r, y + r),
            )
        )

    def _leaves(self, ends: list[Points], bends: list[float], wind: float, *, t: float) -> list[Points]:
        outlines = []
        for k, (across, along, size, own) in enumerate(self.leaves):
            twig = self.twigs[k // LEAVES_A_TWIG]
            flutter = own + bends[twig] * 1.4 + 0.5 * wind * np.sin(17 * t + 5 * own + k)
            cos, sin = np.cos(flutter), np.sin(flutter)
            blade = points((-1.5, 0), (-0.5, -0.62), (0.6, -0.5), (1.5, 0), (0.5, 0.6), (-0.6, 0.5)) * size
            turned = blade @ np.array([[cos, sin], [-sin, cos]])
            outlines.append(turned + ends[twig] + (across, along))
        return outlines


def grown(rng: np.random.Generator, *, root: tuple[float, float], tall_px: float) -> Tree:
    """Return a tree of about this height."""
    branches = [Branch(-1, 0.02, 0.30 * tall_px, 0.042 * tall_px, 0, 0.0)]
    outer = [0]
    for level in range(1, LEVELS):
        inner, outer = outer, []
        for parent in inner:
            for side in (-1, 0, 1) if level < LEVELS - 1 else (-1, 1):
                old = branches[parent]
                angle = old.angle * 0.72 + side * rng.uniform(0.30, 0.58) + rng.normal(0, 0.10)
                length = old.length_px * rng.uniform(0.60, 0.80) * (1.0 if side else 0.95)
                branches.append(Branch(parent, angle, length, old.radius_px * 0.60, level, rng.uniform(0, 6.28)))
                outer.append(len(branches) - 1)
    count = len(outer) * LEAVES_A_TWIG
    spread, size = 0.055 * tall_px, 0.017 * tall_px
    leaves = np.stack(
        [
            rng.normal(0, spread, count),
            rng.normal(0, spread, count),
            size * rng.uniform(0.6, 1.5, count),
            rng.uniform(0, 6.28, count),
        ],
        1,
    )
    return Tree(root, tall_px, tuple(branches), leaves, tuple(outer))
