"""Engines, machines, animals, people and places against their own mechanics and against recordings' figures."""

import numpy as np
import pytest

from foley.synth.engines import ENGINES, firing_hz
from foley.synth.recipe import HitRecipe, recipes
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


def test_a_car_that_comes_nearer_sounds_higher_than_one_that_leaves() -> None:
    ramp = np.linspace(0.15, 1.0, 3 * RATE_HZ, dtype=np.float32)
    car = recipes()["car_pass"].make
    coming = car(np.random.default_rng(1), ramp)[-RATE_HZ:]
    leaving = car(np.random.default_rng(1), ramp[::-1].copy())[:RATE_HZ]
    assert loudest_hz(coming, 50, 110) > loudest_hz(leaving, 50, 110)


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


# --- animals ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [0.0, 0.5, 1.0])
def test_a_bark_is_heard_as_the_mouth_opens(size: float) -> None:
    for seed in range(4):
        sound = np.abs(hit("dog_bark", seed=seed, size=size))
        assert np.argmax(sound > 0.2 * sound.max()) / RATE_HZ <= 0.015


def test_large_dogs_bark_lower() -> None:
    for variant in range(4):
        small, large = (loudest_hz(hit("dog_bark", size=size, variant=variant), 150, 3000) for size in (0.0, 1.0))
        assert large < 0.9 * small


def test_one_dog_keeps_its_voice_and_another_has_its_own() -> None:
    def voice_hz(variant: int) -> float:
        return float(np.median([centroid_hz(hit("dog_bark", seed=seed, variant=variant)) for seed in range(5)]))

    voices = [voice_hz(variant) for variant in range(4)]
    assert np.ptp(voices) > 60
    assert np.ptp([centroid_hz(hit("dog_bark", seed=seed)) for seed in range(5)]) < 0.35 * voices[0]


def test_a_sheep_trembles_7_to_11_times_a_second() -> None:
    assert 6.5 < beat_hz(hit("sheep_bleat", low=0.2), 5, 15) < 11.5


def test_birds_sing_above_2_khz() -> None:
    sound = texture("birds")
    power = np.abs(np.fft.rfft(sound)) ** 2
    hz = np.fft.rfftfreq(len(sound), 1 / RATE_HZ)
    song = power[(hz > 1500) & (hz < 9000)]
    assert song.sum() > 0.6 * power.sum()
    assert np.sort(song)[-len(song) // 20 :].sum() > 0.4 * song.sum(), "of hiss, the loudest 5 % would hold a fifth"


def test_crickets_pulse_32_to_55_times_a_second() -> None:
    assert 31 < beat_hz(texture("crickets", count=1), 25, 70) < 56


def test_bees_beat_their_wings_180_to_260_times_a_second() -> None:
    assert 160 < loudest_hz(texture("bees", count=1), 120, 330) < 290


# --- people and places -----------------------------------------------------------------------------------------------


def test_more_people_make_smoother_applause() -> None:
    def unevenness(people: int) -> float:
        sound = texture("applause", people=people).astype(np.float64)
        return float(np.mean(sound**4) / np.mean(sound**2) ** 2)

    assert unevenness(3) > 2 * unevenness(120)


@pytest.mark.parametrize("name", ["walla", "crowd"])
def test_a_murmur_lies_where_voices_do(name: str) -> None:
    power = np.abs(np.fft.rfft(texture(name))) ** 2
    hz = np.fft.rfftfreq(SECONDS * RATE_HZ, 1 / RATE_HZ)
    assert power[(hz > 90) & (hz < 4500)].sum() > 0.85 * power.sum()


def test_talk_comes_in_syllables() -> None:
    assert 1.0 < beat_hz(texture("walla", people=1), 1.0, 12.0) < 8.0


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


STEADY = sorted(n for n, r in recipes().items() if r.family == "ambience")


@pytest.mark.parametrize("name", STEADY)
def test_places_are_equally_loud_from_first_to_last(name: str) -> None:
    sound = texture(name, seed=3)
    first, last = rms(sound[: RATE_HZ // 2]), rms(sound[-RATE_HZ // 2 :])
    assert abs(20 * np.log10(first / last)) < 6
    assert rms(sound) == pytest.approx(0.1, rel=0.3)
