"""What people's hands do.

Source: L. Peltola, C. Erkut, P. Cook, V. Valimaki, "Synthesis of hand clapping sounds", IEEE Trans. ASLP 15, 2007.
"""

from __future__ import annotations

import numpy as np

from foley.synth.chain import recorded_hit
from foley.synth.excitation import decay, length_samples
from foley.synth.finish import character, defaults_of
from foley.synth.recipe import HitRecipe, Mono
from foley.synth.resonators import resonance
from foley.units import RATE_HZ


def hand_clap(rng: np.random.Generator, strength: float, /, *, variant: float | str = 0, **_: float | str) -> Mono:
    """Return two hands: a millisecond of contact noise, and the air between the palms at 650 to 2300 Hz, Q 1.2 to 3.

    `variant` is another person: pitch depends on how the hands are held.
    """
    hands = character("hand_clap", variant)
    palm_hz = np.exp(hands.uniform(np.log(750.0), np.log(1900.0))) * np.exp(rng.normal(0.0, 0.08))
    length = length_samples(0.08)
    rise = np.minimum(1.0, (np.arange(length) + 1) / (0.0006 * RATE_HZ))
    contact = rng.standard_normal(length) * decay(length, rng.uniform(0.015, 0.032)) * rise
    palms = resonance(contact, palm_hz, rng.uniform(1.2, 3.0))
    fingers = resonance(contact, 2.6 * palm_hz, 1.5)
    return recorded_hit(rng, 0.8 * palms + 0.25 * fingers + 0.12 * contact, strength, ring_s=0.3)


RECIPES = (
    HitRecipe("hand_clap", "people", hand_clap, defaults_of(hand_clap), ring_s=0.3, source="Peltola et al. 2007"),
)
