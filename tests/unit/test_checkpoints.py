"""Loading of checkpoints: to the last number or not at all, and nothing that a file brings is run."""

from __future__ import annotations

import importlib
import json
import logging
import os
import shutil
import sys
import types
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from foley.errors import MissingWeightsError, OptionError
from foley.neural import checkpoints, quantise, runtime

pytest.importorskip("torch")
pytest.importorskip("diffusers")


@pytest.fixture(scope="module")
def torch() -> Any:
    return runtime.torch()


@pytest.fixture(scope="module")
def originals(tmp_path_factory: pytest.TempPathFactory, torch: Any) -> Path:
    """A text encoder of transformers, a denoiser of diffusers, and a pipeline that holds one: tiny and random."""
    from diffusers import DanceDiffusionPipeline, IPNDMScheduler, UNet1DModel
    from transformers import T5Config, T5EncoderModel

    folder = tmp_path_factory.mktemp("models")
    config = T5Config(vocab_size=32, d_model=8, d_kv=4, d_ff=16, num_layers=1, num_heads=2)
    T5EncoderModel(config).save_pretrained(folder / "t5")
    denoiser = UNet1DModel(
        block_out_channels=(8, 8, 16),
        layers_per_block=1,
        norm_num_groups=4,
        extra_in_channels=16,
        sample_size=256,
        sample_rate=16_000,
        in_channels=2,
        out_channels=2,
        flip_sin_to_cos=True,
        use_timestep_embedding=False,
        time_embedding_type="fourier",
        mid_block_type="UNetMidBlock1D",
        down_block_types=("DownBlock1DNoSkip", "DownBlock1D", "AttnDownBlock1D"),
        up_block_types=("AttnUpBlock1D", "UpBlock1D", "UpBlock1DNoSkip"),
    )
    denoiser.save_pretrained(folder / "unet")
    DanceDiffusionPipeline(unet=denoiser, scheduler=IPNDMScheduler()).save_pretrained(folder / "pipeline")
    return folder


@pytest.fixture
def copy(originals: Path, tmp_path: Path) -> Callable[[str], Path]:
    def of(name: str) -> Path:
        return Path(shutil.copytree(originals / name, tmp_path / name))

    return of


def model_class(name: str) -> Any:
    library, of = {"t5": ("transformers", "T5EncoderModel"), "unet": ("diffusers", "UNet1DModel")}[name]
    return getattr(importlib.import_module(library), of)


def edit(folder: Path, change: Callable[[dict[str, Any]], None]) -> None:
    """Change what a folder's safetensors hold."""
    from safetensors.torch import load_file, save_file

    (file,) = folder.glob("*.safetensors")
    state = load_file(file)
    change(state)
    save_file(state, file, metadata={"format": "pt"})


