"""What beasts say, as data: pitches and formants of calls.

Sources: M. Padilla de la Torre et al., "Acoustic analysis of cattle mother-offspring contact calls", Anim. Behav. 101,
2015 (cows); E. Briefer et al., "Segregation of information about emotional arousal and valence in horse whinnies",
Sci. Rep. 4, 2015 (two pitches at once); G. Fant, "Acoustic Theory of Speech Production", 1960.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from foley.synth.calls import Call, Says, Specimen, joined, uttered
from foley.synth.excitation import Signal, high_passed, length_samples, low_passed
from foley.synth.textures import slow_gain
from foley.synth.voice import Formant, mouth
from foley.units import RATE_HZ


def formants(*rows: tuple[float, float, float]) -> tuple[Formant, ...]:
    """Return formants from (Hz, bandwidth in Hz, gain)."""
    return tuple(Formant(*row) for row in rows)


# --- cats and sheep --------------------------------------------------------------------------------------------------

MEW_SHUT = formants((700, 180, 1.0), (1500, 300, 0.35), (3200, 500, 0.25), (4600, 800, 0.1))
MEW_WIDE = formants((1150, 260, 1.0), (2300, 350, 0.8), (3900, 600, 0.5), (5600, 900, 0.25))
BLEATING = formants((620, 160, 1.0), (1350, 220, 0.8), (2500, 320, 0.5), (3600, 500, 0.25))

MEOW = Call(
    length_s=0.75,
    pitch_hz=560,
    shut=MEW_SHUT,
    wide=MEW_WIDE,
    pitch=((0, 0.8), (0.3, 1.08), (0.6, 1.0), (1, 0.72)),
    level=((0, 0.15), (0.1, 0.7), (0.35, 1), (0.7, 0.6), (1, 0)),
    opening=((0, 0), (0.4, 1), (0.7, 0.6), (1, 0)),
    tilt=5.0,
    breath=0.06,
)
YOWL = Call(
    length_s=1.3,
    pitch_hz=620,
    shut=MEW_SHUT,
    wide=MEW_WIDE,
    pitch=((0, 0.8), (0.5, 1.15), (1, 0.8)),
    opening=((0, 0.3), (0.5, 1), (1, 0.4)),
    tilt=9.0,
    rough=0.25,
    tremble_hz=6.0,
    tremble=0.02,
)
BLEAT = Call(
    length_s=0.85,
    pitch_hz=250,
    shut=BLEATING,
    pitch=((0, 1.05), (0.2, 1), (1, 0.86)),
    level=((0, 0.3), (0.05, 1), (0.8, 0.7), (1, 0)),
    tilt=14.0,
    breath=0.22,
    jitter=0.012,
    rough=0.15,
    tremble_hz=9.0,
    tremble=0.05,
)

# --- cattle, pigs, donkeys -------------------------------------------------------------------------------------------

LOWING = formants((230, 70, 1.0), (640, 120, 0.7), (1110, 180, 0.35), (1900, 300, 0.12))
"""A cow's vocal tract is 0.6 m long."""
LOW_OPEN = formants((330, 100, 0.8), (800, 150, 1.0), (1350, 220, 0.6), (2200, 350, 0.3))
SNOUT = formants((320, 120, 1.0), (950, 260, 0.5), (2300, 500, 0.35), (3500, 800, 0.2))
SQUEALING = formants((900, 300, 0.7), (2100, 400, 1.0), (3400, 600, 0.8), (5200, 900, 0.4))
BRAYING = formants((520, 160, 1.0), (1150, 250, 0.9), (1850, 320, 0.6), (2900, 500, 0.35))

