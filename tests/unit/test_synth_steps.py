"""What feet, hooves, clothes and paper sound like."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pytest
from scipy import signal

from foley.synth.grounds import GROUNDS
from foley.synth.recipe import HitRecipe, Mono, TextureRecipe
from foley.synth.recipes import fabric, falls, fastenings, footsteps, hooves, paper, sweeping
from foley.synth.surfaces import FLOORS, SHOES
from foley.units import RATE_HZ, to_samples

MODULES = (footsteps, hooves, falls, fabric, paper, fastenings, sweeping)
RECIPES: Mapping[str, HitRecipe | TextureRecipe] = {
    recipe.name: recipe for module in MODULES for recipe in module.RECIPES
}
STEPS = [name for name in RECIPES if name.startswith("step_")]
HITS = [name for name, recipe in RECIPES.items() if isinstance(recipe, HitRecipe)]

ONSET_TOLERANCE_S = 0.001
"""What the issue asks of every hit; slow grounds too are touched at once, whatever swells afterwards."""


def hit(name: str, seed: int = 1, strength: float = 1.0, **parameters: float | str) -> Mono:
    recipe = RECIPES[name]
    assert isinstance(recipe, HitRecipe)
    return recipe.make(np.random.default_rng(seed), strength, **parameters)


def texture(name: str, speed: float = 1.0, *, duration_s: float = 2.0, seed: int = 1, **values: float | str) -> Mono:
    recipe = RECIPES[name]
    assert isinstance(recipe, TextureRecipe)
    intensity = np.full(to_samples(duration_s, RATE_HZ), speed, np.float32)
    return recipe.make(np.random.default_rng(seed), intensity, **values)


def mean(measure: Callable[[Mono], float], name: str, *, seeds: int = 4, **parameters: float | str) -> float:
    strength = float(parameters.pop("strength", 1.0))
    return float(np.mean([measure(hit(name, seed, strength, **parameters)) for seed in range(seeds)]))


def centroid_hz(sound: Mono) -> float:
    power = np.abs(np.fft.rfft(sound)) ** 2
    return float((power * np.fft.rfftfreq(len(sound), 1.0 / RATE_HZ)).sum() / power.sum())


def envelope(sound: Mono, window_s: float = 0.01) -> np.ndarray:
    width = to_samples(window_s, RATE_HZ)
    return np.sqrt(np.convolve(np.asarray(sound, np.float64) ** 2, np.ones(width) / width, "same"))


def peak_s(sound: Mono) -> float:
    return float(np.argmax(envelope(sound, 0.02))) / RATE_HZ


def fall_s(sound: Mono, by_db: float = 20.0) -> float:
    """Return how long what is left of the sound's energy takes to fall by so much."""
    left = np.cumsum(np.asarray(sound, np.float64)[::-1] ** 2)[::-1]
    return float(np.argmax(left < left[0] * 10 ** (-by_db / 10))) / RATE_HZ


def rate_of(sound: Mono, low_hz: float, high_hz: float) -> float:
    """Return the strongest rhythm of the sound's envelope between two rates."""
    level = envelope(sound, 0.001)
    power = np.abs(np.fft.rfft((level - level.mean()) * np.hanning(len(level)))) ** 2
    hz = np.fft.rfftfreq(len(level), 1.0 / RATE_HZ)
    inside = (hz >= low_hz) & (hz <= high_hz)
    return float(hz[inside][np.argmax(power[inside])])


def unevenness(sound: Mono) -> float:
    """Return the relative spread of the level in windows of 5 ms."""
    level = envelope(sound, 0.005)[2400:-2400:240]
    return float(level.std() / level.mean())


# --- steps -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", HITS)
def test_the_contact_is_heard_within_a_millisecond(name: str) -> None:
    for seed in range(4):
        sound = np.abs(hit(name, seed))
        assert sound[: to_samples(ONSET_TOLERANCE_S, RATE_HZ)].max() >= 0.1 * sound.max()


@pytest.mark.parametrize("name", HITS)
def test_a_heavier_blow_is_brighter(name: str) -> None:
    soft, hard = (mean(centroid_hz, name, strength=strength) for strength in (0.15, 1.0))
    assert hard > soft


def test_there_are_fifteen_surfaces_and_four_kinds_of_shoe() -> None:
    assert {f"step_{name}" for name in (*FLOORS, *GROUNDS, "water")} <= set(STEPS)
    assert len(FLOORS) + len(GROUNDS) + 1 >= 15
    assert set(SHOES) == {"leather", "rubber", "heel", "bare"}


