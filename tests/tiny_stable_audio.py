"""Tiny random Stable Audio in the published layouts: what loads and converts these loads and converts the real ones.

Open 1.0 is a folder for diffusers. Stable Audio 3 is `model.safetensors`, `model_config.json` and T5Gemma's folder; its
names and shapes are written down here on their own, not taken from the converter: `tensors` gives 685 of them for the
sizes of the published Small. What they make is noise.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from foley.neural import runtime, same

CORPUS = (
    "footsteps on gravel and wet leaves",
    "a dog barks twice in the distance",
    "glass bottle breaks on a concrete floor, speech, music",
    "wooden door slams shut with a heavy thud",
    "rain falls on a tin roof 0123456789.",
)

RATE_HZ = 44_100
TEXT_WIDTH = 16

Shape = tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Sizes:
    """How large a Stable Audio 3 is."""

    small: bool
    """Small: plain attention in the transformer, an autoencoder in chunks; else differential, in a sliding window."""
    width: int = 32
    depth: int = 2
    heads: int = 2
    text: int = TEXT_WIDTH
    features: int = 16
    memory: int = 4
    latents: int = 8
    patch: int = 256
    stride: int = 4
    channels: int = 16
    coder_layers: int = 2
    coder_head: int = 8
    coder_inner: int = 3
    frames: int = 8
    """Patches in a chunk."""
    longest_s: float = 2.0


SMALL, MEDIUM = Sizes(small=True), Sizes(small=False)

PUBLISHED_SMALL = Sizes(
    small=True,
    width=1024,
    depth=20,
    heads=16,
    text=768,
    features=256,
    memory=64,
    latents=256,
    patch=256,
    stride=16,
    channels=768,
    coder_layers=6,
    coder_head=64,
    frames=32,
    longest_s=120.0,
)
PUBLISHED_SMALL_TENSORS = 685
"""As others counted them in stable-audio-3-small-music-base's file, which is of the same architecture."""


def make(folder: Path) -> Path:
    """Write a tiny Stable Audio 3 Small as it is published, and return its folder."""
    return make_three(folder, SMALL)


def make_three(folder: Path, sizes: Sizes, *, seed: int = 0) -> Path:
    """Write a tiny Stable Audio 3 as it is published, and return its folder."""
    from safetensors.torch import save_file

    folder.mkdir(parents=True, exist_ok=True)
    save_file(state(sizes, seed=seed), folder / "model.safetensors")
    _write(folder / "model_config.json", settings(sizes))
    make_text_encoder(folder / "t5gemma-b-b-ul2")
    return folder


def state(sizes: Sizes, *, seed: int = 0) -> dict[str, Any]:
    """Return random tensors by their published names."""
    torch = runtime.torch()
    source = torch.Generator().manual_seed(seed)
    made = {name: _spread(shape) * torch.randn(shape, generator=source) for name, shape in tensors(sizes)}
    for name, tensor in made.items():
        if name.endswith("inv_freq"):
            dim = 2 * tensor.shape[0]
            made[name] = 1.0 / 10_000 ** (torch.arange(0, dim, 2).float() / dim)
        elif name.endswith(("gamma", "weight_g", "scaling_factor", "running_std")):
            made[name] = 1.0 + tensor
        elif name.endswith("alpha"):
            made[name] = 4.0 + tensor  # where training starts; with less, attention would look at nothing in particular
    return made


def _spread(shape: Shape) -> float:
    """Return how far random numbers lie apart: what goes through a layer neither dies nor grows."""
    return float(max(1, math.prod(shape[1:]))) ** -0.5 if len(shape) > 1 else 0.1


def tensors(sizes: Sizes) -> Iterator[tuple[str, Shape]]:
    """Yield the names and shapes of model.safetensors."""
    yield "conditioner.conditioners.prompt.padding_embedding", (sizes.text,)
    yield from _linear("conditioner.conditioners.seconds_total.embedder.embedding.1", sizes.features, sizes.text)
    yield from _transformer(sizes)
    for name, shape in _autoencoder(sizes):
        yield f"pretransform.model.{name}", shape


