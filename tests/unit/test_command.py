"""Another program as a generator: what it gets, what it gives, and what becomes of everything that goes wrong."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import textwrap
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

from foley import plugins
from foley.contracts import FilmWindow, GeneratorSettings, SoundRequest
from foley.errors import GenerationError, OptionError
from foley.media import programs
from foley.model import Audio, CurvePoint, Hit, SoundEvent
from foley.neural import licences
from foley.render import presets
from foley.render.generators.command import build
from foley.units import to_samples
from tests import tiny_command

RATE_HZ = 48_000
KNOCK = SoundEvent(
    id="e1",
    label="knock",
    kind="hits",
    bus="foley",
    start_s=0.0,
    end_s=0.4,
    because="a hand meets a door",
    hits=(Hit(0.0, 1.0), Hit(0.4, 0.5)),
    prompt="knock on wood",
    avoid="hammers",
    seed=7,
)
NASTY = "a 'quoted' \"prompt\"\nof two lines; $(touch pwned) `touch pwned` && {seed} %s -x \u00e9\u4e2d"


@pytest.fixture
def told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The file that the program `tells` writes what it got to; its preset passes the name on."""
    path = tmp_path / "told.json"
    monkeypatch.setenv("TINY_TELLS", str(path))
    return path


def request(duration_s: float = 0.5, *, seed: int = 1, **more: Any) -> SoundRequest:
    event = more.pop("event", KNOCK)
    return SoundRequest(event, more.pop("start_s", 0.0), duration_s, np.random.default_rng(seed), **more)


def made(model: Path, *requests: SoundRequest, time_limit_s: float = 60.0) -> list[Audio]:
    settings = GeneratorSettings(model=str(model), time_limit_s=time_limit_s)
    return list(plugins.build("generator", "command", settings).generate(requests or [request()]))


def failure(model: Path, asked: SoundRequest | None = None, *, time_limit_s: float = 60.0) -> str:
    with pytest.raises(GenerationError, match="e1: command: ") as caught:
        made(model, asked or request(), time_limit_s=time_limit_s)
    return str(caught.value)


def preset(folder: Path, argv: Sequence[str], **fields: Any) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "mine.yaml"
    path.write_text(yaml.safe_dump({"argv": list(argv), **fields}), encoding="utf-8")
    return path


def telling(folder: Path, *more: str, **fields: Any) -> Path:
    """Return a preset of the program that tells what it got."""
    program = tiny_command.make(folder, "tells")
    environment = {"TINY_TELLS": None, **fields.pop("environment", {})}
    return preset(folder, [str(program), "{request}", *more], environment=environment, **fields)


