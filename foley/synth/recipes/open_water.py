"""Water that runs, falls, breaks and bubbles in the open.

Band levels and modulation: medians of 50 stretches of recorded brooks and surf.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np

from foley.synth.bubbles import LARGE, SMALL, TINY, BubbleSize, babble, unit_bubbles
from foley.synth.excitation import Signal
from foley.synth.finish import character, defaults_of, number, settled
from foley.synth.moving import Layer, at_frames, frame_times_s, layered, lively, slow_frames
from foley.synth.recipe import Mono, TextureRecipe
from foley.synth.recorded import as_recorded
from foley.synth.textures import (
    clouds,
    combed,
    control_times_s,
    erb_spectrum,
    noise,
    shower,
    slow_random,
    spectrum,
    stretched,
    tinted,
)

NEPER_PER_DB = math.log(10.0) / 20.0


# --- running water ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Course:
    """A course of water."""

    bed_db: tuple[float, ...]
    """Ten levels of what no bubble is told apart in, from 50 Hz to 10 kHz, even on the ERB scale."""
    bed: float
    """RMS of the bed; the bubbles have `BubbleSize.gain`, times `babble`."""
    babble: float
    gush_db: float
    """How far all bands swell together."""
    gush_hz: float
    """Corners a second of the slowest swell."""
    density: float
    """Share of the bubbles of a full brook."""
    larger: float
    """Factor for the radii of the large bubbles."""


TRICKLE = Course((-52, -42, -30, -14, -6, -3, -2, -3, -7, -9), 0.35, 1.0, 4.2, 7.0, 0.16, 0.7)
BROOK = Course((-48, -33, -15, -5, -2, -1, -1, -2, -5, -7), 0.80, 0.72, 4.0, 7.0, 0.6, 1.0)
RIVER = Course((-26, -15, -7, -3, -1, -1, -2, -3, -6, -9), 1.10, 0.34, 3.2, 5.0, 1.0, 1.4)
"""Bed levels of the brook: median of 8 stretches; those of the others follow from the size of their hollows."""


def course_of(size: float) -> Course:
    """Return the course between trickle (0), brook (0.5) and river (1)."""
    low, high = (TRICKLE, BROOK) if size < 0.5 else (BROOK, RIVER)
    part = 2.0 * size if size < 0.5 else 2.0 * size - 1.0

    def between(a: float, b: float) -> float:
        return a + part * (b - a)

    return Course(
        tuple(between(a, b) for a, b in zip(low.bed_db, high.bed_db, strict=True)),
        between(low.bed, high.bed),
        between(low.babble, high.babble),
        between(low.gush_db, high.gush_db),
        between(low.gush_hz, high.gush_hz),
        between(low.density, high.density),
        between(low.larger, high.larger),
    )


def running(rng: np.random.Generator, flow: Signal, course: Course, place: np.random.Generator) -> Signal:
    """Return running water: bubbles in gushes that drive every band, over a bed; expected RMS 1 at full flow.

    Recorded brooks differ from rain in this: their bands swell by 5 dB, and together (correlation 0.6 of neighbours,
    0.3 of bands far apart), from six swells in a second to thirty.

    Args:
        rng: Chance.
        flow: 0 to 1 for every sample.
        course: Which water.
        place: Chance of the place.
    """
    count = len(flow)
    gush = slow_frames(rng, count, course.gush_hz, 3)
    # the expected power of a log-normal gain of d dB is exp(2 d^2 nepers)
    even = math.exp(-((course.gush_db * NEPER_PER_DB) ** 2))
    loud = even * 10 ** (np.clip(gush, -2.5, 2.5) * course.gush_db / 20)
    colour = combed(tinted(erb_spectrum(course.bed_db), place, 2.0), place, 1.5)
    bed = lively(
        rng, count, colour, 2.8, common=0.2, rate_hz=course.gush_hz, level=course.bed * loud * np.sqrt(at_frames(flow))
    )
    crowd = stretched(np.interp(control_times_s(count), frame_times_s(count), np.exp(0.5 * gush)), count)
    density = np.clip(0.6 * course.density * crowd * (0.25 + 0.75 * flow), 0.01, 1.0)
    large = replace(LARGE, radii_mm=(2.0, 12.0 * course.larger))
    bubbling_ = babble(rng, density, _thinned((TINY, SMALL, large), course.density))
    power = course.bed**2 * 1.11 + 0.72 * course.babble**2 * sum(size.gain**2 for size in (TINY, SMALL, large))
    return (layered(rng, count, bed) + course.babble * bubbling_) / math.sqrt(power)


def _thinned(sizes: tuple[BubbleSize, ...], density: float) -> tuple[BubbleSize, ...]:
    """Return bubbles that are as loud together when they are few: those of a trickle are near."""
    return tuple(replace(size, gain=size.gain / math.sqrt(density)) for size in sizes)


def stream(
    rng: np.random.Generator,
    intensity: Mono,
    /,
    *,
    size: float | str = 0.5,
    variant: float | str = 0,
    **_: float | str,
) -> Mono:
    """Return running water in the open.

    Args:
        rng: Chance.
        intensity: How much runs.
        size: A trickle over stones (0), a brook (0.5), a river's rapids (1).
        variant: Which water.
        **_: What other recipes take.
    """
    course = course_of(number(size, 0.0, 1.0, "size"))
    flow = np.asarray(intensity, np.float64)
    return settled(running(rng, flow, course, character("stream", variant)), intensity, rms=1.0)


TORRENT_DB = (-9, -4, -2, -1, -2, -3, -4, -4, -5, -8)
"""Falling water: the low bands of large cavities fill up, the top is scattered by spray."""
ROAR = spectrum({25: 0, 80: 0, 250: -8, 800: -22, 4000: -50})


def waterfall(
    rng: np.random.Generator,
    intensity: Mono,
    /,
    *,
    size: float | str = 0.5,
    variant: float | str = 0,
    **_: float | str,
) -> Mono:
    """Return a waterfall: a broad roar that swells a little, with spray on top and few bubbles to be told apart.

    Args:
        rng: Chance.
        intensity: How much falls.
        size: A weir or a fountain (0) to a great fall (1), whose bass is heard far off.
        variant: Which fall.
        **_: What other recipes take.
    """
    great, count, place = number(size, 0.0, 1.0, "size"), len(intensity), character("waterfall", variant)
    flow = np.asarray(intensity, np.float64)
    colour = combed(tinted(erb_spectrum(TORRENT_DB), place, 2.0), place, 1.2)
    bass, splashing = 0.7 * great, 0.55 * (1.0 - great) + 0.1
    level = np.sqrt(at_frames(flow))
    layers = lively(rng, count, colour, 1.2, common=0.5, level=level)
    if bass > 0.0:
        layers.append(Layer(ROAR, bass * level * 10 ** (1.5 / 20 * slow_frames(rng, count, 1.0, 4))))
    density = np.clip(0.6 * np.exp(0.4 * slow_random(rng, count, 4.0, 3)), 0.05, 1.0) * flow
    sound = layered(rng, count, layers) + splashing * babble(rng, density, (SMALL, LARGE))
    return settled(sound, intensity, rms=math.hypot(1.03, bass, 0.7 * splashing))


# --- bubbles ---------------------------------------------------------------------------------------------------------

STILL_WATER = spectrum({40: 0, 300: -4, 1000: -14, 4000: -30, 16000: -50})


def bubbling(
    rng: np.random.Generator, intensity: Mono, /, *, size: float | str = 0.5, variant: float | str = 0, **_: float | str
) -> Mono:
    """Return bubbles that rise in still water.

    Args:
        rng: Chance.
        intensity: How many.
        size: An aquarium's pump (0), a pond or a cauldron (0.5), a diver (1).
        variant: Which water.
        **_: What other recipes take.
    """
    radius_mm = 1.0 * 8.0 ** number(size, 0.0, 1.0, "size") * character("bubbles", variant).uniform(0.85, 1.2)
    pool = unit_bubbles(rng, (0.5 * radius_mm, 2.2 * radius_mm), 96, rise=0.3)
    bursts = np.clip(0.5 * np.exp(0.45 * slow_random(rng, len(intensity), 6.0, 2)), 0.05, 1)
    density = bursts * (0.2 + 0.8 * np.asarray(intensity, np.float64))
    rising = shower(rng, len(intensity), pool, rate_hz=260.0, sigma=0.4, curve=density)
    bed = noise(rng, len(intensity), STILL_WATER)
    return settled(rising + 0.05 * bed, intensity, rms=0.72)


# --- the sea ---------------------------------------------------------------------------------------------------------

SEA_DB = (-20, -9, -2, -1, -1, -2, -6, -9, -12, -19)
"""Median of 42 stretches of recorded surf."""
SWELL = spectrum({30: 0, 120: -2, 300: -8, 800: -18, 3000: -34, 12000: -56})
FOAM = spectrum({60: -30, 500: -12, 1500: -4, 3500: 0, 8000: -3, 15000: -12})
LAPPING = BubbleSize((1.5, 14.0), 60.0, 0.3, 0.5)
"""What small waves gulp against stones, a quay, a hull."""


def _waves(rng: np.random.Generator, t_s: Signal, period_s: float) -> tuple[Signal, Signal, Signal]:
    """Return the envelopes of swell, breaking wave and foam at these times.

    Waves rise over 0.15 to 0.3 of the period and fall a little slower; foam comes late, at once, and lingers.
    """
    swell, surf, foam = np.full(len(t_s), 0.4), np.full(len(t_s), 0.2), np.full(len(t_s), 0.06)
    start_s = -period_s * rng.uniform(3.0, 4.0)
    while start_s < t_s[-1]:
        height = float(np.exp(rng.normal(0, 0.25)))
        rise_s, fall_s = period_s * rng.uniform(0.15, 0.3), period_s * rng.uniform(0.16, 0.3)
        crest = t_s - start_s - rise_s
        late = crest - 0.25 * rise_s
        swell += 0.5 * height * _bump(crest, rise_s, 0.7 * fall_s)
        surf += height * _bump(crest, 0.45 * rise_s, fall_s)
        foam += 0.8 * height * _bump(late, 0.2 * rise_s, 1.5 * fall_s)
        start_s += period_s * rng.uniform(0.6, 1.35)
    return swell, surf, foam


def _bump(t_s: Signal, rise_s: float, fall_s: float) -> Signal:
    return np.asarray(np.exp(np.minimum(t_s, 0) / rise_s - np.maximum(t_s, 0) / fall_s), np.float64)


def sea(
    rng: np.random.Generator,
    intensity: Mono,
    /,
    *,
    size: float | str = 0.5,
    variant: float | str = 0,
    **_: float | str,
) -> Mono:
    """Return surf: dull swell, bright breaking waves, hissing backwash, all bands swelling together.

    Args:
        rng: Chance.
        intensity: How loud it is.
        size: A lake that laps at its shore (0), a beach (0.5), breakers (1): waves come each 2.6 to 11 s.
        variant: Which shore.
        **_: What other recipes take.
    """
    count, shore = len(intensity), character("sea", variant)
    high = number(size, 0.0, 1.0, "size")
    times_s = frame_times_s(count)
    period_s = 2.6 * 4.2**high * shore.uniform(0.85, 1.2)
    swell, surf, foam = _waves(rng, times_s, period_s)
    flutter = 1 + 0.10 * slow_random(rng, len(times_s) * 48, 12.0, 2)[::48]
    colour = combed(tinted(erb_spectrum(SEA_DB), shore, 2.0), shore, 1.5)
    layers = [
        *lively(
            rng,
            count,
            colour,
            2.2,
            common=0.8,
            rate_hz=1.0,
            level=(0.35 + 0.65 * min(1, 2 * high)) * surf * flutter,
        ),
        Layer(FOAM, 0.28 * foam * flutter),
        Layer(SWELL, (0.1 + 0.35 * high) * swell),
    ]
    washing = stretched(np.interp(control_times_s(count), times_s, np.minimum(foam, 1.6)), count)
    hiss = clouds(rng, unit_bubbles(rng, (0.4, 3.0), 64), of=8, spread_s=0.04, sigma=0.8)
    sound = layered(rng, count, layers) + 0.18 * washing * shower(rng, count, hiss, rate_hz=150.0, sigma=0.4)
    gulps = max(0.0, 1.0 - 2.0 * high)
    if gulps > 0.0:
        sound += gulps * babble(rng, np.clip(0.6 * washing, 0.02, 1.0), (LAPPING,))
    sound = as_recorded(sound, "sea", variant)
    return settled(sound, intensity, rms=0.5 + 0.1 * high - 0.13 * gulps)


VAN_DEN_DOEL = "Minnaert 1933; van den Doel 2005"

RECIPES = (
    TextureRecipe("stream", "water", stream, defaults_of(stream), VAN_DEN_DOEL),
    TextureRecipe("waterfall", "water", waterfall, defaults_of(waterfall), VAN_DEN_DOEL),
    TextureRecipe("sea", "water", sea, defaults_of(sea), "band levels: 42 stretches of recorded surf"),
    TextureRecipe("bubbles", "water", bubbling, defaults_of(bubbling), VAN_DEN_DOEL),
)
