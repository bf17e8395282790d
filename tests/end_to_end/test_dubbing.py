"""Localising films whose every part is known: filled where it was lost, untouched elsewhere, in sync."""

from __future__ import annotations

import hashlib
import json
import subprocess
from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
import typer
import wavinfo
from typer.testing import CliRunner

from foley import dubbing
from foley.api import Settings, look_into
from foley.cli import dubbing as commands
from foley.dubbing import DubResult, DubSettings
from foley.errors import MediaError, MuxError, OptionError, OutputExistsError, PlanError
from foley.evaluate.onsets import RATE_HZ as DETECTOR_HZ
from foley.evaluate.onsets import onset_times_s
from foley.media import ffmpeg, sound
from foley.media.language_names import language
from foley.media.writer import GENERATED_MARK
from foley.plan import events
from tests.dub_maker import (
    BLOWS_S,
    PROMPT,
    RATE_HZ,
    SPOKEN_S,
    UNDER_SPEECH_S,
    Film,
    dubbed,
    film,
    needs_speech,
    samples_of,
    saved,
)
from tests.media_maker import late_picture, moving, variable_rate

pytestmark = needs_speech

HIT_WITHIN_S = 0.05
SAME_LEVEL_DB = 3.0
"""A blow of other metal in another make: as loud as its like to within what a mixer rides anyway."""
Runs = Callable[..., DubResult]


@pytest.fixture(scope="module")
def stage_cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(scope="module")
def known(tmp_path_factory: pytest.TempPathFactory) -> Film:
    return film(tmp_path_factory.mktemp("film"))


@pytest.fixture(scope="module")
def runs(known: Film, stage_cache: Path) -> Runs:
    """Dub the film with one of its backgrounds, into a folder."""
    voice, clip = known.save("voice.wav", known.speech), known.video()

    def run(background: str, to: Path, *, languages: tuple[str, ...] = (), overwrite: bool = False, **more: Any):
        dubs = {name: dubbed(known, name) for name in languages}
        given = DubSettings(known.save(f"{background}.wav", getattr(known, background)), voice, dubs, **more)
        settings = Settings(workdir=stage_cache, overwrite=overwrite)
        return dubbing.me(clip, prompt=PROMPT, given=given, output=to, settings=settings)

    return run


@pytest.fixture(scope="module")
def result(runs: Runs, tmp_path_factory: pytest.TempPathFactory) -> DubResult:
    """The film whose background is mute under speech, in two more languages."""
    return runs("muted", tmp_path_factory.mktemp("out") / "film.me.mkv", languages=("de", "es"))


def report(result: DubResult) -> dict[str, Any]:
    return json.loads((result.folder / "me-report.json").read_text())


def filled(result: DubResult) -> np.ndarray:
    """Which samples lie in filled places."""
    inside = np.zeros(report(result)["duration_samples"], bool)
    for place in report(result)["places"]:
        inside[place["first_sample"] : place["last_sample"]] = True
    return inside


def tracks(video: Path) -> list[dict[str, Any]]:
    return ffmpeg.probe(video, select_streams="a")["streams"]


def names(video: Path, key: str) -> list[tuple[str, str]]:
    """Language (ISO 639-2/T, whichever of its codes the container keeps) and title of each sound track."""
    return [(language(stream["tags"]["language"]).code, stream["tags"].get(key, "")) for stream in tracks(video)]


def sound_hash(video: Path, number: int) -> str:
    """Of the coded packets of one sound track."""
    command = ["ffmpeg", "-v", "error", "-i", video, "-map", f"0:a:{number}", "-c", "copy", "-f", "data", "-"]
    return hashlib.md5(subprocess.run(command, check=True, capture_output=True).stdout).hexdigest()


def onsets(samples: np.ndarray) -> np.ndarray:
    """Onsets by the detector that measures everything else too."""
    mono = samples.mean(axis=0) / 2**23
    heard = np.interp(
        np.arange(int(mono.size * DETECTOR_HZ / RATE_HZ)) * RATE_HZ / DETECTOR_HZ, np.arange(mono.size), mono
    )
    return np.asarray(onset_times_s(iter([heard.astype(np.float32)])))


def level_db(samples: np.ndarray, first_s: float, last_s: float) -> float:
    part = samples[:, round(first_s * RATE_HZ) : round(last_s * RATE_HZ)] / 2**23
    return float(10 * np.log10(np.mean(part**2)))


