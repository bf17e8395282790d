"""Cloth and leather: all follow the intensity, which is how fast they move, or how hard the wind blows.

Sources: A. Farnell, "Designing Sound", 2010; F. Avanzini, S. Serafin, D. Rocchesso, "Interactive simulation of rigid
body interaction with friction-induced sound generation", IEEE Trans. SAP 13, 2005 (stick and slip). The spectrum of
cotton: eight recorded movements.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np

from foley.synth.chain import faded, mixed
from foley.synth.crackle import bent
from foley.synth.excitation import Signal, decay, length_samples, noise_burst, slips
from foley.synth.finish import character, choice, defaults_of, number, settled
from foley.synth.recipe import Mono, TextureRecipe
from foley.synth.resonators import resonant_grains, ring_modes
from foley.synth.textures import (
    Spectrum,
    heavy,
    heavy_power,
    noise,
    scatter,
    shower,
    slow_random,
    spectrum,
    unit_energy,
)
from foley.units import RATE_HZ


@dataclass(frozen=True, slots=True)
class Fabric:
    """What clothes are made of."""

    slow: Spectrum
    """Of folds that move slowly."""
    fast: Spectrum
    """What comes on top of it with speed."""
    fold_hz: float
    """Folds a second that pass over each other."""
    weave: float
    """Depth of the coarse rubbing of thread over thread."""
    weave_hz: float
    tick_hz: tuple[float, float]
    """Range of creases and seams."""
    ticks: float
    """Level of them re the rubbing."""
    rms: float
    """Measured over minutes at intensity 1."""


FABRICS = {
    "silk": Fabric(
        slow=spectrum({60: -22, 200: -10, 600: -4, 2000: -3, 5000: -4, 9000: -8, 16000: -20}),
        fast=spectrum({100: -30, 800: -12, 3000: -3, 7000: 0, 12000: -5, 18000: -16}),
        fold_hz=4.0,
        weave=0.15,
        weave_hz=150.0,
        tick_hz=(2500.0, 9000.0),
        ticks=0.10,
        rms=1.06,
    ),
    "cotton": Fabric(
        slow=spectrum({60: -12, 200: -2, 450: 0, 900: -8, 2500: -18, 6000: -22, 14000: -31}),
        fast=spectrum({60: -16, 200: -8, 450: -2, 900: -4, 2500: -8, 6000: -11, 14000: -22}),
        fold_hz=5.0,
        weave=0.3,
        weave_hz=90.0,
        tick_hz=(500.0, 5000.0),
        ticks=0.25,
        rms=1.08,
    ),
    "denim": Fabric(
        slow=spectrum({60: -8, 180: 0, 450: -1, 1000: -8, 2500: -16, 6000: -24, 14000: -34}),
        fast=spectrum({60: -16, 250: -6, 700: 0, 1800: -3, 4000: -9, 8000: -16, 14000: -26}),
        fold_hz=4.0,
        weave=0.75,
        weave_hz=55.0,
        tick_hz=(400.0, 2800.0),
        ticks=0.35,
        rms=1.26,
    ),
    "coat": Fabric(
        slow=spectrum({60: -6, 150: 0, 400: -3, 1000: -11, 2500: -20, 6000: -28, 14000: -38}),
        fast=spectrum({60: -10, 200: -3, 500: 0, 1500: -6, 4000: -14, 9000: -24, 14000: -32}),
        fold_hz=2.8,
        weave=0.4,
        weave_hz=40.0,
        tick_hz=(300.0, 2000.0),
        ticks=0.3,
        rms=1.12,
    ),
    "nylon": Fabric(
        slow=spectrum({60: -24, 250: -9, 700: -4, 1800: 0, 4000: -2, 8000: -6, 15000: -16}),
        fast=spectrum({100: -26, 700: -8, 2200: 0, 5000: 0, 9000: -5, 16000: -14}),
        fold_hz=6.0,
        weave=0.8,
        weave_hz=120.0,
        tick_hz=(1200.0, 7000.0),
        ticks=0.45,
        rms=1.38,
    ),
}
"""By the value of the parameter `fabric`; nylon is a rain jacket."""


@cache
def _ticks(low_hz: float, high_hz: float, decay_s: float) -> list[Signal]:
    return resonant_grains(character("threads", low_hz), low_hz, high_hz, quality=(1.0, 3.0), decay_s=decay_s)


def _speed(intensity: Mono) -> Signal:
    return np.clip(intensity.astype(np.float64), 0.0, 1.0)


def cloth_move(
    rng: np.random.Generator, intensity: Mono, /, *, fabric: float | str = "cotton", **_: float | str
) -> Mono:
    """Return clothes on somebody who moves: rubbing that comes in folds, with sparse ticks of seams and creases.

    `fabric` is silk, cotton, denim, coat or nylon. Faster is brighter.
    """
    cloth = choice(FABRICS, fabric, "fabric")
    count, speed = len(intensity), _speed(intensity)
    folds = np.clip(0.7 + 0.5 * slow_random(rng, count, cloth.fold_hz, 3), 0.08, None)
    weave = np.clip(1.0 + cloth.weave * slow_random(rng, count, cloth.weave_hz, 2), 0.0, None)
    rub = (noise(rng, count, cloth.slow) + 0.8 * noise(rng, count, cloth.fast) * speed) * folds * weave
    busy = np.clip(0.5 * folds, 0.0, 1.0) * speed
    ticks = shower(rng, count, _ticks(*cloth.tick_hz, 0.004), rate_hz=140.0, sigma=1.0, curve=busy)
    return settled(rub + cloth.ticks * ticks, intensity, rms=cloth.rms)


@dataclass(frozen=True, slots=True)
class Weave:
    """Cloth, or hooks and loops, that is pulled apart."""

    threads_hz: float
    """Breaks a second at full speed."""
    break_hz: tuple[float, float]
    catch_hz: float
    """How often it catches and gives way."""
    body: Spectrum
    """Of the cloth that is shaken by it."""
    rms: float
    """Measured over minutes at intensity 1."""


WEAVES = {
    "velcro": Weave(3000.0, (900.0, 7500.0), 75.0, spectrum({80: -22, 300: -6, 800: 0, 2500: -3, 7000: -12}), 0.612),
    "silk": Weave(2200.0, (1800.0, 9500.0), 45.0, spectrum({100: -30, 700: -8, 2500: 0, 7000: -2, 14000: -14}), 0.545),
    "cotton": Weave(1100.0, (700.0, 5500.0), 28.0, spectrum({80: -18, 300: -3, 900: 0, 3000: -6, 9000: -18}), 0.536),
    "denim": Weave(650.0, (400.0, 3600.0), 20.0, spectrum({60: -12, 200: 0, 700: -1, 2500: -9, 8000: -24}), 0.527),
}
"""By the value of `fabric`."""


def cloth_rip(
    rng: np.random.Generator, intensity: Mono, /, *, fabric: float | str = "cotton", **_: float | str
) -> Mono:
    """Return cloth that is torn, or velcro: threads break in avalanches, because the pull catches and gives way.

    `fabric` is velcro, silk, cotton or denim; the intensity is the speed.
    """
    weave = choice(WEAVES, fabric, "fabric")
    count, speed = len(intensity), _speed(intensity)
    catches = np.clip(0.45 + 0.5 * slow_random(rng, count, weave.catch_hz, 3), 0.1, 1.4)
    dense = np.clip(speed * catches, 0.0, 1.0)
    threads = shower(rng, count, _ticks(*weave.break_hz, 0.003), rate_hz=weave.threads_hz, sigma=1.0, curve=dense)
    body = noise(rng, count, weave.body) * catches
    return settled(bent(threads + 0.5 * body, 5.5 * weave.rms), intensity, rms=weave.rms)


def _flap(rng: np.random.Generator, size: float) -> Signal:
    """Return one snap of a flag: cloth that is pulled tight (crack) and pushes air (thump), of unit energy."""
    thump_s = (0.05 + 0.09 * size) * rng.uniform(0.7, 1.4)
    thump = noise_burst(rng, thump_s, low_hz=140.0 - 80.0 * size, high_hz=900.0 - 550.0 * size)
    thump *= np.minimum(1.0, np.arange(len(thump)) / (0.006 * RATE_HZ))
    crack = noise_burst(rng, rng.uniform(0.012, 0.03), low_hz=900.0, high_hz=6500.0 - 3000.0 * size)
    sound = mixed(thump, rng.uniform(0.2, 1.2) * crack)
    return unit_energy([faded(sound, 0.001, 0.01)])[0]


FLAG_WIND = spectrum({40: -6, 150: 0, 500: -4, 1500: -12, 4000: -20, 12000: -34})


def flag(
    rng: np.random.Generator,
    intensity: Mono,
    /,
    *,
    size: float | str = 0.5,
    variant: float | str = 0,
    **_: float | str,
) -> Mono:
    """Return a flag or sail in the wind (the intensity): a wave runs along it and snaps at its free edge.

    `size` 0 is a pennant that flutters 14 times a second, 1 a sail that claps thrice. Waves run as fast as the wind, so
    more of them arrive when it blows harder.
    """
    large = number(size, 0.0, 1.0, "size")
    count, wind = len(intensity), _speed(intensity)
    chance = character("flag", variant)
    gust = np.clip(1.0 + 0.3 * slow_random(rng, count, 0.9, 3), 0.3, 1.7)
    rate_hz = 14.0 * (3.0 / 14.0) ** large * chance.uniform(0.85, 1.15)
    at = slips(rng, rate_hz * (0.35 + 0.65 * wind) * gust, 0.35)
    pool = [_flap(chance, large) for _ in range(24)]
    levels = heavy(rng, len(at), 0.4) * gust[at] / np.sqrt(rate_hz / RATE_HZ * heavy_power(0.4))
    snaps = scatter(count, at, levels, grains=pool, which=rng.integers(0, len(pool), len(at)))
    ripple = np.clip(0.6 + 0.6 * slow_random(rng, count, 4.0 * rate_hz, 2), 0.0, None)
    rustle = noise(rng, count, FABRICS["cotton"].fast) * ripple * gust
    return settled(snaps + 0.2 * rustle + 0.12 * noise(rng, count, FLAG_WIND) * gust, intensity, rms=FLAG_RMS)


FLAG_RMS = 1.08
"""Measured over minutes, for all sizes."""

LEATHER_RUB = spectrum({60: -14, 200: 0, 600: -3, 1500: -10, 4000: -20, 12000: -34})
CREAKS_HZ = (35.0, 190.0)
"""Slips a second of leather that barely and that quickly bends."""


def leather_creak(
    rng: np.random.Generator, intensity: Mono, /, *, size: float | str = 0.5, variant: float | str = 0, **_: float | str
) -> Mono:
    """Return leather that bends: it sticks and slips in short groans of gliding pitch, over soft rubbing.

    `size` 0 is a glove, 0.5 a jacket or belt, 1 a saddle or armchair, which answers an octave lower.
    """
    chance = character("leather", variant)
    count, speed = len(intensity), _speed(intensity)
    low, high = CREAKS_HZ
    groans = np.clip(0.9 * slow_random(rng, count, 2.5, 2), 0.0, 1.0)
    glide = 2.0 ** (0.5 * slow_random(rng, count, 4.0, 1))
    bent = np.clip(speed * groans, 0.0, 1.0)
    at = slips(rng, np.where(bent > 0.02, low * (high / low) ** bent * glide, 0.0), 0.18)
    f = 0.5 ** (number(size, 0.0, 1.0, "size") - 0.5) * np.sort(
        np.exp(chance.uniform(np.log(420.0), np.log(3400.0), 12))
    )
    pool = unit_energy([_slip_of_leather(rng, f) for _ in range(12)])
    levels = heavy(rng, len(at), 0.5) * np.sqrt(bent[at])
    sound = scatter(count, at, levels, grains=pool, which=rng.integers(0, len(pool), len(at)))
    rub = noise(rng, count, LEATHER_RUB) * np.clip(0.6 + 0.5 * slow_random(rng, count, 5.0, 2), 0.05, None)
    return settled(sound / np.sqrt(high / RATE_HZ) + 0.12 * rub, intensity, rms=LEATHER_RMS)


LEATHER_RMS = 0.534
"""Measured over minutes."""


def _slip_of_leather(rng: np.random.Generator, modes_hz: Signal) -> Signal:
    gains = 10.0 ** (-3.0 * np.log2(modes_hz / modes_hz[0]) / 20.0) * np.exp(rng.normal(0.0, 0.4, len(modes_hz)))
    length = length_samples(0.03)
    tone = ring_modes(modes_hz, 0.014 * (modes_hz / 800.0) ** -0.6, gains, length, phases=rng.uniform(-0.6, 0.6, 12))
    return tone + 0.1 * rng.standard_normal(length) * decay(length, 0.004)


STICK_SLIP = "stick and slip: Avanzini et al. 2005"

RECIPES = (
    TextureRecipe("cloth_move", "fabric", cloth_move, defaults_of(cloth_move), "fitted to recorded cloth"),
    TextureRecipe("cloth_rip", "fabric", cloth_rip, defaults_of(cloth_rip), "threads that break in avalanches"),
    TextureRecipe("flag", "fabric", flag, defaults_of(flag), "travelling wave that snaps at the edge: Farnell 2010"),
    TextureRecipe("leather_creak", "fabric", leather_creak, defaults_of(leather_creak), STICK_SLIP),
)
