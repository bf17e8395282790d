"""What solid things sound like, and how the embedded generator plays them."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import signal

from foley.contracts import SoundRequest
from foley.errors import GenerationError
from foley.model import CurvePoint, Hit, SoundEvent
from foley.render.generators.procedural import build
from foley.synth.contacts import SIZES, clatter, come_down, flurry, size_of, takes_of
from foley.synth.finish import character
from foley.synth.materials import GLASS, MATERIALS, STEEL, WOOD, body, struck
from foley.synth.recipe import Mono, recipes
from foley.synth.resonators import ring_modes, ring_takes
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


def average(measure, recipe: str, strength: float = 1.0, *, seeds: int = 4, **parameters: float | str) -> float:
    sounds = (recipes()[recipe].make(np.random.default_rng(seed), strength, **parameters) for seed in range(seeds))
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
    ["hit_wood", "hit_metal", "hit_glass", "hit_stone", "anvil", "hammer_nail", "soft_thump", "cutlery", "keys"],
)
def test_a_harder_blow_is_brighter(recipe: str) -> None:
    centroids_hz = [average(centroid_hz, recipe, strength) for strength in (0.15, 0.5, 1.0)]
    assert centroids_hz[0] < centroids_hz[1] < centroids_hz[2]


def test_metal_rings_longer_than_wood_and_wood_longer_than_stone() -> None:
    anvil_s, metal_s, wood_s, stone_s = (
        average(fall_s, name, seeds=24) for name in ("anvil", "hit_metal", "hit_wood", "hit_stone")
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


# --- objects ---------------------------------------------------------------------------------------------------------


def made(recipe: str, strength: float = 1.0, *, seed: int = 1, **parameters: float | str) -> Mono:
    return np.asarray(recipes()[recipe].make(np.random.default_rng(seed), strength, **parameters))


def went_on(recipe: str, level: float, duration_s: float = 4.0, **parameters: float | str) -> Mono:
    intensity = np.full(to_samples(duration_s, RATE_HZ), level, np.float32)
    return np.asarray(recipes()[recipe].make(np.random.default_rng(1), intensity, **parameters))


def contacts_s(sound: np.ndarray) -> np.ndarray:
    """Return when something touches: where what lies above 1.5 kHz rises by 6 dB within 2 ms, at most once in 8 ms."""
    high = signal.sosfilt(signal.butter(2, 1500.0, "high", fs=RATE_HZ, output="sos"), np.pad(sound, (960, 96)))
    level = np.sqrt(np.convolve(high**2, np.ones(144) / 144, "same"))[::48]
    level_db = 20.0 * np.log10(level / level.max() + 1e-3)
    rise_db = level_db - np.maximum(np.roll(level_db, 4), np.roll(level_db, 6))
    at = signal.find_peaks(np.where(level_db > -38.0, rise_db, 0.0), height=6.0, distance=8)[0]
    return np.asarray((at - 20) / 1000.0)


def middle_hz(sound: np.ndarray) -> float:
    """Return the frequency with as much energy below as above."""
    energy = np.cumsum(np.abs(np.fft.rfft(sound, RATE_HZ)) ** 2)
    return float(np.searchsorted(energy, 0.5 * energy[-1]))


def octave_levels_db(sound: np.ndarray) -> np.ndarray:
    power = np.abs(np.fft.rfft(sound, RATE_HZ)) ** 2
    bands = np.array([power[low : 2 * low].sum() for low in (150, 300, 600, 1200, 2400, 4800)])
    return np.asarray(10.0 * np.log10(bands / bands.sum() + 1e-9))


MATERIAL_HITS = (
    "wood",
    "hollow_wood",
    "metal",
    "sheet_metal",
    "glass",
    "ceramic",
    "stone",
    "plastic",
    "rubber",
    "cardboard",
)


@pytest.mark.parametrize("material", MATERIAL_HITS)
def test_a_small_thing_is_higher_than_a_large_one_of_its_kind(material: str) -> None:
    small_hz, large_hz = (
        np.mean([middle_hz(made(f"hit_{material}", size=size, variant=str(k), seed=k)) for k in range(6)])
        for size in ("small", "large")
    )
    assert small_hz > 1.1 * large_hz


@pytest.mark.parametrize("material", ["wood", "metal", "ceramic"])
def test_the_softer_the_striker_the_darker_the_blow(material: str) -> None:
    centroids_hz = [average(centroid_hz, f"hit_{material}", striker=one) for one in ("hammer", "mallet", "felt")]
    assert centroids_hz == sorted(centroids_hz, reverse=True)


def test_rubber_and_cardboard_do_not_ring() -> None:
    assert max(average(fall_s, "hit_rubber"), average(fall_s, "hit_cardboard")) < 0.6 * average(fall_s, "hit_metal")


@pytest.mark.parametrize("recipe", ["hit_wood", "hit_metal", "hit_plastic"])
def test_objects_differ_more_than_blows_on_one_object(recipe: str) -> None:
    one = [octave_levels_db(made(recipe, seed=seed, variant="a")) for seed in range(6)]
    others = [octave_levels_db(made(recipe, seed=seed, variant=str(seed))) for seed in range(6)]
    assert np.std(others, axis=0).mean() > 1.3 * np.std(one, axis=0).mean()


@pytest.mark.parametrize(
    ("recipe", "parameters", "message"),
    [
        ("hit_wood", {"size": "huge"}, "size"),
        ("hit_wood", {"size": 1.5}, "size"),
        ("hit_metal", {"striker": "feather"}, "striker must be one of hammer"),
        ("coins", {"action": "eat"}, "action must be one of drop"),
        ("drop", {"surface": "lava"}, "surface must be one of wood"),
        ("bottle_open", {"kind": "barrel"}, "kind must be one of cork"),
        ("knife_chop", {"food": "air"}, "food must be one of crisp"),
        ("bell", {"kind": "door"}, "kind must be one of church"),
        ("keys", {"count": 400}, "count"),
    ],
)
def test_what_a_recipe_cannot_do_is_refused(recipe: str, parameters: dict[str, float | str], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        made(recipe, **parameters)


def test_a_dropped_thing_bounces_on_stone_and_stays_on_a_carpet() -> None:
    stone, carpet = (
        np.mean([len(contacts_s(made("drop", seed=seed, bounce=1.0, surface=ground))) for seed in range(5)])
        for ground in ("stone", "carpet")
    )
    assert stone > carpet + 1


def test_a_large_bunch_of_keys_touches_more_often_than_two_keys() -> None:
    few, many = (
        np.mean([len(contacts_s(made("keys", seed=seed, count=count))) for seed in range(5)]) for count in (2, 15)
    )
    assert many > few + 2
    assert many > 8


def test_a_coin_that_spins_down_touches_ever_faster() -> None:
    times_s = contacts_s(made("coins", action="spin"))
    gaps_s = np.diff(times_s)
    assert len(gaps_s) > 25
    assert np.median(gaps_s[20:28]) < 0.85 * np.median(gaps_s[:8])


def test_a_church_bell_hums_an_octave_below_its_note_long_after_its_upper_partials() -> None:
    sound = made("bell", kind="church", variant=3)
    late = np.abs(np.fft.rfft(sound[3 * RATE_HZ : 5 * RATE_HZ] * np.hanning(2 * RATE_HZ)))
    early = np.abs(np.fft.rfft(sound[: 2 * RATE_HZ] * np.hanning(2 * RATE_HZ)))
    hum_hz, above = np.argmax(late[200:2000]) / 2 + 100, slice(4000, 16_000)
    assert early[above].max() / early.max() > 5 * late[above].max() / late.max()
    assert hum_hz < 400.0


def test_a_triangle_rings_on_and_a_jingle_bell_does_not() -> None:
    triangle_s, jingle_s = (average(fall_s, "small_bell", kind=kind) for kind in ("triangle", "jingle"))
    assert triangle_s > 1.5 * jingle_s


def test_a_full_glass_clinks_lower_than_an_empty_one() -> None:
    empty_hz, full_hz = (average(middle_hz, "glass_clink", fill=fill) for fill in (0.0, 1.0))
    assert full_hz < 0.9 * empty_hz


# --- breaking and falling --------------------------------------------------------------------------------------------


def test_glass_goes_on_falling_when_a_snapped_stick_is_silent() -> None:
    assert average(fall_s, "glass_shatter") > 0.25 > average(fall_s, "wood_crack")


def test_a_tree_is_loudest_when_it_meets_the_ground() -> None:
    recipe = recipes()["tree_fall"]
    for seed in range(3):
        sound = np.abs(made("tree_fall", seed=seed))
        contact = to_samples(recipe.lead_s, RATE_HZ)
        assert sound[contact : contact + 2400].max() == sound.max()
        assert 0.02 * sound.max() < sound[:contact].max() < 0.6 * sound.max()


def test_a_house_that_falls_rumbles_longer_and_lower_than_a_wall() -> None:
    wall, house = (made("collapse", size=size) for size in (0.0, 1.0))
    assert len(house) > 1.3 * len(wall)
    assert fall_s(house) > fall_s(wall)


def test_a_car_crash_is_many_blows_within_a_fifth_of_a_second() -> None:
    sound = made("car_crash")
    energy = np.cumsum(np.asarray(sound, np.float64) ** 2)
    assert energy[to_samples(0.25, RATE_HZ)] > 0.7 * energy[-1]
    assert octave_levels_db(sound)[0] > -15.0


# --- kitchen ---------------------------------------------------------------------------------------------------------


def test_a_can_hisses_and_a_cork_pops() -> None:
    can_hz, cork_hz = (average(centroid_hz, "bottle_open", kind=kind) for kind in ("can", "cork"))
    assert can_hz > 2 * cork_hz
    pop = made("bottle_open", kind="cork")
    assert 250 < 10 * np.argmax(np.abs(np.fft.rfft(pop, RATE_HZ // 10))) < 900


def test_celery_is_crisper_than_a_tomato() -> None:
    assert average(centroid_hz, "slice", food="crisp") > 1.5 * average(centroid_hz, "slice", food="soft")


def test_a_brisk_whisk_strokes_four_to_five_times_a_second() -> None:
    loudness = np.abs(went_on("whisk", 1.0, 8.0)).reshape(-1, 480).mean(1)
    modulation = np.abs(np.fft.rfft((loudness - loudness.mean()) * np.hanning(len(loudness))))
    rate_hz = np.argmax(modulation[12:120]) / 8.0 + 1.5
    assert 4.0 < rate_hz < 6.0


def test_a_brisk_spoon_knocks_more_often_than_a_slow_one() -> None:
    slow, brisk = (len(contacts_s(went_on("stir", level, vessel="glass"))) for level in (0.15, 1.0))
    assert brisk > 1.4 * slow


# --- contacts --------------------------------------------------------------------------------------------------------


def test_takes_of_a_bank_are_what_the_bank_itself_gives() -> None:
    f, t60 = np.array([700.0, 1900.0]), np.array([0.3, 0.1])
    amplitudes = np.array([[1.0, 0.5], [0.2, 0.8]], np.complex128)
    takes = ring_takes(f, t60, amplitudes, length=3000)
    for take, row in zip(takes, amplitudes.real, strict=True):
        assert take == pytest.approx(ring_modes(f, t60, row, 3000), abs=2e-3)


def test_takes_peak_at_one_and_differ() -> None:
    takes = takes_of(np.random.default_rng(1), body(character("cup", 1), GLASS), 0.8, count=4, longest_s=0.3)
    assert [float(np.abs(take).max()) for take in takes] == pytest.approx([1.0] * 4)
    assert abs(np.corrcoef(takes)[np.triu_indices(4, 1)]).max() < 0.99


def test_contacts_lie_where_they_are_put() -> None:
    sound = clatter(np.random.default_rng(1), [np.ones(10)], np.array([0.0, 0.01]), levels=np.array([1.0, 0.5]))
    assert np.nonzero(np.diff(sound, prepend=0.0, append=0.0))[0].tolist() == [0, 10, 480, 490]


def test_what_is_struck_loosely_comes_down_again_and_softer() -> None:
    blow = np.zeros(100)
    blow[0] = 1.0
    again = come_down(np.random.default_rng(2), blow, 1.0)
    assert np.array_equal(come_down(np.random.default_rng(2), blow, 0.0), blow)
    assert 0.0 < np.abs(again[100:]).max() < 1.0


@given(st.integers(1, 80), st.integers(0, 1000))
def test_a_flurry_begins_with_its_strongest_contact(count: int, seed: int) -> None:
    times_s, levels = flurry(np.random.default_rng(seed), count, 0.1)
    assert len(times_s) == len(levels) == count
    assert times_s[0] == 0.0
    assert (np.diff(times_s) >= 0.0).all()
    assert levels[0] == 1.0 == levels.max()


def test_sizes_have_words() -> None:
    assert [size_of(word) for word in ("small", "medium", "large")] == sorted(SIZES.values())
    assert size_of("0.3") == 0.3


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