def test_the_effects_are_the_background_to_the_bit_outside_the_filled_places(result: DubResult, known: Film) -> None:
    made, given = samples_of(result.delivery.me), samples_of(known.folder / "muted.wav")
    inside = filled(result)
    assert np.array_equal(made[:, ~inside], given[:, ~inside])
    assert 0.3 < inside.mean() < 0.45  # 3.6 of 10 s are mute, and blows ring
    assert np.array_equal(given + samples_of(result.folder / "fills.wav"), made)


def test_what_was_mute_under_speech_gets_its_blows_back(result: DubResult) -> None:
    heard = onsets(samples_of(result.delivery.me))
    assert len(UNDER_SPEECH_S) == 4
    for blow_s in BLOWS_S:
        assert np.abs(heard - blow_s).min() <= HIT_WITHIN_S, blow_s


def test_blows_and_ambience_that_were_made_are_as_loud_as_those_that_were_kept(result: DubResult, known: Film) -> None:
    made, whole = samples_of(result.delivery.me), known.background * 2**23
    for blow_s in UNDER_SPEECH_S:
        assert level_db(made, blow_s, blow_s + 0.1) == pytest.approx(
            level_db(whole, blow_s, blow_s + 0.1), abs=SAME_LEVEL_DB
        )
    for quiet_s in (2.5, 6.0):  # under speech, before the first blow
        assert level_db(made, quiet_s - 0.05, quiet_s + 0.05) == pytest.approx(-50.0, abs=SAME_LEVEL_DB)


def test_every_file_is_as_long_as_the_picture_to_the_sample(result: DubResult) -> None:
    for name in ("me.wav", "fills.wav", "de.wav", "es.wav"):
        file = sound.describe(result.folder / name)
        assert (file.rate_hz, file.channels, file.length) == (48_000, 2, 480_000)
        assert soundfile.info(result.folder / name).subtype == "PCM_24"


def test_every_sound_file_is_a_broadcast_wave_that_says_what_of_it_was_made(result: DubResult) -> None:
    told = {name: wavinfo.WavInfoReader(str(result.folder / f"{name}.wav")).bext for name in ("me", "fills", "de")}
    assert {name: said.description for name, said in told.items()} == {
        "me": "film: Music and Effects. Sound mixed by a computer from recordings and other sound",
        "fills": "film: Music and Effects Fills. Computer-made sound (procedural synthesis)",
        "de": "film: German Mix. Sound mixed by a computer from recordings and other sound",
    }
    assert {(said.version, said.time_reference) for said in told.values()} == {(2, 0)}
    loudness = next(mix["integrated_lufs"] for mix in report(result)["languages"] if mix["name"] == "de")
    assert told["de"].loudness_value == pytest.approx(loudness, abs=0.01)


def test_video_and_credits_say_what_was_made_and_by_whom(result: DubResult) -> None:
    comment = ffmpeg.probe(result.video)["format"]["tags"]["COMMENT"]
    assert comment.startswith(f"{GENERATED_MARK}: Sound mixed by a computer")
    assert comment.endswith("/digitalsourcetype/composite")
    credits = (result.folder / "credits.txt").read_text()
    assert "Generator: procedural" in credits
    made = [filling["part"] for filling in report(result)["sounds"] if filling["generator"]]
    assert made
    assert all(f"[{part}]" in credits for part in made)


def test_matroska_tells_languages_titles_and_roles(result: DubResult) -> None:
    assert names(result.video, "title") == [
        ("deu", "German"),
        ("spa", "Spanish"),
        ("eng", ""),
        ("zxx", "Music and effects"),
    ]
    roles = [
        (each["disposition"]["default"], each["disposition"]["dub"], each["disposition"]["original"])
        for each in tracks(result.video)
    ]
    assert roles == [(1, 1, 0), (0, 1, 0), (0, 0, 1), (0, 0, 0)]


def test_picture_and_own_track_are_copied_to_the_bit(result: DubResult, known: Film) -> None:
    assert ffmpeg.video_hash(result.video) == ffmpeg.video_hash(known.folder / "film.mp4")
    assert sound_hash(result.video, 2) == sound_hash(known.folder / "film.mp4", 0)


