"""What solid things sound like, and how the embedded generator plays them."""

from dataclasses import replace

import numpy as np
import pytest

from foley.contracts import SoundRequest
from foley.errors import GenerationError
from foley.model import CurvePoint, Hit, SoundEvent
from foley.render.generators.procedural import build
from foley.synth.finish import character
from foley.synth.materials import MATERIALS, STEEL, WOOD, body, struck
from foley.synth.recipe import recipes
from foley.units import RATE_HZ, to_samples

KNOCKS = SoundEvent(
    id="e01-knock",
    label="knock",
    kind="hits",
    bus="foley",
    start_s=1.0,
    end_s=3.0,
    because="a test",
    hits=tuple(Hit(time_s) for time_s in (1.0, 1.5123, 2.25, 3.0)),
    recipe="hit_wood",
)
RUSTLE = replace(KNOCKS, id="e02-rustle", kind="span", hits=(), recipe="cloth_move")


def played(event: SoundEvent, start_s: float, duration_s: float, *, seed: int = 1) -> np.ndarray:
    (audio,) = build().generate([SoundRequest(event, start_s, duration_s, np.random.default_rng(seed))])
    return np.asarray(audio.samples[0], np.float64)


def centroid_hz(sound: np.ndarray) -> float:
    power = np.abs(np.fft.rfft(sound, RATE_HZ)) ** 2
    return float((power * np.arange(len(power))).sum() / power.sum())


def fall_s(sound: np.ndarray, by_db: float = 20.0) -> float:
    envelope = np.sqrt(np.convolve(np.asarray(sound, np.float64) ** 2, np.ones(96) / 96, "same"))
    loud = np.nonzero(envelope > envelope.max() * 10 ** (-by_db / 20))[0]
    return float(loud[-1] - np.argmax(envelope)) / RATE_HZ


def average(measure, recipe: str, strength: float = 1.0, **parameters: float | str) -> float:
    sounds = (recipes()[recipe].make(np.random.default_rng(seed), strength, **parameters) for seed in range(4))
    return float(np.mean([measure(sound) for sound in sounds]))


# --- physics ---------------------------------------------------------------------------------------------------------


def test_an_anvil_rings_longer_than_glass_and_flesh_hardly_at_all() -> None:
    times_s = [MATERIALS[name].t60_s(1500.0) for name in ("anvil", "glass", "ceramic", "plastic", "flesh")]
    assert times_s == sorted(times_s, reverse=True)


def test_high_modes_die_before_low_ones() -> None:
    for material in MATERIALS.values():
        assert material.t60_s(4000.0) < material.t60_s(400.0)


def test_a_large_object_is_lower_than_a_small_one() -> None:
    for material in (WOOD, STEEL):
        large, small = (body(np.random.default_rng(1), material, size=size) for size in (1.0, 0.0))
        assert large.modes_hz[0] < 0.6 * small.modes_hz[0]


def test_one_object_has_the_same_modes_at_every_blow() -> None:
    first, second = (body(character("bell", 3), STEEL).modes_hz for _ in range(2))
    assert np.array_equal(first, second)
    assert not np.array_equal(first, body(character("bell", 4), STEEL).modes_hz)


def test_a_soft_mallet_sounds_darker_than_a_hammer() -> None:
    mallet, hammer = (struck(np.random.default_rng(1), body(character("a", 0), STEEL), 1.0, hardness=h) for h in (0, 1))
    assert centroid_hz(mallet) < 0.7 * centroid_hz(hammer)


@pytest.mark.parametrize(
    "recipe",
    ["hit_wood", "hit_metal", "hit_glass", "hit_stone", "anvil", "hammer_nail", "soft_thump", "hand_clap", "conga"],
)
def test_a_harder_blow_is_brighter(recipe: str) -> None:
    centroids_hz = [average(centroid_hz, recipe, strength) for strength in (0.15, 0.5, 1.0)]
    assert centroids_hz[0] < centroids_hz[1] < centroids_hz[2]


def test_metal_rings_longer_than_wood_and_wood_longer_than_stone() -> None:
    anvil_s, metal_s, wood_s, stone_s = (
        average(fall_s, name) for name in ("anvil", "hit_metal", "hit_wood", "hit_stone")
    )
    assert anvil_s > metal_s > wood_s > stone_s


def test_a_heel_is_sharper_than_a_rubber_sole() -> None:
    assert average(centroid_hz, "step_wood", shoe="heel") > 1.2 * average(centroid_hz, "step_wood", shoe="rubber")


def test_grass_is_brighter_than_sand_and_sand_than_a_carpet() -> None:
    grass_hz, sand_hz, carpet_hz = (average(centroid_hz, f"step_{name}") for name in ("grass", "sand", "carpet"))
    assert grass_hz > sand_hz > carpet_hz


def test_a_wood_step_falls_as_recorded_ones_do() -> None:
    # recorded: 20 dB in 40 ms (8 steps, spread 15 to 80)
    assert 0.015 < average(fall_s, "step_wood") < 0.08


