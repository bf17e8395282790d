"""What a foot does on loose ground and in water: dry, before room and microphone.

On loose ground the foot's force sets how many grains break and slip; its first contact marks the instant, because the
crunch itself may swell for 180 ms. In water the sole slaps, the leg pushes water aside, and drops rain back.

Sources: F. Fontana, R. Bresin, "Physics-based sound synthesis and control: crushing, walking and running by crumpling
sounds", Coll. Musical Informatics, 2003; L. Turchet, "Footstep sounds synthesis", Applied Acoustics 107, 2016; K. van
den Doel, "Physically based models for liquid sounds", ACM Trans. Applied Perception 2, 2005. Spectra, rise and decay
are fitted to recorded steps.
"""

from __future__ import annotations

import math
from functools import cache

import numpy as np

from foley.products import energy
from foley.synth.bubbles import bubble, bubbles
from foley.synth.chain import delayed, faded, mixed, peak_of
from foley.synth.crackle import bent
from foley.synth.excitation import (
    Signal,
    decay,
    filtered,
    hertz_gain,
    length_samples,
    low_passed,
    noise_burst,
    shelf,
    slips,
)
from foley.synth.finish import add_at, character
from foley.synth.gait import Gait
from foley.synth.grounds import GROUNDS, WATER, Ground
from foley.synth.resonators import resonant_grains, ring_modes, thud
from foley.synth.steps import SETTLING_S, grains_of, swell, swelling, weight_of
from foley.synth.surfaces import FLOORS, Floor, Shoe
from foley.synth.textures import (
    heavy,
    noise_piece,
    scatter,
    shower,
    slow_gain,
    slow_nodes,
    slow_random,
    spectrum,
    stretched,
    unit_energy,
)

DRY_HZ = 4000.0
"""Above, dry ground crackles and hisses where damp ground is dull: recordings of one ground differ by 15 dB."""

BALL_S = 0.8
"""Of the time from heel to ball on a hard floor: earth that gives way brings the ball down after 40 to 60 ms."""

PRESSED = spectrum({60: 0, 110: 0, 220: -12, 440: -28})
"""A body's weight where the ground gives way slowly: recorded grass falls so above 110 Hz while it is loudest."""

LOUDEST_BURST = 4.0
"""Re the usual force: a body has only so much weight."""


def on_ground(
    rng: np.random.Generator, name: str, shoe: Shoe, strength: float, *, gait: Gait, spot: np.random.Generator
) -> Signal:
    """Return a dry step on loose ground, peak of its crunch 1. The arguments are those of `on_floor`."""
    ground = GROUNDS[name]
    damp_db, dry_db = ground.dryness_db
    dryness = 10.0 ** ((damp_db + (dry_db - damp_db) * spot.random() ** 2) / 20.0)  # most places are rather damp
    weight = shoe.thud * gait.thud * (0.75 + 0.25 * strength)
    parts = [_crunch(rng, name, strength, gait=gait, weight=weight), _footfall(rng, ground, weight, pitch=gait.pitch)]
    if ground.ball:
        ball = ground.ball * gait.ball * float(np.exp(rng.normal(0.0, 0.4)))
        second = faded(_footfall(rng, ground, weight, pitch=gait.pitch), 0.003, 0.0)
        parts.append(delayed(ball * second, BALL_S * gait.gap_s))
    if ground.stones:  # stones pass the heel's blow on to one another
        parts.append(ground.stones * _knock(rng, "stone", shoe, strength, spot))
    if ground.suck:
        parts.append(ground.suck * delayed(_squelch(rng), gait.pace * rng.uniform(0.2, 0.28)))
    if rng.random() < ground.twigs:
        parts.append(rng.uniform(0.3, 0.7) * delayed(_twig(rng), gait.pace * rng.uniform(0.02, 0.15)))
    return filtered(mixed(*parts), shelf(dryness, DRY_HZ))


def _footfall(rng: np.random.Generator, ground: Ground, weight: float, *, pitch: float) -> Signal:
    """Return what meets loose ground at once: the touch of the sole, and the weight that bears on it as a blow."""
    length = length_samples(ground.landing_s)
    touch = noise_piece(rng, length, ground.landing_spectrum or ground.rub_spectrum) * decay(length, ground.landing_s)
    foot = weight_of(rng, ground.thud_hz * pitch * rng.uniform(0.9, 1.1), ground.thud_t60_s)
    return mixed(peak_of(touch, ground.landing), peak_of(foot, ground.thud * weight))


