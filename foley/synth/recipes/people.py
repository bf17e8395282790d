"""One person: hands, breath, coughs, laughter, screams, a baby. Voices are stand-ins: a recording does them better.

Sources: L. Peltola, C. Erkut, P. Cook, V. Valimaki, "Synthesis of hand clapping sounds", IEEE Trans. ASLP 15, 2007;
J. Bachorowski, M. Smoski, M. Owren, "The acoustic features of human laughter", JASA 110, 2001; L. Arnal et al., "Human
screams occupy a privileged niche in the communication soundscape", Curr. Biol. 25, 2015 (rough at 30 to 150 Hz);
J. Korpas, J. Sadlonova, M. Vrabec, "Analysis of the cough sound: an overview", Pulm. Pharmacol. 9, 1996 (three phases).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from foley.synth.beasts import formants, pressed_air
from foley.synth.calls import (
    LEAD_S,
    Call,
    Says,
    Specimen,
    begins,
    called_hit,
    far_off,
    in_turn,
    joined,
    pressed,
    said,
    turn_rms,
    uttered,
)
from foley.synth.chain import mixed, peak_of, recorded_hit
from foley.synth.excitation import Signal, decay, length_samples, noise_burst
from foley.synth.finish import character, choice, defaults_of, number, settled
from foley.synth.recipe import HitRecipe, Mono, TextureRecipe
from foley.synth.resonators import resonance, thud
from foley.synth.textures import cycles, noise, slow_random, spectrum
from foley.synth.voice import mouth
from foley.units import RATE_HZ

# --- hands -----------------------------------------------------------------------------------------------------------


def hand_clap(
    rng: np.random.Generator,
    strength: float,
    /,
    *,
    kind: float | str = "clap",
    variant: float | str = 0,
    **_: float | str,
) -> Mono:
    """Return hands: `kind` clap, or snap for a finger on the ball of the thumb.

    Two palms are a millisecond of contact noise, and the air between them at 650 to 2300 Hz, Q 1.2 to 3. A snap holds
    less air: 1.5 to 3 kHz, and is over sooner. `variant` is another person: pitch depends on how the hands are held.
    """
    hands, snap = character("hand_clap", variant), choice({"clap": 0.0, "snap": 1.0}, kind, "kind")
    palm_hz = np.exp(hands.uniform(np.log(750.0), np.log(1900.0))) * np.exp(rng.normal(0.0, 0.08)) * (1.0 + 0.7 * snap)
    length = length_samples(0.08)
    rise = np.minimum(1.0, (np.arange(length) + 1) / (0.0006 * RATE_HZ))
    contact = rng.standard_normal(length) * decay(length, rng.uniform(0.015, 0.032) * (1.0 - 0.55 * snap)) * rise
    palms = resonance(contact, palm_hz, rng.uniform(1.2, 3.0) + snap)
    fingers = resonance(contact, 2.6 * palm_hz, 1.5)
    return recorded_hit(rng, 0.8 * palms + 0.25 * fingers + 0.12 * contact, strength, ring_s=0.3)


# --- cough and the like ----------------------------------------------------------------------------------------------

AH = formants((750, 130, 1.0), (1200, 180, 0.7), (2600, 300, 0.35), (3600, 500, 0.15))
OO = formants((380, 110, 1.0), (950, 160, 0.5), (2300, 300, 0.15), (3400, 500, 0.06))
AH_WIDE = formants((1000, 170, 1.0), (1550, 220, 0.9), (2900, 350, 0.6), (4000, 600, 0.3))

HUFF = Call(0.22, 150, AH, level=((0, 1), (0.5, 0.35), (1, 0)), tilt=4.0, breath=1.2, rough=0.5)
BURP = Call(0.45, 55, OO, AH, ((0, 1.1), (1, 0.8)), tilt=16.0, breath=0.25, jitter=0.08, rough=0.6)
HICK = Call(0.11, 280, AH, pitch=((0, 0.8), (1, 1.3)), level=((0, 0.6), (0.4, 1), (1, 0)), tilt=4.0, breath=0.3)
CHOO = Call(0.3, 190, OO, pitch=((0, 1.2), (1, 0.8)), level=((0, 0.6), (0.2, 1), (1, 0)), tilt=5.0, breath=0.7)
THROAT = Call(0.3, 95, OO, level=((0, 0.5), (0.3, 1), (1, 0)), tilt=9.0, breath=0.7, jitter=0.06, rough=0.7)


def cough_once(rng: np.random.Generator, who: Specimen, effort: float) -> Signal:
    """Return one cough: the glottis bursts open, air rushes, the voice may close it (Korpas et al. 1996)."""
    burst = noise_burst(rng, rng.uniform(0.09, 0.14), low_hz=350.0, high_hz=2500.0 + 3000.0 * effort)
    rush = pressed_air(rng, rng.uniform(0.2, 0.3), 300.0, 1500.0 + 2500.0 * effort)
    open_throat = mouth(mixed(burst, 0.5 * peak_of(rush)), AH, scale=who.throat)
    chest = thud(rng, 110.0 * who.pitch, 0.09, noise=0.5)
    air = mixed(0.5 * burst, 0.35 * peak_of(rush))
    return mixed(peak_of(open_throat), air, 0.35 * chest, 0.14 * uttered(rng, HUFF, who, effort))


def coughs(rng: np.random.Generator, who: Specimen, effort: float) -> Signal:
    """Return a cough, more often than not followed by a weaker one."""
    first = cough_once(rng, who, effort)
    if rng.random() < 0.4:
        return first
    return joined([(0.0, first), (rng.uniform(0.03, 0.12), rng.uniform(0.5, 0.8) * cough_once(rng, who, effort))])


def sneeze(rng: np.random.Generator, who: Specimen, effort: float) -> Signal:
    """Return a sneeze from where the air bursts out: between the teeth first, then from an open mouth."""
    teeth = pressed_air(rng, 0.28, 1500.0, 5000.0 + 3000.0 * effort)
    rush = pressed_air(rng, 0.5, 250.0, 1500.0 + 1500.0 * effort)
    rush = mixed(rush, 0.8 * mouth(rush, AH, scale=who.throat))
    return mixed(0.8 * peak_of(teeth), 0.8 * peak_of(rush), 0.12 * uttered(rng, CHOO, who, effort))


def sniff(rng: np.random.Generator, who: Specimen, effort: float) -> Signal:
    """Return air drawn through a nose."""
    return pressed_air(rng, 0.35, 900.0 * who.throat, 3500.0 + 3000.0 * effort)


COUGHS: Mapping[str, Says] = {
    "cough": coughs,
    "sneeze": sneeze,
    "sniff": sniff,
    "hiccup": HICK,
    "burp": BURP,
    "throat": THROAT,
}
WHO: Mapping[str, tuple[float, float]] = {"man": (1.0, 1.0), "woman": (1.8, 1.16), "child": (2.3, 1.35)}
"""Factors on pitch and formants: a woman's throat is 16 % shorter than a man's (Peterson & Barney 1952)."""


def cough(
    rng: np.random.Generator,
    strength: float,
    /,
    *,
    kind: float | str = "cough",
    who: float | str = "man",
    variant: float | str = 0,
    **_: float | str,
) -> Mono:
    """Return a body that cannot help it: `kind` cough, sneeze, sniff, hiccup, burp or throat (cleared).

    `who` is man, woman or child. A stand-in.
    """
    what, (pitch, throat) = choice(COUGHS, kind, "kind"), choice(WHO, who, "who")
    one = Specimen.of(character("cough", variant), pitch, throat)
    return called_hit(rng, said(rng, what, one, strength), strength, ring_s=1.2)


# --- laughter, screams -----------------------------------------------------------------------------------------------

HA = Call(
    length_s=0.15,
    pitch_hz=195,
    shut=AH,
    pitch=((0, 0.95), (0.3, 1.1), (1, 0.85)),
    level=((0, 0.25), (0.25, 1), (0.55, 0.7), (1, 0)),
    tilt=5.0,
    breath=0.45,
    jitter=0.015,
)
SCREAM = Call(
    length_s=1.4,
    pitch_hz=560,
    shut=AH,
    wide=AH_WIDE,
    pitch=((0, 0.7), (0.12, 1.05), (0.7, 1.1), (1, 0.8)),
    level=((0, 0.2), (0.07, 0.9), (0.4, 1), (0.85, 0.8), (1, 0)),
    opening=((0, 0.2), (0.15, 1), (1, 0.7)),
    tilt=8.0,
    breath=0.2,
    rough=0.45,
)
SHOUT = replace(SCREAM, length_s=0.55, pitch_hz=300, rough=0.2)


def laughter(rng: np.random.Generator, who: Specimen) -> Signal:
    """Return a bout of four to nine ha's, 5 a second, falling and fading, as one runs out of breath."""
    count = int(rng.integers(4, 10))
    fall = np.linspace(1.15, 0.85, count) * np.exp(rng.normal(0.0, 0.05, count))
    bout = []
    for step in fall.tolist():
        sound = uttered(rng, HA, Specimen(who.pitch * step, who.throat))
        bout.append((rng.uniform(0.03, 0.07), float(step**2.5) * sound))
    sound = joined(bout)
    return np.asarray(sound / np.sqrt(np.mean(sound**2)), np.float64)


