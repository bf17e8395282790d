"""Denoisers compiled: the same sound, each shape for itself, and made without where it cannot be done."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from foley import plugins
from foley.cli import options
from foley.contracts import Context, GeneratorSettings
from foley.errors import CompilationError
from foley.model import Audio, ClipIdentity, Reasoning, SoundEvent, SoundPlan, Takes
from foley.neural import compiling, pool, runtime
from foley.render import takes
from foley.render.takes import TakesOptions
from tests import tiny_audioldm2, tiny_stable_audio, tiny_text_to_audio
from tests.plugins.saboteur import CLIP
from tests.rain import RAIN, ROUNDING, asked

pytest.importorskip("torch")
pytest.importorskip("diffusers")

DOG = replace(RAIN, id="e02-dog", label="a dog barks twice")

STEPS = 4
"""The fewest: what is compared is compared after each of them."""

GENERATORS = {
    "open": "stable_audio",
    "small": "stable_audio",
    "medium": "stable_audio",
    "audioldm2": "audioldm2",
    "audioldm": "text_to_audio",
}


@pytest.fixture(autouse=True)
def quick() -> Iterator[None]:
    """Compute in one thread: tiny sums want no more."""
    torch = runtime.torch()
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)
    torch._dynamo.reset()


@pytest.fixture(autouse=True)
def traced(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Trace, and lower to simple operators, as for inductor: only the compiler of C++, which takes long, is spared."""
    monkeypatch.setattr(compiling, "BACKEND", "aot_eager")
    compiling.refusal.cache_clear()
    yield
    compiling.refusal.cache_clear()
    pool.clear()


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Path]]:
    base = tmp_path_factory.mktemp("compiling")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FOLEY_CACHE", str(base / "cache"))
        yield {
            "open": tiny_stable_audio.make_open(base / "open"),
            "small": tiny_stable_audio.make(base / "small"),
            "medium": tiny_stable_audio.make_three(base / "medium", tiny_stable_audio.MEDIUM),
            "audioldm2": tiny_audioldm2.make(base / "audioldm2"),
            "audioldm": tiny_text_to_audio.make(base / "audioldm"),
        }


def built(name: str, folders: dict[str, Path], **settings: Any) -> Any:
    given = GeneratorSettings(model=str(folders[name]), device="cpu", **{"steps": STEPS, **settings})
    return plugins.build("generator", GENERATORS[name], given)


def difference(one: Audio, other: Audio) -> float:
    return float(np.abs(one.samples - other.samples).max())


def compiled_shapes() -> int:
    """Return in how many forms blocks were compiled since the last reset."""
    return int(runtime.torch()._dynamo.utils.counters["stats"]["unique_graphs"])


@pytest.fixture
def counted() -> None:
    assert compiling.refusal("cpu") == ""  # which compiles, too, once in a process
    runtime.torch()._dynamo.utils.counters.clear()


@pytest.mark.usefixtures("counted")
@pytest.mark.parametrize("name", GENERATORS)
def test_a_compiled_model_makes_the_same_sounds(name: str, folders: dict[str, Path]) -> None:
    plain, compiled = built(name, folders), built(name, folders, compile=True)
    requests = [(RAIN, 1), (DOG, 2), (RAIN, 3)]
    before = plain.generate([asked(event, seed=seed) for event, seed in requests])
    assert compiled_shapes() == 0
    after = compiled.generate([asked(event, seed=seed) for event, seed in requests])
    assert compiled_shapes() > 0
    assert [difference(one, other) < ROUNDING for one, other in zip(before, after, strict=True)] == [True] * 3
    assert difference(before[0], before[2]) > ROUNDING
    again = compiled.generate([asked(event, seed=seed) for event, seed in requests])
    assert [difference(one, other) for one, other in zip(after, again, strict=True)] == [0.0] * 3


def refuse_all(graph: Any, inputs: Sequence[Any]) -> Any:
    raise RuntimeError("no compiler is here\nand so on for pages")


def refuse_long(graph: Any, inputs: Sequence[Any]) -> Any:
    """Compile what is tried first, and no model."""
    if len(graph.graph.nodes) > 12:
        raise RuntimeError("an operator is not supported\nand so on for pages")
    return graph.forward