def test_the_tracks_of_the_video_hold_the_files_sample_by_sample(result: DubResult, tmp_path: Path) -> None:
    for number, name in ((0, "de.wav"), (1, "es.wav"), (3, "me.wav")):
        to = tmp_path / name
        subprocess.run(
            ["ffmpeg", "-v", "error", "-i", result.video, "-map", f"0:a:{number}", "-c:a", "pcm_s24le", to], check=True
        )
        assert np.array_equal(samples_of(to), samples_of(result.folder / name))


def test_dubs_stand_over_the_effects_as_the_original_stood_over_its_background(result: DubResult) -> None:
    told = report(result)
    assert told["balance"]["measured"]
    for each in told["languages"]:
        over = each["dub_lufs"] + each["dub_gain_db"] - told["balance"]["background_lufs"]
        assert over == pytest.approx(told["balance"]["ratio_lu"], abs=0.01)
        assert each["integrated_lufs"] == pytest.approx(-23.0, abs=0.2)
        assert each["true_peak_dbtp"] <= -1.0


def test_the_effects_give_way_under_the_dub_in_its_mix_alone(result: DubResult, known: Film) -> None:
    made, mix = samples_of(result.delivery.me) / 2**23, samples_of(result.folder / "de.wav") / 2**23
    voice = soundfile.read(known.folder / "dub-de.wav", dtype="float64")[0]
    (told,) = (each for each in report(result)["languages"] if each["name"] == "de")
    open_s, spoken_s = (8.95, 9.1), (2.75, 2.9)  # a blow in each
    whole = [slice(round(a * RATE_HZ), round(b * RATE_HZ)) for a, b in (open_s, spoken_s)]
    gain = float(np.linalg.norm(mix[:, whole[0]]) / np.linalg.norm(made[:, whole[0]]))
    under = mix[:, whole[1]] - gain * 10 ** (told["dub_gain_db"] / 20) * voice[None, whole[1]]
    ducked_db = 20 * np.log10(np.linalg.norm(under) / np.linalg.norm(gain * made[:, whole[1]]))
    assert ducked_db == pytest.approx(-3.0, abs=0.2)


def test_a_background_that_kept_everything_stays_as_it_is(runs: Runs, known: Film, tmp_path: Path) -> None:
    done = runs("background", tmp_path / "film.me.mp4", languages=("de",))
    assert report(done)["places"] == []
    assert np.array_equal(samples_of(done.delivery.me), samples_of(known.folder / "background.wav"))
    assert wavinfo.WavInfoReader(str(done.delivery.me)).bext.description.endswith(". Nothing in it was generated")
    assert "comment" not in ffmpeg.probe(done.video)["format"]["tags"]
    assert names(done.video, "handler_name")[0] == ("deu", "German")
    assert names(done.video, "handler_name")[-1] == ("zxx", "Music and effects")
    assert [each["disposition"]["default"] for each in tracks(done.video)] == [1, 0, 0]
    assert tracks(done.video)[0]["disposition"]["dub"] == 1
    assert all(Fraction(each["duration"]) == 10 for each in (tracks(done.video)[0], tracks(done.video)[2]))


def test_blows_that_went_with_the_speech_are_filled_alone(runs: Runs, known: Film, tmp_path: Path) -> None:
    done = runs("without_blows", tmp_path / "film.me.mkv", fill="spot")
    made, given = samples_of(done.delivery.me), samples_of(known.folder / "without_blows.wav")
    assert np.array_equal(made[:, ~filled(done)], given[:, ~filled(done)])
    assert {event for place in report(done)["places"] for event in place["events"]} == {"e02-hammer-on-anvil"}
    heard = onsets(made)
    assert all(np.abs(heard - blow_s).min() <= HIT_WITHIN_S for blow_s in BLOWS_S)
    clear = [t for t in heard if np.abs(np.array(BLOWS_S) - t).min() > HIT_WITHIN_S]
    assert clear == []  # nothing is doubled


