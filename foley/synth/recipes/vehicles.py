"""Cars, trucks, motorcycles, boats: what runs on an engine."""

from __future__ import annotations

import numpy as np

from foley.synth.chain import delayed, mixed, peak_of, recorded_hit
from foley.synth.engines import ENGINES, SPEED_OF_SOUND_M_S, exhaust
from foley.synth.excitation import Signal, high_passed, length_samples, low_passed, noise_burst
from foley.synth.finish import character, choice, defaults_of, number, settled
from foley.synth.moving import Layer, at_frames, layered, lively, slow_frames
from foley.synth.recipe import HitRecipe, Mono, TextureRecipe
from foley.synth.resonators import resonant_grains, thud
from foley.synth.rotation import on_grid
from foley.synth.textures import CONTROL_SAMPLES, shower, spectrum, tinted
from foley.units import RATE_HZ


def engine(
    rng: np.random.Generator,
    intensity: Mono,
    /,
    *,
    kind: float | str = "car",
    variant: float | str = 0,
    **_: float | str,
) -> Mono:
    """Return an engine whose speed follows intensity from idle to full: the level follows it, too, as its root.

    `kind` is one of `foley.synth.engines.ENGINES`: car, v8, truck, tractor, motorcycle, scooter, mower, boat, aircraft.
    """
    build, type_ = character("engine", variant), choice(ENGINES, kind, "kind")
    rpm = type_.idle_rpm + (type_.full_rpm - type_.idle_rpm) * on_grid(intensity)
    sound = exhaust(rng, build, type_, rpm=rpm, samples=len(intensity))
    return settled(sound, np.sqrt(intensity), rms=1.0)


# --- passing by ------------------------------------------------------------------------------------------------------

TYRES = {
    "dry": spectrum({60: -16, 300: -6, 700: -1, 1000: 0, 2000: -6, 6000: -17, 14000: -33}),
    "wet": spectrum({60: -22, 400: -9, 1000: -5, 2500: -2, 6000: 0, 10000: -4, 16000: -14}),
    "gravel": spectrum({60: -10, 200: -2, 500: 0, 1200: -3, 3000: -9, 8000: -18, 14000: -30}),
    "snow": spectrum({60: -8, 150: -2, 400: 0, 900: -6, 2000: -15, 6000: -30, 14000: -44}),
}
"""Rolling noise: the tread's own pitch on asphalt, spray on a wet road, stones, packed snow."""

GRAVEL_STONES_HZ = 900.0
"""Stones that a tyre throws or cracks, a second, at 14 m/s."""

USUAL_SPEED_M_S = 14.0
"""50 km/h, where engine and tyres of a car are about equally loud."""


def _rolling(
    rng: np.random.Generator, build: np.random.Generator, near: Mono, *, speed_m_s: float, surface: str
) -> Signal:
    """Return tyres on a road, RMS about 1 at the usual speed, ~ v^1.5; with what they throw up where it is loose."""
    gain = (speed_m_s / USUAL_SPEED_M_S) ** 1.5
    shape = tinted(choice(TYRES, surface, "surface"), build, 1.0)
    sound = layered(rng, len(near), lively(rng, len(near), shape, 1.2, level=gain))
    if surface == "gravel":
        stones = resonant_grains(rng, 600.0, 4500.0, quality=(2.0, 6.0), decay_s=0.004, count=32)
        rate_hz = GRAVEL_STONES_HZ * float(np.clip(speed_m_s / USUAL_SPEED_M_S, 0.2, 1.5))
        sound += 0.7 * gain * shower(rng, len(near), stones, rate_hz=rate_hz, sigma=0.9)
    return sound


def tyres(
    rng: np.random.Generator,
    intensity: Mono,
    /,
    *,
    surface: float | str = "dry",
    variant: float | str = 0,
    **_: float | str,
) -> Mono:
    """Return tyres that roll on a dry or wet road, gravel or snow: intensity is the speed, duller when slow."""
    build = character("tyres", variant)
    sound = _rolling(rng, build, intensity, speed_m_s=USUAL_SPEED_M_S, surface=str(surface))
    dull = low_passed(sound, 700.0, 1)
    dull += (sound - dull) * np.sqrt(intensity)
    return settled(dull, intensity, rms=1.0 if surface != "gravel" else 1.22)


NEAREST_M = 5.0
"""How near it comes: the other lane."""


