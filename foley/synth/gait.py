"""How somebody walks: what run, stairs, the left and the right foot and dragged soles do to a step.

Sources: P. Cook, "Modeling Bill's gait", AES 22nd Int. Conf., 2002 (heel and toe, 60 to 150 ms apart); A. Farnell,
"Designing Sound", 2010. Left and right differ in level by 7 % and in everything else by as little.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from foley.synth.finish import character, choice, number


@dataclass(frozen=True, slots=True)
class Gait:
    """One step of somebody, re a level walk."""

    level: float
    """Factor on the step's strength."""
    gap_s: float
    """From the heel to the ball of the foot."""
    heel: float
    """Factor on what the heel does; where it is small the ball of the foot lands first."""
    ball: float
    """Factor on what the ball of the foot does."""
    thud: float
    """Factor on the weight that is heard."""
    softness: float
    """Factor on the contact's duration."""
    pace: float
    """Factor on how long loose ground gives way."""
    drag: float
    """0 lifted clean to 1 shuffled."""
    pitch: float
    """Factor on the pitch of the thud: no foot falls like the other."""


@dataclass(frozen=True, slots=True)
class Slope:
    """What stairs do to a step."""

    heel: float
    ball: float
    thud: float
    softness: float


SLOPES = {
    "level": Slope(heel=1.0, ball=1.0, thud=1.0, softness=1.0),
    # the ball of the foot comes down on the tread and the heel hangs over its edge
    "up": Slope(heel=0.75, ball=0.35, thud=1.15, softness=2.2),
    # the ball meets the tread with the fallen weight and the heel drops after it
    "down": Slope(heel=0.9, ball=2.6, thud=1.6, softness=1.6),
}
"""By the value of the parameter `stairs`."""


def gait_of(
    rng: np.random.Generator,
    *,
    run: float | str,
    stairs: float | str,
    foot: float | str,
    scuff: float | str,
    variant: float | str,
) -> Gait:
    """Return one step.

    Args:
        rng: Source of chance for this step.
        run: 0 walks to 1 runs: the foot lands flat, within 30 ms.
        stairs: "level", "up" or "down".
        foot: "left", "right", or "either" for one of them by chance.
        scuff: 0 to 1: how much of the sole is dragged; everybody does it a little now and then.
        variant: Who walks.

    Raises:
        ValueError: where one of these is something else.
    """
    pace, drag = number(run, 0.0, 1.0, "run"), number(scuff, 0.0, 1.0, "scuff")
    slope = choice(SLOPES, stairs, "stairs")
    sides = {"either": int(rng.integers(2)), "left": 0, "right": 1}
    side = 2.0 * choice(sides, foot, "foot") - 1.0
    lean, heel_to_ball_s = _walker(variant)
    walking_s = heel_to_ball_s * (1.0 + 0.08 * side * lean[0]) * rng.uniform(0.85, 1.15)
    running_s = rng.uniform(0.005, 0.03)
    return Gait(
        level=(1.0 + 0.035 * side * lean[1]) / 1.035,  # 7 % apart, the heavier at full strength
        gap_s=(1.0 - pace) * walking_s + pace * running_s,
        heel=slope.heel * (1.0 - 0.55 * drag),
        ball=slope.ball * (1.0 + 0.25 * side * lean[2]) * rng.uniform(0.7, 1.35),
        thud=slope.thud * (1.0 + 0.5 * pace) * (1.0 - 0.4 * drag),
        softness=slope.softness * (1.0 + 0.6 * drag) * rng.uniform(0.85, 1.18),
        pace=(1.0 - 0.35 * pace) * rng.uniform(0.88, 1.14),
        drag=max(drag, float(rng.beta(0.35, 2.5)) * 0.35),
        pitch=1.0 + 0.03 * side * lean[0],
    )


@lru_cache(maxsize=64)
def _walker(variant: float | str) -> tuple[tuple[float, ...], float]:
    """Return somebody: which foot is the heavier one and how much, and the time from heel to ball of a level walk."""
    walker = character("walker", variant)
    lean = walker.choice([-1.0, 1.0]) * walker.uniform(0.5, 1.0, 3)
    return tuple(lean.tolist()), float(walker.uniform(0.06, 0.15))
