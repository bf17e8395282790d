"""What feet walk on and in where it gives way: loose grounds, and water.

Sources: L. Turchet, "Footstep sounds synthesis", Applied Acoustics 107, 2016 (grain models); levels and decays are
fitted to recorded steps, 3 to 15 for each ground.
"""

from __future__ import annotations

from dataclasses import dataclass

from foley.synth.surfaces import band_levels
from foley.synth.textures import Spectrum


@dataclass(frozen=True, slots=True)
class Ground:
    """A ground that gives way in grains."""

    rate_hz: float
    """Grains a second at full force."""
    grain_hz: tuple[float, float]
    """Range of the grains' resonances."""
    quality: tuple[float, float]
    decay_s: float
    sigma: float
    """Spread of the grains' levels."""
    rub: float
    """Share of continuous friction."""
    rub_spectrum: Spectrum
    landing: float
    """Peak of the first contact re the crunch; what follows swells, and is not what marks the instant."""
    peak_s: float
    """From contact to the loudest crunch, walking."""
    rise_s: float
    """How fast it swells: the spread of a Gaussian."""
    fall_s: float
    """How long the foot rolls on: the spread of a Gaussian."""
    settle: float
    """Level of the last grains that come to rest, re the crunch."""
    thud: float
    """Peak of the foot's own thud re the crunch."""
    thud_hz: float
    thud_t60_s: float = 0.11
    landing_spectrum: Spectrum | None = None
    """Of the first contact, where it is not that of the friction."""
    landing_s: float = 0.06
    """In which the first contact dies away by 60 dB."""
    ball: float = 0.0
    """The ball of the foot re the heel, where it is heard by itself."""
    press: float = 0.0
    """Peak of the weight that bears only as fast as the ground gives way, re the crunch."""
    dryness_db: tuple[float, float] = (-3.0, 3.0)
    """Treble of a damp and of a dry place."""
    uneven: float = 0.1
    """Spread of how long it takes to give way, in nepers, from step to step."""
    bursts_db: float = 3.0
    """How unevenly it gives way."""
    bursts_hz: float = 30.0
    """How often it does so at once: small grains more often than stones."""
    stones: float = 0.0
    """Peak of hard knocks that stones pass on to each other."""
    squeak: float = 0.0
    """Share of stick and slip, as in cold snow."""
    suck: float = 0.0
    """Peak of the squelch with which it lets the foot go."""
    twigs: float = 0.0
    """Chance that a twig snaps."""


GROUNDS = {
    "gravel": Ground(
        rate_hz=1000.0,
        grain_hz=(300.0, 1700.0),
        quality=(2.0, 6.0),
        decay_s=0.008,
        sigma=1.6,
        rub=0.4,
        rub_spectrum=band_levels(-22, -10, -6, -8, -14, -17, -16, -9),
        landing=0.4,
        peak_s=0.042,
        rise_s=0.035,
        fall_s=0.06,
        settle=0.17,
        thud=0.03,
        thud_hz=130.0,
        stones=0.25,
        dryness_db=(-4.0, 18.0),
        uneven=0.5,
        bursts_db=8.0,
        bursts_hz=40.0,
    ),
    "sand": Ground(
        rate_hz=1500.0,
        grain_hz=(500.0, 1800.0),
        quality=(1.0, 3.0),
        decay_s=0.004,
        sigma=0.9,
        rub=0.7,
        rub_spectrum=band_levels(-24, -7, -4, -2, -8, -12, -12, -17),
        landing=0.4,
        peak_s=0.085,
        rise_s=0.04,
        fall_s=0.03,
        settle=0.2,
        thud=0.1,
        thud_hz=110.0,
    ),
    "snow": Ground(
        rate_hz=900.0,
        grain_hz=(250.0, 1400.0),
        quality=(2.0, 8.0),
        decay_s=0.012,
        sigma=1.0,
        rub=0.55,
        rub_spectrum=band_levels(-15, -7, -3, -6, -12, -16, -20, -24),
        landing=0.4,
        peak_s=0.11,
        rise_s=0.06,
        fall_s=0.14,
        settle=0.16,
        thud=0.3,
        thud_hz=120.0,
        squeak=0.5,
        bursts_db=2.0,
    ),
    "grass": Ground(
        rate_hz=500.0,
        grain_hz=(2500.0, 9000.0),
        quality=(1.0, 3.0),
        decay_s=0.004,
        sigma=1.2,
        rub=0.6,
        rub_spectrum=band_levels(-22, -19, -19, -15, -16, -16, -14, -13),
        landing=0.65,
        peak_s=0.14,
        rise_s=0.07,
        fall_s=0.12,
        settle=0.0,
        thud=0.02,
        thud_hz=90.0,
        dryness_db=(-4.0, 12.0),
        uneven=0.45,
        bursts_db=5.0,
        press=1.3,
    ),
    "leaves": Ground(
        rate_hz=420.0,
        grain_hz=(1500.0, 8000.0),
        quality=(1.0, 4.0),
        decay_s=0.006,
        sigma=1.3,
        rub=0.4,
        rub_spectrum=band_levels(-26, -20, -14, -9, -6, -4, -2, -4),
        landing=0.6,
        peak_s=0.1,
        rise_s=0.05,
        fall_s=0.11,
        settle=0.1,
        thud=0.2,
        thud_hz=90.0,
        dryness_db=(-4.0, 8.0),
        uneven=0.3,
        twigs=0.3,
    ),
    "dirt": Ground(
        rate_hz=400.0,
        grain_hz=(400.0, 4000.0),
        quality=(1.0, 4.0),
        decay_s=0.007,
        sigma=1.0,
        rub=0.55,
        rub_spectrum=band_levels(-4, -8, -10, -10, -10, -10, -10, -12),
        landing=2.2,
        landing_spectrum=band_levels(0, -4, -6, -12, -16, -18, -19, -21),
        landing_s=0.04,
        peak_s=0.04,
        rise_s=0.03,
        fall_s=0.05,
        settle=0.15,
        thud=4.0,
        thud_hz=140.0,
        thud_t60_s=0.08,
        dryness_db=(-2.0, 16.0),
        uneven=0.3,
        bursts_db=7.0,
        ball=0.6,
    ),
    "mud": Ground(
        rate_hz=180.0,
        grain_hz=(200.0, 900.0),
        quality=(2.0, 6.0),
        decay_s=0.02,
        sigma=1.0,
        rub=0.35,
        rub_spectrum=band_levels(-4, -3, -5, -8, -13, -17, -21, -26),
        landing=0.5,
        peak_s=0.06,
        rise_s=0.04,
        fall_s=0.07,
        settle=0.1,
        thud=0.9,
        thud_hz=85.0,
        suck=0.5,
    ),
}
"""By the surface's name. Rise, peak and fall follow recorded steps: grass is loudest 100 to 180 ms after contact."""

WATER = band_levels(-13, -12, -12, -12, -16, -20, -23, -26)
"""Water that a foot pushes aside."""
