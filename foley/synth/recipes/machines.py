"""Machines that turn, hum and tick."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from foley.products import energy
from foley.synth.calls import far_off
from foley.synth.excitation import Signal, length_samples, low_passed
from foley.synth.finish import TEXTURE_RMS, add_at, character, choice, defaults_of, number, settled
from foley.synth.moving import Layer, at_frames, layered, lively, slow_frames, whistle
from foley.synth.places import add_hum
from foley.synth.recipe import Mono, TextureRecipe
from foley.synth.resonators import resonant_grains, ring_modes, thud
from foley.synth.rotation import PERIOD_SAMPLES, harmonics, on_grid, period, played, rotating, wander
from foley.synth.textures import erb_spectrum, scatter, shower, spectrum, tinted
from foley.units import RATE_HZ

# --- electric motor --------------------------------------------------------------------------------------------------

AIR = spectrum({60: -6, 250: 0, 900: -3, 3000: -10, 9000: -20})
BRUSHES = spectrum({200: -20, 2000: -4, 5000: 0, 12000: -10})

FIRST_SPEED = 0.4
"""Share of its full speed at which a motor turns when intensity is near 0."""


def motor(
    rng: np.random.Generator,
    intensity: Mono,
    /,
    *,
    rpm: float | str = 3000.0,
    harsh: float | str = 0.4,
    air: float | str = 0.5,
    variant: float | str = 0,
    **_: float | str,
) -> Mono:
    """Return an electric motor: tones of rotor, coils and gear, hissing brushes, the fan. It reaches `rpm` at 1.

    Harmonics fall evenly in dB, the more slowly the harsher (Baldan et al. 2015).

    Args:
        rng: Chance.
        intensity: Speed and level.
        rpm: 100 to 40 000.
        harsh: Smooth 0 to rasping 1.
        air: RMS of its fan, 0 to 3.
        variant: Which motor.
    """
    count, build = len(intensity), character("motor", variant)
    rough = number(harsh, 0.0, 1.0, "harsh")
    full_hz = number(rpm, 100.0, 40_000.0, "rpm") / 60.0
    drive = on_grid(intensity)
    hz = full_hz * (FIRST_SPEED + (1 - FIRST_SPEED) * drive) * (1 + 0.004 * wander(rng, count, 3.0, 2))
    shaft = rotating(hz, count, start=rng.random())
    coils, gear = int(build.integers(6, 11)), build.uniform(2.6, 4.4)
    sound = played(shaft, period(_falling({1: 0.5, coils: 0.7, 2 * coils: 0.3}, rough, build, turns_hz=full_hz), build))
    teeth = _falling({coils: 0.3}, rough, build, turns_hz=gear * full_hz)
    load = 10 ** (0.05 * wander(rng, count, 4.0, 2))
    sound += played(shaft, period(teeth, build), ratio=gear, level=load)
    sound *= 0.8
    flow = number(air, 0.0, 3.0, "air") * (0.3 + 0.7 * at_frames(intensity))
    layers = lively(rng, count, tinted(AIR, build, 2.0), 0.6, level=flow)
    layers.append(Layer(BRUSHES, 0.25 * rough * 10 ** (0.08 * slow_frames(rng, count, 10.0))))
    sound += layered(rng, count, layers)
    return settled(sound, np.sqrt(intensity), rms=0.765)


HIGHEST_HZ = 16_000.0


def _falling(bases: dict[int, float], harsh: float, build: np.random.Generator, *, turns_hz: float) -> dict[int, float]:
    """Return four harmonics of each order, as far as they can be heard."""
    orders: dict[int, float] = {}
    for base, level in bases.items():
        for harmonic in range(1, 5):
            if base * harmonic * turns_hz < HIGHEST_HZ:
                part = level * float(np.exp(-(1.2 - harsh) * (harmonic - 1))) * build.uniform(0.6, 1.3)
                orders[base * harmonic] = orders.get(base * harmonic, 0.0) + part
    return orders


# --- fan -------------------------------------------------------------------------------------------------------------

FAN_AIR = spectrum({30: -4, 100: 0, 250: -1, 600: -5, 1500: -11, 4000: -20, 10000: -33})


def fan(
    rng: np.random.Generator,
    intensity: Mono,
    /,
    *,
    rpm: float | str = 1200.0,
    hum: float | str = 0.3,
    variant: float | str = 0,
    **_: float | str,
) -> Mono:
    """Return a fan or air conditioner: rushing air that swells with each blade, a bearing, the mains' hum.

    Args:
        rng: Chance.
        intensity: Level and openness.
        rpm: 60 (a ceiling fan, blade by blade) to 6000 (a computer's).
        hum: RMS of the motor's hum at twice the mains, 0 to 2.
        variant: Which fan.
    """
    count, build = len(intensity), character("fan", variant)
    blades = int(build.integers(3, 8))
    hz = number(rpm, 60.0, 6000.0, "rpm") / 60.0 * (1 + 0.003 * wander(rng, count, 0.5, 3))
    shaft = rotating(hz, count, start=rng.random())
    turn = np.arange(PERIOD_SAMPLES) / PERIOD_SAMPLES
    # no blade is like the next, and the rotor is never quite balanced
    swell = 1.0 + 0.30 * np.cos(2 * np.pi * blades * turn) + 0.12 * np.cos(2 * np.pi * (turn + build.random()))
    gust = played(shaft, np.asarray(swell, np.float32))
    layers = lively(rng, count, tinted(FAN_AIR, build, 2.0), 0.9, level=0.4 + 0.6 * at_frames(intensity))
    gust *= layered(rng, count, layers)
    blade = {blades * order: float(level) for order, level in harmonics(6, 7.0).items()} | {1: 0.15}
    gust += played(shaft, period(blade, build), level=0.20 * 10 ** (0.06 * wander(rng, count, 1.0, 2)))
    mains_hz = 100.0 * build.choice([1.0, 1.2])
    coil = period({1: 1.0, 2: 0.4, 3: 0.3, 4: 0.15, 6: 0.08}, build)
    gust += played(
        rotating(np.full(len(hz), mains_hz), count), coil, level=np.full(len(hz), number(hum, 0.0, 2.0, "hum"))
    )
    return settled(gust, intensity, rms=1.08)


# --- household appliances --------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Appliance:
    """A universal motor, what it drives, and the case around it."""

    turns_hz: float
    """At full speed."""
    blades: int
    """Of its fan or knives: a tone at every pass."""
    tone: float
    air: float
    air_shape: dict[float, float]
    churn_hz: float = 0.0
    """How often the load tumbles a second."""
    churn_db: float = 0.0
    grit: float = 0.0
    """Knocks of what is in it."""


APPLIANCES = {
    "vacuum": Appliance(480.0, 9, 0.30, 1.0, {80: -14, 250: -3, 600: 0, 1500: -2, 4000: -7, 9000: -15}),
    "hair_dryer": Appliance(260.0, 7, 0.22, 1.0, {80: -18, 300: -5, 900: 0, 2500: -1, 6000: -6, 12000: -14}),
    "blender": Appliance(300.0, 4, 0.8, 0.6, {100: -12, 400: -2, 1200: 0, 3000: -3, 8000: -12}, 5.0, 1.5, 0.35),
    "coffee_grinder": Appliance(330.0, 2, 0.6, 0.6, {150: -12, 600: -2, 2000: 0, 5000: -3, 11000: -12}, 9.0, 1.5, 0.8),
    "mixer": Appliance(190.0, 6, 0.9, 0.4, {100: -10, 500: 0, 1500: -4, 5000: -12}, 3.0, 1.0),
    "shaver": Appliance(120.0, 2, 1.0, 0.25, {200: -12, 1000: 0, 3000: 0, 8000: -6}, 2.0, 1.0),
    "washing_machine": Appliance(17.0, 24, 0.45, 0.8, {30: -2, 80: 0, 250: -4, 800: -11, 3000: -22}, 0.9, 2.5, 0.10),
    "microwave": Appliance(50.0, 2, 0.6, 0.6, {60: -4, 120: 0, 400: -4, 1500: -12, 5000: -24}),
}


def appliance(
    rng: np.random.Generator,
    intensity: Mono,
    /,
    *,
    kind: float | str = "vacuum",
    variant: float | str = 0,
    **_: float | str,
) -> Mono:
    """Return a household machine, which climbs to its speed with intensity.

    `kind` is vacuum, hair_dryer, blender, coffee_grinder, mixer, shaver, washing_machine or microwave.
    """
    count, build, type_ = len(intensity), character(f"appliance {kind}", variant), choice(APPLIANCES, kind, "kind")
    churn = wander(rng, count, max(type_.churn_hz, 0.3), 3)
    load = 1.0 - 0.02 * np.maximum(churn, 0.0) * (type_.churn_db > 0.0) + 0.002 * wander(rng, count, 2.0)
    hz = type_.turns_hz * build.uniform(0.9, 1.1) * (0.35 + 0.65 * on_grid(intensity)) * load
    shaft = rotating(hz, count, start=rng.random())
    swell = 10 ** (type_.churn_db / 20.0 * churn)
    orders = _falling({1: 0.35, type_.blades: 1.0, 2 * type_.blades: 0.4}, 0.5, build, turns_hz=type_.turns_hz)
    sound = played(shaft, period(orders, build), level=type_.tone * swell)
    fast = 0.3 + 0.7 * at_frames(intensity)
    level = type_.air * fast * 10 ** (type_.churn_db / 20.0 * slow_frames(rng, count, max(type_.churn_hz, 0.3), 2))
    sound += layered(rng, count, lively(rng, count, tinted(spectrum(type_.air_shape), build, 2.0), 0.8, level=level))
    if type_.grit > 0.0:
        sound += type_.grit * _grit(rng, build, count, heavy_load=kind == "washing_machine")
    loud = float(np.sqrt(type_.air**2 + 0.75 * type_.tone**2 + type_.grit**2))
    return settled(sound, np.sqrt(intensity), rms=loud)


def _grit(rng: np.random.Generator, build: np.random.Generator, count: int, *, heavy_load: bool) -> Signal:
    """Return what is thrown about inside, RMS 1: ice, beans, or wet cloth against the drum."""
    if heavy_load:
        falls = [thud(rng, build.uniform(55.0, 90.0), 0.12, noise=0.5) for _ in range(6)]
        grains = [fall / np.sqrt(energy(fall)) for fall in falls]
        return shower(rng, count, grains, rate_hz=2.5, sigma=0.5)
    pieces = resonant_grains(rng, 500.0, 5000.0, quality=(1.5, 6.0), decay_s=0.006, count=32)
    return shower(rng, count, pieces, rate_hz=500.0, sigma=0.8)


# --- clock -----------------------------------------------------------------------------------------------------------


CASE_MODES = 32
TICK_S = 0.14
ROOM_AIR = erb_spectrum((0, -4, -8, -12, -15, -17, -19, -21, -23, -25))
"""What is heard in a room between ticks: its air and, in the treble, the recorder's own hiss."""
TALLEST = 2.5
"""Peak of a tick before it is limited: recorded ones stand 25 dB over the whole, for which no level leaves room."""


def _ticks(rng: np.random.Generator, build: np.random.Generator, slope: float) -> list[Signal]:
    """Return ticks of one clock: three small impacts within 28 ms in a case, whose modes go as f^slope; peak 1.

    The pallet slides off a tooth, pushes, and the next tooth drops onto the other pallet: the last is the loudest.
    """
    lowest_hz = float(np.exp(build.uniform(np.log(250.0), np.log(1200.0))))
    case_hz = np.sort(np.exp(build.uniform(np.log(lowest_hz), np.log(9000.0), CASE_MODES)))
    t60_s = np.exp(build.uniform(np.log(0.03), np.log(0.13))) * (case_hz / 2000.0) ** -0.4
    gaps = [0, *np.sort(build.integers(length_samples(0.003), length_samples(0.028), 2)).tolist()]
    weights = (build.uniform(0.1, 0.6), build.uniform(0.1, 0.7), 1.0)
    made = []
    for _tick in range(3):
        sound = np.zeros(length_samples(TICK_S))
        for gap, level in zip(gaps, weights, strict=True):
            gains = np.exp(build.normal(0, 1.4, CASE_MODES)) * (case_hz / 2000.0) ** slope
            ring = ring_modes(case_hz, t60_s, gains, length_samples(0.1), phases=rng.uniform(-1, 1, CASE_MODES))
            tap = length_samples(0.003)
            ring[:tap] += (
                0.35 * np.abs(ring).max() * low_passed(rng.standard_normal(tap), 9000.0, 1) * np.linspace(1, 0, tap)
            )
            add_at(sound, level * ring, gap)
        made.append(sound / np.abs(sound).max())
    return made


def _in_a_room(ticks: Sequence[Signal], build: np.random.Generator) -> list[Signal]:
    """Return the ticks with the answer of one room: on a shelf by the microphone or across a bare hall."""
    t60_s, wet = build.uniform(0.25, 0.8), float(np.exp(build.uniform(np.log(0.04), np.log(0.4))))
    rests = [np.pad(tick, (0, length_samples(t60_s))) for tick in ticks]
    return np.split(far_off(build, np.concatenate(rests), t60_s, wet=wet), len(ticks))


def clock(
    rng: np.random.Generator,
    intensity: Mono,
    /,
    *,
    beats_hz: float | str = 2.0,
    air: float | str = 0.5,
    variant: float | str = 0,
    **_: float | str,
) -> Mono:
    """Return a clock that ticks and tocks `beats_hz` times a second: 1 a pendulum clock, 5 a watch (0.3 to 12).

    Args:
        rng: Chance.
        intensity: Of every sample.
        beats_hz: Ticks and tocks a second.
        air: How much of the room's air and hum is heard between them, 0 to 1.
        variant: Another clock in another room.
    """
    count, bed, build = len(intensity), number(air, 0.0, 1.0, "air"), character("clock", variant)
    period_samples = RATE_HZ / number(beats_hz, 0.3, 12.0, "beats_hz")
    slope = float(build.normal(-0.1, 0.8))  # of wood or of tin
    ticks = _in_a_room(_ticks(rng, build, slope + 0.2) + _ticks(rng, build, slope - 0.2), build)
    turn = np.arange(-int(len(ticks[0]) / period_samples) - 2, int(count / period_samples) + 1)
    at = (turn + rng.uniform(0.2, 1.0) + rng.normal(0, 0.002, len(turn))) * period_samples
    # hardly a clock is in beat: tick to tock takes longer than tock to tick, or the other way round
    at[1::2] += build.uniform(-0.06, 0.06) * period_samples
    # every other beat the pallet falls from the other side: the tock is duller and softer
    which = rng.integers(0, 3, len(at)) + 3 * (np.arange(len(at)) % 2)
    tock = build.uniform(0.15, 1.0)
    levels = np.exp(rng.normal(0.0, 0.1, len(at))) * np.where(which < 3, 1.0, tock)
    sound = scatter(count, np.asarray(at, np.int64), levels, grains=ticks, which=which)
    each = (energy(np.concatenate(ticks[:3])) + tock**2 * energy(np.concatenate(ticks[3:]))) / len(ticks)
    loud = float(np.sqrt(each / period_samples))
    quiet = 2.0 * bed * loud * 10.0 ** (build.uniform(-36.0, -6.0) / 20.0)
    swell = 10.0 ** (0.1 * slow_frames(rng, count, 0.7, 5))
    sound += layered(rng, count, [Layer(tinted(ROOM_AIR, build, 8.0), quiet * swell)])
    add_hum(sound, build, quiet * build.uniform(0.0, 1.0))
    return settled(sound, intensity, rms=max(loud, TEXTURE_RMS / TALLEST))


# --- ship ------------------------------------------------------------------------------------------------------------

HULL_DB = (0, -2, -7, -13, -19, -25, -31, -37, -43, -49)
DRONES_HZ = (36.0, 54.2, 72.0, 108.3, 144.1, 216.5)
"""Root and fifth over three octaves, mistuned by parts of a hertz so that they beat once in some seconds."""

SINE = np.asarray(np.sin(2 * np.pi * np.arange(PERIOD_SAMPLES) / PERIOD_SAMPLES), np.float32)


def hum_ship(rng: np.random.Generator, intensity: Mono, /, *, variant: float | str = 0, **_: float | str) -> Mono:
    """Return the deep hum of a spaceship: beating drones, a breathing resonance, air; nearer is brighter."""
    count, build = len(intensity), character("hum_ship", variant)
    drive = on_grid(intensity)
    tuning = build.uniform(0.85, 1.2)
    swell = 10 ** (0.04 * slow_frames(rng, count, 0.3, 2))
    sound = layered(rng, count, [Layer(tinted(erb_spectrum(HULL_DB), build, 2.0), 0.55 * swell)])
    drift = 1 + 0.001 * wander(rng, count, 0.3)
    for number_, drone_hz in enumerate(DRONES_HZ):
        level = (1.0, 0.55, 0.8, 0.4, 0.35, 0.2)[number_] * (0.5 + 0.5 * drive) ** (number_ / 2)
        for side in (-1.0, 1.0):
            hz = tuning * (drone_hz + side * build.uniform(0.05, 0.25)) * drift
            sound += played(rotating(hz, count, start=rng.random()), SINE, level=0.5 * level)
    # a throbbing resonance, once in two to four seconds: what makes it alive and large
    throbs = rotating(np.full(len(drive), build.uniform(0.25, 0.5)), count, start=rng.random())
    throb = 0.6 + 0.4 * played(throbs, SINE)
    resonance_hz = tuning * 290.0 * (1 + 0.12 * wander(rng, count, 0.15, 2))
    sound += 0.35 * whistle(rng, count, resonance_hz, 8.0) * throb * intensity
    return settled(sound, intensity, rms=0.86)


RECIPES = (
    TextureRecipe("motor", "machines", motor, defaults_of(motor), "Baldan et al. 2015"),
    TextureRecipe("fan", "machines", fan, defaults_of(fan), "blades that pass; Farnell 2010"),
    TextureRecipe("appliance", "machines", appliance, defaults_of(appliance), "universal motors: Baldan et al. 2015"),
    TextureRecipe("clock", "machines", clock, defaults_of(clock), "escapement: Farnell 2010"),
    TextureRecipe("hum_ship", "machines", hum_ship, defaults_of(hum_ship), "beating drones"),
)
