"""What feet walk on and in: shoes, hard floors, loose grounds.

Sources: L. Turchet, "Footstep sounds synthesis", Applied Acoustics 107, 2016 (contact and grain models); levels and
decays are fitted to recorded steps, 3 to 15 for each surface.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from foley.synth.textures import Spectrum, spectrum


@dataclass(frozen=True, slots=True)
class Shoe:
    """What the foot wears."""

    contact_s: float
    """How long the heel's contact lasts at strength 1."""
    heel: float
    """Strength of the heel re leather."""


SHOES = {
    "leather": Shoe(contact_s=0.0008, heel=1.0),
    "rubber": Shoe(contact_s=0.0022, heel=0.8),
    "heel": Shoe(contact_s=0.0003, heel=1.3),
    "bare": Shoe(contact_s=0.006, heel=0.7),
}

BANDS_HZ = (170.0, 380.0, 700.0, 1200.0, 1950.0, 3100.0, 4850.0, 7500.0)
"""Centres of the bands in which recorded steps were measured, three ERB wide each."""


def _band_levels(*levels_db: float) -> Spectrum:
    """Return the spectrum with these levels in the bands of `BANDS_HZ`; outside them it falls."""
    density = [level - 10.0 * np.log10(24.7 + 0.108 * hz) for level, hz in zip(levels_db, BANDS_HZ, strict=True)]
    return Spectrum((60.0, *BANDS_HZ, 15_000.0), (density[0] - 12.0, *density, density[-1] - 9.0))


@dataclass(frozen=True, slots=True)
class Floor:
    """A floor that rings, if briefly."""

    lowest_hz: float
    highest_hz: float
    modes: int
    t60_s: float
    """Of a mode at 300 Hz; others as f^-0.55."""
    tilt_db: float
    """Fall of mode strength per octave."""
    thud: float
    """Peak of the dull blow through sole and floor, re the modes."""
    thud_t60_s: float
    click: float
    """Peak of the contact noise re the modes."""
    click_t60_s: float
    click_spectrum: Spectrum
    scuff: float
    """Peak of the rubbing between heel and toe."""


FLOORS = {
    "concrete": Floor(
        lowest_hz=90.0,
        highest_hz=900.0,
        modes=18,
        t60_s=0.06,
        tilt_db=-3.5,
        thud=0.5,
        thud_t60_s=0.15,
        click=0.25,
        click_t60_s=0.06,
        click_spectrum=_band_levels(-8, -6, -8, -12, -14, -19, -20, -24),
        scuff=0.025,
    ),
    "stone": Floor(
        lowest_hz=160.0,
        highest_hz=1500.0,
        modes=20,
        t60_s=0.055,
        tilt_db=-2.5,
        thud=0.4,
        thud_t60_s=0.14,
        click=0.35,
        click_t60_s=0.05,
        click_spectrum=_band_levels(-10, -6, -6, -9, -10, -14, -13, -15),
        scuff=0.035,
    ),
    "tile": Floor(
        lowest_hz=200.0,
        highest_hz=3000.0,
        modes=20,
        t60_s=0.06,
        tilt_db=-2.5,
        thud=0.2,
        thud_t60_s=0.13,
        click=0.45,
        click_t60_s=0.05,
        click_spectrum=_band_levels(-14, -8, -6, -6, -7, -9, -10, -13),
        scuff=0.035,
    ),
    "wood": Floor(
        lowest_hz=95.0,
        highest_hz=2200.0,
        modes=34,
        t60_s=0.11,
        tilt_db=-1.5,
        thud=0.25,
        thud_t60_s=0.13,
        click=0.33,
        click_t60_s=0.05,
        click_spectrum=_band_levels(-6, -4, -9, -9, -10, -18, -20, -27),
        scuff=0.015,
    ),
    "metal": Floor(
        lowest_hz=120.0,
        highest_hz=7000.0,
        modes=60,
        t60_s=0.3,
        tilt_db=-0.5,
        thud=0.15,
        thud_t60_s=0.15,
        click=0.5,
        click_t60_s=0.12,
        click_spectrum=_band_levels(-12, -8, -6, -8, -6, -9, -11, -20),
        scuff=0.02,
    ),
    "carpet": Floor(
        lowest_hz=60.0,
        highest_hz=420.0,
        modes=14,
        t60_s=0.15,
        tilt_db=-3.0,
        thud=0.5,
        thud_t60_s=0.2,
        click=0.4,
        click_t60_s=0.35,
        click_spectrum=_band_levels(-2, -6, -9, -13, -17, -21, -24, -28),
        scuff=0.05,
    ),
    "ice": Floor(
        lowest_hz=250.0,
        highest_hz=7000.0,
        modes=30,
        t60_s=0.25,
        tilt_db=-0.3,
        thud=0.04,
        thud_t60_s=0.13,
        click=0.9,
        click_t60_s=0.22,
        click_spectrum=_band_levels(-20, -14, -7, -4, -6, -6, -6, -4),
        scuff=0.04,
    ),
}
"""Fitted so that heel and click together have the band levels of recorded steps in their first 18 ms."""


