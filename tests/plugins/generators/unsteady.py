"""Makes no more than 10 s at once, follows no curve, and has a slow swell of its own instead, in every window another.

With the parameter `uneven_db` windows differ in level by up to so much.
"""

from dataclasses import replace

import numpy as np

from foley.contracts import GeneratorSettings, SoundRequest
from foley.model import Audio
from foley.units import to_gain
from tests.plugins.saboteur import HEAVY, Saboteur

SWELL_DB = 6.0


def swell(audio: Audio, request: SoundRequest) -> Audio:
    curveless = 0.1 * request.rng.standard_normal(audio.length)
    phase = request.rng.uniform(0.0, 2.0 * np.pi)
    depth_db = 0.0 if request.event.kind == "bed" else SWELL_DB
    swell_db = depth_db * np.sin(2.0 * np.pi * np.arange(audio.length) / audio.rate_hz / 7.0 + phase)
    louder_db = float(request.event.parameters.get("uneven_db", 0.0)) * request.rng.uniform(-1.0, 1.0)
    samples = curveless * 10.0 ** (swell_db / 20.0) * to_gain(louder_db) / 4.0
    return Audio(np.clip(samples, -0.99, 0.99).astype(np.float32)[np.newaxis], audio.rate_hz)


def build(settings: GeneratorSettings | None = None) -> Saboteur:
    return Saboteur("unsteady", replace(HEAVY, max_duration_s=10.0, hit_exact=False, follows_curve=False), swell)
