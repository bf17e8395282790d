"""What stands for each class of recordings: recipes with a spread of parameters, as a finished file would hold them."""

from __future__ import annotations

import io
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import soundfile
import soxr

from benchmarks.realism.descriptors import RATE_HZ, Kind, Numbers, Wave, described
from benchmarks.realism.recordings import STRETCH_S, without_silence
from foley.synth.recipe import HitRecipe, Recipe, recipes
from foley.units import RATE_HZ as SYNTH_HZ

COUNT = 12
"""Renders for each class in one draw."""

STRENGTHS, INTENSITIES = (0.6, 1.0), (0.3, 1.0)
"""Of hits and of textures: recordings in collections were made loud enough."""

FLOOR_DB = (-72.0, -46.0)
"""The noise under a finished sound, RMS re its peak: there is a room tone under every film."""

VORBIS_QUALITY = 0.5
"""Nearly all recordings have been through this codec; without it, it alone would tell them apart."""

Values = tuple[float, float] | Sequence[str]
"""A range, or words to choose among."""


@dataclass(frozen=True, slots=True)
class Stand:
    """One recipe that stands for a class."""

    recipe: str
    values: Mapping[str, Values] = field(default_factory=dict)
    """Spread of parameters; the others keep their defaults, `variant` is always another."""
    gap_s: tuple[float, float] | None = None
    """Between hits, where a class of stretches is made of hits."""


SIZES: Mapping[str, Values] = {"size": (0.0, 1.0)}
FLOORS: Mapping[str, Values] = {"shoe": ("rubber", "leather")}

EVENTS: Mapping[str, Sequence[Stand]] = {
    "step_dirt": [Stand("step_dirt")],
    "step_grass": [Stand("step_grass")],
    "step_gravel": [Stand("step_gravel")],
    "step_stone": [Stand("step_concrete", FLOORS), Stand("step_stone", FLOORS)],
    "step_metal": [Stand("step_metal", FLOORS)],
    "step_wood": [Stand("step_wood", FLOORS)],
    "step_carpet": [Stand("step_carpet")],
    "step_snow": [Stand("step_snow")],
    "step_sand": [Stand("step_sand")],
    "step_ice": [Stand("step_ice")],
    "step_bare": [Stand("step_bare")],
    "step_water": [Stand("step_water", {"depth": (0.1, 0.6)})],
    "glass_break": [Stand("glass_shatter")],
    "glass_hit": [Stand("hit_glass", {**SIZES, "ring": (0.2, 1.0)})],
    "ceramic_break": [Stand("ceramic_break")],
    "metal_hit": [
        Stand("hit_metal", {**SIZES, "ring": (0.3, 1.0)}),
        Stand("hit_sheet_metal", {**SIZES, "ring": (0.3, 1.0)}),
        Stand("anvil", SIZES),
    ],
    "wood_hit": [Stand("hit_wood", SIZES), Stand("hit_hollow_wood", SIZES), Stand("axe_chop")],
    "stone_hit": [Stand("hit_stone", SIZES)] * 3 + [Stand("pickaxe")],
    "plastic_hit": [Stand("hit_plastic", SIZES)],
    "body_hit": [Stand("body_blow"), Stand("punch")],
    "gunshot": [
        Stand(
            "gunshot",
            {"gun": ("pistol", "rifle", "shotgun"), "space": ("outdoor", "indoor"), "distance_m": (3.0, 20.0)},
        )
    ],
    "explosion": [Stand("explosion", {"size": (0.2, 0.8), "distance_m": (15.0, 120.0)}), Stand("firework")],
    "whoosh": [Stand("whoosh", {"size": (0.2, 1.0)})],
    "door": [Stand("door_slam"), Stand("door_metal"), Stand("door_car")],
    "drip": [Stand("drip", {"radius_mm": (0.8, 2.8)})],
    "dogbark": [Stand("dog_bark", SIZES)],
    "latch": [Stand("latch"), Stand("gun_handling", {"action": ("slide", "bolt", "hammer")})],
    "cloth": [Stand("cloth_move")],
}

TEXTURES: Mapping[str, Sequence[Stand]] = {
    "rain": [Stand("rain", {"surface": ("ground", "leaves")}), Stand("rain", {"surface": ("ground",)})],
    "sea": [Stand("sea", {"size": (0.2, 0.9)})],
    "fire": [Stand("fire")],
    "helicopter": [Stand("helicopter", {"blade_hz": (10.0, 22.0)})],
    "chainsaw": [Stand("chainsaw")],
    "clock": [Stand("clock", {"beats_hz": (1.0, 4.0)})],
    "dog": [Stand("dog_bark", SIZES, gap_s=(0.35, 2.0))],
    "stream": [Stand("stream", {"size": (0.2, 0.8)}), Stand("waterfall", {"size": (0.2, 0.6)})],
    "wind": [Stand("wind", {"leaves": (0.0, 0.3), "howl": (0.0, 0.6)})],
    "engine": [Stand("engine")],
    "birds": [Stand("birds")],
    "night": [Stand("crickets", {"count": (1.0, 5.0)}), Stand("amb_night")],
    "room": [Stand("tone_interior"), Stand("tone_office"), Stand("tone_basement"), Stand("electric_hum")],
    "rooster": [Stand("rooster", gap_s=(2.5, 4.0))],
    "baby": [Stand("baby_voice")],
    "sneeze": [Stand("cough", {"kind": ("sneeze",), "who": ("man", "woman")}, gap_s=(2.5, 4.0))],
}


