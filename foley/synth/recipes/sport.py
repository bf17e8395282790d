"""Ball games, blades, bows: what is thrown, kicked and struck in sport and fight.

A hollow ball rings as the air in it does: the modes of a sphere lie at 2.08, 3.34, 4.49 and 5.94 c / (2 pi r), the
first of a basketball at 950 Hz. How long it stays on the ground says how dull it thumps.

Sources: D. Russell, "Basketballs as spherical acoustic cavities", Am. J. Phys. 78, 2010; R. Cross, "The bounce of a
ball", Am. J. Phys. 67, 1999 (contact times, restitution); H. Brody, "Physics of the tennis racket", Am. J. Phys. 47,
1979; D. Russell, "Acoustics and vibration of baseball and softball bats", Acoust. Today 13, 2017.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial

import numpy as np

from foley.synth.chain import delayed, mixed, peak_of, recorded_hit
from foley.synth.excitation import (
    Signal,
    bounces,
    decay,
    high_passed,
    length_samples,
    low_passed,
    noise_burst,
    rough_burst,
)
from foley.synth.finish import add_at, character, choice, defaults_of, number
from foley.synth.materials import HOLLOW_WOOD, PLASTIC, STEEL, STONE, WOOD, Body, Material, body, struck
from foley.synth.recipe import HitRecipe, MakesHit, Mono
from foley.synth.resonators import BAR_RATIOS, MEMBRANE_RATIOS, ring_modes, thud
from foley.units import RATE_HZ

# --- balls -----------------------------------------------------------------------------------------------------------

SPEED_OF_SOUND_M_S = 343.0
CAVITY = (2.08, 3.34, 4.49, 5.94)
"""Zeros of the derivatives of spherical Bessel functions, in wave numbers times radius (Russell 2010)."""


@dataclass(frozen=True, slots=True)
class Ball:
    """A ball: how it rings and how it lands."""

    radius_m: float
    contact_s: float
    """On a hard floor at full strength (Cross 1999)."""
    restitution: float
    """Share of its speed that it keeps."""
    cavity: float
    """Peak of the ringing air; 0 for a solid ball."""
    slap: float
    """Peak of the skin's slap."""
    thump: float
    """Peak of the push on the floor."""
    gap_s: float
    """Time between the first two bounces at full strength."""


BALLS: Mapping[str, Ball] = {
    "basketball": Ball(0.120, 0.016, 0.76, 0.60, 0.30, 1.00, 0.62),
    "volleyball": Ball(0.105, 0.012, 0.72, 0.40, 0.45, 0.70, 0.55),
    "football": Ball(0.110, 0.010, 0.70, 0.35, 0.45, 0.80, 0.55),
    "rubber": Ball(0.060, 0.007, 0.80, 0.35, 0.35, 0.60, 0.60),
    "tennis": Ball(0.033, 0.005, 0.73, 0.30, 0.70, 0.40, 0.55),
    "table_tennis": Ball(0.020, 0.0008, 0.88, 0.60, 0.50, 0.06, 0.50),
    "golf": Ball(0.021, 0.0005, 0.80, 0.00, 0.60, 0.25, 0.60),
    "medicine": Ball(0.140, 0.030, 0.15, 0.08, 0.35, 1.00, 0.20),
}


@dataclass(frozen=True, slots=True)
class Floor:
    """What a ball lands on."""

    material: Material
    answer: float
    """Peak of the floor's own ring re the ball."""
    give: float
    """Factor on the contact's length, and how much of the slap it swallows: 1 hard."""
    keeps: float
    """Factor on the ball's restitution."""


FLOORS: Mapping[str, Floor] = {
    "wood": Floor(HOLLOW_WOOD, 0.45, 1.0, 1.0),
    "concrete": Floor(STONE, 0.25, 1.0, 1.0),
    "table": Floor(WOOD, 0.50, 1.0, 1.0),
    "grass": Floor(STONE, 0.03, 2.2, 0.55),
    "sand": Floor(STONE, 0.02, 3.0, 0.15),
}
BOUNCES_S = 4.0
"""The longest row of bounces that is heard to its end."""


