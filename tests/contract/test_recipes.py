"""What holds for every recipe that is found, whoever wrote it."""

from functools import cache

import numpy as np
import pytest

from foley.synth.recipe import HitRecipe, Mono, TextureRecipe, recipes
from foley.units import RATE_HZ, to_samples

HITS = [name for name, recipe in recipes().items() if isinstance(recipe, HitRecipe)]
TEXTURES = [name for name, recipe in recipes().items() if isinstance(recipe, TextureRecipe)]

ONSET_TOLERANCE_S = 0.001
"""Within which a hit reaches a tenth of its peak."""

TEXTURE_S = 2.0
"""Long enough for the slowest grains to show their level."""


@cache
def hit(name: str, seed: int = 1, strength: float = 1.0) -> Mono:
    sound = recipes()[name].make(np.random.default_rng(seed), strength)
    sound.flags.writeable = False
    return sound


def texture(name: str, intensity: Mono, seed: int = 1) -> Mono:
    return recipes()[name].make(np.random.default_rng(seed), intensity)


def even(level: float, duration_s: float = TEXTURE_S) -> Mono:
    return np.full(to_samples(duration_s, RATE_HZ), level, np.float32)


def rms(sound: Mono) -> float:
    return float(np.sqrt(np.mean(np.square(sound, dtype=np.float64))))


def lead_of(name: str) -> float:
    recipe = recipes()[name]
    assert isinstance(recipe, HitRecipe)
    return recipe.lead_s


def test_there_are_recipes_of_both_types() -> None:
    assert len(HITS) > 20
    assert len(TEXTURES) > 5


@pytest.mark.parametrize("name", HITS)
def test_a_hit_is_sound_at_its_level(name: str) -> None:
    sound = hit(name)
    assert sound.dtype == np.float32
    assert sound.ndim == 1
    assert np.isfinite(sound).all()
    assert 0.4 <= np.abs(sound).max() <= 0.6


@pytest.mark.parametrize("name", HITS)
def test_a_softer_hit_is_quieter(name: str) -> None:
    peaks = [float(np.abs(hit(name, strength=strength)).max()) for strength in (0.1, 0.5, 1.0)]
    assert peaks == sorted(peaks)
    assert peaks[0] < 0.25 * peaks[-1]


def brightness_hz(name: str, strength: float) -> float:
    """The centre of a hit's spectrum, averaged over a few."""
    centres = []
    for seed in range(1, 5):
        sound = hit(name, seed, strength)
        power = np.square(np.abs(np.fft.rfft(sound)))
        centres.append(float(power @ np.fft.rfftfreq(len(sound), 1 / RATE_HZ) / power.sum()))
    return float(np.mean(centres))


@pytest.mark.parametrize("name", HITS)
def test_a_softer_hit_is_not_brighter(name: str) -> None:
    assert brightness_hz(name, 0.15) < 1.02 * brightness_hz(name, 1.0)


@pytest.mark.parametrize("name", HITS)
def test_a_hit_of_no_strength_is_next_to_nothing(name: str) -> None:
    sound = hit(name, strength=0.0)
    assert np.isfinite(sound).all()
    assert np.abs(sound).max() < 0.01


@pytest.mark.parametrize("name", HITS)
@pytest.mark.parametrize("seed", [1, 2])
def test_a_hit_sounds_at_its_contact(name: str, seed: int) -> None:
    sound = np.abs(hit(name, seed))
    contact = to_samples(lead_of(name), RATE_HZ)
    until = contact + to_samples(ONSET_TOLERANCE_S, RATE_HZ)
    assert sound[:until].max() >= 0.1 * sound.max()


@pytest.mark.parametrize("name", HITS)
def test_a_hit_has_died_away_when_it_says_so(name: str) -> None:
    recipe = recipes()[name]
    assert isinstance(recipe, HitRecipe)
    for seed in (1, 2):
        sound = hit(name, seed)
        assert len(sound) <= to_samples(recipe.lead_s + recipe.ring_s, RATE_HZ) + 1
        assert np.abs(sound[-48:]).max() < 1e-3 * np.abs(sound).max()


