"""How a picture may look, whatever it shows: what training sees, and what is held out to test with."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

Interval = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Ranges:
    """From what the appearance of a picture is drawn."""

    backdrops: tuple[str, ...]
    """Families of what lies behind a thing, see `backdrops`."""
    abstracts: tuple[str, ...]
    """Families of pictures that show nothing, see `backdrops`."""
    hues: tuple[Interval, ...]
    """Paint of things, round the colour wheel from 0 to 1."""
    drifts: tuple[Interval, ...]
    """How far natural colours (water, sky, fire, fur) stray from the usual, -1 to 1."""
    sizes: tuple[Interval, ...]
    """Times the usual."""
    exposures: tuple[Interval, ...]
    """Gain of the whole picture."""
    grains: tuple[Interval, ...]
    """Standard deviation of the camera's noise, in steps of 255."""


TRAINED = Ranges(
    backdrops=("plain", "sky", "hills", "bricks", "planks", "blotches"),
    abstracts=("stripes", "discs", "blotches"),
    hues=((0.00, 0.12), (0.22, 0.45), (0.55, 0.80)),
    drifts=((-0.6, 0.6),),
    sizes=((0.8, 1.2),),
    exposures=((0.8, 1.1),),
    grains=((0.0, 8.0),),
)
"""What training sees."""

HELD_OUT = Ranges(
    backdrops=("tiles", "room", "clouds"),
    abstracts=("noise", "ramp", "checks"),
    hues=((0.12, 0.22), (0.45, 0.55), (0.80, 1.00)),
    drifts=((-1.0, -0.6), (0.6, 1.0)),
    sizes=((0.7, 0.8), (1.2, 1.3)),
    exposures=((0.7, 0.8), (1.1, 1.2)),
    grains=((8.0, 12.0),),
)
"""What only tests see: no value of it is one of training's."""


@dataclass(frozen=True, slots=True)
class Appearance:
    """How one picture looks; fields as in `Ranges`."""

    backdrop: str
    hue: float
    accent: float
    """A second hue, for what stands out from the first."""
    drift: float
    size: float
    exposure: float
    grain: float
    tilt: float
    x: float
    y: float
    mirrored: bool


def drawn(ranges: Ranges, rng: np.random.Generator) -> Appearance:
    """Return an appearance by chance. Place, tilt and side are drawn alike for training and tests."""
    return Appearance(
        backdrop=str(rng.choice(ranges.backdrops)),
        hue=within(ranges.hues, rng),
        accent=within(ranges.hues, rng),
        drift=within(ranges.drifts, rng),
        size=within(ranges.sizes, rng),
        exposure=within(ranges.exposures, rng),
        grain=within(ranges.grains, rng),
        tilt=float(rng.normal(0.0, 0.06)),
        x=float(rng.uniform(0.36, 0.64)),
        y=float(rng.uniform(0.42, 0.58)),
        mirrored=bool(rng.random() < 0.5),
    )


def within(intervals: tuple[Interval, ...], rng: np.random.Generator) -> float:
    """Return a number from one of some intervals, each as likely as it is long."""
    lengths = np.array([high - low for low, high in intervals])
    low, high = intervals[rng.choice(len(intervals), p=lengths / lengths.sum())]
    return float(rng.uniform(low, high))
