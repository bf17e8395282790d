"""The door to torch: open where it is installed, plainly shut where it is not."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from importlib.machinery import ModuleSpec

import pytest

from foley.errors import MissingProgramError, OptionError
from foley.neural import runtime

torch_is_here = pytest.mark.skipif(importlib.util.find_spec("torch") is None, reason="torch is not installed")


@torch_is_here
def test_open_clip_can_be_imported_after_it() -> None:
    program = (
        "from foley.neural import runtime; runtime.torch(); import torchvision, open_clip; print(open_clip.__name__)"
    )

    done = subprocess.run([sys.executable, "-W", "ignore", "-c", program], capture_output=True, text=True, check=False)

    assert done.stdout.strip() == "open_clip", done.stderr


@torch_is_here
def test_the_best_device_is_one_that_is_here() -> None:
    assert runtime.device("auto") in ("cpu", "cuda", "mps")
    assert runtime.device("cpu") == "cpu"


@torch_is_here
def test_on_a_processor_numbers_are_whole() -> None:
    assert runtime.dtype("cpu") is runtime.torch().float32


def test_a_device_that_nobody_knows_is_refused() -> None:
    with pytest.raises(OptionError, match="'abacus'"):
        runtime.device("abacus")


def test_without_torch_the_error_says_how_to_install_it(monkeypatch: pytest.MonkeyPatch) -> None:
    def nowhere(name: str, package: str | None = None) -> ModuleSpec | None:
        return None

    monkeypatch.setattr(importlib.util, "find_spec", nowhere)

    with pytest.raises(MissingProgramError) as refused:
        runtime.torch()

    assert "pip install torch" in refused.value.hint
    assert "torch, open_clip" in runtime.missing("open_clip")[0]
