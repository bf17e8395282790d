"""What a sound recipe is, and where all of them are found: every module in `recipes/` that has `RECIPES`."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Protocol

import numpy as np
import numpy.typing as npt

Mono = npt.NDArray[np.float32]
"""One channel at 48 kHz, shape (samples,)."""


class MakesHit(Protocol):
    """Makes one hit."""

    def __call__(self, rng: np.random.Generator, strength: float, /, **parameters: float | str) -> Mono:
        """Return the hit; the contact lies `Recipe.lead_s` after its first sample, and it has died away at its end."""
        ...


class MakesTexture(Protocol):
    """Makes a stretch of sound that goes on."""

    def __call__(self, rng: np.random.Generator, intensity: Mono, /, **parameters: float | str) -> Mono:
        """Return as many samples as `intensity` has; it is 0 to 1 for every sample and shapes level and timbre."""
        ...


@dataclass(frozen=True, slots=True)
class HitRecipe:
    """A sound at an instant."""

    name: str
    family: str
    make: MakesHit
    parameters: Mapping[str, float | str] = field(default_factory=dict)
    """All parameters with their defaults."""
    lead_s: float = 0.0
    """How long it sounds before its contact: a whoosh before it passes."""
    ring_s: float = 1.0
    """The longest that it sounds after its contact."""
    source: str = ""
    """Where the model and its figures come from."""


@dataclass(frozen=True, slots=True)
class TextureRecipe:
    """A sound that goes on."""

    name: str
    family: str
    make: MakesTexture
    parameters: Mapping[str, float | str] = field(default_factory=dict)
    source: str = ""


Recipe = HitRecipe | TextureRecipe


@cache
def recipes() -> Mapping[str, Recipe]:
    """Return all recipes by name."""
    folder = importlib.import_module("foley.synth.recipes")
    found: dict[str, Recipe] = {}
    for info in sorted(pkgutil.iter_modules(folder.__path__), key=lambda info: info.name):
        module = importlib.import_module(f"{folder.__name__}.{info.name}")
        for recipe in getattr(module, "RECIPES", ()):
            if recipe.name in found:
                raise ValueError(f"two recipes are called {recipe.name!r}")
            found[recipe.name] = recipe
    return found