@dataclass(frozen=True, slots=True)
class Ground:
    """A ground that gives way in grains."""

    rate_hz: float
    """Grains a second at full force."""
    low_hz: float
    high_hz: float
    """Range of the grains' resonances."""
    quality: tuple[float, float]
    decay_s: float
    sigma: float
    """Spread of the grains' levels."""
    rub: float
    """Share of continuous friction."""
    rub_spectrum: Spectrum
    thud: float
    """Peak of the foot's own thud."""
    thud_hz: float
    duration_s: float
    swell: float
    """Under 1 the foot rolls over early in the step, over 1 late."""
    landing_hz: float
    """Upper end of the first contact's noise."""


GROUNDS = {
    "gravel": Ground(
        rate_hz=1400.0,
        low_hz=350.0,
        high_hz=2600.0,
        quality=(2.0, 6.0),
        decay_s=0.008,
        sigma=0.8,
        rub=0.35,
        rub_spectrum=_band_levels(-18, -9, -6, -9, -14, -17, -18, -17),
        thud=0.2,
        thud_hz=130.0,
        duration_s=0.36,
        swell=0.6,
        landing_hz=5000.0,
    ),
    "sand": Ground(
        rate_hz=2600.0,
        low_hz=500.0,
        high_hz=1800.0,
        quality=(1.0, 3.0),
        decay_s=0.004,
        sigma=0.6,
        rub=0.7,
        rub_spectrum=_band_levels(-24, -7, -4, -2, -8, -12, -12, -17),
        thud=0.15,
        thud_hz=110.0,
        duration_s=0.32,
        swell=0.6,
        landing_hz=2500.0,
    ),
    "snow": Ground(
        rate_hz=700.0,
        low_hz=250.0,
        high_hz=1400.0,
        quality=(2.0, 8.0),
        decay_s=0.012,
        sigma=1.0,
        rub=0.6,
        rub_spectrum=_band_levels(-15, -7, -3, -6, -12, -16, -20, -24),
        thud=0.35,
        thud_hz=120.0,
        duration_s=0.5,
        swell=0.6,
        landing_hz=2000.0,
    ),
    "grass": Ground(
        rate_hz=1100.0,
        low_hz=1500.0,
        high_hz=8000.0,
        quality=(1.0, 3.0),
        decay_s=0.004,
        sigma=0.9,
        rub=0.8,
        rub_spectrum=_band_levels(-14, -17, -17, -13, -13, -13, -10, -13),
        thud=0.15,
        thud_hz=90.0,
        duration_s=0.5,
        swell=0.7,
        landing_hz=7000.0,
    ),
    "leaves": Ground(
        rate_hz=600.0,
        low_hz=1500.0,
        high_hz=8000.0,
        quality=(1.0, 4.0),
        decay_s=0.006,
        sigma=1.0,
        rub=0.45,
        rub_spectrum=spectrum({80: -28, 1000: -12, 3000: -2, 6000: 0, 14000: -10}),
        thud=0.15,
        thud_hz=90.0,
        duration_s=0.45,
        swell=0.6,
        landing_hz=7000.0,
    ),
    "dirt": Ground(
        rate_hz=500.0,
        low_hz=200.0,
        high_hz=1600.0,
        quality=(1.0, 4.0),
        decay_s=0.007,
        sigma=1.0,
        rub=0.6,
        rub_spectrum=_band_levels(0, -6, -10, -15, -17, -19, -19, -22),
        thud=1.6,
        thud_hz=115.0,
        duration_s=0.24,
        swell=0.5,
        landing_hz=2500.0,
    ),
    "mud": Ground(
        rate_hz=150.0,
        low_hz=200.0,
        high_hz=900.0,
        quality=(2.0, 6.0),
        decay_s=0.02,
        sigma=1.0,
        rub=0.3,
        rub_spectrum=spectrum({80: 0, 300: 0, 1000: -8, 3000: -14, 9000: -26}),
        thud=1.0,
        thud_hz=85.0,
        duration_s=0.3,
        swell=0.6,
        landing_hz=1500.0,
    ),
}
"""By the surface's name."""
