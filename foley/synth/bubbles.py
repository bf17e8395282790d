"""The voice of water: air bubbles.

Sources: M. Minnaert, Phil. Mag. 16, 1933; K. van den Doel, "Physically based models for liquid sounds", ACM Trans.
Applied Perception 2, 2005; C. Zheng, D. James, "Harmonic fluids", SIGGRAPH 2009.
"""

from __future__ import annotations

import math

import numpy as np

from foley.synth.excitation import Signal
from foley.units import RATE_HZ


def bubble_hz(radius_m: float) -> float:
    """Return the pitch of an air bubble in water: sqrt(3 gamma p / rho) / (2 pi radius).

    gamma = 1.4, p = 101 325 Pa, rho = 998 kg/m3: fresh water at 20 C.
    Source: M. Minnaert, "On musical air-bubbles and the sounds of running water", Phil. Mag. 16, 1933.

    >>> round(bubble_hz(0.001))
    3287
    """
    return math.sqrt(3 * 1.4 * 101_325 / 998) / (2 * math.pi * radius_m)


def bubble(radius_m: float, *, depth: float = 0.5, rise: float = 0.15) -> Signal:
    """Return one bubble: a damped tone, which rises where the bubble rises to the surface; amplitude ~ r^1.5.

    Damping 0.13/r + 0.0072 r^-1.5 per second (van den Doel 2005).

    Args:
        radius_m: 0.15 mm to 30 mm.
        depth: 0 to 1; deep bubbles are louder. Those above 0.35 were drawn in with force, and rise.
        rise: Relative rise of pitch over one time constant.
    """
    damping = 0.13 / radius_m + 0.0072 * radius_m**-1.5
    t_s = np.arange(max(16, int(min(0.25, 6.9 / damping) * RATE_HZ))) / RATE_HZ
    glide = min(rise * damping, 30.0) if depth > 0.35 else 0.0
    tone = np.sin(2 * np.pi * bubble_hz(radius_m) * t_s * (1 + 0.5 * glide * t_s)) * np.exp(-damping * t_s)
    # a tone cut off where its envelope has not gone yet would click
    tone[-16:] *= np.linspace(1, 0, 16)
    return np.asarray(tone * (radius_m / 0.003) ** 1.5 * (0.15 + depth), np.float64)


def bubbles(rng: np.random.Generator, radii_mm: tuple[float, float], count: int, *, rise: float = 0.15) -> list[Signal]:
    """Return bubbles of log-uniform radius, most of them shallow."""
    radii = np.exp(rng.uniform(np.log(radii_mm[0]), np.log(radii_mm[1]), count)) / 1000.0
    depths = rng.beta(1, 2.5, count)
    return [bubble(r, depth=d, rise=rise) for r, d in zip(radii.tolist(), depths.tolist(), strict=True)]
