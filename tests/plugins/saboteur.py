"""What the generators in `generators/` have in common: faithful sound, that each spoils in its own way.

They come in by the front door: a test puts their folder among the generators', and nothing in foley knows them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from pathlib import Path

import numpy as np

from foley.contracts import Capabilities, SoundRequest
from foley.model import Audio, Clip, SoundEvent, VideoStream
from foley.units import to_samples

ASKED: list[SoundRequest] = []
"""Every request made of any of them, in order: a test empties it and counts."""

BATCHES: list[list[float]] = []
"""The lengths of the sounds of every batch, in seconds, in order."""

CLIP = Clip(
    path=Path("clip.mp4"),
    key="key",
    container="mov,mp4",
    start_s=Fraction(0),
    duration_s=Fraction(60),
    video=VideoStream(0, "h264", 640, 360, 0, Fraction(25), Fraction(1, 12800), False, "yuv420p"),
    sound=(),
    subtitles=(),
    chapters=0,
    timecode=None,
)

RING_S = 0.3
NOISE_RMS = 0.1
HIT_PEAK = 0.5

FAITHFUL = Capabilities(
    kinds=frozenset({"hits", "span", "bed"}),
    rate_hz=48_000,
    channels=1,
    max_duration_s=30.0,
    hit_exact=True,
    code_licence="Apache-2.0",
    weights_licence="none",
    commercial=True,
    rank=50,
)

HEAVY = replace(FAITHFUL, memory_mb=4000, needs_gpu=False)
"""As one that holds a model."""

Spoil = Callable[[Audio, SoundRequest], Audio]


def unspoilt(audio: Audio, request: SoundRequest) -> Audio:
    return audio


@dataclass
class Saboteur:
    name: str
    capabilities: Capabilities = field(default_factory=lambda: replace(FAITHFUL))
    spoil: Spoil = unspoilt

    def identity(self) -> str:
        return f"{self.name}/1"

    def missing(self) -> tuple[str, ...]:
        return ()

    def suits(self, event: SoundEvent) -> bool:
        return True

    def margins_s(self, event: SoundEvent) -> tuple[float, float]:
        return (0.0, RING_S) if event.kind == "hits" else (0.0, 0.0)

    def prepare(self) -> None:
        pass

    def generate(self, requests: Sequence[SoundRequest]) -> list[Audio]:
        ASKED.extend(requests)
        BATCHES.append([request.duration_s for request in requests])
        return [self.spoil(self._sound(request), request) for request in requests]

    def _sound(self, request: SoundRequest) -> Audio:
        rate_hz = self.capabilities.rate_hz
        length = to_samples(request.duration_s, rate_hz)
        made = self._hits(request, length) if request.event.kind == "hits" else self._noise(request, length)
        return Audio(made[np.newaxis].astype(np.float32), rate_hz)

    def _hits(self, request: SoundRequest, length: int) -> np.ndarray:
        rate_hz = self.capabilities.rate_hz
        sound = np.zeros(length)
        for hit in request.event.hits:
            first = to_samples(hit.time_s - request.start_s, rate_hz)
            ring = np.arange(min(to_samples(RING_S, rate_hz), length - first)) / rate_hz
            blow = np.sin(2 * np.pi * 700.0 * ring + 1.0) * np.exp(-ring / 0.04)
            sound[first : first + ring.size] += HIT_PEAK * hit.strength * blow
        return sound

    def _noise(self, request: SoundRequest, length: int) -> np.ndarray:
        times_s = request.start_s + np.arange(length) / self.capabilities.rate_hz
        curve = request.event.curve
        levels = np.interp(times_s, [p.time_s for p in curve], [p.level for p in curve]) if curve else 1.0
        return np.clip(NOISE_RMS * levels * request.rng.standard_normal(length), -0.99, 0.99)
