"""A generator that makes silence: to use the rest of the pipeline alone, or to try a workflow quickly."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from foley.contracts import Capabilities, GeneratorSettings, SoundRequest
from foley.model import Audio, SoundEvent
from foley.units import RATE_HZ, to_samples


class Silence:
    """Makes nothing audible, of the right length; only for events that name it."""

    capabilities = Capabilities(
        kinds=frozenset({"hits", "span", "bed"}),
        rate_hz=RATE_HZ,
        channels=1,
        max_duration_s=600.0,
        hit_exact=True,
        code_licence="Apache-2.0",
        weights_licence="none",
        commercial=True,
        rank=1000,
    )

    def identity(self) -> str:
        """Return name and version."""
        return "silence/1"

    def missing(self) -> tuple[str, ...]:
        """Return nothing: silence needs nothing."""
        return ()

    def suits(self, event: SoundEvent) -> bool:
        """Return whether the event asks for it by name: routing must not end in silence."""
        return event.generator == "silence"

    def margins_s(self, event: SoundEvent) -> tuple[float, float]:
        """Return no margins."""
        return 0.0, 0.0

    def prepare(self) -> None:
        """Do nothing."""

    def generate(self, requests: Sequence[SoundRequest]) -> list[Audio]:
        """Return silence of each request's length."""
        lengths = [to_samples(request.duration_s, RATE_HZ) for request in requests]
        return [Audio(np.zeros((1, length), np.float32), RATE_HZ) for length in lengths]


def build(settings: GeneratorSettings | None = None) -> Silence:
    """Make the generator; it holds no model, so no setting concerns it."""
    return Silence()
