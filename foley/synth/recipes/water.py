"""Water that runs, pours, breaks, drips and splashes.

Band levels and modulation: medians of 50 stretches of recorded brooks and surf.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from foley.synth.bubbles import bubble, bubbles
from foley.synth.excitation import Signal, decay, length_samples, low_passed
from foley.synth.finish import add_at, character, defaults_of, finished_hit, settled
from foley.synth.recipe import HitRecipe, Mono, TextureRecipe
from foley.synth.textures import (
    Spectrum,
    alive,
    control_times_s,
    erb_spectrum,
    narrowband,
    noise,
    shower,
    slow_random,
    spectrum,
    stretched,
    tinted,
    unit_energy,
)
from foley.units import RATE_HZ

SPEED_OF_SOUND_M_S = 343.0

STREAM_DB = (-28, -21, -8, -3, -1, -1, -2, -1, -4, -4)
"""Median of 8 stretches of recorded brooks."""

TORRENT_DB = (-14, -6, -3, -2, -2, -3, -4, -6, -9, -13)
"""Falling water: the low bands of large cavities fill up, the top is scattered by spray."""


@dataclass(frozen=True, slots=True)
class BubbleSize:
    """One class of bubbles in running water."""

    radii_mm: tuple[float, float]
    rate_hz: float
    """At full flow."""
    rise: float
    gain: float


BROOK = (
    BubbleSize((0.22, 0.9), 2400, 0.05, 0.55),
    BubbleSize((0.6, 2.4), 1250, 0.10, 0.75),
    BubbleSize((2.0, 12.0), 260, 0.25, 0.50),
)


def _running(
    rng: np.random.Generator, flow: Signal, sizes: Sequence[BubbleSize], *, bed: Spectrum, bed_gain: float
) -> Signal:
    """Return bubbles of all sizes in gushes that drive every band together, over a bed; expected RMS near 1."""
    count = len(flow)
    gush = slow_random(rng, count, 5.0, 4)
    loud = 10 ** (np.clip(gush, -2.5, 2.5) / 20)
    density = np.clip(0.45 * np.exp(0.55 * gush), 0.02, 1) * (0.25 + 0.75 * flow)
    sound = bed_gain * noise(rng, count, bed) * loud * np.sqrt(flow)
    for size in sizes:
        pool = unit_energy(bubbles(rng, size.radii_mm, 72, rise=size.rise))
        sound += size.gain * shower(rng, count, pool, rate_hz=size.rate_hz, sigma=0.6, curve=density) * loud
    return sound


def stream(rng: np.random.Generator, intensity: Mono, /, *, variant: float | str = 0, **_: float | str) -> Mono:
    """Return a brook: a trickle at low intensity, a rushing one at 1."""
    bed = tinted(erb_spectrum(STREAM_DB), character("stream", variant), 2.0)
    return settled(_running(rng, np.asarray(intensity, np.float64), BROOK, bed=bed, bed_gain=0.55), intensity, rms=1.0)


def waterfall(rng: np.random.Generator, intensity: Mono, /, *, variant: float | str = 0, **_: float | str) -> Mono:
    """Return a waterfall: a broad roar that swells a little, with spray on top and few bubbles to be told apart."""
    bed = tinted(erb_spectrum(TORRENT_DB), character("waterfall", variant), 2.0)
    roar = alive(rng, noise(rng, len(intensity), bed), 0.9, common=0.5)
    foam = _running(rng, np.asarray(intensity, np.float64), BROOK, bed=bed, bed_gain=0.3)
    return settled(roar + 0.35 * foam, intensity, rms=1.1)


def pour(
    rng: np.random.Generator,
    intensity: Mono,
    /,
    *,
    fill_from: float | str = 0.1,
    fill_to: float | str = 0.9,
    vessel_m: float | str = 0.18,
    variant: float | str = 0,
    **_: float | str,
) -> Mono:
    """Return liquid poured into a vessel: a thin stream, and the air column above it, whose pitch rises as it fills.

    f = c / (4 (height - level + end correction)), the quarter-wave pipe; the correction is 2 cm, 0.6 of a cup's radius.
    The stretch at hand runs from `fill_from` to `fill_to`.
    """
    height_m = float(vessel_m)
    level = np.linspace(float(fill_from), float(fill_to), len(intensity))
    column_hz = SPEED_OF_SOUND_M_S / (4 * (height_m * (1 - np.clip(level, 0, 1)) + 0.02))
    thin = tinted(erb_spectrum(STREAM_DB), character("pour", variant), 2.0)
    water = _running(rng, 0.4 * np.asarray(intensity, np.float64), BROOK, bed=thin, bed_gain=0.4)
    air = narrowband(rng, column_hz, 25.0) + 0.35 * narrowband(rng, np.minimum(3 * column_hz, 18_000.0), 60.0)
    return settled(water + 0.3 * air, intensity, rms=0.68)


def bubbling(
    rng: np.random.Generator, intensity: Mono, /, *, size: float | str = 0.5, variant: float | str = 0, **_: float | str
) -> Mono:
    """Return bubbles that rise in still water: an aquarium (size 0), a boiling pot (0.5), a diver (1)."""
    radius_mm = 1.0 * 8.0 ** float(size) * character("bubbles", variant).uniform(0.85, 1.2)
    pool = unit_energy(bubbles(rng, (0.5 * radius_mm, 2.2 * radius_mm), 96, rise=0.3))
    bursts = np.clip(0.45 * np.exp(0.7 * slow_random(rng, len(intensity), 3.0, 3)), 0.05, 1)
    density = bursts * (0.2 + 0.8 * np.asarray(intensity, np.float64))
    rising = shower(rng, len(intensity), pool, rate_hz=260.0, sigma=0.4, curve=density)
    bed = noise(rng, len(intensity), STILL_WATER)
    return settled(rising + 0.05 * bed, intensity, rms=0.72)


STILL_WATER = spectrum({40: 0, 300: -4, 1000: -14, 4000: -30, 16000: -50})


# --- the sea ---------------------------------------------------------------------------------------------------------

SEA_DB = (-10, -4, -1, -1, -2, -3, -6, -8, -11, -16)
"""Median of 42 stretches of recorded surf."""
SWELL = spectrum({30: 0, 120: -2, 300: -8, 800: -18, 3000: -34, 12000: -56})
FOAM = spectrum({60: -30, 500: -12, 1500: -4, 3500: 0, 8000: -3, 15000: -12})


def _waves(rng: np.random.Generator, samples: int, period_s: float) -> tuple[Signal, Signal, Signal]:
    """Return the envelopes of swell, breaking wave and foam.

    Waves rise over 0.15 to 0.3 of the period and fall a little slower; foam comes late, at once, and lingers.
    """
    t_s = control_times_s(samples)
    swell, surf, foam = np.full(len(t_s), 0.5), np.full(len(t_s), 0.30), np.full(len(t_s), 0.08)
    start_s = -period_s * rng.uniform(3.0, 4.0)
    while start_s < t_s[-1]:
        height = float(np.exp(rng.normal(0, 0.25)))
        rise_s, fall_s = period_s * rng.uniform(0.15, 0.3), period_s * rng.uniform(0.16, 0.3)
        crest = t_s - start_s - rise_s
        late = crest - 0.25 * rise_s
        swell += 0.5 * height * _bump(crest, rise_s, 0.7 * fall_s)
        surf += height * _bump(crest, 0.45 * rise_s, fall_s)
        foam += 0.8 * height * _bump(late, 0.2 * rise_s, 1.5 * fall_s)
        start_s += period_s * rng.uniform(0.6, 1.35)
    return stretched(swell, samples), stretched(surf, samples), stretched(foam, samples)


def _bump(t_s: Signal, rise_s: float, fall_s: float) -> Signal:
    return np.asarray(np.exp(np.minimum(t_s, 0) / rise_s - np.maximum(t_s, 0) / fall_s), np.float64)


def sea(
    rng: np.random.Generator,
    intensity: Mono,
    /,
    *,
    period_s: float | str = 6.5,
    variant: float | str = 0,
    **_: float | str,
) -> Mono:
    """Return surf: dull swell, bright breaking waves, hissing backwash, all bands swelling together."""
    count = len(intensity)
    shore = character("sea", variant)
    swell, surf, foam = _waves(rng, count, float(period_s) * shore.uniform(0.85, 1.2))
    flutter = 1 + 0.10 * slow_random(rng, count, 12.0, 3)
    hiss = shower(rng, count, unit_energy(bubbles(rng, (0.4, 3.0), 64)), rate_hz=1200.0, sigma=0.8)
    breaking = noise(rng, count, tinted(erb_spectrum(SEA_DB), shore, 2.0)) * surf
    sound = (breaking + 0.35 * noise(rng, count, FOAM) * foam) * flutter
    sound += 0.35 * noise(rng, count, SWELL) * swell + 0.18 * hiss * foam
    return settled(alive(rng, sound, 1.3, common=0.75, rate_hz=0.8), intensity, rms=0.76)


# --- single hits -----------------------------------------------------------------------------------------------------

SLAP = spectrum({60: -14, 200: -2, 700: 0, 2500: -7, 8000: -14, 16000: -24})
SPRAY = spectrum({100: -24, 500: -9, 1500: -2, 4000: 0, 9000: -5, 18000: -16})


DRIP_LEAD_S = 0.010
"""From the tap to the bubble's first swing; 8 to 22 ms in high-speed recordings."""


