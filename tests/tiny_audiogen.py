"""A tiny random AudioGen in audiocraft's published layout: what converts this converts the real one.

Names, nesting, types of number and settings are as facebook/audiogen-medium publishes them; only the sizes are small.
What it makes is noise.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from foley.neural import runtime

WIDTH, LAYERS, HEADS, BOOKS, BINS = 32, 2, 4, 4, 64
TEXT_WIDTH = 24
FILTERS, DIMENSION, RATIOS = 4, 16, (8, 5, 4, 2)
RATE_HZ = 16_000
SEGMENT_S = 2
"""The real one's is 10: here continuation is to be reached soon."""

SENTENCES = (
    "footsteps on gravel and wet leaves",
    "a dog barks twice in the distance",
    "glass bottle breaks on a concrete floor",
    "wooden door slams shut with a heavy thud",
    "rain falls on a tin roof 0123456789.",
    "metal sword clash and scrape, keyboard typing in a quiet room",
)

LANGUAGE_MODEL_SETTINGS = f"""
sample_rate: {RATE_HZ}
channels: 1
solver: audiogen
compression_model_checkpoint: //reference/bd44a852/checkpoint.th
dataset:
  batch_size: 128
  segment_duration: {SEGMENT_S}
lm_model: transformer_lm
codebooks_pattern:
  modeling: delay
  delay: {{delays: [0, 1, 2, 3], flatten_first: 0, empty_initial: 0}}
  unroll: {{flattening: [0, 1, 2, 3], delays: [0, 0, 0, 0]}}
transformer_lm:
  dim: {WIDTH}
  num_heads: {HEADS}
  num_layers: {LAYERS}
  hidden_scale: 4
  n_q: {BOOKS}
  card: {BINS}
  dropout: 0.0
  activation: gelu
  norm_first: true
  bias_ff: false
  bias_attn: false
  bias_proj: false
  past_context: null
  causal: true
  custom: false
  memory_efficient: true
  layer_scale: null
  positional_embedding: sin
  norm: layer_norm
  cross_attention: false
  qk_layer_norm: false
  qk_layer_norm_cross: false
  kv_repeat: 1
classifier_free_guidance: {{training_dropout: 0.1, inference_coef: 3.0}}
fuser:
  cross_attention_pos_emb: false
  cross_attention_pos_emb_scale: 1
  sum: []
  prepend: []
  cross: [description]
  input_interpolate: []
conditioners:
  description:
    model: t5
    t5: {{name: t5-large, finetune: false, word_dropout: 0.0, normalize_text: false}}
"""

CODEC_SETTINGS = f"""
sample_rate: {RATE_HZ}
channels: 1
compression_model: encodec
encodec:
  autoencoder: seanet
  quantizer: rvq
  sample_rate: ${{sample_rate}}
  channels: ${{channels}}
  causal: false
  renormalize: false
seanet:
  dimension: {DIMENSION}
  channels: ${{channels}}
  causal: ${{encodec.causal}}
  n_filters: {FILTERS}
  n_residual_layers: 1
  ratios: {list(RATIOS)}
  activation: ELU
  activation_params: {{alpha: 1.0}}
  norm: weight_norm
  norm_params: {{}}
  kernel_size: 7
  residual_kernel_size: 3
  last_kernel_size: 7
  dilation_base: 2
  pad_mode: constant
  true_skip: true
  compress: 2
  lstm: 2
  disable_norm_outer_blocks: 0
  decoder: {{trim_right_ratio: 1.0, final_activation: null, final_activation_params: null}}
  encoder: {{}}
rvq: {{n_q: {BOOKS}, q_dropout: false, bins: {BINS}, decay: 0.99, kmeans_init: true}}
"""


def make(folder: Path) -> Path:
    """Write the checkpoint, with the T5 that it needs beside it, and return its folder."""
    folder.mkdir(parents=True, exist_ok=True)
    write_package(folder / "state_dict.bin", language_model(), LANGUAGE_MODEL_SETTINGS)
    write_package(folder / "compression_state_dict.bin", codec(), CODEC_SETTINGS)
    make_text_encoder(folder / "text_encoder")
    return folder


def write_package(path: Path, state: dict[str, Any], settings: str) -> None:
    """Write one of the two pickled packages."""
    package = {"best_state": state, "xp.cfg": settings, "version": "1.0.0", "exported": True}
    runtime.torch().save(package, path)


def language_model(
    *, width: int = WIDTH, layers: int = LAYERS, bins: int = BINS, text_width: int = TEXT_WIDTH, seed: int = 0
) -> dict[str, Any]:
    """Return the language model's tensors by their published names, in half precision."""
    torch = runtime.torch()
    chance = torch.Generator().manual_seed(seed)
    half = torch.float16

    def drawn(*shape: int) -> Any:
        # large enough that the logits of two codes are not by chance the same
        return (torch.randn(*shape, generator=chance) * shape[-1] ** -0.5).to(half)

    state: dict[str, Any] = {
        f"emb.{book}.weight": torch.randn(bins + 1, width, generator=chance).to(half) for book in range(BOOKS)
    }
    for layer in range(layers):
        stem = f"transformer.layers.{layer}"
        for attention in ("self_attn", "cross_attention"):
            state[f"{stem}.{attention}.in_proj_weight"] = drawn(3 * width, width)
            state[f"{stem}.{attention}.out_proj.weight"] = drawn(width, width)
        state[f"{stem}.linear1.weight"] = drawn(4 * width, width)
        state[f"{stem}.linear2.weight"] = drawn(width, 4 * width)
        for norm in ("norm1", "norm2", "norm_cross"):
            state |= {f"{stem}.{norm}.weight": 1 + drawn(width), f"{stem}.{norm}.bias": drawn(width)}
    state |= {"out_norm.weight": 1 + drawn(width), "out_norm.bias": drawn(width)}
    state |= {f"linears.{book}.weight": 4 * drawn(bins, width) for book in range(BOOKS)}
    projection = "condition_provider.conditioners.description.output_proj"
    return state | {f"{projection}.weight": 4 * drawn(width, text_width), f"{projection}.bias": drawn(width)}


