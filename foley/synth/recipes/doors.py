"""Doors and small mechanisms: slam, creak, latch, switch, key.

In everything with several contacts the strongest comes first, so that the instant that is seen is the one that is
heard: a slam's latch and rattle follow within 50 ms and well under it.

Sources: A. Farnell, "Designing Sound", 2010 (door, creak); F. Avanzini, S. Serafin, D. Rocchesso, "Interactive
simulation of rigid body interaction with friction-induced sound generation", IEEE Trans. SAP 13, 2005 (stick and slip).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from foley.synth.chain import delayed, mixed, peak_of, recorded_hit, tilted
from foley.synth.excitation import Signal, length_samples, low_passed, noise_burst, slips
from foley.synth.finish import character, defaults_of, settled
from foley.synth.materials import HOLLOW_WOOD, PLASTIC, SHEET, STEEL, Material, body, struck
from foley.synth.recipe import HitRecipe, MakesHit, Mono, TextureRecipe
from foley.synth.resonators import ring_modes, thud
from foley.synth.textures import heavy, heavy_power, scatter, unit_energy
from foley.units import RATE_HZ


@dataclass(frozen=True, slots=True)
class Door:
    """A door that shuts."""

    panel: Material
    ring: float
    frame_hz: float
    """Pitch of the frame's thud."""
    highest_hz: float
    """The panel's sound ends here: a padded car door is dull."""
    latch: float
    """Peak of the latch re the panel."""


DOORS = {
    "door_slam": Door(HOLLOW_WOOD, 1.0, 72.0, 16_000.0, 0.35),
    "door_metal": Door(SHEET, 0.35, 72.0, 16_000.0, 0.35),
    "door_car": Door(SHEET, 0.2, 60.0, 1800.0, 0.25),
}


def _clack(rng: np.random.Generator, chance: np.random.Generator, strength: float, ring: float = 0.05) -> Signal:
    """Return two small steel parts that meet, 12 to 35 ms apart, the first harder."""
    bolt = struck(rng, body(chance, STEEL, size=0.35, ring=ring), strength)
    catch = struck(rng, body(chance, STEEL, size=0.2, ring=ring), strength)
    return mixed(0.9 * bolt, delayed(0.5 * catch, rng.uniform(0.012, 0.035)))


def _door_maker(name: str) -> MakesHit:
    door = DOORS[name]

    def make(rng: np.random.Generator, strength: float, /, *, variant: float | str = 0, **_: float | str) -> Mono:
        chance = character(name, variant)
        panel = struck(rng, body(chance, door.panel, size=1.0, ring=door.ring), strength, hardness=0.6)
        panel = low_passed(panel, door.highest_hz, 1)
        frame_hz = door.frame_hz * chance.uniform(0.9, 1.1)
        frame = mixed(thud(rng, frame_hz, 0.26, noise=0.5), delayed(0.4 * thud(rng, 1.6 * frame_hz, 0.14), 0.018))
        top_hz = 0.5 * min(door.highest_hz, 7000.0)
        slap = noise_burst(rng, 0.06, low_hz=150.0, high_hz=top_hz)
        shake = noise_burst(rng, 0.35, low_hz=200.0, high_hz=0.7 * top_hz)  # hinges and frame, until all is still
        latch = delayed(door.latch * _clack(rng, chance, strength), rng.uniform(0.006, 0.02))
        rattle = delayed(0.08 * _clack(rng, chance, 0.4 * strength), rng.uniform(0.05, 0.08))
        sound = mixed(0.8 * peak_of(panel), peak_of(frame), (0.3 + 0.4 * strength) * slap, 0.3 * shake)
        sound = mixed(sound, latch, rattle)
        return recorded_hit(rng, sound, strength, ring_s=1.2, wet=0.5)

    return make


def latch(rng: np.random.Generator, strength: float, /, *, variant: float | str = 0, **_: float | str) -> Mono:
    """Return a bolt that snaps into its plate, with the lock case's short thud."""
    chance = character("latch", variant)
    case = thud(rng, chance.uniform(210.0, 280.0), 0.05, noise=0.4)
    return recorded_hit(rng, mixed(_clack(rng, chance, strength), 0.3 * case), strength, ring_s=0.4)


