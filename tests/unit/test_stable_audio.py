"""Stable Audio: published layouts are converted and loaded to the last number; sounds are made, varied and mended."""

import json
import math
import shutil
import socket
import sys
import types
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from foley import plugins
from foley.contracts import GeneratorSettings, SoundRequest
from foley.dsp.resample import resample
from foley.errors import GenerationError, LicenceError, MissingWeightsError
from foley.model import Audio, Hit, SoundEvent
from foley.neural import convert_stable_audio, pool, runtime, same, stable_audio, stable_audio_models
from foley.neural import stable_audio_tools as published
from foley.neural.stable_audio_models import Given, Wanted
from foley.render.routing import Roster
from foley.render.studio import Studio
from foley.render.windows import anchored
from foley.units import to_samples
from tests import tiny_library
from tests import tiny_stable_audio as tiny

torch = runtime.torch()

ROUNDING = 1e-4
"""Between the same sums of 32 bits in another order, after a few layers and steps: 1e-5 was seen."""

RATE_HZ = tiny.RATE_HZ
RAIN = Wanted("rain falls on a tin roof", "speech, music", 0.4, 1)
DOG = Wanted("a dog barks twice", "speech, music", 0.3, 2)
HAMMER = SoundEvent(
    id="e01",
    label="hammer on a nail",
    kind="hits",
    bus="effects",
    start_s=0.0,
    end_s=0.25,
    because="a test",
    hits=(Hit(0.0), Hit(0.25, 0.6)),
    recipe="hammer_nail",
)


@pytest.fixture(scope="module", autouse=True)
def _setting(tmp_path_factory: pytest.TempPathFactory):
    """Convert into a cache of the tests' own, take fewer steps, and compute in one thread: tiny sums want no more."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FOLEY_CACHE", str(tmp_path_factory.mktemp("cache")))
        patch.setattr(stable_audio_models, "OPEN_STEPS", 12)
        yield
    torch.set_num_threads(threads)
    pool.clear()


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    base = tmp_path_factory.mktemp("stable_audio")
    return {
        "small": tiny.make(base / "small"),
        "medium": tiny.make_three(base / "medium", tiny.MEDIUM),
        "open": tiny.make_open(base / "open"),
    }


@pytest.fixture(scope="module")
def models(folders: dict[str, Path]) -> dict[str, stable_audio.Model]:
    return {name: stable_audio.load(stable_audio.Checkpoint.at(place), device="cpu") for name, place in folders.items()}


@pytest.fixture(params=["small", "medium", "open"])
def model(request: pytest.FixtureRequest, models: dict[str, stable_audio.Model]) -> stable_audio.Model:
    return models[request.param]


@pytest.fixture
def copy(folders: dict[str, Path], tmp_path: Path) -> Path:
    """A published folder of one's own, to damage."""
    return Path(shutil.copytree(folders["small"], tmp_path / "published"))


def rewrite(folder: Path, change) -> None:
    from safetensors.torch import load_file, save_file

    state = load_file(folder / "model.safetensors")
    change(state)
    save_file(state, folder / "model.safetensors")


def tone(duration_s: float, channels: int = 2) -> Audio:
    times = np.arange(round(duration_s * RATE_HZ)) / RATE_HZ
    return Audio(np.tile(0.5 * np.sin(2 * np.pi * 440 * times), (channels, 1)).astype(np.float32), RATE_HZ)


# conversion


def test_the_published_small_is_described_whole_and_every_tensor_has_its_place_in_diffusers(tmp_path: Path) -> None:
    sizes = tiny.PUBLISHED_SMALL
    shapes = dict(tiny.tensors(sizes))
    assert len(shapes) == tiny.PUBLISHED_SMALL_TENSORS
    (tmp_path / "model_config.json").write_text(json.dumps(tiny.settings(sizes)))
    settings = published.Settings.read(tmp_path)
    import diffusers
    from diffusers.pipelines.stable_audio_3 import StableAudio3DurationEmbedder

    with torch.device("meta"):
        made = {
            "transformer": diffusers.StableAudio3DiTModel(**published.transformer_config(settings, shapes)),
            "vae": same.autoencoder(
                published.autoencoder_config(settings), same.Chunks(**published.own_settings(settings)["chunks"])
            ),
            "duration_embedder": StableAudio3DurationEmbedder(**published.duration_config(settings, shapes)),
        }
    due = {(part, key): tuple(one.shape) for part, whole in made.items() for key, one in whole.state_dict().items()}
    del due["duration_embedder", "freqs"]  # computed
    places = {key: published.placed(key, 1) for key in shapes}
    given = {(place.component, place.name): shapes[key] for key, place in places.items() if place}
    assert given == due
    aside = [key for key, place in places.items() if place is None]
    assert len(aside) == 1 + 2 * sizes.coder_layers  # the empty tensor, and the frequencies of each layer