def drip(rng: np.random.Generator, strength: float, /, *, radius_mm: float | str = 1.6, **_: float | str) -> Mono:
    """Return one drop into water: the faint tap of its impact, then the bubble it drew in, which is what is heard."""
    radius_m = float(radius_mm) / 1000.0 * float(np.exp(rng.normal(0, 0.12)))
    plink = bubble(radius_m, depth=1.0, rise=0.1)
    tap = rng.standard_normal(length_samples(0.0025)) * np.linspace(1, 0, length_samples(0.0025)) ** 2
    sound = np.zeros(length_samples(DRIP_LEAD_S + 0.28))
    add_at(sound, 0.15 * tap / np.abs(tap).max(), 0)
    add_at(sound, plink / np.abs(plink).max(), length_samples(DRIP_LEAD_S))
    return finished_hit(sound, strength, ring_s=0.28, lead_s=DRIP_LEAD_S)


def splash(rng: np.random.Generator, strength: float, /, *, size: float | str = 0.5, **_: float | str) -> Mono:
    """Return something that falls into water: slap, spray, the gulp of the cavity, drops raining back.

    Size 0 is a pebble, 1 a body.
    """
    big = float(size)
    fall_s = 0.4 + 1.2 * big
    count = length_samples(1.3 * fall_s)
    t_s = np.arange(count, dtype=np.float64) / RATE_HZ
    # heavier things make larger drops and hollows: all is darker
    dark_hz = 9000.0 - 6500.0 * big
    slap = low_passed(noise(rng, count, SLAP), dark_hz, 1) * decay(count, 0.10 + 0.14 * big)
    rising = np.minimum(1, t_s / 0.04)
    spray = low_passed(noise(rng, count, SPRAY), dark_hz, 1) * rising * decay(count, 0.7 * fall_s)
    raining = np.asarray(np.clip(t_s / 0.12, 0, 1) * np.exp(-3.5 * t_s / fall_s), np.float64)
    small = shower(
        rng, count, unit_energy(bubbles(rng, (0.2, 1.2), 48, rise=0.05)), rate_hz=900.0, sigma=0.8, curve=raining
    )
    large = shower(
        rng, count, unit_energy(bubbles(rng, (0.6, 8.0), 96, rise=0.25)), rate_hz=320.0, sigma=0.7, curve=raining
    )
    sound = slap + 0.30 * spray + (0.07 - 0.04 * big) * (small + 1.4 * large) * np.sqrt(raining)
    cavity = bubble(0.008 + 0.016 * big, depth=1.0, rise=0.5)
    add_at(sound, (0.3 + 0.2 * big) * cavity / np.abs(cavity).max(), length_samples(0.03 + 0.03 * big))
    return finished_hit(sound, strength, ring_s=1.3 * fall_s)


VAN_DEN_DOEL = "Minnaert 1933; van den Doel 2005"

RECIPES = (
    HitRecipe("drip", "water", drip, defaults_of(drip), lead_s=DRIP_LEAD_S, ring_s=0.28, source=VAN_DEN_DOEL),
    HitRecipe("splash", "water", splash, defaults_of(splash), ring_s=2.1, source=VAN_DEN_DOEL),
    TextureRecipe("stream", "water", stream, defaults_of(stream), VAN_DEN_DOEL),
    TextureRecipe("waterfall", "water", waterfall, defaults_of(waterfall), VAN_DEN_DOEL),
    TextureRecipe("pour", "water", pour, defaults_of(pour), VAN_DEN_DOEL + "; quarter-wave pipe"),
    TextureRecipe("sea", "water", sea, defaults_of(sea), "band levels: 42 stretches of recorded surf"),
    TextureRecipe("bubbles", "water", bubbling, defaults_of(bubbling), VAN_DEN_DOEL),
)
