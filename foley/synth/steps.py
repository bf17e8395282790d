"""What one foot, shoe or hoof does on a hard floor: dry, before room and microphone; and what all steps share.

A step on a hard floor is a heel strike, a gritty roll, and the ball of the foot coming down 60 to 150 ms later.

Sources: P. Cook, "Modeling Bill's gait", AES 22nd Int. Conf., 2002; L. Turchet, "Footstep sounds synthesis", Applied
Acoustics 107, 2016. Spectra, rise and decay are fitted to recorded steps.
"""

from __future__ import annotations

import math
from functools import cache

import numpy as np

from foley.products import energy
from foley.synth.chain import delayed, faded, mixed, peak_of
from foley.synth.excitation import (
    Signal,
    butterworth,
    decay,
    filtered,
    hertz_gain,
    length_samples,
    low_passed,
    noise_burst,
    white,
)
from foley.synth.finish import character
from foley.synth.gait import Gait
from foley.synth.grounds import GROUNDS
from foley.synth.resonators import resonant_grains, ring_modes, thud
from foley.synth.surfaces import FLOORS, Floor, Shoe
from foley.synth.textures import (
    control_times_s,
    noise_piece,
    shower,
    slow_random,
    spectrum,
    stretched,
)
from foley.units import RATE_HZ

GRIT = spectrum({60: -28, 250: -12, 900: 0, 3000: -3, 8000: -9, 16000: -24})
"""Dust and sand between sole and floor."""

PILE = spectrum({60: -6, 110: 0, 170: -8, 300: -18, 1200: -36, 5000: -51, 15000: -55})
"""A carpet's pile and underlay: measured while recorded feet roll."""


SETTLING_S = 0.22
"""In which the last grains and drops come to rest by 20 dB: measured on gravel, sand, snow."""


def swelling(length: int, *, peak_s: float, rise_s: float, fall_s: float, settle: float = 0.0) -> Signal:
    """Return an envelope that is 1 at `peak_s`: Gaussian before and after, then a tail of what settles.

    Args:
        length: In samples.
        peak_s: When it is highest.
        rise_s: Spread before.
        fall_s: Spread after.
        settle: Where the tail starts.
    """
    return stretched(swell(length, peak_s=peak_s, rise_s=rise_s, fall_s=fall_s, settle=settle), length)


def swell(length: int, *, peak_s: float, rise_s: float, fall_s: float, settle: float = 0.0) -> Signal:
    """Return the corners of `swelling`, 1 ms apart."""
    t_s = control_times_s(length) - peak_s
    body = np.exp(-0.5 * (t_s / np.where(t_s < 0.0, rise_s, fall_s)) ** 2)
    tail = settle * np.minimum(1.0, 10.0 ** (-t_s / SETTLING_S)) * (t_s >= 0.0)
    return np.asarray(np.maximum(body, tail), np.float64)


@cache
def grains_of(name: str) -> list[Signal]:
    """Return the grains of a ground or floor: made once, scattered differently in every step."""
    if name in GROUNDS:
        ground = GROUNDS[name]
        low, high = ground.grain_hz
        grains = resonant_grains(character(name, 0), low, high, quality=ground.quality, decay_s=ground.decay_s)
        # buried grains have no overtones, and what is so small moves no air below its own resonance
        edges = butterworth(3.0 * high, 1, high=False), butterworth(0.7 * low, 1, high=True)
        return [filtered(grain, *edges) for grain in grains]
    low, high = (800.0, 11_000.0) if name == "ice" else (700.0, 7000.0)
    return resonant_grains(character(f"grit of {name}", 0), low, high, quality=(1.0, 4.0), decay_s=0.004)


EDGE_SPREAD = 0.5
"""Of how much of the heel's edge meets the floor (log): recorded steps of one walker differ by 7 dB above 500 Hz."""

GRIT_SPREAD = 0.8
"""Of how much lies under the sole (log): recorded concrete is 15 dB grittier than recorded stone."""

STEEP = 2.2
"""Corner of a blow's treble re its pitch: recorded ones fall by 15 dB in the octave above."""

RUMBLE_HZ = 4000.0
"""Pitch of a blow of as much tone as noise; lower ones need more noise to fill their narrower band."""


