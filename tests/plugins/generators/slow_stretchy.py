"""Ends spans early: part of what was asked for, then silence; the parameter `share` says which part."""

from dataclasses import replace

from foley.contracts import GeneratorSettings, SoundRequest
from foley.model import Audio
from tests.plugins.saboteur import FAITHFUL, Saboteur


def end_early(audio: Audio, request: SoundRequest) -> Audio:
    samples = audio.samples.copy()
    samples[:, round(audio.length * float(request.event.parameters.get("share", 0.6))) :] = 0.0
    return Audio(samples, audio.rate_hz)


def build(settings: GeneratorSettings | None = None) -> Saboteur:
    return Saboteur("slow_stretchy", replace(FAITHFUL, hit_exact=False), end_early)
