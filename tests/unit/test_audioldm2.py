"""Sound of text by pipelines of diffusers: tiny ones with random weights, laid out as the published ones are."""

import importlib
import json
import shutil
import socket
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from foley import plugins
from foley.contracts import GeneratorSettings, SoundRequest
from foley.errors import MissingWeightsError
from foley.model import Audio
from foley.neural import pipelines, pool, runtime
from foley.units import to_samples
from tests import tiny_audioldm2, tiny_text_to_audio
from tests.rain import RAIN, ROUNDING, asked

pytest.importorskip("torch")
pytest.importorskip("diffusers")

DOOR = replace(
    RAIN, id="e02-door", prompt="a wooden door slams shut with a heavy thud, glass breaks on a concrete floor"
)


@pytest.fixture(autouse=True)
def offline(monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*_: object) -> None:
        raise AssertionError("a generator reached for the network")

    monkeypatch.setattr(socket.socket, "connect", refused)


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Few steps, and one thread: the operations are so small that handing them out takes longer than doing them."""
    torch = runtime.torch()
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    other = importlib.import_module("foley.render.generators.text_to_audio")
    monkeypatch.setattr(importlib.import_module("foley.render.generators.audioldm2"), "STEPS", 3)
    monkeypatch.setattr(other, "KNOWN", {name: replace(family, steps=3) for name, family in other.KNOWN.items()})
    yield
    torch.set_num_threads(threads)


@pytest.fixture(scope="module", autouse=True)
def emptied() -> Iterator[None]:
    yield
    pool.clear()


@pytest.fixture(scope="module")
def audioldm2(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_audioldm2.make(tmp_path_factory.mktemp("audioldm2"))


@pytest.fixture(scope="module")
def audioldm(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_text_to_audio.make(tmp_path_factory.mktemp("audioldm"))


@pytest.fixture(scope="module")
def stereo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_text_to_audio.make_stereo(tmp_path_factory.mktemp("stereo"))


@pytest.fixture(params=["audioldm2", "audioldm", "stereo"])
def generator(request: pytest.FixtureRequest) -> Any:
    """Each of the tiny models, in its generator."""
    name = "audioldm2" if request.param == "audioldm2" else "text_to_audio"
    return built(name, request.getfixturevalue(request.param))


def built(name: str, model: Path | str) -> Any:
    return plugins.build("generator", name, GeneratorSettings(model=str(model), device="cpu"))


def made(generator: Any, request: SoundRequest) -> np.ndarray:
    (audio,) = generator.generate([request])
    return np.asarray(audio.samples)


def difference(one: np.ndarray, other: np.ndarray) -> float:
    return float(np.abs(one - other).max())


def test_a_sound_is_the_same_alone_and_in_a_batch_and_as_long_as_asked(generator: Any) -> None:
    assert generator.missing() == ()
    lengths_s, events = [0.02, 1.2345678, 3.0], [RAIN, DOOR, RAIN]
    requests = [asked(events[seed], lengths_s[seed], seed=seed) for seed in range(3)]
    together: list[Audio] = generator.generate(requests)
    for seed, audio in enumerate(together):
        assert audio.rate_hz == generator.capabilities.rate_hz
        assert audio.channels == generator.capabilities.channels
        assert audio.length == to_samples(lengths_s[seed], audio.rate_hz)
        assert np.isfinite(audio.samples).all()
        assert 0.0 < np.abs(audio.samples).max() <= 1.0
    alone = made(generator, asked(DOOR, lengths_s[1], seed=1))
    assert difference(alone, together[1].samples) < ROUNDING


def test_a_sound_follows_from_its_seed_and_its_texts(generator: Any) -> None:
    first = made(generator, asked())
    assert np.array_equal(first, made(generator, asked()))
    others = [asked(seed=8), asked(DOOR), asked(replace(RAIN, avoid="a dog barks twice in the distance"))]
    for other in others:
        assert difference(first, made(generator, other)) > ROUNDING


def test_a_generator_says_what_a_sound_needs_so_that_batches_fit(generator: Any) -> None:
    assert generator.item_mb(10.0) == generator.sound_mb >= 500


def test_no_requests_load_nothing_and_give_nothing() -> None:
    assert built("audioldm2", "nowhere/at-all").generate([]) == []


def test_what_a_generator_is_changes_with_its_weights(audioldm2: Path, tmp_path: Path) -> None:
    other = shutil.copytree(audioldm2, tmp_path / "other")
    assert built("audioldm2", audioldm2).identity() == built("audioldm2", audioldm2).identity()
    with (other / "vocoder" / "model.safetensors").open("r+b") as file:
        file.seek(-1, 2)
        file.write(b"\x3f")
    assert built("audioldm2", other).identity() != built("audioldm2", audioldm2).identity()


def test_the_language_model_goes_on_as_gpt2_does_without_a_cache(audioldm2: Path) -> None:
    torch = runtime.torch()
    from transformers import GPT2Model

    pipeline = built("audioldm2", audioldm2).loaded().pipeline
    plain = GPT2Model.from_pretrained(audioldm2 / "language_model").eval()
    seen = torch.randn(2, 9, tiny_audioldm2.WIDTH, generator=torch.Generator().manual_seed(1))
    with torch.inference_mode():
        found = pipeline.generate_language_model(seen, attention_mask=torch.ones(2, 9), max_new_tokens=8)
        for _ in range(8):
            seen = torch.cat([seen, plain(inputs_embeds=seen).last_hidden_state[:, -1:]], 1)
    torch.testing.assert_close(found, seen[:, -8:], atol=1e-5, rtol=1e-4)


def changed(folder: Path, file: str, *, drop: str = "", add: str = "") -> None:
    """Take a key out of a component's weights, or put one in that nobody knows."""
    torch = runtime.torch()
    from safetensors.torch import load_file, save_file

    state = load_file(folder / file)
    if drop:
        del state[next(key for key in state if drop in key)]
    if add:
        state[add] = torch.zeros(2)
    save_file(state, folder / file, metadata={"format": "pt"})


