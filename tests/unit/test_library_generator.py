"""The generator `library` plays recordings exactly in time, never the same one twice in a row, and says which."""

from __future__ import annotations

import multiprocessing
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile

from foley import plugins
from foley.contracts import Context, GeneratorSettings, SoundRequest
from foley.dsp.onsets import onset_near
from foley.errors import GenerationError
from foley.library import indexing
from foley.library.meaning import add_meaning
from foley.library.store import Store
from foley.model import Audio, CurvePoint, Hit, SoundEvent
from foley.neural import runtime
from foley.render.blending import blended, envelope_matched
from foley.render.recordings import played_on
from foley.render.routing import Roster
from foley.render.shelf import Shelf
from foley.render.windows import anchored
from foley.units import RATE_HZ, to_samples
from tests import tiny_library
from tests.tiny_library import blows, noise

MISSING = runtime.missing("transformers")

HIT_TOLERANCE_S = 0.001
"""What the project promises of everything it places."""

HAMMER = SoundEvent(
    id="e01",
    label="a hammer hits a nail",
    kind="hits",
    bus="effects",
    start_s=1.0,
    end_s=4.0,
    because="a test",
    hits=tuple(Hit(1.0 + 0.6 * number, 0.9) for number in range(6)),
    recipe="hammer_nail",
)
CLOTH = replace(HAMMER, id="e02", label="clothes rustle", kind="span", end_s=13.0, hits=(), recipe="cloth_move")


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_library.make(tmp_path_factory.mktemp("library"))


def indexed(folder: Path, **sounds: np.ndarray) -> Path:
    """Return the index of recordings by their names."""
    (folder / "sounds").mkdir()
    for name, samples in sounds.items():
        soundfile.write(folder / "sounds" / f"{name}.wav", samples.T, RATE_HZ, subtype="FLOAT")
    with Store(folder / "index", create=True) as store:
        indexing.add(store, folder / "sounds")
    return folder / "index"


def made(
    index: Path, event: SoundEvent, *, seed: int = 7, start_s: float | None = None, duration_s: float = 4.5
) -> Audio:
    generator = plugins.build("generator", "library", GeneratorSettings(str(index)))
    lead_s, _ = generator.margins_s(event)
    start_s = event.start_s - lead_s if start_s is None else start_s
    (audio,) = generator.generate([SoundRequest(event, start_s, duration_s, np.random.default_rng(seed))])
    return audio


def lead_s(index: Path, event: SoundEvent) -> float:
    return float(plugins.build("generator", "library", GeneratorSettings(str(index))).margins_s(event)[0])


def parts(audio: Audio, event: SoundEvent, lead: float, length_s: float = 0.3) -> list[np.ndarray]:
    """Return the sound of each hit, from its instant on."""
    firsts = [to_samples(hit.time_s - event.start_s + lead, RATE_HZ) for hit in event.hits]
    return [audio.samples[0, first : first + to_samples(length_s, RATE_HZ)] for first in firsts]


def pitch_hz(samples: np.ndarray) -> float:
    spectrum = np.abs(np.fft.rfft(samples * np.hanning(samples.size), 1 << 16))
    return float(np.argmax(spectrum) * RATE_HZ / (1 << 16))


def test_every_hit_begins_at_its_instant(index: Path) -> None:
    audio, lead = made(index, HAMMER), lead_s(index, HAMMER)
    for hit in HAMMER.hits:
        at_s = hit.time_s - HAMMER.start_s + lead
        assert onset_near(audio, at_s, 0.1) == pytest.approx(at_s, abs=HIT_TOLERANCE_S)


def test_twelve_hits_of_a_file_are_twelve_different_hits(tmp_path: Path) -> None:
    times_s = tuple(0.2 + 0.7 * number for number in range(12))
    index = indexed(tmp_path, hammer_nail=blows(times_s, 9.0))
    event = replace(HAMMER, hits=tuple(Hit(1.0 + 0.7 * number) for number in range(12)), end_s=9.0)
    audio = made(index, event, duration_s=9.5)
    heard_hz = [pitch_hz(part) for part in parts(audio, event, lead_s(index, event))]
    # 90 Hz apart in the recording; each is played up to 0.3 semitones higher or lower, at most 27 Hz
    nearest = {round((one - 500.0) / 90.0) for one in heard_hz}
    assert nearest == set(range(12))


