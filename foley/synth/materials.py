"""What things are made of, and what one blow on such a thing sounds like.

Material is heard from damping, size from the lowest mode, hardness from brightness. Damping grows with frequency:
T60(f) = 2.2 / (eta(f) f) with the loss factor eta(f) = eta0 (f / 1 kHz)^p. Objects that stand or are held ring shorter
than bare ones, so the loss factors here lie above those of tables for bare materials.

Sources: R. Klatzky, D. Pai, E. Krotkov, "Perception of material from contact sounds", Presence 9, 2000; D. Freed,
"Auditory correlates of perceived mallet hardness", JASA 87, 1990; K. van den Doel, D. Pai, "The sounds of physical
shapes", Presence 7, 1998. Figures are fitted to recordings of struck objects (band levels 0-18 ms and 40-80 ms).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np

from foley.synth.chain import mixed
from foley.synth.excitation import (
    Signal,
    contact_time_s,
    hertz_gain,
    hertz_pulse,
    length_samples,
    noise_burst,
)
from foley.synth.resonators import (
    BAR_RATIOS,
    CUP_RATIOS,
    block_modes_hz,
    diffuse_field,
    paired_modes_hz,
    plate_modes_hz,
    ring_modes,
    thud,
)

LONGEST_RING_S = 3.0
"""No mode is computed for longer."""

SIZE_TILT_DB = 2.5
"""A large object's modes fall by so much more per octave than a small one's: it is struck over a smaller part of it."""

SIZE_CONTACT = 3.0
"""It is touched so many times as long: tau ~ m^0.4 (Hertz), and lengths differ by a factor of 2.5."""

BEND_FROM_HZ = 125.0
"""Lowest of the eight octaves in which objects of one material differ."""

OBJECT_SPREAD_DB = 2.5
"""Of level per octave between objects of one material: recorded ones spread twice as far as their modes alone do."""


@dataclass(frozen=True, slots=True)
class Material:
    """A material in a typical shape."""

    shape: Literal["plate", "block", "cup", "bar"]
    loss: float
    """Loss factor at 1 kHz, with mounting and radiation."""
    loss_exponent: float
    contact_s: float
    """How long a hard tip touches it at strength 1."""
    largest_hz: float
    """Lowest mode of a large object (size 1)."""
    smallest_hz: float
    """Lowest mode of a small one (size 0)."""
    modes: int
    tilt_db: float
    """Fall of mode strength per octave above the lowest."""
    field: float
    """Peak of the dense modes re the single ones."""
    noise: float
    """Peak of the contact noise re the single modes."""

    def t60_s(self, frequency_hz: float, ring: float = 1.0) -> float:
        """Return how long a mode takes to fall by 60 dB; `ring` scales it: 0.05 clamped, 1 free.

        >>> round(WOOD.t60_s(1000.0), 3)
        0.049
        """
        loss = self.loss * math.pow(frequency_hz / 1000.0, self.loss_exponent)
        return 2.2 * ring / (loss * frequency_hz)


STEEL = Material(
    shape="plate",
    loss=0.0025,
    loss_exponent=-0.75,
    contact_s=0.08e-3,
    largest_hz=260.0,
    smallest_hz=900.0,
    modes=60,
    tilt_db=1.0,
    field=0.80,
    noise=0.20,
)
ANVIL = Material(
    shape="block",
    loss=0.0008,
    loss_exponent=-0.30,
    contact_s=0.06e-3,
    largest_hz=900.0,
    smallest_hz=1500.0,
    modes=32,
    tilt_db=-1.0,
    field=0.15,
    noise=0.12,
)
SHEET = Material(
    shape="plate",
    loss=0.0038,
    loss_exponent=-0.55,
    contact_s=0.12e-3,
    largest_hz=90.0,
    smallest_hz=260.0,
    modes=60,
    tilt_db=1.5,
    field=1.00,
    noise=0.25,
)
GLASS = Material(
    shape="cup",
    loss=0.0025,
    loss_exponent=-0.30,
    contact_s=0.08e-3,
    largest_hz=900.0,
    smallest_hz=2400.0,
    modes=12,
    tilt_db=0.0,
    field=0.35,
    noise=0.30,
)
PANE = Material(
    shape="plate",
    loss=0.011,
    loss_exponent=-0.40,
    contact_s=0.12e-3,
    largest_hz=80.0,
    smallest_hz=320.0,
    modes=60,
    tilt_db=0.0,
    field=0.60,
    noise=0.25,
)
CERAMIC = Material(
    shape="cup",
    loss=0.0090,
    loss_exponent=-0.30,
    contact_s=0.12e-3,
    largest_hz=700.0,
    smallest_hz=1500.0,
    modes=12,
    tilt_db=-1.5,
    field=0.45,
    noise=0.30,
)
WOOD = Material(
    shape="plate",
    loss=0.045,
    loss_exponent=-0.30,
    contact_s=0.25e-3,
    largest_hz=190.0,
    smallest_hz=560.0,
    modes=36,
    tilt_db=-3.5,
    field=0.90,
    noise=0.35,
)
HOLLOW_WOOD = Material(
    shape="plate",
    loss=0.038,
    loss_exponent=-0.35,
    contact_s=0.40e-3,
    largest_hz=85.0,
    smallest_hz=170.0,
    modes=60,
    tilt_db=-2.8,
    field=0.90,
    noise=0.35,
)
STONE = Material(
    shape="block",
    loss=0.024,
    loss_exponent=-0.35,
    contact_s=0.22e-3,
    largest_hz=550.0,
    smallest_hz=1600.0,
    modes=24,
    tilt_db=-3.5,
    field=0.60,
    noise=0.25,
)
PLASTIC = Material(
    shape="plate",
    loss=0.022,
    loss_exponent=-0.20,
    contact_s=0.35e-3,
    largest_hz=220.0,
    smallest_hz=520.0,
    modes=36,
    tilt_db=-1.5,
    field=0.80,
    noise=0.35,
)
FLESH = Material(
    shape="bar",
    loss=0.30,
    loss_exponent=0.0,
    contact_s=4.0e-3,
    largest_hz=70.0,
    smallest_hz=160.0,
    modes=6,
    tilt_db=-6.0,
    field=0.10,
    noise=0.25,
)

RUBBER = Material(
    shape="block",
    loss=0.12,
    loss_exponent=-0.10,
    contact_s=2.0e-3,
    largest_hz=110.0,
    smallest_hz=300.0,
    modes=12,
    tilt_db=-5.0,
    field=0.25,
    noise=0.25,
)
CARDBOARD = Material(
    shape="plate",
    loss=0.10,
    loss_exponent=-0.10,
    contact_s=0.9e-3,
    largest_hz=80.0,
    smallest_hz=240.0,
    modes=36,
    tilt_db=-3.2,
    field=0.70,
    noise=0.45,
)

MATERIALS = {
    "steel": STEEL,
    "anvil": ANVIL,
    "sheet": SHEET,
    "glass": GLASS,
    "pane": PANE,
    "ceramic": CERAMIC,
    "wood": WOOD,
    "hollow": HOLLOW_WOOD,
    "stone": STONE,
    "plastic": PLASTIC,
    "flesh": FLESH,
    "rubber": RUBBER,
    "cardboard": CARDBOARD,
}
"""By the name that recipes' `material` parameter takes."""


