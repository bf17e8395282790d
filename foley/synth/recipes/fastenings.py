"""Fastenings of clothes and bags: zip, buckle, press stud.

Source: A. Farnell, "Designing Sound", 2010 (pulse trains and small contacts).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from foley.synth.chain import delayed, mixed, peak_of, recorded_hit
from foley.synth.excitation import Signal, length_samples, noise_burst, slips
from foley.synth.finish import character, choice, defaults_of, number, settled
from foley.synth.gestures import gestures
from foley.synth.materials import PLASTIC, STEEL, Material, body, struck
from foley.synth.recipe import HitRecipe, Mono, TextureRecipe
from foley.synth.resonators import ring_modes, thud
from foley.synth.textures import Spectrum, heavy, heavy_power, noise, scatter, slow_random, spectrum, unit_energy
from foley.units import RATE_HZ


@dataclass(frozen=True, slots=True)
class Teeth:
    """A kind of zip."""

    modes_hz: tuple[float, float]
    """Range in which its teeth and slider answer."""
    t60_s: float
    rate_hz: tuple[float, float]
    """Teeth a second where the slider is barely and quickly pulled."""
    rub: Spectrum
    """Of the tape that slides through."""
    rubs: float
    rms: float
    """Measured over minutes at intensity 1."""


ZIPS = {
    "metal": Teeth(
        modes_hz=(1500.0, 9500.0),
        t60_s=0.007,
        rate_hz=(70.0, 620.0),
        rub=spectrum({100: -18, 400: -8, 1500: 0, 5000: -2, 12000: -12}),
        rubs=0.25,
        rms=0.547,
    ),
    "nylon": Teeth(
        modes_hz=(900.0, 6500.0),
        t60_s=0.004,
        rate_hz=(140.0, 1100.0),
        rub=spectrum({100: -14, 400: -4, 1500: 0, 5000: -4, 12000: -18}),
        rubs=0.5,
        rms=0.628,
    ),
}
"""By the value of `teeth`: trousers and jackets; tents and bags."""


def zipper(
    rng: np.random.Generator,
    intensity: Mono,
    /,
    *,
    teeth: float | str = "metal",
    size: float | str = 0.5,
    variant: float | str = 0,
    **_: float | str,
) -> Mono:
    """Return a zip: its teeth meet one by one, so fast that they become a tone, which rises with the speed of the pull.

    `teeth` is metal or nylon; `size` 0 is a purse, 1 a tent, whose teeth are coarser and lower. The intensity is the
    speed; a hand pulls in strokes of about half a second.
    """
    kind = choice(ZIPS, teeth, "teeth")
    coarse = 2.0 ** (0.5 - number(size, 0.0, 1.0, "size"))
    chance = character(f"zip {teeth}", variant)
    count = len(intensity)
    pull = gestures(rng, count, 1.6, busy=0.95, jitter=0.3, late=1.5)
    speed = np.clip(intensity, 0.0, 1.0) * (0.35 + 0.65 * pull.envelope)
    low, high = kind.rate_hz
    rate_hz = coarse * low * (high / low) ** speed * 2.0 ** (0.08 * slow_random(rng, count, 9.0, 2))
    at = slips(rng, np.where(speed > 0.01, rate_hz, 0.0), 0.07)
    f = coarse**0.5 * np.sort(np.exp(chance.uniform(np.log(kind.modes_hz[0]), np.log(kind.modes_hz[1]), 9)))
    pool = unit_energy([_tooth(rng, f, kind.t60_s) for _ in range(16)])
    levels = heavy(rng, len(at), 0.35) * (0.3 + 0.7 * speed[at])
    clicks = scatter(count, at, levels, grains=pool, which=rng.integers(0, len(pool), len(at)))
    clicks /= np.sqrt(coarse * high / RATE_HZ * heavy_power(0.35))
    rub = noise(rng, count, kind.rub) * (0.2 + 0.8 * speed)
    return settled(clicks + kind.rubs * rub, intensity, rms=kind.rms)


def _tooth(rng: np.random.Generator, modes_hz: Signal, t60_s: float) -> Signal:
    gains = np.exp(rng.normal(0.0, 0.5, len(modes_hz)))
    t60 = t60_s * (modes_hz / 3000.0) ** -0.4
    return ring_modes(modes_hz, t60, gains, length_samples(2.0 * t60_s), phases=rng.uniform(-0.5, 0.5, len(modes_hz)))


@dataclass(frozen=True, slots=True)
class Clasp:
    """A buckle."""

    part: Material
    ring: float
    gap_s: tuple[float, float]
    """From the first contact to the catch."""
    case_hz: float
    """Of its body's dull answer."""


CLASPS = {
    "steel": Clasp(STEEL, 0.06, (0.012, 0.03), 260.0),
    "plastic": Clasp(PLASTIC, 0.7, (0.006, 0.016), 420.0),
    "seatbelt": Clasp(STEEL, 0.025, (0.018, 0.035), 170.0),
}
"""By the value of `kind`: a belt's, a backpack's, a car's."""


def buckle(
    rng: np.random.Generator,
    strength: float,
    /,
    *,
    kind: float | str = "steel",
    variant: float | str = 0,
    **_: float | str,
) -> Mono:
    """Return a buckle that closes: tongue on frame, the catch that springs in, the strap that slides.

    `kind` is steel (a belt), plastic (a backpack) or seatbelt.
    """
    clasp = choice(CLASPS, kind, "kind")
    chance = character(f"buckle {kind}", variant)
    tongue = struck(rng, body(chance, clasp.part, size=0.15, ring=clasp.ring), strength)
    catch = struck(rng, body(chance, clasp.part, size=0.3, ring=1.4 * clasp.ring), strength, hardness=0.95)
    case = thud(rng, clasp.case_hz * chance.uniform(0.9, 1.1), 0.05, noise=0.5)
    strap = noise_burst(rng, rng.uniform(0.08, 0.15), low_hz=400.0, high_hz=4000.0)
    gap_s = rng.uniform(*clasp.gap_s)
    sound = mixed(peak_of(tongue), delayed(mixed(0.8 * peak_of(catch), 0.4 * case), gap_s), 0.06 * strap)
    return recorded_hit(rng, sound, strength, ring_s=0.4, wet=0.2)


def press_stud(rng: np.random.Generator, strength: float, /, *, variant: float | str = 0, **_: float | str) -> Mono:
    """Return a press stud that pops shut or open: one sharp click of two small cups, and the cloth behind it."""
    chance = character("press stud", variant)
    cup = struck(rng, body(chance, STEEL, size=0.0, ring=0.03), strength)
    spring = struck(rng, body(chance, STEEL, size=0.1, ring=0.02), 0.6 * strength)
    cloth = thud(rng, chance.uniform(180.0, 260.0), 0.04, noise=0.8)
    sound = mixed(peak_of(cup), delayed(0.4 * spring, rng.uniform(0.001, 0.003)), 0.25 * cloth)
    return recorded_hit(rng, sound, strength, ring_s=0.3, wet=0.2)


CONTACTS = "small contacts timed as in locks: Farnell 2010"

RECIPES = (
    TextureRecipe("zip", "fastenings", zipper, defaults_of(zipper), "teeth as a pulse train: Farnell 2010"),
    HitRecipe("buckle", "fastenings", buckle, defaults_of(buckle), ring_s=0.4, source=CONTACTS),
    HitRecipe("press_stud", "fastenings", press_stud, defaults_of(press_stud), ring_s=0.3, source=CONTACTS),
)