@pytest.mark.parametrize(
    ("component", "change"),
    [
        ("unet/diffusion_pytorch_model", {"drop": "conv_in.weight"}),
        ("unet/diffusion_pytorch_model", {"add": "nobody.knows"}),
        ("language_model/model", {"drop": "c_attn.weight"}),
        ("vocoder/model", {"add": "nobody.knows"}),
    ],
)
def test_a_component_with_other_keys_is_refused(
    audioldm2: Path, tmp_path: Path, component: str, change: dict[str, str]
) -> None:
    folder = shutil.copytree(audioldm2, tmp_path / "changed")
    changed(folder, f"{component}.safetensors", **change)
    with pytest.raises(MissingWeightsError, match=component.partition("/")[0]):
        built("audioldm2", folder).prepare()


def test_a_folder_without_one_of_its_components_is_refused_before_loading(audioldm2: Path, tmp_path: Path) -> None:
    folder = shutil.copytree(audioldm2, tmp_path / "part")
    shutil.rmtree(folder / "projection_model")
    (said,) = built("audioldm2", folder).missing()
    assert str(folder) in said
    with pytest.raises(MissingWeightsError):
        built("audioldm2", folder).prepare()


def indexed(folder: Path, **entries: object) -> None:
    path = folder / "model_index.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | entries))


def test_an_audioldm2_that_speaks_and_another_pipeline_are_refused(
    audioldm2: Path, audioldm: Path, tmp_path: Path
) -> None:
    folder = shutil.copytree(audioldm2, tmp_path / "speaks")
    indexed(folder, text_encoder_2=["transformers", "VitsModel"])
    assert "speaks" in built("audioldm2", folder).missing()[0]
    assert "AudioLDMPipeline" in built("audioldm2", audioldm).missing()[0]


def test_quantised_weights_are_not_promised(audioldm2: Path) -> None:
    settings = GeneratorSettings(model=str(audioldm2), quantise="8bit")
    assert "quantise" in plugins.build("generator", "audioldm2", settings).missing()[0]


def test_a_pickle_that_holds_more_than_numbers_is_refused_and_not_run(audioldm: Path, tmp_path: Path) -> None:
    torch = runtime.torch()
    folder, trace = shutil.copytree(audioldm, tmp_path / "evil"), tmp_path / "ran"

    class Evil:
        def __reduce__(self) -> tuple[Any, tuple[Path]]:
            return Path.touch, (trace,)

    torch.save({"weight": Evil()}, folder / "vae" / "diffusion_pytorch_model.bin")
    with pytest.raises(MissingWeightsError):
        built("text_to_audio", folder).prepare()
    assert not trace.exists()


