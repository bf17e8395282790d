"""Animals, people, drums and ball games against their own mechanics."""

import numpy as np
import pytest

from foley.synth.calls import LEAD_S, SILENT, begins, in_time, in_turn
from foley.synth.recipe import HitRecipe, TextureRecipe, recipes
from foley.synth.recipes.insects import WINGS
from foley.synth.voice import Formant, mouth
from foley.units import RATE_HZ

SECONDS = 5


def texture(name: str, level: float = 1.0, seed: int = 1, **parameters: float | str) -> np.ndarray:
    intensity = np.full(SECONDS * RATE_HZ, level, np.float32)
    return recipes()[name].make(np.random.default_rng(seed), intensity, **parameters)


def hit(name: str, strength: float = 1.0, seed: int = 1, **parameters: float | str) -> np.ndarray:
    recipe = recipes()[name]
    assert isinstance(recipe, HitRecipe)
    return recipe.make(np.random.default_rng(seed), strength, **parameters)


def spectrum(sound: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return frequencies in Hz and power."""
    return np.fft.rfftfreq(len(sound), 1 / RATE_HZ), np.abs(np.fft.rfft(sound * np.hanning(len(sound)))) ** 2


def loudest_hz(sound: np.ndarray, low_hz: float, high_hz: float) -> float:
    hz, power = spectrum(sound)
    inside = (hz > low_hz) & (hz < high_hz)
    return float(hz[inside][np.argmax(np.convolve(power, np.ones(5), "same")[inside])])


def beat_hz(sound: np.ndarray, low_hz: float, high_hz: float) -> float:
    """Return how often the envelope swells."""
    envelope = np.abs(sound.astype(np.float64))[: len(sound) // 48 * 48].reshape(-1, 48).mean(axis=1)
    power = np.abs(np.fft.rfft((envelope - envelope.mean()) * np.hanning(len(envelope)))) ** 2
    hz = np.fft.rfftfreq(len(envelope), 48 / RATE_HZ)
    inside = (hz > low_hz) & (hz < high_hz)
    return float(hz[inside][np.argmax(power[inside])])


def centroid_hz(sound: np.ndarray) -> float:
    hz, power = spectrum(sound)
    return float((hz * power).sum() / power.sum())


def ring_s(sound: np.ndarray, fall_db: float = 20.0) -> float:
    """Return when the sound last is above its peak less some dB."""
    loud = np.nonzero(np.abs(sound) > np.abs(sound).max() * 10 ** (-fall_db / 20))[0]
    return float(loud[-1]) / RATE_HZ


# --- throats ---------------------------------------------------------------------------------------------------------


def test_formants_side_by_side_are_one_filter_with_their_peaks() -> None:
    click = np.zeros(RATE_HZ)
    click[0] = 1.0
    hz, power = spectrum(np.roll(mouth(click, (Formant(600, 80, 1.0), Formant(2400, 120, 0.5))), RATE_HZ // 2))
    low, high = (power[np.argmin(np.abs(hz - peak))] for peak in (600, 2400))
    assert power[np.argmin(np.abs(hz - 1200))] < 0.05 * high
    assert high == pytest.approx(0.25 * low, rel=0.2)


def test_a_call_is_heard_at_its_instant_however_slowly_it_swells() -> None:
    slow = np.sin(2 * np.pi * 300 * np.arange(RATE_HZ) / RATE_HZ) * np.linspace(0, 1, RATE_HZ)
    heard = in_time(slow)
    lead = round(LEAD_S * RATE_HZ)
    assert 0.1 < np.abs(heard[: lead + 240]).max() < 0.25
    assert np.abs(heard[: lead // 3]).max() < 0.05


CALLS = ["cat", "cow", "horse_neigh", "sheep_bleat", "rooster", "dog_bark", "cough", "drinking"]


@pytest.mark.parametrize("name", CALLS)
def test_what_throats_say_is_heard_within_a_millisecond_of_its_time(name: str) -> None:
    recipe = recipes()[name]
    assert isinstance(recipe, HitRecipe)
    for seed in range(3):
        sound = np.abs(hit(name, seed=seed))
        assert abs(np.argmax(sound > 0.13 * sound.max()) / RATE_HZ - recipe.lead_s) < 0.0015


@pytest.mark.parametrize("name", ["scream", "laugh", "growl", "wolf_howl", "baby_voice"])
def test_what_begins_to_be_seen_begins_to_be_heard(name: str) -> None:
    intensity = np.zeros(4 * RATE_HZ, np.float32)
    intensity[RATE_HZ:] = 1.0
    sound = np.abs(recipes()[name].make(np.random.default_rng(3), intensity))
    heard_s = float(np.argmax(sound > 0.2 * sound.max())) / RATE_HZ
    assert 1.0 <= heard_s < 1.4  # a howl takes its time to swell


def test_calls_begin_where_intensity_rises_out_of_silence() -> None:
    intensity = np.zeros(1000, np.float32)
    intensity[300:500] = intensity[700:] = 2 * SILENT
    assert begins(intensity) == [300, 700]
    assert begins(np.ones(10, np.float32)) == []


def test_no_call_follows_itself() -> None:
    calls = [np.full(100, level) for level in (1.0, 2.0, 3.0)]
    silent_first = np.ones(RATE_HZ, np.float32)
    silent_first[0] = 0.0
    sound = in_turn(np.random.default_rng(1), silent_first, calls, gap_s=0.01)
    starts = np.nonzero((sound[1:] > 0) & (sound[:-1] == 0))[0] + 1
    assert len(starts) > 20
    levels = sound[starts]
    kinds = np.argmin(np.abs(np.log(levels[:, None] / np.array([1.0, 2.0, 3.0]))), axis=1)
    assert (kinds[1:] == kinds[:-1]).mean() < 0.2  # levels vary, so that a few are read as their neighbours


# --- animals ---------------------------------------------------------------------------------------------------------


def test_large_dogs_bark_lower() -> None:
    for variant in range(4):
        small, large = (centroid_hz(hit("dog_bark", size=size, variant=variant)) for size in (0.0, 1.0))
        assert large < 0.75 * small


def test_one_dog_keeps_its_voice_and_another_has_its_own() -> None:
    def voice_hz(variant: int) -> float:
        return float(np.median([centroid_hz(hit("dog_bark", seed=seed, variant=variant)) for seed in range(5)]))

    voices = [voice_hz(variant) for variant in range(4)]
    assert np.ptp(voices) > 60
    assert np.ptp([centroid_hz(hit("dog_bark", seed=seed)) for seed in range(5)]) < 0.35 * voices[0]


def test_a_sheep_trembles_7_to_11_times_a_second() -> None:
    assert 6.5 < beat_hz(hit("sheep_bleat", low=0.2), 5, 15) < 11.5


def test_a_ram_bleats_lower_than_a_lamb() -> None:
    assert centroid_hz(hit("sheep_bleat", low=1.0)) < 0.9 * centroid_hz(hit("sheep_bleat", low=0.0))


def test_farm_animals_lie_in_the_order_of_their_size() -> None:
    heard = [centroid_hz(hit("cow", kind=kind)) for kind in ("cow", "calf", "donkey", "piglet")]
    assert heard == sorted(heard)


def test_a_neigh_falls() -> None:
    sound = hit("horse_neigh")
    half = RATE_HZ // 2
    early, late = (loudest_hz(part, 250, 3000) for part in (sound[half // 2 : half], sound[2 * half : 3 * half]))
    assert late < 0.85 * early


def test_a_cat_purrs_23_to_31_times_a_second() -> None:
    assert 21 < beat_hz(texture("purr"), 15, 45) < 32


def test_a_snake_that_rattles_beats_its_tail() -> None:
    assert 45 < beat_hz(texture("snake", rattle=1.0), 35, 95) < 82


def test_birds_sing_above_2_khz() -> None:
    hz, power = spectrum(texture("birds"))
    song = power[(hz > 1500) & (hz < 9000)]
    assert song.sum() > 0.6 * power.sum()
    assert np.sort(song)[-len(song) // 20 :].sum() > 0.4 * song.sum(), "of hiss, the loudest 5 % would hold a fifth"


@pytest.mark.parametrize(
    ("kind", "low_hz", "high_hz"),
    [("owl", 350, 850), ("cuckoo", 480, 760), ("pigeons", 350, 600), ("tits", 3300, 8000), ("blackbird", 1200, 3200)],
)
def test_a_species_keeps_to_its_pitch(kind: str, low_hz: float, high_hz: float) -> None:
    sound = recipes()["birds"].make(np.random.default_rng(1), np.ones(12 * RATE_HZ, np.float32), kind=kind, air=0.0)
    assert low_hz < loudest_hz(sound, 150, 12_000) < high_hz


def test_a_species_needs_to_be_known() -> None:
    with pytest.raises(ValueError, match="kind must be one of songbirds"):
        texture("birds", kind="penguin")


def test_wings_beat_as_often_as_asked() -> None:
    assert beat_hz(texture("wing_flaps", beats_hz=6.0), 4.0, 9.0) == pytest.approx(6.0, rel=0.15)


def test_crickets_pulse_28_to_55_times_a_second() -> None:
    for kind, low, high in (("field", 26, 40), ("tree", 38, 57)):
        assert low < beat_hz(texture("crickets", count=1, kind=kind), 20, 70) < high


@pytest.mark.parametrize("kind", ["bee", "fly", "mosquito"])
def test_wings_hum_at_their_beat(kind: str) -> None:
    low_hz, high_hz, _ = WINGS[kind]
    assert 0.88 * low_hz < loudest_hz(texture("bees", count=1, kind=kind), 0.7 * low_hz, 1.4 * high_hz) < 1.12 * high_hz


def test_a_bullfrog_is_lower_than_a_tree_frog() -> None:
    assert 3 * loudest_hz(texture("frogs", kind="bull"), 100, 6000) < loudest_hz(
        texture("frogs", kind="tree"), 100, 6000
    )


# --- people ----------------------------------------------------------------------------------------------------------


def test_more_people_make_smoother_applause() -> None:
    def unevenness(people: int) -> float:
        sound = texture("applause", people=people).astype(np.float64)
        return float(np.mean(sound**4) / np.mean(sound**2) ** 2)

    assert unevenness(3) > 2 * unevenness(120)


def test_an_audience_that_claps_together_keeps_one_beat() -> None:
    def swing(together: float) -> float:
        sound = np.abs(texture("applause", people=80, together=together).astype(np.float64))
        envelope = sound.reshape(-1, 960).mean(axis=1)
        return float(envelope.std() / envelope.mean())

    assert swing(1.0) > 2 * swing(0.0)
    assert 1.9 < beat_hz(texture("applause", people=80, together=1.0), 1.0, 3.5) < 2.6


@pytest.mark.parametrize("name", ["walla", "crowd"])
def test_a_murmur_lies_where_voices_do(name: str) -> None:
    hz, power = spectrum(texture(name))
    assert power[(hz > 90) & (hz < 4500)].sum() > 0.85 * power.sum()


def test_talk_comes_in_syllables() -> None:
    assert 0.5 < beat_hz(texture("walla", people=1), 0.5, 12.0) < 8.0


def test_a_restaurant_clinks_and_a_murmur_does_not() -> None:
    def treble(name: str) -> float:
        hz, power = spectrum(texture(name, people=12))
        return float(power[hz > 4000].sum() / power.sum())

    assert treble("restaurant") > 3 * treble("walla")


def test_a_breath_in_is_brighter_than_one_out() -> None:
    intensity = np.ones(2 * RATE_HZ, np.float32)
    intensity[0] = 0.0
    sound = recipes()["breath"].make(np.random.default_rng(1), intensity, kind="calm")
    inward, outward = sound[RATE_HZ // 4 : RATE_HZ], sound[int(1.5 * RATE_HZ) : int(1.9 * RATE_HZ)]
    assert centroid_hz(inward) > 1.3 * centroid_hz(outward)


def test_a_child_laughs_higher_than_a_man() -> None:
    assert loudest_hz(texture("laugh", who="man"), 120, 300) < 260 < loudest_hz(texture("laugh", who="child"), 300, 650)


def test_a_heart_beats_lub_dub_and_sooner_when_it_runs() -> None:
    def gap_s(rate_bpm: float) -> float:
        sound = np.abs(hit("heartbeat", rate_bpm=rate_bpm).astype(np.float64))
        envelope = np.convolve(sound, np.ones(960) / 960, "same")
        later = int(0.12 * RATE_HZ)
        return (later + int(np.argmax(envelope[later:]))) / RATE_HZ

    assert gap_s(60) == pytest.approx(0.33, abs=0.05)
    assert gap_s(180) < 0.75 * gap_s(60)


def test_a_punch_in_the_face_cracks_and_one_on_a_bag_thumps() -> None:
    def early_hz(target: str) -> float:
        return float(np.mean([centroid_hz(hit("punch", seed=seed, target=target)[:1440]) for seed in range(6)]))

    assert early_hz("face") > 1.3 * early_hz("bag")


def test_crisps_break_brighter_than_bread() -> None:
    crisp, soft = (
        np.mean([centroid_hz(hit("eating", seed=s, food=food)) for s in range(4)]) for food in ("crisp", "soft")
    )
    assert crisp > 1.5 * soft


# --- drums and games -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("kind", "pitch_hz"), [("taiko", 58.0), ("tom", 120.0), ("timpani", 98.0)])
def test_a_drum_has_its_pitch(kind: str, pitch_hz: float) -> None:
    sound = hit("kick", 0.5, kind=kind)[RATE_HZ // 20 :]
    assert loudest_hz(sound, 0.6 * pitch_hz, 1.3 * pitch_hz) == pytest.approx(pitch_hz, rel=0.1)


def test_a_crash_rings_longer_than_a_shut_hihat() -> None:
    assert ring_s(hit("cymbal", kind="crash")) > 4 * ring_s(hit("cymbal", kind="hihat"))


def test_strings_have_the_pitch_they_are_given() -> None:
    assert loudest_hz(hit("pluck", pitch_hz=196.0), 150, 250) == pytest.approx(196.0, rel=0.01)
    with pytest.raises(ValueError, match="pitch_hz must be a number from 25 to 2000; got 9000"):
        hit("pluck", pitch_hz=9000)


def test_the_air_in_a_ball_rings_at_the_pitch_of_its_sphere() -> None:
    for ball, first_hz in (("basketball", 946.0), ("football", 1032.0), ("volleyball", 1081.0)):
        bounces = [hit("ball_bounce", ball=ball, floor="grass", seed=seed)[int(0.03 * RATE_HZ) :] for seed in range(9)]
        heard_hz = [loudest_hz(sound, 0.85 * first_hz, 1.15 * first_hz) for sound in bounces]
        assert np.median(heard_hz) == pytest.approx(first_hz, rel=0.03)


def test_a_ball_that_is_left_alone_bounces_ever_sooner_and_softer() -> None:
    sound = np.abs(hit("ball_bounce", ball="table_tennis", floor="table", bounces_left=8))
    at = []
    for start in range(0, len(sound) - 480, 480):
        if sound[start : start + 480].max() > 0.02 and (not at or start - at[-1] > 2400):
            at.append(start)
    gaps = np.diff(at)
    assert len(gaps) >= 3
    assert gaps[-1] < gaps[0]
    assert sound[at[-1] : at[-1] + 960].max() < sound[:960].max()


def test_a_table_tennis_ball_is_brighter_than_a_medicine_ball() -> None:
    assert centroid_hz(hit("ball_bounce", ball="table_tennis")) > 8 * centroid_hz(hit("ball_bounce", ball="medicine"))


def test_blades_ring_and_pins_scatter() -> None:
    assert ring_s(hit("sword_clash")) > 3 * ring_s(hit("bat_hit"))
    assert ring_s(hit("bat_hit", game="bowling")) > 2 * ring_s(hit("bat_hit", game="billiards"))


@pytest.mark.parametrize(
    ("name", "parameters"),
    [
        ("cat", {"says": "moo"}),
        ("bees", {"count": 0}),
        ("applause", {"people": 1e6}),
        ("snake", {"rattle": "loud"}),
        ("racket_hit", {"game": "chess"}),
        ("ball_bounce", {"bounces_left": 0.2}),
    ],
)
def test_what_makes_no_sense_is_refused(name: str, parameters: dict[str, float | str]) -> None:
    with pytest.raises(ValueError, match="must be"):
        (texture if isinstance(recipes()[name], TextureRecipe) else hit)(name, **parameters)
