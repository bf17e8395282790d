"""Moving air: wind, draughts, things swung through it.

Sources: V. Strouhal, Ann. Phys. 241, 1878 (pitch of a wire in the wind); A. Farnell, "Designing Sound", 2010; R.
Selfridge, D. Moffat, J. Reiss, "Sound synthesis of objects swinging through air", Appl. Sci. 7, 2017. Band levels are
medians of 18 stretches of recorded wind and of 27 recorded swings.
"""

from __future__ import annotations

import numpy as np

from foley.synth.excitation import Signal, length_samples
from foley.synth.finish import character, defaults_of, finished_hit, number, settled
from foley.synth.moving import Layer, at_frames, frame_times_s, layered, lively, slow_frames, whistle
from foley.synth.places import FOLIAGE
from foley.synth.recipe import HitRecipe, Mono, TextureRecipe
from foley.synth.sessions import Session
from foley.synth.textures import control_times_s, erb_spectrum, noise_piece, spectrum, stretched, tinted

STROUHAL = 0.2
"""Vortices leave a cylinder at f = 0.2 u / d over four decades of Reynolds number (V. Strouhal, 1878)."""

WIND_DB = (-1, -7, -10, -11, -13, -16, -23, -27, -28, -26)
"""Median of 18 stretches of recorded wind."""
BUFFETING = spectrum({40: -16, 150: -6, 400: 0, 1200: -6, 4000: -18, 12000: -36})


GALE_M_S = 18.0
"""Wind speed at intensity 1: gale force 8 begins there."""


def vortex_hz(speed_m_s: Signal, diameter_m: float) -> Signal:
    """Return the pitch of air that flows around a wire or twig.

    >>> vortex_hz(np.array([10.0]), 0.004).tolist()
    [500.0]
    """
    return STROUHAL * speed_m_s / diameter_m


# --- wind ------------------------------------------------------------------------------------------------------------


def _gusts(rng: np.random.Generator, samples: int, depth: float) -> Signal:
    """Return the wind's speed re its mean, at the frames: it jumps up within a second and sinks for several."""
    return np.clip(1 + 0.45 * depth * slow_frames(rng, samples, 0.25, 4), 0.3, 1.9)


def _on_control_grid(curve: Signal, samples: int) -> Signal:
    """Return a curve of the frames at the times of `control_times_s`."""
    return np.asarray(np.interp(control_times_s(samples), frame_times_s(samples), curve), np.float64)


def wind(
    rng: np.random.Generator,
    intensity: Mono,
    /,
    *,
    howl: float | str = 0.3,
    leaves: float | str = 0.0,
    gusts: float | str = 0.35,
    variant: float | str = 0,
    **_: float | str,
) -> Mono:
    """Return wind: a turbulent bed, buffeting that grows faster than it, twigs or wires that whistle in gusts.

    Bed ~ U^0.9, buffeting ~ U^2.2, whistles at 0.2 U / d above two thirds of full speed.

    Args:
        rng: Chance.
        intensity: Speed: 1 is a gale of 18 m/s.
        howl: 0 to 1: wires and twigs that whistle.
        leaves: 0 to 1: foliage that rustles.
        gusts: 0 even to 1 squally.
        variant: Which place.
    """
    wires = number(howl, 0.0, 1.0, "howl")
    foliage = number(leaves, 0.0, 1.0, "leaves")
    count, place = len(intensity), character("wind", variant)
    gust = _gusts(rng, count, number(gusts, 0.0, 1.0, "gusts"))
    speed = gust * (0.35 + 0.65 * at_frames(intensity))
    bed = tinted(erb_spectrum(WIND_DB), place, 2.0)
    layers = lively(rng, count, bed, 1.3, common=0.6, level=gust**0.9)
    layers += lively(rng, count, BUFFETING, 1.2, common=0.6, rate_hz=1.5, level=0.30 * gust * speed**1.2)
    if foliage > 0.0:
        rustle = 1 + 0.35 * slow_frames(rng, count, 5.0, 2)
        layers.append(Layer(FOLIAGE, 0.8 * foliage * np.maximum(0, speed - 0.2) ** 1.5 * rustle))
    sound = layered(rng, count, layers)
    if wires > 0.0:
        fast = _on_control_grid(speed, count)
        loud = stretched(0.35 * wires * np.maximum(0, fast - 0.65) ** 1.5, count)
        for _wire in range(3):
            diameter_m = float(np.exp(place.uniform(np.log(0.0025), np.log(0.012))))
            pitch_hz = vortex_hz(GALE_M_S * fast * place.uniform(0.7, 1.2), diameter_m)
            sound += whistle(rng, count, pitch_hz, 9.0) * loud
    return settled(sound, intensity, rms=1.08)


CHINK = spectrum({40: -10, 120: 0, 300: -6, 800: -14, 3000: -22, 10000: -34})


