"""Guns: the shot and the space that answers it, the weapon in the hand.

Sources: F. Friedlander, Proc. R. Soc. A 186, 1946 (blast wave); R. Maher, "Modeling and signal processing of acoustic
gunshot recordings", IEEE DSP Workshop 2006 (muzzle blast, ground reflection, shock wave of the bullet). Band levels and
decays: medians of 28 recorded shots.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from foley.synth.blast import air_corner_hz, echo_course, friedlander, lumpy, saturated
from foley.synth.chain import recorded_hit
from foley.synth.excitation import Signal, decay, length_samples, low_passed, noise_burst
from foley.synth.finish import add_at, character, choice, defaults_of, finished_hit, number
from foley.synth.moving import BANG_BANDS_HZ, QUICK_FRAME_SAMPLES, Layer, dying, frame_times_s, layered
from foley.synth.recipe import HitRecipe, Mono
from foley.synth.resonators import ring_modes, thud
from foley.synth.sessions import Session, loudness


@dataclass(frozen=True, slots=True)
class Gun:
    """A weapon's muzzle blast."""

    positive_s: float
    """Length of the blast's overpressure."""
    jet_t60_s: float
    """How long powder gas roars."""
    body_hz: float
    """Of the push one feels."""
    body: float
    answer: float
    """Strength of what comes back, re a pistol's."""
    bullet: float = 0.0
    """Shock wave of a bullet faster than sound, re the blast."""
    action_s: float = 0.0
    """When the action slams shut again; 0 where a hand works it."""


GUNS = {
    "pistol": Gun(0.00045, 0.14, 150.0, 0.12, 1.0, action_s=0.055),
    "revolver": Gun(0.00055, 0.16, 140.0, 0.16, 1.1),
    "rifle": Gun(0.0007, 0.19, 120.0, 0.18, 1.35, bullet=0.7),
    "machine_gun": Gun(0.0006, 0.15, 130.0, 0.15, 1.0, bullet=0.6, action_s=0.045),
    "shotgun": Gun(0.0012, 0.23, 100.0, 0.35, 1.25),
}


@dataclass(frozen=True, slots=True)
class Space:
    """Where a shot is fired."""

    t60_s: float
    answer: float
    """RMS of the reverberation re the blast's peak."""
    rise_s: float
    """It sets in over so long: a single slap would be heard, and found, as another shot."""
    echoes_s: tuple[float, float]
    """Between which walls, woods or hills send it back once more."""
    echo: float
    """How far those stand out of the reverberation; 0 not at all."""


SPACES = {
    "outdoor": Space(1.25, 0.11, 0.03, (0.18, 0.8), 1.3),
    "street": Space(1.5, 0.085, 0.015, (0.08, 0.45), 1.4),
    "forest": Space(1.1, 0.10, 0.02, (0.08, 0.5), 1.0),
    "indoor": Space(0.6, 0.22, 0.005, (0.02, 0.1), 0.8),
    "hall": Space(1.7, 0.09, 0.012, (0.05, 0.3), 0.8),
}

JET_DB = (-26.0, -18.0, -8.0, 0.0, -1.0, -4.0, -4.0)
"""Powder gas in the bands of `BANG_BANDS_HZ`: brightest where recorded shots are, and still strong at 14 kHz."""
ANSWER_DB = (-20.0, -13.0, -4.0, 0.0, -2.0, -8.0, -12.0)
ANSWER_T60 = (0.9, 1.0, 0.95, 0.9, 0.85, 0.7, 0.5)
"""Re the space's: air and leaves swallow treble on the way, though recorded shots still have it after 0.3 s."""

SHOT_RING_S = 1.6
LOUDEST = 2.6
"""Microphones and ears saturate: tanh of so many times the blast."""