def stands_for(kind: Kind) -> Mapping[str, Sequence[Stand]]:
    """Return the classes of a kind with what stands for them."""
    return EVENTS if kind == "event" else TEXTURES


def renders(kind: Kind, name: str, stands: Sequence[Stand], count: int = COUNT) -> Numbers:
    """Return the descriptors of `count` sounds of a class, shape (count, descriptors).

    Args:
        kind: Of the class.
        name: Of the class: it seeds the chance.
        stands: Recipes that take turns.
        count: How many sounds.
    """
    return np.array([described(kind, sound) for sound in sounds(kind, name, stands, count)])


def sounds(kind: Kind, name: str, stands: Sequence[Stand], count: int = COUNT) -> list[Wave]:
    """Return `count` sounds of a class at 22.05 kHz, as they would come from a finished file."""
    present = [stand for stand in stands if stand.recipe in recipes()]
    if not present:
        return []
    made = []
    for take in range(count):
        rng = np.random.default_rng([zlib.crc32(name.encode()), take])
        made.append(as_a_file(rng, rendered(rng, kind, present[take % len(present)]), kind))
    return made


def rendered(rng: np.random.Generator, kind: Kind, stand: Stand) -> Wave:
    """Return one sound of a recipe at 48 kHz."""
    recipe = recipes()[stand.recipe]
    parameters = drawn(rng, recipe, stand.values)
    if stand.gap_s is not None and isinstance(recipe, HitRecipe):
        return _series(rng, recipe, parameters, stand.gap_s)
    if isinstance(recipe, HitRecipe):
        return recipe.make(rng, rng.uniform(*STRENGTHS), **parameters)
    length = round(SYNTH_HZ * (STRETCH_S if kind == "texture" else 0.5))
    intensity = np.full(length, rng.uniform(*INTENSITIES), np.float32)
    if kind == "event":  # a short gesture: it swells and is over
        intensity *= np.sin(np.pi * np.linspace(0.0, 1.0, length, dtype=np.float32))
    return recipe.make(rng, intensity, **parameters)


def drawn(rng: np.random.Generator, recipe: Recipe, values: Mapping[str, Values]) -> dict[str, float | str]:
    """Return the parameters of one sound; those that the recipe does not have are left out."""
    chosen: dict[str, float | str] = dict(recipe.parameters)
    for name, spread in values.items():
        words = [value for value in spread if isinstance(value, str)]
        bounds = [value for value in spread if not isinstance(value, str)]
        value = str(rng.choice(words)) if words else float(rng.uniform(bounds[0], bounds[1]))
        if name in chosen:
            # whole numbers stay whole: recipes count with them
            chosen[name] = round(float(value)) if type(chosen[name]) is int else value
    if "variant" in chosen:
        chosen["variant"] = int(rng.integers(2**31))
    return chosen


def _series(
    rng: np.random.Generator, recipe: HitRecipe, parameters: Mapping[str, float | str], gap_s: tuple[float, float]
) -> Wave:
    sound = np.zeros(round(SYNTH_HZ * STRETCH_S), np.float32)
    at_s = rng.uniform(0.0, 0.3)
    while at_s < STRETCH_S:
        hit = recipe.make(rng, rng.uniform(*STRENGTHS), **parameters)
        place = round(at_s * SYNTH_HZ)
        fits = min(len(hit), len(sound) - place)
        sound[place : place + fits] += hit[:fits]
        at_s += rng.uniform(*gap_s)
    return sound


def as_a_file(rng: np.random.Generator, sound: Wave, kind: Kind) -> Wave:
    """Return a sound as it would come from a finished file: over a faint noise, through a codec, at 22.05 kHz."""
    if kind == "event":
        sound = np.pad(sound, (2000, round(rng.uniform(0.02, 0.35) * SYNTH_HZ)))
    level = 10.0 ** (rng.uniform(*FLOOR_DB) / 20.0) * float(np.abs(sound).max())
    sound = sound + level * room_noise(rng, len(sound))
    sound = np.asarray(sound / (np.abs(sound).max() + 1e-9) * 0.9, np.float32)
    stored = io.BytesIO()
    soundfile.write(stored, sound, SYNTH_HZ, format="OGG", subtype="VORBIS", compression_level=VORBIS_QUALITY)
    stored.seek(0)
    decoded = soundfile.read(stored, dtype="float32")[0]
    heard = np.asarray(soxr.resample(decoded, SYNTH_HZ, RATE_HZ), np.float32)
    return without_silence(heard) if kind == "texture" else heard


def room_noise(rng: np.random.Generator, length: int) -> Wave:
    """Return the noise of a quiet room, RMS 1: falling by 3.6 dB an octave above 50 Hz, as measured rooms do."""
    bins_hz = np.fft.rfftfreq(length, 1 / SYNTH_HZ)
    noise = np.fft.irfft(np.fft.rfft(rng.standard_normal(length)) * np.maximum(bins_hz, 50.0) ** -0.6, length)
    return np.asarray(noise / np.sqrt(np.mean(noise**2)), np.float32)