@pytest.mark.parametrize("name", HITS)
def test_a_hit_rests_around_zero(name: str) -> None:
    sound = hit(name).astype(np.float64)
    assert abs(sound.sum()) / RATE_HZ < 2e-4  # of a second at full scale: a push of the loudspeaker nobody would see


@pytest.mark.parametrize("name", [*HITS, *TEXTURES])
def test_equal_chance_makes_equal_sound_and_other_chance_another(name: str) -> None:
    if name in HITS:
        first, again, other = hit(name, 1), hit.__wrapped__(name, 1), hit(name, 2)
    else:
        first, again, other = (texture(name, even(0.8), seed) for seed in (1, 1, 2))
    assert np.array_equal(first, again)
    both = min(len(first), len(other))
    assert not np.array_equal(first[:both], other[:both])


@pytest.mark.parametrize("name", [*HITS, *TEXTURES])
def test_a_recipe_takes_its_own_defaults(name: str) -> None:
    recipe = recipes()[name]
    argument = 1.0 if isinstance(recipe, HitRecipe) else even(0.8, 0.3)
    plain = recipe.make(np.random.default_rng(4), argument)  # type: ignore[arg-type]
    spelled_out = recipe.make(np.random.default_rng(4), argument, **recipe.parameters)  # type: ignore[arg-type]
    assert np.array_equal(plain, spelled_out)


@pytest.mark.parametrize("name", [*HITS, *TEXTURES])
def test_a_recipe_says_where_it_comes_from(name: str) -> None:
    assert recipes()[name].source
    assert recipes()[name].family


@pytest.mark.parametrize("name", TEXTURES)
@pytest.mark.parametrize("samples", [1, 960, 9600])
def test_a_texture_has_the_length_it_was_asked_for(name: str, samples: int) -> None:
    sound = texture(name, np.ones(samples, np.float32))
    assert sound.shape == (samples,)
    assert sound.dtype == np.float32
    assert np.isfinite(sound).all()
    assert np.abs(sound).max() <= 1.0


@pytest.mark.parametrize("name", TEXTURES)
def test_a_texture_has_its_level(name: str) -> None:
    levels = [rms(texture(name, even(1.0, 5.0), seed)) for seed in (1, 2)]
    assert 0.07 <= np.mean(levels) <= 0.15


@pytest.mark.parametrize("name", TEXTURES)
def test_a_texture_rests_around_zero(name: str) -> None:
    assert abs(float(texture(name, even(1.0)).mean(dtype=np.float64))) < 1e-3


@pytest.mark.parametrize("name", TEXTURES)
def test_a_texture_follows_its_intensity(name: str) -> None:
    levels = [rms(texture(name, even(level))) for level in (0.0, 0.4, 1.0)]
    assert levels[0] < 1e-4
    assert levels == sorted(levels)


@pytest.mark.parametrize("name", TEXTURES)
def test_a_texture_falls_silent_where_its_intensity_does(name: str) -> None:
    intensity = even(1.0)
    half = len(intensity) // 2
    intensity[half:] = 0.0
    assert np.abs(texture(name, intensity)[half + RATE_HZ // 2 :]).max() < 1e-2


LARGEST_STEP = 1.5
"""Between neighbouring samples: bright crackle comes near it, a break in the wave would pass it."""


@pytest.mark.parametrize("name", TEXTURES)
def test_a_texture_has_no_clicks(name: str) -> None:
    swell = 0.5 - 0.5 * np.cos(np.linspace(0.0, 2.0 * np.pi, 2 * RATE_HZ)).astype(np.float32)
    assert np.abs(np.diff(texture(name, swell))).max() < LARGEST_STEP
