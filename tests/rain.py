"""What diffusion models are asked for in tests, and by how much two of their sounds that are the same may differ."""

from __future__ import annotations

import numpy as np

from foley.contracts import SoundRequest
from foley.model import SoundEvent

ROUNDING = 1e-4
"""Of full scale: the same sums in another order differ by 1e-6 here; another sound by a hundred times this and more."""

RAIN = SoundEvent(
    id="e01-rain",
    label="rain on a tin roof",
    kind="bed",
    bus="backgrounds",
    start_s=0.0,
    end_s=1.5,
    because="a test",
)


def asked(event: SoundEvent = RAIN, duration_s: float = 1.0, *, seed: int = 7) -> SoundRequest:
    """Return the request for the first part of an event."""
    return SoundRequest(event, 0.0, duration_s, np.random.default_rng(seed))