def ball_bounce(
    rng: np.random.Generator,
    strength: float,
    /,
    *,
    ball: float | str = "basketball",
    floor: float | str = "wood",
    bounces_left: float | str = 1,
    variant: float | str = 0,
    **_: float | str,
) -> Mono:
    """Return a ball that lands, and where `bounces_left` (1 to 20) is above 1 bounces on until it lies still.

    Args:
        rng: Chance.
        strength: 0 to 1: how hard it lands the first time.
        ball: basketball, volleyball, football, rubber, tennis, table_tennis, golf or medicine.
        floor: wood (a gym), concrete, table, grass or sand.
        bounces_left: Each next one comes sooner and softer, as the ball's and the floor's restitution say.
        variant: Another ball and another floor.
    """
    thing, ground = choice(BALLS, ball, "ball"), choice(FLOORS, floor, "floor")
    many = round(number(bounces_left, 1.0, 20.0, "bounces_left"))
    floor_body = body(character("ball_bounce", variant), ground.material, size=0.9)
    own = (thing, ground, floor_body)
    if many == 1:
        return recorded_hit(rng, _landing(rng, own, strength), strength, ring_s=BOUNCES_S)
    keep = thing.restitution * ground.keeps
    times_s, speeds = bounces(rng, thing.gap_s * max(strength, 0.2), keep, many)
    heard = times_s < BOUNCES_S - 0.5
    total = np.zeros(length_samples(float(times_s[heard][-1]) + 0.8))
    shapes = [_landing(rng, own, strength * level) for level in (1.0, 0.55, 0.25)]
    for time_s, speed in zip(times_s[heard].tolist(), speeds[heard].tolist(), strict=True):
        shape = shapes[int(np.argmin(np.abs(np.array([1.0, 0.55, 0.25]) - speed)))]
        add_at(total, speed**1.1 * shape * rng.uniform(0.93, 1.07), round(time_s * RATE_HZ))
    return recorded_hit(rng, total, strength, ring_s=BOUNCES_S)


def _landing(rng: np.random.Generator, own: tuple[Ball, Floor, Body], strength: float) -> Signal:
    """Return one landing, peak about 1: push and slap of the contact, ringing air, the floor's answer."""
    ball, floor, boards = own
    contact_s = ball.contact_s * floor.give * max(strength, 0.1) ** -0.2  # Hertz: slow landings last longer
    push_hz = min(0.9 / contact_s, 900.0) * rng.uniform(0.96, 1.04)
    push = thud(rng, max(push_hz, 48.0), 0.05 + 5.0 * contact_s, drop=0.5, noise=0.3)
    slap = noise_burst(rng, 0.008 + contact_s, low_hz=300.0, high_hz=min(6.0 / contact_s + 900.0, 9000.0))
    parts = [ball.thump * push, ball.slap / floor.give * (0.25 + 0.75 * strength) * slap]
    if ball.cavity > 0.0:
        parts.append(ball.cavity / floor.give * ringing_air(rng, ball.radius_m))
    # a light ball moves no floor; one that touches it briefly strikes it as a hard tip does
    hardness = 0.55 if ball.contact_s > 0.002 else 0.95
    return mixed(*parts, floor.answer * ball.thump**0.8 * struck(rng, boards, strength, hardness=hardness))


def ringing_air(rng: np.random.Generator, radius_m: float) -> Signal:
    """Return the air in a hollow ball, peak 1: it rings for some 60 periods, the skin takes the overtones sooner."""
    first_hz = CAVITY[0] * SPEED_OF_SOUND_M_S / (2.0 * np.pi * radius_m)
    f = first_hz * np.array(CAVITY) / CAVITY[0] * np.exp(rng.normal(0.0, 0.004, len(CAVITY)))
    t60 = np.minimum(0.25, 60.0 / f) * np.array([1.0, 0.7, 0.5, 0.4])
    gains = np.array([1.0, 0.6, 0.4, 0.25]) * np.exp(rng.normal(0.0, 0.25, len(CAVITY)))
    return peak_of(ring_modes(f, t60, gains, length_samples(0.28), phases=rng.uniform(-0.5, 0.5, len(CAVITY))))