def draught(
    rng: np.random.Generator,
    intensity: Mono,
    /,
    *,
    gusts: float | str = 0.6,
    variant: float | str = 0,
    **_: float | str,
) -> Mono:
    """Return wind that howls around a house: chinks and chimneys sing, their pitch rises and falls with the gusts.

    An edge tone locks to its cavity's resonance, so that a gust moves it by a tone or two, not by octaves as a wire's.

    Args:
        rng: Chance.
        intensity: Speed of the wind, 1 a gale.
        gusts: 0 even to 1 squally.
        variant: Which house.
    """
    count, house = len(intensity), character("draught", variant)
    gust = _gusts(rng, count, number(gusts, 0.0, 1.0, "gusts"))
    speed = gust * (0.35 + 0.65 * at_frames(intensity))
    sound = layered(rng, count, lively(rng, count, tinted(CHINK, house, 2.0), 1.0, level=0.6 * gust))
    fast = _on_control_grid(speed, count)
    for low_hz, high_hz, level in ((220.0, 420.0, 1.3), (420.0, 800.0, 0.9), (800.0, 1500.0, 0.35)):
        pitch_hz = house.uniform(low_hz, high_hz) * (0.78 + 0.26 * fast)
        # each chink needs its own least speed before it sings
        loud = np.maximum(0, fast - house.uniform(0.3, 0.7)) ** 1.6 * level
        sound += whistle(rng, count, pitch_hz, 14.0) * stretched(loud, count)
    return settled(sound, intensity, rms=0.78)


# --- whoosh ----------------------------------------------------------------------------------------------------------

BREATH = spectrum({60: -22, 250: -4, 700: 0, 2500: -8, 8000: -12, 16000: -18})
RAGGED_DB = (-42.0, -17.0)
"""RMS of that breath re the vortices: a blade's edge is smooth, a cloak or a branch is ragged (25 recorded swings)."""
SWINGING = Session(low_hz=50.0, low_spread=0.4, high_hz=14_000.0, high_spread=0.4, tilt_db=2.0, peak_db=2.0)
"""Swings are recorded alike, close and for the purpose."""

WHOOSH_LEAD_S, WHOOSH_RING_S = 0.30, 0.45
"""From where the slowest is first heard to where it is nearest and loudest, and on to its end."""
SWING_M_S = 18.0
"""Speed of a hard swing at its fastest: a bat or sword's middle."""
SECTIONS = ((1.0, 1.0), (0.8, 0.5))
"""Speed and level of two parts of what is swung: its tip is the faster and louder one."""


def whoosh(
    rng: np.random.Generator,
    strength: float,
    /,
    *,
    size: float | str = 0.5,
    speed: float | str = 0.5,
    variant: float | str = 0,
    **_: float | str,
) -> Mono:
    """Return something swung past: loudest at its contact, its pitch follows its speed.

    A moving cylinder sounds as a dipole: level ~ u^3, centre 0.2 u / d. Recorded swings rise in 36 ms, fall by 20 dB in
    80 to 110 ms and lie almost wholly between 240 and 900 Hz.

    Args:
        rng: Chance.
        strength: How hard it is swung.
        size: 0 a wire of 2 mm, 0.5 a blade, 1 a club or plank.
        speed: How quickly it is past: 0 a cloak or a slow pan, 0.5 a swing, 1 a whip or a cut.
        variant: Which thing of its kind: smooth or ragged, and how it is recorded.
    """
    thing = character("whoosh", variant)
    diameter_m = 0.002 * 7.0 ** number(size, 0.0, 1.0, "size")
    quick = number(speed, 0.0, 1.0, "speed")
    count = length_samples(WHOOSH_LEAD_S + WHOOSH_RING_S)
    t_s = control_times_s(count) - WHOOSH_LEAD_S
    # recorded swings fall slower than they rise
    rise_s = 0.10 * 0.22**quick * np.exp(rng.normal(0.0, 0.25))
    away = np.abs(t_s) / np.where(t_s < 0, rise_s, 1.3 * rise_s)
    # an arm swings out: from 1.2 on, the fall is no longer steeper than exponential
    pace = np.exp(-np.where(t_s < 0, away**2, np.minimum(away**2, 1.2 * away)))
    fastest = SWING_M_S * (0.4 + 0.6 * strength) * (0.75 + 0.5 * quick) * rng.uniform(0.85, 1.15)
    sound = np.zeros(count)
    for share, level in SECTIONS:
        pitch_hz = np.clip(vortex_hz(fastest * share * (0.55 + 0.45 * pace), diameter_m), 60.0, 6000.0)
        sound += level * whistle(rng, count, pitch_hz, 140.0 + 50.0 * quick)
    ragged = 10.0 ** (thing.uniform(*RAGGED_DB) / 20.0)
    sound *= stretched(pace**2.4, count)
    sound += ragged * noise_piece(rng, count, BREATH) * stretched(pace**1.6, count)
    heard = SWINGING.recorded(thing, sound * _level_at(sound))
    return finished_hit(heard, strength, ring_s=WHOOSH_RING_S, lead_s=WHOOSH_LEAD_S)


def _level_at(sound: Signal) -> Signal:
    """Return a gain that puts the loudest moment of noise on the contact: its envelope is noise, too."""
    swell_samples = length_samples(0.02)
    sums = np.cumsum(np.pad(sound**2, swell_samples // 2))
    power = (sums[swell_samples:] - sums[:-swell_samples]) / swell_samples
    aim = power[length_samples(WHOOSH_LEAD_S)]
    return np.asarray(np.minimum(1.0, np.sqrt(aim / (power + 1e-12))), np.float64)


RECIPES = (
    TextureRecipe("wind", "air", wind, defaults_of(wind), "band levels: 18 stretches of recorded wind; Strouhal 1878"),
    TextureRecipe("draught", "air", draught, defaults_of(draught), "Farnell 2010; edge tones lock to their cavity"),
    HitRecipe(
        "whoosh",
        "air",
        whoosh,
        defaults_of(whoosh),
        lead_s=WHOOSH_LEAD_S,
        ring_s=WHOOSH_RING_S,
        source="Selfridge, Moffat & Reiss 2017",
    ),
)
