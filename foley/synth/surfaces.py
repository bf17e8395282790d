"""What feet wear, and the hard floors they walk on.

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


def band_levels(*levels_db: float) -> Spectrum:
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
        click_spectrum=band_levels(-8, -6, -8, -12, -14, -19, -20, -24),
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
        click_spectrum=band_levels(-10, -6, -6, -9, -10, -14, -13, -15),
        ball=0.06,
        grit=0.22,
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
        click_spectrum=band_levels(-14, -8, -6, -6, -7, -9, -10, -13),
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
        click_spectrum=band_levels(-6, -4, -9, -9, -10, -18, -20, -27),
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
        click_spectrum=band_levels(-12, -8, -6, -8, -6, -9, -11, -20),
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
        click_spectrum=band_levels(-2, -6, -9, -13, -17, -21, -24, -28),
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
        click_spectrum=band_levels(-20, -14, -7, -4, -6, -6, -6, -4),
        ball=0.2,
        grit=0.1,
        crust=1.3,
    ),
}
"""Pitch and decay of the thud, click and grit follow recorded steps; concrete and tile go by stone.

Recorded heels on boards and slabs are one blow at 230 to 380 Hz, 30 dB down after 20 ms; on plate and carpet the weight
comes to bear slowly and stays for 100 ms.
"""