def ball_kick(
    rng: np.random.Generator,
    strength: float,
    /,
    *,
    ball: float | str = "football",
    variant: float | str = 0,
    **_: float | str,
) -> Mono:
    """Return a shoe on a ball: `ball` as for `ball_bounce`. A boot stays on it for 10 ms and slaps its skin."""
    thing, chance = choice(BALLS, ball, "ball"), character("ball_kick", variant)
    push = thud(rng, chance.uniform(85.0, 120.0), 0.11, drop=0.7, noise=0.7)
    slap = noise_burst(rng, rng.uniform(0.025, 0.04), low_hz=400.0, high_hz=1800.0 + 3500.0 * strength)
    air = thing.cavity * ringing_air(rng, thing.radius_m) if thing.cavity > 0.0 else np.zeros(1)
    lace = rough_burst(rng, 0.09, centre_hz=2200.0, octaves=3.0)
    return recorded_hit(rng, mixed(0.9 * push, 0.55 * slap, 0.7 * air, 0.1 * lace), strength, ring_s=0.5)


# --- rackets ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Racket:
    """A string bed or a blade, and the ball it meets."""

    bed_hz: tuple[float, float]
    bed_t60_s: float
    bed: float
    contact_s: float
    ball_radius_m: float
    """0 for a shuttlecock."""
    frame: float


RACKETS: Mapping[str, Racket] = {
    "tennis": Racket((380.0, 520.0), 0.11, 0.8, 0.005, 0.033, 0.35),
    "squash": Racket((560.0, 760.0), 0.08, 0.7, 0.004, 0.020, 0.45),
    "badminton": Racket((850.0, 1150.0), 0.09, 0.9, 0.002, 0.0, 0.2),
    "table_tennis": Racket((900.0, 1500.0), 0.018, 0.5, 0.001, 0.020, 0.0),
}


def racket_hit(
    rng: np.random.Generator,
    strength: float,
    /,
    *,
    game: float | str = "tennis",
    variant: float | str = 0,
    **_: float | str,
) -> Mono:
    """Return a ball on a racket: `game` tennis, squash, badminton or table_tennis.

    The string bed rings as a small tight membrane under the clack of the landing, the ball's air with it.
    """
    racket, chance = choice(RACKETS, game, "game"), character(f"racket {game}", variant)
    bed_hz = chance.uniform(*racket.bed_hz) * rng.uniform(0.985, 1.015) * np.array(MEMBRANE_RATIOS[:10])
    t60 = racket.bed_t60_s * (bed_hz / bed_hz[0]) ** -0.75
    gains = np.exp(-0.4 * np.arange(10) * (1.3 - 0.5 * strength)) * np.exp(rng.normal(0.0, 0.2, 10))
    bed = ring_modes(bed_hz, t60, gains, length_samples(0.16), phases=np.full(10, 0.6))
    clack = rough_burst(rng, 0.012 + 2.5 * racket.contact_s, centre_hz=min(9.0 / racket.contact_s, 4500.0), octaves=3.0)
    parts = [racket.bed * peak_of(bed), 0.6 * clack]
    if racket.ball_radius_m > 0.0:
        parts.append(0.3 * ringing_air(rng, racket.ball_radius_m))
    if racket.frame > 0.0:
        parts.append(racket.frame * struck(rng, body(chance, PLASTIC, size=0.4), strength, hardness=0.9))
    else:
        parts.append(0.7 * struck(rng, body(chance, WOOD, size=0.2), strength, hardness=0.8))
    return recorded_hit(rng, mixed(*parts), strength, ring_s=0.5)


# --- bats, clubs, sticks, cues, pins ---------------------------------------------------------------------------------

Strikes = Callable[[np.random.Generator, np.random.Generator, float], Signal]


def _wooden(
    rng: np.random.Generator, chance: np.random.Generator, strength: float, *, size: float, crack: float
) -> Signal:
    """Return a wooden bat or stick: its bending modes, and the crack of a contact of 1 ms."""
    bat = struck(rng, body(chance, WOOD, size=size), strength)
    bent = ring_modes(
        chance.uniform(160.0, 190.0) * np.array([1.0, 3.1, 6.2, 9.6]),
        np.array([0.12, 0.08, 0.05, 0.03]),
        np.array([0.6, 1.0, 0.8, 0.5]) * np.exp(rng.normal(0.0, 0.4, 4)),  # where on the bat it was hit
        length_samples(0.15),
    )
    snap = rough_burst(rng, 0.02, centre_hz=rng.uniform(2400.0, 3400.0), octaves=2.2)
    return mixed(0.8 * bat, 0.5 * peak_of(bent), crack * (0.4 + 0.6 * strength) * snap)