def switch(rng: np.random.Generator, strength: float, /, *, variant: float | str = 0, **_: float | str) -> Mono:
    """Return a light switch: the rocker's snap and its stop 8 to 20 ms later."""
    chance = character("switch", variant)
    snap = struck(rng, body(chance, PLASTIC, size=0.1), strength)
    stop = struck(rng, body(chance, PLASTIC, size=0.0), 0.7 * strength)
    return recorded_hit(rng, mixed(snap, delayed(0.5 * stop, rng.uniform(0.008, 0.02))), strength, ring_s=0.4)


def key_press(rng: np.random.Generator, strength: float, /, *, variant: float | str = 0, **_: float | str) -> Mono:
    """Return a key of a keyboard: the finger on the cap, the bottom 12 to 25 ms later, a faint release."""
    chance = character("key_press", variant)
    key = rng.uniform(-0.15, 0.15)  # every key of a keyboard is another size
    cap = struck(rng, body(chance, PLASTIC, size=0.2 + key, ring=0.7), strength, hardness=0.95)
    bottom = struck(rng, body(chance, PLASTIC, size=0.6 + key, ring=0.8), strength, hardness=0.85, support=0.4)
    release = struck(rng, body(chance, PLASTIC, size=0.1), 0.4 * strength, hardness=0.9)
    down = delayed(0.4 * bottom, rng.uniform(0.012, 0.025))
    return recorded_hit(rng, mixed(cap, down, delayed(0.04 * release, rng.uniform(0.07, 0.12))), strength, ring_s=0.4)


CREAK_HZ = (18.0, 110.0)
"""Slips a second of a hinge that barely and that quickly moves; between them geometric in its speed."""


def door_creak(rng: np.random.Generator, intensity: Mono, /, *, variant: float | str = 0, **_: float | str) -> Mono:
    """Return a dry hinge: it sticks and slips, faster with its speed (the intensity), in a door's wooden modes.

    Each slip has its own strength and excites 14 modes of 300 to 2600 Hz with T60 = 22 ms (f / 800 Hz)^-0.6.
    """
    chance = character("door_creak", variant)
    speed = np.clip(intensity.astype(np.float64), 0.0, 1.0)
    low, high = CREAK_HZ
    moving = speed > 0.01  # below, the hinge holds
    rate_hz = np.where(moving, low * (high / low) ** speed, 0.0)
    at = slips(rng, rate_hz, 0.12)
    f = np.sort(np.exp(chance.uniform(np.log(300.0), np.log(2600.0), 14)))
    t60 = 0.022 * (f / 800.0) ** -0.6
    gains = 10.0 ** (-2.5 * np.log2(f / f[0]) / 20.0)
    grains = [
        ring_modes(
            f, t60, gains * np.exp(rng.normal(0.0, 0.35, 14)), length_samples(0.06), phases=rng.uniform(-0.6, 0.6, 14)
        )
        for _ in range(12)
    ]
    levels = heavy(rng, len(at), 0.45)
    sound = scatter(len(speed), at, levels, grains=unit_energy(grains), which=rng.integers(0, 12, len(at)))
    return settled(tilted(sound, 1.2), intensity, rms=float(np.sqrt(high / RATE_HZ * heavy_power(0.45))))


FARNELL = "Farnell 2010; contacts timed as in recorded doors and locks"

RECIPES = (
    *(
        HitRecipe(name, "doors", make, defaults_of(make), ring_s=1.2, source=FARNELL)
        for name, make in ((name, _door_maker(name)) for name in DOORS)
    ),
    HitRecipe("latch", "mechanisms", latch, defaults_of(latch), ring_s=0.4, source=FARNELL),
    HitRecipe("switch", "mechanisms", switch, defaults_of(switch), ring_s=0.4, source=FARNELL),
    HitRecipe("key_press", "mechanisms", key_press, defaults_of(key_press), ring_s=0.4, source=FARNELL),
    TextureRecipe("door_creak", "doors", door_creak, defaults_of(door_creak), "stick and slip: Avanzini et al. 2005"),
)
