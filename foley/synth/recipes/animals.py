"""Beasts of house, farm and wood. Good in the background; a close, long look at one deserves a recording.

Figures: band levels and decays of 249 recorded barks; calls as in `foley.synth.beasts`.
"""

from __future__ import annotations

import numpy as np

from foley.synth.beasts import BLEAT, CATS, CATTLE, HORSES, HOWL, TEMPERS
from foley.synth.calls import LEAD_S, Specimen, called_hit, far_off, in_time, in_turn, pressed, said, turn_rms, uttered
from foley.synth.excitation import Signal, butterworth, filtered, length_samples, low_passed, noise_burst
from foley.synth.finish import character, choice, defaults_of, finished_hit, number, settled
from foley.synth.recipe import HitRecipe, MakesHit, Mono, TextureRecipe
from foley.synth.sessions import Session, loudness
from foley.synth.textures import (
    cycles,
    noise,
    reverberant,
    shower,
    slow_random,
    spectrum,
    tinted,
    unit_energy,
)
from foley.synth.voice import Formant, Throat, buzz, mouth
from foley.units import RATE_HZ

# --- dog -------------------------------------------------------------------------------------------------------------

SHUT = (Formant(560, 220, 0.6), Formant(1050, 280, 0.5), Formant(2100, 500, 0.12), Formant(3400, 900, 0.05))
WIDE = (Formant(880, 260, 1.0), Formant(1350, 320, 0.45), Formant(2500, 600, 0.14), Formant(3900, 1100, 0.06))
BARK_RING_S = 0.6
BARKING = Session(low_hz=60.0, low_spread=0.5, high_hz=12_000.0, high_spread=0.5, tilt_db=4.0, peak_db=4.0)
"""Dogs are recorded in yards, kennels and living rooms: 35 sources differ by 6 to 10 dB in their bands."""
YARD_T60_S, YARD_DB = 0.5, -11.0
"""Reverberation of the middle one of these places, and its RMS re a steady sound."""
AIR_DB, CHEST = (-42.0, -27.0), 14.0
"""What blows past the teeth, re the bark's peak, and how much more of it is felt below 150 Hz, before the muzzle."""


def dog_bark(
    rng: np.random.Generator, strength: float, /, *, size: float | str = 0.5, variant: float | str = 0, **_: float | str
) -> Mono:
    """Return one bark: size 0 a lap dog (900 Hz), 1 a large one (360 Hz).

    Pitch and mouth rise and fall together over 0.1 to 0.3 s; breath is strongest at the start; large dogs are rough.
    """
    big, dog = number(size, 0.0, 1.0, "size"), character("dog_bark", variant)
    length_s = 0.14 * float(np.exp(rng.normal(0.0, 0.15) + dog.normal(0.0, 0.45))) * (1 + 0.3 * big)
    count = length_samples(length_s + 0.1)
    t_s = np.arange(count) / RATE_HZ
    part = np.clip(t_s / length_s, 0, 1)
    # recorded barks take 35 to 70 ms to their peak
    attack = np.minimum(1, t_s / 0.035) ** 0.8
    release = np.where(part < 1, 1 - 0.65 * part**0.7, 0.35 * np.exp(-(t_s - length_s) / 0.025))
    breath = rng.standard_normal(count)
    top_hz = float(np.interp(big, [0.0, 1.0], [900.0, 360.0])) * dog.uniform(0.88, 1.14)
    top_hz *= float(np.exp(rng.normal(0, 0.12)))
    sound = _voiced(rng, dog, part, breath=breath, top_hz=top_hz, big=big) * attack * release
    sound = filtered(sound, butterworth(0.55 * top_hz, 1, high=True), butterworth(3.9 * top_hz, 1, high=False))
    sound = np.tanh(0.9 * sound / np.abs(sound).max())
    air = 10.0 ** (dog.uniform(*AIR_DB) / 20.0) * breath
    sound += (air + CHEST * low_passed(air, 150.0, 1)) * attack * release
    wet = 10.0 ** (YARD_DB / 20.0) * loudness(dog, 4.5)
    t60_s = YARD_T60_S * float(np.exp(dog.normal(0.0, 0.4)))
    bark = np.append(BARKING.recorded(dog, sound), np.zeros(15_000))
    heard = in_time(reverberant(rng, bark, t60_s, wet=wet))
    return finished_hit(heard, strength, ring_s=BARK_RING_S, lead_s=LEAD_S)