def _muzzle_blast(rng: np.random.Generator, gun: Gun) -> Signal:
    """Return the blast, the gas and the ground, peak 1."""
    length = length_samples(0.3)
    sound = friedlander(gun.positive_s * rng.uniform(0.85, 1.2), length)
    gas_t60_s = np.array([1.6, 1.4, 1.2, 1.0, 0.8, 0.5, 0.35]) * gun.jet_t60_s
    burst = layered(rng, length, dying(rng, length, JET_DB, gas_t60_s.tolist()), QUICK_FRAME_SAMPLES)
    sound += 0.20 * burst * (1 + 1.5 * decay(length, 0.02))
    add_at(sound, gun.body * thud(rng, gun.body_hz, 0.08, drop=0.8), 0)
    # the ground's reflection: 2 to 6 ms is 1 to 2 m of detour
    add_at(sound, 0.45 * low_passed(sound, 6000.0, 1), length_samples(rng.uniform(0.002, 0.006)))
    if gun.bullet > 0.0:
        # an N-wave of 0.2 ms passes with the blast: this is the crack of a rifle
        add_at(sound, gun.bullet * np.linspace(1.0, -1.0, length_samples(0.0002)), 0)
    if gun.action_s > 0.0:
        add_at(sound, 0.05 * noise_burst(rng, 0.03, low_hz=2500.0, high_hz=9000.0), length_samples(gun.action_s))
    return np.asarray(sound / np.abs(sound).max(), np.float64)


SHOOTING = Session(low_hz=150.0, low_spread=0.6, high_hz=9500.0, high_spread=0.7, tilt_db=4.0, peak_db=6.0)
"""Recorders stand beside, behind or far off a gun: recordings of 8 sources differ by 4 to 13 dB in their bands."""
OPENNESS_SPREAD, ANSWER_SPREAD_DB = 0.4, 4.5
"""How far places of one kind differ: in their reverberation time (nepers), and in how much of it is heard."""


def _answer(rng: np.random.Generator, space: Space, level: float, *, t60_s: float, air_hz: float) -> list[Layer]:
    """Return the reverberation of a shot: it sets in softly, a few broad echoes stand out, treble dies first."""
    length = length_samples(SHOT_RING_S)
    times_s = frame_times_s(length, QUICK_FRAME_SAMPLES)
    course = np.minimum(1.0, times_s / space.rise_s)
    for _echo in range(3):
        late_s = rng.uniform(*space.echoes_s)
        course = course + space.echo * rng.uniform(0.3, 1.0) * echo_course(times_s, late_s)
    t60_s *= rng.uniform(0.9, 1.15)
    air_db = [-10.0 * np.log10(1.0 + (band_hz / air_hz) ** 4) for band_hz in BANG_BANDS_HZ]  # as Butterworth's filter
    fading = dying(rng, length, np.add(ANSWER_DB, air_db).tolist(), [share * t60_s for share in ANSWER_T60])
    return [Layer(layer.shape, 0.5 * level * course * layer.level) for layer in fading]


def gunshot(
    rng: np.random.Generator,
    strength: float,
    /,
    *,
    gun: float | str = "pistol",
    space: float | str = "outdoor",
    distance_m: float | str = 8.0,
    variant: float | str = 0,
    **_: float | str,
) -> Mono:
    """Return a shot: blast, powder gas, the ground, and most of all the space.

    Farther away the blast is duller and the space's share larger.

    Args:
        rng: Chance.
        strength: Of the cartridge.
        gun: pistol, revolver, rifle, machine_gun (one shot of it), shotgun.
        space: outdoor, street, forest, indoor, hall.
        distance_m: 1 to 2000.
        variant: Which place of its kind, and how it is recorded.
    """
    weapon, place = choice(GUNS, gun, "gun"), choice(SPACES, space, "space")
    distance = number(distance_m, 1.0, 2000.0, "distance_m")
    chance = character("gun session", variant)
    level = place.answer * weapon.answer * min(3.0, (distance / 8.0) ** 0.35)
    level *= loudness(chance, ANSWER_SPREAD_DB)
    t60_s = place.t60_s * float(np.exp(chance.normal(0.0, OPENNESS_SPREAD)))
    length = length_samples(SHOT_RING_S)
    air_hz = air_corner_hz(4.0, distance)
    answer = _answer(rng, place, level, t60_s=t60_s, air_hz=air_hz)
    sound = layered(rng, length, answer, QUICK_FRAME_SAMPLES)
    add_at(sound, low_passed(_muzzle_blast(rng, weapon), air_hz), 0)
    sound *= lumpy(rng, length)
    heard = saturated(sound, LOUDEST)
    return finished_hit(SHOOTING.recorded(chance, heard), strength, ring_s=SHOT_RING_S)


# --- in the hand -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Handling:
    """What a hand does with a weapon: clacks of its parts, and what slides between them."""

    clacks: tuple[tuple[float, float, float], ...]
    """When (s), how hard, and how large the part is (0 a pawl to 1 a receiver)."""
    slides: tuple[tuple[float, float, float], ...] = ()
    """From when to when (s), and how loud."""


