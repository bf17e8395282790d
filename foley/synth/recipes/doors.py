"""Doors: slammed, closed, opened, knocked at; dry hinges.

In everything with several contacts the strongest comes first, so that the instant that is seen is the one that is
heard: a slam's latch and rattle follow within 50 ms and well under it.

Sources: A. Farnell, "Designing Sound", 2010 (door, creak); F. Avanzini, S. Serafin, D. Rocchesso, "Interactive
simulation of rigid body interaction with friction-induced sound generation", IEEE Trans. SAP 13, 2005 (stick and slip).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from foley.synth.chain import delayed, mixed, peak_of, recorded_hit, tilted
from foley.synth.excitation import length_samples, low_passed, noise_burst, slips
from foley.synth.finish import character, defaults_of, number, settled
from foley.synth.materials import HOLLOW_WOOD, SHEET, STEEL, WOOD, Material, body, struck
from foley.synth.parts import clack, row, tick
from foley.synth.recipe import HitRecipe, MakesHit, Mono, TextureRecipe
from foley.synth.resonators import ring_modes, thud
from foley.synth.sessions import Session, loudness
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
    shake_s: float
    """How long hinges, frame and panes shake."""


DOORS = {
    "door_slam": Door(HOLLOW_WOOD, 1.0, 72.0, 16_000.0, 0.35, 0.55),
    "door_metal": Door(SHEET, 0.35, 72.0, 16_000.0, 0.35, 0.55),
    "door_car": Door(SHEET, 0.2, 60.0, 1800.0, 0.25, 0.14),
}


SLAMMING = Session(low_hz=60.0, low_spread=0.5, high_hz=11_000.0, high_spread=0.6, tilt_db=4.0, peak_db=6.0)
"""Doors stand in rooms of all kinds, and are heard from inside, outside or next door."""
SLAM_WET = 1.2
"""A door is a part of the room that it shuts: no slam is heard without its walls."""
AGAIN_S, AGAIN_DB = (0.07, 0.17), (-15.0, -4.0)
"""When, and how loud, a door that sprang back meets its frame again; only its panel's edge does."""


def _door_maker(name: str) -> MakesHit:
    door = DOORS[name]

    def make(
        rng: np.random.Generator,
        strength: float,
        /,
        *,
        size: float | str = 0.6,
        variant: float | str = 0,
        **_: float | str,
    ) -> Mono:
        chance, large = character(name, variant), number(size, 0.0, 1.0, "size")
        panel = struck(rng, body(chance, door.panel, size=large, ring=door.ring), strength, hardness=0.6)
        panel = low_passed(panel, door.highest_hz, 1)
        frame_hz = door.frame_hz * chance.uniform(0.9, 1.1) * 2.0 ** (0.8 * (0.6 - large))
        frame = mixed(thud(rng, frame_hz, 0.36, noise=0.5), delayed(0.4 * thud(rng, 1.6 * frame_hz, 0.14), 0.018))
        top_hz = 0.5 * min(door.highest_hz, 7000.0)
        slap = noise_burst(rng, 0.06, low_hz=150.0, high_hz=top_hz)
        shake_s = door.shake_s * np.exp(chance.normal(0.0, 0.3))
        shake = noise_burst(rng, shake_s, low_hz=90.0, high_hz=0.7 * top_hz)
        latch = delayed(door.latch * clack(rng, chance, strength), rng.uniform(0.006, 0.02))
        rattle = delayed(0.08 * clack(rng, chance, 0.4 * strength), rng.uniform(0.05, 0.08))
        # a wall of stone takes less of the blow than one of boards, and old hinges shake more than new ones
        frame_level, shake_level = 0.6 * loudness(chance, 3.0), 0.4 * loudness(chance, 4.0)
        sound = mixed(
            0.8 * peak_of(panel), frame_level * (0.5 + 0.8 * large) * peak_of(frame), (0.3 + 0.4 * strength) * slap
        )
        again = 10.0 ** (rng.uniform(*AGAIN_DB) / 20.0) * low_passed(sound, 3000.0, 1)
        sound = mixed(sound, delayed(again, rng.uniform(*AGAIN_S)), shake_level * shake, latch, rattle)
        return recorded_hit(rng, SLAMMING.recorded(chance, sound), strength, ring_s=1.2, wet=SLAM_WET)

    make.__doc__ = f"Return a {name.replace('_', ' ')} that shuts: `size` 0 a cupboard's to 1 a portal's."
    return make


