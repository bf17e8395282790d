"""Room tones: what is heard of a room when nothing happens in it."""

from __future__ import annotations

import numpy as np

from foley.synth.finish import character, defaults_of, settled
from foley.synth.moving import layered
from foley.synth.places import AIR, add_hum, add_settling, air
from foley.synth.recipe import MakesTexture, Mono, TextureRecipe

ROOMS = ("interior", "kitchen", "office", "workshop", "basement", "hall", "field", "cabin")


def _maker(kind: str) -> MakesTexture:
    def make(rng: np.random.Generator, intensity: Mono, /, *, variant: float | str = 0, **_: float | str) -> Mono:
        count, place, calm = len(intensity), character("tone_" + kind, variant), AIR[kind]
        sound = layered(rng, count, air(rng, place, count, kind))
        if calm.hum > 0.0:
            add_hum(sound, place, calm.hum)
        if calm.settling_hz > 0.0:
            # far under the air's bass, well above its treble: so are they in recorded rooms
            add_settling(sound, rng, place, rate_hz=calm.settling_hz, level=0.08)
        return settled(sound, intensity, rms=1.02 * float(np.hypot(1.0, calm.hum)))

    return make


def _tone(kind: str) -> TextureRecipe:
    make = _maker(kind)
    return TextureRecipe(f"tone_{kind}", "ambience", make, defaults_of(make), "band levels of recorded rooms")


RECIPES = tuple(_tone(kind) for kind in ROOMS)