def _transformer(sizes: Sizes) -> Iterator[tuple[str, Shape]]:
    width, head = sizes.width, sizes.width // sizes.heads
    stem = "model.model"
    for name in ("preprocess_conv", "postprocess_conv"):
        yield f"{stem}.{name}.weight", (sizes.latents, sizes.latents, 1)
    for name in ("to_cond_embed", "to_global_embed"):
        yield f"{stem}.{name}.0.weight", (width, sizes.text)
        yield f"{stem}.{name}.2.weight", (width, width)
    yield from _linear(f"{stem}.to_timestep_embed.0", sizes.features, width)
    yield from _linear(f"{stem}.to_timestep_embed.2", width, width)
    stem = f"{stem}.transformer"
    yield from _linear(f"{stem}.global_cond_embedder.0", width, width)
    yield from _linear(f"{stem}.global_cond_embedder.2", width, 6 * width)
    yield f"{stem}.memory_tokens", (sizes.memory, width)
    yield f"{stem}.project_in.weight", (width, sizes.latents)
    yield f"{stem}.project_out.weight", (sizes.latents, width)
    yield f"{stem}.rotary_pos_emb.inv_freq", (head // 4,)
    fused, queries, pairs = (3, 1, 2) if sizes.small else (5, 2, 3)
    for number in range(sizes.depth):
        layer = f"{stem}.layers.{number}"
        for name in ("pre_norm", "cross_attend_norm", "ff_norm"):
            yield f"{layer}.{name}.gamma", (width,)
        yield f"{layer}.self_attn.to_qkv.weight", (fused * width, width)
        yield f"{layer}.cross_attn.to_q.weight", (queries * width, width)
        yield f"{layer}.cross_attn.to_kv.weight", (pairs * width, width)
        for attention in ("self_attn", "cross_attn"):
            yield f"{layer}.{attention}.to_out.weight", (width, width)
            yield f"{layer}.{attention}.q_norm.gamma", (head,)
            yield f"{layer}.{attention}.k_norm.gamma", (head,)
        yield from _linear(f"{layer}.to_local_embed.0", 1 + sizes.latents, width)
        yield from _linear(f"{layer}.to_local_embed.2", width, width)
        yield f"{layer}.to_scale_shift_gate", (6 * width,)
        yield from _linear(f"{layer}.ff.ff.0.proj", width, 8 * width)
        yield from _linear(f"{layer}.ff.ff.2", 4 * width, width)


def _autoencoder(sizes: Sizes) -> Iterator[tuple[str, Shape]]:
    channels, patched = sizes.channels, 2 * sizes.patch
    for name in ("scaling_factor", "bias"):
        yield f"bottleneck.{name}", (1, sizes.latents, 1)
    yield "bottleneck.running_std", (1,)
    yield "bottleneck.noise_scaling_factor", (1, 0, 1)
    yield from _resampler("encoder.layers.0", sizes, (channels, patched, 1))
    yield from _linear("encoder.layers.2", channels, sizes.latents)
    yield from _linear("decoder.layers.1", sizes.latents, channels)
    yield from _resampler("decoder.layers.3", sizes, (patched, channels, 3 if sizes.small else 1))


def _resampler(stem: str, sizes: Sizes, mapping: Shape) -> Iterator[tuple[str, Shape]]:
    yield f"{stem}.mapping.weight_v", mapping
    yield f"{stem}.mapping.weight_g", (mapping[0], 1, 1)
    yield f"{stem}.mapping.bias", (mapping[0],)
    yield f"{stem}.new_tokens", (1, 1, sizes.channels)
    for number in range(sizes.coder_layers):
        layer = f"{stem}.transformers.{number}"
        norms = {"pre_norm": sizes.channels, "ff_norm": sizes.channels}
        norms |= dict.fromkeys(("self_attn.q_norm", "self_attn.k_norm"), sizes.coder_head)
        for name, width in norms.items():
            yield f"{layer}.{name}.alpha", (1,)
            yield f"{layer}.{name}.gamma", (width,)
            yield f"{layer}.{name}.beta", (width,)
        yield f"{layer}.self_attn.to_qkv.weight", (5 * sizes.channels, sizes.channels)
        yield f"{layer}.self_attn.to_out.weight", (sizes.channels, sizes.channels)
        yield f"{layer}.rope.inv_freq", (sizes.coder_head // 4,)
        inner = sizes.coder_inner * sizes.channels
        yield from _linear(f"{layer}.ff.ff.0.proj", sizes.channels, 2 * inner)
        yield from _linear(f"{layer}.ff.ff.2", inner, sizes.channels)


def _linear(stem: str, given: int, made: int) -> Iterator[tuple[str, Shape]]:
    yield f"{stem}.weight", (made, given)
    yield f"{stem}.bias", (made,)


def settings(sizes: Sizes) -> dict[str, Any]:
    """Return model_config.json."""
    coder: dict[str, Any] = {
        "channels": sizes.channels,
        "c_mults": [1],
        "strides": [sizes.stride],
        "latent_dim": sizes.latents,
        "transformer_depths": [sizes.coder_layers],
        "dim_heads": sizes.coder_head,
        "differential": True,
        "variable_stride": True,
    }
    if sizes.small:
        coder |= {"dyt": True, "chunk_size": sizes.frames, "chunk_midpoint_shift": True}
    else:
        coder |= {"sliding_window": [1, 1]}
    decoder = coder | ({"conv_mapping": True, "mask_noise": 0.01} if sizes.small else {"sinusoidal_blocks": [2]})
    hop = sizes.patch * sizes.stride
    seconds = {"min_val": 0, "max_val": 384, "fourier_features_type": "expo"}
    prompt = {"max_length": 24, "padding_mode": "learned", "subfolder": "t5gemma-b-b-ul2"}
    return {
        "model_type": "diffusion_cond_inpaint",
        "sample_size": int(sizes.longest_s * RATE_HZ),
        "sample_rate": RATE_HZ,
        "audio_channels": 2,
        "model": {
            "pretransform": {
                "type": "autoencoder",
                "config": {
                    "encoder": {"type": "same", "config": coder | {"in_channels": 2 * sizes.patch}},
                    "decoder": {"type": "same", "config": decoder | {"out_channels": 2 * sizes.patch}},
                    "pretransform": {"type": "patched", "config": {"patch_size": sizes.patch, "channels": 2}},
                    "bottleneck": {"type": "softnorm", "config": {"dim": sizes.latents, "noise_augment_dim": 0}},
                    "latent_dim": sizes.latents,
                    "downsampling_ratio": hop,
                    "io_channels": 2,
                },
            },
            "conditioning": {
                "configs": [
                    {"id": "prompt", "type": "t5gemma", "config": prompt},
                    {"id": "seconds_total", "type": "number", "config": seconds},
                ],
                "cond_dim": sizes.text,
            },
            "diffusion": {
                "type": "dit",
                "diffusion_objective": "rf_denoiser",
                "cross_attention_cond_ids": ["prompt", "seconds_total"],
                "global_cond_ids": ["seconds_total"],
                "local_add_cond_ids": ["inpaint_mask", "inpaint_masked_input"],
                "config": {
                    "io_channels": sizes.latents,
                    "embed_dim": sizes.width,
                    "depth": sizes.depth,
                    "num_heads": sizes.heads,
                    "cond_token_dim": sizes.text,
                    "global_cond_dim": sizes.text,
                    "local_add_cond_dim": 1 + sizes.latents,
                    "num_memory_tokens": sizes.memory,
                    "transformer_type": "continuous_transformer",
                    "global_cond_type": "adaLN",
                    "timestep_features_type": "expo",
                    "norm_type": "rms_norm",
                    "attn_kwargs": {"qk_norm": "rms", "differential": not sizes.small},
                },
            },
            "io_channels": sizes.latents,
        },
    }


def make_text_encoder(folder: Path) -> Path:
    """Write a tiny T5Gemma whole, with its decoder, as google publishes it."""
    torch = runtime.torch()
    import transformers as hf

    folder.mkdir(parents=True, exist_ok=True)
    words = _gemma_tokenizer(folder)
    part = hf.T5GemmaModuleConfig(
        vocab_size=words,
        hidden_size=TEXT_WIDTH,
        intermediate_size=32,
        num_hidden_layers=2,
        num_attention_heads=2,
        num_key_value_heads=1,
        head_dim=8,
        max_position_embeddings=512,
        sliding_window=64,
        pad_token_id=0,
    )
    config = hf.T5GemmaConfig(encoder=part, decoder=part, vocab_size=words, pad_token_id=0)
    with torch.random.fork_rng(devices=[]):
        torch.random.manual_seed(0)
        hf.T5GemmaForConditionalGeneration(config).save_pretrained(folder)
    return folder


def _gemma_tokenizer(folder: Path) -> int:
    """Write a tokenizer as Gemma's are: byte pairs over text whose spaces are drawn; return how many words it has."""
    from tokenizers import Tokenizer, decoders, models, normalizers, processors, trainers

    special = ["<pad>", "<eos>", "<bos>", "<unk>"]
    tokenizer = Tokenizer(models.BPE(unk_token="<unk>", fuse_unk=True))
    tokenizer.normalizer = normalizers.Replace(" ", "▁")
    trainer = trainers.BpeTrainer(vocab_size=200, special_tokens=special, show_progress=False)
    tokenizer.train_from_iterator(CORPUS, trainer)
    tokenizer.decoder = decoders.Replace("▁", " ")
    tokenizer.post_processor = processors.TemplateProcessing(single="<bos> $A", special_tokens=[("<bos>", 2)])
    tokenizer.save(str(folder / "tokenizer.json"))
    names = dict(zip(("pad_token", "eos_token", "bos_token", "unk_token"), special, strict=True))
    _write(folder / "tokenizer_config.json", names | {"tokenizer_class": "GemmaTokenizer", "model_max_length": 512})
    return int(tokenizer.get_vocab_size())


def make_open(folder: Path) -> Path:
    """Write a tiny Stable Audio Open 1.0 as it is published for diffusers, and return its folder."""
    torch = runtime.torch()
    import diffusers as parts
    from diffusers.pipelines.stable_audio import StableAudioProjectionModel
    from transformers import T5Config, T5EncoderModel

    words = _t5_tokenizer(folder / "tokenizer")
    with torch.random.fork_rng(devices=[]), same.quiet():
        torch.random.manual_seed(0)
        made = {
            "transformer": parts.StableAudioDiTModel(
                sample_size=96,
                in_channels=4,
                out_channels=4,
                num_layers=2,
                attention_head_dim=8,
                num_attention_heads=4,
                num_key_value_attention_heads=2,
                cross_attention_dim=TEXT_WIDTH,
                time_proj_dim=8,
                global_states_input_dim=2 * TEXT_WIDTH,
                cross_attention_input_dim=TEXT_WIDTH,
            ),
            "vae": parts.AutoencoderOobleck(
                encoder_hidden_size=8,
                downsampling_ratios=[2, 4, 4, 4, 4],
                channel_multiples=[1, 1, 2, 2, 2],
                decoder_channels=8,
                decoder_input_channels=4,
            ),
            "text_encoder": T5EncoderModel(
                T5Config(vocab_size=words, d_model=TEXT_WIDTH, d_ff=32, d_kv=4, num_heads=4, num_layers=2)
            ),
            "projection_model": StableAudioProjectionModel(
                text_encoder_dim=TEXT_WIDTH, conditioning_dim=TEXT_WIDTH, min_value=0, max_value=512
            ),
        }
    for name, part in made.items():
        part.save_pretrained(folder / name)
    solver = {"sigma_min": 0.3, "sigma_max": 500, "sigma_data": 1.0, "sigma_schedule": "exponential", "solver_order": 2}
    solver |= {"_class_name": "CosineDPMSolverMultistepScheduler", "prediction_type": "v_prediction"}
    (folder / "scheduler").mkdir()
    _write(folder / "scheduler" / "scheduler_config.json", solver)
    index = {
        "_class_name": "StableAudioPipeline",
        "_diffusers_version": "0.30.0",
        "projection_model": ["stable_audio", "StableAudioProjectionModel"],
        "scheduler": ["diffusers", "CosineDPMSolverMultistepScheduler"],
        "text_encoder": ["transformers", "T5EncoderModel"],
        "tokenizer": ["transformers", "T5TokenizerFast"],
        "transformer": ["diffusers", "StableAudioDiTModel"],
        "vae": ["diffusers", "AutoencoderOobleck"],
    }
    _write(folder / "model_index.json", index)
    return folder


def _t5_tokenizer(folder: Path) -> int:
    """Write a tokenizer as T5's are; return how many words it has."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors, trainers

    folder.mkdir(parents=True, exist_ok=True)
    special = ["<pad>", "</s>", "<unk>"]
    tokenizer = Tokenizer(models.Unigram())
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    tokenizer.decoder = decoders.Metaspace()
    trainer = trainers.UnigramTrainer(vocab_size=100, special_tokens=special, unk_token="<unk>", show_progress=False)
    tokenizer.train_from_iterator(CORPUS, trainer)
    tokenizer.post_processor = processors.TemplateProcessing(single="$A </s>", special_tokens=[("</s>", 1)])
    tokenizer.save(str(folder / "tokenizer.json"))
    names = {"pad_token": "<pad>", "eos_token": "</s>", "unk_token": "<unk>", "extra_ids": 0}
    _write(folder / "tokenizer_config.json", names | {"tokenizer_class": "T5Tokenizer", "model_max_length": 24})
    return int(tokenizer.get_vocab_size())


def _write(path: Path, content: object) -> None:
    path.write_text(json.dumps(content, indent=2), encoding="utf-8")