def _voiced(
    rng: np.random.Generator, dog: np.random.Generator, part: Signal, *, breath: Signal, top_hz: float, big: float
) -> Signal:
    """Return the voice of a bark through its mouth, which opens and shuts again.

    A bark is pressed out and hoarse: dogs differ in how far harmonics stand out of its noise (T. Riede et al., "The
    harmonic-to-noise ratio applied to dog barks", JASA 110, 2001). Here pitch and level waver, by 6 and 35 %.

    Args:
        rng: Chance of this bark.
        dog: Chance of this dog.
        part: Of the bark that has passed, for every sample.
        breath: Noise of RMS 1.
        top_hz: Highest pitch.
        big: Size of the dog.
    """
    pitch = top_hz * (0.72 + 0.28 * np.sin(np.pi * np.clip(0.8 * part + 0.15, 0, 1)) ** 0.5) * (1 - 0.12 * part)
    throat = Throat(1.8 * top_hz, jitter=0.065, shimmer=0.35, rough=0.2 + 0.35 * dog.random() * (0.4 + 0.6 * big))
    voice = buzz(rng, np.asarray(pitch, np.float64), throat)
    t_s = np.arange(len(part)) / RATE_HZ
    source = voice + (dog.uniform(0.2, 0.6) + 0.12 * big + 0.4 * np.exp(-t_s / 0.012)) * breath
    # muzzles of one size differ by 16 % in length
    scale = float(np.interp(big, [0.0, 1.0], [1.42, 0.78])) * float(np.exp(dog.normal(0.0, 0.16)))
    opening = np.sin(np.pi * np.clip(0.25 + 0.75 * part, 0, 1)) ** 0.7
    # a deep voice's periods are long: larger heads ring through them
    ring = 1 + 1.2 * big
    closed = mouth(source, SHUT, scale=scale, ring=ring)
    return np.asarray(closed + opening * (mouth(source, WIDE, scale=scale, ring=ring) - closed), np.float64)


# --- house and farm --------------------------------------------------------------------------------------------------

CALL_S = 3.5
"""Longest call after its beginning: a donkey's."""


def cat(
    rng: np.random.Generator,
    strength: float,
    /,
    *,
    says: float | str = "meow",
    variant: float | str = 0,
    **_: float | str,
) -> Mono:
    """Return a cat: `says` meow, yowl or hiss. A stand-in."""
    what, one = choice(CATS, says, "says"), Specimen.of(character("cat", variant))
    return called_hit(rng, said(rng, what, one, strength), strength, ring_s=CALL_S)


def sheep_bleat(
    rng: np.random.Generator, strength: float, /, *, low: float | str = 0.5, variant: float | str = 0, **_: float | str
) -> Mono:
    """Return one bleat, which trembles: `low` 0 is a lamb or kid (330 Hz), 1 a ram (170 Hz). A stand-in."""
    deep = number(low, 0.0, 1.0, "low")
    pitch = 330.0 / BLEAT.pitch_hz * (170.0 / 330.0) ** deep
    one = Specimen.of(character("sheep_bleat", variant), pitch, 1.15 - 0.3 * deep)
    return called_hit(rng, said(rng, BLEAT, one, strength), strength, ring_s=CALL_S)


def cow(
    rng: np.random.Generator,
    strength: float,
    /,
    *,
    kind: float | str = "cow",
    variant: float | str = 0,
    **_: float | str,
) -> Mono:
    """Return a beast of the farm: `kind` cow, calf, pig (grunts), piglet (squeals) or donkey. A stand-in."""
    what, one = choice(CATTLE, kind, "kind"), Specimen.of(character("cow", variant))
    return called_hit(rng, said(rng, what, one, strength), strength, ring_s=CALL_S)


def horse_neigh(
    rng: np.random.Generator,
    strength: float,
    /,
    *,
    says: float | str = "neigh",
    variant: float | str = 0,
    **_: float | str,
) -> Mono:
    """Return a horse: `says` neigh or snort. A stand-in."""
    what, one = choice(HORSES, says, "says"), Specimen.of(character("horse_neigh", variant))
    return called_hit(rng, said(rng, what, one, strength), strength, ring_s=CALL_S)


# --- growl, howl, purr, hiss -----------------------------------------------------------------------------------------


def growl(
    rng: np.random.Generator,
    intensity: Mono,
    /,
    *,
    kind: float | str = "dog",
    variant: float | str = 0,
    **_: float | str,
) -> Mono:
    """Return an animal that threatens or begs: `kind` dog, lion, bear, monster, whine or pant. A stand-in."""
    temper = choice(TEMPERS, kind, "kind")
    one = Specimen.of(character("growl", variant), temper.pitch, temper.throat)
    calls = [uttered(rng, temper.call, one) for _call in range(temper.calls)]
    sound = in_turn(rng, intensity, calls, gap_s=temper.gap_s)
    return settled(pressed(sound, intensity, 700.0), intensity, rms=turn_rms(calls, temper.gap_s))


HILLS_S = 1.8
"""Reverberation of open country at night."""


def wolf_howl(
    rng: np.random.Generator,
    intensity: Mono,
    /,
    *,
    pack: float | str = 1,
    variant: float | str = 0,
    **_: float | str,
) -> Mono:
    """Return wolves howling over a valley: a `pack` of 1 to 6, each at its own pitch. A stand-in."""
    wolves = round(number(pack, 1.0, 6.0, "pack"))
    chance = character("wolf_howl", variant)
    sound, power = np.zeros(len(intensity)), 0.0
    for wolf in range(wolves):
        one = Specimen.of(chance, float(np.exp(chance.normal(0.0, 0.18))))
        howls = [uttered(rng, HOWL, one) for _howl in range(1 if wolf else 2)]
        gap_s = 1.2 + 1.5 * wolf
        level = 0.6 ** (wolf > 0)
        sound += level * in_turn(rng, intensity, howls, gap_s=gap_s)
        power += (level * turn_rms(howls, gap_s)) ** 2
    heard = far_off(rng, sound, HILLS_S, wet=0.18, corner_hz=1500.0)
    return settled(heard, intensity, rms=1.12 * float(np.sqrt(power)))


