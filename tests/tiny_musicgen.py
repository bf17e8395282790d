"""Tiny random MusicGens as facebook/musicgen-small, -stereo-small and -melody are published; they make noise."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from foley.neural import runtime
from tests.tiny_audiogen import make_tokenizer

BINS = 64
RATE_HZ = 32_000


def make(folder: Path, *, kind: str = "mono") -> Path:
    """Write a model, and return its folder.

    Args:
        folder: Is made.
        kind: mono, stereo or melody.
    """
    torch = runtime.torch()
    words = make_tokenizer(folder)
    with torch.random.fork_rng(devices=[]):
        torch.random.manual_seed(3)
        model = _melody(words) if kind == "melody" else _plain(words, 2 if kind == "stereo" else 1)
        for layer in model.audio_encoder.quantizer.layers:
            layer.codebook.embed.normal_()  # transformers makes them of zeros, and all codes would sound alike
    given = model.generation_config
    given.decoder_start_token_id = given.pad_token_id = given.bos_token_id = BINS
    given.do_sample, given.guidance_scale, given.max_length = True, 3.0, 1500
    model.save_pretrained(folder)
    _age(folder)
    extractor = {"feature_size": 1, "sampling_rate": RATE_HZ, "padding_side": "left", "return_attention_mask": True}
    names = ("MusicgenMelody", "MusicgenMelody") if kind == "melody" else ("Encodec", "Musicgen")
    extractor |= {"feature_extractor_type": f"{names[0]}FeatureExtractor", "processor_class": f"{names[1]}Processor"}
    (folder / "preprocessor_config.json").write_text(json.dumps(extractor))
    return folder


def _plain(words: int, channels: int) -> Any:
    from transformers import MusicgenConfig, MusicgenDecoderConfig, MusicgenForConditionalGeneration

    decoder = MusicgenDecoderConfig(**_sizes(channels))
    return MusicgenForConditionalGeneration(
        MusicgenConfig(text_encoder=_text(words), audio_encoder=_codec(), decoder=decoder)
    )


def _melody(words: int) -> Any:
    from transformers import MusicgenMelodyConfig, MusicgenMelodyDecoderConfig, MusicgenMelodyForConditionalGeneration

    decoder = MusicgenMelodyDecoderConfig(**_sizes(1))
    return MusicgenMelodyForConditionalGeneration(
        MusicgenMelodyConfig(text_encoder=_text(words), audio_encoder=_codec(), decoder=decoder)
    )


def _sizes(channels: int) -> dict[str, Any]:
    return {
        "vocab_size": BINS,
        "hidden_size": 32,
        "ffn_dim": 128,
        "num_hidden_layers": 2,
        "num_attention_heads": 4,
        "num_codebooks": 4 * channels,
        "audio_channels": channels,
        "pad_token_id": BINS,
        "bos_token_id": BINS,
        "tie_word_embeddings": False,
    }


def _text(words: int) -> Any:
    from transformers import T5Config

    return T5Config(vocab_size=words, d_model=24, d_kv=8, d_ff=48, num_layers=2, num_heads=3)


def _codec() -> Any:
    from transformers import EncodecConfig

    return EncodecConfig(
        sampling_rate=RATE_HZ,
        num_filters=4,
        hidden_size=16,
        codebook_dim=16,
        codebook_size=BINS,
        upsampling_ratios=[8, 5, 4, 4],
        use_causal_conv=False,
        use_conv_shortcut=False,
        target_bandwidths=[1.2],  # 4 codebooks of 6 bits at 50 frames a second
    )


def _age(folder: Path) -> None:
    """Give the tensors the names that the published files have: they are older than torch's parametrizations."""
    from safetensors.torch import load_file, save_file

    path = folder / "model.safetensors"
    state = load_file(path)
    for new, old in (
        ("parametrizations.weight.original0", "weight_g"),
        ("parametrizations.weight.original1", "weight_v"),
    ):
        state = {name.replace(new, old): value for name, value in state.items()}
    state["decoder.model.decoder.embed_positions.weights"] = runtime.torch().zeros(2048, 32)
    save_file(state, path, {"format": "pt"})