def test_grass_snow_and_sand_swell_after_the_contact_as_recorded_ones_do() -> None:
    # recorded medians: grass 103 to 184 ms, snow 113, sand 88, gravel 43
    grounds = ("grass", "snow", "sand", "gravel")
    grass_s, snow_s, sand_s, gravel_s = (mean(peak_s, f"step_{name}", seeds=24) for name in grounds)
    assert 0.09 < grass_s < 0.2
    assert 0.07 < snow_s < 0.17
    assert 0.06 < sand_s < 0.11
    assert 0.01 < gravel_s < 0.08


def test_hard_floors_are_loudest_at_the_contact() -> None:
    for name in ("concrete", "stone", "tile", "wood", "metal", "ice"):
        assert mean(peak_s, f"step_{name}", shoe="leather") < 0.02


def test_metal_rings_longer_than_wood_and_stone() -> None:
    metal_s, wood_s, stone_s = (mean(fall_s, f"step_{name}", seeds=12) for name in ("metal", "wood", "stone"))
    assert metal_s > 1.5 * max(wood_s, stone_s)


def test_harder_soles_are_brighter() -> None:
    heel, leather, rubber, bare = (
        mean(centroid_hz, "step_tile", shoe=shoe) for shoe in ("heel", "leather", "rubber", "bare")
    )
    assert heel > leather > rubber > bare


def test_a_runner_is_on_loose_ground_for_a_shorter_time() -> None:
    for name in ("step_gravel", "step_grass", "step_snow"):
        assert mean(fall_s, name, run=1.0) < 0.85 * mean(fall_s, name, run=0.0)


def test_who_runs_brings_heel_and_ball_down_at_once() -> None:
    def late_share(sound: Mono) -> float:
        energy = np.asarray(sound, np.float64) ** 2
        return float(energy[to_samples(0.045, RATE_HZ) : to_samples(0.11, RATE_HZ)].sum() / energy.sum())

    running, walking = (mean(late_share, "step_tile", run=run, shoe="heel", variant=1) for run in (1.0, 0.0))
    assert running < walking


def test_steps_downstairs_are_duller_than_on_the_level() -> None:
    for name in ("step_wood", "step_stone"):
        assert mean(centroid_hz, name, stairs="down") < mean(centroid_hz, name)
        assert mean(centroid_hz, name, stairs="up") < mean(centroid_hz, name)


def test_a_shuffle_lasts_longer_than_a_step_and_has_less_of_a_heel() -> None:
    for name in ("step_concrete", "step_wood"):
        assert mean(fall_s, name, scuff=1.0) > 1.5 * mean(fall_s, name)
        assert mean(centroid_hz, name, scuff=1.0) > mean(centroid_hz, name)


def test_left_and_right_differ_but_no_more_than_steps_do() -> None:
    def level(foot: str) -> float:
        return float(np.mean([np.abs(hit("step_wood", seed, foot=foot, variant=4)).max() for seed in range(4)]))

    louder = max(level("left"), level("right")) / min(level("left"), level("right"))
    assert 1.02 < louder < 1.15
    assert not np.array_equal(hit("step_wood", foot="left"), hit("step_wood", foot="right"))


def test_deeper_water_swells_later_and_is_darker() -> None:
    film, puddle, knee = (
        [mean(measure, "step_water", depth=depth) for measure in (peak_s, centroid_hz)] for depth in (0.0, 0.3, 1.0)
    )
    assert film[0] < puddle[0] < knee[0]
    assert film[1] > knee[1]
    assert 0.05 < puddle[0] < 0.26  # recorded: 73 to 250 ms


def test_mud_lets_go_with_a_squelch() -> None:
    sound = hit("step_mud", 2)
    level = envelope(sound)
    lowest = level[to_samples(0.1, RATE_HZ) : to_samples(0.28, RATE_HZ)].min()
    assert level[to_samples(0.25, RATE_HZ) : to_samples(0.45, RATE_HZ)].max() > 2.0 * lowest


@pytest.mark.parametrize(
    ("name", "wrong"),
    [
        ("step_wood", {"shoe": "ski"}),
        ("step_wood", {"run": 2.0}),
        ("step_snow", {"stairs": "sideways"}),
        ("step_water", {"depth": -0.1}),
        ("step_bare", {"floor": "lava"}),
        ("step_dirt", {"foot": "third"}),
        ("step_sand", {"scuff": "much"}),
        ("hoof", {"surface": "lava"}),
        ("hoof", {"shoe": "leather"}),
        ("landing", {"surface": "lava"}),
        ("body_fall", {"surface": 3.0}),
        ("buckle", {"kind": "gold"}),
    ],
)
def test_a_hit_refuses_what_it_does_not_know(name: str, wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=next(iter(wrong))):
        hit(name, **wrong)


# --- hooves and falls ------------------------------------------------------------------------------------------------