def _force(rng: np.random.Generator, ground: Ground, gait: Gait) -> tuple[Signal, int]:
    """Return the foot's force on corners 1 ms apart, about 1 at its height, and the samples that it lasts."""
    sinks, rolls = np.exp(ground.uneven * np.clip(rng.standard_normal(2), -2.0, 2.0))
    peak_s, rise_s = ground.peak_s * gait.pace * sinks, ground.rise_s * gait.pace * sinks
    fall_s = ground.fall_s * gait.pace * (1.0 + gait.drag) * rolls
    length = length_samples(peak_s + 3.2 * fall_s + (1.2 * SETTLING_S if ground.settle else 0.0))
    force = swell(length, peak_s=peak_s, rise_s=rise_s, fall_s=fall_s, settle=ground.settle)
    # avalanches: grains break in bursts
    bursts = 10.0 ** (ground.bursts_db / 20.0 * slow_nodes(rng, length, ground.bursts_hz, 2))
    return force * np.minimum(bursts, LOUDEST_BURST), length


def _crunch(rng: np.random.Generator, name: str, strength: float, *, gait: Gait, weight: float) -> Signal:
    """Return grains that break and rub as the foot's force has it, peak 1, and the weight that bears as slowly."""
    ground = GROUNDS[name]
    force, length = _force(rng, ground, gait)  # on corners; only what is multiplied with sound has every sample
    grains = shower(
        rng,
        length,
        grains_of(name),
        rate_hz=2.0 * ground.rate_hz * max(strength, 0.05) ** 0.5,
        sigma=ground.sigma,
        curve=stretched(np.minimum(1.0, 0.7 * force), length),
    )
    rubbing = ground.rub * force * (0.7 + 0.3 * np.abs(slow_nodes(rng, length, 90.0, 2)))
    sound = grains * stretched((1.0 - ground.rub) * np.sqrt(force), length)
    sound += noise_piece(rng, length, ground.rub_spectrum) * stretched(rubbing, length)
    if ground.squeak:
        sound += ground.squeak * _squeak(rng, stretched(force, length))
    usual = math.sqrt(energy(sound) / length) + 1e-12
    sound = peak_of(bent(sound, 6.0 * usual))
    if ground.press:
        presses = ground.press * weight * rng.uniform(0.6, 1.3)
        sound += peak_of(noise_piece(rng, length, PRESSED) * stretched(force, length), presses)
    return faded(sound, 0.0, 0.05)


SQUEAK_HZ = (500.0, 1700.0)
"""Where packed snow answers when its crystals slip past each other."""


def _squeak(rng: np.random.Generator, force: Signal) -> Signal:
    """Return packed snow that sticks and slips under the force, 90 to 220 times a second; expected RMS near 1."""
    at = slips(rng, 90.0 + 130.0 * np.clip(force, 0.0, 1.0), 0.25)
    levels = heavy(rng, len(at), 0.6) * force[at]
    return 10.0 * scatter(len(force), at, levels, grains=_crystals(), which=rng.integers(0, len(_crystals()), len(at)))


@cache
def _crystals() -> list[Signal]:
    return resonant_grains(character("snow crystals", 0), *SQUEAK_HZ, quality=(3.0, 9.0), decay_s=0.006, count=48)


def _knock(rng: np.random.Generator, name: str, shoe: Shoe, strength: float, spot: np.random.Generator) -> Signal:
    """Return the short hard blow that a few stones give under the heel, peak 1."""
    floor: Floor = FLOORS[name]
    click = noise_piece(rng, length_samples(0.05), floor.click_spectrum) * decay(length_samples(0.05), 0.045)
    f = np.exp(spot.uniform(np.log(400.0), np.log(2400.0), 8)) * np.exp(rng.normal(0.0, 0.05, 8))
    gains = hertz_gain(f, shoe.contact_s * max(strength, 0.05) ** -0.3) * np.exp(rng.normal(0.0, 0.5, 8))
    return peak_of(mixed(peak_of(click), peak_of(ring_modes(f, 20.0 / f, gains, len(click)))))


def _twig(rng: np.random.Generator) -> Signal:
    """Return a twig that snaps: one to three breaks within 12 ms."""
    sound = np.zeros(length_samples(0.06))
    for delay_s in (0.0, *np.sort(rng.uniform(0.002, 0.012, rng.integers(0, 3))).tolist()):
        f = rng.uniform(900.0, 2600.0) * np.array([1.0, 1.9, 3.3])
        snap = ring_modes(f, 16.0 / f, np.array([1.0, 0.6, 0.4]), length_samples(0.03))
        add_at(
            sound,
            rng.uniform(0.4, 1.0) * mixed(snap, noise_burst(rng, 0.006, low_hz=1500.0, high_hz=9000.0)),
            length_samples(delay_s),
        )
    return peak_of(sound)