def laugh(
    rng: np.random.Generator,
    intensity: Mono,
    /,
    *,
    who: float | str = "woman",
    variant: float | str = 0,
    **_: float | str,
) -> Mono:
    """Return somebody who laughs: `who` man, woman or child. A stand-in."""
    one = Specimen.of(character("laugh", variant), *choice(WHO, who, "who"))
    bouts = [laughter(rng, one) for _bout in range(3)]
    sound = in_turn(rng, intensity, bouts, gap_s=0.6)
    return settled(pressed(sound, intensity), intensity, rms=turn_rms(bouts, 0.6))


def scream(
    rng: np.random.Generator,
    intensity: Mono,
    /,
    *,
    who: float | str = "woman",
    kind: float | str = "scream",
    variant: float | str = 0,
    **_: float | str,
) -> Mono:
    """Return somebody who screams: `who` man, woman or child, `kind` scream or shout (no words). A stand-in."""
    call = choice({"scream": SCREAM, "shout": SHOUT}, kind, "kind")
    one = Specimen.of(character("scream", variant), *choice(WHO, who, "who"))
    calls = [uttered(rng, call, one) for _call in range(3)]
    sound = in_turn(rng, intensity, calls, gap_s=0.7)
    return settled(pressed(sound, intensity), intensity, rms=turn_rms(calls, 0.7))