def test_one_recorded_hit_is_never_played_twice_alike(tmp_path: Path) -> None:
    index = indexed(tmp_path, hammer_nail=blows((0.1,), 0.8))
    played = parts(made(index, HAMMER), HAMMER, lead_s(index, HAMMER))
    for number, one in enumerate(played):
        for other in played[number + 1 :]:
            assert not np.allclose(one, other, atol=1e-3)


def test_level_and_treble_follow_the_strength(tmp_path: Path) -> None:
    index = indexed(tmp_path, hammer_nail=blows((0.1,), 0.8))
    event = replace(HAMMER, hits=tuple(Hit(1.0 + number, strength) for number, strength in enumerate((0.2, 0.5, 1.0))))
    soft, middle, hard = parts(made(index, event), event, lead_s(index, event))
    levels = [float(np.abs(one).max()) for one in (soft, middle, hard)]
    assert levels == pytest.approx([0.1, 0.25, 0.5], rel=0.13)

    def treble(samples: np.ndarray) -> float:
        spectrum = np.square(np.abs(np.fft.rfft(samples)))
        return float(spectrum[round(3000 * samples.size / RATE_HZ) :].sum() / spectrum.sum())

    assert treble(soft) < treble(middle) < treble(hard)


def test_a_take_is_the_same_for_the_planned_and_the_anchored_event(index: Path) -> None:
    generator = plugins.build("generator", "library", GeneratorSettings(str(index)))
    assert generator.margins_s(HAMMER) == generator.margins_s(anchored(HAMMER, 0.0))


