"""Horns, sirens, beeps, telephones, laser guns: sounds that are made to be heard.

Sources: ISO 7731 (danger signals), NFPA 72 (the three beeps of a smoke detector), SAE J1849 (wail and yelp),
DIN 14610 (two-tone horns); A. Farnell, "Designing Sound", 2010 (telephone bell, siren).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from scipy.fft import irfft

from foley.synth.chain import delayed, faded, mixed, peak_of, recorded_hit
from foley.synth.excitation import Signal, decay, length_samples, low_passed, noise_burst
from foley.synth.finish import character, choice, defaults_of, number, settled
from foley.synth.recipe import HitRecipe, MakesHit, Mono, TextureRecipe
from foley.synth.resonators import ring_modes
from foley.synth.rotation import harmonics, on_grid, period, played, rotating, wander
from foley.synth.textures import reverberant
from foley.units import RATE_HZ

EDGE_S = 0.0015
"""How fast a tone is switched on: no click, and its start can still be seen to the frame."""


TONE_SAMPLES = 4096
"""Length of one period in the table that a tone is read from."""


def _tone(rng: np.random.Generator, hz: float | Signal, length: int, *, orders: Mapping[int, float]) -> Signal:
    """Return a tone with its harmonics, those near half the rate left out."""
    top_hz = float(np.max(hz))
    bins = np.zeros(TONE_SAMPLES // 2 + 1, np.complex128)
    for order, level in orders.items():
        if order * top_hz < 0.42 * RATE_HZ:
            bins[order] = -1j * level * np.exp(0.3j * rng.standard_normal())
    table = irfft(bins, TONE_SAMPLES) * (TONE_SAMPLES / 2)
    turn = np.cumsum(np.broadcast_to(np.asarray(hz, np.float64), (length,))) / RATE_HZ
    turn -= np.floor(turn)
    return np.asarray(table[(turn * TONE_SAMPLES).astype(np.intp)], np.float64)


# --- horns -----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Horn:
    """Diaphragms or reeds that blow together."""

    tones_hz: tuple[float, ...]
    fall_db: float
    """Of the harmonics per octave."""
    formant_hz: float
    """Where the trumpet radiates best."""
    build_s: float
    """How long its tone takes to stand."""
    air: float
    """Peak of the blown air re the tone."""


HORNS = {
    "car": Horn((405.0, 502.0), 3.0, 2600.0, 0.015, 0.03),
    "truck": Horn((185.0, 235.0, 312.0), 3.5, 1300.0, 0.06, 0.06),
    "train": Horn((255.0, 311.0, 370.0, 415.0), 3.5, 1500.0, 0.08, 0.08),
    "ship": Horn((92.0, 138.0), 4.0, 500.0, 0.20, 0.10),
    "bulb": Horn((330.0,), 3.0, 1100.0, 0.02, 0.05),
}
"""A major third on cars, chords on locomotives, the lowest allowed for the length of a ship, a clown's bulb."""

LONGEST_HORN_S = 3.0


def horn(
    rng: np.random.Generator,
    strength: float,
    /,
    *,
    kind: float | str = "car",
    duration_s: float | str = 0.5,
    variant: float | str = 0,
    **_: float | str,
) -> Mono:
    """Return one blast of a horn: car, truck, train, ship or bulb, held for `duration_s` (0.1 to 3).

    Pressure builds within some hundredths of a second, during which the pitch is a little low; it lets go as fast.
    """
    chance, type_ = character(f"horn {kind}", variant), choice(HORNS, kind, "kind")
    held_s = number(duration_s, 0.1, LONGEST_HORN_S, "duration_s") * rng.uniform(0.9, 1.1)
    length = length_samples(held_s)
    t_s = np.arange(length) / RATE_HZ
    blown = 1.0 - 0.7 * np.exp(-t_s / type_.build_s)
    sag = 1.0 - 0.03 * np.exp(-t_s / type_.build_s) - 0.04 * np.clip((t_s - held_s + 0.06) / 0.06, 0.0, 1.0) ** 2
    tuning = chance.uniform(0.94, 1.06) * (1.0 + 0.002 * rng.standard_normal())
    sound = np.zeros(length)
    for tone_hz in type_.tones_hz:
        hz = tone_hz * tuning * chance.uniform(0.99, 1.01)
        orders = {
            order: 10.0 ** (-type_.fall_db * np.log2(order) / 20.0)
            * (1.0 + 2.0 * np.exp(-((np.log2(order * hz / type_.formant_hz) / 0.6) ** 2)))
            for order in range(1, min(24, int(9000.0 / hz)))
        }
        sound += _tone(chance, hz * sag, length, orders=orders)
    sound = peak_of(sound) * blown
    sound += type_.air * low_passed(rng.standard_normal(length), 4000.0) * blown
    sound = mixed(sound, 0.3 * noise_burst(rng, 0.03, low_hz=400.0, high_hz=5000.0))  # the valve opens, the disc snaps
    return recorded_hit(rng, faded(sound, 0.0005, 0.04), strength, ring_s=held_s + 0.25, wet=0.5)