# --- breath ----------------------------------------------------------------------------------------------------------

IN = spectrum({100: -26, 400: -14, 1100: -4, 1800: 0, 3200: -5, 6000: -9, 10000: -18, 18000: -34})
OUT = spectrum({80: -16, 300: -4, 700: 0, 1300: -4, 2600: -11, 5000: -19, 9000: -30, 18000: -46})


@dataclass(frozen=True, slots=True)
class Breath:
    """A way to breathe."""

    breaths_hz: float
    inward: float
    """Level of the breath in, re that out."""
    share: float
    """Of the cycle that is breathed in."""
    rest: float
    """Of the cycle that is silent after breathing out."""
    flutter_hz: float = 0.0
    """Of the soft palate while breathing in: snoring."""


BREATHS: Mapping[str, Breath] = {
    "calm": Breath(0.3, 0.7, 0.38, 0.22),
    "heavy": Breath(0.6, 0.9, 0.42, 0.06),
    "pant": Breath(1.9, 0.8, 0.45, 0.0),
    "snore": Breath(0.27, 1.6, 0.42, 0.2, 32.0),
    "mask": Breath(0.28, 1.3, 0.4, 0.15),
}


def breath(
    rng: np.random.Generator,
    intensity: Mono,
    /,
    *,
    kind: float | str = "heavy",
    variant: float | str = 0,
    **_: float | str,
) -> Mono:
    """Return somebody who breathes: `kind` calm, heavy, pant, snore or mask (a diver's or astronaut's). A stand-in.

    A breath in begins where the intensity rises out of silence.
    """
    way, count = choice(BREATHS, kind, "kind"), len(intensity)
    one = character(f"breath {kind}", variant)
    phase = cycles(way.breaths_hz * one.uniform(0.9, 1.1) * (1 + 0.12 * slow_random(rng, count, way.breaths_hz)))
    starts = begins(intensity)
    phase += -phase[starts[0]] + 1.0 if starts else rng.random()
    part = phase - np.floor(phase)
    inward = _swell(part, 0.0, way.share)
    outward = _swell(part, way.share + 0.04, 1.0 - way.rest)
    air_in, air_out = noise(rng, count, IN), noise(rng, count, OUT)
    if way.flutter_hz > 0.0:
        beat = cycles(way.flutter_hz * (1 + 0.15 * slow_random(rng, count, 4.0)))
        pulse = np.exp(-5.0 * (beat - np.floor(beat)))
        air_in = mouth((0.6 * air_in + 1.2 * air_out) * (0.1 + 1.6 * pulse), OO)
    if kind == "mask":
        air_in, air_out = mouth(air_in, HOSE), mouth(air_out, HOSE)
    power = 0.46 * (way.inward**2 * way.share + (0.96 - way.share - way.rest))
    sound = way.inward * air_in * inward + air_out * outward
    return settled(pressed(sound, intensity, 900.0), intensity, rms=float(np.sqrt(power)) * HOLLOW.get(str(kind), 1.0))