HANDLINGS = {
    "slide": Handling(
        ((0.0, 0.35, 0.3), (0.13, 0.8, 0.7), (0.29, 1.0, 0.8), (0.302, 0.5, 0.3)),
        ((0.01, 0.13, 0.25), (0.25, 0.29, 0.4)),
    ),
    "bolt": Handling(
        ((0.0, 0.6, 0.6), (0.12, 0.35, 0.3), (0.30, 0.8, 0.7), (0.52, 0.7, 0.6), (0.64, 1.0, 0.8)),
        ((0.13, 0.30, 0.3), (0.38, 0.52, 0.3)),
    ),
    "pump": Handling(((0.0, 0.3, 0.4), (0.11, 1.0, 1.0), (0.30, 0.9, 1.0)), ((0.01, 0.11, 0.5), (0.2, 0.3, 0.5))),
    "hammer": Handling(((0.0, 0.5, 0.15), (0.055, 1.0, 0.3))),
    "magazine": Handling(((0.0, 0.35, 0.4), (0.09, 1.0, 0.7), (0.115, 0.4, 0.2)), ((0.01, 0.09, 0.4),)),
    "safety": Handling(((0.0, 1.0, 0.1), (0.008, 0.5, 0.1))),
}
HANDLING_RING_S = 0.95
HANDLING = Session(low_hz=60.0, low_spread=0.4, high_hz=9000.0, high_spread=0.8, tilt_db=7.0, peak_db=4.0)
"""A gun that is worked sounds dull in gloves or a stock, and sharp close to a microphone."""


def gun_handling(
    rng: np.random.Generator,
    strength: float,
    /,
    *,
    action: float | str = "slide",
    variant: float | str = 0,
    **_: float | str,
) -> Mono:
    """Return a weapon worked by hand, from its first touch on.

    Args:
        rng: Chance.
        strength: How briskly.
        action: slide, bolt, pump, hammer (cocked), magazine (pushed home), safety.
        variant: Which weapon.
    """
    moves, length = choice(HANDLINGS, action, "action"), length_samples(HANDLING_RING_S)
    weapon = character("gun_handling", variant)
    modes_hz = np.exp(weapon.uniform(np.log(700.0), np.log(9500.0), 22))
    sound, pace = np.zeros(length), rng.uniform(0.9, 1.15)
    for at_s, force, part in moves.clacks:
        late_s = at_s * pace + (rng.uniform(-0.006, 0.006) if at_s > 0.02 else 0.0)
        add_at(sound, force * rng.uniform(0.8, 1.15) * _clack(rng, modes_hz, part), length_samples(late_s) - 1)
    for from_s, until_s, level in moves.slides:
        lasts_s = (until_s - from_s) * pace
        rub = noise_burst(rng, 2.0 * lasts_s, low_hz=1800.0, high_hz=7500.0)[: length_samples(lasts_s)]
        add_at(sound, 0.5 * level * rub * np.hanning(len(rub)), length_samples(from_s * pace))
    return recorded_hit(rng, HANDLING.recorded(weapon, sound), strength, ring_s=HANDLING_RING_S)


def _clack(rng: np.random.Generator, modes_hz: Signal, part: float) -> Signal:
    """Return steel parts that stop each other: short modes, contact noise, a jolt in the hand; peak about 1."""
    length = length_samples(0.09)
    t60_s = (0.03 + 0.03 * part) * (modes_hz / 2000.0) ** -0.4
    # small parts leave the low modes of the frame alone
    loud = rng.normal(0.0, 1.0, len(modes_hz)) / (1 + (1 - part) * (2500.0 / modes_hz) ** 2)
    sound = 0.1 * ring_modes(modes_hz, t60_s, loud, length)
    add_at(sound, 0.7 * noise_burst(rng, 0.015 + 0.015 * part, low_hz=1500.0, high_hz=12_000.0), 0)
    add_at(sound, 0.35 * part * thud(rng, 190.0, 0.03), 0)
    return sound


RECIPES = (
    HitRecipe("gunshot", "blasts", gunshot, defaults_of(gunshot), ring_s=SHOT_RING_S, source="Maher 2006; 28 shots"),
    HitRecipe(
        "gun_handling",
        "blasts",
        gun_handling,
        defaults_of(gun_handling),
        ring_s=HANDLING_RING_S,
        source="order and timing of the parts of common actions",
    ),
)