@dataclass(frozen=True, slots=True, eq=False)
class Body:
    """One object: struck again, it has the same modes."""

    material: Material
    modes_hz: Signal
    t60_s: Signal
    gains: Signal
    """Of the modes, before contact and place of the blow."""
    place: float
    """Where it is usually struck: how fast mode strength runs through its nodes."""
    ring: float
    contact_s: float
    """How long a hard tip touches it at strength 1."""
    tilt_db: float
    """Of the modes, per octave above the lowest."""
    bend_db: Signal
    """Its own rises and falls re its material, in octaves from `BEND_FROM_HZ`: shape, mounting, what lies on it."""
    field: float
    """Peak of its dense modes re the single ones."""
    noise: float
    """Peak of its contact noise re the single modes."""


def body(chance: np.random.Generator, material: Material, *, size: float = 0.5, ring: float = 1.0) -> Body:
    """Return an object of a material.

    Args:
        chance: Makes this object differ from others, as much as recorded ones of a kind do (6 % in pitch, 30 % in
            damping, 2.5 dB in every octave): `finish.character` for one that comes back.
        material: What it is made of.
        size: 0 small to 1 large.
        ring: Factor on all decay times: 0.05 clamped, 1 free.
    """
    size = min(max(size, 0.0), 1.0)
    f = _modes_hz(chance, material, size)
    tilt_db = material.tilt_db - SIZE_TILT_DB * (size - 0.5)
    ring *= math.exp(chance.normal(0.0, 0.30))
    t60 = np.array([material.t60_s(hz, ring) for hz in f.tolist()]) * np.exp(chance.normal(0.0, 0.22, len(f)))
    bend_db = chance.normal(0.0, OBJECT_SPREAD_DB, 8)
    level_db = tilt_db * np.log2(f / f[0]) + np.interp(np.log2(f / BEND_FROM_HZ), np.arange(8), bend_db)
    gains = np.exp(chance.normal(0.0, 0.45, len(f))) * 10.0 ** (level_db / 20.0)
    field, noise = np.exp(chance.normal(0.0, 0.30, 2)) * (material.field, material.noise)
    place = chance.uniform(0.15, 0.5)
    return Body(
        material,
        f,
        np.minimum(t60, LONGEST_RING_S),
        gains,
        place,
        ring,
        contact_s=material.contact_s * SIZE_CONTACT ** (size - 0.5),
        tilt_db=tilt_db,
        bend_db=bend_db,
        field=float(field),
        noise=float(noise),
    )