PURR_HZ = (23.0, 31.0)
"""Muscles of the larynx open and shut it so often, in and out (D. Frazer Sissom et al., J. Zool. 223, 1991)."""


def purr(rng: np.random.Generator, intensity: Mono, /, *, variant: float | str = 0, **_: float | str) -> Mono:
    """Return a cat that purrs: pulses of breath, a little lower and softer while it breathes in."""
    one, count = character("purr", variant), len(intensity)
    breaths = cycles(one.uniform(0.55, 0.8) * (1 + 0.1 * slow_random(rng, count, 0.5))) + rng.random()
    breath = np.sin(2 * np.pi * breaths)
    outward = np.clip(4.0 * breath + 0.5, 0.0, 1.0)
    beat = cycles(one.uniform(*PURR_HZ) * (0.94 + 0.06 * outward) * (1 + 0.02 * slow_random(rng, count, 3.0)))
    part = np.arange(PERIOD) / PERIOD
    pulse = 0.08 + np.exp(-6.0 * part)
    push = 0.5 * pulse * (np.sin(2 * np.pi * 3 * part) + 0.6 * np.sin(2 * np.pi * 5 * part + 1.0))
    place = ((beat - np.floor(beat)) * PERIOD).astype(np.int32)
    swell = (0.6 + 0.4 * outward) * (0.35 + 0.65 * np.sqrt(np.abs(breath)))
    sound = (noise(rng, count, PURRING) * pulse[place] + push[place]) * swell
    return settled(pressed(sound, intensity), intensity, rms=0.3)


PERIOD = 2048
"""Samples of the table that one beat of the larynx is read from."""
PURRING = spectrum({40: -8, 120: 0, 350: -4, 900: -14, 2500: -22, 6000: -34, 14000: -50})
HISS = spectrum({300: -34, 1500: -14, 3200: -4, 5500: 0, 9000: -3, 14000: -10, 20000: -24})
RATTLE_HZ = 60.0
"""A rattlesnake's tail beats 40 to 90 times a second, faster when warm (J. Chadwick, H. Rahn, Copeia, 1954)."""


def snake(
    rng: np.random.Generator,
    intensity: Mono,
    /,
    *,
    rattle: float | str = 0.0,
    variant: float | str = 0,
    **_: float | str,
) -> Mono:
    """Return a snake: breath through a narrow throat in long swells, and with `rattle` 0 to 1 its tail."""
    share, count, one = number(rattle, 0.0, 1.0, "rattle"), len(intensity), character("snake", variant)
    swells = cycles(one.uniform(0.28, 0.45) * (1 + 0.3 * slow_random(rng, count, 0.5))) + rng.random()
    breath = 0.25 + 0.75 * np.abs(np.sin(np.pi * swells)) ** 0.7
    sound = (1 - 0.7 * share) * noise(rng, count, tinted(HISS, one, 2.0)) * breath
    if share > 0.0:
        tail = [noise_burst(rng, 0.012, low_hz=4500.0, high_hz=10_000.0) for _click in range(24)]
        beat = np.clip(1.3 * np.sin(2 * np.pi * cycles(np.full(count, RATTLE_HZ * one.uniform(0.8, 1.3)))), 0.0, 1.0)
        sound += 1.1 * share * shower(rng, count, unit_energy(tail), rate_hz=700.0, sigma=0.5, curve=beat)
    return settled(pressed(sound, intensity, 3000.0), intensity, rms=0.78)


def _call(name: str, make: MakesHit, source: str) -> HitRecipe:
    return HitRecipe(name, "animals", make, defaults_of(make), lead_s=LEAD_S, ring_s=CALL_S, source=source)


RECIPES = (
    HitRecipe("dog_bark", "animals", dog_bark, defaults_of(dog_bark), LEAD_S, BARK_RING_S, "249 recorded barks"),
    _call("cat", cat, "formant synthesis: Fant 1960"),
    _call("sheep_bleat", sheep_bleat, "formant synthesis: Fant 1960"),
    _call("cow", cow, "Padilla de la Torre et al. 2015"),
    _call("horse_neigh", horse_neigh, "Briefer et al. 2015"),
    TextureRecipe("growl", "animals", growl, defaults_of(growl), "formant synthesis: Fant 1960"),
    TextureRecipe("wolf_howl", "animals", wolf_howl, defaults_of(wolf_howl), "formant synthesis: Fant 1960"),
    TextureRecipe("purr", "animals", purr, defaults_of(purr), "Frazer Sissom et al. 1991"),
    TextureRecipe("snake", "animals", snake, defaults_of(snake), "Chadwick & Rahn 1954"),
)