class Harmful:
    """Makes a folder when it is unpickled."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __reduce__(self) -> tuple[Any, ...]:
        return os.mkdir, (str(self.folder),)


def test_a_whole_model_is_loaded_as_asked_and_ready_to_be_used(originals: Path, torch: Any) -> None:
    model = checkpoints.checked(model_class("t5"), originals / "t5", name="t5", dtype=torch.bfloat16)
    assert model.dtype is torch.bfloat16
    assert not model.training


def test_a_class_that_is_chosen_by_the_configuration_runs_no_code_of_the_folder(
    copy: Callable[[str], Path], tmp_path: Path
) -> None:
    from transformers import AutoModel

    folder = copy("t5")
    config = json.loads((folder / "config.json").read_text())
    config |= {"model_type": "their-own", "auto_map": {"AutoConfig": "theirs.Config", "AutoModel": "theirs.Model"}}
    (folder / "config.json").write_text(json.dumps(config))
    (folder / "theirs.py").write_text(f"import os; os.mkdir({str(tmp_path / 'was run')!r})")
    with pytest.raises(MissingWeightsError):
        checkpoints.checked(AutoModel, folder, name="t5")
    assert not (tmp_path / "was run").exists()


@pytest.mark.parametrize("name", ["t5", "unet"])
def test_a_missing_key_refuses_and_is_named_with_the_file_and_the_way_out(
    name: str, copy: Callable[[str], Path]
) -> None:
    folder, gone = copy(name), []
    edit(folder, lambda state: gone.append(min(state)) or state.pop(gone[0]))
    with pytest.raises(MissingWeightsError, match=r"1 \(.*\) missing") as caught:
        checkpoints.checked(model_class(name), folder, name=name)
    (file,) = folder.glob("*.safetensors")
    assert gone[0] in caught.value.message
    assert file.name in caught.value.message
    assert caught.value.hint == f"foley models get {name}"


@pytest.mark.parametrize("name", ["t5", "unet"])
def test_an_unexpected_key_refuses_unless_it_is_said_to_be_harmless(
    name: str, copy: Callable[[str], Path], torch: Any
) -> None:
    folder = copy(name)
    edit(folder, lambda state: state.update({"extra.weight": torch.zeros(2)}))
    with pytest.raises(MissingWeightsError, match=r"1 \(extra\.weight\) not known"):
        checkpoints.checked(model_class(name), folder, name=name)
    assert checkpoints.checked(model_class(name), folder, name=name, harmless=[r"^extra\."]) is not None


@pytest.mark.parametrize("name", ["t5", "unet"])
def test_a_key_of_another_shape_refuses(name: str, copy: Callable[[str], Path], torch: Any) -> None:
    folder, changed = copy(name), []
    edit(folder, lambda state: changed.append(min(state)) or state.update({changed[0]: torch.zeros(3)}))
    with pytest.raises(MissingWeightsError) as caught:
        checkpoints.checked(model_class(name), folder, name=name)
    assert changed[0] in caught.value.message
    assert "ignore_mismatched" not in caught.value.message


@pytest.mark.parametrize("name", ["t5", "unet"])
@pytest.mark.parametrize("damage", ["cut", "empty", "no config", "no folder"])
def test_what_is_broken_off_or_absent_is_one_clear_error(name: str, damage: str, copy: Callable[[str], Path]) -> None:
    folder = copy(name)
    (file,) = folder.glob("*.safetensors")
    if damage == "cut":
        file.write_bytes(file.read_bytes()[:100])
    elif damage == "empty":
        file.write_bytes(b"")
    elif damage == "no config":
        (folder / "config.json").unlink()
    else:
        shutil.rmtree(folder)
    with pytest.raises(MissingWeightsError) as caught:
        checkpoints.checked(model_class(name), folder, name=name)
    assert str(folder) in caught.value.message
    assert caught.value.message.count("\n") == 0


def test_a_pickle_that_would_run_something_is_not_opened(
    copy: Callable[[str], Path], tmp_path: Path, torch: Any
) -> None:
    folder = copy("t5")
    next(folder.glob("*.safetensors")).unlink()
    torch.save({"shared.weight": Harmful(tmp_path / "was run")}, folder / "pytorch_model.bin")
    with pytest.raises(MissingWeightsError) as caught:
        checkpoints.checked(model_class("t5"), folder, name="t5")
    with pytest.raises(MissingWeightsError, match="plain tensors"):
        checkpoints.read_pickled(folder / "pytorch_model.bin", name="t5")
    assert not (tmp_path / "was run").exists()
    assert "weights_only" not in caught.value.message  # the libraries' advice is to switch the check off


@pytest.mark.parametrize("old_format", [False, True])
def test_a_pickle_of_plain_tensors_is_read(tmp_path: Path, torch: Any, old_format: bool) -> None:
    held = {"best_state": {"weight": torch.arange(6.0).reshape(2, 3)}, "xp.cfg": "solver: audiogen"}
    torch.save(held, tmp_path / "state_dict.bin", _use_new_zipfile_serialization=not old_format)
    found = checkpoints.read_pickled(tmp_path / "state_dict.bin", name="audiogen-medium")
    assert found["xp.cfg"] == "solver: audiogen"
    assert torch.equal(found["best_state"]["weight"], held["best_state"]["weight"])


def test_a_file_that_is_no_pickle_or_no_state_dict_is_refused(tmp_path: Path, torch: Any) -> None:
    (tmp_path / "page.bin").write_text("<html>not found</html>")
    torch.save(torch.zeros(2), tmp_path / "tensor.bin")
    for name in ("page.bin", "tensor.bin", "absent.bin"):
        with pytest.raises(MissingWeightsError, match=name) as refused:
            checkpoints.read_pickled(tmp_path / name, name="audiogen-medium")
        assert "state dict" in refused.value.message
        assert refused.value.hint == "foley models get audiogen-medium"


def test_every_part_of_a_pipeline_is_checked(copy: Callable[[str], Path], torch: Any) -> None:
    from diffusers import DanceDiffusionPipeline

    folder = copy("pipeline")
    pipeline = checkpoints.checked(DanceDiffusionPipeline, folder, name="dance", dtype=torch.bfloat16)
    assert pipeline.unet.dtype is torch.bfloat16

    edit(folder / "unet", lambda state: state.pop(min(state)))
    with pytest.raises(MissingWeightsError, match=r"1 .* missing"):
        checkpoints.checked(DanceDiffusionPipeline, folder, name="dance")
    again = checkpoints.checked(DanceDiffusionPipeline, folder, name="dance", unet=pipeline.unet)
    assert again.unet is pipeline.unet


@pytest.mark.parametrize("library", ["os", "foley.errors", "no_such_pipeline"])
def test_a_pipeline_that_names_another_library_is_refused(library: str, copy: Callable[[str], Path]) -> None:
    from diffusers import DanceDiffusionPipeline

    folder = copy("pipeline")
    index = json.loads((folder / "model_index.json").read_text())
    index["unet"] = [library, "UNet1DModel"]
    (folder / "model_index.json").write_text(json.dumps(index))
    with pytest.raises(MissingWeightsError, match=library):
        checkpoints.checked(DanceDiffusionPipeline, folder, name="dance")


def test_loading_says_nothing_and_leaves_the_libraries_as_talkative_as_before(
    originals: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    from transformers.utils import logging as talk

    before = talk.get_verbosity(), talk.is_progress_bar_enabled(), logging.getLogger("transformers").level
    checkpoints.checked(model_class("t5"), originals / "t5", name="t5")
    assert (talk.get_verbosity(), talk.is_progress_bar_enabled(), logging.getLogger("transformers").level) == before
    assert capfd.readouterr().err == ""


def test_a_lack_of_memory_is_no_fault_of_the_weights(originals: Path) -> None:
    class Greedy:
        @classmethod
        def from_pretrained(cls, *_: object, **__: object) -> None:
            raise RuntimeError("CUDA out of memory")

    with pytest.raises(RuntimeError, match="CUDA out of memory"):
        checkpoints.checked(Greedy, originals / "t5", name="t5")


@pytest.mark.parametrize(
    ("wanted", "device", "said"),
    [("4bit", "cpu", "not supported on cpu"), ("8bit", "mps", "not supported on mps"), ("2bit", "cuda", "2bit")],
)
def test_weights_are_not_put_into_fewer_bits_where_that_is_not_supported(wanted: str, device: str, said: str) -> None:
    with pytest.raises(OptionError, match=said) as caught:
        quantise.quantised(object(), wanted, device)
    assert caught.value.hint


def test_without_torchao_the_way_out_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(OptionError, match="torchao") as caught:
        quantise.quantised(object(), "8bit", "cpu")
    assert "pip install torchao" in caught.value.hint


def test_kernels_that_torchao_lacks_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its 4 bits want a package of kernels of their own: seen with torchao 0.18, which asks for mslk."""

    def lacking(model: object, config: object) -> None:
        raise ImportError("Requires mslk >= 1.0.0")

    bits: list[int] = []
    stub = types.ModuleType("torchao.quantization")
    stub.quantize_ = lacking  # type: ignore[attr-defined]
    stub.Int4WeightOnlyConfig = lambda group_size: bits.append(4)  # type: ignore[attr-defined]
    stub.Int8WeightOnlyConfig = lambda: bits.append(8)  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "torchao", types.ModuleType("torchao"))
    monkeypatch.setitem(sys.modules, "torchao.quantization", stub)
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: object())
    for wanted, device in (("4bit", "cuda"), ("8bit", "cpu")):
        with pytest.raises(OptionError, match="mslk") as caught:
            quantise.quantised(object(), wanted, device)
        assert "what torchao asks for" in caught.value.hint
    assert bits == [4, 8]


def test_a_model_that_is_not_asked_to_be_smaller_stays_as_it_is() -> None:
    model = object()
    assert quantise.quantised(model, "", "cpu") is model


@pytest.mark.skipif(importlib.util.find_spec("torchao") is None, reason="torchao is not installed")
def test_eight_bits_say_nearly_the_same_as_all(torch: Any) -> None:
    exact = torch.nn.Linear(256, 256, bias=False)
    rounded = torch.nn.Sequential(torch.nn.Linear(256, 256, bias=False))
    rounded[0].load_state_dict(exact.state_dict())
    asked = torch.randn(4, 256, generator=torch.Generator().manual_seed(0))
    with torch.inference_mode():
        difference = quantise.quantised(rounded, "8bit", "cpu")(asked) - exact(asked)
        assert float(difference.abs().max()) < 0.02 * float(exact(asked).abs().max())