def car_pass(
    rng: np.random.Generator,
    intensity: Mono,
    /,
    *,
    speed_m_s: float | str = 14.0,
    kind: float | str = "car",
    surface: float | str = "dry",
    variant: float | str = 0,
    **_: float | str,
) -> Mono:
    """Return a vehicle that drives past: intensity is how near it is (1 nearest, level ~ 1/r).

    The engine's pitch follows the approach read from the intensity (Doppler) and never exceeds that of `speed_m_s`
    (1 to 90); tyres grow as v^1.5, and air and ground swallow the treble of what is far.
    """
    build, type_ = character("car_pass", variant), choice(ENGINES, kind, "kind")
    fast = number(speed_m_s, 1.0, 90.0, "speed_m_s")
    distance_m = NEAREST_M / np.maximum(on_grid(intensity), 0.04)
    approach = -np.gradient(distance_m) * (RATE_HZ / CONTROL_SAMPLES)
    doppler = 1 + np.clip(approach, -fast, fast) / SPEED_OF_SOUND_M_S
    revs = 0.25 + 0.4 * min(1.0, fast / 40.0)
    rpm = (type_.idle_rpm + revs * (type_.full_rpm - type_.idle_rpm)) * build.uniform(0.85, 1.15)
    sound = exhaust(rng, build, type_, rpm=rpm * doppler, samples=len(intensity))
    sound *= 1.5
    sound += 0.9 * _rolling(rng, build, intensity, speed_m_s=fast, surface=str(surface))
    dull = low_passed(sound, 900.0, 1)
    sound -= dull
    sound *= np.sqrt(intensity)
    sound += dull
    loud = float(np.hypot(0.75, 0.9 * (fast / USUAL_SPEED_M_S) ** 1.5))
    return settled(sound, intensity, rms=loud)


# --- on water --------------------------------------------------------------------------------------------------------

WASH = spectrum({60: -12, 200: -2, 500: 0, 1500: -4, 5000: -10, 14000: -20})
SLAP = spectrum({60: -4, 150: 0, 400: -4, 1200: -14, 4000: -28})


def boat(rng: np.random.Generator, intensity: Mono, /, *, variant: float | str = 0, **_: float | str) -> Mono:
    """Return a motor boat: a muffled engine and the wash, which slaps with the waves."""
    build, type_, count = character("boat", variant), ENGINES["boat"], len(intensity)
    rpm = type_.idle_rpm + (type_.full_rpm - type_.idle_rpm) * on_grid(intensity)
    waves = 10 ** (0.10 * slow_frames(rng, count, 1.5, 3))
    drive = 0.25 + 0.75 * at_frames(intensity)
    layers = [
        Layer(tinted(WASH, build, 2.0), 0.7 * waves * drive),
        Layer(SLAP, 0.35 * waves**2 * drive),
    ]
    sound = exhaust(rng, build, type_, rpm=rpm, samples=count)
    sound += layered(rng, count, layers)
    return settled(sound, np.sqrt(intensity), rms=1.30)


# --- wiper -----------------------------------------------------------------------------------------------------------


def wiper(
    rng: np.random.Generator,
    strength: float,
    /,
    *,
    wet: float | str = 0.7,
    variant: float | str = 0,
    **_: float | str,
) -> Mono:
    """Return one turn of a windscreen wiper: the blade flips over with a thump, then sweeps; dry glass makes it judder.

    `wet` 1 a soaked screen to 0 a dry one.
    """
    chance, dry = character("wiper", variant), 1.0 - number(wet, 0.0, 1.0, "wet")
    length = length_samples(0.62)
    place = np.arange(length) / length
    sweep = np.sin(np.pi * place) ** 0.6
    rubber = low_passed(high_passed(rng.standard_normal(length), 500.0, 1), 2600.0)
    water = high_passed(rng.standard_normal(length), 3500.0, 1)
    judder_hz = chance.uniform(45.0, 70.0) * (0.6 + 0.4 * sweep)
    angle = 2 * np.pi * np.cumsum(judder_hz) / RATE_HZ
    judder = np.maximum(0.0, np.sin(angle)) ** 3
    squeak = np.sin(angle * chance.uniform(9.0, 14.0)) * judder
    swish = sweep * (0.5 * rubber * (1.0 + 2.0 * dry * judder) + 0.25 * (1.0 - dry) * water + 0.5 * dry * squeak)
    thump = mixed(
        thud(rng, chance.uniform(75.0, 105.0), 0.09, noise=0.4),
        0.4 * noise_burst(rng, 0.02, low_hz=300.0, high_hz=2500.0),
    )
    motor = 0.015 * np.sin(2 * np.pi * np.cumsum(chance.uniform(150.0, 190.0) * (0.8 + 0.2 * sweep)) / RATE_HZ) * sweep
    sound = mixed(thump, delayed(0.35 * peak_of(swish) + motor, 0.015))
    return recorded_hit(rng, sound, strength, ring_s=0.75, wet=0.3)


BALDAN = "Baldan et al. 2015; Farnell 2010; cyclic dispersion: Heywood 1988"

RECIPES = (
    TextureRecipe("engine", "vehicles", engine, defaults_of(engine), BALDAN),
    TextureRecipe("car_pass", "vehicles", car_pass, defaults_of(car_pass), BALDAN),
    TextureRecipe("tyres", "vehicles", tyres, defaults_of(tyres), "rolling noise, peak near 1 kHz"),
    TextureRecipe("boat", "vehicles", boat, defaults_of(boat), BALDAN),
    HitRecipe("wiper", "vehicles", wiper, defaults_of(wiper), ring_s=0.75, source="stick and slip of rubber on glass"),
)