def test_an_edited_plan_changes_its_own_places_alone(runs: Runs, result: DubResult, tmp_path: Path) -> None:
    plan_file = tmp_path / "film.me" / "plan.yaml"
    first = runs("muted", tmp_path / "film.me.mkv", languages=("de",))
    assert samples_of(first.delivery.me).tobytes() == samples_of(result.delivery.me).tobytes()
    hammer = next(event for event in first.plan.events if event.kind == "hits")
    louder = tuple(replace(e, gain_db=6.0) if e.id == hammer.id else e for e in first.plan.events)
    events.save(replace(events.load(plan_file), events=louder), plan_file)
    with pytest.raises(OutputExistsError, match=r"plan\.yaml"):
        runs("muted", tmp_path / "film.me.mkv", languages=("de",))
    before = samples_of(first.delivery.me)
    again = runs("muted", tmp_path / "film.me.mkv", languages=("de",), plan=plan_file)
    after = samples_of(again.delivery.me)
    blow = slice(round(2.73 * RATE_HZ), round(2.8 * RATE_HZ))
    quiet = slice(round(2.42 * RATE_HZ), round(2.68 * RATE_HZ))  # ambience of the same place
    assert np.linalg.norm(after[:, blow]) / np.linalg.norm(before[:, blow]) == pytest.approx(2.0, rel=0.05)
    assert np.array_equal(after[:, quiet], before[:, quiet])
    assert events.load(plan_file).events == louder


@pytest.mark.parametrize("make", ["variable", "film rate", "late"])
def test_any_frame_rate_and_start_keeps_sound_and_picture_together(
    make: str, known: Film, stage_cache: Path, tmp_path: Path
) -> None:
    picture = tmp_path / "clip.mkv"
    if make == "variable":
        variable_rate(picture)
    elif make == "film rate":
        moving(picture, duration_s=2.0, rate="24000/1001")
    else:
        late_picture(picture)
    clip = look_into(picture, Settings(workdir=stage_cache))
    length = round(clip.duration_s * RATE_HZ)
    background = 1e-3 * np.random.default_rng(2).standard_normal((2, length))
    background[:, 24_000] = 0.5
    given = DubSettings(
        saved(background, tmp_path / "background.wav"),
        saved(known.speech[:, round(2.4 * RATE_HZ) :][:, :length] * 0.5, tmp_path / "voice.wav"),
        {"de": dubbed(known, "de", lasts_s=1.0)},
    )
    done = dubbing.me(picture, given=given, output=tmp_path / "out.mkv", settings=Settings(workdir=stage_cache))
    assert ffmpeg.video_hash(done.video) == ffmpeg.video_hash(picture)
    written = look_into(done.video, Settings(workdir=stage_cache))
    assert written.duration_s == pytest.approx(clip.duration_s, abs=0.002)
    for track, name in ((written.sound[0], "de.wav"), (written.sound[-1], "me.wav")):
        heard = np.concatenate(list(sound.read_track(written, track, rate_hz=RATE_HZ, channels=2)), axis=1)
        kept = samples_of(done.folder / name)
        assert kept.shape[1] == length
        assert np.abs(np.rint(heard[:, :length] * 2**23) - kept[:, : heard.shape[1]]).max() <= 1
    assert samples_of(done.delivery.me)[0, 24_000] == round(0.5 * 2**23)


def short(known: Film, folder: Path) -> tuple[Path, DubSettings]:
    """Two seconds of picture, with a background and no dialogue."""
    picture = moving(folder / "short.mp4")
    background = 1e-3 * np.random.default_rng(2).standard_normal((2, 2 * RATE_HZ))
    return picture, DubSettings(saved(background, folder / "background.wav"))


def test_a_dub_that_is_too_long_is_refused_or_trimmed_as_asked(known: Film, stage_cache: Path, tmp_path: Path) -> None:
    picture, given = short(known, tmp_path)
    tone = 0.3 * np.sin(2 * np.pi * 300 * np.arange(3 * RATE_HZ) / RATE_HZ)
    given = replace(given, dubs={"fr": saved(tone, tmp_path / "long.wav")})
    settings = Settings(workdir=stage_cache)
    with pytest.raises(MediaError, match=r"the dub fr \(long.wav\) lasts 0:03.000, 1.000 s longer") as refused:
        dubbing.me(picture, given=given, settings=settings)
    assert "--trim-dubs" in refused.value.hint
    assert not (tmp_path / "short.me.mp4").exists()
    assert not (tmp_path / "short.me").exists()
    done = dubbing.me(picture, given=replace(given, options={"conform": {"trim_dubs": True}}), settings=settings)
    mix = samples_of(done.folder / "fr.wav")
    assert mix.shape[1] == 2 * RATE_HZ
    assert level_db(mix, 1.98, 2.0) < level_db(mix, 1.5, 1.6) - 15.0  # it fades
    assert any("its end is cut off" in note for note in done.delivery.notes)


