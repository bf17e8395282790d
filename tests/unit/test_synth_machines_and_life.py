"""Engines, machines, animals, people and places against their own mechanics and against recordings' figures."""

import numpy as np
import pytest

from foley.synth.engines import ENGINES, firing_hz
from foley.synth.recipe import HitRecipe, recipes
from foley.synth.recipes import vehicles
from foley.synth.textures import erb_centres_hz
from foley.units import RATE_HZ

SECONDS = 5


def texture(name: str, level: float = 1.0, seed: int = 1, **parameters: float | str) -> np.ndarray:
    intensity = np.full(SECONDS * RATE_HZ, level, np.float32)
    return recipes()[name].make(np.random.default_rng(seed), intensity, **parameters)


def hit(name: str, strength: float = 1.0, seed: int = 1, **parameters: float | str) -> np.ndarray:
    recipe = recipes()[name]
    assert isinstance(recipe, HitRecipe)
    return recipe.make(np.random.default_rng(seed), strength, **parameters)


def rms(sound: np.ndarray) -> float:
    return float(np.sqrt(np.mean(np.square(sound, dtype=np.float64))))


def loudest_hz(sound: np.ndarray, low_hz: float, high_hz: float) -> float:
    power = np.abs(np.fft.rfft(sound * np.hanning(len(sound)))) ** 2
    power = np.convolve(power, np.ones(5), "same")
    hz = np.fft.rfftfreq(len(sound), 1 / RATE_HZ)
    inside = (hz > low_hz) & (hz < high_hz)
    return float(hz[inside][np.argmax(power[inside])])


