"""What leaves foley opens where sound editors work: Broadcast Wave on the clip's time code, named and marked."""

from __future__ import annotations

import json
import re
import shutil
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
import soundfile
import wavinfo

import foley
from foley.api import Settings
from foley.media import ffmpeg
from foley.plan import events
from foley.units import timecode_to_frames, to_samples
from tests import media_maker as make
from tests.identity_maker import signer

SAMPLES = Path(__file__).parents[2] / "samples"
RATE = Fraction(30000, 1001)
TIMECODE = "00:59:58;20"
START = to_samples(Fraction(timecode_to_frames(TIMECODE, RATE)) / RATE, 48_000)
PROMPT = "hammer on an anvil, fire crackles"
TONE_HZ = 300


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three seconds at 29.97 with drop-frame time code and a mono tone of its own."""
    to = tmp_path_factory.mktemp("film") / "Reel_1.mov"
    make.ffmpeg(
        *("-i", SAMPLES / "workshop.mp4", "-f", "lavfi", "-i", f"sine=f={TONE_HZ}:r=44100:d=3", "-t", "3"),
        *("-map", "0:v", "-map", "1:a", "-r", "30000/1001", "-timecode", TIMECODE, "-c:a", "pcm_s16le", to),
    )
    return to


def scored(film: Path, to: Path, cache: Path, **options: object) -> foley.Result:
    to.mkdir()
    settings = Settings(workdir=cache, options={"deliver": options})
    return foley.run(film, prompt=PROMPT, output=to, settings=settings)


@pytest.fixture(scope="module")
def result(film: Path, cache: Path, tmp_path_factory: pytest.TempPathFactory) -> foley.Result:
    to = tmp_path_factory.mktemp("out") / "plain"
    return scored(film, to, cache, dialogue=True, formats="flac,mp3,ogg,aac")


def names_in(result: foley.Result, *suffixes: str) -> set[str]:
    found = (path.relative_to(result.folder).as_posix() for path in result.folder.rglob("*"))
    return {name for name in found if name.endswith(suffixes)}


def listed(result: foley.Result) -> list[dict]:
    return json.loads((result.folder / "manifest.json").read_text())["sounds"]


def samples_of(path: Path) -> np.ndarray:
    return soundfile.read(path, dtype="int32", always_2d=True)[0]


def test_every_sound_file_stands_at_the_clip_s_time_code(result: foley.Result) -> None:
    takes = {event.id: event for event in result.plan.events}
    for name in names_in(result, ".wav"):
        read = wavinfo.WavInfoReader(str(result.folder / name))
        own = {element.tag: element.text for element in read.ixml.parsed.find("USER")}
        assert read.bext.version == 2, name
        assert read.bext.time_reference == START + int(own.get("FOLEY_FIRST_SAMPLE", 0)), name
        assert read.ixml.parsed.find("SPEED/TIMECODE_FLAG").text == "DF"
        assert own.get("FOLEY_EVENT", next(iter(takes))) in takes


def test_a_hit_of_a_take_lies_in_the_file_where_its_marker_says(result: foley.Result) -> None:
    event = next(event for event in result.plan.events if event.kind == "hits")
    read = wavinfo.WavInfoReader(str(result.folder / "takes" / f"{event.id}.wav"))
    frames = [cue["frame"] for cue in read.cues.to_dict().values()]
    assert len(frames) == len(event.hits)
    placed = [START + to_samples(hit.time_s, 48_000) for hit in event.hits]
    assert [read.bext.time_reference + frame for frame in frames] == placed
    sound = np.abs(samples_of(result.folder / "takes" / f"{event.id}.wav")).max(axis=1)
    loud = sound.max() / 1000
    for frame in frames:  # something begins within 5 ms of it
        assert sound[frame : frame + 240].max() > loud


def test_stems_and_mix_have_a_marker_for_each_of_their_events(result: foley.Result) -> None:
    for name in ("foley", "effects", "backgrounds", "mix"):
        wanted = [event.label for event in result.plan.events if name in ("mix", event.bus)]
        cues = wavinfo.WavInfoReader(str(result.folder / "stems" / f"{name}.wav")).cues
        found = cues.to_dict() if cues else {}
        assert sorted(cue["label"] for cue in found.values()) == sorted(wanted)


def test_the_mix_tells_its_loudness(result: foley.Result) -> None:
    said = wavinfo.WavInfoReader(str(result.folder / "stems" / "mix.wav")).bext
    measured = result.delivery.report.mix
    assert said.loudness_value == pytest.approx(measured.integrated_lufs, abs=0.006)
    assert said.max_true_peak == pytest.approx(measured.true_peak_dbtp, abs=0.006)


def test_the_dialogue_is_the_clip_s_own_sound_as_long_as_the_picture(result: foley.Result) -> None:
    dialogue = samples_of(result.folder / "stems" / "dialogue.wav")
    assert dialogue.shape == (result.delivery.report.duration_samples, 1)
    part = dialogue[48_000:96_000, 0].astype(np.float64)
    assert np.argmax(np.abs(np.fft.rfft(part))) == TONE_HZ
    assert np.abs(part).max() / 2**31 == pytest.approx(0.125, rel=0.02)  # what ffmpeg's sine peaks at


@pytest.mark.parametrize("suffix", [".flac", ".mp3", ".ogg", ".m4a"])
def test_stems_and_mix_are_written_in_the_other_forms(result: foley.Result, suffix: str) -> None:
    stems = {name for name in names_in(result, ".wav") if name.startswith("stems/")}
    assert names_in(result, suffix) == {name.replace(".wav", suffix) for name in stems}
    said = ffmpeg.probe(result.folder / f"stems/mix{suffix}")
    tags = {**said["format"].get("tags", {}), **said["streams"][0].get("tags", {})}
    tags = {name.lower(): text for name, text in tags.items()}
    assert tags["title"] == "Music and Effects"
    assert tags["comment"].endswith("http://cv.iptc.org/newscodes/digitalsourcetype/algorithmicMedia")
    length_s = result.delivery.report.duration_samples / 48_000
    assert float(said["format"]["duration"]) == pytest.approx(length_s, abs=0.06)  # MP3 and AAC fill whole frames


def test_flac_holds_the_same_samples(result: foley.Result) -> None:
    stems = result.folder / "stems"
    assert np.array_equal(samples_of(stems / "mix.flac"), samples_of(stems / "mix.wav"))


def test_the_video_tells_where_its_sound_comes_from(result: foley.Result) -> None:
    comment = ffmpeg.probe(result.video)["format"]["tags"]["comment"]
    assert comment.startswith("Sound effects generated by foley: Computer-made sound")
    assert "digitalsourcetype/algorithmicMedia" in comment


def test_credits_lie_beside_it(result: foley.Result) -> None:
    text = (result.folder / "credits.txt").read_text()
    assert all(f"[{event.id}]" in text and f"seed {event.seed}" in text for event in result.plan.events)


def test_ucs_names_are_read_by_the_library(film: Path, cache: Path, tmp_path: Path) -> None:
    from foley.library import ucs

    result = scored(film, tmp_path / "ucs", cache, naming="ucs", creator="ABC")
    assert {entry["file"] for entry in listed(result)} == names_in(result, ".wav")
    for name in names_in(result, ".wav"):
        read = ucs.parse_name(Path(name).stem)
        assert read.category, name
        assert (read.creator, read.source) == ("ABC", "Reel 1")


def test_delivery_names_hold_and_an_edit_changes_only_its_files(film: Path, cache: Path, tmp_path: Path) -> None:
    result = scored(film, tmp_path / "delivery", cache, naming="delivery")
    before = {name: (result.folder / name).read_bytes() for name in names_in(result, ".wav")}
    assert all(re.fullmatch(r"(takes|stems)/Reel-1_[A-Za-z0-9.-]+_48k24b\.wav", name) for name in before)
    by_event = {entry["event"]: entry["file"] for entry in listed(result)}
    by_content = {entry["holds"]: entry["file"] for entry in listed(result)}
    edited = next(event for event in result.plan.events if event.kind == "hits")
    changed = tuple(replace(each, seed=99) if each.id == edited.id else each for each in result.plan.events)
    events.save(replace(result.plan, events=changed), result.folder / "plan.yaml")
    settings = Settings(workdir=cache, options={"deliver": {"naming": "delivery"}})
    again = foley.render(result.folder / "plan.yaml", settings=settings)
    differing = {name for name in before if (again.folder / name).read_bytes() != before[name]}
    assert differing == {by_event[edited.id], by_content[edited.bus], by_content["mix"]}


def test_files_under_other_names_take_the_place_of_the_old_ones(film: Path, cache: Path, tmp_path: Path) -> None:
    result = scored(film, tmp_path / "renamed", cache, formats="mp3")
    assert "stems/mix.mp3" in names_in(result, ".mp3")
    settings = Settings(workdir=cache, options={"deliver": {"naming": "delivery"}})
    again = foley.render(result.folder / "plan.yaml", settings=settings)
    assert names_in(again, ".mp3") == set()
    assert {entry["file"] for entry in listed(again)} == names_in(again, ".wav")


@pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl is not installed")
def test_a_video_is_signed_with_the_user_s_certificate(film: Path, cache: Path, tmp_path: Path) -> None:
    c2pa = pytest.importorskip("c2pa", reason="c2pa-python is not installed")
    by = signer(tmp_path)
    signed = {"c2pa_certificate": str(by.certificate), "c2pa_key": str(by.key)}
    result = scored(film, tmp_path / "signed", cache, **signed)
    with c2pa.Reader(str(result.video)) as reader:
        assert reader.get_validation_state() == "Valid"
        assert "c2pa.dubbed" in reader.json()
    assert ffmpeg.video_hash(result.video) == ffmpeg.video_hash(film)
    assert str(by.key) not in (result.folder / "manifest.json").read_text()
    foley.render(result.folder / "plan.yaml", settings=Settings(workdir=cache))  # it is known as ours
