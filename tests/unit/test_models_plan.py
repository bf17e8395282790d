"""What rendering a plan would take, said before anything is loaded."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import pytest
from typer.testing import CliRunner

from foley.cli import models
from foley.errors import OptionError, PlanError, UnknownPluginError
from foley.model import ClipIdentity, Hit, Reasoning, SoundEvent, SoundPlan
from foley.neural import weights
from foley.plan import events
from foley.render import forecast

RAIN = SoundEvent(
    id="e01-rain",
    label="rain",
    kind="bed",
    bus="backgrounds",
    start_s=0.0,
    end_s=10.0,
    because="it rains",
    prompt="steady rain",
    recipe="rain",
)
KNOCK = SoundEvent(
    id="e02-knock",
    label="knock",
    kind="hits",
    bus="foley",
    start_s=1.0,
    end_s=3.0,
    because="a hand meets a door",
    hits=(Hit(1.0), Hit(3.0)),
    prompt="knock on wood",
    recipe="anvil",
)


@pytest.fixture(autouse=True)
def nothing_is_here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No weights of the user's own."""
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    monkeypatch.setenv("HF_HOME", str(tmp_path / "hub"))
    monkeypatch.delenv("HF_HUB_CACHE", raising=False)
    monkeypatch.delenv(weights.FOLDER_VARIABLE, raising=False)
    if constants := sys.modules.get("huggingface_hub.constants"):
        monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "hub"))


@pytest.fixture
def plan_file(tmp_path: Path) -> Path:
    def written(*found: SoundEvent) -> Path:
        clip = ClipIdentity("clip.mp4", "key", Fraction(20), Fraction(25))
        folder = tmp_path / "clip.foley"
        folder.mkdir(exist_ok=True)
        events.save(SoundPlan(clip, (), (), Reasoning("", "", "", ""), found), folder / "plan.yaml")
        return folder / "plan.yaml"

    return written(RAIN, KNOCK, replace(KNOCK, id="e03-off", muted=True))


def expected(*found: SoundEvent, **given: object) -> list[forecast.Forecast]:
    usual = {"models": (), "licence": "any", "region": "", "device": "cpu", "max_vram_mb": 0, "generator": "auto"}
    chosen = {**usual, **given}
    return forecast.forecasts(found, forecast.roster_of(chosen.pop("generator"), **chosen))  # type: ignore[arg-type]


def test_what_needs_no_model_is_made_here_at_once() -> None:
    (rain,) = expected(RAIN)
    assert (rain.generator, rain.device, rain.licence, rain.model) == ("procedural", "cpu", "none", "")
    assert rain.sound_s == pytest.approx(10.0)
    assert rain.time_s == pytest.approx(10.0 / forecast.LIGHT_REALTIME)


def test_what_rings_is_asked_for_longer_than_it_lasts() -> None:
    (knock,) = expected(KNOCK)
    assert knock.sound_s > KNOCK.duration_s


def test_of_hits_that_are_cut_out_some_takes_are_asked_for_however_long_the_event_is() -> None:
    hours = replace(KNOCK, end_s=7201.0, hits=(Hit(1.0), Hit(7201.0)))
    (knock,) = expected(hours, generator="audiogen")
    assert knock.sound_s == pytest.approx(8.0)


def test_a_model_that_is_named_says_what_it_takes_and_how_to_get_it() -> None:
    (rain,) = expected(RAIN, generator="stable_audio", models=["stable-audio-3-small-sfx"], device="cuda")
    known = weights.entry("stable-audio-3-small-sfx")
    assert (rain.generator, rain.model, rain.device) == ("stable_audio", known.name, "cuda")
    assert rain.licence == "stability-ai-community"
    assert rain.memory_mb == known.memory_mb
    assert rain.time_s == pytest.approx(10.0 / known.rates["cuda"].realtime)
    assert any(note for note in rain.notes)


def test_a_model_that_is_not_named_is_the_one_that_would_be_played() -> None:
    (rain,) = expected(RAIN, generator="stable_audio", device="cuda")
    assert rain.model == "stable-audio-3-small-sfx"
    assert rain.memory_mb == weights.entry(rain.model).memory_mb
    assert rain.model in rain.notes[0]
    (named,) = expected(RAIN, generator="text_to_audio")
    assert (named.model, named.memory_mb) == ("", None)
    assert "no model is named" in named.notes[0]