def _aluminium(rng: np.random.Generator, chance: np.random.Generator, strength: float) -> Signal:
    """Return a hollow metal bat, whose barrel's hoop modes ping at 1.4 to 2.3 kHz and above (Russell 2017)."""
    hoop_hz = chance.uniform(1400.0, 2300.0) * np.array([1.0, 1.006, 1.55, 1.56, 2.7, 4.1])
    ping = ring_modes(hoop_hz, 0.45 * (hoop_hz / 1800.0) ** -0.8, np.array([1, 0.8, 0.6, 0.4, 0.3, 0.2]), 24_000)
    return mixed(0.8 * peak_of(ping), 0.5 * _wooden(rng, chance, strength, size=0.4, crack=0.9))


def _golf(rng: np.random.Generator, chance: np.random.Generator, strength: float) -> Signal:
    """Return a driver: a hollow titanium head that rings at 3 to 4.5 kHz after a contact of half a millisecond."""
    head_hz = chance.uniform(3000.0, 4500.0) * np.array([1.0, 1.31, 1.7, 2.3])
    ting = ring_modes(head_hz, np.array([0.12, 0.09, 0.07, 0.05]), np.array([1.0, 0.7, 0.5, 0.4]), length_samples(0.15))
    click = noise_burst(rng, 0.012, low_hz=900.0, high_hz=11_000.0)
    return mixed(0.7 * peak_of(ting), 0.9 * click, 0.25 * thud(rng, 180.0, 0.06))


def _billiard(rng: np.random.Generator, chance: np.random.Generator, strength: float) -> Signal:
    """Return two resin balls: a contact of 0.25 ms, modes from 5 kHz that are gone in 10 ms, the slate's push."""
    ball_hz = chance.uniform(5200.0, 6200.0) * np.array([1.0, 1.4, 1.9])
    clack = ring_modes(ball_hz, np.array([0.014, 0.010, 0.008]), np.array([1.0, 0.6, 0.4]), length_samples(0.03))
    click = noise_burst(rng, 0.007, low_hz=1200.0, high_hz=9000.0)
    return mixed(0.8 * peak_of(clack), 0.7 * click, 0.15 * thud(rng, 220.0, 0.05))


def _bowling(rng: np.random.Generator, chance: np.random.Generator, strength: float) -> Signal:
    """Return a ball into pins: four to ten maple pins knock each other and the pit within half a second."""
    pins = [struck(rng, body(chance, WOOD, size=0.45), strength) for _pin in range(3)]
    parts = [0.8 * thud(rng, 95.0, 0.15), pins[0]]
    for _knock in range(int(rng.integers(5, 11))):
        pin = pins[int(rng.integers(3))]
        parts.append(delayed(rng.uniform(0.2, 0.8) * pin, rng.gamma(1.6, 0.09)))
    return mixed(*parts)


BATS: Mapping[str, Strikes] = {
    "baseball": partial(_wooden, size=0.25, crack=0.9),
    "aluminium": _aluminium,
    "cricket": partial(_wooden, size=0.6, crack=0.5),
    "hockey": partial(_wooden, size=0.35, crack=0.7),
    "golf": _golf,
    "billiards": _billiard,
    "bowling": _bowling,
}


def bat_hit(
    rng: np.random.Generator,
    strength: float,
    /,
    *,
    game: float | str = "baseball",
    variant: float | str = 0,
    **_: float | str,
) -> Mono:
    """Return a bat, club, stick or cue: `game` baseball, aluminium, cricket, hockey, golf, billiards or bowling."""
    strike, chance = choice(BATS, game, "game"), character(f"bat {game}", variant)
    return recorded_hit(rng, strike(rng, chance, strength), strength, ring_s=1.4)


# --- blades and bows -------------------------------------------------------------------------------------------------