def test_without_a_model_text_to_audio_says_what_it_needs() -> None:
    generator = plugins.build("generator", "text_to_audio")
    assert "--model" in generator.missing()[0]
    assert "text_to_audio" in generator.identity()
    with pytest.raises(MissingWeightsError, match="no model is named"):
        generator.prepare()


def test_what_a_pipeline_can_is_read_from_its_folder(tmp_path: Path) -> None:
    solver = ("diffusers", "EDMDPMSolverMultistepScheduler")
    folder = tiny_text_to_audio.frame(tmp_path / "mine", "StableAudioPipeline", scheduler=solver)
    said = built("text_to_audio", folder).capabilities
    assert (said.rate_hz, said.channels, said.max_duration_s) == (44_100, 2, 47.0)
    assert (said.weights_licence, said.commercial) == ("check", False)


def test_a_licence_is_found_by_the_name_that_the_catalogue_knows(tmp_path: Path) -> None:
    folder = tiny_text_to_audio.frame(tmp_path / "audioldm2-music", "StableAudioPipeline")
    said = built("text_to_audio", folder).capabilities
    assert (said.weights_licence, said.commercial) == ("CC-BY-NC-SA-4.0", False)


@pytest.mark.parametrize(
    ("class_name", "reason"),
    [
        ("LongCatAudioDiTPipeline", "speaks"),
        ("AceStepPipeline", "makes music"),
        ("AudioLDM2Pipeline", "--generator audioldm2"),
        (["pipeline", "TheirPipeline"], "code of its own"),
        (None, "model_index.json"),
    ],
)
def test_a_pipeline_that_is_of_no_use_is_refused_by_name(tmp_path: Path, class_name: Any, reason: str) -> None:
    folder = tiny_text_to_audio.frame(tmp_path / "other", class_name)
    (said,) = [line for line in built("text_to_audio", folder).missing() if reason in line]
    assert str(folder) in said


@pytest.mark.parametrize("class_name", ["StableDiffusionPipeline", "DDIMScheduler", "NobodysPipeline"])
def test_what_makes_no_sound_of_text_is_refused(tmp_path: Path, class_name: str) -> None:
    folder = tiny_text_to_audio.frame(tmp_path / "other", class_name)
    (folder / "vae" / "config.json").write_text(json.dumps({"sampling_rate": 16_000}))
    with pytest.raises(MissingWeightsError, match=class_name):
        built("text_to_audio", folder).prepare()


def test_a_long_and_a_short_sound_are_made_on_the_grid() -> None:
    lengths = {pipelines.made_s(duration_s, 10.0) for duration_s in np.linspace(0.01, 10.0, 500)}
    assert min(lengths) == pipelines.SHORTEST_S
    assert max(lengths) == 10.0
    assert len(lengths) == 13


def test_sounds_are_made_by_length_and_no_more_at_once_than_fit() -> None:
    rate_hz, batches = 1000, []

    def sample(wishes: Sequence[pipelines.Wish], length_s: float) -> np.ndarray:
        batches.append((len(wishes), length_s))
        return np.array([np.full(int(length_s * rate_hz), wish.seed, np.float32) for wish in wishes])

    wishes = [pipelines.Wish("", "", seed, 2.0 + seed % 2) for seed in range(7)]
    audios = pipelines.sounds(wishes, sample, rate_hz, longest_s=10.0, most=3)
    assert batches == [(3, 2.56), (1, 2.56), (3, 3.2)]
    assert [audio.length for audio in audios] == [2000, 3000, 2000, 3000, 2000, 3000, 2000]
    assert all(audio.samples.max() == min(seed, 1) for seed, audio in enumerate(audios))


def test_a_sound_that_is_much_too_short_is_not_filled_up_with_silence() -> None:
    wish = pipelines.Wish("", "", 0, 2.0)
    (audio,) = pipelines.sounds([wish], lambda wishes, length_s: np.ones((1, 900)), 1000, longest_s=10.0, most=1)
    assert audio.length == 900
    (audio,) = pipelines.sounds([wish], lambda wishes, length_s: np.ones((1, 1995)), 1000, longest_s=10.0, most=1)
    assert audio.length == 2000
