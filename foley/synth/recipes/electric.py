"""Electricity: sparks, arcs, the hum of the mains."""

from __future__ import annotations

import math

import numpy as np

from foley.synth.excitation import Signal, decay, length_samples, low_passed
from foley.synth.finish import add_at, character, defaults_of, finished_hit, number, settled
from foley.synth.moving import Layer, at_frames, layered, slow_frames
from foley.synth.recipe import HitRecipe, Mono, TextureRecipe
from foley.synth.recipes.fire import crackles
from foley.synth.resonators import thud
from foley.synth.textures import (
    control_times_s,
    noise,
    shower,
    slow_random,
    spectrum,
    stretched,
    unit_energy,
)
from foley.units import RATE_HZ

ARC = spectrum({80: -20, 400: -8, 2000: -2, 5000: 0, 12000: -3, 18000: -8})
HALF_WAVES_HZ = (100.0, 120.0)
"""An arc strikes anew in each half wave of the mains: 50 Hz in most of the world, 60 Hz in the Americas."""


def sparks(rng: np.random.Generator, strength: float, /, **_: float | str) -> Mono:
    """Return an electric short: the bang of the arc, a buzz at 100 Hz that fails, molten beads that crackle."""
    count = length_samples(0.7)
    t_s = np.arange(count) / RATE_HZ
    arc = noise(rng, count, ARC)
    buzz = np.exp(-((t_s * HALF_WAVES_HZ[0]) % 1.0) * 4.0) * np.clip(
        0.8 + 0.3 * slow_random(rng, count, 8.0, 2), 0, 1.2
    )
    sound = arc * (decay(count, 0.07) + (0.03 + 0.03 * buzz) * decay(count, 0.6))
    falling = np.asarray(0.8 * np.exp(-t_s / 0.15), np.float64)
    beads = unit_energy(crackles(rng, 48, centre_hz=5200.0, longest_s=0.006))
    sound += 0.010 * shower(rng, count, beads, rate_hz=260.0, sigma=0.5, curve=falling) * np.minimum(1, t_s / 0.02)
    add_at(sound, 0.6 * thud(rng, 140.0, 0.05), 0)
    return finished_hit(sound, strength, ring_s=0.7)


def electric_arc(
    rng: np.random.Generator,
    intensity: Mono,
    /,
    *,
    steady: float | str = 0.4,
    variant: float | str = 0,
    **_: float | str,
) -> Mono:
    """Return an arc that burns on: a welder, a Tesla coil, a broken power line.

    Args:
        rng: Chance.
        intensity: Current.
        steady: 0 single discharges, 1 a welder's even buzz.
        variant: Which machine, and on which mains.
    """
    even, count = number(steady, 0.0, 1.0, "steady"), len(intensity)
    machine = character("electric_arc", variant)
    rate_hz = float(machine.choice(HALF_WAVES_HZ))
    # it burns and fails in stretches; a welder's fails seldom
    burning = np.clip(even + 0.5 * (1 - even) + (1.3 - even) * slow_random(rng, count, 5.0, 2), 0.0, 1.0)
    period = np.exp(-4.0 * np.arange(round(RATE_HZ / rate_hz)) / round(RATE_HZ / rate_hz))
    buzz = layered(rng, count, [Layer(ARC)]) * np.resize(period, count) * 1.8
    sound = (0.25 + 0.75 * even) * buzz * burning
    snaps = unit_energy(crackles(rng, 64, centre_hz=4200.0, longest_s=0.008))
    drive = np.asarray(burning * (0.3 + 0.7 * intensity), np.float64)
    sound += (1.0 - 0.6 * even) * low_passed(
        shower(rng, count, snaps, rate_hz=140.0, sigma=0.9, curve=drive), 9000.0, 1
    )
    return settled(sound, intensity, rms=0.6)


# --- hum -------------------------------------------------------------------------------------------------------------

HARMONICS = 24
"""Of the mains up to 1.4 kHz: what a loose plate or a gas discharge rattles with."""


def electric_hum(
    rng: np.random.Generator,
    intensity: Mono,
    /,
    *,
    buzz: float | str = 0.4,
    mains_hz: float | str = 50.0,
    variant: float | str = 0,
    **_: float | str,
) -> Mono:
    """Return what the mains hum in: transformers at twice their frequency, lamps with a rattle on top.

    Args:
        rng: Chance.
        intensity: Load: more of it brings more harmonics.
        buzz: 0 a large transformer's hum, 0.4 a neon tube, 1 a loose plate or a fence.
        mains_hz: 50 or 60; what lies between is heard, too.
        variant: Which device.
    """
    rattle, hz = number(buzz, 0.0, 1.0, "buzz"), number(mains_hz, 16.0, 400.0, "mains_hz")
    count, device = len(intensity), character("electric_hum", variant)
    hum, rasp = _mains(device, count, hz, rattle)
    wavering = stretched(
        1
        + 0.04
        * np.interp(control_times_s(count) * 6.0, np.arange(count // 8000 + 3), rng.standard_normal(count // 8000 + 3)),
        count,
    )
    sound = hum + rasp * wavering * (0.3 + 0.7 * np.asarray(intensity, np.float64))
    hiss = np.maximum(0.0, 1 + 0.3 * slow_frames(rng, count, 6.0, 2)) * at_frames(intensity)
    sound += layered(rng, count, [Layer(ARC, 0.02 + 0.10 * rattle * hiss)])
    return settled(sound, intensity, rms=1.0)


def _mains(device: np.random.Generator, count: int, hz: float, rattle: float) -> tuple[Signal, Signal]:
    """Return the even hum and what rattles with it, RMS 1 together at full load: one table, read round and round.

    Iron is pulled in each half wave, so even harmonics lead; discharges and loose plates add odd and high ones.
    """
    orders = np.arange(1, HARMONICS + 1)
    slope = orders ** -(2.2 - 1.5 * rattle) * np.where(orders % 2 == 0, 1.0, 0.05 + 0.4 * rattle)
    loud = slope * np.exp(0.5 * device.standard_normal(HARMONICS))
    loud /= math.sqrt(0.5 * float(np.square(loud).sum()))
    table_samples = 4096
    angle = 2 * np.pi * np.arange(table_samples + 1) / table_samples
    waves = loud[:, None] * np.sin(orders[:, None] * angle + device.uniform(0, 2 * np.pi, HARMONICS)[:, None])
    place = np.arange(count) * (hz * table_samples / RATE_HZ) % table_samples
    index = place.astype(np.intp)
    low, high = (np.asarray(part.sum(axis=0)[index], np.float64) for part in (waves[:4], waves[4:]))
    return low, high


RECIPES = (
    HitRecipe(
        "sparks", "electric", sparks, defaults_of(sparks), ring_s=0.7, source="arc re-striking in each half wave"
    ),
    TextureRecipe(
        "electric_arc", "electric", electric_arc, defaults_of(electric_arc), "arc re-striking in each half wave"
    ),
    TextureRecipe(
        "electric_hum", "electric", electric_hum, defaults_of(electric_hum), "magnetostriction at twice the mains"
    ),
)
