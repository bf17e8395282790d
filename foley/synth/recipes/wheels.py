"""What rolls without an engine, and tyres that lose their grip."""

from __future__ import annotations

import numpy as np

from foley.synth.chain import mixed
from foley.synth.excitation import Signal, length_samples
from foley.synth.finish import character, choice, defaults_of, number, settled
from foley.synth.moving import Layer, at_frames, layered, lively, slow_frames
from foley.synth.recipe import Mono, TextureRecipe
from foley.synth.resonators import resonant_grains, ring_modes, thud
from foley.synth.rotation import harmonics, on_grid, period, played, rotating, wander
from foley.synth.textures import heavy, scatter, shower, spectrum, stretched, tinted, unit_energy

# --- bicycle ---------------------------------------------------------------------------------------------------------

BICYCLE_TYRES = spectrum({80: -10, 200: -3, 500: 0, 1500: -5, 4000: -9, 9000: -18})
CHAIN = spectrum({300: -20, 1200: -5, 3000: 0, 6000: -3, 12000: -14})
WHEEL_M = 2.1
"""Circumference of a wheel."""


def _pawls(rng: np.random.Generator, build: np.random.Generator) -> list[Signal]:
    """Return clicks of a freewheel: pawls that fall into the hub's ratchet."""
    hub_hz = np.sort(np.exp(build.uniform(np.log(1800.0), np.log(9000.0), 9)))
    made = []
    for _click in range(8):
        gains = np.exp(rng.normal(0, 0.4, 9))
        made.append(ring_modes(hub_hz, 0.008 * (hub_hz / 3000.0) ** -0.5, gains, length_samples(0.012)))
    return unit_energy(made)


def bicycle(
    rng: np.random.Generator,
    intensity: Mono,
    /,
    *,
    speed_m_s: float | str = 5.0,
    coasting: float | str = 0.5,
    variant: float | str = 0,
    **_: float | str,
) -> Mono:
    """Return a bicycle: tyres, the chain while the rider pedals, the freewheel's ticking while he coasts.

    Args:
        rng: Chance.
        intensity: Speed and nearness.
        speed_m_s: At full intensity, 1 to 20.
        coasting: Share of the time without pedalling, 0 to 1.
        variant: Which bicycle.
    """
    count, build = len(intensity), character("bicycle", variant)
    fast = number(speed_m_s, 1.0, 20.0, "speed_m_s")
    idle = number(coasting, 0.0, 1.0, "coasting")
    hub_hz = fast / WHEEL_M * (0.4 + 0.6 * on_grid(intensity))
    ticks = rotating(hub_hz * int(build.choice([18, 24, 36])), count, start=rng.random())
    places = np.arange(np.ceil(ticks.turns[0]), ticks.turns[-1])
    at = ticks.when(places + 0.03 * rng.standard_normal(len(places)))
    at = np.clip(at, 0, max(count - 1, 0))
    # pedalling and coasting take turns of a second or two
    threshold = (0.5 - idle) * 3.0
    free = 1.0 / (1.0 + np.exp(-12.0 * (wander(rng, count, 0.35) - threshold)))
    coasts = stretched(free, count)
    levels = 3.0 * heavy(rng, len(at), 0.25) * coasts[at] if count else np.zeros(len(at))
    sound = scatter(count, at, levels, grains=_pawls(rng, build), which=rng.integers(0, 8, len(at)))
    pedals = (1.0 - at_frames(coasts)) * (1.0 + 0.4 * np.sin(np.cumsum(np.full(len(at_frames(coasts)), 0.35))))
    layers = lively(rng, count, tinted(BICYCLE_TYRES, build, 2.0), 1.5, rate_hz=2.0, level=0.7)
    layers.append(Layer(CHAIN, 0.3 * pedals * 10 ** (0.1 * slow_frames(rng, count, 12.0))))
    sound += layered(rng, count, layers)
    return settled(sound, intensity, rms=0.8)


# --- small hard wheels -----------------------------------------------------------------------------------------------

WHEELS = {
    "skateboard": (spectrum({60: -14, 150: -4, 350: 0, 900: -2, 2200: -6, 5000: -14, 12000: -28}), 900.0, 1.0),
    "cart": (spectrum({60: -16, 200: -4, 700: -1, 1800: 0, 4000: -5, 9000: -14, 16000: -26}), 500.0, 2.2),
    "suitcase": (spectrum({60: -12, 150: -1, 400: 0, 1000: -4, 2500: -10, 6000: -20, 14000: -34}), 600.0, 1.2),
    "rollerblade": (spectrum({100: -14, 300: -6, 800: 0, 2000: -2, 5000: -8, 12000: -20}), 1200.0, 0.6),
}
"""Colour of the rumble, grains a second, and how much the thing on top rattles."""

JOINT_S = 0.9
"""Between joints of a pavement at full speed; the second axle follows at a tenth of it."""


