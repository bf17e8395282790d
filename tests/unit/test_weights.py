"""The catalogue of models, where their weights are found, and that looking never asks the network."""

from __future__ import annotations

import hashlib
import json
import os
import socket
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest
from typer.testing import CliRunner

from foley.cli import models
from foley.errors import MissingProgramError, MissingWeightsError, OptionError
from foley.neural import digests, layouts, licences, weights

COMMIT = "0123456789abcdef0123456789abcdef01234567"
HUB = "laion/CLIP-ViT-B-32-laion2B-s34B-b79K"


@pytest.fixture(autouse=True)
def nothing_is_here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty hub cache, no folders of the user's own, and no network; returns the cache."""
    constants = pytest.importorskip("huggingface_hub.constants")
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.delenv(weights.FOLDER_VARIABLE, raising=False)
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    monkeypatch.setenv("FOLEY_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(socket.socket, "connect", _refuse)
    return tmp_path / "hub"


def _refuse(*_: object) -> None:
    raise ConnectionRefusedError("the network is off in this test")


def model_folder(folder: Path, *, config: str = "open_clip_config.json", parts: int = 1, missing: int = 0) -> Path:
    """Write a folder as models are laid out, in several parts of which some may be missing."""
    folder.mkdir(parents=True)
    (folder / config).write_text("{}")
    names = (
        [f"model-{number}-of-{parts}.safetensors" for number in range(parts)] if parts > 1 else ["model.safetensors"]
    )
    for name in names[: parts - missing]:
        (folder / name).write_bytes(b"numbers")
    if parts > 1:
        index = {"weight_map": {f"layer{number}": name for number, name in enumerate(names)}}
        (folder / "model.safetensors.index.json").write_text(json.dumps(index))
    return folder


def pipeline_folder(folder: Path) -> Path:
    """Write a folder as diffusers lays pipelines out: two parts with weights, two without, one left out."""
    model_folder(folder / "unet", config="config.json")
    model_folder(folder / "text_encoder", config="config.json", parts=2)
    (folder / "scheduler").mkdir()
    (folder / "scheduler" / "scheduler_config.json").write_text("{}")
    (folder / "tokenizer").mkdir()
    (folder / "tokenizer" / "tokenizer_config.json").write_text("{}")
    index = {
        "_class_name": "SomePipeline",
        "_diffusers_version": "0.42.1",
        "unet": ["diffusers", "UNet1DModel"],
        "text_encoder": ["transformers", "T5EncoderModel"],
        "scheduler": ["diffusers", "DDIMScheduler"],
        "tokenizer": ["transformers", "T5TokenizerFast"],
        "safety_checker": [None, None],
    }
    (folder / "model_index.json").write_text(json.dumps(index))
    return folder


def files_folder(folder: Path, *names: str) -> Path:
    """Write a folder with files of a few bytes."""
    folder.mkdir(parents=True)
    for name in names:
        (folder / name).write_bytes(b"{}")
    return folder


def cached(hub_cache: Path, hub: str = HUB, *, write: Callable[[Path], Path] = model_folder) -> Path:
    """Write a model into the hub's cache."""
    base = hub_cache / f"models--{hub.replace('/', '--')}"
    (base / "refs").mkdir(parents=True)
    (base / "refs" / "main").write_text(COMMIT)
    return write(base / "snapshots" / COMMIT)


def test_every_entry_says_what_it_is_for_and_what_its_licence_allows() -> None:
    entries = weights.catalogue().values()

    assert {"open_clip", "minilm", "audiogen-medium", "clap", "mmaudio"} <= weights.catalogue().keys()
    assert {entry.purpose for entry in entries} >= {"encoder", "planner", "text", "matching"}
    assert all(entry.hub.count("/") == 1 and entry.about for entry in entries)
    assert all(entry.weights_licence in licences.licences() for entry in entries)
    assert all(entry.layout in ("", "other", *layouts.EXPECTED) for entry in entries)
    assert all(rate.realtime > 0 and rate.source for entry in entries for rate in entry.rates.values())


@pytest.mark.parametrize(
    ("name", "commercial", "generator"),
    [
        ("audiogen-medium", False, "audiogen"),
        ("musicgen-small", False, "musicgen"),
        ("audioldm2", False, "audioldm2"),
        ("stable-audio-3-small-sfx", True, "stable_audio"),
        ("mmaudio", False, "command"),
        ("clap", True, ""),
    ],
)
def test_what_a_model_allows_follows_from_its_licence(name: str, commercial: bool, generator: str) -> None:
    assert weights.entry(name).commercial is commercial
    assert weights.entry(name).generator == generator


def test_of_a_model_that_nobody_checked_nothing_is_known() -> None:
    assert weights.entry("someone/something").commercial is None


@pytest.mark.parametrize("name", ["open_clip", HUB, f"hf-hub:{HUB}"])
def test_a_cached_model_is_found_by_each_of_its_names_and_known_by_its_commit(name: str, nothing_is_here: Path) -> None:
    folder = cached(nothing_is_here)

    assert weights.find(name) == folder
    assert weights.get(name) == folder
    assert weights.revision(folder) == COMMIT


def test_a_model_of_the_hub_that_is_in_no_catalogue_is_found_in_the_cache(nothing_is_here: Path) -> None:
    assert weights.find("someone/something") is None
    folder = cached(nothing_is_here, "someone/something")
    assert weights.find("someone/something") == folder


def test_the_users_own_folder_comes_first(
    nothing_is_here: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cached(nothing_is_here)
    own = model_folder(tmp_path / "models" / "open_clip")
    monkeypatch.setenv(weights.FOLDER_VARIABLE, str(tmp_path / "models"))

    assert weights.find("open_clip") == own
    assert weights.find(HUB) == own


@pytest.mark.parametrize("prefix", ["", "local-dir:"])
def test_a_path_is_taken_as_it_is(prefix: str, tmp_path: Path) -> None:
    folder = model_folder(tmp_path / "own", config="config.json")
    assert weights.find(f"{prefix}{folder}") == folder
    assert weights.find(f"{prefix}{tmp_path / 'absent'}") is None


def test_a_model_that_is_not_whole_is_not_here(tmp_path: Path) -> None:
    whole = model_folder(tmp_path / "whole", config="config.json", parts=3)
    part = model_folder(tmp_path / "part", config="config.json", parts=3, missing=1)
    unconfigured = model_folder(tmp_path / "unconfigured", config="notes.txt")
    damaged = model_folder(tmp_path / "damaged", config="config.json", parts=2)
    (damaged / "model.safetensors.index.json").write_text('{"weight_map": {"layer0": "mod')

    assert weights.find(str(whole)) == whole
    assert [weights.find(str(folder)) for folder in (part, unconfigured, damaged)] == [None, None, None]
    with pytest.raises(MissingWeightsError, match="no whole weights"):
        weights.need(str(part))


@pytest.mark.parametrize(
    ("name", "names"),
    [
        ("audiogen-medium", ["state_dict.bin", "compression_state_dict.bin"]),
        ("stable-audio-3-small-sfx", ["model_config.json", "model.safetensors"]),
        ("musicgen-small", ["config.json", "pytorch_model.bin", "state_dict.bin", "compression_state_dict.bin"]),
    ],
)
def test_models_in_their_authors_own_layouts_are_found(name: str, names: list[str], nothing_is_here: Path) -> None:
    hub = weights.entry(name).hub
    folder = cached(nothing_is_here, hub, write=lambda folder: files_folder(folder, *names))
    assert weights.find(name) == folder
    (folder / names[1]).unlink()
    assert weights.find(name) is None or name == "musicgen-small"  # which is whole in another layout still


def test_a_pipeline_is_here_when_each_of_its_parts_is_whole(nothing_is_here: Path) -> None:
    folder = cached(nothing_is_here, "cvssp/audioldm2", write=pipeline_folder)
    assert weights.find("audioldm2") == folder
    assert layouts.layout_of(folder) == "diffusers"

    (folder / "text_encoder" / "model-1-of-2.safetensors").unlink()
    assert weights.find("audioldm2") is None


@pytest.mark.parametrize("gone", ["unet/config.json", "scheduler/scheduler_config.json", "tokenizer"])
def test_a_pipeline_without_a_part_is_not_whole(gone: str, tmp_path: Path) -> None:
    folder = pipeline_folder(tmp_path / "pipeline")
    if (folder / gone).is_dir():
        (folder / gone / "tokenizer_config.json").unlink()
        (folder / gone).rmdir()
    else:
        (folder / gone).unlink()
    assert not layouts.is_whole(folder)


@pytest.mark.parametrize("index", ["", "[]", '{"unet": ["diffu'])
def test_a_pipeline_with_a_broken_index_is_not_whole(index: str, tmp_path: Path) -> None:
    folder = pipeline_folder(tmp_path / "pipeline")
    (folder / "model_index.json").write_text(index)
    assert not layouts.is_whole(folder)


def test_a_converted_model_is_preferred_to_the_published_one(nothing_is_here: Path) -> None:
    names = ("state_dict.bin", "compression_state_dict.bin")
    published = cached(nothing_is_here, "facebook/audiogen-medium", write=lambda folder: files_folder(folder, *names))
    assert weights.find("audiogen-medium") == published

    converted = model_folder(weights.converted_folder("audiogen-medium"), config="config.json")
    assert weights.find("audiogen-medium") == converted
    assert weights.find("audiogen-medium", published=True) == published


def test_what_other_programs_play_is_not_fetched() -> None:
    with pytest.raises(MissingWeightsError, match="its own program") as caught:
        weights.get("mmaudio")
    assert "huggingface.co/hkchengrex/MMAudio" in caught.value.hint


def test_what_is_missing_comes_with_the_command_that_gets_it() -> None:
    with pytest.raises(MissingWeightsError) as caught:
        weights.need("open_clip")
    assert caught.value.hint == "foley models get open_clip"


def test_a_name_that_nobody_knows_lists_the_known_ones() -> None:
    with pytest.raises(OptionError) as caught:
        weights.get("theremin")
    assert "open_clip" in caught.value.hint


def test_fetching_without_a_network_is_one_clear_error() -> None:
    # without this the hub's package tries for 20 s to connect
    with weights.offline(), pytest.raises(MissingWeightsError, match="cannot be fetched") as caught:
        weights.get("open_clip")
    assert weights.FOLDER_VARIABLE in caught.value.hint


def test_fetching_without_the_hubs_package_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(weights.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(MissingProgramError, match="huggingface_hub"):
        weights.get("open_clip")


def test_other_weights_are_another_revision_and_the_same_weights_the_same(tmp_path: Path) -> None:
    one, same, other = (model_folder(tmp_path / name) for name in ("one", "same", "other"))
    large = bytearray(3 << 20)
    (one / "model.safetensors").write_bytes(large)
    (same / "model.safetensors").write_bytes(large)
    large[-1] = 1
    (other / "model.safetensors").write_bytes(large)

    assert weights.revision(one) == weights.revision(same)
    assert weights.revision(one) != weights.revision(other)


def test_a_part_of_a_pipeline_with_other_weights_is_another_revision(tmp_path: Path) -> None:
    folder = pipeline_folder(tmp_path / "pipeline")
    before = weights.revision(folder)
    assert weights.revision(folder) == before
    (folder / "unet" / "model.safetensors").write_bytes(b"others!")
    assert weights.revision(folder) != before


def test_a_manifest_gets_the_hash_of_every_file_of_weights(tmp_path: Path) -> None:
    folder = pipeline_folder(tmp_path / "pipeline")
    record = weights.record(folder)
    assert record["revision"] == weights.revision(folder)
    assert record["sha256"] == {
        name: hashlib.sha256(b"numbers").hexdigest()
        for name in (
            "text_encoder/model-0-of-2.safetensors",
            "text_encoder/model-1-of-2.safetensors",
            "unet/model.safetensors",
        )
    }
    file = folder / "unet" / "model.safetensors"
    assert weights.record(file)["sha256"] == {"model.safetensors": hashlib.sha256(b"numbers").hexdigest()}


def test_a_file_is_hashed_once_as_long_as_it_is_not_changed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "model.safetensors"
    file.write_bytes(b"one")
    first = digests.sha256(file)
    assert first == hashlib.sha256(b"one").hexdigest()

    changed = file.stat().st_mtime_ns
    file.write_bytes(b"two")  # of the same length, and made to look untouched: so nobody reads it
    os.utime(file, ns=(changed, changed))
    assert digests.sha256(file) == first
    os.utime(file, ns=(changed + 1, changed + 1))
    assert digests.sha256(file) == hashlib.sha256(b"two").hexdigest()


@pytest.mark.parametrize("held", ["", "[]", '{"broken', "null"])
def test_a_damaged_memory_of_hashes_only_costs_time(held: str, tmp_path: Path) -> None:
    (tmp_path / "cache").mkdir()
    (tmp_path / "cache" / digests.REMEMBERED_NAME).write_text(held)
    file = tmp_path / "model.safetensors"
    file.write_bytes(b"one")
    assert digests.sha256(file) == digests.sha256(file) == hashlib.sha256(b"one").hexdigest()


def test_where_hashes_cannot_be_kept_they_are_made_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "a file").write_text("")
    monkeypatch.setenv("FOLEY_CACHE", str(tmp_path / "a file"))
    assert digests.sha256(tmp_path / "a file") == hashlib.sha256(b"").hexdigest()


@pytest.mark.parametrize(
    ("there", "layout", "wanted"),
    [
        (
            [
                "README.md",
                "model_index.json",
                "model.safetensors",
                "model_config.json",
                "unet/config.json",
                "unet/diffusion_pytorch_model.bin",
                "unet/diffusion_pytorch_model.fp16.safetensors",
                "unet/diffusion_pytorch_model.safetensors",
                "text_encoder/config.json",
                "text_encoder/pytorch_model-00001-of-00002.bin",
                "text_encoder/pytorch_model-00002-of-00002.bin",
                "text_encoder/pytorch_model.bin.index.json",
                "tokenizer/tokenizer_config.json",
                "tokenizer/spiece.model",
                "images/waveform.png",
                "onnx/unet/config.json",
            ],
            "diffusers",
            [
                "model_index.json",
                "unet/config.json",
                "unet/diffusion_pytorch_model.safetensors",
                "text_encoder/config.json",
                "text_encoder/pytorch_model-00001-of-00002.bin",
                "text_encoder/pytorch_model-00002-of-00002.bin",
                "text_encoder/pytorch_model.bin.index.json",
                "tokenizer/tokenizer_config.json",
                "tokenizer/spiece.model",
            ],
        ),
        (
            ["README.md", "compression_state_dict.bin", "state_dict.bin"],
            "",
            ["state_dict.bin", "compression_state_dict.bin"],
        ),
        (
            ["config.json", "model.safetensors", "compression_state_dict.bin", "state_dict.bin"],
            "",
            ["config.json", "model.safetensors"],
        ),
        (
            ["model_config.json", "model.safetensors", "t5/config.json", "t5/model.safetensors", "t5/README.md"],
            "stable-audio-tools",
            ["model_config.json", "model.safetensors", "t5/config.json", "t5/model.safetensors"],
        ),
        (
            ["model_index.json", "model_config.json", "model.safetensors", "model.ckpt", "vae/config.json"],
            "stable-audio-tools",
            ["model_config.json", "model.safetensors"],
        ),
    ],
)
def test_of_each_layout_just_what_is_loaded_is_fetched(there: list[str], layout: str, wanted: list[str]) -> None:
    assert layouts.wanted_files(there, layout) == wanted


@pytest.mark.parametrize(
    ("there", "wanted"),
    [
        (
            [
                "open_clip_config.json",
                "open_clip_model.safetensors",
                "open_clip_pytorch_model.bin",
                "model.safetensors",
            ],
            ["open_clip_config.json", "open_clip_model.safetensors"],
        ),
        (
            ["open_clip_config.json", "open_clip_pytorch_model.bin", "pytorch_model.bin"],
            ["open_clip_config.json", "open_clip_pytorch_model.bin"],
        ),
        (
            ["config.json", "a.index.json", "model-1.safetensors", "model.safetensors.index.json", "pytorch_model.bin"],
            ["config.json", "model-1.safetensors", "model.safetensors.index.json"],
        ),
        (
            ["config.json", "tokenizer.json", "vocab.txt", "chat_template.jinja", "pytorch_model.bin", "tf_model.h5"],
            ["config.json", "tokenizer.json", "vocab.txt", "chat_template.jinja", "pytorch_model.bin"],
        ),
    ],
)
def test_the_same_weights_are_fetched_once(there: list[str], wanted: list[str]) -> None:
    assert layouts.wanted_files(there) == wanted


def test_the_network_is_off_while_models_load_and_as_before_afterwards() -> None:
    from huggingface_hub import constants

    before = constants.HF_HUB_OFFLINE
    with weights.offline():
        assert constants.is_offline_mode()
    assert before == constants.HF_HUB_OFFLINE


def test_the_network_stays_off_until_the_last_thread_has_loaded() -> None:
    from huggingface_hub import constants

    first_left, second_in = threading.Event(), threading.Event()
    seen: list[bool] = []

    def second() -> None:
        with weights.offline():
            second_in.set()
            assert first_left.wait(10)
            seen.append(constants.HF_HUB_OFFLINE)

    before = constants.HF_HUB_OFFLINE
    other = threading.Thread(target=second)
    with weights.offline():
        other.start()
        assert second_in.wait(10)
    first_left.set()
    other.join()
    assert seen == [True]
    assert before == constants.HF_HUB_OFFLINE


def test_the_command_lists_what_is_here_for_people_and_for_programs(nothing_is_here: Path) -> None:
    folder = cached(nothing_is_here)

    told = CliRunner().invoke(models.app, ["list"])
    records = json.loads(CliRunner().invoke(models.app, ["list", "--json"]).output)

    assert f"here: {folder}" in told.output
    assert "foley models get minilm" in told.output
    assert {record["name"]: record["here"] for record in records}["open_clip"] == str(folder)
    assert {record["name"]: record["here"] for record in records}["minilm"] is None


def test_the_command_says_where_weights_are(nothing_is_here: Path) -> None:
    folder = cached(nothing_is_here)

    assert CliRunner().invoke(models.app, ["where", "open_clip"]).output.strip() == str(folder)
    assert json.loads(CliRunner().invoke(models.app, ["get", "open_clip", "--json"]).output)["revision"] == COMMIT
    assert isinstance(CliRunner().invoke(models.app, ["where", "minilm"]).exception, MissingWeightsError)


def test_the_command_lists_who_plays_a_model_and_what_its_licence_asks_for() -> None:
    told = CliRunner().invoke(models.app, ["list"]).output
    records = {one["name"]: one for one in json.loads(CliRunner().invoke(models.app, ["list", "--json"]).output)}

    assert "audiogen-medium (sound; generator audiogen)" in told
    assert "free below a yearly revenue of US$1M" in told
    assert "commercial use too, not in EU, GB, KR" in told
    assert "played by its own program" in told
    assert records["hunyuanvideo-foley"]["excluded_regions"] == ["EU", "GB", "KR"]
    assert records["audiogen-medium"]["commercial"] is False
    assert records["stable-audio-3-small-sfx"]["rates"]["cuda"]["realtime"] > 0


@pytest.fixture
def converters(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, object]]:
    """Two converters that only write down what they are asked, and make a folder."""
    asked: list[dict[str, object]] = []

    def converter(name: str) -> SimpleNamespace:
        def convert(source: Path, target: Path, **given: object) -> Path:
            asked.append({"converter": name, "source": source, "target": target, **given})
            return model_folder(target, config="config.json")

        return SimpleNamespace(convert=convert)

    for layout, module in models.CONVERTERS.items():
        monkeypatch.setitem(sys.modules, module, converter(layout))
    return asked


def test_a_checkpoint_of_audiocraft_is_converted_beside_itself(tmp_path: Path, converters: list) -> None:
    folder = files_folder(tmp_path / "tune", "state_dict.bin", "compression_state_dict.bin")

    done = CliRunner().invoke(models.app, ["convert", str(folder), "--codec", "encodec"])

    target = tmp_path / "tune-converted"
    assert done.output.strip() == str(target)
    assert converters == [
        {
            "converter": "audiocraft",
            "source": folder,
            "target": target,
            "codec": "encodec",
            "text_encoder": "",
        }
    ]


def test_a_model_of_the_catalogue_is_converted_to_where_it_is_found(nothing_is_here: Path, converters: list) -> None:
    names = ("model_config.json", "model.safetensors")
    hub = weights.entry("stable-audio-3-small-sfx").hub
    published = cached(nothing_is_here, hub, write=lambda folder: files_folder(folder, *names))

    asked = ["convert", "stable-audio-3-small-sfx", "--text-encoder", "t5gemma", "--json"]
    done = json.loads(CliRunner().invoke(models.app, asked).output)

    assert weights.find("stable-audio-3-small-sfx") == Path(done["here"])
    assert converters == [
        {
            "converter": "stable-audio-tools",
            "source": published,
            "target": Path(done["here"]),
            "text_encoder": "t5gemma",
        }
    ]


def test_what_needs_no_conversion_is_refused_with_what_was_expected(tmp_path: Path, converters: list) -> None:
    folder = model_folder(tmp_path / "whole", config="config.json")
    refused = CliRunner().invoke(models.app, ["convert", str(folder)]).exception
    assert isinstance(refused, MissingWeightsError)
    assert "state_dict.bin" in refused.message
    assert "model_config.json" in refused.message
    assert not converters