def test_a_creaking_hinge_is_faster_when_its_door_is() -> None:
    def slips_in_a_second(speed: float) -> int:
        sound = recipes()["door_creak"].make(np.random.default_rng(1), np.full(RATE_HZ, speed, np.float32))
        envelope = np.convolve(np.abs(sound), np.ones(96) / 96, "same")
        return int(np.sum(np.diff((envelope > 0.5 * np.median(envelope[envelope > 0])).astype(int)) == 1))

    slow = recipes()["door_creak"].make(np.random.default_rng(1), np.full(RATE_HZ, 0.05, np.float32))
    assert np.mean(np.abs(slow) < 1e-4) > 0.1
    assert slips_in_a_second(0.1) < 60


def test_an_unknown_shoe_is_refused_with_those_there_are() -> None:
    with pytest.raises(ValueError, match="shoe must be one of leather"):
        recipes()["step_wood"].make(np.random.default_rng(1), 1.0, shoe="ski")


# --- the generator ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("start_s", [0.9, 1.0, 0.123456])
def test_every_hit_lies_at_its_sample(start_s: float) -> None:
    sound = played(KNOCKS, start_s, 4.0 - start_s)
    for hit in KNOCKS.hits:
        at = to_samples(hit.time_s - start_s, RATE_HZ)
        before, after = np.abs(sound[max(at - 96, 0) : at]), np.abs(sound[at : at + 96])
        assert before.max(initial=0.0) < 0.002
        assert after.max() > 0.05


def test_no_two_hits_are_alike() -> None:
    sound = played(KNOCKS, 1.0, 3.0)
    takes = [sound[at : at + 4800] for at in (to_samples(hit.time_s - 1.0, RATE_HZ) for hit in KNOCKS.hits)]
    for k, one in enumerate(takes):
        for other in takes[k + 1 :]:
            likeness = float(np.dot(one, other) / np.sqrt(np.dot(one, one) * np.dot(other, other)))
            assert likeness < 0.98


def test_a_hit_stays_as_it_is_when_another_is_taken_out() -> None:
    fewer = replace(KNOCKS, hits=KNOCKS.hits[1:])
    first = to_samples(0.5, RATE_HZ)
    assert np.array_equal(played(KNOCKS, 1.0, 3.0)[first:], played(fewer, 1.0, 3.0)[first:])


def test_strength_is_heard() -> None:
    loud, soft = (played(replace(KNOCKS, hits=(Hit(1.0, strength),)), 1.0, 1.0) for strength in (1.0, 0.3))
    assert np.abs(soft).max() < 0.45 * np.abs(loud).max()


def test_ringing_hits_add_up_and_stay_below_full_scale() -> None:
    many = replace(KNOCKS, recipe="anvil", hits=tuple(Hit(1.0 + 0.02 * k) for k in range(40)))
    sound = played(many, 1.0, 3.0)
    assert np.abs(sound).max() <= 1.0


def test_a_curve_shapes_the_level() -> None:
    curve = (CurvePoint(1.0, 0.0), CurvePoint(3.0, 1.0))
    sound = played(replace(RUSTLE, curve=curve), 1.0, 2.0)
    quarters = [float(np.sqrt(np.mean(part**2))) for part in np.split(sound, 4)]
    assert quarters == sorted(quarters)
    assert quarters[3] > 4 * quarters[0]


def test_what_goes_on_is_silent_outside_its_event() -> None:
    sound = played(RUSTLE, 0.5, 3.0)
    assert np.abs(sound[: to_samples(0.5, RATE_HZ)]).max() < 1e-3
    assert np.abs(sound[to_samples(2.5, RATE_HZ) + 480 :]).max() < 1e-2
    assert np.abs(sound[RATE_HZ : 2 * RATE_HZ]).max() > 0.05


def test_a_series_of_hits_follows_its_curve_and_is_the_same_in_every_window() -> None:
    curve = (CurvePoint(0.0, 1.0), CurvePoint(5.0, 1.0), CurvePoint(5.01, 0.0), CurvePoint(10.0, 0.0))
    typing = replace(RUSTLE, start_s=0.0, end_s=10.0, recipe="key_press", curve=curve)
    whole = played(typing, 0.0, 10.0)
    assert np.abs(whole[: 5 * RATE_HZ]).max() > 0.1
    assert not whole[6 * RATE_HZ :].any()
    later = played(typing, 2.0, 3.0)
    assert np.array_equal(whole[2 * RATE_HZ + 30_000 : 4 * RATE_HZ], later[30_000 : 2 * RATE_HZ])


def test_hits_cannot_be_made_of_what_goes_on() -> None:
    event = replace(KNOCKS, recipe="cloth_move")
    assert not build().suits(event)
    with pytest.raises(GenerationError, match="cloth_move"):
        played(event, 1.0, 1.0)


@pytest.mark.parametrize("recipe", ["", "no_such_recipe"])
def test_an_event_without_a_recipe_does_not_suit(recipe: str) -> None:
    event = replace(KNOCKS, recipe=recipe)
    assert not build().suits(event)
    with pytest.raises(GenerationError, match="recipe"):
        played(event, 1.0, 1.0)


def test_a_parameter_that_a_recipe_refuses_names_event_and_recipe() -> None:
    with pytest.raises(GenerationError, match=r"e01-knock.*step_wood.*shoe"):
        played(replace(KNOCKS, recipe="step_wood", parameters={"shoe": "ski"}), 1.0, 1.0)


def test_margins_are_the_recipes_own() -> None:
    assert build().margins_s(replace(KNOCKS, recipe="anvil")) == (0.0, 3.0)
    assert build().margins_s(RUSTLE) == (0.0, 0.0)
