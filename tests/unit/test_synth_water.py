"""Water, rain and the stove against physics: pitch, colour, rhythm, and how lively they are."""

from collections.abc import Callable
from functools import cache

import numpy as np
import pytest

from foley.synth.bubbles import LARGE, SMALL, TINY, BubbleSize, babble, bubble_hz, bubbles
from foley.synth.recipe import HitRecipe, TextureRecipe
from foley.synth.recipes import cooking, open_water, pouring, rain, swimming, water
from foley.synth.recipes.open_water import course_of
from foley.synth.textures import BLOCK_SAMPLES, JOIN_SAMPLES, clouds, combed, noise, shower, spectrum, unit_energy
from foley.units import RATE_HZ

RECIPES = {
    recipe.name: recipe for module in (cooking, open_water, pouring, rain, swimming, water) for recipe in module.RECIPES
}
FLAT = spectrum({20: 0, 20_000: 0})


@cache
def texture(
    name: str, level: float = 1.0, seed: int = 1, seconds: float = 4.0, **parameters: float | str
) -> np.ndarray:
    recipe = RECIPES[name]
    assert isinstance(recipe, TextureRecipe)
    intensity = np.full(round(seconds * RATE_HZ), level, np.float32)
    return recipe.make(np.random.default_rng(seed), intensity, **parameters).astype(np.float64)


def hit(name: str, strength: float = 1.0, seed: int = 1, **parameters: float | str) -> np.ndarray:
    recipe = RECIPES[name]
    assert isinstance(recipe, HitRecipe)
    return recipe.make(np.random.default_rng(seed), strength, **parameters).astype(np.float64)


def rms(sound: np.ndarray) -> float:
    return float(np.sqrt(np.mean(sound**2)))


def share(sound: np.ndarray, low_hz: float, high_hz: float) -> float:
    """Return which share of the power lies in a band."""
    power = np.abs(np.fft.rfft(sound)) ** 2
    hz = np.fft.rfftfreq(len(sound), 1 / RATE_HZ)
    return float(power[(hz >= low_hz) & (hz < high_hz)].sum() / power.sum())


def centroid_hz(sound: np.ndarray) -> float:
    power = np.abs(np.fft.rfft(sound)) ** 2
    return float((np.fft.rfftfreq(len(sound), 1 / RATE_HZ) * power).sum() / power.sum())


def loudest_hz(sound: np.ndarray, low_hz: float = 20.0, high_hz: float = 20_000.0) -> float:
    power = np.abs(np.fft.rfft(sound, 4 * RATE_HZ)) ** 2
    hz = np.fft.rfftfreq(4 * RATE_HZ, 1 / RATE_HZ)
    inside = (hz > low_hz) & (hz < high_hz)
    return float(hz[inside][np.argmax(power[inside])])


