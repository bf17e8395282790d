"""What feet walk on and in: shoes, hard floors, loose grounds.

Sources: L. Turchet, "Footstep sounds synthesis", Applied Acoustics 107, 2016 (contact and grain models); levels and
decays are fitted to recorded steps, 3 to 15 for each surface.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from foley.synth.textures import Spectrum


@dataclass(frozen=True, slots=True)
class Shoe:
    """What the foot wears."""

    contact_s: float
    """How long the heel's contact lasts at strength 1."""
    heel: float
    """Strength of the heel's modes and click re leather."""
    ball: float
    """Strength of the ball of the foot re leather."""
    thud: float
    """Weight that comes through the sole re leather."""
    grit: float
    """How much it grinds what lies on the floor re leather."""


SHOES = {
    "leather": Shoe(contact_s=0.0008, heel=1.0, ball=1.0, thud=1.0, grit=1.0),
    "rubber": Shoe(contact_s=0.0022, heel=0.8, ball=0.8, thud=1.15, grit=0.8),
    "heel": Shoe(contact_s=0.0003, heel=1.3, ball=1.5, thud=0.6, grit=0.5),
    "bare": Shoe(contact_s=0.006, heel=0.7, ball=1.3, thud=1.3, grit=0.3),
}
"""A stiletto's heel is a hard point and its sole slaps down after it; bare feet are all flesh and weight."""

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
    """Of a mode at 300 Hz."""
    tilt_db: float
    """Fall of mode strength per octave."""
    thud: float
    """Peak of the dull blow through sole and floor, re the modes."""
    thud_hz: float
    """Of the foot's mass on what the floor yields."""
    thud_t60_s: float
    click: float
    """Peak of the contact noise re the modes."""
    click_t60_s: float
    click_spectrum: Spectrum
    ball: float
    """Peak of the ball of the foot re the heel, in leather."""
    grit: float
    """Peak of what is ground under the sole between heel and toe: sand, dust, splinters."""
    crust: float = 0.0
    """Peak of a brittle layer that cracks under the heel."""
    scatter: float = 0.4
    """Phases of the modes, rad: a slab answers in one blow, in a plate waves of all pitches arrive one by one."""
    pile: float = 0.0
    """Peak of what gives and rubs all the while the foot rolls."""
    soft_s: float = 0.0
    """How much longer a contact lasts on it."""
    ring_s: float = 0.28
    """How long a take lasts."""
    t60_fall: float = 0.55
    """How decay times fall with frequency: t60 is as f to minus this."""
    damping: float = 0.3
    """Spread of the modes' decay times (log): in a plate that lies on a frame a few ring on alone."""
    give_s: float = 0.0
    """How long it gives way before it bears the whole weight."""


FLOORS = {
    "concrete": Floor(
        lowest_hz=350.0,
        highest_hz=1800.0,
        modes=18,
        t60_s=0.025,
        tilt_db=-3.5,
        thud=0.8,
        thud_hz=280.0,
        thud_t60_s=0.025,
        click=0.45,
        click_t60_s=0.03,
        click_spectrum=_band_levels(-8, -6, -8, -12, -14, -19, -20, -24),
        ball=0.08,
        grit=0.5,
    ),
    "stone": Floor(
        lowest_hz=400.0,
        highest_hz=2500.0,
        modes=20,
        t60_s=0.025,
        tilt_db=-2.5,
        thud=0.8,
        thud_hz=280.0,
        thud_t60_s=0.02,
        click=0.6,
        click_t60_s=0.02,
        click_spectrum=_band_levels(-10, -6, -6, -9, -10, -14, -13, -15),
        ball=0.06,
        grit=0.28,
    ),
    "tile": Floor(
        lowest_hz=200.0,
        highest_hz=3000.0,
        modes=20,
        t60_s=0.035,
        tilt_db=-2.5,
        thud=0.5,
        thud_hz=280.0,
        thud_t60_s=0.025,
        click=0.6,
        click_t60_s=0.03,
        click_spectrum=_band_levels(-14, -8, -6, -6, -7, -9, -10, -13),
        ball=0.12,
        grit=0.1,
    ),
    "wood": Floor(
        lowest_hz=250.0,
        highest_hz=4500.0,
        modes=24,
        t60_s=0.06,
        tilt_db=-1.5,
        thud=1.0,
        thud_hz=235.0,
        thud_t60_s=0.05,
        click=1.0,
        click_t60_s=0.04,
        click_spectrum=_band_levels(-6, -4, -9, -9, -10, -18, -20, -27),
        ball=0.05,
        grit=0.01,
        t60_fall=0.3,
        damping=0.7,
    ),
    "metal": Floor(
        lowest_hz=150.0,
        highest_hz=7000.0,
        modes=40,
        t60_s=0.2,
        tilt_db=1.5,
        thud=0.7,
        thud_hz=115.0,
        thud_t60_s=0.4,
        click=0.7,
        click_t60_s=0.12,
        click_spectrum=_band_levels(-12, -8, -6, -8, -6, -9, -11, -20),
        ball=0.15,
        grit=0.01,
        ring_s=0.4,
        t60_fall=0.15,
        damping=0.5,
        scatter=math.pi,
        give_s=0.012,
    ),
    "carpet": Floor(
        lowest_hz=60.0,
        highest_hz=420.0,
        modes=14,
        t60_s=0.15,
        tilt_db=-3.0,
        thud=0.5,
        thud_hz=100.0,
        thud_t60_s=0.28,
        click=0.1,
        click_t60_s=0.2,
        click_spectrum=_band_levels(-2, -6, -9, -13, -17, -21, -24, -28),
        ball=0.7,
        grit=0.08,
        pile=1.5,
        soft_s=0.006,
        give_s=0.03,
    ),
    "ice": Floor(
        lowest_hz=500.0,
        highest_hz=7000.0,
        modes=30,
        t60_s=0.25,
        tilt_db=0.5,
        thud=0.02,
        thud_hz=280.0,
        thud_t60_s=0.13,
        click=0.9,
        click_t60_s=0.22,
        click_spectrum=_band_levels(-20, -14, -7, -4, -6, -6, -6, -4),
        ball=0.2,
        grit=0.1,
        crust=1.3,
    ),
}
"""Pitch and decay of the thud, click and grit follow recorded steps; concrete and tile go by stone.

Recorded heels on boards and slabs are one blow at 230 to 380 Hz, 30 dB down after 20 ms; on plate and carpet the weight
comes to bear slowly and stays for 100 ms.
"""


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
        rub_spectrum=_band_levels(-22, -10, -6, -8, -14, -17, -16, -9),
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
        rub_spectrum=_band_levels(-24, -7, -4, -2, -8, -12, -12, -17),
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
        rub_spectrum=_band_levels(-15, -7, -3, -6, -12, -16, -20, -24),
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
        rub_spectrum=_band_levels(-22, -19, -19, -15, -16, -16, -14, -13),
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
        rub_spectrum=_band_levels(-26, -20, -14, -9, -6, -4, -2, -4),
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
        rub_spectrum=_band_levels(-4, -8, -10, -10, -10, -10, -10, -12),
        landing=2.2,
        landing_spectrum=_band_levels(0, -4, -6, -12, -16, -18, -19, -21),
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
        rub_spectrum=_band_levels(-4, -3, -5, -8, -13, -17, -21, -26),
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

WATER = _band_levels(-13, -12, -12, -12, -16, -20, -23, -26)
"""Water that a foot pushes aside."""
