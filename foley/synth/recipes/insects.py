"""Insects and frogs: small sounds that are simple enough to be made well.

Sources: A. Dolbear, "The cricket as a thermometer", Am. Nat. 31, 1897; H. Bennet-Clark, "Songs and the physics of sound
production", in F. Huber et al., "Cricket Behavior and Neurobiology", 1989 (one pulse for each closing of the wings);
H. Gerhardt, F. Huber, "Acoustic Communication in Insects and Anurans", 2002 (cicadas, frogs).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from foley.products import energy as energy_of
from foley.synth.calls import pressed
from foley.synth.excitation import Signal, decay, length_samples
from foley.synth.finish import character, choice, defaults_of, number, settled
from foley.synth.recipe import Mono, TextureRecipe
from foley.synth.textures import control_times_s, cycles, noise, scatter, slow_random, spectrum, stretched
from foley.units import RATE_HZ

# --- crickets and cicadas --------------------------------------------------------------------------------------------

NIGHT_AIR = spectrum({30: -10, 100: -8, 400: -10, 1500: -12, 6000: -14, 14000: -20})
PULSES = 4
"""Different closings of one cricket's wings."""


@dataclass(frozen=True, slots=True)
class Chirper:
    """A kind of insect that sings by rubbing or clicking."""

    low_hz: float
    high_hz: float
    pulses_hz: tuple[float, float]
    chirps: tuple[int, int]
    """Pulses of one chirp, from and below; 0 for one that never rests."""
    rest: tuple[float, float]
    """Silence after a chirp, in chirps."""
    rough: float
    """Noise on the tone, 0 to 1."""


CHIRPERS: Mapping[str, Chirper] = {
    "field": Chirper(3800.0, 5200.0, (28.0, 38.0), (3, 6), (1.5, 3.0), 0.0),
    "tree": Chirper(2400.0, 3600.0, (40.0, 55.0), (0, 0), (0.0, 0.0), 0.0),
    "grasshopper": Chirper(5500.0, 9000.0, (16.0, 26.0), (12, 24), (0.5, 1.5), 0.9),
    "cicada": Chirper(3600.0, 6500.0, (140.0, 220.0), (0, 0), (0.0, 0.0), 0.6),
}
MIXED = ("field", "field", "tree", "field", "tree")
"""Who sings in a summer's night, one after the other."""


def crickets(
    rng: np.random.Generator,
    intensity: Mono,
    /,
    *,
    count: float | str = 4,
    kind: float | str = "mixed",
    variant: float | str = 0,
    **_: float | str,
) -> Mono:
    """Return insects that sing: pulses of a nearly pure tone, in chirps of a few or unbroken.

    Args:
        rng: Chance.
        intensity: Of every sample.
        count: How many are near, 1 to 12.
        kind: field, tree (both crickets), grasshopper, cicada, or mixed: field and tree crickets.
        variant: Another meadow.
    """
    kinds = MIXED if kind == "mixed" else (str(kind),)
    meadow, samples = character(f"crickets {kind}", variant), len(intensity)
    sound, power = np.zeros(samples), 0.0
    for insect in range(round(number(count, 1.0, 12.0, "count"))):
        one = choice({**CHIRPERS, "mixed": CHIRPERS["field"]}, kinds[insect % len(kinds)], "kind")
        level = meadow.uniform(0.7, 1.0) * 0.8**insect
        song, its_power = _stridulation(rng, meadow, one, samples)
        sound += level * song
        power += level**2 * its_power
    air = 0.12 * float(np.sqrt(power)) * noise(rng, samples, NIGHT_AIR)
    return settled(sound + air, intensity, rms=float(np.sqrt(power)) * 1.03)


