"""What a model that reads text is told of an event, and how its chance is seeded."""

from __future__ import annotations

import numpy as np

from foley.model import SoundEvent

NEVER = ("speech", "music")
"""What a sound effect must not hold; the plan adds what else. Telling a model is not enough: takes are listened to."""


def prompt_of(event: SoundEvent) -> str:
    """Return what the sound is, in words."""
    return event.prompt or event.label


def negative_prompt_of(event: SoundEvent) -> str:
    """Return what the sound must not hold, in words, for models that take a negative prompt."""
    return ", ".join(filter(None, (*NEVER, event.avoid)))


def seed_of(rng: np.random.Generator) -> int:
    """Return a seed for a model's own source of chance, drawn from the event's stream."""
    return int(rng.integers(2**63))
