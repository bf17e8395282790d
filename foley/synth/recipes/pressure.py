"""Gas under pressure that escapes: steam, sprays, pneumatics.

Source: M. Lighthill, "On sound generated aerodynamically", Proc. R. Soc. A 211, 1952: a jet's noise has a broad hump
at about 0.2 u / d, so that finer nozzles and higher pressures are brighter.
"""

from __future__ import annotations

import math

import numpy as np

from foley.synth.chain import recorded_hit
from foley.synth.excitation import decay, length_samples, noise_burst
from foley.synth.finish import add_at, character, defaults_of, number, settled
from foley.synth.moving import Layer, at_frames, layered, slow_frames
from foley.synth.recipe import HitRecipe, Mono, TextureRecipe
from foley.synth.resonators import ring_modes, thud
from foley.synth.textures import Spectrum, noise, slow_random, spectrum
from foley.units import RATE_HZ


def _jet(hump_hz: float) -> Spectrum:
    """Return the noise of a jet: 6 dB an octave up to its hump, 3 dB down behind it."""
    return spectrum({hump_hz / 16: -28.0, hump_hz / 2: -5.0, hump_hz: 0.0, hump_hz * 2: -2.0, hump_hz * 8: -13.0})


def steam(
    rng: np.random.Generator,
    intensity: Mono,
    /,
    *,
    nozzle_mm: float | str = 8.0,
    variant: float | str = 0,
    **_: float | str,
) -> Mono:
    """Return steam or compressed air that escapes: bright noise, trembling, brighter under more pressure.

    Args:
        rng: Chance.
        intensity: Pressure.
        nozzle_mm: 1 a kettle's spout or a leak, 8 a valve, 40 a locomotive's.
        variant: Which valve.
    """
    hump_hz = 5500.0 * (8.0 / number(nozzle_mm, 1.0, 50.0, "nozzle_mm")) ** 0.55
    valve, count, drive = character("steam", variant), len(intensity), at_frames(intensity)
    hump_hz *= valve.uniform(0.85, 1.15)
    tremble = 1 + 0.10 * slow_frames(rng, count, 12.0, 2)
    layers = [
        Layer(_jet(min(hump_hz, 11_000.0)), (0.15 + 0.85 * drive) * tremble),
        Layer(_jet(0.3 * hump_hz), 0.5 * (1.15 - drive) * tremble),
        # wet steam spits
        Layer(_jet(0.12 * hump_hz), 0.16 * np.exp(0.7 * slow_frames(rng, count, 14.0))),
    ]
    return settled(layered(rng, count, layers), intensity, rms=1.0)


def spray(
    rng: np.random.Generator,
    intensity: Mono,
    /,
    *,
    fineness: float | str = 0.7,
    variant: float | str = 0,
    **_: float | str,
) -> Mono:
    """Return a spray: a can, an atomiser, a jet of fine water in the air.

    Args:
        rng: Chance.
        intensity: How far the valve is open.
        fineness: 0 a garden spray's drops, 1 an aerosol's mist.
        variant: Which nozzle.
    """
    fine = number(fineness, 0.0, 1.0, "fineness")
    nozzle, count = character("spray", variant), len(intensity)
    hump_hz = 3000.0 * 3.0**fine * nozzle.uniform(0.9, 1.12)
    sputter = np.maximum(0.2, 1 + (0.30 - 0.22 * fine) * slow_frames(rng, count, 16.0, 2))
    hiss = layered(rng, count, [Layer(_jet(hump_hz), sputter), Layer(_jet(900.0), 0.25 * (1.2 - fine))])
    grain = 1 + (0.45 - 0.3 * fine) * slow_random(rng, count, 400.0)
    return settled(hiss * grain, intensity, rms=1.05)


HISS_RING_S = 0.9


def pneumatic(
    rng: np.random.Generator,
    strength: float,
    /,
    *,
    size: float | str = 0.5,
    variant: float | str = 0,
    **_: float | str,
) -> Mono:
    """Return a pneumatic valve: its clack, and air that rushes out until the pressure is gone.

    Args:
        rng: Chance.
        strength: Pressure.
        size: 0 a bus door's cylinder or a nail gun, 1 a lorry's brakes.
        variant: Which valve.
    """
    big = number(size, 0.0, 1.0, "size")
    valve, count = character("pneumatic", variant), length_samples(HISS_RING_S)
    t60_s = 0.22 * 4.0**big * rng.uniform(0.8, 1.2)
    hump_hz = 6000.0 / 2.2**big * valve.uniform(0.85, 1.2)
    pressure = decay(count, 2.0 * t60_s)
    t_s = np.arange(count) / RATE_HZ
    # the jet falls in level and in pitch together: what is left is slower air
    bright = noise(rng, count, _jet(hump_hz)) * pressure**2
    dull = noise(rng, count, _jet(0.35 * hump_hz)) * pressure * (1 - pressure)
    sound = 0.45 * np.minimum(1, t_s / 0.004) * (bright + 1.2 * dull)
    modes_hz = valve.uniform(900.0, 5200.0, 9)
    clack = ring_modes(modes_hz, np.full(9, 0.03), rng.normal(0.0, 1.0, 9), length_samples(0.06))
    add_at(sound, 0.7 * clack / (math.sqrt(9.0) + 1.0), 0)
    add_at(sound, 0.6 * noise_burst(rng, 0.008, low_hz=1200.0, high_hz=9000.0), 0)
    add_at(sound, (0.2 + 0.5 * big) * thud(rng, 130.0 - 50.0 * big, 0.05), 0)
    return recorded_hit(rng, sound, strength, ring_s=HISS_RING_S)


LIGHTHILL = "jet noise: Lighthill 1952; Farnell 2010"

RECIPES = (
    TextureRecipe("steam", "air", steam, defaults_of(steam), LIGHTHILL),
    TextureRecipe("spray", "air", spray, defaults_of(spray), LIGHTHILL),
    HitRecipe("pneumatic", "air", pneumatic, defaults_of(pneumatic), ring_s=HISS_RING_S, source=LIGHTHILL),
)