def _stridulation(
    rng: np.random.Generator, meadow: np.random.Generator, kind: Chirper, samples: int
) -> tuple[Signal, float]:
    """Return the song of one insect and its expected power."""
    pitch_hz = float(np.exp(meadow.uniform(np.log(kind.low_hz), np.log(kind.high_hz))))
    pulse_hz = meadow.uniform(*kind.pulses_hz)
    grains = [_pulse(meadow, pitch_hz, pulse_hz, kind.rough) for _pulse_number in range(PULSES)]
    sings = int(meadow.integers(*kind.chirps)) if kind.chirps[1] else 0
    turn = sings + int(np.ceil(sings * meadow.uniform(*kind.rest)))
    pace = rng.normal(1.0, 0.004, int((samples / RATE_HZ + 0.1) * pulse_hz * 1.05) + 8)
    at = np.asarray((np.cumsum(pace) - 2.0 - rng.random()) / pulse_hz * RATE_HZ, np.int64)
    place = np.arange(len(at)) + (int(rng.integers(turn)) if turn else 0)
    levels = np.exp(0.12 * rng.standard_normal(len(at)))
    if turn:
        inside = place % turn
        # a chirp begins softly: the first pulses are the weakest
        levels = np.where(inside < sings, levels * np.minimum(1.0, 0.55 + 0.2 * inside), 0.0)
        # now and then a chirp is left out
        levels = levels * (rng.random(len(at) // turn + 2) < 0.93)[place // turn - place[0] // turn]
    heard = levels > 0.0
    song = scatter(samples, at[heard], levels[heard], grains=grains, which=rng.integers(0, PULSES, int(heard.sum())))
    energy = float(np.mean([energy_of(grain) for grain in grains]))
    return song, pulse_hz / RATE_HZ * energy * (0.82 * sings / turn if turn else 1.0)


def _pulse(rng: np.random.Generator, pitch_hz: float, pulse_hz: float, rough: float) -> Signal:
    """Return one closing of the wings: the tone falls by 4 % while the scraper runs over the file."""
    count = length_samples(0.72 / pulse_hz)
    part = np.linspace(0.0, 1.0, count)
    tone = np.sin(2.0 * np.pi * cycles(pitch_hz * (1.02 - 0.04 * part) * np.ones(count)))
    teeth = rng.standard_normal(count) * rough
    swell = np.sin(np.pi * part**0.7) ** 1.2
    return np.asarray((tone * (1.0 - 0.5 * rough) + tone * teeth) * swell * rng.uniform(0.9, 1.1), np.float64)


# --- wings that hum --------------------------------------------------------------------------------------------------

WINGS: Mapping[str, tuple[float, float, float]] = {
    "bee": (190.0, 250.0, 0.55),
    "bumblebee": (125.0, 165.0, 0.5),
    "fly": (170.0, 220.0, 0.75),
    "wasp": (110.0, 150.0, 0.85),
    "mosquito": (420.0, 620.0, 0.35),
    "hummingbird": (38.0, 55.0, 0.3),
}
"""Beats a second, from and to, and how slowly the overtones fall: 1 a saw-tooth."""
TABLE = 2048
"""Samples of one period: the highest overtone kept is sampled 40 times."""
OVERTONES = 40


def bees(
    rng: np.random.Generator,
    intensity: Mono,
    /,
    *,
    count: float | str = 5,
    kind: float | str = "bee",
    variant: float | str = 0,
    **_: float | str,
) -> Mono:
    """Return insects on the wing, each coming and going; its pitch rises and falls as it turns.

    Args:
        rng: Chance.
        intensity: Of every sample.
        count: How many, 1 to 40; more than six are heard as a swarm behind six.
        kind: bee, bumblebee, fly, wasp, mosquito or hummingbird.
        variant: Others.
    """
    low_hz, high_hz, edge = choice(WINGS, kind, "kind")
    many, samples = round(number(count, 1.0, 40.0, "count")), len(intensity)
    hive = character(f"bees {kind}", variant)
    sound = np.zeros(samples, np.float32)
    for _bee in range(min(many, 6)):
        sound += _wings(rng, _period(hive, edge), hive.uniform(low_hz, high_hz), samples)
    power = float(min(many, 6))
    if many > 6:
        swarm = spectrum({low_hz: -14, 0.5 * (low_hz + high_hz): 0, high_hz: -14, 2 * low_hz: -9, 4 * low_hz: -18})
        sound += np.asarray(np.sqrt(many - 6.0) * noise(rng, samples, swarm), np.float32)
        power += many - 6.0
    return settled(pressed(np.asarray(sound, np.float64), intensity), intensity, rms=1.25 * float(np.sqrt(power)))


def _period(rng: np.random.Generator, edge: float) -> npt.NDArray[np.float32]:
    """Return one beat of a pair of wings, RMS 1: overtones of its own, and the first at the next sample again."""
    order = np.arange(1, OVERTONES + 1)
    gains = order ** (-0.8 / edge) * np.exp(rng.normal(0.0, 0.35, OVERTONES)) / (1.0 + (order / 18.0) ** 4)
    angle = 2.0 * np.pi * np.arange(TABLE) / TABLE
    wave = (gains[:, None] * np.sin(order[:, None] * angle + rng.uniform(0.0, 6.28, (OVERTONES, 1)))).sum(axis=0)
    return np.asarray(wave / np.sqrt(np.mean(wave**2)), np.float32)


def _wings(
    rng: np.random.Generator, period: npt.NDArray[np.float32], beat_hz: float, samples: int
) -> npt.NDArray[np.float32]:
    """Return one insect, RMS about 1: the table read at a wandering speed, nearer and farther.

    Speed and distance wander by corners 1 ms apart, over which the phase runs straight.
    """
    places = len(control_times_s(samples))
    slowed = RATE_HZ / CONTROL_HZ  # one corner stands for so many samples
    wander = 1.0 + 0.035 * slow_random(rng, places, 1.5 * slowed, 3)
    beat = stretched(np.cumsum(beat_hz * wander) / CONTROL_HZ + rng.random(), samples)
    index = ((beat - np.floor(beat)) * TABLE).astype(np.int32)
    near = np.clip(slow_random(rng, places, 0.6 * slowed, 2), -2.2, 1.3)
    return period[index] * stretched(np.exp(0.7 * near), samples).astype(np.float32)


CONTROL_HZ = 1000.0
"""Corners a second of `textures.stretched`."""


# --- frogs -----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Frog:
    """A kind of frog: a croak is a burst of pulses that ring in its throat."""

    low_hz: float
    high_hz: float
    pulses_hz: float
    """Within a croak; 0 for one that whistles."""
    length_s: float
    croaks_hz: float
    """Of one frog."""
    rise: float
    """Of the pitch within a croak."""


FROGS: Mapping[str, Frog] = {
    "pond": Frog(900.0, 1700.0, 48.0, 0.28, 1.1, 1.1),
    "tree": Frog(1700.0, 2700.0, 110.0, 0.16, 2.2, 1.25),
    "bull": Frog(190.0, 260.0, 90.0, 0.7, 0.4, 1.05),
    "peeper": Frog(2700.0, 3200.0, 0.0, 0.12, 1.1, 1.08),
}


def frogs(
    rng: np.random.Generator,
    intensity: Mono,
    /,
    *,
    count: float | str = 5,
    kind: float | str = "pond",
    variant: float | str = 0,
    **_: float | str,
) -> Mono:
    """Return frogs that answer each other: more of them at higher intensity.

    Args:
        rng: Chance.
        intensity: Of every sample.
        count: How many, 1 to 12.
        kind: pond, tree, bull (a bullfrog's low note) or peeper (whistles).
        variant: Another pond.
    """
    frog, samples = choice(FROGS, kind, "kind"), len(intensity)
    pond = character(f"frogs {kind}", variant)
    sound, power = np.zeros(samples), 0.0
    for place in range(round(number(count, 1.0, 12.0, "count"))):
        level = 0.78**place
        pitch_hz = float(np.exp(pond.uniform(np.log(frog.low_hz), np.log(frog.high_hz))))
        croaks = [_croak(pond, frog, pitch_hz) for _croak_number in range(3)]
        rate_hz = frog.croaks_hz * pond.uniform(0.8, 1.2)
        gaps = rng.gamma(9.0, 1.0 / 9.0, int((samples / RATE_HZ + 2.0) * rate_hz * 1.6) + 6) / rate_hz
        at = np.asarray((np.cumsum(gaps) - 1.5) * RATE_HZ, np.int64)
        at = at[at < samples]
        # a chorus swells and rests: some croaks are left out while it rests
        at = at[rng.random(len(at)) < 0.4 + 0.6 * np.asarray(intensity)[np.maximum(at, 0)]] if samples else at
        levels = level * np.exp(rng.normal(0.0, 0.15, len(at)))
        sound += scatter(samples, at, levels, grains=croaks, which=rng.integers(0, 3, len(at)))
        power += rate_hz / RATE_HZ * level**2 * float(np.mean([energy_of(each) for each in croaks]))
    air = 0.1 * float(np.sqrt(power)) * noise(rng, samples, NIGHT_AIR)
    return settled(sound + air, np.sqrt(intensity), rms=1.02 * float(np.sqrt(power)))


def _croak(rng: np.random.Generator, frog: Frog, pitch_hz: float) -> Signal:
    """Return one croak: pulses that each ring for some milliseconds, growing louder and a little higher."""
    count = length_samples(frog.length_s * rng.uniform(0.85, 1.15))
    part = np.linspace(0.0, 1.0, count)
    pitch = pitch_hz * (1.0 + (frog.rise - 1.0) * part) * rng.uniform(0.98, 1.02)
    angle = 2.0 * np.pi * cycles(pitch)
    tone = np.sin(angle) + 0.35 * np.sin(2.0 * angle + 1.0) + 0.15 * np.sin(3.0 * angle)
    swell = np.sin(np.pi * part**1.4) ** 0.7
    if frog.pulses_hz == 0.0:
        return np.asarray(np.sin(angle) * swell, np.float64)
    beat = cycles(frog.pulses_hz * (1.15 - 0.3 * part))
    ringing = decay(TABLE, 0.55 * TABLE / RATE_HZ)[((beat - np.floor(beat)) * TABLE).astype(np.intp)]
    ringing = np.minimum(ringing, 12.0 * (beat - np.floor(beat)))  # a pulse starts without a click
    return np.asarray((tone + 0.15 * rng.standard_normal(count)) * ringing * swell, np.float64)


RECIPES = (
    TextureRecipe("crickets", "animals", crickets, defaults_of(crickets), "Dolbear 1897; Bennet-Clark 1989"),
    TextureRecipe("bees", "animals", bees, defaults_of(bees), "wing beats: Bennet-Clark 1989"),
    TextureRecipe("frogs", "animals", frogs, defaults_of(frogs), "Gerhardt & Huber 2002"),
)