def wheels(
    rng: np.random.Generator,
    intensity: Mono,
    /,
    *,
    kind: float | str = "skateboard",
    variant: float | str = 0,
    **_: float | str,
) -> Mono:
    """Return small hard wheels on hard ground: skateboard, cart, suitcase or rollerblade; intensity is the speed.

    They hum with the ground's grain, knock over its joints, axle by axle, and what they carry rattles.
    """
    count, build = len(intensity), character("wheels", variant)
    shape, grains_hz, rattle = choice(WHEELS, kind, "kind")
    rough = 10 ** (0.12 * slow_frames(rng, count, 7.0, 2))
    sound = layered(rng, count, lively(rng, count, tinted(shape, build, 2.0), 1.5, rate_hz=1.5, level=rough))
    stones = resonant_grains(rng, 250.0, 2800.0, quality=(1.0, 4.0), decay_s=0.006, count=32)
    sound += 0.6 * shower(rng, count, stones, rate_hz=grains_hz, sigma=0.9, curve=np.asarray(intensity, np.float64))
    sound += _knocks(rng, build, intensity)
    parts = resonant_grains(build, 1500.0, 6000.0, quality=(8.0, 25.0), decay_s=0.02, count=12)
    sound += 0.25 * rattle * shower(rng, count, parts, rate_hz=45.0, sigma=0.8, curve=np.asarray(intensity, np.float64))
    return settled(sound, intensity, rms=1.45)


def _knocks(rng: np.random.Generator, build: np.random.Generator, speed: Mono) -> Signal:
    """Return both axles over the joints of a pavement."""
    count = len(speed)
    road = rotating((0.3 + 0.7 * on_grid(speed)) / JOINT_S, count, start=rng.random())
    slabs = np.arange(np.floor(road.turns[0]), road.turns[-1] + 1)
    slabs = slabs + 0.08 * rng.standard_normal(len(slabs))
    at = np.concatenate([road.when(slabs), road.when(slabs + build.uniform(0.08, 0.14))])
    made = []
    for _knock in range(4):
        hz = np.sort(np.exp(build.uniform(np.log(250.0), np.log(2500.0), 10)))
        deck = ring_modes(hz, 0.05 * (hz / 500.0) ** -0.6, rng.normal(0, 1, 10), length_samples(0.08))
        made.append(mixed(2.2 * thud(rng, 110.0, 0.06), 2.0 * deck / np.abs(deck).max()))
    levels = np.exp(0.3 * rng.standard_normal(len(at)))
    return scatter(count, at, levels, grains=made, which=rng.integers(0, 4, len(at)))


# --- skidding --------------------------------------------------------------------------------------------------------

SCUFF = spectrum({100: -14, 300: -4, 700: 0, 1500: -4, 4000: -12, 10000: -24})


def skid(
    rng: np.random.Generator,
    intensity: Mono,
    /,
    *,
    surface: float | str = "asphalt",
    variant: float | str = 0,
    **_: float | str,
) -> Mono:
    """Return tyres that skid, on asphalt (they squeal) or gravel (they plough): intensity is how hard.

    On asphalt the tread's blocks stick and slip at 500 to 1100 Hz; each tyre has its own pitch, which sags as it gets
    hotter and flutters with the load, and where the grip returns for a moment only the scuff is left.
    """
    count, build = len(intensity), character("skid", variant)
    squeal = choice({"asphalt": 1.0, "gravel": 0.0}, surface, "surface")
    rub = 10 ** (0.15 * slow_frames(rng, count, 6.0, 3))
    sound = layered(
        rng, count, lively(rng, count, tinted(SCUFF, build, 2.0), 1.5, level=(0.45 if squeal else 0.8) * rub)
    )
    if not squeal:
        stones = resonant_grains(rng, 300.0, 3500.0, quality=(1.5, 5.0), decay_s=0.006, count=48)
        sound += 0.8 * shower(rng, count, stones, rate_hz=1400.0, sigma=0.9)
        return settled(sound, intensity, rms=1.2)
    for _tyre in range(3):
        hz = build.uniform(520.0, 1050.0) * (0.9 + 0.1 * on_grid(intensity))
        hz = hz * (1 + 0.02 * wander(rng, count, 0.8, 2) + 0.012 * wander(rng, count, 25.0, 2))
        grips = np.clip(0.8 + 0.7 * wander(rng, count, 2.5, 3), 0.0, 1.6)
        flutter = 10 ** (0.15 * wander(rng, count, 40.0))
        tread = period(harmonics(9, 6.5), build)
        sound += played(rotating(hz, count, start=rng.random()), tread, level=0.6 * grips * flutter)
    return settled(sound, intensity, rms=1.10)


RECIPES = (
    TextureRecipe("bicycle", "vehicles", bicycle, defaults_of(bicycle), "freewheel of 18 to 36 teeth"),
    TextureRecipe("wheels", "vehicles", wheels, defaults_of(wheels), "rolling as in Rath 2003, with joints"),
    TextureRecipe("skid", "vehicles", skid, defaults_of(skid), "stick and slip of tread blocks"),
)