def test_what_a_model_that_is_here_takes_is_told_by_its_files(tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    shape = {"model_type": "musicgen", "audio_encoder": {"sampling_rate": 16_000}, "decoder": {"audio_channels": 1}}
    (tmp_path / "mine" / "config.json").write_text(json.dumps(shape))
    with (tmp_path / "mine" / "model.safetensors").open("wb") as file:
        file.truncate(700 << 20)
    (rain,) = expected(RAIN, generator="audiogen", models=[str(tmp_path / "mine")])
    assert (rain.notes, rain.memory_mb) == ((), 700)


def test_a_processor_takes_twice_the_memory_and_an_unmeasured_time_is_not_guessed() -> None:
    on_gpu, on_cpu = (
        expected(RAIN, generator="audiogen", models=["audiogen-medium"], device=device)[0] for device in ("cuda", "cpu")
    )
    assert on_gpu.memory_mb is not None
    assert on_cpu.memory_mb == 2 * on_gpu.memory_mb
    assert on_cpu.time_s is None


def test_too_little_memory_allowed_is_said() -> None:
    (rain,) = expected(RAIN, generator="audiogen", device="cuda", max_vram_mb=2000)
    assert any("--max-vram allows 2000 MB" in note for note in rain.notes)
    (enough,) = expected(RAIN, generator="audiogen", device="cuda", max_vram_mb=80_000)
    assert not any("--max-vram" in note for note in enough.notes)


def test_bits_that_are_not_to_be_had_are_said_before_anything_is_loaded() -> None:
    settings = {"generator": "audiogen", "models": ("audiogen=nowhere",)}
    (refused,) = expected(RAIN, **settings, quantise="4bit")
    assert "4bit weights are not supported on cpu: use 8bit" in refused.notes[0]
    (plain,) = expected(RAIN, **settings)
    assert "4bit" not in plain.notes[0]


def test_what_the_licence_policy_forbids_nobody_makes() -> None:
    (rain,) = expected(RAIN, generator="audiogen", licence="commercial")
    assert rain.generator == ""
    assert "commercially" in rain.notes[0]


@pytest.mark.parametrize(
    "given",
    [
        {"licence": "shady"},
        {"region": "Atlantis"},
        {"models": ["a model of nobody"]},
        {"max_vram_mb": -1},
        {"quantise": "3bit"},
    ],
)
def test_what_cannot_be_asked_for_is_refused_before_any_generator_is(given: dict) -> None:
    with pytest.raises(OptionError):
        expected(RAIN, **given)


def test_a_generator_that_nobody_knows_is_an_error() -> None:
    with pytest.raises(UnknownPluginError):
        expected(RAIN, generator="theremin")


@pytest.mark.parametrize(
    ("version", "driver", "system", "device"),
    [
        (None, True, ("linux", "x86_64"), "cpu"),
        ("2.13.0+cpu", True, ("linux", "x86_64"), "cpu"),
        ("2.13.0", True, ("linux", "x86_64"), "cuda"),
        ("2.13.0", False, ("linux", "x86_64"), "cpu"),
        ("2.13.0", False, ("darwin", "arm64"), "mps"),
        ("2.13.0", False, ("darwin", "x86_64"), "cpu"),
    ],
)
def test_the_device_is_told_without_torch(
    version: str | None,
    driver: bool,
    system: tuple[str, str],
    device: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def installed(name: str) -> str:
        if version is None:
            raise forecast.importlib.metadata.PackageNotFoundError(name)
        return version

    monkeypatch.setattr(forecast.importlib.metadata, "version", installed)
    monkeypatch.setattr(forecast, "NVIDIA", (tmp_path if driver else tmp_path / "absent",))
    monkeypatch.setattr(forecast.sys, "platform", system[0])
    monkeypatch.setattr(forecast.platform, "machine", lambda: system[1])
    assert forecast.likely_device("auto") == device
    assert forecast.likely_device("cuda") == "cuda"


def test_the_command_tells_people_of_each_event_and_of_all(plan_file: Path) -> None:
    told = (
        CliRunner().invoke(models.app, ["plan", str(plan_file), "--generator", "audiogen", "--device", "cuda"]).output
    )
    assert "e01-rain rain: audiogen (audiogen-medium, CC-BY-NC-4.0) on cuda, 10.0 s of sound, time unknown" in told
    assert "audiogen-medium on cuda: 2 sounds" in told
    assert "no commercial use" in told
    assert "e03-off" not in told
    assert "it was not measured" in told
    assert "not measured" not in CliRunner().invoke(models.app, ["plan", str(plan_file)]).output


def test_the_command_tells_programs(plan_file: Path) -> None:
    records = json.loads(CliRunner().invoke(models.app, ["plan", str(plan_file), "--json"]).output)
    assert [record["event"] for record in records] == ["e01-rain", "e02-knock"]
    assert {record["generator"] for record in records} == {"procedural"}


def test_a_video_is_looked_up_by_its_plan(plan_file: Path, tmp_path: Path) -> None:
    video = tmp_path / "clip.mp4"
    assert "e01-rain" in CliRunner().invoke(models.app, ["plan", str(video)]).output
    assert "e01-rain" in CliRunner().invoke(models.app, ["plan", str(plan_file.parent)]).output
    refused = CliRunner().invoke(models.app, ["plan", str(tmp_path / "other.mp4")]).exception
    assert isinstance(refused, PlanError)
    assert "foley plan" in refused.hint


def test_torch_is_not_loaded_for_it(plan_file: Path) -> None:
    program = (
        "import sys; from foley.cli import models; "
        f"models.app(['plan', {str(plan_file)!r}, '--generator', 'audiogen'], standalone_mode=False); "
        "print('torch' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.stdout.splitlines()[-1] == "False", done.stderr