MOO = Call(
    length_s=1.5,
    pitch_hz=118,
    shut=LOWING,
    wide=LOW_OPEN,
    pitch=((0, 0.8), (0.25, 1.0), (0.8, 1.05), (1, 0.75)),
    level=((0, 0.1), (0.12, 0.6), (0.4, 1), (0.85, 0.9), (1, 0)),
    opening=((0, 0), (0.3, 0.2), (0.6, 1), (1, 0.5)),
    tilt=7.0,
    breath=0.08,
    rough=0.12,
)
CALF = Call(
    length_s=1.0,
    pitch_hz=210,
    shut=SNOUT,
    wide=BRAYING,
    pitch=MOO.pitch,
    level=MOO.level,
    opening=MOO.opening,
    tilt=6.0,
)
GRUNT = Call(
    length_s=0.24,
    pitch_hz=78,
    shut=SNOUT,
    pitch=((0, 1.1), (1, 0.8)),
    level=((0, 0.4), (0.12, 1), (0.6, 0.5), (1, 0)),
    tilt=10.0,
    breath=0.5,
    jitter=0.05,
    rough=0.5,
)
SQUEAL = Call(
    length_s=0.8,
    pitch_hz=950,
    shut=SQUEALING,
    pitch=((0, 0.7), (0.2, 1.1), (0.7, 1.2), (1, 0.7)),
    tilt=9.0,
    breath=0.25,
    rough=0.35,
)
HEE = Call(
    length_s=0.55,
    pitch_hz=620,
    shut=BRAYING,
    pitch=((0, 0.7), (0.4, 1.1), (1, 1.0)),
    tilt=8.0,
    breath=0.5,
    rough=0.3,
)
HAW = Call(
    length_s=0.65,
    pitch_hz=230,
    shut=BRAYING,
    pitch=((0, 1.1), (1, 0.75)),
    level=((0, 0.3), (0.06, 1), (0.7, 0.8), (1, 0)),
    tilt=14.0,
    breath=0.2,
    rough=0.5,
)


def grunts(rng: np.random.Generator, who: Specimen, effort: float) -> Signal:
    """Return one to three grunts of a pig."""
    more = [(rng.uniform(0.05, 0.2), 0.7 * uttered(rng, GRUNT, who, effort)) for _grunt in range(rng.integers(0, 3))]
    return joined([(0.0, uttered(rng, GRUNT, who, effort)), *more])


def bray(rng: np.random.Generator, who: Specimen, effort: float) -> Signal:
    """Return hee-haw, hee-haw."""
    syllables = ((HEE, 0.5), (HAW, 1.0), (HEE, 0.4), (HAW, 0.8))
    return joined([(rng.uniform(0.02, 0.06), level * uttered(rng, call, who, effort)) for call, level in syllables])


# --- horses and breath -----------------------------------------------------------------------------------------------

LONG_HEAD = formants((480, 150, 0.7), (1050, 220, 1.0), (1900, 350, 0.8), (3100, 500, 0.5))
SECOND_PITCH = 1.62
"""A whinny has two pitches that are no harmonics of each other (Briefer et al. 2015)."""

WHINNY = Call(
    length_s=1.5,
    pitch_hz=900,
    shut=LONG_HEAD,
    wide=SQUEALING,
    pitch=((0, 0.75), (0.1, 1.25), (0.35, 1.1), (1, 0.42)),
    level=((0, 0.3), (0.06, 1), (0.5, 0.8), (1, 0)),
    opening=((0, 0.6), (0.3, 1), (1, 0)),
    tilt=5.0,
    breath=0.12,
    rough=0.1,
    tremble_hz=10.5,
    tremble=0.06,
)


def whinny(rng: np.random.Generator, who: Specimen, effort: float) -> Signal:
    """Return a neigh of two pitches; both take the same turns, so both draw from the same chance."""
    seed = int(rng.integers(2**63))
    low = uttered(np.random.default_rng(seed), WHINNY, who, effort)
    high = uttered(np.random.default_rng(seed), WHINNY, Specimen(SECOND_PITCH * who.pitch, who.throat), effort)
    return low + 0.6 * high


def pressed_air(rng: np.random.Generator, length_s: float, low_hz: float, high_hz: float) -> Signal:
    """Return air pressed through teeth or nostrils: it rises in 30 ms, flutters, and ebbs."""
    count = length_samples(length_s * rng.uniform(0.85, 1.2))
    part = np.linspace(0.0, 1.0, count)
    air = high_passed(low_passed(rng.standard_normal(count), high_hz, 1), low_hz)
    swell = np.minimum(1.0, part * count / (0.03 * RATE_HZ)) * (1.0 - part) ** 0.7
    return air * swell * slow_gain(rng, count, 2.0, rate_hz=30.0)


