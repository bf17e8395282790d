"""What a model that reads text is told of an event, and how its chance is seeded."""

from __future__ import annotations

import numpy as np

from foley.model import SoundEvent
from foley.render.itself import is_musical, is_vocal

NEVER = ("speech", "music")
"""What a sound effect must not hold, unless it is that itself; the plan adds what else.

Telling a model is not enough: takes are listened to.
"""


def prompt_of(event: SoundEvent) -> str:
    """Return what the sound is, in words."""
    return event.prompt or event.label


def negative_prompt_of(event: SoundEvent) -> str:
    """Return what the sound must not hold, each thing once, for models that take a negative prompt.

    What the event itself is, is left out, unless its plan says otherwise: a murmuring crowd is told nothing of speech.
    """
    itself = {"speech": is_vocal(event), "music": is_musical(event)}
    never = [word for word in NEVER if not itself[word]]
    planned = [word.strip() for word in event.avoid.split(",")]
    return ", ".join(dict.fromkeys(filter(None, (*never, *planned))))


def seed_of(rng: np.random.Generator) -> int:
    """Return a seed for a model's own source of chance, drawn from the event's stream."""
    return int(rng.integers(2**63))