def test_a_bed_goes_on_without_a_seam(tmp_path: Path) -> None:
    index = indexed(tmp_path, rain=np.stack([noise(5.0, seed=1), noise(5.0, seed=2)]))
    rain = replace(CLOTH, label="rain", kind="bed", end_s=40.0)
    audio = made(index, rain, start_s=2.0, duration_s=28.0)
    assert audio.channels == 2
    frames = audio.samples[0, : 28 * RATE_HZ].reshape(-1, RATE_HZ // 20)
    levels_db = 10.0 * np.log10(np.mean(np.square(frames), axis=1))
    # 50 ms of white noise stray by 0.13 dB; a dip of a crossfade that is not of equal power would be 3 dB
    assert np.abs(levels_db - np.median(levels_db)).max() < 1.0
    assert np.median(levels_db) == pytest.approx(-23.0, abs=0.5)


def test_a_seam_in_a_tone_is_matched_by_its_waves() -> None:
    time_s = np.arange(3 * RATE_HZ) / RATE_HZ
    tone = Audio((0.3 * np.sin(2 * np.pi * 110.3 * time_s))[None].astype(np.float32), RATE_HZ)
    samples = played_on(tone, 12 * RATE_HZ, np.random.default_rng(1))[0]
    peaks = np.abs(samples[: len(samples) // 960 * 960]).reshape(-1, 960).max(axis=1)
    assert peaks.min() > 0.27
    assert peaks.max() < 0.33


def test_a_span_is_as_loud_and_as_bright_as_its_curve(index: Path) -> None:
    curve = (CurvePoint(1.0, 0.25), CurvePoint(5.0, 0.25), CurvePoint(5.1, 1.0), CurvePoint(13.0, 1.0))
    samples = made(index, replace(CLOTH, curve=curve), start_s=1.0, duration_s=12.0).samples[0]
    soft, full = samples[RATE_HZ : 3 * RATE_HZ], samples[6 * RATE_HZ : 8 * RATE_HZ]
    assert 0.05 < np.std(soft) / np.std(full) < 0.25
    assert np.std(np.diff(soft)) / np.std(soft) < 0.95 * np.std(np.diff(full)) / np.std(full)


def test_the_sound_names_its_recordings_and_their_licence(index: Path) -> None:
    (note,) = made(index, HAMMER).notes
    assert note.startswith("made from recordings: hammer_nail_00.wav, ")
    assert "(licence: CC0-1.0)" in note


def test_routing_prefers_a_recording_that_fits_and_leaves_the_rest_to_synthesis(
    index: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FOLEY_LIBRARY", str(index))

    def maker(event: SoundEvent, **policy: str) -> str:
        studio = Roster(**policy).route(event).studio(0)  # type: ignore[arg-type]
        assert studio is not None
        return studio.name

    drip = replace(HAMMER, label="a drop falls into water", recipe="drip")
    assert maker(HAMMER) == "library"
    assert maker(drip) == "procedural"
    assert maker(replace(CLOTH, recipe="", placeholder=True)) == "library"
    assert maker(HAMMER, licence="commercial") == "library"
    with Store(index) as store:
        store.rows.execute("UPDATE files SET licence = 'CC-BY-NC-4.0'")
    try:
        assert maker(HAMMER) == "library"
        assert maker(HAMMER, licence="commercial") == "procedural"
    finally:
        with Store(index) as store:
            store.rows.execute("UPDATE files SET licence = 'CC0-1.0'")


def test_nothing_indexed_says_how_to(tmp_path: Path) -> None:
    generator = plugins.build("generator", "library", GeneratorSettings(str(tmp_path / "none")))
    assert generator.missing() == ("foley library add DIR",)
    assert not generator.suits(HAMMER)
    assert "empty" in generator.identity()
    with pytest.raises(GenerationError, match="no recording fits"):
        generator.generate([SoundRequest(HAMMER, 1.0, 1.0, np.random.default_rng(0))])


def test_a_damaged_index_keeps_nobody_else_from_working(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "index.sqlite").write_bytes(b"this was a database once " * 100)
    monkeypatch.setenv("FOLEY_LIBRARY", str(tmp_path))
    (lacks,) = plugins.build("generator", "library").missing()
    assert "cannot be used" in lacks
    studio = Roster().route(HAMMER).studio(0)
    assert studio is not None
    assert studio.name == "procedural"


def test_the_identity_changes_with_what_is_indexed(tmp_path: Path) -> None:
    index = indexed(tmp_path, hammer_nail=blows((0.1,), 0.8))
    before = plugins.build("generator", "library", GeneratorSettings(str(index))).identity()
    soundfile.write(tmp_path / "sounds" / "rain.wav", noise(3.0), RATE_HZ)
    with Store(index) as store:
        indexing.add(store, tmp_path / "sounds")
    assert plugins.build("generator", "library", GeneratorSettings(str(index))).identity() != before


def test_a_recording_that_is_gone_fails_its_event_alone(tmp_path: Path) -> None:
    index = indexed(tmp_path, hammer_nail=blows((0.1,), 0.8))
    (tmp_path / "sounds" / "hammer_nail.wav").unlink()
    with pytest.raises(GenerationError, match="does not exist"):
        made(index, HAMMER)


def test_a_performed_sound_is_fitted_to_its_event(tmp_path: Path) -> None:
    time_s = np.arange(int(1.5 * RATE_HZ)) / RATE_HZ
    creak = 0.3 * np.sin(2 * np.pi * (300.0 + 200.0 * time_s) * time_s) * np.linspace(1.0, 0.02, time_s.size) ** 2
    index = indexed(tmp_path, door_creak=creak)
    event = replace(CLOTH, label="door creak", start_s=1.0, end_s=2.8)
    samples = made(index, event, start_s=1.0, duration_s=1.8).samples[0]
    # stretched, not repeated: it falls all the way
    levels = [np.std(samples[first : first + 4800]) for first in range(4800, 76_800, 14_400)]
    assert levels == sorted(levels, reverse=True)


def test_a_blend_keeps_the_transient_and_takes_the_body(index: Path) -> None:
    event = replace(HAMMER, parameters={"blend": 1.0})
    plain, mixed, lead = made(index, HAMMER), made(index, event), lead_s(index, HAMMER)
    assert "blended with procedural" in mixed.notes
    for hit, before, after in zip(HAMMER.hits, parts(plain, HAMMER, lead), parts(mixed, HAMMER, lead), strict=True):
        at_s = hit.time_s - HAMMER.start_s + lead
        assert onset_near(mixed, at_s, 0.1) == pytest.approx(at_s, abs=HIT_TOLERANCE_S)
        transient, body = slice(0, to_samples(0.02, RATE_HZ)), slice(to_samples(0.08, RATE_HZ), None)
        assert np.allclose(before[transient], after[transient], atol=1e-6)
        assert not np.allclose(before[body], after[body], atol=1e-4)


def test_whom_a_recording_is_blended_with_brings_its_licence(index: Path) -> None:
    library = plugins.build("generator", "library", GeneratorSettings(model=str(index)))
    blended_with = {"blend": 0.5, "blend_with": "audiogen"}
    (other,) = library.made_with(replace(HAMMER, parameters=blended_with))
    assert other.capabilities.weights_licence == "CC-BY-NC-4.0"
    assert library.made_with(replace(HAMMER, parameters={**blended_with, "blend": 0.0})) == ()
    assert library.made_with(HAMMER) == ()


def test_whom_a_recording_is_blended_with_has_its_own_model_and_never_the_index(index: Path) -> None:
    event = replace(HAMMER, parameters={"blend": 0.5, "blend_with": "audiogen"})
    for models in ({}, {"audiogen": "my/model"}):
        library = plugins.build("generator", "library", GeneratorSettings(model=str(index), models=models))
        (other,) = library.made_with(event)
        assert other.settings.model == models.get("audiogen", "")


def test_blending_gives_one_sound_the_colour_of_another() -> None:
    white = Audio(noise(2.0, seed=1)[None].astype(np.float32), RATE_HZ)
    brown = Audio((np.cumsum(noise(2.0, seed=2)) * 0.01)[None].astype(np.float32), RATE_HZ)
    matched = envelope_matched(white, brown)

    def slope_db(audio: Audio) -> float:
        spectrum = np.square(np.abs(np.fft.rfft(audio.samples[0])))
        bands = [spectrum[2 * at : 4 * at].mean() for at in (400, 6400)]
        return float(10.0 * np.log10(bands[0] / bands[1]))

    # of the 24 dB between them 18 dB up and 18 dB down are allowed
    assert abs(slope_db(matched) - slope_db(brown)) < 3.0 < abs(slope_db(white) - slope_db(brown))
    assert np.array_equal(blended(white, brown, [], share=0.0).samples, white.samples)
    half = blended(white, brown, [], share=0.5)
    assert np.std(half.samples) == pytest.approx(np.std(white.samples), rel=0.1)
    with pytest.raises(ValueError, match="share"):
        blended(white, brown, [], share=1.5)


def in_a_worker(index: str, seed: int) -> bytes:
    return made(Path(index), HAMMER, seed=seed).samples.tobytes()


def test_a_spawned_worker_makes_the_same_sound(index: Path) -> None:
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        there = pool.apply(in_a_worker, (str(index), 5))
    assert there == in_a_worker(str(index), 5)


@pytest.mark.skipif(bool(MISSING), reason="; ".join(MISSING))
def test_a_model_that_hears_is_asked_where_words_find_nothing(tmp_path: Path) -> None:
    from foley.render.hearing import Hearing, hearing_of
    from tests import tiny_clap

    model = str(tiny_clap.make(tmp_path / "a clap"))
    index = indexed(tmp_path, hammer_nail=blows((0.1,), 0.8), rain=noise(3.0))
    hearing = Hearing(model, "cpu")
    with Store(index) as store:
        assert add_meaning(store, hearing.identity(), len(hearing.text("a sound")), hearing.recording) == 2
        embeddings = store.features()[:, -16:]
    assert np.linalg.norm(embeddings, axis=1) == pytest.approx([1.0, 1.0], abs=1e-5)
    assert hearing_of(hearing.identity()) is not None
    assert hearing_of("clap/1 no such model abc") is None
    shelf = Shelf(index, "any")
    unnamed = replace(HAMMER, label="zzz qqq", kind="span", recipe="")
    cosines = embeddings @ hearing.text("zzz qqq")
    assert len(shelf.found(unnamed)) == int((cosines > 0.0).sum())


def test_a_prompt_finds_the_class_among_the_first_three(shared: Path, tmp_path: Path, ctx: Context) -> None:
    from benchmarks import library as benchmark

    with Store(tmp_path / "index", create=True) as store:
        for folder in ("step_gravel", "glass_break", "door"):
            indexing.add(store, shared / "sounds" / "events" / folder)
        found = {name: benchmark.finds(store, name) for name in ("step_gravel", "glass_break", "door")}
    assert all(found.values())