def envelope(sound: np.ndarray, low_hz: float = 20.0, high_hz: float = 20_000.0, frame_s: float = 0.01) -> np.ndarray:
    """Return the level of a band, one value for each frame."""
    bins = np.fft.rfft(sound)
    hz = np.fft.rfftfreq(len(sound), 1 / RATE_HZ)
    bins[(hz < low_hz) | (hz > high_hz)] = 0.0
    frame = round(frame_s * RATE_HZ)
    band = np.fft.irfft(bins, len(sound))
    return np.sqrt(np.mean(band[: len(band) // frame * frame].reshape(-1, frame) ** 2, axis=1))


def peakedness(sound: np.ndarray) -> float:
    """Return the fourth moment over the square of the second: 3 for Gaussian noise, more for what crackles."""
    return float(np.mean(sound**4) / np.mean(sound**2) ** 2)


def together(sound: np.ndarray) -> float:
    """Return how far two bands, an octave and a half apart, swell together."""
    low, high = (np.log(envelope(sound, *band, frame_s=0.02) + 1e-9) for band in ((900, 1300), (2600, 3800)))
    return float(np.corrcoef(low, high)[0, 1])


# --- material --------------------------------------------------------------------------------------------------------


def test_long_noise_neither_dips_nor_swells_where_blocks_join() -> None:
    sounds = [noise(np.random.default_rng(seed), 3 * BLOCK_SAMPLES, FLAT) for seed in range(4)]
    hop = BLOCK_SAMPLES - JOIN_SAMPLES
    joined = [rms(sound[hop : hop + JOIN_SAMPLES]) for sound in sounds]
    alone = [rms(sound[JOIN_SAMPLES : JOIN_SAMPLES + JOIN_SAMPLES]) for sound in sounds]
    assert np.mean(joined) == pytest.approx(np.mean(alone), rel=0.02)


def test_long_noise_never_comes_back() -> None:
    sound = noise(np.random.default_rng(1), 4 * BLOCK_SAMPLES, FLAT)
    bins = np.fft.rfft(sound, 2 * len(sound))
    likeness = np.fft.irfft(np.abs(bins) ** 2)[: len(sound) - RATE_HZ]
    assert np.abs(likeness[100:]).max() < 0.03 * likeness[0]


def test_noise_is_gaussian() -> None:
    assert peakedness(noise(np.random.default_rng(2), 10 * RATE_HZ, FLAT)) == pytest.approx(3.0, abs=0.05)


def test_gains_of_a_spectrum_cannot_be_spoilt() -> None:
    with pytest.raises(ValueError, match="read-only"):
        FLAT.gains(1024)[3] = 2.0


def test_a_shower_of_clouds_is_as_loud_as_one_of_grains() -> None:
    rng = np.random.default_rng(3)
    grains = unit_energy([rng.standard_normal(150) for _ in range(20)])
    sky = clouds(rng, grains, of=8, spread_s=0.03, sigma=0.8)
    assert [float(np.dot(cloud, cloud)) for cloud in sky] == pytest.approx([1.0] * 64)
    assert rms(shower(rng, 10 * RATE_HZ, sky, rate_hz=100.0, sigma=0.4)) == pytest.approx(1.0, rel=0.08)


def test_a_place_colours_noise_unevenly_around_its_spectrum() -> None:
    base = spectrum({60: 0, 16_000: -20})
    place = combed(base, np.random.default_rng(4), 2.0)
    off_db = np.array(place.db) - np.interp(np.log(place.hz), np.log(base.hz), base.db)
    assert abs(off_db.mean()) < 1.0
    assert off_db.std() == pytest.approx(2.0, rel=0.3)


def test_drawn_bubbles_lie_in_their_range_of_pitch() -> None:
    pitches = [loudest_hz(each) for each in bubbles(np.random.default_rng(5), (1.0, 4.0), 40, rise=0.05)]
    assert min(pitches) > 0.85 * bubble_hz(0.004)
    assert max(pitches) < 1.25 * bubble_hz(0.001)
    assert len({round(pitch) for pitch in pitches}) > 20, "they are of many sizes"


def test_a_bubble_does_not_click() -> None:
    (one,) = bubbles(np.random.default_rng(6), (1.0, 1.0), 1)
    assert share(np.pad(one, (0, RATE_HZ)), 0, 500) < 2e-3, "3.3 kHz, and no thump where it starts"


def test_bubbles_of_running_water_have_the_level_of_their_class() -> None:
    sizes = (BubbleSize((0.5, 2.0), 900.0, 0.1, 0.6), BubbleSize((2.0, 8.0), 80.0, 0.2, 0.8))
    assert rms(babble(np.random.default_rng(7), np.ones(8 * RATE_HZ), sizes)) == pytest.approx(1.0, rel=0.12)


def test_large_bubbles_are_fewer_and_deeper() -> None:
    assert TINY.rate_hz > SMALL.rate_hz > LARGE.rate_hz
    assert TINY.radii_mm < SMALL.radii_mm < LARGE.radii_mm


# --- running water ---------------------------------------------------------------------------------------------------


def test_a_brook_swells_as_one_and_rain_does_not() -> None:
    brook, downpour = (
        np.mean([together(texture(name, seed=seed)) for seed in (1, 2, 3)]) for name in ("stream", "rain")
    )
    assert brook > downpour + 0.15


def test_a_trickle_lets_bubbles_be_told_apart_and_a_river_does_not() -> None:
    trickle, brook, river = (peakedness(texture("stream", size=size)) for size in (0.0, 0.5, 1.0))
    assert trickle > 1.3 * brook
    assert brook > river


def test_a_course_between_two_lies_between_them() -> None:
    levels = [course_of(size).bed for size in (0.0, 0.25, 0.5, 0.75, 1.0)]
    assert levels == sorted(levels)
    assert course_of(0.5).larger == 1.0


def test_great_waterfalls_have_more_bass() -> None:
    shares = [share(texture("waterfall", size=size), 20, 150) for size in (0.0, 0.5, 1.0)]
    assert shares == sorted(shares)
    assert shares[-1] > 2 * shares[0]


def test_a_lake_laps_often_and_breakers_come_seldom() -> None:
    def waves(size: float) -> int:
        level = np.convolve(envelope(texture("sea", size=size, seconds=30.0), frame_s=0.1), np.ones(8) / 8, "same")
        above = level > np.median(level)
        return int(np.sum(above[1:] & ~above[:-1]))

    assert waves(0.0) > 1.5 * waves(1.0)


def test_larger_bubbles_are_deeper() -> None:
    assert centroid_hz(texture("bubbles", size=0.0)) > 3 * centroid_hz(texture("bubbles", size=1.0))


# --- rain, hail, showers ---------------------------------------------------------------------------------------------


def test_rain_in_a_car_is_duller_than_under_a_tin_roof() -> None:
    assert centroid_hz(texture("rain", surface="car")) < 0.7 * centroid_hz(texture("rain", surface="metal"))


def test_hail_knocks_and_rain_rustles() -> None:
    assert peakedness(texture("hail")) > 1.3 * peakedness(texture("rain", surface="metal"))


def test_large_hailstones_sound_lower() -> None:
    assert centroid_hz(texture("hail", size=1.0)) < 0.75 * centroid_hz(texture("hail", size=0.0))


def test_a_curtain_drums_and_a_lawn_hisses() -> None:
    curtain, tiles, lawn = (centroid_hz(texture("shower", surface=each)) for each in ("curtain", "tiles", "ground"))
    assert curtain < tiles < lawn


# --- indoors ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("vessel", ["glass", "bottle", "bucket"])
def test_every_vessel_rises_in_pitch_as_it_fills(vessel: str) -> None:
    sound = texture("pour", vessel=vessel)
    pitches = []
    height_m, radius_m = pouring.VESSELS[vessel].height_m, pouring.VESSELS[vessel].radius_m
    lowest_hz = 343 / (4 * (1.2 * height_m + 0.6 * radius_m))
    for part in np.split(sound, 5)[::4]:
        power = np.abs(np.fft.rfft(part)) ** 2
        smooth = np.convolve(power, np.ones(60), "same")
        hz = np.fft.rfftfreq(len(part), 1 / RATE_HZ)
        inside = (hz > 0.9 * lowest_hz) & (hz < 5 * lowest_hz)
        pitches.append(float(hz[inside][np.argmax(smooth[inside])]))
    assert pitches[1] > 1.4 * pitches[0]


def test_a_bottle_that_gulps_pulses_a_few_times_a_second() -> None:
    def pulsing(glug: float) -> float:
        level = envelope(texture("pour", glug=glug), frame_s=0.02)
        power = np.abs(np.fft.rfft((level - level.mean()) * np.hanning(len(level)))) ** 2
        hz = np.fft.rfftfreq(len(level), 0.02)
        return float(power[(hz > 2.5) & (hz < 5)].sum() / power[(hz > 0.5) & (hz < 20)].sum())

    assert pulsing(1.0) > 1.4 * pulsing(0.0)


def test_a_bath_booms_and_a_grate_hisses() -> None:
    bath, basin, ground = (centroid_hz(texture("tap", into=into)) for into in ("bath", "basin", "ground"))
    assert bath < basin < ground


def test_a_larger_drop_plinks_lower() -> None:
    for radius_mm in (1.2, 2.4, 4.8):
        pitches = [loudest_hz(hit("drip", seed=seed, radius_mm=radius_mm)) for seed in range(7)]
        assert float(np.median(pitches)) == pytest.approx(bubble_hz(radius_mm / 1000), rel=0.3)


def test_a_drop_rings_longer_on_metal_than_on_stone() -> None:
    def lasts_s(onto: str) -> float:
        power = np.cumsum(hit("drip", onto=onto) ** 2)
        return float(np.argmax(power > 0.95 * power[-1])) / RATE_HZ

    assert lasts_s("metal") > 1.5 * lasts_s("stone")


def test_a_flush_ends_in_the_hiss_of_the_cistern() -> None:
    sound = hit("toilet_flush")
    drain, refill = (sound[round(at * RATE_HZ) :][: RATE_HZ // 2] for at in (2.5, 5.2))
    assert centroid_hz(refill) > 2.5 * centroid_hz(drain)
    assert 0.01 < rms(refill) / rms(drain) < 0.5


def test_a_drink_fizzes_where_ears_are_finest() -> None:
    assert share(texture("fizz"), 2500, 14_000) > 0.8


# --- the stove -------------------------------------------------------------------------------------------------------


def test_fat_crackles_over_a_hiss() -> None:
    assert share(texture("sizzle"), 2500, 20_000) > 0.7
    assert peakedness(texture("sizzle")) > 3.5


def test_deep_fat_bubbles_and_a_griddle_does_not() -> None:
    assert share(texture("sizzle", fat=1.0), 800, 2500) > 1.5 * share(texture("sizzle", fat=0.0), 800, 2500)


def test_water_that_simmers_is_brighter_than_water_that_rolls() -> None:
    assert centroid_hz(texture("boiling", 0.2)) > centroid_hz(texture("boiling", 1.0))


def test_a_cauldron_is_deeper_than_a_saucepan() -> None:
    assert centroid_hz(texture("boiling", size=1.0)) < 0.6 * centroid_hz(texture("boiling", size=0.0))


def test_a_kettle_whistles_only_under_steam() -> None:
    def whistling(level: float, share_: float) -> float:
        sound = texture("kettle", level, whistle_share=share_)
        pitch_hz = loudest_hz(sound, 1500, 3400)
        return share(sound, 0.97 * pitch_hz, 1.03 * pitch_hz)

    assert whistling(1.0, 0.8) > 3 * whistling(0.5, 0.8)
    assert whistling(1.0, 0.8) > 3 * whistling(1.0, 0.0)


def test_popcorn_pops_singly_and_a_lid_dulls_it() -> None:
    assert peakedness(texture("popcorn")) > 15
    assert centroid_hz(texture("popcorn", lid="closed")) < 0.6 * centroid_hz(texture("popcorn", lid="open"))


def test_popcorn_dies_out_with_its_intensity() -> None:
    def pops(level: float) -> int:
        loud = envelope(texture("popcorn", level, seconds=10.0, lid="open"), frame_s=0.02) > 0.15 * level
        return int(np.sum(loud[1:] & ~loud[:-1]))

    assert pops(1.0) > 2 * pops(0.3)


# --- in the water ----------------------------------------------------------------------------------------------------


def test_strokes_come_at_the_rate_of_their_style() -> None:
    def slowness_s(style: str) -> float:
        """Return where the level is most like itself again."""
        level = np.convolve(envelope(texture("swimming", seconds=20.0, style=style), 200, 3000, 0.02), np.ones(5) / 5)
        level = level - level.mean()
        likeness = np.correlate(level, level, "full")[len(level) :]
        return float(20 + np.argmax(likeness[20:130])) * 0.02

    assert slowness_s("oars") > 1.5
    assert slowness_s("paddle") == pytest.approx(1.1, rel=0.25)


def test_a_diver_hisses_and_bubbles_by_turns() -> None:
    sound = texture("diving", seconds=15.0)
    hiss, bubbling = (envelope(sound, *band, frame_s=0.1) for band in ((4000, 8000), (200, 600)))
    assert np.corrcoef(hiss, bubbling)[0, 1] < -0.1


# --- all -------------------------------------------------------------------------------------------------------------

WRONG: dict[str, dict[str, float | str]] = {
    "rain": {"surface": "velvet"},
    "hail": {"size": 2.0},
    "shower": {"surface": "moon"},
    "stream": {"size": -0.1},
    "waterfall": {"size": "huge"},
    "sea": {"size": 1.5},
    "bubbles": {"size": 3.0},
    "pour": {"vessel": "hat"},
    "tap": {"into": "lap"},
    "drip": {"radius_mm": 40.0},
    "splash": {"size": 7.0},
    "swimming": {"style": "butter"},
    "sizzle": {"fat": 2.0},
    "boiling": {"size": -1.0},
    "kettle": {"whistle_share": 4.0},
    "popcorn": {"lid": "ajar"},
}


@pytest.mark.parametrize("name", WRONG)
def test_what_cannot_be_is_refused_by_name(name: str) -> None:
    make: Callable[..., np.ndarray] = hit if isinstance(RECIPES[name], HitRecipe) else texture
    (parameter,) = WRONG[name]
    with pytest.raises(ValueError, match=parameter):
        make(name, **WRONG[name])


COMING_AND_GOING = {"sea", "diving", "popcorn", "swimming"}
"""What differs from one window to the next because it has waves, breaths or strokes."""

STEADY = [
    name for name, recipe in RECIPES.items() if isinstance(recipe, TextureRecipe) and name not in COMING_AND_GOING
]


@pytest.mark.parametrize("name", STEADY)
def test_two_windows_of_an_event_are_one_sound(name: str) -> None:
    first, second = (texture(name, seed=seed, variant="event") for seed in (1, 2))
    assert rms(first) == pytest.approx(rms(second), rel=0.2)
    for low_hz, high_hz in ((200, 600), (600, 2000), (2000, 6000)):
        levels_db = [10 * np.log10(share(each, low_hz, high_hz)) for each in (first, second)]
        # single pops are all there is in a band that is 15 dB down
        assert max(levels_db) < -15.0 or levels_db[0] == pytest.approx(levels_db[1], abs=1.8)