def door_close(
    rng: np.random.Generator,
    strength: float,
    /,
    *,
    size: float | str = 0.6,
    variant: float | str = 0,
    **_: float | str,
) -> Mono:
    """Return a wooden door that is closed by hand: the soft meeting with its frame, and the bolt that snaps in after.

    `size` 0 a cupboard's to 1 a portal's.
    """
    chance, large = character("door_close", variant), number(size, 0.0, 1.0, "size")
    frame_hz = chance.uniform(80.0, 105.0) * 2.0 ** (0.8 * (0.6 - large))
    meets = mixed(
        peak_of(thud(rng, frame_hz, 0.14, noise=0.4)),
        (0.1 + 0.3 * strength) * noise_burst(rng, 0.03, low_hz=180.0, high_hz=2200.0),
    )
    panel = tick(rng, body(chance, HOLLOW_WOOD, size=large, ring=0.7), 0.4 * strength, hardness=0.35)
    bolt_s = rng.uniform(0.028, 0.055)
    bolt = clack(rng, chance, strength, size=0.2 + 0.4 * large)
    case = thud(rng, chance.uniform(210.0, 280.0), 0.05, noise=0.4)
    sound = mixed(meets, 0.7 * panel, delayed((0.1 + 0.5 * strength) * bolt, bolt_s), delayed(0.3 * case, bolt_s))
    return recorded_hit(rng, sound, strength, ring_s=0.7, wet=0.45)


def door_open(
    rng: np.random.Generator,
    strength: float,
    /,
    *,
    size: float | str = 0.6,
    variant: float | str = 0,
    **_: float | str,
) -> Mono:
    """Return a wooden door that is opened: the handle goes down, the bolt leaves its plate, the panel comes off.

    Then the hinges give a short dry tick or two, and the handle springs back. `size` 0 a cupboard's to 1 a portal's.
    """
    chance, large = character("door_open", variant), number(size, 0.0, 1.0, "size")
    handle = mixed(clack(rng, chance, strength, size=0.4), 0.35 * thud(rng, chance.uniform(190.0, 260.0), 0.05))
    leaves_s = rng.uniform(0.09, 0.17)
    leaves = mixed(
        0.6 * tick(rng, body(chance, STEEL, size=0.3, ring=0.05), strength),
        0.4 * thud(rng, chance.uniform(85.0, 125.0) * 2.0 ** (0.6 - large), 0.09, noise=0.3),
        0.25 * noise_burst(rng, 0.09, low_hz=250.0, high_hz=2500.0),
    )
    hinge = tick(rng, body(chance, WOOD, size=0.8, ring=0.5), 0.3 * strength, hardness=0.7)
    ticks = row(rng, [hinge], gaps_s=rng.uniform(0.02, 0.07, 3), levels=0.12 * np.exp(0.4 * rng.standard_normal(3)))
    back = 0.3 * clack(rng, chance, 0.6 * strength, size=0.35)
    sound = mixed(handle, delayed(leaves, leaves_s), delayed(ticks, leaves_s + 0.12))
    sound = mixed(sound, delayed(back, leaves_s + rng.uniform(0.3, 0.5)))
    return recorded_hit(rng, sound, strength, ring_s=1.1, wet=0.45)


def knock(
    rng: np.random.Generator,
    strength: float,
    /,
    *,
    size: float | str = 0.6,
    variant: float | str = 0,
    **_: float | str,
) -> Mono:
    """Return one knock of knuckles on a door: bone on a thin panel that hangs in its frame; `size` 0 to 1."""
    chance, large = character("knock", variant), number(size, 0.0, 1.0, "size")
    panel = struck(rng, body(chance, HOLLOW_WOOD, size=large, ring=0.75), strength, hardness=0.72)
    bone = noise_burst(rng, 0.012, low_hz=500.0, high_hz=4500.0)
    frame = thud(rng, chance.uniform(95.0, 130.0) * 2.0 ** (0.6 - large), 0.12, noise=0.2)
    rattle = delayed(0.05 * clack(rng, chance, 0.3 * strength), rng.uniform(0.004, 0.012))
    sound = mixed(peak_of(panel), 0.45 * bone, 0.55 * frame, rattle)
    return recorded_hit(rng, sound, strength, ring_s=0.6, wet=0.45)


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


def _hit(name: str, make: MakesHit, ring_s: float) -> HitRecipe:
    return HitRecipe(name, "doors", make, defaults_of(make), ring_s=ring_s, source=FARNELL)


RECIPES = (
    *(_hit(name, _door_maker(name), 1.2) for name in DOORS),
    _hit("door_close", door_close, 0.7),
    _hit("door_open", door_open, 1.1),
    _hit("knock", knock, 0.6),
    TextureRecipe("door_creak", "doors", door_creak, defaults_of(door_creak), "stick and slip: Avanzini et al. 2005"),
)