def test_a_hoof_clops_on_stone_and_thuds_on_grass() -> None:
    def clop_share(sound: Mono) -> float:
        power = np.abs(np.fft.rfft(sound)) ** 2
        hz = np.fft.rfftfreq(len(sound), 1.0 / RATE_HZ)
        return float(power[(hz > 350) & (hz < 2500)].sum() / power.sum())

    assert mean(clop_share, "hoof", surface="stone") > 0.5
    assert mean(clop_share, "hoof", surface="grass") < 0.35


def test_an_iron_shoe_is_brighter_than_horn() -> None:
    assert mean(centroid_hz, "hoof", shoe="iron") > 1.1 * mean(centroid_hz, "hoof", shoe="none")


def test_a_landing_and_a_fall_are_duller_and_longer_than_a_step() -> None:
    for name in ("landing", "body_fall"):
        assert mean(centroid_hz, name, surface="tile") < mean(centroid_hz, "step_tile")
        assert mean(fall_s, name, surface="tile") > mean(fall_s, "step_tile")


def test_the_trunk_comes_down_after_the_hip() -> None:
    assert 0.05 < mean(peak_s, "body_fall") < 0.15


# --- cloth, paper, fastenings ----------------------------------------------------------------------------------------


def test_silk_is_brighter_than_cotton_and_cotton_than_a_coat() -> None:
    silk, cotton, coat = (centroid_hz(texture("cloth_move", fabric=name)) for name in ("silk", "cotton", "coat"))
    assert silk > 1.3 * cotton
    assert cotton > 1.3 * coat


def test_cloth_is_brighter_when_it_moves_faster() -> None:
    for name in fabric.FABRICS:
        assert centroid_hz(texture("cloth_move", 1.0, fabric=name)) > centroid_hz(
            texture("cloth_move", 0.2, fabric=name)
        )


def test_velcro_rips_more_evenly_than_cotton() -> None:
    assert unevenness(texture("cloth_rip", fabric="velcro")) < unevenness(texture("cloth_rip", fabric="denim"))


def test_a_sail_flaps_more_slowly_and_lower_than_a_pennant() -> None:
    pennant, sail = (texture("flag", duration_s=4.0, size=size) for size in (0.0, 1.0))
    assert centroid_hz(sail) < centroid_hz(pennant)


def test_a_zip_passes_more_teeth_a_second_when_it_is_pulled_faster() -> None:
    def teeth_in_a_second(speed: float) -> int:
        level = envelope(texture("zip", speed, duration_s=1.0), 0.0008)
        return len(signal.find_peaks(level, prominence=0.7 * level.mean())[0])

    slow, fast = teeth_in_a_second(0.2), teeth_in_a_second(1.0)
    assert slow > 30
    assert fast > 1.7 * slow


def test_foil_is_brighter_than_paper_and_paper_than_card() -> None:
    foil, sheet, card = (centroid_hz(texture("paper_crumple", material=name)) for name in ("foil", "paper", "card"))
    assert foil > sheet > card


def test_cardboard_tears_in_coarser_breaks_than_tissue() -> None:
    tissue, board = (texture("paper_tear", thickness=thickness) for thickness in (0.0, 1.0))
    assert centroid_hz(board) < centroid_hz(tissue)
    assert unevenness(board) > unevenness(tissue)


def test_pages_and_strokes_come_as_often_as_asked() -> None:
    assert rate_of(texture("broom", duration_s=6.0, rate_hz=3.0, kind="mop"), 1.5, 6.0) == pytest.approx(3.0, rel=0.25)
    assert rate_of(texture("paper_handle", duration_s=6.0, rate_hz=4.0), 2.5, 6.0) == pytest.approx(4.0, rel=0.3)


def test_leather_groans_lower_in_a_saddle_than_in_a_glove() -> None:
    glove, saddle = (centroid_hz(texture("leather_creak", duration_s=6.0, size=size)) for size in (0.0, 1.0))
    assert saddle < 0.8 * glove


@pytest.mark.parametrize(
    ("name", "wrong"),
    [
        ("cloth_move", {"fabric": "lead"}),
        ("cloth_rip", {"fabric": "lead"}),
        ("flag", {"size": 2.0}),
        ("zip", {"teeth": "gold"}),
        ("paper_crumple", {"material": "lead"}),
        ("paper_handle", {"rate_hz": 100.0}),
        ("paper_tear", {"thickness": 2.0}),
        ("broom", {"kind": "vacuum"}),
        ("leather_creak", {"size": "big"}),
    ],
)
def test_a_texture_refuses_what_it_does_not_know(name: str, wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=next(iter(wrong))):
        texture(name, duration_s=0.1, **wrong)
