"""In the water and on it: swimming, rowing, a diver's breath."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from foley.synth.bubbles import LARGE, SMALL, TINY, BubbleSize, babble
from foley.synth.excitation import Signal
from foley.synth.finish import character, choice, defaults_of, settled
from foley.synth.moving import Layer, at_frames, frame_times_s, layered
from foley.synth.recipe import Mono, TextureRecipe
from foley.synth.textures import Spectrum, combed, control_times_s, spectrum, stretched, tinted


@dataclass(frozen=True, slots=True)
class Style:
    """How someone moves through water."""

    stroke_s: float
    """From stroke to stroke."""
    entry: float
    """How loud a hand or blade goes in."""
    pull_s: float
    """How long it is drawn through the water."""
    dripping: float
    """What runs off while it comes forward."""
    kicks_hz: float
    kick: float
    """How many kicks a second, and how loud."""
    rms: float
    """Of all of it at full effort, measured over minutes."""


STYLES = {
    "crawl": Style(0.62, 1.0, 0.22, 0.35, 4.5, 0.55, 1.18),
    "breaststroke": Style(1.35, 0.35, 0.45, 0.15, 0.74, 0.7, 0.86),
    "oars": Style(1.9, 0.6, 0.6, 0.6, 0.0, 0.0, 0.85),
    "paddle": Style(1.1, 0.7, 0.35, 0.7, 0.0, 0.0, 0.89),
}
"""Crawl: 50 strokes of either arm a minute and six kicks to a cycle, as in easy training; rowing: 32 a minute."""

ENTRY = spectrum({60: -16, 200: -3, 600: 0, 1800: -4, 5000: -10, 12_000: -20})
RUSH = spectrum({60: -14, 200: -2, 500: 0, 1200: -5, 3000: -13, 9000: -28})
LAP = spectrum({60: -14, 150: -4, 400: 0, 1200: -8, 4000: -22, 12_000: -40})


def swimming(
    rng: np.random.Generator,
    intensity: Mono,
    /,
    *,
    style: float | str = "crawl",
    variant: float | str = 0,
    **_: float | str,
) -> Mono:
    """Return someone who swims or rows: each stroke goes in, pulls bubbles along, comes out and drips; water laps.

    Args:
        rng: Chance.
        intensity: How hard.
        style: crawl, breaststroke, oars or paddle.
        variant: Who.
        **_: What other recipes take.
    """
    how, count, who = choice(STYLES, style, "style"), len(intensity), character("swimming", variant)
    times_s = frame_times_s(count)
    entry, pull, drip = _strokes(rng, times_s, how, how.stroke_s * who.uniform(0.88, 1.15))
    effort = at_frames(0.2 + 0.8 * np.asarray(intensity, np.float64))
    body = how.entry * entry + how.kick * _kicks(rng, times_s, how)
    layers = [
        Layer(_tinted(ENTRY, who), 1.5 * effort * body),
        Layer(_tinted(RUSH, who), 0.8 * effort * pull),
        Layer(_tinted(LAP, who), 0.25),
    ]
    bubbling = _at_samples(np.clip((0.55 * body + 0.8 * pull + 0.06) * effort, 0.0, 1.0), times_s, count)
    dripping = _at_samples(np.clip(how.dripping * drip + 0.3 * body, 0.0, 1.0) * effort, times_s, count)
    sound = layered(rng, count, layers) + 1.6 * babble(rng, bubbling, (SMALL, LARGE))
    sound += 0.8 * babble(rng, dripping, (TINY,))
    return settled(sound, intensity, rms=how.rms)


def _tinted(base: Spectrum, who: np.random.Generator) -> Spectrum:
    return combed(tinted(base, who, 2.0), who, 1.2)


def _at_samples(levels: Signal, times_s: Signal, count: int) -> Signal:
    return stretched(np.interp(control_times_s(count), times_s, levels), count)


def _strokes(rng: np.random.Generator, times_s: Signal, how: Style, stroke_s: float) -> tuple[Signal, Signal, Signal]:
    """Return when hands go in, are drawn through, and drip: three curves about 0 to 1."""
    entry, pull, drip = (np.zeros(len(times_s)) for _ in range(3))
    at_s = -stroke_s * rng.uniform(1.0, 2.0)
    while at_s < times_s[-1]:
        force = float(np.exp(rng.normal(0.0, 0.2)))
        since_s = times_s - at_s
        entry += force * _bump(since_s, 0.02, 0.07)
        pull += force * _bump(since_s - 0.6 * how.pull_s, 0.3 * how.pull_s, 0.4 * how.pull_s)
        drip += force * _bump(since_s - how.pull_s - 0.12, 0.06, 0.3 * stroke_s)
        at_s += stroke_s * rng.normal(1.0, 0.06)
    return entry, pull, drip


def _kicks(rng: np.random.Generator, times_s: Signal, how: Style) -> Signal:
    """Return when feet beat: unevenly strong, every third louder, as in a six-beat crawl."""
    beats = np.zeros(len(times_s))
    if how.kicks_hz == 0.0:
        return beats
    at_s, number = -rng.uniform(0.5, 1.5) / how.kicks_hz, int(rng.integers(3))
    while at_s < times_s[-1]:
        force = (1.0 if number % 3 == 0 else 0.6) * float(np.exp(rng.normal(0.0, 0.3)))
        beats += force * _bump(times_s - at_s, 0.03, 0.06)
        at_s += rng.normal(1.0, 0.08) / how.kicks_hz
        number += 1
    return beats


def _bump(since_s: Signal, rise_s: float, fall_s: float) -> Signal:
    return np.asarray(np.exp(np.minimum(since_s, 0.0) / rise_s - np.maximum(since_s, 0.0) / fall_s), np.float64)


# --- a diver ---------------------------------------------------------------------------------------------------------

BREATHS_S = 4.6
"""From breath to breath: divers breathe slowly, 12 to 15 times a minute."""

DEEP = spectrum({30: 0, 120: -2, 300: -8, 700: -20, 2000: -40, 8000: -70})
REGULATOR = spectrum({150: -24, 500: -8, 1200: 0, 2500: -3, 5000: -14, 12_000: -34})
EXHALED = BubbleSize((2.5, 28.0), 110.0, 0.5, 1.0)
RISING = BubbleSize((1.0, 5.0), 260.0, 0.3, 0.45)


def diving(rng: np.random.Generator, intensity: Mono, /, *, variant: float | str = 0, **_: float | str) -> Mono:
    """Return a diver's breath under water: the valve hisses, then bubbles gurgle past the ears; dull water around."""
    count, who = len(intensity), character("diving", variant)
    times_s = frame_times_s(count)
    breath_s = BREATHS_S * who.uniform(0.8, 1.2)
    inhaled, exhaled = np.zeros(len(times_s)), np.zeros(len(times_s))
    at_s = -breath_s * rng.uniform(1.0, 2.0)
    while at_s < times_s[-1]:
        force = float(np.exp(rng.normal(0.0, 0.15)))
        inhaled += force * _plateau(times_s - at_s, 0.28 * breath_s)
        exhaled += force * _plateau(times_s - at_s - 0.36 * breath_s, 0.45 * breath_s)
        at_s += breath_s * rng.normal(1.0, 0.06)
    layers = [Layer(_tinted(DEEP, who), 0.45), Layer(_tinted(REGULATOR, who), 0.5 * inhaled)]
    plume = _at_samples(np.clip(exhaled, 0.0, 1.0), times_s, count)
    sound = layered(rng, count, layers) + 1.1 * babble(rng, 0.02 + 0.98 * plume, (EXHALED, RISING))
    return settled(sound, intensity, rms=0.95)


def _plateau(since_s: Signal, length_s: float) -> Signal:
    """Return a breath: it rises over 0.15 s, and falls over 0.3 s after its length."""
    rise = np.clip(since_s / 0.15, 0.0, 1.0)
    return np.asarray(rise * np.clip((length_s - since_s) / 0.3 + 1.0, 0.0, 1.0), np.float64)


RECIPES = (
    TextureRecipe("swimming", "water", swimming, defaults_of(swimming), "Minnaert 1933; van den Doel 2005"),
    TextureRecipe("diving", "water", diving, defaults_of(diving), "Minnaert 1933; van den Doel 2005"),
)
