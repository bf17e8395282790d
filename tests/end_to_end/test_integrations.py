"""What runs inside editors, run: in OpenTimelineIO, in Blender, and against doubles of Resolve and Premiere."""

from __future__ import annotations

import json
import os
import re
import runpy
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit
from urllib.request import urlopen

import numpy as np
import pytest
import soundfile

import foley
from foley.integrations import catalogue
from foley.integrations.otio.hook import hook_function
from tests import media_maker
from tests.editors.resolve_double import Clip, Item, Resolve, Timeline
from tests.service_maker import Served, environment

pytest.importorskip("uvicorn")
otio = pytest.importorskip("opentimelineio")

RATE_HZ = 48_000
FPS = 25
FRAME = RATE_HZ // FPS
HIT_S = 0.92
PROMPT = "0:00.92 a hammer strikes an anvil"
TRACKS = ["FOLEY", "BACKGROUNDS"]
"""That hold sound: a hammer on an anvil, and the fire under it."""

SAME_DB = 0.1
"""What an editor may play louder or softer than the stems are: less is not heard."""

MANIFEST = Path(catalogue.__file__).parent / "otio" / "plugin_manifest.json"
PANEL = MANIFEST.parents[1] / "premiere" / "index.js"
EDITORS = Path(__file__).parents[1] / "editors"


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with Served(tmp_path_factory.mktemp("served") / "work") as served:
        yield served


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four seconds with a flash at 0.92 s."""
    return media_maker.flash_and_tone(tmp_path_factory.mktemp("film") / "shot 1.mp4", at_s=[HIT_S], duration_s=4.0)


@pytest.fixture(scope="module")
def scored(film: Path) -> Path:
    """The film with its result beside it."""
    foley.run(film, prompt=PROMPT)
    return film


def settings(served: Served) -> dict[str, str]:
    return {"url": served.url, "token_file": str(served.folder / "token")}


# OpenTimelineIO


def at(frame: int, rate: int = FPS) -> Any:
    return otio.opentime.RationalTime(frame, rate)


def span(first: int, frames: int) -> Any:
    return otio.opentime.TimeRange(at(first), at(frames))


def cut(film: Path, to: Path) -> Path:
    """Write a cut: a gap, the film from its 10th frame by time code, and again from its first without one."""
    schema = otio.schema
    timeline = schema.Timeline("cut")
    track = schema.Track("V1", kind=schema.TrackKind.Video)
    timed = schema.ExternalReference(film.as_uri(), span(90_000, 100))
    track.append(schema.Gap(source_range=span(0, 15)))
    track.append(schema.Clip("one", timed, span(90_010, 40)))
    track.append(schema.Clip("two", schema.ExternalReference(str(film)), span(0, 30)))
    track.append(schema.Clip("lost", schema.ExternalReference("not there.mov"), span(0, 20)))
    timeline.tracks.append(track)
    otio.adapters.write_to_file(timeline, str(to))
    return to


def converted(source: Path, to: Path, *more: str, **environ: str) -> Any:
    program = Path(sys.executable).with_name("otioconvert")
    command = [str(program), "-i", str(source), "-o", str(to), *more]
    done = subprocess.run(command, capture_output=True, text=True, env=environment(**environ))
    assert done.returncode == 0, done.stderr
    return otio.adapters.read_from_file(str(to))


def audio_tracks(timeline: Any) -> dict[str, Any]:
    return {track.name: track for track in timeline.tracks if track.kind == otio.schema.TrackKind.Audio}


def media_of(clip: Any) -> Path:
    return Path(unquote(urlsplit(clip.media_reference.target_url).path))


def test_a_converted_timeline_has_stems_under_its_clips_and_markers(scored: Path, tmp_path: Path) -> None:
    source = cut(scored, tmp_path / "cut.otio")
    made = converted(source, tmp_path / "out.otio", "-H", "foley=True", OTIO_PLUGIN_MANIFEST_PATH=str(MANIFEST))
    tracks = audio_tracks(made)
    assert list(tracks) == TRACKS
    for name, track in tracks.items():
        gap, one, two = track
        assert isinstance(gap, otio.schema.Gap)
        assert [gap.duration(), one.trimmed_range(), two.trimmed_range()] == [at(15), span(90_010, 40), span(0, 30)]
        assert one.media_reference.available_range == span(90_000, 100)
        assert media_of(one) == scored.with_suffix(".foley") / "stems" / f"{name.lower()}.wav"
        assert media_of(one).is_file()
    strikes = [m for m in made.tracks.markers if m.name.startswith("hammer")]
    # the strike is in frame 23: 13 frames into the first clip, 23 into the second
    assert [m.marked_range.start_time for m in strikes] == [at(15 + 13), at(15 + 40 + 23)]
    assert "0:00.92" in strikes[0].comment
    (picture,) = [track for track in made.tracks if track.kind == otio.schema.TrackKind.Video]
    assert [clip.name for clip in picture if clip.name] == ["one", "two", "lost"]
    assert list(made.metadata["foley"]["notes"]) == ["lost: its file not there.mov is not there"]


def test_the_plugin_is_found_where_foley_is_installed_and_silent_where_it_is_not_asked(
    scored: Path, tmp_path: Path
) -> None:
    info = tmp_path / "site" / "plugin_of_foley-1.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: plugin-of-foley\nVersion: 1\n")
    (info / "entry_points.txt").write_text("[opentimelineio.plugins]\nfoley = foley.integrations.otio\n")
    root = str(Path(foley.__file__).parents[1])
    found = {"PYTHONPATH": os.pathsep.join([str(info.parent), root])}
    source = cut(scored, tmp_path / "cut.otio")
    made = converted(source, tmp_path / "asked.otio", FOLEY_OTIO="1", **found)
    assert list(audio_tracks(made)) == TRACKS
    plain = converted(source, tmp_path / "not asked.otio", FOLEY_OTIO="", **found)
    assert audio_tracks(plain) == {}
    assert plain.is_equivalent_to(otio.adapters.read_from_file(str(source)))


def test_fcp7_xml_keeps_names_and_reasons(scored: Path, tmp_path: Path) -> None:
    given = otio.adapters.read_from_file(str(cut(scored, tmp_path / "cut.otio")))
    otio.adapters.write_to_file(hook_function(given, {"foley": True}), str(tmp_path / "out.xml"))
    text = (tmp_path / "out.xml").read_text()
    assert [f'MZ.TrackName="{bus}"' in text for bus in TRACKS] == [True] * len(TRACKS)
    assert re.search("<comment>[^<]*0:00.92[^<]*</comment>", text)


@pytest.mark.parametrize("suffix", ["xml", "otioz"])
def test_other_forms_hold_what_was_attached(scored: Path, tmp_path: Path, suffix: str) -> None:
    given = otio.adapters.read_from_file(str(cut(scored, tmp_path / "cut.otio")))
    del given.tracks[0][3]  # otioz bundles only what is there
    made = hook_function(in_timeline=given, argument_map={"foley": {}, "_filepath": str(tmp_path / "x")})
    assert len(given.tracks) == 1  # what was given stays as it is
    again = hook_function(in_timeline=made, argument_map={"foley": {}})
    assert len(again.tracks) == len(made.tracks)
    otio.adapters.write_to_file(made, str(tmp_path / f"out.{suffix}"))
    back = otio.adapters.read_from_file(str(tmp_path / f"out.{suffix}"))
    assert [marker.name for marker in back.tracks.markers] == [marker.name for marker in made.tracks.markers]
    tracks = [track for track in back.tracks if track.kind == otio.schema.TrackKind.Audio]
    assert len(tracks) == len(TRACKS)
    for track in tracks:
        (one, two) = track.find_clips()
        assert (one.trimmed_range().duration, two.trimmed_range().duration) == (at(40), at(30))


def test_the_hook_renders_only_when_asked_and_says_what_it_does_not_do(film: Path, tmp_path: Path) -> None:
    fresh = Path(shutil.copy(film, tmp_path / "fresh.mp4"))
    schema = otio.schema
    timeline = schema.Timeline("cut")
    timeline.tracks.append(schema.Track("V1", kind=schema.TrackKind.Video))
    clip = schema.Clip("fresh", schema.ExternalReference("fresh.mp4"), span(0, 50))
    timeline.tracks[0].append(clip)
    arguments = {"_filepath": str(tmp_path / "out.otio")}
    made = hook_function(timeline, {"foley": True, **arguments})
    assert len(made.tracks) == 1
    assert "foley run fresh.mp4" in made.metadata["foley"]["notes"][0]
    made = hook_function(timeline, {"foley": {"render": True, "prompt": PROMPT, "markers": False}, **arguments})
    assert list(audio_tracks(made)) == TRACKS
    assert len(made.tracks.markers) == 0
    assert fresh.with_suffix(".foley").is_dir()
    clip.effects.append(schema.LinearTimeWarp(time_scalar=2.0))
    fast = hook_function(timeline, {"foley": True, **arguments})
    assert "speed" in fast.metadata["foley"]["notes"][0]
    with pytest.raises(foley.errors.OptionError, match="volume"):
        hook_function(timeline, {"foley": {"volume": 11}})


# Blender


@pytest.mark.skipif(shutil.which("blender") is None, reason="blender is not installed")
def test_blender_scores_the_strip_under_the_playhead(served: Served, film: Path, tmp_path: Path) -> None:
    catalogue.install(catalogue.named("blender"), tmp_path / "scripts" / "addons")
    asked = {
        "preferences": {**settings(served), "folder": str(tmp_path / "sounds")},
        "clip": str(film),
        "begin": 101,  # where the file's first frame would be
        "skipped": 40,
        "shown": 50,
        "prompt": "0:01 a hammer strikes an anvil",  # of what is shown
        "mix": str(tmp_path / "mix.wav"),
    }
    (tmp_path / "asked.json").write_text(json.dumps(asked))
    drive = ["blender", "-b", "--factory-startup", "-P", EDITORS / "in_blender.py", "--", tmp_path / "asked.json"]
    environ = environment(BLENDER_USER_SCRIPTS=str(tmp_path / "scripts"))
    done = subprocess.run(list(map(str, drive)), capture_output=True, text=True, env=environ)
    told = json.loads((tmp_path / "asked.found.json").read_text())
    assert told["ended"] == ["FINISHED"], done.stdout + done.stderr
    assert served.client.jobs() == []  # what was fetched is not kept twice
    mixed, rate_hz = soundfile.read(tmp_path / "mix.wav", dtype="float32")
    assert rate_hz == RATE_HZ
    summed = np.zeros((50 * FRAME, 2), np.float32)
    for strip in told["sounds"]:
        assert (strip["first"], strip["frames"]) == (141, 50)
        assert Path(strip["file"]).is_relative_to(tmp_path / "sounds")
        stem, _ = soundfile.read(strip["file"], dtype="float32")
        summed += stem[int(strip["offset"]) * FRAME :][: len(summed)]
    assert len({strip["channel"] for strip in told["sounds"]}) == len(told["sounds"]) >= 1
    assert 3 not in {strip["channel"] for strip in told["sounds"]}  # there is something there already
    mixed = mixed[: len(summed)]
    assert abs(level_db(mixed) - level_db(summed)) < SAME_DB
    assert lag(mixed[:, 0], summed[:, 0]) == 0
    ((text, frame),) = [(text, frame) for text, frame in told["markers"] if text.startswith("hammer")]
    assert abs(frame - (141 + FPS)) <= 1
    assert len(text.encode()) <= 63
    assert "hammer on anvil: " in told["notes"]


def level_db(samples: np.ndarray) -> float:
    return float(10 * np.log10(np.mean(np.square(samples, dtype=np.float64))))


def lag(heard: np.ndarray, made: np.ndarray) -> int:
    """Return by how many samples a sound is late."""
    size = 2 * len(made)
    spectrum = np.fft.rfft(heard, size) * np.conj(np.fft.rfft(made, size))
    late = int(np.argmax(np.fft.irfft(spectrum, size)))
    return late if late < len(made) else late - size


def test_without_a_service_the_command_does_it(tmp_path: Path) -> None:
    from foley.integrations.scoring import Task, cues, stems

    film = media_maker.flash_and_tone(tmp_path / "film.mp4", at_s=[0.4], duration_s=0.8)
    command = tmp_path / "foley"
    command.write_text(f'#!/bin/sh\nexec {sys.executable} -m foley "$@"\n')
    command.chmod(0o755)
    nowhere = {"url": "http://127.0.0.1:9", "token_file": str(tmp_path / "no token")}
    task = Task(film, tmp_path / "sounds", prompt="0:00.4 a hammer strikes an anvil", command=str(command), **nowhere)
    task.run()
    assert task.error == ""
    assert task.result is not None
    assert task.result.is_relative_to(tmp_path / "sounds")
    assert "foley" in stems(task.result)
    assert [cue.start_s for cue in cues(task.result) if cue.label.startswith("hammer")] == [
        pytest.approx(0.4, abs=0.05)
    ]
    broken = Task(tmp_path / "foley", tmp_path / "sounds", command=str(command), **nowhere)
    broken.run()
    assert "foley" in broken.error


def test_a_cancelled_task_ends_its_job(served: Served, tmp_path: Path) -> None:
    from foley.integrations.scoring import Task

    film = media_maker.moving(tmp_path / "long.mp4", duration_s=20, size="480x270")
    task = Task(film, tmp_path / "sounds", prompt="rain", **settings(served))
    task.on_change = lambda: task.cancel() if task.doing not in ("starting", "sending the clip") else None
    task.run()
    assert (task.result, "cancelled" in task.error) == (None, True)
    (job,) = served.client.jobs()
    assert job["state"] == "cancelled"
    served.client.delete(job["id"])


# Resolve


def resolve_script(name: str, folder: Path) -> dict[str, Any]:
    utility, deliver = catalogue.install(catalogue.named("resolve"), folder)
    path = {"Utility": utility, "Deliver": deliver}[name]
    return runpy.run_path(str(path), run_name="a_script_of_resolve")


@pytest.mark.parametrize("end_is_past", [True, False])
def test_resolve_gets_stems_and_markers_under_the_clip(
    served: Served, film: Path, tmp_path: Path, end_is_past: bool
) -> None:
    shot = Path(shutil.copy(film, tmp_path / "shot.mp4"))
    item = Item(Clip(shot), start=90_100, length=50, left=10)
    timeline = Timeline(item, start=90_000, end_is_past=end_is_past)
    timeline.AddMarker(100 + 13, "Red", "Marker 1", "a hammer strikes an anvil", 1, "")
    timeline.AddMarker(100 + 20, "Red", "Marker 2", "", 1, "")
    timeline.AddMarker(20, "Red", "Marker 3", "rain", 1, "")
    space = resolve_script("Utility", tmp_path / "scripts")
    done = space["score"](Resolve(timeline), **settings(served))
    assert done.startswith("FOLEY, ")
    for name, track in zip(timeline.names[1:], timeline.tracks[1:], strict=True):
        (sound,) = track
        assert (sound.GetStart(), sound.GetEnd(), sound.left) == (90_100, 90_150, 10)
        assert sound.media.file.parent.name == "stems"
        assert sound.media.file.stem == name.lower()
    ours = {frame: marker for frame, marker in timeline.markers.items() if marker["customData"].startswith("foley:")}
    strikes = [frame for frame, marker in ours.items() if marker["name"].startswith("hammer")]
    # the flash is in frame 23 of the file, 13 of the clip; there is a marker already
    assert strikes == [100 + 14]
    assert "0:00.920" in ours[114]["note"]
    assert "rain" not in " ".join(marker["name"] for marker in ours.values())
    tracks = len(timeline.tracks)
    space["score"](Resolve(timeline), **settings(served))  # its own markers are no prompt; the tracks are taken
    assert len(timeline.tracks) == 2 * tracks - 1


def test_resolve_opens_what_was_made_of_a_render(served: Served, film: Path, tmp_path: Path) -> None:
    shutil.copy(film, tmp_path / "render.mp4")
    jobs = [
        {"JobId": "a", "TargetDir": str(tmp_path), "OutputFilename": "render.mp4", "status": "Complete"},
        {"JobId": "b", "TargetDir": str(tmp_path), "OutputFilename": "later.mp4", "status": "Ready"},
    ]
    resolve = Resolve(Timeline(None, start=0), jobs)
    space = resolve_script("Deliver", tmp_path / "scripts")
    space["deliver"](resolve, "a", **settings(served))
    (opened,) = resolve.pool.opened
    assert opened.name == "render foley"
    media = [media_of(clip) for clip in opened.find_clips()]
    assert tmp_path / "render.mp4" in media
    assert all(path.is_file() and path.is_relative_to(tmp_path) for path in media)
    with pytest.raises(ValueError, match="render job b is not complete"):
        space["deliver"](resolve, "b")
    sounds = [path for path in media if path.suffix == ".wav"]
    sounds[0].unlink()
    with pytest.raises(ValueError, match="not there"):
        space["refuse_missing"](media)


def test_resolve_is_told_what_cannot_be_done(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    utility, deliver = catalogue.install(catalogue.named("resolve"), tmp_path)
    empty = Resolve(Timeline(None, start=0))
    runpy.run_path(str(utility), init_globals={"resolve": empty}, run_name="__main__")
    assert "no clip with a file is under the playhead" in capsys.readouterr().out
    runpy.run_path(str(deliver), init_globals={"resolve": empty}, run_name="__main__")
    assert "no render job is complete" in capsys.readouterr().out


# Premiere


@pytest.mark.skipif(shutil.which("node") is None, reason="node is not installed")
def test_the_panel_puts_stems_and_markers_where_the_selected_clip_is(film: Path, tmp_path: Path) -> None:
    panel = catalogue.install(catalogue.named("premiere"), tmp_path)[0].parent
    for name in ("premierepro", "uxp"):
        (panel / "node_modules" / name).mkdir(parents=True)
        shutil.copy(EDITORS / f"{name}.js", panel / "node_modules" / name / "index.js")
    with Served(tmp_path / "work", "--root", film.parent) as served:
        asked = {"url": served.url, "token": served.token, "video": str(film), "prompt": PROMPT}
        asked |= {"startS": 8.0, "inS": 0.4, "durationS": 2.0}
        command = ["node", str(EDITORS / "panel.js"), str(panel), json.dumps(asked)]
        done = subprocess.run(command, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        told = json.loads(done.stdout)
        assert told["states"][-1] == "done"
        assert [sound["trim"] for sound in told["sounds"]] == [[0.4, 2.4]] * len(told["sounds"])
        assert [sound["at"] for sound in told["sounds"]] == [8.0] * len(told["sounds"])
        assert [sound["track"] for sound in told["sounds"]] == [2 + number for number in range(len(told["sounds"]))]
        assert all(Path(sound["path"]).is_file() for sound in told["sounds"])
    ((when, why),) = [(one["at"], one["comment"]) for one in told["markers"] if one["name"].startswith("hammer")]
    assert when == pytest.approx(8.0 + HIT_S - 0.4, abs=0.05)
    assert "0:00.92" in why
    assert told["unlocked"] == 0
    assert "no answer" in told["refused"]
    assert told["wrong"] == "Unauthorised"


def told_api(served: Served) -> dict[str, Any]:
    with urlopen(served.url + "/openapi.json") as answer:
        return json.load(answer)


def test_the_panel_asks_only_for_what_the_service_has(served: Served) -> None:
    text, api = PANEL.read_text(), told_api(served)
    asked = re.findall(r'send\("(\w+)", [`"]([^`"]+)[`"]', text)
    paths = {(method, re.sub(r"\$\{address\}", "{name}", path).replace("${id}", "{id}")) for method, path in asked}
    known = {(method.upper(), path) for path, methods in api["paths"].items() for method in methods}
    assert len(paths) == 5
    assert paths <= known


def test_the_panel_sends_and_reads_only_fields_that_there_are(served: Served) -> None:
    text, schemas = PANEL.read_text(), told_api(served)["components"]["schemas"]
    (sent,) = re.findall(r"service\.submit\(\{([^}]*)\}\)", text)
    fields = {part.partition(":")[0].strip() for part in re.sub(r"\[.*?\]", "", sent).split(",")}
    assert fields <= set(schemas["JobRequest"]["properties"])
    read = {
        "JobView": re.findall(r"\bjob\.(\w+)", text),
        "Progress": re.findall(r"\bprogress\.(\w+)", text),
        "Result": re.findall(r"\.result\.(\w+)", text),
        "FileView": re.findall(r"\bfile\.(name)\b", text),
    }
    for schema, names in read.items():
        assert names, schema
        assert set(names) <= set(schemas[schema]["properties"]), schema
