"""A tiny random AudioLDM 2 in the published layout: what loads this loads cvssp/audioldm2.

Folders, file names, the index and its classes are as published; only the sizes are small. What it makes is noise.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from foley.neural import runtime
from tests.tiny_audiogen import SENTENCES, make_tokenizer

INDEX = {
    "_class_name": "AudioLDM2Pipeline",
    "_diffusers_version": "0.21.0.dev0",
    "feature_extractor": ["transformers", "ClapFeatureExtractor"],
    "language_model": ["transformers", "GPT2Model"],
    "projection_model": ["audioldm2", "AudioLDM2ProjectionModel"],
    "scheduler": ["diffusers", "DDIMScheduler"],
    "text_encoder": ["transformers", "ClapModel"],
    "text_encoder_2": ["transformers", "T5EncoderModel"],
    "tokenizer": ["transformers", "RobertaTokenizerFast"],
    "tokenizer_2": ["transformers", "T5TokenizerFast"],
    "unet": ["audioldm2", "AudioLDM2UNet2DConditionModel"],
    "vae": ["diffusers", "AutoencoderKL"],
    "vocoder": ["transformers", "SpeechT5HifiGan"],
}

WIDTH, WORDS, TEXT_WIDTH, VOCABULARY = 16, 312, 32, 401

BLOCKS = {"layers_per_block": 1, "norm_num_groups": 4, "sample_size": 32}


def make(folder: Path) -> Path:
    """Write the folder and return it."""
    torch = runtime.torch()
    roberta(folder / "tokenizer")
    make_tokenizer(folder / "tokenizer_2")
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        parts = {**sound_parts(), **_readers(), "unet": _denoiser()}
    for name, part in parts.items():
        part.save_pretrained(folder / name)
    _as_published(folder / "language_model" / "config.json")
    (folder / "model_index.json").write_text(json.dumps(INDEX, indent=2))
    return folder


def sound_parts() -> dict[str, Any]:
    """Return solver, autoencoder and vocoder, which AudioLDM has too."""
    from diffusers import AutoencoderKL, DDIMScheduler
    from transformers import SpeechT5HifiGan, SpeechT5HifiGanConfig

    scheduler = DDIMScheduler(
        beta_start=0.0015,
        beta_end=0.0195,
        beta_schedule="scaled_linear",
        clip_sample=False,
        set_alpha_to_one=False,
        steps_offset=1,
    )
    vae = AutoencoderKL(
        block_out_channels=[4, 8, 8],
        in_channels=1,
        out_channels=1,
        latent_channels=8,
        norm_num_groups=4,
        down_block_types=["DownEncoderBlock2D"] * 3,
        up_block_types=["UpDecoderBlock2D"] * 3,
    )
    hifi_gan = SpeechT5HifiGanConfig(
        model_in_dim=16,  # a quarter of the published: the denoiser has a quarter to do
        sampling_rate=16_000,
        upsample_initial_channel=32,
        upsample_rates=[5, 4, 2, 2, 2],
        upsample_kernel_sizes=[16, 16, 8, 4, 4],
        resblock_kernel_sizes=[3],
        resblock_dilation_sizes=[[1, 3]],
        normalize_before=False,
        initializer_range=0.2,  # with the usual 0.01 a random one is silent
    )
    return {"scheduler": scheduler, "vae": vae, "vocoder": SpeechT5HifiGan(hifi_gan)}


def clap_config() -> Any:
    """Return the configuration of a tiny CLAP."""
    from transformers import ClapConfig

    text = {
        "vocab_size": VOCABULARY,
        "hidden_size": WIDTH,
        "num_hidden_layers": 1,
        "num_attention_heads": 2,
        "intermediate_size": 32,
        "max_position_embeddings": 514,
        "type_vocab_size": 1,
        "pad_token_id": 1,
        "bos_token_id": 0,
        "eos_token_id": 2,
        "projection_dim": WIDTH,
    }
    audio = {
        "num_mel_bins": 64,
        "patch_embeds_hidden_size": WIDTH,
        "depths": [1, 1, 1, 1],
        "num_attention_heads": [1, 2, 2, 2],
        "hidden_size": WIDTH * 8,
        "projection_dim": WIDTH,
        "num_classes": 4,
    }
    return ClapConfig(text_config=text, audio_config=audio, projection_dim=WIDTH, projection_hidden_act="relu")


def roberta(folder: Path) -> None:
    """Write a byte-level tokenizer as CLAP's lies on the hub."""
    runtime.torch()  # mends torchvision before transformers is loaded
    from tokenizers import ByteLevelBPETokenizer

    folder.mkdir(parents=True, exist_ok=True)
    trained = ByteLevelBPETokenizer(add_prefix_space=False)
    reserved = ["<s>", "<pad>", "</s>", "<unk>"]
    trained.train_from_iterator(
        SENTENCES, vocab_size=VOCABULARY - 1, min_frequency=1, special_tokens=reserved, show_progress=False
    )
    model = json.loads(trained.to_str())["model"]
    vocabulary = model["vocab"] | {"<mask>": len(model["vocab"])}
    merges = [merge if isinstance(merge, str) else " ".join(merge) for merge in model["merges"]]
    (folder / "vocab.json").write_text(json.dumps(vocabulary, ensure_ascii=False))
    (folder / "merges.txt").write_text("#version: 0.2\n" + "\n".join(merges) + "\n")
    marks = {"bos_token": "<s>", "eos_token": "</s>", "sep_token": "</s>", "cls_token": "<s>"}
    marks |= {"unk_token": "<unk>", "pad_token": "<pad>", "mask_token": "<mask>"}
    (folder / "special_tokens_map.json").write_text(json.dumps(marks))
    config = marks | {"model_max_length": 512, "tokenizer_class": "RobertaTokenizer", "add_prefix_space": False}
    (folder / "tokenizer_config.json").write_text(json.dumps(config))