def test_a_program_makes_the_sound_of_each_request_in_its_length(tmp_path: Path) -> None:
    model = tiny_command.make(tmp_path)
    first, longer = made(model, request(0.5), request(0.7654321, seed=2))
    assert (first.channels, first.rate_hz, first.samples.dtype) == (1, RATE_HZ, np.float32)
    assert (first.length, longer.length) == (RATE_HZ // 2, to_samples(0.7654321, RATE_HZ))
    assert not np.array_equal(first.samples, longer.samples[:, : first.length])


def test_the_same_chance_makes_the_same_sound_alone_or_in_a_batch(tmp_path: Path) -> None:
    model = tiny_command.make(tmp_path)
    alone = made(model, request(seed=3))[0]
    together = made(model, request(seed=2), request(seed=3))[1]
    assert np.array_equal(alone.samples, together.samples)


def test_the_request_says_all_that_a_program_needs_counted_from_its_first_sample(tmp_path: Path, told: Path) -> None:
    bed = replace(KNOCK, kind="span", hits=(), curve=(CurvePoint(0.1, 0.5),), ucs="DOORWood")
    made(telling(tmp_path), request(1.25, start_s=-0.25, event=bed), request(0.5, start_s=-0.1))
    seen = json.loads(told.read_text())["request"]
    assert seen["schema"] == "foley.request/1"
    assert (seen["prompt"], seen["kind"]) == ("knock on wood", "hits")
    assert "hammers" in seen["negative_prompt"]
    assert "speech" in seen["negative_prompt"]
    assert seen["duration_s"] == 0.5
    assert [hit["time_s"] for hit in seen["hits"]] == pytest.approx([0.1, 0.5])
    assert (seen["sounds_from_s"], seen["sounds_to_s"]) == pytest.approx((0.1, 0.5))
    assert 0 <= seen["seed"] < 2**31
    assert (seen["rate_hz"], seen["channels"], seen["video"]) == (RATE_HZ, 1, None)


def test_words_arrive_as_they_are_whatever_they_hold(tmp_path: Path, told: Path) -> None:
    folder = tmp_path / "with a 'space' $HOME"
    model = telling(folder, "--prompt={prompt}", "{prompt}", "{seed}")
    made(model, request(event=replace(KNOCK, prompt=NASTY)))
    seen = json.loads(told.read_text())
    assert seen["argv"][2:4] == [f"--prompt={NASTY}", NASTY]
    assert seen["argv"][4] == str(seen["request"]["seed"])
    assert seen["request"]["prompt"] == NASTY
    assert not list(tmp_path.rglob("pwned"))


def test_a_program_works_in_an_empty_folder_of_its_own_that_goes_away(tmp_path: Path, told: Path) -> None:
    made(telling(tmp_path))
    seen = json.loads(told.read_text())
    assert seen["files"] == ["request.json"]
    assert seen["input"] == ""
    assert Path(seen["folder"]) != Path.cwd()
    assert seen["environment"]["TMPDIR"] == seen["folder"]
    assert not Path(seen["folder"]).exists()


def test_a_program_gets_no_more_of_the_environment_than_it_needs(
    tmp_path: Path, told: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ELEVENLABS_API_KEY", "secret")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "1")
    monkeypatch.setenv("HOME", str(tmp_path))
    made(telling(tmp_path, environment={"OMP_NUM_THREADS": 2, "WHERE": "{here}/x"}, first_in_path=["{here}/bin"]))
    seen = json.loads(told.read_text())["environment"]
    assert "secret" not in seen.values()
    assert (seen["HOME"], seen["CUDA_VISIBLE_DEVICES"], seen["OMP_NUM_THREADS"]) == (str(tmp_path), "1", "2")
    assert seen["WHERE"] == f"{tmp_path}/x"
    assert seen["PATH"].split(os.pathsep)[0] == f"{tmp_path}/bin"


def test_what_a_program_finds_by_relative_paths_is_linked(
    tmp_path: Path, told: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "weights").mkdir()
    (tmp_path / "weights" / "model.bin").write_bytes(b"1")
    monkeypatch.setenv("TINY_FOLDER", str(tmp_path))
    variables = {"folder": {"name": "TINY_FOLDER", "about": "the folder"}}
    model = telling(tmp_path, variables=variables, links={"weights": "{folder}/weights"})
    made(model)
    assert "weights" in json.loads(told.read_text())["files"]
    assert (tmp_path / "weights" / "model.bin").exists()


@pytest.mark.parametrize(("channels", "behaviour"), [(1, "stereo"), (2, tiny_command.WELL), (2, "a_little_long")])
def test_sound_comes_in_as_many_channels_as_the_preset_says(tmp_path: Path, channels: int, behaviour: str) -> None:
    program = tiny_command.make(tmp_path, behaviour)
    (audio,) = made(preset(tmp_path, [str(program), "{request}"], channels=channels))
    assert audio.channels == channels
    assert np.abs(audio.samples).max() == pytest.approx(0.5, abs=0.02)


@pytest.mark.parametrize("behaviour", ["a_little_long", "a_little_short"])
def test_a_little_more_or_less_is_brought_to_length(tmp_path: Path, behaviour: str) -> None:
    (audio,) = made(tiny_command.make(tmp_path, behaviour))
    assert audio.length == RATE_HZ // 2
    assert abs(float(audio.samples[0, -1])) < 0.01


def test_numbers_beyond_full_scale_are_turned_down_not_clipped(tmp_path: Path) -> None:
    (audio,) = made(tiny_command.make(tmp_path, "loud"))
    assert float(audio.samples[0, 0]) == 1.0
    assert float(audio.samples[0, 1]) == 0.25


@pytest.mark.parametrize(
    ("behaviour", "told"),
    [
        ("too_long", "gave 2.00 s where 1.00 s were asked for"),
        ("too_short", "gave 0.50 s where 1.00 s were asked for"),
        ("another_rate", "gave sound at 16000 Hz where 48000 Hz were due"),
        ("six_channels", "gave 6 channels"),
        ("silence", "gave silence"),
        ("not_a_number", "no numbers"),
        ("writes_nothing", "wrote no sound to output.wav, saying: all done"),
        ("garbage", "wrote no sound file that can be read"),
        ("a_link", "wrote no sound"),
        ("fails", "ended with code 3, saying: CUDA is not available"),
    ],
)
def test_what_is_wrong_with_a_program_is_said(tmp_path: Path, behaviour: str, told: str) -> None:
    assert told in failure(tiny_command.make(tmp_path, behaviour), request(1.0))


def test_a_program_that_talks_without_end_is_listened_to_all_the_same(tmp_path: Path) -> None:
    assert made(tiny_command.make(tmp_path, "talks"))[0].length == RATE_HZ // 2


def alive(process: int) -> bool:
    """Return whether a process runs; one that has ended and that nobody has asked for yet does not."""
    try:
        state = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state not in "ZX"


def still_alive(note: Path) -> list[int]:
    """Return those of the processes in a note that go on; dying takes a moment, which is waited for."""
    processes = [int(word) for word in note.read_text().split()]
    for _ in range(500):
        processes = [process for process in processes if alive(process)]
        if not processes:
            break
        time.sleep(0.01)
    return processes


linux = pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="processes are told apart by /proc")


@linux
def test_a_program_that_hangs_is_ended_with_its_children(tmp_path: Path) -> None:
    script = 'sleep 600 & echo $$ $! > "$1"; echo still thinking; sleep 600'
    model = preset(tmp_path, ["sh", "-c", script, "sh", "{prompt}"])
    note = tmp_path / "its processes"
    asked = request(event=replace(KNOCK, prompt=str(note)))
    assert "mine took longer than 2 s, saying: still thinking" in failure(model, asked, time_limit_s=2.0)
    assert still_alive(note) == []


@linux
def test_what_a_program_leaves_behind_is_ended(tmp_path: Path) -> None:
    note = tmp_path / "its processes"
    made(tiny_command.make(tmp_path, "leaves_a_child"), request(event=replace(KNOCK, prompt=str(note))))
    assert still_alive(note) == []


def test_what_a_program_was_trusted_with_is_struck_out_of_its_words(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TINY_TOKEN", "s3cr3t")
    program = tiny_command.make(tmp_path, "tells_a_secret")
    said = failure(preset(tmp_path, [str(program), "{request}"], environment={"TINY_TOKEN": None}))
    assert said.endswith("saying: ***")


def test_a_program_that_is_none_cannot_be_run(tmp_path: Path) -> None:
    path = tmp_path / "model"
    path.write_bytes(b"\x7fELF but not really")
    path.chmod(0o755)
    assert "cannot be run: exec format error" in failure(path)


def test_a_word_that_no_program_can_be_given_is_a_failure_of_that_sound(tmp_path: Path) -> None:
    model = preset(tmp_path, [str(tiny_command.make(tmp_path)), "{request}", "{prompt}"])
    with pytest.raises(GenerationError, match="cannot be run"):
        made(model, request(event=replace(KNOCK, prompt="a\0b")))


def counting(folder: Path) -> tuple[Path, Path]:
    """Return a preset of a program that counts how often it runs, and fails for a prompt of "fail"; and its count."""
    code = "import sys, shutil; open(sys.argv[1], 'a').write(sys.argv[2] + ' '); shutil.copy(*sys.argv[3:])"
    source, count = folder / "sound.wav", folder / "count"
    subprocess.run(["ffmpeg", "-v", "error", "-f", "lavfi", "-i", "sine=r=48000:d=0.5", str(source)], check=True)
    script = f"{code}; sys.exit(sys.argv[2] == 'fail')"
    return preset(folder, [sys.executable, "-c", script, str(count), "{prompt}", str(source), "{output}"]), count


def test_a_program_that_fails_again_and_again_is_asked_no_more(tmp_path: Path) -> None:
    model, count = counting(tmp_path)
    generator = build(GeneratorSettings(model=str(model)))
    fail = replace(KNOCK, prompt="fail")
    for event in (fail, fail, KNOCK, fail, fail, fail):
        with contextlib.suppress(GenerationError):
            generator.generate([request(event=event)])
    with pytest.raises(GenerationError, match="asked no more: mine ended with code 1"):
        generator.generate([request()])
    assert count.read_text().split("fail")[-1].strip() == ""
    assert count.read_text().count("fail") == 5


def test_what_was_made_before_another_failed_is_not_made_again(tmp_path: Path) -> None:
    model, count = counting(tmp_path)
    generator = build(GeneratorSettings(model=str(model)))
    events = [replace(KNOCK, prompt=words) for words in ("one", "two", "fail")]
    with pytest.raises(GenerationError):
        generator.generate([request(event=event) for event in events])
    for event in events[:2]:
        assert generator.generate([request(event=event)])[0].length == RATE_HZ // 2
    assert count.read_text().split() == ["one", "two", "fail"]
    generator.generate([request(event=events[0])])
    assert count.read_text().split() == ["one", "two", "fail", "one"]


@linux
def test_a_program_does_not_outlive_whoever_waited_for_it(tmp_path: Path) -> None:
    note = tmp_path / "its processes"
    code = f"""
        import pathlib, threading, time
        from foley.media import programs
        command = ["sh", "-c", "echo $$ > '{note}.part'; mv '{note}.part' '{note}'; sleep 600"]
        where = dict(folder=pathlib.Path("/"), environment=programs.environment({{}}), time_limit_s=600.0)
        threading.Thread(target=programs.run, args=(command,), kwargs=where, daemon=True).start()
        while not pathlib.Path("{note}").exists():
            time.sleep(0.01)
    """
    subprocess.run([sys.executable, "-c", textwrap.dedent(code)], check=True)
    assert still_alive(note) == []


FILM_FPS, FILM_FRAMES = 10, 30
"""Of the film in these tests; its frame n is 8 n bright, so that each can be told."""


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three seconds of picture that begin half a second after their sound."""
    path = tmp_path_factory.mktemp("a film") / "fi'lm, one.mkv"
    picture = f"color=black:s=64x48:r={FILM_FPS}:d=3,format=gray,geq=lum='8*N',setpts=PTS+0.5/TB"
    inputs = ["-f", "lavfi", "-i", picture, "-f", "lavfi", "-i", "sine=d=3.5"]
    subprocess.run(["ffmpeg", "-v", "error", *inputs, "-c:v", "ffv1", str(path)], check=True)
    return path


def frames_of(path: Path) -> np.ndarray:
    command = ["ffmpeg", "-v", "error", "-i", str(path), "-f", "rawvideo", "-pix_fmt", "gray", "-"]
    raw = subprocess.run(command, capture_output=True, check=True).stdout
    return np.frombuffer(raw, np.uint8).reshape(-1, 48, 64).mean(axis=(1, 2))


@pytest.mark.parametrize(
    ("film_s", "start_s", "duration_s"), [(1.0, 0.13, 1.0), (0.0, -0.25, 0.5), (0.5, 0.0, 0.08), (2.4, 0.0, 1.2)]
)
def test_a_program_that_looks_sees_exactly_its_window_of_the_film(
    tmp_path: Path, told: Path, film: Path, film_s: float, start_s: float, duration_s: float
) -> None:
    model = telling(tmp_path, video=True)
    made(model, request(duration_s, start_s=start_s, film=FilmWindow(film, film_s)))
    assert Path(json.loads(told.read_text())["request"]["video"]).name == "video.mp4"
    seen = frames_of(told.with_suffix(".mp4"))
    times_s = film_s + start_s + np.arange(np.ceil(duration_s * 25 - 1e-6)) / 25
    due = np.clip(np.floor(times_s * FILM_FPS + 1e-6), 0, FILM_FRAMES - 1)
    assert len(seen) == len(due)
    assert np.abs(seen / 8 - due).max() < 0.5
    streams = subprocess.run(
        [
            "ffprobe",
            "-v",
            "error",
            "-show_entries",
            "stream=codec_type",
            "-of",
            "csv=p=0",
            str(told.with_suffix(".mp4")),
        ],
        capture_output=True,
        text=True,
        check=True,
    ).stdout.split()
    assert streams == ["video"]


def test_a_program_that_looks_says_so_and_cannot_do_without(tmp_path: Path, told: Path) -> None:
    model = telling(tmp_path, video=True)
    assert build(GeneratorSettings(model=str(model))).capabilities.video
    assert "looks at the picture, and there is none" in failure(model)


def test_a_film_that_cannot_be_read_is_a_failure_of_that_sound(tmp_path: Path) -> None:
    model = preset(tmp_path, [str(tiny_command.make(tmp_path)), "{request}"], video=True)
    broken = tmp_path / "broken.mp4"
    broken.write_bytes(b"nothing")
    with pytest.raises(GenerationError, match=r"broken.mp4"):
        made(model, request(film=FilmWindow(broken, 0.0)))


def test_a_model_of_fixed_length_is_asked_for_it_and_the_rest_is_cut_off(tmp_path: Path, told: Path) -> None:
    model = telling(tmp_path, "{duration}", min_duration_s=2, max_duration_s=2)
    (audio,) = made(model, request(0.5))
    assert json.loads(told.read_text())["argv"][2] == "2"
    assert audio.length == RATE_HZ // 2


def test_a_sound_may_lie_where_the_preset_says(tmp_path: Path) -> None:
    code = "import sys, shutil; shutil.copy(sys.argv[1], sys.argv[2] + '/take_0912.wav')"
    source = tmp_path / "sound.wav"
    subprocess.run(["ffmpeg", "-v", "error", "-f", "lavfi", "-i", "sine=r=48000:d=0.5", str(source)], check=True)
    argv = [sys.executable, "-c", code, str(source), "{output_folder}"]
    assert made(preset(tmp_path, argv, output="made/take_*.wav"))[0].length == RATE_HZ // 2


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"argv": []}, "argv: must name the program"),
        ({"argv": "demo.py"}, "argv: must be a list"),
        ({"argv": ["x", "{speed}"]}, "nothing fills {speed}"),
        ({"argv": ["x"], "links": {"weights": "{prompt}"}}, "nothing fills {prompt}"),
        ({"argv": ["x"], "rate_hz": "fast"}, "rate_hz: must be a int"),
        ({"argv": ["x"], "video": 1}, "video: must be a bool"),
        ({"argv": ["x"], "channels": 6}, "channels: must be 1 or 2"),
        ({"argv": ["x"], "min_duration_s": 9, "max_duration_s": 8}, "min_duration_s: must lie"),
        ({"argv": ["x"], "output": "../x.wav"}, "output: must be a name"),
        ({"argv": ["x"], "links": {"/etc": "x"}}, "links: must be names"),
        ({"argv": ["x"], "kinds": ["songs"]}, "kinds: must be of"),
        ({"argv": ["x"], "shell": True}, "shell: no field"),
        ({"argv": ["x"], "environment": ["A"]}, "environment: must give"),
        ({"argv": ["x"], "variables": {"video": {"name": "A", "about": "b"}}}, "variables: 'video' cannot"),
        ({"argv": ["x"], "variables": {"folder": "A"}}, "variables: folder: must have"),
    ],
)
def test_a_preset_that_cannot_be_used_is_refused_by_field(tmp_path: Path, fields: dict[str, Any], told: str) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text(yaml.safe_dump(fields))
    with pytest.raises(OptionError) as caught:
        build(GeneratorSettings(model=str(path)))
    assert told in str(caught.value)
    assert str(path) in str(caught.value)


@pytest.mark.parametrize("text", ["- a\n- b", "a: [", "", "!!python/object/apply:os.system ['true']"])
def test_a_file_that_is_no_preset_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text(text)
    with pytest.raises(OptionError, match=r"mine.yaml"):
        build(GeneratorSettings(model=str(path)))


def test_a_name_that_is_nobodys_lists_the_presets(tmp_path: Path) -> None:
    with pytest.raises(OptionError) as caught:
        build(GeneratorSettings(model="mmaudioo"))
    assert "mmaudio" in caught.value.hint
    unrunnable = tmp_path / "demo.py"
    unrunnable.write_text("")
    with pytest.raises(OptionError, match="cannot be run"):
        build(GeneratorSettings(model=str(unrunnable)))


def test_without_a_model_it_says_what_it_needs() -> None:
    (told,) = build().missing()
    assert "--model" in told
    assert "mmaudio" in told


def test_takes_are_kept_by_the_program_and_the_preset(tmp_path: Path) -> None:
    def identity(**fields: Any) -> str:
        program = tiny_command.make(tmp_path)
        return build(GeneratorSettings(model=str(preset(tmp_path, [str(program), "{request}"], **fields)))).identity()

    assert identity() == identity(about="words")
    assert len({identity(), identity(revision="2"), identity(rate_hz=44_100)}) == 3
    program = tiny_command.make(tmp_path)
    on_cpu = GeneratorSettings(model=str(program), device="cpu")
    assert build(on_cpu).identity() != build(GeneratorSettings(model=str(program))).identity()
    before = build(GeneratorSettings(model=str(program))).identity()
    program.write_text(program.read_text() + "# changed\n")
    assert build(GeneratorSettings(model=str(program))).identity() != before


@pytest.mark.parametrize("name", ["mmaudio", "prismaudio", "thinksound", "hunyuanvideo-foley"])
def test_a_preset_that_comes_along_is_whole_and_says_what_must_be_set(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = presets.find(name)
    for variable in found.variables.values():
        monkeypatch.delenv(variable.name, raising=False)
    generator = build(GeneratorSettings(model=name))
    assert generator.capabilities.video
    assert not generator.capabilities.hit_exact
    assert found.weights_licence in licences.licences()
    assert len(generator.missing()) == len(found.variables)
    assert all("set FOLEY_" in told for told in generator.missing())


def test_a_preset_with_all_set_says_what_is_not_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FOLEY_MMAUDIO", str(tmp_path))
    monkeypatch.setenv("FOLEY_MMAUDIO_PYTHON", str(tmp_path / "python"))
    told = build(GeneratorSettings(model="mmaudio")).missing()
    assert any("python cannot be run" in one for one in told)
    assert any("ext_weights is not there" in one for one in told)
    (tmp_path / "weights").mkdir()
    (tmp_path / "ext_weights").mkdir()
    monkeypatch.setenv("FOLEY_MMAUDIO_PYTHON", sys.executable)
    assert build(GeneratorSettings(model="mmaudio")).missing() == ()


def test_the_preset_of_mmaudio_calls_its_demo_as_that_declares(
    tmp_path: Path, film: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The stand-in declares the options that MMAudio's own demo.py does, and saves where that saves."""
    code = """
        import argparse, pathlib, struct, wave
        parser = argparse.ArgumentParser()
        for name in "variant video prompt negative_prompt duration cfg_strength num_steps output seed".split():
            parser.add_argument("--" + name)
        for name in "mask_away_clip skip_video_composite full_precision".split():
            parser.add_argument("--" + name, action="store_true")
        args = parser.parse_args()
        assert pathlib.Path("weights/model.pth").is_file() and args.prompt.startswith("-"), args
        assert float(args.duration) == 8.0 and pathlib.Path(args.video).stem == "video" and int(args.seed) >= 0
        pathlib.Path(args.output).mkdir(parents=True, exist_ok=True)
        with wave.open(str(pathlib.Path(args.output) / "video.flac"), "wb") as file:
            file.setnchannels(1); file.setsampwidth(2); file.setframerate(44100)
            file.writeframes(struct.pack("<2h", 9000, -9000) * (44100 * 4))
    """
    (tmp_path / "demo.py").write_text("\n".join(line[8:] for line in code.splitlines()))
    for name in ("weights", "ext_weights"):
        (tmp_path / name).mkdir()
    (tmp_path / "weights" / "model.pth").write_bytes(b"")
    monkeypatch.setenv("FOLEY_MMAUDIO", str(tmp_path))
    monkeypatch.setenv("FOLEY_MMAUDIO_PYTHON", sys.executable)
    event = replace(KNOCK, prompt="--help me")
    (audio,) = build(GeneratorSettings(model="mmaudio")).generate([request(event=event, film=FilmWindow(film, 0.0))])
    assert (audio.rate_hz, audio.length) == (44_100, 22_050)


def test_the_last_words_of_a_program_are_kept_short(tmp_path: Path) -> None:
    code = "print('x' * 100000); print('\\x1b[2K\\rthe end')"
    ended = programs.run(
        [sys.executable, "-c", code], folder=tmp_path, environment=programs.environment({}), time_limit_s=60.0
    )
    assert ended.code == 0
    assert ended.said.endswith("the end")
    assert len(ended.said) <= 400
