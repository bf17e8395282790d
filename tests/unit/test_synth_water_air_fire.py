"""Rain, water, wind, fire, blasts against physics and against what recordings of them measure."""

import math

import numpy as np
import pytest

from foley.synth.blast import air_corner_hz, friedlander
from foley.synth.bubbles import bubble, bubble_hz
from foley.synth.recipe import HitRecipe, recipes
from foley.synth.recipes.air import GALE_M_S, vortex_hz
from foley.synth.recipes.rain import SURFACES
from foley.synth.textures import erb_centres_hz
from foley.units import RATE_HZ

SECONDS = 6
"""Long enough for band levels to settle within a decibel."""


def texture(name: str, level: float = 1.0, seed: int = 1, **parameters: float | str) -> np.ndarray:
    intensity = np.full(SECONDS * RATE_HZ, level, np.float32)
    return recipes()[name].make(np.random.default_rng(seed), intensity, **parameters)


def hit(name: str, strength: float = 1.0, seed: int = 1, **parameters: float | str) -> np.ndarray:
    recipe = recipes()[name]
    assert isinstance(recipe, HitRecipe)
    return recipe.make(np.random.default_rng(seed), strength, **parameters)


def band_levels_db(sound: np.ndarray, centres_hz: np.ndarray) -> np.ndarray:
    power = np.abs(np.fft.rfft(sound)) ** 2
    hz = np.fft.rfftfreq(len(sound), 1 / RATE_HZ)
    half = 24.7 * (1 + 0.00437 * centres_hz) / 2
    return 10 * np.log10(
        np.array([power[(hz >= c - h) & (hz < c + h)].sum() for c, h in zip(centres_hz, half, strict=True)])
    )


def centroid_hz(sound: np.ndarray) -> float:
    power = np.abs(np.fft.rfft(sound)) ** 2
    return float((np.fft.rfftfreq(len(sound), 1 / RATE_HZ) * power).sum() / power.sum())


def rms(sound: np.ndarray) -> float:
    return float(np.sqrt(np.mean(np.square(sound, dtype=np.float64))))


