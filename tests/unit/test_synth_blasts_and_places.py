"""Guns, fireworks, small fires, electricity, places: what is true of each, measured on the sound itself."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from foley.synth import places
from foley.synth.blast import echo_course
from foley.synth.moving import Layer, at_frames, frames_in, layered, lively, whistle
from foley.synth.recipe import HitRecipe, recipes
from foley.synth.recipes.guns import GUNS, HANDLINGS, SPACES
from foley.synth.textures import control_times_s, spectrum
from foley.units import RATE_HZ

WHITE = spectrum({20: 0.0, 20_000: 0.0})


def texture(
    name: str, level: float = 1.0, seed: int = 1, seconds: float = 5.0, **parameters: float | str
) -> np.ndarray:
    intensity = np.full(round(seconds * RATE_HZ), level, np.float32)
    return recipes()[name].make(np.random.default_rng(seed), intensity, **parameters).astype(np.float64)


def hit(name: str, strength: float = 1.0, seed: int = 1, **parameters: float | str) -> np.ndarray:
    recipe = recipes()[name]
    assert isinstance(recipe, HitRecipe)
    return recipe.make(np.random.default_rng(seed), strength, **parameters).astype(np.float64)


def power_between(sound: np.ndarray, low_hz: float, high_hz: float) -> float:
    power = np.abs(np.fft.rfft(sound)) ** 2
    hz = np.fft.rfftfreq(len(sound), 1 / RATE_HZ)
    return float(power[(hz >= low_hz) & (hz < high_hz)].sum()) / len(sound)


def db(ratio: float) -> float:
    return float(10 * np.log10(ratio))


def centroid_hz(sound: np.ndarray) -> float:
    power = np.abs(np.fft.rfft(sound)) ** 2
    return float((np.fft.rfftfreq(len(sound), 1 / RATE_HZ) * power).sum() / power.sum())


def loudest_hz(sound: np.ndarray, low_hz: float, high_hz: float) -> float:
    power = np.abs(np.fft.rfft(sound)) ** 2
    hz = np.fft.rfftfreq(len(sound), 1 / RATE_HZ)
    inside = (hz >= low_hz) & (hz < high_hz)
    return float(hz[inside][np.argmax(power[inside])])


def envelope(sound: np.ndarray, block: int = 480) -> np.ndarray:
    return np.sqrt(np.mean(sound[: len(sound) // block * block].reshape(-1, block) ** 2, axis=1))


def energy_decay_s(sound: np.ndarray, drop_db: float) -> float:
    left = np.cumsum(sound[::-1] ** 2)[::-1]
    return float(np.argmax(left < 10 ** (-drop_db / 10) * left[0])) / RATE_HZ


# --- noise that moves ------------------------------------------------------------------------------------------------


def test_a_layer_is_as_loud_as_it_says_and_powers_add() -> None:
    count = 4 * RATE_HZ
    one = layered(np.random.default_rng(1), count, [Layer(WHITE, 0.5)])
    two = layered(np.random.default_rng(1), count, [Layer(WHITE, 0.5), Layer(WHITE, 0.5)])
    assert one.std() == pytest.approx(0.5, rel=0.02)
    assert two.std() == pytest.approx(0.5 * np.sqrt(2), rel=0.02)


def test_layered_noise_is_there_from_its_first_sample() -> None:
    starts = [layered(np.random.default_rng(seed), 4800, [Layer(WHITE)])[:48] for seed in range(40)]
    assert np.std(starts) == pytest.approx(1.0, rel=0.1)


def test_the_bands_of_lively_noise_meet_without_a_gap() -> None:
    sound = layered(np.random.default_rng(2), 20 * RATE_HZ, lively(np.random.default_rng(3), 20 * RATE_HZ, WHITE, 0.0))
    for edge_hz in (250.0, 1200.0, 4500.0):
        at, below = (power_between(sound, hz - 20, hz + 20) for hz in (edge_hz, 0.8 * edge_hz))
        assert db(at / below) == pytest.approx(0.0, abs=1.5)


@given(samples=st.integers(1, 9000))
@settings(max_examples=25)
def test_layered_noise_has_the_length_it_was_asked_for(samples: int) -> None:
    assert layered(np.random.default_rng(1), samples, [Layer(WHITE)]).shape == (samples,)
    assert len(at_frames(np.ones(samples, np.float32))) == frames_in(samples)


def test_a_whistle_follows_its_curve_at_rms_1() -> None:
    count = 8 * RATE_HZ
    hz = np.linspace(500.0, 2000.0, len(control_times_s(count)))
    sound = whistle(np.random.default_rng(1), count, hz, 12.0)
    assert sound.std() == pytest.approx(1.0, rel=0.15)
    assert loudest_hz(sound[: RATE_HZ // 2], 100, 5000) == pytest.approx(550, abs=90)
    assert loudest_hz(sound[-RATE_HZ // 2 :], 100, 5000) == pytest.approx(1950, abs=90)


# --- guns ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("gun", GUNS)
@pytest.mark.parametrize("space", SPACES)
def test_every_gun_in_every_space_is_loudest_at_once(gun: str, space: str) -> None:
    sound = hit("gunshot", gun=gun, space=space)
    assert np.argmax(envelope(sound, 1440)) <= 2
    assert np.abs(sound).max() == pytest.approx(0.5, rel=0.01)


def test_a_shot_keeps_its_air_above_10_khz() -> None:
    shares_db = []
    for seed in range(8):
        sound = hit("gunshot", seed=seed, distance_m=5.0)
        shares_db.append(db(power_between(sound, 10e3, 14e3) / power_between(sound, 5e3, 10e3)))
    assert -9.0 < float(np.median(shares_db)) < -1.0, "recorded shots: -4 dB"


def test_a_shotgun_is_deeper_than_a_pistol() -> None:
    def bass_share(gun: str) -> float:
        sounds = [hit("gunshot", gun=gun, seed=seed) for seed in range(24)]
        return float(np.median([power_between(s, 60, 300) / power_between(s, 1000, 6000) for s in sounds]))

    assert bass_share("shotgun") > 1.4 * bass_share("pistol")


def test_a_hall_rings_longer_than_a_room() -> None:
    assert energy_decay_s(hit("gunshot", space="hall"), 20) > 1.5 * energy_decay_s(hit("gunshot", space="indoor"), 20)


def test_an_echo_has_no_edge_and_comes_after_its_nearest_part() -> None:
    times_s = np.linspace(0, 2, 400)
    course = echo_course(times_s, 0.3)
    assert course[times_s < 0.3].max() == 0.0
    assert times_s[np.argmax(course)] == pytest.approx(0.4, abs=0.01)
    assert course.max() == pytest.approx(1.0, abs=0.01)


@pytest.mark.parametrize("action", HANDLINGS)
def test_a_weapon_in_the_hand_clacks_when_its_parts_stop(action: str) -> None:
    levels = envelope(hit("gun_handling", action=action), 240)
    loudest_s = float(np.argmax(levels)) * 240 / RATE_HZ
    assert any(abs(loudest_s - 1.02 * at_s) < 0.13 * at_s + 0.012 for at_s, _, _ in HANDLINGS[action].clacks)
    assert levels[:3].max() > 0.05 * levels.max()


def test_racking_a_slide_takes_longer_than_a_safety() -> None:
    assert energy_decay_s(hit("gun_handling", action="slide"), 10) > 0.2
    assert energy_decay_s(hit("gun_handling", action="safety"), 10) < 0.06


# --- explosions, fireworks -------------------------------------------------------------------------------------------


def test_explosions_are_dark_as_recorded_ones_are() -> None:
    tilts_db = []
    for seed in range(6):
        start = hit("explosion", seed=seed)[: round(0.08 * RATE_HZ)]
        tilts_db.append(db(power_between(start, 4000, 6000) / power_between(start, 250, 500)))
    assert -28.0 < float(np.median(tilts_db)) < -12.0


def test_debris_comes_down_after_the_bang() -> None:
    # from half a second on, where the roar has lost its treble
    with_debris, without = (hit("explosion", debris=debris, distance_m=15.0)[RATE_HZ // 2 :] for debris in (1.0, 0.0))
    assert power_between(with_debris, 2000, 8000) > 3 * power_between(without, 2000, 8000)


def test_a_valley_rolls_a_cannon_back() -> None:
    def late_share(echo: float) -> float:
        sound = hit("cannon", echo=echo)
        return float((sound[RATE_HZ // 2 :] ** 2).sum() / (sound**2).sum())

    assert late_share(1.0) > 2 * late_share(0.0)


def test_a_large_balloon_is_duller_than_a_small_one() -> None:
    assert centroid_hz(hit("balloon_pop", size=1.0)) < 0.7 * centroid_hz(hit("balloon_pop", size=0.0))


def test_the_shriek_of_a_firework_sinks_as_it_climbs() -> None:
    sound = hit("firework_launch", shriek=1.0)
    early, late = sound[RATE_HZ // 10 : RATE_HZ // 3], sound[round(0.8 * RATE_HZ) : RATE_HZ]
    assert loudest_hz(late, 1200, 4500) < 0.92 * loudest_hz(early, 1200, 4500)


def test_a_fuse_sets_off_as_many_crackers_as_it_has() -> None:
    def bangs(count: int) -> int:
        steps = np.diff(np.log(envelope(hit("firecrackers", count=count), 240) + 1e-5))
        return 1 + int((steps[1:] > 1.0).sum())

    assert bangs(1) == 1
    assert 4 <= bangs(8) <= 8, "some fall together"


def test_a_near_rocket_crackles() -> None:
    def skewness(distance_m: float) -> float:
        sound = texture("rocket", distance_m=distance_m)
        return float(np.mean(sound**3) / sound.std() ** 3)

    assert skewness(50.0) > 0.15 > abs(skewness(5000.0))


# --- fire and electricity --------------------------------------------------------------------------------------------


def test_a_candle_flutters_and_a_blow_torch_does_not() -> None:
    def flutter(gas: float) -> float:
        levels = envelope(texture("flame", gas=gas), 2400)
        return float(levels.std() / levels.mean())

    assert flutter(0.0) > 3 * flutter(1.0)


def test_a_match_is_rubbed_before_it_flares() -> None:
    sound = hit("match_strike", kind="match")
    t_s = np.arange(len(sound)) / RATE_HZ
    rub, flare = sound[t_s < 0.06], sound[(t_s > 0.12) & (t_s < 0.4)]
    assert centroid_hz(rub) > 2 * centroid_hz(flare)


def test_gas_catches_with_a_thump_and_a_match_without() -> None:
    def bass_share(kind: str) -> float:
        sound = hit("match_strike", kind=kind)
        return power_between(sound, 50, 160) / power_between(sound, 500, 8000)

    assert bass_share("gas") > 5 * bass_share("match")


@pytest.mark.parametrize("mains_hz", [50.0, 60.0])
def test_a_transformer_hums_at_twice_the_mains(mains_hz: float) -> None:
    for variant in range(4):
        sound = texture("electric_hum", buzz=0.0, mains_hz=mains_hz, variant=variant)
        assert loudest_hz(sound, 30, 2000) == pytest.approx(2 * mains_hz, abs=1.0)


def test_a_welding_arc_strikes_in_each_half_wave() -> None:
    power = texture("electric_arc", steady=1.0) ** 2
    swing = np.convolve(power, np.ones(48) / 48, "same")
    assert loudest_hz(swing - swing.mean(), 60, 170) in (pytest.approx(100, abs=1), pytest.approx(120, abs=1))


# --- gas under pressure ----------------------------------------------------------------------------------------------


def test_fine_nozzles_and_mists_hiss_higher() -> None:
    assert centroid_hz(texture("steam", nozzle_mm=1.0)) > 1.5 * centroid_hz(texture("steam", nozzle_mm=40.0))
    assert centroid_hz(texture("spray", fineness=1.0)) > 1.3 * centroid_hz(texture("spray", fineness=0.0))


def test_a_lorrys_brakes_blow_longer_and_duller_than_a_nail_gun() -> None:
    small, large = hit("pneumatic", size=0.0), hit("pneumatic", size=1.0)
    assert energy_decay_s(large, 20) > 1.5 * energy_decay_s(small, 20)
    assert centroid_hz(large) < 0.8 * centroid_hz(small)


def test_a_draught_sings_and_even_wind_does_not() -> None:
    def line_db(sound: np.ndarray) -> float:
        power = np.abs(np.fft.rfft(sound * np.hanning(len(sound)))) ** 2
        hz = np.fft.rfftfreq(len(sound), 1 / RATE_HZ)
        octave = np.convolve(power[(hz > 200) & (hz < 1500)], np.ones(40) / 40, "valid")  # 8 Hz wide
        return db(float(octave.max() / np.median(octave)))

    assert line_db(texture("draught")) > line_db(texture("wind", howl=0.0)) + 8


# --- places ----------------------------------------------------------------------------------------------------------


def test_a_kitchen_hums_and_a_hall_does_not() -> None:
    def hum_db(name: str) -> float:
        sound = texture(name)
        lines = max(power_between(sound, hz - 1, hz + 1) for hz in (100, 120)) / 2
        return db(lines / (power_between(sound, 80, 140) / 60))

    assert hum_db("tone_kitchen") > hum_db("tone_hall") + 6


@pytest.mark.parametrize("name", ["amb_forest", "amb_garden"])
def test_birds_sing_where_they_are_asked_to(name: str) -> None:
    silent, singing = (power_between(texture(name, song=song, seconds=10), 2000, 6000) for song in (0.0, 1.0))
    assert singing > 1.5 * silent


def test_kept_birdsong_is_the_song_that_would_be_made_anew() -> None:
    first = texture("amb_forest", song=1.0)
    places._repertoire.cache_clear()
    assert np.array_equal(first, texture("amb_forest", song=1.0))


def test_people_are_heard_where_vowels_are() -> None:
    empty, full = (texture("amb_station", people=people, trains=0.0) for people in (0.0, 1.0))
    assert power_between(full, 400, 2000) > 3 * power_between(empty, 400, 2000)
    assert np.std(np.log(envelope(full, 4800))) > np.std(np.log(envelope(empty, 4800)))


def test_cars_come_and_go_in_a_street() -> None:
    levels = envelope(texture("amb_city", traffic_flow=1.0, seconds=20), 24_000)
    assert levels.max() > 1.4 * levels.min()


def test_a_shore_swells_with_its_waves() -> None:
    levels = envelope(texture("amb_seaside", gulls=0.0, seconds=20), 24_000)
    assert levels.max() > 2 * levels.min()


def test_insects_fill_the_night_above_2_khz() -> None:
    winter, summer = (power_between(texture("amb_night", insects=insects), 2000, 6000) for insects in (0.0, 1.0))
    assert summer > 4 * winter


@pytest.mark.parametrize(
    ("name", "parameter", "value"),
    [
        ("gunshot", "gun", "crossbow"),
        ("gunshot", "distance_m", 0.0),
        ("gun_handling", "action", "juggle"),
        ("explosion", "size", 2.0),
        ("thunder", "distance_m", -1.0),
        ("firecrackers", "count", 0),
        ("match_strike", "kind", "laser"),
        ("electric_hum", "mains_hz", 5.0),
        ("wind", "howl", 3.0),
        ("whoosh", "speed", "fast"),
        ("amb_city", "people", 1.5),
        ("amb_factory", "machines", -0.1),
    ],
)
def test_what_cannot_be_is_refused_by_name(name: str, parameter: str, value: float | str) -> None:
    make, settings_ = recipes()[name], {parameter: value}
    with pytest.raises(ValueError, match=parameter):
        make.make(
            np.random.default_rng(1), 1.0 if isinstance(make, HitRecipe) else np.ones(100, np.float32), **settings_
        )