def by_hand(published_rows, names: str, keys: dict[str, str]) -> dict[str, object]:
    """Cut a fused weight as the authors' own code does, by the names of its parts."""
    return dict(zip(keys.values(), published_rows.chunk(len(names.split())), strict=True))


def test_differential_attention_computes_what_the_published_rows_say(folders, models) -> None:
    name = "model.model.transformer.layers.0.self_attn"
    state = tiny.state(tiny.MEDIUM)
    q, k, v, q2, k2 = state[f"{name}.to_qkv.weight"].chunk(5)
    attention = models["medium"]._parts.transformer.transformer_blocks[0].self_attn
    x = torch.randn(1, 6, tiny.MEDIUM.width, generator=torch.Generator().manual_seed(0))
    head = tiny.MEDIUM.width // tiny.MEDIUM.heads

    def heads(weight, gamma=None):
        made = (x @ weight.T).unflatten(-1, (-1, head)).transpose(1, 2)
        if gamma is None:
            return made
        return made / made.pow(2).mean(-1, keepdim=True).add(1e-6).sqrt() * gamma

    def attended(query, key):
        of_q, of_k = state[f"{name}.q_norm.gamma"], state[f"{name}.k_norm.gamma"]
        scores = heads(query, of_q) @ heads(key, of_k).transpose(-1, -2) / math.sqrt(head)
        return scores.softmax(-1) @ heads(v)

    expected = (attended(q, k) - attended(q2, k2)).transpose(1, 2).flatten(2) @ state[f"{name}.to_out.weight"].T
    still = torch.zeros(6, head // 2)  # positions that turn nothing
    with torch.inference_mode():
        assert torch.allclose(attention(x, rope=still), expected, atol=ROUNDING)


@pytest.mark.parametrize(("name", "sizes"), [("small", tiny.SMALL), ("medium", tiny.MEDIUM)])
def test_tensors_are_placed_where_they_belong(folders, name: str, sizes: tiny.Sizes) -> None:
    from safetensors.torch import load_file

    target = convert_stable_audio.converted(folders[name])
    state = tiny.state(sizes)
    transformer = load_file(target / "transformer" / "diffusion_pytorch_model.safetensors")
    vae = load_file(target / "vae" / "diffusion_pytorch_model.safetensors")
    layer = "model.model.transformer.layers.1"
    fused = state[f"{layer}.self_attn.to_qkv.weight"]
    if not sizes.small:
        q, k, v, q2, k2 = fused.chunk(5)
        fused = torch.cat([q, q2, k, k2, v])
    padding = state["conditioner.conditioners.prompt.padding_embedding"]
    assert torch.equal(transformer["transformer_blocks.1.self_attn.to_qkv.weight"], fused)
    assert torch.equal(transformer["transformer_blocks.1.ff.proj_in.weight"], state[f"{layer}.ff.ff.0.proj.weight"])
    assert torch.equal(
        transformer["transformer_blocks.1.cross_attn.to_kv.weight"], state[f"{layer}.cross_attn.to_kv.weight"]
    )
    assert torch.equal(transformer["prompt_padding_embedding"], padding)
    assert torch.equal(vae["decoder.proj.weight"], state["pretransform.model.decoder.layers.1.weight"])
    assert torch.equal(vae["bottleneck.scale"], state["pretransform.model.bottleneck.scaling_factor"])
    coder = "pretransform.model.encoder.layers.0.transformers.1"
    q, k, v, q2, k2 = state[f"{coder}.self_attn.to_qkv.weight"].chunk(5)
    assert torch.equal(vae["encoder.blocks.0.transformers.1.attn.to_qkv.weight"], torch.cat([q, q2, k, k2, v]))
    assert torch.equal(vae["encoder.blocks.0.transformers.1.norm_ff.alpha"], state[f"{coder}.ff_norm.alpha"])


def test_only_the_encoder_of_t5gemma_is_taken_and_reads_as_before(folders, models) -> None:
    import transformers as hf

    whole = hf.T5GemmaForConditionalGeneration.from_pretrained(folders["small"] / "t5gemma-b-b-ul2").eval()
    reader = models["small"]._parts.text_encoder
    ids = torch.tensor([[2, 7, 9, 11]])
    with torch.inference_mode():
        assert torch.equal(reader(ids)[0], whole.get_encoder()(ids)[0])
    assert not [key for key in reader.state_dict() if "decoder" in key]


def test_a_checkpoint_is_converted_once(folders) -> None:
    first = convert_stable_audio.converted(folders["small"])
    stamp = (first / "foley.json").stat().st_mtime_ns
    assert convert_stable_audio.converted(folders["small"]) == first
    assert (first / "foley.json").stat().st_mtime_ns == stamp


@pytest.mark.parametrize(
    ("change", "named"),
    [
        (lambda state: state.pop("model.model.preprocess_conv.weight"), "preprocess_conv.weight"),
        (lambda state: state.pop("pretransform.model.bottleneck.bias"), "vae.bottleneck.bias"),
        (lambda state: state.update({"model.model.surprise": torch.zeros(2)}), "model.model.surprise"),
        (lambda state: state.update({"surprise": torch.zeros(2)}), "surprise"),
        (
            lambda state: state.update({"model.model.transformer.project_in.weight": torch.zeros(32, 9)}),
            "project_in.weight of shape",
        ),
        (
            lambda state: state.update({"pretransform.model.bottleneck.noise_scaling_factor": torch.ones(1, 2, 1)}),
            "noise_scaling_factor",
        ),
    ],
)
def test_a_tensor_too_few_too_many_or_of_another_shape_is_refused_by_name(copy: Path, change, named: str) -> None:
    rewrite(copy, change)
    with pytest.raises(MissingWeightsError, match=named):
        convert_stable_audio.convert(copy, copy.parent / "made")
    assert not (copy.parent / "made").exists()
    assert [path.name for path in copy.parent.iterdir()] == ["published"]


def test_settings_that_would_sound_wrong_are_refused(copy: Path) -> None:
    settings = tiny.settings(tiny.SMALL)
    settings["model"]["diffusion"]["diffusion_objective"] = "rectified_flow"
    (copy / "model_config.json").write_text(json.dumps(settings))
    with pytest.raises(MissingWeightsError, match=r"diffusion_objective is \"rectified_flow\""):
        stable_audio.Checkpoint.at(copy)


def test_a_checkpoint_without_its_text_encoder_says_where_it_should_be(copy: Path, folders) -> None:
    moved = (copy / "t5gemma-b-b-ul2").rename(copy.parent / "elsewhere")
    with pytest.raises(MissingWeightsError, match="T5Gemma is not at"):
        convert_stable_audio.converted(copy)
    made = convert_stable_audio.convert(copy, copy.parent / "made", text_encoder=str(moved))
    assert (made / "text_encoder" / "config.json").is_file()


def test_a_file_that_is_broken_off_is_refused(copy: Path) -> None:
    path = copy / "model.safetensors"
    path.write_bytes(path.read_bytes()[:1000])
    with pytest.raises(MissingWeightsError, match=r"model\.safetensors"):
        convert_stable_audio.convert(copy, copy.parent / "made")


def test_a_folder_of_another_model_is_refused(tmp_path: Path) -> None:
    with pytest.raises(MissingWeightsError, match="holds no Stable Audio"):
        stable_audio.Checkpoint.at(tmp_path)


# the autoencoder in chunks


def test_chunks_attend_as_their_authors_order_says(models) -> None:
    vae = models["small"]._parts.vae
    block, sizes = vae.encoder.blocks[0], tiny.SMALL
    patches = torch.randn(1, 2 * sizes.patch, 22, generator=torch.Generator().manual_seed(0))
    with torch.inference_mode():
        padded = torch.nn.functional.pad(patches, (0, 2))  # to 24: three chunks of eight patches
        frames = block.mapping(padded)[0].T
        tokens = []
        for segment in range(6):
            tokens += [*frames[4 * segment : 4 * segment + 4], block.new_tokens[0, 0]]
        for chunk in range(3):
            tokens[10 * chunk : 10 * chunk + 10] = block.transformers[0](
                torch.stack(tokens[10 * chunk : 10 * chunk + 10])[None]
            )[0]
        tokens = tokens[:5] + tokens + tokens[-5:]
        for chunk in range(4):
            tokens[10 * chunk : 10 * chunk + 10] = block.transformers[1](
                torch.stack(tokens[10 * chunk : 10 * chunk + 10])[None]
            )[0]
        expected = torch.stack(tokens[5:-5][4::5]).T
        made = block(patches)[0]
    assert made.shape == (sizes.channels, 6)
    assert torch.allclose(made, expected, atol=ROUNDING)


@pytest.mark.parametrize("name", ["small", "medium", "open"])
def test_sound_decoded_in_parts_is_the_sound_decoded_whole(models, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    model = models[name]
    vae = model._parts.vae
    channels = model._parts.transformer.config.in_channels if name == "open" else tiny.SMALL.latents
    latents = torch.randn(1, channels, 40, generator=torch.Generator().manual_seed(0))
    for constant, latents_count in (("MARGIN", 16), ("OPEN_PART", 20), ("THREE_PART", 20)):  # half the real margin
        monkeypatch.setattr(stable_audio_models, f"{constant}_LATENTS", latents_count)
    with torch.inference_mode():
        whole = vae.decode(latents).sample
        parts = model.decoded(latents, 36 * model.hop - 100)
    assert parts.shape[-1] == 36 * model.hop - 100
    assert torch.allclose(parts, whole[..., : parts.shape[-1]], atol=ROUNDING * float(whole.abs().max()))


# against diffusers' own pipelines


def test_three_makes_what_diffusers_makes_when_told_that_nothing_is_to_stay(
    folders, models, monkeypatch: pytest.MonkeyPatch
) -> None:
    from diffusers import StableAudio3InpaintPipeline
    from diffusers.pipelines.stable_audio_3.pipeline_stable_audio_3 import logsnr_sigma_schedule

    steps = [*logsnr_sigma_schedule(8, -6.2, 2.0), 0.0]
    assert stable_audio_models._sigmas(1.0) == pytest.approx(steps, abs=1e-6)
    # time is told in waves of up to 10 kHz: in the last bit of a step, they would differ already
    monkeypatch.setattr(stable_audio_models, "_sigmas", lambda *_: steps)

    with same.quiet():
        folder = convert_stable_audio.converted(folders["medium"])
        pipeline = StableAudio3InpaintPipeline.from_pretrained(folder, local_files_only=True)
    pipeline.set_progress_bar_config(disable=True)
    pipeline.tokenizer.model_max_length = 24  # the pipeline knows no other than 256
    theirs = pipeline(
        RAIN.prompt,
        duration=RAIN.duration_s,
        audio=torch.zeros(1, 2, 4096),
        mask_start_seconds=0.0,
        mask_end_seconds=10.0,
        generator=torch.Generator().manual_seed(RAIN.seed),
        output_type="latent",
    ).audios
    with torch.inference_mode():
        ours = models["medium"].denoised([RAIN])
    assert torch.allclose(ours, theirs, atol=ROUNDING * float(theirs.abs().max()))


def test_open_makes_what_diffusers_makes_of_the_same_noise(folders, models, monkeypatch: pytest.MonkeyPatch) -> None:
    # diffusers' solver draws its noise from a package that is not needed here: it is given ours
    monkeypatch.setitem(sys.modules, "torchsde", types.ModuleType("torchsde"))
    from diffusers import StableAudioPipeline
    from diffusers.schedulers.scheduling_cosine_dpmsolver_multistep import CosineDPMSolverMultistepScheduler

    parts = models["open"]._parts
    source = torch.Generator().manual_seed(RAIN.seed)

    class Solver(CosineDPMSolverMultistepScheduler):
        def step(self, output, *args, **kwargs):
            self.noise_sampler = lambda *_: torch.randn(output.shape, generator=source)
            return super().step(output, *args, **kwargs)

    pipeline = StableAudioPipeline(
        vae=parts.vae,
        text_encoder=parts.text_encoder,
        projection_model=parts.conditioner,
        tokenizer=parts.tokenizer,
        transformer=parts.transformer,
        scheduler=Solver(),
    )
    pipeline.set_progress_bar_config(disable=True)
    theirs = pipeline(
        RAIN.prompt,
        negative_prompt=RAIN.avoid,
        audio_end_in_s=RAIN.duration_s,
        num_inference_steps=12,
        generator=source,
        output_type="latent",
    ).audios
    with torch.inference_mode():
        ours = models["open"].denoised([RAIN])
    assert torch.allclose(ours, theirs, atol=10 * ROUNDING * float(theirs.abs().max()))


# sounds


def test_a_sound_is_the_same_alone_and_beside_others(model) -> None:
    together = stable_audio.make(model, [RAIN, DOG, replace(RAIN, seed=3)])
    for wanted, made in zip([RAIN, DOG], together, strict=False):
        (alone,) = stable_audio.make(model, [wanted])
        assert made.samples.shape == (2, round(wanted.duration_s * RATE_HZ))
        assert np.allclose(made.samples, alone.samples, atol=ROUNDING)
    assert not np.allclose(together[0].samples, together[2].samples, atol=0.01)  # another seed


def test_a_transformer_of_16_bits_makes_nearly_the_same(folders, model) -> None:
    import copy

    halved = copy.copy(model)
    transformer = copy.deepcopy(model._parts.transformer).half()
    if hasattr(transformer, "rotary_pos_emb"):
        stable_audio._keep_positions_exact(transformer, "cpu")
        assert transformer.rotary_pos_emb.inv_freq.dtype == torch.float32
    halved._parts = replace(model._parts, transformer=transformer, dtype=torch.float16)
    with torch.inference_mode():
        single, half = model.denoised([DOG]), halved.denoised([DOG])
    assert half.dtype == torch.float32
    assert float((single - half).std()) < 0.1 * float(single.std())


def test_the_same_wish_gives_the_same_bits(model) -> None:
    first, second = (stable_audio.make(model, [DOG])[0] for _ in range(2))
    assert np.array_equal(first.samples, second.samples)
    assert 0.0 < np.abs(first.samples).max() <= 1.0


def test_the_prompt_and_the_length_are_heard(model) -> None:
    (first,) = stable_audio.make(model, [DOG])
    for other in (replace(DOG, prompt="rain"), replace(DOG, duration_s=0.29)):
        (made,) = stable_audio.make(model, [other])
        assert not np.array_equal(made.samples, first.samples[:, : made.length])


def test_a_variation_leaves_the_sound_the_further_the_stronger_it_is(model) -> None:
    sound = tone(DOG.duration_s)
    with torch.inference_mode():
        coded = model.encoded(torch.from_numpy(sound.samples)[None])
        coded = torch.nn.functional.pad(coded, (0, model.latents_of(DOG.duration_s) - coded.shape[-1]))
        away = [float((model.denoised([DOG], Given(coded, strength)) - coded).std()) for strength in (0.01, 0.2, 1.0)]
    assert away[0] < away[1] < away[2]
    assert away[0] < 0.1 * away[2]


def test_a_variation_is_as_long_as_its_sound_and_at_full_strength_hears_nothing_of_it(model) -> None:
    sound = tone(DOG.duration_s, channels=1)
    varied = stable_audio.vary(model, sound, DOG, strength=0.4)
    assert varied.samples.shape == (2, sound.length)
    assert not np.array_equal(varied.samples, stable_audio.vary(model, sound, RAIN, strength=0.4).samples)
    silence = Audio(np.zeros_like(sound.samples), RATE_HZ)
    assert not np.array_equal(varied.samples, stable_audio.vary(model, silence, DOG, strength=0.4).samples)
    assert np.array_equal(*(stable_audio.vary(model, one, DOG, strength=1.0).samples for one in (sound, silence)))


def test_all_but_the_regenerated_part_stays_to_the_sample(model) -> None:
    sound = tone(0.4)
    made = stable_audio.regenerate(model, sound, (0.1, 0.25), wanted=RAIN)
    changed = np.flatnonzero((made.samples != sound.samples).any(axis=0))
    first, last = round(0.1 * RATE_HZ), round(0.25 * RATE_HZ)
    assert made.length == sound.length
    assert first <= changed[0] < first + 50
    assert last - 50 < changed[-1] < last
    assert changed.size > 0.95 * (last - first)


def test_what_stands_around_a_part_is_heard_in_it(models) -> None:
    loud, quiet = tone(0.4), Audio(0.1 * tone(0.4).samples, RATE_HZ)
    middle = slice(round(0.15 * RATE_HZ), round(0.2 * RATE_HZ))
    parts = [
        stable_audio.regenerate(models["medium"], sound, (0.1, 0.25), wanted=RAIN).samples[:, middle]
        for sound in (loud, quiet)
    ]
    assert not np.array_equal(*parts)


@pytest.mark.parametrize("to_s", [0.5, 2.2])
def test_a_sound_goes_on_as_long_as_wanted_and_begins_as_it_was(model, to_s: float) -> None:
    sound = tone(0.3, channels=1)
    made = stable_audio.extend(model, sound, to_s, wanted=RAIN)
    untouched = sound.length - round(stable_audio.JOIN_S * RATE_HZ)
    assert made.samples.shape == (2, round(to_s * RATE_HZ))
    assert np.array_equal(made.samples[:, :untouched], np.tile(sound.samples[:, :untouched], (2, 1)))
    assert np.abs(made.samples[:, -1000:]).max() > 0.0
    assert np.isfinite(made.samples).all()


def test_what_cannot_be_done_is_said(models) -> None:
    model, sound = models["small"], tone(0.3)
    with pytest.raises(ValueError, match="strength"):
        stable_audio.vary(model, sound, RAIN, strength=0.0)
    with pytest.raises(ValueError, match="44100 Hz"):
        stable_audio.vary(model, replace(sound, rate_hz=48_000), RAIN, strength=0.5)
    with pytest.raises(ValueError, match=r"does not lie in 0\.300 s of sound"):
        stable_audio.regenerate(model, sound, (0.2, 0.4), wanted=RAIN)
    with pytest.raises(ValueError, match=r"up to 2\.0 s"):
        stable_audio.make(model, [replace(RAIN, duration_s=3.0)])


# the generator


def request(event: SoundEvent = HAMMER, duration_s: float = 0.3, seed: int = 7) -> SoundRequest:
    return SoundRequest(event, 0.0, duration_s, np.random.default_rng(seed))


@pytest.fixture
def no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*_: object, **__: object) -> None:
        raise AssertionError("something asked the network")

    monkeypatch.setattr(socket.socket, "connect", refused)
    monkeypatch.setattr(socket, "getaddrinfo", refused)


@pytest.mark.usefixtures("no_network")
@pytest.mark.parametrize("name", ["small", "open"])
def test_the_generator_makes_every_request_to_the_sample_without_the_network(folders, name: str) -> None:
    generator = plugins.build("generator", "stable_audio", GeneratorSettings(model=str(folders[name]), device="cpu"))
    assert generator.missing() == ()
    generator.prepare()
    made = generator.generate([request(), request(duration_s=0.12345, seed=8)])
    assert [audio.samples.shape for audio in made] == [
        (2, to_samples(0.3, RATE_HZ)),
        (2, to_samples(0.12345, RATE_HZ)),
    ]
    (alone,) = generator.generate([request()])
    assert np.allclose(alone.samples, made[0].samples, atol=ROUNDING)
    assert generator.capabilities.max_duration_s == pytest.approx(2.0 if name == "small" else 96 * 512 / RATE_HZ)


def test_the_generator_knows_its_model_by_what_it_holds(folders, copy: Path) -> None:
    def identity(place: Path) -> str:
        return str(plugins.build("generator", "stable_audio", GeneratorSettings(model=str(place))).identity())

    assert identity(folders["small"]) == identity(copy)
    rewrite(copy, lambda state: state["model.model.preprocess_conv.weight"].add_(1.0))
    assert identity(folders["small"]) != identity(copy)


def test_the_generator_says_what_is_missing(tmp_path: Path, folders) -> None:
    def missing(**settings: str) -> str:
        return " ".join(plugins.build("generator", "stable_audio", GeneratorSettings(**settings)).missing())

    assert "whole weights" in missing(model=str(tmp_path))
    assert "--quantise" in missing(model=str(folders["open"]), quantise="8bit")


def test_an_enriched_event_is_its_recipe_in_time_and_then_varied(folders, monkeypatch: pytest.MonkeyPatch) -> None:
    generator = plugins.build("generator", "stable_audio", GeneratorSettings(model=str(folders["small"]), device="cpu"))
    event = replace(HAMMER, parameters={"enrich": 0.3})
    (enriched,) = generator.generate([request(event)])
    asked = []

    def unchanged(_, sound: Audio, wanted: Wanted, *, strength: float) -> Audio:
        asked.append((wanted.prompt, strength))
        return Audio(np.tile(sound.samples, (2, 1)), sound.rate_hz)

    monkeypatch.setattr(stable_audio, "vary", unchanged)
    (base,) = generator.generate([request(event)])
    procedural = plugins.build("generator", "procedural")
    # a wish's seed is drawn from the request's stream before its recipe is played
    played = request()
    played.rng.integers(2**63)
    (expected,) = procedural.generate([played])
    assert asked == [("hammer on a nail", 0.3)]
    assert np.array_equal(base.samples[0], resample(expected, RATE_HZ).samples[0])
    assert enriched.length == base.length
    assert generator.margins_s(event) == procedural.margins_s(HAMMER)
    assert not generator.suits(replace(event, recipe="nobody's"))


@pytest.mark.parametrize("strength", [0.0, 1.5, "much"])
def test_an_enrichment_that_means_nothing_is_refused(folders, strength: float | str) -> None:
    generator = plugins.build("generator", "stable_audio", GeneratorSettings(model=str(folders["small"]), device="cpu"))
    with pytest.raises(GenerationError, match="e01: stable_audio"):
        generator.generate([request(replace(HAMMER, parameters={"enrich": strength}))])


def small(folders) -> Any:
    return plugins.build("generator", "stable_audio", GeneratorSettings(model=str(folders["small"]), device="cpu"))


PATTER = replace(HAMMER, id="e02", kind="bed", hits=(), recipe="rain", label="rain on a roof", end_s=1.0)


def test_a_part_of_an_event_is_made_anew_and_the_rest_stays_to_the_sample(folders) -> None:
    generator = small(folders)
    (before,) = generator.generate([request(PATTER, 0.4)])
    (once,) = generator.generate([request(replace(PATTER, parameters={"regenerate": "0.1-0.2"}), 0.4)])
    (again,) = generator.generate([request(replace(PATTER, parameters={"regenerate": "0.1-0.2", "again": 2}), 0.4)])
    first, last = to_samples(0.1, RATE_HZ), to_samples(0.2, RATE_HZ)
    for made in (once, again):
        assert np.array_equal(made.samples[:, :first], before.samples[:, :first])
        assert np.array_equal(made.samples[:, last:], before.samples[:, last:])
        assert not np.allclose(made.samples[:, first:last], before.samples[:, first:last], atol=ROUNDING)
    assert not np.allclose(once.samples, again.samples, atol=ROUNDING)


def test_a_window_makes_anew_what_lies_in_it_alone(folders) -> None:
    generator = small(folders)
    event = replace(PATTER, parameters={"regenerate": "0.5-0.7"})

    def window(one: SoundEvent, start_s: float) -> np.ndarray:
        (made,) = generator.generate([SoundRequest(one, start_s, 0.4, np.random.default_rng(7))])
        return np.asarray(made.samples)

    assert np.array_equal(window(event, 0.0), window(PATTER, 0.0))
    first = to_samples(0.1, RATE_HZ)
    assert np.array_equal(window(event, 0.4)[:, :first], window(PATTER, 0.4)[:, :first])
    assert not np.allclose(window(event, 0.4), window(PATTER, 0.4), atol=ROUNDING)


@pytest.fixture
def shelf(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> SoundEvent:
    """An event that the user has a recording of."""
    monkeypatch.setenv("FOLEY_LIBRARY", str(tiny_library.make(tmp_path / "library")))
    return replace(PATTER, kind="span", label="clothes rustle", prompt="clothes cloth rustle", recipe="")


def test_a_recording_goes_on_as_the_model_hears_it(folders, shelf: SoundEvent) -> None:
    generator = small(folders)
    event = replace(shelf, parameters={"continue": 0.3, "base": "library"})
    assert generator.suits(event)
    (made,) = generator.generate([request(event, 0.9)])
    library = plugins.build("generator", "library")
    played = request(replace(shelf, parameters={}), 0.3)
    played.rng.integers(2**63)
    (recorded,) = library.generate([played])
    kept = to_samples(0.3 - stable_audio.JOIN_S, RATE_HZ) - 1
    assert made.samples.shape == (2, to_samples(0.9, RATE_HZ))
    assert np.array_equal(made.samples[:, :kept], resample(recorded, RATE_HZ).samples[:, :kept])
    assert float(np.abs(made.samples[:, kept + 2000 :]).max()) > ROUNDING
    assert "made from recordings" in made.notes[0]
    (later,) = generator.generate([SoundRequest(event, 0.6, 0.4, np.random.default_rng(3))])
    assert later.samples.shape == (2, to_samples(0.4, RATE_HZ))
    assert float(np.abs(later.samples).max()) > ROUNDING


def test_a_recording_is_enriched_and_its_index_counts_for_its_takes_alone(folders, shelf: SoundEvent) -> None:
    generator = small(folders)
    event = replace(shelf, parameters={"enrich": 0.3, "base": "library"})
    (made,) = generator.generate([request(event, 0.5)])
    assert made.samples.shape == (2, to_samples(0.5, RATE_HZ))
    studio = Studio("stable_audio", generator)
    assert "library" in studio.identity_for(event)
    assert studio.identity_for(PATTER) == generator.identity()
    assert studio.terms_for(event) == ("stability-ai-community", True)
    assert not generator.suits(replace(event, label="a bagpipe", prompt="a bagpipe"))


def test_the_recordings_that_were_named_are_the_base(folders, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FOLEY_LIBRARY", str(tmp_path / "nothing"))
    models = {"stable_audio": str(folders["small"]), "library": str(tiny_library.make(tmp_path / "library"))}
    roster = Roster("stable_audio", settings=GeneratorSettings(device="cpu", models=models))
    event = replace(PATTER, kind="span", label="clothes rustle", prompt="clothes cloth rustle", recipe="")
    event = replace(event, parameters={"enrich": 0.3, "base": "library"})
    studio = roster.route(event).studio(0)
    assert studio is roster.studio("stable_audio")
    (made,) = studio.generator.generate([request(event, 0.5)])
    assert "made from recordings" in made.notes[0]


def test_why_there_is_no_base_is_told(folders, shelf: SoundEvent, tmp_path: Path) -> None:
    roster = Roster(settings=GeneratorSettings(device="cpu", models={"stable_audio": str(folders["small"])}))
    event = replace(PATTER, generator="stable_audio", parameters={"enrich": 0.3, "base": "library"})
    (told,) = roster.route(replace(event, prompt="a bagpipe", label="a bagpipe")).notes
    assert "is to work on the sound of library, which has none" in told
    models = {"stable_audio": str(folders["small"]), "library": str(tmp_path / "nothing")}
    (told,) = Roster(settings=GeneratorSettings(device="cpu", models=models)).route(event).notes
    assert "of library, which is not ready (foley library add" in told


def test_who_has_a_part_in_the_base_counts_for_the_licence(folders, shelf: SoundEvent) -> None:
    studio = Studio("stable_audio", small(folders))
    event = replace(shelf, parameters={"enrich": 0.3, "base": "library", "blend": 0.5, "blend_with": "audiogen"})
    assert studio.terms_for(event) == ("CC-BY-NC-4.0", False)
    with pytest.raises(LicenceError, match="commercially"):
        Roster("stable_audio", licence="commercial").route(event)


@pytest.mark.parametrize(
    ("parameters", "said"),
    [
        ({"regenerate": "0.4-0.2"}, "parts as 3.2-4.5"),
        ({"regenerate": "soon"}, "parts as 3.2-4.5"),
        ({"continue": 0.0}, "above 0"),
        ({"continue": 1.0, "enrich": 0.5}, "leave enrich or continue out"),
        ({"enrich": 0.5, "base": "silence"}, "base must be one of"),
        ({"regenerate": "0.1-0.2", "again": "often"}, "again must be a number"),
    ],
)
def test_what_is_asked_for_in_vain_is_told(folders, parameters: dict[str, float | str], said: str) -> None:
    with pytest.raises(GenerationError, match=said):
        small(folders).generate([request(replace(PATTER, parameters=parameters))])


def test_hits_are_not_made_anew_in_parts(folders) -> None:
    with pytest.raises(GenerationError, match="only spans and beds"):
        small(folders).generate([request(replace(HAMMER, parameters={"regenerate": "0.1-0.2"}))])


def test_parts_move_with_what_a_bed_is_made_longer_by() -> None:
    bed = replace(PATTER, start_s=5.0, end_s=9.0, parameters={"regenerate": "1-2", "gain": 2.0})
    assert anchored(bed, 0.1).parameters == {"regenerate": "1.1-2.1", "gain": 2.0}
    assert anchored(bed, 0.0).parameters == bed.parameters


def test_a_sound_longer_than_the_model_can_is_refused_with_its_event(folders) -> None:
    generator = plugins.build("generator", "stable_audio", GeneratorSettings(model=str(folders["small"]), device="cpu"))
    with pytest.raises(GenerationError, match=r"e01: stable_audio: makes 2\.0 s at once"):
        generator.generate([request(duration_s=2.5)])