def beat_hz(sound: np.ndarray, low_hz: float, high_hz: float) -> float:
    """Return how often the envelope swells."""
    envelope = np.abs(sound.astype(np.float64))
    envelope = envelope[: len(envelope) // 48 * 48].reshape(-1, 48).mean(axis=1)
    power = np.abs(np.fft.rfft((envelope - envelope.mean()) * np.hanning(len(envelope)))) ** 2
    hz = np.fft.rfftfreq(len(envelope), 48 / RATE_HZ)
    inside = (hz > low_hz) & (hz < high_hz)
    return float(hz[inside][np.argmax(power[inside])])


def centroid_hz(sound: np.ndarray) -> float:
    power = np.abs(np.fft.rfft(sound)) ** 2
    return float((np.fft.rfftfreq(len(sound), 1 / RATE_HZ) * power).sum() / power.sum())


# --- engines ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("level", [0.1, 0.5, 1.0])
def test_a_four_cylinder_engine_fires_twice_a_turn(level: float) -> None:
    car = ENGINES["car"]
    fires_hz = firing_hz(car.idle_rpm + level * (car.full_rpm - car.idle_rpm), 4)
    assert loudest_hz(texture("engine", level), 0.8 * fires_hz, 1.25 * fires_hz) == pytest.approx(fires_hz, rel=0.02)


def test_unequal_cylinders_give_the_half_orders() -> None:
    car = ENGINES["car"]
    power = np.abs(np.fft.rfft(texture("engine", 0.5))) ** 2
    hz = np.fft.rfftfreq(SECONDS * RATE_HZ, 1 / RATE_HZ)
    turn_hz = (car.idle_rpm + 0.5 * (car.full_rpm - car.idle_rpm)) / 60

    def order(number: float) -> float:
        return float(power[(hz > (number - 0.1) * turn_hz) & (hz < (number + 0.1) * turn_hz)].max())

    assert order(1.0) > 5 * order(1.25), "between the half orders there is only noise"


@pytest.mark.parametrize("kind", sorted(ENGINES))
def test_every_engine_climbs_with_intensity_and_has_its_level(kind: str) -> None:
    assert rms(texture("engine", kind=kind)) == pytest.approx(0.1, rel=0.25)
    assert rms(texture("engine", 0.2, kind=kind)) < 0.7 * rms(texture("engine", kind=kind))


def test_an_engine_needs_a_kind_that_exists() -> None:
    with pytest.raises(ValueError, match="kind must be one of car"):
        texture("engine", kind="horse")


def test_a_car_that_comes_nearer_sounds_higher_than_one_that_leaves(monkeypatch: pytest.MonkeyPatch) -> None:
    speeds_rpm = []

    def still(rng: np.random.Generator, *_: object, rpm: np.ndarray, samples: int) -> np.ndarray:
        speeds_rpm.append(float(np.median(rpm)))
        return np.zeros(samples)

    monkeypatch.setattr(vehicles, "exhaust", still)
    distance_m = vehicles.NEAREST_M + 30.0 * np.linspace(2.0, 0.0, 2 * RATE_HZ)
    coming = np.asarray(vehicles.NEAREST_M / distance_m, np.float32)
    for intensity in (coming, coming[::-1].copy()):
        recipes()["car_pass"].make(np.random.default_rng(1), intensity, speed_m_s=40.0)
    doppler = (343.0 + 30.0) / (343.0 - 30.0)
    assert speeds_rpm[0] / speeds_rpm[1] == pytest.approx(doppler, rel=0.01)


@pytest.mark.parametrize("blade_hz", [11.0, 20.0])
def test_blades_pass_as_often_as_asked(blade_hz: float) -> None:
    sound = texture("helicopter", blade_hz=blade_hz)
    assert loudest_hz(sound, 0.7 * blade_hz, 1.6 * blade_hz) == pytest.approx(blade_hz, rel=0.03)
    power = np.abs(np.fft.rfft(sound)) ** 2
    hz = np.fft.rfftfreq(len(sound), 1 / RATE_HZ)
    on = power[np.abs(hz - 3 * blade_hz) < 0.05 * blade_hz].max()
    off = power[np.abs(hz - 3.5 * blade_hz) < 0.05 * blade_hz].max()
    assert on > 3 * off


def test_axles_clack_over_every_rail() -> None:
    sound = texture("train", speed_m_s=50.0, joints=4.0, squeal=0.0)
    assert beat_hz(sound, 1.5, 2.6) == pytest.approx(50.0 / 25.0, rel=0.08)


def test_a_jets_fan_climbs_with_thrust() -> None:
    assert loudest_hz(texture("jet", 1.0), 1900, 4000) > 1.2 * loudest_hz(texture("jet", 0.3), 1200, 3000)


# --- machines --------------------------------------------------------------------------------------------------------


def test_a_clock_beats_as_often_as_asked() -> None:
    sound = texture("clock", beats_hz=4.0)
    assert beat_hz(sound, 3.0, 5.0) == pytest.approx(4.0, rel=0.03)


def test_a_chainsaw_fires_at_every_turn() -> None:
    assert loudest_hz(texture("chainsaw", 1.0), 110, 170) == pytest.approx(8500 / 60, rel=0.08)
    assert loudest_hz(texture("chainsaw", 0.05), 35, 75) == pytest.approx((2900 + 0.05 * 5600) / 60, rel=0.1)


def test_a_motor_reaches_its_speed_at_full_intensity() -> None:
    fast, slow = texture("motor", 1.0, harsh=0.2), texture("motor", 0.25, harsh=0.2)
    assert centroid_hz(fast) > centroid_hz(slow)
    assert loudest_hz(fast, 42, 58) == pytest.approx(50.0, rel=0.03)


def test_a_ship_hums_deep() -> None:
    power = np.abs(np.fft.rfft(texture("hum_ship"))) ** 2
    hz = np.fft.rfftfreq(SECONDS * RATE_HZ, 1 / RATE_HZ)
    assert power[hz < 400].sum() > 0.9 * power.sum()


@pytest.mark.parametrize("kind", ["car", "truck", "motorcycle", "mower"])
def test_no_two_firings_of_an_engine_are_alike(kind: str) -> None:
    sound = texture("engine", 0.1, kind=kind).astype(np.float64)
    cycle = round(RATE_HZ * 60 / (ENGINES[kind].idle_rpm + 0.1 * (ENGINES[kind].full_rpm - ENGINES[kind].idle_rpm)) * 2)
    here, next_cycle = sound[: -4 * cycle], sound[cycle : -3 * cycle]
    assert abs(np.dot(here, next_cycle)) < 0.6 * np.dot(here, here), "a rotor repeats itself, an engine does not"


def test_an_engine_idles_less_evenly_than_it_runs() -> None:
    def spread(level: float) -> float:
        sound = np.square(texture("engine", level).astype(np.float64))
        blocks = np.sqrt(sound[: len(sound) // 4800 * 4800].reshape(-1, 4800).mean(axis=1))
        return float(blocks.std() / blocks.mean())

    assert spread(0.05) > spread(0.9)


@pytest.mark.parametrize(("kind", "blade_passes"), [("small", 660.0), ("large", 330.0)])
def test_a_drones_rotors_are_near_each_other_but_never_together(kind: str, blade_passes: float) -> None:
    sound = texture("drone", kind=kind)
    power = np.abs(np.fft.rfft(sound)) ** 2
    hz = np.fft.rfftfreq(len(sound), 1 / RATE_HZ)
    inside = (hz > 0.85 * blade_passes) & (hz < 1.15 * blade_passes)
    middle = np.average(hz[inside], weights=power[inside])
    spread = np.sqrt(np.average((hz[inside] - middle) ** 2, weights=power[inside]))
    assert middle == pytest.approx(blade_passes, rel=0.06)
    assert 0.008 < spread / middle < 0.08


def test_two_propellers_beat_with_each_other() -> None:
    def slow_swell(engines: float) -> float:
        sounds = [np.square(texture("propeller", seed=seed, engines=engines).astype(np.float64)) for seed in range(6)]
        blocks = [np.sqrt(each[: len(each) // 2400 * 2400].reshape(-1, 2400).mean(axis=1)) for each in sounds]
        return float(np.mean([block.std() / block.mean() for block in blocks]))

    assert slow_swell(2.0) > slow_swell(1.0)


def test_a_wet_road_hisses_and_a_snowy_one_is_muffled() -> None:
    dry, wet, snow = (centroid_hz(texture("tyres", surface=surface)) for surface in ("dry", "wet", "snow"))
    assert snow < dry < wet


def test_a_steam_engine_chuffs_four_times_a_turn() -> None:
    sound = texture("train", kind="steam", speed_m_s=10.0, joints=0.0, squeal=0.0)
    assert beat_hz(sound, 6.5, 12.0) == pytest.approx(4 * 10.0 / 5.0, rel=0.05)


def test_skidding_tyres_squeal_on_asphalt_and_plough_through_gravel() -> None:
    def tonal(surface: str) -> float:
        power = np.abs(np.fft.rfft(texture("skid", surface=surface))) ** 2
        hz = np.fft.rfftfreq(SECONDS * RATE_HZ, 1 / RATE_HZ)
        inside = np.sort(power[(hz > 400) & (hz < 1200)])
        return float(inside[-len(inside) // 20 :].sum() / inside.sum())

    assert tonal("asphalt") > 1.3 * tonal("gravel")


# --- signals ---------------------------------------------------------------------------------------------------------


def test_a_car_horn_sounds_two_notes_a_third_apart() -> None:
    sound = hit("horn", duration_s=1.0)
    low, high = loudest_hz(sound, 350, 450), loudest_hz(sound, 455, 560)
    assert 1.15 < high / low < 1.3


def test_larger_horns_are_lower() -> None:
    pitches = [centroid_hz(hit("horn", kind=kind, duration_s=1.5)) for kind in ("ship", "truck", "car")]
    assert pitches == sorted(pitches)


def test_a_siren_sweeps_its_whole_range_and_a_two_tone_horn_stands_on_two() -> None:
    def pitches_hz(kind: str) -> np.ndarray:
        sound = recipes()["siren"].make(np.random.default_rng(2), np.ones(10 * RATE_HZ, np.float32), kind=kind)
        return np.array(
            [loudest_hz(part, 350, 1600 if kind == "wail" else 650) for part in np.split(sound[: 8 * RATE_HZ], 40)]
        )

    assert np.ptp(pitches_hz("wail")) > 500
    tones = pitches_hz("two_tone")
    assert np.mean(np.abs(tones / np.median(tones[tones < 500]) - 1) < 0.06) > 0.3
    assert np.quantile(tones, 0.9) / np.quantile(tones, 0.1) == pytest.approx(580 / 435, rel=0.1)


@pytest.mark.parametrize(("kind", "beeps"), [("alarm_clock", 4), ("smoke", 3), ("microwave", 1)])
def test_a_device_beeps_as_often_as_it_does(kind: str, beeps: int) -> None:
    envelope = np.abs(hit("beep", kind=kind)[: 124 * RATE_HZ // 48 // 1 * 48])
    blocks = envelope[: len(envelope) // 480 * 480].reshape(-1, 480).max(axis=1) > 0.15
    assert np.count_nonzero(np.diff(blocks.astype(int)) == 1) + int(blocks[0]) == beeps


def test_a_telephones_hammer_strikes_22_times_a_second() -> None:
    assert beat_hz(hit("phone", duration_s=1.5)[: 3 * RATE_HZ // 2], 15, 30) == pytest.approx(22.0, rel=0.06)


def test_a_laser_falls_in_pitch() -> None:
    sound = hit("laser")
    assert centroid_hz(sound[960:2400]) > 2 * centroid_hz(sound[7200:12000])


# --- doors, locks, hands ---------------------------------------------------------------------------------------------


def seconds_within(sound: np.ndarray, level_db: float) -> float:
    """Return how long after its start a sound last comes so near its peak."""
    return float(np.nonzero(np.abs(sound) > np.abs(sound).max() * 10 ** (level_db / 20))[0][-1] / RATE_HZ)


def test_a_slam_is_brighter_than_a_door_that_is_closed_and_a_cupboard_higher_than_a_portal() -> None:
    assert centroid_hz(hit("door_slam")) > centroid_hz(hit("door_close"))
    cupboard, portal = (loudest_hz(hit("door_slam", size=size), 40, 400) for size in (0.0, 1.0))
    assert cupboard > portal


def test_a_metal_door_rings_longer_than_a_car_door() -> None:
    assert seconds_within(hit("door_metal"), -40) > seconds_within(hit("door_car"), -40)


def test_a_door_that_opens_goes_on_after_its_handle() -> None:
    sound = np.abs(hit("door_open"))
    assert sound[int(0.08 * RATE_HZ) : int(0.22 * RATE_HZ)].max() > 0.15 * sound.max()


def test_a_ratchet_clicks_five_times_or_more() -> None:
    envelope = np.abs(hit("ratchet"))
    blocks = envelope[: len(envelope) // 240 * 240].reshape(-1, 240).max(axis=1) > 0.3 * envelope.max()
    assert np.count_nonzero(np.diff(blocks.astype(int)) == 1) + int(blocks[0]) >= 5


def test_blades_of_scissors_slide_before_they_meet() -> None:
    recipe = recipes()["scissors"]
    assert isinstance(recipe, HitRecipe)
    sound = np.abs(hit("scissors"))
    contact = round(recipe.lead_s * RATE_HZ)
    assert 0.05 * sound.max() < sound[: contact - 240].max() < 0.6 * sound.max()
    assert abs(int(np.argmax(sound)) - contact) < 48


def test_a_typewriter_is_brighter_and_longer_than_a_laptop() -> None:
    assert centroid_hz(hit("key_press", kind="typewriter")) > centroid_hz(hit("key_press", kind="laptop"))


@pytest.mark.parametrize("strokes_hz", [1.0, 2.0])
def test_a_saw_strokes_to_and_fro(strokes_hz: float) -> None:
    assert beat_hz(texture("saw", strokes_hz=strokes_hz), 0.6 * strokes_hz, 3 * strokes_hz) == pytest.approx(
        strokes_hz, rel=0.25
    ) or beat_hz(texture("saw", strokes_hz=strokes_hz), 1.5 * strokes_hz, 3 * strokes_hz) == pytest.approx(
        2 * strokes_hz, rel=0.25
    )


def test_a_curve_that_follows_the_hand_needs_no_strokes_of_its_own() -> None:
    sound = texture("saw", strokes_hz=0.0).astype(np.float64)
    blocks = np.sqrt(np.square(sound).reshape(-1, RATE_HZ // 10).mean(axis=1))
    assert blocks.std() < 0.15 * blocks.mean()


def test_heavy_furniture_judders_lower_than_a_metal_chair() -> None:
    assert centroid_hz(texture("drag", kind="heavy")) < 0.85 * centroid_hz(texture("drag", kind="metal"))


def test_a_jackhammer_strikes_as_often_as_asked() -> None:
    assert beat_hz(texture("jackhammer", blows_hz=18.0), 12, 26) == pytest.approx(18.0, rel=0.05)


def test_a_sewing_machine_follows_its_treadle() -> None:
    assert beat_hz(texture("sewing_machine", 1.0, stitches_hz=10.0), 7, 14) == pytest.approx(10.0, rel=0.06)
    assert beat_hz(texture("sewing_machine", 0.2, stitches_hz=10.0), 2.5, 6) == pytest.approx(4.0, rel=0.1)


def test_a_welding_arc_lights_twice_a_period_of_the_mains() -> None:
    pulse_hz = beat_hz(texture("welding"), 80, 140)
    assert min(abs(pulse_hz - 100), abs(pulse_hz - 120)) < 2


def test_a_dentists_drill_whines_above_a_screwdriver() -> None:
    assert loudest_hz(texture("drill", kind="dentist"), 300, 8000) > 2 * loudest_hz(
        texture("drill", kind="screwdriver"), 300, 8000
    )


@pytest.mark.parametrize(
    ("name", "wrong"),
    [
        ("car_pass", {"speed_m_s": 500.0}),
        ("tyres", {"surface": "cheese"}),
        ("helicopter", {"blade_hz": 1.0}),
        ("drone", {"kind": "huge"}),
        ("motor", {"rpm": "fast"}),
        ("saw", {"strokes_hz": 40.0}),
        ("slide", {"kind": "lid"}),
        ("siren", {"kind": "car"}),
    ],
)
def test_a_machine_refuses_what_it_cannot_be(name: str, wrong: dict[str, float | str]) -> None:
    with pytest.raises(ValueError, match=next(iter(wrong))):
        texture(name, **wrong)


@pytest.mark.parametrize(
    ("name", "wrong"),
    [
        ("horn", {"duration_s": 60.0}),
        ("beep", {"kind": "bird"}),
        ("phone", {"kind": "shoe"}),
        ("door_slam", {"size": 3.0}),
        ("lock", {"kind": "zip"}),
        ("shovel", {"ground": "steel"}),
        ("wiper", {"wet": -1.0}),
    ],
)
def test_a_device_refuses_what_it_cannot_be(name: str, wrong: dict[str, float | str]) -> None:
    with pytest.raises(ValueError, match=next(iter(wrong))):
        hit(name, **wrong)


# --- places -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("room", ["interior", "office", "hall", "field"])
def test_room_tones_fall_towards_the_treble_as_recorded_ones_do(room: str) -> None:
    sound = texture(f"tone_{room}")
    power = np.abs(np.fft.rfft(sound)) ** 2
    hz = np.fft.rfftfreq(len(sound), 1 / RATE_HZ)
    centres = erb_centres_hz(30)[[1, 10, 19, 27]]
    levels = [power[(hz > 0.9 * c) & (hz < 1.1 * c)].sum() for c in centres]
    assert levels == sorted(levels, reverse=True)


def test_an_office_hums_at_the_mains_and_a_hall_does_not() -> None:
    def hum_db(room: str) -> float:
        power = np.abs(np.fft.rfft(texture(f"tone_{room}"))) ** 2
        hz = np.fft.rfftfreq(SECONDS * RATE_HZ, 1 / RATE_HZ)
        lines = max(power[np.abs(hz - f) < 0.5].max() for f in (200.0, 240.0))
        return float(10 * np.log10(lines / np.median(power[(hz > 150) & (hz < 300)])))

    assert hum_db("office") > hum_db("hall") + 6


FIRST_HALF_S, LAST_HALF_S = slice(RATE_HZ // 2), slice(-RATE_HZ // 2, None)
STEADY = sorted(n for n, r in recipes().items() if r.family == "ambience")


@pytest.mark.parametrize("name", STEADY)
def test_places_are_equally_loud_from_first_to_last(name: str) -> None:
    sounds = [texture(name, seed=seed) for seed in range(3, 11)]  # trains and waves come and go
    first, last = (np.mean([rms(sound[half]) for sound in sounds]) for half in (FIRST_HALF_S, LAST_HALF_S))
    assert abs(20 * np.log10(first / last)) < 6
    assert rms(sounds[0]) == pytest.approx(0.1, rel=0.3)