# --- siren -----------------------------------------------------------------------------------------------------------

WAIL_HZ, TWO_TONE_HZ, AIR_RAID_HZ = (560.0, 1380.0), (435.0, 580.0), (180.0, 460.0)
SWEEPS_HZ = {"wail": 0.19, "yelp": 3.2, "two_tone": 0.55, "air_raid": 0.07}
"""Sweeps a second."""


RISE_SHARE = 0.4
"""Of a sweep: it rises faster than it falls."""


def _sweep(phase: Signal) -> Signal:
    """Return how high a siren is in its sweep, 0 to 1 and back: a capacitor that is charged, then discharged."""
    up = (1.0 - np.exp(-phase / 0.12)) / (1.0 - np.exp(-RISE_SHARE / 0.12))
    end = np.exp(-(1.0 - RISE_SHARE) / 0.25)
    down = (np.exp(-np.maximum(phase - RISE_SHARE, 0.0) / 0.25) - end) / (1.0 - end)
    return np.asarray(np.where(phase < RISE_SHARE, up, down), np.float64)


def siren(
    rng: np.random.Generator,
    intensity: Mono,
    /,
    *,
    kind: float | str = "wail",
    variant: float | str = 0,
    **_: float | str,
) -> Mono:
    """Return an emergency siren in a street: wail, yelp, two_tone or air_raid; intensity is how near it is.

    Wail and yelp sweep as a charging capacitor does, faster up than down; two-tone horns stand a fourth apart.
    """
    count, build = len(intensity), character("siren", variant)
    sweeps = rotating(
        np.full(len(on_grid(intensity)), choice(SWEEPS_HZ, kind, "kind") * build.uniform(0.9, 1.1)), count
    )
    phase = (sweeps.turns + rng.random()) % 1.0
    if kind == "two_tone":
        hz = np.where(phase < 0.5, TWO_TONE_HZ[0], TWO_TONE_HZ[1])
    else:
        low, high = WAIL_HZ if kind != "air_raid" else AIR_RAID_HZ
        hz = low * (high / low) ** _sweep(phase)
    hz = hz * build.uniform(0.96, 1.04) * (1.0 + 0.001 * wander(rng, count, 3.0))
    orders = harmonics(12, 5.0)
    # a compression driver in its horn: harmonics within 1 to 4 kHz stand out
    shaped = {order: level * (1.6 if 2 <= order <= 4 else 1.0) for order, level in orders.items()}
    tone = played(rotating(hz, count, start=rng.random()), period(shaped, build))
    sound = reverberant(rng, np.asarray(tone, np.float64), 0.9, wet=0.35, corner_hz=2500.0)
    dull = low_passed(sound, 1100.0, 1)
    dull += (sound - dull) * np.sqrt(intensity)
    return settled(dull, intensity, rms=1.15)


# --- beeps -----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Beeper:
    """What beeps, and how."""

    pitch_hz: float
    count: int
    """Beeps in one signal."""
    beep_s: float
    pause_s: float
    orders: dict[int, float]
    second_hz: float = 0.0
    """Pitch of every other beep; 0: the same."""


SQUARE = {1: 1.0, 3: 0.33, 5: 0.2, 7: 0.12}
PIEZO = {1: 1.0, 2: 0.12, 3: 0.25, 5: 0.06}
SINE = {1: 1.0, 2: 0.04, 3: 0.02}

