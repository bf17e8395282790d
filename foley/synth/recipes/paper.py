"""Paper, card, foil and thin plastic: sheets that tear, crumple and are turned over.

A sheet that is bent buckles in snaps whose energies follow a power law; how stiff and light it is decides their pitch
and how long they ring.

Source: P. Houle, J. Sethna, "Acoustic emission from crumpling paper", Phys. Rev. E 54, 1996.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np

from foley.synth.chain import faded, mixed
from foley.synth.crackle import bent
from foley.synth.excitation import Signal, noise_burst
from foley.synth.finish import character, choice, defaults_of, number, settled
from foley.synth.gestures import gestures
from foley.synth.recipe import MakesTexture, Mono, TextureRecipe
from foley.synth.resonators import resonant_grains
from foley.synth.textures import Spectrum, noise, scatter, shower, slow_random, spectrum, unit_energy
from foley.units import RATE_HZ

TEAR = spectrum({100: -30, 500: -14, 1500: -5, 4000: 0, 8000: -1, 14000: -8, 20000: -18})
"""The hiss of a tear that runs evenly."""


LOUDEST = 5.5
"""Peak of a snap re the whole: a lone one must not tower."""


@dataclass(frozen=True, slots=True)
class Sheet:
    """Something thin."""

    snap_hz: tuple[float, float]
    """Range of its small snaps."""
    quality: tuple[float, float]
    decay_s: float
    snaps_hz: float
    """Small snaps a second at full speed."""
    sigma: float
    """Spread of their levels."""
    panel_hz: tuple[float, float]
    """Range of large panels that pop over."""
    panels: float
    """Level of them re the snaps."""
    rustle: Spectrum
    """Of the sheet that slides on itself."""
    slides: float
    """Level of that re the snaps."""
    rms: float
    """Measured over minutes at intensity 1."""


SHEETS = {
    "paper": Sheet(
        snap_hz=(900.0, 6500.0),
        quality=(1.0, 3.0),
        decay_s=0.007,
        snaps_hz=420.0,
        sigma=1.1,
        panel_hz=(350.0, 1500.0),
        panels=0.45,
        rustle=TEAR,
        slides=0.45,
        rms=0.459,
    ),
    "newspaper": Sheet(
        snap_hz=(600.0, 4500.0),
        quality=(1.0, 3.0),
        decay_s=0.009,
        snaps_hz=300.0,
        sigma=1.1,
        panel_hz=(180.0, 800.0),
        panels=0.7,
        rustle=spectrum({80: -22, 300: -8, 1000: -2, 3000: 0, 7000: -6, 14000: -18}),
        slides=0.55,
        rms=0.551,
    ),
    "card": Sheet(
        snap_hz=(400.0, 3200.0),
        quality=(1.5, 4.0),
        decay_s=0.012,
        snaps_hz=110.0,
        sigma=1.2,
        panel_hz=(120.0, 500.0),
        panels=0.9,
        rustle=spectrum({80: -16, 300: -3, 900: 0, 2500: -6, 7000: -16, 14000: -28}),
        slides=0.4,
        rms=0.508,
    ),
    "foil": Sheet(
        snap_hz=(2200.0, 11_000.0),
        quality=(4.0, 12.0),
        decay_s=0.008,
        snaps_hz=520.0,
        sigma=1.2,
        panel_hz=(700.0, 2600.0),
        panels=0.35,
        rustle=spectrum({200: -30, 1500: -8, 5000: 0, 10000: 0, 18000: -8}),
        slides=0.3,
        rms=0.416,
    ),
    "bag": Sheet(
        snap_hz=(1500.0, 9500.0),
        quality=(0.8, 2.0),
        decay_s=0.004,
        snaps_hz=750.0,
        sigma=1.3,
        panel_hz=(300.0, 1300.0),
        panels=0.4,
        rustle=spectrum({100: -24, 500: -10, 2000: -2, 6000: 0, 12000: -5, 18000: -14}),
        slides=0.35,
        rms=0.384,
    ),
    "wrapper": Sheet(
        snap_hz=(2500.0, 12_000.0),
        quality=(1.0, 4.0),
        decay_s=0.004,
        snaps_hz=600.0,
        sigma=1.5,
        panel_hz=(900.0, 3200.0),
        panels=0.4,
        rustle=spectrum({200: -34, 1500: -12, 5000: -2, 10000: 0, 18000: -6}),
        slides=0.2,
        rms=0.272,
    ),
}
"""By the value of `material`: four that are paper-like, a shopping bag, the wrapper of sweets or crisps."""


@cache
def _snaps(low_hz: float, high_hz: float, quality: tuple[float, float], decay_s: float) -> list[Signal]:
    return resonant_grains(character("snaps", low_hz), low_hz, high_hz, quality=quality, decay_s=decay_s)


def _crinkling(rng: np.random.Generator, sheet: Sheet, speed: Signal, activity: Signal) -> Signal:
    """Return snaps, panels that pop over, and sliding, in the rhythm of `activity` (0 to 1 for every sample)."""
    count = len(speed)
    curve = np.clip(speed * activity, 0.0, 1.0)
    small = _snaps(*sheet.snap_hz, sheet.quality, sheet.decay_s)
    large = _snaps(*sheet.panel_hz, (1.5, 4.0), 0.014)
    sound = shower(rng, count, small, rate_hz=sheet.snaps_hz, sigma=sheet.sigma, curve=curve)
    sound += sheet.panels * shower(rng, count, large, rate_hz=26.0, sigma=0.9, curve=curve)
    return sound + sheet.slides * noise(rng, count, sheet.rustle) * activity


def _crumple_maker(usual: str, summary: str) -> MakesTexture:
    def make(rng: np.random.Generator, intensity: Mono, /, *, material: float | str = usual, **_: float | str) -> Mono:
        sheet = choice(SHEETS, material, "material")
        speed = np.clip(intensity.astype(np.float64), 0.0, 1.0)
        bursts = np.clip(0.45 + 0.5 * slow_random(rng, len(intensity), 3.5, 4), 0.03, 1.0)
        sound = _crinkling(rng, sheet, speed, bursts)
        return settled(bent(sound, LOUDEST * sheet.rms), intensity, rms=sheet.rms)

    make.__doc__ = summary
    return make


def paper_tear(rng: np.random.Generator, intensity: Mono, /, *, thickness: float | str = 0.3, **_: float | str) -> Mono:
    """Return paper that tears: fibres break one by one, 2600 a second at full speed, over a hiss.

    `thickness` 0 is tissue, 0.3 writing paper, 1 cardboard: fewer and lower breaks, which catch more.
    """
    thick = number(thickness, 0.0, 1.0, "thickness")
    count = len(intensity)
    speed = np.clip(intensity.astype(np.float64), 0.0, 1.0)
    catches = np.clip(0.8 + (0.25 + 0.35 * thick) * slow_random(rng, count, 8.0 + 14.0 * thick, 3), 0.1, 1.6)
    low_hz = 1500.0 * 0.25**thick
    fibres = shower(
        rng,
        count,
        _snaps(low_hz, 7.0 * low_hz, (1.0, 3.0), 0.003 + 0.004 * thick),
        rate_hz=3000.0 * 0.3**thick,
        sigma=0.8 + 0.3 * thick,
        curve=np.clip(0.75 * speed * catches, 0.0, 1.0),
    )
    hiss = noise(rng, count, TEAR) * catches * (0.75 - 0.5 * thick)
    return settled(bent(0.8 * fibres + hiss, LOUDEST * TEAR_RMS), intensity, rms=TEAR_RMS)


TEAR_RMS = 0.647
"""Measured over minutes, for all thicknesses."""

AIR = spectrum({60: -10, 150: 0, 400: -3, 1000: -10, 3000: -22, 10000: -38})
"""What a sheet that is waved pushes aside."""


def paper_handle(
    rng: np.random.Generator,
    intensity: Mono,
    /,
    *,
    material: float | str = "paper",
    rate_hz: float | str = 1.1,
    **_: float | str,
) -> Mono:
    """Return sheets that are turned: each slides off, swings over with a breath of air, and flops down with a snap.

    `material` is what the sheet is of; `rate_hz` is how many are turned in a second, 0.2 (somebody reads) to 12 (cards
    are riffled).
    """
    sheet = choice(SHEETS, material, "material")
    turns_hz = number(rate_hz, 0.2, 12.0, "rate_hz")
    count = len(intensity)
    speed = np.clip(intensity.astype(np.float64), 0.0, 1.0)
    turning = gestures(rng, count, turns_hz, busy=0.75, jitter=0.3, late=1.6)
    crinkles = _crinkling(rng, sheet, speed, 0.05 + 0.6 * turning.envelope**1.5)
    swing = noise(rng, count, AIR) * turning.envelope**3
    at = (RATE_HZ * (turning.starts_s + 0.6 * turning.lengths_s)).astype(np.int64)
    pool = _flops(str(material))
    flops = scatter(count, at, rng.uniform(0.3, 1.0, len(at)), grains=pool, which=rng.integers(0, len(pool), len(at)))
    sound = crinkles + 0.5 * swing + FLOP * flops
    return settled(bent(sound, LOUDEST * HANDLE_RMS), intensity, rms=HANDLE_RMS)


FLOP = 12.0
"""Level of one sheet that flops down: single grains of unit energy against steady noise of RMS 1."""

HANDLE_RMS = 0.226
"""Measured over minutes, for all materials."""


@cache
def _flops(material: str) -> list[Signal]:
    """Return sheets that flop down: a soft thump as low as the sheet is large, and the slap of its edge."""
    chance, sheet = character("flops", material), SHEETS[material]
    flops = []
    for _ in range(16):
        thump = noise_burst(
            chance, chance.uniform(0.03, 0.07), low_hz=0.6 * sheet.panel_hz[0], high_hz=sheet.panel_hz[1]
        )
        slap = noise_burst(chance, chance.uniform(0.008, 0.025), low_hz=sheet.snap_hz[0], high_hz=sheet.snap_hz[1])
        flops.append(faded(mixed(thump, chance.uniform(0.3, 0.9) * slap), 0.0005, 0.005))
    return unit_energy(flops)


CRUMPLING = "power law of snaps: Houle & Sethna 1996"

paper_crumple = _crumple_maker("paper", "Return paper, newspaper, card or foil that is crumpled in a hand.")
plastic_bag = _crumple_maker("bag", "Return a plastic bag or a wrapper that is handled.")

RECIPES = (
    TextureRecipe("paper_tear", "paper", paper_tear, defaults_of(paper_tear), "fibre breaks: Houle & Sethna 1996"),
    TextureRecipe("paper_crumple", "paper", paper_crumple, defaults_of(paper_crumple), CRUMPLING),
    TextureRecipe("paper_handle", "paper", paper_handle, defaults_of(paper_handle), CRUMPLING),
    TextureRecipe("plastic_bag", "paper", plastic_bag, defaults_of(plastic_bag), CRUMPLING),
)