def test_a_dub_that_is_a_frame_too_long_or_too_short_belongs(known: Film, stage_cache: Path, tmp_path: Path) -> None:
    picture, given = short(known, tmp_path)
    tone = 0.3 * np.sin(2 * np.pi * 300 * np.arange(2 * RATE_HZ + 1900) / RATE_HZ)
    dubs = {"fr": saved(tone, tmp_path / "a.wav"), "de": saved(tone[: RATE_HZ // 2], tmp_path / "b.wav")}
    done = dubbing.me(picture, given=replace(given, dubs=dubs), settings=Settings(workdir=stage_cache))
    assert samples_of(done.folder / "de.wav").shape[1] == 2 * RATE_HZ
    assert [note for note in done.delivery.notes if "the dub fr" in note] == []
    assert any("the dub de (b.wav) lasts 0:00.500" in note for note in done.delivery.notes)


def test_one_video_alone_is_enough_and_says_how_poor_that_is(known: Film, stage_cache: Path, tmp_path: Path) -> None:
    done = dubbing.me(
        known.video("alone.mkv", codec=("-c:a", "pcm_s24le")),
        prompt=PROMPT,
        output=tmp_path,
        settings=Settings(workdir=stage_cache),
    )
    told = report(done)
    assert told["separated_by"] == "spectral subtraction (poor)"
    assert any("which is poor" in note for note in told["notes"])
    made, whole = samples_of(done.delivery.me), samples_of(known.folder / "alone.mkv.wav")
    spoken = np.zeros(480_000, bool)
    for span in told["speech"]:
        spoken[round(span["start_s"] * RATE_HZ) : round(span["end_s"] * RATE_HZ)] = True
    untouched = ~spoken & ~filled(done)
    assert untouched.mean() > 0.3
    assert np.array_equal(made[:, untouched], whole[:, untouched])
    speech_s = SPOKEN_S[0][0] + 0.15, SPOKEN_S[0][0] + 0.3
    assert level_db(made, *speech_s) < level_db(whole, *speech_s) - 6.0


def test_the_command_answers_with_the_video_and_lays_files_out_for_other_tools(
    known: Film, stage_cache: Path, tmp_path: Path
) -> None:
    picture, given = short(known, tmp_path)
    dub = saved(0.1 * np.ones(RATE_HZ), tmp_path / "de.wav")
    app = typer.Typer()
    app.command()(commands.me)
    arguments = [
        str(picture),
        "--background",
        str(given.background),
        "--dub",
        f"de={dub}",
        "--workdir",
        str(stage_cache),
    ]
    arguments += ["--layout", "videolingo", "--default-language", "original", "--original-language", "en", "--json"]
    done = CliRunner().invoke(app, arguments, catch_exceptions=False)
    assert done.exit_code == 0
    answer = json.loads(done.stdout)
    assert answer["video"] == str(tmp_path / "short.me.mp4")
    assert Path(answer["mixes"]["de"]).is_file()
    mp3 = tmp_path / "short.me" / "videolingo" / "output" / "audio" / "background.mp3"
    assert ffmpeg.probe(mp3)["streams"][0]["codec_name"] == "mp3"


def test_what_cannot_work_is_refused_before_any_work(known: Film, stage_cache: Path, tmp_path: Path) -> None:
    picture, given = short(known, tmp_path)
    settings = Settings(workdir=stage_cache)
    dubs = {"de": tmp_path / "a.wav", "deu": tmp_path / "b.wav"}
    with pytest.raises(OptionError, match="two dubs are in German"):
        dubbing.me(picture, given=replace(given, dubs=dubs), settings=settings)
    with pytest.raises(MuxError, match=r"loses the languages deu and zxx"):
        dubbing.me(picture, given=given, output=tmp_path / "out.mov", settings=settings)
    with pytest.raises(OptionError, match="no track is in the language 'fr'"):
        dubbing.me(picture, given=replace(given, options={"languages": {"default_language": "fr"}}), settings=settings)
    with pytest.raises(MediaError, match="does not exist"):
        dubbing.me(picture, given=DubSettings(tmp_path / "none.wav"), settings=settings)
    other = tmp_path / "plan.yaml"
    made = dubbing.me(picture, given=given, output=tmp_path / "first.mkv", settings=settings).plan
    events.save(replace(made, clip=replace(made.clip, key="0" * 32)), other)
    with pytest.raises(PlanError, match="another version"):
        dubbing.me(picture, given=replace(given, plan=other), settings=settings)