BEEPERS = {
    "alarm_clock": Beeper(2048.0, 4, 0.062, 0.062, SQUARE),
    "smoke": Beeper(3150.0, 3, 0.5, 0.5, PIEZO),
    "microwave": Beeper(2000.0, 1, 0.5, 0.0, PIEZO),
    "monitor": Beeper(960.0, 1, 0.12, 0.0, SINE),
    "reversing": Beeper(1250.0, 1, 0.5, 0.0, SQUARE),
    "scanner": Beeper(2730.0, 1, 0.08, 0.0, PIEZO),
    "car_alarm": Beeper(1450.0, 2, 0.18, 0.02, SQUARE, second_hz=1050.0),
    "buzzer": Beeper(100.0, 1, 0.6, 0.0, {order: 0.9**order for order in range(1, 40)}),
    "doorbell": Beeper(659.3, 2, 0.45, 0.0, SINE, second_hz=523.3),
}
"""Smoke detectors give the temporal three; a heart monitor is low and soft; a door chime falls by a third."""


def beep(
    rng: np.random.Generator,
    strength: float,
    /,
    *,
    kind: float | str = "alarm_clock",
    variant: float | str = 0,
    **_: float | str,
) -> Mono:
    """Return one signal of a device.

    `kind` is alarm_clock, smoke, microwave, monitor, reversing, scanner, car_alarm, buzzer or doorbell. Each device has
    its own pitch (5 %); a room answers.
    """
    chance, type_ = character(f"beep {kind}", variant), choice(BEEPERS, kind, "kind")
    tuning = chance.uniform(0.95, 1.05)
    parts = []
    for number_ in range(type_.count):
        hz = type_.second_hz if type_.second_hz and number_ % 2 else type_.pitch_hz
        length = length_samples(type_.beep_s if kind != "doorbell" else 1.2)
        tone = _tone(chance, hz * tuning, length, orders=type_.orders)
        tone = tone * decay(length, 1.3) if kind == "doorbell" else faded(tone, EDGE_S, 0.004)
        if kind == "doorbell":
            tone = faded(mixed(tone, 0.2 * noise_burst(rng, 0.01, low_hz=800.0, high_hz=5000.0)), 0.0005, 0.2)
        parts.append(delayed(tone * np.exp(0.03 * rng.standard_normal()), number_ * (type_.beep_s + type_.pause_s)))
    return recorded_hit(rng, mixed(*parts), strength, ring_s=LONGEST_BEEP_S, wet=0.5)


LONGEST_BEEP_S = 2.8


# --- telephones ------------------------------------------------------------------------------------------------------

HAMMER_HZ = 22.0
"""Strokes a second of an old telephone's hammer, between its two gongs."""


def _bell_phone(rng: np.random.Generator, chance: np.random.Generator, ring_s: float) -> Signal:
    """Return an electromechanical ringer: a hammer between two gongs a third apart."""
    gongs = []
    for lowest_hz in (1180.0 * chance.uniform(0.94, 1.06), 1440.0 * chance.uniform(0.94, 1.06)):
        f = lowest_hz * np.array([1.0, 1.006, 2.32, 2.335, 4.25, 6.63]) * np.exp(0.004 * chance.standard_normal(6))
        gains = np.array([1.0, 0.7, 0.8, 0.5, 0.4, 0.25])
        gongs.append(ring_modes(f, np.array([1.1, 1.0, 0.7, 0.6, 0.35, 0.2]), gains, length_samples(1.2)))
    strikes = np.arange(0.0, ring_s, 1.0 / HAMMER_HZ)
    strikes[1:] += 0.0015 * rng.standard_normal(len(strikes) - 1)
    sound = np.zeros(length_samples(ring_s + 1.4))
    for index, at_s in enumerate(strikes.tolist()):
        gong = gongs[index % 2] * rng.uniform(0.8, 1.0)
        start = round(at_s * RATE_HZ)
        sound[start : start + len(gong)] += gong
        knock = noise_burst(rng, 0.006, low_hz=900.0, high_hz=7000.0)
        sound[start : start + len(knock)] += 0.5 * knock
    return sound