def struck(
    rng: np.random.Generator,
    thing: Body,
    strength: float,
    *,
    hardness: float = 1.0,
    noise: float = 1.0,
    support: float = 0.0,
) -> Signal:
    """Return one blow on an object, peak near 1 whatever the strength: strength makes it brighter, the chain louder.

    Single modes + the dense field above them + contact noise, smoothed by the contact's own length.

    Args:
        rng: Source of chance: no blow lands twice on the same spot.
        thing: What is struck.
        strength: 0 to 1.
        hardness: Of the tip: 1 hammer, 0 soft mallet.
        noise: Factor on the contact noise.
        support: Peak of the thud of what the object stands on.
    """
    contact_s = contact_time_s(thing.contact_s, hardness, strength)
    length = length_samples(min(LONGEST_RING_S, 1.15 * float(thing.t60_s.max()) + 0.05))
    single = _single_modes(rng, thing, contact_s, length)
    sound = mixed(single, thing.field * _dense_modes(rng, thing, contact_s, length))
    sound = smoothed_by_contact(sound, contact_s)
    if support > 0.0:
        sound = mixed(sound, support * thud(rng, rng.uniform(90.0, 240.0), 0.09))
    # micro-collisions are shorter than the whole contact: their noise reaches higher than its pulse
    rough_t60_s = 0.02 + 30.0 * contact_s + 0.05 * thing.noise
    rough = noise_burst(rng, rough_t60_s, low_hz=250.0, high_hz=min(1.6 / contact_s, 15_000.0))
    return mixed(sound, noise * thing.noise * (0.5 + 0.5 * strength) * rough)


def smoothed_by_contact(samples: Signal, contact_s: float) -> Signal:
    """Return the sound as a contact of this length, not an instant, would excite it."""
    from scipy import signal

    pulse = hertz_pulse(contact_s)
    convolve = np.convolve if len(pulse) < 16 else signal.oaconvolve  # for 3 samples the FFT does not pay
    return np.asarray(convolve(samples, pulse)[: len(samples)], np.float64)


def _modes_hz(chance: np.random.Generator, material: Material, size: float) -> Signal:
    lowest = material.smallest_hz * (material.largest_hz / material.smallest_hz) ** size
    lowest *= math.exp(chance.normal(0.0, 0.06))
    if material.shape == "plate":
        return plate_modes_hz(chance, lowest, material.modes)
    if material.shape == "block":
        return block_modes_hz(chance, lowest, material.modes)
    if material.shape == "bar":  # a second bending direction, stiffer than the first
        return paired_modes_hz(chance, lowest, ratios=BAR_RATIOS, split=(1.05, 1.45))[: material.modes]
    return paired_modes_hz(chance, lowest, ratios=CUP_RATIOS, split=(1.002, 1.01))[: material.modes]


def _single_modes(rng: np.random.Generator, thing: Body, contact_s: float, length: int) -> Signal:
    f = thing.modes_hz
    place = thing.place * rng.uniform(0.93, 1.07) * (1 + np.arange(len(f)))
    gains = thing.gains * (np.abs(np.sin(np.pi * place)) + 0.15)  # near a node a mode is starved, not dead
    gains = gains * hertz_gain(f, contact_s) * np.exp(rng.normal(0.0, 0.15, len(f)))
    sound = ring_modes(f, thing.t60_s, gains, length, phases=rng.uniform(-0.5, 0.5, len(f)))
    return np.asarray(sound / (np.abs(sound[: length_samples(0.05)]).max() + 1e-12), np.float64)


def _dense_modes(rng: np.random.Generator, thing: Body, contact_s: float, length: int) -> Signal:
    material, lowest_hz = thing.material, float(thing.modes_hz[0])

    def t60_s(hz: float) -> float:
        return min(0.8 * material.t60_s(hz, thing.ring), 1.2)  # dense modes radiate better, so they die sooner

    def level_db(hz: float) -> float:
        octaves = math.log2(hz / lowest_hz)
        own_db = float(thing.bend_db[min(7, round(math.log2(hz / BEND_FROM_HZ)))])
        if octaves < 0.0:
            return 6.0 * octaves + own_db
        return 0.8 * thing.tilt_db * octaves - 3.0 * max(0.0, math.log2(hz * contact_s / 0.5)) + own_db

    return diffuse_field(rng, min(length, length_samples(1.4)), t60_s, level_db)
