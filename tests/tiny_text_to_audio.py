"""Tiny random pipelines in published layouts: AudioLDM, pickled as the hub has it, and a stereo one as Stable Audio.

Folders, file names, the index, its classes and the autoencoder's old keys are as cvssp/audioldm-s-full-v2 has them. The
stereo one has a solver that needs no package of its own.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from foley.neural import pipelines, runtime
from tests.tiny_audiogen import make_tokenizer
from tests.tiny_audioldm2 import BLOCKS, TEXT_WIDTH, WIDTH, WORDS, clap_config, roberta, sound_parts

INDEX = {
    "_class_name": "AudioLDMPipeline",
    "_diffusers_version": "0.15.0.dev0",
    "scheduler": ["diffusers", "DDIMScheduler"],
    "text_encoder": ["transformers", "ClapTextModelWithProjection"],
    "tokenizer": ["transformers", "RobertaTokenizerFast"],
    "unet": ["diffusers", "UNet2DConditionModel"],
    "vae": ["diffusers", "AutoencoderKL"],
    "vocoder": ["transformers", "SpeechT5HifiGan"],
}

STEREO_INDEX = {
    "_class_name": "StableAudioPipeline",
    "_diffusers_version": "0.30.0.dev0",
    "projection_model": ["stable_audio", "StableAudioProjectionModel"],
    "scheduler": ["diffusers", "EDMDPMSolverMultistepScheduler"],
    "text_encoder": ["transformers", "T5EncoderModel"],
    "tokenizer": ["transformers", "T5TokenizerFast"],
    "transformer": ["diffusers", "StableAudioDiTModel"],
    "vae": ["diffusers", "AutoencoderOobleck"],
}

OLD_ATTENTION = {".to_q.": ".query.", ".to_k.": ".key.", ".to_v.": ".value.", ".to_out.0.": ".proj_attn."}
"""What autoencoders' attention is called in checkpoints of that time."""


def make(folder: Path) -> Path:
    """Write the folder and return it."""
    torch = runtime.torch()
    from transformers import ClapTextModelWithProjection

    roberta(folder / "tokenizer")
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        reader = ClapTextModelWithProjection(clap_config().text_config)
        parts = {**sound_parts(), "text_encoder": reader, "unet": _denoiser()}
    for name, part in parts.items():
        part.save_pretrained(folder / name)
    for safe in list(folder.glob("*/*.safetensors")):
        _pickle(safe)
    (folder / "model_index.json").write_text(json.dumps(INDEX, indent=2))
    return folder


def make_stereo(folder: Path) -> Path:
    """Write a folder of the other kind and return it."""
    torch = runtime.torch()
    from diffusers import EDMDPMSolverMultistepScheduler
    from transformers import T5Config, T5EncoderModel

    make_tokenizer(folder / "tokenizer")
    sizes = {"vocab_size": WORDS, "d_model": TEXT_WIDTH, "d_ff": 32, "d_kv": 8, "num_heads": 2, "num_layers": 1}
    with torch.random.fork_rng(devices=[]), pipelines.quiet():
        torch.manual_seed(0)
        parts = {**_stereo_parts(), "text_encoder": T5EncoderModel(T5Config(**sizes))}
    parts["scheduler"] = EDMDPMSolverMultistepScheduler(
        sigma_min=0.3, sigma_max=500, prediction_type="v_prediction", sigma_data=1.0, sigma_schedule="exponential"
    )
    for name, part in parts.items():
        part.save_pretrained(folder / name)
    (folder / "model_index.json").write_text(json.dumps(STEREO_INDEX, indent=2))
    return folder


def frame(folder: Path, class_name: Any, **components: tuple[str, str]) -> Path:
    """Write what is read of a folder before it is loaded: an index, and a stereo autoencoder's configuration."""
    (folder / "vae").mkdir(parents=True)
    vae = {"sampling_rate": 44_100, "audio_channels": 2}
    (folder / "vae" / "config.json").write_text(json.dumps(vae))
    (folder / "vae" / "diffusion_pytorch_model.safetensors").write_bytes(b"not read")
    for name in components:
        (folder / name).mkdir()
        (folder / name / f"{name}_config.json").write_text("{}")
    index = {"_class_name": class_name, "vae": ("diffusers", "AutoencoderOobleck"), **components}
    (folder / "model_index.json").write_text(json.dumps(index))
    return folder


def _pickle(safe: Path) -> None:
    """Replace a file of safetensors by what it was before there were such: pickled, and with the names of then."""
    torch = runtime.torch()
    from safetensors.torch import load_file

    state = load_file(safe)
    if safe.parent.name == "vae":
        state = {_old_name(key): value for key, value in state.items()}
    if safe.parent.name == "text_encoder":
        state["text_model.embeddings.position_ids"] = torch.arange(514)[None]
    name = "pytorch_model.bin" if safe.name.startswith("model") else "diffusion_pytorch_model.bin"
    torch.save(state, safe.with_name(name))
    safe.unlink()


def _old_name(key: str) -> str:
    for new, old in OLD_ATTENTION.items():
        key = key.replace(new, old)
    return key


def _denoiser() -> Any:
    from diffusers import UNet2DConditionModel

    return UNet2DConditionModel(
        block_out_channels=(8, 16),
        in_channels=8,
        out_channels=8,
        down_block_types=("DownBlock2D", "CrossAttnDownBlock2D"),
        up_block_types=("CrossAttnUpBlock2D", "UpBlock2D"),
        cross_attention_dim=(8, 16),
        class_embed_type="simple_projection",
        projection_class_embeddings_input_dim=WIDTH,
        class_embeddings_concat=True,
        **BLOCKS,
    )


def _stereo_parts() -> dict[str, Any]:
    from diffusers import AutoencoderOobleck, StableAudioDiTModel
    from diffusers.pipelines.stable_audio import StableAudioProjectionModel

    transformer = StableAudioDiTModel(
        sample_size=96,  # of 2048 samples at 44.1 kHz: 4.5 s
        in_channels=4,
        out_channels=4,
        num_layers=1,
        attention_head_dim=8,
        num_attention_heads=4,
        num_key_value_attention_heads=2,
        cross_attention_dim=TEXT_WIDTH,
        cross_attention_input_dim=TEXT_WIDTH,
        global_states_input_dim=2 * TEXT_WIDTH,
        time_proj_dim=8,
    )
    vae = AutoencoderOobleck(
        encoder_hidden_size=4,
        downsampling_ratios=[2, 4, 4, 8, 8],
        channel_multiples=[1, 1, 2, 2, 2],
        decoder_channels=4,
        decoder_input_channels=4,
        audio_channels=2,
        sampling_rate=44_100,
    )
    projection = StableAudioProjectionModel(
        text_encoder_dim=TEXT_WIDTH, conditioning_dim=TEXT_WIDTH, min_value=0, max_value=512
    )
    return {"transformer": transformer, "vae": vae, "projection_model": projection}