def variation(sound: np.ndarray, low_hz: float, high_hz: float) -> float:
    """Return standard deviation over mean of the compressed envelope of a band, as McDermott & Simoncelli have it."""
    spectrum = np.fft.fft(sound)
    hz = np.fft.fftfreq(len(sound), 1 / RATE_HZ)
    spectrum[(hz < low_hz) | (hz > high_hz)] = 0
    envelope = np.abs(np.fft.ifft(spectrum)) ** 0.3
    smooth = envelope[: len(envelope) // 120 * 120].reshape(-1, 120).mean(axis=1)
    return float(smooth.std() / smooth.mean())


# --- water -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("radius_mm", [0.5, 1.0, 3.0])
def test_a_bubble_sounds_at_minnaerts_pitch(radius_mm: float) -> None:
    tone = np.pad(bubble(radius_mm / 1000, depth=0.2), (0, RATE_HZ))
    loudest_hz = float(np.argmax(np.abs(np.fft.rfft(tone)))) * RATE_HZ / len(tone)
    assert bubble_hz(radius_mm / 1000) == pytest.approx(3287 / radius_mm, rel=1e-3)
    assert loudest_hz == pytest.approx(3287 / radius_mm, rel=0.03)


def test_large_bubbles_ring_longer() -> None:
    assert len(bubble(0.006)) > len(bubble(0.002)) > len(bubble(0.0005))


def test_a_drip_sings_at_its_bubbles_pitch() -> None:
    sound = np.pad(hit("drip", radius_mm=2.0), (0, RATE_HZ))
    loudest_hz = float(np.argmax(np.abs(np.fft.rfft(sound)))) * RATE_HZ / len(sound)
    assert loudest_hz == pytest.approx(bubble_hz(0.002), rel=0.45), "drops differ by a sixth, their bubbles rise"


def test_rain_is_flat_on_the_ear() -> None:
    levels = band_levels_db(texture("rain"), erb_centres_hz(30)[3:28])
    assert np.std(levels) < 2.5, "57 recorded stretches lie within 2 dB per ERB band"


def test_rain_is_nearly_gaussian_and_fire_is_not() -> None:
    assert variation(texture("rain"), 4500, 5200) < 0.2
    assert variation(texture("fire"), 4500, 5200) > 1.25 * variation(texture("rain"), 4500, 5200)


def test_rain_on_a_tent_is_duller_than_on_the_ground() -> None:
    assert centroid_hz(texture("rain", surface="tent")) < 0.5 * centroid_hz(texture("rain"))


@pytest.mark.parametrize("surface", sorted(SURFACES))
def test_rain_falls_on_every_surface_at_one_level(surface: str) -> None:
    assert rms(texture("rain", surface=surface)) == pytest.approx(0.1, rel=0.12)


def test_rain_knows_its_surfaces() -> None:
    with pytest.raises(ValueError, match="surface must be one of"):
        texture("rain", surface="velvet")


def test_the_pane_takes_the_treble_of_rain() -> None:
    assert centroid_hz(texture("rain_window")) < 0.6 * centroid_hz(texture("rain"))


def test_a_brook_has_no_bass_and_a_waterfall_has() -> None:
    def bass_db(name: str) -> float:
        levels = band_levels_db(texture(name), np.array([100.0, 1500.0]))
        return float(levels[0] - levels[1])

    assert bass_db("stream") < bass_db("waterfall") - 8


def test_the_pitch_of_a_vessel_rises_as_it_fills() -> None:
    sound = texture("pour", vessel="bucket")
    early, late = sound[: 2 * RATE_HZ], sound[-2 * RATE_HZ :]

    def loudest_hz(part: np.ndarray) -> float:
        power = np.abs(np.fft.rfft(part)) ** 2
        smooth = np.convolve(power, np.ones(80), "same")
        hz = np.fft.rfftfreq(len(part), 1 / RATE_HZ)
        inside = (hz > 150) & (hz < 1400)
        return float(hz[inside][np.argmax(smooth[inside])])

    assert loudest_hz(late) > 1.4 * loudest_hz(early)


def test_all_bands_of_the_sea_swell_together() -> None:
    intensity = np.ones(30 * RATE_HZ, np.float32)
    sound = recipes()["sea"].make(np.random.default_rng(2), intensity)
    bands = [np.diff(sound), np.convolve(sound, np.ones(200) / 200, "same")]
    swells = [np.log(np.mean(b[: len(b) // 24_000 * 24_000].reshape(-1, 24_000) ** 2, axis=1)) for b in bands]
    count = min(len(s) for s in swells)
    assert np.corrcoef(swells[0][:count], swells[1][:count])[0, 1] > 0.5


def test_a_large_splash_is_darker_and_longer_than_a_small_one() -> None:
    small, large = hit("splash", size=0.0), hit("splash", size=1.0)
    assert len(large) > 1.5 * len(small)
    assert centroid_hz(large) < centroid_hz(small)


# --- air and fire ----------------------------------------------------------------------------------------------------


def test_the_level_of_wind_rises_with_its_speed() -> None:
    levels = [rms(texture("wind", level)) for level in (0.2, 0.4, 0.7, 1.0)]
    assert levels == sorted(levels)
    assert levels[-1] > 4 * levels[0]


def test_strong_wind_buffets_more() -> None:
    def buffeting_db(level: float) -> float:
        low, middle = band_levels_db(texture("wind", level, howl=0.0), np.array([60.0, 400.0]))
        return float(middle - low)

    assert buffeting_db(1.0) > buffeting_db(0.3) + 0.5


def test_leaves_hiss_in_the_wind() -> None:
    assert centroid_hz(texture("wind", leaves=1.0)) > 2 * centroid_hz(texture("wind", leaves=0.0))


def test_a_wire_of_5_mm_in_a_gale_sings_at_strouhals_pitch() -> None:
    assert vortex_hz(np.array([GALE_M_S]), 0.005)[0] == pytest.approx(720.0)


def test_a_whoosh_is_loudest_where_it_passes() -> None:
    recipe = recipes()["whoosh"]
    assert isinstance(recipe, HitRecipe)
    for seed in range(5):
        sound = hit("whoosh", seed=seed).astype(np.float64)
        power = np.convolve(sound**2, np.ones(960) / 960, "same")
        assert np.argmax(power) / RATE_HZ == pytest.approx(recipe.lead_s, abs=0.025)


def test_a_thin_rod_whooshes_higher_and_so_does_a_fast_one() -> None:
    assert centroid_hz(hit("whoosh", size=0.0)) > centroid_hz(hit("whoosh", size=1.0))
    assert centroid_hz(hit("whoosh", 1.0)) > centroid_hz(hit("whoosh", 0.3))


def test_crackles_are_what_is_heard_of_a_fire_above_1_khz() -> None:
    def treble_db(crackle: float) -> float:
        return float(band_levels_db(texture("fire", crackle=crackle), np.array([3000.0]))[0])

    assert treble_db(1.0) > treble_db(0.0) + 3


# --- blasts ----------------------------------------------------------------------------------------------------------


def test_a_blast_wave_has_no_net_pressure_and_crosses_nothing_after_its_positive_phase() -> None:
    wave = friedlander(0.001, RATE_HZ // 10)
    assert wave[0] == 1.0
    assert wave[48] == pytest.approx(0.0, abs=1e-9)
    assert abs(wave.sum()) < 1.0


@pytest.mark.parametrize("name", ["gunshot", "explosion", "firework", "sparks"])
def test_a_blast_is_there_at_once_and_its_first_moment_is_its_loudest(name: str) -> None:
    for seed in range(3):
        sound = hit(name, seed=seed).astype(np.float64)
        assert np.abs(sound[:48]).max() > 0.2 * np.abs(sound).max()
        blocks = np.sqrt(np.mean(sound[: len(sound) // 1440 * 1440].reshape(-1, 1440) ** 2, axis=1))
        assert np.argmax(blocks) <= 2, "the loudest 30 ms lie within the first 90 ms"


def test_a_shot_in_the_open_dies_20_db_in_about_half_a_second() -> None:
    falls = []
    for seed in range(5):
        sound = hit("gunshot", seed=seed).astype(np.float64)
        left = np.cumsum(sound[::-1] ** 2)[::-1]
        falls.append(np.argmax(left < 0.01 * left[0]) / RATE_HZ)
    assert 0.15 < float(np.median(falls)) < 0.8


def test_a_room_swallows_a_shot_sooner_than_the_open() -> None:
    def late_share(space: str) -> float:
        sound = hit("gunshot", space=space).astype(np.float64)
        return float((sound[RATE_HZ // 2 :] ** 2).sum() / (sound**2).sum())

    assert late_share("indoor") < 0.2 * late_share("outdoor")


@pytest.mark.parametrize(
    ("name", "near_m", "far_m"), [("gunshot", 5, 200), ("explosion", 20, 800), ("thunder", 300, 2800)]
)
def test_what_is_far_is_darker(name: str, near_m: float, far_m: float) -> None:
    far_hz, near_hz = (
        np.mean([centroid_hz(hit(name, seed=seed, distance_m=distance_m)) for seed in range(6)])
        for distance_m in (far_m, near_m)
    )
    assert far_hz < 0.65 * near_hz


def test_air_takes_treble_with_the_root_of_the_distance() -> None:
    assert air_corner_hz(10, 5) == 20_000
    assert air_corner_hz(10, 160) == pytest.approx(5000)


def test_near_thunder_cracks_and_far_thunder_comes_up_slowly() -> None:
    def rise_s(distance_m: float) -> float:
        sound = hit("thunder", distance_m=distance_m).astype(np.float64)
        power = np.convolve(sound**2, np.ones(480) / 480, "same")
        return float(np.argmax(power > 0.25 * power.max())) / RATE_HZ

    assert rise_s(300) < 0.01 < 0.1 < rise_s(2900)


def test_larger_explosions_are_longer_and_deeper() -> None:
    grenade, bomb = hit("explosion", size=0.0), hit("explosion", size=1.0)
    assert len(bomb) > 2 * len(grenade)
    assert centroid_hz(bomb) < centroid_hz(grenade)


def test_shots_are_softer_and_darker_with_less_strength() -> None:
    sounds = [hit("gunshot", strength) for strength in (0.3, 0.6, 1.0)]
    assert [np.abs(s).max() for s in sounds] == pytest.approx([0.5 * s**1.1 for s in (0.3, 0.6, 1.0)], rel=0.01)
    centroids = [centroid_hz(s) for s in sounds]
    assert centroids == sorted(centroids)


def test_a_decibel_is_a_decibel() -> None:
    # guards the helper above: two tones 20 dB apart in two bands
    t_s = np.arange(RATE_HZ) / RATE_HZ
    sound = np.sin(2 * np.pi * 100 * t_s) + 0.1 * np.sin(2 * np.pi * 1500 * t_s)
    low, high = band_levels_db(sound, np.array([100.0, 1500.0]))
    assert math.isclose(low - high, 20, abs_tol=0.1)
