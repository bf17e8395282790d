"""The embedded generator: plays the recipes of `foley.synth`. No download, no GPU, exact in time."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from foley.contracts import Capabilities, GeneratorSettings, SoundRequest
from foley.errors import GenerationError
from foley.model import Audio, Hit, SoundEvent
from foley.units import RATE_HZ, to_gain, to_samples

if TYPE_CHECKING:
    from foley.synth.recipe import HitRecipe, Recipe, TextureRecipe

Wave = npt.NDArray[np.float32]

VERSION = "7"
"""Raise it when a recipe gives another sound for the same request: it is part of every take's key."""

EDGE_S = 0.005
"""Fades where a sound's cause starts and ends, and the smoothing of curves: short of a click, too short to hear."""

LEVEL_SPREAD_DB = 1.0
"""Hits differ by up to this: nobody strikes twice alike."""

SERIES_RATE_HZ = 5.0
"""Hits a second of a span made with a hit's recipe, as in typing; its parameter `rate_hz` overrules it."""


class Procedural:
    """Plays the recipe that an event names."""

    capabilities = Capabilities(
        kinds=frozenset({"hits", "span", "bed"}),
        rate_hz=RATE_HZ,
        channels=1,
        max_duration_s=30.0,
        hit_exact=True,
        code_licence="Apache-2.0",
        weights_licence="none",
        commercial=True,
        rank=100,
        memory_mb=100,
    )

    def identity(self) -> str:
        """Return name and version."""
        return f"procedural/{VERSION}"

    def missing(self) -> tuple[str, ...]:
        """Return nothing: all it needs comes with foley."""
        return ()

    def suits(self, event: SoundEvent) -> bool:
        """Return whether the event's recipe exists and is of its kind: hits cannot be made of what goes on."""
        from foley.synth.recipe import HitRecipe

        recipe = _recipe_of(event)
        return recipe is not None and (event.kind != "hits" or isinstance(recipe, HitRecipe))

    def margins_s(self, event: SoundEvent) -> tuple[float, float]:
        """Return the recipe's lead-in and how long it rings; what goes on has neither."""
        from foley.synth.recipe import HitRecipe

        recipe = _recipe_of(event)
        return (recipe.lead_s, recipe.ring_s) if isinstance(recipe, HitRecipe) else (0.0, 0.0)

    def prepare(self) -> None:
        """Load the recipes."""
        from foley.synth.recipe import recipes

        recipes()

    def generate(self, requests: Sequence[SoundRequest]) -> list[Audio]:
        """Return one sound for each request.

        Raises:
            GenerationError: where an event's recipe does not exist, is not of its kind, or refuses its parameters.
        """
        return [Audio(self._sound(request)[np.newaxis], RATE_HZ) for request in requests]

    def _sound(self, request: SoundRequest) -> Wave:
        from foley.synth.recipe import TextureRecipe

        event = request.event
        recipe = _recipe_of(event)
        if recipe is None or not self.suits(event):
            reason = f"no recipe {event.recipe!r} for {event.kind}" if event.recipe else "the event names no recipe"
            raise GenerationError(event.id, "procedural", reason)
        try:
            if isinstance(recipe, TextureRecipe):
                return _texture(recipe, request)
            return _hits(recipe, request, event.hits if event.kind == "hits" else _series(event))
        except ValueError as cause:
            raise GenerationError(event.id, "procedural", f"recipe {recipe.name}: {cause}") from cause


def build(settings: GeneratorSettings | None = None) -> Procedural:
    """Make the generator; it holds no model, so no setting concerns it."""
    return Procedural()


def _recipe_of(event: SoundEvent) -> Recipe | None:
    from foley.synth.recipe import recipes

    return recipes().get(event.recipe)


def _parameters(recipe: Recipe, event: SoundEvent) -> Mapping[str, float | str]:
    """Return the recipe's parameters as the event has them; its `variant` is the event's own.

    So all hits and windows of an event come from one object, and another event's from another. What the event has
    besides is for other generators.
    """
    own = {"variant": f"{event.id}/{event.seed}"} if "variant" in recipe.parameters else {}
    asked = {name: value for name, value in event.parameters.items() if name in recipe.parameters}
    return {**recipe.parameters, **own, **asked}