def hiss(rng: np.random.Generator, who: Specimen, effort: float) -> Signal:
    """Return a cat's hiss: louder is brighter."""
    return pressed_air(rng, 0.65, 1800.0 * who.throat, 5000.0 + 4000.0 * effort)


def snort(rng: np.random.Generator, who: Specimen, effort: float) -> Signal:
    """Return a horse's snort: air that flaps the nostrils 18 to 30 times a second."""
    air = pressed_air(rng, 0.75, 150.0, 1600.0 + 2500.0 * effort)
    flaps_hz = rng.uniform(18.0, 30.0) * np.linspace(1.2, 0.8, len(air))
    flap = np.maximum(0.0, np.sin(2 * np.pi * np.cumsum(flaps_hz) / RATE_HZ + 1.0))
    return mouth(air, LONG_HEAD, scale=who.throat) * (0.15 + flap)


CATS: Mapping[str, Says] = {"meow": MEOW, "yowl": YOWL, "hiss": hiss}
CATTLE: Mapping[str, Says] = {"cow": MOO, "calf": CALF, "pig": grunts, "piglet": SQUEAL, "donkey": bray}
HORSES: Mapping[str, Says] = {"neigh": whinny, "snort": snort}

# --- who goes on -----------------------------------------------------------------------------------------------------

CHEST = formants((260, 120, 1.0), (720, 220, 0.55), (1500, 400, 0.3), (2600, 700, 0.18))
JAWS = formants((480, 180, 1.0), (1050, 280, 0.8), (2000, 450, 0.4), (3200, 800, 0.2))
HOWLING = formants((560, 180, 1.0), (1150, 260, 0.3), (2400, 500, 0.06))

SNARL = Call(
    length_s=2.0,
    pitch_hz=72,
    shut=CHEST,
    wide=JAWS,
    pitch=((0, 0.9), (0.5, 1.1), (1, 0.85)),
    level=((0, 0.3), (0.15, 0.8), (0.6, 1), (1, 0.1)),
    opening=((0, 0), (0.6, 0.6), (1, 0.2)),
    tilt=14.0,
    breath=0.35,
    jitter=0.05,
    rough=0.7,
)
ROAR = Call(
    length_s=1.8,
    pitch_hz=165,
    shut=CHEST,
    wide=JAWS,
    pitch=((0, 0.7), (0.3, 1.1), (1, 0.6)),
    level=((0, 0.1), (0.15, 0.8), (0.45, 1), (1, 0)),
    opening=((0, 0.2), (0.4, 1), (1, 0.1)),
    tilt=8.0,
    breath=0.6,
    jitter=0.05,
    rough=0.9,
)
WHINE = Call(length_s=0.7, pitch_hz=850, shut=MEW_SHUT, pitch=((0, 0.9), (0.4, 1.15), (1, 0.85)), tilt=2.5, breath=0.08)
PANT = Call(length_s=0.16, pitch_hz=120, shut=JAWS, tilt=3.0, breath=6.0)
HOWL = Call(
    length_s=3.4,
    pitch_hz=520,
    shut=HOWLING,
    pitch=((0, 0.62), (0.12, 1.0), (0.3, 1.06), (0.75, 0.97), (1, 0.68)),
    level=((0, 0.05), (0.1, 0.7), (0.35, 1), (0.8, 0.7), (1, 0)),
    tilt=2.0,
    breath=0.03,
    jitter=0.006,
)


@dataclass(frozen=True, slots=True)
class Temper:
    """How an animal goes on: its call, the pauses, its size."""

    call: Call
    gap_s: float
    throat: float = 1.0
    pitch: float = 1.0
    calls: int = 3
    """Different ones of a stretch."""


TEMPERS: Mapping[str, Temper] = {
    "dog": Temper(SNARL, 0.35),
    "lion": Temper(ROAR, 0.9, 0.75, 0.7),
    "bear": Temper(SNARL, 0.6, 0.7, 0.7),
    "monster": Temper(ROAR, 0.7, 0.5, 0.42),
    "whine": Temper(WHINE, 0.4, calls=6),
    "pant": Temper(PANT, 0.13, calls=12),
}
