"""The catalogue of models, where their weights are found, and that looking never asks the network."""

from __future__ import annotations

import json
import socket
from pathlib import Path

import pytest
from typer.testing import CliRunner

from foley.cli import models
from foley.errors import MissingProgramError, MissingWeightsError, OptionError
from foley.neural import weights

COMMIT = "0123456789abcdef0123456789abcdef01234567"
HUB = "laion/CLIP-ViT-B-32-laion2B-s34B-b79K"


@pytest.fixture(autouse=True)
def nothing_is_here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty hub cache, no folder of the user's own, and no network; returns the cache."""
    constants = pytest.importorskip("huggingface_hub.constants")
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.delenv(weights.FOLDER_VARIABLE, raising=False)
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


def cached(hub_cache: Path, hub: str = HUB) -> Path:
    """Write a model into the hub's cache."""
    base = hub_cache / f"models--{hub.replace('/', '--')}"
    (base / "refs").mkdir(parents=True)
    (base / "refs" / "main").write_text(COMMIT)
    return model_folder(base / "snapshots" / COMMIT)


def test_every_entry_says_what_it_is_for_and_what_its_licence_allows() -> None:
    entries = weights.catalogue().values()

    assert {"open_clip", "minilm"} <= weights.catalogue().keys()
    assert {entry.purpose for entry in entries} >= {"encoder", "planner", "text", "matching"}
    assert all(entry.hub.count("/") == 1 and entry.about for entry in entries)
    assert all((entry.commercial is None) == (entry.weights_licence == "check") for entry in entries)


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
    assert weights.wanted_files(there) == wanted


def test_the_network_is_off_while_models_load_and_as_before_afterwards() -> None:
    from huggingface_hub import constants

    before = constants.HF_HUB_OFFLINE
    with weights.offline():
        assert constants.is_offline_mode()
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