def _hits(recipe: HitRecipe, request: SoundRequest, hits: Iterable[Hit]) -> Wave:
    """Return the hits, each at its sample, ringing into each other.

    Every hit's chance depends on its time alone: a hit that an editor moves or deletes changes no other.
    """
    from foley.synth.finish import limited

    total = np.zeros(to_samples(request.duration_s, RATE_HZ), np.float32)
    parameters = _parameters(recipe, request.event)
    seed = int(request.rng.integers(2**63))
    for hit in hits:
        if not -recipe.ring_s < hit.time_s - request.start_s < request.duration_s + recipe.lead_s:
            continue
        rng = np.random.default_rng([seed, round(abs(hit.time_s) * 1e6)])
        sound = recipe.make(rng, min(max(hit.strength, 0.0), 1.0), **parameters)
        gain = to_gain(rng.uniform(-LEVEL_SPREAD_DB, LEVEL_SPREAD_DB))
        first = to_samples(hit.time_s - request.start_s, RATE_HZ) - to_samples(recipe.lead_s, RATE_HZ)
        _add(total, np.float32(gain) * sound, first)
    return limited(_end_faded(total))


def _add(total: Wave, sound: Wave, first: int) -> None:
    """Add a sound at a sample; what lies outside is cut."""
    start, end = max(first, 0), min(first + len(sound), len(total))
    if start < end:
        total[start:end] += sound[start - first : end - first]


def _end_faded(samples: Wave) -> Wave:
    """Return the sound with a short fade at its end: a window may be shorter than what rings in it."""
    count = min(to_samples(EDGE_S, RATE_HZ), len(samples) // 4)
    samples[len(samples) - count :] *= np.linspace(1.0, 0.0, count)
    return samples


def _series(event: SoundEvent) -> list[Hit]:
    """Return hits for a span whose recipe makes single ones: irregular, fewer and softer where its curve is low.

    Gaps are gamma-distributed with a spread of 40 %: hands at work are neither a clock nor rain.
    """
    from foley.synth.finish import character

    chance = character(event.id, event.seed)
    mean_s = 1.0 / max(0.05, float(event.parameters.get("rate_hz", SERIES_RATE_HZ)))
    hits = []
    time_s = event.start_s + 0.3 * mean_s * chance.random()
    while time_s < event.end_s:
        level = float(_levels(event, np.array([time_s]))[0])
        strength = level * chance.uniform(0.6, 1.0)
        if chance.random() < 0.3 + 0.7 * level and level > 0.0:
            hits.append(Hit(time_s, strength))
        time_s += mean_s * chance.gamma(6.25, 0.16)
    return hits


def _texture(recipe: TextureRecipe, request: SoundRequest) -> Wave:
    intensity = _intensity(request)
    sound = recipe.make(request.rng, intensity, **_parameters(recipe, request.event))
    return np.asarray(sound, np.float32)


def _intensity(request: SoundRequest) -> Wave:
    """Return the event's curve for every sample of the window: smoothed over 5 ms, faded at the event's two ends."""
    event, edge = request.event, to_samples(EDGE_S, RATE_HZ)
    count = to_samples(request.duration_s, RATE_HZ)
    if not event.curve:
        return _even(request, count)
    times_s = request.start_s + np.arange(-edge, count + edge) / RATE_HZ
    sums = np.cumsum(np.concatenate([[0.0], _levels(event, times_s)]))
    smooth = ((sums[edge:] - sums[:-edge]) / edge)[edge // 2 : edge // 2 + count]
    inside_s = times_s[edge : edge + count]
    rise = np.clip((inside_s - event.start_s) / EDGE_S, 0.0, 1.0)
    fall = np.clip((event.end_s - inside_s) / EDGE_S, 0.0, 1.0)
    # squared: some recipes' level goes with the root of it, and would begin and end with a step
    return np.asarray(smooth * np.square(rise * fall), np.float32)


def _even(request: SoundRequest, count: int) -> Wave:
    """Return an even 1, faded at the event's two ends."""
    event, edge = request.event, to_samples(EDGE_S, RATE_HZ)
    even = np.ones(count, np.float32)
    ramp = np.arange(-edge, edge) / np.float32(edge)
    for at_s, rising in ((event.start_s, 1), (event.end_s, -1)):
        at = to_samples(at_s - request.start_s, RATE_HZ)
        first, last = max(0, at - edge), min(count, at + edge)
        if first < last:
            even[first:last] *= np.square(np.clip(rising * ramp[first - at + edge : last - at + edge], 0.0, 1.0))
        outside = slice(0, max(0, first)) if rising > 0 else slice(min(count, max(0, last)), count)
        even[outside] = 0.0
    return even


def _levels(event: SoundEvent, times_s: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Return the curve's level at times; an empty curve is an even 1."""
    if not event.curve:
        return np.ones(len(times_s))
    corners_s = [point.time_s for point in event.curve]
    levels = [min(max(point.level, 0.0), 1.0) for point in event.curve]
    return np.asarray(np.interp(times_s, corners_s, levels), np.float64)