def _electronic_phone(rng: np.random.Generator, chance: np.random.Generator, ring_s: float) -> Signal:
    """Return a warbling ringer: two pitches that take turns 16 times a second."""
    length = length_samples(ring_s)
    low_hz = chance.uniform(900.0, 1300.0)
    first = (np.arange(length) / RATE_HZ * 16.0) % 1.0 < 0.5
    return faded(_tone(chance, np.where(first, low_hz, 1.25 * low_hz), length, orders=SQUARE), EDGE_S, 0.01)


def _vibrating_phone(rng: np.random.Generator, chance: np.random.Generator, ring_s: float) -> Signal:
    """Return a vibrating phone on a table: the motor's unbalance, the case that rattles on the wood."""
    length = length_samples(ring_s)
    hz = chance.uniform(150.0, 185.0) * (1.0 - 0.35 * np.exp(-np.arange(length) / (0.04 * RATE_HZ)))
    hum = _tone(chance, hz, length, orders={1: 1.0, 2: 0.6, 3: 0.5, 4: 0.3, 5: 0.25, 7: 0.15})
    turn = np.cumsum(hz) / RATE_HZ
    rattle = rng.standard_normal(length) * np.maximum(0.0, np.sin(2 * np.pi * turn)) ** 6
    rattle *= 0.5 + 0.5 * np.repeat(rng.random(length // 480 + 1), 480)[:length]
    return faded(peak_of(hum) + 0.5 * peak_of(low_passed(rattle, 3500.0, 1)), EDGE_S, 0.03)


def phone(
    rng: np.random.Generator,
    strength: float,
    /,
    *,
    kind: float | str = "bell",
    duration_s: float | str = 1.2,
    variant: float | str = 0,
    **_: float | str,
) -> Mono:
    """Return one ring of a telephone, `duration_s` long (0.3 to 2): bell, electronic, or vibrating on a table."""
    makers = {"bell": _bell_phone, "electronic": _electronic_phone, "vibrating": _vibrating_phone}
    make, chance = choice(makers, kind, "kind"), character(f"phone {kind}", variant)
    ring_s = number(duration_s, 0.3, 2.0, "duration_s")
    return recorded_hit(rng, make(rng, chance, ring_s), strength, ring_s=LONGEST_RING_S, wet=0.4)


LONGEST_RING_S = 3.4


# --- laser -----------------------------------------------------------------------------------------------------------


def laser(rng: np.random.Generator, strength: float, /, *, variant: float | str = 0, **_: float | str) -> Mono:
    """Return a science-fiction gun: a zap whose pitch falls from some kHz in a tenth of a second, on a hard crack.

    As the classic was recorded: a struck guy wire, whose high waves arrive before its low ones.
    """
    chance = character("laser", variant)
    length = length_samples(0.45)
    t_s = np.arange(length) / RATE_HZ
    top_hz, fall_s = chance.uniform(4200.0, 6500.0) * rng.uniform(0.96, 1.04), chance.uniform(0.045, 0.075)
    hz = 140.0 + top_hz * np.exp(-t_s / fall_s)
    zap = sum(_tone(chance, hz * split, length, orders={1: 1.0, 2: 0.35, 3: 0.15}) for split in (1.0, 1.013)) * decay(
        length, 0.40
    )
    crack = noise_burst(rng, 0.05, low_hz=300.0, high_hz=6000.0)
    sound = mixed(peak_of(zap), 0.6 * crack, delayed(0.25 * peak_of(zap), chance.uniform(0.06, 0.1)))
    return recorded_hit(rng, sound, strength, ring_s=0.8, wet=0.6)


def _hit(name: str, make: MakesHit, ring_s: float, *, source: str) -> HitRecipe:
    return HitRecipe(name, "signals", make, defaults_of(make), ring_s=ring_s, source=source)


RECIPES = (
    _hit("horn", horn, 1.1 * LONGEST_HORN_S + 0.3, source="diaphragm and trumpet: harmonics with a formant"),
    TextureRecipe("siren", "signals", siren, defaults_of(siren), "SAE J1849, DIN 14610"),
    _hit("beep", beep, LONGEST_BEEP_S, source="NFPA 72 and common devices"),
    _hit("phone", phone, LONGEST_RING_S, source="Farnell 2010"),
    _hit("laser", laser, 0.8, source="dispersion of a struck wire"),
)