HOSE = formants((240, 60, 1.2), (720, 110, 0.8), (1250, 180, 0.5), (2300, 500, 0.4))
"""A hose of 0.35 m, closed by a valve: odd quarter waves."""
HOLLOW = {"mask": 0.34, "snore": 0.6}
"""RMS of what a throat or hose lets through, re open air."""


def _swell(part: Signal, start: float, end: float) -> Signal:
    """Return half a sine between two places of the cycle, 0 elsewhere: air starts and stops without a click."""
    inside = np.clip((part - start) / (end - start), 0.0, 1.0)
    return np.asarray(np.sin(np.pi * inside), np.float64)


# --- baby ------------------------------------------------------------------------------------------------------------

BABBLE = formants((1000, 240, 0.8), (1700, 320, 0.8), (3100, 500, 0.9), (5000, 1000, 0.7), (7200, 1600, 0.4))
GOO = formants((520, 180, 1.0), (1150, 260, 0.5), (3000, 500, 0.25), (4800, 1000, 0.12), (7000, 1600, 0.06))
COO = Call(0.5, 380, GOO, BABBLE, pitch=((0, 0.75), (0.4, 1.1), (1, 0.8)), tilt=8.0, breath=0.08)
WAIL = Call(
    length_s=1.3,
    pitch_hz=450,
    shut=BABBLE,
    pitch=((0, 0.75), (0.3, 1.1), (0.7, 1.0), (1, 0.75)),
    level=((0, 0.1), (0.12, 0.9), (0.6, 1), (1, 0)),
    tilt=22.0,
    breath=0.3,
    rough=0.25,
    tremble_hz=6.0,
    tremble=0.012,
)
GIGGLE = replace(HA, length_s=0.12, pitch_hz=420, shut=BABBLE)


def baby_voice(
    rng: np.random.Generator,
    intensity: Mono,
    /,
    *,
    fuss: float | str = 0.3,
    variant: float | str = 0,
    **_: float | str,
) -> Mono:
    """Return a baby: giggles at `fuss` 0, coos at 0.3, wails at 1. A stand-in, told from a real one at once."""
    upset, baby = number(fuss, 0.0, 1.0, "fuss"), Specimen.of(character("baby_voice", variant))
    calls = []
    for turn in range(6):
        if (turn + 0.5) / 6 < upset - 0.2:
            calls.append(uttered(rng, WAIL, baby))
        elif (turn + 0.5) / 6 > 4.0 * upset:
            giggles = [(0.05, uttered(rng, GIGGLE, baby)) for _giggle in range(rng.integers(3, 6))]
            calls.append(joined(giggles))
        else:
            calls.append(uttered(rng, COO, baby))
    gap_s = 0.75 - 0.5 * upset
    sound = far_off(rng, in_turn(rng, intensity, calls, gap_s=gap_s), NURSERY_S, wet=0.2)
    return settled(pressed(sound, intensity), intensity, rms=1.05 * turn_rms(calls, gap_s))


NURSERY_S = 0.5
"""Reverberation of a room."""


RECIPES = (
    HitRecipe("hand_clap", "people", hand_clap, defaults_of(hand_clap), ring_s=0.3, source="Peltola et al. 2007"),
    HitRecipe("cough", "people", cough, defaults_of(cough), LEAD_S, 1.2, "Korpas, Sadlonova & Vrabec 1996"),
    TextureRecipe("laugh", "people", laugh, defaults_of(laugh), "Bachorowski, Smoski & Owren 2001"),
    TextureRecipe("scream", "people", scream, defaults_of(scream), "Arnal et al. 2015"),
    TextureRecipe("breath", "people", breath, defaults_of(breath), "turbulence in an open throat: Fant 1960"),
    TextureRecipe("baby_voice", "people", baby_voice, defaults_of(baby_voice), "Fant 1960"),
)