@cache
def _pools() -> tuple[list[Signal], list[Signal], list[Signal]]:
    """Return the bubbles that a foot draws in: spray, churn, hollows."""
    chance = character("water underfoot", 0)
    sizes = (((0.25, 1.0), 0.05), ((0.8, 4.0), 0.15), ((3.0, 12.0), 0.3))
    small, middle, large = (unit_energy(bubbles(chance, radii_mm, 64, rise=rise)) for radii_mm, rise in sizes)
    return small, middle, large


def _squelch(rng: np.random.Generator) -> Signal:
    """Return mud that lets go: air drawn into a narrowing gap, bubbles of rising pitch, peak 1."""
    length = length_samples(0.3)
    _, middle, large = _pools()
    swell = swelling(length, peak_s=0.09, rise_s=0.035, fall_s=0.04)
    wet = shower(rng, length, large, rate_hz=160.0, sigma=0.6, curve=swell)
    wet += 0.5 * shower(rng, length, middle, rate_hz=250.0, sigma=0.8, curve=swell)
    air = noise_piece(rng, length, WATER) * np.clip(1.0 + 0.6 * slow_random(rng, length, 70.0, 2), 0.0, 2.0)
    return peak_of(faded((wet + 0.3 * air) * swell, 0.01, 0.05))


# --- water -----------------------------------------------------------------------------------------------------------


@cache
def _cavity(depth_percent: int) -> Signal:
    """Return the hollow that closes behind a foot, peak 0.3; it is read-only."""
    hollow = peak_of(bubble(0.004 + 0.00012 * depth_percent, depth=1.0, rise=0.4), 0.3)
    hollow.flags.writeable = False
    return hollow


SURGE_DB, SURGE_HZ = 6.5, 15.0
"""How unevenly a leg pushes water aside: recorded steps have two or three surges."""

SPRAY_DB, SPRAY_HZ = (-4.0, 14.0), 2500.0
"""How much louder than usual the spray may be: recordings differ by 15 dB above."""


def in_water(rng: np.random.Generator, strength: float, *, depth: float, gait: Gait) -> Signal:
    """Return a dry step into water: slap of the sole, water pushed aside, hollows that close, drops that fall back.

    Recorded steps start 8 to 13 dB under their peak and swell for 70 ms in a puddle, 250 ms in knee-deep water, all
    bands up to 1.2 kHz alike; above they fall by 5 dB an octave. No two are alike: rise and fall differ by a factor of
    1.6 from step to step.

    Args:
        rng: Source of chance.
        strength: 0 to 1.
        depth: 0 a wet floor, 0.3 a puddle, 1 up to the knee.
        gait: How one walks.
    """
    small, middle, large = _pools()
    sinks, rolls, slaps = np.exp(np.array((0.5, 0.5, 0.3)) * np.clip(rng.standard_normal(3), -2.0, 2.0))
    peak_s = gait.pace * (0.06 + 0.29 * depth) * sinks
    fall_s = gait.pace * (0.1 + 0.14 * depth) * (1.0 + 0.5 * gait.drag) * rolls
    length = length_samples(peak_s + 3.2 * fall_s + 0.1)
    push = swelling(length, peak_s=peak_s, rise_s=0.5 * peak_s, fall_s=fall_s, settle=0.3)
    push *= slow_gain(rng, length, SURGE_DB, rate_hz=SURGE_HZ, octaves=3)
    churn = 0.5 * noise_piece(rng, length, WATER) * push
    dense = np.clip(push, 0.0, 1.0)
    churn += (0.09 + 0.06 * depth) * shower(rng, length, middle, rate_hz=250.0, sigma=0.7, curve=dense) * push
    churn += 0.55 * depth * shower(rng, length, large, rate_hz=90.0, sigma=0.6, curve=dense) * push
    rain = swelling(length, peak_s=peak_s + 0.06, rise_s=0.04, fall_s=1.3 * fall_s, settle=0.3)
    churn += (0.1 - 0.05 * depth) * shower(rng, length, small, rate_hz=600.0, sigma=1.0, curve=rain) * rain
    slap = low_passed(noise_piece(rng, length_samples(0.08), WATER), 1500.0 + 3000.0 * strength, 1)
    slap = peak_of(slap * decay(len(slap), 0.08), (0.7 - 0.3 * depth) * gait.thud * slaps)
    cavity = _cavity(round(100 * depth))
    foot = thud(rng, rng.uniform(90.0, 130.0) * gait.pitch, 0.1)
    foot *= 0.2 * gait.thud * (1.0 - depth) * float(np.exp(rng.normal(0.0, 0.5)))
    step = mixed(peak_of(faded(churn, 0.0, 0.06)), slap, foot, delayed(cavity, 0.6 * peak_s))
    spray_db = SPRAY_DB[0] + (SPRAY_DB[1] - SPRAY_DB[0]) * rng.random() ** 2
    return filtered(step, shelf(10.0 ** (spray_db / 20.0), SPRAY_HZ))
