"""What holds for every sound class of the vocabulary, made by the procedural generator as a render asks for it."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest

from foley.contracts import SoundRequest
from foley.model import CurvePoint, Hit, SoundEvent
from foley.plan.vocabulary import SoundClass, vocabulary
from foley.render.generators.procedural import build
from foley.synth.recipe import HitRecipe, recipes
from foley.units import RATE_HZ, to_samples

CLASSES = sorted(vocabulary())
HITS = [name for name in CLASSES if vocabulary()[name].kind == "hits"]
LASTING = [name for name in CLASSES if vocabulary()[name].kind != "hits"]

LASTS_S = 2.0
BEFORE_S, BETWEEN_S, AFTER_S = 0.5, 3.0, 2.4
"""Around the two hits, besides what leads into them."""


def lead_s(name: str) -> float:
    recipe = recipes()[vocabulary()[name].recipe]
    return recipe.lead_s if isinstance(recipe, HitRecipe) else 0.0


def times_s(name: str) -> tuple[float, float]:
    first_s = BEFORE_S + lead_s(name)
    return first_s, first_s + BETWEEN_S + lead_s(name)


def event_of(known: SoundClass, *, seed: int = 1, strengths: tuple[float, float] = (1.0, 1.0)) -> SoundEvent:
    """The class as the rules planner would have it: two hits, or two seconds."""
    hits = known.kind == "hits"
    at_s = times_s(known.id) if hits else (0.0, LASTS_S)
    return SoundEvent(
        id=f"seed-{seed}",
        label=known.label,
        kind=known.kind,
        bus=known.bus,
        start_s=at_s[0],
        end_s=at_s[1],
        because="",
        hits=tuple(Hit(*each) for each in zip(at_s, strengths, strict=True)) if hits else (),
        curve=() if hits else (CurvePoint(0.0, known.intensity), CurvePoint(LASTS_S, known.intensity)),
        recipe=known.recipe,
        parameters=known.parameters,
        seed=seed,
    )


@cache
def made(name: str, seed: int = 1, strengths: tuple[float, float] = (1.0, 1.0)) -> np.ndarray:
    known = vocabulary()[name]
    event = event_of(known, seed=seed, strengths=strengths)
    duration_s = times_s(name)[1] + AFTER_S if known.kind == "hits" else LASTS_S
    request = SoundRequest(event, 0.0, duration_s, np.random.default_rng(seed))
    (audio,) = build().generate([request])
    return audio.samples[0]


@pytest.mark.parametrize("name", CLASSES)
def test_every_class_has_a_recipe_that_suits_it(name: str) -> None:
    assert build().suits(event_of(vocabulary()[name]))


@pytest.mark.parametrize("name", CLASSES)
def test_every_class_makes_sound_without_faults(name: str) -> None:
    sound = made(name)
    assert np.isfinite(sound).all()
    assert 0.005 < np.abs(sound).max() <= 1.0
    assert abs(float(sound.mean(dtype=np.float64))) < 1e-3
    assert abs(float(sound[0])) < 0.01
    assert abs(float(sound[-1])) < 0.01


@pytest.mark.parametrize("name", CLASSES)
def test_another_seed_is_another_take_and_the_same_seed_the_same(name: str) -> None:
    assert np.array_equal(made(name), made.__wrapped__(name))
    assert not np.array_equal(made(name), made(name, 2))


@pytest.mark.parametrize("name", HITS)
def test_nothing_is_heard_before_the_first_hit_but_what_leads_in(name: str) -> None:
    first = to_samples(BEFORE_S, RATE_HZ)
    assert not made(name)[: max(0, first - 2)].any()


@pytest.mark.parametrize("name", HITS)
def test_two_hits_of_an_event_are_never_the_same(name: str) -> None:
    sound = made(name)
    first, second = (to_samples(at_s - lead_s(name), RATE_HZ) for at_s in times_s(name))
    length = min(to_samples(0.3, RATE_HZ), len(sound) - second)
    one, other = sound[first : first + length], sound[second : second + length]
    assert not np.allclose(one / np.abs(one).max(), other / np.abs(other).max(), atol=0.02)


@pytest.mark.parametrize("name", HITS)
def test_a_stronger_hit_is_louder(name: str) -> None:
    sound = made(name, 1, (0.25, 1.0))
    middle = to_samples(sum(times_s(name)) / 2 - lead_s(name) / 2, RATE_HZ)
    assert np.abs(sound[:middle]).max() < 0.6 * np.abs(sound[middle:]).max()