def _readers() -> dict[str, Any]:
    from diffusers import AudioLDM2ProjectionModel
    from transformers import ClapFeatureExtractor, ClapModel, GPT2Config, GPT2Model, T5Config, T5EncoderModel

    t5_config = T5Config(
        vocab_size=WORDS,
        d_model=TEXT_WIDTH,
        d_ff=37,
        d_kv=8,
        num_heads=2,
        num_layers=1,
        feed_forward_proj="gated-gelu",
    )
    gpt2_config = GPT2Config(n_embd=WIDTH, n_head=2, n_layer=1, vocab_size=100, bos_token_id=0, eos_token_id=0)
    return {
        "feature_extractor": ClapFeatureExtractor(truncation="rand_trunc"),
        "text_encoder": ClapModel(clap_config()),
        "text_encoder_2": T5EncoderModel(t5_config),
        "projection_model": AudioLDM2ProjectionModel(
            text_encoder_dim=WIDTH, text_encoder_1_dim=TEXT_WIDTH, langauge_model_dim=WIDTH
        ),
        "language_model": GPT2Model(gpt2_config),
    }


def _denoiser() -> Any:
    from diffusers import AudioLDM2UNet2DConditionModel

    return AudioLDM2UNet2DConditionModel(
        block_out_channels=(8, 16),
        in_channels=8,
        out_channels=8,
        down_block_types=("DownBlock2D", "CrossAttnDownBlock2D"),
        up_block_types=("CrossAttnUpBlock2D", "UpBlock2D"),
        cross_attention_dim=((None, WIDTH, TEXT_WIDTH), (None, WIDTH, TEXT_WIDTH)),
        **BLOCKS,
    )


def _as_published(config: Path) -> None:
    """Give the language model's configuration what the published one says of generating."""
    config.write_text(json.dumps(json.loads(config.read_text()) | {"max_new_tokens": 8}, indent=2))