def sword_clash(
    rng: np.random.Generator,
    strength: float,
    /,
    *,
    slide: float | str = 0.4,
    variant: float | str = 0,
    **_: float | str,
) -> Mono:
    """Return two blades that meet, each a bar held at one end, and slide along each other.

    `slide` 0 is a clean parry, 1 a long scrape of edge on edge.
    """
    scraped, pair = number(slide, 0.0, 1.0, "slide"), character("sword_clash", variant)
    blades = []
    for _blade in range(2):
        ratios = np.concatenate([BAR_RATIOS, 1.012 * np.array(BAR_RATIOS), [30.2, 37.9]])
        f = pair.uniform(210.0, 420.0) * ratios
        f = f * np.exp(pair.normal(0.0, 0.03, len(f)))
        t60 = 1.1 * (f / 2000.0) ** -0.5 * np.exp(pair.normal(0.0, 0.25, len(f))) * (f > 500.0) + 0.05
        gains = np.exp(rng.normal(0.0, 0.5, len(f))) * np.minimum(1.0, f / 2500.0)
        blades.append(ring_modes(f, t60, gains, length_samples(1.6), phases=rng.uniform(-0.6, 0.6, len(f))))
    tick = noise_burst(rng, 0.014, low_hz=1500.0, high_hz=12_000.0)
    second = delayed(0.5 * tick, rng.uniform(0.006, 0.02))
    length = length_samples(0.12 + 0.35 * scraped * rng.uniform(0.7, 1.2))
    edge = high_passed(rng.standard_normal(length), 3000.0) * decay(length, 0.9 * length / RATE_HZ)
    edge *= np.minimum(1.0, np.arange(length) / (0.02 * RATE_HZ))
    ring = peak_of(mixed(blades[0], delayed(blades[1], rng.uniform(0.0, 0.003))))
    clang = struck(rng, body(pair, STEEL, size=0.1, ring=0.5), strength)
    sound = mixed(0.7 * ring, 0.5 * clang, 0.7 * tick, second, 0.3 * scraped * peak_of(edge))
    return recorded_hit(rng, sound, strength, ring_s=2.0, wet=0.2)


def bow_shot(
    rng: np.random.Generator,
    strength: float,
    /,
    *,
    kind: float | str = "longbow",
    variant: float | str = 0,
    **_: float | str,
) -> Mono:
    """Return an arrow let go: `kind` longbow, crossbow (a wooden stock, a lock) or slingshot (rubber).

    The string slaps back and hums for a moment, damped by its limbs; the arrow leaves with a short rush of air.
    """
    stock = choice({"longbow": 0.3, "crossbow": 1.0, "slingshot": 0.0}, kind, "kind")
    bow = character(f"bow {kind}", variant)
    k = np.arange(1, 15)
    hum_hz = bow.uniform(85.0, 150.0) * k * np.sqrt(1.0 + 2e-3 * k * k) * (1.0 + 0.8 * (stock == 0.0))
    hum = ring_modes(hum_hz, 0.16 / np.sqrt(k), np.abs(np.sin(1.3 * k)) / k**0.7, length_samples(0.2))
    snap = noise_burst(rng, 0.02, low_hz=500.0, high_hz=3000.0 + 4000.0 * strength)
    limbs = struck(rng, body(bow, WOOD, size=0.6 - 0.2 * stock), strength, hardness=0.8)
    length = length_samples(0.28)
    rush = low_passed(high_passed(rng.standard_normal(length), 700.0), 3800.0)
    rush *= np.sin(np.pi * np.linspace(0.05, 1.0, length) ** 0.5) ** 2
    lock = stock * struck(rng, body(bow, STEEL, size=0.05, ring=0.05), strength)
    sound = mixed(0.6 * peak_of(hum), 0.7 * snap, (0.3 + 0.4 * stock) * limbs, 0.25 * peak_of(rush), 0.3 * lock)
    return recorded_hit(rng, sound, strength, ring_s=0.6)


def _recipe(name: str, make: MakesHit, ring_s: float, source: str) -> HitRecipe:
    return HitRecipe(name, "sport", make, defaults_of(make), ring_s=ring_s, source=source)


RECIPES = (
    _recipe("ball_bounce", ball_bounce, BOUNCES_S, "Russell 2010; Cross 1999"),
    _recipe("ball_kick", ball_kick, 0.5, "Russell 2010"),
    _recipe("racket_hit", racket_hit, 0.5, "Brody 1979"),
    _recipe("bat_hit", bat_hit, 1.4, "Russell 2017"),
    _recipe("sword_clash", sword_clash, 2.0, "bars: Fletcher & Rossing 1998"),
    _recipe("bow_shot", bow_shot, 0.6, "strings: Fletcher & Rossing 1998"),
)