def codec(*, filters: int = FILTERS, bins: int = BINS, seed: int = 1) -> dict[str, Any]:
    """Return the codec's tensors by their published names, in single precision."""
    torch = runtime.torch()
    chance = torch.Generator().manual_seed(seed)
    state: dict[str, Any] = {}
    for name, shape, outputs in (*_encoder(filters), *_decoder(filters)):
        state[f"{name}.bias"] = 0.1 * torch.randn(outputs, generator=chance)
        state[f"{name}.weight_g"] = 0.5 + torch.rand(shape[0], 1, 1, generator=chance)
        state[f"{name}.weight_v"] = torch.randn(*shape, generator=chance)
    wide = filters * 2 ** len(RATIOS)
    for stem in ("encoder.model.13.lstm", "decoder.model.1.lstm"):
        for layer in range(2):
            for part in ("ih", "hh"):
                state[f"{stem}.weight_{part}_l{layer}"] = wide**-0.5 * torch.randn(4 * wide, wide, generator=chance)
                state[f"{stem}.bias_{part}_l{layer}"] = 0.1 * torch.randn(4 * wide, generator=chance)
    for book in range(BOOKS):
        stem = f"quantizer.vq.layers.{book}._codebook"
        words = torch.randn(bins, DIMENSION, generator=chance)
        state |= {f"{stem}.inited": torch.ones(1), f"{stem}.cluster_size": torch.ones(bins)}
        state |= {f"{stem}.embed": words, f"{stem}.embed_avg": words.clone()}
    return state


def _encoder(filters: int) -> Iterator[tuple[str, tuple[int, int, int], int]]:
    """Yield name, shape and outputs of the encoder's convolutions."""
    yield "encoder.model.0.conv.conv", (filters, 1, 7), filters
    for step, ratio in enumerate(reversed(RATIOS)):
        width, place = filters * 2**step, 1 + 3 * step
        yield from _residual(f"encoder.model.{place}", width)
        yield f"encoder.model.{place + 2}.conv.conv", (2 * width, width, 2 * ratio), 2 * width
    yield "encoder.model.15.conv.conv", (DIMENSION, filters * 2 ** len(RATIOS), 7), DIMENSION


def _decoder(filters: int) -> Iterator[tuple[str, tuple[int, int, int], int]]:
    """Yield name, shape and outputs of the decoder's convolutions; transposed ones count their inputs first."""
    wide = filters * 2 ** len(RATIOS)
    yield "decoder.model.0.conv.conv", (wide, DIMENSION, 7), wide
    for step, ratio in enumerate(RATIOS):
        width, place = wide // 2**step, 3 + 3 * step
        yield f"decoder.model.{place}.convtr.convtr", (width, width // 2, 2 * ratio), width // 2
        yield from _residual(f"decoder.model.{place + 1}", width // 2)
    yield "decoder.model.15.conv.conv", (1, filters, 7), 1


def _residual(stem: str, width: int) -> Iterator[tuple[str, tuple[int, int, int], int]]:
    yield f"{stem}.block.1.conv.conv", (width // 2, width, 3), width // 2
    yield f"{stem}.block.3.conv.conv", (width, width // 2, 1), width


def make_text_encoder(folder: Path, *, width: int = TEXT_WIDTH) -> Path:
    """Write a whole T5, decoder and all, with its tokenizer, as google-t5's are published."""
    torch = runtime.torch()
    from transformers import T5Config, T5ForConditionalGeneration

    words = make_tokenizer(folder)
    config = T5Config(vocab_size=words, d_model=width, d_kv=8, d_ff=48, num_layers=2, num_heads=3)
    config.decoder_start_token_id = 0
    with torch.random.fork_rng(devices=[]):
        torch.random.manual_seed(2)
        T5ForConditionalGeneration(config).save_pretrained(folder)
    return folder


def make_tokenizer(folder: Path) -> int:
    """Write a T5 tokenizer that was trained on a few sentences, and return the size of its vocabulary."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors, trainers

    folder.mkdir(parents=True, exist_ok=True)
    extra = [f"<extra_id_{number}>" for number in range(100)]
    tokenizer = Tokenizer(models.Unigram())
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    tokenizer.decoder = decoders.Metaspace()
    specials = ["<pad>", "</s>", "<unk>"]
    trainer = trainers.UnigramTrainer(vocab_size=100, special_tokens=specials, unk_token="<unk>", show_progress=False)
    tokenizer.train_from_iterator(SENTENCES * 4, trainer)
    tokenizer.add_special_tokens(extra)
    tokenizer.post_processor = processors.TemplateProcessing(single="$A </s>", special_tokens=[("</s>", 1)])
    tokenizer.save(str(folder / "tokenizer.json"))
    special = {"eos_token": "</s>", "unk_token": "<unk>", "pad_token": "<pad>", "additional_special_tokens": extra}
    settings = {**special, "extra_ids": 100, "model_max_length": 512, "tokenizer_class": "T5Tokenizer"}
    (folder / "special_tokens_map.json").write_text(json.dumps(special))
    (folder / "tokenizer_config.json").write_text(json.dumps(settings))
    return int(tokenizer.get_vocab_size())