def test_inductor_makes_the_same_sounds_where_there_is_a_compiler(
    folders: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(compiling, "BACKEND", "inductor")
    if reason := compiling.refusal("cpu"):
        pytest.skip(reason)
    runtime.torch()._dynamo.utils.counters.clear()
    (before,) = built("open", folders).generate([asked()])
    (after,) = built("open", folders, compile=True).generate([asked()])
    assert compiled_shapes() > 0
    assert difference(before, after) < ROUNDING


def test_a_compiled_sound_does_not_depend_on_what_was_compiled_before(folders: dict[str, Path]) -> None:
    generator = built("small", folders, compile=True)
    (first,) = generator.generate([asked(duration_s=1.3)])
    runtime.torch()._dynamo.reset()
    generator.generate([asked(duration_s=1.0), asked(DOG, 1.0), asked(DOG, 1.7)])
    (last,) = generator.generate([asked(duration_s=1.3)])
    assert np.array_equal(first.samples, last.samples)


@pytest.mark.usefixtures("counted")
def test_each_shape_is_compiled_for_itself_and_once(folders: dict[str, Path]) -> None:
    generator, counts = built("small", folders, compile=True), []
    for duration_s in (1.0, 1.3, 1.7, 1.3, 1.0):
        generator.generate([asked(duration_s=duration_s)])
        counts.append(compiled_shapes())
    assert counts == [1, 2, 3, 3, 3]


def test_when_too_many_shapes_were_compiled_they_are_forgotten_and_nothing_changes(
    folders: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    durations_s = (1.0, 1.3, 1.7)
    whole = built("small", folders, compile=True)
    before = [whole.generate([asked(duration_s=duration_s)])[0] for duration_s in durations_s]
    pool.clear()
    runtime.torch()._dynamo.reset()
    monkeypatch.setattr(compiling, "MOST_SHAPES", 2)
    bounded = built("small", folders, compile=True)
    after = [bounded.generate([asked(duration_s=duration_s)])[0] for duration_s in durations_s]
    assert [np.array_equal(one.samples, other.samples) for one, other in zip(before, after, strict=True)] == [True] * 3


def test_of_a_denoiser_without_known_blocks_the_whole_is_compiled() -> None:
    torch = runtime.torch()
    layer = torch.nn.Linear(3, 3)
    numbers = torch.ones(2, 3)
    expected = layer(numbers)
    compiling.compile_blocks(layer)
    torch.testing.assert_close(layer(numbers), expected)
    refused = torch.nn.Linear(3, 3)
    compiling.compile_blocks(refused, backend=refuse_all)
    with pytest.raises(CompilationError, match="no compiler is here"):
        refused(numbers)


def test_identity_says_what_is_done_and_not_what_was_asked(
    folders: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    plain, compiled = built("open", folders), built("open", folders, compile=True)
    assert compiled.identity() == f"{plain.identity()} compiled"
    assert compiled.uncompiled() == plain.uncompiled() == ""
    compiling.refusal.cache_clear()
    monkeypatch.setattr(compiling, "BACKEND", refuse_all)
    assert compiled.identity() == plain.identity()
    assert "no compiler is here" in compiled.uncompiled()
    assert "pages" not in compiled.uncompiled()
    assert plain.uncompiled() == ""
    assert np.array_equal(compiled.generate([asked()])[0].samples, plain.generate([asked()])[0].samples)


def test_where_nothing_is_compiled_the_reason_names_the_device() -> None:
    assert compiling.refusal("cpu") == ""
    assert "mps" in compiling.refusal("mps")


class Ear:
    """Hears nothing that should not be there."""

    def identity(self) -> str:
        return "ear/1"

    def leaks(self, event: SoundEvent, audio: Audio) -> None:
        return None


def rendered(folder: Path, ctx: Context, **settings: Any) -> Takes:
    identity = ClipIdentity("clip.mp4", "key", CLIP.duration_s, CLIP.video.frame_rate)
    plan = SoundPlan(identity, (), (), Reasoning("", "", "", ""), (RAIN, DOG))
    models, fallback = (f"stable_audio={folder}",), ("silence",)
    opts = TakesOptions("stable_audio", models, fallback, device="cpu", steps=STEPS, **settings)
    return takes.takes(plan, CLIP, opts, ctx)


def test_a_run_whose_model_cannot_be_compiled_is_made_as_if_that_had_not_been_asked(
    folders: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from foley.pipeline.cache import Cache

    monkeypatch.setattr(takes, "_judge", lambda opts: Ear())
    plain = rendered(folders["open"], Cache(tmp_path / "plain").context())
    compiled = rendered(folders["open"], Cache(tmp_path / "compiled").context(), compile=True)
    assert {take.made_by for take in compiled.items} == {f"{plain.items[0].made_by} compiled"}
    assert not any("compil" in note for note in compiled.notes)
    for backend, said in ((refuse_long, "made without compiling"), (refuse_all, "was not compiled")):
        compiling.refusal.cache_clear()
        pool.clear()
        runtime.torch()._dynamo.reset()
        monkeypatch.setattr(compiling, "BACKEND", backend)
        failed = rendered(folders["open"], Cache(tmp_path / said).context(), compile=True)
        assert sum(said in note for note in failed.notes) == 1
        assert [take.key for take in failed.items] == [take.key for take in plain.items]
        assert [take.audio.path.read_bytes() for take in failed.items] == [
            take.audio.path.read_bytes() for take in plain.items
        ]


OWN_STEPS = {"open": 50, "small": 8, "audioldm2": 30, "audioldm": 30}


@pytest.mark.parametrize("name", OWN_STEPS)
@pytest.mark.parametrize("steps", [0, 5])
def test_a_solver_takes_as_many_steps_as_are_asked_for_else_its_own(
    name: str, folders: dict[str, Path], steps: int
) -> None:
    generator = built(name, folders, steps=steps)
    held = generator.loaded()
    denoiser = held.pipeline.unet if hasattr(held, "pipeline") else held._parts.transformer
    calls: list[None] = []
    hook = denoiser.register_forward_hook(lambda *_: calls.append(None))
    generator.generate([asked()])
    hook.remove()
    assert len(calls) == (steps or OWN_STEPS[name])
    other = built(name, folders, steps=0 if steps else 5)
    assert generator.identity() != other.identity()


def test_a_variation_of_a_sound_takes_no_more_steps_than_were_asked_for(folders: dict[str, Path]) -> None:
    sigmas = built("open", folders).loaded()._sigmas(0.1, STEPS)
    assert len(sigmas) == STEPS + 1
    assert sigmas == sorted(sigmas, reverse=True)


@pytest.mark.parametrize("steps", [-1, 3, 1001])
def test_a_number_of_steps_that_makes_no_sense_is_refused(steps: int) -> None:
    with pytest.raises(ValueError, match="steps must be 0 or 4 to 1000"):
        TakesOptions(steps=steps)


def test_the_command_line_asks_for_steps_and_compiling() -> None:
    params = {"workflow": "default", "workdir": None, "steps": 12, "compiled": True}
    assert options.settings(params).options == {"takes": {"steps": 12, "compile": True}}
    assert options.settings({**params, "steps": None, "compiled": False}).options == {}
