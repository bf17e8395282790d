"""What every encoder promises, through its public loading path, without a network; and what open_clip's names mean."""

from __future__ import annotations

import json
import shutil
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest

from foley import plugins
from foley.contracts import Encoder
from foley.errors import MissingProgramError, MissingWeightsError, OptionError
from foley.neural import runtime, weights
from tests.tiny_models import OPEN_CLIP, open_clip_state, tiny_open_clip

TINY: dict[str, Callable[[Path], Path]] = {"open_clip": tiny_open_clip}
"""What writes a small model for an encoder; others are only asked what they lack."""

ENCODERS = plugins.names("encoder")

SINGLE_PRECISION = 2e-6
"""What the order of additions changes in a sum of numbers of at most 1."""

TEXTS = ["a dog barks", "rain on a window", "a person walking on gravel"]


@pytest.fixture(autouse=True)
def no_network(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Refuse every connection, and start with an empty hub cache."""
    if needed := runtime.missing("torchvision", "open_clip", "safetensors"):
        pytest.skip(needed[0])

    def refuse(*_: object) -> None:
        raise AssertionError("an encoder touched the network")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(pytest.importorskip("huggingface_hub.constants"), "HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.delenv(weights.FOLDER_VARIABLE, raising=False)


@pytest.fixture(scope="session")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A tiny model for each encoder that one can be written for."""
    if runtime.missing("torchvision", "open_clip", "safetensors"):
        return {}
    return {name: write(tmp_path_factory.mktemp(name)) for name, write in TINY.items()}


def ready(name: str, folders: dict[str, Path]) -> Encoder:
    if name not in folders:
        pytest.skip(f"no tiny model is written for {name}")
    encoder: Encoder = plugins.build("encoder", name)
    encoder.prepare(f"local-dir:{folders[name]}", "cpu")
    return encoder


def jpegs(count: int) -> list[bytes]:
    images = [np.random.default_rng(seed).integers(0, 255, (48, 64, 3), np.uint8) for seed in range(count)]
    return [cv2.imencode(".jpg", image)[1].tobytes() for image in images]


@pytest.mark.parametrize("name", ENCODERS)
def test_it_says_what_it_lacks_before_it_loads_anything(name: str) -> None:
    assert all(isinstance(line, str) and line for line in plugins.build("encoder", name).missing())


@pytest.mark.parametrize("name", ENCODERS)
def test_pictures_and_texts_lie_in_one_space_at_length_one(name: str, folders: dict[str, Path]) -> None:
    encoder = ready(name, folders)
    pictures, texts = encoder.pictures(jpegs(5)), encoder.texts(TEXTS)

    assert pictures.shape == (5, texts.shape[1])
    assert texts.shape[0] == len(TEXTS)
    assert pictures.dtype == texts.dtype == np.float32
    assert np.linalg.norm(np.concatenate([pictures, texts]), axis=1) == pytest.approx(1, abs=1e-5)
    assert encoder.scale > 0


@pytest.mark.parametrize("name", ENCODERS)
def test_the_same_gives_the_same_alone_or_in_company(name: str, folders: dict[str, Path]) -> None:
    encoder, again = ready(name, folders), ready(name, folders)
    many = jpegs(70)  # more than two batches

    together = encoder.pictures(many)
    assert np.array_equal(together, again.pictures(many))
    assert together[[0, 40, 69]] == pytest.approx(
        np.concatenate([encoder.pictures([many[number]]) for number in (0, 40, 69)]), abs=SINGLE_PRECISION
    )
    assert encoder.texts(TEXTS)[1] == pytest.approx(encoder.texts([TEXTS[1]])[0], abs=SINGLE_PRECISION)


@pytest.mark.parametrize("name", ENCODERS)
def test_nothing_to_look_at_gives_nothing(name: str, folders: dict[str, Path]) -> None:
    encoder = ready(name, folders)
    assert len(encoder.pictures([])) == len(encoder.texts([])) == 0


@pytest.mark.parametrize("name", ENCODERS)
def test_different_pictures_differ(name: str, folders: dict[str, Path]) -> None:
    one, other = ready(name, folders).pictures(jpegs(2))
    assert float(one @ other) < 0.9999


def test_its_identity_changes_with_its_weights_only(tmp_path: Path) -> None:
    encoder: Encoder = plugins.build("encoder", "open_clip")
    folder = tiny_open_clip(tmp_path / "model", seed=0)
    first, again = encoder.identity(f"local-dir:{folder}"), encoder.identity(f"local-dir:{folder}")
    tiny_open_clip(folder, seed=1)

    assert first == again
    assert first != encoder.identity(f"local-dir:{folder}")


def test_a_folder_without_weights_is_refused_and_never_random(tmp_path: Path) -> None:
    encoder: Encoder = plugins.build("encoder", "open_clip")
    empty = f"local-dir:{tiny_open_clip(tmp_path / 'empty', weights=False)}"

    assert encoder.missing(empty)
    for ask in (encoder.prepare, encoder.identity):
        with pytest.raises(MissingWeightsError, match="no whole weights"):
            ask(empty)


def test_without_its_packages_it_says_what_to_install(
    folders: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    encoder: Encoder = plugins.build("encoder", "open_clip")
    monkeypatch.setattr(runtime, "missing", lambda *packages: ("make models",))

    assert encoder.missing(f"local-dir:{folders['open_clip']}") == ("make models",)
    for ask in (encoder.prepare, encoder.identity):
        with pytest.raises(MissingProgramError) as caught:
            ask(f"local-dir:{folders['open_clip']}")
        assert caught.value.hint == "make models"


def test_damaged_weights_are_refused_in_words(tmp_path: Path) -> None:
    folder = tiny_open_clip(tmp_path / "damaged", weights=False)
    (folder / "open_clip_model.safetensors").write_bytes(b"not numbers at all")
    with pytest.raises(MissingWeightsError) as caught:
        plugins.build("encoder", "open_clip").prepare(f"local-dir:{folder}", "cpu")
    assert caught.value.__cause__ is not None


def test_weights_of_another_architecture_are_refused(tmp_path: Path) -> None:
    folder = tiny_open_clip(tmp_path / "other")
    config = {"model_cfg": {**OPEN_CLIP, "embed_dim": 16}}
    (folder / "open_clip_config.json").write_text(json.dumps(config))
    with pytest.raises(MissingWeightsError):
        plugins.build("encoder", "open_clip").prepare(f"local-dir:{folder}", "cpu")


def test_the_default_is_found_in_the_users_own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    encoder: Encoder = plugins.build("encoder", "open_clip")
    assert encoder.missing() == ("foley models get open_clip",)

    tiny_open_clip(tmp_path / "models" / "open_clip")
    monkeypatch.setenv(weights.FOLDER_VARIABLE, str(tmp_path / "models"))

    assert encoder.missing() == ()
    encoder.prepare(device="cpu")
    assert encoder.texts(TEXTS).shape == (3, OPEN_CLIP["embed_dim"])


def test_a_checkpoint_is_loaded_with_the_architecture_it_is_said_to_have(
    tmp_path: Path, folders: dict[str, Path]
) -> None:
    runtime.torch()
    import open_clip
    from safetensors.torch import save_file

    (tmp_path / "foley-test-tiny.json").write_text(json.dumps(OPEN_CLIP))
    open_clip.add_model_config(tmp_path / "foley-test-tiny.json")
    save_file(open_clip_state(), tmp_path / "weights.safetensors")
    encoder: Encoder = plugins.build("encoder", "open_clip")
    encoder.prepare(f"foley-test-tiny:{tmp_path / 'weights.safetensors'}", "cpu")

    assert np.array_equal(encoder.texts(TEXTS), ready("open_clip", folders).texts(TEXTS))


def test_a_name_of_open_clips_own_list_is_looked_for_in_the_hubs_cache(
    tmp_path: Path, folders: dict[str, Path]
) -> None:
    encoder: Encoder = plugins.build("encoder", "open_clip")
    name = "ViT-B-16/laion2b_s34b_b88k"
    assert encoder.missing(name) == ("foley models get laion/CLIP-ViT-B-16-laion2B-s34B-b88K",)

    base = tmp_path / "hub" / "models--laion--CLIP-ViT-B-16-laion2B-s34B-b88K"
    (base / "refs").mkdir(parents=True)
    (base / "refs" / "main").write_text("0" * 40)
    shutil.copytree(folders["open_clip"], base / "snapshots" / ("0" * 40))

    assert encoder.missing(name) == ()
    assert "0" * 40 in encoder.identity(name)
    encoder.prepare(name, "cpu")
    assert np.array_equal(encoder.texts(TEXTS), ready("open_clip", folders).texts(TEXTS))


@pytest.mark.parametrize("name", ["theremin", "ARCHITECTURE:absent.pt", "local-dir:absent", "nobody/nothing"])
def test_a_name_that_means_nothing_here_is_an_error_with_a_way_out(name: str) -> None:
    with pytest.raises((MissingWeightsError, OptionError)) as caught:
        plugins.build("encoder", "open_clip").prepare(name, "cpu")
    assert caught.value.hint


@pytest.mark.parametrize(
    ("name", "said", "hint"),
    [
        ("ViT-B-32", "ViT-B-32 names no weights", "ViT-B-32/laion2b_s34b_b79k"),
        ("ViT-B-32/typo", "ViT-B-32 has no weights called 'typo'", "ViT-B-32/laion2b_s34b_b79k"),
        ("theremin", "no model of open_clip is called 'theremin'", "local-dir:FOLDER"),
    ],
)
def test_who_names_no_weights_of_open_clip_is_told_which_there_are(name: str, said: str, hint: str) -> None:
    with pytest.raises(OptionError) as caught:
        plugins.build("encoder", "open_clip").prepare(name, "cpu")
    assert caught.value.message == said
    assert hint in caught.value.hint
    assert "audio" not in caught.value.hint, "what makes sound sees nothing"


def test_half_precision_says_nearly_the_same(folders: dict[str, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    exact = ready("open_clip", folders)
    pictures, texts = exact.pictures(jpegs(3)), exact.texts(TEXTS)
    torch = runtime.torch()
    monkeypatch.setattr(runtime, "dtype", lambda on: torch.bfloat16)
    rounded = ready("open_clip", folders)

    assert (rounded.pictures(jpegs(3)) * pictures).sum(axis=1).min() > 0.99
    assert (rounded.texts(TEXTS) * texts).sum(axis=1).min() > 0.99


def test_building_an_encoder_loads_nothing_heavy() -> None:
    script = (
        "import sys\nfrom foley import plugins\n"
        "[plugins.build('encoder', name) for name in plugins.names('encoder')]\n"
        "print([name for name in ('torch', 'open_clip', 'PIL', 'huggingface_hub') if name in sys.modules])\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