def on_floor(
    rng: np.random.Generator, name: str, shoe: Shoe, strength: float, *, gait: Gait, spot: np.random.Generator
) -> Signal:
    """Return a dry step on a hard floor: heel, gritty roll, ball of the foot; the heel's modes peak at 1.

    Args:
        rng: Source of chance for this step.
        name: What is stepped on, one of `FLOORS`.
        shoe: What with.
        strength: 0 to 1.
        gait: How.
        spot: Source of chance for the floor, the same for all steps on it.
    """
    floor = FLOORS[name]
    contact_s = (shoe.contact_s + floor.soft_s) * gait.softness * max(strength, 0.05) ** -0.3
    modes = _modes(floor, spot)
    weight_hz = floor.thud_hz * gait.pitch * spot.uniform(0.8, 1.2) * rng.uniform(0.94, 1.06)
    weight_hz *= min(1.0, math.sqrt(0.0022 / shoe.contact_s))  # soles carry as hard as floors do, bare flesh yields
    sharp = (0.0008 / contact_s) ** 0.4  # re a leather heel: harder and faster ones click more
    click = noise_piece(rng, length_samples(floor.click_t60_s), floor.click_spectrum)
    click = peak_of(
        click * decay(len(click), floor.click_t60_s),
        floor.click * sharp * (0.4 + 0.6 * strength) * rng.uniform(0.75, 1.3),
    )
    edge = float(np.exp(rng.normal(0.0, EDGE_SPREAD)))
    heel = shoe.heel * gait.heel * edge * mixed(_rung(rng, floor, modes, contact_s), click)
    weight = floor.thud * shoe.thud * gait.thud * (0.75 + 0.25 * strength) * rng.uniform(0.8, 1.2)
    body = borne(blow(rng, weight_hz, floor.thud_t60_s * rng.uniform(0.85, 1.15)), floor.give_s)
    ball = floor.ball * shoe.ball * gait.ball
    toe = _rung(rng, floor, tuple(each[: (len(each) + 1) // 2] for each in modes), 4.0 * contact_s)
    toe = mixed(toe, 0.8 * floor.thud * peak_of(body[: len(body) // 2]))
    step = mixed(heel, weight * body, delayed(ball * faded(toe, 0.001, 0.02), gait.gap_s))
    # everything crunches a little underfoot; what is dragged scrapes whatever lies there
    grit = shoe.grit * (0.5 * floor.grit * float(np.exp(rng.normal(0.0, GRIT_SPREAD))) + (floor.grit + 0.2) * gait.drag)
    step = mixed(step, grit * ground_between(rng, name, gait))
    if floor.pile:
        step = mixed(step, floor.pile * gait.thud * _pressed(rng, gait))
    return mixed(step, floor.crust * _crust(rng, name, gait)) if floor.crust else step


def _modes(floor: Floor, spot: np.random.Generator) -> tuple[Signal, ...]:
    """Return frequencies, decay times and strengths of the modes of one spot of a floor."""
    f = np.sort(np.exp(spot.uniform(np.log(floor.lowest_hz), np.log(floor.highest_hz), floor.modes)))
    t60 = floor.t60_s * (f / 300.0) ** -floor.t60_fall * np.exp(spot.normal(0.0, floor.damping, len(f)))
    gains = 10.0 ** (floor.tilt_db * np.log2(f / f[0]) / 20.0) * np.exp(spot.normal(0.0, 0.4, len(f)))
    return f, t60, gains


def _rung(rng: np.random.Generator, floor: Floor, modes: tuple[Signal, ...], contact_s: float) -> Signal:
    """Return a floor's modes as a contact of this length sets them ringing; a hard one's peak is 1, a soft one's lower.

    The contact's spectrum and its slow rise stand for the convolution with its pulse, which took a third of the time.
    """
    f, t60, gains = modes
    struck = gains * np.exp(rng.normal(0.0, 0.38, len(f)))  # no two steps fall on the same board
    excited = struck * hertz_gain(f, contact_s)
    length = length_samples(min(1.2, 1.3 * float(t60.max()) + 0.03))
    ringing = ring_modes(f, t60, excited, length, phases=rng.uniform(-floor.scatter, floor.scatter, len(f)))
    return faded(peak_of(ringing, math.sqrt(energy(excited) / energy(struck))), contact_s, 0.0)


def blow(rng: np.random.Generator, pitch_hz: float, t60_s: float) -> Signal:
    """Return a foot's mass on what carries it, peak 1: noise of a narrow band and a falling tone, for legs are no drum.

    The pitch is that of a mass on a spring: flesh, pile and plates carry softly, at 100 Hz, boards and slabs at 280.
    """
    tone = thud(rng, pitch_hz, t60_s, drop=rng.uniform(0.25, 0.45), noise=0.0)
    rumble = math.sqrt(RUMBLE_HZ / pitch_hz) * white(rng, len(tone)) * decay(len(tone), t60_s)
    low = butterworth(STEEP * pitch_hz, 2, high=False)
    return peak_of(filtered(tone + rumble, low, low, butterworth(0.6 * pitch_hz, 1, high=True)))


def borne(weight: Signal, give_s: float) -> Signal:
    """Return a weight that comes to bear as flesh or pile gives way: a third of it at once, all after `give_s`."""
    if give_s == 0.0:
        return weight
    return weight * (0.35 + 0.65 * np.minimum(1.0, np.arange(len(weight)) / (give_s * RATE_HZ)))


def weight_of(rng: np.random.Generator, pitch_hz: float, t60_s: float) -> Signal:
    """Return a body's weight on a foot, peak near 1: a falling low tone and as much rumble; legs are no drum."""
    tone = thud(rng, pitch_hz, t60_s, drop=rng.uniform(0.25, 0.45), noise=0.2)
    rumble = low_passed(white(rng, len(tone)), 2.5 * pitch_hz) * decay(len(tone), t60_s)
    return 0.6 * tone + peak_of(rumble, 0.6)


def ground_between(rng: np.random.Generator, name: str, gait: Gait) -> Signal:
    """Return what is ground between sole and floor while the foot rolls from heel to toe, peak 1; dragged, it lasts."""
    peak_s = 1.1 * gait.gap_s * (1.0 - 0.5 * gait.drag)
    fall_s = 0.08 + 0.12 * gait.drag
    length = length_samples(peak_s + 3.0 * fall_s)
    swell = swelling(length, peak_s=peak_s, rise_s=0.4 * peak_s + 0.012, fall_s=fall_s)
    swell = swell * np.maximum(0.1, 0.7 + 0.5 * slow_random(rng, length, 60.0, 2))
    grains = shower(rng, length, grains_of(name), rate_hz=900.0, sigma=1.0, curve=np.clip(swell, 0.0, 1.0))
    return peak_of(faded((0.35 * noise_piece(rng, length, GRIT) + grains) * swell, 0.004, 0.02))


def _pressed(rng: np.random.Generator, gait: Gait) -> Signal:
    """Return pile that gives and rubs while the weight goes from heel to toe, peak 1: recorded carpet does not dip."""
    peak_s = gait.gap_s * rng.uniform(0.3, 1.0)
    fall_s = 0.6 * gait.gap_s * rng.uniform(0.7, 1.4)
    length = length_samples(peak_s + 3.5 * fall_s)
    swell = swelling(length, peak_s=peak_s, rise_s=0.7 * peak_s, fall_s=fall_s)
    return peak_of(faded(noise_piece(rng, length, PILE) * swell, 0.0, 0.02))


def _crust(rng: np.random.Generator, name: str, gait: Gait) -> Signal:
    """Return a brittle layer that breaks under the heel and again, less, under the ball of the foot; peak 1."""
    length = length_samples(0.3 + gait.gap_s)
    cracking = decay(length, 0.3)
    cracking += delayed(0.5 * decay(length, 0.25), gait.gap_s)[:length]
    cracks = shower(rng, length, grains_of(name), rate_hz=450.0, sigma=1.4, curve=np.minimum(1.0, cracking) ** 0.7)
    cracks[: length_samples(0.02)] += noise_burst(rng, 0.02, low_hz=900.0, high_hz=9000.0)
    return peak_of(faded(cracks * cracking**0.6, 0.0, 0.04))
