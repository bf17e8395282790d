"""Single drops and splashes.

Source: G. Franz, "Splashes as sources of sound in liquids", J. Acoust. Soc. Am. 31, 1959: the slap, then the cavity.
"""

from __future__ import annotations

import numpy as np

from foley.synth.bubbles import bubble, unit_bubbles
from foley.synth.chain import recorded_hit
from foley.synth.excitation import Signal, decay, high_passed, length_samples, low_passed
from foley.synth.finish import add_at, choice, defaults_of, finished_hit, number
from foley.synth.recipe import HitRecipe, Mono
from foley.synth.textures import noise, shower, spectrum
from foley.units import RATE_HZ

SLAP = spectrum({60: -14, 200: -2, 700: 0, 2500: -7, 8000: -14, 16000: -24})
SPRAY = spectrum({100: -24, 500: -9, 1500: -2, 4000: 0, 9000: -5, 18000: -16})

DRIP_LEAD_S = 0.010
"""From the tap to the bubble's first swing; 8 to 22 ms in high-speed recordings."""

DRIP_RING_S = 0.5
"""A bubble of 5 mm and the hollow that it drips in: recorded drips fall by 20 dB in 0.2 to 0.4 s."""

HARD = {"stone": (1800.0, 5200.0, 0.006, 3), "metal": (650.0, 5400.0, 0.09, 6), "wood": (320.0, 1900.0, 0.018, 3)}
"""Where a drop meets no water: the range of the modes it excites, the time they ring (s), how many there are."""


def drip(
    rng: np.random.Generator,
    strength: float,
    /,
    *,
    radius_mm: float | str = 2.4,
    onto: float | str = "water",
    **_: float | str,
) -> Mono:
    """Return one drop.

    Into water: the faint tap of its impact, then the bubble it drew in, which is what is heard. Onto hard ground: the
    tap alone, and what it sets ringing.

    Args:
        rng: Chance.
        strength: Of the drop.
        radius_mm: Of the bubble, 0.5 (6.6 kHz) to 6 (0.55 kHz).
        onto: water, stone, metal (a sink, a bucket) or wood.
        **_: What other recipes take.
    """
    radius_m = number(radius_mm, 0.5, 6.0, "radius_mm") / 1000.0 * float(np.exp(rng.normal(0, 0.18)))
    sound = np.zeros(length_samples(DRIP_LEAD_S + 0.28))
    tap = rng.standard_normal(length_samples(0.0025)) * np.linspace(1, 0, length_samples(0.0025)) ** 2
    tap = high_passed(tap, 2500.0, 1)
    if onto != "water":
        low_hz, high_hz, ring_s, modes = choice(HARD, onto, "onto")
        add_at(sound, _tapped(rng, tap, np.exp(rng.uniform(np.log(low_hz), np.log(high_hz), modes)), ring_s), _CONTACT)
        return recorded_hit(rng, sound, strength, ring_s=DRIP_RING_S, lead_s=DRIP_LEAD_S, wet=0.5)
    plink = bubble(radius_m, depth=1.0, rise=0.1)
    plink /= np.abs(plink).max()
    add_at(sound, 0.12 * tap / np.abs(tap).max(), 0)
    add_at(sound, plink, _CONTACT)
    if rng.random() < 0.4:
        # the jet that shoots up drops a second, smaller one
        second = bubble(radius_m * rng.uniform(0.5, 0.9), depth=1.0, rise=0.1)
        late = length_samples(rng.uniform(0.03, 0.09))
        add_at(sound, rng.uniform(0.1, 0.3) * second / np.abs(second).max(), _CONTACT + late)
    return recorded_hit(rng, sound, strength, ring_s=DRIP_RING_S, lead_s=DRIP_LEAD_S, wet=0.5)


_CONTACT = length_samples(DRIP_LEAD_S)


def _tapped(rng: np.random.Generator, tap: Signal, modes_hz: Signal, ring_s: float) -> Signal:
    """Return the tap of a drop on something hard, with its rings, and the droplets it bursts into."""
    length = length_samples(0.25)
    t_s = np.arange(length) / RATE_HZ
    sound = np.zeros(length)
    for mode_hz in modes_hz.tolist():
        t60_s = 2.0 * ring_s * rng.uniform(0.6, 1.5)
        sound += rng.uniform(0.3, 1.0) * np.sin(2 * np.pi * mode_hz * t_s) * decay(length, t60_s)
    sound *= 0.7 / np.abs(sound).max()
    add_at(sound, tap / np.abs(tap).max(), 0)
    for at_s in rng.uniform(0.004, 0.05, 5).tolist():
        add_at(sound, rng.uniform(0.03, 0.15) * tap / np.abs(tap).max(), length_samples(at_s))
    return sound


def splash(rng: np.random.Generator, strength: float, /, *, size: float | str = 0.5, **_: float | str) -> Mono:
    """Return something that falls into water: slap, spray, the gulp of the cavity, drops raining back.

    Args:
        rng: Chance.
        strength: Of the fall.
        size: A pebble (0), a stone or a foot (0.3), a body (1).
        **_: What other recipes take.
    """
    big = number(size, 0.0, 1.0, "size")
    fall_s = 0.4 + 1.2 * big
    count = length_samples(1.3 * fall_s)
    t_s = np.arange(count, dtype=np.float64) / RATE_HZ
    # heavier things make larger drops and hollows: all is darker
    dark_hz = 9000.0 - 6500.0 * big
    slapped_s = min(count, length_samples(0.10 + 0.14 * big))
    sound = _raining(rng, np.asarray(np.clip(t_s / 0.12, 0, 1) * np.exp(-3.5 * t_s / fall_s), np.float64), big)
    sprayed = length_samples(0.7 * fall_s)
    spray = low_passed(noise(rng, sprayed, SPRAY), dark_hz, 1) * np.minimum(1, t_s[:sprayed] / 0.04)
    sound[:sprayed] += 0.30 * spray * decay(sprayed, 0.7 * fall_s)
    slap = low_passed(noise(rng, slapped_s, SLAP), dark_hz, 1)
    sound[:slapped_s] += slap * decay(slapped_s, 0.10 + 0.14 * big)
    cavity = bubble((0.008 + 0.016 * big) * rng.uniform(0.85, 1.2), depth=1.0, rise=0.5)
    add_at(sound, (0.3 + 0.2 * big) * cavity / np.abs(cavity).max(), length_samples(0.03 + 0.03 * big))
    return finished_hit(sound, strength, ring_s=1.3 * fall_s)


def _raining(rng: np.random.Generator, curve: Signal, big: float) -> Signal:
    """Return the drops that fall back, and the bubbles they draw in."""
    falling = np.zeros(len(curve))
    for radii_mm, rate_hz, gain in (((0.2, 1.2), 600.0, 1.0), ((0.6, 8.0), 260.0, 1.4)):
        pool = unit_bubbles(rng, radii_mm, 64, rise=0.15)
        falling += gain * shower(rng, len(curve), pool, rate_hz=rate_hz, sigma=0.8, curve=curve)
    return np.asarray((0.07 - 0.04 * big) * falling * np.sqrt(curve), np.float64)


FRANZ = "Franz 1959; Minnaert 1933; van den Doel 2005"

RECIPES = (
    HitRecipe("drip", "water", drip, defaults_of(drip), lead_s=DRIP_LEAD_S, ring_s=DRIP_RING_S, source=FRANZ),
    HitRecipe("splash", "water", splash, defaults_of(splash), ring_s=2.1, source=FRANZ),
)
